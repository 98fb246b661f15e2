"""Graphs and what Wikidata says about each of their statements: as records, and as RDF, CSV and JSON Lines."""

import csv as csv_module
import json as json_module
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.errors import InputError
from kgmrca.files import opened, progress_bar, utf8
from kgmrca.ontology import WIKIDATA_DIRECT, WIKIDATA_ENTITY
from kgmrca.terms import (
    CHECKED_AGAINST,
    COMMENT,
    GENERATED_BY,
    KGMRCA,
    OBJECT,
    PREDICATE,
    RDF_STATEMENT,
    SAME,
    SUBJECT,
    TYPE,
    XSD,
)
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import Node, graph_files, read_graphs
from kgmrca.triples.write import activity_triples, chosen_format, write
from kgmrca.wikidata.queries import id_of, is_id
from kgmrca.wikidata.records import Value
from kgmrca.wikidata.verdicts import Claim, Decision, Knowledge, Verdict, decide, number

if TYPE_CHECKING:
    from kgmrca.wikidata.facts import Facts

__all__ = ["COLUMNS", "Checked", "Links", "Summary", "check", "check_claims", "verdicts"]

COLUMNS = (
    *("statement", "subject", "subject_item", "predicate", "object", "object_datatype", "object_item", "confidence"),
    *("verdict", "basis", "basis_property", "basis_value", "reason"),
)
"""What CSV and JSON Lines say of each statement."""

_STATEMENT = f"{WIKIDATA_ENTITY}statement/"
_MEMBER = NamedNode(f"{KGMRCA}member")
_CHECKED, _VERDICT, _BASIS = (NamedNode(KGMRCA + name) for name in ("checked", "verdict", "basis"))

_PRECISIONS = {f"{XSD}gYear": 9, f"{XSD}gYearMonth": 10, f"{XSD}date": 11, f"{XSD}dateTime": 11}
_NUMBERS = frozenset(XSD + name for name in ("integer", "decimal", "int", "long", "nonNegativeInteger"))
# So that a batch of look-ups is full although what is asked depends on answers; about 20 MB.
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement of a graph and what Wikidata says about it.

    Attributes:
        iri: the statement's.
        subject, predicate, object: in the terms of the graph.
        confidence: as it was written; "" for a plain triple.
        claim: the same in Wikidata's terms.
        decision: the verdict.
    """

    iri: str
    subject: str
    predicate: str
    object: NamedNode | Literal
    confidence: str
    claim: Claim
    decision: Decision

    def row(self) -> dict[str, str]:
        """All of it as text, by `COLUMNS`; what there is not is ""."""
        basis, object_ = self.decision.basis, self.claim.object
        cells = (
            *(self.iri, self.subject, self.claim.subject or "", self.predicate, self.object.value),
            self.object.datatype.value if isinstance(self.object, Literal) else "",
            object_.text if object_ and object_.kind == "item" else "",
            *(self.confidence, self.decision.verdict.value),
            *((basis.iri, basis.property, basis.value.text or basis.value.kind) if basis else ("", "", "")),
            self.decision.reason,
        )
        return dict(zip(COLUMNS, cells, strict=True))


@dataclass(slots=True)
class Summary:
    """What a check found: how many statements have which verdict, and how many queries were sent for it."""

    verdicts: Counter[str] = field(default_factory=Counter)
    queries: int = 0
    seconds: float = 0.0

    def in_words(self, endpoint: str) -> str:
        """How many statements have which verdict, as a table, and what it took to ask the endpoint (by any name)."""
        total = self.verdicts.total()
        rows = [(verdict.value, self.verdicts[verdict]) for verdict in Verdict if self.verdicts[verdict]]
        lines = [f"{name:<28}{count:>10,}{count / total:>9.1%}" for name, count in rows]
        took = f"{self.queries:,} queries, {self.seconds:.1f} s"
        return "\n".join([*lines, f"kgmrca: {total:,} statements checked against {endpoint}: {took}"])


def check(
    graphs: Sequence[str | Path],
    facts: "Facts",
    output: str | Path | None = None,
    *,
    csv: str | Path | None = None,
    json: str | Path | None = None,
    input_format: str | None = None,
    format: str | None = None,
    base: str = DEFAULT_BASE,
    progress: bool | None = None,
) -> Summary:
    """Check graphs against Wikidata and write the verdicts.

    The same facts give the same bytes, but for the record of the run, which comes last in the RDF.

    Args:
        graphs: RDF files, or "-" for standard input.
        facts: where to look up.
        output: where to put the verdicts as RDF; "-" for standard output, None for nowhere.
        csv, json: the same as CSV with a header, and as JSON Lines (see `COLUMNS`).
        input_format: the format of all graphs; None: by the files' extensions, TriG on standard input, of which Turtle
            and N-Triples are parts.
        format: of the RDF; None: by the file's extension, Turtle on standard output.
        base: with what the IRIs begin that are made here.
        progress: whether to show a progress bar on standard error; None: if that is a terminal.

    Raises:
        InputError: an argument or a graph cannot be used.
        OSError: something cannot be read or written.
    """
    started, clock, queries = datetime.now(timezone.utc), time.perf_counter(), facts.endpoint.queries
    iris = Iris(base)
    if output is not None:
        format = chosen_format(format, output)
    places = [nullcontext() if place is None else opened(place, inputs=graphs) for place in (output, csv, json)]
    written = Counter(Path(place).resolve() for place in (output, csv, json) if place is not None)
    for path, times in written.items():
        if times > 1:
            raise InputError(f"'{path}' is to be written twice: write to another file.")
    summary = Summary()
    # The places are opened before there is any work, and closed only when all is written.
    with ExitStack() as stack:
        out, table, lines = map(stack.enter_context, places)
        puts = [put for put in (table and _csv_writer(table), lines and _json_writer(lines)) if put]
        found = verdicts(graphs, facts, input_format=input_format, base=base, progress=progress)
        counted = _counted(found, summary, puts)
        if out and format:
            write(_triples(counted, facts.endpoint.name, iris, started), out, format=format, base=base)
        else:
            for _ in counted:
                pass
        for stream in (out, table, lines):
            if stream:
                stream.flush()
    summary.queries = facts.endpoint.queries - queries
    summary.seconds = time.perf_counter() - clock
    return summary


def verdicts(
    graphs: Sequence[str | Path],
    facts: "Facts",
    *,
    input_format: str | None = None,
    base: str = DEFAULT_BASE,
    progress: bool | None = None,
) -> Iterator[Checked]:
    """Every statement of the graphs with its verdict, in the order of the files.

    Files are read twice, first for the items that entities, or the clusters that they are members of, are linked to by
    `kgmrca:item`, `owl:sameAs` or `skos:exactMatch`. These links are kept in memory, of the statements some thousands
    at a time. Graphs without any statements are taken to state their plain triples that have predicates of Wikidata.

    Raises:
        InputError: a graph cannot be used.
        OSError: a graph cannot be read.
    """
    with graph_files(graphs, input_format) as files:
        links = Links(read_graphs(files))
        read = read_graphs(files)
        nodes = (found for found in read if isinstance(found, Node)) if links.statements else _plain(read, Iris(base))
        with progress_bar(progress, total=links.statements or links.plain, unit=" statements") as bar:
            for chunk in _chunks(nodes):
                claims = [links.claim(node) for node in chunk]
                decisions = check_claims(claims, facts)
                for node, claim in zip(chunk, claims, strict=True):
                    subject, predicate, object_ = (node.terms[name] for name in ("subject", "predicate", "object"))
                    confidence = str(node.confidence) if links.statements else ""
                    yield Checked(
                        node.iri, subject.value, predicate.value, object_, confidence, claim, decisions[claim]
                    )
                bar.update(len(chunk))


def check_claims(claims: Iterable[Claim], facts: "Facts") -> dict[Claim, Decision]:
    """Decide about each distinct claim. What several decisions need is looked up at once, round after round."""
    known = Knowledge()
    decisions: dict[Claim, Decision] = {}
    undecided = list(dict.fromkeys(claims))
    while undecided:
        needs: defaultdict[str, set[Any]] = defaultdict(set)
        for claim in undecided:
            decisions[claim] = decide(claim, known)
            for kind, key in decisions[claim].needs:
                needs[kind].add(key)
        for kind, keys in sorted(needs.items()):
            answers = getattr(facts, kind)(sorted(keys))
            getattr(known, kind).update({key: answers[key] for key in keys})
        undecided = [claim for claim in undecided if decisions[claim].needs]
    return decisions


class Links:
    """To which items entities are linked in graphs.

    Attributes:
        statements, plain: how many statements and plain triples there are.
    """

    def __init__(self, graphs: Iterable[Node | Quad]) -> None:
        self.statements = 0
        self.plain = 0
        self._items: dict[str, str] = {}
        members: list[tuple[str, str]] = []
        for found in graphs:
            if not isinstance(found, Quad):
                self.statements += 1
                continue
            self.plain += _plain_terms(found) is not None
            subject, object_ = found.subject, found.object
            if isinstance(subject, NamedNode) and isinstance(object_, NamedNode):
                if found.predicate in SAME:
                    self._link(subject.value, id_of(object_.value, kinds="Q"))
                elif found.predicate == _MEMBER:
                    members.append((subject.value, object_.value))
        for cluster, entity in members:
            if cluster in self._items:
                self._link(entity, self._items[cluster])

    def claim(self, node: Node) -> Claim:
        """What a statement says in Wikidata's terms."""
        predicate, object_ = node.terms["predicate"].value, node.terms["object"]
        if isinstance(object_, Literal):
            value: Value | None = _value(object_)
        else:
            item = self._item_of(object_.value)
            value = Value("item", item) if item else None
        name = predicate.removeprefix(WIKIDATA_DIRECT)
        return Claim(self._item_of(node.terms["subject"].value), name if is_id(name, kinds="P") else None, value)

    def _item_of(self, entity: str) -> str | None:
        return id_of(entity, kinds="Q") or self._items.get(entity) or None

    def _link(self, entity: str, item: str) -> None:
        if item and self._items.setdefault(entity, item) != item:
            self._items[entity] = ""  # who is linked to two items is linked to none


def _value(literal: Literal) -> Value:
    """A literal as a value: a date or a number if it has such a datatype and is one, else a text."""
    datatype = literal.datatype.value
    if datatype in _PRECISIONS:
        return Value("time", literal.value, precision=_PRECISIONS[datatype])
    if datatype in _NUMBERS and number(literal.value) is not None:
        return Value("quantity", literal.value)
    return Value("text", literal.value, language=literal.language or "")


def _plain(graphs: Iterable[Node | Quad], iris: Iris) -> Iterator[Node]:
    """The plain triples, as statements with IRIs of their own."""
    for found in graphs:
        if isinstance(found, Quad) and (terms := _plain_terms(found)):
            yield Node(iris.statement(*map(str, terms.values())), Decimal(1), terms, [])


def _plain_terms(quad: Quad) -> dict[str, NamedNode | Literal] | None:
    """The terms of a triple that states something by a property of Wikidata."""
    subject, object_ = quad.subject, quad.object
    if not quad.predicate.value.startswith(WIKIDATA_DIRECT) or not isinstance(subject, NamedNode):
        return None
    if not isinstance(object_, NamedNode | Literal):
        return None
    return {"subject": subject, "predicate": quad.predicate, "object": object_}


def _chunks(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    nodes = iter(nodes)
    while chunk := list(islice(nodes, _CHUNK)):
        yield chunk


def _csv_writer(stream: IO[bytes]) -> Callable[[Checked], object]:
    writer = csv_module.DictWriter(utf8(stream), COLUMNS, lineterminator="\n")
    writer.writeheader()
    return lambda checked: writer.writerow(checked.row())


def _json_writer(stream: IO[bytes]) -> Callable[[Checked], object]:
    def put(checked: Checked) -> None:
        row: dict[str, Any] = {name: cell or None for name, cell in checked.row().items()}
        row["confidence"] = float(checked.confidence) if checked.confidence else None
        stream.write(json_module.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")

    return put


def _counted(
    found: Iterable[Checked], summary: Summary, puts: Sequence[Callable[[Checked], object]]
) -> Iterator[Checked]:
    for checked in found:
        summary.verdicts[checked.decision.verdict] += 1
        for put in puts:
            put(checked)
        yield checked


def _triples(found: Iterable[Checked], endpoint: str, iris: Iris, started: datetime) -> Iterator[Triple]:
    """The verdicts as RDF, then the record of the run."""
    run, against = NamedNode(iris.run("check", __version__, endpoint)), NamedNode(endpoint)
    for checked in found:
        statement, decision = NamedNode(checked.iri), checked.decision
        if not checked.confidence:  # a plain triple has no node yet
            yield Triple(statement, TYPE, RDF_STATEMENT)
            yield Triple(statement, SUBJECT, NamedNode(checked.subject))
            yield Triple(statement, PREDICATE, NamedNode(checked.predicate))
            yield Triple(statement, OBJECT, checked.object)
        node = NamedNode(iris.check(checked.iri, endpoint))
        yield Triple(node, TYPE, NamedNode(f"{KGMRCA}Check"))
        yield Triple(node, _CHECKED, statement)
        yield Triple(node, _VERDICT, Literal(decision.verdict.value))
        if decision.basis and decision.basis.iri.startswith(_STATEMENT):  # else it is a blank node of some file
            yield Triple(node, _BASIS, NamedNode(decision.basis.iri))
        yield Triple(node, COMMENT, Literal(clean_text(decision.reason)))
        yield Triple(node, CHECKED_AGAINST, against)
        yield Triple(node, GENERATED_BY, run)
    yield from activity_triples(run, [(CHECKED_AGAINST, against)], started=started)
