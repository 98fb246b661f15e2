import csv
from pathlib import Path

import pytest
from rdflib import OWL, RDF, RDFS, Graph, URIRef

from kgmrca.errors import InputError
from kgmrca.ontology import TYPES, Mapped, load_mapping, load_ontology, load_types, wikidata_predicate
from kgmrca.resources import resource

KNOWLEDGENET = "ontologies/knowledgenet.sssom.tsv"
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


@pytest.mark.parametrize(("name", "label"), [("P19", "place of birth"), ("P999999", None), ("place of birth", None)])
def test_a_wikidata_property_has_the_label_that_stands_for_it(name, label):
    assert load_ontology().label_of(name) == label


def table(name):
    lines = resource(name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader([line for line in lines if not line.startswith("#")], delimiter="\t"))


@pytest.mark.parametrize("column", ["subject_id", "subject_label", "object_id", "object_label"])
def test_each_of_the_174_shipped_labels_stands_for_a_property_of_its_own(column):
    rows = table("ontologies/relations.sssom.tsv")
    assert len({row[column] for row in rows}) == len(rows) == len(load_ontology().predicates) == 174


def test_the_shipped_labels_are_in_the_order_of_their_properties():
    numbers = [int(row["object_id"].removeprefix("wikidata:P")) for row in table("ontologies/relations.sssom.tsv")]
    assert numbers == sorted(numbers)


def test_the_shipped_labels_have_no_stray_spaces():
    assert all(" ".join(label.split()) == label for label in load_ontology().predicates)


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


def test_a_predicate_of_a_data_set_gets_our_label(mapping):
    path = mapping("d:1\tNATIONALITY\tskos:exactMatch\twikidata:P27\n")
    assert load_mapping(path) == {"NATIONALITY": Mapped("country of citizenship", reversed=False)}


def test_a_close_match_is_used(mapping):
    path = mapping("d:1\tNATIONALITY\tskos:closeMatch\twikidata:P27\n")
    assert load_mapping(path) == {"NATIONALITY": Mapped("country of citizenship", reversed=False)}


def test_an_inverse_exchanges_subject_and_object(mapping):
    path = mapping("d:1\tCHILD_OF\towl:inverseOf\twikidata:P40\n")
    assert load_mapping(path) == {"CHILD_OF": Mapped("child", reversed=True)}


@pytest.mark.parametrize("match", ["skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch"])
def test_a_predicate_without_a_property_of_its_own_is_known_but_has_no_label(mapping, match):
    path = mapping(f"d:1\tWORKS\t{match}\twikidata:P108\nd:1\tWORKS\t{match}\twikidata:P463\n")
    assert load_mapping(path) == {"WORKS": None}


NARROW, USED = "d:1\tWORKS\tskos:narrowMatch\twikidata:P463\n", "d:1\tWORKS\tskos:closeMatch\twikidata:P108\n"


@pytest.mark.parametrize("rows", [NARROW + USED, USED + NARROW, USED + USED])
def test_further_rows_of_a_predicate_do_not_hide_its_label(mapping, rows):
    assert load_mapping(mapping(rows)) == {"WORKS": Mapped("employer", reversed=False)}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("d:1\tA\tskos:exactMatch\n", "line 5: 4 cells are expected"),
        ("d:1\tA\tskos:sameAs\twikidata:P40\n", "line 5: 'skos:sameAs' is none of owl:inverseOf"),
        ("d:1\tA\tskos:narrowMatch\tfoo:P40\n", "line 5: the prefix of 'foo:P40'"),
        ("d:1\tA\tskos:exactMatch\twikidata:Q40\n", "line 5: 'wikidata:Q40' is not a Wikidata property"),
        ("d:1\tA\tskos:exactMatch\twikidata:P999999\n", "line 5: no label stands for 'wikidata:P999999'"),
        ("d:1\tA\tskos:exactMatch\tex:a\n", "line 5: no label stands for 'ex:a'"),
        (USED + USED.replace("P108", "P463"), "line 6: the predicate 'WORKS' already stands for another label"),
        (USED + USED.replace("skos:closeMatch", "owl:inverseOf"), "line 6: the predicate 'WORKS' already"),
    ],
)
def test_a_malformed_row_of_a_data_set_mapping_is_named_with_its_line(mapping, rows, reason):
    path = mapping(rows)
    with pytest.raises(InputError, match="mapping.sssom.tsv, " + reason):
        load_mapping(path)


def test_a_data_set_mapping_without_its_columns_is_refused(mapping):
    path = mapping("", columns="subject_id\tsubject_label\n")
    with pytest.raises(InputError, match="line 4: the columns predicate_id, object_id are missing"):
        load_mapping(path)


def test_every_predicate_of_knowledgenet_is_mapped():
    mapping = load_mapping(resource(KNOWLEDGENET))
    assert len(mapping) == 15
    assert {name for name, mapped in mapping.items() if mapped is None} == {"EMPLOYEE_OR_MEMBER_OF"}


def test_a_predicate_of_knowledgenet_has_one_row_unless_its_properties_are_narrower():
    rows = table(KNOWLEDGENET)
    used = [row["subject_label"] for row in rows if row["predicate_id"] != "skos:narrowMatch"]
    assert len(used) == len(set(used)) == 14
    assert not set(used) & {row["subject_label"] for row in rows if row["predicate_id"] == "skos:narrowMatch"}


def test_every_object_of_the_knowledgenet_mapping_has_the_label_we_give_it():
    for row in table(KNOWLEDGENET):
        assert load_ontology().label_of(row["object_id"].removeprefix("wikidata:")) == row["object_label"]


def test_only_child_of_has_subject_and_object_exchanged():
    mapping = load_mapping(resource(KNOWLEDGENET))
    assert [name for name, mapped in mapping.items() if mapped and mapped.reversed] == ["CHILD_OF"]


@pytest.fixture
def types(tmp_path):
    def write(rows: str, *, columns: str = "label\tsubject_types\tobject_types\n") -> Path:
        path = tmp_path / "types.tsv"
        path.write_text("# A comment.\n" + columns + rows, encoding="utf-8")
        return path

    return write


def test_a_label_has_the_types_of_its_subject_and_of_its_object(types):
    path = types("founded by\tORG\tPER|ORG\n")
    assert load_types(path) == {"founded by": (frozenset({"ORG"}), frozenset({"PER", "ORG"}))}


def test_the_types_are_read_once():
    assert load_types() is load_types()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("a\tORG\n", "line 3: 3 cells are expected"),
        ("a\tORG\tPER|PERSON\n", "line 3: 'PERSON' is not a type; these are: LOC, MISC"),
        ("a\t\tPER\n", "line 3: '' is not a type"),
        ("a\tORG\tPER|\n", "line 3: '' is not a type"),
        ("a\tORG\tPER\na\tORG\tPER\n", "line 4: the label 'a' has a row already"),
    ],
)
def test_a_malformed_row_of_types_is_named_with_its_line(types, rows, reason):
    path = types(rows)
    with pytest.raises(InputError, match=r"types\.tsv, " + reason):
        load_types(path)


def test_a_table_of_types_without_its_columns_is_refused(types):
    path = types("", columns="label\tsubject_types\n")
    with pytest.raises(InputError, match="line 2: the columns object_types are missing"):
        load_types(path)


def test_every_shipped_label_has_types_in_the_same_order():
    assert list(load_types()) == list(load_ontology().predicates)


def test_every_type_is_used_for_some_label():
    assert frozenset().union(*(types for row in load_types().values() for types in row)) == TYPES


@pytest.mark.parametrize(("label", "inverse"), [("part of", "has part(s)"), ("capital", "capital of")])
def test_an_inverse_has_the_types_exchanged(label, inverse):
    assert load_types()[label] == load_types()[inverse][::-1]


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
