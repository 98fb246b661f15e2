"""Real endpoints on this machine to ask, and one that answers as it is told, to see what is made of it."""

import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

WIKIDATA = Path(__file__).parent / "wikidata.ttl"
"""Some facts in the shape of Wikidata's RDF."""

JSON = "application/sparql-results+json"
NOTHING = b'{"head": {"vars": ["x"]}, "results": {"bindings": []}}'


@contextmanager
def oxigraph(folder: Path, *files: Path) -> Iterator[str]:
    """The URL of an Oxigraph server with these RDF files; its data lies in `folder` as long as it runs."""
    program = Path(sys.executable).parent / "oxigraph"
    load = [program, "load", "--location", folder, "--file", *files]
    subprocess.run(load, check=True, capture_output=True)
    for _ in range(5):  # another process may take the port between
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [program, "serve-read-only", "--location", folder, "--bind", address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if _is_up(process, f"http://{address}/"):
                yield f"http://{address}/query"
                return
        finally:
            process.terminate()
            process.wait()
    raise RuntimeError("no Oxigraph server could be started")


def _is_up(process: "subprocess.Popen[bytes]", url: str) -> bool:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url):
                return True
        except urllib.error.HTTPError:
            return True
        except urllib.error.URLError:
            time.sleep(0.02)
    return False


@dataclass
class Answer:
    """What a `Faulty` server does with a request.

    Attributes:
        status, headers, body: what it sends; without a Content-Type, that of SPARQL's JSON.
        claim: the Content-Length it sends, if another than the body's.
        hold: it says nothing until the server ends.
        close: it closes the connection without a word.
        chunked: it sends the body in chunks; "cut" without the last ones.
    """

    status: int = 200
    body: bytes = NOTHING
    headers: dict[str, str] = field(default_factory=dict)
    claim: int | None = None
    hold: bool = False
    close: bool = False
    chunked: bool | str = False


class Faulty:
    """An HTTP server that gives the `answers` it was told, in turn, then what `otherwise` gives for a query.

    `requests` are those it got: method, headers, and the query.
    """

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.otherwise = lambda query: Answer()
        self.requests: list[tuple[str, dict[str, str], str]] = []
        self.ends = threading.Event()
        self.url = ""

    @property
    def queries(self) -> list[str]:
        return [query for _, _, query in self.requests]

    def answer(self, query: str) -> Answer:
        return self.answers.popleft() if self.answers else self.otherwise(query)


@contextmanager
def faulty() -> Iterator[Faulty]:
    """A `Faulty` server that runs as long as the context."""
    told = Faulty()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            query = parse_qs(body).get("query", [""])[0]
            told.requests.append((self.command, dict(self.headers), query))
            answer = told.answer(query)
            if answer.hold:
                told.ends.wait()
            if answer.hold or answer.close:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in ({"Content-Type": JSON} | answer.headers).items():
                if value:
                    self.send_header(name, value)
            if answer.chunked:
                self._send_chunks(answer)
                return
            self.send_header("Content-Length", str(len(answer.body) if answer.claim is None else answer.claim))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST

        def _send_chunks(self, answer: Answer) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            size = 1 + len(answer.body) // 4
            chunks = [answer.body[start : start + size] for start in range(0, len(answer.body), size)]
            for chunk in chunks[: 2 if answer.chunked == "cut" else None]:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if answer.chunked != "cut":
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/sparql"
    try:
        yield told
    finally:
        told.ends.set()
        server.shutdown()
        server.server_close()
        thread.join()


class FakeClock:
    """A clock that stands still but when somebody sleeps; `slept` says how long each time."""

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
