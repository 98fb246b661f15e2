import csv
from pathlib import Path

import pytest
from rdflib import OWL, RDF, RDFS, Graph, URIRef

from kgmrca.errors import InputError
from kgmrca.ontology import load_ontology, wikidata_predicate
from kgmrca.resources import resource

HEADER = '#curie_map:\n#  wikidata: "http://www.wikidata.org/entity/"\n#  ex: "http://example.org/"\n'
COLUMNS = "subject_id\tsubject_label\tpredicate_id\tobject_id\n"


@pytest.fixture
def mapping(tmp_path):
    def write(rows: str, *, header: str = HEADER, columns: str = COLUMNS) -> Path:
        path = tmp_path / "mapping.sssom.tsv"
        path.write_text(header + columns + rows, encoding="utf-8")
        return path

    return write


def test_a_label_has_the_direct_predicate_of_its_wikidata_property():
    assert load_ontology().predicate("place of birth") == "http://www.wikidata.org/prop/direct/P19"


def test_a_label_that_is_not_mapped_has_no_predicate():
    assert load_ontology().predicate("said to haunt") is None


def test_the_shipped_mapping_has_96_labels_for_96_predicates():
    predicates = load_ontology().predicates
    assert len(predicates) == len(set(predicates.values())) == 96


def test_each_shipped_mapping_has_an_identifier_of_its_own():
    lines = resource("ontologies/relations.sssom.tsv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader([line for line in lines if not line.startswith("#")], delimiter="\t"))
    assert len({row["subject_id"] for row in rows}) == 96


def test_an_object_outside_wikidata_is_the_predicate_itself(mapping):
    path = mapping("l:1\tborn in\tskos:exactMatch\tex:birthPlace\n")
    assert load_ontology(path).predicate("born in") == "http://example.org/birthPlace"


def test_only_exact_matches_count(mapping):
    path = mapping("l:1\tborn in\tskos:broadMatch\tex:birthPlace\n")
    assert load_ontology(path).predicate("born in") is None


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("l:1\tborn in\tskos:exactMatch\n", "line 5: 4 cells are expected"),
        ("l:1\tborn in\tskos:exactMatch\tex:a\tmore\n", "line 5: 4 cells are expected"),
        ("l:1\tborn in\tskos:exactMatch\tfoo:a\n", "line 5: the prefix of 'foo:a'"),
        ("l:1\tborn in\tskos:exactMatch\twikidata:Q5\n", "line 5: 'wikidata:Q5' is not a Wikidata property"),
        ("l:1\ta\tskos:exactMatch\tex:a\nl:2\ta\tskos:exactMatch\tex:b\n", "line 6: the label 'a' already"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(mapping, rows, reason):
    path = mapping(rows)
    with pytest.raises(InputError, match="mapping.sssom.tsv, " + reason):
        load_ontology(path)


@pytest.mark.parametrize("columns", ["", "subject_id\tsubject_label\tpredicate_id\n"])
def test_missing_columns_are_named(mapping, columns):
    path = mapping("", columns=columns)
    with pytest.raises(InputError, match=r"line 4: the columns .*object_id are missing"):
        load_ontology(path)


@pytest.mark.parametrize("name", ["P", "P0", "P1x", "Q1", "p19", "P19\n", "P１"])
def test_what_is_not_a_property_has_no_direct_predicate(name):
    assert wikidata_predicate(name) is None


def test_every_term_of_the_vocabulary_is_described():
    graph = Graph().parse(resource("ontologies/kgmrca.ttl"))
    terms = {term for term in graph.subjects() if str(term).startswith("https://w3id.org/kgmrca#")}
    assert terms
    for term in terms:
        assert all((term, predicate, None) in graph for predicate in (RDF.type, RDFS.label, RDFS.comment))


def test_the_vocabulary_says_what_it_is():
    graph = Graph().parse(resource("ontologies/kgmrca.ttl"))
    assert (URIRef("https://w3id.org/kgmrca"), RDF.type, OWL.Ontology) in graph
