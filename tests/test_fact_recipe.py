"""The scripts that make what facts are learned from: passages, and the teacher that scores them."""

import random

import numpy as np
import pytest
import spacy
import torch
from helpers import recipe_script, write_encoder
from spacy.tokens import Doc, Span

from kgmrca.corpora.annotated import ENTITIES, EXHAUSTIVE, UNTYPED
from kgmrca.corpora.documents import ID
from kgmrca.relations import set_plain_relations

VOCAB = spacy.blank("en").vocab
WORDS = ["ann", "bob", "eva", "lives", "in", "oslo", "rome", "bonn", "works", "."]


@pytest.fixture
def sets(monkeypatch):
    return recipe_script(monkeypatch, "document_sets")


@pytest.fixture
def recipe(monkeypatch):
    pytest.importorskip("transformers")
    return recipe_script(monkeypatch, "train_fact_teacher")


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def a_doc(words, entities=(), records=(), *, exhaustive=()):
    """A gold Doc of one sentence with entities (start, end, type) and relations."""
    words = words.split()
    doc = Doc(VOCAB, words=words, sent_starts=[index == 0 for index in range(len(words))])
    spans = [Span(doc, start, end, label=label) for start, end, label in entities]
    doc.spans[ENTITIES] = spans
    doc.set_ents(spans)
    set_plain_relations(doc, records)
    doc.user_data.update({ID: "a", EXHAUSTIVE: list(exhaustive)})
    return doc


def a_passage(words, mentions, facts=(), *, complete=(), **more):
    return {
        "id": "a",
        "set": "redocred",
        "words": words.split(),
        "sents": [0],
        "mentions": list(mentions),
        "facts": list(facts),
        "complete": list(complete),
        "scored": "all",
        **more,
    }


# Passages.


def test_letters_are_what_copies_share(sets):
    assert sets.letters("Ann, in “Oslo”!") == sets.letters("ann in Oslo") == "anninoslo"


def test_words_that_nobody_sees_are_no_words_of_a_gold_document(sets):
    record = {
        "title": "Ann",
        "sents": [["Ann", "\u00a0", "lives", "."], ["She", "left", "Oslo", "\u200b", "."]],
        "vertexSet": [
            [{"sent_id": 0, "pos": [0, 2], "type": "PER"}],
            [{"sent_id": 1, "pos": [2, 4], "type": "LOC"}, {"sent_id": 1, "pos": [3, 4], "type": "LOC"}],
        ],
        "labels": [{"h": 0, "t": 1, "r": "P551", "evidence": []}] * 2,
    }
    passage = sets.gold_document(record, {"P551": "residence", "P40": "child"})
    assert passage["words"] == ["Ann", "lives", ".", "She", "left", "Oslo", "."]
    assert passage["sents"] == [0, 3]
    assert passage["mentions"] == [[0, 1, 0, "PER", 0], [5, 6, 1, "LOC", 0]]
    assert passage["facts"] == [[0, 1, "residence", 1.0]]
    assert passage["complete"] == ["child", "residence"]
    assert passage["evidence"] == []


def test_a_doc_is_a_passage_with_its_clusters_and_facts(sets):
    doc = a_doc("Ann lives in Oslo and she works .", [(0, 1, "PERSON"), (3, 4, "GPE")])
    doc.spans["coref_clusters_1"] = [doc[0:1], doc[5:6]]
    [passage] = sets.passages_of(doc, "gap", {(0, 1, "residence"): 0.5}, scored="sentence")
    assert passage["mentions"] == [[0, 1, 0, "PER", 0], [3, 4, 1, "LOC", 0], [5, 6, 0, "PER", 1]]
    assert passage["facts"] == [[0, 1, "residence", 0.5]]
    assert passage["scored"] == "sentence"


def test_a_pronoun_that_a_data_set_marks_names_nobody(sets):
    [passage] = sets.passages_of(a_doc("She left Oslo .", [(0, 1, "PER"), (2, 3, "LOC")]), "knowledgenet", {})
    assert passage["mentions"] == [[2, 3, 0, "LOC", 0]]


def test_a_long_doc_is_several_passages_without_the_facts_between_them(sets, monkeypatch):
    monkeypatch.setattr(sets, "MAX_WORDS", 5)
    doc = a_doc("Ann left Oslo . Bob left Rome .", [(0, 1, "PER"), (2, 3, "LOC"), (4, 5, "PER"), (6, 7, "LOC")])
    facts = {(0, 1, "residence"): 0.5, (2, 3, "residence"): 0.4, (0, 3, "residence"): 0.3}
    first, second = sets.passages_of(doc, "gum", facts)
    assert (first["id"], second["id"]) == ("a#0", "a#1")
    assert second["words"] == ["Bob", "left", "Rome", "."]
    assert second["sents"] == [0]
    assert second["mentions"] == [[0, 1, 0, "PER", 0], [2, 3, 1, "LOC", 0]]
    assert first["facts"] == [[0, 1, "residence", 0.5]]
    assert second["facts"] == [[0, 1, "residence", 0.4]]


def test_gold_corrects_the_guesses(sets):
    given = a_doc(
        "Ann Bob Eva", [(0, 1, "PER"), (1, 2, "PER")], [(0, 3, 4, 7, "spouse", 1.0)], exhaustive=["spouse", "child"]
    )
    doc = a_doc("Ann Bob Eva", [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "PER")])
    guesses = {(0, 1, "spouse"): 0.3, (0, 1, "child"): 0.4, (0, 1, "sibling"): 0.5, (0, 2, "child"): 0.6}
    assert sets.with_gold(given, doc, guesses) == {
        (0, 1, "spouse"): 1.0,
        (0, 1, "sibling"): 0.5,
        (0, 2, "child"): 0.6,  # the set says nothing of Eva
    }


def test_gold_mentions_get_types_and_others_are_added(sets):
    given = a_doc(
        "He saw Oslo , cats and Xyz in Rome", [(0, 1, UNTYPED), (2, 3, UNTYPED), (4, 5, UNTYPED), (6, 7, UNTYPED)]
    )
    set_plain_relations(given, [(0, 2, 24, 27, "author", 1.0)])
    found = a_doc("He saw Oslo , cats and Xyz in Rome", [(2, 3, "LOC"), (8, 9, "LOC")])
    places = sets.typical_types([given], [found])
    assert places == {}
    merged = sets.merge(given, found, {("author", 1): "ORG"})
    names = [(span.text, span.label_) for span in merged.ents]
    assert names == [("He", "PER"), ("Oslo", "LOC"), ("cats", "TERM"), ("Xyz", "MISC"), ("Rome", "LOC")]


def test_types_are_typical_of_a_place_in_a_fact(sets):
    given = a_doc("Ann lives in Oslo", [(0, 1, UNTYPED), (3, 4, UNTYPED)], [(0, 3, 13, 17, "residence", 1.0)])
    found = a_doc("Ann lives in Oslo", [(3, 4, "LOC")])
    assert sets.typical_types([given], [found]) == {("residence", 1): "LOC"}


def test_what_is_written_can_be_read(sets, tmp_path, capsys):
    passages = [
        a_passage("ann bob", [[0, 1, 0, "PER", 0], [1, 2, 1, "PER", 0]]),
        a_passage("ann", [[0, 1, 0, "PER", 0]]),
    ]
    sets.write_passages(tmp_path / "x.jsonl.gz", passages)
    assert list(sets.read_passages(tmp_path, "x")) == passages[:1]  # one entity is no pair
    assert "1 passages, 0 facts" in capsys.readouterr().out


# The teacher.


def test_long_passages_are_read_in_windows_that_overlap(recipe):
    windows = recipe.cut(1200)
    assert windows[0][0] == 0
    assert windows[-1][1] == 1200
    assert all(end - start == recipe.MAX_PIECES for start, end in windows)
    assert all(end - start >= recipe.OVERLAP for (start, _), (_, end) in zip(windows[1:], windows, strict=False))


@pytest.fixture
def encoder(tmp_path):
    return str(write_encoder(tmp_path / "encoder", WORDS, longest=600))


def make_teacher(recipe, encoder, labels=("residence",)):
    torch.manual_seed(0)
    teacher = recipe.Teacher(encoder, len(labels), width=16, block=4, pair_width=16, third_width=8, dropout=0.0)
    return teacher, recipe.Reader(encoder, labels)


def a_sentence(person, place, *, right=True):
    facts = [[0, 1, "residence", 1.0]] if right else []
    verb = "lives" if right else "works"
    return a_passage(
        f"{person} {verb} in {place} .",
        [[0, 1, 0, "PER", 0], [3, 4, 1, "LOC", 0]],
        facts,
        complete=["residence"],
        evidence=[[0, 1, [0]]] if right else [],
    )


def test_a_passage_in_pieces(recipe, encoder):
    _, reader = make_teacher(recipe, encoder)
    pieces = reader(a_sentence("ann", "oslo"))
    assert len(pieces.pieces) == 5
    assert pieces.places.tolist() == [[0, 1], [3, 4]]
    assert pieces.type.tolist() == [0, 2]
    assert pieces.facts.tolist() == [[0, 1, 0]]
    pairs, inside = pieces.evidence
    assert pairs.tolist() == [[0, 1]]
    assert inside.tolist() == [[1.0] * 5]


def test_of_each_entity_a_mention_stays_while_training(recipe, encoder):
    _, reader = make_teacher(recipe, encoder)
    pieces = reader(a_passage("ann ann bob", [[0, 1, 0, "PER", 0], [1, 2, 0, "PER", 0], [2, 3, 1, "PER", 0]]))
    np.random.seed(0)
    for _ in range(100):
        assert set(pieces.entity[recipe.look(pieces).kept]) == {0, 1}


def test_answers_are_the_same_in_any_batch(recipe, encoder):
    teacher, reader = make_teacher(recipe, encoder)
    teacher.eval()
    passages = [reader(a_sentence("ann", "oslo")), reader(a_passage("bob", [[0, 1, 0, "PER", 0]]))]
    with torch.inference_mode():
        together = [scores for scores, _ in teacher(passages)]
        alone = [scores for passage in passages for scores, _ in teacher([passage])]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_a_long_passage_is_read_as_a_whole(recipe, encoder):
    teacher, reader = make_teacher(recipe, encoder)
    words = " ".join(["ann", "lives", "in", "oslo", "."] * 150)
    passage = a_passage(words, [[0, 1, 0, "PER", 0], [748, 749, 1, "LOC", 0]])
    [scores] = recipe.predict(teacher, [reader(passage)])
    assert scores.shape == (2, 2, 1)
    assert scores.isfinite().all()
    assert scores[0, 0] == scores[1, 1] == 0


def test_the_teacher_learns(recipe, encoder, capsys):
    teacher, reader = make_teacher(recipe, encoder)
    random.seed(0)
    np.random.seed(0)
    people, places = ["ann", "bob", "eva"], ["oslo", "rome", "bonn"]
    passages = [a_sentence(who, where, right=right) for who in people for where in places for right in (True, False)]
    read = [reader(passage) for passage in passages]
    recipe.train(teacher, read, [], read, epochs=12, rate=0.02)
    f1, _ = recipe.best_f1(teacher, read)
    assert f1 > 0.9
    assert "epoch 12" in capsys.readouterr().out


def test_nothing_is_known_of_labels_that_gold_documents_do_not_annotate(recipe, encoder):
    _, reader = make_teacher(recipe, encoder, ("residence", "spouse"))
    pieces = reader(a_sentence("ann", "oslo"))
    scores, looks = torch.zeros(2, 2, 2), torch.ones(2, 2, 5)
    before = recipe.loss_of(pieces, scores, looks)
    scores[..., 1] = 5.0
    assert recipe.loss_of(pieces, scores, looks) == before
    scores[0, 1, 0] = 5.0
    assert recipe.loss_of(pieces, scores, looks) < before


def test_scores_beside_gold(recipe):
    mentions = [[0, 1, 0, "PER", 0], [1, 2, 1, "PER", 0], [3, 4, 2, "PER", 0]]
    facts = [[0, 1, "spouse", 1.0], [0, 1, "child", 0.2]]
    passage = {
        **a_passage("ann bob . eva", mentions, facts, complete=["spouse"]),
        "sents": [0, 3],
        "set": "knowledgenet",
    }
    scores = np.full((3, 3, 2), 0.5, np.float32)
    scores[0, 0] = scores[1, 1] = scores[2, 2] = 0
    found = {
        (a, b, label): score for a, b, label, score in recipe.with_scores(passage, scores, ["child", "spouse"])["facts"]
    }
    assert found[0, 1, "spouse"] == 1.0
    assert (1, 0, "spouse") not in found
    assert found[0, 1, "child"] == 0.35
    assert found[0, 2, "child"] == 0.5


def test_labels_with_few_gold_facts_are_left_out(recipe):
    passages = [a_passage("a", [], [[0, 1, "spouse", 1.0], [0, 1, "child", 0.5], [1, 0, "sibling", 1.0]])] * 2
    assert recipe.known_labels(passages, least=2) == ["sibling", "spouse"]
