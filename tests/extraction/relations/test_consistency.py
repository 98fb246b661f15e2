"""Facts that contradict one another by what the ontology knows of their labels."""

import pytest

from kgmrca.extraction.relations.consistency import consistent
from kgmrca.ontology import load_properties


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ((1, 2, "child"), (2, 1, "child")),
        ((1, 2, "employer"), (2, 1, "employer")),
        ((1, 2, "parent organization"), (2, 1, "parent organization")),
        ((1, 2, "has subsidiary"), (1, 2, "parent organization")),
        ((1, 2, "father"), (1, 2, "child")),
        ((1, 2, "child"), (1, 2, "mother")),
        ((1, 2, "father"), (1, 2, "mother")),
        ((1, 2, "spouse"), (1, 2, "child")),
        ((1, 2, "capital"), (1, 2, "capital of")),
        ((1, 2, "follows"), (1, 2, "followed by")),
    ],
)
def test_of_two_that_contradict_one_another_the_better_is_kept(worse, better):
    assert consistent([(*worse, 0.4), (*better, 0.6)]) == [False, True]
    assert consistent([(*better, 0.6), (*worse, 0.4)]) == [True, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 2, "spouse"), (2, 1, "spouse")),
        ((1, 2, "sibling"), (2, 1, "sibling")),
        ((1, 2, "child"), (2, 1, "father")),
        ((1, 2, "parent organization"), (2, 1, "has subsidiary")),
        ((1, 2, "parent organization"), (1, 2, "owned by")),
        ((1, 2, "child"), (3, 1, "child")),
        ((1, 2, "influenced by"), (2, 1, "influenced by")),
        ((1, 2, "a label of one's own"), (2, 1, "a label of one's own")),
    ],
)
def test_what_may_hold_together_is_kept(one, other):
    assert consistent([(*one, 0.4), (*other, 0.6)]) == [True, True]


def test_what_is_left_out_contradicts_nothing():
    facts = [(1, 2, "child", 0.9), (2, 1, "child", 0.8), (2, 1, "mother", 0.5), (1, 2, "mother", 0.4)]
    assert consistent(facts) == [True, False, True, False]


def test_no_label_is_symmetric_and_asymmetric():
    properties = load_properties().values()
    assert not [known.label for known in properties if known.symmetric and known.asymmetric]
    assert {known.label for known in properties if known.asymmetric} >= {"child", "father", "mother", "employer"}


def test_labels_that_exclude_one_another_relate_the_same_types():
    types = {known.label: known.subject_types for known in load_properties().values()}
    for known in load_properties().values():
        assert all(known.subject_types & types[other] for other in known.disjoint)
