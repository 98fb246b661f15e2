import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse
from typer.testing import CliRunner

from kgmrca.cli import app

STATEMENT = """
<urn:kgmrca:document/{document}> a prov:Entity ; dcterms:identifier "{document}" .
<urn:x:{document}/Curie> rdfs:label "Marie Curie" ; kgmrca:entityType "PERSON" .
<urn:x:statement/{document}> a rdf:Statement ; rdf:subject <urn:x:{document}/Curie> ;
    rdf:predicate wdt:P569 ; rdf:object "{year}"^^xsd:gYear ; kgmrca:confidence {confidence} ;
    kgmrca:relationLabel "date of birth" ; kgmrca:subjectMention <urn:kgmrca:document/{document}#char=0,11> ;
    kgmrca:objectMention <urn:kgmrca:document/{document}#char=24,28> ;
    prov:wasDerivedFrom <urn:kgmrca:document/{document}> .
"""
PREFIXES = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix kgmrca: <https://w3id.org/kgmrca#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def turtle(document, year="1867", confidence="0.5"):
    return PREFIXES + STATEMENT.format(document=document, year=year, confidence=confidence)


@pytest.fixture
def graphs(tmp_path):
    for document, year in (("a", "1867"), ("b", "1867"), ("c", "1868")):
        (tmp_path / f"{document}.ttl").write_text(turtle(document, year))
    return [str(tmp_path / f"{name}.ttl") for name in "abc"]


def run(*arguments, **options):
    return CliRunner().invoke(app, ["merge", *map(str, arguments)], **options)


def test_it_says_what_it_did(tmp_path, graphs):
    out = tmp_path / "out.ttl"
    done = run(*graphs, "-o", out)
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == (
        f"kgmrca: 3 files, 3 statements, 3 of them distinct -> {out}; 2 facts, 1 of them in several documents; "
        "1 cluster; 1 conflict (several objects 1)\n"
    )
    assert b"kgmrca:confidence 0.6464" in out.read_bytes()  # 1 - 0.5 * sqrt(0.5)


def test_standard_output_holds_data_only(graphs):
    done = run(*graphs, "-o", "-", "--format", "ntriples")
    assert "urn:kgmrca:fact/" in done.stdout
    assert len(list(parse(done.stdout.encode(), RdfFormat.N_TRIPLES))) == done.stdout.count("\n")


def test_standard_input_is_one_of_the_graphs(tmp_path, graphs, monkeypatch):
    both = run(*graphs[:2], "-o", tmp_path / "out.nt")
    assert both.exit_code == 0
    done = run(graphs[0], "-", "-o", "-", "--format", "ntriples", input=turtle("b"))
    assert done.stdout == (tmp_path / "out.nt").read_text()


def test_standard_input_in_another_format(graphs):
    triples = run(graphs[0], "-o", "-", "--format", "rdfxml").stdout
    done = run("-", "-o", "-", "--input-format", "rdfxml", input=triples)
    assert done.stdout == run(graphs[0], "-o", "-").stdout


def test_options_are_passed_on(graphs):
    options = ["--format", "nquads", "--provenance", "graphs", "--base", "http://x.org/", "--max-cluster", 1]
    done = run(*graphs, "-o", "-", *options)
    assert "(large cluster 1)" in done.stderr
    assert " <urn:x:statement/a> .\n" in done.stdout
    assert "<http://x.org/fact/" in done.stdout


def test_what_cannot_be_read_is_named_and_leaves_nothing(tmp_path, graphs):
    (tmp_path / "b.ttl").write_text(turtle("b")[:-20])
    before = sorted(tmp_path.iterdir())
    done = process(*graphs, "-o", tmp_path / "out.ttl")
    out, error = done.communicate()
    assert (done.returncode, out) == (2, b"")
    assert error.decode().startswith(f"kgmrca: {tmp_path / 'b.ttl'}, line ")
    assert sorted(tmp_path.iterdir()) == before


def process(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", "from kgmrca.cli import main; main()", "merge", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Where the tests themselves run in the background, a shell has them ignore this signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_files_and_no_processes(tmp_path, graphs, number):
    pipe = tmp_path / "slow.ttl"
    os.mkfifo(pipe)  # gives nothing, so that the process that reads it is still there
    before = sorted(tmp_path.iterdir())
    running = process(*graphs, pipe, "-o", tmp_path / "out.ttl", "--workers", 2)
    with pipe.open("wb"):  # once it is read
        assert [path for path in tmp_path.glob(".out.ttl.*.part") if path.is_dir()]
        running.send_signal(number)
        running.communicate()
    assert running.returncode in (128 + number, -number)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")
def test_a_killed_merge_leaves_no_processes_and_the_next_removes_its_files(tmp_path, graphs):
    pipe = tmp_path / "slow.ttl"
    os.mkfifo(pipe)  # gives nothing, so that the process that reads it is still there
    before = sorted(tmp_path.iterdir())
    running = process(*graphs, pipe, "-o", tmp_path / "out.ttl", "--workers", 2)
    with pipe.open("wb"):  # once it is read
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        assert children
        running.send_signal(signal.SIGKILL)
        running.communicate()  # ends once all processes have closed the pipes that they share
    assert running.returncode == -signal.SIGKILL
    while any(map(is_running, children)):  # they are about to end
        time.sleep(0.01)
    assert sorted(tmp_path.iterdir()) != before
    assert run(*graphs, "-o", tmp_path / "out.ttl").exit_code == 0
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "out.ttl"])


def is_running(process):
    """Whether it is there and has not ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
