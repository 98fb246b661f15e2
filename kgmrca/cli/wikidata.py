"""The commands that ask Wikidata: `link`, `check`, `enrich` and `diff`; and `cache`, for what was answered."""

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from kgmrca.cli.options import (
    Base,
    CacheFile,
    CheckedGraphs,
    Contact,
    Endpoint,
    Format,
    GraphFormat,
    Graphs,
    LinkedGraphs,
    Offline,
    Output,
    Refresh,
    WikibaseIri,
    listed,
    looked_up,
    suggest,
)
from kgmrca.errors import InputError
from kgmrca.progress import counted
from kgmrca.triples.iris import DEFAULT_BASE


class Preset(str, Enum):
    """What `kgmrca enrich --preset` takes."""

    basics = "basics"


def link_command(
    graphs: Graphs,
    output: Output,
    endpoint: Endpoint,
    contact: Contact = None,
    wikibase: WikibaseIri = None,
    languages: Annotated[
        str,
        typer.Option(
            metavar="TAGS",
            help="The languages in which names are looked up, separated by commas, that of the texts first. Wikidata "
            "uses mul for names that are the same in all languages.",
        ),
    ] = "en,mul",
    min_probability: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, metavar="NUMBER", help="The lowest probability of an item that is linked to.  [default: 0.65]"
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="NUMBER",
            help="The smallest difference between the probabilities of the best item and the next one.  [default: 0.3]",
        ),
    ] = None,
    format: Format = None,
    input_format: GraphFormat = None,
    base: Base = DEFAULT_BASE,
    cache: CacheFile = None,
    offline: Offline = False,
    refresh: Refresh = False,
) -> None:
    """Link the entities of graphs to Wikidata items.

    The candidates are the items that have an entity's name as a label or alias, also in another spelling. They are
    ranked by how they have the name, how well known they are, whether their type fits, what they have in common with
    the text, and whether Wikidata connects them with the candidates of other entities in the document. The text is read
    if the graphs have it (`kgmrca convert --sentence-text`). An entity is not linked if no candidate is probable
    enough, or if two are about equally probable. OUT has the graphs, the links, and for each entity all candidates.

    Exit code 1 means that the command has finished, but could not look up some entities. Run it again: it then sends
    only the queries that have no answer yet. It is 1, too, where the endpoint has no labels or no items at all.

    \b
    Examples:
      kgmrca link graph.ttl --endpoint wikidata --contact me@example.org -o linked.ttl
      kgmrca link a.nq.gz b.nq.gz --endpoint http://127.0.0.1:7878/query -o linked.nq.gz
      kgmrca link graph.ttl --endpoint wikidata.nt.gz --languages pl,mul,en -o - | grep kgmrca:item
      kgmrca link graph.ttl --endpoint https://kb.example/sparql --wikibase https://kb.example/entity/ -o linked.ttl
    """
    from kgmrca.wikidata.disambiguation import MARGIN, MIN_PROBABILITY
    from kgmrca.wikidata.link import link_graphs

    with looked_up(
        endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh, wikibase=wikibase
    ) as lookups:
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
    if summary.outcomes["not looked up"] or summary.is_in_vain:
        raise typer.Exit(1)


def check_command(
    graphs: LinkedGraphs,
    endpoint: Endpoint,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="The RDF file for the verdicts, or - for standard output."),
    ] = None,
    csv: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the verdicts as a CSV table to this file as well, or - for standard output."
        ),
    ] = None,
    jsonl: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the verdicts as JSON Lines to this file as well, or - for standard output."
        ),
    ] = None,
    contact: Contact = None,
    wikibase: WikibaseIri = None,
    format: Format = None,
    input_format: GraphFormat = None,
    base: Base = DEFAULT_BASE,
    cache: CacheFile = None,
    offline: Offline = False,
    refresh: Refresh = False,
) -> None:
    """Compare each statement of graphs with Wikidata.

    The verdict on a statement is, for example, "confirmed", "conflict" or "new". No verdict is "wrong", because
    Wikidata is not complete. If a query failed, the verdict is "not checked". OUT has the verdicts only, each with the
    statement of Wikidata that it is based on. Merge OUT with the graph to have both in one file.

    Exit code 1 means that the command has finished, but could not check some statements. Run it again: it then sends
    only the queries that have no answer yet. It is 1, too, where the graphs are about another Wikibase, or
    about items that the endpoint does not have.

    \b
    Examples:
      kgmrca check linked.ttl --endpoint wikidata --contact me@example.org -o checks.ttl
      kgmrca check a.nq.gz b.nq.gz --endpoint http://127.0.0.1:7878/query --csv checks.csv --jsonl checks.jsonl
      kgmrca check linked.ttl --endpoint wikidata.nt.gz -o - | grep conflict
    """
    from kgmrca.wikidata.check import check

    with looked_up(
        endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh, wikibase=wikibase
    ) as lookups:
        summary = check(
            graphs,
            lookups,
            output,
            csv=csv,
            jsonl=jsonl,
            input_format=input_format and input_format.value,
            format=format and format.value,
            base=base,
        )
    print(summary.in_words(endpoint), file=sys.stderr)
    if summary.verdicts["not checked"] or summary.is_in_vain:
        raise typer.Exit(1)


def enrich_command(
    graphs: LinkedGraphs,
    output: Output,
    endpoint: Endpoint,
    properties: Annotated[
        str,
        typer.Option(
            metavar="IDS", help="The properties to fetch, separated by commas, such as P31,P18.", show_default=False
        ),
    ] = "",
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="A set of properties to fetch. basics is instance of (P31), country (P17), image (P18), date of birth "
            "(P569), date of death (P570), inception (P571), coordinates (P625) and official website (P856).",
            show_default=False,
        ),
    ] = None,
    languages: Annotated[
        str,
        typer.Option(
            metavar="TAGS",
            help="The languages in which labels are fetched, separated by commas, such as en,de. If an item has no "
            "label in one of them, its label in mul or in a regional language such as en-gb is fetched.",
            show_default=False,
        ),
    ] = "",
    contact: Contact = None,
    wikibase: WikibaseIri = None,
    format: Format = None,
    input_format: GraphFormat = None,
    base: Base = DEFAULT_BASE,
    cache: CacheFile = None,
    offline: Offline = False,
    refresh: Refresh = False,
) -> None:
    """Fetch properties and labels of linked Wikidata items.

    OUT has only what was fetched. Each value is a kgmrca:RetrievedFact with the claim that it comes from and the time,
    which tells it from a statement that was read in a text. Of each property, the values of the best rank are taken.
    Merge OUT with the graph to have both in one file. In TriG, N-Quads and JSON-LD, all that was fetched is in one
    named graph, with its plain triples.

    Exit code 1 means that the command has finished, but could not look up everything. Run it again: it then sends only
    the queries that have no answer yet.

    \b
    Examples:
      kgmrca enrich linked.ttl --preset basics --endpoint wikidata --contact me@example.org -o claims.ttl
      kgmrca enrich linked.ttl --properties P106,P18 --languages en,de --endpoint wikidata.nt.gz -o claims.trig
      kgmrca merge linked.ttl claims.ttl -o graph.ttl
    """
    from kgmrca.wikidata.enrich import PRESETS, enrich

    chosen = [*(PRESETS[preset.value] if preset else ()), *listed(properties)]
    with looked_up(
        endpoint, contact=contact, cache=cache, offline=offline, refresh=refresh, wikibase=wikibase
    ) as lookups:
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
    graphs: CheckedGraphs,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="TABLE",
            help="The table to write: a name that ends in .tsv or .csv, or - for standard output. What you wrote in a "
            "table that exists is kept.",
        ),
    ] = None,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="List the facts that contradict Wikidata as well.")
    ] = False,
    accept: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE",
            help="A table that was reviewed: the facts with x or yes in the column accept are exported.",
        ),
    ] = None,
    quickstatements: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The file for the QuickStatements of the accepted facts, or - for standard output. If there are more "
            "than 5,000, further files such as new-2.qs are written beside it, but none is replaced.",
        ),
    ] = None,
    stated_in: Annotated[
        str | None,
        typer.Option(
            metavar="ITEM",
            help="The item that each reference names with 'stated in' (S248). The URL of a document is always given.",
        ),
    ] = None,
    input_format: GraphFormat = None,
    wikibase: WikibaseIri = None,
) -> None:
    """List facts that are new to Wikidata, for review and export.

    The table has a row for each fact, the most certain first, with the names, the items, the sentence, and an empty
    column accept. Put an x there for each fact that you accept, and give the table to --accept. Those facts are written
    as commands for https://quickstatements.toolforge.org. What QuickStatements cannot hold is left out, and listed with
    the reason. Nothing is uploaded.

    When the table is written again, your answers, the cells that you edited and the columns that you added are kept. A
    row that you worked on and that is no longer listed is kept at the end. The column checksums tells which cells you
    edited.

    What persons accepted by `kgmrca apply-review` has an x already, and --quickstatements alone exports just that. What
    they rejected or corrected is neither listed nor exported.

    Exit code 1 means that the command has finished, but did not export some of the accepted facts, or of their times.
    They are listed.

    \b
    Examples:
      kgmrca diff linked.ttl checks.ttl -o new.tsv
      kgmrca diff linked.ttl checks.ttl --accept new.tsv --quickstatements new.qs --stated-in Q328
      kgmrca diff reviewed.ttl checks.ttl --quickstatements new.qs
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
        wikibase=wikibase,
    )
    print(summary.in_words(str(output or quickstatements)), file=sys.stderr)
    if summary.left_out:
        raise typer.Exit(1)


def cache_command(
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The cache file.  [default: in your folder for caches]", show_default=False),
    ] = None,
    clear: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            autocompletion=suggest("all", "expired", "wikidata", "qlever"),
            help="Remove answers: all, those that have expired, or those of one endpoint by its name in the list.",
        ),
    ] = None,
) -> None:
    """Show or remove the answers of endpoints that are kept on disk.

    \b
    Examples:
      kgmrca cache
      kgmrca cache --clear expired
      kgmrca cache --clear wikidata
    """
    import time

    from kgmrca.wikidata.cache import Cache, default_cache
    from kgmrca.wikidata.sparql import ENDPOINTS

    path = cache or default_cache()
    if not path.is_file():
        print(f"kgmrca: There is no cache '{path}' yet.", file=sys.stderr)
        return
    answers, now = Cache(path, read_only=clear is None), time.time()
    if clear is not None:
        endpoint = None if clear in ("all", "expired") else ENDPOINTS.get(clear, clear)
        names = [usage.endpoint for usage in answers.usage(now=now)] if endpoint else []
        if endpoint and endpoint not in names:
            raise InputError(
                f"The cache has no answers of '{clear}'. It has answers of: {', '.join(names) or 'no endpoint'}."
            )
        n_removed = answers.clear(endpoint=endpoint, expired_at=now if clear == "expired" else None)
        print(f"kgmrca: {counted(n_removed, 'answer')} removed.", file=sys.stderr)
    print(f"{path}  {path.stat().st_size / 1e6:,.1f} MB")
    for usage in answers.usage(now=now):
        oldest = time.strftime("%Y-%m-%d", time.localtime(usage.oldest))
        answered = counted(usage.entries, "answer")
        print(f"{usage.endpoint}  {answered}, {usage.expired:,} expired, the oldest from {oldest}")
    answers.close()
