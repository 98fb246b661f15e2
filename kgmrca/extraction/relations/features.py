"""Tokens -> arrays: for the network of pairs (`Features`), the published one (`Instances`), that of facts (`Facts`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.tokens import Doc
from torch import Tensor

from kgmrca.extraction.encoder.shared import DocStates, SharedReader, read_states
from kgmrca.extraction.encoder.tokens import CASE, case_flags, token_array
from kgmrca.extraction.encoder.windows import Inputs, cut, make_inputs, rows_of
from kgmrca.extraction.encoder.words import Pieces, Vectors, Words, WordTable
from kgmrca.extraction.relations.pairs import Candidates
from kgmrca.extraction.relations.passages import Passages
from kgmrca.types import coarse_type

__all__ = [
    "N_FLAGS",
    "Facts",
    "Features",
    "Instances",
    "OwnReader",
    "make_facts",
    "make_features",
    "make_instances",
    "pair_instances",
]

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
    pairs: NDArray[np.integer[Any]]  # [P, 2] subject, object (rows of `spans`)


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


@dataclass(frozen=True, slots=True)
class Facts:
    """Passages as `fact_network.FactNetwork.forward` takes them, which explains the arrays."""

    states: "Tensor | Unread"
    vectors: NDArray[np.float32]
    lengths: NDArray[np.int64]
    sentence: NDArray[np.int64]
    mentions: NDArray[np.int64]
    mention_entity: NDArray[np.int64]
    mention_kind: NDArray[np.int64]
    entity_type: NDArray[np.int64]
    entity_passage: NDArray[np.int64]
    pairs: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Unread:
    """Windows that the network is to read itself, and which rows of what it reads are the tokens of the passages."""

    windows: Inputs
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OwnReader:
    """What is known of the reader of a network that has one of its own.

    Args:
        words: the table of its static vectors.
        features: rows of its table of hashed features.
        max_tokens: the longest window that it reads at once.
    """

    words: WordTable
    features: int
    max_tokens: int


MAX_CELLS, MAX_ROWS = 20_000, 8_192
"""Pairs and tokens, padding included, of the passages that are read at once: this bounds the memory."""


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


def make_facts(
    docs: Sequence[Doc],
    asked: Passages,
    types: Sequence[str],
    *,
    reader: SharedReader | OwnReader,
    at_once: bool = False,
) -> Iterator[tuple[NDArray[np.int64], Facts]]:
    """Batches of passages of similar size: which pairs (rows of `asked.pairs`) are in each, and its arrays.

    Args:
        docs: the Docs that `asked` was made from.
        asked: the passages and pairs. Passages without a pair are left out.
        types: the entity types that the network knows; the number behind them stands for all others.
        reader: what reads the tokens.
        at_once: make one batch of all, for training.
    """
    if not len(asked.pairs):
        return
    number_of = {name: number for number, name in enumerate(types)}
    type_number = np.array([number_of.get(name, len(types)) for name in asked.types], np.int64)
    states_of = (
        _states_to_read(asked, reader) if isinstance(reader, OwnReader) else _states_read(read_states(docs, reader))
    )
    everyone = np.arange(len(asked.bounds) + 1)
    first_entity = np.searchsorted(asked.passage, everyone)
    first_pair = np.searchsorted(asked.pairs[:, 0], first_entity)  # subjects rise, as passages do
    first_mention = np.searchsorted(asked.mention_entity, first_entity)
    size = np.diff(first_entity)
    lengths = asked.bounds[:, 1] - asked.bounds[:, 0]
    some = np.flatnonzero(np.diff(first_pair))
    for group in [some] if at_once else _batches(some[np.lexsort((lengths[some], size[some]))], size, lengths):
        rows = rows_of(asked.bounds[group])
        entities, mentions, pairs = (
            rows_of(np.stack([first[group], first[group + 1]], 1))
            for first in (first_entity, first_mention, first_pair)
        )
        place = np.zeros(len(asked.entity), np.int64)  # of an entity in this batch
        place[entities] = np.arange(len(entities))
        of_mention = asked.mention_entity[mentions]
        begin = np.zeros(len(asked.bounds), np.int64)  # of a passage in this batch, counted from its own first row
        begin[group] = np.cumsum(lengths[group]) - lengths[group] - asked.bounds[group, 0]
        passage = np.zeros(len(asked.bounds), np.int64)
        passage[group] = np.arange(len(group))
        distinct, word = np.unique(asked.tokens.word[rows], return_inverse=True)
        vectors = reader.words.vectors([asked.tokens.words[number] for number in distinct.tolist()])
        yield (
            pairs,
            Facts(
                states=states_of(group, rows),
                vectors=vectors[word],
                lengths=lengths[group],
                sentence=asked.sentence[rows],
                mentions=asked.mentions[mentions] + begin[asked.passage[of_mention]][:, None],
                mention_entity=place[of_mention],
                mention_kind=asked.kind[mentions],
                entity_type=type_number[entities],
                entity_passage=passage[asked.passage[entities]],
                pairs=place[asked.pairs[pairs]],
            ),
        )


def _batches(
    passages: NDArray[np.int64], size: NDArray[np.int64], lengths: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """The passages, in their order, in batches within the bounds; a single one may be beyond them."""
    first = 0
    while first < len(passages):
        rest = passages[first : first + MAX_ROWS]
        count = np.arange(1, len(rest) + 1)
        cells = np.maximum.accumulate(size[rest]) ** 2 * count
        rows = np.maximum.accumulate(lengths[rest]) * count
        last = first + max(1, int(np.searchsorted(np.maximum(cells / MAX_CELLS, rows / MAX_ROWS), 1, side="right")))
        yield passages[first:last]
        first = last


_StatesOf: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.int64]], "Tensor | Unread"]
"""Passages and their rows -> the states of these rows."""


def _states_read(known: DocStates) -> _StatesOf:
    return lambda _, rows: known.rows(rows)


def _states_to_read(asked: Passages, reader: OwnReader) -> _StatesOf:
    """The windows that passages lie in, for a network that reads itself."""
    windows = cut(asked.tokens, reader.max_tokens)

    def unread(group: NDArray[np.int64], rows: NDArray[np.int64]) -> Unread:
        first = np.searchsorted(windows[:, 1], asked.bounds[group, 0], side="right")
        last = np.searchsorted(windows[:, 0], asked.bounds[group, 1], side="left")
        needed = np.unique(rows_of(np.stack([first, last], 1)))
        inputs = make_inputs(asked.tokens, windows[needed], reader.words, reader.features, 0)
        return Unread(inputs, np.searchsorted(rows_of(windows[needed]), rows))

    return unread
