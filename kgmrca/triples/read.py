"""RDF back to statements: any format and any form of `formats.PROVENANCE`, as a stream."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import chain, compress, groupby, islice
from operator import attrgetter, not_
from pathlib import Path
from typing import TypeAlias, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple, parse

from kgmrca.errors import InputError
from kgmrca.files import Output
from kgmrca.terms import (
    DEFAULT_GRAPH,
    DISPUTED,
    KGMRCA,
    OBJECT,
    PREDICATE,
    PROV,
    RDF,
    RDF_STATEMENT,
    REIFIES,
    STATEMENT,
    SUBJECT,
    XSD,
)
from kgmrca.triples.formats import FORMATS, WITH_GRAPHS
from kgmrca.triples.gathering import gathered, linked_statement
from kgmrca.triples.inputs import RdfInput, format_of_input, is_too_long, name_of, opened_rdf, too_long
from kgmrca.triples.iris import from_node_predicate
from kgmrca.triples.literals import canonical_literal
from kgmrca.triples.records import Mention, Statement, Times, rounded

__all__ = [
    "Graphs",
    "Node",
    "names_parts",
    "read_graphs",
    "read_nodes",
    "read_quads",
    "read_rdf",
    "statement_parts",
    "statements_beside",
]

Term: TypeAlias = NamedNode | BlankNode | Literal | Triple
Graphs: TypeAlias = Iterable[tuple[str | Path, str | None]]
"""Files, or "-" for standard input, with their formats, if these are known."""

_QUALIFIER = "http://www.wikidata.org/prop/qualifier/"

# The part of a statement that the object of a triple is, by the triple's predicate.
_FIELDS: dict[str, str | None] = {
    f"{RDF}type": "type",
    f"{RDF}subject": "subject",
    f"{RDF}predicate": "predicate",
    f"{RDF}object": "object",
    f"{RDF}reifies": "reifies",
    f"{KGMRCA}confidence": "confidence",
    f"{KGMRCA}relationLabel": "label",
    f"{KGMRCA}subjectMention": "subject_mention",
    f"{KGMRCA}objectMention": "object_mention",
    f"{KGMRCA}sentence": "sentence",
    f"{KGMRCA}sentenceDigest": "sentence_digest",
    f"{KGMRCA}sentenceText": "sentence_text",
    f"{KGMRCA}objectSentence": "object_sentence",
    f"{KGMRCA}objectSentenceText": "object_sentence_text",
    **dict.fromkeys((f"{KGMRCA}startTime", f"{_QUALIFIER}P580"), "start_time"),
    **dict.fromkeys((f"{KGMRCA}endTime", f"{_QUALIFIER}P582"), "end_time"),
    **dict.fromkeys((f"{KGMRCA}pointInTime", f"{_QUALIFIER}P585"), "point_in_time"),
    f"{KGMRCA}decision": "decision",
    f"{KGMRCA}evidence": "evidence",  # a fact's: a fact has a confidence too, and is no statement
    f"{PROV}wasDerivedFrom": "document",
    f"{PROV}wasGeneratedBy": "run",
}
_NEEDED = frozenset(
    {"subject", "predicate", "object", "confidence", "label", "subject_mention", "object_mention", "document"}
)
_TIMES = ("start_time", "end_time", "point_in_time")
_VALUES = ("object", *_TIMES)
_SENTENCES, _TEXTS = ("sentence", "object_sentence"), ("sentence_digest", "sentence_text", "object_sentence_text")
# Only statements have these. (A node with rdf:subject and the like only is not one of ours.)
_OWN = frozenset({"confidence", "label", "subject_mention", "object_mention", *_SENTENCES, *_TEXTS})
# Two values of these are no contradiction, because they are not part of the statement's IRI: the greater counts.
_GREATEST = frozenset({"label", *_SENTENCES, *_TEXTS, *_TIMES})
# What kind of term each part has to be.
_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("subject", "predicate", "subject_mention", "object_mention", "document", *_SENTENCES), NamedNode),
    **dict.fromkeys(("confidence", "label", "decision", *_TEXTS, *_TIMES), Literal),
    "object": (NamedNode, Literal),
}
# What a statement's own node always has; its subject, predicate and object may be told by other nodes.
_TOGETHER = _NEEDED - {"subject", "predicate", "object"}
# By these predicates a graph of ours is known, whatever it was put into. None of them is in the graphs of `enrich`.
_MARKS = frozenset(
    {f"{KGMRCA}{name}" for name in ("checked", "entityType", "item", "linkOf", "verdict")}
    | {predicate for predicate, field in _FIELDS.items() if field in _OWN}
)
_SPECIAL = frozenset({"type", "reifies", "value", "run"})
_TYPES = frozenset({RDF_STATEMENT, STATEMENT})
_NAMING = frozenset(term.value for term in (SUBJECT, PREDICATE, OBJECT, REIFIES))
_HEAD = 4096  # triples by which it is told whether a file is in our order
_MOST_HELD = 10_000  # statements that are kept until the rest comes
_MOST_DOUBTFUL = 1000  # triples that are kept until it is sure that they are no part of a statement
_STRING = f"{XSD}string"
_FAR = (
    " If the file has it far before, put all triples of a subject together, as by sorting the lines of N-Triples or "
    "N-Quads."
)


@dataclass(slots=True)
class Node:
    """A statement as it stands in RDF.

    Attributes:
        iri: the statement's.
        confidence: the highest that is given.
        terms: subject, predicate, object, label, subject_mention, object_mention, document and, where they are given,
            sentence, sentence_digest, sentence_text, object_sentence, object_sentence_text, start_time, end_time,
            point_in_time and decision, by these names.
        runs: the IRIs of the runs that found it.
    """

    iri: str
    confidence: Decimal
    terms: dict[str, NamedNode | Literal]
    runs: list[str]

    @property
    def decision(self) -> str:
        """What persons decided about it; "" if nothing."""
        return self.terms["decision"].value if "decision" in self.terms else ""


def read_rdf(graph: RdfInput, *, format: str | None = None, beside: Output | None = None) -> Iterator[Statement | Quad]:
    """Read RDF: what is a statement as a `Statement`, every other triple as a pyoxigraph `Quad`.

    Files of this package, and any other in which the triples of a statement stand together, are read as a stream in
    constant memory: a statement is given as soon as all of it has been read. If the beginning of a file is in another
    order, as rdflib or a triple store may write it, all of it is read first, in memory or by way of temporary files;
    then the triples of each node come together. Where a graph of ours was put into a named graph, that name is left
    out.

    A statement of several runs is given once for each. Of several confidences the highest counts. Mentions have no text
    and no type, because RDF does not keep them; a sentence has its text if that was written. What entities are called,
    and all their mentions, comes as triples (`rdfs:label`, `skos:altLabel`, `kgmrca:mention`).

    Args:
        graph: a file, "-" for standard input, or a binary stream, compressed by gzip or not.
        format: one of `FORMATS`; None: by the file's extension, TriG on standard input, of which Turtle and N-Triples
            are parts. A stream needs it.
        beside: the output beside which temporary files lie; None: where the system has them.

    Raises:
        InputError: the format is not known; the file is not of that format, or cut; a statement is not whole, or parts
            of it stand far behind in a large file that begins in our order.
        OSError: the file cannot be read.

    >>> import io
    >>> [str(quad.object) for quad in read_rdf(io.BytesIO(b'<urn:a> <urn:b> "c" .'), format="turtle")]
    ['"c"']
    """
    for found in read_nodes(graph, format=format, beside=beside):
        if isinstance(found, Quad):
            yield found
        else:
            yield from _statements(found, name_of(graph))


def read_nodes(graph: RdfInput, *, format: str | None = None, beside: Output | None = None) -> Iterator[Node | Quad]:
    """As `read_rdf`, but gives statements as `Node`, which is faster."""
    format = format_of_input(graph, format)
    return _nodes(read_quads(graph, format=format), name_of(graph), beside, has_graphs=format in WITH_GRAPHS)


def read_graphs(graphs: Graphs, *, beside: Output | None = None) -> Iterator[Node | Quad]:
    """What is in several graphs, one after the other (see `read_nodes`)."""
    for graph, format in graphs:
        yield from read_nodes(graph, format=format, beside=beside)


def read_quads(
    graph: RdfInput,
    *,
    format: str | None = None,
    rename_blank_nodes: bool = False,
    on_read: Callable[[int], object] | None = None,
) -> Iterator[Quad]:
    """Parse RDF as it comes.

    Args:
        graph: a file, "-" for standard input, or a binary stream, which stays open; compressed by gzip or not.
        format: see `read_rdf`.
        rename_blank_nodes: whether blank nodes get new names, so that those of two files are never the same.
        on_read: called with the number of bytes that were read since the last call.

    Raises:
        InputError: the format is not known, or the content is not of that format, or cut; it says in which line.
        OSError: the file cannot be read.
    """
    with opened_rdf(graph, format=format, on_read=on_read) as (content, format):
        quads = cast("Iterator[Quad]", parse(content, FORMATS[format], rename_blank_nodes=rename_blank_nodes))
        yield from _short_ones(quads, name_of(graph)) if format == "rdfxml" else quads


def _short_ones(quads: Iterable[Quad], name: str) -> Iterator[Quad]:
    for quad in quads:
        if isinstance(quad.object, Literal) and is_too_long(quad.object.value):
            raise too_long(name)
        yield quad


def names_parts(predicate: str) -> bool:
    """Whether a predicate leads from or to a statement, and tells its subject, predicate or object.

    >>> names_parts("http://www.wikidata.org/prop/statement/P19"), names_parts("http://www.wikidata.org/prop/direct/P19")
    (True, False)
    """
    return predicate in _NAMING or from_node_predicate(predicate) is not None


def statements_beside(quad: Quad) -> Iterator[Term]:
    """The nodes of statements of which a triple gives a part without being about them, as its subject is another node.

    These are the named graph of the form `graphs`, and the object of `s p:P19 S` of the form `wikidata`.

    >>> birth = NamedNode("http://www.wikidata.org/prop/P19")
    >>> [node.value for node in statements_beside(Quad(NamedNode("urn:curie"), birth, NamedNode("urn:s")))]
    ['urn:s']
    """
    if quad.graph_name != DEFAULT_GRAPH:
        yield cast(NamedNode, quad.graph_name)
    made_for = from_node_predicate(quad.predicate.value)
    if made_for and not made_for[1]:
        yield quad.object


def statement_parts(quad: Quad, node: Term) -> Iterator[tuple[NamedNode, Term]]:
    """The parts (`SUBJECT`, `PREDICATE`, `OBJECT`) of a statement that a triple gives, if it is no rdf:Statement.

    >>> birth = NamedNode("http://www.wikidata.org/prop/P19")
    >>> quad = Quad(NamedNode("urn:curie"), birth, NamedNode("urn:s"))
    >>> [term.value for _, term in statement_parts(quad, NamedNode("urn:s"))]
    ['http://www.wikidata.org/prop/direct/P19', 'urn:curie']
    """
    if quad.graph_name == node or (quad.predicate == REIFIES and isinstance(quad.object, Triple)):
        triple = quad.triple if quad.graph_name == node else cast(Triple, quad.object)
        yield from zip((SUBJECT, PREDICATE, OBJECT), triple, strict=True)
    elif made_for := from_node_predicate(quad.predicate.value):
        predicate, leads_to_object = made_for
        if leads_to_object == (quad.subject == node):
            yield PREDICATE, NamedNode(predicate)
            yield (OBJECT, quad.object) if leads_to_object else (SUBJECT, quad.subject)


class _Fields(dict[str, str | None]):
    """`_FIELDS` and, as they are met, the predicates of the form `wikidata`; None for all others."""

    def __missing__(self, predicate: str) -> str | None:
        made_for = from_node_predicate(predicate)
        field = self[predicate] = None if made_for is None else "value" if made_for[1] else "link"
        return field


# What is known of a node: the field, what fills it, and the quad that says so.
_Pieces: TypeAlias = list[tuple[str, Term, Quad]]


def _nodes(quads: Iterable[Quad], name: str, beside: Output | None, *, has_graphs: bool) -> Iterator[Node | Quad]:
    quads = iter(quads)
    head = list(islice(quads, _HEAD))
    fields = _Fields(_FIELDS)
    is_stream = _is_in_order(head, fields)
    content: Iterator[Quad] = chain(head, quads)
    if is_stream:
        content = yield from _streamed(content, fields, _Incomplete(name), has_graphs=has_graphs)
    whole = _Whole(name, is_late=is_stream and len(head) == _HEAD)
    for node, own in gathered(content, marks=_MARKS, beside=beside):
        yield from whole.of_node(node, own, fields)


def _is_in_order(head: list[Quad], fields: _Fields) -> bool:
    """Whether all triples of a statement, and of any node with a type, stand together in the beginning of a file."""
    typed: set[Term] = set()
    untyped: set[Term] = set()
    blocks = [list(block) for _, block in groupby(head, key=attrgetter("subject"))]
    for block in blocks[:-1] if len(head) == _HEAD else blocks:
        own = [quad for quad in block if quad.graph_name == DEFAULT_GRAPH]
        if len(own) < len(block) and any(quad.predicate.value in _MARKS for quad in block):
            return False
        names = {field for quad in own if (field := fields[quad.predicate.value])}
        parts = len(names & {"subject", "predicate", "object"})
        if not (_OWN.isdisjoint(names) or "evidence" in names) and (not names >= _TOGETHER or parts in (1, 2)):
            return False
        if own:
            (typed if "type" in names else untyped).add(block[0].subject)
    return typed.isdisjoint(untyped)


def _streamed(
    quads: Iterator[Quad], fields: _Fields, held: "_Incomplete", *, has_graphs: bool
) -> Generator[Node | Quad, None, Iterator[Quad]]:
    """What is in our order, as it comes. Returns the triples of which no use was made."""
    current: Term | None = None  # the subject of the triples that come one after the other
    names: list[str] = []
    block: list[Quad] = []
    for quad in quads:
        subject = quad.subject
        if subject != current:
            if names:
                yield from held.take_block(cast(Term, current), names, block)
                names, block = [], []
            if held.is_scattered:
                return chain(held.quads(), [quad], quads)
            current = subject
        field = fields[quad.predicate.value]
        if has_graphs and quad.graph_name != DEFAULT_GRAPH:
            yield from held.take_graph_quad(quad)
        elif field is None:
            yield quad
        elif field == "link":
            yield from held.take_link(quad)
        else:
            names.append(field)
            block.append(quad)
    if names:
        yield from held.take_block(cast(Term, current), names, block)
    return held.quads()


class _Whole:
    """Makes whole statements of what is known of their nodes."""

    def __init__(self, name: str, *, is_late: bool = False) -> None:
        self._name = name
        self._is_late = is_late  # whether statements that were given before may be the ones that something is part of

    def of_node(self, node: Term, quads: list[Quad], fields: _Fields) -> Sequence[Node | Quad]:
        """The statement that a node is, if it is one, and its other triples.

        Raises:
            InputError: the statement is not whole.
        """
        pieces: _Pieces = []
        others: list[Node | Quad] = []
        for quad in quads:
            field = fields[quad.predicate.value]
            if quad.graph_name == node:
                pieces += _spread(quad)
            elif quad.graph_name != DEFAULT_GRAPH or field is None:
                others.append(quad)
            elif field == "link":
                pieces.append(("subject", quad.subject, quad))
            else:
                pieces.append((field, quad.object, quad))
        names = {field for field, _, _ in pieces}
        if _OWN.isdisjoint(names) or "evidence" in names:
            return quads
        if made := self.made(node, pieces):
            return [*others, *made]
        terms, _, _ = self._terms(node, pieces)
        missing = ", ".join(sorted(_NEEDED - terms.keys()))
        raise InputError(f"{self._name}: the statement {node} has no {missing}.{_FAR if self._is_late else ''}")

    def made(self, node: Term, pieces: _Pieces) -> list[Node | Quad]:
        """The statement and the other triples among its pieces; nothing if a part is missing."""
        terms, runs, others = self._terms(node, pieces)
        if not terms.keys() >= _NEEDED:
            return []
        if not isinstance(node, NamedNode):
            raise InputError(f"{self._name}: a statement is the blank node {node}: give it an IRI.")
        for field, term in terms.items():
            if not isinstance(term, _KINDS[field]):
                raise InputError(f"{self._name}: {term} cannot be the {field} of the statement {node}.")
        for field in _VALUES:
            if isinstance(value := terms.get(field), Literal):
                terms[field] = canonical_literal(value)
        confidence = self._confidence(node, terms.pop("confidence"))
        return [Node(node.value, confidence, cast("dict[str, NamedNode | Literal]", terms), runs), *others]

    def _terms(self, node: Term, pieces: _Pieces) -> tuple[dict[str, Term], list[str], list[Quad]]:
        """The parts of a statement, its runs, and its other triples."""
        terms: dict[str, Term] = {}
        runs: list[str] = []
        others: list[Quad] = []
        for field, term, quad in pieces:
            if field not in _SPECIAL:
                if terms.setdefault(field, term) is not term:
                    terms[field] = self._one(node, field, terms[field], term)
            elif field == "run":
                if (run := cast(NamedNode, term).value) not in runs:
                    runs.append(run)
            elif field == "type":
                if term not in _TYPES:
                    others.append(quad)
            else:
                for name, part in self._parts_of(node, quad):
                    terms[name] = self._one(node, name, terms.get(name, part), part)
        return terms, runs, others

    def _parts_of(self, node: Term, quad: Quad) -> Iterable[tuple[str, Term]]:
        """The parts that one triple gives, of `rdf:reifies` or of Wikidata's predicate that leads to the object."""
        made_for = from_node_predicate(quad.predicate.value)
        if made_for:
            return ("predicate", NamedNode(made_for[0])), ("object", quad.object)
        if not isinstance(quad.object, Triple):
            raise InputError(f"{self._name}: {node} reifies {quad.object}, which is no triple.")
        return zip(("subject", "predicate", "object"), quad.object, strict=True)

    def _one(self, node: Term, field: str, first: Term, second: Term) -> Term:
        """The value that counts, of two."""
        if first == second:
            return first
        if field == "confidence":
            return max(first, second, key=lambda term: self._confidence(node, term))
        if field == "decision":  # graphs with the decisions of different persons were joined
            return Literal(DISPUTED)
        if field in _GREATEST:
            return max(first, second, key=str)
        raise InputError(f"{self._name}: the statement {node} has two different values as {field}: {first}, {second}.")

    def _confidence(self, node: Term, term: Term) -> Decimal:
        if (number := _number(cast(Literal, term).value)) is None:
            raise InputError(f"{self._name}: the confidence of the statement {node} is {term}: it must be 0 to 1.")
        return number


class _Incomplete:
    """Keeps the parts of statements that are not complete yet.

    Attributes:
        is_scattered: whether the triples that come are not in our order, or too many statements are incomplete.
    """

    def __init__(self, name: str) -> None:
        self._whole = _Whole(name)
        self._pieces: dict[Term, _Pieces] = {}
        self._graphs: set[Term] = set()  # those that are no statements
        self._doubtful: deque[Quad] = deque()
        self._last: Quad | None = None
        self.is_scattered = False

    def take_block(self, node: Term, names: list[str], quads: list[Quad]) -> list[Node | Quad]:
        """Take neighbouring triples of one subject; `names` are their fields. Gives what is complete."""
        self._last = None
        known = self._pieces.pop(node, []) if self._pieces else []
        if "evidence" in names:
            return [*quads, *(quad for _, _, quad in known)]
        if not known and _OWN.isdisjoint(names):
            is_sure = [name == "type" and quad.object not in _TYPES for name, quad in zip(names, quads, strict=True)]
            return [*compress(quads, is_sure), *self._later(compress(quads, map(not_, is_sure)))]
        known += zip(names, [quad.object for quad in quads], quads, strict=True)
        found = self._taken(node, known)
        self.is_scattered |= not found and not _TOGETHER.issubset(names)
        return found

    def take_link(self, quad: Quad) -> list[Node | Quad]:
        """Take `s p:P19 S` of the form `wikidata`."""
        node = linked_statement(quad)
        return [quad] if node is None else self._part(node, quad, [("subject", quad.subject, quad)])

    def take_graph_quad(self, quad: Quad) -> list[Node | Quad]:
        """Take a quad of a named graph, which is a statement's in the form `graphs` if it is the only one there."""
        node = cast(NamedNode, quad.graph_name)
        if self.is_scattered or quad.predicate.value in _MARKS:
            self.is_scattered = True
            self._pieces.setdefault(node, []).append(("", quad.subject, quad))
            return []
        if node in self._graphs:
            return self._later([quad])
        known = self._pieces.get(node, [])
        if others := {other for _, _, other in known if other.graph_name == node} - {quad}:
            self._graphs.add(node)
            self._pieces[node] = [piece for piece in known if piece[2] not in others]
            return self._later([*others, quad])
        return self._part(node, quad, _spread(quad))

    def quads(self) -> Iterator[Quad]:
        """The triples that are kept."""
        yield from self._doubtful
        for pieces in self._pieces.values():
            yield from dict.fromkeys(quad for _, _, quad in pieces)

    def _later(self, quads: Iterable[Quad]) -> list[Node | Quad]:
        """Take triples that are part of a statement only if the order is not ours, which shows soon."""
        self._doubtful += quads
        return [self._doubtful.popleft() for _ in range(len(self._doubtful) - _MOST_DOUBTFUL)]

    def _part(self, node: Term, quad: Quad, pieces: _Pieces) -> list[Node | Quad]:
        if quad == self._last:
            return []  # a line twice, in a sorted file
        self._last = quad
        return self._taken(node, [*self._pieces.pop(node, ()), *pieces])

    def _taken(self, node: Term, pieces: _Pieces) -> list[Node | Quad]:
        """The statement and the other triples of its node if it is complete; otherwise its pieces are kept."""
        if found := self._whole.made(node, pieces):
            return found
        self._pieces[node] = pieces
        self.is_scattered |= len(self._pieces) > _MOST_HELD
        return []


def _spread(quad: Quad) -> _Pieces:
    """The parts of a statement that its named graph has."""
    terms = ("subject", quad.subject), ("predicate", quad.predicate), ("object", quad.object)
    return [(field, term, quad) for field, term in terms]


@lru_cache(maxsize=20_000)  # more than there are numbers from 0 to 1 with four decimals
def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
        return rounded(number) if 0 <= number <= 1 else None
    except InvalidOperation:
        return None


def _statements(node: Node, name: str) -> Iterator[Statement]:
    terms = node.terms
    object_ = terms["object"]
    datatype = None
    if isinstance(object_, Literal):
        if object_.language:
            raise InputError(f"{name}: the object of the statement <{node.iri}> has a language: give it a plain text.")
        datatype = object_.datatype.value
    try:
        subject_mention, object_mention = _mention(terms["subject_mention"]), _mention(terms["object_mention"])
        sentence, object_sentence = (_sentence(terms, name) for name in _SENTENCES)
    except ValueError as error:
        raise InputError(f"{name}: a mention of <{node.iri}> does not end in '#char=start,end': {error}.") from error
    for run in node.runs or (None,):
        yield Statement(
            iri=node.iri,
            subject=terms["subject"].value,
            predicate=terms["predicate"].value,
            object=object_.value,
            object_is_literal=isinstance(object_, Literal),
            object_datatype=None if datatype == _STRING else datatype,
            label=terms["label"].value,
            confidence=node.confidence,
            document=terms["document"].value,
            subject_mention=subject_mention,
            object_mention=object_mention,
            sentence=sentence,
            sentence_digest=terms["sentence_digest"].value if "sentence_digest" in terms else None,
            run=run,
            object_sentence=object_sentence,
            times=Times(*(terms[name].value if name in terms else "" for name in _TIMES)),
            decision=node.decision,
        )


def _sentence(terms: Mapping[str, NamedNode | Literal], name: str) -> Mention | None:
    text = terms.get(f"{name}_text")
    return _mention(terms[name], text.value if text else "") if name in terms else None


def _mention(term: NamedNode | Literal, text: str = "") -> Mention:
    start, _, end = term.value.rpartition("#char=")[2].partition(",")
    return Mention(term.value, int(start), int(end), text)
