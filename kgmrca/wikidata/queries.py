"""The text of every query. What a user gives becomes part of a query as an id or a literal, by two functions here only.

The queries are plain SPARQL 1.1 (https://www.w3.org/TR/sparql11-query/) without extensions, so that the same text runs
on Wikidata's own service, on QLever and on Oxigraph. Each asks about many keys at once with `VALUES`, and the first
variables of a row tell which key it is about. The data have the shape of Wikibase's RDF
(https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format).
"""

import re
from collections.abc import Iterable

from pyoxigraph import Literal

from kgmrca.errors import InputError
from kgmrca.names import spellings
from kgmrca.ontology import WIKIDATA_ENTITY
from kgmrca.triples.items import is_item_id, is_property_id

__all__ = [
    "CONSTRAINTS",
    "INSIDE",
    "LONGEST_NAME",
    "PROFILE",
    "areas",
    "candidates",
    "checked_id",
    "checked_language",
    "claims",
    "connections",
    "direct_values",
    "fallbacks",
    "id_of",
    "is_id",
    "items",
    "literal",
    "profiles",
    "properties",
    "property_iris",
    "qualified",
    "superclasses",
    "surroundings",
    "survey",
]

LONGEST_NAME = 250
"""The most characters that a label or an alias on Wikidata has (Wikibase's limit for terms)."""

CONSTRAINTS = (
    "Q19474404",  # single value
    "Q52060874",  # single best value
    "Q21503250",  # subject type
    "Q21510865",  # value type
    "Q21510862",  # symmetric
)
"""The kinds of constraints that are looked up."""

# Properties of items only, which every part of Wikidata that is worth asking has: places, people, organizations.
_COMMON = ("P17", "P19", "P27", "P106", "P131", "P279", "P569", "P571")
PROFILE = (
    *("P31", "P106", "P39", "P101", "P641", "P413", "P136"),  # what it is, what a person does
    *("P27", "P17", "P131", "P276", "P495", "P159", "P19", "P20"),  # where
    *("P569", "P570", "P571", "P576", "P577", "P580", "P585"),  # when
    *("P54", "P102", "P108", "P69", "P361", "P50", "P57", "P175", "P178", "P127", "P112"),  # of, by or with whom
)
"""The properties whose values tell namesakes apart in a text."""

INSIDE = ("P131", "P17", "P276", "P706", "P361", "P30")
"""The properties that lead from a place to what it lies in: area, country, location, landform, whole, continent."""

_FORMS = {
    "P": "that of a property is P and a number, such as P19",
    "Q": "that of an item is Q and a number, such as Q42",
    "PQ": "it is P or Q and a number, such as P19 or Q42",
}
_LANGUAGE = re.compile(r"[a-zA-Z]+(-[a-zA-Z0-9]+)*", re.ASCII)
_REGIONAL = {
    "de": ("de-at", "de-ch"),
    "en": ("en-gb", "en-us", "en-ca"),
    "pt": ("pt-br",),
    "sr": ("sr-ec", "sr-el"),
    "zh": ("zh-hans", "zh-hant", "zh-cn", "zh-tw", "zh-hk"),
}
_SPECIAL = re.compile(r'\\[uU]?|["\n\r]')
_ESCAPED = {'"': '\\"', "\n": "\\n", "\r": "\\r", "\\": "\\\\", "\\u": "\\\\\\u0075", "\\U": "\\\\\\u0055"}
_SURROGATE = re.compile("[\ud800-\udfff]")

_PREFIXES = """\
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX p: <http://www.wikidata.org/prop/>
PREFIX pq: <http://www.wikidata.org/prop/qualifier/>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX ps: <http://www.wikidata.org/prop/statement/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <http://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wd: <http://www.wikidata.org/entity/>
PREFIX wdt: <http://www.wikidata.org/prop/direct/>
PREFIX wikibase: <http://wikiba.se/ontology#>
"""


def is_id(text: str, *, kinds: str = "PQ") -> bool:
    """Whether a text is an id of Wikidata: P or Q (one of `kinds`) and a number.

    >>> is_id("Q90"), is_id("Q90", kinds="P"), is_id("Q0")
    (True, False, False)
    """
    return ("P" in kinds and is_property_id(text)) or ("Q" in kinds and is_item_id(text))


def id_of(iri: str, *, kinds: str = "PQ") -> str:
    """The id (see `is_id`) of the item or property with this IRI, or "".

    >>> id_of("http://www.wikidata.org/entity/Q90"), id_of("urn:Q90")
    ('Q90', '')
    """
    id = iri.removeprefix(WIKIDATA_ENTITY)
    return id if id != iri and is_id(id, kinds=kinds) else ""


def checked_id(id: str, *, kinds: str = "PQ") -> str:
    """The id, if it is one (see `is_id`).

    Raises:
        InputError: it is none.

    >>> checked_id("Q42", kinds="Q")
    'Q42'
    """
    if not is_id(id, kinds=kinds):
        raise InputError(f"'{id}' is not an id of Wikidata: {_FORMS[kinds]}.")
    return id


def checked_language(tag: str) -> str:
    """The language tag in lower case, as Wikidata writes it.

    Raises:
        InputError: it is no language tag (BCP 47).

    >>> checked_language("pt-BR")
    'pt-br'
    """
    try:
        if not _LANGUAGE.fullmatch(tag):
            raise ValueError("it has other characters than letters, digits and '-', or empty parts")
        Literal("", language=tag)  # checks it
    except ValueError as error:
        raise InputError(f"'{tag}' is not a language tag, as 'en' and 'pt-br' are: {error}.") from error
    return tag.lower()


def fallbacks(tag: str) -> tuple[str, ...]:
    """The languages in which a name is taken if there is none in a language, that language first.

    These are the language without its region, Wikidata's "mul" for all languages, and regional forms of the language.

    >>> fallbacks("en"), fallbacks("pt-br")
    (('en', 'mul', 'en-gb', 'en-us', 'en-ca'), ('pt-br', 'pt', 'mul'))
    """
    tag = checked_language(tag)
    return tuple(dict.fromkeys((tag, tag.partition("-")[0], "mul", *_REGIONAL.get(tag, ()))))


def literal(text: str, language: str | None = None) -> str:
    r"""A text, with its language if it has one, as a literal of SPARQL. Any text is escaped safely.

    Some services replace `\\u0022` in a query before they parse it, even behind a backslash (section 19.2). So that all
    services read the same text, a "u" behind a backslash is written as an escape too.

    Raises:
        InputError: it is no language tag, or the text has a lone surrogate, which UTF-8 cannot hold.

    >>> print(literal('the "city"', "en"))
    "the \"city\""@en
    """
    tag = "" if language is None else f"@{checked_language(language)}"
    if _SURROGATE.search(text):
        raise InputError(f"{text!r} contains a lone surrogate, which UTF-8 cannot hold.")
    return f'"{_SPECIAL.sub(lambda match: _ESCAPED[match[0]], text)}"{tag}'


def claims(pairs: Iterable[tuple[str, str]]) -> str:
    """The claims of items with a property, of any rank, for (item, property) pairs, as triples of statement nodes.

    A row is one triple (`?statement ?predicate ?object`), so that qualifiers add rows instead of multiplying them. If
    the object is a value node, the row has its parts; if it is an item that redirects, `?target`. The item of a pair
    may redirect as well. References are left out.
    """
    rows = " ".join(f"(wd:{checked_id(item, kinds='Q')} p:{checked_id(name, kinds='P')})" for item, name in pairs)
    return f"""{_PREFIXES}
SELECT ?asked ?property ?statement ?predicate ?object ?target ?time ?precision ?calendar ?amount ?unit ?lower ?upper
WHERE {{
  VALUES (?asked ?property) {{ {rows} }}
  {{ ?asked ?property ?statement }} UNION {{ ?asked owl:sameAs ?item . ?item ?property ?statement }}
  ?statement ?predicate ?object
  FILTER(?predicate != prov:wasDerivedFrom)
  OPTIONAL {{ ?object owl:sameAs ?target }}
  OPTIONAL {{
    ?object wikibase:timeValue ?time
    OPTIONAL {{ ?object wikibase:timePrecision ?precision }}
    OPTIONAL {{ ?object wikibase:timeCalendarModel ?calendar }}
  }}
  OPTIONAL {{
    ?object wikibase:quantityAmount ?amount
    OPTIONAL {{ ?object wikibase:quantityUnit ?unit }}
    OPTIONAL {{ ?object wikibase:quantityLowerBound ?lower }}
    OPTIONAL {{ ?object wikibase:quantityUpperBound ?upper }}
  }}
}}"""


def direct_values(pairs: Iterable[tuple[str, str]]) -> str:
    """The values of items with a property by its direct predicate (`wdt:`), for (item, property) pairs.

    Where data have no statement nodes, this is what they have: the values of the best rank, without qualifiers.
    """
    rows = " ".join(f"(wd:{checked_id(item, kinds='Q')} wdt:{checked_id(name, kinds='P')})" for item, name in pairs)
    return f"""{_PREFIXES}
SELECT ?asked ?property ?object ?target WHERE {{
  VALUES (?asked ?property) {{ {rows} }}
  {{ ?asked ?property ?object }} UNION {{ ?asked owl:sameAs ?item . ?item ?property ?object }}
  OPTIONAL {{ ?object owl:sameAs ?target }}
}}"""


def survey() -> str:
    """Which parts of Wikidata's data there are at all: a variable is bound in some row if there is its part.

    Each part is asked for by one triple with a fixed predicate, which costs little however large the data are.
    """
    parts = [
        *(("statements", f"?statements ps:{name} ?value") for name in _COMMON),
        ("ranks", "?ranks wikibase:rank ?rank"),
        ("constraints", "?constraints p:P2302 ?constraint"),
        ("constraints", "?constraints wdt:P2302 ?constraint"),
        ("sitelinks", "?sitelinks wikibase:sitelinks ?number"),
        ("labels", "?labels rdfs:label ?label"),
        ("items", "?items wdt:P31 ?class"),
        ("items", "?items wikibase:sitelinks ?number"),
        ("items", "?items wikibase:statements ?number"),
        ("items", "?items a wikibase:Item"),
    ]
    some = "\n  UNION ".join(f"{{ SELECT ?{name} WHERE {{ {pattern} }} LIMIT 1 }}" for name, pattern in parts)
    return f"""{_PREFIXES}
SELECT ?statements ?ranks ?constraints ?sitelinks ?labels ?items WHERE {{
  {some}
}}"""


def items(ids: Iterable[str], *, languages: Iterable[str]) -> str:
    """What items redirect to, their classes (P31), their labels in these languages and their numbers of sitelinks.

    A row has one of `?target`, `?type`, `?label`, `?sitelinks`. Wikidata's service has the number of sitelinks at the
    item, and the dumps have it at the item's description. `?known` only means that there is such an item.
    """
    rows = " ".join(f"wd:{checked_id(id, kinds='Q')}" for id in ids)
    return f"""{_PREFIXES}
SELECT ?asked ?target ?type ?label ?sitelinks ?known WHERE {{
  VALUES ?asked {{ {rows} }}
  {{ ?asked owl:sameAs ?target }}
  UNION {{ ?asked wdt:P31 ?type }}
  UNION {{ ?asked rdfs:label ?label FILTER({_in_languages("?label", languages)}) }}
  UNION {{ ?asked wikibase:sitelinks ?sitelinks }}
  UNION {{ ?data schema:about ?asked ; wikibase:sitelinks ?sitelinks }}
  UNION {{ ?asked wikibase:statements ?known }}
  UNION {{ ?asked a wikibase:Item BIND(true AS ?known) }}
}}"""


def properties(ids: Iterable[str], *, languages: Iterable[str]) -> str:
    """Labels, datatype, inverses (P1696), super-properties (P1647) and constraints (P2302) of properties.

    A row has one of `?target`, `?label`, `?datatype`, `?inverse`, `?super`, or it has `?constraint`, `?kind` (of
    `CONSTRAINTS`), `?rank`, and `?predicate` and `?object` of a qualifier, if the constraint has one of separator
    (P4155), class (P2308), relation (P2309), exception (P2303). Data without statement nodes have the `?kind` alone.
    """
    rows = " ".join(f"wd:{checked_id(id, kinds='P')}" for id in ids)
    kinds = " ".join(f"wd:{kind}" for kind in CONSTRAINTS)
    return f"""{_PREFIXES}
SELECT ?asked ?target ?label ?datatype ?inverse ?super ?constraint ?kind ?rank ?predicate ?object WHERE {{
  VALUES ?asked {{ {rows} }}
  {{ ?asked owl:sameAs ?target }}
  UNION {{ ?asked rdfs:label ?label FILTER({_in_languages("?label", languages)}) }}
  UNION {{ ?asked wikibase:propertyType ?datatype }}
  UNION {{ ?asked wdt:P1696 ?inverse }}
  UNION {{ ?asked wdt:P1647 ?super }}
  UNION {{
    ?asked p:P2302 ?constraint .
    ?constraint ps:P2302 ?kind
    VALUES ?kind {{ {kinds} }}
    OPTIONAL {{ ?constraint wikibase:rank ?rank }}
    OPTIONAL {{ ?constraint ?predicate ?object FILTER(?predicate IN (pq:P2303, pq:P2308, pq:P2309, pq:P4155)) }}
  }}
  UNION {{ ?asked wdt:P2302 ?kind VALUES ?kind {{ {kinds} }} }}
}}"""


def property_iris() -> str:
    """Some properties of the endpoint, `?property`, whose IRIs tell whose data it has."""
    return f"""{_PREFIXES}
SELECT ?property WHERE {{ {{ SELECT ?property WHERE {{ ?property wikibase:propertyType ?type }} LIMIT 20 }} }}"""


def superclasses(classes: Iterable[str]) -> str:
    """The superclasses (P279) of classes over any number of steps: `?asked`, `?above`."""
    return _above(classes, "wdt:P279")


def areas(places: Iterable[str]) -> str:
    """The areas that places lie in (P131) over any number of steps: `?asked`, `?above`."""
    return _above(places, "wdt:P131")


def surroundings(places: Iterable[str]) -> str:
    """What places lie in, in one of the ways `INSIDE`, over any number of steps: `?asked`, `?above`.

    The countries (P17) are those of all ranks, because people were born in countries that are no more.
    """
    return _above(places, *(f"wdt:{name}" for name in INSIDE), "p:P17/ps:P17")


def candidates(names: Iterable[str], *, languages: Iterable[str]) -> str:
    """The items with a label or an alias that is one of a name's spellings, in one of these languages.

    A row has `?asked` (the name), `?name` (the spelling), `?item`, `?is_label` (otherwise it is an alias), and
    `?sitelinks` if the number is known.
    """
    tags = list(languages)
    rows = " ".join(
        f"({literal(name)} {literal(spelling, language)})"
        for name in names
        for spelling in spellings(name)
        for language in tags
    )
    return f"""{_PREFIXES}
SELECT ?asked ?name ?item ?is_label ?sitelinks WHERE {{
  VALUES (?asked ?name) {{ {rows} }}
  {{ ?item rdfs:label ?name BIND(true AS ?is_label) }} UNION {{ ?item skos:altLabel ?name BIND(false AS ?is_label) }}
  OPTIONAL {{
    {{ ?item wikibase:sitelinks ?sitelinks }} UNION {{ ?data schema:about ?item ; wikibase:sitelinks ?sitelinks }}
  }}
}}"""


def profiles(ids: Iterable[str], *, languages: Iterable[str]) -> str:
    """The descriptions of items in these languages, and the values of the properties `PROFILE`.

    A row has `?description`, or `?property` and `?value` with `?label`, if the value is an item that has one in one of
    the languages.
    """
    tags = list(languages)
    rows = " ".join(f"wd:{checked_id(id, kinds='Q')}" for id in ids)
    telling = " ".join(f"wdt:{name}" for name in PROFILE)
    return f"""{_PREFIXES}
SELECT ?asked ?description ?property ?value ?label WHERE {{
  VALUES ?asked {{ {rows} }}
  {{ ?asked schema:description ?description FILTER({_in_languages("?description", tags)}) }}
  UNION {{
    VALUES ?property {{ {telling} }}
    ?asked ?property ?value
    OPTIONAL {{ ?value rdfs:label ?label FILTER({_in_languages("?label", tags)}) }}
  }}
}}"""


def connections(pairs: Iterable[tuple[str, str]]) -> str:
    """The predicates from the first item of a pair to the second: `?subject`, `?object`, `?predicate`."""
    rows = " ".join(f"(wd:{checked_id(one, kinds='Q')} wd:{checked_id(other, kinds='Q')})" for one, other in pairs)
    return f"""{_PREFIXES}
SELECT ?subject ?object ?predicate WHERE {{
  VALUES (?subject ?object) {{ {rows} }}
  ?subject ?predicate ?object
}}"""


def qualified(pairs: Iterable[tuple[str, str]]) -> str:
    """The properties (`p:`) of items' claims that have a qualifier, for (item, qualifier) pairs."""
    rows = " ".join(f"(wd:{checked_id(item, kinds='Q')} pq:{checked_id(name, kinds='P')})" for item, name in pairs)
    return f"""{_PREFIXES}
SELECT DISTINCT ?asked ?qualifier ?property WHERE {{
  VALUES (?asked ?qualifier) {{ {rows} }}
  ?asked ?property ?statement .
  ?statement ?qualifier ?value
}}"""


def _above(ids: Iterable[str], *paths: str) -> str:
    rows = " ".join(f"wd:{checked_id(id, kinds='Q')}" for id in ids)
    return f"""{_PREFIXES}
SELECT DISTINCT ?asked ?above WHERE {{
  VALUES ?asked {{ {rows} }}
  ?asked ({"|".join(paths)})+ ?above
}}"""


def _in_languages(variable: str, languages: Iterable[str]) -> str:
    tags = ", ".join(f'"{checked_language(language)}"' for language in languages)
    return f"LANG({variable}) IN ({tags})"
