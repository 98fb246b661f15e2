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
"""

import argparse
import gzip
import json
import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from training import command

import kgmrca
from kgmrca.corpora.annotated import hash_share, read_annotated, relation_labels
from kgmrca.ontology import load_ontology
from kgmrca.relations import get_plain_relations, set_relations
from kgmrca.triples.items import property_id
from kgmrca.wikidata.disambiguation import (
    Entity,
    EntityGroup,
    EntityPair,
    LinkKnowledge,
    choose_items,
    neighbours,
)
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
