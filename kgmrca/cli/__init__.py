"""The command line: it parses, calls and prints. What is slow to import is imported by the command that needs it.

The exit code is 0 if a command has finished, 1 if it has finished but set records or look-ups aside, 2 if it has not
finished, 130 or 143 if it was interrupted, and 141 if the reader of its output has gone. Messages go to standard error,
so that standard output has data only.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, TextIO, cast

import typer
from typer.core import TyperGroup

from kgmrca import __version__
from kgmrca.cli import extraction, graphs, review, serve, training, wikidata
from kgmrca.cli.command import Command
from kgmrca.cli.info import info_command
from kgmrca.cli.verbosity import with_verbosity
from kgmrca.errors import KgmrcaError, OutputError, in_words

__all__ = ["app", "main"]

# `kgmrca --help` lists them in this order: that in which a user needs them.
_COMMANDS: dict[str, Callable[..., None]] = {
    "tag": extraction.tag_command,
    "convert": extraction.convert_command,
    "serve": serve.serve_command,
    "corpus": training.corpus_command,
    "evaluate": training.evaluate_command,
    "calibrate": training.calibrate_command,
    "merge": graphs.merge_command,
    "graph": graphs.graph_command,
    "validate": graphs.validate_command,
    "link": wikidata.link_command,
    "check": wikidata.check_command,
    "enrich": wikidata.enrich_command,
    "diff": wikidata.diff_command,
    "report": graphs.report_command,
    "apply-review": review.apply_review_command,
    "cache": wikidata.cache_command,
    "info": info_command,
}
_RUN_WITHOUT_ARGUMENTS = {"cache", "info", "serve"}


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn an error of ours or of the system into one line on standard error and an exit code."""
    try:
        try:
            yield
        finally:
            if sys.stdout:
                sys.stdout.flush()  # an error of the flush when Python exits could not be handled
    except BrokenPipeError:
        _drop_output()
        raise typer.Exit(141) from None  # 128 + SIGPIPE, as a shell would report it
    except (KgmrcaError, OSError) as error:
        if isinstance(error, _FullOutputError):
            _drop_output()
        print(f"kgmrca: {in_words(error) if isinstance(error, OSError) else error}", file=sys.stderr)
        raise typer.Exit(2) from error


def _drop_output() -> None:
    """Let what is still buffered for standard output go nowhere: Python writes it at its exit, with the same error."""
    with open(os.devnull, "wb") as nowhere, suppress(OSError, ValueError):  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


class _FullOutputError(OutputError):
    """Standard output cannot be written, for example because the disk is full."""


class _Output:
    """Standard output, whose errors name it. A pipe that nobody reads any more stays a `BrokenPipeError`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._named():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._named():
            self._stream.flush()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _FullOutputError(f"Standard output cannot be written: {error.strerror or error}.") from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Messages:
    """Standard error, where a message that cannot be written is lost: it must not end the work, nor change its result.

    So a command ends with the same exit code if standard error is a full disk, a pipe that nobody reads, or closed.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or io.StringIO()

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Commands(TyperGroup):
    """All commands. Help that is printed to a closed pipe ends like any other output, so both steps are covered."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        with _exit_codes():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        with _exit_codes():
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _function in _COMMANDS.items():
    app.command(_name, cls=Command, no_args_is_help=_name not in _RUN_WITHOUT_ARGUMENTS)(with_verbosity(_function))


def main() -> None:
    """Run the command line and exit."""
    # Before torch is imported: its threads otherwise spin while they wait, which on a busy machine takes three times as
    # long (200 passages: 27 s instead of 8 s beside one other process on two cores).
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Unlike the default, this unwinds the stack, so that a half-written file is removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.stderr = cast("TextIO", _Messages(sys.stderr))
    if sys.stdout:
        sys.stdout = cast("TextIO", _Output(sys.stdout))
    app(prog_name="kgmrca")


@app.callback(invoke_without_command=True)
def kgmrca(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Build a knowledge graph from text, and compare it with Wikidata.

    Each statement of the graph has its confidence and the place in the text where it was read.

    \b
    Examples:
      kgmrca tag "Marie Curie was born in Warsaw."
      kgmrca convert articles/ -o graph.ttl
    """
    if version:
        print(f"kgmrca {__version__}")
        raise typer.Exit
