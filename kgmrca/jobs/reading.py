"""Records → triples: batches of documents go through the pipeline, and each that fails is set aside with the reason."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyoxigraph import Quad, Triple
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.corpora.documents import BadRecord, Document
from kgmrca.errors import InputError, ModelError, ResourceError
from kgmrca.jobs.manifest import Counts
from kgmrca.ontology import Ontology
from kgmrca.triples.iris import Iris, text_digest
from kgmrca.triples.records import Run, Statement
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

__all__ = ["ReadDocument", "Reader", "as_json"]

_BATCH_CHARACTERS = 200_000  # some 40,000 tokens: enough to keep the networks busy


class ReadDocument(NamedTuple):
    """A document, the digest of its text, what it says, and what it has."""

    document: Document
    digest: str
    statements: list[Statement]
    has_entities: bool
    sentences: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads documents, and how; the other attributes are arguments of `convert`.

    Attributes:
        nlp: the pipeline.
        settings: the `component_cfg` of its relation components.
        run: the run that the statements belong to.
        by_component: run one component after the other, and take the time of each.
    """

    nlp: Language
    settings: dict[str, dict[str, Any]]
    run: Run
    base: str
    ontology: Ontology
    source: str | None
    threshold: float | None
    batch_size: int
    provenance: str
    assert_above: float
    sentence_text: bool
    by_component: bool = False

    def triples(
        self,
        records: Iterable[Document | BadRecord],
        counts: Counts,
        *,
        set_aside: Callable[[str], None],
        progress: Callable[[int], object],
    ) -> Iterator[Triple | Quad]:
        """The triples of all records in their order.

        Args:
            records: the records.
            counts: what is found is added to it.
            set_aside: is given each record that could not be used, as JSON.
            progress: is given the size of each record that is done.
        """
        made_of_label = f"{self.base}relation/"
        for outcome in self.read(records, counts):
            if isinstance(outcome, BadRecord):
                counts.rejected += 1
                set_aside(as_json(outcome))
                progress(outcome.size)
                continue
            found = outcome.statements
            counts.documents += 1
            counts.sentences += outcome.sentences
            counts.entities += len({iri for said in found for iri in _entities_of(said)})
            counts.statements += len(found)
            counts.predicates.update(said.predicate for said in found)
            counts.unmapped.update(said.label for said in found if said.predicate.startswith(made_of_label))
            counts.without_entities += not outcome.has_entities
            with counts.timed("statements"):
                triples = list(self.document_triples(outcome))
            with counts.timed("writing"):
                yield from triples
            progress(outcome.document.size)

    def read(self, records: Iterable[Document | BadRecord], counts: Counts) -> Iterator[ReadDocument | BadRecord]:
        """What each record says, or why it could not be used, in their order; `counts` gets the times."""
        for batch in _batches(records, self.batch_size):
            yield from self._read_batch(batch, counts)

    def document_triples(self, read: ReadDocument) -> Iterator[Triple | Quad]:
        """The triples of a document."""
        return document_triples(
            Iris(self.base).document(read.document.id, read.digest),
            read.document.id,
            read.statements,
            base=self.base,
            meta=read.document.meta,
            provenance=self.provenance,
            assert_above=self.assert_above,
            text=self.sentence_text,
        )

    def _read_batch(self, batch: Sequence[Document | BadRecord], counts: Counts) -> list[ReadDocument | BadRecord]:
        """The statements of each document, or the reason why it could not be processed.

        The Docs are not used after the call, so that a memory zone can be freed.
        """
        # Without a memory zone spaCy's vocabulary would grow with every new word of the corpus.
        with nullcontext() if self.nlp.vocab.in_memory_zone else self.nlp.memory_zone():
            documents = [record for record in batch if isinstance(record, Document)]
            with counts.timed("pipeline"):
                docs = iter(self._process(documents, counts))
            with counts.timed("statements"):
                return [
                    record if isinstance(record, BadRecord) else self._read_doc(record, next(docs)) for record in batch
                ]

    def _read_doc(self, document: Document, doc: Doc | Exception) -> ReadDocument | BadRecord:
        error = doc
        if isinstance(doc, Doc):
            try:
                said = statements(
                    doc,
                    document_id=document.id,
                    base=self.base,
                    run=self.run,
                    ontology=self.ontology,
                    source=self.source,
                    threshold=self.threshold,
                )
                n_sentences = int((doc.to_array("SENT_START") == 1).sum())
                return ReadDocument(document, text_digest(doc.text), list(said), bool(doc.ents), n_sentences)
            except InputError as unusable:
                error = unusable
        reason = f"{type(error).__name__}: {error}"
        return BadRecord(document.id, reason, document.file, document.line, document.size, document.record)

    def _process(self, documents: Sequence[Document], counts: Counts) -> list[Doc | Exception]:
        """Run the pipeline. Where a batch fails, its halves are tried, so that a bad document does not stop the others.

        spaCy's error handlers are left as they are: they are called with a whole batch, and pipes of others need not
        use them.
        """
        if not documents:
            return []
        try:
            contents = (document.content for document in documents)
            prepared = [self.nlp.make_doc(one) if isinstance(one, str) else one.copy() for one in contents]
            numbered = list(zip(prepared, range(len(prepared)), strict=True))
            if self.by_component:
                for name in self.nlp.pipe_names:
                    with counts.timed(f"pipeline: {name}"):
                        numbered = list(self._pipe(numbered, [other for other in self.nlp.pipe_names if other != name]))
            else:
                numbered = list(self._pipe(numbered, []))
            done = {number: doc for doc, number in numbered}
        except (ModelError, ResourceError):
            raise  # no document's fault
        except Exception as error:
            if len(documents) == 1:
                return [error]
            middle = len(documents) // 2
            return self._process(documents[:middle], counts) + self._process(documents[middle:], counts)
        return [done.get(number, RuntimeError("the pipeline gave nothing back")) for number in range(len(documents))]

    def _pipe(self, numbered: list[tuple[Doc, int]], disable: list[str]) -> Iterator[tuple[Doc, int]]:
        settings = {name: config for name, config in self.settings.items() if name not in disable}
        size = max(1, len(numbered))
        return self.nlp.pipe(numbered, as_tuples=True, batch_size=size, component_cfg=settings, disable=disable)


def _entities_of(said: Statement) -> tuple[str, ...]:
    return (said.subject,) if said.object_is_literal else (said.subject, said.object)


def as_json(bad: BadRecord) -> str:
    """A record that could not be used, as one line of the file with these records."""
    row = {"source": bad.file, "line": bad.line, "id": bad.id, "reason": bad.reason, "record": None}
    if bad.record:
        row["record"] = bad.record.text
        if bad.record.left_out:
            row |= {"bytes_left_out": bad.record.left_out, "offset": bad.record.offset}
    return json.dumps(row)


def _batches(records: Iterable[Document | BadRecord], size: int) -> Iterator[list[Document | BadRecord]]:
    batch: list[Document | BadRecord] = []
    characters = 0
    for record in records:
        batch.append(record)
        if isinstance(record, Document):
            characters += record.characters
        if len(batch) == size or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
