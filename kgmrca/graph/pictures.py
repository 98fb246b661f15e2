"""A few facts as a picture: SVG, an HTML page, and text for Mermaid and Graphviz.

In the drawing, each connected part has the entity of most facts at the left, and each other one stands so many columns
to the right of it as there are facts between them. So boxes never overlap, and the same facts give the same drawing.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kgmrca.markup import escape, one_line, printable, shortened, text_width

__all__ = ["FORMATS", "Edge", "Node", "as_dot", "as_html", "as_mermaid", "as_svg"]

_LONGEST = 40  # characters of a name or label
_FONT, _SMALL = 14.0, 11.0
_MARGIN, _PAD, _BOX, _ROW = 16.0, 8.0, 26.0, 44.0
_ENDS = ("start", "end")
_BEND = 28.0  # how far an edge within a column leaves it
_COLORS = ("#dcebf7", "#eeeeee")  # of entities and of literals


@dataclass(frozen=True)
class Node:
    """An entity or a literal; what `key` says is one node."""

    key: str
    name: str
    is_literal: bool = False


@dataclass(frozen=True)
class Edge:
    """A fact, and how certain it is."""

    subject: Node
    label: str
    object: Node
    confidence: float

    @property
    def text(self) -> str:
        """What is written at it."""
        return f"{_one_line(self.label)} {self.confidence:.2f}"


def as_mermaid(edges: Iterable[Edge]) -> str:
    """Facts as a flowchart of Mermaid, which GitHub and many editors draw.

    >>> print(as_mermaid([Edge(Node("a", "Marie Curie"), "place of birth", Node("b", "Warsaw"), 0.9)]), end="")
    flowchart LR
      n0["Marie Curie"]
      n1["Warsaw"]
      n0 -- "place of birth 0.90" --> n1
    """
    edges = list(edges)
    numbers = _numbers(edges)
    lines = ["flowchart LR"]
    for node, number in numbers.items():
        opening, closing = ("([", "])") if node.is_literal else ("[", "]")
        lines.append(f"  n{number}{opening}{_mermaid(_one_line(node.name))}{closing}")
    lines += [f"  n{numbers[edge.subject]} -- {_mermaid(edge.text)} --> n{numbers[edge.object]}" for edge in edges]
    return "".join(f"{line}\n" for line in lines)


def as_dot(edges: Iterable[Edge]) -> str:
    """Facts in the language of Graphviz.

    >>> print(as_dot([Edge(Node("a", 'The "Fab Four"'), "member", Node("b", "Ringo"), 0.5)]), end="")
    digraph {
      rankdir=LR
      node [shape=box]
      n0 [label="The \\"Fab Four\\""]
      n1 [label="Ringo"]
      n0 -> n1 [label="member 0.50"]
    }
    """
    edges = list(edges)
    numbers = _numbers(edges)
    lines = ["digraph {", "  rankdir=LR", "  node [shape=box]"]
    for node, number in numbers.items():
        shape = " shape=ellipse" if node.is_literal else ""
        lines.append(f"  n{number} [label={_dot(_one_line(node.name))}{shape}]")
    lines += [f"  n{numbers[edge.subject]} -> n{numbers[edge.object]} [label={_dot(edge.text)}]" for edge in edges]
    return "".join(f"{line}\n" for line in [*lines, "}"])


def as_svg(edges: Iterable[Edge]) -> str:
    """Facts as a drawing, which is one SVG element with no script and no style sheet."""
    edges = list(edges)
    drawing = _Drawing()
    for part in _parts(edges):
        drawing.add(part)
    return drawing.svg()


def as_html(edges: Iterable[Edge]) -> str:
    """The drawing as a page of its own."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Facts</title>\n</head>\n'
        f'<body style="margin: 2rem; background: #ffffff">\n{as_svg(edges)}</body>\n</html>\n'
    )


FORMATS: dict[str, Callable[[Iterable[Edge]], str]] = {
    "svg": as_svg,
    "html": as_html,
    "mermaid": as_mermaid,
    "dot": as_dot,
}
"""The forms of a picture, by the options that ask for them."""


def _numbers(edges: Iterable[Edge]) -> dict[Node, int]:
    nodes = dict.fromkeys(node for edge in edges for node in (edge.subject, edge.object))
    return {node: number for number, node in enumerate(nodes)}


def _one_line(text: str) -> str:
    return shortened(printable(one_line(text)), _LONGEST)


def _mermaid(text: str) -> str:
    """A text between quotes: all that Mermaid, Markdown or HTML give a meaning to stands as the number of its sign."""
    plain = "".join(sign if sign.isalnum() or sign in " .,-–…()/" else f"#{ord(sign)};" for sign in text)
    numbered = re.sub(r"^(\d+)\.(?=\s)", r"\1#46;", plain)  # it would be a list
    return f'"{numbered or " "}"'


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _parts(edges: Sequence[Edge]) -> list[list[Edge]]:
    """The connected parts of a graph, in the order in which their first facts stand."""
    of_node: defaultdict[Node, list[Edge]] = defaultdict(list)
    for edge in edges:
        of_node[edge.subject].append(edge)
        of_node[edge.object].append(edge)
    parts, seen = [], set[Node]()
    for edge in edges:
        if edge.subject in seen:
            continue
        seen.add(edge.subject)
        part: dict[Edge, None] = {}
        waiting = [edge.subject]
        while waiting:
            for one in of_node[waiting.pop()]:
                part[one] = None
                new = {one.subject, one.object} - seen
                seen |= new
                waiting += new
        parts.append([one for one in edges if one in part])
    return parts


def _columns(edges: Sequence[Edge]) -> list[list[Node]]:
    """The nodes of a connected part by their distance from the one with most facts."""
    neighbours: defaultdict[Node, dict[Node, None]] = defaultdict(dict)
    for edge in edges:
        neighbours[edge.subject][edge.object] = None
        neighbours[edge.object][edge.subject] = None
    first = max(neighbours, key=lambda node: len(neighbours[node]))
    columns: list[list[Node]] = []
    distances = {first: 0}
    waiting = deque([first])
    while waiting:
        node = waiting.popleft()
        if distances[node] == len(columns):
            columns.append([])
        columns[distances[node]].append(node)
        for other in neighbours[node]:
            if other not in distances:
                distances[other] = distances[node] + 1
                waiting.append(other)
    return columns


def _joined(edges: Sequence[Edge], column_of: Mapping[Node, int]) -> dict[tuple[Node, Node], list[str]]:
    """The labels between each two nodes, of which the first is not to the right of the second.

    Where facts lead both ways, arrows before the labels tell which way each one does.
    """
    directions = {(edge.subject, edge.object) for edge in edges}
    joined: defaultdict[tuple[Node, Node], list[str]] = defaultdict(list)
    for edge in edges:
        subject, object_ = edge.subject, edge.object
        is_both = subject != object_ and (object_, subject) in directions
        is_to_right = (column_of[subject], subject.key) <= (column_of[object_], object_.key)
        arrow = ("→ " if is_to_right else "← ") if is_both else ""
        joined[(subject, object_) if is_to_right else (object_, subject)].append(f"{arrow}{edge.text}")
    return joined


class _Drawing:
    """Connected parts as SVG, from top to bottom."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.boxes: list[str] = []
        self.width = 0.0
        self.y = _MARGIN

    def add(self, edges: Sequence[Edge]) -> None:
        columns = _columns(edges)
        column_of = {node: number for number, column in enumerate(columns) for node in column}
        joined = _joined(edges, column_of)
        texts = [text for labels in joined.values() for text in labels]
        room = max(text_width(text, _SMALL) for text in texts)
        row = max(_ROW, (_SMALL + 2) * max(map(len, joined.values())) + _BOX / 2)
        height = row * max(map(len, columns))
        within = {column_of[one] for one, other in joined if column_of[one] == column_of[other]}
        places: dict[Node, tuple[float, float, float]] = {}  # left, right, middle from top to bottom
        left = _MARGIN
        for number, column in enumerate(columns):
            width = max(text_width(_one_line(node.name), _FONT) for node in column) + 2 * _PAD
            for row_number, node in enumerate(column):
                places[node] = left, left + width, self.y + height * (row_number + 0.5) / len(column)
                self.box(node, left, width, places[node][2])
            left += width + 2 * _BEND + room * (2 if number in within else 1)
        directions = {(edge.subject, edge.object) for edge in edges}
        for (one, other), labels in joined.items():
            ends = one != other and (other, one) in directions, (one, other) in directions  # where an arrow is
            self.edge(places[one], places[other], labels, ends)
        self.width = max(self.width, left)
        self.y += height + _MARGIN

    def box(self, node: Node, left: float, width: float, middle: float) -> None:
        name = _one_line(node.name)
        self.boxes.append(
            f'<g><title>{escape(node.name)}</title><rect x="{left:.1f}" y="{middle - _BOX / 2:.1f}" '
            f'width="{width:.1f}" height="{_BOX}" rx="{2 if node.is_literal else 8}" fill="{_COLORS[node.is_literal]}" '
            f'stroke="#8899aa"/>{self.text(name, left + width / 2, middle + _FONT * 0.35, _FONT)}</g>'
        )

    def edge(
        self,
        left: tuple[float, float, float],
        right: tuple[float, float, float],
        labels: Sequence[str],
        arrows: tuple[bool, bool],
    ) -> None:
        """Draw a line between the facing sides of two boxes, or beside those of one column; labels at its right."""
        size = max(text_width(label, _SMALL) for label in labels)
        if left[0] == right[0]:
            x, start, end = left[1], left[2] - 6, right[2] + 6
            path = f"M{x:.1f},{start:.1f} C{x + _BEND:.1f},{start:.1f} {x + _BEND:.1f},{end:.1f} {x:.1f},{end:.1f}"
            label_left, label_y = x + _BEND, (start + end) / 2
        else:
            start_x, start, end_x, end = left[1], left[2], right[0], right[2]
            path = f"M{start_x:.1f},{start:.1f} L{end_x:.1f},{end:.1f}"
            # Lines spread to the right, so there is most room for words.
            label_left = end_x - 14 - size
            label_y = end + (start - end) * (size / 2 + 14) / (end_x - start_x)
        markers = [
            f'marker-{place}="url(#kgmrca-arrow)"' for place, is_there in zip(_ENDS, arrows, strict=True) if is_there
        ]
        self.lines.append(f'<path d="{path}" fill="none" stroke="#667788" {" ".join(markers)}/>')
        for number, label in enumerate(labels):
            y = label_y + 4 + (number - (len(labels) - 1) / 2) * (_SMALL + 2)
            width = text_width(label, _SMALL)
            x = label_left + (size - width) / 2
            self.boxes.append(
                f'<rect x="{x - 2:.1f}" y="{y - _SMALL + 1:.1f}" width="{width + 4:.1f}" height="{_SMALL + 2}" '
                f'fill="#ffffff"/>{self.text(label, x + width / 2, y, _SMALL)}'
            )

    @staticmethod
    def text(text: str, x: float, y: float, size: float) -> str:
        return (
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.0f}" text-anchor="middle" '
            f'textLength="{text_width(text, size):.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
        )

    def svg(self) -> str:
        width, height = max(self.width, 2 * _MARGIN), self.y
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" fill="#222222" font-family="Helvetica, Arial, sans-serif" '
            'role="img" aria-label="Facts">'
            '<defs><marker id="kgmrca-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto-start-reverse"><path d="M0,0 L8,4 L0,8 z" fill="#667788"/></marker></defs>'
            f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(self.lines)}{"".join(self.boxes)}</svg>\n'
        )
