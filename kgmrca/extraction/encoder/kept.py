"""What was found out about Docs, kept beside them for as long as they are used (no torch in here)."""

import threading
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

__all__ = ["MAX_KEPT", "Kept"]

T = TypeVar("T")

MAX_KEPT = 65_536
"""Tokens of Docs that something is kept for, unless another number is given."""


class Kept(Generic[T]):
    """Values for Docs. They are no part of a Doc, and go with it; a Doc whose tokens were changed has none.

    Threads may share it: a value is complete before it can be seen, and is never changed.

    Args:
        most: tokens of Docs that values are kept for.
    """

    def __init__(self, most: int = MAX_KEPT) -> None:
        self.most = most
        self.forget()

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Doc]:
        return iter(list(self._kept))

    def forget(self) -> None:
        """Drop all values. A fork does so, because another thread of its parent may have held the lock."""
        self._kept: WeakKeyDictionary[Doc, tuple[NDArray[np.uint64], T]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def find(self, doc: Doc, orths: NDArray[np.uint64]) -> T | None:
        """The value of a Doc, if there is one and its tokens are still these."""
        kept = self._kept.get(doc)
        return kept[1] if kept is not None and np.array_equal(kept[0], orths) else None

    def keep(self, docs: Sequence[Doc], orths: Sequence[NDArray[np.uint64]], values: Sequence[T]) -> None:
        """Keep the values of Docs. Those that were kept first are dropped where it gets too much."""
        with self._lock:
            for doc, tokens, value in zip(docs, orths, values, strict=True):
                self._kept.pop(doc, None)
                self._kept[doc] = tokens, value
            there = list(self._kept.items())
            total = sum(len(tokens) for _, (tokens, _) in there)
            for first, (tokens, _) in there[:-1]:
                if total <= self.most:
                    break
                self._kept.pop(first, None)
                total -= len(tokens)
