"""Measure `kgmrca serve`: requests a second of one sentence, and memory over many requests of new words.

    python benchmarks/serve.py
    python benchmarks/serve.py --clients 64 --requests 2000 --rounds 3
    python benchmarks/serve.py --rows memory --words 1000000 --batch 50

The service is a process of its own, and so is the client, on the same machine. "One after the other" is one client that
waits for each answer. The rounds take turns, and the table has their medians. For the memory, all clients send
sentences with three words that no other has, `--batch` a request; growth is counted from a tenth of the sentences on.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable

import httpx

SENTENCE = "Marie Curie was born in Warsaw and worked in Paris with Pierre Curie."


async def ask(address: str, bodies: Iterable[list[str]], clients: int) -> None:
    """Ask for the relations of each list of texts, from so many clients."""
    left = iter(bodies)
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as client:

        async def one() -> None:
            for texts in left:
                response = await client.post("/relations", json={"documents": [{"text": text} for text in texts]})
                response.raise_for_status()

        await asyncio.gather(*(one() for _ in range(clients)))


def rate(address: str, requests: int, clients: int) -> float:
    """Requests a second."""
    started = time.perf_counter()
    asyncio.run(ask(address, [[SENTENCE]] * requests, clients))
    return requests / (time.perf_counter() - started)


def figure(address: str, name: str) -> float:
    """A figure of the service's metrics."""
    found = re.search(rf"^{name} (\S+)$", httpx.get(f"{address}/metrics").text, re.MULTILINE)
    assert found, name
    return float(found[1])


def rates(address: str, requests: int, clients: int, rounds: int) -> None:
    """Print how many requests are answered in a second."""
    rate(address, 20, 1)
    found = [(rate(address, requests // 10, 1), rate(address, requests, clients)) for _ in range(rounds)]
    print(f"one after the other  {statistics.median(alone for alone, _ in found):7.1f} requests/s")
    print(f"{clients} clients          {statistics.median(many for _, many in found):7.1f} requests/s")
    print(f"ratio                {statistics.median(many / alone for alone, many in found):7.1f}", flush=True)


def memory(address: str, sentences: int, batch: int, clients: int) -> None:
    """Print the memory of the service while it reads new words."""
    parts = 10
    first = 0.0
    for part in range(parts):
        numbers = range(part * sentences // parts, (part + 1) * sentences // parts)
        bodies = (
            [f"Zork{n}a met Blib{n}b in Krono{n}c." for n in numbers[start : start + batch]]
            for start in range(0, len(numbers), batch)
        )
        asyncio.run(ask(address, bodies, clients))
        now = figure(address, "process_resident_memory_bytes") / 1e6
        first = first or now
        strings = figure(address, "kgmrca_vocabulary_strings")
        print(
            f"{numbers.stop:>10,} sentences  {now:8.1f} MB  {now - first:+7.1f} MB  {strings:,.0f} strings", flush=True
        )


def main() -> None:
    """Print both tables, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=["rate", "memory"], default=["rate", "memory"])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=1000, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--words", type=int, default=100_000, help="sentences of new words")
    parser.add_argument("--batch", type=int, default=1, help="how many of them a request has")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "kgmrca", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            address = next(line for line in process.stderr if "answering at" in line).split()[-1]
            if "rate" in arguments.rows:
                rates(address, arguments.requests, arguments.clients, arguments.rounds)
            if "memory" in arguments.rows:
                memory(address, arguments.words, arguments.batch, arguments.clients)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
