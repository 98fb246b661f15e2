"""What the reader reads: the words of Docs, without white space, in windows of whole sentences.

White space, invisible characters, the ">" before quoted lines and the sentence boundaries of a pipeline change nothing
here: a window ends behind the last full stop that its budget of tokens allows, so the same words always stand in the
same windows. Only a line break behind a headline, an item of a list or the like is read: as a full stop (see `lines`).
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IDX, ORTH
from spacy.tokens import Doc

from kgmrca.extraction.encoder.forms import clean_word, hash_words
from kgmrca.extraction.encoder.kept import Kept
from kgmrca.extraction.encoder.lines import closed_lines, quote_marks
from kgmrca.extraction.encoder.words import WordTable

__all__ = ["Inputs", "Tokens", "batches", "cut", "make_inputs", "read_tokens", "rows_of", "sentence_ends", "words_of"]

MAX_BATCH = 2_048
"""Tokens, padding included, that the reader reads at once: this bounds its memory, whatever the length of a text."""

_FINAL = frozenset({".", "!", "?", "...", "!!", "??", "!!!", "???", "?!", "。"})
_BREAK = re.compile("[\r\n\v\f\x85\u2028\u2029]")
_CLOSING = frozenset({'"', "'", "''", ")", "]", "}"})


@dataclass(frozen=True, slots=True)
class Tokens:
    """The T tokens of Docs that have a visible character or are read as a full stop, one Doc after another."""

    words: list[str]  # the distinct clean words
    word: NDArray[np.int64]  # [T] which of them it is
    doc: NDArray[np.int64]  # [T] number of its Doc
    token: NDArray[np.int64]  # [T] its place in its Doc


@dataclass(frozen=True, slots=True)
class Inputs:
    """The arguments of `reader.Reader`, which explains them."""

    vectors: NDArray[np.float32]
    features: NDArray[np.int64]
    word: NDArray[np.int64]
    same: NDArray[np.int64]
    lengths: NDArray[np.int64]
    scheme: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Read:
    """The tokens of one Doc; see `Tokens`."""

    words: list[str]
    word: NDArray[np.int64]
    token: NDArray[np.int64]


_READ: Kept[_Read] = Kept()  # each component asks for the same ones

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_READ.forget)


def read_tokens(docs: Sequence[Doc]) -> Tokens:
    """The tokens of Docs of one vocabulary, with clean words.

    >>> import spacy
    >>> tokens = read_tokens(list(spacy.blank("en").pipe(["Ann  met\\nBob.", "Bob?"])))
    >>> [tokens.words[word] for word in tokens.word], tokens.doc.tolist(), tokens.token.tolist()
    (['Ann', 'met', 'Bob', '.', 'Bob', '?'], [0, 0, 0, 0, 1, 1], [0, 2, 4, 5, 0, 1])
    """
    orths = [doc.to_array(ORTH) for doc in docs]
    found = [_READ.find(doc, numbers) for doc, numbers in zip(docs, orths, strict=True)]
    missing = [number for number, read in enumerate(found) if read is None]
    for number in missing:
        found[number] = _read(docs[number], orths[number])
    parts = [read for read in found if read is not None]
    if missing:
        _READ.keep(
            [docs[number] for number in missing],
            [orths[number] for number in missing],
            [parts[number] for number in missing],
        )
    place: dict[str, int] = {}
    words = [
        np.array([place.setdefault(word, len(place)) for word in part.words], np.int64)[part.word] for part in parts
    ]
    nothing = np.zeros(0, np.int64)
    return Tokens(
        list(place),
        np.concatenate([nothing, *words]),
        np.repeat(np.arange(len(docs)), list(map(len, words))),
        np.concatenate([nothing, *(part.token for part in parts)]),
    )


def _read(doc: Doc, orths: NDArray[np.uint64]) -> _Read:
    """The tokens of a Doc of these words."""
    distinct, which = np.unique(orths, return_inverse=True)
    said = [doc.vocab.strings[orth] for orth in distinct.tolist()]
    place: dict[str, int] = {}
    clean = np.array([place.setdefault(clean_word(word), len(place)) for word in said], np.int64)
    word = clean[which]
    is_mark = np.array([text != "" and not text.strip(">") for text in said], bool)
    if is_mark.any():
        rows = np.flatnonzero(np.isin(doc.to_array(IDX), quote_marks(doc.text)))
        word[rows[is_mark[which[rows]]]] = place.setdefault("", len(place))
    if "" in place:
        has_break = (clean == place[""]) & np.array([bool(_BREAK.search(text)) for text in said], bool)
        if has_break.any():
            rows = np.searchsorted(doc.to_array(IDX), closed_lines(doc.text), side="right") - 1
            word[rows[has_break[which[rows]]]] = place.setdefault(".", len(place))
    token = np.flatnonzero(word != place.get("", -1))
    return _Read(list(place), word[token], token)


def words_of(doc: Doc) -> list[str]:
    """The clean words of all tokens of a Doc; "" where nothing can be seen."""
    distinct, which = np.unique(doc.to_array(ORTH), return_inverse=True)
    clean = [clean_word(doc.vocab.strings[orth]) for orth in distinct.tolist()]
    return [clean[number] for number in which.tolist()]


def sentence_ends(tokens: Tokens) -> NDArray[np.int64]:
    """Where sentences end by full stops and what closes behind them: the rows of `tokens` behind their last, rising."""
    final = np.array([word in _FINAL for word in tokens.words], bool)[tokens.word]
    closing = np.array([word in _CLOSING for word in tokens.words], bool)[tokens.word]
    stop = final | closing & _behind(final) | closing & _behind(closing) & _behind(_behind(final))
    return np.flatnonzero(stop & ~np.append(closing, False)[1:]) + 1


def cut(tokens: Tokens, max_tokens: int) -> NDArray[np.int64]:
    """Start and end (rows of `tokens`, end exclusive) of the windows, [windows, 2].

    A window is as many whole sentences of one Doc as fit into `max_tokens`. A longer sentence is cut.
    """
    ends = sentence_ends(tokens)
    changes = np.flatnonzero(np.diff(tokens.doc)) + 1
    bounds = [0, *changes.tolist(), len(tokens.word)] if len(tokens.word) else [0]
    windows: list[tuple[int, int]] = []
    for first, last in pairwise(bounds):
        start = first
        while last - start > max_tokens:
            fitting = int(np.searchsorted(ends, start + max_tokens, side="right")) - 1
            end = int(ends[fitting]) if fitting >= 0 and ends[fitting] > start else start + max_tokens
            windows.append((start, end))
            start = end
        windows.append((start, last))
    return np.array(windows, np.int64).reshape(-1, 2)


def _behind(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the token before has the flag."""
    return np.append(False, flags)[:-1]


def batches(windows: NDArray[np.int64], most: int = MAX_BATCH) -> Iterator[NDArray[np.int64]]:
    """The numbers of windows to be read together: of similar length, at most `most` tokens with padding."""
    lengths = windows[:, 1] - windows[:, 0]
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        count = max(1, most // int(lengths[order[first]]))
        yield order[first : first + count]
        first += count


def rows_of(windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of the tokens of windows, one window after another.

    >>> rows_of(np.array([[7, 9], [2, 5]])).tolist()
    [7, 8, 2, 3, 4]
    """
    lengths = windows[:, 1] - windows[:, 0]
    before = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) + np.repeat(windows[:, 0] - before, lengths)


def make_inputs(tokens: Tokens, windows: NDArray[np.int64], table: WordTable, rows: int, scheme: int) -> Inputs:
    """What the reader is given for some windows.

    Args:
        tokens: of which the windows are stretches.
        windows: see `cut`.
        table: static vectors of words.
        rows: of the reader's table of hashed features.
        scheme: the number of the scheme that all windows follow.
    """
    lengths = windows[:, 1] - windows[:, 0]
    window = np.repeat(np.arange(len(windows)), lengths)
    distinct, word = np.unique(tokens.word[rows_of(windows)], return_inverse=True)
    words = [tokens.words[number] for number in distinct.tolist()]
    place: dict[str, int] = {}
    lower = np.array([place.setdefault(text.lower(), len(place)) for text in words], np.int64)
    _, same = np.unique(window * len(place) + lower[word], return_inverse=True)
    return Inputs(
        vectors=table.vectors(words),
        features=hash_words(words, rows),
        word=word.astype(np.int64),
        same=same.astype(np.int64),
        lengths=lengths,
        scheme=np.full(len(windows), scheme, np.int64),
    )
