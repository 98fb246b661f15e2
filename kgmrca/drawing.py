"""Draw the relations of a Doc, as displaCy draws dependencies: a text with its entities, arcs from subject to object.

Mentions of one entity have its number under them, where it is not clear from their words which are one.

The drawing is one SVG a Doc, with no script and no style sheet, so that a notebook shows it as it is. Widths of words
are estimated and then prescribed (`textLength`), so that nothing overlaps, whatever fonts there are. All coordinates
are computed as if the text ran from left to right. At the end, those of lines that run from right to left are mirrored.
"""

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc, Span, Token
from spacy.util import is_in_jupyter

from kgmrca.entities import get_entities
from kgmrca.errors import DependencyError, InputError
from kgmrca.markup import escape, one_line, printable, shortened, text_width
from kgmrca.names import normal_name
from kgmrca.relations import get_relations
from kgmrca.types import coarse_type

__all__ = ["render"]

_FONT, _SMALL = 16.0, 11.0  # sizes of the text, and of labels
_SPACE, _PAD, _MARGIN = 5.0, 4.0, 12.0
_ROW = 15.0  # height of a row of labels
_GAP = 9.0  # between an arc and what is below it
_MIN_WIDTH = 200.0
_LOOP = 12.0  # half the width of an arc from an entity to itself
_LONGEST_NAME = 30  # characters of an entity that an arc to another line names
_LONGEST_LABEL = 60  # characters of a relation's label

_COLORS = {
    "PER": "#ffe08a",
    "ORG": "#a9d6ff",
    "LOC": "#ffc3a0",
    "TIME": "#c9e7a5",
    "NUM": "#e4e7d2",
    "MISC": "#e3c8f5",
    "TERM": "#b9ece4",
}
_OTHER_COLOR = "#dddddd"


def render(
    docs: Doc | Span | Iterable[Doc | Span | tuple[Doc | Span, str | int]],
    *,
    page: bool = False,
    jupyter: bool | None = None,
    options: Mapping[str, Any] | None = None,
) -> str | None:
    """Draw the entities and relations of Docs, as HTML with an SVG for each.

    >>> import spacy, kgmrca
    >>> doc = spacy.blank("en")("Marie Curie was born in Warsaw.")
    >>> doc._.relations = [(doc[0:2], doc[5:6], "place of birth")]
    >>> kgmrca.render(doc)[:22]
    '<figure class="kgmrca"'

    Args:
        docs: a Doc, a Span or several; of (Doc, id), the Doc is drawn. Each sentence starts a line; long ones go on in
            the next.
        page: give a whole HTML page.
        jupyter: show the drawing in a notebook instead of giving it. None: find out whether this is one.
        options: `labels`: the relations to draw (all); `ents`: the labels of the entities to draw, beside those that
            have relations (all; a pronoun has the label of its entity); `colors`: entity label -> colour, in CSS's
            form; `width`: of the lines, in pixels (900).

    Returns:
        The HTML, or None where it was shown.

    Raises:
        InputError: there is something else in `docs` or `options`.
        DependencyError: it is to be shown in a notebook, and IPython is not installed.
    """
    settings = _settings({} if options is None else options)
    several = docs if isinstance(docs, Iterable) and not isinstance(docs, Doc | Span) else [docs]
    figures = [_figure(_as_doc(doc), **settings) for doc in several]
    drawn = "\n".join(figures)
    if page:
        drawn = (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Relations</title>\n</head>\n'
            f'<body style="margin: 2rem; background: #ffffff">\n{drawn}\n</body>\n</html>\n'
        )
    if jupyter or (jupyter is None and is_in_jupyter()):
        try:
            from IPython.display import HTML, display  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise DependencyError(
                "jupyter=True needs IPython, which is not installed: jupyter=False gives the drawing as HTML."
            ) from error
        display(HTML(f'<span class="tex2jax_ignore">{drawn}</span>'))  # type: ignore[no-untyped-call, unused-ignore]
        return None
    return drawn


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        raise InputError(f"The options of render are a dict, such as {{'width': 600}}, not {options!r:.80}.")
    settings = {"labels": None, "ents": None, "colors": {}, "width": 900, **options}
    if unknown := set(options) - {"labels", "ents", "colors", "width"}:
        raise InputError(
            f"render has no options {', '.join(sorted(map(str, unknown)))}; it has labels, ents, colors and width."
        )
    width = settings["width"]
    if not isinstance(width, int | float) or isinstance(width, bool) or not width >= _MIN_WIDTH:
        raise InputError(f"The width of a drawing is a number of pixels, at least {_MIN_WIDTH:.0f}, not {width!r}.")
    return settings


def _as_doc(doc: Any) -> Doc:
    if isinstance(doc, tuple) and len(doc) == 2 and isinstance(doc[1], str | int):
        doc = doc[0]
    if isinstance(doc, Span):
        return doc.as_doc(copy_user_data=True)
    if not isinstance(doc, Doc):
        raise InputError(f"render draws Docs and Spans, not {doc!r:.80}.")
    return doc


# What is drawn.


@dataclass(eq=False)
class _Mention:
    """A span of the text with a box around it, which lies in one line, or in several if it is too long for one."""

    start: int  # tokens, the end exclusive
    end: int
    label: str
    caption: str  # what is written under it
    name: str  # of its entity
    arcs: list["_Arc"] = field(default_factory=list)
    line: int = 0  # where it begins
    left: float = 0.0  # of its box there
    right: float = 0.0


@dataclass(eq=False)
class _Arc:
    """The relations of one ordered pair."""

    subject: _Mention
    object: _Mention
    labels: list[str]

    def other(self, mention: _Mention) -> _Mention:
        return self.object if mention is self.subject else self.subject


@dataclass
class _Piece:
    """What one line has of an arc: all of it, or the part from one of its mentions to the edge."""

    legs: list[tuple[float, bool]]  # x, and whether the arrow is there
    left: float
    right: float
    labels: list[str]
    bottom: float = 0.0  # above the text

    @property
    def label_width(self) -> float:
        return max(text_width(label, _SMALL) for label in self.labels)

    @property
    def top(self) -> float:
        return self.bottom + _GAP + _ROW * len(self.labels)


@dataclass
class _Word:
    """A token in its line."""

    token: Token
    x: float
    width: float


@dataclass
class _Line:
    words: list[_Word] = field(default_factory=list)
    boxes: list[tuple[_Mention, float, float]] = field(default_factory=list)  # left, right
    pieces: list[_Piece] = field(default_factory=list)
    width: float = 0.0


def _find_mentions(doc: Doc, ents: Sequence[str] | None, labels: Sequence[str] | None) -> list[_Mention]:
    """Mentions with their arcs, in the order of the text, the outer one first."""
    known = _known_mentions(doc)
    found = {key: mention for key, mention in known.items() if ents is None or mention.label in ents}

    def place(span: Span) -> tuple[int, int]:
        key = _without_space(span)
        if key not in found:
            found[key] = known.get(key) or _Mention(*key, span.label_, span.label_, span.text)
        return key

    pairs: defaultdict[tuple[tuple[int, int], tuple[int, int]], list[tuple[float, str]]] = defaultdict(list)
    for relation in get_relations(doc) or ():
        if labels is None or relation.label in labels:
            pairs[place(relation.subject), place(relation.object)].append((-relation.score, relation.label))
    for (subject, object_), scored in pairs.items():
        arc = _Arc(
            found[subject],
            found[object_],
            [f"{shortened(one_line(label), _LONGEST_LABEL)} {-score:.2f}" for score, label in sorted(scored)],
        )
        for end in dict.fromkeys((arc.subject, arc.object)):  # once, if they are one
            end.arcs.append(arc)
    # Where there is white space alone, there is nothing to draw a box around.
    blank = {mention for mention in found.values() if doc[mention.start].is_space}
    for mention in found.values():
        mention.arcs = [arc for arc in mention.arcs if not blank & {arc.subject, arc.object}]
    return sorted(set(found.values()) - blank, key=lambda one: (one.start, -one.end))


def _known_mentions(doc: Doc) -> dict[tuple[int, int], _Mention]:
    """The mentions of all entities by their tokens. Those of an entity with different words have its number."""
    entities = get_entities(doc)
    ents = {(span.start, span.end) for span in doc.ents}
    words = [{normal_name(mention.text) for mention in entity.mentions} for entity in entities]
    names = Counter(normal_name(entity.name) for entity in entities)
    known, number = {}, 0
    for entity, different in zip(entities, words, strict=True):
        label, has_number = entity.mentions[0].label_, len(different) > 1 or names[normal_name(entity.name)] > 1
        number += has_number
        for mention in entity.mentions:
            key = _without_space(mention)
            parts = [label if (mention.start, mention.end) in ents else "", str(number) if has_number else ""]
            known[key] = _Mention(*key, label, " ".join(filter(None, parts)), entity.name)
    return known


def _without_space(span: Span) -> tuple[int, int]:
    """The tokens of a span, without white space at its ends."""
    words = [token.i for token in span if not token.is_space] or [span.start]
    return words[0], words[-1] + 1


# Where it is drawn.


def _lay_out(doc: Doc, mentions: Sequence[_Mention], limit: float) -> list[_Line]:
    """The lines of a Doc with its words and boxes."""
    starts: defaultdict[int, list[_Mention]] = defaultdict(list)
    ends: defaultdict[int, list[_Mention]] = defaultdict(list)
    for mention in mentions:
        starts[mention.start].append(mention)
        ends[mention.end - 1].insert(0, mention)
    widths = {token.i: text_width(printable(token.text), _FONT) for token in doc if not token.is_space}
    for mention in reversed(mentions):  # a box is as wide as its label
        inside = [token for token in doc[mention.start : mention.end] if token.i in widths]
        if inside:
            missing = text_width(mention.caption, _SMALL) - sum(widths[token.i] for token in inside)
            widths[inside[-1].i] += max(0.0, missing)
    lines: list[_Line] = []
    for tokens in _wrapped(doc, mentions, widths, limit):
        line = _Line()
        lines.append(line)
        x = 0.0
        opened = [mention for mention in mentions if mention.start < tokens[0].i < mention.end]
        lefts = dict.fromkeys(map(id, opened), 0.0)
        for token in tokens:
            for mention in starts[token.i]:
                lefts[id(mention)] = x
                mention.line, mention.left = len(lines) - 1, x
                opened.append(mention)
                x += _PAD
            line.words.append(_Word(token, x, widths[token.i]))
            x += widths[token.i]
            for mention in ends[token.i]:
                x += _PAD
                _close(line, len(lines) - 1, mention, lefts[id(mention)], x)
                opened.remove(mention)
            x += _SPACE if token.whitespace_ else 0.0
        for mention in opened:  # it goes on in the next line
            _close(line, len(lines) - 1, mention, lefts[id(mention)], x)
        line.width = x
    return lines


def _close(line: _Line, number: int, mention: _Mention, left: float, right: float) -> None:
    line.boxes.append((mention, left, right))
    if mention.line == number:
        mention.right = right


def _wrapped(
    doc: Doc, mentions: Sequence[_Mention], widths: Mapping[int, float], limit: float
) -> Iterator[list[Token]]:
    """The tokens of each line, without white space."""
    inside = {i for mention in mentions for i in range(mention.start + 1, mention.end)}
    has_sentences = doc.has_annotation("SENT_START")
    line: list[Token] = []
    used = 0.0
    for unit, is_new in _units(doc, inside, has_sentences):
        room = sum(widths[token.i] + _SPACE for token in unit) + 2 * _PAD
        if line and (is_new or used + room > limit):
            yield line
            line, used = [], 0.0
        for token in unit:  # one that is too long for any line is broken where it may be
            if line and used + widths[token.i] > limit:
                yield line
                line, used = [], 0.0
            line.append(token)
            used += widths[token.i] + _SPACE
        used += 2 * _PAD
    if line:
        yield line


def _units(doc: Doc, inside: set[int], has_sentences: bool) -> Iterator[tuple[list[Token], bool]]:
    """Tokens that stay together, and whether a new line starts with them."""
    unit: list[Token] = []
    is_new = starts_new = False
    for token in doc:
        starts_new |= has_sentences and bool(token.is_sent_start)
        if token.is_space:
            starts_new |= "\n" in token.text
            continue
        before = doc[token.i - 1] if token.i else token
        is_free = before.is_space or before.whitespace_ or unicodedata.east_asian_width(token.text[0]) in "WF"
        if unit and (starts_new or is_free) and token.i not in inside:
            yield unit, is_new
            unit, is_new = [], starts_new
        elif not unit:
            is_new = starts_new
        starts_new = False
        unit.append(token)
    if unit:
        yield unit, is_new


def _place_arcs(lines: Sequence[_Line], mentions: Sequence[_Mention]) -> list[_Piece]:
    """Add the pieces of all arcs to their lines."""
    legs = {}
    for mention in mentions:
        arcs = sorted(mention.arcs, key=lambda arc: _leg_order(mention, arc.other(mention)))
        step = (mention.right - mention.left) / (len(arcs) + 1)
        for number, arc in enumerate(arcs, start=1):
            legs[id(mention), id(arc)] = mention.left + number * step
    for mention in mentions:
        for arc in mention.arcs:
            if mention is arc.subject:
                _add_pieces(lines, arc, legs[id(mention), id(arc)], legs[id(arc.object), id(arc)])
    return [piece for line in lines for piece in line.pieces]


def _leg_order(mention: _Mention, other: _Mention) -> tuple[bool, int]:
    """Legs from left to right: of arcs to the left, the nearest first; of those to the right, the farthest first."""
    is_right = (other.start, other.end) > (mention.start, mention.end)
    distance = abs(other.start - mention.start)
    return is_right, -distance if is_right else distance


def _add_pieces(lines: Sequence[_Line], arc: _Arc, subject_x: float, object_x: float) -> None:
    subject, object_ = arc.subject, arc.object
    if subject is object_:  # a loop
        reach = min(_LOOP, (subject.right - subject.left) / (len(subject.arcs) + 1) / 3)
        subject_x, object_x = subject_x - reach, object_x + reach
    if subject.line == object_.line:
        legs = [(subject_x, False), (object_x, True)]
        left, right = sorted((subject_x, object_x))
        lines[subject.line].pieces.append(_Piece(legs, left, right, arc.labels))
        return
    for mention, x, is_object in ((subject, subject_x, False), (object_, object_x, True)):
        name = shortened(one_line(arc.other(mention).name), _LONGEST_NAME)
        labels = [f"{name} → {label}" if is_object else f"{label} → {name}" for label in arc.labels]
        left, right = (x, math.inf) if mention.line < arc.other(mention).line else (0.0, x)
        lines[mention.line].pieces.append(_Piece([(x, is_object)], left, right, labels))


def _runs_from_right(text: str) -> bool | None:
    """Whether more letters of a text run from right to left than from left to right; None if as many do."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    from_right, from_left = kinds.count("R") + kinds.count("AL"), kinds.count("L")
    return None if from_right == from_left else from_right > from_left


def _label_place(piece: _Piece, width: float) -> tuple[float, float]:
    """Left and right end of the labels: over the middle of the arc, and not beyond the edges."""
    size = piece.label_width + 2 * _PAD
    left = (piece.left + piece.right - size) / 2
    left = max(0.0, min(left, width - size))
    return left, left + size


def _stack(pieces: list[_Piece], width: float) -> None:
    """Give each arc its height: above all shorter ones that share a stretch of the line with it, labels included.

    Args:
        width: of the drawing; where an arc goes on in another line, this one has it up to there.
    """
    for piece in pieces:
        piece.right = min(piece.right, width)
    placed: list[tuple[float, float, _Piece]] = []
    for piece in sorted(pieces, key=lambda one: (one.right - one.left, one.left)):
        label_left, label_right = _label_place(piece, width)
        left, right = min(piece.left, label_left) - _PAD, max(piece.right, label_right) + _PAD
        piece.bottom = max((other.top for a, b, other in placed if a < right and left < b), default=0.0)
        placed.append((left, right, piece))


# The drawing.


def _figure(
    doc: Doc,
    *,
    labels: Sequence[str] | None,
    ents: Sequence[str] | None,
    colors: Mapping[str, str],
    width: float,
) -> str:
    mentions = _find_mentions(doc, ents, labels)
    lines = _lay_out(doc, mentions, width)
    pieces = _place_arcs(lines, mentions)
    width = max([0.0, *(line.width for line in lines), *(piece.label_width + 2 * _PAD for piece in pieces)])
    for line in lines:
        _stack(line.pieces, width)
    is_rtl = _runs_from_right(doc.text)
    if is_rtl is None:
        is_rtl = doc.vocab.writing_system.get("direction") == "rtl"
    drawing = _Drawing(width, is_rtl, colors)
    for line in lines:
        drawing.add(line)
    return drawing.figure()


class _Drawing:
    """Lines as SVG, from top to bottom."""

    def __init__(self, width: float, is_rtl: bool, colors: Mapping[str, str]) -> None:
        self.width, self.colors = width, colors
        self.is_rtl = is_rtl  # all of it
        self.is_mirrored = is_rtl  # the line that is being drawn
        self.parts: list[str] = []
        self.y = 0.0

    def x(self, x: float) -> float:
        return _MARGIN + (self.width - x if self.is_mirrored else x)

    def add(self, line: _Line) -> None:
        from_right = _runs_from_right(" ".join(word.token.text for word in line.words))
        self.is_mirrored = self.is_rtl if from_right is None else from_right
        base = self.y + max((piece.top for piece in line.pieces), default=0.0) + _GAP + _FONT  # of the text
        top = base - _FONT - 2
        rows = self.boxes(line, base, top)
        for piece in line.pieces:
            self.arc(piece, top)
        for word in line.words:
            self.text(printable(word.token.text), word.x, word.x + word.width, base, _FONT)
        for piece in line.pieces:  # at last, because a label hides the lines behind it
            self.labels(piece, top)
        self.y = base + _GAP + rows * _ROW

    def boxes(self, line: _Line, base: float, top: float) -> int:
        """Draw the boxes of a line; gives the rows of labels under it."""
        rows: list[tuple[_Mention, float, float, int]] = []
        for mention, left, right in sorted(line.boxes, key=lambda box: box[2] - box[1]):
            # Under a box inside it there is the label of that one.
            row = max((row + 1 for _, a, b, row in rows if a < right and left < b), default=0)
            rows.append((mention, left, right, row))
        for mention, left, right, row in reversed(rows):
            color = self.colors.get(mention.label) or _COLORS.get(coarse_type(mention.label), _OTHER_COLOR)
            height = base + 5 - top + (row + 1) * _ROW - 2
            self.parts.append(
                f'<rect x="{min(self.x(left), self.x(right)):.1f}" y="{top:.1f}" width="{right - left:.1f}" '
                f'height="{height:.1f}" rx="4" fill="{escape(color)}" stroke="#ffffff">'
                f"<title>{escape(mention.name)}</title></rect>"
            )
            if mention.caption:
                self.text(mention.caption, left, right, base + 5 + (row + 0.7) * _ROW, _SMALL, weight="bold")
        return max((row + 1 for _, _, _, row in rows), default=0)

    def arc(self, piece: _Piece, top: float) -> None:
        y = top - piece.bottom - _GAP
        left, right = self.x(piece.left), self.x(piece.right)
        self.parts.append(f'<path d="M{left:.1f},{y:.1f} H{right:.1f}" fill="none" stroke="#666666"/>')
        for leg, is_object in piece.legs:
            x = self.x(leg)
            self.parts.append(f'<path d="M{x:.1f},{y:.1f} V{top:.1f}" fill="none" stroke="#666666"/>')
            if is_object:
                self.parts.append(f'<path d="M{x:.1f},{top:.1f} l-4,-7 h8 z" fill="#666666"/>')

    def labels(self, piece: _Piece, top: float) -> None:
        left, right = _label_place(piece, self.width)
        middle = (left + right) / 2
        for number, label in enumerate(piece.labels):
            y = top - piece.bottom - _GAP - 4 - (len(piece.labels) - 1 - number) * _ROW
            size = text_width(label, _SMALL)
            x = min(self.x(middle - size / 2), self.x(middle + size / 2))
            self.parts.append(
                f'<rect x="{x - 2:.1f}" y="{y - 10:.1f}" width="{size + 4:.1f}" height="13" fill="#ffffff"/>'
            )
            self.text(label, middle - size / 2, middle + size / 2, y, _SMALL)

    def text(self, text: str, left: float, right: float, y: float, size: float, *, weight: str = "normal") -> None:
        # A word may have been given more room than it needs, for the label of its box; a label may have less.
        length = min(right - left, text_width(text, size))
        self.parts.append(
            f'<text x="{self.x((left + right) / 2):.1f}" y="{y:.1f}" font-size="{size:.0f}" font-weight="{weight}" '
            f'direction="{"rtl" if self.is_mirrored else "ltr"}" '
            f'text-anchor="middle" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
        )

    def figure(self) -> str:
        width, height = self.width + 2 * _MARGIN, self.y + _MARGIN
        return (
            '<figure class="kgmrca" style="margin: 0 0 1.5rem; overflow-x: auto; background: #ffffff">'
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" direction="{"rtl" if self.is_rtl else "ltr"}" fill="#222222" '
            f'font-family="Helvetica, Arial, sans-serif">{"".join(self.parts)}</svg></figure>'
        )
