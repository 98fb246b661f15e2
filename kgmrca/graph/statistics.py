"""Figures about a graph, counted while it is read as a stream.

The distinct entities, literals, predicates and facts are kept in memory, as numbers, and 8 to 16 bytes of each mention.
Statements are not kept.
"""

import heapq
from array import array
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.errors import InputError
from kgmrca.files import check_outputs, whole_file
from kgmrca.graph.networks import NEO4J_TABLES, neo4j_tables, to_networkx, write_graphml
from kgmrca.graph.pictures import FORMATS, Edge, Node
from kgmrca.graph.plots import Distributions, bars_as_svg
from kgmrca.markup import one_line
from kgmrca.names import normal_name
from kgmrca.progress import counted, progress_bar
from kgmrca.terms import DCTERMS, KGMRCA, MENTION, NAMESAKE, OTHER_NAME, PROV, RDF, RDFS, WITHDRAWN, XSD
from kgmrca.triples.formats import is_rdf
from kgmrca.triples.inputs import rdf_files
from kgmrca.triples.items import ItemLinks, item_id, link_in, only_item
from kgmrca.triples.literals import canonical_literal
from kgmrca.triples.read import read_rdf
from kgmrca.triples.records import Statement

__all__ = ["Statistics", "graph_report", "report_table"]

# Triples with these predicates, and those of nodes of these types, describe the graph itself and are no facts.
_DESCRIBING = (KGMRCA, PROV, RDF, RDFS, f"{DCTERMS}identifier", OTHER_NAME.value)
_DESCRIBED = frozenset(
    {f"{PROV}{name}" for name in ("Entity", "Activity", "SoftwareAgent")}
    | {f"{KGMRCA}{name}" for name in ("Run", "Statement", "Fact", "Cluster", "Conflict", "Review")}
)
_FEW = 256  # mentions
_MOST_DRAWN = 500  # facts of a picture
_COUNTS = ("entities", "mentions", "facts", "statements", "predicates", "documents")
_STRING = f"{XSD}string"
_TYPE = f"{RDF}type"
_KIND = f"{KGMRCA}conflictKind"
_MENTION, _NAMESAKE = MENTION.value, NAMESAKE.value
_FACT = {f"{RDF}subject": 0, f"{RDF}predicate": 1, f"{RDF}object": 2, f"{KGMRCA}confidence": 3}

# An entity by its IRI; a literal by its text, datatype and language.
_Node: TypeAlias = str | tuple[str, str | None, str | None]
_Fact: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class _FactRow:
    """A row of a ranking: all facts that look the same there.

    Attributes:
        fact: one of them, which is the most certain.
        iris: its subject, object and predicate, for a fixed order of rows that rank equally.
        confidence: the highest of theirs.
        statements: how many statements all of them have.
        facts: how many they are.
    """

    fact: "_Fact"
    iris: tuple[str, str, str]
    confidence: float
    statements: int
    facts: int = 1


class _Rows:
    """The rows of rankings.

    Before graphs are merged, each document has entities of its own, and a ranking by IRIs would show what ten documents
    state ten times, in the same words. So entities of one name stand in one row; those of an item stand in its row.
    Where a document tells two entities of one name apart, each has a row of its own.

    Args:
        nodes: the nodes by their numbers.
        names: names by the IRIs of nodes.
        items: the items of nodes by their numbers.
        namesakes: the IRIs of entities whose documents have another one of the same name.
    """

    def __init__(
        self, nodes: "list[_Node]", names: dict[str, str], items: dict[int, str], namesakes: AbstractSet[str]
    ) -> None:
        self._nodes = nodes
        self._names = names
        self._items = items
        self._namesakes = namesakes

    def named(self, number: int) -> dict[str, str]:
        """A node as JSON has it."""
        node = self._nodes[number]
        return {"iri": node, "name": self._names.get(node, "")} if isinstance(node, str) else {"literal": node[0]}

    def facts(
        self, facts: "dict[_Fact, int]", predicates: list[str], stated: "array[int]", confidences: "array[float]"
    ) -> list[_FactRow]:
        """The rows of the facts that have statements; `facts` has their places in the arrays."""
        rows: dict[Hashable, _FactRow] = {}
        for fact, number in facts.items():
            if not stated[number]:
                continue
            subject, predicate, object_ = fact
            iris = str(self._nodes[subject]), str(self._nodes[object_]), predicates[predicate]
            new = _FactRow(fact, iris, confidences[number], stated[number])
            old = rows.setdefault((self._key_of_row(subject), predicate, self._key_of_row(object_)), new)
            if old is not new:
                if (-new.confidence, iris) < (-old.confidence, old.iris):
                    old.fact, old.iris, old.confidence = fact, iris, new.confidence
                old.statements += new.statements
                old.facts += 1
        return list(rows.values())

    def entities(self, entities: Iterable[int], degrees: "array[int]") -> list[tuple[int, int, int]]:
        """The rows of entities: one of those that look the same, the sum of their degrees, how many they are."""
        rows: dict[Hashable, tuple[int, int, int]] = {}
        for entity in entities:
            key = self._key_of_row(entity)
            first, degree, count = rows.get(key, (entity, 0, 0))
            first = min(first, entity, key=lambda number: (-degrees[number], str(self._nodes[number])))
            rows[key] = first, degree + degrees[entity], count + 1
        return list(rows.values())

    def edges(self, rows: Iterable[_FactRow], labels: "Callable[[int], str]") -> list[Edge]:
        """Rows of facts as a picture has them: what looks the same in a row is one node."""
        nodes: dict[Hashable, Node] = {}

        def node(number: int) -> Node:
            key = self._key_of_row(number)
            if key not in nodes:
                about = self.named(number)
                is_literal = "literal" in about
                name = about["literal"] if is_literal else about["name"] or about["iri"]
                nodes[key] = Node(str(len(nodes)), name, is_literal)
            return nodes[key]

        return [
            Edge(node(subject), labels(predicate), node(object_), row.confidence)
            for row in rows
            for subject, predicate, object_ in [row.fact]
        ]

    def around(self, rows: Iterable[_FactRow], entity: str, entity_of: "Callable[[int], int]") -> list[_FactRow]:
        """The rows in the order of their distance from an entity, which is meant by its name, its IRI or its item.

        Args:
            rows: of facts.
            entity: what means it.
            entity_of: the number that stands in facts for a node, such as a member of a cluster.
        """
        of_key: dict[Hashable, list[_FactRow]] = {}
        for row in rows:
            for key in {self._key_of_row(row.fact[0]), self._key_of_row(row.fact[2])}:
                of_key.setdefault(key, []).append(row)
        name = normal_name(entity)
        starts: dict[Hashable, None] = {}
        for number, node in enumerate(self._nodes):
            if isinstance(node, str):
                fact_end = entity_of(number)
                is_named = name and normal_name(self._names.get(node, "")) == name
                if is_named or entity in (node, self._items.get(fact_end)):
                    starts[self._key_of_row(fact_end)] = None
        found: dict[int, _FactRow] = {}
        waiting = deque(key for key in starts if key in of_key)
        seen = set(waiting)
        while waiting:
            for row in of_key[waiting.popleft()]:
                found[id(row)] = row
                new = {self._key_of_row(row.fact[end]): None for end in (0, 2)}
                waiting += [key for key in new if key not in seen]
                seen |= new.keys()
        return list(found.values())

    def _key_of_row(self, number: int) -> Hashable:
        if number in self._items:
            return "item", self._items[number]
        node = self._nodes[number]
        name = self._names.get(node) if isinstance(node, str) and node not in self._namesakes else None
        return ("name", normal_name(name)) if name else number


_Shown: TypeAlias = tuple[list[_Node], list[str], dict[_Fact, int], _Rows, list[_FactRow]]


class Statistics:
    """Counts the statements and other triples of a graph.

    >>> import io
    >>> statistics = Statistics()
    >>> for found in read_rdf(io.BytesIO(b"<urn:Warsaw> <urn:country> <urn:Poland> ."), format="ntriples"):
    ...     statistics.add(found)
    >>> statistics.report()["entities"]
    2

    A fact is a subject, predicate and object. It is in the graph as a plain triple, or as one or more statements.
    Entities are the subjects of facts, and those of their objects that are no literals. The entities of one cluster of
    a merged graph count as one. An entity's degree is the number of facts that it is part of. Entities are in one
    component if facts connect them. Mentions are the places in documents that mean an entity, each counted once.
    Statements that a person rejected or corrected are counted, and are no facts.
    """

    def __init__(self) -> None:
        self._nodes: dict[_Node, int] = {}
        self._parents = array("L")  # a forest over nodes: those of one cluster have one root
        self._predicates: dict[str, int] = {}
        self._labels: dict[int, str] = {}
        self._names: dict[str, str] = {}
        self._namesakes: set[str] = set()
        self._mentions = array("q")  # their hashes, each once or a few times
        self._most_mentions = _FEW  # how many there may be until repeated ones are taken out
        self._facts: dict[_Fact, int] = {}
        self._stated = array("L")
        self._confidences = array("d")
        self._links = ItemLinks()
        self._statements = 0
        self._last = ""
        self._decisions: Counter[str] = Counter()
        self._documents: set[str] = set()
        self._described: set[str] = set()
        self._clusters: set[str] = set()
        self._conflicts: dict[str, dict[str, str]] = {}
        self._block: list[Quad] = []
        self._merged: dict[str, dict[int, Any]] = {}  # facts of a merged graph, until all of one is known
        self._shown: _Shown | None = None  # what was gathered at the end, until more is added

    def add(self, found: Statement | Quad) -> None:
        """Count what `kgmrca.triples.read.read_rdf` gives."""
        self._shown = None
        if isinstance(found, Statement):
            self._add_statement(found)
            return
        if self._block and self._block[0].subject != found.subject:
            self._end_block()
        self._block.append(found)

    def _add_statement(self, statement: Statement) -> None:
        if statement.iri == self._last:
            return  # the same, of another run
        self._last = statement.iri
        self._statements += 1
        self._documents.add(statement.document)
        if statement.decision:
            self._decisions[statement.decision] += 1
        if statement.decision in WITHDRAWN:
            return
        object_: _Node = statement.object
        self._name(statement.subject, statement.subject_name)
        self._mention(statement.subject_mention.iri)
        if statement.object_is_literal:
            object_ = statement.object, statement.object_datatype or _STRING, None
        else:
            self._name(statement.object, statement.object_name)
            self._mention(statement.object_mention.iri)
        fact = self._fact(statement.subject, statement.predicate, object_)
        self._stated[fact] += 1
        self._confidences[fact] = max(self._confidences[fact], float(statement.confidence))
        self._labels.setdefault(self._predicates[statement.predicate], statement.label)

    def _end_block(self) -> None:
        """Take the triples of one subject, its types first: they say what the others are about."""
        for quad in sorted(self._block, key=lambda quad: quad.predicate.value != _TYPE):
            self._add_quad(quad)
        self._block.clear()

    def _add_quad(self, quad: Quad) -> None:
        subject, predicate, object_ = str(_node(quad.subject)), quad.predicate.value, quad.object
        if link := link_in(quad):
            self._links.add(*link)
        if predicate == _TYPE:
            self._add_type(subject, str(_node(object_)))
        elif predicate == f"{RDFS}label":
            self._name(subject, getattr(object_, "value", ""))
        elif predicate == _MENTION:
            self._mention(str(_node(object_)))
        elif predicate == _NAMESAKE:
            self._namesakes.add(subject)
        elif predicate == f"{KGMRCA}member" or (predicate == f"{KGMRCA}item" and subject in self._clusters):
            # Merged facts are about the cluster, or about the item that it stands for.
            _join(self._parents, self._node(subject), self._node(_node(object_)))
        elif predicate in _FACT:
            self._add_merged(subject, _FACT[predicate], object_)
        elif subject in self._conflicts:
            self._conflicts[subject].setdefault(predicate, getattr(object_, "value", ""))
        elif not predicate.startswith(_DESCRIBING) and subject not in self._described:
            self._fact(subject, predicate, _node(object_))

    def _add_type(self, node: str, type_: str) -> None:
        if type_ in _DESCRIBED:
            self._described.add(node)
        if type_ == f"{PROV}Entity":
            self._documents.add(node)
        elif type_ == f"{KGMRCA}Cluster":
            self._clusters.add(node)
        elif type_ == f"{KGMRCA}Conflict":
            self._conflicts.setdefault(node, {})

    def _add_merged(self, node: str, place: int, term: Any) -> None:
        known = self._merged.setdefault(node, {})
        known[place] = term
        if len(known) == len(_FACT):
            del self._merged[node]
            fact = self._fact(_node(known[0]), known[1].value, _node(known[2]))
            self._confidences[fact] = max(self._confidences[fact], float(known[3].value))

    def _name(self, entity: str, name: str) -> None:
        if name:
            self._names.setdefault(entity, name)

    def _mention(self, mention: str) -> None:
        self._mentions.append(hash(mention))
        if len(self._mentions) > self._most_mentions:
            self._mentions = array("q", np.unique(self._mentions).tobytes())
            self._most_mentions = 2 * len(self._mentions) + _FEW

    def _fact(self, subject: _Node, predicate: str, object_: _Node) -> int:
        key = (
            self._node(subject),
            self._predicates.setdefault(predicate, len(self._predicates)),
            self._node(object_),
        )
        if key not in self._facts:
            self._facts[key] = len(self._facts)
            self._stated.append(0)
            self._confidences.append(0.0)
        return self._facts[key]

    def _node(self, node: _Node) -> int:
        number = self._nodes.setdefault(node, len(self._nodes))
        if number == len(self._parents):
            self._parents.append(number)
        return number

    def report(self, *, top: int = 10) -> dict[str, Any]:
        """The figures, as JSON can hold them; of rankings, the first `top`.

        A row of a ranking says how many "facts" or "entities" it stands for, if these are several (see `_Rows`).
        """
        nodes, predicates, facts, shown, rows = self._rows()
        parents = self._parents[:]
        degrees = array("L", [0]) * len(nodes)
        by_predicate: Counter[int] = Counter()
        for subject, predicate, object_ in facts:
            by_predicate[predicate] += 1
            degrees[subject] += 1
            if isinstance(nodes[object_], str):
                degrees[object_] += object_ != subject
                _join(parents, subject, object_)
        entities = [number for number, degree in enumerate(degrees) if degree]
        sizes = Counter(_find(parents, entity) for entity in entities)

        def as_json(row: _FactRow) -> dict[str, Any]:
            subject, predicate, object_ = row.fact
            return {
                "subject": shown.named(subject),
                "predicate": {"iri": predicates[predicate], "name": self._labels.get(predicate, "")},
                "object": shown.named(object_),
                "confidence": row.confidence,
                "statements": row.statements,
                **_if_several("facts", row.facts),
            }

        def most(by: str, then: str) -> list[dict[str, Any]]:
            def rank(row: _FactRow) -> tuple[Any, ...]:
                return -getattr(row, by), -getattr(row, then), row.iris

            return [as_json(row) for row in heapq.nsmallest(top, rows, key=rank)]

        return {
            "entities": len(entities),
            "mentions": len(np.unique(self._mentions)),
            "facts": len(facts),
            "statements": self._statements,
            "predicates": len(by_predicate),
            "documents": len(self._documents),
            "degree": {"mean": sum(degrees) / (len(entities) or 1), "max": max(degrees, default=0)},
            "components": {"count": len(sizes), "largest": max(sizes.values(), default=0)},
            "conflicts": dict(Counter(conflict.get(_KIND, "") for conflict in self._conflicts.values())),
            **({"decisions": dict(self._decisions)} if self._decisions else {}),
            "top_predicates": [
                {"iri": predicates[number], "name": self._labels.get(number, ""), "facts": count}
                for number, count in heapq.nsmallest(
                    top, by_predicate.items(), key=lambda item: (-item[1], predicates[item[0]])
                )
            ],
            "top_entities": [
                {**shown.named(number), "degree": degree, **_if_several("entities", count)}
                for number, degree, count in heapq.nsmallest(
                    top, shown.entities(entities, degrees), key=lambda row: (-row[1], str(nodes[row[0]]))
                )
            ],
            "most_certain": most("confidence", "statements"),
            "most_attested": most("statements", "confidence"),
            "top_conflicts": [
                {"iri": iri, "kind": about.get(_KIND, ""), "comment": about.get(f"{RDFS}comment", "")}
                for iri, about in heapq.nsmallest(top, self._conflicts.items(), key=lambda item: item[0])
            ],
        }

    def picture(self, *, top: int = 10, around: str | None = None) -> list[Edge]:
        """The most certain facts that have statements, for a picture; as rows of rankings, each once.

        Args:
            top: how many.
            around: the name, IRI or item of an entity: its facts, then those of its neighbours, and so on.

        Raises:
            InputError: there is no fact with a statement, or no such entity in one.
        """
        _, predicates, _, shown, rows = self._rows()
        if not rows:
            raise self._no_statements("draw")
        rows = sorted(rows, key=lambda row: (-row.confidence, -row.statements, row.iris))
        if around is not None:
            rows = shown.around(rows, around, lambda number: _find(self._parents, number))
            if not rows:
                raise InputError(f"No statement is about an entity with the name, IRI or item '{around:.200}'.")
        return shown.edges(rows[:top], lambda number: self._labels.get(number) or predicates[number])

    def _no_statements(self, what: str) -> InputError:
        others = "only plain triples" if self._facts else "and no other facts"
        return InputError(f"There are no statements to {what}, {others}.")

    def check_statements(self, what: str) -> None:
        """Raise an InputError, which says what cannot be done, if there is no statement."""
        if not self._statements:
            raise self._no_statements(what)

    def _rows(self) -> "_Shown":
        """All nodes and predicates by their numbers, the distinct facts, and the rows that rankings show of them."""
        self._end_block()
        if self._shown is not None:
            return self._shown
        nodes, predicates = list(self._nodes), list(self._predicates)
        facts, stated, confidences = self._distinct_facts(nodes)
        shown = _Rows(nodes, self._names, self._items_of_nodes(nodes), self._namesakes)
        self._shown = nodes, predicates, facts, shown, shown.facts(facts, predicates, stated, confidences)
        return self._shown

    def _items_of_nodes(self, nodes: list[_Node]) -> dict[int, str]:
        """The item of each node that is one, that is linked to one, or that is in a cluster with such a node."""
        items: dict[int, set[str]] = {}
        for number, node in enumerate(nodes):
            if isinstance(node, str) and (item := item_id(node) or self._links.item(node)):
                items.setdefault(_find(self._parents, number), set()).add(item)
        return {root: item for root, found in items.items() if (item := only_item(found))}

    def _distinct_facts(self, nodes: list[_Node]) -> "tuple[dict[_Fact, int], array[int], array[float]]":
        """The facts with one entity for each cluster; how often each is stated, and the highest confidence of it."""
        stated, confidences = self._stated[:], self._confidences[:]
        facts: dict[_Fact, int] = {}
        for (subject, predicate, object_), number in self._facts.items():
            if nodes[subject] in self._described and nodes[subject] not in self._clusters:
                continue
            key = _find(self._parents, subject), predicate, _find(self._parents, object_)
            first = facts.setdefault(key, number)
            if first != number:
                stated[first] += stated[number]
                confidences[first] = max(confidences[first], confidences[number])
        return facts, stated, confidences


def graph_report(
    graphs: str | Path | Iterable[str | Path],
    *,
    input_format: str | None = None,
    top: int = 10,
    graphml: Path | None = None,
    neo4j: Path | None = None,
    pictures: Mapping[str, Path] | None = None,
    around: str | None = None,
    plot: Path | None = None,
    progress: bool | None = None,
) -> dict[str, Any]:
    """Read RDF once: count what is in them and, if asked, write the statements in other forms.

    Args:
        graphs: files, folders, glob patterns, or "-" for standard input.
        input_format: the format of all graphs; None: by extension, TriG on standard input, of which Turtle and
            N-Triples are parts.
        top: how many rows the rankings have, and how many facts are in a picture.
        graphml: a file for the graph as GraphML (see `write_graphml`).
        neo4j: a folder for the graph as tables for Neo4j (see `neo4j_tables`).
        pictures: files for the `top` most certain facts as a picture, by the names of `kgmrca.graph.pictures.FORMATS`.
        around: the name, IRI or item of the entity whose facts and neighbours the pictures show.
        plot: a file for charts of how scores, predicates, documents, names and verdicts are distributed, as SVG.
        progress: see `progress_bar`.

    Returns:
        The figures (see `Statistics.report`).

    Raises:
        InputError: a file cannot be read, would be overwritten, or has no statements to write in another form.
        OutputError: a file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     graph = Path(folder, "graph.ttl")
    ...     _ = graph.write_text("<urn:Warsaw> <urn:country> <urn:Poland> .", encoding="utf-8")
    ...     graph_report(graph, progress=False)["facts"]
    1
    """
    graphs = [graphs] if isinstance(graphs, str | Path) else list(graphs)
    pictures = pictures or {}
    _check_outputs([graphml, plot, *pictures.values()], neo4j, graphs, None if input_format else is_rdf)
    if pictures and not 1 <= top <= _MOST_DRAWN:
        raise InputError(f"A picture has 1 to {_MOST_DRAWN} facts (--top), not {top:,}.")
    files = rdf_files(graphs, format=input_format)
    statistics = Statistics()
    distributions = Distributions() if plot else None
    takers: list[Callable[[Statement | Quad], None]] = [statistics.add]
    if distributions:
        takers.append(distributions.add)
    with ExitStack() as stack:
        if neo4j:
            takers.append(stack.enter_context(neo4j_tables(neo4j)))
        read = chain.from_iterable(read_rdf(file.path, format=file.format, beside=graphml or neo4j) for file in files)
        bar = stack.enter_context(progress_bar(progress, iterable=read, unit=" triples", unit_scale=True))
        content = _passed_to(takers, bar)
        graph = to_networkx(content) if graphml else None
        deque(content, maxlen=0)  # reads on to the end
        report = statistics.report(top=top)
        if graphml or neo4j:
            statistics.check_statements("write in another form")
        if graphml:
            write_graphml(graph, graphml)
        edges = statistics.picture(top=top, around=around) if pictures else []
        for form, path in pictures.items():
            with whole_file(path) as stream:
                stream.write(FORMATS[form](edges).encode())
        if plot and distributions:
            statistics.check_statements("plot")
            with whole_file(plot) as stream:
                stream.write(bars_as_svg(distributions.charts()).encode())
    return report


def _check_outputs(
    files: Sequence[Path | None],
    neo4j: Path | None,
    graphs: Sequence[str | Path],
    takes: Callable[[Path], bool] | None,
) -> None:
    if neo4j and neo4j.exists() and not neo4j.is_dir():
        raise InputError(f"'{neo4j}' is a file: name a folder for {' and '.join(NEO4J_TABLES)}.")
    in_folder = [neo4j / name for name in NEO4J_TABLES] if neo4j and neo4j.exists() else [neo4j]
    check_outputs([*files, *in_folder], graphs, takes=takes)


def _passed_to(
    takers: Iterable[Callable[[Statement | Quad], None]], content: Iterable[Statement | Quad]
) -> Iterator[Statement | Quad]:
    for found in content:
        for take in takers:
            take(found)
        yield found


def report_table(report: dict[str, Any]) -> str:
    """A report in words and columns."""
    degree, components = report["degree"], report["components"]
    largest = counted(components["largest"], "entity", "entities")
    rows = [
        *((name, f"{report[name]:,}", "") for name in _COUNTS),
        ("degree", f"{degree['mean']:.2f}", f"facts per entity on average; maximum {degree['max']:,}"),
        (
            "components",
            f"{components['count']:,}",
            f"the largest has {largest}",
        ),
        *(("decisions", f"{count:,}", what) for what, count in sorted(report.get("decisions", {}).items())),
        ("conflicts", f"{sum(report['conflicts'].values()):,}", _list(report["conflicts"])),
    ]
    lines = [f"{name:<12}{number:>12}  {words}".rstrip() for name, number, words in rows]
    rankings: list[tuple[str, str, Callable[[Any], str], Callable[[Any], str]]] = [
        ("Predicates of most facts", "top_predicates", lambda row: f"{row['facts']:,}", _name),
        ("Entities in most facts", "top_entities", lambda row: f"{row['degree']:,}", _entity),
        ("Most certain", "most_certain", lambda row: f"{row['confidence']:.4f}", _sentence),
        ("Most statements", "most_attested", lambda row: f"{row['statements']:,}", _sentence),
        ("Conflicts", "top_conflicts", lambda row: one_line(row["kind"]), _conflict),
    ]
    for title, key, number, words in rankings:
        if report[key]:
            lines += ["", title, *(f"{number(row):>12}  {words(row)}" for row in report[key])]
    return "\n".join(lines)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{one_line(name) or 'without a kind'} {count:,}" for name, count in sorted(counts.items()))


def _name(about: dict[str, str]) -> str:
    return one_line(about.get("literal") or about.get("name") or about.get("iri", ""))


def _entity(row: dict[str, Any]) -> str:
    return f"{_name(row)}  ({row['entities']:,} entities)" if "entities" in row else _name(row)


def _conflict(row: dict[str, Any]) -> str:
    return one_line(row["comment"] or row["iri"])


def _sentence(row: dict[str, Any]) -> str:
    words = " | ".join(_name(row[part]) for part in ("subject", "predicate", "object"))
    return f"{words}  ({row['facts']:,} facts)" if "facts" in row else words


def _if_several(what: str, count: int) -> dict[str, int]:
    return {what: count} if count > 1 else {}


def _node(term: Any) -> _Node:
    if isinstance(term, Literal):
        term = canonical_literal(term)
        return term.value, term.datatype.value, term.language
    return term.value if isinstance(term, NamedNode) else str(term)


def _find(parents: "array[int]", node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]  # shortens the way for the next
        node = parents[node]
    return node


def _join(parents: "array[int]", one: int, other: int) -> None:
    # The lower number is the root, so that the result does not depend on the order of the pair.
    one, other = sorted((_find(parents, one), _find(parents, other)))
    parents[other] = one
