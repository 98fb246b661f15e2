"""Statements as text: N-Triples, N-Quads, Turtle or TriG, many times as fast as triple by triple.

Only `kgmrca.triples.write` knows the forms of provenance. It gives the triples of a statement of placeholders in a
form. These triples become a template, in which the cells of a statement replace the placeholders.
"""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import TypeAlias, cast

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kgmrca.graph.merging.rows import Cells
from kgmrca.terms import DECIMAL, DEFAULT_GRAPH, TYPE
from kgmrca.triples.formats import WITH_PREFIXES, prefixes, write
from kgmrca.triples.iris import DEFAULT_BASE
from kgmrca.triples.records import Mention, Statement, Times
from kgmrca.triples.write import statement_triples

__all__ = ["prefix_lines", "statement_text"]

_Term: TypeAlias = NamedNode | Literal | Triple

_NEXT_PREDICATE = " ;\n\t"
_SOME_TRIPLE = Triple(NamedNode("urn:s"), NamedNode("urn:p"), NamedNode("urn:o"))
_DECIMAL = str(DECIMAL)
_CONFIDENCE = Cells._fields.index("confidence")
_RUNS = Cells._fields.index("runs")
_SENTENCES = slice(Cells._fields.index("sentence_text"), _RUNS)
_Has: TypeAlias = tuple[bool, bool, bool, bool, bool, bool, bool, bool, bool]
"""Whether there is a text of the sentence, a sentence, a digest, a sentence of the object, a text of that, three
times, and a decision."""
# Mentions and documents have no short form.
_WITH_SHORT_FORM = range(Cells._fields.index("subject_mention"))


def statement_text(cells: Cells, *, format: str, base: str, provenance: str) -> str:
    """A statement as text.

    Args:
        cells: the statement.
        format: "turtle" or "trig", without the prefixes at the file's beginning; any other means N-Quads, of which
            N-Triples are a part.
        base: that of the prefixes.
        provenance: the form (see `kgmrca.triples.formats.PROVENANCE`), any but "none".
    """
    runs = cells.runs.split()
    made_for = None
    if provenance == "wikidata":
        start = cells.iri[1:].rpartition("statement/")[0]
        # The IRI of a statement that others made need not say what the base was.
        made_for = (start if start.endswith(("/", ":")) else DEFAULT_BASE, cells.predicate[1:-1])
    is_short = format in WITH_PREFIXES
    has = cast("_Has", tuple(map(bool, cells[_SENTENCES])))
    template, cells_in_order = _template(format if is_short else "nquads", base, provenance, made_for, has, len(runs))
    terms = [*cells[:_RUNS], *runs]
    terms[_CONFIDENCE] = f'"{cells.confidence}"^^{_DECIMAL}'
    if is_short:
        namespaces = _namespaces(base)
        for number in (*_WITH_SHORT_FORM, *range(_RUNS, len(terms))):
            terms[number] = _short(terms[number], namespaces)
        if "." in cells.confidence:  # without a point it would be an integer
            terms[_CONFIDENCE] = cells.confidence
    return template % cells_in_order(terms)


@lru_cache(maxsize=64)
def prefix_lines(format: str, base: str) -> bytes:
    """The lines with the prefixes, with which a file of Turtle or TriG begins."""
    out = io.BytesIO()
    write([_SOME_TRIPLE], out, format=format, base=base)
    return b"".join(line for line in out.getvalue().splitlines(keepends=True) if line.startswith(b"@prefix "))


@lru_cache(maxsize=64)
def _namespaces(base: str) -> Mapping[str, str]:
    return MappingProxyType({iri: prefix for prefix, iri in prefixes(base).items()})


def _short(term: str, namespaces: Mapping[str, str]) -> str:
    """A term of N-Triples as Turtle has it, with its prefix if there is one and what follows is a simple name."""
    if term.startswith("<"):
        cut = max(term.rfind("/"), term.rfind("#")) + 1
        prefix, name = namespaces.get(term[1:cut]), term[cut:-1]
        if prefix and name.isascii() and name.isalnum():
            return f"{prefix}:{name}"
    return term


@lru_cache(maxsize=4096)
def _template(
    format: str,
    base: str,
    provenance: str,
    made_for: tuple[str, str] | None,
    has: _Has,
    n_runs: int,
) -> tuple[str, Callable[[Sequence[str]], tuple[str, ...]]]:
    """A text with "%s" for each cell, and what puts cells into the order of the text.

    Args:
        format: "turtle", "trig" or "nquads".
        base: that of the prefixes.
        provenance: the form.
        made_for: the base and the predicate of the statement, if the form depends on them.
        has: which of the cells about sentences and times are filled.
        n_runs: how many runs found the statement.
    """
    triples, places = _placeholders(provenance, made_for, has, n_runs)
    numbers: list[int] = []
    namespaces: Mapping[str, str] = _namespaces(base) if format in WITH_PREFIXES else {}

    def text_of(term: _Term) -> str:
        if term in places:
            numbers.append(places[term])
            return "%s"
        if isinstance(term, Triple):
            return f"<<( {' '.join(text_of(cast(_Term, part)) for part in term)} )>>"
        return _short(str(term), namespaces).replace("%", "%%")

    text = "".join((_turtle if format in WITH_PREFIXES else _lines)(triples, text_of))
    return text, itemgetter(*numbers)


def _placeholders(
    provenance: str, made_for: tuple[str, str] | None, has: _Has, n_runs: int
) -> tuple[list[Triple | Quad], dict[_Term, int]]:
    """The triples of a statement of placeholders, and which cell each placeholder stands for."""
    iris = [f"urn:kgmrca-cell-{number}" for number in range(_RUNS + n_runs)]
    start, predicate = made_for or ("urn:", iris[2])
    iris[0] = f"{start}statement/kgmrca-cell-0"
    has_text, has_sentence, has_digest, has_object_sentence, has_object_text, *has_times, has_decision = has
    statement = Statement(
        iri=iris[0],
        subject=iris[1],
        predicate=predicate,
        object=iris[3],
        object_is_literal=False,
        object_datatype=None,
        label="kgmrca-cell-8",
        confidence=Decimal(0),
        document=iris[6],
        subject_mention=Mention(iris[4], 0, 0, ""),
        object_mention=Mention(iris[5], 0, 0, ""),
        sentence=Mention(iris[10], 0, 0, "kgmrca-cell-9" if has_text else "") if has_sentence else None,
        sentence_digest="kgmrca-cell-11" if has_digest else None,
        run=None,
        object_sentence=(
            Mention(iris[12], 0, 0, "kgmrca-cell-13" if has_object_text else "") if has_object_sentence else None
        ),
        times=Times(*(f"kgmrca-cell-{number}" * is_told for number, is_told in enumerate(has_times, 14))),
        decision="kgmrca-cell-17" if has_decision else "",
    )
    triples = list(statement_triples(statement, provenance=provenance, text=True))
    for run in iris[_RUNS:]:
        *_, by_run = statement_triples(replace(statement, run=run), provenance=provenance)
        triples.append(by_run)
    places: dict[_Term, int] = {NamedNode(iri): number for number, iri in enumerate(iris)}
    places.update({Literal(f"kgmrca-cell-{number}"): number for number in (8, 9, 11, 13, 14, 15, 16, 17)})
    places[Literal("0", datatype=DECIMAL)] = _CONFIDENCE
    return triples, places


def _lines(triples: Iterable[Triple | Quad], text_of: Callable[[_Term], str]) -> Iterable[str]:
    """A line of N-Quads for each triple."""
    for triple in triples:
        terms = (triple.subject, triple.predicate, triple.object, *filter(None, [_graph_of(triple)]))
        yield f"{' '.join(text_of(cast(_Term, term)) for term in terms)} .\n"


def _turtle(triples: Iterable[Triple | Quad], text_of: Callable[[_Term], str]) -> Iterable[str]:
    """Turtle, or TriG where there are named graphs: what is said of one subject together."""
    for (graph, subject), same_subject in groupby(triples, lambda triple: (_graph_of(triple), triple.subject)):
        if graph:
            yield f"{text_of(graph)} {{\n\t"
        said = []
        node = text_of(cast(_Term, subject))
        for predicate, same in groupby(same_subject, lambda triple: triple.predicate):
            verb = "a" if predicate == TYPE else text_of(predicate)
            said.append(f"{verb} {' , '.join(text_of(cast(_Term, triple.object)) for triple in same)}")
        yield f"{node} {_NEXT_PREDICATE.join(said)} .\n"
        if graph:
            yield "}\n"


def _graph_of(triple: Triple | Quad) -> NamedNode | None:
    graph = getattr(triple, "graph_name", DEFAULT_GRAPH)
    return None if graph == DEFAULT_GRAPH else cast(NamedNode, graph)
