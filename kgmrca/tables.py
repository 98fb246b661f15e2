"""Tables as CSV and TSV, in UTF-8: no spreadsheet runs a cell as a formula, and each cell is read back as it was.

A spreadsheet runs a cell that begins with =, +, - or @, also behind spaces or quotes, and some drop a leading tab or
line break. Such a cell gets an apostrophe before it, which is taken off again where the table is read. Numbers stay as
they are: "-4.2" is no formula.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from kgmrca.errors import InputError
from kgmrca.reading import unpacked

__all__ = ["guarded", "plain_line", "read_table", "table_line", "text_lines", "unguarded"]

_LEAD = re.compile("[\\s\"'\ufeff\u200b]*")
_BREAKS = re.compile("[\t\r\n]")
# With their full-width forms, which some spreadsheets take for the same.
_FORMULA = re.compile("[=+@\uff1d\uff0b\uff0d\uff20-]")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?", re.ASCII)
_LINE = re.compile("[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs: one that could be a formula gets an apostrophe before it.

    >>> guarded("=1+1"), guarded(' "@SUM(A1)'), guarded("-4.2"), guarded("Q90")
    ("'=1+1", '\\' "@SUM(A1)', '-4.2', 'Q90')
    """
    return f"'{cell}" if _is_formula(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that `guarded` was given.

    >>> unguarded("'=1+1"), unguarded("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def table_line(cells: Iterable[object], *, delimiter: str = ",") -> bytes:
    """A row as a line of a table, with nothing in it that a spreadsheet would run.

    >>> table_line(["Q90", 0.5, "=1+1", "a, b"]).decode()
    'Q90,0.5,\\'=1+1,"a, b"\\n'
    """
    return plain_line((guarded(str(cell)) for cell in cells), delimiter=delimiter)


def plain_line(cells: Iterable[object], *, delimiter: str = ",") -> bytes:
    """A row as a line of a table that is read by a program, and by that program only: cells stay as they are."""
    # `csv.writer` leaves a carriage return as it is, which `csv.reader` takes for the end of the line.
    special = {delimiter, '"', "\n", "\r"}
    texts = map(str, cells)
    quoted = (text if special.isdisjoint(text) else '"' + text.replace('"', '""') + '"' for text in texts)
    return (delimiter.join(quoted) + "\n").encode("utf-8")


def read_table(path: Path) -> tuple[str, list[tuple[int, list[str]]]]:
    """What stands between the cells of a table (a tab, a comma or a semicolon), and its rows as they were given.

    Each row has the number of the line in which it ends. The names of the columns come first.

    Args:
        path: the file, compressed by gzip or not.

    Raises:
        InputError: the file is not in UTF-8, or is no table; it says in which line.
        OSError: it cannot be read.
    """
    lines = list(text_lines(path))
    delimiter = next((sign for sign in "\t,;" if lines and sign in lines[0]), "\t")
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        return delimiter, [(reader.line_num, list(map(unguarded, row))) for row in reader]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: this is no table: {error}.") from error


def text_lines(path: Path) -> Iterator[str]:
    """The lines of a text file in UTF-8, with their ends; compressed by gzip or not, without a byte-order mark.

    Raises:
        InputError: the file is not in UTF-8, or its compressed data are damaged; it says where.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        try:
            with unpacked(file) as content:
                for number, line in enumerate(content, 1):
                    yield from _LINE.findall(_decoded(line, path, number))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path}: the compressed data are damaged or cut: {error}.") from error


def _decoded(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}, line {number}: this is no table in UTF-8: byte {error.start + 1} of the line is "
            f"0x{line[error.start]:02x}. Save it as CSV or tab-separated text in UTF-8; Excel calls that 'CSV UTF-8'. "
            "A workbook (.xlsx, .ods) cannot be read."
        ) from error


def _is_formula(cell: str) -> bool:
    lead = _LEAD.match(cell)
    start = lead.end() if lead else 0
    if _BREAKS.search(cell, 0, start):
        return True
    return bool(_FORMULA.match(cell, start)) and not _NUMBER.fullmatch(cell, start)
