"""Commands of QuickStatements, version 1 of its language, as its versions 2 and 3 read them. Nothing is uploaded.

A command is a line with tabs between its cells (https://www.wikidata.org/wiki/Help:QuickStatements). The grammar is
that of the two parsers: `parseValueV1` in `quickstatements.php` of magnusmanske/quickstatements, and `parsers/base.py`
and `parsers/v1.py` of WikiMovimentoBrasil/quickstatements3. A text stands between the first and the last quote of its
cell, and nothing in it is escaped. So what one of the two would read as something else has no form here: version 3
takes every "|" for a tab, makes straight quotes of “ and ”, and takes off two more quotes where a text has two at each
end.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain

from kgmrca.ontology import load_properties, wikidata_predicate
from kgmrca.triples.iris import clean_text
from kgmrca.wikidata.records import Value
from kgmrca.wikidata.values import EARTH, JULIAN, file_name, in_julian, point_of

__all__ = ["clean_line", "command", "value_text", "why_not"]

_DATE = re.compile(r"[+]?(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_LANGUAGE = re.compile("[a-z_-]+", re.ASCII)
_LINK = re.compile(r"https?://[^\s\"<>]+", re.ASCII)
_FIRST_GREGORIAN_YEAR = 1583
_DECADE, _CENTURY = 8, 7
_MOST_DIGITS = 100  # of an amount

_PLACES = frozenset({"P625"})
_LINKS = frozenset({"P854", "P856", "P953", "P973", "P1065", "P2699"})  # official website and the like
_NO_PAGE = re.compile(r"https?://(?:www\.)?wikidata\.org/(?:entity|prop|wiki)/\S*?\b[PLE][0-9]+\S*", re.ASCII)
_STRINGS = frozenset({"P281"})  # of our properties, those that have texts as values
# Properties of which each value needs a unit, and those of texts that need their language.
_WITH_UNIT = frozenset(
    f"P{number}"
    for number in (
        *(1198, 2043, 2044, 2046, 2047, 2048, 2049, 2050, 2052, 2053, 2054, 2067, 2076, 2101, 2102, 2109, 2120, 2130),
        *(2131, 2132, 2139, 2144, 2218, 2226, 2295, 2386, 2403, 2769, 3157, 4131),
    )
)
_WITH_LANGUAGE = frozenset(
    f"P{number}"
    for number in (1448, 1449, 1451, 1476, 1477, 1549, 1559, 1680, 1683, 1684, 1705, 1813, 1843, 2096, 2561)
)
_NAMES = {"item": "an item", "time": "a date", "quantity": "a number", "text": "a text", "other": "a link"}


def command(
    item: str,
    property: str,
    value: str,
    *,
    qualifiers: Sequence[tuple[str, str]] = (),
    stated_in: str = "",
    url: str = "",
) -> str:
    """The command that adds a claim, as a line, with an item, a web page or both as its reference.

    Args:
        value: as `value_text` gives it.
        qualifiers: properties with their values, in the same form.
        stated_in: the id of the item that the claim is stated in (P248).
        url: where the claim can be read (P854).

    >>> command("Q7186", "P19", "Q270", stated_in="Q328").split()
    ['Q7186', 'P19', 'Q270', 'S248', 'Q328']
    """
    cells = [item, property, value, *chain.from_iterable(qualifiers)]
    if stated_in:
        cells += ["S248", stated_in]
    if url:
        cells += ["S854", _quoted(url.replace("|", "%7C"))]
    return "\t".join(cells) + "\n"


def value_text(value: Value, property: str) -> str:
    """A value as QuickStatements reads it; "" if it has no form there, or the property does not take such a value.

    The kinds of values are known for the properties in our table of relations. Other properties take any.

    >>> value_text(Value("time", "1867-11-07", precision=11), "P569")
    '+1867-11-07T00:00:00Z/11'
    >>> value_text(Value("item", "Q270"), "P19"), value_text(Value("text", "Warsaw"), "P19")
    ('Q270', '')
    """
    return _written(value, property)[0]


def why_not(value: Value, property: str) -> str:
    """Why a value has no form in QuickStatements, as the end of a sentence; "" if it has one.

    >>> why_not(Value("text", "a|b"), "P742")
    'its text contains |, which QuickStatements takes for the end of a cell'
    """
    return _written(value, property)[1]


def clean_line(text: str) -> str:
    """A text in one line: white space of any kind becomes single spaces, without any at the ends.

    >>> clean_line(" two   parts ")
    'two parts'
    """
    return " ".join(clean_text(text).split())


def _written(value: Value, property: str) -> tuple[str, str]:
    """A value's form and "", or "" and why it has none."""
    if kind := _kind_of(property):
        if kind == "text" and value.kind == "quantity":
            value = Value("text", value.text)
        if value.kind != kind:
            return "", f"{property} takes {_NAMES[kind]}, and this is none"
    if property in _PLACES and not point_of(value.text):
        return "", f"{property} takes a place, and this is none"
    if property in _LINKS and not (value.kind in ("text", "other") and _LINK.fullmatch(value.text.strip())):
        return "", f"{property} takes a link that begins with http:// or https://, and this is none"
    if value.kind == "item":
        return value.text, ""
    if value.kind == "time":
        text = _time(value)
        return text, "" if text else "its date has no known precision, or is no day of the calendar"
    if value.kind == "quantity":
        return _quantity(value, property)
    if value.kind == "text":
        return _text(value, property)
    if value.kind == "other":
        return _place_or_link(value.text)
    return "", "its value is unknown"


def _kind_of(property: str) -> str:
    """The kind of value that a property takes; "" if it is not in our table of relations."""
    known = load_properties().get(wikidata_predicate(property) or "")
    if known is None:
        return ""
    kinds = {frozenset({"TIME"}): "time", frozenset({"NUM"}): "quantity"}
    return "text" if property in _STRINGS else kinds.get(known.object_types, "item")


def _time(value: Value) -> str:
    """A date; "" if it is none. 1 BCE is the year 0 in the graph (XSD 1.1) and -1 in Wikibase.

    Days are Gregorian in the graph, and are written as Julian ones if they have that calendar. Years and months before
    1583 are written as Julian ones.
    """
    match = _DATE.fullmatch(value.text)
    if match is None:
        return ""
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if month > 12 or (day and not 1 <= day <= _days_in(year, month)):
        return ""
    precision = 9 + bool(match[2]) + bool(match[3])
    if value.precision is not None and value.precision < precision:
        precision = value.precision
    is_julian = year < _FIRST_GREGORIAN_YEAR and not day
    if day and value.calendar == JULIAN:
        (year, month, day), is_julian = in_julian((year, month, day)), True
    if precision == _DECADE:
        year = year // 10 * 10
    elif precision <= _CENTURY:
        span = 10 ** (9 - precision)
        year = (year - 1) // span * span + 1
    sign, number = ("+", year) if year > 0 else ("-", 1 - year)
    date = f"{number:04}-{month if precision > 9 else 0:02}-{day if precision > 10 else 0:02}"
    return f"{sign}{date}T00:00:00Z/{precision}{'/J' * is_julian}"


def _days_in(year: int, month: int) -> int:
    """The days of a Gregorian month, in years of XSD 1.1; 0 if there is no such month."""
    return monthrange(year % 400 + 400, month)[1] if 1 <= month <= 12 else 0


def _quantity(value: Value, property: str) -> tuple[str, str]:
    if not value.unit and property in _WITH_UNIT:
        return "", "its number has no unit"
    amount = format(Decimal(value.text), "f")
    if len(amount) > _MOST_DIGITS:
        return "", "its number is too long"
    return amount + (f"U{value.unit[1:]}" if value.unit else ""), ""


def _text(value: Value, property: str) -> tuple[str, str]:
    text, language = clean_line(value.text), value.language.lower()
    if not text:
        return "", "its text is empty"
    if clean_text(value.text) != value.text:
        return "", "its text contains a control character or half a character"
    if why := _why_no_text(text):
        return "", why
    if property in _STRINGS:
        language = ""
    if property in _WITH_LANGUAGE and not language:
        return "", "its text does not say its language"
    if language and not _LANGUAGE.fullmatch(language):
        return "", f"QuickStatements knows no language '{language}'"
    return (f"{language}:" if language else "") + _quoted(text), ""


def _why_no_text(text: str) -> str:
    if "|" in text:
        return "its text contains |, which QuickStatements takes for the end of a cell"
    if "“" in text or "”" in text:
        return "its text contains “ or ”, of which QuickStatements makes straight quotes"
    if len(text) > 3 and text.startswith('""') and text.endswith('""'):
        return "its text begins and ends with two quotes, which QuickStatements takes off"
    return ""


def _place_or_link(text: str) -> tuple[str, str]:
    if point := point_of(text):
        globe, longitude, latitude = point
        return (f"@{latitude:f}/{longitude:f}", "") if globe == EARTH else ("", "its place is not on Earth")
    if name := file_name(text):
        why = _why_no_text(name)
        return ("", why) if why else (_quoted(name), "")
    if _NO_PAGE.fullmatch(text):
        return "", "its object is a property or a lexeme of Wikidata, and no web page"
    if _LINK.fullmatch(text):
        return _quoted(text.replace("|", "%7C")), ""
    return "", "its object is neither an item nor a link to a web page"


def _quoted(text: str) -> str:
    return f'"{clean_line(text)}"'
