"""The commands that read text: `convert` and `tag`."""

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Annotated, TextIO, cast

import typer

from kgmrca.cli.options import (
    Base,
    Format,
    GraphOutput,
    InputFormat,
    PipelineOption,
    Provenance,
    RelationSource,
    ThresholdOption,
    load_pipeline,
    no_stream,
    number_or_name,
    suggest,
)
from kgmrca.cli.printing import columns
from kgmrca.cli.verbosity import JsonMessages
from kgmrca.errors import InputError, ModelError
from kgmrca.files import opened
from kgmrca.markup import one_line
from kgmrca.progress import counted, loading_shown
from kgmrca.triples.iris import DEFAULT_BASE

if TYPE_CHECKING:
    from collections import Counter

    from spacy.tokens import Doc

    from kgmrca.convert import ConvertSummary
    from kgmrca.corpora.inputs import Found


def convert_command(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Files, folders, glob patterns, their addresses (s3://BUCKET/FOLDER), or - for standard input. Plain "
            "text, Markdown, HTML, TEI and other XML, Word (.docx), PDF, CSV, TSV, Parquet, Arrow, JSON, JSON "
            "Lines, WARC and spaCy's DocBin (.spacy) are read, each also with .gz or .zst, and in .zip and .tar. "
            "A record has the key or column 'text', perhaps 'id', and any metadata.",
            show_default=False,
        ),
    ],
    output: GraphOutput,
    format: Format = None,
    ontology: Annotated[
        str,
        typer.Option(
            metavar="NAME_OR_FILE",
            autocompletion=suggest("wikidata", "dbpedia", "schema"),
            help="The ontology whose predicates are written: wikidata, dbpedia, schema, or a file of your own, which "
            "is an ontology (.ttl, .rdf, .owl, ...) or an SSSOM table (.tsv).",
        ),
    ] = "wikidata",
    provenance: Annotated[
        Provenance,
        typer.Option(
            help="The form in which a statement records its confidence and where it was read: an rdf:Statement, a "
            "named graph, an RDF 1.2 triple term, a node like Wikidata's, or none of them."
        ),
    ] = Provenance.statements,
    assert_above: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="CONFIDENCE",
            help="Write the plain triple beside each statement with at least this confidence. With a number above "
            "1, no plain triples are written. With --provenance none, only such triples are written.",
        ),
    ] = 0,
    sentence_text: Annotated[
        bool, typer.Option("--sentence-text", help="Write the sentence in which each statement was read.")
    ] = False,
    pipeline: PipelineOption = None,
    threshold: ThresholdOption = None,
    source: Annotated[
        RelationSource | None,
        typer.Option(
            help="Write the relations that this component of the pipeline finds, instead of those of kgmrca.",
            show_default=False,
        ),
    ] = None,
    base: Base = DEFAULT_BASE,
    batch_size: Annotated[
        int, typer.Option(min=1, help="The largest number of documents that are processed together.")
    ] = 64,
    input_format: Annotated[
        InputFormat | None,
        typer.Option(
            help="The format of all that is read.  [default: by the extension of each file; text on standard input]",
            show_default=False,
        ),
    ] = None,
    text_column: Annotated[
        str, typer.Option(metavar="NAME", help="The column of a table, or the key of a record, that has the text.")
    ] = "text",
    id_column: Annotated[
        str, typer.Option(metavar="NAME", help="The column or key that has the name of the document.")
    ] = "id",
    xml_text: Annotated[
        str | None,
        typer.Option(
            metavar="XPATH",
            help="Where the text is in XML, such as '//abstract'.  [default: the text of TEI]",
            show_default=False,
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The encoding of text without a mark, such as cp1252, or detect to guess it for each file.  [default: "
            "UTF-8, or what HTML and XML declare]",
            show_default=False,
        ),
    ] = None,
    save_text: Annotated[
        str | None,
        typer.Option(
            callback=no_stream,
            metavar="FOLDER",
            help="Write the texts that were read to this folder, in which the characters of mentions are counted. A "
            "file is named after the digest at the end of the IRI of its document.",
            show_default=False,
        ),
    ] = None,
    max_record_size: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="BYTES",
            help="The longest record that is read: a line, a row, an object, a page, or a file that is one document. "
            "A longer one is set aside. Word and PDF files, which have pictures too, may have 200,000,000.",
        ),
    ] = 16_000_000,
    rejected: Annotated[
        str | None,
        typer.Option(
            callback=no_stream,
            metavar="FILE",
            help="The file for the records that are set aside.  [default: OUT.rejected.jsonl, or standard error]",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The number of processes that read documents.  [default: as many as there are processors and memory "
            "for; one if INPUT or OUT is a stream, or if the input is small]",
            show_default=False,
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|local",
            help="Read on a Ray cluster: its address (HOST:PORT, or auto for that of this machine), or local to start "
            "one here.",
        ),
    ] = None,
    gpus_per_worker: Annotated[
        float, typer.Option(min=0, help="How much of a GPU each worker on the cluster has, such as 0.25.")
    ] = 0.0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, whatever an interrupted command has done already.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print which files would be read, in which format, with their bytes.")
    ] = False,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Say how long each stage of the work and each component took. This is slower."),
    ] = False,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Print progress and messages as lines of JSON to standard error.")
    ] = False,
) -> None:
    """Find the relations in documents and write them as RDF.

    Each statement has its confidence and the place in the text where it was read. A record that cannot be used is set
    aside with the reason, and the others are converted.

    If the command is interrupted or killed, the same command goes on where it was: what is done is kept in the folder
    .OUT.job until OUT is whole, unless it is less than 250,000 characters, or INPUT or OUT is a stream. If OUT is an
    address, that folder is in the cache of the user. What was found is counted in OUT.summary.json.

    Exit code 1 means that the command has finished, but has set records aside.

    \b
    Examples:
      kgmrca convert articles/ 'more/*.txt' -o graph.ttl
      kgmrca convert news.jsonl.gz -o graph.nq.gz --provenance graphs --threshold 0.8
      kgmrca convert news/ -o graph.nq --workers 4 --log-json 2> log.jsonl
      kgmrca convert news/ -o shards/
      kgmrca convert letters.txt -o graph.ttl --threshold complete --ontology dbpedia
      kgmrca convert papers.zip table.csv -o graph.ttl --text-column abstract --save-text texts/
      kgmrca convert s3://news/2024/ -o s3://graphs/2024.nq.gz
      kgmrca convert - -o - --input-format jsonl < news.jsonl | grep P19
    """
    if log_json:
        sys.stderr = cast("TextIO", JsonMessages(sys.stderr))
    with loading_shown():
        from kgmrca.convert import convert, find, summary_path
        from kgmrca.corpora.formats import ReadOptions

    read_as = input_format and input_format.value
    if dry_run:
        _print_files(*find(inputs, output, input_format=read_as, encoding=encoding))
        return
    chosen = None if threshold is None else number_or_name(threshold)
    begun = time.perf_counter()
    nlp = None if pipeline is None else load_pipeline(pipeline, adds_relations=source is None)
    loading = time.perf_counter() - begun
    summary = convert(
        inputs,
        output,
        nlp=nlp,
        format=format and format.value,
        base=base,
        threshold=chosen,
        default_operating_point="precise",  # the reader of a graph cannot choose another threshold
        batch_size=batch_size,
        input_format=read_as,
        read_options=ReadOptions(text_column, id_column, xml_text, encoding),
        save_text=save_text,
        max_record_size=max_record_size,
        rejected=rejected,
        ontology=ontology,
        provenance=provenance.value,
        assert_above=assert_above,
        sentence_text=sentence_text,
        source=source and source.value,
        workers=workers,
        ray=ray,
        gpus_per_worker=gpus_per_worker,
        restart=restart,
        by_component=profile,
        progress="json" if log_json else None,
    )
    if nlp:
        summary.took("loading", loading)
        summary.took("wall", loading)
    if summary_to := summary_path(output):
        with opened(summary_to) as file:
            file.write(json.dumps(summary.as_dict(), indent=2).encode("ascii") + b"\n")
    print(_in_words(summary, output), file=sys.stderr)
    if log_json:
        print(json.dumps({"event": "done"} | summary.as_dict()), file=sys.stderr)
    elif profile:
        print(_times(summary), file=sys.stderr)
    if summary.unmapped:
        labels = ", ".join(f"'{label}' {count:,}" for label, count in summary.unmapped.most_common())
        print(
            f"kgmrca: {summary.unmapped.total():,} statements have a predicate made of their label, because the "
            f"ontology has none for it: {labels}",
            file=sys.stderr,
        )
    if summary.documents and summary.without_entities == summary.documents:
        print(
            "kgmrca: no document has an entity. If there are names in the texts, put a component that finds them, such "
            "as 'ner', before the one that finds relations.",
            file=sys.stderr,
        )
    if summary.rejected:
        raise typer.Exit(1)


def _print_files(found: "Found", done: int) -> None:
    """Print what would be read: files on standard output, the sum on standard error."""
    print("\t".join(("file", "format", "bytes")))
    for file in found.files:
        print("\t".join((one_line(file.name), file.format, "" if file.size is None else str(file.size))))
    size = sum(file.size or 0 for file in found.files)
    parts = [f"{counted(len(found.files), 'file')} with {counted(size, 'byte')} would be read"]
    parts += [f"'{folder}': {reason}" for folder, reason in found.failed]
    if found.skipped:
        parts.append(_skipped(found.skipped))
    if done:
        parts.append(f"{counted(done, 'shard is', 'shards are')} done already")
    print("kgmrca: " + "; ".join(parts), file=sys.stderr)


def _skipped(skipped: "Counter[str]") -> str:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(skipped.items()))
    return f"{counted(skipped.total(), 'file')} in folders and archives not read ({kinds})"


def _times(summary: "ConvertSummary") -> str:
    """How long each stage took, the longest first, and what share of the whole that is."""
    seconds = dict(summary.seconds)
    wall = seconds.pop("wall")
    rows = [("stage", "seconds", "of wall time")]
    for stage, taken in sorted([*seconds.items(), ("wall", wall)], key=lambda row: -row[1]):
        rows.append((stage, f"{taken:.2f}", f"{taken / wall:.0%}"))
    return columns(rows)


def tag_command(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="A sentence or more, in quotes; or - to read it from standard input."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the relations as JSON instead of the table.")] = False,
    pipeline: PipelineOption = None,
    threshold: ThresholdOption = None,
) -> None:
    """Find the relations in a text and print them as a table.

    Each row is one relation: its subject and object with their types, its label, and its score from 0 to 1. An entity
    has its most telling name there, whatever words mean it: "She was born in Warsaw." has a row about Marie Curie.

    \b
    Examples:
      kgmrca tag "Marie Curie was born in Warsaw, the capital of Poland."
      kgmrca tag "Marie Curie was born in Warsaw." --threshold complete --json
      kgmrca tag - < letter.txt
    """
    from kgmrca.convert import check_entities, threshold_settings

    chosen = None if threshold is None else number_or_name(threshold)
    content = _read_text(text)
    nlp = load_pipeline(pipeline, adds_relations=True)
    check_entities(nlp)
    if len(content) > nlp.max_length:
        raise InputError(
            f"The text has {len(content):,} characters, and the pipeline takes {nlp.max_length:,} at once: cut it into "
            "documents, and use `kgmrca convert`."
        )
    (doc,) = nlp.pipe([content], component_cfg=threshold_settings(nlp, chosen))
    if doc._.relations is None:
        raise ModelError("No component of this pipeline finds relations: add one, such as 'mrca_relations'.")
    if not doc._.relations:
        print(_nothing_found(doc), file=sys.stderr)
    if as_json:
        from kgmrca.relations import as_dict

        print(json.dumps(as_dict(doc), indent=2, ensure_ascii=False))
    elif doc._.relations:
        print(_as_table(doc))


def _read_text(text: str) -> str:
    if text == "-":
        try:
            content = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"Standard input is not UTF-8 text: {error}.") from error
    elif os.path.isfile(text):  # noqa: PTH113 (a Path raises where the text is too long for a name)
        raise InputError(
            f"'{text}' is a file, and `kgmrca tag` takes the text itself: run `kgmrca tag - < '{text}'`, or use "
            "`kgmrca convert` for files."
        )
    else:
        content = text
    if not content.strip():
        raise InputError("The text is empty: give a sentence in quotes, or - to read it from standard input.")
    return content


def _nothing_found(doc: "Doc") -> str:
    entities = doc._.entities
    names = ", ".join(f"{one_line(entity.name)} ({entity.mentions[0].label_})" for entity in entities)
    if len(entities) < 2:
        found = f"one entity only: {names}" if names else "no entities"
        return f"kgmrca: No relations were found, because the pipeline found {found}. A relation needs two entities."
    return f"kgmrca: No relations were found between the entities {names}. A lower --threshold may show some."


def _as_table(doc: "Doc") -> str:
    from kgmrca.relations import entity_numbers

    entities, numbers = doc._.entities, entity_numbers(doc)
    rows = [("subject", "type", "label", "object", "type", "score")]
    for relation in doc._.relations:
        ends = []
        for span in (relation.subject, relation.object):
            number = numbers.get((span.start_char, span.end_char))
            entity = None if number is None else entities[number]
            ends.append((entity.name, entity.mentions[0].label_) if entity else (span.text, span.label_))
        (subject, subject_type), (object_, object_type) = ends
        cells = (subject, subject_type, relation.label, object_, object_type)
        rows.append((*map(one_line, cells), f"{relation.score:.2f}"))  # type: ignore[arg-type]
    return columns(rows)


def _in_words(summary: "ConvertSummary", output: str) -> str:
    parts = [f"{counted(summary.documents, 'document')}, {counted(summary.statements, 'statement')}"]
    if output != "-":
        parts[0] += f" -> {output}"
    if summary.rejected:
        parts.append(f"{counted(summary.rejected, 'record')} set aside -> {summary.rejected_to or 'standard error'}")
    for count, noun, words in (
        (summary.repeated, "record", "left out, because a document with the same name and text was there before"),
        (summary.repeated_names, "document", "with the name of an earlier one, but another text"),
        (summary.repeated_texts, "document", "with the text of an earlier one, but another name"),
    ):
        if count:
            parts.append(f"{counted(count, noun)} {words}")
    if summary.skipped:
        parts.append(_skipped(summary.skipped))
    return "kgmrca: " + "; ".join(parts)
