"""The kinds of look-ups: the query of each, and its rows as plain JSON for the cache and as records for the caller."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from pyoxigraph import BlankNode, NamedNode
from pyoxigraph import Literal as RdfLiteral

from kgmrca.names import plain_name
from kgmrca.ontology import WIKIDATA_DIRECT
from kgmrca.terms import RDF, XSD
from kgmrca.wikidata import queries
from kgmrca.wikidata.cache import Key
from kgmrca.wikidata.records import (
    Candidate,
    Claim,
    Constraints,
    Item,
    Profile,
    Rank,
    Value,
    ValueKind,
    WikidataProperty,
)
from kgmrca.wikidata.sparql import Row, Term
from kgmrca.wikidata.values import is_unknown

__all__ = [
    "AREAS",
    "CLAIMS",
    "CONNECTIONS",
    "DIRECT_VALUES",
    "PARTS",
    "PROPERTIES",
    "PROPERTY_IRIS",
    "QUALIFIED",
    "SUPERCLASSES",
    "SURVEY",
    "TELLING",
    "LookUpKind",
    "as_candidates",
    "as_claims",
    "as_item",
    "as_profile",
    "as_property",
    "candidates_kind",
    "items_kind",
    "profiles_kind",
    "value_of",
]

_PROP = "http://www.wikidata.org/prop/"
_NO_VALUE = f"{_PROP}novalue/"
_WIKIBASE = "http://wikiba.se/ontology#"
_TYPE = f"{RDF}type"
_TIMES = {f"{XSD}dateTime", f"{XSD}date", f"{XSD}gYear", f"{XSD}gYearMonth"}
_NUMBERS = {f"{XSD}decimal", f"{XSD}integer", f"{XSD}double"}
_TEXTS = {f"{XSD}string", f"{RDF}langString"}
_NO_UNIT = "Q199"  # the number 1
_RANKS: dict[str, Rank] = {"PreferredRank": "preferred", "NormalRank": "normal", "DeprecatedRank": "deprecated"}
_RELATIONS: dict[str, Literal["instance", "subclass", "either"]] = {
    "Q21503252": "instance",
    "Q21514624": "subclass",
    "Q30208840": "either",
}
_SINGLE_VALUE = {"Q19474404", "Q52060874"}
_SUBJECT_TYPE, _VALUE_TYPE, _SYMMETRIC = "Q21503250", "Q21510865", "Q21510862"
_EXCEPTION, _CLASS, _RELATION, _SEPARATOR = "P2303", "P2308", "P2309", "P4155"

Shape: TypeAlias = Any
"""What a JSON value must be: a type or a test; a list of one shape for all its members, a tuple of shapes for a list
with a shape for each member; a dict with these keys, or with any keys if its only key is `str`; or an `_Either`."""


class _Either(NamedTuple):
    """One of several shapes."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class LookUpKind:
    """A kind of look-up.

    Attributes:
        name: its name in messages and in the progress bar.
        stored_as: its name in the cache.
        share: how many keys are put into one query, in units of the batch size; more where the answers are small.
        query: makes the query for some keys.
        read: turns the rows about one key into plain JSON, which is what the cache stores.
        key: the key that a row is about.
        shape: the shape of that JSON.
    """

    name: str
    stored_as: str
    share: float
    query: Callable[[Sequence[Key]], str]
    read: Callable[[Key, Sequence[Row]], Any]
    key: Callable[[Row], Key]
    shape: Shape

    def fits(self, value: object) -> bool:
        """Whether JSON from a file is such as `read` gives.

        >>> QUALIFIED.fits(["P19"]), QUALIFIED.fits(["born"]), QUALIFIED.fits(None)
        (True, False, False)
        """
        return _fits(value, self.shape)


def _fits(value: object, shape: Shape) -> bool:
    if isinstance(shape, _Either):
        return any(_fits(value, one) for one in shape.shapes)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
    if isinstance(shape, tuple):
        return isinstance(value, list) and len(value) == len(shape) and all(map(_fits, value, shape))
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return False
        if str in shape:
            return all(_fits(one, shape[str]) for one in value.values())
        return value.keys() == shape.keys() and all(_fits(value[name], shape[name]) for name in shape)
    if isinstance(shape, type):
        return type(value) is shape  # True is no int
    return bool(shape(value))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and queries.is_id(value)


def _is_property(value: object) -> bool:
    return isinstance(value, str) and queries.is_id(value, kinds="P")


def _is_amount(value: object) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _one_of(*values: str) -> Callable[[object], bool]:
    return lambda value: value in values


_OR_NONE = type(None)
_INTEGER, _AMOUNT = _Either((int, _OR_NONE)), _Either((_is_amount, _OR_NONE))
_VALUE = (_one_of(*get_args(ValueKind)), str, _INTEGER, str, str, _AMOUNT, _AMOUNT, str)
_REDIRECT = {"target": _is_id}
_CLAIM_SHAPE = (str, _VALUE, _one_of(*get_args(Rank)), [(str, _VALUE)])
_ITEM_SHAPE = {"types": [_is_id], "labels": [(str, str)], "sitelinks": _INTEGER}
_PROPERTY_SHAPE = {
    "label": str,
    "datatype": str,
    "inverses": [_is_id],
    "subproperty_of": [_is_id],
    "constraints": {str: {str: [_is_id]}},
}
_PROFILE_SHAPE = {"types": [_is_id], "description": str, "facts": [(_is_property, str)]}
_CANDIDATE_SHAPE = (_is_id, bool, str, _INTEGER, bool)


def value_of(row: Row) -> Value:
    """The value in a row of `queries.claims`: the `object`, or what the row has beside a value node or a redirect."""
    if time := row.get("time"):
        return Value(
            "time", time.value, precision=_integer(row.get("precision")), calendar=_item_in(row.get("calendar"))
        )
    if amount := row.get("amount"):
        unit = _item_in(row.get("unit"))
        lower, upper = _decimal(row.get("lower")), _decimal(row.get("upper"))
        return Value("quantity", amount.value, unit="" if unit == _NO_UNIT else unit, lower=lower, upper=upper)
    object_ = row["object"]
    if isinstance(object_, BlankNode) or (isinstance(object_, NamedNode) and is_unknown(object_.value)):
        return Value("somevalue")
    if isinstance(object_, NamedNode):
        item = _item_in(row.get("target")) or _item_in(object_)
        return Value("item", item) if item else Value("other", object_.value)
    datatype = object_.datatype.value
    if datatype in _TIMES:
        return Value("time", object_.value)
    if datatype in _NUMBERS:
        return Value("quantity", object_.value)
    if datatype in _TEXTS:
        return Value("text", object_.value, language=object_.language or "")
    return Value("other", object_.value)


def _read_claims(key: Key, rows: Sequence[Row]) -> list[Any]:
    by_statement = defaultdict(list)
    for row in rows:
        by_statement[row["statement"].value].append(row)
    read = (_read_claim(iri, key[1], by_statement[iri]) for iri in sorted(by_statement))
    return [statement for statement in read if statement]


def _read_claim(iri: str, name: str, rows: Sequence[Row]) -> list[Any] | None:
    """A claim from the triples of its statement node; None if it has no value of the property, not even "no value"."""
    rank: Rank = "normal"
    simple: dict[tuple[str, str], list[Value]] = defaultdict(list)  # by "statement" or "qualifier", and property
    full: dict[tuple[str, str], list[Value]] = defaultdict(list)
    for row in rows:
        predicate, object_ = row["predicate"].value, row["object"]
        role, _, of = predicate.removeprefix(_PROP).rpartition("/")
        if predicate == f"{_WIKIBASE}rank":
            rank = _RANKS[object_.value.removeprefix(_WIKIBASE)]
        elif predicate == _TYPE and object_.value.startswith(_NO_VALUE):
            of = object_.value.removeprefix(_NO_VALUE)
            simple["statement" if of == name else "qualifier", of].append(Value("novalue"))
        elif role in ("statement", "qualifier"):
            simple[role, of].append(value_of(row))
        elif role in ("statement/value", "qualifier/value") and ("time" in row or "amount" in row):
            full[role.removesuffix("/value"), of].append(value_of(row))
    for place, values in full.items():  # full values replace the simple ones of the same kind
        kinds = {value.kind for value in values}
        simple[place] = values + [value for value in simple[place] if value.kind not in kinds]
    if not (main := simple["statement", name]):
        return None
    qualifiers = {(of, value) for (role, of), values in simple.items() if role == "qualifier" for value in values}
    return [iri, _plain(main[0]), rank, sorted(([of, _plain(value)] for of, value in qualifiers), key=str)]


def _read_direct_values(key: Key, rows: Sequence[Row]) -> list[Any]:
    values = {value_of(row) for row in rows}
    return sorted((["", _plain(value), "normal", []] for value in values), key=str)


def _read_survey(key: Key, rows: Sequence[Row]) -> dict[str, bool]:
    found = {name for row in rows for name in row}
    return {name: name in found for name in PARTS}


def _read_property_iris(key: Key, rows: Sequence[Row]) -> list[str]:
    iris = (row["property"].value for row in rows)
    return sorted({iri for iri in iris if re.search("/entity/P[1-9][0-9]*$", iri)})


def _plain(value: Value) -> list[Any]:
    bounds = (None if bound is None else str(bound) for bound in (value.lower, value.upper))
    return [value.kind, value.text, value.precision, value.calendar, value.unit, *bounds, value.language]


def _value(plain: Sequence[Any]) -> Value:
    kind, text, precision, calendar, unit, lower, upper, language = plain
    lower, upper = (None if bound is None else Decimal(bound) for bound in (lower, upper))
    return Value(kind, text, precision, calendar, unit, lower, upper, language)


def as_claims(key: Key) -> Callable[[Any], tuple[Claim, ...]]:
    """Turns the JSON of a key (item, property) into claims."""

    def load(plain: Any) -> tuple[Claim, ...]:
        return tuple(
            Claim(iri, key[1], _value(value), rank, tuple((of, _value(one)) for of, one in qualifiers))
            for iri, value, rank, qualifiers in plain
        )

    return load


def _read_item(key: Key, rows: Sequence[Row]) -> dict[str, Any] | None:
    sitelinks = [number for row in rows if (number := _integer(row.get("sitelinks"))) is not None]
    return _redirected_or(
        rows,
        {
            "types": _items_in(rows, "type"),
            "labels": sorted(map(list, {(label.language, label.value) for label in _literals_in(rows, "label")})),
            "sitelinks": max(sitelinks, default=None),
        },
    )


def as_item(plain: Any) -> Item | None:
    """Turns the JSON of an item, with its "id", into a record."""
    if plain is None:
        return None
    labels = tuple((language, text) for language, text in plain["labels"])
    return Item(plain["id"], frozenset(plain["types"]), labels, plain["sitelinks"])


def _read_property(key: Key, rows: Sequence[Row]) -> dict[str, Any] | None:
    labels = {label.language: label.value for label in _literals_in(rows, "label")}
    datatypes = sorted(row["datatype"].value.removeprefix(_WIKIBASE) for row in rows if "datatype" in row)
    return _redirected_or(
        rows,
        {
            "label": labels.get("en") or labels.get("mul", ""),
            "datatype": datatypes[0] if datatypes else "",
            "inverses": _items_in(rows, "inverse"),
            "subproperty_of": _items_in(rows, "super"),
            "constraints": _read_constraints(rows),
        },
    )


def _read_constraints(rows: Sequence[Row]) -> dict[str, dict[str, list[str]]]:
    """By kind of constraint the qualifiers by property, without deprecated constraints."""
    found: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        if "kind" not in row or row.get("rank") == NamedNode(f"{_WIKIBASE}DeprecatedRank"):
            continue
        qualifiers = found.setdefault(_item_in(row["kind"]), {})
        if "predicate" in row and (id := _item_in(row["object"])):
            qualifiers.setdefault(row["predicate"].value.rpartition("/")[2], set()).add(id)
    return {kind: {of: sorted(ids) for of, ids in qualifiers.items()} for kind, qualifiers in found.items()}


def as_property(plain: Any) -> WikidataProperty | None:
    """Turns the JSON of a property, with its "id", into a record."""
    if plain is None:
        return None
    constraints: Mapping[str, Mapping[str, list[str]]] = plain["constraints"]

    def ids(kinds: Iterable[str], of: str) -> frozenset[str]:
        return frozenset(id for kind in kinds for id in constraints.get(kind, {}).get(of, ()))

    def relation(kind: str) -> Literal["instance", "subclass", "either"]:
        relations = {_RELATIONS[id] for id in ids([kind], _RELATION) if id in _RELATIONS}
        return relations.pop() if len(relations) == 1 else "either" if relations else "instance"

    return WikidataProperty(
        plain["id"],
        plain["label"],
        plain["datatype"],
        frozenset(plain["inverses"]),
        frozenset(plain["subproperty_of"]),
        symmetric=plain["id"] in plain["inverses"] or _SYMMETRIC in constraints,
        constraints=Constraints(
            single_value=not _SINGLE_VALUE.isdisjoint(constraints),
            separators=ids(_SINGLE_VALUE, _SEPARATOR),
            subject_types=ids([_SUBJECT_TYPE], _CLASS),
            value_types=ids([_VALUE_TYPE], _CLASS),
            subject_relation=relation(_SUBJECT_TYPE),
            value_relation=relation(_VALUE_TYPE),
            exceptions=ids(constraints, _EXCEPTION),
        ),
    )


def _redirected_or(rows: Sequence[Row], content: dict[str, Any]) -> dict[str, Any] | None:
    if targets := _items_in(rows, "target"):
        return {"target": targets[0]}
    return content if rows else None


def _read_above(key: Key, rows: Sequence[Row]) -> list[str]:
    return _items_in(rows, "above")


def _read_candidates(key: Key, rows: Sequence[Row]) -> list[Any]:
    asked, languages = plain_name(key[0]), key[1].split(",")
    best: dict[str, tuple[tuple[bool, bool, int], list[Any]]] = {}
    for row in rows:
        if not (item := _item_in(row["item"])) or item.startswith("P"):
            continue
        (name,) = _literals_in([row], "name")
        is_label, language = row["is_label"].value in ("true", "1"), name.language or ""
        sitelinks, respelled = _integer(row.get("sitelinks")), plain_name(name.value) != asked
        found = (
            (respelled, not is_label, _place_of(language, languages)),
            [item, is_label, language, sitelinks, respelled],
        )
        best[item] = min(best.get(item, found), found, key=lambda one: one[0])
    return sorted((one for _, one in best.values()), key=lambda one: (-(one[3] or 0), int(one[0][1:])))


def as_candidates(key: Key) -> Callable[[Any], tuple[Candidate, ...]]:
    """Turns the JSON of a key (name, languages) into candidates."""

    def load(plain: Any) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(item, key[0], is_label, language, sitelinks, respelled)
            for item, is_label, language, sitelinks, respelled in plain
        )

    return load


def _read_profile(key: Key, rows: Sequence[Row]) -> dict[str, Any]:
    languages = key[1].split(",")

    def in_order(found: Iterable[RdfLiteral]) -> list[RdfLiteral]:
        return sorted(found, key=lambda one: (_place_of(one.language or "", languages), one.value))

    descriptions = in_order(_literals_in(rows, "description"))
    labels: dict[tuple[str, Term], list[RdfLiteral]] = defaultdict(list)
    for row in rows:
        if "property" in row:
            labels[row["property"].value.removeprefix(WIKIDATA_DIRECT), row["value"]] += _literals_in([row], "label")
    facts = {(of, in_order(found)[0].value) for (of, _), found in labels.items() if found}
    facts |= {(of, one.value) for of, one in labels if isinstance(one, RdfLiteral) and one.datatype.value in _TIMES}
    return {
        "types": sorted({id for of, one in labels if of == "P31" and (id := _item_in(one))}),
        "description": descriptions[0].value if descriptions else "",
        "facts": sorted(map(list, facts)),
    }


def as_profile(plain: Any) -> Profile:
    """Turns the JSON of an item into its profile."""
    facts = tuple((of, text) for of, text in plain["facts"])
    return Profile(frozenset(plain["types"]), plain["description"], facts)


def _read_connections(key: Key, rows: Sequence[Row]) -> list[str]:
    predicates = {row["predicate"].value for row in rows}
    return sorted(one.removeprefix(WIKIDATA_DIRECT) for one in predicates if one.startswith(WIKIDATA_DIRECT))


def _read_qualified(key: Key, rows: Sequence[Row]) -> list[str]:
    properties = {row["property"].value.removeprefix(_PROP) for row in rows}
    return sorted(one for one in properties if queries.is_id(one, kinds="P"))


def _item_in(term: Term | None) -> str:
    """The id (Q or P) of an IRI of Wikidata, or "" for any other term."""
    return queries.id_of(term.value) if isinstance(term, NamedNode) else ""


def _items_in(rows: Iterable[Row], variable: str) -> list[str]:
    return sorted({id for row in rows if (id := _item_in(row.get(variable)))})


def _literals_in(rows: Iterable[Row], variable: str) -> list[RdfLiteral]:
    return [term for row in rows if isinstance(term := row.get(variable), RdfLiteral)]


def _integer(term: Term | None) -> int | None:
    return int(term.value) if term is not None else None


def _decimal(term: Term | None) -> Decimal | None:
    if term is not None and not _is_amount(term.value):
        raise ValueError(f"'{term}' is no number")
    return None if term is None else Decimal(term.value)


def _place_of(language: str, languages: Sequence[str]) -> int:
    if language not in languages:
        raise ValueError(
            f"a name in {f'the language {language!r}' if language else 'no language'}, not in one asked for"
        )
    return languages.index(language)


def _asked(row: Row) -> Key:
    return _item_in(row["asked"]), ""


def _firsts(keys: Iterable[Key]) -> list[str]:
    return [first for first, _ in keys]


def items_kind(languages: Sequence[str]) -> LookUpKind:
    """The look-up of items with their labels in some languages."""
    return LookUpKind(
        "items",
        "items",
        share=3,
        query=lambda keys: queries.items(_firsts(keys), languages=languages),
        read=_read_item,
        key=lambda row: (_item_in(row["asked"]), ",".join(languages)),
        shape=_Either((_ITEM_SHAPE, _REDIRECT, _OR_NONE)),
    )


def candidates_kind(languages: Sequence[str]) -> LookUpKind:
    """The look-up of the items with a name in some languages."""
    return LookUpKind(
        "names",
        "spellings",
        share=1,
        query=lambda keys: queries.candidates(_firsts(keys), languages=languages),
        read=_read_candidates,
        key=lambda row: (row["asked"].value, ",".join(languages)),
        shape=[_CANDIDATE_SHAPE],
    )


def profiles_kind(languages: Sequence[str]) -> LookUpKind:
    """The look-up of what tells items apart, in words of some languages."""
    return LookUpKind(
        "profiles",
        "profiles",
        share=3,
        query=lambda keys: queries.profiles(_firsts(keys), languages=languages),
        read=_read_profile,
        key=lambda row: (_item_in(row["asked"]), ",".join(languages)),
        shape=_PROFILE_SHAPE,
    )


CLAIMS = LookUpKind(
    "claims",
    "statements",
    share=1,
    query=queries.claims,
    read=_read_claims,
    key=lambda row: (_item_in(row["asked"]), row["property"].value.removeprefix(_PROP)),
    shape=[_CLAIM_SHAPE],
)
DIRECT_VALUES = LookUpKind(
    "claims",
    "direct values",
    share=1,
    query=queries.direct_values,
    read=_read_direct_values,
    key=lambda row: (_item_in(row["asked"]), row["property"].value.removeprefix(WIKIDATA_DIRECT)),
    shape=[_CLAIM_SHAPE],
)
PARTS = {
    "statements": "has no statement nodes, only values of the best rank: whether a fact is new cannot be told",
    "ranks": "has no ranks",
    "constraints": "has no constraints of properties: few conflicts can be told",
    "sitelinks": "has no numbers of sitelinks: how well known items are is not taken into account",
    "labels": "has no labels: no item can be found by its name",
    "items": "has no items of Wikidata, or of the Wikibase that --wikibase names: no name can be linked",
}
"""What is said of an endpoint that lacks a part of Wikidata's data."""
SURVEY = LookUpKind(
    "the endpoint",
    "survey",
    share=1,
    query=lambda keys: queries.survey(),
    read=_read_survey,
    key=lambda row: ("", ""),
    shape=dict.fromkeys(PARTS, bool),
)
PROPERTY_IRIS = LookUpKind(
    "the endpoint",
    "property IRIs",
    share=1,
    query=lambda keys: queries.property_iris(),
    read=_read_property_iris,
    key=lambda row: ("", ""),
    shape=[str],
)
PROPERTIES = LookUpKind(
    "properties",
    "properties",
    share=0.25,  # the properties that are looked up have long answers
    query=lambda keys: queries.properties(_firsts(keys), languages=("en", "mul")),
    read=_read_property,
    key=_asked,
    shape=_Either((_PROPERTY_SHAPE, _REDIRECT, _OR_NONE)),
)
SUPERCLASSES = LookUpKind(
    "classes",
    "classes",
    share=1,
    query=lambda keys: queries.superclasses(_firsts(keys)),
    read=_read_above,
    key=_asked,
    shape=[_is_id],
)
AREAS = LookUpKind(
    "places",
    "places",
    share=1.5,  # about as many rows as the answers about items have
    query=lambda keys: queries.areas(_firsts(keys)),
    read=_read_above,
    key=_asked,
    shape=[_is_id],
)
SURROUNDINGS = LookUpKind(
    "places",
    "surroundings",
    share=1.5,
    query=lambda keys: queries.surroundings(_firsts(keys)),
    read=_read_above,
    key=_asked,
    shape=[_is_id],
)
CONNECTIONS = LookUpKind(
    "connections",
    "connections",
    share=5,
    query=queries.connections,
    read=_read_connections,
    key=lambda row: (_item_in(row["subject"]), _item_in(row["object"])),
    shape=[str],
)
QUALIFIED = LookUpKind(
    "qualifiers",
    "qualifiers",
    share=5,
    query=queries.qualified,
    read=_read_qualified,
    key=lambda row: (_item_in(row["asked"]), row["qualifier"].value.removeprefix(f"{_PROP}qualifier/")),
    shape=[_is_property],
)
TELLING: dict[str, tuple[str, Callable[[Any], bool]]] = {
    CLAIMS.stored_as: ("statements", bool),
    PROPERTIES.stored_as: ("constraints", lambda found: bool(found and found.get("constraints"))),
    candidates_kind(()).stored_as: ("sitelinks", lambda found: any(one[3] is not None for one in found)),
}
"""By kind of look-up the part of the data (see `PARTS`) that its answers have, and whether an answer has it."""
