"""Choosing the operating point: the score from which a label is given."""

from pathlib import Path

import numpy as np
import torch
from spacy.language import Language
from torch import Tensor
from tqdm import tqdm

from kgmrca.corpora.annotated import Corpus
from kgmrca.relations import get_records
from kgmrca.tagging.component import relation_pipe
from kgmrca.tagging.scorer import prf

__all__ = ["best_threshold", "best_thresholds", "micro_f1", "sweep"]

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


_BINS = 1000  # scores are told apart to this many parts of the range from 0 to 1


def micro_f1(predicted: Tensor, targets: Tensor, *, n_gold: int | None = None) -> tuple[float, float, float]:
    """Precision, recall and F1 of 0/1 or Boolean arrays [pairs, labels].

    Args:
        n_gold: the number of true labels, where some are of pairs that nobody asked about.
    """
    right, given = int((predicted.bool() & targets.bool()).sum()), int(predicted.bool().sum())
    gold = int(targets.sum()) if n_gold is None else n_gold
    return right / max(given, 1), right / max(gold, 1), 2 * right / max(given + gold, 1)


def best_threshold(scores: Tensor, targets: Tensor, *, n_gold: int | None = None) -> tuple[float, float]:
    """The threshold with the best micro F1, to a thousandth, and that F1; choose on held-out data.

    Args:
        scores: between 0 and 1, [pairs, labels], on any device.
        targets: 0 or 1, [pairs, labels].
        n_gold: see `micro_f1`.
    """
    right, given = _at_least(scores.reshape(-1, 1), targets.reshape(-1, 1))
    f1 = 2 * right / (given + (targets.sum() if n_gold is None else n_gold)).clamp(min=1)
    best = int(f1[0].argmax())
    return best / _BINS, float(f1[0, best])


def best_thresholds(scores: Tensor, targets: Tensor, *, least: int = 10) -> Tensor:
    """For each label the threshold with its best F1, [labels].

    A label with fewer than `least` true pairs has the one threshold that is best for all: its own would be chance.

    Args:
        scores, targets: see `best_threshold`.
    """
    right, given = _at_least(scores, targets)
    gold = targets.sum(0)
    chosen = (2 * right / (given + gold.unsqueeze(1)).clamp(min=1)).argmax(1) / _BINS
    return torch.where(gold >= least, chosen, torch.full_like(chosen, best_threshold(scores, targets)[0]))


def _at_least(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """How many pairs [labels, _BINS] have at least each threshold's score: those that are true, and all."""
    n_labels = scores.shape[1]
    place = (scores * _BINS).long().clamp(0, _BINS - 1) + torch.arange(n_labels, device=scores.device) * _BINS
    right, given = (
        some.bincount(minlength=n_labels * _BINS).view(n_labels, _BINS).flip(1).cumsum(1).flip(1)
        for some in (place[targets == 1], place.flatten())
    )
    return right, given


def sweep(nlp: Language, path: Path) -> list[dict[str, float]]:
    """Micro scores of the relation component at a range of thresholds, on gold entities.

    Choose on held-out data, never on the data you report on.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.

    Returns:
        A row `{"threshold", "p", "r", "f"}` for each of 0.05, 0.10, ... 0.95.

    Raises:
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    before, pipe.threshold = pipe.threshold, THRESHOLDS[0]
    try:
        examples = list(Corpus(path)(nlp))
        scored = pipe.pipe([example.predicted for example in examples])
        docs = list(tqdm(scored, total=len(examples), unit="doc", disable=None))
    finally:
        pipe.threshold = before
    right, scores, n_gold = [], [], 0
    for example, doc in zip(examples, docs, strict=True):
        gold = {record[:5] for record in get_records(example.reference) or ()}
        n_gold += len(gold)
        for record in get_records(doc) or ():
            right.append(record[:5] in gold)
            scores.append(record[5])
    is_right, score = np.array(right, bool), np.array(scores)
    return [
        {"threshold": cutoff} | prf(int(is_right[score >= cutoff].sum()), int((score >= cutoff).sum()), n_gold)
        for cutoff in THRESHOLDS
    ]
