"""Triples in any order → the triples of one node together: in memory if they are few, else by way of files.

The order is that of the hashes of the nodes, so it does not depend on the order in which the triples came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TypeAlias, cast
from zlib import crc32

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Triple, parse

from kgmrca.buckets import Store
from kgmrca.files import Output, temporary_folder
from kgmrca.terms import DEFAULT_GRAPH
from kgmrca.triples.iris import from_node_predicate

__all__ = ["gathered", "linked_statement"]

_Node: TypeAlias = NamedNode | BlankNode | Triple

_IN_MEMORY = 100_000  # triples
_BITS = 8  # a 256th of a large graph is in memory at once
_CHUNK = 10_000  # rows that are parsed at once
_WIKIDATA_STATEMENT = "http://www.wikidata.org/entity/statement/"


def gathered(
    quads: Iterable[Quad], *, marks: frozenset[str], beside: Output | None = None
) -> Iterator[tuple[_Node, list[Quad]]]:
    """The nodes with their different triples.

    A triple belongs to its subject, but `s p:P19 S` to the statement S, and the only triple of a named graph to the
    graph's name, because it may be a statement of the form `graphs`. A named graph that has one of the predicates
    `marks` is only what a graph of ours was put into: its triples are given without its name.

    Args:
        quads: in any order.
        marks: predicates by which a graph of ours is known.
        beside: the output beside which temporary files lie; None: where the system has them.

    Raises:
        OutputError: a temporary file cannot be written.
    """
    quads = iter(quads)
    few = list(islice(quads, _IN_MEMORY))
    if len(few) < _IN_MEMORY:
        named = [quad for quad in few if quad.graph_name != DEFAULT_GRAPH]
        around: set[object] = {quad.graph_name for quad in named if quad.predicate.value in marks}
        single, others = _routed(named, around)
        plain = (quad for quad in few if quad.graph_name == DEFAULT_GRAPH)
        yield from _together(chain(plain, others), single)
        return
    with temporary_folder(beside) as folder:
        store = Store(folder, _BITS)
        _distribute(store, chain(few, quads), marks)
        few.clear()
        for number in range(2**_BITS):
            yield from _together(_parsed(store.rows("nodes", number)), _parsed(store.rows("single", number)))


def linked_statement(quad: Quad) -> NamedNode | None:
    """The statement of ours that a triple `s p:P19 S` of the form `wikidata` leads to; None of any other triple.

    >>> birth = NamedNode("http://www.wikidata.org/prop/P19")
    >>> linked_statement(Quad(NamedNode("urn:curie"), birth, NamedNode("urn:s"))).value
    'urn:s'
    """
    node = quad.object
    if not _leads_to_statement(quad.predicate.value) or not isinstance(node, NamedNode):
        return None
    return None if node.value.startswith(_WIKIDATA_STATEMENT) else node


@lru_cache(maxsize=4096)
def _leads_to_statement(predicate: str) -> bool:
    made_for = from_node_predicate(predicate)
    return made_for is not None and not made_for[1]


def _node_of(quad: Quad) -> _Node:
    return (linked_statement(quad) if quad.graph_name == DEFAULT_GRAPH else None) or quad.subject


def _together(quads: Iterable[Quad], single: Iterable[Quad]) -> Iterator[tuple[_Node, list[Quad]]]:
    nodes: defaultdict[_Node, dict[Quad, None]] = defaultdict(dict)
    for quad in quads:
        nodes[_node_of(quad)][quad] = None
    for quad in single:
        nodes[cast(_Node, quad.graph_name)][quad] = None
    for node in sorted(nodes, key=_place):
        yield node, list(nodes.pop(node))


def _place(node: _Node) -> tuple[int, str]:
    text = str(node)
    return crc32(text.encode()), text


def _distribute(store: Store, quads: Iterable[Quad], marks: frozenset[str]) -> None:
    """Distribute triples to the buckets of their nodes.

    The only triples of named graphs are of the kind "single", all others of the kind "nodes".
    """
    buckets = store.buckets("read")

    def put(kind: str, node: object, quad: Quad) -> None:
        buckets.put(kind, str(node).encode(), f"{quad} .".encode())

    around: set[object] = set()
    for quad in quads:
        name = quad.graph_name
        if name == DEFAULT_GRAPH:
            put("nodes", _node_of(quad), quad)
            continue
        if quad.predicate.value in marks:
            around.add(name)
        if name in around:
            quad = Quad(*quad.triple)
            put("nodes", _node_of(quad), quad)
        else:
            put("named", name, quad)
    buckets.flush()
    for number in range(2**store.bits):
        single, others = _routed(_Rows(store, "named", number), around)
        for quad in single:
            put("single", quad.graph_name, quad)
        for quad in others:
            put("nodes", _node_of(quad), quad)
    buckets.flush()


def _routed(named: Iterable[Quad], around: set[object]) -> tuple[Iterable[Quad], Iterable[Quad]]:
    """Quads of named graphs, read twice: those that are the only ones of theirs, and all others.

    Those of the graphs `around` are given without their names.
    """
    only: dict[object, Quad | None] = {}
    for quad in named:
        if only.setdefault(quad.graph_name, quad) != quad:
            only[quad.graph_name] = None
    single = {name: quad for name, quad in only.items() if quad and name not in around}
    others = (
        Quad(*quad.triple) if quad.graph_name in around else quad for quad in named if quad.graph_name not in single
    )
    return single.values(), others


@dataclass(frozen=True, slots=True)
class _Rows:
    """The quads of a bucket, which can be read several times."""

    store: Store
    kind: str
    number: int

    def __iter__(self) -> Iterator[Quad]:
        return _parsed(self.store.rows(self.kind, self.number, keep=True))


def _parsed(rows: Iterator[bytes]) -> Iterator[Quad]:
    while chunk := list(islice(rows, _CHUNK)):
        yield from cast("Iterator[Quad]", parse(b"\n".join(chunk), RdfFormat.N_QUADS))
