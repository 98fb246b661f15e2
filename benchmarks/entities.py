"""How well named entities are found, set by set, and how much the look of a text takes away.

    python benchmarks/entities.py --data DATA
    python benchmarks/entities.py --data DATA --pipeline en_kgmrca_sm
    python benchmarks/entities.py --data DATA --pipeline training/entities --split dev
    python benchmarks/entities.py --data DATA --texts

An entity counts if its span and its type are right (micro precision, recall, F1). The pipelines see the gold tokens of
each record and are not told which set it is from. Only types that a set annotates are judged; the mean is that of the
sets off Wikipedia. Types of a pipeline are read as `kgmrca.types.coarse_type` reads them.

--texts: the documents of Re-DocRED as raw texts, written in several ways, each with the F1 it gives as a share of that
of the plain text. There an entity is compared by its letters: white space and invisible characters are not counted.

--speed: sentences a second of the same texts' tokens, entities only, on as many threads as torch takes.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.corpora.annotated import read_annotated
from kgmrca.resources import ENTITIES, resource
from kgmrca.types import coarse_type

NAMES = frozenset({"PER", "ORG", "LOC"})
OURS = frozenset({"PER", "ORG", "LOC", "MISC", "TIME", "NUM"})


@dataclass(frozen=True, slots=True)
class Part:
    """A file to measure on, and the types that are judged there."""

    name: str
    file: str
    types: frozenset[str] = NAMES


PARTS = {
    "test": [
        Part("EWT test", "ner_uner_ewt/test.jsonl.gz"),
        Part("WNUT17 test", "ner_wnut17/test.jsonl.gz"),
        Part("BTC test", "ner_btc/test.jsonl.gz"),
        Part("GUM dev", "ner_gum/dev.jsonl.gz"),
        Part("LitBank dev", "ner_litbank/dev.jsonl.gz", NAMES - {"ORG"}),
    ],
    "dev": [
        Part("WNUT17 dev", "ner_wnut17/dev.jsonl.gz"),
        Part("BTC dev", "ner_btc/dev.jsonl.gz"),
    ],
}
WIKIPEDIA = {
    "test": Part("Re-DocRED test", "redocred/documents.test.jsonl.gz", OURS),
    "dev": Part("Re-DocRED dev", "redocred/documents.dev.jsonl.gz", OURS),
}

Spans = set[tuple[int, int, str]]


@dataclass
class Counts:
    """Entities that are right, predicted and there."""

    right: int = 0
    predicted: int = 0
    gold: int = 0

    def add(self, gold: Spans, predicted: Spans) -> None:
        """Count those of one text."""
        self.right += len(gold & predicted)
        self.predicted += len(predicted)
        self.gold += len(gold)

    @property
    def scores(self) -> tuple[float, float, float]:
        """Precision, recall and F1; 0 where there is nothing to divide by."""
        precision, recall = (self.right / max(part, 1) for part in (self.predicted, self.gold))
        return precision, recall, 2 * self.right / max(self.predicted + self.gold, 1)


def read(data: Path, part: Part, nlp: Language) -> list[Doc]:
    """The gold Docs of a part."""
    return list(read_annotated(data / part.file, nlp.vocab))


def without_annotation(doc: Doc) -> Doc:
    """A Doc of the same tokens that knows nothing else."""
    return Doc(doc.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])


def spans(doc: Doc, types: frozenset[str]) -> Spans:
    """The entities of the judged types, by tokens."""
    found = ((span.start, span.end, coarse_type(span.label_)) for span in doc.ents)
    return {span for span in found if span[2] in types}


def evaluate(nlp: Language, gold: Sequence[Doc], types: frozenset[str]) -> Counts:
    """Count what a pipeline finds in the tokens of gold Docs."""
    counts = Counts()
    for wanted, doc in zip(gold, nlp.pipe(map(without_annotation, gold)), strict=True):
        counts.add(spans(wanted, types), spans(doc, types))
    return counts


# Ways to write a text. What is visible stays the same in all of them.


def wrapped(text: str) -> str:
    """Lines of at most 40 characters."""
    return re.sub(r"(.{1,40})(?: |$)", r"\1\n", text)


def doubled(text: str) -> str:
    """Every tenth space is two."""
    choose = random.Random(0)
    return re.sub(" ", lambda _: "  " if choose.random() < 0.1 else " ", text)


WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "wrapped at 40 columns": wrapped,
    "10 % double spaces": doubled,
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "indented lines": lambda text: wrapped(text).replace("\n", "\n    "),
    "soft hyphens": lambda text: re.sub(r"(\w{4})(\w{3})", "\\1\u00ad\\2", text),
    "zero-width spaces": lambda text: re.sub(r"(?<=\w) ", "\u200b ", text),
    "typographic quotes": lambda text: re.sub(r"(?<=\w)'", "’", re.sub(r'"(?=\w)', "“", text)).replace('"', "”"),
    "capitals": str.upper,
    "lower case": str.lower,
}
_UNSEEN = re.compile("[\\s\u00ad\u200b]")


def letters(doc: Doc, types: frozenset[str]) -> Spans:
    """The entities of the judged types, by the visible characters of the text."""
    before, count = [0], 0
    for character in doc.text:
        count += not _UNSEEN.match(character)
        before.append(count)
    found = ((before[span.start_char], before[span.end_char], coarse_type(span.label_)) for span in doc.ents)
    return {span for span in found if span[2] in types}


def compare_ways(nlp: Language, gold: Sequence[Doc], types: frozenset[str]) -> Iterable[tuple[str, float, float]]:
    """For each way to write the gold Docs its name, F1, and F1 as a share of that of the plain text."""
    wanted = [letters(doc, types) for doc in gold]
    plain = 0.0
    for name, change in WAYS.items():
        counts = Counts()
        for doc, spans_ in zip(nlp.pipe(change(doc.text) for doc in gold), wanted, strict=True):
            counts.add(spans_, letters(doc, types))
        plain = plain or counts.scores[2]
        yield name, counts.scores[2], counts.scores[2] / max(plain, 1e-9)


def speed(nlp: Language, gold: Sequence[Doc]) -> float:
    """Sentences a second, the better of two runs."""
    sentences = sum(len(list(doc.sents)) for doc in gold)
    best = 0.0
    for _ in range(2):
        docs = [without_annotation(doc) for doc in gold]
        start = time.perf_counter()
        for _ in nlp.pipe(docs):
            pass
        best = max(best, sentences / (time.perf_counter() - start))
    return best


def entities_only(name: str) -> Language:
    """A pipeline, shipped or in a folder, without what comes behind the entities; or the recognizer that ships."""
    if name == ENTITIES:
        nlp = spacy.blank("en")
        nlp.add_pipe("mrca_entities")
        return nlp
    path = Path(name) if Path(name).is_dir() else resource(f"pipelines/{name}")
    return spacy.load(path, exclude=["mrca_relations"])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets")
    parser.add_argument("--pipeline", default=ENTITIES, help=f"a shipped pipeline, a folder, or {ENTITIES} (default)")
    parser.add_argument("--split", choices=("dev", "test"), default="test", help="which parts")
    parser.add_argument("--texts", action="store_true", help="the same texts written in several ways")
    parser.add_argument("--speed", action="store_true", help="sentences a second")
    options = parser.parse_args()
    nlp = entities_only(options.pipeline)
    wikipedia = WIKIPEDIA[options.split]
    if options.texts:
        for name, f1, share in compare_ways(nlp, read(options.data, wikipedia, nlp), wikipedia.types):
            print(f"{name:24}{f1:8.3f}{share:8.3f}")
    elif options.speed:
        print(f"{speed(nlp, read(options.data, wikipedia, nlp)):.0f} sentences/s")
    else:
        print(f"{'':16}{'P':>8}{'R':>8}{'F1':>8}")
        means = []
        for part in [*PARTS[options.split], wikipedia]:
            scores = evaluate(nlp, read(options.data, part, nlp), part.types).scores
            print(f"{part.name:16}" + "".join(f"{score:8.3f}" for score in scores))
            means += [scores[2]] if part is not wikipedia else []
        print(f"{'mean off Wikipedia':32}{sum(means) / len(means):8.3f}")


if __name__ == "__main__":
    main()
