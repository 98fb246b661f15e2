"""Put gold documents of several files into one to train on, without what is held out.

    python mix.py redocred.spacy*3 wiki80.spacy -o train.spacy --without dev.spacy test.spacy

A file with `*3` counts three times. A document is left out if one of its sentences is in a held-out file as well (case
and punctuation aside): Wikipedia's sentences turn up in several data sets.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from tqdm import tqdm

from kgmrca.corpora.annotated import read_gold


def sentences(doc: Doc) -> list[str]:
    """The sentences of a Doc, without what may differ between two copies."""
    return ["".join(filter(str.isalnum, sent.text.casefold())) for sent in doc.sents]


def mix(inputs: Iterable[tuple[Path, int]], held_out: Iterable[Path], output: Path) -> tuple[int, int]:
    """Write the Docs of the inputs, each so many times, to `output`; returns how many were taken and left out."""
    vocab = Vocab()
    known = {
        text
        for path in held_out
        for doc in read_gold(path, vocab)
        for text in sentences(doc)
        if len(text) > 20  # shorter ones are alike by chance
    }
    taken = left_out = 0
    mixed = DocBin(store_user_data=True)
    for path, times in inputs:
        for doc in tqdm(read_gold(path, vocab), desc=path.name, unit="doc", disable=None):
            if known.isdisjoint(sentences(doc)):
                taken += times
                for _ in range(times):
                    mixed.add(doc)
            else:
                left_out += times
    mixed.to_disk(output)
    return taken, left_out


def _weighted(text: str) -> tuple[Path, int]:
    path, _, times = text.partition("*")
    return Path(path), int(times or 1)


def main() -> None:
    """Mix from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", type=_weighted, metavar="FILE[*N]", help="gold documents, and how often")
    parser.add_argument("--without", nargs="*", type=Path, default=[], metavar="FILE", help="what is held out")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .spacy file to write")
    options = parser.parse_args()
    taken, left_out = mix(options.inputs, options.without, options.output)
    print(f"{taken:,} documents -> {options.output}; {left_out:,} left out, because they are held out elsewhere")


if __name__ == "__main__":
    main()
