"""Which ordered pairs of spans the network is asked about. Replaceable: register a function of your own.

[components.mrca_relations.pairs]
@misc = "kgmrca.sentence_pairs.v1"
max_tokens = 256
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc, Span

from kgmrca.errors import InputError

__all__ = ["Candidates", "PairSuggester", "make_sentence_pairs"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The pairs of a batch of Docs, with the stretches of text ("sentences") they are read in.

    S sentences, E spans, P ordered pairs. Sentences without a pair are left out.
    """

    sentences: NDArray[np.int64]  # [S, 3] Doc of the batch, start, end (tokens of the Doc, end exclusive)
    spans: NDArray[np.int64]  # [E, 3] sentence, start, end (tokens of the sentence, end exclusive)
    pairs: NDArray[np.int64]  # [P, 2] subject, object (rows of `spans`)
    characters: NDArray[np.int64]  # [E, 2] start, end (characters of the Doc's text, end exclusive)
    labels: list[str]  # [E] entity types


class PairSuggester(Protocol):
    """Says which pairs are asked about. Pairs are ordered: (a, b) and (b, a) are two."""

    def __call__(self, docs: Sequence[Doc], *, spans_key: str | None) -> Candidates:
        """Read the spans from `doc.spans[spans_key]`, or from `doc.ents` where the key is None."""
        ...


def make_sentence_pairs(max_tokens: int = 256) -> PairSuggester:
    """Every ordered pair of spans of one sentence (`kgmrca.sentence_pairs.v1`).

    Where nothing has set sentence boundaries, spaCy's rule-based sentencizer is asked for them; the Doc stays as it
    is. A sentence longer than `max_tokens` is read in stretches of that length, so that a long text without any full
    stop does not become one sentence with millions of pairs. A span that crosses a boundary is not asked about, nor
    is a pair of two spans over the same tokens.

    Raises:
        InputError: `max_tokens` is less than 2.
    """
    if max_tokens < 2:
        raise InputError(f"max_tokens must be at least 2, not {max_tokens}: a pair needs two tokens.")
    # A partial of a function of this module, and no closure, because pipelines are pickled (spawned processes).
    return partial(_sentence_pairs, max_tokens=max_tokens, sentencizer=Sentencizer())


def _sentence_pairs(
    docs: Sequence[Doc], *, spans_key: str | None, max_tokens: int, sentencizer: Sentencizer
) -> Candidates:
    sentences: list[tuple[int, int, int]] = []
    spans: list[tuple[int, int, int]] = []
    kept: list[Span] = []
    counts: list[int] = []  # spans a sentence
    for number, doc in enumerate(docs):
        found = sorted(doc.ents if spans_key is None else doc.spans.get(spans_key, ()))
        if len(found) < 2:
            continue
        starts = _starts(doc, sentencizer, max_tokens)
        homes = np.searchsorted(starts, [span.start for span in found], side="right") - 1
        inside = starts[homes + 1] >= [span.end for span in found]
        per_sentence = np.bincount(homes[inside], minlength=len(starts))
        rows = np.full(len(starts), -1)  # the row a sentence gets, if two spans lie in it
        for home in np.flatnonzero(per_sentence >= 2).tolist():
            rows[home] = len(sentences)
            sentences.append((number, int(starts[home]), int(starts[home + 1])))
            counts.append(int(per_sentence[home]))
        for span, home, whole in zip(found, homes.tolist(), inside.tolist(), strict=True):
            if whole and rows[home] >= 0:
                spans.append((int(rows[home]), span.start - int(starts[home]), span.end - int(starts[home])))
                kept.append(span)
    spans_array = np.array(spans, np.int64).reshape(-1, 3)
    return Candidates(
        sentences=np.array(sentences, np.int64).reshape(-1, 3),
        spans=spans_array,
        pairs=_ordered_pairs(spans_array, np.array(counts, np.int64)),
        characters=np.array([(span.start_char, span.end_char) for span in kept], np.int64).reshape(-1, 2),
        labels=[span.label_ for span in kept],
    )


def _starts(doc: Doc, sentencizer: Sentencizer, max_tokens: int) -> NDArray[np.int64]:
    """The first token of each sentence, and the Doc's length at the end."""
    if doc.has_annotation("SENT_START"):
        guesses = doc.to_array("SENT_START") == 1
    else:
        guesses = np.array(sentencizer.predict([doc])[0], bool)
    guesses[0] = True
    starts = np.append(np.flatnonzero(guesses), len(doc))
    cuts = [np.arange(start, end, max_tokens) for start, end in pairwise(starts)]
    return np.append(np.concatenate(cuts), len(doc)).astype(np.int64)


def _ordered_pairs(spans: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """All (subject, object) rows of one sentence; `spans` come sentence by sentence, `counts[s]` of them."""
    if not len(spans):
        return np.zeros((0, 2), np.int64)
    first = np.cumsum(counts) - counts  # the first span of each sentence
    partners = counts[spans[:, 0]]
    subject = np.repeat(np.arange(len(spans)), partners)
    nth = np.arange(len(subject)) - np.repeat(np.cumsum(partners) - partners, partners)
    pairs = np.stack([subject, first[spans[subject, 0]] + nth], 1)
    same = (spans[pairs[:, 0]] == spans[pairs[:, 1]]).all(1)
    return pairs[~same]
