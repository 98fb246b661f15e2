"""Make the sample of Wikidata that the demo is checked against: `wikidata.ttl`.

    python pipelines/demo/make_wikidata.py build/demo/graph.ttl ../data/wikidata_sample/wikidata.nt.gz

The sample has two parts. The first are the well-known facts in `wikidata.tsv`, which were written down by hand. The
second are the items of a larger sample of Wikidata that have the name of an entity of the graph. Of each such item, all
claims are taken whose property has a relation label. The names in the larger sample are those that texts use for an
item. They become aliases. If `wikidata.tsv` has no label of an item, its first name becomes the label.
"""

import argparse
import csv
import gzip
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse, serialize

from kgmrca.ontology import WIKIDATA_ENTITY, load_properties

FOLDER = Path(__file__).parent
HEADER = """\
# A small sample of Wikidata (https://www.wikidata.org), in the shape of its RDF
# (https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format), for the demo in this folder.
#
# Items, properties and facts are Wikidata's, which are in the public domain (CC0 1.0,
# https://creativecommons.org/publicdomain/zero/1.0/). It is no dump: most facts of these items are missing, so what is
# "new" against this file need not be new against Wikidata. Classes are coarse, and of what lies above a class (P279)
# and above a place (P131) steps are left out. Ids of statements and of times are made up.
#
# Made by make_wikidata.py, from facts that were written down by hand (wikidata.tsv) and all that a larger sample of
# Wikidata, the facts behind public data sets for relation extraction, has about items with a name of the demo's
# entities, whether it agrees with what the demo predicts or not. Some aliases are the words of those data sets' texts.
"""
PREFIXES = {
    "p": "http://www.wikidata.org/prop/",
    "ps": "http://www.wikidata.org/prop/statement/",
    "psv": "http://www.wikidata.org/prop/statement/value/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "wd": WIKIDATA_ENTITY,
    "wds": "http://www.wikidata.org/entity/statement/",
    "wdt": "http://www.wikidata.org/prop/direct/",
    "wdv": "http://www.wikidata.org/value/",
    "wikibase": "http://wikiba.se/ontology#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
INVERSES = [("P22", "P40"), ("P25", "P40"), ("P36", "P1376"), ("P131", "P150"), ("P710", "P1344"), ("P674", "P1441")]
SYMMETRIC = ["P26", "P47", "P3373"]
SINGLE_VALUED = ["P19", "P20", "P22", "P25", "P569", "P570"]
SUBPROPERTIES = {"P22": "P8810", "P25": "P8810", "P50": "P170", "P57": "P170", "P86": "P170", "P131": "P276"}
JULIAN = {"1066-01-05": "1066-01-11", "1066-10-14": "1066-10-20"}  # the RDF has the days of the Gregorian calendar


def iri(name: str) -> NamedNode:
    """The IRI of a prefixed name."""
    prefix, _, local = name.partition(":")
    return NamedNode(PREFIXES[prefix] + local)


def main() -> None:
    """Make the sample from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path, help="what `kgmrca convert` made of the demo's corpus")
    parser.add_argument("sample", type=Path, help="a larger sample of Wikidata, as .nt.gz")
    options = parser.parse_args()
    names = {quad.object.value for quad in parse(path=options.graph) if quad.predicate == iri("rdfs:label")}
    out = io.BytesIO(HEADER.encode())
    out.seek(0, io.SEEK_END)
    triples = sample(names, options.sample)
    serialize(triples, out, RdfFormat.TURTLE, prefixes=PREFIXES)
    (FOLDER / "wikidata.ttl").write_bytes(out.getvalue())


def sample(names: set[str], larger: Path) -> Iterator[Triple]:
    """All triples: items by number, then properties."""
    properties = {predicate.rpartition("/")[2]: known for predicate, known in load_properties().items()}
    labels: dict[str, str] = {}
    aliases: dict[str, set[str]] = defaultdict(set)
    facts: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with (FOLDER / "wikidata.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            labels[row["item"]] = row["label"]
            aliases[row["item"]].update(alias for alias in row["aliases"].split("; ") if alias)
            for fact in filter(None, row["facts"].split("; ")):
                name, _, value = fact.partition(" ")
                facts[row["item"]].add((name, value))
    theirs = _larger(larger)
    chosen = {item for item, (called, _) in theirs.items() if item in labels or called & names}
    for item in chosen:
        called, known = theirs[item]
        facts[item] |= {(name, value) for name, value in known if name in properties}
        labels.setdefault(item, min(called))
        aliases[item] |= called
    for value in sorted({value for known in facts.values() for _, value in known if value.startswith("Q")}):
        if value in theirs:
            labels.setdefault(value, min(theirs[value][0]))
    for item in sorted(labels, key=lambda id: int(id[1:])):
        yield from _item(item, labels[item], aliases[item] - {labels[item]}, facts[item])
    used = {name for known in facts.values() for name, _ in known} | properties.keys()
    for name in sorted(used, key=lambda id: int(id[1:])):
        ours = properties.get(name)
        label = ours.label if ours else {"P31": "instance of", "P279": "subclass of"}.get(name, name)
        types = ours.object_types if ours else frozenset()
        datatype = {frozenset({"TIME"}): "Time", frozenset({"NUM"}): "Quantity"}.get(types, "WikibaseItem")
        yield from _property(name, label, "String" if name == "P281" else datatype)


def _larger(path: Path) -> dict[str, tuple[set[str], set[tuple[str, str]]]]:
    """Names and facts of the items of a larger sample."""
    found: dict[str, tuple[set[str], set[tuple[str, str]]]] = defaultdict(lambda: (set(), set()))
    with gzip.open(path) as file:
        for quad in parse(cast("IO[bytes]", file), RdfFormat.N_TRIPLES):
            item = quad.subject.value.removeprefix(WIKIDATA_ENTITY)
            if not re.fullmatch("Q[0-9]+", item):
                continue
            if isinstance(quad.object, Literal):
                found[item][0].add(quad.object.value)
            elif quad.predicate.value.startswith(PREFIXES["wdt"]):
                name = quad.predicate.value.removeprefix(PREFIXES["wdt"])
                found[item][1].add((name, quad.object.value.removeprefix(WIKIDATA_ENTITY)))
    return found


def _item(item: str, label: str, aliases: Iterable[str], facts: Iterable[tuple[str, str]]) -> Iterator[Triple]:
    node = iri(f"wd:{item}")
    yield Triple(node, iri("rdfs:label"), Literal(label, language="en"))
    for alias in sorted(aliases):
        yield Triple(node, iri("skos:altLabel"), Literal(alias, language="en"))
    ordered = sorted(facts, key=lambda fact: (int(fact[0][1:]), fact[1]))
    for name, value in ordered:
        object_, _ = _value(value)
        yield Triple(node, iri(f"wdt:{name}"), object_)
        yield Triple(node, iri(f"p:{name}"), iri(f"wds:{item}-{name}-{value}"))
    for name, value in ordered:
        object_, time = _value(value)
        statement = iri(f"wds:{item}-{name}-{value}")
        yield Triple(statement, iri("wikibase:rank"), iri("wikibase:NormalRank"))
        yield Triple(statement, iri(f"ps:{name}"), object_)
        if time:
            yield Triple(statement, iri(f"psv:{name}"), iri(f"wdv:{value}"))
            yield Triple(iri(f"wdv:{value}"), iri("wikibase:timeValue"), object_)
            yield Triple(iri(f"wdv:{value}"), iri("wikibase:timePrecision"), Literal(time[0]))
            yield Triple(iri(f"wdv:{value}"), iri("wikibase:timeCalendarModel"), iri(f"wd:{time[1]}"))


def _value(text: str) -> tuple[NamedNode | Literal, tuple[int, str] | None]:
    """An item, or a time with its precision and calendar ("J": Julian)."""
    if text.startswith("Q"):
        return iri(f"wd:{text}"), None
    date, calendar = text.removesuffix("J"), "Q1985786" if text.endswith("J") else "Q1985727"
    precision = 9 + date.count("-")
    date = JULIAN[date] if text.endswith("J") else date
    full = (date + "-01-01")[:10]
    return Literal(f"{full}T00:00:00Z", datatype=iri("xsd:dateTime")), (precision, calendar)


def _property(name: str, label: str, datatype: str) -> Iterator[Triple]:
    node = iri(f"wd:{name}")
    yield Triple(node, iri("rdfs:label"), Literal(label, language="en"))
    yield Triple(node, iri("wikibase:propertyType"), iri(f"wikibase:{datatype}"))
    inverses = {other for one, other in INVERSES if one == name} | {one for one, other in INVERSES if other == name}
    for inverse in sorted(inverses):
        yield Triple(node, iri("wdt:P1696"), iri(f"wd:{inverse}"))
    if name in SUBPROPERTIES:
        yield Triple(node, iri("wdt:P1647"), iri(f"wd:{SUBPROPERTIES[name]}"))
    kinds = [("Q52060874", SINGLE_VALUED), ("Q21510862", SYMMETRIC)]
    for kind in (kind for kind, names in kinds if name in names):
        statement = iri(f"wds:{name}-P2302-{kind}")
        yield Triple(node, iri("p:P2302"), statement)
        yield Triple(statement, iri("wikibase:rank"), iri("wikibase:NormalRank"))
        yield Triple(statement, iri("ps:P2302"), iri(f"wd:{kind}"))


if __name__ == "__main__":
    main()
