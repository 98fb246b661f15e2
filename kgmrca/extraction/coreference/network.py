"""The ranker of names for pronouns: states of mentions and features of pairs -> probabilities. No spaCy in here."""

import torch
from torch import Tensor, nn

from kgmrca.extraction.coreference.features import FEATURES, GROUPS, KINDS

__all__ = ["PronounNetwork", "flow"]


class PronounNetwork(nn.Module):
    """Says of each pronoun which of its candidates it means, or that it means none, from the states of a reader.

    Args:
        state_width: of the reader's states.
        word_width: of what stands for a word beside the text it is in (`shared.SharedReader.look_up`).
        mention_width: of what stands for a mention.
        pair_width: of what stands for a pair.
        dropout: share of values that are dropped while training.
    """

    def __init__(
        self,
        *,
        state_width: int,
        word_width: int,
        mention_width: int = 128,
        pair_width: int = 96,
        dropout: float = 0.35,
    ) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(state_width, mention_width), nn.Linear(state_width, mention_width, bias=False)
        self.kind = nn.Embedding(KINDS, mention_width)
        self.call = nn.Linear(2 * word_width, mention_width, bias=False)
        self.of_pronoun = nn.Linear(mention_width, pair_width)
        self.of_candidate = nn.Linear(mention_width, pair_width, bias=False)
        self.of_both = nn.Linear(mention_width, pair_width, bias=False)
        self.female = nn.Sequential(nn.Linear(word_width, 48), nn.ReLU(), nn.Linear(48, 1))
        self.of_gender = nn.Linear(2 * GROUPS, pair_width, bias=False)
        self.pair = nn.EmbeddingBag(FEATURES, pair_width, mode="sum")
        self.score = nn.Linear(pair_width, 1)
        self.nobody = nn.Sequential(nn.Linear(mention_width, pair_width), nn.ReLU(), nn.Linear(pair_width, 1))
        self.dropout = nn.Dropout(dropout)
        self.state_dropout = nn.Dropout(0.2)
        self.call_dropout = nn.Dropout1d(0.15)
        nn.init.normal_(self.kind.weight, std=0.3)
        nn.init.zeros_(self.of_gender.weight)
        nn.init.normal_(self.pair.weight, std=0.1)

    def mentions(self, first: Tensor, last: Tensor, kind: Tensor, call: Tensor) -> Tensor:
        """What stands for mentions, [M, mention_width].

        Args:
            first, last: states of the first and last words, [M, state width].
            kind: [M].
            call: what stands for the first and the last word of the longest name, of pronouns zeros, [M, 2 word_width].
        """
        first, last = self.state_dropout(first), self.state_dropout(last)
        call = self.call_dropout(call.unsqueeze(0)).squeeze(0) if self.training and len(call) else call
        return self.dropout(torch.tanh(self.first(first) + self.last(last) + self.kind(kind) + self.call(call)))

    def gender(self, words: Tensor) -> Tensor:
        """What first names tell of persons: from -1, a man, to 1, a woman, [words]; `words` are [words, word_width]."""
        gender: Tensor = torch.tanh(self.female(words).squeeze(1) / 2)
        return gender

    def scores(
        self, mentions: Tensor, gender: Tensor, group: Tensor, pronoun: Tensor, candidate: Tensor, features: Tensor
    ) -> Tensor:
        """Scores of pairs, [P]. The arguments are those of `probabilities`, but `pronoun` is a place in `mentions`."""
        who, whom = mentions.index_select(0, pronoun), mentions.index_select(0, candidate)
        sex = gender.index_select(0, candidate).unsqueeze(1)
        kind = nn.functional.one_hot(group.index_select(0, pronoun), GROUPS)
        hidden = self.of_pronoun(who) + self.of_candidate(whom) + self.of_both(who * whom) + self.pair(features)
        hidden = hidden + self.of_gender(torch.cat([sex * kind, sex.abs() * kind], 1))
        scores: Tensor = self.score(self.dropout(hidden.relu())).squeeze(1)
        return scores

    def probabilities(
        self,
        mentions: Tensor,
        gender: Tensor,
        group: Tensor,
        pronouns: Tensor,
        pronoun: Tensor,
        candidate: Tensor,
        features: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """For each pair how probable it is, [P], and for each pronoun how probable it is that it means none, [N].

        Args:
            mentions: [M, mention_width].
            gender: of the first names of persons, 0 for all else, [M].
            group: of pronouns, 0 for all else, [M].
            pronouns: the N pronouns, places in `mentions`.
            pronoun: for each pair which of the N pronouns.
            candidate: for each pair the candidate, a place in `mentions`.
            features: [P, F].
        """
        scores = self.scores(mentions, gender, group, pronouns.index_select(0, pronoun), candidate, features).float()
        nobody = self.nobody(mentions.index_select(0, pronouns)).squeeze(1).float()
        highest = nobody.detach().scatter_reduce(0, pronoun, scores.detach(), "amax")
        odds, none = (scores - highest[pronoun]).exp(), (nobody - highest).exp()
        total = none.index_add(0, pronoun, odds)
        return odds / total[pronoun], none / total


def flow(through: Tensor, to_names: Tensor) -> Tensor:
    """Where each pronoun leads to, on its own or through earlier pronouns, [N, names].

    Args:
        through: how probable it is that a pronoun means what another does, [N, N], 0 on and above the diagonal.
        to_names: how probable it is that it means a name, [N, names].
    """
    identity = torch.eye(len(through), device=through.device)
    return torch.linalg.solve_triangular(identity - through, to_names, upper=False, unitriangular=True)
