"""Which files some inputs name, and how their content is opened."""

import gzip
import io
import os
from threading import Thread
from types import SimpleNamespace

import pytest

from kgmrca.errors import InputError
from kgmrca.triples.inputs import RdfFile, graph_files, opened_rdf, rdf_files
from kgmrca.triples.read import read_quads

TRIPLE = b"<urn:a> <urn:b> <urn:c> .\n"


def write(path, data=TRIPLE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def content(source, **options):
    with opened_rdf(source, **options) as (stream, _):
        return stream.read()


def test_a_folder_gives_its_rdf_files_in_the_order_of_their_paths(tmp_path):
    for name in ("b.nq.gz", "a/z.ttl", "a/b/c.RDF", "notes.txt", ".hidden.ttl", ".git/x.ttl", "shapes.jsonld"):
        write(tmp_path / name)
    assert rdf_files(tmp_path) == [
        RdfFile(tmp_path / "a/b/c.RDF", "rdfxml"),
        RdfFile(tmp_path / "a/z.ttl", "turtle"),
        RdfFile(tmp_path / "b.nq.gz", "nquads"),
        RdfFile(tmp_path / "shapes.jsonld", "jsonld"),
    ]


def test_files_patterns_and_standard_input_each_once(tmp_path):
    one, two = write(tmp_path / "1.ttl"), write(tmp_path / "2.ttl")
    found = rdf_files([two, "-", str(tmp_path / "*.ttl"), "-", tmp_path])
    assert found == [RdfFile(two, "turtle"), RdfFile("-", "trig"), RdfFile(one, "turtle")]


def test_a_format_is_for_all_files_of_a_folder(tmp_path):
    path = write(tmp_path / "data.txt")
    assert rdf_files(tmp_path, format="nquads") == [RdfFile(path, "nquads")]
    with pytest.raises(InputError, match="no format 'n3'"):
        rdf_files(tmp_path, format="n3")


def test_the_output_is_not_read_where_a_folder_or_a_pattern_gives_it(tmp_path):
    one, output = write(tmp_path / "1.ttl"), write(tmp_path / "out.ttl")
    link = tmp_path / "zlink.ttl"
    link.symlink_to(output)
    assert rdf_files([tmp_path, str(tmp_path / "*.ttl")], output=output) == [RdfFile(one, "turtle")]
    with pytest.raises(InputError, match=r"'.*zlink\.ttl' is an INPUT and would be overwritten"):
        rdf_files([link], output=output)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", r"There is no RDF in '.*empty'"),
        ("missing.ttl", r"no file or folder '.*missing\.ttl'"),
        ("notes.txt", r"'.*notes\.txt' does not say its format"),
        ("*.nq", r"There is no RDF in '.*\*\.nq'"),
    ],
)
def test_an_input_that_gives_nothing_is_an_error(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "notes.txt")
    with pytest.raises(InputError, match=message):
        rdf_files([str(tmp_path / name)])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["a.ttl", "a.nt.gz", "a.rdf"])
def test_rdf_in_utf_16_is_an_error_that_says_so(tmp_path, name, encoding):
    data = TRIPLE.decode().encode(encoding)
    path = write(tmp_path / name, gzip.compress(data) if name.endswith(".gz") else data)
    with pytest.raises(InputError, match="this is in UTF-16 or UTF-32, and RDF is read in UTF-8: save it in UTF-8"):
        list(read_quads(path))


def test_no_inputs_are_an_error():
    with pytest.raises(InputError, match="nothing to read"):
        rdf_files([])


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    write(tmp_path / "a.ttl")
    write(tmp_path / "closed/b.ttl")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match=r"The folder '.*closed' cannot be read: Permission denied"):
        rdf_files(tmp_path)


def test_a_named_pipe_in_a_folder_is_an_error_and_does_not_wait(tmp_path):
    write(tmp_path / "a.ttl")
    os.mkfifo(tmp_path / "b.ttl")
    with pytest.raises(InputError, match=r"b\.ttl' is a named pipe \(FIFO\), not a file"):
        rdf_files(tmp_path)
    assert rdf_files([tmp_path / "b.ttl"]) == [RdfFile(tmp_path / "b.ttl", "turtle")]  # it was asked for


def test_a_link_that_leads_nowhere_is_an_error(tmp_path):
    (tmp_path / "a.ttl").symlink_to(tmp_path / "gone.ttl")
    with pytest.raises(InputError, match=r"a\.ttl' is a link that leads nowhere"):
        rdf_files(tmp_path)


def test_links_that_lead_to_one_another_are_an_error(tmp_path):
    (tmp_path / "a.ttl").symlink_to("b.ttl")
    (tmp_path / "b.ttl").symlink_to("a.ttl")
    with pytest.raises(InputError, match=r"a\.ttl'"):
        rdf_files(tmp_path, output=tmp_path / "graph.nt")


def test_a_pipe_can_be_read_twice_from_a_copy(tmp_path):
    pipe = tmp_path / "pipe.nt"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=[TRIPLE], daemon=True)  # waits for a reader
    writer.start()
    with graph_files([write(tmp_path / "a.nt"), pipe], None) as files:
        assert [len(list(read_quads(path, format=known))) for path, known in files * 2] == [1, 1, 1, 1]
    writer.join()


@pytest.mark.parametrize("name", ["graph.nt", "graph.nt.gz"])
def test_what_is_compressed_is_seen_by_its_content(tmp_path, name):
    assert content(write(tmp_path / name, gzip.compress(TRIPLE))) == TRIPLE
    assert content(write(tmp_path / name, TRIPLE)) == TRIPLE


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_is_left_out(tmp_path, pack):
    path = write(tmp_path / "graph.ttl", pack(b"\xef\xbb\xbf" + TRIPLE))
    assert content(path) == TRIPLE
    assert len(list(read_quads(path))) == 1


@pytest.mark.parametrize("data", [b"", b"\xef", b"\xef\xbb", b"\x1f", b"ab"])
def test_short_contents_stay_as_they_are(data):
    assert content(io.BytesIO(data), format="turtle") == data


def test_a_stream_that_gives_single_bytes_is_read_like_any_other():
    whole = io.BytesIO(gzip.compress(b"\xef\xbb\xbf" + TRIPLE))
    slow = SimpleNamespace(read=lambda size=-1: whole.read(min(size, 1)))
    assert content(slow, format="turtle") == TRIPLE
    assert not whole.closed


BIG = "x" * (16 * 1024 * 1024 + 1)
XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:">'
    '<rdf:Description rdf:about="urn:a"><e:b>{}</e:b></rdf:Description></rdf:RDF>'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("graph.ttl", '<urn:a> <urn:b> "{}" .'),
        ("graph.nq", '<urn:a> <urn:b> "{}" .\n'),
        ("graph.jsonld", '[{{"@id": "urn:a", "urn:b": "{}"}}]'),
        ("graph.rdf", XML),
    ],
)
def test_a_literal_over_16_mib_is_an_error_with_the_files_name(tmp_path, name, text):
    path = write(tmp_path / name, text.format(BIG).encode())
    with pytest.raises(InputError, match=rf"{name}: a literal or an IRI is longer than 16 MiB"):
        list(read_quads(path))


def test_lack_of_memory_is_no_error_of_the_file():
    with pytest.raises(MemoryError), opened_rdf(io.BytesIO(), format="turtle"):
        raise MemoryError
