"""What speaks for an item in a text: the words, names, places and years that its profile and the text have in common.

A candidate is compared with the sentences that mention the entity, with the whole text, and with what the other
entities of the text are likely to be. Nothing is looked up here, and nothing is weighed: `disambiguation` does that.

Words are compared by their first five letters, so that "actor" and "actress", "Canada" and "Canadian" are alike. The
words of the entity's own name are looked for nowhere else, because all candidates have it.
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

__all__ = [
    "DATES",
    "EVIDENCE",
    "TOPIC",
    "Stated",
    "TextWords",
    "evidence",
    "profile_words",
    "stated",
    "text_words",
    "topic",
]

EVIDENCE = (
    *("sentence", "document", "beside", "place_beside", "place_differs", "names_found", "names_missing"),
    *("place_missing", "years_found", "too_late", "name_kind", "name_place", "kind_missing"),
)
"""The first columns that `evidence` gives; those of `DATES` follow.

sentence, document: how many words of the description, the classes and the occupations are in the sentences, in the
    text, divided by the square root of how many there are.
beside: how many of these words are within six words of the name, divided by the same.
place_beside, place_differs: whether the place that follows the name ("Paris, Texas") is a place of the item or in its
    description, and whether this is so of another candidate only.
names_found, names_missing: how many names in the description (words with a capital letter) are in the text, and how
    many are not.
place_missing: whether the item has a country or another place, and the text has none of them.
years_found: how many years of the item are in the text.
too_late: whether the item began after all years in the text.
name_kind, kind_missing: how many words of the classes and such are in the name itself ("Stirling Prize"), divided as
    above, and whether there are none, but another candidate has some.
name_place: how many of the item's places and of the names in its description are in the name.
"""
DATES = ("dates_agree", "dates_differ")
"""Whether the item began or ended in a year in which the sentences say that the entity did, and whether all such years
of the item are others than they say. A year more or less is no difference."""
TOPIC = ("topic", "topic_best", "topic_text")
"""The columns that `topic` gives: how much more often than candidates in general the other entities of the text have
the words of the item: over all of its words, and the four words for which it is most. The third is how many words of
the item are in the text, the more the fewer candidates have them."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_YEAR = re.compile(r"(?<![\d.,-])(1\d{3}|20\d\d)(?!\d)")
_STEM = 5
_BESIDE = 6  # words before a name and after it
_PLACE_AFTER = re.compile(r",\s+(?:in\s+)?([A-Z][\w.'’-]*(?:\s[A-Z][\w.'’-]*){0,2})|\s*\(([A-Z][^()\d]{2,30})\)")
_ONE_YEAR = r"(?<!\d)(1\d{3}|20\d\d)(?![\ds])"  # not "1600s"
_UNTIL_YEAR = rf"[^.;\d]{{0,40}}(?:\d\d?\D{{1,14}})?{_ONE_YEAR}"  # over the day of a month
_LIFE = re.compile(rf"\s*\([^()]{{0,60}}?{_ONE_YEAR}[^()\d]{{0,20}}[–—-][^()]{{0,60}}?{_ONE_YEAR}[^()]{{0,60}}\)")
_BEGAN = re.compile(rf"[^.;]{{0,40}}?\b(?:born|b\.|founded|established|formed){_UNTIL_YEAR}")
_ENDED = re.compile(rf"[^.;]{{0,40}}?\b(?:died|d\.|dissolved){_UNTIL_YEAR}")
_AFTER = 200  # letters after a name, or before it, in which something may be said right beside it
_HUMAN = "Q5"
_WHAT = frozenset({"P31", "P106", "P39", "P101", "P641", "P413", "P136"})
_PLACE = frozenset({"P27", "P17", "P131", "P276", "P495", "P159", "P19", "P20"})
_BEGIN = frozenset({"P569", "P571", "P577"})
_END = frozenset({"P570", "P576"})
_TIME = _BEGIN | _END | {"P580", "P585"}
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

    end: int | None
    """The last year of the item."""

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
    ends: list[int] = []
    for property, value in profile.facts:
        if property in _TIME:
            if year := _YEAR.match(value.lstrip("+")):
                years.add(int(year[1]))
                begins += [int(year[1])] * (property in _BEGIN)
                ends += [int(year[1])] * (property in _END)
        elif property != "P31" or _HUMAN not in profile.types:
            labels["what" if property in _WHAT else "place" if property in _PLACE else "other"].append(value)
    what, places, other = (_stems(" ".join(found)) for found in labels.values())
    what |= _kept(word for word in words if not word[0].isupper())
    everything = what | names | places | other
    began, ended = min(begins, default=None), max(ends, default=None)
    return ProfileWords(what, names, places, frozenset(years), began, ended, everything)


class Stated(NamedTuple):
    """What sentences say right beside a name: words by their stems, those of places that follow it, and years."""

    words: frozenset[str]
    places: tuple[frozenset[str], ...]
    began: frozenset[int]
    ended: frozenset[int]


def stated(name: str, sentences: str) -> Stated:
    """What sentences say beside a name: the words around it, the places that follow it, when it began and ended.

    >>> stated("Ann Lee", "Ann Lee (1736-1784) founded a sect.").began
    frozenset({1736})
    """
    words: set[str] = set()
    places: list[frozenset[str]] = []
    began, ended = set[int](), set[int]()
    for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", sentences, re.IGNORECASE):
        before = sentences[max(0, found.start() - _AFTER) : found.start()].rpartition("\n")[2]
        after = sentences[found.end() : found.end() + _AFTER].partition("\n")[0]
        words |= _stems(" ".join([*before.split()[-_BESIDE:], *after.split()[:_BESIDE]]))
        if place := _PLACE_AFTER.match(after):
            places.append(_stems(place[1] or place[2]))
        if life := _LIFE.match(after):
            began.add(int(life[1]))
            ended.add(int(life[2]))
        if begin := _BEGAN.match(after):
            began.add(int(begin[1]))
        if end := _ENDED.match(after):
            ended.add(int(end[1]))
    return Stated(frozenset(words), tuple(filter(None, places)), frozenset(began), frozenset(ended))


def evidence(name: str, profiles: Sequence[Profile], sentences: str, text: TextWords) -> NDArray[np.float64]:
    """What is said where an entity is mentioned, for each of its candidates.

    The columns are those of `EVIDENCE` and then those of `DATES`.

    Args:
        name: of the entity.
        profiles: of its candidates.
        sentences: those that mention it, one a line.
        text: the words of the whole text.
    """
    own = _stems(name)
    latest = max(text.years, default=None)
    near, words_of_sentences = stated(name, sentences), _stems(sentences)
    own_words = list(map(profile_words, profiles))
    there = [any(place <= (words.places | words.names) - own for place in near.places) for words in own_words]
    kinds = [words.what & own for words in own_words]
    rows = []
    for words, is_there in zip(own_words, there, strict=True):
        what, names = words.what - own, words.names - own
        found = len(names & text.stems)
        rows.append(
            (
                len(what & words_of_sentences) / math.sqrt(len(what) or 1),
                len(what & text.stems) / math.sqrt(len(what) or 1),
                len(what & near.words) / math.sqrt(len(what) or 1),
                is_there,
                any(there) and not is_there,
                found,
                len(names) - found,
                bool(words.places) and words.places.isdisjoint(text.stems),
                len(words.years & text.years),
                words.begin is not None and latest is not None and words.begin > latest,
                len(words.what & own) / math.sqrt(len(words.what) or 1),
                len((words.places | words.names) & own),
                any(kinds) and not words.what & own,
                *_dates(words, near),
            )
        )
    return np.array(rows, np.float64).reshape(-1, len(EVIDENCE) + len(DATES))


def _dates(words: ProfileWords, near: Stated) -> tuple[bool, bool]:
    """Whether the years of an item agree with those that are stated of the entity, and whether they contradict them."""
    compared = [
        min(abs(year - one) for one in said)
        for year, said in ((words.begin, near.began), (words.end, near.ended))
        if year is not None and said
    ]
    return 0 in compared, bool(compared) and min(compared) > 1


def topic(
    likely: Sequence[Sequence[tuple[Profile, float]]], names: Sequence[str], text: TextWords
) -> list[NDArray[np.float64]]:
    """How well candidates suit what the other entities of a text are: for each entity [candidates, len(TOPIC)].

    Args:
        names: of the entities.
        text: the words of the text.
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
    everyone = sum(map(len, likely))
    for candidates, own, name in zip(likely, expected, names, strict=True):
        said = text.stems - _stems(name)
        rows = []
        for profile, _ in candidates:
            stems = profile_words(profile).everything
            lifts = sorted(
                (math.log1p(max(0.0, total[one] - own[one]) * scale / (counts[one] + _SMOOTH)) for one in stems),
                reverse=True,
            )
            rare = sum(math.log(1 + everyone / (counts[one] + _SMOOTH)) for one in stems & said)
            rows.append(
                (sum(lifts) / math.sqrt(len(lifts) or 1), sum(lifts[:_BEST]), rare / math.sqrt(len(stems) or 1))
            )
        found.append(np.array(rows, np.float64).reshape(-1, len(TOPIC)))
    return found


def _stems(text: str) -> frozenset[str]:
    return _kept(_WORD.findall(text))


def _kept(words: Iterable[str]) -> frozenset[str]:
    folded = (word.casefold() for word in words)
    return frozenset(word[:_STEM] for word in folded if word not in _COMMON)
