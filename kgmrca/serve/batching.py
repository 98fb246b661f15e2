"""Requests that wait at the same time are read together: one thread has the pipeline, and reads batch after batch."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from spacy.language import Language
from spacy.tokens import Doc

__all__ = ["Batcher"]

_Answer = TypeVar("_Answer")

_BATCH_DOCUMENTS = 64
_BATCH_CHARACTERS = 100_000  # a batch is not interrupted, so a long one would let all others wait

# Clients that got their answers together ask again together, but not in the same moment. To wait a moment for all of
# them costs this share of the time that a batch takes, and no more than these seconds.
_GATHERING_SHARE = 0.1
_GATHERING_SECONDS = 0.05


@dataclass(slots=True, eq=False)
class _Job(Generic[_Answer]):
    texts: Sequence[str]
    settings: Mapping[str, dict[str, Any]]
    make_answer: Callable[[list[Doc]], _Answer]
    answer: asyncio.Future[_Answer]


class Batcher:
    """Reads the texts of many requests in few calls of the pipeline. It is an asynchronous context manager.

    While a batch is read, the next one gathers. A request that comes alone is read at once. Requests with other
    settings are not read together.

    Args:
        nlp: the pipeline. Nothing else may use it meanwhile.
        observe: is called with the number of texts of each batch.
    """

    def __init__(self, nlp: Language, *, observe: Callable[[int], None]) -> None:
        self._nlp = nlp
        self._observe = observe
        self._waiting: deque[_Job[Any]] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "kgmrca-reader")

    async def __aenter__(self) -> "Batcher":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        # A batch that is being read is finished, as no thread can be interrupted.
        self._thread.shutdown()

    async def read(
        self,
        texts: Sequence[str],
        make_answer: Callable[[list[Doc]], _Answer],
        settings: Mapping[str, dict[str, Any]] = MappingProxyType({}),
    ) -> _Answer:
        """Read some texts, and give what `make_answer` makes of their Docs. To cancel this takes them out of the queue.

        Args:
            texts: at least one.
            make_answer: is called in the thread that reads. Its result must be plain data: the words of the Docs are
                gone afterwards.
            settings: of the pipeline's components (the `component_cfg` of `Language.pipe`).

        Raises:
            Whatever the pipeline or `make_answer` raises for these texts. Other requests are not affected.
        """
        job = _Job(texts, settings, make_answer, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._arrived.set()
        return await job.answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        asking, seconds = 0, 0.0
        while True:
            await self._gather(asking, seconds)
            jobs = self._next()
            if not jobs:
                continue
            started = loop.time()
            outcomes = await loop.run_in_executor(self._thread, self._read, jobs)
            asking = min(len(jobs) + len(self._waiting), _BATCH_DOCUMENTS)
            seconds = min(_GATHERING_SHARE * (loop.time() - started), _GATHERING_SECONDS)
            for job, outcome in zip(jobs, outcomes, strict=True):
                if job.answer.done():
                    continue  # nobody waits for it any more
                if isinstance(outcome, Exception):
                    job.answer.set_exception(outcome)
                else:
                    job.answer.set_result(outcome)

    async def _gather(self, expected: int, seconds: float) -> None:
        """Wait for a request, and then no longer than some seconds for as many as are expected."""
        if not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while len(self._waiting) < expected and (left := end - loop.time()) > 0:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except asyncio.TimeoutError:
                return

    def _next(self) -> list[_Job[Any]]:
        jobs: list[_Job[Any]] = []
        documents = characters = 0
        while self._waiting and documents < _BATCH_DOCUMENTS and characters < _BATCH_CHARACTERS:
            if jobs and self._waiting[0].settings != jobs[0].settings:
                break
            job = self._waiting.popleft()
            if not job.answer.done():
                jobs.append(job)
                documents += len(job.texts)
                characters += sum(map(len, job.texts))
        return jobs

    def _read(self, jobs: Sequence[_Job[Any]]) -> list[Any]:
        """The answer to each job, or the error that it met."""
        texts = [text for job in jobs for text in job.texts]
        self._observe(len(texts))
        try:
            # Without a memory zone spaCy's vocabulary would grow with every new word.
            with self._nlp.memory_zone():
                docs = self._nlp.pipe(texts, batch_size=_BATCH_DOCUMENTS, component_cfg=dict(jobs[0].settings))
                return [job.make_answer([next(docs) for _ in job.texts]) for job in jobs]
        except Exception as error:
            if len(jobs) == 1:
                return [error]
        return [outcome for job in jobs for outcome in self._read([job])]
