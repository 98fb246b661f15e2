"""The losses, against numbers worked by hand."""

import math

import pytest
import torch

from kgmrca.errors import InputError
from kgmrca.tagging.loss import BCE, RCDice

# Table 2 of the MRCA paper: target, output, RC Dice, and how many decimals are printed (the rest is cut off there).
# Its rows for outputs of 0.1 and -0.1 do not follow from the equation; what does has a test of its own below.
TABLE_2 = [(0, 1.0, 0.9, 1), (1, 1.0, 0.0, 1), (1, 0.0, 0.9, 1), (1, -1.0, 1.9, 1), (0, -1.0, 9e-13, 13)]


@pytest.mark.parametrize(("target", "output", "printed", "decimals"), TABLE_2)
def test_rc_dice_element_gives_table_2(target, output, printed, decimals):
    outputs, targets = torch.tensor([[output]], dtype=torch.float64), torch.tensor([[float(target)]])
    loss = RCDice("element").elements(outputs, targets).item()
    assert math.floor(loss * 10**decimals) / 10**decimals == pytest.approx(printed)


@pytest.mark.parametrize("output", [0.1, -0.1])
def test_rc_dice_of_a_settled_no(output):
    # g^2 / (p^2 + g) = 1e-12 / (0.01 + 1e-6)
    loss = RCDice("element").elements(torch.tensor([[output]], dtype=torch.float64), torch.zeros(1, 1))
    assert loss.item() == pytest.approx(9.999e-11, rel=1e-4)


def test_rc_dice_batch_takes_sums_over_the_batch():
    outputs, targets = torch.tensor([[0.8, 0.6], [0.2, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # 2py = 1.6 + 2.0; p^2 + y^2 = 0.64 + 0.36 + 0.04 + 1.0 + 2; one of four elements is a settled "no".
    assert RCDice("batch")(outputs, targets).item() == pytest.approx(0.75 * (1 - 3.6 / 4.04), rel=1e-4)


def test_rc_dice_batch_pulls_a_false_positive_down_and_element_does_not():
    targets = torch.tensor([[1.0, 0.0]])
    slopes = {}
    for reduction in ("batch", "element"):
        outputs = torch.tensor([[1.0, 1.0]], requires_grad=True)
        RCDice(reduction)(outputs, targets).backward()
        slopes[reduction] = outputs.grad[0, 1].item()
    assert slopes["batch"] > 0.1
    assert abs(slopes["element"]) < 1e-5


def test_rc_dice_scores_lie_between_0_and_1():
    assert RCDice().scores(torch.tensor([-1.0, 0.5, 2.0])).tolist() == [0.0, 0.5, 1.0]


def test_rc_dice_refuses_another_reduction():
    with pytest.raises(InputError, match="'batch' or 'element'"):
        RCDice("sum")


def test_bce_is_summed_over_labels_and_averaged_over_pairs():
    outputs, targets = torch.zeros(2, 3), torch.zeros(2, 3)
    assert BCE()(outputs, targets).item() == pytest.approx(3 * math.log(2))


def test_bce_starts_at_the_prior():
    prior = torch.tensor([0.5, 0.01])
    assert torch.allclose(BCE().scores(BCE().start(prior)), prior)


def test_bce_start_is_finite_for_labels_never_seen():
    assert BCE().start(torch.tensor([0.0])).isfinite().all()
