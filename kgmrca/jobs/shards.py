"""Records → shards: pieces of the work that are the same whenever the same records are read."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b

from kgmrca.corpora.documents import BadRecord, Document

__all__ = ["Shard", "shards_of"]

_MAX_RECORDS = 1000
_MAX_CHARACTERS = 250_000  # of texts and metadata; some seconds of work


@dataclass(frozen=True, slots=True)
class Shard:
    """Some records that come one after the other.

    Attributes:
        digest: of all that its result depends on: its records and the settings of the job.
        records: the documents and the bad records.
        size: how many bytes of the input they take.
    """

    digest: str
    records: list[Document | BadRecord]
    size: int


def shards_of(records: Iterable[Document | BadRecord], *, settings: str) -> Iterator[Shard]:
    """Cut a stream of records into shards.

    A shard ends with 1,000 records or 250,000 characters, or before that, from a quarter on, after a record whose
    name is drawn by its hash. So where records were added or removed, the shards after them soon end where they did.

    Args:
        records: the records.
        settings: what else the results depend on.
    """
    held: list[Document | BadRecord] = []
    digest = blake2b(settings.encode(), digest_size=16)
    filled = 0.0
    for record in records:
        held.append(record)
        content = _content(record)
        digest.update(len(content).to_bytes(8, "big") + content)
        share = max(1 / _MAX_RECORDS, _characters(record) / _MAX_CHARACTERS)
        filled += share
        if filled >= 1 or (filled >= 1 / 4 and _draw(record.id) < 2 * share):
            yield _shard(digest.hexdigest(), held)
            held, filled = [], 0.0
            digest = blake2b(settings.encode(), digest_size=16)
    if held:
        yield _shard(digest.hexdigest(), held)


def _shard(digest: str, records: list[Document | BadRecord]) -> Shard:
    return Shard(digest, records, sum(record.size for record in records))


def _characters(record: Document | BadRecord) -> int:
    return record.characters if isinstance(record, Document) else 0


def _draw(name: str) -> float:
    """A number from 0 to 1 that only depends on a name."""
    return int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=4).digest(), "big") / 2**32


def _content(record: Document | BadRecord) -> bytes:
    """All of a record that its result depends on, as bytes that are the same in every process."""
    excerpt = record.record and asdict(record.record)
    place: list[object] = [type(record).__name__, record.id, record.file, record.line, excerpt]
    if isinstance(record, BadRecord):
        return json.dumps([*place, record.reason]).encode("ascii")
    place += [record.meta, record.text]
    # The strings of a Doc are a set, whose order differs between processes; what it says is in the other fields.
    doc = b"" if isinstance(record.content, str) else record.content.to_bytes(exclude=["strings"])
    return json.dumps(place).encode("ascii") + doc
