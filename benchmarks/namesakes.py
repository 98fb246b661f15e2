"""A sample of Wikidata that is hard to link with: dozens of items for each name of GUM's linked documents.

    python benchmarks/namesakes.py --data DATA -o FOLDER

writes `FOLDER/wikidata.nt`; `benchmarks/linking.py` makes it for itself. The same data give the same bytes.

What is real: the texts, the names in them and the items that they stand for (`ner_gum`: documents of 9 genres), the
titles of the items, which become their labels, and the facts that `wikidata_sample` has between these items. GUM links
descriptions too ("the Chairman"): a mention that shares no word with the title of its item, and is no abbreviation, is
read as not linked.

What is written by hand: `namesakes.tsv` has for each of the 2,086 items its class or occupations, its country, its
years, about how many wikis have a page of it, and a description as Wikidata's are. It was written from general
knowledge, from the list of titles alone and before any text of the documents was read; it was not taken from Wikidata,
and has mistakes.

What is made:

- Each name has dozens of further items: 24 to 60 if it is one word, 12 to 48 if it is two, 6 to 24 if it is more. A
  namesake is a copy of a row of `namesakes.tsv`, of an item of a document without that name, so what tells it from the
  right item is what tells real items apart. In 65 of 100 cases it is of the same kind (person, organization, place and
  so on) as the right item.
- Texts speak of an item the more often the better known it is, so the items of GUM are much better known than those of
  Wikidata. A row is therefore drawn with a weight of (1 + number of wikis) ** -1.5 for a name of one word, -2 for
  others. Without regard to the kind, 13 and 6 of 100 namesakes then have a page in at least 10 wikis, 1.7 and 0.4 in at
  least 50. On Wikidata we believe it to be 3 and 0.2 of 100 items with any page. With `--well-known` the exponent is
  -1: 29 and 6.7 of 100, a harder sample than Wikidata.
- There are no further countries, states, provinces and continents: rows of such classes are no namesakes.
- A name has a disambiguation page besides, as on Wikidata.
- 8 of 100 items are left out: their names mean none of the items. A name that is not the title is an alias of its item
  in 80 of 100 cases only.
- Facts are missing: the description in 10 of 100 items, the class in 3, each other fact in 30. What one item states of
  another in a text is only there where `wikidata_sample` has it.
"""

import argparse
import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from kgmrca.ontology import WIKIDATA_DIRECT, WIKIDATA_ENTITY
from kgmrca.terms import XSD

__all__ = ["Described", "Document", "Mention", "is_test", "make_sample", "read_documents", "write_sample"]

ITEMS = Path(__file__).with_name("namesakes.tsv")

_SAME_KIND, _ABSENT, _HAS_ALIAS = 0.65, 0.08, 0.8
_NO_DESCRIPTION, _NO_CLASS, _NO_FACT = 0.1, 0.03, 0.3
_COUNTS = {1: (24, 60), 2: (12, 48), 3: (6, 24)}  # by the words of the name; the last for longer ones too

# The class that the classes of each kind are below, so that its type is known; none for "X", other things.
_ROOTS = {
    **{"P": "Q5", "F": "Q95074", "G": "Q41710", "O": "Q43229", "L": "Q2221906", "B": "Q811979", "W": "Q386724"},
    **{"E": "Q1190554", "A": "Q618779", "N": "Q34770"},
}
_YEARS = {"P": ("P569", "P570"), "W": ("P577",), "E": ("P585",)}  # by kind; for others the inception
_CLOSED = frozenset(  # classes of which there are no members that nobody has heard of
    {"sovereign state", "island country", "constituent country", "continent", "landmass", "planet", "star", "moon"}
    | {"U.S. state", "state of Australia", "province of Canada", "capital", "state with limited recognition"}
)
_FAME, _FAME_OF_LONG, _MORE_FAME = 1.5, 2.0, 1.0
_SHORT = {"US": "United States", "UK": "United Kingdom", "HK": "Hong Kong"}
_DISAMBIGUATION_PAGE = "Q4167410"

_LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
_ALIAS = NamedNode("http://www.w3.org/2004/02/skos/core#altLabel")
_DESCRIPTION = NamedNode("http://schema.org/description")
_SITELINKS = NamedNode("http://wikiba.se/ontology#sitelinks")


class Described(NamedTuple):
    """A row of `namesakes.tsv`."""

    item: str
    kind: str
    classes: tuple[str, ...]
    countries: tuple[str, ...]
    years: tuple[str, ...]
    sitelinks: int
    description: str


class Mention(NamedTuple):
    """A name in a document, by the places of its tokens; `item` is "" where GUM does not link it."""

    start: int
    end: int
    type: str
    item: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document of GUM. Its mentions do not overlap."""

    name: str
    words: Sequence[str]
    spaces: Sequence[bool]
    sentence_starts: frozenset[int]
    mentions: Sequence[Mention]

    def text(self, mention: Mention) -> str:
        """The words of a mention as they stand in the text."""
        places = range(mention.start, mention.end)
        return "".join(self.words[place] + " " * self.spaces[place] for place in places).strip()


def is_test(document: Document) -> bool:
    """Whether a document belongs to the part on which nothing is chosen: every second one by its name's hash."""
    return sha256(document.name.encode()).digest()[0] % 2 == 1


def read_described() -> dict[str, Described]:
    """The rows of `namesakes.tsv` by item."""
    with ITEMS.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return {
            item: Described(
                item,
                kind,
                tuple(filter(None, classes.split(","))),
                tuple(_SHORT.get(one, one) for one in countries.split(",") if one),
                tuple(re.findall(r"(?:^-|(?<=-)-)?\d+", years)),
                int(sitelinks),
                description,
            )
            for item, kind, classes, countries, years, sitelinks, description in rows
        }


def read_documents(data: Path) -> tuple[list[Document], dict[str, str]]:
    """The documents of GUM, and the titles of the items by item.

    A mention is linked if `namesakes.tsv` has its item, which leaves out dates.
    """
    described = read_described()
    titles: dict[str, str] = {}
    documents: list[Document] = []
    sentences: list[dict[str, Any]] = []
    for part in ("dev", "train"):
        with gzip.open(data / "ner_gum" / f"{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
            sentences += map(json.loads, lines)
    for name, of_document in groupby(sentences, key=lambda one: one["doc"]):
        words: list[str] = []
        spaces: list[bool] = []
        starts: set[int] = set()
        mentions: list[Mention] = []
        for sentence in of_document:
            starts.add(len(words))
            for one in sentence["entities"]:
                span = (one["start"] + len(words), one["end"] + len(words))
                item, title = one.get("qid", ""), one.get("wiki", "").replace("_", " ")
                if item in described and _is_name(sentence["tokens"][one["start"] : one["end"]], title):
                    titles[item] = re.sub(r" ?\(.*?\)$", "", title)
                    mentions.append(Mention(*span, one["type"], item))
                else:
                    mentions.append(Mention(*span, one["type"], ""))
            words += sentence["tokens"]
            spaces += sentence["space_after"]
        documents.append(Document(name, words, spaces, frozenset(starts), mentions))
    return [one for one in documents if any(mention.item for mention in one.mentions)], titles


def _is_name(words: Sequence[str], title: str) -> bool:
    """Whether a mention shares a word with a title, or is an abbreviation."""
    known = set(re.findall(r"\w{3,}", title.casefold()))
    return not known.isdisjoint(word.casefold() for word in words) or "".join(words).replace(".", "").isupper()


def make_sample(
    data: Path, documents: Iterable[Document], titles: Mapping[str, str], *, well_known: bool = False
) -> Iterator[Triple]:
    """The triples of the sample (see above)."""
    described = read_described()
    items_of, documents_of = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    by_document: dict[str, set[str]] = {}
    for document in documents:
        by_document[document.name] = {mention.item for mention in document.mentions if mention.item}
        for mention in document.mentions:
            if mention.item:
                items_of[document.text(mention)].add(mention.item)
                documents_of[document.text(mention)].add(document.name)
    present = {item for item in titles if _share(item, "absent") >= _ABSENT}
    world = _World({title: item for item, title in titles.items()})
    for item in sorted(present):
        yield from world.item(item, described[item], titles[item])
    for name, items in sorted(items_of.items()):
        for item in sorted(items & present):
            if name != titles[item] and _share(item, name) < _HAS_ALIAS:
                yield Triple(_node(item), _ALIAS, Literal(name, language="en"))
    rows = [row for row in described.values() if _CLOSED.isdisjoint(row.classes)]
    for name, items in sorted(items_of.items()):
        near = set().union(*(by_document[document] for document in documents_of[name]))
        fame = _MORE_FAME if well_known else _FAME if len(name.split()) == 1 else _FAME_OF_LONG
        weights = [(1 + row.sitelinks) ** -fame for row in rows]
        yield from _namesakes(world, name, {described[item].kind for item in items}, near, rows, weights)
    yield from world.classes()
    yield from _facts(data, present)


def _namesakes(
    world: "_World",
    name: str,
    kinds: set[str],
    near: set[str],
    rows: Sequence[Described],
    weights: Sequence[float],
) -> Iterator[Triple]:
    """The further items with a name, and its disambiguation page."""
    random = Random(f"namesakes of {name}")
    usable = [place for place, row in enumerate(rows) if row.item not in near]
    alike = [place for place in usable if rows[place].kind in kinds]
    drawn: set[int] = set()
    for _ in range(random.randint(*_COUNTS[min(3, len(name.split()))])):
        places = alike if random.random() < _SAME_KIND else usable
        (place,) = random.choices(places, [weights[one] for one in places])
        if place not in drawn:  # two items with one name and all else alike cannot be told apart by anybody
            drawn.add(place)
            item = world.new_item(random)
            yield from world.item(item, rows[place], name if random.random() < 0.8 else "", alias=name)
    page = world.new_item(random)
    yield Triple(_node(page), _LABEL, Literal(name, language="en"))
    yield Triple(_node(page), _direct("P31"), _node(_DISAMBIGUATION_PAGE))
    yield Triple(_node(page), _DESCRIPTION, Literal("Wikimedia disambiguation page", language="en"))
    yield Triple(_node(page), _SITELINKS, _integer(random.randint(1, 20)))


class _World:
    """Makes items, and remembers the classes and countries that they need."""

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named
        self._taken = set(named.values())
        self._things: dict[tuple[str, str], str] = {}

    def new_item(self, random: Random) -> str:
        """An id that no other item has. Nothing is to be learned from its number."""
        while (item := f"Q{random.randint(1_000, 130_000_000)}") in self._taken:
            pass
        self._taken.add(item)
        return item

    def item(self, item: str, row: Described, label: str, *, alias: str = "") -> Iterator[Triple]:
        """The triples of an item, without what is missing; `alias` is only used if there is no label."""
        if label:
            yield Triple(_node(item), _LABEL, Literal(label, language="en"))
        else:
            yield Triple(_node(item), _ALIAS, Literal(alias, language="en"))
        yield Triple(_node(item), _SITELINKS, _integer(row.sitelinks))
        if _share(item, "description") >= _NO_DESCRIPTION:
            yield Triple(_node(item), _DESCRIPTION, Literal(row.description, language="en"))
        if _share(item, "class") >= _NO_CLASS:
            classes = ["human"] if row.kind == "P" else row.classes
            yield from (Triple(_node(item), _direct("P31"), _node(self._class(row.kind, one))) for one in classes)
        facts = [("P106", self._class("", one)) for one in row.classes] if row.kind == "P" else []
        facts += [("P27" if row.kind == "P" else "P17", self._country(one)) for one in row.countries]
        for property, value in facts:
            if _share(item, property + value) >= _NO_FACT:
                yield Triple(_node(item), _direct(property), _node(value))
        for property, year in zip(_YEARS.get(row.kind, ("P571",)), row.years, strict=False):
            if _share(item, property) >= _NO_FACT:
                sign, digits = ("-" if year[0] == "-" else ""), year.lstrip("-")
                date = Literal(f"{sign}{digits:0>4}-01-01T00:00:00Z", datatype=NamedNode(f"{XSD}dateTime"))
                yield Triple(_node(item), _direct(property), date)

    def classes(self) -> Iterator[Triple]:
        """The classes, occupations and countries that the items have, with what each class is below."""
        for (kind, name), item in self._things.items():
            yield Triple(_node(item), _LABEL, Literal(name, language="en"))
            if kind in _ROOTS and item != _ROOTS[kind]:
                yield Triple(_node(item), _direct("P279"), _node(_ROOTS[kind]))

    def _class(self, kind: str, name: str) -> str:
        if (kind, name) == ("P", "human"):
            self._things["P", "human"] = _ROOTS["P"]
        return self._thing(kind, name)

    def _country(self, name: str) -> str:
        return self._named.get(name) or self._thing("L", name)

    def _thing(self, kind: str, name: str) -> str:
        if (kind, name) not in self._things:
            self._things[kind, name] = self.new_item(Random(f"{kind} {name}"))
        return self._things[kind, name]


def _facts(data: Path, items: set[str]) -> Iterator[Triple]:
    """What the sample of Wikidata states between items."""
    pattern = re.compile(rf"<{WIKIDATA_ENTITY}(Q\d+)> <({WIKIDATA_DIRECT}P\d+)> <{WIKIDATA_ENTITY}(Q\d+)> \.")
    with gzip.open(data / "wikidata_sample" / "wikidata.nt.gz", "rt", encoding="utf-8") as lines:
        for found in filter(None, map(pattern.match, lines)):
            if found[1] in items and found[3] in items:
                yield Triple(_node(found[1]), NamedNode(found[2]), _node(found[3]))


def _share(*what: str) -> float:
    """A number from 0 to 1 that depends on nothing else."""
    return int.from_bytes(sha256("\n".join(what).encode()).digest()[:4], "big") / 2**32


def _node(item: str) -> NamedNode:
    return NamedNode(WIKIDATA_ENTITY + item)


def _direct(property: str) -> NamedNode:
    return NamedNode(WIKIDATA_DIRECT + property)


def _integer(number: int) -> Literal:
    return Literal(str(number), datatype=NamedNode(f"{XSD}integer"))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the folder of the data")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.add_argument("--well-known", action="store_true", help="better known namesakes than Wikidata's")
    options = parser.parse_args()
    write_sample(options.output / "wikidata.nt", options.data, well_known=options.well_known)


def write_sample(path: Path, data: Path, *, well_known: bool = False) -> list[Document]:
    """Write the sample as N-Triples, and return the documents."""
    documents, titles = read_documents(data)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        serialize(make_sample(data, documents, titles, well_known=well_known), stream, format=RdfFormat.N_TRIPLES)
    return documents


if __name__ == "__main__":
    main()
