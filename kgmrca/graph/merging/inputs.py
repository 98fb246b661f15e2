"""The files that a merge reads: which they are, in which format, and about how large."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kgmrca.corpora.documents import STDIN, paths_of
from kgmrca.errors import InputError
from kgmrca.triples.write import FORMATS, format_of

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
    """The files that the inputs name, each once.

    Folders and patterns do not give `target`, the file that will be written: it is the output of the last merge.

    Raises:
        InputError: an input is not there, holds no RDF, or is the file that will be written.
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"There is no format '{format}': choose one of {', '.join(FORMATS)}.")
    written = target and target.resolve()
    found: dict[Path, Input] = {}
    for given in map(str, inputs):
        if given == STDIN:
            found[Path(STDIN)] = Input(None, format or "trig", _SIZE_OF_STREAM)
            continue
        paths, _ = paths_of(given)
        files = {path.resolve(): file for path in paths if (file := _input(path, format, given))}
        if written in files and given == str(files[written].path):
            raise InputError(f"'{given}' is an INPUT and would be overwritten: write to another file.")
        files.pop(cast(Path, written), None)
        if not files:
            raise InputError(f"There is nothing to read in '{given}': is there RDF ({', '.join(FORMATS)})?")
        found.update(files)
    if not found:
        raise InputError("There is nothing to read: give at least one INPUT.")
    return list(found.values())


def _input(path: Path, format: str | None, given: str) -> Input | None:
    if format is None:
        try:
            format = format_of(path)
        except InputError:
            if Path(given).is_dir():
                return None  # something else that lies there
            raise
    size = path.stat().st_size * (_PACKED if path.suffix.lower() == ".gz" else 1)
    return Input(path, format, size if path.is_file() else _SIZE_OF_STREAM)
