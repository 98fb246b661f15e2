"""What is done of a job: a folder beside its output, which a killed job leaves and the next one goes on with."""

import json
import logging
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from kgmrca.errors import InputError, OutputError
from kgmrca.files import whole_file
from kgmrca.progress import counted

if sys.platform != "win32":
    import fcntl

__all__ = ["Counts", "Manifest", "job_folder", "open_manifest"]

logger = logging.getLogger(__name__)

_SETTINGS = "settings.json"
_DONE = "done.jsonl"
_LOCK = "lock"


@dataclass(slots=True)
class Counts:
    """What was found in some records: the first attributes of `ConvertSummary`."""

    documents: int = 0
    statements: int = 0
    rejected: int = 0
    unmapped: Counter[str] = field(default_factory=Counter)
    without_entities: int = 0

    def add(self, other: "Counts") -> None:
        """Add what was found in other records."""
        self.documents += other.documents
        self.statements += other.statements
        self.rejected += other.rejected
        self.unmapped.update(other.unmapped)
        self.without_entities += other.without_entities


def job_folder(output: Path) -> Path:
    """The folder of the job that writes a file. It is hidden, so that no command reads it with the folder it is in.

    >>> job_folder(Path("/data/graph.ttl")).name
    '.graph.ttl.job'
    """
    target = output.resolve()
    return target.with_name(f".{target.name}.job")


class Manifest:
    """The shards that are done, by their digests, in a folder.

    The content of a shard is in files that are called after its digest, and these are complete before it is marked. A
    mark is one line, and the beginning of one that was cut off counts as none.
    """

    def __init__(self, folder: Path, lock: IO[bytes] | None = None) -> None:
        self.folder = folder
        self.lock = lock
        self.done: dict[str, Counts] = {}
        with suppress(FileNotFoundError):
            for line in (folder / _DONE).read_text("ascii").splitlines():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if self.part(row["shard"]).is_file():
                    counts = row["counts"]
                    self.done[row["shard"]] = Counts(**counts | {"unmapped": Counter(counts["unmapped"])})

    def part(self, digest: str) -> Path:
        """The triples of a shard."""
        return self.folder / f"{digest}.nq"

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
        line = "\n" + json.dumps({"shard": digest, "counts": asdict(counts)}) + "\n"
        path = self.folder / _DONE
        try:
            with path.open("ab") as file:
                file.write(line.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"'{path}' cannot be written: {error.strerror or error}.") from error
        self.done[digest] = counts

    def leave(self) -> None:
        """In a process that was forked: do not hold the lock of the folder, which is for its parent alone."""
        if self.lock:
            self.lock.close()


@contextmanager
def open_manifest(folder: Path, *, restart: bool = False) -> Iterator[Manifest]:
    """Open the folder of a job, which is made if it is not there; it is for one process at a time.

    If the block raises anything, what is done stays for the next job; otherwise the folder is removed.

    Raises:
        InputError: another process is at work in it.
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
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
        if restart:
            for path in folder.iterdir():
                if path.name != _LOCK:
                    path.unlink()
        manifest = Manifest(folder, lock)
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
    shutil.rmtree(folder)
