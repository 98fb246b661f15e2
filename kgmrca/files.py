"""Writing files: an output that cannot be written is refused before any work, and a file appears only when complete."""

import errno
import glob
import gzip
import hashlib
import io
import logging
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, TypeAlias, cast

from kgmrca.errors import InputError, OutputError
from kgmrca.remote import address_of, check_place, is_remote, put

if sys.platform != "win32":
    import fcntl

__all__ = [
    "STANDARD",
    "Output",
    "check_folder",
    "check_outputs",
    "opened",
    "real_path",
    "target_of",
    "temporary_folder",
    "whole_file",
    "whole_folder",
]

logger = logging.getLogger(__name__)

Output: TypeAlias = str | Path | IO[bytes]

STANDARD = "-"
"""What stands for standard input and standard output."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LONGEST_NAME = 180  # bytes of a file's name that are kept in that of its temporary file; systems allow 255 in all
_BUFFER = 1 << 18


def real_path(name: str | Path) -> Path:
    """Where a file is when all links are followed, as far as they lead anywhere."""
    return Path(os.path.realpath(name))  # `Path.resolve` raises where links lead to one another


def check_outputs(
    outputs: Iterable[Output | None],
    inputs: Iterable[str | Path] = (),
    *,
    what: str = "a GRAPH",
    takes: Callable[[Path], bool] | None = None,
) -> None:
    """Refuse outputs that cannot be written, that the command reads as well, or that are one file.

    Files are compared by what they are, not by their names, so symbolic links, hard links, relative paths and file
    systems that ignore case hide nothing.

    Args:
        outputs: files to write, addresses, "-" for standard output, and streams; None stands for an output that is not
            asked for.
        inputs: what the command reads: files, folders, glob patterns, addresses, or "-" for standard input.
        what: what an input is called in the message.
        takes: whether the command reads a file with this path if it lies in a folder that is an input. The default is
            that it reads all of them.

    Raises:
        InputError: an output is a folder or in a folder that does not exist, two outputs are one file, an output is an
            input, or lies in a folder where it would be read.
        OutputError: an output may not be written.

    >>> check_outputs(["new.ttl", "new.ttl"])
    Traceback (most recent call last):
    kgmrca.errors.InputError: 'new.ttl' and 'new.ttl' are the same file: each output needs a file of its own.
    """
    written: dict[Hashable, str | Path] = {}
    for output in outputs:
        if output is None or not isinstance(output, str | Path):
            continue
        target_of(output)
        identity = _identity(output, sys.stdout)
        if identity in written:
            raise InputError(
                f"'{written[identity]}' and '{output}' are the same file: each output needs a file of its own."
            )
        if identity is not None:
            written[identity] = output
    for given in inputs if written else ():
        for path in _files_of(given, takes):
            if (same := written.get(_identity(path, sys.stdin))) is not None:
                other = "" if str(path) == str(same) else f" (it is '{path}')"
                raise InputError(f"'{same}' is {what} and would be overwritten{other}: write to another file.")
        if str(given) != STANDARD and (is_remote(given) or Path(given).is_dir()):
            _refuse_inside(given, written.values(), takes)


def target_of(output: Output, *, inputs: Iterable[str | Path] = (), what: str = "a GRAPH") -> Path | None:
    """The file that is to be written; None for "-", which is standard output, for an address, and for a stream.

    Args:
        output: where to write; a `Path` is always a file.
        inputs, what: see `check_outputs`.

    Raises:
        InputError: it is a folder, in a folder or bucket that does not exist, or one of the inputs.
        OutputError: it may not be written.
    """
    if output == STANDARD or not isinstance(output, str | Path):
        return None
    path = None
    if is_remote(output):
        check_place(output)
    else:
        path = Path(output)
        if path.is_dir():
            raise InputError(f"'{path}' is a folder: name a file to write.")
        check_folder(path)
        if path.exists() and not os.access(path, os.W_OK):
            raise OutputError(f"'{path}' cannot be written: {os.strerror(errno.EACCES)}.")
    if given := list(inputs):
        check_outputs([output], given, what=what)
    return path


def check_folder(path: Path) -> None:
    """Refuse to write a file or folder where there is no folder for it, or where nothing may be written.

    Raises:
        InputError: there is no folder.
        OutputError: nothing may be written there.
    """
    folder = real_path(path).parent  # a symbolic link is written where it leads
    if not folder.is_dir():
        raise InputError(f"There is no folder '{path.parent}' to write '{path.name}' in: make it first.")
    if not os.access(folder, os.W_OK | os.X_OK) and not _is_special(path):
        raise OutputError(f"'{path}' cannot be written: nothing may be written in the folder '{path.parent}'.")


def _is_special(path: Path) -> bool:
    """Whether it is a device or a pipe, such as /dev/null, which is written to but never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _identity(name: str | Path, standard: IO[Any] | None) -> Hashable:
    """What all names of a file have in common; None if what is written there cannot be read again, as on a terminal."""
    if is_remote(name):
        return address_of(name)
    if name == STANDARD:
        try:
            status = os.fstat(cast("IO[Any]", standard).fileno())
        except (AttributeError, OSError, ValueError):  # closed, or replaced by something that is no file
            return STANDARD if standard is sys.stdout else None
        if standard is sys.stdout and not stat.S_ISREG(status.st_mode):
            return STANDARD
    else:
        try:
            status = Path(name).stat()
        except OSError:
            path = real_path(name)
            name = unicodedata.normalize("NFC", path.name).casefold() if _ignores_case(path.parent) else path.name
            return path.parent, name
    is_stored = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return (status.st_dev, status.st_ino) if is_stored else None


def _ignores_case(folder: Path) -> bool:
    """Whether a file system takes names that differ in case only for one; asked of the nearest name with letters."""
    for one in (folder, *folder.parents):
        if (other := one.name.swapcase()) != one.name:
            try:
                return one.with_name(other).samefile(one)
            except OSError:
                return False
    return False


def _files_of(given: str | Path, takes: Callable[[Path], bool] | None) -> Iterator[str | Path]:
    """An input itself, and the files that it gives if it is a folder or a pattern."""
    yield given
    path = Path(given)
    if given == STANDARD or is_remote(given):
        return
    if path.is_dir():
        paths = (Path(parent, name) for parent, _, names in os.walk(path) for name in names)
        yield from paths if takes is None else filter(takes, paths)
    elif not path.exists() and glob.has_magic(str(given)):
        yield from map(Path, glob.iglob(str(given), recursive=True))  # noqa: PTH207


def _refuse_inside(folder: str | Path, outputs: Iterable[str | Path], takes: Callable[[Path], bool] | None) -> None:
    for output in outputs:
        if is_remote(output) != is_remote(folder) or output == STANDARD:
            continue
        if is_remote(output) and is_remote(folder):
            is_inside, path = address_of(output).startswith(f"{address_of(folder).rstrip('/')}/"), Path(output)
        else:
            path = real_path(output)
            is_inside = path.is_relative_to(real_path(folder))
        if is_inside and (takes is None or takes(path)):
            raise InputError(
                f"'{output}' lies in the folder '{folder}', which this command reads: write to another folder."
            )


def opened(
    output: Output, *, inputs: Iterable[str | Path] = (), what: str = "a GRAPH"
) -> AbstractContextManager[IO[bytes]]:
    """Where to write: a file (see `target_of` and `whole_file`), "-" for standard output, or a stream as it is.

    A file at an address is written here, and put there when the block is done.

    What cannot be written is refused by the call, before the block begins.
    """
    if target := target_of(output, inputs=inputs, what=what):
        return whole_file(target)
    if is_remote(output):
        return _whole_at(output)
    return _standard_output() if output == STANDARD else nullcontext(cast("IO[bytes]", output))


@contextmanager
def _whole_at(address: str) -> Iterator[IO[bytes]]:
    with temporary_folder(None) as folder:
        copy = folder / ("file.gz" if address.lower().endswith(".gz") else "file")
        with whole_file(copy) as stream:
            yield stream
        put(copy, address)


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    """Standard output, whose errors name it. A pipe that nobody reads any more stays a `BrokenPipeError`."""
    out = _NamedStream(sys.stdout.buffer, "Standard output")
    yield cast("IO[bytes]", out)
    out.flush()


class _NamedStream:
    """A binary stream to write to, whose errors say what it is called."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream, self._name = stream, name

    def write(self, data: bytes) -> int:
        try:
            return self._stream.write(data)
        except OSError as error:
            raise self._named(error) from error

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise self._named(error) from error

    def _named(self, error: OSError) -> OSError:
        is_closed = isinstance(error, BrokenPipeError)
        return error if is_closed else OutputError(f"{self._name} cannot be written: {error.strerror}.")


class _NamedFile(io.FileIO):
    """A file to write to, whose errors name the output that it is for."""

    def __init__(self, descriptor: int, output: Path) -> None:
        super().__init__(descriptor, "wb")
        self._output = output
        self.is_given_up = False  # then what still stands in the buffers above is dropped instead of written

    def write(self, data: Any) -> int:
        if self.is_given_up:
            return memoryview(data).nbytes
        with _naming(self._output):
            return super().write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, which takes its name only once it is complete; compressed if that ends in ".gz".

    If the block raises anything, an interrupt included, no trace is left, and a file that was there before stays as it
    was. What a killed process left beside the same output is removed. A device or a pipe is written to directly.

    Raises:
        OutputError: it cannot be written; the message has the name `path`, never that of the temporary file.
    """
    target = real_path(path)  # a symbolic link stays one
    with ExitStack() as stack:
        if _is_special(path):
            part = None
            with _naming(path):
                descriptor = os.open(path, os.O_WRONLY)
        else:
            descriptor, part = stack.enter_context(_part_file(target, path))
        raw = _NamedFile(descriptor, path)
        file = stack.enter_context(io.BufferedWriter(raw, _BUFFER))
        stream: IO[bytes] = file
        if path.suffix.lower() == ".gz":
            # Neither name nor time is stored, so that the same content gives the same bytes.
            packed = gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0)
            stream = cast("IO[bytes]", stack.enter_context(packed))
        try:
            yield stream
            stream.close() if stream is not file else stream.flush()
            file.flush()
            if part:
                _put_in_place(raw, part, target, path)
        except BaseException:
            raw.is_given_up = True
            raise


def _put_in_place(raw: _NamedFile, part: Path, target: Path, output: Path) -> None:
    with _naming(output):
        os.fsync(raw.fileno())
        if sys.platform == "win32":
            raw.close()  # elsewhere the lock is held until the file has its name
        part.replace(target)
    logger.info("Wrote %s.", output)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write into; what is in it goes to `path` only once the block is done.

    If the block raises anything, no trace is left, and a folder that was there before stays as it was. Otherwise files
    in it that were not written anew stay.

    Raises:
        OutputError: it cannot be written; the message has the name `path`.
    """
    with temporary_folder(path) as folder:
        new, old = folder / "new", folder / "old"
        new.mkdir()
        old.mkdir()
        yield new
        target = real_path(path)
        with _naming(path):
            if not target.exists():
                new.rename(target)
                return
            for entry in sorted(new.iterdir()):
                if (there := target / entry.name).exists():
                    there.rename(old / entry.name)
                entry.rename(there)


@contextmanager
def temporary_folder(output: Output | None) -> Iterator[Path]:
    """A folder for temporary files: beside an output that is a file or folder, else where the system has them.

    It is removed in the end with all that is in it. What a killed process left beside the same output is removed too.

    Raises:
        OutputError: it cannot be made, or a file in it cannot be written.
    """
    is_here = isinstance(output, str | Path) and output != STANDARD and not is_remote(output)
    path = Path(cast("str | Path", output)) if is_here else None
    with ExitStack() as stack:
        if path is None or _is_special(path):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="kgmrca-")))
        else:
            folder = stack.enter_context(_part_folder(real_path(path), path))
        with _naming(path or folder, folder):
            yield folder


@contextmanager
def _part_file(target: Path, output: Path) -> Iterator[tuple[int, Path]]:
    """A new temporary file beside `target`, as a descriptor and a path; if it is still there in the end, it goes."""
    with ExitStack() as stack:
        with _naming(output):
            mode = target.stat().st_mode & 0o777 if target.exists() else None
            descriptor, part = stack.enter_context(_claimed(target, _new_file))
        if mode is not None:
            part.chmod(mode)
        yield descriptor, part


@contextmanager
def _part_folder(target: Path, output: Path) -> Iterator[Path]:
    """A new temporary folder beside `target`, removed in the end with all that is in it."""
    with ExitStack() as stack:
        with _naming(output):
            descriptor, part = stack.enter_context(_claimed(target, _new_folder))
        stack.callback(os.close, descriptor)
        yield part


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(os.devnull if sys.platform == "win32" else path, os.O_RDONLY)


# A temporary file or folder is locked by the process that writes it, and the system releases the lock when that process
# ends, however it ends. So one that can be locked has been left behind. Locks need not hold across machines, so the
# name says on which one it was made. Windows has no such locks: there nothing is removed.


@contextmanager
def _claimed(target: Path, make: Callable[[Path], int]) -> Iterator[tuple[int, Path]]:
    """Something temporary beside `target`, locked; first those are removed that killed processes left.

    It is removed in the end, also if a signal ends the program between making it and using it.
    """
    _remove_stale(target)
    part = None
    try:
        while True:
            part = target.with_name(f"{_part_prefix(target)}{secrets.token_hex(4)}.part")
            descriptor = make(part)
            if sys.platform != "win32":
                with suppress(OSError):  # a file system without locks: nobody can lock it there
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
            if part.exists():
                break
            os.close(descriptor)  # another process took it for one that was left behind, before it was locked
        yield descriptor, part
    finally:
        if part:
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)


def _part_prefix(target: Path) -> str:
    name = os.fsencode(target.name)[:_LONGEST_NAME].decode("utf-8", "ignore")
    machine = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    return f".{name}.{machine}-"


def _remove_stale(target: Path) -> None:
    if sys.platform == "win32":
        return
    stale = re.compile(re.escape(_part_prefix(target)) + r"[0-9a-f]{8}\.part")
    for path in target.parent.iterdir():
        if not stale.fullmatch(path.name):
            continue
        with suppress(OSError):  # it is locked, or another process removed it meanwhile
            is_folder = stat.S_ISDIR((status := path.lstat()).st_mode)
            if status.st_uid != os.geteuid():
                continue
            descriptor = os.open(path, os.O_NOFOLLOW | (os.O_RDONLY if is_folder else os.O_RDWR | os.O_NONBLOCK))
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if is_folder else path.unlink()
            finally:
                os.close(descriptor)


@contextmanager
def _naming(output: str | Path, folder: Path | None = None) -> Iterator[None]:
    """Name the output in errors of the system; with a `folder`, if the disk is full or the file lies in the folder."""
    try:
        yield
    except OSError as error:
        is_meant = folder is None or error.errno in _FULL or str(error.filename or "").startswith(str(folder))
        if isinstance(error, OutputError) or not is_meant:
            raise
        raise OutputError(f"'{output}' cannot be written: {error.strerror or error}.") from error
