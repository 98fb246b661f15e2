"""How many sentences and entity pairs a second the relation component scores, by batch size.

    python benchmarks/throughput.py                       # the demo corpus, with the entities the pipeline finds
    python benchmarks/throughput.py --data test.spacy     # gold entities, from a file made by `kgmrca corpus`

Measured is `mrca_relations` alone, on Docs whose entities and sentences are set, from Doc to `doc._.relations`. The
batch sizes take turns, so that a machine that slows down slows all of them down; printed are medians over the rounds.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else idle threads spin, and take the cores from each other

import torch
from spacy.tokens import Doc
from tqdm import tqdm

import kgmrca
from kgmrca.corpora.annotated import Corpus
from kgmrca.tagging.component import MRCARelations, relation_pipe
from kgmrca.tagging.pairs import make_sentence_pairs

DEMO = Path(__file__).parent.parent / "pipelines" / "demo" / "corpus"


def load_docs(data: Path | None, n_docs: int) -> tuple[list[Doc], MRCARelations]:
    """The Docs to score, repeated until there are `n_docs`, and the component."""
    nlp = kgmrca.load()
    name, pipe = relation_pipe(nlp)
    if data:
        docs = [example.predicted for example in Corpus(data)(nlp)]
    else:
        texts = [path.read_text(encoding="utf-8") for path in sorted(DEMO.glob("*.txt"))]
        docs = list(nlp.pipe(texts, disable=[name]))
    return [docs[index % len(docs)].copy() for index in range(n_docs)], pipe


def seconds(pipe: MRCARelations, docs: Iterable[Doc], batch_size: int) -> float:
    """The time to score the Docs."""
    start = time.perf_counter()
    for _ in pipe.pipe(docs, batch_size=batch_size):
        pass
    return time.perf_counter() - start


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="gold Docs, made by `kgmrca corpus` (default: the demo corpus)")
    parser.add_argument("--docs", type=int, default=500, help="how many documents to score (default: 500)")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 8, 32, 128, 500], help="documents a batch")
    parser.add_argument("--rounds", type=int, default=5, help="measurements a batch size (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="torch threads (default: 2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    docs, pipe = load_docs(options.data, options.docs)
    candidates = make_sentence_pairs()(docs, spans_key=None)
    n_sentences, n_pairs = sum(len(list(doc.sents)) for doc in docs), len(candidates.pairs)
    seconds(pipe, docs, 32)  # warm up: word table, memory
    times: dict[int, list[float]] = {size: [] for size in options.batch_sizes}
    for _ in tqdm(range(options.rounds), desc="rounds", disable=None):
        for size, taken in times.items():
            taken.append(seconds(pipe, docs, size))

    print(
        f"{len(docs)} documents, {n_sentences} sentences ({len(candidates.sentences)} with a pair), {n_pairs} pairs, "
        f"{len(pipe.labels)} labels, {options.threads} threads, median of {options.rounds}"
    )
    print(f"{'batch (documents)':>18} {'sentences/s':>12} {'pairs/s':>10} {'fastest to slowest':>20}")
    for size, taken in times.items():
        median = statistics.median(taken)
        spread = f"{min(taken):.2f} to {max(taken):.2f} s"
        print(f"{size:>18} {n_sentences / median:>12,.0f} {n_pairs / median:>10,.0f} {spread:>20}")


if __name__ == "__main__":
    main()
