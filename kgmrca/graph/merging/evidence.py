"""What several statements say together: how sure their fact is, and which facts contradict one another."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import prod

from kgmrca.triples.records import rounded

__all__ = ["agree", "combined", "disagreeing"]

_DATE = re.compile(r'"(-?\d+(?:-\d\d){0,2})"\^\^<http://www\.w3\.org/2001/XMLSchema#(?:gYear|gYearMonth|date)>')


def combined(evidence: Iterable[tuple[str, str | None, Decimal]]) -> Decimal:
    """The confidence in a fact, of the (document, sentence digest, confidence) of each statement that says it.

    What comes from one document, or from copies of one sentence, counts as one source, with the highest of its
    confidences: the sources are chosen in the order of their confidence, each if neither its document nor its sentence
    has been chosen before. The first counts in full, each further one half: 1 - (1 - c1) √(1 - c2) √(1 - c3) ..., with
    four decimals. As independent as "noisy or" would have them (weights of 1) sources are not, measured by
    `benchmarks/combine.py`. The order of the evidence makes no difference.
    """
    documents: set[str] = set()
    digests: set[str] = set()
    doubts = []
    for document, digest, confidence in sorted(evidence, key=lambda one: (-one[2], one[0], one[1] or "")):
        if document in documents or digest in digests:
            continue
        documents.add(document)
        if digest:
            digests.add(digest)
        doubts.append(1 - confidence)
    return rounded(1 - doubts[0] * prod(doubts[1:], start=Decimal(1)).sqrt())


def disagreeing(objects: Sequence[str]) -> list[str]:
    """Those of the objects of one predicate that differ from another of them (terms as in N-Triples)."""
    return [one for one in objects if any(not agree(one, other) for other in objects)]


def agree(one: str, other: str) -> bool:
    """Whether two objects can both be true where there is only one: equal, or dates of which one is more precise."""
    if one == other:
        return True
    dates = _DATE.fullmatch(one), _DATE.fullmatch(other)
    if not (dates[0] and dates[1]):
        return False
    return f"{dates[0][1]}-".startswith(f"{dates[1][1]}-") or f"{dates[1][1]}-".startswith(f"{dates[0][1]}-")
