"""Statements as a networkx graph, as GraphML (Gephi and others), and as tables for Neo4j.

A node is an entity, by its IRI, or a literal, by how N-Triples writes it. A statement is an edge: what two documents
state is two edges. Text that XML cannot hold is replaced (see `clean_text`).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import networkx
from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.errors import InputError
from kgmrca.files import whole_file, whole_folder
from kgmrca.tables import plain_line
from kgmrca.terms import ENTITY_TYPE, LABEL, WITHDRAWN
from kgmrca.triples.formats import XmlOutput
from kgmrca.triples.iris import DEFAULT_BASE, clean_text
from kgmrca.triples.records import Run, Statement

if TYPE_CHECKING:
    from kgmrca.ontology import Ontology
    from kgmrca.triples.docs import Docs

__all__ = ["NEO4J_TABLES", "neo4j_tables", "to_networkx", "write_graphml"]

NEO4J_TABLES = ("nodes.csv", "relationships.csv")
"""The files in the folder that `neo4j_tables` writes."""

_NODE_COLUMNS = ("iri:ID", "name", "datatype", ":LABEL")
_TIMES = ("start_time", "end_time", "point_in_time")
_EDGE_COLUMNS = (
    *(":START_ID", ":END_ID", ":TYPE", "iri", "predicate", "confidence:double", "document", "mentions"),
    *_TIMES,
)


def to_networkx(
    found: "Docs | Iterable[Statement | Quad]",
    *,
    document_id: str | int | None = None,
    base: str = DEFAULT_BASE,
    run: Run | None = None,
    ontology: "Ontology | str | Path" = "wikidata",
    source: str | None = None,
    threshold: float | None = None,
) -> networkx.MultiDiGraph:
    """What Docs say, or statements, as a graph, which is held in memory.

    Edges have the statement's IRI as key, and label, predicate, confidence, document and mentions: the positions of
    subject and object in the document, as in "0,11 24,30" (code points; ends exclusive), and start_time, end_time and
    point_in_time ("" if the sentence does not say it). Nodes have kind ("entity" or
    "literal"), label (the name, or the literal's text), type (entity types with ";" between them) and datatype
    ("" if it is an entity).

    Args:
        found: a Doc, or any number of them or of (Doc, id); or statements of any number of documents; or what
            `kgmrca.triples.read.read_rdf` gives: the names and types that statements in a file do not have are taken
            from the other triples.
        document_id, base, run, ontology, source, threshold: as `statements` takes them, for Docs.

    Raises:
        ModelError: no component has set the relations of a Doc.
        InputError: `found` is something else, or has options and is no Docs.

    >>> import spacy, kgmrca
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:1], doc[4:5], "place of birth", 0.9)]
    >>> [data["label"] for _, _, data in kgmrca.to_networkx(doc).edges(data=True)]
    ['place of birth']
    """
    given = {"document_id": document_id, "run": run, "source": source, "threshold": threshold}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options |= {"base": base} if base != DEFAULT_BASE else {}
    options |= {"ontology": ontology} if ontology != "wikidata" else {}
    graph = networkx.MultiDiGraph()
    nodes = _Nodes()
    for one in _content(found, options):
        nodes.add(one)
        if isinstance(one, Statement) and one.decision not in WITHDRAWN:
            graph.add_edge(one.subject, nodes.object_of(one), key=one.iri, **_edge(one))
    for node, data in graph.nodes(data=True):
        data.update(nodes.describe(node))
    return graph


def _content(found: "Docs | Iterable[Statement | Quad]", options: dict[str, Any]) -> Iterator[Statement | Quad]:
    """Statements as they are, and those of Docs."""
    items = iter(found) if isinstance(found, Iterable) else iter(())
    first = list(islice(items, 1))
    if first and isinstance(first[0], Statement | Quad):
        if options:
            raise InputError(f"Statements are made already: {', '.join(options)} can be chosen for Docs only.")
        return cast("Iterator[Statement | Quad]", chain(first, items))
    from kgmrca.triples.statements import statements  # imports spaCy, which files are read without

    return statements(cast("Docs", chain(first, items) if items is found else found), **options)


def write_graphml(graph: networkx.MultiDiGraph, path: Path) -> None:
    """Write a graph of `to_networkx` as GraphML; compressed if the name ends in ".gz".

    `networkx.read_graphml(path, force_multigraph=True)` gives the same graph again.
    """
    with whole_file(path) as stream:
        networkx.write_graphml_xml(graph, XmlOutput(stream))


@contextmanager
def neo4j_tables(folder: Path) -> Iterator[Callable[[Statement | Quad], None]]:
    """A function that takes statements and other triples, and writes `nodes.csv` and `relationships.csv` of them.

    The tables are for `neo4j-admin database import`; names and texts are on one line each. Nodes are kept in memory,
    statements are not. The folder has its name only once the block ends. If the block raises anything, no trace is
    left, and tables that were there before stay as they were.

    A cell that begins with "=", "+", "-" or "@" stays as it is, because it is data (-5); to a spreadsheet program it is
    a formula, so do not open tables made from texts of strangers in one.
    """
    nodes = _Nodes()
    seen: dict[str, None] = {}  # an ordered set
    with whole_folder(folder) as new:
        to_nodes, to_edges = (new / table for table in NEO4J_TABLES)
        with _table(to_edges, _EDGE_COLUMNS) as put:

            def add(found: Statement | Quad) -> None:
                nodes.add(found)
                if isinstance(found, Statement) and found.decision not in WITHDRAWN:
                    ends = found.subject, nodes.object_of(found)
                    seen.update(dict.fromkeys(ends))
                    edge = _edge(found)
                    put([*ends, _one_line(edge.pop("label")), found.iri, *edge.values()])

            yield add
        with _table(to_nodes, _NODE_COLUMNS) as put:
            for node in seen:
                about = nodes.describe(node)
                labels = [about["kind"].capitalize(), about["type"]]
                put([node, _one_line(about["label"]), about["datatype"], ";".join(filter(None, labels))])


class _Nodes:
    """What entities are called and of which types they are, and which literals there are."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._types: dict[str, dict[str, None]] = {}
        self._literals: dict[str, dict[str, str]] = {}

    def add(self, found: Statement | Quad) -> None:
        if isinstance(found, Quad):
            if isinstance(found.subject, NamedNode) and isinstance(found.object, Literal):
                if found.predicate == LABEL:
                    self._add(found.subject.value, name=found.object.value)
                elif found.predicate == ENTITY_TYPE:
                    self._add(found.subject.value, type_=found.object.value)
            return
        self._add(found.subject, name=found.subject_name, type_=found.subject_mention.type)
        if not found.object_is_literal:
            self._add(found.object, name=found.object_name, type_=found.object_mention.type)

    def _add(self, entity: str, *, name: str = "", type_: str = "") -> None:
        if name:
            self._names.setdefault(entity, clean_text(name))
        if type_:
            self._types.setdefault(entity, {})[clean_text(type_).replace(";", ",")] = None

    def object_of(self, statement: Statement) -> str:
        """The node that a statement leads to."""
        if not statement.object_is_literal:
            return statement.object
        value = clean_text(statement.object)
        datatype = NamedNode(statement.object_datatype) if statement.object_datatype else None
        literal = Literal(value, datatype=datatype)
        node = str(literal)
        self._literals[node] = {"kind": "literal", "label": value, "type": "", "datatype": literal.datatype.value}
        return node

    def describe(self, node: str) -> dict[str, str]:
        types = ";".join(self._types.get(node, ()))
        entity = {"kind": "entity", "label": self._names.get(node, ""), "type": types, "datatype": ""}
        return self._literals.get(node, entity)


def _edge(statement: Statement) -> dict[str, Any]:
    subject, object_ = statement.subject_mention, statement.object_mention
    return {
        "label": clean_text(statement.label),
        "predicate": statement.predicate,
        "confidence": float(statement.confidence),
        "document": statement.document,
        "mentions": f"{subject.start},{subject.end} {object_.start},{object_.end}",
        **dict(zip(_TIMES, statement.times, strict=True)),
    }


@contextmanager
def _table(path: Path, columns: Iterable[str]) -> Iterator[Callable[[Iterable[Any]], object]]:
    with path.open("wb") as stream:
        stream.write(plain_line(columns))
        yield lambda cells: stream.write(plain_line(cells))


def _one_line(text: str) -> str:
    return " ".join(text.split())
