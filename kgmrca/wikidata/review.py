"""The table that a person reviews: written, read back, and written anew with all that the person wrote in it.

A row is found again by its fact: subject, property and value. The last column holds a short checksum of each other cell
as the program would write it. A cell with another checksum was edited, and an edited cell is never changed.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO

from kgmrca import tables
from kgmrca.errors import InputError
from kgmrca.reading import suffix_of

__all__ = [
    "CHECKSUMS",
    "KEY",
    "NOT_LISTED",
    "Table",
    "carry_over",
    "delimiter_of",
    "fact_of",
    "read_review",
    "write_table",
]

KEY = ("subject_item", "property_id", "value")
"""The columns that say which fact a row is about."""
CHECKSUMS = "checksums"
"""The last column."""
NOT_LISTED = "no longer listed"
"""How the verdict of a row begins that a person has worked on, and that is not listed any more."""

_ACCEPT, _VERDICT, _OBJECT = "accept", "verdict", "object"
_TABS, _COMMAS = frozenset({".tsv", ".tab"}), frozenset({".csv"})
_PLAIN = frozenset({"", ".txt"})
_TEXTS = ("subject", "property", "object", "sentence", "document", "url", "reason")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?", re.ASCII)

Cells = Mapping[str, str]


@dataclass(slots=True)
class Table:
    """A table as a person has saved it.

    Attributes:
        columns: the names in its first row; several may be the same, or empty.
        rows: the cells of each row with its line. A row may have fewer or more cells than there are columns.
        delimiter: what parts cells: a tab, a comma or a semicolon.
        has_mark: whether it begins with a byte-order mark, by which some programs know UTF-8.
    """

    columns: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str = "\t"
    has_mark: bool = False

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """The cells of a row by column; of several columns with one name the first."""
        found: dict[str, str] = {}
        for number, name in enumerate(self.columns):
            found.setdefault(name, row[number] if number < len(row) else "")
        return found

    def added(self, row: Sequence[str], ours: Sequence[str]) -> list[str]:
        """The cells of a row in the columns that a person has added, and beyond the last column."""
        return [row[number] if number < len(row) else "" for number in self._places(ours)]

    def names_added(self, ours: Sequence[str]) -> list[str]:
        """The names of the columns that a person has added; "" for cells beyond the last column."""
        return [self.columns[number] if number < len(self.columns) else "" for number in self._places(ours)]

    def _places(self, ours: Sequence[str]) -> list[int]:
        width = max([len(self.columns), *(len(row) for _, row in self.rows)])
        first = {name: number for number, name in reversed(list(enumerate(self.columns)))}
        known = {first[name] for name in ours if name in first}
        return [number for number in range(width) if number not in known]


@dataclass(slots=True)
class Review:
    """Rows to write, with what a person wrote in the table before.

    Attributes:
        rows: of each row the cells by column, their checksums, and the cells in columns that a person has added.
        added: the names of the columns that a person has added.
        n_kept: the number of listed rows in which something of the person's was kept.
        n_not_listed: the number of rows that a person worked on and that are not listed any more; they come last.
    """

    rows: list[tuple[dict[str, str], str, list[str]]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    n_kept: int = 0
    n_not_listed: int = 0


def delimiter_of(output: str | Path, *, default: str) -> str:
    """What parts the cells of a table, by the name of its file: a tab (.tsv, .tab) or a comma (.csv).

    Raises:
        InputError: the name is that of something else than a table in plain text, such as .xlsx.

    >>> delimiter_of("new.csv.gz", default="x"), delimiter_of("-", default="x")
    (',', 'x')
    """
    extension = suffix_of(Path(output))
    if extension in _TABS:
        return "\t"
    if extension in _COMMAS:
        return ","
    if extension in _PLAIN:
        return default
    raise InputError(
        f"'{output}' is to be a table, which is written as plain text: end its name in .tsv (tabs between cells) or "
        ".csv (commas). Spreadsheet programs open both."
    )


def read_review(path: Path, columns: Iterable[str]) -> Table:
    """Read a table that has at least these columns. Tabs, commas or semicolons part its cells.

    Raises:
        InputError: it is no such table, or is not in UTF-8.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        has_mark = file.read(3) == b"\xef\xbb\xbf"
    delimiter, rows = tables.read_table(path)
    names = rows[0][1] if rows else []
    rows = [(line, row) for line, row in rows[1:] if any(row)]
    if missing := [name for name in columns if name not in names]:
        raise InputError(f"{path}: the columns {', '.join(missing)} are missing: keep those of kgmrca diff.")
    return Table(names, rows, delimiter, has_mark)


def carry_over(rows: Iterable[Cells], before: Table | None, columns: Sequence[str]) -> Review:
    """Put what a person wrote in a table into the rows of a new one.

    Kept are all cells of `accept`, of columns that the person added, and all edited cells. A row that the person worked
    on and that is not listed any more comes last, and its verdict says so. A row without checksums counts as worked on,
    and all its texts as edited, because it cannot be told what was.

    Args:
        rows: what is to be listed now, by column.
        before: the table as it was saved; None if there is none.
        columns: those of the new table, without the checksums.
    """
    if before is None:
        return Review([(dict(row), _checksums(row, columns), []) for row in rows])
    ours = [*columns, CHECKSUMS]
    review = Review(added=before.names_added(ours))
    unused: dict[tuple[str, ...], list[list[str]]] = {}
    for _, row in before.rows:
        unused.setdefault(_key(before.cells(row)), []).append(row)
    for cells in rows:
        found = unused.get(_key(cells))
        row = found.pop(0) if found else []
        old, added = before.cells(row), before.added(row, ours)
        edited = _edited(old, columns) if row else {}
        edited = {name: cell for name, cell in edited.items() if _plain(cell) != _plain(cells[name])}
        review.rows.append((dict(cells) | edited, _checksums(cells, columns), added))
        review.n_kept += bool(edited) or any(added)
    for _, row in before.rows:
        old, added = before.cells(row), before.added(row, ours)
        if not any(row is one for one in unused[_key(old)]):
            continue  # it is listed
        if _edited(old, columns) or any(added) or not _known_checksums(old, columns):
            review.rows.append(_not_listed(old, columns, added))
            review.n_not_listed += 1
    return review


def write_table(
    review: Review, out: IO[bytes], columns: Sequence[str], *, delimiter: str, has_mark: bool = False
) -> None:
    """Write rows in UTF-8, with nothing in them that a spreadsheet would run as a formula."""
    if has_mark:
        out.write(b"\xef\xbb\xbf")
    out.write(tables.table_line([*columns, CHECKSUMS, *review.added], delimiter=delimiter))
    for cells, checksums, added in review.rows:
        ours = [cells[name] for name in columns]
        out.write(tables.table_line([*ours, checksums, *added], delimiter=delimiter))


def fact_of(cells: Cells) -> tuple[str, ...]:
    """What says which fact a row is about, by `KEY`, however a spreadsheet writes a number.

    >>> fact_of({"subject_item": "Q90", "property_id": "P2044", "value": "28,50"})
    ('Q90', 'P2044', '28.5')
    """
    return tuple(_plain(cells.get(name, "")) for name in KEY)


def _key(cells: Cells) -> tuple[str, ...]:
    """What a row is found again by; the object too where the value has no form in which it could be exported."""
    fact = fact_of(cells)
    return fact if fact[-1] else (*fact, cells.get(_OBJECT, "").strip())


def _plain(cell: str) -> str:
    """A cell without spaces around it; a number with a decimal point and without zeros at its end."""
    text = cell.strip()
    return format(Decimal(text.replace(",", ".")).normalize(), "f") if _NUMBER.fullmatch(text) else text


def _edited(old: Cells, columns: Sequence[str]) -> dict[str, str]:
    """The cells of a row that a person wrote: an answer, and what has another checksum than when it was written."""
    answer = {_ACCEPT: old[_ACCEPT]} if old.get(_ACCEPT, "").strip() else {}
    known = _known_checksums(old, columns)
    if not known:
        return answer | {name: old[name] for name in _TEXTS if old.get(name)}
    # A spreadsheet that uses decimal commas saves 0.9 as 0,9, which is no edit.
    return answer | {
        name: old[name]
        for name in columns
        if name in old and known[name] not in (_checksum(old[name]), _checksum(_plain(old[name])))
    }


def _not_listed(old: Cells, columns: Sequence[str], added: list[str]) -> tuple[dict[str, str], str, list[str]]:
    """A row that is not listed any more."""
    verdict = old.get(_VERDICT, "")
    if not verdict.startswith(NOT_LISTED):
        verdict = f"{NOT_LISTED} (was: {verdict})" if verdict else NOT_LISTED
    known = _known_checksums(old, columns)
    if known:
        known[_VERDICT] = _checksum(verdict)
    return {name: old.get(name, "") for name in columns} | {_VERDICT: verdict}, " ".join(known.values()), added


def _known_checksums(old: Cells, columns: Sequence[str]) -> dict[str, str]:
    """The checksums of a row by column; empty if it has none."""
    known = old.get(CHECKSUMS, "").split()
    return dict(zip(columns, known, strict=True)) if len(known) == len(columns) else {}


def _checksums(cells: Cells, columns: Iterable[str]) -> str:
    return " ".join(_checksum(cells[name]) for name in columns)


def _checksum(cell: str) -> str:
    return f"{zlib.crc32(' '.join(cell.split()).encode('utf-8', 'surrogatepass')) & 0xFFFFFF:06x}"
