"""Graphs checked against SHACL shapes, in blocks of nodes, so that a graph may be larger than memory.

All triples that the shapes can look at go into a temporary database first, by subject: what a file says of one node in
two places is checked as one, whatever order it is in. A block is then a number of nodes with all their triples, and
with the triples of the nodes that these name. So a shape can look at a node and its direct surroundings: paths of two
steps forward. A shape that looks further, or backward, sees a part of the graph only.

What SHACL Core cannot see is spelled out as triples for the check (see `ontologies/shapes.ttl`).
"""

import errno
import json
import logging
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse, serialize

from kgmrca.errors import InputError
from kgmrca.files import STANDARD, Output, temporary_folder
from kgmrca.graph.processes import process_pool
from kgmrca.ontology import TYPES, WIKIDATA_ENTITY, load_properties
from kgmrca.progress import progress_bar
from kgmrca.resources import resource
from kgmrca.terms import (
    DCTERMS,
    DERIVED_FROM,
    ENTITY_TYPE,
    KGMRCA,
    OBJECT,
    OWL,
    PREDICATE,
    PROV,
    RDF,
    RDF_STATEMENT,
    RDFS,
    REIFIES,
    STATEMENT,
    SUBJECT,
    TYPE,
    XSD,
)
from kgmrca.triples.inputs import RdfInput, is_too_long, name_of, rdf_files, too_long
from kgmrca.triples.iris import Iris
from kgmrca.triples.read import Term, names_parts, read_quads, statement_parts, statements_beside
from kgmrca.types import VALUE_TYPES, coarse_type

if TYPE_CHECKING:
    import rdflib
    from rdflib.term import Node

__all__ = ["Finding", "Report", "validate"]

_OURS = "https://w3id.org/kgmrca/shapes#"
_SH = "http://www.w3.org/ns/shacl#"

_READ_FROM = NamedNode(_OURS + "readFrom")
_START = NamedNode(_OURS + "start")
_END = NamedNode(_OURS + "end")
_TYPES_OF = {SUBJECT: NamedNode(_OURS + "subjectType"), OBJECT: NamedNode(_OURS + "objectType")}
_INTEGER = NamedNode(XSD + "integer")
_SUBCLASS = RDFS + "subClassOf"
_MENTIONS = frozenset(
    NamedNode(KGMRCA + name) for name in ("subjectMention", "objectMention", "sentence", "objectSentence", "mention")
)

# What is looked at whatever the shapes are: SHACL's own notion of a class, and what says what a statement says.
_ALWAYS = {_SUBCLASS} | {
    node.value for node in (TYPE, SUBJECT, PREDICATE, OBJECT, REIFIES, DERIVED_FROM, ENTITY_TYPE, *_MENTIONS)
}
_TARGETS = frozenset(_SH + name for name in ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf"))
# Constraints that can look at predicates they do not name.
_ANY_PREDICATE = frozenset(_SH + name for name in ("closed", "sparql", "select", "ask"))

_SEVERITIES = {f"{_SH}Violation": "violation", f"{_SH}Warning": "warning", f"{_SH}Info": "info"}
_FRAGMENT = re.compile("char=([0-9]+),([0-9]+)")

_BLOCK = 2000  # nodes; smaller blocks take longer, larger ones gain nothing and take memory
_LINES = 1000  # of one node in one row at most
_OWN, _ABOUT, _HIERARCHY = range(3)  # what a row holds: triples of a node, triples that lead to it, classes of classes

_PREFIXES = {
    "dcterms": DCTERMS,
    "kgmrca": KGMRCA,
    "prov": PROV,
    "rdf": RDF,
    "rdfs": RDFS,
    "sh": _SH,
    "shapes": _OURS,
    "wd": WIKIDATA_ENTITY,
    "xsd": XSD,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a shape does not allow. Terms are written as in Turtle, without prefixes.

    Attributes:
        shape: the IRI of the shape, or of the shape that a nameless one is part of; "" if there is none.
        severity: "violation", "warning" or "info"; the IRI of a severity of the user's own.
        constraint: the IRI of the kind of constraint, such as `sh:MinCountConstraintComponent`.
        node: what was checked.
        path: the property or path that was looked at, if any.
        value: the value that is not allowed; None where one is missing or there are too many.
        message: what is wrong, and what to do.
    """

    shape: str
    severity: str
    constraint: str
    node: str
    path: str | None
    value: str | None
    message: str


@dataclass(slots=True)
class Report:
    """What a check found.

    Attributes:
        triples: how many triples were read.
        nodes: how many nodes were checked.
        statements: how many of these are statements.
        not_checked: how many triples hold triple terms (RDF 1.2) that are no statements, which SHACL cannot look at.
        counts: how many findings there are, by severity and shape.
        findings: these findings, but no more of each shape than were asked for; by severity, shape and node.
    """

    triples: int = 0
    nodes: int = 0
    statements: int = 0
    not_checked: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Whether there is nothing worse than warnings."""
        return all(severity in ("warning", "info") for severity, _ in self.counts)

    def as_text(self) -> str:
        """For people: the findings by shape, and a summary in the last line."""
        lines = []
        for (severity, shape), count in sorted(self.counts.items()):
            found = [finding for finding in self.findings if (finding.severity, finding.shape) == (severity, shape)]
            lines.append(f"{severity} {_short(f'<{shape}>')}: {count:,}")
            message = None
            for finding in found:
                if finding.message != message:
                    message = finding.message
                    lines.append(f"  {message}")
                lines.append(f"    {_short('  '.join(filter(None, (finding.node, finding.path, finding.value))))}")
            if count > len(found):
                lines.append(f"    and {count - len(found):,} more")
        kinds: Counter[str] = Counter()
        for (severity, _), count in self.counts.items():
            kinds[severity] += count
        result = ", ".join(f"{count:,} × {severity}" for severity, count in sorted(kinds.items())) or "nothing found"
        lines.append(
            f"{'conforms' if self.conforms else 'does not conform'}: {result}; {self.triples:,} triples, "
            f"{self.nodes:,} nodes, {self.statements:,} statements checked"
        )
        if self.not_checked:
            lines.append(f"{self.not_checked:,} triples with triple terms are no statements and were not checked")
        return "\n".join(lines)

    def as_json(self) -> str:
        """For programs: everything, as one JSON object."""
        counts = [
            {"severity": severity, "shape": shape, "count": count}
            for (severity, shape), count in sorted(self.counts.items())
        ]
        about = {name: getattr(self, name) for name in ("triples", "nodes", "statements", "not_checked")}
        findings = [asdict(finding) for finding in self.findings]
        return json.dumps({"conforms": self.conforms, **about, "counts": counts, "findings": findings}, indent=2)

    def as_shacl(self) -> str:
        """As SHACL's own report (SHACL, section 3.6), in Turtle.

        `sh:conforms` is false wherever there is any finding, a warning too (section 3.6.1.1).
        """
        lines = [f"@prefix {prefix}: <{_PREFIXES[prefix]}> ." for prefix in ("sh", "xsd")]
        if self.counts.total() > len(self.findings):
            lines.append(f"# {len(self.findings):,} of {self.counts.total():,} findings: the first of each shape.")
        lines.append(f"[] a sh:ValidationReport ; sh:conforms {'false' if self.counts else 'true'}")
        for finding in self.findings:
            severity = finding.severity.capitalize()
            known = {
                "sh:focusNode": finding.node,
                "sh:resultPath": finding.path,
                "sh:value": finding.value,
                "sh:resultSeverity": f"sh:{severity}" if severity.isalpha() else f"<{finding.severity}>",
                "sh:sourceConstraintComponent": f"<{finding.constraint}>",
                "sh:sourceShape": finding.shape and f"<{finding.shape}>",
                "sh:resultMessage": str(Literal(finding.message)),
            }
            said = " ; ".join(f"{predicate} {value}" for predicate, value in known.items() if value)
            lines.append(f"; sh:result [ a sh:ValidationResult ; {said} ]")
        return "\n".join([*lines, "."])


def validate(
    graphs: RdfInput | Iterable[RdfInput],
    *,
    input_format: str | None = None,
    shapes: Path | None = None,
    limit: int | None = None,
    workers: int = 1,
    block: int = _BLOCK,
    progress: bool | None = None,
    beside: Output | None = None,
) -> Report:
    """Check a graph against SHACL shapes.

    All graphs of a file, and all files, are checked as one graph. It takes temporary space on disk, about as much as
    the graph takes as N-Quads without what the shapes do not look at.

    Args:
        graphs: files, folders, glob patterns, "-" for standard input, or binary streams, compressed by gzip or not.
        input_format: one of `FORMATS`; None: by a file's extension, TriG (or Turtle, or N-Triples) for a stream.
        shapes: a file with shapes to check against instead of those that ship. SHACL Core and SPARQL constraints; no
            `owl:imports`, no inference.
        limit: how many findings of each shape are kept at most; all are counted.
        workers: how many processes check at the same time. With more than one, a script that calls this must have its
            `if __name__ == "__main__"`.
        block: how many nodes are checked together.
        progress: whether to show a progress bar on standard error; None: if that is a terminal.
        beside: a file beside which the temporary files lie; None: they lie in the system's folder for these (TMPDIR).

    Raises:
        InputError: pySHACL is missing; a file is not of its format, or cut; the shapes cannot be used.
        OutputError: there is no room for the temporary files.
        OSError: a file cannot be read.

    >>> import io
    >>> graph = io.BytesIO(b"<urn:s> <https://w3id.org/kgmrca#confidence> 2.0 .")
    >>> report = validate(graph, progress=False)
    >>> report.conforms, [finding.node for finding in report.findings]
    (False, ['<urn:s>'])
    """
    _need_pyshacl()
    inputs = _inputs(graphs, input_format)
    if shapes is None:
        checks = _lines(read_quads(resource("ontologies/shapes.ttl"))) + _relation_shapes()
    else:
        checks = _lines(read_quads(shapes))
        _check_shapes(checks, shapes)
    report = Report()
    with temporary_folder(beside) as folder, _quiet():
        path = folder / "nodes.sqlite"
        _fill_database(inputs, path, _looked_at(checks), report, progress)
        starts = range(1, report.nodes + 1, block)
        ranges = [(start, min(start + block, report.nodes + 1)) for start in starts]
        kept: Counter[tuple[str, str]] = Counter()
        elsewhere: set[Finding] = set()
        with progress_bar(progress, total=report.nodes, unit=" nodes") as bar:
            for (start, stop), (statements, found) in zip(ranges, _checked(path, checks, ranges, workers), strict=True):
                report.statements += statements
                for is_here, finding in found:
                    if not is_here:
                        if finding in elsewhere:
                            continue
                        elsewhere.add(finding)
                    key = finding.severity, finding.shape
                    report.counts[key] += 1
                    if limit is None or kept[key] < limit:
                        kept[key] += 1
                        report.findings.append(finding)
                bar.update(stop - start)
    report.findings.sort(key=lambda one: (one.severity, one.shape, one.node, one.path or "", one.value or ""))
    return report


def _inputs(graphs: RdfInput | Iterable[RdfInput], format: str | None) -> list[tuple[RdfInput, str]]:
    """The files and streams with their formats."""
    given = [cast(RdfInput, graphs)] if isinstance(graphs, str | Path) or hasattr(graphs, "read") else [*graphs]
    found: list[tuple[RdfInput, str]] = []
    for is_named, group in groupby(given, lambda one: isinstance(one, str | Path)):
        if is_named:
            found += rdf_files(cast("Iterable[str | Path]", group), format=format)
        else:
            found += [(stream, format or "trig") for stream in group]
    return found


def _need_pyshacl() -> None:
    try:
        import pyshacl  # noqa: F401
    except ImportError as error:
        raise InputError("Checking needs the library pyshacl: pip install 'kgmrca[validate]'.") from error


def _lines(quads: Iterable[Quad]) -> bytes:
    """As N-Triples: the same blank nodes keep their names wherever this is read."""
    return cast(bytes, serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES))


def _check_shapes(checks: bytes, path: Path) -> None:
    """Refuse shapes that are not as SHACL has them, or that nothing would ever be checked against."""
    from pyshacl.entrypoints import meta_validate
    from rdflib import SH

    triples = list(parse(checks, RdfFormat.N_TRIPLES))
    classes = {f"{RDFS}Class", f"{OWL}Class"}
    if not any(
        triple.predicate.value in _TARGETS
        or (triple.predicate == TYPE and getattr(triple.object, "value", None) in classes)
        for triple in triples
    ):
        raise InputError(f"'{path}' has no shape with a target (sh:targetClass or the like): nothing could be checked.")
    conforms, results, _ = meta_validate(_graph(triples), inference="none")
    if not conforms:
        messages = "; ".join(sorted(set(results.objects(None, SH.resultMessage))))
        raise InputError(f"'{path}' has shapes that SHACL does not allow: {messages}")


def _looked_at(checks: bytes) -> frozenset[str] | None:
    """The predicates that these shapes can look at; None for all."""
    named = set()
    for triple in parse(checks, RdfFormat.N_TRIPLES):
        if triple.predicate.value in _ANY_PREDICATE:
            return None
        named |= {term.value for term in triple if isinstance(term, NamedNode)}
    return frozenset(named | _ALWAYS)


def _relation_shapes() -> bytes:
    """Which types a relation's subject and object have, as warnings (see `shapes:subjectType`)."""
    lines = []
    for predicate, known in load_properties().items():
        for end, types in (("subject", known.subject_types), ("object", known.object_types)):
            message = Literal(
                f"The {end} of '{known.label}' should be {' or '.join(sorted(types))}: check the relation, and the "
                "entity's type."
            )
            description = Literal(f"The {end} of this relation is {' or '.join(sorted(types))}, as relations.ttl says.")
            lines.append(
                f"shapes:{predicate.rpartition('/')[2]}-{end} a sh:PropertyShape ; sh:severity sh:Warning ; "
                f"sh:name {Literal(f'{end} of {known.label}')} ; sh:description {description} ; "
                f"sh:message {message} ; sh:targetSubjectsOf <{_value_predicate(predicate)}> ; "
                f'sh:path shapes:{end}Type ; sh:pattern "{"|".join(sorted(types))}" .\n'
            )
    turtle = f"@prefix sh: <{_SH}> .\n@prefix shapes: <{_OURS}> .\n{''.join(lines)}"
    return _lines(cast("Iterator[Quad]", parse(turtle, RdfFormat.TURTLE)))


@lru_cache(maxsize=4096)
def _value_predicate(predicate: str) -> str:
    """Wikidata's predicate from a statement node to the object, by which the statements of one relation are found."""
    return Iris().node_predicates(predicate)[1]


def _fill_database(
    inputs: list[tuple[RdfInput, str]],
    path: Path,
    looked_at: frozenset[str] | None,
    report: Report,
    progress: bool | None,
) -> None:
    """Put the triples of all inputs into a database, by subject, and count them."""
    sizes = [Path(one).stat().st_size for one, _ in inputs if isinstance(one, str | Path) and one != STANDARD]
    total = sum(sizes) if len(sizes) == len(inputs) else None
    with _database(path) as database, progress_bar(progress, total=total, unit="B", unit_scale=True) as bar:
        database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE row (subject TEXT, kind INTEGER, lines TEXT);"
        )
        for number, (graph, format) in enumerate(inputs):
            quads = read_quads(graph, format=format, rename_blank_nodes=number > 0, on_read=bar.update)
            database.executemany("INSERT INTO row VALUES (?, ?, ?)", _rows(quads, looked_at, report, name_of(graph)))
        with _sorting_in(path.parent, database):
            database.executescript(
                "CREATE INDEX by_subject ON row (subject, kind);"
                "CREATE TABLE node AS SELECT subject FROM row WHERE kind = 0 GROUP BY subject ORDER BY min(rowid);"
            )
        report.nodes = database.execute("SELECT count(*) FROM node").fetchone()[0]


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """A new database.

    Raises:
        OSError: there is no room for it.
    """
    with closing(sqlite3.connect(path)) as database:
        try:
            yield database
        except sqlite3.OperationalError as error:
            # SQLite says that a disk is full, or not even that.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error


_SORTING = Lock()  # SQLite has one folder for temporary files in a process


@contextmanager
def _sorting_in(folder: Path, database: sqlite3.Connection) -> Iterator[None]:
    """Let SQLite put the temporary files with which it sorts into a folder; one thread at a time."""
    with _SORTING:
        database.execute(f"PRAGMA temp_store_directory = {_quoted(str(folder))}")
        try:
            yield
        finally:
            database.execute("PRAGMA temp_store_directory = ''")


def _quoted(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))


def _rows(
    quads: Iterable[Quad], looked_at: frozenset[str] | None, report: Report, name: str
) -> Iterator[tuple[str, int, str]]:
    current = None
    lines: list[str] = []
    for quad in quads:
        report.triples += 1
        predicate = quad.predicate.value
        if isinstance(quad.object, Triple) and predicate != REIFIES.value:
            report.not_checked += 1
            continue
        line = f"{quad} .\n"
        if is_too_long(line):
            raise too_long(name)  # escaping makes some literals longer than they were
        for node in statements_beside(quad):
            yield str(node), _ABOUT, line
        if predicate == _SUBCLASS:
            yield "", _HIERARCHY, line
        if looked_at is not None and predicate not in looked_at and not names_parts(predicate):
            continue
        if quad.subject != current or len(lines) == _LINES:
            if lines:
                yield str(current), _OWN, "".join(lines)
            current, lines = quad.subject, []
        lines.append(line)
    if lines:
        yield str(current), _OWN, "".join(lines)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without rdflib's warnings about literals that are not of their datatype, because these are findings.

    Warnings of other threads are not affected.
    """
    logger = logging.getLogger("rdflib.term")
    thread = get_ident()

    def is_wanted(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or get_ident() != thread

    logger.addFilter(is_wanted)
    try:
        yield
    finally:
        logger.removeFilter(is_wanted)


Found: TypeAlias = tuple[int, list[tuple[bool, Finding]]]
"""How many statements a block has, and what was found; True if the node is in the block, False if nothing is known of
it, so that it may come again in other blocks."""


def _checked(path: Path, checks: bytes, ranges: list[tuple[int, int]], workers: int) -> Iterator[Found]:
    if workers == 1 or len(ranges) < 2:
        with closing(_Checker(path, checks)) as checker:
            yield from map(checker, ranges)
        return
    with process_pool(min(workers, len(ranges)), _start, path, checks) as pool:
        yield from pool.map(_check, ranges)


_checker: "_Checker"  # of a worker process


def _start(path: Path, checks: bytes) -> None:
    global _checker
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)
    _checker = _Checker(path, checks)


def _check(nodes: tuple[int, int]) -> Found:
    return _checker(nodes)


class _Checker:
    """Checks the nodes of the database from one number up to, but not including, another."""

    def __init__(self, path: Path, checks: bytes) -> None:
        self._database = sqlite3.connect(path)
        self._shapes = _graph(parse(checks, RdfFormat.N_TRIPLES))
        self._hierarchy = list(self._read("SELECT lines FROM row WHERE subject = '' AND kind = 2"))

    def close(self) -> None:
        self._database.close()

    def __call__(self, nodes: tuple[int, int]) -> Found:
        import pyshacl
        import rdflib
        from pyparsing import ParseException
        from pyshacl.errors import ReportableRuntimeError

        block = [
            row[0] for row in self._database.execute("SELECT subject FROM node WHERE rowid >= ? AND rowid < ?", nodes)
        ]
        known: dict[str, list[Quad]] = {}
        for quad in self._triples(block, _OWN):
            known.setdefault(str(quad.subject), []).append(quad)
        statements = {node for node, own in known.items() if any(quad.object == STATEMENT for quad in own)}
        about: dict[str, list[Quad]] = {node: [] for node in statements}
        for quad in self._triples(statements, _ABOUT):
            for node in {str(quad.graph_name), str(quad.object)} & statements:
                about[node].append(quad)
        named = {str(term) for quad in chain(*known.values(), *about.values()) for term in _named(quad)}
        beside = [*self._triples(named - known.keys(), _OWN), *self._hierarchy]
        types: dict[Term, set[str]] = {}
        for quad in chain(*known.values(), beside):
            if quad.predicate == ENTITY_TYPE and isinstance(quad.object, Literal):
                types.setdefault(quad.subject, set()).add(coarse_type(quad.object.value))
        triples = chain(
            (quad.triple for quad in chain(*known.values(), beside)),
            *(_derived(own, about.get(node, []), types) for node, own in known.items()),
        )
        try:
            conforms, results, text = pyshacl.validate(
                _graph(triples), shacl_graph=self._shapes, inference="none", inplace=True
            )
        except (ReportableRuntimeError, ParseException, re.error) as error:
            raise InputError(f"The shapes cannot be used: {error}") from error
        if not isinstance(results, rdflib.Graph):  # but a failure, which is not raised
            raise InputError(f"The shapes cannot be used: {text}")
        count = sum(_is_statement(own) for own in known.values())
        return count, [] if conforms else list(self._findings(results, block))

    def _read(self, query: str, *parameters: str) -> Iterator[Quad]:
        for (lines,) in self._database.execute(query, parameters):
            yield from cast("Iterator[Quad]", parse(lines, RdfFormat.N_QUADS))

    def _triples(self, nodes: Iterable[str], kind: int) -> Iterator[Quad]:
        # Distinct, since what many documents name, each describes anew in the same words.
        query = f"SELECT DISTINCT lines FROM row WHERE kind = {kind} AND subject IN (SELECT value FROM json_each(?))"  # noqa: S608
        return self._read(query, json.dumps(list(nodes)))

    def _findings(self, results: "rdflib.Graph", block: list[str]) -> Iterator[tuple[bool, Finding]]:
        """What was found of the nodes of a block, in their order, and of nodes of which nothing is known."""
        import rdflib

        order = {node: number for number, node in enumerate(block)}
        found = []
        for result in results.objects(None, rdflib.SH.result):
            about = {str(predicate): value for predicate, value in results.predicate_objects(result)}
            messages = sorted(map(str, results.objects(result, rdflib.SH.resultMessage)))
            path, value = about.get(f"{_SH}resultPath"), about.get(f"{_SH}value")
            severity = str(about[f"{_SH}resultSeverity"])
            finding = Finding(
                shape=self._name(about[f"{_SH}sourceShape"]),
                severity=_SEVERITIES.get(severity, severity),
                constraint=str(about[f"{_SH}sourceConstraintComponent"]),
                node=_written(about[f"{_SH}focusNode"]),
                path=None if path is None else _path(results, path),
                value=None if value is None else _written(value),
                message=" ".join(messages),
            )
            # A node beside the block has its own turn, with its own surroundings.
            if finding.node in order or not self._is_known(finding.node):
                found.append(finding)
        found.sort(key=lambda one: (order.get(one.node, -1), one.node, one.shape, one.path or "", one.value or ""))
        return ((finding.node in order, finding) for finding in found)

    def _is_known(self, node: str) -> bool:
        query = "SELECT 1 FROM row WHERE subject = ? AND kind = 0 LIMIT 1"
        return self._database.execute(query, (node,)).fetchone() is not None

    def _name(self, shape: "Node") -> str:
        """The IRI of a shape, or of the shape that a nameless one is part of."""
        import rdflib

        seen = set()
        while isinstance(shape, rdflib.BNode) and shape not in seen:
            seen.add(shape)
            shape = next(self._shapes.subjects(None, shape), shape)
        return "" if isinstance(shape, rdflib.BNode) else str(shape)


def _named(quad: Quad) -> Iterator[Term]:
    """What a block's quad names, also within a triple term and in the graph or link of a statement of the block."""
    for term in (quad.subject, quad.object):
        if isinstance(term, Triple):
            yield from (term.subject, term.object)
        elif not isinstance(term, Literal):
            yield term


def _is_statement(own: Iterable[Quad]) -> bool:
    return any(quad.predicate == TYPE and quad.object in (STATEMENT, RDF_STATEMENT) for quad in own)


def _derived(own: list[Quad], about: list[Quad], types: Mapping[Term, set[str]]) -> Iterator[Triple]:
    """What is said of a node in other ways than SHACL Core can see (see `ontologies/shapes.ttl`).

    Args:
        own: the triples of a node.
        about: if it is a kgmrca:Statement, the triples in the graph that it names, and the links that lead to it.
        types: of the entities that it names.
    """
    node = own[0].subject
    documents = [quad.object for quad in own if quad.predicate == DERIVED_FROM]
    mentions = [quad.object for quad in own if quad.predicate in _MENTIONS]
    for mention in (node, *mentions):
        document, hash_, fragment = mention.value.partition("#") if isinstance(mention, NamedNode) else ("", "", "")
        if hash_ and mention is not node and len(documents) == 1:
            yield Triple(node, _READ_FROM, NamedNode(document))
        if positions := _FRAGMENT.fullmatch(fragment):
            for predicate, position in zip((_START, _END), positions.groups(), strict=True):
                yield Triple(cast(NamedNode, mention), predicate, Literal(position, datatype=_INTEGER))
    if not _is_statement(own):
        return
    parts = {(quad.predicate, quad.object) for quad in own if quad.predicate in (SUBJECT, PREDICATE, OBJECT)}
    if any(quad.predicate == TYPE and quad.object == STATEMENT for quad in own):
        parts.update(part for quad in chain(own, about) for part in statement_parts(quad, node))
        for predicate, value in (*parts, (TYPE, RDF_STATEMENT)):
            yield Triple(node, predicate, value)
    for predicate, value in parts:
        if predicate != PREDICATE:
            is_value = predicate == OBJECT and isinstance(value, Literal)
            found = set(VALUE_TYPES) if is_value else types.get(value, set())
            if found and found <= TYPES:
                yield Triple(node, _TYPES_OF[predicate], Literal(" ".join(sorted(found))))
        elif isinstance(value, NamedNode):
            yield from (
                Triple(node, NamedNode(_value_predicate(value.value)), object_)
                for part, object_ in parts
                if part == OBJECT
            )


def _graph(triples: Iterable[Any]) -> "rdflib.Graph":
    """As an rdflib graph, without what that cannot hold (triple terms)."""
    import rdflib

    graph = rdflib.Graph()
    for triple in triples:
        if not isinstance(triple.subject, Triple) and not isinstance(triple.object, Triple):
            graph.add((_term(triple.subject), _term(triple.predicate), _term(triple.object)))
    return graph


@lru_cache(maxsize=20_000)
def _term(term: Term) -> "rdflib.URIRef | rdflib.BNode | rdflib.Literal":
    import rdflib

    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value), normalize=False)


def _written(term: "Node") -> str:
    """As in Turtle, in one line."""
    import rdflib

    if not isinstance(term, rdflib.Literal):
        return term.n3()
    if term.language:
        return str(Literal(str(term), language=term.language))
    return str(Literal(str(term), datatype=NamedNode(term.datatype) if term.datatype else None))


def _path(graph: "rdflib.Graph", path: "Node") -> str:
    """A property path as SHACL writes it in Turtle (SHACL, section 2.3.1)."""
    import rdflib

    if not isinstance(path, rdflib.BNode):
        return path.n3()
    if (path, rdflib.RDF.first, None) in graph:
        return f"( {' '.join(_path(graph, step) for step in graph.items(path))} )"
    predicate, step = next(graph.predicate_objects(path))
    return f"[ {predicate.n3()} {_path(graph, step)} ]"


def _short(text: str) -> str:
    """With the usual prefixes instead of the beginnings of IRIs."""
    for prefix, namespace in _PREFIXES.items():
        text = re.sub(f"<{re.escape(namespace)}([A-Za-z][A-Za-z0-9-]*)>", rf"{prefix}:\1", text)
    return text
