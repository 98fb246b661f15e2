"""The commands for graphs: `merge`, `graph`, `report` and `validate`."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from kgmrca.cli.options import (
    Base,
    CheckedGraphs,
    Format,
    GraphFormat,
    Graphs,
    Output,
    Provenance,
    no_stream,
    opened_if_named,
)
from kgmrca.progress import counted
from kgmrca.triples.iris import DEFAULT_BASE


class ReportFormat(str, Enum):
    """What `kgmrca validate --report-format` takes."""

    text = "text"
    json = "json"
    shacl = "shacl"


def merge_command(
    graphs: Graphs,
    output: Output,
    format: Format = None,
    input_format: GraphFormat = None,
    provenance: Annotated[
        Provenance,
        typer.Option(help="The form in which all statements are written, as for `kgmrca convert`; any form but none."),
    ] = Provenance.statements,
    base: Base = DEFAULT_BASE,
    max_cluster: Annotated[
        int,
        typer.Option(
            min=1, help="The largest number of entities that one name joins. If more have it, they stay apart."
        ),
    ] = 1000,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="The number of processes.  [default: by the number of processors and files]", show_default=False
        ),
    ] = None,
) -> None:
    """Merge graphs into one, with facts, clusters and conflicts.

    Every statement of the graphs is kept, and written once. Statements of several documents that say the same support
    one fact, which has a combined confidence. Entities form a cluster if they have the same name and type, or are
    linked to the same Wikidata item. Facts that contradict one another are listed as a conflict. The order of the
    graphs makes no difference, and merging a graph again changes nothing.

    The graphs may be larger than memory. The folder of OUT needs room for temporary files.

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
        f"{counted(summary.files, 'file')}, {counted(summary.read, 'statement')}, {summary.statements:,} "
        "of them distinct",
        f"{counted(summary.facts, 'fact')}, {summary.attested:,} of them in several documents",
        counted(summary.clusters, "cluster"),
        counted(summary.conflicts.total(), "conflict"),
    ]
    if output != "-":
        words[0] += f" -> {output}"
    if summary.conflicts:
        words[-1] += f" ({', '.join(f'{kind} {count:,}' for kind, count in sorted(summary.conflicts.items()))})"
    print(f"kgmrca: {'; '.join(words)}", file=sys.stderr)


def _further_output(what: str, *, metavar: str = "FILE") -> Any:
    """The option for what `kgmrca graph` writes beside the figures."""
    return typer.Option(callback=no_stream, metavar=metavar, help=what)


def graph_command(
    graphs: Graphs,
    input_format: GraphFormat = None,
    top: Annotated[
        int, typer.Option(min=0, help="The number of rows of each ranking, and of facts in a picture.")
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of the tables.")] = False,
    graphml: Annotated[
        Path | None, _further_output("Write the statements as GraphML as well, for Gephi and networkx.")
    ] = None,
    neo4j: Annotated[
        Path | None,
        _further_output(
            "Write the statements as nodes.csv and relationships.csv as well, for `neo4j-admin database import`.",
            metavar="FOLDER",
        ),
    ] = None,
    svg: Annotated[Path | None, _further_output("Draw the most certain facts, as SVG.")] = None,
    html: Annotated[Path | None, _further_output("Draw the most certain facts, as an HTML page.")] = None,
    mermaid: Annotated[Path | None, _further_output("Write the most certain facts as a chart for Mermaid.")] = None,
    dot: Annotated[Path | None, _further_output("Write the most certain facts for Graphviz.")] = None,
    around: Annotated[
        str | None,
        typer.Option(
            metavar="ENTITY",
            help="Show the facts of this entity and of its neighbours in pictures: its name, IRI or Wikidata item.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        _further_output(
            "Draw how statements are distributed by score, predicate and document, and names by entity, as SVG. Give "
            "what `kgmrca check` wrote as well, and it counts the verdicts too.",
            metavar="FILE.svg",
        ),
    ] = None,
) -> None:
    """Count what is in graphs, and list the most certain facts.

    It also lists the most frequent predicates and entities, the facts with the most statements, and conflicts.

    A fact is a subject, predicate and object. It is in the graph as a plain triple, or as one or more statements. The
    degree of an entity is the number of facts that it is part of. The entities of one cluster count as one entity. A
    statement that is in several files is counted once for each file. To count it once, merge the files first.

    Entities and facts are kept in memory. Statements are not, except with --graphml.

    \b
    Examples:
      kgmrca graph graph.ttl
      kgmrca graph a.nq.gz b.nq.gz --json > figures.json
      kgmrca graph graph.ttl --graphml graph.graphml --neo4j tables
      kgmrca graph graph.ttl --svg curie.svg --around "Marie Curie" --top 20
      kgmrca graph linked.ttl checks.ttl --plot distributions.svg
    """
    import json

    from kgmrca.graph.statistics import graph_report, report_table

    asked = {"svg": svg, "html": html, "mermaid": mermaid, "dot": dot}
    pictures = {form: path for form, path in asked.items() if path}
    if around is not None and not pictures:
        raise typer.BadParameter(
            "It is for pictures: give --svg, --html, --mermaid or --dot too.", param_hint="--around"
        )
    for option, path in {"--svg": svg, "--plot": plot}.items():
        if path and path.suffix.lower() != ".svg":
            raise typer.BadParameter("It is drawn as SVG: give a name that ends in .svg.", param_hint=option)
    report = graph_report(
        graphs,
        input_format=input_format and input_format.value,
        top=top,
        graphml=graphml,
        neo4j=neo4j,
        pictures=pictures,
        around=around,
        plot=plot,
    )
    print(json.dumps(report, indent=2) if as_json else report_table(report))


def report_command(graphs: CheckedGraphs, output: Output, input_format: GraphFormat = None) -> None:
    """Write a page to read a graph in a browser.

    It shows all statements, with their evidence, confidence and verdict, and a page for each entity. They can be
    searched and filtered, and drawn as a graph. The page is one file, needs no network, and can be sent to others. Give
    what `kgmrca check` wrote as well, or there are no verdicts. Sentences are shown if `kgmrca convert --sentence-text`
    wrote them.

    \b
    Examples:
      kgmrca report linked.ttl checks.ttl -o report.html
      kgmrca report graph.nq.gz -o report.html
    """
    from kgmrca.report.page import write_report

    count = write_report(graphs, output, input_format=input_format and input_format.value)
    print(f"kgmrca: {counted(count, 'statement')}{'' if output == '-' else f' -> {output}'}", file=sys.stderr)


def validate_command(
    graphs: Graphs,
    input_format: GraphFormat = None,
    shapes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Check against the SHACL shapes in this file, instead of those that come with kgmrca."
        ),
    ] = None,
    report_format: Annotated[
        ReportFormat, typer.Option(help="The format of the report: text, JSON, or SHACL's own form in Turtle.")
    ] = ReportFormat.text,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="Write the report to this file, or - for standard output."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="The number of findings of each shape that are listed. All are counted.  "
            "[default: 10 as text, otherwise all]",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="The number of processes.")] = 1,
) -> None:
    """Check graphs against SHACL shapes.

    The shapes that come with kgmrca require that each statement is complete, and has its document and its run. They
    warn if the type of an entity does not fit a relation. Several files are checked as one graph.

    The graph is checked in blocks, from a temporary file, and may be larger than memory. Shapes of your own can follow
    paths of two steps forward from a node.

    Exit code 1 means that there are violations. A warning is not a violation.

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
            input_format=input_format and input_format.value,
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
