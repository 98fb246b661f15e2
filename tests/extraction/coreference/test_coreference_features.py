"""What the ranker is told of pronouns and names."""

import numpy as np
import pytest

from kgmrca.extraction.coreference.features import (
    FEATURES,
    _persons,
    find_mentions,
    joined,
    make_pairs,
    pronoun_group,
)
from kgmrca.extraction.coreference.names import Name, group_names


def mentions_of(text):
    """Names in brackets, with their types: "[Ann Lee/PER] met [Bob/PER] ."."""
    words, spans, types = [], [], []
    for word in text.split():
        if word.startswith("["):
            start = len(words)
        plain, _, kind = word.strip("[]").partition("/")
        words.append(plain if plain else word)
        if word.endswith("]"):
            spans.append((start, len(words)))
            types.append(kind)
    entities = group_names([Name(tuple(words[a:b]), kind) for (a, b), kind in zip(spans, types, strict=True)])
    return words, find_mentions(words, spans, types, entities)


def pairs_of(text):
    words, mentions = mentions_of(text)
    pairs = make_pairs(mentions)
    return [
        (words[mentions.first[one]], words[mentions.last[other]])
        for one, other in zip(pairs.pronoun, pairs.candidate, strict=True)
    ]


def test_candidates_are_names_around_and_earlier_pronouns_of_the_kind():
    text = "[Ann/PER] met [Bob/PER] . She liked him and his house . Then she saw [Carl/PER] ."
    assert [other for one, other in pairs_of(text) if one == "She"] == ["Ann", "Bob", "Carl"]
    assert [other for one, other in pairs_of(text) if one == "his"] == ["Ann", "Bob", "him", "Carl"]
    assert [other for one, other in pairs_of(text) if one == "she"] == ["Ann", "Bob", "She", "Carl"]


def test_of_many_names_the_nearest_are_candidates():
    text = " ".join(f"[N{number}/PER] sang ." for number in range(30)) + " He left . "
    text += " ".join(f"[M{number}/PER] sang ." for number in range(9))
    assert [other for _, other in pairs_of(text)] == [f"N{n}" for n in range(10, 30)] + [f"M{n}" for n in range(4)]


def test_times_and_numbers_are_no_candidates():
    assert pairs_of("In [1990/TIME] [Ann/PER] had [two/NUM] dogs . She left .") == [("She", "Ann")]


def test_pronouns_in_names_and_it_in_capitals_are_none():
    _, mentions = mentions_of("[He Jiankui/PER] works in IT today .")
    assert not mentions.is_pronoun.any()
    _, mentions = mentions_of("[ACME/ORG] SAYS IT IS RICH")
    assert mentions.is_pronoun.tolist() == [False, True]


def test_features_are_rows_of_the_table():
    text = "[Mrs. Lee/PER] 's son said that he saw [Acme/ORG] . It was big . [Lee/PER] thought her son lied to them ."
    _, mentions = mentions_of(text)
    pairs = make_pairs(mentions)
    assert pairs.features.min() >= 0
    assert pairs.features.max() < FEATURES
    assert all(len(set(column)) > 1 for column in pairs.features.T[:5])
    assert mentions.gender.tolist() == [1, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("[Ann/PER] met [Bob/PER] .", [0, 3]),
        ("In [Oslo/LOC] , [Ann/PER] gave the red book to [Bob/PER] .", [1, 0, 1]),
        ("[Ann/PER] 's dog bit him and his dog , and he hurt himself .", [2, 3, 2, 0, 4]),
        ("He told her that her dog ran to her .", [0, 3, 2, 1]),
    ],
)
def test_roles(text, roles):
    assert mentions_of(text)[1].role.tolist() == roles


def test_words_before_a_name_tell_the_gender():
    _, mentions = mentions_of(
        "He met his wife [Robin Lee/PER] and her brother [Kim/PER] . [Lee/PER] sang to [Sam/PER] ."
    )
    assert [int(one) for one, name in zip(mentions.gender, mentions.name, strict=True) if name >= 0] == [1, 2, 1, 0]


def test_a_clause_that_opens_a_sentence():
    _, mentions = mentions_of("When she was ten , [Ann/PER] met him . She left when he came , and he sang .")
    assert mentions.opened.tolist() == [1, 0, 0, 0, 0, 0]
    assert mentions.clause.tolist() == [1, 2, 2, 3, 4, 6]


def test_how_candidates_stand_to_the_persons():
    _, mentions = mentions_of(
        "[Ann/PER] met [Bob/PER] in [Oslo/LOC] . [Carl/PER] saw [Ann/PER] . She sang with [Bob/PER] ."
    )
    pronoun = np.full(6, 5)
    candidate = np.array([0, 1, 2, 3, 4, 6])
    place, others, named, most, led, here = (column.tolist() for column in _persons(mentions, pronoun, candidate))
    assert place == [0, 1, 2, 0, 1, 0]
    assert others == [2, 2, 2, 1, 0, 0]
    assert named == [2, 2, 0, 1, 2, 2]
    assert most == [1, 1, 0, 0, 1, 1]
    assert led == [2, 3, 3, 1, 2, 3]
    assert here == [0, 1, 0, 0, 0, 1]


def test_documents_together():
    one, other = mentions_of("[Ann/PER] left . She sang .")[1], mentions_of("[Bob/PER] came .")[1]
    both = joined([one, other], [0, 5])
    assert both.first.tolist() == [0, 3, 5]
    assert both.call.tolist() == [[0, 0], [0, 0], [5, 5]]


def test_no_pronoun_no_pairs():
    _, mentions = mentions_of("[Ann/PER] left .")
    pairs = make_pairs(mentions)
    assert pairs.features.shape[0] == len(pairs.pronoun) == 0
    assert pairs.pronoun.dtype == np.int64


def test_kinds_of_pronouns():
    assert [pronoun_group(word) for word in ("Her", "THEM", "itself", "we", "")] == ["she", "they", "it", "", ""]
