"""How well it is found out who is who: GUM, LitBank, GAP, Re-DocRED.

    python benchmarks/coreference.py --data DATA
    python benchmarks/coreference.py --data DATA --pipeline build/coreference --split test

The first scores the weights that ship, the second those of a training.

The names are the gold ones (in GAP the two that are asked about, and beside them those that a recognizer finds), so
what is measured is the component `coreference` alone. With --raw the pipeline finds the names of GUM and LitBank.

pronouns: he, she, it, they and their other forms. Precision: of those that are given a name, how many mean it; recall:
of those that mean a name, how many are given it.
names: of all pairs of names of a document that are put together, how many mean the same; and the reverse.
Re-DocRED: names only; its pronouns are not annotated. The rules were made on nine tenths of its development split.
GAP: its own scoring. Of each of the two names it is asked whether the pronoun means it: precision, recall and F1 of
"yes", those of masculine and feminine pronouns, and the ratio of these two F1 (feminine by masculine: the bias).
GAP, two names: the same where the text has these two names only.
"""

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.corpora.annotated import read_annotated
from kgmrca.corpora.coreference import GAP, read_clustered, read_gap
from kgmrca.extraction.coreference.clusters import is_cluster
from kgmrca.extraction.coreference.features import pronoun_group
from kgmrca.resources import SHIPPED, resource

Mention = tuple[int, int]


@dataclass
class Counts:
    """What is right, what is predicted, what is there."""

    right: int = 0
    predicted: int = 0
    gold: int = 0

    def __str__(self) -> str:
        precision, recall = (self.right / max(part, 1) for part in (self.predicted, self.gold))
        return f"{precision:8.3f}{recall:8.3f}{self.f1:8.3f}{self.gold:8,}"

    @property
    def f1(self) -> float:
        """0 where there is nothing to divide by."""
        return 2 * self.right / max(self.predicted + self.gold, 1)


def clusters(doc: Doc) -> list[set[Mention]]:
    """The clusters on a Doc, as spans of tokens."""
    return [{(span.start, span.end) for span in group} for key, group in doc.spans.items() if is_cluster(key)]


def without_clusters(doc: Doc, *, names: bool) -> Doc:
    """A Doc of the same tokens, with or without its entities."""
    plain = Doc(doc.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
    if names:
        plain.set_ents([plain.char_span(span.start_char, span.end_char, label=span.label_) for span in doc.ents])
    return plain


def pronouns(gold: Doc, read: Doc, counts: dict[str, Counts]) -> None:
    """Count the pronouns of a document, all together and by their kinds."""
    wanted, found = clusters(gold), clusters(read)
    names, read_names = ({(span.start, span.end) for span in doc.ents} for doc in (gold, read))
    inside = {token for start, end in names for token in range(start, end)}
    for token in gold:
        group = pronoun_group(token.text)
        if not group or token.i in inside:
            continue
        here = (token.i, token.i + 1)
        right = {name for cluster in wanted if here in cluster for name in cluster & names}
        given = {name for cluster in found if here in cluster for name in cluster & read_names}
        for key in ("all", group):
            one = counts.setdefault(key, Counts())
            one.predicted += bool(given)
            one.gold += bool(right)
            one.right += bool(given & right)


def names(gold: Doc, read: Doc, counts: Counts) -> None:
    """Count the pairs of names of a document."""
    known = {(span.start, span.end) for span in gold.ents}
    wanted, found = (
        {pair for cluster in clusters(doc) for pair in combinations(sorted(cluster & known), 2)} for doc in (gold, read)
    )
    counts.right += len(wanted & found)
    counts.predicted += len(found)
    counts.gold += len(wanted)


def print_clustered(title: str, nlp: Language, gold: Sequence[Doc], *, raw: bool) -> None:
    """Print the rows of a set in which all pronouns are annotated."""
    by_kind: dict[str, Counts] = {}
    of_names = Counts()
    for wanted, read in zip(gold, nlp.pipe(without_clusters(doc, names=not raw) for doc in gold), strict=True):
        pronouns(wanted, read, by_kind)
        names(wanted, read, of_names)
    for key, counts in by_kind.items():
        print(f"{title + ', pronouns' + (f' ({key})' if key != 'all' else ''):36}{counts}", flush=True)
    print(f"{title + ', names':36}{of_names}", flush=True)


def print_names(title: str, nlp: Language, gold: Sequence[Doc]) -> None:
    """Print the row of a set whose pronouns are not annotated."""
    counts = Counts()
    for wanted, read in zip(gold, nlp.pipe(without_clusters(doc, names=True) for doc in gold), strict=True):
        names(wanted, read, counts)
    print(f"{title + ', names':36}{counts}", flush=True)


def print_gap(title: str, nlp: Language, gold: Sequence[Doc], given: Iterable[Doc]) -> None:
    """Print the rows of GAP; `given` are the Docs that are read."""
    counts = {"all": Counts(), "masculine": Counts(), "feminine": Counts()}
    for wanted, read in zip(gold, nlp.pipe(given), strict=True):
        pronoun, *both = wanted.spans[GAP]
        right = {number for number, name in enumerate(both) if any_cluster(wanted, pronoun, name)}
        said = {number for number, name in enumerate(both) if any_cluster(read, pronoun, name)}
        gender = "feminine" if pronoun_group(pronoun.text) == "she" else "masculine"
        for key in ("all", gender):
            counts[key].right += len(right & said)
            counts[key].predicted += len(said)
            counts[key].gold += len(right)
    for key, one in counts.items():
        print(f"{title + ('' if key == 'all' else ', ' + key):36}{one}")
    print(f"{title + ', bias':36}{'':16}{counts['feminine'].f1 / max(counts['masculine'].f1, 1e-9):8.3f}", flush=True)


def any_cluster(doc: Doc, pronoun: object, name: object) -> bool:
    """Whether a pronoun and a name are in one cluster."""
    one, other = ((span.start, span.end) for span in (pronoun, name))  # type: ignore[attr-defined]
    return any(one in cluster and other in cluster for cluster in clusters(doc))


def load(name: str, **options: list[str]) -> Language:
    """A pipeline, shipped or in a folder."""
    path = Path(name) if Path(name).is_dir() else resource(f"pipelines/{name}")
    return spacy.load(path, **options)


def load_scored(name: str, *, alone: bool) -> Language:
    """The pipeline that is scored, without relations, and of it the component `coreference` alone where asked for."""
    nlp = load(name, exclude=["mrca_relations"])
    if "coreference" not in nlp.pipe_names:
        nlp.add_pipe("coreference")
    for other in [other for other in nlp.pipe_names if alone and other != "coreference"]:
        nlp.remove_pipe(other)
    return nlp


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    parser.add_argument(
        "--pipeline",
        default=SHIPPED,
        help="a pipeline, shipped or in a folder; if it has no `coreference`, the shipped one is added",
    )
    parser.add_argument("--recognizer", help="a pipeline that finds the other names of GAP; if none, `mrca_entities`")
    parser.add_argument(
        "--split", choices=("dev", "test"), default="dev", help="of GAP and Re-DocRED; the others have dev only"
    )
    parser.add_argument("--threshold", type=float, help="another than the stored one")
    parser.add_argument("--raw", action="store_true", help="the pipeline finds the names of GUM and LitBank itself")
    options = parser.parse_args()
    alone = load_scored(options.pipeline, alone=True)
    only = load_scored(options.pipeline, alone=False) if options.raw else alone
    if options.threshold is not None:
        for nlp in (alone, only):
            nlp.get_pipe("coreference").threshold = options.threshold
    if options.recognizer:
        recognizer = load(options.recognizer, exclude=["mrca_relations", "coreference"])
    else:
        recognizer = spacy.blank("en")
        recognizer.add_pipe("mrca_entities")
    data = options.data
    gum = list(read_clustered(data / "coref_gum/dev.jsonl.gz", only.vocab, names=data / "ner_gum/dev.jsonl.gz"))
    novels = list(read_clustered(data / "coref_litbank/dev.jsonl.gz", only.vocab))
    gap = list(read_gap(data / f"coref_gap/{'test_a' if options.split == 'test' else 'dev'}.jsonl.gz", recognizer))
    print(f"{'':36}{'P':>8}{'R':>8}{'F1':>8}{'gold':>8}")
    print_clustered("GUM dev", only, gum, raw=options.raw)
    print_clustered("LitBank dev", only, novels, raw=options.raw)
    documents = read_annotated(data / f"redocred/documents.{options.split}.jsonl.gz", alone.vocab)
    print_names(f"Re-DocRED {options.split}", alone, list(documents))
    two = [without_clusters(doc, names=True) for doc in gap]
    print_gap(f"GAP {options.split}, two names", alone, gap, two)
    print_gap(f"GAP {options.split}", alone, gap, recognizer.pipe(without_clusters(doc, names=True) for doc in gap))
    docs = [without_clusters(doc, names=True) for doc in [*gum, *novels]]
    start = time.process_time()
    for _ in alone.pipe(docs):
        pass
    print(f"{sum(map(len, docs)) / (time.process_time() - start):,.0f} tokens a second of CPU time")


if __name__ == "__main__":
    main()
