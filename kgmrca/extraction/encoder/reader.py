"""The network that reads: words of a window of sentences -> one state a token. No spaCy in here.

A word is its static vector and a sum of trained vectors of its hashed features. Two BiLSTMs read the window one after
the other. Between them each token is told the mean of what the first one found at all tokens of the same word, so that
a name that is clear at one place helps at the others ("Deutsche Bank ... the Bank").
"""

import torch
from torch import Tensor, nn

from kgmrca.extraction.encoder.networks import start_like_keras

__all__ = ["Reader"]


class Reader(nn.Module):
    """States [tokens, 2 x hidden_width] of the tokens of windows.

    Args:
        vector_width: of the static vectors.
        rows: of the table of hashed features.
        feature_width: of the trained vectors of hashed features.
        scheme_width: of the vector that says by whose rules the text is annotated.
        n_schemes: how many rules there are; the last number beyond them means that it is not told.
        hidden_width: states of each direction of each BiLSTM.
        dropout: share of inputs and states dropped while training.
    """

    def __init__(
        self,
        *,
        vector_width: int,
        rows: int,
        feature_width: int,
        scheme_width: int,
        n_schemes: int,
        hidden_width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.width = 2 * hidden_width
        self.features = nn.EmbeddingBag(rows, feature_width, mode="sum")
        nn.init.normal_(self.features.weight, std=0.3)
        self.norm = nn.LayerNorm(vector_width + feature_width)
        self.scheme = nn.Embedding(n_schemes + 1, scheme_width)
        self.first = _BothWays(vector_width + feature_width + scheme_width, hidden_width)
        self.recall = nn.Linear(self.width, self.width, bias=False)
        nn.init.zeros_(self.recall.weight)
        self.second = _BothWays(self.width, hidden_width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, vectors: Tensor, features: Tensor, word: Tensor, same: Tensor, lengths: Tensor, scheme: Tensor
    ) -> Tensor:
        """States of the tokens, in the order of the windows.

        Args:
            vectors: static vectors of the distinct words, [words, vector_width].
            features: numbers of their hashed features, [words, features].
            word: the word of each token, one window after another, [tokens].
            same: a number for each token that is equal where the same word stands in the same window, [tokens].
            lengths: tokens of each window, [windows].
            scheme: number of each window's scheme, [windows].
        """
        places = _Places(lengths)
        words = self.norm(torch.cat([vectors, self.features(features)], 1))
        inputs = torch.cat(
            [self.dropout(words.index_select(0, word)), self.scheme(scheme.repeat_interleave(lengths))], 1
        )
        states = self.first(inputs, places)
        states = self.dropout(states + self.recall(_means(states, same) - states))
        return self.dropout(self.second(states, places))


class _Places:
    """Where the tokens of windows of different lengths are in an array [steps, windows], read from either end."""

    def __init__(self, lengths: Tensor) -> None:
        steps = torch.arange(int(lengths.max()), device=lengths.device).unsqueeze(1)
        self.shape = (len(steps), len(lengths))
        starts = lengths.cumsum(0) - lengths
        # What is behind a window's end is read after it, so it does no harm; any token will do.
        self.forward = (starts + steps.minimum(lengths - 1)).flatten()
        self.backward = (starts + (lengths - 1 - steps).clamp(min=0)).flatten()
        window = torch.arange(len(lengths), device=lengths.device).repeat_interleave(lengths)
        step = torch.arange(len(window), device=lengths.device) - starts[window]
        self.from_start = step * len(lengths) + window
        self.from_end = (lengths[window] - 1 - step) * len(lengths) + window


class _BothWays(nn.Module):
    """A BiLSTM: [tokens, width] -> [tokens, 2 x hidden_width]. Windows are padded: torch's packed ones train slowly."""

    def __init__(self, width: int, hidden_width: int) -> None:
        super().__init__()
        self.forwards, self.backwards = nn.LSTM(width, hidden_width), nn.LSTM(width, hidden_width)
        start_like_keras(self.forwards)
        start_like_keras(self.backwards)

    def forward(self, inputs: Tensor, places: _Places) -> Tensor:
        read = []
        for lstm, order, back in (
            (self.forwards, places.forward, places.from_start),
            (self.backwards, places.backward, places.from_end),
        ):
            padded = inputs.index_select(0, order).view(*places.shape, -1)
            read.append(lstm(padded)[0].flatten(0, 1).index_select(0, back))
        return torch.cat(read, 1)


def _means(states: Tensor, group: Tensor) -> Tensor:
    """For each row the mean of the rows of its group."""
    counts = group.bincount()
    sums = torch.zeros(len(counts), states.shape[1], device=states.device).index_add(0, group, states.float())
    return (sums / counts.unsqueeze(1)).index_select(0, group)
