import errno
import gzip
import io
import json
import os
import queue
import socket
import sys
import threading
import tracemalloc
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import spacy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from kgmrca.corpora.documents import MAX_RECORD_SIZE, BadRecord, Document, Excerpt, read_documents
from kgmrca.corpora.inputs import find_inputs
from kgmrca.corpora.kinds import kind_of_content, kind_of_records
from kgmrca.errors import InputError

NLP = spacy.blank("en")
BOM = b"\xef\xbb\xbf"


def read(*inputs, max_length=1000, max_record_size=MAX_RECORD_SIZE, **options):
    found = find_inputs(inputs, **options)
    return list(read_documents(found, vocab=NLP.vocab, max_length=max_length, max_record_size=max_record_size))


def ids(records):
    return [record.id for record in records]


@pytest.fixture
def folder(tmp_path):
    """A folder with files of every kind."""
    for name in ("b.txt", "a/c.md", "a.txt", "picture.png", "README", ".hidden.txt", ".git/config.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"Text of {name}", encoding="utf-8")
    (tmp_path / "news.jsonl").write_text('{"text": "One."}\n{"text": "Two."}\n', encoding="utf-8")
    (tmp_path / "old.ndjson").write_text('{"text": "Three."}\n', encoding="utf-8")
    DocBin(docs=[NLP("Four."), NLP("Five.")]).to_disk(tmp_path / "docs.spacy")
    with gzip.open(tmp_path / "packed.txt.gz", "wb") as stream:
        stream.write(b"Six.")
    return tmp_path


@pytest.fixture
def stdin(monkeypatch):
    def feed(data: bytes):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return feed


@pytest.fixture
def jsonl(tmp_path):
    """The records that come of the lines of a JSONL file."""

    def read_lines(*lines, **options):
        path = tmp_path / "file.jsonl"
        path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
        return read(path, **options)

    return read_lines


def test_a_text_file_is_a_document_named_after_it(folder):
    (document,) = read(folder / "b.txt")
    assert document == Document("b.txt", "Text of b.txt", {}, str(folder / "b.txt"), None, 13)


def test_a_file_of_any_other_extension_is_text(folder):
    assert ids(read(folder / "README")) == ["README"]


def test_a_folder_gives_its_files_in_the_order_of_their_paths(folder):
    assert ids(read(folder)) == [
        "a.txt",
        "a/c.md",
        "b.txt",
        "docs.spacy:1",
        "docs.spacy:2",
        "news.jsonl:1",
        "news.jsonl:2",
        "old.ndjson:1",
        "packed.txt.gz",
    ]


def test_what_a_folder_does_not_give_is_counted(folder):
    assert find_inputs([folder]).skipped == Counter({".png": 1, "no extension": 1})


def test_with_an_input_format_a_folder_gives_all_its_files(folder):
    found = find_inputs([folder], input_format="text")
    assert {"README", "picture.png", "news.jsonl"} <= {file.id for file in found.files}
    assert {file.format for file in found.files} == {"text"}


def test_a_folder_does_not_give_what_is_left_out(folder):
    assert "b.txt" not in ids(read(folder, leave_out={(folder / "b.txt").resolve()}))


def test_a_pattern_names_its_files_relative_to_its_fixed_part(folder):
    assert ids(read(f"{folder}/**/[abc].*")) == ["a.txt", "a/c.md", "b.txt"]


def test_a_relative_pattern_works_in_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert ids(read("*.txt")) == ["a.txt", "b.txt"]


def test_a_file_name_may_look_like_a_pattern(tmp_path):
    (tmp_path / "a[1].txt").write_text("Text")
    assert ids(read(tmp_path / "a[1].txt")) == ["a[1].txt"]


def test_a_file_that_two_inputs_name_is_read_once(folder):
    assert ids(read(folder / "b.txt", f"{folder}/*.txt")) == ["b.txt", "a.txt"]


@pytest.mark.parametrize("name", ["missing.txt", "missing/", "*.missing", "empty"])
def test_an_input_that_gives_nothing_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"missing|empty"):
        find_inputs([tmp_path / name])


def test_no_input_at_all_is_refused():
    with pytest.raises(InputError, match="at least one INPUT"):
        find_inputs([])


def test_an_unknown_input_format_is_refused(folder):
    with pytest.raises(InputError, match="no input format 'rtf': choose one of text, jsonl, json, docbin"):
        find_inputs([folder], input_format="rtf")


def test_a_file_name_that_is_not_utf8_is_made_readable(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"\xff.txt")).write_text("Text")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert ids(read(tmp_path)) == ["\ufffd.txt"]


def test_standard_input_is_one_text(stdin):
    stdin(b"One.\nTwo.")
    assert read("-") == [Document("stdin", "One.\nTwo.", {}, "stdin", None, 9)]


def test_standard_input_can_be_jsonl(stdin):
    stdin(b'{"text": "One."}\n{"text": "Two."}\n')
    assert ids(read("-", input_format="jsonl")) == ["stdin:1", "stdin:2"]


def test_standard_input_can_be_a_docbin(stdin):
    stdin(DocBin(docs=[NLP("One.")]).to_bytes())
    assert ids(read("-", input_format="docbin")) == ["stdin:1"]


def test_the_size_of_standard_input_is_not_known(stdin):
    assert find_inputs(["-"]).files[0].size is None


def test_the_sizes_of_records_add_up_to_those_of_the_files(folder):
    found = find_inputs([folder])
    records = read_documents(found, vocab=NLP.vocab, max_length=1000)
    assert sum(record.size for record in records) == sum(file.size for file in found.files)


def test_jsonl_keeps_id_and_metadata(jsonl):
    line = '{"id": "x/1", "text": "One.", "title": "T", "n": [1]}'
    (document,) = jsonl(line)
    assert (document.id, document.content, document.meta) == ("x/1", "One.", {"title": "T", "n": [1]})
    assert (document.line, document.record) == (1, Excerpt(line, 0, 0))
    assert document.record_size == len(line)


def test_an_id_may_be_an_integer(jsonl):
    assert ids(jsonl('{"id": 7, "text": "One."}')) == ["7"]


def test_lines_are_counted_with_the_empty_ones(jsonl):
    assert ids(jsonl("", '{"text": "One."}', "  ", '{"id": null, "text": "Two."}')) == ["file.jsonl:2", "file.jsonl:4"]


def test_jsonl_may_be_compressed(tmp_path):
    with gzip.open(tmp_path / "file.jsonl.gz", "wb") as stream:
        stream.write(b'{"text": "One."}\n')
    assert ids(read(tmp_path / "file.jsonl.gz")) == ["file.jsonl.gz:1"]


@pytest.mark.parametrize("name", ["file.txt", "file.jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, name):
    (tmp_path / name).write_bytes(BOM + (b"Text" if name == "file.txt" else b'{"text": "Text"}'))
    assert read(tmp_path)[0].content == "Text"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "One."', "not JSON: Expecting ',' delimiter (column 16)"),
        ('{"text": NaN}', "not JSON that can be read: NaN is not JSON"),
        ("[" * 100_000, "not JSON that can be read: maximum recursion depth exceeded"),
        ('["One."]', 'not a JSON object: expected {"text": ...}'),
        ("{}", "'text' is missing"),
        ('{"text": 1}', "'text' is not text"),
        ('{"text": " \\n"}', "the text is empty"),
        ('{"text": "ab\\ud800"}', "not Unicode: half a surrogate pair at character 2 of the text"),
        ('{"id": "\\ud800", "text": "One."}', "not Unicode: half a surrogate pair at character 0 of the id"),
        ('{"id": "a\\udfff", "text": "One."}', "not Unicode: half a surrogate pair at character 1 of the id"),
        ('{"text": "%s"}' % ("x" * 1001), "the text is longer than 1000 characters (nlp.max_length): split it"),
        ('{"id": true, "text": "One."}', "'id' is neither text nor an integer"),
        ('{"id": "", "text": "One."}', "'id' is empty"),
        (b'{"text": "\xff"}', "not UTF-8: byte 0xff at offset 10 of the record"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_reason(jsonl, line, reason):
    bad, good = jsonl(line, '{"text": "Good."}')
    assert bad.reason.startswith(reason)
    assert (bad.id, bad.line, good.content) == ("file.jsonl:1", 1, "Good.")


def test_a_bad_line_keeps_its_id_and_its_record(jsonl):
    (bad,) = jsonl('{"id": "x", "text": ""}')
    assert (bad.id, bad.record.text) == ("x", '{"id": "x", "text": ""}')


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.binary(max_size=60))
def test_no_bytes_stop_a_jsonl_file(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "fuzzed.jsonl"
    assume(not kind_of_records(data[:4]) and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")))
    path.write_bytes(data + b'\n{"text": "Good."}\n')
    assert read(path)[-1].content == "Good."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the text is empty"),
        (b" \n", "the text is empty"),
        (b"ab\xe9", "not UTF-8: byte 0xe9 at offset 2 of the file"),
        (BOM + b"ab\xe9", "not UTF-8: byte 0xe9 at offset 5 of the file"),
        ("é".encode() * 1001, "the text is longer than 1000 characters (nlp.max_length): split it"),
        (b"x" * 10_000, "the text is longer than 1000 characters (nlp.max_length): split it"),
    ],
)
def test_a_bad_text_file_is_set_aside_with_its_reason(tmp_path, data, reason):
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    assert read(path) == [BadRecord("bad.txt", reason, str(path), None, len(data))]


def test_a_text_as_long_as_allowed_is_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(BOM + "😀".encode() * 1000)
    assert len(read(tmp_path / "a.txt")[0].content) == 1000


@pytest.mark.parametrize("data", [b"not gzip", gzip.compress(b'{"text": "One."}\n' * 9)[:-9]])
def test_a_damaged_compressed_file_is_set_aside(tmp_path, data):
    (tmp_path / "file.jsonl.gz").write_bytes(data)
    assert isinstance(read(tmp_path)[-1], BadRecord)


def test_a_file_that_vanished_is_set_aside(folder):
    found = find_inputs([folder / "a.txt", folder / "b.txt"])
    (folder / "a.txt").unlink()
    bad, good = read_documents(found, vocab=NLP.vocab, max_length=1000)
    assert "cannot be read" in bad.reason
    assert good.id == "b.txt"


def test_a_doc_of_a_docbin_may_have_an_id(tmp_path):
    doc = NLP("One.")
    doc.user_data["kgmrca.id"] = "mine"
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "docs.spacy")
    assert ids(read(tmp_path)) == ["mine"]


def test_a_docbin_gives_docs(folder):
    assert [record.content.text for record in read(folder / "docs.spacy")] == ["Four.", "Five."]


def test_an_empty_doc_is_set_aside(tmp_path):
    DocBin(docs=[NLP("One."), NLP(" ")]).to_disk(tmp_path / "docs.spacy")
    assert read(tmp_path)[1].reason == "the text is empty"


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:50], lambda data: data[::-1]])
def test_a_damaged_docbin_is_set_aside(folder, damage):
    path = folder / "docs.spacy"
    path.write_bytes(damage(path.read_bytes()))
    (bad,) = read(path)
    assert bad.reason.startswith("not a DocBin that can be read after document 0")


def test_jsonl_is_read_line_by_line(monkeypatch):
    def endless():
        for number in range(10**9):
            yield json.dumps({"text": str(number)}).encode() + b"\n"

    lines = endless()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=SimpleNamespace(readline=lambda size: next(lines))))
    found = find_inputs(["-"], input_format="jsonl")
    assert next(read_documents(found, vocab=NLP.vocab, max_length=1000)).content == "0"
    assert next(lines) == b'{"text": "1"}\n'


# What is no text is not read as text.


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("letter.rtf", "is an RTF file, not plain text: save it as plain text first"),
        ("old.DOC.gz", "is an office document"),
        ("all.7z", "is an archive, not plain text: unpack it first"),
        ("book.epub", "is an EPUB book"),
        ("picture.png", "is an image"),
        ("graph.ttl", "is RDF, so a graph already, not plain text: use it with kgmrca merge"),
        ("letter.eml", "is an e-mail"),
        ("paper.tex", "is LaTeX"),
        ("film.srt", "is subtitles"),
        ("job.yaml", "is source code or settings"),
    ],
)
def test_a_file_that_is_no_text_by_its_name_is_refused(tmp_path, monkeypatch, name, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("Text")
    with pytest.raises(InputError) as caught:
        find_inputs([name])
    assert reason in str(caught.value)
    assert str(caught.value).endswith(
        'To read it as it stands, give --input-format text (in Python: input_format="text").'
    )
    assert read(name, input_format="text")[0].id == name


NO_TEXT = {
    "a PDF file": b"%PDF-1.7\n%\xe2\xe3",
    "a ZIP archive": b"PK\x03\x04\x14\x00",
    "an image": b"\x89PNG\r\n\x1a\n\x00\x00",
    "HTML": b"<p><b>Ada Lovelace</b> was born in London.</p>",
    "XML": BOM + b'<?xml version="1.0"?>\n<a>Ada</a>',
    "JSON": b'[{"id": "1", "text": "Ada Lovelace was born in London."}]',
    "wiki markup": b"'''Ada''' (born {{birth date|1815}} in [[London]]) was a mathematician.",
    "RDF": b"<urn:a> <urn:b> <urn:c> .",
    "text in UTF-16": "Ada Lovelace".encode("utf-16-le"),
    "a binary file": bytes(range(256)),
    "compressed with gzip": gzip.compress(b"Ada"),
    "an e-mail": b"From: Ada <ada@example.org>\nTo: Charles\nMIME-Version: 1.0\n\nI was born in London.\n",
    "LaTeX": b"\\documentclass{article}\n\\begin{document}\nAda was born in London.\n\\end{document}\n",
    "subtitles": b"1\n00:00:01,000 --> 00:00:04,000\nAda was born in London.\n",
    "a table": b"name;born\nAda Lovelace;London\n",
}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("XML", b'<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><p>Ada was born in London.'),
        ("XML", b"<PubmedArticle>\n<Abstract>Ada was born in London."),
        ("XML", b"<text>Ada was born in London.</text>"),
        ("XML", b"<doc id='1'>Ada was born in London."),
        ("XML", b"<?php echo 'Ada'; ?>"),
        ("HTML", b"Ada was born<br>in <a href='x'>London</a>."),
        ("HTML", b"&ldquo;Ada&rdquo; was born in <em>London</em>."),
        ("a table", b"name\tborn\nAda\tLondon\nGrace\tNew"),
        ("a table", b'name,born\n"Lovelace, Ada",London\n'),
        (None, b"<Ada> I was born in London.\n<Charles> So was I.\n"),
        (None, b"Ada & Charles met in London; he was 41, she was 17."),
        (None, b"She was born in London, they say,\nand died in London, too.\n"),
        (None, b"London; Paris; Rome.\nVienna; Prague; Bern.\n"),
        (None, b"Subject: a letter\nDear Ada, I was born in London.\n"),
        (None, b"1,000 people live here\nand many elsewhere\n"),
        (None, b"10:30 Ada arrives.\n11:30 Ada leaves.\n"),
        (None, b"The sign &amp; is for &."),
    ],
)
def test_what_is_text_and_what_is_not(name, data):
    kind = kind_of_content(data, is_whole=True)
    assert (kind and kind.name) == name


@pytest.mark.parametrize("kind", NO_TEXT)
@pytest.mark.parametrize("name", ["a", "a.txt", "a.txt.gz"])
def test_a_file_that_is_no_text_by_its_content_is_refused_if_it_is_named(tmp_path, kind, name):
    data = NO_TEXT[kind]
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(InputError, match=f"'{tmp_path / name}' is {kind}.*, not plain text: "):
        find_inputs([tmp_path / name])
    assert len(read(tmp_path / name, input_format="text")) == 1


@pytest.mark.parametrize("kind", NO_TEXT)
def test_a_file_of_a_folder_that_is_no_text_by_its_content_is_set_aside(tmp_path, kind):
    (tmp_path / "a.txt").write_bytes(NO_TEXT[kind])
    (tmp_path / "b.txt").write_text("Text")
    bad, good = read(tmp_path)
    assert bad.reason.startswith(f"it is {kind}")
    assert good.content == "Text"


@pytest.mark.parametrize("kind", [kind for kind in NO_TEXT if not kind.startswith("compressed")])
def test_standard_input_that_is_no_text_is_refused(stdin, kind):
    stdin(NO_TEXT[kind])
    with pytest.raises(InputError, match=f"Standard input is {kind}"):
        read("-")


def test_a_pattern_gives_no_file_whose_name_says_that_it_is_no_text(tmp_path):
    for name in ("a.txt", "b.rtf", "README"):
        (tmp_path / name).write_text("Text")
    found = find_inputs([f"{tmp_path}/*"])
    assert [file.id for file in found.files] == ["README", "a.txt"]
    assert found.skipped == {".rtf": 1}


def test_it_is_said_what_a_folder_has_instead_of_text(tmp_path):
    (tmp_path / "a.rtf").touch()
    with pytest.raises(InputError, match=r"There is nothing to read in .*, only \.rtf \(1\)\..*plain text"):
        find_inputs([tmp_path])


def test_the_content_of_what_has_a_format_is_not_asked(tmp_path):
    (tmp_path / "a.jsonl").write_text('[{"text": "One."}]')
    (bad,) = read(tmp_path / "a.jsonl")
    assert bad.reason.startswith("not a JSON object")


# What cannot be read, or not in bounded memory.


def test_a_named_pipe_in_a_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "a.txt").write_text("Text")
    for pattern in (tmp_path, f"{tmp_path}/*"):
        found = find_inputs([pattern])
        assert [file.id for file in found.files] == ["a.txt"]
        assert found.skipped == {"named pipe": 1}


def test_a_socket_in_a_folder_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.txt")
        Path("a.txt").write_text("Text")
        assert find_inputs(["."]).skipped == {"socket": 1}


def test_a_named_pipe_that_is_named_itself_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("Text"))
    writer.start()
    (document,) = read(tmp_path / "pipe")
    writer.join()
    assert document.content == "Text"


def test_a_folder_in_a_folder_that_cannot_be_read_is_set_aside(folder, monkeypatch):
    scan = os.scandir

    def scandir(path):
        if str(path) == str(folder / "a"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("os.scandir", scandir)
    found = find_inputs([folder])
    assert found.failed == ((str(folder / "a"), "the folder cannot be read: Permission denied"),)
    bad = next(read_documents(found, vocab=NLP.vocab, max_length=1000))
    assert (bad.file, bad.reason) == found.failed[0]
    assert "b.txt" in {file.id for file in found.files}
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        find_inputs([folder / "a"])


def test_a_link_that_leads_nowhere_is_set_aside(tmp_path):
    (tmp_path / "a.txt").symlink_to("missing")
    (bad,) = read(tmp_path)
    assert "No such file" in bad.reason


def test_links_that_lead_to_one_another_are_set_aside(tmp_path):
    (tmp_path / "a.txt").symlink_to("b.txt")
    (tmp_path / "b.txt").symlink_to("a.txt")
    (tmp_path / "c.txt").write_text("Ada was born in London.")
    first, second, good = read(tmp_path)
    assert [Path(bad.file).name for bad in (first, second)] == ["a.txt", "b.txt"]
    assert "symbolic links" in first.reason
    assert good.content == "Ada was born in London."


@pytest.mark.parametrize("end", [b"", b"\n", b'\n{"text": "Good."}'])
def test_a_line_that_is_too_long_is_set_aside(jsonl, end):
    records = jsonl(b'{"text": "First."}', b'{"text": "' + b"x" * 3_000_000 + end, max_record_size=1000)
    assert [record.id for record in records] == [f"file.jsonl:{line}" for line in range(1, 3 + (len(end) > 1))]
    bad = records[1]
    assert bad.reason.startswith("the record is longer than 1,000 bytes")
    assert bad.record == Excerpt('{"text": "' + "x" * 990, 3_000_010 - 1000 + (end != b""), 19)


def test_a_line_may_be_as_long_as_allowed(jsonl):
    line = '{"text": "One."}'
    assert [record.content for record in jsonl(line, line, max_record_size=len(line))] == ["One.", "One."]


def test_a_long_line_takes_no_memory(tmp_path):
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(64):
            stream.write(b" " * 1_000_000)
    tracemalloc.start()
    (bad,) = read(path, max_record_size=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bad.record.left_out > 63_000_000
    assert peak < 8_000_000


def test_of_a_record_that_is_no_utf8_the_excerpt_is_escaped(jsonl):
    (bad,) = jsonl(b'{"text": "\xff')
    assert bad.record == Excerpt('{"text": "\\xff', 0, 0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_it_is_said_that_a_named_pipe_without_a_writer_is_waited_for(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    messages = queue.Queue()
    monkeypatch.setattr("kgmrca.corpora.inputs._PATIENCE", 0.0)
    monkeypatch.setattr("kgmrca.corpora.inputs.logger.warning", lambda *arguments: messages.put(arguments))
    said = []

    def write():
        said.append(messages.get(timeout=60))
        pipe.write_text("One.")

    writer = threading.Thread(target=write)
    writer.start()
    (document,) = read(pipe)
    writer.join()
    assert document.content == "One."
    message, *names = said[0]
    assert message % tuple(names) == f"kgmrca: '{pipe}' is a named pipe: waiting for a program that writes to it."
