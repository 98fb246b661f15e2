"""Tokens -> arrays: word vectors from the shipped word table, case, entity types."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from spacy.attrs import IS_LOWER, IS_PUNCT, IS_TITLE, IS_UPPER, LIKE_NUM, ORTH
from spacy.tokens import Doc

from kgmrca.errors import ResourceError
from kgmrca.resources import resource
from kgmrca.tagging.pairs import Candidates

__all__ = ["N_FLAGS", "Features", "WordTable", "coarse_type", "make_features"]

CASE = (IS_LOWER, IS_TITLE, IS_UPPER, LIKE_NUM, IS_PUNCT)
"""The paper's case value (eq. 3.2), told apart a little more finely."""

N_FLAGS = len(CASE) + 1
"""The yes/no features of a token: its case, and whether a span begins with it."""

_COARSE = {
    "PERSON": "PER",
    "GPE": "LOC",
    "FAC": "LOC",
    "FACILITY": "LOC",
    "LOCATION": "LOC",
    "NORP": "LOC",  # the training data has "German" and "French" as LOC
    "ORGANIZATION": "ORG",
    "EVENT": "MISC",
    "WORK_OF_ART": "MISC",
    "PRODUCT": "MISC",
    "LANGUAGE": "MISC",
    "LAW": "MISC",
    "DATE": "TIME",
    "CARDINAL": "NUM",
    "ORDINAL": "NUM",
    "QUANTITY": "NUM",
    "PERCENT": "NUM",
    "MONEY": "NUM",
}

_WORDS = re.compile(r"\w+|[^\w\s]")


def coarse_type(label: str) -> str:
    """The type scheme of the shipped model (DocRED's) for a label of OntoNotes or CoNLL; others stay as they are."""
    return _COARSE.get(label.upper(), label)


class WordTable:
    """A static vector for any word: the mean of the vectors of its word pieces.

    A word is lower-cased, loses its accents, is split at punctuation and then into the longest known pieces from the
    left (WordPiece). A word without any known piece has the zero vector.

    Args:
        path: a folder with `pieces.txt` and `words.safetensors`, as pipelines/make_words.py writes them.

    Raises:
        ResourceError: the folder is not a word table.
    """

    _CACHED = 200_000  # words; about 200 MB at 256 values each

    def __init__(self, path: Path) -> None:
        try:
            pieces = (path / "pieces.txt").read_text(encoding="utf-8").splitlines()
            tensors = load_file(path / "words.safetensors")
            codes, scale = tensors["codes"], tensors["scale"]
        except (OSError, KeyError, UnicodeDecodeError, SafetensorError) as error:
            raise ResourceError(
                f"{path} is not a word table ({error}): make one with pipelines/make_words.py."
            ) from error
        if len(pieces) != len(codes):
            raise ResourceError(
                f"{path}: {len(pieces)} pieces, but {len(codes)} vectors: the files do not belong together."
            )
        self.width: int = codes.shape[1]
        self._ids = {piece: index for index, piece in enumerate(pieces)}
        self._longest = max(map(len, pieces))
        self._codes, self._scale = codes, scale
        self._rows: dict[str, int] = {}
        self._cache = np.zeros((1024, self.width), np.float32)
        self.digest = hashlib.sha256(codes.tobytes() + scale.tobytes() + "\n".join(pieces).encode()).hexdigest()

    @classmethod
    def named(cls, name: str) -> "WordTable":
        """A shipped table by its name, such as `words_en_sm`, or any other by its folder; read once a process."""
        path = Path(name) if Path(name).is_dir() else resource(f"pipelines/{name}")
        key = path.resolve()
        if key not in _TABLES:
            _TABLES[key] = cls(path)
        return _TABLES[key]

    def pieces(self, word: str) -> list[int]:
        """The indexes of the pieces a word is made of."""
        plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")
        return [index for part in _WORDS.findall(plain) for index in self._split(part)]

    def _split(self, part: str) -> list[int]:
        found, start, prefix = [], 0, ""
        while start < len(part):
            for end in range(min(len(part), start + self._longest), start, -1):
                index = self._ids.get(prefix + part[start:end])
                if index is not None:
                    found.append(index)
                    break
            else:
                end = start + 1  # an unknown character is passed over
            start, prefix = end, "##"
        return found

    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of the words, [words, width]."""
        if len(self._rows) + len(words) > self._CACHED:
            self._rows = {}
        rows = self._rows
        for word in words:
            if word not in rows:
                row = rows[word] = len(rows)
                if row == len(self._cache):
                    self._cache = np.concatenate([self._cache, np.zeros_like(self._cache)])
                pieces = self.pieces(word)
                self._cache[row] = self._codes[pieces].mean(0) * self._scale if pieces else 0
        return self._cache[[rows[word] for word in words]]


_TABLES: dict[Path, WordTable] = {}


@dataclass(frozen=True, slots=True)
class Features:
    """A batch as arrays. Tokens are those of the sentences asked about, one sentence after another.

    S sentences, T tokens, U distinct words, E spans, P ordered pairs.
    """

    words: NDArray[np.float32]  # [U, width]
    word: NDArray[np.int64]  # [T] row of `words`
    flags: NDArray[np.float32]  # [T, N_FLAGS]
    token_type: NDArray[np.int64]  # [T] 0: outside any span
    lengths: NDArray[np.int64]  # [S] tokens
    spans: NDArray[np.int64]  # [E, 3] sentence, start, end (tokens of the sentence, end exclusive)
    span_type: NDArray[np.int64]  # [E]
    pairs: NDArray[np.int64]  # [P, 2] subject, object (rows of `spans`)


def make_features(docs: Sequence[Doc], candidates: Candidates, *, table: WordTable, types: Iterable[str]) -> Features:
    """Arrays for the sentences, spans and pairs asked about.

    Args:
        docs: the Docs that `candidates` was made from.
        types: the entity types the network knows; their numbers start at 2 (0: no entity, 1: a type never seen).
    """
    sentences, spans = candidates.sentences, candidates.spans
    lengths = sentences[:, 2] - sentences[:, 1]
    used = np.unique(sentences[:, 0])
    arrays = {index: docs[index].to_array([ORTH, *CASE]) for index in used.tolist()}
    parts = [arrays[doc][start:end] for doc, start, end in sentences.tolist()]
    tokens = np.concatenate(parts) if parts else np.zeros((0, 1 + len(CASE)), np.uint64)
    orths, word = np.unique(tokens[:, 0], return_inverse=True)
    strings = docs[0].vocab.strings if docs else {}

    numbers = {label: number for number, label in enumerate(types, start=2)}
    span_type = np.array([numbers.get(coarse_type(label), 1) for label in candidates.labels], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    token_type = np.zeros(len(tokens), np.int64)
    begins = np.zeros((len(tokens), 1), np.float32)
    begins[offsets[spans[:, 0]] + spans[:, 1]] = 1
    # Longer spans first, so that where spans overlap a token has the type of the innermost.
    for index in np.argsort(spans[:, 1] - spans[:, 2], kind="stable").tolist():
        sentence, start, end = spans[index].tolist()
        token_type[offsets[sentence] + start : offsets[sentence] + end] = span_type[index]
    return Features(
        words=table.vectors([strings[orth] for orth in orths.tolist()]),
        word=word.astype(np.int64),
        flags=np.concatenate([tokens[:, 1:].astype(np.float32), begins], 1),
        token_type=token_type,
        lengths=lengths,
        spans=spans,
        span_type=span_type,
        pairs=candidates.pairs,
    )
