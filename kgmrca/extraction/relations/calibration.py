"""Calibration: turns scores into probabilities, and measures how well.

Of the labels given with a calibrated score of 0.8, about 80 % are right.

A score is put through Platt's scaling on its logit, sigmoid(slope * logit(score) + offset), with a slope above 0, so
that the order of a label's scores stays (Platt, Probabilistic Outputs for Support Vector Machines, 1999; Guo et al., On
Calibration of Modern Neural Networks, 2017). Every label has a slope and an offset of its own, drawn to those of all
labels together as strongly as it is rare. Several data sets count by the square roots of their sizes, so that a large
one does not decide alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from kgmrca.errors import DependencyError

__all__ = [
    "MIN_FITTED",
    "SHOWN",
    "Entries",
    "Quality",
    "Reliability",
    "cross_fit",
    "cross_fit_data",
    "draw",
    "figure_class",
    "fit",
    "lowest_raw",
    "quality",
    "reliability",
    "scale",
]

SHOWN = 0.05
"""The lowest threshold that a user is likely to choose (the first of `kgmrca evaluate --thresholds`)."""

FREQUENT = 50
"""The gold relations that a label needs for a calibration error of its own."""

MIN_FITTED = 0.005
"""Scores below this are the great majority, and nearly all of them are wrong. They would dominate the fit."""

_ROUNDED = 5e-5  # scores on a Doc have four digits, so 1 may be anything from one minus this on
_EDGE = 1e-6  # logits are finite between this and one minus this, also in single precision
_BINS = 15  # as in Guo et al.
_FOLDS = 5
# How far the logarithms of the labels' slopes, and their offsets, are expected to lie from the common ones: the
# standard deviation of the normal distribution that pulls them there. Chosen by cross-validated log loss on documents
# of Re-DocRED, where 0.1 and 0.3 do nearly as well, and 1 clearly worse.
_LABEL_DEVIATION = 0.2
_COMMON_DEVIATION = 10.0  # the same for the common ones; needed only for separable data


def scale(scores: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Calibrated scores [pairs, labels] from raw ones; `slope` and `offset` are [labels]. A score of 0 stays 0."""
    return (scores.clamp(_EDGE, 1 - _EDGE).logit() * slope + offset).sigmoid() * (scores > 0)


def lowest_raw(thresholds: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """For each label a raw score below which no calibrated one reaches the threshold, [labels], all float32.

    It is a little lower than it could be, because `scale` rounds.
    """
    lowest = ((thresholds.double().clamp(0, 1).logit() - offset) / slope).sigmoid()
    return torch.where(slope > 0, lowest * (1 - 1e-4) - _EDGE, 0.0).float()


@dataclass(frozen=True, slots=True)
class Entries:
    """Scores of labels that were given, and what is known of them. N entries."""

    score: NDArray[np.float32]  # [N]
    label: NDArray[np.int64]  # [N] which label
    right: NDArray[np.bool_]  # [N] whether it is gold
    judged: NDArray[np.bool_]  # [N] whether it is known to be wrong where it is not gold
    document: NDArray[np.int64]  # [N] the number of its document, another in every data set
    data: NDArray[np.int64]  # [N] the number of its data set

    @classmethod
    def joined(cls, parts: Sequence["Entries"]) -> "Entries":
        """The entries of several, in a row."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def moved(self, *, documents: int) -> "Entries":
        """The same with other numbers of documents: so many more."""
        return replace(self, document=self.document + documents)

    def where(self, some: NDArray[np.bool_]) -> "Entries":
        """Some of the entries, [N]."""
        return Entries(*(getattr(self, field.name)[some] for field in fields(self)))

    def scaled(self, slope: Tensor, offset: Tensor) -> "Entries":
        """The same with calibrated scores; `slope` and `offset` are [labels]."""
        label = torch.from_numpy(self.label)
        return replace(self, score=scale(torch.from_numpy(self.score), slope[label], offset[label]).numpy())


def fit(entries: Entries, n_labels: int) -> tuple[Tensor, Tensor]:
    """Slope and offset of each label, [labels], with the least log loss of what is judged."""
    used = entries.where(entries.judged & (entries.score >= MIN_FITTED))
    label = torch.from_numpy(used.label)
    logits = torch.as_tensor(used.score, dtype=torch.float64).clamp(_ROUNDED, 1 - _ROUNDED).logit()
    right = torch.as_tensor(used.right, dtype=torch.float64)
    sizes = np.bincount(used.data, minlength=1)
    share = np.sqrt(sizes) / max(np.sqrt(sizes).sum(), 1)  # of each data set in the loss
    weight = torch.from_numpy((share * len(used.score) / np.maximum(sizes, 1))[used.data])
    common = torch.zeros(2, dtype=torch.float64, requires_grad=True)  # logarithm of the slope, offset
    own = torch.zeros(n_labels, 2, dtype=torch.float64, requires_grad=True)  # what a label adds to these
    optimizer = torch.optim.LBFGS([common, own], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        slope, offset = (common + own)[label].T
        pull = (own / _LABEL_DEVIATION).square().sum() + (common / _COMMON_DEVIATION).square().sum()
        total = binary_cross_entropy_with_logits(logits * slope.exp() + offset, right, weight, reduction="sum")
        torch.autograd.backward(total + pull / 2)
        return total + pull / 2

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    slope, offset = (common + own).detach().float().T
    return slope.exp(), offset


def cross_fit(entries: Entries, n_labels: int, division: int = 0) -> Entries:
    """The entries with calibrated scores, those of each document as fitted on four fifths of the other documents.

    Args:
        entries: of several documents.
        n_labels: how many labels there are.
        division: which of the ways to divide the documents, each of which is drawn.
    """
    number = entries.document
    if division and len(number):
        number = np.random.default_rng(division).permutation(number.max() + 1)[number]
    return _fitted_apart(entries, n_labels, number % _FOLDS)


def cross_fit_data(entries: Entries, n_labels: int) -> Entries:
    """The entries with calibrated scores, those of each data set as fitted on the other data sets."""
    return _fitted_apart(entries, n_labels, entries.data)


def _fitted_apart(entries: Entries, n_labels: int, part: NDArray[np.int64]) -> Entries:
    """The entries with calibrated scores, each part as fitted on the other parts, [N]."""
    score = np.empty_like(entries.score)
    for held_out in (part == number for number in np.unique(part)):
        slope, offset = fit(entries.where(~held_out), n_labels)
        score[held_out] = entries.where(held_out).scaled(slope, offset).score
    return replace(entries, score=score)


# Measuring.


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram: 15 bins of equal width from 0 to 1. Empty bins have 0 everywhere."""

    count: NDArray[np.int64]  # [15] scores in the bin
    score: NDArray[np.float64]  # [15] their mean
    right: NDArray[np.float64]  # [15] the share of them that is right

    @property
    def error(self) -> float:
        """The expected calibration error (Guo et al., equation 3): the mean distance of `score` and `right`."""
        return float((self.count * np.abs(self.score - self.right)).sum() / max(self.count.sum(), 1))

    @property
    def by_chance(self) -> float:
        """About what `error` would be if the scores were the very probabilities: then it is above 0 by chance alone.

        The fewer scores there are, the more so: it falls with the square root of their number.
        """
        # The share that is right is drawn from a binomial distribution, here taken as a normal one, around the score.
        distances = np.sqrt(2 / np.pi * self.count * self.score * (1 - self.score))
        return float(distances.sum() / max(self.count.sum(), 1))


def reliability(scores: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> Reliability:
    """The numbers of a reliability diagram, from scores and whether they are right, [entries]."""
    bins = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    count, score, is_right = (np.bincount(bins, weights, minlength=_BINS) for weights in (None, scores, right))
    some = np.maximum(count, 1)
    return Reliability(count, score / some, is_right / some)


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the scores agree with the gold labels."""

    shown: Reliability  # of scores from `SHOWN` on
    frequent: dict[str, float]  # the calibration error of each label with `FREQUENT` gold relations, from `SHOWN` on
    brier: float  # the mean square of what a score is from 0 or 1 (Brier, 1950), of all entries

    @property
    def frequent_error(self) -> float | None:
        """The mean of `frequent`; None without such labels."""
        return sum(self.frequent.values()) / len(self.frequent) if self.frequent else None


def quality(entries: Entries, labels: Sequence[str]) -> Quality:
    """Compare scores with what is gold where that is known."""
    judged = entries.where(entries.judged)
    shown = judged.where(judged.score >= SHOWN)
    counts = np.bincount(judged.label[judged.right], minlength=len(labels))
    of_label = {labels[number]: shown.label == number for number in np.flatnonzero(counts >= FREQUENT).tolist()}
    return Quality(
        shown=reliability(shown.score, shown.right),
        frequent={name: reliability(shown.score[some], shown.right[some]).error for name, some in of_label.items()},
        brier=float(np.square(judged.score - judged.right, dtype=np.float64).mean()) if len(judged.score) else 0.0,
    )


def figure_class() -> Any:
    """matplotlib's `Figure`, which draws to files without a screen.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("Drawing needs the library matplotlib: pip install 'kgmrca[plot]'.") from error
    return Figure


def draw(before: Quality, after: Quality, stream: IO[bytes]) -> None:
    """Write the reliability diagrams before and after calibration as PNG.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    figure = figure_class()(figsize=(8, 5), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(3, 1))
    for column, (name, diagram) in enumerate({"before": before.shown, "after": after.shown}.items()):
        (above, below), some = axes[:, column], diagram.count > 0
        above.plot([0, 1], [0, 1], color="0.7", linestyle="--")
        above.plot(diagram.score[some], diagram.right[some], marker="o")
        above.set(title=f"{name}: calibration error {diagram.error:.3f}", aspect="equal", ylim=(0, 1))
        below.bar((np.arange(_BINS) + 0.5) / _BINS, diagram.count, width=0.9 / _BINS, color="0.6")
        below.set(xlabel="score", xlim=(0, 1))
    axes[0, 0].set_ylabel("share that is right")
    axes[1, 0].set_ylabel("labels")
    figure.savefig(stream, format="png", dpi=150)
