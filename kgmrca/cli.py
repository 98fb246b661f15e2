"""The command line: it parses, calls and prints. What is slow to import is imported by the command that needs it.

Exit codes: 0 done; 1 done, but some records were set aside; 2 could not be done; 130 interrupted; 141 nobody reads the
output any more. Messages go to standard error, so that standard output holds data only.
"""

import os
import signal
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgmrca import __version__
from kgmrca.errors import InputError, KgmrcaError
from kgmrca.triples.iris import DEFAULT_BASE

if TYPE_CHECKING:
    from spacy.language import Language

    from kgmrca.convert import Summary

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class OutputFormat(str, Enum):
    """What `--format` takes."""

    turtle = "turtle"
    ntriples = "ntriples"


class InputFormat(str, Enum):
    """What `--input-format` takes."""

    text = "text"
    jsonl = "jsonl"
    docbin = "docbin"


def main() -> None:
    """Run the command line and exit. An error of ours or of the system is one line on standard error."""
    # Before torch is imported: its threads otherwise spin while they wait, which on a busy machine takes three times as
    # long (200 passages: 27 s instead of 8 s beside one other process on two cores).
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Unlike the default, this unwinds the stack, so that a half-written file is removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        app()
    except (KgmrcaError, OSError) as error:
        print(f"kgmrca: {error}", file=sys.stderr)
        sys.exit(2)


@app.callback(invoke_without_command=True)
def kgmrca(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """From text to a knowledge graph that says what it knows and where it read it.

    \b
    Example:
      kgmrca convert articles/ -o graph.ttl
    """
    if version:
        print(f"kgmrca {__version__}")
        raise typer.Exit


@app.command("convert", no_args_is_help=True)
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
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="OUT", help="The file to write, or - for standard output.")
    ],
    format: Annotated[
        OutputFormat | None,
        typer.Option(help="By default by OUT's extension (.ttl, .nt); Turtle on standard output.", show_default=False),
    ] = None,
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
    base: Annotated[str, typer.Option(metavar="IRI", help="What new IRIs begin with; ends in / or :.")] = DEFAULT_BASE,
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
      kgmrca convert news.jsonl.gz -o graph.nt --threshold 0.8
      kgmrca convert letters.txt -o graph.ttl --threshold complete
      kgmrca convert - -o - --input-format jsonl < news.jsonl | grep P19
    """
    from kgmrca.convert import convert

    chosen = None if threshold is None else _number_or_name(threshold)
    try:
        summary = convert(
            inputs,
            output,
            nlp=None if pipeline is None else _load_pipeline(pipeline),
            format=format and format.value,
            base=base,
            threshold=chosen,
            prefer="precise",  # who reads the graph cannot ask again
            batch_size=batch_size,
            input_format=input_format and input_format.value,
            rejected=rejected,
        )
    except BrokenPipeError:
        # Python would try to flush standard output once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None  # 128 + SIGPIPE, as a shell would report it
    print(_in_words(summary, output), file=sys.stderr)
    if summary.rejected:
        raise typer.Exit(1)


@app.command("corpus", no_args_is_help=True)
def corpus_command(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Annotated data: JSON Lines or a JSON array, perhaps gzipped. Either DocRED's format (title, sents, "
            "vertexSet, labels) or sentences (id, tokens, entities, relations). Either may name the relations that are "
            "labelled completely (exhaustive). A relations.tsv beside a file (columns "
            "relation, wikidata_pid, label) names its relations.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The .spacy file to write.")],
    dev: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Put a part of the documents into this .spacy file instead."),
    ] = None,
    dev_share: Annotated[
        float, typer.Option(min=0, max=1, help="How large that part is; which documents is fixed by their ids.")
    ] = 0.1,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Names of the relations as SSSOM TSV (like ontologies/knowledgenet.sssom.tsv), not relations.tsv.",
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial", help="Some relations and their entities are labelled, others may hold: silence is no 'no'."
        ),
    ] = False,
) -> None:
    """Turn annotated relation data into gold documents to train on and to score with.

    \b
    Examples:
      kgmrca corpus dev.jsonl.gz -o train.spacy --dev dev.spacy
      kgmrca corpus wiki80/train.jsonl.gz --partial -o wiki80.spacy
      kgmrca corpus knowledgenet/train.jsonl.gz --mapping knowledgenet.sssom.tsv -o knowledgenet.spacy
    """
    from kgmrca.corpora.annotated import write_gold

    counts, left_out = write_gold(inputs, output, dev=dev, dev_share=dev_share, mapping=mapping, partial=partial)
    for path, (documents, relations) in counts.items():
        print(f"kgmrca: {documents:,} documents, {relations:,} relations -> {path}", file=sys.stderr)
    for predicate, count in left_out.most_common():
        print(f"kgmrca: {count:,} relations '{predicate}' left out: no one label stands for them.", file=sys.stderr)


@app.command("evaluate", no_args_is_help=True)
def evaluate_command(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="A spaCy pipeline, by name or folder.")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Gold documents, made by `kgmrca corpus`.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write all scores here, as JSON.")
    ] = None,
    thresholds: Annotated[
        bool,
        typer.Option(
            "--thresholds", help="Score the relations on gold entities at thresholds from 0.05 to 0.95 instead."
        ),
    ] = False,
    labels: Annotated[
        bool, typer.Option("--labels", help="Print the scores of each entity type and relation too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all scores as JSON instead of the table.")] = False,
    resamples: Annotated[
        int, typer.Option(min=1, help="How many times the documents are drawn anew for the intervals.")
    ] = 1000,
) -> None:
    """Score a pipeline: its entities, its relations on gold entities, and what comes out of raw text.

    P, R and F1 are micro scores; in brackets their 95 % intervals, were other documents of this kind drawn.

    \b
    Examples:
      kgmrca evaluate en_kgmrca_sm test.spacy -o scores.json
      kgmrca evaluate training/model-best dev.spacy --thresholds
    """
    import json
    from contextlib import nullcontext

    from kgmrca.tagging.scorer import evaluate, table
    from kgmrca.tagging.thresholds import sweep
    from kgmrca.triples.write import whole_file

    if thresholds and labels:
        raise InputError("--labels goes without --thresholds, which has no scores of single labels.")
    if output and not output.parent.is_dir():
        raise InputError(f"There is no folder '{output.parent}' to write '{output.name}' in: make it first.")
    if output and output.resolve() == data.resolve():
        raise InputError(f"'{output}' is the DATA and would be overwritten: write to another file.")
    with whole_file(output) if output else nullcontext() as stream:  # what cannot be written is said before the work
        nlp = _load_pipeline(pipeline)
        if thresholds:
            rows = sweep(nlp, data)
            text = "\n".join(
                f"{row['threshold']:<24} P {row['p']:.3f}  R {row['r']:.3f}  F1 {row['f']:.3f}" for row in rows
            )
            written = json.dumps(rows, indent=2)
        else:
            scores = evaluate(nlp, data, resamples=resamples)
            text = table(scores, labels=labels)
            written = json.dumps(scores, indent=2)
        if stream:
            stream.write(f"{written}\n".encode())
    print(written if as_json else text)


@app.command("calibrate", no_args_is_help=True)
def calibrate_command(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="A spaCy pipeline, by name or folder.")],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DEV", help="Gold documents, made by `kgmrca corpus`, neither trained on nor to be reported on."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="The folder to write; it may be a pipeline already.")
    ],
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the scores' reliability before and after, as PNG.")
    ] = None,
) -> None:
    """Make a pipeline's scores mean something, and find its thresholds "precise", "balanced" and "complete".

    Of the relations given with a score of 0.8, about 80 % are right then. What was chosen as threshold before is
    forgotten: scores change, and it becomes "balanced".

    \b
    Example:
      kgmrca calibrate training/model-best dev.spacy -o calibrated --plot reliability.png
    """
    from contextlib import nullcontext

    from kgmrca.tagging.calibration import draw, figure_class
    from kgmrca.tagging.thresholds import calibrate
    from kgmrca.triples.write import whole_file

    for path in (output, plot):
        if path and not path.parent.is_dir():
            raise InputError(f"There is no folder '{path.parent}' to write '{path.name}' in: make it first.")
    if output.exists() and not (output / "meta.json").is_file():
        raise InputError(f"'{output}' is there already and is no pipeline: name another folder.")
    if plot:
        figure_class()  # says that matplotlib is missing before the work
    with whole_file(plot) if plot else nullcontext() as stream:
        nlp = _load_pipeline(pipeline)
        found = calibrate(nlp, data)
        if stream:
            draw(found.before, found.after, stream)
        nlp.to_disk(output)
    print(found.table())


def _number_or_name(threshold: str) -> float | str:
    try:
        number = float(threshold)
    except ValueError:
        return threshold  # whether it is a name, the pipeline knows
    if not 0 <= number <= 1:
        raise typer.BadParameter(f"{threshold} is not from 0 to 1.", param_hint="--threshold")
    return number


def _load_pipeline(name: str) -> "Language":
    import spacy

    from kgmrca.tagging.component import SHIPPED, load

    try:
        return load() if name == SHIPPED else spacy.load(name)
    except OSError as error:
        raise InputError(f"The pipeline '{name}' cannot be loaded: {error}") from error


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
