"""Give gold entities the types that a recognizer predicts for them, with its mistakes.

    python retype.py ner/model-best relations.spacy -o retyped.spacy

The relation component sees such types when it is used in a pipeline. Trained on these Docs in addition to the gold
ones, it learns how reliable a type is.

The new type of an entity is the most frequent one among those of its words that the recognizer finds in any entity. An
entity of which it finds no word keeps its type. Other entities that the recognizer finds are added, without relations.
"""

import argparse
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from kgmrca.corpora.annotated import read_gold
from kgmrca.extraction.entities.types_from_tags import most_frequent
from kgmrca.progress import progress_bar


def retype(nlp: Language, path: Path, output: Path) -> None:
    """Write the Docs of a file with the types that the pipeline's recognizer gives."""
    retyped = DocBin(store_user_data=True)
    gold = list(read_gold(path, nlp.vocab))
    blank = (
        Doc(nlp.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
        for doc in gold
    )
    bar = progress_bar(None, iterable=nlp.pipe(blank, batch_size=64), total=len(gold), desc=path.name)
    for given, doc in zip(gold, bar, strict=True):
        found = [token.ent_type_ for token in doc]
        taken = {token.i for span in given.ents for token in span}
        beside = [span for span in doc.ents if taken.isdisjoint(range(span.start, span.end))]
        given.set_ents(
            [
                Span(given, span.start, span.end, label=most_frequent(found[span.start : span.end]) or span.label_)
                for span in (*given.ents, *beside)
            ]
        )
        retyped.add(given)
    retyped.to_disk(output)
    print(f"{len(retyped):,} documents -> {output}")


def main() -> None:
    """Retype from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recognizer", help="a pipeline with ner")
    parser.add_argument("input", type=Path, metavar="FILE", help="gold documents (.spacy)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .spacy file to write")
    options = parser.parse_args()
    retype(spacy.load(options.recognizer), options.input, options.output)


if __name__ == "__main__":
    main()
