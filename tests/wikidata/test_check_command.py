import csv
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from graphs import KGMRCA, statement, write_graph
from helpers import read_rdf
from server import Answer

from kgmrca import cli

TESTS = Path(__file__).parents[1]
STATEMENTS = [
    (("Q7186", "P19", "Q270"), "confirmed"),
    (("Q7186", "P569", "1867", "gYear"), "confirmed"),
    (("Q7186", "P569", "1867-11-07", "date"), "confirmed"),
    (("Q7186", "P569", "1867-11-08", "date"), "soft conflict"),
    (("Q7186", "P569", "1901", "gYear"), "conflict"),
    (("Q7186", "P19", "Q90"), "deprecated"),
    (("Q7186", "P19", "Q36"), "soft conflict"),
    (("Q7186", "P19", "Q142"), "conflict"),
    (("Q999999001", "P19", "Q270"), "confirmed"),
    (("Q37463", "P26", "Q7186"), "confirmed"),
    (("Q7186", "P8810", "Q37463"), "new"),
    (("Q7504", "P8810", "Q7186"), "confirmed by inverse"),
    (("Q7186", "P1706", "Q37463"), "confirmed by qualifier"),
    (("Q7186", "P580", "1895", "gYear"), "confirmed by qualifier"),
    (("Q270", "P131", "Q36"), "confirmed by transitivity"),
    (("Q7504", "P276", "Q90"), "confirmed by sub-property"),
    (("Q243", "P2048", "330", "integer"), "confirmed"),
    (("Q7186", "P742", "Marya", ""), "unknown value"),
    (("Q243", "P19", "Q90"), "type violation"),
    (("Q7186", "P19", "Warsaw", ""), "unlinked"),
    (("Q7186", "P19", "Q888888888"), "unlinked"),
    (("Q7186", "urn:kgmrca:relation/haunts", "Q270"), "unmapped"),
    (("Q7186", "P99999", "Q270"), "unmapped"),
]
VERDICTS = [verdict for _, verdict in STATEMENTS]


@pytest.fixture
def graph(tmp_path):
    return write_graph(
        tmp_path / "graph.ttl",
        *(
            statement(*what[:3], datatype=what[3] if len(what) > 3 else None, number=number)
            for number, (what, _) in enumerate(STATEMENTS)
        ),
    )


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run `kgmrca check` in this process with a cache of its own; gives the exit code."""
    before = signal.getsignal(signal.SIGTERM)

    def run_main(*arguments):
        command = ["kgmrca", "check", *map(str, arguments), "--cache", str(tmp_path / "facts.sqlite")]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as exited:
            cli.main()
        return exited.value.code or 0

    yield run_main
    signal.signal(signal.SIGTERM, before)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("where", ["wikidata_url", "wikidata_file"])
def test_every_statement_gets_its_verdict_from_a_server_and_from_a_file(run, graph, tmp_path, request, where):
    assert run(graph, "--endpoint", request.getfixturevalue(where), "--csv", tmp_path / "out.csv") == 0
    assert [row["verdict"] for row in rows(tmp_path / "out.csv")] == VERDICTS


def test_all_outputs_are_written_and_the_summary_is_printed(run, graph, tmp_path, wikidata_url, capsys):
    output, lines = tmp_path / "out.nt.gz", tmp_path / "out.jsonl"
    assert run(graph, "--endpoint", wikidata_url, "-o", output, "--jsonl", lines) == 0
    assert [json.loads(line)["verdict"] for line in lines.read_text().splitlines()] == VERDICTS
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "confirmed                            6    26.1%\n" in captured.err
    assert f"kgmrca: 23 statements checked against {wikidata_url}: " in captured.err


DIRECT = "http://www.wikidata.org/prop/direct"
ENTITY = "http://www.wikidata.org/entity"


def test_a_blank_node_and_an_id_in_lower_case_are_counted_and_understood(run, tmp_path, wikidata_url):
    graph = tmp_path / "plain.ttl"
    graph.write_text(
        f"<{ENTITY}/Q7186> <{DIRECT}/P19> <{ENTITY}/q270> ; <{DIRECT}/P570> [] .\n"
        f"<https://www.wikidata.org/wiki/q7186> <{DIRECT}/P742> _:x .\n"
    )
    outputs = tmp_path / "first.csv", tmp_path / "second.csv"
    for output in outputs:
        assert run(graph, "--endpoint", wikidata_url, "--csv", output) == 0
    found = {row["predicate"].rpartition("/")[2]: row for row in rows(outputs[0])}
    assert {name: row["verdict"] for name, row in found.items()} == {
        "P19": "confirmed",
        "P570": "unlinked",
        "P742": "confirmed",  # Wikidata says that it is unknown, too
    }
    assert "unknown value" in found["P570"]["reason"]
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_an_endpoint_without_the_items_is_told_from_a_graph_without_links(run, graph, tmp_path, capsys):
    empty, unlinked = tmp_path / "empty.nt", tmp_path / "unlinked.ttl"
    empty.write_text("<urn:a> <urn:b> <urn:c> .\n")
    write_graph(unlinked, statement("urn:a", "P19", "urn:b"))
    assert run(graph, "--endpoint", empty) == 1
    told = capsys.readouterr().err
    assert "does it have Wikidata's data?" in told
    assert "run kgmrca link first" not in told
    assert run(unlinked, "--endpoint", empty) == 0
    told = capsys.readouterr().err
    assert "run kgmrca link first" in told
    assert "does it have" not in told


def test_a_statement_that_no_property_takes_is_no_sign_that_the_endpoint_lacks_items(
    run, tmp_path, wikidata_url, capsys
):
    graph = tmp_path / "plain.ttl"
    graph.write_text(
        f'<{ENTITY}/Q7186> <{DIRECT}/P19> "1867-11-07"^^<http://www.w3.org/2001/XMLSchema#date> .\n', encoding="utf-8"
    )
    assert run(graph, "--endpoint", wikidata_url, "--csv", tmp_path / "checks.csv") == 0
    assert [row["verdict"] for row in rows(tmp_path / "checks.csv")] == ["unlinked"]
    assert "does it have" not in capsys.readouterr().err


def test_offline_without_answers_says_why(run, graph, wikidata_url, capsys):
    run(graph, "--endpoint", wikidata_url, "--offline")
    assert "Offline, only answers in the cache" in capsys.readouterr().err


def test_a_graph_given_as_the_cache_is_not_called_dispensable(graph, wikidata_url, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["kgmrca", "check", str(graph), "--endpoint", wikidata_url, "--cache", __file__])
    with pytest.raises(SystemExit):
        cli.main()
    assert "If this one is a damaged cache, and nothing else" in capsys.readouterr().err


def test_a_verdict_names_the_statement_of_wikidata(run, graph, tmp_path, wikidata_url):
    run(graph, "--endpoint", wikidata_url, "--csv", tmp_path / "out.csv")
    basis = rows(tmp_path / "out.csv")[5]
    assert basis["basis"] == "http://www.wikidata.org/entity/statement/Q7186-P19-2"
    assert (basis["basis_property"], basis["basis_value"]) == ("P19", "Q90")


def test_a_second_run_asks_nothing_and_says_the_same(run, graph, tmp_path, wikidata_url, capsys):
    run(graph, "--endpoint", wikidata_url, "--csv", tmp_path / "first.csv")
    assert run(graph, "--endpoint", wikidata_url, "--csv", tmp_path / "second.csv") == 0
    assert ": 0 queries, " in capsys.readouterr().err.splitlines()[-1]
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()


def test_refresh_asks_again(run, graph, wikidata_url, capsys):
    run(graph, "--endpoint", wikidata_url)
    run(graph, "--endpoint", wikidata_url, "--refresh")
    assert ": 0 queries, " not in capsys.readouterr().err


def test_offline_what_was_not_asked_before_is_not_checked(run, graph, tmp_path, wikidata_url):
    assert run(graph, "--endpoint", wikidata_url, "--offline", "--csv", tmp_path / "out.csv") == 1
    found = rows(tmp_path / "out.csv")
    assert {row["verdict"] for row in found} == {"not checked", "unmapped"}
    assert found[0]["reason"] == "A look-up failed: not in the cache, and offline."


def test_a_server_that_refuses_leaves_all_unchecked(run, graph, tmp_path, server):
    server.otherwise = lambda query: Answer(status=403, body=b"Who are you?", headers={"Content-Type": "text/plain"})
    assert run(graph, "--endpoint", server.url, "--csv", tmp_path / "out.csv") == 1
    found = rows(tmp_path / "out.csv")
    assert {row["verdict"] for row in found} == {"not checked", "unmapped"}
    assert found[0]["reason"] == "A look-up failed: refused (403)."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--endpoint", "nowhere.ttl"], "There is no file or folder 'nowhere.ttl'"),
        (["--endpoint", "wikidata"], "say with `contact`"),
        (["--endpoint", "http://127.0.0.1:1/", "-o", "out.xyz"], "does not say its format"),
    ],
)
def test_what_cannot_be_done_is_exit_code_2(run, graph, capsys, arguments, message):
    assert run(graph, *arguments) == 2
    assert message in capsys.readouterr().err


def test_rdf_goes_to_standard_output(run, graph, wikidata_file, capfdbinary):
    assert run(graph, "--endpoint", wikidata_file, "-o", "-", "--format", "ntriples") == 0
    rdf = read_rdf(capfdbinary.readouterr().out, "ntriples")
    assert sum(p == f"<{KGMRCA}verdict>" for _, p, _ in rdf) == len(STATEMENTS)


def test_an_interrupted_run_goes_on_where_it_was(run, graph, tmp_path, wikidata_url, server, capsys):
    def pass_on(query):
        body = urllib.parse.urlencode({"query": query}).encode()
        request = urllib.request.Request(wikidata_url, body, {"Accept": "application/sparql-results+json"})
        with urllib.request.urlopen(request) as response:
            return Answer(body=response.read())

    server.otherwise = lambda query: pass_on(query) if len(server.queries) < 3 else Answer(hold=True)
    arguments = ["--endpoint", server.url, "--csv", tmp_path / "out.csv"]
    command = ["check", graph, *arguments, "--cache", tmp_path / "facts.sqlite"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from kgmrca.cli import main; main()", *map(str, command)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
        # Where the tests themselves run in the background, a shell has them ignore this signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(server.queries) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert {path.suffix for path in tmp_path.iterdir()} <= {".ttl", ".sqlite", ".sqlite-shm", ".sqlite-wal"}
    answered = [query for query in server.queries[:2] if "VALUES ?d0" not in query]  # which is about no item
    server.otherwise = pass_on
    assert run(graph, *arguments) == 0
    assert [row["verdict"] for row in rows(tmp_path / "out.csv")] == VERDICTS
    assert not set(answered) & set(server.queries[3:])
