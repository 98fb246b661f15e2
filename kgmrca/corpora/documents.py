"""Reads files, folders, glob patterns and standard input as a stream of documents, in bounded memory.

A record that cannot be read does not end the stream. It is given as a `BadRecord` with its place and the reason.
"""

import codecs
import json
import logging
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kgmrca.corpora.archives import members
from kgmrca.corpora.formats import MAX_FILE_SIZE, RECORDS, TEXTS, ReadOptions, UnreadableError
from kgmrca.corpora.inputs import (
    ARCHIVES,
    INSIST,
    UNPACKING_ERRORS,
    Found,
    InputFile,
    format_of,
    is_read_from_folders,
    kind_of_start,
    missing_for,
    no_text,
    opened_input,
    unpacked_input,
)
from kgmrca.corpora.kinds import inner_suffix
from kgmrca.errors import InputError

if TYPE_CHECKING:
    from spacy import Vocab
    from spacy.tokens import Doc

logger = logging.getLogger(__name__)

__all__ = [
    "ID",
    "MAX_RECORD_SIZE",
    "BadRecord",
    "Document",
    "Excerpt",
    "read_documents",
]

ID = "kgmrca.id"
"""The key in `doc.user_data` for the name of a document."""


MAX_RECORD_SIZE = 16_000_000
"""How many bytes a line of JSONL may have: enough for a text of a million characters with every one of them escaped."""

_KEPT = 10_000  # bytes of a record that are kept to show it
_BLOCK = 1 << 20

_DAMAGE: tuple[type[Exception], ...] = (
    *UNPACKING_ERRORS,
    UnreadableError,
    tarfile.TarError,
    zipfile.BadZipFile,
)

_BOM = b"\xef\xbb\xbf"


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
        file: its path, or "stdin".
        line: its place in the file, from 1: the line in JSONL, the number in a DocBin; None for a whole file.
        size: the number of bytes of the file that it takes.
        record: the beginning of the line, for JSONL.
    """

    id: str
    content: "str | Doc"
    meta: dict[str, Any]
    file: str
    line: int | None
    size: int
    record: Excerpt | None = None

    @property
    def text(self) -> str:
        """Its text, also if it was read from a DocBin."""
        return self.content if isinstance(self.content, str) else self.content.text

    @property
    def record_size(self) -> int:
        """The approximate number of bytes of the line with all metadata, for JSONL; otherwise 0."""
        return len(self.record.text) + self.record.left_out if self.record else 0

    @property
    def characters(self) -> int:
        """How much memory it takes: the length of its text, or of its record with all metadata if that is longer."""
        return max(len(self.text), self.record_size)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be used, with the reason; the other attributes are those of `Document`."""

    id: str
    reason: str
    file: str
    line: int | None
    size: int
    record: Excerpt | None = None


def read_documents(
    found: Found,
    *,
    vocab: "Vocab",
    max_length: int,
    max_record_size: int = MAX_RECORD_SIZE,
    options: ReadOptions = ReadOptions(),  # noqa: B008 (it cannot be changed)
) -> Iterator[Document | BadRecord]:
    """Read files one after the other, and what has records one by one.

    A DocBin and what is one document is held in memory as a whole. Files in an archive that are of no known format are
    counted in `found.skipped`.

    JSONL has one object a line: `text`, perhaps `id` (text or an integer), and anything else, which is metadata. A
    document without an id is called after its file: `name.txt`, `name.jsonl:LINE`, `name.spacy:NUMBER`,
    `name.zip/name.txt`.

    Args:
        found: the files to read. Each sub-folder that could not be read is a bad record.
        vocab: the vocabulary of the pipeline that processes the Docs of a DocBin.
        max_length: the largest length of a text, in code points. A longer text is a bad record.
        max_record_size: the largest length of a line of JSONL, in bytes. A longer line is a bad record, and is not held
            in memory.
        options: where the texts are in files, and their encoding.

    Raises:
        InputError: standard input is no text.
    """
    for folder, reason in found.failed:
        yield BadRecord(folder, reason, folder, None, 0)
    for file in found.files:
        logger.info("Reading %s.", file.name)
        yield from _Reader(found.skipped, vocab, max_length, max_record_size, options).read(file)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record stands; the attributes are those of `Document`."""

    id: str
    file: str
    line: int | None
    size: int
    record: Excerpt | None = None

    def bad(self, reason: str, identifier: str | None = None) -> BadRecord:
        """The record there, which cannot be used."""
        name = self.id if identifier is None else identifier
        return BadRecord(name, reason, self.file, self.line, self.size, self.record)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads a file of any format. `taken` gives how many of its bytes were read since it was last asked."""

    skipped: Counter[str]
    vocab: "Vocab"
    max_length: int
    max_record_size: int
    options: ReadOptions

    def read(self, file: InputFile) -> Iterator[Document | BadRecord]:
        try:
            with opened_input(file, self.options.encoding) as (stream, taken):
                if file.format in ARCHIVES:
                    yield from self._archive(file, stream, taken)
                else:
                    yield from self._stream(file, stream, taken)
        except _DAMAGE as error:
            yield BadRecord(file.id, f"cannot be read (any further): {error}", file.name, None, 0)

    def _stream(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        if file.format == "text":
            yield self._text(file, stream, taken)
        elif file.format == "jsonl":
            yield from self._jsonl(file, stream, taken)
        elif file.format == "docbin":
            yield from self._docbin(file, stream, taken)
        elif file.format in TEXTS:
            yield self._whole(file, stream, taken)
        else:
            yield from self._records(file, stream, taken)

    def _archive(
        self, archive: InputFile, stream: IO[bytes], taken: Callable[[], int]
    ) -> Iterator[Document | BadRecord]:
        for name, content, reason in members(stream, archive.format):
            path = Path(name)
            if path.name.startswith("."):
                continue
            format = format_of(path) or "text"
            file = InputFile(f"{archive.id}/{name}", Path(f"{archive.name}/{name}"), format, None)
            if content is None:
                yield BadRecord(file.id, reason or "", file.name, None, taken())
            elif format in ARCHIVES or not is_read_from_folders(path, None) or missing_for(path):
                self.skipped[inner_suffix(path) or "no extension"] += 1
            else:
                try:
                    with unpacked_input(content, file, self.options.encoding) as unpacked:
                        yield from self._stream(file, unpacked, taken)
                except _DAMAGE as error:
                    yield BadRecord(file.id, f"cannot be read (any further): {error}", file.name, None, taken())

    def _text(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Document | BadRecord:
        # A code point has at most four bytes, so a longer file need not be read to be known as too long.
        limit = 4 * self.max_length + len(_BOM)
        data = stream.read(limit + 1)
        place = _Place(file.id, file.name, None, taken() if file.size is None else file.size)
        if not file.is_certain and (kind := kind_of_start(file.path, data)):
            if file.path is None:
                raise InputError(f"Standard input is {no_text(kind)}. {INSIST}")
            return place.bad(f"it is {no_text(kind)}")
        if len(data) > limit:
            return place.bad(self._too_long())
        try:
            text = data.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            offset = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
            return place.bad(_not_utf8(error, offset, "file"))
        return self._document(text, {}, place)

    def _whole(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Document | BadRecord:
        data = stream.read(MAX_FILE_SIZE + 1)
        place = _Place(file.id, file.name, None, taken())
        if len(data) > MAX_FILE_SIZE:
            return place.bad(f"it is longer than {MAX_FILE_SIZE:,} bytes")
        try:
            text = TEXTS[file.format](data, self.options) if data.strip() else ""
        except UnreadableError as error:
            return place.bad(str(error))
        except Exception as error:  # a damaged file can raise anything
            return place.bad(f"not {file.format} that can be read: {type(error).__name__}: {error}")
        return self._document(text, {}, place)

    def _records(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        number = 0
        try:
            for number, record in RECORDS[file.format](stream, self.options):
                place = _Place(f"{file.id}:{number}", file.name, number, taken())
                yield place.bad(record) if isinstance(record, str) else self._record(record, place)
        except UnreadableError as error:
            yield BadRecord(file.id, str(error), file.name, None, taken())
        except Exception as error:  # a damaged file can raise anything
            reason = f"not {file.format} that can be read after record {number}: {type(error).__name__}: {error}"
            yield BadRecord(file.id, reason, file.name, number + 1, taken())

    def _jsonl(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        for number, (line, left_out, offset) in enumerate(_lines(stream, self.max_record_size), 1):
            data = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if data or left_out:
                raw = _excerpt(data, offset, left_out)
                place = _Place(f"{file.id}:{number}", file.name, number, taken(), raw)
                if left_out:
                    yield place.bad(
                        f"the record is longer than {self.max_record_size:,} bytes: split it, or allow longer ones "
                        "with --max-record-size (in Python: max_record_size)"
                    )
                else:
                    yield self._line(data, place)

    def _line(self, data: bytes, place: _Place) -> Document | BadRecord:
        try:
            record = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
        except UnicodeDecodeError as error:
            return place.bad(_not_utf8(error, error.start, "line"))
        except json.JSONDecodeError as error:
            return place.bad(f"not JSON: {error.msg} (column {error.colno})")
        except (ValueError, RecursionError) as error:
            return place.bad(f"not JSON that can be read: {error}")
        if not isinstance(record, dict):
            return place.bad('not a JSON object: expected {"text": ...}')
        return self._record(record, place)

    def _record(self, record: dict[str, Any], place: _Place) -> Document | BadRecord:
        text_key, id_key = self.options.text_column, self.options.id_column
        given = record.pop(id_key, None)
        identifier = place.id if given is None else given
        if identifier == "":
            return place.bad(f"'{id_key}' is empty")
        if isinstance(identifier, bool) or not isinstance(identifier, str | int):
            return place.bad(f"'{id_key}' is neither text nor an integer")
        if reason := _not_unicode(str(identifier), id_key):
            return place.bad(reason)
        if text_key not in record:
            return place.bad(f"'{text_key}' is missing", str(identifier))
        text = record.pop(text_key)
        if not isinstance(text, str):
            return place.bad(f"'{text_key}' is not text", str(identifier))
        return self._document(text, record, replace(place, id=str(identifier)))

    def _document(self, text: str, meta: dict[str, Any], place: _Place) -> Document | BadRecord:
        if not text.strip():
            return place.bad("the text is empty")
        if len(text) > self.max_length:
            return place.bad(self._too_long())
        if reason := _not_unicode(text, "text"):
            return place.bad(reason)
        return Document(place.id, text, meta, place.file, place.line, place.size, place.record)

    def _too_long(self) -> str:
        return f"the text is longer than {self.max_length} characters (nlp.max_length): split it"

    def _docbin(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        from spacy.tokens import DocBin  # the other formats do without spaCy, and so does `import kgmrca.cli`

        number = 0
        try:
            docs = DocBin().from_bytes(stream.read())
            size, n_docs = taken(), len(docs)
            for number, doc in enumerate(docs.get_docs(self.vocab), 1):
                identifier = str(doc.user_data.get(ID, f"{file.id}:{number}"))
                share = number * size // n_docs - (number - 1) * size // n_docs
                if not doc.text.strip():
                    yield BadRecord(identifier, "the text is empty", file.name, number, share)
                else:
                    yield Document(identifier, doc, {}, file.name, number, share)
        except Exception as error:  # a damaged file can raise anything
            reason = f"not a DocBin that can be read after document {number}: {type(error).__name__}: {error}"
            yield BadRecord(file.id, reason, file.name, number + 1, taken())


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


def _not_unicode(text: str, what: str) -> str | None:
    """Why a text cannot be written, or None."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"not Unicode: half a surrogate pair at character {error.start} of the {what}"
    return None


def _not_utf8(error: UnicodeDecodeError, offset: int, what: str) -> str:
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset} of the {what}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
