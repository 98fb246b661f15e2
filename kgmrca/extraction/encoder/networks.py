"""The torch networks that read words: static vectors, a transformer, BiLSTMs. No spaCy and no thinc in here.

On CUDA all compute in bfloat16 where torch's autocast holds that to be safe; what they return is float32.
"""

import os
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = [
    "BiLSTM",
    "LookedUp",
    "SentenceEncoder",
    "TransformerWords",
    "WordEncoder",
    "autocast",
    "read_sentences",
    "rows_of",
    "start_like_keras",
]

MAX_TOKENS = 16_384  # tokens, padding included, that one call of a BiLSTM reads

# `nlp.pipe(n_process=2)` forks on Linux. A fork has no OpenMP threads of its own and would wait for ever for those of
# its parent, so it must not ask for any.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))

# oneDNN, which computes the LSTMs on a CPU, keeps what it made for each shape of their input, 1,024 of them by default.
# Texts come in ever new shapes, so this takes 150 MB and saves no time. It reads the number when it is first used.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")


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
        start_like_keras(self)

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
            with autocast(ids.device, also_on_cpu=self.mixed_precision):
                output = self.transformer(padded, attention_mask=inside.long()).last_hidden_state
            states = states.index_copy(0, index, output[inside].float())
        is_word = token >= 0
        row = ((tokens.cumsum(0) - tokens).repeat_interleave(pieces) + token)[is_word]
        sums = states.new_zeros(int(tokens.sum()), self.width).index_add(0, row, states[is_word])
        return sums / row.bincount(minlength=len(sums)).clamp(min=1).unsqueeze(1)


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
        with autocast(lengths.device):
            states = self.dropout(read_sentences(self.encoder, inputs, lengths)).float()
        return torch.cat([inputs, states], 1)


def read_sentences(lstm: nn.LSTM, inputs: Tensor, lengths: Tensor) -> Tensor:
    """The states [tokens, 2 x hidden] of a BiLSTM for inputs [tokens, width], sentences one after another."""
    states = inputs.new_zeros(len(inputs), 2 * lstm.hidden_size)
    for index, inside, sizes in _padded(lengths, MAX_TOKENS):
        padded = inputs.new_zeros(*inside.shape, inputs.shape[1])
        padded[inside] = inputs[index]
        packed = pack_padded_sequence(padded, torch.tensor(sizes), batch_first=True)
        output, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True)
        states = states.index_copy(0, index, output[inside].to(states.dtype))
    return states


def autocast(device: torch.device, *, also_on_cpu: bool = False) -> torch.autocast:
    """Compute in bfloat16 on a GPU, and on a CPU where `also_on_cpu`."""
    # Without its cache of cast weights, which a CUDA graph could not be captured with.
    enabled = device.type == "cuda" or also_on_cpu
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)


def start_like_keras(lstm: nn.LSTM) -> None:
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


def rows_of(first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Every row of the stretches first..last (exclusive), one stretch after another, and which stretch it is of."""
    sizes = last - first
    stretch = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
    return torch.arange(len(stretch), device=sizes.device) + (last - sizes.cumsum(0))[stretch], stretch
