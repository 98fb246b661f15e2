"""Facts and labels about the items of graphs, as Wikidata has them: what `kgmrca enrich` does.

They are never mixed up with what was read from texts. Each is a node of its own (`kgmrca:RetrievedFact`), which has no
confidence and no mention, but says from which statement of Wikidata and when it was taken. Where the format has named
graphs, all of it is in one, and there the plain triples stand as well.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca import __version__
from kgmrca.errors import InputError
from kgmrca.files import opened
from kgmrca.ontology import WIKIDATA_DIRECT, WIKIDATA_ENTITY
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
    SAME,
    SUBJECT,
    TYPE,
    XSD,
)
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text
from kgmrca.triples.read import Node, read_graphs
from kgmrca.triples.write import PROVENANCE, activity_triples, chosen_format, moment, write
from kgmrca.wikidata.queries import checked_id, checked_language, id_of
from kgmrca.wikidata.records import NotChecked, Rank, Value, WikidataStatement

if TYPE_CHECKING:
    from kgmrca.wikidata.facts import Facts

__all__ = ["PRESETS", "Summary", "best", "enrich", "linked_items", "term"]

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
_DAY, _MONTH, _YEAR, _DECADE, _CENTURY, _MILLENNIUM = 11, 10, 9, 8, 7, 6
_RANKS: tuple[Rank, ...] = ("preferred", "normal")
_CHUNK = 1_000  # items at once: batches of look-ups are full, and a few MB
_LISTED = 20  # of what could not be looked up, for each reason

_Fact: TypeAlias = tuple[NamedNode, NamedNode | Literal, str]  # predicate, object, and its unit or ""


@dataclass(slots=True)
class Summary:
    """What a job did.

    Attributes:
        items: about how many items was asked.
        facts: how many values of properties were found.
        labels: how many labels.
        unknown: how many values Wikidata says are unknown; there is nothing to write of them.
        failed: what could not be looked up, such as "Q7186 P18", by reason.
        queries: how many were sent.
    """

    items: int = 0
    facts: int = 0
    labels: int = 0
    unknown: int = 0
    failed: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    queries: int = 0

    def in_words(self, output: str) -> str:
        """The same for a person, in some lines."""
        to = "" if output == "-" else f" -> {output}"
        found = f"{self.facts:,} facts and {self.labels:,} labels of {self.items:,} items{to}"
        lines = [f"{found}; {self.queries:,} queries"]
        if not self.items:
            lines.append("no entity is linked to an item: see kgmrca link")
        if self.unknown:
            lines.append(f"{self.unknown:,} values left out that Wikidata says are unknown")
        for reason, asked in sorted(self.failed.items()):
            more = f" and {len(asked) - _LISTED:,} more" if len(asked) > _LISTED else ""
            lines.append(f"not looked up, {reason}: {', '.join(asked[:_LISTED])}{more}")
        return "\n".join(f"kgmrca: {line}" for line in lines)


def enrich(
    graphs: Sequence[str | Path],
    facts: "Facts",
    output: str | Path,
    *,
    properties: Sequence[str] = (),
    languages: Sequence[str] = (),
    input_format: str | None = None,
    format: str | None = None,
    base: str = DEFAULT_BASE,
) -> Summary:
    """Write facts and labels about the items that graphs are linked to. What the graphs themselves say is not written.

    Of a property, those values are taken that Wikidata holds best (the preferred ones, else the normal ones). The same
    facts give the same bytes; each has the time at which the endpoint said so, not that of this job.

    Args:
        graphs: RDF files, or "-" for standard input.
        facts: where to look up.
        output: a file, or "-" for standard output.
        properties: such as "P31".
        languages: of the labels, such as "en".
        input_format: the format of all graphs; None: by the files' extensions, TriG on standard input, of which Turtle
            and N-Triples are parts.
        format: of the output; None: by the file's extension, Turtle on standard output.
        base: with what the IRIs begin that are made here.

    Raises:
        InputError: an argument or a graph cannot be used, or nothing is asked for.
        OSError: something cannot be read or written.
    """
    asked = list(dict.fromkeys(checked_id(name, kinds="P") for name in properties))
    spoken = list(dict.fromkeys(map(checked_language, languages)))
    if not asked and not spoken:
        raise InputError("Nothing is asked for: name properties, a preset or the languages of labels.")
    format = chosen_format(format, output)
    summary, queries = Summary(), facts.endpoint.queries
    writer = _Writer(Iris(base), facts.endpoint.name, asked, spoken, has_graphs=format in PROVENANCE["graphs"])
    with opened(output, inputs=graphs) as out:
        items = sorted(linked_items(graphs, format=input_format), key=lambda id: int(id[1:]))
        summary.items = len(items)
        write(writer.triples(_found(items, facts, asked, spoken, summary)), out, format=format, base=base)
        out.flush()
    summary.queries = facts.endpoint.queries - queries
    return summary


def linked_items(graphs: Iterable[str | Path], *, format: str | None = None) -> set[str]:
    """The items that graphs are about: what statements and plain triples name, and what entities are linked to.

    Raises:
        InputError: a graph cannot be used.
        OSError: a graph cannot be read.
    """
    items: set[str] = set()
    for found in read_graphs((graph, format) for graph in graphs):
        ends: list[object]
        if isinstance(found, Node):
            ends = [found.terms["subject"], found.terms["object"]]
        elif found.graph_name != DEFAULT_GRAPH:
            continue  # such as what an earlier job has found
        elif found.predicate in SAME:
            ends = [found.object]
        elif found.predicate.value.startswith(WIKIDATA_DIRECT):
            ends = [found.subject, found.object]
        else:
            continue
        items.update(id for end in ends if isinstance(end, NamedNode) and (id := id_of(end.value, kinds="Q")))
    return items


def best(statements: Iterable[WikidataStatement]) -> list[WikidataStatement]:
    """Those of the best rank: the preferred ones, if there are any, else the normal ones; never deprecated ones."""
    by_rank: dict[Rank, list[WikidataStatement]] = defaultdict(list)
    for statement in statements:
        by_rank[statement.rank].append(statement)
    return next((by_rank[rank] for rank in _RANKS if by_rank[rank]), [])


def term(value: Value) -> NamedNode | Literal | None:
    """A value in RDF; None for one that is unknown, or that says that there is none.

    A time has the datatype that its precision has: `xsd:date`, `xsd:gYearMonth` or `xsd:gYear`; what is coarser is
    text ("1880s", "19th century"), because there is no datatype for it. A quantity is an `xsd:decimal`, without its
    unit and bounds. Links are IRIs, coordinates literals of GeoSPARQL, as in Wikibase's RDF.
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
        return Literal(_span(year, precision))
    form = f"{'-' if year < 0 else ''}{abs(year):04}"
    if precision == _YEAR:
        return Literal(form, datatype=NamedNode(f"{XSD}gYear"))
    form += f"-{month:02}"
    if precision == _MONTH:
        return Literal(form, datatype=NamedNode(f"{XSD}gYearMonth"))
    return Literal(f"{form}-{day:02}", datatype=NamedNode(f"{XSD}date"))


def _span(year: int, precision: int) -> str:
    """Decades and longer spans in words; the year 0 is 1 BC (XSD 1.1, part 2, appendix E.1)."""
    number, era = (year, "") if year > 0 else (1 - year, " BC")
    if precision == _DECADE:
        return f"{number // 10 * 10}s{era}"
    if precision == _CENTURY:
        return f"{_ordinal((number + 99) // 100)} century{era}"
    if precision == _MILLENNIUM:
        return f"{_ordinal((number + 999) // 1000)} millennium{era}"
    return f"about {number}{era}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


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


def _found(
    items: Iterable[str], facts: "Facts", properties: Sequence[str], languages: Sequence[str], summary: Summary
) -> Iterator[tuple[str, _Fact, float, list[str]]]:
    """What the endpoint says: item, fact, when it said so (since 1970), and by which of its statements."""
    items = iter(items)
    while chunk := list(islice(items, _CHUNK)):
        pairs = [(item, name) for item in chunk for name in properties]
        stated = facts.statements(pairs)
        stated_at = facts.statements_fetched(pairs)
        known = facts.items(chunk, languages=languages) if languages else {}
        known_at = facts.items_fetched(chunk, languages=languages) if languages else {}
        for item in chunk:
            about = known.get(item)
            if isinstance(about, NotChecked):
                summary.failed[about.reason].append(f"{item} labels")
            elif about:
                for language, text in sorted(about.labels):
                    summary.labels += 1
                    yield item, (LABEL, Literal(clean_text(text), language=language), ""), known_at[item], []
            for name in properties:
                answer = stated[item, name]
                if isinstance(answer, NotChecked):
                    summary.failed[answer.reason].append(f"{item} {name}")
                    continue
                values, n_unknown = _values(answer, NamedNode(WIKIDATA_DIRECT + name))
                summary.unknown += n_unknown
                for fact, sources in values:
                    summary.facts += 1
                    yield item, fact, stated_at[item, name], sources


def _values(statements: Iterable[WikidataStatement], predicate: NamedNode) -> tuple[list[tuple[_Fact, list[str]]], int]:
    """The different values with the statements that have them, and how many statements have an unknown one."""
    found: dict[_Fact, list[str]] = {}
    n_unknown = 0
    for statement in best(statements):
        object_ = term(statement.value)
        if object_ is None:
            n_unknown += statement.value.kind == "somevalue"
        else:
            found.setdefault((predicate, object_, statement.value.unit), []).append(statement.iri)
    return sorted(found.items(), key=lambda one: (str(one[0][1]), one[0][2])), n_unknown


class _Writer:
    """Facts of one endpoint as RDF."""

    def __init__(
        self, iris: Iris, endpoint: str, properties: Sequence[str], languages: Sequence[str], *, has_graphs: bool
    ) -> None:
        self._iris, self._endpoint = iris, endpoint
        self._run = NamedNode(iris.run("enrich", __version__, endpoint, ",".join(properties), ",".join(languages)))
        self._graph = NamedNode(iris.retrieved(endpoint)) if has_graphs else None

    def triples(self, found: Iterable[tuple[str, _Fact, float, list[str]]]) -> Iterator[Triple | Quad]:
        place: Callable[[Triple], Triple | Quad] = self._placed if self._graph else lambda triple: triple
        for item, fact, fetched, sources in found:
            for triple in self._node(NamedNode(WIKIDATA_ENTITY + item), fact, fetched, sources):
                yield place(triple)
        if self._graph:
            yield Triple(self._graph, GENERATED_BY, self._run)
        yield from activity_triples(self._run, [(CHECKED_AGAINST, NamedNode(self._endpoint))])

    def _placed(self, triple: Triple) -> Quad:
        return Quad(triple.subject, triple.predicate, triple.object, self._graph or DEFAULT_GRAPH)

    def _node(self, item: NamedNode, fact: _Fact, fetched: float, sources: Iterable[str]) -> Iterator[Triple]:
        predicate, object_, unit = fact
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
        for source in sources:
            yield Triple(node, DERIVED_FROM, NamedNode(source))
        yield Triple(node, _GENERATED_AT, moment(datetime.fromtimestamp(fetched, timezone.utc)))
        yield Triple(node, GENERATED_BY, self._run)
