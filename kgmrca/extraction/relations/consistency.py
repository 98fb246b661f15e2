"""Which facts of a document contradict one another by what the ontology knows of their labels (pure)."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from kgmrca.ontology import load_properties

__all__ = ["Fact", "consistent", "symmetric_labels"]

Fact: TypeAlias = tuple[int, int, str, float]
"""Subject and object (numbers of entities), label, score."""

# What lies in another place has this label with it, or the other one with it.
_WITHIN = frozenset(
    {
        "located in the administrative territorial entity",
        "contains the administrative territorial entity",
        "country",
        "part of",
        "has part(s)",
        "capital",
        "capital of",
        "location",
    }
)
# Between two mentions that name one place or one date together: "Oslo, Norway", "3 May (1960)", "1296 or 1300".
_TOGETHER = re.compile(r"\s*(?:,|\(|\),?|/)?\s*(?:(?:in|near|of|at|or)\s+)?(?:the\s+)?", re.IGNORECASE)
_RANGE = re.compile(r"\bbetween\s+$", re.IGNORECASE)  # before "1296 and 1300"


def consistent(facts: Sequence[Fact], text: str = "", objects: Sequence[tuple[int, int]] = ()) -> list[bool]:
    """For each fact whether it is kept: of two that contradict one another, the one with the better score is.

    >>> consistent([(1, 2, "child", 0.6), (2, 1, "child", 0.9), (2, 1, "father", 0.5), (1, 2, "father", 0.4)])
    [False, True, False, True]

    Of a label with one value for each subject, two values contradict one another, unless one is a part of the other: a
    fact or their mentions say so.

    >>> text = "Ann, born 1960 in Oslo, Norway. Bob, born in Rome"
    >>> consistent([(1, 2, "place of birth", 0.9), (1, 3, "place of birth", 0.8), (1, 4, "place of birth", 0.7)],
    ...            text, [(18, 22), (24, 30), (45, 49)])
    [True, True, False]

    Args:
        facts: of one document, each once. A label that the ontology does not know contradicts none.
        text: of the document.
        objects: start and end (characters) of the mention of each fact's object. Without them, only facts tell that a
            value is a part of another.
    """
    excluded, single_valued = _excluded(), _single_valued()
    kept: set[tuple[int, int, str]] = set()
    values: defaultdict[tuple[int, str], list[int]] = defaultdict(list)  # rows, the best first
    is_kept = [True] * len(facts)
    for row in sorted(range(len(facts)), key=lambda row: -facts[row][3]):
        subject, object_, label, _ = facts[row]
        if label in excluded:
            same, exchanged = excluded[label]
            is_kept[row] = kept.isdisjoint((subject, object_, other) for other in same) and kept.isdisjoint(
                (object_, subject, other) for other in exchanged
            )
        if is_kept[row]:
            kept.add((subject, object_, label))
            if label in single_valued:
                values[subject, label].append(row)
    within = {frozenset(fact[:2]) for fact in facts if fact[2] in _WITHIN}
    for best, *rest in values.values():
        one = [best]
        for row in one:  # which grows: "Ulm (Baden), Germany"
            for other in rest:
                if other not in one and (
                    frozenset((facts[row][1], facts[other][1])) in within
                    or (objects and _is_one(text, objects[row], objects[other]))
                ):
                    one.append(other)
        for row in rest:
            is_kept[row] = row in one
    return is_kept


def _is_one(text: str, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two mentions name one place, date or person, one of them more precisely."""
    (start, middle), (after, end) = sorted((one, other))
    shorter, longer = sorted((text[start:middle].casefold(), text[after:end].casefold()), key=len)
    between = text[middle:after]
    return (
        middle > after
        or shorter in longer
        or _TOGETHER.fullmatch(between) is not None
        or (between.split() == ["and"] and _RANGE.search(text, max(0, start - 20), start) is not None)
    )


@cache
def symmetric_labels() -> frozenset[str]:
    """The labels that hold of two exchanged as well, such as "spouse"."""
    return frozenset(known.label for known in load_properties().values() if known.symmetric)


@cache
def _single_valued() -> frozenset[str]:
    return frozenset(known.label for known in load_properties().values() if known.single_valued)


@cache
def _excluded() -> Mapping[str, tuple[frozenset[str], frozenset[str]]]:
    """For each label, those that do not hold with it: of the same subject and object, and of the two exchanged."""
    properties = load_properties()
    label_of = {predicate: known.label for predicate, known in properties.items()}
    same: dict[str, set[str]] = {known.label: set(known.disjoint) for known in properties.values()}
    exchanged: dict[str, set[str]] = {known.label: set() for known in properties.values()}
    for known in properties.values():
        for other in known.disjoint:
            same[other].add(known.label)
        if known.asymmetric:
            exchanged[known.label].add(known.label)
            if known.inverse:
                inverse = label_of[known.inverse]
                same[known.label].add(inverse)
                same[inverse].add(known.label)
                exchanged[inverse].add(inverse)
    return MappingProxyType(
        {
            label: (frozenset(same[label]), frozenset(exchanged[label]))
            for label in same
            if same[label] | exchanged[label]
        }
    )
