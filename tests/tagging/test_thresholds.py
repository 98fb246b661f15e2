"""The sweep over thresholds, counted by hand."""

import pytest
import spacy
from spacy.tokens import DocBin

from kgmrca.errors import ModelError
from kgmrca.relations import set_records
from kgmrca.tagging import thresholds
from kgmrca.tagging.thresholds import sweep

NLP = spacy.blank("en")
# What is found in a text: a relation of the characters 0 to 1 and 2 to 3, its label and its score.
FOUND = {
    "a b c": [("right", 0.93), ("wrong", 0.42), ("also right", 0.41), ("unsure", 0.07)],
    "d e f": [("right", 0.62)],
    "g h i": [("wrong", 0.88)],
}
# "missed" is never found, and the last Doc has nothing to find.
GOLD = {"a b c": ["right", "also right"], "d e f": ["right", "missed"], "g h i": []}


class Pipe:
    """Finds what is said above, from its threshold on."""

    threshold = 0.7

    def pipe(self, docs):
        for doc in docs:
            set_records(doc, [(0, 1, 2, 3, *found) for found in FOUND[doc.text] if found[1] >= self.threshold])
            yield doc


@pytest.fixture
def pipe(monkeypatch):
    pipe = Pipe()
    monkeypatch.setattr(thresholds, "relation_pipe", lambda nlp: ("stub", pipe))
    return pipe


@pytest.fixture
def gold(tmp_path):
    docs = []
    for text, labels in GOLD.items():
        doc = NLP(text)
        set_records(doc, [(0, 1, 2, 3, label, 1.0) for label in labels])
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "gold.spacy")
    return tmp_path / "gold.spacy"


def test_rows_are_steps_of_five_hundredths(pipe, gold):
    rows = sweep(NLP, gold)
    assert [row["threshold"] for row in rows] == [round(0.05 * step, 2) for step in range(1, 20)]


@pytest.mark.parametrize(
    ("threshold", "right", "given"),
    [(0.05, 3, 6), (0.1, 3, 5), (0.4, 3, 5), (0.45, 2, 3), (0.6, 2, 3), (0.65, 1, 2), (0.9, 1, 1)],
)
def test_scores_at_a_threshold(pipe, gold, threshold, right, given):
    (row,) = [row for row in sweep(NLP, gold) if row["threshold"] == threshold]
    assert row == pytest.approx(
        {"threshold": threshold, "p": right / given, "r": right / 4, "f": 2 * right / (given + 4)}
    )


def test_nothing_is_left_above_the_highest_score(pipe, gold):
    assert sweep(NLP, gold)[-1] == {"threshold": 0.95, "p": 0.0, "r": 0.0, "f": 0.0}


def test_recall_never_rises_with_the_threshold(pipe, gold):
    recall = [row["r"] for row in sweep(NLP, gold)]
    assert recall == sorted(recall, reverse=True)


def test_a_score_at_the_threshold_counts(pipe, gold, monkeypatch):
    monkeypatch.setitem(FOUND, "d e f", [("right", 0.6)])
    rows = {row["threshold"]: row for row in sweep(NLP, gold)}
    assert (rows[0.6]["r"], rows[0.65]["r"]) == (2 / 4, 1 / 4)


def test_the_threshold_is_put_back(pipe, gold):
    sweep(NLP, gold)
    assert pipe.threshold == 0.7


def test_the_threshold_is_put_back_after_an_error(pipe, tmp_path):
    with pytest.raises(ValueError, match="missing"):
        sweep(NLP, tmp_path / "missing.spacy")
    assert pipe.threshold == 0.7


def test_a_pipeline_without_relations(gold):
    with pytest.raises(ModelError, match="no component 'mrca_relations'"):
        sweep(NLP, gold)
