"""The types of entities, from tags."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from kgmrca.corpora.annotated import Corpus
from kgmrca.relations import set_plain_relations

VOCAB = spacy.blank("en").vocab


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ("B-PER I-PER O", "PER"),
        ("O B-PER O", "PER"),  # one word without a type says nothing
        ("B-PER B-LOC O", "PER"),  # the first of two that are as frequent
        ("B-PER I-LOC I-LOC", "LOC"),
        ("O O O", "MISC"),
        ("", "MISC"),
    ],
)
def test_entity_has_the_type_that_most_of_its_tokens_are_tagged_with(tags, kind):
    nlp = spacy.blank("en")
    nlp.add_pipe("types_from_tags")
    doc = Doc(nlp.vocab, words=["Ann", "van", "Lee"], tags=tags.split() or None)
    doc.set_ents([Span(doc, 0, 3, label="MISC", kb_id="Q1")])
    assert [(span.text, span.label_, span.kb_id_) for span in nlp(doc).ents] == [("Ann van Lee", kind, "Q1")]


def test_what_else_is_known_of_entities_stays():
    nlp = spacy.blank("en")
    nlp.add_pipe("types_from_tags")
    doc = Doc(nlp.vocab, words=["Ann", "left"], tags=["B-PER", "O"])
    doc.set_ents([Span(doc, 0, 1, label="MISC", span_id="ann")], default="missing")
    doc = nlp(doc)
    assert [(span.label_, span.id_) for span in doc.ents] == [("PER", "ann")]
    assert [token.ent_iob_ for token in doc] == ["B", ""]


def test_words_with_tags_alone_are_no_entity():
    nlp = spacy.blank("en")
    nlp.add_pipe("types_from_tags")
    assert nlp(Doc(nlp.vocab, words=["Ann"], tags=["B-PER"])).ents == ()


@pytest.mark.parametrize(("default", "tag"), [("outside", "O"), ("missing", "")])
def test_corpus_gives_entities_as_tags(tmp_path, default, tag):
    doc = Doc(VOCAB, words=["Ann", "Lee", "left"])
    doc.set_ents([Span(doc, 0, 2, label="PER")], default=default)
    set_plain_relations(doc, [])
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    (example,) = Corpus(tmp_path / "gold.spacy", entity_tags=True)(spacy.blank("en"))
    assert [token.tag_ for token in example.reference] == ["B-PER", "I-PER", tag]
    assert [token.tag_ for token in example.predicted] == ["", "", ""]
