"""The data sets a recognizer is trained on: what each annotates, and where its annotation is known to be odd.

Only sets that may be passed on. A set's name is also that of its annotation scheme: what counts as a name, where it
ends and which type it has differ from set to set. Sentences that are in a test split of any of them are left out.
"""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacy.lang.en.stop_words import STOP_WORDS
from spacy.language import Language
from spacy.tokens import Doc

from kgmrca.corpora.annotated import hash_share
from kgmrca.types import coarse_type

__all__ = ["ANY", "NATION", "OURS", "SETS", "TYPES", "Text", "read_partial", "read_sets"]

TYPES = ("PER", "ORG", "LOC", "MISC", "TIME", "NUM", "TERM")

ANY = "any"
"""The type of a name whose type is not known."""

NATION = "LOC or MISC"
"""The type of a nationality where the set has it as MISC, for ours are LOC."""

OURS = "redocred"
"""The scheme of the pipeline, and that of what a teacher annotates."""

DEV_SHARE = 0.1

Span = tuple[int, int, str]


@dataclass
class Text:
    """Sentences that stand together.

    Args:
        scheme: the set it is from.
        sentences: their words.
        spans: start, end and type of the entities of each sentence.
        unknown: the words of each sentence of which nothing is known.
        annotated: the types that are annotated completely.
        weight: what the text counts for.
    """

    scheme: str
    sentences: list[list[str]] = field(default_factory=list)
    spans: list[list[Span]] = field(default_factory=list)
    unknown: list[set[int]] = field(default_factory=list)
    annotated: tuple[str, ...] = TYPES
    weight: float = 1.0


@dataclass(frozen=True)
class EntitySet:
    """A data set.

    Args:
        name: of its scheme.
        train: its files.
        dev: files that are used for choosing first, for training at last. Without any, a tenth of `train` is.
        test: files whose sentences must not be trained on.
        annotated: the types annotated completely.
        partly: types of which some are annotated.
    """

    name: str
    train: Sequence[str]
    annotated: tuple[str, ...]
    dev: Sequence[str] = ()
    test: Sequence[str] = ()
    partly: tuple[str, ...] = ()


_NAMES = ("PER", "ORG", "LOC")

SETS = [
    EntitySet(
        "redocred",
        ["redocred/documents.dev.jsonl.gz"],
        (*_NAMES, "MISC", "TIME", "NUM"),
        test=["redocred/documents.test.jsonl.gz"],
    ),
    EntitySet("gum", ["ner_gum/train.jsonl.gz"], (*_NAMES, "MISC"), test=["ner_gum/dev.jsonl.gz"], partly=("TIME",)),
    EntitySet("litbank", ["ner_litbank/train.jsonl.gz"], _NAMES, test=["ner_litbank/dev.jsonl.gz"]),
    EntitySet("btc", ["ner_btc/train.jsonl.gz"], _NAMES, dev=["ner_btc/dev.jsonl.gz"], test=["ner_btc/test.jsonl.gz"]),
    EntitySet(
        "wnut17",
        ["ner_wnut17/train.jsonl.gz"],
        (*_NAMES, "MISC"),
        dev=["ner_wnut17/dev.jsonl.gz"],
        test=["ner_wnut17/test.jsonl.gz"],
    ),
    EntitySet("ewt", ["ner_uner_ewt/dev.jsonl.gz"], _NAMES, test=["ner_uner_ewt/test.jsonl.gz"]),
    EntitySet("wikigold", ["ner_wikigold/all.jsonl.gz"], (*_NAMES, "MISC")),
    EntitySet("re3d", ["ner_re3d/train.jsonl.gz"], (*_NAMES, "MISC", "TIME", "NUM")),
    EntitySet(
        "crossner",
        ["ner_crossner/train.jsonl.gz", "ner_crossner/dev.jsonl.gz"],
        (*_NAMES, "MISC", "TERM"),
        test=["ner_crossner/test.jsonl.gz"],
    ),
]

PARTIAL = [
    "wiki80/train.jsonl.gz",
    "wiki80/dev.jsonl.gz",
    "fewrel_val/dev.jsonl.gz",
    "text2kg_wikidata/train.jsonl.gz",
    "knowledgenet/train.jsonl.gz",
]
"""Relation data, with the two entities of a relation and no others."""

_PARTIAL_TEST = ["text2kg_wikidata/dev.jsonl.gz"]

_NATION = re.compile(
    "[A-Z]\\w*(?:ese|ish|ian|ean|can|ch|iot|ani|aqi|eli)s?"
    "|Germans?|Greeks?|Swiss|Thai|Czech|Serbs?|Turks?|Finns?|Danes?|Swedes?|Poles?|Arabs?|Afghans?"
)


def read_sets(data: Path, *, choose: bool) -> tuple[list[Text], dict[str, list[Text]]]:
    """What is trained on, and what is held out of each set.

    Args:
        data: the folder with the data sets.
        choose: hold out the dev part of every set; else only that of Re-DocRED, which later steps choose on.
    """
    train: list[Text] = []
    dev: dict[str, list[Text]] = {}
    for one in SETS:
        texts = list(_texts(one, data, one.train))
        more = list(_texts(one, data, one.dev))
        held = {id(text) for text, name in texts if hash_share(name) < DEV_SHARE} if not one.dev else set()
        if not choose and one.name != OURS:
            held = set()
        dev[one.name] = [text for text, _ in texts if id(text) in held] + [text for text, _ in more if choose]
        train += [text for text, _ in texts if id(text) not in held] + [text for text, _ in more if not choose]
    known = _held_out(data, [sentence for texts in dev.values() for text in texts for sentence in text.sentences])
    return [text for text in train if known.isdisjoint(map(_plain, text.sentences))], dev


def read_partial(
    data: Path, teachers: Sequence[Language], dev: dict[str, list[Text]], *, weight: float
) -> Iterator[Text]:
    """Sentences with some entities, and with those that the teachers agree on. What they do not agree on is unknown.

    Args:
        data: the folder with the data sets.
        teachers: pipelines that set `doc.ents`.
        dev: what is held out of the sets.
        weight: what such a sentence counts for.
    """
    known = _held_out(data, [sentence for texts in dev.values() for text in texts for sentence in text.sentences])
    records = []
    for record in _records(data, PARTIAL):
        if (plain := _plain(record["tokens"])) not in known:
            known |= {plain}
            records.append(record)
    answers = [[_annotated(doc) for doc in _read(teacher, records)] for teacher in teachers]
    for record, *said in zip(records, *answers, strict=True):
        spans, unknown = _agreed(said)
        text = Text(OURS, [record["tokens"]], weight=weight)
        _merge(text, [(entity["start"], entity["end"]) for entity in record["entities"]], spans, unknown)
        yield text


def _read(teacher: Language, records: Iterable[dict[str, Any]]) -> Iterable[Doc]:
    return teacher.pipe(Doc(teacher.vocab, words=record["tokens"]) for record in records)


def _annotated(doc: Doc) -> set[Span]:
    return {(span.start, span.end, span.label_) for span in doc.ents}


def _agreed(said: Sequence[set[Span]]) -> tuple[set[Span], set[int]]:
    agreed = set.intersection(*said)
    return agreed, {word for span in set.union(*said) - agreed for word in range(span[0], span[1])}


def _merge(text: Text, gold: Iterable[tuple[int, int]], agreed: set[Span], unknown: set[int]) -> None:
    """The entities of a relation, with the teachers' types; where their spans are others, nothing is known."""
    words = text.sentences[0]
    types = {(start, end): kind for start, end, kind in agreed}
    spans: list[Span] = []
    taken: set[int] = set()
    for start, end in sorted(gold):
        here = set(range(start, end))
        name = " ".join(words[start:end])
        if here & taken or (name.lower() in STOP_WORDS and not name.isupper()):  # a pronoun, but not "US"
            continue
        crossing = {other for other in types if other[0] < end and start < other[1]}
        taken |= here
        if (start, end) in types:
            spans.append((start, end, types[start, end]))
        elif crossing or here & unknown:
            taken.update(word for other in crossing for word in range(*other))
            unknown |= here | {word for other in crossing for word in range(*other)}
        elif name == name.lower() and not any(map(str.isdigit, name)):
            spans.append((start, end, "TERM"))
        elif name[0].islower():
            unknown |= here
        else:
            spans.append((start, end, ANY))
    spans += [span for span in agreed if taken.isdisjoint(range(span[0], span[1]))]
    inside = {word for start, end, _ in spans for word in range(start, end)}
    text.spans, text.unknown = [sorted(spans)], [unknown - inside]


def _texts(one: EntitySet, data: Path, files: Sequence[str]) -> Iterator[tuple[Text, str]]:
    """The texts of some files, each with its name. Records of one document are one text."""
    found: dict[str, Text] = {}
    for record in _records(data, files):
        text = found.setdefault(
            record.get("doc") or record.get("title") or record["id"], Text(one.name, annotated=one.annotated)
        )
        for words, spans in _docred(record) if "vertexSet" in record else [_sentence(record)]:
            kept, unknown = _mend(one.name, record, words, spans)
            text.sentences.append(words)
            text.spans.append([span for span in kept if span[2] in {*one.annotated, *one.partly, NATION}])
            text.unknown.append(unknown)
    return ((text, name) for name, text in found.items())


def _sentence(record: dict[str, Any]) -> tuple[list[str], list[Span]]:
    spans = [(entity["start"], entity["end"], coarse_type(entity["type"])) for entity in record["entities"]]
    return record["tokens"], _outermost(spans)


def _docred(record: dict[str, Any]) -> Iterator[tuple[list[str], list[Span]]]:
    mentions = [mention for entity in record["vertexSet"] for mention in entity]
    for number, sentence in enumerate(record["sents"]):
        place = [0]  # for each released token the words before it, where white space is not a word
        for word in sentence:
            place.append(place[-1] + bool(word.strip()))
        spans = [
            (place[mention["pos"][0]], place[mention["pos"][1]], mention["type"])
            for mention in mentions
            if mention["sent_id"] == number
        ]
        yield (
            [word.strip() for word in sentence if word.strip()],
            _outermost(span for span in spans if span[0] < span[1]),
        )


def _outermost(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span[0] - span[1], span)):
        if all(span[1] <= other[0] or other[1] <= span[0] for other in kept):
            kept.append(span)
    return sorted(kept)


def _mend(name: str, record: dict[str, Any], words: list[str], spans: list[Span]) -> tuple[list[Span], set[int]]:
    """The spans as the rest of the set has them, and the words that it would annotate in another way."""
    if name in ("wikigold", "crossner"):
        return [
            (start, end, NATION)
            if kind == "MISC" and end == start + 1 and _NATION.fullmatch(words[start])
            else (start, end, kind)
            for start, end, kind in spans
        ], set()
    if record.get("section") == "B":  # of BTC: in the others a handle ("@ name") is an entity with its sign
        first = {span[0]: span for span in spans}
        inside = {word for start, end, _ in spans for word in range(start, end)}
        signs = [place for place, word in enumerate(words[:-1]) if word == "@" and place not in inside]
        mended = {first[place + 1]: (place, *first[place + 1][1:]) for place in signs if place + 1 in first}
        unknown = {word for place in signs if place + 1 not in first for word in (place, place + 1)} - inside
        return [mended.get(span, span) for span in spans], unknown
    return spans, set()


def _records(data: Path, files: Iterable[str]) -> Iterator[dict[str, Any]]:
    for file in files:
        with gzip.open(data / file, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _plain(words: Sequence[str]) -> str:
    """A sentence without what may differ between two copies; "" if it is so short that others are alike by chance."""
    plain = "".join(filter(str.isalnum, " ".join(words).casefold()))
    return plain if len(plain) > 25 else ""


def _held_out(data: Path, sentences: Iterable[Sequence[str]]) -> set[str]:
    """The sentences of the test splits and these."""
    tests = [
        words
        for record in _records(data, [file for one in SETS for file in one.test] + _PARTIAL_TEST)
        for words in (record["sents"] if "vertexSet" in record else [record["tokens"]])
    ]
    return {_plain(words) for words in (*tests, *sentences)} - {""}
