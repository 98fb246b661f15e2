"""The scores of `scorer.evaluate` as a table to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from kgmrca.extraction.relations.calibration import SHOWN
from kgmrca.extraction.relations.scorer import COUNTS, NO_LABEL, NO_RECOGNIZER, Scores

__all__ = ["score_table", "sweep_table"]

GOLD_ENTITIES = "relations, gold entities"
END_TO_END = "relations, end to end"

_DISTANCE = {"sentence": "tokens between", "document": "closest mentions"}


def score_table(scores: Scores, *, labels: bool = False) -> str:
    """The scores of `evaluate` as text: the parts with their intervals, then pairs by kind, then confusions.

    Args:
        labels: add the entity types, and the relations on gold entities and end to end, each with their scores.
    """
    blocks = [_headlines(scores), *_remarks(scores)]
    by_number, by_distance = scores["gold entities, by number of relations"], scores["gold entities, by distance"]
    blocks += [
        _score_rows("gold entities, by relations of the pair", by_number),
        _score_rows(f"gold entities, by {_DISTANCE[scores['level']]}", by_distance),
        _confusion_rows(scores["gold entities, confusion"], 10),
    ]
    if labels:
        for name in ("entities", GOLD_ENTITIES, END_TO_END):
            if scores[name] == NO_RECOGNIZER:
                continue
            by_gold = sorted(scores[name]["per_type"].items(), key=lambda item: (-item[1]["gold"], item[0]))
            blocks.append(_score_rows(name, dict(by_gold)))
    return "\n\n".join(blocks)


def sweep_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of `operating_points.sweep` as text."""
    lines = [["", "gold entities", "", "", "end to end", "", ""], ["threshold", *("P", "R", "F1") * 2]]
    for row in rows:
        raw = row["end_to_end"] or dict.fromkeys("prf")
        lines.append([f"{row['threshold']}", *(_decimals(part[key]) for part in (row, raw) for key in "prf")])
    if rows and rows[0]["end_to_end"] is None:
        lines[0][4] = NO_RECOGNIZER
    return _aligned(lines)


def _headlines(scores: Scores) -> str:
    rows = [[f"{scores['documents']:,} documents", "P", "R", "F1", "given a document"]]
    for name, part in scores.items():
        if not (isinstance(part, dict) and "interval" in part):
            continue
        if name == "entities, types of the data" and not scores["types_not_in_gold"]:
            continue  # the same as `entities`
        cells = [f"{_decimals(part[key])} {_interval(part['interval'][key])}".rstrip() for key in "prf"]
        rows.append([name, *cells, f"{part['given_per_document']:.1f}"])
        if "unseen" in part:
            unseen = part["unseen"]
            rows.append(["  without facts seen in training", _decimals(unseen["p"]), "", _decimals(unseen["f"]), ""])
        if not name.startswith("entities") and not _is_point(name):
            macro = part["macro"]
            rows.append([f"  mean of {macro['labels']} labels", *(_decimals(macro[key]) for key in "prf"), ""])
    return _aligned(rows, to_left=4)


def _is_point(name: str) -> bool:
    """Whether a part is that of an operating point."""
    return name.startswith(f"{END_TO_END}, ")


def _remarks(scores: Scores) -> list[str]:
    level = "entities of a document" if scores["level"] == "document" else "mentions of a sentence"
    remarks = [f"Relations are those of {level}."]
    if scores[END_TO_END] == NO_RECOGNIZER:
        remarks.append(
            f"Raw text: {NO_RECOGNIZER}. Nothing in this pipeline finds entities, so there are no scores end to end."
        )
    if types := scores["types_not_in_gold"]:
        remarks.append(f"Entity types that were given and that the data does not have: {', '.join(types)}.")
    parts = {name: scores[name] for name in (GOLD_ENTITIES, END_TO_END) if scores[name] != NO_RECOGNIZER}
    errors = [
        f"{part['calibration_error']:.3f} ({name}; by chance {part['calibration_error_by_chance']:.3f})"
        for name, part in parts.items()
        if part["calibration_error"]
    ]
    if errors:
        remarks.append(f"Calibration error of the scores from {SHOWN} on: {', '.join(errors)}.")
    if any(part["not_judged"] for part in parts.values()):
        numbers = ", ".join(f"{part['not_judged']:,} of {part['given']:,} ({name})" for name, part in parts.items())
        remarks.append(f"Not judged, because the data is not annotated exhaustively with these relations: {numbers}.")
    return ["\n".join(remarks)]


def _score_rows(title: str, scores: Scores) -> str:
    columns = COUNTS if any(row["not_judged"] for row in scores.values()) else ("gold", "given", "right")
    rows = [[title, "P", "R", "F1", *(column.replace("_", " ") for column in columns)]]
    for name, row in scores.items():
        rows.append([name, *(_decimals(row[key]) for key in "prf"), *(f"{row[column]:,}" for column in columns)])
    return _aligned(rows)


def _confusion_rows(confusion: Scores, n_rows: int) -> str:
    rows = [["gold entities, gold label", "given instead", "times"]]
    rows += [
        [row["gold"], row["given"], f"{row['count']:,}"] for row in confusion["confused"]["most_frequent"][:n_rows]
    ]
    rows += [
        ["any label", NO_LABEL, f"{confusion['missed']['total']:,}"],
        [NO_LABEL, "any label", f"{confusion['unfounded']['total']:,}"],
    ]
    return _aligned(rows, to_left=2)


def _decimals(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.3f}"


def _interval(ends: list[float] | None) -> str:
    return "" if ends is None else "[{:.2f}, {:.2f}]".format(*ends)


def _aligned(rows: list[list[str]], *, to_left: int = 1) -> str:
    """The rows in columns, the first `to_left` of them flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(row, widths, strict=True)
        lines.append(
            "  ".join(
                cell.ljust(width) if place < to_left else cell.rjust(width) for place, (cell, width) in enumerate(cells)
            )
        )
    return "\n".join(line.rstrip() for line in lines)
