"""Finds the files that INPUTs name, and opens them."""

import gzip
import logging
import os
import stat
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO, cast

from kgmrca.corpora.kinds import HEAD, Kind, kind_of_content, kind_of_name
from kgmrca.errors import InputError
from kgmrca.files import STANDARD
from kgmrca.reading import paths_of, suffix_of

logger = logging.getLogger(__name__)

__all__ = [
    "INPUT_FORMATS",
    "INSIST",
    "Found",
    "InputFile",
    "find_inputs",
    "is_read_from_folders",
    "kind_of_start",
    "no_text",
    "opened_input",
]

INPUT_FORMATS = ("text", "jsonl", "docbin")
INSIST = 'To read it as it stands, give --input-format text (in Python: input_format="text").'

_PATIENCE = 2.0  # seconds
_SPECIAL = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
_FORMAT_OF = {".jsonl": "jsonl", ".ndjson": "jsonl", ".spacy": "docbin"}
_IN_FOLDERS = {*_FORMAT_OF, ".txt", ".md"}


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to read, or standard input.

    Attributes:
        id: the name of its document, or the beginning of the names of its documents: the path relative to the INPUT,
            with "/".
        path: the file; None for standard input.
        format: one of `INPUT_FORMATS`.
        size: the number of bytes as stored; None if it is not known before reading.
        is_certain: whether the user named the format, so that the content is not checked.
    """

    id: str
    path: Path | None
    format: str
    size: int | None
    is_certain: bool = False

    @property
    def name(self) -> str:
        """The name of the file in messages."""
        return str(self.path or "stdin")


@dataclass(frozen=True, slots=True)
class Found:
    """The files that INPUTs name.

    Attributes:
        files: the files to read.
        skipped: the number of other files in the folders and patterns, by extension or kind (such as `named pipe`).
        failed: the sub-folders that cannot be read, each with the reason.
    """

    files: tuple[InputFile, ...]
    skipped: Counter[str]
    failed: tuple[tuple[str, str], ...] = ()


def find_inputs(
    inputs: Iterable[str | Path], *, input_format: str | None = None, leave_out: Collection[Path] = ()
) -> Found:
    """Find the files that INPUTs name: files, folders, glob patterns, or "-" for standard input.

    A folder gives its `.txt`, `.md`, `.jsonl`, `.ndjson` and `.spacy` files and those in its folders, in the order of
    their paths; hidden files are passed over. A pattern gives all files but those whose name says that they are no
    text. Text and JSONL may be compressed (`.gz`). A file that two INPUTs name is read once. Named pipes, sockets and
    devices are read only if they are named themselves.

    Args:
        inputs: files, folders, glob patterns, or "-".
        input_format: one of `INPUT_FORMATS`, for all files; folders then give all their files. By default the format
            follows from the extension, and files with other extensions are text.
        leave_out: resolved paths of files that are left out of folders and patterns.

    Raises:
        InputError: an INPUT does not exist, has no files to read, or is no text by its name or content.
    """
    if input_format not in (None, *INPUT_FORMATS):
        raise InputError(f"There is no input format '{input_format}': choose one of {', '.join(INPUT_FORMATS)}.")
    search = _Search(input_format, leave_out)
    for given in map(str, inputs):
        search.add(given)
    if not search.found:
        raise InputError("There is nothing to read: give at least one INPUT.")
    return Found(tuple(search.found.values()), search.skipped, tuple(search.failed))


class _Search:
    """Collects what `find_inputs` finds."""

    def __init__(self, input_format: str | None, leave_out: Collection[Path]) -> None:
        self._input_format, self._leave_out = input_format, leave_out
        self.found: dict[Path | None, InputFile] = {}
        self.skipped: Counter[str] = Counter()
        self.failed: list[tuple[str, str]] = []

    def add(self, given: str) -> None:
        if given == STANDARD:
            is_certain = self._input_format is not None
            self.found.setdefault(None, InputFile("stdin", None, self._input_format or "text", None, is_certain))
            return
        paths, root = paths_of(given, on_error=self._fail)
        skipped: Counter[str] = Counter()
        n_found = 0
        for path in paths:
            if path == Path(given):
                self._refuse_what_is_no_text(path)
            elif path.resolve() in self._leave_out:
                continue
            elif what := self._what_is_skipped(path, is_folder=Path(given).is_dir()):
                skipped[what] += 1
                continue
            n_found += 1
            self.found.setdefault(path.resolve(), self._file(path, root))
        self.skipped += skipped
        if not n_found:
            only = f", only {', '.join(f'{what} ({count:,})' for what, count in skipped.items())}" if skipped else ""
            kinds = ", ".join(sorted(_IN_FOLDERS))
            known = [(what, kind_of_name(Path(f"a{what}"))) for what in skipped]
            advice = "".join(f" {what} is {kind.name}: {kind.advice}." for what, kind in known if kind)
            raise InputError(
                f"There is nothing to read in '{given}'{only}. What is read from a folder is {kinds}.{advice}"
            )

    def _file(self, path: Path, root: Path) -> InputFile:
        size = path.stat().st_size if path.is_file() else None
        format = self._input_format or _FORMAT_OF.get(suffix_of(path), "text")
        return InputFile(_readable(path.relative_to(root)), path, format, size, self._input_format is not None)

    def _what_is_skipped(self, path: Path, *, is_folder: bool) -> str | None:
        """The name under which a file of a folder or pattern is counted that is not read; None if it is read."""
        try:
            if special := _SPECIAL.get(stat.S_IFMT(path.stat().st_mode)):
                return special
        except OSError:
            pass  # such as a link that leads nowhere: reading it says so
        is_read = is_read_from_folders(path, self._input_format) if is_folder else not self._kind_of_name(path)
        return None if is_read else suffix_of(path) or "no extension"

    def _refuse_what_is_no_text(self, path: Path) -> None:
        if kind := self._kind_of_name(path) or self._kind_of_content(path):
            raise InputError(f"'{path}' is {no_text(kind)}. {INSIST}")

    def _kind_of_name(self, path: Path) -> Kind | None:
        return kind_of_name(path) if self._input_format is None else None

    def _kind_of_content(self, path: Path) -> Kind | None:
        if self._input_format is not None or suffix_of(path) in _FORMAT_OF or not path.is_file():
            return None
        try:
            with opened_input(InputFile("", path, "text", None)) as (stream, _):
                return kind_of_start(path, stream.read(HEAD + 1))
        except (OSError, EOFError, zlib.error):
            return None  # reading it says what is wrong

    def _fail(self, error: OSError) -> None:
        reason = f"the folder cannot be read: {error.strerror}"
        self.failed.append((os.fsdecode(error.filename), reason))


def kind_of_start(path: Path | None, data: bytes) -> Kind | None:
    """What a file is by its first bytes, if it is no plain text; at least `HEAD` + 1 bytes if it has as many."""
    is_markdown = path is not None and suffix_of(path) == ".md"
    return kind_of_content(data, is_whole=len(data) <= HEAD, is_markdown=is_markdown)


def no_text(kind: Kind) -> str:
    """Say what a file is that is no plain text, and what to do with it."""
    return f"{kind.name}, not plain text: {kind.advice}"


def is_read_from_folders(path: Path, input_format: str | None) -> bool:
    """Whether a file in a folder is read. With an input format all files are, otherwise those with known extensions."""
    return input_format is not None or suffix_of(path) in _IN_FOLDERS


@dataclass(slots=True)
class _Counted:
    """A binary stream that counts the bytes that are read from it; it may be a pipe, which has no position."""

    stream: IO[bytes]
    count: int = 0

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.count += len(data)
        return data

    def readline(self, size: int = -1) -> bytes:
        data = self.stream.readline(size)
        self.count += len(data)
        return data


@contextmanager
def opened_input(file: InputFile) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """A decompressed file, and a function that returns how many stored bytes were read since its last call."""
    with ExitStack() as stack:
        with _said_if_waiting(file.path) if file.path and file.path.is_fifo() else nullcontext():
            opened = stack.enter_context(file.path.open("rb")) if file.path else sys.stdin.buffer
        counted = _Counted(opened)
        stream = cast(IO[bytes], counted)
        if file.path and file.path.suffix.lower() == ".gz":
            stream = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb")))
        asked = 0

        def taken() -> int:
            nonlocal asked
            new, asked = counted.count - asked, counted.count
            return new

        yield stream, taken


@contextmanager
def _said_if_waiting(pipe: Path) -> Iterator[None]:
    """Warn in the log if the block waits: a named pipe is opened only once another program opens it for writing."""
    message = "kgmrca: '%s' is a named pipe: waiting for a program that writes to it."
    timer = Timer(_PATIENCE, logger.warning, [message, pipe])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _readable(path: Path) -> str:
    # A file name need not be UTF-8; what is not becomes U+FFFD, so that an id is always real text.
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")
