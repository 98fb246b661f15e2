"""Pronouns of documents -> how probable it is that each means one of the named entities: the network and its inputs."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmrca.extraction.coreference.features import Mentions, Pairs, joined, make_pairs
from kgmrca.extraction.coreference.network import PronounNetwork
from kgmrca.extraction.encoder.forms import hash_words
from kgmrca.extraction.encoder.shim import as_tensors
from kgmrca.extraction.encoder.windows import Tokens, batches, cut, make_inputs, rows_of
from kgmrca.extraction.encoder.words import WordTable

__all__ = ["Guess", "mention_states", "rank"]

Guess: TypeAlias = dict[int, float]
"""Of one pronoun: entities (their numbers in `Mentions.entity`) and their probabilities."""

_MOST_PAIRS = 100_000  # that are scored at once
_LEAST = 0.01  # what is less probable is forgotten


def mention_states(
    network: PronounNetwork, table: WordTable, tokens: Tokens, mentions: Mentions, max_tokens: int
) -> tuple[Tensor, Tensor]:
    """What stands for the mentions, [M, mention_width], and their gender, [M]; their words are rows of `tokens`.

    Of the states of a text only those of the mentions are kept, so that memory does not grow with every word.
    """
    device = network.kind.weight.device
    windows = cut(tokens, max_tokens)
    wanted, inverse = np.unique(np.stack([mentions.first, mentions.last], 1), return_inverse=True)
    place = torch.from_numpy(inverse.reshape(-1, 2)).to(device)
    kept, rows = [], []
    for some in batches(windows):
        here = rows_of(windows[some])
        inside = np.flatnonzero(np.isin(here, wanted, kind="table")) if len(wanted) else np.zeros(0, np.int64)
        if len(inside):
            inputs = as_tensors(make_inputs(tokens, windows[some], table, network.rows, 0), device)
            kept.append(network.reader(**inputs).index_select(0, torch.from_numpy(inside).to(device)))
            rows.append(here[inside])
    order = torch.from_numpy(np.argsort(np.concatenate(rows))).to(device)
    states = torch.cat(kept).index_select(0, order)
    calls = network.words(*_called(table, tokens, mentions, network.rows, device))
    said = torch.from_numpy(np.unique(tokens.word[mentions.call], return_inverse=True)[1].reshape(-1, 2)).to(device)
    gender = network.gender(calls).index_select(0, said[:, 0])
    gender = gender * torch.from_numpy(mentions.is_person).to(device)
    call = calls.index_select(0, said.flatten()).view(len(said), -1)
    call = call * torch.from_numpy(~mentions.is_pronoun).to(device).unsqueeze(1)
    kind = torch.from_numpy(mentions.kind).to(device)
    first, last = (states.index_select(0, place[:, side]) for side in (0, 1))
    return network.mentions(first, last, kind, call), gender


def _called(
    table: WordTable, tokens: Tokens, mentions: Mentions, rows: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    words = [tokens.words[number] for number in np.unique(tokens.word[mentions.call]).tolist()]
    return torch.from_numpy(table.vectors(words)).to(device), torch.from_numpy(hash_words(words, rows)).to(device)


def rank(
    network: PronounNetwork, table: WordTable, tokens: Tokens, documents: Sequence[Mentions], max_tokens: int
) -> list[list[Guess]]:
    """For each document what each of its pronouns may mean, in the order of the text.

    Args:
        network: in evaluation mode.
        table: static vectors of words.
        tokens: of the documents.
        documents: the mentions of each; their words are places in the document.
        max_tokens: the longest window that is read at once.
    """
    starts = np.searchsorted(tokens.doc, np.arange(len(documents)))
    asked = [number for number, mentions in enumerate(documents) if _has_pairs(mentions)]
    found: list[list[Guess]] = [[{} for _ in range(int(mentions.is_pronoun.sum()))] for mentions in documents]
    if not asked:
        return found
    parts = [documents[number] for number in asked]
    with torch.inference_mode():
        states, gender = mention_states(
            network, table, tokens, joined(parts, [int(starts[number]) for number in asked]), max_tokens
        )
        before = 0
        for number, mentions in zip(asked, parts, strict=True):
            here = slice(before, before + len(mentions.kind))
            before += len(mentions.kind)
            pairs = make_pairs(mentions)
            likely = _probabilities(network, states[here], gender[here], mentions, pairs)
            found[number] = _follow(mentions, pairs, likely)
    return found


def _has_pairs(mentions: Mentions) -> bool:
    return bool(mentions.is_pronoun.any()) and not bool(mentions.is_pronoun.all())


def _probabilities(
    network: PronounNetwork, states: Tensor, gender: Tensor, mentions: Mentions, pairs: Pairs
) -> NDArray[np.float32]:
    """The probabilities of pairs, [P]."""
    parts = [np.zeros(0, np.float32)]
    group = torch.from_numpy(np.maximum(mentions.group, 0)).to(states.device)
    for start, end in _stretches(pairs.pronoun):
        pronouns, which = np.unique(pairs.pronoun[start:end], return_inverse=True)
        arrays = (pronouns, which, pairs.candidate[start:end], pairs.features[start:end])
        likely, _ = network.probabilities(
            states, gender, group, *(torch.from_numpy(array).to(states.device) for array in arrays)
        )
        parts.append(likely.cpu().numpy())
    return np.concatenate(parts)


def _stretches(pronoun: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Stretches of pairs, all pairs of a pronoun in one."""
    start = 0
    while start < len(pronoun):
        end = min(start + _MOST_PAIRS, len(pronoun))
        if end < len(pronoun):
            end = int(np.searchsorted(pronoun, pronoun[end]))
        yield start, end
        start = end


def _follow(mentions: Mentions, pairs: Pairs, likely: NDArray[np.float32]) -> list[Guess]:
    """What each pronoun may mean, itself or through earlier pronouns (`network.flow`, one pronoun after another)."""
    guesses: dict[int, Guess] = {int(place): {} for place in np.flatnonzero(mentions.is_pronoun)}
    kept = likely >= _LEAST
    entity = mentions.entity.tolist()
    for place, candidate, part in zip(
        pairs.pronoun[kept].tolist(), pairs.candidate[kept].tolist(), likely[kept].tolist(), strict=True
    ):
        guess = guesses[place]
        if entity[candidate] >= 0:
            guess[entity[candidate]] = guess.get(entity[candidate], 0.0) + part
        else:
            for number, other in guesses[candidate].items():
                if part * other >= _LEAST / 10:
                    guess[number] = guess.get(number, 0.0) + part * other
    return list(guesses.values())
