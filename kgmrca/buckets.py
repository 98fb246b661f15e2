"""More rows than fit into memory, distributed to files by a hash of their keys, so that equal keys meet in one file."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

__all__ = ["Buckets", "Store"]

_MOST_IN_MEMORY = 8_000_000  # bytes, in each process


@dataclass(frozen=True, slots=True)
class Store:
    """A folder with buckets of rows, which all tasks share.

    A row is bytes without a line break, of some kind; its key is what stands before its first tab.

    Attributes:
        folder: where the files are.
        bits: 2 to the power of this is the number of buckets of each kind. The first `bits` bits of a key's hash choose
            the bucket, so what `groups` gives of one bucket after the other is in the same order for any number of
            buckets.
    """

    folder: Path
    bits: int

    def buckets(self, part: str) -> "Buckets":
        """Where a task puts its rows; `part` is its name, which no other task has."""
        return Buckets(self, part)

    def groups(self, kind: str, number: int) -> Iterator[tuple[bytes, list[bytes]]]:
        """Read a bucket and remove it: each key with its different rows, sorted, of which the key is cut off.

        The keys are in the order of their hash.
        """
        groups: dict[bytes, list[bytes]] = {}
        for row in self.rows(kind, number):
            key, _, rest = row.partition(b"\t")
            if key in groups:
                groups[key].append(rest)
            else:
                groups[key] = [rest]
        for _, key in sorted((crc32(key), key) for key in groups):
            rows = groups.pop(key)
            yield key, rows if len(rows) == 1 else sorted(set(rows))

    def rows(self, kind: str, number: int, *, keep: bool = False) -> Iterator[bytes]:
        """Read the rows of a bucket in no order, one at a time, and remove it unless it is to be kept."""
        parts = self.path(kind, number)
        if not parts.is_dir():
            return
        for part in parts.iterdir():
            with part.open("rb") as file:
                for line in file:
                    yield line[:-1]
            if not keep:
                part.unlink()

    def path(self, kind: str, number: int) -> Path:
        """The folder with the files of a bucket."""
        return self.folder / kind / f"{number:04x}"


class Buckets:
    """What one task distributes: rows of several kinds."""

    def __init__(self, store: Store, part: str) -> None:
        self._store = store
        self._part = part
        self._shift = 32 - store.bits
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
                folder = self._store.path(kind, number)
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / self._part).open("ab") as file:
                    file.write(rows)
        self._rows.clear()
        self._size = 0
