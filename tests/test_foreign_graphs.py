"""A graph of ours that went through other hands: every command gives what it gives for the graph as it was."""

import gzip
import json
import random
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from helpers import TEXT, make_nlp
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse, serialize
from rdflib import Dataset, Graph

from kgmrca.graph.merging.merge import merge
from kgmrca.graph.networks import to_networkx
from kgmrca.graph.statistics import graph_report
from kgmrca.graph.validation import validate
from kgmrca.ontology import WIKIDATA_DIRECT
from kgmrca.terms import PROV, XSD
from kgmrca.triples import gathering, read
from kgmrca.triples.docs import document_iri
from kgmrca.triples.formats import FORMATS, write
from kgmrca.triples.iris import DEFAULT_BASE
from kgmrca.triples.literals import canonical_literal
from kgmrca.triples.read import read_quads, read_rdf
from kgmrca.triples.records import Run, Statement, Times
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples, run_triples
from kgmrca.wikidata.check import check
from kgmrca.wikidata.diff import diff
from kgmrca.wikidata.enrich import enrich
from kgmrca.wikidata.link import link_graphs
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint

WIKIDATA = Path(__file__).parent / "wikidata" / "wikidata.ttl"
GRAPH = NamedNode("http://example.org/their-graph")
TIMES = {f"{PROV}startedAtTime", f"{PROV}endedAtTime", f"{PROV}generatedAtTime"}


def lookups():
    return Lookups(open_endpoint(str(WIKIDATA)))


def our_triples():
    """Two documents with metadata, their statements, one with a number, and the run."""
    nlp = make_nlp()
    run = Run.of(nlp)
    for name, text in (("a", TEXT), ("b", "Marie Curie was born in Warsaw. Warsaw is in Poland.")):
        doc = nlp(text)
        found = list(statements(doc, document_id=name, run=run))
        if name == "a":
            number = {"object": "2.5", "object_is_literal": True, "object_datatype": f"{XSD}decimal"}
            found.append(
                replace(
                    found[0],
                    iri=f"{DEFAULT_BASE}statement/n",
                    confidence=Decimal(1),
                    times=Times("1890", "1891"),
                    **number,
                )
            )
            found.append(replace(found[0], iri=f"{DEFAULT_BASE}statement/m", predicate=f"{WIKIDATA_DIRECT}P8810"))
        about = {"title": f"The lives, {name}", "pages": 3}
        yield from document_triples(document_iri(doc, name, DEFAULT_BASE), name, found, base=DEFAULT_BASE, meta=about)
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    yield from run_triples(run, base=DEFAULT_BASE, started=now, ended=now, documents=2, statements=9, rejected=0)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The graph with links, and what `check` says about it."""
    folder = tmp_path_factory.mktemp("ours")
    with (folder / "plain.ttl").open("wb") as out:
        write(our_triples(), out, format="turtle", base=DEFAULT_BASE)
    link_graphs([folder / "plain.ttl"], lookups(), folder / "graph.nt")
    check([folder / "graph.nt"], lookups(), folder / "check.nt")
    return folder / "graph.nt", folder / "check.nt"


def lines_of(path):
    return path.read_bytes().splitlines(keepends=True)


def shuffled(path):
    found = lines_of(path)
    random.Random(17).shuffle(found)
    return b"".join(found)


def sorted_by(key):
    return lambda path: b"".join(sorted(lines_of(path), key=key))


def by_rdflib(format, **options):
    def rewrite(path):
        graph = Graph()
        graph.parse(path, format="nt")
        graph.bind("k", "https://w3id.org/kgmrca#", override=True)
        return graph.serialize(format=format, encoding="utf-8", **options)

    return rewrite


def dataset_as(format):
    def rewrite(path):
        dataset = Dataset()
        dataset.graph(str(GRAPH.value)).parse(path, format="nt")
        return dataset.serialize(format=format, encoding="utf-8")

    return rewrite


def in_graph(format, data):
    def rewrite(path):
        quads = [Quad(*quad.triple, GRAPH) for quad in parse(data(path), RdfFormat.N_TRIPLES)]
        return serialize(quads, format=FORMATS[format])

    return rewrite


def other_numbers(path):
    """Decimals as doubles, integers as ints, years in UTC."""
    quads = []
    for quad in parse(path=path, format=RdfFormat.N_TRIPLES):
        term = quad.object
        kind = term.datatype.value.removeprefix(XSD) if isinstance(term, Literal) else ""
        if kind == "decimal":
            term = Literal(f"{float(term.value):.4E}", datatype=NamedNode(f"{XSD}double"))
        elif kind == "integer":
            term = Literal(f"+0{term.value}", datatype=NamedNode(f"{XSD}int"))
        elif kind == "gYear":
            term = Literal(f"{term.value}Z", datatype=NamedNode(f"{XSD}gYear"))
        quads.append(Quad(quad.subject, quad.predicate, term))
    return serialize(quads, format=RdfFormat.N_TRIPLES)


def dos(path):
    return b"\xef\xbb\xbf" + shuffled(path).replace(b"\n", b"\r\n\r\n")


# How a graph was written anew: the extension of the file, and what is in it.
WAYS = {
    "shuffled lines": (".nt", shuffled),
    "sorted lines": (".nt", sorted_by(None)),
    "lines by their predicates": (".nt", sorted_by(lambda line: line.split(b" ", 2)[1:])),
    "lines by their objects": (".nt", sorted_by(lambda line: line.split(b" ", 2)[2])),
    "N-Triples of rdflib": (".nt", by_rdflib("nt")),
    "Turtle of rdflib": (".ttl", by_rdflib("turtle")),
    "nested RDF/XML of rdflib": (".rdf", by_rdflib("pretty-xml", max_depth=5)),
    "JSON-LD of rdflib": (".jsonld", by_rdflib("json-ld", auto_compact=True)),
    "TriG of rdflib": (".trig", dataset_as("trig")),
    "N-Quads of rdflib": (".nq", dataset_as("nquads")),
    "shuffled quads of a graph": (".nq", in_graph("nquads", shuffled)),
    "a graph in JSON-LD": (".jsonld", in_graph("jsonld", Path.read_bytes)),
    "other numbers": (".nt", other_numbers),
    "a mark, CRLF and blank lines": (".nt", dos),
    "gzip": (".nt.gz", lambda path: gzip.compress(shuffled(path))),
}


def triples_of(path):
    """The triples but for times, without the graph that they were put into, with numbers in one form."""
    found = set()
    for quad in read_quads(path):
        if quad.predicate.value not in TIMES:
            object_ = canonical_literal(quad.object) if isinstance(quad.object, Literal) else quad.object
            found.add((quad.subject, quad.predicate, object_))
    return found


def merged(graph, verdicts, folder):
    merge([graph], folder / "merged.nt", progress=False)
    return triples_of(folder / "merged.nt")


def counted(graph, verdicts, folder):
    return graph_report(graph, progress=False)


def network(graph, verdicts, folder):
    found = to_networkx(read_rdf(graph))
    return dict(found.nodes(data=True)), sorted(found.edges(keys=True, data=True), key=lambda edge: edge[2])


def validated(graph, verdicts, folder):
    report = validate(graph, progress=False)
    return report.counts, report.statements


def linked(graph, verdicts, folder):
    link_graphs([graph], lookups(), folder / "linked.nq", progress=False)
    return triples_of(folder / "linked.nq")


def checked(graph, verdicts, folder):
    check([graph], lookups(), jsonl=folder / "check.jsonl", progress=False)
    return sorted(map(json.loads, lines_of(folder / "check.jsonl")), key=lambda row: row["statement"])


def enriched(graph, verdicts, folder):
    enrich([graph], lookups(), folder / "more.nt", properties=["P31", "P17"], languages=["en"], progress=False)
    return triples_of(folder / "more.nt")


def listed(graph, verdicts, folder):
    diff([graph, verdicts], folder / "table.tsv", conflicts=True)
    return set(lines_of(folder / "table.tsv"))


COMMANDS = [merged, counted, network, validated, linked, checked, enriched, listed]


def rewritten(paths, way, folder):
    extension, rewrite = WAYS[way]
    made = []
    for path in paths:
        made.append(folder / f"{path.stem}{extension}")
        made[-1].write_bytes(rewrite(path))
    return made


@pytest.fixture(scope="module")
def expected(ours, tmp_path_factory):
    """What each command gives for the graph as it was."""
    return {command: command(*ours, tmp_path_factory.mktemp("expected")) for command in COMMANDS}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_a_graph_in_another_form_is_the_same_graph(command, way, ours, expected, tmp_path):
    assert command(*rewritten(ours, way, tmp_path), tmp_path) == expected[command]


@pytest.mark.parametrize("way", ["shuffled lines", "shuffled quads of a graph"])
@pytest.mark.parametrize("command", [merged, counted, checked, listed], ids=lambda command: command.__name__)
def test_so_is_one_that_does_not_fit_into_memory(command, way, ours, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(read, "_HEAD", 50)
    monkeypatch.setattr(gathering, "_IN_MEMORY", 50)
    assert command(*rewritten(ours, way, tmp_path), tmp_path) == expected[command]
    assert not list(tmp_path.glob(".*"))


def test_the_graph_has_what_the_commands_look_for(expected):
    assert {object_.value for _, predicate, object_ in expected[merged] if "Time" in predicate.value} == {
        "1890",
        "1891",
    }
    assert expected[counted]["statements"] == 9
    assert len({row["verdict"] for row in expected[checked]}) > 2
    assert len(expected[listed]) > 1
    assert len(expected[enriched]) > 10


def test_nodes_may_be_nested(tmp_path, ours):
    """As other writers do it: a blank node within a statement, and a document within another node."""
    path = tmp_path / "nested.ttl"
    path.write_bytes(by_rdflib("turtle")(ours[0]))
    text = path.read_text(encoding="utf-8").replace(" a rdf:Statement", " k:note [ k:by [ k:of 1 ] ] ; a rdf:Statement")
    path.write_text(text.replace("k:confidence", "k:note [ k:by 2 ] ; k:confidence"), encoding="utf-8")
    assert path.read_text(encoding="utf-8").count("k:note") == 18
    found = [one for one in read_rdf(path) if isinstance(one, Statement)]
    assert {one.iri: one for one in found} == {one.iri: one for one in read_rdf(ours[0]) if isinstance(one, Statement)}
