import pytest
import torch

from kgmrca.extraction.encoder.reader import Reader

SIZES = [3, 1, 5, 2]


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    network = Reader(
        vector_width=6, rows=20, feature_width=4, scheme_width=2, n_schemes=1, hidden_width=5, dropout=0.5
    ).eval()
    torch.nn.init.normal_(network.recall.weight)
    return network


def window(word, size, scheme=0):
    """A window of `size` words, from number `word` on."""
    torch.manual_seed(word)
    return {
        "vectors": torch.randn(size, 6),
        "features": torch.randint(20, (size, 7)),
        "word": torch.arange(size),
        "same": torch.arange(size),
        "lengths": torch.tensor([size]),
        "scheme": torch.tensor([scheme]),
    }


def together(windows):
    joined = {key: torch.cat([one[key] for one in windows]) for key in windows[0]}
    joined["word"] = joined["same"] = torch.arange(len(joined["vectors"]))
    return joined


@torch.no_grad()
def test_windows_read_together_are_read_as_if_alone(reader):
    windows = [window(number, size) for number, size in enumerate(SIZES)]
    alone = torch.cat([reader(**one) for one in windows])
    assert alone.shape == (11, 10)
    assert torch.allclose(reader(**together(windows)), alone, atol=1e-6)


@torch.no_grad()
def test_both_directions_see_the_whole_window(reader):
    one, other = window(0, 4), window(0, 4)
    other["vectors"] = other["vectors"].clone()
    other["vectors"][1] += 1
    changed = (reader(**one) != reader(**other)).view(4, 2, 5).any(2)
    assert changed.all()


@torch.no_grad()
def test_a_word_is_told_of_its_other_places(reader):
    apart, alike = window(0, 4), window(0, 4)
    alike["same"] = torch.tensor([0, 1, 2, 0])
    assert not torch.allclose(reader(**apart), reader(**alike))


@torch.no_grad()
def test_the_scheme_counts(reader):
    assert not torch.allclose(reader(**window(0, 4, scheme=0)), reader(**window(0, 4, scheme=1)))
