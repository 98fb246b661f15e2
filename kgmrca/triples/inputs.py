"""RDF to read: which files some inputs name, and the content of each, in one way for all commands."""

import codecs
import gzip
import io
import logging
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias, cast
from xml.parsers import expat

from tqdm.utils import CallbackIOWrapper

from kgmrca.errors import InputError
from kgmrca.files import STANDARD, Output, real_path, temporary_folder
from kgmrca.reading import check_is_file, paths_of, unpacked
from kgmrca.triples.formats import EXTENSIONS, FORMATS, check_format, format_of, is_rdf

__all__ = [
    "LONGEST_LITERAL",
    "RdfFile",
    "RdfInput",
    "format_of_input",
    "graph_files",
    "is_too_long",
    "name_of",
    "opened_rdf",
    "rdf_files",
    "too_long",
]

logger = logging.getLogger(__name__)

RdfInput: TypeAlias = str | Path | IO[bytes]
"""A file, "-" for standard input, or a binary stream, compressed by gzip or not."""

_OF_STDIN = "trig"  # Turtle and N-Triples are parts of it
LONGEST_LITERAL = 16 * 1024 * 1024
"""In bytes. pyoxigraph reads a longer one from RDF/XML only, so it could not be read again from another format."""

_BUFFER_FULL = "Reached the buffer maximal size"  # how pyoxigraph's MemoryError begins


class RdfFile(NamedTuple):
    """RDF to read.

    Attributes:
        path: of a file, or "-" for standard input.
        format: one of `FORMATS`.
    """

    path: str | Path
    format: str


def rdf_files(
    inputs: str | Path | Iterable[str | Path], *, format: str | None = None, output: Path | None = None
) -> list[RdfFile]:
    """The RDF files that inputs name: files, folders, glob patterns, or "-" for standard input; each file once.

    A folder gives the files in it and in its sub-folders whose names say that they are RDF, in the order of their
    paths; hidden files are left out.

    Args:
        inputs: what to read.
        format: the format of all inputs, one of `FORMATS`; then a folder gives all its files. None: by extension, TriG
            on standard input, of which Turtle and N-Triples are parts.
        output: a file that is written meanwhile. Folders and patterns do not give it.

    Raises:
        InputError: there is no such format; an input does not exist, is the output, or gives no RDF file; a file does
            not say its format; a folder cannot be read, or holds a named pipe under the name of an RDF file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("b.nt", "a.ttl.gz", "notes.txt"):
    ...         Path(folder, name).touch()
    ...     [(Path(path).name, format) for path, format in rdf_files(folder)]
    [('a.ttl.gz', 'turtle'), ('b.nt', 'ntriples')]
    """
    if format is not None:
        check_format(format)
    found: dict[Path | None, RdfFile] = {}
    for given in [inputs] if isinstance(inputs, str | Path) else inputs:
        if given == STANDARD:
            found.setdefault(None, RdfFile(STANDARD, format or _OF_STDIN))
            continue
        files = list(_files_of(str(given), format, output and real_path(output)))
        if not files:
            raise InputError(
                f"There is no RDF in '{given}': RDF files end in {', '.join(EXTENSIONS)}, or one of these and .gz."
            )
        for path in files:
            found.setdefault(real_path(path), RdfFile(path, format or format_of(path)))
    if not found:
        raise InputError("There is nothing to read: give at least one INPUT.")
    return list(found.values())


def _files_of(given: str, format: str | None, output: Path | None) -> Iterator[Path]:
    is_folder = Path(given).is_dir()
    for path in paths_of(given)[0]:
        is_named = path == Path(given)  # and not found in a folder or by a pattern
        if output is not None and real_path(path) == output:
            if is_named:
                raise InputError(f"'{given}' is an INPUT and would be overwritten: write to another file.")
            continue
        if is_folder and format is None and not is_rdf(path):
            continue
        if not is_named:
            check_is_file(path)
        yield path


@contextmanager
def graph_files(
    inputs: str | Path | Iterable[str | Path], format: str | None, *, beside: Output | None = None
) -> Iterator[list[RdfFile]]:
    """The RDF files that inputs name (see `rdf_files`), for reading them twice.

    Of standard input, and of a pipe that an input names, there is a copy on disk, beside an output if there is one.

    Raises:
        InputError: as `rdf_files`.
        OutputError: the copy cannot be written.
    """
    with temporary_folder(beside) as folder:
        files = []
        for number, (graph, known) in enumerate(rdf_files(inputs, format=format)):
            path = Path(graph)
            if graph == STANDARD or not path.is_file():
                name = "standard input" if graph == STANDARD else path.name
                path = Path(folder, str(number), name)
                path.parent.mkdir()
                with ExitStack() as stack, path.open("wb") as copy:
                    stream = sys.stdin.buffer if graph == STANDARD else stack.enter_context(Path(graph).open("rb"))
                    shutil.copyfileobj(stream, copy)
            files.append(RdfFile(path, known))
        yield files


def name_of(graph: RdfInput) -> str:
    """What an input is called in a message.

    >>> name_of("-"), name_of("graph.ttl")
    ('standard input', 'graph.ttl')
    """
    if isinstance(graph, str | Path):
        return "standard input" if graph == STANDARD else str(graph)
    name = getattr(graph, "name", None)
    return name.strip("<>") if isinstance(name, str) else "the stream"


@contextmanager
def opened_rdf(
    graph: RdfInput, *, format: str | None = None, on_read: Callable[[int], object] | None = None
) -> Iterator[tuple[IO[bytes], str]]:
    """The content of RDF and its format: decompressed if it is gzip, whatever its name, and without a byte-order mark.

    What pyoxigraph raises in the block because of the content becomes an `InputError` that names the input.

    Args:
        graph: a file, "-" for standard input, or a binary stream, which stays open.
        format: one of `FORMATS`; None: by the file's extension, TriG on standard input. A stream needs it.
        on_read: called with the number of bytes that were read since the last call.

    Raises:
        InputError: the format is not known, or the content is not of that format, or cut; it says in which line.
        OSError: the file cannot be read.
    """
    name, format = name_of(graph), format_of_input(graph, format)
    logger.info("Reading %s.", name)
    with ExitStack() as stack:
        stack.enter_context(_errors_in_words(name, format))
        if graph == STANDARD:
            stream: IO[bytes] = sys.stdin.buffer
        elif isinstance(graph, str | Path):
            stream = stack.enter_context(Path(graph).open("rb"))
        else:
            stream = graph
        if on_read:
            stream = cast("IO[bytes]", CallbackIOWrapper(on_read, stream, "read"))
        content = stack.enter_context(unpacked(stream))
        _refuse_utf_16(content, name)
        yield cast("IO[bytes]", _WholeXml(content)) if format == "rdfxml" else content, format


def _refuse_utf_16(content: IO[bytes], name: str) -> None:
    """Raise an error if the content is in UTF-16 or UTF-32, known by its mark, or by the half of a letter that is 0."""
    start = cast("io.BufferedReader", content).peek(2)[:2]
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in start:
        raise InputError(f"{name}: this is in UTF-16 or UTF-32, and RDF is read in UTF-8: save it in UTF-8.")


def format_of_input(graph: RdfInput, format: str | None) -> str:
    """The format of an input: the one that is named, or by the file's extension, or TriG on standard input.

    Raises:
        InputError: there is no such format, a file does not say its format, or the input is a stream.

    >>> format_of_input("graph.nq.gz", None), format_of_input("-", None)
    ('nquads', 'trig')
    """
    if format is not None:
        return check_format(format)
    if graph == STANDARD:
        return _OF_STDIN
    if not isinstance(graph, str | Path):
        raise InputError(f"The format of {name_of(graph)} is not known: name one of {', '.join(FORMATS)}.")
    return format_of(Path(graph))


@contextmanager
def _errors_in_words(name: str, format: str) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        if "LoadDocumentCallback" in error.msg:
            raise InputError(
                f"{name}: its JSON-LD @context is at another address, and nothing is fetched: put the context itself "
                "into the file, or convert the file to another format."
            ) from error
        line = f", line {error.lineno}" if error.lineno else ""
        raise InputError(f"{name}{line}: this is not {format}, or it is cut: {error.msg}.") from error
    except expat.ExpatError as error:
        raise InputError(f"{name}, line {error.lineno}: this is not rdfxml, or it is cut: {error}.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name}: the compressed data are damaged or cut: {error}.") from error
    except MemoryError as error:
        if not str(error).startswith(_BUFFER_FULL):
            raise
        raise too_long(name) from error


def is_too_long(text: str) -> bool:
    """Whether a text, as a literal or an IRI in UTF-8, is longer than can be read.

    >>> is_too_long("Warsaw")
    False
    """
    # A code point has up to four bytes, so most texts need not be encoded to be known as short.
    return 4 * len(text) > LONGEST_LITERAL and len(text.encode()) > LONGEST_LITERAL


def too_long(name: str) -> InputError:
    """The error for a literal that cannot be read."""
    return InputError(f"{name}: a literal or an IRI is longer than 16 MiB, which cannot be read: shorten it.")


class _WholeXml:
    """A stream of XML that raises an error if the document is cut. The RDF parser does not notice that."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._parser = expat.ParserCreate()

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._parser.Parse(data, not data)
        return data
