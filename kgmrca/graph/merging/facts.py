"""The steps that replace entities by their clusters, and write the facts that the statements support."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast

from kgmrca.buckets import Store
from kgmrca.graph.merging.evidence import combined, disagreeing
from kgmrca.graph.merging.parts import Part, Result, written_part
from kgmrca.ontology import load_properties
from kgmrca.terms import DECIMAL, KGMRCA, RDF, TYPE

__all__ = ["join_entities", "write_facts"]

_TYPE, _DECIMAL = map(str, (TYPE, DECIMAL))


def join_entities(store: Store, kind: str, next_kind: str, numbers: range) -> None:
    """Replace the entity in the first cell of each row of a kind by its cluster or item, if it has one.

    Rows of "objects" begin with the object. They are distributed again by their subjects, so their first two cells
    change places. Those of "subjects" keep their order.
    """
    buckets = store.buckets(f"{kind}-{numbers.start}")
    for number in numbers:
        rows = store.rows("things", number, keep=kind == "objects")
        things = dict(cast("tuple[bytes, bytes]", row.split(b"\t")) for row in rows)
        for row in store.rows(kind, number):
            first, second, rest = row.split(b"\t", 2)
            first = things.get(first, first)
            if kind == "objects":
                first, second = second, first
            buckets.put(next_kind, first, b"\t".join((first, second, rest)))
    buckets.flush()


def write_facts(store: Store, format: str, base: str, numbers: range) -> Result:
    """Write the facts of each subject with their evidence, and where they contradict one another."""
    single_valued = {f"<{predicate}>" for predicate, known in load_properties().items() if known.single_valued}
    with written_part(store, format, base, "facts", numbers) as part:
        for number in numbers:
            for key, rows in store.groups("facts", number):
                subject = key.decode()
                facts: dict[str, dict[str, str]] = defaultdict(dict)  # by predicate and object
                readings = (row.decode().split("\t") for row in rows)
                for (object_, predicate), same in groupby(readings, itemgetter(0, 1)):
                    evidence = [_Reading._make(cells) for _, _, *cells in same]
                    facts[predicate][object_] = _write_fact(part, subject, predicate, object_, evidence)
                for predicate in sorted(single_valued & facts.keys()):
                    _write_conflicts(part, subject, predicate, facts[predicate])
    return part.result


class _Reading(NamedTuple):
    """What a fact needs to know of a statement."""

    statement: str
    document: str
    digest: str
    confidence: str


def _write_fact(part: Part, subject: str, predicate: str, object_: str, evidence: Sequence[_Reading]) -> str:
    """Write a fact, and return its IRI as N-Triples have it."""
    confidence: str | Decimal = evidence[0].confidence
    if len(evidence) > 1:
        confidence = combined((one.document, one.digest, Decimal(one.confidence)) for one in evidence)
    lines = [
        f"{_TYPE} <{KGMRCA}Fact>",
        f"<{RDF}subject> {subject}",
        f"<{RDF}predicate> {predicate}",
        f"<{RDF}object> {object_}",
        f'<{KGMRCA}confidence> "{confidence}"^^{_DECIMAL}',
    ]
    fact = f"<{part.iris.fact(subject, predicate, object_)}>"
    part.node(fact, [*lines, *(f"<{KGMRCA}evidence> {one.statement}" for one in evidence)])
    part.result.counts["facts"] += 1
    part.result.counts["attested"] += len({reading.document for reading in evidence}) > 1
    return fact


def _write_conflicts(part: Part, subject: str, predicate: str, facts: dict[str, str]) -> None:
    """Write a conflict if the facts (by object) of a predicate that has one object contradict one another."""
    if objects := disagreeing(list(facts)):
        comment = f"{predicate[1:-1]} takes one value, and {subject[1:-1]} has {len(objects)} of them."
        if subject.startswith(f"<{part.iris.base}cluster/"):
            comment += " Not all of them are right, or the cluster has entities that are different things."
        part.conflict("several objects", [subject, predicate], comment, [facts[object_] for object_ in objects])
