"""Which entities are the same thing, by the items they are linked to and by their names: never two items in one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from kgmrca.triples.iris import normal_name
from kgmrca.types import coarse_type

__all__ = ["Named", "Outcome", "decide", "name_key", "parts_of"]

_BETWEEN = "\x1f"  # as white space it is in no normal name


class Named(NamedTuple):
    """An entity by one of its names.

    Attributes:
        entity: its IRI.
        item: the IRI of the item that it is or is linked to; "" if there is none.
        label: the name as it is written.
    """

    entity: str
    item: str
    label: str


class Outcome(NamedTuple):
    """What names that share entities come to.

    Attributes:
        names: which, in order (see `name_key`).
        entities: who has these names and no item.
        items: the items that have these names, in order.
        conflict: why the entities are not joined: "ambiguous name", "large cluster", or None: they are one thing.
    """

    names: tuple[str, ...]
    entities: list[Named]
    items: list[str]
    conflict: str | None


@lru_cache(maxsize=10_000)
def name_key(label: str, types: frozenset[str]) -> str | None:
    """What is equal for names that are evidence for one thing: the normal name and the coarse entity type.

    None if a name is no evidence: without a type or with several coarse ones, of a time or number, and where it is a
    person's single word, which too many share (measured by `benchmarks/combine.py`).
    """
    coarse = {coarse_type(type_) for type_ in types}
    name = normal_name(label)
    if len(coarse) != 1 or not name:
        return None
    type_ = normal_name(coarse.pop()).upper()
    is_evidence = type_ not in ("TIME", "NUM") and (type_ != "PER" or " " in name)
    return f"{type_}{_BETWEEN}{name}" if is_evidence else None


def parts_of(key: str) -> tuple[str, str]:
    """The coarse type and the normal name."""
    type_, _, name = key.partition(_BETWEEN)
    return type_, name


def decide(by_name: Mapping[str, Sequence[Named]], *, largest: int) -> Iterator[Outcome]:
    """What names come to, in their order; `largest` is how many entities are joined by names at most.

    A name that different items have joins nobody, nor do names that lead from one item to another by an entity that
    has both.
    """
    plain = []
    for name in sorted(by_name):
        outcome = _outcome((name,), by_name[name], largest)
        if outcome.conflict:
            yield outcome
        else:
            plain.append(outcome)
    if len(plain) < 2:
        yield from plain
        return
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(outcome.names[0] for outcome in plain)
    # An entity is told from a name by being in a tuple.
    graph.add_edges_from((outcome.names[0], (named.entity,)) for outcome in plain for named in outcome.entities)
    for nodes in sorted(sorted(filter(_is_name, nodes)) for nodes in networkx.connected_components(graph)):
        yield _outcome(tuple(nodes), [named for name in nodes for named in by_name[name]], largest)


def _is_name(node: object) -> bool:
    return isinstance(node, str)


def _outcome(names: tuple[str, ...], having: Iterable[Named], largest: int) -> Outcome:
    entities = {named.entity: named for named in having if not named.item}
    items = sorted({named.item for named in having if named.item})
    conflict = "ambiguous name" if len(items) > 1 else "large cluster" if len(entities) > largest else None
    return Outcome(names, list(entities.values()), items, conflict)
