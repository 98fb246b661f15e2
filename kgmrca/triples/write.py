"""Statements as a stream of RDF 1.1 triples, and that stream as Turtle or N-Triples, in constant memory.

Provenance is by `rdf:Statement` (RDF Schema 1.1, section 5.3) and PROV-O; the remaining terms are those of
`ontologies/kgmrca.ttl`. There are no blank nodes, so files can be merged line by line.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from kgmrca.errors import InputError
from kgmrca.triples.iris import Iris, clean_text
from kgmrca.triples.records import Run, Statement

__all__ = ["FORMATS", "document_triples", "format_of", "run_triples", "whole_file", "write"]

FORMATS = {"turtle": RdfFormat.TURTLE, "ntriples": RdfFormat.N_TRIPLES}
_EXTENSIONS = {".ttl": "turtle", ".nt": "ntriples"}

_DCTERMS = "http://purl.org/dc/terms/"
_KGMRCA = "https://w3id.org/kgmrca#"
_PROV = "http://www.w3.org/ns/prov#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_XSD = "http://www.w3.org/2001/XMLSchema#"

_TYPE = NamedNode(_RDF + "type")
_LABEL = NamedNode(_RDFS + "label")
_STATEMENT = NamedNode(_RDF + "Statement")
_SUBJECT = NamedNode(_RDF + "subject")
_PREDICATE = NamedNode(_RDF + "predicate")
_OBJECT = NamedNode(_RDF + "object")
_IDENTIFIER = NamedNode(_DCTERMS + "identifier")
_ENTITY = NamedNode(_PROV + "Entity")
_DERIVED_FROM = NamedNode(_PROV + "wasDerivedFrom")
_GENERATED_BY = NamedNode(_PROV + "wasGeneratedBy")
_ENTITY_TYPE = NamedNode(_KGMRCA + "entityType")
_CONFIDENCE = NamedNode(_KGMRCA + "confidence")
_RELATION_LABEL = NamedNode(_KGMRCA + "relationLabel")
_SUBJECT_MENTION = NamedNode(_KGMRCA + "subjectMention")
_OBJECT_MENTION = NamedNode(_KGMRCA + "objectMention")
_SENTENCE = NamedNode(_KGMRCA + "sentence")
_SENTENCE_DIGEST = NamedNode(_KGMRCA + "sentenceDigest")
_DECIMAL = NamedNode(_XSD + "decimal")
_DATETIME = NamedNode(_XSD + "dateTime")

# `identifier` is not among them: it is the document's own, and a second one could not be told from it.
_DUBLIN_CORE = frozenset(
    {"abstract", "alternative", "contributor", "coverage", "created", "creator", "date", "description", "format"}
    | {"issued", "language", "license", "modified", "publisher", "relation", "rights", "source", "subject", "title"}
    | {"type"}
)


def document_triples(
    identifier: str, statements: Iterable[Statement], *, base: str, meta: Mapping[str, Any] | None = None
) -> Iterator[Triple]:
    """All triples of one document: itself, then the entities that its statements name, then the statements.

    A plain triple (subject, predicate, object) is written once, however often the document says so. Metadata under a
    Dublin Core name (`title`, `creator`, ...) becomes that Dublin Core term, under any other key a predicate of `base`;
    what is neither text, number nor truth value is written as JSON.
    """
    iris = Iris(base)
    document = NamedNode(iris.document(identifier))
    yield Triple(document, _TYPE, _ENTITY)
    yield Triple(document, _IDENTIFIER, Literal(clean_text(identifier)))
    for key, value in (meta or {}).items():
        if value is not None:
            yield Triple(document, NamedNode(_DCTERMS + key if key in _DUBLIN_CORE else iris.meta(key)), _value(value))
    found = list(statements)
    yield from _entity_triples(found)
    for statement in found:
        yield from _statement_triples(statement)


def run_triples(
    run: Run,
    *,
    base: str,
    started: datetime,
    ended: datetime,
    documents: int,
    statements: int,
    rejected: int,
) -> Iterator[Triple]:
    """The record of a run: the only triples that differ when the same input is read again. Times need a time zone."""
    node = NamedNode(run.iri(base))
    agent = NamedNode(f"{_KGMRCA.removesuffix('#')}/software/{run.software_version}")
    yield Triple(node, _TYPE, NamedNode(_KGMRCA + "Run"))
    yield Triple(node, _TYPE, NamedNode(_PROV + "Activity"))
    for name, value in (
        ("softwareVersion", run.software_version),
        ("model", run.model),
        ("modelVersion", run.model_version),
        ("modelDigest", run.model_digest),
        ("parameters", run.parameters),
        ("documents", documents),
        ("statements", statements),
        ("rejected", rejected),
    ):
        yield Triple(node, NamedNode(_KGMRCA + name), _value(value))
    yield Triple(node, NamedNode(_PROV + "startedAtTime"), _moment(started))
    yield Triple(node, NamedNode(_PROV + "endedAtTime"), _moment(ended))
    yield Triple(node, NamedNode(_PROV + "wasAssociatedWith"), agent)
    yield Triple(agent, _TYPE, NamedNode(_PROV + "SoftwareAgent"))
    yield Triple(agent, _LABEL, Literal(f"kgmrca {run.software_version}"))


def write(triples: Iterable[Triple], output: IO[bytes], *, format: str, base: str) -> None:
    """Write triples to a binary stream as they come. `format` is one of `FORMATS`; Turtle gets prefixes.

    Raises:
        Whatever `triples` or `output` raise; what was written by then is not a whole file (see `whole_file`).
    """
    prefixes = {
        "dcterms": _DCTERMS,
        "entity": f"{base}entity/",
        "kgmrca": _KGMRCA,
        "prov": _PROV,
        "rdf": _RDF,
        "rdfs": _RDFS,
        "run": f"{base}run/",
        "statement": f"{base}statement/",
        "wd": "http://www.wikidata.org/entity/",
        "wdt": "http://www.wikidata.org/prop/direct/",
        "xsd": _XSD,
    }
    serialize(triples, output, FORMATS[format], prefixes=prefixes if format == "turtle" else None)


def format_of(path: Path) -> str:
    """The format that a file's name stands for.

    Raises:
        InputError: it stands for none of the `FORMATS`.
    """
    if path.suffix.lower() not in _EXTENSIONS:
        raise InputError(
            f"'{path}' does not say its format: end it in {' or '.join(_EXTENSIONS)}, "
            f"or choose a format ({', '.join(FORMATS)})."
        )
    return _EXTENSIONS[path.suffix.lower()]


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, which takes its name only once it is complete.

    If the block raises anything, an interrupt included, no trace is left, and a file that was there before stays as it
    was.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:  # a device or a pipe, such as /dev/null, must not be replaced
            yield stream
        return
    target = path.resolve()  # a symbolic link stays one
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _entity_triples(statements: Iterable[Statement]) -> Iterator[Triple]:
    """Per entity, in the order of their first appearance: its name, its types, what is said of it."""
    names: dict[str, str] = {}
    # dicts as ordered sets
    types: dict[str, dict[str, None]] = {}
    facts: dict[str, dict[Triple, None]] = {}
    for statement in statements:
        ends = [(statement.subject, statement.subject_mention)]
        if not statement.object_is_literal:
            ends.append((statement.object, statement.object_mention))
        for entity, mention in ends:
            names.setdefault(entity, mention.text)
            if mention.type:
                types.setdefault(entity, {})[mention.type] = None
        fact = Triple(NamedNode(statement.subject), NamedNode(statement.predicate), _object(statement))
        facts.setdefault(statement.subject, {})[fact] = None
    for entity, name in names.items():
        node = NamedNode(entity)
        yield Triple(node, _LABEL, Literal(name))
        for type_ in types.get(entity, ()):
            yield Triple(node, _ENTITY_TYPE, Literal(type_))
        yield from facts.get(entity, ())


def _statement_triples(statement: Statement) -> Iterator[Triple]:
    node = NamedNode(statement.iri)
    yield Triple(node, _TYPE, _STATEMENT)
    yield Triple(node, _SUBJECT, NamedNode(statement.subject))
    yield Triple(node, _PREDICATE, NamedNode(statement.predicate))
    yield Triple(node, _OBJECT, _object(statement))
    yield Triple(node, _CONFIDENCE, Literal(str(statement.confidence), datatype=_DECIMAL))
    yield Triple(node, _RELATION_LABEL, Literal(statement.label))
    yield Triple(node, _SUBJECT_MENTION, NamedNode(statement.subject_mention.iri))
    yield Triple(node, _OBJECT_MENTION, NamedNode(statement.object_mention.iri))
    if statement.sentence:
        yield Triple(node, _SENTENCE, NamedNode(statement.sentence.iri))
    if statement.sentence_digest:
        yield Triple(node, _SENTENCE_DIGEST, Literal(statement.sentence_digest))
    yield Triple(node, _DERIVED_FROM, NamedNode(statement.document))
    if statement.run:
        yield Triple(node, _GENERATED_BY, NamedNode(statement.run))


def _object(statement: Statement) -> NamedNode | Literal:
    if not statement.object_is_literal:
        return NamedNode(statement.object)
    datatype = NamedNode(statement.object_datatype) if statement.object_datatype else None
    return Literal(statement.object, datatype=datatype)


def _moment(when: datetime) -> Literal:
    # In the canonical form, "Z" for UTC, because stores rewrite any other.
    return Literal(when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), datatype=_DATETIME)


def _value(value: Any) -> Literal:
    """A JSON value as a literal: text, truth values, integers and floats as themselves, the rest as JSON text."""
    if isinstance(value, str):
        return Literal(clean_text(value))
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, int):
        return Literal(str(value), datatype=NamedNode(_XSD + "integer"))
    if isinstance(value, float):
        return Literal(value)
    return Literal(clean_text(json.dumps(value, ensure_ascii=False, sort_keys=True)))
