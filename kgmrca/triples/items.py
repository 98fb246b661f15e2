"""Which Wikidata item or property a term is, and which item an entity of our graphs is linked to.

An entity is linked to an item by a triple with one of the predicates `SAME`, such as `kgmrca:item`, in any named graph.
An entity that is linked to several items counts as linked to none, because nothing says which of them is right.
"""

import re
from collections.abc import Set as AbstractSet

from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.ontology import WIKIDATA_DIRECT, WIKIDATA_ENTITY
from kgmrca.terms import SAME, is_item_id

__all__ = [
    "ItemLinks",
    "is_direct",
    "is_item_id",
    "is_property_id",
    "item_id",
    "item_of",
    "link_in",
    "named_item",
    "only_item",
    "other_link",
    "property_id",
]

_PROPERTY = re.compile("P[1-9][0-9]{0,17}", re.ASCII)
_ITEM_FORMS = re.compile(
    r"https?://(?:(?:www\.|m\.|www\.m\.)?wikidata\.org/(?:entity/|wiki/(?:Special:(?:EntityData|EntityPage)/|Item:)?)"
    r"|wikidata\.dbpedia\.org/resource/)(Q[1-9][0-9]{0,17})(?:\.[a-z0-9]+)?/?(?:[?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)
_DIRECT = re.compile(r"https?://(?:www\.)?wikidata\.org/prop/direct/", re.ASCII | re.IGNORECASE)
_LINKS = SAME | {NamedNode(f"{scheme}://schema.org/sameAs") for scheme in ("http", "https")}
_ID_ALONE = re.compile(r"(?:wd:|wikidata:|item:)?Q[1-9][0-9]{0,17}", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"https?://(?:www\.)?([^/?#\s:]+)", re.ASCII)


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
    if not is_property_id(id) and is_direct(predicate):
        id = _DIRECT.sub("", predicate)
    return id if is_property_id(id) else None


def is_direct(predicate: str) -> bool:
    """Whether an IRI is that of a direct predicate of Wikidata, also with https or without www.

    >>> is_direct("https://www.wikidata.org/prop/direct/P19"), is_direct("http://schema.org/birthPlace")
    (True, False)
    """
    return predicate.startswith(WIKIDATA_DIRECT) or ("/prop/direct/" in predicate and bool(_DIRECT.match(predicate)))


def item_id(iri: str) -> str:
    """The id of the item with this IRI, or "".

    >>> item_id("http://www.wikidata.org/entity/Q90"), item_id("urn:Q90")
    ('Q90', '')
    """
    id = iri.removeprefix(WIKIDATA_ENTITY)
    return id if id != iri and is_item_id(id) else ""


def named_item(iri: str) -> str:
    """The id of the item that an IRI or a web address means in any of the forms in which people write it, or "".

    >>> named_item("https://www.wikidata.org/wiki/Q90"), named_item("http://wikidata.dbpedia.org/resource/Q90")
    ('Q90', 'Q90')
    >>> named_item("http://www.wikidata.org/entity/q90")
    'Q90'
    """
    if item := item_id(iri):
        return item
    match = _ITEM_FORMS.fullmatch(iri) if "wikidata" in iri else None
    return match[1].upper() if match else ""


def item_of(term: object) -> str:
    """The id of the item that a term is, or "".

    >>> from pyoxigraph import Literal
    >>> item_of(NamedNode("http://www.wikidata.org/entity/Q90")), item_of(NamedNode("urn:x")), item_of(Literal("Q90"))
    ('Q90', '', '')
    """
    return named_item(term.value) if isinstance(term, NamedNode) else ""


def link_in(quad: Quad) -> tuple[str, str] | None:
    """The entity's IRI and the item's id, if a triple links an entity to an item, in either direction; else None.

    >>> from kgmrca.terms import KGMRCA
    >>> paris = NamedNode("http://www.wikidata.org/entity/Q90")
    >>> link_in(Quad(NamedNode("urn:paris"), NamedNode(KGMRCA + "item"), paris))
    ('urn:paris', 'Q90')
    """
    subject, object_ = quad.subject, quad.object
    if quad.predicate not in _LINKS or not isinstance(subject, NamedNode):
        return None
    if item := named_item(object_.value) if isinstance(object_, NamedNode | Literal) else "":
        return subject.value, item
    if isinstance(object_, NamedNode) and (item := item_of(subject)):
        return object_.value, item
    return None


def other_link(quad: Quad) -> str:
    """What a link leads to, such as "dbpedia.org", if it is no link to an item; else "".

    >>> from kgmrca.terms import OWL
    >>> paris = NamedNode("http://dbpedia.org/resource/Paris")
    >>> other_link(Quad(NamedNode("urn:paris"), NamedNode(OWL + "sameAs"), paris))
    'dbpedia.org'
    """
    if quad.predicate not in _LINKS or link_in(quad) is not None:
        return ""
    if not isinstance(quad.object, NamedNode | Literal):
        return ""
    if _ID_ALONE.fullmatch(quad.object.value):  # of whichever Wikibase
        return "ids without an address, such as wd:Q90,"
    match = _HOST.match(quad.object.value)
    return match[1] if match else ""


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
