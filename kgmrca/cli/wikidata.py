"""The commands that ask Wikidata: `link`, `check`, `enrich` and `diff`; and `cache`, for what was answered."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from kgmrca.cli.options import (
    Base,
    CacheFile,
    Contact,
    Endpoint,
    Format,
    GraphFormat,
    LinkedGraphs,
    Offline,
    Output,
    Refresh,
    listed,
    looked_up,
    suggest,
)
from kgmrca.errors import InputError
from kgmrca.triples.iris import DEFAULT_BASE


class Preset(str, Enum):
    """What `kgmrca enrich --preset` takes."""

    basics = "basics"


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
    min_probability: Annotated[
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
    from kgmrca.wikidata.disambiguation import MARGIN, MIN_PROBABILITY
    from kgmrca.wikidata.link import link_graphs

    with looked_up(endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh) as lookups:
        summary = link_graphs(
            graphs,
            lookups,
            output,
            languages=listed(languages),
            min_probability=MIN_PROBABILITY if min_probability is None else min_probability,
            margin=MARGIN if margin is None else margin,
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(output), file=sys.stderr)
    if summary.outcomes["not looked up"]:
        raise typer.Exit(1)


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
    jsonl: Annotated[
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
      kgmrca check a.nq.gz b.nq.gz --endpoint http://127.0.0.1:7878/query --csv checks.csv --jsonl checks.jsonl
      kgmrca check linked.ttl --endpoint wikidata.nt.gz -o - | grep conflict
    """
    from kgmrca.wikidata.check import check

    with looked_up(endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh) as lookups:
        summary = check(
            graphs,
            lookups,
            output,
            csv=csv,
            json=jsonl,
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(endpoint), file=sys.stderr)
    if summary.verdicts["not checked"]:
        raise typer.Exit(1)


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
    languages: Annotated[
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
      kgmrca enrich linked.ttl --properties P106,P18 --languages en,de --endpoint wikidata.nt.gz -o facts.trig
      kgmrca merge linked.ttl facts.ttl -o graph.ttl
    """
    from kgmrca.wikidata.enrich import PRESETS, enrich

    chosen = [*(PRESETS[preset.value] if preset else ()), *listed(properties)]
    with looked_up(endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh) as lookups:
        summary = enrich(
            graphs,
            lookups,
            output,
            properties=chosen,
            languages=listed(languages),
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(output), file=sys.stderr)
    if summary.failed:
        raise typer.Exit(1)


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


def cache_command(
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The cache.  [default: in your folder for caches]", show_default=False),
    ] = None,
    clear: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            autocompletion=suggest("all", "expired", "wikidata", "qlever"),
            help="Remove facts: all, expired, or those of one endpoint, named as it is listed here.",
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
