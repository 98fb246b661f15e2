"""The files in a ZIP or tar archive, one after the other. Nothing is unpacked to disk."""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import IO, NamedTuple

__all__ = ["Member", "members"]

_LARGE = 100_000_000
_RATIO = 200  # text is packed to a tenth; what is packed to a two-hundredth is made to fill a disk


class Member(NamedTuple):
    """A file in an archive: its name, and its content, or why it cannot be read."""

    name: str
    stream: IO[bytes] | None
    reason: str | None = None


def members(stream: IO[bytes], format: str) -> Iterator[Member]:
    """The files in an archive. A stream is used before the next member is asked for.

    Args:
        stream: the archive; a ZIP archive must be seekable.
        format: "zip" or "tar".

    Raises:
        Exception: the archive is damaged from here on, in words of the library that reads it.
    """
    return _in_zip(stream) if format == "zip" else _in_tar(stream)


def _in_tar(stream: IO[bytes]) -> Iterator[Member]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            archive.members.clear()  # type: ignore[attr-defined]  # it would hold all of them
            if not member.isfile():
                continue
            if reason := _leads_out(member.name):
                yield Member(member.name, None, reason)
            elif content := archive.extractfile(member):
                with closing(content):
                    yield Member(member.name, content)


def _in_zip(stream: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            reason = _leads_out(member.filename)
            if member.flag_bits & 1:
                reason = "it is encrypted: unpack the archive first"
            elif member.file_size > max(_LARGE, _RATIO * member.compress_size):
                reason = f"it unpacks to more than {_RATIO} times its size ({member.file_size:,} bytes)"
            if reason:
                yield Member(member.filename, None, reason)
                continue
            try:
                content = archive.open(member)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                yield Member(member.filename, None, f"cannot be unpacked: {error}")
                continue
            with content:
                yield Member(member.filename, content)


def _leads_out(name: str) -> str | None:
    path = PurePosixPath(name.replace("\\", "/"))
    return "its name leads out of the archive" if path.is_absolute() or ".." in path.parts else None
