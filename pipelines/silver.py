"""Let a teacher say what the gold documents leave open: entities that are not marked, relations that are not labelled.

    python silver.py teacher wiki80.spacy knowledgenet.spacy wikigold.spacy -o silver.spacy

The teacher is a pipeline with `ner`, a `tagger` of entity types and `mrca_relations`.
What the data says stays: its mentions, its relations, and that a relation it is annotated with
exhaustively does not hold.
All else gets what the teacher thinks: its entities, and its score for each relation it holds possible, which is what a
student then learns from (`MRCARelations.get_loss`).

The type of a mention is what the teacher says of its words where the data marks some entities only, does not type it or
types it as MISC; else TERM if they are in lower case; else what the teacher most often says of mentions in that place
of that relation; else MISC. In data that marks some entities only, words that are a TERM elsewhere are left open for
the recognizer.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import spacy
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.util import filter_spans
from tqdm import tqdm

from kgmrca.corpora.annotated import ENTITIES, EXHAUSTIVE, UNTYPED, exhaustively_annotated, read_gold
from kgmrca.extraction.entities.types_from_tags import type_of
from kgmrca.extraction.relations.component import relation_pipe
from kgmrca.relations import get_records, set_records
from kgmrca.types import coarse_type

LEAST = 0.02
"""The score from which the teacher's relations are kept: below it they count as "no"."""


class Teacher:
    """Gives gold Docs the teacher's entities and relations."""

    def __init__(self, nlp: Language) -> None:
        name, self.relations = relation_pipe(nlp)
        self.relations.threshold = LEAST
        self.vocab = nlp.vocab
        nlp.disable_pipe(name)
        self.entities = nlp

    def __call__(self, path: Path) -> Iterator[Doc]:
        """The Docs of a file, with all that the teacher adds."""
        gold = list(read_gold(path, self.vocab))
        scored = self.relations.pipe(self.find_entities(gold, path.name), batch_size=64)
        for given, doc in zip(gold, tqdm(scored, total=len(gold), desc=f"{path.name}, relations"), strict=True):
            set_records(doc, relations(given, doc))
            yield doc

    def find_entities(self, gold: Sequence[Doc], name: str) -> list[Doc]:
        """Docs of the same words with the gold entities and the teacher's; `name` is shown beside the progress bar."""
        blank = [
            Doc(
                self.vocab,
                words=[token.text for token in doc],
                spaces=[bool(token.whitespace_) for token in doc],
                sent_starts=[token.is_sent_start for token in doc],
            )
            for doc in gold
        ]
        read = list(tqdm(self.entities.pipe(blank, batch_size=64), total=len(blank), desc=f"{name}, entities"))
        types = {coarse_type(span.label_) for doc in gold for span in doc.ents} - {UNTYPED}
        places = typical_types(gold, read)
        docs = [merge(given, doc, types=types, places=places) for given, doc in zip(gold, read, strict=True)]
        terms = {span.text.casefold() for doc in docs for span in doc.ents if span.label_ == "TERM"}
        for given, doc in zip(gold, docs, strict=True):
            if is_partial(given):
                leave_open(doc, terms)
        return docs


def is_partial(doc: Doc) -> bool:
    """Whether a gold Doc has some of its entities only."""
    return any(token.ent_iob == 0 for token in doc)


def typical_types(gold: Sequence[Doc], read: Sequence[Doc]) -> dict[tuple[str, int], str]:
    """What the teacher most often says of the mentions in a place of a relation: (label, 0 or 1) -> type."""
    counts: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for given, doc in zip(gold, read, strict=True):
        for label, place, start, end in arguments(given):
            counts[label, place][type_of(doc.char_span(start, end, alignment_mode="expand"))] += 1
    for found in counts.values():
        del found[""]
    return {key: found.most_common(1)[0][0] for key, found in counts.items() if found}


def arguments(given: Doc) -> Iterator[tuple[str, int, int, int]]:
    """Label, place (0: subject, 1: object), first and last character of what the gold relations relate."""
    for a, b, c, d, label, _ in get_records(given) or ():
        yield label, 0, a, b
        yield label, 1, c, d


def merge(given: Doc, doc: Doc, *, types: set[str], places: Mapping[tuple[str, int], str]) -> Doc:
    """The teacher's Doc with the entities of the gold one, and those of the teacher that are compatible with them."""
    place_of = {(start, end): (label, place) for label, place, start, end in arguments(given)}
    kept = []
    for span in given.ents:
        kind = coarse_type(span.label_)
        if span.text.lower() in STOP_WORDS and not span.text.isupper():  # a pronoun, but not "US"
            continue
        if is_partial(given) or kind in (UNTYPED, "MISC"):
            in_lower_case = span.text == span.text.lower() and not any(map(str.isdigit, span.text))
            kind = (
                type_of(doc[span.start : span.end])
                or ("TERM" if in_lower_case else "")
                or places.get(place_of.get((span.start_char, span.end_char), ("", 0)), "MISC")
            )
        kept.append(Span(doc, span.start, span.end, label=kind, kb_id=span.kb_id_))
    # Of a type that complete data marks, the teacher has nothing to add.
    closed = set() if is_partial(given) else types
    added = [span for span in doc.ents if span.label_ not in closed]
    taken = {token for span in kept for token in range(span.start, span.end)}
    doc.set_ents(filter_spans(kept) + [span for span in added if taken.isdisjoint(range(span.start, span.end))])
    doc.user_data.update({key: value for key, value in given.user_data.items() if key != EXHAUSTIVE})
    return doc


def leave_open(doc: Doc, terms: set[str]) -> None:
    """Mark the words as unknown that are a TERM elsewhere and no entity here."""
    longest = 4
    taken = {token for span in doc.ents for token in range(span.start, span.end)}
    open_ = [
        doc[start:end]
        for start in range(len(doc))
        for end in range(start + 1, min(start + longest, len(doc)) + 1)
        if doc[start:end].text.casefold() in terms and taken.isdisjoint(range(start, end))
    ]
    doc.set_ents(list(doc.ents), missing=filter_spans(open_), default="outside")


def relations(given: Doc, doc: Doc) -> list[tuple[int, int, int, int, str, float]]:
    """The gold relations, and the teacher's of which the gold Doc says nothing."""
    gold = get_records(given) or []
    places = {(span.start_char, span.end_char) for span in given.spans[ENTITIES]}
    complete = exhaustively_annotated(given)
    said = {record[:5] for record in gold}
    rest = [
        record
        for record in get_records(doc) or ()
        if record[:5] not in said
        and not (record[:2] in places and record[2:4] in places and (complete is None or record[4] in complete))
    ]
    return gold + rest


def main() -> None:
    """Annotate from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", help="a pipeline with ner, tagger and mrca_relations")
    parser.add_argument("inputs", nargs="+", type=Path, metavar="FILE", help="gold documents (.spacy)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .spacy file to write")
    options = parser.parse_args()
    annotate(Teacher(spacy.load(options.teacher)), options.inputs, options.output)


def annotate(teacher: Teacher, inputs: Iterable[Path], output: Path) -> None:
    """Write the Docs of the inputs, with what the teacher adds."""
    silver = DocBin(store_user_data=True)
    for path in inputs:
        for doc in teacher(path):
            silver.add(doc)
    silver.to_disk(output)
    print(f"{len(silver):,} documents -> {output}")


if __name__ == "__main__":
    main()
