"""`benchmarks/facts.py`: what it counts apart from `evaluate`, and the table of the demo's statements."""

import csv
import importlib
import sys
from pathlib import Path

import pytest
import spacy
from helpers import make_nlp
from spacy.tokens import Doc, Span

from kgmrca.relations import Relation

ROOT = Path(__file__).parents[1]
BENCHMARKS = str(ROOT / "benchmarks")

sys.path.insert(0, BENCHMARKS)
facts = importlib.import_module("facts")
sys.path.remove(BENCHMARKS)

NLP = spacy.blank("en")


def doc_of(words, entities, relations):
    """Entities and the ends of relations are tokens."""
    doc = Doc(NLP.vocab, words=words)
    doc.set_ents([Span(doc, start, end, "PER") for start, end in entities])
    doc._.relations = [Relation(doc[slice(*a)], doc[slice(*b)], label) for a, b, label in relations]
    return doc


def test_entities_without_a_name_are_left_out():
    doc = doc_of(
        ["She", "led", "Acme", ".", "Ann", ",", "who", "left", "Acme"],
        [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)],
        [((0, 1), (2, 3), "works for"), ((4, 5), (8, 9), "left"), ((6, 7), (8, 9), "left")],
    )
    doc.spans["coref_clusters_1"] = [doc[4:5], doc[6:7]]
    (left,) = facts.with_names([doc])
    assert [(one.subject.text, one.label) for one in left._.relations] == [("Ann", "left"), ("who", "left")]
    assert [ent.text for ent in left.ents] == ["Acme", "Ann", "who", "Acme"]


@pytest.mark.parametrize("way", facts.WAYS)
def test_what_is_read_in_another_spelling_is_put_back(way):
    text = "Ann Lee was born in the old part of New York and she liked it there so much that Bob came."
    read = NLP(facts.WAYS[way](text))
    words = [token.i for token in read if token.text.strip() and token.text in ("Ann", "Lee", "New", "York", "she")]
    ann, lee, new, york, she = words
    read.set_ents([Span(read, ann, lee + 1, "PER"), Span(read, new, york + 1, "LOC")])
    read.spans["coref_clusters_1"] = [read[ann : lee + 1], read[she : she + 1]]
    read._.relations = [Relation(read.ents[0], read.ents[1], "place of birth", 0.5)]
    doc = facts.plain_doc(NLP, text, read)
    assert doc.text == text
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ann Lee", "PER"), ("New York", "LOC")]
    assert [span.text for span in doc.spans["coref_clusters_1"]] == ["Ann Lee", "she"]
    assert [(one.subject.text, one.object.text, one.score) for one in doc._.relations] == [("Ann Lee", "New York", 0.5)]


def test_the_judged_statements_are_of_the_demo():
    with (ROOT / "pipelines" / "demo" / "judged.tsv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert head == ["document", "subject", "label", "object", "true"]
    assert {row[4] for row in rows} == {"yes", "no"}
    assert len({tuple(row[:4]) for row in rows}) == len(rows)
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "pipelines/demo/corpus").glob("*.txt")}
    for document, subject, _, object_, _ in rows:
        assert subject in texts[document]
        assert object_ in texts[document]


def test_statements_of_the_demo_are_counted(tmp_path, monkeypatch, capsys):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Marie Curie was born in Warsaw.", encoding="utf-8")
    monkeypatch.setattr(facts, "DEMO", tmp_path)
    nlp = make_nlp()
    (relation,) = nlp("Marie Curie was born in Warsaw.")._.relations[:1]
    row = f"a.txt\t{relation.subject.text}\t{relation.label}\t{relation.object.text}"
    for answer, precision in (("yes", "1.000"), ("no", "0.000")):
        (tmp_path / "judged.tsv").write_text(f"{row}\t{answer}\n", encoding="utf-8")
        facts.print_demo(nlp)
        assert precision in capsys.readouterr().out
    (tmp_path / "judged.tsv").write_text("", encoding="utf-8")
    facts.print_demo(nlp)
    assert f"not judged:\t{row}" in capsys.readouterr().out
