"""The relations of Docs as `Statement` objects: subject, predicate, object, confidence, and where it was read."""

import math
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import chain, starmap
from pathlib import Path

from spacy.tokens import Doc, Span

from kgmrca.errors import InputError, ModelError
from kgmrca.ontology import WIKIDATA_ENTITY, Ontology, load_ontology, wikidata_predicate
from kgmrca.relations import get_plain_relations, make_relations
from kgmrca.triples.docs import Docs, document_iri, document_name, each_doc
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text, mention_iri
from kgmrca.triples.items import is_item_id
from kgmrca.triples.literals import typed_literal
from kgmrca.triples.records import Mention, Run, Statement, rounded, sentence_digest
from kgmrca.triples.sources import foreign_relations
from kgmrca.types import VALUE_LABELS

__all__ = ["statements"]


def statements(
    docs: Docs,
    *,
    document_id: str | int | None = None,
    base: str = DEFAULT_BASE,
    run: Run | None = None,
    ontology: Ontology | str | Path = "wikidata",
    source: str | None = None,
    threshold: float | None = None,
) -> Iterator[Statement]:
    """The relations of Docs as statements, in their order: an iterator, of which `list` makes a list.

    A subject or object is the Wikidata item that its span is linked to (`kb_id_`), else an entity of this document. An
    object of one of the `VALUE_LABELS` is a literal (see `typed_literal`). Subject and object are exchanged where the
    ontology's predicate runs the other way. A label unknown to the ontology gets a predicate under `base`, unless it is
    itself a Wikidata property such as "P19"; so does one that would have to be exchanged with a literal. Of two
    relations that say the same of the same mentions, the one with the higher score counts.

    Args:
        docs: a Doc with `doc._.relations`, or any number of them or of (Doc, id), as `nlp.pipe(..., as_tuples=True)`
            gives them. A Doc without an id is called by what its `user_data` has under "kgmrca.id", if it has that.
        document_id: the id of a single Doc. Id and text make the document's IRI (see `Iris.document`).
        base: an absolute IRI ending in "/" or ":", with which the IRIs of the graph's own nodes begin.
        run: what found the relations.
        ontology: which predicate stands for which label, or its name or file (see `load_ontology`).
        source: whose relations: None for those of `kgmrca.relations`, "glirel" for GLiREL's, "rebel" for REBEL's (which
            have no scores and count as 1), "spacy-rel" for those of spaCy's tutorial (see `kgmrca.triples.sources`).
        threshold: leave out relations with a lower score; None: 0.5 for "spacy-rel", which scores every label of every
            pair, as in the tutorial's configuration; else all count.

    Raises:
        ModelError: no component has set `doc._.relations`, or what the source's component sets.
        InputError: `docs`, `base` or `source` cannot be used, a score is not a number, the relations belong to another
            text, or those of the source are not as its component leaves them.

    >>> import spacy, kgmrca
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:1], doc[4:5], "place of birth", 0.9)]
    >>> [(one.predicate, one.confidence) for one in kgmrca.statements(doc)]
    [('http://www.wikidata.org/prop/direct/P19', Decimal('0.9'))]
    """
    Iris(base)  # refuse a bad base before any Doc is made
    if not isinstance(ontology, Ontology):
        ontology = load_ontology(ontology)
    of_doc = partial(_of_doc, base=base, run=run, ontology=ontology, source=source, threshold=threshold)
    named = each_doc(docs, document_id)
    if isinstance(docs, Doc):  # at once, such that its errors do not wait for the first statement
        return of_doc(*next(named))
    return chain.from_iterable(starmap(of_doc, named))


def _of_doc(
    doc: Doc,
    identifier: str | int | None,
    *,
    base: str,
    run: Run | None,
    ontology: Ontology,
    source: str | None,
    threshold: float | None,
) -> Iterator[Statement]:
    records = get_plain_relations(doc) if source is None else foreign_relations(doc, source)
    if records is None:
        raise ModelError(
            "No component set doc._.relations: use a pipeline with a relation component, such as "
            'nlp.add_pipe("mrca_relations"), or say whose they are, such as source="glirel". '
            "If Doc.from_docs made this Doc, use kgmrca.from_docs, which keeps the relations."
        )
    if threshold is None and source == "spacy-rel":
        threshold = 0.5
    if threshold is not None:
        records = [record for record in records if not record[-1] < threshold]  # NaN stays, and is refused below
    iris = Iris(base)
    document = document_iri(doc, document_name(doc, identifier), base)
    run_iri = run.iri(base) if run else None
    has_sentences = doc.has_annotation("SENT_START")
    found: dict[str, Statement] = {}
    for subject_span, object_span, label, score in make_relations(doc, records):
        predicate = ontology.predicate(label)
        if ontology.is_reversed(label):
            if object_span.label_ in VALUE_LABELS:
                predicate = None
            else:
                subject_span, object_span = object_span, subject_span
        predicate = predicate or wikidata_predicate(label) or iris.relation(label)
        subject_mention, object_mention = _mention(document, subject_span), _mention(document, object_span)
        subject = _resource(iris, document, subject_span)
        is_literal = object_mention.type in VALUE_LABELS
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
    if is_item_id(span.kb_id_):
        return WIKIDATA_ENTITY + span.kb_id_
    return iris.entity(document, span.text)


def _confidence(score: float) -> Decimal:
    if math.isnan(score):
        raise InputError("The score of a relation is not a number (NaN).")
    return rounded(Decimal(min(max(score, 0.0), 1.0)))
