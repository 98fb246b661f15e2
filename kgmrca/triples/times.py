"""Since when, until when or when a fact held, where its sentence says so. English, by rules, and pure.

A date belongs to the fact whose subject or object stands nearest, where what lies between counts too: a comma, a
conjunction or the beginning of another clause parts what belongs together. The date of a thing itself (its birth,
death, publication, discovery or foundation) is no time of a fact about it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from kgmrca.triples.literals import typed_literal
from kgmrca.triples.records import Times

__all__ = ["TimedFact", "find_times"]

_Place: TypeAlias = tuple[int, int]


class TimedFact(NamedTuple):
    """A fact as a sentence states it.

    Attributes:
        subject, object: where the two stand, as offsets of characters in the sentence; ends are exclusive.
        property: the id of Wikidata's property, such as "P39".
    """

    subject: _Place
    object: _Place
    property: str


class _Expression(NamedTuple):
    """One or two dates that tell a time."""

    start: int
    end: int
    kind: str  # "since", "until", "not until", "range", "in", "as of", "brackets" or "bare"
    since: str
    until: str


class _Kind(NamedTuple):
    """What tells the times of facts of some properties: words by which they begin, by which they end, and of between.

    Attributes:
        only_spans: whether a single date "in ..." says nothing.
        needs_word: whether a span of time is believed only beside one of the words.
    """

    start: str
    end: str
    during: str
    only_spans: bool = False
    needs_word: bool = False


_GETS = r"bec[ao]me|becoming|appointed|elected|named|promoted|took|sworn|inaugurated|succeed(?:ed|ing)|incoming|hired"
_JOINS = r"join(?:ed|ing|s)?|sign(?:ed|s|ing)|enter(?:ed|ing)|enlisted|transferred|debut(?:ed)?|loaned|started|beg[au]n"
_LEAVES = (
    r"left|leaving|resign(?:ed|ing)|retir(?:ed|ing)|dismissed|fired|ousted|stepped|expelled|outgoing|deposed|removed"
)
_BUYS = r"acquir(?:ed|es|ing)|acquisition|bought|purchased"
_KINDS = {
    "office": _Kind(_GETS, rf"{_LEAVES}|ended|defeated|last", r"serv(?:ed|es|ing)|was|is|been|held|reign(?:ed|s)?"),
    "member": _Kind(
        rf"{_GETS}|{_JOINS}",
        rf"{_LEAVES}|last played|sold|ended",
        r"play(?:ed|s|ing)|serv(?:ed|es|ing)|work(?:ed|s|ing)|belonged|taught|coach(?:ed)?|intern|professor|lecturer"
        r"|member",
    ),
    "party": _Kind(
        r"join(?:ed|ing|s)?",
        r"left|leaving|expelled|quit",
        r"member|candidate|represent(?:ed|ing)|for",
        needs_word=True,
    ),
    "army": _Kind(r"join(?:ed|ing|s)?|enlisted|commissioned|entered", _LEAVES, r"serv(?:ed|es|ing)", needs_word=True),
    "rank": _Kind(r"promoted|bec[ao]me", "", "conferred|awarded", needs_word=True),
    "studies": _Kind(
        r"enrolled|entered|matriculated|admitted",
        r"graduat(?:ed|ing|es?)|completed|doctorate|ph\.?d|b\.?a|m\.?a|m\.?d|m\.?b\.?a|degree|master(?:'?s)?"
        r"|bachelor(?:'?s)?|diploma|finished",
        r"stud(?:ied|ying|ies)|attend(?:ed|ing)|educated|student",
    ),
    "marriage": _Kind(r"married|marries|wed|marriage", r"divorced?|separated", "husband|wife|spouse", needs_word=True),
    "residence": _Kind(
        r"moved|(?:e|im)?migrated|relocated|settled|fled|came",
        r"left|leaving",
        r"liv(?:ed|es|ing)|resid(?:ed|es|ing)|based",
    ),
    "owner": _Kind(_BUYS, r"sold|spun|divested", r"own(?:ed|s)", needs_word=True),
    "parent": _Kind("", "", r"own(?:ed|s)|subsidiary|division|part", only_spans=True, needs_word=True),
    "league": _Kind("promoted", "relegated", r"play(?:ed|s|ing)|competed|spent", only_spans=True, needs_word=True),
    "channel": _Kind("starting", "ended", r"aired|screened|broadcast|ran|shown", only_spans=True, needs_word=True),
    "status": _Kind(r"listed|added|designated|declared|inscribed|registered", "delisted|removed", "protected"),
    "event": _Kind("", "", r"."),  # what happens once
}
_PROPERTIES = {
    property: kind
    for kind, properties in {
        "office": "P6 P35 P39 P169 P488 P1037 P1308",
        "member": "P54 P108 P286 P463 P1416 P6087",
        "party": "P102",
        "army": "P241",
        "rank": "P410",
        "studies": "P69",
        "marriage": "P26 P451",
        "residence": "P551 P937",
        "owner": "P127",
        "parent": "P355 P749",
        "league": "P118",
        "channel": "P449",
        "status": "P1435",
        "event": "P166 P450 P1411",
    }.items()
    for property in properties.split()
}
_OF_SOMEBODY = frozenset({"office", "member", "party", "army", "rank", "studies", "residence"})
_SOMEBODY_IS_OBJECT = frozenset({"P6", "P35", "P169", "P286", "P488", "P1037", "P1308"})

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_YEAR = r"[12]\d{3}"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"(?<![\w.#$£€])(?:{_DAY}\s+(?:of\s+)?{_MONTH}\s*,?\s+|{_MONTH}\s+(?:{_DAY}\s*,?\s+|,\s+|of\s+)?)?{_YEAR}"
    rf"(?!\w|[.,]\d)",
    re.ASCII,
)
_LEAD = re.compile(
    r"\b(?P<word>from|since|between|until|till|up\s+to|as\s+of|in|on|during)\s+(?:the\s+)?(?:year\s+|season\s+)?$", re.I
)
_VAGUE = re.compile(
    r"(?:\b(?:by|before|after|about|around|circa|ca|c|early|late|mid|prior\s+to|following|nearly|almost|of|or)\b\.?"
    r"\s*-?\s*|~\s*)(?:the\s+)?$",
    re.I,
)
# What did not hold until a date began with it; and "it was not until 1990 that" as a whole tells a time.
_NOT = re.compile(
    r"(?:\bit\s+(?:was|is)\s+|\b)(?:not|never)\s+$|(?:\b(?:can)?not|n['’]t)\s+(?!only\b)|\bnever\s+", re.I
)
_RELATIVE = ("who", "whom", "whose", "which", "where")
_LEADS = {
    **dict.fromkeys(("from", "since"), "since"),
    **dict.fromkeys(("until", "till", "up to"), "until"),
    **dict.fromkeys(("in", "on", "during", "between"), "in"),
    "as of": "as of",
}
_TO = re.compile(r"\s*(?:[-–—]|to|until|till|through|thru)\s*", re.I)
_AND = re.compile(r"\s*and\s*", re.I)
_PRONOUN = "he|she|it|they"
_SHORT_YEAR = re.compile(rf"\s*[-–—]\s*(\d\d)(?!\w|\s*{_MONTH})")
_DECADE = re.compile(r"(?:\s*['’]\s?s|s)(?!\w)|\s*[-–—/]\s*\d", re.I)

# These words say that a date is of a thing itself.
_OWN = (
    r"born|dies|died|dead|death|publish(?:ed|ing)|releas(?:ed|ing)|written|wrote|(?:co-?)?found(?:ed|ing)|established"
    r"|discovered|built|recorded|formed|directed|produced|created|composed|premiered|constructed|opened|designed"
    r"|launched|introduced|developed|invented|issued|killed|baptized|buried|printed|adapted|renamed|lasted|estimated"
    r"|population|census|reported|announced|shot|certified"
)
# The date of saying something is none of what is said: "said in 2010 that", "in 2014 a court heard that".
_SAYS = (
    r"(?:said|says|saying|told|tells|wrote|writes|heard|reported|reports|announc(?:ed|es)|claim(?:ed|s)|stat(?:ed|es)"
    r"|confirm(?:ed|s)|reveal(?:ed|s)|testified|testifies|argued|argues|declared|declares|admitted|recalled|mentioned"
    r"|mentions|noted|notes|found|learned|learnt|established|ruled|showed|shows)"
)
_SAID_THAT = re.compile(rf"\b{_SAYS}\b[^;:]*?\bthat\b", re.I)
_OWN_CUE = re.compile(rf"\b(?:{_OWN})(?!\w)", re.I)
_WORDS = "|".join(
    word for kind in _KINDS.values() for word in (kind.start, kind.end, kind.during) if word and word != "."
)
_ANY_WORD = re.compile(rf"\b(?:{_WORDS})(?!\w)", re.I)
_OTHER_VERB = re.compile(
    rf"\b(?:{_GETS}|{_JOINS}|{_LEAVES}|{_BUYS}|{_OWN}|married|divorced|moved|serv(?:ed|ing)|work(?:ed|ing)|won)(?!\w)",
    re.I,
)
_CLAUSE = re.compile(
    r"[;:]|\b(?:who|whom|whose|which|where|when|while|but|before|after|although|because|instead)\b"
    r"|\buntil\s+(?=(?:he|she|it|they)\b)"
    rf"|,?\s+and\s+(?:(?:then|later|also|he|she|it|they|from)\s+)?(?=(?:{_WORDS}|{_OWN}|was|were|is|has|had|from)\b)"
    rf"|,?\s+and\s+(?:(?-i:[A-Z])[\w.-]*\s+){{1,3}}(?=(?:{_WORDS}|{_OWN}|was|were|is|has|had)\b)"
    r"|,\s+(?:then|later)\b",
    re.I,
)
_THEN = re.compile(
    r"(?<=[,;\s])(?:since\s+then|after(?:\s+that|wards)|thereafter|subsequently|then|later|since)\s+(?=(?:for|at|of|in|with|to)\b)",
    re.I,
)
_WORD = re.compile(r"\w+")
_PART = re.compile(r"[,()]|\band\b|\bor\b", re.I)
_FARTHEST = 14  # words, with what parts them counted as several
_OF_PART, _OF_CLAUSE = 3, 8
_CLOSE = 4  # so near is a span of time what it stands beside
_BESIDE = 3


def find_times(text: str, facts: Sequence[TimedFact]) -> list[Times | None]:
    """The times of the facts of a sentence, in the same order; None of a fact of which no time is said.

    >>> find_times("She joined Acme in 2003.", [TimedFact((0, 3), (11, 15), "P108")])
    [Times(start='2003', end='', point='')]
    """
    found: list[Times | None] = [None] * len(facts)
    ends = [place for fact in facts for place in (fact.subject, fact.object)]
    expressions = [one for one in _expressions(text) if not any(a < one.end and one.start < b for a, b in ends)]
    told_of: defaultdict[int, list[tuple[int, Times, _Expression]]] = defaultdict(list)
    for one in expressions:
        distances = [_distance(text, fact, one) for fact in facts]
        nearest = dict[str, int]()
        for fact, distance in zip(facts, distances, strict=True):
            nearest[fact.property] = min(distance, nearest.get(fact.property, distance))
        for number, (fact, distance) in enumerate(zip(facts, distances, strict=True)):
            if distance > min(_FARTHEST, nearest[fact.property]) or fact.property not in _PROPERTIES:
                continue
            times = _told(text, fact, one, distance)
            if times and not _is_of_another(text, fact, one, expressions, facts):
                told_of[number].append((distance, times, one))
    for number, told in told_of.items():
        fact = facts[number]
        _, times, expression = min(told, key=lambda one: one[0])
        for _, other, _ in told:
            if other.end and not (times.end or other.start) and other.end >= times.start > "":
                times = times._replace(end=other.end)
            elif other.start and not (times.start or other.end) and times.end >= other.start:
                times = times._replace(start=other.start)
        if times.start and not times.end:
            times = times._replace(end=_end_told_after(text, fact, expression, expressions))
        found[number] = times
    return found


def _is_of_another(
    text: str, fact: TimedFact, one: _Expression, expressions: Sequence[_Expression], facts: Sequence[TimedFact]
) -> bool:
    """Whether an expression stands with another fact of the same subject, before a later time that this fact has.

    So it is in "From 1990 to 1995 she played for Acme; from 1996, for Bcme" and in "... and since then for Bcme".
    """
    subject, (begins, _) = fact.subject, fact.object
    if not subject[1] <= begins or one.end > begins:
        return False
    parts = [other.object[1] for other in facts if other.property == fact.property and other.subject == subject]
    thens = [then.start() for then in _THEN.finditer(text, subject[1], begins)]
    parts += [*thens, *(part.end() for part in re.finditer(";", text))]
    later = max((*thens, *(other.start for other in expressions if other.end <= begins)), default=0)
    return any(max(one.end, subject[1]) <= part <= later for part in parts)


def _end_told_after(text: str, fact: TimedFact, one: _Expression, expressions: Sequence[_Expression]) -> str:
    """The end of a fact of which the same words go on to tell it: "... in 2003 and left in 2008"."""
    end = _KINDS[_PROPERTIES[fact.property]].end
    if not end:
        return ""
    goes_on = re.compile(
        rf",?\s+(?:and|but|before)\s+(?:(?:{_PRONOUN}|was|were)\s+)*(?:{end})(?:\s+(?:it|them))?\s*", re.I
    )
    later = (other for other in expressions if other.kind == "in" and other.start > one.end)
    ends = (other.since for other in later if goes_on.fullmatch(text, one.end, other.start))
    return next((end for end in ends if end >= one.since), "")


def _expressions(text: str) -> Iterator[_Expression]:
    dates = [(match.start(), match.end(), _value(match[0])) for match in _DATE.finditer(text)]
    while dates:
        start, end, since = dates.pop(0)
        before = text[:start]
        lead = _LEAD.search(before)
        word = " ".join(lead["word"].lower().split()) if lead else ""
        until = ""
        if short := _SHORT_YEAR.match(text, end):
            until, end = since[:2] + short[1], short.end()
        elif dates and (_AND if word == "between" else _TO).fullmatch(text, end, dates[0][0]):
            _, end, until = dates.pop(0)
        is_exact = lead or not _VAGUE.search(before)
        if not since or (until and until < since) or not is_exact or _DECADE.match(text, end):
            continue
        if until:
            kind = "range"
        elif word in _LEADS:
            kind = _LEADS[word]
        else:
            kind = "brackets" if before.rstrip().endswith("(") else "bare"
        start = lead.start() if lead else start
        if kind == "until" and (denial := _denial_before(text, start)):
            kind, start = "not until", denial.start() if denial.end() == start else start
        is_end = kind == "until"
        yield _Expression(start, end, kind, "" if is_end else since, since if is_end else until)


def _denial_before(text: str, place: int) -> re.Match[str] | None:
    """The last "not" before a place, in its clause. A relative clause ends at its comma."""
    clauses = list(_CLAUSE.finditer(text, 0, place))
    begins = clauses[-1].end() if clauses else 0
    if clauses and clauses[-1][0].lower() in _RELATIVE:
        begins = max(begins, text.rfind(",", begins, place))
    return next(reversed(list(_NOT.finditer(text, begins, place))), None)


def _value(text: str) -> str:
    words = re.sub(r"\s+,", ",", text)
    value, datatype = typed_literal(words, "DATE")
    return value if datatype else ""


def _told(text: str, fact: TimedFact, one: _Expression, distance: int) -> Times | None:
    """What an expression says of a fact from which it is so far; None if it says nothing."""
    kind = _KINDS[_PROPERTIES[fact.property]]
    if _is_parted(text, fact, one) or _is_of_report(text, fact, one):
        return None
    if text[: one.start].rstrip().endswith("("):
        # Behind a subject these are mostly the years of a life, and so they are behind a husband.
        if text[fact.object[1] : one.start].strip() != "(" or kind is _KINDS["marriage"]:
            return None
        cue = "end" if kind is _KINDS["studies"] else "during"
    else:
        cue = _cue(text, fact, kind, one)
    if one.kind == "not until":
        if cue == "own" or (not cue and (distance > _CLOSE or kind.needs_word)):
            return None
        return Times(end=one.since) if cue == "end" else Times(start=one.since)
    if one.kind in ("since", "until", "range"):
        is_close = distance <= _CLOSE and not kind.needs_word
        return Times(one.since, one.until) if cue not in ("", "own") or is_close else None
    if cue in ("", "own") or kind.only_spans or (one.kind == "bare" and cue == "during" and kind.during != "."):
        return None
    place = {"start": Times(start=one.since), "end": Times(end=one.since), "during": Times(point=one.since)}
    return place[cue]


def _is_of_report(text: str, fact: TimedFact, one: _Expression) -> bool:
    """Whether an expression stands in the clause of who says so, before the "that" behind which the fact is told."""
    last = max(fact.subject, fact.object)[0]
    return any(one.end <= that.end() for that in _SAID_THAT.finditer(text, 0, last))


def _is_parted(text: str, fact: TimedFact, one: _Expression) -> bool:
    """Whether an expression is part of something else: of what stands between the two ends, or of an apposition."""
    if _leads(text, one):
        return False
    first, second = sorted((fact.subject, fact.object))
    if first[1] <= one.start <= one.end <= second[0]:
        gap = text[one.end : second[0]]
        return "," in gap or _CLAUSE.search(gap) is not None
    near = max((end for _, end in (first, second) if end <= one.start), default=None)
    if near is None:
        return "," in text[one.end : first[0]]
    if "," not in (gap := text[near : one.start]):
        return False
    apposition = gap.rpartition(",")[2]
    return len(apposition.split()) > 2 and not _ANY_WORD.search(apposition)


def _distance(text: str, fact: TimedFact, one: _Expression) -> int:
    """How many words lie between an expression and the nearer end of a fact; what parts them counts as several.

    Beyond `_FARTHEST` it is not exact: a sentence may be a list of hundreds of facts and dates.
    """
    distances = []
    for start, end in (fact.subject, fact.object):
        is_before = end <= one.start
        gap = text[end : one.start] if is_before else text[one.end : start]
        if not is_before:
            gap = gap.lstrip(" ,")  # "In 1990, she ..."
        words = sum(1 for _ in islice(_WORD.finditer(gap), _FARTHEST + 1))
        if words > _FARTHEST:
            distances.append(words)
            continue
        parts = len(_PART.findall(gap)) * _OF_PART + len(_CLAUSE.findall(gap)) * _OF_CLAUSE
        dates = len(_DATE.findall(gap)) * _OF_CLAUSE
        distances.append(words + parts + dates + (0 if is_before or _leads(text, one) else _OF_CLAUSE))
    return min(distances)


def _leads(text: str, one: _Expression) -> bool:
    """Whether a clause begins with an expression."""
    before = text[: one.start].rstrip(" (\"'")
    return not before or before[-1] in ".;:,—–" or before.endswith((" and", " that", "which", "who", "where"))


def _cue(text: str, fact: TimedFact, kind: _Kind, one: _Expression) -> str:
    """What the words of the expression's clause say: "start", "end", "during", "own", or "" if nothing."""
    if kind.during == ".":
        near = text[: one.start].split()[-_BESIDE:]
        return "own" if _OWN_CUE.search(" ".join(near)) else "during"
    before, after = text[: one.start], text[one.end :]
    if _OWN_CUE.search(" ".join(before.split()[-_BESIDE:])):
        return "own"
    clauses = [match.end() for match in _CLAUSE.finditer(before)]
    begins = clauses[-1] if clauses else 0
    ends = one.end + (clause.start() if (clause := _CLAUSE.search(after)) else len(after))
    sides = [(begins, one.start), (one.end, ends)]
    if one.end <= fact.object[0] and not _leads(text, one):
        sides.insert(0, (one.end, fact.object[0]))  # "left it in 1990 to join Acme"
    somebody = fact.object if fact.property in _SOMEBODY_IS_OBJECT else fact.subject
    for start, end in sides:
        found = [
            (match.start(), name)
            for name in ("start", "end", "during")
            if (words := getattr(kind, name))
            for match in re.finditer(rf"\b(?:{words})(?!\w)", text[start:end], re.I)
        ]
        if not found:
            continue
        is_before = end == one.start
        strong = [one for one in found if one[1] != "during"] or found
        place, name = max(strong) if is_before else min(strong)
        if _PROPERTIES[fact.property] in _OF_SOMEBODY and somebody[0] > start + place:
            return "own"  # somebody else's
        between = text[start + place : end] if is_before else text[start : start + place]
        if _is_told_of_others(between, kind):
            return "own"
        return name
    return ""


def _is_told_of_others(text: str, kind: _Kind) -> bool:
    """Whether a verb behind the first one begins to tell something else."""
    known = re.compile("|".join(filter(None, kind[:3])), re.I)
    return any(not known.fullmatch(match[0]) for match in _OTHER_VERB.finditer(text))
