"""When two names are one, and how else a name may be written.

`plain_name` is the one place that knows what typesetting, word processors and web pages do to names. Entities are told
apart by it (`normal_name`), and names are looked up by it (`spellings`).
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, product
from pathlib import Path

__all__ = ["is_picture", "is_pronoun", "normal_name", "plain_name", "shown_name", "spellings", "without_accents"]

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
_AFTER = re.compile(r"(?:[,;: ]+| [•·*|-]+|\.\.\.+|\[\.\.\.\]|\(\.\.\.\))+$")
_NOTE = re.compile(r"(?<=\w)(?:\[\d{1,3}\])+$", re.ASCII)  # the number of a footnote
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{2,5}|#x[\da-f]{2,5});", re.ASCII | re.IGNORECASE)
_GENITIVE = re.compile("(?<=[^\\W_])'s?$", re.IGNORECASE)
_ARTICLE = re.compile(r"^the (?=\S)", re.IGNORECASE)
_SIGNS = re.compile("^[@#*]+(?=[^\\W_])|(?<=[^\\W_])[*†‡¹²³]+$")
_TITLE = re.compile(r"^(?:Dr|Prof|Mr|Mrs|Ms)\.? (?=\S+ \S)")  # a family name alone would be anybody's
_FAMILY_FIRST = re.compile(r"([^\W\d_][^\s,]+), ([^\W\d_][^\s,]+(?: [^\s,]+)?)")
_IRISH = re.compile(r"\bO(?=[A-Z][a-z]{2})")
_PARTICLE = re.compile(
    r"(?<=[ -])(?:a[fltnv]?|and|d[aeiou]|das|de[ilnrs]|dell[ao]|die|dos|e[dlnt]?|for|in?|l[aeo]s?|o[fnr]|por|t[eo]|"
    r"te[nr]|the|und|v[ao]n|vom|y|zu[mr]?)(?=[ -])",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[IVX]{2,}|\S*\d\S*")
_PART = re.compile(r"(?:^|(?<=['-]))([^\W\d_]+)")
_ELIDED = re.compile(r"(?<=[ -])[DL](?=')")
_MAC = re.compile(r"\b(Ma?c)([a-z]{3,})")
_BASES = str.maketrans(dict(zip("øłđıħŧØŁĐĦŦ", "oldihtOLDHT", strict=True)))
_BASES |= str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_BASES |= str.maketrans({"Æ": "Ae", "Œ": "Oe", "Þ": "Th", "Ð": "D"})
# What some write for letters that ASCII does not have.
_TRANSCRIBED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
)
_DIGRAPH = re.compile("([aouAOU]e|[aA]a)")
_UMLAUTS = {"ae": "ä", "oe": "ö", "ue": "ü", "Ae": "Ä", "Oe": "Ö", "Ue": "Ü"}
_NORDIC = {"ae": "æ", "oe": "ø", "aa": "å", "Ae": "Æ", "Oe": "Ø", "Aa": "Å"}
_LETTERS = re.compile(r"([^\W\d_]+)")
_MOST_WORDS = 3  # with accents that are one word without
_MOST_ACCENTED = 3  # words of a name that may have accents
_MOST = 32
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_TIGHT_AND = re.compile(r"(?<=[^\W\d_]{3})&(?=[^\W\d_]{3})")  # not "AT&T"
_PAIRS = {'"': '"', "'": "'", "(": ")", "[": "]", "{": "}"}


_QUOTED = re.compile(r"(?:^|[\r\n])\s*(?:>\s*)+")  # before the lines of a mail that is answered
_JOINERS = frozenset("\u200c\u200d")
_PRONOUNS = frozenset(
    {"i", "me", "my", "mine", "myself", "you", "your", "yours", "yourself", "yourselves", "we", "us", "our", "ours"}
    | {"he", "him", "his", "himself", "she", "her", "hers", "herself", "it", "its", "itself", "ourselves"}
    | {"they", "them", "their", "theirs", "themselves", "who", "whom", "whose", "which", "that", "this", "these"}
    | {"those", "one", "oneself", "whoever", "someone", "everyone", "nobody", "anyone"}
)


def is_pronoun(text: str) -> bool:
    """Whether words are but a pronoun, which names nobody; "US" and "IT" are names.

    >>> is_pronoun("She"), is_pronoun("IT"), is_pronoun("Her Majesty")
    (True, False, False)
    """
    word = shown_name(text)
    return word.casefold() in _PRONOUNS and (len(word) == 1 or not word.isupper())


def shown_name(text: str) -> str:
    """The name that stands in a stretch of text, as it is shown: in one line, and nothing in it that is not seen.

    Soft hyphens, zero-width characters, byte order marks and marks of direction go, and so do the signs before the
    lines of a mail that is quoted, and emoji around the name. All else is as in the text. Joiners stay between letters
    of scripts that need them.

    >>> shown_name("So\\xadfia\\n> Lind\\u200b 🎉"), shown_name("O’Brun")
    ('Sofia Lind', 'O’Brun')
    """
    if text.isascii() and text.isprintable() and ">" not in text:
        return " ".join(text.split())
    before, name = "", "".join(_seen(text))
    while name != before:
        before = name
        words = _QUOTED.sub(" ", name).split()
        while len(words) > 1 and is_picture(words[0]):
            words = words[1:]
        while len(words) > 1 and is_picture(words[-1]):
            words.pop()
        name = " ".join(words)
    return name if any(map(str.isalnum, name)) else " ".join(text.split())


def _seen(text: str) -> Iterator[str]:
    """The characters that one sees, and white space."""
    for number, letter in enumerate(text):
        if letter.isspace() or unicodedata.category(letter) not in _INVISIBLE:
            yield letter
        elif letter in _JOINERS and 0 < number < len(text) - 1:
            before, behind = text[number - 1], text[number + 1]
            if before.isalpha() and behind.isalpha() and min(before, behind) > "\u0590":
                yield letter


def is_picture(word: str) -> bool:
    """Whether a word is of emoji, flags and the like only.

    >>> is_picture("🇫🇷"), is_picture("C++"), is_picture("$")
    (True, False, False)
    """
    return not word.isascii() and all(unicodedata.category(letter) in ("So", "Sk", "Mn", "Cf") for letter in word)


def plain_name(name: str) -> str:
    """A name as one writes it on a plain keyboard, in its own case and with its own accents.

    Quotes, apostrophes, dashes and white space of any kind become those of ASCII. Invisible characters go, letters are
    composed (NFC), and ligatures and wide letters become usual ones. Entities of HTML become what they stand for. "&"
    between words becomes "and". What stands around the name goes: quotes, brackets, bullets, commas, "…", the number
    of a footnote. A full stop stays ("Apple Inc."). Of what is no name, such as "…", all is kept.

    >>> plain_name("“Liam O’Dael”,"), plain_name("So\\u00adfia  Lind …"), plain_name("Marks &amp; Spencer")
    ("Liam O'Dael", 'Sofia Lind', 'Marks and Spencer')
    """
    name = _unescaped(name)
    if not (name.isascii() and name.isprintable()) or "`" in name:
        name = _readable(name)
    name = " ".join(name.split())
    bare = _AND.sub(" and ", _bare(name))
    return bare if any(map(str.isalnum, bare)) else name


def normal_name(name: str) -> str:
    """The form of a name that is the same whatever its case and its typography (see `plain_name`).

    >>> normal_name("Marie  CURIE,")
    'marie curie'
    """
    return plain_name(name).casefold()


def spellings(name: str) -> tuple[str, ...]:
    """The forms in which to look a name up: as it is, plain, and then as others write it, 32 at most.

    Others leave out an article, a title, a genitive or a final full stop, put the family name last, do not write in
    capitals, have typographic apostrophes and dashes or spaces for these, "&" for "and", letters without accents, the
    letters that "ae", "oe", "ue", "aa" and "ss" may stand for, or accents that the name lacks. Which words may have
    some is known from lists of names.

    >>> spellings("Aube–Lind, ")
    ('Aube–Lind,', 'Aube-Lind', 'Aube–Lind', 'Aube Lind')
    >>> spellings("the NETHERLANDS")
    ('the NETHERLANDS', 'NETHERLANDS', 'the Netherlands', 'Netherlands')
    """
    forms = dict.fromkeys(map(plain_name, (name, _spaced(name))))
    for ways in (_shorter, _in_usual_case, _with_other_signs):
        forms |= dict.fromkeys(other for form in list(forms) for other in ways(form))
    accented = dict.fromkeys(chain(forms, chain.from_iterable(map(_accented, forms))))
    in_ascii = chain.from_iterable(map(_in_ascii, forms))
    from_ascii = chain.from_iterable(map(_from_ascii, accented))
    as_it_is = unicodedata.normalize("NFC", " ".join(name.split()))
    return tuple(filter(None, dict.fromkeys((as_it_is, *forms, *in_ascii, *accented, *from_ascii))))[:_MOST]


def without_accents(name: str) -> str:
    """A name in letters of ASCII, as far as it is in Latin ones.

    >>> without_accents("Søren Łukasz Groß")
    'Soren Lukasz Gross'
    """
    letters = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_BASES)


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
        name = _without_half(_NOTE.sub("", name))
        inner = name[1:-1]
        if inner and _PAIRS.get(name[0]) == name[-1] and not {name[0], name[-1]} & set(inner):
            name = inner
    return name


def _without_half(name: str) -> str:
    """A name without a bracket at either end whose other half is not in the name.

    >>> _without_half("Ilo Brun)"), _without_half("(Ilo Brun"), _without_half("Ilo (Brun)")
    ('Ilo Brun', 'Ilo Brun', 'Ilo (Brun)')
    """
    for opening, closing in _BRACKETS:
        surplus = name.count(opening) - name.count(closing)
        if surplus > 0:
            name = name[1:] if name.startswith(opening) else name.removesuffix(opening)
        elif surplus < 0:
            name = name[:-1] if name.endswith(closing) else name.removeprefix(closing)
    return name.strip()


def _unescaped(name: str) -> str:
    """A name without entities of HTML, such as "&amp;" and "&#39;", which bad conversions leave."""
    before = ""
    while name != before:
        before = name
        read = _ENTITY.sub(lambda found: html.unescape(found[0]), name)
        name = read if any(map(str.isalnum, read)) else name
    return name


def _spaced(name: str) -> str:
    """A name with spaces for its invisible characters, which may have been its only spaces."""
    return "".join(" " if unicodedata.category(letter) in _INVISIBLE else letter for letter in name)


def _shorter(name: str) -> Iterator[str]:
    yield name.removesuffix(".")
    yield _TITLE.sub("", _SIGNS.sub("", name))
    yield _ARTICLE.sub("", _GENITIVE.sub("", name))


def _in_usual_case(name: str) -> Iterator[str]:
    """A name of which words are in capitals, or all in small letters, as it may be written otherwise."""
    words = name.split()
    if name.islower():
        yield _PARTICLE.sub(lambda found: found[0].lower(), _capitalized(words))
    elif any(len(word) > 3 and word.isupper() for word in words):
        usual = " ".join(
            _capitalized([word]) if word.isupper() and not _NUMBER.fullmatch(word) else word for word in words
        )
        title = _PARTICLE.sub(lambda found: found[0].lower(), usual)
        yield title
        yield usual
        yield _ELIDED.sub(lambda found: found[0].lower(), title)
        yield _MAC.sub(lambda found: found[1] + found[2].capitalize(), title)
        # "BBC News"
        yield " ".join(word.upper() if len(word) < 4 and word[0].isupper() else word for word in title.split())


def _capitalized(words: Iterable[str]) -> str:
    """Words with a capital in each of their parts; a genitive and such ("T") stay small."""

    def capital(part: re.Match[str]) -> str:
        return part[0].lower() if part.start() and len(part[0]) == 1 else part[0].capitalize()

    return " ".join(_PART.sub(capital, word) for word in words)


def _with_other_signs(name: str) -> Iterator[str]:
    if "'" in name:
        yield name.replace("'", "’")
        yield name.replace("'", "ʻ")
    if "-" in name:
        yield name.replace("-", "–")
        yield " ".join(name.replace("-", " ").split())
    for sign in (" and ", " + "):
        if sign in name:
            yield name.replace(sign, " & ")
            yield name.replace(sign, " and ")
    if family_first := _FAMILY_FIRST.fullmatch(name):
        yield f"{family_first[2]} {family_first[1]}"
    yield _IRISH.sub("O'", name)
    if "_" in name:
        yield " ".join(name.replace("_", " ").split())
    if (apart := _TIGHT_AND.sub(" & ", name)) != name:
        yield apart
        yield apart.replace(" & ", " and ")


def _in_ascii(name: str) -> Iterator[str]:
    if not name.isascii():
        yield without_accents(name)
        yield name.translate(_TRANSCRIBED)


def _from_ascii(name: str) -> Iterator[str]:
    """A name with the letters that pairs of letters may stand for."""
    yield name.replace("ss", "ß")
    for letter_of in (_UMLAUTS, _NORDIC) if name.isascii() else ():
        yield "".join(letter_of.get(part, part) for part in _DIGRAPH.split(name))


def _accented(name: str) -> Iterator[str]:
    """A name with the accents that its words have in lists of names."""
    known = _accented_words()
    parts = _LETTERS.split(name)
    choices = [(*known.get(part, ()), part) for part in parts]
    if sum(len(words) > 1 for words in choices) <= _MOST_ACCENTED:
        yield from map("".join, product(*choices))


@lru_cache(maxsize=1)
def _accented_words() -> Mapping[str, tuple[str, ...]]:
    """Words of names with accents, by what they are without them."""
    text = Path(__file__).with_name("accented_words.txt").read_text(encoding="utf-8")
    words: dict[str, tuple[str, ...]] = {}
    for word in text.splitlines():
        if not word.startswith("#"):
            plain = without_accents(word)
            words[plain] = (*words.get(plain, ()), word)[:_MOST_WORDS]
    return words
