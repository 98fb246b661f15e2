"""Where commands write: refused before any work if nothing can be written there, and there only once it is whole."""

import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, cast

from tqdm import tqdm

from kgmrca.errors import InputError

__all__ = ["check_folder", "opened", "progress_bar", "target_of", "utf8", "whole_file"]


def opened(
    output: str | Path | IO[bytes], *, inputs: Iterable[str | Path] = (), what: str = "a GRAPH"
) -> AbstractContextManager[IO[bytes]]:
    """Where to write: a file (see `target_of` and `whole_file`), "-" for standard output, or a stream as it is."""
    if target := target_of(output, inputs=inputs, what=what):
        return whole_file(target)
    return nullcontext(sys.stdout.buffer if output == "-" else cast("IO[bytes]", output))


def target_of(
    output: str | Path | IO[bytes], *, inputs: Iterable[str | Path] = (), what: str = "a GRAPH"
) -> Path | None:
    """The file that is to be written; None for "-", which is standard output, and for a stream.

    Args:
        output: where to write; a `Path` is always a file.
        inputs: what is read meanwhile; "-" is standard input.
        what: what an input is called.

    Raises:
        InputError: it is a folder, in a folder that is not there, or one of the inputs.
    """
    if output == "-" or not isinstance(output, str | Path):
        return None
    path = Path(output)
    if path.is_dir():
        raise InputError(f"'{path}' is a folder: name a file to write.")
    check_folder(path)
    if path.resolve() in {Path(name).resolve() for name in inputs if name != "-"}:
        raise InputError(f"'{path}' is {what} and would be overwritten: write to another file.")
    return path


def check_folder(path: Path) -> None:
    """Refuse to write where there is no folder.

    Raises:
        InputError: there is none.
    """
    if not path.parent.is_dir():
        raise InputError(f"There is no folder '{path.parent}' to write '{path.name}' in: make it first.")


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, which takes its name only once it is complete; compressed if that ends in ".gz".

    If the block raises anything, an interrupt included, no trace is left, and a file that was there before stays as it
    was.
    """
    is_gzip = path.suffix.lower() == ".gz"
    if path.exists() and not path.is_file():  # a device or a pipe, such as /dev/null, must not be replaced
        with _created(path, compress=is_gzip) as stream:
            yield stream
        return
    target = path.resolve()  # a symbolic link stays one
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _created(part, compress=is_gzip) as stream:
            yield stream
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _created(path: Path, *, compress: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if compress:
            # Neither name nor time is stored, so that the same content gives the same bytes.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as stream:
                yield cast("IO[bytes]", stream)
        else:
            yield file


def utf8(stream: IO[bytes]) -> SimpleNamespace:
    """What `csv.writer` can write to, so that its text goes into a binary stream as UTF-8 at once."""
    return SimpleNamespace(write=lambda text: stream.write(text.encode("utf-8")))


def progress_bar(progress: bool | None, **options: Any) -> "tqdm[Any]":
    """A bar on standard error, with tqdm's `options`; with None as `progress`, if that is a terminal."""
    return tqdm(disable=None if progress is None else not progress, file=sys.stderr, dynamic_ncols=True, **options)
