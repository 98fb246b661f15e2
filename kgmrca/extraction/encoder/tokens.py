"""What is read of Docs as arrays: attributes of tokens, and where sentences begin."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_LOWER, IS_PUNCT, IS_TITLE, IS_UPPER, LIKE_NUM
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

__all__ = ["CASE", "case_flags", "sentence_bounds", "sentence_starts", "token_array"]

CASE = (IS_LOWER, IS_TITLE, IS_UPPER, LIKE_NUM, IS_PUNCT)
"""The paper's case value (eq. 3.2), told apart a little more finely."""


def token_array(docs: Sequence[Doc], sentences: NDArray[np.int64], attributes: Sequence[int]) -> NDArray[np.uint64]:
    """Attributes of the tokens of the sentences, one sentence after another, [tokens, attributes]."""
    used = np.unique(sentences[:, 0])
    arrays = {index: docs[index].to_array(list(attributes)) for index in used.tolist()}
    parts = [arrays[doc][start:end] for doc, start, end in sentences.tolist()]
    found = np.concatenate(parts) if parts else np.zeros((0, len(attributes)), np.uint64)
    return found.reshape(-1, len(attributes))


def case_flags(docs: Sequence[Doc], sentences: NDArray[np.int64]) -> NDArray[np.float32]:
    """Which of the attributes `CASE` each token has (1, else 0), [tokens, len(CASE)]; tokens as in `token_array`."""
    return token_array(docs, sentences, CASE).astype(np.float32)


def sentence_starts(doc: Doc, sentencizer: Sentencizer, max_tokens: int) -> NDArray[np.int64]:
    """The first token of each sentence, and the Doc's length at the end.

    Where no component has set sentence boundaries, `sentencizer` finds them, and the Doc stays as it is. A sentence
    longer than `max_tokens` is cut into stretches of that length.

    >>> import spacy
    >>> doc = spacy.blank("en")("Ann slept. Bob and Cid woke up.")
    >>> sentence_starts(doc, Sentencizer(), max_tokens=256).tolist()
    [0, 3, 9]
    >>> sentence_starts(doc, Sentencizer(), max_tokens=4).tolist()
    [0, 3, 7, 9]
    """
    if doc.has_annotation("SENT_START"):
        guesses = doc.to_array("SENT_START") == 1
    else:
        guesses = np.array(sentencizer.predict([doc])[0], bool)
    guesses[0] = True
    starts = np.flatnonzero(guesses)
    # A token also starts a stretch where it is `max_tokens` from the start of its sentence, or twice that, and so on.
    position = np.arange(len(doc)) - np.repeat(starts, np.diff(starts, append=len(doc)))
    return np.append(np.flatnonzero(position % max_tokens == 0), len(doc))


def sentence_bounds(docs: Sequence[Doc], sentencizer: Sentencizer, max_tokens: int) -> NDArray[np.int64]:
    """Doc, start and end (tokens of the Doc) of each sentence, [sentences, 3]; see `sentence_starts`."""
    bounds = [np.zeros((0, 3), np.int64)]
    for number, doc in enumerate(docs):
        if len(doc):
            starts = sentence_starts(doc, sentencizer, max_tokens)
            bounds.append(np.stack([np.full(len(starts) - 1, number), starts[:-1], starts[1:]], 1))
    return np.concatenate(bounds)
