"""Measure the time and memory of writing and merging graphs.

    python benchmarks/rdf.py
    python benchmarks/rdf.py --parts speed --size 100000

- `speed`: writing the plain triples of `--size` statements with the names and types of their entities as Turtle
  (`--provenance none`), compared with the serializer of rdflib. For rdflib the triples are in a graph before. Ours are
  measured twice: with the triples made before, and made of the statements while writing, as in `kgmrca convert`. The
  variants take turns; the table has medians of processor time.
- `memory`: the peak memory of processes that write a few and many statements with provenance as Turtle, one document
  after the other. This part needs Linux.
- `merging`: `kgmrca merge` of shards with provenance, with each name in one document per shard. The table has the
  processor time and the peak memory of all processes together. This part needs about 10 GB of disk.

The statements are artificial: each document has 20 of them between 17 entities.
"""

import argparse
import gc
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyoxigraph

from kgmrca.triples.formats import format_of, prefixes, write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, mention_iri, text_digest
from kgmrca.triples.records import Mention, Run, Statement
from kgmrca.triples.write import document_triples

if TYPE_CHECKING:
    import rdflib

Documents: TypeAlias = Iterable[tuple[str, list[Statement]]]

A_DOCUMENT = 20


def make_documents(size: int, shard: int | None = None) -> Iterator[tuple[str, list[Statement]]]:
    """Documents with 20 statements each, as the pipeline could have read them.

    With a shard's number, their names are those in as many documents as there are shards, else those in all documents.
    """
    iris = Iris()
    run = Run("en_made_up", "1", "0", "{}").iri()
    for number in range(size // A_DOCUMENT):
        identifier = f"document-{number}.txt" if shard is None else f"{shard}/document-{number}.txt"
        document, of = iris.document(identifier, text_digest(identifier)), "" if shard is None else f" of {number}"
        yield identifier, [make_statement(iris, run, document, at, of) for at in range(A_DOCUMENT)]


def make_statement(iris: Iris, run: str, document: str, at: int, of: str) -> Statement:
    """A statement in one of the 10 sentences of a document, about one of 7 subjects and one of 10 objects."""
    start = at // 2 * 150
    subject_mention = Mention(mention_iri(document, start, start + 11), start, start, f"Person {at // 3}{of}", "PER")
    object_mention = Mention(mention_iri(document, start + 24, start + 30), start, start, f"City {at // 2}{of}", "LOC")
    sentence = Mention(mention_iri(document, start, start + 150), start, start + 150, "")
    subject, object_ = (iris.entity(document, mention.text) for mention in (subject_mention, object_mention))
    return Statement(
        iri=iris.statement(document, str(at)),
        subject=subject,
        predicate=f"http://www.wikidata.org/prop/direct/P{19 + at}",
        object=object_,
        object_is_literal=False,
        object_datatype=None,
        label=f"relation {at}",
        confidence=Decimal(5000 + 97 * at) / 10000,
        document=document,
        subject_mention=subject_mention,
        object_mention=object_mention,
        sentence=sentence,
        sentence_digest=hashlib.sha256(f"{document} {start}".encode()).hexdigest()[:16],
        run=run,
    )


def triples_of(documents: Documents, provenance: str) -> Iterator[pyoxigraph.Triple]:
    """The statements of all documents."""
    for identifier, statements in documents:
        for triple in document_triples(
            statements[0].document, identifier, statements, base=DEFAULT_BASE, provenance=provenance
        ):
            assert isinstance(triple, pyoxigraph.Triple)
            yield triple


def write_turtle(triples: Iterable[pyoxigraph.Triple], path: str | Path) -> None:
    """Write triples as they come."""
    with Path(path).open("wb") as out:
        write(triples, out, format="turtle", base=DEFAULT_BASE)


def as_rdflib(triples: Iterable[pyoxigraph.Triple]) -> "rdflib.Graph":
    """The same triples in rdflib's own store."""
    import rdflib  # which the processes of `memory` do without

    graph = rdflib.Graph()
    for triple in triples:
        assert isinstance(triple.subject, pyoxigraph.NamedNode)
        assert isinstance(triple.object, pyoxigraph.NamedNode | pyoxigraph.Literal)
        kind = rdflib.Literal if isinstance(triple.object, pyoxigraph.Literal) else rdflib.URIRef
        ends = rdflib.URIRef(triple.subject.value), kind(triple.object.value)
        graph.add((ends[0], rdflib.URIRef(triple.predicate.value), ends[1]))
    for prefix, namespace in prefixes(DEFAULT_BASE).items():
        graph.bind(prefix, namespace)
    return graph


def cpu_seconds(work: Callable[[], object]) -> float:
    """The processor time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def speed(options: argparse.Namespace, folder: Path) -> None:
    """Measure our serializer and that of rdflib in turns."""
    documents = list(make_documents(options.size))
    triples = list(triples_of(documents, "none"))
    graph = as_rdflib(triples)
    gc.collect()
    gc.freeze()  # else each side would pay for looking through what the others need
    paths = {side: folder / f"{side}.ttl" for side in ("rdflib", "kgmrca", "kgmrca, from statements")}
    work: dict[str, Callable[[Path], object]] = {
        "rdflib": lambda path: graph.serialize(path, format="turtle"),
        "kgmrca": lambda path: write_turtle(triples, path),
        "kgmrca, from statements": lambda path: write_turtle(triples_of(documents, "none"), path),
    }
    times: dict[str, list[float]] = {side: [] for side in work}
    for _ in range(options.rounds):
        for side, path in paths.items():
            times[side].append(cpu_seconds(partial(work[side], path)))
    medians = {side: statistics.median(taken) for side, taken in times.items()}
    print(
        f"Plain triples of {options.size:,} statements as Turtle: {len(graph):,} triples, medians of {options.rounds}"
    )
    print(f"{'':24} {'CPU s':>8} {'lowest to highest':>18} {'times as fast':>14} {'MB':>6}")
    for side, path in paths.items():
        spread = f"{min(times[side]):.2f} to {max(times[side]):.2f}"
        ratio = medians["rdflib"] / medians[side]
        print(f"{side:24} {medians[side]:>8.2f} {spread:>18} {ratio:>14.1f} {path.stat().st_size / 1e6:>6.0f}")


def peak_of_writing(size: int) -> None:
    """Write so many statements with their provenance, and print the peak memory in kB; in a process of its own."""
    write_turtle(triples_of(make_documents(size), "statements"), os.devnull)
    status = Path("/proc/self/status").read_text()  # resource.getrusage would count what the parent took
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


def memory(options: argparse.Namespace, folder: Path) -> None:
    """Peak memory by number of statements, and how much more it is than for the first."""
    print("Peak memory of writing statements with provenance as Turtle")
    print(f"{'statements':>10} {'peak MB':>8} {'more MB':>8}")
    peaks: list[float] = []
    for size in options.sizes:
        command = [sys.executable, "-c", f"import rdf; rdf.peak_of_writing({size})"]
        done = subprocess.run(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, check=True)
        peaks.append(int(done.stdout) / 1024)
        print(f"{size:>10,} {peaks[-1]:>8.1f} {peaks[-1] - peaks[0]:>8.1f}")


def merging(options: argparse.Namespace, folder: Path) -> None:
    """Time and memory of merging, from the command line."""
    shards = [folder / f"{number}.{options.extension}" for number in range(options.shards)]
    for number, shard in enumerate(shards):
        with shard.open("wb") as out:
            found = make_documents(options.shard_size, number)
            triples = (
                triple
                for identifier, statements in found
                for triple in document_triples(statements[0].document, identifier, statements, base=DEFAULT_BASE)
            )
            write(triples, out, format=format_of(shard), base=DEFAULT_BASE)
    command = [sys.executable, "-c", "from kgmrca.cli import main; main()", "merge", *map(str, shards), "-o"]
    before, start = os.times(), time.perf_counter()
    running = subprocess.Popen([*command, str(folder / f"merged.{options.extension}")])
    peak = 0
    while running.poll() is None:
        peak = max(peak, memory_of(running.pid))
        time.sleep(0.2)
    if running.returncode:
        sys.exit(running.returncode)
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{options.shards} shards of {options.shard_size:,} statements (.{options.extension}) merged")
    print(f"{'s':>8} {'CPU s':>8} {'peak MB':>8}")
    print(f"{wall:>8.1f} {cpu:>8.1f} {peak / 1024:>8.1f}")


def memory_of(process: int) -> int:
    """The memory of a process and its children, in kB; what they share is shared out (PSS, `man 5 proc`)."""
    total = 0
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += int(rollup.partition("\nPss:")[2].split()[0])
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, IndexError):  # it has just ended
        return total
    return total + sum(memory_of(int(child)) for child in children)


PARTS: dict[str, Callable[[argparse.Namespace, Path], None]] = {"speed": speed, "memory": memory, "merging": merging}


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=list(PARTS), help="tables to print (default: all)")
    parser.add_argument("--size", type=int, default=1_000_000, help="statements in `speed` (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side in `speed` (default: 3)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100_000, 2_000_000], help="in `memory` (default: 100000 2000000)"
    )
    parser.add_argument("--shards", type=int, default=10, help="files in `merging` (default: 10)")
    parser.add_argument(
        "--shard-size", type=int, default=300_000, help="statements of each shard in `merging` (default: 300000)"
    )
    parser.add_argument("--extension", default="ttl", help="of the files in `merging` (default: ttl)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts:
            PARTS[part](options, Path(folder))
            print()


if __name__ == "__main__":
    main()
