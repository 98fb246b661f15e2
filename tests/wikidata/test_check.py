import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from graphs import DOCUMENT, KGMRCA, WD, WDT, XSD, link, member, statement, write_graph
from helpers import read_rdf
from pyoxigraph import BlankNode, Literal, NamedNode, Triple, parse
from rdflib import OWL, SKOS, Graph
from stand_in import StandIn

from kgmrca.errors import InputError
from kgmrca.resources import resource
from kgmrca.triples.iris import Iris
from kgmrca.triples.read import Node, read_graphs
from kgmrca.triples.records import Times
from kgmrca.wikidata import check as module
from kgmrca.wikidata.assertions import times_compared
from kgmrca.wikidata.check import CHECK_COLUMNS, check, check_assertions, checked_statements
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import Claim, Value
from kgmrca.wikidata.sparql import open_endpoint
from kgmrca.wikidata.verdicts import Assertion, Verdict

ENTITY, CLUSTER = "urn:kgmrca:entity/curie", "urn:kgmrca:cluster/curie"
PROV = "http://www.w3.org/ns/prov#"
BORN = statement("Q7186", "P19", "Q270")
MARRIED = statement("Q7186", "P26", "Q37463", number=1)
WKT, PROP = "http://www.opengis.net/ont/geosparql#wktLiteral", "http://www.wikidata.org/prop/"
TOLD = "Curie born Warsaw. Curie spouse Sorbonne. spouse single."


def local_lookups(path):
    return Lookups(open_endpoint(path), cache=None)


@pytest.fixture
def graph(tmp_path):
    return write_graph(tmp_path / "graph.ttl", BORN, MARRIED)


def assertions_of(*graphs):
    return [checked.assertion for checked in checked_statements(graphs, StandIn())]


def checked(graphs, told=TOLD, **options):
    return [
        (one.iri.rpartition("/")[2], one.judgement.verdict.value) for one in checked_statements(graphs, StandIn(told))
    ]


@pytest.mark.parametrize(
    ("provenance", "name"),
    [
        ("statements", "g.ttl"),
        ("statements", "g.nt.gz"),
        ("graphs", "g.nq"),
        ("rdf12", "g.ttl"),
        ("wikidata", "g.trig"),
    ],
)
def test_statements_of_every_shape_are_checked(tmp_path, provenance, name):
    path = write_graph(tmp_path / name, BORN, MARRIED, provenance=provenance)
    assert checked([path]) == [("0", "confirmed"), ("1", "conflict")]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (Times(), ""),
        (Times(start="1895"), "It has the same start time."),
        (Times(start="1896"), "It has another start time (26 July 1895), and here it is 1896."),
        (Times(point="1900"), "The point in time, 1900, is not before its start time and not after its end time."),
        (Times(point="1906"), "The point in time, 1906, is not before its start time and not after its end time."),
        (Times(point="1894"), "The point in time, 1894, is before its start time (26 July 1895)."),
        (Times(point="1907"), "The point in time, 1907, is after its end time (19 April 1906)."),
        (Times("1895-07", "1906"), "It has the same start time. It has the same end time."),
    ],
)
def test_times_are_compared_with_qualifiers(tmp_path, times, words):
    (path,) = [write_graph(tmp_path / "g.ttl", replace(MARRIED, times=times))]
    (node,) = (found for found in read_graphs([(path, None)]) if isinstance(found, Node))
    dates = [("P580", "1895-07-26"), ("P582", "1906-04-19")]
    qualifiers = tuple((id, Value("time", f"+{date}T00:00:00Z", precision=11)) for id, date in dates)
    assert times_compared(node, Claim("urn:c", "P26", Value("item", "Q37463"), qualifiers=qualifiers))[1] == words
    assert times_compared(node, None) == (0, "")


def test_of_equal_claims_the_one_whose_times_agree_best_decides(tmp_path):
    path = write_graph(tmp_path / "g.ttl", replace(BORN, times=Times("2010", "2012")))
    spans = [("2001", "2004"), ("2010", "2012"), ("2015", "2016")]
    claims = [
        Claim(
            f"urn:{start}",
            "P19",
            Value("item", "Q270"),
            qualifiers=tuple(
                (id, Value("time", f"{year}-01-01T00:00:00Z", precision=9))
                for id, year in (("P580", start), ("P582", end))
            ),
        )
        for start, end in spans
    ]

    class Stints(StandIn):
        def claims(self, keys):
            return {key: tuple(claims) for key in keys}

    (found,) = checked_statements([path], Stints(TOLD))
    assert found.judgement.basis.iri == "urn:2010"
    assert found.judgement.reason == (
        "Wikidata has the same statement with an end date. It has the same start time. It has the same end time."
    )


def test_another_time_changes_no_verdict(tmp_path):
    path = write_graph(tmp_path / "g.ttl", replace(BORN, times=Times(start="1867")))
    (found,) = checked_statements([path], StandIn(TOLD))
    assert found.judgement.verdict is Verdict.confirmed
    assert found.judgement.reason == "Wikidata has the same statement. It has no start time, and here it is 1867."


def test_several_graphs_are_checked_in_their_order(tmp_path):
    paths = [write_graph(tmp_path / "b.ttl", MARRIED), write_graph(tmp_path / "a.nt", BORN)]
    assert checked(paths) == [("1", "conflict"), ("0", "confirmed")]


@pytest.mark.parametrize("predicate", [f"{KGMRCA}item", str(OWL.sameAs), str(SKOS.exactMatch)])
def test_an_entity_is_the_item_that_it_is_linked_to(tmp_path, predicate):
    linked = link(ENTITY, "Q7186", predicate=predicate)
    path = write_graph(tmp_path / "g.ttl", statement(ENTITY, "P19", "Q270"), linked)
    assert assertions_of(path) == [Assertion("Q7186", "P19", Value("item", "Q270"))]


def test_an_entity_is_the_item_of_its_cluster(tmp_path):
    born = statement("Q1", "P40", ENTITY)
    path = write_graph(tmp_path / "g.ttl", born, link(CLUSTER, "Q7186"), member(CLUSTER, ENTITY))
    assert assertions_of(path) == [Assertion("Q1", "P40", Value("item", "Q7186"))]


def test_links_may_be_in_another_file(tmp_path):
    graph = write_graph(tmp_path / "g.ttl", statement(ENTITY, "P19", "Q270"))
    links = write_graph(tmp_path / "links.nt", link(ENTITY, "Q7186"))
    assert assertions_of(graph, links)[0].subject == "Q7186"


@pytest.mark.parametrize("others", [[], [link(ENTITY, "Q7186"), link(ENTITY, "Q2")], [member(CLUSTER, ENTITY)]])
def test_an_entity_of_no_item_or_of_two_is_not_linked(tmp_path, others):
    path = write_graph(tmp_path / "g.ttl", statement(ENTITY, "P19", ENTITY), *others)
    assert assertions_of(path) == [Assertion(None, "P19", None)]


@pytest.mark.parametrize("iri", ["http://schema.org/birthPlace", f"{WD}P19", f"{WDT}P19x", f"{WDT}P019", f"{WDT}Q19"])
def test_a_predicate_that_is_no_property_of_wikidata_is_unmapped(tmp_path, iri):
    path = write_graph(tmp_path / "g.ttl", statement("Q7186", iri, "Q270"))
    assert assertions_of(path)[0].property is None


@pytest.mark.parametrize(
    ("form", "datatype", "value"),
    [
        ("1867-11-07", "date", Value("time", "1867-11-07", precision=11)),
        ("1867-11", "gYearMonth", Value("time", "1867-11", precision=10)),
        ("-0043", "gYear", Value("time", "-0043", precision=9)),
        ("42", "integer", Value("quantity", "42")),
        ("-4.2", "decimal", Value("quantity", "-4.2")),
        ("many", "integer", Value("text", "many")),
        ("1850-02-30", "date", Value("text", "1850-02-30")),
        ("1850-3-1", "date", Value("text", "1850-3-1")),
        ("1500-02-29", "date", Value("time", "1500-02-29", precision=11)),
        ("about 1867", "", Value("text", "about 1867")),
    ],
)
def test_a_literal_is_a_value_of_its_kind(tmp_path, form, datatype, value):
    path = write_graph(tmp_path / "g.ttl", statement("Q7186", "P569", form, datatype=datatype))
    assert assertions_of(path)[0].object == value


def plain(subject, predicate, object_):
    return Triple(NamedNode(subject), NamedNode(predicate), object_)


PLAIN = [
    plain(f"{WD}Q7186", f"{WDT}P19", NamedNode(f"{WD}Q270")),
    plain(f"{WD}Q7186", f"{WDT}P1477", Literal("Maria", language="pl")),
    plain(f"{WD}Q7186", f"{WDT}P26", BlankNode("somebody")),
    plain(f"{WD}Q7186", "http://schema.org/name", Literal("Marie Curie")),
]


def test_plain_triples_are_checked_where_there_are_no_statements(tmp_path):
    path = write_graph(tmp_path / "g.nt", *PLAIN)
    assert assertions_of(path) == [
        Assertion("Q7186", "P19", Value("item", "Q270")),
        Assertion("Q7186", "P1477", Value("text", "Maria", language="pl")),
        Assertion("Q7186", "P26", Value("somevalue")),
    ]


def test_plain_triples_beside_statements_are_not(tmp_path):
    assert len(assertions_of(write_graph(tmp_path / "g.nt", *PLAIN, MARRIED))) == 1


def test_a_plain_triple_that_was_checked_gets_a_node(tmp_path):
    check([write_graph(tmp_path / "g.nt", PLAIN[0])], StandIn(TOLD), tmp_path / "out.nt")
    rdf = read_rdf((tmp_path / "out.nt").read_bytes(), "ntriples")
    node = next(o for s, p, o in rdf if p == f"<{KGMRCA}checked>")
    said = {p.rpartition("#")[2]: o for s, p, o in rdf if s == node}
    assert said == {
        "type>": "<http://www.w3.org/1999/02/22-rdf-syntax-ns#Statement>",
        "subject>": f"<{WD}Q7186>",
        "predicate>": f"<{WDT}P19>",
        "object>": f"<{WD}Q270>",
    }


def test_what_several_statements_say_is_decided_once(tmp_path):
    path = write_graph(tmp_path / "g.ttl", BORN, statement("Q7186", "P19", "Q270", number=2))
    lookups = StandIn(TOLD)
    assert [one.judgement.verdict for one in checked_statements([path], lookups)] == [
        Verdict.confirmed,
        Verdict.confirmed,
    ]
    assert lookups.asked == [("claims", [("Q7186", "P19")])]


def test_look_ups_of_many_claims_are_put_together():
    lookups = StandIn()
    check_assertions([Assertion(f"Q{number}", "P19", Value("item", "Q270")) for number in range(1, 100)], lookups)
    assert [kind for kind, _ in lookups.asked] == ["claims", "properties", "items", "connections", "qualified"]


def test_only_what_is_not_confirmed_is_looked_up_further():
    lookups = StandIn(TOLD)
    check_assertions(
        [Assertion("Q7186", "P19", Value("item", "Q270")), Assertion("Q7186", "P19", Value("item", "Q90"))], lookups
    )
    assert all("Q270" not in str(keys) for kind, keys in lookups.asked if kind in ("items", "connections"))


def test_chunks_make_no_difference(tmp_path, monkeypatch):
    graph = write_graph(tmp_path / "g.ttl", BORN, MARRIED, statement("Q7186", "P19", "Q90", number=2))
    whole = checked([graph])
    monkeypatch.setattr(module, "_CHUNK", 2)
    assert checked([graph]) == whole


def test_the_verdict_is_written_with_what_it_rests_on(graph, tmp_path):
    check([graph], StandIn(TOLD), tmp_path / "out.ttl")
    rdf = read_rdf((tmp_path / "out.ttl").read_bytes())
    node = Iris().check(MARRIED.iri, "http://127.0.0.1:7878/query")
    said = {p[1:-1]: o for s, p, o in rdf if s == f"<{node}>"}
    run = said.pop(f"{PROV}wasGeneratedBy")
    assert said == {
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": f"<{KGMRCA}Check>",
        f"{KGMRCA}checked": f"<{MARRIED.iri}>",
        f"{KGMRCA}verdict": '"conflict"',
        f"{KGMRCA}basis": f"<{WD}statement/Q7186-1>",
        f"{KGMRCA}checkedAgainst": "<http://127.0.0.1:7878/query>",
        "http://www.w3.org/2000/01/rdf-schema#comment": '"Wikidata has Q209842."',
    }
    assert (run, f"<{PROV}startedAtTime>") in {(s, p) for s, p, _ in rdf}


def test_a_basis_without_an_iri_is_not_written(graph, tmp_path):
    lookups = StandIn()
    lookups.said["Q7186", "P19"] = [Claim("b0", "P19", Value("item", "Q270"))]
    check([graph], lookups, tmp_path / "out.ttl")
    predicates = [p for _, p, _ in read_rdf((tmp_path / "out.ttl").read_bytes())]
    assert f"<{KGMRCA}verdict>" in predicates
    assert f"<{KGMRCA}basis>" not in predicates


def test_every_term_that_is_written_is_defined(graph, tmp_path):
    check([graph], StandIn(TOLD), tmp_path / "out.ttl")
    used = {term[1:-1] for triple in read_rdf((tmp_path / "out.ttl").read_bytes()) for term in triple}
    ours = {term for term in used if term.startswith(KGMRCA)}
    assert ours
    assert ours <= {str(term) for term in Graph().parse(resource("ontologies/kgmrca.ttl")).subjects()}


def test_all_verdicts_are_explained_in_the_vocabulary():
    vocabulary = resource("ontologies/kgmrca.ttl").read_text(encoding="utf-8")
    assert f"One of: {', '.join(verdict.value for verdict in Verdict)}." in vocabulary


def test_the_same_facts_give_the_same_bytes_but_for_the_times_of_the_run(graph, tmp_path):
    written = []
    for name in ("a.nt", "b.nt"):
        check([graph], StandIn(TOLD), tmp_path / name)
        written.append(re.sub(r'.*(started|ended)AtTime> "[^"]*".*\n', "", (tmp_path / name).read_text()))
    assert written[0] == written[1]


@pytest.mark.parametrize("name", ["out.ttl", "out.nt", "out.nq", "out.trig", "out.jsonld", "out.rdf", "out.ttl.gz"])
def test_any_format_is_written(graph, tmp_path, name):
    check([graph], StandIn(TOLD), tmp_path / name)
    assert assertions_of(graph, tmp_path / name) == assertions_of(graph)


def test_csv_says_the_same(graph, tmp_path):
    check([graph], StandIn(TOLD), csv=tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CHECK_COLUMNS
    assert rows[1] == {
        "statement": MARRIED.iri,
        "subject": f"{WD}Q7186",
        "subject_item": "Q7186",
        "predicate": f"{WDT}P26",
        "object": f"{WD}Q37463",
        "object_datatype": "",
        "object_item": "Q37463",
        "confidence": "0.9",
        "verdict": "conflict",
        "basis": f"{WD}statement/Q7186-1",
        "basis_property": "P26",
        "basis_value": "Q209842",
        "reason": "Wikidata has Q209842.",
    }


def test_json_lines_say_the_same(tmp_path):
    path = write_graph(tmp_path / "g.ttl", statement(ENTITY, "P569", "1867", datatype="gYear"))
    check([path], StandIn(), jsonl=tmp_path / "out.jsonl")
    (line,) = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    assert tuple(row) == CHECK_COLUMNS
    assert (row["object"], row["object_datatype"]) == ("1867", "http://www.w3.org/2001/XMLSchema#gYear")
    assert (row["confidence"], row["verdict"], row["subject_item"], row["basis"]) == (0.9, "unlinked", None, None)


def test_the_summary_counts(graph, tmp_path):
    lookups = StandIn(TOLD)
    lookups.endpoint.queries = 7
    summary = check([graph], lookups)
    assert summary.verdicts == {"confirmed": 1, "conflict": 1}
    assert summary.queries == lookups.endpoint.queries - 7 > 0
    assert re.fullmatch(
        r"confirmed +1 +50.0%\nconflict +1 +50.0%\n"
        rf"kgmrca: 2 statements checked against HERE: {summary.queries} queries, \d\.\d s",
        summary.in_words("HERE"),
    )


def test_a_graph_of_nothing_is_checked(tmp_path):
    (tmp_path / "g.ttl").touch()
    assert check([tmp_path / "g.ttl"], StandIn()).in_words("HERE").startswith("kgmrca: 0 statements")


def test_standard_input_is_read_and_standard_output_written(graph, monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(graph.read_bytes())))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=out))
    check(["-"], StandIn(TOLD), "-")
    assert sum(p == f"<{KGMRCA}verdict>" for _, p, _ in read_rdf(out.getvalue())) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "graph.ttl"}, "is a GRAPH"),
        ({"output": "out.ttl", "csv": "out.ttl"}, "are the same file"),
        ({"output": "-", "jsonl": "-"}, "are the same file"),
        ({"output": "nowhere/out.ttl"}, "no folder"),
        ({"csv": "."}, "is a folder"),
        ({"output": "out.xyz"}, "does not say its format"),
        ({"output": "out.ttl", "format": "xyz"}, "no format 'xyz'"),
        ({"output": "out.ttl", "base": "nonsense"}, "base 'nonsense'"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_asked(graph, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    lookups = StandIn()
    with pytest.raises(InputError, match=message):
        check(["graph.ttl"], lookups, **options)
    assert lookups.asked == []
    assert [path.name for path in tmp_path.iterdir()] == ["graph.ttl"]


def test_an_interrupt_leaves_no_half_file(graph, tmp_path, monkeypatch):
    lookups = StandIn()

    def interrupt(keys):
        raise KeyboardInterrupt

    monkeypatch.setattr(lookups, "properties", interrupt)
    with pytest.raises(KeyboardInterrupt):
        check([graph], lookups, tmp_path / "out.ttl", csv=tmp_path / "out.csv", jsonl=tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["graph.ttl"]


def test_a_document_is_no_entity(tmp_path):
    path = write_graph(tmp_path / "g.ttl", statement(ENTITY, "P19", "Q270"), link(DOCUMENT, "Q7186"))
    assert assertions_of(path)[0].subject is None


def test_without_statement_nodes_nothing_is_new_for_certain():
    lookups = StandIn("Curie born Warsaw. spouse single. Curie spouse Sorbonne.")
    lookups.lacks = lambda part: part == "statements"
    stated = [("P19", "Q270"), ("P19", "Q90"), ("P26", "Q37463"), ("P40", "Q7504")]
    found = check_assertions([Assertion("Q7186", name, Value("item", item)) for name, item in stated], lookups)
    assert [one.verdict.value for one in found.values()] == ["confirmed", "not checked", "conflict", "not checked"]
    assert all("no statement nodes" in one.reason for one in list(found.values())[1:])


def test_what_wikidata_has_agrees_with_itself(tmp_path, wikidata_file):
    """Its plain triples with every kind of value, as a graph."""
    own = [quad.triple for quad in parse(path=wikidata_file) if quad.predicate.value.startswith(WDT)]
    kinds = ("P569", "P570", "P571", "P18", "P214", "P625", "P742", "P1082", "P1559", "P2048")
    with local_lookups(wikidata_file) as lookups:
        found = list(checked_statements([write_graph(tmp_path / "g.nt", *own)], lookups))
    verdicts = Counter((one.assertion.property, one.judgement.verdict.value) for one in found)
    assert {name for name, _ in verdicts} >= set(kinds)
    assert {verdict for name, verdict in verdicts if name in kinds} == {"confirmed"}


@pytest.mark.parametrize(
    ("object_", "theirs", "datatype", "verdict"),
    [
        ("<https://ilo.example/>", "<https://ilo.example/>", "Url", "confirmed"),
        ("<https://ilo.example/>", "<https://vanne.example/>", "Url", "new"),
        ("<nodeID://b1>", "<http://www.wikidata.org/.well-known/genid/b2>", "Url", "confirmed"),
        ("<nodeID://b1>", "<https://ilo.example/>", "Url", "unlinked"),
        ("<urn:kgmrca:entity/1>", f"<{WD}Q2>", "WikibaseItem", "unlinked"),
        (f"<{WD}Q2>", "<nodeID://b1>", "WikibaseItem", "unknown value"),
        ('"48.85, 2.29"', f'"Point(2.294479 48.858296)"^^<{WKT}>', "GlobeCoordinate", "unlinked"),
        ('"Point(2.2945 48.8583)"', f'"Point(2.294479 48.858296)"^^<{WKT}>', "GlobeCoordinate", "confirmed"),
        ('"Ilo"@mul', '"Ilo"@en', "Monolingualtext", "confirmed"),
        (f'"1.85E0"^^<{XSD}double>', f'"1.85"^^<{XSD}decimal>', "Quantity", "confirmed"),
        ('"0042"', '"0042"', "ExternalId", "confirmed"),
    ],
)
def test_values_of_every_kind_are_compared(tmp_path, object_, theirs, datatype, verdict):
    # A property that is not in our table of relations.
    (tmp_path / "g.nt").write_text(f"<{WD}Q1> <{WDT}P9999> {object_} .\n")
    (tmp_path / "wikidata.nt").write_text(
        f"<{WD}Q1> <{WDT}P31> <{WD}Q5> .\n<{WD}Q2> <{WDT}P31> <{WD}Q5> .\n"
        f"<{WD}Q1> <{PROP}P9999> <{WD}statement/1> .\n<{WD}statement/1> <{PROP}statement/P9999> {theirs} .\n"
        f"<{WD}P9999> <http://wikiba.se/ontology#propertyType> <http://wikiba.se/ontology#{datatype}> .\n"
    )
    with local_lookups(tmp_path / "wikidata.nt") as lookups:
        (found,) = checked_statements([tmp_path / "g.nt"], lookups)
    assert found.judgement.verdict.value == verdict
