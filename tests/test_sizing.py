"""`benchmarks/sizing.py`: its table is the one of the page, and follows from the rate."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def sizing(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import sizing

    yield sizing
    del sys.modules["sizing"]


def test_the_page_has_the_table_of_the_benchmark(sizing):
    page = (ROOT / "docs" / "how-to" / "sizing.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| 10*,.*$", page, re.MULTILINE)]
    assert rows[:3] == sizing.table(sizing.RATE, 0.05)


def test_twice_the_rate_is_half_the_time_and_half_the_cost(sizing):
    (_, hours, *_, cost), (_, half, *_, less) = (sizing.table(rate, 1.0)[2] for rate in (1000, 2000))
    assert (hours, cost) == ("13,889", "13,888.89")
    assert (half, less) == ("6,944", "6,944.44")


def test_documents_have_500_words(sizing, tmp_path):
    sizing.make_corpus(tmp_path / "in.jsonl", 3)
    lines = (tmp_path / "in.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert len(set(lines)) == 3
    assert sizing.reading_seconds(tmp_path / "in.jsonl") > 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(27, "27 s"), (108, "1.8 min"), (3600, "1.0 h"), (172_800, "2.0 days"), (90_000, "25 h")]
)
def test_times_are_in_words(sizing, seconds, words):
    assert sizing.duration(seconds) == words
