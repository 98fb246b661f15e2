"""The command line: it parses, calls and prints. What is slow to import is imported by the command that needs it.

Exit codes: 0 done; 1 done, but some records were set aside; 2 could not be done; 130 interrupted; 141 nobody reads the
output any more. Messages go to standard error, so that standard output holds data only.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from kgmrca import __version__
from kgmrca.errors import InputError, KgmrcaError
from kgmrca.files import check_folder, opened
from kgmrca.triples.iris import DEFAULT_BASE

if TYPE_CHECKING:
    from spacy.language import Language

    from kgmrca.convert import Summary
    from kgmrca.wikidata.facts import Facts

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
    nquads = "nquads"
    trig = "trig"
    jsonld = "jsonld"
    rdfxml = "rdfxml"


class Provenance(str, Enum):
    """What `--provenance` takes."""

    none = "none"
    statements = "statements"
    graphs = "graphs"
    rdf12 = "rdf12"
    wikidata = "wikidata"


class ReportFormat(str, Enum):
    """What `kgmrca validate --format` takes."""

    text = "text"
    json = "json"
    shacl = "shacl"


class Preset(str, Enum):
    """What `kgmrca enrich --preset` takes."""

    basics = "basics"


class InputFormat(str, Enum):
    """What `--input-format` takes."""

    text = "text"
    jsonl = "jsonl"
    docbin = "docbin"


LinkedGraphs = Annotated[
    list[str],
    typer.Argument(
        metavar="GRAPH...",
        help="RDF files of any format and provenance, linked to Wikidata (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with "
        ".gz behind it compressed), or - for standard input.",
        show_default=False,
    ),
]
GraphFormat = Annotated[
    OutputFormat | None,
    typer.Option(
        help="The format of all that is read.  [default: by extension; TriG on standard input, of which Turtle and "
        "N-Triples are parts]",
        show_default=False,
    ),
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="OUT", help="The file to write, or - for standard output.")
]
Format = Annotated[
    OutputFormat | None,
    typer.Option(
        help="The format of OUT.  [default: by its extension (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with .gz behind it "
        "compressed); Turtle on standard output]",
        show_default=False,
    ),
]
Base = Annotated[str, typer.Option(metavar="IRI", help="What new IRIs begin with; ends in / or :.")]
Pipeline = Annotated[str, typer.Argument(metavar="PIPELINE", help="A spaCy pipeline, by name or folder.")]
Endpoint = Annotated[
    str,
    typer.Option(
        metavar="WHERE",
        help="Whom to ask: wikidata, qlever, the URL of a SPARQL endpoint, or a local RDF file or folder.",
    ),
]
Contact = Annotated[
    str | None,
    typer.Option(metavar="MAIL_OR_URL", help="How those who run a public endpoint can reach you; it needs one."),
]
CacheFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Where facts are remembered.  [default: see kgmrca cache]")
]
Offline = Annotated[bool, typer.Option("--offline", help="Ask nobody: what is not in the cache is not looked up.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Ask again for what is in the cache.")]


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

    chosen = None if threshold is None else _number_or_name(threshold)
    with _piped():
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
    pipeline: Pipeline,
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

    from kgmrca.extraction.relations.operating_points import sweep
    from kgmrca.extraction.relations.scorer import evaluate, table

    if thresholds and labels:
        raise InputError("--labels goes without --thresholds, which has no scores of single labels.")
    with _opened(output, inputs=[data], what="the DATA") as stream:  # what cannot be written is said before the work
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
    pipeline: Pipeline,
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

    from kgmrca.extraction.relations.calibration import draw, figure_class
    from kgmrca.extraction.relations.operating_points import calibrate

    for path in (output, plot):
        if path:
            check_folder(path)
    if output.exists() and not (output / "meta.json").is_file():
        raise InputError(f"'{output}' is there already and is no pipeline: name another folder.")
    if plot:
        figure_class()  # says that matplotlib is missing before the work
    with _opened(plot) as stream:
        nlp = _load_pipeline(pipeline)
        found = calibrate(nlp, data)
        if stream:
            draw(found.before, found.after, stream)
        vocab = _load_pipeline(pipeline).vocab  # this pipeline's has the words of the gold documents now
        nlp.to_disk(output, exclude=["vocab"])
        vocab.to_disk(output / "vocab")
    print(found.table())


@app.command("merge", no_args_is_help=True)
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

    with _piped():
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


@app.command("graph", no_args_is_help=True)
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
    format: GraphFormat = None,
    top: Annotated[int, typer.Option(min=0, help="How many rows each ranking has.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of the tables.")] = False,
    graphml: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the statements as GraphML too, for Gephi and networkx."),
    ] = None,
    csv: Annotated[
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
      kgmrca graph graph.ttl --graphml graph.graphml --csv neo4j
    """
    import json

    from kgmrca.graph.statistics import survey, table

    report = survey(graphs, format=format and format.value, top=top, graphml=graphml, tables=csv)
    print(json.dumps(report, indent=2) if as_json else table(report))


@app.command("validate", no_args_is_help=True)
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
    format: Annotated[ReportFormat, typer.Option(help="Text, JSON, or SHACL's own report in Turtle.")] = (
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
      kgmrca validate a.nq.gz b.nq.gz --format json -o report.json
      kgmrca validate graph.ttl --shapes my-shapes.ttl
    """

    from kgmrca.graph.validation import validate

    with _opened(output, inputs=[*graphs, *([shapes] if shapes else [])], what="read") as stream:
        report = validate(
            graphs,
            format=input_format and input_format.value,
            shapes=shapes,
            limit=10 if limit is None and format is ReportFormat.text else limit,
            workers=workers,
        )
        text = {"text": report.as_text, "json": report.as_json, "shacl": report.as_shacl}[format.value]()
        if stream:
            stream.write(f"{text}\n".encode())
        else:
            print(text)
    if not report.conforms:
        raise typer.Exit(1)


@app.command("link", no_args_is_help=True)
def link_command(
    graphs: Annotated[
        list[str],
        typer.Argument(
            metavar="GRAPH...",
            help="RDF files of any format and provenance (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with .gz behind it "
            "compressed), or - for standard input.",
            show_default=False,
        ),
    ],
    output: Output,
    endpoint: Endpoint,
    contact: Contact = None,
    languages: Annotated[
        str,
        typer.Option(
            metavar="TAGS",
            help="In which languages names are looked for, the texts' own first; mul is Wikidata's for all.",
        ),
    ] = "en,mul",
    least: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SCORE", help="Link to an item from this probability on.  [default: 0.6]"),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SCORE",
            help="Link to an item if its probability is so much higher than that of the next.  [default: 0.3]",
        ),
    ] = None,
    format: Format = None,
    input_format: GraphFormat = None,
    base: Base = DEFAULT_BASE,
    cache: CacheFile = None,
    offline: Offline = False,
    refresh: Refresh = False,
) -> None:
    """Find the Wikidata items that entities of graphs stand for: OUT is the graphs with links, and how they came about.

    The items that bear an entity's name are ranked by how they bear it, how known they are, whether they are of a type
    that fits, and whether Wikidata connects them with the items that other entities of the document may be. Where no
    item is likely enough, or two are about as likely, there is no link. OUT has every decision with its candidates.

    Exit code 1 means: done, but some entities could not be looked up.

    \b
    Examples:
      kgmrca link graph.ttl --endpoint wikidata --contact me@example.org -o linked.ttl
      kgmrca link a.nq.gz b.nq.gz --endpoint http://127.0.0.1:7878/query -o linked.nq.gz
      kgmrca link graph.ttl --endpoint wikidata.nt.gz --languages pl,mul,en -o - | grep kgmrca:item
    """
    from kgmrca.wikidata.disambiguation import LEAST, MARGIN
    from kgmrca.wikidata.link import link_graphs

    with _looked_up(endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh) as facts:
        summary = link_graphs(
            graphs,
            facts,
            output,
            languages=_listed(languages),
            least=LEAST if least is None else least,
            margin=MARGIN if margin is None else margin,
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(output), file=sys.stderr)
    if summary.outcomes["not looked up"]:
        raise typer.Exit(1)


@app.command("check", no_args_is_help=True)
def check_command(
    graphs: LinkedGraphs,
    endpoint: Endpoint,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="Write the verdicts as RDF; - for standard output."),
    ] = None,
    csv: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write them as a table too; - for standard output.")
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write them as JSON Lines too, an object a statement; - for standard output."
        ),
    ] = None,
    contact: Contact = None,
    format: Format = None,
    input_format: GraphFormat = None,
    base: Base = DEFAULT_BASE,
    cache: CacheFile = None,
    offline: Offline = False,
    refresh: Refresh = False,
) -> None:
    """Say what Wikidata says about each statement of graphs: confirmed, in conflict, new, and so on.

    Absence from Wikidata is not falsehood, so no verdict says "wrong". OUT has the verdicts alone, each with the
    statement of Wikidata that it rests on; merge it with the graph to have both. What could not be looked up is "not
    checked", never "new"; run it again, and only that is asked. An interrupted run loses nothing that was answered.

    Exit code 1 means: done, but some statements could not be checked.

    \b
    Examples:
      kgmrca check linked.ttl --endpoint wikidata --contact me@example.org -o checks.ttl
      kgmrca check a.nq.gz b.nq.gz --endpoint http://127.0.0.1:7878/query --csv checks.csv --json checks.jsonl
      kgmrca check linked.ttl --endpoint wikidata.nt.gz -o - | grep conflict
    """
    from kgmrca.wikidata.check import check

    with _looked_up(endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh) as facts:
        summary = check(
            graphs,
            facts,
            output,
            csv=csv,
            json=json,
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(endpoint), file=sys.stderr)
    if summary.verdicts["not checked"]:
        raise typer.Exit(1)


@app.command("enrich", no_args_is_help=True)
def enrich_command(
    graphs: LinkedGraphs,
    output: Output,
    endpoint: Endpoint,
    properties: Annotated[
        str, typer.Option(metavar="IDS", help="Which properties, such as P31,P18.", show_default=False)
    ] = "",
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="These properties: basics are instance of (P31), country (P17), image (P18), dates of birth and death "
            "(P569, P570), inception (P571), coordinates (P625) and official website (P856).",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str, typer.Option(metavar="TAGS", help="Labels in which languages, such as en,de.", show_default=False)
    ] = "",
    contact: Contact = None,
    format: Format = None,
    input_format: GraphFormat = None,
    base: Base = DEFAULT_BASE,
    cache: CacheFile = None,
    offline: Offline = False,
    refresh: Refresh = False,
) -> None:
    """Fetch chosen facts and labels of the Wikidata items that graphs are linked to.

    OUT has these alone, each as a kgmrca:RetrievedFact with its source and time, never as a statement of the graph;
    merge it with the graph, or load it beside, to have both. In TriG, N-Quads and JSON-LD all of it is in one named
    graph, with the plain triples. Of a property, only the values of the best rank are taken.

    Exit code 1 means: done, but some facts could not be looked up; they are listed. Run it again, and only these are
    asked for.

    \b
    Examples:
      kgmrca enrich linked.ttl --preset basics --endpoint wikidata --contact me@example.org -o facts.ttl
      kgmrca enrich linked.ttl --properties P106,P18 --labels en,de --endpoint wikidata.nt.gz -o facts.trig
      kgmrca merge linked.ttl facts.ttl -o graph.ttl
    """
    from kgmrca.wikidata.enrich import PRESETS, enrich

    chosen = [*(PRESETS[preset.value] if preset else ()), *_listed(properties)]
    with _looked_up(endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh) as facts:
        summary = enrich(
            graphs,
            facts,
            output,
            properties=chosen,
            languages=_listed(labels),
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(output), file=sys.stderr)
    if summary.failed:
        raise typer.Exit(1)


@app.command("diff", no_args_is_help=True)
def diff_command(
    graphs: Annotated[
        list[str],
        typer.Argument(
            metavar="CHECKED...",
            help="RDF files of any format and provenance, with what kgmrca check wrote about them: the graph and its "
            "verdicts, merged or not; or - for standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="TABLE",
            help="List what is new here, in cells between tabs, or commas if it ends in .csv; - for standard output.",
        ),
    ] = None,
    conflicts: Annotated[bool, typer.Option("--conflicts", help="List what contradicts Wikidata as well.")] = False,
    accept: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", help="A reviewed list: of what has an x or yes as accept, write QuickStatements."
        ),
    ] = None,
    quickstatements: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where to write these; - for standard output.")
    ] = None,
    stated_in: Annotated[
        str | None,
        typer.Option(metavar="ITEM", help="The item that they are stated in (S248); a document's URL is given anyway."),
    ] = None,
    input_format: GraphFormat = None,
) -> None:
    """List what graphs say and Wikidata does not, for review; turn what was accepted into QuickStatements.

    The list has a row a fact, the most certain first, with names, items, the sentence, and an empty column accept.
    Put an x there in a spreadsheet, and give the table back as --accept: these facts, and no others, are written as
    commands for https://quickstatements.toolforge.org. Nothing is uploaded. Of the table only accept and what says
    which fact it is (subject_item, property_id, value) are read.

    Exit code 1 means: done, but some accepted facts are not exported; they are listed.

    \b
    Examples:
      kgmrca diff linked.ttl checks.ttl -o new.tsv
      kgmrca diff linked.ttl checks.ttl --accept new.tsv --quickstatements new.qs --stated-in Q328
    """
    from kgmrca.wikidata.diff import diff

    with _piped():
        summary = diff(
            graphs,
            output,
            conflicts=conflicts,
            accept=accept,
            quickstatements=quickstatements,
            stated_in=stated_in,
            input_format=input_format and input_format.value,
        )
    print(summary.in_words(str(output or quickstatements)), file=sys.stderr)
    if summary.left_out:
        raise typer.Exit(1)


@app.command("cache")
def cache_command(
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The cache.  [default: in your folder for caches]", show_default=False),
    ] = None,
    clear: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT", help="Remove facts: all, expired, or those of one endpoint, named as it is listed here."
        ),
    ] = None,
) -> None:
    """Show what of Wikidata is remembered on disk, by endpoint, or forget it.

    \b
    Examples:
      kgmrca cache
      kgmrca cache --clear expired
      kgmrca cache --clear wikidata
    """
    import time

    from kgmrca.wikidata.cache import Cache, default_cache
    from kgmrca.wikidata.sparql import PRESETS

    path = cache or default_cache()
    if not path.is_file():
        print(f"kgmrca: '{path}' is not there: nothing is remembered.", file=sys.stderr)
        return
    facts, now = Cache(path), time.time()
    if clear is not None:
        names = [usage.endpoint for usage in facts.usage(now=now)]
        endpoint = None if clear in ("all", "expired") else PRESETS.get(clear, clear)
        if endpoint and endpoint not in names:
            raise InputError(f"Nothing is remembered of '{clear}', but of: {', '.join(names) or 'nobody'}.")
        n_removed = facts.clear(endpoint=endpoint, expired_at=now if clear == "expired" else None)
        print(f"kgmrca: {n_removed:,} facts removed.", file=sys.stderr)
    print(f"{path}  {path.stat().st_size / 1e6:,.1f} MB")
    for usage in facts.usage(now=now):
        oldest = time.strftime("%Y-%m-%d", time.localtime(usage.oldest))
        print(f"{usage.endpoint}  {usage.entries:,} facts, {usage.expired:,} expired, the oldest from {oldest}")
    facts.close()


@contextmanager
def _piped() -> Iterator[None]:
    """Exit where nobody reads standard output any more."""
    try:
        yield
    except BrokenPipeError:
        # Python would try to flush standard output once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None  # 128 + SIGPIPE, as a shell would report it


@contextmanager
def _looked_up(
    endpoint: str, *, contact: str | None, cache: Path | None, offline: bool, refresh: bool
) -> "Iterator[Facts]":
    """The facts of an endpoint, for a command that may write to a pipe."""
    from kgmrca.wikidata.facts import Facts, default_cache
    from kgmrca.wikidata.sparql import open_endpoint

    asked = open_endpoint(endpoint, contact=contact)
    with Facts(asked, cache=cache or default_cache(), offline=offline, refresh=refresh) as facts, _piped():
        yield facts


def _opened(output: Path | None, **options: Any) -> AbstractContextManager[IO[bytes] | None]:
    return opened(output, **options) if output else nullcontext()


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


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

    from kgmrca.extraction.relations.component import SHIPPED, load

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
