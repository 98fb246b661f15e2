"""How sure a fact is that several statements express, and which facts contradict one another."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import prod

from kgmrca.triples.records import rounded

__all__ = ["agree", "combined", "disagreeing"]

_DATE = re.compile(r'"(-?\d+(?:-\d\d){0,2})"\^\^<http://www\.w3\.org/2001/XMLSchema#(?:gYear|gYearMonth|date)>')


def combined(evidence: Iterable[tuple[str, str | None, Decimal]]) -> Decimal:
    """The confidence in a fact, from the (document, sentence digest, confidence) of each statement that expresses it.

    Statements from one document, or from copies of one sentence, count only once, with the highest of their
    confidences. The statements that count are chosen in the order of their confidence: each one of which neither the
    document nor the sentence has been chosen before. The first counts in full and each further one half:
    1 - (1 - c1) √(1 - c2) √(1 - c3) ..., rounded to four decimals. Weights of 1, as in "noisy or", would be right for
    independent evidence, which documents are not (measured by `benchmarks/combine.py`). The order of the evidence makes
    no difference.

    >>> print(combined([("a", "x", Decimal("0.5")), ("b", "y", Decimal("0.36"))]))
    0.6
    >>> print(combined([("a", "x", Decimal("0.5")), ("b", "x", Decimal("0.36"))]))  # one sentence, copied
    0.5
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
    """Those of the objects of one predicate (terms of N-Triples) that do not agree with another of them.

    >>> disagreeing(["<urn:a>", "<urn:b>"])
    ['<urn:a>', '<urn:b>']
    """
    return [one for one in objects if any(not agree(one, other) for other in objects)]


def agree(one: str, other: str) -> bool:
    """Whether two objects can both be true where there is only one: if they are equal, or one is the more precise date.

    >>> date = "http://www.w3.org/2001/XMLSchema#"
    >>> agree(f'"1867"^^<{date}gYear>', f'"1867-11-07"^^<{date}date>')
    True
    >>> agree(f'"1867"^^<{date}gYear>', f'"1868"^^<{date}gYear>')
    False
    """
    if one == other:
        return True
    dates = _DATE.fullmatch(one), _DATE.fullmatch(other)
    if not (dates[0] and dates[1]):
        return False
    return f"{dates[0][1]}-".startswith(f"{dates[1][1]}-") or f"{dates[1][1]}-".startswith(f"{dates[0][1]}-")
