import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
from helpers import TEXT
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.graph.merging.merge import merge
from kgmrca.graph.statistics import Statistics, report_table
from kgmrca.triples.docs import document_iri
from kgmrca.triples.formats import write
from kgmrca.triples.records import Run
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

BASE = "urn:kgmrca:"
WDT = "http://www.wikidata.org/prop/direct/"

MERGED = """
@prefix ex: <http://example.org/> .
@prefix kgmrca: <https://w3id.org/kgmrca#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
ex:a1 rdfs:label "A" ; ex:in ex:b .
ex:a2 rdfs:label "A" ; ex:in ex:b ; ex:knows ex:c .
ex:d ex:in ex:e , "text"@en , "text" .
ex:cluster a kgmrca:Cluster ; rdfs:label "A" ; kgmrca:member ex:a1 , ex:a2 .
ex:fact a kgmrca:Fact ; rdf:subject ex:a1 ; rdf:predicate ex:in ; rdf:object ex:b ; kgmrca:confidence 0.97 ;
    kgmrca:evidence ex:s1 , ex:s2 .
ex:x1 a kgmrca:Conflict ; rdfs:comment "two birthplaces" ; kgmrca:conflictKind "single value" ;
    kgmrca:conflicting ex:fact .
ex:x2 a kgmrca:Conflict ; kgmrca:conflictKind "single value" .
"""


def written(path, nlp, *, texts=(TEXT,), format="turtle", run=None, **options):
    def triples():
        for number, text in enumerate(texts):
            name, doc = f"d{number}", nlp(text)
            iri, found = document_iri(doc, name, BASE), statements(doc, document_id=name, run=run)
            yield from document_triples(iri, name, found, base=BASE, meta={"pages": 3, "title": "x"}, **options)

    with path.open("wb") as out:
        write(triples(), out, format=format, base=BASE)
    return path


@pytest.fixture
def graph(tmp_path, nlp):
    return written(tmp_path / "graph.ttl", nlp)


def run(*arguments, **options):
    return CliRunner().invoke(app, ["graph", *map(str, arguments)], **options)


def figures(*arguments, **options):
    done = run(*arguments, "--json", **options)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_figures(graph):
    report = figures(graph, "--top", 1)
    certain = {
        "subject": report["most_certain"][0]["subject"],
        "predicate": {"iri": f"{WDT}P19", "name": "place of birth"},
        "object": report["most_certain"][0]["object"],
        "confidence": 0.9,
        "statements": 1,
    }
    assert certain["subject"]["name"] == "Marie Curie"
    assert certain["object"]["name"] == "Warsaw"
    assert report == {
        "entities": 5,
        "mentions": 7,
        "facts": 5,
        "statements": 5,
        "predicates": 5,
        "documents": 1,
        "degree": {"mean": 9 / 5, "max": 2},
        "components": {"count": 2, "largest": 3},
        "conflicts": {},
        "top_predicates": [{"iri": f"{WDT}P17", "name": "country", "facts": 1}],
        "top_entities": [{**report["top_entities"][0], "degree": 2}],
        "most_certain": [certain],
        "most_attested": [certain],
        "top_conflicts": [],
    }


@pytest.mark.parametrize(
    ("name", "format", "provenance"),
    [
        ("g.nq", "nquads", "graphs"),
        ("g.ttl", "turtle", "rdf12"),
        ("g.rdf", "rdfxml", "wikidata"),
        ("g.jsonld", "jsonld", "statements"),
    ],
)
def test_every_shape_has_the_same_figures(graph, nlp, name, format, provenance):
    path = written(graph.with_name(name), nlp, format=format, provenance=provenance)
    assert figures(path) == figures(graph)


NAMED = """
@prefix ex: <http://example.org/> .
@prefix kgmrca: <https://w3id.org/kgmrca#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:a rdfs:label "Ann Lee" ; skos:altLabel "Lee" ; kgmrca:mention <urn:d#char=0,7> , <urn:d#char=9,12> ; ex:in ex:b .
ex:b rdfs:label "Oslo" .
"""


def test_other_names_and_mentions_are_no_facts(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_text(NAMED)
    report = figures(path)
    assert (report["entities"], report["facts"], report["mentions"]) == (2, 1, 2)
    assert report["top_entities"][0]["name"] == "Ann Lee"


def test_a_mention_counts_once_however_often_it_is_named(graph, nlp):
    twice = written(graph.with_name("twice.ttl"), nlp, texts=("Warsaw is in Poland. Warsaw is old.",))
    assert figures(twice, twice)["mentions"] == figures(twice)["mentions"] == 3


def test_two_entities_that_a_document_tells_apart_have_rows_of_their_own(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_text(
        NAMED + 'ex:c rdfs:label "Ann Lee" ; ex:in ex:b ; kgmrca:namesake ex:a .\nex:a kgmrca:namesake ex:c .\n'
        'ex:d rdfs:label "Ann Lee" ; ex:in ex:b .\n'
    )
    rows = [row for row in figures(path)["top_entities"] if row["name"] == "Ann Lee"]
    assert [row.get("entities", 1) for row in rows] == [1, 1, 1]


def test_plain_triples_alone_have_facts_and_no_statements(graph, nlp):
    plain = figures(written(graph.with_name("none.ttl"), nlp, provenance="none"))
    full = figures(graph)
    same = ("entities", "facts", "predicates", "degree", "components")
    assert {name: plain[name] for name in same} == {name: full[name] for name in same}
    assert (plain["statements"], plain["documents"], plain["most_certain"]) == (0, 0, [])


def test_statements_without_plain_triples_are_facts(graph, nlp):
    path = written(graph.with_name("bare.ttl"), nlp, assert_above=2.0)
    assert figures(path) == figures(graph)


def test_the_order_of_lines_makes_no_difference(graph, nlp):
    path = written(graph.with_name("g.nt"), nlp, format="ntriples")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(sorted(set(lines))))
    assert figures(path) == figures(graph)


def test_a_statement_of_two_runs_is_one(graph, nlp):
    def twice():
        for parameters in ({}, {"threshold": 0.5}):
            doc = nlp(TEXT)
            yield from document_triples(
                document_iri(doc, "d0", BASE),
                "d0",
                statements(doc, document_id="d0", run=Run.of(nlp, parameters=parameters)),
                base=BASE,
                meta={"pages": 3},
            )

    out = io.BytesIO()
    write(twice(), out, format="ntriples", base=BASE)
    path = graph.with_name("g.nt")
    path.write_bytes(b"".join(sorted(set(out.getvalue().splitlines(keepends=True)))))
    assert figures(path) == figures(graph)


def test_a_fact_stated_twice_is_attested_most(tmp_path, nlp):
    path = written(
        tmp_path / "g.ttl", nlp, texts=["Warsaw is in Poland. Marie Curie was born in 1867. Warsaw is in Poland."]
    )
    report = figures(path)
    (first, second) = report["most_attested"]
    assert (first["predicate"]["name"], first["statements"], second["statements"]) == ("country", 2, 1)
    assert (report["facts"], report["statements"]) == (2, 3)
    assert report["most_certain"][0]["object"] == {"literal": "1867"}


def test_several_files_are_one_graph(graph, nlp):
    other = graph.with_name("other.nt.gz")
    plain = written(graph.with_name("other.nt"), nlp, texts=["", "Warsaw is in Poland."], format="ntriples")
    other.write_bytes(gzip.compress(plain.read_bytes()))
    report = figures(graph, other)
    assert (report["entities"], report["statements"], report["documents"]) == (7, 6, 3)


def test_clusters_count_as_one_entity(tmp_path):
    (tmp_path / "merged.ttl").write_text(MERGED, encoding="utf-8")
    report = figures(tmp_path / "merged.ttl")
    assert (report["entities"], report["facts"], report["documents"]) == (5, 5, 0)
    assert report["components"] == {"count": 2, "largest": 3}
    assert report["top_entities"][0] == {"iri": "http://example.org/d", "name": "", "degree": 3}
    assert report["top_entities"][1]["name"] == "A"


def test_the_facts_of_a_merge_are_those_of_its_clusters(tmp_path, nlp):
    texts = ["Marie Curie was born in Warsaw.", "Here, Marie Curie was born in Warsaw."]
    path = written(tmp_path / "g.ttl", nlp, texts=texts)
    link = f"\n<{next(statements(nlp(texts[0]), document_id='d0')).object}> <https://w3id.org/kgmrca#item> "
    path.write_bytes(path.read_bytes() + f"{link}<http://www.wikidata.org/entity/Q270> .\n".encode())
    merge(path, tmp_path / "merged.ttl")
    report = figures(tmp_path / "merged.ttl")
    assert (report["entities"], report["facts"], report["statements"]) == (2, 1, 2)
    # Two documents with 0.9 each, of which the second counts half.
    assert [fact["confidence"] for fact in report["most_certain"]] == [pytest.approx(1 - 0.1 * 0.1**0.5, abs=1e-4)]


def test_conflicts_are_listed(tmp_path):
    (tmp_path / "merged.ttl").write_text(MERGED, encoding="utf-8")
    report = figures(tmp_path / "merged.ttl")
    assert report["conflicts"] == {"single value": 2}
    assert report["top_conflicts"][0] == {
        "iri": "http://example.org/x1",
        "kind": "single value",
        "comment": "two birthplaces",
    }


def test_combined_confidence_counts(tmp_path, nlp):
    path = written(tmp_path / "g.ttl", nlp, texts=["Warsaw is in Poland."])
    (statement,) = statements(nlp("Warsaw is in Poland."), document_id="d0")
    fact = (
        f"<urn:kgmrca:fact/1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#subject> <{statement.subject}> ;"
        f"<http://www.w3.org/1999/02/22-rdf-syntax-ns#predicate> <{statement.predicate}> ;"
        f"<http://www.w3.org/1999/02/22-rdf-syntax-ns#object> <{statement.object}> ;"
        f"<https://w3id.org/kgmrca#evidence> <{statement.iri}> ; <https://w3id.org/kgmrca#confidence> 0.99 ."
    )
    path.write_text(path.read_text(encoding="utf-8") + fact, encoding="utf-8")
    (certain,) = figures(path)["most_certain"]
    assert (certain["confidence"], certain["statements"]) == (0.99, 1)


def test_a_document_is_known_as_one_wherever_the_file_says_so(tmp_path):
    path = tmp_path / "g.ttl"
    path.write_text(
        "@prefix ex: <http://example.org/> . ex:doc ex:pages 3 . ex:a ex:in ex:b . "
        "ex:doc a <http://www.w3.org/ns/prov#Entity> .",
        encoding="utf-8",
    )
    report = figures(path)
    assert (report["documents"], report["facts"], report["entities"]) == (1, 1, 2)


def test_no_name_commands_the_terminal(tmp_path):
    label = r"Ma\u001b[31mrie\u009b2J\u202e"
    text = f'<urn:a> <http://www.w3.org/2000/01/rdf-schema#label> "{label}" ; <urn:p> <urn:b> .'
    (tmp_path / "graph.ttl").write_text(text, encoding="utf-8")
    printed = run(tmp_path / "graph.ttl").stdout
    assert "Ma[31mrie2J\n" in printed


def test_an_empty_graph_has_figures(tmp_path):
    (tmp_path / "empty.ttl").touch()
    report = figures(tmp_path / "empty.ttl")
    assert (report["entities"], report["degree"]["mean"], report["components"]["count"]) == (0, 0, 0)
    assert report_table(report).startswith("entities")


def test_the_table(graph):
    done = run(graph)
    assert (done.exit_code, done.stderr) == (0, "")
    assert re.search(r"^entities +5$", done.stdout, re.MULTILINE)
    assert re.search(r"^components +2  the largest has 3 entities$", done.stdout, re.MULTILINE)
    assert re.search(r"^ +0\.9000  Marie Curie \| place of birth \| Warsaw$", done.stdout, re.MULTILINE)


def test_the_table_names_conflicts(tmp_path):
    (tmp_path / "merged.ttl").write_text(MERGED, encoding="utf-8")
    out = run(tmp_path / "merged.ttl").stdout
    assert re.search(r"^conflicts +2  single value 2$", out, re.MULTILINE)
    assert re.search(r"^single value  two birthplaces$", out, re.MULTILINE)


def test_standard_input_is_read(graph):
    assert figures("-", input=graph.read_bytes()) == figures(graph)


def test_the_format_can_be_given(graph):
    path = graph.rename(graph.with_name("graph.txt"))
    assert figures(path, "--input-format", "turtle")["statements"] == 5


def test_the_graph_is_written_in_other_forms(graph):
    folder = graph.parent
    assert run(graph, "--graphml", folder / "g.graphml", "--neo4j", folder / "neo4j").exit_code == 0
    read = networkx.read_graphml(folder / "g.graphml", force_multigraph=True)
    assert (read.number_of_nodes(), read.number_of_edges()) == (6, 5)
    lines = (folder / "neo4j" / "relationships.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 6


@pytest.mark.parametrize("option", ["--graphml", "--neo4j"])
def test_nothing_is_written_of_plain_triples(tmp_path, nlp, option):
    path = written(tmp_path / "none.ttl", nlp, provenance="none")
    done = run(path, option, tmp_path / "out")
    assert done.exit_code == 2
    assert "There are no statements" in done.stderr
    assert not (tmp_path / "out").is_file()
    assert not (tmp_path / "out" / "nodes.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.ttl"], "missing.ttl"),
        (["graph.xyz"], "does not say its format"),
        (["graph.ttl", "--neo4j", "no/where"], "no folder 'no'"),
        (["graph.ttl", "--graphml", "no/where.graphml"], "no folder 'no'"),
    ],
)
def test_what_cannot_be_read_or_written_is_refused(graph, monkeypatch, arguments, message):
    monkeypatch.chdir(graph.parent)
    Path("graph.xyz").touch()
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_statements_are_not_kept(nlp):
    """What a statement takes up does not grow with how often its fact is stated."""
    (one,) = statements(nlp("Warsaw is in Poland."), document_id="d")
    statistics = Statistics()
    statistics.add(one)
    before = sum(sys.getsizeof(value) for value in vars(statistics).values())
    for number in range(1000):
        object.__setattr__(one, "iri", f"urn:kgmrca:statement/{number:032}")
        statistics.add(one)
    assert sum(sys.getsizeof(value) for value in vars(statistics).values()) < before + 4096
    assert statistics.report()["mentions"] == 2
    assert statistics.report()["most_attested"][0]["statements"] == 1001


@pytest.mark.parametrize("option", ["--graphml", "--neo4j"])
@pytest.mark.parametrize("name", ["graph.ttl", "../{folder}/graph.ttl", "symbolic", "hard"])
def test_no_output_is_written_over_an_input_under_any_name(graph, monkeypatch, option, name):
    monkeypatch.chdir(graph.parent)
    Path("symbolic").symlink_to(graph)
    Path("hard").hardlink_to(graph)
    before = graph.read_bytes()
    done = run("graph.ttl", option, name.format(folder=graph.parent.name))
    assert done.exit_code == 2
    assert graph.read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["graph.ttl", "hard", "symbolic"]


def test_no_table_is_written_over_an_input(graph):
    folder = graph.parent / "tables"
    folder.mkdir()
    table = graph.rename(folder / "nodes.csv")
    before = table.read_bytes()
    done = run(table, "--input-format", "turtle", "--neo4j", folder)
    assert (done.exit_code, table.read_bytes()) == (2, before)
    assert "nodes.csv' is a GRAPH and would be overwritten" in done.stderr


def test_two_outputs_are_two_files(graph):
    folder = graph.parent / "tables"
    folder.mkdir()
    done = run(graph, "--graphml", folder / "nodes.csv", "--neo4j", folder)
    assert done.exit_code == 2
    assert "are the same file" in done.stderr
    assert list(folder.iterdir()) == []


def test_an_output_does_not_lie_where_graphs_are_read(graph):
    done = run(graph.parent, "--graphml", graph.parent / "g.ttl")
    assert done.exit_code == 2
    assert "g.ttl' lies in the folder" in done.stderr
    assert run(graph.parent, "--graphml", graph.parent / "g.graphml").exit_code == 0


def test_a_folder_and_a_pattern_give_their_graphs(graph, nlp):
    folder = graph.parent / "more"
    folder.mkdir()
    written(folder / "a.nt", nlp, texts=["", "Warsaw is in Poland."], format="ntriples")
    (folder / "notes.txt").write_text("no RDF")
    both = figures(graph, folder / "a.nt")
    assert both["statements"] == 6
    assert figures(graph.parent) == both
    assert figures(graph, folder / "*.nt") == both


def test_tables_that_were_there_stay_if_they_cannot_be_written_anew(graph, nlp):
    folder = graph.parent / "tables"
    assert run(graph, "--neo4j", folder).exit_code == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    graph.write_bytes(graph.read_bytes()[:-20])
    assert run(graph, "--neo4j", folder).exit_code == 2
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert sorted(graph.parent.iterdir()) == [graph, folder]


def test_a_literal_that_is_too_long_is_an_error_with_the_name_of_the_file(tmp_path):
    path = tmp_path / "long.nt"
    path.write_text(f'<urn:a> <urn:b> "{"x" * 2**24}" .\n')
    done = run(path)
    assert done.exit_code == 2
    assert "long.nt: a literal or an IRI is longer than 16 MiB" in done.stderr


def rows(table):
    """The rankings of facts in a table, as lists of lines by their titles."""
    blocks = [block.splitlines() for block in table.split("\n\n")]
    return {title: lines for title, *lines in blocks if title in ("Most certain", "Most statements")}


def test_a_fact_of_ten_documents_stands_in_one_row_before_they_are_merged(tmp_path, nlp):
    texts = [f"{'Indeed. ' * number}Warsaw is in Poland." for number in range(10)]
    path = written(tmp_path / "g.ttl", nlp, texts=[*texts, "Marie Curie was born in 1867."])
    report = figures(path)
    for ranking in ("most_certain", "most_attested"):
        assert [row["predicate"]["name"] for row in report[ranking]] in (
            ["country", "date of birth"],
            ["date of birth", "country"],
        )
    country = report["most_attested"][0]
    assert (country["statements"], country["facts"], country["confidence"]) == (10, 10, 0.55)
    assert "facts" not in report["most_attested"][1]
    assert (report["facts"], report["statements"]) == (11, 11)
    assert rows(run(path).stdout) == {
        "Most certain": [
            "      0.8000  Marie Curie | date of birth | 1867",
            "      0.5500  Warsaw | country | Poland  (10 facts)",
        ],
        "Most statements": [
            "          10  Warsaw | country | Poland  (10 facts)",
            "           1  Marie Curie | date of birth | 1867",
        ],
    }


def test_entities_of_one_name_stand_in_one_row_before_they_are_merged(tmp_path, nlp):
    texts = ["Warsaw is in Poland.", "WARSAW is in Poland.", "Marie Curie was born in Warsaw."]
    report = figures(written(tmp_path / "g.ttl", nlp, texts=texts), "--top", 2)
    assert [(row["name"], row["degree"], row.get("entities")) for row in report["top_entities"]] == [
        ("Warsaw", 3, 3),
        ("Poland", 2, 2),
    ]
    assert report["entities"] == 6


def test_entities_of_one_name_with_different_items_stand_in_rows_of_their_own(tmp_path, nlp):
    path = written(tmp_path / "g.ttl", nlp, texts=["Warsaw is in Poland."] * 3)
    links = "".join(
        f"<{next(statements(nlp('Warsaw is in Poland.'), document_id=f'd{number}')).subject}> "
        f"<https://w3id.org/kgmrca#item> <http://www.wikidata.org/entity/Q{item}> .\n"
        for number, item in ((0, 270), (1, 579978), (2, 270))
    )
    path.write_text(path.read_text(encoding="utf-8") + links, encoding="utf-8")
    report = figures(path)
    assert [row.get("facts") for row in report["most_attested"]] == [2, None]


def test_an_entity_that_is_linked_to_two_items_counts_as_linked_to_none(tmp_path, nlp):
    path = written(tmp_path / "g.ttl", nlp, texts=["Warsaw is in Poland."] * 3)
    links = "".join(
        f"<{next(statements(nlp('Warsaw is in Poland.'), document_id=f'd{number}')).subject}> "
        f"<https://w3id.org/kgmrca#item> <http://www.wikidata.org/entity/Q{item}> .\n"
        for number, item in ((0, 270), (1, 270), (1, 579978))
    )
    path.write_text(path.read_text(encoding="utf-8") + links, encoding="utf-8")
    report = figures(path)
    assert [row.get("facts") for row in report["most_attested"]] == [2, None]


def test_a_reader_that_goes_away_is_exit_code_141(graph):
    code = "from kgmrca.cli import main; main()"
    running = subprocess.Popen(
        [sys.executable, "-c", code, "graph", str(graph), "--top", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    running.stdout.close()
    error = running.stderr.read()
    running.stderr.close()
    assert (running.wait(), error) == (141, b"")


@pytest.mark.parametrize(("option", "name"), [("--graphml", "g.graphml"), ("--neo4j", "tables")])
@pytest.mark.parametrize("size", [0, 300])
def test_a_full_disk_is_said_by_the_name_of_the_output_and_leaves_nothing(graph, option, name, size):
    resource = pytest.importorskip("resource")
    out = graph.with_name(name)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        done = run(graph, option, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.exit_code == 2
    assert f"'{out}' cannot be written: " in done.stderr
    assert list(graph.parent.iterdir()) == [graph]
