"""Options and arguments that several commands have, each declared once, and functions that read their values."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kgmrca.cli.verbosity import logger
from kgmrca.errors import InputError, KgmrcaError, ModelError
from kgmrca.files import STANDARD, opened
from kgmrca.progress import loading_shown
from kgmrca.resources import SHIPPED

if TYPE_CHECKING:
    from spacy.language import Language

    from kgmrca.wikidata.lookups import Lookups


_Output = TypeVar("_Output", bound=str | Path | None)


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


class RelationSource(str, Enum):
    """What `--source` takes."""

    glirel = "glirel"
    rebel = "rebel"
    spacy_rel = "spacy-rel"


class Level(str, Enum):
    """What `--level` takes."""

    document = "document"
    sentence = "sentence"


class InputFormat(str, Enum):
    """What `--input-format` takes."""

    text = "text"
    jsonl = "jsonl"
    json = "json"
    docbin = "docbin"
    markdown = "markdown"
    html = "html"
    xml = "xml"
    docx = "docx"
    pdf = "pdf"
    csv = "csv"
    tsv = "tsv"
    parquet = "parquet"
    arrow = "arrow"
    warc = "warc"
    zip = "zip"
    tar = "tar"


def suggest(*names: str) -> Callable[[str], list[str]]:
    """Let a shell complete a value to one of the names. Where none fits, it completes files."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


_RDF = (
    "RDF files, folders of them, glob patterns, or - for standard input. All formats (.ttl, .nt, .nq, .trig, .jsonld, "
    ".rdf, each also with .gz) and all forms of provenance that `kgmrca convert` writes are read."
)

Graphs = Annotated[list[str], typer.Argument(metavar="GRAPH", help=_RDF, show_default=False)]
LinkedGraphs = Annotated[
    list[str],
    typer.Argument(
        metavar="GRAPH",
        help=f"{_RDF} Their entities are linked to Wikidata (see `kgmrca link`).",
        show_default=False,
    ),
]
CheckedGraphs = Annotated[
    list[str],
    typer.Argument(
        metavar="CHECKED",
        help=f"{_RDF} Among them are the statements, and what `kgmrca check` wrote about them.",
        show_default=False,
    ),
]
GraphFormat = Annotated[
    OutputFormat | None,
    typer.Option(
        help="The format of all that is read.  [default: by the extension of each file; TriG on standard input, which "
        "includes Turtle and N-Triples]",
        show_default=False,
    ),
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="OUT", help="The file to write, or - for standard output.")
]
GraphOutput = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="The file to write, its address (s3://BUCKET/FILE), or - for standard output. With a / at the end, a "
        "folder for shards of N-Quads.",
    ),
]
Format = Annotated[
    OutputFormat | None,
    typer.Option(
        help="The format of OUT.  [default: by its extension (.ttl, .nt, .nq, .trig, .jsonld, .rdf; with .gz it is "
        "compressed); Turtle on standard output]",
        show_default=False,
    ),
]
Base = Annotated[
    str, typer.Option(metavar="IRI", help="The beginning of all IRIs that are made here. It ends in / or :.")
]
Pipeline = Annotated[
    str,
    typer.Argument(
        metavar="PIPELINE", help="The name or the folder of a spaCy pipeline.", autocompletion=suggest(SHIPPED)
    ),
]
PipelineOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME_OR_FOLDER",
        autocompletion=suggest(SHIPPED),
        help=f"The spaCy pipeline that finds the relations.  [default: {SHIPPED}, which comes with kgmrca]",
        show_default=False,
    ),
]
ThresholdOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME_OR_NUMBER",
        autocompletion=suggest("precise", "balanced", "complete"),
        help="The lowest score of a relation that is given: a number from 0 to 1, or an operating point of a "
        "calibrated pipeline (precise, balanced or complete).  [default: precise in `convert`, balanced in `tag` and "
        "`serve`; the pipeline's own number if it is not calibrated]",
        show_default=False,
    ),
]
Endpoint = Annotated[
    str,
    typer.Option(
        metavar="WHERE",
        autocompletion=suggest("wikidata", "qlever"),
        help="The SPARQL endpoint that has Wikidata's data: wikidata, qlever, a URL, or a local RDF file or folder.",
    ),
]
Contact = Annotated[
    str | None,
    typer.Option(
        metavar="MAIL_OR_URL",
        help="Your mail address or web page, which is sent to the operators of the endpoint. Public endpoints ask for "
        "it.",
    ),
]
WikibaseIri = Annotated[
    str | None,
    typer.Option(
        "--wikibase",
        metavar="IRI",
        help="The beginning of the IRIs of items, if the data are those of another Wikibase than Wikidata, such as "
        "https://kb.example/entity/.  [default: found in the graphs, by `link` in the endpoint's data; otherwise "
        "Wikidata's]",
        show_default=False,
    ),
]
CacheFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The file in which the endpoint's answers are kept.  [default: the one that `kgmrca cache` shows]",
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Send no query: use only the answers that are in the cache.")]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Send each query again, and replace the answers in the cache.")
]


@contextmanager
def looked_up(
    endpoint: str, *, contact: str | None, cache: Path | None, offline: bool, refresh: bool, wikibase: str | None
) -> "Iterator[Lookups]":
    """What an endpoint answers, from the cache first."""
    from kgmrca.wikidata.lookups import Lookups
    from kgmrca.wikidata.sparql import open_endpoint
    from kgmrca.wikidata.wikibase import Wikibase

    lookups = Lookups(
        open_endpoint(endpoint, contact=contact, offline=offline),
        cache=cache or "default",
        offline=offline,
        refresh=refresh,
        wikibase=Wikibase(wikibase) if wikibase else "find",
    )
    with lookups:
        try:
            yield lookups
        finally:
            for remark in lookups.remarks.values():
                print(f"kgmrca: {remark}", file=sys.stderr)


def no_stream(path: _Output) -> _Output:
    """Refuse "-" for an output that has to be a file or a folder (a callback of its option)."""
    if str(path) == STANDARD:
        raise typer.BadParameter("This cannot be written to standard output: give a name.")
    return path


def opened_if_named(output: str | Path | None, **options: Any) -> AbstractContextManager[IO[bytes] | None]:
    """Open `output` for writing (see `kgmrca.files.opened`); without an `output`, give None."""
    return opened(output, **options) if output else nullcontext()


def listed(text: str) -> list[str]:
    """Split what stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def number_or_name(threshold: str) -> float | str:
    """Read what `--threshold` takes.

    Raises:
        BadParameter: it is a number that is not from 0 to 1.
    """
    try:
        number = float(threshold)
    except ValueError:
        return threshold  # whether it is a name, the pipeline knows
    if not 0 <= number <= 1:
        raise typer.BadParameter(f"{threshold} is not from 0 to 1.", param_hint="--threshold")
    return number


def load_pipeline(name: str | None, *, adds_relations: bool = False) -> "Language":
    """Load a pipeline by its name or from its folder; without a name, the one that ships.

    Args:
        name: the pipeline.
        adds_relations: add `mrca_relations` as it ships at the end of a pipeline without a relation component.

    Raises:
        InputError: it cannot be loaded.
        ModelError: a relation component would have to be added, and the texts are in another language than English.
    """
    logger.info("Loading the pipeline %s.", name or SHIPPED)
    with loading_shown():
        from kgmrca.extraction.relations.component import load  # takes as long as the pipeline itself

        try:
            nlp = load(name)
        except KgmrcaError:
            raise
        except Exception as error:  # a folder may have anything in it, and a component of others may raise anything
            raise InputError(f"The pipeline '{name}' cannot be loaded: {_in_words(error)}") from error
        if adds_relations and not any(
            "doc._.relations" in nlp.get_pipe_meta(component).assigns for component in nlp.component_names
        ):
            if nlp.lang not in ("en", "xx"):
                raise ModelError(
                    f"The pipeline '{name}' finds no relations, and is for texts in '{nlp.lang}'. The component "
                    "'mrca_relations' that would be added to it reads English: train one for these texts."
                )
            nlp.add_pipe("mrca_relations")
            print(
                f"kgmrca: the pipeline '{name}' finds no relations, so 'mrca_relations' was added at its end",
                file=sys.stderr,
            )
        return nlp


def _in_words(error: Exception) -> str:
    if found := re.search(r"\[E002\] Can't find factory for '(.*?)'", str(error)):
        return f"the factory '{found[1]}' of one of its components is not there: install the package that it is from."
    first = str(error).partition("\n")[0]
    return first if isinstance(error, OSError) else f"{type(error).__name__}: {first}"
