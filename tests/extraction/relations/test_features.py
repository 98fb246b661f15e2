"""Docs -> arrays, for the pair network and for the published one."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Span

from kgmrca.extraction.encoder.words import WordTable
from kgmrca.extraction.relations.features import N_FLAGS, make_features, make_instances, pair_instances
from kgmrca.extraction.relations.pairs import make_sentence_pairs

# Arrays for the pair network.


def features(docs, *, types=("LOC", "PER"), spans_key=None, make=make_features):
    candidates = make_sentence_pairs()(docs, spans_key=spans_key)
    return make(docs, candidates, types, words=WordTable.named("words_en_sm"))


@pytest.fixture
def docs():
    """Four sentences in three Docs; the second and the last have fewer than two entities and are left out."""
    vocab = spacy.blank("en").vocab
    first = Doc(
        vocab,
        words=["Ann", "met", "BOB", "3", "times", ".", "Nobody", "left", "."],
        sent_starts=[True, *5 * [False], True, False, False],
        ents=["B-PERSON", "O", "B-PERSON", "O", "O", "O", "O", "O", "O"],
    )
    second = Doc(vocab, words=[])
    third = Doc(
        vocab,
        words=["Cid", "saw", "New", "York", "met", "."],
        sent_starts=[True, *5 * [False]],
        ents=["B-ALIEN", "O", "B-GPE", "I-GPE", "O", "O"],
    )
    fourth = Doc(vocab, words=["Dee", "slept"], sent_starts=[True, False], ents=["B-PERSON", "O"])
    return [first, second, third, fourth]


def test_sentences_without_pairs_are_left_out(docs):
    assert features(docs).lengths.tolist() == [6, 6]


def test_words_are_those_of_the_sentences(docs):
    words = features(docs).words
    texts = [token.text for doc in (docs[0], docs[2]) for token in doc[:6]]
    assert words.vectors[words.row].tolist() == WordTable.named("words_en_sm").vectors(texts).tolist()


def test_flags(docs):
    # is lower, is title, is upper, looks like a number, is punctuation, a span begins here
    assert features(docs).flags[:6].tolist() == [
        [0, 1, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 1],
        [0, 0, 0, 1, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
    ]


def test_only_the_first_token_of_a_span_has_the_begin_flag(docs):
    assert features(docs).flags[6:, -1].tolist() == [1, 0, 1, 0, 0, 0]


def test_types_are_numbered_from_2_and_1_is_a_type_never_seen(docs):
    found = features(docs)
    assert found.span_type.tolist() == [3, 3, 1, 2]
    assert found.token_type.tolist() == [3, 0, 3, 0, 0, 0, 1, 0, 2, 2, 0, 0]


def test_spans_and_pairs_are_those_asked_about(docs):
    found = features(docs)
    assert found.spans.tolist() == [[0, 0, 1], [0, 2, 3], [1, 0, 1], [1, 2, 4]]
    assert found.pairs.tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]


def test_a_token_of_overlapping_spans_has_the_type_of_the_innermost():
    doc = Doc(spacy.blank("en").vocab, words=list("abcdef"), sent_starts=[True, *5 * [False]])
    doc.spans["sc"] = [Span(doc, 2, 3, "GPE"), Span(doc, 0, 5, "PERSON"), Span(doc, 1, 4, "ORG")]
    found = features([doc], types=("LOC", "ORG", "PER"), spans_key="sc")
    assert found.token_type.tolist() == [4, 3, 2, 3, 4, 0]
    assert found.flags[:, -1].tolist() == [1, 1, 1, 0, 0, 0]


def shapes(record):
    return {name: getattr(record, name).shape for name in record.__slots__ if name != "words"}


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_ask_about(count):
    found = features(count * [spacy.blank("en")("Nobody here.")])
    assert found.words.vectors.shape == (0, 256)
    assert found.words.row.shape == (0,)
    assert shapes(found) == {
        "flags": (0, N_FLAGS),
        "token_type": (0,),
        "lengths": (0,),
        "spans": (0, 3),
        "span_type": (0,),
        "pairs": (0, 2),
    }


# Arrays for the published network.


def test_an_instance_for_each_pair(docs):
    found = features(docs, make=pair_instances)
    assert found.lengths.tolist() == [6, 6]
    assert found.sentence.tolist() == [0, 0, 1, 1]
    assert found.subjects.tolist() == [[0, 0, 1], [1, 2, 3], [2, 0, 1], [3, 2, 4]]
    assert found.objects.tolist() == [[0, 2, 3], [1, 0, 1], [2, 2, 4], [3, 0, 1]]


def test_instances_have_the_words_that_pairs_have(docs):
    one, other = features(docs), features(docs, make=pair_instances)
    assert np.array_equal(one.words.vectors[one.words.row], other.words.vectors[other.words.row])


def spans(sentence, subjects=(), objects=()):
    """The arguments of `make_instances` for one sentence and one instance of it."""
    return [
        np.array([sentence], np.int64),
        np.zeros(1, np.int64),
        *(np.array([(0, *span) for span in part], np.int64).reshape(-1, 3) for part in (subjects, objects)),
    ]


def test_whether_the_first_character_is_upper_case():
    # Equation 3.2.
    doc = Doc(spacy.blank("en").vocab, words=["Ann", "iPhone", "IBM", "Élan", "3M", ".", " ", "A", "ß"])
    found = make_instances([doc], *spans((0, 0, 9)), words=WordTable.named())
    assert found.upper.tolist() == [True, False, True, True, False, False, False, True, False]


def test_an_instance_of_a_whole_sentence(docs):
    # As in the paper: all subjects and objects of a sentence at once; here the first five tokens of the third Doc.
    arguments = spans((2, 0, 5), subjects=[(0, 1), (4, 5)], objects=[(2, 4)])
    found = make_instances(docs, *arguments, words=WordTable.named())
    assert found.lengths.tolist() == [5]
    assert found.upper.tolist() == [True, False, True, True, False]
    assert found.subjects.tolist() == [[0, 0, 1], [0, 4, 5]]
    assert found.objects.tolist() == [[0, 2, 4]]


@pytest.mark.parametrize("count", [0, 1])
def test_no_instances(count):
    found = features(count * [spacy.blank("en")("Nobody here.")], make=pair_instances)
    assert shapes(found) == {
        "upper": (0,),
        "lengths": (0,),
        "sentence": (0,),
        "subjects": (0, 3),
        "objects": (0, 3),
    }
