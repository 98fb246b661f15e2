"""The steps that write all other triples, and find out from names and links which entities are one thing."""

from collections import Counter
from collections.abc import Iterable
from typing import cast

from pyoxigraph import Literal, RdfFormat, parse

from kgmrca.buckets import Buckets, Store
from kgmrca.graph.merging.clusters import Named, NameGroup, group_names, name_key, parts_of
from kgmrca.graph.merging.parts import Part, Result, written_part
from kgmrca.terms import ENTITY_TYPE, KGMRCA, LABEL, NAMESAKE, SAME, TYPE
from kgmrca.triples.items import item_id, only_item
from kgmrca.types import coarse_type

__all__ = ["join_names", "join_shared_names", "write_clusters", "write_quads", "write_triples"]

_TYPE, _LABEL, _ENTITY_TYPE, _NAMESAKE = map(str, (TYPE, LABEL, ENTITY_TYPE, NAMESAKE))
_LINKS = tuple(map(str, SAME))
_DERIVED = frozenset(f"{_TYPE} <{KGMRCA}{name}> ." for name in ("Fact", "Cluster", "Conflict"))
# How the lines begin that say what we need to know of their subject.
_CLUES = tuple(f"{clue} ".encode() for clue in (_TYPE, _LABEL, _ENTITY_TYPE, _NAMESAKE, *_LINKS))


def write_triples(store: Store, format: str, base: str, withdrawn: frozenset[bytes], numbers: range) -> Result:
    """Write the triples of each subject, and distribute the names and links of entities.

    What an earlier merge derived is left out, because it is derived anew; and so are the rows that a person withdrew.
    """
    with written_part(store, format, base, "triples", numbers) as part:
        for number in numbers:
            for subject, lines in store.groups("triples", number):
                clues = [line.decode() for line in lines if line.startswith(_CLUES)]
                if not _DERIVED.isdisjoint(clues):
                    continue
                if withdrawn:
                    lines = [line for line in lines if b"%b\t%b" % (subject, line) not in withdrawn]
                part.out.writelines(b"%b %b\n" % (subject, line) for line in lines)
                if not clues:
                    continue
                entity = subject.decode()
                items = _distribute_entity(entity, clues, part.buckets, part.result.shared_names)
                if len(items) > 1:
                    comment = f"{entity[1:-1]} is linked to {len(items)} items, so it was not joined with any of them."
                    part.conflict("several items", [entity], comment, dict.fromkeys([entity, *items]))
    return part.result


def write_quads(store: Store, format: str, base: str, numbers: range) -> Result:
    """Write the triples in named graphs that are no statements."""
    with written_part(store, format, base, "quads", numbers) as part:
        for number in numbers:
            for subject, lines in store.groups("quads", number):
                part.out.writelines(b"%b %b\n" % (subject, line) for line in lines)
    return part.result


def join_names(
    store: Store, format: str, base: str, max_cluster: int, shared: frozenset[str], numbers: range
) -> Result:
    """Join the entities of each name. Names in `shared` are distributed as "shared", for `join_shared_names`."""
    with written_part(store, format, base, "names", numbers) as part:
        for number in numbers:
            for key, rows in store.groups("names", number):
                name = key.decode()
                if name in shared:
                    for row in rows:
                        part.buckets.put("shared", key, b"%b\t%b" % (key, row))
                elif len(rows) > 1:
                    _join(part, group_names({name: _named(rows)}, max_entities=max_cluster))
    return part.result


def join_shared_names(store: Store, format: str, base: str, max_cluster: int, numbers: range) -> Result:
    """Join the entities of names that lead to one another. These are few, so all are held in memory."""
    by_name = {name.decode(): _named(rows) for number in numbers for name, rows in store.groups("shared", number)}
    with written_part(store, format, base, "shared", numbers) as part:
        _join(part, group_names(by_name, max_entities=max_cluster))
    return part.result


def write_clusters(store: Store, format: str, base: str, numbers: range) -> Result:
    """Write what each thing is called, which types it has, and which entities are this thing."""
    with written_part(store, format, base, "clusters", numbers) as part:
        for number in numbers:
            for key, rows in store.groups("members", number):
                thing = key.decode()
                members = [row.decode().split("\t") for row in rows]
                labels = Counter(label for _, label, _ in members if label)
                is_item = _is_item(thing)
                cluster = f"<{part.iris.cluster(thing[1:-1])}>" if is_item else thing
                lines = [f"{_TYPE} <{KGMRCA}Cluster>"]
                lines += [f"{_LABEL} {label}" for label, _ in labels.most_common(1)]
                lines += [f"{_ENTITY_TYPE} {type_}" for type_ in sorted({type_ for *_, type_ in members if type_})]
                lines += [f"<{KGMRCA}member> {entity}" for entity in sorted({entity for entity, *_ in members})]
                lines += [f"<{KGMRCA}item> {thing}"] if is_item else []
                part.node(cluster, lines)
                part.result.counts["clusters"] += 1
    return part.result


def _distribute_entity(entity: str, clues: Iterable[str], buckets: Buckets, shared: set[str]) -> list[str]:
    """Distribute an entity's names and its link to an item, unless it has several items.

    Names are those by which entities may be one thing (`rdfs:label`). The other names that a document has for an entity
    (`skos:altLabel`) are shorter ones, which too many things share. If an entity without an item has several names,
    these are added to `shared`: they have to be looked at together. Where a document tells two entities of one name
    apart, nothing says which of them another document means, so those without an item are not joined by it.

    Returns:
        Its items.
    """
    said: dict[str, list[str]] = {}
    for clue in clues:
        predicate, _, value = clue.partition(" ")
        said.setdefault(predicate, []).append(value.removesuffix(" ."))
    items = set(filter(_is_item, [entity, *(value for link in _LINKS for value in said.get(link, ()))]))
    if len(items) > 1:
        return sorted(items)
    item = only_item(items)
    types = frozenset(map(_text, said.get(_ENTITY_TYPE, ())))
    labels = sorted(said.get(_LABEL, ()), reverse=True)
    names = {name: label for label in labels if (name := name_key(_text(label), types))}
    if not item and _NAMESAKE in said:
        return []
    for name, label in names.items():
        buckets.put("names", name.encode(), f"{name}\t{entity}\t{item}\t{label}".encode())
    if item and item != entity:
        for type_ in {coarse_type(type_) for type_ in types} or {""}:
            _distribute_member(buckets, entity, item, labels[-1] if labels else "", type_)
    elif not item and len(names) > 1:
        shared.update(names)
    return sorted(items)


def _distribute_member(buckets: Buckets, entity: str, thing: str, label: str, type_: str) -> None:
    """Distribute the membership of `entity` in `thing`, which is the IRI of an item or a cluster."""
    buckets.put("things", entity.encode(), f"{entity}\t{thing}".encode())
    row = f"{thing}\t{entity}\t{label}\t{Literal(type_) if type_ else ''}"
    buckets.put("members", thing.encode(), row.encode())


def _named(rows: Iterable[bytes]) -> list[Named]:
    return [Named._make(row.decode().split("\t")) for row in rows]


def _join(part: Part, groups: Iterable[NameGroup]) -> None:
    for names, entities, items, conflict in groups:
        type_, name = parts_of(names[0])
        if conflict:
            comment = _reason(conflict, f"the name '{name}' ({type_})", len(entities))
            part.conflict(conflict, names, comment, [*items, *sorted(named.entity for named in entities)])
        elif items or len(entities) > 1:
            thing = items[0] if items else f"<{part.iris.cluster(type_, name)}>"
            for named in entities:
                _distribute_member(part.buckets, named.entity, thing, named.name, type_)


def _reason(conflict: str, name: str, n_entities: int) -> str:
    """Why entities of one name were not joined."""
    if conflict == "large cluster":
        return f"{n_entities:,} entities have {name}, more than --max-cluster allows, so they were not joined."
    if n_entities == 1:
        return f"Several items have {name}, so the entity with this name was not joined."
    if n_entities:
        return f"Several items have {name}, so the {n_entities:,} entities with this name were not joined."
    return f"Several items have {name}."


def _is_item(term: str) -> bool:
    """Whether a term of N-Triples is an item."""
    return bool(item_id(term[1:-1]))


def _text(literal: str) -> str:
    """The text of a literal that is written as in N-Triples."""
    if "\\" in literal:
        (triple,) = parse(f"<urn:s> <urn:p> {literal} .", RdfFormat.N_TRIPLES)
        return cast(Literal, triple.object).value
    return literal[1 : literal.rindex('"')]
