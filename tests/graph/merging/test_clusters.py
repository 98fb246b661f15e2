import pytest

from kgmrca.graph.merging.clusters import Named, group_names, name_key, parts_of

BERLIN, PARIS = name_key("Berlin", frozenset({"GPE"})), name_key("Paris", frozenset({"GPE"}))


def named(*pairs):
    """Entities with the items that they are linked to."""
    return [Named(entity, item, "label") for entity, item in pairs]


def groups(by_name, largest=1000):
    return [
        (names, sorted(one.entity for one in entities), items, conflict)
        for names, entities, items, conflict in group_names(by_name, max_entities=largest)
    ]


@pytest.mark.parametrize(
    ("label", "types"),
    [("New  York", {"GPE"}), ("new york", {"LOC"}), ("NEW YORK", {"FAC", "GPE"}), ("New\nYork", {"location"})],
)
def test_case_white_space_and_the_scheme_of_types_make_no_difference(label, types):
    assert name_key(label, frozenset(types)) == name_key("New York", frozenset({"LOC"}))


def test_composition_makes_no_difference():
    assert name_key("Zu\u0308rich", frozenset({"LOC"})) == name_key("Z\u00fcrich", frozenset({"LOC"}))


@pytest.mark.parametrize(
    ("label", "types"),
    [
        ("Washington", {"PERSON", "GPE"}),
        ("Washington", set()),
        (" ", {"GPE"}),
        ("Curie", {"PERSON"}),
        ("1867", {"DATE"}),
        ("two hundred", {"CARDINAL"}),
    ],
)
def test_names_that_are_no_evidence(label, types):
    assert name_key(label, frozenset(types)) is None


def test_an_unknown_type_is_compared_as_it_is():
    assert name_key("abc", frozenset({"Gene"})) == name_key("ABC", frozenset({"Gene"}))
    assert name_key("abc", frozenset({"Gene"})) != name_key("abc", frozenset({"Plant"}))


def test_a_key_has_type_and_name():
    assert parts_of(BERLIN) == ("LOC", "berlin")


def test_a_name_joins():
    assert groups({BERLIN: named(("a", ""), ("b", ""))}) == [((BERLIN,), ["a", "b"], [], None)]


def test_a_name_joins_to_the_item_that_has_it():
    assert groups({BERLIN: named(("a", ""), ("b", "Q64"))}) == [((BERLIN,), ["a"], ["Q64"], None)]


def test_entities_are_not_joined_by_a_name_of_two_items():
    found = groups({BERLIN: named(("a", ""), ("b", "Q64"), ("c", "Q821244"))})
    assert found == [((BERLIN,), ["a"], ["Q64", "Q821244"], "ambiguous name")]


def test_names_of_one_entity_are_joined():
    assert groups({BERLIN: named(("a", ""), ("b", "")), PARIS: named(("b", ""), ("c", ""))}) == [
        ((BERLIN, PARIS), ["a", "b", "c"], [], None)
    ]


def test_entities_are_not_joined_by_names_that_lead_from_one_item_to_another():
    by_name = {BERLIN: named(("a", "Q1"), ("b", "")), PARIS: named(("b", ""), ("c", "Q2"))}
    assert groups(by_name) == [((BERLIN, PARIS), ["b"], ["Q1", "Q2"], "ambiguous name")]


def test_an_item_does_not_lead_from_one_name_to_another():
    by_name = {BERLIN: named(("a", ""), ("q", "Q1")), PARIS: named(("q", "Q1"), ("c", ""))}
    assert groups(by_name) == [((BERLIN,), ["a"], ["Q1"], None), ((PARIS,), ["c"], ["Q1"], None)]


def test_an_entity_with_an_ambiguous_name_is_still_joined_by_its_other_name():
    by_name = {BERLIN: named(("a", "Q1"), ("b", "Q2"), ("c", "")), PARIS: named(("c", ""), ("d", ""))}
    assert groups(by_name) == [
        ((BERLIN,), ["c"], ["Q1", "Q2"], "ambiguous name"),
        ((PARIS,), ["c", "d"], [], None),
    ]


def test_more_entities_than_allowed_stay_apart():
    by_name = {BERLIN: named(("a", ""), ("b", ""), ("c", ""))}
    assert [conflict for *_, conflict in groups(by_name, largest=3)] == [None]
    assert [conflict for *_, conflict in groups(by_name, largest=2)] == ["large cluster"]


def test_an_item_that_several_entities_are_linked_to_is_one_item():
    by_name = {BERLIN: named(("a", "Q64"), ("b", "Q64"), ("c", ""))}
    assert groups(by_name) == [((BERLIN,), ["c"], ["Q64"], None)]


def test_the_items_of_a_name_are_in_order():
    by_name = {BERLIN: named(("a", "Q9"), ("b", "Q10"), ("c", "Q64"), ("d", ""))}
    assert groups(by_name) == [((BERLIN,), ["d"], ["Q10", "Q64", "Q9"], "ambiguous name")]


def test_a_name_that_only_items_have_is_a_group_too():
    by_name = {BERLIN: named(("q", "Q64")), PARIS: named(("a", ""), ("b", ""))}
    assert groups(by_name) == [((BERLIN,), [], ["Q64"], None), ((PARIS,), ["a", "b"], [], None)]


def test_an_entity_that_is_given_twice_counts_once():
    by_name = {BERLIN: named(("a", ""), ("b", "")), PARIS: named(("b", ""), ("a", ""))}
    assert groups(by_name, largest=2) == [((BERLIN, PARIS), ["a", "b"], [], None)]


def test_groups_and_their_names_are_in_the_order_of_their_names():
    several = [name_key(f"city {number}", frozenset({"GPE"})) for number in range(9)]
    ambiguous, joined = several[:3], several[3:]
    by_name = {name: named((name, ""), ("a", "Q1"), ("b", "Q2")) for name in reversed(ambiguous)}
    by_name |= {joined[number]: named((f"e{number % 3}", "")) for number in (5, 4, 3, 2, 1, 0)}
    assert [names for names, *_ in groups(by_name)] == [
        *((name,) for name in ambiguous),
        *((joined[number], joined[number + 3]) for number in range(3)),
    ]


def test_the_entities_of_a_group_are_in_the_order_of_its_names():
    by_name = {PARIS: named(("c", ""), ("b", "")), BERLIN: named(("b", ""), ("a", ""))}
    (group,) = group_names(by_name, max_entities=9)
    assert [one.entity for one in group.entities] == ["b", "a", "c"]


@pytest.mark.parametrize("type_", ["DATE", "TIME", "CARDINAL", "PERCENT", "MONEY", "QUANTITY", "ORDINAL"])
def test_times_and_numbers_are_no_evidence(type_):
    assert name_key("two words", frozenset({type_})) is None


@pytest.mark.parametrize("type_", ["ORG", "GPE", "WORK_OF_ART", "Gene"])
def test_one_word_is_evidence_for_all_but_persons(type_):
    assert name_key("Word", frozenset({type_})) is not None


def test_several_words_are_evidence_for_persons():
    assert parts_of(name_key("Marie Curie", frozenset({"PERSON"}))) == ("PER", "marie curie")
