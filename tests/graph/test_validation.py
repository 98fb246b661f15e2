import gzip
import io
import json
import logging
import re
import threading
from datetime import datetime, timezone

import pyoxigraph
import pyshacl
import pytest
import rdflib
from helpers import TEXT

from kgmrca.errors import InputError
from kgmrca.graph import validation as module
from kgmrca.graph.validation import validate
from kgmrca.ontology import load_properties
from kgmrca.resources import resource
from kgmrca.triples.docs import document_iri
from kgmrca.triples.formats import PROVENANCE, write
from kgmrca.triples.records import Run
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples, run_triples

BASE = "urn:kgmrca:"
WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SH = rdflib.SH

VALID = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix kgmrca: <https://w3id.org/kgmrca#> .
@prefix p: <http://www.wikidata.org/prop/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ps: <http://www.wikidata.org/prop/statement/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix wdt: <http://www.wikidata.org/prop/direct/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@base <urn:x:> .
<urn:x:doc> a prov:Entity ; dcterms:identifier "doc" .
<urn:x:other> a prov:Entity ; dcterms:identifier "other" .
<urn:x:curie> rdfs:label "Marie Curie" ; kgmrca:entityType "PERSON" .
<urn:x:sister> rdfs:label "Marie Curie" ; kgmrca:entityType "PERSON" .
<urn:x:warsaw> rdfs:label "Warsaw" ; kgmrca:entityType "GPE" .
<urn:x:run> a kgmrca:Run, prov:Activity ; kgmrca:softwareVersion "1" ; kgmrca:model "m" ; kgmrca:modelVersion "2" ;
    kgmrca:modelDigest "d" ; kgmrca:parameters "{}" ; kgmrca:documents 1 ; kgmrca:statements 1 ; kgmrca:rejected 0 ;
    prov:startedAtTime "2030-01-02T03:04:05Z"^^xsd:dateTime ; prov:endedAtTime "2030-01-02T03:04:06Z"^^xsd:dateTime ;
    prov:wasAssociatedWith <urn:x:software> .
<urn:x:software> a prov:SoftwareAgent ; rdfs:label "kgmrca 1" .
<urn:x:s> a rdf:Statement ; rdf:subject <urn:x:curie> ; rdf:predicate wdt:P19 ; rdf:object <urn:x:warsaw> ;
    kgmrca:confidence 0.93 ; kgmrca:relationLabel "place of birth" ;
    kgmrca:subjectMention <urn:x:doc#char=0,11> ; kgmrca:objectMention <urn:x:doc#char=24,30> ;
    kgmrca:sentence <urn:x:doc#char=0,31> ; kgmrca:sentenceDigest "0123456789abcdef" ; kgmrca:sentenceText "She." ;
    kgmrca:objectSentence <urn:x:doc#char=40,50> ; kgmrca:objectSentenceText "There." ;
    prov:wasDerivedFrom <urn:x:doc> ; prov:wasGeneratedBy <urn:x:run> .
<urn:x:fact> a kgmrca:Fact ; rdf:subject <urn:x:curie> ; rdf:predicate wdt:P19 ; rdf:object <urn:x:warsaw> ;
    kgmrca:confidence 0.95 ; kgmrca:evidence <urn:x:s> .
<urn:x:cluster> a kgmrca:Cluster ; rdfs:label "Marie Curie" ; kgmrca:entityType "PER" ; kgmrca:member <urn:x:curie> ;
    kgmrca:item <http://www.wikidata.org/entity/Q7186> .
<urn:x:conflict> a kgmrca:Conflict ; rdfs:comment "Two birthplaces." ; kgmrca:conflictKind "single value" ;
    kgmrca:conflicting <urn:x:fact> .
<urn:x:curie> skos:altLabel "Curie" ; kgmrca:namesake <urn:x:sister> ;
    kgmrca:mention <urn:x:doc#char=0,11>, <urn:x:doc#char=33,36> .
"""
# The same with what a person decided.
REVIEWED = f"""{VALID}
<urn:x:review> a kgmrca:Review ; kgmrca:reviewed <urn:x:s> ; kgmrca:decision "corrected" ;
    prov:generatedAtTime "2030-01-02T03:04:07Z"^^xsd:dateTime ; prov:wasAttributedTo <urn:x:ada> ;
    kgmrca:correction <urn:x:better> .
<urn:x:ada> a prov:Person ; rdfs:label "Ada" .
<urn:x:better> a rdf:Statement ; rdf:subject <urn:x:curie> ; rdf:predicate wdt:P551 ; rdf:object <urn:x:warsaw> ;
    kgmrca:decision "disputed" ; prov:wasDerivedFrom <urn:x:doc> ; prov:wasGeneratedBy <urn:x:run> .
"""
# The same statement in other forms; each stands in for the part of VALID from its type to its object.
SAID = re.search(r"a rdf:Statement.*?<urn:x:warsaw> ;", VALID)[0]
OTHERWISE = {
    "statements": (SAID, ""),
    "graphs": ("a kgmrca:Statement ;", "<urn:x:s> { <urn:x:curie> wdt:P19 <urn:x:warsaw> }"),
    "rdf12": ("a kgmrca:Statement ; rdf:reifies <<( <urn:x:curie> wdt:P19 <urn:x:warsaw> )>> ;", ""),
    "wikidata": ("a kgmrca:Statement ; ps:P19 <urn:x:warsaw> ;", "<urn:x:curie> p:P19 <urn:x:s> ."),
}


def check(text, **options):
    return validate(io.BytesIO(text.encode()), progress=False, **options)


def found(text, **options):
    report = check(text, **options)
    return {
        (finding.severity, finding.shape.removeprefix("https://w3id.org/kgmrca/shapes#"), finding.node)
        for finding in report.findings
    }


def said(provenance, text=VALID):
    inside, beside = OTHERWISE[provenance]
    return text.replace(SAID, inside) + beside


def changed(old, new, text=VALID):
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_what_the_writer_writes_conforms_without_a_warning(nlp, tmp_path, provenance):
    run = Run.of(nlp)
    path = tmp_path / "graph.nq"
    doc = nlp(TEXT)
    triples = document_triples(
        document_iri(doc, "doc", BASE), "doc", statements(doc, document_id="doc", run=run), base=BASE,
        meta={"title": "x"}, provenance=provenance, text=True,
    )  # fmt: skip
    ended = run_triples(run, base=BASE, started=WHEN, ended=WHEN, documents=1, statements=5, rejected=0)
    with path.open("wb") as out:
        write([*triples, *(() if provenance == "none" else ended)], out, format="nquads", base=BASE)
    report = validate(path, progress=False)
    assert report.findings == []
    assert report.conforms
    assert report.statements == (0 if provenance == "none" else 5)


@pytest.mark.parametrize("provenance", OTHERWISE)
def test_a_graph_with_everything_conforms(provenance):
    report = check(said(provenance))
    assert (report.findings, report.not_checked, report.statements) == ([], 0, 1)


VIOLATIONS = {
    "no subject": ("rdf:subject <urn:x:curie> ;", "", "subject", "s"),
    "two subjects": ("rdf:subject <urn:x:curie>", "rdf:subject <urn:x:curie>, <urn:x:x>", "subject", "s"),
    "a literal as subject": ("rdf:subject <urn:x:curie>", 'rdf:subject "Curie"', "subject", "s"),
    "no predicate": ("rdf:predicate wdt:P19 ;", "", "predicate", "s"),
    "two predicates": ("rdf:predicate wdt:P19", "rdf:predicate wdt:P19, wdt:P20", "predicate", "s"),
    "a literal as predicate": ("rdf:predicate wdt:P19", 'rdf:predicate "P19"', "predicate", "s"),
    "no object": ("rdf:object <urn:x:warsaw> ;", "", "object", "s"),
    "two objects": ("rdf:object <urn:x:warsaw>", "rdf:object <urn:x:warsaw>, <urn:x:curious>", "object", "s"),
    "no confidence": ("kgmrca:confidence 0.93 ;", "", "confidence", "s"),
    **{
        f"a {name} that is no date": ("confidence 0.93", f'confidence 0.93 ; kgmrca:{term} "1990"', shape, "s")
        for name, term, shape in (
            ("start", "startTime", "start-time"),
            ("end", "endTime", "end-time"),
            ("time", "pointInTime", "point-in-time"),
        )
    },
    "a confidence above 1": ("confidence 0.93", "confidence 1.01", "confidence-value", "s"),
    "a confidence below 0": ("confidence 0.93", "confidence -0.1", "confidence-value", "s"),
    "a confidence as text": ("confidence 0.93", 'confidence "0.93"', "confidence-value", "s"),
    "a confidence that is none": ("confidence 0.93", 'confidence "high"^^xsd:decimal', "confidence-value", "s"),
    "no relation label": ('kgmrca:relationLabel "place of birth" ;', "", "relation-label", "s"),
    "a label with a language": ('"place of birth"', '"place of birth"@en', "relation-label", "s"),
    "no subject mention": ("kgmrca:subjectMention <urn:x:doc#char=0,11> ;", "", "subject-mention", "s"),
    "two subject mentions": ("doc#char=0,11>", "doc#char=0,11>, <urn:x:doc#char=1,2>", "subject-mention", "s"),
    "a subject mention of another kind": ("doc#char=0,11>", "doc#line=0,11>", "subject-mention", "s"),
    "a subject mention without a fragment": ("doc#char=0,11>", "doc>", "subject-mention", "s"),
    "a mention as text": ("<urn:x:doc#char=0,11>", '"urn:x:doc#char=0,11"', "subject-mention", "s"),
    "no object mention": ("kgmrca:objectMention <urn:x:doc#char=24,30> ;", "", "object-mention", "s"),
    "an object mention of another kind": ("char=24,30", "char=24", "object-mention", "s"),
    "a mention that ends where it starts": ("char=24,30", "char=24,24", "mention-order", "doc#char=24,24"),
    "a mention that ends before it starts": ("char=24,30", "char=24,9", "mention-order", "doc#char=24,9"),
    "a mention in another document": ("doc#char=24,30", "other#char=24,30", "mention-document", "s"),
    "a sentence in another document": ("doc#char=0,31", "other#char=0,31", "mention-document", "s"),
    "a sentence of another kind": ("doc#char=0,31", "doc#xywh=0,31", "sentence", "s"),
    "a sentence of the object in another document": ("doc#char=40,50", "other#char=40,50", "mention-document", "s"),
    "a sentence of the object of another kind": ("doc#char=40,50", "doc#xywh=40,50", "object-sentence", "s"),
    "the same sentence twice": ("doc#char=40,50", "doc#char=0,31", "object-sentence", "s"),
    "a text of the second sentence that is a number": ('"There."', "1", "object-sentence-text", "s"),
    "a mention of an entity of another kind": ("doc#char=33,36", "doc#page=33", "mention", "curie"),
    "a mention of an entity that ends too early": ("char=33,36", "char=36,33", "mention-order", "doc#char=36,33"),
    "a namesake that is not there": ("namesake <urn:x:sister>", "namesake <urn:x:gone>", "namesake", "curie"),
    "a digest too short": ("0123456789abcdef", "0123", "sentence-digest", "s"),
    "a text that is a number": ('"She."', "1", "sentence-text", "s"),
    "no document": ("prov:wasDerivedFrom <urn:x:doc> ;", "", "derived-from", "s"),
    "two documents": ("wasDerivedFrom <urn:x:doc>", "wasDerivedFrom <urn:x:doc>, <urn:x:other>", "derived-from", "s"),
    "a document that is not there": ("<urn:x:doc> a prov:Entity ;", "<urn:x:doc>", "document-exists", "s"),
    "a run that is not there": ("wasGeneratedBy <urn:x:run>", "wasGeneratedBy <urn:x:gone>", "run-exists", "s"),
    "an entity without a name": ('rdfs:label "Warsaw" ;', "", "entity-label", "warsaw"),
    "an entity type that is an IRI": ('entityType "GPE"', "entityType kgmrca:GPE", "entity-type", "warsaw"),
    "an entity type of nothing": ('entityType "GPE"', 'entityType ""', "entity-type", "warsaw"),
    "a run without a version": ('kgmrca:softwareVersion "1" ;', "", "run-software", "run"),
    "a run without a pipeline": ('kgmrca:model "m" ;', "", "run-model", "run"),
    "two versions of a pipeline": ('modelVersion "2"', 'modelVersion "2", "3"', "run-model-version", "run"),
    "a run without a digest": ('kgmrca:modelDigest "d" ;', "", "run-model-digest", "run"),
    "a run without parameters": ('kgmrca:parameters "{}" ;', "", "run-parameters", "run"),
    "a number of documents as text": ("documents 1", 'documents "1"', "run-documents", "run"),
    "fewer than no statements": ("statements 1", "statements -1", "run-statements", "run"),
    "a run without a number of rejected records": ("kgmrca:rejected 0 ;", "", "run-rejected", "run"),
    "a run without a start": ('prov:startedAtTime "2030-01-02T03:04:05Z"^^xsd:dateTime ;', "", "run-started", "run"),
    "a start that is no time": ("02T03:04:05Z", "99T03:04:05Z", "run-started", "run"),
    "an end that is a date": ('"2030-01-02T03:04:06Z"^^xsd:dateTime', '"2030-01-02"^^xsd:date', "run-ended", "run"),
    "software that is not there": ("<urn:x:software> a prov:SoftwareAgent ;", "<urn:x:software>", "run-agent", "run"),
    "a fact without evidence": ("0.95 ; kgmrca:evidence <urn:x:s>", "0.95", "evidence", "fact"),
    "a fact without a confidence": ("kgmrca:confidence 0.95 ;", "", "confidence", "fact"),
    "evidence that is not there": ("kgmrca:evidence <urn:x:s>", "kgmrca:evidence <urn:x:gone>", "evidence", "fact"),
    "a cluster without members": ("kgmrca:member <urn:x:curie> ;", "", "member", "cluster"),
    "a cluster of two items": ("entity/Q7186>", "entity/Q7186>, <urn:x:Q1>", "item", "cluster"),
    "a cluster without a name": ('Cluster ; rdfs:label "Marie Curie" ;', "Cluster ;", "entity-label", "cluster"),
    "a conflict without words": ('rdfs:comment "Two birthplaces." ;', "", "conflict-comment", "conflict"),
    "a conflict without a kind": ('kgmrca:conflictKind "single value" ;', "", "conflict-kind", "conflict"),
    "a conflict of nothing": (" ;\n    kgmrca:conflicting <urn:x:fact>", "", "conflicting", "conflict"),
}  # fmt: skip


@pytest.mark.parametrize("defect", VIOLATIONS)
def test_a_defect_is_found_and_nothing_else(defect):
    old, new, shape, node = VIOLATIONS[defect]
    text = changed(old, new)
    assert found(text) == {("violation", shape, f"<urn:x:{node}>")}
    assert not check(text).conforms


REVIEW_VIOLATIONS = {
    "a review of nothing": ("kgmrca:reviewed <urn:x:s> ;", "", "reviewed", "review"),
    "a review of a run": ("kgmrca:reviewed <urn:x:s>", "kgmrca:reviewed <urn:x:run>", "reviewed", "review"),
    "a review without a decision": ('kgmrca:decision "corrected" ;', "", "review-decision", "review"),
    "a review that is a dispute": ('"corrected"', '"disputed"', "review-decision", "review"),
    "a review by nobody": ("prov:wasAttributedTo <urn:x:ada> ;", "", "reviewer", "review"),
    "a review by software": ("AttributedTo <urn:x:ada>", "AttributedTo <urn:x:software>", "reviewer", "review"),
    "a review without a time": ("prov:generatedAtTime", "dcterms:date", "review-time", "review"),
    "a review at a time in words": ('"2030-01-02T03:04:07Z"^^xsd:dateTime', '"noon"', "review-time", "review"),
    "two corrections": ("correction <urn:x:better>", "correction <urn:x:better>, <urn:x:s>", "correction", "review"),
    "a correction that is a document": ("correction <urn:x:better>", "correction <urn:x:doc>", "correction", "review"),
    "a decision of no kind": ('"disputed"', '"unsure"', "decision", "better"),
    "two decisions about a statement": ('"disputed"', '"disputed", "accepted"', "decision", "better"),
}


def test_a_graph_with_a_review_conforms():
    assert found(REVIEWED) == set()


@pytest.mark.parametrize("defect", REVIEW_VIOLATIONS)
def test_a_defect_of_a_review_is_found(defect):
    old, new, shape, node = REVIEW_VIOLATIONS[defect]
    assert ("violation", shape, f"<urn:x:{node}>") in found(changed(old, new, REVIEWED))


def test_a_statement_without_a_type_is_found_and_is_no_evidence():
    text = changed("a rdf:Statement ;", "")
    assert found(text) == {("violation", "type", "<urn:x:s>"), ("violation", "evidence", "<urn:x:fact>")}


WARNINGS = {
    "a subject of another type": ('"PERSON"', '"ORG"', "P19-subject", "s"),
    "an object of another type": ('"GPE"', '"PERSON"', "P19-object", "s"),
    "a literal where a thing is expected": ("rdf:object <urn:x:warsaw>", 'rdf:object "1867"', "P19-object", "s"),
    "two confidences": ("confidence 0.93", "confidence 0.93, 0.5", "one-confidence", "s"),
    "a document without an identifier": ("dcterms:identifier", "dcterms:title", "identifier", "doc"),
}  # fmt: skip


@pytest.mark.parametrize("defect", WARNINGS)
def test_a_doubt_is_a_warning_and_the_graph_conforms(defect):
    old, new, shape, node = WARNINGS[defect]
    text = changed(old, new)
    assert found(text) == {("warning", shape, f"<urn:x:{node}>")}
    assert check(text).conforms


def test_the_finding_of_a_type_says_which_it_is_and_which_it_should_be():
    (finding,) = check(changed('"PERSON"', '"ORG"')).findings
    assert finding.value == '"ORG"'
    assert "subject of 'place of birth' should be PER" in finding.message


@pytest.mark.parametrize("types", ['"ORG", "PERSON"', '"ORG", "GENE"', '"person"'])
def test_one_type_that_fits_or_is_not_known_is_enough(types):
    assert found(changed('"PERSON"', types)) == set()


def test_a_time_may_be_a_literal():
    text = changed("rdf:predicate wdt:P19 ; rdf:object <urn:x:warsaw>", 'rdf:predicate wdt:P569 ; rdf:object "1867"')
    assert found(text) == set()


@pytest.mark.parametrize("provenance", OTHERWISE)
def test_types_are_compared_whatever_shape_the_statement_has(provenance):
    assert found(said(provenance, changed('"GPE"', '"PERSON"'))) == {("warning", "P19-object", "<urn:x:s>")}


@pytest.mark.parametrize("provenance", OTHERWISE)
def test_where_a_statement_was_read_is_checked_whatever_shape_it_has(provenance):
    text = said(provenance, changed("doc#char=24,30", "other#char=24,30"))
    assert found(text) == {("violation", "mention-document", "<urn:x:s>")}


def test_every_relation_has_shapes():
    names = [predicate.rpartition("/")[2] for predicate in load_properties()]
    triples = pyoxigraph.parse(module._relation_shapes(), pyoxigraph.RdfFormat.N_TRIPLES)
    made = {triple.subject.value.rpartition("#")[2] for triple in triples}
    assert made == {f"{name}-{end}" for name in names for end in ("subject", "object")}


OTHER_SHAPES = {
    "a graph without a triple": ("graphs", "{ <urn:x:curie> wdt:P19 <urn:x:warsaw> }", "{}",
                                 {"subject", "predicate", "object"}),
    "a graph with two triples": ("graphs", "<urn:x:warsaw> }", "<urn:x:warsaw>, <urn:x:poland> }", {"object"}),
    "two triple terms": ("rdf12", ")>> ;", ")>>, <<( <urn:x:curie> wdt:P20 <urn:x:warsaw> )>> ;", {"predicate"}),
    "nothing reified": ("rdf12", "rdf:reifies <<( <urn:x:curie> wdt:P19 <urn:x:warsaw> )>> ;", "",
                        {"subject", "predicate", "object"}),
    "no link to the node": ("wikidata", "<urn:x:curie> p:P19 <urn:x:s> .", "", {"subject"}),
    "a link by another property": ("wikidata", "<urn:x:curie> p:P19 ", "<urn:x:curie> p:P20 ", {"predicate"}),
    "two values": ("wikidata", "ps:P19 <urn:x:warsaw>", "ps:P19 <urn:x:warsaw>, <urn:x:poland>", {"object"}),
}  # fmt: skip


@pytest.mark.parametrize("defect", OTHER_SHAPES)
def test_a_statement_in_another_shape_says_one_thing(defect):
    provenance, old, new, names = OTHER_SHAPES[defect]
    text = changed(old, new, said(provenance))
    assert found(text) == {("violation", name, "<urn:x:s>") for name in names}


def test_a_wikidata_statement_with_a_predicate_of_our_own_is_read_back(nlp):
    text = said("wikidata").replace("ps:P19", "<urn:x:prop/statement/http%3A%2F%2Fe.org%2Fbirth>")
    text = text.replace("p:P19", "<urn:x:prop/http%3A%2F%2Fe.org%2Fbirth>")
    assert found(text) == set()


def test_statements_of_others_need_only_what_rdf_requires():
    theirs = "<urn:x:theirs> a rdf:Statement ; rdf:subject [] ; rdf:predicate wdt:P19 ; rdf:object <urn:x:y> ."
    assert found(VALID + theirs) == set()
    assert found(VALID + changed("rdf:subject [] ;", "", theirs)) == {("violation", "subject", "<urn:x:theirs>")}


def test_triple_terms_that_are_no_statement_are_counted_and_not_checked():
    report = check(VALID + "<urn:x:a> <urn:x:says> <<( <urn:x:b> <urn:x:c> <urn:x:d> )>> .")
    assert (report.findings, report.not_checked) == ([], 1)
    assert "1 triples with triple terms" in report.as_text()


BROKEN = VALID
for _old, _new, *_ in (VIOLATIONS["no subject"], VIOLATIONS["a digest too short"], VIOLATIONS["a cluster of two items"],
                       VIOLATIONS["a mention that ends where it starts"], WARNINGS["a subject of another type"],
                       VIOLATIONS["a document that is not there"]):  # fmt: skip
    BROKEN = changed(_old, _new, BROKEN)


@pytest.mark.parametrize("provenance", OTHERWISE)
@pytest.mark.parametrize("block", [1, 2, 5])
def test_blocks_of_any_size_give_the_same_report(provenance, block):
    text = said(provenance, changed('"PERSON"', '"ORG"', changed("char=24,30", "char=30,30")))
    assert check(text).findings
    assert check(text, block=block) == check(text)


@pytest.mark.parametrize("block", [1, 2])
def test_a_defective_graph_gives_the_same_report_in_blocks(block):
    assert len(check(BROKEN).findings) >= 5
    assert check(BROKEN, block=block) == check(BROKEN)


@pytest.mark.parametrize("block", [1, 100])
def test_a_mention_that_is_described_itself_is_checked_too(block):
    text = changed("char=24,30", "char=24,9") + "<urn:x:doc#char=24,9> a kgmrca:Mention ."
    assert found(text, block=block) == {("violation", "mention-order", "<urn:x:doc#char=24,9>")}


def test_processes_give_the_same_report():
    assert check(BROKEN, block=4, workers=2) == check(BROKEN)


@pytest.mark.parametrize("provenance", OTHERWISE)
def test_the_order_of_the_triples_makes_no_difference(tmp_path, provenance):
    quads = {str(quad) for quad in pyoxigraph.parse(said(provenance), pyoxigraph.RdfFormat.TRIG)}
    path = tmp_path / "graph.nq"
    # By their last characters, so that hardly two of one subject stand together.
    path.write_text("".join(f"{quad} .\n" for quad in sorted(quads, key=lambda quad: quad[::-1])))
    report = validate(path, block=1, progress=False)
    assert (report.findings, report.statements) == ([], 1)


def test_a_node_in_two_files_is_checked_as_one(tmp_path):
    triples = [str(triple) for triple in pyoxigraph.parse(VALID, pyoxigraph.RdfFormat.TURTLE)]
    paths = [tmp_path / "a.nt", tmp_path / "b.nt"]
    for path, part in zip(paths, (triples[::2], triples[1::2]), strict=True):
        path.write_text("".join(f"{triple} .\n" for triple in part))
    assert validate(paths, block=1, progress=False).findings == []
    assert not validate(paths[0], progress=False).conforms


def test_blank_nodes_of_two_files_are_not_one(tmp_path):
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(changed("; sh:targetNode ex:eve", "", USERS))
    for name, age in (("a.nt", 1), ("b.nt", 2)):
        (tmp_path / name).write_text(f'_:x <{EX}age> "{age}"^^<http://www.w3.org/2001/XMLSchema#integer> .\n')
    report = validate([tmp_path / "a.nt", tmp_path / "b.nt"], shapes=shapes, progress=False)
    assert (report.findings, report.nodes) == ([], 2)


def test_no_more_findings_are_kept_than_asked_for_but_all_are_counted():
    text = VALID + "".join(f"<urn:x:e{number}> kgmrca:entityType 'PER' ." for number in range(5))
    report = check(text, limit=2, block=1)
    assert [finding.node for finding in report.findings] == ["<urn:x:e0>", "<urn:x:e1>"]
    assert report.counts == {("violation", "https://w3id.org/kgmrca/shapes#entity-label"): 5}
    assert "and 3 more" in report.as_text()


def test_the_text_says_what_is_wrong_where_and_how_often():
    lines = check(changed("confidence 0.93", "confidence 1.5")).as_text().splitlines()
    assert lines[0] == "violation shapes:confidence-value: 1"
    assert lines[1].startswith("  A kgmrca:confidence is a number from 0 to 1")
    assert lines[2] == '    <urn:x:s>  kgmrca:confidence  "1.5"^^xsd:decimal'
    assert lines[3].startswith("does not conform: 1 × violation; ")


def test_the_json_says_everything():
    report = json.loads(check(changed("confidence 0.93", "confidence 1.5")).as_json())
    assert (report["conforms"], report["statements"]) == (False, 1)
    assert [one["count"] for one in report["counts"]] == [1]
    assert report["findings"][0]["value"] == '"1.5"^^<http://www.w3.org/2001/XMLSchema#decimal>'


@pytest.mark.parametrize("text", [VALID, BROKEN])
def test_the_shacl_report_is_one(text):
    report = check(text)
    graph = rdflib.Graph().parse(data=report.as_shacl(), format="turtle")
    (node,) = graph.subjects(rdflib.RDF.type, SH.ValidationReport)
    assert graph.value(node, SH.conforms).toPython() is (not report.findings)
    results = list(graph.objects(node, SH.result))
    assert len(results) == len(report.findings)
    for result in results:
        for needed in (SH.focusNode, SH.resultSeverity, SH.sourceConstraintComponent, SH.sourceShape, SH.resultMessage):
            assert graph.value(result, needed) is not None
    assert {str(graph.value(result, SH.focusNode)) for result in results} == {
        finding.node[1:-1] for finding in report.findings
    }


EX = "http://example.org/"
USERS = f"""
@prefix ex: <{EX}> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
ex:Person a sh:NodeShape ; sh:targetClass ex:Animal ; sh:targetSubjectsOf ex:age ; sh:targetNode ex:eve ;
    sh:property [ sh:path ex:age ; sh:minCount 1 ; sh:maxCount 1 ] ;
    sh:property [ sh:path ( ex:knows ex:age ) ; sh:minInclusive 18 ; sh:severity sh:Info ;
        sh:message "A \\"child\\"!"@en ] .
"""


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "shapes.ttl"
    path.write_text(USERS)
    return path


@pytest.mark.parametrize("block", [1, 100])
def test_shapes_of_the_user_take_the_place_of_ours(users, block):
    text = (
        f"@prefix ex: <{EX}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> ."
        "ex:Dog rdfs:subClassOf ex:Mammal . ex:Mammal rdfs:subClassOf ex:Animal ."
        "ex:rex a ex:Dog ; ex:knows ex:ann . ex:ann ex:age 5 . ex:bob ex:age 40 ; ex:knows ex:ann, ex:eve ."
        "ex:no <https://w3id.org/kgmrca#entityType> 5 ."
    )
    report = check(text, shapes=users, block=block)
    assert {(finding.severity, finding.node, finding.path, finding.value) for finding in report.findings} == {
        ("violation", f"<{EX}rex>", f"<{EX}age>", None),
        ("violation", f"<{EX}eve>", f"<{EX}age>", None),
        ("info", f"<{EX}rex>", f"( <{EX}knows> <{EX}age> )", '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("info", f"<{EX}bob>", f"( <{EX}knows> <{EX}age> )", '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    }
    assert {finding.shape for finding in report.findings} == {f"{EX}Person"}
    assert report.counts == {("violation", f"{EX}Person"): 2, ("info", f"{EX}Person"): 2}
    rdflib.Graph().parse(data=report.as_shacl(), format="turtle")


def test_a_closed_shape_sees_predicates_that_it_does_not_name(users):
    users.write_text(changed("sh:targetClass", "sh:closed true ; sh:targetClass", USERS))
    report = check(f"@prefix ex: <{EX}> . ex:ann ex:age 5 ; ex:secret 1 .", shapes=users)
    assert [finding.path for finding in report.findings if finding.node == f"<{EX}ann>"] == [f"<{EX}secret>"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"<{EX}a> a <{EX}b> .", "no shape with a target"),
        ("<urn:x", "shapes.ttl, line 1"),
        (USERS.replace("sh:maxCount 1", 'sh:maxCount "one"'), "SHACL does not allow: "),
        (USERS.replace("sh:maxCount 1", 'sh:pattern "("'), "The shapes cannot be used: "),
        (USERS.replace("sh:maxCount 1", 'sh:sparql [ sh:select "SELECT nonsense" ]'), "The shapes cannot be used: "),
        (USERS.replace("ex:Person a", "ex:Person sh:path ex:age ; a"), "The shapes cannot be used: "),
    ],
)
def test_shapes_that_cannot_be_used_are_refused(users, content, message):
    users.write_text(content)
    with pytest.raises(InputError, match=message):
        check(f"<{EX}ann> <{EX}age> 5 .", shapes=users)


def test_what_is_not_rdf_is_said_with_file_and_line(tmp_path):
    path = tmp_path / "graph.nt"
    path.write_text("<urn:x:a> <urn:x:b> <urn:x:c> .\n<urn:x:a> <urn:x:b")
    with pytest.raises(InputError, match=r"graph\.nt, line 2: this is not ntriples, or it is cut"):
        validate(path, progress=False)


def test_compressed_files_are_read_and_cut_ones_refused(tmp_path):
    path = tmp_path / "graph.ttl.gz"
    path.write_bytes(gzip.compress(VALID.encode()))
    assert validate(path, progress=False).findings == []
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"graph\.ttl\.gz: the compressed data are damaged or cut"):
        validate(path, progress=False)


class Waiting(io.BytesIO):
    """A stream that waits before it is read, and says that it is read."""

    def __init__(self, text, before, begun):
        super().__init__(text.encode())
        self._before, self._begun = before, begun

    def read(self, size=-1):
        self._begun.set()
        assert self._before.wait(60)
        return super().read(size)


def test_validating_in_two_threads_at_once_leaves_no_trace():
    logger = logging.getLogger("rdflib.term")
    before = logger.level, list(logger.filters)
    first_begun, second_begun, first_done = threading.Event(), threading.Event(), threading.Event()
    reports = {}

    def first():
        reports["first"] = validate(Waiting(VALID, second_begun, first_begun), progress=False)
        first_done.set()

    def second():
        assert first_begun.wait(60)
        reports["second"] = validate(Waiting(VALID, first_done, second_begun), progress=False)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reports[name].conforms for name in ("first", "second")] == [True, True]
    assert (logger.level, list(logger.filters)) == before


def test_warnings_of_another_thread_are_shown_while_a_graph_is_validated(caplog):
    begun, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: validate(Waiting(VALID, done, begun), progress=False))
    thread.start()
    assert begun.wait(60)
    logging.getLogger("rdflib.term").warning("of this thread")
    done.set()
    thread.join()
    assert "of this thread" in caplog.messages


def test_an_unknown_format_is_refused():
    with pytest.raises(InputError, match="no format 'n3'"):
        check(VALID, input_format="n3")


def test_a_missing_library_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyshacl", None)
    with pytest.raises(InputError, match=re.escape("pip install 'kgmrca[validate]'")):
        check(VALID)


def test_an_empty_graph_conforms():
    report = check("")
    assert (report.conforms, report.triples, report.nodes) == (True, 0, 0)


def test_the_shapes_are_as_shacl_has_them_and_explain_themselves():
    graph = rdflib.Graph().parse(resource("ontologies/shapes.ttl"))
    made = module._relation_shapes().decode()
    graph.parse(data=made, format="nt")
    assert pyshacl.validate(rdflib.Graph(), shacl_graph=graph, meta_shacl=True)[0]
    for shape in graph.subjects(rdflib.RDF.type, SH.PropertyShape):
        for needed in (SH.name, SH.description, SH.message, SH.path):
            assert len(list(graph.objects(shape, needed))) == 1, (shape, needed)


def test_every_shape_of_the_file_is_tested():
    graph = rdflib.Graph().parse(resource("ontologies/shapes.ttl"))
    names = {shape.rpartition("#")[2] for shape in graph.subjects(rdflib.RDF.type, SH.PropertyShape)}
    tested = [*VIOLATIONS.values(), *REVIEW_VIOLATIONS.values(), *WARNINGS.values()]
    assert names <= {"type"} | {shape for _, _, shape, _ in tested}


def test_the_shapes_name_terms_that_the_vocabulary_defines():
    vocabulary = rdflib.Graph().parse(resource("ontologies/kgmrca.ttl"))
    graph = rdflib.Graph().parse(resource("ontologies/shapes.ttl"))
    used = {term for triple in graph for term in triple if str(term).startswith("https://w3id.org/kgmrca#")}
    assert used <= set(vocabulary.subjects())
