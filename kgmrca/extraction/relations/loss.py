"""Losses over (pairs x labels), and what an output means under each of them. Torch only.

[components.mrca_relations.loss]
@misc = "kgmrca.RCDice.v1"
reduction = "batch"
"""

from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from kgmrca.errors import InputError

__all__ = ["BCE", "AdaptiveThreshold", "Asymmetric", "Loss", "RCDice"]


class Loss(Protocol):
    """What training minimises. Outputs are the network's, [pairs, labels + extra_outputs]."""

    extra_outputs: int
    """Outputs a pair beside those of the labels, at the end."""

    def __call__(self, outputs: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        """The loss of a batch, a scalar.

        Args:
            outputs: the network's.
            targets: how true each label is, from 0 to 1, [pairs, labels].
            known: the weight of each target, from 0 (unknown) to 1, [pairs, labels]. None: 1 for all.
        """
        ...

    def scores(self, outputs: Tensor) -> Tensor:
        """The scores that the outputs stand for, from 0 to 1, [pairs, labels]."""
        ...

    def start(self, prior: Tensor) -> Tensor:
        """Biases of all outputs to start from, where `prior` [labels] is each label's share of the training pairs."""
        ...


class BCE:
    """Sigmoid and binary cross-entropy, summed over the labels and averaged over the pairs (`kgmrca.BCE.v1`)."""

    extra_outputs = 0

    def __call__(self, outputs: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        """See `Loss`."""
        return binary_cross_entropy_with_logits(outputs, targets, known, reduction="sum") / max(len(outputs), 1)

    def scores(self, outputs: Tensor) -> Tensor:
        """See `Loss`."""
        return outputs.sigmoid()

    def start(self, prior: Tensor) -> Tensor:
        """The prior's logit. Under 1 % of the labels are positive, so training from 0 would take many more epochs."""
        return prior.clamp(1e-5, 1 - 1e-5).logit()


class Asymmetric(BCE):
    """Binary cross-entropy that down-weights easy negatives (`kgmrca.Asymmetric.v1`).

    With p the sigmoid of an output and q = max(p - margin, 0), a positive costs -(1 - p)^positive_focus log p and a
    negative costs -q^negative_focus log(1 - q); summed over the labels, averaged over the pairs. Ridnik et al.,
    Asymmetric Loss For Multi-Label Classification (2021), equations 4 to 7.

    Args:
        positive_focus, negative_focus: 0 weights all equally.
        margin: a negative with a lower probability costs nothing.
    """

    _TINY = 1e-8  # instead of 0, at which a fractional power has no slope

    def __init__(self, positive_focus: float = 0.0, negative_focus: float = 4.0, margin: float = 0.05) -> None:
        self.positive_focus, self.negative_focus, self.margin = positive_focus, negative_focus, margin

    def __call__(self, outputs: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        """See `Loss`."""
        p = outputs.sigmoid()
        q = (p - self.margin).clamp(min=self._TINY)
        positive = (1 - p).clamp(min=self._TINY) ** self.positive_focus * logsigmoid(outputs)
        negative = q**self.negative_focus * ((1 - q).log() if self.margin else logsigmoid(-outputs))
        elements = targets * positive + (1 - targets) * negative
        return -(elements if known is None else elements * known).sum() / max(len(outputs), 1)


class AdaptiveThreshold:
    """Every pair learns its own threshold, an output beside those of the labels (`kgmrca.AdaptiveThreshold.v1`).

    One softmax over the true labels and the threshold raises the true labels above the threshold. Another one over the
    threshold and the false labels raises the threshold above the false ones. The sum of both is averaged over the pairs
    (Zhou et al., Document-Level Relation Extraction with Adaptive Thresholding and Localized Context Pooling, 2021,
    equations 7 to 9).

    A label's score is the sigmoid of its output minus the threshold's, so a score of 0.5 is at the learned threshold. A
    label with a target of 0.5 or more is true. A false one with a weight below 0.5 is left out.
    """

    extra_outputs = 1

    def __call__(self, outputs: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        """See `Loss`."""
        is_label = targets >= 0.5
        is_none = ~is_label if known is None else ~is_label & (known >= 0.5)
        threshold = torch.ones_like(is_label[:, :1])
        above = outputs.masked_fill(~torch.cat([is_label, threshold], 1), -torch.inf).log_softmax(1)[:, :-1]
        below = outputs.masked_fill(~torch.cat([is_none, threshold], 1), -torch.inf).log_softmax(1)[:, -1]
        return -(above[is_label].sum() + below.sum()) / max(len(outputs), 1)

    def scores(self, outputs: Tensor) -> Tensor:
        """See `Loss`."""
        return (outputs[:, :-1] - outputs[:, -1:]).sigmoid()

    def start(self, prior: Tensor) -> Tensor:
        """The prior's logit, above a threshold of 0."""
        return torch.cat([BCE().start(prior), prior.new_zeros(1)])


class RCDice:
    """The paper's imbalance-adapted Dice loss over linear outputs (eq. 3.5; `kgmrca.RCDice.v1`).

    An output of 0.5 or more means that the label is true. With g = 1e-6, y the target and p the output:

        g^2 / (p^2 + y^2 + g)               where y = 0 and p < 0.5
        1 - (2 p y + g) / (p^2 + y^2 + g)   elsewhere

    Args:
        reduction: "element" takes the sums of each element alone, as the equation is printed; its slope at a false
            positive is next to nothing, so it does not train on real data. "batch" takes 2py and p^2 + y^2 over the
            whole batch and keeps the case of each element; the loss of an element then depends on its batch.
    """

    extra_outputs = 0
    gamma = 1e-6

    def __init__(self, reduction: Literal["batch", "element"] = "batch") -> None:
        if reduction not in ("batch", "element"):
            raise InputError(f"The reduction of RC Dice is 'batch' or 'element', not {reduction!r}.")
        self.reduction = reduction

    def __call__(self, outputs: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        """See `Loss`. An unknown label counts as a correct negative."""
        if known is not None:
            outputs, targets = outputs * known, targets * known
        return self.elements(outputs, targets).mean()

    def elements(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of each element, [pairs, labels] (eq. 3.5 and Table 2 of the paper)."""
        overlap, size = 2 * outputs * targets, outputs.square() + targets.square()
        if self.reduction == "batch":
            overlap, size = overlap.sum(), size.sum()
        settled = (targets == 0) & (outputs < 0.5)
        return torch.where(
            settled, self.gamma**2 / (size + self.gamma), 1 - (overlap + self.gamma) / (size + self.gamma)
        )

    def scores(self, outputs: Tensor) -> Tensor:
        """The outputs themselves, cut to between 0 and 1: they are no probabilities."""
        return outputs.clamp(0, 1)

    def start(self, prior: Tensor) -> Tensor:
        """Zeros: an output of 0 already means that the label is false."""
        return torch.zeros_like(prior)
