"""Measure how often entities are linked to the right Wikidata item.

    python benchmarks/linking.py --data DATA

DATA has `wiki80/` and `wikidata_sample/wikidata.nt.gz`. Each sentence of wiki80 has two entities with their items and
one relation. Gold entities and types are used. The candidates for an entity are the items of the sample with its name
as label or alias. The relations are predicted by the shipped pipeline ("balanced"), except in the row "gold
relations". The answered share is that of the entities that are linked, and accuracy is the share of right links among
these. An entity is ambiguous if several items of the sample have its name.

Two properties of the sample make this easier than all of Wikidata. First, these sentences were chosen for their facts,
and the sample has these facts, so the right pair of items is always connected: in the row "own fact removed" the fact
of the sentence is removed. Second, the pipeline was trained on nine tenths of these sentences: the row "held out" has
the others.

The weights were chosen on the part "train"; `--part train` prints its figures.

Then names of GUM's documents are linked in a sample of Wikidata that has dozens of items for each, and not the facts of
the texts; `namesakes.py` says how it was made. Types are GUM's, and so is which names of a document mean the same,
except in the row "each name alone". Weights and limits were chosen on the other documents (`linking_weights.py`).
"answered" is the share of all entities, some of whose items the sample does not have, and "of those in it" that of the
entities whose item has the name in the sample. The calibration error is the mean difference between how probable the
best items were said to be and how many of them are right, over ten bins (expected calibration error).
"""

import argparse
import gzip
import json
import tempfile
import time
from bisect import bisect_right
from collections import ChainMap, Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from namesakes import Document, Mention, is_test, write_sample
from training import command

import kgmrca
from kgmrca.corpora.annotated import hash_share, read_annotated, relation_labels
from kgmrca.ontology import load_ontology
from kgmrca.relations import get_plain_relations, set_relations
from kgmrca.triples.items import property_id
from kgmrca.wikidata import disambiguation
from kgmrca.wikidata.disambiguation import (
    COLUMNS,
    MARGIN,
    MIN_PROBABILITY,
    Entity,
    EntityGroup,
    EntityPair,
    LinkDecision,
    LinkKnowledge,
    Weights,
    choose_items,
    neighbours,
)
from kgmrca.wikidata.evidence import DATES
from kgmrca.wikidata.link_lookups import look_up
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint

LANGUAGES = ("en", "mul")


class Sentence(NamedTuple):
    """A sentence: its entities, their items, the pairs with a relation, and whether it was held out from training."""

    entities: list[Entity]
    items: list[str]
    predicted: list[EntityPair]
    gold: list[EntityPair]
    is_held_out: bool


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the folder of the data")
    parser.add_argument("--part", default="dev", choices=("train", "dev"), help="of wiki80")
    options = parser.parse_args()
    sentences = list(read(options.data / "wiki80" / f"{options.part}.jsonl.gz"))
    endpoint = open_endpoint(options.data / "wikidata_sample" / "wikidata.nt.gz")
    with Lookups(endpoint, cache=None) as lookups:
        started = time.process_time()
        groups = [group(one, [*one.predicted, *neighbours([0, 1])]) for one in sentences]
        knowledge = look_up(groups, lookups, languages=LANGUAGES)
        asked = time.process_time()
        for one in groups:
            choose_items(one, knowledge)
        decided = time.process_time()
        print(
            f"{len(groups):,} sentences: {endpoint.queries} queries; seconds of CPU: {asked - started:.1f} to ask, "
            f"with reading the file, and {decided - asked:.1f} to decide\n"
        )
        print_rows(sentences, lookups)
    print_hard_rows(options.data)


def read(path: Path) -> Iterator[Sentence]:
    """The sentences of a part of wiki80 with the relations that the shipped pipeline predicts."""
    nlp = kgmrca.load()
    pipe = nlp.get_pipe("mrca_relations")
    labels, ontology = relation_labels(path), load_ontology()

    def property_for(label: str) -> str | None:
        return property_id(ontology.predicate(label) or label)

    docs = []
    for doc in read_annotated(path, nlp.vocab, labels=labels):
        set_relations(doc, None)
        docs.append(doc)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line, doc in zip(lines, pipe.pipe(docs), strict=True):
            record = json.loads(line)
            entities = record["entities"]
            spans = [doc[one["start"] : one["end"]] for one in entities]
            number = {(span.start_char, span.end_char): place for place, span in enumerate(spans)}
            yield Sentence(
                entities=[Entity(one["text"], one["type"]) for one in entities],
                items=[one["qid"] for one in entities],
                predicted=[
                    EntityPair(number[a, b], number[c, d], property_for(label), score)
                    for a, b, c, d, label, score in get_plain_relations(doc) or ()
                ],
                gold=[
                    EntityPair(one["subject"], one["object"], property_for(labels[one["predicate"]].label))  # type: ignore[union-attr]
                    for one in record["relations"]
                ],
                is_held_out=hash_share(record["id"]) < 0.1,
            )


def group(sentence: Sentence, pairs: Iterable[EntityPair]) -> EntityGroup:
    """A sentence with the pairs of entities that are used for linking."""
    return EntityGroup(sentence.entities, list(pairs))


def print_rows(sentences: Sequence[Sentence], lookups: Lookups) -> None:
    """Print one row for each set of features that linking uses."""
    choices: dict[str, Callable[[Sentence], list[EntityPair]]] = {
        "names and types alone": lambda one: [],
        "and predicted relations": lambda one: one.predicted,
        "and sharing a sentence": lambda one: neighbours([0, 1]),
        "both (the default)": lambda one: [*one.predicted, *neighbours([0, 1])],
        "gold relations": lambda one: one.gold,
    }
    default = choices["both (the default)"]
    held_out = [one for one in sentences if one.is_held_out]
    print(f"{'':<32}{'ambiguous':>24}{'all':>33}")
    print(f"{'':<32}{'accuracy':>12}{'answered':>12}{'of':>9}{'accuracy':>12}{'answered':>12}{'of':>9}")
    for name, pairs in choices.items():
        print_row(name, sentences, pairs, lookups)
    print_row("the default, held out", held_out, default, lookups)
    print_row("the default, own fact removed", sentences, default, lookups, without_own_fact=True)


def print_row(
    name: str,
    sentences: Sequence[Sentence],
    pairs: Callable[[Sentence], list[EntityPair]],
    lookups: Lookups,
    *,
    without_own_fact: bool = False,
) -> None:
    """Link the entities of all sentences and print the figures."""
    groups = [group(one, pairs(one)) for one in sentences]
    knowledge = look_up(groups, lookups, languages=LANGUAGES)
    counts = {True: [0, 0, 0], False: [0, 0, 0]}  # right, answered, all; of ambiguous names and of the others
    for one, tied in zip(sentences, groups, strict=True):
        known = without_facts(one, knowledge) if without_own_fact else knowledge
        for entity, item, decision in zip(one.entities, one.items, choose_items(tied, known), strict=True):
            count = counts[len(knowledge.candidates[entity.name]) > 1]  # type: ignore[arg-type]
            count[0] += decision.item == item
            count[1] += decision.item is not None
            count[2] += 1
    cells = ""
    for right, answered, total in (counts[True], map(sum, zip(*counts.values(), strict=True))):
        cells += f"{right / answered:>12.3f}" if answered else f"{'-':>12}"
        cells += f"{answered / total:>12.3f}{total:>9,}"
    print(f"{name:<32}{cells}")


class Linking(NamedTuple):
    """A document of the hard sample: its entities, and the item of each; "" where it is not known."""

    document: Document
    group: EntityGroup
    items: list[str]


class Linked(NamedTuple):
    """The decision about an entity of the hard sample, and which candidate is right: its place from 1, or 0."""

    decision: LinkDecision
    place: int
    is_in_sample: bool

    @property
    def is_right(self) -> bool:
        """Whether the best candidate is right."""
        return self.place == 1


def linking(document: Document, *, alone: bool = False, text: bool = True) -> Linking:
    """What is to be linked in a document of the hard sample.

    Args:
        document: as `namesakes.write_sample` returns it.
        alone: whether each name of the document is an entity; otherwise those with one item are.
        text: whether the text is known, and not only the names.
    """
    starts = [*sorted(document.sentence_starts), len(document.words)]
    sentences = [document.text(Mention(start, end, "", "")) for start, end in pairwise(starts)]
    groups: dict[str, list[Mention]] = defaultdict(list)
    in_sentences: dict[int, list[str]] = defaultdict(list)
    for mention in document.mentions:
        name = document.text(mention).casefold()
        key = f"{name} {mention.item}" if alone or not mention.item else mention.item
        groups[key].append(mention)
        in_sentences[bisect_right(starts, mention.start) - 1].append(key)
    entities = []
    for mentions in groups.values():
        name, *others = sorted(dict.fromkeys(map(document.text, mentions)), key=len, reverse=True)
        places = dict.fromkeys(bisect_right(starts, one.start) - 1 for one in mentions)
        entities.append(
            Entity(
                name,
                Counter(one.type for one in mentions).most_common(1)[0][0],
                sentences="\n".join(sentences[place] for place in places) if text else "",
                others=tuple(others),
            )
        )
    numbers = {key: number for number, key in enumerate(groups)}
    pairs = [pair for keys in in_sentences.values() for pair in neighbours([numbers[key] for key in keys])]
    group = EntityGroup(entities, pairs, "\n".join(sentences) if text else "")
    return Linking(document, group, [mentions[0].item for mentions in groups.values()])


@contextmanager
def weighted(weights: Weights, *, sharpness: float, none: float) -> Iterator[None]:
    """Link with other weights for a while."""
    before = disambiguation.WEIGHTS, disambiguation.SHARPNESS, disambiguation.NONE_OF_THESE
    disambiguation.WEIGHTS, disambiguation.SHARPNESS, disambiguation.NONE_OF_THESE = weights, sharpness, none
    try:
        yield
    finally:
        disambiguation.WEIGHTS, disambiguation.SHARPNESS, disambiguation.NONE_OF_THESE = before


def linked_names(documents: Sequence[Linking], lookups: Lookups) -> list[Linked]:
    """The decisions about the entities whose item is known, however unsure they are."""
    groups = [one.group for one in documents]
    knowledge = look_up(groups, lookups, languages=LANGUAGES)
    found = []
    for one in documents:
        decisions = choose_items(one.group, knowledge, min_probability=0.0, margin=0.0)
        for entity, item, decision in zip(one.group.entities, one.items, decisions, strict=True):
            if item:
                items = [candidate for candidate, _ in decision.candidates]
                named = {candidate.item for candidate in knowledge.candidates[entity.name]}  # type: ignore[union-attr]
                place = 1 + items.index(item) if item in items else 0
                found.append(Linked(decision, place, item in named))
    return found


_BY_HAND = Weights()._replace(
    **dict.fromkeys((*COLUMNS, *DATES), 0.0) | {"sitelinks": 0.5, "type_agrees": 1.0, "type_differs": -2.0}
)
"""The weights before there was this sample."""


def print_hard_rows(data: Path) -> None:
    """Print how names are linked that dozens of items have."""
    print(
        f"\n{'names of dozens of items':<46}{'accuracy':>10}{'answered':>10}{'of those in it':>16}{'of':>7}{'error':>9}"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wikidata.nt"
        documents = [one for one in write_sample(file, data) if is_test(one)]
        entities = list(map(linking, documents))
        with Lookups(open_endpoint(file), cache=None) as lookups:
            with weighted(_BY_HAND, sharpness=1.0, none=0.0):
                print_hard_row("names, types, sitelinks; by hand", linked_names(entities, lookups), 0.6)
            found = linked_names(entities, lookups)
            print_hard_row("the default", found)
            for limit in (0.5, 0.6, 0.7, 0.9):
                print_hard_row(f"the default, --min-probability {limit}", found, limit)
            alone = [linking(one, alone=True) for one in documents]
            print_hard_row("the default, each name alone", linked_names(alone, lookups))
            without_text = [linking(one, text=False) for one in documents]
            print_hard_row("the default, names without the text", linked_names(without_text, lookups))
        write_sample(file, data, well_known=True)
        with Lookups(open_endpoint(file), cache=None) as lookups:
            print_hard_row("the default, namesakes better known", linked_names(entities, lookups))


def print_hard_row(name: str, found: Sequence[Linked], limit: float = MIN_PROBABILITY) -> None:
    """Print the figures of some decisions, if links need at least the probability `limit`."""
    best = np.array([[share for _, share in (*one.decision.candidates, ("", 0.0), ("", 0.0))[:2]] for one in found])
    right = np.array([one.is_right for one in found])
    linked = (best[:, 0] >= limit) & (best[:, 0] - best[:, 1] >= MARGIN)
    in_sample = sum(one.is_in_sample for one in found)
    bins = np.minimum(best[:, 0] * 10, 9).astype(int)
    error = sum(abs(best[bins == one, 0].sum() - right[bins == one].sum()) for one in range(10)) / len(found)
    print(
        f"{name:<46}{right[linked].mean() if linked.any() else float('nan'):>10.3f}{linked.mean():>10.3f}"
        f"{linked.sum() / in_sample:>16.3f}{len(found):>7,}{error:>9.3f}"
    )


def without_facts(sentence: Sentence, knowledge: LinkKnowledge) -> LinkKnowledge:
    """The knowledge of Wikidata without the fact that is annotated in the sentence."""
    connections = dict[tuple[str, str], frozenset[str]]()
    for pair in sentence.gold:
        ends = sentence.items[pair.subject], sentence.items[pair.object]
        found = knowledge.connections.get(ends)
        if isinstance(found, frozenset):
            connections[ends] = found - {pair.property or ""}
    return replace(knowledge, connections=ChainMap(connections, knowledge.connections))  # type: ignore[arg-type]


if __name__ == "__main__":
    command(main)
