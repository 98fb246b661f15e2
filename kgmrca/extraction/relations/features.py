"""Tokens -> arrays: for the pair network (`Features`) and for the published one (`Instances`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Doc

from kgmrca.extraction.encoder.tokens import CASE, case_flags, token_array
from kgmrca.extraction.encoder.words import Pieces, Vectors, Words
from kgmrca.extraction.relations.pairs import Candidates
from kgmrca.types import coarse_type

__all__ = ["N_FLAGS", "Features", "Instances", "make_features", "make_instances", "pair_instances"]

N_FLAGS = len(CASE) + 1
"""The yes/no features of a token: its case, and whether a span begins with it."""


@dataclass(frozen=True, slots=True)
class Features:
    """A batch as arrays. Tokens are those of the sentences with candidate pairs, one sentence after another.

    S sentences, T tokens, E spans, P ordered pairs.
    """

    words: Vectors | Pieces  # of the T tokens
    flags: NDArray[np.float32]  # [T, N_FLAGS]
    token_type: NDArray[np.int64]  # [T] 0: outside any span
    lengths: NDArray[np.int64]  # [S] tokens
    spans: NDArray[np.int64]  # [E, 3] sentence, start, end (tokens of the sentence, end exclusive)
    span_type: NDArray[np.int64]  # [E]
    pairs: NDArray[np.int64]  # [P, 2] subject, object (rows of `spans`)


@dataclass(frozen=True, slots=True)
class Instances:
    """A batch as the MRCA paper has it: stretches of text, each with its subjects and its objects marked.

    S sentences, T tokens, I instances. An instance is a sentence with all its subjects and objects (the paper), or
    with one ordered pair; a sentence may be there for many instances.
    """

    words: Vectors | Pieces  # of the T tokens
    upper: NDArray[np.bool_]  # [T] whether the first character is upper case
    lengths: NDArray[np.int64]  # [S] tokens
    sentence: NDArray[np.int64]  # [I]
    subjects: NDArray[np.int64]  # [., 3] instance, start, end (tokens of its sentence, end exclusive)
    objects: NDArray[np.int64]  # [., 3] likewise


def make_features(docs: Sequence[Doc], candidates: Candidates, types: Iterable[str], *, words: Words) -> Features:
    """Arrays for the sentences, spans and pairs of `candidates`.

    Args:
        docs: the Docs that `candidates` was made from.
        types: the entity types the network knows; their numbers start at 2 (0: no entity, 1: a type never seen).
        words: where word vectors come from.
    """
    sentences, spans = candidates.sentences, candidates.spans
    lengths = sentences[:, 2] - sentences[:, 1]
    case = case_flags(docs, sentences)

    numbers = {label: number for number, label in enumerate(types, start=2)}
    number_of = {label: numbers.get(coarse_type(label), 1) for label in set(candidates.types)}
    span_type = np.array([number_of[label] for label in candidates.types], np.int64)
    first = (np.cumsum(lengths) - lengths)[spans[:, 0]] + spans[:, 1]
    begins = np.zeros((len(case), 1), np.float32)
    begins[first] = 1
    # Longer spans first, so that where spans overlap a token has the type of the innermost: the last one stays.
    order = np.argsort(spans[:, 1] - spans[:, 2], kind="stable")
    size = (spans[:, 2] - spans[:, 1])[order]
    token = np.repeat(first[order] - np.cumsum(size) + size, size) + np.arange(size.sum())
    token_type = np.zeros(len(case), np.int64)
    token_type[token] = np.repeat(span_type[order], size)
    return Features(
        words=words.look_up(docs, sentences),
        flags=np.concatenate([case, begins], 1),
        token_type=token_type,
        lengths=lengths,
        spans=spans,
        span_type=span_type,
        pairs=candidates.pairs,
    )


def make_instances(
    docs: Sequence[Doc],
    sentences: NDArray[np.int64],
    sentence: NDArray[np.int64],
    subjects: NDArray[np.int64],
    objects: NDArray[np.int64],
    *,
    words: Words,
) -> Instances:
    """Arrays for instances of the published network.

    Args:
        docs: the Docs.
        sentences: Doc, start and end (tokens of the Doc) of each sentence, [sentences, 3].
        sentence: the sentence of each instance, [instances].
        subjects, objects: see `Instances`.
        words: where word vectors come from.
    """
    orths, word = np.unique(token_array(docs, sentences, [ORTH])[:, 0], return_inverse=True)
    strings = docs[0].vocab.strings if docs else {}
    return Instances(
        words=words.look_up(docs, sentences),
        upper=np.array([strings[orth][:1].isupper() for orth in orths.tolist()], bool)[word],
        lengths=sentences[:, 2] - sentences[:, 1],
        sentence=sentence,
        subjects=subjects,
        objects=objects,
    )


def pair_instances(docs: Sequence[Doc], candidates: Candidates, types: Iterable[str], *, words: Words) -> Instances:
    """One instance a pair: its subject and its object are the only ones marked. Entity types are not used."""
    subject, object_ = candidates.spans[candidates.pairs[:, 0]], candidates.spans[candidates.pairs[:, 1]]
    instance = np.arange(len(subject))[:, None]
    return make_instances(
        docs,
        candidates.sentences,
        subject[:, 0],
        np.concatenate([instance, subject[:, 1:]], 1),
        np.concatenate([instance, object_[:, 1:]], 1),
        words=words,
    )
