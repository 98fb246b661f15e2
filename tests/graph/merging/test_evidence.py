from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgmrca.graph.merging.evidence import agree, combined, disagreeing

XSD = "http://www.w3.org/2001/XMLSchema#"


def of(*evidence):
    return combined((document, digest, Decimal(confidence)) for document, digest, confidence in evidence)


def date(text):
    return f'"{text}"^^<{XSD}{["gYear", "gYearMonth", "date"][text.lstrip("-").count("-")]}>'


confidences = st.integers(0, 10_000).map(lambda number: (Decimal(number) / 10_000).normalize())
evidence = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.sampled_from("xyz"), confidences), min_size=1)


def test_one_statement_gives_its_own_confidence():
    assert of(("a", "x", "0.9")) == Decimal("0.9")


def test_a_second_document_counts_half():
    assert of(("a", "x", "0.5"), ("b", "y", "0.36")) == Decimal("0.6")  # 1 - 0.5 * sqrt(0.64)


def test_the_highest_confidence_counts_in_full():
    assert of(("a", "x", "0.36"), ("b", "y", "0.5"), ("c", "z", "0.36")) == Decimal("0.68")


def test_a_second_sentence_of_a_document_adds_nothing():
    assert of(("a", "x", "0.5"), ("a", "y", "0.4")) == Decimal("0.5")


def test_a_copy_of_a_sentence_adds_nothing():
    assert of(("a", "x", "0.5"), ("b", "x", "0.4")) == Decimal("0.5")


def test_another_sentence_beside_a_copy_counts():
    assert of(("a", "x", "0.5"), ("b", "x", "0.4"), ("b", "y", "0.36")) == Decimal("0.6")


def test_sentences_without_a_digest_are_no_copies():
    assert of(("a", None, "0.5"), ("b", None, "0.36")) == Decimal("0.6")
    assert of(("a", "", "0.5"), ("b", "", "0.36")) == Decimal("0.6")


def test_of_equal_confidences_of_a_document_the_first_digest_counts_in_any_order():
    evidence = [("a", "x", "0.5"), ("a", "y", "0.5"), ("b", "y", "0.36")]
    assert of(*evidence) == of(*reversed(evidence)) == Decimal("0.6")


def test_four_decimals():
    assert of(("a", "x", "0.5"), ("b", "y", "0.5")) == Decimal("0.6464")


@given(evidence, st.randoms())
def test_the_order_makes_no_difference(evidence, random):
    other = list(evidence)
    random.shuffle(other)
    assert str(combined(evidence)) == str(combined(other))


@given(evidence)
def test_the_combined_confidence_is_at_least_the_highest(evidence):
    assert max(confidence for *_, confidence in evidence) <= combined(evidence) <= 1


@given(evidence)
def test_the_same_evidence_twice_adds_nothing(evidence):
    assert combined(2 * evidence) == combined(evidence)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (date("1867"), date("1867-11-07")),
        (date("1867-11"), date("1867-11-07")),
        (date("1867"), date("1867-11")),
        (date("-0043"), date("-0043-03")),
        ("<urn:a>", "<urn:a>"),
    ],
)
def test_equal_objects_and_dates_of_different_precision_agree(one, other):
    assert agree(one, other)
    assert agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (date("1867"), date("1868")),
        (date("1867-11"), date("1867-12-07")),
        (date("1867-01"), date("1867-11-07")),
        (date("0186"), date("1867-11-07")),
        (date("1867"), '"1867"'),
        ('"18"^^<urn:x>', '"18-1"^^<urn:x>'),
        ("<urn:a>", "<urn:b>"),
    ],
)
def test_different_objects_do_not_agree(one, other):
    assert not agree(one, other)
    assert not agree(other, one)


def test_only_objects_that_contradict_another_disagree():
    days = [date("1867"), date("1867-11-07"), date("1867-11-08")]
    assert disagreeing(days) == days[1:]
    assert disagreeing(days[:2]) == []
