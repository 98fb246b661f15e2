"""Calibrating the scores and choosing the operating points, on held-out gold Docs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from torch import Tensor

from kgmrca.corpora.annotated import Corpus, exhaustively_annotated
from kgmrca.errors import InputError
from kgmrca.extraction.relations.calibration import FREQUENT, SHOWN, Quality, cross_fit, fit, quality, scale
from kgmrca.extraction.relations.component import OPERATING_POINTS, MRCARelations, relation_pipe
from kgmrca.progress import progress_bar
from kgmrca.relations import get_plain_relations

__all__ = [
    "Calibration",
    "Curve",
    "OperatingPoint",
    "best_threshold",
    "best_thresholds",
    "calibrate",
    "find_operating_points",
    "micro_f1",
    "sweep",
]

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))

_BINS = 1000  # scores are told apart to this many parts of the range from 0 to 1
_SURE = 0.85  # the precision that the point "precise" is to have
_LEAST_RECALL = 0.1  # and the recall that it keeps where it cannot
_BATCH_SIZE = 128  # Docs


def micro_f1(predicted: Tensor, targets: Tensor, *, n_gold: int | None = None) -> tuple[float, float, float]:
    """Precision, recall and F1 of 0/1 or Boolean arrays [pairs, labels].

    >>> micro_f1(torch.tensor([[1, 0], [1, 1]]), torch.tensor([[1, 0], [0, 1]]))
    (0.6666666666666666, 1.0, 0.8)

    Args:
        n_gold: the number of true labels, where pairs that were not scored have some too.
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


def best_thresholds(scores: Tensor, targets: Tensor, *, min_pairs: int = 10) -> Tensor:
    """For each label the threshold with its best F1, [labels].

    A label with fewer than `min_pairs` true pairs has the one threshold that is best for all: its own would be chance.

    Args:
        scores, targets: see `best_threshold`.
    """
    right, given = _at_least(scores, targets)
    gold = targets.sum(0)
    chosen = (2 * right / (given + gold.unsqueeze(1)).clamp(min=1)).argmax(1) / _BINS
    return torch.where(gold >= min_pairs, chosen, torch.full_like(chosen, best_threshold(scores, targets)[0]))


def _at_least(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """How many pairs [labels, _BINS] have at least each threshold's score: those that are true, and all."""
    n_labels = scores.shape[1]
    place = (scores * _BINS).long().clamp(0, _BINS - 1) + torch.arange(n_labels, device=scores.device) * _BINS
    right, given = (
        some.bincount(minlength=n_labels * _BINS).view(n_labels, _BINS).flip(1).cumsum(1).flip(1)
        for some in (place[targets == 1], place.flatten())
    )
    return right, given


@dataclass(frozen=True, slots=True)
class Curve:
    """Micro scores at thresholds, [T] each.

    As in `scorer.evaluate`, precision is taken over the labels that a Doc is annotated with exhaustively,
    recall over all.
    """

    threshold: NDArray[np.floating[Any]]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    @classmethod
    def of(
        cls, scores: ArrayLike, gold: ArrayLike, judged: ArrayLike, *, n_gold: int, thresholds: ArrayLike
    ) -> "Curve":
        """Count what has at least each threshold's score.

        Args:
            scores: of labels of pairs, [N].
            gold: which of them are gold, [N].
            judged: which of them the Doc is annotated with exhaustively, [N].
            n_gold: gold relations, also those of pairs that were not scored.
            thresholds: [T].
        """
        score, is_gold, is_judged = np.asarray(scores), np.asarray(gold, bool), np.asarray(judged, bool)
        threshold = np.asarray(thresholds, score.dtype)

        def given(some: NDArray[np.bool_]) -> NDArray[np.int64]:
            return some.sum() - np.searchsorted(np.sort(score[some]), threshold)

        precision = given(is_gold & is_judged) / np.maximum(given(is_judged), 1)
        return cls(threshold, precision, given(is_gold) / max(n_gold, 1))

    def f(self, beta: float = 1.0) -> NDArray[np.float64]:
        """F-beta, for which recall counts `beta` times as much as precision (van Rijsbergen, 1979), [T]."""
        weighted = beta**2 * self.precision + self.recall
        return (1 + beta**2) * self.precision * self.recall / np.where(weighted == 0, 1, weighted)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """An operating point, with its micro scores on the data it was chosen on."""

    threshold: float
    p: float
    r: float
    f: float
    reached: bool = True  # whether it has the precision that it is to have


def find_operating_points(curve: Curve) -> dict[str, OperatingPoint]:
    """The operating points `component.OPERATING_POINTS`.

    - "balanced": the best F1;
    - "precise": the lowest threshold, not below that of "balanced", with a precision of at least 0.85. Where there is
      none, `reached` is False, and the threshold is the one with the highest precision among those with a recall of at
      least 0.1 (if no recall is as high, among those with the highest recall);
    - "complete": the best F2, for which recall counts twice as much.
    """
    f1 = curve.f()
    balanced = int(f1.argmax())
    sure = np.flatnonzero(curve.precision[balanced:] >= _SURE) + balanced
    usable = curve.recall >= min(_LEAST_RECALL, curve.recall.max())
    precise = int(sure[0] if len(sure) else np.where(usable, curve.precision, -1).argmax())
    rows = dict(zip(OPERATING_POINTS, (precise, balanced, int(curve.f(2).argmax())), strict=True))
    return {
        name: OperatingPoint(
            threshold=round(float(curve.threshold[row]), 3),
            p=float(curve.precision[row]),
            r=float(curve.recall[row]),
            f=float(f1[row]),
            reached=name != "precise" or len(sure) > 0,
        )
        for name, row in rows.items()
    }


def sweep(nlp: Language, path: Path) -> list[dict[str, float]]:
    """Micro scores of the relation component at a range of thresholds, on gold entities (see `Curve`).

    Choose on held-out data, never on the data you report on.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.

    Returns:
        A row `{"threshold", "p", "r", "f"}` for each of 0.05, 0.10, ... 0.95.

    Raises:
        InputError: no Doc is annotated with anything exhaustively.
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    examples = _read(nlp, path)
    scored = pipe.pipe((example.predicted for example in examples), threshold=THRESHOLDS[0])
    docs = list(progress_bar(None, iterable=scored, total=len(examples), unit=" documents"))
    found: list[tuple[float, bool, bool]] = []
    n_gold = 0
    for example, doc in zip(examples, docs, strict=True):
        gold, complete = _gold(example), exhaustively_annotated(example.reference)
        n_gold += len(gold)
        for *place, label, score in get_plain_relations(doc) or ():
            found.append((score, (*place, label) in gold, complete is None or label in complete))
    columns = np.array(found, float).reshape(-1, 3).T
    curve = Curve.of(*columns, n_gold=n_gold, thresholds=THRESHOLDS)
    rows = zip(THRESHOLDS, curve.precision.tolist(), curve.recall.tolist(), curve.f().tolist(), strict=True)
    return [{"threshold": threshold, "p": p, "r": r, "f": f} for threshold, p, r, f in rows]


def _read(nlp: Language, path: Path) -> list[Example]:
    examples = list(Corpus(path)(nlp))
    if all(exhaustively_annotated(example.reference) == frozenset() for example in examples):
        raise InputError(f"{path}: no document is annotated with any relation exhaustively, so nothing can be judged.")
    return examples


def _gold(example: Example) -> set[tuple[Any, ...]]:
    return {record[:5] for record in get_plain_relations(example.reference) or ()}


# Calibration.


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `calibrate` found."""

    documents: int
    pairs: int
    before: Quality  # of the raw scores
    after: Quality  # of the scores of each document, as calibrated on others
    operating_points: dict[str, OperatingPoint]

    def table(self) -> str:
        """A table as text: calibration errors before and after, then the operating points."""
        before, after = self.before, self.after
        errors = {
            f"calibration error, scores from {SHOWN}": (before.shown.error, after.shown.error),
            "calibration error, all scores": (before.everything.error, after.everything.error),
            f"calibration error, mean of {len(before.frequent)} labels": (before.frequent_error, after.frequent_error),
            **{f"  {label}": (before.frequent[label], after.frequent[label]) for label in before.frequent},
            "Brier score, all scores": (before.brier, after.brier),
        }
        lines = [f"{f'{self.documents:,} documents, {self.pairs:,} pairs':<56}{'before':>10}{'after':>10}"]
        for name, values in errors.items():
            cells = ("-" if value is None else f"{value:.4f}" for value in values)
            lines.append(f"{name:<56}" + "".join(f"{cell:>10}" for cell in cells))
        lines += ["", f"{'operating point':<26}{'threshold':>10}{'P':>10}{'R':>10}{'F1':>10}"]
        lines += [
            f"{name:<26}{point.threshold:>10.3f}{point.p:>10.3f}{point.r:>10.3f}{point.f:>10.3f}"
            for name, point in self.operating_points.items()
        ]
        lines += [
            "",
            f"'After' is measured on documents that it was not fitted on. Labels: those with {FREQUENT} gold.",
        ]
        if not self.operating_points["precise"].reached:
            lines.append(f"No threshold has a precision of {_SURE}: 'precise' is the one that comes nearest.")
        return "\n".join(lines)


def calibrate(nlp: Language, path: Path) -> Calibration:
    """Calibrate the relation component and find its operating points, on gold entities.

    Both are stored with the component, and its threshold becomes "balanced". It starts from raw scores, whatever was
    stored before. The points are chosen on the scores as stored; what is said of calibration is measured on other
    documents than it was fitted on (`calibration.cross_fit`).

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`, neither trained on nor reported on.

    Raises:
        InputError: no Doc is annotated with anything exhaustively, or no two entities share a sentence.
        ModelError: the pipeline has no relation component, or it has no weights.
    """
    name, pipe = relation_pipe(nlp)
    examples = _read(nlp, path)
    seen = _Seen.by(pipe, examples)
    if not seen.judged.any():
        raise InputError(f"{path}: there is no pair of entities that can be judged.")
    slope, offset = fit(seen.scores, seen.gold, seen.judged)
    scores = scale(torch.from_numpy(seen.scores), slope, offset).numpy()
    n_gold = sum(len(_gold(example)) for example in examples)
    entries = scores.ravel(), seen.gold.ravel(), seen.judged.ravel()
    points = find_operating_points(Curve.of(*entries, n_gold=n_gold, thresholds=np.arange(1, _BINS) / _BINS))
    numbers = zip(pipe.labels, slope.tolist(), offset.tolist(), strict=True)
    pipe.cfg.update(
        calibration={label: [round(a, 6), round(b, 6)] for label, a, b in numbers},
        points={point: where.threshold for point, where in points.items()},
        threshold="balanced",
    )
    # One that was chosen on raw scores would now mean something else.
    pipe.threshold = nlp.get_pipe_config(name)["threshold"] = None
    crossed = cross_fit(seen.scores, seen.gold, seen.judged, seen.document)
    return Calibration(
        documents=len(examples),
        pairs=len(scores),
        before=quality(seen.scores, seen.gold, seen.judged, pipe.labels),
        after=quality(crossed, seen.gold, seen.judged, pipe.labels),
        operating_points=points,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Raw scores on gold entities, and what is gold. P pairs, L labels."""

    scores: NDArray[np.float32]  # [P, L]
    gold: NDArray[np.bool_]  # [P, L]
    judged: NDArray[np.bool_]  # [P, L] whether the Doc is annotated exhaustively with the label
    document: NDArray[np.int64]  # [P]

    @classmethod
    def by(cls, pipe: MRCARelations, examples: Sequence[Example]) -> "_Seen":
        column = {label: number for number, label in enumerate(pipe.labels)}
        complete = [exhaustively_annotated(example.reference) for example in examples]
        judged = np.array([[some is None or label in some for label in column] for some in complete], bool)
        scores, gold, document = [], [], []
        first = 0  # document of the batch; the bar counts only where it is shown
        with progress_bar(None, total=len(examples), unit=" documents") as bar:
            for batch in minibatch(examples, _BATCH_SIZE):
                candidates, found = pipe.score_pairs((example.predicted for example in batch), calibrated=False)
                span, characters = candidates.spans[candidates.pairs[:, 0]], candidates.characters[candidates.pairs]
                doc_of = candidates.sentences[span[:, 0], 0]
                places = np.column_stack([doc_of, characters.reshape(-1, 4)])
                row_at = {place: row for row, place in enumerate(map(tuple, places.tolist()))}
                is_gold = np.zeros(found.shape, bool)
                for number, example in enumerate(batch):
                    for *place, label in _gold(example):
                        row = row_at.get((number, *place))
                        if row is not None and label in column:
                            is_gold[row, column[label]] = True
                scores.append(found)
                gold.append(is_gold)
                document.append(first + doc_of)
                first += len(batch)
                bar.update(len(batch))
        where = np.concatenate(document)
        return cls(np.concatenate(scores), np.concatenate(gold), judged[where], where)
