"""The losses, against numbers worked by hand."""

import math
from math import log

import pytest
import torch

from kgmrca.errors import InputError
from kgmrca.extraction.relations.loss import BCE, AdaptiveThreshold, Asymmetric, RCDice

LOSSES = [BCE(), Asymmetric(), Asymmetric(1.0, 2.0, 0.0), AdaptiveThreshold(), RCDice("batch"), RCDice("element")]


def logits(*probabilities):
    return torch.tensor([probabilities], dtype=torch.float64).logit()


def gradient(loss, outputs, targets, known=None):
    outputs = outputs.clone().requires_grad_()
    loss(outputs, targets, known).backward()
    return outputs.grad


# RC Dice (equation 3.5).

# Table 2 of the MRCA paper: target, output, RC Dice as printed and with how many decimals (the rest is cut off, not
# rounded), and RC Dice with g = 1e-6. Its rows for 0.1 and -0.1 print 9e-13, which the equation does not give: there
# g^2 / (p^2 + g) is 1e-12 / 0.010001.
TABLE_2 = [
    (0, 1.0, 0.9, 1, 1 - 1e-6 / 1.000001),
    (0, 0.1, None, None, 1e-12 / 0.010001),
    (0, -0.1, None, None, 1e-12 / 0.010001),
    (0, -1.0, 9e-13, 13, 1e-12 / 1.000001),
    (1, 1.0, 0.0, 1, 0.0),
    (1, 0.0, 0.9, 1, 1 - 1e-6 / 1.000001),
    (1, -1.0, 1.9, 1, 4 / 2.000001),
]


def element(target, output):
    outputs, targets = torch.tensor([[output]], dtype=torch.float64), torch.tensor([[float(target)]])
    return RCDice("element").elements(outputs, targets).item()


@pytest.mark.parametrize(("target", "output", "printed", "decimals", "exact"), TABLE_2)
def test_rc_dice_element_gives_table_2(target, output, printed, decimals, exact):
    loss = element(target, output)
    assert loss == pytest.approx(exact, rel=1e-9, abs=1e-15)
    if printed is not None:
        assert math.floor(loss * 10**decimals) / 10**decimals == pytest.approx(printed)


def test_rc_dice_calls_an_output_of_one_half_a_yes():
    assert element(0, 0.5) == pytest.approx(1 - 1e-6 / 0.250001)
    assert element(0, 0.4999) == pytest.approx(1e-12 / (0.4999**2 + 1e-6))


def test_rc_dice_of_a_true_label_is_plain_dice_on_both_sides_of_one_half():
    assert element(1, 0.25) == pytest.approx(1 - 0.500001 / 1.062501)
    assert element(1, 0.75) == pytest.approx(1 - 1.500001 / 1.562501)


def test_rc_dice_element_is_the_mean_of_its_elements():
    outputs, targets = torch.tensor([[1.0, 0.0], [-1.0, -1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert RCDice("element")(outputs, targets).item() == pytest.approx((0.999999 + 0.999999 + 1.999999 + 0) / 4)


# 2py = 1.6 + 2.0; p^2 + y^2 = 0.64 + 0.36 + 0.04 + 1.0 + 2; one of four elements is a settled "no".
OUTPUTS, TARGETS = torch.tensor([[0.8, 0.6], [0.2, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])


def test_rc_dice_batch_takes_sums_over_the_batch():
    assert RCDice("batch")(OUTPUTS, TARGETS).item() == pytest.approx(0.75 * (1 - 3.6 / 4.04), rel=1e-4)


def test_rc_dice_batch_keeps_the_case_of_each_element():
    dice = 1 - 3.6 / 4.04
    expected = torch.tensor([[dice, dice], [1e-12 / 4.04, dice]])
    assert torch.allclose(RCDice("batch").elements(OUTPUTS, TARGETS), expected, atol=1e-6)


def test_rc_dice_batch_pulls_every_wrong_output_down():
    # Three of four times the slope of 1 - N / S with N = 3.6 and S = 4.04: -(2y S - 2p N) / S^2.
    slopes = torch.tensor([[5.76 - 8.08, 4.32], [1.44, 7.2 - 8.08]]) * 0.75 / 4.04**2
    assert torch.allclose(gradient(RCDice("batch"), OUTPUTS, TARGETS), slopes, atol=1e-5)


def test_rc_dice_element_hardly_pulls_a_false_positive_down():
    # The slope of 1 - g / (p^2 + g) at 1 is 2g / (1 + g)^2.
    slope = gradient(RCDice("element"), torch.tensor([[1.0]], dtype=torch.float64), torch.zeros(1, 1))
    assert slope.item() == pytest.approx(2e-6, rel=1e-4)


def test_rc_dice_batch_depends_on_the_batch():
    loss = RCDice("batch")
    halves = [loss(OUTPUTS[row : row + 1], TARGETS[row : row + 1]).item() for row in (0, 1)]
    assert sum(halves) / 2 != pytest.approx(loss(OUTPUTS, TARGETS).item(), rel=0.05)


def test_rc_dice_scores_lie_between_0_and_1():
    assert RCDice().scores(torch.tensor([-1.0, 0.5, 2.0])).tolist() == [0.0, 0.5, 1.0]


def test_rc_dice_starts_at_no():
    assert RCDice().start(torch.tensor([0.5, 0.01])).tolist() == [0.0, 0.0]


def test_rc_dice_refuses_another_reduction():
    with pytest.raises(InputError, match="'batch' or 'element'"):
        RCDice("sum")


# Binary cross-entropy.


def test_bce_is_summed_over_labels_and_averaged_over_pairs():
    outputs, targets = torch.zeros(2, 3), torch.zeros(2, 3)
    assert BCE()(outputs, targets).item() == pytest.approx(3 * log(2))


def test_bce_by_hand():
    assert BCE()(logits(0.8, 0.6), torch.tensor([[1.0, 0.0]])).item() == pytest.approx(-log(0.8) - log(0.4))


def test_bce_starts_at_the_prior():
    prior = torch.tensor([0.5, 0.01])
    assert torch.allclose(BCE().scores(BCE().start(prior)), prior)


def test_bce_start_is_finite_for_labels_never_seen():
    assert BCE().start(torch.tensor([0.0, 1.0])).isfinite().all()


# The asymmetric loss (Ridnik et al., equations 4 to 7).


def test_asymmetric_positives_are_those_of_bce_at_first():
    assert Asymmetric()(logits(0.8), torch.ones(1, 1)).item() == pytest.approx(-log(0.8))


@pytest.mark.parametrize(
    ("loss", "probability", "target", "expected"),
    [
        (Asymmetric(2.0, 4.0, 0.05), 0.8, 1.0, 0.2**2 * -log(0.8)),
        (Asymmetric(0.5, 4.0, 0.05), 0.36, 1.0, 0.8 * -log(0.36)),
        (Asymmetric(0.0, 4.0, 0.05), 0.55, 0.0, 0.5**4 * -log(0.5)),
        (Asymmetric(0.0, 1.0, 0.2), 0.6, 0.0, 0.4 * -log(0.6)),
        (Asymmetric(0.0, 0.0, 0.2), 0.6, 0.0, -log(0.6)),
        (Asymmetric(0.0, 2.0, 0.0), 0.6, 0.0, 0.6**2 * -log(0.4)),
    ],
)
def test_asymmetric_by_hand(loss, probability, target, expected):
    assert loss(logits(probability), torch.tensor([[target]])).item() == pytest.approx(expected)


def test_asymmetric_negatives_below_the_margin_cost_nothing():
    outputs = logits(0.04, 0.001).float()
    assert Asymmetric()(outputs, torch.zeros(1, 2)).item() == 0
    assert not gradient(Asymmetric(), outputs, torch.zeros(1, 2)).any()


def test_asymmetric_is_summed_over_labels_and_averaged_over_pairs():
    outputs, targets = torch.cat([logits(0.8, 0.55), logits(0.55, 0.55)]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert Asymmetric()(outputs, targets).item() == pytest.approx((-log(0.8) + 3 * 0.5**4 * log(2)) / 2)


def test_asymmetric_without_focus_and_margin_is_bce():
    outputs = torch.tensor([[-1e4, -30.0, -3.0, 0.0, 3.0, 30.0, 1e4]]).repeat(2, 1)
    targets = torch.tensor([[1.0], [0.0]]).expand(2, 7)
    plain = Asymmetric(0.0, 0.0, 0.0)
    assert plain(outputs, targets).item() == pytest.approx(BCE()(outputs, targets).item())
    assert torch.allclose(gradient(plain, outputs, targets), gradient(BCE(), outputs, targets))


def test_asymmetric_focus_may_be_a_fraction():
    outputs, targets = torch.tensor([[-1e4, -3.0, 30.0, 1e4]]), torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    assert gradient(Asymmetric(0.5, 0.5, 0.05), outputs, targets).isfinite().all()


# The adaptive-threshold loss (Zhou et al., equations 7 to 9): two labels and the threshold, with exponentials 4, 2, 1.

THREE = torch.tensor([[4.0, 2.0, 1.0]], dtype=torch.float64).log()


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([1.0, 0.0], log(5 / 4) + log(3)),  # 4 against 4 + 1; 1 against 2 + 1
        ([0.0, 1.0], log(3 / 2) + log(5)),  # 2 against 2 + 1; 1 against 4 + 1
        ([0.0, 0.0], log(7)),  # 1 against 4 + 2 + 1
        ([1.0, 1.0], log(7 / 4) + log(7 / 2)),  # 4 and 2 against 4 + 2 + 1; the threshold against itself
    ],
)
def test_adaptive_threshold_by_hand(targets, expected):
    assert AdaptiveThreshold()(THREE, torch.tensor([targets])).item() == pytest.approx(expected)


def test_adaptive_threshold_is_averaged_over_pairs():
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    expected = (log(15 / 4) + log(7)) / 2
    assert AdaptiveThreshold()(THREE.repeat(2, 1), targets).item() == pytest.approx(expected)


def test_adaptive_threshold_gradient_by_hand():
    # Softmax minus what is true, once over the first label and the threshold, once over the second and the threshold.
    slopes = torch.tensor([[4 / 5 - 1, 2 / 3, 1 / 5 + 1 / 3 - 1]], dtype=torch.float64)
    assert torch.allclose(gradient(AdaptiveThreshold(), THREE, torch.tensor([[1.0, 0.0]])), slopes)


def test_adaptive_threshold_scores_by_hand():
    assert AdaptiveThreshold().scores(THREE).tolist() == [pytest.approx([4 / 5, 2 / 3])]


def test_adaptive_threshold_scores_are_one_half_where_the_threshold_is_passed():
    outputs = 100 * torch.randn(2000, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(AdaptiveThreshold().scores(outputs) >= 0.5, outputs[:, :-1] > outputs[:, -1:])


def test_adaptive_threshold_starts_at_the_prior():
    prior, loss = torch.tensor([0.5, 0.01]), AdaptiveThreshold()
    start = loss.start(prior)
    assert start[-1] == 0
    assert torch.allclose(loss.scores(start.unsqueeze(0))[0], prior)


# All losses.


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_a_start_and_scores_for_each_label(loss):
    start = loss.start(torch.tensor([0.0, 0.2, 1.0]))
    assert start.shape == (3 + loss.extra_outputs,)
    assert loss.scores(start.repeat(4, 1)).shape == (4, 3)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("labels", [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0]], ids=["none", "all", "some"])
def test_extreme_outputs_have_finite_gradients(loss, labels):
    outputs = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4]])
    outputs = torch.cat([outputs, torch.tensor([[-1e4], [1e4], [0.0], [0.0]])[:, : loss.extra_outputs]], 1)
    targets = torch.tensor([labels]).repeat(4, 1)
    assert loss(outputs, targets).isfinite()
    assert gradient(loss, outputs, targets).isfinite().all()
    assert ((loss.scores(outputs) >= 0) & (loss.scores(outputs) <= 1)).all()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_a_false_yes_is_pulled_down_and_a_missed_label_up(loss):
    outputs = torch.cat([torch.tensor([[0.9, 0.1]]), torch.full((1, loss.extra_outputs), 0.5)], 1)
    false_yes, missed = gradient(loss, outputs, torch.tensor([[0.0, 1.0]]))[0, :2].tolist()
    assert false_yes > 0 > missed


# What is known of each label (weights from 0 to 1).


def test_bce_passes_over_what_is_not_known():
    known = torch.tensor([[1.0, 0.0]])
    assert BCE()(logits(0.8, 0.6), torch.tensor([[1.0, 0.0]]), known).item() == pytest.approx(-log(0.8))


def test_bce_is_weighted_by_what_is_known():
    targets, known = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.25]])
    assert BCE()(logits(0.8, 0.6), targets, known).item() == pytest.approx(-log(0.8) - 0.25 * log(0.4))


def test_bce_slope_is_weighted_by_what_is_known():
    # The slope is the probability minus the target, for each of two pairs.
    outputs, targets = logits(0.8, 0.6).reshape(2, 1), torch.tensor([[1.0], [0.0]])
    slopes = gradient(BCE(), outputs, targets, torch.tensor([[0.5], [0.3]]))
    assert slopes.flatten().tolist() == pytest.approx([0.5 * -0.2 / 2, 0.3 * 0.6 / 2])


def test_bce_is_averaged_over_pairs_of_which_nothing_is_known_too():
    known = torch.tensor([[1.0], [0.0]])
    assert BCE()(torch.zeros(2, 1), torch.zeros(2, 1), known).item() == pytest.approx(log(2) / 2)


def test_asymmetric_is_weighted_by_what_is_known():
    # A positive, a negative that counts a quarter and one that is not known.
    targets, known = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.25, 0.0]])
    expected = -log(0.8) + 0.25 * 0.5**4 * log(2)
    assert Asymmetric()(logits(0.8, 0.55, 0.9), targets, known).item() == pytest.approx(expected)


@pytest.mark.parametrize(("known", "expected"), [(0.0, log(5 / 4)), (0.4, log(5 / 4)), (0.5, log(15 / 4))])
def test_adaptive_threshold_leaves_out_a_no_that_is_not_known(known, expected):
    # The first label is true: 4 against 4 + 1; the second false: 1 against 2 + 1, or against itself if left out.
    loss = AdaptiveThreshold()(THREE, torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, known]]))
    assert loss.item() == pytest.approx(expected)


def test_rc_dice_batch_counts_what_is_not_known_as_a_settled_no():
    # Of the sums above, 0.36 is gone from the second; two of four elements are a settled "no".
    known = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert RCDice("batch")(OUTPUTS, TARGETS, known).item() == pytest.approx(0.5 * (1 - 3.6 / 3.68), rel=1e-4)


def test_rc_dice_element_counts_what_is_not_known_as_a_settled_no():
    # The loss of an output of 0 for a "no" is g^2 / g.
    outputs, targets = torch.ones(1, 2, dtype=torch.float64), torch.tensor([[0.0, 1.0]])
    loss = RCDice("element")(outputs, targets, torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx((1 - 1e-6 / 1.000001 + 1e-6) / 2, abs=1e-10)


def four_pairs(loss):
    """Outputs and targets of four pairs and three labels."""
    draw = torch.Generator().manual_seed(0)
    outputs = torch.randn(4, 3 + loss.extra_outputs, generator=draw)
    return outputs, (torch.rand(4, 3, generator=draw) < 0.4).float()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_all_being_known_is_the_same_as_not_saying_so(loss):
    outputs, targets = four_pairs(loss)
    assert 0 < targets.sum() < targets.numel()
    known = torch.ones_like(targets)
    assert torch.equal(loss(outputs, targets, known), loss(outputs, targets))
    assert torch.equal(gradient(loss, outputs, targets, known), gradient(loss, outputs, targets))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_what_is_not_known_has_no_slope_and_no_say(loss):
    outputs, targets = four_pairs(loss)
    known = torch.ones_like(targets)
    known[1:3, 1] = targets[1:3, 1] = 0
    slopes = gradient(loss, outputs, targets, known)
    other = outputs.clone()
    other[1:3, 1] = torch.tensor([2.0, -1.0])
    assert slopes[1:3, 1].tolist() == [0, 0]
    assert slopes[0].any()
    assert torch.equal(loss(other, targets, known), loss(outputs, targets, known))
    assert torch.equal(gradient(loss, other, targets, known), slopes)


@pytest.mark.parametrize("loss", [BCE(), Asymmetric(), RCDice("batch")], ids=lambda loss: type(loss).__name__)
def test_the_target_of_what_is_not_known_has_no_say(loss):
    outputs, targets = four_pairs(loss)
    known, other = torch.ones_like(targets), targets.clone()
    known[1, 1], other[1, 1] = 0, 1 - targets[1, 1]
    assert torch.equal(loss(outputs, other, known), loss(outputs, targets, known))
    assert torch.equal(gradient(loss, outputs, other, known), gradient(loss, outputs, targets, known))


# Targets between 0 and 1.


def test_bce_of_a_target_between_0_and_1_by_hand():
    expected = -0.25 * log(0.8) - 0.75 * log(0.2)
    assert BCE()(logits(0.8), torch.tensor([[0.25]])).item() == pytest.approx(expected)


def test_bce_is_least_where_the_probability_is_the_target():
    # The slope is the probability minus the target.
    slopes = gradient(BCE(), logits(0.6, 0.7, 0.8), torch.full((1, 3), 0.7, dtype=torch.float64))
    assert slopes[0].tolist() == pytest.approx([-0.1, 0.0, 0.1])


def test_asymmetric_weighs_yes_and_no_by_the_target():
    expected = -0.25 * log(0.55) + 0.75 * 0.5**4 * log(2)
    assert Asymmetric()(logits(0.55), torch.tensor([[0.25]])).item() == pytest.approx(expected)


@pytest.mark.parametrize(("target", "is_true"), [(0.5, 1.0), (0.49, 0.0)])
def test_adaptive_threshold_takes_a_target_of_one_half_for_true(target, is_true):
    found, expected = (AdaptiveThreshold()(THREE, torch.tensor([[first, 0.0]])) for first in (target, is_true))
    assert torch.equal(found, expected)


@pytest.mark.parametrize(("output", "expected"), [(0.5, 0.0), (0.8, 1 - 0.800001 / 0.890001)])
def test_rc_dice_of_a_target_of_one_half(output, expected):
    assert element(0.5, output) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("loss", "equations"),
    [(RCDice, "eq. 3.5"), (Asymmetric, "equations 4 to 7"), (AdaptiveThreshold, "equations 7 to 9")],
)
def test_the_source_is_named(loss, equations):
    assert equations in loss.__doc__
