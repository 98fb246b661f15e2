"""What titles and the words beside a name say of it: gender, offices, that it is a thing. No spaCy and no torch."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from kgmrca.extraction.encoder.forms import clean_word

__all__ = [
    "FOUNDER",
    "GIVEN",
    "MEN",
    "OFFICES",
    "PERSON",
    "RELATIVES",
    "THING",
    "WIVES",
    "WOMEN",
    "facts_beside",
    "gender_of_given_name",
    "gender_of_neighbours",
    "gender_of_title",
    "is_archaic_pronoun",
    "is_definite",
    "is_title",
    "plain_word",
    "title_of",
    "without_titles",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FEMALE = _words("mrs ms miss madam madame mme mlle lady dame queen princess duchess countess baroness sister empress")
MALE = _words("mr mister sir lord king prince duke count baron brother father mssr monsieur pope emperor")
WIVES = _words("mrs madame madam mme")
GIVEN = _words("queen princess king prince pope emperor empress saint st sister brother")
"""Titles that stand before a first name: "Prince Charles" is no other Mr. Charles."""
OFFICES = _words(
    "president chancellor senator governor judge justice captain colonel general major sergeant lieutenant commander "
    "admiral bishop archbishop cardinal rabbi imam sheikh secretary minister ambassador chairman coach detective "
    "inspector officer mayor congressman congresswoman representative"
)
"""Titles of which a text says who has them: "Ann Lee was elected president ... President Lee"."""
_SHORT = {
    **{"doctor": "dr", "professor": "prof", "mister": "mr", "mssr": "mr", "monsieur": "mr", "madam": "mrs"},
    **{"madame": "mrs", "mme": "mrs", "mlle": "miss", "st": "saint", "sen": "senator", "gov": "governor"},
    **{"capt": "captain", "col": "colonel", "gen": "general", "maj": "major", "sgt": "sergeant", "lt": "lieutenant"},
    **{"reverend": "rev", "rep": "representative"},
}
_TITLES = FEMALE | MALE | GIVEN | OFFICES | frozenset(_SHORT) | frozenset(_SHORT.values()) | {"hon"}
WOMEN = _words(
    "wife widow daughter mother sister aunt niece actress girlfriend queen princess duchess empress woman girl "
    "grandmother stepmother granddaughter fiancée businesswoman heroine lady goddess half-sister stepsister "
    "stepdaughter mistress waitress"
)
MEN = _words(
    "husband widower son father brother uncle nephew actor boyfriend king prince duke emperor man boy grandfather "
    "stepfather grandson fiancé businessman lord half-brother stepbrother stepson pope bishop monk priest"
)
"""Words beside a name that tell the gender: "his wife Ann"."""
_OFFICE_OF = {form: office for office in OFFICES for form in (office, f"{office}s")} | {
    **{"presidency": "president", "presidential": "president", "chancellery": "chancellor", "senate": "senator"},
    **{"governorship": "governor", "ministry": "minister", "judgeship": "judge"},
}
RELATIVES = _words(
    "wife widow daughter mother sister aunt niece husband widower son father brother uncle nephew grandmother cousin "
    "grandfather granddaughter grandson stepmother stepfather stepson stepdaughter namesake lady"
)
_ARCHAIC = _words("thou thee thy thine thyself")
_LINKS = frozenset({",", "is", "was"})
_BEFORE_KIN = _words("the a an his her their")
_FINAL = frozenset({".", "!", "?", ";"})

THING, PERSON, FOUNDER = "thing", "person", "founder"
"""What `facts_beside` finds, beside titles of `OFFICES`."""

_COMPANY = "company|firm|corporation|conglomerate|carmaker|automaker|brewery|brand|subsidiary|startup|airline|chain"
_SHIP = (
    "battleship|ship|steamer|steamship|frigate|cruiser|destroyer|submarine|vessel|liner|ss|hms|uss|hurricane|cyclone"
    "|typhoon|crater|asteroid"
)
_THING_BEFORE = re.compile(
    rf"(^|\s)({_COMPANY}|{_SHIP}|founded"
    r"|(shares|stock|subsidiary|headquarters|(co-)?founders?|ceo|chairman|products|employees|division) (of|in|at)"
    r"|work(s|ed)? (at|for)|employed (at|by))$"
)
_THING_BEHIND = re.compile(
    r"(('s|') )?(shares|stock|headquarters|employees|products|subsidiar(y|ies)|factor(y|ies)|customers|ag|gmbh|inc|corp"
    r"|ltd|plc|cars|trucks|motors)\b"
    r"|(was|is|has been|had been) (\w+ )?(founded|co-founded|headquartered|listed|incorporated|sunk|commissioned"
    rf"|scrapped|(an?|the) ([\w-]+ ){{0,3}}({_COMPANY}|{_SHIP}))\b"
    r"|((now|also|today) )?(employs|manufactures|manufactured|sank)\b"
)
_PERSON_BEHIND = re.compile(
    r"((was|is) (born|married|buried|educated|raised|survived)|died|married|lived|studied|retired)\b"
)
_FOUNDER = re.compile(r"\b(co-?)?(founded|founders?)\b")
_FEW, _SOME, _MANY = 3, 5, 8  # words


@lru_cache(maxsize=20_000)
def plain_word(word: str) -> str:
    """A word's letters, digits and symbols ("$", "%", "C++") in lower case, without accents."""
    letters = unicodedata.normalize("NFD", clean_word(word).casefold())
    return "".join(c for c in letters if c.isalnum() or c in "%#" or unicodedata.category(c) in ("Sc", "Sm", "So"))


def is_title(word: str) -> bool:
    """Whether a word is a title of persons: "Dr.", "President"."""
    return plain_word(word) in _TITLES


def title_of(word: str) -> str:
    """The title that a word is, in one form for "Dr." and "Doctor"; "" if it is none."""
    word = plain_word(word)
    return _SHORT.get(word, word) if word in _TITLES else ""


def without_titles(words: Sequence[str]) -> list[str]:
    """The clean words of a name without the titles that it begins with; the last word stays.

    >>> without_titles(["Dr.", "Marie", "Curie"])
    ['Marie', 'Curie']
    """
    rest = [clean_word(word) for word in words]
    while len(rest) > 1 and is_title(rest[0]):
        rest = rest[1:]
    return rest


def gender_of_title(words: Sequence[str]) -> str:
    """What the titles of a person's name say: "f", "m" or "".

    >>> gender_of_title(("Mrs.", "Dalloway")), gender_of_title(("Dr.", "Watson"))
    ('f', '')
    """
    for word in map(plain_word, words[:-1]):
        if word in FEMALE or word in MALE:
            return "f" if word in FEMALE else "m"
        if word not in _TITLES:
            break
    return ""


def gender_of_given_name(words: Sequence[str]) -> str:
    """What the first name of a person tells, where nearly only women ("f") or only men ("m") have it; else "".

    Of a name of one word nothing, if it is a family name as well.

    >>> gender_of_given_name(["Hillary", "Clinton"]), gender_of_given_name(["Bill", "Clinton"])
    ('', 'm')
    >>> gender_of_given_name(["Clinton"]), gender_of_given_name(["Anna"])
    ('', '')
    """
    rest = without_titles(words)
    gender, is_family = _given_names().get(rest[0] if rest else "", ("", False))
    return "" if is_family and len(rest) == 1 else gender


@lru_cache(maxsize=1)
def _given_names() -> Mapping[str, tuple[str, bool]]:
    """First names, the gender of each, and whether it is a family name as well."""
    text = Path(__file__).with_name("given_names.txt").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {name: (gender, bool(more)) for name, gender, *more in rows}


def gender_of_neighbours(words: Sequence[str], start: int, end: int) -> str:
    """What the words beside a person's name say of the gender: "f", "m" or "".

    >>> words = "Ann Lee , his wife , met the actor Bob Stone .".split()
    >>> gender_of_neighbours(words, 0, 2), gender_of_neighbours(words, 9, 11)
    ('f', 'm')
    """
    title = gender_of_title(words[max(0, start - 1) : end])
    beside = _described(words, start, end)
    found = {"f" if word in WOMEN else "m" for word in beside if word in WOMEN or word in MEN}
    found |= {title} if title else set()
    return found.pop() if len(found) == 1 else ""


def _described(words: Sequence[str], start: int, end: int) -> list[str]:
    """What may describe a name: the word before it, and the one in ", his wife" behind it."""
    beside = [words[start - 1].lower()] if start else []
    behind = [word.lower() for word in words[end : end + _FEW]]
    if len(behind) == _FEW and behind[0] in _LINKS and behind[1] in _BEFORE_KIN:
        beside.append(behind[2])
    return beside


def facts_beside(words: Sequence[str], start: int, end: int) -> frozenset[str]:
    """What the words beside a person's name say of it: offices, and that it is a thing, a person, a founder.

    >>> words = "Ann Lee was elected president . Siemens employs many in Berlin .".split()
    >>> sorted(facts_beside(words, 0, 2)), sorted(facts_beside(words, 6, 7))
    (['president'], ['thing'])
    """
    before = _up_to_stop(words[start - 1 :: -1] if start else (), _SOME)[::-1]
    behind = _up_to_stop(words[end : end + _MANY], _MANY)
    left, right = " ".join(before).lower(), " ".join(behind).lower()
    titled = bool(before) and is_title(before[-1])
    found = set(_offices(before, words[start:end], behind))
    if not titled and not is_definite(words, start) and (_THING_BEFORE.search(left) or _THING_BEHIND.match(right)):
        found.add(THING)
    if _PERSON_BEHIND.match(right) or titled:
        found.add(PERSON)
    if _FOUNDER.search(" ".join((*left.split()[-_FEW:], "|", *right.split()[:_FEW]))):
        found.add(FOUNDER)
    return frozenset(found)


def _up_to_stop(words: Sequence[str], most: int) -> list[str]:
    found: list[str] = []
    for word in words[:most]:
        if word in _FINAL:
            break
        found.append(word)
    return found


def _offices(before: Sequence[str], name: Sequence[str], behind: Sequence[str]) -> Iterator[str]:
    """The offices that are said to be a person's; not those of others, as in "the wife of President Lee"."""
    if before and title_of(before[-1]) in OFFICES:
        yield title_of(before[-1])
    yield from (title for word in name[:-1] if (title := title_of(word)) in OFFICES)
    beside = [*before[-_FEW:], "", *behind]
    if any(word.lower() in RELATIVES for word in beside):
        return
    for word, following in pairwise([*beside, ""]):
        office = _OFFICE_OF.get(word.lower())
        if office and not (following[:1].isupper() and word[:1].isupper()):
            yield office


def is_archaic_pronoun(words: Sequence[str]) -> bool:
    """Whether a "name" is but "thou" or the like, which recognizers take for a person; "Ye" is a name as well.

    >>> is_archaic_pronoun(["Thy"]), is_archaic_pronoun(["ye"]), is_archaic_pronoun(["Ye"])
    (True, True, False)
    """
    return len(words) == 1 and (words[0].lower() in _ARCHAIC or words[0] == "ye")


def is_definite(words: Sequence[str], start: int) -> bool:
    """Whether "the" stands before the name that begins at a word, or is its first word."""
    return "the" in (words[start].lower(), words[start - 1].lower() if start else "")
