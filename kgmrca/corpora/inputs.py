"""Finds the files that INPUTs name, and opens them."""

import glob
import gzip
import logging
import os
import re
import stat
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import IO, Any, cast

from kgmrca.corpora.encodings import Started, in_utf8
from kgmrca.corpora.formats import RECORDS, TEXTS, WARC, in_memory, is_seekable, missing_library
from kgmrca.corpora.gzipped import GzipParts
from kgmrca.corpora.kinds import (
    GZIP,
    HEAD,
    ZSTD,
    Kind,
    inner_suffix,
    kind_of_content,
    kind_of_name,
    kind_of_records,
)
from kgmrca.errors import InputError
from kgmrca.files import STANDARD, real_path
from kgmrca.reading import paths_of
from kgmrca.remote import address_of, fetched, files_at, is_remote


def _zstd() -> Any:
    """The module that reads zstd, of Python or of a package; None if there is none."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


logger = logging.getLogger(__name__)

__all__ = [
    "ARCHIVES",
    "INPUT_FORMATS",
    "INSIST",
    "UNPACKING_ERRORS",
    "Found",
    "InputFile",
    "find_inputs",
    "format_of",
    "is_read_from_folders",
    "kind_of_start",
    "missing_for",
    "no_text",
    "opened_input",
    "unpacked_input",
]

ARCHIVES = ("zip", "tar")
INPUT_FORMATS = ("text", "jsonl", "json", "docbin", *TEXTS, *RECORDS, *ARCHIVES)
INSIST = 'To read it as it stands, give --input-format text (in Python: input_format="text").'

_ZSTD = _zstd()
UNPACKING_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    UnicodeError,
    zlib.error,
    *((_ZSTD.ZstdError,) if _ZSTD else ()),
)
"""What damaged files raise while they are opened or read."""

_PATIENCE = 2.0  # seconds
_SPECIAL = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}
_FORMAT_OF = {
    f".{suffix}": format
    for format, suffixes in (
        ("jsonl", "jsonl ndjson"),
        ("docbin", "spacy"),
        ("markdown", "md markdown"),
        ("html", "html htm xhtml"),
        ("xml", "xml tei nxml docbook"),
        ("docx", "docx"),
        ("pdf", "pdf"),
        ("json", "json"),
        ("csv", "csv"),
        ("tsv", "tsv tab"),
        ("parquet", "parquet"),
        ("arrow", "arrow"),
        ("warc", "warc"),
        ("zip", "zip"),
        ("tar", "tar"),
    )
    for suffix in suffixes.split()
}
_NO_ZSTD = "Reading .zst needs an extra: pip install 'kgmrca[formats]'."
_IN_FOLDERS = {*_FORMAT_OF, ".txt"}
# What `datasets` writes beside its tables, and we beside our graphs.
_ABOUT_DATASETS = {"dataset_info.json", "dataset_dict.json", "state.json"}
_ABOUT_GRAPHS = re.compile(r"\.(ttl|nt|nq|trig|jsonld|rdf)(\.gz)?\.(summary\.json|rejected\.jsonl)$")
_IN_ENCODINGS = ("text", "jsonl", "json", "csv", "tsv")
_SEEKABLE = ("parquet", "arrow", "zip")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file to read, or standard input.

    Attributes:
        id: the name of its document, or the beginning of the names of its documents: the path relative to the INPUT,
            with "/".
        path: the file; None for standard input. Of a remote file it only has the name.
        format: one of `INPUT_FORMATS`.
        size: the number of bytes as stored; None if it is not known before reading.
        is_certain: whether the user named the format, so that the content is not checked.
        address: where a remote file is (see `kgmrca.remote`); None for a file of this machine.
    """

    id: str
    path: Path | None
    format: str
    size: int | None
    is_certain: bool = False
    address: str | None = None

    @property
    def name(self) -> str:
        """The name of the file in messages."""
        return self.address or str(self.path or "stdin")


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
    inputs: Iterable[str | Path],
    *,
    input_format: str | None = None,
    leave_out: Collection[Path] = (),
    encoding: str | None = None,
) -> Found:
    """Find the files that INPUTs name: files, folders, glob patterns, their addresses, or "-" for standard input.

    A folder gives its files in known formats, by their extension, and those in its folders, in the order of their
    paths; hidden files are passed over, and those whose format needs a library that is not installed. A pattern gives
    all files but those whose name says that they are no text. Any file may be compressed (`.gz`, `.zst`). A file that
    two INPUTs name is read once. Named pipes, sockets and devices are read only if they are named themselves.

    Args:
        inputs: files, folders, glob patterns, addresses such as "s3://bucket/folder", or "-".
        input_format: one of `INPUT_FORMATS`, for all files; folders then give all their files. By default the format
            follows from the extension, and files with other extensions are text.
        leave_out: resolved paths of files that are left out of folders and patterns.
        encoding: the encoding of text (see `in_utf8`).

    Raises:
        InputError: an INPUT does not exist, has no files to read, is no text by its name or content, or needs a library
            that is not installed.
    """
    if input_format not in (None, *INPUT_FORMATS):
        raise InputError(f"There is no input format '{input_format}': choose one of {', '.join(INPUT_FORMATS)}.")
    if input_format and (missing := missing_library(input_format)):
        raise InputError(missing)
    search = _Search(input_format, leave_out, encoding)
    for given in map(str, inputs):
        search.add(given)
    if not search.found:
        raise InputError("There is nothing to read: give at least one INPUT.")
    return Found(tuple(search.found.values()), search.skipped, tuple(search.failed))


class _Search:
    """Collects what `find_inputs` finds."""

    def __init__(self, input_format: str | None, leave_out: Collection[Path], encoding: str | None) -> None:
        self._input_format, self._leave_out, self._encoding = input_format, leave_out, encoding
        self.found: dict[Hashable, InputFile] = {}
        self.skipped: Counter[str] = Counter()
        self.failed: list[tuple[str, str]] = []

    def add(self, given: str) -> None:
        if given == STANDARD:
            is_certain = self._input_format is not None
            self.found.setdefault(None, InputFile("stdin", None, self._input_format or "text", None, is_certain))
            return
        skipped: Counter[str] = Counter()
        n_found = 0
        for identity, file in self._at_address(given) if is_remote(given) else self._here(given):
            if isinstance(file, str):
                skipped[file] += 1
            else:
                n_found += 1
                self.found.setdefault(identity, file)
        self.skipped += skipped
        if not n_found:
            only = f", only {', '.join(f'{what} ({count:,})' for what, count in skipped.items())}" if skipped else ""
            kinds = ", ".join(sorted(_IN_FOLDERS))
            known = [(what, kind_of_name(Path(f"a{what}"))) for what in skipped]
            advice = "".join(f" {what} is {kind.name}: {kind.advice}." for what, kind in known if kind)
            raise InputError(
                f"There is nothing to read in '{given}'{only}. What is read from a folder is {kinds}.{advice}"
            )

    def _here(self, given: str) -> Iterator[tuple[Hashable, InputFile | str]]:
        """The files of this machine, each with what it is known by, or the name under which those not read count."""
        paths, root = paths_of(given, on_error=self._fail)
        for path in paths:
            is_named = path == Path(given)
            if not is_named and real_path(path) in self._leave_out:
                continue
            if not is_named and (what := _special(path) or self._what_is_skipped(path, is_folder=Path(given).is_dir())):
                yield None, what
                continue
            file = self._file(path, _readable(path.relative_to(root)), path.stat().st_size if path.is_file() else None)
            if is_named:
                self._refuse_what_is_no_text(file)
            yield real_path(path), file

    def _at_address(self, given: str) -> Iterator[tuple[Hashable, InputFile | str]]:
        """The same for files that are elsewhere."""
        itself = address_of(given)
        for remote in files_at(given):
            path = Path(remote.name)
            is_named = remote.address == itself
            if not is_named and (what := self._what_is_skipped(path, is_folder=not glob.has_magic(given))):
                yield None, what
                continue
            file = replace(self._file(path, remote.name, remote.size), address=remote.address)
            if is_named:
                self._refuse_what_is_no_text(file)
            yield remote.address, file

    def _file(self, path: Path, name: str, size: int | None) -> InputFile:
        format = self._input_format or format_of(path) or "text"
        return InputFile(name, path, format, size, self._input_format is not None)

    def _what_is_skipped(self, path: Path, *, is_folder: bool) -> str | None:
        """The name under which a file of a folder or pattern is counted that is not read; None if it is read."""
        is_read = is_read_from_folders(path, self._input_format) if is_folder else not self._kind_of_name(path)
        is_read = is_read and not (self._input_format is None and missing_for(path))
        return None if is_read else inner_suffix(path) or "no extension"

    def _refuse_what_is_no_text(self, file: InputFile) -> None:
        path = cast(Path, file.path)
        if self._input_format is None and (missing := missing_for(path)):
            raise InputError(f"'{file.name}' cannot be read yet. {missing} {INSIST}")
        # What is elsewhere is fetched once only: reading it says what it is.
        if kind := self._kind_of_name(path) or (None if file.address else self._kind_of_content(path)):
            raise InputError(f"'{file.name}' is {no_text(kind)}. {INSIST}")

    def _kind_of_name(self, path: Path) -> Kind | None:
        return kind_of_name(path) if self._input_format is None else None

    def _kind_of_content(self, path: Path) -> Kind | None:
        if self._input_format is not None or inner_suffix(path) in _FORMAT_OF or not path.is_file():
            return None
        try:
            with opened_input(InputFile("", path, "text", None), self._encoding) as (stream, _):
                return kind_of_start(path, stream.read(HEAD + 1))
        except UNPACKING_ERRORS:
            return None  # reading it says what is wrong

    def _fail(self, error: OSError) -> None:
        reason = f"the folder cannot be read: {error.strerror}"
        self.failed.append((os.fsdecode(error.filename), reason))


def _special(path: Path) -> str | None:
    """What it is, if it is neither file nor folder."""
    try:
        return _SPECIAL.get(stat.S_IFMT(path.stat().st_mode))
    except OSError:
        return None  # such as a link that leads nowhere: reading it says so


def kind_of_start(path: Path | None, data: bytes) -> Kind | None:
    """What a file is by its first bytes, if it is no plain text; at least `HEAD` + 1 bytes if it has as many."""
    is_markdown = path is not None and inner_suffix(path) == ".md"
    return kind_of_content(data, is_whole=len(data) <= HEAD, is_markdown=is_markdown)


def no_text(kind: Kind) -> str:
    """Say what a file is that is no plain text, and what to do with it."""
    return f"{kind.name}, not plain text: {kind.advice}"


def is_read_from_folders(path: Path, input_format: str | None) -> bool:
    """Whether a file in a folder is read. With an input format all files are, otherwise those with known extensions."""
    if input_format is not None:
        return True
    is_about = path.name in _ABOUT_DATASETS or _ABOUT_GRAPHS.search(path.name)
    return inner_suffix(path) in _IN_FOLDERS and not is_about


def format_of(path: Path) -> str | None:
    """The format of a file by its extension; None if the extension says nothing, or that it is plain text.

    >>> format_of(Path("page.HTML.gz"))
    'html'
    """
    return _FORMAT_OF.get(inner_suffix(path))


def missing_for(path: Path) -> str | None:
    """What to install to read a file, by its name; None if nothing is missing."""
    missing = missing_library(format_of(path) or "text")
    if missing is None and path.suffix.lower() == ".zst" and not _ZSTD:
        return _NO_ZSTD
    return missing


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
def opened_input(file: InputFile, encoding: str | None = None) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """A decompressed file, and a function that returns how many stored bytes were read since its last call.

    Text is in UTF-8 then, whatever its encoding is (see `in_utf8`).
    """
    with ExitStack() as stack:
        path = stack.enter_context(fetched(file.address)) if file.address else file.path
        with _said_if_waiting(path) if path and path.is_fifo() else nullcontext():
            opened = stack.enter_context(path.open("rb")) if path else sys.stdin.buffer
        is_packed = _packed_with(file) is not None
        if file.format in _SEEKABLE and file.size is not None and not is_packed:
            sizes = iter([file.size])
            yield opened, lambda: next(sizes, 0)
            return
        counted = _Counted(opened)
        asked = 0

        def taken() -> int:
            nonlocal asked
            new, asked = counted.count - asked, counted.count
            return new

        with unpacked_input(cast(IO[bytes], counted), file, encoding) as stream:
            yield stream, taken


@contextmanager
def unpacked_input(stream: IO[bytes], file: InputFile, encoding: str | None) -> Iterator[IO[bytes]]:
    """What is in a stream that has the bytes of a file: decompressed, and text in UTF-8. The stream stays open."""
    with ExitStack() as stack:
        packed = _packed_with(file)
        if file.path is None:  # which has no name that would say it
            head = stream.readline(len(ZSTD))
            packed = GZIP if head.startswith(GZIP) else ZSTD if head == ZSTD else None
            if packed == ZSTD and not _ZSTD:
                raise InputError(_NO_ZSTD)
            stream = cast(IO[bytes], Started(head, stream))
        if packed == GZIP and file.format == "warc":
            stream = cast(IO[bytes], GzipParts(stream, WARC))
        elif packed == GZIP:
            stream = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb")))
        elif packed == ZSTD:
            stream = cast(IO[bytes], stack.enter_context(_ZSTD.ZstdFile(stream, "rb")))
        if file.format == "zip" and not is_seekable(stream):
            stream = in_memory(stream)
        if file.format in _IN_ENCODINGS:
            if file.format != "text":  # of which more is looked at
                head = stream.readline(4)
                if encoding is None and (kind := kind_of_records(head)):
                    raise UnicodeError(f"it is {kind.name}: {kind.advice}")
                stream = cast(IO[bytes], Started(head, stream))
            stream = in_utf8(stream, encoding)
        yield stream


def _packed_with(file: InputFile) -> bytes | None:
    """The first bytes of what a file is compressed with by its name."""
    suffix = file.path.suffix.lower() if file.path else ""
    return GZIP if suffix in (".gz", ".tgz") else ZSTD if suffix == ".zst" else None


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
