"""Measure the memory and the speed of `kgmrca convert` for a small and a large corpus.

    python benchmarks/memory.py
    python benchmarks/memory.py --docs 1000 20000

The corpus is made of repeated passages of the demo, as JSON Lines. Each size is converted by a process of its own, and
the operating system reports its peak memory.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DEMO = Path(__file__).parent.parent / "pipelines" / "demo" / "corpus"


def convert(folder: Path, n_docs: int) -> tuple[float, float]:
    """Peak memory in MB and seconds of converting so many documents."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(DEMO.glob("*.txt"))]
    source = folder / f"{n_docs}.jsonl"
    with source.open("w", encoding="utf-8") as lines:
        for number, text in enumerate(itertools.islice(itertools.cycle(texts), n_docs)):
            lines.write(json.dumps({"id": number, "text": f"{text} Passage {number}."}) + "\n")
    start = time.perf_counter()
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from kgmrca.cli import main; main()",
            "convert",
            str(source),
            "-o",
            str(folder / f"{n_docs}.ttl"),
        ],
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"kgmrca convert failed (status {status}).")
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=int, nargs="+", default=[500, 5000], help="documents (default: 500 5000)")
    options = parser.parse_args()
    print(f"{'documents':>10} {'peak MB':>8} {'seconds':>8} {'documents/s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for n_docs in options.docs:
            memory, seconds = convert(Path(folder), n_docs)
            print(f"{n_docs:>10} {memory:>8.0f} {seconds:>8.1f} {n_docs / seconds:>12.1f}")


if __name__ == "__main__":
    main()
