"""Train the recognizer `mrca_entities` on several data sets at once.

    python train_entities.py DATA --teacher en_kgmrca_sm -o build/entities_teacher --choose
    python train_entities.py DATA --teacher build/entities_teacher en_kgmrca_sm -o build/entities

Sets have their own rules of what a name is, so the network is told whose rules a text follows; in one text of four it
is not told, and learns to go by the text. Where a set does not annotate a type, "outside" stands for that type as well.
Sentences of relation data have two entities each; teachers annotate the rest.

--choose holds out the dev parts of the sets, and prints what the recognizer reaches there under each scheme: that of
Re-DocRED, none, and the set's own. Without it they are trained on as well, all but that of Re-DocRED.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spacy
import torch
from entity_sets import ANY, NATION, OURS, SETS, TYPES, Text, read_partial, read_sets
from numpy.typing import NDArray
from rewrite import Written, make_list, rewrite
from spacy.language import Language
from spacy.util import fix_random_seed
from torch import nn

from kgmrca.extraction.encoder.forms import clean_word
from kgmrca.extraction.encoder.shim import as_tensors
from kgmrca.extraction.encoder.windows import Tokens, batches, make_inputs
from kgmrca.extraction.entities.network import EntityNetwork, loss_of_allowed
from kgmrca.extraction.entities.recognizer import EntityRecognizer
from kgmrca.extraction.entities.tags import Tags
from kgmrca.resources import resource

SCHEMES = [one.name for one in SETS]
CASUAL = ("btc", "wnut17", "ewt")  # schemes of texts in which people write as they like
UNTOLD = 0.25  # share of texts whose scheme is not told
SILVER = 0.5  # what a sentence annotated by teachers counts for
SILVER_SHARE = 0.35  # share of such sentences that an epoch has
PROSE_SHARE = 0.6  # of the novels of LitBank, which are long
LISTS = 0.01  # lists and tables made of names, for each window of an epoch
WORDS_DROPPED = 0.05  # share of words whose static vector is hidden, so that the look of a word suffices
LONGEST = 256  # words of a window


@dataclass(frozen=True, slots=True)
class Example:
    """A window: clean words, which tags each may have (rows of a table), scheme and weight."""

    words: list[str]
    allowed: NDArray[np.int64]
    scheme: int
    weight: float


class AllowedTags:
    """A growing table of sets of tags; an example names its rows."""

    def __init__(self) -> None:
        self.tags = Tags(TYPES)
        self.rows: list[NDArray[np.bool_]] = []
        self._number: dict[tuple[int, ...], int] = {}

    def row(self, tags: Sequence[int]) -> int:
        """The row of a set of tags."""
        key = tuple(sorted(tags))
        if key not in self._number:
            self._number[key] = len(self.rows)
            self.rows.append(np.isin(np.arange(self.tags.count), key))
        return self._number[key]

    def encode(self, written: Written, annotated: Sequence[str]) -> NDArray[np.int64]:
        """The rows of the words of a window."""
        words, spans, unknown = written
        others = [
            1 + 4 * kind + place for kind, name in enumerate(TYPES) for place in range(4) if name not in annotated
        ]
        rows = np.full(len(words), self.row([0, *others]), np.int64)
        rows[sorted(unknown)] = self.row(range(self.tags.count))
        kinds = {ANY: TYPES, NATION: ("LOC", "MISC")}
        for start, end, name in spans:
            codes = self.tags.encode(end - start, [(0, end - start, 0)])
            numbers = [TYPES.index(kind) for kind in kinds.get(name, (name,))]
            rows[start:end] = [self.row([code + 4 * number for number in numbers]) for code in codes.tolist()]
        return rows


def windows(text: Text, chance: random.Random) -> Iterator[Written]:
    """The sentences of a text, some together in one window, as many as a limit drawn by chance allows."""
    most = 1 if chance.random() < 0.3 else chance.choice([60, 120, LONGEST])
    words: list[str] = []
    spans: list[tuple[int, int, str]] = []
    unknown: set[int] = set()
    for number, sentence in enumerate(text.sentences):
        if words and len(words) + len(sentence) > most:
            yield words, spans, unknown
            words, spans, unknown = [], [], set()
        before = len(words)
        words = words + sentence
        spans = spans + [(start + before, end + before, kind) for start, end, kind in text.spans[number]]
        unknown = unknown | {word + before for word in (text.unknown[number] if text.unknown else ())}
    yield words, spans, unknown


def epoch(
    texts: Sequence[Text], chance: random.Random, names: dict[str, list[tuple[str, ...]]], table: AllowedTags
) -> list[Example]:
    """The windows of an epoch."""
    found = []
    for text in texts:
        silver, novel = text.weight < 1, text.scheme == "litbank"
        if chance.random() > (SILVER_SHARE if silver else PROSE_SHARE if novel else 1):
            continue
        for _ in range(2 if text.scheme == OURS and not silver else 1):
            for written in windows(text, chance):
                if novel and not written[1] and chance.random() < 0.5:
                    continue
                rewritten = rewrite(written, chance, names, casual=text.scheme in CASUAL)
                found += examples(rewritten, text, table, chance)
    for _ in range(round(LISTS * len(found))):
        found += examples(make_list(chance, names), Text(OURS), table, chance)
    return found


def examples(written: Written, text: Text, table: AllowedTags, chance: random.Random) -> list[Example]:
    """A window as it is trained on; more than one if it is too long."""
    allowed = table.encode(written, text.annotated)
    scheme = len(SCHEMES) if chance.random() < UNTOLD else SCHEMES.index(text.scheme)
    clean = [clean_word(word) or "?" for word in written[0]]
    return [
        Example(clean[at : at + LONGEST], allowed[at : at + LONGEST], scheme, text.weight)
        for at in range(0, len(clean), LONGEST)
    ]


def together(examples: Sequence[Example], chance: random.Random, size: int) -> list[list[Example]]:
    """Batches of about `size` words, of windows of similar length, in random order."""
    order = sorted(examples, key=lambda example: len(example.words) * chance.uniform(0.8, 1.25))
    found: list[list[Example]] = []
    count = size
    for example in order:
        if count + len(example.words) > size:
            found.append([])
            count = 0
        found[-1].append(example)
        count += len(example.words)
    chance.shuffle(found)
    return found


def tokens_of(examples: Sequence[Example]) -> tuple[Tokens, NDArray[np.int64]]:
    """The words of examples as the reader's windows."""
    number: dict[str, int] = {}
    word = [number.setdefault(text, len(number)) for example in examples for text in example.words]
    ends = np.cumsum([len(example.words) for example in examples])
    nothing = np.zeros(len(word), np.int64)
    bounds = np.stack([np.append(0, ends)[:-1], ends], 1)
    return Tokens(list(number), np.array(word, np.int64), nothing, nothing), bounds


def learn(
    pipe: EntityRecognizer,
    texts: Sequence[Text],
    *,
    epochs: int,
    seed: int,
    rate: float = 2.5e-3,
    size: int = 2048,
    mixed: bool = False,
) -> None:
    """Train the network of a component that is built.

    Args:
        pipe: the component.
        texts: what it learns from.
        epochs: how often it sees them.
        seed: of all that is drawn by chance, but for torch's own.
        rate: the learning rate where it is largest; it rises for 15 % of the steps, then falls to 0 along a cosine.
        size: words of a batch.
        mixed: compute in bfloat16, which takes half the time on a CPU that has instructions for it.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    names = pools(texts)
    table = AllowedTags()
    network = pipe.network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01)
    steps = done = 0
    for number in range(epochs):
        start = time.perf_counter()
        batched = together(epoch(texts, chance, names, table), chance, size)
        allowed = torch.from_numpy(np.array(table.rows))
        steps = steps or round(1.01 * epochs * len(batched))
        total = 0.0
        for examples in batched:
            part = min(done / steps, 1)
            for group in optimizer.param_groups:
                group["lr"] = rate * (part / 0.15 if part < 0.15 else 0.5 * (1 + np.cos(np.pi * (part - 0.15) / 0.85)))
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                loss = step(pipe, network, examples, allowed)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            done += 1
            if done % 100 == 0:
                print(f"step {done} of {steps}: loss {loss.item():.4f}", flush=True)
        seconds = time.perf_counter() - start
        print(f"epoch {number + 1}: loss {total / len(batched):.4f}, {seconds:.0f} s", flush=True)
    network.eval()


def step(
    pipe: EntityRecognizer, network: EntityNetwork, examples: Sequence[Example], allowed: torch.Tensor
) -> torch.Tensor:
    """The loss of a batch."""
    tokens, bounds = tokens_of(examples)
    inputs = as_tensors(make_inputs(tokens, bounds, pipe.model.attrs["words"], network.rows, 0), "cpu")
    inputs["scheme"] = torch.tensor([example.scheme for example in examples])
    inputs["vectors"] = inputs["vectors"] * (torch.rand(len(inputs["vectors"]), 1) > WORDS_DROPPED)
    rows = torch.from_numpy(np.concatenate([example.allowed for example in examples]))
    weights = torch.tensor([example.weight for example in examples]).repeat_interleave(inputs["lengths"])
    return (loss_of_allowed(network(**inputs).float(), allowed[rows]) * weights).mean()


def pools(texts: Sequence[Text]) -> dict[str, list[tuple[str, ...]]]:
    """The names of each type that are written in the usual way, for putting one in the place of another."""
    found: dict[str, set[tuple[str, ...]]] = {kind: set() for kind in ("PER", "ORG", "LOC")}
    for text in texts:
        if text.scheme not in (*CASUAL, "re3d"):
            for words, spans in zip(text.sentences, text.spans, strict=True):
                for start, end, kind in spans:
                    if kind in found and end - start <= 5 and words[start][:1].isupper():
                        found[kind].add(tuple(words[start:end]))
    return {kind: sorted(names) for kind, names in found.items()}


# Choosing.


def f1(pipe: EntityRecognizer, texts: Sequence[Text], types: Sequence[str]) -> float:
    """F1 of the entities of some types in held-out texts, each read as a whole."""
    table = pipe.model.attrs["words"]
    scheme = SCHEMES.index(pipe.scheme) if pipe.scheme else len(SCHEMES)
    examples, gold = [], []
    for text in texts:
        words: list[str] = []
        spans: set[tuple[int, int, str]] = set()
        for sentence, here in zip(text.sentences, text.spans, strict=True):
            if words and len(words) + len(sentence) > LONGEST:
                examples.append(Example(words, np.zeros(0, np.int64), 0, 1))
                gold.append(spans)
                words, spans = [], set()
            spans = spans | {(start + len(words), end + len(words), kind) for start, end, kind in here if kind in types}
            words = words + [clean_word(word) or "?" for word in sentence]
        examples.append(Example(words, np.zeros(0, np.int64), 0, 1))
        gold.append(spans)
    tokens, bounds = tokens_of(examples)
    tags = Tags(TYPES)
    right = count = 0
    for some in batches(bounds):
        inputs = make_inputs(tokens, bounds[some], table, pipe.network.rows, scheme)
        with torch.inference_mode():
            best = tags.best(pipe.network(**as_tensors(inputs, "cpu")), inputs.lengths)
        for number, part in zip(some, np.split(best, np.cumsum(inputs.lengths)[:-1]), strict=True):
            found = {(start, end, TYPES[kind]) for start, end, kind in tags.decode(part) if TYPES[kind] in types}
            right += len(found & gold[number])
            count += len(found) + len(gold[number])
    return 2 * right / max(count, 1)


def report(pipe: EntityRecognizer, dev: dict[str, list[Text]]) -> None:
    """Print F1 on what is held out, under each scheme."""
    print(f"{'':12}{'ours':>8}{'untold':>8}{'own':>8}")
    for name, texts in dev.items():
        if texts:
            types = (
                texts[0].annotated if name in (OURS, "re3d") else ("PER", "LOC", "ORG")[: 2 if name == "litbank" else 3]
            )
            scores = []
            for scheme in (OURS, "", name):
                pipe.scheme = scheme
                scores.append(f1(pipe, texts, types))
            print(f"{name:12}" + "".join(f"{score:8.4f}" for score in scores), flush=True)
    pipe.scheme = None


def load_teacher(name: str) -> Language:
    """A pipeline, shipped or in a folder, without what comes behind the entities."""
    path = Path(name) if Path(name).is_dir() else resource(f"pipelines/{name}")
    return spacy.load(path, exclude=["sentencizer", "mrca_relations"])


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with the data sets")
    parser.add_argument("--teacher", nargs="+", default=[], help="pipelines that annotate relation data")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write the pipeline to")
    parser.add_argument("--scheme", default="", choices=["", *SCHEMES], help="the scheme it follows (default: none)")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mixed-precision", action="store_true", help="compute in bfloat16")
    parser.add_argument("--choose", action="store_true", help="hold out the dev parts of all sets")
    options = parser.parse_args()
    texts, dev = read_sets(options.data, choose=options.choose)
    if options.teacher:
        teachers = [load_teacher(name) for name in options.teacher]
        texts += read_partial(options.data, teachers, dev, weight=SILVER)
    nlp = spacy.blank("en")
    pipe: EntityRecognizer = nlp.add_pipe("mrca_entities", config={"pretrained": None, "reader": None})
    fix_random_seed(options.seed)
    pipe.build(TYPES, schemes=SCHEMES, scheme=options.scheme)
    print(f"{len(texts):,} texts, {sum(p.numel() for p in pipe.network.parameters()):,} weights", flush=True)
    learn(pipe, texts, epochs=options.epochs, seed=options.seed, mixed=options.mixed_precision)
    pipe.network.half().float()  # which is stored at half the size
    nlp.to_disk(options.output)
    report(pipe, dev)
    print(f"-> {options.output}")


if __name__ == "__main__":
    main()
