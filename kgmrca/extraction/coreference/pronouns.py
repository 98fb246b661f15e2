"""What the words around a pronoun say of it: that it means nobody, not this name, or the next one. Pure.

The ranker weighs; these few patterns decide, each because it allows one reading only: "it rained", "Ann is her aunt",
"In his youth, Haydn ...", a pronoun of a headline.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kgmrca.extraction.coreference.beside import RELATIVES
from kgmrca.extraction.coreference.features import FINAL, PRONOUNS, opening_words

__all__ = ["Scene", "corrected"]

_EMPTY = re.compile(
    r"(has |had |is |was |will |would |often |still |soon |always )*(rain|snow|hail|thunder|drizzl|freez|pour)"
    r"(s|ed|ing|e|es)?\b(?! money| water| \w+ into)"
    r"|(is|was|will be|had been|has been|gets|got|grew|became)( \w+)? (late|early|dark|cold|hot|warm|noon|midnight|time"
    r"|night|winter|summer|autumn|spring|raining|snowing|sunny|windy|morning|evening)\b"
    r"|(is|was|would be|will be|seems|seemed)( \w+)? \w+ (that|to)\b"
    r"|(seems|seemed|appears|appeared|turned out) (that|as)\b"
    r"|(takes|took|is|was) (\w+ ){1,3}(years|days|months|weeks|hours) (to|before|since|until|after)\b"
)
"""What follows an "it" that means nothing."""

_DESCRIBED = frozenset({"the", "a", "an", "this", "that", "another"})
_KINDS = frozenset(
    {"company", "firm", "group", "bank", "club", "team", "band", "city", "town", "country", "village", "organization"}
    | {"organisation", "university", "school", "college", "party", "agency", "state", "island", "newspaper", "region"}
    | {"magazine", "association", "committee", "corporation", "museum", "institute", "league", "capital", "church"}
)
"""What organizations and places are called: "The company grew. It ..."."""

_THINGS = frozenset({"ORG", "LOC"})
_SEX = {"he": "m", "she": "f"}
_LEAST = 0.1  # of a name that the ranker holds possible
_REACH = 8  # words


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands in a document around its pronouns.

    Args:
        words: its clean words.
        rows: start and end (exclusive) of each name, sorted.
        types: coarse type of each.
        entities: for each the first that means the same.
        sexes: of each the gender, "f", "m", "n": a thing with a person's name, or "": not known.
        breaks: the words that stand for line breaks behind headlines and the like.
        blocks: the words that stand behind an empty line.
        sure: the gender of the entities of which it is known, "f" or "m".
    """

    words: Sequence[str]
    rows: Sequence[tuple[int, int]]
    types: Sequence[str]
    entities: Sequence[int]
    sexes: Sequence[str]
    breaks: Sequence[int]
    blocks: Sequence[int] = ()
    sure: Mapping[int, str] = field(default_factory=dict)


def corrected(scene: Scene, at: Sequence[int], guesses: Sequence[Mapping[int, float]]) -> list[dict[int, float]]:
    """What the pronouns at some words may mean, without what the words around them rule out.

    Args:
        scene: the document.
        at: the words that are pronouns, rising.
        guesses: for each how probable each entity is.
    """
    ends = [number for number, word in enumerate(scene.words) if word in FINAL]
    opening = opening_words(scene.words)
    found = []
    for place, guess in zip(at, guesses, strict=True):
        kept = dict(guess)
        kind = PRONOUNS[scene.words[place].lower()]
        start, end = _sentence(ends, place, len(scene.words))
        if kind == "it" and _EMPTY.match(" ".join(scene.words[place + 1 : place + _REACH]).lower()):
            kept = {}
        line = _headline(scene, place)
        if line is not None:
            here = {scene.entities[number] for number in _within(scene, *line)}
            kept = {entity: share for entity, share in kept.items() if entity in here}
        for entity in _relatives(scene, place):
            kept.pop(entity, None)
        if kind in _SEX:
            kept = _of_gender(scene, _SEX[kind], kept)
            persons = {entity for entity in kept if scene.types[entity] == "PER"}
            kept = {
                entity: share
                for entity, share in kept.items()
                if scene.sexes[entity] != "n"
                and (not persons or entity in persons or scene.types[entity] not in _THINGS)
            }
        if kind in _SEX and opening[place]:
            kept = _pointed_forward(scene, place, end, _SEX[kind], kept)
        if kind == "it" and place == start and kept:
            kept = _last_subject(scene, ends, start, kept)
        found.append(kept)
    return found


def _of_gender(scene: Scene, sex: str, guess: dict[int, float]) -> dict[int, float]:
    """Without those of the other gender; the only person that is left has their share, in proportion."""
    kept = {entity: share for entity, share in guess.items() if scene.sure.get(entity, sex) == sex}
    left = 1 - sum(guess.values()) + sum(kept.values())
    persons = [entity for entity in kept if scene.types[entity] == "PER"]
    if len(persons) == 1 and left > 0:
        kept[persons[0]] /= left
    return kept


def _sentence(ends: Sequence[int], at: int, length: int) -> tuple[int, int]:
    """Start and end (exclusive) of the sentence around a word; `ends` are the words that end one."""
    number = bisect_right(ends, at - 1)
    return (ends[number - 1] + 1 if number else 0), (ends[number] if number < len(ends) else length)


def _within(scene: Scene, start: int, end: int) -> Iterator[int]:
    """The names between two words."""
    for number in range(bisect_right(scene.rows, (start, -1)), len(scene.rows)):
        if scene.rows[number][0] >= end:
            break
        yield number


def _headline(scene: Scene, at: int) -> tuple[int, int] | None:
    """Start and end of the line of a pronoun, if it is a headline or the like, without a full stop; else None."""
    if not scene.breaks:
        return None
    number, block = bisect_right(scene.breaks, at), bisect_right(scene.blocks, at)
    start = max(scene.breaks[number - 1] + 1 if number else 0, scene.blocks[block - 1] if block else 0)
    end = scene.breaks[number] if number < len(scene.breaks) else len(scene.words)
    if any(word in FINAL for word in scene.words[start:end]):
        return None
    return start, end


def _relatives(scene: Scene, at: int) -> Iterator[int]:
    """The entities of "Ann" in "Ann is her aunt", "Ann, her aunt," and "her aunt Ann": they are not "her"."""
    words = scene.words
    if at + 1 >= len(words) or words[at + 1].lower() not in RELATIVES:
        return
    for number, (start, end) in enumerate(scene.rows):
        first, last = (end, at) if end <= at else (at + 2, start)
        if last - first > 2:  # nearly all names of a text
            continue
        gap = [word.lower() for word in words[first:last]]
        if gap in ([], [","], ["is"], ["was"], ["'s"], ["who", "is"], [",", "who"]):
            yield scene.entities[number]


def _pointed_forward(scene: Scene, at: int, end: int, sex: str, guess: dict[int, float]) -> dict[int, float]:
    """ "In his youth, Haydn ...": a person that is named behind the comma, and not before, is meant."""
    comma = next((number for number in range(at, end) if scene.words[number] == ","), end)
    number = bisect_right(scene.rows, (comma + 1, -1))
    if number == len(scene.rows) or scene.rows[number][0] != comma + 1 or scene.types[number] != "PER":
        return guess
    entity = scene.entities[number]
    behind = scene.words[scene.rows[number][1]] if scene.rows[number][1] < len(scene.words) else ""
    if (
        entity != number
        or scene.sexes[number] not in ("", sex)
        or behind in ("'s", "'")
        or entity in _relatives(scene, at)
    ):
        return guess
    return {entity: 1.0}


def _last_subject(scene: Scene, ends: Sequence[int], start: int, guess: dict[int, float]) -> dict[int, float]:
    """What an "It" that begins a sentence may mean: rather what the sentence before is about than what was before."""
    best = max(guess, key=lambda entity: guess[entity])
    before, stop = _sentence(ends, max(start - 2, 0), len(scene.words))
    names = list(_within(scene, before, stop))
    if start == 0 or best in {scene.entities[number] for number in names}:
        return guess
    things = [number for number in names if scene.types[number] not in ("PER", "TIME", "NUM")]
    words = [word.lower() for word in scene.words[before:stop]]
    if things and scene.rows[things[0]][0] <= before + (words[:1] == ["the"]):
        subject = scene.entities[things[0]]
        return {subject: 1.0} if guess.get(subject, 0.0) >= _LEAST else {}
    described = len(words) > 1 and words[0] in _DESCRIBED and not scene.words[before + 1][:1].isupper()
    return {} if described and words[1] not in _KINDS else guess
