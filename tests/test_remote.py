"""Inputs and outputs that are not on this machine: on a real S3 server, which only this machine can reach."""

import gzip
import json
import shutil
import sys
import urllib.request
import zipfile

import pytest

import kgmrca
from kgmrca import cli
from kgmrca.convert import convert, find
from kgmrca.errors import DependencyError, InputError, OutputError
from kgmrca.jobs.manifest import Manifest, job_folder
from kgmrca.remote import files_at

fsspec = pytest.importorskip("fsspec", reason="the extra 'remote' is not installed")

pytestmark = pytest.mark.usefixtures("small_shards")

TEXTS = ["Marie Curie was born in Warsaw.", "Warsaw is in Poland.", "Orson Welles wrote and directed Citizen Kane."]


@pytest.fixture
def source(tmp_path):
    """A folder with files of several formats, some records bad, and with some that are not read."""
    folder = tmp_path / "in"
    (folder / "b" / ".hidden").mkdir(parents=True)
    rows = [json.dumps({"id": f"d{number}", "text": TEXTS[number % 3]}) for number in range(40)]
    (folder / "b" / "rows.jsonl.gz").write_bytes(gzip.compress("\n".join([*rows, "no JSON"]).encode()))
    (folder / "b" / ".hidden" / "c.txt").write_text(TEXTS[0])
    (folder / "a b+ü%41.txt").write_text(TEXTS[0])
    (folder / "z.txt").write_bytes(b"\xffbroken")
    (folder / "notes.ttl").touch()
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("inner/d.txt", TEXTS[1])
        archive.writestr("inner/e.txt", b"\xffbroken")
    return folder


@pytest.fixture
def papers(store, source):
    """The store with the same files in it."""
    for path in source.rglob("*"):
        if path.is_file():
            store.put_file(str(path), f"papers/in/{path.relative_to(source).as_posix()}")
    return store


@pytest.fixture
def hosts(monkeypatch):
    """To whom this process connects."""
    asked = []
    is_listening = True

    def listen(event, arguments):
        if is_listening and event in ("socket.connect", "socket.getaddrinfo"):
            asked.append((event, arguments[1] if event == "socket.connect" else arguments[0]))

    sys.addaudithook(listen)
    yield asked
    is_listening = False


def without_run(graph):
    return graph[: graph.index(b" a kgmrca:Run")]


def rows_of(rejected):
    """The records set aside; of the files in which they are, the names in the folder."""
    rows = [json.loads(line) for line in rejected.splitlines()]
    return [row | {"source": row["source"].rpartition("/in/")[2]} for row in rows]


def run(monkeypatch, *arguments):
    """Run the command line in this process; gives the exit code."""
    monkeypatch.setattr(sys, "argv", ["kgmrca", *map(str, arguments)])
    with pytest.raises(SystemExit) as exited:
        cli.main()
    return exited.value.code or 0


def test_the_graph_is_that_of_a_folder_of_this_machine(source, papers, tmp_path, nlp):
    here = convert(source, tmp_path / "graph.ttl", nlp=nlp)
    there = convert("s3://papers/in", "s3://papers/out/graph.ttl", nlp=nlp)
    assert without_run(papers.cat("papers/out/graph.ttl")) == without_run((tmp_path / "graph.ttl").read_bytes())
    rejected = papers.cat("papers/out/graph.ttl.rejected.jsonl")
    assert rows_of(rejected) == rows_of((tmp_path / "graph.ttl.rejected.jsonl").read_bytes())
    assert b'"s3://papers/in/more.zip/inner/e.txt"' in rejected
    assert there.rejected_to == "s3://papers/out/graph.ttl.rejected.jsonl"
    assert (
        (there.documents, there.rejected, there.bytes)
        == (here.documents, here.rejected, here.bytes)
        == (42, 3, here.bytes)
    )
    assert there.skipped == here.skipped == {".ttl": 1}
    assert sorted(papers.ls("papers/out")) == ["papers/out/graph.ttl", "papers/out/graph.ttl.rejected.jsonl"]
    assert not list((tmp_path / "cache").rglob("*.nq"))


@pytest.mark.slow
def test_several_processes_do_without_the_store(source, papers, tmp_path):
    shipped = kgmrca.load()
    convert(source, tmp_path / "graph.ttl", nlp=shipped)
    convert("s3://papers/in", "s3://papers/graph.ttl", nlp=shipped, workers=2)
    assert without_run(papers.cat("papers/graph.ttl")) == without_run((tmp_path / "graph.ttl").read_bytes())


def test_one_file_a_pattern_and_a_compressed_output(source, papers, tmp_path, nlp):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"id": ["p"], "text": [TEXTS[2]]}).to_parquet(source / "t.parquet")
    papers.put_file(str(source / "t.parquet"), "papers/in/t.parquet")
    inputs = [source / "t.parquet", source / "b" / "rows.jsonl.gz", source / "a*.txt"]
    convert(map(str, inputs), tmp_path / "graph.nq.gz", nlp=nlp)
    inputs = ["s3://papers/in/t.parquet", "s3://papers/**/rows.jsonl.gz", "s3://papers/in/a*.txt"]
    convert(inputs, "s3://papers/graph.nq.gz", nlp=nlp)
    here, there = (
        gzip.decompress(data) for data in ((tmp_path / "graph.nq.gz").read_bytes(), papers.cat("papers/graph.nq.gz"))
    )
    assert b"Citizen Kane" in there
    assert there[: there.index(b"#Run>")] == here[: here.index(b"#Run>")]


def test_what_would_be_read_is_listed(papers, monkeypatch, capsys):
    assert (
        run(monkeypatch, "convert", "s3://papers/in/b", "s3://papers/in/z.txt", "-o", "s3://papers/g.ttl", "--dry-run")
        == 0
    )
    size = papers.size("papers/in/b/rows.jsonl.gz")
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"s3://papers/in/b/rows.jsonl.gz\tjsonl\t{size}",
        "s3://papers/in/z.txt\ttext\t7",
    ]
    assert find("s3://papers/in/b", "s3://papers/g.ttl")[1] == 0


def test_an_interrupted_job_goes_on_and_nothing_is_seen_before_it_is_whole(papers, nlp, marks, monkeypatch):
    papers.pipe("papers/graph.ttl", b"of an earlier run")
    convert("s3://papers/in", "s3://papers/whole.ttl", nlp=nlp)
    everything = marks.copy()
    marks.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "changed", lambda manifest, settings: marks.append("began") or [])
        patch.setattr("kgmrca.convert.write", lambda *args, **options: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    assert marks == ["began", *everything]
    assert papers.cat("papers/graph.ttl") == b"of an earlier run"
    assert not papers.exists("papers/graph.ttl.rejected.jsonl")
    assert job_folder("s3://papers/graph.ttl").is_dir()
    marks.clear()
    convert("s3a://papers/in", "s3a://papers/graph.ttl", nlp=nlp)  # which is the same address
    assert marks == []
    assert without_run(papers.cat("papers/graph.ttl")) == without_run(papers.cat("papers/whole.ttl"))
    assert not job_folder("s3://papers/graph.ttl").exists()


def test_an_upload_that_breaks_off_leaves_nothing_and_the_work_is_kept(papers, nlp, marks, monkeypatch):
    papers.pipe("papers/graph.ttl", b"of an earlier run")

    def half(source, target, *args):
        target.write(source.read(100))
        raise TimeoutError("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", half)
        with pytest.raises(OutputError, match=r"^'s3://papers/graph.ttl.*' cannot be written: the line is dead$"):
            convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    assert papers.cat("papers/graph.ttl") == b"of an earlier run"
    assert not papers.exists("papers/graph.ttl.rejected.jsonl")
    done = marks.copy()
    convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    assert marks == done
    assert papers.cat("papers/graph.ttl").startswith(b"@prefix")


def test_records_that_an_earlier_job_set_aside_are_removed(papers, nlp):
    convert("s3://papers/in/z.txt", "s3://papers/graph.ttl", nlp=nlp)
    assert papers.exists("papers/graph.ttl.rejected.jsonl")
    convert("s3://papers/in/b/rows.jsonl.gz", "s3://papers/graph.ttl", nlp=nlp, rejected="s3://papers/bad.jsonl")
    assert rows_of(papers.cat("papers/bad.jsonl"))[0]["line"] == 41
    convert("s3://papers/in/more.zip", "s3://papers/graph.ttl", nlp=nlp)
    papers.pipe("papers/in/more.zip", (papers.cat("papers/in/a b+ü%41.txt")))
    convert("s3://papers/in/more.zip", "s3://papers/graph.ttl", nlp=nlp, input_format="text")
    assert not papers.exists("papers/graph.ttl.rejected.jsonl")


def test_a_file_that_has_gone_since_it_was_listed_is_set_aside(papers, nlp, monkeypatch):
    monkeypatch.setattr("kgmrca.corpora.inputs.files_at", lambda url: (files_at(url), papers.rm("papers/in/z.txt"))[0])
    summary = convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    assert (summary.documents, summary.rejected) == (42, 3)
    (row,) = [row for row in rows_of(papers.cat("papers/graph.ttl.rejected.jsonl")) if row["id"] == "z.txt"]
    assert row["reason"].startswith("cannot be read (any further): [Errno 2] it is not there any more")


def test_an_output_that_would_be_read_is_refused(papers, nlp):
    before = papers.cat("papers/in/z.txt")
    with pytest.raises(InputError, match=r"^'s3a://papers/in/z.txt' is an INPUT and would be overwritten"):
        convert("s3://papers/in", "s3a://papers/in/z.txt", nlp=nlp, format="nquads")
    with pytest.raises(InputError, match=r"lies in the folder 's3://papers/in/', which this command reads"):
        convert("s3://papers/in/", "s3://papers/in/b/new.txt", nlp=nlp, format="nquads")
    with pytest.raises(InputError, match="are the same file"):
        convert("s3://papers/in/", "s3://papers/g.ttl", nlp=nlp, rejected="s3a://papers/g.ttl")
    assert papers.cat("papers/in/z.txt") == before
    convert("s3://papers/in/", "s3://papers/in/new.ttl", nlp=nlp)  # which no folder gives
    convert("s3://papers/in/", "s3://papers/in/new.ttl", nlp=nlp)


@pytest.mark.parametrize(
    ("inputs", "output", "said"),
    [
        ("s3://papers/none", "s3://papers/g.ttl", "There is no file or folder 's3://papers/none'."),
        ("s3://nobody/in", "s3://papers/g.ttl", "There is no file or folder 's3://nobody/in'."),
        ("s3://papers/in", "s3://nobody/g.ttl", "There is no 's3://nobody' to write 's3://nobody/g.ttl' in."),
        ("s3://papers/in", "s3://papers/", "'s3://papers/' is no file: name a file to write."),
        ("s3://papers/in", "s3://papers/graphs/", "'s3://papers/graphs/' is no file: name a file to write."),
        ("s3://papers/q*", "s3://papers/g.ttl", "There is nothing to read in 's3://papers/q*'"),
        ("s3://", "s3://papers/g.ttl", "'s3://' cannot be read: "),
        ("s3://me:secret@papers/in", "s3://papers/g.ttl", "An address must have no password in it"),
        ("https://example.org/in", "s3://papers/g.ttl", "'https://example.org/in' is not read: download it first"),
        ("zip://a::s3://papers/in", "s3://papers/g.ttl", "'zip://a::s3://papers/in' is not read: download it first"),
        ("nosuch://in", "s3://papers/g.ttl", "'nosuch://in' cannot be used: Protocol not known: nosuch"),
        ("s3://papers/in/notes.ttl", "s3://papers/g.ttl", "'s3://papers/in/notes.ttl' is RDF, so a graph already"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(papers, monkeypatch, capsys, inputs, output, said):
    assert run(monkeypatch, "convert", inputs, "-o", output) == 2
    messages = capsys.readouterr().err
    assert messages.startswith(f"kgmrca: {said}")
    assert len(messages.splitlines()) == 1
    assert "secret" not in messages
    assert sorted(papers.ls("papers")) == ["papers/in"]


def demand_credentials(server, from_request):
    headers = {"Content-Type": "text/plain"}
    url = f"{server}/moto-api/reset-auth"
    urllib.request.urlopen(urllib.request.Request(url, from_request, headers, method="POST")).close()


def test_refused_credentials_are_said(papers, s3_server, no_store, capsys):
    type(papers).clear_instance_cache()
    demand_credentials(s3_server, b"0")
    try:
        assert run(no_store, "convert", "s3://papers/in", "-o", "s3://papers/g.ttl") == 2
    finally:
        demand_credentials(s3_server, b"inf")
    assert capsys.readouterr().err == "kgmrca: 's3://papers/g.ttl' cannot be read: access is refused (Forbidden)\n"


def test_no_credentials_are_said(s3_server, no_store, capsys, hosts):
    no_store.setenv("AWS_ENDPOINT_URL", s3_server)
    assert run(no_store, "convert", "s3://papers/in", "-o", "-") == 2
    assert capsys.readouterr().err == "kgmrca: 's3://papers/in' cannot be read: Unable to locate credentials\n"
    assert not hosts


def test_nobody_is_asked_but_who_was_named(papers, s3_server, no_store, nlp, hosts):
    no_store.delenv("AWS_EC2_METADATA_DISABLED")
    convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    host, _, port = s3_server.removeprefix("http://").partition(":")
    assert {where for event, where in hosts if event == "socket.connect"} == {(host, int(port))}
    assert {where for event, where in hosts if event == "socket.getaddrinfo"} <= {host}


@pytest.mark.slow
def test_a_server_that_is_not_there_is_said(no_store, capsys):
    no_store.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    no_store.setenv("AWS_ACCESS_KEY_ID", "test")
    no_store.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert run(no_store, "convert", "s3://papers/in", "-o", "-") == 2
    said = "kgmrca: 's3://papers/in' cannot be read: Could not connect to the endpoint URL: "
    assert capsys.readouterr().err.startswith(said)


def test_a_fault_while_files_are_read_ends_the_job_and_nothing_is_lost(papers, nlp, marks, monkeypatch, capsys):
    fetch = type(papers).get_file

    def dying(system, remote, local, **options):
        if "z.txt" in remote:
            raise ConnectionError("the line is dead")
        return fetch(system, remote, local, **options)

    with monkeypatch.context() as patch:
        patch.setattr(type(papers), "get_file", dying)
        with pytest.raises(InputError, match=r"^'s3://papers/in/z.txt' cannot be read: the line is dead$"):
            convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    done = marks.copy()
    assert done
    convert("s3://papers/in", "s3://papers/graph.ttl", nlp=nlp)
    assert len(marks) == len(set(marks))


@pytest.mark.parametrize(("missing", "url"), [("fsspec.core", "memory://in"), ("s3fs", "s3://papers/in")])
def test_a_missing_extra_is_named(no_store, missing, url):
    no_store.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)  # it may be loaded already
    no_store.setitem(sys.modules, missing, None)
    with pytest.raises(DependencyError, match=r"pip install 'kgmrca\[remote\]'"):
        files_at(url)


def test_every_file_system_of_fsspec_serves(source, tmp_path, nlp, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.put(str(source / "b"), "/corpus/", recursive=True)
    convert("memory://corpus", "memory://graph.ttl", nlp=nlp)
    convert(f"file://{source}/b", f"file://{tmp_path}/graph.ttl", nlp=nlp)
    convert(source / "b", tmp_path / "here.ttl", nlp=nlp)
    here = without_run((tmp_path / "here.ttl").read_bytes())
    assert without_run((tmp_path / "graph.ttl").read_bytes()) == here
    assert without_run(memory.cat("/graph.ttl")) == here
    memory.rm("/", recursive=True)


def test_texts_are_saved_on_this_machine_only(source, nlp, tmp_path):
    with pytest.raises(InputError, match="The texts are written to a folder of this machine, not to 's3://texts'"):
        convert(source, tmp_path / "graph.ttl", nlp=nlp, save_text="s3://texts")
    assert not (tmp_path / "graph.ttl").exists()


def test_the_summary_stands_beside_the_output(papers, no_store, capsys, tmp_path):
    assert run(no_store, "convert", "s3://papers/in/b", "-o", "s3://papers/g.ttl", "--rejected", "s3://papers/bad") == 1
    summary = json.loads(papers.cat("papers/g.ttl.summary.json"))
    assert (summary["documents"], summary["rejected_to"]) == (40, "s3://papers/bad")
    assert "-> s3://papers/g.ttl; 1 record set aside -> s3://papers/bad" in capsys.readouterr().err
    assert run(no_store, "convert", "s3://papers/", "-o", "s3://papers/g.ttl", "--dry-run") == 0
    assert "summary" not in capsys.readouterr().out
