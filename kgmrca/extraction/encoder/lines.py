"""Where the end of a line ends what is said, and where it only wraps a sentence. No spaCy and no torch in here.

A line of prose ends where the next word would have been too long for it. The lines of headlines, lists, addresses and
tables end where they have said everything. A reader of plain words does not see the difference, so it is told here.
"""

import re
from itertools import pairwise

__all__ = ["closed_lines", "quote_marks"]

_LINE = re.compile(r"[^\r\n\v\f\x85\u2028\u2029]*(\r\n|[\r\n\v\f\x85\u2028\u2029]|$)")
_QUOTE = re.compile(r"(?:^|(?<=[\r\n]))[^\S\r\n]*>(?:[^\S\r\n]*>)*", re.MULTILINE)
_BULLET = re.compile(r"([-*•◦▪‣·–—#]+|\(?\d{1,2}[.)]|\(?[A-Za-z]\))\s+\S")
_STOP = re.compile(r"""[.!?…。:;]["'”’»)\]}]*$""")  # after these words nothing has to be closed
_INNER_STOP = re.compile(r"""\w{2}[.!?…]["'”’»)\]}]*(\s+["'“‘«(\[]*[A-Z]|\s*$)""")
_GOES_ON = re.compile(
    r"""(?x)(
    [,&/(\[{=+-] | [–—] | ^[-*•] |
    (?<!\w)(?i:a|an|the|of|in|on|at|to|by|for|from|with|as|and|or|but|nor|that|which|who|whose|than|into|between|under
    |over|near|since|during|after|before|until|via|was|were|is|are|be|been|has|had|his|her|its|their|he|she|it|they
    |this|these|where|when|while|not|mr|mrs|ms|dr|st|prof)\.?
    )$"""
)
_SLACK = 0.75
"""A line of prose that would still be so short with the next word, as a share of the longest line, was ended there."""

_NARROW = 20
"""If no line is longer, lengths say nothing."""


def closed_lines(text: str) -> list[int]:
    """Where lines end that say something whole without a sign for it: the places of their line breaks in the text.

    >>> closed_lines("Fire in Lyon\\nKlemm leaves Siemens\\nBrand opens office")
    [12, 33]
    >>> closed_lines("She was born in Lyon. Later Otto\\nKlemm met her in Paris.")
    []
    """
    lines = [
        (found.start(), found.start(1), line)
        for found in _LINE.finditer(text)
        if (line := " ".join(_QUOTE.sub("", text[found.start() : found.start(1)]).split()))
    ]
    gaps = [text.count("\n", end, start) > 1 for (_, end, _), (start, _, _) in pairwise(lines)]
    if all(gaps) and any(line[0].islower() for _, _, line in lines):  # wrapped, with an empty line behind each line
        gaps = [False] * len(gaps)
    closed: list[int] = []
    first = 0
    for number, gap in enumerate([*gaps, True], start=1):
        if gap:
            block = [line for _, _, line in lines[first:number]]
            closed += [lines[first + place][1] for place in _closed(block)]
            if number < len(lines) and _may_close(block[-1], lines[number][2], is_listed=False):
                closed.append(lines[number - 1][1])
            first = number
    return closed


def quote_marks(text: str) -> list[int]:
    """Where each ">" stands that begins a line, as in a mail that is answered.

    >>> quote_marks("> > Ann Lee\\n> sang > 3.")
    [0, 2, 12]
    """
    return [
        found.start() + at for found in _QUOTE.finditer(text) for at, letter in enumerate(found[0]) if letter == ">"
    ]


def _closed(block: list[str]) -> list[int]:
    """Which lines of a block without empty lines are closed; the last one is not asked about."""
    if len(block) < 2:
        return []
    longest = max(map(len, block))
    is_listed = sum(bool(_BULLET.match(line)) for line in block) > 1
    is_prose = any(line[0].islower() for line in block) or any(map(_INNER_STOP.search, block))
    found = []
    for place, (line, following) in enumerate(pairwise(block)):
        with_next = len(line) + 1 + len(following.split(" ", 1)[0])
        is_short = longest > _NARROW and with_next <= _SLACK * longest
        is_item = is_listed and _BULLET.match(following)
        if _may_close(line, following, is_listed=is_listed) and (not is_prose or is_short or is_item):
            found.append(place)
    return found


def _may_close(line: str, following: str, *, is_listed: bool) -> bool:
    """Whether nothing speaks against it that this line is closed and the following starts something new.

    Args:
        line, following: the two lines.
        is_listed: whether what looks like the sign of an item is one.
    """
    if _STOP.search(line):
        return False
    return (is_listed and bool(_BULLET.match(following))) or not (following[0].islower() or _GOES_ON.search(line))
