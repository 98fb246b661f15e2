"""What graphs say and Wikidata does not: as a table for a person to review, and what they accept as QuickStatements.

The language is QuickStatements' first (https://www.wikidata.org/wiki/Help:QuickStatements): a command a line, cells
between tabs, and a text verbatim between the first and the last quote of its cell. Nothing is uploaded here.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import IO

from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.errors import InputError
from kgmrca.files import opened, utf8
from kgmrca.ontology import load_ontology, load_properties, wikidata_predicate
from kgmrca.terms import DCTERMS, DEFAULT_GRAPH, KGMRCA, RDF, RDFS
from kgmrca.triples.inputs import graph_files
from kgmrca.triples.iris import clean_text
from kgmrca.triples.read import Node, read_graphs
from kgmrca.wikidata.links import Links
from kgmrca.wikidata.queries import checked_id
from kgmrca.wikidata.records import Value
from kgmrca.wikidata.verdicts import Assertion, Verdict

__all__ = [
    "COLUMNS",
    "DiffSummary",
    "Row",
    "accepted",
    "diff",
    "differences",
    "one_line",
    "quickstatement",
    "value_text",
]

_LABEL, _COMMENT = f"{RDFS}label", f"{RDFS}comment"
_IDENTIFIER, _SOURCE = f"{DCTERMS}identifier", f"{DCTERMS}source"
_CHECKED, _VERDICT = f"{KGMRCA}checked", f"{KGMRCA}verdict"
_TERMS = {f"{RDF}{name}": name for name in ("subject", "predicate", "object")}

_NEW = frozenset({Verdict.new.value})
_CONFLICTS = frozenset({Verdict.conflict.value, Verdict.soft_conflict.value})
_YES, _NO = frozenset({"x", "y", "yes", "1", "true", "accept", "accepted"}), frozenset({"", "n", "no", "0", "false"})

_URL = re.compile(r"https?://[^\s\"<>]+", re.ASCII)
_DATE = re.compile(r"(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_FIRST_GREGORIAN_YEAR = 1583
_STRINGS = frozenset({"P281"})  # of our properties, those that have texts as values


@dataclass(frozen=True, slots=True)
class Row:
    """A fact that some statements of a graph state: what a person needs to see to judge it, all of it as text.

    Attributes:
        accept: the person's answer.
        verdict: what Wikidata says.
        confidence: of the most certain of the statements.
        subject, property, object: names.
        subject_item, property_id, value: what QuickStatements would get; `value` is "" if it cannot be said there.
        sentence: of that statement: its text if the graph has it, else its IRI.
        document: what it is called.
        url: where it is on the web, if the graph says so.
        readings: how many statements state the fact.
        reason: of the verdict.
        statement: the IRI of the most certain one.
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


COLUMNS = tuple(field.name for field in fields(Row))
"""The columns of the table."""

_QUOTED = frozenset({"subject", "property", "object", "sentence", "document", "url", "reason"})  # what others wrote
_FIXED = ("subject_item", "property_id", "value")  # what a person accepts, as they saw it


@dataclass(slots=True)
class DiffSummary:
    """What a job did.

    Attributes:
        verdicts: how many facts were listed or exported, by verdict.
        unchecked: how many statements have no verdict.
        left_out: accepted rows that were not exported, each with its line and why.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0
    left_out: list[str] = field(default_factory=list)

    def in_words(self, output: str) -> str:
        """The same for a person, in some lines."""
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(self.verdicts.items()))
        lines = [f"{self.verdicts.total():,} facts" + ("" if output == "-" else f" -> {output}")]
        lines[0] += f": {counts}" if counts else ""
        if self.unchecked:
            lines.append(f"{self.unchecked:,} statements have no verdict: see kgmrca check")
        lines += [f"not exported, {why}" for why in self.left_out]
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
) -> DiffSummary:
    """List what is new against Wikidata, or export what a person has accepted of such a list.

    Args:
        graphs: RDF files, or "-" for standard input: statements, links and verdicts, in one file or several.
        output: the table to write, "-" for standard output: comma-separated if its name ends in ".csv", else by tabs.
        conflicts: whether to list what contradicts Wikidata as well.
        accept: a table that was written before, with a mark in the column `accept` of some rows.
        quickstatements: where to write these, "-" for standard output.
        stated_in: the item that is the source of all statements ("stated in").
        input_format: the format of all graphs; None: by the files' extensions, TriG on standard input.

    Raises:
        InputError: an argument, a graph or the table cannot be used, or the graphs have no verdicts.
        OSError: something cannot be read or written.
    """
    if (accept is None) != (quickstatements is None):
        raise InputError("QuickStatements are written of what a person has accepted: name that table, and where to.")
    if (output is None) == (accept is None):
        raise InputError("Either list what is new (an output), or export what was accepted of such a list.")
    if stated_in:
        checked_id(stated_in, kinds="Q")
    places = [path for path in (output, quickstatements) if path is not None]
    with opened(places[0], inputs=[*graphs, *([accept] if accept else [])], what="read") as out:
        summary = DiffSummary()
        if accept is not None:
            marked = accepted(Path(accept))
            found = differences(graphs, summary, conflicts=True, format=input_format)
            rows = {tuple(getattr(row, name) for name in _FIXED): row for row in found}
            for line in _commands(marked, rows, summary, stated_in or ""):
                out.write(line.encode("utf-8"))
        else:
            found = differences(graphs, summary, conflicts=conflicts, format=input_format)
            _write_table(found, out, delimiter="," if str(output).lower().endswith(".csv") else "\t")
            summary.verdicts.update(row.verdict for row in found)
        out.flush()
    return summary


def differences(
    graphs: Sequence[str | Path], summary: DiffSummary, *, conflicts: bool = False, format: str | None = None
) -> list[Row]:
    """The facts of which every verdict is "new" (or a conflict), the most certain first. Graphs are read twice.

    Raises:
        InputError: a graph cannot be used, or there are no verdicts.
        OSError: a graph cannot be read.
    """
    wanted = _NEW | _CONFLICTS if conflicts else _NEW
    with graph_files(graphs, format) as files:
        noted = _Noted()
        links = Links(noted.passing(read_graphs(files)))
        noted.close()
        if not noted.verdicts:
            raise InputError("The graphs have no verdicts: name what kgmrca check wrote as well.")
        found: dict[tuple[str, str, str], Row] = {}
        for node in noted.statements(read_graphs(files)):
            verdicts = noted.verdicts.get(node.iri)
            if verdicts is None:
                summary.unchecked += 1
                continue
            assertion = links.assertion(node)
            if not wanted.issuperset(verdicts) or not (assertion.subject and assertion.property and assertion.object):
                continue
            row = noted.row(node, assertion)
            # What cannot be exported has no value that tells it from others.
            key = row.subject_item, row.property_id, row.value or f" {node.terms['object']}"
            other = found.get(key)
            if other:
                row = replace(min(row, other, key=_certain_first), readings=other.readings + 1)
            found[key] = row
    return sorted(found.values(), key=_certain_first)


def accepted(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table that a person has marked, each with its line. Tabs, commas or semicolons part cells.

    Raises:
        InputError: it is no such table, or a mark is neither yes nor no.
        OSError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = next((sign for sign in "\t,;" if sign in header), "\t")
            file.seek(0)
            reader = csv.DictReader(file, delimiter=delimiter, restval="", restkey="")
            if missing := [name for name in ("accept", *_FIXED) if name not in (reader.fieldnames or ())]:
                raise InputError(f"{path}: the columns {', '.join(missing)} are missing: keep those of kgmrca diff.")
            rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: this is no table in UTF-8: {error}.") from error
    marked = []
    for line, row in rows:
        mark = row["accept"].strip().casefold()
        if mark not in _YES | _NO:
            raise InputError(f"{path}, line {line}: accept is '{row['accept']}': write x or yes, or leave it empty.")
        if mark in _YES:
            marked.append((line, row))
    return marked


def quickstatement(row: Row, *, stated_in: str = "") -> str:
    """The line that adds a row's fact to Wikidata, with its line feed; the source is an item, a web page, or both."""
    cells = [row.subject_item, row.property_id, row.value]
    if stated_in:
        cells += ["S248", stated_in]
    if row.url:
        cells += ["S854", _quoted(row.url)]
    return "\t".join(cells) + "\n"


def value_text(value: Value, property: str) -> str:
    """A value as QuickStatements has it; "" if it is none that the property can have, or that can be said there.

    Which kind of value a property of ours has, is known; of others any is believed.
    """
    known = load_properties().get(wikidata_predicate(property) or "")
    if known:
        kinds = {frozenset({"TIME"}): "time", frozenset({"NUM"}): "quantity"}
        kind = "text" if property in _STRINGS else kinds.get(known.object_types, "item")
        if kind == "text" and value.kind == "quantity":
            value = Value("text", value.text)
        if value.kind != kind:
            return ""
    if value.kind == "item":
        return value.text
    if value.kind == "time":
        return _time_text(value)
    if value.kind == "quantity":
        return format(Decimal(value.text), "f")
    if value.kind == "text" and one_line(value.text):
        return (f"{value.language}:" if value.language else "") + _quoted(value.text)
    return ""


def one_line(text: str) -> str:
    """A text without tabs and line breaks of any kind: white space is single spaces, and none at the ends."""
    return " ".join(clean_text(text).split())


def _quoted(text: str) -> str:
    return f'"{one_line(text)}"'


def _time_text(value: Value) -> str:
    """A date; in the graph, years are those of XSD 1.1, where 0 is 1 BC, and in Wikibase that is -1.

    Days are Gregorian in the graph. Years and months before that calendar are those of the Julian one.
    """
    match = _DATE.fullmatch(value.text)
    if match is None:
        return ""
    year, month, day = int(match[1]), match[2] or "00", match[3] or "00"
    sign, number = ("+", year) if year > 0 else ("-", 1 - year)
    precision = 9 + bool(match[2]) + bool(match[3])
    julian = "/J" if year < _FIRST_GREGORIAN_YEAR and not match[3] else ""
    return f"{sign}{number:04}-{month}-{day}T00:00:00Z/{precision}{julian}"


class _Noted:
    """What a first reading notes: names, documents, and verdicts by statement."""

    def __init__(self) -> None:
        self.verdicts: dict[str, dict[str, str]] = {}  # with their reasons
        self._texts: dict[tuple[str, str], str] = {}  # by subject and predicate
        self._checks: dict[str, dict[str, list[str]]] = {}
        self._plain: dict[str, dict[str, NamedNode | Literal]] = {}  # statements of plain triples

    def passing(self, graphs: Iterable[Node | Quad]) -> Iterator[Node | Quad]:
        """Note what comes by."""
        for found in graphs:
            if isinstance(found, Quad) and found.graph_name == DEFAULT_GRAPH:
                self._note(found)
            yield found

    def close(self) -> None:
        """Put together what has come."""
        for check in self._checks.values():
            for statement in check.get(_CHECKED, ()):
                # One check made at two times may have two verdicts, and nothing says which reason belongs to which.
                reason = " ".join(sorted(check.get(_COMMENT, ())))
                self.verdicts.setdefault(statement, {}).update(dict.fromkeys(check.get(_VERDICT, ()), reason))
        self._checks.clear()
        self._plain = {iri: terms for iri, terms in self._plain.items() if iri in self.verdicts and len(terms) == 3}

    def statements(self, graphs: Iterable[Node | Quad]) -> Iterator[Node]:
        """Those of the graphs, then those that kgmrca check made of plain triples."""
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
        sentence = terms.get("sentence_text") or terms.get("sentence")
        identifier = self._texts.get((document, _IDENTIFIER), document)
        urls = (self._texts.get((document, _SOURCE), ""), identifier, document)
        return Row(
            accept="",
            verdict="; ".join(sorted(verdicts)),
            confidence=str(node.confidence) if document else "",
            subject=self._texts.get((subject.value, _LABEL), item),
            subject_item=item,
            property=label,
            property_id=name,
            object=object_.value if isinstance(object_, Literal) else self._name(object_.value, assertion.object),
            value=value_text(assertion.object, name) if assertion.object else "",
            sentence=sentence.value if sentence else "",
            document=identifier,
            url=next((url for url in urls if _URL.fullmatch(url)), ""),
            readings=1,
            reason=" ".join(sorted(set(verdicts.values()))),
            statement=node.iri,
        )

    def _name(self, entity: str, value: Value | None) -> str:
        return self._texts.get((entity, _LABEL)) or (value.text if value else "")

    def _note(self, quad: Quad) -> None:
        subject, predicate, object_ = quad.subject, quad.predicate.value, quad.object
        if not isinstance(subject, NamedNode) or not isinstance(object_, NamedNode | Literal):
            return
        if predicate in (_LABEL, _IDENTIFIER, _SOURCE):
            self._texts.setdefault((subject.value, predicate), object_.value)
        elif predicate in (_CHECKED, _VERDICT, _COMMENT):
            self._checks.setdefault(subject.value, {}).setdefault(predicate, []).append(object_.value)
        elif predicate in _TERMS:
            self._plain.setdefault(subject.value, {})[_TERMS[predicate]] = object_


def _certain_first(row: Row) -> tuple[Decimal, str]:
    return -Decimal(row.confidence or 1), row.statement


def _commands(
    marked: Iterable[tuple[int, dict[str, str]]], rows: dict[tuple[str, ...], Row], summary: DiffSummary, stated_in: str
) -> Iterator[str]:
    """A line for each accepted row whose fact is still new."""
    for line, cells in marked:
        fact = tuple(cells[name].strip() for name in _FIXED)
        if not fact[-1]:
            summary.left_out.append(f"line {line}: it has no value that {cells['property_id']} can have")
        elif fact not in rows:
            summary.left_out.append(f"line {line}: '{' '.join(fact)}' is not among what is new in these graphs")
        else:
            summary.verdicts[rows[fact].verdict] += 1
            yield quickstatement(rows[fact], stated_in=stated_in)


def _write_table(rows: Iterable[Row], out: IO[bytes], *, delimiter: str) -> None:
    writer = csv.writer(utf8(out), delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_cell(getattr(row, name), quoted=name in _QUOTED) for name in COLUMNS)


def _cell(content: str | int, *, quoted: bool) -> str:
    """A cell; what others wrote is never a formula to a spreadsheet, which takes what begins with one of these."""
    text = one_line(str(content))
    return f"'{text}" if quoted and text.startswith(("=", "+", "-", "@")) else text
