import itertools

import pytest

from kgmrca.errors import InputError
from kgmrca.graph.merging.rows import Cells, joined

CELLS = Cells("<s>", "<a>", "<p>", "<b>", "<d#1>", "<d#2>", "<d>", "0.5", '"label"', *[""] * 10)


PAIRS = list(itertools.combinations(["0", "0.05", "0.1", "0.4999", "0.5", "1"], 2))


def both_ways(one, other):
    """What two cells come to, which must be the same in either order."""
    found = joined(one, other)
    assert joined(other, one) == found
    return found


def test_the_same_again_changes_nothing():
    assert joined(CELLS, CELLS) == CELLS


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_highest_confidence_counts(one, other):
    assert both_ways(CELLS._replace(confidence=one), CELLS._replace(confidence=other)).confidence == other


def test_the_greatest_label_counts():
    assert both_ways(CELLS._replace(label='"born in"'), CELLS._replace(label='"place of birth"')).label == (
        '"place of birth"'
    )


def test_the_label_does_not_depend_on_the_confidence():
    sure = CELLS._replace(label='"a"', confidence="0.9")
    assert both_ways(sure, CELLS._replace(label='"b"'))[7:9] == ("0.9", '"b"')


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (("", "", ""), ("", "", '"1"')),
        (("", "", '"2"'), ("", "<d#3>", "")),
        (("", "<d#3>", '"1"'), ("", "<d#3>", '"2"')),
        (("", "<d#9>", '"2"'), ('"Text."', "<d#3>", '"1"')),
        (('"A text."', "<d#9>", '"2"'), ('"B text."', "<d#3>", '"1"')),
        (('"Text."', "<d#3>", '"2"'), ('"Text."', "<d#9>", '"1"')),
    ],
)
def test_the_greatest_sentence_counts_with_its_text_and_digest(less, more):
    names = ("sentence_text", "sentence", "sentence_digest")
    one, other = (CELLS._replace(**dict(zip(names, values, strict=True))) for values in (less, more))
    found = both_ways(one, other)
    assert (found.sentence_text, found.sentence, found.sentence_digest) == more


def test_times_are_kept_whichever_reading_has_them():
    told, timed = CELLS._replace(sentence_text='"Text."'), CELLS._replace(start_time='"1990"', end_time='"1995"')
    found = both_ways(told, timed)
    assert (found.sentence_text, found.start_time, found.end_time) == ('"Text."', '"1990"', '"1995"')
    later = both_ways(timed, CELLS._replace(start_time='"1991"'))
    assert (later.start_time, later.end_time) == ('"1991"', "")


def test_all_runs_are_kept_each_once_and_in_order():
    one, other = CELLS._replace(runs="<r2> <r3>"), CELLS._replace(runs="<r1> <r2>")
    assert both_ways(one, other).runs == "<r1> <r2> <r3>"
    assert both_ways(one, CELLS).runs == "<r2> <r3>"


@pytest.mark.parametrize("name", ["subject", "predicate", "object", "subject_mention", "object_mention", "document"])
def test_one_iri_for_two_statements_is_an_error_that_shows_both(name):
    other = CELLS._replace(**{name: "<x>"})
    with pytest.raises(InputError, match=r"use <s> for two statements: <a> <p> .* and .*<x>"):
        joined(CELLS, other)
