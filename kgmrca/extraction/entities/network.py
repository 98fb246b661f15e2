"""The network of the recognizer: what the reader found of each token -> a score for each tag. No spaCy in here."""

from torch import Tensor, nn

__all__ = ["TagScores"]


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
