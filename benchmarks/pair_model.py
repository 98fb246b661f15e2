"""Compare losses, thresholds, encoders and pair encodings of the pair model on Re-DocRED sentences and WebNLG.

    python benchmarks/pair_model.py --data DATA                        # runs what is missing, prints the tables
    python benchmarks/pair_model.py --data DATA --encoder FOLDER       # with a transformer too
    python benchmarks/pair_model.py --tables                           # prints the tables of existing runs

DATA has `redocred/documents.{dev,test}.jsonl.gz` and `webnlg/{train,dev,test}.jsonl.gz`. On Re-DocRED, the training
split `redocred/documents.train.jsonl.gz` is used if it exists, and otherwise the dev split. A tenth of these documents
is held out for early stopping and for choosing thresholds. WebNLG has a dev split for this. All pairs of gold mentions
in a sentence are classified. Each finished run is stored in `results/pairs.jsonl`.
"""

import statistics
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor
from training import Comparison, FlatBCE, Recipe, Variant, command, make_parser, mean_sd

from kgmrca.extraction.relations.features import N_FLAGS
from kgmrca.extraction.relations.loss import BCE, AdaptiveThreshold, Asymmetric, RCDice
from kgmrca.extraction.relations.network import MRCANetwork, PairNetwork

RESULTS = Path(__file__).parent / "results" / "pairs.jsonl"


class BCEAndDice(BCE):
    """Binary cross-entropy, plus the Dice loss of the sigmoids over the whole batch."""

    def __call__(self, outputs: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        """See `kgmrca.extraction.relations.loss.Loss`."""
        p = outputs.sigmoid()
        dice = 1 - (2 * (p * targets).sum() + 1) / (p.square().sum() + targets.sum() + 1)
        return super().__call__(outputs, targets, known) + dice


def _pair_network(hidden_width: int = 300, pair_width: int = 512) -> PairNetwork:
    return PairNetwork(
        n_flags=N_FLAGS,
        type_width=16,
        hidden_width=hidden_width,
        depth=1,
        pair_width=pair_width,
        dropout=0.3,
        type_dropout=0.1,
    )


STATIC = Recipe(epochs=20, learn_rate=3e-3)
FINE_TUNED = Recipe(epochs=12, batch=1000, learn_rate=1e-3, warm_up=0.1)
PER_PAIR = Recipe(epochs=12, batch=128, by_rows=True, learn_rate=1e-3)

# Wider than the default network, which is faster and hardly worse (second row).
wide = Variant(network=_pair_network, loss=BCE, recipe=STATIC, level="encoded once")
VARIANTS = {
    "binary cross-entropy": wide,
    "the same, narrower: 2 x 200, 256 (the default)": replace(wide, network=partial(_pair_network, 200, 256)),
    "binary cross-entropy, bias starts at 0": replace(wide, loss=FlatBCE),
    "RC Dice, batch": replace(wide, loss=RCDice),
    "RC Dice, element": replace(wide, loss=partial(RCDice, "element")),
    "asymmetric, focus 4, margin 0.05": replace(wide, loss=Asymmetric),
    "asymmetric, focus 2, margin 0": replace(wide, loss=partial(Asymmetric, 0.0, 2.0, 0.0)),
    "adaptive threshold": replace(wide, loss=AdaptiveThreshold),
    "binary cross-entropy + Dice": replace(wide, loss=BCEAndDice),
    "static, no BiLSTM": replace(wide, network=partial(_pair_network, 0)),
    "transformer frozen, no BiLSTM": replace(wide, network=partial(_pair_network, 0), words="frozen"),
    "transformer frozen, BiLSTM": replace(wide, words="frozen"),
    "transformer fine-tuned, no BiLSTM": replace(
        wide, network=partial(_pair_network, 0), words="fine-tuned", recipe=FINE_TUNED
    ),
    "transformer fine-tuned, BiLSTM": replace(wide, words="fine-tuned", recipe=FINE_TUNED),
    "one pass per pair (MRCA), binary cross-entropy": Variant(
        network=partial(MRCANetwork, hidden_width=500, dropout=0.15),
        loss=BCE,
        recipe=PER_PAIR,
        level="one pass per pair",
    ),
    "one pass per pair (MRCA), RC Dice, batch": Variant(
        network=partial(MRCANetwork, hidden_width=500, dropout=0.15),
        loss=RCDice,
        recipe=PER_PAIR,
        level="one pass per pair",
    ),
}


def main() -> None:
    """Run from the command line."""
    sets = ["redocred", "webnlg"]
    options = make_parser(__doc__, variants=VARIANTS, sets=sets, seeds=3, results=RESULTS).parse_args()
    comparison = Comparison(VARIANTS, options)
    if not options.tables:
        for name in options.sets:
            comparison.train_missing(name, VARIANTS)
    for name in options.sets:
        print_table(name, comparison)


def print_table(name: str, comparison: Comparison) -> None:
    """One row a variant: micro F1 on test, mean and standard deviation over the seeds, at three operating points."""
    print(f"\n{name}, ordered pairs, test, micro F1, mean ± s.d.; static vectors: {comparison.vectors}")
    heads = ["P / R at one", "at 0.5", "one threshold", "one per label"]
    print(f"{'':<50} {'seeds':>5} {' '.join(f'{head:>15}' for head in heads)} {'(best)':>7}")
    for variant in VARIANTS:
        runs = comparison.runs(name, variant)
        if not runs:
            continue
        p, r = (statistics.mean(run["test"]["one"][index] for run in runs) for index in (0, 1))
        cells = " ".join(
            f"{mean_sd([run['test'][key][2] for run in runs]):>15}" for key in ("fixed", "one", "per_label")
        )
        threshold = statistics.mean(run["threshold"] for run in runs)
        print(f"{variant:<50} {len(runs):>5} {f'{p:.3f} / {r:.3f}':>15} {cells} {threshold:>7.2f}")


if __name__ == "__main__":
    command(main)
