"""Counts which sentences a pipeline reads wrongly that are hard to read: denied, planned, reported, merely together.

    python benchmarks/hard_sentences.py [--pipeline en_kgmrca_sm] [--threshold precise] [--show]

`hard_sentences.tsv` has the sentences, with what must not come out and what must. A fact is `subject > label > object`;
`*` stands for any label, in either direction, and `a|b` for one of these labels. In the column "wrong", `*` alone means
that nothing may come out, and `pairs` that nothing may come out of other pairs than those in "right" (lists, in which
it is not asked whether the right pairs come out, but counted). Nothing is trained on these sentences.
"""

import argparse
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

import kgmrca

__all__ = ["Counts", "count", "main", "read"]

SENTENCES = Path(__file__).with_name("hard_sentences.tsv")
Fact = tuple[str, frozenset[str], str]
"""Subject, labels (one of them; none: any), object."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with what must not and what must come out."""

    kind: str
    text: str
    wrong: tuple[Fact, ...]
    right: tuple[Fact, ...]
    rest_is_wrong: bool


@dataclass(slots=True)
class Counts:
    """What was counted of the sentences of one kind."""

    sentences: int = 0
    read_wrongly: int = 0
    facts: int = 0
    found: int = 0
    shown: list[str] = field(default_factory=list)


def read(path: Path = SENTENCES) -> list[Sentence]:
    """Read the table of sentences."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Sentence(
            row["kind"],
            row["text"],
            tuple(_facts(row["wrong"])),
            tuple(_facts(row["right"])),
            row["wrong"].strip() in ("*", "pairs"),
        )
        for row in rows
    ]


def _facts(column: str) -> Iterator[Fact]:
    for fact in column.split(" ; "):
        if ">" in fact:
            subject, label, object_ = (part.strip() for part in fact.split(" > "))
            yield subject, frozenset() if label == "*" else frozenset(label.split("|")), object_


def count(nlp: Language, sentences: Sequence[Sentence]) -> dict[str, Counts]:
    """What a pipeline gives for the sentences, by the first word of their kinds."""
    counts: dict[str, Counts] = {}
    for sentence, doc in zip(sentences, nlp.pipe(sentence.text for sentence in sentences), strict=True):
        of_kind = counts.setdefault(sentence.kind.partition(":")[0], Counts())
        given = [(_names(doc, subject), label, _names(doc, object_)) for subject, object_, label, _ in doc._.relations]
        of_kind.sentences += 1
        of_kind.facts += len(sentence.right)
        missed = [fact for fact in sentence.right if not any(_states(one, fact) for one in given)]
        of_kind.found += len(sentence.right) - len(missed)
        wrong = [one for one in given if any(_states(one, fact) for fact in sentence.wrong)]
        if sentence.rest_is_wrong:
            wrong += [one for one in given if not any(_pairs(one, fact) for fact in sentence.right)]
        of_kind.read_wrongly += bool(wrong)
        of_kind.shown += [f"{sentence.text}\n    wrong: {_shown(one)}" for one in wrong]
        of_kind.shown += [
            f"{sentence.text}\n    missed: {s} > {'|'.join(sorted(labels)) or '*'} > {o}" for s, labels, o in missed
        ]
    return counts


Given = tuple[list[str], str, list[str]]


def _names(doc: Doc, span: Span) -> list[str]:
    """All names of the entity of a mention."""
    entity = next((entity for entity in doc._.entities if span in entity.mentions), None)
    return [mention.text for mention in entity.mentions] if entity else [span.text]


def _shown(given: Given) -> str:
    return " > ".join((given[0][0], given[1], given[2][0]))


def _states(given: Given, fact: Fact) -> bool:
    subjects, label, objects = given
    if not fact[1]:
        return _pairs(given, fact)
    return label in fact[1] and _is(subjects, fact[0]) and _is(objects, fact[2])


def _pairs(given: Given, fact: Fact) -> bool:
    subjects, _, objects = given
    straight = _is(subjects, fact[0]) and _is(objects, fact[2])
    return straight or (_is(subjects, fact[2]) and _is(objects, fact[0]))


def _is(names: Sequence[str], wanted: str) -> bool:
    """Whether one of the names is what is wanted, or has its words, or some of them."""
    return any(re.search(rf"\b{re.escape(a)}\b", b) for name in names for a, b in ((name, wanted), (wanted, name)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a script."""
    parser = argparse.ArgumentParser(description="Count hard sentences that a pipeline reads wrongly.")
    parser.add_argument("--pipeline", help="a folder or a package; the shipped pipeline, if not given")
    parser.add_argument("--threshold", default="precise", help="a number, or the name of an operating point")
    parser.add_argument("--show", action="store_true", help="print what is wrong and what is missed")
    options = parser.parse_args(arguments)
    try:
        threshold: float | str = float(options.threshold)
    except ValueError:
        threshold = options.threshold
    counts = count(kgmrca.load(options.pipeline, threshold=threshold), read())
    print(f"{'kind':10} {'sentences':>9} {'read wrongly':>12} {'facts':>6} {'found':>6}")
    for kind, one in counts.items():
        print(f"{kind:10} {one.sentences:9} {one.read_wrongly:12} {one.facts:6} {one.found:6}")
        if options.show:
            print(*one.shown, sep="\n")


if __name__ == "__main__":
    main()
