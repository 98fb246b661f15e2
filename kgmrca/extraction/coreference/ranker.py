"""Pronouns of documents -> how probable it is that each means one of the named entities: the network and its inputs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmrca.extraction.coreference.features import Mentions, Pairs, joined, make_pairs
from kgmrca.extraction.coreference.network import PronounNetwork
from kgmrca.extraction.encoder.shared import DocStates, SharedReader

__all__ = ["Guess", "call_words", "mention_states", "rank"]

Guess: TypeAlias = dict[int, float]
"""Of one pronoun: entities (their numbers in `Mentions.entity`) and their probabilities."""

_MOST_PAIRS = 100_000  # that are scored at once
_MOST_MENTIONS = 4_096  # whose states are taken at once
_LEAST = 0.01  # what is less probable is forgotten


def call_words(words: Sequence[str], mentions: Mentions) -> list[str]:
    """The first and the last word of the longest name of each mention, one after another; `words` of the document."""
    return [words[at] for at in mentions.call.flatten().tolist()]


def mention_states(
    network: PronounNetwork,
    mentions: Mentions,
    states: Tensor,
    call: Sequence[str],
    look_up: Callable[[Sequence[str]], Tensor],
) -> tuple[Tensor, Tensor]:
    """What stands for the M mentions, [M, mention_width], and their gender, [M].

    Args:
        network: the ranker.
        mentions: of one document or of several (`features.joined`).
        states: of their first and last words, [M, 2, state_width].
        call: of `call_words`, for all mentions.
        look_up: of the reader whose states these are: distinct words -> what stands for them.
    """
    device = states.device
    place: dict[str, int] = {}
    said = torch.tensor([place.setdefault(word, len(place)) for word in call], device=device).view(-1, 2)
    known = look_up(list(place))
    is_name = torch.from_numpy(~mentions.is_pronoun).to(device)
    gender = network.gender(known).index_select(0, said[:, 0]) * torch.from_numpy(mentions.is_person).to(device)
    call_states = known.index_select(0, said.flatten()).view(len(said), -1) * is_name.unsqueeze(1)
    kind = torch.from_numpy(mentions.kind).to(device)
    return network.mentions(states[:, 0], states[:, 1], kind, call_states), gender


def rank(
    network: PronounNetwork,
    reader: SharedReader,
    known: DocStates,
    words: Sequence[Sequence[str]],
    documents: Sequence[Mentions],
) -> list[list[Guess]]:
    """For each document what each of its pronouns may mean, in the order of the text.

    Of the states of a text only those of its mentions are taken, so memory does not grow with every word.

    Args:
        network: in evaluation mode.
        reader: whose states they are.
        known: the states of the documents.
        words: of each document.
        documents: the mentions of each; their words are places in the document.
    """
    starts = np.searchsorted(known.tokens.doc, np.arange(len(documents)))
    asked = [number for number, mentions in enumerate(documents) if _has_pairs(mentions)]
    found: list[list[Guess]] = [[{} for _ in range(int(mentions.is_pronoun.sum()))] for mentions in documents]
    if not asked:
        return found
    parts = [documents[number] for number in asked]
    together = joined(parts, [int(starts[number]) for number in asked])
    call = [word for number in asked for word in call_words(words[number], documents[number])]
    with torch.inference_mode():
        found_of = []
        for start in range(0, len(together.kind), _MOST_MENTIONS):
            some = slice(start, start + _MOST_MENTIONS)
            block = Mentions(**{field.name: getattr(together, field.name)[some] for field in fields(Mentions)})
            ends = known.rows(np.stack([block.first, block.last], 1).flatten()).view(len(block.kind), 2, -1)
            found_of.append(mention_states(network, block, ends, call[2 * start : 2 * some.stop], reader.look_up))
        states, gender = (torch.cat(part) for part in zip(*found_of, strict=True))
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
