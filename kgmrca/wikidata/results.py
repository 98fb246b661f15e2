"""The answer to a SELECT query as JSON (https://www.w3.org/TR/sparql11-results-json/) → its rows.

Members that the standard does not name are passed over, wherever they stand: services add their own. They are read for
one thing only: whether the answer says of itself that it is not whole.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from email.message import Message
from html import unescape
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

from pyoxigraph import BlankNode, Literal, NamedNode

__all__ = ["NoResults", "Row", "Term", "read_results", "said_in", "said_incomplete"]

Term: TypeAlias = NamedNode | Literal | BlankNode
Row: TypeAlias = Mapping[str, Term]
"""A solution of a query: its bound variables with their terms."""

_ERRORS = ("exception", "error", "errors", "errorMessage", "detailedMessage", "message")
_TOTALS = frozenset({"resultsizetotal", "resultsize", "totalresults"})
_INCOMPLETE = re.compile(r"incomplete|partial|truncated|timed?[\s_-]?out\b|exceeded", re.IGNORECASE)
_INCOMPLETE_NAME = re.compile(r"incomplete|partial|truncated|timed[\s_-]?out|exceeded", re.IGNORECASE)
_MORE = re.compile(r"has[\s_-]?(more|next)([\s_-]?(rows|results|pages?))?", re.IGNORECASE)
_NEXT = re.compile(
    r"next([\s_-]?(page|url|link|href|cursor))?([\s_-]?token)?|continuation([\s_-]?token)?", re.IGNORECASE
)
_NO = frozenset({"", "0", "false", "no", "none", "null", "off"})
_MOST_SAID = 4096  # bytes of a refusal
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>?", re.DOTALL | re.IGNORECASE)
_NO_LABEL = re.compile(r"[^0-9A-Za-z]")


class NoResults(Exception):
    """A body that is no answer to a SELECT query, or not a whole one.

    Attributes:
        reason: in some words, such as "cut answer".
        said: what the server says about it; "" if it says nothing.
    """

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(f"{reason}: {said}" if said else reason)
        self.reason = reason
        self.said = said


def read_results(body: bytes) -> list[Row]:
    r"""The rows of an answer.

    Raises:
        NoResults: the body is no JSON or is cut, it is no answer to a SELECT query, an error, or an answer that says
            that it has not all rows.

    >>> read_results(b'{"head": {"vars": ["x"]}, "results": {"bindings": []}, "meta": {"query-time-ms": 3}}')
    []
    """
    try:
        # A member that stands twice would hide rows; to look for it in every object takes twice the time.
        answer = json.loads(body, object_pairs_hook=_without_repeats if body.count(b'"bindings"') != 1 else None)
    except (ValueError, RecursionError) as error:
        is_cut = body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
        said = "objects in objects, too deep to be read" if isinstance(error, RecursionError) else str(error)
        raise NoResults("cut answer" if is_cut else "not JSON", said) from error
    if not isinstance(answer, dict):
        raise NoResults("no SPARQL results")
    if said := _error_in(answer):
        raise NoResults("error instead of an answer", said)
    if "boolean" in answer:
        raise NoResults("answer to an ASK query")
    try:
        rows = _rows(answer["results"]["bindings"])
    except KeyError as error:
        raise NoResults("no SPARQL results", f"there is no member {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise NoResults("no SPARQL results", f"{type(error).__name__} {error}") from error
    for part in (answer, *map(answer.get, ("meta", "head", "links", "page", "pagination")), answer["results"]):
        if isinstance(part, dict) and (said := _incomplete_in(part, len(rows))):
            raise NoResults("incomplete answer", said)
    return rows


def said_incomplete(status: int, headers: Message, n_rows: int) -> str:
    """What status and headers say about rows that are missing; "" if they say nothing.

    Virtuoso sends the first rows of an answer that has too many (`X-SPARQL-MaxRows`) or took too long (`X-SQL-State`,
    `X-SPARQL-Anytime`), with the status 200 or 206.
    """
    if status == HTTPStatus.PARTIAL_CONTENT:
        return "the status is 206, partial content"
    for name, value in headers.items():
        lower, number = name.lower(), int(value) if re.fullmatch("[0-9]{1,15}", value.strip(), re.ASCII) else None
        if (
            (lower == "x-sparql-maxrows" and (number is None or n_rows >= number))
            or (lower == "x-total-count" and number is not None and number > n_rows)
            or (lower == "content-range" and _is_part(value, n_rows))
            or (lower == "x-sql-state" and value.strip() not in ("", "00000"))
            or lower == "x-sparql-anytime"
            or (lower == "link" and re.search(r"\brel\s*=\s*\"?next\b", value, re.IGNORECASE))
            or (lower in ("warning", "x-sql-message") and _INCOMPLETE.search(value))
            or (lower.startswith("x-") and _says_incomplete(name, value))
        ):
            return f"{name}: {value}"
    return ""


def _is_part(range: str, n_rows: int) -> bool:
    """Whether a Content-Range tells of more than there is (RFC 9110, section 14.4).

    >>> _is_part("items 0-2/48", 3), _is_part("items 0-2/3", 3), _is_part("items 0-2/*", 3)
    (True, False, True)
    """
    found = re.fullmatch(r"\s*(\S+)\s+(?:0-([0-9]{1,15})/)?([0-9]{1,15})\s*", range, re.ASCII)
    if found is None or found[2] is None:
        return True
    is_whole = int(found[2]) + 1 == int(found[3])
    return not is_whole or (found[1].lower() != "bytes" and int(found[3]) > n_rows)


def said_in(body: bytes) -> str:
    r"""What the body of a refusal says, as one line: the text of a page, the error of a JSON object, or the first line.

    >>> said_in(b"<html><head><title>Forbidden</title></head><body><p>Your agent is not welcome.</p></body></html>")
    'Forbidden Your agent is not welcome.'
    >>> said_in(b'{"exception": "No such variable"}'), said_in(b"Parse error\nat line 1")
    ('No such variable', 'Parse error')
    """
    text = body[:_MOST_SAID].decode("utf-8", "replace").strip()
    with suppress(ValueError, RecursionError):
        if isinstance(answer := json.loads(text), dict):
            text = _error_in(answer)
    text = unescape(_MARKUP.sub(" ", text)) if text.startswith("<") else text.partition("\n")[0]
    return " ".join(text.split())[:200]


def _says_incomplete(name: str, value: object) -> bool:
    """Whether a member or a header says that an answer is not whole.

    >>> _says_incomplete("partial", True), _says_incomplete("partial", False), _says_incomplete("X-Truncated", "yes")
    (True, False, True)
    """
    if name.lower() in ("complete", "iscomplete"):
        return value is False
    if isinstance(value, str):
        return value.strip().lower() not in _NO and bool(_INCOMPLETE_NAME.search(name))
    return value is True and bool(_INCOMPLETE_NAME.search(name) or _MORE.fullmatch(name))


def _error_in(answer: dict[str, Any]) -> str:
    """What a member about an error says; beside rows only what can be nothing else counts."""
    for name in _ERRORS if "results" not in answer else _ERRORS[:3]:
        if said := answer.get(name):
            return str(said)
    return ""


def _incomplete_in(part: dict[str, Any], n_rows: int) -> str:
    for name, value in part.items():
        if isinstance(value, list) and name == "warnings":
            if found := next((str(one) for one in value if _INCOMPLETE.search(str(one))), ""):
                return found
        elif _says_incomplete(name, value) or (_NEXT.fullmatch(name) and value):
            return f"{name}: {value}"
        elif _NO_LABEL.sub("", name).lower() in _TOTALS and type(value) is int and value > n_rows:
            return f"{n_rows:,} of {value:,} rows"
    return ""


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise NoResults("no SPARQL results", "a member stands twice in an object")
    return found


def _rows(bindings: Iterable[Mapping[str, Mapping[str, str]]]) -> list[Row]:
    """The rows. The terms of an answer repeat, so each is made once."""
    iris: dict[str, Term] = {}
    others: dict[tuple[str | None, ...], Term] = {}
    rows: list[Row] = []
    if not isinstance(bindings, list):
        raise TypeError("the bindings are no list")
    for binding in bindings:
        row: dict[str, Term] = {}
        for name, term in binding.items():
            if term is None:  # some write unbound variables
                continue
            value = term["value"]
            if term["type"] == "uri":
                if (known := iris.get(value)) is None:
                    known = iris[value] = _iri(value)
            else:
                key = (term["type"], value, term.get("datatype"), term.get("xml:lang"))
                if (known := others.get(key)) is None:
                    known = others[key] = _other_term(*key)
            row[name] = known
        rows.append(row)
    return rows


def _iri(value: str) -> Term:
    """An IRI; one with characters that none may have is a term all the same, so that its row is not lost."""
    if value.startswith(("nodeID://", "_:")):  # Virtuoso's name of a blank node
        return _blank_node(value)
    try:
        return NamedNode(value)
    except ValueError:
        return NamedNode(quote(value, safe=":/?#[]@!$&'()*+,;=%~"))


def _blank_node(value: str) -> BlankNode:
    return BlankNode(_NO_LABEL.sub("", value.removeprefix("nodeID://")) or "b")


def _other_term(type_: str, value: str, datatype: str | None, language: str | None) -> Term:
    if not isinstance(value, str):
        raise TypeError(f"a value that is no text: {value!r}")
    if type_ == "bnode":
        return _blank_node(value)
    if type_ not in ("literal", "typed-literal"):
        raise ValueError(f"a term of the type {type_!r}")
    if language:
        return Literal(value, language=language.replace("_", "-"))
    return Literal(value, datatype=NamedNode(datatype)) if datatype else Literal(value)
