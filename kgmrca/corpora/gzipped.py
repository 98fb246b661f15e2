"""What is in compressed files that are damaged or cut: all that can be read."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from kgmrca.corpora.kinds import GZIP

__all__ = ["DamagedMemberError", "Gradual", "GzipParts"]

_BLOCK = 1 << 14
_STEP = 1 << 13  # how much is unpacked at once: where that fails, all of it is lost
_KEPT = 1 << 22  # packed bytes of a member; damage is met long before that, and the next member is looked for in them
_DEFLATE = GZIP + b"\x08"
_TRIED = 4096  # packed bytes by which it is told whether a member begins there
_GZIP_BITS = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Gradual:
    """A stream that gives what it has before it fails.

    `read` of the streams that decompress fails if what is damaged or missing is among what was asked for, and what
    stands before it is lost then. Fewer bytes than asked for are not the end.
    """

    stream: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        """The next bytes, if there are any."""
        read = getattr(self.stream, "read1", self.stream.read)
        return cast(bytes, read(size))


class DamagedMemberError(ValueError):
    """A member that is damaged or cut.

    Attributes:
        is_cut: the file ends within it, and what was read of it is right.
    """

    def __init__(self, reason: str, *, is_cut: bool) -> None:
        super().__init__(reason)
        self.is_cut = is_cut


class GzipParts:
    """The parts of a gzip file, each of which begins with the same bytes, at the beginning of a member.

    To iterate over it gives itself for every part, which `read` then reads. Where a part was not read to its end,
    as when it is damaged, the next member is looked for that begins a part.

    Args:
        stream: the gzip file.
        start: what every part begins with, as "WARC/".

    >>> import gzip, io
    >>> first, damaged, last = (gzip.compress(text, mtime=0) for text in (b"> One.", b"> Two.", b"> Three."))
    >>> parts = GzipParts(io.BytesIO(first + damaged[:-8] + bytes(8) + last), b"> ")
    >>> for part in parts:
    ...     try:
    ...         print(part.member, part.read())
    ...     except DamagedMemberError as error:
    ...         print(part.member, error)
    0 b'> One.'
    26 Error -3 while decompressing data: incorrect data check
    52 b'> Three.'
    """

    def __init__(self, stream: IO[bytes], start: bytes) -> None:
        self._stream, self._start = stream, start
        self._n_taken = 0  # bytes of the stream
        self._packed = b""  # those of them that are not unpacked yet
        self._kept = bytearray()  # the last that were taken, from the beginning of this member on
        self._unpacking: zlib._Decompress | None = None
        self._ahead = b""  # what was unpacked and not read
        self._is_at_end = True  # of the part
        self._failed: DamagedMemberError | None = None
        self.member = 0
        """The byte of the file at which the member begins that was read last."""

    def __iter__(self) -> Iterator["GzipParts"]:
        self._begin_member()
        while self._ahead or self._failed:
            self._is_at_end = False
            yield self
            if not self._is_at_end:
                self._find_part()

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the part; none at its end. Fewer than asked for are not the end.

        Raises:
            DamagedMemberError: it is damaged or cut here.
        """
        if self._is_at_end:
            return b""
        if not self._ahead and not self._failed:
            if self._unpacking is None:
                self._begin_member()
                if self._failed or not self._ahead or self._ahead.startswith(self._start):
                    self._is_at_end = True
                    return b""
            else:
                self._unpack()
                if not self._ahead and not self._failed:
                    return self.read(size)  # of the next member
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        assert self._failed
        raise self._failed

    def _begin_member(self) -> None:
        """Unpack the beginning of the next member, if there is one."""
        while not self._ahead and not self._failed:  # as there are empty members
            while not (packed := self._packed.lstrip(b"\0")) and self._take():  # zeros may stand between members
                pass
            self._packed, self._kept = packed, bytearray(packed)
            self.member = self._n_taken - len(packed)
            if not packed:
                return
            self._unpacking = zlib.decompressobj(_GZIP_BITS)
            while len(self._ahead) < len(self._start) and self._unpacking and not self._failed:
                self._unpack()

    def _unpack(self) -> None:
        """Unpack some bytes of the member."""
        assert self._unpacking
        n_before = len(self._ahead)
        while len(self._ahead) == n_before:
            try:
                self._ahead += self._unpacking.decompress(self._packed, _STEP)
            except zlib.error as error:
                self._failed = DamagedMemberError(str(error), is_cut=False)
                return
            if self._unpacking.eof:
                self._packed, self._unpacking = self._unpacking.unused_data, None
                return
            self._packed = self._unpacking.unconsumed_tail
            if not self._packed and len(self._ahead) == n_before and not self._take():
                self._failed = DamagedMemberError("the file ends within it", is_cut=True)
                return

    def _take(self) -> bool:
        """Take more bytes of the file, if there are any."""
        block = self._stream.read(_BLOCK)
        self._n_taken += len(block)
        self._packed += block
        self._kept += block
        if len(self._kept) > 2 * _KEPT:
            del self._kept[:-_KEPT]
        return bool(block)

    def _find_part(self) -> None:
        """Go to the next member after the beginning of this one that begins a part; to the end if there is none."""
        self._ahead, self._failed, self._unpacking = b"", None, None
        self._packed, at = bytes(self._kept), 1
        while True:
            at = self._packed.find(_DEFLATE, at)
            n_wanted = len(_DEFLATE) if at < 0 else _TRIED
            self._packed = self._packed[at if at >= 0 else -len(_DEFLATE) + 1 :]
            while len(self._packed) < n_wanted and self._take():
                pass
            if len(self._packed) < len(_DEFLATE):
                self._packed = b""
                break
            if at >= 0 and self._begins_part():
                break
            at = 1 if at >= 0 else 0
        self._begin_member()

    def _begins_part(self) -> bool:
        try:
            return zlib.decompressobj(_GZIP_BITS).decompress(self._packed[:_TRIED], len(self._start)) == self._start
        except zlib.error:
            return False
