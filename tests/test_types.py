"""The scheme of entity types, labels of a user's own, and which relations types allow."""

import json

import pytest
import spacy
import torch
from helpers import add_tiny_relations
from spacy.tokens import Span
from spacy.training import Example

from kgmrca.errors import InputError
from kgmrca.relations import Relation, get_plain_relations
from kgmrca.types import allowed, check_type_map, coarse_type, find_rules, type_numbers

# Types.


@pytest.mark.parametrize(
    ("label", "coarse"),
    [("PERSON", "PER"), ("person", "PER"), ("GPE", "LOC"), ("WORK_OF_ART", "MISC"), ("DATE", "TIME"), ("MONEY", "NUM")],
)
def test_ontonotes(label, coarse):
    assert coarse_type(label) == coarse


@pytest.mark.parametrize("label", ["PER", "LOC", "ORG", "MISC", "TIME", "NUM", "TERM", "dragon", "ENTITY"])
def test_types_and_labels_that_are_unknown_stay_as_they_are(label):
    assert coarse_type(label) == label


def test_every_label_of_ontonotes_is_known():
    labels = "PERSON NORP FAC ORG GPE LOC PRODUCT EVENT WORK_OF_ART LAW LANGUAGE DATE TIME PERCENT MONEY QUANTITY"
    assert 0 not in type_numbers([coarse_type(label) for label in [*labels.split(), "ORDINAL", "CARDINAL"]])


def test_a_type_map_extends_and_overrides():
    type_map = check_type_map({"gene": "MISC", "NORP": "MISC"})
    assert [coarse_type(label, type_map) for label in ("GENE", "norp", "GPE", "OTHER")] == [
        "MISC",
        "MISC",
        "LOC",
        "OTHER",
    ]


def test_a_type_map_has_types_of_the_scheme():
    with pytest.raises(InputError, match=r"'PROTEIN' \(for 'GENE'\) is not a type; these are: LOC, MISC"):
        check_type_map({"GENE": "PROTEIN"})


def test_numbers_of_types():
    assert type_numbers(["LOC", "ENTITY", "LOC", "alien"]).tolist() == [1, 0, 1, 0]
    assert type_numbers([]).tolist() == []


# Rules. "father" is PER or MISC -> PER in the ontology; it does not know "haunts".


def test_rules_are_what_the_ontology_allows():
    assert find_rules({}, ["father"]) == {"father": ["MISC PER", "PER PER"]}


def test_a_combination_that_occurs_twice_is_added():
    rules = find_rules({"father": {("ORG", "PER"): 2, ("LOC", "LOC"): 1}}, ["father"])
    assert rules == {"father": ["MISC PER", "ORG PER", "PER PER"]}


@pytest.mark.parametrize(
    ("combinations", "rule"),
    [
        ({("PER", "LOC"): 4}, None),  # too few
        ({("PER", "LOC"): 4, ("PER", "ORG"): 1}, ["PER LOC"]),
        ({("PER", "LOC"): 3, ("PER", "ORG"): 2}, ["PER LOC", "PER ORG"]),
        ({("PER", "LOC"): 4, ("PER", "ENTITY"): 9}, None),  # types that are not known say nothing
        ({(a, b): 1 for a in ("PER", "ORG") for b in ("PER", "ORG", "LOC")}, None),  # none occurs twice
    ],
)
def test_a_label_that_the_ontology_does_not_know(combinations, rule):
    assert find_rules({"haunts": combinations}, ["haunts"]).get("haunts") == rule


def test_the_table_of_rules():
    table = allowed({"haunts": ["PER LOC"]}, ["haunts", "free"])
    loc, per, unknown = type_numbers(["LOC", "PER", "ENTITY"])
    assert table[per, loc].tolist() == [True, True]
    assert table[loc, per].tolist() == table[per, per].tolist() == [False, True]
    assert table[unknown].all()
    assert table[:, unknown].all()
    assert (~table).sum() == 7 * 7 - 1


# In the component. The texts have a ghost (PER) and a castle (LOC), found by rule.

PATTERNS = [
    {"label": "PERSON", "pattern": [{"ORTH": "Ann"}]},
    {"label": "GPE", "pattern": [{"ORTH": "Oslo"}]},
    {"label": "GHOST", "pattern": [{"ORTH": "Boo"}]},
]


def blank():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    return nlp


def examples():
    """Ann haunts Oslo five times, as does Boo; Ann is in Oslo once."""
    nlp = blank()
    for text, label in [*5 * [("Ann haunts Oslo.", "haunts"), ("Boo haunts Oslo.", "haunts")], ("Ann in Oslo", "in")]:
        reference = nlp(text)
        reference._.relations = [Relation(*reference.ents, label)]
        yield Example(nlp(text), reference)


def make(**config):
    nlp = blank()
    pipe = add_tiny_relations(nlp, **config)
    torch.manual_seed(0)
    pipe.initialize(lambda: list(examples()))
    return nlp


def found(doc):
    return {(r.subject.text, r.object.text, r.label) for r in doc._.relations}


def pipe_of(nlp):
    return nlp.get_pipe("mrca_relations")


def test_rules_come_from_the_examples():
    assert pipe_of(make()).cfg["rules"] == {"haunts": ["PER LOC"]}


def test_a_forbidden_label_is_not_given_at_any_threshold():
    nlp = make()
    assert found(nlp("Ann and Oslo")) == {("Ann", "Oslo", "haunts"), ("Ann", "Oslo", "in"), ("Oslo", "Ann", "in")}
    _, scores = pipe_of(nlp).predict([nlp("Ann and Oslo")])
    assert (scores == 0).tolist() == [[False, False], [True, False]]


def test_types_that_are_not_known_forbid_nothing():
    assert len(found(make()("Boo and Oslo"))) == 4


def test_rules_can_be_switched_off():
    assert len(found(make(type_rules=False)("Ann and Oslo"))) == 4


def test_what_is_allowed_has_the_score_that_it_has_without_rules():
    with_rules, without = (
        get_plain_relations(make(type_rules=rules)("Ann and Boo in Oslo")) for rules in (True, False)
    )
    assert len(with_rules) < len(without)
    assert set(map(tuple, with_rules)) < set(map(tuple, without))


@pytest.mark.parametrize("network", ["kgmrca.PairMRCA.v1", "kgmrca.MRCA.v1"])
def test_pairs_without_any_allowed_label_are_not_asked_about(network):
    nlp = make(architecture=network)
    pipe = pipe_of(nlp)
    pipe.cfg["rules"]["in"] = ["PER ORG"]
    pipe.from_bytes(pipe.to_bytes())  # which makes the table anew
    docs = [nlp("Ann and Oslo"), nlp("Oslo and Oslo"), nlp("Oslo")]
    candidates, scores = pipe.predict(docs)
    assert len(candidates.pairs) == len(scores) == 1
    assert [len(doc._.relations) for doc in docs] == [1, 0, 0]
    assert len(pipe.predict(docs[1:])[1]) == 0


def test_a_type_map_makes_a_label_known():
    nlp = make(type_map={"ghost": "PER"})
    assert ("Oslo", "Boo", "haunts") not in found(nlp("Boo and Oslo"))
    assert ("Boo", "Oslo", "haunts") in found(nlp("Boo and Oslo"))
    assert pipe_of(nlp).label_data["types"] == ["LOC", "PER"]


def test_a_type_map_that_cannot_be_used():
    with pytest.raises(InputError, match=r"'GHOST' .* is not a type"):
        make(type_map={"Boo": "GHOST"})


def test_a_type_map_is_stored_and_what_is_configured_goes_before(tmp_path):
    pipe = pipe_of(make(type_map={"GHOST": "PER", "DEMON": "PER"}))
    pipe.to_disk(tmp_path)
    other = add_tiny_relations(blank(), type_map={"GHOST": "TERM"}).from_disk(tmp_path)
    assert other.type_map == {"GHOST": "TERM", "DEMON": "PER"}
    assert json.loads((tmp_path / "cfg").read_text(encoding="utf-8"))["type_map"] == pipe.type_map


def test_rules_are_stored():
    pipe = pipe_of(make())
    other = add_tiny_relations(blank()).from_bytes(pipe.to_bytes())
    assert other.cfg["rules"] == pipe.cfg["rules"]
    assert other.digest() == pipe.digest()


def test_rules_and_types_change_the_digest():
    digests = {pipe_of(make(**c)).digest() for c in ({}, {"type_rules": False}, {"type_map": {"DEMON": "PER"}})}
    assert len(digests) == 3


def test_what_was_stored_without_rules_has_none(tmp_path):
    nlp = make()
    nlp.to_disk(tmp_path)
    path = tmp_path / "mrca_relations" / "cfg"
    settings = json.loads(path.read_text(encoding="utf-8"))
    for key in ("rules", "calibration", "points", "type_map"):
        del settings[key]
    path.write_text(json.dumps(settings), encoding="utf-8")
    assert len(found(spacy.load(tmp_path)("Ann and Oslo"))) == 4


def test_training_does_not_follow_the_rules():
    nlp = make()
    doc = nlp.make_doc("Oslo haunts Ann.")
    doc.set_ents([Span(doc, 0, 1, "GPE"), Span(doc, 2, 3, "PERSON")])
    reference = doc.copy()
    reference._.relations = [Relation(*reference.ents, "haunts")]
    pipe = pipe_of(nlp)
    pipe.cfg["rules"]["in"] = ["PER LOC"]  # now no label is allowed for this order
    before = pipe.digest()
    assert pipe.update([Example(doc, reference)], sgd=nlp.create_optimizer())["mrca_relations"] > 0
    assert pipe.digest() != before
