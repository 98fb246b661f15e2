"""The spaCy component `entities_from_tags`: entities from the tags that spaCy's `tagger` learned them as.

A transformer learns tags ("B-PER", "I-PER", "O"; `kgmrca.Corpus.v1` with `entity_tags`) in a tenth of the steps that
spaCy's transition-based recognizer needs over it.
"""

from spacy.language import Language
from spacy.tokens import Doc, Span

__all__ = ["entities_from_tags"]


@Language.component("entities_from_tags", requires=["token.tag"], assigns=["doc.ents"])
def entities_from_tags(doc: Doc) -> Doc:
    """Set `doc.ents` from `token.tag_`; an entity begins where the tag says so, or where another type goes on."""
    found: list[tuple[int, int, str]] = []
    before = ""
    for token in doc:
        mark, _, kind = token.tag_.partition("-")
        if kind and mark == "I" and kind == before:
            found[-1] = (found[-1][0], token.i + 1, kind)
        elif kind:
            found.append((token.i, token.i + 1, kind))
        before = kind
    doc.set_ents([Span(doc, start, end, label=kind) for start, end, kind in found])
    return doc
