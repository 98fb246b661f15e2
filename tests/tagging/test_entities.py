"""Entities that a tagger learned as tags."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from kgmrca.corpora.annotated import Corpus
from kgmrca.relations import set_records

VOCAB = spacy.blank("en").vocab


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("B-PER I-PER O", [("Ann Lee", "PER")]),
        ("B-PER B-PER O", [("Ann", "PER"), ("Lee", "PER")]),
        ("I-PER I-PER O", [("Ann Lee", "PER")]),
        ("B-PER I-LOC O", [("Ann", "PER"), ("Lee", "LOC")]),
        ("O O B-PER", [("left", "PER")]),
        ("B-PER O I-PER", [("Ann", "PER"), ("left", "PER")]),
        ("O O O", []),
    ],
)
def test_tags_become_entities(tags, entities):
    nlp = spacy.blank("en")
    nlp.add_pipe("entities_from_tags")
    doc = nlp(Doc(nlp.vocab, words=["Ann", "Lee", "left"], tags=tags.split()))
    assert [(span.text, span.label_) for span in doc.ents] == entities


def test_doc_without_tags_gets_no_entities():
    nlp = spacy.blank("en")
    nlp.add_pipe("entities_from_tags")
    assert nlp("Ann Lee left").ents == ()
    assert nlp("").ents == ()


@pytest.mark.parametrize(("default", "tag"), [("outside", "O"), ("missing", "")])
def test_corpus_gives_entities_as_tags(tmp_path, default, tag):
    doc = Doc(VOCAB, words=["Ann", "Lee", "left"])
    doc.set_ents([Span(doc, 0, 2, label="PER")], default=default)
    set_records(doc, [])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    (example,) = Corpus(tmp_path / "gold.spacy", entity_tags=True)(spacy.blank("en"))
    assert [token.tag_ for token in example.reference] == ["B-PER", "I-PER", tag]
    assert [token.tag_ for token in example.predicted] == ["", "", ""]
