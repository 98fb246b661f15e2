"""Precision, recall and F1, counted by hand."""

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from kgmrca.errors import ModelError
from kgmrca.relations import Relation, set_relations
from kgmrca.tagging import scorer
from kgmrca.tagging.scorer import evaluate, prf, score_relations

NLP = spacy.blank("en")
WORDS = ["Ann", "Bob", "Cid", "Oslo"]
ANN, BOB, CID, OSLO = range(4)


def annotated(relations):
    """A Doc of four names; relations are (subject, object, label) with the place of a name, or None."""
    doc = Doc(NLP.vocab, words=WORDS, ents=["B-PER", "B-PER", "B-PER", "B-LOC"])
    if relations is not None:
        doc._.relations = [Relation(doc[a : a + 1], doc[b : b + 1], label, 0.75) for a, b, label in relations]
    return doc


def example(predicted, reference):
    return Example(annotated(predicted), annotated(reference))


def micro(*examples):
    scores = score_relations(examples)
    return [scores[f"rel_micro_{key}"] for key in "prf"]


# Two right, one wrong label, one wrong object, three missed.
EXAMPLES = [
    example(
        [(ANN, BOB, "knows"), (ANN, OSLO, "knows"), (BOB, OSLO, "lives in")],
        [(ANN, BOB, "knows"), (ANN, OSLO, "lives in"), (CID, OSLO, "lives in")],
    ),
    example([(BOB, CID, "knows")], [(BOB, CID, "knows"), (BOB, CID, "married to")]),
]


def test_micro_scores():
    assert micro(*EXAMPLES) == pytest.approx([2 / 4, 2 / 5, 4 / 9])


def test_scores_of_each_label():
    assert score_relations(EXAMPLES)["rel_per_type"] == {
        "knows": pytest.approx({"p": 2 / 3, "r": 1.0, "f": 4 / 5}),
        "lives in": {"p": 0.0, "r": 0.0, "f": 0.0},
        "married to": {"p": 0.0, "r": 0.0, "f": 0.0},
    }


def test_everything_right():
    assert micro(example([(ANN, BOB, "knows")], [(ANN, BOB, "knows")])) == [1, 1, 1]


def test_direction_matters():
    assert micro(example([(BOB, ANN, "knows")], [(ANN, BOB, "knows")])) == [0, 0, 0]


def test_the_label_matters():
    assert micro(example([(ANN, BOB, "hates")], [(ANN, BOB, "knows")])) == [0, 0, 0]


def test_the_confidence_does_not_matter():
    one = example([(ANN, BOB, "knows")], [(ANN, BOB, "knows")])
    one.predicted._.relations = [relation._replace(score=0.01) for relation in one.predicted._.relations]
    assert micro(one) == [1, 1, 1]


def test_relations_of_other_docs_do_not_count():
    examples = [example([(ANN, BOB, "knows")], []), example([], [(ANN, BOB, "knows")])]
    assert micro(*examples) == [0, 0, 0]


def test_relations_between_spans_that_are_no_entities_count_as_missed():
    one = example([(ANN, BOB, "knows")], [(ANN, BOB, "knows"), (ANN, OSLO, "lives in")])
    one.predicted.set_ents([])
    assert micro(one) == [1, 1 / 2, 2 / 3]


def test_a_doc_nobody_asked_about_has_found_nothing():
    assert micro(example(None, [(ANN, BOB, "knows")])) == [0, 0, 0]


def test_a_relation_given_twice_counts_once():
    one = example([(ANN, BOB, "knows")], [(ANN, BOB, "knows")])
    one.predicted._.relations = 2 * one.predicted._.relations
    assert micro(one) == [1, 1, 1]


def test_tokens_may_differ():
    predicted = spacy.blank("en")("Ann-Bob")
    reference = Doc(NLP.vocab, words=["Ann", "-Bob"], spaces=[False, False])
    for doc in (predicted, reference):
        doc.user_data["kgmrca.relations"] = [[0, 3, 4, 7, "knows", 1.0]]
    assert micro(Example(predicted, reference)) == [1, 1, 1]


def test_a_reference_without_relations_is_not_scored():
    wrong = example([(ANN, BOB, "knows")], None)
    assert micro(*EXAMPLES, wrong) == micro(*EXAMPLES)


def test_a_reference_without_any_relation_is_scored():
    assert micro(example([(ANN, BOB, "knows")], []), EXAMPLES[1]) == pytest.approx([1 / 2, 1 / 2, 1 / 2])


@pytest.mark.parametrize("examples", [[], [example([(ANN, BOB, "knows")], None)]])
def test_nothing_scored(examples):
    assert score_relations(examples) == {
        "rel_micro_p": None,
        "rel_micro_r": None,
        "rel_micro_f": None,
        "rel_per_type": {},
    }


def test_what_a_pipe_passes_besides_is_accepted():
    assert score_relations(EXAMPLES, labels=("knows",), threshold=0.5) == score_relations(EXAMPLES)


@pytest.mark.parametrize("counts", [(0, 0, 0), (0, 3, 0), (0, 0, 3)])
def test_nothing_to_divide_by(counts):
    assert prf(*counts) == {"p": 0.0, "r": 0.0, "f": 0.0}


# The three ways of `evaluate`: an entity recognizer that misses Cid, and relations between neighbours.


@Language.component("misses_cid")
def misses_cid(doc):
    doc.set_ents([doc.char_span(token.idx, token.idx + len(token), "PER") for token in doc if token.text != "Cid"])
    return doc


class Neighbours:
    """Any two entities that follow each other know each other."""

    def __call__(self, doc):
        set_relations(doc, [Relation(a, b, "knows", 0.5) for a, b in zip(doc.ents, doc.ents[1:], strict=False)])
        return doc

    def pipe(self, docs, batch_size=None):
        return map(self, docs)


@Language.factory("neighbours", assigns=["doc._.relations"])
def make_neighbours(nlp, name):
    return Neighbours()


@pytest.fixture
def pipeline(monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe("misses_cid")
    pipe = nlp.add_pipe("neighbours")
    monkeypatch.setattr(scorer, "relation_pipe", lambda nlp: ("neighbours", pipe))
    return nlp


@pytest.fixture
def gold(tmp_path):
    """Ann knows Bob and Bob knows Cid; Oslo is a place."""
    doc = annotated([(ANN, BOB, "knows"), (BOB, CID, "knows")])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    return tmp_path / "gold.spacy"


def test_entities_are_scored_on_raw_text(pipeline, gold):
    # Ann and Bob are right, Cid is missed, Oslo has another type.
    entities = evaluate(pipeline, gold)["entities"]
    assert [entities[key] for key in "prf"] == pytest.approx([2 / 3, 2 / 4, 4 / 7])
    assert set(entities["per_type"]) == {"PER", "LOC"}


def test_relations_are_scored_on_gold_entities(pipeline, gold):
    # Found: Ann-Bob, Bob-Cid, Cid-Oslo.
    relations = evaluate(pipeline, gold)["relations, gold entities"]
    assert [relations[key] for key in "prf"] == pytest.approx([2 / 3, 1.0, 4 / 5])


def test_relations_are_scored_end_to_end(pipeline, gold):
    # Found: Ann-Bob, Bob-Oslo.
    relations = evaluate(pipeline, gold)["relations, end to end"]
    assert [relations[key] for key in "prf"] == pytest.approx([1 / 2, 1 / 2, 1 / 2])
    assert relations["per_type"] == {"knows": {"p": 0.5, "r": 0.5, "f": 0.5}}


def test_a_pipeline_without_relations_cannot_be_evaluated(gold):
    with pytest.raises(ModelError, match="no component 'mrca_relations'"):
        evaluate(spacy.blank("en"), gold)
