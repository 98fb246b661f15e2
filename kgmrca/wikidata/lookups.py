"""What an endpoint knows about items and properties, looked up in batches and remembered on disk.

A look-up gives a fact, or that there is none, or `NotChecked` with the reason why it could not be found out: these are
never mistaken for one another.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar

from pyoxigraph import BlankNode, NamedNode
from pyoxigraph import Literal as RdfLiteral
from tqdm import tqdm

from kgmrca.errors import EndpointError
from kgmrca.ontology import WIKIDATA_DIRECT
from kgmrca.terms import RDF, XSD
from kgmrca.wikidata import queries
from kgmrca.wikidata.cache import Cache, Key, default_cache
from kgmrca.wikidata.records import (
    Candidate,
    Claim,
    Constraints,
    Item,
    NotChecked,
    Property,
    Rank,
    Value,
)
from kgmrca.wikidata.sparql import Clock, Endpoint, Row, Term

__all__ = ["Lookups", "default_cache", "value_of"]

T = TypeVar("T")

_DEFAULT_CACHE = default_cache()
_TRIES_ALONE = 3  # of a query about one thing that times out
_MOST_REDIRECTS = 5

_PROP = "http://www.wikidata.org/prop/"
_NO_VALUE = f"{_PROP}novalue/"
_SOME_VALUE = "/.well-known/genid/"
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of fact.

    Attributes:
        name: in the cache, and of the progress bar.
        share: how many times `batch` are asked for at once: more where the answers are small.
        query: the query for some keys.
        read: from the rows about one key, and the key, to its fact as plain JSON.
        key: what a row is about.
    """

    name: str
    share: float
    query: Callable[[Sequence[Key]], str]
    read: Callable[[Key, Sequence[Row]], Any]
    key: Callable[[Row], Key]


class Lookups:
    """Looks facts up: in the cache first, then at an endpoint, which is asked for many at once. For one thread.

    Use it as a context manager, or call `close`. Each batch is in the cache as soon as it is answered, so that whoever
    interrupts a long look-up loses nothing. An item or property whose id redirects is what it leads to, for
    `statements`, `items` and `properties`; `items` gives the ids that the other look-ups know.

    Args:
        endpoint: whom to ask.
        cache: the file of the cache, None to remember for as long as this object lives.
        offline: ask nobody.
        refresh: believe only what was fetched since this object was made.
        max_age: how long a fact is believed.
        batch: how many things are asked for at once; it halves when queries time out, and grows again slowly.
        progress: whether to show bars; None: on a terminal.
        clock: what time is taken from.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        cache: Path | None = _DEFAULT_CACHE,
        offline: bool = False,
        refresh: bool = False,
        max_age: timedelta = timedelta(days=30),
        batch: int = 200,
        progress: bool | None = None,
        clock: Clock = time,
    ) -> None:
        self.endpoint = endpoint
        self._cache = Cache(cache)
        self._offline = offline
        self._max_age = max_age.total_seconds()
        self._oldest = clock.time() if refresh else 0.0
        self._batch = batch
        self._sizes: dict[str, int] = {}
        self._hidden = None if progress is None else not progress
        self._clock = clock

    def __enter__(self) -> "Lookups":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the cache."""
        self._cache.close()

    def claims(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Claim, ...] | NotChecked]:
        """The statements that items make with a property, of any rank, by (item, property), sorted by their IRIs.

        None are made also by items that the endpoint does not know.

        Raises:
            InputError: an id is none, or the cache cannot be used.
        """
        return {key: _loaded(_statements_of(key), value) for key, value in self._look_up(_CLAIMS, pairs).items()}

    def items(
        self, ids: Iterable[str], *, languages: Sequence[str] = ("en", "mul")
    ) -> dict[str, Item | NotChecked | None]:
        """What is known of items, with labels in these languages; None: the endpoint knows no such item.

        It knows an item that has a class (P31), a label in one of the languages, a number of sitelinks or of
        statements, or is said to be one.

        Raises:
            InputError: an id or a language tag is none, or the cache cannot be used.
        """
        spoken = _spoken(languages)
        found = self._resolved(_items(spoken), ids, ",".join(spoken))
        return {id: _loaded(_item_of, value) for id, value in found.items()}

    def properties(self, ids: Iterable[str]) -> dict[str, Property | NotChecked | None]:
        """What is known of properties, with their labels in English; None: the endpoint knows no such property.

        Raises:
            InputError: an id is none, or the cache cannot be used.
        """
        return {id: _loaded(_property_of, value) for id, value in self._resolved(_PROPERTIES, ids, "").items()}

    def subclasses(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        """Whether a class is another, or a subclass of it (P279) directly or over others, for (class, other) pairs.

        Raises:
            InputError: an id is none, or the cache cannot be used.
        """
        given = list(pairs)
        found = self._is_below(_SUPERCLASSES, given)
        return found | {(one, other): True for one, other in given if one == other}

    def located_in(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        """Whether a place lies in an area (P131) directly or over others, for (place, area) pairs.

        Raises:
            InputError: an id is none, or the cache cannot be used.
        """
        return self._is_below(_AREAS, pairs)

    def candidates(
        self, names: Iterable[str], *, languages: Sequence[str] = ("en", "mul")
    ) -> dict[str, tuple[Candidate, ...] | NotChecked]:
        """The items called so, by a label or an alias that is the same to the letter, in one of these languages.

        Each item is there once, by its label rather than an alias, and in the first language. Those with the most
        sitelinks come first.

        Raises:
            InputError: a language tag is none, or the cache cannot be used.
        """
        spoken = _spoken(languages)
        given = list(dict.fromkeys(names))
        found = self._look_up(_candidates(spoken), ((name, ",".join(spoken)) for name in given if _is_name(name)))
        keys = ((name, ",".join(spoken)) for name in given)
        return {key[0]: _loaded(_candidates_of(key), found.get(key, ())) for key in keys}

    def connections(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str] | NotChecked]:
        """The properties by which one item is connected to another in this direction, by the best rank they have.

        Raises:
            InputError: an id is none, or the cache cannot be used.
        """
        return {key: _loaded(frozenset, value) for key, value in self._look_up(_CONNECTIONS, pairs).items()}

    def qualified(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str] | NotChecked]:
        """The properties with which items make statements that have a qualifier, for (item, qualifier) pairs.

        Raises:
            InputError: an id is none, or the cache cannot be used.
        """
        return {key: _loaded(frozenset, value) for key, value in self._look_up(_QUALIFIED, pairs).items()}

    def claims_fetched(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """When the endpoint said what `statements` gives, in seconds since 1970; what it did not say is left out."""
        return self._cache.fetched(self.endpoint.name, _CLAIMS.name, pairs)

    def items_fetched(self, ids: Iterable[str], *, languages: Sequence[str] = ("en", "mul")) -> dict[str, float]:
        """When the endpoint said what `items` gives, in seconds since 1970; what it did not say is left out."""
        kind, spoken = _items(_spoken(languages)).name, ",".join(_spoken(languages))
        found = self._cache.fetched(self.endpoint.name, kind, ((id, spoken) for id in ids))
        return {id: fetched for (id, _), fetched in found.items()}

    def _is_below(self, kind: _Kind, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bool | NotChecked]:
        # What lies above is asked for and kept, not the pair: a few queries then answer any number of pairs.
        given = list(pairs)
        for _, upper in given:
            queries.checked_id(upper, kinds="Q")
        above = self._look_up(kind, ((lower, "") for lower, _ in given))
        return {(lower, upper): _loaded(partial(_holds, upper), above[lower, ""]) for lower, upper in given}

    def _resolved(self, kind: _Kind, ids: Iterable[str], languages: str) -> dict[str, Any]:
        """Lookups about ids, those about its target for one that redirects."""
        targets = {id: id for id in ids}
        found: dict[Key, Any] = {}
        for _ in range(1 + _MOST_REDIRECTS):
            found |= self._look_up(kind, ((id, languages) for id in targets.values() if (id, languages) not in found))
            redirected = {
                id: value["target"]
                for id, target in targets.items()
                if isinstance(value := found[target, languages], dict) and value.get("target")
            }
            if not redirected:
                break
            targets |= redirected
        return {
            id: NotChecked("redirects in a circle") if id in redirected else _with_id(found[target, languages], target)
            for id, target in targets.items()
        }

    def _look_up(self, kind: _Kind, keys: Iterable[Key]) -> dict[Key, Any]:
        """Lookups as plain JSON, or NotChecked."""
        wanted = list(dict.fromkeys(keys))
        kind.query(wanted)  # an id that is none is said before anything is asked
        now = self._clock.time()
        after = max(self._oldest, now - self._max_age)
        found = self._cache.get(self.endpoint.name, kind.name, wanted, after=after, now=now)
        missing = [key for key in wanted if key not in found]
        if self._offline:
            return found | dict.fromkeys(missing, NotChecked("not in the cache, and offline"))
        whole = max(1, int(self._batch * kind.share))
        n_done = n_alone = 0
        with tqdm(total=len(missing), desc=kind.name, disable=self._hidden if missing else True, leave=False) as bar:
            while n_done < len(missing):
                size = self._sizes.get(kind.name, whole)
                batch = missing[n_done : n_done + size]
                try:
                    found |= self._ask(kind, batch)
                    if len(batch) == size:
                        self._sizes[kind.name] = min(whole, size + max(1, whole // 10))
                except EndpointError as error:
                    if error.is_timeout:
                        self._sizes[kind.name] = max(1, len(batch) // 2)
                        n_alone += len(batch) == 1
                        if n_alone < _TRIES_ALONE:
                            continue
                    found |= dict.fromkeys(batch, NotChecked(error.reason))
                n_alone = 0
                n_done += len(batch)
                bar.update(len(batch))
        return found

    def _ask(self, kind: _Kind, batch: Sequence[Key]) -> dict[Key, Any]:
        """Ask once, and remember the answer.

        Raises:
            EndpointError: there is none that can be used.
        """
        rows: dict[Key, list[Row]] = {key: [] for key in batch}
        solutions = self.endpoint.select(kind.query(batch))
        try:
            for row in solutions:
                rows[kind.key(row)].append(row)
            answers = {key: kind.read(key, rows[key]) for key in batch}
        except (AttributeError, KeyError, ValueError) as error:
            text = f"{self.endpoint.name} answered with rows that were not asked for: {type(error).__name__}: {error}."
            raise EndpointError(text, reason="unexpected answer") from error
        now = self._clock.time()
        self._cache.put(self.endpoint.name, kind.name, answers, fetched=now, expires=now + self._max_age)
        return answers


def value_of(row: Row) -> Value:
    """The value in a row of `queries.claims`: its `object`, or what stands beside a node or a redirect."""
    if time := row.get("time"):
        return Value(
            "time", time.value, precision=_integer(row.get("precision")), calendar=_item_in(row.get("calendar"))
        )
    if amount := row.get("amount"):
        unit = _item_in(row.get("unit"))
        lower, upper = _decimal(row.get("lower")), _decimal(row.get("upper"))
        return Value("quantity", amount.value, unit="" if unit == _NO_UNIT else unit, lower=lower, upper=upper)
    object_ = row["object"]
    if isinstance(object_, BlankNode) or (isinstance(object_, NamedNode) and _SOME_VALUE in object_.value):
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


def _read_statements(key: Key, rows: Sequence[Row]) -> list[Any]:
    by_statement = defaultdict(list)
    for row in rows:
        by_statement[row["statement"].value].append(row)
    read = (_read_statement(iri, key[1], by_statement[iri]) for iri in sorted(by_statement))
    return [statement for statement in read if statement]


def _read_statement(iri: str, name: str, rows: Sequence[Row]) -> list[Any] | None:
    """A statement from the triples of its node; None if it has no value for the property, not even "none"."""
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
    for place, values in full.items():  # the same times and quantities once more, and completely
        kinds = {value.kind for value in values}
        simple[place] = values + [value for value in simple[place] if value.kind not in kinds]
    if not (main := simple["statement", name]):
        return None
    qualifiers = {(of, value) for (role, of), values in simple.items() if role == "qualifier" for value in values}
    return [iri, _plain(main[0]), rank, sorted(([of, _plain(value)] for of, value in qualifiers), key=str)]


def _plain(value: Value) -> list[Any]:
    bounds = (None if bound is None else str(bound) for bound in (value.lower, value.upper))
    return [value.kind, value.text, value.precision, value.calendar, value.unit, *bounds, value.language]


def _value(plain: Sequence[Any]) -> Value:
    kind, text, precision, calendar, unit, lower, upper, language = plain
    lower, upper = (None if bound is None else Decimal(bound) for bound in (lower, upper))
    return Value(kind, text, precision, calendar, unit, lower, upper, language)


def _statements_of(key: Key) -> Callable[[Any], tuple[Claim, ...]]:
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
            "labels": sorted({(label.language, label.value) for label in _literals_in(rows, "label")}),
            "sitelinks": max(sitelinks, default=None),
        },
    )


def _item_of(plain: Any) -> Item | None:
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
    """By kind of constraint, the qualifiers by property; those of deprecated ones are left out."""
    found: dict[str, dict[str, set[str]]] = {}
    for row in rows:
        if "kind" not in row or row.get("rank") == NamedNode(f"{_WIKIBASE}DeprecatedRank"):
            continue
        qualifiers = found.setdefault(_item_in(row["kind"]), {})
        if "predicate" in row and (id := _item_in(row["object"])):
            qualifiers.setdefault(row["predicate"].value.rpartition("/")[2], set()).add(id)
    return {kind: {of: sorted(ids) for of, ids in qualifiers.items()} for kind, qualifiers in found.items()}


def _property_of(plain: Any) -> Property | None:
    if plain is None:
        return None
    constraints: Mapping[str, Mapping[str, list[str]]] = plain["constraints"]

    def ids(kinds: Iterable[str], of: str) -> frozenset[str]:
        return frozenset(id for kind in kinds for id in constraints.get(kind, {}).get(of, ()))

    def relation(kind: str) -> Literal["instance", "subclass", "either"]:
        relations = {_RELATIONS[id] for id in ids([kind], _RELATION) if id in _RELATIONS}
        return relations.pop() if len(relations) == 1 else "either" if relations else "instance"

    return Property(
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


def _redirected_or(rows: Sequence[Row], facts: dict[str, Any]) -> dict[str, Any] | None:
    if targets := _items_in(rows, "target"):
        return {"target": targets[0]}
    return facts if rows else None


def _read_above(key: Key, rows: Sequence[Row]) -> list[str]:
    return _items_in(rows, "above")


def _read_candidates(key: Key, rows: Sequence[Row]) -> list[Any]:
    languages = key[1].split(",")
    best: dict[str, tuple[tuple[bool, int], list[Any]]] = {}
    for row in rows:
        if not (item := _item_in(row["item"])) or item.startswith("P"):
            continue
        is_label, language = row["is_label"].value in ("true", "1"), _literals_in([row], "name")[0].language or ""
        sitelinks = _integer(row.get("sitelinks"))
        found = ((not is_label, languages.index(language)), [item, is_label, language, sitelinks])
        best[item] = min(best.get(item, found), found, key=lambda one: one[0])
    return sorted((one for _, one in best.values()), key=lambda one: (-(one[3] or 0), int(one[0][1:])))


def _candidates_of(key: Key) -> Callable[[Any], tuple[Candidate, ...]]:
    def load(plain: Any) -> tuple[Candidate, ...]:
        return tuple(Candidate(item, key[0], is_label, language, links) for item, is_label, language, links in plain)

    return load


def _read_connections(key: Key, rows: Sequence[Row]) -> list[str]:
    predicates = {row["predicate"].value for row in rows}
    return sorted(one.removeprefix(WIKIDATA_DIRECT) for one in predicates if one.startswith(WIKIDATA_DIRECT))


def _read_qualified(key: Key, rows: Sequence[Row]) -> list[str]:
    properties = {row["property"].value.removeprefix(_PROP) for row in rows}
    return sorted(one for one in properties if queries.is_id(one, kinds="P"))


def _item_in(term: Term | None) -> str:
    """The id (Q or P) that an IRI ends in, or "" for any other term."""
    return queries.id_of(term.value) if isinstance(term, NamedNode) else ""


def _items_in(rows: Iterable[Row], variable: str) -> list[str]:
    return sorted({id for row in rows if (id := _item_in(row.get(variable)))})


def _literals_in(rows: Iterable[Row], variable: str) -> list[RdfLiteral]:
    return [term for row in rows if isinstance(term := row.get(variable), RdfLiteral)]


def _integer(term: Term | None) -> int | None:
    return int(term.value) if term is not None else None


def _decimal(term: Term | None) -> Decimal | None:
    try:
        return Decimal(term.value) if term is not None else None
    except InvalidOperation as error:
        raise ValueError(f"'{term}' is no number") from error


def _asked(row: Row) -> Key:
    return _item_in(row["asked"]), ""


def _holds(one: str, all: Sequence[str]) -> bool:
    return one in all


def _loaded(load: Callable[[Any], T], value: Any) -> T | NotChecked:
    return value if isinstance(value, NotChecked) else load(value)


def _with_id(value: Any, id: str) -> Any:
    return value | {"id": id} if isinstance(value, dict) else value


def _spoken(languages: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(queries.checked_language, languages)))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= queries.LONGEST_NAME and not any("\ud800" <= character <= "\udfff" for character in text)


def _firsts(keys: Iterable[Key]) -> list[str]:
    return [first for first, _ in keys]


def _items(languages: Sequence[str]) -> _Kind:
    return _Kind(
        "items",
        share=3,
        query=lambda keys: queries.items(_firsts(keys), languages=languages),
        read=_read_item,
        key=lambda row: (_item_in(row["asked"]), ",".join(languages)),
    )


def _candidates(languages: Sequence[str]) -> _Kind:
    return _Kind(
        "names",
        share=1,
        query=lambda keys: queries.candidates(_firsts(keys), languages=languages),
        read=_read_candidates,
        key=lambda row: (row["name"].value, ",".join(languages)),
    )


_CLAIMS = _Kind(
    "statements",
    share=1,
    query=queries.claims,
    read=_read_statements,
    key=lambda row: (_item_in(row["asked"]), row["property"].value.removeprefix(_PROP)),
)
_PROPERTIES = _Kind(
    "properties",
    share=0.25,  # those about which most is said are asked about
    query=lambda keys: queries.properties(_firsts(keys), languages=("en", "mul")),
    read=_read_property,
    key=_asked,
)
_SUPERCLASSES = _Kind(
    "classes", share=1, query=lambda keys: queries.superclasses(_firsts(keys)), read=_read_above, key=_asked
)
_AREAS = _Kind("places", share=1, query=lambda keys: queries.areas(_firsts(keys)), read=_read_above, key=_asked)
_CONNECTIONS = _Kind(
    "connections",
    share=5,
    query=queries.connections,
    read=_read_connections,
    key=lambda row: (_item_in(row["subject"]), _item_in(row["object"])),
)
_QUALIFIED = _Kind(
    "qualifiers",
    share=5,
    query=queries.qualified,
    read=_read_qualified,
    key=lambda row: (_item_in(row["asked"]), row["qualifier"].value.removeprefix(f"{_PROP}qualifier/")),
)
