"""What `make demo` prints of a graph."""

import runpy
import sys
from pathlib import Path

import pytest
from helpers import TEXT

from kgmrca.convert import convert

SHOW = Path(__file__).parent.parent / "pipelines" / "demo" / "show.py"
CORPUS = SHOW.parent / "corpus"


@pytest.fixture
def printed(tmp_path, nlp, monkeypatch, capsys):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "lives.txt").write_text(TEXT, encoding="utf-8")
    convert(tmp_path / "corpus", tmp_path / "graph.ttl", nlp=nlp)
    monkeypatch.setattr(sys, "argv", ["show.py", str(tmp_path / "graph.ttl"), str(tmp_path / "corpus")])
    runpy.run_path(str(SHOW), run_name="__main__")
    return capsys.readouterr().out


def test_every_statement_is_shown_under_its_sentence(printed):
    assert "lives.txt: Marie Curie was born in Warsaw.\n  0.90  Marie Curie | place of birth | Warsaw\n" in printed
    assert "  0.80  Marie Curie | date of birth | 1867\n" in printed


def test_counts_are_shown(printed):
    assert "5 statements of 5 relations in 1 documents; 1 of 4 entity pairs have several." in printed


def test_corpus_has_passages_of_several_sentences():
    texts = [path.read_text(encoding="utf-8") for path in CORPUS.glob("*.txt")]
    assert len(texts) >= 30
    assert all(text.count(". ") >= 3 and text.endswith("\n") for text in texts)
