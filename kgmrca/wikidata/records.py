"""What Wikidata says, as plain records: values, statements, properties; and a look-up that failed.

Names and shapes are those of Wikibase's RDF (https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format). Nothing
here asks anybody anything, so what decides with these records can be tested with a table.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

__all__ = ["Candidate", "Claim", "Constraints", "Item", "NotChecked", "Property", "Rank", "Value"]

Rank: TypeAlias = Literal["preferred", "normal", "deprecated"]


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a statement or a qualifier.

    Attributes:
        kind: "item" (a Q id), "time", "quantity", "text" (with or without language), "somevalue" (unknown to Wikidata),
            "novalue", or "other" (coordinates, links, identifiers: an IRI or a lexical form).
        text: the id, the lexical form (a time as `+1867-11-07T00:00:00Z` or without the sign), or "".
        precision: of a time, Wikibase's: 6 millennium, 7 century, 8 decade, 9 year, 10 month, 11 day; None if unknown.
        calendar: of a time, the Q id of its calendar model; "" if unknown.
        unit: of a quantity, the Q id of its unit; "" if it has none (Wikidata's "1", Q199) or it is unknown.
        lower, upper: the bounds of a quantity, if given.
        language: of a text, such as "en"; "" if it has none.
    """

    kind: Literal["item", "time", "quantity", "text", "somevalue", "novalue", "other"]
    text: str = ""
    precision: int | None = None
    calendar: str = ""
    unit: str = ""
    lower: Decimal | None = None
    upper: Decimal | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an item: `iri` is the statement node's (wds:), `property` such as "P19"."""

    iri: str
    property: str
    value: Value
    rank: Rank = "normal"
    qualifiers: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """What is known of an item apart from its statements.

    Attributes:
        id: such as "Q7186"; after a redirect, the one that the asked id leads to.
        types: ids of the classes it is an instance of (P31), directly.
        labels: by language.
        sitelinks: in how many wikis it has a page; None if unknown.
    """

    id: str
    types: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()
    sitelinks: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that bears a name.

    Attributes:
        item: its id.
        name: as it was asked for.
        is_label: it is the item's label in this language, not one of its aliases.
        language: such as "en", or "mul" for all.
        sitelinks: in how many wikis the item has a page; None if unknown.
    """

    item: str
    name: str
    is_label: bool
    language: str
    sitelinks: int | None = None


@dataclass(frozen=True, slots=True)
class Constraints:
    """A property's constraints (P2302) that a check uses. They are hints, not rules.

    Attributes:
        single_value: has one value only (Q19474404), or one best value (Q52060874).
        separators: properties whose qualifiers tell several values apart (P4155).
        subject_types, value_types: ids of classes that subject and value belong to (Q21503250, Q21510865; P2308).
        subject_relation, value_relation: how they belong, by "instance of", "subclass of" or either (P2309).
        exceptions: items that the constraint is not for (P2303).
    """

    single_value: bool = False
    separators: frozenset[str] = frozenset()
    subject_types: frozenset[str] = frozenset()
    value_types: frozenset[str] = frozenset()
    subject_relation: Literal["instance", "subclass", "either"] = "instance"
    value_relation: Literal["instance", "subclass", "either"] = "instance"
    exceptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its label, inverse (P1696), what it is a sub-property of (P1647), and its constraints.

    `symmetric`: its inverse is itself, or it has the symmetric constraint (Q21510862). `datatype`: the local name of
    its `wikibase:propertyType`, such as "WikibaseItem" or "Time"; "" if unknown.
    """

    id: str
    label: str = ""
    datatype: str = ""
    inverses: frozenset[str] = frozenset()
    subproperty_of: frozenset[str] = frozenset()
    symmetric: bool = False
    constraints: Constraints = Constraints()


@dataclass(frozen=True, slots=True)
class NotChecked:
    """The look-up failed, for this reason: nothing is known, which is another thing than "Wikidata has nothing"."""

    reason: str
