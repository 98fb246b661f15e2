"""Measure what a document of 500 words takes, and say what so many of them take and cost.

    python benchmarks/sizing.py
    python benchmarks/sizing.py --docs 1000 --price 0.08
    python benchmarks/sizing.py --rate 1900              # words a second and processor, instead of that of facts.py

The documents are made of the demo's texts. `kgmrca convert` reads them in a process of its own with one thread, and
then one of them only, so that the difference is without the start. It is processor time that is counted, on which
other work on the machine has less influence than on the clock; it still has some. The second table multiplies.
"""

import argparse
import gzip
import io
import itertools
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import spacy
from pyoxigraph import RdfFormat, parse

from kgmrca.corpora.documents import read_documents
from kgmrca.corpora.inputs import find_inputs
from kgmrca.jobs.run import packed
from kgmrca.jobs.shards import shards_of
from kgmrca.triples.formats import write
from kgmrca.triples.iris import DEFAULT_BASE

DEMO = Path(__file__).parent.parent / "pipelines" / "demo" / "corpus"
WORDS = 500
RATE = 2900.0  # words a second and processor: `facts.py --rows speed` has 5,800 with two
CORPORA = (10_000, 1_000_000, 100_000_000)
PROCESSORS = (2, 16, 64, 256)


def make_corpus(path: Path, n_docs: int) -> None:
    """Write so many documents of 500 words as JSON Lines."""
    texts = [text.read_text(encoding="utf-8") for text in sorted(DEMO.glob("*.txt"))]
    words = itertools.cycle(word for text in texts for word in text.split(" "))
    with path.open("w", encoding="utf-8") as file:
        for number in range(n_docs):
            text = " ".join(itertools.islice(words, WORDS))
            file.write(json.dumps({"id": f"d{number}", "text": text}) + "\n")


def convert(source: Path, output: Path) -> tuple[float, float]:
    """Processor seconds of `kgmrca convert` with one thread, and the peak of memory of all such processes so far."""
    command = [sys.executable, "-m", "kgmrca", "convert", str(source), "-o", str(output), "--workers", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss * 1024


def reading_seconds(source: Path) -> float:
    """Processor seconds to read documents, to cut them into shards, and to make these ready for other machines."""
    vocab = spacy.blank("en").vocab
    begun = time.process_time()
    for shard in shards_of(read_documents(find_inputs([source]), vocab=vocab, max_length=1_000_000), settings=""):
        pickle.dumps(packed(shard))
    return time.process_time() - begun


def assembling_seconds(shards: Path) -> tuple[float, bytes]:
    """Processor seconds to make one Turtle file of N-Quads, and that file."""
    out = io.BytesIO()
    begun = time.process_time()
    write(parse(path=str(shards), format=RdfFormat.N_QUADS, lenient=True), out, format="turtle", base=DEFAULT_BASE)
    return time.process_time() - begun, out.getvalue()


def measure(n_docs: int) -> dict[str, float]:
    """What a document takes: processor seconds, and bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source, one, graph = (Path(folder, name) for name in ("all.jsonl", "one.jsonl", "graph.nq"))
        make_corpus(source, n_docs)
        make_corpus(one, 1)
        start, _ = convert(one, Path(folder, "one.nq"))
        seconds, memory = convert(source, graph)
        reading, (assembling, turtle) = reading_seconds(source), assembling_seconds(graph)
        return {
            "processor seconds": (seconds - start) / (n_docs - 1),
            "processor seconds to read": reading / n_docs,
            "processor seconds to assemble": assembling / n_docs,
            "bytes of text": source.stat().st_size / n_docs,
            "bytes of N-Quads": graph.stat().st_size / n_docs,
            "bytes of Turtle": len(turtle) / n_docs,
            "bytes of Turtle, compressed": len(gzip.compress(turtle, 6)) / n_docs,
            "peak memory of the process": memory,
        }


def duration(seconds: float) -> str:
    """A time with two digits or a little more.

    >>> duration(862), duration(10_775), duration(8_620_690)
    ('14 min', '3.0 h', '100 days')
    """
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= (2 * size if unit == "days" else size):
            value = seconds / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{seconds:.0f} s"


def table(rate: float, price: float) -> list[list[str]]:
    """For each size of a corpus: processor hours, the time on so many processors, and the cost.

    >>> table(2900, 0.05)[1]
    ['1,000,000', '48', '24 h', '3.0 h', '45 min', '11 min', '2.39']
    """
    rows = []
    for documents in CORPORA:
        seconds = documents * WORDS / rate
        hours = seconds / 3600
        cells = [f"{documents:,}", f"{hours:.1f}" if hours < 10 else f"{hours:,.0f}"]
        rows.append([*cells, *(duration(seconds / count) for count in PROCESSORS), f"{hours * price:,.2f}"])
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=int, default=200, help="documents that are read (default: 200)")
    parser.add_argument("--rate", type=float, default=RATE, help=f"words a second and processor (default: {RATE:.0f})")
    parser.add_argument("--price", type=float, default=0.05, help="of an hour of a processor (default: 0.05)")
    options = parser.parse_args()
    print(f"A document of {WORDS} words, mean of {options.docs}")
    found = measure(options.docs)
    for name, value in found.items():
        print(f"  {name:32}{value:>16,.5f}" if "seconds" in name else f"  {name:32}{value:>16,.0f}")
    print(f"  {'words a second and processor':32}{WORDS / found['processor seconds']:>16,.0f}")
    print(f"\n{options.rate:,.0f} words a second and processor, {options.price} an hour of it")
    print("\t".join(["documents", "hours", *(f"on {count}" for count in PROCESSORS), "cost"]))
    for row in table(options.rate, options.price):
        print("\t".join(row))


if __name__ == "__main__":
    main()
