"""Sentences as real texts have them: in capitals, in lower case, hyphenated at line ends, with emoji, with other names.

Data sets are tidy, texts are not. Each time a sentence is trained on it is rewritten a little, by chance. What needs no
training is not here: white space and invisible characters are dropped, quotes and dashes made alike, before the
recognizer reads.
"""

import random
from collections.abc import Mapping, Sequence

from entity_sets import Span

__all__ = ["Written", "make_list", "rewrite"]

Written = tuple[list[str], list[Span], set[int]]
"""Words, entities, and the words of which nothing is known."""

_MONTHS = ["January", "February", "March", "April", "May", "June"]
_MONTHS += ["July", "August", "September", "October", "November", "December"]
_EMOJI = ["😀", "😂", "❤", "🎉", "🔥", "👍", "🙏", "😍", "🇺🇸", "⚽", "🏆", "✨", "🚀", "📸", "💔"]
_BULLETS = (["-"], ["*"], ["•"], ["1", "."], ["–"], [">"], ["#"], ["|"])
_NAMES = ("PER", "ORG", "LOC")
_SEPARATORS = ("|", "-", "•", ",", "/", ";", "–", "*", "\\", "→")
_KEYS = {
    "PER": ["Name", "Director", "CEO", "Author", "Player", "Spouse", "Father", "Coach", "Artist"],
    "ORG": ["Team", "Company", "Employer", "School", "Club", "Label", "Party", "Publisher"],
    "LOC": ["Born", "Died", "City", "Country", "Place", "Location", "Venue", "Headquarters"],
    "TIME": ["Date", "Born", "Died", "Founded", "Released", "Opened"],
}


def rewrite(
    written: Written, chance: random.Random, names: Mapping[str, Sequence[Sequence[str]]], *, casual: bool
) -> Written:
    """The sentences, rewritten by chance.

    Args:
        written: what is rewritten; it stays as it is.
        chance: where chance comes from.
        names: for PER, ORG and LOC names to put in the place of others.
        casual: whether it is a kind of text in which much is in lower case and emoji are common.
    """
    words, spans, unknown = _others(written, chance, names, hyphens=chance.random() < 0.06)
    if chance.random() < (0.05 if casual else 0.01):
        words, spans, unknown = _with_emoji((words, spans, unknown), chance)
    if casual and chance.random() < 0.08:
        for start, end, _ in spans:
            words[start:end] = [word.lower() for word in words[start:end]]
    words = _cased(words, spans, chance, lower=0.09 if casual else 0.04)
    ends_with_entity = bool(spans) and spans[-1][1] == len(words)
    if words[-1] in (".", "!", "?") and len(words) > 1 and not ends_with_entity and chance.random() < 0.05:
        words, unknown = words[:-1], unknown - {len(words) - 1}
    if chance.random() < 0.03:
        bullet = chance.choice(_BULLETS)
        words, size = [*bullet, *words], len(bullet)
        spans = [(start + size, end + size, kind) for start, end, kind in spans]
        unknown = {word + size for word in unknown}
    return words, spans, unknown


def make_list(chance: random.Random, names: Mapping[str, Sequence[Sequence[str]]]) -> Written:
    """A list or a table as it comes out of a page: names and dates with nothing but signs or keys between them.

    Args:
        chance: where chance comes from.
        names: for PER, ORG and LOC the names to choose from.
    """
    words: list[str] = []
    spans: list[Span] = []
    kinds = [kind for kind in _NAMES if names.get(kind)] + ["TIME"]
    columns = [chance.choice(kinds) for _ in range(chance.randint(1, 4))]
    separator, keyed = chance.choice(_SEPARATORS), chance.random() < 0.5
    # Where lines end there is nothing: white space is not read.
    between = chance.random() < 0.6 or not keyed
    rows_touch = not keyed and columns[0] != columns[-1] and chance.random() < 0.5
    if not keyed and chance.random() < 0.3:
        words = [word for kind in columns for word in (chance.choice(_KEYS[kind]), separator)][:-1]
    for _ in range(chance.randint(2, 6)):
        for number, kind in enumerate(columns):
            if words and between and (number or not rows_touch):
                words.append(separator)
            if keyed:
                words += [chance.choice(_KEYS[kind]), ":"]
            name = _date(chance) if kind == "TIME" else list(chance.choice(names[kind]))
            spans.append((len(words), len(words) + len(name), kind))
            words += name
    return words, spans, set()


def _others(
    written: Written, chance: random.Random, names: Mapping[str, Sequence[Sequence[str]]], *, hyphens: bool
) -> Written:
    """Some names and dates replaced by others, the same name always by the same; some words hyphenated."""
    words, spans, unknown = written
    starts = {span[0]: span for span in spans}
    chosen: dict[tuple[str, ...], Sequence[str]] = {}
    new: list[str] = []
    placed: list[Span] = []
    open_: set[int] = set()
    place = 0
    while place < len(words):
        _, end, kind = starts.get(place, (place, place + 1, ""))
        here: Sequence[str] = words[place:end]
        if kind in _NAMES and here[0][:1].isupper():
            key = (kind, *here)
            if key not in chosen:
                chosen[key] = chance.choice(names[kind]) if names.get(kind) and chance.random() < 0.15 else here
            here = chosen[key]
        elif kind == "TIME" and not set(here).isdisjoint(_MONTHS) and chance.random() < 0.2:
            here = _date(chance)
        if hyphens:
            here = [part for word in here for part in _hyphenated(word, chance)]
        if place in starts:
            placed.append((len(new), len(new) + len(here), kind))
        elif place in unknown:
            open_.update(range(len(new), len(new) + len(here)))
        new += here
        place = end
    return new, placed, open_


def _hyphenated(word: str, chance: random.Random) -> list[str]:
    """A word now and then cut as at the end of a line, in the two ways that tokenizers leave it."""
    if len(word) < 6 or not word.isalpha() or chance.random() > 0.08:
        return [word]
    cut = chance.randint(2, len(word) - 3)
    return [word[:cut] + "-", word[cut:]] if chance.random() < 0.5 else [word[:cut], "-", word[cut:]]


def _date(chance: random.Random) -> list[str]:
    year, month, day = chance.randint(1200, 2029), chance.randint(1, 12), chance.randint(1, 28)
    name = _MONTHS[month - 1]
    return chance.choice(
        [
            [str(year), "-", f"{month:02}", "-", f"{day:02}"],
            [f"{year}-{month:02}-{day:02}"],
            [f"{year}-{month:02}"],
            [f"{day:02}/{month:02}/{year}"],
            [f"{month}/{day}/{year}"],
            [f"{day:02}.{month:02}.{year}"],
            [str(day), name, str(year)],
            [str(day), name[:3], str(year)],
            [name, str(day), ",", str(year)],
            [name[:3] + ".", str(day), ",", str(year)],
            [name, f"{day}th", str(year)],
            [name, str(year)],
            [str(year)],
            [f"{year}s"],
        ]
    )


def _with_emoji(written: Written, chance: random.Random) -> Written:
    words, spans, unknown = written
    free = [place for place in range(len(words) + 1) if not any(start < place < end for start, end, _ in spans)]
    places = sorted(place for place in free if chance.random() < 0.06)

    def moved(word: int) -> int:
        return word + sum(place <= word for place in places)

    new = [word for place, text in enumerate(words) for word in [chance.choice(_EMOJI)] * (place in places) + [text]]
    new += [chance.choice(_EMOJI)] * (len(words) in places)
    return new, [(moved(start), moved(end - 1) + 1, kind) for start, end, kind in spans], set(map(moved, unknown))


def _cased(words: list[str], spans: Sequence[Span], chance: random.Random, *, lower: float) -> list[str]:
    """In capitals, in lower case, as in a title, or with names in capitals; mostly as they are."""
    draw = chance.random()
    if draw < 0.04:
        return [word.upper() for word in words]
    if draw < 0.04 + lower:
        return [word.lower() for word in words]
    if draw < 0.06 + lower:
        return [word[:1].upper() + word[1:] for word in words]
    if draw < 0.09 + lower:
        inside = {word for start, end, kind in spans if kind != "TERM" for word in range(start, end)}
        return [word.upper() if place in inside else word for place, word in enumerate(words)]
    return words
