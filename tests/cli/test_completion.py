"""What a shell is told when somebody presses the tabulator."""

import os
import subprocess
import sys

import pytest


def complete(*words):
    """What bash completes the last word to, as the script of `--show-completion` asks for it."""
    code = "import sys; sys.argv[:] = ['kgmrca']; from kgmrca.cli import main; main()"
    asked = {
        "_KGMRCA_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["kgmrca", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_complete():
    assert complete("con") == ["convert"]
    assert complete("c") == ["convert", "corpus", "calibrate", "check", "cache"]


def test_options_complete():
    assert complete("convert", "--thr") == ["--threshold"]


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (["convert", "a.txt", "--format", "n"], ["ntriples", "nquads"]),
        (["merge", "a.ttl", "--provenance", "g"], ["graphs"]),
        (["validate", "--report-format", ""], ["text", "json", "shacl"]),
        (["convert", "--threshold", ""], ["precise", "balanced", "complete"]),
        (["convert", "--ontology", "d"], ["dbpedia"]),
        (["link", "a.ttl", "--endpoint", "w"], ["wikidata"]),
        (["cache", "--clear", "e"], ["expired"]),
        (["evaluate", "en_"], ["en_kgmrca_sm"]),
    ],
)
def test_choices_complete(words, choices):
    assert complete(*words) == choices


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "art"],
        ["convert", "articles", "-o", "gra"],
        ["graph", "gra"],
        ["graph", "graph.ttl", "--neo4j", "fol"],
        ["check", "linked.ttl", "--endpoint", "./wiki"],
        ["calibrate", "en_kgmrca_sm", "de"],
        ["corpus", "tra"],
    ],
)
def test_files_and_folders_are_left_to_the_shell(words):
    """Without an answer, the scripts for bash, zsh and fish complete files and folders."""
    assert complete(*words) == []


def test_the_script_for_bash_falls_back_to_files():
    code = "import sys; from kgmrca.cli import main; main()"
    environment = {**os.environ, "_KGMRCA_COMPLETE": "source_bash"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert "complete -o default" in done.stdout
    assert "_KGMRCA_COMPLETE=complete_bash" in done.stdout
