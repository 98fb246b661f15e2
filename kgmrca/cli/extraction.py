"""The command that reads text: `convert`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgmrca.cli.options import Base, Format, InputFormat, Output, Provenance, load_pipeline, number_or_name
from kgmrca.triples.iris import DEFAULT_BASE

if TYPE_CHECKING:
    from kgmrca.convert import Summary


def convert_command(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, glob patterns, or - for standard input: text (.txt, .md, any other), "
            "JSONL (.jsonl, .ndjson; one object a line with 'text', perhaps 'id', and metadata), DocBin (.spacy).",
            show_default=False,
        ),
    ],
    output: Output,
    format: Format = None,
    ontology: Annotated[
        str,
        typer.Option(
            metavar="NAME_OR_FILE",
            help="Whose predicates are written: wikidata, dbpedia, schema, or a file of your own, an ontology (.ttl, "
            ".rdf, .owl, ...) or an SSSOM table (.tsv).",
        ),
    ] = "wikidata",
    provenance: Annotated[
        Provenance,
        typer.Option(
            help="How a statement says how sure it is and where it was read: as an rdf:Statement, a named graph, an "
            "RDF 1.2 triple term, a statement node like Wikidata's, or not at all."
        ),
    ] = Provenance.statements,
    assert_above: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SCORE",
            help="From which score the plain triple is written too (2: never); with --provenance none, which "
            "statements are written at all.",
        ),
    ] = 0,
    sentence_text: Annotated[
        bool, typer.Option("--sentence-text", help="Write the text of each statement's sentence too.")
    ] = False,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_PATH", help="A spaCy pipeline that finds relations.  [default: the one that ships]"
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_NUMBER",
            help="The score from which a relation counts: a number from 0 to 1, or precise, balanced or complete, if "
            "the pipeline is calibrated.  [default: precise if it is, else the pipeline's own]",
        ),
    ] = None,
    base: Base = DEFAULT_BASE,
    batch_size: Annotated[int, typer.Option(min=1, help="How many documents are processed together at most.")] = 64,
    input_format: Annotated[
        InputFormat | None,
        typer.Option(help="By default by extension; text on standard input.", show_default=False),
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to put records that cannot be used.  [default: OUT.rejected.jsonl, or standard error]",
        ),
    ] = None,
) -> None:
    """Find the relations in documents and write them as RDF, with confidence and provenance.

    Exit code 1 means: done, but some records could not be used; they are set aside with their reasons.

    \b
    Examples:
      kgmrca convert articles/ 'more/*.txt' -o graph.ttl
      kgmrca convert news.jsonl.gz -o graph.nq.gz --provenance graphs --threshold 0.8
      kgmrca convert letters.txt -o graph.ttl --threshold complete --ontology dbpedia
      kgmrca convert - -o - --input-format jsonl < news.jsonl | grep P19
    """
    from kgmrca.convert import convert

    chosen = None if threshold is None else number_or_name(threshold)
    summary = convert(
        inputs,
        output,
        nlp=None if pipeline is None else load_pipeline(pipeline),
        format=format and format.value,
        base=base,
        threshold=chosen,
        prefer="precise",  # who reads the graph cannot ask again
        batch_size=batch_size,
        input_format=input_format and input_format.value,
        rejected=rejected,
        ontology=ontology,
        provenance=provenance.value,
        assert_above=assert_above,
        sentence_text=sentence_text,
    )
    print(_in_words(summary, output), file=sys.stderr)
    if summary.unmapped:
        labels = ", ".join(f"'{label}' {count:,}" for label, count in summary.unmapped.most_common())
        print(
            f"kgmrca: {summary.unmapped.total():,} statements have a predicate made of their label, because the "
            f"ontology has none for it: {labels}",
            file=sys.stderr,
        )
    if summary.rejected:
        raise typer.Exit(1)


def _in_words(summary: "Summary", output: str) -> str:
    parts = [f"{summary.documents:,} documents, {summary.statements:,} statements"]
    if output != "-":
        parts[0] += f" -> {output}"
    if summary.rejected:
        parts.append(f"{summary.rejected:,} records set aside -> {summary.rejected_to or 'standard error'}")
    if summary.skipped:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(summary.skipped.items()))
        parts.append(f"{summary.skipped.total():,} files in folders not read ({kinds})")
    return "kgmrca: " + "; ".join(parts)
