"""The relations of Docs as `Statement` objects: subject, predicate, object, confidence, and where it was read."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import chain, starmap
from pathlib import Path

from spacy.tokens import Doc, Span

from kgmrca.entities import cluster_keys, get_plain_entities
from kgmrca.errors import InputError, ModelError
from kgmrca.names import is_pronoun, normal_name, shown_name
from kgmrca.ontology import WIKIDATA_ENTITY, Ontology, load_ontology, wikidata_predicate
from kgmrca.relations import get_plain_relations, make_relations
from kgmrca.triples.docs import Docs, document_iri, document_name, each_doc
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text, mention_iri
from kgmrca.triples.items import is_item_id, property_id
from kgmrca.triples.literals import typed_literal
from kgmrca.triples.records import DocumentEntity, Mention, Run, Statement, rounded, sentence_digest
from kgmrca.triples.sources import foreign_relations
from kgmrca.triples.times import TimedFact, find_times
from kgmrca.types import VALUE_LABELS, coarse_type

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

    A subject or object is the Wikidata item that its entity is linked to (`kb_id_`), else an entity of this document.
    `doc._.entities` says which mentions are one entity and what it is called; a span that is no mention of any is
    an entity by its text. A pronoun is a mention, never a name: where the Doc does not say whom it means, as in a
    Doc of a slice (`span.as_doc`), nothing is stated of it. An object of one of the `VALUE_LABELS` is a literal
    (see `typed_literal`). Subject and object are exchanged where the ontology's predicate runs the other way. A
    label that the ontology does not know gets a predicate under `base`, unless it is itself a Wikidata property
    such as "P19"; so does one that would have to be exchanged with a literal. Of two relations that say the same of
    the same mentions, the one with the higher score counts. A date by which the sentence says since when, until when or
    when a fact held becomes its `times`.

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
    document = document_iri(doc, document_name(doc, identifier), base)
    run_iri = run.iri(base) if run else None
    has_sentences = doc.has_annotation("SENT_START")
    if not records:
        return iter(())
    ends = _Ends(doc, document, Iris(base))
    found: dict[str, Statement] = {}
    for subject_span, object_span, label, score in make_relations(doc, records):
        if ends.is_nobody(subject_span) or ends.is_nobody(object_span):
            continue
        subject_mention, object_mention = ends.mention(subject_span), ends.mention(object_span)
        predicate = ontology.predicate(label)
        if ontology.is_reversed(label):
            if object_mention.type in VALUE_LABELS:
                predicate = None
            else:
                subject_span, object_span = object_span, subject_span
                subject_mention, object_mention = object_mention, subject_mention
        predicate = predicate or wikidata_predicate(label) or ends.iris.relation(label)
        subject, subject_entity = ends.resource(subject_span)
        object_, object_entity = ends.resource(object_span)
        is_literal = object_mention.type in VALUE_LABELS
        datatype = None
        if is_literal:
            object_, datatype = typed_literal(ends.words(object_span), object_mention.type)
        kind = datatype or ("literal" if is_literal else "iri")
        iri = ends.iris.statement(subject, predicate, kind, object_, subject_mention.iri, object_mention.iri)
        confidence = _confidence(score)
        if iri in found and found[iri].confidence >= confidence:
            continue
        sentence, object_sentence = ends.sentences(subject_span, object_span) if has_sentences else (None, None)
        found[iri] = Statement(
            iri=iri,
            subject=subject,
            predicate=predicate,
            object=object_,
            object_is_literal=is_literal,
            object_datatype=datatype,
            label=clean_text(label),
            confidence=confidence,
            document=document,
            subject_mention=subject_mention,
            object_mention=object_mention,
            sentence=sentence,
            sentence_digest=_digest(sentence, object_sentence),
            run=run_iri,
            object_sentence=object_sentence,
            subject_entity=subject_entity,
            object_entity=None if is_literal else object_entity,
        )
    if has_sentences:
        _add_times(found, doc.text)
    return iter(found.values())


def _add_times(found: dict[str, Statement], text: str) -> None:
    """Tell statements since when, until when or when their facts held, if both ends stand in one sentence."""
    by_sentence: defaultdict[tuple[int, int], list[tuple[Statement, TimedFact]]] = defaultdict(list)
    for one in found.values():
        if one.sentence and not one.object_sentence and (property := _property(one)):
            start = one.sentence.start
            subject, object_ = (
                (end.start - start, end.end - start) for end in (one.subject_mention, one.object_mention)
            )
            by_sentence[start, one.sentence.end].append((one, TimedFact(subject, object_, property)))
    for place, told in by_sentence.items():
        for (one, _), times in zip(told, find_times(text[slice(*place)], [fact for _, fact in told]), strict=True):
            if times:
                found[one.iri] = replace(one, times=times)


def _property(statement: Statement) -> str | None:
    """The property of Wikidata that a statement's label stands for, if the predicate has the same direction."""
    if property := property_id(statement.predicate):
        return property
    wikidata = load_ontology("wikidata")
    predicate = None if wikidata.is_reversed(statement.label) else wikidata.predicate(statement.label)
    return property_id(predicate) if predicate else None


class _Ends:
    """What the subjects and objects of one Doc are: their IRIs, names and mentions."""

    def __init__(self, doc: Doc, document: str, iris: Iris) -> None:
        self.iris = iris
        self._text = doc.text
        self._document = document
        self._entities = plain = get_plain_entities(doc)
        # Where names are one by their text only, a name with two types may be two things: each mention keeps its own.
        self._has_clusters = bool(cluster_keys(doc.spans))
        self._places: list[tuple[int, int]] = [(start, end) for start, end in plain.characters.tolist()]
        self._entity_at = dict(zip(self._places, plain.entity.tolist(), strict=True))
        # Where tokens were merged later, a mention is a part of a token, and spans of relations are whole ones.
        self._entity_of_tokens = dict(zip(map(tuple, plain.mentions.tolist()), plain.entity.tolist(), strict=True))
        self._rows: list[list[int]] = [[] for _ in plain.types]  # the mentions of each entity
        for row, entity in enumerate(plain.entity.tolist()):
            self._rows[entity].append(row)
        self._pronouns = {place for place, is_name in zip(self._places, plain.is_name, strict=True) if not is_name}
        self._telling: list[int] = plain.telling.tolist()
        self._names = [self._name(row) for row in self._telling]
        self._same_name: defaultdict[str, list[int]] = defaultdict(list)  # entities by their names
        for entity, name in enumerate(self._names):
            self._same_name[normal_name(name)].append(entity)
        self._known: dict[int, tuple[str, DocumentEntity]] = {}
        self._mentions: dict[tuple[int, int, str], Mention] = {}

    def resource(self, span: Span) -> tuple[str, DocumentEntity | None]:
        """The IRI of what a span means, and what the Doc has of it, if that is one of its entities."""
        entity = self._entity(span)
        if entity is not None:
            if entity not in self._known:
                self._known[entity] = self._iri(entity), self._describe(entity)
            return self._known[entity]
        if is_item_id(span.kb_id_):
            return WIKIDATA_ENTITY + span.kb_id_, None
        return self.iris.entity(self._document, span.text), None

    def _entity(self, span: Span) -> int | None:
        """Which entity a span is a mention of."""
        found = self._entity_at.get((span.start_char, span.end_char))
        return self._entity_of_tokens.get((span.start, span.end)) if found is None else found

    def is_nobody(self, span: Span) -> bool:
        """Whether a span is a pronoun of which the Doc does not say whom it means."""
        return self._entity(span) is None and not is_item_id(span.kb_id_) and is_pronoun(span.text)

    def mention(self, span: Span) -> Mention:
        """A span as a mention, with the type of its entity if it has none."""
        place = span.start_char, span.end_char
        entity = self._entity(span)
        return self._at(place, span.label_ if entity is None else self._type(entity, span.label_))

    def words(self, span: Span) -> str:
        """The text of a span; of what is no name, such as "that year", the name of its entity."""
        place = span.start_char, span.end_char
        return clean_text(self._names[self._entity_at[place]] if place in self._pronouns else shown_name(span.text))

    def sentences(self, subject: Span, object_: Span) -> tuple[Mention, Mention | None]:
        """The sentence of the subject, and that of the object if it is another."""
        first, second = ((sent.start_char, sent.end_char) for sent in (subject.sent, object_.sent))
        return self._at(first), self._at(second) if first != second else None

    def _at(self, place: tuple[int, int], type_: str = "") -> Mention:
        key = *place, type_
        if key not in self._mentions:
            iri, text = mention_iri(self._document, *place), clean_text(self._text[slice(*place)].strip())
            self._mentions[key] = Mention(iri, *place, text, clean_text(type_))
        return self._mentions[key]

    def _name(self, row: int) -> str:
        return shown_name(self._text[slice(*self._places[row])])

    def _type(self, entity: int, label: str) -> str:
        """The type of a mention with this label."""
        if label and not self._has_clusters:
            return label
        plain, rows = self._entities, (self._telling[entity], *self._rows[entity])
        labels = [plain.labels[row] for row in rows if plain.labels[row]]
        return next((label for label in labels if coarse_type(label) == plain.types[entity]), "")

    def _iri(self, entity: int) -> str:
        if item := self._entities.items[entity]:
            return WIKIDATA_ENTITY + item
        name = self._names[entity]
        first = next(one for one in self._same_name[normal_name(name)] if not self._entities.items[one])
        place = None if entity == first else "{},{}".format(*self._places[self._telling[entity]])
        return self.iris.entity(self._document, name, place)

    def _describe(self, entity: int) -> DocumentEntity:
        plain, rows = self._entities, self._rows[entity]
        names = {normal_name(name): name for name in map(self._name, (row for row in rows if plain.is_name[row]))}
        telling = self._names[entity]
        del names[normal_name(telling)]
        namesakes = [
            self._iri(other)
            for other in self._same_name[normal_name(telling)]
            if other != entity and plain.types[other] == plain.types[entity]
        ]
        return DocumentEntity(
            names=tuple(map(clean_text, (telling, *names.values()))),
            mentions=tuple(self._at(self._places[row], self._type(entity, plain.labels[row])) for row in rows),
            namesakes=tuple(namesakes),
        )


def _digest(sentence: Mention | None, other: Mention | None) -> str | None:
    if sentence is None:
        return None
    if other is None:
        return sentence_digest(sentence.text)
    first, second = sorted((sentence, other), key=lambda one: one.start)
    return sentence_digest(f"{first.text} {second.text}")


def _confidence(score: float) -> Decimal:
    if math.isnan(score):
        raise InputError("The score of a relation is not a number (NaN).")
    return rounded(Decimal(min(max(score, 0.0), 1.0)))
