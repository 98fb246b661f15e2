"""Facts that contradict one another by what the ontology knows of their labels."""

import pytest

from kgmrca.extraction.relations.consistency import consistent, symmetric_labels
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


def values(text, *objects, label="place of birth"):
    """Which objects of one subject are kept, best first: each is found in the text."""
    facts = [(0, number, label, 0.9 - number / 10) for number in range(1, len(objects) + 1)]
    spans = [(text.rindex(name), text.rindex(name) + len(name)) for name in objects]
    return [name for name, is_kept in zip(objects, consistent(facts, text, spans), strict=True) if is_kept]


@pytest.mark.parametrize(
    ("text", "objects", "label"),
    [
        ("Ann (born in Ulm), Bob (born in Metz)", ["Metz", "Ulm"], "place of birth"),
        ("Ann, born in Ulm and raised in Metz", ["Ulm", "Metz"], "place of birth"),
        ("Ann and Bob were born in Ulm and Metz", ["Ulm", "Metz"], "place of birth"),
        ("Ann died in 1960 and Bob in 1971", ["1960", "1971"], "date of death"),
        ("Acme, founded in 1960 by Ann, moved in 1971", ["1960", "1971"], "inception"),
    ],
)
def test_a_subject_has_one_value_of_some_labels(text, objects, label):
    assert values(text, *objects, label=label) == objects[:1]


@pytest.mark.parametrize(
    ("text", "objects", "label"),
    [
        ("Ann was born in Ulm, Germany.", ["Ulm", "Germany"], "place of birth"),
        ("Ann was born in Ulm (Baden), Germany.", ["Ulm", "Germany", "Baden"], "place of birth"),
        ("Ann was born in Ulm near the Danube.", ["Ulm", "Danube"], "place of birth"),
        ("Ann was born in 1960, on 3 May 1960", ["3 May 1960", "1960"], "date of birth"),
        ("Ann died between 1296 and 1300", ["1296", "1300"], "date of death"),
        ("Ann moved to Ulm and worked in Metz", ["Ulm", "Metz"], "residence"),
    ],
)
def test_values_that_name_one_more_precisely_are_kept(text, objects, label):
    assert values(text, *objects, label=label) == objects


@pytest.mark.parametrize(
    "place", [(1, 2, "country", 0.5), (2, 1, "contains the administrative territorial entity", 0.5)]
)
def test_a_place_and_what_it_lies_in_are_both_kept(place):
    facts = [(0, 1, "place of birth", 0.9), (0, 2, "place of birth", 0.4)]
    assert consistent(facts) == [True, False]
    assert consistent([*facts, place]) == [True, True, True]


def test_each_subject_has_its_value():
    assert consistent([(0, 2, "place of birth", 0.9), (1, 3, "place of birth", 0.8)]) == [True, True]


def test_labels_that_hold_both_ways():
    assert symmetric_labels() >= {"spouse", "sibling", "twinned administrative body"}
    assert not symmetric_labels() & {"child", "employer", "influenced by"}
