"""Reads files, folders, glob patterns and standard input as a stream of documents, in bounded memory.

A record that cannot be read does not end the stream. It is given as a `BadRecord` with its place and the reason.
"""

import codecs
import logging
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kgmrca.corpora.archives import members
from kgmrca.corpora.elements import Element, elements_of, object_of
from kgmrca.corpora.formats import MAX_FILE_SIZE, PACKED, RECORDS, TEXTS, ReadOptions, UnreadableError
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
from kgmrca.corpora.lines import KEPT, lines_of, too_long
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
"""How many bytes a record may have: enough for a text of a million characters with every one of them escaped."""

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
    counted in `found.skipped`, and so are links, named pipes and devices in one.

    JSONL has one object a line, JSON an array of them: `text`, perhaps `id` (text or an integer), and anything else,
    which is metadata. A document without an id is called after its file: `name.txt`, `name.jsonl:LINE`,
    `name.spacy:NUMBER`, `name.zip/name.txt`. Of what is broken, as much is a bad record as must be, and a file without
    any record is one too.

    Args:
        found: the files to read. Each sub-folder that could not be read is a bad record.
        vocab: the vocabulary of the pipeline that processes the Docs of a DocBin.
        max_length: the largest length of a text, in code points. A longer text is a bad record.
        max_record_size: the largest length of a record, in bytes: of a line, a row, an object, a page, or a file that
            is one document. A longer one is a bad record, and is not held in memory. Word and PDF files, which have
            more than text, may be longer (see `MAX_FILE_SIZE`).
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
                    yield from _or_empty(file, self._stream(file, stream, taken), taken)
        except _DAMAGE as error:
            yield BadRecord(file.id, f"cannot be read (any further): {error}", file.name, None, 0)

    def _stream(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        if file.format == "text":
            yield self._text(file, stream, taken)
        elif file.format == "jsonl":
            yield from self._jsonl(file, stream, taken)
        elif file.format == "json":
            yield from self._json(file, stream, taken)
        elif file.format == "docbin":
            yield from self._docbin(file, stream, taken)
        elif file.format in TEXTS:
            yield self._whole(file, stream, taken)
        else:
            yield from self._records(file, stream, taken)

    def _archive(
        self, archive: InputFile, stream: IO[bytes], taken: Callable[[], int]
    ) -> Iterator[Document | BadRecord]:
        skipped: Counter[str] = Counter()
        is_empty = True
        try:
            for record in self._members(archive, stream, taken, skipped):
                is_empty = False
                yield record
            if is_empty:
                only = (
                    f", only {', '.join(f'{what} ({count:,})' for what, count in skipped.items())}" if skipped else ""
                )
                yield BadRecord(archive.id, f"there is no file that is read in it{only}", archive.name, None, taken())
                skipped.clear()  # which is said by that
        finally:
            self.skipped.update(skipped)

    def _members(
        self, archive: InputFile, stream: IO[bytes], taken: Callable[[], int], skipped: Counter[str]
    ) -> Iterator[Document | BadRecord]:
        for name, content, reason, kind in members(stream, archive.format):
            if name is None:
                yield BadRecord(archive.id, reason or "", archive.name, None, taken())
                continue
            path = Path(name)
            if path.name.startswith("."):
                continue
            if kind is not None:
                skipped[kind] += 1
                continue
            format = format_of(path) or "text"
            address = archive.address and f"{archive.address}/{name}"
            file = InputFile(f"{archive.id}/{name}", Path(f"{archive.name}/{name}"), format, None, address=address)
            if content is None:
                yield BadRecord(file.id, reason or "", file.name, None, taken())
            elif format in ARCHIVES or not is_read_from_folders(path, None) or missing_for(path):
                skipped[inner_suffix(path) or "no extension"] += 1
            else:
                try:
                    with unpacked_input(content, file, self.options.encoding) as unpacked:
                        yield from _or_empty(file, self._stream(file, unpacked, taken), taken)
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
        if len(data) > self.max_record_size:
            return place.bad(too_long(self.max_record_size))
        if len(data) > limit:
            return place.bad(self._too_long())
        try:
            text = data.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            offset = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
            return place.bad(_not_utf8(error, offset, "file"))
        return self._document(text, {}, place)

    def _whole(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Document | BadRecord:
        limit = self.max_record_size
        if file.format in PACKED:  # which have pictures too
            limit = max(limit, MAX_FILE_SIZE)
        data = stream.read(limit + 1)
        place = _Place(file.id, file.name, None, taken())
        if len(data) > limit:
            return place.bad(too_long(limit))
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
            for number, record in RECORDS[file.format](stream, self.options, self.max_record_size):
                place = _Place(f"{file.id}:{number}", file.name, number, taken())
                yield place.bad(record) if isinstance(record, str) else self._record(record, place)
        except UnreadableError as error:
            yield BadRecord(file.id, str(error), file.name, None, taken())
        except Exception as error:  # a damaged file can raise anything
            reason = f"not {file.format} that can be read after record {number}: {type(error).__name__}: {error}"
            yield BadRecord(file.id, reason, file.name, number + 1, taken())

    def _jsonl(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        for number, (line, left_out, offset) in enumerate(lines_of(stream, self.max_record_size), 1):
            data = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if data or left_out:
                value = too_long(self.max_record_size) if left_out else object_of(data)
                yield self._element(file, number, Element(data, left_out, offset, value), taken)

    def _json(self, file: InputFile, stream: IO[bytes], taken: Callable[[], int]) -> Iterator[Document | BadRecord]:
        for number, element in enumerate(elements_of(stream, self.max_record_size), 1):
            yield self._element(file, number, element, taken)

    def _element(
        self, file: InputFile, number: int, element: Element, taken: Callable[[], int]
    ) -> Document | BadRecord:
        excerpt = _excerpt(element.data.strip(), element.offset, element.left_out)
        place = _Place(f"{file.id}:{number}", file.name, number, taken(), excerpt)
        return place.bad(element.value) if isinstance(element.value, str) else self._record(element.value, place)

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


def _or_empty(
    file: InputFile, records: Iterator[Document | BadRecord], taken: Callable[[], int]
) -> Iterator[Document | BadRecord]:
    """The records of a file; where there is none, a bad one that says so."""
    is_empty = True
    for record in records:
        is_empty = False
        yield record
    if is_empty:
        yield BadRecord(file.id, "there is no record in it", file.name, None, taken())


def _excerpt(data: bytes, offset: int, left_out: int) -> Excerpt:
    decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode
    # A character that is cut is dropped, unless the record ends there.
    text = decode(data[:KEPT], final=len(data) <= KEPT and not left_out)
    return Excerpt(text, left_out + len(data[KEPT:]), offset)


def _not_unicode(text: str, what: str) -> str | None:
    """Why a text cannot be written, or None."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"not Unicode: half a surrogate pair at character {error.start} of the {what}"
    return None


def _not_utf8(error: UnicodeDecodeError, offset: int, what: str) -> str:
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset} of the {what}"
