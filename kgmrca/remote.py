"""Files that are not on this machine, such as those on S3: found, fetched, and put there whole, by means of fsspec."""

import errno
import glob
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from kgmrca.errors import DependencyError, InputError, KgmrcaError, OutputError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["RemoteFile", "address_of", "check_place", "fetched", "files_at", "is_remote", "put", "remove"]

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)  # one letter is a drive of Windows
_PASSWORD = re.compile(r"[^/]*://[^/]*:[^/]*@")
_WEB = ("http", "https")  # whose pages and redirections lead to hosts that nobody named
_BLOCK = 1 << 20


class RemoteFile(NamedTuple):
    """A file that is not on this machine: its address, its path in the folder that was named, and its bytes."""

    address: str
    name: str
    size: int | None


def is_remote(name: object) -> TypeGuard[str]:
    """Whether a name is an address, such as "s3://bucket/folder", and no path.

    >>> is_remote("s3://bucket/letters.txt"), is_remote("letters.txt"), is_remote("c://letters.txt")
    (True, False, False)
    """
    return isinstance(name, str) and _ADDRESS.match(name) is not None


def address_of(url: str) -> str:
    """The one form of an address, by which two can be compared.

    Raises:
        InputError, DependencyError: see `files_at`.
    """
    system, path = _system(url)
    return system.unstrip_protocol(path)


def files_at(url: str) -> list[RemoteFile]:
    """The files that the address of a file or folder, or a glob pattern names, in the order of their paths.

    What is hidden in a folder is left out, as on this machine.

    Raises:
        InputError: nothing is there, or it cannot be read: there is no such bucket, access is refused, nobody answers.
        DependencyError: the library for such addresses is not installed.
    """
    system, path = _system(url)
    root = path
    with _in_words(url):
        system.invalidate_cache()  # what was listed earlier in this process may have changed
        try:
            status = system.info(path)
        except FileNotFoundError:
            if not glob.has_magic(path):
                raise
            root = "/".join(takewhile(lambda part: not glob.has_magic(part), path.split("/")))
            entries = system.glob(path, detail=True)
        else:
            if status["type"] == "file":
                name = path.rpartition("/")[2]
                return [RemoteFile(system.unstrip_protocol(path), name, status.get("size"))]
            entries = system.find(path, detail=True)
    found = []
    for place, entry in sorted(entries.items()):
        name = place.removeprefix(root).strip("/")
        is_hidden = any(part.startswith(".") for part in name.split("/"))
        if entry["type"] == "file" and not place.endswith("/") and not is_hidden:
            found.append(RemoteFile(system.unstrip_protocol(place), name, entry.get("size")))
    return found


@contextmanager
def fetched(address: str) -> Iterator[Path]:
    """A copy of a remote file on this machine, where its format may be read in any order; it is removed in the end.

    Raises:
        FileNotFoundError: it is not there, or not any more.
        InputError: it cannot be read for another reason, which other files will have too.
    """
    system, path = _system(address)
    with TemporaryDirectory(prefix="kgmrca-") as folder:
        copy = Path(folder, "file")
        with _in_words(address):
            try:
                system.get_file(path, str(copy))
            except FileNotFoundError as error:
                raise _GoneError(errno.ENOENT, "it is not there any more", address) from error
        yield copy


class _GoneError(FileNotFoundError):
    """One file is not there, which is no fault of its surroundings."""


def check_place(url: str) -> None:
    """Refuse to write where there is no bucket, or where nobody answers.

    Raises:
        InputError, DependencyError: see `files_at`.
    """
    system, path = _system(url)
    bucket, _, name = path.partition("/")
    if not name or url.endswith("/"):
        raise InputError(f"'{url}' is no file: name a file to write.")
    if bucket:
        with _in_words(url):
            try:
                system.info(bucket)
            except FileNotFoundError:
                raise InputError(f"There is no '{system.unstrip_protocol(bucket)}' to write '{url}' in.") from None


def put(copy: Path, url: str) -> None:
    """Put a file that is complete at a remote address, where it is seen only once all of it is there.

    Raises:
        OutputError: it cannot be written.
    """
    system, path = _system(url)
    with (
        _in_words(url, is_output=True),
        system.transaction,
        copy.open("rb") as source,
        system.open(path, "wb") as target,
    ):
        shutil.copyfileobj(source, target, _BLOCK)


def remove(url: str) -> None:
    """Remove a remote file, if it is there.

    Raises:
        OutputError: it cannot be removed.
    """
    system, path = _system(url)
    with _in_words(url, is_output=True):
        if system.exists(path):
            system.rm_file(path)


def _system(url: str) -> "tuple[AbstractFileSystem, str]":
    """The file system of an address, and the path in it. It asks nobody yet.

    Credentials and settings come from the environment and from the files of the user, as fsspec finds them.
    """
    if _PASSWORD.match(url):
        raise InputError("An address must have no password in it: set credentials in the environment.")
    if "::" in url or url.lower().startswith(tuple(f"{name}:" for name in _WEB)):
        raise InputError(f"'{url}' is not read: download it first, and name the file.")
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise DependencyError(f"'{url}' needs an extra: pip install 'kgmrca[remote]'.") from error
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        raise DependencyError(
            f"'{url}' needs a library: {error}. The one for S3 is in an extra: pip install 'kgmrca[remote]'."
        ) from error
    except Exception as error:  # there are many such libraries, and each has errors of its own
        raise InputError(f"'{url}' cannot be used: {_first_line(error)}") from error
    return system, path


@contextmanager
def _in_words(url: str, *, is_output: bool = False) -> Iterator[None]:
    """Say of any error which address it is about, and that it ends the job."""
    try:
        yield
    except (KgmrcaError, _GoneError):
        raise
    except FileNotFoundError as error:
        raise InputError(f"There is no file or folder '{url}'.") from error
    except Exception as error:  # as above
        reason = _first_line(error)
        if isinstance(error, PermissionError):
            reason = f"access is refused ({reason})"
        if is_output:
            raise OutputError(f"'{url}' cannot be written: {reason}") from error
        raise InputError(f"'{url}' cannot be read: {reason}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
