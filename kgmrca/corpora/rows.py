"""The rows of CSV and TSV, also where some of them are broken."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import IO

from kgmrca.corpora.lines import lines_of, too_long

__all__ = ["rows_of"]


class _TooLongError(ValueError):
    """A row grows beyond its limit."""


def rows_of(stream: IO[bytes], longest: int, delimiter: str | None = None) -> Iterator[list[str] | str]:
    r"""The cells of each row that is not empty, or why it cannot be used.

    Where a quote is not closed, it is closed by one that opens another cell, by the end of the file, or it grows beyond
    the limit. Then its row is given up, and reading goes on with the line after that of the quote, so that no other row
    is lost. What is no UTF-8 is given as half surrogate pairs.

    Args:
        stream: the table.
        longest: how many bytes a row may have.
        delimiter: what parts the cells. None: what is most often in the first line, of comma, semicolon, tab and bar.

    >>> import io
    >>> table = b'id,text\n1,"One.\n2,"Two."\n3,"Three\nand four."\n'
    >>> [row if isinstance(row, list) else "-" for row in rows_of(io.BytesIO(table), 100)]
    [['id', 'text'], '-', ['2', 'Two.'], ['3', 'Three\nand four.']]
    """
    lines = _Lines(stream, longest)
    first = lines.first()
    delimiter = delimiter or max(",;\t|", key=first.count)
    before = csv.field_size_limit()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin_row()
        csv.field_size_limit(longest)  # it is the process's, so it holds only while a row is read
        try:
            row = next(reader, None)
        except (csv.Error, _TooLongError) as error:
            yield _reason(error, lines, delimiter, longest)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        if row:
            yield row


class _Lines:
    """Gives a reader its lines, and takes back those that it should not have read."""

    def __init__(self, stream: IO[bytes], longest: int) -> None:
        self._lines = lines_of(stream, longest)
        self._longest = longest
        self._waiting: deque[str | None] = deque()
        self._size = 0
        self.of_row: list[str] = []
        self.number = 0  # of the line that was read last

    def first(self) -> str:
        """The first line, which is still to be read."""
        line = self._read()
        self._waiting.append(line if line is None else line.removeprefix("\ufeff"))
        return line or ""

    def begin_row(self) -> None:
        self.of_row.clear()
        self._size = 0

    def go_back(self, kept: int) -> None:
        """Take back all lines of the row but the first ones."""
        self._waiting.extendleft(reversed(self.of_row[kept:]))
        self.number -= len(self.of_row) - kept

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._read()
        if line == "":
            raise StopIteration
        if line is not None and self._size + len(line.rstrip("\r\n")) <= self._longest:
            self.number += 1
            self.of_row.append(line)
            self._size += len(line)
            return line
        if self.of_row:
            self._waiting.appendleft(line)  # it may be good by itself
        else:
            self.number += 1
        raise _TooLongError

    def _read(self) -> str | None:
        """The next line; None if it is too long, and nothing at the end."""
        line = next(self._lines, None)
        if line is None:
            return ""
        return None if line.left_out else line.data.decode("utf-8", "surrogateescape")


def _reason(error: Exception, lines: _Lines, delimiter: str, longest: int) -> str:
    """Why a row is given up. The lines after that of its open quote are to be read again."""
    of_row = lines.of_row
    if not of_row:
        return f"line {lines.number}: {too_long(longest)}"
    first = lines.number - len(of_row) + 1
    opened = _open_quote(of_row, delimiter)
    lines.go_back(opened + 1)
    if isinstance(error, _TooLongError):
        reason = f"the quote that opens here is not closed, or {too_long(longest)}"
    elif "unexpected end" in str(error):
        reason = "the quote that opens here is not closed"
    elif "expected after" in str(error):
        reason = "the quote that opens here is not closed, or more than a delimiter follows its end"
    else:
        reason = f"it cannot be read: {error}"
    return f"line {first + opened}: {reason}"


def _open_quote(lines: list[str], delimiter: str) -> int:
    """The number, from 0, of the line with the quote that is not closed as it should be; 0 if there is none."""
    text, place = "".join(lines), 0
    part = re.escape(delimiter)
    quoted = re.compile(rf'"[^"]*(?:""[^"]*)*"(?={part}|[\r\n]|\Z)')
    end = re.compile(rf"{part}|\r\n?|\n|\Z")
    while place < len(text):
        start = place
        if text[place] == '"':
            found = quoted.match(text, place)
            if not found:
                break
            place = found.end()
        found = end.search(text, place)
        place = max(found.end() if found else len(text), start + 1)
    for number, line in enumerate(lines):
        if place < len(line):
            return number
        place -= len(line)
    return 0
