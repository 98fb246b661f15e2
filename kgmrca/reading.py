"""Files to read: what is in a folder, and what is in a compressed file. No format is known here."""

import glob
import gzip
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, cast

from kgmrca.errors import InputError

__all__ = ["check_is_file", "files_in", "paths_of", "suffix_of", "unpacked"]

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def files_in(folder: Path, *, on_error: Callable[[OSError], object] | None = None) -> list[Path]:
    """All files in a folder and its sub-folders, in the order of their paths; hidden files and folders are left out.

    Links to folders are not followed.

    Args:
        folder: where to look.
        on_error: told about a sub-folder that cannot be read; None: that is an error.

    Raises:
        InputError: the folder or a sub-folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        if on_error and Path(error.filename) != folder:
            on_error(error)
            return
        raise InputError(f"The folder '{error.filename}' cannot be read: {error.strerror}.") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found, key=Path.as_posix)


def paths_of(given: str, *, on_error: Callable[[OSError], object] | None = None) -> tuple[Sequence[Path], Path]:
    """The files that a file, folder or glob pattern names, in order, and the folder that their names are relative to.

    Args:
        given: a file, a folder or a glob pattern.
        on_error: called for each sub-folder that cannot be read; None: this is an error.

    Raises:
        InputError: it does not exist, or a folder cannot be read.
    """
    path = Path(given)
    if path.is_dir():
        return files_in(path, on_error=on_error), path
    if path.exists():
        return [path], path.parent
    if not glob.has_magic(given):
        raise InputError(f"There is no file or folder '{given}'.")
    matches = sorted(map(Path, glob.glob(given, recursive=True)), key=Path.as_posix)  # noqa: PTH207
    root = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))
    return [match for match in matches if not match.is_dir()], root


def check_is_file(path: Path) -> None:
    """Refuse what is in a folder and is no file, because reading a named pipe could wait for ever.

    Raises:
        InputError: it is a named pipe, a socket, a device, or a link that leads nowhere.
    """
    if path.is_file():
        return
    if path.is_fifo():
        what = "a named pipe (FIFO)"
    elif not path.exists():
        what = "a link that leads nowhere"
    else:
        what = "a socket or a device"
    raise InputError(f"'{path}' is {what}, not a file: take it out of the folder, or name the files to read.")


def suffix_of(path: Path) -> str:
    """The extension that says what is in a file, in small letters: of what is compressed, not ".gz".

    >>> suffix_of(Path("News.JSONL.gz"))
    '.jsonl'
    """
    return Path(path.name.lower().removesuffix(".gz")).suffix


@contextmanager
def unpacked(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """What is in a binary stream: decompressed if it is gzip, whatever its name, and without a byte-order mark.

    The stream itself stays open.
    """
    head = _read_head(stream, len(_GZIP))
    content = io.BufferedReader(_WithHead(head, stream))
    if head == _GZIP:
        with gzip.GzipFile(fileobj=content, mode="rb") as inner:
            yield _without_mark(cast("IO[bytes]", inner))
    else:
        yield _without_mark(content)


def _without_mark(stream: IO[bytes]) -> IO[bytes]:
    head = _read_head(stream, len(_BOM))
    return io.BufferedReader(_WithHead(b"" if head == _BOM else head, stream))


def _read_head(stream: IO[bytes], size: int) -> bytes:
    """The first bytes; fewer only if there are no more. A pipe may give them one by one."""
    head = b""
    while len(head) < size and (more := stream.read(size - len(head))):
        head += more
    return head


class _WithHead(io.RawIOBase):
    """A stream of which the beginning was read already; closing it leaves the rest open."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or self._rest.read(len(buffer))
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        self._head = data[size:]
        return size
