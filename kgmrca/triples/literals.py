"""Turns the words of a date or a number into a literal with a datatype, where they have one meaning only. English.

The datatypes are those of XSD 1.1, part 2, as in RDF 1.1 (Concepts, section 5.1); sections named below are of the
former. Lexical forms are canonical, because stores would rewrite any other.
"""

import math
import re
from datetime import date
from decimal import Decimal, InvalidOperation

from pyoxigraph import Literal, NamedNode

from kgmrca.terms import XSD

__all__ = ["NUMBERS", "canonical_literal", "one_spelling", "typed_literal"]

# ASCII, or \d would match the digits of all scripts, and "s" would match "ſ".
_FLAGS = re.IGNORECASE | re.ASCII

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_AD = r"(?:a\.?d\.?|c\.?e\.?)"
_BC = r"b\.?c\.?(?:e\.?)?"
_YEAR = rf"(?P<ad>a\.?d\.? ?)?(?P<year>[1-9]\d{{0,3}})(?(ad)|(?: ?(?P<era>{_AD}|{_BC}))?)"
_LEAD = r"(?:(?:in|on) )?(?:the )?"
_DATES = [
    re.compile(pattern, _FLAGS)
    for pattern in (
        rf"{_LEAD}{_DAY} (?:of )?{_MONTH},? {_YEAR}",
        rf"{_LEAD}{_MONTH} {_DAY},? {_YEAR}",
        rf"{_LEAD}{_MONTH}(?:,| of)? {_YEAR}",
        rf"{_LEAD}(?:year )?{_YEAR}",
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    )
]
_FIRST_GREGORIAN_DAY = date(1582, 10, 15)

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# Each stands at its own number, from 0 to 99.
_WORDS = ["zero", *_ONES, *_TEENS, *(ten + one for ten in _TENS for one in ("", *(f"-{one}" for one in _ONES)))]
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
# No more than 28 digits, which is what Decimal multiplies without rounding.
_DIGITS = r"[-+\N{MINUS SIGN}]?(?:0|[1-9]\d{0,15}|[1-9]\d{0,2}(?:,\d{3}){1,4})(?:\.\d{1,12})?"
_NUMBER = re.compile(
    rf"(?:(?P<digits>{_DIGITS})|(?P<word>{'|'.join(_WORDS)}))(?: (?P<scale>{'|'.join(_SCALES)}))?", _FLAGS
)
_MOST_DIGITS = 16

NUMBERS = frozenset(
    {f"{XSD}{name}" for name in ("decimal", "double", "float", "integer", "int", "long", "short", "byte")}
    | {f"{XSD}{sign}Integer" for sign in ("nonNegative", "positive", "nonPositive", "negative")}
    | {f"{XSD}unsigned{name}" for name in ("Int", "Long", "Short", "Byte")}
)
"""The IRIs of the datatypes whose values are numbers."""
_DOUBLE = NamedNode(f"{XSD}double")
_DAYS = frozenset({f"{XSD}date", f"{XSD}gYearMonth", f"{XSD}gYear"})
_IN_UTC = re.compile(r"(?:Z|[-+]00:00)$", re.ASCII)


def typed_literal(text: str, entity_type: str) -> tuple[str, str | None]:
    """The literal that a mention stands for: its lexical form and the IRI of its datatype, or its text and None.

    A DATE or TIME becomes an `xsd:date`, `xsd:gYearMonth` or `xsd:gYear`; a CARDINAL or NUM an `xsd:integer` if it is
    whole ("1.2 million"), else an `xsd:decimal`. These stay text: whatever has a unit, a currency or a rank, by its
    words or by its type; ranges, decades and approximate values; days that do not exist, and days whose month could be
    the day ("03/04/1963").

    A year needs four digits or an era. XSD 1.1 has a year 0 (section 3.3.7), so 44 BC is "-0043"; it was "-0044" in
    XSD 1.0. Days before 15 October 1582 stay text, for they are Julian and `xsd:date` is Gregorian throughout. So do
    numbers of more than 16 digits, which a processor need not know (section 5.4).

    >>> typed_literal("7 November 1867", "DATE")
    ('1867-11-07', 'http://www.w3.org/2001/XMLSchema#date')
    >>> typed_literal("the 1860s", "DATE")
    ('the 1860s', None)
    """
    words = " ".join(text.split())
    found = None
    if entity_type in ("DATE", "TIME"):
        found = _date(words)
    elif entity_type in ("CARDINAL", "NUM"):
        found = _number(words)
    return found or (text, None)


def canonical_literal(literal: Literal) -> Literal:
    """The form of a number or date that `typed_literal` gives; stores and libraries write others of the same value.

    A number is an `xsd:integer` if it is whole, else an `xsd:decimal`; a date has no time zone. What has no such form
    stays as it is, and so does any other literal.

    >>> canonical_literal(Literal("0.90", datatype=NamedNode(f"{XSD}double")))
    <Literal value=0.9 datatype=<NamedNode value=http://www.w3.org/2001/XMLSchema#decimal>>
    >>> canonical_literal(Literal("1867Z", datatype=NamedNode(f"{XSD}gYear")))
    <Literal value=1867 datatype=<NamedNode value=http://www.w3.org/2001/XMLSchema#gYear>>
    """
    datatype = literal.datatype.value
    if datatype in _DAYS:
        return Literal(_IN_UTC.sub("", literal.value), datatype=literal.datatype)
    # Python reads more as a number than XSD: "1_000", and the digits of all scripts.
    if datatype in NUMBERS and literal.value.isascii() and "_" not in literal.value:
        try:
            value = Decimal(literal.value)
        except InvalidOperation:
            return literal
        if value.is_finite() and (found := _plain_number(value)):
            return Literal(found[0], datatype=NamedNode(found[1]))
    return literal


def one_spelling(literal: Literal) -> Literal:
    """An `xsd:double` as metadata are written; stores write others of the same value. Any other literal as it is.

    >>> one_spelling(Literal("5.0E-1", datatype=NamedNode(f"{XSD}double"))).value
    '0.5'
    """
    if literal.datatype == _DOUBLE and literal.value.isascii() and "_" not in literal.value:
        try:
            value = float(literal.value)
        except ValueError:
            return literal
        if math.isfinite(value):
            return Literal(value)
    return literal


def _date(text: str) -> tuple[str, str] | None:
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _DATES)), None)
    if match is None:
        return None
    parts = match.groupdict()
    year = _year(int(parts["year"]), parts.get("era") or parts.get("ad"))
    if year is None:
        return None
    form = f"{'-' if year < 0 else ''}{abs(year):04}"
    if "month" not in parts:
        return form, XSD + "gYear"
    name = parts["month"]
    month = int(name) if name.isdigit() else _MONTHS.index(name[:3].lower()) + 1
    if "day" not in parts:
        return f"{form}-{month:02}", XSD + "gYearMonth"
    try:
        day = date(year, month, int(parts["day"]))
    except ValueError:
        return None
    return (day.isoformat(), XSD + "date") if day >= _FIRST_GREGORIAN_DAY else None


def _year(number: int, era: str | None) -> int | None:
    """The year as XSD counts, 0 being 1 BC; None if without an era the number may be something else."""
    if era is None:
        return number if 1000 <= number <= 2999 else None
    return 1 - number if era[0] in "Bb" else number


def _number(text: str) -> tuple[str, str] | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    if match["digits"]:
        value = Decimal(match["digits"].replace(",", "").replace("\N{MINUS SIGN}", "-"))
    else:
        value = Decimal(_WORDS.index(match["word"].lower()))
    if match["scale"]:
        value *= _SCALES[match["scale"].lower()]
    return _plain_number(value)


def _plain_number(value: Decimal) -> tuple[str, str] | None:
    if value and abs(value.adjusted()) >= _MOST_DIGITS:
        return None
    if value == value.to_integral_value():
        form, datatype = str(int(value)), "integer"
    else:
        form, datatype = format(value.normalize(), "f"), "decimal"
    return (form, XSD + datatype) if sum(map(str.isdigit, form)) <= _MOST_DIGITS else None
