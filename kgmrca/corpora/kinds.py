"""What a file is that is no plain text, by its name or its first bytes, and what to do with it."""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["GZIP", "HEAD", "ZSTD", "Kind", "inner_suffix", "kind_of_content", "kind_of_name", "kind_of_records"]

HEAD = 4096
"""How many bytes from the beginning of a file are enough to tell what it is."""

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is no plain text.

    Attributes:
        name: what it is, as in "it is a PDF file".
        advice: what to do with it, as in "make it text first".
    """

    name: str
    advice: str


_MAKE_RECORDS = "write its texts as JSON Lines, one object a line with 'text'"

_HTML = Kind("HTML", "give it a name that ends in .html")
_PAGE = Kind("a saved page", "save it as .html first")
_XML = Kind("XML", "give it a name that ends in .xml")
_WIKI = Kind("wiki markup", "make it text first, for example with pandoc -f mediawiki -t plain")
_PDF = Kind("a PDF file", "give it a name that ends in .pdf")
_RTF = Kind("an RTF file", "save it as plain text first")
_OFFICE = Kind("an office document", "save it as plain text first")
_EPUB = Kind("an EPUB book", "make it text first, for example with pandoc -t plain")
_TABLE = Kind("a table", "give it a name that ends in .csv or .tsv")
_SHEET = Kind("a spreadsheet", _MAKE_RECORDS)
_JSON = Kind("JSON", "give it a name that ends in .json, or in .jsonl if each line is an object")
_RDF = Kind("RDF, so a graph already", "use it with kgmrca merge or kgmrca graph")
_ARCHIVE = Kind("an archive", "unpack it first")
_ZIP = Kind(
    "a ZIP archive or an office document", "give it a name that ends in .zip or .docx, or save it as plain text"
)
_GZIP = Kind("compressed with gzip", "give it a name that ends in .gz")
_ZSTD = Kind("compressed with zstd", "give it a name that ends in .zst")
_IMAGE = Kind("an image", "recognize its text first")
_MEDIA = Kind("a recording", "write down its text first")
_MAIL = Kind("an e-mail", "save the text of its messages first")
_LATEX = Kind("LaTeX", "make it text first, for example with pandoc -t plain")
_SUBTITLES = Kind("subtitles", "save their text first")
_CODE = Kind("source code or settings", "save the text in it first")
_UTF16 = Kind("text in UTF-16 or UTF-32", "name its encoding with --encoding, such as utf-16-le")
_BINARY = Kind("a binary file", "make it text first")

_BY_SUFFIX: Mapping[str, Kind] = {
    f".{suffix}": kind
    for kind, suffixes in (
        (_PAGE, "mhtml"),
        (_XML, "xsd xsl rss atom"),
        (_WIKI, "wiki mediawiki"),
        (_RTF, "rtf"),
        (_OFFICE, "doc odt pages ppt pptx odp"),
        (_EPUB, "epub mobi"),
        (_SHEET, "xls xlsx ods"),
        (_RDF, "ttl nt nq trig jsonld rdf owl n3"),
        (_ARCHIVE, "bz2 xz 7z rar"),
        (_IMAGE, "png jpg jpeg gif tif tiff webp bmp svg ico heic"),
        (_MAIL, "eml mbox msg"),
        (_LATEX, "tex ltx bib"),
        (_SUBTITLES, "srt vtt"),
        (_CODE, "yaml yml toml ini cfg py ipynb r java c h cpp cs go rs js ts css php rb pl sh bat sql"),
        (_MEDIA, "mp3 wav ogg flac m4a mp4 mkv avi mov webm"),
        (_BINARY, "exe dll so o pyc sqlite db pkl npy npz pt bin"),
    )
    for suffix in suffixes.split()
}

_BY_FIRST_BYTES: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF-", _PDF),
    (b"PK\x03\x04", _ZIP),
    (b"\xd0\xcf\x11\xe0", _OFFICE),
    (b"{\\rtf", _RTF),
    (GZIP, _GZIP),
    (b"BZh91AY", _ARCHIVE),
    (b"\xfd7zXZ", _ARCHIVE),
    (ZSTD, _ZSTD),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"\x89PNG", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF87a", _IMAGE),
    (b"GIF89a", _IMAGE),
    (b"II*\x00", _IMAGE),
    (b"MM\x00*", _IMAGE),
    (b"\xff\xfe", _UTF16),
    (b"\xfe\xff", _UTF16),
    (b"\x00\x00\xfe\xff", _UTF16),
)

_HTML_START = re.compile(rb"(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE | re.DOTALL)
# Elements that text is put into, so that a fragment of a page is known too; not in Markdown, which may have them.
_HTML_FRAGMENT = re.compile(
    rb"<(?:p|div|span|h[1-6]|b|i|em|strong|a|ul|ol|li|table|article|section|main|title|meta|blockquote|pre)"
    rb"(?:\s[^<>]*)?>.*</[a-z]",
    re.IGNORECASE | re.DOTALL,
)
# Signs of HTML within a text, of which one alone may be meant as it stands.
_HTML_SIGNS = (
    re.compile(rb"<br\s*/?>", re.IGNORECASE),
    re.compile(rb"<(?:a|img|font|span|td)\s[^<>]*=[^<>]*>", re.IGNORECASE),
    re.compile(rb"</(?:p|div|span|a|b|i|em|strong|sup|sub|li|ul|td|tr|h[1-6])>", re.IGNORECASE),
    re.compile(rb"&(?:amp|lt|gt|quot|nbsp|[lr][ds]quo|[mn]dash|hellip|#\d{2,5}|#x[0-9a-f]{2,5});", re.IGNORECASE),
)
_RIFF = re.compile(rb"RIFF....(?:WAVE|AVI |WEBP)", re.DOTALL)
_RDF_START = re.compile(rb"(?:@prefix|@base|PREFIX)\s[^<\n]*<|<[a-z][a-z0-9+.-]*:[^<>\s]*>\s+<[a-z]")
# A declaration, or an element that has an attribute, begins with another element, or ends: "<Ada> Hello" is a chat.
_XML_START = re.compile(
    rb"""<\?[a-z]|<!DOCTYPE\s|<!--|<(?P<name>[a-z_][\w:.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))+\s*/?>"""
    rb"|<[a-z_][\w:.-]*>\s*<[a-z_]|<(?P<closed>[a-z_][\w:.-]*)>.*</(?P=closed)\s*>",
    re.IGNORECASE | re.DOTALL,
)
_MAIL_START = re.compile(rb"(?:From [^\n]*\n)?(?:[A-Za-z][A-Za-z-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_MAIL_SIGNS = re.compile(rb"(?mi)^(?:MIME-Version|Message-ID|Received|Content-Type):")
_LATEX_SIGNS = re.compile(rb"\\documentclass\b|\\begin\{document\}")
_SUBTITLES_SIGNS = re.compile(rb"(?m)^\d\d:\d\d(?::\d\d)?[.,]\d{3} --> \d\d:\d\d")
_JSON_START = re.compile(rb'\[\s*\{\s*["}]|\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*"(?:[^"\\]|\\.)*"\s*,\s*"', re.DOTALL)
_WIKI_SIGNS = (
    re.compile(rb"'''[^'\n]+'''"),
    re.compile(rb"\[\[[^\[\]\n]+\]\]"),
    re.compile(rb"\{\{[^{}]+\}\}"),
    re.compile(rb"<ref[\s>]"),
    re.compile(rb"(?m)^==+[^=\n]+==+\s*$"),
)


def inner_suffix(path: Path) -> str:
    """The extension that says what is in a file, in small letters: of what is compressed, if it is.

    >>> inner_suffix(Path("News.JSONL.zst")), inner_suffix(Path("all.tgz"))
    ('.jsonl', '.tar')
    """
    name = path.name.lower()
    if name.endswith(".tgz"):
        return ".tar"
    return Path(name.removesuffix(".gz").removesuffix(".zst")).suffix


def kind_of_name(path: Path) -> Kind | None:
    """What a file is by its name, if that is no plain text.

    >>> kind_of_name(Path("letter.rtf")).name
    'an RTF file'
    >>> kind_of_name(Path("letter.txt"))
    """
    return _BY_SUFFIX.get(inner_suffix(path))


def kind_of_content(head: bytes, *, is_whole: bool = False, is_markdown: bool = False) -> Kind | None:
    """What begins with these bytes, if it is no plain text.

    Args:
        head: the first bytes, at most `HEAD` of them are looked at.
        is_whole: whether there are no more bytes.
        is_markdown: whether it is Markdown, in which there may be elements of HTML and double brackets.

    >>> kind_of_content(b'[{"text": "Ada was born in London."}]').name
    'JSON'
    >>> kind_of_content(b"[Applause] Ada was born in London.")
    """
    head = head[:HEAD]
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for first, kind in _BY_FIRST_BYTES:
        if head.startswith(first) or (kind is _PDF and first in head[:1024]):
            return kind
    if _RIFF.match(head):
        return _MEDIA
    if zeros := head.count(0):
        zeros_at_even = head[::2].count(0)
        is_every_other = zeros > len(head) // 8 and not zeros // 8 < zeros_at_even < zeros - zeros // 8
        return _UTF16 if is_every_other else _BINARY
    if _RDF_START.match(start):
        return _RDF
    if _HTML_START.match(start) or (not is_markdown and _HTML_FRAGMENT.match(start)):
        return _HTML
    if (not is_markdown or start.startswith((b"<?", b"<!D"))) and _XML_START.match(start):
        return _XML
    if _JSON_START.match(start) or (is_whole and _is_json(start)):
        return _JSON
    if (header := _MAIL_START.match(start)) and _MAIL_SIGNS.search(header[0]):
        return _MAIL
    if _LATEX_SIGNS.search(start):
        return _LATEX
    if _SUBTITLES_SIGNS.search(start):
        return _SUBTITLES
    if _is_table(start if is_whole else start.rpartition(b"\n")[0]):
        return _TABLE
    if not is_markdown:
        for kind, signs in ((_WIKI, _WIKI_SIGNS), (_HTML, _HTML_SIGNS)):
            if sum(bool(sign.search(start)) for sign in signs) >= 2:
                return kind
    return None


def kind_of_records(head: bytes) -> Kind | None:
    """What begins with these four bytes, if they are no beginning of JSON or of a table in UTF-8 or with a mark.

    >>> kind_of_records("[{".encode("utf-16-le")).name
    'text in UTF-16 or UTF-32'
    """
    if head.startswith((GZIP, ZSTD, b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return kind_of_content(head)
    zeros = [byte == 0 for byte in head]
    wide = ([False, True] * 2, [True, False] * 2, [False, True, True, True], [True, True, True, False])
    return _UTF16 if zeros in wide else None


def _is_table(data: bytes) -> bool:
    """Whether all of several lines have the same number of cells; in a sentence a space follows what parts them."""
    lines = [line for line in data.decode(errors="replace").splitlines() if line.strip()]
    if len(lines) < 2:
        return False
    for delimiter in "\t;,|":
        if delimiter not in lines[0]:
            continue
        try:
            rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
        except csv.Error:
            continue
        is_parted = all(not cell.startswith(" ") for row in rows for cell in row[1:])
        if is_parted and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return True
    return False


def _is_json(data: bytes) -> bool:
    try:
        return data[:1] in b"[{" and isinstance(json.loads(data), list | dict)
    except (ValueError, RecursionError):
        return False
