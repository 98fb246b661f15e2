"""A graph and what persons decided about it → the graph with their decisions (`kgmrca apply-review`)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from kgmrca.errors import InputError
from kgmrca.files import check_outputs, opened, temporary_folder
from kgmrca.graph.merging.merge import merge
from kgmrca.progress import counted
from kgmrca.review.corrections import Names
from kgmrca.review.decisions import Decision, read_review, settled
from kgmrca.review.training import training_records, write_records
from kgmrca.tables import table_line
from kgmrca.terms import COMMENT, DECISION, DEFAULT_GRAPH, KGMRCA, LABEL, PROV, REIFIES, TYPE, WITHDRAWN, XSD
from kgmrca.triples.formats import chosen_format, write
from kgmrca.triples.inputs import RdfFile, graph_files
from kgmrca.triples.iris import DEFAULT_BASE, Iris, clean_text, from_node_predicate, graph_digest
from kgmrca.triples.literals import canonical_literal
from kgmrca.triples.read import read_quads, read_rdf
from kgmrca.triples.records import Statement
from kgmrca.triples.write import statement_triples

__all__ = ["ReviewSummary", "apply_review"]

_REVIEW, _FACT = NamedNode(f"{KGMRCA}Review"), NamedNode(f"{KGMRCA}Fact")
_REVIEWED, _CORRECTION = NamedNode(f"{KGMRCA}reviewed"), NamedNode(f"{KGMRCA}correction")
_CONFIDENCE = NamedNode(f"{KGMRCA}confidence")
_PERSON, _BY = NamedNode(f"{PROV}Person"), NamedNode(f"{PROV}wasAttributedTo")
_WHEN, _REVISION_OF = NamedNode(f"{PROV}generatedAtTime"), NamedNode(f"{PROV}wasRevisionOf")
_FEW = 10  # lines of a list in the summary

_Node: TypeAlias = NamedNode | BlankNode | Triple
_Plain: TypeAlias = tuple[_Node, NamedNode, _Node | Literal]


@dataclass(slots=True)
class ReviewSummary:
    """What `apply_review` did.

    Attributes:
        decisions: how many statements were accepted, rejected and corrected.
        disagreements: what was not applied, because persons disagree, each in words.
        unknown: the IRIs of statements that the graph does not have.
        is_another_version: whether a file was made for another version of the graph.
        trained: how many decisions became training data; None if none were to.
        without_text: how many did not, because their text is not known.
    """

    decisions: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    is_another_version: bool = False
    trained: int | None = None
    without_text: int = 0

    def in_words(self, output: str) -> str:
        """The summary in lines of text; `output` is where the graph was written."""
        counts = ", ".join(f"{self.decisions[what]:,} {what}" for what in ("accepted", "rejected", "corrected"))
        lines = [f"{counted(self.decisions.total(), 'statement')} decided ({counts})"]
        lines[0] += "" if output == "-" else f" -> {output}"
        if self.is_another_version:
            lines.append("the review was made for another version of the graph: what both have was decided")
        if self.unknown:
            lines.append(f"{counted(len(self.unknown), 'statement')} of the review not in the graph:")
            lines += _first(self.unknown)
        if self.disagreements:
            lines.append(f"{counted(len(self.disagreements), 'statement')} left as before, because reviewers disagree:")
            lines += _first(self.disagreements)
        if self.trained is not None:
            lines.append(f"{counted(self.trained, 'decision')} in the training data")
        if self.without_text:
            lines.append(
                f"{counted(self.without_text, 'decision')} not in the training data, because their text is not known: "
                "name the folder of `kgmrca convert --save-text` with --texts"
            )
        return "\n".join(f"kgmrca: {line}" for line in lines)


def _first(lines: Sequence[str]) -> list[str]:
    more = [f"  and {len(lines) - _FEW:,} more"] if len(lines) > _FEW else []
    return [*(f"  {line}" for line in lines[:_FEW]), *more]


def apply_review(
    graph: str | Path,
    reviews: Sequence[str | Path],
    output: str | Path,
    *,
    format: str | None = None,
    input_format: str | None = None,
    base: str = DEFAULT_BASE,
    disagreements: str | Path | None = None,
    training_data: str | Path | None = None,
    texts: Path | None = None,
) -> ReviewSummary:
    """Write a graph with the decisions of persons about its statements.

    Statements that were rejected or corrected stay as what was read, with who decided so and when. Their triples are
    not asserted any more, unless another statement says the same. A graph that `kgmrca merge` made is merged anew, so
    that its facts follow. What is decided already is not changed by other persons; a later decision of the same person
    replaces the earlier one. Applying a review again changes nothing. All statements are held in memory.

    Args:
        graph: the graph that was reviewed, an RDF file or "-" for standard input.
        reviews: files that the page of `kgmrca report` exported.
        output: the file to write, or "-" for standard output.
        format: one of `FORMATS`; None: by the file's extension, Turtle on standard output.
        input_format: the format of the graph; None: by its extension.
        base: what new IRIs begin with.
        disagreements: a table to write, with the decisions that differ.
        training_data: a file to write, with the decisions as data for `kgmrca corpus`.
        texts: the folder that `kgmrca convert --save-text` wrote, for the sentences that the graph does not have.

    Raises:
        InputError: the graph or a review cannot be used, or none of its statements is in the graph.
        OSError: something cannot be read or written.
    """
    iris = Iris(base)
    format = chosen_format(format, output)
    outputs = [output, disagreements, training_data]
    check_outputs(outputs, [graph])
    check_outputs(outputs, reviews, what="a REVIEW")
    files = [read_review(Path(path)) for path in reviews]
    summary = ReviewSummary()
    with ExitStack() as stack:
        (file,) = stack.enter_context(graph_files([graph], input_format, beside=output))
        known = _Known.of(read_rdf(file.path, format=file.format, beside=output))
        summary.is_another_version = any(one.graph != known.digest for one in files)
        given = _known_ones((one for review in files for one in review.decisions), known, summary)
        outcome = _Outcome(known, given, iris)
        summary.disagreements = [known.words(iri, found) for iri, found in outcome.disagreed.items()]
        if training_data is not None:
            records, summary.trained, summary.without_text = training_records(
                outcome.trained(), known.names.types, texts
            )
            write_records(records, stack.enter_context(opened(training_data)))
        if disagreements is not None:
            stack.enter_context(opened(disagreements)).writelines(_table(known, outcome))
        _write(file, output, format, outcome, base, stack)
    summary.decisions.update(outcome.decisions.values())
    return summary


class _Known:
    """What a graph says of its statements, and what persons decided about them before."""

    def __init__(self) -> None:
        self.statements: dict[str, Statement] = {}
        self.names = Names()
        self.revisions: dict[str, str] = {}  # what stands instead of a statement, with that
        self._reviews: dict[str, dict[NamedNode, str]] = {}
        self._people: dict[str, str] = {}

    @classmethod
    def of(cls, graph: Iterable[Statement | Quad]) -> "_Known":
        known = cls()
        for found in graph:
            known._add(found)
        for iri, statement in known.statements.items():
            if iri not in known.revisions:  # such that a correction that is made again is the same
                known.names.add(statement)
        return known

    def _add(self, found: Statement | Quad) -> None:
        if isinstance(found, Statement):
            self.statements[found.iri] = found
            return
        self.names.add(found)
        subject, predicate, object_ = found.subject, found.predicate, found.object
        if not isinstance(subject, NamedNode) or not isinstance(object_, NamedNode | Literal):
            return
        if predicate == _REVISION_OF:
            self.revisions[subject.value] = object_.value
        elif predicate in (_REVIEWED, DECISION, _BY, _WHEN, COMMENT, _CORRECTION):
            self._reviews.setdefault(subject.value, {})[predicate] = object_.value

    @property
    def digest(self) -> str:
        return graph_digest(self.statements.keys() - self.revisions.keys())

    def decisions(self) -> list[Decision]:
        """The decisions that are in the graph."""
        return [
            Decision(
                statement=about[_REVIEWED],
                reviewer=(self.names.labels.get(about[_BY]) or [about[_BY]])[0],
                decision=about[DECISION],
                time=about[_WHEN],
                note=about.get(COMMENT, ""),
                correction=about.get(_CORRECTION, ""),
            )
            for about in self._reviews.values()
            if about.keys() >= {_REVIEWED, DECISION, _BY, _WHEN} and about[_REVIEWED] in self.statements
        ]

    def words(self, iri: str, decisions: Iterable[Decision]) -> str:
        return f"{self.says(iri)}: {', '.join(map(str, decisions))} ({iri})"

    def says(self, iri: str) -> str:
        return " — ".join(self.parts(iri))

    def parts(self, iri: str) -> tuple[str, str, str]:
        """The names of a statement's subject and object, and its label."""
        one = self.statements[iri]
        names = self.names.labels
        object_ = one.object if one.object_is_literal else (names.get(one.object) or [one.object])[0]
        return (names.get(one.subject) or [one.subject])[0], one.label, object_


def _known_ones(decisions: Iterable[Decision], known: _Known, summary: ReviewSummary) -> list[Decision]:
    given = list(decisions)
    found = [one for one in given if one.statement in known.statements]
    if given and not found:
        raise InputError(
            "None of the statements of the review is in the graph: name the graph from which the page was made."
        )
    summary.unknown = sorted({clean_text(one.statement) for one in given if one.statement not in known.statements})
    return found


class _Outcome:
    """What follows from all decisions.

    Attributes:
        decisions: by statement what persons decided about it, if they agree.
        disagreed: by statement decisions that do not agree, which change nothing.
        corrections: the statements that stand instead of others, by their IRIs, with these.
        written: the decisions of which the graph gets the record.
    """

    def __init__(self, known: _Known, given: list[Decision], iris: Iris) -> None:
        self.iris, self.known = iris, known
        self.corrections: dict[str, tuple[Statement, str]] = {}
        for number, one in enumerate(given):
            if one.decision == "corrected":
                old = known.statements[one.statement]
                new = known.names.corrected(old, one, iris)
                self.corrections[new.iri] = new, old.iri
                given[number] = replace(one, correction=new.iri)
        before = known.decisions()
        agreed_before, _ = settled(before)
        agreed, self.disagreed = settled([*before, *given])
        agreed |= {iri: agreed_before[iri] for iri in self.disagreed if iri in agreed_before}
        self.decisions = {iri: found[0].decision for iri, found in agreed.items()}
        used = {found[0].correction for found in agreed.values()}
        self.corrections = {iri: found for iri, found in self.corrections.items() if iri in used}
        dropped = {one.correction for one in before if one.statement in agreed} - used - {""}
        self.decisions |= dict.fromkeys(dropped & known.statements.keys(), "rejected")
        self.decisions |= {iri: "accepted" for iri in self.corrections if iri in dropped}
        self.written = [one for found in agreed.values() for one in found]

    @property
    def statements(self) -> dict[str, Statement]:
        """All statements, with what was decided about them."""
        found = {
            iri: replace(one, decision=self.decisions.get(iri, one.decision))
            for iri, one in self.known.statements.items()
        }
        for iri, (new, _) in self.corrections.items():
            found.setdefault(iri, new)
        return found

    def trained(self) -> Iterator[Statement]:
        """The statements that persons decided about, and those that stand instead of others and are in the text."""
        olds = self.known.revisions | {iri: old for iri, (_, old) in self.corrections.items()}
        for iri, one in self.statements.items():
            old = self.known.statements.get(olds.get(iri, iri), one)
            if one.decision in ("accepted", *WITHDRAWN) and self.known.names.is_read(one, old):
                yield one

    def records(self) -> Iterator[Triple | Quad]:
        """The corrections, and who decided what."""
        for entity in dict.fromkeys(end for new, _ in self.corrections.values() for end in (new.subject, new.object)):
            if entity in self.known.names.new and entity not in self.known.names.labels:
                yield Triple(NamedNode(entity), LABEL, Literal(self.known.names.new[entity]))
        for iri, (new, old) in self.corrections.items():
            if iri not in self.known.statements:
                triples = iter(statement_triples(new, text=True))
                yield next(triples)
                yield Triple(NamedNode(iri), _REVISION_OF, NamedNode(old))
                yield from triples
        people: dict[str, str] = {}
        for one in self.written:
            what = (one.statement, one.reviewer, one.decision, one.correction, one.time, one.note)
            node, person = NamedNode(self.iris.review(*what)), self.iris.reviewer(one.reviewer)
            people[person] = one.reviewer
            yield Triple(node, TYPE, _REVIEW)
            yield Triple(node, _REVIEWED, NamedNode(one.statement))
            yield Triple(node, DECISION, Literal(one.decision))
            if one.correction:
                yield Triple(node, _CORRECTION, NamedNode(one.correction))
            yield Triple(node, _BY, NamedNode(person))
            yield Triple(node, _WHEN, Literal(one.time, datatype=NamedNode(f"{XSD}dateTime")))
            if one.note:
                yield Triple(node, COMMENT, Literal(one.note))
        for person, name in people.items():
            yield Triple(NamedNode(person), TYPE, _PERSON)
            yield Triple(NamedNode(person), LABEL, Literal(name))


def _table(known: _Known, outcome: _Outcome) -> Iterator[bytes]:
    columns = ("statement", "subject", "label", "object", "reviewer", "decision", "time", "note")
    yield table_line(columns, delimiter="\t")
    for iri, decisions in outcome.disagreed.items():
        for one in decisions:
            cells = (iri, *known.parts(iri), one.reviewer, one.decision, one.time, one.note)
            yield table_line(cells, delimiter="\t")


def _write(file: RdfFile, output: str | Path, format: str, outcome: _Outcome, base: str, stack: ExitStack) -> None:
    """Write the graph; one with facts is merged anew."""
    form = _Form()
    if not form.has_facts(file):
        write(_triples(file, outcome), stack.enter_context(opened(output)), format=format, base=base)
        return
    folder = Path(stack.enter_context(temporary_folder(output)))
    whole = folder / "reviewed.nq"
    with whole.open("wb") as out:
        write(_triples(file, outcome), out, format="nquads", base=base)
    merge(whole, output, format=format, base=base, provenance=form.provenance, progress=False)


class _Form:
    """The form in which the statements of a graph are written."""

    provenance = "statements"

    def has_facts(self, file: RdfFile) -> bool:
        found = False
        for quad in read_quads(file.path, format=file.format):
            found = found or (quad.predicate == TYPE and quad.object == _FACT)
            if quad.graph_name != DEFAULT_GRAPH:
                self.provenance = "graphs"
            elif quad.predicate == REIFIES:
                self.provenance = "rdf12"
            elif from_node_predicate(quad.predicate.value):
                self.provenance = "wikidata"
        return found


def _triples(file: RdfFile, outcome: _Outcome) -> Iterator[Triple | Quad]:
    """The graph with all that was decided. What is in it already stays where it is."""
    asserted: dict[_Plain, bool] = {}
    for one in outcome.statements.values():
        if one.decision in WITHDRAWN:
            asserted.setdefault(_plain(one), False)
        elif one.decision == "accepted":
            asserted[_plain(one)] = True
    for one in outcome.statements.values():
        if one.decision not in WITHDRAWN and _plain(one) in asserted:
            asserted[_plain(one)] = True
    missing = {_plain(one): None for one in outcome.statements.values() if one.decision == "accepted"}
    new = dict.fromkeys(outcome.records())
    marked: set[str] = set()
    for quad in read_quads(file.path, format=file.format):
        subject = getattr(quad.subject, "value", "")
        if quad.graph_name != DEFAULT_GRAPH:
            yield quad
            continue
        object_ = canonical_literal(quad.object) if isinstance(quad.object, Literal) else quad.object
        plain = (quad.subject, quad.predicate, object_)
        missing.pop(plain, None)
        if not asserted.get(plain, True) or (quad.predicate == DECISION and subject in outcome.decisions):
            continue
        new.pop(quad.triple, None)
        yield quad
        if quad.predicate == _CONFIDENCE and subject in outcome.decisions and subject not in marked:
            marked.add(subject)
            yield Triple(quad.subject, DECISION, Literal(outcome.decisions[subject]))
    yield from (Triple(*plain) for plain in missing)
    yield from new


def _plain(one: Statement) -> _Plain:
    if not one.object_is_literal:
        return NamedNode(one.subject), NamedNode(one.predicate), NamedNode(one.object)
    datatype = NamedNode(one.object_datatype) if one.object_datatype else None
    return NamedNode(one.subject), NamedNode(one.predicate), Literal(one.object, datatype=datatype)
