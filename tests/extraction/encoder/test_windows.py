import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from kgmrca.extraction.encoder import windows as module
from kgmrca.extraction.encoder.windows import batches, cut, read_tokens, words_of


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("en").vocab


def windows(vocab, *texts, max_tokens):
    tokens = read_tokens([Doc(vocab, words=text.split(" ")) for text in texts])
    return [
        " ".join(tokens.words[word] for word in tokens.word[start:end])
        for start, end in cut(tokens, max_tokens).tolist()
    ]


def test_a_window_is_as_many_sentences_as_fit(vocab):
    assert windows(vocab, "A b . C d . E f .", max_tokens=7) == ["A b . C d .", "E f ."]
    assert windows(vocab, "A b . C d . E f .", max_tokens=9) == ["A b . C d . E f ."]


def test_a_long_sentence_is_cut(vocab):
    assert windows(vocab, "A b c d e . F g .", max_tokens=4) == ["A b c d", "e .", "F g ."]


def test_a_closing_quote_belongs_to_the_sentence_before(vocab):
    assert windows(vocab, '" A b . " C d e', max_tokens=6) == ['" A b . "', "C d e"]


def test_a_window_is_of_one_doc(vocab):
    assert windows(vocab, "A b .", "\n", "C d .", max_tokens=100) == ["A b .", "C d ."]


def test_nothing_has_no_windows(vocab):
    assert windows(vocab, max_tokens=3) == []
    assert windows(vocab, "\n \u200b", max_tokens=3) == []


def test_batches_hold_every_window_once_and_keep_to_their_size():
    bounds = np.cumsum([0, 5, 9, 1, 9, 3, 20])
    pairs = np.stack([bounds[:-1], bounds[1:]], 1)
    found = list(batches(pairs, 18))
    assert sorted(np.concatenate(found).tolist()) == [0, 1, 2, 3, 4, 5]
    lengths = [(pairs[some, 1] - pairs[some, 0]).tolist() for some in found]
    assert lengths == [[20], [9, 9], [5, 3, 1]]


@pytest.mark.parametrize("mark", ["> ", ">", "> > ", ">> ", "  > "])
def test_the_signs_before_quoted_lines_are_not_read(mark):
    nlp = spacy.blank("en")
    lines = ["In spring the old Ann met", "Bob in Oslo, and 3 > 2. Cid", "slept."]
    plain, other = nlp(" ".join(lines)), nlp("\n".join(mark + line for line in lines))
    wanted, found = read_tokens([plain]), read_tokens([other])
    assert [found.words[word] for word in found.word] == [wanted.words[word] for word in wanted.word]
    assert [other[token].text for token in found.token.tolist()] == [
        plain[token].text for token in wanted.token.tolist()
    ]


def test_the_words_of_a_doc_are_read_once_and_again_when_its_tokens_change(monkeypatch):
    read = []
    clean = module.clean_word
    monkeypatch.setattr(module, "clean_word", lambda word: read.append(word) or clean(word))
    docs = list(spacy.blank("en").pipe(["Ann  met Bob.", "", "Eve\nleft. Ann"]))
    first = read_tokens(docs)
    count = len(read)
    again = read_tokens(docs[::2])
    assert len(read) == count > 0
    assert [again.words[word] for word in again.word] == [first.words[word] for word in first.word]
    with docs[0].retokenize() as retokenizer:
        retokenizer.merge(docs[0][0:3])
    assert read_tokens(docs[:1]).token.tolist() == [0, 1, 2]


def test_all_tokens_have_a_clean_word():
    assert words_of(spacy.blank("en")("Ann’s\n  dog")) == ["Ann", "'s", "", "dog"]
    assert words_of(spacy.blank("en")("")) == []
