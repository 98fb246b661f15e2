"""Which names of a document mean the same: rules on their words, types and items. No spaCy and no torch in here.

A rule joins two names only if nothing else in the document is likely to be meant: "Curie" is Marie Curie where no other
Curie is named, or where she is the first person of the text. Each rule is a function of its own; `group_names` says in
which order they are asked.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TypeAlias

from kgmrca.extraction.coreference.beside import (
    FOUNDER,
    GIVEN,
    OFFICES,
    PERSON,
    THING,
    WIVES,
    facts_beside,
    gender_of_neighbours,
    gender_of_title,
    is_definite,
    is_title,
    plain_word,
    title_of,
    without_titles,
)
from kgmrca.extraction.encoder.forms import clean_word

__all__ = ["Groups", "Name", "first_name", "group_names", "introduced", "is_acronym_of", "without_mistaken"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
_LATIN = 0x250  # the first character beyond Latin letters
_LONGEST_INTRODUCTION = 7  # words
_LEAST_OF_NAME = 2  # letters of a word that may stand for a whole name
_LEAST_OF_SHORT_FORM = 3
_LEAST_OF_FULL_NAME = 2  # words
_LEAST_OF_FIRST_NAME = 3
_PARTICLES = frozenset(
    {"von", "van", "de", "der", "den", "da", "di", "du", "del", "della", "dos", "das", "la", "le", "al", "el", "ibn"}
    | {"bin", "ben", "ter", "ten", "zu", "af", "av"}
)
_ARABIC = frozenset({"al", "el", "ad", "ar", "as", "ash", "at", "az", "an"})
_NUMERAL = re.compile("[ivx]+|of")  # "Elizabeth II", "Francis of Assisi"
_POLITE = frozenset({"mr", "mrs", "miss", "ms", "sir", "dame"})
_LEARNED = frozenset({"dr", "prof"})


@dataclass(frozen=True, slots=True)
class Name:
    """A mention by name.

    Args:
        words: as they stand in the text; a title that stands before the name belongs to them.
        type: a coarse type (`kgmrca.types.coarse_type`); any other string: not known.
        item: the item that it is linked to; "": none.
        definite: whether "the" stands before it, or is its first word.
        sentence: the number of the sentence that it stands in; -1: not known.
        gender: what the words beside it say: "f", "m", or "": nothing.
        said: what else they say (`beside.facts_beside`).
        likely: the gender of most people with this first name, where that is nearly sure; "": it is not.
    """

    words: tuple[str, ...]
    type: str = ""
    item: str = ""
    definite: bool = False
    sentence: int = -1
    gender: str = ""
    said: frozenset[str] = frozenset()
    likely: str = ""

    @classmethod
    def at(
        cls, words: Sequence[str], start: int, end: int, kind: str, item: str = "", sentence: int = -1, likely: str = ""
    ) -> "Name":
        """The name that stands at some clean words of a text, with what the words beside it say."""
        definite = is_definite(words, start)
        if kind != "PER":
            return cls(tuple(words[start:end]), kind, item, definite, sentence)
        titled = start > 0 and words[start - 1][:1].isupper() and is_title(words[start - 1])
        gender, said = gender_of_neighbours(words, start, end), facts_beside(words, start, end)
        named = tuple(words[start - titled : end])
        return cls(named, kind, item, definite, sentence, gender, said, likely)


@dataclass(frozen=True, slots=True)
class _Form:
    """What the rules compare: words in lower case without accents, articles and titles."""

    words: tuple[str, ...]
    type: str
    gender: str = ""  # of a title: "f", "m"
    title: str = ""  # the first, see `beside.title_of`
    wife: bool = False  # whether the title is "Mrs." or the like
    generation: str = ""  # "jr", "sr"
    initials: str = ""  # of the words, small ones left out
    article: str = ""  # the first letter of an article before them
    acronym: str = ""  # the letters, where the name is written as an acronym
    comma: int = 0  # words before the first comma; 0: there is none
    parts: frozenset[str] = frozenset()  # of words with hyphens: "Joliot-Curie" is no Curie


class Groups:
    """Names put together, so long as nothing speaks against it: a different mark, or what is kept apart (`part`).

    Args:
        marks: of each name some marks, "" where nothing is known. Those of one group are equal or "".
    """

    def __init__(self, marks: Iterable[Sequence[str]]) -> None:
        self._marks = [list(here) for here in marks]
        self._up = list(range(len(self._marks)))
        self._apart: dict[int, set[int]] = {}

    def find(self, number: int) -> int:
        """The first of the group that a name is in."""
        while self._up[number] != number:
            self._up[number] = self._up[self._up[number]]
            number = self._up[number]
        return number

    def agree(self, numbers: Iterable[int], marks: int | None = None) -> bool:
        """Whether nothing speaks against putting all these names into one group; `marks`: only the first ones count."""
        together = {self.find(number) for number in numbers}
        for group in together & self._apart.keys() if len(together) > 1 else ():
            if any(self.find(other) in together for other in self._apart[group]):
                return False
        rows = [self._marks[group][:marks] for group in together]
        return all(len({mark for mark in kind if mark}) < 2 for kind in zip(*rows, strict=True))

    def part(self, one: int, other: int) -> None:
        """Keep two groups apart from now on; if they are one already, they stay so."""
        first, second = self.find(one), self.find(other)
        if first != second:
            self._apart.setdefault(first, set()).add(second)
            self._apart.setdefault(second, set()).add(first)

    def join(self, one: int, other: int, marks: int | None = None) -> bool:
        """Make two groups one; False if something speaks against it."""
        if not self.agree((one, other), marks):
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


@dataclass(frozen=True, slots=True)
class _Forms:
    """The different names of a document, in the order of the text."""

    all: list[_Form]
    genders: list[str]  # what titles and the words beside them say
    likely: list[str]  # the same; where they say nothing, what first names tell
    said: list[set[str]]  # see `beside.facts_beside`
    sentences: list[set[int]]  # in which they stand

    @property
    def persons(self) -> list[int]:
        return [number for number, form in enumerate(self.all) if form.type == "PER"]


_Clusters: TypeAlias = Sequence[Sequence[int]]
"""Names (by their places) that are the same."""


def group_names(names: Sequence[Name], known: _Clusters = (), clusters: Sequence[_Clusters] = ()) -> list[int]:
    """For each name the number of the first name that means the same.

    Two names that are linked to different items, or of which one is linked through others to a different one, are
    never the same.

    >>> texts = ["Marie Curie", "World Health Organization", "Dr. Curie", "WHO", "Pierre", "Curie"]
    >>> group_names([Name(tuple(text.split()), "PER" if text[0] in "MDPC" else "ORG") for text in texts])
    [0, 1, 0, 1, 4, 0]

    Args:
        names: in the order of the text.
        known: names that are the same, as the text says (`introduced`).
        clusters: names that are the same, as other components have found out, for each component. Names in different
            clusters of one component are kept apart, unless they are linked to the same item.
    """
    cluster_of = [{name: str(number) for number, cluster in enumerate(here) for name in cluster} for here in clusters]
    marks = [tuple(here.get(place, "") for here in cluster_of) for place in range(len(names))]
    places: dict[tuple[_Form, str, tuple[str, ...]], int] = {}
    which = [
        places.setdefault((_form(name.words, name.type), name.item, mark), len(places))
        for name, mark in zip(names, marks, strict=True)
    ]
    forms = _gather([form for form, *_ in places], which, names)
    rows = zip(places, forms.genders, forms.likely, strict=True)
    groups = Groups([item, sex, form.generation, *mark, likely] for (form, item, mark), sex, likely in rows)
    sure = 3  # what an item outweighs, and what is known: clusters of others, and what first names tell
    first: dict[str, int] = {}
    for number, (_, item, _) in enumerate(places):
        if item:
            groups.join(first.setdefault(item, number), number, sure)
    for together in (*(cluster for here in clusters for cluster in here), *known):
        if groups.agree([which[number] for number in together], sure + len(clusters)):
            for one, other in pairwise(together):
                groups.join(which[one], which[other], sure + len(clusters))
    for parting in (_part_full_names, _part_wives, _part_titles, _part_generations):
        parting(forms, groups)
    _join_equal(forms.all, groups)
    for rule in (_persons, _organizations, _places, _acronyms):
        rule(forms.all, groups)
    definite = {number for number, name in zip(which, names, strict=True) if name.definite}
    _join_short_forms(forms.all, groups, definite)
    _join_first_person(forms.all, groups)
    start: dict[int, int] = {}
    return [start.setdefault(groups.find(number), place) for place, number in enumerate(which)]


def _gather(forms: list[_Form], which: Sequence[int], names: Sequence[Name]) -> _Forms:
    """What is said of each form, wherever the name stands; of genders nothing where that differs."""
    said: list[set[str]] = [set() for _ in forms]
    genders: list[set[str]] = [set() for _ in forms]
    likely = [""] * len(forms)
    sentences: list[set[int]] = [set() for _ in forms]
    for number, name in zip(which, names, strict=True):
        said[number] |= name.said
        sentences[number].add(name.sentence)
        if len(forms[number].words) > 1 and forms[number].type == "PER":
            genders[number].add(name.gender)
            likely[number] = likely[number] or name.likely
    told = [
        form.gender or (min(here - {""}) if len(here - {""}) == 1 else "")
        for form, here in zip(forms, genders, strict=True)
    ]
    guessed = [
        sure or ("" if len(here - {""}) > 1 else guess) for sure, here, guess in zip(told, genders, likely, strict=True)
    ]
    return _Forms(forms, told, guessed, said, sentences)


def without_mistaken(names: Sequence[Name]) -> list[Name]:
    """The names, with those as organizations that a recognizer took for persons because a person has this name.

    >>> words = "Siemens was founded in Berlin . Werner von Siemens led it .".split()
    >>> names = [Name.at(words, 0, 1, "PER"), Name.at(words, 6, 9, "PER")]
    >>> [name.type for name in without_mistaken(names)]
    ['ORG', 'PER']
    """
    full: dict[str, tuple[int, bool]] = {}  # of each last name: where a full name has it first, whether it founds
    alone: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        if name.type == "PER":
            form = _form(name.words, "PER")
            if len(form.words) > 1:
                first, founds = full.get(form.words[-1], (place, False))
                full[form.words[-1]] = first, founds or FOUNDER in name.said
            elif not form.title:
                alone[form.words[0]].append(place)
    mistaken: set[int] = set()
    for word, places in alone.items():
        first, founds = full.get(word, (-1, False))
        begins = places[0] < first  # persons are named in full first
        told = [_kind_told(names[place].said) for place in places]
        kind = next(filter(None, told), "")
        if begins and founds and told[0] != PERSON:
            kind = THING
        for place, here in zip(places, told, strict=True):
            kind = here or kind  # what says nothing goes with what stands before
            if kind == THING:
                mistaken.add(place)
    return [replace(name, type="ORG") if place in mistaken else name for place, name in enumerate(names)]


def _kind_told(said: AbstractSet[str]) -> str:
    """Whether what is said of a name makes it a person or a thing; "": neither, or both."""
    told = said & {PERSON, THING}
    return next(iter(told)) if len(told) == 1 else ""


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


def is_acronym_of(acronym: str, words: Sequence[str]) -> bool:
    """Whether an acronym is made of the first letters of a name; small words may be left out.

    >>> is_acronym_of("WHO", ["World", "Health", "Organization"]), is_acronym_of("BBC", ["British", "Broadcasting"])
    (True, False)
    """
    form = _form(tuple(words), "ORG")
    letters = _form((acronym,), "ORG").acronym
    return bool(letters) and letters in (form.initials, _all_initials(form.words))


# What is compared.


@lru_cache(maxsize=10_000)
def _form(of_name: tuple[str, ...], kind: str) -> _Form:
    words = [clean_word(word) for word in of_name]
    if words and words[-1] in ("'s", "'"):
        words.pop()
    elif words and words[-1].endswith("'s"):
        words[-1] = words[-1][:-2]
    comma = next((len([w for w in words[:at] if plain_word(w)]) for at, word in enumerate(words) if word == ","), 0)
    parts = [part for word in words for part in re.split(r"[-/]|(?<=\.)(?=\w{2})", word) if plain_word(part)]
    hyphened = _hyphened(words) if "-" in "".join(words) else frozenset()
    acronym = _acronym(parts)
    if acronym:
        parts = [acronym]
    gender = generation = article = title = ""
    wife = False
    while len(parts) > 1 and parts[0].casefold() in _ARTICLES:
        article, parts = parts[0][0].casefold(), parts[1:]
    if kind == "PER":
        gender = gender_of_title(parts)
        wife = len(parts) > 1 and plain_word(parts[0]) in WIVES
        title = title_of(parts[0]) if len(parts) > 1 else ""
        while len(parts) > 1 and is_title(parts[0]) and parts[0] not in ("M", "St"):
            parts = parts[1:]
        while len(parts) > 1 and plain_word(parts[-1]) in _GENERATIONS:
            generation = _GENERATIONS[plain_word(parts[-1])]
            parts = parts[:-1]
        parts = [piece for part in parts for piece in re.findall(r"[^\W\d_]\.", part) or [part]]
    if kind == "ORG":
        while len(parts) > 1 and plain_word(parts[-1]) in _LEGAL:
            parts = parts[:-1]
    plain = tuple(map(plain_word, parts))
    plain = tuple(_KNOWN_LONG.get(" ".join(plain), " ".join(plain)).split()) if len(plain) > 2 else plain
    if kind == "LOC":
        plain = _without_form_of_state(plain)
    if kind in _VALUES:
        plain = ("".join(plain),)
    initials = "".join(
        word[0] for word, part in zip(plain, parts, strict=False) if word not in _SMALL and part[0].isupper()
    )
    return _Form(
        plain or tuple(words),
        kind,
        gender,
        title,
        wife,
        generation,
        initials,
        article,
        acronym.casefold(),
        comma,
        hyphened,
    )


def _hyphened(words: Sequence[str]) -> frozenset[str]:
    """The parts of words with hyphens, but for what stands behind an Arabic article: "al-Assad" is an Assad."""
    found: set[str] = set()
    for one in re.findall(r"[^\s-]+(?: ?- ?[^\s-]+)+", " ".join(words)):
        parts = [plain_word(part) for part in one.split("-")]
        found.update(part for before, part in pairwise(["", *parts]) if before not in _ARABIC)
    return frozenset(found)


def first_name(words: Sequence[str]) -> str:
    """The first name of a person, if the name has several words and its first one is no initial; else "".

    >>> first_name(["Dr.", "Marie", "Curie"]), first_name(["Dr.", "Curie"]), first_name(["M.", "Curie"])
    ('Marie', '', '')
    """
    rest = without_titles(words)
    return rest[0] if len(rest) > 1 and rest[0].isalpha() and len(rest[0]) >= _LEAST_OF_FIRST_NAME else ""


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


# What is kept apart.


def _part_full_names(names: _Forms, groups: Groups) -> None:
    """ "John Adams" and "John Quincy Adams" are two, unless the longer name comes first and the shorter one later.

    Not even then if both stand in one sentence, or if their middle names do not begin alike.
    """
    forms, sentences = names.all, names.sentences
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number in names.persons:
        if len(forms[number].words) > 1:
            alike[forms[number].words[0][0], forms[number].words[-1]].append(number)
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


def _part_wives(names: _Forms, groups: Groups) -> None:
    """ "Mrs. Adams" is neither John Adams, of whom nothing says that he is a woman, nor "Adams" where he is named.

    Where "Mr. Adams" is named as well, and no such woman, the rule of several claims (`_join_with_only`) keeps them
    apart, and says also that it is not known which of the two John Adams is.
    """
    forms, genders = names.all, names.likely
    persons: dict[str, list[int]] = defaultdict(list)
    women = set()
    for number in names.persons:
        persons[forms[number].words[-1]].append(number)
        if genders[number] == "f":
            women.add(forms[number].words)
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


def _part_titles(names: _Forms, groups: Groups) -> None:
    """ "Prince Charles" is no Charles Spencer, "President Lincoln" not Mary Lincoln, "Dr. Lee" not "Mr. Lee".

    A title before a first name goes with names that have such a title or a number. An office goes with those of whom
    the text says that they have it. Other titles but "Mr." and the like stand behind the name in full.
    """
    forms = names.all
    long: dict[str, list[int]] = defaultdict(list)
    short: dict[str, list[int]] = defaultdict(list)
    for number in names.persons:
        form = forms[number]
        if len(form.words) > 1:
            for word in {form.words[0], form.words[-1]}:
                long[word].append(number)
        elif form.title:
            short[form.words[0]].append(number)
    for word, titled in short.items():
        for number in titled:
            behind = any(other < number for other in long[word])
            for other in long[word]:
                if not _has_title(forms[number], forms[other], names.said[other], behind=behind):
                    groups.part(number, other)
        for one, other in combinations(titled, 2):
            if not _same_title(forms[one].title, forms[other].title):
                groups.part(one, other)


def _has_title(short: _Form, long: _Form, said: AbstractSet[str], *, behind: bool) -> bool:
    """Whether a title before one name may be that of a longer one; `behind`: it stands behind such a longer name."""
    if short.title in GIVEN:
        first = long.words[0] == short.words[0]
        return first and (long.title in GIVEN or bool(_NUMERAL.fullmatch(long.words[1])))
    if short.title in _POLITE or short.title == long.title:
        return True
    is_last = long.words[-1] == short.words[0]
    return is_last and (short.title in said if short.title in OFFICES else behind)


def _same_title(one: str, other: str) -> bool:
    return one == other or "ms" in (one, other) or {one, other} <= _LEARNED


def _part_generations(names: _Forms, groups: Groups) -> None:
    """ "John Smith Jr." and "John Smith" are two: the one without a word for it may be the father."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number in names.persons:
        alike[names.all[number].words].append(number)
    for numbers in alike.values():
        for one in numbers:
            for other in numbers:
                generations = names.all[one].generation, names.all[other].generation
                if generations[0] and not generations[1]:
                    groups.part(one, other)


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
        return _is_one_word_of(short, long)
    if short.words == long.words[-len(short.words) :]:
        return len(short.words[0]) > 1
    return _same_word(short.words[0], long.words[0]) and _in_order(short.words, long.words)


def _is_one_word_of(short: _Form, long: _Form) -> bool:
    word = short.words[0]
    return len(word) >= _LEAST_OF_NAME and word in long.words and word not in long.parts


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
    count = len(short.words)
    if count >= len(long.words) or short.gender not in ("", long.gender):
        return False
    if count > 1:  # "van Gogh"
        return short.words == long.words[-count:] and _PARTICLES.issuperset(short.words[:-1])
    return _is_one_word_of(short, long)


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
