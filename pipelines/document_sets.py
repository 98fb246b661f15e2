"""Write what facts are learned from as passages: words, entities with all their mentions, and scores of facts.

    python document_sets.py ../data en_kgmrca_sm -o passages

A passage is a JSON object, one on a line:

    {"id": "Marie Curie", "set": "redocred", "words": ["Curie", "lived", "in", "Paris", "."], "sents": [0],
     "mentions": [[0, 1, 0, "PER", 0], [3, 4, 1, "LOC", 0]],
     "facts": [[0, 1, "residence", 1.0]],
     "complete": ["residence"], "scored": "all"}

- `words` are clean words (`encoder.windows.read_tokens`), and `sents` are the numbers of the first words of sentences.
- A mention has its first word, its end, its entity, the entity's type, and 0 for a name or 1 for another mention.
- A fact has subject, object, label and score. A score of 1 is gold. Less is the guess of a teacher. What is not listed
  has the score 0.
- `complete` are the labels that the data set annotates completely. Of other labels all that is not gold is a guess.
- `scored` says of which pairs something is known: "all", or those with mentions in one "sentence".

The documents of Re-DocRED are gold. Sentences that name only some facts get all others from a pipeline for sentences,
and so do texts without facts (Wikipedia passages of GAP, the documents of GUM). The names that a set does not mark are
found by `mrca_entities`, and who is who is found by `coreference`.

A tenth of each set, by the hash of its ids, is held out. What is left does not have a sentence that is also in a part
that is held out or tested on, regardless of case and punctuation.
"""

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import spacy
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from kgmrca.corpora.annotated import (
    ENTITIES,
    UNTYPED,
    exhaustively_annotated,
    hash_share,
    read_annotated,
    relation_labels,
)
from kgmrca.corpora.documents import ID
from kgmrca.entities import get_plain_entities
from kgmrca.extraction.encoder.forms import clean_word
from kgmrca.extraction.encoder.windows import cut, read_tokens
from kgmrca.extraction.relations.component import MRCARelations, load, relation_pipe
from kgmrca.relations import get_plain_relations
from kgmrca.resources import resource
from kgmrca.types import coarse_type

DEV_SHARE = 0.1

THRESHOLD = 0.02
"""The score from which the guesses of a teacher are written."""

MAX_WORDS = 320
"""A longer text becomes several passages."""

SENTENCES = {
    "wiki80": ["wiki80/train.jsonl.gz", "wiki80/dev.jsonl.gz"],
    "fewrel": ["fewrel_val/dev.jsonl.gz"],
    "text2kg": ["text2kg_wikidata/train.jsonl.gz"],
    "knowledgenet": ["knowledgenet/train.jsonl.gz"],
    "crossner": ["ner_crossner/train.jsonl.gz", "ner_crossner/dev.jsonl.gz"],
    "wikigold": ["ner_wikigold/all.jsonl.gz"],
    "ewt": ["ner_uner_ewt/dev.jsonl.gz"],
}
"""Sets of single sentences. The last three have entities only."""

TESTED = [
    "redocred/documents.test.jsonl.gz",
    "text2kg_wikidata/dev.jsonl.gz",
    "ner_gum/dev.jsonl.gz",
    "ner_btc/test.jsonl.gz",
    "ner_wnut17/test.jsonl.gz",
    "ner_uner_ewt/test.jsonl.gz",
    "ner_litbank/dev.jsonl.gz",
    "ner_crossner/test.jsonl.gz",
    "coref_gap/dev.jsonl.gz",
    "coref_gap/test_a.jsonl.gz",
]
"""What no passage may have a sentence of."""

_PARTLY_HELD_OUT = [*SENTENCES["wiki80"], *SENTENCES["fewrel"], *SENTENCES["text2kg"], *SENTENCES["knowledgenet"]]

_PERSONS = frozenset({"i", "me", "my", "he", "him", "his", "she", "her", "hers", "who"})

Passage = dict[str, Any]


# What may be trained on.


def is_held_out(ident: str) -> bool:
    """Whether a document or sentence is in the tenth that is used for choices."""
    return hash_share(ident) < DEV_SHARE


def letters(text: str) -> str:
    """A text without case, spaces and punctuation, in which copies may differ."""
    return "".join(filter(str.isalnum, text.casefold()))


def held_out_sentences(data: Path, splitter: Language) -> set[str]:
    """The letters of the sentences that are tested on or used for choices; short ones are alike by chance."""
    found: set[str] = set()
    for file in [*TESTED, *_PARTLY_HELD_OUT, "redocred/documents.dev.jsonl.gz"]:
        for record in _lines(data / file):
            if file in TESTED or is_held_out(record.get("id") or record["title"]):
                found.update(map(letters, _sentences(record, splitter)))
    return {text for text in found if len(text) > 20}


def _sentences(record: Mapping[str, Any], splitter: Language) -> Iterator[str]:
    if "text" in record:
        yield from (sentence.text for sentence in splitter(record["text"]).sents)
    else:
        yield from map(" ".join, record["sents"] if "sents" in record else [record["tokens"]])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


# Gold documents.


def gold_document(record: Mapping[str, Any], labels: Mapping[str, str]) -> Passage:
    """A document of DocRED as a passage; "evidence" has the sentences that tell what holds of a pair.

    >>> passage = gold_document(
    ...     {
    ...         "title": "Curie",
    ...         "sents": [["Curie", "lived", "in", "Paris", "."]],
    ...         "vertexSet": [
    ...             [{"sent_id": 0, "pos": [0, 1], "type": "PER"}],
    ...             [{"sent_id": 0, "pos": [3, 4], "type": "LOC"}],
    ...         ],
    ...         "labels": [{"h": 0, "t": 1, "r": "P551", "evidence": [0]}],
    ...     },
    ...     {"P551": "residence"},
    ... )
    >>> passage["mentions"], passage["facts"], passage["evidence"]
    ([[0, 1, 0, 'PER', 0], [3, 4, 1, 'LOC', 0]], [[0, 1, 'residence', 1.0]], [[0, 1, [0]]])
    """
    words: list[str] = []
    starts: list[int] = []
    places: list[list[int]] = []  # for each released token its place among the clean words
    for sentence in record["sents"]:
        starts.append(len(words))
        places.append([])
        for word in map(clean_word, sentence):
            places[-1].append(len(words))
            words += [word] * bool(word)
        places[-1].append(len(words))
    mentions = {
        (places[mention["sent_id"]][mention["pos"][0]], places[mention["sent_id"]][mention["pos"][1]], number): mention
        for number, entity in enumerate(record["vertexSet"])
        for mention in entity
    }
    evidence: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for fact in record["labels"]:
        evidence[fact["h"], fact["t"]].update(fact.get("evidence") or ())
    return {
        "id": record["title"],
        "set": "redocred",
        "words": words,
        "sents": starts,
        "mentions": [
            [*place, coarse_type(mention["type"]), 0]
            for place, mention in sorted(mentions.items())
            if place[0] < place[1]
        ],
        "facts": [
            [subject, object_, label, 1.0]
            for subject, object_, label in sorted(
                {(fact["h"], fact["t"], labels[fact["r"]]) for fact in record["labels"]}
            )
        ],
        "complete": sorted(set(labels.values())),
        "scored": "all",
        "evidence": [[*pair, sorted(sentences)] for pair, sentences in sorted(evidence.items()) if sentences],
    }


# Docs with entities as passages.


def passages_of(doc: Doc, source: str, facts: Mapping[tuple[int, int, str], float], **known: Any) -> Iterator[Passage]:
    """A Doc as a passage, or as several if it is long.

    Args:
        source: the name of its set.
        facts: subject, object (numbers of entities as in `entities.get_plain_entities`) and label -> score.
        known: what else the passages say.
    """
    tokens = read_tokens([doc])
    words = [tokens.words[number] for number in tokens.word.tolist()]
    row = np.searchsorted(tokens.token, np.arange(len(doc) + 1))  # for each token of the Doc its place among the words
    plain = get_plain_entities(doc)
    rows = row[plain.mentions]
    kinds = [
        int(not is_name or is_pronoun(doc[first:last].text))
        for (first, last), is_name in zip(plain.mentions.tolist(), plain.is_name.tolist(), strict=True)
    ]
    starts = row[[sentence.start for sentence in doc.sents]]
    windows = cut(tokens, MAX_WORDS).tolist()
    for number, (start, end) in enumerate(windows):
        numbers: dict[int, int] = {}
        mentions = [
            [first - start, last - start, numbers.setdefault(entity, len(numbers)), plain.types[entity], kind]
            for (first, last), entity, kind in zip(rows.tolist(), plain.entity.tolist(), kinds, strict=True)
            if start <= first < last <= end
        ]
        yield {
            "id": doc.user_data[ID] + (f"#{number}" if len(windows) > 1 else ""),
            "set": source,
            "words": words[start:end],
            "sents": sorted({0, *(starts[(start <= starts) & (starts < end)] - start).tolist()}),
            "mentions": mentions,
            "facts": [
                [numbers[subject], numbers[object_], label, score]
                for (subject, object_, label), score in sorted(facts.items())
                if subject in numbers and object_ in numbers
            ],
            **known,
        }


class Annotator:
    """Finds entities and who is who in gold Docs, and scores the facts of their sentences."""

    def __init__(self, relations: MRCARelations) -> None:
        self.nlp = spacy.blank("en", vocab=relations.vocab)
        self.nlp.add_pipe("sentencizer")
        self.nlp.add_pipe("mrca_entities")
        self.nlp.add_pipe("coreference")
        self.relations = relations

    def sentences(self, gold: Sequence[Doc], source: str) -> Iterator[Passage]:
        """Gold sentences as passages, with their gold facts and the guesses of the pipeline."""
        found = list(self.nlp.get_pipe("mrca_entities").pipe(map(_blank, gold), batch_size=64))
        places = typical_types(gold, found)
        docs = (merge(given, doc, places) for given, doc in zip(gold, found, strict=True))
        pairs = zip(gold, self.nlp.get_pipe("coreference").pipe(docs, batch_size=64), strict=True)
        for batch in minibatch(pairs, 64):
            for (given, doc), facts in zip(batch, self._score([doc for _, doc in batch]), strict=True):
                complete = sorted(exhaustively_annotated(given) or ())
                facts = with_gold(given, doc, facts)
                yield from passages_of(doc, source, facts, complete=complete, scored="all")

    def texts(self, docs: Iterable[Doc], source: str, held_out: set[str]) -> Iterator[Passage]:
        """Texts without facts as passages, with the guesses of the pipeline for pairs that share a sentence."""
        for batch in minibatch(self.nlp.pipe(docs, batch_size=16), 16):
            kept = [doc for doc in batch if held_out.isdisjoint(letters(sentence.text) for sentence in doc.sents)]
            for doc, facts in zip(kept, self._score(kept), strict=True):
                yield from passages_of(doc, source, facts, complete=[], scored="sentence")

    def _score(self, docs: Sequence[Doc]) -> list[dict[tuple[int, int, str], float]]:
        """The guesses for the pairs of entities of each Doc: the best of their mentions in one sentence."""
        facts: list[dict[tuple[int, int, str], float]] = [{} for _ in docs]
        candidates, scores = self.relations.predict(docs)
        entity_at = [entities_at(doc) for doc in docs]
        pair, label = np.nonzero(scores >= THRESHOLD)
        for number, (a, b, c, d), name, score in zip(
            candidates.doc[candidates.pairs[pair, 0]].tolist(),
            candidates.arguments(pair).tolist(),
            label.tolist(),
            scores[pair, label].tolist(),
            strict=True,
        ):
            ends = [entity_at[number].get(place) for place in ((a, b), (c, d))]
            if None not in ends and ends[0] != ends[1]:
                key = (*ends, self.relations.labels[name])
                facts[number][key] = max(facts[number].get(key, 0.0), round(score, 3))
        return facts


def entities_at(doc: Doc) -> dict[tuple[int, int], int]:
    """Start and end (characters) of a mention -> the number of its entity."""
    plain = get_plain_entities(doc)
    return dict(zip(map(tuple, plain.characters.tolist()), plain.entity.tolist(), strict=True))


def typical_types(gold: Sequence[Doc], found: Sequence[Doc]) -> dict[tuple[str, int], str]:
    """The type that is found most often for subjects (0) and objects (1) of gold facts: (label, 0 or 1) -> type."""
    counts: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for given, doc in zip(gold, found, strict=True):
        for label, place, start, end in _arguments(given):
            counts[label, place][_found_type(doc.char_span(start, end, alignment_mode="expand"))] += 1
    for types in counts.values():
        del types[""]
    return {key: types.most_common(1)[0][0] for key, types in counts.items() if types}


def _arguments(given: Doc) -> Iterator[tuple[str, int, int, int]]:
    for a, b, c, d, label, _ in get_plain_relations(given) or ():
        yield label, 0, a, b
        yield label, 1, c, d


def _found_type(span: Span) -> str:
    """The most frequent type of a span's tokens, "" if they are no entity."""
    types = Counter(token.ent_type_ for token in span if token.ent_type_)
    return types.most_common(1)[0][0] if types else ""


def merge(given: Doc, found: Doc, places: Mapping[tuple[str, int], str]) -> Doc:
    """A Doc of the same words with the gold entities, and those that were found beside them.

    A gold entity without a type gets that of what was found in its place; else TERM if it is in lower case; else what
    is typical of its place in a fact; else MISC.
    """
    doc = _blank(given)
    place_of = {(start, end): (label, place) for label, place, start, end in _arguments(given)}
    kept = []
    for span in given.ents:
        kind = coarse_type(span.label_)
        if is_pronoun(span.text):
            kind = "PER" if span.text.lower() in _PERSONS else "MISC"
        elif kind in (UNTYPED, "MISC"):
            is_term = span.text == span.text.lower() and not any(map(str.isdigit, span.text))
            typical = places.get(place_of.get((span.start_char, span.end_char), ("", 0)))
            kind = _found_type(found[span.start : span.end]) or ("TERM" if is_term else typical or "MISC")
        kept.append(Span(doc, span.start, span.end, label=kind))
    taken = {token for span in kept for token in range(span.start, span.end)}
    free = [span for span in found.ents if taken.isdisjoint(range(span.start, span.end))]
    doc.set_ents([*kept, *(Span(doc, span.start, span.end, label=span.label_) for span in free)])
    return doc


def is_pronoun(text: str) -> bool:
    """Whether a mention is no name: data sets mark pronouns where a fact holds of them.

    >>> is_pronoun("He"), is_pronoun("US")
    (True, False)
    """
    return text.lower() in STOP_WORDS and not text.isupper()


def _blank(given: Doc) -> Doc:
    doc = Doc(
        given.vocab,
        words=[token.text for token in given],
        spaces=[bool(token.whitespace_) for token in given],
        sent_starts=[token.is_sent_start for token in given],
    )
    doc.user_data[ID] = given.user_data[ID]
    return doc


def with_gold(given: Doc, doc: Doc, guesses: Mapping[tuple[int, int, str], float]) -> dict[tuple[int, int, str], float]:
    """The guesses for a Doc, corrected by what its gold Doc says: what holds has the score 1, what does not none."""
    entity_at = entities_at(doc)
    marked = {entity_at.get((span.start_char, span.end_char)) for span in given.spans[ENTITIES]}
    complete = exhaustively_annotated(given) or frozenset()
    facts = {
        (subject, object_, label): score
        for (subject, object_, label), score in guesses.items()
        if not (label in complete and {subject, object_} <= marked)
    }
    for a, b, c, d, label, _ in get_plain_relations(given) or ():
        subject, object_ = entity_at.get((a, b)), entity_at.get((c, d))
        if subject is not None and object_ is not None and subject != object_:
            facts[subject, object_, label] = 1.0
    return facts


# Reading and writing.


def read_sentences(data: Path, name: str, nlp: Language, held_out: set[str]) -> Iterator[Doc]:
    """The gold Docs of a set of sentences that may be trained on."""
    for file in SENTENCES[name]:
        mapping = resource("ontologies/knowledgenet.sssom.tsv") if name == "knowledgenet" else None
        labels = relation_labels(data / file, mapping)
        for doc in read_annotated(data / file, nlp.vocab, labels=labels, partial=mapping is None):
            is_for_choices = file in _PARTLY_HELD_OUT and is_held_out(doc.user_data[ID])
            if not is_for_choices and letters(doc.text) not in held_out:
                yield doc


def read_gap(data: Path, nlp: Language) -> Iterator[Doc]:
    """The training passages of GAP whose page is no document of Re-DocRED."""
    splits = ("dev", "test")
    pages = {
        letters(record["title"]) for split in splits for record in _lines(data / f"redocred/documents.{split}.jsonl.gz")
    }
    for record in _lines(data / "coref_gap/train.jsonl.gz"):
        if letters(unquote(record["url"].rpartition("/")[2])) not in pages:
            doc = nlp.make_doc(record["text"].replace("''", '"'))
            doc.user_data[ID] = record["id"]
            yield doc


def read_gum(data: Path, nlp: Language) -> Iterator[Doc]:
    """The training documents of GUM, words and sentences only."""
    for record in _lines(data / "coref_gum/train.jsonl.gz"):
        doc = Doc(
            nlp.vocab,
            words=list(chain.from_iterable(record["sentences"])),
            spaces=list(chain.from_iterable(record["space_after"])),
            sent_starts=[number == 0 for sentence in record["sentences"] for number in range(len(sentence))],
        )
        doc.user_data[ID] = record["id"]
        yield doc


def read_passages(folder: Path, name: str) -> Iterator[Passage]:
    """The passages of a set."""
    yield from _lines(folder / f"{name}.jsonl.gz")


def write_passages(path: Path, passages: Iterable[Passage]) -> None:
    """Write passages with at least two entities."""
    count = facts = 0
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        for passage in passages:
            if len({entity for _, _, entity, *_ in passage["mentions"]}) > 1:
                lines.write(json.dumps(passage, ensure_ascii=False) + "\n")
                count, facts = count + 1, facts + len(passage["facts"])
    print(f"{path}: {count:,} passages, {facts:,} facts", flush=True)


def main() -> None:
    """Write the passages of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder with the data sets")
    parser.add_argument("pipeline", help="a pipeline whose mrca_relations scores the facts of sentences")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    annotator = Annotator(relation_pipe(load(options.pipeline))[1])
    held_out = held_out_sentences(options.data, annotator.nlp)
    file = options.data / "redocred" / "documents.dev.jsonl.gz"
    labels = {name: mapped.label for name, mapped in relation_labels(file).items() if mapped}
    for part, is_dev in (("redocred", False), ("redocred.dev", True)):
        records = (record for record in _lines(file) if is_held_out(record["title"]) == is_dev)
        write_passages(options.output / f"{part}.jsonl.gz", (gold_document(record, labels) for record in records))
    for name in SENTENCES:
        gold = list(read_sentences(options.data, name, annotator.nlp, held_out))
        write_passages(options.output / f"{name}.jsonl.gz", annotator.sentences(gold, name))
    for name, read in (("gap", read_gap), ("gum", read_gum)):
        texts = annotator.texts(read(options.data, annotator.nlp), name, held_out)
        write_passages(options.output / f"{name}.jsonl.gz", texts)


if __name__ == "__main__":
    main()
