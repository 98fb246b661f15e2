"""Values of claims: compared with one another, and in words. Nothing is looked up here.

Dates are compared at the coarser of their two precisions. On both sides years are those of XSD 1.1 (0 is 1 BCE) and
days are Gregorian. Wikidata's RDF has days of the Julian calendar converted, but not months and years, which are
compared as they are (https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format#Time). Texts have such a day as
the calendar of its time has it, so a day of the Julian calendar is compared in both calendars.
"""

import re
from calendar import monthrange
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Literal, TypeAlias
from urllib.parse import unquote

from kgmrca.wikidata.records import Value

__all__ = [
    "EARTH",
    "JULIAN",
    "Agreement",
    "compare",
    "file_name",
    "in_julian",
    "in_words",
    "is_date",
    "is_later",
    "is_link",
    "is_unknown",
    "number",
    "point_of",
    "span_in_words",
]

Agreement: TypeAlias = Literal["same", "near", "different", "incomparable"]

_Day: TypeAlias = tuple[int, int, int]

_DAY, _MONTH, _YEAR, _DECADE, _CENTURY, _MILLENNIUM = 11, 10, 9, 8, 7, 6
JULIAN = "Q1985786"
"""The calendar model of the Julian calendar."""
_MONTHS = dict(
    enumerate(
        (
            *("January", "February", "March", "April", "May", "June"),
            *("July", "August", "September", "October", "November", "December"),
        ),
        start=1,
    )
)
# A time zone may follow: in "1867-05:00" there is no month.
_DATE = re.compile(r"([+-]?\d+)(?:-(\d\d)(?!:))?(?:-(\d\d)(?!:))?", re.ASCII)
_XSD_DATE = re.compile(r"-?(\d{4,})(?:-(\d\d)(?!:))?(?:-(\d\d)(?!:))?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_MIDNIGHT = re.compile(r"T00:00:00(?:\.0+)?(?:Z|[+-]00:00)?$", re.ASCII)
_FILE = re.compile(r"https?://commons\.wikimedia\.org/wiki/(?:Special:FilePath/|File:)(.+)")
_HOST_ONLY = re.compile(r"https?://[^\s/?#]+", re.ASCII | re.IGNORECASE)
_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"<>]+", re.ASCII)
_ZONE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?([+-]\d\d:\d\d)", re.ASCII)
_NO_LANGUAGE = frozenset({"", "mul", "und", "mis", "zxx"})
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_POINT = re.compile(r"(?:<([^>]*)>\s*)?Point\s*(?:Z\s*)?\(\s*(\S+)\s+([^\s)]+)(?:\s+[^\s)]+)?\s*\)", re.IGNORECASE)
# What GeoSPARQL takes where none is named (OGC 22-047r1, section 8.5.1): longitude and latitude on Earth.
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EARTH = "http://www.wikidata.org/entity/Q2"
"""The globe of a point that names none."""
_SAME_PLACE, _NEAR_PLACE = Decimal("0.001"), Decimal("0.1")  # degrees: about 100 m, and about 10 km
# Blank nodes that a store has given an IRI (RDF 1.1, section 3.5, and what stores do that do not follow it).
_SKOLEM = re.compile(
    r"nodeID://|bnode:|_:|genid[:/-]|urn:(?:bnode|genid):|.*/(?:\.well-known/)?(?:genid|bnode|blank-node)[/#]"
)


def is_unknown(iri: str) -> bool:
    """Whether an IRI stands for a blank node, with which Wikidata's RDF says that a value is unknown.

    >>> is_unknown("http://www.wikidata.org/.well-known/genid/1f3"), is_unknown("nodeID://b1"), is_unknown("urn:x")
    (True, True, False)
    """
    return _SKOLEM.match(iri) is not None


def compare(ours: Value, theirs: Value) -> Agreement:
    """How our value agrees with one of Wikidata's.

    Returns:
        "same" if Wikidata's value equals ours or is more precise, or if our number lies within its bounds. "near" if
        Wikidata's value is less precise than ours (a year for a day), is another day or month of the same year, has our
        number between its bounds but with a unit, is a place nearby, or is the same text in another language.
        "different" if the values exclude each other.
        "incomparable" otherwise, as for values of different kinds, and for different texts in two languages.

    >>> compare(Value("time", "1867", precision=9), Value("time", "1867-11-07", precision=11))
    'same'
    >>> compare(Value("item", "Q90"), Value("item", "Q270"))
    'different'
    """
    if theirs.kind == "novalue":
        return "different"
    if "item" in (ours.kind, theirs.kind) or "somevalue" in (ours.kind, theirs.kind):
        if ours.kind != theirs.kind:
            return "incomparable"
        return "same" if ours.text == theirs.text else "different"
    if ours.kind == theirs.kind == "time":
        return _compare_times(ours, theirs)
    if ours.kind == theirs.kind == "quantity":
        return _compare_quantities(ours, theirs)
    if theirs.kind not in ("text", "other"):
        return "incomparable"
    if _exported(ours, theirs) == _exported(theirs, theirs):
        return "same" if _may_be_one_language(ours.language, theirs.language) else "near"
    if (our_point := point_of(ours.text)) and (point := point_of(theirs.text)):
        return _compare_points(our_point, point)
    is_translated = ours.language and theirs.language and ours.language != theirs.language
    return "incomparable" if is_translated or ours.kind not in ("text", "other") else "different"


def is_later(value: Value, than: Value) -> bool | None:
    """Whether one time is later than another, at the coarser of their precisions; None if one of them is no date.

    >>> is_later(Value("time", "2015", precision=9), Value("time", "2014-12-31", precision=11))
    True
    """
    if value.kind != "time" or than.kind != "time":
        return None
    (date, precision), (other, other_precision) = _date(value), _date(than)
    if date is None or other is None:
        return None
    coarser = min(precision, other_precision)
    return _rounded(date, coarser) > _rounded(other, coarser)


def in_words(value: Value) -> str:
    """A value as a person says it: dates at their precision and in their calendar, units behind numbers.

    >>> in_words(Value("time", "1850-01-01T00:00:00Z", precision=7)), in_words(Value("time", "-0043-03", precision=10))
    ('19th century', 'March 44 BCE')
    >>> in_words(Value("quantity", "+330", unit="Q11573"))
    '330 (unit Q11573)'
    """
    if value.kind == "time":
        return _date_in_words(value)
    if value.kind == "quantity":
        text = value.text.removeprefix("+")
        return f"{text} (unit {value.unit})" if value.unit else text
    if value.kind == "text" and value.language:
        return f"{value.text} ({value.language})"
    return {"somevalue": "an unknown value", "novalue": "no value"}.get(value.kind, value.text)


def span_in_words(year: int, precision: int) -> str:
    """A year, or the decade or longer span that has it; the year 0 is 1 BCE (XSD 1.1, part 2, appendix E.1).

    >>> span_in_words(1987, 8), span_in_words(1900, 7), span_in_words(-43, 9)
    ('1980s', '19th century', '44 BCE')
    """
    number, era = (year, "") if year > 0 else (1 - year, " BCE")
    if precision >= _YEAR:
        return f"{number}{era}"
    if precision == _DECADE:
        return f"{number // 10 * 10}s{era}"
    if precision == _CENTURY:
        return f"{_ordinal((number + 99) // 100)} century{era}"
    if precision == _MILLENNIUM:
        return f"{_ordinal((number + 999) // 1000)} millennium{era}"
    return f"about {number}{era}"


def point_of(text: str) -> tuple[str, Decimal, Decimal] | None:
    """The globe (an IRI), longitude and latitude of a point in well-known text; None for any other text.

    A height is left out. A latitude is at most 90 degrees and a longitude 360, as in Wikibase.

    >>> point_of("Point(2.29 48.86)")
    ('http://www.wikidata.org/entity/Q2', Decimal('2.29'), Decimal('48.86'))
    """
    match = _POINT.fullmatch(text.strip())
    if match is None:
        return None
    longitude, latitude = number(match[2]), number(match[3])
    if longitude is None or latitude is None or abs(longitude) > 360 or abs(latitude) > 90:
        return None
    return EARTH if match[1] in (None, _CRS84) else match[1], longitude, latitude


def number(text: str) -> Decimal | None:
    """A number in the lexical form of xsd:integer or xsd:decimal; None for any other text.

    >>> number("1.50"), number("1e3")
    (Decimal('1.50'), None)
    """
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def is_link(text: str) -> bool:
    """Whether a text is a link with its scheme.

    >>> is_link("https://ilo.example/a"), is_link("www.ilo.example")
    (True, False)
    """
    return _LINK.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether a text is a year, month or day as XSD writes it, of the Gregorian calendar or, before 1583, the Julian.

    >>> is_date("1850-02-28"), is_date("1850-02-30"), is_date("1850-3-1")
    (True, False, False)
    """
    match = _XSD_DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    if not 1 <= month <= 12:
        return False
    is_old = year < 1583 or text.startswith("-")  # in either calendar
    return 1 <= day <= (29 if is_old and month == 2 else monthrange(year % 400 + 400, month)[1])


def file_name(iri: str) -> str:
    """The name of the file on Wikimedia Commons that an IRI is of; "" for any other text.

    >>> file_name("http://commons.wikimedia.org/wiki/Special:FilePath/Ilo%20Brun.jpg")
    'Ilo Brun.jpg'
    """
    match = _FILE.fullmatch(iri)
    return " ".join(unquote(match[1]).replace("_", " ").split()) if match else ""


def in_julian(date: _Day) -> _Day:
    """Year, month and day in the Julian calendar of a day in the Gregorian.

    By day numbers (Richards, Explanatory Supplement to the Astronomical Almanac, 3rd edition, section 15.11).

    >>> in_julian((1643, 1, 4))
    (1642, 12, 25)
    """
    year, month, day = date
    shift = (14 - month) // 12
    years, months = year + 4800 - shift, month + 12 * shift - 3
    day_number = day + (153 * months + 2) // 5 + 365 * years + years // 4 - years // 100 + years // 400 - 32045
    days = day_number + 32082
    years = (4 * days + 3) // 1461
    days -= 1461 * years // 4
    months = (5 * days + 2) // 153
    return years - 4800 + months // 10, months + 3 - 12 * (months // 10), days - (153 * months + 2) // 5 + 1


def _exported(value: Value, theirs: Value) -> str:
    """A text, link or file as QuickStatements would get it, to compare it with what Wikidata has."""
    if name := file_name(value.text):
        return name
    text = value.text.replace("_", " ") if file_name(theirs.text) else value.text
    text = f"{text}/" if _HOST_ONLY.fullmatch(text) else text  # as browsers and servers read it (RFC 3986, 6.2.3)
    return " ".join(text.split())


def _may_be_one_language(one: str, other: str) -> bool:
    """Whether two tags may be of one language: regions and scripts of it are, and a text without a tag may be any."""
    ours, theirs = (tag.lower().replace("_", "-").partition("-")[0] for tag in (one, other))
    return ours == theirs or not _NO_LANGUAGE.isdisjoint((ours, theirs))


def _compare_points(ours: tuple[str, Decimal, Decimal], theirs: tuple[str, Decimal, Decimal]) -> Agreement:
    if ours[0] != theirs[0]:
        return "different"
    around = abs(ours[1] - theirs[1]) % 360
    apart = max(min(around, 360 - around), abs(ours[2] - theirs[2]))
    return "same" if apart <= _SAME_PLACE else "near" if apart <= _NEAR_PLACE else "different"


def _compare_times(ours: Value, theirs: Value) -> Agreement:
    if (in_utc := _in_utc(ours.text)) != ours.text:  # a day is without a time zone, so it may be the day in either
        found = [_compare_times(replace(ours, text=text), theirs) for text in (in_utc, ours.text[:10])]
        return min(found, key=("same", "near", "different", "incomparable").index)
    our_text, their_text = (_MIDNIGHT.sub("", value.text.removeprefix("+")) for value in (ours, theirs))
    if ours.precision is None and our_text == their_text:
        return "same"  # Wikidata's own value without its precision
    our_date, our_precision = _date(ours)
    their_date, their_precision = _date(theirs)
    if not our_date or not their_date:
        return "incomparable"
    coarser = min(our_precision, their_precision)
    days = {their_date, _own_day(theirs, their_date)}
    if any(_rounded(our_date, coarser) == _rounded(day, coarser) for day in days):
        return "same" if our_precision <= their_precision else "near"
    is_near = our_date[0] in {day[0] for day in days} or _may_be_same(our_date, our_precision, theirs, their_date)
    return "near" if is_near else "different"


def _may_be_same(ours: _Day, our_precision: int, theirs: Value, their_date: _Day) -> bool:
    """Whether a date of ours may be one of Wikidata's whose precision and calendar are unknown, as in truthy data.

    The first day of a round year may stand for a decade or a longer span. A day may be of the Julian calendar.
    """
    if theirs.precision is not None:
        return False
    if their_date[1:] != (1, 1):
        return our_precision >= _DAY and in_julian(their_date) == ours
    spans = {_DECADE: (0,), _CENTURY: (0, 1, 50), _MILLENNIUM: (0, 1, 500)}
    return any(
        their_date[0] % 10 ** (_YEAR - span) in rounds and _rounded(ours, span) == _rounded(their_date, span)
        for span, rounds in spans.items()
    )


def _in_utc(text: str) -> str:
    """A time of day in UTC, if it has another time zone; any other text as it is.

    >>> _in_utc("1867-11-06T19:00:00-05:00"), _in_utc("1867-11-07")
    ('1867-11-07T00:00:00Z', '1867-11-07')
    """
    match = _ZONE.fullmatch(text)
    if match is None or match[2][1:] == "00:00":
        return text
    try:
        moment = datetime.fromisoformat(match[1] + match[2]).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return text
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _date(value: Value) -> tuple[_Day | None, int]:
    """Year, month and day of a time, and its precision.

    Where the precision is unknown, the first of January means the year, as in Wikidata's RDF.
    """
    match = _DATE.match(value.text)
    if match is None:
        return None, _YEAR
    date = int(match[1]), int(match[2] or 1) or 1, int(match[3] or 1) or 1
    if value.precision is not None:
        return date, value.precision
    has_time = "T" in value.text and not _MIDNIGHT.search(value.text)
    return date, _YEAR if date[1:] == (1, 1) and not has_time else _DAY


def _own_day(value: Value, date: _Day) -> _Day:
    """A day in the calendar that it has, which Wikibase's RDF has in the Gregorian; any other date as it is."""
    is_julian = value.calendar == JULIAN and value.precision is not None and value.precision >= _DAY
    return in_julian(date) if is_julian else date


def _rounded(date: _Day, precision: int) -> tuple[int, ...]:
    """A date cut to a precision. The 1860s begin with 1860, but the 19th century and longer spans begin with 1801."""
    if precision >= _YEAR:
        return date[: precision - _YEAR + 1]
    return ((date[0] - (precision <= _CENTURY)) // 10 ** (_YEAR - precision),)


def _date_in_words(value: Value) -> str:
    date, precision = _date(value)
    if date is None:
        return value.text
    year, month, day = _own_day(value, date)
    words = span_in_words(year, precision)
    if precision >= _MONTH:
        words = f"{_MONTHS.get(month, month)} {words}"
        if precision >= _DAY:
            words = f"{day} {words}"
    return f"{words} (Julian calendar)" if value.calendar == JULIAN and precision >= _DAY else words


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _compare_quantities(ours: Value, theirs: Value) -> Agreement:
    our_amount, amount = number(ours.text), number(theirs.text)
    if our_amount is None or amount is None or (ours.unit and ours.unit != theirs.unit):
        return "incomparable"
    lower, upper = (amount if bound is None else bound for bound in (theirs.lower, theirs.upper))
    is_within = lower <= our_amount <= upper
    if theirs.unit and not ours.unit and our_amount != amount:
        return "near" if is_within else "incomparable"
    return "same" if is_within else "different"
