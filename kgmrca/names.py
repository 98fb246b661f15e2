"""When two names are one, and how else a name may be written.

`plain_name` is the one place that knows what typesetting, word processors and web pages do to names. Entities are told
apart by it (see `normal_name`).
"""

import re
import unicodedata

__all__ = ["normal_name", "plain_name"]

ALIKE = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʹʻʼʽ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
        "…": "...",
    }
)
"""Characters that readers take for one of ASCII."""

_INVISIBLE = frozenset({"Cc", "Cf"})  # soft hyphens, zero-width spaces and joiners, marks of direction
_VARIATION = re.compile("[\ufe00-\ufe0f]")  # how an emoji is drawn
_WIDE = re.compile("[\ufb00-\ufb06\uff01-\uffef]+")  # ligatures (ﬁ), full-width and half-width letters
_DASHED = re.compile("^[—―]+|[—―]+$")
_AND = re.compile(r"(?<=\S) & (?=\S)")
_BEFORE = re.compile(r"^(?:[,; ]+|[•·*|-]+ )+")
_AFTER = re.compile(r"(?:[,;: ]+| [•·*|-]+|\.\.\.+|\[\.\.\.\])+$")
_PAIRS = {'"': '"', "'": "'", "(": ")", "[": "]", "{": "}"}


def plain_name(name: str) -> str:
    """A name as one writes it on a plain keyboard, in its own case and with its own accents.

    Quotes, apostrophes, dashes and white space of any kind become those of ASCII. Invisible characters go, letters are
    composed (NFC), and ligatures and wide letters become usual ones. "&" between words becomes "and". What stands
    around the name goes: quotes, brackets, bullets, commas, "…". A full stop stays ("Apple Inc."). Of what is no name,
    such as "…", all is kept.

    >>> plain_name("“Liam O’Dael”,"), plain_name("So\\u00adfia  Lind …"), plain_name("Marks &amp; Spencer")
    ("Liam O'Dael", 'Sofia Lind', 'Marks and Spencer')
    """
    if not (name.isascii() and name.isprintable()):
        name = _readable(name)
    name = " ".join(name.replace("&amp;", "&").split())
    bare = _AND.sub(" and ", _bare(name))
    return bare if any(map(str.isalnum, bare)) else name


def normal_name(name: str) -> str:
    """The form of a name that is the same whatever its case and its typography (see `plain_name`).

    >>> normal_name("Marie  CURIE,")
    'marie curie'
    """
    return plain_name(name).casefold()


def _readable(name: str) -> str:
    """A name in visible characters, and where one is like another, in that of ASCII."""
    words = " ".join(_VARIATION.sub("", name).split())
    shown = "".join(letter for letter in words if unicodedata.category(letter) not in _INVISIBLE)
    usual = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), shown)
    return unicodedata.normalize("NFC", _DASHED.sub("", usual.strip())).translate(ALIKE)


def _bare(name: str) -> str:
    """A name without what stands around it."""
    before = ""
    while name != before:
        before = name
        name = _AFTER.sub("", _BEFORE.sub("", name))
        inner = name[1:-1]
        if inner and _PAIRS.get(name[0]) == name[-1] and not {name[0], name[-1]} & set(inner):
            name = inner
    return name
