"""What Wikidata has about the items of graphs, claims and labels: what `kgmrca enrich` does.

What Wikidata says is never mixed with what was read from texts. Each value or label is a node of its own, a
`kgmrca:RetrievedFact`. It has no confidence and no mention, but the statement of Wikidata that it comes from, and the
time when it was fetched. If the format has named graphs, all nodes are in one named graph, with plain triples beside.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.errors import InputError
from kgmrca.files import opened
from kgmrca.ontology import WIKIDATA_DIRECT, WIKIDATA_ENTITY
from kgmrca.progress import counted, progress_bar
from kgmrca.terms import (
    CHECKED_AGAINST,
    DECIMAL,
    DEFAULT_GRAPH,
    DERIVED_FROM,
    GENERATED_BY,
    KGMRCA,
    LABEL,
    OBJECT,
    PREDICATE,
    PROV,
    SUBJECT,
    TYPE,
    XSD,
)
from kgmrca.triples.formats import WITH_GRAPHS, chosen_format, write
from kgmrca.triples.inputs import rdf_files
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import read_graphs
from kgmrca.triples.write import activity_triples, moment
from kgmrca.wikidata.assertions import in_words, linked_items
from kgmrca.wikidata.outputs import check_writable
from kgmrca.wikidata.queries import checked_id, checked_language, fallbacks
from kgmrca.wikidata.records import Claim, NotChecked, Rank, Value
from kgmrca.wikidata.values import span_in_words

if TYPE_CHECKING:
    from tqdm import tqdm

    from kgmrca.wikidata.lookups import Lookups

__all__ = ["PRESETS", "EnrichSummary", "best", "enrich", "term"]

PRESETS = {"basics": ("P31", "P17", "P18", "P569", "P570", "P571", "P625", "P856")}
"""Properties by name: instance of, country, image, birth, death, inception, coordinates, official website."""

_FACT, _UNIT = NamedNode(f"{KGMRCA}RetrievedFact"), NamedNode(f"{KGMRCA}unit")
_GENERATED_AT = NamedNode(f"{PROV}generatedAtTime")
_WKT, _MATHML = (
    NamedNode("http://www.opengis.net/ont/geosparql#wktLiteral"),
    NamedNode("http://www.w3.org/1998/Math/MathML"),
)
_IS_WKT = re.compile(r"(<[^>]*> )?Point\(", re.IGNORECASE)
_TIME = re.compile(r"(?P<year>[+-]?\d+)(-(?P<month>\d\d))?(-(?P<day>\d\d))?(?P<hours>T.*)?", re.ASCII)
_DAY, _MONTH, _YEAR = 11, 10, 9
_RANKS: tuple[Rank, ...] = ("preferred", "normal")
_CHUNK = 1_000  # items at once: batches of look-ups are full, and a few MB
_LISTED = 20  # of what could not be looked up, for each reason

_Found: TypeAlias = tuple[NamedNode, NamedNode | Literal, str]  # predicate, object, and its unit or ""


@dataclass(slots=True)
class EnrichSummary:
    """What `enrich` did.

    Attributes:
        items: the number of items that the graphs are linked to.
        claims: the number of values of properties that were written.
        labels: the number of labels that were written.
        unknown: the number of values that Wikidata says are unknown; they are not written.
        other_links: the number of links in the graphs that lead to no item, by host.
        failed: what could not be looked up, such as "Q7186 P18", by reason.
        queries: the number of queries that were sent.
    """

    items: int = 0
    claims: int = 0
    labels: int = 0
    unknown: int = 0
    other_links: Counter[str] = field(default_factory=Counter)
    failed: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    queries: int = 0

    def in_words(self, output: str) -> str:
        """The summary in lines of text; `output` is where the result was written."""
        to = "" if output == "-" else f" -> {output}"
        found = (
            f"{counted(self.claims, 'claim')} and {counted(self.labels, 'label')} of {counted(self.items, 'item')}{to}"
        )
        lines = [f"{found}; {counted(self.queries, 'query', 'queries')}"]
        if not self.items:
            lines.append("no entity is linked to an item: see kgmrca link")
        lines += in_words(self.other_links)
        if self.unknown:
            lines.append(f"{counted(self.unknown, 'value')} left out: unknown to Wikidata")
        for reason, asked in sorted(self.failed.items()):
            more = f" and {len(asked) - _LISTED:,} more" if len(asked) > _LISTED else ""
            lines.append(f"not looked up, {reason}: {', '.join(asked[:_LISTED])}{more}")
        return "\n".join(f"kgmrca: {line}" for line in lines)


def enrich(
    graphs: Sequence[str | Path],
    lookups: "Lookups",
    output: str | Path,
    *,
    properties: Sequence[str] = (),
    languages: Sequence[str] = (),
    input_format: str | None = None,
    format: str | None = None,
    base: str = DEFAULT_BASE,
    progress: bool | None = None,
) -> EnrichSummary:
    """Write claims and labels of the items that graphs are linked to. What the graphs say themselves is not written.

    Of each property the values of the best rank are written: the preferred ones if there are any, else the normal ones.
    The same claims give the same bytes, because each carries the time when it was fetched, not the time of this job.

    Args:
        graphs: RDF files, folders of them, glob patterns, or "-" for standard input.
        lookups: where to look up.
        output: a file, or "-" for standard output.
        properties: ids of the properties to fetch, such as "P31".
        languages: tags of the languages in which to fetch labels, such as "en". Where an item has no label in one of
            them, it is that in a language that stands for it (see `queries.fallbacks`), with its own tag.
        input_format: the format of all graphs. With None it is known by the files' extensions; standard input is read
            as TriG, which includes Turtle and N-Triples.
        format: of the output. With None it is known by the file's extension; standard output gets Turtle.
        base: what new IRIs begin with.
        progress: see `kgmrca.progress.progress_bar`.

    Raises:
        InputError: an argument or a graph cannot be used, or there are neither properties nor languages.
        OSError: something cannot be read or written.
    """
    ids = list(dict.fromkeys(checked_id(name, kinds="P") for name in properties))
    tags = list(dict.fromkeys(map(checked_language, languages)))
    if not ids and not tags:
        raise InputError("Name what to fetch: --properties, --preset or --languages.")
    format = chosen_format(format, output)
    summary, queries = EnrichSummary(), lookups.endpoint.queries
    check_writable([output], graphs, lookups, input_format=input_format)
    with opened(output) as out:
        files = rdf_files(graphs, format=input_format)
        linked = linked_items(lookups.wikibase.graphs(read_graphs(files, beside=output)), summary.other_links)
        if not linked and lookups.find_wikibase(lambda: read_graphs(files, beside=output)):
            summary.other_links.clear()
            linked = linked_items(lookups.wikibase.graphs(read_graphs(files, beside=output)), summary.other_links)
        items = sorted(linked, key=lambda id: int(id[1:]))
        summary.items = len(items)
        writer = _Writer(Iris(base), lookups.endpoint.name, ids, tags, has_graphs=format in WITH_GRAPHS)
        with progress_bar(progress, total=len(items), unit=" items") as bar:
            found = _found(_counting_items(items, bar), lookups, ids, tags, summary)
            write(lookups.wikibase.triples(writer.triples(found)), out, format=format, base=base)
        out.flush()
    summary.queries = lookups.endpoint.queries - queries
    return summary


def best(claims: Iterable[Claim]) -> list[Claim]:
    """The claims of the best rank: the preferred ones if there are any, else the normal ones; never deprecated ones.

    >>> claims = [Claim("urn:1", "P35", Value("item", "Q1")), Claim("urn:2", "P35", Value("item", "Q2"), "preferred")]
    >>> [claim.value.text for claim in best(claims)]
    ['Q2']
    """
    by_rank: dict[Rank, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_rank[claim.rank].append(claim)
    return next((by_rank[rank] for rank in _RANKS if by_rank[rank]), [])


def term(value: Value) -> NamedNode | Literal | None:
    """A value in RDF; None for an unknown value and for "no value".

    A time gets the datatype of its precision: `xsd:date`, `xsd:gYearMonth` or `xsd:gYear`. A coarser time becomes text
    ("1880s", "19th century"), because no datatype exists for it. A quantity is an `xsd:decimal` without unit and
    bounds. Links are IRIs and coordinates are GeoSPARQL literals, as in Wikibase's RDF.

    >>> term(Value("time", "1867-11-07T00:00:00Z", precision=9))
    <Literal value=1867 datatype=<NamedNode value=http://www.w3.org/2001/XMLSchema#gYear>>
    """
    if value.kind == "item":
        return NamedNode(WIKIDATA_ENTITY + value.text)
    if value.kind == "time":
        return _time(value)
    if value.kind == "quantity":
        return _quantity(value.text)
    if value.kind == "text":
        return Literal(clean_text(value.text), language=value.language or None)
    if value.kind == "other":
        return _other(value.text)
    return None


def _time(value: Value) -> Literal:
    match = _TIME.fullmatch(value.text)
    if match is None:
        return Literal(clean_text(value.text))
    year, month, day = (int(match[part] or 0) for part in ("year", "month", "day"))
    finest = _DAY if day else _MONTH if month else _YEAR
    precision = value.precision
    if match["hours"] and (precision is None or precision > _DAY):
        return Literal(value.text.removeprefix("+"), datatype=NamedNode(f"{XSD}dateTime"))
    precision = finest if precision is None else min(precision, finest)
    if precision < _YEAR:
        return Literal(span_in_words(year, precision))
    form = f"{'-' if year < 0 else ''}{abs(year):04}"
    if precision == _YEAR:
        return Literal(form, datatype=NamedNode(f"{XSD}gYear"))
    form += f"-{month:02}"
    if precision == _MONTH:
        return Literal(form, datatype=NamedNode(f"{XSD}gYearMonth"))
    return Literal(f"{form}-{day:02}", datatype=NamedNode(f"{XSD}date"))


def _quantity(text: str) -> Literal:
    try:
        form = format(Decimal(text), "f")
    except (InvalidOperation, ValueError):
        return Literal(clean_text(text))
    if "." in form:
        form = form.rstrip("0").removesuffix(".")
    return Literal(form, datatype=DECIMAL)


def _other(text: str) -> NamedNode | Literal:
    if _IS_WKT.match(text):
        return Literal(text, datatype=_WKT)
    if text.startswith("<math"):
        return Literal(clean_text(text), datatype=_MATHML)
    try:
        return NamedNode(text)
    except ValueError:
        return Literal(clean_text(text))


def _counting_items(items: Sequence[str], bar: "tqdm[Any]") -> Iterator[str]:
    """The items; each counts as done when the next is taken."""
    for item in items:
        yield item
        bar.update()


def _found(
    items: Iterable[str],
    lookups: "Lookups",
    properties: Sequence[str],
    languages: Sequence[str],
    summary: EnrichSummary,
) -> Iterator[tuple[str, _Found, float, list[str]]]:
    """Item, value or label, when it was fetched (in seconds since 1970), and the IRIs of the claims that state it."""
    items = iter(items)
    wanted = [tag for language in languages for tag in fallbacks(language)]
    while chunk := list(islice(items, _CHUNK)):
        pairs = [(item, name) for item in chunk for name in properties]
        stated = lookups.claims(pairs)
        stated_at = lookups.claims_fetched(pairs)
        known = lookups.items(chunk, languages=wanted) if languages else {}
        known_at = lookups.items_fetched(chunk, languages=wanted) if languages else {}
        for item in chunk:
            about = known.get(item)
            if isinstance(about, NotChecked):
                summary.failed[about.reason].append(f"{item} labels")
            elif about:
                for language, text in _labels(about.labels, languages):
                    summary.labels += 1
                    yield item, (LABEL, Literal(clean_text(text), language=language), ""), known_at[item], []
            for name in properties:
                answer = stated[item, name]
                if isinstance(answer, NotChecked):
                    summary.failed[answer.reason].append(f"{item} {name}")
                    continue
                values, n_unknown = _values(answer, NamedNode(WIKIDATA_DIRECT + name))
                summary.unknown += n_unknown
                for value, claim_iris in values:
                    summary.claims += 1
                    yield item, value, stated_at[item, name], claim_iris


def _labels(labels: Iterable[tuple[str, str]], languages: Iterable[str]) -> list[tuple[str, str]]:
    """The label in each language, or else in the next that stands for it, with the language that it is in."""
    having = dict(labels)
    found = (next((tag for tag in fallbacks(language) if tag in having), None) for language in languages)
    return sorted((tag, having[tag]) for tag in set(found) if tag)


def _values(claims: Iterable[Claim], predicate: NamedNode) -> tuple[list[tuple[_Found, list[str]]], int]:
    """The distinct values with the IRIs of their claims, and the number of claims with an unknown value."""
    found: dict[_Found, list[str]] = {}
    n_unknown = 0
    for claim in best(claims):
        object_ = term(claim.value)
        if object_ is None:
            n_unknown += claim.value.kind == "somevalue"
        else:
            found.setdefault((predicate, object_, claim.value.unit), []).append(claim.iri)
    return sorted(found.items(), key=lambda one: (str(one[0][1]), one[0][2])), n_unknown


class _Writer:
    """Lookups of one endpoint as RDF."""

    def __init__(
        self, iris: Iris, endpoint: str, properties: Sequence[str], languages: Sequence[str], *, has_graphs: bool
    ) -> None:
        self._iris, self._endpoint = iris, endpoint
        self._run = NamedNode(iris.run("enrich", __version__, endpoint, ",".join(properties), ",".join(languages)))
        self._graph = NamedNode(iris.retrieved(endpoint)) if has_graphs else None

    def triples(self, found: Iterable[tuple[str, _Found, float, list[str]]]) -> Iterator[Triple | Quad]:
        place: Callable[[Triple], Triple | Quad] = self._placed if self._graph else lambda triple: triple
        for item, value, fetched, claim_iris in found:
            for triple in self._node(NamedNode(WIKIDATA_ENTITY + item), value, fetched, claim_iris):
                yield place(triple)
        if self._graph:
            yield Triple(self._graph, GENERATED_BY, self._run)
        yield from activity_triples(self._run, [(CHECKED_AGAINST, NamedNode(self._endpoint))])

    def _placed(self, triple: Triple) -> Quad:
        return Quad(triple.subject, triple.predicate, triple.object, self._graph or DEFAULT_GRAPH)

    def _node(self, item: NamedNode, value: _Found, fetched: float, claim_iris: Iterable[str]) -> Iterator[Triple]:
        predicate, object_, unit = value
        if self._graph:
            yield Triple(item, predicate, object_)
        node = NamedNode(
            self._iris.retrieved(self._endpoint, item.value, predicate.value, str(object_), *([unit] if unit else []))
        )
        yield Triple(node, TYPE, _FACT)
        yield Triple(node, SUBJECT, item)
        yield Triple(node, PREDICATE, predicate)
        yield Triple(node, OBJECT, object_)
        if unit:
            yield Triple(node, _UNIT, NamedNode(WIKIDATA_ENTITY + unit))
        for claim_iri in filter(None, claim_iris):  # a value may have no statement node
            yield Triple(node, DERIVED_FROM, NamedNode(claim_iri))
        yield Triple(node, _GENERATED_AT, moment(datetime.fromtimestamp(fetched, timezone.utc)))
        yield Triple(node, GENERATED_BY, self._run)
