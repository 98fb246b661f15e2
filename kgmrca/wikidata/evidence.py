"""What speaks for an item in a text: the words, names, places and years that its profile and the text have in common.

A candidate is compared with the sentences that mention the entity, with the whole text, and with what the other
entities of the text are likely to be. Nothing is looked up here, and nothing is weighed: `disambiguation` does that.

Words are compared by their first five letters, so that "actor" and "actress", "Canada" and "Canadian" are alike. The
words of the entity's own name say nothing, because all candidates have it.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kgmrca.wikidata.records import Profile

__all__ = ["EVIDENCE", "TOPIC", "TextWords", "evidence", "profile_words", "text_words", "topic"]

EVIDENCE = ("sentence", "document", "names_found", "names_missing", "place_missing", "years_found", "too_late")
"""The columns that `evidence` gives.

sentence, document: how many words of the description, the classes and the occupations are in the sentences, in the
    text, divided by the square root of how many there are.
names_found, names_missing: how many names in the description (words with a capital letter) are in the text, and how
    many are not.
place_missing: whether the item has a country or another place, and the text has none of them.
years_found: how many years of the item are in the text.
too_late: whether the item began after all years in the text.
"""
TOPIC = ("topic", "topic_best")
"""The columns that `topic` gives: how much more often than candidates in general the other entities of the text have
the words of the item: over all of its words, and the four words for which it is most."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_YEAR = re.compile(r"(?<![\d.,-])(1\d{3}|20\d\d)(?!\d)")
_STEM = 5
_HUMAN = "Q5"
_WHAT = frozenset({"P31", "P106", "P39", "P101", "P641", "P413", "P136"})
_PLACE = frozenset({"P27", "P17", "P131", "P276", "P495", "P159", "P19", "P20"})
_BEGIN = frozenset({"P569", "P571", "P577"})
_TIME = _BEGIN | {"P570", "P576", "P580", "P585"}
_BEST, _SMOOTH = 4, 5  # of `topic`
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for with from that this was were are his her its their who which into over under about after before "
        "than then they them has have had not but all one two also other more most such only some any each between "
        "during within without while where when been being out off per via non you your our she him whom what",
    )
)


class TextWords(NamedTuple):
    """The words of a text by their stems, and the years in it."""

    stems: frozenset[str]
    years: frozenset[int]


class ProfileWords(NamedTuple):
    """The words of a profile by their stems, and its years."""

    what: frozenset[str]
    """What the item is or does."""

    names: frozenset[str]
    """Names in the description."""

    places: frozenset[str]
    years: frozenset[int]
    begin: int | None
    """The first year of the item."""

    everything: frozenset[str]
    """All words, those of the other facts too."""


def text_words(text: str) -> TextWords:
    """The words of a text, and its years from 1000 to 2099.

    >>> text_words("She was born in 1867.")
    TextWords(stems=frozenset({'born'}), years=frozenset({1867}))
    """
    return TextWords(_stems(text), frozenset(map(int, _YEAR.findall(text))))


@lru_cache(maxsize=20_000)
def profile_words(profile: Profile) -> ProfileWords:
    """The words of a profile.

    >>> profile_words(Profile(description="Polish physicist", facts=(("P569", "1867-11-07T00:00:00Z"),))).names
    frozenset({'polis'})
    """
    words = _WORD.findall(profile.description)
    names = _kept(word for word in words if word[0].isupper())
    labels: dict[str, list[str]] = {"what": [], "place": [], "other": []}
    years, begins = set(map(int, _YEAR.findall(profile.description))), []
    for property, value in profile.facts:
        if property in _TIME:
            if year := _YEAR.match(value.lstrip("+")):
                years.add(int(year[1]))
                begins += [int(year[1])] * (property in _BEGIN)
        elif property != "P31" or _HUMAN not in profile.types:
            labels["what" if property in _WHAT else "place" if property in _PLACE else "other"].append(value)
    what, places, other = (_stems(" ".join(found)) for found in labels.values())
    what |= _kept(word for word in words if not word[0].isupper())
    return ProfileWords(what, names, places, frozenset(years), min(begins, default=None), what | names | places | other)


def evidence(name: str, profiles: Sequence[Profile], sentences: TextWords, text: TextWords) -> NDArray[np.float64]:
    """What is said where an entity is mentioned, for each of its candidates: [candidates, len(EVIDENCE)].

    Args:
        name: of the entity.
        profiles: of its candidates.
        sentences: the words of the sentences that mention it.
        text: the words of the whole text.
    """
    own = _stems(name)
    latest = max(text.years, default=None)
    rows = []
    for words in map(profile_words, profiles):
        what, names = words.what - own, words.names - own
        found = len(names & text.stems)
        rows.append(
            (
                len(what & sentences.stems) / math.sqrt(len(what) or 1),
                len(what & text.stems) / math.sqrt(len(what) or 1),
                found,
                len(names) - found,
                bool(words.places) and words.places.isdisjoint(text.stems),
                len(words.years & text.years),
                words.begin is not None and latest is not None and words.begin > latest,
            )
        )
    return np.array(rows, np.float64).reshape(-1, len(EVIDENCE))


def topic(likely: Sequence[Sequence[tuple[Profile, float]]]) -> list[NDArray[np.float64]]:
    """How well candidates suit what the other entities of a text are: for each entity [candidates, len(TOPIC)].

    Args:
        likely: for each entity the profiles of its candidates, with how likely each is.
    """
    counts: Counter[str] = Counter()  # of candidates with a word
    total: defaultdict[str, float] = defaultdict(float)  # of entities that are expected to have it
    expected: list[defaultdict[str, float]] = []
    for candidates in likely:
        own: defaultdict[str, float] = defaultdict(float)
        for profile, probability in candidates:
            stems = profile_words(profile).everything
            counts.update(stems)
            for stem in stems:
                own[stem] += probability
                total[stem] += probability
        expected.append(own)
    scale = sum(map(len, likely)) / max(1, len(likely))
    found = []
    for candidates, own in zip(likely, expected, strict=True):
        rows = []
        for profile, _ in candidates:
            stems = profile_words(profile).everything
            lifts = sorted(
                (math.log1p(max(0.0, total[one] - own[one]) * scale / (counts[one] + _SMOOTH)) for one in stems),
                reverse=True,
            )
            rows.append((sum(lifts) / math.sqrt(len(lifts) or 1), sum(lifts[:_BEST])))
        found.append(np.array(rows, np.float64).reshape(-1, len(TOPIC)))
    return found


def _stems(text: str) -> frozenset[str]:
    return _kept(_WORD.findall(text))


def _kept(words: Iterable[str]) -> frozenset[str]:
    folded = (word.casefold() for word in words)
    return frozenset(word[:_STEM] for word in folded if word not in _COMMON)
