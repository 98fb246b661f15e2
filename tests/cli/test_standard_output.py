"""`-` is standard output wherever an output is a text, and is refused where it must be a file."""

import json
from pathlib import Path

import pytest
from helpers import TEXT, make_nlp
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.convert import convert
from kgmrca.progress import counted


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lives.txt").write_text(TEXT)
    convert("lives.txt", "graph.ttl", nlp=make_nlp())
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", "lives.txt", "-o", "out.ttl", "--rejected", "-"],
        ["corpus", "data.jsonl", "-o", "-"],
        ["corpus", "data.jsonl", "-o", "out.spacy", "--dev", "-"],
        ["calibrate", "en_kgmrca_sm", "dev.spacy", "-o", "-"],
        ["calibrate", "en_kgmrca_sm", "dev.spacy", "-o", "out", "--plot", "-"],
        ["graph", "graph.ttl", "--graphml", "-"],
        ["graph", "graph.ttl", "--neo4j", "-"],
    ],
)
def test_a_file_is_needed(run, arguments):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "This cannot be written to standard output" in done.stderr
    assert not Path("-").exists()


def test_a_report_goes_to_standard_output(run):
    done = run("validate", "graph.ttl", "--report-format", "json", "-o", "-")
    assert json.loads(done.stdout)["conforms"] is True
    assert not Path("-").exists()


def test_scores_go_to_standard_output_without_the_table(run, monkeypatch):
    monkeypatch.setattr("kgmrca.extraction.relations.scorer.evaluate", lambda *_, **options: {"documents": 2})
    monkeypatch.setattr("kgmrca.extraction.relations.score_table.score_table", lambda *_, **options: "a table")
    Path("gold.spacy").touch()
    assert json.loads(run("evaluate", "en_kgmrca_sm", "gold.spacy", "-o", "-").stdout) == {"documents": 2}
    assert not Path("-").exists()


def test_one_is_counted_in_the_singular():
    assert [counted(number, "document") for number in (0, 1, 2)] == ["0 documents", "1 document", "2 documents"]
