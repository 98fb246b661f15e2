"""Measure `kgmrca convert` as a job: interrupted, large, on several processors, with records of any kind.

    python benchmarks/corpus.py --data DATA                            # all rows
    python benchmarks/corpus.py --data DATA --rows kill memory
    python benchmarks/corpus.py --data DATA --rows memory --large 1000000

There are these rows:

kill       Jobs with one worker and with two are killed (SIGKILL, all their processes) at random moments of their work,
           and started again, until each is done: whether the graph is that of an undisturbed job, and how much was
           lost. It is the job that is tried, so the pipeline only relates the first two capitalized words of each
           sentence. `--jobs` takes Ray too, which needs the shipped pipeline.
memory     Peak memory of jobs with one worker, of few sentences and of many (`--large`).
workers    Seconds of the same job with two workers, with one, which uses two processors for parts of its work, and with
           one that uses one processor only.
model      The share of the time of a job with one worker that passes in the pipeline.
ray        Seconds of the same job with `--ray local --workers 2` and with `--workers 2`.
versions   Seconds of the same job with the default settings, here and in another installation (`--other PYTHON`), such
           as an older version in an environment of its own.
malformed  1,000 records that are broken in 25 ways among 99,000 good ones, in nine formats: how many of each kind were
           set aside, whether with their file, place and reason, and how many were converted. It is the reading that is
           tried, so the pipeline only makes tokens.
formats    For each format a file that was made with its usual tools, and whether its texts are read.

The corpus is JSON Lines. A document has nine sentences of public data (`--data`; without it, of our own pages) in
random order, and one with names that no other document has, so that there are new words up to the end. Jobs that are
compared take turns. Beside each ratio stands which share of the machine other processes took meanwhile.
"""

import argparse
import gzip
import hashlib
import json
import math
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import spacy
from formats import formats, malformed
from spacy.language import Language
from spacy.tokens import Doc, Span

import kgmrca.convert
from kgmrca.relations import Relation, set_relations

ROOT = Path(__file__).parent.parent
SETS = ("redocred/dev", "knowledgenet/train", "text2kg_wikidata/dev", "wiki80/dev", "fewrel_val/dev")
PER_DOCUMENT = 10

_TICK = os.sysconf("SC_CLK_TCK")


def sentences(data: Path | None) -> list[str]:
    """All sentences that a corpus can be made of."""
    if data is None:
        pages = [*sorted((ROOT / "pipelines" / "demo" / "corpus").glob("*.txt")), *sorted(ROOT.rglob("docs/**/*.md"))]
        texts = [re.sub("```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL) for page in pages]
        found = [" ".join(one.split()) for text in texts for one in re.split(r"(?<=[.!?])\s+|\n\n", text)]
        return [one for one in found if len(one.split()) > 3]
    found = []
    for name in SETS:
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            found += [" ".join(json.loads(line)["tokens"]) for line in file]
    return found


def write_corpus(path: Path, known: Sequence[str], n_sentences: int) -> None:
    """Write a corpus of so many sentences."""
    rng = random.Random(0)

    def shuffled() -> Iterator[str]:
        while True:
            yield from rng.sample(known, len(known))

    stream = shuffled()
    with path.open("w", encoding="utf-8") as file:
        for number in range(n_sentences // PER_DOCUMENT):
            names = f"Zork{number}a Blib{number}b was born in Krono{number}c."
            text = " ".join([*islice(stream, PER_DOCUMENT - 1), names])
            file.write(json.dumps({"id": str(number), "text": text}) + "\n")


# Jobs.


@Language.component("light_entities", assigns=["doc.ents"])
def capitalized(doc: Doc) -> Doc:
    """Take each capitalized word for a person."""
    doc.ents = tuple(Span(doc, token.i, token.i + 1, "PERSON") for token in doc if token.is_title)
    return doc


@Language.component("light_relations", assigns=["doc._.relations"])
def neighbours(doc: Doc) -> Doc:
    """Relate the first two entities of each sentence."""
    pairs = (sentence.ents[:2] for sentence in doc.sents)
    set_relations(doc, [Relation(pair[0], pair[1], "spouse", 0.9) for pair in pairs if len(pair) == 2])
    return doc


def light_job(source: str, output: str, workers: str) -> None:
    """A job whose pipeline takes little time; it runs in a process of its own."""
    nlp = spacy.blank("en")
    for name in ("sentencizer", "light_entities", "light_relations"):
        nlp.add_pipe(name)
    kgmrca.convert.convert(source, output, nlp=nlp, workers=int(workers), progress=False)


LIGHT = "import sys, corpus; corpus.light_job(*sys.argv[1:])"


@dataclass(frozen=True)
class Done:
    """What came of a job.

    Attributes:
        seconds: of the whole command.
        processor: seconds of all processors, those of its processes that it waits for.
        megabytes: the most memory that one of its processes had.
        others: the share of the machine that other processes took meanwhile.
        summary: what it says of itself.
    """

    seconds: float
    processor: float
    megabytes: float
    others: float
    summary: Mapping[str, Any]


def shipped_job(name: str, source: Path, output: Path, python: str = sys.executable) -> list[str]:
    """The command of one of `JOBS`."""
    return [python, "-m", "kgmrca", "convert", str(source), "-o", str(output), *JOBS[name]]


def convert(name: str, source: Path, output: Path, python: str = sys.executable) -> Done:
    """Run one of `JOBS` to its end, perhaps in another installation."""
    busy, began = _busy_seconds(), time.perf_counter()
    with (output.parent / "messages").open("wb") as messages:
        threads = {"OMP_NUM_THREADS": "1"} if name == SINGLE else {}
        command = shipped_job(name, source, output, python)
        # Elsewhere than in a checkout, whose package would be taken for that of the other installation.
        process = subprocess.Popen(command, stderr=messages, env=os.environ | threads, cwd=output.parent)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit((output.parent / "messages").read_text())
    seconds = time.perf_counter() - began
    processor = usage.ru_utime + usage.ru_stime
    others = max(0.0, _busy_seconds() - busy - processor) / seconds / (os.cpu_count() or 1)
    written = output.with_name(f"{output.name}.summary.json")
    summary = json.loads(written.read_bytes()) if written.is_file() else {}  # an older version writes none
    return Done(seconds, processor, usage.ru_maxrss / 1024, others, summary)


def _busy_seconds() -> float:
    """The seconds in which the processors of this machine worked, or were lent to other machines."""
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(rest)) / _TICK


def graph_of(output: Path) -> str:
    """The digest of a graph in N-Triples, without the times of the run."""
    digest = hashlib.sha256()
    with output.open("rb") as file:
        for line in file:
            if not re.search(rb"^<[^<>]+> <http://www.w3.org/ns/prov#(started|ended)AtTime> ", line):
                digest.update(line)
    return digest.hexdigest()


# Rows.


def kill(known: Sequence[str], folder: Path, arguments: argparse.Namespace) -> None:
    """Print the row `kill`."""
    source, output, whole = folder / "corpus.jsonl", folder / "graph.nt", folder / "whole.nt"
    write_corpus(source, known, arguments.sentences)
    rng = random.Random(arguments.seed)
    print(
        "| job | shards | seconds | kills | in jobs | graphs that differ | shards done twice "
        "| shards lost a kill | most |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    for name in arguments.jobs:
        light = [sys.executable, "-c", LIGHT, str(source), "OUT", JOBS[name][-1]]
        command = shipped_job(name, source, Path("OUT")) if name == RAY else light
        clock = seconds_passed if name == RAY else processor_seconds
        seconds = ended([str(whole) if part == "OUT" else part for part in command], folder, clock)
        command = [str(output) if part == "OUT" else part for part in command]
        n_jobs = n_kills = n_wrong = n_twice = n_shards = 0
        lost: list[int] = []
        while n_kills < arguments.kills:
            n_jobs += 1
            while n_kills < arguments.kills and killed(command, rng.uniform(0, seconds), folder, clock)[0]:
                n_kills += 1
                marks = marked(folder / ".graph.nt.job")
                n_twice += len(marks) - len(set(marks))
                n_shards = max(n_shards, len(marks))
                lost.append(len(begun(folder / ".graph.nt.job") - set(marks)))
            if not output.exists():
                ended(command, folder, clock)
            n_wrong += graph_of(output) != graph_of(whole)
            output.unlink()
        print(
            f"| {name} | {n_shards} | {seconds:.1f} | {n_kills} | {n_jobs} | {n_wrong} | {n_twice} | "
            f"{statistics.mean(lost):.2f} | {max(lost)} |",
            flush=True,
        )
    print()


def ended(command: Sequence[str], folder: Path, clock: Callable[[int], float]) -> float:
    """Run a job to its end, and give the time that it took by `clock`."""
    return killed(command, math.inf, folder, clock)[1]


def killed(command: Sequence[str], seconds: float, folder: Path, clock: Callable[[int], float]) -> tuple[bool, float]:
    """Start a job and kill it with all its processes after so many seconds; False if it was done before.

    Args:
        clock: `processor_seconds`, which do not depend on what else the machine does; or `seconds_passed`, for a job
            whose processes are in several sessions.
    """
    spent = 0.0
    with (folder / "messages").open("wb") as messages:
        process = subprocess.Popen(command, stderr=messages, cwd=Path(__file__).parent, start_new_session=True)
        while process.poll() is None:
            if (spent := max(spent, clock(process.pid))) >= seconds:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return True, spent
            time.sleep(0.25)
    if process.returncode:
        raise SystemExit((folder / "messages").read_text())
    return False, spent


def seconds_passed(process: int) -> float:
    """The seconds that have passed since a process began."""
    began = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began / _TICK


def processor_seconds(session: int) -> float:
    """The seconds of processors that the processes of a session took, with those that have ended."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            fields = path.read_text().rpartition(")")[2].split()  # from the third on
            if int(fields[3]) == session:
                ticks += sum(map(int, fields[11:15]))
    return ticks / _TICK


def marked(kept: Path) -> list[str]:
    """The shards that a job has done, as often as it says so."""
    path = kept / "done.jsonl"
    lines = path.read_text("ascii").splitlines() if path.is_file() else []
    return [json.loads(line)["shard"] for line in lines if line.endswith("}")]


def begun(kept: Path) -> set[str]:
    """The shards of which there are files, whole or not."""
    found = (re.search(r"[0-9a-f]{32}(?=\.nq)", path.name) for path in kept.rglob("*.nq*"))
    return {match[0] for match in found if match}


def memory(known: Sequence[str], folder: Path, arguments: argparse.Namespace) -> None:
    """Print the row `memory`."""
    print("| sentences | documents | peak MB | seconds | sentences/s | others |\n| --- | --- | --- | --- | --- | --- |")
    peaks = []
    for size in (arguments.small, arguments.large):
        write_corpus(folder / "corpus.jsonl", known, size)
        done = convert("1 worker", folder / "corpus.jsonl", folder / "graph.nt")
        peaks.append(done.megabytes)
        print(
            f"| {size:,} | {done.summary['documents']:,} | {done.megabytes:.0f} | {done.seconds:.0f} | "
            f"{size / done.seconds:.0f} | {done.others:.0%} |",
            flush=True,
        )
    print(f"\nThe difference is {peaks[1] - peaks[0]:.0f} MB.\n")


def compared(*names: str) -> Callable[[Sequence[str], Path, argparse.Namespace], None]:
    """A row that compares the first of several jobs to the others."""

    def row(known: Sequence[str], folder: Path, arguments: argparse.Namespace) -> None:
        write_corpus(folder / "corpus.jsonl", known, arguments.sentences)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        print("| round | job | seconds | of processors | others |\n| --- | --- | --- | --- | --- |")
        for number in range(arguments.rounds):
            for name in names:
                python = arguments.other if name == OTHER else sys.executable
                done = convert(name, folder / "corpus.jsonl", folder / "graph.nt", python)
                seconds[name].append(done.seconds)
                print(
                    f"| {number + 1} | {name} | {done.seconds:.1f} | {done.processor:.1f} | {done.others:.0%} |",
                    flush=True,
                )
        medians = {name: statistics.median(taken) for name, taken in seconds.items()}
        for name in names[1:]:
            ratios = [other / own for own, other in zip(seconds[names[0]], seconds[name], strict=True)]
            print(
                f"\n{names[0]}: {medians[name] / medians[names[0]]:.2f} times as fast as {name} "
                f"({min(ratios):.2f} to {max(ratios):.2f})."
            )
        print()

    return row


def model(known: Sequence[str], folder: Path, arguments: argparse.Namespace) -> None:
    """Print the row `model`."""
    write_corpus(folder / "corpus.jsonl", known, arguments.sentences)
    done = convert("1 worker", folder / "corpus.jsonl", folder / "graph.nt")
    seconds = done.summary["seconds"]
    whole = seconds["wall"]
    print(f"| stage | seconds | share |\n| --- | --- | --- |\n| the command | {done.seconds:.1f} | |")
    for stage, taken in seconds.items():
        print(f"| {stage} | {taken:.1f} | {taken / whole:.0%} |")
    print(
        f"\n{seconds['pipeline'] / whole:.0%} of the job is in the pipeline, "
        f"{seconds['pipeline'] / (whole - seconds['loading']):.0%} of what follows its loading "
        f"(others {done.others:.0%}).\n"
    )


SINGLE, RAY, DEFAULT, OTHER = "1 worker, 1 thread", "Ray, 2 actors", "this version", "the other version"
JOBS: Mapping[str, Sequence[str]] = {
    "1 worker": ("--workers", "1"),
    SINGLE: ("--workers", "1"),
    "2 workers": ("--workers", "2"),
    RAY: ("--ray", "local", "--workers", "2"),
    DEFAULT: (),
    OTHER: (),
}
ROWS: Mapping[str, Callable[[Sequence[str], Path, argparse.Namespace], None]] = {
    "kill": kill,
    "memory": memory,
    "workers": compared("2 workers", "1 worker", SINGLE),
    "model": model,
    "ray": compared(RAY, "2 workers"),
    "versions": compared(DEFAULT, OTHER),
    "malformed": lambda known, folder, arguments: malformed(arguments.records),
    "formats": lambda known, folder, arguments: formats(),
}


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with the data sets")
    parser.add_argument("--rows", nargs="+", choices=ROWS, help="which rows (default: all)")
    parser.add_argument("--other", metavar="PYTHON", help="the interpreter of another installation, for `versions`")
    parser.add_argument("--sentences", type=int, default=10_000, help="of the corpus (default: 10,000)")
    parser.add_argument("--small", type=int, default=10_000, help="sentences of the smaller corpus of `memory`")
    parser.add_argument("--large", type=int, default=100_000, help="and of the larger one (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=3, help="of jobs that are compared (default: 3)")
    parser.add_argument("--kills", type=int, default=50, help="of each job of `kill` (default: 50)")
    parser.add_argument("--jobs", nargs="+", choices=[*JOBS][:4], default=["1 worker", "2 workers"], help="of `kill`")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of `kill`")
    parser.add_argument("--records", type=int, default=100_000, help="of the row `malformed` (default: 100,000)")
    arguments = parser.parse_args()
    known = sentences(arguments.data)
    if not arguments.other and "versions" in (arguments.rows or ()):
        parser.error("versions needs --other")
    for name in arguments.rows or [name for name in ROWS if name != "versions" or arguments.other]:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}\n", flush=True)
            ROWS[name](known, Path(folder), arguments)


if __name__ == "__main__":
    main()
