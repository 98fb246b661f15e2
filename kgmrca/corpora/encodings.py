"""Streams of text in any encoding → the same text in UTF-8, as a stream."""

import codecs
import io
from dataclasses import dataclass
from typing import IO, Any, cast

from kgmrca.errors import InputError

__all__ = ["DETECT", "Started", "check_encoding", "decoded", "in_utf8"]

DETECT = "detect"
"""The name by which an encoding is guessed from the first bytes of a file."""

_HEAD = 1 << 18
_BLOCK = 1 << 16
_MARKS = (  # in this order, because the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)


@dataclass(slots=True)
class Started:
    """A binary stream of which the beginning was read already. It never reads further than it is asked to."""

    head: bytes
    rest: IO[bytes]

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer than asked for only at the end."""
        if size < 0:
            data, self.head = self.head + self.rest.read(), b""
            return data
        data, self.head = self.head[:size], self.head[size:]
        while len(data) < size and (more := self.rest.read(size - len(data))):
            data += more
        return data

    def readline(self, size: int = -1) -> bytes:
        """The next line, or as much of it as was asked for."""
        end = self.head.find(b"\n") + 1 or len(self.head)
        end = end if size < 0 else min(end, size)
        data, self.head = self.head[:end], self.head[end:]
        if data.endswith(b"\n") or len(data) == size:
            return data
        return data + self.rest.readline(size - len(data) if size >= 0 else -1)


def check_encoding(encoding: str | None) -> None:
    """Refuse what is no encoding of text.

    Raises:
        InputError: there is no such encoding, or what guesses encodings is not installed.
    """
    if encoding == DETECT:
        try:
            import charset_normalizer  # noqa: F401
        except ImportError:
            raise InputError("Guessing the encoding of files needs an extra: pip install 'kgmrca[formats]'.") from None
        return
    try:
        "".encode(encoding or "utf-8")
    except LookupError as error:
        raise InputError(
            f"There is no encoding of text '{encoding}': name one as Python does, or '{DETECT}'."
        ) from error


def in_utf8(stream: IO[bytes], encoding: str | None) -> IO[bytes]:
    """The text of a stream in UTF-8. Where there is no text in its encoding, there is none in UTF-8.

    A mark of UTF-8, UTF-16 or UTF-32 at the beginning says more than `encoding`; None is UTF-8.
    """
    # A line, because a pipe that is read line by line must not be waited for.
    started = Started(stream.readline(4), stream)
    marked = next((name for mark, name in _MARKS if started.head.startswith(mark)), None)
    if marked is None and encoding == DETECT:
        started.head = started.read(_HEAD)
        marked = _detected(started.head)
    chosen = codecs.lookup(marked or encoding or "utf-8").name
    if chosen in ("utf-8", "utf-8-sig", "ascii"):  # readers say where it is broken
        return cast("IO[bytes]", started)
    return io.BufferedReader(_Recoded(started, chosen))


def decoded(data: bytes, encoding: str | None) -> str:
    """The text of bytes, without a mark; see `in_utf8`.

    >>> decoded("Łódź".encode("utf-16"), None)
    'Łódź'

    Raises:
        UnicodeDecodeError: the bytes are no text in that encoding.
    """
    return in_utf8(cast("IO[bytes]", io.BytesIO(data)), encoding).read().decode("utf-8-sig")


def _detected(head: bytes) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _HEAD)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    matches = list(from_bytes(head))
    if not matches:
        raise UnicodeError("its encoding cannot be told: name it with --encoding")
    best = matches[0]
    equal = {match.encoding for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)}
    return "cp1252" if "cp1252" in equal else best.encoding  # by far the most frequent of those that look alike


class _Recoded(io.RawIOBase):
    def __init__(self, stream: Started, encoding: str) -> None:
        self._stream = stream
        # What cannot be decoded stays as it is, so that it is broken UTF-8, of which only the record is set aside.
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._left = b""
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left and not self._is_at_end:
            block = self._stream.read(_BLOCK)
            self._is_at_end = not block
            self._left = self._decoder.decode(block, final=self._is_at_end).encode("utf-8", "surrogateescape")
        size = min(len(self._left), len(buffer))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
