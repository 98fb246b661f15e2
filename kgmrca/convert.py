"""The batch job: documents in, one RDF file out, bad records set aside, in bounded memory, and resumed if killed."""

import hashlib
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from functools import partial
from inspect import signature
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard, cast

from pyoxigraph import Quad, Triple
from spacy.language import Language
from tqdm import tqdm

from kgmrca.corpora.documents import MAX_RECORD_SIZE, BadRecord, Document, read_documents
from kgmrca.corpora.formats import ReadOptions
from kgmrca.corpora.inputs import Found, find_inputs, is_read_from_folders
from kgmrca.corpora.repeats import Repeat, Repeats
from kgmrca.errors import InputError, ModelError
from kgmrca.files import (
    STANDARD,
    check_folder,
    check_outputs,
    opened,
    real_path,
    target_of,
    temporary_folder,
    whole_file,
)
from kgmrca.jobs.machine import default_workers
from kgmrca.jobs.manifest import Counts, Manifest, job_folder, open_manifest
from kgmrca.jobs.reading import Reader
from kgmrca.jobs.run import do_shards, rejected_of, run_shards, triples_of
from kgmrca.jobs.shards import Shard, shards_of
from kgmrca.ontology import ONTOLOGIES, Ontology, load_ontology
from kgmrca.progress import counted, progress_bar
from kgmrca.relations import Threshold
from kgmrca.remote import is_remote, remove
from kgmrca.triples.formats import chosen_format, write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, text_digest
from kgmrca.triples.records import Run
from kgmrca.triples.sources import SOURCES
from kgmrca.triples.write import run_triples

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = [
    "ConvertSummary",
    "check_entities",
    "convert",
    "convert_dataset",
    "find",
    "operating_points",
    "summary_path",
    "takes_threshold",
    "threshold_settings",
    "thresholds_in_force",
]

logger = logging.getLogger(__name__)

_Engine: TypeAlias = Callable[..., object] | None

_JOB, _RUN = ".job", "run.nq"  # in a folder that is the output


@dataclass(slots=True)
class ConvertSummary(Counts):
    """What `convert` did.

    Attributes:
        documents: the number of documents that were converted.
        sentences: the number of their sentences.
        entities: the number of entities that statements name, each counted once in each document.
        statements: the number of statements that were found in them.
        rejected: the number of records that could not be used and were set aside.
        rejected_to: the file with these records. It is None if there are no such records, or if they were written to
            standard error.
        skipped: the number of files in folders and archives that were not read, by extension.
        predicates: the number of statements by the IRI of their predicate.
        unmapped: the number of statements by label, for labels that the ontology has no predicate for. Their predicate
            is made of the label.
        repeated: the number of records that were left out, because an earlier document has the same name and text.
        repeated_names: the number of documents that have the name of an earlier one, but another text.
        repeated_texts: the number of documents that have the text of an earlier one, but another name.
        without_entities: the number of documents without entities.
        seconds: the time that each stage of the work took, those of all processes together; and as `wall` the time of
            the whole call.
        bytes: how much of the input was read, as it is stored.
    """

    rejected_to: str | Path | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    repeated_names: int = 0
    repeated_texts: int = 0
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        seconds = {stage: round(taken, 3) for stage, taken in self.seconds.items()}
        counters = {name: dict(found[name].most_common()) for name in ("predicates", "unmapped", "skipped")}
        return found | counters | {"seconds": seconds, "rejected_to": self.rejected_to and str(self.rejected_to)}


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
    workers: int | None = 1,
    ray: str | None = None,
    gpus_per_worker: float = 0.0,
    restart: bool = False,
    by_component: bool = False,
    progress: bool | Literal["json"] | None = None,
) -> ConvertSummary:
    """Read documents, find the relations in them, and write these as RDF with confidence and provenance.

    A record is left out if an earlier document has the same name and the same text. Documents that share only the name
    or only the text are different documents, and are counted. Comparing them takes about 50 bytes of memory per
    document (see `Repeats`).

    The same input gives the same bytes, except for the description of the run, which comes last. After any error that
    is not the fault of a single record, `output` is not written, and an earlier file of that name is not changed.

    Files are read in shards of up to 1,000 documents or 250,000 characters. If there are several, what is done of them
    is kept in a folder beside the output (`.OUT.job`) until the output is whole. So the same call after an
    interruption, however hard, does only what is missing. If the input, the pipeline or an option has changed
    meanwhile, what depends on it is done again. There is no such folder if the input or the output is a stream. Where
    the output is an address, it is in the user's cache on this machine.

    Args:
        inputs: files, folders, glob patterns, addresses such as "s3://bucket/folder", or "-" for standard input (see
            `find_inputs`).
        output: a file, an address such as "s3://bucket/graph.ttl", "-" for standard output, or a binary stream. What is
            at an address is seen there only when it is complete. A name that ends in "/" is that of a folder, in
            which the shards are left as they are, as N-Quads, with the description of the run in `run.nq`. The same
            call with more input adds to it.
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
        save_text: a folder of this machine for the texts that were read, in UTF-8. The characters of a mention are
            counted in them. A file is named after the digest at the end of the IRI of its document: `DIGEST.txt`.
        max_record_size: the length that a record may have, in bytes (see `read_documents`). A longer one is set aside,
            and is not held in memory.
        rejected: the file or address for the records that could not be used, as JSONL with the reasons. Of each record,
            it holds the first 10,000 bytes. The default is `OUT.rejected.jsonl` beside `output`, or standard error if
            `output` is no file. If all records could be used, no file is written, and that of an earlier job is
            removed.
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
        workers: how many processes read shards; None: as many as the machine has processors and memory for, but only
            this one if the input or the output is a stream. They are forked where that is safe, and then they share the
            pipeline. Elsewhere each process loads it. Then it must be one that can be stored (as with `nlp.to_disk`),
            and a script that calls this must have its own work under `if __name__ == "__main__"`. With `ray`, None
            means as many as the cluster has place for.
        ray: the Ray cluster that reads the shards: "local" for one of this machine alone, or an address (see
            `kgmrca.jobs.on_ray`).
        gpus_per_worker: how much of a GPU each worker on the cluster has.
        restart: begin anew, whatever is done of an earlier job with this output.
        by_component: run one component of the pipeline after the other, and take the time of each. This is slower.
        progress: True shows a progress bar on standard error, and False shows nothing. The default is a bar on a
            terminal, and otherwise a line from time to time; "json": such a line is JSON.

    Raises:
        InputError: an argument cannot be used.
        ModelError: the pipeline finds no relations, takes no threshold, or gives no entities to its relation component.
        OutputError: `output` or `rejected` cannot be written.

    Example:
        >>> from kgmrca.convert import convert
        >>> summary = convert("articles/", "graph.ttl", threshold="precise")  # doctest: +SKIP
    """
    Iris(base)  # refuse a bad base before anything is loaded
    if batch_size < 1 or max_record_size < 1 or (workers is not None and workers < 1):
        raise InputError("The batch size, the size of records and the number of workers must be at least 1.")
    begun = time.perf_counter()
    with ExitStack() as stack:
        folder = _output_folder(output)
        if folder:
            stack.enter_context(_made_folder(folder))
            output = folder / _RUN
        target_of(output)
        format = chosen_format(format, output, provenance=provenance)
        if folder and format != "nquads":
            raise InputError(f"A folder of shards has N-Quads, not the format '{format}'.")
        if not assert_above >= 0:
            raise InputError(f"The confidence from which to assert must be 0 or more, not {assert_above}.")
        predicates = load_ontology(ontology)
        rejected_to = _rejected_path(rejected, output, folder)
        if save_text is not None and is_remote(save_text):
            raise InputError(f"The texts are written to a folder of this machine, not to '{save_text}'.")
        _threshold_of_source(source, threshold)  # refuse it before anything is loaded
        options = read_options or ReadOptions()
        found = _find(inputs, input_format, options, output, rejected_to, is_default=rejected is None)
        if ontology not in ONTOLOGIES:
            check_outputs([output, rejected_to], [ontology], what="the ontology")
        if nlp and nlp.path:
            check_outputs([output, rejected_to], [nlp.path], what="a file of the pipeline", takes=Path.exists)
        summary = ConvertSummary(skipped=found.skipped)
        bar = stack.enter_context(progress_bar(progress, total=_size_of(found), unit="B", unit_scale=True))
        if nlp is None:
            bar.set_description("loading ...")
            with summary.timed("loading"):
                nlp = _shipped_pipeline()
            bar.set_description(None)
        if source is None and not any(file.format == "docbin" for file in found.files):  # whose Docs may have entities
            check_entities(nlp)
        reader = _reader(
            nlp,
            predicates,
            threshold=threshold,
            default_operating_point=default_operating_point,
            name=ontology.name if isinstance(ontology, Path) else ontology,
            base=base,
            source=source,
            batch_size=batch_size,
            provenance=provenance,
            assert_above=assert_above,
            sentence_text=sentence_text,
            by_component=by_component,
        )
        records = read_documents(
            found, vocab=nlp.vocab, max_length=nlp.max_length, max_record_size=max_record_size, options=options
        )
        if save_text is not None:
            records = _saving_texts(records, Path(save_text))
        kept_in = folder / _JOB if folder else _folder_of(output, found)
        do: _Engine
        if ray is not None:
            do = partial(_on_ray(), address=ray, workers=workers, gpus=gpus_per_worker)
        else:
            workers = workers or (default_workers() if kept_in else 1)
            do = partial(do_shards, workers=workers) if kept_in or workers > 1 else None
        shortcut = ray is None and folder is None
        job = _Job(reader, _settings(reader, ontology), summary, bar, output, rejected_to, format, do, folder, shortcut)
        job.do(_without_repeats(records, summary, bar), kept_in, restart=restart)
    summary.rejected_to = rejected_to if summary.rejected else None
    summary.seconds["wall"] = time.perf_counter() - begun
    return summary


def find(
    inputs: str | Path | Iterable[str | Path],
    output: str | Path,
    *,
    input_format: str | None = None,
    encoding: str | None = None,
) -> tuple[Found, int]:
    """What `convert` would read, and how many shards of it an interrupted call has done already.

    Raises:
        InputError: there is nothing to read, or the output would be read.
    """
    options = ReadOptions(encoding=encoding)
    folder = _output_folder(output)
    if not folder:
        target_of(output)
    # Into a folder that is not there yet nothing is written that would be read.
    checked = (folder / _RUN if folder.is_dir() else STANDARD) if folder else output
    rejected_to = _rejected_path(None, checked, folder if checked != STANDARD else None)
    found = _find(inputs, input_format, options, checked, rejected_to, is_default=True)
    job = folder / _JOB if folder else _folder_of(output, found)
    return found, len(Manifest(job, folder).done) if job else 0


def summary_path(output: str | Path) -> str | Path | None:
    """Where a summary of a job is written: beside its output or in it; None if that is a stream or a device."""
    if is_remote(output):
        return f"{output}.summary.json"
    target = Path(output)
    if (folder := _output_folder(output)) or target.name == _RUN:
        return (folder or target.parent) / "summary.json"
    if output == STANDARD or (target.exists() and not target.is_file()):
        return None
    return target.with_name(f"{target.name}.summary.json")


def convert_dataset(
    dataset: "Dataset",
    *,
    nlp: Language | None = None,
    text: str = "text",
    id: str = "id",
    base: str = DEFAULT_BASE,
    threshold: Threshold | None = None,
    batch_size: int = 64,
    ontology: str | Path = "wikidata",
    provenance: str = "statements",
    assert_above: float = 0.0,
    sentence_text: bool = False,
    workers: int | None = None,
    gpus_per_worker: float = 0.0,
) -> "Dataset":
    """Find the relations in the texts of a Ray Dataset, on the cluster that it is on.

    Args:
        dataset: rows with a text and a name. Their other columns become metadata of the documents.
        nlp: a pipeline with a relation component, which can be stored. The default is the one that ships with the
            package.
        text: the column with the texts.
        id: the column with the names of the documents.
        base, threshold, batch_size, ontology, provenance, assert_above, sentence_text: see `convert`.
        workers: how many workers; None: as many as the cluster has place for.
        gpus_per_worker: how much of a GPU each of them has.

    Returns:
        A Dataset with one row for each of `dataset`: `id`, `rdf` (N-Quads), `statements` (how many), and `reason` (why
        it could not be read, otherwise None). `kgmrca merge` makes one graph of what is written of it. Each `rdf` has
        the description of the run too, without its times and counts, which no worker knows.

    Raises:
        InputError: an argument cannot be used, or the Dataset has no such column.
        ModelError: the pipeline finds no relations.

    Example:
        >>> rows = convert_dataset(ray.data.read_parquet("s3://bucket/papers"), text="abstract")  # doctest: +SKIP
        >>> rows.write_parquet("s3://bucket/graph")  # doctest: +SKIP
    """
    from kgmrca.jobs.on_ray import read_dataset

    Iris(base)
    chosen_format("nquads", "-", provenance=provenance)
    reader = _reader(
        nlp or _shipped_pipeline(),
        load_ontology(ontology),
        threshold=threshold,
        name=ontology.name if isinstance(ontology, Path) else ontology,
        base=base,
        batch_size=batch_size,
        provenance=provenance,
        assert_above=assert_above,
        sentence_text=sentence_text,
    )
    return read_dataset(dataset, reader, text=text, id=id, workers=workers, gpus=gpus_per_worker)


def _reader(
    nlp: Language,
    predicates: Ontology,
    *,
    threshold: Threshold | None,
    name: str,
    default_operating_point: str | None = None,
    source: str | None = None,
    **how: Any,
) -> Reader:
    """What reads documents with a pipeline, after a look whether the pipeline can.

    Raises:
        InputError, ModelError: see `convert`.
    """
    _check_labels(nlp, predicates)
    threshold_of_source = _threshold_of_source(source, threshold)
    settings: dict[str, dict[str, Any]] = {}
    parameters: dict[str, Any] = {"source": source, "threshold": threshold_of_source}
    if source is None:
        settings = threshold_settings(nlp, threshold, default_operating_point)
        parameters = {"threshold": thresholds_in_force(nlp, settings)}
    run = Run.of(nlp, parameters={**parameters, "ontology": name})
    return Reader(nlp, settings, run, ontology=predicates, source=source, threshold=threshold_of_source, **how)


@dataclass(frozen=True, slots=True)
class _Job:
    """Reads records and writes what is found in them.

    Attributes:
        engine: does shards, such as `do_shards`; None if all is read as one stream.
        parts: the folder where the shards are left, if they are the output.
        may_shorten: whether the records of a single shard are read as a stream too.
    """

    reader: Reader
    settings: dict[str, Any]
    summary: ConvertSummary
    bar: "tqdm[Any]"
    output: str | Path | IO[bytes]
    rejected_to: str | Path | None
    format: str
    engine: _Engine
    parts: Path | None
    may_shorten: bool

    def do(self, records: Iterable[Document | BadRecord], folder: Path | None, *, restart: bool) -> None:
        """Read records in shards if there is a folder for them, or several workers, and more records than one shard."""
        if self.engine is None:
            self._write_at_once(self.summary.timing(records, "reading"))
            return
        shards = self.summary.timing(shards_of(records, settings=json.dumps(self.settings)), "reading")
        first = list(islice(shards, 2))
        if len(first) < 2 and self.may_shorten and not (folder and folder.is_dir()):
            self._write_at_once(record for shard in first for record in shard.records)
            return
        with ExitStack() as stack:
            folder = folder or stack.enter_context(temporary_folder(None)) / "job"
            manifest = stack.enter_context(open_manifest(folder, self.parts, restart=restart))
            do = partial(self.engine, reader=self.reader, manifest=manifest)
            self._write_in_shards(chain(first, shards), manifest, do)

    def _write_at_once(self, records: Iterable[Document | BadRecord]) -> None:
        with opened(self.output) as out, _rejects(self.rejected_to) as set_aside:
            self._write(
                self.reader.triples(records, self.summary, set_aside=set_aside, progress=self._show), out, _now()
            )

    def _write_in_shards(self, shards: Iterable[Shard], manifest: Manifest, do: Callable[..., object]) -> None:
        started = _now()
        before = set(manifest.done)
        changed = manifest.changed(self.settings)
        if before:
            done_before = counted(len(before), "shard was", "shards were")
            logger.warning("kgmrca: %s done before; going on with '%s'.", done_before, manifest.folder)
        if before and changed:
            logger.warning("kgmrca: Since then these have changed: %s. All is read again.", ", ".join(changed))

        def done(counts: Counts, size: int) -> None:
            self.summary.add(counts)
            self._show(size)

        order = run_shards(shards, manifest, do=do, done=done)
        if not changed and (unused := before.difference(order)):
            logger.warning("kgmrca: The input of %d of these shards has changed; it was read again.", len(unused))
        with (
            self.summary.timed("assembling"),
            opened(self.output) as out,
            _rejects(self.rejected_to) as set_aside,
        ):
            self._write(() if self.parts else triples_of(manifest, order), out, started)
            for record in rejected_of(manifest, order):
                set_aside(record)
        if self.parts:
            manifest.keep(order)

    def _write(self, triples: Iterable[Triple | Quad], out: IO[bytes], started: datetime) -> None:
        write(chain(triples, self._of_run(started)), out, format=self.format, base=self.reader.base)
        out.flush()

    def _of_run(self, started: datetime) -> Iterator[Triple]:
        """The description of the run; a generator, as the counts are known only when all else is written."""
        if self.reader.provenance != "none":
            yield from run_triples(
                self.reader.run,
                base=self.reader.base,
                started=started,
                ended=_now(),
                documents=self.summary.documents,
                statements=self.summary.statements,
                rejected=self.summary.rejected,
            )

    def _show(self, size: int) -> None:
        counts = {"documents": self.summary.documents, "statements": self.summary.statements}
        if self.summary.rejected:
            counts["rejected"] = self.summary.rejected
        self.summary.bytes += size
        self.bar.set_postfix(counts, refresh=False)
        self.bar.update(size)


def _on_ray() -> Callable[..., object]:
    from kgmrca.jobs.on_ray import do_on_ray  # imports pickle and sockets that no other job needs

    return do_on_ray


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _folder_of(output: str | Path | IO[bytes], found: Found) -> Path | None:
    """Where what is done of a job is kept; None if the output is no file beside which there is a place.

    None too if an input is a stream. That cannot be read a second time, and its documents may come slowly.
    """
    is_stored = is_remote(output) or _is_file(output)
    return job_folder(cast("str | Path", output)) if is_stored and _size_of(found) is not None else None


def _is_file(output: str | Path | IO[bytes]) -> TypeGuard[str | Path]:
    """Whether it is a file of this machine, or will be one: no stream, and no device such as /dev/null."""
    if output == STANDARD or not isinstance(output, str | Path) or is_remote(output):
        return False
    return Path(output).is_file() or not Path(output).exists()


def _output_folder(output: str | Path | IO[bytes]) -> Path | None:
    """The folder that is the output; None if it is a file or a stream."""
    is_folder = isinstance(output, str) and output.endswith(("/", os.sep)) and not is_remote(output)
    return Path(cast(str, output)) if is_folder else None


@contextmanager
def _made_folder(folder: Path) -> Iterator[None]:
    """Make the folder that is the output; it is removed again if nothing is written into it.

    Raises:
        InputError: it has other files, or there is no folder to make it in.
        OutputError: nothing may be written there.
    """
    check_folder(folder)
    if folder.exists() and not (folder / _JOB).is_dir() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"'{folder}' has other files than those of such a job: name a new folder.")
    folder.mkdir(exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()


def _size_of(found: Found) -> int | None:
    """The bytes of all that is read, as it is stored; None if that is not known before reading."""
    sizes = [file.size for file in found.files if file.size is not None]
    return sum(sizes) if len(sizes) == len(found.files) else None


def _settings(reader: Reader, ontology: str | Path) -> dict[str, Any]:
    """All but the records that decides what is found in them and how it is written, by the names that users know."""
    return {
        "version": reader.run.software_version,
        "pipeline": [reader.run.model, reader.run.model_version, reader.run.model_digest, _digest_of(reader.nlp.path)],
        "thresholds": reader.run.parameters,
        "base": reader.base,
        "ontology": str(ontology)
        if ontology in ONTOLOGIES
        else hashlib.sha256(Path(ontology).read_bytes()).hexdigest(),
        "source": reader.source,
        "provenance": reader.provenance,
        "assert_above": reader.assert_above,
        "sentence_text": reader.sentence_text,
    }


def _digest_of(pipeline: Path | None) -> str | None:
    """The digest of all files of a pipeline, as components of others do not say which weights they have."""
    if pipeline is None or not pipeline.is_dir():
        return None
    digest = hashlib.sha256()
    for path in sorted(pipeline.rglob("*")):
        if path.is_file():
            content = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    content.update(block)
            digest.update(path.relative_to(pipeline).as_posix().encode("utf-8", "replace") + content.digest())
    return digest.hexdigest()


def _threshold_of_source(source: str | None, threshold: Threshold | None) -> float | None:
    """The score from which relations of another component are kept; None for ours, and for its own threshold."""
    if source is None:
        return None
    if source not in SOURCES:
        raise InputError(f"There is no source '{source}' of relations: choose one of {', '.join(SOURCES)}.")
    if threshold is None or isinstance(threshold, int | float):
        return threshold
    raise InputError(f"With the source '{source}', the threshold is one number from 0 to 1, not {threshold!r}.")


def _rejected_path(
    rejected: str | Path | None, output: str | Path | IO[bytes], folder: Path | None
) -> str | Path | None:
    if rejected is not None:
        return rejected if is_remote(rejected) else target_of(Path(rejected))
    if folder:
        return folder / "rejected.jsonl"
    if is_remote(output):
        return f"{output}.rejected.jsonl"
    # Beside a device such as /dev/null there is no place for a file.
    return Path(f"{output}.rejected.jsonl") if _is_file(output) else None


def _find(
    inputs: str | Path | Iterable[str | Path],
    input_format: str | None,
    options: ReadOptions,
    output: str | Path | IO[bytes],
    rejected_to: str | Path | None,
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
    # At an address these files are known by their names: see `is_read_from_folders`.
    leave_out = {real_path(rejected_to)} if isinstance(rejected_to, Path) and is_default else set()
    if isinstance(output, str | Path) and isinstance(summary := summary_path(output), Path):
        leave_out.add(real_path(summary))
    found = find_inputs(inputs, input_format=input_format, leave_out=leave_out, encoding=options.encoding)
    files = [file.address or file.path or STANDARD for file in found.files]
    folders = [name for name in inputs if Path(name).is_dir() or is_remote(name)]
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


def check_entities(nlp: Language) -> None:
    """Check that a component before the relation components can give them entities.

    Raises:
        ModelError: no component can.
    """
    pipes = _relation_pipes(nlp)
    if not pipes:
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


def takes_threshold(nlp: Language) -> bool:
    """Whether `threshold_settings` takes a threshold for the pipeline."""
    return any(map(_takes_threshold, _relation_pipes(nlp).values()))


def operating_points(nlp: Language) -> dict[str, float]:
    """The operating points of the pipeline's relation components by name, with their thresholds."""
    pipes = _relation_pipes(nlp).values()
    return {name: number for pipe in pipes for name, number in getattr(pipe, "operating_points", {}).items()}


def _takes_threshold(pipe: Any) -> bool:
    return "threshold" in signature(pipe.pipe if hasattr(pipe, "pipe") else pipe).parameters


def thresholds_in_force(nlp: Language, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
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
            repeat = repeats.add(record.id, record.text)
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
        # A file is called after what is in it, so that one from an earlier run is the same.
        if isinstance(record, Document) and not (path := folder / f"{text_digest(record.text)}.txt").is_file():
            with whole_file(path) as stream:
                stream.write(record.text.encode("utf-8", "replace"))
        yield record


@contextmanager
def _rejects(path: str | Path | None) -> Iterator[Callable[[str], None]]:
    """A function that writes a record and its reason to a file, or to standard error if there is no file."""
    if path is None:
        yield lambda record: tqdm.write(record, file=sys.stderr)
        return
    stream: IO[bytes] | None = None
    with ExitStack() as stack:

        def put(record: str) -> None:
            nonlocal stream
            stream = stream or stack.enter_context(opened(path))
            stream.write(record.encode("ascii") + b"\n")

        yield put
    if stream is None:  # what is there is of an earlier run
        if is_remote(path):
            remove(path)
        elif Path(path).is_file():
            Path(path).unlink()
