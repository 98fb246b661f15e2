"""The HTTP service: texts in, relations out, as JSON or RDF.

    POST /relations     the relations of a text, or of several
    POST /check         the same, each compared with an endpoint, if one is configured
    GET  /              a page to try it, if that is asked for; it uses these two as any client does
    GET  /health        200 while the process answers
    GET  /ready         200 if another request would be taken, else 503
    GET  /metrics       figures for Prometheus
    GET  /openapi.json  all of this as OpenAPI

Errors are problem details (RFC 9457) that say what was wrong and what to do.
"""

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple, TypeAlias, TypeVar

from pyoxigraph import Quad, Triple
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca import __version__
from kgmrca.convert import check_entities, operating_points, takes_threshold, threshold_settings
from kgmrca.errors import DependencyError, InputError, ModelError
from kgmrca.relations import Threshold, as_dict
from kgmrca.serve.batching import Batcher
from kgmrca.serve.checking import Checker
from kgmrca.serve.playground import playground
from kgmrca.triples.docs import document_iri
from kgmrca.triples.formats import write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, text_digest
from kgmrca.triples.records import Statement
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples
from kgmrca.wikidata.verdicts import Verdict

try:
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
    from prometheus_client.exposition import generate_latest
    from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route
except ImportError as error:
    raise DependencyError(f"`kgmrca serve` needs more libraries: pip install 'kgmrca[serve]'. {error}.") from error

__all__ = ["MAX_DOCUMENTS", "MEDIA_TYPES", "Limits", "accepted", "make_app"]

MAX_DOCUMENTS = 256
"""The largest number of documents of a request."""

MEDIA_TYPES = {
    "application/json": None,
    "text/turtle": "turtle",
    "application/n-triples": "ntriples",
    "application/n-quads": "nquads",
    "application/trig": "trig",
    "application/ld+json": "jsonld",
    "application/rdf+xml": "rdfxml",
}
"""What can be asked for, the default first, with the format of RDF that each is."""

_PROBLEM = "application/problem+json"

_T = TypeVar("_T")
_Handler: TypeAlias = "Callable[[Request], Awaitable[Response]]"

logger = logging.getLogger(__name__)


class Document(BaseModel):
    """A text to read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(description="What to read. It has at least one character that is no white space.", pattern=r"\S")
    id: Annotated[str, Field(min_length=1)] | int | None = Field(
        None, description="What the document is called in RDF. Without it, it is called by the digest of its text."
    )


class Batch(BaseModel):
    """Several texts to read, each for itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    documents: list[Document] = Field(min_length=1, max_length=MAX_DOCUMENTS)


def _kind(value: Any) -> str:
    return "batch" if isinstance(value, Batch) or (isinstance(value, dict) and "documents" in value) else "document"


_BODY: TypeAdapter[Document | Batch] = TypeAdapter(
    Annotated[Annotated[Document, Tag("document")] | Annotated[Batch, Tag("batch")], Discriminator(_kind)]
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes.

    Attributes:
        max_size: the longest body of a request, in bytes.
        max_requests: how many requests may be in hand at the same time. Further ones are answered with 503.
        timeout: how long a request may take, in seconds: to arrive, and then to be read.
    """

    max_size: int = 200_000
    max_requests: int = 128
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if self.max_size < 1 or self.max_requests < 1 or not self.timeout > 0:
            raise InputError("The limits of the service must be more than 0.")


def make_app(
    nlp: Language,
    *,
    threshold: Threshold | None = None,
    base: str = DEFAULT_BASE,
    limits: Limits | None = None,
    checker: Checker | None = None,
    ui: bool = False,
) -> Starlette:
    """The service as an ASGI application. It has `nlp` to itself, which is used in one thread.

    Args:
        nlp: a pipeline with a relation component.
        threshold: the score from which a relation is given if a request names none (see `kgmrca.convert.convert`).
        base: the beginning of the IRIs that are made for RDF.
        limits: what it takes.
        checker: compares relations with an endpoint. The application closes it.
        ui: whether "/" is a page to try the service.

    Raises:
        InputError: `base` or the threshold cannot be used.
        ModelError: the pipeline takes no threshold, or gives no entities to its relation component.
    """
    Iris(base)
    check_entities(nlp)
    service = _Service(nlp, threshold_settings(nlp, threshold), base, limits or Limits(), checker)
    routes = [
        Route("/relations", service.relations, methods=["POST"]),
        Route("/health", service.health),
        Route("/ready", service.ready),
        Route("/metrics", service.metrics),
        Route("/openapi.json", service.openapi),
    ]
    if checker:
        routes.append(Route("/check", service.check, methods=["POST"]))
    if ui:
        content, headers = playground(
            nlp, threshold=threshold, endpoint=checker.name if checker else None, max_size=service.max_size
        )
        routes.append(Route("/", lambda request: Response(content, headers=headers)))
    return Starlette(
        routes=routes,
        exception_handlers={HTTPException: _on_error, Exception: _on_fault},
        lifespan=service.lifespan,
    )


class _Asked(NamedTuple):
    """What a request asks: documents, and the settings by which they are read."""

    documents: list[Document]
    settings: Mapping[str, dict[str, Any]]


class _Service:
    def __init__(
        self,
        nlp: Language,
        settings: dict[str, dict[str, Any]],
        base: str,
        limits: Limits,
        checker: Checker | None,
    ) -> None:
        self._nlp, self._settings, self._base, self._limits = nlp, settings, base, limits
        self._checker = checker
        self._batcher: Batcher | None = None
        self._in_hand = 0
        self._description = _description(nlp, has_check=checker is not None)
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._answers = Counter(
            "kgmrca_requests", "Requests for relations, by the status of the answer.", ["status"], registry=registry
        )
        self._seconds = Histogram("kgmrca_request_seconds", "How long requests for relations took.", registry=registry)
        self._batches = Histogram(
            "kgmrca_batch_documents",
            "How many documents were read together.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        Gauge(
            "kgmrca_requests_in_hand", "Requests for relations that have no answer yet.", registry=registry
        ).set_function(lambda: self._in_hand)
        Gauge("kgmrca_vocabulary_strings", "Strings that spaCy's vocabulary holds.", registry=registry).set_function(
            lambda: len(nlp.vocab.strings)
        )

    @property
    def max_size(self) -> int:
        """The longest body of a request, in bytes."""
        return self._limits.max_size

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Keep the threads that read and check, for as long as the service runs."""
        # An endpoint is asked in a thread of its own, one text after the other: nothing else waits for it.
        with ThreadPoolExecutor(1, "kgmrca-checker") as self._checking:
            self._free = asyncio.Lock()
            async with Batcher(self._nlp, observe=self._batches.observe) as self._batcher:
                yield
            self._batcher = None
        if self._checker:
            self._checker.close()

    async def relations(self, request: Request) -> Response:
        """POST /relations."""
        return await self._counted(request, self._relations)

    async def check(self, request: Request) -> Response:
        """POST /check."""
        return await self._counted(request, self._check)

    async def _counted(self, request: Request, answer: _Handler) -> Response:
        """Count the request, and answer it within the limits."""
        started = time.monotonic()
        try:
            if self._in_hand >= self._limits.max_requests:
                raise _problem(
                    503,
                    f"{self._in_hand} requests are in hand, and no more are taken now. Try again.",
                    {"Retry-After": "1"},
                )
            self._in_hand += 1
            try:
                response = await answer(request)
            finally:
                self._in_hand -= 1
        except HTTPException as error:
            response = _on_error(request, error)
        except ClientDisconnect:
            response = Response(status_code=400)  # which nobody receives
        except Exception as error:
            response = _on_fault(request, error)
        self._answers.labels(str(response.status_code)).inc()
        self._seconds.observe(time.monotonic() - started)
        return response

    async def _relations(self, request: Request) -> Response:
        media_type = _agreed(request, MEDIA_TYPES)
        asked = await self._asked(request)

        def make_answer(docs: list[Doc]) -> bytes:
            return self._as_json(docs, asked) if media_type == _JSON else self._as_rdf(docs, asked, media_type)

        return _answer(await self._read(asked, make_answer), media_type)

    async def _check(self, request: Request) -> Response:
        media_type = _agreed(request, [_JSON])
        asked = await self._asked(request)

        def make_answer(docs: list[Doc]) -> tuple[list[dict[str, Any]], list[list[Statement]], list[Triple | Quad]]:
            said, triples = self._said(docs, asked, text=True)
            return self._plain(docs, asked), said, triples

        read, said, triples = await self._read(asked, make_answer)
        checked = await self._checked(triples)
        for document, found in zip(read, said, strict=True):
            of_relation = {
                (one.label, one.subject_mention.start, one.object_mention.start): checked.get(one.iri) for one in found
            }
            for relation in document["relations"]:
                place = relation["label"], relation["subject"]["start"], relation["object"]["start"]
                relation["check"] = of_relation.get(place)
        return _answer(json.dumps({"documents": read}, ensure_ascii=False).encode(), media_type)

    async def _checked(self, triples: list[Triple | Quad]) -> dict[str, dict[str, Any]]:
        """What the endpoint says of the statements in triples, by their IRIs."""
        assert self._checker
        try:
            await asyncio.wait_for(self._free.acquire(), self._limits.timeout)
        except asyncio.TimeoutError:
            raise _problem(
                503,
                "Other texts are being checked, one after the other. Try again.",
                {"Retry-After": f"{self._limits.timeout:.0f}"},
            ) from None
        try:
            # It has an end of its own, so that what was answered until then is told.
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._checking, partial(self._checker.check, triples, base=self._base))
        finally:
            self._free.release()

    async def _asked(self, request: Request) -> _Asked:
        """What a request asks."""
        settings = self._settings_of(request)
        kind = _content_type(request.headers.get("content-type", ""))
        _check_not_packed(request.headers.getlist("content-encoding"))
        try:
            body = await asyncio.wait_for(self._body(request), self._limits.timeout)
        except asyncio.TimeoutError:
            raise _problem(
                408, f"The body did not arrive within {self._limits.timeout:g} seconds. Send it at once."
            ) from None
        return _Asked(self._documents(body, kind), settings)

    def _settings_of(self, request: Request) -> dict[str, dict[str, Any]]:
        for name in request.query_params:
            if name != "threshold":
                raise _problem(422, f"{name}: there is no such parameter, only threshold. See /openapi.json.")
        given = request.query_params.getlist("threshold")
        if not given:
            return self._settings
        if len(given) > 1:
            raise _problem(422, f"threshold: it is given {len(given)} times. Give it once.")
        try:
            threshold: float | str = float(given[0])
        except ValueError:
            threshold = given[0]
        if isinstance(threshold, float) and not 0 <= threshold <= 1:
            raise _problem(422, f"threshold: {given[0]} is not from 0 to 1.")
        try:
            return threshold_settings(self._nlp, threshold)
        except (InputError, ModelError) as error:
            raise _problem(422, f"threshold: {error}") from error

    async def _read(self, asked: _Asked, make_answer: Callable[[list[Doc]], _T]) -> _T:
        """What `make_answer` makes of the Docs."""
        assert self._batcher
        texts = [document.text for document in asked.documents]
        try:
            reading = self._batcher.read(texts, make_answer, asked.settings)
            return await asyncio.wait_for(reading, self._limits.timeout)
        except asyncio.TimeoutError:
            raise _problem(
                504,
                f"The texts were not read within {self._limits.timeout:g} seconds. Send less, or try again later.",
            ) from None
        except InputError as error:
            raise _problem(422, str(error)) from error

    async def _body(self, request: Request) -> bytes:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limits.max_size:
            # The server receives the rest after the answer: most clients read none before they have sent all.
            raise self._too_long(int(declared))
        chunks, size = [], 0
        # Where the length is not told, what is too long is received to its end without being kept, for such clients.
        async for chunk in request.stream():
            size += len(chunk)
            if size <= self._limits.max_size:
                chunks.append(chunk)
            else:
                chunks.clear()
        if size > self._limits.max_size:
            raise self._too_long(size)
        return b"".join(chunks)

    def _too_long(self, size: int) -> HTTPException:
        taken = self._limits.max_size
        return _problem(413, f"The body has {size:,} bytes, and {taken:,} are taken. Send several requests.")

    def _documents(self, body: bytes, kind: str) -> list[Document]:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _problem(
                400, f"The body is not UTF-8: {error.reason} at byte {error.start}. Encode it in UTF-8."
            ) from error
        try:
            read = _BODY.validate_json(text) if kind == _JSON else Document(text=text, id=None)
        except ValidationError as error:
            raise _invalid(error) from error
        documents = read.documents if isinstance(read, Batch) else [read]
        longest = max(len(document.text) for document in documents)
        if longest > self._nlp.max_length:
            raise _problem(
                413,
                f"A text has {longest:,} characters, and the pipeline takes {self._nlp.max_length:,}. Cut it.",
            )
        return documents

    def _plain(self, docs: Sequence[Doc], asked: _Asked) -> list[dict[str, Any]]:
        return [{"id": one.id, **as_dict(doc)} for doc, one in zip(docs, asked.documents, strict=True)]

    def _as_json(self, docs: Sequence[Doc], asked: _Asked) -> bytes:
        return json.dumps({"documents": self._plain(docs, asked)}, ensure_ascii=False).encode()

    def _as_rdf(self, docs: Sequence[Doc], asked: _Asked, media_type: str) -> bytes:
        out = io.BytesIO()
        format_ = MEDIA_TYPES[media_type]
        assert format_
        write(self._said(docs, asked)[1], out, format=format_, base=self._base)
        return out.getvalue()

    def _said(
        self, docs: Sequence[Doc], asked: _Asked, *, text: bool = False
    ) -> tuple[list[list[Statement]], list[Triple | Quad]]:
        """The statements of each Doc, and the triples of all."""
        said: list[list[Statement]] = []
        triples: list[Triple | Quad] = []
        for doc, one in zip(docs, asked.documents, strict=True):
            name = "" if one.id is None else str(one.id)
            found = list(statements(doc, document_id=name or None, base=self._base))
            iri = document_iri(doc, name, self._base)
            triples += document_triples(iri, name or text_digest(doc.text), found, base=self._base, text=text)
            said.append(found)
        return said, triples

    async def health(self, request: Request) -> Response:
        """GET /health."""
        return JSONResponse({"status": "ok", "version": __version__})

    async def ready(self, request: Request) -> Response:
        """GET /ready."""
        if self._batcher is None or self._in_hand >= self._limits.max_requests:
            raise _problem(503, "No more requests are taken now. Try again.", {"Retry-After": "1"})
        return JSONResponse({"status": "ready", "model": f"{self._nlp.meta['lang']}_{self._nlp.meta['name']}"})

    async def metrics(self, request: Request) -> Response:
        """GET /metrics."""
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(self._description)


_JSON = "application/json"


def _agreed(request: Request, media_types: Sequence[str] | dict[str, Any]) -> str:
    media_type = accepted(request.headers.get("accept"), media_types)
    if media_type is None:
        raise _problem(406, f"None of the media types in Accept can be given. Ask for {_listed(media_types)}.")
    return media_type


def _answer(content: bytes, media_type: str) -> Response:
    return Response(content, media_type=media_type, headers={"X-Content-Type-Options": "nosniff", "Vary": "Accept"})


def accepted(header: str | None, media_types: Iterable[str] = MEDIA_TYPES) -> str | None:
    """Which media type an Accept header (RFC 9110, section 12.5.1) prefers, else the first; None: it takes none.

    >>> accepted(None), accepted("text/turtle;q=0.5, application/*;q=0.4"), accepted("text/html")
    ('application/json', 'text/turtle', None)
    """
    if header is None or not header.strip():
        return _JSON
    ranges = []
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        try:
            ranges.append((name, float(quality)))
        except ValueError:
            continue  # a weight that is no number says nothing

    def weight(media_type: str) -> float:
        for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
            for asked, quality in ranges:
                if asked == name:
                    return quality
        return 0.0

    best = max(media_types, key=weight)
    return best if weight(best) > 0 else None


def _content_type(header: str) -> str:
    kind, *parameters = (piece.strip().lower() for piece in header.split(";"))
    if kind not in (_JSON, "text/plain"):
        named = f"'{kind}'" if kind else "missing"
        raise _problem(415, f"The Content-Type is {named}. Send application/json, or a text as text/plain.")
    charset = next((piece[8:].strip('"') for piece in parameters if piece.startswith("charset=")), "utf-8")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise _problem(415, f"The charset is '{charset}'. Send UTF-8.")
    return kind


def _check_not_packed(headers: Sequence[str]) -> None:
    named = [coding for header in headers for piece in header.split(",") if (coding := piece.strip().lower())]
    packed = next((coding for coding in named if coding != "identity"), None)
    if packed:
        raise _problem(
            415,
            f"The Content-Encoding is '{packed}'. Send the body as it is, not compressed.",
            {"Accept-Encoding": "identity"},
        )


def _invalid(error: ValidationError) -> HTTPException:
    first, *more = error.errors(include_url=False, include_input=False, include_context=False)
    # Of a place such as ("batch", "documents", 3, "text"), the first word is ours.
    names = [str(step) for step in first["loc"] if step not in ("batch", "document", "constrained-str", "int")]
    place = ".".join(names) or "the body"
    if first["type"] == "json_invalid":
        return _problem(400, f"The body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}.")
    if first["type"] == "too_long":
        return _problem(413, f"There are more than {MAX_DOCUMENTS} documents. Send them in several requests.")
    if first["type"] == "string_pattern_mismatch":
        return _problem(422, f"{place}: the text is empty. Send a sentence or more.")
    others = f" ({len(more)} more errors.)" if more else ""
    return _problem(422, f"{place}: {first['msg']}.{others} See /openapi.json.")


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> HTTPException:
    return HTTPException(status, detail, headers)


def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != title else f"{request.method} {request.url.path}: see /openapi.json."
    problem = {"type": "about:blank", "title": title, "status": error.status_code, "detail": detail}
    return JSONResponse(problem, error.status_code, headers=error.headers, media_type=_PROBLEM)


def _on_fault(request: Request, error: Exception) -> Response:
    # What went wrong inside is for the log: it may tell of other requests.
    logger.error("A request failed.", exc_info=error)
    return _on_error(request, _problem(500, "The service met an error, which is in its log. Other texts may work."))


def _listed(names: Sequence[str] | dict[str, Any]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _description(nlp: Language, *, has_check: bool) -> dict[str, Any]:
    """The service as OpenAPI, with what the pipeline takes as thresholds."""
    schema = _BODY.json_schema(ref_template="#/components/schemas/{model}")
    schemas = schema.pop("$defs")
    schemas["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "status": {"type": "integer"},
            **{name: {"type": "string"} for name in ("type", "title", "detail")},
        },
    }
    place = {"text": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"}}
    text, maybe_text = {"type": "string"}, {"type": ["string", "null"]}
    end = {**place, "type": text, "entity": {"type": ["integer", "null"]}}
    entity = {"name": text, "type": text, "item": maybe_text, "mentions": {"type": "array", "items": _object(place)}}
    relation = {
        "subject": _object(end),
        "label": text,
        "predicate": maybe_text,
        "object": _object(end),
        "score": {"type": "number", "minimum": 0, "maximum": 1},
    }

    def answer_of(relation: dict[str, Any]) -> dict[str, Any]:
        document = {
            "id": {"type": ["string", "integer", "null"]},
            "text": text,
            "entities": {"type": "array", "items": _object(entity)},
            "relations": {"type": "array", "items": _object(relation)},
        }
        about = "The documents in the order of the request. Places are characters of the text."
        return _object({"documents": {"type": "array", "description": about, "items": _object(document)}})

    schemas["Answer"] = answer_of(relation)
    if has_check:
        item = {"id": text, "iri": text, "text": text}
        value = {**_object({"text": text, "claim": text}), "properties": {**item, "claim": text}}
        check = {
            "verdict": {"type": "string", "enum": [verdict.value for verdict in Verdict]},
            "reason": text,
            "subject": _or_null(_object(item), "The item that the subject is linked to."),
            "object": _or_null(_object(item), "The item that the object is linked to."),
            "value": _or_null(value, "The value of the claim that decided."),
        }
        about = "What the endpoint says; null where the relation cannot be written as a statement."
        schemas["Checked"] = answer_of({**relation, "check": _or_null(_object(check), about)})
    problem = {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in (400, 406, 408, 413, 415, 422, 500, 503, 504)
    }
    problems["503"] = {
        **problems["503"],
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    }
    answers: dict[str, Any] = {name: {"schema": {"type": "string"}} for name in MEDIA_TYPES}
    answers[_JSON] = {"schema": {"$ref": "#/components/schemas/Answer"}}
    answers["application/ld+json"] = {"schema": {}}
    text_body = {"schema": {"type": "string", "pattern": r"\S"}, "example": "Marie Curie was born in Warsaw."}
    example = {"documents": [{"id": "curie", "text": "Marie Curie was born in Warsaw."}]}

    def simple(summary: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"get": {"summary": summary, "responses": {"200": {"description": "OK", "content": content}, **more}}}

    any_json = {_JSON: {"schema": {"type": "object"}}}
    points = sorted(operating_points(nlp))
    thresholds: list[dict[str, Any]] = [{"type": "number", "minimum": 0, "maximum": 1}]
    threshold = {
        "name": "threshold",
        "in": "query",
        "description": "The lowest score of a relation that is given: a number, or an operating point.",
        "schema": {"anyOf": [*thresholds, *([{"type": "string", "enum": points}] if points else [])]},
    }

    def asking(summary: str, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "post": {
                "summary": summary,
                "parameters": [threshold] if takes_threshold(nlp) else [],
                "requestBody": {
                    "required": True,
                    "content": {_JSON: {"schema": schema, "example": example}, "text/plain": text_body},
                },
                "responses": {"200": {"description": "OK", "content": content}, **problems},
            }
        }

    paths = {
        "/relations": asking("Find the relations in a text, or in several.", answers),
        "/health": simple("Whether the process answers.", any_json),
        "/ready": simple("Whether another request would be taken.", any_json, **{"503": problems["503"]}),
        "/metrics": simple("Figures for Prometheus.", {"text/plain": {"schema": {"type": "string"}}}),
        "/openapi.json": simple("This description.", any_json),
    }
    if has_check:
        checked = {_JSON: {"schema": {"$ref": "#/components/schemas/Checked"}}}
        paths["/check"] = asking("Find the relations, and compare each with the endpoint of the service.", checked)
    return {
        "openapi": "3.1.0",
        "info": {"title": "kgmrca", "version": __version__, "description": "Finds the relations in texts."},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


def _or_null(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "anyOf": [schema, {"type": "null"}]}
