"""The files that a merge reads: which they are, in which format, and about how large."""

import gzip
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kgmrca.files import STANDARD, Output, check_outputs, target_of
from kgmrca.reading import unpacked
from kgmrca.terms import KGMRCA
from kgmrca.triples.formats import is_rdf
from kgmrca.triples.inputs import rdf_files

__all__ = ["MergeInput", "merge_inputs"]

_PACKED = 15  # how many times larger the content of gzip may be
_SIZE_OF_STREAM = 1_000_000_000  # a guess
_FACT = (f"{KGMRCA}Fact".encode(), b"kgmrca:Fact")  # in full, and with the prefix that our files have
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class MergeInput:
    """A file to read.

    Attributes:
        path: where it is; None for standard input.
        format: one of `FORMATS`.
        size: of its content in bytes, about.
    """

    path: Path | None
    format: str
    size: int

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path or "standard input")


def merge_inputs(inputs: Sequence[str | Path], format: str | None, output: Output) -> list[MergeInput]:
    """The files that the inputs name, each once (see `rdf_files`).

    What an earlier merge wrote to `output` may lie in a folder that is an input: it is not read, and written anew.

    Raises:
        InputError: an input cannot be used, or would be overwritten.
        OutputError: the output cannot be written.
    """
    target = target_of(output)
    is_own = target is not None and (not target.exists() or _is_merged(target))
    named = [given for given in inputs if str(given) == STANDARD or Path(given).is_file()] if is_own else inputs
    check_outputs([output], named, takes=None if format else is_rdf)
    return [_input(*file) for file in rdf_files(inputs, format=format, output=target)]


def _is_merged(path: Path) -> bool:
    """Whether a file has facts, which only merged graphs have."""
    if not path.is_file():
        return True  # a device or a pipe, of which nothing can be lost
    end = b""
    with suppress(EOFError, gzip.BadGzipFile, zlib.error), path.open("rb") as file, unpacked(file) as content:
        while data := content.read(_CHUNK):
            if any(mark in end + data for mark in _FACT):
                return True
            end = data[-max(map(len, _FACT)) :]
    return False


def _input(graph: str | Path, format: str) -> MergeInput:
    if graph == STANDARD:
        return MergeInput(None, format, _SIZE_OF_STREAM)
    path = Path(graph)
    if not path.is_file():
        return MergeInput(path, format, _SIZE_OF_STREAM)
    return MergeInput(path, format, path.stat().st_size * (_PACKED if path.suffix.lower() == ".gz" else 1))
