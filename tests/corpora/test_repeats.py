import random

from kgmrca.corpora.repeats import Repeat, Repeats, _Digests


def test_documents_are_told_apart_by_name_and_text():
    repeats = Repeats()
    found = [
        repeats.add(*document) for document in [("a", "1"), ("b", "2"), ("a", "2"), ("a", "1"), ("b", "1"), ("c", "3")]
    ]
    assert found == [Repeat.NOTHING, Repeat.NOTHING, Repeat.NAME, Repeat.BOTH, Repeat.NAME, Repeat.NOTHING]


def test_name_and_text_do_not_run_into_each_other():
    repeats = Repeats()
    assert [repeats.add("ab", "c"), repeats.add("a", "bc")] == [Repeat.NOTHING, Repeat.NOTHING]


def test_a_name_is_no_text():
    repeats = Repeats()
    repeats.add("a", "b")
    assert repeats.add("b", "a") is Repeat.NOTHING


def test_a_name_need_not_be_unicode():
    assert Repeats().add("\ud800", "text") is Repeat.NOTHING


def test_digests_are_a_set_of_numbers_however_many():
    rng = random.Random(0)
    numbers = [rng.randrange(1, 2**64) for _ in range(20_000)]
    numbers += rng.sample(numbers, 5_000)
    digests, seen = _Digests(), set()
    for number in numbers:
        assert digests.add(number) == (number not in seen)
        seen.add(number)
    assert sum(map(len, digests._tables)) < 4 * len(seen)
