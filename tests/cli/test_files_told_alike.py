"""A file that is not there, and one that cannot be written: all commands say it in the same words."""

from pathlib import Path

import pytest
from helpers import TEXT, make_nlp
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.convert import convert

WIKIDATA = str(Path(__file__).parents[1] / "wikidata" / "wikidata.ttl")
ASKED = ["--endpoint", WIKIDATA, "--cache", "cache.sqlite"]

READING = {
    "convert": ["missing.ttl", "-o", "out.ttl", "--pipeline", "pipeline"],
    "corpus": ["missing.ttl", "-o", "out.spacy"],
    "evaluate": ["en_kgmrca_sm", "missing.ttl"],
    "calibrate": ["en_kgmrca_sm", "missing.ttl", "-o", "out"],
    "merge": ["missing.ttl", "-o", "out.ttl"],
    "graph": ["missing.ttl"],
    "validate": ["missing.ttl"],
    "validate --shapes": ["graph.ttl", "--shapes", "missing.ttl"],
    "link": ["missing.ttl", "-o", "out.ttl", *ASKED],
    "check": ["missing.ttl", "-o", "out.ttl", *ASKED],
    "enrich": ["missing.ttl", "-o", "out.ttl", "--preset", "basics", *ASKED],
    "diff": ["missing.ttl", "-o", "out.tsv"],
    "diff --accept": ["graph.ttl", "--accept", "missing.ttl", "--quickstatements", "out.qs"],
}
WRITING = {
    "convert": ["lives.txt", "--pipeline", "pipeline", "-o"],
    "corpus": ["data.jsonl", "-o"],
    "evaluate": ["en_kgmrca_sm", "gold.spacy", "-o"],
    "merge": ["graph.ttl", "-o"],
    "graph --graphml": ["graph.ttl", "--graphml"],
    "validate": ["graph.ttl", "-o"],
    "link": ["graph.ttl", *ASKED, "-o"],
    "check": ["graph.ttl", *ASKED, "-o"],
    "check --csv": ["graph.ttl", *ASKED, "--csv"],
    "check --jsonl": ["graph.ttl", *ASKED, "--jsonl"],
    "enrich": ["graph.ttl", "--preset", "basics", *ASKED, "-o"],
    "diff": ["graph.ttl", "-o"],
    "diff --quickstatements": ["graph.ttl", "--accept", "graph.ttl", "--quickstatements"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    nlp = make_nlp()
    nlp.to_disk(folder / "pipeline")
    (folder / "lives.txt").write_text(TEXT)
    (folder / "data.jsonl").write_text("[]")
    (folder / "gold.spacy").write_bytes(b"")
    (folder / "full.ttl").mkdir()
    convert(folder / "lives.txt", folder / "graph.ttl", nlp=nlp)
    return folder


@pytest.fixture
def said(folder, monkeypatch):
    """Run a command; gives what it said, without the name of the program."""

    def run(command, arguments):
        monkeypatch.chdir(folder)
        done = CliRunner().invoke(app, [command.split()[0], *arguments])
        assert (done.exit_code, done.stdout) == (2, ""), done.stderr
        return done.stderr.removeprefix("kgmrca: ").rstrip("\n")

    return run


@pytest.mark.parametrize("command", READING)
def test_a_missing_file(command, said):
    assert said(command, READING[command]) == "There is no file or folder 'missing.ttl'."


@pytest.mark.parametrize("command", WRITING)
def test_a_missing_folder(command, said):
    message = said(command, [*WRITING[command], "nowhere/out.ttl"])
    assert message == "There is no folder 'nowhere' to write 'out.ttl' in: make it first."


@pytest.mark.parametrize("command", WRITING)
def test_a_folder_in_the_place_of_the_file(command, said):
    assert said(command, [*WRITING[command], "full.ttl"]) == "'full.ttl' is a folder: name a file to write."
