"""Public coreference data as gold Docs."""

import gzip
import json

import pytest
import spacy

from kgmrca.corpora.coreference import read_clustered, read_gap
from kgmrca.errors import InputError

DOCUMENT = {
    "id": "one",
    "sentences": [["Marie", "Curie", ",", "a", "physicist", ",", "slept", "."], ["She", "dreamt", "of", "Oslo", "."]],
    "mentions": [
        {"sent": 0, "start": 0, "end": 5, "type": "PER", "kind": "NAME", "head": 1},
        {"sent": 0, "start": 3, "end": 5, "type": "PER", "kind": "NOMINAL", "head": 4},
        {"sent": 1, "start": 0, "end": 1, "type": "PER", "kind": "PRONOUN", "head": 0},
        {"sent": 1, "start": 3, "end": 4, "type": "LOC", "kind": "NAME", "head": 3},
    ],
    "clusters": [[0, 1, 2], [3]],
}
NAMES = [
    {"doc": "one", "tokens": [], "entities": [{"start": 0, "end": 2, "type": "PER", "full": [0, 5]}]},
    {"doc": "one", "tokens": [], "entities": [{"start": 3, "end": 4, "type": "LOC"}]},
]
GAP_TEXT = {
    "text": "Ann met Sue when she was ill.",
    "pronoun": "she",
    "pronoun_offset": 17,
    "a": "Ann",
    "a_offset": 0,
    "a_coref": False,
    "b": "Sue",
    "b_offset": 8,
    "b_coref": True,
}


@pytest.fixture
def nlp():
    return spacy.blank("en")


def write(path, *records):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt") as lines:
        lines.writelines(json.dumps(record) + "\n" for record in records)
    return path


def clusters(doc):
    return [[span.text for span in group] for key, group in sorted(doc.spans.items()) if key.startswith("coref")]


def test_names_are_the_mentions_that_are_names(nlp, tmp_path):
    (doc,) = read_clustered(write(tmp_path / "d.jsonl", DOCUMENT), nlp.vocab)
    assert [(span.text, span.label_) for span in doc.ents] == [
        ("Marie Curie , a physicist", "PER"),
        ("Oslo", "LOC"),
    ]
    assert [sentence.text for sentence in doc.sents][1] == "She dreamt of Oslo . "[:-1]
    assert clusters(doc) == [["Marie Curie , a physicist", "She"], ["Oslo"]]


def test_names_annotated_apart(nlp, tmp_path):
    path, names = write(tmp_path / "d.jsonl.gz", DOCUMENT), write(tmp_path / "n.jsonl", *NAMES)
    (doc,) = read_clustered(path, nlp.vocab, names=names)
    assert clusters(doc) == [["Marie Curie", "She"], ["Oslo"]]


def test_a_name_without_a_full_span_belongs_to_the_mention_that_it_heads(nlp, tmp_path):
    names = [{**NAMES[0], "entities": [{"start": 0, "end": 2, "type": "PER"}]}, NAMES[1]]
    path = write(tmp_path / "d.jsonl", DOCUMENT)
    (doc,) = read_clustered(path, nlp.vocab, names=write(tmp_path / "n.jsonl", *names))
    assert clusters(doc) == [["Marie Curie", "She"], ["Oslo"]]


def test_spaces_where_they_are_known(nlp, tmp_path):
    spaces = [[True, False, True, True, False, True, False, True], [True, True, True, False, False]]
    (doc,) = read_clustered(write(tmp_path / "d.jsonl", {**DOCUMENT, "space_after": spaces}), nlp.vocab)
    assert doc.text == "Marie Curie, a physicist, slept. She dreamt of Oslo."


def test_of_nested_names_the_outermost_is_kept(nlp, tmp_path):
    inner = {"sent": 0, "start": 0, "end": 1, "type": "PER", "kind": "NAME"}
    record = {**DOCUMENT, "mentions": [*DOCUMENT["mentions"], inner], "clusters": [[0, 2], [3], [4]]}
    (doc,) = read_clustered(write(tmp_path / "d.jsonl", record), nlp.vocab)
    assert [span.text for span in doc.ents] == ["Marie Curie , a physicist", "Oslo"]


@pytest.mark.parametrize("record", [{"id": "x"}, {**DOCUMENT, "clusters": [[9]], "mentions": [{"sent": 7}]}, []])
def test_another_form_is_refused(nlp, tmp_path, record):
    path = write(tmp_path / "d.jsonl", DOCUMENT, record)
    with pytest.raises(InputError, match="line 2"):
        list(read_clustered(path, nlp.vocab))


def test_gap(nlp, tmp_path):
    neither = {**GAP_TEXT, "b_coref": False}
    one, other = read_gap(write(tmp_path / "g.jsonl", GAP_TEXT, neither), nlp)
    assert [span.text for span in one.spans["gap"]] == ["she", "Ann", "Sue"]
    assert [(span.text, span.label_) for span in one.ents] == [("Ann", "PER"), ("Sue", "PER")]
    assert clusters(one) == [["Sue", "she"]]
    assert clusters(other) == []


def test_gap_of_another_form_is_refused(nlp, tmp_path):
    with pytest.raises(InputError, match="line 1"):
        list(read_gap(write(tmp_path / "g.jsonl", {**GAP_TEXT, "a_offset": 500}), nlp))


def test_a_missing_file_is_told(nlp, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        list(read_gap(tmp_path / "none.jsonl", nlp))
