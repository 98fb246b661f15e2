"""Two stages of a pipeline at the same time: one works on a batch while those before it make the next (no spaCy)."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import TypeVar

import torch
from thinc.util import get_torch_default_device

__all__ = ["ahead"]

T = TypeVar("T")
R = TypeVar("R")


def ahead(batches: Iterable[T], work: Callable[[T], R]) -> Iterator[tuple[T, Callable[[], R]]]:
    """Work on each batch in another thread while the next one is made in this one.

    torch can use two processors this way even where its own threads cannot: they share one operation, and most are
    short. Meanwhile each of the two has half of torch's threads, or both would wait for processors that the other one
    has; what runs between two batches has all of them. Whoever has set torch to one thread gets one, and so does
    whoever computes on a GPU.

    >>> [(batch, done()) for batch, done in ahead([[1, 2], [3]], sum)]
    [([1, 2], 3), ([3], 3)]

    Args:
        batches: where they fail, the batch before is given first, and then the error is raised.
        work: it must not depend on what was worked on before.

    Yields:
        The batches in their order, each with a function that gives what the work gave, or raises what it raised. One
        batch is made more than is given.
    """
    if torch.get_num_threads() < 2 or get_torch_default_device().type != "cpu":
        for batch in batches:
            yield batch, partial(work, batch)
        return
    half = torch.get_num_threads() // 2
    waiting: list[tuple[T, Callable[[], R]]] = []
    with ThreadPoolExecutor(1, "kgmrca-ahead", torch.set_num_threads, (half,)) as pool:
        with _threads(half):
            pool.submit(torch.get_num_threads).result()  # it has set its own, which is also for threads to come
        try:
            for batch in _made(batches, half):
                # The other thread sees what this one has set, such as spaCy's choice of a device.
                waiting.append((batch, pool.submit(copy_context().run, work, batch).result))
                if len(waiting) > 1:
                    yield waiting.pop(0)
        except Exception:
            yield from waiting
            raise
        yield from waiting


def _made(batches: Iterable[T], threads: int) -> Iterator[T]:
    """The batches, each made with so many threads of torch."""
    made = iter(batches)
    while True:
        with _threads(threads):
            try:
                batch = next(made)
            except StopIteration:
                return
        yield batch


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Let torch use so many threads for one operation, and afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
