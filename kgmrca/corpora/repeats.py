"""Which documents of a stream were there before: by their names, by their texts, or by both."""

from array import array
from enum import Enum
from hashlib import blake2b

__all__ = ["Repeat", "Repeats"]

_SEGMENTS = 256
_FULL = 0.7  # of a segment's slots
_EMPTY = 0


class Repeat(Enum):
    """What a document has in common with those before it."""

    NOTHING = "nothing"
    NAME = "name"
    TEXT = "text"
    BOTH = "name and text"


class Repeats:
    """Remembers documents by 64 bits of a digest each of its name, its text, and both.

    So it takes 24 bytes a document, and the room that hash tables need: about 500 MB for 10 million documents. Among so
    many, the chance is about one in 100,000 that any two digests are equal by accident, in which case a document is
    taken for a repeated one.

    >>> repeats = Repeats()
    >>> [repeats.add(*document).value for document in [("a", "One."), ("a", "One."), ("a", "Two."), ("b", "Two.")]]
    ['nothing', 'name and text', 'name', 'text']
    """

    def __init__(self) -> None:
        self._digests = _Digests()

    def add(self, name: str, text: str) -> Repeat:
        """Remember a document, and say what it has in common with the ones before."""
        parts = [part.encode("utf-8", "surrogatepass") for part in (name, text)]
        of_name, of_text = (self._digests.add(_digest(part, kind)) for part, kind in zip(parts, b"nt", strict=True))
        length = len(parts[0]).to_bytes(8, "big")
        is_new = self._digests.add(_digest(b"".join((length, *parts)), ord("b")))
        if not is_new:
            return Repeat.BOTH
        return Repeat.NAME if not of_name else Repeat.NOTHING if of_text else Repeat.TEXT


def _digest(data: bytes, kind: int) -> int:
    return int.from_bytes(blake2b(data, digest_size=8, person=bytes([kind])).digest(), "big") or 1


class _Digests:
    """A set of numbers from 1 to 2**64 - 1, spread evenly: hash tables with open addressing, 8 bytes a slot.

    A Python set takes ten times as much. There are several tables, so that they grow one by one.
    """

    def __init__(self) -> None:
        self._tables = [array("Q", bytes(8 * 16)) for _ in range(_SEGMENTS)]
        self._sizes = [0] * _SEGMENTS

    def add(self, number: int) -> bool:
        """Add a number; returns whether it is new."""
        segment = number % _SEGMENTS
        table = self._tables[segment]
        if not _put(table, number):
            return False
        self._sizes[segment] += 1
        if self._sizes[segment] > _FULL * len(table):
            larger = array("Q", bytes(8 * 2 * len(table)))
            for one in table:
                if one != _EMPTY:
                    _put(larger, one)
            self._tables[segment] = larger
        return True


def _put(table: "array[int]", number: int) -> bool:
    mask = len(table) - 1
    slot = (number // _SEGMENTS) & mask
    while (there := table[slot]) != _EMPTY:
        if there == number:
            return False
        slot = (slot + 1) & mask
    table[slot] = number
    return True
