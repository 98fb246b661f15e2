"""Measure `kgmrca check`: the number of queries, the time, and the verdicts when the endpoint has faults.

    python benchmarks/wikidata.py --data DATA

DATA has `wikidata_sample/wikidata.nt.gz`, claims of Wikidata in the form of its RDF. To these are added classes of the
items, inverses, symmetry and constraints, which follow from our table of relations. An `oxigraph` server on this
machine serves them over HTTP.

The statements have about 8,000 items as subjects. About two thirds are claims of the sample, some of them with the
inverse property. The others have another object. The first rows have the figures that `kgmrca check` prints. Its user
CPU time is printed too, because the elapsed time depends on the load of the machine. For the faults, a server between
the two replaces one in five answers by one of `FAULTS`. Waiting takes no time there, because the clock is artificial.
"""

import argparse
import gzip
import os
import random
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from pyoxigraph import NamedNode, RdfFormat, Triple, parse, serialize
from training import command

from kgmrca.corpora.annotated import hash_share
from kgmrca.files import whole_file
from kgmrca.ontology import load_properties
from kgmrca.triples.formats import write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, mention_iri, text_digest
from kgmrca.triples.records import Mention, Statement
from kgmrca.triples.write import statement_triples
from kgmrca.wikidata.check import checked_statements
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint

STATEMENTS, SUBJECTS = 10_000, 8_000
FAULTY_CLAIMS, FAULTY_SHARE = 1_000, 0.2

WD = "http://www.wikidata.org/entity/"
PROP = "http://www.wikidata.org/prop/"
DIRECT = f"{PROP}direct/"
WIKIBASE = "http://wikiba.se/ontology#"
INSTANCE_OF, SUBCLASS_OF, INVERSE, CONSTRAINT, CLASS = "P31", "P279", "P1696", "P2302", "P2308"
SINGLE_VALUE, SUBJECT_TYPE, VALUE_TYPE, SYMMETRIC = "Q19474404", "Q21503250", "Q21510865", "Q21510862"
CLASSES = {"PER": "Q215627", "ORG": "Q43229", "LOC": "Q17334923", "TIME": "Q186408", "NUM": "Q11563"}
CLASSES |= {"MISC": "Q386724", "TERM": "Q151885"}
"""A class for each of our types."""

# Status, headers and body; None for the body: half of the right one.
FAULTS: list[tuple[int, dict[str, str], bytes | None]] = [
    (429, {"Retry-After": "1"}, b"Too many requests"),
    (429, {"Content-Type": "application/json"}, b'{"exception": "Operation timed out."}'),
    (500, {}, b"java.util.concurrent.TimeoutException"),
    (502, {}, b"Bad gateway"),
    (503, {"Retry-After": "2"}, b"Service unavailable"),
    (200, {"Content-Type": "text/html"}, b"<html>Please try again later</html>"),
    (200, {"Content-Type": "application/sparql-results+json"}, b""),
    (200, {"Content-Type": "application/sparql-results+json"}, None),
    (200, {"Content-Type": "application/sparql-results+json"}, b'{"error": "?"}'),
    (0, {}, b""),  # the connection is closed
]

Fact = tuple[str, str, str]


class Row(NamedTuple):
    """A row of the table: what was measured, what came out, what it must reach and should."""

    name: str
    here: str
    floor: str
    aim: str


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the folder of the data")
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="of the faults")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kgmrca-") as name:
        folder = Path(name)
        facts = build(options.data / "wikidata_sample" / "wikidata.nt.gz", folder / "wikidata.nt")
        stated = statements(facts)
        print(f"{len(stated):,} statements about {len({subject for subject, _, _ in stated}):,} items\n")
        with oxigraph(folder) as url:
            for row in (*check_rows(folder, stated, url), *fault_rows(folder, stated, url, options.seeds)):
                print(f"| {' | '.join(row)} |", flush=True)


def build(sample: Path, target: Path) -> list[Fact]:
    """Write what the server is to serve; gives the facts that connect two items."""
    with gzip.open(sample) as packed:
        content = packed.read()
    facts = [
        (quad.subject.value, quad.predicate.value.removeprefix(DIRECT), quad.object.value)
        for quad in parse(content, RdfFormat.N_TRIPLES)
        if quad.predicate.value.startswith(DIRECT) and isinstance(quad.object, NamedNode)
    ]
    with target.open("wb") as out:
        out.write(content)
        serialize(added(facts), out, RdfFormat.N_TRIPLES)
    return facts


def added(facts: Iterable[Fact]) -> Iterator[Triple]:
    """Classes of items and properties, which the sample does not have."""
    known = load_properties()
    classes: dict[str, str] = {}
    names = {predicate.removeprefix(DIRECT) for predicate in known}
    for subject, name, object_ in facts:
        names.add(name)
        if about := known.get(DIRECT + name):
            classes.setdefault(subject, min(about.subject_types))
            classes.setdefault(object_, min(about.object_types))
    for item, type_ in classes.items():
        yield triple(item, DIRECT + INSTANCE_OF, f"{WD}{CLASSES[type_]}0")
    for id in CLASSES.values():
        yield triple(f"{WD}{id}0", DIRECT + SUBCLASS_OF, WD + id)
    for name in sorted(names):
        yield triple(WD + name, f"{WIKIBASE}propertyType", f"{WIKIBASE}WikibaseItem")
        about = known.get(DIRECT + name)
        if about is None:
            continue
        if about.inverse:
            yield triple(WD + name, DIRECT + INVERSE, WD + about.inverse.removeprefix(DIRECT))
        kinds = {SUBJECT_TYPE: about.subject_types, VALUE_TYPE: about.object_types}
        kinds |= {SINGLE_VALUE: frozenset()} if about.single_valued else {}
        kinds |= {SYMMETRIC: frozenset()} if about.symmetric else {}
        for kind, types in kinds.items():
            node = f"{WD}statement/{name}-{kind}"
            yield triple(WD + name, PROP + CONSTRAINT, node)
            yield triple(node, f"{PROP}statement/{CONSTRAINT}", WD + kind)
            for type_ in sorted(types):
                yield triple(node, f"{PROP}qualifier/{CLASS}", WD + CLASSES[type_])


def triple(subject: str, predicate: str, object_: str) -> Triple:
    """A triple of IRIs."""
    return Triple(NamedNode(subject), NamedNode(predicate), NamedNode(object_))


def statements(facts: Iterable[Fact]) -> list[Fact]:
    """The statements to check: claims of some items, at random with the inverse property or with another object."""
    known = load_properties()
    by_subject: dict[str, list[Fact]] = {}
    objects: dict[str, list[str]] = {}
    for fact in facts:
        by_subject.setdefault(fact[0], []).append(fact)
        objects.setdefault(fact[1], []).append(fact[2])
    chance = random.Random(0)
    chosen = sorted(by_subject, key=hash_share)[:SUBJECTS]
    stated: list[Fact] = []
    for subject, name, object_ in (fact for item in chosen for fact in by_subject[item]):
        about = known.get(DIRECT + name)
        if chance.random() < 0.2:
            stated.append((subject, name, chance.choice(objects[name])))
        elif about and about.inverse and chance.random() < 0.5:
            stated.append((object_, about.inverse.removeprefix(DIRECT), subject))
        else:
            stated.append((subject, name, object_))
    while len(stated) < STATEMENTS:
        subject, name, _ = chance.choice(by_subject[chance.choice(chosen)])
        stated.append((subject, name, chance.choice(objects[name])))
    return stated[:STATEMENTS]


def write_graph(path: Path, stated: Iterable[Fact]) -> Path:
    """Statements as `kgmrca convert` writes them."""
    iris = Iris()
    document = iris.document("benchmark", text_digest(""))
    with whole_file(path) as stream:
        triples = (
            one
            for number, (subject, name, object_) in enumerate(stated)
            for one in statement_triples(
                Statement(
                    iri=iris.statement(str(number)),
                    subject=subject,
                    predicate=DIRECT + name,
                    object=object_,
                    object_is_literal=False,
                    object_datatype=None,
                    label=name,
                    confidence=Decimal("0.9"),
                    document=document,
                    subject_mention=Mention(mention_iri(document, 2 * number, 2 * number + 1), 0, 1, ""),
                    object_mention=Mention(mention_iri(document, 2 * number + 1, 2 * number + 2), 0, 1, ""),
                    sentence=None,
                    sentence_digest=None,
                    run=None,
                )
            )
        )
        write(triples, stream, format="turtle", base=DEFAULT_BASE)
    return path


def check_rows(folder: Path, stated: list[Fact], url: str) -> Iterator[Row]:
    """A first and a second run of `kgmrca check`."""
    graph = write_graph(folder / "graph.ttl", stated)
    size = f"{len(stated):,} statements about {SUBJECTS:,} items"
    for is_first in (True, False):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        line = check(graph, url, folder)
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        found = re.search(r"([\d,]+) queries, ([\d.]+) s", line)
        if found is None:
            raise RuntimeError(f"The command says nothing about queries: {line}")
        took = f"{found[2]} s ({cpu:.1f} s of CPU with its start)"
        if is_first:
            yield Row(f"queries to check {size}", found[1], "250", "120")
            yield Row("time for that", took, "90 s", "20 s")
        else:
            yield Row("second run", f"{found[1]} queries, {took}", "0 queries", "0 queries, < 5 s")


def check(graph: Path, url: str, folder: Path) -> str:
    """Run the command; gives the last line that it prints, and prints the others."""
    code = "from kgmrca.cli import main; main()"
    arguments = ["check", graph, "--endpoint", url, "--cache", folder / "facts.sqlite", "-o", folder / "checks.ttl"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, env=environment, check=True
    )
    *lines, last = done.stderr.splitlines()
    print(*lines, "", sep="\n")
    return last


def fault_rows(folder: Path, stated: list[Fact], url: str, seeds: int) -> Iterator[Row]:
    """The verdicts with and without faults."""
    graph = write_graph(folder / "some.ttl", random.Random(0).sample(stated, FAULTY_CLAIMS))
    right = check_slowly(graph, url)
    counts: Counter[str] = Counter()
    for seed in range(seeds):
        with faulty(url, seed) as proxy:
            found = check_slowly(graph, proxy)
        counts["lost"] += len(right.keys() - found.keys())
        counts["other"] += sum(found[iri] not in (right[iri], "not checked") for iri in found)
        counts["unchecked"] += sum(found[iri] == "not checked" != right[iri] for iri in found)
    yield Row(
        f"faults in {FAULTY_SHARE:.0%} of the answers, {FAULTY_CLAIMS:,} statements, {seeds} seeds",
        f"{counts['other']} other verdicts, {counts['lost']} lost, {counts['unchecked']} not checked",
        "no other verdict, none lost",
        "none not checked",
    )


def check_slowly(graph: Path, url: str) -> dict[str, str]:
    """The verdicts by statement, without waiting."""
    endpoint = open_endpoint(url, clock=Hurried())
    with Lookups(endpoint, cache=None, progress=False) as lookups:
        found = checked_statements([graph], lookups, progress=False)
        return {checked.iri: checked.judgement.verdict.value for checked in found}


class Hurried:
    """A clock that only advances by sleeping."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        """Seconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """The monotonic time, which is the same here."""
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """Advance the clock."""
        self.now += seconds


@contextmanager
def faulty(url: str, seed: int) -> Iterator[str]:
    """The URL of a server that passes queries on to another and, now and then, answers with a fault."""
    chance = random.Random(seed)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer one query."""
            query = self.rfile.read(int(self.headers["Content-Length"]))
            request = urllib.request.Request(
                url, query, {name: self.headers[name] for name in ("Content-Type", "Accept")}
            )
            with urllib.request.urlopen(request) as response:
                status, headers, body = 200, {"Content-Type": response.headers["Content-Type"]}, response.read()
            if chance.random() < FAULTY_SHARE:
                status, headers, wrong = chance.choice(FAULTS)
                body = body[: len(body) // 2] if wrong is None else wrong
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def oxigraph(folder: Path) -> Iterator[str]:
    """The URL of an Oxigraph server with the RDF files of a folder."""
    program = Path(sys.executable).parent / "oxigraph"
    load = ["load", "--location", folder / "store", "--file", *folder.glob("*.nt")]
    subprocess.run([program, *map(str, load)], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    serve = ["serve-read-only", "--location", folder / "store", "--bind", address]
    process = subprocess.Popen([program, *map(str, serve)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None and not is_up(f"http://{address}/"):
            time.sleep(0.05)
        yield f"http://{address}/query"
    finally:
        process.terminate()
        process.wait()


def is_up(url: str) -> bool:
    """Whether a server answers at this port."""
    try:
        with urllib.request.urlopen(url):
            return True
    except urllib.error.HTTPError:
        return True
    except urllib.error.URLError:
        return False


if __name__ == "__main__":
    command(main)
