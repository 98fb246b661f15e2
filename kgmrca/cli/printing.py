"""Rows of text as columns that stand straight on a terminal, whatever the script."""

import unicodedata
from collections.abc import Sequence

__all__ = ["columns", "width"]


def width(text: str) -> int:
    """How many cells of a terminal a text takes: East Asian characters and emoji two, combining marks none.

    >>> width("東京"), width("Zürich"), width("Zu\\u0308rich")
    (4, 6, 6)
    """
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def columns(rows: Sequence[Sequence[str]], *, gap: str = "  ") -> str:
    """Put rows of equal length under one another, each column as wide as its widest cell.

    >>> print(columns([("city", "country"), ("東京", "Japan")]))
    city  country
    東京  Japan
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = (
        gap.join(cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)) for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
