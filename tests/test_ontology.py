import copy
import gzip
import os
import pickle
from pathlib import Path

import pytest
from rdflib import Graph

from kgmrca.errors import InputError
from kgmrca.ontology import (
    ONTOLOGIES,
    Mapped,
    Ontology,
    load_mapping,
    load_ontology,
    load_properties,
    load_types,
    wikidata_predicate,
)
from kgmrca.resources import resource

WDT = "http://www.wikidata.org/prop/direct/"
EX = "http://example.org/"
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


def test_an_object_outside_wikidata_is_the_predicate_itself(mapping):
    path = mapping("l:1\tborn in\tskos:exactMatch\tex:birthPlace\n")
    assert load_ontology(path).predicate("born in") == "http://example.org/birthPlace"


def test_an_ontology_that_ships_is_known_by_its_name():
    assert load_ontology("dbpedia").predicate("place of birth") == "http://dbpedia.org/ontology/birthPlace"
    assert load_ontology("schema").predicate("place of birth") == "https://schema.org/birthPlace"


def test_without_a_name_the_predicates_are_those_of_wikidata():
    assert load_ontology() == load_ontology("wikidata")


@pytest.mark.parametrize("ontology", ["freebase", "no/such/file.ttl", Path("dbpedia")])
def test_what_is_neither_a_name_nor_a_file_is_refused(ontology):
    with pytest.raises(InputError, match=r"There is no ontology '.*': choose wikidata, dbpedia, schema, or a file"):
        load_ontology(ontology)


@pytest.mark.parametrize("match", ["skos:exactMatch", "skos:closeMatch", "skos:broadMatch"])
def test_what_is_no_narrower_than_the_label_is_written(mapping, match):
    ontology = load_ontology(mapping(f"l:1\tborn in\t{match}\tex:birthPlace\n"))
    assert (ontology.predicate("born in"), ontology.is_reversed("born in")) == (EX + "birthPlace", False)


@pytest.mark.parametrize("match", ["skos:narrowMatch", "skos:relatedMatch"])
def test_what_says_more_than_the_label_or_something_else_is_not_written(mapping, match):
    path = mapping(f"l:1\tborn in\t{match}\tex:birthPlace\n")
    assert load_ontology(path).predicate("born in") is None


def test_a_label_for_which_no_term_was_found_has_no_predicate(mapping):
    path = mapping("l:1\tborn in\tskos:exactMatch\tsssom:NoTermFound\n")
    assert load_ontology(path).predicate("born in") is None


def test_an_inverse_property_is_written_reversed(mapping):
    ontology = load_ontology(mapping("l:1\tchild\towl:inverseOf\tex:parent\n"))
    assert (ontology.predicate("child"), ontology.is_reversed("child")) == (EX + "parent", True)


CLOSER_LAST = ["skos:broadMatch", "skos:closeMatch", "owl:inverseOf", "skos:exactMatch"]


@pytest.mark.parametrize("order", [CLOSER_LAST, CLOSER_LAST[::-1]])
@pytest.mark.parametrize("best", range(1, 5))
def test_of_several_matches_the_closest_is_written(mapping, order, best):
    ranks = [match for match in order if match in CLOSER_LAST[:best]]
    ontology = load_ontology(mapping("".join(f"l:1\ta\t{match}\tex:{match[5:]}\n" for match in ranks)))
    assert ontology.predicate("a") == EX + CLOSER_LAST[best - 1][5:]
    assert ontology.is_reversed("a") == (CLOSER_LAST[best - 1] == "owl:inverseOf")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("l:1\tborn in\tskos:exactMatch\n", "line 5: 4 cells are expected"),
        ("l:1\tborn in\tskos:exactMatch\tex:a\tmore\n", "line 5: 4 cells are expected"),
        ("l:1\tborn in\tskos:exactMatch\tfoo:a\n", "line 5: the prefix of 'foo:a'"),
        ("l:1\tborn in\tskos:exactMatch\twikidata:Q5\n", "line 5: 'wikidata:Q5' is not a Wikidata property"),
        (
            "l:1\ta\tskos:exactMatch\tex:a\nl:2\ta\tskos:exactMatch\tex:b\n",
            "line 6: the label 'a' already stands for .*a",
        ),
        ("l:1\ta\tskos:sameAs\tex:a\n", "line 5: 'skos:sameAs' is none of owl:inverseOf, skos:broadMatch"),
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


def test_a_predicate_for_which_no_term_was_found_is_known_but_has_no_label(mapping):
    assert load_mapping(mapping("d:1\tWORKS\tskos:exactMatch\tsssom:NoTermFound\n")) == {"WORKS": None}


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


@pytest.fixture
def ontology(tmp_path):
    def write(content: str, *, name: str = "own.ttl") -> Path:
        path = tmp_path / name
        prefixes = {
            "": EX,
            "owl": "http://www.w3.org/2002/07/owl#",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "schema": "https://schema.org/",
            "skos": "http://www.w3.org/2004/02/skos/core#",
            "wd": "http://www.wikidata.org/entity/",
            "wdt": WDT,
        }
        header = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in prefixes.items())
        path.write_text(header + content, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", ["rdfs:label", "skos:prefLabel", "skos:altLabel"])
@pytest.mark.parametrize("label", ['"place of birth"', '"Place  of\\nBirth"@en'])
def test_a_property_is_known_by_its_names(ontology, name, label):
    path = ontology(f":bornIn a rdf:Property ; {name} {label} .")
    assert load_ontology(path).predicate("place of birth") == EX + "bornIn"


@pytest.mark.parametrize(
    "what",
    [
        "a owl:ObjectProperty",
        "a owl:DatatypeProperty",
        "rdfs:domain :Person",
        "rdfs:range :Place",
        "rdfs:subPropertyOf :p",
    ],
)
def test_what_is_used_like_a_property_is_one(ontology, what):
    assert load_ontology(ontology(f':bornIn {what} ; rdfs:label "born in" .')).predicate("born in") == EX + "bornIn"


@pytest.mark.parametrize("what", ["a owl:Class", "a skos:Concept", "rdfs:comment 'A thing.'"])
def test_what_is_no_property_stands_for_no_label(ontology, what):
    assert load_ontology(ontology(f':Country {what} ; rdfs:label "country" .')).predicate("country") is None


@pytest.mark.parametrize(
    "link",
    ["skos:exactMatch wd:P19", "owl:equivalentProperty wdt:P19", "schema:sameAs wd:P19", "skos:closeMatch wd:P19"],
)
@pytest.mark.parametrize("label", ["place of birth", "P19"])
def test_a_property_is_known_by_its_link_to_wikidata(ontology, link, label):
    found = load_ontology(ontology(f":bornIn {link} ."))
    assert (found.predicate(label), found.is_reversed(label)) == (EX + "bornIn", False)


def test_the_inverse_of_a_wikidata_property_is_reversed(ontology):
    found = load_ontology(ontology(":birthplaceOf owl:inverseOf wd:P19 ."))
    assert (found.predicate("place of birth"), found.is_reversed("place of birth")) == (EX + "birthplaceOf", True)


def test_a_link_counts_more_than_a_name(ontology):
    path = ontology(':a a rdf:Property ; rdfs:label "place of birth" . :b skos:exactMatch wd:P19 .')
    assert load_ontology(path).predicate("place of birth") == EX + "b"


def test_two_properties_with_the_same_name_are_named(ontology):
    found = load_ontology(ontology(':a rdfs:label "Spouse"; rdfs:range :P . :b rdfs:label "spouse"; rdfs:range :P .'))
    with pytest.raises(InputError, match=r"both 'http://example.org/a' and 'http://example.org/b' .* label 'spouse'"):
        found.predicate("spouse")


def test_two_properties_with_the_same_name_hinder_no_other(ontology):
    path = ontology(':a rdfs:label "x"; rdfs:range :P . :b rdfs:label "x"; rdfs:range :P . :c skos:exactMatch wd:P26 .')
    assert load_ontology(path).predicate("spouse") == EX + "c"


def test_what_a_blank_node_says_is_left_alone(ontology):
    path = ontology('[] rdfs:label "spouse"; rdfs:range :P . :c skos:exactMatch wd:P26 ; rdfs:seeAlso [] .')
    assert load_ontology(path).predicate("spouse") == EX + "c"


def test_what_an_ontology_imports_is_not_fetched(ontology):
    path = ontology(
        "<http://127.0.0.1:1/o> a owl:Ontology ; owl:imports <http://127.0.0.1:1/x> . :c skos:exactMatch wd:P26 ."
    )
    assert load_ontology(path).predicate("spouse") == EX + "c"


@pytest.mark.parametrize(
    ("name", "format"),
    [("o.rdf", "xml"), ("o.owl", "xml"), ("o.nt", "nt"), ("o.jsonld", "json-ld"), ("O.TTL", "turtle")],
)
def test_an_ontology_can_be_in_any_format(ontology, tmp_path, name, format):
    source = ontology(":bornIn skos:exactMatch wd:P19 .", name="source.ttl")
    path = tmp_path / name
    Graph().parse(source).serialize(path, format=format, encoding="utf-8")
    assert load_ontology(path).predicate("place of birth") == EX + "bornIn"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("own.ttl", b"<a> <b>", "own.ttl' cannot be read: "),
        ("own.rdf", b"<rdf", "own.rdf' cannot be read: "),
        (
            "own.jsonld",
            b'{"@context": "http://127.0.0.1:1/"}',
            "own.jsonld' cannot be read: its JSON-LD @context is at another address",
        ),
        ("own.tsv", b"\xff", "own.tsv, line 1: this is no table in UTF-8"),
        ("own.foo", b"", "own.foo' does not say its format: end it in .tsv"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        load_ontology(path)


def test_the_relations_that_ship_are_an_ontology_of_their_own():
    found = load_ontology(resource("ontologies/relations.ttl"))
    assert found.predicate("place of birth") == "https://w3id.org/kgmrca/relation/place-of-birth"
    assert found.predicate("IUCN conservation status") == "https://w3id.org/kgmrca/relation/iucn-conservation-status"


@pytest.mark.parametrize(("name", "label"), [("P36", "capital"), ("P569", "date of birth"), ("P26", "spouse")])
def test_what_is_known_of_a_label_is_found_by_its_wikidata_predicate(name, label):
    assert load_properties()[WDT + name].label == label


def test_a_property_knows_its_inverse_by_predicate():
    assert load_properties()[WDT + "P36"].inverse == WDT + "P1376"
    assert load_properties()[WDT + "P19"].inverse is None


def test_a_property_knows_whether_it_is_symmetric_and_single_valued():
    spouse, birth = load_properties()[WDT + "P26"], load_properties()[WDT + "P569"]
    assert (spouse.symmetric, spouse.single_valued) == (True, False)
    assert (birth.symmetric, birth.single_valued) == (False, True)


def test_a_label_has_the_types_of_its_subject_and_of_its_object():
    assert load_types()["date of birth"] == ({"PER"}, {"TIME"})


@pytest.mark.parametrize("load", [load_types, load_properties])
def test_what_is_known_of_the_labels_is_read_once(load):
    assert load() is load()


@pytest.mark.parametrize("name", ONTOLOGIES)
def test_an_ontology_is_read_once(name):
    assert load_ontology(name) is load_ontology(name)


@pytest.mark.parametrize("name", ["P", "P0", "P1x", "Q1", "p19", "P19\n", "P１"])
def test_what_is_not_a_property_has_no_direct_predicate(name):
    assert wikidata_predicate(name) is None


def test_a_file_that_has_changed_is_read_again(tmp_path):
    path = tmp_path / "own.tsv"
    for time, name in enumerate(("first", "other")):  # of one size
        path.write_text(f"{HEADER}{COLUMNS}x\tauthor\tskos:exactMatch\tex:{name}\n", encoding="utf-8")
        os.utime(path, ns=(time, time))
        assert load_ontology(path).predicate("author") == f"{EX}{name}"


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path):
    path = tmp_path / "own.tsv"
    path.write_bytes(resource(ONTOLOGIES["wikidata"]).read_bytes())
    assert load_ontology(path) is load_ontology(str(path))


@pytest.mark.parametrize("load", [load_properties, load_types, lambda: load_ontology().predicates, lambda: ONTOLOGIES])
def test_what_is_shared_cannot_be_changed(load):
    shared = load()
    key = next(iter(shared))
    with pytest.raises(TypeError):
        shared[key] = None
    with pytest.raises(AttributeError):
        shared.clear()
    with pytest.raises((AttributeError, TypeError)):
        shared[key].label = "x"


def test_an_ontology_is_a_copy_of_what_it_was_made_of():
    given = {"author": "http://example.org/author"}
    ontology = Ontology(given)
    given.clear()
    assert ontology.predicate("author") == "http://example.org/author"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_an_ontology_can_be_copied_and_sent_to_another_process(copied):
    ontology = load_ontology("schema")
    assert copied(ontology) == ontology


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_ontology_may_be_compressed_and_have_a_mark(tmp_path, pack):
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#Property"
    contents = {
        "own.ttl": f'<{EX}p> a <{rdf}> ; <http://www.w3.org/2000/01/rdf-schema#label> "author" .',
        "own.tsv": f"{HEADER}subject_label\tpredicate_id\tobject_id\nauthor\tskos:exactMatch\tex:p\n",
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(pack(b"\xef\xbb\xbf" + content.encode()))
        assert load_ontology(path).predicate("author") == f"{EX}p"
