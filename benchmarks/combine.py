"""Measure how certain a fact is that was read several times, and how often two documents mean the same by a name.

    python benchmarks/combine.py --data DATA

DATA has `redocred/documents.{dev,test}.jsonl.gz` with `redocred/relations.tsv`, `wiki80/` and `fewrel_val/`. The
shipped pipeline scores relations between the gold entities of the test documents of Re-DocRED. A fact is true if it is
annotated in the document, or in one of its documents. For each document, the score of the best sentence is taken. The
scores of several documents are combined with a weight for all but the best: with 0 the result is the maximum, with 1 it
is noisy-or, which assumes that they are independent.

The facts are divided into two halves by hash. The weight is chosen on the first half and evaluated on the second.
"""

import argparse
import gzip
import json
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from training import command

import kgmrca
from kgmrca.corpora.annotated import hash_share, read_annotated, relation_labels
from kgmrca.relations import get_relations, set_relations
from kgmrca.types import coarse_type

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
THRESHOLDS = ("balanced", "complete")


class Reading(NamedTuple):
    """A fact that was read in one sentence of a document; entities are names without white space and case."""

    document: str
    sentence: int
    fact: tuple[str, str, str]
    score: float
    is_true: bool


class Several(NamedTuple):
    """The scores of a fact that was read several times."""

    name: str
    scores: list[float]
    is_true: bool


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the folder of the data")
    options = parser.parse_args()
    nlp = kgmrca.load()
    points = nlp.get_pipe("mrca_relations").operating_points
    readings = list(read(nlp, options.data / "redocred", threshold=points["complete"]))
    for name in THRESHOLDS:
        kept = [reading for reading in readings if reading.score >= points[name]]
        print(f"\nScores from '{name}' ({points[name]:.3f}) on")
        print_losses("sentences of one document", within_documents(kept))
        print_losses("documents", across_documents(kept))
    print_names(options.data)


def read(nlp: Any, folder: Path, *, threshold: float) -> Iterator[Reading]:
    """All relations that the pipeline finds between gold entities, true and false ones."""
    pipe = nlp.get_pipe("mrca_relations")
    pipe.threshold, pipe.scope = threshold, "sentence"  # the other scope gives a fact once a document
    path = folder / "documents.test.jsonl.gz"
    labels = relation_labels(path)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for record, doc in zip(map(json.loads, lines), read_annotated(path, nlp.vocab, labels=labels), strict=True):
            names: dict[str, set[int]] = defaultdict(set)
            for number, mentions in enumerate(record["vertexSet"]):
                for mention in mentions:
                    names[plain(mention["name"])].add(number)
            entities = [plain(mentions[0]["name"]) for mentions in record["vertexSet"]]
            true = {(fact["h"], labels[fact["r"]].label, fact["t"]) for fact in record["labels"]}  # type: ignore[union-attr]
            set_relations(doc, None)
            for relation in get_relations(pipe(doc)) or ():
                ends = [names[plain(span.text)] for span in relation[:2]]
                if all(len(end) == 1 for end in ends):
                    subject, object_ = (next(iter(end)) for end in ends)
                    fact = (entities[subject], relation.label, entities[object_])
                    is_true = (subject, relation.label, object_) in true
                    yield Reading(record["title"], relation.subject.sent.start, fact, relation.score, is_true)


def plain(name: str) -> str:
    """A name without case and white space, which differ between the released tokens and the text made of them."""
    return "".join(name.casefold().split())


def within_documents(readings: Sequence[Reading]) -> list[Several]:
    """Facts that were read in several sentences of one document; of each sentence the best score is taken."""
    found: dict[tuple[Any, ...], dict[int, Reading]] = defaultdict(dict)
    for reading in readings:
        key = (reading.document, *reading.fact)
        sentences = found[key]
        if reading.score > sentences.get(reading.sentence, reading._replace(score=-1)).score:
            sentences[reading.sentence] = reading
    return several({key: list(sentences.values()) for key, sentences in found.items()})


def across_documents(readings: Sequence[Reading]) -> list[Several]:
    """Facts that were read in several documents, by the names of their entities, with the best score in each."""
    found: dict[tuple[Any, ...], dict[str, Reading]] = defaultdict(dict)
    for reading in readings:
        documents = found[reading.fact]
        if reading.score > documents.get(reading.document, reading._replace(score=-1)).score:
            documents[reading.document] = reading
    return several({key: list(documents.values()) for key, documents in found.items()})


def several(found: Mapping[tuple[Any, ...], Sequence[Reading]]) -> list[Several]:
    """Facts with more than one reading; a fact is true if one of its readings is."""
    return [
        Several(json.dumps(key), sorted(one.score for one in some), any(one.is_true for one in some))
        for key, some in found.items()
        if len(some) > 1
    ]


def together(scores: Sequence[float], weight: float | None) -> float:
    """The score of a fact from the scores of its readings in ascending order; with the weight None, their mean."""
    if weight is None:
        return statistics.fmean(scores)
    doubt = 1 - scores[-1]
    for score in scores[:-1]:
        doubt *= (1 - score) ** weight
    return 1 - doubt


def print_losses(of_what: str, facts: Sequence[Several]) -> None:
    """Log loss and Brier score (mean squared error) of the scores."""
    halves = [[fact for fact in facts if (hash_share(fact.name) < 0.5) == is_first] for is_first in (True, False)]
    shares = ", ".join(f"{len(half)} ({statistics.fmean(fact.is_true for fact in half):.0%} true)" for half in halves)
    print(f"\n{f'Several {of_what}: facts a half':<56} {shares}")
    print(f"{'':<24} {'log loss':>16} {'Brier':>16} {'mean score':>16}")
    for weight in (*WEIGHTS, None):
        rows = []
        for half in halves:
            pairs = [(min(max(together(fact.scores, weight), 1e-4), 1 - 1e-4), fact.is_true) for fact in half]
            loss = statistics.fmean(-math.log(score if is_true else 1 - score) for score, is_true in pairs)
            brier = statistics.fmean((score - is_true) ** 2 for score, is_true in pairs)
            rows.append((loss, brier, statistics.fmean(score for score, _ in pairs)))
        cells = (" ".join(f"{value:>7.3f}" for value in column).rjust(16) for column in zip(*rows, strict=True))
        print(f"{'mean' if weight is None else f'weight {weight}':<24} {' '.join(cells)}")


def print_names(data: Path) -> None:
    """How often two sentences that use one name mean the same Wikidata item, by type and length of the name."""
    items: dict[tuple[str, bool, str], Counter[str]] = defaultdict(Counter)
    for part in ("wiki80/train", "wiki80/dev", "fewrel_val/dev"):
        with gzip.open(data / f"{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                for entity in record["entities"]:
                    if "qid" in entity:
                        name = " ".join(entity["text"].casefold().split())
                        type_ = coarse_type(entity["type"]) if entity["type"] else "no type"
                        items[type_, " " in name, name][entity["qid"]] += 1
    counts: dict[tuple[str, bool], list[int]] = defaultdict(lambda: [0, 0])
    for (type_, is_long, _), some in items.items():
        counts[type_, is_long][0] += sum(math.comb(count, 2) for count in some.values())
        counts[type_, is_long][1] += math.comb(some.total(), 2)
    print(f"\n{'Same name, same item':<24} {'one word':>22} {'several words':>22}")
    for type_ in sorted({type_ for type_, _ in counts}):
        cells = (
            f"{same / pairs:.3f} of {pairs:,}" if pairs else "-"
            for same, pairs in map(tuple, (counts[type_, False], counts[type_, True]))
        )
        print(f"{type_:<24} {' '.join(cell.rjust(22) for cell in cells)}")


if __name__ == "__main__":
    command(main)
