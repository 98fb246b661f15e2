"""`mrca_sentences`: where sentences begin."""

import pytest
import spacy


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_sentences")
    return nlp


def sentences(doc):
    return [" ".join(sentence.text.split()) for sentence in doc.sents]


PLAIN = ["Ann was born in Oslo.", 'Dr. Lee asked: "Who?"', "It rained (all day.)", "J. K. Rowe left the U.S. in May!"]


@pytest.mark.parametrize("space", [" ", "  ", "\u00a0", "\n", "\n   ", " \u200b "])
def test_white_space_changes_nothing(nlp, space):
    doc = nlp(" ".join(PLAIN).replace(" ", space))
    assert [sentence.replace(" \u200b", "") for sentence in sentences(doc)] == PLAIN


def test_headlines_and_items_are_sentences(nlp):
    text = "News\n\nFire in Lyon\nKlemm leaves Siemens board\n\n- Ann Lee\n- Bob Ray\n"
    assert sentences(nlp(text)) == ["News", "Fire in Lyon", "Klemm leaves Siemens board", "- Ann Lee", "- Bob Ray"]


def test_what_goes_on_in_lower_case_is_the_same_sentence(nlp):
    assert sentences(nlp('"Why?" she asked. "Well ... perhaps."')) == ['"Why?" she asked.', '"Well ... perhaps."']


def test_boundaries_that_are_set_stay(nlp):
    doc = nlp.make_doc("Ann slept. Bob ran away.")
    doc[3].is_sent_start = False
    doc[4].is_sent_start = True
    assert sentences(nlp(doc)) == ["Ann slept. Bob", "ran away."]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "Ann"])
def test_little_text(nlp, text):
    assert sentences(nlp(text)) == ([text.strip()] if text else [])


def test_a_stream_gives_the_same(nlp):
    texts = [" ".join(PLAIN), "", "Oslo\nBergen"]
    assert list(map(sentences, nlp.pipe(texts))) == list(map(sentences, map(nlp, texts)))


def test_it_is_stored(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    assert sentences(spacy.load(tmp_path)(" ".join(PLAIN))) == PLAIN
