"""Measure the memory and the speed of `kgmrca convert` for a small and a large corpus.

    python benchmarks/memory.py
    python benchmarks/memory.py --docs 1000 20000
    python benchmarks/memory.py --texts 1x900 64x14       # one document of 900 kB; 64 of 14 kB

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


def convert(folder: Path, n_docs: int, kilobytes: int = 0) -> tuple[float, float]:
    """Peak memory in MB and seconds of converting so many documents, each of a passage or of so many kB of passages."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(DEMO.glob("*.txt"))]
    source = folder / f"{n_docs}.jsonl"
    with source.open("w", encoding="utf-8") as lines:
        passages = itertools.cycle(texts)
        for number in range(n_docs):
            text = next(passages)
            while len(text) < 1000 * kilobytes:
                text += f"\n\n{next(passages)}"
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
    parser.add_argument("--texts", nargs="+", metavar="NxKB", help="so many documents of so many kB instead")
    options = parser.parse_args()
    sizes = [(n_docs, 0) for n_docs in options.docs]
    if options.texts:
        sizes = [(int(n_docs), int(size)) for n_docs, _, size in (one.partition("x") for one in options.texts)]
    print(f"{'documents':>10} {'peak MB':>8} {'seconds':>8} {'documents/s':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for n_docs, kilobytes in sizes:
            memory, seconds = convert(Path(folder), n_docs, kilobytes)
            print(f"{n_docs:>10} {memory:>8.0f} {seconds:>8.1f} {n_docs / seconds:>12.1f}")


if __name__ == "__main__":
    main()
