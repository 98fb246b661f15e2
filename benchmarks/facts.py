"""How well facts are read from texts, set by set, and what of it the look of a text, time and space take away.

    python benchmarks/facts.py --gold build/pipeline
    python benchmarks/facts.py --gold build/pipeline --pipeline build/pipeline/raw --rows documents knowledgenet
    python benchmarks/facts.py --gold build/pipeline --rows speed --against ../kgmrca-before

--gold is a folder of gold documents as the step `corpus` of `pipelines/project.yml` makes it. What is held out is the
part that is held out there. All rows are printed unless --rows names some:

documents     Re-DocRED, test split: facts of documents, with gold entities and clusters, and from raw text.
held-out      The same on the held-out documents of Re-DocRED.
sentences     Re-DocRED, test split: mention pairs of a sentence, with gold entities and from raw text.
knowledgenet  The held-out part of KnowledgeNet's train, from raw text; what is judged are its exhaustive properties. A
              second block leaves out of the gold facts those of entities that a text names by a pronoun only ("He is
              the chairman of ..."), because such an entity has no name to put into a graph.
demo          The demo's statements at "precise", as they were judged one by one (`pipelines/demo/judged.tsv`). Those
              that nobody has judged are listed. Judge them, and add them to the table.
texts         Documents of Re-DocRED's test split as raw text, written in several ways: F1 of their facts, and that as a
              share of the F1 of the plain text.
speed         Words a second from raw text to relations, of the demo's texts. --against names the root of another
              checkout of this repository, with a pipeline and a virtual environment (.venv) of its own; the two take
              turns.
size          Bytes on disk of the pipeline, and of what it needs beside it.

Each of the first four has precision, recall and F1 from raw text at each operating point, and the calibration error of
scores from 0.05 on, beside what it would be by chance if the scores were the very probabilities. How facts are matched
says `kgmrca.extraction.relations.matching`. Other commands: `entities.py`, `coreference.py`, `hard_sentences.py`,
`text2kg.py`, `memory.py`.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from entities import doubled, wrapped
from spacy.language import Language
from spacy.tokens import Doc, DocBin

import kgmrca
from kgmrca.corpora.annotated import ENTITIES, read_gold
from kgmrca.extraction.relations.calibration import reliability
from kgmrca.extraction.relations.matching import mentions_of, place_of
from kgmrca.extraction.relations.scorer import NO_RECOGNIZER, Scores, evaluate
from kgmrca.relations import get_plain_relations, set_plain_relations
from kgmrca.resources import SHIPPED, resource

DEMO = Path(__file__).parent.parent / "pipelines" / "demo"
PRONOUN = re.compile(
    "he|him|his|himself|she|hers?|herself|it|its|itself|they|them|theirs?|themselves|who|whom|whose|which|that|where|"
    "i|me|my|mine|we|us|ours?|you|yours?",
    re.IGNORECASE,
)
WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "wrapped at 40 columns": wrapped,
    "10 % double spaces": doubled,
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
}


# Facts.


def print_scores(title: str, scores: Scores) -> None:
    """Print the relations of `evaluate`."""
    print(f"\n{title}: {scores['documents']:,} documents")
    for name, scored in scores.items():
        if not name.startswith("relations, "):
            continue
        label = name.removeprefix("relations, ")
        if scored == NO_RECOGNIZER:
            print(f"  {label:26}{scored}")
            continue
        p, r, f = (f"{scored[key]:8.3f}" if scored[key] is not None else f"{'-':>8}" for key in "prf")
        more = f"  without seen facts {scored['unseen']['f']:.3f}" if "unseen" in scored else ""
        if label in ("gold entities", "end to end") and scored["calibration_error"] is not None:
            more += f"  calibration error {scored['calibration_error']:.3f}"
            more += f" (by chance {scored['calibration_error_by_chance']:.3f})"
        print(f"  {label:26}{p}{r}{f}{more}", flush=True)


def with_names(gold: Iterable[Doc]) -> Iterator[Doc]:
    """Gold Docs without entities that have no mention but pronouns, and without their relations."""
    for doc in gold:
        mentions = mentions_of(doc)
        named = {
            place
            for places in mentions.values()
            if any(not PRONOUN.fullmatch(doc.text[start:end]) for start, end in places)
            for place in places
        }
        relations = get_plain_relations(doc) or ()
        set_plain_relations(doc, [one for one in relations if {one[:2], one[2:4]} <= named])
        doc.set_ents([ent for ent in doc.ents if place_of(ent) in named])
        for key in list(doc.spans):
            kept = [span for span in doc.spans[key] if place_of(span) in named]
            if kept or key == ENTITIES:
                doc.spans[key] = kept
            else:
                del doc.spans[key]
        yield doc


def print_knowledgenet(nlp: Language, path: Path) -> None:
    """Print the scores on KnowledgeNet, with all facts and with those between names."""
    print_scores("KnowledgeNet, held-out part", evaluate(nlp, path, level="document", resamples=1))
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / "named.spacy"
        DocBin(docs=with_names(read_gold(path, nlp.vocab)), store_user_data=True).to_disk(named)
        scores = evaluate(nlp, named, level="document", resamples=1)
    print_scores("KnowledgeNet, held-out part, entities with names", scores)


def print_ways(nlp: Language, path: Path, n_docs: int) -> None:
    """Print F1 of facts by the way a text is written."""
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / "some.spacy"
        gold = [doc for doc, _ in zip(read_gold(path, nlp.vocab), range(n_docs), strict=False)]
        DocBin(docs=gold, store_user_data=True).to_disk(some)
        print(f"\nRe-DocRED test as it may be written: {len(gold)} documents, facts from raw text")
        plain = 0.0
        for name, write in WAYS.items():
            f1 = evaluate(_Rewriting(nlp, write), some, level="document", resamples=1)["relations, end to end"]["f"]
            plain = plain or f1
            print(f"  {name:26}{f1:8.3f}{f1 / max(plain, 1e-9):8.3f}", flush=True)


class _Rewriting:
    """A pipeline that gets its texts in another spelling. Its answers are put back to the places in the plain text."""

    def __init__(self, nlp: Language, write: Callable[[str], str]) -> None:
        self._nlp, self._write = nlp, write

    def __getattr__(self, name: str) -> object:
        return getattr(self._nlp, name)

    def pipe(self, texts: Iterable[str], **options: object) -> Iterator[Doc]:
        """Docs of the plain texts."""
        plain = list(texts)
        for text, read in zip(plain, self._nlp.pipe(map(self._write, plain), **options), strict=True):
            yield plain_doc(self._nlp, text, read)


def plain_doc(nlp: Language, text: str, read: Doc) -> Doc:
    """A Doc of the plain text with what was read of the text in another spelling, by visible characters."""
    before, count = [0], 0
    for character in read.text:
        count += not character.isspace()
        before.append(count)
    places = [place for place, character in enumerate(text) if not character.isspace()]

    def place(start: int, end: int) -> tuple[int, int]:
        return places[before[start]], places[before[end] - 1] + 1

    doc = nlp.make_doc(text)

    def spans(some: Iterable[object]) -> list[object]:
        moved = (
            doc.char_span(*place(span.start_char, span.end_char), label=span.label_, alignment_mode="expand")  # type: ignore[attr-defined]
            for span in some
        )
        return [span for span in moved if span is not None]

    doc.set_ents(spans(read.ents))
    for key, group in read.spans.items():
        doc.spans[key] = spans(group)
    relations = get_plain_relations(read) or ()
    set_plain_relations(doc, [(*place(a, b), *place(c, d), label, score) for a, b, c, d, label, score in relations])
    return doc


# The demo.


def print_demo(nlp: Language) -> None:
    """Print how many of the demo's statements are true, and which nobody has judged."""
    with (DEMO / "judged.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        judged = {tuple(row[:4]): row[4] for row in rows if len(row) == 5}
    scores: list[float] = []
    right: list[bool] = []
    unjudged = []
    for path in sorted((DEMO / "corpus").glob("*.txt")):
        doc = nlp(path.read_text(encoding="utf-8"))
        names = {mention: entity.name for entity in doc._.entities for mention in map(place_of, entity.mentions)}
        said = {
            (path.name, *(names.get(place_of(end), " ".join(end.text.split())) for end in one[:2]), one.label): one
            for one in doc._.relations
        }
        for (document, subject, object_, label), relation in sorted(said.items()):
            # Judged is a statement by the names of the entities, or by those of the mentions that it was read from.
            own = tuple(" ".join(end.text.split()) for end in relation[:2])
            keys = ((document, subject, label, object_), (document, own[0], label, own[1]))
            answer = next((judged[key] for key in keys if key in judged), None)
            if answer is None:
                unjudged.append(keys[0])
            else:
                scores.append(relation.score)
                right.append(answer == "yes")
    print(f"\nThe demo's statements: {len(right) + len(unjudged)}, of which {len(right)} are judged")
    print(f"  {'precision':26}{sum(right) / max(len(right), 1):8.3f}")
    print(f"  {'calibration error':26}{reliability(np.array(scores), np.array(right, bool)).error:8.3f}")
    for row in unjudged:
        print("  not judged:", *row, sep="\t")


# Time and space.

TIMED = """
import os, sys, time
from pathlib import Path
import torch
torch.set_num_threads(int(sys.argv[3]))
import kgmrca
nlp = kgmrca.load(sys.argv[1] or None, threshold="precise")
texts = [path.read_text(encoding="utf-8") for path in sorted(Path(sys.argv[2]).glob("*.txt"))] * 5
list(nlp.pipe(texts[:10]))
start = time.perf_counter()
docs = list(nlp.pipe(texts))
print(sum(len(doc.text.split()) for doc in docs) / (time.perf_counter() - start))
"""


def speed(root: Path, pipeline: str, threads: int) -> float:
    """Words a second of a checkout's pipeline, in a process and the virtual environment (`.venv`) of its own."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_WAIT_POLICY": "passive"}
    # Not of this one: spaCy finds components by what is installed.
    own = root / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    command = [python, "-c", TIMED, pipeline, str(DEMO / "corpus"), str(threads)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def print_speed(pipeline: str, against: Path | None, rounds: int, threads: int) -> None:
    """Print words a second, of one pipeline or of two that take turns."""
    here = Path(__file__).parent.parent
    path = str(Path(pipeline).resolve()) if Path(pipeline).is_dir() else ""
    print(f"\nWords a second from raw text, {threads} threads, median of {rounds} rounds")
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        rates.setdefault("this", []).append(speed(here, path, threads))
        if against:
            rates.setdefault("the other", []).append(speed(against.resolve(), "", threads))
    middle = {name: sorted(values)[len(values) // 2] for name, values in rates.items()}
    for name, values in rates.items():
        print(f"  {name:26}{middle[name]:8.0f}  ({min(values):.0f} to {max(values):.0f})")
    if against:
        print(f"  {'times as fast':26}{middle['this'] / middle['the other']:8.2f}")


def print_size(pipeline: str) -> None:
    """Print the bytes of the pipeline and of the shipped resources."""
    print("\nMB on disk")
    place = Path(pipeline) if Path(pipeline).is_dir() else resource(f"pipelines/{pipeline}")
    folders = [place, *sorted(path for path in resource("pipelines").iterdir() if path.name.endswith("_en_sm"))]
    sizes = {path.name: sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) for path in folders}
    for name, size in [*sizes.items(), ("together", sum(sizes.values()))]:
        print(f"  {name:26}{size / 1e6:8.1f}")


ROWS = ("documents", "held-out", "sentences", "knowledgenet", "demo", "texts", "speed", "size")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, help="the folder with gold documents; needed for all but the last rows")
    parser.add_argument("--pipeline", default=SHIPPED, help="a shipped pipeline (default: en_kgmrca_sm) or a folder")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, help="which (default: all)")
    parser.add_argument("--docs", type=int, default=200, help="documents of the row texts (default: 200)")
    parser.add_argument("--against", type=Path, help="another checkout to compare the speed with")
    parser.add_argument("--rounds", type=int, default=5, help="of the row speed (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="of the row speed (default: 2)")
    options = parser.parse_args()
    nlp = kgmrca.load(options.pipeline)
    if not options.gold and (needed := set(options.rows) - {"demo", "speed", "size"}):
        parser.error(f"--gold is needed for {', '.join(sorted(needed))}")
    gold, rows = options.gold, options.rows
    train, test = (gold and gold / f"redocred{part}.spacy" for part in ("", ".test"))
    if "documents" in rows:
        scores = evaluate(nlp, test, level="document", seen=[train], resamples=1)
        print_scores("Re-DocRED test, facts of documents", scores)
    if "held-out" in rows:
        scores = evaluate(nlp, gold / "redocred.dev.spacy", level="document", seen=[train], resamples=1)
        print_scores("Re-DocRED held-out, facts of documents", scores)
    if "sentences" in rows:
        scores = evaluate(nlp, test, level="sentence", resamples=1)
        print_scores("Re-DocRED test, mention pairs of a sentence", scores)
    if "knowledgenet" in rows:
        print_knowledgenet(nlp, gold / "knowledgenet.dev.spacy")
    if "texts" in rows:
        print_ways(nlp, test, options.docs)
    if "demo" in rows:
        print_demo(kgmrca.load(options.pipeline, threshold="precise"))
    if "speed" in rows:
        print_speed(options.pipeline, options.against, options.rounds, options.threads)
    if "size" in rows:
        print_size(options.pipeline)


if __name__ == "__main__":
    main()
