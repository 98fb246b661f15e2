"""Measure the speed of the relation component, by batch size and compared with other components.

    python benchmarks/throughput.py                       # the demo corpus, with the entities the pipeline finds
    python benchmarks/throughput.py --data test.spacy     # gold entities, from a file made by `kgmrca corpus`
    python benchmarks/throughput.py --data test.spacy --docs 500 --rounds 5 --threads 1
    python benchmarks/throughput.py --parts spacy matmul --rounds 7

There are five parts with one table each. In all but the first, entities and sentence boundaries are set before:

whole     The shipped pipeline from raw text, and the time that a new process needs to load it.
sizes     The shipped `mrca_relations` alone, from Doc to `doc._.relations`, by batch size.
passes    Encoding a sentence once, compared with one pass per ordered pair, in sentences of exactly 6 entities (30
          pairs): `kgmrca.PairMRCA.v1`; `kgmrca.MRCA.v1` with an LSTM of the same width, each instance padded to 100
          tokens as in the paper; and `kgmrca.PairMRCA.v1` that reads a sentence again for each pair, without padding.
          All three have the same words and labels and random weights, with which no relation is found.
spacy     `nlp.pipe` with `kgmrca.PairMRCA.v1`, untrained as in `passes`, compared with a component like that of spaCy's
          tutorial on relation extraction (explosion/projects, tutorials/rel_component). Both score the same pairs and
          labels. MRCA as published (500 wide, one pass per sentence) is included to compare machines. A second table
          has both without storing the relations, and a third the time of each step of ours.
matmul    The share of this machine's speed of float32 matrix products that `kgmrca.PairMRCA.v1` reaches.

The variants take turns, so that a machine that becomes slower affects all of them. The tables have medians over the
rounds, with the lowest and the highest; ratios are computed within each round. The number of threads is that of torch;
thinc, which the component of the tutorial uses, multiplies matrices in one thread.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else idle threads spin, and take the cores from each other

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.ml.models import build_hash_embed_cnn_tok2vec
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Linear, Logistic, Model, chain
from tqdm import tqdm

import kgmrca
from kgmrca.corpora.annotated import Corpus
from kgmrca.extraction.relations.component import MRCARelations, relation_pipe
from kgmrca.extraction.relations.features import Features, Instances, make_instances
from kgmrca.extraction.relations.network import PairNetwork
from kgmrca.extraction.relations.pairs import Candidates, make_sentence_pairs

DEMO = Path(__file__).parent.parent / "pipelines" / "demo" / "corpus"
BATCH_SIZE = 128  # documents, where nothing else is said
N_ENTITIES = 6  # of the sentences of the part "passes"

sentence_pairs = make_sentence_pairs()


# Measuring.


@dataclass(frozen=True)
class Side:
    """One variant of a comparison, and how much it reads in one run."""

    run: Callable[[], object]
    n_sentences: int = 0
    n_pairs: int = 0


Times = dict[str, list[float]]
"""Seconds a run, by side and round."""


def take_turns(sides: Mapping[str, Side], rounds: int) -> Times:
    """Measure every variant once per round; the first round is not counted."""
    times: Times = {name: [] for name in sides}
    for number in tqdm(range(rounds + 1), desc="rounds", disable=None, leave=False):
        for name, side in sides.items():
            taken = seconds(side.run)
            if number:
                times[name].append(taken)
    return times


def seconds(run: Callable[[], object]) -> float:
    """The mean time of a run, over enough runs for a quarter of a second and at least one."""
    start, runs = time.perf_counter(), 0
    while True:
        run()
        runs += 1
        if (taken := time.perf_counter() - start) > 0.25:
            return taken / runs


def spread(values: Sequence[float], form: str) -> str:
    """The lowest and the highest."""
    return f"{min(values):{form}} to {max(values):{form}}"


def show(sides: Mapping[str, Side], times: Times, *, compare: bool = True) -> None:
    """Print a table of rates; `compare`: and how many times as fast as each of the others the first side is."""
    width = max(map(len, sides))
    first = next(iter(sides))
    title = "the first is x times as fast" if compare else ""
    print(f"{'':{width}} {'sentences/s':>12} {'lowest to highest':>20} {'pairs/s':>10}  {title}".rstrip())
    rates = {name: [side.n_sentences / taken for taken in times[name]] for name, side in sides.items()}
    for name, side in sides.items():
        median = statistics.median(rates[name])
        n_pairs = median * side.n_pairs / side.n_sentences
        ratios = [one / other for one, other in zip(rates[first], rates[name], strict=True)]
        ratio = f"{statistics.median(ratios):.1f} ({spread(ratios, '.1f')})" if compare and name != first else ""
        print(f"{name:{width}} {median:>12,.1f} {spread(rates[name], ',.1f'):>20} {n_pairs:>10,.0f}  {ratio}".rstrip())


# The documents.


def load_docs(nlp: Language, data: Path | None, n_docs: int) -> list[Doc]:
    """The Docs to score, repeated until there are `n_docs`."""
    if data:
        docs = [example.predicted for example in Corpus(data)(nlp)]
    else:
        texts = [path.read_text(encoding="utf-8") for path in sorted(DEMO.glob("*.txt"))]
        docs = list(nlp.pipe(texts, disable=[relation_pipe(nlp)[0]]))
    return [docs[index % len(docs)].copy() for index in range(n_docs)]


def found_sentences(docs: Sequence[Doc], n_sentences: int) -> list[Doc]:
    """Those sentences of the Docs, up to so many, that have exactly six entities, as Docs of their own."""
    found = (sentence for doc in docs for sentence in doc.sents if len(sentence.ents) == N_ENTITIES)
    return [sentence.as_doc() for sentence in islice(found, n_sentences)]


def made_sentences(docs: Sequence[Doc], n_sentences: int, *, types: Sequence[str]) -> list[Doc]:
    """Sentences with six entities: words in a row as they come in the Docs, six stretches of them called entities."""
    words = [token.text for doc in docs for token in doc if not token.is_space]
    choose = random.Random(0)
    made = []
    for _ in range(n_sentences):
        length = choose.randint(23, 45)  # as four in five of those in the test split of Re-DocRED have
        start = choose.randrange(len(words) - length)
        doc = Doc(docs[0].vocab, words[start : start + length], sent_starts=[True] + [False] * (length - 1))
        doc.ents = [
            Span(doc, first, first + choose.randint(1, 2), label=choose.choice(types))
            for first in sorted(choose.sample(range(0, length - 1, 2), N_ENTITIES))
        ]
        made.append(doc)
    return made


# The sides.


def stream(pipe: Language | TrainablePipe, docs: Sequence[Doc], batch_size: int) -> None:
    """Have all Docs annotated; what is stored on one is dropped when the next comes, as in a stream."""
    for doc in pipe.pipe(docs, batch_size=batch_size):
        doc.user_data.clear()


def annotate(pipe: TrainablePipe, docs: Sequence[Doc]) -> None:
    """Have all Docs annotated, in one batch."""
    pipe.set_annotations(docs, pipe.predict(docs))


def fresh_pipeline(nlp: Language, docs: Sequence[Doc], architecture: str, **widths: int) -> Language:
    """A pipeline of one untrained component with the labels, entity types and words of the shipped one."""
    model = {"@architectures": architecture, **widths}
    pipeline = spacy.blank("en", vocab=nlp.vocab)
    pipe = pipeline.add_pipe("mrca_relations", config={"pretrained": None, "model": model})
    examples = [Example(doc, doc.copy()) for doc in docs]
    pipe.initialize(lambda: examples, labels=relation_pipe(nlp)[1].label_data)
    return pipeline


def fresh(nlp: Language, docs: Sequence[Doc], architecture: str, **widths: int) -> MRCARelations:
    """The component of such a pipeline."""
    return relation_pipe(fresh_pipeline(nlp, docs, architecture, **widths))[1]


def network_of(pipe: MRCARelations) -> PairNetwork:
    """The torch network of a component."""
    return cast(PairNetwork, pipe.model.shims[0]._model)


def features_of(pipe: MRCARelations, docs: Sequence[Doc], candidates: Candidates) -> Features | Instances:
    """What the network of a component reads."""
    return pipe.model.attrs["features"](docs, candidates, pipe.label_data["types"])


def one_pass_per_pair(docs: Sequence[Doc], *, spans_key: str | None) -> Candidates:
    """The pairs of `kgmrca.sentence_pairs.v1`, each in a copy of its sentence that has no other entities."""
    together = sentence_pairs(docs, spans_key=spans_key)
    row = together.pairs.ravel()
    copy = np.arange(len(row)) // 2
    return Candidates(
        sentences=together.sentences[together.spans[row[::2], 0]],
        spans=np.column_stack([copy, together.spans[row, 1:]]),
        pairs=np.arange(len(row)).reshape(-1, 2),
        characters=together.characters[row],
        types=[together.types[index] for index in row.tolist()],
    )


class TutorialRelations(TrainablePipe):
    """A relation component built like that of spaCy's tutorial, written anew from its description.

    A hash embedding and a convolutional network give a vector a token; the means over the tokens of two entities, one
    after the other, go through a linear layer and the logistic function to one score a label. Each Doc gets a
    dictionary `{(start of one, start of the other): {label: score}}` of all pairs and all labels. Weights are fresh.

    Two things are quicker than there: pairs are those of `kgmrca.sentence_pairs.v1` that are no further apart than 100
    tokens, and the mean of an entity is taken once, not anew for each of its pairs.

    Args:
        by_row: fill the dictionary by one statement a pair. False: by one a score and label, each through `doc._`, as
            it is done there.
    """

    WIDTH = 96
    MAX_LENGTH = 100  # tokens from the start of one entity to that of the other

    def __init__(self, vocab: Vocab, name: str, *, labels: Sequence[str], by_row: bool) -> None:
        self.vocab, self.name, self.by_row = vocab, name, by_row
        self.cfg = {"labels": tuple(labels)}
        self.model: Model[Any, Any] = chain(Linear(len(labels), 2 * self.WIDTH), Logistic()).initialize()
        self.tok2vec = build_hash_embed_cnn_tok2vec(
            width=self.WIDTH,
            depth=4,
            embed_size=2000,
            window_size=1,
            maxout_pieces=3,
            subword_features=True,
            pretrained_vectors=None,
        )
        self.tok2vec.initialize(X=[Doc(vocab, ["word"])])

    def predict(self, docs: Iterable[Doc]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Of each pair the Doc and where its two entities start, [pairs, 3]; scores [pairs, labels]."""
        docs = list(docs)
        vectors = np.concatenate(self.tok2vec.predict(docs))
        candidates = sentence_pairs(docs, spans_key=None)
        doc, offset = candidates.sentences[candidates.spans[:, 0], :2].T
        start, end = candidates.spans[:, 1:].T + offset
        apart = abs(np.subtract(*start[candidates.pairs].T))
        one, other = candidates.pairs[apart <= self.MAX_LENGTH].T

        size = end - start
        before = np.cumsum([0, *map(len, docs)])[doc] + start - (np.cumsum(size) - size)
        tokens = vectors[np.repeat(before, size) + np.arange(size.sum())]
        means = self.model.ops.reduce_mean(tokens, size.astype(np.int32))
        scores = self.model.predict(np.concatenate([means[one], means[other]], 1))
        return np.stack([doc[one], start[one], start[other]], 1), scores

    def set_annotations(self, docs: Iterable[Doc], predicted: tuple[NDArray[np.int64], NDArray[np.float32]]) -> None:
        """Store the dictionary."""
        docs, labels = list(docs), self.cfg["labels"]
        for doc in docs:
            doc._.tutorial_relations = {}
        for (number, *pair), scores in zip(predicted[0].tolist(), predicted[1], strict=True):
            doc, key = docs[number], tuple(pair)
            if self.by_row:
                doc._.tutorial_relations[key] = dict(zip(labels, scores.tolist(), strict=True))
                continue
            doc._.tutorial_relations[key] = {}
            for column, label in enumerate(labels):
                doc._.tutorial_relations[key][label] = scores[column]


@Language.factory("tutorial_relations")
def make_tutorial_relations(nlp: Language, name: str, labels: list[str], by_row: bool) -> TutorialRelations:
    """Make the component of spaCy's tutorial."""
    Doc.set_extension("tutorial_relations", default=None, force=True)
    return TutorialRelations(nlp.vocab, name, labels=labels, by_row=by_row)


def multiply_adds(network: PairNetwork, features: Features) -> int:
    """How many multiplications, each with an addition, the matrix products of the pair network take for a batch.

    A linear layer uses each of its weights once for each of its rows, and an LSTM each of its weights, those for inputs
    and those for states alike, once for each token. With T tokens, S sentences, E spans, P pairs, L outputs, inputs of
    width I, states of width H in each direction, pairs of width W, and one layer of LSTM:

        T x 2 x 4H x (I + H)  +  E x 2H x 4W  +  T x 2H x W  +  S x 2H x W  +  P x W x L

    What is done value by value (gates, means, the sum and product of views, the hyperbolic tangent) is not counted.
    """
    n_tokens = int(features.lengths.sum())
    lstm = [weights for name, weights in network.named_parameters() if name.startswith("encoder.weight")]
    used = [
        *((n_tokens, weights) for weights in lstm),
        (len(features.spans), network.span.weight),
        (n_tokens, network.between.weight),
        (len(features.lengths), network.sentence.weight),
        (len(features.pairs), network.labels.weight),
    ]
    return sum(rows * weights.numel() for rows, weights in used)


# The parts.


def whole(nlp: Language, docs: Sequence[Doc], options: argparse.Namespace) -> None:
    """Raw text in, relations out; and the time until that can begin."""
    texts = [doc.text for doc in docs]
    n_sentences, n_pairs = sum(len(list(doc.sents)) for doc in docs), len(sentence_pairs(docs, spans_key=None).pairs)
    print(f"From raw text: {len(docs)} documents, {n_sentences} sentences, {BATCH_SIZE} documents a batch")
    sides = {"sentences, entities, relations": Side(partial(read, nlp, texts), n_sentences, n_pairs)}
    show(sides, take_turns(sides, options.rounds), compare=False)
    starts = {
        "import spacy, torch": "import spacy, torch",
        "import kgmrca; kgmrca.load()": "import kgmrca; kgmrca.load()",
    }
    processes = {
        name: Side(partial(subprocess.run, [sys.executable, "-c", code], check=True)) for name, code in starts.items()
    }
    for name, taken in take_turns(processes, options.rounds).items():
        print(f"A fresh process, {name}: {statistics.median(taken):.2f} s ({spread(taken, '.2f')})")


def read(nlp: Language, texts: Sequence[str]) -> None:
    """Run the whole pipeline."""
    for _ in nlp.pipe(texts, batch_size=BATCH_SIZE):
        pass


def sizes(nlp: Language, docs: Sequence[Doc], options: argparse.Namespace) -> None:
    """`mrca_relations` by batch size."""
    pipe = relation_pipe(nlp)[1]
    candidates = sentence_pairs(docs, spans_key=None)
    n_sentences, n_pairs = sum(len(list(doc.sents)) for doc in docs), len(candidates.pairs)
    print(
        f"The component by batch size: {len(docs)} documents, {n_sentences} sentences ({len(candidates.sentences)} "
        f"with a pair), {n_pairs} pairs, {len(pipe.labels)} labels"
    )
    sides = {
        f"{size} documents a batch": Side(partial(stream, pipe, docs, size), n_sentences, n_pairs)
        for size in sorted({min(size, len(docs)) for size in options.batch_sizes})
    }
    show(sides, take_turns(sides, options.rounds), compare=False)


def passes(nlp: Language, docs: Sequence[Doc], options: argparse.Namespace) -> None:
    """Encoded once against one pass per pair."""
    shipped = relation_pipe(nlp)[1]
    if options.data:
        sentences = found_sentences(docs, options.sentences)
    else:
        sentences = made_sentences(docs, options.sentences, types=shipped.label_data["types"])
    if not sentences:
        raise SystemExit(f"None of these documents has a sentence with exactly {N_ENTITIES} entities.")
    given = {"hidden_width": options.hidden_width, "pair_width": options.pair_width}
    once = fresh(nlp, sentences, "kgmrca.PairMRCA.v1", **{name: width for name, width in given.items() if width})
    hidden_width, pair_width = network_of(once).hidden_width, network_of(once).pair_width
    padded = fresh(nlp, sentences, "kgmrca.MRCA.v1", hidden_width=hidden_width)
    unpadded = fresh(nlp, sentences, "kgmrca.PairMRCA.v1", hidden_width=hidden_width, pair_width=pair_width)
    unpadded.pairs = one_pass_per_pair
    n_pairs = len(once.pairs(sentences, spans_key=None).pairs)
    print(
        f"Encoded once against one pass per pair: {len(sentences)} sentences of {N_ENTITIES} entities and "
        f"{statistics.mean(map(len, sentences)):.0f} tokens (mean), {n_pairs} pairs, {len(once.labels)} labels, "
        f"LSTM {hidden_width} and pairs {pair_width} wide"
    )
    if not options.data:
        print("(words of the demo corpus in a row, with stretches of one or two of them chosen for entities)")
    alone, whole = {}, {}
    for name, pipe in (
        ("encoded once", once),
        ("one pass per pair, 100 tokens each", padded),
        ("one pass per pair, not padded", unpadded),
    ):
        features = features_of(pipe, sentences, pipe.pairs(sentences, spans_key=None))
        alone[f"network: {name}"] = Side(partial(pipe.model.predict, features), len(sentences), n_pairs)
        whole[f"component: {name}"] = Side(partial(annotate, pipe, sentences), len(sentences), n_pairs)
    times = take_turns(alone | whole, options.rounds)
    show(alone, times)
    show(whole, times)


def through_spacy(nlp: Language, docs: Sequence[Doc], options: argparse.Namespace) -> None:
    """`nlp.pipe` against a component like that of spaCy's tutorial; sentences are those with a pair."""
    ours = fresh_pipeline(nlp, docs, "kgmrca.PairMRCA.v1")
    pipe = relation_pipe(ours)[1]
    by_value, by_row = (spacy.blank("en", vocab=nlp.vocab) for _ in range(2))
    for tutorial, row in ((by_value, False), (by_row, True)):
        tutorial.add_pipe("tutorial_relations", config={"labels": list(pipe.labels), "by_row": row})

    batches = [list(batch) for batch in minibatch(docs, BATCH_SIZE)]
    candidates = [pipe.pairs(batch, spans_key=None) for batch in batches]
    features = [features_of(pipe, *batch) for batch in zip(batches, candidates, strict=True)]
    predicted = [pipe.predict(batch) for batch in batches]
    n_sentences = sum(len(some.sentences) for some in candidates)
    n_pairs = sum(len(some.pairs) for some in candidates)

    def whole(pipeline: Language) -> Side:
        return Side(partial(stream, pipeline, docs, BATCH_SIZE), n_sentences, n_pairs)

    def step(do: Callable[..., object], *arguments: Sequence[Any]) -> Side:
        return Side(lambda: [do(*batch) for batch in zip(*arguments, strict=True)], n_sentences, n_pairs)

    ends = {
        "mrca_relations": whole(ours),
        "tutorial's, its dictionary value by value": whole(by_value),
        "tutorial's, its dictionary row by row": whole(by_row),
        "MRCA as published, once a sentence, network": published(nlp, batches[0], options.sentences),
    }
    models = {
        "mrca_relations, without annotations": step(pipe.predict, batches),
        "tutorial's, without annotations": step(by_row.get_pipe("tutorial_relations").predict, batches),
    }
    steps = {
        "pairs": step(partial(pipe.pairs, spans_key=None), batches),
        "features": step(partial(features_of, pipe), batches, candidates),
        "network": step(pipe.model.predict, features),
        "annotations": step(pipe.set_annotations, batches, predicted),
    }
    print(
        f"End to end through spaCy: {len(docs)} documents, {n_sentences} sentences (those with a pair), {n_pairs} "
        f"pairs, {len(pipe.labels)} labels, {BATCH_SIZE} documents a batch"
    )
    times = take_turns(ends | models | steps, options.rounds)
    show(ends, times)
    show(models, times)
    total = sum(statistics.median(times[name]) for name in steps)
    print(f"{'of mrca_relations':18} {'seconds':>8} {'lowest to highest':>20} {'share':>6}")
    for name in steps:
        median = statistics.median(times[name])
        print(f"{name:18} {median:>8.3f} {spread(times[name], '.3f'):>20} {median / total:>6.0%}")


def published(nlp: Language, docs: Sequence[Doc], n_sentences: int) -> Side:
    """The paper's network, 500 wide, on so many sentences: each read once, with all its entities in both roles."""
    pipe = fresh(nlp, docs[:1], "kgmrca.MRCA.v1", hidden_width=500)
    candidates = sentence_pairs(docs, spans_key=None)
    sentences = candidates.sentences[:n_sentences]
    spans = candidates.spans[candidates.spans[:, 0] < len(sentences)]
    instances = make_instances(
        docs, sentences, np.arange(len(sentences)), spans, spans, words=pipe.model.attrs["words"]
    )
    n_pairs = int((candidates.pairs[:, 0] < len(spans)).sum())
    return Side(partial(pipe.model.predict, instances), len(sentences), n_pairs)


def matmul(nlp: Language, docs: Sequence[Doc], options: argparse.Namespace) -> None:
    """The network's share of the machine's matrix product rate."""
    docs = docs[:BATCH_SIZE]
    pipe = fresh(nlp, docs, "kgmrca.PairMRCA.v1")
    features = features_of(pipe, docs, pipe.pairs(docs, spans_key=None))
    assert isinstance(features, Features)
    network = network_of(pipe)
    n_sentences, n_tokens = len(features.lengths), int(features.lengths.sum())
    lstm = network.encoder
    shapes = {
        "product of 1024 x 1024 x 1024": (1024, 1024, 1024),
        "product of inputs of all tokens": (n_tokens, lstm.input_size, 4 * lstm.hidden_size),
        "product of states of all sentences": (n_sentences, lstm.hidden_size, 4 * lstm.hidden_size),
    }
    sides, work = {}, {}
    for name, (rows, inner, columns) in shapes.items():
        product = partial(torch.mm, torch.randn(rows, inner), torch.randn(inner, columns))
        sides[name], work[name] = Side(product), rows * inner * columns
    sides["network"] = Side(partial(pipe.model.predict, features))
    work["network"] = multiply_adds(network, features)
    print(
        f"Share of the float32 matrix product rate: a batch of {len(docs)} documents, {n_sentences} sentences, "
        f"{n_tokens} tokens, {len(features.spans)} spans, {len(features.pairs)} pairs; LSTM {network.hidden_width} "
        f"and pairs {network.pair_width} wide: {work['network'] / 1e9:.2f} billion multiply-adds"
    )
    times = take_turns(sides, options.rounds)
    rates = {name: [2 * work[name] / taken / 1e9 for taken in times[name]] for name in sides}
    width = max(map(len, rates))
    print(f"{'':{width}} {'GFLOP/s':>8} {'lowest to highest':>20}  share of the first")
    first = next(iter(rates.values()))
    for name, rate in rates.items():
        shares = [one / other for one, other in zip(rate, first, strict=True)]
        share = f"{statistics.median(shares):.0%} ({spread(shares, '.0%')})"
        print(f"{name:{width}} {statistics.median(rate):>8,.1f} {spread(rate, ',.1f'):>20}  {share}")


PARTS = {"whole": whole, "sizes": sizes, "passes": passes, "spacy": through_spacy, "matmul": matmul}


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="gold Docs, made by `kgmrca corpus` (default: the demo corpus)")
    parser.add_argument("--docs", type=int, default=200, help="how many documents to score (default: 200)")
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=list(PARTS), help="tables to print (default: all)")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 32, 128, 500], help="documents a batch")
    parser.add_argument(
        "--sentences", type=int, default=40, help="how many the one-pass-per-pair and published networks read"
    )
    parser.add_argument(
        "--hidden-width", type=int, help="of the networks in `passes` (default: that of kgmrca.PairMRCA.v1)"
    )
    parser.add_argument(
        "--pair-width", type=int, help="of the networks in `passes` (default: that of kgmrca.PairMRCA.v1)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="torch threads (default: 2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    nlp = kgmrca.load()
    docs = load_docs(nlp, options.data, options.docs)
    print(f"{options.threads} threads, medians of {options.rounds} rounds")
    for part in options.parts:
        print()
        PARTS[part](nlp, docs, options)


if __name__ == "__main__":
    main()
