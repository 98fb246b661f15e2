"""Reads files, folders, glob patterns and standard input as a stream of documents, in bounded memory.

A record that cannot be read does not end the stream. It is given as a `BadRecord` with its place and the reason.
"""

import codecs
import json
import logging
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from kgmrca.corpora.inputs import INSIST, Found, InputFile, kind_of_start, no_text, opened_input
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
    def record_size(self) -> int:
        """The approximate number of bytes of the line with all metadata, for JSONL; otherwise 0."""
        return len(self.record.text) + self.record.left_out if self.record else 0


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
    found: Found, *, vocab: "Vocab", max_length: int, max_record_size: int = MAX_RECORD_SIZE
) -> Iterator[Document | BadRecord]:
    """Read files one after the other, JSONL line by line; a DocBin is held in memory as a whole.

    JSONL has one object a line: `text`, perhaps `id` (text or an integer), and anything else, which is metadata. A
    document without an id is called after its file: `name.txt`, `name.jsonl:LINE`, `name.spacy:NUMBER`.

    Args:
        found: the files to read. Each sub-folder that could not be read is a bad record.
        vocab: the vocabulary of the pipeline that processes the Docs of a DocBin.
        max_length: the largest length of a text, in code points. A longer text is a bad record.
        max_record_size: the largest length of a line of JSONL, in bytes. A longer line is a bad record, and is not held
            in memory.

    Raises:
        InputError: standard input is no text.
    """
    for folder, reason in found.failed:
        yield BadRecord(folder, reason, folder, None, 0)
    for file in found.files:
        logger.info("Reading %s.", file.name)
        yield from _read(file, vocab, max_length, max_record_size)


def _read(file: InputFile, vocab: "Vocab", max_length: int, max_record_size: int) -> Iterator[Document | BadRecord]:
    try:
        with opened_input(file) as (stream, taken):
            if file.format == "text":
                yield _read_text(file, stream, taken, max_length)
            elif file.format == "jsonl":
                yield from _read_jsonl(file, stream, taken, max_length, max_record_size)
            else:
                yield from _read_docbin(file, stream, taken, vocab)
    except (OSError, EOFError, zlib.error) as error:
        yield BadRecord(file.id, f"cannot be read (any further): {error}", file.name, None, 0)


def _read_text(file: InputFile, stream: IO[bytes], taken: Callable[[], int], max_length: int) -> Document | BadRecord:
    # A code point has at most four bytes, so a longer file need not be read to be known as too long.
    limit = 4 * max_length + len(_BOM)
    data = stream.read(limit + 1)
    size = taken() if file.size is None else file.size
    if not file.is_certain and (kind := kind_of_start(file.path, data)):
        if file.path is None:
            raise InputError(f"Standard input is {no_text(kind)}. {INSIST}")
        return BadRecord(file.id, f"it is {no_text(kind)}", file.name, None, size)
    try:
        text = data.removeprefix(_BOM).decode("utf-8") if len(data) <= limit else None
    except UnicodeDecodeError as error:
        offset = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
        return BadRecord(file.id, _not_utf8(error, offset, "file"), file.name, None, size)
    reason = _too_long(max_length) if text is None else _unusable(text, max_length)
    if text is None or reason:
        return BadRecord(file.id, reason or "", file.name, None, size)
    return Document(file.id, text, {}, file.name, None, size)


def _read_jsonl(
    file: InputFile, stream: IO[bytes], taken: Callable[[], int], max_length: int, max_record_size: int
) -> Iterator[Document | BadRecord]:
    for number, (line, left_out, offset) in enumerate(_lines(stream, max_record_size), 1):
        identifier = f"{file.id}:{number}"
        data = (line.removeprefix(_BOM) if number == 1 else line).strip()
        raw = _excerpt(data, offset, left_out)
        if left_out:
            reason = (
                f"the record is longer than {max_record_size:,} bytes: split it, or allow longer ones with "
                "--max-record-size (in Python: max_record_size)"
            )
            yield BadRecord(identifier, reason, file.name, number, taken(), raw)
        elif data:
            yield _read_json(data, raw, identifier, file.name, number, taken(), max_length)


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
    data: bytes, raw: Excerpt, default_id: str, file: str, line: int, size: int, max_length: int
) -> Document | BadRecord:
    def bad(reason: str, identifier: str = default_id) -> BadRecord:
        return BadRecord(identifier, reason, file, line, size, raw)

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
    if identifier == "":
        return bad("'id' is empty")
    if isinstance(identifier, bool) or not isinstance(identifier, str | int):
        return bad("'id' is neither text nor an integer")
    if reason := _not_unicode(str(identifier), "id"):
        return bad(reason)
    if "text" not in record:
        return bad("'text' is missing", str(identifier))
    text = record.pop("text")
    if not isinstance(text, str):
        return bad("'text' is not text", str(identifier))
    if reason := _unusable(text, max_length):
        return bad(reason, str(identifier))
    return Document(str(identifier), text, record, file, line, size, raw)


def _read_docbin(
    file: InputFile, stream: IO[bytes], taken: Callable[[], int], vocab: "Vocab"
) -> Iterator[Document | BadRecord]:
    from spacy.tokens import DocBin  # the other formats do without spaCy, and so does `import kgmrca.cli`

    number = 0
    try:
        docs = DocBin().from_bytes(stream.read())
        size, n_docs = taken(), len(docs)
        for number, doc in enumerate(docs.get_docs(vocab), 1):
            identifier = str(doc.user_data.get(ID, f"{file.id}:{number}"))
            share = number * size // n_docs - (number - 1) * size // n_docs
            if not doc.text.strip():
                yield BadRecord(identifier, "the text is empty", file.name, number, share)
            else:
                yield Document(identifier, doc, {}, file.name, number, share)
    except Exception as error:  # a damaged file can raise anything
        reason = f"not a DocBin that can be read after document {number}: {type(error).__name__}: {error}"
        yield BadRecord(file.id, reason, file.name, number + 1, taken())


def _unusable(text: str, max_length: int) -> str | None:
    """Why a text cannot be processed, or None."""
    if not text.strip():
        return "the text is empty"
    if len(text) > max_length:
        return _too_long(max_length)
    return _not_unicode(text, "text")


def _not_unicode(text: str, what: str) -> str | None:
    """Why a text cannot be written, or None."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"not Unicode: half a surrogate pair at character {error.start} of the {what}"
    return None


def _too_long(max_length: int) -> str:
    return f"the text is longer than {max_length} characters (nlp.max_length): split it"


def _not_utf8(error: UnicodeDecodeError, offset: int, what: str) -> str:
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset} of the {what}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
