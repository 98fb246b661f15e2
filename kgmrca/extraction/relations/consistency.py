"""Which facts of a document contradict one another by what the ontology knows of their labels (pure)."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from kgmrca.ontology import load_properties

__all__ = ["Fact", "consistent"]

Fact: TypeAlias = tuple[int, int, str, float]
"""Subject and object (numbers of entities), label, score."""


def consistent(facts: Sequence[Fact]) -> list[bool]:
    """For each fact whether it is kept: of two that contradict one another, the one with the better score is.

    >>> consistent([(1, 2, "child", 0.6), (2, 1, "child", 0.9), (2, 1, "father", 0.5), (1, 2, "father", 0.4)])
    [False, True, False, True]

    Args:
        facts: of one document, each once. A label that the ontology does not know contradicts none.
    """
    excluded = _excluded()
    kept: set[tuple[int, int, str]] = set()
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
    return is_kept


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
