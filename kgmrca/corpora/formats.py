"""The text in files of many formats: one reader a format, each with a kept library.

A reader of `TEXTS` takes the bytes of a file and gives its text. A reader of `RECORDS` takes a stream and gives its
records one after the other. A file may be damaged in any way, so that a library may raise anything: who calls a reader
catches all exceptions. `UnreadableError` says what is wrong in our words.
"""

import io
import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast

from kgmrca.corpora.encodings import DETECT, Started, check_encoding, decoded
from kgmrca.corpora.gzipped import DamagedMemberError, Gradual, GzipParts
from kgmrca.corpora.kinds import GZIP
from kgmrca.corpora.lines import too_long
from kgmrca.corpora.rows import rows_of
from kgmrca.errors import InputError

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = [
    "MAX_FILE_SIZE",
    "PACKED",
    "RECORDS",
    "TEXTS",
    "WARC",
    "ReadOptions",
    "Record",
    "UnreadableError",
    "in_memory",
    "is_seekable",
    "missing_library",
]

MAX_FILE_SIZE = 200_000_000
"""How many bytes a file may have that is held in memory with more than text, such as a PDF file, and what is in it."""

PACKED = frozenset({"docx", "pdf"})
"""The formats of one document a file that have more than its text."""

_LIBRARIES: Mapping[str, str] = {
    "html": "trafilatura",
    "xml": "lxml",
    "docx": "docx",
    "pdf": "pypdf",
    "parquet": "pyarrow",
    "arrow": "pyarrow",
    "warc": "warcio",
}
WARC = b"WARC/"
"""What a record of a web archive begins with."""

_PAGES = ("text/html", "application/xhtml+xml", "text/plain")
_ROWS = 64  # rows of Parquet that are held in memory together


class UnreadableError(ValueError):
    """Why there is no text to read."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Where texts are in files.

    Attributes:
        text_column: the column of a table, or the key of a record, that has the text.
        id_column: the one that has the name of the document. Where it is missing, a document is called after its file.
        xml_text: an XPath expression for the text in XML; its prefixes are those of the root element, and `tei`. The
            default is the text of TEI.
        encoding: the encoding of files of text without a mark, as Python calls it, or "detect"; None: UTF-8, or what
            HTML and XML declare.

    Raises:
        InputError: there is no such encoding, or the expression is no XPath.
    """

    text_column: str = "text"
    id_column: str = "id"
    xml_text: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        if self.xml_text is None:
            return
        if missing := missing_library("xml"):
            raise InputError(missing)
        from lxml import etree

        try:
            etree.XPath(self.xml_text)
        except etree.XPathError as error:
            raise InputError(f"'{self.xml_text}' is no XPath expression: {error}.") from error


Record: TypeAlias = "tuple[int, dict[str, Any] | str]"
"""The number of a record, and its keys and values, or why it cannot be used."""


def missing_library(format: str) -> str | None:
    """What to install to read a format, as a sentence; None if nothing is missing.

    >>> missing_library("text")
    """
    library = _LIBRARIES.get(format)
    if library is None or find_spec(library):
        return None
    return f"Reading {format} needs an extra: pip install 'kgmrca[formats]'."


def _markdown_text(data: bytes, options: ReadOptions) -> str:
    """The words of Markdown, a block a paragraph; without code blocks, HTML, and the metadata at the top."""
    from markdown_it import MarkdownIt

    text = decoded(data, options.encoding)
    text = re.sub(r"\A---\r?\n.*?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", "", text, flags=re.DOTALL)
    blocks = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        words = ""
        for child in token.children or ():
            if child.type in ("softbreak", "hardbreak"):
                words += "\n"
            elif child.type in ("text", "code_inline", "image"):
                words += child.content
        if words.strip():
            blocks.append(words)
    return "\n\n".join(blocks)


def _html_text(data: bytes, options: ReadOptions) -> str:
    """The main text of a page, without menus and footers."""
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # the reason is said where the record is set aside
    encoding = options.encoding
    if encoding is None and (declared := re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", data[:4096], re.IGNORECASE)):
        encoding = declared[1].decode("ascii")
    try:
        page = decoded(data, encoding)
    except LookupError as error:
        raise UnreadableError(f"it declares an encoding that is not known: {error}") from error
    text = trafilatura.extract(page, include_comments=False)
    if not text:
        raise UnreadableError("no main text was found in it")
    return text


_TEI = "http://www.tei-c.org/ns/1.0"
_BLOCKS = frozenset(
    "p head l lg ab item cell row div title sec section para sp speech table list quote".split()  # noqa: SIM905
)
_NO_TEXT = frozenset({"note", "fw", "teiHeader"})
_REPLACED = frozenset({"sic", "orig", "abbr"})  # in <choice>, beside what they are replaced by


def _xml_text(data: bytes, options: ReadOptions) -> str:
    """The text of TEI, without header and notes, or what an XPath expression finds; a block a paragraph."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,  # no files and no network, and no text that grows
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        encoding=None if options.encoding == DETECT else options.encoding,
    )
    root = etree.fromstring(data, parser)
    if options.xml_text is None:
        if etree.QName(root).localname not in ("TEI", "TEI.2", "teiCorpus"):
            raise UnreadableError("it is XML, but not TEI: say with --xml-text XPATH where its text is")
        found: Any = root.xpath("//*[local-name()='text'][not(ancestor::*[local-name()='text'])]")
    else:
        prefixes = {prefix: iri for prefix, iri in root.nsmap.items() if prefix}
        found = root.xpath(options.xml_text, namespaces={"tei": _TEI, **prefixes})
    results = found if isinstance(found, list) else [found]
    texts = [str(it) if not isinstance(it, etree._Element) else "".join(_pieces(it)) for it in results]
    blocks = (" ".join(block.split()) for text in texts for block in text.split("\0"))
    return "\n\n".join(block for block in blocks if block)


def _pieces(element: "_Element") -> Iterator[str]:
    """The text within an element, with NUL (which XML cannot have) where a block begins or ends."""
    from lxml import etree

    if not isinstance(element.tag, str):  # an entity, which stands for nothing that is known
        return
    name = etree.QName(element).localname
    parent = element.getparent()
    is_replaced = name in _REPLACED and parent is not None and etree.QName(parent).localname == "choice"
    if name in _NO_TEXT or is_replaced:
        return
    between = "\0" if name in _BLOCKS else " " if name in ("lb", "pb", "cb") else ""
    yield between
    yield element.text or ""
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""
    yield between


def _docx_text(data: bytes, options: ReadOptions) -> str:
    """The paragraphs of a Word document and the rows of its tables, in their order."""
    from docx import Document
    from docx.text.paragraph import Paragraph

    if not data.startswith(b"PK"):
        raise UnreadableError("it is no .docx file: it may be encrypted, or of an old version of Word")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        if sum(part.file_size for part in parts.infolist()) > MAX_FILE_SIZE:
            raise UnreadableError(f"it unpacks to more than {MAX_FILE_SIZE:,} bytes")
    blocks: list[str] = []
    for block in Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Paragraph):
            blocks.append(block.text)
        else:
            blocks += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
    return "\n\n".join(block for block in blocks if block.strip())


def _pdf_text(data: bytes, options: ReadOptions) -> str:
    """The text layer of a PDF file, a line a line."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data))
    try:
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("it is encrypted: remove its password first")
    except DependencyError as error:
        raise UnreadableError("it is encrypted with AES: remove that first, or pip install cryptography") from error
    text = "\n".join(page.extract_text() for page in reader.pages)
    if not text.strip():
        raise UnreadableError("it has no text layer: recognize its text first")
    return text


def _check_columns(names: list[str], options: ReadOptions) -> None:
    for name in (options.text_column, options.id_column):
        if names.count(name) > 1:
            raise UnreadableError(f"there are several columns '{name}'")
    if options.text_column not in names:
        columns = ", ".join(f"'{name}'" for name in names[:20])
        raise UnreadableError(
            f"there is no column '{options.text_column}': name the column of the texts with --text-column; the columns "
            f"are {columns or 'none'}"
        )


def _csv_records(
    stream: IO[bytes], options: ReadOptions, longest: int, *, delimiter: str | None = None
) -> Iterator[Record]:
    """The rows of a table under its first row, which has the names of the columns."""
    rows = rows_of(stream, longest, delimiter)
    names = next(rows, [])
    if isinstance(names, str):
        raise UnreadableError(f"the names of its columns cannot be read: {names}")
    if any(map(_is_broken, names)):
        raise UnreadableError("the names of its columns are not UTF-8: give the encoding with --encoding")
    _check_columns(names, options)
    texts = (options.text_column,)
    names = [_numbered(name, names[:place].count(name)) for place, name in enumerate(names)]
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            yield number, row
        elif len(row) != len(names):
            yield number, f"it has {len(row)} cells, but there are {len(names)} columns"
        elif any(map(_is_broken, row)):
            yield number, "not UTF-8: give the encoding with --encoding"
        else:
            # An empty cell is no value: a document without a name is called after its file.
            yield number, {name: cell for name, cell in zip(names, row, strict=True) if cell or name in texts}


def _is_broken(cell: str) -> bool:
    return any("\udc80" <= sign <= "\udcff" for sign in cell)


def _numbered(name: str, n_before: int) -> str:
    """The name of a column, with a number if others before it have the same."""
    return f"{name} {n_before + 1}" if n_before else name


def _tsv_records(stream: IO[bytes], options: ReadOptions, longest: int) -> Iterator[Record]:
    return _csv_records(stream, options, longest, delimiter="\t")


def _rows(batches: Iterator[Any], names: list[str], options: ReadOptions, longest: int) -> Iterator[Record]:
    _check_columns(names, options)
    texts = {options.text_column, options.id_column}
    number = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            for row in batch.slice(start, _ROWS).to_pylist():
                number += 1
                try:
                    # Some programs write texts as bytes.
                    values = {
                        name: value.decode("utf-8") if name in texts and isinstance(value, bytes) else value
                        for name, value in row.items()
                    }
                except UnicodeDecodeError:
                    yield number, "not UTF-8: the column has bytes that are no text"
                    continue
                kept = {name: _plain(value) for name, value in values.items() if not _is_left_out(value)}
                size = sum(len(value) for value in kept.values() if isinstance(value, str))
                yield number, too_long(longest) if size > longest else kept


def _is_left_out(value: Any) -> bool:
    """Whether it is no value, or an image or a recording, of which there is nothing to say in a graph."""
    return value is None or isinstance(value, bytes) or (isinstance(value, dict) and "bytes" in value)


def _plain(value: Any) -> Any:
    """A value as JSON may have it: days and exact numbers as text."""
    if isinstance(value, str | int | float):
        return value
    return json.loads(json.dumps(value, default=str))


def _parquet_records(stream: IO[bytes], options: ReadOptions, longest: int) -> Iterator[Record]:
    """The rows of Parquet, some at a time."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(_seekable(stream), memory_map=False) as file:
        yield from _rows(file.iter_batches(batch_size=_ROWS), file.schema_arrow.names, options, longest)


def _arrow_records(stream: IO[bytes], options: ReadOptions, longest: int) -> Iterator[Record]:
    """The rows of Arrow as a file or a stream, as `datasets` of Hugging Face saves them."""
    from pyarrow import ipc

    head = stream.read(6)
    started = cast("IO[bytes]", Started(head, stream))
    if is_seekable(stream):
        stream.seek(0)
        started = stream
    if head == b"ARROW1":
        with ipc.open_file(_seekable(started)) as file:
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            yield from _rows(batches, file.schema.names, options, longest)
    else:
        with ipc.open_stream(io.BufferedReader(_Raw(started))) as reader:
            yield from _rows(iter(reader), reader.schema.names, options, longest)


class _Raw(io.RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _seekable(stream: IO[bytes]) -> IO[bytes]:
    """What can be read from its end: a file itself, or what is compressed or in a pipe, in memory."""
    return stream if is_seekable(stream) else in_memory(stream)


def is_seekable(stream: IO[bytes]) -> bool:
    """Whether it is a file on disk, where any part may be read; the streams of archives raise if they are asked."""
    return isinstance(stream, io.BytesIO) or (
        isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO) and stream.seekable()
    )


def in_memory(stream: IO[bytes]) -> IO[bytes]:
    """A stream in memory, where it may be read in any order.

    Raises:
        UnreadableError: it is longer than `MAX_FILE_SIZE`.
    """
    data = stream.read(MAX_FILE_SIZE + 1)
    if len(data) > MAX_FILE_SIZE:
        raise UnreadableError(f"it is longer than {MAX_FILE_SIZE:,} bytes: split it, or unpack it first")
    return io.BytesIO(data)


def _warc_records(stream: IO[bytes], options: ReadOptions, longest: int) -> Iterator[Record]:
    """The pages of a web archive: the main text of HTML, and plain text.

    Of a gzip file, in which each record is a member, what is damaged is given as a record with the reason, and the next
    member that is whole is read. A page is given when what follows it has shown that it is whole.
    """
    from warcio.archiveiterator import ArchiveIterator

    parts: Iterable[Any]
    if isinstance(stream, GzipParts):
        parts = stream
    elif (head := stream.read(len(GZIP))) == GZIP:
        parts = GzipParts(cast("IO[bytes]", Started(head, stream)), WARC)
    else:
        parts = [Started(head, cast("IO[bytes]", Gradual(stream)))]
    number = 0
    for part in parts:
        last: Record | None = None
        member = None  # in which the last record ends
        try:
            records = ArchiveIterator(part, no_record_parse=True)
            n_errors = 0
            for record in records:
                if last:
                    if records.err_count > n_errors:
                        last = last[0], "it is longer than its Content-Length says"
                    yield last
                    last = None
                n_errors = records.err_count
                page = _warc_page(record, records.loader, options, longest)
                if page is not None:
                    number += 1
                    last = number, page
                member = getattr(part, "member", None)
            if last and records.err_count > n_errors:
                last = last[0], "it is longer than its Content-Length says"
        except Exception as error:  # a damaged file can raise anything
            is_gzip = isinstance(part, GzipParts)
            is_damaged = isinstance(error, DamagedMemberError) and not error.is_cut and member == part.member
            if last and not is_damaged:
                yield last
                last = None
            if not is_gzip:
                raise
            if last is None:
                number += 1
            last = number, f"what begins at byte {part.member:,} of the gzip file cannot be read: {error}"
        if last:
            yield last


def _warc_page(record: Any, loader: Any, options: ReadOptions, longest: int) -> "dict[str, Any] | str | None":
    """The text of a record with its address, or why it cannot be used; None if it is no page.

    Raises:
        UnreadableError: it cannot be told where the record ends.
    """
    size = record.rec_headers.get_header("Content-Length") if record.format == "warc" else str(record.length)
    if size is None or not size.strip().isdecimal():
        raise UnreadableError("a record does not say how long it is (Content-Length)")
    url = record.rec_headers.get_header("WARC-Target-URI")
    data, type = b"", ""
    try:
        if record.rec_type in ("response", "conversion", "resource"):
            record.http_headers = loader.load_http_headers(record.rec_type, url or "", record.raw_stream, record.length)
            headers = record.http_headers or record.rec_headers
            type = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
        if type in _PAGES:
            data = record.content_stream().read(longest + 1)
    except EOFError:
        pass  # within the headers of HTTP
    while record.raw_stream.read(1 << 16):
        pass
    if record.raw_stream.limit:
        return f"it is cut: the last {record.raw_stream.limit:,} of its {int(size):,} bytes are missing"
    if [name.lower() for name, _ in record.rec_headers.headers].count("warc-type") > 1:
        return "its header is cut, and that of another record follows"
    if type not in _PAGES:
        return None
    if len(data) > longest:
        return too_long(longest)
    try:
        text = decoded(data, options.encoding) if type == "text/plain" else _html_text(data, options)
    except Exception as error:  # a page may be damaged in any way, and the others are not
        return f"a page that cannot be read: {error}"
    return {options.text_column: text, **({"url": url} if url else {})}


TEXTS: Mapping[str, Callable[[bytes, ReadOptions], str]] = {
    "markdown": _markdown_text,
    "html": _html_text,
    "xml": _xml_text,
    "docx": _docx_text,
    "pdf": _pdf_text,
}
"""The readers of files that are one document, by format."""

RECORDS: Mapping[str, Callable[[IO[bytes], ReadOptions, int], Iterator[Record]]] = {
    "csv": _csv_records,
    "tsv": _tsv_records,
    "parquet": _parquet_records,
    "arrow": _arrow_records,
    "warc": _warc_records,
}
"""The readers of files of many documents, by format. The number is how many bytes a record may have."""
