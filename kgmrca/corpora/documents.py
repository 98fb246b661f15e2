"""Reads files, folders, glob patterns and standard input as a stream of documents, in bounded memory.

A record that cannot be read does not end the stream. It is given as a `BadRecord` with its place and the reason.
"""

import codecs
import glob
import gzip
import json
import logging
import os
import stat
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from kgmrca.corpora.kinds import HEAD, Kind, kind_of_content, kind_of_name, suffix_of
from kgmrca.errors import InputError
from kgmrca.reading import files_in

if TYPE_CHECKING:
    from spacy import Vocab
    from spacy.tokens import Doc

logger = logging.getLogger(__name__)

__all__ = [
    "ID",
    "INPUT_FORMATS",
    "MAX_RECORD_SIZE",
    "STDIN",
    "BadRecord",
    "Document",
    "Excerpt",
    "Found",
    "Source",
    "find_sources",
    "is_read_from_folders",
    "paths_of",
    "read_documents",
]

ID = "kgmrca.id"
"""The key in `doc.user_data` for the name of a document."""

INPUT_FORMATS = ("text", "jsonl", "docbin")
STDIN = "-"

MAX_RECORD_SIZE = 16_000_000
"""How many bytes a line of JSONL may have: enough for a text of a million characters with every one of them escaped."""

_KEPT = 10_000  # bytes of a record that are kept to show it
_BLOCK = 1 << 20
_SPECIAL = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}

_FORMAT_OF = {".jsonl": "jsonl", ".ndjson": "jsonl", ".spacy": "docbin"}
_IN_FOLDERS = {*_FORMAT_OF, ".txt", ".md"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
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
        sources: the files to read.
        skipped: the number of other files in the folders and patterns, by extension or kind (such as `named pipe`).
        failed: the sub-folders that cannot be read.
    """

    sources: tuple[Source, ...]
    skipped: Counter[str]
    failed: tuple["BadRecord", ...] = ()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a record as it was read.

    Attributes:
        text: its first 10,000 bytes; those that are not UTF-8 as backslash escapes.
        left_out: how many bytes it has beyond these.
        offset: how many bytes of the file, uncompressed, stand before it.
    """

    text: str
    left_out: int
    offset: int


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read.

    Attributes:
        id: its name, which is the same in every run.
        content: its text, or its Doc if it was read from a DocBin.
        meta: the other keys of the record.
        source: the file, or "stdin".
        line: its place in the file, from 1: the line in JSONL, the number in a DocBin; None for a whole file.
        size: the number of bytes of the file that it takes.
        record: the beginning of the line, for JSONL.
    """

    id: str
    content: "str | Doc"
    meta: dict[str, Any]
    source: str
    line: int | None
    size: int
    record: Excerpt | None = None

    @property
    def record_size(self) -> int:
        """The approximate number of bytes of the line with all metadata, for JSONL; otherwise 0."""
        return len(self.record.text) + self.record.left_out if self.record else 0


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be used, with the reason; the other attributes are those of `Document`."""

    id: str
    reason: str
    source: str
    line: int | None
    size: int
    record: Excerpt | None = None


def find_sources(
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
    """Collects what `find_sources` finds."""

    def __init__(self, input_format: str | None, leave_out: Collection[Path]) -> None:
        self._input_format, self._leave_out = input_format, leave_out
        self.found: dict[Path | None, Source] = {}
        self.skipped: Counter[str] = Counter()
        self.failed: list[BadRecord] = []

    def add(self, given: str) -> None:
        if given == STDIN:
            is_certain = self._input_format is not None
            self.found.setdefault(None, Source("stdin", None, self._input_format or "text", None, is_certain))
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
            self.found.setdefault(path.resolve(), self._source(path, root))
        self.skipped += skipped
        if not n_found:
            only = f", only {', '.join(f'{what} ({count:,})' for what, count in skipped.items())}" if skipped else ""
            kinds = ", ".join(sorted(_IN_FOLDERS))
            raise InputError(f"There is nothing to read in '{given}'{only}: a folder gives its {kinds} files.")

    def _source(self, path: Path, root: Path) -> Source:
        size = path.stat().st_size if path.is_file() else None
        format = self._input_format or _FORMAT_OF.get(suffix_of(path), "text")
        return Source(_readable(path.relative_to(root)), path, format, size, self._input_format is not None)

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
            raise InputError(f"'{path}' is {_no_text(kind)}. {_INSIST}")

    def _kind_of_name(self, path: Path) -> Kind | None:
        return kind_of_name(path) if self._input_format is None else None

    def _kind_of_content(self, path: Path) -> Kind | None:
        if self._input_format is not None or suffix_of(path) in _FORMAT_OF or not path.is_file():
            return None
        try:
            with _opened(Source("", path, "text", None)) as (stream, _):
                return _kind(path, stream.read(HEAD + 1))
        except (OSError, EOFError, zlib.error):
            return None  # reading it says what is wrong

    def _fail(self, error: OSError) -> None:
        folder = os.fsdecode(error.filename)
        reason = f"the folder cannot be read: {error.strerror}"
        self.failed.append(BadRecord(_readable(Path(folder)), reason, folder, None, 0))


_INSIST = "To read it as it stands, give the input format 'text'."


def _kind(path: Path | None, data: bytes) -> Kind | None:
    is_markdown = path is not None and suffix_of(path) == ".md"
    return kind_of_content(data, is_whole=len(data) <= HEAD, is_markdown=is_markdown)


def _no_text(kind: Kind) -> str:
    return f"{kind.name}, not plain text: {kind.advice}"


def is_read_from_folders(path: Path, input_format: str | None) -> bool:
    """Whether a file in a folder is read. With an input format all files are, otherwise those with known extensions."""
    return input_format is not None or suffix_of(path) in _IN_FOLDERS


def read_documents(
    sources: Iterable[Source], *, vocab: "Vocab", max_length: int, max_record_size: int = MAX_RECORD_SIZE
) -> Iterator[Document | BadRecord]:
    """Read files one after the other, JSONL line by line; a DocBin is held in memory as a whole.

    JSONL has one object a line: `text`, perhaps `id` (text or an integer), and anything else, which is metadata. A
    document without an id is called after its file: `name.txt`, `name.jsonl:LINE`, `name.spacy:NUMBER`.

    Args:
        sources: the files to read.
        vocab: the vocabulary of the pipeline that processes the Docs of a DocBin.
        max_length: the largest length of a text, in code points. A longer text is a bad record.
        max_record_size: the largest length of a line of JSONL, in bytes. A longer line is a bad record, and is not held
            in memory.

    Raises:
        InputError: standard input is no text.
    """
    for source in sources:
        logger.info("Reading %s.", source.name)
        yield from _read(source, vocab, max_length, max_record_size)


def paths_of(given: str, *, on_error: Callable[[OSError], object] | None = None) -> tuple[Iterable[Path], Path]:
    """The files that an INPUT names, in order, and the folder that their names are relative to.

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


def _readable(path: Path) -> str:
    # A file name need not be UTF-8; what is not becomes U+FFFD, so that an id is always real text.
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def _read(source: Source, vocab: "Vocab", max_length: int, max_record_size: int) -> Iterator[Document | BadRecord]:
    try:
        with _opened(source) as (stream, taken):
            if source.format == "text":
                yield _read_text(source, stream, taken, max_length)
            elif source.format == "jsonl":
                yield from _read_jsonl(source, stream, taken, max_length, max_record_size)
            else:
                yield from _read_docbin(source, stream, taken, vocab)
    except (OSError, EOFError, zlib.error) as error:
        yield BadRecord(source.id, f"cannot be read (any further): {error}", source.name, None, 0)


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
def _opened(source: Source) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """A decompressed file, and a function that returns how many stored bytes were read since its last call."""
    with ExitStack() as stack:
        counted = _Counted(stack.enter_context(source.path.open("rb")) if source.path else sys.stdin.buffer)
        stream = cast(IO[bytes], counted)
        if source.path and source.path.suffix.lower() == ".gz":
            stream = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb")))
        asked = 0

        def taken() -> int:
            nonlocal asked
            new, asked = counted.count - asked, counted.count
            return new

        yield stream, taken


def _read_text(source: Source, stream: IO[bytes], taken: Callable[[], int], max_length: int) -> Document | BadRecord:
    # A code point has at most four bytes, so a longer file need not be read to be known as too long.
    limit = 4 * max_length + len(_BOM)
    data = stream.read(limit + 1)
    size = taken() if source.size is None else source.size
    if not source.is_certain and (kind := _kind(source.path, data)):
        if source.path is None:
            raise InputError(f"Standard input is {_no_text(kind)}. {_INSIST}")
        return BadRecord(source.id, f"it is {_no_text(kind)}", source.name, None, size)
    try:
        text = data.removeprefix(_BOM).decode("utf-8") if len(data) <= limit else None
    except UnicodeDecodeError as error:
        offset = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
        return BadRecord(source.id, _not_utf8(error, offset, "file"), source.name, None, size)
    reason = _too_long(max_length) if text is None else _unusable(text, max_length)
    if text is None or reason:
        return BadRecord(source.id, reason or "", source.name, None, size)
    return Document(source.id, text, {}, source.name, None, size)


def _read_jsonl(
    source: Source, stream: IO[bytes], taken: Callable[[], int], max_length: int, max_record_size: int
) -> Iterator[Document | BadRecord]:
    for number, (line, left_out, offset) in enumerate(_lines(stream, max_record_size), 1):
        identifier = f"{source.id}:{number}"
        data = (line.removeprefix(_BOM) if number == 1 else line).strip()
        raw = _excerpt(data, offset, left_out)
        if left_out:
            reason = (
                f"the record is longer than {max_record_size:,} bytes: split it, or allow longer ones (max_record_size)"
            )
            yield BadRecord(identifier, reason, source.name, number, taken(), raw)
        elif data:
            yield _read_json(data, raw, identifier, source.name, number, taken(), max_length)


def _lines(stream: IO[bytes], longest: int) -> Iterator[tuple[bytes, int, int]]:
    """Each line, how many of its bytes were left out because it is too long, and how many bytes are before it."""
    offset = 0
    while line := stream.readline(longest + 1):
        left_out = 0
        if len(line) > longest and not line.endswith(b"\n"):
            kept = min(_KEPT, longest)
            line, left_out = line[:kept], len(line) - kept
            while block := stream.readline(_BLOCK):
                left_out += len(block)
                if block.endswith(b"\n"):
                    break
        yield line, left_out, offset
        offset += len(line) + left_out


def _excerpt(data: bytes, offset: int, left_out: int) -> Excerpt:
    decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode
    # A character that is cut is dropped, unless the record ends there.
    text = decode(data[:_KEPT], final=len(data) <= _KEPT and not left_out)
    return Excerpt(text, left_out + len(data[_KEPT:]), offset)


def _read_json(
    data: bytes, raw: Excerpt, default_id: str, source: str, line: int, size: int, max_length: int
) -> Document | BadRecord:
    def bad(reason: str, identifier: str = default_id) -> BadRecord:
        return BadRecord(identifier, reason, source, line, size, raw)

    try:
        record = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return bad(_not_utf8(error, error.start, "line"))
    except json.JSONDecodeError as error:
        return bad(f"not JSON: {error.msg} (column {error.colno})")
    except (ValueError, RecursionError) as error:
        return bad(f"not JSON that can be read: {error}")
    if not isinstance(record, dict):
        return bad('not a JSON object: expected {"text": ...}')
    identifier = record.pop("id", None)
    if identifier is None:
        identifier = default_id
    if isinstance(identifier, bool) or not isinstance(identifier, str | int) or identifier == "":
        return bad("'id' is neither text nor an integer")
    if "text" not in record:
        return bad("'text' is missing", str(identifier))
    text = record.pop("text")
    if not isinstance(text, str):
        return bad("'text' is not text", str(identifier))
    if reason := _unusable(text, max_length):
        return bad(reason, str(identifier))
    return Document(str(identifier), text, record, source, line, size, raw)


def _read_docbin(
    source: Source, stream: IO[bytes], taken: Callable[[], int], vocab: "Vocab"
) -> Iterator[Document | BadRecord]:
    from spacy.tokens import DocBin  # the other formats do without spaCy, and so does `import kgmrca.cli`

    number = 0
    try:
        docs = DocBin().from_bytes(stream.read())
        size, n_docs = taken(), len(docs)
        for number, doc in enumerate(docs.get_docs(vocab), 1):
            identifier = str(doc.user_data.get(ID, f"{source.id}:{number}"))
            share = number * size // n_docs - (number - 1) * size // n_docs
            if not doc.text.strip():
                yield BadRecord(identifier, "the text is empty", source.name, number, share)
            else:
                yield Document(identifier, doc, {}, source.name, number, share)
    except Exception as error:  # a damaged file can raise anything
        reason = f"not a DocBin that can be read after document {number}: {type(error).__name__}: {error}"
        yield BadRecord(source.id, reason, source.name, number + 1, taken())


def _unusable(text: str, max_length: int) -> str | None:
    """Why a text cannot be processed, or None."""
    if not text.strip():
        return "the text is empty"
    if len(text) > max_length:
        return _too_long(max_length)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"not Unicode: half a surrogate pair at character {error.start} of the text"
    return None


def _too_long(max_length: int) -> str:
    return f"the text is longer than {max_length} characters (nlp.max_length): split it"


def _not_utf8(error: UnicodeDecodeError, offset: int, what: str) -> str:
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset} of the {what}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
