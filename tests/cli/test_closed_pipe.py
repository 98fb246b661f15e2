"""`kgmrca ... | head -1`: where nobody reads standard output any more, each command ends with exit code 141."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import TEXT, make_nlp
from typer.main import get_command
from typer.testing import CliRunner

from kgmrca import cli
from kgmrca.cli import app
from kgmrca.convert import convert
from kgmrca.report.data import report_data
from kgmrca.triples.read import read_graphs
from kgmrca.wikidata.cache import Cache

WIKIDATA = Path(__file__).parents[1] / "wikidata" / "wikidata.ttl"
LINKED = """
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
wd:Q7186 wdt:P19 wd:Q270 .
"""

COMMANDS = {
    "tag": [TEXT, "--pipeline", "pipeline"],
    "convert": ["lives.txt", "-o", "-", "--pipeline", "pipeline"],
    "serve": ["--help"],
    "corpus": ["--help"],
    "evaluate": ["pipeline", "gold.spacy"],
    "calibrate": ["pipeline", "gold.spacy", "-o", "calibrated"],
    "merge": ["graph.ttl", "-o", "-"],
    "graph": ["graph.ttl"],
    "validate": ["graph.ttl"],
    "link": ["graph.ttl", "-o", "-", "--endpoint", WIKIDATA, "--cache", "new.sqlite"],
    "check": ["linked.ttl", "-o", "-", "--endpoint", WIKIDATA, "--cache", "new.sqlite"],
    "enrich": ["linked.ttl", "-o", "-", "--endpoint", WIKIDATA, "--cache", "new.sqlite", "--preset", "basics"],
    "diff": ["linked.ttl", "checks.ttl", "-o", "-"],
    "report": ["--help"],
    "apply-review": ["graph.ttl", "review.json", "-o", "-"],
    "cache": ["--cache", "cache.sqlite"],
    "info": [],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with something for each command."""
    folder = tmp_path_factory.mktemp("folder")
    nlp = make_nlp()
    nlp.to_disk(folder / "pipeline")
    (folder / "lives.txt").write_text(TEXT)
    (folder / "linked.ttl").write_text(LINKED)
    convert(folder / "lives.txt", folder / "graph.ttl", nlp=nlp)
    decided = {"format": "kgmrca review", "version": 1, "reviewer": "Ada", "decisions": []}
    digest = report_data(read_graphs([(folder / "graph.ttl", None)]), title="")["digest"]
    (folder / "review.json").write_text(json.dumps(decided | {"graph": digest}))
    asked = ["--endpoint", str(WIKIDATA), "--cache", str(folder / "new.sqlite")]
    CliRunner().invoke(app, ["check", str(folder / "linked.ttl"), "-o", str(folder / "checks.ttl"), *asked])
    cache = Cache(folder / "cache.sqlite")
    cache.put("file:0", "items", {("Q1", ""): None}, fetched=0, expires=9)
    cache.close()
    return folder


def test_every_command_is_tried():
    assert list(get_command(app).commands) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_ends_with_141(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    stub = SimpleNamespace(table=lambda: "a table")
    monkeypatch.setattr("kgmrca.extraction.relations.operating_points.calibrate", lambda *_, **__: stub)
    monkeypatch.setattr("kgmrca.extraction.relations.scorer.evaluate", lambda *_, **options: {})
    monkeypatch.setattr("kgmrca.extraction.relations.score_table.score_table", lambda *_, **options: "a table")
    monkeypatch.setattr(sys, "argv", ["kgmrca", command, *map(str, COMMANDS[command])])
    before = signal.getsignal(signal.SIGTERM)
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as stream:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as exited:
            cli.main()
        signal.signal(signal.SIGTERM, before)
    assert exited.value.code == 141
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["graph", "graph.ttl"]])
def test_a_process_ends_with_141_and_without_a_word(arguments, folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "kgmrca", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141
