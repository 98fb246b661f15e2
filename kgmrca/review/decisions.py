"""Files with the decisions of persons, as the page of `kgmrca report` exports them, and whether persons agree (pure).

The form of a file is that of `ontologies/review.schema.json`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kgmrca.errors import InputError, unreadable
from kgmrca.triples.iris import clean_text

__all__ = ["DECISIONS", "FORMAT", "VERSION", "Decision", "End", "Review", "read_review", "settled"]

FORMAT = "kgmrca review"
VERSION = 1
DECISIONS = ("accepted", "rejected", "corrected")

_ENDS = ("iri", "name", "value")


@dataclass(frozen=True, slots=True)
class End:
    """The right subject or object of a statement.

    Attributes:
        kind: "iri" of an entity of the graph or an item, "name" of an entity of the document, or "value", a literal.
        text: which it is.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a statement.

    Attributes:
        statement: the IRI.
        reviewer: the name of the person.
        decision: one of `DECISIONS`.
        time: when, in UTC and in seconds.
        note: what the person noted.
        label, subject, object: what is to stand instead of the statement's, if it was corrected; None or "": its own.
        correction: the IRI of the statement that stands instead, as soon as it is known.
    """

    statement: str
    reviewer: str
    decision: str
    time: str
    note: str = ""
    label: str = ""
    subject: End | None = None
    object: End | None = None
    correction: str = ""

    def __str__(self) -> str:
        return f"{self.reviewer} {self.decision} it"


@dataclass(frozen=True, slots=True)
class Review:
    """A file of decisions.

    Attributes:
        graph: the digest of the graph that was reviewed (see `graph_digest`).
        decisions: what was decided, in the order of the file.
    """

    graph: str
    decisions: list[Decision]


def read_review(path: Path) -> Review:
    """Read a file of decisions.

    Raises:
        InputError: it is not of that form; it says what is wrong, and in which decision.
        OSError: it cannot be read.
    """
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: it is no JSON ({error}): export the review once more.") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path}: it is no review: export one from the page that `kgmrca report` writes.")
    if content.get("version") != VERSION:
        raise InputError(
            f"{path}: it has version {content.get('version')!r} of the format, and this kgmrca reads version {VERSION}."
        )
    try:
        reviewer = " ".join(_text(content, "reviewer").split())
        if not reviewer:
            raise InputError("the reviewer has no name: enter one in the page, and export once more")
        decisions = content["decisions"] if isinstance(content.get("decisions"), list) else None
        if decisions is None:
            raise InputError("'decisions' is not a list")
        graph = _text(content, "graph")
        found = []
        for number, one in enumerate(decisions, start=1):
            try:
                found += _decisions(one, reviewer)
            except InputError as error:
                raise InputError(f"decision {number}: {error}") from error
    except InputError as error:
        raise InputError(f"{path}, {error}.") from error
    return Review(graph, found)


def settled(decisions: Iterable[Decision]) -> tuple[dict[str, list[Decision]], dict[str, list[Decision]]]:
    """What persons agree on, and what they disagree on: the last decision of each person, by statement.

    >>> ada, bob = (Decision("urn:s", name, "accepted", "2030-01-02T03:04:05Z") for name in ("Ada", "Bob"))
    >>> [len(found) for found in settled([ada, bob])]
    [1, 0]
    """
    last: dict[str, dict[str, Decision]] = {}
    for decision in decisions:
        of_statement = last.setdefault(decision.statement, {})
        before = of_statement.get(decision.reviewer)
        if before is None or before.time <= decision.time:
            of_statement[decision.reviewer] = decision
    agreed: dict[str, list[Decision]] = {}
    disagreed: dict[str, list[Decision]] = {}
    for statement, by_reviewer in last.items():
        found = [by_reviewer[name] for name in sorted(by_reviewer)]
        is_one = len({(decision.decision, decision.correction) for decision in found}) == 1
        (agreed if is_one else disagreed)[statement] = found
    return agreed, disagreed


def _decisions(one: Any, reviewer: str) -> list[Decision]:
    if not isinstance(one, dict):
        raise InputError("it is no object")
    statements = one.get("statements")
    if not isinstance(statements, list) or not statements or not all(isinstance(iri, str) for iri in statements):
        raise InputError("'statements' is not a list of IRIs")
    decision = _text(one, "decision")
    if decision not in DECISIONS:
        raise InputError(f"'decision' is {decision!r}: it is one of {', '.join(DECISIONS)}")
    given = one.get("correction", {})
    if not isinstance(given, dict) or (decision == "corrected") != bool(given):
        raise InputError("a decision has a 'correction' if it is corrected, and only then")
    return [
        Decision(
            statement=statement,
            reviewer=clean_text(reviewer),
            decision=decision,
            time=_time(_text(one, "time")),
            note=clean_text(_text(one, "note", default="").strip()),
            label=clean_text(" ".join(_text(given, "label", default="").split())),
            subject=_end(given, "subject"),
            object=_end(given, "object"),
        )
        for statement in statements
    ]


def _text(of: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    text = of.get(name, default)
    if not isinstance(text, str):
        raise InputError(f"'{name}' is missing, or no text")
    return text


def _time(text: str) -> str:
    """A time in UTC.

    >>> _time("2030-01-02T05:04:05.678+02:00")
    '2030-01-02T03:04:05Z'
    """
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if when.tzinfo is None:
            raise ValueError("it has no time zone")
        return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError) as error:
        raise InputError(f"'time' is {text!r}, and no time of ISO 8601 with a time zone ({error})") from error


def _end(of: Mapping[str, Any], name: str) -> End | None:
    end = of.get(name)
    if end is None:
        return None
    if not isinstance(end, dict) or len(end) != 1 or (kind := next(iter(end))) not in _ENDS:
        raise InputError(f"'{name}' has one of the members {', '.join(_ENDS)}, and nothing else")
    text = " ".join(clean_text(_text(end, kind)).split())
    if not text:
        raise InputError(f"the {kind} of the '{name}' is empty")
    if kind == "value" and name == "subject":
        raise InputError("a subject is an entity, and no value")
    return End(kind, text)
