"""From files, folders, glob patterns and standard input to a stream of documents, in constant memory.

A record that cannot be read does not end the stream: it becomes a `BadRecord` with its place and the reason.
"""

import glob
import gzip
import json
import logging
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from kgmrca.errors import InputError
from kgmrca.reading import files_in

if TYPE_CHECKING:
    from spacy import Vocab
    from spacy.tokens import Doc

logger = logging.getLogger(__name__)

__all__ = [
    "ID",
    "INPUT_FORMATS",
    "STDIN",
    "BadRecord",
    "Document",
    "Found",
    "Source",
    "find_sources",
    "is_read_from_folders",
    "paths_of",
    "read_documents",
]

ID = "kgmrca.id"
"""Where a Doc keeps its name, in `doc.user_data`."""

INPUT_FORMATS = ("text", "jsonl", "docbin")
STDIN = "-"

_FORMAT_OF = {".jsonl": "jsonl", ".ndjson": "jsonl", ".spacy": "docbin"}
_IN_FOLDERS = {*_FORMAT_OF, ".txt", ".md"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read, or standard input.

    Attributes:
        id: what its document, or the prefix of its documents, is called: a path with "/", relative to the INPUT.
        path: None for standard input.
        format: one of `INPUT_FORMATS`.
        size: in bytes, as stored; None if it cannot be known before reading.
    """

    id: str
    path: Path | None
    format: str
    size: int | None

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.path or "stdin")


@dataclass(frozen=True, slots=True)
class Found:
    """What the INPUTs come to: the files to read, and how many others lay in the folders, by extension."""

    sources: tuple[Source, ...]
    skipped: Counter[str]


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read.

    Attributes:
        id: what it is called, in this run and the next.
        content: its text, or a Doc that came out of a DocBin.
        meta: what else the record held.
        source: the file, or "stdin".
        line: its place in the file, from 1 (the line in JSONL, the number in a DocBin); None if it is the whole file.
        size: how many bytes of the file it took up.
        record: the record as it was read, if it is one of several lines.
    """

    id: str
    content: "str | Doc"
    meta: dict[str, Any]
    source: str
    line: int | None
    size: int
    record: str | None = None


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be used, and why; the attributes are those of `Document`."""

    id: str
    reason: str
    source: str
    line: int | None
    size: int
    record: str | None = None


def find_sources(
    inputs: Iterable[str | Path], *, input_format: str | None = None, leave_out: Collection[Path] = ()
) -> Found:
    """Find the files that INPUTs name: files, folders, glob patterns, or "-" for standard input.

    A folder gives its `.txt`, `.md`, `.jsonl`, `.ndjson` and `.spacy` files and those in its folders, in the order of
    their paths; hidden files are passed over. Text and JSONL may be compressed (`.gz`). A file that two INPUTs name is
    read once.

    Args:
        inputs: what to read.
        input_format: one of `INPUT_FORMATS`, for all INPUTs whatever their names; then folders give all their files.
            None: by extension, text where that says nothing.
        leave_out: files that folders and patterns do not give, as resolved paths.

    Raises:
        InputError: an INPUT does not exist or gives no file, or two files would be called the same.
    """
    if input_format not in (None, *INPUT_FORMATS):
        raise InputError(f"There is no input format '{input_format}': choose one of {', '.join(INPUT_FORMATS)}.")
    skipped: Counter[str] = Counter()
    found: dict[Path | None, Source] = {}
    for given in map(str, inputs):
        if given == STDIN:
            found.setdefault(None, Source("stdin", None, input_format or "text", None))
            continue
        paths, root = paths_of(given)
        n_found = 0
        for path in paths:
            suffix = _suffix(path)
            if path != Path(given) and path.resolve() in leave_out:
                continue
            if Path(given).is_dir() and not is_read_from_folders(path, input_format):
                skipped[suffix or "no extension"] += 1
                continue
            n_found += 1
            size = path.stat().st_size if path.is_file() else None
            format_ = input_format or _FORMAT_OF.get(suffix, "text")
            found.setdefault(path.resolve(), Source(_readable(path.relative_to(root)), path, format_, size))
        if not n_found:
            raise InputError(
                f"There is nothing to read in '{given}' (read are {', '.join(sorted(_IN_FOLDERS))} files)."
            )
    if not found:
        raise InputError("There is nothing to read: give at least one INPUT.")
    _refuse_same_names(found.values())
    return Found(tuple(found.values()), skipped)


def is_read_from_folders(path: Path, input_format: str | None) -> bool:
    """Whether a file is read if it lies in a folder that is an INPUT: by its name, or all if a format is given."""
    return input_format is not None or _suffix(path) in _IN_FOLDERS


def read_documents(sources: Iterable[Source], *, vocab: "Vocab", max_length: int) -> Iterator[Document | BadRecord]:
    """Read files one after the other, JSONL line by line; a DocBin is held in memory as a whole.

    JSONL has one object a line: `text`, perhaps `id` (text or an integer), and anything else, which is metadata. A
    document without an id is called after its file: `name.txt`, `name.jsonl:LINE`, `name.spacy:NUMBER`.

    Args:
        sources: what to read.
        vocab: of the pipeline that will process the Docs of a DocBin.
        max_length: longer texts (in code points) are bad records.
    """
    for source in sources:
        logger.info("Reading %s.", source.name)
        yield from _read(source, vocab, max_length)


def paths_of(given: str) -> tuple[Iterable[Path], Path]:
    """The files that an INPUT names, in order, and the folder that their names are relative to.

    Raises:
        InputError: it does not exist, or a folder cannot be read.
    """
    path = Path(given)
    if path.is_dir():
        return files_in(path), path
    if path.exists():
        return [path], path.parent
    if not glob.has_magic(given):
        raise InputError(f"There is no file or folder '{given}'.")
    matches = sorted(map(Path, glob.glob(given, recursive=True)), key=Path.as_posix)  # noqa: PTH207
    root = Path(*takewhile(lambda part: not glob.has_magic(part), path.parts))
    return [match for match in matches if not match.is_dir()], root


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _readable(path: Path) -> str:
    # A file name need not be UTF-8; what is not becomes U+FFFD, so that an id is always real text.
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def _refuse_same_names(sources: Iterable[Source]) -> None:
    by_id: dict[str, Source] = {}
    for source in sources:
        if by_id.setdefault(source.id, source) is not source:
            raise InputError(
                f"'{by_id[source.id].name}' and '{source.name}' would both be called '{source.id}': "
                "give a folder that holds both as INPUT, and their paths will tell them apart."
            )


def _read(source: Source, vocab: "Vocab", max_length: int) -> Iterator[Document | BadRecord]:
    try:
        with _opened(source) as (stream, taken):
            if source.format == "text":
                yield _read_text(source, stream, taken, max_length)
            elif source.format == "jsonl":
                yield from _read_jsonl(source, stream, taken, max_length)
            else:
                yield from _read_docbin(source, stream, taken, vocab)
    except (OSError, EOFError, zlib.error) as error:
        yield BadRecord(source.id, f"cannot be read (any further): {error}", source.name, None, 0)


@dataclass(slots=True)
class _Counted:
    """A binary stream that knows how many bytes were read from it, also where it has no position (a pipe)."""

    stream: IO[bytes]
    count: int = 0

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.count += len(data)
        return data

    def readline(self) -> bytes:
        data = self.stream.readline()
        self.count += len(data)
        return data


@contextmanager
def _opened(source: Source) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """A file, uncompressed, and a function that says how many bytes of it, as stored, were read since its last call."""
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
    source: Source, stream: IO[bytes], taken: Callable[[], int], max_length: int
) -> Iterator[Document | BadRecord]:
    for number, line in enumerate(iter(stream.readline, b""), 1):
        data = (line.removeprefix(_BOM) if number == 1 else line).strip()
        if data:
            yield _read_json(data, f"{source.id}:{number}", source.name, number, taken(), max_length)


def _read_json(
    data: bytes, default_id: str, source: str, line: int, size: int, max_length: int
) -> Document | BadRecord:
    raw = data.decode("utf-8", "backslashreplace")

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
