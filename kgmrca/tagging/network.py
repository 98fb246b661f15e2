"""The torch network: sentences are encoded once, then every ordered pair of spans is scored from that encoding.

A BiLSTM reads word vectors, case and entity types, as in the MRCA paper. What a pair sees is a sum of views: its
subject, its object and the words between them (averages of BiLSTM states), the whole sentence (likewise), how far
apart the two are, and the product of a second view of subject and object, which lets the two select each other;
subject and object bring their entity types along. A linear layer over such averages is an average of per-token
projections, so each token is projected once and a pair costs a few additions and one product per value, up to the
label layer. No spaCy and no thinc in here.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["PairNetwork"]


class PairNetwork(nn.Module):
    """Scores all labels for ordered pairs of spans.

    The layers that depend on the data are made by `build`, once the numbers of types and labels are known; before
    that the network has no parameters.

    Args:
        input_width: width of a word vector plus the number of case flags.
        type_width: width of an entity type's embedding.
        hidden_width: states of each LSTM direction.
        depth: layers of the BiLSTM.
        pair_width: width of a pair's representation.
        dropout: share of inputs, of states and of pair values dropped while training.
        type_dropout: share of spans whose type is hidden while training, so that types never seen are no surprise.
    """

    MAX_TOKENS = 16_384  # tokens, padding included, that one call of the LSTM reads
    MAX_PAIRS = 65_536  # pairs scored at once
    MAX_DISTANCE = 20  # tokens between two spans; beyond it all distances are one

    def __init__(
        self,
        *,
        input_width: int,
        type_width: int,
        hidden_width: int,
        depth: int,
        pair_width: int,
        dropout: float,
        type_dropout: float,
    ) -> None:
        super().__init__()
        self.input_width, self.type_width = input_width, type_width
        self.hidden_width, self.depth, self.pair_width = hidden_width, depth, pair_width
        self.type_dropout = type_dropout
        self.dropout = nn.Dropout(dropout)

    def build(self, *, n_types: int, n_labels: int) -> None:
        """Make the layers, freshly initialised; `n_types` counts the entity types known, beside "none" and "unseen"."""
        width, states = self.pair_width, 2 * self.hidden_width
        self.token_type = nn.Embedding(2 + n_types, self.type_width)
        self.encoder = nn.LSTM(
            self.input_width + self.type_width, self.hidden_width, self.depth, batch_first=True, bidirectional=True
        )
        for name, weights in self.encoder.named_parameters():  # Keras' start: forget bias 1, orthogonal recurrence
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(weights)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(weights)
            else:
                nn.init.zeros_(weights)
                if name.startswith("bias_ih"):
                    nn.init.ones_(weights.data[self.hidden_width : 2 * self.hidden_width])
        self.span = nn.Linear(states, 4 * width)  # as subject, as object, and a factor for each
        self.between = nn.Linear(states, width)
        self.sentence = nn.Linear(states, width, bias=False)
        self.subject_type = nn.Embedding(2 + n_types, width)
        self.object_type = nn.Embedding(2 + n_types, width)
        self.distance = nn.Embedding(2 * (self.MAX_DISTANCE + 1) + 1, width)
        self.labels = nn.Linear(width, n_labels)

    def forward(
        self,
        words: Tensor,
        word: Tensor,
        flags: Tensor,
        token_type: Tensor,
        lengths: Tensor,
        spans: Tensor,
        span_type: Tensor,
        pairs: Tensor,
    ) -> Tensor:
        """Outputs [pairs, labels]; the arguments are the fields of `features.Features`, as tensors."""
        if not len(pairs):
            return words.new_zeros((0, self.labels.out_features)) * self.labels.bias
        where, first, last = spans.unbind(1)
        starts = lengths.cumsum(0) - lengths
        first, last = first + starts[where], last + starts[where]
        if self.training and self.type_dropout:
            hidden = torch.rand(len(span_type), device=span_type.device) < self.type_dropout
            span_type = span_type.masked_fill(hidden, 1)
            token_type = token_type.index_fill(0, _rows(first[hidden], last[hidden])[0], 1)
        inputs = self.dropout(torch.cat([words[word], flags, self.token_type(token_type)], 1))
        states = self.dropout(self.encode(inputs, lengths))

        of_span = self.span(_means(states, first, last))
        subject, object_, subject_factor, object_factor = of_span.chunk(4, 1)
        subject = (
            subject + self.subject_type(span_type) + self.sentence(_means(states, starts, starts + lengths))[where]
        )
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
            outputs.append(self.labels(self.dropout(torch.tanh(pair))))
        return torch.cat(outputs)

    def encode(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """BiLSTM states [tokens, 2 x hidden_width] of inputs [tokens, width], sentences one after another."""
        order = torch.argsort(lengths, descending=True, stable=True)
        starts = lengths.cumsum(0) - lengths
        sizes = lengths.cpu()[order.cpu()].tolist()
        states = inputs.new_zeros(len(inputs), 2 * self.hidden_width)
        first = 0
        while first < len(sizes):
            count = max(1, min(len(sizes) - first, self.MAX_TOKENS // sizes[first]))
            some = order[first : first + count]
            steps = torch.arange(sizes[first], device=inputs.device)
            inside = steps < lengths[some].unsqueeze(1)
            index = (starts[some].unsqueeze(1) + steps)[inside]
            padded = inputs.new_zeros(count, sizes[first], inputs.shape[1])
            padded[inside] = inputs[index]
            packed = pack_padded_sequence(padded, torch.tensor(sizes[first : first + count]), batch_first=True)
            output, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
            states = states.index_copy(0, index, output[inside])
            first += count
        return states


def _running_sum(values: Tensor) -> Tensor:
    """[n, width] -> [n + 1, width]: row i is the sum of the first i rows, in double precision.

    In single precision the sum over a long batch would lose the digits that a short stretch of it needs.
    """
    # Transposed, because torch is slow along any but the last dimension.
    sums = values.T.contiguous().double().cumsum(1).T
    return torch.cat([sums.new_zeros(1, values.shape[1]), sums])


def _means(values: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """The mean of the rows first..last (exclusive) of `values`, for many stretches at once, [stretches, width]."""
    row, stretch = _rows(first, last)
    sums = values.new_zeros(len(first), values.shape[1]).index_add(0, stretch, values[row])
    return sums / (last - first).unsqueeze(1)


def _rows(first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Every row of the stretches first..last (exclusive), one stretch after another, and which stretch it is of."""
    sizes = last - first
    stretch = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
    return torch.arange(len(stretch), device=sizes.device) + (last - sizes.cumsum(0))[stretch], stretch
