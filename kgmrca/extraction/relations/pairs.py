"""The candidate pairs: ordered pairs of spans that the network scores. Replaceable: register your own function.

[components.mrca_relations.pairs]
@misc = "kgmrca.sentence_pairs.v1"
max_tokens = 256
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from kgmrca.errors import InputError
from kgmrca.extraction.encoder.tokens import sentence_starts

__all__ = ["Candidates", "PairSuggester", "make_sentence_pairs"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The pairs of a batch of Docs, with the stretches of text ("sentences") they are read in.

    S sentences, E spans, P ordered pairs. Sentences without a pair are left out.
    """

    sentences: NDArray[np.int64]  # [S, 3] Doc of the batch, start, end (tokens of the Doc, end exclusive)
    spans: NDArray[np.int64]  # [E, 3] sentence, start, end (tokens of the sentence, end exclusive)
    pairs: NDArray[np.integer[Any]]  # [P, 2] subject, object (rows of `spans`)
    characters: NDArray[np.int64]  # [E, 2] start, end (characters of the Doc's text, end exclusive)
    types: list[str]  # [E] types of the entities, as their recognizer names them
    entity: NDArray[np.int64] | None = None  # [E] what each span is a mention of, a number; None: that is not asked

    @property
    def doc(self) -> NDArray[np.int64]:
        """The number of each span's Doc, [E]."""
        return self.sentences[self.spans[:, 0], 0]

    @property
    def ids(self) -> NDArray[np.int64]:
        """What a gold relation must hold between, so that it is one of the pair: the spans themselves, [E]."""
        return np.arange(len(self.spans))

    def places(self) -> Iterator[tuple[tuple[int, int, int], int]]:
        """Where each span is, the number of its Doc and its characters, and its row."""
        places = zip(self.doc.tolist(), *self.characters.T.tolist(), strict=True)
        return zip(places, range(len(self.spans)), strict=True)

    def arguments(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The characters of subject and object of some pairs (rows of `pairs`), [., 4]."""
        return self.characters[self.pairs[pairs]].reshape(-1, 4)

    def readings(self, pair: int) -> NDArray[np.int64]:
        """The characters of subject and object of a pair (a row of `pairs`), [1, 4]."""
        return self.arguments(np.array([pair]))


@runtime_checkable  # spaCy checks the settings of components by it
class PairSuggester(Protocol):
    """Chooses the candidate pairs. Pairs are ordered: (a, b) and (b, a) are two."""

    def __call__(self, docs: Sequence[Doc], *, spans_key: str | None) -> Candidates:
        """Read the spans from `doc.spans[spans_key]`, or from `doc.ents` where the key is None."""
        ...


def make_sentence_pairs(max_tokens: int = 256) -> PairSuggester:
    """Every ordered pair of spans of one sentence (`kgmrca.sentence_pairs.v1`).

    Where no component has set sentence boundaries, spaCy's rule-based sentencizer finds them, and the Doc stays as it
    is. A sentence longer than `max_tokens` is read in stretches of that length. Otherwise a long text without a full
    stop would be one sentence with millions of pairs. A span that crosses a boundary is in no pair, and two spans over
    the same tokens are no pair.

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> nlp.add_pipe("entity_ruler").add_patterns([{"label": "X", "pattern": name} for name in ("Ann", "Bob", "Oslo")])
    >>> make_sentence_pairs()([nlp("Ann met Bob. Oslo is cold.")], spans_key=None).pairs.tolist()
    [[0, 1], [1, 0]]

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
    bounds: list[NDArray[np.int64]] = [np.zeros((0, 3), np.int64)]  # Doc, start, end of each sentence
    found: list[tuple[int, int, int, int, int]] = []  # Doc, start, end, first and last character of each span
    types: list[str] = []
    for number, doc in enumerate(docs):
        spans = sorted(doc.ents if spans_key is None else doc.spans.get(spans_key, ()))
        if len(spans) < 2:
            continue
        starts = sentence_starts(doc, sentencizer, max_tokens)
        bounds.append(np.stack([np.full(len(starts) - 1, number), starts[:-1], starts[1:]], 1))
        found += [(number, span.start, span.end, span.start_char, span.end_char) for span in spans]
        types += [span.label_ for span in spans]
    sentences = np.concatenate(bounds)
    doc_of, start, end, *characters = np.array(found, np.int64).reshape(-1, 5).T

    # The sentence that a span starts in, with the tokens of all Docs counted in a row.
    before = np.cumsum([0, *map(len, docs)])
    home = np.searchsorted(before[sentences[:, 0]] + sentences[:, 1], before[doc_of] + start, side="right") - 1
    inside = end <= sentences[home, 2]
    counts = np.bincount(home[inside], minlength=len(sentences))  # spans a sentence
    has_pairs = counts >= 2
    kept = inside & has_pairs[home]
    row = np.cumsum(has_pairs) - 1
    within = np.stack([row[home], start - sentences[home, 1], end - sentences[home, 1]], 1)[kept]
    return Candidates(
        sentences=sentences[has_pairs],
        spans=within,
        pairs=_ordered_pairs(within, counts[has_pairs]),
        characters=np.stack(characters, 1)[kept],
        types=list(compress(types, kept)),
    )


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
