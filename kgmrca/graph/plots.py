"""How what is in a graph is distributed, as bars in one SVG: counted while the graph streams by, drawn at the end."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Quad

from kgmrca.markup import escape, one_line, printable, shortened, text_width
from kgmrca.terms import KGMRCA, LABEL, OTHER_NAME
from kgmrca.triples.records import Statement

__all__ = ["Chart", "Distributions", "bars_as_svg"]

_VERDICT = NamedNode(f"{KGMRCA}verdict")
_STEPS = 20  # bars of the scores
_MOST = 25  # bars of a ranking
_LONGEST = 44  # characters of a label
_FONT, _TITLE, _ROW, _MARGIN = 12.0, 15.0, 20.0, 16.0
_BAR = 320.0  # the width of the longest one


@dataclass(frozen=True)
class Chart:
    """Bars: what each one stands for, and how many there are."""

    title: str
    bars: Sequence[tuple[str, int]]


class Distributions:
    """Counts statements by score, predicate and document, names by entity, and verdicts.

    A number is kept for each document and each entity, and a hash for each name.
    """

    def __init__(self) -> None:
        self.statements = 0
        self._last = ""
        self._scores: Counter[int] = Counter()
        self._predicates: Counter[str] = Counter()
        self._documents: Counter[str] = Counter()
        self._names: defaultdict[str, set[int]] = defaultdict(set)
        self._verdicts: Counter[str] = Counter()

    def add(self, found: Statement | Quad) -> None:
        """Count what `kgmrca.triples.read.read_rdf` gives."""
        if isinstance(found, Statement):
            if found.iri == self._last:
                return  # the same, of another run
            self._last = found.iri
            self.statements += 1
            # A score of 1 is in the last step. Half a millionth is added because 0.15 * 20 is less than 3.
            self._scores[min(_STEPS - 1, int(float(found.confidence) * _STEPS + 5e-7))] += 1
            self._predicates[found.label or found.predicate] += 1
            self._documents[found.document] += 1
            self._add_name(found.subject, found.subject_name)
            if not found.object_is_literal:
                self._add_name(found.object, found.object_name)
        elif not isinstance(found.subject, NamedNode) or not isinstance(found.object, Literal):
            return
        elif found.predicate == _VERDICT:
            self._verdicts[found.object.value] += 1
        elif found.predicate in (LABEL, OTHER_NAME):
            self._add_name(found.subject.value, found.object.value)

    def _add_name(self, entity: str, name: str) -> None:
        if name:
            self._names[entity].add(hash(name))

    def charts(self) -> list[Chart]:
        """The charts of what there is."""
        steps = [(f"{n / _STEPS:.2f} to {(n + 1) / _STEPS:.2f}", self._scores[n]) for n in range(_STEPS)]
        charts = [
            Chart("Statements by score", steps),
            Chart("Statements by predicate", _ranked(self._predicates)),
            Chart("Documents by number of statements", _doubling(self._documents.values())),
            Chart("Entities by number of names", _doubling(map(len, self._names.values()))),
            Chart("Verdicts of checked statements", _ranked(self._verdicts)),
        ]
        return [chart for chart in charts if any(count for _, count in chart.bars)]


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    ranked = sorted(counts.items(), key=lambda bar: (-bar[1], bar[0]))
    rest = ranked[_MOST:]
    others = [(f"{len(rest):,} others", sum(count for _, count in rest))] if rest else []
    return [*ranked[:_MOST], *others]


def _doubling(numbers: Iterable[int]) -> list[tuple[str, int]]:
    """How many of the numbers are 1, 2, 3 to 4, 5 to 8 and so on.

    >>> _doubling([1, 1, 3, 4, 7])
    [('1', 2), ('2', 0), ('3 to 4', 2), ('5 to 8', 1)]
    """
    steps = Counter((number - 1).bit_length() for number in numbers)
    words = ["1", "2", *(f"{2 ** (step - 1) + 1:,} to {2**step:,}" for step in range(2, max(steps, default=0) + 1))]
    return [(words[step], steps[step]) for step in range(max(steps, default=-1) + 1)]


def bars_as_svg(charts: Sequence[Chart]) -> str:
    """Charts below each other, as one SVG element with no script and no style sheet."""
    labels = [_label(name) for chart in charts for name, _ in chart.bars]
    counts = [f"{count:,}" for chart in charts for _, count in chart.bars]
    left = _MARGIN + max((text_width(label, _FONT) for label in labels), default=0) + 8
    width = left + _BAR + 8 + max((text_width(count, _FONT) for count in counts), default=0) + _MARGIN
    y, parts = _MARGIN, list[str]()
    for chart in charts:
        y += _TITLE
        parts.append(f'<text x="{_MARGIN}" y="{y:.0f}" font-size="{_TITLE:.0f}">{escape(chart.title)}</text>')
        y += 8
        most = max((count for _, count in chart.bars), default=0) or 1
        for name, count in chart.bars:
            length, base = _BAR * count / most, y + _ROW * 0.7
            parts.append(
                f"<g><title>{escape(name)}: {count:,}</title>"
                f'<text x="{left - 8:.1f}" y="{base:.1f}" text-anchor="end">{escape(_label(name))}</text>'
                f'<rect x="{left:.1f}" y="{y + 3:.1f}" width="{length:.1f}" height="{_ROW - 6:.0f}" fill="#2f6fb0"/>'
                f'<text x="{left + length + 6:.1f}" y="{base:.1f}">{count:,}</text></g>'
            )
            y += _ROW
        y += _MARGIN
    titles = escape(", ".join(chart.title for chart in charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{y:.0f}" '
        f'viewBox="0 0 {width:.0f} {y:.0f}" fill="#222222" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="{_FONT:.0f}" role="img" aria-label="{titles}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _label(name: str) -> str:
    return shortened(printable(one_line(name)), _LONGEST)
