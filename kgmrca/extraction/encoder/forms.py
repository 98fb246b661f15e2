"""What a word looks like: clean characters, and hashed features of them. No spaCy and no torch in here."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kgmrca.names import ALIKE

__all__ = ["N_FEATURES", "clean_word", "hash_words"]

N_FEATURES = 7
"""Hashed features of a word: the word, its first three and last three letters, and so on; see `hash_words`."""

_INVISIBLE = {
    "Cc",
    "Cf",
}  # control and format characters: soft hyphens, zero-width spaces and joiners, byte order marks
_VARIATION = re.compile("[\ufe00-\ufe0f]")  # how an emoji is drawn
_UPPER, _LOWER, _DIGIT = re.compile("[A-Z]"), re.compile("[a-z]"), re.compile("[0-9]")


@lru_cache(maxsize=20_000)
def clean_word(text: str) -> str:
    """A word without what readers do not see, with one form of quotes, dashes and full-width letters.

    A word of nothing but white space and invisible characters becomes the empty string.

    >>> clean_word("So\\xadfia\\u200b’s"), clean_word("\\u00a0\\u200b")
    ("Sofia's", '')
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    kept = "".join(c for c in _VARIATION.sub("", text) if unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFKC", kept.translate(ALIKE)).translate(ALIKE).strip()


def hash_words(words: Sequence[str], rows: int) -> NDArray[np.int64]:
    """The numbers, below `rows`, of the features of clean words, [words, N_FEATURES]."""
    numbers = [number for word in words for number in _hashes(word)]
    return np.array(numbers, np.int64).reshape(-1, N_FEATURES) % rows


@lru_cache(maxsize=20_000)
def _hashes(word: str) -> tuple[int, ...]:
    return tuple(crc32(feature.encode()) for feature in _features(word))


def _features(word: str) -> list[str]:
    lower = word.lower()
    shape = _shape(word)
    return [
        f"word {lower}",
        f"start {lower[:3]}",
        f"end {lower[-3:]}",
        f"end {lower[-2:]}",
        f"shape {_repeats(shape, 3)}",
        f"outline {_repeats(shape, 1)}",
        f"first {word[:1]}",
    ]


def _shape(word: str) -> str:
    """Letters as X and x, digits as d, the rest as it is.

    >>> _shape("McDonald's"), _shape("Škoda-1")
    ("XxXxxxxx'x", 'Xxxxx-d')
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn")
    if plain.isascii():
        return _DIGIT.sub("d", _LOWER.sub("x", _UPPER.sub("X", plain)))
    return "".join("d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in plain)


def _repeats(shape: str, most: int) -> str:
    """A shape with at most so many equal characters in a row."""
    return re.sub(rf"(.)\1{{{most},}}", lambda found: found[1] * most, shape)
