"""Makes documents to train on from a grammar: true statements, and what looks like them but states nothing.

    python generate.py redocred.spacy wiki80.spacy -o generated.jsonl.gz --documents 10000 --seed 0

People and things get their names from gold documents (those to train on, never held-out ones), from lists of first
names and family names, and from rules. What the sentences say of them is invented. The sentences are in `grammar/`:
clauses for each label, which are also denied, planned, reported and asked about here; sentences with several facts;
sentences in which names merely stand together. Lists, tables and headlines are made of these here.

Each line of the output is a document as JSON:

- "words": the words, as spaCy cuts text into tokens;
- "mentions": `[first word, last word + 1, entity, type, kind]`; kind is 0 for a name, 1 for a pronoun, 2 for another
  noun phrase such as "the company";
- "facts": `[subject, object, label, 1.0]` with numbers of entities;
- "complete": the labels of which all facts are listed; null if these are all labels there are.
"""

import argparse
import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import spacy
from spacy.vocab import Vocab

from kgmrca.corpora.annotated import read_gold
from kgmrca.ontology import load_properties
from kgmrca.progress import progress_bar
from kgmrca.types import coarse_type

__all__ = ["Names", "documents", "read_names"]

_GRAMMAR = Path(__file__).parent / "grammar"

TYPE = {
    **dict.fromkeys(("person", "man", "woman"), "PER"),
    **dict.fromkeys(("city", "town", "country", "nation", "code", "continent", "region", "river", "lake"), "LOC"),
    **dict.fromkeys(("building", "bridge", "station"), "LOC"),
    **dict.fromkeys(("company", "club", "university", "party", "newspaper", "channel", "band", "body"), "ORG"),
    **dict.fromkeys(("label", "branch", "league"), "ORG"),
    **dict.fromkeys(("book", "film", "series", "song", "album", "software", "product", "event"), "MISC"),
    **dict.fromkeys(("election", "war", "award", "language", "religion"), "MISC"),
    **dict.fromkeys(("date", "year"), "TIME"),
    "number": "NUM",
}
"""The kinds of things that have names, and the type of each."""

_EITHER = {
    "place": ("city", "city", "town", "region"),
    "water": ("river", "lake"),
    "employer": ("company", "company", "university", "newspaper", "body"),
    "founded": ("company", "company", "body", "party", "university", "club", "newspaper", "band"),
    "owner": ("company", "company", "person"),
    "music": ("song", "album"),
    "musician": ("person", "band"),
    "work": ("film", "book", "album", "song", "software"),
    "winner": ("person", "person", "club"),
}
"""What else the grammar calls a kind: one of these."""

# From gold documents: which kind of thing the subject or the object of a label is.
_SUBJECTS = {
    "author": "book",
    "director": "film",
    "cast member": "film",
    "performer": "song",
    "record label": "album",
    "developer": "software",
    "manufacturer": "product",
    "headquarters location": "company",
    "league": "club",
    "mouth of the watercourse": "river",
    "crosses": "bridge",
    "architect": "building",
    "original broadcaster": "series",
}
_OBJECTS = {
    "member of sports team": "club",
    "educated at": "university",
    "record label": "label",
    "member of political party": "party",
    "owned by": "company",
    "parent organization": "company",
    "manufacturer": "company",
    "place of birth": "town",
    "place of death": "town",
    "residence": "town",
    "headquarters location": "town",
    "award received": "award",
    "conflict": "war",
    "participant in": "event",
    "mouth of the watercourse": "river",
    "league": "league",
    "military branch": "branch",
    "original broadcaster": "channel",
    "religion or worldview": "religion",
}

_GEOGRAPHY = frozenset(
    {
        *("country", "located in the administrative territorial entity", "location", "part of", "has part(s)"),
        *("contains the administrative territorial entity", "capital", "capital of", "applies to jurisdiction"),
    }
)
_OF_LISTS = ("country for sport", "place of birth", "residence", "ethnic group", "languages spoken, written or signed")
_REVERSED = {
    "capital": "capital of",
    "father": "child",
    "mother": "child",
    "parent organization": "has subsidiary",
    "part of": "has part(s)",
    "participant in": "participant",
    "followed by": "follows",
    "follows": "followed by",
    "spouse": "spouse",
    "sibling": "sibling",
}
_NOT_PLANNED = frozenset({"place of birth", "date of birth", "father", "mother", "sibling", "inception", "continent"})

_IRREGULAR = {
    "come": "came come",
    "have": "had had",
    "die": "died died",
    "meet": "met met",
    "lose": "lost lost",
    "become": "became become",
    "hold": "held held",
    "take": "took taken",
    "wed": "wed wed",
    "tie": "tied tied",
    "give": "gave given",
    "teach": "taught taught",
    "write": "wrote written",
    "win": "won won",
    "wear": "wore worn",
    "sit": "sat sat",
    "stand": "stood stood",
    "set": "set set",
    "start": "started started",
    "buy": "bought bought",
    "run": "ran run",
    "sing": "sang sung",
    "build": "built built",
    "lie": "lay lain",
    "fight": "fought fought",
    "go": "went gone",
    "speak": "spoke spoken",
    "deal": "dealt dealt",
    "shoot": "shot shot",
    "break": "broke broken",
}
_DOUBLED = frozenset({"run", "set", "win", "sit", "wed", "star", "pen", "expel", "enrol", "span"})
_PREPOSITIONS = frozenset({"in", "on", "at", "for", "to", "from", "by", "of", "with", "into"})
_MONTHS = ["January", "February", "March", "April", "May", "June"]
_MONTHS += ["July", "August", "September", "October", "November", "December"]

_WORDS = {
    "noun": "nouns",
    "adjective": "adjectives",
    "start": "town starts",
    "end": "town ends",
    "legal": "legal forms",
}
_WORDS |= {"branch": "branches"}


# The grammar.


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the grammar: "<found>", "<be+>" (present), "<be+>" of several subjects."""

    lemma: str
    present: bool
    plural: bool = False

    @property
    def past(self) -> str:
        """As in "she founded"."""
        if self.lemma == "be":
            return "were" if self.plural else "was"
        return _IRREGULAR[self.lemma].split()[0] if self.lemma in _IRREGULAR else _with_ed(self.lemma)

    @property
    def participle(self) -> str:
        """As in "has founded"."""
        if self.lemma == "be":
            return "been"
        return _IRREGULAR[self.lemma].split()[1] if self.lemma in _IRREGULAR else _with_ed(self.lemma)

    @property
    def ing(self) -> str:
        """As in "without founding"."""
        if self.lemma in ("die", "lie", "tie"):
            return self.lemma[:-2] + "ying"
        if self.lemma in _DOUBLED:
            return self.lemma + self.lemma[-1] + "ing"
        ends_mute = self.lemma.endswith("e") and self.lemma not in ("be", "see")
        return (self.lemma[:-1] if ends_mute else self.lemma) + "ing"

    @property
    def simple(self) -> str:
        """The verb as the grammar has it: past or present."""
        if not self.present:
            return self.past
        if self.lemma in ("be", "have"):
            return ("are" if self.plural else "is") if self.lemma == "be" else "has"
        if self.plural:
            return self.lemma
        if self.lemma.endswith("y") and self.lemma[-2] not in "aeo":
            return self.lemma[:-1] + "ies"
        return self.lemma + ("es" if self.lemma.endswith(("s", "sh", "ch", "x", "o")) else "s")

    @property
    def auxiliary(self) -> str:
        """What stands before "not" and in questions."""
        if self.lemma == "be":
            return self.simple
        return ("do" if self.plural else "does") if self.present else "did"


def _with_ed(lemma: str) -> str:
    if lemma in _DOUBLED:
        return lemma + lemma[-1] + "ed"
    if lemma.endswith("y") and lemma[-2] not in "aeo":
        return lemma[:-1] + "ied"
    return lemma + ("d" if lemma.endswith("e") else "ed")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a thing: which, and in which form ("they", "their", "them", "short", "np"; "": as fits)."""

    name: str
    form: str = ""


Part: TypeAlias = "str | Slot | Verb"


@dataclass(frozen=True, slots=True)
class Frame:
    """A clause that states a label: words, slots "s" and "o", and one verb."""

    label: str
    subject: str
    object: str
    parts: tuple[Part, ...]

    @property
    def verb(self) -> Verb:
        """Its verb."""
        return next(part for part in self.parts if isinstance(part, Verb))

    @property
    def before(self) -> list[Part]:
        """What stands before the verb."""
        return list(self.parts[: self.parts.index(self.verb)])

    @property
    def rest(self) -> list[Part]:
        """What stands behind the verb."""
        return list(self.parts[self.parts.index(self.verb) + 1 :])


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the kinds of its slots, and what it states: slot, label, slot."""

    parts: tuple[Part, ...]
    kinds: Mapping[str, str]
    facts: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """What is in the folder `grammar`."""

    frames: Sequence[Frame]
    open: Mapping[str, frozenset[str]]
    sentences: Sequence[Sentence]
    together: Sequence[Sentence]
    countries: Sequence[Mapping[str, str]]


def _lines(name: str) -> list[str]:
    lines = (_GRAMMAR / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def _section(file: str, title: str) -> list[str]:
    """The lines of a section of a file of the grammar."""
    lines = _lines(file)
    start = lines.index(f"[{title}]") + 1
    end = next((place for place in range(start, len(lines)) if lines[place].startswith("[")), len(lines))
    return lines[start:end]


def _some(chance: random.Random, title: str) -> str:
    """Some words of a section of words.txt."""
    return chance.choice(_section("words.txt", title))


def _parts(text: str) -> tuple[tuple[Part, ...], dict[str, str]]:
    """Text of the grammar as parts, and the kinds that it gives to slots."""
    parts: list[Part] = []
    kinds: dict[str, str] = {}
    for word in text.split():
        if found := re.fullmatch(r"\{(\w+)(?::(\w+))?(?:\.(\w+))?\}", word):
            name, kind, form = found.groups()
            if kind:
                kinds[name] = kind
            parts.append(Slot(name, form or ""))
        elif found := re.fullmatch(r"<(\w+)(\+?)>", word):
            parts.append(Verb(found[1], bool(found[2]), plural="and" in parts))
        else:
            parts.append(word)
    return tuple(parts), kinds


def _sentence(line: str) -> Sentence:
    text, _, facts = line.partition("=>")
    parts, kinds = _parts(text)
    triples = [tuple(part.strip() for part in fact.split(">")) for fact in facts.split(";") if fact.strip()]
    return Sentence(parts, kinds, tuple((subject, label, object_) for subject, label, object_ in triples))


@cache
def read_grammar() -> Grammar:
    """Read the folder `grammar`."""
    frames, open_ = [], {}
    for line in _lines("frames.txt"):
        if line.startswith("open "):
            label, _, others = line[5:].partition(":")
            open_[label] = frozenset(other.strip() for other in others.split("|"))
        else:
            label, subject, object_, clause = (column.strip() for column in line.split("|"))
            frames.append(Frame(label, subject, object_, _parts(clause)[0]))
    header, *rows = (line.split("\t") for line in _lines("countries.tsv"))
    return Grammar(
        frames,
        open_,
        [_sentence(line) for line in _lines("sentences.txt")],
        [_sentence(line) for line in _lines("together.txt")],
        [dict(zip(header, row, strict=True)) for row in rows],
    )


# Names.


@dataclass
class Names:
    """What there is to choose names from.

    Attributes:
        first: first names with the share of women among those who have them.
        family: family names.
        found: for each kind the names that were found in gold documents.
    """

    first: Sequence[tuple[str, float]]
    family: Sequence[str]
    found: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_names(paths: Iterable[Path], first_names: Iterable[tuple[str, float]]) -> Names:
    """Names of gold documents, and of lists of first names and family names (`first_names.read_names`)."""
    vocab = Vocab()
    found: dict[str, dict[str, None]] = defaultdict(dict)
    types = {kind: {type_} for kind, type_ in TYPE.items()} | {"book": {"MISC"}, "town": {"LOC"}}
    for path in paths:
        for doc in read_gold(path, vocab):
            for relation in doc._.relations:
                for span, kind in (
                    (relation.subject, _SUBJECTS.get(relation.label)),
                    (relation.object, _OBJECTS.get(relation.label)),
                ):
                    if kind and coarse_type(span.label_) in types[kind] and _is_name(span.text):
                        found[kind][span.text] = None
            for span in doc.ents:
                if coarse_type(span.label_) == "PER" and len(span) == 2 and _is_name(span.text):
                    found["person"][span.text] = None
    names = sorted(set(first_names))
    family = sorted({name for name, share in names if share == 0.5} | {name.split()[-1] for name in found["person"]})
    countries = {name for row in read_grammar().countries for name in (row["country"], row["adjective"])}
    shares = {name: share for name, share in names if abs(share - 0.5) > 0.3}
    usual = sorted({first for name in found["person"] if (first := name.split()[0]) in shares})
    return Names(
        [*shares.items(), *((name, shares[name]) for name in usual * (len(shares) // max(1, len(usual))))],
        family,
        {kind: [name for name in sorted(texts) if name not in countries] for kind, texts in sorted(found.items())},
    )


def _is_name(text: str) -> bool:
    words = text.split()
    return (
        0 < len(words) <= 6
        and words[0][0].isupper()
        and words[-1][0].isupper()
        and text.isprintable()
        and not any(character in '|"()[]' for character in text)
    )


@cache
def _tokenizer() -> Any:
    return spacy.blank("en").tokenizer


@cache
def _words(text: str) -> tuple[str, ...]:
    """A text as spaCy cuts it into tokens."""
    return tuple(token.text for token in _tokenizer()(text) if not token.is_space)


class Thing:
    """Somebody or something with a name."""

    def __init__(self, kind: str, name: str, **more: str) -> None:
        article, self.name = ("the", name[4:]) if name.startswith("the ") else ("", name)
        self.kind, self.article = kind, article
        self.short = more.get("short", self.name)
        self.pronouns = more.get("pronouns", "it its it")
        self.phrase = more.get("phrase", "")
        self.country = more.get("country", "")

    @property
    def type(self) -> str:
        """Its type."""
        return TYPE[self.kind]


class World:
    """Makes things of all kinds by chance."""

    def __init__(self, names: Names, chance: random.Random) -> None:
        self.names, self.chance, self.countries = names, chance, read_grammar().countries
        self.used: set[str] = set()

    def make(self, kind: str) -> Thing:
        """A thing of a kind whose name is not used in this document yet."""
        thing = self._make(kind)
        for _ in range(20):
            words = {word for word in thing.name.split() if word[0].isupper() or word.isdigit()}
            if self.used.isdisjoint(words) or kind == "number":
                break
            thing = self._make(kind)
        self.used.update(word for word in thing.name.split() if word[0].isupper() or word.isdigit())
        return thing

    def _make(self, kind: str) -> Thing:
        chance = self.chance
        if kind in _EITHER:
            return self._make(chance.choice(_EITHER[kind]))
        if kind in ("person", "man", "woman"):
            return self._person(kind)
        if kind in ("country", "nation", "code", "city", "continent", "language"):
            return self._of_country(kind)
        known = self.names.found.get(kind, ())
        name = chance.choice(known) if len(known) > 20 and chance.random() < 0.6 else self._by_rule(kind)
        return Thing(kind, name, phrase=_PHRASES.get(kind, ""))

    def _person(self, kind: str) -> Thing:
        chance = self.chance
        known = self.names.found.get("person", ())
        woman = kind == "woman" or (kind == "person" and chance.random() < 0.45)
        first = chance.choice(self.names.first)
        while (first[1] > 0.5) != woman:
            first = chance.choice(self.names.first)
        family = (
            chance.choice(known).split()[-1] if known and chance.random() < 0.5 else chance.choice(self.names.family)
        )
        draw = chance.random()
        middle = f"{chance.choice('ABCDEFGHJKLMNPRSTW')}. " if draw < 0.06 else ""
        if draw > 0.94:
            middle = f"{chance.choice(self.names.first)[0]} "
        pronouns = "she her her" if woman else "he his him"
        return Thing("person", f"{first[0]} {middle}{family}", short=family, pronouns=pronouns)

    def _of_country(self, kind: str) -> Thing:
        row = self.chance.choice(self.countries)
        cities = [row["capital"], *row["cities"].split("|")]
        name = {
            "country": row["country"],
            "nation": row["adjective"],
            "code": row["code"],
            "city": self.chance.choice(cities),
            "continent": row["continent"],
            "language": self.chance.choice(row["languages"].split("|")),
        }[kind]
        phrase = {"country": "the country", "city": "the city"}.get(kind, "")
        if kind == "city" and self.chance.random() < 0.3:
            return self._make("town")
        return Thing(kind, name, country=row["country"] if kind != "language" else "", phrase=phrase)

    def _by_rule(self, kind: str) -> str:
        """A name by one of the rules of a kind."""
        if kind == "date":
            return self._date()
        return re.sub(
            r"\{([^}]+)\}", lambda found: self._part(found[1]), self.chance.choice(_section("names.txt", kind))
        )

    def _part(self, part: str) -> str:
        """What stands for {part} in a rule."""
        chance = self.chance
        if found := re.fullmatch(r"(\d+)-(\d+)", part):
            return str(chance.randint(int(found[1]), int(found[2])))
        if part == "family":
            return chance.choice(self.names.family)
        if part == "first":
            return chance.choice(self.names.first)[0]
        if part == "coined":
            return "".join(chance.sample(_section("words.txt", "syllables"), 2)).capitalize()
        if part == "place":
            cities = chance.choice(self.countries)["cities"].split("|")
            return self._by_rule("town") if chance.random() < 0.4 else chance.choice(cities)
        return chance.choice(_section("words.txt", _WORDS[part])) if part in _WORDS else self._by_rule(part)

    def _date(self) -> str:
        day, month, year = self.chance.randint(1, 28), self.chance.choice(_MONTHS), self.chance.randint(1805, 2023)
        number = _MONTHS.index(month) + 1
        draw = self.chance.random()
        if draw < 0.45:
            return f"{day} {month} {year}"
        if draw < 0.75:
            return f"{month} {day}, {year}"
        if draw < 0.87:
            return f"{year}-{number:02}-{day:02}"
        shown = (
            f"{day:02}/{number:02}/{year}",
            f"{month} {year}",
            f"{month[:3]} {day}, {year}",
            f"{day}.{number}.{year}",
        )
        return self.chance.choice(shown)


_PHRASES = {
    "company": "the company",
    "club": "the club",
    "university": "the university",
    "party": "the party",
    "newspaper": "the paper",
    "band": "the band",
    "book": "the book",
    "film": "the film",
    "series": "the series",
    "song": "the song",
    "album": "the album",
    "building": "the building",
    "town": "the town",
    "river": "the river",
}
"""What things are also called, once their names have been said."""


# Texts.

Item: TypeAlias = "str | tuple[Thing, str]"
"""A word, or a thing and the form in which it stands there."""


class Text:
    """A document while it is written."""

    def __init__(self, world: World) -> None:
        self.world, self.chance = world, world.chance
        self.words: list[str] = []
        self.mentions: list[list[Any]] = []
        self.entities: dict[Thing, int] = {}
        self.facts: dict[tuple[int, int, str], None] = {}
        self.open: set[str] = set()
        self.denied: set[str] = set()
        self.topic: Thing | None = None  # whom the sentence before was about
        self.others: set[str] = set()  # pronouns that would not be clear

    def say(self, items: Sequence[Item], *, capital: bool = True) -> None:
        """Write words and things."""
        start = len(self.words)
        for item in items:
            if isinstance(item, str):
                self.words.extend(item.split())
            else:
                self._mention(*item)
        for place in range(start, len(self.words)):
            if self.words[place] == "a_":
                after = self.words[place + 1] if place + 1 < len(self.words) else ""
                self.words[place] = "an" if after[:1].lower() in "aeio" or after[:2].lower() in ("un", "ur") else "a"
            if self.words[place] == "n_t":
                self.words[place] = "n't"
        if capital and len(self.words) > start:
            word = self.words[start]
            self.words[start] = word[:1].upper() + word[1:]

    def _mention(self, thing: Thing, form: str) -> None:
        entity = self.entities.setdefault(thing, len(self.entities))
        kind = 0
        if form in ("they", "their", "them"):
            text, kind = thing.pronouns.split()[("they", "their", "them").index(form)], 1
        elif form == "np" and thing.phrase:
            text, kind = thing.phrase, 2
        else:
            if thing.article:
                self.words.append(thing.article)
            text = thing.short if form == "short" else thing.name
        words = _words(text)
        self.mentions.append([len(self.words), len(self.words) + len(words), entity, thing.type, kind])
        self.words.extend(words)

    def state(self, subject: Thing, label: str, object_: Thing) -> None:
        """Note a fact, what follows from it, and what may follow."""
        one, two = self.entities[subject], self.entities[object_]
        self.facts[one, two, label] = None
        if label in _REVERSED:
            self.facts[two, one, _REVERSED[label]] = None
        if label == "country":  # as in Re-DocRED
            self.facts[one, two, "located in the administrative territorial entity"] = None
        self.open |= read_grammar().open.get(label, frozenset())

    def finish(self, name: str, labels: Sequence[str]) -> dict[str, Any]:
        """The document as it is written to the file."""
        places: dict[str, set[str]] = defaultdict(set)
        for thing in self.entities:
            if thing.country:
                places[thing.country].add(thing.name)
        if any(len(names) > 1 for names in places.values()):
            self.open |= _GEOGRAPHY
        open_ = self.open - self.denied
        return {
            "id": name,
            "words": self.words,
            "mentions": sorted(self.mentions),
            "facts": [[subject, object_, label, 1.0] for subject, object_, label in self.facts],
            "complete": [label for label in labels if label not in open_] if open_ else None,
        }


def _labels() -> list[str]:
    return sorted(known.label for known in load_properties().values())


# What is said of a clause: that it is true, that it is not, that it is planned, that somebody says so.

Bound: TypeAlias = dict[str, Thing]


def _fill(parts: Iterable[Part], bound: Mapping[str, Thing]) -> list[Item]:
    """Parts of the grammar with things in their slots, and verbs as the grammar has them."""
    return [
        part.simple if isinstance(part, Verb) else (bound[part.name], part.form) if isinstance(part, Slot) else part
        for part in parts
    ]


class Clause:
    """A frame with things in it, and its forms as words."""

    def __init__(self, frame: Frame, subject: Thing, object_: Thing) -> None:
        self.frame, self.s, self.o = frame, subject, object_
        self.bound = {"s": subject, "o": object_}
        self.verb = frame.verb
        self.before, self.rest = _fill(frame.before, self.bound), _fill(frame.rest, self.bound)

    @property
    def about(self) -> Thing | None:
        """The thing that the clause begins with."""
        return self.before[0][0] if len(self.before) == 1 and isinstance(self.before[0], tuple) else None

    @property
    def last(self) -> Thing | None:
        """The thing that it ends with."""
        return self.rest[-1][0] if self.rest and isinstance(self.rest[-1], tuple) else None

    def about_as(self, form: str) -> "Clause":
        """The same with another form of the thing that it begins with."""
        other = Clause(self.frame, self.s, self.o)
        if (thing := self.about) is not None:
            other.before = [(thing, form)]
        return other

    @property
    def plain(self) -> list[Item]:
        """She founded it."""
        return [*self.before, self.verb.simple, *self.rest]

    @property
    def perfect(self) -> list[Item]:
        """She has founded it."""
        return [*self.before, "have" if self.verb.plural else "has", self.verb.participle, *self.rest]

    @property
    def base(self) -> list[Item]:
        """Found it."""
        return [self.verb.lemma, *self.rest]

    @property
    def participle(self) -> list[Item]:
        """Founded it (as in "to have founded it")."""
        return [self.verb.participle, *self.rest]

    @property
    def ing(self) -> list[Item]:
        """Founding it."""
        return [self.verb.ing, *self.rest]

    def denied(self, chance: random.Random) -> list[Item]:
        """She did not found it."""
        draw, tail = chance.random(), [] if self.verb.lemma == "be" else [self.verb.lemma]
        if draw < 0.25:
            if self.verb.lemma == "be":
                return [*self.before, self.verb.simple, "never", *self.rest]
            return [*self.before, "never", self.verb.simple, *self.rest]
        if draw < 0.33:
            return [*self.before, "has never", self.verb.participle, *self.rest]
        return [*self.before, self.verb.auxiliary, "not" if draw < 0.75 else "n_t", *tail, *self.rest]

    def question(self) -> list[Item]:
        """Did she found it?"""
        tail = [] if self.verb.lemma == "be" else [self.verb.lemma]
        return [self.verb.auxiliary, *self.before, *tail, *self.rest]

    def with_last(self, before: Sequence[str], thing: Thing, behind: Sequence[Item]) -> list[Item]:
        """The clause with other words around what it ends with: "in Bremen" -> "not in Hamburg but in Bremen"."""
        head, preposition = self.rest[:-1], []
        if head and head[-1] in _PREPOSITIONS:
            head, preposition = head[:-1], [head[-1]]
        return [*self.before, self.verb.simple, *head, *before, *preposition, (thing, ""), *behind]

    @property
    def preposition(self) -> list[Item]:
        """The word before what it ends with, if that is a preposition."""
        return [self.rest[-2]] if len(self.rest) > 1 and self.rest[-2] in _PREPOSITIONS else []


def _true(clause: Clause, text: Text) -> list[Item]:
    """A clause said to be true, also with words that elsewhere deny."""
    chance, draw = text.chance, text.chance.random()
    person = clause.about is not None and clause.about.type == "PER"
    if draw < 0.42:
        return clause.plain
    if draw < 0.47 and clause.frame.label not in _NOT_PLANNED and not clause.verb.present:
        return clause.perfect
    if draw < 0.62:
        return [_some(chance, "certain"), *clause.plain]
    if draw < 0.72:
        return [*clause.plain, _some(chance, "trailing")]
    if draw < 0.77 and person:
        return [*clause.before, _some(chance, "inserted"), clause.verb.simple, *clause.rest]
    if draw < 0.82 and person:
        if clause.verb.lemma == "be":
            return [
                *clause.before,
                clause.verb.simple,
                "not only",
                *clause.rest,
                "but also",
                _some(chance, "praise of a person"),
            ]
        return [*clause.before, "not only", clause.verb.simple, *clause.rest, "but also", _some(chance, "deeds")]
    if draw < 0.85 and person and not any(isinstance(item, tuple) and item[1] for item in clause.rest):
        return ["it was", *clause.before, "who", clause.verb.simple, *clause.rest]
    if draw < 0.9:
        return [_some(chance, "times"), *clause.plain]
    if draw < 0.95:
        return [*clause.plain, _some(chance, "endings")]
    return clause.plain


def _contrast(clause: Clause, text: Text) -> list[Item] | None:
    """A clause that is true of one thing and denied of another; what is true is noted."""
    other = _alike(clause, text)
    if clause.last is None or other is None:
        return None
    chance, last, preposition = text.chance, clause.last, clause.preposition
    true: list[list[Item]] = [
        [*clause.plain, ", not", *preposition, (other, "")],
        [*clause.plain, "and not", *preposition, (other, "")],
        [*clause.plain, ", and not", *preposition, (other, ""), ", as is often said"],
        [*clause.plain, "rather than", *preposition, (other, "")],
        [*clause.plain, "instead of", (other, "")],
        clause.with_last(["not"], other, ["but", *preposition, (last, "")]),
        [*clause.with_last([], last, []), "( not", (other, ""), ")"],
        [*clause.plain, "; reports of", (other, ""), "were wrong"],
    ]
    return chance.choice(true)


def _alike(clause: Clause, text: Text) -> Thing | None:
    """Another thing of the kind of that which a clause ends with."""
    if clause.last is None:
        return None
    kind = clause.frame.object if clause.last is clause.o else clause.frame.subject
    return text.world.make(kind)


def _denied(clause: Clause, text: Text) -> list[Item]:
    """A clause that is denied."""
    chance, draw = text.chance, text.chance.random()
    active = clause.verb.lemma != "be"
    if draw < 0.4:
        return clause.denied(chance)
    if draw < 0.48:
        return [_some(chance, "contrary"), *clause.denied(chance)]
    if draw < 0.6:
        return [_some(chance, "denying"), *clause.plain]
    if draw < 0.67:
        who: Item = (text.world.make("person"), "") if chance.random() < 0.4 else _some(chance, "deniers")
        verb = _some(chance, "denies that")
        return [who, verb, *clause.plain]
    if draw < 0.73:
        return [_some(chance, "claims that"), *clause.plain, _some(chance, "refuted")]
    if draw < 0.83 and active:
        word = _some(chance, "failing")
        return [*clause.before, word, *(clause.ing if word.endswith("from") else clause.base)]
    if draw < 0.87 and active and clause.about is not None:
        end = _some(chance, "leaves")
        return [*clause.before, end, "without", *chance.choice([[], ["ever"]]), *clause.ing]
    if draw < 0.91 and clause.verb.present:
        if clause.verb.lemma == "be":
            return [*clause.before, clause.verb.simple, "no longer", *clause.rest]
        return [*clause.before, "no longer", clause.verb.simple, *clause.rest]
    if draw < 0.95 and clause.about is not None and clause.about.type == "PER":
        return ["neither", *clause.before, "nor", (text.world.make("person"), ""), clause.verb.simple, *clause.rest]
    return [
        "at no time",
        clause.verb.auxiliary,
        *clause.before,
        *([] if clause.verb.lemma == "be" else [clause.verb.lemma]),
        *clause.rest,
    ]


def _planned(clause: Clause, text: Text) -> list[Item]:
    """A clause that says what may come, or what might have been."""
    chance, draw = text.chance, text.chance.random()
    if clause.frame.label in _NOT_PLANNED or draw < 0.15:
        return [
            *clause.before,
            _some(chance, "unreal"),
            *clause.participle,
            _some(chance, "but for") if chance.random() < 0.6 else "",
        ]
    if draw < 0.7:
        return [*clause.before, _some(chance, "planning"), *clause.base]
    if draw < 0.8:
        return [*clause.before, "to", *clause.base]
    if draw < 0.9:
        return [_some(chance, "conditions"), *clause.plain, ",", _some(chance, "hopes")]
    return ["should", *clause.before, *clause.base, ",", _some(chance, "hopes")]


def _reported(clause: Clause, text: Text) -> list[Item]:
    """A clause that somebody says or asks, and that may be untrue."""
    chance, draw = text.chance, text.chance.random()
    if draw < 0.25:
        adverb = _some(chance, "adverbs")
        if adverb.endswith(",") or adverb in ("maybe", "perhaps"):
            return [adverb, *clause.plain]
        if clause.verb.lemma == "be":
            return [*clause.before, clause.verb.simple, adverb, *clause.rest]
        return [*clause.before, adverb, clause.verb.simple, *clause.rest]
    if draw < 0.5:
        return [*clause.before, _some(chance, "said"), *clause.participle]
    if draw < 0.8:
        return [_some(chance, "reporting"), *clause.plain]
    return [*clause.question(), "?"]


_MODES = {"true": _true, "denied": _denied, "planned": _planned, "reported": _reported}


def _write_clause(
    text: Text, frame: Frame, mode: str, *, s: Thing | None = None, o: Thing | None = None, mute: bool = False
) -> None:
    """One sentence of a frame, and what it states."""
    made_s, made_o = s or text.world.make(frame.subject), o or text.world.make(frame.object)
    clause = Clause(frame, made_s, made_o)
    if (about := clause.about) is not None and about is text.topic:
        clause = clause.about_as(_form(about, text))
    elif about in text.entities and text.chance.random() < 0.4:
        clause = clause.about_as("short")
    items = None
    if mode == "contrast":
        items = _contrast(clause, text)
        mode = "true"
    if items is None:
        items = _MODES[mode](clause, text)
    text.say([*items, *([] if mute or items[-1] == "?" else ["."])])
    for thing in (made_s, made_o):
        text.entities.setdefault(thing, len(text.entities))
    if mode == "true":
        text.state(made_s, frame.label, made_o)
    else:
        text.denied.add(frame.label)
    text.topic = about


def _form(thing: Thing, text: Text) -> str:
    """How a thing is called of which the sentence before said something."""
    draw = text.chance.random()
    if draw < 0.6:
        return "they"
    if draw < 0.75:
        return "short"
    return "np" if draw < 0.9 and thing.phrase else ""


def _write_sentence(text: Text, sentence: Sentence, bound: Bound | None = None, *, stop: bool = True) -> None:
    """One sentence of the grammar with things in its slots, and what it states."""
    things = {name: (bound or {}).get(name) or text.world.make(kind) for name, kind in sentence.kinds.items()}
    items: list[Item] = []
    for part in sentence.parts:
        if isinstance(part, Slot):
            items.append((things[part.name], part.form))
        else:
            items.append(part.simple if isinstance(part, Verb) else part)
    if not stop and items[-1] == ".":
        items = items[:-1]
    text.say(items)
    for subject, label, object_ in sentence.facts:
        text.state(things[subject], label, things[object_])
    text.topic = None


# Kinds of documents.


@cache
def _by_kind() -> tuple[dict[str, list[Frame]], dict[tuple[str, str], list[Frame]]]:
    """Frames by the kind of thing that they begin with, and by the kinds of subject and object."""
    first: dict[str, list[Frame]] = defaultdict(list)
    pairs: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in read_grammar().frames:
        pairs[frame.subject, frame.object].append(frame)
        if len(frame.before) == 1 and isinstance(slot := frame.before[0], Slot):
            first[frame.subject if slot.name == "s" else frame.object].append(frame)
    return first, pairs


def _frame(chance: random.Random, frames: Sequence[Frame]) -> Frame:
    """A frame; labels with many frames do not crowd out others altogether."""
    by_label: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_label[frame.label].append(frame)
    labels = list(by_label)
    label = chance.choices(labels, [len(by_label[name]) ** 0.7 for name in labels])[0]
    return chance.choice(by_label[label])


def _mode(chance: random.Random, weights: Sequence[int] = (55, 20, 10, 8, 7)) -> str:
    return chance.choices(("true", "denied", "planned", "reported", "contrast"), weights)[0]


def _profile(text: Text) -> None:
    """Some sentences about one thing, true ones and others."""
    chance = text.chance
    kind = chance.choices(
        ("person", "company", "club", "film", "book", "album", "country", "town"), (62, 16, 3, 6, 4, 3, 3, 3)
    )[0]
    thing = text.world.make(kind)
    kinds = {kind}
    if kind == "person":
        kinds |= {"woman" if thing.pronouns.startswith("she") else "man", "musician", "owner"}
    if kind in ("company", "club"):
        kinds |= {"founded", "employer"}
    if kind in ("film", "book", "album"):
        kinds |= {"work", "music" if kind == "album" else kind}
    if kind == "town":
        kinds |= {"city"}
    first = _by_kind()[0]
    frames = [frame for one in sorted(kinds) for frame in first.get(one, ())]
    said: set[str] = set()
    for _ in range(chance.choice((1, 2, 2, 3, 3, 4, 5))):
        frame = _frame(chance, frames)
        if frame.label in said:
            continue
        said.add(frame.label)
        slot = frame.before[0]
        assert isinstance(slot, Slot)
        s, o = (thing, None) if slot.name == "s" else (None, thing)
        _write_clause(text, frame, _mode(chance), s=s, o=o)
        if chance.random() < 0.2:
            _aside(text, thing)


def _aside(text: Text, thing: Thing) -> None:
    """A sentence that states nothing, perhaps about the same person."""
    sentence = text.chance.choice(read_grammar().together)
    bound: Bound = {"p": thing} if sentence.kinds.get("p") == "person" and thing.type == "PER" else {}
    _write_sentence(text, sentence, bound)


def _single(text: Text) -> None:
    """A sentence of any frame in any mode, perhaps with another around it."""
    chance = text.chance
    frame = _frame(chance, read_grammar().frames)
    _write_clause(text, frame, _mode(chance, (30, 34, 14, 12, 10)))
    if chance.random() < 0.3:
        _write_clause(text, _frame(chance, read_grammar().frames), _mode(chance))


def _corrected(text: Text) -> None:
    """What is denied, and the truth behind or before it; or one relation denied and another stated of the same two."""
    chance = text.chance
    frame = _frame(chance, read_grammar().frames)
    pairs = [other for other in _by_kind()[1][frame.subject, frame.object] if other.label != frame.label]
    s, o = text.world.make(frame.subject), text.world.make(frame.object)
    wrong = chance.choice(("denied", "denied", "planned", "reported"))
    if pairs and chance.random() < 0.5:
        order = [(frame, wrong), (chance.choice(pairs), "true")]
        chance.shuffle(order)
        for one, mode in order:
            _write_clause(text, one, mode, s=s, o=o)
        return
    same = [other for other in _by_kind()[1][frame.subject, frame.object] if other.label == frame.label]
    both = [(frame, wrong, o), (chance.choice(same), "true", text.world.make(frame.object))]
    if chance.random() < 0.35:
        both.reverse()
    for one, mode, object_ in both:
        _write_clause(text, one, mode, s=s, o=object_)


def _sentences(text: Text) -> None:
    """Sentences with several facts, each of its own things or of one person."""
    chance = text.chance
    for _ in range(chance.choice((1, 1, 2, 2, 3))):
        draw = chance.random()
        if draw < 0.8:
            _write_sentence(text, chance.choice(read_grammar().sentences))
        else:
            _write_sentence(text, chance.choice(read_grammar().together))


def _together(text: Text) -> None:
    """Names that merely stand together."""
    for _ in range(text.chance.choice((1, 1, 2, 3))):
        _write_sentence(text, text.chance.choice(read_grammar().together))


def _headlines(text: Text) -> None:
    """Lines without full stops that have nothing to do with one another."""
    chance = text.chance
    short = [sentence for sentence in read_grammar().sentences if sentence.parts[-1] not in (".", "!", "!!")]
    few = [sentence for sentence in read_grammar().together if len(sentence.parts) < 12]
    for _ in range(chance.randint(2, 6)):
        draw = chance.random()
        if draw < 0.3:
            _write_sentence(text, chance.choice(short), stop=False)
        elif draw < 0.5:
            _write_sentence(text, chance.choice(few), stop=False)
        elif draw < 0.75:
            frame = _frame(chance, read_grammar().frames)
            if frame.label in _NOT_PLANNED or len(frame.before) != 1:
                continue
            s, o = text.world.make(frame.subject), text.world.make(frame.object)
            clause = Clause(frame, s, o)
            future = chance.random() < 0.5
            verb = Verb(clause.verb.lemma, present=True)
            items = ["to", verb.lemma] if future else [verb.simple]
            text.say([*clause.before, *items, *clause.rest])
            if future:
                text.denied.add(frame.label)
            else:
                text.state(s, frame.label, o)
        else:
            _write_clause(text, _frame(chance, read_grammar().frames), _mode(chance), mute=True)
            text.topic = None


_LISTS = {
    "country of citizenship": ("country", "nation", "code"),
    "member of sports team": ("club",),
    "employer": ("company", "university"),
    "member of political party": ("party",),
    "date of birth": ("year", "date"),
    "": ("city", "town", "number"),
}


def _list(text: Text) -> None:
    """A list of people, each with a nationality, a team, a place: what belongs to whom, and to nobody else."""
    chance, world = text.chance, text.world
    label = chance.choices(list(_LISTS), (60, 12, 8, 6, 6, 8))[0]
    kind = chance.choice(_LISTS[label])
    layouts = _section("words.txt", f"layouts of {kind}" if kind in ("country", "nation", "code") else "layouts")
    layout, extra = chance.choice(layouts), _some(chance, "extras") if chance.random() < 0.5 else ""
    numbered, mixed = chance.random() < 0.15, chance.random() < 0.15
    size = chance.choice((2, 2, 3, 3, 3, 4, 4, 5, 6, 8))
    known: list[Thing] = []
    items: list[list[Item]] = []
    facts: list[tuple[Thing, Thing]] = []
    for number in range(size):
        person = world.make("person")
        again = bool(known) and chance.random() < 0.12
        thing = chance.choice(known) if again else world.make(kind)
        known.append(thing)
        used = layout
        if mixed:
            used = chance.choice(["{p}", layout, chance.choice(layouts)])
        bound = {"p": person, "n": thing, "x": world.make("number")}
        item = _fill(_parts(f"{used} {extra}")[0], bound)
        items.append([f"{number + 1} ." if numbered else "", *item])
        if "{n}" in used:
            facts.append((person, thing))
    intro = _some(chance, "intros") if chance.random() < 0.95 else ""
    separator = chance.choice([",", ",", ",", ";", ";", "", "|", "•", "–", "and"])
    if layout in ("{p} , {n}", "{p} , a_ {n}", "{p} , who is from {n}", "{p} , a_ {n} writer") and separator == ",":
        separator = ";"
    ending = chance.choice([separator, "and", "and", "&", ", and"])
    line: list[Item] = [intro]
    for number, item in enumerate(items):
        if number:
            line.append(ending if number == size - 1 else separator)
        line.extend(item)
    if chance.random() < 0.7:
        line.append(".")
    if chance.random() < 0.2:
        _write_sentence(text, chance.choice(read_grammar().together))
    text.say(line)
    _state_list(text, label, facts)
    if chance.random() < 0.25:
        _write_sentence(text, chance.choice(read_grammar().together))


def _state_list(text: Text, label: str, facts: Iterable[tuple[Thing, Thing]]) -> None:
    if label:
        for person, thing in facts:
            text.state(person, label, thing)
        text.denied.add(label)
    text.open.update(_OF_LISTS)
    if not label:
        text.open.update(("work location", "location"))


_GROUPS = [
    *(("country of citizenship", kind) for kind in ("country", "nation", "code")),
    *(("member of sports team", "club"), ("employer", "company"), ("member of political party", "party")),
]
_COME_FROM = {"country": "come from", "nation": "are", "club": "play for", "company": "work for", "party": "belong to"}


def _grouped(text: Text) -> None:
    """People by country or team; or "respectively"; or two lists that do not belong together."""
    chance, world = text.chance, text.world
    label, kind = chance.choice(_GROUPS)
    size = chance.choice((2, 2, 3, 3, 4))
    people = [world.make("person") for _ in range(size)]
    things = [world.make(kind) for _ in range(size)]
    draw = chance.random()
    line: list[Item] = []
    facts: list[tuple[Thing, Thing]] = []
    if draw < 0.35:  # by group
        colon = chance.choice([":", "-", "–", "("])
        for thing in things:
            members = [world.make("person") for _ in range(chance.choice((1, 2, 2, 3)))]
            behind = [*([")"] if "(" in colon else []), chance.choice([";", ".", ";"])]
            line += [(thing, ""), colon, *_joined(members, chance), *behind]
            facts += [(member, thing) for member in members]
    elif draw < 0.6 and kind != "code":  # respectively
        ending = chance.choice([", respectively .", "respectively ."])
        line = [*_joined(people, chance, "and"), _COME_FROM[kind], *_joined(things, chance, "and"), ending]
        facts = list(zip(people, things, strict=True))
    elif draw < 0.8:  # two lists
        one, other = _some(chance, "heads of two lists").split(" / ")
        stop = chance.choice([".", ";", "|", ""])
        line = [one, *_joined(people, chance), stop, other, *_joined(things, chance), "."]
    else:  # one of them has it
        who = chance.randrange(size)
        for number, person in enumerate(people):
            before = "" if not number else "and" if number == size - 1 else ","
            line += [before, (person, "")]
            if number == who:
                line += ["(", (things[0], ""), ")"]
                facts = [(person, things[0])]
        line += [_some(chance, "one of several"), "."]
    text.say(line)
    _state_list(text, label, facts)


def _joined(things: Sequence[Thing], chance: random.Random, last: str = "") -> list[Item]:
    """A, B and C."""
    ending = last or chance.choice([",", "and", "and"])
    line: list[Item] = []
    for number, thing in enumerate(things):
        if number:
            line.append(ending if number == len(things) - 1 else ",")
        line.append((thing, ""))
    return line


def _table(text: Text) -> None:
    """Rows with columns, with or without their names above; or one form."""
    chance, world = text.chance, text.world
    kind = chance.choices(("person", "company", "film", "book", "country"), (60, 20, 8, 8, 4))[0]
    columns = [line.split(" / ") for line in _section("words.txt", f"columns of {kind}")]
    columns = chance.sample(columns, chance.choice((1, 2, 2, 3)))
    columns = [
        column for number, column in enumerate(columns) if column[1] not in {other[1] for other in columns[:number]}
    ]
    separator = chance.choice(["|", "|", ",", ";", "-", "", "\\", "/"])
    form = chance.random() < 0.35
    titles = form or chance.random() < 0.75
    if titles and not form:
        line: list[Item] = [_some(chance, f"names of {kind}")]
        for title, *_ in columns:
            line += [separator, title]
        text.say(line)
    for _ in range(1 if form else chance.choice((1, 2, 2, 3, 3, 4, 5))):
        subject = world.make(kind)
        line = [f"{_some(chance, f'names of {kind}')} :" if form else "", (subject, "")]
        things = [world.make(column[1]) for column in columns]
        for (title, *_), thing in zip(columns, things, strict=True):
            line += [chance.choice(["", ";", ","]), title, ":"] if form else [separator]
            line.append((thing, ""))
        text.say(line)
        for (_, _, label), thing in zip(columns, things, strict=True):
            if label != "-" and titles:
                text.state(subject, label, thing)
        if not titles:
            text.open.update(label for _, _, label in columns)
            text.open.update(other for _, _, label in columns for other in read_grammar().open.get(label, ()))
            text.open.update(_REVERSED.get(label, label) for _, _, label in columns)


_KINDS = {
    _profile: 24,
    _single: 16,
    _corrected: 12,
    _sentences: 20,
    _together: 8,
    _headlines: 6,
    _list: 9,
    _grouped: 4,
    _table: 5,
}


def documents(names: Names, number: int, *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """So many documents; the same names and seed give the same ones."""
    chance = random.Random(seed)  # noqa: S311
    labels = _labels()
    kinds, weights = list(_KINDS), list(_KINDS.values())
    made = 0
    while made < number:
        text = Text(World(names, chance))
        chance.choices(kinds, weights)[0](text)
        if not text.mentions:
            continue
        document = text.finish(f"generated-{seed}-{made}", labels)
        named = {entity for *_, entity, _, kind in document["mentions"] if kind == 0}
        if len(named) < len(text.entities):
            continue
        _change_case(document["words"], chance)
        made += 1
        yield document


def _change_case(words: list[str], chance: random.Random) -> None:
    draw = chance.random()
    if draw < 0.03:
        words[:] = [word.upper() for word in words]
    elif draw < 0.06:
        words[:] = [word.lower() for word in words]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a script."""
    from first_names import read_names as read_first_names

    parser = argparse.ArgumentParser(description="Make documents to train on from a grammar.")
    parser.add_argument("gold", type=Path, nargs="*", help="gold documents to train on, for their names")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a file .jsonl.gz")
    parser.add_argument("--documents", type=int, default=10_000, help="how many")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    made = documents(read_names(options.gold, read_first_names()), options.documents, seed=options.seed)
    with options.output.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as file:
        for document in progress_bar(None, iterable=made, desc=options.output.name, unit=" documents"):
            file.write((json.dumps(document, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
