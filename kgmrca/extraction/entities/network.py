"""The recognizer's network: a reader and a score for each tag, and what training makes small. No spaCy in here."""

import torch
from torch import Tensor, nn

from kgmrca.extraction.encoder.reader import Reader

__all__ = ["EntityNetwork", "TagScores", "loss_of_allowed"]


class TagScores(nn.Module):
    """Scores [tokens, tags] of states [tokens, state_width].

    Args:
        state_width: of what the reader gives.
        hidden_width: of the layer between.
        n_schemes: by how many rules texts are annotated; the last number beyond them means that it is not told.
        n_tags: how many tags there are.
        dropout: share of values of the layer between that is dropped while training.
    """

    def __init__(self, *, state_width: int, hidden_width: int, n_schemes: int, n_tags: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(state_width, hidden_width)
        self.scheme = nn.Embedding(n_schemes + 1, hidden_width)
        nn.init.normal_(self.scheme.weight, std=0.1)
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(hidden_width, n_tags)

    def forward(self, states: Tensor, scheme: Tensor) -> Tensor:
        """The scores; `scheme` is the number of each token's scheme, [tokens]."""
        return self.tags(self.dropout((self.hidden(states) + self.scheme(scheme)).relu()))


class EntityNetwork(nn.Module):
    """Words of windows -> scores of tags. The layers are made by `build`, once it is known how many tags there are.

    Args:
        vector_width: of the static vectors of words.
        rows, feature_width, scheme_width, hidden_width, dropout: see `reader.Reader`.
        tag_width: see `TagScores`, its `hidden_width`.
    """

    def __init__(
        self,
        *,
        vector_width: int,
        rows: int,
        feature_width: int,
        scheme_width: int,
        hidden_width: int,
        tag_width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.vector_width, self.rows, self.feature_width = vector_width, rows, feature_width
        self.scheme_width, self.hidden_width, self.tag_width = scheme_width, hidden_width, tag_width
        self.dropout = dropout
        self.reader: Reader | None = None

    def build(self, *, n_tags: int, n_schemes: int, state_width: int | None = None) -> None:
        """Make the layers, freshly initialised; with a `state_width` no reader, because states will be given."""
        self.reader = None
        if state_width is None:
            self.reader = Reader(
                vector_width=self.vector_width,
                rows=self.rows,
                feature_width=self.feature_width,
                scheme_width=self.scheme_width,
                n_schemes=n_schemes,
                hidden_width=self.hidden_width,
                dropout=self.dropout,
            )
            state_width = self.reader.width
        self.head = TagScores(
            state_width=state_width,
            hidden_width=self.tag_width,
            n_schemes=n_schemes,
            n_tags=n_tags,
            dropout=self.dropout,
        )

    def forward(self, scheme: Tensor, lengths: Tensor, **read: Tensor) -> Tensor:
        """Scores [tokens, tags].

        Args:
            scheme: number of each window's scheme, [windows].
            lengths: tokens of each window, [windows].
            read: the `states` of the tokens, [tokens, state_width]; or the other arguments of `Reader.forward`.
        """
        states = read["states"] if self.reader is None else self.reader(scheme=scheme, lengths=lengths, **read)
        return self.head(states, scheme.repeat_interleave(lengths))


def loss_of_allowed(scores: Tensor, allowed: Tensor) -> Tensor:
    """For each token minus the logarithm of the probability that its tag is one of the allowed, [tokens].

    Where all tags are allowed nothing is known and the loss is 0. A type that a data set does not annotate is allowed
    wherever the set says "outside".

    Args:
        scores: [tokens, tags].
        allowed: yes or no, [tokens, tags].
    """
    return scores.logsumexp(1) - scores.masked_fill(~allowed, -torch.inf).logsumexp(1)
