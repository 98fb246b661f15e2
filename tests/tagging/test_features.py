"""Words -> vectors by word pieces, and Docs -> arrays."""

import numpy as np
import pytest
import spacy
from safetensors.numpy import save_file
from spacy.tokens import Doc, Span

from kgmrca.errors import ResourceError
from kgmrca.tagging.features import N_FLAGS, Features, WordTable, coarse_type, make_features
from kgmrca.tagging.pairs import make_sentence_pairs

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


def test_the_cache_grows(table):
    words, expected = many(2500)
    assert len(words) > 2 * len(table._cache)
    for start in range(0, len(words), 500):
        table.vectors(words[start : start + 500])
    assert np.allclose(table.vectors(words), expected, rtol=1e-5)


def test_a_bounded_cache_is_still_right(table, monkeypatch):
    monkeypatch.setattr(WordTable, "_CACHED", 10)
    words, expected = many(25)
    for start in range(0, len(words), 4):
        assert np.allclose(table.vectors(words[start : start + 4]), expected[start : start + 4], rtol=1e-5)
        assert len(table._rows) <= 10
    assert np.allclose(table.vectors(words), expected, rtol=1e-5)


def test_the_cache_does_not_grow_without_end(table, monkeypatch):
    monkeypatch.setattr(WordTable, "_CACHED", 1000)
    words, _ = many(2000)
    size = len(table._cache)
    for start in range(0, len(words), 100):
        table.vectors(words[start : start + 100])
    assert len(table._cache) == size


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


# Entity types.


@pytest.mark.parametrize(
    ("label", "coarse"),
    [("PERSON", "PER"), ("person", "PER"), ("GPE", "LOC"), ("WORK_OF_ART", "MISC"), ("DATE", "TIME"), ("MONEY", "NUM")],
)
def test_coarse_type(label, coarse):
    assert coarse_type(label) == coarse


@pytest.mark.parametrize("label", ["PER", "LOC", "ORG", "MISC", "TIME", "NUM", "protein", "ENTITY"])
def test_other_types_stay_as_they_are(label):
    assert coarse_type(label) == label


# Arrays.


def features(docs, *, types=("LOC", "PER"), spans_key=None, table=None):
    candidates = make_sentence_pairs()(docs, spans_key=spans_key)
    return make_features(docs, candidates, table=table or WordTable.named("words_en_sm"), types=types)


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


def test_words_are_looked_up_once_each(docs, table):
    found = features(docs, table=table)
    texts = [token.text for doc, end in ((docs[0], 6), (docs[2], 6)) for token in doc[:end]]
    assert len(found.words) == len(set(texts))
    assert found.words[found.word].tolist() == table.vectors(texts).tolist()


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


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_ask_about(count):
    found = features(count * [spacy.blank("en")("Nobody here.")])
    shapes = {name: getattr(found, name).shape for name in Features.__slots__}
    assert shapes == {
        "words": (0, 256),
        "word": (0,),
        "flags": (0, N_FLAGS),
        "token_type": (0,),
        "lengths": (0,),
        "spans": (0, 3),
        "span_type": (0,),
        "pairs": (0, 2),
    }
