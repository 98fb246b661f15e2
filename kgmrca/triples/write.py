"""Statements as a stream of triples, in constant memory.

Where a statement was read and how sure it is can be written in several forms (`formats.PROVENANCE`, shown one by one
in `ontologies/README.md`); the default is by `rdf:Statement` (RDF Schema 1.1, section 5.3). Documents and runs are
described with PROV-O; the remaining terms are those of `ontologies/kgmrca.ttl`. There are no blank nodes, so files can
be merged line by line.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.errors import InputError
from kgmrca.terms import (
    DCTERMS,
    DECIMAL,
    DECISION,
    DERIVED_FROM,
    ENTITY_TYPE,
    GENERATED_BY,
    KGMRCA,
    LABEL,
    MENTION,
    NAMESAKE,
    OBJECT,
    OTHER_NAME,
    PREDICATE,
    PROV,
    RDF_STATEMENT,
    REIFIES,
    STATEMENT,
    SUBJECT,
    TYPE,
    XSD,
)
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.records import DocumentEntity, Mention, Run, Statement

__all__ = [
    "activity_triples",
    "document_triples",
    "moment",
    "run_triples",
    "statement_triples",
    "time_literal",
]

_IDENTIFIER = NamedNode(DCTERMS + "identifier")
_ENTITY = NamedNode(PROV + "Entity")
_CONFIDENCE = NamedNode(KGMRCA + "confidence")
_RELATION_LABEL = NamedNode(KGMRCA + "relationLabel")
_SUBJECT_MENTION = NamedNode(KGMRCA + "subjectMention")
_OBJECT_MENTION = NamedNode(KGMRCA + "objectMention")
_SENTENCE = NamedNode(KGMRCA + "sentence")
_SENTENCE_DIGEST = NamedNode(KGMRCA + "sentenceDigest")
_SENTENCE_TEXT = NamedNode(KGMRCA + "sentenceText")
_OBJECT_SENTENCE = NamedNode(KGMRCA + "objectSentence")
_OBJECT_SENTENCE_TEXT = NamedNode(KGMRCA + "objectSentenceText")
_TIMES = tuple(NamedNode(KGMRCA + name) for name in ("startTime", "endTime", "pointInTime"))
_QUALIFIERS = tuple(NamedNode(f"http://www.wikidata.org/prop/qualifier/{id}") for id in ("P580", "P582", "P585"))
_DATES = {4: "gYear", 7: "gYearMonth", 10: "date"}  # by the length of the form, as years have four digits

# `identifier` is not among them: it is the document's own, and a second one could not be told from it.
_DUBLIN_CORE = frozenset(
    {"abstract", "alternative", "contributor", "coverage", "created", "creator", "date", "description", "format"}
    | {"issued", "language", "license", "modified", "publisher", "relation", "rights", "source", "subject", "title"}
    | {"type"}
)

# For nodes that come again and again. They are immutable, and a few thousand of them are less than 1 MB.
_node = lru_cache(maxsize=2048)(NamedNode)


def document_triples(
    document: str,
    identifier: str,
    statements: Iterable[Statement],
    *,
    base: str,
    meta: Mapping[str, Any] | None = None,
    provenance: str = "statements",
    assert_above: float = 0.0,
    text: bool = False,
) -> Iterator[Triple | Quad]:
    """All triples of one document: itself, then the entities that its statements name, then the statements.

    Metadata under a Dublin Core name (`title`, `creator`, ...) becomes that Dublin Core term, under any other key a
    predicate of `base`; what is neither text, number nor truth value is written as JSON.

    An entity has its most telling name as `rdfs:label` and its others as `skos:altLabel`. If it has several mentions,
    they are all written; a single one is that of its statements.

    Args:
        document: its IRI.
        identifier: what it is called.
        statements: what it says.
        base: the beginning of the IRIs of the graph's own nodes.
        meta: the document's metadata.
        provenance: one of `PROVENANCE`; "none" leaves out the document and the statements' own nodes.
        assert_above: the confidence from which a statement's plain triple (subject, predicate, object) is written too,
            once, however often the document says so. With the provenance "none", no other statement is written at all.
        text: whether to write the text of the sentences.

    Raises:
        InputError: there is no such provenance.
    """
    found = list(statements)
    min_confidence = Decimal(str(assert_above))  # not Decimal(0.8), which is a little more than a confidence of 0.8
    if provenance == "none":
        kept = (one for one in found if one.confidence >= min_confidence)
        yield from _entity_triples(kept, min_confidence, has_mentions=False)
        return
    iris = Iris(base)
    node = NamedNode(document)
    yield Triple(node, TYPE, _ENTITY)
    yield Triple(node, _IDENTIFIER, Literal(clean_text(identifier)))
    for key, value in (meta or {}).items():
        if value is not None:
            yield Triple(node, NamedNode(DCTERMS + key if key in _DUBLIN_CORE else iris.meta(key)), _value(value))
    yield from _entity_triples(found, min_confidence)
    for statement in found:
        yield from statement_triples(statement, provenance=provenance, text=text)


def statement_triples(
    statement: Statement, *, provenance: str = "statements", text: bool = False
) -> Iterator[Triple | Quad]:
    """The node of a statement with its properties, in one of the forms of `PROVENANCE` that have such a node.

    With `text`, the text of its sentences too, if it is known.

    Raises:
        InputError: there is no such provenance.
    """
    node = NamedNode(statement.iri)
    subject, predicate, object_ = NamedNode(statement.subject), _node(statement.predicate), _object(statement)
    if provenance == "statements":
        yield Triple(node, TYPE, RDF_STATEMENT)
        yield Triple(node, SUBJECT, subject)
        yield Triple(node, PREDICATE, predicate)
        yield Triple(node, OBJECT, object_)
    elif provenance == "graphs":
        yield Quad(subject, predicate, object_, node)
        yield Triple(node, TYPE, STATEMENT)
    elif provenance == "rdf12":
        yield Triple(node, REIFIES, Triple(subject, predicate, object_))
        yield Triple(node, TYPE, STATEMENT)
    elif provenance == "wikidata":
        to_node, to_object = _node_predicates(statement.iri.rpartition("statement/")[0], statement.predicate)
        yield Triple(subject, to_node, node)
        yield Triple(node, TYPE, STATEMENT)
        yield Triple(node, to_object, object_)
    else:
        raise InputError(f"A statement has no node with the provenance '{provenance}'.")
    yield Triple(node, _CONFIDENCE, _decimal(statement.confidence))
    if statement.decision:
        yield Triple(node, DECISION, Literal(statement.decision))
    yield Triple(node, _RELATION_LABEL, Literal(statement.label))
    yield Triple(node, _SUBJECT_MENTION, NamedNode(statement.subject_mention.iri))
    yield Triple(node, _OBJECT_MENTION, NamedNode(statement.object_mention.iri))
    sentence, object_sentence = statement.sentence, statement.object_sentence
    if sentence:
        yield Triple(node, _SENTENCE, _node(sentence.iri))
    if object_sentence:
        yield Triple(node, _OBJECT_SENTENCE, _node(object_sentence.iri))
    if statement.sentence_digest:
        yield Triple(node, _SENTENCE_DIGEST, Literal(statement.sentence_digest))
    if text and sentence and sentence.text:
        yield Triple(node, _SENTENCE_TEXT, Literal(sentence.text))
    if text and object_sentence and object_sentence.text:
        yield Triple(node, _OBJECT_SENTENCE_TEXT, Literal(object_sentence.text))
    for predicate, time in zip(_QUALIFIERS if provenance == "wikidata" else _TIMES, statement.times, strict=True):
        if time:
            yield Triple(node, predicate, time_literal(time))
    yield Triple(node, DERIVED_FROM, _node(statement.document))
    if statement.run:
        yield Triple(node, GENERATED_BY, _node(statement.run))


def run_triples(
    run: Run,
    *,
    base: str,
    started: datetime | None = None,
    ended: datetime | None = None,
    **counts: int,
) -> Iterator[Triple]:
    """The description of a run. Only its times and counts differ when the same input is read again.

    Args:
        run: what decides the statements.
        base: the beginning of its IRI.
        started, ended: with a time zone; without them no times are written.
        counts: `documents`, `statements` and `rejected`, where they are known.
    """
    node = NamedNode(run.iri(base))
    about = {
        "softwareVersion": run.software_version,
        "model": run.model,
        "modelVersion": run.model_version,
        "modelDigest": run.model_digest,
        "parameters": run.parameters,
        **counts,
    }
    yield Triple(node, TYPE, NamedNode(KGMRCA + "Run"))
    yield from activity_triples(
        node,
        [(NamedNode(KGMRCA + name), _value(value)) for name, value in about.items()],
        version=run.software_version,
        started=started,
        ended=ended,
    )


def activity_triples(
    run: NamedNode,
    about: Iterable[tuple[NamedNode, NamedNode | Literal]],
    *,
    version: str = __version__,
    started: datetime | None = None,
    ended: datetime | None = None,
) -> Iterator[Triple]:
    """The description of what a run of any command did, in the terms of PROV-O.

    Args:
        run: the IRI of the run.
        about: predicates and values that describe it.
        version: of the software.
        started: with a time zone; without it, no times are written.
        ended: with a time zone; None: the time of writing.
    """
    agent = NamedNode(f"{KGMRCA.removesuffix('#')}/software/{version}")
    yield Triple(run, TYPE, NamedNode(PROV + "Activity"))
    for predicate, value in about:
        yield Triple(run, predicate, value)
    if started:
        yield Triple(run, NamedNode(PROV + "startedAtTime"), moment(started))
        yield Triple(run, NamedNode(PROV + "endedAtTime"), moment(ended or datetime.now(timezone.utc)))
    yield Triple(run, NamedNode(PROV + "wasAssociatedWith"), agent)
    yield Triple(agent, TYPE, NamedNode(PROV + "SoftwareAgent"))
    yield Triple(agent, LABEL, Literal(f"kgmrca {version}"))


def moment(when: datetime) -> Literal:
    """A time, which needs a time zone, in seconds.

    >>> moment(datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)).value
    '2030-01-02T03:04:05Z'
    """
    # In the canonical form, "Z" for UTC, because stores rewrite any other.
    return Literal(when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), datatype=NamedNode(XSD + "dateTime"))


@dataclass(slots=True)
class _Entity:
    node: NamedNode
    name: str
    known: DocumentEntity | None = None
    # dicts as ordered sets
    types: dict[str, None] = field(default_factory=dict)
    plain: dict[tuple[NamedNode, NamedNode | Literal], None] = field(default_factory=dict)


def _entity_triples(
    statements: Iterable[Statement], min_confidence: Decimal, *, has_mentions: bool = True
) -> Iterator[Triple]:
    """What is said of each entity, and the plain triple of each statement with at least this confidence.

    Entities come in the order of their first appearance.
    """
    entities: dict[str, _Entity] = {}
    for statement in statements:
        subject = _entity(
            entities, statement.subject, statement.subject_mention, statement.subject_name, statement.subject_entity
        )
        if statement.object_is_literal:
            object_ = _object(statement)
        else:
            object_ = _entity(
                entities, statement.object, statement.object_mention, statement.object_name, statement.object_entity
            ).node
        if statement.confidence >= min_confidence:
            subject.plain[_node(statement.predicate), object_] = None
    for entity in entities.values():
        known, node = entity.known, entity.node
        yield Triple(node, LABEL, Literal(entity.name))
        for name in known.names[1:] if known else ():
            yield Triple(node, OTHER_NAME, Literal(name))
        for type_ in entity.types:
            yield Triple(node, ENTITY_TYPE, Literal(type_))
        if has_mentions and known and len(known.mentions) > 1:
            for mention in known.mentions:
                yield Triple(node, MENTION, NamedNode(mention.iri))
        for namesake in known.namesakes if known else ():
            if namesake in entities:
                yield Triple(node, NAMESAKE, NamedNode(namesake))
        for predicate, object_ in entity.plain:
            yield Triple(node, predicate, object_)


def _entity(
    entities: dict[str, _Entity], iri: str, mention: Mention, name: str, known: DocumentEntity | None
) -> _Entity:
    entity = entities.get(iri)
    if entity is None:
        entity = entities[iri] = _Entity(NamedNode(iri), name, known)
    elif entity.known is None:
        entity.name, entity.known = name, known
    if mention.type:
        entity.types[mention.type] = None
    return entity


def _object(statement: Statement) -> NamedNode | Literal:
    if not statement.object_is_literal:
        return NamedNode(statement.object)
    datatype = NamedNode(statement.object_datatype) if statement.object_datatype else None
    return Literal(statement.object, datatype=datatype)


def time_literal(time: str) -> Literal:
    """A time of `Times` as a literal with its datatype; any other text as it is.

    >>> time_literal("1990-05").datatype.value
    'http://www.w3.org/2001/XMLSchema#gYearMonth'
    """
    datatype = _DATES.get(len(time))
    return Literal(time, datatype=NamedNode(XSD + datatype) if datatype else None)


@lru_cache(maxsize=2048)
def _node_predicates(base: str, predicate: str) -> tuple[NamedNode, NamedNode]:
    to_node, to_object = Iris(base or DEFAULT_BASE).node_predicates(predicate)
    return NamedNode(to_node), NamedNode(to_object)


@lru_cache(maxsize=2048)
def _decimal(number: Decimal) -> Literal:
    return Literal(str(number), datatype=DECIMAL)


def _value(value: Any) -> Literal:
    """A JSON value as a literal: text, truth values, integers and floats as themselves, the rest as JSON text."""
    if isinstance(value, str):
        return Literal(clean_text(value))
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, int):
        return Literal(str(value), datatype=NamedNode(XSD + "integer"))
    if isinstance(value, float):
        return Literal(value)
    return Literal(clean_text(json.dumps(value, ensure_ascii=False, sort_keys=True)))
