"""Add the predictions of a teacher to gold documents, for entities and relations that are not annotated there.

    python silver.py teacher wiki80.spacy knowledgenet.spacy wikigold.spacy -o silver.spacy

The teacher is a pipeline with `ner`, a `tagger` of entity types and `mrca_relations`.
The annotations of the data are kept: its mentions, its relations, and the negative examples of relations that are
annotated exhaustively. To these are added the entities of the teacher, and its score for each other relation. A student
learns from these scores (`MRCARelations.get_loss`).

A mention gets another type if only some entities are marked in the data, or if its type is MISC or missing there. The
first of these that exists is taken: the type that the teacher gives to its words; TERM if it is in lower case; the type
that the teacher gives most often to mentions in the same place of the same relation; MISC. If only some entities are
marked, words that are a TERM elsewhere are marked as unknown for the recognizer.
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

from kgmrca.corpora.annotated import ENTITIES, EXHAUSTIVE, UNTYPED, exhaustively_annotated, read_gold
from kgmrca.extraction.entities.types_from_tags import type_of
from kgmrca.extraction.relations.component import relation_pipe
from kgmrca.progress import progress_bar
from kgmrca.relations import get_plain_relations, set_plain_relations
from kgmrca.types import coarse_type

THRESHOLD = 0.02
"""The score from which the relations of the teacher are kept. Below it, they are negative examples."""


class Teacher:
    """Adds the entities and relations of the teacher to gold Docs."""

    def __init__(self, nlp: Language) -> None:
        name, self.relations = relation_pipe(nlp)
        self.relations.threshold = THRESHOLD
        self.vocab = nlp.vocab
        nlp.disable_pipe(name)
        self.entities = nlp

    def __call__(self, path: Path) -> Iterator[Doc]:
        """The Docs of a file with the entities and relations of the teacher."""
        gold = list(read_gold(path, self.vocab))
        scored = self.relations.pipe(self.find_entities(gold, path.name), batch_size=64)
        bar = progress_bar(None, iterable=scored, total=len(gold), desc=f"{path.name}, relations")
        for given, doc in zip(gold, bar, strict=True):
            set_plain_relations(doc, relations(given, doc))
            yield doc

    def find_entities(self, gold: Sequence[Doc], name: str) -> list[Doc]:
        """Docs of the same words with the gold entities and those of the teacher; `name` is shown with the progress."""
        blank = [
            Doc(
                self.vocab,
                words=[token.text for token in doc],
                spaces=[bool(token.whitespace_) for token in doc],
                sent_starts=[token.is_sent_start for token in doc],
            )
            for doc in gold
        ]
        read = list(
            progress_bar(
                None, iterable=self.entities.pipe(blank, batch_size=64), total=len(blank), desc=f"{name}, entities"
            )
        )
        types = {coarse_type(span.label_) for doc in gold for span in doc.ents} - {UNTYPED}
        places = typical_types(gold, read)
        docs = [merge(given, doc, types=types, places=places) for given, doc in zip(gold, read, strict=True)]
        terms = {span.text.casefold() for doc in docs for span in doc.ents if span.label_ == "TERM"}
        for given, doc in zip(gold, docs, strict=True):
            if is_partial(given):
                leave_open(doc, terms)
        return docs


def is_partial(doc: Doc) -> bool:
    """Whether only some entities are marked in a gold Doc."""
    return any(token.ent_iob == 0 for token in doc)


def typical_types(gold: Sequence[Doc], read: Sequence[Doc]) -> dict[tuple[str, int], str]:
    """The most frequent type by the teacher of the mentions in a place of a relation: (label, 0 or 1) -> type."""
    counts: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for given, doc in zip(gold, read, strict=True):
        for label, place, start, end in arguments(given):
            counts[label, place][type_of(doc.char_span(start, end, alignment_mode="expand"))] += 1
    for found in counts.values():
        del found[""]
    return {key: found.most_common(1)[0][0] for key, found in counts.items() if found}


def arguments(given: Doc) -> Iterator[tuple[str, int, int, int]]:
    """Label, place (0: subject, 1: object), start and end in characters of each argument of the gold relations."""
    for a, b, c, d, label, _ in get_plain_relations(given) or ():
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
    # If all entities of a type are marked, those of the teacher are not added.
    closed = set() if is_partial(given) else types
    added = [span for span in doc.ents if span.label_ not in closed]
    taken = {token for span in kept for token in range(span.start, span.end)}
    doc.set_ents(filter_spans(kept) + [span for span in added if taken.isdisjoint(range(span.start, span.end))])
    doc.user_data.update({key: value for key, value in given.user_data.items() if key != EXHAUSTIVE})
    return doc


def leave_open(doc: Doc, terms: set[str]) -> None:
    """Mark words as unknown that are a TERM elsewhere and are no entity here."""
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
    """The gold relations, and those of the teacher that are neither positive nor negative examples in the gold Doc."""
    gold = get_plain_relations(given) or []
    places = {(span.start_char, span.end_char) for span in given.spans[ENTITIES]}
    exhaustive = exhaustively_annotated(given)
    positive = {relation[:5] for relation in gold}
    rest = [
        relation
        for relation in get_plain_relations(doc) or ()
        if relation[:5] not in positive
        and not (
            relation[:2] in places and relation[2:4] in places and (exhaustive is None or relation[4] in exhaustive)
        )
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
