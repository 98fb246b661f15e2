"""The lines of a stream of bytes, of which none takes more memory than it may."""

from collections.abc import Iterator
from typing import IO, NamedTuple

__all__ = ["KEPT", "Line", "lines_of", "too_long"]

KEPT = 10_000
"""How many bytes are kept of a record that is too long, to show it."""

_BLOCK = 1 << 20


class Line(NamedTuple):
    """A line, with its end.

    Attributes:
        data: its bytes; only the first of them if it is too long.
        left_out: how many bytes of it were left out because it is too long.
        offset: how many bytes stand before it.
    """

    data: bytes
    left_out: int
    offset: int


def lines_of(stream: IO[bytes], longest: int) -> Iterator[Line]:
    r"""The lines of a stream, each of which ends with LF, CR LF or CR.

    A stream is never read beyond the next LF, so that a pipe need not be waited for.

    Args:
        stream: where to read.
        longest: how many bytes a line may have without its end.

    >>> import io
    >>> [line.data for line in lines_of(io.BytesIO(b"a\rb\r\nc\nd"), 10)]
    [b'a\r', b'b\r\n', b'c\n', b'd']
    """
    data, size, offset = b"", 0, 0
    is_long = False
    while block := stream.readline(_BLOCK):
        if block.endswith(b"\r"):
            block += stream.readline(1)  # LF, if the block was cut between both
        for piece in block.splitlines(keepends=True):
            size += len(piece)
            if not is_long:
                data += piece
                is_long = len(data) > longest and len(data.rstrip(b"\r\n")) > longest
                if is_long:
                    data = data[: min(KEPT, longest)]
            if piece.endswith((b"\n", b"\r")):
                yield Line(data, size - len(data), offset)
                data, size, offset = b"", 0, offset + size
                is_long = False
    if size:
        yield Line(data, size - len(data), offset)


def too_long(longest: int) -> str:
    """Say that a record is too long, and what to do."""
    return (
        f"the record is longer than {longest:,} bytes: split it, or allow longer ones with --max-record-size (in "
        "Python: max_record_size)"
    )
