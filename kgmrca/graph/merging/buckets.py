"""More rows than fit into memory, dealt out to files by a hash of their keys, so that equal keys meet in one file."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

__all__ = ["Buckets", "read_groups", "stream_bucket"]

_MOST_IN_MEMORY = 8_000_000  # bytes, in each process


class Buckets:
    """What one task deals out: rows of bytes without line breaks, of several kinds.

    Args:
        folder: what all tasks share.
        part: the name of the task, which no other has.
        bits: 2 to the power of this is the number of buckets of each kind, of which the first `bits` bits of the hash
            choose one. So what `read_groups` gives of one bucket after the other is in the same order for any number of
            buckets.
    """

    def __init__(self, folder: Path, part: str, bits: int) -> None:
        self._folder = folder
        self._part = part
        self._shift = 32 - bits
        self._rows: dict[str, dict[int, bytearray]] = defaultdict(lambda: defaultdict(bytearray))
        self._size = 0

    def put(self, kind: str, key: bytes, row: bytes) -> None:
        """Put a row into its bucket."""
        bucket = self._rows[kind][crc32(key) >> self._shift]
        bucket += row
        bucket += b"\n"
        self._size += len(row)
        if self._size > _MOST_IN_MEMORY:
            self.flush()

    def flush(self) -> None:
        """Write what is still in memory."""
        for kind, buckets in self._rows.items():
            for number, rows in buckets.items():
                folder = _folder(self._folder, kind, number)
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / self._part).open("ab") as file:
                    file.write(rows)
        self._rows.clear()
        self._size = 0


def read_groups(folder: Path, kind: str, number: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """What a bucket has for each key: the different rows without it, sorted. The bucket is gone then.

    A key is what stands before a row's first tab. The keys are in the order of their hash.
    """
    groups: dict[bytes, list[bytes]] = {}
    for row in stream_bucket(folder, kind, number):
        key, _, rest = row.partition(b"\t")
        if key in groups:
            groups[key].append(rest)
        else:
            groups[key] = [rest]
    for _, key in sorted((crc32(key), key) for key in groups):
        rows = groups.pop(key)
        yield key, rows if len(rows) == 1 else sorted(set(rows))


def stream_bucket(folder: Path, kind: str, number: int, *, keep: bool = False) -> Iterator[bytes]:
    """The rows of a bucket in no order, one at a time. The bucket is gone then, unless it is to be kept."""
    parts = _folder(folder, kind, number)
    if not parts.is_dir():
        return
    for part in parts.iterdir():
        with part.open("rb") as file:
            for line in file:
                yield line[:-1]
        if not keep:
            part.unlink()


def _folder(folder: Path, kind: str, number: int) -> Path:
    return folder / kind / f"{number:04x}"
