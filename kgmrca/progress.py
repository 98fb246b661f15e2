"""What a job says of itself: how far it is (a bar on a terminal, a line now and then in a log), and how much it did."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from tqdm import tqdm

__all__ = ["counted", "loading_shown", "progress_bar"]

_now = time.monotonic
_FIRST_LINE, _EVERY_LINE = 10.0, 60.0  # seconds


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun, in the singular or in the plural (which by default has an "s" more).

    >>> counted(1, "document"), counted(2000, "document"), counted(2, "entity", "entities")
    ('1 document', '2,000 documents', '2 entities')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def progress_bar(progress: bool | Literal["json"] | None, **options: Any) -> "tqdm[Any]":
    """Say on standard error how far a job is, with tqdm's `options`.

    Args:
        progress: True: a bar. False: nothing. None: a bar if standard error is a terminal; otherwise a line after 10
            seconds, and then after ever longer times, up to every minute. "json": such a line is JSON.
        options: those of tqdm.
    """
    if progress == "json" or (progress is None and not (sys.stderr and sys.stderr.isatty())):
        # Without smoothing, the rate is that of the whole job so far.
        lines = {"file": sys.stderr, "mininterval": 0, "miniters": 1, "smoothing": 0, "leave": False}
        return (_JsonLines if progress == "json" else _ProgressLines)(**options | lines)
    width: dict[str, Any] = {"dynamic_ncols": True} if _has_width() else {"ncols": 80}
    return tqdm(disable=progress is False, file=sys.stderr, **width, **options)


@contextmanager
def loading_shown() -> Iterator[None]:
    """Say on a terminal, in the place of the progress bar, that something is loading, until the block ends."""
    is_terminal = bool(sys.stderr and sys.stderr.isatty())
    with progress_bar(is_terminal, desc="loading ...", bar_format="{desc}", leave=False):
        yield


def _has_width() -> bool:
    """Whether the terminal says how wide it is; some say 0."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (AttributeError, OSError, ValueError):
        return True


class _ProgressLines(tqdm):  # type: ignore[type-arg]
    """Instead of a bar, a line now and then: for logs."""

    def __init__(self, **options: Any) -> None:
        self._wait = _FIRST_LINE
        self._next = _now() + self._wait
        super().__init__(**options)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Write a line if it is time for one; tqdm calls this at every update."""
        if (now := _now()) >= self._next:
            self._wait = min(2 * self._wait, _EVERY_LINE)
            self._next = now + self._wait
            self._print_line()

    def _print_line(self) -> None:
        done = "{percentage:.0f} %, {n_fmt} of {total_fmt}" if self.total else "{n_fmt}{unit}"
        left = ", {remaining} left" if self.total else ""
        name = "{desc}: " if self.desc and not self.desc.endswith(": ") else "{desc}"
        line = f"{name}{done}, {{elapsed}} passed{left}, {{rate_fmt}}{{postfix}}"
        text = self.format_meter(**{**self.format_dict, "bar_format": line, "ncols": None})
        print(f"kgmrca: {text.strip()}", file=sys.stderr, flush=True)

    def clear(self, nolock: bool = False) -> None:
        """Do nothing: there is no bar to remove."""


class _JsonLines(_ProgressLines):
    """The same lines as JSON: `done` and `total` in the unit of the job, what is counted, and seconds."""

    _counts: dict[str, Any] = {}  # noqa: RUF012 (replaced, never changed)

    def set_postfix(self, ordered_dict: Any = None, refresh: bool | None = True, **counts: Any) -> None:
        """Keep what is counted."""
        self._counts = {**(ordered_dict or {}), **counts}

    def _print_line(self) -> None:
        elapsed = self.format_dict["elapsed"]
        rate = self.n / elapsed if elapsed else None
        line = {
            "event": "progress",
            "done": self.n,
            "total": self.total,
            **self._counts,
            "seconds": round(elapsed, 1),
            "per_second": rate and round(rate, 1),
            "seconds_left": round((self.total - self.n) / rate) if self.total and rate else None,
        }
        print(json.dumps(line), file=sys.stderr, flush=True)
