"""What is done of a job: a folder beside its output, which a killed job leaves and the next one goes on with."""

import hashlib
import json
import logging
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any, TypeVar

import platformdirs

from kgmrca.errors import InputError, OutputError
from kgmrca.files import real_path, whole_file
from kgmrca.progress import counted
from kgmrca.remote import address_of, is_remote

if sys.platform != "win32":
    import fcntl

__all__ = ["Counts", "Manifest", "job_folder", "open_manifest"]

logger = logging.getLogger(__name__)

_SETTINGS = "settings.json"
_DONE = "done.jsonl"
_LOCK = "lock"

T = TypeVar("T")


@dataclass(slots=True)
class Counts:
    """What was found in some records: the first attributes of `ConvertSummary`."""

    documents: int = 0
    sentences: int = 0
    entities: int = 0
    statements: int = 0
    rejected: int = 0
    predicates: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    without_entities: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add what was found in other records."""
        self.documents += other.documents
        self.sentences += other.sentences
        self.entities += other.entities
        self.statements += other.statements
        self.rejected += other.rejected
        self.predicates.update(other.predicates)
        self.unmapped.update(other.unmapped)
        self.without_entities += other.without_entities
        for stage, seconds in other.seconds.items():
            self.took(stage, seconds)

    def took(self, stage: str, seconds: float) -> None:
        """Add the time that a stage of the work has taken."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to that of a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.took(stage, time.perf_counter() - start)

    def timing(self, items: Iterable[T], stage: str) -> Iterator[T]:
        """Add the time that it takes to make each item to that of a stage."""
        made = iter(items)
        while True:
            with self.timed(stage):
                try:
                    item = next(made)
                except StopIteration:
                    return
            yield item

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it; `dataclasses.asdict` would count the items of a Counter."""
        return {one.name: getattr(self, one.name) for one in fields(Counts)}

    @classmethod
    def read(cls, row: dict[str, Any]) -> "Counts":
        """What `as_dict` gave, after it was stored as JSON."""
        counters = {name: Counter(row[name]) for name in ("predicates", "unmapped")}
        return cls(**row | counters)


def job_folder(output: str | Path) -> Path:
    """The folder of the job that writes a file. It is hidden, so that no command reads it with the folder it is in.

    Where the output is an address, the folder is in the user's cache, as parts of files cannot be appended to there.

    >>> job_folder("/data/graph.ttl").name
    '.graph.ttl.job'
    """
    if is_remote(output):
        digest = hashlib.sha256(address_of(output).encode("utf-8", "replace")).hexdigest()[:16]
        return platformdirs.user_cache_path("kgmrca", appauthor=False) / "jobs" / digest
    target = real_path(output)
    return target.with_name(f".{target.name}.job")


class Manifest:
    """The shards that are done, by their digests, in a folder.

    The content of a shard is in files that are called after its digest, and these are complete before it is marked. A
    mark is one line, and the beginning of one that was cut off counts as none.

    Attributes:
        folder: where all of it is, but for the triples.
        parts: where the triples are, if that is another folder, which is the output.
        done: what was found in each shard.
    """

    def __init__(self, folder: Path, parts: Path | None = None, *, lock: IO[bytes] | None = None) -> None:
        self.folder = folder
        self.parts = parts
        self._lock = lock
        self.done: dict[str, Counts] = {}
        with suppress(FileNotFoundError):
            for line in (folder / _DONE).read_text("ascii").splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if self.part(row["shard"]).is_file():
                    self.done[row["shard"]] = Counts.read(row["counts"])

    def part(self, digest: str) -> Path:
        """The triples of a shard."""
        return (self.parts or self.folder) / f"{digest}.nq"

    def rejected(self, digest: str) -> Path:
        """The records of a shard that were set aside, if there are any."""
        return self.folder / f"{digest}.rejected.jsonl"

    def changed(self, settings: Mapping[str, Any]) -> list[str]:
        """The settings that differ from those that the job had when it was last run; from now on it has these."""
        path = self.folder / _SETTINGS
        before = json.loads(path.read_bytes()) if path.is_file() else settings
        with whole_file(path) as file:
            file.write(json.dumps(settings).encode("ascii"))
        return sorted(name for name in settings if settings[name] != before.get(name))

    def mark(self, digest: str, counts: Counts) -> None:
        """Note that a shard is done.

        Raises:
            OutputError: the disk is full, for example.
        """
        # A line that was cut off must not be the beginning of this one.
        line = b"\n" + _line(digest, counts)
        path = self.folder / _DONE
        try:
            with path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"'{path}' cannot be written: {error.strerror or error}.") from error
        self.done[digest] = counts

    def leave(self) -> None:
        """In a process that was forked: do not hold the lock of the folder, which is for its parent alone."""
        if self._lock:
            self._lock.close()

    def keep(self, order: Iterable[str]) -> None:
        """Forget all shards but these, and remove their files."""
        kept = {digest: self.done[digest] for digest in order}
        for digest in self.done.keys() - kept.keys():
            self.part(digest).unlink(missing_ok=True)
            self.rejected(digest).unlink(missing_ok=True)
        with whole_file(self.folder / _DONE) as file:
            file.writelines(_line(digest, counts) for digest, counts in kept.items())
        self.done = kept


def _line(digest: str, counts: Counts) -> bytes:
    return json.dumps({"shard": digest, "counts": counts.as_dict()}).encode("ascii") + b"\n"


@contextmanager
def open_manifest(folder: Path, parts: Path | None = None, *, restart: bool = False) -> Iterator[Manifest]:
    """Open the folder of a job, which is made if it is not there; it is for one process at a time.

    If the block raises anything, what is done stays for the next job; otherwise the folder is removed. With `parts`,
    where the triples of shards are to stay, it is kept in any case.

    Raises:
        InputError: another process is at work in it.
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder '{folder}' cannot be made: {error.strerror or error}.") from error
    with (folder / _LOCK).open("wb") as lock:
        if sys.platform != "win32":
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(f"Another job is writing the same output (it is at work in '{folder}').") from error
            except OSError:
                pass  # a file system without locks
        manifest = Manifest(folder, parts, lock=lock)
        if restart:
            manifest.keep(())
        try:
            yield manifest
        except BaseException:
            if manifest.done:
                logger.warning(
                    "kgmrca: %s done and kept in '%s'. Run the same command again to go on; --restart begins anew.",
                    counted(len(manifest.done), "shard is", "shards are"),
                    folder,
                )
            else:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    if parts is None:
        shutil.rmtree(folder)
