"""A training loop in plain torch for comparisons with many runs over the same data, and their command lines.

Networks, losses and features are those of the package. Unlike in `spacy train`, the features of a data set are computed
once and stay on the device, and batches are taken from them there.
"""

import argparse
import copy
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training.initialize import convert_vectors
from spacy.vocab import Vocab
from torch import Tensor
from tqdm import tqdm

import kgmrca
from kgmrca.corpora.annotated import ENTITIES, hash_share, read_annotated, relation_labels
from kgmrca.corpora.documents import ID
from kgmrca.errors import InputError, KgmrcaError
from kgmrca.extraction.encoder.networks import LookedUp, TransformerWords, WordEncoder, rows_of
from kgmrca.extraction.encoder.shim import as_tensors
from kgmrca.extraction.encoder.words import PipelineVectors, Transformer, Vectors, Words, WordTable
from kgmrca.extraction.relations.features import Features, Instances, make_features, make_instances, pair_instances
from kgmrca.extraction.relations.loss import BCE, Loss
from kgmrca.extraction.relations.network import MRCANetwork, PairNetwork
from kgmrca.extraction.relations.pairs import Candidates, make_sentence_pairs
from kgmrca.relations import get_plain_relations
from kgmrca.types import coarse_type

__all__ = [
    "Comparison",
    "FlatBCE",
    "Recipe",
    "Variant",
    "build",
    "command",
    "device_name",
    "files",
    "is_held_out",
    "make_parser",
    "make_split",
    "mean_sd",
    "read_docs",
    "train",
]

BINS = 1000  # thresholds are chosen to this many parts of the range from 0 to 1
MIN_PAIRS = 10  # true pairs that a label needs for a threshold of its own

WORDS = "words_en_sm"
"""The name of the shipped word table, which is the default source of static vectors."""

WordKind = Literal["static", "frozen", "fine-tuned"]
Level = Literal["sentence", "encoded once", "one pass per pair"]


@dataclass(frozen=True)
class Data:
    """A data set on a device. A row is what is classified: an ordered pair, or a sentence."""

    inputs: dict[str, Any]  # the fields of Features or of Instances
    positives: Tensor  # [n, 2] row, label
    n_rows: int
    n_labels: int
    n_gold: int  # true labels, also those of pairs that are not scored

    def targets(self, rows: Tensor) -> Tensor:
        """0 or 1, [rows, labels]."""
        place = torch.full((self.n_rows,), -1, device=rows.device)
        place[rows] = torch.arange(len(rows), device=rows.device)
        row, label = place[self.positives[:, 0]], self.positives[:, 1]
        targets = torch.zeros(len(rows), self.n_labels, device=rows.device)
        targets[row[row >= 0], label[row >= 0]] = 1
        return targets


@dataclass(frozen=True)
class Recipe:
    """The settings of training."""

    epochs: int = 30
    batch: int = 2000  # tokens a batch; sentences a batch where `by_rows`
    by_rows: bool = False
    learn_rate: float = 1e-3
    decay: Literal["linear", "paper"] = "linear"  # linear: to 0 at the end; paper: 3e-5 less each epoch
    warm_up: float = 0.0  # the share of all steps over which the learning rate rises from 0
    clip: float = 1.0  # of the gradient's norm; 0: none
    patience: int = 0  # epochs without a better dev F1 before it stops; 0: never
    threshold: float | None = None  # of the dev F1 that is watched; None: the best one


@dataclass(frozen=True)
class Variant:
    """A variant that is compared: one row of a table."""

    network: Callable[[], PairNetwork | MRCANetwork]
    loss: Callable[[], Loss]
    recipe: Recipe
    level: Level
    words: WordKind = "static"


@dataclass(frozen=True)
class Split:
    """The three parts of a data set, and its labels and entity types."""

    train: Data
    dev: Data
    test: Data
    labels: Sequence[str]
    types: Sequence[str]


@dataclass(frozen=True)
class Trained:
    """The result of a run."""

    dev_f1: list[float]  # by epoch
    epoch_seconds: list[float]
    best_epoch: int  # counted from 0


class FlatBCE(BCE):
    """Binary cross-entropy with the usual start, output biases of 0."""

    def start(self, prior: Tensor) -> Tensor:
        """See `kgmrca.extraction.relations.loss.Loss`."""
        return torch.zeros_like(prior)


def read_docs(path: Path, vocab: Vocab | None = None) -> list[Doc]:
    """The gold Docs of a data file; relations keep the file's own names where it has no `relations.tsv`."""
    return list(read_annotated(path, vocab or spacy.blank("en").vocab, labels=relation_labels(path)))


def files(data: Path, name: str) -> dict[str, Path]:
    """The files of a data set that there are, by split."""
    stem = "documents." if name == "redocred" else ""
    paths = {part: data / name / f"{stem}{part}.jsonl.gz" for part in ("train", "dev", "test")}
    return {part: path for part, path in paths.items() if path.is_file()}


def _read_parts(data: Path, name: str, vocab: Vocab | None = None) -> dict[str, list[Doc]]:
    """The Docs to train on, to choose by and to score; without a training split, parts of dev are the first two.

    Raises:
        InputError: there is no such data set.
    """
    paths = files(data, name)
    if "dev" not in paths or "test" not in paths:
        raise InputError(f"There is no {name} in {data}: name the folder that it is in with --data.")
    docs = {part: read_docs(path, vocab) for part, path in paths.items()}
    if "train" not in docs:
        docs["train"], docs["dev"] = _hold_out(docs["dev"])
    return docs


def _hold_out(docs: Sequence[Doc]) -> tuple[list[Doc], list[Doc]]:
    """The Docs without a tenth of them, and that tenth; which Docs it is depends on their ids alone."""
    parts: tuple[list[Doc], list[Doc]] = ([], [])
    for doc in docs:
        parts[hash_share(doc.user_data[ID]) < 0.1].append(doc)
    return parts


def _checksums(paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of the files, by folder and name."""
    return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def _vectors_of(path: Path) -> Vocab:
    """A vocabulary with the vectors of a text file, read as spaCy does it.

    Raises:
        InputError: the file cannot be read, or holds no vectors.
    """
    nlp = spacy.blank("en")
    try:
        convert_vectors(nlp, path, truncate=0, prune=-1)
    except Exception as error:  # whatever spaCy, numpy, gzip or zipfile say of a file that is not one of vectors
        raise InputError(f"{path} cannot be read as word vectors: {error or type(error).__name__}.") from error
    return nlp.vocab


def _word_sources(encoder: str | None, static: Words | None = None) -> Callable[[WordKind], Words]:
    """Where the vectors of each kind come from, made when first asked for; transformers from the folder `encoder`."""
    made: dict[WordKind, Words] = {"static": static or WordTable.named()}

    def source(kind: WordKind) -> Words:
        if kind not in made:
            assert encoder is not None, "a transformer needs its folder"
            words = Transformer(encoder, learn_rate_scale=0.1)
            network = words.encoder(Vocab())  # which makes `words` ready to look up
            made[kind] = words if kind == "fine-tuned" else _Frozen(words, network)
        return made[kind]

    return source


class _Frozen:
    """A transformer whose vectors are made once: they never change, so there is nothing to run again."""

    def __init__(self, words: Transformer, network: TransformerWords) -> None:
        self.words, self.network = words, network.eval()

    @torch.no_grad()
    def look_up(self, docs: Sequence[Doc], sentences: NDArray[np.int64]) -> Vectors:
        pieces = as_tensors(self.words.look_up(docs, sentences), "cpu")
        vectors = self.network(**pieces).numpy()
        return Vectors(vectors, np.arange(len(vectors)))

    def encoder(self, vocab: Vocab) -> WordEncoder:
        return LookedUp(self.network.width, limit=self.network.limit)

    def state(self) -> dict[str, Any]:
        return self.words.state()

    def restore(self, state: dict[str, Any], vocab: Vocab) -> None:
        self.words.restore(state, vocab)


def make_split(docs: dict[str, list[Doc]], words: Words, *, level: Level, device: str) -> Split:
    """The Docs of `_read_parts` as arrays; the labels and the types that are learnt are those of the training part."""
    labels = sorted({record[4] for doc in docs["train"] for record in get_plain_relations(doc) or ()})
    types = sorted({coarse_type(span.label_) for doc in docs["train"] for span in doc.spans[ENTITIES]})
    parts = {}
    for part, some in docs.items():
        if level == "sentence":
            parts[part] = _sentence_data(some, words, labels=labels, device=device)
        else:
            make = partial(make_features if level == "encoded once" else pair_instances, types=types, words=words)
            parts[part] = _pair_data(some, make, labels=labels, device=device)
    return Split(**parts, labels=labels, types=types)


def _pair_data(
    docs: Sequence[Doc],
    make: Callable[[Sequence[Doc], Candidates], Features | Instances],
    *,
    labels: Sequence[str],
    device: str,
) -> Data:
    """Every ordered pair of gold mentions of a sentence."""
    candidates = make_sentence_pairs()(docs, spans_key=ENTITIES)
    doc_of = candidates.sentences[candidates.spans[:, 0], 0]
    places = list(zip(doc_of.tolist(), *candidates.characters.T.tolist(), strict=True))
    row_of = {(places[a], places[b]): row for row, (a, b) in enumerate(candidates.pairs.tolist())}
    column = {label: index for index, label in enumerate(labels)}
    positives, n_gold = [], 0
    for number, doc in enumerate(docs):
        for a, b, c, d, label, _ in get_plain_relations(doc) or ():
            n_gold += 1
            row = row_of.get(((number, a, b), (number, c, d)))
            if row is not None and label in column:
                positives.append((row, column[label]))
    return Data(
        inputs=as_tensors(make(docs, candidates), device),
        positives=torch.tensor(positives, dtype=torch.long, device=device).reshape(-1, 2),
        n_rows=len(candidates.pairs),
        n_labels=len(labels),
        n_gold=n_gold,
    )


def _sentence_data(docs: Sequence[Doc], words: Words, *, labels: Sequence[str], device: str) -> Data:
    """The paper's level: a sentence with the subjects and objects of its gold relations marked, and its label set."""
    sentences = np.array([(number, 0, len(doc)) for number, doc in enumerate(docs)], np.int64)
    column = {label: index for index, label in enumerate(labels)}
    roles: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]] = ([], [])
    positives, n_gold = set(), 0
    for number, doc in enumerate(docs):
        relations = doc._.relations or ()
        for relation in relations:
            for marked, span in zip(roles, (relation.subject, relation.object), strict=True):
                marked.append((number, span.start, span.end))
            if relation.label in column:
                positives.add((number, column[relation.label]))
        n_gold += len({relation.label for relation in relations})
    subjects, objects = (np.array(marked, np.int64).reshape(-1, 3) for marked in roles)
    instances = make_instances(docs, sentences, np.arange(len(docs)), subjects, objects, words=words)
    return Data(
        inputs=as_tensors(instances, device),
        positives=torch.tensor(sorted(positives), dtype=torch.long, device=device).reshape(-1, 2),
        n_rows=len(docs),
        n_labels=len(labels),
        n_gold=n_gold,
    )


def build(variant: Variant, words: WordEncoder, split: Split, *, seed: int) -> tuple[PairNetwork | MRCANetwork, Loss]:
    """A fresh network for a data set, and its loss."""
    torch.manual_seed(seed)
    network, loss = variant.network(), variant.loss()
    network.build(words=words, n_types=len(split.types), n_outputs=len(split.labels) + loss.extra_outputs)
    return network, loss


def micro_f1(predicted: Tensor, targets: Tensor, *, n_gold: int | None = None) -> tuple[float, float, float]:
    """Precision, recall and F1 of 0/1 or Boolean arrays [pairs, labels].

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
    right, given = _counts_at_thresholds(scores.reshape(-1, 1), targets.reshape(-1, 1))
    f1 = 2 * right / (given + (targets.sum() if n_gold is None else n_gold)).clamp(min=1)
    best = int(f1[0].argmax())
    return best / BINS, float(f1[0, best])


def best_thresholds(scores: Tensor, targets: Tensor) -> Tensor:
    """For each label the threshold with its best F1, [labels].

    A label with fewer than `MIN_PAIRS` true pairs has the one threshold that is best for all: its own would be chance.

    Args:
        scores, targets: see `best_threshold`.
    """
    right, given = _counts_at_thresholds(scores, targets)
    gold = targets.sum(0)
    chosen = (2 * right / (given + gold.unsqueeze(1)).clamp(min=1)).argmax(1) / BINS
    return torch.where(gold >= MIN_PAIRS, chosen, torch.full_like(chosen, best_threshold(scores, targets)[0]))


def _counts_at_thresholds(scores: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """How many pairs [labels, BINS] have at least each threshold's score: those that are true, and all."""
    n_labels = scores.shape[1]
    place = (scores * BINS).long().clamp(0, BINS - 1) + torch.arange(n_labels, device=scores.device) * BINS
    right, given = (
        some.bincount(minlength=n_labels * BINS).view(n_labels, BINS).flip(1).cumsum(1).flip(1)
        for some in (place[targets == 1], place.flatten())
    )
    return right, given


def _run(variant: Variant, words: WordEncoder, split: Split, *, seed: int, device: str) -> dict[str, Any]:
    """Train a variant and score it: on test, with thresholds chosen on dev.

    Returns:
        `dev` and `test`, each with (P, R, F1) at a threshold of 0.5 (`fixed`), at the one that is best on dev (`one`)
        and at one per label (`per_label`); `test_curve`, those on test at 0.05, 0.10, ... 0.95; and how the training
        went.
    """
    network, loss = build(variant, words, split, seed=seed)
    trained = train(network, loss, split.train, split.dev, variant.recipe, seed=seed, device=device)
    scores, rows = _predict(network, loss, split.dev)
    targets = split.dev.targets(rows)
    one = best_threshold(scores, targets, n_gold=split.dev.n_gold)[0]
    thresholds: dict[str, float | Tensor] = {
        "fixed": 0.5,
        "one": one,
        "per_label": best_thresholds(scores, targets),
    }
    result: dict[str, Any] = {
        "threshold": one,
        "epochs": len(trained.dev_f1),
        "best_epoch": trained.best_epoch,
        "epoch_seconds": round(statistics.median(trained.epoch_seconds), 3),
        "dev_f1": [round(f1, 4) for f1 in trained.dev_f1],
        "n_weights": sum(weights.numel() for weights in network.parameters() if weights.requires_grad),
    }
    for name, data in (("dev", split.dev), ("test", split.test)):
        scores, rows = _predict(network, loss, data)
        targets = data.targets(rows)
        result[name] = {
            key: [round(value, 5) for value in micro_f1(scores >= threshold, targets, n_gold=data.n_gold)]
            for key, threshold in thresholds.items()
        }
    result["test_curve"] = [
        [round(value, 4) for value in micro_f1(scores >= step / 20, targets, n_gold=split.test.n_gold)]
        for step in range(1, 20)
    ]
    return result


class _Results:
    """A file of finished runs, one JSON object per line, so that an interrupted comparison can be continued."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self.runs: list[dict[str, Any]] = []
        for number, line in enumerate(lines, start=1):
            try:
                self.runs.append({"vectors": WORDS} | json.loads(line))
            except json.JSONDecodeError as error:
                raise InputError(f"{path}, line {number} is no finished run ({error}): remove that line.") from error

    def of(self, **settings: Any) -> list[dict[str, Any]]:
        """The runs that have these settings."""
        return [run for run in self.runs if all(run.get(key) == value for key, value in settings.items())]

    def add(self, run: dict[str, Any], *, device: str, data: dict[str, str]) -> None:
        """Keep a finished run; `data` has the checksums of the files it was made from."""
        made = {"kgmrca": kgmrca.__version__, "torch": torch.__version__, "device": device_name(device), "data": data}
        run = run | made
        self.runs.append(run)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(run) + "\n")


def device_name(device: str) -> str:
    """The versions and the device of a run."""
    return torch.cuda.get_device_name(device) if _is_cuda(device) else f"CPU, {torch.get_num_threads()} threads"


def _is_cuda(device: str) -> bool:
    return torch.device(device).type == "cuda"


def train(
    network: PairNetwork | MRCANetwork,
    loss: Loss,
    data: Data,
    dev: Data,
    recipe: Recipe,
    *,
    seed: int,
    device: str,
) -> Trained:
    """Train a built network; afterwards it has the weights of its best epoch on dev."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    network.to(device)
    prior = torch.bincount(data.positives[:, 1], minlength=data.n_labels) / max(data.n_rows, 1)
    with torch.no_grad():
        network.labels.bias.copy_(loss.start(prior))
    words = list(network.words.parameters())
    of_words = {id(weights) for weights in words}
    rest = [weights for weights in network.parameters() if id(weights) not in of_words]
    rates = [recipe.learn_rate, *([recipe.learn_rate * network.words.learn_rate_scale] if words else [])]
    groups = [{"params": weights} for weights in (rest, words) if weights]
    optimizer = torch.optim.Adam(groups, fused=_is_cuda(device))
    units = _Units(data)
    total, step = recipe.epochs * units.n_batches(recipe), 0
    best, best_epoch, best_weights = -1.0, 0, network.state_dict()
    history: list[float] = []
    seconds: list[float] = []
    for epoch in range(recipe.epochs):
        start = time.perf_counter()
        network.train()
        for chosen in units.shuffled(recipe, generator):
            # The paper takes the same from the rate after each epoch, the other recipes after each step.
            factor = 1 - (3e-5 * epoch / recipe.learn_rate if recipe.decay == "paper" else step / total)
            factor *= min(1.0, (step + 1) / max(recipe.warm_up * total, 1))
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            inputs, rows = units.cut(torch.as_tensor(chosen, device=device))
            optimizer.zero_grad()
            loss(network(**inputs), data.targets(rows)).backward()  # type: ignore[no-untyped-call]
            if recipe.clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimizer.step()
            step += 1
        if _is_cuda(device):
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
        scores, rows = _predict(network, loss, dev)
        targets = dev.targets(rows)
        if recipe.threshold is None:
            score = best_threshold(scores, targets, n_gold=dev.n_gold)[1]
        else:
            score = micro_f1(scores >= recipe.threshold, targets, n_gold=dev.n_gold)[2]
        history.append(score)
        if score > best:
            best, best_epoch, best_weights = score, epoch, copy.deepcopy(network.state_dict())
        elif recipe.patience and epoch - best_epoch >= recipe.patience:
            break
    network.load_state_dict(best_weights)
    return Trained(history, seconds, best_epoch)


@torch.no_grad()
def _predict(network: PairNetwork | MRCANetwork, loss: Loss, data: Data) -> tuple[Tensor, Tensor]:
    """Scores [rows, labels], and which row of the data each is."""
    network.eval()
    units = _Units(data)
    scores, rows = [], []
    for chosen in units.in_order(16_384):
        inputs, some = units.cut(torch.as_tensor(chosen, device=data.positives.device))
        scores.append(loss.scores(network(**inputs)))
        rows.append(some)
    return torch.cat(scores), torch.cat(rows)


class _Units:
    """Cuts batches out of a data set: by sentence for Features, by instance for Instances."""

    def __init__(self, data: Data) -> None:
        self.inputs = inputs = data.inputs
        self.lengths = inputs["lengths"]
        self.token_start = self.lengths.cumsum(0) - self.lengths
        if "pairs" in inputs:
            n = len(self.lengths)
            self.n_spans = torch.bincount(inputs["spans"][:, 0], minlength=n)
            self.n_pairs = torch.bincount(inputs["spans"][inputs["pairs"][:, 0], 0], minlength=n)
            self.span_start = self.n_spans.cumsum(0) - self.n_spans
            self.pair_start = self.n_pairs.cumsum(0) - self.n_pairs
            self.tokens = self.lengths.cpu().numpy()
        else:
            self.tokens = self.lengths[inputs["sentence"]].cpu().numpy()
        if "pieces" in inputs["words"]:
            pieces = inputs["words"]["pieces"]
            self.piece_start = pieces.cumsum(0) - pieces

    def n_batches(self, recipe: Recipe) -> int:
        return -(-(len(self.tokens) if recipe.by_rows else int(self.tokens.sum())) // recipe.batch)

    def shuffled(self, recipe: Recipe, generator: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        order = generator.permutation(len(self.tokens))
        if recipe.by_rows:
            return iter(np.split(order, range(recipe.batch, len(order), recipe.batch)))
        return self._by_tokens(order, recipe.batch)

    def in_order(self, most: int) -> Iterator[NDArray[np.int64]]:
        return self._by_tokens(np.argsort(self.tokens, kind="stable"), most)

    def _by_tokens(self, order: NDArray[np.int64], most: int) -> Iterator[NDArray[np.int64]]:
        batch = (np.cumsum(self.tokens[order]) - 1) // most
        return iter(np.split(order, np.flatnonzero(np.diff(batch)) + 1))

    def cut(self, chosen: Tensor) -> tuple[dict[str, Any], Tensor]:
        """The inputs of the chosen units alone, and their rows."""
        inputs = self.inputs
        if "pairs" in inputs:
            lengths = self.lengths[chosen]
            token, _ = rows_of(self.token_start[chosen], self.token_start[chosen] + lengths)
            span, sentence = rows_of(self.span_start[chosen], self.span_start[chosen] + self.n_spans[chosen])
            pair, _ = rows_of(self.pair_start[chosen], self.pair_start[chosen] + self.n_pairs[chosen])
            renumbered = torch.zeros(len(inputs["spans"]), dtype=torch.long, device=chosen.device)
            renumbered[span] = torch.arange(len(span), device=chosen.device)
            return {
                "words": self._words(chosen, token),
                "flags": inputs["flags"][token],
                "token_type": inputs["token_type"][token],
                "lengths": lengths,
                "spans": torch.cat([sentence.unsqueeze(1), inputs["spans"][span, 1:]], 1),
                "span_type": inputs["span_type"][span],
                "pairs": renumbered[inputs["pairs"][pair]],
            }, pair
        sentences, sentence = inputs["sentence"][chosen].unique(return_inverse=True)
        lengths = self.lengths[sentences]
        token, _ = rows_of(self.token_start[sentences], self.token_start[sentences] + lengths)
        place = torch.full((len(inputs["sentence"]),), -1, device=chosen.device)
        place[chosen] = torch.arange(len(chosen), device=chosen.device)
        roles = {}
        for role in ("subjects", "objects"):
            instance = place[inputs[role][:, 0]]
            roles[role] = torch.cat([instance.unsqueeze(1), inputs[role][:, 1:]], 1)[instance >= 0]
        return {
            "words": self._words(sentences, token),
            "upper": inputs["upper"][token],
            "lengths": lengths,
            "sentence": sentence,
            **roles,
        }, chosen

    def _words(self, sentences: Tensor, token: Tensor) -> dict[str, Tensor]:
        words = self.inputs["words"]
        if "row" in words:
            return {"vectors": words["vectors"], "row": words["row"][token]}
        pieces = words["pieces"][sentences]
        piece, _ = rows_of(self.piece_start[sentences], self.piece_start[sentences] + pieces)
        return {
            "ids": words["ids"][piece],
            "token": words["token"][piece],
            "pieces": pieces,
            "tokens": words["tokens"][sentences],
        }


def make_parser(
    description: str | None, *, variants: Iterable[str], sets: Sequence[str], seeds: int, results: Path
) -> argparse.ArgumentParser:
    """The options that all comparisons have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../data"), help="folder of the data sets (default: ../data)")
    parser.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help=f"static vectors as text, such as glove.6B.300d.txt (plain, .gz, or alone in a .zip; default: {WORDS})",
    )
    parser.add_argument("--encoder", help="folder or name of a BERT-like encoder; without it those rows are left out")
    parser.add_argument("--encoder-name", metavar="NAME", help="its name in the results (default: that of the folder)")
    parser.add_argument("--seeds", type=int, default=seeds, help=f"runs of each variant (default: {seeds})")
    parser.add_argument("--only", nargs="+", choices=list(variants), metavar="VARIANT", help="train these alone")
    parser.add_argument("--sets", nargs="+", choices=sets, default=list(sets), help="these data sets alone")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--results", type=Path, default=results, help="where runs are kept")
    parser.add_argument("--epochs", type=int, help="at most so many, to try it out; those runs go to other --results")
    parser.add_argument("--tables", action="store_true", help="train nothing, print the tables")
    parser.set_defaults(published=results)
    return parser


class Comparison:
    """Variants, trained as the options of a command line ask for, and the runs there are of them."""

    def __init__(self, variants: Mapping[str, Variant], options: argparse.Namespace) -> None:
        self.variants, self.options, self.results = variants, options, _Results(options.results)
        self.vectors = options.vectors.name if options.vectors else WORDS

    def runs(self, name: str, variant: str) -> list[dict[str, Any]]:
        """The runs of a variant on a data set; of one with static vectors, those with the vectors asked for."""
        known = {"vectors": self.vectors} if self.variants[variant].words == "static" else {}
        return self.results.of(set=name, variant=variant, **known)

    def load(self, name: str) -> tuple[dict[str, list[Doc]], Callable[[WordKind], Words]]:
        """The Docs of a data set, and where vectors of each kind come from for them.

        Raises:
            InputError: there is no such data set, or the word vectors cannot be read.
        """
        options = self.options
        docs = _read_parts(options.data, name, _vectors_of(options.vectors) if options.vectors else None)
        return docs, _word_sources(options.encoder, PipelineVectors() if options.vectors else None)

    def train_missing(self, name: str, variants: Iterable[str]) -> None:
        """Train and score the runs of a data set that are not there yet, and keep each as soon as it is done.

        Raises:
            InputError: what it takes is not there, or the options make no sense together.
            ModelError: there is no such encoder.
        """
        options = self.options
        if options.epochs and options.results == options.published:
            raise InputError("With --epochs runs are no results: name another file for them with --results.")
        if options.only and not options.encoder and all(self.variants[v].words != "static" for v in options.only):
            raise InputError("These variants read a transformer: name its folder with --encoder.")
        paths = files(options.data, name)
        todo = [
            (variant, seed)
            for variant in variants
            if (not options.only or variant in options.only)
            and (options.encoder or self.variants[variant].words == "static")
            for seed in range(options.seeds)
            if not any(
                run["seed"] == seed and is_held_out(run) == ("train" not in paths) for run in self.runs(name, variant)
            )
        ]
        if not todo:
            return
        docs, sources = self.load(name)
        for kind in {self.variants[variant].words for variant, _ in todo}:
            sources(kind)  # now, because an encoder that cannot be read had better not wait for hours to say so
        checksums = _checksums(paths.values())
        of_vectors = _checksums([options.vectors] if options.vectors else [])
        split, made = None, None
        for variant_name, seed in tqdm(todo, desc=name, unit="run"):
            variant = self.variants[variant_name]
            if options.epochs:
                variant = replace(variant, recipe=replace(variant.recipe, epochs=options.epochs))
            words = sources(variant.words)
            if split is None or made != (variant.level, variant.words):
                split = make_split(docs, words, level=variant.level, device=options.device)
                made = variant.level, variant.words
            found = _run(variant, words.encoder(docs["train"][0].vocab), split, seed=seed, device=options.device)
            is_static = variant.words == "static"
            of = {"set": name, "variant": variant_name, "seed": seed, "encoder": None if is_static else self.encoder}
            data = checksums | (of_vectors if is_static else {})
            self.results.add(of | {"vectors": self.vectors} | found, device=options.device, data=data)

    @property
    def encoder(self) -> str | None:
        """What the encoder is called in the results: never a place on somebody's disk."""
        name = self.options.encoder
        return self.options.encoder_name or (Path(name).name if name and Path(name).is_dir() else name)


def is_held_out(run: Mapping[str, Any]) -> bool:
    """Whether a run was trained on a part of the dev split, because there was no training split."""
    return not any(file.endswith("train.jsonl.gz") for file in run["data"])


def mean_sd(values: Sequence[float], *, sign: str = "") -> str:
    """`mean ± s.d.` in per cent, "+" as its sign where asked for; of a single value, that alone."""
    spread = f" ± {100 * statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):{sign}.2f}{spread}"


def command(main: Callable[[], None]) -> None:
    """Run a command; an error of the package or the system is one line, with exit status 2."""
    try:
        main()
    except KgmrcaError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(2)
