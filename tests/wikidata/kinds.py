"""The kinds of answers that services give, and what is right to make of each: the one table, for the stand-in server.

A kind turns the right answer to a query into what such a service sends. They are taken from what the services' source
code, manuals and trackers say: QLever, Virtuoso, Blazegraph (Wikidata's own service), Fuseki, GraphDB and RDF4J,
Stardog, Oxigraph, Neptune, and the proxies before them.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from pathlib import Path
from typing import Any

from pyoxigraph import QueryResultsFormat, RdfFormat, Store
from server import Answer, FakeClock

RIGHT = "right"
"""The verdicts and links are those that an endpoint without faults gives."""

JAVA = (
    b"SPARQL-QUERY: queryStr=SELECT\njava.util.concurrent.TimeoutException\n\tat java.util.concurrent.FutureTask.get\n"
)
QLEVER_CUT = (
    b"\n !!!!>># An error has occurred while exporting the query result. Unfortunately due to limitations in the HTTP "
    b"1.1 protocol, there is no better way to report this than to append it to the incomplete result. The error "
    b"message was:\nOperation timed out."
)
PAGE = b"<!DOCTYPE html>\n<html><head><title>%s</title><style>p {}</style></head>\n<body><p>%s</p></body></html>"


@dataclass
class Asked:
    """A request to the stand-in server.

    Attributes:
        body: the right answer, as Oxigraph writes it.
        query: the text of the query.
        number: how many requests there were before.
        now: the time, in seconds since 1970.
    """

    body: bytes
    query: str
    number: int
    now: float

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.json["results"]["bindings"]

    @property
    def is_small(self) -> bool:
        """Whether the query asks about one thing only."""
        asked = re.search(r"VALUES [^{]*\{ (.*) \}", self.query)
        if asked is None:
            return True
        names = r'\("(?:[^"\\]|\\.)*" '
        one = names if asked[1].startswith('("') else r"\([^()]*\)" if asked[1].startswith("(") else r"\S+:\S+"
        return len(set(re.findall(one, asked[1]))) <= 1

    def with_rows(self, rows: list[dict[str, Any]], **more: Any) -> bytes:
        return dumped({"head": self.json["head"], "results": {"bindings": rows}} | more)


@dataclass
class Kind:
    """A row of the table.

    Attributes:
        name: whose it is and what it is.
        does: the answer instead of the right one.
        right: `RIGHT`, or why nothing could be looked up.
        says: what the remarks about the endpoint must contain.
    """

    name: str
    does: Callable[[Asked], Answer]
    right: str = RIGHT
    says: tuple[str, ...] = field(default=())


def before_limit(asked: Asked) -> bytes:
    """The number of rows that there are without the LIMIT of the whole query."""
    is_limited = re.search(r"\}\s*LIMIT \d+\s*$", asked.query) is not None
    return dumped(asked.json | {"meta": {"result-size-total": len(asked.rows) + 1000 * is_limited}})


def dumped(answer: object, **options: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False, **options).encode()


@cache
def _answers(data: Path) -> Callable[[str], bytes]:
    """The right answers, which many kinds start from."""
    store = Store()
    store.bulk_load(path=str(data), format=RdfFormat.TURTLE)
    return cache(lambda query: store.query(query).serialize(format=QueryResultsFormat.JSON))


def stand_in(kind: Kind, data: Path, clock: FakeClock) -> Callable[[str], Answer]:
    """What the server answers to each query, for `Faulty.otherwise`. Each answer takes five seconds."""
    n_asked = 0

    def answer(query: str) -> Answer:
        nonlocal n_asked
        n_asked += 1
        clock.now += 5
        return kind.does(Asked(_answers(data)(query), query, n_asked - 1, clock.now))

    return answer


def sends(change: Callable[[Asked], bytes], *, status: int = 200, chunked: bool | str = False, **headers: str):
    """Another body for each answer; an underscore in the name of a header is a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda asked: Answer(status, change(asked), named, chunked=chunked)


def always(status: int, body: bytes = b"", **headers: str):
    return sends(lambda asked: body, status=status, **headers)


def first(fault: Callable[[Asked], Answer]):
    """The fault once, then the right answers."""
    return lambda asked: fault(asked) if asked.number == 0 else Answer(body=asked.body)


def if_large(fault: Callable[[Asked], Answer]):
    """The fault for what asks about several things at once."""
    return lambda asked: Answer(body=asked.body) if asked.is_small else fault(asked)


def same(asked: Asked) -> bytes:
    return asked.body


def half(asked: Asked) -> bytes:
    return asked.with_rows(asked.rows[: len(asked.rows) // 2])


def each_term(change: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[Asked], bytes]:
    return lambda asked: asked.with_rows([{name: change(term) for name, term in row.items()} for row in asked.rows])


def limited(n_rows: int, **headers: str):
    """A service that sends the first rows only; with headers, it says so where it did."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(asked: Asked) -> Answer:
        is_cut = len(asked.rows) >= n_rows
        return Answer(body=asked.with_rows(asked.rows[:n_rows]), headers=named if is_cut else {})

    return answer


def typed(term: dict[str, str]) -> dict[str, str]:
    if term["type"] != "literal" or "xml:lang" in term:
        return term
    return term | {"type": "typed-literal", "datatype": term.get("datatype", "http://www.w3.org/2001/XMLSchema#string")}


def told_language(term: dict[str, str]) -> dict[str, str]:
    if "xml:lang" not in term:
        return term
    datatype = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
    return {"xml:lang": term["xml:lang"].upper(), "datatype": datatype, "value": term["value"], "type": "literal"}


def with_nulls(asked: Asked) -> bytes:
    return asked.with_rows([dict.fromkeys(asked.json["head"]["vars"]) | row for row in asked.rows])


def with_odd_row(term: dict[str, str]) -> Callable[[Asked], bytes]:
    """A row more for each, whose object is such a term."""
    return lambda asked: asked.with_rows(
        [*asked.rows, *(row | {"object": term} for row in asked.rows[:1] if "statement" in row and "object" in row)]
    )


WHOLE = [
    Kind("Oxigraph: as it is", sends(same)),
    Kind(
        "QLever: meta behind the results",
        sends(lambda asked: dumped(asked.json | {"meta": {"query-time-ms": 3, "result-size-total": len(asked.rows)}})),
    ),
    Kind("QLever: meta before the results", sends(lambda asked: dumped({"meta": {"query-time-ms": 3}} | asked.json))),
    Kind("QLever: the number of rows before LIMIT", sends(before_limit)),
    Kind(
        "QLever: warnings and timings",
        sends(
            lambda asked: dumped(
                asked.json | {"warnings": ["The prefix wdt: is unused"], "time": {"total": "3ms"}, "status": "OK"}
            )
        ),
    ),
    Kind(
        "Virtuoso: link, distinct, ordered",
        sends(
            lambda asked: dumped(
                {
                    "head": {"link": [], **asked.json["head"]},
                    "results": {"distinct": False, "ordered": True, "bindings": asked.rows},
                }
            )
        ),
    ),
    Kind("Virtuoso: typed-literal", sends(each_term(typed))),
    Kind(
        "Virtuoso: its headers beside a whole answer",
        sends(
            same,
            Server="Virtuoso/08.03.3333",
            X_SQL_State="00000",
            X_Exec_Milliseconds="12",
            X_Exec_DB_Activity="3 rnd 9 seq",
        ),
    ),
    Kind("Virtuoso: a limit far away", sends(same, X_SPARQL_MaxRows="10000")),
    Kind("Virtuoso: nodeID:// as an IRI", sends(with_odd_row({"type": "uri", "value": "nodeID://b10251"}))),
    Kind("Virtuoso: nodeID:// as a blank node", sends(with_odd_row({"type": "bnode", "value": "nodeID://b10251"}))),
    Kind("Virtuoso: an IRI with a space", sends(with_odd_row({"type": "uri", "value": "http://example.org/a b"}))),
    Kind("Virtuoso: rows twice, from two graphs", sends(lambda asked: asked.with_rows([*asked.rows, *asked.rows]))),
    Kind("GraphDB: rows in another order", sends(lambda asked: asked.with_rows(asked.rows[::-1]))),
    Kind(
        "Stardog: the results before the head",
        sends(lambda asked: dumped({"results": asked.json["results"], "head": asked.json["head"]})),
    ),
    Kind("RDF4J: languages in upper case, with langString", sends(each_term(told_language))),
    Kind(
        "no next page",
        sends(lambda asked: dumped(asked.json | {"next": None, "nextPageToken": "", "links": {"self": "/page1"}})),
    ),
    Kind("unbound variables as null", sends(with_nulls)),
    Kind("no head", sends(lambda asked: dumped({"results": {"bindings": asked.rows}}))),
    Kind("a head without variables", sends(lambda asked: dumped({"head": {}, "results": {"bindings": asked.rows}}))),
    Kind(
        "errors that are none", sends(lambda asked: dumped(asked.json | {"error": None, "errors": [], "exception": ""}))
    ),
    Kind(
        "partial: false",
        sends(lambda asked: dumped(asked.json | {"partial": False, "complete": True}), X_Partial="false"),
    ),
    Kind(
        "members with other members in them",
        sends(lambda asked: dumped({"debug": {"results": {"bindings": []}}} | asked.json)),
    ),
    Kind("a byte order mark", sends(lambda asked: b"\xef\xbb\xbf" + asked.body)),
    Kind(
        "indented, with Windows' line ends", sends(lambda asked: dumped(asked.json, indent=2).replace(b"\n", b"\r\n"))
    ),
    Kind("escapes for all that is not ASCII", sends(lambda asked: json.dumps(asked.json).replace("/", "\\/").encode())),
    Kind("UTF-16", sends(lambda asked: json.dumps(asked.json).encode("utf-16"))),
    Kind("gzip that nobody asked for", sends(lambda asked: gzip.compress(asked.body), Content_Encoding="gzip")),
    Kind("deflate that nobody asked for", sends(lambda asked: zlib.compress(asked.body), Content_Encoding="deflate")),
    Kind("application/json with a charset", sends(same, Content_Type="application/json; charset=utf-8")),
    Kind("another type that is JSON", sends(same, Content_Type="application/x-sparql-results+json")),
    Kind("no content type", sends(same, Content_Type="")),
    Kind("chunks", sends(same, chunked=True)),
    Kind(
        "status 203 of a proxy", sends(same, status=203, Via="1.1 proxy", Warning='214 proxy "Transformation applied"')
    ),
]
"""Whole answers."""

PASSING = [
    Kind("429 with Retry-After", first(always(429, b"Too many requests", Retry_After="7"))),
    Kind(
        "429 with a date in Retry-After",
        first(lambda asked: Answer(429, b"", {"Retry-After": formatdate(asked.now + 7, usegmt=True)})),
    ),
    Kind("Blazegraph: 502 of the proxy", first(always(502, PAGE % (b"502", b"Bad gateway"), Content_Type="text/html"))),
    Kind(
        "503 for maintenance",
        first(always(503, PAGE % (b"503", b"Back soon"), Content_Type="text/html", Retry_After="3")),
    ),
    Kind("200 with a page, once", first(always(200, PAGE % (b"Wait", b"Please wait"), Content_Type="text/html"))),
    Kind("an empty body, once", first(always(200))),
    Kind("half a body, once", first(sends(lambda asked: asked.body[: len(asked.body) // 2]))),
    Kind("half the chunks, once", first(sends(same, chunked="cut"))),
    Kind("no word, once", first(lambda asked: Answer(close=True))),
    Kind(
        "Neptune: throttled, once",
        first(always(500, b'{"code":"ThrottlingException","detailedMessage":"Too many concurrent requests"}')),
    ),
    Kind(
        "Stardog: an error in the place of rows, once",
        first(always(200, b'{"message":"Server is restarting","code":"000012"}')),
    ),
]
"""Faults that pass."""

SMALLER = [
    Kind("a gateway's 504", if_large(always(504, PAGE % (b"504", b"Gateway time-out"), Content_Type="text/html"))),
    Kind(
        "QLever: 429 for a time-out",
        if_large(always(429, b'{"exception":"Operation timed out.","query":"","status":"ERROR"}')),
    ),
    Kind("Blazegraph: 500 for a time-out", if_large(always(500, JAVA, Content_Type="text/plain"))),
    Kind("Blazegraph: a time-out behind half an answer", if_large(sends(lambda asked: asked.body[:-60] + JAVA))),
    Kind("QLever: a time-out behind half an answer", if_large(sends(lambda asked: asked.body[:-60] + QLEVER_CUT))),
    Kind("Oxigraph: a time-out cuts the answer", if_large(sends(lambda asked: asked.body[:-60]))),
    Kind("Fuseki: 503 for a time-out", if_large(always(503, b"Query timed out", Content_Type="text/plain"))),
    Kind(
        "Neptune: a deadline",
        if_large(
            always(
                500,
                b'{"code":"TimeLimitExceededException","detailedMessage":"Operation terminated (deadline exceeded)"}',
            )
        ),
    ),
    Kind(
        "Stardog: an execution time",
        if_large(always(500, b'{"message":"Execution time exceeded query timeout 300000","code":"QE0PE2"}')),
    ),
    Kind("a time-out in a body with 200", if_large(always(200, b'{"error":"Query timed out after 60 s"}'))),
    Kind("413 for a long query", if_large(always(413))),
    Kind("Virtuoso: 206 with the first rows", if_large(sends(half, status=206))),
    Kind(
        "Virtuoso: S1TAT with the first rows",
        if_large(
            sends(
                half,
                X_SQL_State="S1TAT",
                X_SQL_Message="RC...: Returning incomplete results, query interrupted by result timeout.",
                X_Exec_Milliseconds="1001",
            )
        ),
    ),
    Kind(
        "Virtuoso: anytime with the first rows",
        if_large(sends(half, X_SPARQL_Anytime="timeout=1000; max_timeout=1000")),
    ),
    Kind("Virtuoso: S1TAT and no row", if_large(sends(lambda asked: asked.with_rows([]), X_SQL_State="S1TAT"))),
    Kind("Virtuoso: the first 40 rows", limited(40, X_SPARQL_MaxRows="40")),
    Kind(
        "Virtuoso: the first 37 rows, with 206",
        lambda asked: Answer(206 if len(asked.rows) >= 37 else 200, asked.with_rows(asked.rows[:37])),
    ),
    *[
        Kind(f"GraphDB: the first {n} rows, and no word", limited(n))
        for n in (20, 30, 31, 32, 37, 40, 47, 50, 64, 100, 1000)
    ],
    Kind(
        "has more",
        if_large(
            sends(
                lambda asked: dumped(
                    {"head": asked.json["head"], "results": {"bindings": asked.rows[:1], "hasMore": True}}
                )
            )
        ),
    ),
    Kind(
        "a range of items",
        if_large(sends(lambda asked: asked.with_rows(asked.rows[:1]), Content_Range="items 0-0/48")),
    ),
    Kind(
        "QLever: meta tells of more rows",
        if_large(
            sends(
                lambda asked: asked.with_rows(
                    asked.rows[:-1], meta={"result-size-total": len(asked.rows)} if asked.rows else {}
                )
            )
        ),
    ),
    Kind(
        "results tell of more rows",
        if_large(
            sends(
                lambda asked: dumped(
                    {"head": asked.json["head"], "results": {"bindings": asked.rows[:1], "resultSize": 1000}}
                )
            )
        ),
    ),
    Kind(
        "warnings of a cut result",
        if_large(sends(lambda asked: asked.with_rows(asked.rows[:1], warnings=["The result was truncated"]))),
    ),
    Kind("a header: truncated", if_large(sends(half, X_Result_Truncated="true"))),
    Kind("a header: more in all", if_large(sends(half, X_Total_Count="1000000"))),
    Kind("a header: the next page", if_large(sends(half, Link='<http://example.org/sparql?page=2>; rel="next"'))),
    Kind("a header: a warning", if_large(sends(half, Warning='199 - "Partial results"'))),
    Kind(
        "a member: the next page",
        if_large(sends(lambda asked: dumped({"results": {"bindings": asked.rows[:1], "next": "/page2"}}))),
    ),
    Kind(
        "a member: a token for the next page",
        if_large(sends(lambda asked: asked.with_rows(asked.rows[:1], nextPageToken="x7"))),
    ),
    Kind(
        "a member: links to pages",
        if_large(sends(lambda asked: asked.with_rows(asked.rows[:1], links={"self": "/page1", "next": "/page2"}))),
    ),
    Kind("truncated: true", if_large(sends(lambda asked: asked.with_rows(asked.rows[:1], truncated=True)))),
]
"""Faults that pass when less is asked at once."""

NOTHING_ELSE = [
    Kind(
        "401",
        always(401, b"Log in first", WWW_Authenticate='Basic realm="SPARQL"'),
        "refused (401)",
        ("Log in first", 'Basic realm="SPARQL"'),
    ),
    Kind(
        "403 with a page",
        always(403, PAGE % (b"Forbidden", b"Your agent &amp; address are blocked."), Content_Type="text/html"),
        "refused (403)",
        ("Forbidden Your agent & address are blocked.",),
    ),
    Kind(
        "403 with JSON",
        always(403, b'{"error":"missing token"}', Content_Type="application/json"),
        "refused (403)",
        ("missing token",),
    ),
    Kind("404", always(404, b"No such dataset"), "refused (404)", ("No such dataset",)),
    Kind("405", always(405, b"Use GET", Allow="GET"), "refused (405)", ("Use GET", "Allow: GET")),
    Kind("406", always(406, b"Only text/html"), "refused (406)", ("Only text/html",)),
    Kind(
        "415",
        always(415, b"Unsupported form", Accept_Post="application/sparql-query"),
        "refused (415)",
        ("Unsupported form", "application/sparql-query"),
    ),
    Kind(
        "Virtuoso: 400 for many values",
        always(400, b"Virtuoso 37000 Error SP030: SPARQL compiler, line 0: Too many arguments"),
        "refused (400)",
        ("Too many arguments",),
    ),
    Kind(
        "301", always(301, Location="https://example.org/sparql"), "redirected (301)", ("https://example.org/sparql",)
    ),
    Kind(
        "308 as qlever.cs.uni-freiburg.de",
        always(308, Location="/api/wikidata"),
        "redirected (308)",
        ("/api/wikidata",),
    ),
    Kind("302 to nowhere", always(302), "redirected (302)", ("does not say",)),
    Kind("429 until tomorrow", always(429, Retry_After="86400"), "slow down", ()),
    Kind("429 for ever", always(429, b"Rate limit exceeded"), "slow down", ("Rate limit exceeded",)),
    Kind(
        "500 for ever",
        always(500, b"java.lang.NullPointerException\n\tat com.bigdata"),
        "server error (500)",
        ("NullPointerException",),
    ),
    Kind(
        "GraphDB: 503 for ever",
        always(503, b"Insufficient free Heap Memory"),
        "server error (503)",
        ("Insufficient free Heap Memory",),
    ),
    Kind(
        "200 with a page",
        always(200, PAGE % (b"Sign in", b"Sign in to the network"), Content_Type="text/html"),
        "not JSON",
        ("Sign in to the network",),
    ),
    Kind("200 with a page that is said to be JSON", always(200, PAGE % (b"Sign in", b"")), "not JSON", ()),
    Kind(
        "XML results",
        always(200, b'<?xml version="1.0"?><sparql/>', Content_Type="application/sparql-results+xml"),
        "not JSON",
        (),
    ),
    Kind("CSV results", always(200, b"x\r\n", Content_Type="text/csv"), "not JSON", ("text/csv",)),
    Kind("204 for no rows", always(204, Content_Type=""), "empty answer", ()),
    Kind("206 for ever", sends(half, status=206), "incomplete answer", ("206",)),
    Kind("S1TAT for ever", sends(half, X_SQL_State="S1TAT"), "incomplete answer", ("S1TAT",)),
    Kind(
        "a limit of no row",
        sends(lambda asked: asked.with_rows([]), X_SPARQL_MaxRows="0"),
        "incomplete answer",
        ("MaxRows",),
    ),
    Kind(
        "QLever: an exception with 200",
        always(200, b'{"exception":"Undefined variable","status":"ERROR"}'),
        "error instead of an answer",
        ("Undefined variable",),
    ),
    Kind(
        "an error beside rows",
        sends(lambda asked: dumped(asked.json | {"error": "disk failure"})),
        "error instead of an answer",
        ("disk failure",),
    ),
    Kind(
        "the answer to an ASK query",
        always(200, b'{"head":{},"boolean":true}'),
        "answer to an ASK query",
        ("yes or no",),
    ),
    Kind("a list", always(200, b"[]"), "no SPARQL results", ()),
    Kind("another object", always(200, b'{"columns":[],"data":[]}'), "no SPARQL results", ()),
    Kind(
        "bindings that are an object",
        always(200, b'{"head":{"vars":[]},"results":{"bindings":{}}}'),
        "no SPARQL results",
        (),
    ),
    Kind(
        "two members with rows",
        sends(lambda asked: asked.body[:-1] + b',"results":{"bindings":[]}}'),
        "no SPARQL results",
        ("twice",),
    ),
    Kind(
        "objects in objects without end",
        always(200, b'{"head":{"vars":[]},"results":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
        "cut answer",
        ("objects in objects, too deep to be read",),
    ),
    Kind("two documents", sends(lambda asked: asked.body + asked.body), "cut answer", ()),
    Kind("half a body, always", sends(lambda asked: asked.body[:-9]), "cut answer", ()),
    Kind("half the chunks, always", sends(same, chunked="cut"), "connection closed", ()),
    Kind(
        "half of gzip", sends(lambda asked: gzip.compress(asked.body)[:-12], Content_Encoding="gzip"), "cut answer", ()
    ),
    Kind("gzip that nobody told of", sends(lambda asked: gzip.compress(asked.body)), "not JSON", ()),
    Kind(
        "rows about something else",
        sends(
            lambda asked: (
                asked.with_rows(
                    [
                        {
                            "asked": {"type": "uri", "value": "http://www.wikidata.org/entity/Q1"},
                            "name": {"type": "literal", "value": "x"},
                        }
                    ]
                )
                if "?asked" in asked.query
                else asked.body
            )
        ),
        "unexpected answer",
        (),
    ),
    Kind("terms of another type", sends(each_term(lambda term: term | {"type": "iri"})), "no SPARQL results", ()),
    Kind("values that are no text", sends(each_term(lambda term: term | {"value": 5})), "no SPARQL results", ()),
]
"""Faults that do not pass."""

KINDS = [*WHOLE, *PASSING, *SMALLER, *NOTHING_ELSE]
