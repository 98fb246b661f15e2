"""What a Doc says, as `Statement` records: subject, predicate, object, how sure, and where it was read."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal

from spacy.tokens import Doc, Span

from kgmrca.errors import InputError, ModelError
from kgmrca.ontology import WIKIDATA_ENTITY, Ontology, load_ontology, wikidata_predicate
from kgmrca.relations import get_relations
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text, mention_iri
from kgmrca.triples.literals import typed_literal
from kgmrca.triples.records import Mention, Run, Statement, sentence_digest

__all__ = ["LITERAL_TYPES", "statements"]

LITERAL_TYPES = frozenset({"CARDINAL", "DATE", "MONEY", "NUM", "ORDINAL", "PERCENT", "QUANTITY", "TIME"})
"""Entity types whose mentions, as objects, are values and not things."""


def statements(
    doc: Doc,
    *,
    document_id: str,
    base: str = DEFAULT_BASE,
    run: Run | None = None,
    ontology: Ontology | None = None,
) -> Iterator[Statement]:
    """The relations of a Doc as statements, in their order.

    A subject or object is the Wikidata item that its span is linked to (`kb_id_`), else an entity of this document. An
    object of one of the `LITERAL_TYPES` is a literal (see `typed_literal`). A label unknown to the ontology gets a
    predicate under `base`, unless it is itself a Wikidata property such as "P19". Of two relations that say the same of
    the same mentions, the one with the higher score counts.

    Args:
        doc: a Doc with `doc._.relations`.
        document_id: what the document is called, unique in the graph.
        base: an absolute IRI ending in "/" or ":", with which all IRIs begin that are made here.
        run: what found the relations.
        ontology: which predicate stands for which label; the one that ships if None.

    Raises:
        ModelError: no component has set `doc._.relations`.
        InputError: `base` cannot be used, a score is not a number, or the relations belong to another text.
    """
    relations = get_relations(doc)
    if relations is None:
        raise ModelError(
            "No component set doc._.relations: use a pipeline with a relation component, such as "
            'nlp.add_pipe("mrca_relations").'
        )
    iris = Iris(base)
    ontology = ontology or load_ontology()
    document = iris.document(document_id)
    run_iri = run.iri(base) if run else None
    has_sentences = doc.has_annotation("SENT_START")
    found: dict[str, Statement] = {}
    for subject_span, object_span, label, score in relations:
        subject_mention, object_mention = _mention(document, subject_span), _mention(document, object_span)
        subject = _resource(iris, document, subject_span)
        predicate = ontology.predicate(label) or wikidata_predicate(label) or iris.relation(label)
        is_literal = object_mention.type in LITERAL_TYPES
        if is_literal:
            value, datatype = typed_literal(object_mention.text, object_mention.type)
        else:
            value, datatype = _resource(iris, document, object_span), None
        kind = datatype or ("literal" if is_literal else "iri")
        iri = iris.statement(subject, predicate, kind, value, subject_mention.iri, object_mention.iri)
        confidence = _confidence(score)
        if iri in found and found[iri].confidence >= confidence:
            continue
        sentence = _mention(document, subject_span.sent) if has_sentences else None
        found[iri] = Statement(
            iri=iri,
            subject=subject,
            predicate=predicate,
            object=value,
            object_is_literal=is_literal,
            object_datatype=datatype,
            label=clean_text(label),
            confidence=confidence,
            document=document,
            subject_mention=subject_mention,
            object_mention=object_mention,
            sentence=sentence,
            sentence_digest=sentence_digest(sentence.text) if sentence else None,
            run=run_iri,
        )
    return iter(found.values())


def _mention(document: str, span: Span) -> Mention:
    start, end = span.start_char, span.end_char
    return Mention(mention_iri(document, start, end), start, end, clean_text(span.text), clean_text(span.label_))


def _resource(iris: Iris, document: str, span: Span) -> str:
    if re.fullmatch(r"Q[1-9][0-9]*", span.kb_id_):
        return WIKIDATA_ENTITY + span.kb_id_
    return iris.entity(document, span.text)


def _confidence(score: float) -> Decimal:
    if math.isnan(score):
        raise InputError("The score of a relation is not a number (NaN).")
    rounded = Decimal(min(max(score, 0.0), 1.0)).quantize(Decimal("0.0001"))
    # Canonical (XSD 1.1, part 2, section 3.3.3): no trailing zeros, no exponent. Stores would rewrite any other form.
    return Decimal(format(rounded.normalize(), "f"))
