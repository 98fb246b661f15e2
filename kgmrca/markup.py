"""Text that people see in drawings, pages and tables: how wide it is, and the only ways by which it gets there."""

import html
import json
import re
import unicodedata
from typing import Any

__all__ = ["escape", "json_in_html", "one_line", "printable", "shortened", "text_width"]

# Widths of the characters from " " to "~" in Helvetica and Arial, in thousandths of the font's size.
_ASCII = dict(
    zip(
        map(chr, range(32, 127)),
        [
            *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
            *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
            *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
            *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
            *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
            *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
        ],
        strict=True,
    )
)
_OTHER_WIDTH = 600
# What ends a script or begins a comment in HTML, what ends a line in older JavaScript, and what no document can hold.
_UNSAFE = re.compile("[<>&\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# What turns the order of the characters behind it around, also of those that are no part of the text.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def text_width(text: str, size: float) -> float:
    """The width of a text, as most fonts without serifs have it, in the unit of the font's size."""
    total, joined = 0, False
    for character in text:
        kind = unicodedata.category(character)
        if not (joined or kind in ("Mn", "Me", "Cf", "Cc") or 0x1F3FB <= ord(character) <= 0x1F3FF):
            is_wide = unicodedata.east_asian_width(character) in "WF"
            total += 1000 if is_wide else _ASCII.get(character, _OTHER_WIDTH)
        joined = character == "\u200d"  # what follows a joiner is drawn as one with what is before it
    return max(total, 200) * size / 1000


def shortened(text: str, longest: int) -> str:
    """A text of so many characters at most; "…" stands for what is left out."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(text: str) -> str:
    """A text without line breaks, without what a terminal takes for commands, and without what reorders its neighbours.

    >>> one_line("Marie\\n  Curie\\x1b[2J \\u202e")
    'Marie Curie[2J'
    """
    plain = " ".join(_REORDERING.sub("", text).split())
    return "".join(character for character in plain if unicodedata.category(character) != "Cc")


def printable(text: str) -> str:
    """A text without what no document can hold: control characters, halves of characters, non-characters.

    >>> printable("a\\x00b")
    'a\ufffdb'
    """
    return "".join("\ufffd" if _is_forbidden(character) else character for character in text)


def _is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE


def escape(text: str) -> str:
    """A text as SVG and HTML may hold it, also between quotes.

    >>> escape("<b> & \\"c\\"")
    '&lt;b&gt; &amp; &quot;c&quot;'
    """
    return html.escape(printable(str(text)))


def json_in_html(data: Any) -> str:
    """Data as JSON that may stand in a script element of a page, whatever texts are in it.

    >>> json_in_html({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
