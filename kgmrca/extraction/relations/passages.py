"""Which pairs of entities are asked about, and where the network reads of them: passages of documents.

A passage is what is read as one. A document of at most `max_tokens` words is one passage. A longer one is read in
stretches of whole sentences, each of which begins in the middle of the one before. So the number of pairs grows with
the length of a text and not with its square, and two entities that stand within half a passage are always in one.

[components.mrca_relations.pairs]
@misc = "kgmrca.entity_pairs.v1"
max_tokens = 512
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc

from kgmrca.entities import PlainEntities, get_plain_entities
from kgmrca.errors import InputError
from kgmrca.extraction.coreference.features import pronoun_group
from kgmrca.extraction.encoder.tokens import sentence_starts
from kgmrca.extraction.encoder.windows import Tokens, cut, read_tokens, sentence_ends
from kgmrca.types import coarse_type

__all__ = ["SCOPES", "EntityPairSuggester", "Passages", "make_entity_pairs"]

SCOPES = ("document", "sentence")
"""Between what relations are looked for: the entities of a document, or the mentions of a sentence."""

NAME, PRONOUN, OTHER = 0, 1, 2
"""The kinds of mentions."""

_FAR = 1 << 20  # more tokens than a passage has


@dataclass(frozen=True, slots=True)
class Passages:
    """The pairs of a batch of Docs, with the passages they are read in.

    B passages, M mentions, E entities, P ordered pairs. An entity with mentions in several passages is there several
    times, once for each of them. Mentions are sorted by entities, and these by passages. Passages without a pair are
    left out.
    """

    tokens: Tokens  # of all Docs
    sentence: NDArray[np.int64]  # number of the sentence of each token, rising within a Doc
    bounds: NDArray[np.int64]  # [B, 2] start, end (rows of `tokens`, end exclusive)
    mentions: NDArray[np.int64]  # [M, 2] start, end (rows of `tokens`, end exclusive)
    characters: NDArray[np.int64]  # [M, 2] start, end (characters of the Doc's text, end exclusive)
    kind: NDArray[np.int64]  # [M] NAME, PRONOUN or OTHER
    mention_entity: NDArray[np.int64]  # [M] number of its entity, from 0 to E - 1
    passage: NDArray[np.int64]  # [E] number of its passage
    entity: NDArray[np.int64]  # [E] the same number for the same entity of a Doc in several passages
    types: list[str]  # [E] coarse types
    pairs: NDArray[np.integer[Any]]  # [P, 2] subject, object (numbers of entities)

    @property
    def doc(self) -> NDArray[np.int64]:
        """The number of each entity's Doc, [E]."""
        return self.tokens.doc[self.bounds[self.passage, 0]] if len(self.passage) else self.passage

    @property
    def ids(self) -> NDArray[np.int64]:
        """What a gold relation must hold between, so that it is one of the pair: the entities, [E]."""
        return self.entity

    def places(self) -> Iterator[tuple[tuple[int, int, int], int]]:
        """Where each mention is, the number of its Doc and its characters, and of which entity (a row) it is one."""
        doc = self.doc[self.mention_entity]
        return zip(
            zip(doc.tolist(), *self.characters.T.tolist(), strict=True), self.mention_entity.tolist(), strict=True
        )

    def arguments(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The mentions that stand for subject and object of some pairs (rows of `pairs`): their characters, [., 4].

        These are two of one sentence if there are such, names rather than pronouns; else the two that are closest.
        """
        starts = np.searchsorted(self.mention_entity, np.arange(len(self.entity) + 1)).tolist()
        chosen = np.zeros((len(pairs), 4), np.int64)
        for number, (subject, object_) in enumerate(self.pairs[pairs].tolist()):
            one, other = slice(*starts[subject : subject + 2]), slice(*starts[object_ : object_ + 2])
            rank = self._rank(one, other)
            mine, theirs = np.unravel_index(rank.argmin(), rank.shape)
            chosen[number, :2], chosen[number, 2:] = self.characters[one][mine], self.characters[other][theirs]
        return chosen

    def readings(self, pair: int) -> NDArray[np.int64]:
        """All mentions of subject and object of a pair that share a sentence, best first: their characters, [., 4]."""
        subject, object_ = self.pairs[pair].tolist()
        starts = np.searchsorted(self.mention_entity, [subject, subject + 1, object_, object_ + 1]).tolist()
        one, other = slice(*starts[:2]), slice(*starts[2:])
        rank = self._rank(one, other)
        mine, theirs = np.unravel_index(rank.argsort(axis=None, kind="stable"), rank.shape)
        both = np.concatenate([self.characters[one][mine], self.characters[other][theirs]], 1)
        return both[: np.count_nonzero(rank < 3 * _FAR)]

    def _rank(self, one: slice, other: slice) -> NDArray[np.int64]:
        """How well two mentions tell of their entities (the lowest is best), [mentions of one, of the other].

        Below three times `_FAR` are those of one sentence.
        """
        (first, last), (from_, to) = self.mentions[one].T[:, :, None], self.mentions[other].T[:, None, :]
        apart = np.maximum(np.maximum(from_ - last, first - to), 0)
        is_other = (self.kind[one] != NAME)[:, None] * 1 + (self.kind[other] != NAME)[None, :]
        same = self.sentence[first] == self.sentence[from_]
        return np.where(same, is_other * _FAR + apart, (3 + apart) * _FAR + is_other)


@runtime_checkable  # spaCy checks the settings of components by it
class EntityPairSuggester(Protocol):
    """Chooses the pairs of entities, and the passages. Pairs are ordered: (a, b) and (b, a) are two."""

    def __call__(
        self, docs: Sequence[Doc], *, spans_key: str | None, scope: str, type_map: Mapping[str, str]
    ) -> Passages:
        """Read the entities of Docs.

        Args:
            docs: Docs of one vocabulary.
            spans_key: the span group with the names; None: those of `doc.ents`.
            scope: one of `SCOPES`. "sentence": a passage is a sentence, and each name is an entity of its own.
            type_map: see `types.coarse_type`.
        """
        ...


def make_entity_pairs(max_tokens: int = 512) -> EntityPairSuggester:
    """Every ordered pair of entities that are mentioned in one passage (`kgmrca.entity_pairs.v1`).

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": name} for name in ("Ann", "Bob", "Eve")])
    >>> doc = nlp("Ann met Bob. Ann slept. Eve came.")
    >>> pairs = make_entity_pairs()([doc], spans_key=None, scope="document", type_map={})
    >>> pairs.entity.tolist(), pairs.pairs.tolist()
    ([0, 1, 2], [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]])

    Args:
        max_tokens: the longest passage, in words.

    Raises:
        InputError: `max_tokens` is less than 4.
    """
    if max_tokens < 4:
        raise InputError(f"max_tokens must be at least 4, not {max_tokens}: half a passage needs two tokens.")
    # A partial of a function of this module, and no closure, because pipelines are pickled (spawned processes).
    return partial(_entity_pairs, max_tokens=max_tokens, sentencizer=Sentencizer())


def _entity_pairs(
    docs: Sequence[Doc],
    *,
    spans_key: str | None,
    scope: str,
    type_map: Mapping[str, str],
    max_tokens: int,
    sentencizer: Sentencizer,
) -> Passages:
    tokens = read_tokens(docs)
    ends = sentence_ends(tokens)
    sentence = np.searchsorted(ends, np.arange(len(tokens.word)), side="right")
    first = np.searchsorted(tokens.doc, np.arange(len(docs) + 1)).tolist()  # of each Doc
    bounds: list[NDArray[np.int64]] = [np.zeros((0, 2), np.int64)]
    found: list[NDArray[np.int64]] = [np.zeros((0, 6), np.int64)]  # rows, characters, entity, whether it is a name
    types: list[str] = []  # of the entities
    windows = cut(tokens, max_tokens // 2) if scope == "document" else np.zeros((0, 2), np.int64)
    for number, doc in enumerate(docs):
        plain = get_plain_entities(doc, spans_key=spans_key, type_map=type_map)
        if len(plain.mentions) < 2:
            continue
        start, end = first[number : number + 2]
        visible = tokens.token[start:end]
        if scope == "document":
            entity, coarse = plain.entity, plain.types
            bounds.append(_passages(windows, start, end, max_tokens))
        else:
            plain = _names(plain)
            entity, coarse = np.arange(len(plain.mentions)), [coarse_type(label, type_map) for label in plain.labels]
            stretches = np.searchsorted(visible, sentence_starts(doc, sentencizer, max_tokens)) + start
            bounds.append(np.stack([stretches[:-1], stretches[1:]], 1))
        rows = np.searchsorted(visible, plain.mentions) + start
        columns = [rows, plain.characters, entity[:, None] + len(types), plain.is_name[:, None]]
        found.append(np.concatenate(columns, 1))
        types += coarse
    return _make(tokens, sentence, np.concatenate(bounds), np.concatenate(found), types)


def _names(plain: PlainEntities) -> PlainEntities:
    """Without pronouns and descriptions, which are no mentions that a sentence tells by itself."""
    kept = np.flatnonzero(plain.is_name)
    labels = [plain.labels[row] for row in kept.tolist()]
    return PlainEntities(
        plain.mentions[kept],
        plain.characters[kept],
        plain.entity[kept],
        plain.is_name[kept],
        labels,
        plain.types,
        plain.telling,
        plain.items,
    )


def _passages(windows: NDArray[np.int64], start: int, end: int, max_tokens: int) -> NDArray[np.int64]:
    """The passages of a Doc, [passages, 2]: all of it, or each two windows that follow one another."""
    if end - start <= max_tokens:
        return np.array([[start, end]], np.int64)
    first, last = np.searchsorted(windows[:, 0], [start, end])
    here = windows[first:last]
    return np.stack([here[:-1, 0], here[1:, 1]], 1)


def _make(
    tokens: Tokens,
    sentence: NDArray[np.int64],
    bounds: NDArray[np.int64],
    found: NDArray[np.int64],
    types: Sequence[str],
) -> Passages:
    """The pairs, from passages and mentions; `found` has rows, characters, entity, and whether it is a name."""
    found = found[found[:, 0] < found[:, 1]]  # some have no visible character
    # Starts and ends of passages rise both, so the passages that hold a mention follow one another.
    low = np.searchsorted(bounds[:, 1], found[:, 1], side="left")
    high = np.searchsorted(bounds[:, 0], found[:, 0], side="right")
    count = np.maximum(high - low, 0)
    mention = np.repeat(np.arange(len(found)), count)
    passage = np.repeat(low - np.cumsum(count) + count, count) + np.arange(count.sum())
    order = np.lexsort((mention, found[mention, 4], passage))
    mention, passage = mention[order], passage[order]
    entity = found[mention, 4]

    def is_new() -> NDArray[np.bool_]:
        return np.append(True, (np.diff(passage) != 0) | (np.diff(entity) != 0))[: len(passage)]

    entities = np.bincount(passage[is_new()], minlength=len(bounds))
    has_pairs = entities >= 2
    kept = has_pairs[passage]
    mention, passage, entity = mention[kept], (np.cumsum(has_pairs) - 1)[passage[kept]], entity[kept]
    new = is_new()
    rows = found[mention, :2]
    is_pronoun = np.array([pronoun_group(tokens.words[word]) != "" for word in tokens.word[rows[:, 0]].tolist()], bool)
    is_pronoun &= rows[:, 1] - rows[:, 0] == 1
    return Passages(
        tokens=tokens,
        sentence=sentence,
        bounds=bounds[has_pairs],
        mentions=rows,
        characters=found[mention, 2:4],
        kind=np.where(found[mention, 5] == 1, NAME, np.where(is_pronoun, PRONOUN, OTHER)),
        mention_entity=np.cumsum(new) - 1,
        passage=passage[new],
        entity=entity[new],
        types=[types[number] for number in entity[new].tolist()],
        pairs=_ordered_pairs(entities[has_pairs]),
    )


def _ordered_pairs(counts: NDArray[np.int64]) -> NDArray[np.int32]:
    """All ordered pairs of entities of one passage; `counts` of them are in each, one passage after another.

    A long text has millions of them, hence the small numbers.
    """
    counts = counts.astype(np.int32)
    first = np.repeat(np.cumsum(counts, dtype=np.int32) - counts, counts)  # of the passage, for each entity
    partners = np.repeat(counts, counts) - np.int32(1)
    pairs = np.empty((int(partners.sum(dtype=np.int64)), 2), np.int32)
    pairs[:, 0] = np.repeat(np.arange(len(first), dtype=np.int32), partners)
    pairs[:, 1] = np.arange(len(pairs), dtype=np.int32)
    pairs[:, 1] += np.repeat(first - np.cumsum(partners, dtype=np.int32) + partners, partners)
    pairs[:, 1] += pairs[:, 1] >= pairs[:, 0]
    return pairs
