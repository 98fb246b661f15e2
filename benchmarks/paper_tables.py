"""Print the tables of "Multiple Relations Classification using Imbalanced Predictions Adaptation" beside ours.

    python benchmarks/paper_tables.py --data DATA                               # missing runs, then the tables
    python benchmarks/paper_tables.py --data DATA --vectors glove.6B.300d.txt   # with the paper's word vectors
    python benchmarks/paper_tables.py --data DATA --encoder FOLDER              # with a transformer too
    python benchmarks/paper_tables.py --data DATA --tables --figure figure.png  # of existing runs
    python benchmarks/paper_tables.py --data DATA --time                        # an epoch, as the paper times it

DATA has `webnlg/{train,dev,test}.jsonl.gz` and `nyt/{dev,test}.jsonl.gz`. On NYT, the training split
`nyt/train.jsonl.gz` is used if it exists. Otherwise, training uses nine tenths of the dev split, and the last tenth is
held out for early stopping. As in the paper, all subjects and objects of a sentence are marked, and its set of
relations is predicted. Each finished run is stored in `results/paper.jsonl`.

Figures of the paper that we have not seen are "-". What its Tables 3, 5, 6 and 7 and its Figure 3 show, we know in part
only: ours bear its numbers by what we take to be their content, and say which content that is.
"""

import argparse
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span
from training import (
    Comparison,
    FlatBCE,
    Recipe,
    Variant,
    build,
    command,
    device_name,
    files,
    is_held_out,
    make_parser,
    make_split,
    mean_sd,
    read_docs,
    train,
)

from kgmrca.errors import InputError
from kgmrca.extraction.relations.calibration import figure_class
from kgmrca.extraction.relations.loss import BCE, RCDice
from kgmrca.extraction.relations.network import MRCANetwork
from kgmrca.relations import get_plain_relations

RESULTS = Path(__file__).parent / "results" / "paper.jsonl"

# Adam, learning rate 0.0015 and 3e-5 less each epoch, batches of 32, at most 50 epochs, patience 5, threshold 0.5.
PAPER = Recipe(epochs=50, batch=32, by_rows=True, learn_rate=0.0015, decay="paper", clip=0.0, patience=5, threshold=0.5)

published = Variant(
    network=partial(MRCANetwork, hidden_width=500, dropout=0.15), loss=RCDice, recipe=PAPER, level="sentence"
)
no_lstm = partial(MRCANetwork, hidden_width=0, dropout=0.15)
VARIANTS = {
    "MRCA": published,
    "sigmoid + BCE": replace(published, loss=FlatBCE),
    "sigmoid + BCE, bias at the prior": replace(published, loss=BCE),
    "transformer, frozen": replace(published, words="frozen"),
    "transformer, frozen, no BiLSTM": replace(published, words="frozen", network=no_lstm),
    "transformer, fine-tuned": replace(published, words="fine-tuned", recipe=replace(PAPER, epochs=30)),
    "transformer, fine-tuned, no BiLSTM": replace(
        published, words="fine-tuned", recipe=replace(PAPER, epochs=30), network=no_lstm
    ),
}
OF_SET = {"nyt": ["MRCA"], "webnlg": list(VARIANTS)}
TITLES = {"nyt": "NYT", "webnlg": "WebNLG"}

# What the paper says.
UNKNOWN = ("-", "-", "-")
RELATIONS = {"nyt": ("2.00", "2.88", "18.48 %"), "webnlg": ("2.74", "2.23", "41.72 %")}
SIZES = {"nyt": ("56,196", "5,000", "5,000", "24"), "webnlg": ("5,019", "500", "703", "216")}
BASELINES = {
    "nyt": {"GAME": "77.1", "CopyRE": "87.0", "CopyMTL": "86.9"},
    "webnlg": {"CopyRE": "75.1", "CopyMTL": "79.7"},
}
SCORES = {
    "nyt": {"MRCA": ("-", "-", "96.65 ± 0.17")},
    "webnlg": {
        "MRCA": ("95.4 ± 0.25", "91.3 ± 0.48", "93.35 ± 0.29"),
        "sigmoid + BCE": ("93.35 ± 0.31", "88.73 ± 0.55", "90.88 ± 0.3"),
        "transformer, frozen": ("94.5 ± 0.2", "89.9 ± 0.49", "92.15 ± 0.26"),
        "transformer, frozen, no BiLSTM": ("55.18 ± 2.21", "53.7 ± 1.1", "54.4 ± 1.16"),
    },
}
GAINS = {"sigmoid + BCE": "+2.47"}
EPOCH = "2.355 s on an A100 80 GB"


def main() -> None:
    """Run from the command line."""
    parser = make_parser(__doc__, variants=VARIANTS, sets=list(OF_SET), seeds=5, results=RESULTS)
    parser.add_argument("--figure", type=Path, metavar="FILE", help="write Figure 3 there, as PNG")
    parser.add_argument("--time", action="store_true", help="time an epoch of the published network, and nothing else")
    options = parser.parse_args()
    comparison = Comparison(VARIANTS, options)
    if options.time:
        print_time(comparison)
        return
    if options.figure:
        figure_class()  # now, because a library that is missing had better not wait for the training to say so
    if not options.tables:
        for name in options.sets:
            comparison.train_missing(name, OF_SET[name])
    print(f"Static word vectors here: {comparison.vectors}; in the paper: GloVe 6B, 300 values.")
    print("Figures of the paper that are not known: -")
    print_data(options)
    for number, name in ((5, "nyt"), (6, "webnlg")):
        if name in options.sets:
            print_results(number, name, comparison)
    if "webnlg" in options.sets:
        print_variants(comparison)
        print_gains(comparison)
    if options.figure:
        draw(comparison, options.figure)


def print_data(options: argparse.Namespace) -> None:
    """Tables 1 and 3, from the files alone."""
    docs = {name: {part: read_docs(path) for part, path in files(options.data, name).items()} for name in options.sets}
    print(
        "\nTable 1 (relations a sentence: every pair of places in the text where a triple's subject and object match)"
    )
    print(f"{'':<8} {'':<24} {'mean':>8} {'s.d.':>8} {'3 or more':>10}")
    for name in options.sets:
        rows = [("paper", RELATIONS[name])]
        rows += [(f"here, {part}", relation_figures(some)) for part, some in docs[name].items()]
        for row, (mean, spread, several) in rows:
            print(f"{TITLES[name]:<8} {row:<24} {mean:>8} {spread:>8} {several:>10}")
    if docs.get("nyt"):
        print("NYT as released lists some triples twice; here each is counted once, which makes its figures smaller.")
    print("\nTable 3 (data sets: sentences a split, relations that occur)")
    print(f"{'':<8} {'':<24} {'train':>8} {'dev':>8} {'test':>8} {'relations':>10}")
    for name in options.sets:
        found = docs[name]
        labels = {record[4] for some in found.values() for doc in some for record in get_plain_relations(doc) or ()}
        sizes = [f"{len(found[part]):,}" if part in found else "-" for part in ("train", "dev", "test")]
        for row, cells in (("paper", SIZES[name]), ("here", (*sizes, str(len(labels)) if labels else "-"))):
            print(f"{TITLES[name]:<8} {row:<24} " + " ".join(f"{cell:>8}" for cell in cells[:3]) + f" {cells[3]:>10}")


def relation_figures(docs: Sequence[Doc]) -> tuple[str, str, str]:
    """The mean, the standard deviation, and the share of sentences with three or more, of `n_matches`."""
    counts = [n_matches(doc) for doc in docs]
    several = sum(count >= 3 for count in counts) / len(counts)
    return f"{statistics.mean(counts):.2f}", f"{statistics.pstdev(counts):.2f}", f"{100 * several:.2f} %"


def n_matches(doc: Doc) -> int:
    """The pairs of places in the text where the subject and the object of a triple are, summed over the triples."""
    words = [token.text for token in doc]

    def n_places(span: Span) -> int:
        wanted = words[span.start : span.end]
        return sum(words[start : start + len(wanted)] == wanted for start in range(len(words)))

    return sum(n_places(relation.subject) * n_places(relation.object) for relation in doc._.relations)


def print_results(number: int, name: str, comparison: Comparison) -> None:
    """Table 5 or 6: the published figures of a data set, and ours."""
    print(f"\nTable {number} ({TITLES[name]}: precision, recall, F1, micro, sets of a sentence, threshold 0.5)")
    print(f"{'':<34} {'seeds':>5} {'P':>13} {'R':>13} {'F1':>13}")
    rows: list[tuple[str, str, Sequence[str]]] = [
        *((baseline, "", ("-", "-", f1)) for baseline, f1 in BASELINES[name].items()),
        ("MRCA, paper", "5", SCORES[name]["MRCA"]),
    ]
    for held_out, row in ((False, "MRCA, here"), (True, "MRCA, here, trained on dev")):
        runs = [run for run in comparison.runs(name, "MRCA") if is_held_out(run) == held_out]
        if runs:
            rows.append((row, str(len(runs)), scores(runs)))
    for row, seeds, cells in rows:
        print(f"{row:<34} {seeds:>5} " + " ".join(f"{cell:>13}" for cell in cells))
    if any(row.endswith("dev") for row, _, _ in rows):
        print("Trained on dev: on nine tenths of the dev split, stopped by the last one, without the training split.")


def scores(runs: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """P, R and F1 on test at a threshold of 0.5, over the runs."""
    return tuple(mean_sd([run["test"]["fixed"][index] for run in runs]) for index in range(3))


def print_variants(comparison: Comparison) -> None:
    """Table 7: the contribution of each part of the method."""
    print("\nTable 7 (WebNLG: parts of the method exchanged; micro, sets of a sentence, threshold 0.5)")
    heads = ["P", "R", "F1", "paper: P", "R", "F1", "F1 at one"]
    print(f"{'':<36} {'seeds':>5} {' '.join(f'{head:>13}' for head in heads)} {'epochs':>6}  s/epoch")
    shown: list[dict[str, Any]] = []
    for variant in VARIANTS:
        runs = comparison.runs("webnlg", variant)
        if not runs:
            continue
        shown += runs
        cells = [*scores(runs), *SCORES["webnlg"].get(variant, UNKNOWN), mean_sd([f1(run, "one") for run in runs])]
        epochs = statistics.mean(run["best_epoch"] + 1 for run in runs)
        devices = distinct(shown, "device")
        seconds = ", ".join(
            f"{statistics.median(run['epoch_seconds'] for run in runs if run['device'] == device):.1f} ({letter})"
            for letter, device in zip(ascii_lowercase, devices, strict=False)
            if any(run["device"] == device for run in runs)
        )
        print(f"{variant:<36} {len(runs):>5} {' '.join(f'{cell:>13}' for cell in cells)} {epochs:>6.0f}  {seconds}")
    print("F1 at one: at the one threshold that was best on dev. Epochs: until the best on dev, on average.")
    print("The paper's transformer is BERT. Its figures stand beside a frozen one, but whether it was we do not know.")
    for letter, device in zip(ascii_lowercase, distinct(shown, "device"), strict=False):
        print(f"({letter}): {device}")
    for key in ("encoder", "note"):
        for value in distinct(shown, key):
            print(f"{key.capitalize()}: {value}")
            print(f"    ({which([run for run in shown if run.get(key) == value])})")


def distinct(runs: Sequence[dict[str, Any]], key: str) -> list[str]:
    """The values of the runs, in the order of their first appearance."""
    return list(dict.fromkeys(run[key] for run in runs if run.get(key)))


def which(runs: Sequence[dict[str, Any]]) -> str:
    """The variants of the runs, with their seeds."""
    seeds: dict[str, list[str]] = {}
    for run in runs:
        seeds.setdefault(run["variant"], []).append(str(run["seed"]))
    return "; ".join(f"{variant}: seed {', '.join(some)}" for variant, some in seeds.items())


def f1(run: dict[str, Any], threshold: str) -> float:
    """F1 on test, at a threshold of 0.5 ("fixed") or at the one that is best on dev ("one")."""
    return float(run["test"][threshold][2])


def print_gains(comparison: Comparison) -> None:
    """RC Dice minus binary cross-entropy: means over all seeds, and pairs of runs with the same seed."""
    print("\nWebNLG, F1 of MRCA (RC Dice) minus F1 of the same network with another loss, in points")
    heads = ["means ± s.e.", "same seed ± s.d.", "pairs", "paper"]
    print(f"{'':<36} {'threshold':<12} {heads[0]:>16} {heads[1]:>16} {heads[2]:>5} {heads[3]:>7}")
    ours = comparison.runs("webnlg", "MRCA")
    for variant in ("sigmoid + BCE", "sigmoid + BCE, bias at the prior"):
        others = comparison.runs("webnlg", variant)
        if not ours or not others:
            continue
        for threshold, title in (("fixed", "0.5"), ("one", "best on dev")):
            here, there = ([f1(run, threshold) for run in runs] for runs in (ours, others))
            difference = 100 * (statistics.mean(here) - statistics.mean(there))
            error = ""
            if min(len(here), len(there)) > 1:
                variance = sum(statistics.variance(values) / len(values) for values in (here, there))
                error = f" ± {100 * math.sqrt(variance):.2f}"
            pairs = [f1(a, threshold) - f1(b, threshold) for a in ours for b in others if a["seed"] == b["seed"]]
            paper = GAINS.get(variant, "-") if threshold == "fixed" else "-"
            paired = mean_sd(pairs, sign="+") if pairs else "-"
            print(
                f"{variant:<36} {title:<12} {f'{difference:+.2f}{error}':>16} {paired:>16} {len(pairs):>5} {paper:>7}"
            )


def print_time(comparison: Comparison) -> None:
    """The time of an epoch at the paper's sizes: the steps of training alone, on WebNLG's training split."""
    options = comparison.options
    docs, sources = comparison.load("webnlg")
    words = sources("static")
    split = make_split(docs, words, level=published.level, device=options.device)
    network, loss = build(published, words.encoder(docs["train"][0].vocab), split, seed=0)
    recipe = replace(published.recipe, epochs=options.epochs or 5, patience=0)
    seconds = train(network, loss, split.train, split.dev, recipe, seed=0, device=options.device).epoch_seconds
    n_weights = sum(weights.numel() for weights in network.parameters())
    print(f"Published network, {n_weights / 1e6:.1f} M weights, static word vectors: {comparison.vectors}")
    print(f"WebNLG, {len(docs['train']):,} sentences, {recipe.batch} a batch, {device_name(options.device)}")
    print(
        f"An epoch: {statistics.median(seconds):.3f} s, the median of {len(seconds)}; the paper: {EPOCH}, data unknown"
    )


def draw(comparison: Comparison, path: Path) -> None:
    """Figure 3: precision, recall and F1 on WebNLG's test split against the threshold, for both losses.

    Raises:
        InputError: no run has a curve, or the file cannot be written.
    """
    figure = figure_class()(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    lines = [("MRCA", "RC Dice", "#0072B2", "-"), ("sigmoid + BCE", "sigmoid + BCE", "#D55E00", "--")]
    for variant, title, colour, style in lines:
        curves = [run["test_curve"] for run in comparison.runs("webnlg", variant) if "test_curve" in run]
        if not curves:
            continue
        thresholds = [step / 20 for step in range(1, 20)]
        values = 100 * np.array(curves)  # [runs, thresholds, 3]
        means, spreads = values.mean(0), values.std(0, ddof=1) if len(curves) > 1 else np.zeros(values.shape[1:])
        for index, panel in enumerate(panels):
            mean, spread = means[:, index], spreads[:, index]
            panel.plot(
                thresholds, mean, color=colour, linestyle=style, linewidth=2, label=f"{title} (runs: {len(curves)})"
            )
            panel.fill_between(thresholds, mean - spread, mean + spread, color=colour, alpha=0.25, linewidth=0)
    if not panels[0].lines:
        raise InputError(
            "No run to draw has its scores at every threshold (early runs lack them): train some, with other --results."
        )
    for panel, title in zip(panels, ("Precision", "Recall", "F1"), strict=True):
        panel.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
        panel.set(title=title, xlabel="Threshold", xlim=(0, 1), xticks=[0.1, 0.3, 0.5, 0.7, 0.9])
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("Per cent")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle("WebNLG, test split: mean and one standard deviation over the seeds", fontsize=11)
    try:
        figure.savefig(path, dpi=200, format="png")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}.") from error
    print(f"\nFigure 3 (scores against the threshold): {path}")


if __name__ == "__main__":
    command(main)
