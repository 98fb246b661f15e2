"""The spaCy component `types_from_tags`: the types of entities, from tags that a transformer learned.

Over a small table of words, spaCy's transition-based recognizer is good at where an entity begins and ends, and less
good at its type. A `tagger` over a transformer that learned entities as tags ("B-PER", "I-PER", "O"; `kgmrca.Corpus.v1`
with `entity_tags`) is better at types than at boundaries. This component takes each from the one that is better at it.
"""

from collections import Counter
from collections.abc import Iterable

from spacy.language import Language
from spacy.tokens import Doc, Span

__all__ = ["most_frequent", "type_of", "types_from_tags"]


@Language.component("types_from_tags", requires=["doc.ents", "token.tag"], assigns=["doc.ents"])
def types_from_tags(doc: Doc) -> Doc:
    """Give each entity the type that most of its tokens are tagged with; one without any keeps its own."""
    doc.set_ents(
        [
            Span(doc, span.start, span.end, type_of(span) or span.label_, kb_id=span.kb_id, span_id=span.id)
            for span in doc.ents
        ],
        default="unmodified",
    )
    return doc


def type_of(span: Span) -> str:
    """The type that most tokens of a span are tagged with ("PER" of "B-PER"), the first of several; "" without any."""
    return most_frequent(token.tag_.partition("-")[2] for token in span)


def most_frequent(types: Iterable[str]) -> str:
    """The type that is there most often, the first of several; "" without any.

    >>> most_frequent(["PER", "", "LOC", "LOC"])
    'LOC'
    """
    found = Counter(filter(None, types)).most_common(1)
    return found[0][0] if found else ""
