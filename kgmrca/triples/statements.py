"""What a Doc says, as `Statement` records: subject, predicate, object, how sure, and where it was read."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from kgmrca import __version__
from kgmrca.errors import InputError, ModelError
from kgmrca.ontology import WIKIDATA_ENTITY, Ontology, load_ontology, wikidata_predicate
from kgmrca.relations import get_relations
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text, mention_iri
from kgmrca.triples.literals import typed_literal

__all__ = ["LITERAL_TYPES", "Mention", "Run", "Statement", "statements"]

LITERAL_TYPES = frozenset({"CARDINAL", "DATE", "MONEY", "NUM", "ORDINAL", "PERCENT", "QUANTITY", "TIME"})
"""Entity types whose mentions, as objects, are values and not things."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a document's text.

    Attributes:
        iri: the document's IRI with the fragment `char=start,end` (RFC 5147).
        start, end: in code points from the document's start; the end is exclusive.
        text: what stands there, fit for a literal.
        type: the entity type, such as "PERSON"; "" if it has none.
    """

    iri: str
    start: int
    end: int
    text: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One relation between two mentions, in the terms of RDF.

    Attributes:
        iri: made of all the rest but `label`, `confidence` and `run`, so a statement found again is the same one.
        subject, predicate: IRIs.
        object: an IRI, or the lexical form of a literal if `object_is_literal`.
        object_datatype: the IRI of the literal's datatype; None for plain text, or if the object is an IRI.
        label: the relation's name on the Doc.
        confidence: the score, from 0 to 1 with at most four decimals, in the canonical form of xsd:decimal.
        document: the IRI of the document.
        sentence: the one in which the subject stands; None if the Doc has no sentence boundaries.
        run: the IRI of the run that found it, or None.
    """

    iri: str
    subject: str
    predicate: str
    object: str
    object_is_literal: bool
    object_datatype: str | None
    label: str
    confidence: Decimal
    document: str
    subject_mention: Mention
    object_mention: Mention
    sentence: Mention | None
    run: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """What decides which statements a run makes: software, pipeline and parameters.

    Two runs that agree in these have the same IRI, whenever and on whatever they ran.
    """

    model: str
    model_version: str
    model_digest: str
    parameters: str
    software_version: str = __version__

    @classmethod
    def of(cls, nlp: Language, *, parameters: Mapping[str, Any] | None = None) -> "Run":
        """The run of a pipeline with parameters (anything JSON can hold).

        The digest covers the pipeline's configuration, and the weights of those components that have a method
        `digest() -> str`; for the others the pipeline's name and version have to do.
        """
        digests = [[name, pipe.digest()] for name, pipe in nlp.pipeline if hasattr(pipe, "digest")]
        content = json.dumps([nlp.config.to_str(), digests])
        return cls(
            model=f"{nlp.meta['lang']}_{nlp.meta['name']}",
            model_version=nlp.meta["version"],
            model_digest=hashlib.sha256(content.encode("ascii")).hexdigest(),
            parameters=json.dumps(dict(parameters or {}), sort_keys=True),
        )

    def iri(self, base: str = DEFAULT_BASE) -> str:
        """The run's IRI in the graph with this base."""
        return Iris(base).run(self.software_version, self.model, self.model_version, self.model_digest, self.parameters)


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
            sentence=_mention(document, subject_span.sent) if has_sentences else None,
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
