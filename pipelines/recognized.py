"""Write gold passages once more, with the entities that are found in them instead of their own.

    python recognized.py build/passages redocred -o build/recognized

What learns facts on gold entities alone is surprised by those that it is given later: other spans, other types, names
that nobody put together. So it learns on both. An entity that was found stands for the gold one with which it shares
most mentions, and has its facts. Entities that stand for none have no facts.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import spacy
from document_sets import Passage, is_pronoun, read_passages, write_passages
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.entities import get_plain_entities

__all__ = ["recognized"]


def recognized(passages: Iterable[Passage], nlp: Language) -> Iterator[Passage]:
    """The passages with the entities that a pipeline finds.

    Args:
        passages: gold ones.
        nlp: it sets entities and, if it can, clusters.
    """
    read = nlp.pipe(((Doc(nlp.vocab, words=passage["words"]), passage) for passage in passages), as_tuples=True)
    for doc, passage in read:
        gold = {(first, end): entity for first, end, entity, *_ in passage["mentions"]}
        plain = get_plain_entities(doc)
        mentions = []
        shared: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for (first, end), entity, is_name in zip(
            plain.mentions.tolist(), plain.entity.tolist(), plain.is_name.tolist(), strict=True
        ):
            kind = 0 if is_name else 1 if is_pronoun(doc[first:end].text) else 2
            mentions.append([first, end, entity, plain.types[entity], kind])
            if (first, end) in gold:
                shared[entity][gold[first, end]] += 1
        stand_for: defaultdict[int, list[int]] = defaultdict(list)
        for entity, counts in shared.items():
            stand_for[counts.most_common(1)[0][0]].append(entity)
        facts = [
            [subject, object_, label, score]
            for gold_subject, gold_object, label, score in passage["facts"]
            for subject in stand_for[gold_subject]
            for object_ in stand_for[gold_object]
        ]
        yield {**passage, "mentions": mentions, "facts": facts, "evidence": []}


def main() -> None:
    """Write the passages of a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("passages", type=Path, help="the folder with the passages")
    parser.add_argument("sets", nargs="+", help="files of it, without .jsonl.gz")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    options = parser.parse_args()
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_entities")
    nlp.add_pipe("coreference")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.sets:
        write_passages(options.output / f"{name}.jsonl.gz", recognized(read_passages(options.passages, name), nlp))


if __name__ == "__main__":
    main()
