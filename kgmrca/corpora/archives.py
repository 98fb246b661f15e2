"""The files in a ZIP or tar archive, one after the other. Nothing is unpacked to disk."""

import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import IO, NamedTuple, cast

from kgmrca.corpora.gzipped import Gradual

__all__ = ["Member", "members"]

_LARGE = 100_000_000
_RATIO = 200  # text is packed to a tenth; what is packed to a two-hundredth is made to fill a disk
_LONGEST_NAME = 1 << 20  # bytes; a header that tells of a longer one would fill the memory
_LARGEST_MEMBER = 1 << 40

_NO_FILES = {
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
    tarfile.FIFOTYPE: "named pipe",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
}

_ENDS = (tarfile.EOFHeaderError, tarfile.EmptyHeaderError)  # type: ignore[attr-defined]  # zeros; the end of the file
_NO_HEADER = tarfile.InvalidHeaderError  # type: ignore[attr-defined]  # after which the next header is looked for


class Member(NamedTuple):
    """A member of an archive, or what is wrong with the archive itself.

    Attributes:
        name: its name; None if it is not known, because the archive is damaged there.
        stream: its content; None if it cannot be read, or is no file.
        reason: why it cannot be read.
        kind: what it is that is no file, such as "symbolic link".
    """

    name: str | None
    stream: IO[bytes] | None
    reason: str | None = None
    kind: str | None = None


def members(stream: IO[bytes], format: str) -> Iterator[Member]:
    """The members of an archive but folders. A stream is used before the next member is asked for.

    What is damaged in a tar archive is passed over up to the next header, as GNU tar does. One that ends where a member
    does is whole, with or without a mark of the end, and several that stand one after the other are one.

    Args:
        stream: the archive; a ZIP archive must be seekable.
        format: "zip" or "tar".

    Raises:
        Exception: the archive is damaged from here on, in words of the library that reads it.
    """
    return _in_zip(stream) if format == "zip" else _in_tar(stream)


class _Header(tarfile.TarInfo):
    """A header that tells its archive what is none."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        if len(buf) < tarfile.BLOCKSIZE and not any(buf):
            buf = b""  # zeros at the end, however many
        header = super().frombuf(buf, encoding, errors)
        is_about_next = header.type in (b"L", b"K", b"x", b"g", b"X")  # a long name, and the like
        if not 0 <= header.size <= (_LONGEST_NAME if is_about_next else _LARGEST_MEMBER):
            raise tarfile.HeaderError("no size of a member")
        return header

    @classmethod
    def fromtarfile(cls, archive: "_Tar") -> "_Header":  # type: ignore[override]
        start = archive.fileobj.tell()
        try:
            return super().fromtarfile(archive)
        except _ENDS:
            raise
        except (tarfile.HeaderError, ValueError, LookupError) as error:
            archive.lost_from = start if archive.lost_from is None else min(start, archive.lost_from)
            raise _NO_HEADER(str(error)) from error


class _Tar(tarfile.TarFile):
    """A tar archive that knows where something stands in it that is no member."""

    tarinfo = _Header
    lost_from: int | None = None


def _in_tar(stream: IO[bytes]) -> Iterator[Member]:
    place = "at its beginning"
    with _Tar.open(fileobj=cast(IO[bytes], Gradual(stream)), mode="r|", ignore_zeros=True) as archive:
        while True:
            try:
                member = archive.next()
            except Exception as error:  # of what decompresses too
                yield Member(None, None, f"the archive is cut or damaged {place}: {error}; what follows was not read")
                return
            if archive.lost_from is not None:
                lost = f"the archive is cut or damaged {place}, from byte {archive.lost_from:,} of the tar"
                until = f"up to '{member.name}'" if member else "and no member was found after that"
                yield Member(None, None, f"{lost}, {until}")
                archive.lost_from = None
            if member is None:
                return
            archive.members.clear()  # type: ignore[attr-defined]  # it would hold all of them
            place = f"after '{member.name}'"
            if member.isdir():
                continue
            if not member.isfile():
                yield Member(member.name, None, kind=_NO_FILES.get(member.type, "special file"))
            elif reason := _leads_out(member.name):
                yield Member(member.name, None, reason)
            elif content := archive.extractfile(member):
                with closing(content):
                    yield Member(member.name, content)


def _in_zip(stream: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                yield Member(member.filename, None, kind="symbolic link")  # of which the content is where it leads
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
