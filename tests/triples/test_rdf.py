import io
import tempfile
from pathlib import Path
from unittest.mock import patch

import pyoxigraph
import pytest
import rdflib
import spacy
from helpers import TEXT, make_nlp
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib.compare import isomorphic
from spacy.tokens import DocBin, Span

from kgmrca.convert import convert
from kgmrca.corpora.documents import ID
from kgmrca.errors import InputError, ModelError
from kgmrca.ontology import Ontology
from kgmrca.relations import Relation, set_relations
from kgmrca.triples.iris import text_digest
from kgmrca.triples.rdf import add_to, to_graph
from kgmrca.triples.records import Run
from kgmrca.triples.statements import statements

BLANK = spacy.blank("en")
KGMRCA = rdflib.Namespace("https://w3id.org/kgmrca#")
PROV = rdflib.PROV
WDT = rdflib.Namespace("http://www.wikidata.org/prop/direct/")
EX = rdflib.Namespace("http://example.org/")


@pytest.fixture
def doc(nlp):
    return nlp(TEXT)


def converted(docs, folder, *, format="nquads", **options):
    """The file that `convert` writes for the same Docs, as rdflib reads it, without the record of the run."""
    for doc in docs:
        assert ID in doc.user_data
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "docs.spacy")
    out = io.BytesIO()
    nlp = make_nlp()
    nlp.select_pipes(disable=nlp.pipe_names)
    convert(folder / "docs.spacy", out, nlp=nlp, format=format, progress=False, **options)
    graph = rdflib.Dataset() if format == "nquads" else rdflib.Graph()
    with patch("rdflib.NORMALIZE_LITERALS", False):
        graph.parse(data=out.getvalue(), format=format)
    for run in [*graph.subjects(rdflib.RDF.type, KGMRCA.Run)]:
        for agent in [*graph.objects(run, PROV.wasAssociatedWith)]:
            graph.remove((agent, None, None))
        graph.remove((run, None, None))
        graph.remove((None, PROV.wasGeneratedBy, run))
    return graph


def quads(dataset):
    return {(*terms, getattr(name, "identifier", name)) for *terms, name in dataset.quads()}


@pytest.mark.parametrize("provenance", ["none", "statements", "wikidata"])
@pytest.mark.parametrize("assert_above", [0.0, 0.8])
@pytest.mark.parametrize("text", [False, True])
def test_the_graph_is_what_convert_writes(nlp, tmp_path, provenance, assert_above, text):
    docs = []
    for identifier in ("a", "b/c"):
        docs.append(nlp(TEXT))
        docs[-1].user_data[ID] = identifier
    graph = to_graph(docs, provenance=provenance, assert_above=assert_above, text=text)
    other = converted(
        docs, tmp_path, format="turtle", provenance=provenance, assert_above=assert_above, sentence_text=text
    )
    assert len(graph) > 0
    assert set(graph) == set(other)
    assert isomorphic(graph, other)


# rdflib 7.6 warns of what its own parser does.
@pytest.mark.filterwarnings("ignore:Dataset:DeprecationWarning")
def test_the_dataset_is_what_convert_writes(doc, tmp_path):
    doc.user_data[ID] = "a"
    dataset = to_graph(doc, provenance="graphs")
    assert isinstance(dataset, rdflib.Dataset)
    assert quads(dataset) == quads(converted([doc], tmp_path, provenance="graphs"))
    written = pyoxigraph.parse(dataset.serialize(format="nquads"), pyoxigraph.RdfFormat.N_QUADS)
    named = {str(quad.graph_name) for quad in written} - {str(pyoxigraph.DefaultGraph())}
    assert named == {f"<{statement.iri}>" for statement in statements(doc, document_id="a")}


@settings(max_examples=30, derandomize=True)
@given(words=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=2), label=st.text(max_size=8))
def test_odd_text_is_what_convert_writes(words, label):
    doc = spacy.tokens.Doc(BLANK.vocab, words=words)
    first, second = Span(doc, 0, 1, label="PERSON"), Span(doc, 1, 2, label="DATE")
    doc.ents = [first, second]
    set_relations(doc, [Relation(first, second, label, 0.5), Relation(second, first, label, 0.25)])
    doc.user_data[ID] = words[0]
    with tempfile.TemporaryDirectory() as folder:
        if doc.text.strip():
            assert set(to_graph(doc)) == set(converted([doc], Path(folder), format="turtle"))


@settings(max_examples=50, derandomize=True)
@given(year=st.integers(1, 2999), number=st.decimals(-999, 999, places=2))
def test_lexical_forms_stay_as_they_are(year, number):
    doc = spacy.tokens.Doc(BLANK.vocab, words=["Rome", f"{year:04}", "BC", f"{number}"])
    doc.ents = [Span(doc, 0, 1, "GPE"), Span(doc, 1, 3, "DATE"), Span(doc, 3, 4, "CARDINAL")]
    place, date, count = doc.ents
    set_relations(doc, [Relation(place, date, "P571", 0.1234), Relation(place, count, "P1082", 1.0)])
    graph = to_graph((one for one in [(doc, "d")]), provenance="none")
    for statement in statements(doc, document_id="d"):
        (found,) = graph.objects(None, rdflib.URIRef(statement.predicate))
        assert (str(found), found.datatype and str(found.datatype)) == (statement.object, statement.object_datatype)


def test_zeros_that_rdflib_would_strike_out_stay():
    doc = BLANK("Rome 0043")
    doc.ents = [Span(doc, 0, 1, "GPE"), Span(doc, 1, 2, "DATE")]
    set_relations(doc, [Relation(*doc.ents, "P571", 0.5)])
    with patch("kgmrca.triples.statements.typed_literal", lambda text, type_: (text, str(rdflib.XSD.integer))):
        graph = to_graph(doc, provenance="none")
    assert [str(value) for value in graph.objects(None, WDT.P571)] == ["0043"]


def test_adding_a_doc_again_changes_nothing(doc):
    graph = to_graph([(doc, "a")])
    before = set(graph)
    add_to(graph, [(doc, "a")])
    assert set(graph) == before


def test_what_was_in_the_graph_stays(doc):
    graph = rdflib.Graph()
    graph.bind("wdt", EX)
    graph.bind("mine", PROV)
    graph.add((EX.a, EX.b, EX.c))
    add_to(graph, doc)
    assert (EX.a, EX.b, EX.c) in graph
    bound = dict(graph.namespaces())
    assert (bound["wdt"], bound["mine"]) == (rdflib.URIRef(EX), rdflib.URIRef(PROV))


def test_a_named_graph_can_be_added_to(doc):
    dataset = rdflib.Dataset()
    add_to(dataset.graph(EX.mine), doc)
    assert {name for *_, name in quads(dataset)} == {EX.mine}


def test_the_usual_prefixes_are_bound(doc):
    text = to_graph(doc, base="http://example.org/").serialize(format="turtle")
    assert "@prefix entity: <http://example.org/entity/> ." in text
    assert "wdt:P19" in text


def identifiers(graph):
    return sorted(str(identifier) for identifier in graph.objects(None, rdflib.DCTERMS.identifier))


def test_docs_come_alone_in_lists_or_with_an_id(nlp):
    docs = nlp.pipe([(TEXT, "a"), (TEXT, 7)], as_tuples=True)
    assert identifiers(to_graph(docs)) == ["7", "a"]


def test_an_id_that_is_not_given_is_that_of_the_docbin_or_made_from_the_text(nlp):
    one, same, other, named = nlp(TEXT), nlp(TEXT), nlp(TEXT + " "), nlp(TEXT)
    named.user_data[ID] = "mine"
    (of_one,) = identifiers(to_graph(one))
    assert of_one == text_digest(TEXT)
    assert identifiers(to_graph([same])) == [of_one]
    assert identifiers(to_graph(other)) != [of_one]
    assert identifiers(to_graph(named)) == ["mine"]


@pytest.mark.parametrize("identifier", ["", True, 1.5, {"glirel_labels": []}])
def test_an_id_of_another_kind_is_refused(doc, identifier):
    with pytest.raises(InputError, match="id of a Doc is text or a whole number"):
        to_graph([(doc, identifier)])


def test_something_else_than_a_doc_is_refused():
    with pytest.raises(InputError, match=r"A Doc, or an iterable of Docs .* is expected, not str \('text'\)"):
        to_graph(["text"])


def test_statements_name_the_run(doc, nlp):
    run = Run.of(nlp)
    assert set(to_graph(doc, run=run).objects(None, PROV.wasGeneratedBy)) == {rdflib.URIRef(run.iri())}


def test_an_ontology_and_a_threshold_can_be_chosen(doc):
    ontology = Ontology({"place of birth": str(EX.birthPlace)})
    graph = to_graph(doc, ontology=ontology, threshold=0.9)
    assert set(graph.objects(None, rdflib.RDF.predicate)) == {EX.birthPlace}


def test_an_ontology_can_be_named(doc):
    predicates = set(to_graph(doc, ontology="dbpedia").objects(None, rdflib.RDF.predicate))
    assert rdflib.URIRef("http://dbpedia.org/ontology/birthPlace") in predicates


def test_relations_of_others_can_be_added():
    doc = BLANK("Curie Warsaw")
    doc.ents = [Span(doc, 0, 1, "PERSON"), Span(doc, 1, 2, "GPE")]
    doc.user_data["._.", "rel", None, None] = {(0, 1): {"place of birth": 0.7, "employer": 0.1}}
    assert set(to_graph(doc, source="spacy-rel").objects(None, rdflib.RDF.predicate)) == {WDT.P19}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"provenance": "rdf12"}, "rdflib cannot hold RDF 1.2: choose one of none, statements, graphs, wikidata"),
        ({"provenance": "all"}, "There is no provenance 'all'"),
        ({"base": "here"}, "The base 'here'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_added(doc, options, message):
    graph = rdflib.Graph()
    with pytest.raises(InputError, match=message):
        add_to(graph, doc, **options)
    assert len(graph) == 0


def test_named_graphs_need_a_dataset(doc):
    with pytest.raises(InputError, match=r"give an rdflib\.Dataset"):
        add_to(rdflib.Graph(), doc, provenance="graphs")


def test_of_a_doc_that_cannot_be_used_nothing_is_added(doc):
    graph = rdflib.Graph()
    with pytest.raises(ModelError):
        add_to(graph, [(doc, "a"), (BLANK("Nobody asked."), "b")])
    assert identifiers(graph) == ["a"]
