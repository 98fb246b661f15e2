import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from graphs import KGMRCA, WD, WDT, XSD, link, member, statement, write_graph
from helpers import read_rdf
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, Store, Triple, parse
from rdflib import Graph
from server import Answer

from kgmrca import cli
from kgmrca.errors import InputError
from kgmrca.graph.merging.merge import merge
from kgmrca.resources import resource
from kgmrca.triples.formats import FORMATS
from kgmrca.triples.read import read_nodes
from kgmrca.triples.read import read_rdf as read_statements
from kgmrca.triples.records import Statement
from kgmrca.wikidata.assertions import linked_items
from kgmrca.wikidata.enrich import PRESETS, best, enrich, term
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import Claim, Value
from kgmrca.wikidata.sparql import open_endpoint

ENTITY, TOWER = "urn:kgmrca:entity/curie", "urn:kgmrca:entity/tower"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "wikidata.md"
BORN = statement(ENTITY, "P19", "Q270")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
PROV = "http://www.w3.org/ns/prov#"
PREFIXES = {"kgmrca": KGMRCA, "rdf": RDF, "rdfs": LABEL.removesuffix("label"), "wd": WD, "wdt": WDT, "prov": PROV}


@pytest.fixture
def graph(tmp_path):
    """Marie Curie and the Eiffel Tower are linked, Warsaw is an item itself."""
    return write_graph(tmp_path / "graph.ttl", BORN, link(ENTITY, "Q7186"), link(TOWER, "Q243"))


@pytest.fixture
def lookups(wikidata_file, clock):
    with Lookups(open_endpoint(wikidata_file), cache=None, clock=clock) as found:
        yield found


def enriched(graph, lookups, *, name="facts.nt", **options):
    path = graph.parent / name
    return enrich([graph], lookups, path, **options), path


def said(path):
    """The facts in a file: subject, predicate and object as N-Triples has them, shortened."""
    store = Store()
    store.load(path=path)
    query = (
        "SELECT ?s ?p ?o { ?fact a kgmrca:RetrievedFact ; rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o } "
        "ORDER BY ?s ?p ?o"
    )
    rows = store.query(query, prefixes=PREFIXES, use_default_graph_as_union=True)
    return [
        (row["s"].value.removeprefix(WD), row["p"].value.removeprefix(WDT), str(row["o"]).replace(XSD, "xsd:"))
        for row in rows
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("P31", ["<http://www.wikidata.org/entity/Q5>"]),
        ("P569", ['"1867-11-07"^^<xsd:date>']),
        ("P18", ["<http://commons.wikimedia.org/wiki/Special:FilePath/Marie%20Curie%20c1920.jpg>"]),
        ("P1559", ['"Maria Salomea Skłodowska"@pl']),
        ("P214", ['"76353174"']),
        ("P27", [f"<{WD}Q142>", f"<{WD}Q36>"]),
        ("P19", [f"<{WD}Q270>"]),
    ],
)
def test_values_of_all_kinds_are_fetched(graph, lookups, name, values):
    _, path = enriched(graph, lookups, properties=[name])
    assert [value for item, _, value in said(path) if item == "Q7186"] == values


def test_a_number_keeps_its_unit_and_coordinates_their_datatype(graph, lookups):
    _, path = enriched(graph, lookups, properties=["P2048", "P625"])
    assert said(path) == [
        ("Q243", "P2048", '"330"^^<xsd:decimal>'),
        ("Q243", "P625", '"Point(2.294479 48.858296)"^^<http://www.opengis.net/ont/geosparql#wktLiteral>'),
    ]
    units = [quad.object.value for quad in parse(path=path) if quad.predicate.value == f"{KGMRCA}unit"]
    assert units == [f"{WD}Q11573"]


def test_labels_are_fetched_in_the_languages_asked_for(graph, lookups):
    summary, path = enriched(graph, lookups, languages=["pl", "fr"])
    assert said(path) == [
        ("Q243", LABEL, '"tour Eiffel"@fr'),
        ("Q270", LABEL, '"Warszawa"@pl'),
        ("Q7186", LABEL, '"Maria Skłodowska-Curie"@pl'),
        ("Q7186", LABEL, '"Marie Curie"@mul'),  # there is none in French
    ]
    assert (summary.claims, summary.labels) == (0, 4)


@pytest.mark.parametrize(
    ("labels", "language", "expected"),
    [
        ({"mul": "Ilo Brun", "fr": "Îlo Brun"}, "en", ['"Ilo Brun"@mul']),
        ({"en": "Ilo Brun", "mul": "I. Brun"}, "en", ['"Ilo Brun"@en']),
        ({"en-gb": "Ilo Brun"}, "en", ['"Ilo Brun"@en-gb']),
        ({"pt": "Ilo Brun"}, "pt-BR", ['"Ilo Brun"@pt']),
        ({"fr": "Ilo Brun"}, "en", []),
    ],
)
def test_a_label_is_that_of_the_next_language_that_has_one(graph, tmp_path, labels, language, expected):
    lines = [
        f'<{WD}Q7186> <http://www.w3.org/2000/01/rdf-schema#label> "{text}"@{tag} .' for tag, text in labels.items()
    ]
    (tmp_path / "wikidata.nt").write_text("\n".join(lines), encoding="utf-8")
    with Lookups(open_endpoint(tmp_path / "wikidata.nt"), cache=None) as some:
        _, path = enriched(graph, some, languages=[language])
    assert [text for _, _, text in said(path)] == expected


def test_only_what_is_asked_for_is_asked(graph, lookups):
    enriched(graph, lookups, properties=["P31"])
    assert lookups.endpoint.queries == 1
    with pytest.raises(InputError, match="Name what to fetch"):
        enriched(graph, lookups)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"properties": ["Q31"]}, "'Q31' is not an id"),
        ({"properties": ["P31"], "languages": ["e n"]}, "not a language tag"),
        ({"properties": ["P31"], "format": "xml"}, "no format 'xml'"),
        ({"properties": ["P31"], "name": "graph.ttl"}, "is a GRAPH"),
        ({"properties": ["P31"], "name": "no/facts.ttl"}, "no folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_anybody_is_asked(graph, lookups, options, message):
    with pytest.raises(InputError, match=message):
        enriched(graph, lookups, **options)
    assert lookups.endpoint.queries == 0


def test_a_fact_says_whence_and_when_it_is(graph, lookups, clock):
    _, path = enriched(graph, lookups, properties=["P569"])
    about = {quad.predicate.value: quad.object.value for quad in parse(path=path) if "retrieved/" in str(quad.subject)}
    assert about[f"{PROV}wasDerivedFrom"] == "http://www.wikidata.org/entity/statement/Q7186-P569-1"
    run = NamedNode(about[f"{PROV}wasGeneratedBy"])
    source = Quad(run, NamedNode(f"{KGMRCA}checkedAgainst"), NamedNode(lookups.endpoint.name))
    assert source in set(parse(path=path))
    when = datetime.fromtimestamp(clock.time(), timezone.utc)
    assert datetime.fromisoformat(about[f"{PROV}generatedAtTime"].replace("Z", "+00:00")) == when


def test_a_second_time_nothing_is_asked_and_the_bytes_are_the_same_although_time_passes(graph, lookups, clock):
    _, path = enriched(graph, lookups, properties=["P31", "P742"], languages=["en"])
    before, queries = path.read_bytes(), lookups.endpoint.queries
    clock.sleep(3600)
    summary, path = enriched(graph, lookups, properties=["P31", "P742"], languages=["en"])
    assert (path.read_bytes(), lookups.endpoint.queries, summary.queries) == (before, queries, 0)


def test_the_order_of_graphs_does_not_matter(tmp_path, lookups):
    one = write_graph(tmp_path / "one.ttl", link(ENTITY, "Q7186"), statement("Q243", "P17", "Q142"))
    other = write_graph(tmp_path / "other.nq.gz", statement("Q270", "P17", "Q36"), provenance="graphs")
    enrich([one, other], lookups, tmp_path / "a.nt", properties=["P31"])
    enrich([other, one], lookups, tmp_path / "b.nt", properties=["P31"])
    assert (tmp_path / "a.nt").read_bytes() == (tmp_path / "b.nt").read_bytes()


def test_linked_items_are_what_statements_name_and_entities_are_linked_to(tmp_path):
    graph = write_graph(
        tmp_path / "g.trig",
        BORN,
        link(ENTITY, "Q7186"),
        member("urn:kgmrca:cluster/1", TOWER),
        link("urn:kgmrca:cluster/1", "Q243"),
        Triple(NamedNode(f"{WD}Q90"), NamedNode(f"{WDT}P17"), NamedNode(f"{WD}Q142")),
        Triple(NamedNode("urn:x"), NamedNode("http://www.w3.org/2002/07/owl#sameAs"), NamedNode(f"{WD}Q36")),
        Triple(NamedNode("urn:x"), NamedNode(f"{KGMRCA}candidateItem"), NamedNode(f"{WD}Q1")),
        Quad(NamedNode(f"{WD}Q2"), NamedNode(f"{WDT}P31"), NamedNode(f"{WD}Q3"), NamedNode("urn:kgmrca:retrieved/1")),
    )
    assert linked_items(read_nodes(graph)) == {"Q7186", "Q270", "Q243", "Q90", "Q142", "Q36"}


@pytest.mark.parametrize("format", FORMATS)
def test_facts_are_written_in_every_format(graph, lookups, format):
    _, path = enriched(graph, lookups, name="facts", format=format, properties=["P31"])
    triples = read_rdf(path.read_bytes(), format)
    nodes = [triple for triple in triples if triple[2] == f"<{KGMRCA}RetrievedFact>"]
    assert len(nodes) == 3
    has_graphs = format in ("nquads", "trig", "jsonld")
    assert {len(triple) for triple in nodes} == {4 if has_graphs else 3}
    plain = [triple for triple in triples if triple[1] == f"<{WDT}P31>"]
    assert len(plain) == (3 if has_graphs else 0)
    assert {triple[3] for triple in plain} == {triple[3] for triple in nodes if has_graphs}


def test_nothing_that_was_fetched_is_taken_for_a_prediction(graph, lookups, tmp_path):
    for name in ("facts.ttl", "facts.trig"):
        _, path = enriched(graph, lookups, name=name, properties=["P31", "P569"], languages=["en"])
        assert not [found for found in read_statements(path) if isinstance(found, Statement)]
        merged = tmp_path / f"merged-{path.suffix[1:]}.trig"
        merge([graph, path], merged)
        assert [found.iri for found in read_statements(merged) if isinstance(found, Statement)] == [BORN.iri]
        assert set(said(path)) == set(said(merged))
        default = [quad for quad in parse(path=merged) if quad.graph_name == DefaultGraph()]
        assert not [quad for quad in default if quad.subject.value.startswith(WD)]


@pytest.mark.parametrize("name", ["facts.ttl", "facts.trig"])
def test_the_queries_of_the_documentation(graph, lookups, name):
    _, path = enriched(graph, lookups, name=name, properties=["P569"])
    store = Store()
    store.load(path=graph)
    store.load(path=path)
    page = PAGE.read_text(encoding="utf-8")
    queries = [part.split("```")[0] for part in page.split("```sparql\n")[1:]]
    queries = [query for query in queries if "RetrievedFact" in query]
    assert len(queries) == 1
    rows = list(store.query(queries[0], prefixes=PREFIXES, use_default_graph_as_union=True))
    assert [(row["entity"].value, row["value"].value) for row in rows] == [(ENTITY, "1867-11-07")]


def test_every_term_is_in_the_vocabulary(graph, lookups):
    _, path = enriched(graph, lookups, properties=["P2048"], languages=["en"])
    used = {part for quad in parse(path=path) for part in (str(quad.predicate), str(quad.object))}
    ours = {part[1:-1] for part in used if part.startswith(f"<{KGMRCA}")}
    assert ours >= {f"{KGMRCA}RetrievedFact", f"{KGMRCA}unit"}
    assert ours <= {str(one) for one in Graph().parse(resource("ontologies/kgmrca.ttl")).subjects()}


def test_unknown_values_are_counted_and_redirects_followed(tmp_path, lookups):
    graph = write_graph(tmp_path / "g.ttl", link(ENTITY, "Q999999001"))
    summary, path = enriched(graph, lookups, properties=["P742", "P569"], languages=["en"])
    assert said(path) == [
        ("Q999999001", LABEL, '"Marie Curie"@en'),
        ("Q999999001", "P569", '"1867-11-07"^^<xsd:date>'),
    ]
    assert summary.unknown == 1
    assert "1 value left out: unknown to Wikidata" in summary.in_words("-")


def test_what_could_not_be_looked_up_is_listed_and_the_rest_is_there(graph, lookups, tmp_path, wikidata_file, clock):
    enriched(graph, lookups, properties=["P31"])
    cache = tmp_path / "cache.sqlite"
    endpoint = open_endpoint(wikidata_file)
    with Lookups(endpoint, cache=cache, clock=clock) as some:
        enriched(graph, some, properties=["P31"])
    with Lookups(endpoint, cache=cache, offline=True, clock=clock) as some:
        summary, path = enriched(graph, some, properties=["P31", "P569"], languages=["en"])
    assert [found[:2] for found in said(path)] == [("Q243", "P31"), ("Q270", "P31"), ("Q7186", "P31")]
    missing = [f"{item} {what}" for item in ("Q243", "Q270", "Q7186") for what in ("labels", "P569")]
    assert summary.failed == {"not in the cache, and offline": missing}
    assert f"not looked up, not in the cache, and offline: {', '.join(missing)}" in summary.in_words("-")


def test_a_long_list_of_failures_is_cut_and_says_so(tmp_path, wikidata_file):
    graph = write_graph(tmp_path / "g.ttl", *(link(f"urn:e:{number}", f"Q{number}") for number in range(1, 31)))
    with Lookups(open_endpoint(wikidata_file), cache=None, offline=True) as lookups:
        summary, _ = enriched(graph, lookups, properties=["P31"])
    assert summary.in_words("-").endswith("Q20 P31 and 10 more")


def test_a_graph_without_links_says_so(tmp_path, lookups):
    summary, _ = enriched(write_graph(tmp_path / "g.ttl", BORN), lookups, properties=["P569"])
    assert summary.items == 1  # Warsaw
    graph = write_graph(tmp_path / "none.ttl", statement(ENTITY, "P19", "Warsaw", datatype=""))
    summary, _ = enriched(graph, lookups, properties=["P31"])
    assert "no entity is linked to an item: see kgmrca link" in summary.in_words("-")


def ranked(*ranks):
    return [Claim(str(number), "P1", Value("item", "Q1"), rank) for number, rank in enumerate(ranks)]


@pytest.mark.parametrize(
    ("ranks", "chosen"),
    [
        (["normal", "normal"], ["0", "1"]),
        (["normal", "preferred", "deprecated"], ["1"]),
        (["deprecated"], []),
        ([], []),
    ],
)
def test_values_of_the_best_rank_are_chosen(ranks, chosen):
    assert [one.iri for one in best(ranked(*ranks))] == chosen


@pytest.mark.parametrize(
    ("text", "precision", "form", "datatype"),
    [
        ("1867-11-07T00:00:00Z", 11, "1867-11-07", "date"),
        ("+1867-11-07T00:00:00Z", 10, "1867-11", "gYearMonth"),
        ("1867-01-01T00:00:00Z", 9, "1867", "gYear"),
        ("+0043-00-00T00:00:00Z", 11, "0043", "gYear"),
        ("-0043-01-01T00:00:00Z", 9, "-0043", "gYear"),
        ("1880-01-01T00:00:00Z", 8, "1880s", "string"),
        ("1885-01-01T00:00:00Z", 8, "1880s", "string"),
        ("1801-01-01T00:00:00Z", 7, "19th century", "string"),
        ("1900-01-01T00:00:00Z", 7, "19th century", "string"),
        ("2001-01-01T00:00:00Z", 7, "21st century", "string"),
        ("1101-01-01T00:00:00Z", 7, "12th century", "string"),
        ("-0799-01-01T00:00:00Z", 7, "8th century BCE", "string"),
        ("1001-01-01T00:00:00Z", 6, "2nd millennium", "string"),
        ("-9999-01-01T00:00:00Z", 5, "about 10000 BCE", "string"),
        ("1867-11-07T00:00:00Z", None, "1867-11-07T00:00:00Z", "dateTime"),
        ("1867-11-07T12:30:00Z", 14, "1867-11-07T12:30:00Z", "dateTime"),
        ("1867-11-07", None, "1867-11-07", "date"),
        ("1867", None, "1867", "gYear"),
        ("soon", None, "soon", "string"),
    ],
)
def test_a_time_has_the_datatype_of_its_precision(text, precision, form, datatype):
    assert term(Value("time", text, precision=precision)) == Literal(form, datatype=NamedNode(XSD + datatype))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Value("quantity", "+330"), Literal("330", datatype=NamedNode(f"{XSD}decimal"))),
        (Value("quantity", "-1.50"), Literal("-1.5", datatype=NamedNode(f"{XSD}decimal"))),
        (Value("quantity", "+100"), Literal("100", datatype=NamedNode(f"{XSD}decimal"))),
        (Value("quantity", "many"), Literal("many")),
        (Value("text", "a\x00b", language="en"), Literal("a\ufffdb", language="en")),
        (Value("other", "<http://www.wikidata.org/entity/Q405> Point(1 2)"), "wktLiteral"),
        (Value("other", "<math>x</math>"), "MathML"),
        (Value("other", "https://example.org/a"), NamedNode("https://example.org/a")),
        (Value("other", "not an IRI"), Literal("not an IRI")),
        (Value("somevalue"), None),
        (Value("novalue"), None),
    ],
)
def test_values_as_terms(value, expected):
    found = term(value)
    assert found.datatype.value.endswith(expected) if isinstance(expected, str) else found == expected


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run `kgmrca enrich` in this process with a cache of its own; gives the exit code."""
    before = signal.getsignal(signal.SIGTERM)

    def run_main(*arguments):
        command = ["kgmrca", "enrich", *map(str, arguments), "--cache", str(tmp_path / "facts.sqlite")]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as exited:
            cli.main()
        return exited.value.code or 0

    yield run_main
    signal.signal(signal.SIGTERM, before)


def test_the_command_asks_a_server_for_a_preset_properties_and_labels(run, graph, tmp_path, wikidata_url, capsys):
    output = tmp_path / "facts.ttl"
    asked = ["--preset", "basics", "--properties", " P27, P31", "--languages", "en"]
    assert run(graph, *asked, "--endpoint", wikidata_url, "-o", output) == 0
    properties = {name for _, name, _ in said(output)}
    assert properties == {"P31", "P17", "P18", "P569", "P570", "P571", "P625", "P27", LABEL}
    assert set(PRESETS["basics"]) - properties == {"P856"}
    assert "12 claims and 3 labels of 3 items" in capsys.readouterr().err


def test_the_command_fails_with_1_where_the_endpoint_does(run, graph, tmp_path, server, capsys):
    server.otherwise = lambda query: Answer(status=404)
    assert run(graph, "--properties", "P31", "--endpoint", server.url, "-o", tmp_path / "facts.ttl") == 1
    assert "not looked up" in capsys.readouterr().err


def test_the_command_needs_something_to_ask_for(run, graph, wikidata_file, capsys):
    assert run(graph, "--endpoint", wikidata_file, "-o", "-") == 2
    assert "Name what to fetch" in capsys.readouterr().err


def test_the_command_writes_nothing_but_data_to_standard_output(run, graph, wikidata_file, capfdbinary):
    assert run(graph, "--languages", "en", "--endpoint", wikidata_file, "-o", "-") == 0
    captured = capfdbinary.readouterr()
    assert b"RetrievedFact" in captured.out
    read_rdf(captured.out)
