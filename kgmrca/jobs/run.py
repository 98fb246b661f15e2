"""Shards → files of triples, each written once, in this process or in several; and these files → the whole graph."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import spacy
from pyoxigraph import Quad, RdfFormat, parse
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.corpora.documents import BadRecord, Document
from kgmrca.errors import KgmrcaError
from kgmrca.files import whole_file
from kgmrca.graph.processes import process_pool
from kgmrca.jobs.machine import available_cpus, can_fork
from kgmrca.jobs.manifest import Counts, Manifest
from kgmrca.jobs.reading import Reader
from kgmrca.jobs.shards import Shard
from kgmrca.triples.formats import write

__all__ = ["do_shards", "packed", "rejected_of", "run_shards", "triples_of", "unpacked", "write_shard"]

logger = logging.getLogger(__name__)

_AHEAD = 2  # shards a worker that are read before it is their turn


def run_shards(
    shards: Iterable[Shard],
    manifest: Manifest,
    *,
    do: Callable[[Iterator[Shard], Callable[[Shard, Counts], None]], object],
    done: Callable[[Counts, int], object],
) -> list[str]:
    """Do what is missing of a job; returns the digests of all shards in their order.

    Args:
        shards: all shards of the job.
        manifest: what is done already; each further shard is marked in it.
        do: does the shards that it is given, such as `do_shards`. It writes the files of each in the manifest's folder
            (see `write_shard`), and then calls the function that it is given with the shard and what was found in it.
        done: is told what was found in each shard, and how many bytes of the input that is.
    """
    order: list[str] = []

    def missing() -> Iterator[Shard]:
        for shard in shards:
            order.append(shard.digest)
            if (counts := manifest.done.get(shard.digest)) is None:
                yield shard
            else:
                done(counts, shard.size)

    def mark(shard: Shard, counts: Counts) -> None:
        manifest.mark(shard.digest, counts)
        done(counts, shard.size)

    do(missing(), mark)
    return order


def do_shards(
    shards: Iterator[Shard],
    mark: Callable[[Shard, Counts], None],
    *,
    reader: Reader,
    manifest: Manifest,
    workers: int,
) -> None:
    """Do shards in this process, or in several if there is more than one shard.

    Raises:
        KgmrcaError: a worker process was lost twice with the same shard.
    """
    first = list(islice(shards, workers))
    shards = chain(first, shards)
    if len(first) < 2:
        for shard in shards:
            mark(shard, write_shard(reader, manifest, shard))
    else:
        _do_in_processes(shards, mark, reader, manifest, len(first))


def triples_of(manifest: Manifest, order: Iterable[str]) -> Iterator[Quad]:
    """The triples of shards that are done, as a stream."""
    for digest in order:
        # They are our own: their IRIs were checked when they were made.
        yield from cast(
            "Iterator[Quad]", parse(path=str(manifest.part(digest)), format=RdfFormat.N_QUADS, lenient=True)
        )


def rejected_of(manifest: Manifest, order: Iterable[str]) -> Iterator[str]:
    """The records that were set aside in shards that are done, as JSON."""
    for digest in order:
        if (path := manifest.rejected(digest)).is_file():
            with path.open(encoding="ascii") as file:
                yield from (line.rstrip("\n") for line in file)


def write_shard(reader: Reader, manifest: Manifest, shard: Shard) -> Counts:
    """Read a shard and write its files in the manifest's folder; it is not marked."""
    counts = Counts()
    set_aside: list[str] = []
    with whole_file(manifest.part(shard.digest)) as file:
        triples = reader.triples(shard.records, counts, set_aside=set_aside.append, progress=lambda size: None)
        write(triples, file, format="nquads", base=reader.base)
    if set_aside:
        with whole_file(manifest.rejected(shard.digest)) as file:
            file.writelines(f"{line}\n".encode("ascii") for line in set_aside)
    return counts


def _do_in_processes(
    shards: Iterator[Shard], mark: Callable[[Shard, Counts], None], reader: Reader, manifest: Manifest, workers: int
) -> None:
    in_hand: dict[str, Shard] = {}
    lost: set[str] = set()

    def take_results(futures: dict[Future[Counts], Shard], at_most: int) -> None:
        """Mark what is done, until at most so many are not."""
        while len(futures) > at_most:
            for future in wait(futures, return_when=FIRST_COMPLETED).done:
                shard = futures.pop(future)
                mark(shard, future.result())
                del in_hand[shard.digest]

    with ExitStack() as stack:
        threads = max(1, available_cpus() // workers)
        fork = threads == 1 and can_fork()
        start: tuple[Any, ...]
        if fork:
            start = (_start_forked, reader, manifest)
        else:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="kgmrca-")))
            reader.nlp.to_disk(folder)
            start = (
                _start_afresh,
                folder,
                replace(reader, nlp=cast("Any", None)),
                manifest.folder,
                manifest.parts,
                threads,
            )
        while True:
            again = list(in_hand.values())
            futures: dict[Future[Counts], Shard] = {}
            try:
                with process_pool(workers, *start, fork=fork) as pool:
                    for shard in chain(again, shards):
                        in_hand[shard.digest] = shard
                        futures[pool.submit(_write_packed, packed(shard))] = shard
                        take_results(futures, workers * _AHEAD)
                    take_results(futures, 0)
                return
            except KgmrcaError as error:
                if not isinstance(error.__cause__, BrokenProcessPool) or not lost.isdisjoint(in_hand):
                    raise
                lost.update(in_hand)
                logger.warning("kgmrca: A worker process was lost; %d shards are read once more.", len(in_hand))


class _Worker:
    """What a worker process has."""

    reader: Reader
    manifest: Manifest


def _start_forked(reader: Reader, manifest: Manifest) -> None:
    manifest.leave()
    _use_threads(1)
    _Worker.reader, _Worker.manifest = reader, manifest


def _start_afresh(pipeline: Path, reader: Reader, folder: Path, parts: Path | None, threads: int) -> None:
    _use_threads(threads)
    _Worker.reader, _Worker.manifest = replace(reader, nlp=spacy.load(pipeline)), Manifest(folder, parts)


def _use_threads(number: int) -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(number)


def _write_packed(shard: Shard) -> Counts:
    return write_shard(_Worker.reader, _Worker.manifest, unpacked(shard, _Worker.reader.nlp))


def packed(shard: Shard) -> Shard:
    """A shard that can be sent to another process: without the vocabulary that is behind each Doc."""

    def pack(record: Document | BadRecord) -> Document | BadRecord:
        if isinstance(record, Document) and isinstance(record.content, Doc):
            return replace(record, content=cast("Any", record.content.to_bytes()))
        return record

    return replace(shard, records=[pack(record) for record in shard.records])


def unpacked(shard: Shard, nlp: Language) -> Shard:
    """A shard as it was before it was packed, for the pipeline that will read it."""

    def unpack(record: Document | BadRecord) -> Document | BadRecord:
        if isinstance(record, Document) and isinstance(record.content, bytes):
            return replace(record, content=Doc(nlp.vocab).from_bytes(record.content))
        return record

    return replace(shard, records=[unpack(record) for record in shard.records])
