"""The examples of each provenance in `ontologies/README.md` are what is really written, and RDF."""

import io
import re
from dataclasses import replace
from decimal import Decimal

import pyoxigraph
import pytest
from helpers import read_rdf

from kgmrca.resources import resource
from kgmrca.triples.formats import FORMATS, PROVENANCE, prefixes, write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, mention_iri, text_digest
from kgmrca.triples.records import DocumentEntity, Mention, Run, Statement, sentence_digest
from kgmrca.triples.write import document_triples

SENTENCE = "Marie Curie was born in Warsaw."
LANGUAGE = {provenance: "trig" if provenance == "graphs" else "turtle" for provenance in PROVENANCE}


def statement():
    iris = Iris()
    document = iris.document("curie.txt", text_digest(SENTENCE))
    spans = [(0, 11, "PER"), (24, 30, "LOC"), (0, 31, "")]
    subject, object_, sentence = (
        Mention(mention_iri(document, start, end), start, end, SENTENCE[start:end], type_)
        for start, end, type_ in spans
    )
    return Statement(
        iri=iris.statement("an example"),
        subject=iris.entity(document, subject.text),
        predicate="http://www.wikidata.org/prop/direct/P19",
        object=iris.entity(document, object_.text),
        object_is_literal=False,
        object_datatype=None,
        label="place of birth",
        confidence=Decimal("0.914"),
        document=document,
        subject_mention=subject,
        object_mention=object_,
        sentence=sentence,
        sentence_digest=sentence_digest(SENTENCE),
        run=Run("en_kgmrca_sm", "0.1.0", "", "{}", software_version="0.1.0").iri(),
    )


TWO_SENTENCES = "Marie Curie, or Madame Curie, loved her work. The birthplace was Warsaw."


def statement_of_two_sentences():
    iris, text = Iris(), TWO_SENTENCES
    document = iris.document("curie.txt", text_digest(text))

    def at(words, type_=""):
        start = text.index(words)
        return Mention(mention_iri(document, start, start + len(words)), start, start + len(words), words, type_)

    names = at("Marie Curie", "PER"), at("Madame Curie", "PER")
    sentences = at("Marie Curie, or Madame Curie, loved her work."), at("The birthplace was Warsaw.")
    return replace(
        statement(),
        iri=iris.statement("another example"),
        subject=iris.entity(document, "Marie Curie"),
        object=iris.entity(document, "Warsaw"),
        document=document,
        subject_mention=names[0],
        object_mention=at("Warsaw", "LOC"),
        sentence=sentences[0],
        sentence_digest=sentence_digest(text),
        object_sentence=sentences[1],
        subject_entity=DocumentEntity(tuple(name.text for name in names), (*names, at("her", "PER"))),
    )


def as_written(provenance, made=None):
    """What is written of the statement, without the prefixes and what describes the document."""
    made = made or statement()
    triples = document_triples(made.document, "curie.txt", [made], base=DEFAULT_BASE, provenance=provenance)
    document = pyoxigraph.NamedNode(made.document)
    out = io.BytesIO()
    kept = (triple for triple in triples if triple.subject != document)
    write(kept, out, format=LANGUAGE[provenance], base=DEFAULT_BASE)
    return "".join(
        line for line in out.getvalue().decode().splitlines(keepends=True) if not line.startswith("@prefix ")
    )


@pytest.fixture(scope="module")
def examples():
    text = resource("ontologies/README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^## (\w+)$.*?^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_there_is_an_example_of_each_provenance(examples):
    assert examples.keys() == PROVENANCE.keys()


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_an_example_is_what_is_written(examples, provenance):
    assert examples[provenance] == as_written(provenance)


def test_the_example_of_several_mentions_is_what_is_written():
    text = resource("ontologies/README.md").read_text(encoding="utf-8")
    example = re.search(r"^## Several mentions.*?^```turtle\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example[1] == as_written("statements", statement_of_two_sentences())


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_an_example_is_rdf(examples, provenance):
    head = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in prefixes(DEFAULT_BASE).items())
    data = (head + examples[provenance]).encode()
    if provenance == "rdf12":  # which rdflib cannot read
        assert list(pyoxigraph.parse(data, FORMATS[LANGUAGE[provenance]]))
    else:
        assert read_rdf(data, LANGUAGE[provenance])
