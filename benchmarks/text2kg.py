"""Score triples from raw text as Text2KGBench does (Mihindukulasooriya et al., 2023).

    python benchmarks/text2kg.py --data DATA/text2kg_wikidata/dev.jsonl.gz
    python benchmarks/text2kg.py --data dev.jsonl.gz --pipeline training/model-best --threshold 0.1 --per-label
    python benchmarks/text2kg.py --ontology 1_movie_ontology.json --test ont_1_movie_test.jsonl \\
        --ground-truth ont_1_movie_ground_truth.jsonl -o movie.json
    python benchmarks/text2kg.py --ontology ... --test ... --ground-truth ... --predictions other_system.jsonl

A triple is right if its property and the strings of its subject and object are right, at any place in the text.
Strings are compared in lower case and without punctuation, white space and underscores; the scorer of the benchmark
keeps punctuation. Triples that are then equal count once. Dates that the package can read (`kgmrca.triples.literals`)
are compared by value: "01 January 1990" is equal to "January 1, 1990", but not to "1990". The number of gold triples
for which this matters is printed.

The subject and object of a prediction are the names of its entities, as a graph has them: the longest name of those
that the text calls one thing, and not "he".

--data takes sentences with some of their triples, in a format of `kgmrca corpus` with a `relations.tsv` beside the
file. Properties are compared by their Wikidata ids, or by their labels if one side has no id. A sentence states more
triples than are annotated, so precision has no meaning. The table has the recall of the annotated triples, averaged
over sentences, with a 95 % interval (percentiles of a bootstrap over sentences), and the number of predicted triples
per sentence, because predicting more triples raises recall. Lines with the same text are one sentence. Predictions
with relations that the data does not have are left out, because the benchmark gives its relations in advance; with
--all-relations they are kept. A second table has the reasons for missing triples; each counts for the first reason
that applies.

--ontology, --test and --ground-truth take files of the benchmark. The table has means over the sentences of the ground
truth, as the scorer of the benchmark does, and figures over all triples together. As in the benchmark, precision,
recall and F1 leave out predictions with relations that the gold triples of the sentence do not have; the figures for
"all relations" count them. Conformance is the share of predictions with a relation of the ontology, and relation
hallucination is the rest. Subject and object hallucination are the shares of predictions whose subject or object is
neither part of the sentence nor of the label of a concept. A sentence without predictions conforms and hallucinates
nothing. Two things differ from the scorer of the benchmark: words are not stemmed before, so that the hallucination of
subjects and objects can be higher; and a sentence that is not in --predictions counts as one without predictions. As
in the benchmark, "01 January" is not searched for, because it stands for a date of which only the year is known.
"""

import argparse
import csv
import gzip
import json
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm
from training import command

import kgmrca
from kgmrca.corpora.annotated import read_annotated
from kgmrca.entities import get_entities
from kgmrca.errors import InputError, ModelError
from kgmrca.ontology import load_ontology, wikidata_predicate
from kgmrca.relations import get_plain_relations
from kgmrca.resources import SHIPPED
from kgmrca.triples.literals import typed_literal

BATCH_SIZE = 64  # sentences
LIMITS = (1, 2, 3)  # predictions a sentence, of the table
SAMPLES = 2000  # of the bootstrap

UNKNOWN = "label not in the model's label set"
NEITHER = "neither subject nor object found as an entity"
NO_SUBJECT = "subject not found as an entity"
NO_OBJECT = "object not found as an entity"
NOT_GIVEN = "both found, relation not given"
BEYOND = "given, but beyond --limit"
REASONS = (UNKNOWN, NEITHER, NO_SUBJECT, NO_OBJECT, NOT_GIVEN, BEYOND)


# Strings and triples.


@dataclass(frozen=True, slots=True)
class Triple:
    """A triple as it was read or predicted.

    Attributes:
        iri: of its property, if that is known.
        score: how certain it is.
    """

    subject: str
    relation: str
    object: str
    iri: str | None = None
    score: float = 1.0


@dataclass(slots=True)
class Sentence:
    """A sentence with its gold triples, what was predicted, and the strings of the entities that were found."""

    text: str
    gold: list[Triple]
    predicted: list[Triple] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)


@cache
def normalise(text: str) -> str:
    """Lower case, without punctuation, white space and underscores; a text of nothing else stays as it is."""
    text = unicodedata.normalize("NFC", text)
    return re.sub(r"[\W_]", "", text.lower()) or text.strip()


@cache
def string_key(text: str, *, dates: bool = True) -> str:
    """What two strings share that are the same; `dates`: dates by value, as `triples.literals` reads them."""
    value, datatype = typed_literal(re.sub(r"[\s_,]+", " ", text), "DATE") if dates else (text, None)
    return value if datatype else normalise(text)


def same_relation(one: Triple, other: Triple) -> bool:
    """Whether the properties are the same: by IRI, by label where one has none."""
    if one.iri and other.iri:
        return one.iri == other.iri
    return normalise(one.relation) == normalise(other.relation)


def is_among(triple: Triple, others: Iterable[Triple], *, dates: bool = True) -> bool:
    """Whether one of the others is the same triple."""
    ends = _ends(triple, dates)
    return any(_ends(other, dates) == ends and same_relation(triple, other) for other in others)


def _ends(triple: Triple, dates: bool) -> tuple[str, str]:
    return string_key(triple.subject, dates=dates), string_key(triple.object, dates=dates)


def most_certain(triples: Iterable[Triple], limit: int | None = None) -> list[Triple]:
    """The distinct triples, at most so many, the most certain first."""
    kept: dict[tuple[str, str, str], Triple] = {}
    for triple in sorted(triples, key=lambda triple: -triple.score):
        subject, object_ = _ends(triple, True)
        kept.setdefault((subject, triple.iri or normalise(triple.relation), object_), triple)
    return list(kept.values())[:limit]


# Recall of named triples.


def merge_sentences(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Sentences with the same text as one that has the gold triples of all of them, each once."""
    merged: dict[str, Sentence] = {}
    for sentence in sentences:
        merged.setdefault(sentence.text, Sentence(sentence.text, [])).gold.extend(sentence.gold)
    return [replace(sentence, gold=most_certain(sentence.gold)) for sentence in merged.values()]


def recalls(sentences: Iterable[Sentence], *, limit: int | None = None) -> list[float]:
    """For each sentence that names a triple, the share of those named that were predicted."""
    found = []
    for sentence in sentences:
        if sentence.gold:
            kept = most_certain(sentence.predicted, limit)
            found.append(sum(is_among(gold, kept) for gold in sentence.gold) / len(sentence.gold))
    return found


def mean_predicted(sentences: Sequence[Sentence], *, limit: int | None = None) -> float:
    """How many distinct triples were predicted, the mean over the sentences that name one."""
    counts = [len(most_certain(sentence.predicted, limit)) for sentence in sentences if sentence.gold]
    return sum(counts) / len(counts) if counts else 0.0


def interval(values: Sequence[float], *, samples: int = SAMPLES, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean: percentiles of the means of samples drawn with replacement."""
    numbers, generator = np.asarray(values, np.float64), np.random.default_rng(seed)
    means = [generator.choice(numbers, len(numbers)).mean() for _ in range(samples)]
    low, high = np.percentile(means, [2.5, 97.5]).tolist()
    return low, high


def lost_at(sentence: Sentence, gold: Triple, *, labels: Collection[Triple] | None, limit: int | None) -> str | None:
    """The first of `REASONS` that holds for a gold triple, or None if it was predicted.

    Args:
        sentence: the one that the triple is of.
        gold: the triple.
        labels: what the model can give, as triples of which the property alone counts; None if that is not known.
        limit: how many predictions count.
    """
    if is_among(gold, most_certain(sentence.predicted, limit)):
        return None
    if is_among(gold, sentence.predicted):
        return BEYOND
    if labels is not None and not any(same_relation(gold, label) for label in labels):
        return UNKNOWN
    entities = {string_key(entity) for entity in sentence.entities}
    subject, object_ = (end in entities for end in _ends(gold, True))
    if subject and object_:
        return NOT_GIVEN
    return NO_OBJECT if subject else NO_SUBJECT if object_ else NEITHER


def changed_by_dates(sentences: Iterable[Sentence]) -> int:
    """How many gold triples are found only because dates are compared by value."""
    return sum(
        is_among(gold, sentence.predicted) and not is_among(gold, sentence.predicted, dates=False)
        for sentence in sentences
        for gold in sentence.gold
    )


def by_property(sentences: Iterable[Sentence], *, limit: int | None = None) -> dict[str, tuple[int, int]]:
    """Of each property, by its label, how many gold triples were found and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    for sentence in sentences:
        kept = most_certain(sentence.predicted, limit)
        for gold in sentence.gold:
            label = gold.relation.strip()
            found, there = counts.get(label, (0, 0))
            counts[label] = found + is_among(gold, kept), there + 1
    return counts


# The benchmark's own figures.


@dataclass(frozen=True)
class Vocabulary:
    """What an ontology of the benchmark has: relations by normalised label and by IRI, and labels of concepts."""

    relations: Mapping[str, str]
    by_iri: Mapping[str, str]
    concepts: Sequence[str]

    def named(self, triple: Triple) -> Triple | None:
        """The triple with the ontology's own label for its property; None if the ontology does not have that."""
        label = self.by_iri.get(triple.iri or "") or self.relations.get(normalise(triple.relation))
        return replace(triple, relation=label, iri=None) if label else None


@dataclass(frozen=True)
class Counts:
    """Of one sentence, or of several together: gold triples, predicted triples, and how many of these are what."""

    gold: int = 0
    predicted: int = 0
    closed: int = 0  # with a relation that the gold triples have
    right: int = 0
    conforming: int = 0
    strange_subjects: int = 0
    strange_objects: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


def count(sentence: Sentence, vocabulary: Vocabulary) -> Counts:
    """What the figures of a sentence are made from; relations are compared by label."""
    predicted = most_certain(replace(triple, iri=None) for triple in sentence.predicted)
    gold = most_certain(replace(triple, iri=None) for triple in sentence.gold)
    relations = {normalise(triple.relation) for triple in gold}
    sources = [normalise(text) for text in (sentence.text, *vocabulary.concepts)]

    def is_strange(text: str) -> bool:
        wanted = normalise(text).replace("01january", "")
        return not any(wanted in source for source in sources)

    return Counts(
        gold=len(gold),
        predicted=len(predicted),
        closed=sum(normalise(triple.relation) in relations for triple in predicted),
        right=sum(is_among(triple, predicted) for triple in gold),
        conforming=sum(normalise(triple.relation) in vocabulary.relations for triple in predicted),
        strange_subjects=sum(is_strange(triple.subject) for triple in predicted),
        strange_objects=sum(is_strange(triple.object) for triple in predicted),
    )


def figures(counts: Counts) -> dict[str, float]:
    """Shares from counts; 0 where there is nothing to divide by, but conformance is 1 then."""

    def share(part: int, whole: int) -> float:
        return part / whole if whole else 0.0

    conformance = share(counts.conforming, counts.predicted) if counts.predicted else 1.0
    return {
        "precision": share(counts.right, counts.closed),
        "recall": share(counts.right, counts.gold),
        "f1": share(2 * counts.right, counts.closed + counts.gold),
        "precision, all relations": share(counts.right, counts.predicted),
        "f1, all relations": share(2 * counts.right, counts.predicted + counts.gold),
        "ontology conformance": conformance,
        "relation hallucination": 1 - conformance,
        "subject hallucination": share(counts.strange_subjects, counts.predicted),
        "object hallucination": share(counts.strange_objects, counts.predicted),
    }


def score(sentences: Sequence[Sentence], vocabulary: Vocabulary) -> dict[str, dict[str, float]]:
    """The benchmark's figures, as `mean` over the sentences, of which there is at least one, and all `together`."""
    counts = [count(sentence, vocabulary) for sentence in sentences]
    each = [figures(some) for some in counts]
    return {
        "mean": {name: sum(some[name] for some in each) / len(each) for name in each[0]},
        "together": figures(sum(counts, Counts())),
    }


# Reading.


def read_named(path: Path) -> list[Sentence]:
    """The sentences of a data file with the triples they name; properties as the `relations.tsv` beside it says.

    Raises:
        InputError: one of the two cannot be read, or no triple is in them.
    """
    properties = read_properties(path.parent / "relations.tsv")
    sentences = []
    for doc in read_annotated(path, spacy.blank("en").vocab):
        gold = []
        for a, b, c, d, predicate, _ in get_plain_relations(doc) or ():
            label, iri = properties.get(predicate, (predicate, None))
            gold.append(Triple(doc.text[a:b], label, doc.text[c:d], iri))
        sentences.append(Sentence(doc.text, gold))
    if not any(sentence.gold for sentence in sentences):
        raise InputError(f"{path}: no sentence names a triple.")
    return merge_sentences(sentences)


def read_properties(path: Path) -> dict[str, tuple[str, str | None]]:
    """From the names of relations to their labels and the IRIs of their properties; nothing if there is no table.

    Raises:
        InputError: the table cannot be read, or a `wikidata_pid` is not one.
    """
    if not path.is_file():
        return {}
    found: dict[str, tuple[str, str | None]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            if "relation" not in (rows.fieldnames or ()):
                raise InputError(f"{path}, line 1: the column 'relation' is missing.")
            for row in rows:
                pid = (row.get("wikidata_pid") or "").strip()
                iri = wikidata_predicate(pid)
                if pid and iri is None:
                    raise InputError(f"{path}, line {rows.line_num}: '{pid}' is not a Wikidata property, such as P19.")
                found[row["relation"]] = row.get("label") or row["relation"], iri
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    return found


def read_vocabulary(path: Path) -> Vocabulary:
    """An ontology of the benchmark: `{"concepts": [{"qid", "label"}], "relations": [{"pid", "label", ...}]}`.

    Raises:
        InputError: the file is not such an ontology.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg}).") from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    labels: dict[str, list[str]] = {}
    for key in ("concepts", "relations"):
        items = content.get(key) if isinstance(content, dict) else None
        if not isinstance(items, list):
            raise InputError(f"{path}: not an ontology of the benchmark: the list '{key}' is missing.")
        for number, item in enumerate(items, start=1):
            if not isinstance(item, dict) or not isinstance(item.get("label"), str) or not item["label"].strip():
                raise InputError(f"{path}: number {number} of '{key}' has no 'label'.")
        labels[key] = [item["label"].strip() for item in items]
    relations: dict[str, str] = {}
    by_iri: dict[str, str] = {}
    for label, item in zip(labels["relations"], content["relations"], strict=True):
        relations.setdefault(normalise(label), label)
        if iri := wikidata_predicate(str(item.get("pid", "")).strip()):
            by_iri.setdefault(iri, label)
    return Vocabulary(relations, by_iri, labels["concepts"])


def read_test(path: Path) -> dict[str, str]:
    """The sentences of lines `{"id", "sent"}`, by id.

    Raises:
        InputError: names file and line and what is wrong with it.
    """
    return _by_id(path, _sentence_of)


def read_triples(path: Path) -> dict[str, list[Triple]]:
    """The triples of lines `{"id", "triples": [{"sub", "rel", "obj"}]}`, by id; `[sub, rel, obj]` is a triple too.

    Raises:
        InputError: names file and line and what is wrong with it.
    """
    return _by_id(path, _triples_of)


def _by_id(path: Path, make: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, line in _lines(path):
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            if not isinstance(record, dict):
                raise ValueError("not a JSON object")
            name = record.get("id")
            if not isinstance(name, str | int):
                raise ValueError("the key 'id' is missing" if name is None else "'id' is neither text nor an integer")
            if str(name) in found:
                raise ValueError(f"the id '{name}' is there twice")
            found[str(name)] = make(record)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}, line {number}: not JSON ({error.msg}, column {error.colno}).") from error
        except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
            raise InputError(f"{path}, line {number}: {error}.") from error
    return found


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def _sentence_of(record: dict[str, Any]) -> str:
    if not isinstance(record.get("sent"), str):
        raise ValueError("the key 'sent' is missing" if "sent" not in record else "'sent' is not text")
    record["sent"].encode("utf-8")  # half a surrogate pair, which JSON can hold, is no text
    return record["sent"]


def _triples_of(record: dict[str, Any]) -> list[Triple]:
    if not isinstance(record.get("triples"), list):
        raise ValueError("the key 'triples' is missing" if "triples" not in record else "'triples' is not a list")
    triples = []
    for number, item in enumerate(record["triples"], start=1):
        parts = [item.get(key) for key in ("sub", "rel", "obj")] if isinstance(item, dict) else item
        if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, str) for part in parts):
            raise ValueError(f"triple {number} is not three texts 'sub', 'rel' and 'obj'")
        triples.append(Triple(*parts))
    return triples


def read_benchmark(test: Path, ground_truth: Path) -> dict[str, Sentence]:
    """The sentences of the ground truth, by id.

    Raises:
        InputError: a file is broken, empty, or the two do not fit.
    """
    texts, gold = read_test(test), read_triples(ground_truth)
    if not gold:
        raise InputError(f"{ground_truth}: there is no line in it.")
    for name, triples in gold.items():
        if name not in texts:
            raise InputError(f"{ground_truth}: there is no sentence with the id '{name}' in {test}.")
        if not triples:
            raise InputError(f"{ground_truth}: '{name}' has no triples, and a recall needs one.")
    return {name: Sentence(texts[name], triples) for name, triples in gold.items()}


# Predicting.


class Predictor:
    """A pipeline, and what its components that find relations are set to.

    Args:
        name: a package or folder; None: the pipeline that ships.
        threshold: for `threshold` of these components: a number, or what else they understand. None: as it is.

    Raises:
        InputError: the pipeline cannot be loaded, or its components do not take that threshold.
        ModelError: nothing in it finds relations, or has a threshold to set.
    """

    def __init__(self, name: str | None = None, *, threshold: str | None = None) -> None:
        self.name = name or SHIPPED
        try:
            self.nlp: Language = kgmrca.load() if self.name == SHIPPED else spacy.load(self.name)
        except (OSError, ValueError) as error:
            raise InputError(f"The pipeline '{self.name}' cannot be loaded: {error}") from error
        self._pipes: list[Any] = [
            pipe
            for component, pipe in self.nlp.pipeline
            if "doc._.relations" in self.nlp.get_pipe_meta(component).assigns
        ]
        if not self._pipes:
            raise ModelError(f"No component of the pipeline '{self.name}' finds relations.")
        if threshold is not None:
            self._set(threshold)
        in_force = [getattr(pipe, "threshold", None) for pipe in self._pipes]
        if threshold is not None:
            self.threshold = threshold
        else:
            self.threshold = ", ".join("one per label" if isinstance(at, Mapping) else str(at) for at in in_force)

    def _set(self, threshold: str) -> None:
        pipes = [pipe for pipe in self._pipes if hasattr(pipe, "threshold")]
        if not pipes:
            raise ModelError(f"No component of the pipeline '{self.name}' has a threshold to set.")
        value: float | str
        try:
            value = float(threshold)
        except ValueError:
            value = threshold
        for pipe in pipes:
            pipe.threshold = value

    @property
    def labels(self) -> list[Triple] | None:
        """What it can give, as triples without ends; None where a component does not tell."""
        if not all(hasattr(pipe, "labels") for pipe in self._pipes):
            return None
        return [Triple("", label, "", _iri(label)) for pipe in self._pipes for label in pipe.labels]

    def __call__(self, sentences: Sequence[Sentence]) -> None:
        """Set what is predicted for each sentence, and its entities."""
        keys = {getattr(pipe, "spans_key", None) for pipe in self._pipes}
        docs = self.nlp.pipe((sentence.text for sentence in sentences), batch_size=BATCH_SIZE)
        bar = tqdm(docs, total=len(sentences), unit="sentence", disable=None)
        for sentence, doc in zip(sentences, bar, strict=True):
            sentence.predicted = predicted_triples(doc)
            sentence.entities = [
                span.text for key in keys for span in (doc.ents if key is None else doc.spans.get(key, ()))
            ]


@cache
def _iri(label: str) -> str | None:
    return load_ontology().predicate(label)


def predicted_triples(doc: Doc) -> list[Triple]:
    """The relations of a Doc as triples, with the IRIs of the properties that the package knows.

    Their ends are the names of the entities, as they are in a graph, and not the mentions that the scores rest on: "he"
    or a short name.
    """
    names = {
        (mention.start_char, mention.end_char): entity.name
        for entity in get_entities(doc)
        for mention in entity.mentions
    }
    return [
        Triple(names.get((a, b), doc.text[a:b]), label, names.get((c, d), doc.text[c:d]), _iri(label), score)
        for a, b, c, d, label, score in get_plain_relations(doc) or ()
    ]


# The two modes.


def recall_of_named(options: argparse.Namespace) -> dict[str, Any]:
    """Print the tables of `--data`; gives the figures in them."""
    sentences = read_named(options.data)
    predictor = Predictor(options.pipeline, threshold=options.threshold)
    predictor(sentences)
    which = "all relations" if options.all_relations else "relations that the data has"
    if not options.all_relations:
        named = {*read_properties(options.data.parent / "relations.tsv").values()}
        named |= {(gold.relation, gold.iri) for sentence in sentences for gold in sentence.gold}
        of_data = [Triple("", label, "", iri) for label, iri in named]
        for sentence in sentences:
            sentence.predicted = [
                triple for triple in sentence.predicted if any(same_relation(triple, other) for other in of_data)
            ]
    sentences = [sentence for sentence in sentences if sentence.gold]
    n_gold = sum(len(sentence.gold) for sentence in sentences)
    print(f"{predictor.name}, threshold {predictor.threshold}; kept: {which}")
    print(f"{options.data}: {len(sentences):,} sentences that name {n_gold:,} triples\n")

    print(f"{'triples a sentence':<20} {'mean':>6} {'recall of those named':>22}  95 %")
    rows = []
    for limit in (*sorted({*LIMITS, *([options.limit] if options.limit else [])}), None):
        values = recalls(sentences, limit=limit)
        recall, (low, high) = sum(values) / len(values), interval(values)
        n_predicted = mean_predicted(sentences, limit=limit)
        name = f"at most {limit}" if limit else "unlimited"
        print(f"{name:<20} {n_predicted:>6.2f} {recall:>22.4f}  {low:.4f} to {high:.4f}")
        rows.append({"limit": limit, "predicted": n_predicted, "recall": recall, "low": low, "high": high})
    n_dates = changed_by_dates(sentences)
    print(f"Found only because dates are compared by value: {n_dates} gold triples (unlimited)\n")

    labels = predictor.labels
    lost = Counter(
        lost_at(sentence, gold, labels=labels, limit=options.limit) for sentence in sentences for gold in sentence.gold
    )
    of = f"at most {options.limit} a sentence" if options.limit else "unlimited"
    print(f"{f'named triples, {of}':<46} {'number':>7} {'share':>6}")
    for reason in (None, *REASONS):
        if reason != BEYOND or options.limit:
            print(f"{reason or 'found':<46} {lost[reason]:>7,} {lost[reason] / n_gold:>6.1%}")
    if n_known := n_gold - lost[UNKNOWN]:
        print(f"Of the {n_known:,} whose label the model has, {lost[None] / n_known:.1%} were found")

    found_of = by_property(sentences, limit=options.limit)
    if options.per_label:
        width = max(map(len, found_of))
        iris = {gold.relation.strip(): gold for sentence in sentences for gold in sentence.gold}
        print(f"\n{'property':<{width}} {'':>6} {'named':>6} {'found':>6} {'recall':>7}")
        for label, (found, there) in sorted(found_of.items(), key=lambda item: (-item[1][1], item[0])):
            known = labels is None or any(same_relation(iris[label], other) for other in labels)
            pid = (iris[label].iri or "").rpartition("/")[2]
            note = "" if known else "  not in the model's label set"
            print(f"{label:<{width}} {pid:>6} {there:>6} {found:>6} {found / there:>7.3f}{note}")
    return {
        "pipeline": predictor.name,
        "threshold": predictor.threshold,
        "kept": which,
        "sentences": len(sentences),
        "named triples": n_gold,
        "by limit": rows,
        "found by the value of a date": n_dates,
        "lost": {reason: lost[reason] for reason in REASONS},
        "by property": {label: {"found": some[0], "named": some[1]} for label, some in found_of.items()},
    }


def benchmark_figures(options: argparse.Namespace) -> dict[str, Any]:
    """Print the benchmark's figures; gives them."""
    vocabulary = read_vocabulary(options.ontology)
    by_id = read_benchmark(options.test, options.ground_truth)
    sentences = list(by_id.values())
    result: dict[str, Any] = {"ontology": options.ontology.name, "sentences": len(sentences)}
    if options.predictions:
        predicted = read_triples(options.predictions)
        for name, sentence in by_id.items():
            sentence.predicted = predicted.get(name, [])
        missing, more = len(by_id.keys() - predicted.keys()), len(predicted.keys() - by_id.keys())
        print(f"{options.predictions}: no line for {missing} of the sentences, {more} lines for others (not scored)")
        result |= {"predictions": options.predictions.name, "kept": "all relations"}
    else:
        predictor = Predictor(options.pipeline, threshold=options.threshold)
        predictor(sentences)
        for sentence in sentences:
            named = [(triple, vocabulary.named(triple)) for triple in sentence.predicted]
            kept = [known or triple for triple, known in named if known or options.all_relations]
            sentence.predicted = most_certain(kept, options.limit)
        which = "all relations" if options.all_relations else "relations that the ontology has"
        print(f"{predictor.name}, threshold {predictor.threshold}; kept: {which}", end="")
        print(f", at most {options.limit} a sentence" if options.limit else "")
        result |= {"pipeline": predictor.name, "threshold": predictor.threshold, "kept": which, "limit": options.limit}
    n_predicted, n_dates = mean_predicted(sentences), changed_by_dates(sentences)
    n_silent = sum(not sentence.predicted for sentence in sentences)
    n_gold = sum(len(most_certain(sentence.gold)) for sentence in sentences)
    print(f"{options.ground_truth}: {len(sentences):,} sentences, {n_gold:,} gold triples")
    print(f"Predicted: {n_predicted:.2f} triples a sentence, none for {n_silent:,} sentences")
    print(f"Found only because dates are compared by value: {n_dates} gold triples\n")
    scores = score(sentences, vocabulary)
    print(f"{'':<25} {'mean over sentences':>20} {'all together':>13}")
    for name, mean in scores["mean"].items():
        print(f"{name:<25} {mean:>20.4f} {scores['together'][name]:>13.4f}")
    return result | {
        "gold triples": n_gold,
        "predicted a sentence": n_predicted,
        "sentences without predictions": n_silent,
        "found by the value of a date": n_dates,
        **scores,
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FILE", help="annotated sentences, with relations.tsv beside them")
    parser.add_argument("--ontology", type=Path, metavar="JSON", help="an ontology of the benchmark")
    parser.add_argument("--test", type=Path, metavar="JSONL", help="its sentences: id, sent")
    parser.add_argument("--ground-truth", type=Path, metavar="JSONL", help="their triples: id, triples (sub, rel, obj)")
    parser.add_argument(
        "--predictions", type=Path, metavar="JSONL", help="score these triples of another system, run no pipeline"
    )
    parser.add_argument("--pipeline", metavar="NAME_OR_PATH", help=f"a spaCy pipeline (default: {SHIPPED})")
    parser.add_argument(
        "--threshold", help="a number, or the name of an operating point that the pipeline has (default: its own)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="keep the N most certain triples of a sentence")
    parser.add_argument("--per-label", action="store_true", help="with --data: recall by property too")
    parser.add_argument(
        "--all-relations",
        action="store_true",
        help="keep relations too that the ontology (or relations.tsv) does not have",
    )
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="write the figures here too, as JSON")
    options = parser.parse_args()
    check(options)
    result = recall_of_named(options) if options.data else benchmark_figures(options)
    if options.output:
        try:
            options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{options.output} cannot be written: {error}.") from error


def check(options: argparse.Namespace) -> None:
    """Refuse options that make no sense together, before anything is loaded.

    Raises:
        InputError: they make none.
    """
    own = [options.ontology, options.test, options.ground_truth]
    if options.data and any([*own, options.predictions]):
        raise InputError("--data goes without --ontology, --test, --ground-truth and --predictions.")
    if not options.data and not all(own):
        raise InputError("Name either --data, or all of --ontology, --test and --ground-truth.")
    if not options.data and options.per_label:
        raise InputError("--per-label goes with --data.")
    settings = [options.pipeline, options.threshold, options.limit, options.all_relations]
    if options.predictions and any(setting not in (None, False) for setting in settings):
        raise InputError("--predictions are scored as they are: no --pipeline, --threshold, --limit, --all-relations.")
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit is at least 1, not {options.limit}.")
    if options.output and not options.output.parent.is_dir():
        raise InputError(f"There is no folder '{options.output.parent}' to write '{options.output.name}' in.")


if __name__ == "__main__":
    command(main)
