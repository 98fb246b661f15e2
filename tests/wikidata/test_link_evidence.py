"""What a profile and a text have in common."""

import pytest

from kgmrca.wikidata.evidence import DATES, EVIDENCE, TOPIC, evidence, profile_words, stated, text_words, topic
from kgmrca.wikidata.records import Profile

SKIER = Profile(
    frozenset({"Q5"}),
    "Norwegian skier",
    (("P106", "skier"), ("P27", "Norway"), ("P31", "human"), ("P54", "Lyn"), ("P569", "1901-02-03T00:00:00Z")),
)


def compared(name, profile, sentences, text=""):
    words = text_words(f"{sentences} {text}")
    (row,) = evidence(name, [profile], sentences, words).tolist()
    return dict(zip(EVIDENCE + DATES, row, strict=True))


def test_the_words_of_a_profile():
    words = profile_words(SKIER)
    assert (words.what, words.names, words.places) == ({"skier"}, {"norwe"}, {"norwa"})
    assert (words.years, words.begin) == ({1901}, 1901)
    assert words.everything == {"skier", "norwe", "norwa", "lyn"}


def test_that_a_person_is_human_says_nothing():
    assert "human" not in profile_words(SKIER).everything
    assert "human" in profile_words(Profile(frozenset({"Q8458"}), facts=(("P31", "human right"),))).what


@pytest.mark.parametrize("date", ["-0069-01-01T00:00:00Z", "12000", "soon", ""])
def test_dates_without_a_year_of_four_digits_are_none(date):
    assert profile_words(Profile(facts=(("P569", date),))).begin is None


def test_a_word_of_the_sentence_is_one_of_the_text_too():
    near = compared("Oda Lund", SKIER, "Oda Lund was a skier.")
    far = compared("Oda Lund", SKIER, "Oda Lund came.", "The skiers left.")
    assert (near["sentence"], near["document"]) == (1, 1)
    assert (far["sentence"], far["document"]) == (0, 1)


def test_names_of_the_description_are_found_or_missing():
    said = compared("Oda Lund", SKIER, "The Norwegians met Oda Lund.")
    assert (said["names_found"], said["names_missing"]) == (1, 0)
    said = compared("Oda Lund", SKIER, "Oda Lund came.")
    assert (said["names_found"], said["names_missing"]) == (0, 1)


def test_places_are_missing_where_none_is_in_the_text():
    assert compared("Oda Lund", SKIER, "Oda Lund came to Norway.")["place_missing"] == 0
    assert compared("Oda Lund", SKIER, "Oda Lund came.")["place_missing"] == 1
    assert compared("Oda Lund", Profile(), "Oda Lund came.")["place_missing"] == 0


@pytest.mark.parametrize(
    ("text", "found", "late"), [("in 1901", 1, 0), ("in 1890", 0, 1), ("in 1950", 0, 0), ("", 0, 0)]
)
def test_years(text, found, late):
    said = compared("Oda Lund", SKIER, text)
    assert (said["years_found"], said["too_late"]) == (found, late)


def test_the_words_of_the_name_itself_say_nothing():
    said = compared("River Wool", Profile(description="river in Dorset"), "The River Wool is a river in Dorset.")
    assert (said["sentence"], said["names_found"]) == (0, 1)


def test_the_kind_that_a_name_tells():
    lake, poet = Profile(description="lake in Norway"), Profile(description="poet")
    rows = evidence("Lake Osk", [lake, poet], "", text_words("")).tolist()
    columns = [dict(zip(EVIDENCE, row, strict=False)) for row in rows]
    assert [one["name_kind"] for one in columns] == [1, 0]
    assert [one["kind_missing"] for one in columns] == [0, 1]
    assert compared("Osk", poet, "")["kind_missing"] == 0  # no candidate has it
    assert compared("Osk of Norway", lake, "")["name_place"] == 1


def test_no_candidates_are_no_rows():
    assert evidence("Oda", [], "", text_words("")).shape == (0, len(EVIDENCE) + len(DATES))
    assert [one.shape for one in topic([[], []], ["Oda", "Ida"], text_words(""))] == [(0, len(TOPIC))] * 2
    assert topic([], [], text_words("")) == []


def test_a_candidate_suits_what_the_other_entities_are():
    skier, painter = Profile(description="skier"), Profile(description="painter")
    alone, among = topic([[(skier, 0.5), (painter, 0.5)], [(skier, 0.9)]], ["Oda", "Ida"], text_words(""))
    assert alone[0].tolist() > alone[1].tolist()
    assert alone[1].tolist() == [0, 0, 0]
    assert among[0, 0] > 0


def test_what_an_entity_itself_may_be_does_not_suit_it():
    (only,) = topic([[(Profile(description="skier"), 0.9)]], ["Oda"], text_words(""))
    assert only.tolist() == [[0, 0, 0]]


def test_words_of_the_text_count_the_more_the_fewer_candidates_have_them():
    candidates = [(Profile(description=one), 0.1) for one in ("skier", "painter", "painter", "painter")]
    (rows,) = topic([candidates], ["Oda"], text_words("The painter met a skier."))
    assert rows[0, 2] > rows[1, 2] > 0


def test_words_beside_a_name_are_told_from_others_of_the_sentence():
    beside = compared("Oda Lund", SKIER, "The skier Oda Lund came.")
    far = compared("Oda Lund", SKIER, "Oda Lund came home in the evening and saw there the skier.")
    assert (beside["beside"], far["beside"], far["sentence"]) == (1, 0, 1)


@pytest.mark.parametrize("text", ["They live in Paris, Texas.", "PARIS (Texas) has a tower.", "Paris, in Texas, grew."])
def test_the_place_that_follows_a_name_is_where_it_lies(text):
    french = Profile(description="capital of France", facts=(("P17", "France"),))
    texan = Profile(description="city in Lamar County, Texas", facts=(("P17", "United States"),))
    rows = [
        dict(zip(EVIDENCE, row, strict=False)) for row in evidence("Paris", [french, texan], text, text_words(text))
    ]
    assert [one["place_beside"] for one in rows] == [0, 1]
    assert [one["place_differs"] for one in rows] == [1, 0]


def test_a_place_that_no_candidate_lies_in_says_nothing():
    french = Profile(description="capital of France", facts=(("P17", "France"),))
    said = compared("Paris", french, "They saw Paris, Rome and Oslo.")
    assert (said["place_beside"], said["place_differs"]) == (0, 0)


@pytest.mark.parametrize(
    ("text", "began", "ended"),
    [
        ("Oda Lund (1901-1980) was a skier.", {1901}, {1980}),
        ("Oda Lund (3 February 1901 – 7 May 1980) was a skier.", {1901}, {1980}),
        ("Oda Lund was born in Oslo on 3 February 1901.", {1901}, set()),
        ("Oda Lund died in 1980.", set(), {1980}),
        ("Oda Lund was founded in the 1900s.", set(), set()),
        ("Oda Lund (1999) says so.", set(), set()),
        ("Oda Lund came. Ida Lund was born in 1970.", set(), set()),
        ("Ida Lund\n(1901-1980)", set(), set()),
    ],
)
def test_when_something_began_and_ended_is_read_beside_its_name(text, began, ended):
    found = stated("Oda Lund", text)
    assert (found.began, found.ended) == (began, ended)


@pytest.mark.parametrize(
    ("text", "agree", "differ"),
    [
        ("Oda Lund (1901-1980) was a skier.", 1, 0),
        ("Oda Lund was born in 1902.", 0, 0),  # a year more
        ("Oda Lund was born in 1970.", 0, 1),
        ("Oda Lund died in 1980.", 0, 0),  # which the item does not say
    ],
)
def test_stated_dates_agree_with_an_item_or_contradict_it(text, agree, differ):
    said = compared("Oda Lund", SKIER, text)
    assert (said["dates_agree"], said["dates_differ"]) == (agree, differ)
