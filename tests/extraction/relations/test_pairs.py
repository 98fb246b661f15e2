"""Which pairs are candidates."""

import pytest
import spacy
from spacy.tokens import Doc, Span

from kgmrca.errors import InputError
from kgmrca.extraction.relations.pairs import make_sentence_pairs


def texts(docs, candidates):
    spans = [
        docs[candidates.sentences[sentence, 0]].text[start:end]
        for (sentence, _, _), (start, end) in zip(candidates.spans, candidates.characters, strict=True)
    ]
    return [(spans[subject], spans[object_]) for subject, object_ in candidates.pairs]


@pytest.fixture
def nlp():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "X", "pattern": name} for name in ("Ann", "Bob", "Cid", "Dee")])
    return nlp


def test_all_ordered_pairs_of_a_sentence(nlp):
    docs = [nlp("Ann met Bob and Cid. Dee slept.")]
    assert texts(docs, make_sentence_pairs()(docs, spans_key=None)) == [
        ("Ann", "Bob"),
        ("Ann", "Cid"),
        ("Bob", "Ann"),
        ("Bob", "Cid"),
        ("Cid", "Ann"),
        ("Cid", "Bob"),
    ]


def test_pairs_of_several_docs(nlp):
    docs = [nlp("Ann alone."), nlp("Ann met Bob."), nlp(""), nlp("Nobody. Cid met Dee.")]
    candidates = make_sentence_pairs()(docs, spans_key=None)
    assert texts(docs, candidates) == [("Ann", "Bob"), ("Bob", "Ann"), ("Cid", "Dee"), ("Dee", "Cid")]
    assert candidates.sentences.tolist() == [[1, 0, 4], [3, 2, 6]]


def test_sentences_that_are_set_are_kept(nlp):
    doc = nlp("Ann met Bob. Cid met Dee.")
    for token in doc:
        token.is_sent_start = token.i == 0
    assert len(make_sentence_pairs()([doc], spans_key=None).pairs) == 12


def test_guessed_sentences_are_not_written_to_the_doc(nlp):
    doc = nlp("Ann met Bob. Cid met Dee.")
    assert len(make_sentence_pairs()([doc], spans_key=None).pairs) == 4
    assert not doc.has_annotation("SENT_START")


def test_a_span_across_a_boundary_is_left_out():
    doc = Doc(spacy.blank("en").vocab, words=list("ABCD"), sent_starts=[True, False, True, False])
    doc.spans["sc"] = [Span(doc, 0, 1, "X"), Span(doc, 1, 3, "X"), Span(doc, 3, 4, "X")]
    assert len(make_sentence_pairs()([doc], spans_key="sc").pairs) == 0


def test_overlapping_spans_make_pairs_but_equal_ones_do_not():
    doc = Doc(spacy.blank("en").vocab, words=list("ABCD"), sent_starts=[True, False, False, False])
    doc.spans["sc"] = [Span(doc, 0, 3, "X"), Span(doc, 1, 2, "X"), Span(doc, 1, 2, "Y")]
    candidates = make_sentence_pairs()([doc], spans_key="sc")
    assert candidates.pairs.tolist() == [[0, 1], [0, 2], [1, 0], [2, 0]]


def test_a_missing_span_group_has_no_pairs(nlp):
    assert len(make_sentence_pairs()([nlp("Ann met Bob.")], spans_key="nothing").pairs) == 0


def test_long_sentences_are_read_in_stretches(nlp):
    doc = nlp("Ann met Bob and then Cid met Dee")
    candidates = make_sentence_pairs(max_tokens=4)([doc], spans_key=None)
    assert texts([doc], candidates) == [("Ann", "Bob"), ("Bob", "Ann"), ("Cid", "Dee"), ("Dee", "Cid")]


def test_max_tokens_must_hold_a_pair():
    with pytest.raises(InputError, match="at least 2"):
        make_sentence_pairs(max_tokens=1)
