"""Mix the gold documents of several files into one file for training, without documents that are held out.

    python mix.py redocred.spacy*3 wiki80.spacy -o train.spacy --without dev.spacy test.spacy --min-examples 20

Relations with fewer than `--min-examples` gold examples are left out and listed; each example is counted once. The
documents of a file with `*3` are written three times. A document is left out if one of its sentences is also in a
held-out file, regardless of case and punctuation: sentences of Wikipedia occur in several data sets.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from kgmrca.corpora.annotated import read_gold
from kgmrca.progress import progress_bar
from kgmrca.relations import get_plain_relations, set_plain_relations


def sentences(doc: Doc) -> list[str]:
    """The sentences of a Doc without case, spaces and punctuation, in which copies may differ."""
    return ["".join(filter(str.isalnum, sent.text.casefold())) for sent in doc.sents]


@dataclass
class Mixed:
    """The numbers of documents that were written and left out, and of examples of rare relations."""

    taken: int = 0
    held_out: int = 0
    rare: Counter[str] = field(default_factory=Counter)


def mix(inputs: Sequence[tuple[Path, int]], held_out: Iterable[Path], output: Path, *, min_examples: int = 0) -> Mixed:
    """Write the Docs of the inputs to `output`, each as many times as is given for its file."""
    vocab = Vocab()
    known = {
        text
        for path in held_out
        for doc in read_gold(path, vocab)
        for text in sentences(doc)
        if len(text) > 20  # shorter ones are alike by chance
    }
    counts: Counter[str] = Counter()
    kept: list[tuple[Doc, int]] = []
    done = Mixed()
    for path, times in inputs:
        for doc in progress_bar(None, iterable=read_gold(path, vocab), desc=path.name, unit=" documents"):
            if known.isdisjoint(sentences(doc)):
                kept.append((doc, times))
                for *_, label, score in get_plain_relations(doc) or ():
                    counts[label] += score == 1
            else:
                done.held_out += times
    mixed = DocBin(store_user_data=True)
    for doc, times in kept:
        set_plain_relations(
            doc, [relation for relation in get_plain_relations(doc) or () if counts[relation[4]] >= min_examples]
        )
        done.taken += times
        for _ in range(times):
            mixed.add(doc)
    mixed.to_disk(output)
    done.rare.update({label: count for label, count in counts.items() if count < min_examples})
    return done


def _weighted(text: str) -> tuple[Path, int]:
    path, _, times = text.partition("*")
    return Path(path), int(times or 1)


def main() -> None:
    """Mix from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", type=_weighted, metavar="FILE[*N]", help="gold documents, and how often")
    parser.add_argument("--without", nargs="*", type=Path, default=[], metavar="FILE", help="what is held out")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .spacy file to write")
    parser.add_argument(
        "--min-examples", type=int, default=0, metavar="N", help="leave out relations with fewer examples"
    )
    options = parser.parse_args()
    done = mix(options.inputs, options.without, options.output, min_examples=options.min_examples)
    print(f"{done.taken:,} documents -> {options.output}; {done.held_out:,} left out as held out")
    if done.rare:
        rare = ", ".join(f"{label} ({count})" for label, count in done.rare.most_common())
        print(f"{len(done.rare)} relations left out, because they are too rare: {rare}")


if __name__ == "__main__":
    main()
