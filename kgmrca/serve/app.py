"""The HTTP service: texts in, relations out, as JSON or RDF.

    POST /relations     the relations of a text, or of several
    GET  /health        200 while the process answers
    GET  /ready         200 if another request would be taken, else 503
    GET  /metrics       figures for Prometheus
    GET  /openapi.json  all of this as OpenAPI

Errors are problem details (RFC 9457) that say what was wrong and what to do. "/" is not used: a page to try the service
can have it, and would ask `/relations` as any client does.
"""

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from pyoxigraph import Quad, Triple
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca import __version__
from kgmrca.convert import check_entities, threshold_settings
from kgmrca.errors import DependencyError, InputError
from kgmrca.relations import Threshold, as_dict
from kgmrca.serve.batching import Batcher
from kgmrca.triples.docs import document_iri
from kgmrca.triples.formats import write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, text_digest
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

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
) -> Starlette:
    """The service as an ASGI application. It has `nlp` to itself, which is used in one thread.

    Args:
        nlp: a pipeline with a relation component.
        threshold: the score from which a relation is given (see `kgmrca.convert.convert`).
        base: the beginning of the IRIs that are made for RDF.
        limits: what it takes.

    Raises:
        InputError: `base` or the threshold cannot be used.
        ModelError: the pipeline takes no threshold, or gives no entities to its relation component.
    """
    Iris(base)
    check_entities(nlp)
    service = _Service(nlp, threshold_settings(nlp, threshold), base, limits or Limits())
    return Starlette(
        routes=[
            Route("/relations", service.relations, methods=["POST"]),
            Route("/health", service.health),
            Route("/ready", service.ready),
            Route("/metrics", service.metrics),
            Route("/openapi.json", service.openapi),
        ],
        exception_handlers={HTTPException: _on_error, Exception: _on_fault},
        lifespan=service.lifespan,
    )


class _Service:
    def __init__(self, nlp: Language, settings: dict[str, dict[str, Any]], base: str, limits: Limits) -> None:
        self._nlp, self._settings, self._base, self._limits = nlp, settings, base, limits
        self._batcher: Batcher | None = None
        self._in_hand = 0
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._answers = Counter(
            "kgmrca_requests", "Requests to /relations, by the status of the answer.", ["status"], registry=registry
        )
        self._seconds = Histogram("kgmrca_request_seconds", "How long requests to /relations took.", registry=registry)
        self._batches = Histogram(
            "kgmrca_batch_documents",
            "How many documents were read together.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        Gauge(
            "kgmrca_requests_in_hand", "Requests to /relations that have no answer yet.", registry=registry
        ).set_function(lambda: self._in_hand)
        Gauge("kgmrca_vocabulary_strings", "Strings that spaCy's vocabulary holds.", registry=registry).set_function(
            lambda: len(nlp.vocab.strings)
        )

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Keep the thread that reads, for as long as the service runs."""
        async with Batcher(self._nlp, component_cfg=self._settings, observe=self._batches.observe) as self._batcher:
            yield
        self._batcher = None

    async def relations(self, request: Request) -> Response:
        """POST /relations: count the request, and answer it within the limits."""
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
                response = await self._answer(request)
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

    async def _answer(self, request: Request) -> Response:
        media_type = accepted(request.headers.get("accept"))
        if media_type is None:
            raise _problem(406, f"None of the media types in Accept can be given. Ask for {_listed(MEDIA_TYPES)}.")
        kind = _content_type(request.headers.get("content-type", ""))
        try:
            body = await asyncio.wait_for(self._body(request), self._limits.timeout)
        except asyncio.TimeoutError:
            raise _problem(
                408, f"The body did not arrive within {self._limits.timeout:g} seconds. Send it at once."
            ) from None
        documents = self._documents(body, kind)

        def make_answer(docs: list[Doc]) -> bytes:
            return self._as_json(docs, documents) if media_type == _JSON else self._as_rdf(docs, documents, media_type)

        assert self._batcher
        texts = [document.text for document in documents]
        try:
            content = await asyncio.wait_for(self._batcher.read(texts, make_answer), self._limits.timeout)
        except asyncio.TimeoutError:
            raise _problem(
                504,
                f"The texts were not read within {self._limits.timeout:g} seconds. Send less, or try again later.",
            ) from None
        except InputError as error:
            raise _problem(422, str(error)) from error
        return Response(content, media_type=media_type, headers={"X-Content-Type-Options": "nosniff", "Vary": "Accept"})

    async def _body(self, request: Request) -> bytes:
        chunks, size = [], 0
        # What is too long is received to its end without being kept, because most clients read no answer before that.
        async for chunk in request.stream():
            size += len(chunk)
            if size <= self._limits.max_size:
                chunks.append(chunk)
            else:
                chunks.clear()
        if size > self._limits.max_size:
            raise _problem(
                413,
                f"The body has {size:,} bytes, and {self._limits.max_size:,} are taken. Send several requests.",
            )
        return b"".join(chunks)

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

    def _as_json(self, docs: Sequence[Doc], documents: Sequence[Document]) -> bytes:
        read = [{"id": asked.id, **as_dict(doc)} for doc, asked in zip(docs, documents, strict=True)]
        return json.dumps({"documents": read}, ensure_ascii=False).encode()

    def _as_rdf(self, docs: Sequence[Doc], documents: Sequence[Document], media_type: str) -> bytes:
        out = io.BytesIO()
        triples: list[Triple | Quad] = []
        for doc, asked in zip(docs, documents, strict=True):
            name = "" if asked.id is None else str(asked.id)
            iri = document_iri(doc, name, self._base)
            found = statements(doc, document_id=name or None, base=self._base)
            triples += document_triples(iri, name or text_digest(doc.text), found, base=self._base)
        format_ = MEDIA_TYPES[media_type]
        assert format_
        write(triples, out, format=format_, base=self._base)
        return out.getvalue()

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
        return JSONResponse(_OPENAPI)


_JSON = "application/json"


def accepted(header: str | None) -> str | None:
    """The media type of the answer that an Accept header (RFC 9110, section 12.5.1) prefers; None: it takes none.

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

    best = max(MEDIA_TYPES, key=weight)
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
    return f"{', '.join(most)} or {last}"


def _description() -> dict[str, Any]:
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
    mention = {"type": "object", "required": [*place], "properties": place}
    end = {**place, "type": text, "entity": {"type": ["integer", "null"]}}
    entity = {"name": text, "type": text, "item": maybe_text, "mentions": {"type": "array", "items": mention}}
    end_schema = {"type": "object", "required": [*end], "properties": end}
    relation = {
        "subject": end_schema,
        "label": text,
        "predicate": maybe_text,
        "object": end_schema,
        "score": {"type": "number", "minimum": 0, "maximum": 1},
    }
    document = {
        "id": {"type": ["string", "integer", "null"]},
        "text": text,
        "entities": {"type": "array", "items": {"type": "object", "required": [*entity], "properties": entity}},
        "relations": {"type": "array", "items": {"type": "object", "required": [*relation], "properties": relation}},
    }
    schemas["Answer"] = {
        "type": "object",
        "required": ["documents"],
        "properties": {
            "documents": {
                "type": "array",
                "description": "The documents in the order of the request. Places are characters of the text.",
                "items": {"type": "object", "required": [*document], "properties": document},
            }
        },
    }
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
    return {
        "openapi": "3.1.0",
        "info": {"title": "kgmrca", "version": __version__, "description": "Finds the relations in texts."},
        "paths": {
            "/relations": {
                "post": {
                    "summary": "Find the relations in a text, or in several.",
                    "requestBody": {
                        "required": True,
                        "content": {_JSON: {"schema": schema, "example": example}, "text/plain": text_body},
                    },
                    "responses": {"200": {"description": "OK", "content": answers}, **problems},
                }
            },
            "/health": simple("Whether the process answers.", any_json),
            "/ready": simple("Whether another request would be taken.", any_json, **{"503": problems["503"]}),
            "/metrics": simple("Figures for Prometheus.", {"text/plain": {"schema": {"type": "string"}}}),
            "/openapi.json": simple("This description.", any_json),
        },
        "components": {"schemas": schemas},
    }


_OPENAPI = _description()
