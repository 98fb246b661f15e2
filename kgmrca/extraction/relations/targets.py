"""Gold relations of examples: what is counted of them before training, and what is learned from each batch.

A gold relation holds between two mentions. It counts for the pair that is asked about: of these two spans, or, where
pairs of entities are asked about, of the entities that have these mentions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example

from kgmrca.corpora.annotated import exhaustively_annotated
from kgmrca.extraction.relations.pairs import Candidates
from kgmrca.extraction.relations.passages import Passages
from kgmrca.relations import get_plain_relations

__all__ = ["Asked", "Gold", "gold_pairs", "make_targets"]

Asked: TypeAlias = Candidates | Passages
"""The pairs of a batch of Docs that are asked about."""


@dataclass(slots=True)
class Gold:
    """Labels and types in the examples, counted."""

    counts: dict[str, float] = field(default_factory=dict)  # label -> the sum of the scores
    combinations: defaultdict[str, dict[tuple[str, str], float]] = field(default_factory=lambda: defaultdict(dict))
    types: set[str] = field(default_factory=set)
    exhaustive: set[str] | None = field(default_factory=set)  # labels that some Doc is annotated with; None: all
    n_pairs: int = 0

    def add_docs(self, docs: Sequence[Doc], asked: Asked) -> None:
        """Count the gold relations of gold Docs; `asked` are their pairs."""
        self.n_pairs += len(asked.pairs)
        self.types.update(asked.types)
        for doc in docs:
            names = exhaustively_annotated(doc)
            self.exhaustive = None if self.exhaustive is None or names is None else self.exhaustive | names
        type_at = {place: asked.types[row] for place, row in asked.places()}
        seen = set()
        for subject, object_, ids, label, score in gold_pairs(docs, asked):
            if None in ids or (*ids, label) not in seen:
                seen.add((*ids, label))
                self.add(label, type_at.get(subject, ""), type_at.get(object_, ""), score)

    def add(self, label: str, subject_type: str, object_type: str, score: float) -> None:
        """Count a relation. A score below 1 is the guess of a teacher, whose types are not counted."""
        self.counts[label] = self.counts.get(label, 0) + score
        of_label = self.combinations[label]
        of_label[subject_type, object_type] = of_label.get((subject_type, object_type), 0) + (score == 1)


def gold_pairs(docs: Iterable[Doc], asked: Asked) -> Iterator[tuple[Any, Any, tuple[Any, Any], str, float]]:
    """The relations on Docs: the places of both mentions, what is asked about there (None: nothing), label, score.

    A place is the number of the Doc, and start and end (characters).
    """
    ids = asked.ids.tolist()
    id_at = {place: ids[row] for place, row in asked.places()}
    for number, doc in enumerate(docs):
        for a, b, c, d, label, score in get_plain_relations(doc) or ():
            subject, object_ = (number, a, b), (number, c, d)
            yield subject, object_, (id_at.get(subject), id_at.get(object_)), label, score


def make_targets(
    examples: Sequence[Example], asked: Asked, labels: Sequence[str], unannotated: Mapping[str, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The gold score of each pair and label, and its weight, each [pairs, labels].

    Args:
        examples: the examples of whose predicted Docs `asked` has the pairs.
        asked: the pairs.
        labels: all labels, in the order of the columns.
        unannotated: for each label, what a pair without it counts in a Doc that is not annotated exhaustively with it.
    """
    column = {label: index for index, label in enumerate(labels)}
    counts = np.ones((len(examples), len(column)), np.float32)
    weights = np.array([unannotated[label] for label in labels], np.float32)
    for number, example in enumerate(examples):
        exhaustive = exhaustively_annotated(example.reference)
        if exhaustive is not None:
            counts[number] = np.where([label in exhaustive for label in labels], 1, weights)
    known = counts[asked.doc[asked.pairs[:, 0]]]
    targets = np.zeros_like(known)
    rows_at: defaultdict[tuple[Any, Any], list[int]] = defaultdict(list)  # an entity pair may be in several passages
    for row, ids in enumerate(asked.ids[asked.pairs].tolist()):
        rows_at[tuple(ids)].append(row)
    for _, _, ids, label, score in gold_pairs((example.reference for example in examples), asked):
        if ids in rows_at and label in column:
            targets[rows_at[ids], column[label]] = np.maximum(targets[rows_at[ids], column[label]], score)
            known[rows_at[ids], column[label]] = 1
    return targets, known
