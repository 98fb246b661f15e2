"""The torch networks that score pairs: the pair network, and the MRCA paper's. No spaCy and no thinc in here.

`PairNetwork` encodes a sentence once, then scores every ordered pair of its spans from that encoding. A BiLSTM reads
word vectors, case and entity types. What a pair sees is a sum of views: its subject, its object and the words between
them (averages of BiLSTM states), the whole sentence (likewise), how far apart the two are, and the product of a second
view of subject and object, so that the two can select each other. Subject and object add their entity types. A linear
layer over such averages is an average of per-token projections, so each token is projected once and a pair
costs a few additions and one product per value, up to the label layer.

`MRCANetwork` makes one pass for each instance, a sentence with its subjects and objects marked, as in the paper.

`DocumentNetwork` scores pairs of entities: `fact_network.FactNetwork`, with or without a reader of its own below it.

On CUDA both compute in bfloat16 where torch's autocast holds that to be safe; what they return is float32.
"""

from typing import Any

import torch
from torch import Tensor, nn

from kgmrca.extraction.encoder.networks import BiLSTM, WordEncoder, autocast, read_sentences, rows_of
from kgmrca.extraction.encoder.reader import Reader
from kgmrca.extraction.relations.fact_network import FactNetwork

__all__ = ["DocumentNetwork", "MRCANetwork", "PairNetwork"]


class MRCANetwork(nn.Module):
    """The network of the MRCA paper: one pass for each instance, a sentence with its subjects and objects marked.

    BiLSTM -> averages over 50 windows -> flatten -> dropout -> linear, one output per relation, no activation.

    Args:
        hidden_width: states of each LSTM direction (the paper: 500); 0: no BiLSTM (Table 7).
        dropout: share of window averages dropped while training (the paper: 0.15).
    """

    MAX_TOKENS = 100  # an instance is padded, or cut, to this many
    WINDOW, STRIDE = 80, 2  # of the average pooling
    MAX_INSTANCES = 256  # instances read at once

    def __init__(self, *, hidden_width: int, dropout: float) -> None:
        super().__init__()
        self.hidden_width = hidden_width
        self.n_windows = self.MAX_TOKENS // self.STRIDE
        # "Same" padding: as much on both sides as lets a window start at every second token. Left out of the averages.
        padding = ((self.n_windows - 1) * self.STRIDE + self.WINDOW - self.MAX_TOKENS) // 2
        self.pool = nn.AvgPool1d(self.WINDOW, self.STRIDE, padding, count_include_pad=False)
        self.dropout = nn.Dropout(dropout)

    def build(self, *, words: WordEncoder, n_types: int, n_outputs: int) -> None:
        """Make the layers, freshly initialised as Keras does; entity types are not used."""
        self.words = words
        width = words.width + 2
        if self.hidden_width:
            self.encoder = BiLSTM(width, self.hidden_width)
            width = 2 * self.hidden_width
        self.labels = nn.Linear(self.n_windows * width, n_outputs)  # stored weights have this name
        nn.init.xavier_uniform_(self.labels.weight)
        nn.init.zeros_(self.labels.bias)
        self.train(self.training)  # the new layers too

    @property
    def is_built(self) -> bool:
        """Whether `build` has made the layers."""
        return hasattr(self, "labels")

    def forward(
        self,
        words: dict[str, Tensor],
        upper: Tensor,
        lengths: Tensor,
        sentence: Tensor,
        subjects: Tensor,
        objects: Tensor,
    ) -> Tensor:
        """Outputs [instances, n_outputs]; the arguments are the fields of `features.Instances`, as tensors."""
        tokens = torch.cat([self.words(**words), self.case(upper).unsqueeze(1)], 1)
        tokens = torch.cat([tokens, tokens.new_zeros(1, tokens.shape[1])])  # the last row is the padding
        roles = self.roles(subjects, objects, len(sentence))
        starts = lengths.cumsum(0) - lengths
        position = torch.arange(self.MAX_TOKENS, device=lengths.device)
        outputs = [tokens.new_zeros(0, self.labels.out_features)]
        every = torch.arange(len(sentence), device=lengths.device)
        for some in every.split(self.MAX_INSTANCES):  # type: ignore[no-untyped-call]
            of = sentence[some].unsqueeze(1)
            index = torch.where(position < lengths[of], starts[of] + position, -1)
            outputs.append(self.read(torch.cat([tokens[index], roles[some].unsqueeze(2)], 2)))
        return torch.cat(outputs)

    def read(self, inputs: Tensor) -> Tensor:
        """Outputs [instances, n_outputs] of [instances, MAX_TOKENS, width]: word vector, case and role values."""
        with autocast(inputs.device):
            if self.hidden_width:
                inputs = self.encoder(inputs)[0]
            return self.labels(self.dropout(self.windows(inputs).flatten(1))).float()

    def case(self, upper: Tensor) -> Tensor:
        """Equation 3.2: v where the first character of a token is upper case, else -v; [tokens]."""
        return torch.where(upper, self.words.limit, -self.words.limit)

    def roles(self, subjects: Tensor, objects: Tensor, n_instances: int) -> Tensor:
        """Equation 3.3: v for tokens of a subject, -v for those of an object only, else 0; [instances, MAX_TOKENS]."""
        roles = torch.zeros(n_instances, self.MAX_TOKENS, device=subjects.device)
        for spans, value in (
            (objects, -self.words.limit),
            (subjects, self.words.limit),
        ):  # the last one stays
            instance, (first, last) = spans[:, 0], spans[:, 1:].clamp(max=self.MAX_TOKENS).unbind(1)
            opened = torch.zeros(n_instances, self.MAX_TOKENS + 1, device=spans.device)
            one = torch.ones(len(spans), device=spans.device)
            opened.index_put_((instance, first), one, accumulate=True)
            opened.index_put_((instance, last), -one, accumulate=True)
            roles = roles.masked_fill(opened.cumsum(1)[:, :-1] > 0, value)
        return roles

    def windows(self, states: Tensor) -> Tensor:
        """Averages [instances, 50, width] over windows of states [instances, MAX_TOKENS, width]."""
        return self.pool(states.transpose(1, 2)).transpose(1, 2)


class PairNetwork(nn.Module):
    """Scores all labels for ordered pairs of spans.

    The layers that depend on the data are made by `build`, once the words and the numbers of types and labels are
    known; before that the network has no parameters.

    Args:
        n_flags: yes/no features of a token.
        type_width: width of an entity type's embedding.
        hidden_width: states of each LSTM direction; 0: no BiLSTM, words and flags as they are.
        depth: layers of the BiLSTM.
        pair_width: width of a pair's representation.
        dropout: share of inputs, of states and of pair values dropped while training.
        type_dropout: share of spans whose type is hidden while training, to prepare for unknown types.
    """

    MAX_PAIRS = 8_192  # pairs scored at once: more would not stay in a CPU's cache
    MAX_DISTANCE = 20  # tokens between two spans; beyond it all distances are one

    def __init__(
        self,
        *,
        n_flags: int,
        type_width: int,
        hidden_width: int,
        depth: int,
        pair_width: int,
        dropout: float,
        type_dropout: float,
    ) -> None:
        super().__init__()
        self.n_flags, self.type_width = n_flags, type_width
        self.hidden_width, self.depth, self.pair_width = hidden_width, depth, pair_width
        self.type_dropout = type_dropout
        self.dropout = nn.Dropout(dropout)

    def build(self, *, words: WordEncoder, n_types: int, n_outputs: int) -> None:
        """Make the layers, freshly initialised; `n_types` counts the entity types known, beside "none" and "unseen"."""
        self.words = words
        self.token_type = nn.Embedding(2 + n_types, self.type_width)
        states = words.width + self.n_flags + self.type_width
        if self.hidden_width:
            self.encoder = BiLSTM(states, self.hidden_width, self.depth)
            states = 2 * self.hidden_width
        width = self.pair_width
        self.span = nn.Linear(states, 4 * width)  # as subject, as object, and a factor for each
        self.between = nn.Linear(states, width)
        self.sentence = nn.Linear(states, width, bias=False)
        self.subject_type = nn.Embedding(2 + n_types, width)
        self.object_type = nn.Embedding(2 + n_types, width)
        self.distance = nn.Embedding(2 * (self.MAX_DISTANCE + 1) + 1, width)
        self.labels = nn.Linear(width, n_outputs)  # stored weights have this name
        self.train(self.training)  # the new layers too

    @property
    def is_built(self) -> bool:
        """Whether `build` has made the layers."""
        return hasattr(self, "labels")

    def forward(
        self,
        words: dict[str, Tensor],
        flags: Tensor,
        token_type: Tensor,
        lengths: Tensor,
        spans: Tensor,
        span_type: Tensor,
        pairs: Tensor,
    ) -> Tensor:
        """Outputs [pairs, n_outputs]; the arguments are the fields of `features.Features`, as tensors."""
        if not len(pairs):
            return self.labels.bias.new_zeros((0, self.labels.out_features)) * self.labels.bias
        where, first, last = spans.unbind(1)
        starts = lengths.cumsum(0) - lengths
        first, last = first + starts[where], last + starts[where]
        if self.training and self.type_dropout:
            hidden = torch.rand(len(span_type), device=span_type.device) < self.type_dropout
            span_type = span_type.masked_fill(hidden, 1)
            token_type = token_type.index_fill(0, rows_of(first[hidden], last[hidden])[0], 1)
        with autocast(lengths.device):
            inputs = self.dropout(torch.cat([self.words(**words), flags, self.token_type(token_type)], 1))
            states = self.dropout(read_sentences(self.encoder, inputs, lengths)) if self.hidden_width else inputs

            subject, object_, subject_factor, object_factor = self.span(_means(states, first, last)).chunk(4, 1)
            sentence = self.sentence(_means(states, starts, starts + lengths))
            subject = subject + self.subject_type(span_type) + sentence[where]
            object_ = object_ + self.object_type(span_type)
            running = _running_sum(self.between(states))

            outputs = []
            for some in pairs.split(self.MAX_PAIRS):  # type: ignore[no-untyped-call]
                one, other = some.unbind(1)
                gap_start = torch.minimum(last[one], last[other])
                gap_end = torch.maximum(first[one], first[other]).clamp(min=gap_start)
                gap = gap_end - gap_start
                far = gap.clamp(max=self.MAX_DISTANCE) + 1
                far = torch.where(first[one] <= first[other], far, -far) + self.MAX_DISTANCE + 1
                mean_between = (running[gap_end] - running[gap_start]) / gap.clamp(min=1).unsqueeze(1)
                pair = subject[one] + object_[other] + mean_between.to(inputs.dtype) + self.distance(far)
                pair = pair + subject_factor[one] * object_factor[other]
                outputs.append(self.labels(self.dropout(torch.tanh(pair))).float())
            return torch.cat(outputs)


class DocumentNetwork(nn.Module):
    """Scores all labels for ordered pairs of entities. The layers are made by `build`.

    Args:
        sizes: arguments of `FactNetwork` that do not depend on the data.
        reader: arguments of `Reader` but for `vector_width`, if it is to have one of its own.
    """

    def __init__(self, *, sizes: dict[str, Any], reader: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.sizes, self.reader_sizes = sizes, reader

    def build(self, *, state_width: int | None, vector_width: int, n_types: int, n_outputs: int) -> None:
        """Make the layers, freshly initialised.

        Args:
            state_width: of the states that are given to it; None: it has a reader of its own.
            vector_width: of static vectors.
            n_types: entity types that are known.
            n_outputs: labels, and what the loss needs beside them.
        """
        if self.reader_sizes is not None:
            self.reader = Reader(vector_width=vector_width, n_schemes=0, **self.reader_sizes)
            state_width = self.reader.width
        self.facts = FactNetwork(
            state_width=state_width or 0,
            vector_width=vector_width,
            n_types=n_types,
            n_outputs=n_outputs,
            **self.sizes,
        )
        self.train(self.training)  # the new layers too

    @property
    def is_built(self) -> bool:
        """Whether `build` has made the layers."""
        return hasattr(self, "facts")

    @property
    def labels(self) -> nn.Linear:
        """The layer whose outputs are the scores."""
        return self.facts.scores

    def forward(self, states: Tensor | dict[str, Any], **facts: Tensor) -> Tensor:
        """Outputs [pairs, n_outputs]; the arguments are the fields of `features.Facts`, as tensors."""
        if isinstance(states, dict):
            states = self.reader(**states["windows"]).index_select(0, states["rows"])
        scores: Tensor = self.facts(states, **facts)
        return scores.float()


def _running_sum(values: Tensor) -> Tensor:
    """[n, width] -> [n + 1, width]: row i is the sum of the first i rows, in double precision.

    In single precision the sum over a long batch would lose the digits that a short stretch of it needs.
    """
    # Transposed, because torch is slow along any but the last dimension.
    sums = values.T.contiguous().double().cumsum(1).T
    return torch.cat([sums.new_zeros(1, values.shape[1]), sums])


def _means(values: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """The mean of the rows first..last (exclusive) of `values`, for many stretches at once, [stretches, width]."""
    row, stretch = rows_of(first, last)
    sums = values.new_zeros(len(first), values.shape[1]).index_add(0, stretch, values[row])
    return sums / (last - first).unsqueeze(1)
