"""Entities as tags of tokens (begin, inside, outside, end, single), and the best valid sequence of them. No spaCy."""

from collections.abc import Sequence

import numpy as np
import torch
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

        All windows are gone through side by side (Viterbi), step by step, the longest windows first.
        """
        sizes = np.asarray(lengths, np.int64)
        found = np.zeros(len(scores), np.int64)
        order = np.argsort(-sizes, kind="stable")
        starts = (np.cumsum(sizes) - sizes)[order]
        counts = [int((sizes > step).sum()) for step in range(int(sizes.max(initial=0)))]  # windows that go so far
        total = torch.empty(0)
        sources: list[Tensor] = []
        tag = torch.zeros(len(order), dtype=torch.long)
        for step, count in enumerate(counts):
            here = scores[torch.as_tensor(starts[:count] + step)]
            if step:
                best, source = self._come_from(total[:count])
                sources.append(source)
                here = here + best
            else:
                here = here.masked_fill(torch.as_tensor(~self.first), -torch.inf)
            total = here
            going_on = counts[step + 1] if step + 1 < len(counts) else 0
            ending = total[going_on:].masked_fill(torch.as_tensor(~self.last), -torch.inf)
            tag[going_on:count] = ending.argmax(1)
        for step in range(len(counts) - 1, -1, -1):
            here = tag[: counts[step]]
            found[starts[: counts[step]] + step] = here.numpy()
            if step:
                tag[: counts[step]] = sources[step - 1].gather(1, here.unsqueeze(1)).squeeze(1)
        return found

    def _come_from(self, total: Tensor) -> tuple[Tensor, Tensor]:
        """For each tag the largest sum [windows, tags] of those that may stand before it, and which tag that is.

        Before "outside", "begin" and "single" stands any tag that ends something; before "inside" and "end" only
        "begin" or "inside" of the same type.
        """
        ended, which = total.masked_fill(torch.as_tensor(~self.last), -torch.inf).max(1, keepdim=True)
        begin, inside = total[:, 1::4], total[:, 2::4]
        later = inside > begin
        goes_on, base = torch.where(later, inside, begin), torch.arange(1, self.count, 4)
        best, source = ended.repeat(1, self.count), which.repeat(1, self.count)
        best[:, 2::4] = best[:, 3::4] = goes_on
        source[:, 2::4] = source[:, 3::4] = base + later.long()
        return best, source
