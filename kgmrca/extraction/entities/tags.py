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

    def best(self, scores: Tensor, lengths: Sequence[int]) -> NDArray[np.int64]:
        """The best valid tags [tokens] by the sum of their scores [tokens, tags], windows one after another.

        All windows are gone through side by side (Viterbi). Only four sources have to be compared for each tag: the
        valid predecessors of begin, single and outside are the same for all types.
        """
        sizes = np.asarray(lengths)
        found = np.zeros(int(sizes.sum()), np.int64)
        order = np.argsort(-sizes, kind="stable")
        starts = (np.cumsum(sizes) - sizes)[order]
        steps = int(sizes.max(initial=0))
        counts = [int((sizes > step).sum()) for step in range(steps)]
        penalty = torch.where(torch.as_tensor(self.valid), 0.0, -1e4)
        back: list[Tensor] = []
        total = scores.new_empty(0)
        at_start = torch.as_tensor(starts)
        ends = torch.where(torch.as_tensor(self.last), 0.0, -1e4)
        final = torch.zeros(len(order), dtype=torch.long)
        for step in range(steps):
            here = scores[at_start[: counts[step]] + step]
            if step == 0:
                total = here + torch.where(torch.as_tensor(self.first), 0.0, -1e4)
            else:
                best, source = (total[: counts[step]].unsqueeze(2) + penalty).max(1)
                back.append(source)
                total = best + here
            following = counts[step + 1] if step + 1 < steps else 0
            if following < counts[step]:
                final[following : counts[step]] = (total[following:] + ends).argmax(1)
        tag = final
        for step in range(steps - 1, -1, -1):
            found[starts[: counts[step]] + step] = tag[: counts[step]].numpy()
            if step:
                tag = tag.clone()
                tag[: counts[step]] = back[step - 1].gather(1, tag[: counts[step]].unsqueeze(1)).squeeze(1)
        return found
