"""Train a transformer that reads whole documents, and let it score the facts of passages that have no gold ones.

    python train_fact_teacher.py train passages ENCODER -o teacher
    python train_fact_teacher.py score passages teacher gap gum wiki80 -o silver

The passages are those of `document_sets.py`. The teacher learns from the documents of Re-DocRED, and in each epoch from
some sentences of other sets. What it knows of a pair of entities is what they are, which words the encoder looks at for
both of them (as in ATLOP, Zhou et al. 2021), and what it knows of the pairs that they form with a third entity.

`score` writes the passages with the teacher's scores. Where both ends are in one sentence, the score is the mean of the
teacher's and of that which the passage has, for a model of sentences knows other things than one of documents. Gold
facts stay, and no fact is added for labels that the passage's set annotates completely.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from document_sets import THRESHOLD, Passage, read_passages, write_passages
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

TYPES = ("PER", "ORG", "LOC", "MISC", "TIME", "NUM", "TERM")

OTHER = len(TYPES)
"""The number of the types that are none of these."""

MAX_PIECES = 510
"""A longer passage is read in windows that overlap."""

OVERLAP = 128
NUMBERS = 96
"""So many entities of a passage are told apart at the input; beyond them, some share a number."""

SENTENCES = ("wiki80", "fewrel", "text2kg", "knowledgenet")
APART = 8  # sentences apart, and mentions of an entity, that are told apart


@dataclass(eq=False)
class Pieces:
    """A passage in word pieces: P pieces, M mentions, n entities.

    Args:
        pieces: their numbers, [P].
        places: first piece and end of each mention, [M, 2].
        entity, sentence: of each mention, [M].
        type: of each entity, [n].
        facts: subject, object and label of each fact, [facts, 3].
        scores: of the facts.
        complete: 1 for the labels that are annotated completely, 0 for the others.
        is_gold: whether all facts of these labels are gold, and nothing is known of the others.
        evidence: pairs of entities, and for each the pieces of the sentences that tell what holds of it.
    """

    pieces: NDArray[np.int64]
    places: NDArray[np.int64]
    entity: NDArray[np.int64]
    sentence: NDArray[np.int64]
    type: NDArray[np.int64]
    facts: Tensor
    scores: Tensor
    complete: Tensor
    is_gold: bool
    evidence: tuple[Tensor, Tensor]
    lower: list[Tensor] | None = None

    @property
    def count(self) -> int:
        """How many entities there are."""
        return len(self.type)


def cut(count: int) -> list[tuple[int, int]]:
    """Start and end of the windows of a passage of so many pieces.

    >>> cut(300), cut(800)
    ([(0, 300)], [(0, 510), (290, 800)])
    """
    if count <= MAX_PIECES:
        return [(0, count)]
    windows = -(-(count - OVERLAP) // (MAX_PIECES - OVERLAP))
    starts = np.linspace(0, count - MAX_PIECES, windows).astype(int)
    return [(start, start + MAX_PIECES) for start in starts.tolist()]


class Reader:
    """Makes pieces of passages."""

    def __init__(self, encoder: str, labels: Sequence[str]) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(encoder)
        self.column = {label: number for number, label in enumerate(labels)}

    def __call__(self, passage: Passage) -> Pieces:
        """Without facts of labels that the teacher does not know."""
        own = [
            numbers or [self.tokenizer.unk_token_id]
            for numbers in self.tokenizer(passage["words"], add_special_tokens=False)["input_ids"]
        ]
        start = np.cumsum([0, *map(len, own)])
        mentions = passage["mentions"]
        places = np.array([[start[first], start[end]] for first, end, *_ in mentions], np.int64)
        entity = np.array([mention[2] for mention in mentions], np.int64)
        type_ = np.full(int(entity.max()) + 1, OTHER)
        for _, _, number, name, _ in mentions:
            type_[number] = TYPES.index(name) if name in TYPES else OTHER
        sentence_of = np.searchsorted(passage["sents"], np.arange(len(passage["words"])), side="right") - 1
        facts = [(a, b, self.column[label], score) for a, b, label, score in passage["facts"] if label in self.column]
        complete = torch.zeros(len(self.column))
        complete[[self.column[label] for label in passage["complete"] if label in self.column]] = 1
        told = passage.get("evidence") or []
        of_piece = np.repeat(sentence_of, np.diff(start))
        return Pieces(
            pieces=np.array([number for numbers in own for number in numbers], np.int64),
            places=places,
            entity=entity,
            sentence=sentence_of[[mention[0] for mention in mentions]],
            type=type_,
            facts=torch.tensor([fact[:3] for fact in facts], dtype=torch.long).view(-1, 3),
            scores=torch.tensor([fact[3] for fact in facts]),
            complete=complete,
            is_gold=passage["set"] == "redocred",
            evidence=(
                torch.tensor([pair[:2] for pair in told], dtype=torch.long).view(-1, 2),
                torch.tensor(np.array([np.isin(of_piece, pair[2]) for pair in told], np.float32)),
            ),
        )


class Teacher(nn.Module):
    """Scores [n, n, labels] of the ordered pairs of entities of passages, before the sigmoid.

    Args:
        encoder: a BERT-like encoder of Hugging Face.
        n_labels: how many labels there are.
        width: of subjects and objects as a pair sees them.
        block: the features of subject and object are multiplied with each other in blocks of this size.
        pair_width: of pairs.
        third_width: of what a pair is told of the pairs with a third entity.
        dropout: share of values dropped while training.
    """

    def __init__(
        self,
        encoder: str,
        n_labels: int,
        *,
        width: int = 256,
        block: int = 16,
        pair_width: int = 160,
        third_width: int = 64,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.encoder: Any = AutoModel.from_pretrained(encoder, add_pooling_layer=False)
        tokenizer = AutoTokenizer.from_pretrained(encoder)
        self.first, self.last = tokenizer.cls_token_id, tokenizer.sep_token_id
        self.encoder.embeddings.requires_grad_(False)
        layers = self.encoder.encoder.layer
        self.frozen = len(layers) // 3  # layers that stay as they are: this takes a third less time
        layers[: self.frozen].requires_grad_(False)
        size = self.encoder.config.hidden_size
        self.type_in, self.number_in = nn.Embedding(OTHER + 2, size), nn.Embedding(NUMBERS + 1, size)
        self.subject, self.object = nn.Linear(size, width), nn.Linear(size, width)
        self.subject_context, self.object_context = nn.Linear(size, width), nn.Linear(size, width)
        self.block = block
        self.products, self.sums = nn.Linear(width * block, pair_width), nn.Linear(2 * width, pair_width)
        self.types = nn.Embedding((OTHER + 1) ** 2, pair_width)
        self.apart, self.mentions = nn.Embedding(2 * APART, pair_width), nn.Embedding(APART, pair_width)
        self.thirds = nn.ModuleList(Thirds(pair_width, third_width, dropout) for _ in range(2))
        self.norm, self.dropout = nn.LayerNorm(pair_width), nn.Dropout(dropout)
        self.scores, self.of_types = nn.Linear(pair_width, n_labels), nn.Embedding((OTHER + 1) ** 2, n_labels)
        for table in (self.type_in, self.mentions, self.of_types):
            nn.init.zeros_(table.weight)
        nn.init.normal_(self.number_in.weight, std=0.01)
        for table in (self.types, self.apart):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, passages: Sequence[Pieces]) -> list[tuple[Tensor, Tensor]]:
        """For each passage the scores, and how much each pair looks at each piece, [n, n, P].

        While training, some mentions, names and pieces are hidden, and some types are wrong.
        """
        seen = [look(passage) if self.training else Look.at_all(passage) for passage in passages]
        return [self._pairs(*one) for one in zip(passages, seen, *self._read(passages, seen), strict=True)]

    def _read(self, passages: Sequence[Pieces], seen: Sequence["Look"]) -> tuple[list[Tensor], list[Tensor]]:
        """The states of the pieces, [P, size], and how they look at each other in the last layer, [heads, P, P]."""
        windows = [(number, *ends) for number, passage in enumerate(passages) for ends in cut(len(passage.pieces))]
        lower = [states for passage in passages for states in self._lower(passage)]
        length = max(map(len, lower))
        types = torch.full((len(windows), length), OTHER + 1)
        numbers = torch.full((len(windows), length), NUMBERS)
        shown = torch.ones(len(windows), length, 1)
        hidden = torch.full((len(windows), 1, 1, length), -1e4)
        for row, (number, start, end) in enumerate(windows):
            inside = slice(1, end - start + 1)  # behind the encoder's own first piece
            types[row, inside] = seen[number].types[start:end]
            numbers[row, inside] = seen[number].numbers[start:end]
            shown[row, inside, 0] = seen[number].shown[start:end]
            hidden[row, ..., : end - start + 2] = 0
        states = nn.utils.rnn.pad_sequence([part.float() for part in lower], batch_first=True)
        states = states * shown + self.type_in(types) + self.number_in(numbers)
        *middle, last = self.encoder.encoder.layer[self.frozen :]
        for layer in middle:
            states, _ = self._layer(layer, states, hidden)
        states, looks = self._layer(last, states, hidden, with_looks=True)
        all_states, all_looks = [], []
        for number, passage in enumerate(passages):
            count = len(passage.pieces)
            mine = [(row, start, end) for row, (of, start, end) in enumerate(windows) if of == number]
            times = torch.zeros(count)
            for _, start, end in mine:
                times[start:end] += 1
            parts = [(states[row, 1 : end - start + 1], start, count - end) for row, start, end in mine]
            all_states.append(sum(F.pad(part, (0, 0, *room)) for part, *room in parts) / times.unsqueeze(1))
            squares = [
                (looks[row, :, 1 : end - start + 1, 1 : end - start + 1], start, count - end)
                for row, start, end in mine
            ]
            all_looks.append(sum(F.pad(part, (*room, *room)) for part, *room in squares) / times.unsqueeze(1))
        return all_states, all_looks

    def _lower(self, passage: Pieces) -> list[Tensor]:
        """What the frozen layers give for each window; it is computed once."""
        if passage.lower is None:
            embed, is_training = self.encoder.embeddings.eval(), self.training
            self.training = False
            with torch.no_grad():
                passage.lower = []
                for start, end in cut(len(passage.pieces)):
                    states = embed(
                        input_ids=torch.tensor([[self.first, *passage.pieces[start:end].tolist(), self.last]])
                    )
                    for layer in self.encoder.encoder.layer[: self.frozen]:
                        states, _ = self._layer(layer, states, None)
                    passage.lower.append(states[0].half())
            self.training = is_training
        return passage.lower

    def _layer(
        self, layer: Any, states: Tensor, hidden: Tensor | None, *, with_looks: bool = False
    ) -> tuple[Tensor, Tensor]:
        """A layer of BERT, which gives what its heads look at only where it is asked to: that takes longer."""
        own = layer.attention.self
        rows, length, size = states.shape
        heads: int = self.encoder.config.num_attention_heads
        query, key, value = (
            part(states).view(rows, length, heads, -1).transpose(1, 2) for part in (own.query, own.key, own.value)
        )
        looks = states.new_zeros(0)
        if with_looks:
            fit = (query / (size // heads) ** 0.5) @ key.transpose(2, 3)
            looks = (fit if hidden is None else fit + hidden).softmax(-1)
            found = looks @ value
        else:
            found = F.scaled_dot_product_attention(query, key, value, attn_mask=hidden)
        found = layer.attention.output.dense(found.transpose(1, 2).reshape(rows, length, size))
        states = layer.attention.output.LayerNorm(states + F.dropout(found, 0.1, self.training))
        found = layer.output.dense(F.gelu(layer.intermediate.dense(states)))
        return layer.output.LayerNorm(states + F.dropout(found, 0.1, self.training)), looks

    def _pairs(self, passage: Pieces, seen: "Look", states: Tensor, looks: Tensor) -> tuple[Tensor, Tensor]:
        count, kept = passage.count, seen.kept
        places, entity = passage.places[kept], torch.from_numpy(passage.entity[kept])
        inside = torch.zeros(len(places), len(states))
        for row, (start, end) in enumerate(places.tolist()):
            inside[row, start:end] = 1 / (end - start)
        mentions = inside @ states
        # An entity is the smooth maximum of its mentions, and looks where they look on average.
        highest = mentions.detach().max()
        sums = torch.zeros(count, mentions.shape[1]).index_add(0, entity, (mentions - highest).exp())
        entities = (sums + 1e-9).log() + highest
        mean = F.one_hot(entity, count).T.float()
        mean = mean / mean.sum(1, keepdim=True).clamp(min=1)
        looks = torch.einsum("np,hpq->nhq", mean @ inside, looks)
        both = torch.einsum("ihp,jhp->ijp", looks, looks)
        both = both / (both.sum(-1, keepdim=True) + 1e-10)
        context = both @ states
        subject = self.dropout((self.subject(entities).unsqueeze(1) + self.subject_context(context)).tanh())
        object_ = self.dropout((self.object(entities).unsqueeze(0) + self.object_context(context)).tanh())
        blocks = subject.shape[-1] // self.block
        products = subject.view(count, count, blocks, -1, 1) * object_.view(count, count, blocks, 1, -1)
        pairs = self.products(products.flatten(2)) + self.sums(torch.cat([subject, object_], -1))
        types = torch.from_numpy(seen.entity_types)
        types = types.unsqueeze(1) * (OTHER + 1) + types
        number = torch.from_numpy(np.bincount(passage.entity[kept], minlength=count).clip(max=APART - 1))
        named = self.mentions(number)
        pairs = pairs + self.types(types) + self.apart(how_far(passage, kept)) + named.unsqueeze(1) + named
        for layer in self.thirds:
            pairs = layer(pairs)
        return self.scores(self.dropout(self.norm(pairs))) + self.of_types(types), both


class Thirds(nn.Module):
    """What a pair (i, j) learns from the pairs (i, k) and (k, j), and from (j, i): [n, n, width] -> the same."""

    def __init__(self, width: int, third_width: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.found, self.told = nn.LayerNorm(width), nn.LayerNorm(third_width), nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, 2 * third_width), nn.Linear(width, 2 * third_width)
        self.outer, self.gate, self.back = (
            nn.Linear(third_width, width),
            nn.Linear(width, width),
            nn.Linear(width, width),
        )
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.outer, self.back, self.narrow):
            nn.init.zeros_(layer.weight)

    def forward(self, pairs: Tensor) -> Tensor:
        """See the class."""
        normed, count = self.norm(pairs), len(pairs)
        others = 1 - torch.eye(count).unsqueeze(2)
        first, second = F.glu(self.first(normed)) * others, F.glu(self.second(normed)) * others
        found = torch.einsum("ikw,kjw->ijw", first, second) / count**0.5
        told = self.gate(normed).sigmoid() * self.outer(self.found(found)) + self.back(normed.transpose(0, 1))
        pairs = pairs + self.dropout(told)
        return pairs + self.dropout(self.narrow(F.gelu(self.wide(self.told(pairs)))))


def how_far(passage: Pieces, kept: NDArray[np.int64]) -> Tensor:
    """How many sentences apart the entities of each pair are at least, and which of them comes first, [n, n]."""
    entity, sentence, count = passage.entity[kept], passage.sentence[kept], passage.count
    apart = np.full((count, count), APART - 1)
    np.minimum.at(apart, (entity[:, None], entity[None]), np.abs(sentence[:, None] - sentence[None]))
    first = np.full(count, len(passage.pieces))
    np.minimum.at(first, entity, passage.places[kept, 0])
    return torch.from_numpy(apart + APART * (first[:, None] < first[None]))


@dataclass
class Look:
    """What of a passage is shown.

    Args:
        kept: the mentions that are known as such.
        entity_types: of the entities, [n].
        types, numbers: of the entity that each piece names, [P].
        shown: 0 for hidden pieces, 1 for the others, [P].
    """

    kept: NDArray[np.int64]
    entity_types: NDArray[np.int64]
    types: Tensor
    numbers: Tensor
    shown: Tensor

    @classmethod
    def at_all(cls, passage: Pieces) -> "Look":
        """Nothing is hidden."""
        kept = np.arange(len(passage.entity))
        return cls.of(passage, kept, passage.type, np.arange(NUMBERS), np.ones(len(passage.pieces), np.float32))

    @classmethod
    def of(
        cls,
        passage: Pieces,
        kept: NDArray[np.int64],
        entity_types: NDArray[np.int64],
        numbers: NDArray[np.int64],
        shown: NDArray[np.float32],
    ) -> "Look":
        """With the types and numbers of the pieces; `numbers` are those of the first entities."""
        types, own = np.full(len(shown), OTHER + 1), np.full(len(shown), NUMBERS)
        for (start, end), entity in zip(passage.places[kept].tolist(), passage.entity[kept].tolist(), strict=True):
            types[start:end], own[start:end] = entity_types[entity], numbers[entity % NUMBERS]
        return cls(kept, entity_types, *map(torch.from_numpy, (types, own, shown)))


def look(passage: Pieces) -> Look:
    """What is shown while training: mentions are missing, names and words are hidden, types are wrong at random."""
    is_kept = np.random.rand(len(passage.entity)) > 0.1
    for number in np.setdiff1d(passage.entity, passage.entity[is_kept]):  # of each entity one stays
        is_kept[np.random.choice(np.flatnonzero(passage.entity == number))] = True
    types = np.where(np.random.rand(passage.count) < 0.05, np.random.randint(0, OTHER + 1, passage.count), passage.type)
    shown = (np.random.rand(len(passage.pieces)) > 0.05).astype(np.float32)
    is_hidden = np.random.rand(passage.count) < 0.08
    for start, end in passage.places[is_hidden[passage.entity]]:
        shown[start:end] = 0
    return Look.of(passage, np.flatnonzero(is_kept), types, np.random.permutation(NUMBERS), shown)


# Training.


def loss_of(passage: Pieces, scores: Tensor, looks: Tensor) -> Tensor:
    """The loss of a passage, summed over its pairs. A sentence with a teacher's guesses counts half."""
    least = 0.0 if passage.is_gold else 0.5
    weights = (passage.complete if passage.is_gold else passage.complete.clamp(min=least)).expand(scores.shape).clone()
    targets = torch.zeros_like(scores)
    place = tuple(passage.facts.T)
    targets[place] = passage.scores
    weights[place] = torch.where(passage.scores == 1, 1.0, weights[place])
    weights[range(passage.count), range(passage.count)] = 0
    loss = F.binary_cross_entropy_with_logits(scores, targets, weights, reduction="sum")
    pairs, pieces = passage.evidence
    if len(pairs):
        loss = loss - 0.1 * ((looks[tuple(pairs.T)] * pieces).sum(1) + 1e-4).log().sum()
    return loss


def shuffled(passages: Sequence[Pieces], size: int) -> list[list[Pieces]]:
    """Batches of passages of similar length, in any order."""
    batches = []
    order = random.sample(list(passages), len(passages))
    for first in range(0, len(order), 16 * size):
        alike = sorted(order[first : first + 16 * size], key=lambda passage: len(passage.pieces))
        batches += [alike[start : start + size] for start in range(0, len(alike), size)]
    return random.sample(batches, len(batches))


def best_f1(teacher: Teacher, passages: Sequence[Pieces], missing: int = 0) -> tuple[float, float]:
    """The best micro F1 of the labels that are annotated completely, and the threshold that gives it.

    Args:
        missing: so many gold facts have labels that the teacher does not know.
    """
    found, gold = [], []
    for passage, scores in zip(passages, predict(teacher, passages), strict=True):
        truth = torch.zeros_like(scores)
        truth[tuple(passage.facts.T)] = 1
        asked = (passage.complete > 0) & ~torch.eye(passage.count, dtype=torch.bool).unsqueeze(2)
        found.append(scores[asked])
        gold.append(truth[asked])
    order = torch.cat(found).argsort(descending=True)
    right = torch.cat(gold)[order].cumsum(0)
    f1 = 2 * right / (torch.arange(1, len(right) + 1) + right[-1] + missing)
    best = int(f1.argmax())
    return f1[best].item(), torch.cat(found)[order[best]].item()


@torch.inference_mode()
def predict(teacher: Teacher, passages: Iterable[Pieces]) -> Iterator[Tensor]:
    """The scores of each passage after the sigmoid, [n, n, labels]; 0 where subject and object are the same."""
    teacher.eval()
    for passage in passages:
        [(scores, _)] = teacher([passage])
        passage.lower = None
        yield scores.sigmoid() * (1 - torch.eye(passage.count)).unsqueeze(2)


def train(
    teacher: Teacher,
    documents: Sequence[Pieces],
    sentences: Sequence[Pieces],
    dev: Sequence[Pieces],
    *,
    epochs: int,
    rate: float = 8e-4,
    sentences_an_epoch: int = 600,
    missing: int = 0,
) -> None:
    """Train; the teacher has the averaged weights in the end. The encoder learns at a quarter of the rate."""
    encoder = [weight for weight in teacher.encoder.parameters() if weight.requires_grad]
    own = {id(weight) for weight in teacher.encoder.parameters()}
    head = [weight for weight in teacher.parameters() if id(weight) not in own]
    weights = encoder + head
    start_at_prior(teacher, [*documents, *sentences])
    averaged = [weight.detach().clone() for weight in weights]
    groups: list[dict[str, Any]] = [{"params": encoder}, {"params": head}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
    rates = [rate / 4, rate]
    step = 0
    started = time.time()
    for epoch in range(epochs):
        teacher.train()
        some = random.sample(list(sentences), min(sentences_an_epoch, len(sentences)))
        batches = shuffled(documents, 3) + shuffled(some, 24)
        random.shuffle(batches)
        for batch in batches:
            found = [loss_of(passage, *scores) for passage, scores in zip(batch, teacher(batch), strict=True)]
            loss = torch.stack(found).sum() / sum(passage.count * (passage.count - 1) for passage in batch)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(weights, 1.0)
            done = step / (epochs * len(batches))
            for group, highest in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = highest * min(1.0, 0.01 + 12 * done, max(0.02, (1 - done) / 0.85))
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            with torch.no_grad():
                torch._foreach_lerp_(averaged, weights, 1 - min(0.99, step / (step + 20)))
        swap(averaged, weights)
        f1, threshold = best_f1(teacher, dev, missing)
        print(f"epoch {epoch + 1}, {time.time() - started:.0f} s: F1 {f1:.4f} at {threshold:.3f}", flush=True)
        if epoch + 1 < epochs:
            swap(averaged, weights)


def start_at_prior(teacher: Teacher, passages: Iterable[Pieces]) -> None:
    """Let all pairs have the scores that are true on average at first."""
    sums, pairs = torch.zeros(teacher.scores.out_features), 0
    for passage in passages:
        sums.index_add_(0, passage.facts[:, 2], passage.scores)
        pairs += passage.count * (passage.count - 1)
    with torch.no_grad():
        teacher.scores.bias.copy_((sums / pairs).clamp(min=1e-6).logit().clamp(max=-3))
        teacher.scores.weight.mul_(0.1)


def swap(averaged: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
    """Exchange the averaged weights and those that are trained."""
    with torch.no_grad():
        for mean, weight in zip(averaged, weights, strict=True):
            kept = weight.clone()
            weight.copy_(mean)
            mean.copy_(kept)


# Scoring.


def with_scores(passage: Passage, scores: NDArray[np.float32], labels: Sequence[str]) -> Passage:
    """A passage with a teacher's scores, beside its gold facts.

    Args:
        scores: of subject, object and label, [n, n, labels].

    >>> passage = {"sents": [0], "mentions": [[0, 1, 0, "PER", 0], [3, 4, 1, "LOC", 0]], "complete": ["sibling"]}
    >>> guessed = {**passage, "facts": [[0, 1, "residence", 0.4]], "scored": "sentence"}
    >>> scores = np.zeros((2, 2, 2), np.float32)
    >>> scores[0, 1] = 0.8, 0.3
    >>> with_scores(guessed, scores, ["residence", "sibling"])["facts"]
    [[0, 1, 'residence', 0.6]]
    """
    column = {label: number for number, label in enumerate(labels)}
    known = [fact for fact in passage["facts"] if fact[2] in column]
    given = np.zeros_like(scores)
    for subject, object_, label, score in known:
        given[subject, object_, column[label]] = score
    # The scores of gold documents are none of a model of sentences.
    if passage["scored"] == "sentence" or any(score < 1 for *_, score in known):
        sentence = np.searchsorted(passage["sents"], [mention[0] for mention in passage["mentions"]], side="right")
        entity = np.array([mention[2] for mention in passage["mentions"]])
        together = np.zeros(scores.shape[:2], bool)
        one, other = np.nonzero(sentence[:, None] == sentence[None])
        together[entity[one], entity[other]] = True
        scores = np.where(together[..., None], (scores + given) / 2, scores)
    facts = {(subject, object_, label): 1.0 for subject, object_, label, score in passage["facts"] if score == 1}
    for subject, object_, number in np.argwhere(scores >= THRESHOLD).tolist():
        if labels[number] not in passage["complete"]:
            facts.setdefault((subject, object_, labels[number]), round(float(scores[subject, object_, number]), 3))
    return {**passage, "facts": [[*key, score] for key, score in sorted(facts.items())], "scored": "all"}


def main() -> None:
    """Train or score from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, other, text in (
        ("train", "encoder", "the encoder's folder or name"),
        ("score", "teacher", "what `train` wrote"),
    ):
        command = commands.add_parser(name)
        command.add_argument("passages", type=Path, help="the folder that document_sets.py wrote")
        command.add_argument(other, help=text)
        command.add_argument("-o", "--output", type=Path, required=True, help="the folder to write")
        if name == "train":
            command.add_argument("--epochs", type=int, default=7)
            command.add_argument("--seed", type=int, default=0)
        else:
            command.add_argument("sets", nargs="+", help="which of the passages")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.command == "train":
        train_teacher(options.passages, options.encoder, options.output, epochs=options.epochs, seed=options.seed)
    else:
        score_sets(options.passages, Path(options.teacher), options.sets, options.output)


def train_teacher(folder: Path, encoder: str, output: Path, *, epochs: int, seed: int) -> None:
    """Train a teacher and store it. It knows the labels of all facts that are not rare."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    passages = {name: list(read_passages(folder, name)) for name in ("redocred", "redocred.dev", *SENTENCES)}
    labels = known_labels(passage for name in ("redocred", *SENTENCES) for passage in passages[name])
    reader = Reader(encoder, labels)
    teacher = Teacher(encoder, len(labels))
    sentences = [passage for name in SENTENCES for passage in passages[name] if is_short(passage)]
    missing = sum(fact[2] not in reader.column for passage in passages["redocred.dev"] for fact in passage["facts"])
    train(
        teacher,
        list(map(reader, passages["redocred"])),
        list(map(reader, sentences)),
        list(map(reader, passages["redocred.dev"])),
        epochs=epochs,
        missing=missing,
    )
    (output / "cfg").write_text(json.dumps({"encoder": encoder, "labels": labels}))
    save_file(teacher.state_dict(), output / "model.safetensors")


def known_labels(passages: Iterable[Passage], least: int = 20) -> list[str]:
    """The labels with at least so many gold facts."""
    counts = Counter(label for passage in passages for *_, label, score in passage["facts"] if score == 1)
    return sorted(label for label, count in counts.items() if count >= least)


def is_short(passage: Passage) -> bool:
    """Whether a sentence can be read in a large batch."""
    return len(passage["words"]) <= 100 and max(mention[2] for mention in passage["mentions"]) < 20


def score_sets(folder: Path, path: Path, sets: Sequence[str], output: Path) -> None:
    """Write the passages of sets with a teacher's scores."""
    settings: Mapping[str, Any] = json.loads((path / "cfg").read_text())
    teacher = Teacher(settings["encoder"], len(settings["labels"]))
    teacher.load_state_dict(load_file(path / "model.safetensors"))
    reader = Reader(settings["encoder"], settings["labels"])
    for name in sets:
        passages = list(read_passages(folder, name))
        found = predict(teacher, map(reader, passages))
        write_passages(
            output / f"{name}.jsonl.gz",
            (
                with_scores(passage, scores.numpy(), settings["labels"])
                for passage, scores in zip(passages, found, strict=True)
            ),
        )


if __name__ == "__main__":
    main()
