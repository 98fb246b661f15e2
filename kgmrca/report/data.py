"""What is in checked graphs, as columns of numbers and short tables of texts for the page of `kgmrca report`.

The entities of one Wikidata item, or of one cluster, are one thing. All statements are held in memory.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.errors import InputError
from kgmrca.ontology import load_ontology, load_properties
from kgmrca.terms import COMMENT, DCTERMS, DECISION, ENTITY_TYPE, KGMRCA, LABEL, MENTION, OTHER_NAME, PROV
from kgmrca.triples.iris import graph_digest
from kgmrca.triples.items import ItemLinks, link_in, named_item
from kgmrca.triples.read import Node

__all__ = ["report_data"]

_CHECKED, _VERDICT, _BASIS, _MEMBER = (NamedNode(KGMRCA + name) for name in ("checked", "verdict", "basis", "member"))
_REVIEWED, _BY, _WHEN = (
    NamedNode(f"{KGMRCA}reviewed"),
    NamedNode(f"{PROV}wasAttributedTo"),
    NamedNode(f"{PROV}generatedAtTime"),
)
_CORRECTION = NamedNode(f"{KGMRCA}correction")
_REVISION_OF = NamedNode(f"{PROV}wasRevisionOf")
_IDENTIFIER = NamedNode(f"{DCTERMS}identifier")
_PLACE = re.compile(r"(.*)#char=([0-9]{1,15}),([0-9]{1,15})", re.ASCII | re.DOTALL)
_NO_PLACE = ("", -1, -1)
_UNCHECKED = "not checked"


class _Numbers:
    """Texts, or what else can be a key, each once and with a number."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def __call__(self, key: Any) -> int:
        number = self._numbers.setdefault(key, len(self.keys))
        if number == len(self.keys):
            self.keys.append(key)
        return number


class _Gathered:
    """What a graph says beside its statements."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.labels: defaultdict[str, list[str]] = defaultdict(list)
        self.other_names: defaultdict[str, list[str]] = defaultdict(list)
        self.types: dict[str, str] = {}
        self.mentions: defaultdict[str, set[tuple[str, int, int]]] = defaultdict(set)
        self.documents: dict[str, str] = {}
        self.links = ItemLinks()
        self.clusters: dict[str, str] = {}
        self.revisions: set[str] = set()
        self.reviews: defaultdict[str, dict[NamedNode, str]] = defaultdict(dict)
        self.checks: defaultdict[str, dict[NamedNode, str]] = defaultdict(dict)

    def add(self, found: Node | Quad) -> None:
        if isinstance(found, Node):
            known = self.nodes.get(found.iri)
            if known is None or found.confidence > known.confidence:
                self.nodes[found.iri] = found
            return
        predicate, object_ = found.predicate, found.object
        if not isinstance(found.subject, NamedNode) or not isinstance(object_, NamedNode | Literal):
            return
        subject, value = found.subject.value, object_.value
        if link := link_in(found):
            self.links.add(*link)
        elif predicate == LABEL:
            self.labels[subject].append(value)
        elif predicate == OTHER_NAME:
            self.other_names[subject].append(value)
        elif predicate == ENTITY_TYPE:
            self.types[subject] = value
        elif predicate == MENTION:
            self.mentions[subject].add(_place(value))
        elif predicate == _IDENTIFIER:
            self.documents[subject] = value
        elif predicate == _MEMBER:
            self.clusters[value] = subject
        elif predicate == _REVISION_OF:
            self.revisions.add(subject)
        elif predicate in (_REVIEWED, DECISION, _BY, _WHEN, _CORRECTION):
            self.reviews[subject][predicate] = value
        elif predicate in (_CHECKED, _VERDICT, _BASIS, COMMENT):
            self.checks[subject][predicate] = value

    def reviewed(self) -> list[tuple[int, str, str, str, str]]:
        """The decisions of persons: the number of the statement, what was decided, by whom, when, and a note.

        What a person put in the place of a statement is "put in its place".
        """
        numbers = {iri: number for number, iri in enumerate(self.nodes)}
        found = []
        for review, about in self.reviews.items():
            if about.keys() >= {_REVIEWED, DECISION, _BY, _WHEN}:
                by = (self.labels.get(about[_BY]) or [about[_BY]])[0]
                more = by, about[_WHEN], self.checks.get(review, {}).get(COMMENT, "")
                whats = {about[_REVIEWED]: about[DECISION], about.get(_CORRECTION, ""): "put in its place"}
                found += [(numbers[iri], what, *more) for iri, what in whats.items() if iri in numbers]
        return found

    def item(self, iri: str) -> str:
        return named_item(iri) or self.links.item(iri) or self.links.item(self.clusters.get(iri, ""))


def _place(iri: str) -> tuple[str, int, int]:
    """The document of a mention, and its start and end.

    >>> _place("urn:d#char=3,7"), _place("urn:d")
    (('urn:d', 3, 7), ('', -1, -1))
    """
    match = _PLACE.fullmatch(iri)
    return (match[1], int(match[2]), int(match[3])) if match else _NO_PLACE


def _is_single_valued(predicate: str) -> bool:
    known = load_properties().get(predicate)
    return known is not None and known.single_valued


def report_data(found: Iterable[Node | Quad], *, title: str) -> dict[str, Any]:
    """The content of graphs for the page.

    Args:
        found: what `read_graphs` gives: statements, and what `kgmrca check` wrote about them.
        title: what the page is called.

    Returns:
        What the graph is known by to reviewers ("digest"), what persons decided ("reviews"), tables of texts
        ("documents", "predicates", "verdicts", "sentences", "reasons") and of "things", and the columns
        of "statements", which have the numbers of their rows.

    Raises:
        InputError: there is no statement, or what was checked are others.
    """
    graph = _Gathered()
    for one in found:
        graph.add(one)
    if not graph.nodes:
        raise InputError(
            "There are no statements in it, so there is nothing to show. `kgmrca convert` writes them where it finds "
            "relations, unless it is told --provenance none."
        )
    checks = {check[_CHECKED]: check for check in graph.checks.values() if _CHECKED in check and _VERDICT in check}
    if checks and checks.keys().isdisjoint(graph.nodes):
        raise InputError(
            "What `kgmrca check` wrote is about none of these statements: give it with the graph that was checked."
        )
    documents, predicates, verdicts, sentences, reasons = (_Numbers() for _ in range(5))
    things = _Things(graph, documents)
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    for node in graph.nodes.values():
        terms = node.terms
        check = checks.get(node.iri, {})
        columns["iri"].append(node.iri)
        columns["confidence"].append(float(node.confidence))
        columns["predicate"].append(predicates((terms["label"].value, terms["predicate"].value)))
        columns["document"].append(documents(terms["document"].value))
        columns["decision"].append(node.decision)
        columns["verdict"].append(verdicts(check.get(_VERDICT, _UNCHECKED)))
        columns["reason"].append(reasons((check.get(COMMENT, ""), check.get(_BASIS, ""))))
        for end in ("subject", "object"):
            place = _place(terms[f"{end}_mention"].value)
            columns[end].append(things(terms[end], place))
            columns[f"{end}_start"].append(place[1])
            columns[f"{end}_end"].append(place[2])
        for name in ("sentence", "object_sentence"):
            text = terms.get(f"{name}_text")
            columns[name].append(sentences(text.value) if text else -1)
            columns[f"{name}_start"].append(_place(terms[name].value)[1] if name in terms else -1)
    return {
        "title": title,
        "digest": graph_digest(graph.nodes.keys() - graph.revisions),
        "labels": list(load_ontology().predicates),
        "documents": [graph.documents.get(iri, iri) for iri in documents.keys],
        "predicates": predicates.keys,
        "single_valued": [_is_single_valued(iri) for _, iri in predicates.keys],
        "verdicts": verdicts.keys,
        "sentences": sentences.keys,
        "reasons": reasons.keys,
        "reviews": graph.reviewed(),
        "things": things.columns(),
        "statements": columns,
    }


class _Things:
    """Entities that are one, and literals, each with a number."""

    def __init__(self, graph: _Gathered, documents: _Numbers) -> None:
        self._graph, self._documents = graph, documents
        self._numbers = _Numbers()
        self._members: defaultdict[int, dict[str, None]] = defaultdict(dict)
        self._mentions: defaultdict[int, set[tuple[int, int, int]]] = defaultdict(set)

    def __call__(self, term: NamedNode | Literal, place: tuple[str, int, int]) -> int:
        graph = self._graph
        if isinstance(term, Literal):
            return self._numbers(("literal", term.value, term.datatype.value))
        iri = term.value
        if item := graph.item(iri):
            number = self._numbers(("item", item))
        else:
            number = self._numbers(("entity", graph.clusters.get(iri, iri)))
        places = {place} if iri in self._members[number] else {place, *graph.mentions[iri]}
        self._members[number][iri] = None
        self._mentions[number] |= {
            (self._documents(document), start, end) for document, start, end in places if start >= 0
        }
        return number

    def columns(self) -> dict[str, list[Any]]:
        graph = self._graph
        columns: defaultdict[str, list[Any]] = defaultdict(list)
        for number, key in enumerate(self._numbers.keys):
            members = list(self._members[number])
            is_literal = key[0] == "literal"
            labels = Counter(label for iri in members for label in graph.labels[iri])
            others = (label for iri in members for label in graph.other_names[iri])
            names = list(dict.fromkeys([*(label for label, _ in labels.most_common()), *others]))
            types = Counter(graph.types[iri] for iri in members if iri in graph.types)
            columns["name"].append(key[1] if is_literal else names[0] if names else members[0])
            columns["others"].append(names[1:])
            columns["type"].append(types.most_common(1)[0][0] if types else key[2] if is_literal else "")
            columns["item"].append(key[1] if key[0] == "item" else "")
            columns["iri"].append("" if is_literal else members[0])
            columns["mentions"].append([part for mention in sorted(self._mentions[number]) for part in mention])
        return columns
