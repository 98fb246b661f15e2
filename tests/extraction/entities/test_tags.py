from itertools import pairwise, product

import numpy as np
import pytest
import torch

from kgmrca.extraction.entities.tags import Tags

TAGS = Tags(["PER", "LOC"])


def best_of_all(scores):
    """The best valid sequence, found by trying every one."""
    valid = [
        tags
        for tags in product(range(TAGS.count), repeat=len(scores))
        if TAGS.first[tags[0]] and TAGS.last[tags[-1]] and all(TAGS.valid[pair] for pair in pairwise(tags))
    ]
    return max(valid, key=lambda tags: sum(row[tag] for row, tag in zip(scores, tags, strict=True)))


@pytest.mark.parametrize("seed", range(5))
def test_the_best_valid_sequence_is_found(seed):
    torch.manual_seed(seed)
    sizes = [3, 1, 4, 2, 4]
    scores = 2 * torch.randn(sum(sizes), TAGS.count)
    found = np.split(TAGS.best(scores, sizes), np.cumsum(sizes)[:-1])
    for part, tags in zip(torch.split(scores, sizes), found, strict=True):
        assert tuple(tags.tolist()) == best_of_all(part.tolist())


def test_no_tokens_have_no_tags():
    assert TAGS.best(torch.zeros(0, TAGS.count), []).tolist() == []


@pytest.mark.parametrize("spans", [[], [(0, 1, 0)], [(0, 3, 1), (3, 4, 0), (4, 6, 1)], [(1, 6, 0)]])
def test_spans_come_back(spans):
    assert TAGS.decode(TAGS.encode(6, spans)) == spans


def test_spans_are_valid_sequences():
    tags = TAGS.encode(6, [(0, 3, 1), (3, 4, 0), (4, 6, 1)]).tolist()
    assert all(TAGS.valid[pair] for pair in pairwise(tags))
    assert not TAGS.valid[0, 2]
    assert not TAGS.valid[1, 6]
