"""Losses over (pairs x labels), and what an output means under each of them. Torch only.

[components.mrca_relations.loss]
@misc = "kgmrca.RCDice.v1"
reduction = "batch"
"""

from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from kgmrca.errors import InputError

__all__ = ["BCE", "Loss", "RCDice"]


class Loss(Protocol):
    """What training minimises. All tensors are [pairs, labels]."""

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of a batch, a scalar; `outputs` are the network's, `targets` are 0 or 1."""
        ...

    def scores(self, outputs: Tensor) -> Tensor:
        """Outputs as confidences between 0 and 1."""
        ...

    def start(self, prior: Tensor) -> Tensor:
        """Output biases [labels] to start from, where `prior` is each label's share of the training pairs."""
        ...


class BCE:
    """Sigmoid and binary cross-entropy, summed over the labels and averaged over the pairs (`kgmrca.BCE.v1`)."""

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """See `Loss`."""
        return binary_cross_entropy_with_logits(outputs, targets, reduction="sum") / max(len(outputs), 1)

    def scores(self, outputs: Tensor) -> Tensor:
        """See `Loss`."""
        return outputs.sigmoid()

    def start(self, prior: Tensor) -> Tensor:
        """The prior's logit: with under 1 % positives, learning to say "no" from 0 costs many epochs."""
        return prior.clamp(1e-5, 1 - 1e-5).logit()


class RCDice:
    """The paper's imbalance-adapted Dice loss over linear outputs (eq. 3.5; `kgmrca.RCDice.v1`).

    An output of 0.5 or more means "yes". With g = 1e-6, y the target and p the output:

        g^2 / (p^2 + y^2 + g)               where y = 0 and p < 0.5
        1 - (2 p y + g) / (p^2 + y^2 + g)   elsewhere

    Args:
        reduction: "element" takes the sums of each element alone, as the equation is printed; its slope at a false
            positive is next to nothing, so it does not train on real data. "batch" takes 2py and p^2 + y^2 over the
            whole batch and keeps the case of each element; the loss of an element then depends on its batch.
    """

    gamma = 1e-6

    def __init__(self, reduction: Literal["batch", "element"] = "batch") -> None:
        if reduction not in ("batch", "element"):
            raise InputError(f"The reduction of RC Dice is 'batch' or 'element', not {reduction!r}.")
        self.reduction = reduction

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """See `Loss`."""
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
        """Zeros: an output of 0 already means "no"."""
        return torch.zeros_like(prior)
