"""Train the ranker of pronouns of the component `coreference` on GUM, LitBank and GAP.

    python train_coreference.py DATA -o build/coreference

The ranker is a head over the states of a shared reader, which does not learn here. So each text is read once in a few
versions (with other names, and with pronouns in the place of names), and the epochs after that take seconds. It learns
twice, the second time more slowly and from versions that it has not seen.

The recognizer finds the names in GAP's texts, which say of two names only whether the pronoun means them. The dev parts
are held out: on them the threshold is chosen, and the scores are printed.

First names and their genders come from two packages that nothing else needs:

    pip install faker==40.63.0 names==0.3.0
"""

import argparse
import random
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import spacy
import torch
from coreference_sets import Text, read_texts
from first_names import read_names
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.util import fix_random_seed
from spacy.vocab import Vocab
from torch import Tensor, nn

from kgmrca.extraction.coreference.beside import is_title
from kgmrca.extraction.coreference.component import Coreference
from kgmrca.extraction.coreference.features import Mentions, Pairs, find_mentions, joined, make_pairs, pronoun_group
from kgmrca.extraction.coreference.network import PronounNetwork, flow
from kgmrca.extraction.coreference.ranker import Guess, call_words, mention_states, rank
from kgmrca.extraction.encoder.shared import SharedReader, read_states
from kgmrca.extraction.encoder.windows import Tokens, rows_of
from kgmrca.resources import READER

REPLACED = 0.4  # share of repeated names for which a pronoun is put
NAMES_DROPPED = 0.07  # share of names that are left out, as a recognizer may miss them
RENAMED = 0.7  # share of texts whose persons are given other names
OTHERS_DROPPED = 0.7  # share of other names that are left out in half of the texts of GAP
NOVELS = 0.35  # share of the novels, which are long, that a version has
ASKED = 3.0  # weight of a pronoun that GAP asks about; any other counts 1
AVERAGED = 0.995  # how much of the mean of earlier weights stays at each step; the mean is what is kept


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its mentions, and for each pronoun which names it means.

    Args:
        right, wrong: whether a pronoun (rows) means a mention (columns), or does not, [N, M]; both false: not known.
        weight: of each pronoun, 0 where nothing is known, [N].
    """

    words: list[str]
    mentions: Mentions
    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    weight: NDArray[np.float32]


def piece(text: Text, start: int, end: int) -> Text:
    """The words from `start` to `end` as a text of their own."""
    names = [number for number, name in enumerate(text.names) if start <= name[0] and name[1] <= end]
    return replace(
        text,
        words=text.words[start:end],
        names=[(text.names[n][0] - start, text.names[n][1] - start, text.names[n][2]) for n in names],
        cluster=[text.cluster[n] for n in names],
        pronouns={at - start: number for at, number in text.pronouns.items() if start <= at < end},
        other={at - start: numbers for at, numbers in text.other.items() if start <= at < end},
        ends=[at - start for at in text.ends if start < at <= end],
        _entities=None,
    )


def pieces(text: Text, chance: random.Random) -> list[Text]:
    """A long text in stretches of 300 to 900 words."""
    found, start = [], 0
    while start < len(text.words):
        most = start + chance.randint(300, 900)
        end = max((at for at in text.ends if at <= most), default=len(text.words)) if text.ends else len(text.words)
        if end <= start or len(text.words) - end < 100:
            end = len(text.words)
        found.append(piece(text, start, end))
        start = end
    return found


FORMS = {"he": ("he", "him", "his"), "she": ("she", "her", "her"), "it": ("it", "it", "its")}
_PREPOSITIONS = frozenset({"of", "to", "with", "by", "for", "from", "in", "on", "at", "about", "against", "between"})
_VERBS = frozenset({"was", "is", "had", "has", "would", "could", "did", "does", "will", "can", "may", "might", "must"})
_STARTS = frozenset({".", "and", "but", "that", "when", "while", "because", "if", "as", "where", ";", '"', "?", "!"})


def kinds_of(text: Text, women: Mapping[str, float]) -> dict[int, str]:
    """Which pronoun the clusters of a text want: those that it has, or what type and first name say."""
    found: dict[int, list[str]] = {}
    for at, number in text.pronouns.items():
        if number >= 0:
            found.setdefault(number, []).append(pronoun_group(text.words[at]))
    kinds = {number: max(sorted(set(groups)), key=groups.count) for number, groups in found.items()}
    for (start, _, kind), cluster in zip(text.names, text.cluster, strict=True):
        share = women.get(text.words[start], 0.5)
        if kind == "PER" and abs(share - 0.5) > 0.4:
            kinds.setdefault(cluster, "she" if share > 0.5 else "he")
        elif kind in ("ORG", "LOC", "MISC"):
            kinds.setdefault(cluster, "it")
    return kinds


def with_pronouns(text: Text, chance: random.Random, share: float, women: Mapping[str, float]) -> Text:
    """A text with pronouns in the place of some names that stand there again.

    Args:
        share: of the names that are replaced.
        women: share of women among those who have a first name.
    """
    kinds = kinds_of(text, women)
    seen: set[int] = set()
    put: dict[int, tuple[int, str, int]] = {}  # first word -> end, pronoun, cluster
    replaced = set()
    for number, ((start, end, _), cluster) in enumerate(zip(text.names, text.cluster, strict=True)):
        kind = kinds.get(cluster, "")
        wanted = share * (0.3 if kind == "it" else 1)  # there are many of them
        if cluster in seen and kind in FORMS and chance.random() < wanted:
            before = text.words[start - 1].lower() if start else "."
            behind = text.words[end] if end < len(text.words) else "."
            if behind == "'s":
                put[start] = (end + 1, FORMS[kind][2], cluster)
            else:
                subject = behind in _VERBS or behind.endswith("ed") or before in _STARTS
                early = start < 2 or any(word in _STARTS for word in text.words[start - 2 : start])
                subject = subject or (early and before not in _PREPOSITIONS)
                put[start] = (end, FORMS[kind][0 if subject else 1], cluster)
            replaced.add(number)
        seen.add(cluster)
    if not put:
        return text
    words: list[str] = []
    place: list[int] = []
    pronouns: dict[int, int] = {}
    at = 0
    while at < len(text.words):
        if at in put:
            end, word, cluster = put[at]
            capital = not words or words[-1] in (".", "?", "!", '"')
            pronouns[len(words)] = cluster
            place += [len(words)] * (end - at)
            words.append(word.capitalize() if capital else word)
            at = end
        else:
            place.append(len(words))
            words.append(text.words[at])
            at += 1
    place.append(len(words))
    kept = [number for number in range(len(text.names)) if number not in replaced]
    return replace(
        text,
        words=words,
        names=[(place[text.names[n][0]], place[text.names[n][1]], text.names[n][2]) for n in kept],
        cluster=[text.cluster[n] for n in kept],
        pronouns=pronouns | {place[at]: number for at, number in text.pronouns.items()},
        other={place[at]: numbers for at, numbers in text.other.items()},
        ends=[place[at] for at in text.ends],
        _entities=None,
    )


def renamed(text: Text, chance: random.Random, pools: Mapping[str, Sequence[str]], women: Mapping[str, float]) -> Text:
    """A text whose persons have other names: who is meant shall be read, not remembered.

    First names are changed into others of the gender, other words of names into family names; each always into the
    same one.

    Args:
        pools: first names of "she" and "he", and family names as "".
        women: share of women among those who have a first name.
    """
    words = list(text.words)
    new: dict[str, str] = {}
    for start, end, kind in text.names:
        for at in range(start, end) if kind == "PER" else ():
            word = words[at]
            if not word[:1].isupper() or not word.isalpha() or is_title(word):
                continue
            share = women.get(word, 0.5)
            pool = pools["she" if share > 0.9 else "he" if share < 0.1 else ""]
            words[at] = new.setdefault(word, chance.choice(pool))
    return replace(text, words=words, _entities=None)


def pools_of(women: Mapping[str, float]) -> dict[str, list[str]]:
    """First names of women and of men, and family names."""
    return {
        "she": [name for name, share in women.items() if share > 0.9],
        "he": [name for name, share in women.items() if share < 0.1],
        "": [name for name, share in women.items() if share == 0.5],
    }


def without_some(text: Text, chance: random.Random, share: float) -> Text:
    """A text with some names not found; but in GAP the two that are asked about are.

    In half of its texts most others are not: there the choice is between these two.
    """
    if text.other and chance.random() < 0.5:
        share = OTHERS_DROPPED
    kept = [
        number
        for number in range(len(text.names))
        if chance.random() >= share or (text.other and text.cluster[number] in (0, 1))
    ]
    return replace(text, names=[text.names[n] for n in kept], cluster=[text.cluster[n] for n in kept], _entities=None)


def example(text: Text) -> Example | None:
    """What is learned from a text; None if it has no pronoun or no name."""
    mentions = find_mentions(
        text.words, [name[:2] for name in text.names], [name[2] for name in text.names], text.entities
    )
    places = np.flatnonzero(mentions.is_pronoun)
    if not len(places) or len(places) == len(mentions.kind):
        return None
    cluster = np.array([text.cluster[name] if name >= 0 else -2 for name in mentions.name.tolist()])
    right = np.zeros((len(places), len(cluster)), bool)
    wrong = np.zeros_like(right)
    weight = np.zeros(len(places), np.float32)
    means = [text.pronouns.get(int(mentions.first[place]), -3) for place in places]
    pairs = make_pairs(mentions)
    row = {int(place): number for number, place in enumerate(places)}
    reach = [False] * len(places)
    for who, whom in zip(pairs.pronoun.tolist(), pairs.candidate.tolist(), strict=True):
        number = row[who]
        if means[number] >= 0:
            reach[number] |= (
                reach[row[whom]] and means[row[whom]] == means[number]
                if whom in row
                else bool(cluster[whom] == means[number])
            )
    for number, answer in enumerate(means):
        if answer == -3:
            continue
        if answer >= 0 and reach[number]:
            right[number] = cluster == answer
        not_meant = text.other.get(int(mentions.first[places[number]]))
        if not_meant is None:
            wrong[number] = ~mentions.is_pronoun & ~right[number]
        else:
            wrong[number] = np.isin(cluster, list(not_meant))
            if answer >= 0 and not reach[number]:
                continue
        weight[number] = 1 if not_meant is None else ASKED
    return Example(text.words, mentions, right, wrong, weight) if weight.any() else None


def tokens_of(texts: Sequence[Sequence[str]]) -> Tokens:
    """The words of texts, as the reader is given them."""
    number: dict[str, int] = {}
    word = [number.setdefault(word, len(number)) for words in texts for word in words]
    lengths = [len(words) for words in texts]
    doc = np.repeat(np.arange(len(texts)), lengths)
    token = np.concatenate([np.zeros(0, np.int64), *map(np.arange, lengths)]).astype(np.int64)
    return Tokens(list(number), np.array(word, np.int64), doc, token)


def states_of(reader: SharedReader, texts: Sequence[Sequence[str]], mentions: Sequence[Mentions]) -> list[Tensor]:
    """The states of the first and the last words of mentions, [M, 2, state_width] of each text, in half precision."""
    starts = np.cumsum([0, *map(len, texts)])
    rows = [np.stack([one.first, one.last], 1) + start for one, start in zip(mentions, starts, strict=False)]
    wanted, place = np.unique(np.concatenate([np.zeros((0, 2), np.int64), *rows]), return_inverse=True)
    kept = torch.zeros(len(wanted), reader.width, dtype=torch.float16)
    for windows, states in reader.read(tokens_of(texts)):
        here = rows_of(windows)
        at = np.minimum(np.searchsorted(wanted, here), len(wanted) - 1)
        hit = np.flatnonzero(wanted[at] == here)
        kept[torch.from_numpy(at[hit])] = states[torch.from_numpy(hit)].half()
    parts = np.split(place.reshape(-1, 2), np.cumsum([len(one) for one in rows])[:-1])
    return [kept[torch.from_numpy(part)] for part in parts]


def needed(example: Example, pairs: Pairs) -> Pairs:
    """The pairs of pronouns of which something is known, and of those that may lead them to a name."""
    group = example.mentions.group
    last = np.full(group.max() + 1, -1)
    for place in np.flatnonzero(example.mentions.is_pronoun)[example.weight > 0].tolist():
        last[group[place]] = place
    kept = pairs.pronoun <= last[group[pairs.pronoun]]
    return Pairs(pairs.pronoun[kept], pairs.candidate[kept], pairs.features[kept].astype(np.int32))


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that is learned from a text in one version of it.

    Args:
        states: of `states_of`.
        call: of `ranker.call_words`.
    """

    example: Example
    pairs: Pairs
    states: Tensor
    call: list[str]

    @property
    def size(self) -> int:
        """Words of the text."""
        return len(self.example.words)


def lessons(
    reader: SharedReader, texts: Sequence[Text], chance: random.Random, women: Mapping[str, float], novels: float
) -> list[Lesson]:
    """A version of all texts.

    Args:
        reader: reads it.
        texts: as they are.
        chance: what draws names and pronouns.
        women: share of women among those who have a first name.
        novels: share of the novels, which are long, that it has.
    """
    pools = pools_of(women)
    parts = [part for text in texts for part in pieces(text, chance)]
    parts = [part for part in parts if part.source != "litbank" or chance.random() < novels]
    parts = [with_pronouns(part, chance, REPLACED, women) for part in parts]
    if all(pools.values()):
        parts = [renamed(part, chance, pools, women) if chance.random() < RENAMED else part for part in parts]
    examples = [one for part in parts if (one := example(without_some(part, chance, NAMES_DROPPED)))]
    states = states_of(reader, [one.words for one in examples], [one.mentions for one in examples])
    return [
        Lesson(one, needed(one, make_pairs(one.mentions)), here, call_words(one.words, one.mentions))
        for one, here in zip(examples, states, strict=True)
    ]


def loss_of(network: PronounNetwork, reader: SharedReader, batch: Sequence[Lesson]) -> Tensor:
    """The mean loss of the pronouns of some texts."""
    examples = [one.example for one in batch]
    mentions = joined([one.mentions for one in examples], [0] * len(examples))
    before = np.cumsum([0, *(len(one.mentions.kind) for one in examples)])
    states = torch.cat([one.states for one in batch]).float()
    call = [word for one in batch for word in one.call]
    states, gender = mention_states(network, mentions, states, call, reader.look_up)
    pronoun = np.concatenate([one.pairs.pronoun + at for one, at in zip(batch, before, strict=False)])
    candidate = np.concatenate([one.pairs.candidate + at for one, at in zip(batch, before, strict=False)])
    pronouns = np.flatnonzero(mentions.is_pronoun)
    row = np.full(len(mentions.kind), -1)
    row[pronouns] = np.arange(len(pronouns))
    which = torch.from_numpy(row[pronoun])
    likely, _ = network.probabilities(
        states,
        gender,
        torch.from_numpy(np.maximum(mentions.group, 0)),
        torch.from_numpy(pronouns),
        which,
        torch.from_numpy(candidate),
        torch.from_numpy(np.concatenate([one.pairs.features for one in batch])),
    )
    table_ = torch.zeros(len(pronouns), len(row)).index_put((which, torch.from_numpy(candidate)), likely)
    names = np.flatnonzero(~mentions.is_pronoun)
    leads = flow(table_[:, pronouns], table_[:, names])
    right, wrong = (_block([getattr(one, key) for one in examples])[:, names] for key in ("right", "wrong"))
    weight = torch.from_numpy(np.concatenate([one.weight for one in examples]))
    means, means_not = ((leads * torch.from_numpy(mask)).sum(1) for mask in (right, wrong))
    some = torch.from_numpy(right.any(1))
    good = torch.where(some, means, 1 - means_not).clamp(1e-6, 1)
    return -(good.log() * weight).sum() / weight.sum()


def loss_of_gender(
    network: PronounNetwork, reader: SharedReader, names: Sequence[tuple[str, float]], chance: random.Random
) -> Tensor:
    """Of some first names and family names, each with the share of women among those who have it."""
    some = chance.sample(names, min(256, len(names)))
    wanted = torch.tensor([share for _, share in some])
    scores = network.female(reader.look_up([name for name, _ in some])).squeeze(1)
    return nn.functional.binary_cross_entropy_with_logits(scores, wanted)


def _block(parts: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Arrays along the diagonal of one."""
    whole = np.zeros((sum(len(part) for part in parts), sum(part.shape[1] for part in parts)), bool)
    row = column = 0
    for part in parts:
        whole[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return whole


def together(order: list[Lesson], size: int) -> list[list[Lesson]]:
    """Batches of about `size` words."""
    found: list[list[Lesson]] = []
    count = size
    for one in order:
        if count + one.size > size:
            found.append([])
            count = 0
        found[-1].append(one)
        count += one.size
    return found


def learn(
    network: PronounNetwork,
    reader: SharedReader,
    versions: Sequence[Sequence[Lesson]],
    *,
    epochs: int,
    seed: int,
    rate: float = 2e-3,
    size: int = 4096,
    names: Sequence[tuple[str, float]] = (),
) -> None:
    """Train a network.

    Args:
        network: the network, with fresh weights, or those that it had learned.
        reader: whose states the lessons have.
        versions: what it learns from; each epoch takes another.
        epochs: how many.
        seed: of the order, and of the names drawn.
        rate: the learning rate where it is largest; it rises for 15 % of the steps, then falls to 0 along a cosine.
        size: words of a batch.
        names: first names and family names with the share of women among those who have them.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    average = deepcopy(network.state_dict())
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.02)
    steps = done = 0
    for number in range(epochs):
        start = time.perf_counter()
        order = list(versions[number % len(versions)])
        chance.shuffle(order)
        batched = together(order, size)
        steps = steps or round(1.01 * epochs * len(batched))
        total = 0.0
        for batch in batched:
            share = min(done / steps, 1)
            for group in optimizer.param_groups:
                group["lr"] = rate * (
                    share / 0.15 if share < 0.15 else 0.5 * (1 + np.cos(np.pi * (share - 0.15) / 0.85))
                )
            loss = loss_of(network, reader, batch)
            if names:
                loss = loss + 0.3 * loss_of_gender(network, reader, names, chance)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            done += 1
            decay = min(AVERAGED, done / (done + 10))
            for key, weights in network.state_dict().items():
                average[key].lerp_(weights, 1 - decay)
            total += loss.item()
        seconds = time.perf_counter() - start
        print(f"epoch {number + 1}: loss {total / len(batched):.4f}, {seconds:.0f} s", flush=True)
    network.load_state_dict(average)
    network.eval()


# Choosing.


@dataclass(frozen=True, slots=True)
class Answer:
    """What a network says of a pronoun: the best entity's probability, and whether it is right.

    Args:
        named: whether the pronoun means a name at all.
        group: genre of the text.
    """

    probability: float
    right: bool
    named: bool
    group: str


def guesses_of(network: PronounNetwork, reader: SharedReader, texts: Sequence[Text]) -> list[dict[int, Guess]]:
    """For each text what its pronouns (words) may mean."""
    vocab = Vocab()
    found: list[dict[int, Guess]] = []
    for text in texts:
        mentions = find_mentions(text.words, [n[:2] for n in text.names], [n[2] for n in text.names], text.entities)
        known = read_states([Doc(vocab, words=text.words)], reader)
        (guesses,) = rank(network, reader, known, [text.words], [mentions])
        found.append(dict(zip(mentions.first[mentions.is_pronoun].tolist(), guesses, strict=True)))
    return found


def clusters_of(text: Text) -> dict[int, set[int]]:
    """The gold clusters of each entity that rules have made of names."""
    found: dict[int, set[int]] = {}
    for entity, cluster in zip(text.entities, text.cluster, strict=True):
        found.setdefault(entity, set()).add(cluster)
    return found


def answers(network: PronounNetwork, reader: SharedReader, texts: Sequence[Text]) -> list[Answer]:
    """Of all pronouns of GUM and LitBank, each text read as a whole."""
    found = []
    for text, guesses in zip(texts, guesses_of(network, reader, texts), strict=True):
        clusters = clusters_of(text)
        for word, guess in guesses.items():
            answer = text.pronouns.get(word, -1)
            best = max(guess, key=lambda entity: guess[entity], default=-1)
            right = answer >= 0 and best >= 0 and answer in clusters[best]
            found.append(Answer(guess.get(best, 0.0), right, answer >= 0, text.source))
    return found


def f1(found: Sequence[Answer], threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F1 of the names that pronouns are given."""
    given = [one for one in found if one.probability >= threshold]
    right = sum(one.right for one in given)
    named = sum(one.named for one in found)
    return right / max(len(given), 1), right / max(named, 1), 2 * right / max(len(given) + named, 1)


def gap_scores(
    network: PronounNetwork, reader: SharedReader, texts: Sequence[Text], threshold: float
) -> tuple[float, float, float]:
    """GAP's F1, and that of masculine and feminine pronouns."""
    counts = {"he": [0, 0], "she": [0, 0]}
    for text, guesses in zip(texts, guesses_of(network, reader, texts), strict=True):
        ((word, answer),) = text.pronouns.items()
        guess = guesses[word]
        best = max(guess, key=lambda entity: guess[entity], default=-1)
        said = clusters_of(text)[best] & {0, 1} if best >= 0 and guess[best] >= threshold else set()
        count = counts.get(pronoun_group(text.words[word]), counts["he"])
        count[0] += answer in said
        count[1] += len(said) + (answer >= 0)
    right, total = (sum(count[which] for count in counts.values()) for which in (0, 1))
    men, women = (2 * count[0] / max(count[1], 1) for count in counts.values())
    return 2 * right / max(total, 1), men, women


def report(network: PronounNetwork, reader: SharedReader, dev: Sequence[Text]) -> None:
    """Print the scores on the dev parts at several thresholds."""
    gum, novels, gap = ([text for text in dev if text.source == source] for source in ("gum", "litbank", "gap"))
    found = {"GUM": answers(network, reader, gum), "LitBank": answers(network, reader, novels)}
    for threshold in (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8):
        print(f"{threshold:.2f}", end="")
        for name, some in found.items():
            print(f"  {name} P {{:.3f}} R {{:.3f}} F1 {{:.3f}}".format(*f1(some, threshold)), end="")
        print("  GAP {:.3f} m {:.3f} f {:.3f}".format(*gap_scores(network, reader, gap, threshold)), flush=True)


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with the data sets")
    parser.add_argument("--recognizer", help="a pipeline in a folder that finds names; if none, `mrca_entities`")
    parser.add_argument("--reader", default=READER, help="the shared reader, shipped or in a folder")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write the pipeline to")
    parser.add_argument(
        "--threshold", type=float, default=0.3, help="how sure it must be, unless something else is set"
    )
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--more-epochs", type=int, default=8, help="after these, at half the rate, on other versions")
    parser.add_argument("--versions", type=int, default=4, help="of each text, each of the two times")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = read_names()  # first, because the packages may be missing
    if options.recognizer:
        recognizer = spacy.load(options.recognizer, exclude=["mrca_relations", "coreference"])
    else:
        recognizer = spacy.blank("en")
        recognizer.add_pipe("mrca_entities")
    texts, dev = (list(read_texts(options.data, split, recognizer)) for split in ("train", "dev"))
    nlp = spacy.blank("en")
    pipe: Coreference = nlp.add_pipe("coreference", config={"pretrained": None, "reader": options.reader})
    chance = random.Random(options.seed)  # noqa: S311 - nothing secret
    start = time.perf_counter()
    versions = [lessons(pipe.reader, texts, chance, dict(names), NOVELS) for _ in range(2 * options.versions)]
    print(f"{len(texts):,} texts, read {len(versions)} times in {time.perf_counter() - start:.0f} s", flush=True)
    fix_random_seed(options.seed)
    network = pipe.build(options.threshold)
    first, second = versions[: options.versions], versions[options.versions :]
    learn(network, pipe.reader, first, epochs=options.epochs, seed=options.seed, names=names)
    network.half().float()  # which is stored at half the size
    fix_random_seed(options.seed + 1)
    learn(network, pipe.reader, second, epochs=options.more_epochs, seed=options.seed + 1, rate=1e-3, names=names)
    network.half().float()
    nlp.to_disk(options.output)
    report(network, pipe.reader, dev)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
