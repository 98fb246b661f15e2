import io
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pyoxigraph
import pytest
import spacy
from helpers import TEXT, as_tuple, read_rdf
from rdflib import Graph
from spacy.tokens import Span

from kgmrca.errors import InputError
from kgmrca.relations import Relation, set_relations
from kgmrca.resources import resource
from kgmrca.triples.formats import PROVENANCE, chosen_format, format_of, write
from kgmrca.triples.iris import text_digest
from kgmrca.triples.records import Run, sentence_digest
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples, run_triples, statement_triples

BASE = "urn:kgmrca:"
KGMRCA = "https://w3id.org/kgmrca#"
PROV = "http://www.w3.org/ns/prov#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
WDT = "http://www.wikidata.org/prop/direct/"
DOCUMENT = "urn:kgmrca:document/doc@" + text_digest(TEXT)
WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def written(triples, format="turtle", base=BASE):
    out = io.BytesIO()
    write(triples, out, format=format, base=base)
    return out.getvalue()


def of_document(doc, *, run=None, **options):
    return document_triples(DOCUMENT, "doc", statements(doc, document_id="doc", run=run), base=BASE, **options)


def of_run(run):
    return run_triples(run, base=BASE, started=WHEN, ended=WHEN, documents=1, statements=5, rejected=2)


@pytest.fixture
def run(nlp):
    return Run.of(nlp)


@pytest.fixture
def doc(nlp):
    return nlp(TEXT)


def about(rdf, subject):
    return {(p[1:-1], o) for s, p, o in rdf if s == f"<{subject}>"}


@pytest.mark.parametrize("format", ["turtle", "ntriples"])
def test_both_libraries_read_the_same_triples(doc, run, format):
    triples = [*of_document(doc, run=run, meta={"title": "Lives", "pages": 3}), *of_run(run)]
    assert len(read_rdf(written(triples, format), format)) == len(triples)


def test_turtle_and_ntriples_say_the_same(doc, run):
    triples = [*of_document(doc, run=run), *of_run(run)]
    assert read_rdf(written(triples)) == read_rdf(written(triples, "ntriples"), "ntriples")


def test_a_store_keeps_every_literal_as_it_is(doc, run):
    triples = [*of_document(doc, run=run, meta={"pages": 3, "open": True, "ratio": 0.5}), *of_run(run)]
    store = pyoxigraph.Store()
    store.bulk_load(written(triples), pyoxigraph.RdfFormat.TURTLE)
    assert {quad.triple for quad in store} == set(triples)


def test_a_statement_says_what_how_sure_and_where(doc, run):
    statement, *_ = statements(doc, document_id="doc", run=run)
    rdf = read_rdf(written(of_document(doc, run=run)))
    assert about(rdf, statement.iri) == {
        (RDF + "type", f"<{RDF}Statement>"),
        (RDF + "subject", f"<{statement.subject}>"),
        (RDF + "predicate", f"<{WDT}P19>"),
        (RDF + "object", f"<{statement.object}>"),
        (KGMRCA + "confidence", '"0.9"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
        (KGMRCA + "relationLabel", '"place of birth"'),
        (KGMRCA + "subjectMention", f"<{DOCUMENT}#char=0,11>"),
        (KGMRCA + "objectMention", f"<{DOCUMENT}#char=24,30>"),
        (KGMRCA + "sentence", f"<{DOCUMENT}#char=0,31>"),
        (KGMRCA + "sentenceDigest", f'"{sentence_digest("Marie Curie was born in Warsaw.")}"'),
        (PROV + "wasDerivedFrom", f"<{DOCUMENT}>"),
        (PROV + "wasGeneratedBy", f"<{run.iri()}>"),
    }


def test_an_entity_has_its_name_type_mentions_and_facts(doc):
    birth, date, *_ = statements(doc, document_id="doc")
    assert about(read_rdf(written(of_document(doc))), birth.subject) == {
        (KGMRCA + "mention", f"<{DOCUMENT}#char=0,11>"),
        (KGMRCA + "mention", f"<{DOCUMENT}#char=32,43>"),
        ("http://www.w3.org/2000/01/rdf-schema#label", '"Marie Curie"'),
        (KGMRCA + "entityType", '"PERSON"'),
        (WDT + "P19", f"<{birth.object}>"),
        (WDT + "P569", f'"{date.object}"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
    }


def test_a_literal_has_its_datatype_in_the_fact_and_in_the_statement(doc):
    rdf = read_rdf(written(of_document(doc)))
    year = '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'
    assert [o for _, p, o in rdf if p == f"<{WDT}P569>"] == [year]
    assert year in {o for _, p, o in rdf if p == "<http://www.w3.org/1999/02/22-rdf-syntax-ns#object>"}


def test_a_literal_without_a_datatype_is_plain():
    doc = spacy.blank("en")("Curie once")
    doc.ents = [Span(doc, 1, 2, label="DATE")]
    set_relations(doc, [Relation(doc[0:1], *doc.ents, "date of birth", 0.5)])
    assert (WDT + "P569", '"once"') in {(p[1:-1], o) for _, p, o in read_rdf(written(of_document(doc)))}


def test_several_labels_of_a_pair_are_several_triples(doc):
    rdf = read_rdf(written(of_document(doc)))
    pairs = [{(s, o) for s, p, o in rdf if p == f"<{WDT}{name}>"} for name in ("P57", "P58")]
    assert pairs[0] == pairs[1] != set()


def test_a_fact_said_twice_is_one_triple_with_two_statements(nlp):
    triples = list(of_document(nlp("Warsaw is in Poland. Warsaw is in Poland.")))
    predicates = [str(triple.predicate) for triple in triples]
    assert predicates.count(f"<{WDT}P17>") == 1
    assert predicates.count(f"<{KGMRCA}confidence>") == 2


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_no_triple_is_written_twice(nlp, run, provenance):
    triples = [*of_document(nlp(TEXT + " " + TEXT), run=run, provenance=provenance), *of_run(run)]
    assert len(triples) == len(set(triples))


def test_each_subject_is_written_in_one_go(doc, run):
    subjects = [triple.subject for triple in (*of_document(doc, run=run), *of_run(run))]
    runs = [subject for subject, before in zip(subjects, [None, *subjects], strict=False) if subject != before]
    assert len(runs) == len(set(runs))


def test_mentions_are_written_in_full_in_turtle(doc):
    assert f"<{DOCUMENT}#char=0,11>".encode() in written(of_document(doc))


@pytest.mark.parametrize(
    ("key", "value", "predicate", "literal"),
    [
        ("title", "Lives", "http://purl.org/dc/terms/title", '"Lives"'),
        ("identifier", "X1", "urn:kgmrca:meta/identifier", '"X1"'),
        ("a key", "b", "urn:kgmrca:meta/a%20key", '"b"'),
        ("n", 3, "urn:kgmrca:meta/n", '"3"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("n", 10**400, "urn:kgmrca:meta/n", f'"{10**400}"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("x", 0.5, "urn:kgmrca:meta/x", '"0.5"^^<http://www.w3.org/2001/XMLSchema#double>'),
        ("b", True, "urn:kgmrca:meta/b", '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
        ("l", ["é", {"b": 1, "a": 2}], "urn:kgmrca:meta/l", r'"[\"é\", {\"a\": 2, \"b\": 1}]"'),
    ],
)
def test_metadata_describes_the_document(key, value, predicate, literal):
    triples = document_triples(DOCUMENT, "doc", [], base=BASE, meta={key: value})
    assert (f"<{predicate}>", literal) in [(str(triple.predicate), str(triple.object)) for triple in triples]


def test_metadata_without_a_value_is_left_out():
    assert len(list(document_triples(DOCUMENT, "doc", [], base=BASE, meta={"title": None}))) == 2


def test_a_run_says_what_ran_and_how_it_went(run):
    rdf = about(read_rdf(written(of_run(run))), run.iri())
    integer = "^^<http://www.w3.org/2001/XMLSchema#integer>"
    moment = '"2030-01-02T03:04:05Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    assert rdf >= {
        ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "<http://www.w3.org/ns/prov#Activity>"),
        ("http://www.w3.org/ns/prov#startedAtTime", moment),
        ("http://www.w3.org/ns/prov#endedAtTime", moment),
        (KGMRCA + "model", '"en_pipeline"'),
        (KGMRCA + "modelDigest", f'"{run.model_digest}"'),
        (KGMRCA + "documents", '"1"' + integer),
        (KGMRCA + "statements", '"5"' + integer),
        (KGMRCA + "rejected", '"2"' + integer),
    }


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_every_term_that_is_written_is_defined(doc, run, provenance):
    triples = [*of_document(doc, run=run, provenance=provenance, text=True), *of_run(run)]
    used = {term[1:-1] for triple in triples for term in as_tuple(triple) if term.startswith(f"<{KGMRCA}")}
    assert used
    assert used <= {str(term) for term in Graph().parse(resource("ontologies/kgmrca.ttl")).subjects()}


SHAPES = [provenance for provenance in PROVENANCE if provenance != "none"]


def in_every_shape(statement):
    return set.intersection(*(set(statement_triples(statement, provenance=name)) for name in SHAPES))


def shape(statement, provenance):
    """The triples of a statement's node without those that are the same in every shape."""
    common = in_every_shape(statement)
    return [as_tuple(one) for one in statement_triples(statement, provenance=provenance) if one not in common]


def iris(*iris):
    return tuple(f"<{iri}>" for iri in iris)


@pytest.fixture
def birth(doc, run):
    return next(statements(doc, document_id="doc", run=run))


def test_how_sure_and_where_is_said_alike_in_every_shape(birth):
    predicates = {triple.predicate.value.split("#")[1] for triple in in_every_shape(birth)}
    assert predicates == {
        *("confidence", "relationLabel", "subjectMention", "objectMention", "sentence", "sentenceDigest"),
        *("wasDerivedFrom", "wasGeneratedBy"),
    }


def test_a_statement_as_rdf_statement(birth):
    assert shape(birth, "statements") == [
        iris(birth.iri, f"{RDF}type", f"{RDF}Statement"),
        iris(birth.iri, f"{RDF}subject", birth.subject),
        iris(birth.iri, f"{RDF}predicate", f"{WDT}P19"),
        iris(birth.iri, f"{RDF}object", birth.object),
    ]


def test_a_statement_as_named_graph(birth):
    assert shape(birth, "graphs") == [
        iris(birth.subject, f"{WDT}P19", birth.object, birth.iri),
        iris(birth.iri, f"{RDF}type", f"{KGMRCA}Statement"),
    ]


def test_a_statement_as_rdf_1_2(birth):
    stated = " ".join(iris(birth.subject, f"{WDT}P19", birth.object))  # as pyoxigraph shows a triple term
    assert shape(birth, "rdf12") == [
        (*iris(birth.iri, f"{RDF}reifies"), stated),
        iris(birth.iri, f"{RDF}type", f"{KGMRCA}Statement"),
    ]


def test_a_statement_as_in_wikidata(birth):
    assert shape(birth, "wikidata") == [
        iris(birth.subject, "http://www.wikidata.org/prop/P19", birth.iri),
        iris(birth.iri, f"{RDF}type", f"{KGMRCA}Statement"),
        iris(birth.iri, "http://www.wikidata.org/prop/statement/P19", birth.object),
    ]


def test_as_in_wikidata_another_predicate_can_be_read_back(birth):
    other = replace(birth, predicate="https://schema.org/birthPlace")
    (_, to_node, _), _, (_, to_object, _) = shape(other, "wikidata")
    assert to_node == "<urn:kgmrca:prop/https%3A%2F%2Fschema.org%2FbirthPlace>"
    assert to_object == "<urn:kgmrca:prop/statement/https%3A%2F%2Fschema.org%2FbirthPlace>"
    assert unquote(to_node[1:-1].removeprefix("urn:kgmrca:prop/")) == other.predicate


@pytest.mark.parametrize("provenance", SHAPES)
def test_a_literal_object_keeps_its_datatype_in_every_shape(doc, provenance):
    _, date, *_ = statements(doc, document_id="doc")
    year = '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'
    assert [term for terms in shape(date, provenance) for term in terms if year in term]


def test_without_provenance_there_are_entities_and_plain_triples_only(doc, run):
    triples = list(of_document(doc, run=run, provenance="none"))
    everything = set(of_document(doc, run=run))
    assert {str(triple.predicate)[1:-1].split("#")[-1] for triple in triples} == {
        *("label", "entityType"),
        *(WDT + name for name in ("P19", "P569", "P57", "P58", "P17")),
    }
    assert set(triples) < everything


def test_a_statement_has_no_node_without_provenance(birth):
    with pytest.raises(InputError, match="no node with the provenance 'none'"):
        list(statement_triples(birth, provenance="none"))


@pytest.mark.parametrize("provenance", SHAPES)
def test_only_plain_triples_depend_on_the_confidence(doc, provenance):
    all_, some = (set(of_document(doc, provenance=provenance, assert_above=least)) for least in (0, 0.75))
    assert {str(triple.predicate)[-5:-1].strip("/") for triple in all_ - some} == {"P57", "P17"}
    assert some < all_


def test_without_provenance_only_the_confident_is_written(doc):
    triples = list(of_document(doc, provenance="none", assert_above=0.8))
    assert {triple.object.value for triple in triples if triple.predicate.value.endswith("label")} == {
        "Marie Curie",
        "Warsaw",
    }
    assert len([triple for triple in triples if triple.predicate.value.startswith(WDT)]) == 2


def test_a_confidence_as_high_as_asked_for_is_enough(birth):
    just = replace(birth, confidence=Decimal("0.8"))  # which is less than the float 0.8
    assert list(document_triples(just.document, "doc", [just], base=BASE, provenance="none", assert_above=0.8))


def test_a_fact_is_asserted_if_one_of_its_statements_is_confident(birth):
    doubtful = replace(birth, iri=birth.iri + "0", confidence=Decimal("0.1"))
    for both in ([birth, doubtful], [doubtful, birth]):
        triples = document_triples(birth.document, "doc", both, base=BASE, assert_above=0.5)
        assert [triple.predicate.value for triple in triples].count(f"{WDT}P19") == 1


def test_the_text_of_a_sentence_is_written_if_it_is_asked_for(doc):
    texts = {o for _, p, o in map(as_tuple, of_document(doc, text=True)) if p == f"<{KGMRCA}sentenceText>"}
    assert '"Marie Curie was born in Warsaw."' in texts
    assert len(texts) == 4
    assert "sentenceText" not in str(list(map(as_tuple, of_document(doc))))


def test_a_text_that_is_not_known_is_not_written(birth):
    for sentence in (None, replace(birth.sentence, text="")):
        triples = statement_triples(replace(birth, sentence=sentence), text=True)
        assert "sentenceText" not in str(list(map(as_tuple, triples)))


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.ttl", "turtle"),
        ("a.b.NT", "ntriples"),
        ("a.nq", "nquads"),
        ("a.trig", "trig"),
        ("a.jsonld", "jsonld"),
        ("a.rdf", "rdfxml"),
        ("a.ttl.gz", "turtle"),
        ("a.nq.GZ", "nquads"),
    ],
)
def test_the_extension_says_the_format(name, format):
    assert format_of(Path(name)) == format


@pytest.mark.parametrize("name", ["graph.xml", "graph.gz", "graph.xml.gz", "ttl", ".ttl"])
def test_an_extension_without_a_format_is_refused(name):
    with pytest.raises(InputError, match=rf"'{name}' does not say its format: end it in .ttl, .nt, "):
        format_of(Path(name))


@pytest.mark.parametrize(
    ("format", "provenance", "message"),
    [
        ("csv", "none", "There is no format 'csv': choose one of turtle, "),
        ("turtle", "some", "There is no provenance 'some': choose one of none, "),
        ("turtle", "graphs", "needs named graphs, which .* 'turtle' does not have: .* nquads or trig or jsonld"),
        ("ntriples", "graphs", "needs named graphs"),
        ("rdfxml", "graphs", "needs named graphs"),
        ("rdfxml", "rdf12", "needs RDF 1.2, which .* 'rdfxml' does not have"),
        ("jsonld", "rdf12", "needs RDF 1.2"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(format, provenance, message):
    with pytest.raises(InputError, match=message):
        chosen_format(format, "graph.ttl", provenance=provenance)


@pytest.mark.parametrize(
    ("format", "output", "chosen"),
    [
        (None, "a.nq.gz", "nquads"),
        (None, Path("-.nt"), "ntriples"),
        (None, "-", "turtle"),
        (None, io.BytesIO(), "turtle"),
        ("trig", "a.nq", "trig"),
    ],
)
def test_the_format_is_the_one_named_or_that_of_the_file(format, output, chosen):
    assert chosen_format(format, output) == chosen
