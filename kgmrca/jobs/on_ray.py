"""Shards on a cluster of machines: Ray moves them to workers and their results back, and does again what was lost."""

import io
import json
import logging
import os
import pickle
import socket
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import spacy
from spacy.language import Language

from kgmrca.corpora.documents import BadRecord, Document
from kgmrca.errors import InputError, KgmrcaError
from kgmrca.files import whole_file
from kgmrca.jobs.machine import default_workers
from kgmrca.jobs.manifest import Counts, Manifest
from kgmrca.jobs.reading import Reader
from kgmrca.jobs.run import packed, unpacked, write_shard
from kgmrca.jobs.shards import Shard
from kgmrca.triples.formats import write
from kgmrca.triples.write import run_triples

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["do_on_ray", "read_dataset"]

logger = logging.getLogger(__name__)

_LOCAL = "local"
_DATASET = "dataset"
_AHEAD = 2  # shards a worker that wait in the queue; Ray holds as many again
_MANY = 16  # workers for which shards are read ahead if their number is not known
_PATIENCE = 10.0  # seconds
_TRIES = 3  # how often a shard may take its worker with it


def do_on_ray(
    shards: Iterator[Shard],
    mark: Callable[[Shard, Counts], None],
    *,
    reader: Reader,
    manifest: Manifest,
    address: str,
    workers: int | None = None,
    gpus: float = 0.0,
) -> None:
    """Do shards on a Ray cluster, for `kgmrca.jobs.run.run_shards`.

    The shards are read here, and their files are written here. Each worker loads the pipeline once. Ray starts the
    workers, holds the reading back where they are slower, and does the shards of a lost worker again.

    Args:
        shards: what is to be done.
        mark: is called with each shard that is done.
        reader: what the workers do; its pipeline must be one that can be stored.
        manifest: where the files of the shards are written.
        address: "local" for a cluster of this machine alone that ends with the job, or that of a cluster: "auto",
            or "HOST:PORT", of which this machine must be a part.
        workers: how many; None: as many as this machine has processors for if it is alone, and otherwise as many as
            the cluster has place for, from one on.
        gpus: how much of a GPU each worker has.

    Raises:
        InputError: Ray is not installed, or there is no cluster at this address.
        KgmrcaError: a shard took its worker with it several times.
    """
    with _cluster(address) as ray:
        if workers is None and address == _LOCAL:
            workers = default_workers()
        in_hand: dict[str, Shard] = {}
        for _ in range(_TRIES):
            # A shard that was lost on its way between the processes of this machine is sent once more.
            again = list(in_hand.values())
            for row in _results(ray, _kept(shards, again, in_hand), reader, workers, gpus):
                shard = in_hand.pop(row["digest"], None)
                if shard is not None:
                    mark(shard, _write_files(row, manifest))
            if not in_hand:
                return
        raise KgmrcaError(f"{len(in_hand)} shards were lost on the cluster {_TRIES} times.")


def read_dataset(
    dataset: "Dataset",
    reader: Reader,
    *,
    text: str = "text",
    id: str = "id",
    workers: int | None = None,
    gpus: float = 0.0,
) -> "Dataset":
    """Read the texts of a Ray Dataset that you have.

    Args:
        dataset: rows with a text and a name; their other columns become metadata of the documents.
        reader: what reads them.
        text: the column with the texts.
        id: the column with the names.
        workers: how many; None: as many as the cluster has place for.
        gpus: how much of a GPU each worker has.

    Returns:
        A Dataset with one row for each: `id`, `rdf` (N-Quads, with the description of the run, but for its times and
        counts), `statements` (how many), and `reason` (why it could not be read, otherwise None). It is lazy, as all
        Datasets are.

    Raises:
        InputError: there is no such column.
    """
    import ray

    missing = {text, id}.difference(dataset.columns() or ())
    if missing:
        raise InputError(
            f"The Dataset has no column '{min(missing)}': name the columns of the texts and of their names."
        )
    return dataset.map_batches(
        _DatasetWorker,
        fn_constructor_args=(ray.put(_stored(reader.nlp)), replace(reader, nlp=cast("Any", None)), text, id),
        batch_size=reader.batch_size,
        batch_format="pyarrow",
        compute=_pool(ray, workers),
        num_cpus=1,
        num_gpus=gpus,
    )


def _pool(ray: Any, workers: int | None) -> Any:
    """So many workers, or as many as the cluster has place for."""
    strategy = ray.data.ActorPoolStrategy
    return strategy(size=workers) if workers else strategy(min_size=1)


def _kept(shards: Iterator[Shard], again: list[Shard], in_hand: dict[str, Shard]) -> Iterator[Shard]:
    yield from again
    for shard in shards:
        in_hand[shard.digest] = shard
        yield shard


def _write_files(row: dict[str, Any], manifest: Manifest) -> Counts:
    if row["rejected"]:
        with whole_file(manifest.rejected(row["digest"])) as file:
            file.write(row["rejected"])
    with whole_file(manifest.part(row["digest"])) as file:
        file.write(row["triples"])
    return Counts.read(json.loads(row["counts"]))


def _results(
    ray: Any, shards: Iterator[Shard], reader: Reader, workers: int | None, gpus: float
) -> Iterator[dict[str, Any]]:
    """What workers found in shards, in no order."""
    from ray.util.queue import Queue

    # What holds shards stays on this machine, which is lost with the job only.
    here = {"num_cpus": 0, "label_selector": {"ray.io/node-id": ray.get_runtime_context().get_node_id()}}
    queue = Queue(_AHEAD * (workers or _MANY), actor_options=here)
    failed: list[BaseException] = []
    stop = threading.Event()

    def feed() -> None:
        """Read ahead, in a thread, because Ray asks for results in this one."""
        try:
            for shard in shards:
                _put(queue, pickle.dumps((shard.digest, packed(shard))), stop)
                if stop.is_set():
                    return
        except BaseException as error:
            failed.append(error)
        _put(queue, None, stop)

    feeder = threading.Thread(target=feed, name="kgmrca-shards", daemon=True)
    stored = ray.put(_stored(reader.nlp))
    with _settings(ray):
        dataset = ray.data.read_datasource(_source(queue), override_num_blocks=1, **here).map(
            _ShardWorker,
            fn_constructor_args=(stored, replace(reader, nlp=cast("Any", None))),
            compute=_pool(ray, workers),
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=_TRIES - 1,
        )
        feeder.start()
        try:
            yield from dataset.iter_rows()
        except ray.exceptions.RayError as error:
            raise _in_words(error) from error
        finally:
            stop.set()
            feeder.join()
            queue.shutdown(force=True)
    if failed:
        raise failed[0]


def _put(queue: Any, item: bytes | None, stop: threading.Event) -> None:
    from ray.util.queue import Full

    while not stop.is_set():
        with suppress(Full):
            queue.put(item, timeout=1)
            return


def _source(queue: Any) -> Any:
    """What Ray Data reads the shards from: one task that takes them out of a queue."""
    import pyarrow
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    def read() -> Iterator[Any]:
        while (item := queue.get()) is not None:
            yield pyarrow.table({"shard": [item]})

    class Shards(Datasource):
        def estimate_inmemory_data_size(self) -> int | None:
            return None

        def get_read_tasks(self, parallelism: int, *args: Any, **options: Any) -> list[Any]:
            return [ReadTask(read, BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None))]

    return Shards()


@contextmanager
def _settings(ray: Any) -> Iterator[None]:
    """Each shard is a block of its own: Ray would gather small ones until it has 128 MB."""
    context = ray.data.DataContext.get_current()
    mine = {"target_max_block_size": 1, "target_min_block_size": 1, "enable_progress_bars": False}
    before = {name: getattr(context, name) for name in mine}
    for name, value in mine.items():
        setattr(context, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError("For work on a cluster install Ray: pip install 'kgmrca[ray]'.") from error
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if ray.is_initialized():  # by the program that calls this
        yield ray
        return
    _check_address(address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == _LOCAL:
        # Nothing of it can be reached from outside, and nothing is reported to anybody.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        options |= {"address": "local", "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        # Ray's workers would give way to every other process of the machine, and hardly get on beside busy ones.
        options["_system_config"] = {"worker_niceness": 0}
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise InputError(f"There is no Ray cluster at '{address}': {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Ask whether anybody is at an address, because Ray would end this process if nobody is.

    Raises:
        InputError: nobody is.
    """
    host, _, port = address.rpartition(":")
    if address in (_LOCAL, "auto"):
        return
    if not host or not port.isdecimal() or "/" in host:
        raise InputError(f"'{address}' is no address of a Ray cluster: write HOST:PORT, auto, or local.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"There is no Ray cluster at '{address}': {error}") from error


def _in_words(error: Exception) -> KgmrcaError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KgmrcaError):
            return cause
        cause = getattr(cause, "cause", None) or cause.__cause__
    last = str(error).strip().splitlines()[-1]
    return KgmrcaError(f"The work on the cluster failed: {last}")


def _stored(nlp: Language) -> bytes:
    """A pipeline as the bytes of a tar archive."""
    with TemporaryDirectory(prefix="kgmrca-") as folder:
        nlp.to_disk(folder)
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            archive.add(folder, ".")
    return stream.getvalue()


def _loaded(stored: Any, reader: Reader) -> Reader:
    """The reader with its pipeline, in a worker."""
    import ray

    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    with TemporaryDirectory(prefix="kgmrca-") as folder:
        with tarfile.open(fileobj=io.BytesIO(ray.get(stored))) as archive:
            archive.extractall(folder, filter="data")
        nlp = spacy.load(folder)
    return replace(reader, nlp=nlp)


class _ShardWorker:
    """A worker that reads shards."""

    def __init__(self, stored: Any, reader: Reader) -> None:
        self.reader = _loaded(stored, reader)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        digest, shard = pickle.loads(row["shard"])  # noqa: S301, made by `feed`
        with TemporaryDirectory(prefix="kgmrca-") as folder:
            manifest = Manifest(Path(folder))
            counts = write_shard(self.reader, manifest, unpacked(shard, self.reader.nlp))
            rejected = manifest.rejected(digest)
            return {
                "digest": digest,
                "counts": json.dumps(counts.as_dict()),
                "triples": manifest.part(digest).read_bytes(),
                "rejected": rejected.read_bytes() if rejected.is_file() else b"",
            }


class _DatasetWorker:
    """A worker that reads rows of a Dataset."""

    def __init__(self, stored: Any, reader: Reader, text: str, id: str) -> None:
        self.reader = _loaded(stored, reader)
        self.text, self.id = text, id
        has_run = self.reader.provenance != "none"
        self.run = list(run_triples(reader.run, base=reader.base)) if has_run else []

    def __call__(self, batch: Any) -> Any:
        import pyarrow

        rows: dict[str, list[Any]] = {"id": [], "rdf": [], "statements": [], "reason": []}
        for outcome in self.reader.read([self._record(row) for row in batch.to_pylist()], Counts()):
            rdf, statements, reason = b"", 0, None
            if isinstance(outcome, BadRecord):
                name, reason = outcome.id, outcome.reason
            else:
                stream = io.BytesIO()
                triples = chain(self.reader.document_triples(outcome), self.run)
                write(triples, stream, format="nquads", base=self.reader.base)
                name, rdf, statements = outcome.document.id, stream.getvalue(), len(outcome.statements)
            for column, value in zip(rows.values(), (name, rdf.decode(), statements, reason), strict=True):
                column.append(value)
        types = {"id": "string", "rdf": "large_string", "statements": "int64", "reason": "string"}
        return pyarrow.table({name: pyarrow.array(rows[name], type) for name, type in types.items()})

    def _record(self, row: dict[str, Any]) -> Document | BadRecord:
        text, name = row.pop(self.text), row.pop(self.id)
        if not isinstance(text, str) or name is None:
            reason = f"There is no text in '{self.text}'." if name is not None else f"There is no name in '{self.id}'."
            return BadRecord(str(name), reason, _DATASET, None, 0)
        return Document(str(name), text, row, _DATASET, None, len(text))
