"""The batch job: documents in, one RDF file out, bad records set aside, in bounded memory."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from inspect import signature
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from pyoxigraph import Quad, Triple
from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm

from kgmrca.corpora.documents import MAX_RECORD_SIZE, BadRecord, Document, read_documents
from kgmrca.corpora.formats import ReadOptions
from kgmrca.corpora.inputs import Found, find_inputs, is_read_from_folders
from kgmrca.corpora.repeats import Repeat, Repeats
from kgmrca.errors import InputError, ModelError, ResourceError
from kgmrca.files import STANDARD, check_outputs, opened, target_of, whole_file
from kgmrca.ontology import ONTOLOGIES, Ontology, load_ontology
from kgmrca.progress import progress_bar
from kgmrca.relations import Threshold
from kgmrca.triples.formats import chosen_format, write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, text_digest
from kgmrca.triples.records import Run, Statement
from kgmrca.triples.sources import SOURCES
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples, run_triples

__all__ = ["ConvertSummary", "convert", "threshold_settings"]

_Say: TypeAlias = Callable[..., Iterator[Statement]]

_BATCH_CHARACTERS = 200_000  # some 40,000 tokens: enough to keep the networks busy


class _Read(NamedTuple):
    """A document, the digest of its text, what it says, and whether it has entities."""

    document: Document
    digest: str
    statements: list[Statement]
    has_entities: bool


@dataclass(slots=True)
class ConvertSummary:
    """What `convert` did.

    Attributes:
        documents: the number of documents that were converted.
        statements: the number of statements that were found in them.
        rejected: the number of records that could not be used and were set aside.
        rejected_to: the file with these records. It is None if there are no such records, or if they were written to
            standard error.
        skipped: the number of files in folders that were not read, by extension.
        unmapped: the number of statements by label, for labels that the ontology has no predicate for. Their predicate
            is made of the label.
        repeated: the number of records that were left out, because an earlier document has the same name and text.
        repeated_names: the number of documents that have the name of an earlier one, but another text.
        repeated_texts: the number of documents that have the text of an earlier one, but another name.
        without_entities: the number of documents without entities.
    """

    documents: int = 0
    statements: int = 0
    rejected: int = 0
    rejected_to: Path | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    repeated_names: int = 0
    repeated_texts: int = 0
    without_entities: int = 0


def convert(
    inputs: str | Path | Iterable[str | Path],
    output: str | Path | IO[bytes],
    *,
    nlp: Language | None = None,
    format: str | None = None,
    base: str = DEFAULT_BASE,
    threshold: Threshold | None = None,
    default_operating_point: str | None = None,
    batch_size: int = 64,
    input_format: str | None = None,
    read_options: ReadOptions | None = None,
    save_text: str | Path | None = None,
    max_record_size: int = MAX_RECORD_SIZE,
    rejected: str | Path | None = None,
    ontology: str | Path = "wikidata",
    provenance: str = "statements",
    assert_above: float = 0.0,
    sentence_text: bool = False,
    source: str | None = None,
    progress: bool | None = None,
) -> ConvertSummary:
    """Read documents, find the relations in them, and write these as RDF with confidence and provenance.

    A record is left out if an earlier document has the same name and the same text. Documents that share only the name
    or only the text are different documents, and are counted. Comparing them takes about 50 bytes of memory per
    document (see `Repeats`).

    The same input gives the same bytes, except for the description of the run, which comes last. After any error that
    is not the fault of a single record, `output` is not written, and an earlier file of that name is not changed.

    Args:
        inputs: files, folders, glob patterns, or "-" for standard input (see `find_inputs`).
        output: a file, "-" for standard output, or a binary stream.
        nlp: a pipeline with a relation component. The default is the pipeline that ships with the package.
        format: "turtle", "ntriples", "nquads", "trig", "jsonld" or "rdfxml". The default follows from the extension of
            `output`; for a stream it is Turtle. A file whose name ends in .gz is compressed.
        base: the beginning of all IRIs that are made: an absolute IRI that ends in "/" or ":".
        threshold: the score from which a relation is kept: one number, one number per label, or the name of an
            operating point of the pipeline ("precise", "balanced" or "complete"). The default is the threshold of the
            pipeline. The pipeline itself is not changed.
        default_operating_point: the operating point to use if `threshold` is None and the pipeline has it.
        batch_size: the largest number of documents that are processed together; long documents are fewer.
        input_format: one of `INPUT_FORMATS`. The default follows from the extension of each file; for standard input
            it is text.
        read_options: where the texts are in files, and their encoding.
        save_text: a folder for the texts that were read, in UTF-8. The characters of a mention are counted in them. A
            file is named after the digest at the end of the IRI of its document: `DIGEST.txt`.
        max_record_size: the length that a line of JSONL may have, in bytes. A longer line is set aside, and is not held
            in memory.
        rejected: the file for the records that could not be used, as JSONL with the reasons. Of each record, it holds
            the first 10,000 bytes. The default is `OUT.rejected.jsonl` beside `output`, or standard error if `output`
            is no file. If all records could be used, no file is written, and that of an earlier job is removed.
        ontology: the ontology whose predicates are written: "wikidata", "dbpedia", "schema", or a file of your own (see
            `load_ontology`). For a label without a predicate, one is made under `base`.
        provenance: how the confidence of a statement and its place in the text are written: as "statements" (an
            `rdf:Statement`), "graphs" (a named graph), "rdf12" (a triple term), "wikidata" (a statement node like those
            of Wikidata) or "none" (only entities and plain triples, without documents and the run).
        assert_above: the confidence from which the plain triple is written beside the statement; with 2, it never is.
            With the provenance "none", only statements from this confidence on are written.
        sentence_text: write the text of the sentence of each statement.
        source: the component whose relations are written: "glirel", "rebel" or "spacy-rel" (see
            `kgmrca.triples.statements`), for which `threshold` is one number. The default is the component of kgmrca.
        progress: True shows a progress bar on standard error, and False shows nothing. The default is a bar on a
            terminal, and otherwise a line from time to time.

    Raises:
        InputError: an argument cannot be used.
        ModelError: the pipeline finds no relations, takes no threshold, or gives no entities to its relation component.
        OutputError: `output` or `rejected` cannot be written.

    Example:
        >>> from kgmrca.convert import convert
        >>> summary = convert("articles/", "graph.ttl", threshold="precise")  # doctest: +SKIP
    """
    Iris(base)  # refuse a bad base before anything is loaded
    if batch_size < 1 or max_record_size < 1:
        raise InputError("The batch size and the size of records must be at least 1.")
    target = target_of(output)
    format = chosen_format(format, output, provenance=provenance)
    if not assert_above >= 0:
        raise InputError(f"The confidence from which to assert must be 0 or more, not {assert_above}.")
    predicates = load_ontology(ontology)
    rejected_to = _rejected_path(rejected, target)
    threshold_of_source = _threshold_of_source(source, threshold)
    options = read_options or ReadOptions()
    found = _find(inputs, input_format, options, output, rejected_to, is_default=rejected is None)
    if ontology not in ONTOLOGIES:
        check_outputs([output, rejected_to], [ontology], what="the ontology")
    if nlp and nlp.path:
        check_outputs([output, rejected_to], [nlp.path], what="a file of the pipeline", takes=Path.exists)
    summary = ConvertSummary(skipped=found.skipped)
    with ExitStack() as stack:
        sizes = [file.size for file in found.files if file.size is not None]
        total = sum(sizes) if len(sizes) == len(found.files) else None
        bar = stack.enter_context(progress_bar(progress, total=total, unit="B", unit_scale=True))
        if nlp is None:
            bar.set_description("loading ...")
            nlp = _shipped_pipeline()
            bar.set_description(None)
        _check_labels(nlp, predicates)
        settings: dict[str, dict[str, Any]] = {}
        parameters: dict[str, Any] = {"source": source, "threshold": threshold_of_source}
        if source is None:
            _check_entities(nlp, found)
            settings = threshold_settings(nlp, threshold, default_operating_point)
            parameters = {"threshold": _thresholds_in_force(nlp, settings)}
        name = ontology.name if isinstance(ontology, Path) else ontology
        run = Run.of(nlp, parameters={**parameters, "ontology": name})
        out = stack.enter_context(opened(output))
        set_aside = stack.enter_context(_rejects(rejected_to))
        say = partial(statements, base=base, run=run, ontology=predicates, source=source, threshold=threshold_of_source)
        records = read_documents(
            found, vocab=nlp.vocab, max_length=nlp.max_length, max_record_size=max_record_size, options=options
        )
        if save_text is not None:
            records = _saving_texts(records, Path(save_text))
        triples = _triples(
            _without_repeats(records, summary, bar),
            summary,
            nlp,
            run,
            say,
            base=base,
            batch_size=batch_size,
            settings=settings,
            set_aside=set_aside,
            bar=bar,
            provenance=provenance,
            assert_above=assert_above,
            text=sentence_text,
        )
        write(triples, out, format=format, base=base)
        out.flush()
    summary.rejected_to = rejected_to if summary.rejected else None
    return summary


def _threshold_of_source(source: str | None, threshold: Threshold | None) -> float | None:
    """The score from which relations of another component are kept; None for ours, and for its own threshold."""
    if source is None:
        return None
    if source not in SOURCES:
        raise InputError(f"There is no source '{source}' of relations: choose one of {', '.join(SOURCES)}.")
    if threshold is None or isinstance(threshold, int | float):
        return threshold
    raise InputError(f"With the source '{source}', the threshold is one number from 0 to 1, not {threshold!r}.")


def _rejected_path(rejected: str | Path | None, target: Path | None) -> Path | None:
    if rejected is not None:
        return target_of(Path(rejected))
    # Beside a device such as /dev/null there is no place for a file.
    if target is None or (target.exists() and not target.is_file()):
        return None
    return target.with_name(f"{target.name}.rejected.jsonl")


def _find(
    inputs: str | Path | Iterable[str | Path],
    input_format: str | None,
    options: ReadOptions,
    output: str | Path | IO[bytes],
    rejected_to: Path | None,
    *,
    is_default: bool,
) -> Found:
    """Find the files to read, and check that no output is one of them.

    Records that an earlier job set aside under the default name are not read from a folder. A file that is named as
    `rejected` must not be in a folder that is read.

    Raises:
        InputError: there is nothing to read, or an output would be read.
    """
    inputs = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    leave_out = {rejected_to.resolve()} if rejected_to and is_default else set()
    found = find_inputs(inputs, input_format=input_format, leave_out=leave_out, encoding=options.encoding)
    files = [file.path or STANDARD for file in found.files]
    folders = [name for name in inputs if Path(name).is_dir()]
    check_outputs([output, rejected_to], files, what="an INPUT")
    named = [output, None if is_default else rejected_to]
    check_outputs(named, folders, what="an INPUT", takes=lambda path: is_read_from_folders(path, input_format))
    return found


def _shipped_pipeline() -> Language:
    from kgmrca.extraction.relations.component import load  # imports torch, which another pipeline may do without

    return load()


def _relation_pipes(nlp: Language) -> dict[str, Any]:
    return {name: pipe for name, pipe in nlp.pipeline if "doc._.relations" in nlp.get_pipe_meta(name).assigns}


def _check_labels(nlp: Language, ontology: Ontology) -> None:
    """Check that the ontology has only one predicate for each label of the pipeline.

    Raises:
        InputError: it has several for one.
    """
    for pipe in _relation_pipes(nlp).values():
        for label in getattr(pipe, "labels", ()):
            ontology.predicate(label)


def _check_entities(nlp: Language, found: Found) -> None:
    """Check that a component before the relation components can give them entities, unless Docs with entities are read.

    Raises:
        ModelError: no component can.
    """
    pipes = _relation_pipes(nlp)
    if not pipes or any(file.format == "docbin" for file in found.files):
        return
    *_, last = pipes
    before = list(takewhile(lambda name: name != last, nlp.pipe_names))
    # A component that does not say what it does to a Doc may give entities.
    if not any(not (done := nlp.get_pipe_meta(name).assigns) or "doc.ents" in done for name in before):
        names = ", ".join(f"'{name}'" for name in before) or "no component"
        raise ModelError(
            f"Nothing gives entities to '{last}', so there would be no relations. The components before it are: "
            f"{names}. Add a component that sets doc.ents, such as 'ner' or 'entity_ruler', before '{last}'."
        )


def threshold_settings(
    nlp: Language, threshold: Threshold | None, default: str | None = None
) -> dict[str, dict[str, Any]]:
    """The `component_cfg` of `nlp.pipe` that gives the threshold to the relation components.

    Args:
        nlp: the pipeline.
        threshold: a threshold for all its relation components. None: each has its own, or the `default`.
        default: the operating point that is used without a `threshold` by the components that have it.

    Raises:
        InputError: the threshold is not valid.
        ModelError: no component takes a threshold for one call, or `threshold` names an operating point and a component
            has none.
    """
    pipes = {name: pipe for name, pipe in _relation_pipes(nlp).items() if _takes_threshold(pipe)}
    if threshold is None:
        has_default = [name for name, pipe in pipes.items() if default in getattr(pipe, "operating_points", ())]
        return {name: {"threshold": default} for name in has_default}
    if not pipes:
        raise ModelError(
            "No relation component of this pipeline takes a threshold for one job: set the threshold of the component "
            "in the pipeline."
        )
    if isinstance(threshold, str):
        for name, pipe in pipes.items():
            if not hasattr(pipe, "operating_points"):
                raise ModelError(f"'{name}' has no operating points: its threshold is a number, not '{threshold}'.")
    for pipe in pipes.values():
        if hasattr(pipe, "resolve_threshold"):
            pipe.resolve_threshold(threshold)  # refuses one that is not valid before anything is read
    return {name: {"threshold": threshold} for name in pipes}


def _takes_threshold(pipe: Any) -> bool:
    return "threshold" in signature(pipe.pipe if hasattr(pipe, "pipe") else pipe).parameters


def _thresholds_in_force(nlp: Language, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The thresholds that are used by the relation components, as numbers."""
    in_force = {}
    for name, pipe in _relation_pipes(nlp).items():
        threshold = settings.get(name, {}).get("threshold")
        if hasattr(pipe, "resolve_threshold"):
            in_force[name] = pipe.resolve_threshold(threshold)
        elif hasattr(pipe, "threshold"):
            in_force[name] = pipe.threshold if threshold is None else threshold
    return in_force


def _without_repeats(
    records: Iterable[Document | BadRecord], summary: ConvertSummary, bar: "tqdm[Any]"
) -> Iterator[Document | BadRecord]:
    """Leave out documents with the name and text of an earlier one, and count those with only one of both."""
    repeats = Repeats()
    for record in records:
        if isinstance(record, Document):
            repeat = repeats.add(record.id, _text(record))
            if repeat is Repeat.BOTH:
                summary.repeated += 1
                bar.update(record.size)
                continue
            summary.repeated_names += repeat is Repeat.NAME
            summary.repeated_texts += repeat is Repeat.TEXT
        yield record


def _saving_texts(records: Iterable[Document | BadRecord], folder: Path) -> Iterator[Document | BadRecord]:
    """Write the text of each document to a folder, as it goes by."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        if isinstance(record, Document):
            text = _text(record)
            with whole_file(folder / f"{text_digest(text)}.txt") as stream:
                stream.write(text.encode("utf-8", "replace"))
        yield record


def _text(document: Document) -> str:
    return document.content if isinstance(document.content, str) else document.content.text


@contextmanager
def _rejects(path: Path | None) -> Iterator[Callable[[BadRecord], None]]:
    """A function that writes a record and its reason to a file, or to standard error if there is no file."""
    if path is None:
        yield lambda bad: tqdm.write(_as_json(bad), file=sys.stderr)
        return
    stream: IO[bytes] | None = None
    with ExitStack() as stack:

        def put(bad: BadRecord) -> None:
            nonlocal stream
            stream = stream or stack.enter_context(whole_file(path))
            stream.write(_as_json(bad).encode("ascii") + b"\n")

        yield put
    if stream is None and path.is_file():  # it is of an earlier run
        path.unlink()


def _as_json(bad: BadRecord) -> str:
    row = {"source": bad.file, "line": bad.line, "id": bad.id, "reason": bad.reason, "record": None}
    if bad.record:
        row["record"] = bad.record.text
        if bad.record.left_out:
            row |= {"bytes_left_out": bad.record.left_out, "offset": bad.record.offset}
    return json.dumps(row)


def _triples(
    records: Iterable[Document | BadRecord],
    summary: ConvertSummary,
    nlp: Language,
    run: Run,
    say: _Say,
    *,
    base: str,
    batch_size: int,
    settings: dict[str, dict[str, Any]],
    set_aside: Callable[[BadRecord], None],
    bar: "tqdm[Any]",
    provenance: str,
    assert_above: float,
    text: bool,
) -> Iterator[Triple | Quad]:
    """The triples of all records in their order, then those of the run. Counts into `summary`."""
    started = datetime.now(timezone.utc)
    iris = Iris(base)
    made_of_label = f"{base}relation/"
    for batch in _batches(records, batch_size):
        for outcome in _read_batch(nlp, batch, say, settings):
            if isinstance(outcome, BadRecord):
                summary.rejected += 1
                set_aside(outcome)
                size = outcome.size
            else:
                document, digest, found, has_entities = outcome
                summary.without_entities += not has_entities
                summary.documents += 1
                summary.statements += len(found)
                summary.unmapped.update(said.label for said in found if said.predicate.startswith(made_of_label))
                yield from document_triples(
                    iris.document(document.id, digest),
                    document.id,
                    found,
                    base=base,
                    meta=document.meta,
                    provenance=provenance,
                    assert_above=assert_above,
                    text=text,
                )
                size = document.size
            bar.set_postfix(documents=summary.documents, statements=summary.statements, refresh=False)
            bar.update(size)
    if provenance != "none":
        yield from run_triples(
            run,
            base=base,
            started=started,
            ended=datetime.now(timezone.utc),
            documents=summary.documents,
            statements=summary.statements,
            rejected=summary.rejected,
        )


def _batches(records: Iterable[Document | BadRecord], size: int) -> Iterator[list[Document | BadRecord]]:
    batch: list[Document | BadRecord] = []
    characters = 0
    for record in records:
        batch.append(record)
        if isinstance(record, Document):
            characters += max(len(_text(record)), record.record_size)
        if len(batch) == size or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _read_batch(
    nlp: Language, batch: Sequence[Document | BadRecord], say: _Say, settings: dict[str, dict[str, Any]]
) -> list[_Read | BadRecord]:
    """The statements of each document, or the reason why it could not be processed.

    The Docs are not used after the call, so that a memory zone can be freed.
    """
    # Without a memory zone spaCy's vocabulary would grow with every new word of the corpus.
    with nullcontext() if nlp.vocab.in_memory_zone else nlp.memory_zone():
        docs = iter(_process(nlp, [record for record in batch if isinstance(record, Document)], settings))
        return [record if isinstance(record, BadRecord) else _read_doc(record, next(docs), say) for record in batch]


def _process(
    nlp: Language, documents: Sequence[Document], settings: dict[str, dict[str, Any]]
) -> list[Doc | Exception]:
    """Run the pipeline. Where a batch fails, its halves are tried, so that a bad document does not stop the others.

    spaCy's error handlers are left as they are: they are called with a whole batch, and pipes of others need not use
    them.
    """
    if not documents:
        return []
    try:
        docs = (document.content for document in documents)
        prepared = [nlp.make_doc(doc) if isinstance(doc, str) else doc.copy() for doc in docs]
        numbered = zip(prepared, range(len(prepared)), strict=True)
        read = nlp.pipe(numbered, as_tuples=True, batch_size=len(prepared), component_cfg=settings)
        done = {number: doc for doc, number in read}
    except (ModelError, ResourceError):
        raise  # no document's fault
    except Exception as error:
        if len(documents) == 1:
            return [error]
        middle = len(documents) // 2
        return _process(nlp, documents[:middle], settings) + _process(nlp, documents[middle:], settings)
    return [done.get(number, RuntimeError("the pipeline gave nothing back")) for number in range(len(documents))]


def _read_doc(document: Document, doc: Doc | Exception, say: _Say) -> _Read | BadRecord:
    error = doc
    if isinstance(doc, Doc):
        try:
            found = list(say(doc, document_id=document.id))
            return _Read(document, text_digest(doc.text), found, bool(doc.ents))
        except InputError as unusable:
            error = unusable
    reason = f"{type(error).__name__}: {error}"
    return BadRecord(document.id, reason, document.file, document.line, document.size, document.record)
