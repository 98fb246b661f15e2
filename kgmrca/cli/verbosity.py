"""`--quiet` and `--verbose`, which every command has, and messages as JSON."""

import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, TextIO

import typer

__all__ = ["JsonMessages", "logger", "with_verbosity"]

logger = logging.getLogger("kgmrca")

_OPTIONS = {
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")],
    "verbose": Annotated[
        bool, typer.Option("--verbose", "-v", help="Print each step with the seconds since the start.")
    ],
}


def with_verbosity(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options `--quiet` and `--verbose`, which act on all that it prints to standard error."""

    @wraps(command)
    def run(*args: Any, quiet: bool, verbose: bool, **options: Any) -> None:
        if quiet and verbose:
            raise typer.BadParameter("Choose one of the two.", param_hint="--quiet, --verbose")
        with warnings.catch_warnings():
            warnings.showwarning = _print_warning
            with redirect_stderr(_Nowhere()) if quiet else _steps_shown(verbose):
                command(*args, **options)

    added = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=option) for name, option in _OPTIONS.items()
    ]
    own = signature(command)
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, **_OPTIONS}
    return run


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning of Python as a message like all others: where in the code it arose tells a user nothing."""
    print(f"kgmrca: {message}", file=sys.stderr)


class _Nowhere(io.TextIOBase):
    """A stream that keeps nothing. It is no terminal, so that no progress bar is drawn."""

    def write(self, text: str) -> int:
        return len(text)


class JsonMessages(io.TextIOBase):
    """A stream that makes each line that is written to it JSON, if it is not JSON already. It is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""

    def write(self, text: str) -> int:
        """Write each line that is complete now."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(None, lines):
            is_json = line.startswith("{")
            message = {"event": "message", "text": line.removeprefix("kgmrca: ")}
            self._stream.write((line if is_json else json.dumps(message)) + "\n")
        return len(text)

    def flush(self) -> None:
        """Flush what is complete."""
        self._stream.flush()


@contextmanager
def _steps_shown(verbose: bool) -> Iterator[None]:
    """Print what is logged as information while the block runs, with the seconds since its beginning."""
    if not verbose:
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Seconds(time.time()))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
        logger.info("Done.")
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class _Seconds(logging.Formatter):
    def __init__(self, begun: float) -> None:
        super().__init__()
        self._begun = begun

    def format(self, record: logging.LogRecord) -> str:
        return f"kgmrca: {record.created - self._begun:8.2f} s  {record.getMessage()}"
