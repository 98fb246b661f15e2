"""Entities as tags of tokens (begin, inside, outside, end, single), and the best valid sequence of them. No spaCy."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Tags"]

_B, _I, _E, _S = range(4)


class Tags:
    """The tags of entity types: 0 is outside; type k has 4k + 1 to 4k + 4: begin, inside, end, single.

    Args:
        types: the entity types, in the order of their tags.
    """

    def __init__(self, types: Sequence[str]) -> None:
        self.types = list(types)
        self.count = 1 + 4 * len(self.types)
        place = np.arange(-1, self.count - 1) % 4
        kind = np.arange(-1, self.count - 1) // 4
        opens = (np.arange(self.count) > 0) & (place <= _I)  # an entity goes on behind this tag
        follows = (np.arange(self.count) > 0) & ((place == _I) | (place == _E))  # and before this one
        valid = np.where(opens[:, None], follows[None] & (kind[:, None] == kind[None]), ~follows[None])
        self._alone = np.append(0, np.arange(1 + _S, self.count, 4))
        self.valid: NDArray[np.bool_] = valid  # [from, to]
        self.first: NDArray[np.bool_] = ~follows
        self.last: NDArray[np.bool_] = ~opens

    def encode(self, length: int, spans: Sequence[tuple[int, int, int]]) -> NDArray[np.int64]:
        """The tags of a text of so many tokens with spans (start, end, number of the type).

        >>> Tags(["PER"]).encode(4, [(0, 1, 0), (2, 4, 0)])
        array([4, 0, 1, 3])
        """
        tags = np.zeros(length, np.int64)
        for start, end, kind in spans:
            base = 4 * kind + 1
            if end - start == 1:
                tags[start] = base + _S
            else:
                tags[start], tags[start + 1 : end - 1], tags[end - 1] = base + _B, base + _I, base + _E
        return tags

    def decode(self, tags: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """The spans (start, end, number of the type) of a valid sequence of tags.

        >>> Tags(["PER"]).decode(np.array([4, 0, 1, 3]))
        [(0, 1, 0), (2, 4, 0)]
        """
        place, kind = (tags - 1) % 4, (tags - 1) // 4
        inside = tags > 0
        starts = np.flatnonzero(inside & ((place == _B) | (place == _S)))
        ends = np.flatnonzero(inside & ((place == _E) | (place == _S))) + 1
        return list(zip(starts.tolist(), ends.tolist(), kind[starts].tolist(), strict=True))

    def best(self, scores: Tensor, lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """The valid tags [tokens] with the largest sum of scores [tokens, tags], windows one after another.

        All windows are gone through side by side (Viterbi), step by step, the longest windows first. Between two tokens
        either no entity is open, or one of some type. So for each window and step these sums are known: the best where
        no entity goes on behind the token, and the best with an open one of each type. What to do with a token that
        opens nothing ("outside", or the best "single") is the same whatever stands around it.
        """
        sizes = np.asarray(lengths, np.int64)
        values = scores.numpy()
        if not len(values):
            return np.zeros(0, np.int64)
        order = np.argsort(-sizes, kind="stable")
        starts = (np.cumsum(sizes) - sizes)[order]
        counts = [int((sizes > step).sum()) for step in range(int(sizes.max()))]  # windows that go so far
        # Tokens in the order of the steps, so that those of one step lie together.
        rows = np.concatenate([starts[:count] + step for step, count in enumerate(counts)])
        alone_tag = self._alone[values[:, self._alone].argmax(1)][rows]
        values = values[rows]
        alone = np.take_along_axis(values, alone_tag[:, None], 1)[:, 0]
        begin, inside, end = (np.ascontiguousarray(values[:, 1 + place :: 4]) for place in (_B, _I, _E))

        goes_on = np.zeros(begin.shape, bool)  # the open entity was open before, too
        ends = np.full(len(values), -1)  # the type that ends here; -1: the token stands alone
        closed, opened = np.zeros(len(starts), values.dtype), np.full((len(starts), len(self.types)), -np.inf, "f")
        last = np.cumsum(counts)
        for count, stop in zip(counts, last.tolist(), strict=True):
            here = slice(stop - count, stop)
            closed, opened = closed[:count], opened[:count]
            ending = opened + end[here]
            best = ending.argmax(1)
            ended, going = ending[np.arange(count), best], opened + inside[here]
            opening, staying = begin[here] + closed[:, None], alone[here] + closed
            goes_on[here] = going > opening
            ends[here] = np.where(ended > staying, best, -1)
            closed, opened = np.maximum(ended, staying), np.maximum(opening, going)
        found = np.zeros(len(values), np.int64)
        open_type = np.full(len(starts), -1)  # behind the token; windows end with none
        for count, stop in zip(counts[::-1], last[::-1].tolist(), strict=True):
            here, kind = slice(stop - count, stop), open_type[:count]
            is_open = kind >= 0
            stays_open = goes_on[here][np.arange(count), kind] & is_open
            ending = ends[here]
            inner = 1 + 4 * kind + np.where(stays_open, _I, _B)
            outer = np.where(ending >= 0, 1 + 4 * ending + _E, alone_tag[here])
            found[here] = np.where(is_open, inner, outer)
            open_type[:count] = np.where(is_open, np.where(stays_open, kind, -1), ending)
        tags = np.empty_like(found)
        tags[rows] = found
        return tags
