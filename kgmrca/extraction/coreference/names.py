"""Which names of a document mean the same: rules on their words, types and items. No spaCy and no torch in here.

A rule joins two names only if nothing else in the document is likely to be meant: "Curie" is Marie Curie where no other
Curie is named, or where she is the first person of the text. Each rule is a function of its own; `group_names` says in
which order they are asked.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from kgmrca.extraction.encoder.forms import clean_word

__all__ = [
    "MEN",
    "WOMEN",
    "Groups",
    "Name",
    "gender_of_neighbours",
    "gender_of_title",
    "group_names",
    "introduced",
    "is_acronym_of",
    "is_archaic_pronoun",
    "is_definite",
    "is_title",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FEMALE = _words("mrs ms miss madam madame mme mlle lady dame queen princess duchess countess baroness sister")
MALE = _words("mr mister sir lord king prince duke count baron brother father mssr monsieur")
_WIVES = _words("mrs madame madam mme")
_TITLES = (
    FEMALE
    | MALE
    | _words(
        "dr doctor prof professor president chancellor senator sen governor gov judge justice captain capt colonel "
        "col general gen major maj sergeant sgt lieutenant lt commander admiral rev reverend saint st pope bishop "
        "archbishop cardinal emperor empress sheikh rabbi imam hon secretary minister ambassador chairman coach "
        "detective inspector officer mayor congressman congresswoman representative rep"
    )
)
WOMEN = frozenset(
    {"wife", "widow", "daughter", "mother", "sister", "aunt", "niece", "actress", "girlfriend", "queen", "princess"}
    | {"duchess", "empress", "woman", "girl", "grandmother", "stepmother", "granddaughter", "fiancée"}
    | {
        "businesswoman",
        "heroine",
        "lady",
        "goddess",
        "half-sister",
        "stepsister",
        "stepdaughter",
        "mistress",
        "waitress",
    }
)
MEN = frozenset(
    {"husband", "widower", "son", "father", "brother", "uncle", "nephew", "actor", "boyfriend", "king", "prince"}
    | {"duke", "emperor", "man", "boy", "grandfather", "stepfather", "grandson", "fiancé", "businessman", "lord"}
    | {"half-brother", "stepbrother", "stepson", "pope", "bishop", "monk", "priest"}
)
"""Words beside a name that tell the gender: "his wife Ann"."""
_ARCHAIC = _words("thou thee thy thine thyself")
_GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr"}
_LEGAL = _words("inc incorporated corp corporation co company ltd limited llc llp plc gmbh ag sa nv bv ab oy spa kg")
_GENERIC = _words(
    "university college school institute bank group holdings records club fc cf sc party airlines airways press "
    "foundation association league church hospital museum entertainment pictures studios studio films television "
    "international industries systems technologies services newspaper magazine band orchestra hotel theatre "
    "theater il fk"
)
_ARTICLES = frozenset({"the", "a", "an"})
_SMALL = _ARTICLES | _words("of and for in on at de la du des der & van von y e")
_KNOWN_ACRONYMS = {
    "us": "united states",
    "usa": "united states",
    "uk": "united kingdom",
    "eu": "european union",
    "ussr": "soviet union",
    "uae": "united arab emirates",
}
_KNOWN_LONG = {"united states of america": "united states", "new york city": "new york"}
_STATES = [
    tuple(form.split())
    for form in (
        "kingdom of",
        "republic of",
        "people s republic of",
        "peoples republic of",
        "federal republic of",
        "islamic republic of",
        "state of",
        "city of",
        "commonwealth of",
    )
]
_OTHER_REPUBLICS = _words("china ireland congo the")
_THINGS = frozenset({"ORG", "LOC", "MISC", "TERM"})
_VALUES = frozenset({"TIME", "NUM"})
_TYPES = _THINGS | _VALUES | {"PER"}
_INTRODUCTIONS = frozenset(
    f"{before}{word}".strip()
    for before in ("", "also ", "better ", "best ", "commonly ", "formerly ", "previously ", "originally ", "now ")
    for word in ("known as", "called", "named", "known professionally as", "known simply as", "referred to as")
) | {
    *("born", "née", "nee", "aka", "a.k.a.", "alias", "formerly", "previously", "originally", "born as", "stage name"),
    *(
        "later known as",
        "later renamed",
        "renamed",
        "popularly known as",
        "who is known as",
        "abbreviated",
        "abbreviated as",
    ),
    *(
        "more commonly known as",
        "simply known as",
        "usually called",
        "often called",
        "also called",
        "later called",
        "short",
    ),
}
_IN_PARENTHESES = frozenset({"or", "or the", "also", "now", "then"})
_MARKS = frozenset({",", "(", '"', "'", "``", "''"})
_CLOSING = frozenset({")", ",", ";", '"', "'", "''"})
_LINKS = frozenset({",", "is", "was"})
_BEFORE_KIN = _words("the a an his her their")
_LATIN = 0x250  # the first character beyond Latin letters
_LONGEST_INTRODUCTION = 7  # words
_LEAST_OF_NAME = 2  # letters of a word that may stand for a whole name
_LEAST_OF_SHORT_FORM = 3
_LEAST_OF_FULL_NAME = 2  # words


@dataclass(frozen=True, slots=True)
class Name:
    """A mention by name.

    Args:
        words: as they stand in the text.
        type: a coarse type (`kgmrca.types.coarse_type`); any other string: not known.
        item: the item that it is linked to; "": none.
        definite: whether "the" stands before it, or is its first word.
        sentence: the number of the sentence that it stands in; -1: not known.
        gender: what the words beside it say: "f", "m", or "": nothing.
    """

    words: tuple[str, ...]
    type: str = ""
    item: str = ""
    definite: bool = False
    sentence: int = -1
    gender: str = ""


@dataclass(frozen=True, slots=True)
class _Form:
    """What the rules compare: words in lower case without accents, articles and titles."""

    words: tuple[str, ...]
    type: str
    gender: str = ""  # of a title: "f", "m"
    wife: bool = False  # whether the title is "Mrs." or the like
    generation: str = ""  # "jr", "sr"
    initials: str = ""  # of the words, small ones left out
    article: str = ""  # the first letter of an article before them
    acronym: str = ""  # the letters, where the name is written as an acronym
    comma: int = 0  # words before the first comma; 0: there is none


class Groups:
    """Names put together, so long as nothing speaks against it.

    Two different items, genders or generations do, and what is kept apart (`part`).
    """

    def __init__(self, items: Sequence[str], genders: Sequence[str], generations: Sequence[str]) -> None:
        self._up = list(range(len(items)))
        self._marks = [list(marks) for marks in zip(items, genders, generations, strict=True)]
        self._apart: dict[int, set[int]] = {}

    def find(self, number: int) -> int:
        """The first of the group that a name is in."""
        while self._up[number] != number:
            self._up[number] = self._up[self._up[number]]
            number = self._up[number]
        return number

    def agree(self, numbers: Iterable[int]) -> bool:
        """Whether nothing speaks against putting all these names into one group."""
        together = {self.find(number) for number in numbers}
        for group in together & self._apart.keys() if len(together) > 1 else ():
            if any(self.find(other) in together for other in self._apart[group]):
                return False
        marks = [self._marks[group] for group in together]
        return all(len({mark for mark in kind if mark}) < 2 for kind in zip(*marks, strict=True))

    def part(self, one: int, other: int) -> None:
        """Keep two groups apart from now on; if they are one already, they stay so."""
        first, second = self.find(one), self.find(other)
        if first != second:
            self._apart.setdefault(first, set()).add(second)
            self._apart.setdefault(second, set()).add(first)

    def join(self, one: int, other: int) -> bool:
        """Make two groups one; False if something speaks against it."""
        if not self.agree((one, other)):
            return False
        first, second = sorted((self.find(one), self.find(other)))
        if first != second:
            self._up[second] = first
            if second in self._apart:
                self._apart.setdefault(first, set()).update(self._apart.pop(second))
            self._marks[first] = [
                mine or yours for mine, yours in zip(self._marks[first], self._marks[second], strict=True)
            ]
        return True


def group_names(names: Sequence[Name], known: Iterable[Sequence[int]] = ()) -> list[int]:
    """For each name the number of the first name that means the same.

    Two names that are linked to different items, or of which one is linked through others to a different one, are
    never the same.

    >>> texts = ["Marie Curie", "World Health Organization", "Dr. Curie", "WHO", "Pierre", "Curie"]
    >>> group_names([Name(tuple(text.split()), "PER" if text[0] in "MDPC" else "ORG") for text in texts])
    [0, 1, 0, 1, 4, 0]

    Args:
        names: in the order of the text.
        known: names (by their places in `names`) that are the same, as something else has found out.
    """
    forms: dict[tuple[_Form, str], int] = {}
    which = [forms.setdefault((_form(name.words, name.type), name.item), len(forms)) for name in names]
    distinct = [form for form, _ in forms]
    genders = _genders(distinct, which, names)
    groups = Groups([item for _, item in forms], genders, [form.generation for form in distinct])
    first: dict[str, int] = {}
    for number, (_, item) in enumerate(forms):
        if item:
            groups.join(first.setdefault(item, number), number)
    for together in known:
        if groups.agree([which[number] for number in together]):
            for one, other in pairwise(together):
                groups.join(which[one], which[other])
    sentences: list[set[int]] = [set() for _ in distinct]
    for number, name in zip(which, names, strict=True):
        sentences[number].add(name.sentence)
    _part_full_names(distinct, groups, sentences)
    _part_wives(distinct, groups, genders)
    _join_equal(distinct, groups)
    for rule in (_persons, _organizations, _places, _acronyms):
        rule(distinct, groups)
    definite = {number for number, name in zip(which, names, strict=True) if name.definite}
    _join_short_forms(distinct, groups, definite)
    _join_first_person(distinct, groups)
    start: dict[int, int] = {}
    return [start.setdefault(groups.find(number), place) for place, number in enumerate(which)]


def introduced(words: Sequence[str], spans: Sequence[tuple[int, int]], types: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of neighbouring names (their places in `spans`) of which the text says that they mean the same.

    They are of the same type, and between them stands nothing but "also known as", "formerly", "born" and the like. Or
    the second stands alone in parentheses behind the first, and is written as an acronym of it or in other letters, or
    both are organizations, or works and the like; of such pairs 64 of 77 are right in the training parts of Re-DocRED
    and GUM. A place in parentheses is often another one: where the first lies.

    >>> words = "Farrokh Bulsara , known as Freddie Mercury , joined Queen .".split()
    >>> introduced(words, [(0, 2), (5, 7), (9, 10)], ["PER", "PER", "ORG"])
    [(0, 1)]

    Args:
        words: clean words of the document.
        spans: start and end (exclusive) of each name, sorted.
        types: coarse type of each.
    """
    found = []
    for number, ((first, end), (start, last)) in enumerate(pairwise(spans)):
        one, other = types[number : number + 2]
        if one in _VALUES or other in _VALUES or not 1 <= start - end <= _LONGEST_INTRODUCTION:
            continue
        between = [word.lower() for word in words[end:start] if word not in _MARKS]
        opened, closed = "(" in words[end:start], last < len(words) and words[last] in _CLOSING
        said = " ".join(between)
        same = one == other and (said in _INTRODUCTIONS or (opened and closed and said in _IN_PARENTHESES))
        if opened and closed and not between:
            name, aside = words[first:end], words[start:last]  # one word each tells too little
            long = one in ("ORG", "MISC") and len(name) + len(aside) > 2
            same = same or (one == other and (long or _is_foreign(aside)))
            same = same or (one in _THINGS and other in _THINGS and _begins_alike(name, aside))
        if same:
            found.append((number, number + 1))
    return found


def _is_foreign(words: Sequence[str]) -> bool:
    """Whether there are letters that are not Latin."""
    return any(letter.isalpha() and ord(letter) > _LATIN for word in words for letter in word)


def _begins_alike(name: Sequence[str], acronym: Sequence[str]) -> bool:
    """Whether an acronym may be one of a name: they begin with the same letter, and the name has several words."""
    short, long = _form(tuple(acronym), "ORG"), _form(tuple(name), "ORG")
    return bool(short.acronym and len(long.words) > 1 and short.acronym[0] == long.words[0][0])


def gender_of_title(words: Sequence[str]) -> str:
    """What the titles of a person's name say: "f", "m" or "".

    >>> gender_of_title(("Mrs.", "Dalloway")), gender_of_title(("Dr.", "Watson"))
    ('f', '')
    """
    for word in map(_plain, words[:-1]):
        if word in FEMALE or word in MALE:
            return "f" if word in FEMALE else "m"
        if word not in _TITLES:
            break
    return ""


def gender_of_neighbours(words: Sequence[str], start: int, end: int) -> str:
    """What the words beside a person's name say of the gender: "f", "m" or "".

    >>> words = "Ann Lee , his wife , met the actor Bob Stone .".split()
    >>> gender_of_neighbours(words, 0, 2), gender_of_neighbours(words, 9, 11)
    ('f', 'm')
    """
    beside = [words[start - 1].lower()] if start else []
    title = gender_of_title(words[max(0, start - 1) : end])
    behind = [word.lower() for word in words[end : end + 3]]
    if len(behind) == 3 and behind[0] in _LINKS and behind[1] in _BEFORE_KIN:
        beside.append(behind[2])
    found = {"f" if word in WOMEN else "m" for word in beside if word in WOMEN or word in MEN}
    found |= {title} if title else set()
    return found.pop() if len(found) == 1 else ""


def is_archaic_pronoun(words: Sequence[str]) -> bool:
    """Whether a "name" is but "thou" or the like, which recognizers take for a person; "Ye" is a name as well.

    >>> is_archaic_pronoun(["Thy"]), is_archaic_pronoun(["ye"]), is_archaic_pronoun(["Ye"])
    (True, True, False)
    """
    return len(words) == 1 and (words[0].lower() in _ARCHAIC or words[0] == "ye")


def is_definite(words: Sequence[str], start: int) -> bool:
    """Whether "the" stands before the name that begins at a word, or is its first word."""
    return "the" in (words[start].lower(), words[start - 1].lower() if start else "")


def is_title(word: str) -> bool:
    """Whether a word is a title of persons: "Dr.", "President"."""
    return _plain(word) in _TITLES


def is_acronym_of(acronym: str, words: Sequence[str]) -> bool:
    """Whether an acronym is made of the first letters of a name; small words may be left out.

    >>> is_acronym_of("WHO", ["World", "Health", "Organization"]), is_acronym_of("BBC", ["British", "Broadcasting"])
    (True, False)
    """
    form = _form(tuple(words), "ORG")
    letters = _form((acronym,), "ORG").acronym
    return bool(letters) and letters in (form.initials, _all_initials(form.words))


# What is compared.


@lru_cache(maxsize=50_000)
def _plain(word: str) -> str:
    """A word's letters, digits and symbols ("$", "%", "C++") in lower case, without accents."""
    letters = unicodedata.normalize("NFD", clean_word(word).casefold())
    return "".join(c for c in letters if c.isalnum() or c in "%#" or unicodedata.category(c) in ("Sc", "Sm", "So"))


@lru_cache(maxsize=50_000)
def _form(of_name: tuple[str, ...], kind: str) -> _Form:
    words = [clean_word(word) for word in of_name]
    if words and words[-1] in ("'s", "'"):
        words.pop()
    elif words and words[-1].endswith("'s"):
        words[-1] = words[-1][:-2]
    comma = next((len([w for w in words[:at] if _plain(w)]) for at, word in enumerate(words) if word == ","), 0)
    parts = [part for word in words for part in re.split(r"[-/]|(?<=\.)(?=\w{2})", word) if _plain(part)]
    acronym = _acronym(parts)
    if acronym:
        parts = [acronym]
    gender = generation = article = ""
    wife = False
    while len(parts) > 1 and parts[0].casefold() in _ARTICLES:
        article, parts = parts[0][0].casefold(), parts[1:]
    if kind == "PER":
        gender = gender_of_title(parts)
        wife = len(parts) > 1 and _plain(parts[0]) in _WIVES
        while len(parts) > 1 and _plain(parts[0]) in _TITLES and parts[0] not in ("M", "St"):
            parts = parts[1:]
        while len(parts) > 1 and _plain(parts[-1]) in _GENERATIONS:
            generation = _GENERATIONS[_plain(parts[-1])]
            parts = parts[:-1]
        parts = [piece for part in parts for piece in re.findall(r"[^\W\d_]\.", part) or [part]]
    if kind == "ORG":
        while len(parts) > 1 and _plain(parts[-1]) in _LEGAL:
            parts = parts[:-1]
    plain = tuple(map(_plain, parts))
    plain = tuple(_KNOWN_LONG.get(" ".join(plain), " ".join(plain)).split()) if len(plain) > 2 else plain
    if kind == "LOC":
        plain = _without_form_of_state(plain)
    if kind in _VALUES:
        plain = ("".join(plain),)
    initials = "".join(
        word[0] for word, part in zip(plain, parts, strict=False) if word not in _SMALL and part[0].isupper()
    )
    return _Form(plain or tuple(words), kind, gender, wife, generation, initials, article, acronym.casefold(), comma)


def _without_form_of_state(words: tuple[str, ...]) -> tuple[str, ...]:
    """ "Thailand" for "Kingdom of Thailand"; but the Republic of China is Taiwan."""
    short = next((words[len(form) :] for form in _STATES if words[: len(form)] == form), ())
    return short if short and (words[0] != "republic" or short[0] not in _OTHER_REPUBLICS) else words


def _acronym(parts: Sequence[str]) -> str:
    """The letters of a name that is written as an acronym ("WHO", "U.S.", "U. S."), else ""."""
    letters = "".join(part.replace(".", "") for part in parts)
    together = len(parts) == 1 or all(re.fullmatch(r"[A-Z]\.", part) for part in parts)
    return letters if together and len(letters) >= _LEAST_OF_NAME and re.fullmatch(r"[A-Z]+s?", letters) else ""


def _all_initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words)


def _genders(forms: Sequence[_Form], which: Sequence[int], names: Sequence[Name]) -> list[str]:
    """What titles and, for full names of persons, the words beside them say; "" where these differ."""
    said: list[set[str]] = [set() for _ in forms]
    for number, name in zip(which, names, strict=True):
        if name.gender and len(forms[number].words) > 1 and forms[number].type == "PER":
            said[number].add(name.gender)
    return [form.gender or (min(found) if len(found) == 1 else "") for form, found in zip(forms, said, strict=True)]


# What is kept apart.


def _part_full_names(forms: Sequence[_Form], groups: Groups, sentences: Sequence[AbstractSet[int]]) -> None:
    """ "John Adams" and "John Quincy Adams" are two, unless the longer name comes first and the shorter one later.

    Not even then if both stand in one sentence, or if their middle names do not begin alike.
    """
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, form in enumerate(forms):
        if form.type == "PER" and len(form.words) > 1:
            alike[form.words[0][0], form.words[-1]].append(number)
    for numbers in alike.values():
        for place, one in enumerate(numbers):
            for other in numbers[:place]:  # it comes first
                first, later = forms[other].words, forms[one].words
                if len(first) == len(later) == _LEAST_OF_FULL_NAME or first == later:
                    continue
                middles = list(zip(first[1:-1], later[1:-1], strict=False))
                shorter = len(later) < len(first) and sentences[one].isdisjoint(sentences[other] - {-1})
                if not (shorter or len(first) == len(later)) or not all(_fit(*pair) for pair in middles):
                    groups.part(one, other)


def _fit(one: str, other: str) -> bool:
    return _same_word(one, other) or _same_word(other, one)


def _part_wives(forms: Sequence[_Form], groups: Groups, genders: Sequence[str]) -> None:
    """ "Mrs. Adams" is neither John Adams, of whom nothing says that he is a woman, nor "Adams" where he is named.

    Where "Mr. Adams" is named as well, and no such woman, the rule of several claims (`_join_with_only`) keeps them
    apart, and says also that it is not known which of the two John Adams is.
    """
    persons: dict[str, list[int]] = defaultdict(list)
    women = set()
    for number, form in enumerate(forms):
        if form.type == "PER":
            persons[form.words[-1]].append(number)
            if genders[number] == "f":
                women.add(form.words)
    for number, form in enumerate(forms):
        if not form.wife or len(form.words) > 1:
            continue
        others = persons[form.words[-1]]
        full = [other for other in others if len(forms[other].words) > 1 and forms[other].words not in women]
        alone = [other for other in others if len(forms[other].words) == 1]
        if any(genders[other] == "m" for other in alone) and all(
            len(forms[other].words) == 1 or other in full for other in others
        ):
            continue
        for other in [*full, *(other for other in alone if not genders[other])] if full else ():
            groups.part(number, other)


# The rules. Each joins what it is sure of.


def _join_equal(forms: Sequence[_Form], groups: Groups) -> None:
    """The same words, and types that may be the same; what is ambiguous stays for itself."""
    equal: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, form in enumerate(forms):
        equal[form.words].append(number)
    pairs = []
    for numbers in equal.values():
        if len(numbers) == 1:
            continue
        alike = {
            number: [other for other in numbers if _types_agree(forms[number], forms[other])] for number in numbers
        }
        fitting = {
            number: [other for other in others if groups.agree((number, other))] for number, others in alike.items()
        }
        clear = {number for number in numbers if groups.agree(fitting[number])}
        pairs += [(number, other) for number in clear for other in fitting[number] if other in clear]
    for one, other in pairs:
        groups.join(one, other)


def _types_agree(one: _Form, other: _Form) -> bool:
    """Whether two equal names may mean the same: recognizers often take an organization for a place.

    A place and something else of the same name are often a people and its language ("Kurdish").
    """
    types = {one.type, other.type}
    return len(types) == 1 or not types <= _TYPES or (types <= _THINGS and types != {"LOC", "MISC"})


def _join_with_only(claims: Iterable[tuple[int, Iterable[int]]], groups: Groups) -> None:
    """Join names with those that each may stand for, where these are one group.

    Of several names that may stand for the same, but not for one another ("Mr. Darcy", "Mrs. Darcy" and "Darcy"), none
    is joined: it is not known which one it is.
    """
    claimed: dict[int, list[int]] = defaultdict(list)
    for number, others in claims:
        found = {groups.find(other) for other in others if groups.agree((number, other))}
        if len(found) == 1:
            claimed[found.pop()].append(number)
    for group, numbers in claimed.items():
        if groups.agree((group, *numbers)):
            for number in numbers:
                groups.join(number, group)


def _join_short(
    forms: Sequence[_Form],
    groups: Groups,
    numbers: Sequence[int],
    keys: Callable[[_Form], Iterable[str]],
    is_short_for: Callable[[_Form, _Form], bool],
) -> None:
    """Join short names with the long one that they may stand for, if there is only one; longer ones first."""
    index: dict[str, list[int]] = defaultdict(list)
    for number in numbers:
        for key in set(keys(forms[number])):
            index[key].append(number)
    lengths = defaultdict(list)
    for number in numbers:
        lengths[len(forms[number].words)].append(number)
    for length in sorted(lengths, reverse=True):
        claims = [
            (
                number,
                [other for other in _candidates(forms[number], index) if is_short_for(forms[number], forms[other])],
            )
            for number in lengths[length]
        ]
        _join_with_only(claims, groups)


def _candidates(short: _Form, index: dict[str, list[int]]) -> list[int]:
    return index[short.words[0]] if short.words and short.words[0] in index else []


def _persons(forms: Sequence[_Form], groups: Groups) -> None:
    """ "Curie", "Dr. Curie", "M. Curie" and "Marie" for "Marie Skłodowska Curie"."""
    numbers = [number for number, form in enumerate(forms) if form.type == "PER"]
    _join_short(forms, groups, numbers, _person_keys, _is_short_person)


def _person_keys(form: _Form) -> list[str]:
    return [*form.words, *(word[0] for word in form.words)]


def _is_short_person(short: _Form, long: _Form) -> bool:
    if len(long.words) <= len(short.words) or (short.acronym and len(short.words) == 1):
        return _is_initialled(short, long)
    if len(short.words) == 1:
        return len(short.words[0]) >= _LEAST_OF_NAME and short.words[0] in long.words
    if short.words == long.words[-len(short.words) :]:
        return len(short.words[0]) > 1
    return _same_word(short.words[0], long.words[0]) and _in_order(short.words, long.words)


def _is_initialled(short: _Form, long: _Form) -> bool:
    """ "M. Curie" for "Marie Curie": as many words, the last one equal, one of them only an initial."""
    if short.words == long.words or len(short.words) != len(long.words) or len(long.words) < _LEAST_OF_NAME:
        return False
    pairs = zip(short.words, long.words, strict=True)
    return short.words[-1] == long.words[-1] and all(_same_word(mine, yours) for mine, yours in pairs)


def _same_word(short: str, long: str) -> bool:
    return short == long or (len(short) == 1 and long.startswith(short))


def _in_order(short: Sequence[str], long: Sequence[str]) -> bool:
    """Whether the words of the short name stand in the long one in this order, and it ends as the long one does."""
    rest = iter(long)
    return short[-1] == long[-1] and all(any(_same_word(word, other) for other in rest) for word in short)


def _organizations(forms: Sequence[_Form], groups: Groups) -> None:
    """ "Microsoft" for "Microsoft Corporation", "Harvard" for "Harvard University"."""
    numbers = [number for number, form in enumerate(forms) if form.type == "ORG"]
    _join_short(forms, groups, numbers, lambda form: form.words[:1], _is_short_organization)


def _is_short_organization(short: _Form, long: _Form) -> bool:
    rest = long.words[len(short.words) :]
    return bool(rest) and long.words[: len(short.words)] == short.words and set(rest) <= _GENERIC


def _places(forms: Sequence[_Form], groups: Groups) -> None:
    """ "Springfield" for "Springfield, Illinois"."""
    numbers = [number for number, form in enumerate(forms) if form.type == "LOC"]
    _join_short(forms, groups, numbers, lambda form: form.words[:1], _is_place_before_comma)


def _is_place_before_comma(short: _Form, long: _Form) -> bool:
    return 0 < long.comma == len(short.words) and long.words[: long.comma] == short.words


def _join_short_forms(forms: Sequence[_Form], groups: Groups, definite: AbstractSet[int]) -> None:
    """ "the Parliament" behind "Norwegian Parliament", "Villanova" behind "Villanova Preparatory School".

    These names look back, so here the order of the text counts; longer names are joined first. In the training parts of
    Re-DocRED and GUM 253 of 282 pairs that this joins are right.
    """
    theme = next((number for number, form in enumerate(forms) if form.type not in _VALUES), -1)
    for number in sorted(range(len(forms)), key=lambda number: -len(forms[number].words)):
        short = forms[number]
        if short.type not in ("ORG", "MISC") or len(short.words[0]) < _LEAST_OF_SHORT_FORM:
            continue
        found = [place for place, long in enumerate(forms) if long.type == short.type and _is_part(short, long)]
        if len({groups.find(place) for place in found}) == 1 and found[0] < number:
            about = groups.find(found[0]) == groups.find(theme)
            if any(_is_short_form(short, forms[place], definite=number in definite, theme=about) for place in found):
                groups.join(number, found[0])


def _is_part(short: _Form, long: _Form) -> bool:
    """Whether a longer name begins or ends with a name."""
    count = len(short.words)
    return len(long.words) > count and short.words in (long.words[:count], long.words[-count:])


def _is_short_form(short: _Form, long: _Form, *, definite: bool, theme: bool) -> bool:
    """Whether a part of a name may be short for it; `theme`: the name is the first of the text."""
    begins = long.words[: len(short.words)] == short.words
    if len(short.words) > 1:
        return definite and begins and short.type == "ORG" and long.words[len(short.words)] == "of"
    return definite or theme


def _join_first_person(forms: Sequence[_Form], groups: Groups) -> None:
    """A first or last name that several persons have means the first person of the text, if that one has it.

    In the training parts of Re-DocRED, GUM and LitBank 789 of 841 pairs that this joins are right.
    """
    first = next((number for number, form in enumerate(forms) if form.type == "PER"), -1)
    for number, form in enumerate(forms):
        if number > first and form.type == "PER" and _is_one_of_names(form, forms[first]):
            groups.join(number, first)


def _is_one_of_names(short: _Form, long: _Form) -> bool:
    alone = len(short.words) == 1 < len(long.words) and len(short.words[0]) >= _LEAST_OF_NAME
    return alone and short.words[0] in long.words and short.gender in ("", long.gender)


def _acronyms(forms: Sequence[_Form], groups: Groups) -> None:
    """ "WHO" for "World Health Organization", "U.S." for "United States"."""
    long: dict[str, list[int]] = defaultdict(list)
    for number, form in enumerate(forms):
        if form.type in _THINGS and len(form.words) > 1:
            every = _all_initials(form.words)
            for letters in {form.initials, every, form.article + every}:
                long[letters].append(number)
    by_words = {form.words: number for number, form in enumerate(forms) if form.type in _THINGS}
    claims: list[tuple[int, list[int]]] = []
    for number, form in enumerate(forms):
        if form.acronym and form.type in _THINGS:
            known = by_words.get(tuple(_KNOWN_ACRONYMS.get(form.acronym, "").split()))
            claims.append((number, long[form.acronym] if known is None else [known]))
    _join_with_only(claims, groups)
