"""What graphs say and Wikidata does not: listed in a table for review, and what was accepted as QuickStatements.

For the commands see `wikidata.quickstatements`. Nothing is uploaded.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import cast

from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.errors import InputError
from kgmrca.files import STANDARD, check_outputs, opened
from kgmrca.ontology import load_ontology, load_properties
from kgmrca.progress import counted
from kgmrca.terms import ACCEPTED, DCTERMS, DEFAULT_GRAPH, KGMRCA, RDF, RDFS, WITHDRAWN
from kgmrca.triples.formats import is_rdf
from kgmrca.triples.inputs import graph_files
from kgmrca.triples.items import property_id
from kgmrca.triples.read import Node, read_graphs
from kgmrca.wikidata.assertions import Links, times_of
from kgmrca.wikidata.queries import checked_id
from kgmrca.wikidata.quickstatements import clean_line, command, value_text, why_not
from kgmrca.wikidata.records import Value
from kgmrca.wikidata.review import (
    CHECKSUMS,
    KEY,
    NOT_LISTED,
    Table,
    carry_over,
    delimiter_of,
    fact_of,
    read_review,
    write_table,
)
from kgmrca.wikidata.verdicts import Assertion, Verdict
from kgmrca.wikidata.wikibase import WIKIDATA, Wikibase, found_in

__all__ = [
    "DIFF_COLUMNS",
    "DiffSummary",
    "Row",
    "accepted",
    "diff",
    "differences",
]

_LABEL, _COMMENT = f"{RDFS}label", f"{RDFS}comment"
_IDENTIFIER, _SOURCE = f"{DCTERMS}identifier", f"{DCTERMS}source"
_CHECKED, _VERDICT = f"{KGMRCA}checked", f"{KGMRCA}verdict"
_TERMS = {f"{RDF}{name}": name for name in ("subject", "predicate", "object")}

_NEW = frozenset({Verdict.new.value})
_CONFLICTS = frozenset({Verdict.conflict.value, Verdict.soft_conflict.value})
_MARK = "x"
_YES, _NO = frozenset({"x", "y", "yes", "1", "true", "accept", "accepted"}), frozenset({"", "n", "no", "0", "false"})

MOST_COMMANDS = 5_000
"""The commands of one file. The pages of QuickStatements take a batch of this size at once."""

_URL = re.compile(r"https?://[^\s\"<>]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """A fact that statements of a graph state, with what a person needs to judge it, as text.

    Attributes:
        accept: the person's answer; "x" if a person accepted a statement of the fact in a review.
        verdict: of the check.
        confidence: of the most certain statement.
        subject, property, object: their names.
        subject_item, property_id, value: what QuickStatements gets; `value` is "" if it has no form there.
        sentence: of the most certain statement: the text if the graph has it, else the IRI. If the object stands in
            another sentence than the subject, both, with " … " between them.
        document: the name of that statement's document.
        url: of the document on the web, or "".
        readings: the number of statements that state the fact.
        reason: of the verdict.
        statement: the IRI of the most certain statement.
    """

    accept: str
    verdict: str
    confidence: str
    subject: str
    subject_item: str
    property: str
    property_id: str
    object: str
    value: str
    sentence: str
    document: str
    url: str
    readings: int
    reason: str
    statement: str


_CELLS = tuple(field.name for field in fields(Row))
DIFF_COLUMNS = (*_CELLS, CHECKSUMS)
"""The columns of the table."""


@dataclass(slots=True)
class DiffSummary:
    """What `diff` did.

    Attributes:
        verdicts: the number of facts that were listed or exported, by verdict.
        unchecked: the number of statements without a verdict.
        left_out: accepted rows, or their qualifiers, that were not exported, each with its line and why.
        n_kept: the number of listed rows in which something that a person wrote before was kept.
        n_not_listed: the number of rows that a person worked on and that are not listed any more. They are kept in
            the table, and not exported.
        files: the files of commands that were written, if there are several.
        leftover: the files with the names of further parts, which were there before.
        wikibase: what the IRIs of the items begin with, if the graphs told that it is another than Wikidata.
        times: by the IRI of a statement its times, each with the property of the qualifier that is exported with it.
        unwritable: by the IRI of a statement why its fact cannot be exported.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0
    left_out: list[str] = field(default_factory=list)
    n_kept: int = 0
    n_not_listed: int = 0
    files: list[str] = field(default_factory=list)
    leftover: list[str] = field(default_factory=list)
    wikibase: str = ""
    times: dict[str, list[tuple[str, Value]]] = field(default_factory=dict)
    unwritable: dict[str, str] = field(default_factory=dict)

    def in_words(self, output: str) -> str:
        """The summary in lines of text; `output` is where the result was written."""
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(self.verdicts.items()))
        to = ", ".join(self.files) or output
        lines = [counted(self.verdicts.total(), "fact") + ("" if output == "-" else f" -> {to}")]
        lines[0] += f": {counts}" if counts else ""
        if self.unchecked:
            lines.append(f"{counted(self.unchecked, 'statement')} without a verdict: see kgmrca check")
        if self.n_kept:
            lines.append(f"{counted(self.n_kept, 'row')} that you worked on before: kept as they were")
        if self.n_not_listed:
            lines.append(f"{counted(self.n_not_listed, 'row')} that you worked on, no longer listed: kept at the end")
        lines += [f"not exported, {why}" for why in self.left_out]
        if self.leftover:
            were = "was" if len(self.leftover) == 1 else "were"
            lines.append(
                f"{', '.join(self.leftover)} {were} there before, and no part of this export: remove what is old"
            )
        if self.wikibase:
            lines.append(f"the items are those of {self.wikibase} (--wikibase names another Wikibase)")
        return "\n".join(f"kgmrca: {line}" for line in lines)


def diff(
    graphs: Sequence[str | Path],
    output: str | Path | None = None,
    *,
    conflicts: bool = False,
    accept: str | Path | None = None,
    quickstatements: str | Path | None = None,
    stated_in: str | None = None,
    input_format: str | None = None,
    wikibase: str | None = None,
) -> DiffSummary:
    """List what is new against Wikidata in a table, or export what a person has accepted in such a table.

    A table that exists is written anew with all that a person wrote in it: answers, edited cells, added columns. Rows
    that a person worked on and that are not listed any more come last (see `review.carry_over`).

    Args:
        graphs: RDF files, folders of them, glob patterns, or "-" for standard input: statements, links and verdicts, in
            one file or several.
        output: the table to write, with tabs (.tsv) or commas (.csv) between cells; "-" for standard output, with tabs.
        conflicts: whether to list what contradicts Wikidata as well.
        accept: a table with a mark in the column `accept` of some rows; None: what persons accepted in a review
            (`kgmrca apply-review`). What they rejected or corrected is neither listed nor exported.
        quickstatements: the file for the commands, "-" for standard output.
        stated_in: the item that is given as the source of all commands ("stated in").
        input_format: the format of all graphs. With None it is known by the files' extensions; standard input is read
            as TriG, which includes Turtle and N-Triples.
        wikibase: what the IRIs of items begin with; None: as Wikidata's, or as the graphs tell.

    Raises:
        InputError: an argument, a graph or a table cannot be used, an output would overwrite what is read or is a file
            that is no such table, or the graphs have no verdicts.
        OSError: something cannot be read or written.
    """
    if accept is not None and quickstatements is None:
        raise InputError("--accept names the reviewed table: name the file to write with --quickstatements.")
    if output is None and quickstatements is None:
        raise InputError(
            "There is nothing to do: name either --output, to list new facts, or --quickstatements, to export accepted "
            "ones."
        )
    if output is not None and quickstatements is not None:
        raise InputError(
            "A table is either written or exported: name --output, to list new facts, or --quickstatements, to export "
            "accepted ones; not both."
        )
    if stated_in:
        checked_id(stated_in, kinds="Q")
    check_outputs([output, quickstatements], graphs, takes=None if input_format else is_rdf)
    if output is not None:
        return _list(graphs, output, conflicts=conflicts, input_format=input_format, wikibase=wikibase)
    return _export(graphs, accept and Path(accept), cast(str, quickstatements), stated_in or "", input_format, wikibase)


def _list(
    graphs: Sequence[str | Path],
    output: str | Path,
    *,
    conflicts: bool,
    input_format: str | None,
    wikibase: str | None,
) -> DiffSummary:
    """Write the table."""
    delimiter = delimiter_of(output, default="\t")
    before = _table_before(output)
    summary = DiffSummary()
    with opened(output) as out:
        found = differences(
            graphs, summary, conflicts=conflicts, input_format=input_format, beside=output, wikibase=wikibase
        )
        rows = ({name: clean_line(str(getattr(row, name))) for name in _CELLS} for row in found)
        review = carry_over(rows, before, _CELLS)
        if before:
            delimiter = before.delimiter
        write_table(review, out, _CELLS, delimiter=delimiter, has_mark=before is not None and before.has_mark)
    summary.verdicts.update(row.verdict for row in found)
    summary.n_kept, summary.n_not_listed = review.n_kept, review.n_not_listed
    return summary


def _table_before(output: str | Path) -> Table | None:
    """The table that is to be written anew, with what a person wrote in it; None if there is none.

    Raises:
        InputError: there is a file with this name that is no such table.
    """
    path = Path(output)
    if output == STANDARD or not path.is_file() or not path.stat().st_size:
        return None
    try:
        return read_review(path, ("accept", *KEY))
    except InputError as error:
        raise InputError(f"{error} So it is not written over: write to another file, or remove it.") from error


def _export(
    graphs: Sequence[str | Path],
    accept: str | Path | None,
    output: str | Path,
    stated_in: str,
    input_format: str | None,
    wikibase: str | None,
) -> DiffSummary:
    """Write the QuickStatements of what is accepted in a table, or without one in a review that the graphs have."""
    tables = [accept] if accept else []
    check_outputs([output], tables, what="the table", takes=Path.is_file)
    summary = DiffSummary()
    with ExitStack() as files:  # all are shown when all are complete
        out = files.enter_context(opened(output))
        marked = accepted(Path(accept)) if accept else []
        found = differences(
            graphs, summary, conflicts=True, input_format=input_format, beside=output, wikibase=wikibase
        )
        if not accept:
            marked = [(0, {name: str(getattr(row, name)) for name in _CELLS}) for row in found if row.accept]
            if not marked:
                raise InputError(
                    "No new fact was accepted by kgmrca apply-review: name a reviewed table with --accept."
                )
        rows = {fact_of({name: getattr(row, name) for name in KEY}): row for row in found}
        lines = [line.encode("utf-8") for line in _commands(marked, rows, summary, stated_in)]
        size = len(lines) if output == STANDARD else MOST_COMMANDS
        out.write(b"".join(lines[:size]))
        for number, start in enumerate(range(size, len(lines), size or 1), start=2):
            part, commands = _part(output, number), b"".join(lines[start : start + size])
            check_outputs([part], tables, what="the table", takes=Path.is_file)
            check_outputs([part], graphs, takes=None if input_format else is_rdf)
            if part.exists() and part.read_bytes() != commands:
                raise InputError(
                    f"The {len(lines):,} commands take several files, and {part} exists with other text. Nothing was "
                    "written: remove that file, or name another one with --quickstatements."
                )
            files.enter_context(opened(part)).write(commands)
            summary.files = [*(summary.files or [str(output)]), str(part)]
        number = max(len(summary.files), 1) + 1
        while output != STANDARD and (beyond := _part(output, number)).exists():
            summary.leftover.append(str(beyond))
            number += 1
    return summary


def _part(output: str | Path, number: int) -> Path:
    """The file of the commands after those that the files before it have."""
    path = Path(output)
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def differences(
    graphs: Sequence[str | Path],
    summary: DiffSummary,
    *,
    conflicts: bool = False,
    input_format: str | None = None,
    beside: str | Path | None = None,
    wikibase: str | None = None,
) -> list[Row]:
    """The facts of which every verdict is "new" (or a conflict), the most certain first. Graphs are read twice.

    Args:
        graphs: see `diff`.
        summary: counts the statements without a verdict.
        conflicts: whether conflicts are listed as well.
        input_format: the format of all graphs, see `diff`.
        beside: the output, beside which temporary files lie.
        wikibase: see `diff`.

    Raises:
        InputError: a graph cannot be used, or there are no verdicts.
        OSError: a graph cannot be read.
    """
    whose = Wikibase(wikibase) if wikibase else WIKIDATA
    wanted = _NEW | _CONFLICTS if conflicts else _NEW
    with graph_files(graphs, input_format, beside=beside) as files:
        first = _FirstReading()
        links = Links(first.collecting(whose.graphs(read_graphs(files, beside=beside))))
        is_told = (links.mapped or links.plain) and links.has_items
        if whose.is_wikidata and not is_told and (another := found_in(read_graphs(files, beside=beside))):
            first, whose = _FirstReading(), another
            summary.wikibase = "" if another.is_wikidata else another.entity
            links = Links(first.collecting(whose.graphs(read_graphs(files, beside=beside))))
        if not whose.is_wikidata and links.has_items and not (links.mapped or links.plain):
            # Statements with a predicate of Wikidata have a verdict only where `check` has found the same property.
            first, whose = _FirstReading(), Wikibase(whose.entity, filter(None, map(property_id, load_properties())))
            links = Links(first.collecting(whose.graphs(read_graphs(files, beside=beside))))
        first.finish()
        if not first.verdicts:
            raise InputError("The graphs have no verdicts: name what kgmrca check wrote as well.")
        found: dict[tuple[str, str, str], Row] = {}
        for node in first.statements(whose.graphs(read_graphs(files, beside=beside))):
            if node.decision in WITHDRAWN:
                continue
            verdicts = first.verdicts.get(node.iri)
            if verdicts is None:
                summary.unchecked += 1
                continue
            assertion = links.assertion(node)
            if not wanted.issuperset(verdicts) or not (assertion.subject and assertion.property and assertion.object):
                continue
            row = first.row(node, assertion)
            if not row.value:
                why = why_not(assertion.object, assertion.property)
                summary.unwritable[row.statement] = why
                row = replace(row, reason=f"{row.reason} It cannot be exported: {why}.".lstrip())
            if times := times_of(node):
                summary.times[row.statement] = times
            # A fact that cannot be exported has no value to tell it from others.
            key = row.subject_item, row.property_id, row.value or f" {node.terms['object']}"
            other = found.get(key)
            if other:
                accept = row.accept or other.accept
                row = replace(min(row, other, key=_certain_first), readings=other.readings + 1, accept=accept)
            found[key] = row
    return sorted(found.values(), key=_certain_first)


def accepted(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table that a person has marked, each with its line. Tabs, commas or semicolons part cells.

    Of several rows about the same fact, the first that is marked is given. A row without an answer contradicts none.

    Raises:
        InputError: it is no such table, a mark is neither yes nor no, or one row accepts what another one rejects.
        OSError: it cannot be read.
    """
    table = read_review(path, ("accept", *KEY))
    marked = []
    answers: dict[tuple[str, ...], tuple[int, bool]] = {}  # by fact the first line with an answer, and the answer
    for line, row in table.rows:
        cells = table.cells(row)
        mark = cells["accept"].strip().casefold()
        if mark not in _YES | _NO:
            raise InputError(f"{path}, line {line}: accept is '{cells['accept']}': write x or yes, or leave it empty.")
        if not mark:
            continue
        fact, is_yes = fact_of(cells), mark in _YES
        # Facts without a value cannot be told from each other.
        first, was_yes = answers.setdefault(fact, (line, is_yes)) if fact[-1] else (line, is_yes)
        if is_yes != was_yes:
            raise InputError(
                f"{path}, lines {first} and {line}: they are about the same fact, and one accepts it while the other "
                "does not: give both the same answer, or remove one of them."
            )
        if is_yes and first == line:
            marked.append((line, cells))
    return marked


class _FirstReading:
    """What the first reading of graphs collects: names, documents, and verdicts by statement."""

    def __init__(self) -> None:
        self.verdicts: dict[str, dict[str, str]] = {}  # by statement the verdicts with their reasons
        self._texts: dict[tuple[str, str], str] = {}  # by subject and predicate
        self._checks: dict[str, dict[str, list[str]]] = {}
        self._plain: dict[str, dict[str, NamedNode | Literal]] = {}  # statements of plain triples

    def collecting(self, graphs: Iterable[Node | Quad]) -> Iterator[Node | Quad]:
        """Collect from what is passed on."""
        for found in graphs:
            if isinstance(found, Quad) and found.graph_name == DEFAULT_GRAPH:
                self._collect(found)
            yield found

    def finish(self) -> None:
        """Put together what was collected."""
        for check in self._checks.values():
            for statement in check.get(_CHECKED, ()):
                # A check that was made twice may have two verdicts, and RDF does not tell which reason is whose.
                reason = " ".join(sorted(check.get(_COMMENT, ())))
                self.verdicts.setdefault(statement, {}).update(dict.fromkeys(check.get(_VERDICT, ()), reason))
        self._checks.clear()
        self._plain = {iri: terms for iri, terms in self._plain.items() if iri in self.verdicts and len(terms) == 3}

    def statements(self, graphs: Iterable[Node | Quad]) -> Iterator[Node]:
        """The statements of the graphs, then those that `kgmrca check` made of plain triples."""
        yield from (found for found in graphs if isinstance(found, Node))
        for iri, terms in self._plain.items():
            yield Node(iri, Decimal(1), terms, [])

    def row(self, node: Node, assertion: Assertion) -> Row:
        """The row of a statement."""
        terms, verdicts = node.terms, self.verdicts[node.iri]
        subject, object_, item, name = (
            terms["subject"],
            terms["object"],
            assertion.subject or "",
            assertion.property or "",
        )
        document = terms["document"].value if "document" in terms else ""
        label = load_ontology().label_of(name) or (terms["label"].value if "label" in terms else name)
        sentences = [
            told for name in ("sentence", "object_sentence") if (told := terms.get(f"{name}_text") or terms.get(name))
        ]
        identifier = self._texts.get((document, _IDENTIFIER), document)
        urls = (self._texts.get((document, _SOURCE), ""), identifier, document)
        return Row(
            accept=_MARK if node.decision == ACCEPTED else "",
            verdict="; ".join(sorted(verdicts)),
            confidence=str(node.confidence) if document else "",
            subject=self._texts.get((subject.value, _LABEL), item),
            subject_item=item,
            property=label,
            property_id=name,
            object=object_.value if isinstance(object_, Literal) else self._name(object_.value, assertion.object),
            value=value_text(assertion.object, name) if assertion.object else "",
            sentence=" … ".join(told.value for told in sentences),
            document=identifier,
            url=next((url for url in urls if _URL.fullmatch(url)), ""),
            readings=1,
            reason=" ".join(sorted(set(verdicts.values()))),
            statement=node.iri,
        )

    def _name(self, entity: str, value: Value | None) -> str:
        return self._texts.get((entity, _LABEL)) or (value.text if value else "")

    def _collect(self, quad: Quad) -> None:
        subject, predicate, object_ = quad.subject, quad.predicate.value, quad.object
        if not isinstance(subject, NamedNode) or not isinstance(object_, NamedNode | Literal):
            return
        if predicate in (_LABEL, _IDENTIFIER, _SOURCE):
            self._texts.setdefault((subject.value, predicate), object_.value)
        elif predicate in (_CHECKED, _VERDICT, _COMMENT):
            self._checks.setdefault(subject.value, {}).setdefault(predicate, []).append(object_.value)
        elif predicate in _TERMS:
            self._plain.setdefault(subject.value, {})[_TERMS[predicate]] = object_


def _at(line: int, cells: Mapping[str, str]) -> str:
    """Where a person accepted a fact: a line of a table, or a statement of a review."""
    return f"line {line}" if line else f"<{cells['statement']}>"


def _certain_first(row: Row) -> tuple[Decimal, str]:
    return -Decimal(row.confidence or 1), row.statement


def _commands(
    marked: Iterable[tuple[int, dict[str, str]]], rows: dict[tuple[str, ...], Row], summary: DiffSummary, stated_in: str
) -> Iterator[str]:
    """The command of each accepted row whose fact is still new."""
    for line, cells in marked:
        fact = fact_of(cells)
        if fact not in rows and cells.get("verdict", "").startswith(NOT_LISTED):
            summary.n_not_listed += 1
            continue
        if not fact[-1]:
            why = summary.unwritable.get(
                cells.get("statement", ""), f"it has no value that {cells['property_id']} can have"
            )
            summary.left_out.append(f"{_at(line, cells)}: {why}")
        elif fact not in rows:
            given = " ".join(cells[name].strip() for name in KEY)
            summary.left_out.append(f"{_at(line, cells)}: '{given}' is not among what is new in these graphs")
        else:
            summary.verdicts[rows[fact].verdict] += 1
            row = rows[fact]
            qualifiers = [
                (of, value_text(time, of), why_not(time, of)) for of, time in summary.times.get(row.statement, ())
            ]
            summary.left_out += [f"{_at(line, cells)}: its qualifier {of}: {why}" for of, _, why in qualifiers if why]
            yield command(
                row.subject_item,
                row.property_id,
                row.value,
                qualifiers=[(of, text) for of, text, why in qualifiers if not why],
                stated_in=stated_in,
                url=row.url,
            )
