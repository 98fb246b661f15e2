"""Graphs as `kgmrca convert` writes them, linked to the items of `wikidata.ttl` and of a Wikidata made up."""

import gzip
import io
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pyoxigraph
import pytest
import rdflib
from known import Known
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.errors import InputError
from kgmrca.resources import resource
from kgmrca.triples.formats import PROVENANCE, write
from kgmrca.triples.iris import mention_iri, quoted
from kgmrca.triples.records import Mention, Statement
from kgmrca.triples.write import document_triples
from kgmrca.wikidata.link import link_graphs
from kgmrca.wikidata.records import Profile

BASE = "http://example.org/"
KGMRCA = "https://w3id.org/kgmrca#"
WD = "http://www.wikidata.org/entity/"
WDT = "http://www.wikidata.org/prop/direct/"
DOCUMENT = f"{BASE}document/a"


def entity(name, document="a"):
    return f"{BASE}entity/{document}-{name.replace(' ', '-')}"


def statement(
    subject, predicate, object_, *, document="a", types=("PERSON", "GPE"), sentence=0, confidence="0.9", starts=None
):
    """One statement; subject and object are names, or IRIs of items."""
    iri = f"{BASE}document/{document}"
    start = 100 * sentence
    ends = [one if one.startswith("http") else entity(one, document) for one in (subject, object_)]
    mentions = [
        Mention(mention_iri(iri, place, place + 5), place, place + 5, name, type_)
        for place, name, type_ in zip(starts or (start, start + 50), (subject, object_), types, strict=True)
    ]
    return Statement(
        iri=BASE + "statement/" + quoted(document + subject + predicate + object_),
        subject=ends[0],
        predicate=WDT + predicate,
        object=ends[1],
        object_is_literal=False,
        object_datatype=None,
        label=predicate,
        confidence=Decimal(confidence),
        document=iri,
        subject_mention=mentions[0],
        object_mention=mentions[1],
        sentence=Mention(mention_iri(iri, start, start + 99), start, start + 99, ""),
        sentence_digest=None,
        run=None,
    )


def write_graph(path, *statements, format="turtle", provenance="statements", text=False, more=""):
    by_document = {}
    for one in statements:
        by_document.setdefault(one.document.rpartition("/")[2], []).append(one)
    triples = [
        triple
        for document, some in by_document.items()
        for triple in document_triples(some[0].document, document, some, base=BASE, provenance=provenance, text=text)
    ]
    with path.open("wb") as out:
        write(triples, out, format=format, base=BASE)
        out.write(more.encode())
    return path


BORN = (
    statement("Marie Curie", "P19", "Warsaw"),
    statement("Marie Curie", "P26", "Pierre Curie", types=("PERSON", "PERSON")),
)


def linked(known, *graphs, **options):
    out = io.BytesIO()
    options = {"format": "nquads", "base": BASE, **options}
    summary = link_graphs(graphs, known, out, **options)
    return summary, list(pyoxigraph.parse(out.getvalue(), pyoxigraph.RdfFormat.N_QUADS))


def objects(quads, subject, name):
    predicate = name if name.startswith("http") else KGMRCA + name
    return {quad.object.value for quad in quads if (quad.subject.value, quad.predicate.value) == (subject, predicate)}


def item(quads, name, document="a"):
    found = {one.removeprefix(WD) for one in objects(quads, entity(name, document), "item")}
    assert len(found) <= 1
    return found.pop() if found else None


def link_of(quads, name, document="a"):
    (node,) = (
        quad.subject.value
        for quad in quads
        if quad.predicate.value == f"{KGMRCA}linkOf" and quad.object.value == entity(name, document)
    )
    return node


@pytest.fixture
def graph(tmp_path):
    return write_graph(tmp_path / "graph.ttl", *BORN)


### What is decided


def test_entities_get_items(graph):
    known = Known({"Marie Curie": ["Q1"], "Warsaw": ["Q2"]})
    summary, quads = linked(known, graph)
    assert (item(quads, "Marie Curie"), item(quads, "Warsaw"), item(quads, "Pierre Curie")) == ("Q1", "Q2", None)
    assert summary.outcomes == {"linked": 2, "no candidates": 1}


def test_statements_tell_which_item_is_meant(graph):
    known = Known({"Marie Curie": ["Q1"], "Warsaw": ["Q2", "Q3"]}, facts={("Q1", "P19", "Q3")})
    assert item(linked(known, graph)[1], "Warsaw") == "Q3"


def test_the_other_names_of_an_entity_tell_too(tmp_path):
    also = f'<{entity("Marie Curie")}> <http://www.w3.org/2004/02/skos/core#altLabel> "Madame Curie" .\n'
    known = Known({"Marie Curie": ["Q1", "Q2"], "Madame Curie": ["Q2", "Q3"]})
    assert item(linked(known, write_graph(tmp_path / "one.ttl", *BORN))[1], "Marie Curie") is None
    assert item(linked(known, write_graph(tmp_path / "two.ttl", *BORN, more=also))[1], "Marie Curie") == "Q2"


def test_entities_of_one_sentence_tell_too(tmp_path):
    statements = (statement("A", "P1", "B"), statement("C", "P1", "D", starts=(20, 70)))
    known = Known({"A": ["Q1"], "C": ["Q2", "Q3"]}, facts={("Q1", "P17", "Q3")})
    graph = write_graph(tmp_path / "graph.ttl", *statements)
    assert item(linked(known, graph)[1], "C") == "Q3"


@pytest.mark.parametrize(("in_another", "found"), [(True, None), (False, "Q3")])
def test_an_object_tells_in_its_own_sentence(tmp_path, in_another, found):
    """B, the object of A, stands beside C unless its sentence is another one."""
    told = statement("A", "P1", "B", starts=(0, 10))
    place = Mention(mention_iri(told.document, 200, 299), 200, 299, "")
    parts = (replace(told, object_sentence=place if in_another else None), statement("C", "P1", "D", starts=(20, 70)))
    known = Known({"B": ["Q1"], "C": ["Q2", "Q3"]}, facts={("Q1", "P17", "Q3")})
    assert item(linked(known, write_graph(tmp_path / "graph.ttl", *parts))[1], "C") == found


def test_documents_are_decided_about_on_their_own(tmp_path):
    known = Known({"A": ["Q1"], "Paris": ["Q2", "Q3"]}, facts={("Q1", "P19", "Q3")})
    graph = write_graph(
        tmp_path / "graph.ttl", statement("A", "P19", "Paris"), statement("B", "P19", "Paris", document="b")
    )
    _, quads = linked(known, graph)
    assert (item(quads, "Paris"), item(quads, "Paris", "b")) == ("Q3", None)


def test_all_statements_of_a_document_tell_wherever_they_stand(tmp_path):
    parts = [statement("X", "P1", "Paris"), statement("Y", "P1", "Paris", document="b"), statement("A", "P19", "Paris")]
    graphs = [write_graph(tmp_path / f"{n}.ttl", part) for n, part in enumerate(parts)]
    known = Known({"A": ["Q1"], "Paris": ["Q2", "Q3"]}, facts={("Q1", "P19", "Q3")})
    assert item(linked(known, *graphs)[1], "Paris") == "Q3"


def test_types_tell(graph):
    known = Known({"Warsaw": ["Q1", "Q2"]}, classes={"Q1": ["Q5"], "Q2": ["Q2221906"]})
    assert item(linked(known, graph)[1], "Warsaw") == "Q2"


def test_what_is_an_item_already_is_not_looked_up_but_tells(tmp_path):
    graph = write_graph(tmp_path / "graph.ttl", statement(f"{WD}Q1", "P19", "Paris"))
    known = Known({"Paris": ["Q2", "Q3"]}, facts={("Q1", "P19", "Q3")})
    summary, quads = linked(known, graph)
    assert item(quads, "Paris") == "Q3"
    assert summary.outcomes == {"linked": 1}


@pytest.mark.parametrize(
    "predicate",
    [f"{KGMRCA}item", "http://www.w3.org/2002/07/owl#sameAs", "http://www.w3.org/2004/02/skos/core#exactMatch"],
)
def test_links_of_others_are_kept(tmp_path, predicate):
    more = f"<{entity('Warsaw')}> <{predicate}> <{WD}Q9> ."
    graph = write_graph(tmp_path / "graph.ttl", *BORN, more=more)
    known = Known({"Warsaw": ["Q2"], "Marie Curie": ["Q1", "Q3"]}, facts={("Q3", "P19", "Q9")})
    summary, quads = linked(known, graph)
    assert item(quads, "Warsaw") in ("Q9", None)
    assert item(quads, "Marie Curie") == "Q3"
    assert summary.outcomes["kept"] == 1
    assert not [quad for quad in quads if quad.predicate.value.endswith("linkOf") and "Warsaw" in quad.object.value]


def test_an_entity_of_two_documents_is_decided_about_once(tmp_path):
    lines = write_graph(tmp_path / "a.nt", *BORN, format="ntriples").read_text()
    (tmp_path / "b.nt").write_text(lines.replace("document/a", "document/b").replace("statement/a", "statement/b"))
    summary, quads = linked(Known({"Warsaw": ["Q1"]}), tmp_path / "a.nt", tmp_path / "b.nt")
    assert summary.outcomes.total() == 3
    assert link_of(quads, "Warsaw")


def test_what_was_decided_about_an_entity_holds_in_documents_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.link._CHUNK", 1)
    second = replace(statement("C", "P19", "Paris", document="b"), object=entity("Paris"))
    graph = write_graph(tmp_path / "graph.ttl", statement("A", "P19", "Paris"), second)
    triples = {("Q1", "P19", "Q2"), ("Q4", "P20", "Q2"), ("Q5", "P19", "Q3")}
    known = Known({"A": ["Q1"], "Paris": ["Q2", "Q3"], "C": ["Q4", "Q5"]}, facts=triples)
    _, quads = linked(known, graph)
    assert (item(quads, "Paris"), item(quads, "C", "b")) == ("Q2", "Q4")


def test_clusters_of_a_merged_graph_are_no_entities(tmp_path):
    more = (
        f'<{BASE}cluster/1> a <{KGMRCA}Cluster> ; <{KGMRCA}entityType> "GPE" ; <{KGMRCA}member> <{entity("Warsaw")}> .'
    )
    summary, _ = linked(Known(), write_graph(tmp_path / "graph.ttl", *BORN, more=more))
    assert summary.outcomes.total() == 3


def test_without_statements_of_their_own_names_and_types_decide(tmp_path):
    graph = write_graph(tmp_path / "graph.ttl", *BORN, provenance="none")
    known = Known({"Warsaw": ["Q1", "Q2"]}, classes={"Q1": ["Q5"], "Q2": ["Q2221906"]})
    summary, quads = linked(known, graph)
    assert item(quads, "Warsaw") == "Q2"
    assert summary.outcomes.total() == 3


def test_more_entities_than_are_decided_about_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.link._CHUNK", 2)
    some = [statement(f"S{n}", "P19", "Paris", document=f"d{n}") for n in range(5)]
    known = Known({"Paris": ["Q1"]})
    summary, quads = linked(known, write_graph(tmp_path / "graph.ttl", *some))
    assert summary.outcomes == {"linked": 5, "no candidates": 5}
    assert all(item(quads, "Paris", f"d{n}") == "Q1" for n in range(5))


def test_the_order_of_the_lines_makes_no_difference(tmp_path):
    some = [statement("A", "P19", "Paris"), statement("B", "P19", "Paris", document="b")]
    path = write_graph(tmp_path / "graph.nt", *some, format="ntriples")
    known = Known({"A": ["Q1"], "Paris": ["Q2", "Q3"]}, facts={("Q1", "P19", "Q3")})
    before = set(linked(known, path)[1])
    path.write_text("".join(sorted(path.read_text().splitlines(keepends=True))))
    after = set(linked(known, path)[1])
    assert {quad for quad in before ^ after if "time" not in str(quad.predicate).lower()} == set()


### What is written


def test_the_graph_itself_is_not_changed(graph):
    _, quads = linked(Known({"Warsaw": ["Q1"]}), graph)
    assert set(pyoxigraph.parse(path=graph)) < set(quads)


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_every_shape_of_statements_is_read_and_written(tmp_path, provenance):
    path = write_graph(
        tmp_path / "graph.nq", *BORN, format="nquads" if provenance != "none" else "ntriples", provenance=provenance
    )
    summary, quads = linked(Known({"Warsaw": ["Q1"]}), path)
    assert item(quads, "Warsaw") == "Q1"
    assert summary.outcomes.total() == 3
    assert set(pyoxigraph.parse(path=path)) < set(quads)


def test_every_decision_is_written_with_its_candidates(graph):
    _, quads = linked(Known({"Warsaw": ["Q1", "Q2"]}), graph)
    node = link_of(quads, "Warsaw")
    assert objects(quads, node, "outcome") == {"abstained"}
    candidates = {
        (*objects(quads, one, "candidateItem"), *objects(quads, one, "linkScore"))
        for one in objects(quads, node, "candidate")
    }
    assert {name for name, _ in candidates} == {f"{WD}Q1", f"{WD}Q2"}
    assert all(0 < Decimal(score) < 1 for _, score in candidates)


def test_a_link_says_how_sure_it_is(graph):
    _, quads = linked(Known({"Warsaw": ["Q1"]}), graph)
    (candidate,) = objects(quads, link_of(quads, "Warsaw"), "candidate")
    assert objects(quads, link_of(quads, "Warsaw"), "linkScore") == objects(quads, candidate, "linkScore") != set()
    assert not objects(quads, link_of(quads, "Marie Curie"), "linkScore")


@pytest.mark.parametrize("text", [True, False])
def test_the_text_of_the_sentences_tells_if_it_was_written(tmp_path, text):
    born = statement("Oda Lund", "P19", "Bergen")
    sentence = replace(born.sentence, text="Oda Lund, a sailor, was born in Bergen.")
    graph = write_graph(tmp_path / "graph.ttl", replace(born, sentence=sentence), text=text)
    described = {"Q1": Profile(description="singer"), "Q2": Profile(description="sailor")}
    known = Known({"Oda Lund": ["Q1", "Q2"]}, described=described)
    _, quads = linked(known, graph)
    scores = {
        next(iter(objects(quads, one, "candidateItem"))): next(iter(objects(quads, one, "linkScore")))
        for one in objects(quads, link_of(quads, "Oda Lund"), "candidate")
    }
    assert (Decimal(scores[f"{WD}Q2"]) > Decimal(scores[f"{WD}Q1"])) is text


def test_why_nothing_is_linked_is_written(graph):
    summary, quads = linked(Known(failing={("candidates", "Warsaw")}), graph)
    comment = objects(quads, link_of(quads, "Warsaw"), "http://www.w3.org/2000/01/rdf-schema#comment")
    assert comment == {"timed out"}
    assert summary.reasons == {"timed out": 1}


def test_all_terms_are_in_the_vocabulary(graph):
    _, quads = linked(Known({"Warsaw": ["Q1"]}), graph)
    used = {term.value for quad in quads for term in (quad.predicate, quad.object) if term.value.startswith(KGMRCA)}
    assert used <= {str(term) for term in rdflib.Graph().parse(resource("ontologies/kgmrca.ttl")).subjects()}


def without_times(data):
    return [line for line in data.splitlines() if b"AtTime" not in line]


def test_the_same_facts_give_the_same_bytes(graph):
    known = Known({"Warsaw": ["Q1", "Q2"], "Marie Curie": ["Q3"]})
    outputs = [io.BytesIO(), io.BytesIO()]
    for out in outputs:
        link_graphs([graph], known, out, base=BASE)
    assert without_times(outputs[0].getvalue()) == without_times(outputs[1].getvalue())


def test_what_an_earlier_job_decided_is_decided_anew(graph, tmp_path):
    link_graphs([graph], Known({"Warsaw": ["Q1"], "Pierre Curie": ["Q4", "Q5"]}), tmp_path / "linked.nq", base=BASE)
    summary, again = linked(Known({"Warsaw": ["Q2"]}), tmp_path / "linked.nq")
    assert summary.outcomes == {"linked": 1, "no candidates": 2}
    assert set(again) ^ set(linked(Known({"Warsaw": ["Q2"]}), graph)[1]) <= {
        quad for quad in again if "time" in quad.predicate.value.lower()
    } | {quad for quad in again if "software" in quad.subject.value}


def test_the_record_of_an_earlier_job_makes_way_for_the_new_one(graph, tmp_path):
    path = tmp_path / "linked.nq"
    link_graphs([graph], Known(), path, base=BASE)
    path.write_text(re.sub(r'"20[^"]*Z"', '"1999-01-01T00:00:00Z"', path.read_text()))
    assert not [quad for quad in linked(Known(), path)[1] if quad.object.value.startswith("1999")]


def test_what_a_person_has_corrected_is_kept(graph, tmp_path):
    path = tmp_path / "linked.nq"
    known = Known({"Warsaw": ["Q1"], "Pierre Curie": ["Q4", "Q5"]})
    link_graphs([graph], known, path, base=BASE)
    lines = path.read_text().replace(f"<{KGMRCA}item> <{WD}Q1>", f"<{KGMRCA}item> <{WD}Q7>")
    path.write_text(f"{lines}<{entity('Pierre Curie')}> <{KGMRCA}item> <{WD}Q5> .\n")
    summary, quads = linked(known, path)
    assert (item(quads, "Warsaw"), item(quads, "Pierre Curie")) == ("Q7", "Q5")
    assert summary.outcomes == {"kept": 2, "no candidates": 1}


def test_blank_nodes_of_two_files_stay_two(graph, tmp_path):
    for name in ("b", "c"):
        (tmp_path / f"{name}.nt").write_text('_:x <urn:p> "o" .\n')
    _, quads = linked(Known(), tmp_path / "b.nt", tmp_path / "c.nt")
    assert len({quad.subject for quad in quads if quad.predicate.value == "urn:p"}) == 2


### What cannot be


@pytest.mark.parametrize(("provenance", "format"), [("graphs", "turtle"), ("rdf12", "jsonld"), ("graphs", "ntriples")])
def test_a_format_that_cannot_hold_the_graph_is_refused(tmp_path, provenance, format):
    graph = write_graph(tmp_path / "graph.nq", *BORN, format="nquads", provenance=provenance)
    with pytest.raises(InputError, match="cannot hold"):
        linked(Known(), graph, format=format)


def test_a_graph_is_not_overwritten(graph):
    before = graph.read_bytes()
    with pytest.raises(InputError, match="overwritten"):
        link_graphs([graph], Known(), graph)
    assert graph.read_bytes() == before


@pytest.mark.parametrize("place", [".", "nowhere/out.ttl", "out.txt"])
def test_what_cannot_be_written_is_said_before_anything_is_asked(graph, tmp_path, place):
    known = Known()
    with pytest.raises(InputError):
        link_graphs([graph], known, tmp_path / place)
    assert known.asked == []


def test_a_graph_that_is_cut_leaves_nothing(tmp_path, graph):
    graph.write_bytes(graph.read_bytes()[:-20])
    with pytest.raises(InputError):
        link_graphs([graph], Known(), tmp_path / "out.ttl")
    assert list(tmp_path.iterdir()) == [graph]


### The command


@pytest.fixture
def run(wikidata_file, tmp_path):
    def run(*arguments, endpoint=wikidata_file, **options):
        cache = tmp_path / "facts.sqlite"
        command = ["link", *map(str, arguments), "--endpoint", str(endpoint), "--cache", str(cache), "--base", BASE]
        return CliRunner().invoke(app, command, **options)

    return run


def test_the_command_links_and_says_so(run, graph, tmp_path):
    done = run(graph, "-o", tmp_path / "out.ttl")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 entities" in done.stderr
    assert "3 linked" in done.stderr
    assert item(list(pyoxigraph.parse(path=tmp_path / "out.ttl")), "Warsaw") == "Q270"


def test_over_http(run, graph, tmp_path, wikidata_url):
    assert run(graph, "-o", tmp_path / "out.ttl", endpoint=wikidata_url).exit_code == 0
    assert item(list(pyoxigraph.parse(path=tmp_path / "out.ttl")), "Marie Curie") == "Q7186"


def test_an_endpoint_without_labels_is_told_from_names_that_it_does_not_have(run, tmp_path):
    path, empty = write_graph(tmp_path / "graph.ttl", statement("Zzyzx Qu", "P19", "Vrblk")), tmp_path / "empty.nt"
    empty.write_text("<urn:a> <urn:b> <urn:c> .\n")
    done = run(path, "-o", tmp_path / "out.ttl", endpoint=empty)
    assert done.exit_code == 1
    assert "The endpoint has no labels: no item can be found by its name." in done.stderr
    done = run(path, "-o", tmp_path / "out.ttl")
    assert done.exit_code == 0
    assert "2 no candidates" in done.stderr
    assert "The endpoint has no" not in done.stderr


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<urn:a> <http://schema.org/name> 'Marie Curie' .\n", 1),
        ("", 0),
        (f"<{WD}Q7186> <{WDT}P19> <{WD}Q270> .\n", 1),
    ],
)
def test_a_graph_without_entities_is_told(run, tmp_path, content, code):
    path = tmp_path / "graph.ttl"
    path.write_text(content)
    done = run(path, "-o", tmp_path / "out.ttl")
    assert (done.exit_code, "nothing to link: the graphs have no entities" in done.stderr) == (code, True)


def test_an_endpoint_with_names_of_what_are_no_items_is_told_too(run, tmp_path):
    path, other = write_graph(tmp_path / "graph.ttl", statement("Warsaw", "P19", "Vrblk")), tmp_path / "other.nt"
    other.write_text(
        '<http://dbpedia.example/resource/Warsaw> <http://www.w3.org/2000/01/rdf-schema#label> "Warsaw"@en .\n'
    )
    done = run(path, "-o", tmp_path / "out.ttl", endpoint=other)
    assert done.exit_code == 1
    assert "2 no candidates" in done.stderr
    assert "The endpoint has no items of Wikidata, or of the Wikibase that --wikibase names" in done.stderr
    assert "has no labels" not in done.stderr


def test_a_second_run_asks_nothing(run, graph, tmp_path):
    assert " 0 queries" not in run(graph, "-o", tmp_path / "out.ttl").stderr
    again = run(graph, "-o", tmp_path / "again.ttl")
    assert " 0 queries" in again.stderr
    assert without_times((tmp_path / "out.ttl").read_bytes()) == without_times((tmp_path / "again.ttl").read_bytes())


def test_from_standard_input_to_standard_output(run, graph):
    done = run("-", "-o", "-", input=graph.read_bytes())
    assert done.exit_code == 0
    assert item(list(pyoxigraph.parse(done.stdout.encode(), pyoxigraph.RdfFormat.TURTLE)), "Warsaw") == "Q270"


def test_compressed_in_and_out(run, graph, tmp_path):
    (tmp_path / "graph.ttl.gz").write_bytes(gzip.compress(graph.read_bytes()))
    assert run(tmp_path / "graph.ttl.gz", "-o", tmp_path / "out.nq.gz").exit_code == 0
    quads = list(pyoxigraph.parse(gzip.decompress((tmp_path / "out.nq.gz").read_bytes()), pyoxigraph.RdfFormat.N_QUADS))
    assert item(quads, "Warsaw") == "Q270"


def test_what_could_not_be_looked_up_gives_exit_code_1(run, graph, tmp_path):
    done = run(graph, "-o", tmp_path / "out.ttl", "--offline")
    assert done.exit_code == 1
    assert "not looked up, not in the cache, and offline: 3" in done.stderr
    assert link_of(list(pyoxigraph.parse(path=tmp_path / "out.ttl")), "Warsaw")


def test_no_language_is_an_error(run, tmp_path):
    done = run(write_graph(tmp_path / "g.ttl", *BORN), "-o", tmp_path / "out.ttl", "--languages", " ,")
    assert done.exit_code == 2
    assert "There is no language to look for names in" in done.stderr
    assert not (tmp_path / "out.ttl").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--languages", "pl, en"], ("Q270", "Q6691")),
        (["--languages", "pl"], ("Q270", None)),
        (["--min-probability", "1"], (None, None)),
    ],
)
def test_limits_and_languages(run, tmp_path, options, expected):
    graph = write_graph(tmp_path / "graph.ttl", statement("Warszawa", "P31", "Homer", types=("GPE", "PERSON")))
    run(graph, "-o", tmp_path / "out.ttl", *options)
    quads = list(pyoxigraph.parse(path=tmp_path / "out.ttl"))
    assert (item(quads, "Warszawa"), item(quads, "Homer")) == expected


@pytest.mark.parametrize("endpoint", ["wikidata", "nowhere.ttl"])
def test_an_endpoint_that_cannot_be_asked_is_one_line_and_exit_code_2(graph, tmp_path, endpoint):
    command = [sys.executable, "-c", "from kgmrca.cli import main; main()", "link", str(graph)]
    done = subprocess.run(
        [*command, "--endpoint", endpoint, "-o", str(tmp_path / "out.ttl")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert not (tmp_path / "out.ttl").exists()
