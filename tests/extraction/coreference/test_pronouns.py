"""What the words around a pronoun rule out."""

from dataclasses import replace

import pytest

from kgmrca.extraction.coreference.pronouns import Scene, corrected


def read(text, sexes=""):
    """A text with brackets around persons, braces around other names, a * before pronouns, and | for line breaks."""
    words, rows, types, at, breaks = [], [], [], [], []
    for word in text.split():
        if word[0] in "[{":
            start = len(words)
            types.append("PER" if word[0] == "[" else "ORG")
        if word.startswith("*"):
            at.append(len(words))
        if word == "|":
            breaks.append(len(words))
        words.append("." if word == "|" else word.strip("[]{}*"))
        if word[-1] in "]}":
            rows.append((start, len(words)))
    names = [" ".join(words[start:end]) for start, end in rows]
    entities = [names.index(name) for name in names]
    return Scene(words, rows, types, entities, list(sexes) or [""] * len(rows), breaks), at


@pytest.mark.parametrize(
    "text",
    [
        "{Acme} grew . *It rained all day .",
        "{Acme} grew because *it was cold .",
        "{Acme} left when *it was getting late .",
        "{Acme} grew . *It seems that all is well .",
        "{Acme} grew . *It took three years to build .",
        "{Acme} grew . *It is likely that it grows .",
        "{Acme} grew . The film was a success . *It won three prizes .",
        "[Johnson] quits | *His dog saved the family | [Smith] wins",
        "[Johnson] quits | *His dog saved the family",
        "[Ann] is *her aunt .",
        "[Ann] , *her aunt , left .",
        "*Her aunt [Ann] left .",
        "*Her aunt was [Ann] .",
    ],
)
def test_none_of_the_names_is_meant(text):
    scene, at = read(text)
    assert corrected(scene, at, [{0: 0.9} for _ in at]) == [{} for _ in at]


@pytest.mark.parametrize(
    "text",
    [
        "{Acme} grew . *It was large .",
        "{Acme} grew . *It poured money into toys .",
        "{Acme} grew . The company was a success . *It won three prizes .",
        "[Johnson] quits | Later *his dog saved the family .",
        "[Johnson] wins *his seat | News",
        "[Ann] liked *her aunt .",
        "[Ann] , *her hand raised , left .",
        "[Ann] was in *her office .",
    ],
)
def test_the_name_may_be_meant(text):
    scene, at = read(text)
    assert corrected(scene, at, [{0: 0.9} for _ in at]) == [{0: 0.9} for _ in at]


def test_what_the_sentence_before_is_about():
    scene, at = read("{Acme} grew . {Globex} grew in 1975 . *It sold toys .")
    assert corrected(scene, at, [{0: 0.6, 1: 0.2}]) == [{1: 1.0}]
    assert corrected(scene, at, [{0: 0.9, 1: 0.01}]) == [{}]
    assert corrected(scene, at, [{0: 0.1, 1: 0.6}]) == [{0: 0.1, 1: 0.6}]


def test_a_pronoun_that_points_forward():
    text = "[Mozart] admired many . In *his youth , [Haydn] sang ."
    assert corrected(*read(text), [{0: 0.9}]) == [{1: 1.0}]
    assert corrected(*read(text, "mf"), [{0: 0.9}]) == [{0: 0.9}]  # a woman is not "he"
    known = "[Haydn] taught [Mozart] . In *his youth , [Haydn] sang ."
    assert corrected(*read(known), [{1: 0.9}]) == [{1: 0.9}]  # the ranker decides between two that are known
    owner = "[Mozart] died . After *his death , [Haydn] 's fame grew ."
    assert corrected(*read(owner), [{0: 0.9}]) == [{0: 0.9}]


def test_where_there_are_persons_he_is_one():
    assert corrected(*read("{Acme} hired [Ann Lee] . *She left ."), [{0: 0.8, 1: 0.1}]) == [{1: 0.1}]
    assert corrected(*read("{Acme} left . *She left ."), [{0: 0.8}]) == [{0: 0.8}]  # a person, taken for a firm


def test_of_whom_the_gender_is_known_only_the_own_pronoun_is():
    scene, at = read("[Ann Lee] met [Kim Lee] . *He left .")
    scene = replace(scene, sure={0: "f"})
    assert corrected(scene, at, [{0: 0.6, 1: 0.2}]) == [{1: pytest.approx(0.5)}]  # the only one left has the share
    assert corrected(replace(scene, sure={0: "f", 1: "f"}), at, [{0: 0.6, 1: 0.2}]) == [{}]
    assert corrected(replace(scene, sure={0: "m"}), at, [{0: 0.6, 1: 0.2}]) == [{0: 0.6, 1: 0.2}]


def test_a_thing_is_neither_he_nor_she():
    assert corrected(*read("[Ford] grew . *He left .", "n"), [{0: 0.9}]) == [{}]


class _Counted(list):
    """Words that count how many of them are taken in stretches."""

    taken = 0

    def __getitem__(self, place):
        found = super().__getitem__(place)
        self.taken += len(found) if isinstance(place, slice) else 0
        return found


def test_far_names_are_not_read_up_to_the_pronoun():
    words = _Counted(["Ann", "saw", "her", "aunt", "Eve", "."] * 50)
    rows = [(place, place + 1) for place in range(len(words)) if words[place] in ("Ann", "Eve")]
    number = len(rows)
    scene = Scene(words, rows, ["PER"] * number, list(range(number)), [""] * number, [])
    at = [place for place, word in enumerate(words) if word == "her"]
    found = corrected(scene, at, [dict.fromkeys(range(number), 0.5) for _ in at])
    assert [set(range(number)) - set(kept) for kept in found] == [{2 * n + 1} for n in range(50)]
    assert words.taken < 50 * len(at)
