"""The tasks of a merge, one step after the other, in this process or in several."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from tqdm import tqdm

from kgmrca.graph.processes import process_pool
from kgmrca.progress import progress_bar

__all__ = ["Steps", "open_steps"]

_TASKS_A_WORKER = 4


class Steps:
    """Runs the tasks of one step after the other, in processes if there are any, and counts them on a bar."""

    def __init__(self, executor: ProcessPoolExecutor | None, n_tasks: int, n_buckets: int, bar: "tqdm[Any]") -> None:
        self._executor = executor
        self._bar = bar
        cuts = [n_buckets * number // n_tasks for number in range(n_tasks + 1)]
        self._chunks = [range(*cut) for cut in pairwise(cuts)]

    def over_buckets(self, name: str, task: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call `task` with the arguments and a range of buckets, for all buckets; the results are in their order."""
        return self.over(name, task, [(*arguments, chunk) for chunk in self._chunks])

    def over(self, name: str, task: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call `task` with each of the arguments; the results are in their order."""
        self._bar.set_description(name)
        self._bar.reset(len(calls))
        if self._executor is None:
            return [self._counted(task(*call)) for call in calls]
        futures = [self._executor.submit(task, *call) for call in calls]
        for future in as_completed(futures):
            self._counted(future.result())
        return [future.result() for future in futures]

    def _counted(self, result: Any) -> Any:
        self._bar.update()
        return result


@contextmanager
def open_steps(workers: int, n_buckets: int, progress: bool | None) -> Iterator[Steps]:
    """Start the processes, if there is to be more than one, and end them with the block.

    Raises:
        KgmrcaError: a process was killed.
    """
    n_tasks = min(n_buckets, 1 if workers == 1 else workers * _TASKS_A_WORKER)
    with progress_bar(progress, unit="task") as bar:
        if workers == 1:
            yield Steps(None, n_tasks, n_buckets, bar)
            return
        with process_pool(workers) as pool:
            yield Steps(pool, n_tasks, n_buckets, bar)
