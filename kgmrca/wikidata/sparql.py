"""SPARQL endpoints: over HTTP, or a local RDF file or folder. Both answer `select`.

Over HTTP only well-formed SPARQL JSON is an answer (https://www.w3.org/TR/sparql11-results-json/). An empty answer
means that the endpoint has nothing. Anything else is tried again where that helps, and becomes an `EndpointError`
otherwise.

Requests are polite to public services
(https://www.mediawiki.org/wiki/Wikidata_Query_Service/User_Manual#Query_limits): one at a time, with a pause between
two, a User-Agent with contact details, `Retry-After` respected, growing pauses after errors, and an end after too many
errors.

Requests go to the endpoint's own host only. Redirects are not followed, and the proxies that environment variables
(`HTTP_PROXY`) name are not used.
"""

import hashlib
import ipaddress
import logging
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlencode, urljoin, urlsplit

from pyoxigraph import QuerySolutions, Store
from SPARQLWrapper import JSON, QueryResult, SPARQLWrapper
from tenacity import RetryCallState, Retrying, wait_exponential_jitter
from tqdm import tqdm

from kgmrca import __version__
from kgmrca.errors import EndpointError, InputError
from kgmrca.progress import counted
from kgmrca.triples.formats import FORMATS
from kgmrca.triples.inputs import opened_rdf, rdf_files
from kgmrca.wikidata.results import NoResults, Row, Term, read_results, said_in, said_incomplete

logger = logging.getLogger(__name__)

__all__ = ["ENDPOINTS", "Clock", "Endpoint", "Row", "Term", "open_endpoint"]

ENDPOINTS = {
    "wikidata": "https://query.wikidata.org/sparql",
    "qlever": "https://qlever.dev/api/wikidata",
}
"""Endpoints by name."""

_TRIES = 5  # of one query, in all
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # between two of them, in seconds; and up to a second of chance
_LONGEST_WAIT = 120.0  # seconds; a longer `Retry-After` is an error
_MOST_ERRORS, _ERROR_WINDOW = 20, 60.0  # in so many seconds; Wikidata allows 30 a minute
_MOST_ERRORS_IN_A_ROW = 3 * _TRIES  # three queries, or one made smaller and smaller, and no answer
_LEAST_PROOF = 1_001  # rows that are asked for to see whether as many are sent
_PROOF_TIMES = 4  # as many rows as in the answer that is to be proved: enough for what follows in most runs
_LEAST_ROUND = 10  # rows; of fewer, no number is more like a limit than another
_PUBLIC_INTERVAL = 1.0  # seconds between two requests
_BIG = 50_000_000  # bytes of RDF, from which on reading shows a progress bar

_JSON_TYPES = ("application/sparql-results+json", "application/json")
_TIMED_OUT = re.compile(r"timed?[\s-]?out|deadline|has been cancell?ed", re.IGNORECASE)
_CONTACT = re.compile(r"[^\s()<>@]+@[^\s()<>@]+\.[^\s()<>@]+|https?://[^\s()<>]+", re.ASCII)
# Where the word SERVICE is no keyword: strings, IRIs, comments, variables (SPARQL 1.1, section 19.8).
_NO_KEYWORDS = re.compile(
    r'"""(?:[^"\\]|\\.|""?(?!"))*"""'
    r"|'''(?:[^'\\]|\\.|''?(?!'))*'''"
    r'|"(?:[^"\\\n\r]|\\.)*"'
    r"|'(?:[^'\\\n\r]|\\.)*'"
    r"|<[^<>\"{}|^`\\\s]*>|#[^\n\r]*|[?$]\w+",
    re.DOTALL,
)


class Clock(Protocol):
    """Tells the time and waits: the module `time`, or a substitute in tests."""

    def time(self) -> float:
        """Seconds since 1970."""

    def monotonic(self) -> float:
        """Seconds since some moment; the value never decreases."""

    def sleep(self, seconds: float, /) -> None:
        """Wait for so many seconds."""


class Endpoint(Protocol):
    """Answers SPARQL queries about Wikidata. Several threads may call `select` at once.

    Attributes:
        name: the URL, or "file:" and a digest of the content of local files.
        queries: the number of queries that were sent.
        inputs: the local file or folder that is read; empty for an endpoint over HTTP.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def inputs(self) -> tuple[Path, ...]: ...  # noqa: D102

    @property
    def queries(self) -> int: ...  # noqa: D102

    def select(self, query: str) -> list[Row]:
        """The solutions of a SELECT query.

        Raises:
            InputError: it is no SELECT query, or it contains SERVICE, which would send it to another endpoint.
            EndpointError: there is no usable answer, also after retries.
        """


def open_endpoint(
    where: str | Path,
    *,
    contact: str | None = None,
    timeout: float = 60.0,
    interval: float | None = None,
    clock: Clock = time,
    progress: bool | None = None,
    offline: bool = False,
) -> Endpoint:
    """Make an endpoint. Nothing is sent or read before the first query.

    Args:
        where: one of `ENDPOINTS`, an http or https URL, or a local RDF file or a folder of such files (.ttl, .nt, .nq,
            .trig, .jsonld, .rdf, each also with .gz).
        contact: your mail address or URL, by which those who run a public endpoint can reach you. A public endpoint
            needs it.
        timeout: seconds until a query counts as timed out. Queries of local files never do.
        interval: the shortest time between two requests, in seconds; None: 1 for a public endpoint, else 0.
        clock: tells the time.
        progress: whether to show a progress bar while a large file is read; None: if standard error is a terminal.
        offline: whether no request may be sent. Then a public endpoint needs no contact.

    Raises:
        InputError: `where` is none of these, or the contact is missing or malformed.

    >>> open_endpoint("http://127.0.0.1:7878/query").name
    'http://127.0.0.1:7878/query'
    """
    url = ENDPOINTS.get(str(where), str(where))
    if "://" not in url:
        return _Local(Path(where), progress=progress)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.fragment and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f-\U0010ffff]", url):
        raise InputError(f"'{url}' is not the URL of an endpoint, such as https://host/path.")
    if parts.username is not None:
        raise InputError(
            f"The URL of the endpoint at {parts.hostname} contains a user name, which would be sent to the server. "
            "Remove it."
        )
    if offline:
        return _Offline(url)
    is_public = not _is_loopback(cast(str, parts.hostname))
    if contact is None and is_public:
        raise InputError(
            f"{parts.hostname} is a public endpoint: say with `contact` (--contact) how those who run it can reach "
            "you, by a mail address or a URL. Wikidata refuses requests without that."
        )
    if contact is not None and not (contact.isascii() and contact.isprintable() and _CONTACT.fullmatch(contact)):
        raise InputError(f"The contact {contact!r} is neither a mail address nor an http(s) URL.")
    if interval is None:
        interval = _PUBLIC_INTERVAL if is_public else 0.0
    return _Http(url, contact=contact, timeout=timeout, interval=interval, clock=clock)


class _Local:
    """RDF files, which are read into memory at the first query."""

    def __init__(self, path: Path, *, progress: bool | None) -> None:
        self.queries = 0
        self.inputs = (path,)
        self._files = _rdf_files(path)
        self._progress = progress
        self._lock = threading.Lock()
        self._store: tuple[Store, bool] | None = None

    @cached_property
    def name(self) -> str:
        # The name depends on the content only, not on the names of files and folders.
        digests = sorted(map(_digest, self._files))
        return f"file:{digests[0] if len(digests) == 1 else hashlib.sha256(''.join(digests).encode()).hexdigest()}"

    def select(self, query: str) -> list[Row]:
        _refuse_service(query)
        with self._lock:  # the first thread reads the files
            self._store = self._store or self._read()
            self.queries += 1
        store, has_graphs = self._store
        try:
            answer = store.query(query, use_default_graph_as_union=has_graphs)
        except SyntaxError as error:
            raise InputError(f"This is not SPARQL: {error}.") from error
        if not isinstance(answer, QuerySolutions):
            raise InputError("This is no SELECT query.")
        return _rows(answer)

    def _read(self) -> tuple[Store, bool]:
        """The triples of the files, and whether some are in named graphs."""
        store = Store()
        for path in self._files:
            size = path.stat().st_size
            hidden = True if size < _BIG else None if self._progress is None else not self._progress
            with (
                tqdm(total=size, unit="B", unit_scale=True, desc=path.name, disable=hidden) as bar,
                opened_rdf(path, on_read=bar.update) as (content, format),
            ):
                store.bulk_load(content, FORMATS[format])
        return store, next(iter(store.named_graphs()), None) is not None


class _Offline:
    """A SPARQL endpoint that is not asked."""

    def __init__(self, url: str) -> None:
        self.name = url
        self.inputs: tuple[Path, ...] = ()
        self.queries = 0

    def select(self, query: str) -> list[Row]:
        raise EndpointError(f"{self.name} is not asked, because this is offline.", reason="offline")


class _Trouble(EndpointError):
    """A request that failed. It is sent `tries` times in all; after a final failure no further query is sent."""

    def __init__(
        self, message: str, *, reason: str, is_timeout: bool = False, tries: int = _TRIES, is_final: bool = False
    ) -> None:
        super().__init__(message, reason=reason, is_timeout=is_timeout)
        self.tries = tries
        self.is_final = is_final


class _Http:
    """A SPARQL endpoint over HTTP (https://www.w3.org/TR/sparql11-protocol/), asked by POST."""

    def __init__(self, url: str, *, contact: str | None, timeout: float, interval: float, clock: Clock) -> None:
        self.name = url
        self.inputs: tuple[Path, ...] = ()
        self.queries = 0
        self._agent = f"kgmrca/{__version__}" + (f" ({contact})" if contact else "")
        self._timeout = timeout
        self._interval = interval
        self._clock = clock
        self._turn = threading.Lock()
        self._not_before = 0.0  # by the monotonic clock
        self._errors: deque[float] = deque()  # when they were, in the last `_ERROR_WINDOW` seconds
        self._errors_in_a_row = 0
        self._stopped: EndpointError | None = None
        self._sends = 0  # fewer rows than in an answer that is whole are never a cut answer
        self._can_prove = True  # until it gives no whole answer to a query for more rows
        self._limit = 0  # rows that it sends at most; 0 as long as no limit is known

    def select(self, query: str) -> list[Row]:
        _refuse_service(query)
        with self._turn:
            return self._tried(self._ask, query)

    def _tried(self, ask: Callable[[str], list[Row]], query: str) -> list[Row]:
        """What a query is answered, tried again where that helps."""
        pause = wait_exponential_jitter(initial=_FIRST_PAUSE, max=_LONGEST_PAUSE, jitter=1.0)
        return Retrying(retry=_is_worth_another, wait=pause, sleep=self._clock.sleep, reraise=True)(ask, query)

    def _ask(self, query: str) -> list[Row]:
        rows = self._send(query)
        if self._may_be_cut(len(rows)):
            trouble = self._cut("incomplete answer", f"{counted(len(rows), 'row')}, which may be the most it sends")
            self._count(trouble)
            raise trouble
        return rows

    def _may_be_cut(self, n_rows: int) -> bool:
        """Whether the service may have sent the first rows only. Many do, and not all say so.

        That an answer is whole is proved by a longer one. The proof has several times its rows, and so mostly serves
        for all that follow.
        """
        if self._limit:
            return n_rows >= self._limit
        if n_rows < max(self._sends, 1):
            return False
        return (self._can_prove or _may_be_limit(n_rows)) and not self._sends_more_than(n_rows)

    def _send(self, query: str) -> list[Row]:
        self._wait_for_turn()
        self.queries += 1
        try:
            rows = self._request(query)
        except _Trouble as trouble:
            logger.info("Query %d failed: %s", self.queries, trouble)
            self._count(trouble)
            raise
        finally:
            self._not_before = max(self._not_before, self._clock.monotonic() + self._interval)
        self._errors_in_a_row = 0
        logger.info("Query %d to %s was answered with %d rows.", self.queries, self.name, len(rows))
        return rows

    def _sends_more_than(self, n_rows: int) -> bool:
        """Whether an answer can have more rows: asked for with a query that has more, whatever the data are.

        If that one is not whole either, its length is the limit of the service.
        """
        # Without LIMIT: QLever would tell the number of rows before it, and that more are there than were sent.
        n_asked = max(_PROOF_TIMES * n_rows, _LEAST_PROOF)
        n_others = len(str(n_asked)) - 1
        first = -(-n_asked // 10**n_others)
        digits = [f'"{digit}"' for digit in range(10)]
        sizes = [first, *[10] * n_others]
        values = " ".join(f"VALUES ?d{place} {{ {' '.join(digits[:size])} }}" for place, size in enumerate(sizes))
        try:
            n_sent = len(self._tried(self._send, f"SELECT ?d0 WHERE {{ {values} }}"))
        except _Trouble:
            self._can_prove = False  # a service that says when it cuts an answer comes here too
            return not _may_be_limit(n_rows)
        if n_sent < first * 10**n_others:
            self._limit = max(n_sent, n_rows)
        else:
            self._sends = n_sent
        return n_sent > n_rows

    def _wait_for_turn(self) -> None:
        if self._stopped:
            raise EndpointError(str(self._stopped), reason=self._stopped.reason)
        wait = self._not_before - self._clock.monotonic()
        if wait > _LONGEST_WAIT:
            raise EndpointError(
                f"{self.name} allows the next request in {_in_words(wait)}. Run the command again after that.",
                reason="slow down",
            )
        if wait > 0:
            self._clock.sleep(wait)

    def _count(self, trouble: _Trouble) -> None:
        now = self._clock.monotonic()
        if trouble.reason != "incomplete answer":  # for the service that is no error
            self._errors.append(now)
        while self._errors and self._errors[0] <= now - _ERROR_WINDOW:
            self._errors.popleft()
        self._errors_in_a_row += 1
        if trouble.is_final:
            self._stopped = trouble
        elif len(self._errors) >= _MOST_ERRORS or self._errors_in_a_row >= _MOST_ERRORS_IN_A_ROW:
            self._stopped = EndpointError(
                f"No more queries are sent to {self.name}: {self._errors_in_a_row} in a row got no usable answer, and "
                f"{len(self._errors)} in the last {_ERROR_WINDOW:.0f} s an error. The last: {trouble}",
                reason="gave up: too many errors",
            )

    def _request(self, query: str) -> list[Row]:
        """Send one request. Every failure is raised as a `_Trouble`."""
        deadline = self._clock.monotonic() + self._timeout
        wrapper = _Wrapper(self.name, agent=self._agent)  # a new one for each request, because it keeps state
        wrapper.setReturnFormat(JSON)
        wrapper.timeout = cast(int, self._timeout)  # setTimeout() would cut it to whole seconds
        wrapper.queryString = query  # setQuery() would guess from the text whether it is an update
        try:
            with wrapper.query().response as response:
                body, status, headers = self._read(response, deadline), response.status, response.headers
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, deadline) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        except urllib.error.URLError as error:  # nothing was answered: DNS, TLS, connection
            if isinstance(error.reason, ssl.SSLError):
                text = f"no safe connection to {self.name}: {error.reason}"
                raise _Trouble(text, reason="TLS failure", tries=1, is_final=True) from error
            raise _Trouble(f"{self.name} cannot be reached: {error.reason}", reason="unreachable") from error
        except (OSError, HTTPException) as error:
            text = f"{self.name} closed the connection: {type(error).__name__} {error}"
            raise _Trouble(text, reason="connection closed") from error
        return self._answer(body, status, headers)

    def _read(self, response: HTTPResponse, deadline: float) -> bytes:
        # The socket's time-out is per packet, so a slow answer could otherwise take for ever.
        blocks = []
        while block := response.read1(1 << 16):
            blocks.append(block)
            if self._clock.monotonic() > deadline:
                raise TimeoutError
        body = b"".join(blocks)
        if response.headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip", "deflate"):
            unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # some compress although nobody asked for it
            with suppress(zlib.error):  # what can be unpacked tells what is wrong
                body = unpacking.decompress(body)
        return body

    def _answer(self, body: bytes, status: int, headers: Message) -> list[Row]:
        type_ = headers.get_content_type() if headers.get("Content-Type") else _JSON_TYPES[0]  # the body will tell
        if not (type_ in _JSON_TYPES or type_.endswith("+json")):
            said = f"{self.name} answered with {type_}, not with SPARQL results as JSON"
            raise _Trouble(_sentence(said, said_in(body)), reason="not JSON")
        if not body.strip():
            raise _Trouble(f"{self.name} answered with nothing.", reason="empty answer")
        try:
            rows = read_results(body)
        except NoResults as error:
            raise self._no_results(error, body) from None
        if said := said_incomplete(status, headers, len(rows)):
            raise self._cut("incomplete answer", said)
        return rows

    def _no_results(self, error: NoResults, body: bytes) -> _Trouble:
        """The failure that a body without the rows of the query means."""
        # Wikidata's service and Oxigraph report that a query timed out behind the partial answer.
        if _TIMED_OUT.search(error.said) or (
            error.reason == "cut answer" and _TIMED_OUT.search(body[-4096:].decode("utf-8", "replace"))
        ):
            return self._timed_out()
        if error.reason == "answer to an ASK query":
            return _Trouble(f"{self.name} answered yes or no, and not with rows.", reason=error.reason, tries=2)
        if error.reason == "error instead of an answer":
            text = _sentence(f"{self.name} sent an error instead of an answer", error.said)
            return _Trouble(text, reason=error.reason)
        return self._cut(error.reason, error.said)

    def _cut(self, reason: str, said: str) -> _Trouble:
        # A smaller query may get a whole answer, or avoid the part that cannot be read.
        what = "no SPARQL results" if reason in ("not JSON", "no SPARQL results") else "an incomplete answer"
        return _Trouble(
            _sentence(f"{self.name} sent {what}", said),
            reason=reason,
            is_timeout=True,
            tries=1 if reason == "incomplete answer" else 2,
        )

    def _refusal(self, error: urllib.error.HTTPError, deadline: float) -> _Trouble:
        """The failure that an answer with another status than 200 means."""
        self._keep_away(error.headers)
        try:
            text = self._read(cast(HTTPResponse, error), deadline)[:4096].decode("utf-8", "replace")
        except (OSError, HTTPException):
            text = ""
        status = f"{self.name} answered {error.code} {error.reason}".strip()
        # For a query that took too long QLever answers 429, Wikidata's service 500, and a gateway 504.
        if error.code in (408, 504) or (error.code in (429, 500, 502, 503) and _TIMED_OUT.search(text)):
            return self._timed_out()
        if error.code == 413:
            return _Trouble(f"{status}.", reason="too large (413)", is_timeout=True, tries=1)
        said = _sentence(status, said_in(text.encode()), _said_by(error.headers))
        if error.code == 429:
            return _Trouble(said, reason="slow down")
        if error.code >= 500:
            return _Trouble(said, reason=f"server error ({error.code})")
        if error.code < 400:
            return _Trouble(_moved(self.name, error), reason=f"redirected ({error.code})", tries=1, is_final=True)
        is_final = error.code not in (400, 414, 422)  # these concern this query only
        return _Trouble(said, reason=f"refused ({error.code})", tries=1, is_final=is_final)

    def _keep_away(self, headers: Message) -> None:
        """Send nothing before the time of `Retry-After`: a number of seconds or a date (RFC 9110, section 10.2.3)."""
        given = headers.get("Retry-After", "").strip()
        if re.fullmatch("[0-9]{1,9}", given, re.ASCII):
            seconds = float(given)
        else:
            try:
                date = parsedate_to_datetime(given)
            except (ValueError, TypeError, OverflowError):
                return
            seconds = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp() - self._clock.time()
        self._not_before = max(self._not_before, self._clock.monotonic() + seconds)

    def _timed_out(self) -> _Trouble:
        return _Trouble(f"{self.name} took too long over a query.", reason="timed out", is_timeout=True, tries=1)


class _Wrapper(SPARQLWrapper):
    """A SPARQLWrapper that posts its query to the endpoint's own host; every status but 200 raises an HTTPError.

    SPARQLWrapper follows redirects and uses proxies, and has no setting against either. So its public method `query` is
    replaced, which is all that is used of it to send a query.
    """

    def query(self) -> QueryResult:
        """Post the query as a form (SPARQL 1.1 Protocol, section 2.1.2)."""
        headers = {
            "User-Agent": self.agent,
            "Accept": ",".join(_JSON_TYPES),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = urlencode({"query": self.queryString}).encode("ascii")
        request = urllib.request.Request(self.endpoint, form, headers)  # noqa: S310, http or https only
        return QueryResult((_OPENER.open(request, timeout=self.timeout), self.returnFormat))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Refuse: the base class would send a GET without the query, to any host."""


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def _is_worth_another(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, _Trouble) and state.attempt_number < error.tries


def _may_be_limit(n_rows: int) -> bool:
    """Whether so many rows are a number that people choose as a limit: a round one, or one beside a power of two.

    >>> [number for number in (9, 10, 37, 100, 2500, 10_000, 12_345, 65_535, 65_536) if _may_be_limit(number)]
    [10, 100, 2500, 10000, 65535, 65536]
    """
    is_round = re.fullmatch("([1-9]|15|25)0+", str(n_rows), re.ASCII) is not None
    return n_rows >= _LEAST_ROUND and (is_round or n_rows & (n_rows - 1) == 0 or n_rows & (n_rows + 1) == 0)


def _refuse_service(query: str) -> None:
    words = _NO_KEYWORDS.sub(" ", query)
    # An escape (backslash, u and a code point) could hide a letter of the word.
    if "\\" in words or re.search(r"\bSERVICE\b", words, re.IGNORECASE):
        raise InputError("A query with SERVICE would be sent on to another endpoint, so it is refused.")


def _in_words(seconds: float) -> str:
    """A time in the unit that makes it short to read.

    >>> _in_words(150), _in_words(86_400), _in_words(2_300_273_519)
    ('150 s', '24 hours', 'more than a year')
    """
    if seconds > 365 * 86_400:
        return "more than a year"
    for unit, length in (("days", 86_400), ("hours", 3_600)):
        if seconds >= 2 * length or (unit == "hours" and seconds >= length):
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:,.0f} s"


def _moved(name: str, error: urllib.error.HTTPError) -> str:
    target = error.headers.get("Location")
    if not target:
        return f"{name} is at another address, and does not say at which ({error.code})."
    return (
        f"{name} sends requests on to {urljoin(name, target)} ({error.code}). They are not sent to another address "
        "unless you name it: if you trust it, give it as the endpoint."
    )


def _said_by(headers: Message) -> str:
    """What the headers of a refusal say."""
    names = ("WWW-Authenticate", "Allow", "Accept-Post")
    return ", ".join(f"{name}: {headers[name]}" for name in names if name in headers)


def _sentence(*parts: str) -> str:
    return ": ".join(part for part in (one.strip().rstrip(".:") for one in parts) if part) + "."


def _rows(solutions: QuerySolutions) -> list[Row]:
    names = [variable.value for variable in solutions.variables]
    return [
        {name: term for name, term in zip(names, solution, strict=True) if term is not None} for solution in solutions
    ]


def _rdf_files(path: Path) -> list[Path]:
    if path.exists() and not (path.is_dir() or path.is_file()):
        what = "a named pipe (FIFO)" if path.is_fifo() else "a socket or a device"
        raise InputError(
            f"'{path}' is {what}, and the file of an endpoint is read more than once: save it as a file first."
        )
    if not path.exists():
        raise InputError(
            f"There is no file or folder '{path}'; an endpoint is one of {', '.join(ENDPOINTS)}, an http(s) URL, or an "
            "RDF file or folder."
        )
    return [Path(file.path) for file in rdf_files(path)]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
