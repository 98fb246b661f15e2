"""What a profile and a text have in common."""

import pytest

from kgmrca.wikidata.evidence import EVIDENCE, TOPIC, evidence, profile_words, text_words, topic
from kgmrca.wikidata.records import Profile

SKIER = Profile(
    frozenset({"Q5"}),
    "Norwegian skier",
    (("P106", "skier"), ("P27", "Norway"), ("P31", "human"), ("P54", "Lyn"), ("P569", "1901-02-03T00:00:00Z")),
)


def compared(name, profile, sentences, text=""):
    words = text_words(f"{sentences} {text}")
    (row,) = evidence(name, [profile], text_words(sentences), words).tolist()
    return dict(zip(EVIDENCE, row, strict=True))


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


def test_no_candidates_are_no_rows():
    assert evidence("Oda", [], text_words(""), text_words("")).shape == (0, len(EVIDENCE))
    assert [one.shape for one in topic([[], []])] == [(0, len(TOPIC))] * 2
    assert topic([]) == []


def test_a_candidate_suits_what_the_other_entities_are():
    skier, painter = Profile(description="skier"), Profile(description="painter")
    alone, among = topic([[(skier, 0.5), (painter, 0.5)], [(skier, 0.9)]])
    assert alone[0].tolist() > alone[1].tolist()
    assert alone[1].tolist() == [0, 0]
    assert among[0, 0] > 0


def test_what_an_entity_itself_may_be_does_not_suit_it():
    (only,) = topic([[(Profile(description="skier"), 0.9)]])
    assert only.tolist() == [[0, 0]]
