"""What Wikidata has, as plain records: values, claims, items, properties; and a failed look-up.

The names and shapes are those of Wikibase's RDF (https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format).
Nothing here looks anything up.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

__all__ = [
    "Candidate",
    "Claim",
    "Constraints",
    "Item",
    "NotChecked",
    "Profile",
    "Rank",
    "Value",
    "ValueKind",
    "WikidataProperty",
]

Rank: TypeAlias = Literal["preferred", "normal", "deprecated"]
ValueKind: TypeAlias = Literal["item", "time", "quantity", "text", "somevalue", "novalue", "other"]


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a claim or a qualifier.

    Attributes:
        kind: "item" (a Q id), "time", "quantity", "text" (with or without language), "somevalue" (there is
            one, but it is unknown), "novalue" (there is none), or "other" (coordinates, links, identifiers: an IRI or a
            lexical form).
        text: the id, the lexical form (a time as `+1867-11-07T00:00:00Z` or without the sign), or "".
        precision: of a time, Wikibase's: 6 millennium, 7 century, 8 decade, 9 year, 10 month, 11 day; None if unknown.
        calendar: of a time, the Q id of its calendar model; "" if unknown.
        unit: of a quantity, the Q id of its unit; "" if it has none (Wikidata's "1", Q199) or it is unknown.
        lower, upper: the bounds of a quantity, if given.
        language: of a text, such as "en"; "" if it has none.
    """

    kind: ValueKind
    text: str = ""
    precision: int | None = None
    calendar: str = ""
    unit: str = ""
    lower: Decimal | None = None
    upper: Decimal | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What Wikidata states about an item with one property.

    Attributes:
        iri: of the statement node (`wds:`).
        property: its id, such as "P19".
        value: of the property.
        rank: "preferred", "normal" or "deprecated".
        qualifiers: ids of properties with their values.
    """

    iri: str
    property: str
    value: Value
    rank: Rank = "normal"
    qualifiers: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """What Wikidata has about an item apart from its claims.

    Attributes:
        id: such as "Q7186"; where the given id redirects, the id that it redirects to.
        types: ids of its classes (P31), without their superclasses.
        labels: languages with the label in each.
        sitelinks: the number of wikis in which it has a page; None if unknown.
    """

    id: str
    types: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()
    sitelinks: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that has a name.

    Attributes:
        item: its id.
        name: the name that was looked up.
        is_label: whether the name is the item's label in this language; otherwise it is an alias.
        language: such as "en", or "mul" for all languages.
        sitelinks: the number of wikis in which the item has a page; None if unknown.
        respelled: whether the item has the name in other letters only (see `names.spellings`). Typography and invisible
            characters make no difference.
    """

    item: str
    name: str
    is_label: bool
    language: str
    sitelinks: int | None = None
    respelled: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What tells an item from others with its name, in words that a text may have too.

    Attributes:
        types: ids of its classes (P31), without their superclasses.
        description: in the language of the texts; "" if it has none.
        facts: properties (of `queries.PROFILE`) with what each has: the label of an item in the language of the texts,
            or a date in its lexical form. Values of which neither is known are left out.
    """

    types: frozenset[str] = frozenset()
    description: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Constraints:
    """The constraints of a property (P2302) that a check uses. Wikidata has values that violate them.

    Attributes:
        single_value: whether an item should have one value only (Q19474404), or one best value (Q52060874).
        separators: properties (P4155). Two values with different qualifiers of these may stand side by side.
        subject_types, value_types: ids of the classes that subject and value should have (Q21503250, Q21510865; P2308).
        subject_relation, value_relation: whether by "instance of", "subclass of" or either (P2309).
        exceptions: items that the constraints do not concern (P2303).
    """

    single_value: bool = False
    separators: frozenset[str] = frozenset()
    subject_types: frozenset[str] = frozenset()
    value_types: frozenset[str] = frozenset()
    subject_relation: Literal["instance", "subclass", "either"] = "instance"
    value_relation: Literal["instance", "subclass", "either"] = "instance"
    exceptions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WikidataProperty:
    """What Wikidata has about a property.

    Attributes:
        id: such as "P19".
        label: in English.
        datatype: the local name of its `wikibase:propertyType`, such as "WikibaseItem" or "Time"; "" if unknown.
        inverses: ids of its inverse properties (P1696).
        subproperty_of: ids of the properties that it is a sub-property of (P1647).
        symmetric: whether it is its own inverse, or has the symmetric constraint (Q21510862).
        constraints: see `Constraints`.
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
    """A look-up that failed, with the reason. It does not mean that Wikidata has no answer."""

    reason: str
