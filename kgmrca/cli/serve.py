"""The command `serve`."""

import signal
import socket
import sys
from typing import Annotated

import typer

from kgmrca.cli.options import (
    Base,
    CacheFile,
    Contact,
    PipelineOption,
    ThresholdOption,
    WikibaseIri,
    load_pipeline,
    number_or_name,
    suggest,
)
from kgmrca.errors import InputError
from kgmrca.triples.iris import DEFAULT_BASE


def serve_command(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to listen on. With the default, only programs of this machine can ask; 0.0.0.0 lets "
            "everybody ask who reaches the machine.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on. With 0, one is chosen that is free.")
    ] = 8000,
    pipeline: PipelineOption = None,
    threshold: ThresholdOption = None,
    base: Base = DEFAULT_BASE,
    max_size: Annotated[
        int, typer.Option(min=1, metavar="BYTES", help="The longest body of a request. A longer one gets a 413.")
    ] = 200_000,
    max_requests: Annotated[
        int,
        typer.Option(min=1, help="How many requests may be in hand at the same time. Further ones get a 503."),
    ] = 128,
    ui: Annotated[
        bool, typer.Option("--ui", help="Have a page to try it at /. It asks this service only, and nothing else.")
    ] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            autocompletion=suggest("wikidata", "qlever"),
            help="The SPARQL endpoint that relations can be compared with (POST to /check, or the page's button): "
            "wikidata, qlever, a URL, or a local RDF file or folder. No other one is ever asked.",
            show_default=False,
        ),
    ] = None,
    contact: Contact = None,
    wikibase: WikibaseIri = None,
    cache: CacheFile = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, metavar="SECONDS", help="How long a request may take. After that it gets a 504.")
    ] = 30,
) -> None:
    """Answer over HTTP which relations are in texts, as JSON or RDF.

    POST a text, or JSON with several, to /relations. The header Accept says in which form the answer is wanted, and
    ?threshold=0.5 from which score. /openapi.json describes all of it; /health, /ready and /metrics are for those who
    run it. With --ui there is a page to try it. Ctrl-C or SIGTERM ends it when the requests in hand are answered, with
    exit code 0.

    \b
    Examples:
      kgmrca serve --port 8000
      kgmrca serve --ui --endpoint wikidata --contact me@example.org
      kgmrca serve --pipeline training/model-best --threshold precise --base https://kb.example/
    """
    chosen = None if threshold is None else number_or_name(threshold)
    if endpoint is None and (contact or wikibase or cache):
        raise InputError("--contact, --wikibase and --cache are for an endpoint: name it with --endpoint.")
    from kgmrca.serve.app import Limits, make_app  # says what is not installed before the pipeline is loaded
    from kgmrca.serve.checking import Checker

    limits = Limits(max_size=max_size, max_requests=max_requests, timeout=timeout)
    checker = None
    if endpoint is not None:
        checker = Checker(endpoint, contact=contact, wikibase=wikibase, cache=cache or "default", patience=timeout)
    with _listening(host, port) as listener:
        nlp = load_pipeline(pipeline, adds_relations=True)
        app = make_app(nlp, threshold=chosen, base=base, limits=limits, checker=checker, ui=ui)

        import uvicorn

        # No answer is cut off at the end: none takes longer than to arrive and to be read.
        config = uvicorn.Config(app, access_log=False, log_level="warning", timeout_graceful_shutdown=None)
        server = uvicorn.Server(config)

        def stop(number: int, frame: object) -> None:
            server.should_exit = True

        # uvicorn raises the signal again when it has ended, for the handler that it found.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        address, bound = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        if ui:
            print("kgmrca: open this address in a browser, to try it", file=sys.stderr)
        print(f"kgmrca: answering at http://{shown}:{bound}", file=sys.stderr, flush=True)
        server.run(sockets=[listener])
    print("kgmrca: all requests are answered, and the service has ended", file=sys.stderr)


def _listening(host: str, port: int) -> socket.socket:
    """A socket at an address.

    Raises:
        InputError: there is no such address here, or another program has it.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"The service cannot listen on {host}, port {port}: {reason}. Choose others.") from error
