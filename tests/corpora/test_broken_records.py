"""Records that are broken: as much is set aside as must be, and nothing is lost without a word."""

import csv
import gzip
import io
import json
import sys
from base64 import b64decode
from types import SimpleNamespace

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin
from test_document_formats import NLP, arrow_file, pdf, read, reasons, table, tar, texts, warc, word, zipped

from kgmrca.corpora.documents import BadRecord, read_documents
from kgmrca.corpora.elements import elements_of
from kgmrca.corpora.inputs import find_inputs
from kgmrca.corpora.lines import Line, lines_of
from kgmrca.corpora.rows import rows_of

TOO_LONG = (
    "the record is longer than 100 bytes: split it, or allow longer ones with --max-record-size (in Python: "
    "max_record_size)"
)


def rows(data, longest=1000):
    return list(rows_of(io.BytesIO(data), longest))


def values(data, longest=1000):
    return [element.value for element in elements_of(io.BytesIO(data), longest)]


# Lines.


@settings(max_examples=200, derandomize=True)
@given(data=st.lists(st.sampled_from([b"a", b"bc" * 9, b"\n", b"\r", b"\r\n"]), max_size=20).map(b"".join))
def test_lines_end_where_python_ends_them_and_have_all_bytes(data):
    lines = list(lines_of(io.BytesIO(data), 10))
    assert [len(line.data) + line.left_out for line in lines] == [len(line) for line in data.splitlines(keepends=True)]
    assert all(data[line.offset :].startswith(line.data) for line in lines)
    assert all(bool(line.left_out) == (len(data[line.offset :].splitlines()[0]) > 10) for line in lines)


def test_a_pipe_is_not_read_beyond_the_line():
    class Pipe(io.BytesIO):
        def read(self, size=-1):
            raise AssertionError("it would wait")

    stream = Pipe(b"one\ntwo\n")
    assert next(lines_of(stream, 10)) == Line(b"one\n", 0, 0)
    assert stream.tell() == 4


# Tables.


@settings(max_examples=200, derandomize=True)
@given(
    table=st.lists(
        st.lists(st.text(alphabet='a",;\n\r\tż', max_size=6), min_size=2, max_size=2), min_size=1, max_size=6
    ),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_python_writes_is_read_as_it_was(table, end):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["id", "text"], *table])
    assert rows(stream.getvalue().encode()) == [["id", "text"], *table]


def test_a_quote_that_is_not_closed_spoils_only_its_own_row():
    data = b'id,text\n1,"One.\n2,"Two."\n3,"Three\nand four."\n4,"a\nb","c\n5,Five\n'
    assert rows(data) == [
        ["id", "text"],
        "line 2: the quote that opens here is not closed, or more than a delimiter follows its end",
        ["2", "Two."],
        ["3", "Three\nand four."],
        "line 7: the quote that opens here is not closed",
        ["5", "Five"],
    ]


def test_a_quote_that_is_not_closed_is_given_up_at_the_limit():
    data = b'id,text\n1,"One.\n' + b"2,Two.\n" * 20
    assert rows(data, 100) == [
        ["id", "text"],
        f"line 2: the quote that opens here is not closed, or {TOO_LONG}",
        *[["2", "Two."]] * 20,
    ]


def test_a_long_line_within_a_quote_is_a_row_of_its_own():
    data = b'id,text\n1,"One.\n2,' + b"x" * 200 + b'\n3,"Three."\n'
    assert rows(data, 100) == [
        ["id", "text"],
        f"line 2: the quote that opens here is not closed, or {TOO_LONG}",
        f"line 3: {TOO_LONG}",
        ["3", "Three."],
    ]


def test_lines_of_a_table_may_end_with_cr():
    assert rows(b'id,text\r1,"One\rtwo."\r2,Three.\r') == [["id", "text"], ["1", "One\rtwo."], ["2", "Three."]]


def test_columns_of_one_name_are_all_kept(tmp_path):
    (tmp_path / "a.csv").write_text("text,note,note\nOne.,x,y\n")
    (tmp_path / "b.csv").write_text("text,text\nOne.,Two.\n")
    (document, bad) = read(tmp_path)
    assert document.meta == {"note": "x", "note 2": "y"}
    assert bad.reason == "there are several columns 'text'"


def test_the_names_of_columns_are_text(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"text,n\xff\nOne.,x\n")
    (tmp_path / "b.csv").write_bytes(b'"text\nOne.\n')
    assert reasons(read(tmp_path)) == {
        "a.csv": "the names of its columns are not UTF-8: give the encoding with --encoding",
        "b.csv": "the names of its columns cannot be read: line 1: the quote that opens here is not closed",
    }


def test_text_in_a_column_of_bytes_is_read(tmp_path):
    (tmp_path / "a.parquet").write_bytes(table(id=[b"x", b"y"], text=["Zoë.".encode(), b"\xff"]))
    records = read(tmp_path)
    assert texts(records) == {"x": "Zoë."}
    assert reasons(records) == {"a.parquet:2": "not UTF-8: the column has bytes that are no text"}


# JSON.


@settings(max_examples=200, derandomize=True)
@given(
    objects=st.lists(
        st.dictionaries(
            st.text(max_size=3),
            st.recursive(st.text(alphabet='a"\\{}[],\n', max_size=6), lambda inner: st.lists(inner, max_size=2)),
            max_size=3,
        ),
        max_size=5,
    ),
    indent=st.sampled_from([None, 0, 1, 4]),
)
def test_what_python_writes_as_json_is_read_as_it_was(objects, indent):
    assert values(json.dumps(objects, indent=indent).encode()) == objects


GOOD = [{"text": "One.", "by": [{"name": "Ada"}]}, {"text": "Two."}, {"text": "Three."}]
PRETTY = json.dumps(GOOD, indent=2)
LINES = "[\n" + ",\n".join(map(json.dumps, GOOD)) + "\n]\n"


@pytest.mark.parametrize("whole", [PRETTY, LINES, LINES.replace(",\n", "\n, ")], ids=["pretty", "lines", "comma first"])
@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('Two."', "Two.", "not JSON: "),
        ('"Two."', 'Two."', "not JSON: Expecting value"),
        ('"text": "Two."', '"text" "Two."', "not JSON: Expecting ':' delimiter"),
        ('"Two."', "'Two.'", "not JSON: Expecting value"),
        ('"Two."', '"He said "Two."', "not JSON: "),
        ('"Two."', '"Two\n."', "not JSON: Invalid control character"),
        ('"Two."', '"T\\wo."', "not JSON: Invalid \\escape"),
        ('"Two."', "NaN", "not JSON that can be read: NaN"),
        ('"Two."', '"Two.", "text": "2"', "not JSON that can be read: the key 'text' is there twice"),
        ('"Two."', '"Two."]', "not JSON: Expecting ',' delimiter"),
        ('"Two."', '["Two."', "not JSON: Expecting ',' delimiter"),
        ('{"text": "Two."', '"text": "Two."', "not JSON: Extra data"),
        ('"Two."', '"Two." }', "not JSON: Extra data"),
        ('"Two."', '{"a": "Two."', "not JSON: "),
        ('"Two."', '"Two.", "by": {', "not JSON: "),
    ],
)
def test_a_broken_element_spoils_no_other(whole, before, after, reason):
    if "\n  " in whole:
        before = before.replace('{"text', '{\n    "text')
    assert before in whole
    first, broken, last = values(whole.replace(before, after).encode())
    assert (first, last) == (GOOD[0], GOOD[2])
    assert broken.startswith(reason)


def test_where_a_comma_is_missing_the_element_before_it_is_set_aside():
    assert values(PRETTY.replace('"Two."\n  },', '"Two."\n  }').encode()) == [
        GOOD[0],
        "not JSON: no comma stands between it and the next",
        GOOD[2],
    ]


def test_an_unclosed_element_is_given_up_long_before_the_end_of_a_file():
    many = [{"text": f"Text {number}.", "note": "x" * 100} for number in range(5000)]
    lines = [json.dumps(one) for one in many]
    lines[7] = lines[7][:-1]
    found = values(f"[\n{(',' + chr(10)).join(lines)}\n]".encode(), 16_000_000)
    assert [value for value in found if isinstance(value, str)] == [
        "not JSON: Expecting property name enclosed in double quotes (column 132)"
    ]
    assert found[:7] + found[8:] == many[:7] + many[8:]


def test_where_nothing_tells_the_elements_apart_the_rest_of_the_file_is_set_aside():
    assert values(b'[{"n": 1}, {"n": "2}, {"n": 3}]') == [
        {"n": 1},
        "not JSON: Expecting ',' delimiter (column 14); the file ends within it (21 bytes)",
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'[{"n": 1}', "the file ends before its array does"),
        (b'[{"n": 1},', "the file ends before its array does"),
        (b'[{"n": 1},]', "nothing stands before or after a comma here"),
        (b'[{"n": 1}][{"n": 2}]', "this stands after the end of the array (10 bytes)"),
        (
            b'{"n": 1}\n{"n": 2}\n',
            "this stands after the object: if each line is one, give the file a name that ends in .jsonl (9 bytes)",
        ),
    ],
)
def test_what_is_wrong_around_the_elements_is_said(data, reason):
    assert values(data) == [{"n": 1}, reason]


def test_an_element_that_is_too_long_is_not_held():
    class Stream(io.BytesIO):
        n_left = 300

        def readline(self, size=-1):
            self.n_left -= 1
            return super().readline(size) or (b"x" * size if self.n_left > 0 else b"")

    (element,) = elements_of(Stream(b'[{"text": "'), 1000)
    assert len(element.data) == 1000
    assert element.left_out > 10_000_000
    assert values(b'[{"t": "' + b"x" * 200 + b'"}, {"n": 2}]', 100) == [TOO_LONG, {"n": 2}]


@pytest.mark.parametrize("data", [b"[" * 100_000, b'[{"a": ' * 100_000, b"]" * 1000, b'[{"a": "\\'])
def test_no_depth_and_no_end_stops_the_reading(data):
    assert all(isinstance(value, str) for value in values(data, 16_000_000))


# What no record comes of.


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.jsonl", b"", "record"),
        ("a.jsonl", b"\n\n", "record"),
        ("a.json", b"[ ]", "record"),
        ("a.csv", b"id,text\n", "record"),
        ("a.parquet", table(text=[]), "record"),
        ("a.arrow", arrow_file(text=[]), "record"),
        ("a.spacy", DocBin().to_bytes(), "record"),
        ("a.warc", warc(("image/png", b"x")), "record"),
        ("a.zip", zipped({}), "file that is read"),
        ("a.tar", tar(), "file that is read"),
    ],
)
def test_a_file_without_any_record_is_set_aside(tmp_path, name, data, what):
    (tmp_path / name).write_bytes(data)
    assert reasons(read(tmp_path)) == {name: f"there is no {what} in it"}


def test_of_an_archive_without_files_that_are_read_it_is_said_once_what_it_has(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"a.png": b"x", "b.zip": b"x", "c.tar.gz": b"x", "d.zip": b"x"}))
    (tmp_path / "b.tar").write_bytes(tar(**{"a.png": b"x", "b.txt": b"Good."}))
    found = find_inputs([tmp_path])
    records = list(read_documents(found, vocab=NLP.vocab, max_length=100))
    assert texts(records) == {"b.tar/b.txt": "Good."}
    assert reasons(records) == {"a.zip": "there is no file that is read in it, only .png (1), .zip (2), .tar (1)"}
    assert found.skipped == {".png": 1}


def test_a_file_without_records_in_an_archive_is_set_aside(tmp_path):
    (tmp_path / "a.zip").write_bytes(zipped({"a.csv": "text\n", "b.txt": "Good."}))
    assert reasons(read(tmp_path)) == {"a.zip/a.csv": "there is no record in it"}


# One limit for all.


@pytest.mark.parametrize(
    ("name", "data", "place"),
    [
        ("a.txt", b"x" * 101, ""),
        ("a.md", b"x" * 101, ""),
        ("a.html", b"<p>" + b"x" * 101, ""),
        ("a.xml", b"<TEI>" + b"x" * 101 + b"</TEI>", ""),
        ("a.jsonl", b'{"text": "' + b"x" * 101 + b'"}', ":1"),
        ("a.json", b'[{"text": "' + b"x" * 101 + b'"}]', ":1"),
        ("a.parquet", table(text=["x" * 101]), ":1"),
        ("a.arrow", arrow_file(text=["x" * 101]), ":1"),
        ("a.warc", warc(("text/plain", b"x" * 101)), ":1"),
        ("a.txt.gz", gzip.compress(b"x" * 101), ""),
    ],
)
def test_every_record_has_the_same_limit(tmp_path, name, data, place):
    (tmp_path / name).write_bytes(data)
    assert reasons(read(tmp_path, max_record_size=100)) == {f"{name}{place}": TOO_LONG}
    assert TOO_LONG not in reasons(read(tmp_path, max_record_size=200)).values()


@pytest.mark.parametrize(("name", "data"), [("a.docx", word("Ada.")), ("a.pdf", pdf("Ada."))])
def test_files_with_pictures_may_be_longer(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert texts(read(tmp_path, max_record_size=100))


# What is packed or in another encoding than its name says.


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
@pytest.mark.parametrize(
    ("format", "data"),
    [(None, b"One."), ("text", b"One."), ("jsonl", b'{"text": "One."}\n'), ("tar", tar(**{"a.txt": b"One."}))],
)
def test_standard_input_may_be_compressed(monkeypatch, pack, format, data):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(pack(data))))
    assert list(texts(read("-", input_format=format)).values()) == ["One."]


def test_compressed_standard_input_that_is_cut_is_set_aside(monkeypatch):
    data = gzip.compress(b"".join(b'{"text": "Text %d"}\n' % number for number in range(9999)))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data[:-9])))
    *good, bad = read("-", input_format="jsonl")
    assert not any(isinstance(record, BadRecord) for record in good)
    assert bad.reason.startswith("cannot be read (any further): ")


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_what_is_no_text_or_wide_text_without_a_mark_is_set_aside_as_a_whole(tmp_path, name):
    text = 'text\nOne.\n{"text": "One."}\n'
    for number, data in enumerate([text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("utf-32-le")]):
        (tmp_path / f"{number}{name}").write_bytes(data)
    (tmp_path / f"3{name}").write_bytes(gzip.compress(b"x"))
    (tmp_path / f"4{name}").write_bytes(zipped({"a": "x"}))
    found = [reason.removeprefix("cannot be read (any further): ") for reason in reasons(read(tmp_path)).values()]
    wide = "it is text in UTF-16 or UTF-32: name its encoding with --encoding, such as utf-16-le"
    assert found[:3] == [wide] * 3
    assert found[3] == "it is compressed with gzip: give it a name that ends in .gz"
    assert found[4].startswith("it is a ZIP archive or an office document: ")


def test_wide_text_without_a_mark_is_read_if_its_encoding_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes("text\nZoë.\n".encode("utf-16-le"))
    assert texts(read(tmp_path, encoding="utf-16-le")) == {"a.csv:1": "Zoë."}


ENCRYPTED = b64decode(  # made with `zip -P x a.zip s.txt; zip a.zip g.txt`
    "UEsDBAoACQAAADgWfl3aoaXeFAAAAAgAAAAFABwAcy50eHRVVAkAA0zkDGtM5AxrdXgLAAEEAAAAAAQAAAAAtpi5a0WzxENv9q8/W1DWIkPAUntQSwcI2q"
    "Gl3hQAAAAIAAAAUEsDBAoAAAAAADgWfl1wH7R/BgAAAAYAAAAFABwAZy50eHRVVAkAA0zkDGtM5AxrdXgLAAEEAAAAAAQAAAAAR29vZC4KUEsBAh4DCgAJ"
    "AAAAOBZ+Xdqhpd4UAAAACAAAAAUAGAAAAAAAAQAAAKSBAAAAAHMudHh0VVQFAANM5AxrdXgLAAEEAAAAAAQAAAAAUEsBAh4DCgAAAAAAOBZ+XXAftH8GAA"
    "AABgAAAAUAGAAAAAAAAQAAAKSBYwAAAGcudHh0VVQFAANM5AxrdXgLAAEEAAAAAAQAAAAAUEsFBgAAAAACAAIAlgAAAKgAAAAAAA=="
)


def test_an_encrypted_file_in_an_archive_is_set_aside(tmp_path):
    (tmp_path / "a.zip").write_bytes(ENCRYPTED)
    records = read(tmp_path)
    assert texts(records) == {"a.zip/g.txt": "Good.\n"}
    assert reasons(records) == {"a.zip/s.txt": "it is encrypted: unpack the archive first"}
