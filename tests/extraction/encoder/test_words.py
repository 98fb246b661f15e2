"""Words -> vectors: by word pieces, and from the vectors of the pipeline."""

import threading

import numpy as np
import pytest
import spacy
from helpers import write_vectors
from safetensors.numpy import save_file
from spacy.attrs import IS_TITLE, ORTH
from spacy.tokens import Doc
from spacy.vectors import Vectors as SpacyVectors

from kgmrca.errors import ModelError, ResourceError
from kgmrca.extraction.encoder.tokens import token_array
from kgmrca.extraction.encoder.words import PipelineVectors, WordTable

PIECES = ["un", "##happi", "##ness", "##happiness", "happy", "##y", "a", "##a", "zoe", "'", "s", "-", "9", "é", "##b"]
CODES = np.arange(2 * len(PIECES), dtype=np.int8).reshape(-1, 2) + 1
SCALE = np.array([0.5, 2.0], np.float32)


def write_table(folder, pieces=PIECES, codes=CODES, **tensors):
    folder.mkdir(exist_ok=True)
    (folder / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    save_file(tensors or {"codes": codes, "scale": SCALE}, folder / "words.safetensors")
    return folder


@pytest.fixture
def table(tmp_path):
    return WordTable(write_table(tmp_path / "tiny"))


def pieces(table, word):
    return [PIECES[index] for index in table.pieces(word)]


# The word table.


def test_the_longest_pieces_are_taken_first(table):
    assert pieces(table, "unhappiness") == ["un", "##happiness"]


def test_pieces_inside_a_word_are_other_than_at_its_start(table):
    assert pieces(table, "aay") == ["a", "##a", "##y"]


def test_words_are_lower_cased(table):
    assert pieces(table, "UnHAPPY") == pieces(table, "unhappy")


@pytest.mark.parametrize("word", ["Zoë", "Zoe\u0308", "ZOÉ"])
def test_accents_are_dropped(table, word):
    assert pieces(table, word) == ["zoe"]


def test_a_word_is_split_at_punctuation(table):
    assert pieces(table, "a-un's") == ["a", "-", "un", "'", "s"]


def test_unknown_characters_are_passed_over(table):
    assert pieces(table, "un☃a") == ["un", "a"]
    assert pieces(table, "unxa") == ["un", "##a"]


def test_what_follows_an_unknown_start_is_still_inside_the_word(table):
    assert pieces(table, "xb") == ["##b"]


def test_a_vector_is_the_mean_of_its_pieces(table):
    # "un" has the codes 1 and 2, "##happi" 3 and 4, "##y" 11 and 12.
    assert table.vectors(["unhappiy"]).tolist() == [[0.5 * (1 + 3 + 11) / 3, 2.0 * (2 + 4 + 12) / 3]]


@pytest.mark.parametrize("word", ["", " ", "\n\n", "☃", "xxx"])
def test_a_word_without_known_pieces_has_the_zero_vector(table, word):
    assert table.vectors([word]).tolist() == [[0, 0]]


def test_vectors_come_in_the_order_of_the_words(table):
    one, two = table.vectors(["a"])[0], table.vectors(["s"])[0]
    assert table.vectors(["s", "a", "s"]).tolist() == [two.tolist(), one.tolist(), two.tolist()]


def test_vectors_of_no_words(table):
    assert table.vectors([]).shape == (0, 2)


def test_vectors_are_single_precision(table):
    assert table.vectors(["a"]).dtype == np.float32


def test_the_caller_may_change_what_it_got(table):
    table.vectors(["a"])[:] = 99
    assert table.vectors(["a"])[0, 0] == 0.5 * CODES[PIECES.index("a"), 0]


def many(count):
    """Different words, and their vectors by hand: "a" and then one "##a" or "##b" for each binary digit of a number."""
    digits = [f"{n:b}" for n in range(count)]
    words = ["a" + text.replace("0", "a").replace("1", "b") for text in digits]
    rows = [["a", *("##a" if digit == "0" else "##b" for digit in text)] for text in digits]
    return words, np.array([CODES[[PIECES.index(piece) for piece in row]].mean(0) * SCALE for row in rows])


def test_words_that_are_known_keep_their_vectors(table):
    words, expected = many(2500)
    for start in range(0, len(words), 500):
        table.vectors(words[start : start + 500])
    assert np.allclose(table.vectors(words), expected, rtol=1e-5)


@pytest.mark.parametrize("step", [4, 25])
def test_a_bounded_cache_is_still_right(table, step):
    table._pieces.size = 10
    words, expected = many(25)
    for start in range(0, len(words), step):
        assert np.allclose(table.vectors(words[start : start + step]), expected[start : start + step], rtol=1e-5)
        assert len(table._pieces) <= 10
    assert np.allclose(table.vectors(words), expected, rtol=1e-5)


def test_a_word_is_split_once(table, monkeypatch):
    asked = []
    monkeypatch.setattr(table, "pieces", lambda word: asked.append(word) or [0])
    table.vectors(["a", "s", "a"])
    table.vectors(["s", "a", "un"])
    assert asked == ["a", "s", "un"]


def test_a_word_is_not_known_before_its_vector_is_complete(table, monkeypatch):
    # One thread is held while it works out the vector of "a"; another one asks for the same word meanwhile.
    expected, pieces = table.vectors(["un"]), table.pieces
    started, released = threading.Event(), threading.Event()

    def held(word):
        if threading.current_thread() is not threading.main_thread():
            started.set()
            released.wait()
        return pieces(word)

    monkeypatch.setattr(table, "pieces", held)
    slow = threading.Thread(target=table.vectors, args=(["a", "s"],))
    slow.start()
    started.wait()
    try:
        found = table.vectors(["a", "un"])
    finally:
        released.set()
        slow.join()
    assert found[0].tolist() == (CODES[PIECES.index("a")] * SCALE).tolist()
    assert found[1].tolist() == expected[0].tolist()
    assert table.vectors(["a"]).tolist() == found[:1].tolist()


def test_a_thread_keeps_what_it_found_when_another_fills_the_cache(table, monkeypatch):
    table._pieces.size = 3
    table.vectors(["a", "s"])
    pieces = table.pieces

    def in_between(word):
        if word == "zoe":
            table.vectors(["un", "happy", "9"])  # as another thread would, which makes the cache start anew
        return pieces(word)

    monkeypatch.setattr(table, "pieces", in_between)
    found = table.vectors(["a", "zoe", "s"])
    assert found.tolist() == [(CODES[PIECES.index(word)] * SCALE).tolist() for word in ("a", "zoe", "s")]


def test_equal_tables_have_equal_digests(tmp_path, table):
    assert WordTable(write_table(tmp_path / "same")).digest == table.digest
    assert WordTable(write_table(tmp_path / "other", codes=CODES + np.int8(1))).digest != table.digest
    assert WordTable(write_table(tmp_path / "third", pieces=PIECES[::-1])).digest != table.digest


def test_a_table_is_read_once(tmp_path):
    folder = write_table(tmp_path / "tiny")
    assert WordTable.named(str(folder)) is WordTable.named(str(folder))


def test_an_unknown_name():
    with pytest.raises(ResourceError, match="no_such_words"):
        WordTable.named("no_such_words")


def test_an_empty_folder(tmp_path):
    with pytest.raises(ResourceError, match=r"is not a word table.*make_words\.py"):
        WordTable(tmp_path)


def test_a_folder_without_vectors(tmp_path):
    (write_table(tmp_path / "tiny") / "words.safetensors").unlink()
    with pytest.raises(ResourceError, match="is not a word table"):
        WordTable(tmp_path / "tiny")


def test_vectors_under_other_names(tmp_path):
    with pytest.raises(ResourceError, match=r"is not a word table \('codes'\)"):
        WordTable(write_table(tmp_path / "tiny", embeddings=CODES))


def test_damaged_vectors(tmp_path):
    (write_table(tmp_path / "tiny") / "words.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ResourceError, match="is not a word table"):
        WordTable(tmp_path / "tiny")


def test_pieces_that_are_not_text(tmp_path):
    (write_table(tmp_path / "tiny") / "pieces.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ResourceError, match="is not a word table"):
        WordTable(tmp_path / "tiny")


def test_pieces_and_vectors_that_do_not_belong_together(tmp_path):
    with pytest.raises(ResourceError, match="14 pieces, but 15 vectors"):
        WordTable(write_table(tmp_path / "tiny", pieces=PIECES[:-1]))


ORDINARY = ["the", "University", "born", "director", "1867", ".", "-", "$", "U.S.", "don't", "COVID-19", "Łódź"]
NEVER_SEEN = ["Qwystrelle", "Zbrngwk", "Ouagaxtepec", "McVrandlebury", "Xøqrû", "O'Drrhy", "B2Q-77x"]


@pytest.mark.parametrize("word", ORDINARY + NEVER_SEEN)
def test_the_shipped_table_knows_any_ordinary_word(word):
    assert np.abs(WordTable.named("words_en_sm").vectors([word])).sum() > 0


def test_the_shipped_table_tells_words_apart():
    vectors = WordTable.named("words_en_sm").vectors(ORDINARY + NEVER_SEEN)
    assert len(np.unique(vectors, axis=0)) == len(vectors)


# What all sources do: the tokens of the sentences with candidate pairs.


def sentences(*found):
    return np.array(found, np.int64).reshape(-1, 3)


@pytest.fixture
def docs():
    vocab = spacy.blank("en").vocab
    return [Doc(vocab, words=["Ann", "met", "a", "Man"]), Doc(vocab, words=[]), Doc(vocab, words=["a", "un", "s"])]


def test_attributes_of_tokens_come_sentence_by_sentence(docs):
    found = token_array(docs, sentences((2, 1, 3), (0, 0, 2)), [ORTH, IS_TITLE])
    texts = [docs[0].vocab.strings[orth] for orth in found[:, 0].tolist()]
    assert texts == ["un", "s", "Ann", "met"]
    assert found[:, 1].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("attributes", [[ORTH], [ORTH, IS_TITLE]])
def test_no_tokens(docs, attributes):
    assert token_array(docs, sentences(), attributes).shape == (0, len(attributes))
    assert token_array([], sentences(), attributes).shape == (0, len(attributes))


def test_each_word_is_looked_up_once(docs, table):
    found = table.look_up(docs, sentences((0, 2, 3), (2, 0, 3), (2, 1, 2)))
    assert found.vectors.shape == (3, 2)
    assert found.vectors[found.row].tolist() == table.vectors(["a", "a", "un", "s", "un"]).tolist()


def test_the_limit_of_a_table_is_its_largest_entry_rounded_up(docs, table):
    # The largest codes are 29 and 30, the scales 0.5 and 2.
    assert table.encoder(docs[0].vocab).limit == 60


def test_a_table_knows_itself_again(tmp_path, docs, table):
    table.restore(table.state(), docs[0].vocab)
    other = WordTable(write_table(tmp_path / "other", codes=CODES + np.int8(1)))
    for state in (other.state(), PipelineVectors().state()):
        with pytest.raises(ModelError, match=r"trained with other word vectors.*model\.words\]"):
            table.restore(state, docs[0].vocab)


# The vectors of the pipeline.

VECTORS = ["the 1.0 -2.0", "ann 0.5 2.25", "a 1 2", "n 3 -2", "b -1 4", "Up 7.5 0", "bob -9 -9"]


@pytest.fixture(scope="module", params=["ORTH", "LOWER"])
def vectors(request, tmp_path_factory):
    """A vocabulary with vectors, written and read as users do it."""
    return spacy.load(write_vectors(tmp_path_factory.mktemp("vectors"), VECTORS, attr=request.param)).vocab


def looked_up(vocab, words):
    found = PipelineVectors().look_up([Doc(vocab, words=words)], sentences((0, 0, len(words))))
    assert found.vectors.dtype == np.float32
    return found.vectors[found.row].tolist()


def test_spacy_forgets_the_attribute_of_vectors(vectors):
    # If this fails, spaCy has learned to store it: then say in `PipelineVectors` what `--attr LOWER` is good for.
    assert vectors.vectors.attr == ORTH


@pytest.mark.parametrize("word", ["ann", "Ann", "ANN"])
def test_words_are_looked_up_in_lower_case(vectors, word):
    assert looked_up(vectors, [word]) == [[0.5, 2.25]]


def test_lower_case_alone_where_the_vectors_are_so_keyed():
    # As they are before spaCy stores them: it does not store the attribute.
    vocab = spacy.blank("en").vocab
    data = np.array([[1, 0], [0, 1]], np.float32)
    vocab.vectors = SpacyVectors(strings=vocab.strings, data=data, keys=["Ann", "ann"], attr="LOWER")
    assert looked_up(vocab, ["Ann", "ann", "ANN"]) == [[0, 1], [0, 1], [0, 1]]


def test_a_word_as_it_is_written_comes_before_its_lower_case():
    vocab = spacy.blank("en").vocab
    data = np.array([[1, 0], [0, 1]], np.float32)
    vocab.vectors = SpacyVectors(strings=vocab.strings, data=data, keys=["Ann", "ann"])
    assert looked_up(vocab, ["Ann", "ann", "ANN"]) == [[1, 0], [0, 1], [0, 1]]


def test_an_unknown_word_is_the_mean_of_its_characters(vectors):
    # "n", "a", "b": (3 + 1 - 1) / 3 and (-2 + 2 + 4) / 3.
    assert looked_up(vectors, ["nab", "NAB"]) == 2 * [pytest.approx([1, 4 / 3])]


def test_the_mean_is_of_each_word_alone(vectors):
    # The reference implementation of the paper goes on adding where the word before left off.
    assert looked_up(vectors, ["nab", "ban", "nn", "aan"]) == [
        pytest.approx([1, 4 / 3]),
        pytest.approx([1, 4 / 3]),
        [3, -2],
        pytest.approx([5 / 3, 2 / 3]),
    ]


def test_unknown_characters_are_left_out_of_the_mean(vectors):
    assert looked_up(vectors, ["bé"]) == [[-1, 4]]


def test_a_word_of_unknown_characters_has_the_zero_vector(vectors):
    assert looked_up(vectors, ["☃", "xyz", " ", "ann"]) == [[0, 0], [0, 0], [0, 0], [0.5, 2.25]]


def test_each_word_of_the_pipeline_is_looked_up_once(vectors):
    doc = Doc(vectors, words=["the", "ann", "the"])
    found = PipelineVectors().look_up([doc, doc], sentences((1, 0, 3), (0, 1, 3)))
    assert found.vectors.shape == (2, 2)
    assert found.vectors[found.row].tolist() == [[1, -2], [0.5, 2.25], [1, -2], [0.5, 2.25], [1, -2]]


@pytest.mark.parametrize("count", [0, 1])
def test_no_words_of_the_pipeline(vectors, count):
    found = PipelineVectors().look_up(count * [Doc(vectors, words=["ann"])], sentences())
    assert (len(found.vectors), len(found.row)) == (0, 0)


def test_the_limit_is_the_largest_entry_rounded_up(vectors):
    encoder = PipelineVectors().encoder(vectors)
    assert (encoder.limit, encoder.width) == (8, 2)


def test_a_limit_that_is_whole_stays():
    vocab = spacy.blank("en").vocab
    vocab.set_vector("ann", np.array([4, -9], np.float32))
    assert PipelineVectors().encoder(vocab).limit == 4


def test_a_pipeline_without_vectors():
    with pytest.raises(ModelError, match=r"no word vectors: make a folder with `spacy init vectors en FILE DIR`"):
        PipelineVectors().encoder(spacy.blank("en").vocab)


def test_floret_vectors_know_every_word():
    vocab = spacy.blank("en").vocab
    data = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    vocab.vectors = SpacyVectors(strings=vocab.strings, data=data, mode="floret", minn=2, maxn=3, hash_count=2)
    doc = Doc(vocab, words=["Ann", "met", "Qwystrelle", "Ann"])
    found = PipelineVectors().look_up([doc], sentences((0, 0, 4)))
    assert found.vectors.shape == (3, 4)
    assert np.allclose(found.vectors[found.row], [token.vector for token in doc])
    assert PipelineVectors().encoder(vocab).limit == np.ceil(data.max())
    assert len(PipelineVectors().look_up([doc], sentences()).row) == 0


def test_the_pipelines_vectors_are_known_again(vectors, table):
    PipelineVectors().restore(PipelineVectors().state(), vectors)
    with pytest.raises(ModelError, match=r"trained with other word vectors.*model\.words\]"):
        PipelineVectors().restore(table.state(), vectors)
