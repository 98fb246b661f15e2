"""What graphs say in Wikidata's terms: their statements as assertions about items, and the items they are about.

Which item an entity is linked to is read by the rules of `triples.items`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from kgmrca.ontology import load_properties, wikidata_predicate
from kgmrca.progress import counted
from kgmrca.terms import DEFAULT_GRAPH, KGMRCA, WITHDRAWN, XSD
from kgmrca.triples.iris import Iris
from kgmrca.triples.items import ItemLinks, is_direct, item_of, link_in, named_item, other_link, property_id
from kgmrca.triples.literals import canonical_literal
from kgmrca.triples.read import Node
from kgmrca.wikidata.records import Claim, Value
from kgmrca.wikidata.values import compare, is_date, is_later, is_unknown, number, point_of
from kgmrca.wikidata.values import in_words as value_in_words
from kgmrca.wikidata.verdicts import Assertion

__all__ = ["Links", "in_words", "linked_items", "plain_statements", "times_compared", "times_of"]

_TIMES = {
    "start_time": ("P580", "start time"),
    "end_time": ("P582", "end time"),
    "point_in_time": ("P585", "point in time"),
}
_MEMBER = NamedNode(f"{KGMRCA}member")
_UNKNOWN = NamedNode("urn:bnode:unknown")  # see `values.is_unknown`
# A dateTime may be one of Wikidata, whose precision stands elsewhere.
_PRECISIONS = {f"{XSD}gYear": 9, f"{XSD}gYearMonth": 10, f"{XSD}date": 11, f"{XSD}dateTime": None}
_NUMBERS = frozenset({f"{XSD}integer", f"{XSD}decimal"})


def in_words(others: Counter[str]) -> list[str]:
    """Links that lead to no item, by host, in lines of text.

    >>> in_words(Counter({"dbpedia.org": 2}))
    ['2 links to dbpedia.org not followed, because only links to items are']
    """
    return [
        f"{counted(count, 'link')} to {host} not followed, because only links to items are"
        for host, count in others.most_common()
    ]


def linked_items(graphs: Iterable[Node | Quad], others: Counter[str] | None = None) -> set[str]:
    """The ids of the items that graphs are about: those in statements and plain triples, and those of linked entities.

    Links that lead to no item are counted in `others`, by host. Plain triples in named graphs are left out, because
    they may be what `kgmrca enrich` wrote earlier.
    """
    items: set[str] = set()
    for found in graphs:
        if isinstance(found, Node):
            items.update(map(item_of, (found.terms["subject"], found.terms["object"])))
        elif link := link_in(found):
            items.add(link[1])
        elif others is not None and (host := other_link(found)):
            others[host] += 1
        elif found.graph_name == DEFAULT_GRAPH and is_direct(found.predicate.value):
            items.update(map(item_of, (found.subject, found.object)))
    return items - {""}


class Links:
    """The links of entities to items in graphs, and how many statements the graphs have.

    An entity that is linked to two items counts as linked to none. Members of a cluster (`kgmrca:member`) have the item
    of the cluster. All links are held in memory.

    Attributes:
        statements: the number of statements that no person withdrew.
        plain: the number of plain triples with a predicate of Wikidata.
        mapped: the number of statements with a predicate of Wikidata.
        has_items: whether anything in them is an item, or linked to one.
        triples: the number of all other triples.
        others: the number of links that lead to no item, by host.
    """

    def __init__(self, graphs: Iterable[Node | Quad]) -> None:
        self.statements = 0
        self.plain = self.mapped = self.triples = 0
        self.has_items = False
        self.others: Counter[str] = Counter()
        self._links = ItemLinks()
        members: list[tuple[str, str]] = []
        for found in graphs:
            if not isinstance(found, Quad):
                if found.decision in WITHDRAWN:
                    continue
                self.statements += 1
                self.mapped += property_id(found.terms["predicate"].value) is not None
                self.has_items = self.has_items or any(item_of(found.terms[end]) for end in ("subject", "object"))
                continue
            self.triples += 1
            if terms := _plain_terms(found):
                self.plain += 1
                self.has_items = self.has_items or any(item_of(terms[end]) for end in ("subject", "object"))
            if link := link_in(found):
                self.has_items = True
                self._links.add(*link)
            elif host := other_link(found):
                self.others[host] += 1
            elif member := _member_in(found):
                members.append(member)
        for cluster, entity in members:
            if item := self._links.item(cluster):
                self._links.add(entity, item)

    def assertion(self, node: Node) -> Assertion:
        """What a statement says, in Wikidata's terms."""
        predicate, object_ = node.terms["predicate"].value, node.terms["object"]
        property = property_id(predicate)
        if isinstance(object_, Literal):
            value: Value | None = _value(object_)
        elif item := self._item(object_.value):
            value = Value("item", item)
        elif is_unknown(object_.value):
            value = Value("somevalue")
        else:  # a link, or an entity; properties of our table have no links
            is_link = property and not load_properties().get(wikidata_predicate(property) or "")
            value = Value("other", object_.value) if is_link else None
        return Assertion(self._item(node.terms["subject"].value), property, value)

    def _item(self, entity: str) -> str | None:
        return named_item(entity) or self._links.item(entity) or None


def times_compared(node: Node, claim: Claim | None) -> tuple[int, str]:
    """What Wikidata says about the times of a statement.

    Args:
        node: the statement.
        claim: one with the same fact; None if there is none.

    Returns:
        How many times agree, less how many differ, and sentences about them; "" if the statement has none.
    """
    agreement, told = 0, []
    for field, (property, name) in _TIMES.items():
        if claim is None or not isinstance(time := node.terms.get(field), Literal):
            continue
        ours = _value(time)
        theirs = _qualifiers(claim, property)
        if not theirs:
            step, sentence = _within(ours, claim) if field == "point_in_time" else (0, "")
            sentence = sentence or f"It has no {name}, and here it is {value_in_words(ours)}."
        elif any(compare(ours, value) == "same" for value in theirs):
            step, sentence = 1, f"It has the same {name}."
        else:
            words = f"another {name} ({value_in_words(theirs[0])})"
            step, sentence = -1, f"It has {words}, and here it is {value_in_words(ours)}."
        agreement += step
        told.append(sentence)
    return agreement, " ".join(told)


def times_of(node: Node) -> list[tuple[str, Value]]:
    """The times of a statement, each with the property of its qualifier."""
    return [
        (property, _value(time))
        for field, (property, _) in _TIMES.items()
        if isinstance(time := node.terms.get(field), Literal)
    ]


def _within(ours: Value, claim: Claim) -> tuple[int, str]:
    """Whether a point in time lies between a claim's start and end time, and a sentence; "" if that is unknown."""
    point = f"The point in time, {value_in_words(ours)}, is"
    starts, ends = (_qualifiers(claim, _TIMES[field][0]) for field in ("start_time", "end_time"))
    if starts and all(is_later(start, ours) for start in starts):
        return -1, f"{point} before its start time ({value_in_words(starts[0])})."
    if ends and all(is_later(ours, end) for end in ends):
        return -1, f"{point} after its end time ({value_in_words(ends[0])})."
    if any(is_later(start, ours) is False for start in starts):
        return 1, f"{point} not before its start time{' and not after its end time' if ends else ''}."
    return 0, ""


def _qualifiers(claim: Claim, property: str) -> list[Value]:
    return [value for qualifier, value in claim.qualifiers if qualifier == property]


def plain_statements(graphs: Iterable[Node | Quad], iris: Iris) -> Iterator[Node]:
    """The plain triples that have a predicate of Wikidata, as statements with IRIs of their own and confidence 1."""
    for found in graphs:
        if isinstance(found, Quad) and (terms := _plain_terms(found)):
            yield Node(iris.statement(*map(str, terms.values())), Decimal(1), terms, [])


def _member_in(quad: Quad) -> tuple[str, str] | None:
    """The IRIs of a cluster and its member, if a triple says that."""
    cluster, entity = quad.subject, quad.object
    if quad.predicate == _MEMBER and isinstance(cluster, NamedNode) and isinstance(entity, NamedNode):
        return cluster.value, entity.value
    return None


def _plain_terms(quad: Quad) -> dict[str, NamedNode | Literal] | None:
    subject, object_ = quad.subject, quad.object
    if not is_direct(quad.predicate.value) or not isinstance(subject, NamedNode):
        return None
    if isinstance(object_, Literal):
        object_ = canonical_literal(object_)
    elif isinstance(object_, BlankNode):  # its label may be another at the next reading
        object_ = _UNKNOWN
    elif not isinstance(object_, NamedNode):
        return None
    return {"subject": subject, "predicate": quad.predicate, "object": object_}


def _value(literal: Literal) -> Value:
    """A literal as a value: a date or a number if it has such a datatype and form, else a text."""
    literal = canonical_literal(literal)
    datatype = literal.datatype.value
    if datatype in _PRECISIONS and (_PRECISIONS[datatype] is None or is_date(literal.value)):
        return Value("time", literal.value, precision=_PRECISIONS[datatype])
    if datatype in _NUMBERS and number(literal.value) is not None:
        return Value("quantity", literal.value)
    if point_of(literal.value):
        return Value("other", literal.value)
    return Value("text", literal.value, language=literal.language or "")
