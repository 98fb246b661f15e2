"""What is in the inputs as rows for the hash join, and the columns of a row of a statement.

A cell is a term as N-Triples writes it, where a tab or a line break is always escaped.
"""

from decimal import Decimal
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal, Quad, Triple

from kgmrca.buckets import Store
from kgmrca.errors import InputError
from kgmrca.files import STANDARD
from kgmrca.graph.merging.inputs import MergeInput
from kgmrca.terms import DEFAULT_GRAPH, DISPUTED, WITHDRAWN, XSD
from kgmrca.triples.formats import WITH_GRAPHS, WITH_TRIPLE_TERMS
from kgmrca.triples.inputs import LONGEST_LITERAL, too_long
from kgmrca.triples.literals import one_spelling
from kgmrca.triples.read import Node, read_nodes

__all__ = ["Cells", "distribute_input", "is_withdrawn", "joined"]


class Cells(NamedTuple):
    """The cells of a statement.

    Those before `confidence` say which statement it is. The others say how it was found; all but the label are empty if
    that is not known.
    """

    iri: str
    subject: str
    predicate: str
    object: str
    subject_mention: str
    object_mention: str
    document: str
    confidence: str  # the number alone
    label: str
    sentence_text: str
    sentence: str
    sentence_digest: str
    object_sentence: str
    object_sentence_text: str
    start_time: str
    end_time: str
    point_in_time: str
    decision: str
    runs: str  # IRIs with spaces between them


_WITHDRAWN = frozenset(str(Literal(decision)) for decision in WITHDRAWN)
_DOUBLE = f"^^<{XSD}double>"
_LONGEST_CELL = LONGEST_LITERAL - 1024  # bytes, as a cell may hold a predicate too
_CONFIDENCE = Cells._fields.index("confidence")
_SENTENCES = slice(Cells._fields.index("sentence_text"), Cells._fields.index("start_time"))
_TIMES = slice(Cells._fields.index("start_time"), Cells._fields.index("decision"))


def distribute_input(store: Store, format: str, part: str, file: MergeInput) -> int:
    """Distribute the content of a file: statements, other triples, and those in named graphs that are no statements.

    Args:
        store: where the rows go, as the kinds "statements", "triples" and "quads", and of the statements that a person
            withdrew the IRIs as "withdrawn".
        format: the format of the output, which must be able to hold what is read.
        part: the name of this task.
        file: what to read.

    Returns:
        How many statements the file has.

    Raises:
        InputError: the file cannot be read, has a blank node, or something that `format` cannot hold.
    """
    buckets = store.buckets(part)
    count = 0
    for found in read_nodes(file.path or STANDARD, format=file.format, beside=store.folder / part):
        if isinstance(found, Node):
            row = _row(found)
            _check_length(row, file.name)
            buckets.put("statements", row[: row.index(b"\t")], row)
            if found.decision in WITHDRAWN:
                buckets.put("withdrawn", row[: row.index(b"\t")], row[: row.index(b"\t")])
            count += 1
            continue
        text = str(found)
        if _DOUBLE in text and isinstance(found.object, Literal):
            found = Quad(found.subject, found.predicate, one_spelling(found.object), found.graph_name)
            text = str(found)
        if "_:" in text or "<<(" in text:
            _refuse(found, format, file.name)
        row = f"{text} .".replace(" ", "\t", 1).encode()
        _check_length(row, file.name)
        is_plain = file.format not in WITH_GRAPHS or found.graph_name == DEFAULT_GRAPH
        if not is_plain and format not in WITH_GRAPHS:
            raise InputError(
                f"{file.name}: a triple is in the graph {found.graph_name}, and the format '{format}' has no named "
                f"graphs: choose {' or '.join(sorted(WITH_GRAPHS))}."
            )
        buckets.put("triples" if is_plain else "quads", row[: row.index(b"\t")], row)
    buckets.flush()
    return count


def is_withdrawn(cells: Cells) -> bool:
    """Whether a person rejected or corrected a statement."""
    return cells.decision in _WITHDRAWN


def joined(one: Cells, other: Cells) -> Cells:
    """A statement that was found twice: the highest confidence, the greatest label, sentence and times, all runs.

    What a person decided stays; if persons decided differently, the statement is disputed.

    The result is the same whichever of the two comes first.

    Raises:
        InputError: they are two statements with one IRI.
    """
    if one[:_CONFIDENCE] != other[:_CONFIDENCE]:
        raise InputError(
            f"The inputs use {one.iri} for two statements: {' '.join(one[1:_CONFIDENCE])} and "
            f"{' '.join(other[1:_CONFIDENCE])}. Give one of them another IRI."
        )
    # The texts, places and digest of sentences belong together, so they are taken from the same reading. Graphs of the
    # first release had the subject's sentence only, so a reading with two is the better one. So do the times.
    told = max((one, other), key=lambda cells: (cells.object_sentence, cells[_SENTENCES]))
    timed = max(one, other, key=lambda cells: cells[_TIMES])
    return told._replace(
        start_time=timed.start_time,
        end_time=timed.end_time,
        point_in_time=timed.point_in_time,
        decision=_decision(one.decision, other.decision),
        confidence=max(one.confidence, other.confidence, key=Decimal),
        label=max(one.label, other.label),
        runs=" ".join(sorted({*one.runs.split(), *other.runs.split()})),
    )


def _decision(one: str, other: str) -> str:
    """What persons decided about a statement in both graphs. A graph without a decision has nothing against it."""
    return one or other if one == other or not (one and other) else str(Literal(DISPUTED))


def _row(node: Node) -> bytes:
    terms = node.terms
    cells = (
        f"<{node.iri}>",
        f"<{terms['subject'].value}>",
        f"<{terms['predicate'].value}>",
        str(terms["object"]),
        f"<{terms['subject_mention'].value}>",
        f"<{terms['object_mention'].value}>",
        f"<{terms['document'].value}>",
        str(node.confidence),
        str(terms["label"]),
        str(terms.get("sentence_text", "")),
        str(terms.get("sentence", "")),
        str(terms.get("sentence_digest", "")),
        str(terms.get("object_sentence", "")),
        *(
            str(terms.get(name, ""))
            for name in ("object_sentence_text", "start_time", "end_time", "point_in_time", "decision")
        ),
        " ".join(f"<{run}>" for run in sorted(node.runs)),
    )
    return "\t".join(cells).encode()


def _check_length(row: bytes, name: str) -> None:
    """Refuse what could not be read again: escaping makes some literals longer than they were in the input."""
    if len(row) > _LONGEST_CELL and max(map(len, row.split(b"\t"))) > _LONGEST_CELL:
        raise too_long(name)


def _refuse(quad: Quad, format: str, name: str) -> None:
    """Refuse blank nodes, and triple terms where the output's format has none; both may also be part of a text."""
    if any(isinstance(term, BlankNode) for term in quad):
        raise InputError(
            f"{name}: '{quad}' has a blank node, and nothing says which of those in other files are the same: give it "
            "an IRI."
        )
    if isinstance(quad.object, Triple) and format not in WITH_TRIPLE_TERMS:
        raise InputError(
            f"{name}: '{quad}' is RDF 1.2, which the format '{format}' does not have: choose "
            f"{' or '.join(sorted(WITH_TRIPLE_TERMS))}."
        )
