"""Which Wikidata item or property a term is, and which item an entity of our graphs is linked to.

An entity is linked to an item by a triple with one of the predicates `SAME`, such as `kgmrca:item`, in any named graph.
An entity that is linked to several items counts as linked to none, because nothing says which of them is right.
"""

import re
from collections.abc import Set as AbstractSet

from pyoxigraph import NamedNode, Quad

from kgmrca.ontology import WIKIDATA_DIRECT, WIKIDATA_ENTITY
from kgmrca.terms import SAME, is_item_id

__all__ = ["ItemLinks", "is_item_id", "is_property_id", "item_id", "item_of", "link_in", "only_item", "property_id"]

_PROPERTY = re.compile("P[1-9][0-9]{0,17}", re.ASCII)


def is_property_id(text: str) -> bool:
    """Whether a text is the id of a property: P and a number.

    >>> is_property_id("P19"), is_property_id("P0"), is_property_id("Q90")
    (True, False, False)
    """
    return _PROPERTY.fullmatch(text) is not None


def property_id(predicate: str) -> str | None:
    """The id of the property that a predicate is, by the IRI of the direct predicate or by the id itself; else None.

    >>> property_id("http://www.wikidata.org/prop/direct/P19"), property_id("P19"), property_id("urn:x")
    ('P19', 'P19', None)
    """
    id = predicate.removeprefix(WIKIDATA_DIRECT)
    return id if is_property_id(id) else None


def item_id(iri: str) -> str:
    """The id of the item with this IRI, or "".

    >>> item_id("http://www.wikidata.org/entity/Q90"), item_id("urn:Q90")
    ('Q90', '')
    """
    id = iri.removeprefix(WIKIDATA_ENTITY)
    return id if id != iri and is_item_id(id) else ""


def item_of(term: object) -> str:
    """The id of the item that a term is, or "".

    >>> from pyoxigraph import Literal
    >>> item_of(NamedNode("http://www.wikidata.org/entity/Q90")), item_of(NamedNode("urn:x")), item_of(Literal("Q90"))
    ('Q90', '', '')
    """
    return item_id(term.value) if isinstance(term, NamedNode) else ""


def link_in(quad: Quad) -> tuple[str, str] | None:
    """The entity's IRI and the item's id, if a triple links an entity to an item; else None.

    >>> from kgmrca.terms import KGMRCA
    >>> paris = NamedNode("http://www.wikidata.org/entity/Q90")
    >>> link_in(Quad(NamedNode("urn:paris"), NamedNode(KGMRCA + "item"), paris))
    ('urn:paris', 'Q90')
    """
    if quad.predicate in SAME and isinstance(quad.subject, NamedNode) and (item := item_of(quad.object)):
        return quad.subject.value, item
    return None


def only_item(items: AbstractSet[str]) -> str:
    """The item of an entity that is linked to these items, or "" if it is linked to none or to several.

    >>> only_item({"Q90"}), only_item({"Q90", "Q167646"})
    ('Q90', '')
    """
    return next(iter(items)) if len(items) == 1 else ""


class ItemLinks:
    """The items that entities are linked to, held in memory.

    >>> links = ItemLinks()
    >>> links.add("urn:paris", "Q90")
    >>> links.item("urn:paris"), links.item("urn:london")
    ('Q90', '')
    """

    def __init__(self) -> None:
        self._items: dict[str, str] = {}

    def add(self, entity: str, item: str) -> None:
        """Link an entity (an IRI) to an item (an id). A second item leaves the entity linked to none."""
        if self._items.setdefault(entity, item) != item:
            self._items[entity] = ""

    def item(self, entity: str) -> str:
        """The id of the item that an entity is linked to, or "" if it is linked to none or to several."""
        return self._items.get(entity, "")
