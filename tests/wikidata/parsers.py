"""The commands of QuickStatements as its two versions read them, for tests.

Written after the published parsers: version 2 is `importDataFromV1` and `parseValueV1` in `quickstatements.php` of
magnusmanske/quickstatements, version 3 `parsers/v1.py` and `parsers/base.py` of WikiMovimentoBrasil/quickstatements3.
Only what adds claims is here. A value is a tuple of its kind and its parts.
"""

import re
from decimal import Decimal
from typing import NamedTuple

JULIAN, GREGORIAN = "Q1985786", "Q1985727"

NUMBER = r"[+-]?\d+(?:\.\d+)?"


class Command(NamedTuple):
    """A claim that is added, with its qualifiers and references by property."""

    item: str
    property: str
    value: tuple
    qualifiers: list
    references: list


def read_2(text):
    """What version 2 makes of a batch."""
    if "\n" not in text:
        text = text.replace("||", "\n")
    if "\t" not in text:
        text = text.replace("|", "\t")
    return [_command(line, _value_2) for line in text.split("\n") if line.strip(" \t\r\0\x0b")]


def read_3(text):
    """What version 3 makes of a batch."""
    text = text.replace("||", "\n").replace("|", "\t")
    return [_command(line, _value_3) for line in text.split("\n") if line.strip()]


def _command(line, value_of):
    # A comment at the end is the summary of the edit.
    if commented := re.match(r"^(.*?) */\* *(.*?) *\*/ *$", line.strip()):
        line = commented[1]
    cells = [cell.strip() for cell in line.strip().split("\t")]
    cells = [cell for cell in cells if cell]
    item, name, value, *more = cells
    assert re.fullmatch(r"[QP]\d+", item), cells
    assert re.fullmatch(r"P\d+", name), cells
    assert len(more) % 2 == 0, cells
    command = Command(item, name, value_of(value), [], [])
    for key, one in zip(more[::2], more[1::2], strict=True):
        assert re.fullmatch(r"[SP]\d+", key), cells
        (command.references if key[0] == "S" else command.qualifiers).append(("P" + key[1:], value_of(one)))
    return command


def _value_2(cell):
    if re.fullmatch(r"[PQLM]\d+", cell):
        return ("item", cell)
    if match := re.fullmatch(r'"(.*)"', cell):
        return ("text", match[1].strip(" \t\n\r\0\x0b"))
    if match := re.fullmatch(r'([a-z_-]+):"(.*)"', cell, re.IGNORECASE):
        return ("monolingual", match[1], match[2].strip(" \t\n\r\0\x0b"))
    return _time(cell) or _place(cell) or _quantity(cell)


def _value_3(cell):
    cell = cell.strip().replace("“", '"').replace("”", '"')
    if re.fullmatch(r"[QMPL]\d+", cell):
        return ("item", cell)
    if match := re.fullmatch(r'"""(.*)"""', cell):
        return ("text", match[1])
    if match := re.fullmatch(r'([a-z_-]+):"(.*)"', cell):
        return ("monolingual", match[1], match[2].strip())
    if match := re.fullmatch(r'"(.*)"', cell):
        return ("text", match[1].strip())
    return _time(cell) or _place(cell) or _quantity(cell)


def _time(cell):
    match = re.fullmatch(r"([+-]?\d+-\d\d-\d\dT\d\d:\d\d:\d\dZ)/?(\d*)(/J)?", cell, re.ASCII)
    return match and ("time", match[1], int(match[2] or 9), JULIAN if match[3] else GREGORIAN)


def _place(cell):
    match = re.fullmatch(r"@\s*([+-]?[0-9.]+)\s*/\s*([+-]?[0-9.]+)", cell, re.ASCII)
    return match and ("place", Decimal(match[1]), Decimal(match[2]))


def _quantity(cell):
    match = re.fullmatch(rf"({NUMBER})(?:U(\d+))?", cell, re.ASCII)
    return match and ("quantity", Decimal(match[1]), f"Q{match[2]}" if match[2] else "")
