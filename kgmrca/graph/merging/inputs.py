"""The files that a merge reads: which they are, in which format, and about how large."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kgmrca.corpora.documents import STDIN
from kgmrca.triples.inputs import rdf_files

__all__ = ["Input", "find_inputs"]

_PACKED = 15  # how many times larger the content of gzip may be
_SIZE_OF_STREAM = 1_000_000_000  # a guess


@dataclass(frozen=True, slots=True)
class Input:
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


def find_inputs(inputs: Iterable[str | Path], format: str | None, target: Path | None) -> list[Input]:
    """The files that the inputs name, each once (see `rdf_files`).

    Folders and patterns do not give `target`, the file that will be written: it is the output of the last merge.

    Raises:
        InputError: an input is not there, holds no RDF, or is the file that will be written.
    """
    return [_input(*file) for file in rdf_files(inputs, format=format, output=target)]


def _input(source: str | Path, format: str) -> Input:
    if source == STDIN:
        return Input(None, format, _SIZE_OF_STREAM)
    path = Path(source)
    if not path.is_file():
        return Input(path, format, _SIZE_OF_STREAM)
    return Input(path, format, path.stat().st_size * (_PACKED if path.suffix.lower() == ".gz" else 1))
