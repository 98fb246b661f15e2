"""The commands for graphs: `merge`, `graph` and `validate`."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from kgmrca.cli.options import Base, Format, GraphFormat, Output, Provenance, opened_if_named
from kgmrca.triples.iris import DEFAULT_BASE


class ReportFormat(str, Enum):
    """What `kgmrca validate --report-format` takes."""

    text = "text"
    json = "json"
    shacl = "shacl"


def merge_command(
    graphs: Annotated[
        list[str],
        typer.Argument(
            metavar="GRAPH...",
            help="RDF files of any format and provenance, also merged ones (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with "
            ".gz behind it compressed), folders of them, glob patterns, or - for standard input.",
            show_default=False,
        ),
    ],
    output: Output,
    format: Format = None,
    input_format: GraphFormat = None,
    provenance: Annotated[
        Provenance, typer.Option(help="As for convert: the shape in which all statements are written; not none.")
    ] = Provenance.statements,
    base: Base = DEFAULT_BASE,
    max_cluster: Annotated[
        int, typer.Option(min=1, help="How many entities a name joins at most; if it has more, they stay apart.")
    ] = 1000,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes to use.  [default: by processors and files]", show_default=False),
    ] = None,
) -> None:
    """Put graphs together: each statement once, each fact once with all its evidence, names that mean one thing.

    All that was said stays. What several documents say becomes one fact with a combined confidence; entities with one
    name and type, or linked to one Wikidata item, become a cluster; contradictions are listed as conflicts. Merging
    again, in another order or in several steps gives the same bytes.

    The graphs may be larger than memory. Beside OUT there must be room for temporary files.

    \b
    Examples:
      kgmrca merge monday.ttl tuesday.ttl -o week.ttl
      kgmrca merge shards/ 'more/*.nq.gz' -o all.nt.gz
      kgmrca merge week.ttl wednesday.ttl -o - --provenance graphs --format trig | gzip > new.trig.gz
    """
    from kgmrca.graph.merging.merge import merge

    summary = merge(
        graphs,
        output,
        format=format and format.value,
        input_format=input_format and input_format.value,
        base=base,
        provenance=provenance.value,
        max_cluster=max_cluster,
        workers=workers,
    )
    words = [
        f"{summary.files:,} files, {summary.read:,} statements, {summary.statements:,} of them distinct",
        f"{summary.facts:,} facts, {summary.attested:,} of them in several documents",
        f"{summary.clusters:,} clusters",
        f"{summary.conflicts.total():,} conflicts",
    ]
    if output != "-":
        words[0] += f" -> {output}"
    if summary.conflicts:
        words[-1] += f" ({', '.join(f'{kind} {count:,}' for kind, count in sorted(summary.conflicts.items()))})"
    print(f"kgmrca: {'; '.join(words)}", file=sys.stderr)


def graph_command(
    graphs: Annotated[
        list[str],
        typer.Argument(
            metavar="GRAPH...",
            help="RDF files of any format and provenance, also merged ones (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with "
            ".gz behind it compressed), or - for standard input. What several files state is counted for each: merge "
            "them first.",
            show_default=False,
        ),
    ],
    input_format: GraphFormat = None,
    top: Annotated[int, typer.Option(min=0, help="How many rows each ranking has.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of the tables.")] = False,
    graphml: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the statements as GraphML too, for Gephi and networkx."),
    ] = None,
    neo4j: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write the statements as nodes.csv and relationships.csv too, for `neo4j-admin database import`. "
            "Cells are data as they are; to a spreadsheet program, one that begins with = is a formula.",
        ),
    ] = None,
) -> None:
    """Say what is in graphs: entities, facts, statements, components; what is most certain and most attested.

    A fact is a subject, predicate and object, stated any number of times or there as a plain triple. The degree of an
    entity is the number of facts it is in. Entities in one cluster of a merged graph count as one.

    GRAPHs are read as a stream. Distinct entities and facts are kept in memory, statements are not, except for
    --graphml, which holds the whole graph.

    \b
    Examples:
      kgmrca graph graph.ttl
      kgmrca graph a.nq.gz b.nq.gz --json > figures.json
      kgmrca graph graph.ttl --graphml graph.graphml --neo4j tables
    """
    import json

    from kgmrca.graph.statistics import graph_report, table

    report = graph_report(graphs, format=input_format and input_format.value, top=top, graphml=graphml, tables=neo4j)
    print(json.dumps(report, indent=2) if as_json else table(report))


def validate_command(
    graphs: Annotated[
        list[str],
        typer.Argument(
            metavar="GRAPH...",
            help="RDF files of any format and provenance, also merged ones (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with "
            ".gz behind it compressed), or - for standard input. Several files are checked as one graph.",
            show_default=False,
        ),
    ],
    input_format: GraphFormat = None,
    shapes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check against these SHACL shapes instead of those that ship."),
    ] = None,
    report_format: Annotated[ReportFormat, typer.Option(help="Text, JSON, or SHACL's own report in Turtle.")] = (
        ReportFormat.text
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="Write the report to this file.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="How many findings of each shape are listed; all are counted.  [default: 10 as text, else all]",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes check at the same time.")] = 1,
) -> None:
    """Check graphs: is each statement whole, with its document and run, and are its entities of types that fit?

    Exit code 1 means: done, but there are violations. Warnings, such as a type that does not fit, are no violations.
    The graph may be larger than memory: it is checked in blocks, from a temporary file. So shapes of your own can look
    at a node and its direct surroundings, that is along paths of two steps forward.

    \b
    Examples:
      kgmrca validate graph.ttl
      kgmrca validate a.nq.gz b.nq.gz --report-format json -o report.json
      kgmrca validate graph.ttl --shapes my-shapes.ttl
    """

    from kgmrca.files import check_outputs
    from kgmrca.graph.validation import validate
    from kgmrca.triples.formats import is_rdf

    check_outputs([output], graphs, what="read", takes=None if input_format else is_rdf)
    with opened_if_named(output, inputs=[shapes] if shapes else [], what="read") as stream:
        report = validate(
            graphs,
            format=input_format and input_format.value,
            shapes=shapes,
            limit=10 if limit is None and report_format is ReportFormat.text else limit,
            workers=workers,
            beside=output,
        )
        text = {"text": report.as_text, "json": report.as_json, "shacl": report.as_shacl}[report_format.value]()
        if stream:
            stream.write(f"{text}\n".encode())
        else:
            print(text)
    if not report.conforms:
        raise typer.Exit(1)
