"""Which entities are one thing, by the items that they are linked to and by their names.

Two different items are never joined.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from kgmrca.names import normal_name
from kgmrca.types import VALUE_TYPES, coarse_type

__all__ = ["NameGroup", "Named", "group_names", "name_key", "parts_of"]

_BETWEEN = "\x1f"  # as white space it is in no normal name


class Named(NamedTuple):
    """An entity by one of its names.

    Attributes:
        entity: its IRI.
        item: the IRI of the item that it is or is linked to; "" if there is none.
        name: the name as it is written.
    """

    entity: str
    item: str
    name: str


class NameGroup(NamedTuple):
    """Names that share entities, and whether their entities are one thing.

    Attributes:
        names: these names, in order (see `name_key`).
        entities: the entities that have one of these names and no item.
        items: the items that have one of these names, in order.
        conflict: why the entities are not joined, "ambiguous name" or "large cluster"; None if they are one thing.
    """

    names: tuple[str, ...]
    entities: list[Named]
    items: list[str]
    conflict: str | None


@lru_cache(maxsize=10_000)
def name_key(name: str, types: frozenset[str]) -> str | None:
    """The normal name and the coarse entity type, which are equal for names that are evidence for one thing.

    None if a name is no evidence: if it has no type or several coarse ones, if it is a time or a number, and if it is a
    single word for a person, which too many people share (measured by `benchmarks/combine.py`).

    >>> name_key("New  York", frozenset({"GPE"})) == name_key("new york", frozenset({"LOC"}))
    True
    >>> name_key("Curie", frozenset({"PERSON"})) is None
    True
    """
    coarse = {coarse_type(type_) for type_ in types}
    normal = normal_name(name)
    if len(coarse) != 1 or not normal:
        return None
    type_ = normal_name(coarse.pop()).upper()
    is_evidence = type_ not in VALUE_TYPES and (type_ != "PER" or " " in normal)
    return f"{type_}{_BETWEEN}{normal}" if is_evidence else None


def parts_of(key: str) -> tuple[str, str]:
    """The coarse type and the normal name of a key.

    >>> parts_of(name_key("New York", frozenset({"GPE"})))
    ('LOC', 'new york')
    """
    type_, _, name = key.partition(_BETWEEN)
    return type_, name


def group_names(by_name: Mapping[str, Sequence[Named]], *, max_entities: int) -> Iterator[NameGroup]:
    """Put names together that share an entity, and decide whether the entities of each group are one thing.

    Entities are never joined by a name that several items have. They are not joined either by names that lead from one
    item to another by way of an entity that has both names.

    >>> (group,) = group_names({"LOC berlin": [Named("a", "", "Berlin"), Named("b", "Q64", "Berlin")]}, max_entities=9)
    >>> [named.entity for named in group.entities], group.items, group.conflict
    (['a'], ['Q64'], None)

    Args:
        by_name: the entities that have each name.
        max_entities: how many entities are joined by names at most.
    """
    plain = []
    for name in sorted(by_name):
        group = _group((name,), by_name[name], max_entities)
        if group.conflict:
            yield group
        else:
            plain.append(group)
    if len(plain) < 2:
        yield from plain
        return
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(group.names[0] for group in plain)
    # An entity is told from a name by being in a tuple.
    graph.add_edges_from((group.names[0], (named.entity,)) for group in plain for named in group.entities)
    for nodes in sorted(sorted(filter(_is_name, nodes)) for nodes in networkx.connected_components(graph)):
        yield _group(tuple(nodes), [named for name in nodes for named in by_name[name]], max_entities)


def _is_name(node: object) -> bool:
    return isinstance(node, str)


def _group(names: tuple[str, ...], having: Iterable[Named], max_entities: int) -> NameGroup:
    entities = {named.entity: named for named in having if not named.item}
    items = sorted({named.item for named in having if named.item})
    conflict = "ambiguous name" if len(items) > 1 else "large cluster" if len(entities) > max_entities else None
    return NameGroup(names, list(entities.values()), items, conflict)
