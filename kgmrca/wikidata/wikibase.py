"""Wikibases other than Wikidata: one's own instance, with IRIs of its own.

This room speaks of items and properties by Wikidata's IRIs. So the IRIs of another Wikibase and those of Wikidata are
exchanged at its doors: in what is read of graphs and endpoints, and again in what is written. As they change places, an
item of Wikidata is never taken for that of the other Wikibase with the same number. What ids such as P31 and Q5 mean is
taken to be the same. Texts are converted with predicates of Wikidata: such a predicate is taken for the property with
the same id, where that is known to be the same one (see `Lookups.adopt_predicates`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from pyoxigraph import NamedNode, Quad, Triple

from kgmrca.errors import InputError
from kgmrca.ontology import WIKIDATA_ENTITY
from kgmrca.terms import SAME
from kgmrca.triples.items import property_id
from kgmrca.triples.read import Node
from kgmrca.wikidata.results import Row
from kgmrca.wikidata.sparql import Endpoint

__all__ = ["WIKIDATA", "OtherWikibase", "Wikibase", "found_in"]

T = TypeVar("T")
Statement = TypeVar("Statement", bound=Triple | Quad)

_WIKIDATA_ROOT = WIKIDATA_ENTITY.removesuffix("entity/")
_ROOT = re.compile(r"(https?://[^\s<>\"{}|\\^`?#]+?)/?(?:/entity/?(?:[QP][0-9]+)?)?/?", re.ASCII)
# What of a Wikibase its own IRIs begin with, and its pages about items and properties.
_OWN = re.compile(
    r"entity/|prop/|value/|reference/|\.well-known/genid/|"
    r"wiki/(?:Special:EntityData/|Special:EntityPage/|Item:|Property:)?[QP][0-9]+$",
    re.ASCII,
)
_DIRECT = re.compile(r"(https?://\S+?/)prop/direct/P[1-9][0-9]*", re.ASCII)
_FIXED = frozenset({"calendar", "unit"})  # variables of `queries.claims`
_ITEM = re.compile(r"(https?://\S+?/)entity/Q[1-9][0-9]*", re.ASCII)


class Wikibase:
    """A Wikibase by what the IRIs of its items begin with.

    Args:
        iri: such as `https://kb.example/entity/`; without `entity/`, or the IRI of one of its items, too.
        adopted: ids of properties that are the same here and in Wikidata, so that graphs may have either's predicate.

    Attributes:
        entity: what the IRIs of its items begin with.

    Raises:
        InputError: it is no such IRI.

    >>> other = Wikibase("https://kb.example")
    >>> other.entity, other.exchanged("https://kb.example/prop/direct/P19")
    ('https://kb.example/entity/', 'http://www.wikidata.org/prop/direct/P19')
    >>> other.exchanged(other.exchanged("http://www.wikidata.org/entity/Q90"))
    'http://www.wikidata.org/entity/Q90'
    """

    def __init__(self, iri: str, adopted: Iterable[str] = ()) -> None:
        match = _ROOT.fullmatch(iri.strip())
        if match is None:
            raise InputError(
                f"'{iri}' is not what the IRIs of a Wikibase's items begin with, such as https://kb.example/entity/."
            )
        root = f"{match[1]}/"
        self._root = _WIKIDATA_ROOT if re.fullmatch(r"https?://(www\.)?wikidata\.org/", root) else root
        # Links have often the one of http and https that the IRIs do not have.
        scheme, _, rest = self._root.partition(":")
        self._twin = f"{'http' if scheme == 'https' else 'https'}:{rest}"
        self.entity = f"{self._root}entity/"
        self._adopted = frozenset(adopted)

    @property
    def is_wikidata(self) -> bool:
        """Whether this is Wikidata itself, so that nothing is exchanged."""
        return self._root == _WIKIDATA_ROOT

    def exchanged(self, iri: str) -> str:
        """An IRI of this Wikibase as one of Wikidata, and the other way round; any other IRI as it is."""
        if self.is_wikidata:
            return iri
        for one, other in ((self._root, _WIKIDATA_ROOT), (self._twin, _WIKIDATA_ROOT), (_WIKIDATA_ROOT, self._root)):
            if iri.startswith(one) and _OWN.match(iri, len(one)):
                return other + iri[len(one) :]
        return iri

    def term(self, term: T) -> T:
        """A term with its IRI exchanged."""
        if isinstance(term, NamedNode) and (other := self.exchanged(term.value)) != term.value:
            return cast(T, NamedNode(other))
        return term

    def graphs(self, found: Iterable[Node | Quad]) -> Iterator[Node | Quad]:
        """Statements and triples of graphs with their IRIs exchanged."""
        return iter(found) if self.is_wikidata else map(self._of_graph, found)

    def triples(self, triples: Iterable[Statement]) -> Iterator[Statement]:
        """Triples and quads with their IRIs exchanged."""
        return iter(triples) if self.is_wikidata else map(self._triple, triples)

    def query(self, text: str) -> str:
        """A query of `queries` with the prefixes of this Wikibase."""
        prefixes, select, rest = text.partition("\nSELECT")
        return prefixes.replace(f"<{_WIKIDATA_ROOT}", f"<{self._root}") + select + rest

    def _of_graph(self, found: Node | Quad) -> Node | Quad:
        if isinstance(found, Quad):
            triple = self._triple(found)
            if self._is_adopted(found.predicate):
                return Quad(triple.subject, found.predicate, triple.object, triple.graph_name)
            return triple
        terms = {name: self.term(found.terms[name]) for name in ("subject", "predicate", "object")}
        if self._is_adopted(found.terms["predicate"]):
            terms["predicate"] = found.terms["predicate"]
        return replace(found, terms=found.terms | terms)

    def _is_adopted(self, predicate: object) -> bool:
        return (
            bool(self._adopted) and isinstance(predicate, NamedNode) and property_id(predicate.value) in self._adopted
        )

    def _triple(self, triple: Statement) -> Statement:
        subject, predicate, object_ = map(self.term, (triple.subject, triple.predicate, triple.object))
        if isinstance(triple, Quad):
            return cast(Statement, Quad(subject, predicate, object_, triple.graph_name))  # type: ignore[arg-type]
        return cast(Statement, Triple(subject, predicate, object_))  # type: ignore[arg-type]


WIKIDATA = Wikibase(WIKIDATA_ENTITY)


class OtherWikibase:
    """An endpoint that has the data of another Wikibase, and is asked, and answers, with Wikidata's IRIs.

    Calendars are Wikidata's in every Wikibase, and units may be, so an IRI of Wikidata is kept there. Its name has what
    the IRIs of the items begin with, so that answers in a cache are not taken for Wikidata's.
    """

    def __init__(self, endpoint: Endpoint, wikibase: Wikibase) -> None:
        self._endpoint = endpoint
        self._wikibase = wikibase
        self.name = f"{endpoint.name}#{wikibase.entity}"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """See `Endpoint`."""
        return self._endpoint.inputs

    @property
    def queries(self) -> int:
        """See `Endpoint`."""
        return self._endpoint.queries

    def select(self, query: str) -> list[Row]:
        """See `Endpoint`."""
        rows = self._endpoint.select(self._wikibase.query(query))
        return [{name: self._answered(name, term) for name, term in row.items()} for row in rows]

    def _answered(self, name: str, term: T) -> T:
        is_fixed = name in _FIXED and isinstance(term, NamedNode) and term.value.startswith(WIKIDATA_ENTITY)
        return term if is_fixed else self._wikibase.term(term)


def found_in(graphs: Iterable[Node | Quad]) -> Wikibase | None:
    """The Wikibase that graphs are about, by their direct predicates, items and links; None if that is not certain.

    Graphs with items of one Wikibase and with predicates of Wikidata, which `kgmrca convert` writes, are about the
    items.
    """
    predicates: set[str] = set()
    items: set[str] = set()
    for found in graphs:
        terms = _terms_of(found)
        root = _root_of(_DIRECT, terms["predicate"])
        predicates.add(root)
        if root or terms["predicate"] in SAME or isinstance(found, Node):
            items |= {_root_of(_ITEM, terms[end]) for end in ("subject", "object")}
    items.discard("")
    predicates.discard("")
    roots = items | predicates
    if items and _WIKIDATA_ROOT not in items:
        roots.discard(_WIKIDATA_ROOT)
    return Wikibase(roots.pop()) if len(roots) == 1 else None


def _terms_of(found: Node | Quad) -> Mapping[str, object]:
    if isinstance(found, Quad):
        return {"subject": found.subject, "predicate": found.predicate, "object": found.object}
    return found.terms


def _root_of(form: re.Pattern[str], term: object) -> str:
    match = form.fullmatch(term.value) if isinstance(term, NamedNode) else None
    return match[1] if match else ""
