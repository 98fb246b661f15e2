import csv
import datetime
import gzip
import io
import json
import random
import re
import sys
import tarfile
import zipfile
import zlib
from types import SimpleNamespace

import docx
import fpdf
import pyarrow as pa
import pypdf
import pytest
import spacy
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from spacy.tokens import DocBin

from kgmrca.corpora import archives, formats, gzipped, inputs
from kgmrca.corpora.documents import BadRecord, Document, read_documents
from kgmrca.corpora.encodings import in_utf8
from kgmrca.corpora.formats import ReadOptions
from kgmrca.corpora.gzipped import DamagedMemberError, GzipParts
from kgmrca.corpora.inputs import find_inputs
from kgmrca.errors import InputError

NLP = spacy.blank("en")
ADA = "Ada Lovelace was born in London."
PAGE = f"""<!DOCTYPE html><html><head><title>Ada</title></head><body><nav><a href="/">Home</a></nav>
<article><h1>Ada Lovelace</h1><p>{ADA} She wrote the first program, for a machine that was never built.</p>
<p>She died in London in 1852, and was buried beside her father, the poet Byron, in Hucknall.</p></article>
<footer>© 2026 Example</footer></body></html>"""
TEI = f"""<?xml version="1.0" encoding="ENC"?>
<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><fileDesc><titleStmt><title>Secret</title></titleStmt></fileDesc>
</teiHeader><text><body><head>Zürich</head><p>{ADA[:12]}<note>no text</note>
was born<lb/>in <choice><sic>Lodnon</sic><corr>London</corr></choice>.</p></body></text></TEI>"""


def read(*given, max_length=1_000_000, input_format=None, max_record_size=16_000_000, **options):
    chosen = ReadOptions(**options)
    found = find_inputs(given, input_format=input_format, encoding=chosen.encoding)
    return list(
        read_documents(found, vocab=NLP.vocab, max_length=max_length, max_record_size=max_record_size, options=chosen)
    )


def texts(records):
    return {record.id: record.content for record in records if isinstance(record, Document)}


def reasons(records):
    return {record.id: record.reason for record in records if isinstance(record, BadRecord)}


def word(*paragraphs):
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.add_table(1, 2).rows[0].cells[1].text = "Paris"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def pdf(*pages, password=None):
    made = fpdf.FPDF()
    made.set_font("helvetica", size=12)
    for text in pages:
        made.add_page()
        if text:
            made.multi_cell(0, text=text)
    data = bytes(made.output())
    if password is None:
        return data
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(password, algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def warc(*pages):
    data = b""
    for number, (type, content) in enumerate(pages):
        http = f"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\n\r\n".encode() + content
        data += (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number}>\r\n"
            f"WARC-Target-URI: https://example.org/{number}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
        ).encode()
        data += http + b"\r\n\r\n"
    return data


def table(**columns):
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()


def arrow_stream(**columns):
    stream, made = io.BytesIO(), pa.table(columns)
    with pa.ipc.new_stream(stream, made.schema) as writer:
        writer.write_table(made)
    return stream.getvalue()


def arrow_file(**columns):
    stream, made = io.BytesIO(), pa.table(columns)
    with pa.ipc.new_file(stream, made.schema) as writer:
        writer.write_table(made)
    return stream.getvalue()


def tar(**files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def damaged(data, start, content):
    return data[:start] + content + data[start + len(content) :]


# One document a file.


def test_markdown_gives_its_words(tmp_path):
    (tmp_path / "a.md").write_text(
        "---\ntitle: x\n---\n# Ada *Lovelace*\n\nShe [was](http://x) born\nin `London`.<br>\n\n```\ncode\n```\n"
        "<div>html</div>\n\n- one\n- &amp; two\n\n| a | b |\n|---|---|\n| c | d |\n"
    )
    assert texts(read(tmp_path)) == {
        "a.md": "Ada Lovelace\n\nShe was born\nin London.\n\none\n\n& two\n\na\n\nb\n\nc\n\nd"
    }


def test_html_gives_the_main_text(tmp_path):
    (tmp_path / "a.html").write_text(PAGE, encoding="utf-8")
    (text,) = texts(read(tmp_path)).values()
    assert ADA in text
    assert "Byron" in text
    assert not any(other in text for other in ("Home", "Example", "<"))


@pytest.mark.parametrize(
    ("encoding", "declared"), [("cp1252", "windows-1252"), ("utf-16", "utf-8"), ("utf-8", "utf-8")]
)
def test_html_is_read_in_its_encoding(tmp_path, encoding, declared):
    page = PAGE.replace("<head>", f'<head><meta charset="{declared}">').replace("Byron", "Byrön")
    (tmp_path / "a.html").write_bytes(page.encode(encoding))
    (text,) = texts(read(tmp_path)).values()
    assert "the poet Byrön" in text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_tei_gives_the_text_without_header_notes_and_mistakes(tmp_path, encoding):
    (tmp_path / "a.xml").write_bytes(TEI.replace("ENC", encoding).encode(encoding))
    assert texts(read(tmp_path)) == {"a.xml": f"Zürich\n\n{ADA}"}


def test_xml_gives_what_an_xpath_finds(tmp_path):
    (tmp_path / "a.xml").write_text(f"<r><t x='Paris'>{ADA}</t><u>no</u><t><p>One.</p><p>Two.</p></t></r>")
    assert texts(read(tmp_path, xml_text="//t")) == {"a.xml": f"{ADA}\n\nOne.\n\nTwo."}
    assert texts(read(tmp_path, xml_text="string(//t/@x)")) == {"a.xml": "Paris"}
    assert "say with --xml-text" in reasons(read(tmp_path))["a.xml"]


def test_xml_has_no_entities_from_outside(tmp_path):
    (tmp_path / "secret").write_text("password")
    (tmp_path / "a.xml").write_text(
        f'<!DOCTYPE r [<!ENTITY e SYSTEM "{tmp_path}/secret"><!ENTITY a "aaa">]><r>Ada &amp; &e;&a;Charles</r>'
    )
    assert texts(read(tmp_path / "a.xml", xml_text="/r")) == {"a.xml": "Ada & Charles"}


def test_what_is_no_xpath_is_refused():
    with pytest.raises(InputError, match=r"'//\[' is no XPath expression"):
        ReadOptions(xml_text="//[")


def test_word_gives_paragraphs_and_tables(tmp_path):
    (tmp_path / "a.docx").write_bytes(word(ADA, "", "Zoë."))
    assert texts(read(tmp_path)) == {"a.docx": f"{ADA}\n\nZoë.\n\n\tParis"}


def test_pdf_gives_its_text_layer(tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf(ADA, "She died there."))
    assert texts(read(tmp_path)) == {"a.pdf": f"{ADA}\nShe died there."}


# Many documents a file.


def test_a_table_gives_a_document_a_row(tmp_path):
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows(
            [["key", "body", "year"], ["x", 'One, "two"\nthree.', "1815"], ["", "Zoë.", ""], ["y", "", "1"], ["z"]]
        )
    first, second, *bad = read(tmp_path, text_column="body", id_column="key")
    assert (first.id, first.content, first.meta, first.line) == ("x", 'One, "two"\nthree.', {"year": "1815"}, 1)
    assert (second.id, second.content, second.meta) == ("a.csv:2", "Zoë.", {})
    assert reasons(bad) == {"y": "the text is empty", "a.csv:4": "it has 1 cells, but there are 3 columns"}


@pytest.mark.parametrize(("name", "delimiter"), [("a.tsv", "\t"), ("a.csv", ";"), ("a.csv", "\t"), ("b.tab", "\t")])
def test_the_delimiter_of_a_table_is_found(tmp_path, name, delimiter):
    (tmp_path / name).write_text(f"id{delimiter}text\n7{delimiter}One, two.\n")
    assert texts(read(tmp_path)) == {"7": "One, two."}


def test_a_broken_row_does_not_stop_a_table(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"text\nOne.\n\xff.\n" + b"x" * 17_000_000 + b"\nTwo.\n")
    records = read(tmp_path)
    assert texts(records) == {"a.csv:1": "One.", "a.csv:4": "Two."}
    assert reasons(records) == {
        "a.csv:2": "not UTF-8: give the encoding with --encoding",
        "a.csv:3": "line 4: the record is longer than 16,000,000 bytes: split it, or allow longer ones with "
        "--max-record-size (in Python: max_record_size)",
    }


def test_a_long_cell_is_read_and_the_limit_of_the_process_stays(tmp_path):
    before = csv.field_size_limit()
    long = "word " * 50_000
    (tmp_path / "a.csv").write_text(f"id,text\n1,{long}\n2,{ADA}\n")
    assert texts(read(tmp_path / "a.csv")) == {"1": long, "2": ADA}
    assert csv.field_size_limit() == before


def test_a_table_without_the_column_says_which_it_has(tmp_path):
    (tmp_path / "a.csv").write_text("name,born\nAda,London\n")
    (tmp_path / "b.parquet").write_bytes(table(name=["Ada"]))
    first, second = reasons(read(tmp_path)).values()
    assert "no column 'text'" in first
    assert "'name', 'born'" in first
    assert "no column 'text'" in second


@pytest.mark.parametrize(("name", "make"), [("a.parquet", table), ("a.arrow", arrow_stream), ("a.arrow", arrow_file)])
@pytest.mark.parametrize("pack", [None, gzip.compress, zstd.compress])
def test_columns_are_read(tmp_path, name, make, pack):
    data = make(
        id=[7, None, 9],
        text=[ADA, "Two.", None],
        day=[datetime.date(1815, 12, 10), None, None],
        image=[b"\x00", None, None],
    )
    suffix = {None: "", gzip.compress: ".gz", zstd.compress: ".zst"}[pack]
    (tmp_path / (name + suffix)).write_bytes(pack(data) if pack else data)
    first, second, bad = read(tmp_path)
    assert (first.id, first.content, first.meta) == ("7", ADA, {"day": "1815-12-10"})
    assert (second.id, second.content) == (f"{name}{suffix}:2", "Two.")
    assert (bad.id, bad.reason) == ("9", "'text' is missing")


@pytest.mark.parametrize("given", ["a.parquet", "b.arrow", "a.par*", "*.arrow"])
def test_a_file_of_columns_may_be_named_or_fit_a_pattern(tmp_path, given):
    (tmp_path / "a.parquet").write_bytes(table(text=[ADA]))
    (tmp_path / "b.arrow").write_bytes(arrow_stream(text=[ADA]))
    assert list(texts(read(tmp_path / given)).values()) == [ADA]


def test_a_folder_of_hugging_face_datasets_is_read(tmp_path):
    (tmp_path / "data-00000-of-00001.arrow").write_bytes(arrow_stream(text=[ADA]))
    (tmp_path / "state.json").write_text("{}")
    (tmp_path / "dataset_info.json").write_text("{}")
    assert texts(read(tmp_path)) == {"data-00000-of-00001.arrow:1": ADA}


def test_rows_of_parquet_are_held_some_at_a_time(tmp_path):
    (tmp_path / "a.parquet").write_bytes(table(text=[f"Text {number}." for number in range(1000)]))
    assert list(texts(read(tmp_path)).values()) == [f"Text {number}." for number in range(1000)]


def test_json_gives_the_objects_of_an_array(tmp_path):
    objects = [{"text": ADA, "n": 1.5}, {"id": "b", "text": "Zoë."}, 3, {"x": 1}]
    (tmp_path / "a.json").write_bytes(b" " * 5000 + json.dumps(objects).encode())
    (tmp_path / "b.json").write_text(json.dumps({"text": "Alone."}))
    records = read(tmp_path)
    assert texts(records) == {"a.json:1": ADA, "b": "Zoë.", "b.json:1": "Alone."}
    assert records[0].meta == {"n": 1.5}
    assert list(reasons(records)) == ["a.json:3", "a.json:4"]


def test_broken_json_gives_what_stands_before(tmp_path):
    (tmp_path / "a.json").write_text('[{"text": "One."}, {"text": "Two.')
    (tmp_path / "b.json").write_text("no JSON")
    records = read(tmp_path)
    assert texts(records) == {"a.json:1": "One."}
    assert reasons(records) == {
        "a.json:2": "not JSON: Unterminated string starting at (column 10); the file ends within it (15 bytes)",
        "b.json:1": "it has no array of objects and no object (7 bytes)",
    }


def test_a_web_archive_gives_its_pages(tmp_path):
    data = warc(
        ("text/html; charset=utf-8", PAGE.encode()),
        ("image/png", b"x"),
        ("text/plain", b"\xff"),
        ("text/plain", b"Two."),
    )
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(data))
    first, bad, last = read(tmp_path)
    assert ADA in first.content
    assert first.meta == {"url": "https://example.org/0"}
    assert bad.reason.startswith("a page that cannot be read: ")
    assert (last.id, last.content) == ("a.warc.gz:3", "Two.")


def members_of(data):
    """Each record of a web archive as a gzip member."""
    records = [b"WARC/" + record for record in data.split(b"WARC/")[1:]]
    return [gzip.compress(record, mtime=0) for record in records]


PAGES = [("text/plain", f"Page {number}. {random.Random(number).randbytes(30).hex()}".encode()) for number in range(6)]
MEMBERS = members_of(warc(*PAGES))


def starts_of(members):
    return [sum(map(len, members[:number])) for number in range(len(members) + 1)]


STARTS = starts_of(MEMBERS)


def pages(records):
    """The numbers of the pages that were read."""
    return "".join(text[5] for text in texts(records).values())


@pytest.mark.parametrize(
    ("data", "read_are", "number", "start", "words"),
    [
        (b"".join(MEMBERS)[: STARTS[5] + 100], "01234", 6, 5, "the file ends within it"),
        (b"".join(MEMBERS)[: STARTS[5] + 3], "01234", 6, 5, "the file ends within it"),
        (b"".join(MEMBERS)[:-1], "012345", 7, 5, "the file ends within it"),
        (damaged(b"".join(MEMBERS), STARTS[2] + 60, b"\xff" * 10), "01345", 3, 2, "Error -3 while decompressing"),
        (damaged(b"".join(MEMBERS), STARTS[2], b"\xff" * 10), "01345", 3, 2, "incorrect header check"),
        (damaged(b"".join(MEMBERS), STARTS[3] - 8, b"\xff" * 8), "01345", 3, 2, "incorrect data check"),
        (damaged(b"".join(MEMBERS), 0, b"\xff" * 10), "12345", 1, 0, "incorrect header check"),
        (b"".join(MEMBERS) + b"garbage", "012345", 7, 6, "incorrect header check"),
    ],
)
@pytest.mark.parametrize("size", [None, 7])
def test_of_a_damaged_web_archive_all_other_records_are_read(
    tmp_path, monkeypatch, data, read_are, number, start, words, size
):
    if size:
        monkeypatch.setattr(gzipped, "_BLOCK", size)
        monkeypatch.setattr(gzipped, "_STEP", size)
    (tmp_path / "a.warc.gz").write_bytes(data)
    records = read(tmp_path)
    assert pages(records) == read_are
    ((name, reason),) = reasons(records).items()
    assert name == f"a.warc.gz:{number}"
    assert reason.startswith(f"what begins at byte {STARTS[start]:,} of the gzip file cannot be read: ")
    assert words in reason


def test_two_damaged_members_of_a_web_archive_are_two_and_between_them_is_what_is_whole(tmp_path):
    data = damaged(damaged(b"".join(MEMBERS), STARTS[1] + 60, b"\xff" * 9), STARTS[4] + 60, b"\xff" * 9)
    (tmp_path / "a.warc.gz").write_bytes(data)
    records = read(tmp_path)
    assert list(texts(records)) == [f"a.warc.gz:{number}" for number in (1, 3, 4, 6)]
    assert list(reasons(records)) == ["a.warc.gz:2", "a.warc.gz:5"]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(at=st.integers(0, STARTS[6] - 1), mask=st.integers(1, 255))
def test_a_byte_that_is_wrong_costs_a_web_archive_one_record(at, mask):
    data = b"".join(MEMBERS)
    data = damaged(data, at, bytes([data[at] ^ mask]))
    parts, whole, lost = GzipParts(io.BytesIO(data), b"WARC/"), [], 0
    for part in parts:
        try:
            whole.append(b"".join(iter(part.read, b"")))
        except DamagedMemberError:
            lost += 1
    expected = [gzip.decompress(member) for member in MEMBERS]
    harmless = whole == expected and not lost  # as in the time or the system of the header
    assert harmless or (lost == 1 and whole == [one for one in expected if one in whole])
    assert len(whole) >= 5


@pytest.mark.parametrize("cut", [10, 60, 200, 340, -9, -1])
def test_a_web_archive_that_is_one_gzip_member_is_read_up_to_the_cut(tmp_path, cut):
    whole = gzip.compress(warc(*PAGES))
    (tmp_path / "a.warc.gz").write_bytes(whole[:cut])
    plain = zlib.decompressobj(31).decompress(whole[:cut])
    n_whole = sum(content in plain for _, content in PAGES)
    records = read(tmp_path)
    assert len(texts(records)) == n_whole
    assert list(reasons(records)) == [f"a.warc.gz:{n_whole + 1}"]


def test_gzip_members_that_are_no_records_and_empty_ones_are_read(tmp_path):
    data = warc(*PAGES)
    parts = [data[start : start + 100] for start in range(0, len(data), 100)]
    (tmp_path / "a.warc.gz").write_bytes(
        b"".join(gzip.compress(part) + gzip.compress(b"") for part in parts) + bytes(9)
    )
    (tmp_path / "b.warc").write_bytes(b"".join(MEMBERS))  # its name does not tell
    records = read(tmp_path)
    assert pages(records) == "012345" * 2
    assert not reasons(records)


PLAIN = warc(*PAGES[:2], ("image/png", b"x" * 100))


@pytest.mark.parametrize(
    ("size", "read_are", "number", "reason"),
    [
        (len(PLAIN), "01", None, None),
        (len(PLAIN) - 4, "01", None, None),
        (len(PLAIN) - 5, "01", 3, "it is cut: the last 1 of its 144 bytes are missing"),
        (len(PLAIN) - 104 - 30, "01", 3, "it is cut: the last 130 of its 144 bytes are missing"),
        (len(PLAIN) - 4 - 144, "01", 3, "it is cut: the last 144 of its 144 bytes are missing"),
        (PLAIN.index(b"WARC/", len(PLAIN) // 2) - 5, "0", 2, "it is cut: the last 1 of its "),
        (PLAIN.rindex(b"WARC/") + 30, "01", None, "a record does not say how long it is (Content-Length)"),
        (PLAIN.rindex(b"Content-Length: ") + 16, "01", None, "a record does not say how long it is (Content-Length)"),
        (PLAIN.rindex(b"WARC/") + 3, "01", None, "Invalid WARC record, first line: WAR"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, zstd.compress, lambda data: b"".join(members_of(data))])
def test_a_web_archive_that_is_cut_says_so(tmp_path, pack, size, read_are, number, reason):
    name = {bytes: "a.warc", zstd.compress: "a.warc.zst"}.get(pack, "a.warc.gz")
    (tmp_path / name).write_bytes(pack(PLAIN[:size]))
    records = read(tmp_path)
    assert pages(records) == read_are
    found = reasons(records)
    assert len(found) == (reason is not None)
    if number:
        assert list(found) == [f"{name}:{number}"]
    if reason:
        assert reason in next(iter(found.values()))


def test_a_record_with_a_wrong_length_is_set_aside_and_others_are_read(tmp_path):
    first, second, third = [b"WARC/" + record for record in warc(*PAGES[:3]).split(b"WARC/")[1:]]
    sizes = [re.search(rb"Content-Length: (\d+)", record)[1] for record in (first, second)]
    longer = second.replace(b"Length: " + sizes[1], b"Length: " + str(int(sizes[1]) + 50).encode())
    shorter = second.replace(b"Length: " + sizes[1], b"Length: " + str(int(sizes[1]) - 5).encode())
    for name, records in (("a", (first, longer, third)), ("b", (first, shorter, third))):
        (tmp_path / f"{name}.warc.gz").write_bytes(b"".join(map(gzip.compress, records)))
    (tmp_path / "c.warc").write_bytes(first + shorter + third)
    found = read(tmp_path)
    assert pages(found) == "02" * 3
    assert reasons(found) == {
        "a.warc.gz:2": f"it is cut: the last 46 of its {int(sizes[1]) + 50} bytes are missing",
        "b.warc.gz:2": "it is longer than its Content-Length says",
        "c.warc:2": "it is longer than its Content-Length says",
    }


def test_a_record_whose_header_runs_into_another_is_set_aside(tmp_path):
    data = warc(*PAGES[:4])
    second, third = (data.index(f"example.org/{number}".encode()) for number in (1, 2))
    (tmp_path / "a.warc").write_bytes(data[: second + 5] + b"\r\n" + data[data.rindex(b"WARC/", 0, third) :])
    found = read(tmp_path)
    assert pages(found) == "03"
    assert reasons(found) == {"a.warc:2": "its header is cut, and that of another record follows"}


# Archives, compression, standard input.


EVERY = {
    "a.txt": ADA.encode(),
    "b/c.jsonl": b'{"text": "One."}\n{"text": "Two."}\n',
    "d.docx": word("Three."),
    "e.pdf": pdf("Four."),
    "f.parquet": table(text=["Five."]),
    "g.json": b'[{"text": "Six."}]',
    "h.txt.gz": gzip.compress(b"Seven."),
    "i.spacy": DocBin(docs=[NLP("Eight.")]).to_bytes(),
    "j.csv": "text\nNeun".encode("utf-16"),
    "picture.png": b"\x89PNG",
    ".hidden": b"x",
    "inner.zip": zipped({"a.txt": "No."}),
}
ALL = {"a.txt": ADA, "b/c.jsonl:1": "One.", "b/c.jsonl:2": "Two.", "d.docx": "Three.\n\n\tParis", "e.pdf": "Four."}
ALL |= {"f.parquet:1": "Five.", "g.json:1": "Six.", "h.txt.gz": "Seven.", "j.csv:1": "Neun"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.gz", "a.tar.zst", "a.zip.gz"])
def test_the_files_in_an_archive_are_read(tmp_path, name):
    packed = zipped(EVERY) if "zip" in name else tar(**EVERY)
    pack = {"tgz": gzip.compress, "gz": gzip.compress, "zst": zstd.compress}.get(name.rpartition(".")[2], bytes)
    (tmp_path / name).write_bytes(pack(packed))
    found = find_inputs([tmp_path])
    records = list(read_documents(found, vocab=NLP.vocab, max_length=1000))
    (doc,) = (record for record in records if not isinstance(record.content, str))
    assert (doc.id, doc.content.text) == (f"{name}/i.spacy:1", "Eight.")
    assert texts(r for r in records if r is not doc) == {f"{name}/{key}": text for key, text in ALL.items()}
    assert found.skipped == {".png": 1, ".zip": 1}
    assert records[0].file == f"{tmp_path / name}/a.txt"


def test_what_leads_out_of_an_archive_or_is_damaged_is_set_aside(tmp_path, monkeypatch):
    files = {"../a.txt": "Out.", "b.txt": b"\xff\xfa", "c.pdf": b"%PDF-1.7 broken", "d.txt": "Good.", "/e.txt": "Out."}
    bomb = {"bomb.txt": "a" * 1_000_000}
    monkeypatch.setattr(archives, "_LARGE", 10_000)
    (tmp_path / "a.zip").write_bytes(zipped(files | bomb))
    (tmp_path / "b.tar").write_bytes(
        tar(**{name: data if isinstance(data, bytes) else data.encode() for name, data in files.items()})
    )
    records = read(tmp_path)
    assert texts(records) == {"a.zip/d.txt": "Good.", "b.tar/d.txt": "Good."}
    found = reasons(records)
    for archive in ("a.zip", "b.tar"):
        assert found[f"{archive}/../a.txt"] == "its name leads out of the archive"
        assert found[f"{archive}//e.txt"] == "its name leads out of the archive"
        assert found[f"{archive}/b.txt"].startswith("not UTF-8")
        assert found[f"{archive}/c.pdf"].startswith("not pdf that can be read")
    assert found["a.zip/bomb.txt"].startswith("it unpacks to more than 200 times its size (1,000,000 bytes)")


PACKS = {"a.tar": bytes, "a.tar.gz": gzip.compress, "a.tar.zst": zstd.compress}
SIX = tar(**{f"f{number}.txt": f"Text {number}.".encode() for number in range(6)})  # each has two blocks of 512 bytes


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize(
    ("data", "read_are", "reason"),
    [
        (
            damaged(SIX, 3 * 1024 + 148, b"garbage!"),
            "01245",
            "the archive is cut or damaged after 'f2.txt', from byte 3,072 of the tar, up to 'f4.txt'",
        ),
        (
            damaged(SIX, 2 * 1024, b"x" * 2000),
            "0145",
            "the archive is cut or damaged after 'f1.txt', from byte 2,048 of the tar, up to 'f4.txt'",
        ),
        (
            damaged(SIX, 148, b"garbage!"),
            "12345",
            "the archive is cut or damaged at its beginning, from byte 0 of the tar, up to 'f1.txt'",
        ),
        (
            damaged(SIX, 5 * 1024 + 148, b"garbage!"),
            "01234",
            "the archive is cut or damaged after 'f4.txt', from byte 5,120 of the tar, and no member was found after "
            "that",
        ),
        (
            SIX[: 3 * 1024 + 100],
            "012",
            "the archive is cut or damaged after 'f2.txt', from byte 3,072 of the tar, and no member was found after "
            "that",
        ),
        (
            SIX[: 3 * 1024 - 100],
            "012",
            "the archive is cut or damaged after 'f2.txt': unexpected end of data; what follows was not read",
        ),
    ],
)
def test_where_a_tar_is_damaged_it_is_said_and_what_follows_is_read(tmp_path, name, data, read_are, reason):
    (tmp_path / name).write_bytes(PACKS[name](data))
    records = read(tmp_path)
    assert reasons(records)[name] == reason
    found = texts(records)
    assert (
        {f"{name}/f{number}.txt" for number in read_are} - {f"{name}/f1.txt"}
        <= found.keys()
        <= {f"{name}/f{number}.txt" for number in read_are} | {f"{name}/f1.txt"}
    )


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("data", [SIX[: 6 * 1024], SIX[: 6 * 1024 + 512], SIX, SIX + bytes(5000)])
def test_a_tar_may_end_where_a_member_does(tmp_path, name, data):
    (tmp_path / name).write_bytes(PACKS[name](data))
    records = read(tmp_path)
    assert len(texts(records)) == 6
    assert not reasons(records)


def test_tars_that_stand_one_after_the_other_are_all_read(tmp_path):
    (tmp_path / "a.tar").write_bytes(tar(**{"a.txt": b"One."}) + tar(**{"b.txt": b"Two."}) + SIX[:100])
    records = read(tmp_path)
    assert texts(records) == {"a.tar/a.txt": "One.", "a.tar/b.txt": "Two."}
    assert reasons(records) == {
        "a.tar": "the archive is cut or damaged after 'b.txt', from byte 20,480 of the tar, and no member was found "
        "after that"
    }


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.zst"])
def test_what_stands_before_the_cut_of_a_compressed_tar_is_read(tmp_path, name):
    files = {f"f{number}.txt": random.Random(number).randbytes(50_000).hex().encode() for number in range(6)}
    data = PACKS[name](tar(**files))
    (tmp_path / name).write_bytes(data[: len(data) - 400])
    records = read(tmp_path)
    assert texts(records) == {f"{name}/f{number}.txt": files[f"f{number}.txt"].decode() for number in range(5)}
    assert reasons(records)[name].startswith("the archive is cut or damaged after 'f5.txt': Compressed ")


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_member_whose_long_name_is_damaged_spoils_no_other(tmp_path, format):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        for number in range(3):
            member = tarfile.TarInfo(f"{'long' * 40}{number}.txt")
            member.size = 4
            archive.addfile(member, io.BytesIO(b"Text"))
    data = stream.getvalue()
    step = 2048  # two headers with a block each
    (tmp_path / "a.tar").write_bytes(damaged(data, step + 1024 + 148, b"garbage!"))
    records = read(tmp_path)
    assert [name[-5:] for name in texts(records)] == ["0.txt", "2.txt"]
    assert list(reasons(records)) == ["a.tar"]
    assert f"from byte {step:,} of the tar, up to 'longlong" in reasons(records)["a.tar"]


def test_members_of_a_tar_that_are_no_files_are_counted(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, b"M"]
        for number, kind in enumerate([tarfile.DIRTYPE, *kinds]):
            member = tarfile.TarInfo(f"{number}.txt")
            member.type, member.linkname = kind, "a.txt"
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("a.jsonl"))
    (tmp_path / "a.tar").write_bytes(stream.getvalue())
    found = find_inputs([tmp_path])
    records = list(read_documents(found, vocab=NLP.vocab, max_length=1000))
    assert reasons(records) == {"a.tar/a.jsonl": "there is no record in it"}
    assert found.skipped == {"symbolic link": 1, "hard link": 1, "named pipe": 1, "device": 2, "special file": 1}


def test_a_link_in_a_zip_is_counted(tmp_path):
    link = zipfile.ZipInfo("b.txt")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", ADA)
        archive.writestr(link, "a.txt")
    (tmp_path / "a.zip").write_bytes(stream.getvalue())
    found = find_inputs([tmp_path])
    assert texts(read_documents(found, vocab=NLP.vocab, max_length=1000)) == {"a.zip/a.txt": ADA}
    assert found.skipped == {"symbolic link": 1}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.zst", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_truncated_file_gives_what_can_be_read_and_a_bad_record(tmp_path, name):
    lines = b"".join(b'{"text": "Text %d"}\n' % number for number in range(20_000))
    data = zipped({"x.jsonl": lines}) if ".zip" in name else tar(**{"x.jsonl": lines}) if ".tar" in name else lines
    pack = {"gz": gzip.compress, "zst": zstd.compress}.get(name.rpartition(".")[2], bytes)
    data = pack(data)
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    *good, bad = read(tmp_path)
    assert bad.reason.startswith(
        ("cannot be read (any further): ", "not JSON", "the archive is cut or damaged after 'x.jsonl': ")
    )
    assert all(isinstance(record, Document) for record in good[:-1])


@pytest.mark.parametrize(
    "name",
    [
        "a.docx",
        "a.pdf",
        "a.parquet",
        "a.arrow",
        "a.html",
        "a.xml",
        "a.zip",
        "a.tar",
        "a.warc",
        "a.json",
        "a.csv",
        "a.txt.zst",
        "a.md",
    ],
)
@pytest.mark.parametrize("data", [b"", b"\x00\x01\xfe" * 1000])
def test_what_is_empty_or_binary_is_set_aside(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    records = read(tmp_path)
    assert not texts(records)
    assert all(record.reason for record in records)
    assert records or name == "a.warc"


def test_pdf_that_is_encrypted_or_has_no_text_is_set_aside(tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf(ADA, password="x"))
    (tmp_path / "b.pdf").write_bytes(pdf(""))
    (tmp_path / "c.pdf").write_bytes(pdf(ADA, password=""))
    records = read(tmp_path)
    assert reasons(records) == {
        "a.pdf": "it is encrypted: remove its password first",
        "b.pdf": "it has no text layer: recognize its text first",
    }
    assert texts(records) == {"c.pdf": ADA}


def test_a_file_that_must_be_held_in_memory_has_a_limit(tmp_path, monkeypatch):
    (tmp_path / "a.docx").write_bytes(word(ADA))
    monkeypatch.setattr(formats, "MAX_FILE_SIZE", 20_000)
    assert reasons(read(tmp_path)) == {"a.docx": "it unpacks to more than 20,000 bytes"}


@pytest.mark.parametrize(
    ("format", "data", "text"),
    [
        ("csv", b"text\nOne.\n", "One."),
        ("tar", tar(**{"a.txt": b"One."}), "One."),
        ("zip", zipped({"a.txt": "One."}), "One."),
        ("parquet", table(text=["One."]), "One."),
        ("arrow", arrow_file(text=["One."]), "One."),
        ("markdown", b"*One.*", "One."),
        ("docx", word("One."), "One.\n\n\tParis"),
    ],
)
def test_standard_input_has_the_format_that_is_named(monkeypatch, format, data, text):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert list(texts(read("-", input_format=format)).values()) == [text]


# Encodings.


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-8"])
@pytest.mark.parametrize(
    ("name", "content"),
    [("a.txt", "Zoë was born."), ("a.jsonl", '{"text": "Zoë was born."}\n'), ("a.csv", "text\nZoë was born.\n")],
)
def test_a_mark_tells_the_encoding(tmp_path, encoding, name, content):
    (tmp_path / name).write_bytes(content.encode(encoding))
    assert list(texts(read(tmp_path)).values()) == ["Zoë was born."]
    if encoding != "utf-8":
        assert list(texts(read(tmp_path, encoding="cp1252")).values()) == ["Zoë was born."]


def test_an_encoding_can_be_declared_or_detected(tmp_path):
    text = "Élodie est née à Besançon, où son père était médecin. Elle a été élevée près de la forêt." * 3
    (tmp_path / "a.txt").write_bytes(text.encode("cp1252"))
    assert next(iter(reasons(read(tmp_path)).values())).startswith("not UTF-8")
    assert texts(read(tmp_path, encoding="cp1252")) == {"a.txt": text}
    assert texts(read(tmp_path, encoding="detect")) == {"a.txt": text}


def test_one_line_that_is_not_in_the_encoding_does_not_stop_the_file(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "Zo\xeb."}\n{"text": "\x81"}\n{"text": "Two."}\n')
    records = read(tmp_path, encoding="cp1252")
    assert texts(records) == {"a.jsonl:1": "Zoë.", "a.jsonl:3": "Two."}
    assert reasons(records)["a.jsonl:2"].startswith("not UTF-8: byte 0x81")


def test_broken_utf16_is_set_aside(tmp_path):
    (tmp_path / "a.txt").write_bytes("Zoë".encode("utf-16") + b"\x00")
    assert list(reasons(read(tmp_path))) == ["a.txt"]


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13"])
def test_an_unknown_encoding_is_refused(name):
    with pytest.raises(InputError, match=f"no encoding of text '{name}'"):
        ReadOptions(encoding=name)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_stream_is_the_same_however_it_is_read(size):
    data = "Zoë\nlives\n\nin Köln".encode("utf-16")
    stream, lines = in_utf8(io.BytesIO(data), None), []
    while line := stream.readline(size):
        lines.append(line)
    assert b"".join(lines).decode().removeprefix("\ufeff") == "Zoë\nlives\n\nin Köln"


# What is not installed.


def test_what_needs_an_extra_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    monkeypatch.setattr(inputs, "_ZSTD", None)
    (tmp_path / "a.pdf").write_bytes(pdf(ADA))
    (tmp_path / "b.txt").write_text("Text")
    (tmp_path / "c.txt.zst").write_bytes(zstd.compress(b"Text"))
    with pytest.raises(InputError, match=r"Reading pdf needs an extra: pip install 'kgmrca\[formats\]'"):
        find_inputs([tmp_path / "a.pdf"])
    with pytest.raises(InputError, match="Reading pdf needs an extra"):
        find_inputs(["-"], input_format="pdf")
    with pytest.raises(InputError, match=r"Reading \.zst needs an extra"):
        find_inputs([tmp_path / "c.txt.zst"])
    found = find_inputs([tmp_path])
    assert [file.id for file in found.files] == ["b.txt"]
    assert found.skipped == {".pdf": 1, ".txt": 1}
