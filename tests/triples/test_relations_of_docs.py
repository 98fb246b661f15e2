"""Which document a Doc is of, and what is taken for Docs."""

import io
from types import SimpleNamespace

import pyoxigraph
import pytest
import rdflib
import spacy
from helpers import TEXT
from spacy.tokens import DocBin

import kgmrca
from kgmrca.convert import convert
from kgmrca.corpora.documents import ID
from kgmrca.errors import InputError, ModelError
from kgmrca.graph.merging.merge import merge
from kgmrca.triples.iris import Iris, text_digest
from kgmrca.triples.read import read_rdf
from kgmrca.triples.records import Statement

ONE, OTHER = "Marie Curie was born in Warsaw.", "Marie Curie was born in Poland."


def documents(path):
    return {found.document for found in read_rdf(path) if isinstance(found, Statement)}


def subjects(path):
    return {found.subject for found in read_rdf(path) if isinstance(found, Statement)}


def test_name_and_text_together_are_the_document():
    iris = Iris()
    given = [("a.txt", "1"), ("a.txt", "2"), ("b.txt", "1"), ("a.txt@", "1"), ("", "1"), ("folder/a.txt", "1")]
    found = [iris.document(name, text_digest(text)) for name, text in given]
    assert len(set(found)) == len(found)
    assert found == [iris.document(name, text_digest(text)) for name, text in given]


def test_the_digest_is_the_beginning_of_the_files_sha256():
    assert text_digest("abc") == "ba7816bf8f01cfea4141"
    assert text_digest("\ud800") != text_digest("\ud801")


def test_two_letters_of_two_folders_stay_two_documents_when_merged(tmp_path, nlp):
    for folder, text in (("a", ONE), ("b", OTHER)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "letter.txt").write_text(text, encoding="utf-8")
        convert(tmp_path / folder, tmp_path / f"{folder}.ttl", nlp=nlp, progress=False)
    merge([tmp_path / "a.ttl", tmp_path / "b.ttl"], tmp_path / "both.ttl", progress=False)
    assert len(documents(tmp_path / "both.ttl")) == 2
    assert len(subjects(tmp_path / "both.ttl")) == 2


def test_the_same_file_is_the_same_document_in_every_run(tmp_path, nlp):
    (tmp_path / "letter.txt").write_text(ONE, encoding="utf-8")
    for name in ("1.ttl", "2.ttl"):
        convert(tmp_path / "letter.txt", tmp_path / name, nlp=nlp, progress=False)
    merge([tmp_path / "1.ttl", tmp_path / "2.ttl"], tmp_path / "both.ttl", progress=False)
    assert documents(tmp_path / "both.ttl") == {f"urn:kgmrca:document/letter.txt@{text_digest(ONE)}"}


def test_records_with_one_id_and_two_texts_are_two_documents(tmp_path, nlp):
    (tmp_path / "in.jsonl").write_text(f'{{"id": "x", "text": "{ONE}"}}\n{{"id": "x", "text": "{OTHER}"}}\n')
    convert(tmp_path / "in.jsonl", tmp_path / "out.nt", nlp=nlp, progress=False)
    assert documents(tmp_path / "out.nt") == {f"urn:kgmrca:document/x@{text_digest(text)}" for text in (ONE, OTHER)}


def test_two_texts_from_standard_input_are_two_documents(tmp_path, nlp, monkeypatch):
    found = set()
    for text in (ONE, OTHER):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
        convert("-", tmp_path / "out.nt", nlp=nlp, progress=False)
        found |= documents(tmp_path / "out.nt")
    assert found == {f"urn:kgmrca:document/stdin@{text_digest(text)}" for text in (ONE, OTHER)}


def test_a_graph_with_documents_by_name_only_is_merged_with_one_of_today(tmp_path, nlp):
    (tmp_path / "letter.txt").write_text(ONE, encoding="utf-8")
    convert(tmp_path / "letter.txt", tmp_path / "new.nt", nlp=nlp, progress=False)
    old = (tmp_path / "new.nt").read_text(encoding="utf-8").replace(f"@{text_digest(ONE)}", "")
    (tmp_path / "old.nt").write_text(old.replace("statement/", "statement/0"), encoding="utf-8")
    merge([tmp_path / "old.nt", tmp_path / "new.nt"], tmp_path / "both.nt", progress=False)
    name = "urn:kgmrca:document/letter.txt"
    assert documents(tmp_path / "both.nt") == {name, f"{name}@{text_digest(ONE)}"}


def test_a_doc_without_a_name_is_named_by_its_text(nlp):
    one, same, other = nlp(ONE), nlp(ONE), nlp(OTHER)
    (iri,) = {found.document for found in kgmrca.statements(one)}
    assert iri == f"urn:kgmrca:document/@{text_digest(ONE)}"
    assert {found.document for found in kgmrca.statements(same)} == {iri}
    assert {found.document for found in kgmrca.statements(other)} != {iri}
    assert (rdflib.URIRef(iri), rdflib.DCTERMS.identifier, rdflib.Literal(text_digest(ONE))) in kgmrca.to_graph(one)


def test_a_doc_with_a_name_keeps_it(nlp):
    doc = nlp(ONE)
    doc.user_data[ID] = "mine"
    (iri,) = {found.document for found in kgmrca.statements(doc)}
    assert iri == f"urn:kgmrca:document/mine@{text_digest(ONE)}"
    assert {found.document for found in kgmrca.statements(doc, document_id="yours")} == {
        f"urn:kgmrca:document/yours@{text_digest(ONE)}"
    }


def from_statements(docs):
    return sorted(found.iri for found in kgmrca.statements(docs))


def from_graph(docs):
    graph = kgmrca.to_graph(docs)
    return sorted(str(node) for node in graph.subjects(rdflib.RDF.type, rdflib.RDF.Statement))


def from_added(docs):
    graph = rdflib.Graph()
    kgmrca.add_to(graph, docs)
    return sorted(str(node) for node in graph.subjects(rdflib.RDF.type, rdflib.RDF.Statement))


def from_networkx(docs):
    return sorted(key for *_, key in kgmrca.to_networkx(docs).edges(keys=True))


TAKERS = [from_statements, from_graph, from_added, from_networkx]


@pytest.mark.parametrize("taker", TAKERS)
def test_one_doc_lists_tuples_and_generators_are_taken_alike(taker, nlp):
    docs = [nlp(ONE), nlp(TEXT)]
    expected = from_statements(docs)
    assert len(expected) == 6
    assert taker(docs) == taker(tuple(docs)) == taker(doc for doc in docs) == taker(iter(docs)) == expected
    assert sorted(taker(docs[0]) + taker(docs[1])) == expected
    named = taker(nlp.pipe([(ONE, "a"), (TEXT, 2)], as_tuples=True))
    assert len(named) == 6
    assert not {*named} & {*expected}
    assert taker([]) == taker(iter(())) == []


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (ONE, r"not str \('Marie Curie.*A text becomes a Doc by nlp\(text\)"),
        ([ONE], r"not str \('Marie Curie.*A text becomes a Doc by nlp\(text\)"),
        (None, r"is expected, not None\."),
        ([None], r"is expected, not None\."),
        (7, r"not int \(7\)"),
        ({"a": 1}, r"not dict"),
        (spacy.blank("en")(ONE)[0:2], r"not Span \(Marie Curie\)\. Give its Doc"),
        (spacy.blank("en")(ONE)[0], r"not Token \(Marie\)\. Give its Doc"),
        (spacy.blank("en"), r"Give what it makes of texts"),
        (DocBin(), r"docbin\.get_docs\(nlp\.vocab\)"),
        ([(ONE, "id")], r"not tuple"),
    ],
)
def test_what_is_no_doc_is_refused_in_words(taker, given, message):
    with pytest.raises(InputError, match=message):
        taker(given)


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("pack", [lambda doc: doc, lambda doc: [doc], lambda doc: iter([doc])])
def test_docs_without_relations_are_refused_in_words(taker, pack):
    with pytest.raises(ModelError, match=r"No component set doc\._\.relations"):
        taker(pack(spacy.blank("en")(ONE)))


def test_the_id_of_one_doc_is_not_for_several(nlp):
    with pytest.raises(InputError, match=r"give several as \(Doc, id\)"):
        kgmrca.statements([nlp(ONE)], document_id="a")


def test_statements_and_what_is_read_of_a_file_are_taken_by_to_networkx(nlp):
    docs = [nlp(ONE), nlp(TEXT)]
    found = list(kgmrca.statements(docs))
    quad = pyoxigraph.Quad(*[pyoxigraph.NamedNode("urn:x")] * 3)
    for records in (found, iter(found), [quad, *found]):
        assert from_networkx(records) == from_statements(docs)
    with pytest.raises(InputError, match="threshold can be chosen for Docs only"):
        kgmrca.to_networkx(found, threshold=0.5)


def test_options_are_for_docs_in_all_functions_alike(nlp):
    doc = nlp(TEXT)
    options = {"threshold": 0.75, "ontology": "dbpedia"}
    predicates = {found.predicate for found in kgmrca.statements(doc, **options)}
    assert "http://dbpedia.org/ontology/birthPlace" in predicates
    assert {data["predicate"] for *_, data in kgmrca.to_networkx(doc, **options).edges(data=True)} == predicates
    assert {str(found) for found in kgmrca.to_graph(doc, **options).objects(None, rdflib.RDF.predicate)} == predicates


def test_an_id_names_one_doc_in_all_functions_alike(nlp):
    doc, graph = nlp(ONE), rdflib.Graph()
    expected = f"urn:kgmrca:document/mine@{text_digest(ONE)}"
    kgmrca.add_to(graph, doc, document_id="mine")
    assert rdflib.URIRef(expected) in graph.all_nodes()
    assert rdflib.URIRef(expected) in kgmrca.to_graph(doc, document_id="mine").all_nodes()
    edges = kgmrca.to_networkx(doc, document_id="mine").edges(data=True)
    assert {data["document"] for *_, data in edges} == {expected}
    for taker in (kgmrca.to_graph, kgmrca.to_networkx):
        with pytest.raises(InputError, match=r"give several as \(Doc, id\)"):
            taker([doc], document_id="mine")


@pytest.mark.parametrize("name", ["statements", "to_graph", "to_networkx"])
def test_an_argument_that_is_none_is_told_of_the_function_that_was_called(nlp, name):
    with pytest.raises(TypeError, match=rf"^{name}\(\)"):
        getattr(kgmrca, name)(nlp(ONE), nonsense=1)


def test_a_doc_of_spacys_from_docs_is_told_of_ours(nlp):
    with pytest.raises(ModelError, match=r"kgmrca\.from_docs"):
        kgmrca.statements(spacy.tokens.Doc.from_docs([nlp.make_doc(ONE), nlp.make_doc(OTHER)]))


def test_arguments_that_cannot_be_are_told_in_words(nlp):
    doc = nlp(ONE)
    for graph, docs in ((doc, rdflib.Graph()), (None, doc)):
        with pytest.raises(InputError, match=r"first argument of add_to is an rdflib\.Graph, not"):
            kgmrca.add_to(graph, docs)
    for number in ("x", None, True, float("nan")):
        with pytest.raises(InputError, match="assert_above is a number, not"):
            kgmrca.to_graph(doc, assert_above=number)
    for taker in (kgmrca.to_graph, kgmrca.to_networkx, from_statements):
        with pytest.raises(InputError, match="not None"):
            taker([(doc, None)])
