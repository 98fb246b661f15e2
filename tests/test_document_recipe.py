"""The script that trains the network of document facts: reading documents, changing them, batches, the training."""

import dataclasses
import gzip
import importlib
import json
import random
import sys

import numpy as np
import pytest
import spacy
from helpers import recipe_script

LABELS = ["place of birth", "spouse", "capital of"]
WORDS = ["Marie", "Curie", "was", "born", "in", "Warsaw", ".", "She", "married", "Pierre", "."]
WORDS += ["Warsaw", "is", "the", "capital", "of", "Poland", "."]
MENTIONS = [
    [0, 2, 0, "PER", 0],
    [5, 6, 1, "LOC", 0],
    [7, 8, 0, "PER", 1],
    [9, 10, 2, "PER", 0],
    [11, 12, 1, "LOC", 0],
    [16, 17, 3, "LOC", 0],
]
GOLD = {
    "id": "gold",
    "set": "redocred",
    "words": WORDS,
    "mentions": MENTIONS,
    "facts": [[0, 1, "place of birth", 1.0], [0, 2, "spouse", 1.0], [1, 3, "capital of", 1.0], [0, 3, "rare", 1.0]],
    "complete": ["place of birth", "capital of", "rare"],
}
TAUGHT = {
    **GOLD,
    "id": "taught",
    "set": "gap",
    "facts": [[0, 1, "place of birth", 0.75]],
    "complete": None,
    "scored": "sentence",
}


@pytest.fixture
def recipe(monkeypatch):
    return recipe_script(monkeypatch, "train_document")


@pytest.fixture
def folder(tmp_path):
    lonely = {**GOLD, "id": "lonely", "mentions": MENTIONS[:1], "facts": []}
    for name, records in {"gold": [GOLD, lonely], "taught": [TAUGHT]}.items():
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
    return tmp_path


@pytest.fixture
def documents(recipe, folder):
    found = [*recipe.read_documents(folder, "gold", LABELS)]
    return [*found, *recipe.read_documents(folder, "taught", LABELS)]


class Nothing:
    """Stands for the memory of a reader that says nothing of any word."""

    def __init__(self, torch, documents):
        self.vectors = torch.zeros(1, 5)
        for document in documents:
            document.word = np.zeros(len(document.words), np.int64)
            document.states = torch.zeros(len(document.words), 3)


@pytest.fixture
def memory(recipe, documents):
    return Nothing(recipe.torch, documents)


def test_documents_with_a_pair_are_read(documents):
    gold, taught = documents
    assert [gold.name, taught.name] == ["gold", "taught"]
    assert gold.sentence.tolist() == [0] * 7 + [1] * 4 + [2] * 6 + [2]
    assert gold.facts.tolist() == [[0, 1, 0], [0, 2, 1], [1, 3, 2]]  # "rare" is no label of ours
    assert gold.n_gold == 4
    assert gold.types.tolist() == [0, 2, 0, 2]


def test_what_is_not_annotated_is_not_held_against_a_pair(recipe, documents, memory):
    inputs, targets, weights = recipe.make_batch(documents, memory, len(LABELS))
    assert inputs["pairs"].shape == (24, 2)
    place = {tuple(pair): row for row, pair in enumerate(inputs["pairs"].tolist())}
    born, married, other = place[0, 1], place[0, 2], place[2, 3]
    assert targets[born].tolist() == [1, 0, 0]
    assert weights[born].tolist() == [1, 0, 1]
    assert weights[married].tolist() == [1, 1, 1]  # a fact counts, though not all of its label are annotated
    assert weights[other].tolist() == [1, 0, 1]
    assert targets[place[4, 5]].tolist() == [0.75, 0, 0]
    assert weights[place[4, 5]].tolist() == pytest.approx([recipe.SOFT] * 3)
    assert weights[place[6, 7]].tolist() == [0, 0, 0]  # no sentence has both, so the teacher was not asked


def test_mistakes_leave_each_entity_a_mention(recipe, documents, monkeypatch):
    for name in ("LOST", "WRONG", "SPLIT"):
        monkeypatch.setattr(recipe, name, 0.5)
    chance = np.random.default_rng(0)
    lost = split = 0
    for _ in range(200):
        (mentions, entity, kind), types, (facts, scores) = recipe.as_recognized(documents[0], chance)
        assert np.unique(entity).tolist() == list(range(len(types)))
        assert len(mentions) == len(entity) == len(kind)
        assert len(facts) == len(scores)
        assert facts[:, :2].max() < len(types)
        lost += len(mentions) < len(MENTIONS)
        split += len(types) > 4
    assert lost > 50
    assert split > 10
    assert documents[0].entity.tolist() == [0, 1, 0, 2, 1, 3]


def test_batches_have_each_document_once(recipe, documents, monkeypatch):
    many = documents * 20
    monkeypatch.setattr(recipe, "PAIRS", 100)
    for chance in (None, random.Random(0)):
        batches = recipe.together(many, chance)
        assert sorted(document.name for batch in batches for document in batch) == sorted(d.name for d in many)
        assert max(map(len, batches)) == 6


def test_f1_at_the_best_threshold(recipe):
    scores, right = np.array([0.9, 0.2, 0.6, 0.3], np.float32), np.array([True, False, True, False])
    assert recipe.describe(scores, right, 3) == "F1 0.8000 (P 1.000, R 0.667) from 0.600 on"
    assert recipe.describe(scores[:0], right[:0], 3) == "nothing found"


def test_the_script_learns_and_goes_on(recipe, folder, monkeypatch, capsys):
    monkeypatch.setattr(recipe, "SIZES", dict.fromkeys(recipe.SIZES, 8))
    common = ["train_document.py", str(folder), "--held-out", "gold"]
    monkeypatch.setattr(sys, "argv", [*common, "--mix", "gold", "taught:1", "-o", str(folder / "one"), "--epochs", "1"])
    recipe.main()
    more = ["--mix", "gold", "--start-from", str(folder / "one"), "-o", str(folder / "two"), "--epochs", "2"]
    monkeypatch.setattr(sys, "argv", [*common, *more])
    recipe.main()
    assert "epoch 2: loss" in capsys.readouterr().out
    pipe = spacy.load(folder / "two").get_pipe("mrca_relations")
    assert set(LABELS) < set(pipe.labels)  # those of the shipped pipeline


def test_entities_that_are_found_have_the_facts_of_gold_ones(recipe):
    recognized = importlib.import_module("recognized").recognized
    nlp = spacy.blank("en")
    patterns = [("PER", "Marie Curie"), ("ORG", "Pierre"), ("LOC", "Warsaw"), ("LOC", "the capital of Poland")]
    nlp.add_pipe("entity_ruler").add_patterns([{"label": kind, "pattern": name} for kind, name in patterns])
    (found,) = recognized([GOLD], nlp)
    names = {entity: " ".join(WORDS[first:end]) for first, end, entity, *_ in found["mentions"]}
    assert sorted(names.values()) == ["Marie Curie", "Pierre", "Warsaw", "the capital of Poland"]
    told = [[names[subject], names[object_], label] for subject, object_, label, _ in found["facts"]]
    assert told == [["Marie Curie", "Warsaw", "place of birth"], ["Marie Curie", "Pierre", "spouse"]]
    assert {kind for *_, kind, _ in found["mentions"]} == {"PER", "ORG", "LOC"}
    assert found["complete"] == GOLD["complete"]


def test_joined_documents_say_nothing_of_one_another(recipe, documents):
    first, second = documents
    joined = recipe.join([first, second])
    count = len(first.types)
    assert joined.words == [*first.words, *second.words]
    assert [joined.words[start:end] for start, end in joined.mentions.tolist()] == 2 * [
        first.words[start:end] for start, end in first.mentions.tolist()
    ]
    assert set(joined.entity.tolist()) == set(range(2 * count))
    assert joined.sentence[len(first.words)] == first.sentence[-1] + 1
    weights = recipe._weights(joined, 3)
    assert (weights[:count, count:] == 1).all()
    assert (weights[:count, :count] == recipe._known(first, count, 3)).all()
    assert (weights[count:, count:] == recipe._known(second, count, 3)).all()
    facts = {tuple(fact) for fact in joined.facts.tolist()}
    assert facts == {tuple(fact) for fact in first.facts.tolist()} | {
        (subject + count, object_ + count, label) for subject, object_, label in second.facts.tolist()
    }


def test_documents_that_share_a_name_are_not_joined(recipe, documents):
    for seed in range(20):
        assert all(not document.parts for document in recipe.mingle(documents, random.Random(seed)))


def test_documents_are_joined_by_chance_and_none_is_lost(recipe, documents):
    one, _ = documents
    many = []
    for number in range(30):
        words = [f"{word}{number}" for word in one.words]
        many.append(dataclasses.replace(one, name=str(number), words=words))
    found = recipe.mingle(many, random.Random(1))
    parts = [part.name for document in found for part in document.parts or (document,)]
    assert sorted(parts) == sorted(document.name for document in many)
    assert 2 < sum(len(document.parts) for document in found) < 28
    assert max(len(document.words) for document in found) <= recipe.JOINED_WORDS
