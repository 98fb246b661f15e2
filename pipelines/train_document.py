"""Train the network that finds the facts of documents (`mrca_relations` with `kgmrca.DocumentMRCA.v1`).

    python train_document.py build -o build/facts --mix silver/redocred recognized/redocred:150 silver/gap:700

The documents are passages in the format of document_sets.py: gold ones, sentences of other sets, and texts whose facts
a teacher scored (train_fact_teacher.py), gold ones as they are recognized (recognized.py), and generated ones
(generate.py). The reader is the one that ships. It stays as it is, so each document is read once, and what the reader
says of its words is kept. A document is changed a little each time it is trained on, because recognizers err: mentions
are lost, types are wrong, an entity falls apart into two.

What a set does not annotate is not held against a pair: a teacher's score stands for it, with less weight, or nothing.
After each third epoch, micro F1 on the held-out documents of Re-DocRED is printed, with gold entities, at the best
threshold. The weights that are kept are a moving average of those of the last steps.
"""

import argparse
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import spacy
import torch
from document_sets import read_passages
from entity_sets import TYPES
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example
from spacy.util import fix_random_seed
from torch import Tensor, nn

from kgmrca.extraction.encoder.shared import SharedReader
from kgmrca.extraction.encoder.windows import Tokens, rows_of, sentence_ends
from kgmrca.extraction.relations.component import load, relation_pipe
from kgmrca.extraction.relations.fact_network import FactNetwork

SOFT = 0.3  # what a teacher's score counts for; a gold fact or its absence counts 1
LOST = 0.1  # share of mentions that are lost; an entity keeps one
WRONG = 0.04  # share of entities with a type drawn by chance
SPLIT = 0.05  # share of entities with several mentions that fall apart
JOINED = 0.4  # share of documents that are joined with others to one text, whose facts do not cross
JOINED_WORDS, JOINED_ENTITIES = 320, 32  # of such a text
SIZES = {"token_width": 160, "hidden_width": 128, "entity_width": 160, "pair_width": 128, "heads": 2, "key_width": 32}
DROPOUT = 0.2
AVERAGE = 0.998  # how much of the average is kept at each step
PAIRS, WORDS = 3_000, 6_000  # of a batch, with padding


@dataclass(slots=True)
class Document:
    """A document to learn from: T words, M mentions, E entities, F facts.

    Attributes:
        name: its id.
        words: clean words.
        sentence: number of each word's sentence, [T].
        mentions: first word and end, [M, 2].
        entity: of each mention, [M].
        kind: 0 for names, 1 for pronouns, 2 for other mentions, [M].
        types: numbers of the entities' types, [E].
        facts: subject, object and label, [F, 3].
        scores: of the facts; 1 for gold ones, [F].
        complete: the labels without which a pair is known to be; of others a teacher says so.
        taught: whether a teacher speaks of the labels that are not complete.
        known: whether it is known which facts hold between two entities, [E, E]; None: between all.
        n_gold: gold facts, also those with labels that are not trained.
        parts: the documents that it was joined of, in their order; none if it is one.
        word, states: what the reader says of the words.
    """

    name: str
    words: list[str]
    sentence: NDArray[np.int64]
    mentions: NDArray[np.int64]
    entity: NDArray[np.int64]
    kind: NDArray[np.int64]
    types: NDArray[np.int64]
    facts: NDArray[np.int64]
    scores: NDArray[np.float32]
    complete: NDArray[np.int64]
    taught: bool
    known: NDArray[np.bool_] | None
    n_gold: int
    parts: tuple["Document", ...] = ()
    word: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    states: Tensor = field(default_factory=lambda: torch.zeros(0))


def read_documents(folder: Path, name: str, labels: Sequence[str]) -> Iterator[Document]:
    """The documents of a file that have a pair of entities."""
    number = {label: place for place, label in enumerate(labels)}
    for record in read_passages(folder, name):
        ids = sorted({mention[2] for mention in record["mentions"]})
        if len(ids) < 2:
            continue
        place = {entity: row for row, entity in enumerate(ids)}
        types = np.zeros(len(ids), np.int64)
        for _, _, entity, kind, _ in record["mentions"]:
            types[place[entity]] = TYPES.index(kind) if kind in TYPES else len(TYPES)
        sentence = _sentences(record["words"])
        mentions = np.array([[first, end] for first, end, *_ in record["mentions"]], np.int64)
        entity = np.array([place[mention[2]] for mention in record["mentions"]], np.int64)
        facts = [
            (place[subject], place[object_], number[label], score)
            for subject, object_, label, score in record["facts"]
            if label in number and subject in place and object_ in place
        ]
        gold = record["complete"] is None and record.get("set", "generated") == "generated"
        complete = labels if gold else record["complete"] or ()
        yield Document(
            name=record["id"],
            words=record["words"],
            sentence=sentence,
            mentions=mentions,
            entity=entity,
            kind=np.array([mention[4] for mention in record["mentions"]], np.int64),
            types=types,
            facts=np.array([fact[:3] for fact in facts], np.int64).reshape(-1, 3),
            scores=np.array([fact[3] for fact in facts], np.float32),
            complete=np.array([number[label] for label in complete if label in number], np.int64),
            taught=record.get("set") not in (None, "redocred") or any(fact[3] < 1 for fact in facts),
            known=_share_sentence(entity, sentence[mentions[:, 0]]) if record.get("scored") == "sentence" else None,
            n_gold=len(record["facts"]),
        )


def _sentences(words: Sequence[str]) -> NDArray[np.int64]:
    """The number of each word's sentence, by the rule of the component."""
    distinct, word = np.unique(np.array(words), return_inverse=True)
    nothing = np.zeros(len(words), np.int64)
    ends = sentence_ends(Tokens(distinct.tolist(), word.astype(np.int64), nothing, nothing))
    return np.searchsorted(ends, np.arange(len(words)), side="right")


def _share_sentence(entity: NDArray[np.int64], sentence: NDArray[np.int64]) -> NDArray[np.bool_]:
    there = np.zeros((entity.max() + 1, sentence.max() + 1), np.int64)
    there[entity, sentence] = 1
    return there @ there.T > 0


class Memory:
    """What the frozen reader says of documents."""

    def __init__(self, reader: SharedReader) -> None:
        self.reader = reader
        self._number: dict[str, int] = {}
        self.vectors = torch.zeros(0, reader.words.width)

    def read(self, documents: Sequence[Document]) -> None:
        """Read documents, each as a text of its own; half precision is enough to learn from."""
        for document in documents:
            document.word = np.array([self._number.setdefault(w, len(self._number)) for w in document.words], np.int64)
        lengths = [len(document.words) for document in documents]
        tokens = Tokens(
            list(self._number),
            np.concatenate([document.word for document in documents]),
            np.repeat(np.arange(len(documents)), lengths),
            np.concatenate([np.arange(length) for length in lengths]),
        )
        states = torch.empty(len(tokens.word), self.reader.width, dtype=torch.float16)
        for windows, found in self.reader.read(tokens):
            states[torch.from_numpy(rows_of(windows))] = found.half()
        for document, part in zip(documents, torch.split(states, lengths), strict=True):
            document.states = part
        self.vectors = torch.from_numpy(self.reader.words.vectors(list(self._number)))


def join(parts: Sequence[Document]) -> Document:
    """One document of several that have been read: what one says has nothing to do with the others."""
    words = np.cumsum([0, *(len(part.words) for part in parts)])
    sentences = np.cumsum([0, *(part.sentence[-1] + 1 for part in parts)])
    entities = np.cumsum([0, *(len(part.types) for part in parts)])
    return Document(
        name=" + ".join(part.name for part in parts),
        words=[word for part in parts for word in part.words],
        sentence=np.concatenate([part.sentence + before for part, before in zip(parts, sentences, strict=False)]),
        mentions=np.concatenate([part.mentions + before for part, before in zip(parts, words, strict=False)]),
        entity=np.concatenate([part.entity + before for part, before in zip(parts, entities, strict=False)]),
        kind=np.concatenate([part.kind for part in parts]),
        types=np.concatenate([part.types for part in parts]),
        facts=np.concatenate(
            [part.facts + np.array([before, before, 0]) for part, before in zip(parts, entities, strict=False)]
        ),
        scores=np.concatenate([part.scores for part in parts]),
        complete=np.zeros(0, np.int64),
        taught=False,
        known=np.ones((entities[-1], entities[-1]), bool),
        n_gold=sum(part.n_gold for part in parts),
        parts=tuple(parts),
        word=np.concatenate([part.word for part in parts]),
        states=torch.cat([part.states for part in parts]),
    )


def mingle(documents: Sequence[Document], chance: random.Random) -> list[Document]:
    """The documents, some of them joined: short ones that have no name in common."""
    found: list[Document] = []
    parts: list[Document] = []
    names: set[str] = set()
    for document in chance.sample(documents, len(documents)):
        here = {" ".join(document.words[first:end]).lower() for first, end in document.mentions.tolist()}
        words = len(document.words) + sum(len(part.words) for part in parts)
        entities = len(document.types) + sum(len(part.types) for part in parts)
        if chance.random() >= JOINED or names & here:
            found.append(document)
        elif words > JOINED_WORDS or entities > JOINED_ENTITIES:
            found += [join(parts)] if len(parts) > 1 else parts
            parts, names = [document], here
        else:
            parts.append(document)
            names |= here
    return found + ([join(parts)] if len(parts) > 1 else parts)


Mentions = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""First words and ends, entities and kinds of mentions."""

Facts = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Facts and their scores."""


def as_recognized(document: Document, chance: np.random.Generator) -> tuple[Mentions, NDArray[np.int64], Facts]:
    """The mentions, the types of the entities and the facts, with mistakes that recognizers make."""
    mentions, entity, kind = document.mentions, document.entity, document.kind
    kept = chance.random(len(mentions)) >= LOST
    order = chance.permutation(len(mentions))
    kept[order[np.unique(entity[order], return_index=True)[1]]] = True
    mentions, entity, kind = mentions[kept], entity[kept], kind[kept]

    types, facts, scores = document.types, document.facts, document.scores
    if document.known is None:
        several = np.bincount(entity, minlength=len(types)) > 1
        for one in np.flatnonzero(several & (chance.random(len(types)) < SPLIT)).tolist():
            moved = (entity == one) & (chance.random(len(entity)) < 0.4)
            if moved.any() and (entity == one)[~moved].any():
                new = len(types)
                entity = np.where(moved, new, entity)
                types = np.append(types, types[one])
                for place in (0, 1):
                    same = facts[:, place] == one
                    more = facts[same]
                    more[:, place] = new
                    facts, scores = np.concatenate([facts, more]), np.concatenate([scores, scores[same]])
    wrong = chance.random(len(types)) < WRONG
    types = np.where(wrong, chance.integers(0, len(TYPES) + 1, len(types)), types)
    return (mentions, entity, kind), types, (facts, scores)


def as_it_is(document: Document) -> tuple[Mentions, NDArray[np.int64], Facts]:
    """The same without mistakes."""
    mentions = document.mentions, document.entity, document.kind
    return mentions, document.types, (document.facts, document.scores)


def make_batch(
    documents: Sequence[Document], memory: Memory, n_labels: int, chance: np.random.Generator | None = None
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """The network's arguments, targets [pairs, labels] and weights [pairs, labels] of documents.

    Args:
        documents: they have been read.
        memory: that has read them.
        n_labels: how many labels there are.
        chance: to make mistakes by; None: there are none.
    """
    tokens = entities = 0
    parts: list[dict[str, NDArray[np.int64]]] = []
    targets, weights = [], []
    for number, document in enumerate(documents):
        (mentions, entity, kind), types, (facts, scores) = (
            as_recognized(document, chance) if chance else as_it_is(document)
        )
        count = len(types)
        pairs = np.stack(np.divmod(np.arange(count**2), count), 1)
        asked = pairs[:, 0] != pairs[:, 1]
        target = np.zeros((count**2, n_labels), np.float32)
        np.maximum.at(target, (facts[:, 0] * count + facts[:, 1], facts[:, 2]), scores)
        weight = _weights(document, n_labels) if document.parts else _known(document, count, n_labels)
        weight = weight.reshape(count**2, n_labels)
        weight[target == 1] = 1
        targets.append(target[asked])
        weights.append(weight[asked])
        parts.append(
            {
                "lengths": np.array([len(document.words)]),
                "sentence": document.sentence,
                "mentions": mentions + tokens,
                "mention_entity": entity + entities,
                "mention_kind": kind,
                "entity_type": types,
                "entity_passage": np.full(count, number),
                "pairs": pairs[asked] + entities,
            }
        )
        tokens += len(document.words)
        entities += count
    inputs = {name: torch.from_numpy(np.concatenate([part[name] for part in parts])) for name in parts[0]}
    word = torch.from_numpy(np.concatenate([document.word for document in documents]))
    inputs["states"] = torch.cat([document.states for document in documents]).float()
    inputs["vectors"] = memory.vectors[word]
    return inputs, torch.from_numpy(np.concatenate(targets)), torch.from_numpy(np.concatenate(weights))


def _known(document: Document, count: int, n_labels: int) -> NDArray[np.float32]:
    """How much is known of each pair of entities and label, [E, E, labels]."""
    weight = np.full((count, count, n_labels), SOFT if document.taught else 0, np.float32)
    weight[:, :, document.complete] = 1
    return weight if document.known is None else weight * document.known[:, :, None]


def _weights(document: Document, n_labels: int) -> NDArray[np.float32]:
    """The same of a joined document: nothing holds between two of its parts."""
    weight = np.ones((len(document.types), len(document.types), n_labels), np.float32)
    start = 0
    for part in document.parts:
        end = start + len(part.types)
        weight[start:end, start:end] = _known(part, end - start, n_labels)
        start = end
    return weight


def together(documents: Iterable[Document], chance: random.Random | None = None) -> list[list[Document]]:
    """Batches of documents of similar size; by chance other ones each time, in random order."""

    def size(document: Document) -> float:
        about = len(document.types) + len(document.words) / 25
        return about * chance.uniform(0.85, 1.15) if chance else about

    found: list[list[Document]] = [[]]
    entities = words = 0
    for document in sorted(documents, key=size):
        entities, words = max(entities, len(document.types)), max(words, len(document.words))
        count = len(found[-1]) + 1
        if count > 1 and (entities**2 * count > PAIRS or words * count > WORDS):
            found.append([])
            entities, words = len(document.types), len(document.words)
        found[-1].append(document)
    if chance:
        chance.shuffle(found)
    return found


@dataclass(frozen=True)
class Source:
    """Documents of a file, and how many of them an epoch has, drawn anew each time; None: all."""

    documents: Sequence[Document]
    count: int | None

    def draw(self, chance: random.Random) -> Sequence[Document]:
        """Those of an epoch."""
        if self.count is None or self.count >= len(self.documents):
            return self.documents
        return chance.sample(self.documents, self.count)


def learn(
    network: FactNetwork,
    sources: Sequence[Source],
    memory: Memory,
    held_out: Sequence[Document],
    *,
    epochs: int,
    rate: float,
    seed: int,
) -> None:
    """Train a network.

    Args:
        network: it ends with the average of its weights.
        sources: what it learns from.
        memory: that has read all documents.
        held_out: what it is scored on now and then.
        epochs: how often all sources are drawn from.
        rate: the learning rate where it is largest; it rises for 10 % of the steps, then falls to 0 along a cosine.
        seed: of all that is drawn by chance, but for torch's own.
    """
    chance, numbers = random.Random(seed), np.random.default_rng(seed)  # noqa: S311 - nothing secret
    weights: list[Tensor] = [*network.parameters()]
    average = [weight.detach().clone() for weight in weights]
    optimizer = torch.optim.AdamW(
        [
            {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": 0.05},
            {"params": [weight for weight in weights if weight.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=rate,
        betas=(0.9, 0.99),
    )
    n_labels = network.scores.out_features
    steps = done = 0
    for number in range(epochs):
        start, total, pairs = time.perf_counter(), 0.0, 0
        drawn = [document for source in sources for document in source.draw(chance)]
        batches = together(mingle(drawn, chance), chance)
        chance.shuffle(batches)
        steps = steps or round(1.02 * epochs * len(batches))
        network.train()
        for batch in batches:
            part = min(done / steps, 1)
            for group in optimizer.param_groups:
                group["lr"] = rate * (part / 0.1 if part < 0.1 else 0.5 * (1 + np.cos(np.pi * (part - 0.1) / 0.9)))
            inputs, targets, counts = make_batch(batch, memory, n_labels, numbers)
            outputs = network(**inputs)
            loss = nn.functional.binary_cross_entropy_with_logits(outputs, targets, weight=counts, reduction="sum")
            optimizer.zero_grad()
            torch.autograd.backward(loss / len(targets))
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            done += 1
            with torch.no_grad():
                torch._foreach_lerp_(average, weights, 1 - min(AVERAGE, (1 + done) / (10 + done)))
            total, pairs = total + loss.item(), pairs + len(targets)
        text = f"epoch {number + 1}: loss {total / pairs:.4f}, {time.perf_counter() - start:.0f} s"
        if number % 3 == 2 or number == epochs - 1:
            network.eval()
            exchange(weights, average)
            text += f", held out: {describe(*outcomes(network, held_out, memory))}"
            if number < epochs - 1:
                exchange(weights, average)
        print(text, flush=True)


def exchange(some: Sequence[Tensor], others: Sequence[Tensor]) -> None:
    """Let weights change places."""
    with torch.no_grad():
        for one, other in zip(some, others, strict=True):
            kept = one.clone()
            one.copy_(other)
            other.copy_(kept)


def outcomes(
    network: FactNetwork, documents: Sequence[Document], memory: Memory
) -> tuple[NDArray[np.float32], NDArray[np.bool_], int]:
    """Scores that are not tiny, whether each is of a gold fact, and how many gold facts there are."""
    scores, right = [np.zeros(0, np.float32)], [np.zeros(0, bool)]
    for batch in together(documents):
        inputs, targets, counts = make_batch(batch, memory, network.scores.out_features)
        with torch.inference_mode():
            found = network(**inputs).sigmoid()
        judged = (found > 0.02) & (counts == 1)
        scores.append(found[judged].numpy())
        right.append((targets[judged] == 1).numpy())
    return np.concatenate(scores), np.concatenate(right), sum(document.n_gold for document in documents)


def describe(scores: NDArray[np.float32], right: NDArray[np.bool_], n_gold: int) -> str:
    """Micro F1 at the best threshold, in words."""
    if not len(scores):
        return "nothing found"
    order = np.argsort(-scores, kind="stable")
    hits, given = np.cumsum(right[order]), np.arange(1, len(order) + 1)
    f1 = 2 * hits / (given + n_gold)
    best = int(f1.argmax())
    return (
        f"F1 {f1[best]:.4f} (P {hits[best] / given[best]:.3f}, R {hits[best] / n_gold:.3f}) "
        f"from {scores[order[best]]:.3f} on"
    )


def make_pipeline(labels: Sequence[str]) -> Language:
    """A pipeline of `mrca_relations` alone, with fresh weights."""
    nlp = spacy.blank("en")
    model = {"@architectures": "kgmrca.DocumentMRCA.v1", **SIZES, "dropout": DROPOUT}
    pipe = nlp.add_pipe("mrca_relations", config={"model": model, "pretrained": None})
    nothing = Example(nlp.make_doc("."), nlp.make_doc("."))
    pipe.initialize(lambda: [nothing], labels={"labels": list(labels), "types": list(TYPES)})
    return nlp


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="the folder that has the folders of passages")
    parser.add_argument(
        "--mix", nargs="+", required=True, help="files (without .jsonl.gz) to train on; NAME:N: N documents an epoch"
    )
    parser.add_argument("--held-out", default="passages/redocred.dev", help="the file to score on")
    parser.add_argument("--labels", default="en_kgmrca_sm", help="a pipeline that has the labels to learn")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write the pipeline to")
    parser.add_argument("--start-from", type=Path, help="the output of an earlier training with the same labels")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    labels = relation_pipe(load(options.labels))[1].labels
    sources = []
    for item in options.mix:
        name, _, count = item.partition(":")
        documents = list(read_documents(options.build, name, labels))
        if count and int(count) * options.epochs < len(documents):  # more could not be drawn
            documents = random.Random(options.seed).sample(documents, int(count) * options.epochs)  # noqa: S311
        sources.append(Source(documents, int(count) if count else None))
    held_out = list(read_documents(options.build, options.held_out, labels))
    memory = Memory(SharedReader.named())
    memory.read([document for source in sources for document in source.documents] + held_out)

    fix_random_seed(options.seed)
    nlp = spacy.load(options.start_from) if options.start_from else make_pipeline(labels)
    network = nlp.get_pipe("mrca_relations").model.shims[0]._model.facts
    print(f"{sum(weight.numel() for weight in network.parameters()):,} weights", flush=True)
    learn(network, sources, memory, held_out, epochs=options.epochs, rate=options.rate, seed=options.seed)
    network.half().float()  # which is stored at half the size
    nlp.to_disk(options.output)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
