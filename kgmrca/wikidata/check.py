"""Graphs and what Wikidata says about each of their statements: as records, and as RDF, CSV and JSON Lines."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeGuard

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.files import STANDARD, opened
from kgmrca.ontology import WIKIDATA_ENTITY
from kgmrca.progress import counted, progress_bar
from kgmrca.tables import table_line
from kgmrca.terms import (
    CHECKED_AGAINST,
    COMMENT,
    GENERATED_BY,
    KGMRCA,
    OBJECT,
    PREDICATE,
    RDF_STATEMENT,
    SUBJECT,
    TYPE,
    WITHDRAWN,
)
from kgmrca.triples.formats import chosen_format, write
from kgmrca.triples.inputs import graph_files
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import Node, read_graphs
from kgmrca.triples.write import activity_triples
from kgmrca.wikidata.assertions import Links, in_words, plain_statements, times_compared
from kgmrca.wikidata.outputs import check_writable
from kgmrca.wikidata.review import delimiter_of
from kgmrca.wikidata.verdicts import Assertion, CheckKnowledge, Judgement, Verdict, judge
from kgmrca.wikidata.wikibase import Wikibase, found_in

if TYPE_CHECKING:
    from kgmrca.wikidata.lookups import Lookups

__all__ = ["CHECK_COLUMNS", "CheckSummary", "Checked", "check", "check_assertions", "checked_statements"]

CHECK_COLUMNS = (
    *("statement", "subject", "subject_item", "predicate", "object", "object_datatype", "object_item", "confidence"),
    *("verdict", "basis", "basis_property", "basis_value", "reason"),
)
"""The columns of the table, and the members of the objects in JSON Lines."""

_STATEMENT = f"{WIKIDATA_ENTITY}statement/"
_CHECKED, _VERDICT, _BASIS = (NamedNode(KGMRCA + name) for name in ("checked", "verdict", "basis"))

# By these verdicts Wikidata has the same fact, so that its times can be compared with ours.
_SAME_CLAIM = frozenset({Verdict.confirmed, Verdict.other_rank, Verdict.inverse, Verdict.symmetry, Verdict.subproperty})

# So that a batch of look-ups is full although what is asked depends on answers; about 20 MB.
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement of a graph and what Wikidata says about it.

    Attributes:
        iri: of the statement.
        subject, predicate, object: in the terms of the graph.
        confidence: as it was written; "" for a plain triple.
        assertion: the statement in Wikidata's terms.
        judgement: the verdict.
    """

    iri: str
    subject: str
    predicate: str
    object: NamedNode | Literal
    confidence: str
    assertion: Assertion
    judgement: Judgement

    def row(self) -> dict[str, str]:
        """The cells of the table, by `CHECK_COLUMNS`; "" for a missing one."""
        basis, object_ = self.judgement.basis, self.assertion.object
        cells = (
            *(self.iri, self.subject, self.assertion.subject or "", self.predicate, self.object.value),
            self.object.datatype.value if isinstance(self.object, Literal) else "",
            object_.text if object_ and object_.kind == "item" else "",
            *(self.confidence, self.judgement.verdict.value),
            *((basis.iri, basis.property, basis.value.text or basis.value.kind) if basis else ("", "", "")),
            self.judgement.reason,
        )
        return dict(zip(CHECK_COLUMNS, cells, strict=True))


@dataclass(slots=True)
class CheckSummary:
    """What `check` found.

    Attributes:
        verdicts: the number of statements by verdict.
        absent: the number of statements about an item or a property that the endpoint does not have.
        other_links: the number of links in the graphs that lead to no item, by host.
        without_item: the number of statements whose subject or object is an entity that is not linked to an item.
        wikibases: the Wikibase that the graphs are about and the one they were compared with, if that is another.
        foreign: the Wikibase that the items are of, if all predicates are of another one.
        triples: the number of triples in the graphs that are no part of a statement.
        queries: the number of queries that were sent.
        seconds: the time it took.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    absent: int = 0
    without_item: int = 0
    other_links: Counter[str] = field(default_factory=Counter)
    wikibases: tuple[str, ...] = ()
    foreign: str = ""
    triples: int = 0
    queries: int = 0
    seconds: float = 0.0

    @property
    def lacks_items(self) -> bool:
        """Whether nothing was compared, and the endpoint lacks what statements are about."""
        return self._none_compared and self.absent > 0

    @property
    def is_in_vain(self) -> bool:
        """Whether nothing was compared, and no link of an entity would change that."""
        is_foreign = self._none_compared and bool(self.foreign)
        return bool(self.wikibases) or self.lacks_items or is_foreign or (self.triples > 0 and not self.verdicts)

    @property
    def _none_compared(self) -> bool:
        total = self.verdicts.total()
        return 0 < total == self.verdicts[Verdict.unlinked] + self.verdicts[Verdict.unmapped]

    def _why_none(self, total: int) -> str:
        """Why nothing was compared, and what to do."""
        if self.foreign:
            return (
                f"nothing was compared: no predicate is one of {self.foreign}, or one of Wikidata whose property has "
                "the same id and the same name in English there: name yours with kgmrca convert --ontology FILE"
            )
        if self.verdicts[Verdict.unmapped] == total:
            return "nothing was compared: no predicate is a property of Wikidata: see kgmrca convert --ontology"
        if self.without_item:
            return "no statement is between entities that are linked to items: run kgmrca link first"
        return "nothing was compared: the verdicts have the reasons (--csv FILE)"

    def in_words(self, endpoint: str) -> str:
        """A table of the verdicts and a line about the work; `endpoint` is what the endpoint is called."""
        total = self.verdicts.total()
        rows = [(verdict.value, self.verdicts[verdict]) for verdict in Verdict if self.verdicts[verdict]]
        lines = [f"{name:<28}{count:>10,}{count / total:>9.1%}" for name, count in rows]
        took = f"{counted(self.queries, 'query', 'queries')}, {self.seconds:.1f} s"
        lines.append(f"kgmrca: {counted(total, 'statement')} checked against {endpoint}: {took}")
        if self.wikibases:
            about, compared = self.wikibases
            lines.append(
                f"kgmrca: nothing was compared: the graphs are about {about}, and not about {compared}: name the "
                "first with --wikibase, and an endpoint that has it"
            )
        elif self.lacks_items:
            lines.append(
                f"kgmrca: {counted(self.absent, 'statement')} about items or properties that {endpoint} does not have: "
                "does it have Wikidata's data? (--wikibase names another Wikibase)"
            )
        elif self._none_compared:
            lines.append(f"kgmrca: {self._why_none(total)}")
        if not total and self.triples and not self.wikibases:
            lines.append(
                f"kgmrca: nothing to check: {counted(self.triples, 'triple')}, none of them a statement or with a "
                "predicate of Wikidata, as http://www.wikidata.org/prop/direct/P19 (--wikibase names another)"
            )
        elif not total and not self.triples:
            lines.append("kgmrca: nothing to check: the graphs are empty")
        lines += [f"kgmrca: {line}" for line in in_words(self.other_links)]
        return "\n".join(lines)


def check(
    graphs: Sequence[str | Path],
    lookups: "Lookups",
    output: str | Path | None = None,
    *,
    csv: str | Path | None = None,
    jsonl: str | Path | None = None,
    input_format: str | None = None,
    format: str | None = None,
    base: str = DEFAULT_BASE,
    progress: bool | None = None,
) -> CheckSummary:
    """Check graphs against Wikidata and write the verdicts.

    The same answers give the same bytes, except for the record of the run at the end of the RDF.

    Args:
        graphs: RDF files, folders of them, glob patterns, or "-" for standard input.
        lookups: where to look up.
        output: the file for the verdicts as RDF; "-" for standard output, None for no RDF.
        csv: the file for the verdicts as a table (see `CHECK_COLUMNS`), with tabs between cells if its name
            ends in .tsv, else with commas.
        jsonl: the file for the verdicts as JSON Lines, with the same columns as members.
        input_format: the format of all graphs. With None it is known by the files' extensions; standard input is read
            as TriG, which includes Turtle and N-Triples.
        format: of the RDF. With None it is known by the file's extension; standard output gets Turtle.
        base: what new IRIs begin with.
        progress: see `kgmrca.progress.progress_bar`.

    Raises:
        InputError: an argument or a graph cannot be used, or an output would overwrite what is read.
        OSError: something cannot be read or written.
    """
    started, clock, queries = datetime.now(timezone.utc), time.perf_counter(), lookups.endpoint.queries
    iris = Iris(base)
    if output is not None:
        format = chosen_format(format, output)
    outputs = (output, csv, jsonl)
    check_writable(outputs, graphs, lookups, input_format=input_format)
    delimiter = delimiter_of(csv or STANDARD, default=",")
    places = [nullcontext() if place is None else opened(place) for place in outputs]
    beside = next((place for place in outputs if place is not None and place != STANDARD), None)
    summary = CheckSummary()
    # All outputs are opened before the work starts, and get their names together when everything is written.
    with ExitStack() as stack:
        out, table, lines = map(stack.enter_context, places)
        puts = [put for put in (table and _csv_writer(table, delimiter), lines and _json_writer(lines)) if put]
        found = checked_statements(
            graphs, lookups, input_format=input_format, base=base, progress=progress, beside=beside, summary=summary
        )
        counted = _counting_verdicts(found, summary, puts)
        if out and format:
            write(_triples(counted, lookups, iris, started), out, format=format, base=base)
        else:
            for _ in counted:
                pass
        for stream in (out, table, lines):
            if stream:
                stream.flush()
    summary.queries = lookups.endpoint.queries - queries
    summary.seconds = time.perf_counter() - clock
    return summary


def checked_statements(
    graphs: Sequence[str | Path],
    lookups: "Lookups",
    *,
    input_format: str | None = None,
    base: str = DEFAULT_BASE,
    progress: bool | None = None,
    beside: str | Path | None = None,
    summary: CheckSummary | None = None,
) -> Iterator[Checked]:
    """The statements of the graphs with their verdicts, in the order of the files.

    Files are read twice, first for the links of entities, which are kept in memory (see `assertions.Links`), and
    then for the statements, some thousands at a time. In graphs without statements, the plain triples with a predicate
    of Wikidata are checked instead. Where no statement has a predicate of Wikidata, or nothing is linked to one of its
    items, the graphs are looked through for those of another Wikibase. `summary` gets what else is in the graphs.

    Raises:
        InputError: a graph cannot be used.
        OSError: a graph cannot be read.
    """
    with graph_files(graphs, input_format, beside=beside) as files:

        def read_links() -> Links:
            return Links(lookups.wikibase.graphs(read_graphs(files, beside=beside)))

        links = read_links()
        is_told = (links.mapped or links.plain) and links.has_items
        if not is_told and lookups.find_wikibase(lambda: read_graphs(files, beside=beside)):
            links = read_links()
        is_other = not lookups.wikibase.is_wikidata and links.has_items
        if is_other and not (links.mapped or links.plain) and lookups.adopt_predicates():
            links = read_links()
        if summary:
            summary.triples, summary.other_links = links.triples, links.others
            another = None if links.mapped or links.plain else found_in(read_graphs(files, beside=beside))
            if another and another.entity != lookups.wikibase.entity:
                summary.wikibases = another.entity, lookups.wikibase.entity
            elif another and not another.is_wikidata:
                summary.foreign = another.entity
        read = lookups.wikibase.graphs(read_graphs(files, beside=beside))
        nodes = filter(_is_node, read) if links.statements else plain_statements(read, Iris(base))
        with progress_bar(progress, total=links.statements or links.plain, unit=" statements") as bar:
            for chunk in _chunks(nodes):
                assertions = [links.assertion(node) for node in chunk]
                judgements = check_assertions(assertions, lookups)
                for node, assertion in zip(chunk, assertions, strict=True):
                    terms = (lookups.wikibase.term(node.terms[name]) for name in ("subject", "predicate", "object"))
                    subject, predicate, object_ = terms
                    confidence = str(node.confidence) if links.statements else ""
                    judgement = _with_iri(_with_times(judgements[assertion], node), lookups.wikibase)
                    yield Checked(node.iri, subject.value, predicate.value, object_, confidence, assertion, judgement)
                bar.update(len(chunk))


def check_assertions(assertions: Iterable[Assertion], lookups: "Lookups") -> dict[Assertion, Judgement]:
    """The judgement of each distinct assertion. In every round, what any of them needs is looked up together."""
    known = CheckKnowledge()
    judgements: dict[Assertion, Judgement] = {}
    undecided = list(dict.fromkeys(assertions))
    while undecided:
        needs: defaultdict[str, set[Any]] = defaultdict(set)
        for assertion in undecided:
            judgements[assertion] = judge(assertion, known)
            for kind, key in judgements[assertion].needs:
                needs[kind].add(key)
        for kind, keys in sorted(needs.items()):
            answers = getattr(lookups, kind)(sorted(keys))
            getattr(known, kind).update({key: answers[key] for key in keys})
        undecided = [assertion for assertion in undecided if judgements[assertion].needs]
    if lookups.lacks("statements"):
        return {assertion: _without_statement_nodes(judgement) for assertion, judgement in judgements.items()}
    return judgements


def _with_times(judgement: Judgement, node: Node) -> Judgement:
    """The judgement by the claim whose times agree best with those of a statement, and what they are."""
    if judgement.verdict not in _SAME_CLAIM:
        return judgement
    compared = [(one, times_compared(node, one.basis)) for one in (judgement, *judgement.others)]
    best, (_, words) = max(compared, key=lambda one: one[1][0])
    return replace(best, reason=f"{best.reason} {words}") if words else judgement


def _with_iri(judgement: Judgement, wikibase: Wikibase) -> Judgement:
    """The judgement, whose basis has the IRI that it has in its Wikibase."""
    if judgement.basis is None or wikibase.is_wikidata:
        return judgement
    return replace(judgement, basis=replace(judgement.basis, iri=wikibase.exchanged(judgement.basis.iri)))


def _without_statement_nodes(judgement: Judgement) -> Judgement:
    """The judgement from values of the best rank: nothing is new for certain, because there may be values of others."""
    if judgement.verdict not in (Verdict.new, Verdict.conflict, Verdict.soft_conflict):
        return judgement
    reason = f"{judgement.reason} The endpoint has no statement nodes, which would tell of values of other ranks."
    return replace(
        judgement, verdict=Verdict.not_checked if judgement.verdict is Verdict.new else judgement.verdict, reason=reason
    )


def _is_node(found: Node | Quad) -> TypeGuard[Node]:
    return isinstance(found, Node) and found.decision not in WITHDRAWN


def _chunks(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    nodes = iter(nodes)
    while chunk := list(islice(nodes, _CHUNK)):
        yield chunk


def _csv_writer(stream: IO[bytes], delimiter: str) -> Callable[[Checked], object]:
    stream.write(table_line(CHECK_COLUMNS, delimiter=delimiter))
    return lambda checked: stream.write(table_line(checked.row().values(), delimiter=delimiter))


def _json_writer(stream: IO[bytes]) -> Callable[[Checked], object]:
    def put(checked: Checked) -> None:
        row: dict[str, Any] = {name: cell or None for name, cell in checked.row().items()}
        row["confidence"] = float(checked.confidence) if checked.confidence else None
        stream.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")

    return put


def _counting_verdicts(
    found: Iterable[Checked], summary: CheckSummary, puts: Sequence[Callable[[Checked], object]]
) -> Iterator[Checked]:
    for checked in found:
        summary.verdicts[checked.judgement.verdict] += 1
        summary.absent += checked.judgement.is_absent
        ends = checked.assertion.subject, checked.assertion.object
        summary.without_item += checked.judgement.verdict is Verdict.unlinked and None in ends
        for put in puts:
            put(checked)
        yield checked


def _triples(found: Iterator[Checked], lookups: "Lookups", iris: Iris, started: datetime) -> Iterator[Triple]:
    """The verdicts as RDF, then the record of the run."""
    first = list(islice(found, 1))  # with it the graphs have been read, and tell which Wikibase they are about
    endpoint, basis = lookups.endpoint.name, lookups.wikibase.exchanged(_STATEMENT)
    run, against = NamedNode(iris.run("check", __version__, endpoint)), NamedNode(endpoint)
    for checked in chain(first, found):
        statement, judgement = NamedNode(checked.iri), checked.judgement
        if not checked.confidence:  # a plain triple has no node yet
            yield Triple(statement, TYPE, RDF_STATEMENT)
            yield Triple(statement, SUBJECT, NamedNode(checked.subject))
            yield Triple(statement, PREDICATE, NamedNode(checked.predicate))
            yield Triple(statement, OBJECT, checked.object)
        node = NamedNode(iris.check(checked.iri, endpoint))
        yield Triple(node, TYPE, NamedNode(f"{KGMRCA}Check"))
        yield Triple(node, _CHECKED, statement)
        yield Triple(node, _VERDICT, Literal(judgement.verdict.value))
        if judgement.basis and judgement.basis.iri.startswith(basis):  # else it is a blank node of some file
            yield Triple(node, _BASIS, NamedNode(judgement.basis.iri))
        yield Triple(node, COMMENT, Literal(clean_text(judgement.reason)))
        yield Triple(node, CHECKED_AGAINST, against)
        yield Triple(node, GENERATED_BY, run)
    yield from activity_triples(run, [(CHECKED_AGAINST, against)], started=started)
