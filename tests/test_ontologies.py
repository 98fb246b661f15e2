"""What the files in `ontologies/` must hold together."""

import csv
import re
from collections import defaultdict
from urllib.parse import quote

import pyoxigraph
import pytest
from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, Graph, Literal, Namespace, URIRef

from kgmrca.extraction.relations.component import load
from kgmrca.ontology import (
    ONTOLOGIES,
    TYPES,
    WIKIDATA_ENTITY,
    load_mapping,
    load_ontology,
    load_properties,
    load_types,
    wikidata_predicate,
)
from kgmrca.resources import SHIPPED, resource

FOLDER = resource("ontologies")
TABLES = sorted(FOLDER.glob("*.sssom.tsv"))
TURTLE = sorted(FOLDER.rglob("*.ttl"))
DATA_SETS = {"knowledgenet": 15, "nyt": 24, "webnlg": 216}
COLUMNS = [
    "subject_id",
    "subject_label",
    "predicate_id",
    "object_id",
    "object_label",
    "mapping_justification",
    "confidence",
]
MATCHES = {
    "skos:exactMatch": SKOS.exactMatch,
    "skos:closeMatch": SKOS.closeMatch,
    "skos:broadMatch": SKOS.broadMatch,
    "skos:narrowMatch": SKOS.narrowMatch,
    "skos:relatedMatch": SKOS.relatedMatch,
    "owl:inverseOf": OWL.inverseOf,
}
NO_TERM = "sssom:NoTermFound"
KGMRCA = Namespace("https://w3id.org/kgmrca#")
RELATION = Namespace("https://w3id.org/kgmrca/relation/")
SCHEMA = Namespace("https://schema.org/")
TYPE = Namespace("https://w3id.org/kgmrca/type/")
VANN = Namespace("http://purl.org/vocab/vann/")


def name(path):
    return str(path.relative_to(FOLDER))


def header(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r'#( +)?([\w-]+): "([^"]+)"', line) for line in lines if line.startswith("#"))
    return {match[2]: match[3] for match in found if match}


def rows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader([line for line in lines if not line.startswith("#")], delimiter="\t"))


def graph(path):
    return Graph().parse(path)


@pytest.fixture(scope="module")
def relations():
    return graph(FOLDER / "relations.ttl")


### All SSSOM tables


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_a_mapping_says_what_it_is_and_how_it_may_be_used(path):
    about = header(path)
    assert about["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert {"mapping_set_id", "mapping_set_title", "mapping_set_version", "mapping_set_description"} <= set(about)


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_a_mapping_has_its_columns_with_justification_and_confidence(path):
    found = rows(path)
    assert list(found[0]) == COLUMNS
    assert {row["mapping_justification"] for row in found} == {"semapv:ManualMappingCuration"}
    assert all(0.5 <= float(row["confidence"]) <= 1 for row in found)


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_every_cell_of_a_mapping_is_filled_but_for_what_was_not_found(path):
    for row in rows(path):
        assert all(row[column] for column in COLUMNS if column != "object_label")
        assert bool(row["object_label"]) == (row["object_id"] != NO_TERM)


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_every_prefix_of_a_mapping_is_in_its_header_and_used(path):
    columns = ("subject_id", "predicate_id", "object_id", "mapping_justification")
    used = {row[column].partition(":")[0] for row in rows(path) for column in columns}
    assert used <= set(header(path))
    text = path.read_text(encoding="utf-8")
    assert all(f'#  {prefix}: "http' in text for prefix in used)


@pytest.mark.parametrize("path", TABLES, ids=name)
def test_the_same_subject_and_object_stand_in_one_row_only(path):
    pairs = [(row["subject_id"], row["object_id"]) for row in rows(path)]
    assert len(set(pairs)) == len(pairs)
    assert len({row["subject_label"] for row in rows(path)}) == len({row["subject_id"] for row in rows(path)})


### Our labels


@pytest.mark.parametrize("column", ["subject_id", "subject_label", "object_id", "object_label"])
def test_each_of_the_shipped_labels_stands_for_a_property_of_its_own(column):
    found = rows(FOLDER / "relations.sssom.tsv")
    assert len({row[column] for row in found}) == len(found) == len(load_ontology().predicates) == 183
    assert {row["predicate_id"] for row in found} == {"skos:exactMatch"}


def test_the_shipped_labels_are_in_the_order_of_their_properties():
    numbers = [int(row["object_id"].removeprefix("wikidata:P")) for row in rows(FOLDER / "relations.sssom.tsv")]
    assert numbers == sorted(numbers)


def test_the_shipped_labels_have_no_stray_spaces():
    assert all(" ".join(label.split()) == label for label in load_ontology().predicates)


def test_a_label_has_one_iri_in_all_tables():
    iris = defaultdict(set)
    for ontology in ONTOLOGIES.values():
        for row in rows(resource(ontology)):
            iris[row["subject_label"]].add(row["subject_id"])
    assert set(iris) == set(load_types())
    assert {len(known) for known in iris.values()} == {1}


@pytest.mark.parametrize("ontology", ONTOLOGIES)
def test_the_labels_of_an_ontology_are_in_the_order_of_our_own(ontology):
    labels = list(load_ontology(ontology).predicates)
    assert labels == [label for label in load_ontology().predicates if label in labels]


def test_every_label_of_the_pipeline_has_an_exact_mapping_and_a_property():
    labels = load().get_pipe("mrca_relations").labels
    assert len(labels) > 100, SHIPPED
    assert set(labels) <= set(load_ontology().predicates)
    assert set(labels) <= set(load_types())


@pytest.mark.parametrize(
    ("ontology", "label", "predicate", "is_reversed"),
    [
        ("dbpedia", "capital", "http://dbpedia.org/ontology/capital", False),
        ("dbpedia", "capital of", "http://dbpedia.org/ontology/capital", True),
        ("dbpedia", "author", "http://dbpedia.org/ontology/author", False),
        ("dbpedia", "notable work", "http://dbpedia.org/ontology/notableWork", False),
        ("dbpedia", "member of sports team", "http://dbpedia.org/ontology/team", False),
        ("dbpedia", "coach of sports team", "http://dbpedia.org/ontology/coach", True),
        ("schema", "father", "https://schema.org/parent", False),
        ("schema", "child", "https://schema.org/children", False),
        ("schema", "founded by", "https://schema.org/founder", False),
        ("schema", "coach of sports team", "https://schema.org/coach", True),
    ],
)
def test_a_predicate_runs_the_way_its_ontology_defines_it(ontology, label, predicate, is_reversed):
    found = load_ontology(ontology)
    assert (found.predicate(label), found.is_reversed(label)) == (predicate, is_reversed)


@pytest.mark.parametrize("ontology", ONTOLOGIES)
def test_an_inverse_written_with_the_same_predicate_is_reversed(ontology):
    found = load_ontology(ontology)
    labels = {predicate: known.label for predicate, known in load_properties().items()}
    for known in load_properties().values():
        if known.inverse and found.predicate(known.label) == found.predicate(labels[known.inverse]) is not None:
            assert found.is_reversed(known.label) != found.is_reversed(labels[known.inverse])


### Our labels as properties


def test_each_label_is_a_property_with_the_iri_and_the_wikidata_property_of_its_row(relations):
    expected = {
        (
            RELATION + row["subject_id"].removeprefix("label:"),
            row["subject_label"],
            WIKIDATA_ENTITY + row["object_id"].removeprefix("wikidata:"),
        )
        for row in rows(FOLDER / "relations.sssom.tsv")
    }
    found = {
        (str(relation), str(relations.value(relation, RDFS.label)), str(item))
        for relation, item in relations.subject_objects(SKOS.exactMatch)
    }
    assert found == expected


def test_the_types_are_those_of_the_scheme_and_each_is_explained_and_used(relations):
    assert {str(term).removeprefix(TYPE) for term in relations.subjects(RDF.type, OWL.Class)} == TYPES
    assert all((TYPE[term], predicate, None) in relations for term in TYPES for predicate in (RDFS.label, RDFS.comment))
    assert frozenset().union(*(types for pair in load_types().values() for types in pair)) == TYPES


def test_every_label_has_types_in_the_order_of_the_table():
    assert list(load_types()) == list(load_ontology().predicates)
    assert all(subjects and objects for subjects, objects in load_types().values())


def test_what_takes_values_only_is_a_datatype_property(relations):
    for relation in relations.subjects(SCHEMA.rangeIncludes):
        takes_values = set(relations.objects(relation, SCHEMA.rangeIncludes)) <= {TYPE.TIME, TYPE.NUM}
        kind, other = (OWL.DatatypeProperty, OWL.ObjectProperty)[:: 1 if takes_values else -1]
        assert (relation, RDF.type, kind) in relations
        assert (relation, RDF.type, other) not in relations


def test_inverses_are_mutual_and_have_the_types_exchanged():
    properties = load_properties()
    inverses = {predicate: known.inverse for predicate, known in properties.items() if known.inverse}
    assert len(inverses) == 18
    for predicate, inverse in inverses.items():
        assert inverses[inverse] == predicate != inverse
        assert properties[inverse].subject_types == properties[predicate].object_types


def test_what_is_symmetric_has_the_same_types_on_both_sides_and_no_inverse():
    symmetric = [known for known in load_properties().values() if known.symmetric]
    assert {"spouse", "sibling"} <= {known.label for known in symmetric}
    assert all(known.subject_types == known.object_types and known.inverse is None for known in symmetric)


def test_few_labels_are_single_valued():
    assert {known.label for known in load_properties().values() if known.single_valued} == {
        *("place of birth", "place of death", "date of birth", "date of death", "father", "mother"),
        *("inception", "dissolved, abolished or demolished date", "start time", "end time"),
    }


@pytest.mark.parametrize(
    ("label", "subject", "object_"),
    [
        ("place of birth", "PER", "LOC"),
        ("date of death", "PER", "TIME"),
        ("country of citizenship", "PER", "LOC"),
        ("occupation", "PER", "TERM"),
        ("cost", "ORG", "NUM"),
    ],
)
def test_a_usual_pair_of_types_is_allowed_and_its_reverse_is_not(label, subject, object_):
    subjects, objects = load_types()[label]
    assert subject in subjects
    assert object_ in objects
    assert not (object_ in subjects and subject in objects)


### Data sets


@pytest.mark.parametrize(("data_set", "count"), DATA_SETS.items())
def test_every_predicate_of_a_data_set_is_listed(data_set, count):
    assert len(load_mapping(FOLDER / f"{data_set}.sssom.tsv")) == count


@pytest.mark.parametrize(
    ("data_set", "unmapped"),
    [
        ("knowledgenet", {"EMPLOYEE_OR_MEMBER_OF"}),
        (
            "nyt",
            {
                "/business/company/advisors",
                "/business/company/major_shareholders",
                "/business/company_shareholder/major_shareholder_of",
                "/location/location/contains",
                "/people/ethnicity/geographic_distribution",
            },
        ),
    ],
)
def test_few_predicates_have_no_label(data_set, unmapped):
    mapping = load_mapping(FOLDER / f"{data_set}.sssom.tsv")
    assert {predicate for predicate, mapped in mapping.items() if mapped is None} == unmapped


def test_the_larger_part_of_webnlg_is_listed_as_not_found():
    found = rows(FOLDER / "webnlg.sssom.tsv")
    assert sum(row["object_id"] == NO_TERM for row in found) == 119


@pytest.mark.parametrize(
    ("data_set", "reversed_"),
    [
        ("knowledgenet", {"CHILD_OF": "child"}),
        (
            "nyt",
            {"/people/ethnicity/people": "ethnic group", "/sports/sports_team_location/teams": "headquarters location"},
        ),
        ("webnlg", {"crewMembers": "astronaut mission", "manager": "coach of sports team"}),
    ],
)
def test_subject_and_object_are_exchanged_where_the_data_has_it_so(data_set, reversed_):
    mapping = load_mapping(FOLDER / f"{data_set}.sssom.tsv")
    assert {name: mapped.label for name, mapped in mapping.items() if mapped and mapped.reversed} == reversed_


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_a_predicate_has_one_row_unless_all_say_that_it_has_no_label(data_set):
    by_subject = defaultdict(list)
    for row in rows(FOLDER / f"{data_set}.sssom.tsv"):
        by_subject[row["subject_label"]].append(row)
    for found in by_subject.values():
        assert len(found) == 1 or {row["predicate_id"] for row in found} == {"skos:narrowMatch"}


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_every_object_has_the_label_that_we_give_it(data_set):
    for row in rows(FOLDER / f"{data_set}.sssom.tsv"):
        if row["object_id"] != NO_TERM:
            assert load_ontology().label_of(row["object_id"].removeprefix("wikidata:")) == row["object_label"]


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_the_iri_of_a_predicate_is_made_of_its_name(data_set):
    for row in rows(FOLDER / f"{data_set}.sssom.tsv"):
        label = row["subject_label"]
        local = label.strip("/").replace("/", ".") if data_set == "nyt" else quote(label, safe="")
        assert row["subject_id"].partition(":")[2] == local


@pytest.mark.parametrize(("data_set", "count"), DATA_SETS.items())
def test_a_scheme_says_the_same_as_the_mapping_of_its_data_set(data_set, count):
    path = FOLDER / f"{data_set}.sssom.tsv"
    prefixes = header(path)
    iris = {row["object_id"]: RELATION + row["subject_id"][6:] for row in rows(FOLDER / "relations.sssom.tsv")}
    expected, notations = set(), {}
    for row in rows(path):
        prefix, _, local = row["subject_id"].partition(":")
        notations[URIRef(prefixes[prefix] + local)] = row["subject_label"]
        if row["object_id"] != NO_TERM:
            expected.add(
                (URIRef(prefixes[prefix] + local), MATCHES[row["predicate_id"]], URIRef(iris[row["object_id"]]))
            )
    scheme = graph(FOLDER / "schemes" / f"{data_set}.ttl")
    assert {triple for triple in scheme if triple[1] in MATCHES.values()} == expected
    assert {subject: str(notation) for subject, notation in scheme.subject_objects(SKOS.notation)} == notations
    assert len(list(scheme.subjects(SKOS.inScheme))) == count


@pytest.mark.parametrize(("data_set", "count"), [("redocred", 96), ("fewrel", 16), ("wiki80", 80)])
def test_the_schemes_of_wikidata_properties_are_complete_and_ours(data_set, count, relations):
    schemes = graph(FOLDER / "schemes" / "wikidata.ttl")
    members = list(schemes.subjects(SKOS.inScheme, URIRef(f"https://w3id.org/kgmrca/scheme/{data_set}")))
    assert len(members) == count
    for member in members:
        ours = schemes.value(member, SKOS.exactMatch)
        assert (ours, SKOS.exactMatch, member) in relations
        assert schemes.value(member, RDFS.label) == relations.value(ours, RDFS.label)
        assert str(member) == WIKIDATA_ENTITY + schemes.value(member, SKOS.notation)


@pytest.mark.parametrize("path", sorted((FOLDER / "schemes").glob("*.ttl")), ids=name)
def test_every_relation_of_a_scheme_has_a_label_and_every_scheme_a_title_source_and_licence(path):
    found = graph(path)
    schemes, concepts = set(found.subjects(RDF.type, SKOS.ConceptScheme)), set(found.subjects(RDF.type, SKOS.Concept))
    assert schemes
    assert all(
        (scheme, term, None) in found
        for scheme in schemes
        for term in (DCTERMS.title, DCTERMS.description, DCTERMS.source, DCTERMS.license)
    )
    assert all(set(found.objects(concept, SKOS.inScheme)) <= schemes for concept in concepts)
    assert concepts == set(found.subjects(RDFS.label)) == set(found.subjects(SKOS.inScheme))


### Turtle


@pytest.mark.parametrize("path", TURTLE, ids=name)
def test_every_ontology_is_read_alike_by_two_libraries(path):
    count = len({str(triple) for triple in pyoxigraph.parse(path=path)})
    assert len(graph(path)) == count > 0


@pytest.mark.parametrize("path", ["kgmrca.ttl", "relations.ttl"])
def test_an_ontology_says_what_it_is(path):
    found = graph(FOLDER / path)
    (ontology,) = found.subjects(RDF.type, OWL.Ontology)
    for term in (DCTERMS.title, DCTERMS.description, DCTERMS.license, DCTERMS.creator, OWL.versionInfo):
        assert (ontology, term, None) in found
    namespace = str(found.value(ontology, VANN.preferredNamespaceUri))
    prefix = str(found.value(ontology, VANN.preferredNamespacePrefix))
    assert dict(found.namespaces())[prefix] == URIRef(namespace)
    assert namespace[:-1] == str(ontology)


def test_every_term_of_the_vocabulary_is_described_once():
    found = graph(FOLDER / "kgmrca.ttl")
    terms = {term for term in found.subjects() if term in KGMRCA}
    assert terms
    for term in terms:
        assert (term, RDFS.isDefinedBy, URIRef("https://w3id.org/kgmrca")) in found
        for predicate in (RDF.type, RDFS.label, RDFS.comment):
            assert len(list(found.objects(term, predicate))) == 1
        assert isinstance(found.value(term, RDFS.label), Literal)


def test_every_term_that_the_vocabulary_speaks_of_is_described():
    found = graph(FOLDER / "kgmrca.ttl")
    terms = {term for triple in found for term in triple if isinstance(term, URIRef) and term in KGMRCA}
    assert terms == {term for term in found.subjects(RDF.type) if term in KGMRCA}


### Packaging


def test_the_wheel_takes_the_whole_folder():
    pyproject = FOLDER.parent / "pyproject.toml"
    if not pyproject.exists():
        pytest.skip("this is an installation, not a checkout")
    assert '"ontologies" = "kgmrca/ontologies"' in pyproject.read_text(encoding="utf-8")


def test_every_wikidata_property_of_a_table_is_one():
    for path in TABLES:
        for row in rows(path):
            prefix, _, local = row["object_id"].partition(":")
            assert prefix != "wikidata" or wikidata_predicate(local)
