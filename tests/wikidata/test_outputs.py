"""What the commands do to files: what they read stays, and what they write is whole or not there."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading

import pytest
from graphs import KGMRCA, WD, link, statement, write_graph
from pyoxigraph import Literal as Text
from pyoxigraph import NamedNode, Triple
from server import WIKIDATA, Answer

from kgmrca.errors import InputError, OutputError
from kgmrca.wikidata.check import check
from kgmrca.wikidata.enrich import enrich
from kgmrca.wikidata.link import link_graphs
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import ENDPOINTS, open_endpoint

COMMANDS = ["link", "check", "enrich"]
ENTITY = "urn:kgmrca:entity/curie"
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
PARTS = [
    statement(ENTITY, "P19", "urn:kgmrca:entity/warsaw"),
    Triple(NamedNode(ENTITY), LABEL, Text("Marie Curie")),
    Triple(NamedNode("urn:kgmrca:entity/warsaw"), LABEL, Text("Warsaw")),
]


@pytest.fixture
def graph(tmp_path):
    return write_graph(tmp_path / "graph.ttl", *PARTS, link(ENTITY, "Q7186"))


@pytest.fixture
def wikidata(tmp_path):
    """A local Wikidata of its own, alone in a folder."""
    folder = tmp_path / "wikidata"
    folder.mkdir()
    (folder / "w.ttl").write_bytes(WIKIDATA.read_bytes())
    return folder / "w.ttl"


@pytest.fixture
def checked(tmp_path):
    """A graph of many facts that are new to Wikidata."""
    parts = []
    for number in range(1, 3000):
        node = NamedNode(f"urn:kgmrca:check/{number}")
        parts += [
            statement("Q7186", "P19", f"Q{number}", number=number),
            Triple(node, NamedNode(f"{KGMRCA}checked"), NamedNode(f"urn:kgmrca:statement/{number}")),
            Triple(node, NamedNode(f"{KGMRCA}verdict"), Text("new")),
        ]
    return write_graph(tmp_path / "checked.ttl", *parts)


def do(command, graphs, lookups, output, **options):
    if command == "link":
        return link_graphs(graphs, lookups, output, **options)
    if command == "check":
        return check(graphs, lookups, output, **options)
    return enrich(graphs, lookups, output, properties=["P19"], **options)


def names(tmp_path, path):
    """Other names of a file."""
    (tmp_path / "symbolic.ttl").symlink_to(path)
    os.link(path, tmp_path / "hard.ttl")
    return [path, tmp_path / "symbolic.ttl", tmp_path / "hard.ttl", tmp_path / "wikidata" / ".." / path.name]


### What is read stays


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", [0, 1, 2])
@pytest.mark.parametrize("where", ["file", "folder"])
def test_the_local_wikidata_is_not_overwritten(graph, wikidata, tmp_path, command, name, where):
    before = wikidata.read_bytes()
    output = names(tmp_path, wikidata)[name]
    lookups = Lookups(open_endpoint(wikidata if where == "file" else wikidata.parent), cache=None)
    with pytest.raises(InputError, match=r"overwritten|which this command reads"):
        do(command, [graph], lookups, output)
    assert wikidata.read_bytes() == before
    assert lookups.endpoint.queries == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_put_where_it_would_be_read_as_wikidata(graph, wikidata, command):
    lookups = Lookups(open_endpoint(wikidata.parent), cache=None)
    with pytest.raises(InputError, match="which this command reads"):
        do(command, [graph], lookups, wikidata.parent / "new.ttl")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_cache_is_not_overwritten(graph, wikidata, tmp_path, command):
    cache = tmp_path / "cache.ttl"
    with Lookups(open_endpoint(wikidata), cache=cache) as lookups:
        lookups.items(["Q90"])
    with Lookups(open_endpoint(wikidata), cache=cache) as lookups, pytest.raises(InputError, match="overwritten"):
        do(command, [graph], lookups, cache)
    assert cache.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", range(4))
def test_the_graph_is_not_overwritten(graph, wikidata, tmp_path, command, name):
    before = graph.read_bytes()
    with Lookups(open_endpoint(wikidata), cache=None) as lookups, pytest.raises(InputError, match="overwritten"):
        do(command, [graph], lookups, names(tmp_path, graph)[name])
    assert graph.read_bytes() == before


@pytest.mark.parametrize("option", ["csv", "jsonl"])
def test_no_table_of_a_check_overwrites_what_is_read(graph, wikidata, option):
    before = wikidata.read_bytes(), graph.read_bytes()
    with Lookups(open_endpoint(wikidata), cache=None) as lookups:
        for path in (graph, wikidata):
            with pytest.raises(InputError, match="overwritten"):
                check([graph], lookups, **{option: path})
    assert (wikidata.read_bytes(), graph.read_bytes()) == before


### Folders and patterns


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("given", [["graphs"], ["graphs/*.ttl", "graphs/deep/*"], ["graphs/a.ttl", "graphs/deep"]])
def test_graphs_are_taken_from_folders_and_patterns(tmp_path, wikidata, monkeypatch, command, given):
    (tmp_path / "graphs" / "deep").mkdir(parents=True)
    write_graph(tmp_path / "graphs" / "a.ttl", *PARTS, link(ENTITY, "Q7186"))
    write_graph(tmp_path / "graphs" / "deep" / "b.nt.gz", statement("Q7504", "P19", "Q90", number=1))
    monkeypatch.chdir(tmp_path)
    with Lookups(open_endpoint(wikidata), cache=None) as lookups:
        do(command, given, lookups, tmp_path / "out.nt")
    text = (tmp_path / "out.nt").read_text()
    assert "Q7186" in text if command == "enrich" else "statement/0" in text
    assert "Q7504" in text if command == "enrich" else "statement/1" in text


### What is written is whole or not there


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """There is no room in the system's folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "no such folder"))
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "no such folder"))


@pytest.mark.parametrize("command", COMMANDS)
def test_temporary_files_lie_beside_the_output(graph, wikidata, tmp_path, nowhere, command):
    (tmp_path / "out").mkdir()
    with Lookups(open_endpoint(wikidata), cache=None) as lookups:
        do(command, [graph], lookups, tmp_path / "out" / "out.ttl")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["out.ttl"]


def run(*arguments, limit=None, **options):
    """Run kgmrca; with a `limit`, a file of more bytes is as on a full disk."""

    def restrict():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "kgmrca", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=restrict if limit else None, **options
    )


def arguments(command, graph, wikidata):
    return [command, graph, "--endpoint", wikidata, *(["--preset", "basics"] if command == "enrich" else [])]


@pytest.mark.parametrize(
    ("command", "limit"), [("link", 200), ("link", 30_000), ("check", 200), ("check", 30_000), ("enrich", 200)]
)
def test_a_full_disk_is_one_line_that_names_the_output(tmp_path, wikidata, command, limit):
    many = [statement(f"Q{number}", "P19", "Q270", number=number) for number in range(1, 1000)]
    graph = write_graph(tmp_path / "big.ttl", *many, *[link(f"{WD}Q7186", "Q7186")] * 2)
    output = tmp_path / "out" / "out.ttl"
    output.parent.mkdir()
    output.write_text("what was there before")
    done = run(*arguments(command, graph, wikidata), "-o", output, limit=limit)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith(f"kgmrca: '{output}' cannot be written: ")
    assert [path.name for path in output.parent.iterdir()] == ["out.ttl"]
    assert output.read_text() == "what was there before"


def test_an_error_of_the_temporary_database_names_the_output(graph, wikidata, tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.link._CHUNK", 1)
    monkeypatch.setattr("kgmrca.wikidata.link._TABLES", "PRAGMA max_page_count = 1; CREATE TABLE one (cell);")
    lookups = Lookups(open_endpoint(wikidata), cache=None)
    with pytest.raises(OutputError, match=r"out.ttl' cannot be written: temporary database in"):
        link_graphs([graph], lookups, tmp_path / "out.ttl")
    assert not (tmp_path / "out.ttl").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_killed_run_left_is_removed_by_the_next(wikidata, tmp_path, server, command):
    graph = write_graph(tmp_path / "graph.ttl", *PARTS, statement("Q7186", "P19", "Q270", number=1))
    asked = threading.Event()

    def hold(query):
        asked.set()
        return Answer(hold=True)

    server.otherwise = hold
    output = tmp_path / "out" / "out.ttl"
    output.parent.mkdir()
    output.write_text("what was there before")
    given = [*map(str, arguments(command, graph, server.url)), "--cache", str(tmp_path / "cache.sqlite")]
    process = subprocess.Popen([sys.executable, "-m", "kgmrca", *given, "-o", str(output)])
    try:
        assert asked.wait(60)
    finally:
        process.kill()
        process.wait()
    assert len(list(output.parent.iterdir())) > 1
    assert output.read_text() == "what was there before"
    done = run(*arguments(command, graph, wikidata), "-o", output)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in output.parent.iterdir()] == ["out.ttl"]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_without_a_folder_is_one_line(graph, wikidata, tmp_path, command):
    output = tmp_path / "nowhere" / "out.ttl"
    done = run(*arguments(command, graph, wikidata), "-o", output)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert str(tmp_path / "nowhere") in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_graph_is_said_alike(wikidata, tmp_path, command):
    done = run(*arguments(command, tmp_path / "no.ttl", wikidata), "-o", tmp_path / "out.ttl")
    assert (done.returncode, done.stderr) == (2, f"kgmrca: There is no file or folder '{tmp_path / 'no.ttl'}'.\n")
    assert not (tmp_path / "out.ttl").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_pipe_ends_with_141(tmp_path, wikidata, command):
    graph = write_graph(tmp_path / "g.ttl", *[statement("Q7186", "P19", "Q270", number=one) for one in range(3000)])
    program = [sys.executable, "-m", "kgmrca", *map(str, arguments(command, graph, wikidata)), "-o", "-"]
    end, start = os.pipe()
    os.close(end)
    done = subprocess.run(program, stdout=start, stderr=subprocess.PIPE, check=False)
    os.close(start)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "outputs",
    [["-o", "out/new.tsv"], ["-o", "out/new.csv"], ["--accept", "new.tsv", "--quickstatements", "out/new.qs"]],
)
def test_a_full_disk_leaves_the_table_and_the_commands_of_before(checked, tmp_path, outputs):
    (tmp_path / "out").mkdir()
    output = tmp_path / outputs[-1]
    run("diff", checked, "-o", "new.tsv", cwd=tmp_path)
    text = (tmp_path / "new.tsv").read_text().replace("\n\tnew", "\nx\tnew")
    (tmp_path / "new.tsv").write_text(text)
    output.write_text(text if "-o" in outputs else "what was there before")
    before = output.read_bytes()
    done = run("diff", checked, *outputs, cwd=tmp_path, limit=5000)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith(f"kgmrca: '{outputs[-1]}' cannot be written: ")
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    assert output.read_bytes() == before


def test_a_list_into_a_closed_pipe_ends_with_141(checked):
    end, start = os.pipe()
    os.close(end)
    program = [sys.executable, "-m", "kgmrca", "diff", checked, "-o", "-"]
    done = subprocess.run(program, stdout=start, stderr=subprocess.PIPE, check=False)
    os.close(start)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("missing", ["graph", "table"])
def test_a_missing_file_is_said_alike_by_diff(checked, tmp_path, missing):
    path = tmp_path / "nowhere.tsv"
    given = (
        [path, "-o", "new.tsv"] if missing == "graph" else [checked, "--accept", path, "--quickstatements", "new.qs"]
    )
    done = run("diff", *given, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"kgmrca: There is no file or folder '{path}'.\n")
    assert {one.name for one in tmp_path.iterdir()} == {"checked.ttl"}


def test_a_list_is_taken_from_a_folder(checked, tmp_path):
    (tmp_path / "graphs").mkdir()
    checked.rename(tmp_path / "graphs" / "checked.ttl")
    done = run("diff", "graphs", "-o", "new.tsv", cwd=tmp_path)
    assert (done.returncode, len((tmp_path / "new.tsv").read_text().splitlines())) == (0, 3000)


@pytest.mark.parametrize("option", ["--csv", "--jsonl"])
def test_a_full_disk_leaves_no_table_of_a_check(tmp_path, wikidata, option):
    many = [statement(f"Q{number}", "P19", "Q270", number=number) for number in range(1, 1000)]
    graph, output = write_graph(tmp_path / "big.ttl", *many), tmp_path / "out" / "checks"
    output.parent.mkdir()
    output.write_text("what was there before")
    done = run(*arguments("check", graph, wikidata), option, output, "-o", output.parent / "out.ttl", limit=30_000)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert f"{output.parent}" in done.stderr
    assert [path.name for path in output.parent.iterdir()] == ["checks"]
    assert output.read_text() == "what was there before"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_local_wikidata_needs_no_home(graph, wikidata, tmp_path, command):
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    done = run(*arguments(command, graph, wikidata), "-o", tmp_path / "out.ttl", env=environment)
    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []


def test_offline_a_cache_is_enough(tmp_path, wikidata_url):
    graph, cache = write_graph(tmp_path / "graph.ttl", statement("Q7186", "P19", "Q270")), tmp_path / "cache.sqlite"
    with Lookups(open_endpoint(wikidata_url), cache=cache) as lookups:
        check([graph], lookups)
    connection = sqlite3.connect(cache)
    connection.execute("UPDATE endpoints SET name = ?", (ENDPOINTS["wikidata"],))
    connection.commit()
    connection.close()
    done = run("check", graph, "--endpoint", "wikidata", "--offline", "--cache", cache, "--csv", tmp_path / "out.csv")
    assert done.returncode == 0, done.stderr
    assert ",confirmed," in (tmp_path / "out.csv").read_text()


### What a check says of a graph without links


def test_a_check_of_a_graph_without_links_says_to_link_it_first(tmp_path, wikidata):
    graph = write_graph(tmp_path / "graph.ttl", *PARTS)
    with Lookups(open_endpoint(wikidata), cache=None) as lookups:
        words = check([graph], lookups).in_words("here")
        assert "kgmrca link" in words
        linked = write_graph(tmp_path / "linked.ttl", *PARTS, link(ENTITY, "Q7186"), statement("Q7186", "P19", "Q270"))
        assert "kgmrca link" not in check([linked], lookups).in_words("here")


### Progress


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("progress", "is_said"), [(None, True), (False, False)])
def test_a_log_gets_lines_now_and_then(graph, wikidata, tmp_path, monkeypatch, capsys, command, progress, is_said):
    monkeypatch.setattr("kgmrca.progress._now", iter(range(0, 10**6, 100)).__next__)  # so many seconds at each look
    with Lookups(open_endpoint(wikidata), cache=None, progress=progress) as lookups:
        do(command, [graph], lookups, tmp_path / "out.ttl", progress=progress)
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("kgmrca: ") and "passed" in line for line in lines)
    assert bool(lines) == is_said
