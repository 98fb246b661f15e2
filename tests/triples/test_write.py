import io
import os
from datetime import datetime, timezone
from pathlib import Path

import pyoxigraph
import pytest
import spacy
from helpers import TEXT, read_rdf
from rdflib import Graph
from spacy.tokens import Span

from kgmrca.errors import InputError
from kgmrca.relations import Relation, set_relations
from kgmrca.resources import resource
from kgmrca.triples.records import Run, sentence_digest
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples, format_of, run_triples, whole_file, write

BASE = "urn:kgmrca:"
KGMRCA = "https://w3id.org/kgmrca#"
WDT = "http://www.wikidata.org/prop/direct/"
HOSTILE = 'a "q" \\ <b>\x00\x07\r\n\t\u2028\ufffe é😀'
WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def written(triples, format="turtle", base=BASE):
    out = io.BytesIO()
    write(triples, out, format=format, base=base)
    return out.getvalue()


def of_document(doc, *, run=None, meta=None, identifier="doc"):
    return document_triples(identifier, statements(doc, document_id=identifier, run=run), base=BASE, meta=meta)


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
    rdf_ns, prov = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/ns/prov#"
    assert about(rdf, statement.iri) == {
        (rdf_ns + "type", f"<{rdf_ns}Statement>"),
        (rdf_ns + "subject", f"<{statement.subject}>"),
        (rdf_ns + "predicate", f"<{WDT}P19>"),
        (rdf_ns + "object", f"<{statement.object}>"),
        (KGMRCA + "confidence", '"0.9"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
        (KGMRCA + "relationLabel", '"place of birth"'),
        (KGMRCA + "subjectMention", "<urn:kgmrca:document/doc#char=0,11>"),
        (KGMRCA + "objectMention", "<urn:kgmrca:document/doc#char=24,30>"),
        (KGMRCA + "sentence", "<urn:kgmrca:document/doc#char=0,31>"),
        (KGMRCA + "sentenceDigest", f'"{sentence_digest("Marie Curie was born in Warsaw.")}"'),
        (prov + "wasDerivedFrom", "<urn:kgmrca:document/doc>"),
        (prov + "wasGeneratedBy", f"<{run.iri()}>"),
    }


def test_an_entity_has_its_name_type_and_facts(doc):
    birth, date, *_ = statements(doc, document_id="doc")
    assert about(read_rdf(written(of_document(doc))), birth.subject) == {
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


def test_no_triple_is_written_twice(nlp, run):
    triples = [*of_document(nlp(TEXT + " " + TEXT), run=run), *of_run(run)]
    assert len(triples) == len(set(triples))


def test_each_subject_is_written_in_one_go(doc, run):
    subjects = [triple.subject for triple in (*of_document(doc, run=run), *of_run(run))]
    runs = [subject for subject, before in zip(subjects, [None, *subjects], strict=False) if subject != before]
    assert len(runs) == len(set(runs))


def test_mentions_are_written_in_full_in_turtle(doc):
    assert b"<urn:kgmrca:document/doc#char=0,11>" in written(of_document(doc))


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
    triples = document_triples("doc", [], base=BASE, meta={key: value})
    assert (f"<{predicate}>", literal) in [(str(triple.predicate), str(triple.object)) for triple in triples]


def test_metadata_without_a_value_is_left_out():
    assert len(list(document_triples("doc", [], base=BASE, meta={"title": None}))) == 2


def test_hostile_text_is_read_alike_by_both_libraries(run):
    doc = spacy.blank("en")(HOSTILE)
    everything = Span(doc, 0, len(doc), label=HOSTILE, kb_id=HOSTILE)
    set_relations(doc, [Relation(everything, everything, HOSTILE, 0.5)])
    triples = list(of_document(doc, identifier=HOSTILE, meta={HOSTILE: HOSTILE, "l": [HOSTILE]}, run=run))
    for format in ("turtle", "ntriples"):
        assert len(read_rdf(written(triples, format), format)) == len(triples)


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


def test_every_term_that_is_written_is_defined(doc, run):
    rdf = read_rdf(written([*of_document(doc, run=run), *of_run(run)]))
    used = {term[1:-1] for triple in rdf for term in triple if term.startswith(f"<{KGMRCA}")}
    assert used
    assert used <= {str(term) for term in Graph().parse(resource("ontologies/kgmrca.ttl")).subjects()}


def test_triples_are_taken_as_they_are_written():
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError("disk full")

    taken = 0

    def endless():
        nonlocal taken
        node = pyoxigraph.NamedNode("urn:x")
        while True:
            taken += 1
            yield pyoxigraph.Triple(node, node, node)

    with pytest.raises(OSError, match="disk full"):
        write(endless(), Full(), format="ntriples", base=BASE)
    assert taken < 100_000


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_file_leaves_no_trace(tmp_path, doc, error):
    def interrupted():
        yield from of_document(doc)
        raise error

    path = tmp_path / "graph.ttl"
    with pytest.raises(error), whole_file(path) as out:
        write(interrupted(), out, format="turtle", base=BASE)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_file_leaves_the_one_before(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_bytes(b"old")
    with pytest.raises(ValueError), whole_file(path) as out:  # noqa: PT012
        out.write(b"new")
        raise ValueError
    assert path.read_bytes() == b"old"


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "graph.ttl"
    with whole_file(path) as out:
        out.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"


def test_a_file_has_the_usual_permissions(tmp_path):
    ordinary, path = tmp_path / "ordinary", tmp_path / "graph.ttl"
    ordinary.touch()
    with whole_file(path):
        pass
    assert path.stat().st_mode == ordinary.stat().st_mode


def test_a_symbolic_link_stays_one(tmp_path):
    link = tmp_path / "link.ttl"
    link.symlink_to(tmp_path / "graph.ttl")
    with whole_file(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "graph.ttl").read_bytes() == b"new"


def test_a_device_is_not_replaced():
    device = Path(os.devnull)
    with whole_file(device) as out:
        out.write(b"new")
    assert not device.is_file()


@pytest.mark.parametrize(("name", "format"), [("a.ttl", "turtle"), ("a.b.NT", "ntriples")])
def test_the_extension_says_the_format(name, format):
    assert format_of(Path(name)) == format


def test_an_extension_without_a_format_is_refused():
    with pytest.raises(InputError, match=r"'graph.rdf' does not say its format: end it in .ttl or .nt"):
        format_of(Path("graph.rdf"))
