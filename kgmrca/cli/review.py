"""The command `apply-review`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from kgmrca.cli.options import Base, Format, GraphFormat, Output, no_stream
from kgmrca.triples.iris import DEFAULT_BASE


def apply_review_command(
    graph: Annotated[
        str,
        typer.Argument(metavar="GRAPH", help="The graph that was reviewed: an RDF file, or - for standard input."),
    ],
    reviews: Annotated[
        list[Path], typer.Argument(metavar="REVIEW", help="Files that the page of `kgmrca report` exported.")
    ],
    output: Output,
    format: Format = None,
    input_format: GraphFormat = None,
    disagreements: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what reviewers disagree on to this table.", callback=no_stream),
    ] = None,
    training_data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the decisions to this file of JSON Lines as well, as annotated data for `kgmrca corpus`.",
            callback=no_stream,
        ),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder that `kgmrca convert --save-text` wrote. The sentences of the training data are read "
            "there, instead of in the graph.",
        ),
    ] = None,
    base: Base = DEFAULT_BASE,
) -> None:
    """Write what persons decided in a review into the graph.

    In the page of `kgmrca report` persons accept, reject and correct statements, and export their decisions. Here they
    become RDF: who decided what, and when. What was rejected or corrected stays as what was read, but is not asserted
    any more. `merge` keeps the decisions, and `diff` exports nothing that was rejected.

    If persons disagree about a statement, it stays as it was, and they are named. Exit code 1 means that persons
    disagree, or that the graph lacks some of the statements. Applying a review again changes nothing.

    \b
    Examples:
      kgmrca apply-review graph.ttl graph.review.json -o reviewed.ttl
      kgmrca apply-review graph.ttl ada.json bob.json -o reviewed.ttl --disagreements open.tsv
      kgmrca apply-review graph.ttl ada.json -o reviewed.ttl --training-data gold.jsonl --texts texts/
    """
    from kgmrca.review.apply import apply_review

    if texts and not training_data:
        raise typer.BadParameter("It is for --training-data.", param_hint="--texts")
    summary = apply_review(
        graph,
        reviews,
        output,
        format=format and format.value,
        input_format=input_format and input_format.value,
        base=base,
        disagreements=disagreements,
        training_data=training_data,
        texts=texts,
    )
    print(summary.in_words(output), file=sys.stderr)
    if summary.disagreements or summary.unknown:
        raise typer.Exit(1)
