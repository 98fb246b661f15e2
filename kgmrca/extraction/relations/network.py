"""The torch networks: the pair network, the MRCA paper's, and a recognizer's BiLSTM. No spaCy and no thinc in here.

`PairNetwork` encodes a sentence once, then scores every ordered pair of its spans from that encoding. A BiLSTM reads
word vectors, case and entity types. What a pair sees is a sum of views: its subject, its object and the words between
them (averages of BiLSTM states), the whole sentence (likewise), how far apart the two are, and the product of a second
view of subject and object, which lets the two select each other; subject and object bring their entity types along. A
linear layer over such averages is an average of per-token projections, so each token is projected once and a pair
costs a few additions and one product per value, up to the label layer.

`MRCANetwork` makes one pass for each instance, a sentence with its subjects and objects marked, as in the paper.

`SentenceEncoder` is a BiLSTM for spaCy's entity recognizer.

On CUDA all compute in bfloat16 where torch's autocast holds that to be safe; what they return is float32.
"""

import os
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["LookedUp", "MRCANetwork", "PairNetwork", "SentenceEncoder", "TransformerWords", "WordEncoder", "rows_of"]

MAX_TOKENS = 16_384  # tokens, padding included, that one call of a pair network's or a recognizer's LSTM reads

# `nlp.pipe(n_process=2)` forks on Linux. A fork has no OpenMP threads of its own and would wait for ever for those of
# its parent, so it must not ask for any.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class WordEncoder(nn.Module):
    """One vector a token, [tokens, width]."""

    width: int
    limit: float
    """v of the paper's equations 3.2 and 3.3: the largest entry of the vector table, rounded up."""
    learn_rate_scale: float = 1.0
    """What the learning rate is multiplied with for these weights."""


class LookedUp(WordEncoder):
    """Static vectors, looked up beforehand."""

    def __init__(self, width: int, *, limit: float) -> None:
        super().__init__()
        self.width, self.limit = width, limit

    def forward(self, vectors: Tensor, row: Tensor) -> Tensor:
        """The arguments are the fields of `words.Vectors`."""
        return vectors[row]


class BiLSTM(nn.LSTM):
    """A bidirectional LSTM that starts as Keras' does, with its weights in a row wherever its mode is set.

    cuDNN wants the weights in a row, and training with thinc replaces them one by one. They are not put in a row while
    the network reads, because several threads may do so at once.
    """

    def __init__(self, width: int, hidden_width: int, depth: int = 1, *, dropout: float = 0.0) -> None:
        super().__init__(width, hidden_width, depth, batch_first=True, bidirectional=True, dropout=dropout)
        _start_like_keras(self)

    def train(self, mode: bool = True) -> "BiLSTM":
        """See `torch.nn.Module`."""
        super().train(mode)
        self.flatten_parameters()
        return self


class TransformerWords(WordEncoder):
    """A transformer's last states, averaged over the word pieces of each token; a token without any has zeros.

    Args:
        transformer: a Hugging Face encoder.
        frozen: leave its weights and its dropout alone while training.
        limit, learn_rate_scale: see `WordEncoder`.
        mixed_precision: compute in bfloat16 on a CPU as well, which needs one that has instructions for it.
    """

    MAX_PIECES = 16_384  # word pieces, padding included, that one call of the transformer reads on a GPU
    MAX_PIECES_CPU = 1_024  # on a CPU: padding then costs more than another call

    def __init__(
        self,
        transformer: nn.Module,
        *,
        frozen: bool,
        limit: float,
        learn_rate_scale: float,
        mixed_precision: bool = False,
    ) -> None:
        super().__init__()
        self.mixed_precision = mixed_precision
        self.transformer, self.frozen = transformer.requires_grad_(not frozen), frozen
        self.width = transformer.config.hidden_size  # type: ignore[assignment, union-attr]
        self.limit, self.learn_rate_scale = limit, learn_rate_scale

    def train(self, mode: bool = True) -> "TransformerWords":
        """See `torch.nn.Module`."""
        super().train(mode)
        self.transformer.train(mode and not self.frozen)
        return self

    def forward(self, ids: Tensor, token: Tensor, pieces: Tensor, tokens: Tensor) -> Tensor:
        """The arguments are the fields of `words.Pieces`."""
        states = torch.zeros(len(ids), self.width, device=ids.device)
        most = self.MAX_PIECES_CPU if ids.device.type == "cpu" else self.MAX_PIECES
        for index, inside, _ in _padded(pieces, most):
            padded = ids.new_zeros(inside.shape)
            padded[inside] = ids[index]
            with _autocast(ids.device, also_on_cpu=self.mixed_precision):
                output = self.transformer(padded, attention_mask=inside.long()).last_hidden_state
            states = states.index_copy(0, index, output[inside].float())
        is_word = token >= 0
        row = ((tokens.cumsum(0) - tokens).repeat_interleave(pieces) + token)[is_word]
        sums = states.new_zeros(int(tokens.sum()), self.width).index_add(0, row, states[is_word])
        return sums / row.bincount(minlength=len(sums)).clamp(min=1).unsqueeze(1)


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
        self.labels = nn.Linear(self.n_windows * width, n_outputs)
        nn.init.xavier_uniform_(self.labels.weight)
        nn.init.zeros_(self.labels.bias)
        self.train(self.training)  # the new layers too

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
        with _autocast(inputs.device):
            if self.hidden_width:
                inputs = self.encoder(inputs)[0]
            return self.labels(self.dropout(self.windows(inputs).flatten(1))).float()

    def case(self, upper: Tensor) -> Tensor:
        """Equation 3.2: v where the first character of a token is upper case, else -v; [tokens]."""
        return torch.where(upper, self.words.limit, -self.words.limit)

    def roles(self, subjects: Tensor, objects: Tensor, n_instances: int) -> Tensor:
        """Equation 3.3: v for tokens of a subject, -v for those of an object only, else 0; [instances, MAX_TOKENS]."""
        roles = torch.zeros(n_instances, self.MAX_TOKENS, device=subjects.device)
        for spans, value in ((objects, -self.words.limit), (subjects, self.words.limit)):  # the subject wins
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
        type_dropout: share of spans whose type is hidden while training, so that types never seen are no surprise.
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
        self.labels = nn.Linear(width, n_outputs)
        self.train(self.training)  # the new layers too

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
        with _autocast(lengths.device):
            inputs = self.dropout(torch.cat([self.words(**words), flags, self.token_type(token_type)], 1))
            states = self.dropout(_read_sentences(self.encoder, inputs, lengths)) if self.hidden_width else inputs

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


class SentenceEncoder(nn.Module):
    """A BiLSTM over the sentences of a text: [tokens, width] -> [tokens, width + 2 x hidden_width], inputs and states.

    Args:
        width: of the inputs.
        hidden_width: states of each LSTM direction.
        depth: layers of the BiLSTM.
        dropout: share of states dropped while training.
    """

    def __init__(self, *, width: int, hidden_width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.encoder = BiLSTM(width, hidden_width, depth, dropout=dropout if depth > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Inputs and states of tokens, sentences one after another; `lengths` are their numbers of tokens."""
        with _autocast(lengths.device):
            states = self.dropout(_read_sentences(self.encoder, inputs, lengths)).float()
        return torch.cat([inputs, states], 1)


def _read_sentences(lstm: nn.LSTM, inputs: Tensor, lengths: Tensor) -> Tensor:
    """The states [tokens, 2 x hidden] of a BiLSTM for inputs [tokens, width], sentences one after another."""
    states = inputs.new_zeros(len(inputs), 2 * lstm.hidden_size)
    for index, inside, sizes in _padded(lengths, MAX_TOKENS):
        padded = inputs.new_zeros(*inside.shape, inputs.shape[1])
        padded[inside] = inputs[index]
        packed = pack_padded_sequence(padded, torch.tensor(sizes), batch_first=True)
        output, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)
        states = states.index_copy(0, index, output[inside].to(states.dtype))
    return states


def _autocast(device: torch.device, *, also_on_cpu: bool = False) -> torch.autocast:
    # Without its cache of cast weights, which a CUDA graph could not be captured with.
    enabled = device.type == "cuda" or also_on_cpu
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)


def _start_like_keras(lstm: nn.LSTM) -> None:
    """Glorot-uniform input weights, orthogonal recurrence, zero biases but for the forget gate's 1."""
    for name, weights in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weights)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weights)
        else:
            nn.init.zeros_(weights)
            if name.startswith("bias_ih"):
                nn.init.ones_(weights.data[lstm.hidden_size : 2 * lstm.hidden_size])


def _padded(lengths: Tensor, most: int) -> Iterator[tuple[Tensor, Tensor, list[int]]]:
    """Stretches of a flat array in batches of at most `most` places, padding included, the longest stretches first.

    Yields:
        The rows of the flat array, where they belong in a batch [stretches, longest] (True), and the stretches' sizes.
    """
    order = torch.argsort(lengths, descending=True, stable=True)
    starts = lengths.cumsum(0) - lengths
    sizes = lengths.cpu()[order.cpu()].tolist()
    first = 0
    while first < len(sizes):
        count = max(1, min(len(sizes) - first, most // max(sizes[first], 1)))
        some = order[first : first + count]
        steps = torch.arange(sizes[first], device=lengths.device)
        inside = steps < lengths[some].unsqueeze(1)
        yield (starts[some].unsqueeze(1) + steps)[inside], inside, sizes[first : first + count]
        first += count


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


def rows_of(first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Every row of the stretches first..last (exclusive), one stretch after another, and which stretch it is of."""
    sizes = last - first
    stretch = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
    return torch.arange(len(stretch), device=sizes.device) + (last - sizes.cumsum(0))[stretch], stretch
