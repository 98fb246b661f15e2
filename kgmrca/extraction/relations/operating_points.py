"""Calibrating the scores and choosing the operating points, on held-out gold Docs, end to end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.language import Language

from kgmrca.errors import InputError
from kgmrca.extraction.relations.calibration import (
    FREQUENT,
    MIN_FITTED,
    SHOWN,
    Entries,
    Quality,
    cross_fit,
    cross_fit_data,
    fit,
    quality,
)
from kgmrca.extraction.relations.component import OPERATING_POINTS, relation_pipe
from kgmrca.extraction.relations.matching import Answer, Answers, answers, level_of

__all__ = [
    "Calibration",
    "Curve",
    "DataSet",
    "OperatingPoint",
    "calibrate",
    "find_operating_points",
    "sweep",
]

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))

_BINS = 1000  # thresholds are chosen to this many parts of the range from 0 to 1
_PRECISION = 0.82  # of the operating point "precise"
_ENOUGH = 50  # relations that are right: with fewer, `calibrate` warns
_SURE_PRECISION = 0.75  # that "precise" has even where the documents happen to be bad ones: see `Curve.surely`
_SURE = 10  # that precision is reached in all but so many percent of the samples of documents
_SAMPLES = 1000
_DIVISIONS = 10  # of the documents, to cross-validate on; points are chosen on the first
_MIN_RECALL = 0.1  # of "precise"; above that so few relations are left that their precision says nothing
_SEED = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """Micro scores at thresholds, [T] each.

    As in `scorer.evaluate`, precision is taken over the labels that a Doc is annotated exhaustively with, recall over
    all.
    """

    threshold: NDArray[np.floating[Any]]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    surely: NDArray[np.float64]  # the precision that is reached in nine of ten samples of the documents

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        gold: ArrayLike,
        judged: ArrayLike,
        *,
        n_gold: int,
        thresholds: ArrayLike,
        document: ArrayLike | None = None,
    ) -> "Curve":
        """Count what has at least each threshold's score.

        Args:
            scores: of labels of pairs, [N].
            gold: which of them are gold, [N].
            judged: which of them have a label that the Doc is annotated exhaustively with, [N].
            n_gold: gold relations, also those of pairs that were not scored.
            thresholds: [T].
            document: which document each is in, [N]. None: `surely` is the precision itself.
        """
        score, is_gold, is_judged = np.asarray(scores), np.asarray(gold, bool), np.asarray(judged, bool)
        threshold = np.asarray(thresholds, score.dtype)

        def given(some: NDArray[np.bool_]) -> NDArray[np.int64]:
            return some.sum() - np.searchsorted(np.sort(score[some]), threshold)

        precision = given(is_gold & is_judged) / np.maximum(given(is_judged), 1)
        surely = precision
        if document is not None and is_judged.any():
            place, number = np.unique(np.asarray(document)[is_judged], return_inverse=True)
            is_right, score_judged = is_gold[is_judged], score[is_judged]
            n_given, n_right = (
                np.stack([_from(score_judged[some & (number == one)], threshold) for one in range(len(place))])
                for some in (np.ones_like(is_right), is_right)
            )
            draws = np.random.default_rng(_SEED).multinomial(
                len(place), np.full(len(place), 1 / len(place)), size=_SAMPLES
            )
            surely = np.percentile((draws @ n_right) / np.maximum(draws @ n_given, 1), _SURE, axis=0)
        return cls(threshold, precision, given(is_gold) / max(n_gold, 1), surely)

    def f(self, beta: float = 1.0) -> NDArray[np.float64]:
        """F-beta, for which recall counts `beta` times as much as precision (van Rijsbergen, 1979), [T]."""
        weighted = beta**2 * self.precision + self.recall
        return (1 + beta**2) * self.precision * self.recall / np.where(weighted == 0, 1, weighted)


def _from(scores: NDArray[Any], threshold: NDArray[Any]) -> NDArray[np.int64]:
    """How many of the scores are at least each threshold, [T]."""
    return len(scores) - np.searchsorted(np.sort(scores), threshold)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """An operating point, with its micro scores on each of the data sets that it was chosen on, [sets]."""

    threshold: float
    p: tuple[float, ...]
    r: tuple[float, ...]
    f: tuple[float, ...]
    reached: bool = True  # whether it has the precision that it should have


def find_operating_points(curves: Sequence[Curve]) -> dict[str, OperatingPoint]:
    """The operating points `component.OPERATING_POINTS`, from the curves of data sets at the same thresholds.

    - "balanced": the best mean F1 of the sets;
    - "precise": the lowest threshold, not below that of "balanced", at which each set has a precision of at least 0.82,
      and surely one of 0.75 (see `Curve.surely`), and the sets have a mean recall of at least 0.1. Where there is none,
      `reached` is False, and the threshold is the one at which the set with the lowest precision has most, among those
      with that recall (if no recall is as high, among those with the highest recall);
    - "complete": the best mean F2, for which recall counts twice as much.

    >>> precision = np.array([0.5, 0.8, 0.9])
    >>> curve = Curve(np.array([0.2, 0.5, 0.8]), precision, np.array([0.9, 0.8, 0.3]), precision)
    >>> {name: point.threshold for name, point in find_operating_points([curve]).items()}
    {'precise': 0.8, 'balanced': 0.5, 'complete': 0.5}
    """
    f1, f2 = (np.mean([curve.f(beta) for curve in curves], axis=0) for beta in (1, 2))
    precision, surely = (np.min([getattr(c, name) for c in curves], axis=0) for name in ("precision", "surely"))
    recall = np.mean([curve.recall for curve in curves], axis=0)
    balanced = int(f1.argmax())
    usable = recall >= min(_MIN_RECALL, recall.max())
    sure = np.flatnonzero((precision >= _PRECISION) & (surely >= _SURE_PRECISION) & usable)
    sure = sure[sure >= balanced]
    precise = int(sure[0] if len(sure) else np.where(usable, precision, -1).argmax())
    rows = dict(zip(OPERATING_POINTS, (precise, balanced, int(f2.argmax())), strict=True))
    return {
        name: OperatingPoint(
            threshold=round(float(curves[0].threshold[row]), 3),
            p=tuple(float(curve.precision[row]) for curve in curves),
            r=tuple(float(curve.recall[row]) for curve in curves),
            f=tuple(float(curve.f()[row]) for curve in curves),
            reached=name != "precise" or len(sure) > 0,
        )
        for name, row in rows.items()
    }


Row: TypeAlias = dict[str, Any]


def sweep(nlp: Language, path: Path, *, level: str | None = None) -> list[Row]:
    """Micro scores of the relations at a range of thresholds, on gold entities and end to end (see `Curve`).

    Choose on held-out data, never on the data you report on.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.
        level: see `scorer.evaluate`.

    Returns:
        A row `{"threshold", "p", "r", "f", "end_to_end": {"p", "r", "f"}}` for each of 0.05, 0.10, ... 0.95. The first
        three scores are with gold entities. "end_to_end" is None where nothing in the pipeline finds entities.

    Raises:
        InputError: no Doc is annotated exhaustively with anything.
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    read = _judged(answers(nlp, path, level=level or level_of(pipe), threshold=THRESHOLDS[0]), path)
    rows: list[Row] = [{"threshold": threshold, "end_to_end": None} for threshold in THRESHOLDS]
    for is_raw, some in enumerate((read.with_entities, read.end_to_end)):
        if some is None:
            continue
        curve = _curve(*_entries(some), THRESHOLDS)
        for row, p, r, f in zip(rows, curve.precision, curve.recall, curve.f(), strict=True):
            scores = {"p": float(p), "r": float(r), "f": float(f)}
            row.update({"end_to_end": scores} if is_raw else scores)
    return rows


def _judged(read: Answers, path: Path) -> Answers:
    """The answers, if anything in them can be judged.

    Raises:
        InputError: nothing can.
    """
    if all(answer.exhaustive == frozenset() for answer in read.with_entities or read.end_to_end or ()):
        raise InputError(f"{path}: no document is annotated exhaustively with any relation, so nothing can be judged.")
    return read


def _entries(some: Sequence[Answer], labels: Sequence[str] | None = None, data: int = 0) -> tuple[Entries, int]:
    """What was given, and the number of gold relations.

    Args:
        labels: give those the numbers of their places. None: all have the number 0.
    """
    number = {label: place for place, label in enumerate(labels or ())}
    columns = [
        (score, number.get(key[-1], 0), key in answer.gold, answer.is_judged(key[-1]), document, data)
        for document, answer in enumerate(some)
        for key, score in answer.given.items()
    ]
    parts = zip(*columns, strict=True) if columns else [()] * 6
    types = (np.float32, np.int64, np.bool_, np.bool_, np.int64, np.int64)
    entries = Entries(*(np.array(part, type_) for part, type_ in zip(parts, types, strict=True)))
    return entries, sum(len(answer.gold) for answer in some)


def _curve(entries: Entries, n_gold: int, thresholds: ArrayLike, *, surely: bool = False) -> Curve:
    return Curve.of(
        entries.score,
        entries.right,
        entries.judged,
        n_gold=n_gold,
        thresholds=thresholds,
        document=entries.document if surely else None,
    )


# Calibration.


@dataclass(frozen=True, slots=True)
class DataSet:
    """One of the data sets that `calibrate` was given, and how well the scores agree with it."""

    path: Path
    documents: int
    entries: int
    end_to_end: bool  # read from raw text; otherwise with gold entities
    before: Quality  # of the raw scores
    after: Quality  # of the scores of each document, as calibrated on others
    errors: tuple[float, ...]  # the calibration error of those, for each way to divide the documents
    left_out: Quality | None  # as calibrated on the other sets; None: there are no others


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `calibrate` found."""

    level: str
    sets: tuple[DataSet, ...]
    before: Quality  # of the raw scores of all sets
    after: Quality  # of the scores of each document, as calibrated on others
    operating_points: dict[str, OperatingPoint]

    def table(self) -> str:
        """A table as text: calibration errors before and after, then the operating points on each set."""
        how = "end to end" if all(one.end_to_end for one in self.sets) else "with gold entities"
        lines = [f"Relations of {'documents' if self.level == 'document' else 'sentences'}, {how}", ""]
        columns = ("documents", "entries", "before", "after", "s.d.", "left out", "by chance")
        lines.append(f"{f'calibration error, scores from {SHOWN}':<40}" + "".join(f"{name:>11}" for name in columns))
        for one in self.sets:
            left_out = None if one.left_out is None else one.left_out.shown.error
            after = float(np.mean(one.errors)), float(np.std(one.errors))
            errors = [one.before.shown.error, *after, left_out, one.after.shown.by_chance]
            cells = [f"{one.documents:,}", f"{one.entries:,}", *map(_decimals, errors)]
            lines.append(f"{one.path.name:<40}" + "".join(f"{cell:>11}" for cell in cells))
        rows: dict[str, tuple[float | None, float | None]] = {
            "all sets": (self.before.shown.error, self.after.shown.error),
            f"mean of {len(self.before.frequent)} labels": (self.before.frequent_error, self.after.frequent_error),
            **{
                f"  {label}": (self.before.frequent[label], self.after.frequent[label])
                for label in self.before.frequent
            },
            "Brier score": (self.before.brier, self.after.brier),
        }
        for name, values in rows.items():
            lines.append(f"{name:<62}" + "".join(f"{_decimals(value):>11}" for value in values))
        lines += ["", f"{'operating point':<40}{'threshold':>11}{'P':>11}{'R':>11}{'F1':>11}"]
        for name, point in self.operating_points.items():
            for number, one in enumerate(self.sets):
                title = f"{name}, {one.path.name}" if len(self.sets) > 1 else name
                cells = [f"{value[number]:.3f}" for value in (point.p, point.r, point.f)]
                lines.append(f"{title:<40}{point.threshold:>11.3f}" + "".join(f"{cell:>11}" for cell in cells))
        lines += [
            "",
            "All is cross-validated over documents: before, the scores as the network gives them; after, those of each",
            "document as calibrated on others. Left out: those of each set as calibrated on the other sets.",
            f"How documents are divided for that is chance, so a set's error after is the mean of {_DIVISIONS} ways.",
            "By chance: the error that so many scores would have if they were the very probabilities.",
            f"Labels are those with {FREQUENT} relations that are right or more.",
        ]
        if how != "end to end":
            lines.append("The pipeline has no recognizer. What comes out of raw text will have lower precision.")
        lines += [
            f"{one.path.name} has one document: there is nothing to cross-validate on, so its numbers are no measure."
            for one in self.sets
            if one.documents == 1
        ]
        shown = self.before.shown
        if (n_right := round(float(shown.count @ shown.right))) < _ENOUGH:
            lines.append(
                f"Too few to calibrate on: {n_right} relations are right, and {_ENOUGH} should be. The calibration "
                "that the pipeline had is likely to be better; give more documents."
            )
        if self.after.shown.error > shown.error:
            lines.append(
                "The calibration makes the scores worse: the calibration error of all sets is larger after than "
                "before. Give more documents, or go on with the pipeline as it was."
            )
        if not self.operating_points["precise"].reached:
            lines.append(
                f"No threshold has a precision of {_PRECISION} on each set, and surely {_SURE_PRECISION}. 'precise' is "
                "the threshold that comes closest."
            )
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """All numbers as data for JSON."""
        return {
            "level": self.level,
            "sets": {
                str(one.path): {
                    "documents": one.documents,
                    "end_to_end": one.end_to_end,
                    "calibration_error": {
                        "before": one.before.shown.error,
                        "after": float(np.mean(one.errors)),
                        "after_sd": float(np.std(one.errors)),
                        "left_out": None if one.left_out is None else one.left_out.shown.error,
                        "by_chance": one.after.shown.by_chance,
                    },
                    "points": {
                        name: {
                            "threshold": point.threshold,
                            "p": point.p[number],
                            "r": point.r[number],
                            "f": point.f[number],
                        }
                        for name, point in self.operating_points.items()
                    },
                }
                for number, one in enumerate(self.sets)
            },
            "precise_reached": self.operating_points["precise"].reached,
        }


def _decimals(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def calibrate(nlp: Language, paths: Sequence[Path], *, level: str | None = None) -> Calibration:
    """Calibrate the relation component and find its operating points, on what comes out of raw text.

    A score then says how often what has such a score is right when the whole pipeline reads a text: also a wrong entity
    makes a relation wrong. A pipeline without a recognizer is calibrated on gold entities.

    The calibration and the points are stored with the component, and its threshold becomes "balanced". It starts from
    raw scores, whatever was stored before. Several data sets count by the square roots of their sizes in the
    calibration, and alike for the points. Errors and points are measured on scores that are cross-validated over
    documents (`calibration.cross_fit`).

    Args:
        nlp: a pipeline with `mrca_relations`.
        paths: `.spacy` files made by `kgmrca corpus`, neither trained on nor reported on. Each is a data set.
        level: see `scorer.evaluate`.

    Raises:
        InputError: no Doc of a file is annotated exhaustively with anything, or no relation was found in it.
        ModelError: the pipeline has no relation component, or it has no weights.
    """
    name, pipe = relation_pipe(nlp)
    level = level or level_of(pipe)
    parts: list[Entries] = []
    n_gold: list[int] = []
    documents: list[int] = []
    end_to_end: list[bool] = []
    for number, path in enumerate(paths):
        read = answers(nlp, path, level=level, threshold=MIN_FITTED, calibrated=False, only_end_to_end=True)
        some = _judged(read, path).end_to_end or read.with_entities
        entries, gold = _entries(some, pipe.labels, number)
        if not entries.judged.any():
            raise InputError(f"{path}: there is no pair of entities that can be judged.")
        parts.append(entries.moved(documents=sum(documents)))
        n_gold.append(gold)
        documents.append(len(some))
        end_to_end.append(read.end_to_end is not None)
    raw = Entries.joined(parts)
    n_labels = len(pipe.labels)
    slope, offset = fit(raw, n_labels)
    divided = [cross_fit(raw, n_labels, division) for division in range(_DIVISIONS)]
    crossed = divided[0]
    apart = cross_fit_data(raw, n_labels) if len(paths) > 1 else None
    steps = np.arange(1, _BINS) / _BINS
    points = find_operating_points(
        [_curve(crossed.where(raw.data == number), gold, steps, surely=True) for number, gold in enumerate(n_gold)]
    )
    numbers = zip(pipe.labels, slope.tolist(), offset.tolist(), strict=True)
    pipe.cfg.update(
        calibration={label: [round(a, 6), round(b, 6)] for label, a, b in numbers},
        points={point: where.threshold for point, where in points.items()},
        threshold="balanced",
    )
    # One that was chosen on raw scores would now mean something else.
    pipe.threshold = nlp.get_pipe_config(name)["threshold"] = None

    def quality_of(entries: Entries, number: int) -> Quality:
        return quality(entries.where(entries.data == number), pipe.labels)

    sets = tuple(
        DataSet(
            path=path,
            documents=documents[number],
            entries=len(parts[number].score),
            end_to_end=end_to_end[number],
            before=quality_of(raw, number),
            after=quality_of(crossed, number),
            errors=tuple(quality_of(entries, number).shown.error for entries in divided),
            left_out=None if apart is None else quality_of(apart, number),
        )
        for number, path in enumerate(paths)
    )
    return Calibration(level, sets, quality(raw, pipe.labels), quality(crossed, pipe.labels), points)
