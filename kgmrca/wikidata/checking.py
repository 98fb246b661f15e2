"""Graphs and what Wikidata says about each of their statements: as records, and as RDF, CSV and JSON Lines."""

import csv as csv_module
import json as json_module
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from pyoxigraph import Literal, NamedNode, Quad, Triple
from tqdm import tqdm

from kgmrca import __version__
from kgmrca.errors import InputError
from kgmrca.ontology import WIKIDATA_ENTITY
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import Node, read_nodes
from kgmrca.triples.write import FORMATS, format_of, whole_file, write
from kgmrca.wikidata.check import Claim, Decision, Knowledge, Verdict, decide, number
from kgmrca.wikidata.queries import is_id
from kgmrca.wikidata.records import Value

if TYPE_CHECKING:
    from kgmrca.wikidata.facts import Facts

__all__ = ["COLUMNS", "Checked", "Links", "Summary", "check", "check_claims", "read_all", "sources", "verdicts"]

COLUMNS = (
    *("statement", "subject", "subject_item", "predicate", "object", "object_datatype", "object_item", "confidence"),
    *("verdict", "basis", "basis_property", "basis_value", "reason"),
)
"""What CSV and JSON Lines say of each statement."""

_DIRECT = "http://www.wikidata.org/prop/direct/"
_STATEMENT = f"{WIKIDATA_ENTITY}statement/"
_KGMRCA = "https://w3id.org/kgmrca#"
_PROV = "http://www.w3.org/ns/prov#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_MEMBER = f"{_KGMRCA}member"
_SAME = frozenset(
    {f"{_KGMRCA}item", "http://www.w3.org/2002/07/owl#sameAs", "http://www.w3.org/2004/02/skos/core#exactMatch"}
)

_TYPE = NamedNode(f"{_RDF}type")
_LABEL, _COMMENT = NamedNode(f"{_RDFS}label"), NamedNode(f"{_RDFS}comment")
_SUBJECT, _PREDICATE, _OBJECT = (NamedNode(_RDF + name) for name in ("subject", "predicate", "object"))
_CHECKED, _VERDICT, _BASIS, _AGAINST = (
    NamedNode(_KGMRCA + name) for name in ("checked", "verdict", "basis", "checkedAgainst")
)
_GENERATED_BY = NamedNode(f"{_PROV}wasGeneratedBy")

_PRECISIONS = {f"{_XSD}gYear": 9, f"{_XSD}gYearMonth": 10, f"{_XSD}date": 11, f"{_XSD}dateTime": 11}
_NUMBERS = frozenset(_XSD + name for name in ("integer", "decimal", "int", "long", "nonNegativeInteger"))
# So that a batch of look-ups is full although what is asked depends on answers; about 20 MB.
_CHUNK = 10_000

_Source: TypeAlias = tuple[Path, str]  # with its format


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
        format = format or ("turtle" if str(output) == "-" else format_of(Path(output)))
        if format not in FORMATS:
            raise InputError(f"There is no format '{format}': choose one of {', '.join(FORMATS)}.")
    _check_places([path for path in (output, csv, json) if path is not None], graphs)
    summary = Summary()
    # The places are opened before there is any work, and closed only when all is written.
    with ExitStack() as stack:
        out, table, lines = (place and stack.enter_context(_open(place)) for place in (output, csv, json))
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
    with sources(graphs, input_format) as files:
        links = Links(read_all(files))
        bar = tqdm(
            total=links.statements or links.plain,
            unit=" statements",
            disable=None if progress is None else not progress,
            file=sys.stderr,
            dynamic_ncols=True,
        )
        read = _nodes(files) if links.statements else _plain(files, Iris(base))
        with bar:
            for chunk in _chunks(read):
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
                if found.predicate.value in _SAME:
                    self._link(subject.value, _item(object_.value))
                elif found.predicate.value == _MEMBER:
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
        name = predicate.removeprefix(_DIRECT)
        return Claim(self._item_of(node.terms["subject"].value), name if is_id(name, kinds="P") else None, value)

    def _item_of(self, entity: str) -> str | None:
        return _item(entity) or self._items.get(entity) or None

    def _link(self, entity: str, item: str) -> None:
        if item and self._items.setdefault(entity, item) != item:
            self._items[entity] = ""  # who is linked to two items is linked to none


def _item(iri: str) -> str:
    """The id of the item that an IRI stands for, or ""."""
    id = iri.removeprefix(WIKIDATA_ENTITY)
    return id if id != iri and is_id(id, kinds="Q") else ""


def _value(literal: Literal) -> Value:
    """A literal as a value: a date or a number if it has such a datatype and is one, else a text."""
    datatype = literal.datatype.value
    if datatype in _PRECISIONS:
        return Value("time", literal.value, precision=_PRECISIONS[datatype])
    if datatype in _NUMBERS and number(literal.value) is not None:
        return Value("quantity", literal.value)
    return Value("text", literal.value, language=literal.language or "")


@contextmanager
def sources(graphs: Sequence[str | Path], format: str | None) -> Iterator[list[_Source]]:
    """The files to read with their formats; standard input as a copy on disk, because it is read twice."""
    with TemporaryDirectory(prefix="kgmrca-") as folder:
        files = []
        for graph in graphs:
            path = Path(graph)
            if str(graph) == "-":
                path = Path(folder, "standard input")
                with path.open("wb") as copy:
                    shutil.copyfileobj(sys.stdin.buffer, copy)
            files.append((path, format or ("trig" if str(graph) == "-" else format_of(path))))
        yield files


def read_all(files: Iterable[_Source]) -> Iterator[Node | Quad]:
    """All that is in some files (see `sources`), one after the other.

    Raises:
        InputError: a file cannot be used.
        OSError: a file cannot be read.
    """
    for path, format in files:
        yield from read_nodes(path, format=format)


def _nodes(files: Iterable[_Source]) -> Iterator[Node]:
    return (found for found in read_all(files) if isinstance(found, Node))


def _plain(files: Iterable[_Source], iris: Iris) -> Iterator[Node]:
    """The plain triples, as statements with IRIs of their own."""
    for found in read_all(files):
        if isinstance(found, Quad) and (terms := _plain_terms(found)):
            yield Node(iris.statement(*map(str, terms.values())), Decimal(1), terms, [])


def _plain_terms(quad: Quad) -> dict[str, NamedNode | Literal] | None:
    """The terms of a triple that states something by a property of Wikidata."""
    subject, object_ = quad.subject, quad.object
    if not quad.predicate.value.startswith(_DIRECT) or not isinstance(subject, NamedNode):
        return None
    if not isinstance(object_, NamedNode | Literal):
        return None
    return {"subject": subject, "predicate": quad.predicate, "object": object_}


def _chunks(nodes: Iterable[Node]) -> Iterator[list[Node]]:
    nodes = iter(nodes)
    while chunk := list(islice(nodes, _CHUNK)):
        yield chunk


def _check_places(places: Sequence[str | Path], graphs: Sequence[str | Path]) -> None:
    """Refuse what cannot be written before there is any work."""
    taken = {Path(graph).resolve() for graph in graphs if str(graph) != "-"}
    for place in places:
        path = Path(place)
        if path.is_dir():
            raise InputError(f"'{path}' is a folder: name a file to write.")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder '{path.parent}' to write '{path.name}' in: make it first.")
        if path.resolve() in taken:
            raise InputError(f"'{path}' is a GRAPH or is to be written twice: write to another file.")
        taken.add(path.resolve())


def _open(place: str | Path) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdout.buffer) if str(place) == "-" else whole_file(Path(place))


def _csv_writer(stream: IO[bytes]) -> Callable[[Checked], object]:
    text = SimpleNamespace(write=lambda line: stream.write(line.encode("utf-8")))
    writer = csv_module.DictWriter(text, COLUMNS, lineterminator="\n")
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
            yield Triple(statement, _TYPE, NamedNode(f"{_RDF}Statement"))
            yield Triple(statement, _SUBJECT, NamedNode(checked.subject))
            yield Triple(statement, _PREDICATE, NamedNode(checked.predicate))
            yield Triple(statement, _OBJECT, checked.object)
        node = NamedNode(iris.check(checked.iri, endpoint))
        yield Triple(node, _TYPE, NamedNode(f"{_KGMRCA}Check"))
        yield Triple(node, _CHECKED, statement)
        yield Triple(node, _VERDICT, Literal(decision.verdict.value))
        if decision.basis and decision.basis.iri.startswith(_STATEMENT):  # else it is a blank node of some file
            yield Triple(node, _BASIS, NamedNode(decision.basis.iri))
        yield Triple(node, _COMMENT, Literal(clean_text(decision.reason)))
        yield Triple(node, _AGAINST, against)
        yield Triple(node, _GENERATED_BY, run)
    agent = NamedNode(f"{_KGMRCA.removesuffix('#')}/software/{__version__}")
    yield Triple(run, _TYPE, NamedNode(f"{_PROV}Activity"))
    yield Triple(run, _AGAINST, against)
    yield Triple(run, NamedNode(f"{_PROV}startedAtTime"), _moment(started))
    yield Triple(run, NamedNode(f"{_PROV}endedAtTime"), _moment(datetime.now(timezone.utc)))
    yield Triple(run, NamedNode(f"{_PROV}wasAssociatedWith"), agent)
    yield Triple(agent, _TYPE, NamedNode(f"{_PROV}SoftwareAgent"))
    yield Triple(agent, _LABEL, Literal(f"kgmrca {__version__}"))


def _moment(when: datetime) -> Literal:
    return Literal(when.strftime("%Y-%m-%dT%H:%M:%SZ"), datatype=NamedNode(f"{_XSD}dateTime"))
