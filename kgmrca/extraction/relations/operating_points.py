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
    "calibrate",
    "find_operating_points",
    "sweep",
]

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))

_BINS = 1000  # thresholds are chosen to this many parts of the range from 0 to 1
_PRECISION = 0.85  # of the operating point "precise"
_MIN_RECALL = 0.1  # of "precise" where no threshold has that precision
_BATCH_SIZE = 128  # Docs


@dataclass(frozen=True, slots=True)
class Curve:
    """Micro scores at thresholds, [T] each.

    As in `scorer.evaluate`, precision is taken over the labels that a Doc is annotated exhaustively with, recall over
    all.
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
            judged: which of them have a label that the Doc is annotated exhaustively with, [N].
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
    reached: bool = True  # whether it has the precision that it should have


def find_operating_points(curve: Curve) -> dict[str, OperatingPoint]:
    """The operating points `component.OPERATING_POINTS`.

    - "balanced": the best F1;
    - "precise": the lowest threshold, not below that of "balanced", with a precision of at least 0.85. Where there is
      none, `reached` is False, and the threshold is the one with the highest precision among those with a recall of at
      least 0.1 (if no recall is as high, among those with the highest recall);
    - "complete": the best F2, for which recall counts twice as much.

    >>> curve = Curve(np.array([0.2, 0.5, 0.8]), np.array([0.5, 0.8, 0.9]), np.array([0.9, 0.8, 0.3]))
    >>> {name: point.threshold for name, point in find_operating_points(curve).items()}
    {'precise': 0.8, 'balanced': 0.5, 'complete': 0.5}
    """
    f1 = curve.f()
    balanced = int(f1.argmax())
    sure = np.flatnonzero(curve.precision[balanced:] >= _PRECISION) + balanced
    usable = curve.recall >= min(_MIN_RECALL, curve.recall.max())
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
        InputError: no Doc is annotated exhaustively with anything.
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    examples = _read(nlp, path)
    scored = pipe.pipe((example.predicted for example in examples), threshold=THRESHOLDS[0])
    docs = list(progress_bar(None, iterable=scored, total=len(examples), unit=" documents"))
    found: list[tuple[float, bool, bool]] = []
    n_gold = 0
    for example, doc in zip(examples, docs, strict=True):
        gold, exhaustive = _gold(example), exhaustively_annotated(example.reference)
        n_gold += len(gold)
        for *place, label, score in get_plain_relations(doc) or ():
            found.append((score, (*place, label) in gold, exhaustive is None or label in exhaustive))
    columns = np.array(found, float).reshape(-1, 3).T
    curve = Curve.of(*columns, n_gold=n_gold, thresholds=THRESHOLDS)
    rows = zip(THRESHOLDS, curve.precision.tolist(), curve.recall.tolist(), curve.f().tolist(), strict=True)
    return [{"threshold": threshold, "p": p, "r": r, "f": f} for threshold, p, r, f in rows]


def _read(nlp: Language, path: Path) -> list[Example]:
    examples = list(Corpus(path)(nlp))
    if all(exhaustively_annotated(example.reference) == frozenset() for example in examples):
        raise InputError(f"{path}: no document is annotated exhaustively with any relation, so nothing can be judged.")
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
            "The errors after calibration are cross-validated over documents.",
            f"Labels are those with {FREQUENT} gold relations or more.",
        ]
        if not self.operating_points["precise"].reached:
            lines.append(f"No threshold has a precision of {_PRECISION}: 'precise' has the highest that was found.")
        return "\n".join(lines)


def calibrate(nlp: Language, path: Path) -> Calibration:
    """Calibrate the relation component and find its operating points, on gold entities.

    Both are stored with the component, and its threshold becomes "balanced". It starts from raw scores, whatever was
    stored before. The points are chosen on the scores as stored. The calibration errors are cross-validated
    (`calibration.cross_fit`).

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`, neither trained on nor reported on.

    Raises:
        InputError: no Doc is annotated exhaustively with anything, or no two entities share a sentence.
        ModelError: the pipeline has no relation component, or it has no weights.
    """
    name, pipe = relation_pipe(nlp)
    examples = _read(nlp, path)
    scored = _Scored.by(pipe, examples)
    if not scored.judged.any():
        raise InputError(f"{path}: there is no pair of entities that can be judged.")
    slope, offset = fit(scored.scores, scored.gold, scored.judged)
    scores = scale(torch.from_numpy(scored.scores), slope, offset).numpy()
    n_gold = sum(len(_gold(example)) for example in examples)
    entries = scores.ravel(), scored.gold.ravel(), scored.judged.ravel()
    points = find_operating_points(Curve.of(*entries, n_gold=n_gold, thresholds=np.arange(1, _BINS) / _BINS))
    numbers = zip(pipe.labels, slope.tolist(), offset.tolist(), strict=True)
    pipe.cfg.update(
        calibration={label: [round(a, 6), round(b, 6)] for label, a, b in numbers},
        points={point: where.threshold for point, where in points.items()},
        threshold="balanced",
    )
    # One that was chosen on raw scores would now mean something else.
    pipe.threshold = nlp.get_pipe_config(name)["threshold"] = None
    crossed = cross_fit(scored.scores, scored.gold, scored.judged, scored.document)
    return Calibration(
        documents=len(examples),
        pairs=len(scores),
        before=quality(scored.scores, scored.gold, scored.judged, pipe.labels),
        after=quality(crossed, scored.gold, scored.judged, pipe.labels),
        operating_points=points,
    )


@dataclass(frozen=True, slots=True)
class _Scored:
    """Raw scores on gold entities, and what is gold. P pairs, L labels."""

    scores: NDArray[np.float32]  # [P, L]
    gold: NDArray[np.bool_]  # [P, L]
    judged: NDArray[np.bool_]  # [P, L] whether the Doc is annotated exhaustively with the label
    document: NDArray[np.int64]  # [P]

    @classmethod
    def by(cls, pipe: MRCARelations, examples: Sequence[Example]) -> "_Scored":
        column = {label: number for number, label in enumerate(pipe.labels)}
        exhaustive = [exhaustively_annotated(example.reference) for example in examples]
        judged = np.array([[some is None or label in some for label in column] for some in exhaustive], bool)
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
