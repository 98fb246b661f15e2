import pyoxigraph
import pytest
from helpers import read_rdf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdflib import Graph

from kgmrca.errors import InputError
from kgmrca.triples.iris import Iris, clean_text, has_local_name, mention_iri, quoted, text_digest

ANYTHING = st.text(st.characters(categories=None), max_size=40)
HOSTILE = 'a b<c>"d\\e{f}|^`%41\x00\x1f\x7f\u2028é😀\ud800#?/../'


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=ANYTHING)
@example(text=HOSTILE)
@example(text="")
@example(text="..")
def test_any_text_makes_iris_that_both_libraries_read_alike(text):
    iris = Iris("http://example.org/")
    document = iris.document(text, text_digest(text))
    nodes = [iris.relation(text), iris.meta(text), iris.entity(document, text), mention_iri(document, 0, 5), document]
    triples = [pyoxigraph.Triple(*(pyoxigraph.NamedNode(iri) for iri in (document, nodes[0], node))) for node in nodes]
    data = pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.TURTLE)
    assert len(read_rdf(data)) == len(set(nodes))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=ANYTHING)
@example(text=HOSTILE)
def test_any_text_makes_a_literal_that_both_libraries_read_alike(text):
    triple = pyoxigraph.Triple(
        pyoxigraph.NamedNode("a:b"), pyoxigraph.NamedNode("a:c"), pyoxigraph.Literal(clean_text(text))
    )
    for name, format in (("turtle", pyoxigraph.RdfFormat.TURTLE), ("ntriples", pyoxigraph.RdfFormat.N_TRIPLES)):
        read_rdf(pyoxigraph.serialize([triple], format=format), name)


def test_any_literal_can_be_written_as_rdf_xml():
    triple = pyoxigraph.Triple(
        pyoxigraph.NamedNode("a:b"), pyoxigraph.NamedNode("a:c"), pyoxigraph.Literal(clean_text(HOSTILE))
    )
    data = pyoxigraph.serialize([triple], format=pyoxigraph.RdfFormat.RDF_XML)
    assert len(Graph().parse(data=data, format="xml")) == 1


@settings(max_examples=150, deadline=None, derandomize=True)
@given(one=ANYTHING, other=ANYTHING)
@example(one="1", other="1_")
@example(one="a_", other="a")
@example(one="", other="_")
def test_any_text_makes_a_predicate_of_its_own_that_rdf_xml_can_hold(one, other):
    predicates = [Iris().relation(text) for text in (one, other)]
    assert all(map(has_local_name, predicates))
    assert (predicates[0] == predicates[1]) == (quoted(one) == quoted(other))


@pytest.mark.parametrize(("label", "end"), [("born in", "born%20in"), ("1867", "1867_"), ("a_", "a__"), ("", "_")])
def test_a_label_that_ends_in_no_name_gets_an_underscore(label, end):
    assert Iris().relation(label) == f"urn:kgmrca:relation/{end}"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(one=st.text("./%2E eF", max_size=8), other=st.text("./%2E eF", max_size=8), slashes=st.booleans())
def test_two_texts_are_never_quoted_alike(one, other, slashes):
    assert (quoted(one, slashes=slashes) == quoted(other, slashes=slashes)) == (one == other)


@pytest.mark.parametrize("text", ["a/../b", "../a", "a//b", "/a", "a/", "./a", ".", ".."])
def test_a_path_that_would_be_resolved_away_keeps_no_dots_or_slashes(text):
    done = quoted(text, slashes=True)
    assert "/" not in done
    assert done not in (".", "..")


def test_a_plain_path_keeps_its_slashes():
    assert quoted("folder/a file.txt", slashes=True) == "folder/a%20file.txt"


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    assert quoted("\ud800") == quoted("\ufffd") == "%EF%BF%BD"


def test_the_same_name_in_one_document_is_one_entity():
    iris = Iris()
    assert iris.entity("urn:d", "Zu\u0308rich  AIRPORT") == iris.entity("urn:d", "Zürich\nairport")


def test_the_same_name_in_two_documents_is_two_entities():
    iris = Iris()
    assert iris.entity("urn:d", "Zürich") != iris.entity("urn:e", "Zürich")


@pytest.mark.parametrize(
    "base", ["", "relative/", "http://example.org", "http://example.org/#", "http://a b/", "urn:<x>:"]
)
def test_a_base_that_cannot_begin_an_iri_is_refused(base):
    with pytest.raises(InputError, match="base"):
        Iris(base)
