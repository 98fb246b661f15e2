"""Processes for tasks, which end with the process that started them, however that ends."""

import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from kgmrca.errors import KgmrcaError

__all__ = ["process_pool"]


@contextmanager
def process_pool(
    workers: int, start: Callable[..., object] | None = None, *arguments: Any, fork: bool = False
) -> Iterator[ProcessPoolExecutor]:
    """Start processes, and end them with the block; if that raises anything, at once.

    Args:
        workers: how many.
        start: what each of them calls first, with `arguments`.
        fork: whether they share what this process has in memory, instead of starting afresh. Then nothing else may be
            at work in it (see `can_fork`), and `arguments` are passed as they are.

    Raises:
        KgmrcaError: a process was killed.
    """
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("fork" if fork else "spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(start, arguments))
    try:
        with warnings.catch_warnings():
            # Python cannot know that the other threads are idle ones of libraries, which expect a fork.
            warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
            yield pool
    except BaseException as error:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()  # its result is not needed any more
        if isinstance(error, BrokenProcessPool):
            raise KgmrcaError("A process was killed, perhaps because memory ran out: use fewer workers.") from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _start(start: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the keyboard interrupts the parent too, which ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    assert parent is not None
    Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    if start:
        start(*arguments)


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # there is no process any more that would take a result
