"""Files of all formats, and files with broken records, for the rows `formats` and `malformed` of `corpus.py`.

All is made in a temporary folder, from sentences of our own.
"""

import csv
import gzip
import importlib.metadata
import io
import json
import random
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from kgmrca.convert import convert
from kgmrca.corpora.documents import BadRecord, read_documents
from kgmrca.corpora.formats import ReadOptions
from kgmrca.corpora.inputs import find_inputs
from kgmrca.relations import set_relations

LONGEST = 20_000
"""The limit on a record in bytes, so that records beyond it take little room."""


@Language.component("no_names", assigns=["doc.ents"])
def no_names(doc: Doc) -> Doc:
    """Find nothing."""
    return doc


@Language.component("no_relations", assigns=["doc._.relations"])
def no_relations(doc: Doc) -> Doc:
    """Find nothing."""
    set_relations(doc, [])
    return doc


def tokens_only() -> Language:
    """A pipeline that takes next to no time."""
    nlp = spacy.blank("en")
    nlp.add_pipe("no_names")
    nlp.add_pipe("no_relations")
    return nlp


def sentence(number: int) -> str:
    """A sentence that no other number has."""
    return f"Person {number} was born in Warsaw, and met Ada Lovelace in {1800 + number % 200}."


def line(number: int, **more: Any) -> bytes:
    """A good line of JSON Lines."""
    return json.dumps({"text": sentence(number), "source": "benchmark", **more}).encode()


# In the order of a file: what stands there instead of a good record.
_LINES: Mapping[str, Callable[[int], bytes]] = {
    "a byte that is no UTF-8": lambda n: b'{"text": "Zo\xeb %d"}' % n,
    "a line that is cut": lambda n: line(n)[:-2],
    "no text": lambda n: b'{"title": "Ada %d"}' % n,
    "a text that is a number": lambda n: b'{"text": %d}' % n,
    "a text of blanks": lambda n: b'{"text": " \\n ", "n": %d}' % n,
    "half a surrogate pair": lambda n: b'{"text": "Ada \\ud83d %d"}' % n,
    "a constant that JSON has not": lambda n: b'{"text": "Ada %d", "score": NaN}' % n,
    "an id that is a list": lambda n: b'{"text": "Ada %d", "id": [1]}' % n,
    "a key that is there twice": lambda n: b'{"text": "Ada %d", "text": "Bob"}' % n,
    "a line that is too long": lambda n: line(n, more="x" * LONGEST),
    "brackets a thousand deep": lambda n: b'{"text": "Ada %d", "more": %s}' % (n, b"[" * 2000 + b"]" * 2000),
    "a list instead of an object": lambda n: b'["Ada %d"]' % n,
}
_ROWS: Mapping[str, Callable[[int], bytes]] = {
    "a quote that is not closed": lambda n: b'"Ada %d,benchmark' % n,
    "a cell too many": lambda n: b"Ada %d,benchmark,3" % n,
    "a row that is no UTF-8": lambda n: b"Zo\xeb %d,benchmark" % n,
    "an empty cell": lambda n: b'"",benchmark %d' % n,
}
_OBJECTS: Mapping[str, Callable[[int], bytes]] = {
    "a brace that is missing": lambda n: line(n)[:-1],
    "a quote that is missing": lambda n: b'{"text": "Ada %d, "source": "benchmark"}' % n,
    "a number in the array": lambda n: b"%d" % n,
}
_FILES: Mapping[str, tuple[str, Callable[[int], bytes]]] = {
    "an empty file": ("txt", lambda n: b""),
    "a binary file": ("txt", lambda n: b"\x7fELF\x00\x01" * 50),
    "a cut PDF file": ("pdf", lambda n: b"%PDF-1.7\n1 0 obj\n"),
    "an old Word file": ("docx", lambda n: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 20),
    "XML that is not well-formed": ("xml", lambda n: b"<TEI><text><p>Ada %d</text></TEI>" % n),
    "what is not compressed": ("txt.gz", lambda n: b"Ada %d" % n),
}
KINDS = [*_LINES, *_ROWS, *_OBJECTS, *_FILES]


def make_malformed(folder: Path, *, n_good: int, n_each: int, seed: int = 0) -> dict[tuple[str, int | None], str]:
    """Write a corpus of good records and `n_each` broken ones of each kind.

    Returns:
        The kind of each broken record by its file, relative to the folder, and its line or number.
    """
    rng = random.Random(seed)
    wrong: dict[tuple[str, int | None], str] = {}
    numbers = iter(range(n_good))
    share = n_good // 11

    def mixed(
        kinds: Mapping[str, Callable[[int], bytes]], n: int, good: Callable[[int], bytes]
    ) -> list[tuple[str, bytes]]:
        records = [(kind, make(rng.randrange(10**9))) for kind, make in kinds.items() for _ in range(n_each)]
        records += [("", good(next(numbers))) for _ in range(n)]
        rng.shuffle(records)
        return records

    def note(name: str, records: list[tuple[str, bytes]]) -> list[bytes]:
        wrong.update({(name, number): kind for number, (kind, _) in enumerate(records, 1) if kind})
        return [data for _, data in records]

    (folder / "a.jsonl").write_bytes(b"\n".join(note("a.jsonl", mixed(_LINES, 4 * share, line))) + b"\n")
    rows = note("b.csv", mixed(_ROWS, 2 * share, lambda n: b'"%s",benchmark' % sentence(n).encode()))
    (folder / "b.csv").write_bytes(b"text,source\n" + b"\n".join(rows) + b"\n")
    objects = note("c.json", mixed(_OBJECTS, 2 * share, line))
    (folder / "c.json").write_bytes(b"[\n" + b",\n".join(objects) + b"\n]\n")
    for kind, (suffix, make) in _FILES.items():
        place = folder / "files" / kind.replace(" ", "_")
        place.mkdir(parents=True)
        for number in range(n_each):
            (place / f"{number}.{suffix}").write_bytes(make(number))
            wrong[str((place / f"{number}.{suffix}").relative_to(folder)), None] = kind
    (folder / "texts").mkdir()
    for _ in range(min(share, 1000)):
        number = next(numbers)
        (folder / "texts" / f"{number}.txt").write_text(sentence(number))
    with zipfile.ZipFile(folder / "d.zip", "w") as archive:
        archive.writestr("a.tsv", "text\n" + "".join(f"{sentence(next(numbers))}\n" for _ in range(share)))
    with gzip.open(folder / "e.jsonl.gz", "wb") as stream:
        stream.writelines(line(number) + b"\n" for number in numbers)
    return wrong


def set_aside(folder: Path, wrong: Mapping[tuple[str, int | None], str], to: Path) -> tuple[int, Counter[str], int]:
    """Convert a corpus.

    Returns:
        How many documents were converted; how many broken records of each kind were set aside with their file, place
        and reason; and how many others were set aside.
    """
    summary = convert(folder, to, nlp=tokens_only(), max_record_size=LONGEST, progress=False)
    found: Counter[str] = Counter()
    n_others = 0
    if summary.rejected_to:
        for row in map(json.loads, Path(summary.rejected_to).read_text().splitlines()):
            kind = wrong.get((str(Path(row["source"]).relative_to(folder)), row["line"]))
            if kind and row["reason"]:
                found[kind] += 1
            else:
                n_others += 1
    return summary.documents, found, n_others


def malformed(n_records: int) -> None:
    """Put records that are broken in 25 ways, one in a hundred, among good ones, and print which are set aside."""
    n_each = n_records // 100 // len(KINDS)
    n_good = n_records - n_each * len(KINDS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "corpus")
        folder.mkdir()
        wrong = make_malformed(folder, n_good=n_good, n_each=n_each)
        n_converted, found, n_others = set_aside(folder, wrong, Path(place, "graph.nt"))
    print("| broken records | set aside |\n| --- | --- |")
    for kind in KINDS:
        print(f"| {kind} | {found[kind]:,} of {n_each:,} |")
    print(f"| all {len(KINDS)} kinds | {found.total():,} of {len(wrong):,} |")
    print(f"\n{n_converted:,} of {n_good:,} good records converted, {n_others:,} set aside.\n")


TEXT = "Ada Lovelace was born in London. She met Charles Babbage in 1833."
"""What stands in every file of the row `formats`."""


def _with(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"


def make_formats(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """A format, a file of it with `TEXT`, and what it was made with; without those whose tool is not installed."""

    def written(name: str, data: bytes) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    yield "text", written("a.txt", TEXT.encode()), "Python"
    yield "text in UTF-16", written("utf16.txt", TEXT.encode("utf-16")), "Python"
    yield "Markdown", written("a.md", f"# *{TEXT[:12]}*\n\n{TEXT}\n".encode()), "Python"
    yield "JSON Lines", written("a.jsonl", json.dumps({"text": TEXT}).encode()), "Python"
    yield "JSON array", written("a.json", json.dumps([{"text": TEXT}], indent=2).encode()), "Python"
    yield "DocBin", written("a.spacy", DocBin(docs=[spacy.blank("en")(TEXT)]).to_bytes()), _with("spacy")
    stream = io.StringIO(newline="")
    csv.writer(stream, dialect="excel-tab").writerows([["text", "n"], [TEXT, 1]])
    yield "TSV", written("a.tsv", stream.getvalue().encode()), "Python"
    yield "gzip", written("b.txt.gz", gzip.compress(TEXT.encode())), "Python"
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/a.txt", TEXT)
    yield "ZIP", folder / "a.zip", "Python"
    with tarfile.open(folder / "a.tar.gz", "w:gz") as packed:
        packed.add(folder / "a.txt", "folder/a.txt")
    yield "tar", folder / "a.tar.gz", "Python"
    for format, package, make in (
        ("zstd", "backports.zstd", _make_zstd),
        ("HTML", "lxml", _make_html),
        ("TEI", "lxml", _make_tei),
        ("Word", "python-docx", _make_docx),
        ("PDF", "reportlab", _make_pdf),
        ("CSV", "pandas", _make_csv),
        ("Parquet", "pyarrow", _make_parquet),
        ("Arrow, a folder of datasets", "datasets", _make_dataset),
        ("WARC", "warcio", _make_warc),
    ):
        try:
            path = make(folder)
        except ImportError:
            print(f"({format} is left out: {package} is not installed)")
            continue
        yield format, path, _with(package)


def _make_zstd(folder: Path) -> Path:
    from backports import zstd

    (folder / "c.txt.zst").write_bytes(zstd.compress(TEXT.encode()))
    return folder / "c.txt.zst"


def _make_html(folder: Path) -> Path:
    from lxml import html
    from lxml.html import builder

    words = [builder.H1("Ada"), builder.P(TEXT), builder.P("She wrote the first program, for a machine never built.")]
    page = builder.HTML(builder.HEAD(builder.TITLE("Ada")), builder.BODY(builder.ARTICLE(*words)))
    (folder / "a.html").write_bytes(html.tostring(page, doctype="<!DOCTYPE html>", encoding="utf-8"))
    return folder / "a.html"


def _make_tei(folder: Path) -> Path:
    from lxml import etree
    from lxml.builder import ElementMaker

    tei = ElementMaker(namespace="http://www.tei-c.org/ns/1.0", nsmap={None: "http://www.tei-c.org/ns/1.0"})
    tree = tei.TEI(tei.teiHeader(), tei.text(tei.body(tei.p(TEXT))))
    (folder / "a.xml").write_bytes(etree.tostring(tree, xml_declaration=True, encoding="utf-16"))
    return folder / "a.xml"


def _make_docx(folder: Path) -> Path:
    import docx

    document = docx.Document()
    document.add_paragraph(TEXT)
    document.save(str(folder / "a.docx"))
    return folder / "a.docx"


def _make_pdf(folder: Path) -> Path:
    from reportlab.pdfgen import canvas

    page = canvas.Canvas(str(folder / "a.pdf"))
    page.drawString(72, 720, TEXT)
    page.save()
    return folder / "a.pdf"


def _make_csv(folder: Path) -> Path:
    import pandas

    pandas.DataFrame({"text": [TEXT], "n": [1]}).to_csv(folder / "a.csv", index=False)
    return folder / "a.csv"


def _make_parquet(folder: Path) -> Path:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"text": [TEXT]}), folder / "a.parquet")
    return folder / "a.parquet"


def _make_dataset(folder: Path) -> Path:
    import datasets

    datasets.disable_progress_bars()
    parts = {"train": datasets.Dataset.from_dict({"text": [TEXT]})}
    datasets.DatasetDict(parts).save_to_disk(str(folder / "dataset"))
    return folder / "dataset"


def _make_warc(folder: Path) -> Path:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with (folder / "a.warc.gz").open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/plain")], protocol="HTTP/1.1")
        body = io.BytesIO(TEXT.encode())
        writer.write_record(
            writer.create_warc_record("https://example.org/", "response", payload=body, http_headers=headers)
        )
    return folder / "a.warc.gz"


def texts_of(path: Path) -> list[str]:
    """The texts in a file; a bad record gives its reason."""
    records = read_documents(
        find_inputs([path]), vocab=spacy.blank("en").vocab, max_length=1_000_000, options=ReadOptions()
    )
    return [record.reason if isinstance(record, BadRecord) else record.text for record in records]


def formats() -> None:
    """Print for each format whether the text is read of a file that was made with its usual tools."""
    print("| format | made with | its text is read |\n| --- | --- | --- |")
    n_read = n_made = 0
    with tempfile.TemporaryDirectory() as place:
        for format, path, tool in make_formats(Path(place)):
            texts = texts_of(path)
            is_read = len(texts) == 1 and " ".join(TEXT.split()) in " ".join(texts[0].split())
            n_made, n_read = n_made + 1, n_read + is_read
            print(f"| {format} | {tool} | {'yes' if is_read else f'no: {texts}'} |")
    print(f"\n{n_read} of {n_made} formats read.\n")
