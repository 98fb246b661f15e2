import pytest

from kgmrca.extraction.encoder.forms import N_FEATURES, clean_word, hash_words


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("Sofia", "Sofia"),
        ("So\u00adfia", "Sofia"),  # soft hyphen
        ("\ufeffSofia\u200b", "Sofia"),  # byte order mark, zero-width space
        ("’s", "'s"),
        ("“", '"'),
        ("–", "-"),
        ("‑", "-"),  # a hyphen at which no line may end
        ("ﬁnal", "final"),
        ("Ｔｏｋｙｏ", "Tokyo"),
        ("❤️", "❤"),
        ("e\u0301", "é"),
        ("…", "..."),
    ],
)
def test_writings_of_one_word_are_equal(written, clean):
    assert clean_word(written) == clean


@pytest.mark.parametrize("nothing", ["", " ", "\n\t", "\u00a0", "\u2009\u202f", "\u200b", "\ufeff\u2060"])
def test_what_nobody_sees_is_no_word(nothing):
    assert clean_word(nothing) == ""


def test_hashes_are_stable_and_below_the_rows():
    found = hash_words(["Sofia", "sofia", "1,500"], 1000)
    assert found.shape == (3, N_FEATURES)
    assert found.min() >= 0
    assert found.max() < 1000
    assert found[0].tolist() == hash_words(["Sofia"], 1000)[0].tolist()
    assert (found[0] == found[1]).tolist() == [True, True, True, True, False, False, False]


def test_no_words_have_no_hashes():
    assert hash_words([], 10).shape == (0, N_FEATURES)
