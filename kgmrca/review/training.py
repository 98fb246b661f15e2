"""Decisions of persons as data to train on: annotated passages that `kgmrca corpus` reads.

A passage has the two mentions of decided statements, and says of the labels that were decided about whether they hold
between these; of other labels, and other pairs, it says nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kgmrca.errors import InputError
from kgmrca.ontology import load_ontology
from kgmrca.terms import WITHDRAWN
from kgmrca.triples.literals import NUMBERS
from kgmrca.triples.records import Mention, Statement

if TYPE_CHECKING:
    from spacy.tokenizer import Tokenizer

__all__ = ["training_records", "write_records"]

_Record = dict[str, Any]
_Key = tuple[str, tuple[int, int], tuple[int, int]]


def training_records(
    decided: Iterable[Statement], types: Mapping[str, str], texts: Path | None
) -> tuple[list[_Record], int, int]:
    """Records in the form of DocRED, one for each pair of mentions in its sentences.

    Args:
        decided: statements that were accepted, rejected or corrected.
        types: of entities by their IRIs.
        texts: a folder with the texts of documents, by their digests.

    Returns:
        The records, how many statements are in them, and how many have no text.

    Raises:
        InputError: no statement has a text.
    """
    passages: defaultdict[_Key, list[Statement]] = defaultdict(list)
    count = without_text = 0
    for one in decided:
        first, second = sorted((mention.start, mention.end) for mention in (one.subject_mention, one.object_mention))
        passages[one.document, first, second].append(one)
    records = []
    text_of = _Texts(texts)
    for (document, first, second), statements in passages.items():
        sentences = text_of.sentences(statements[0])
        record = _record(document, first, second, statements, sentences, types) if sentences else None
        if record is None:
            without_text += len(statements)
        else:
            records.append(record)
            count += len(statements)
    if without_text and not records:
        raise InputError(
            "There are no texts for the training data: name the folder that `kgmrca convert --save-text` wrote with "
            "--texts, or convert with --sentence-text."
        )
    return records, count, without_text


def write_records(records: Iterable[_Record], out: IO[bytes]) -> None:
    """Write records as JSON Lines."""
    for record in records:
        out.write(json.dumps(record, ensure_ascii=False).encode("utf-8") + b"\n")


def _literal_type(one: Statement) -> str:
    """The type that the recognizer gives to what a literal was read from."""
    if one.object_datatype is None:
        return ""
    return "NUM" if one.object_datatype in NUMBERS else "TIME"


class _Texts:
    """The texts of the sentences of statements: from the texts of documents, if there are, else from the graph."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and not folder.is_dir():
            raise InputError(f"There is no folder '{folder}': name the one that `kgmrca convert --save-text` wrote.")
        self._folder = folder

    def sentences(self, one: Statement) -> list[tuple[int, str]]:
        """The sentences of a statement, each with where it begins, in the order of the document."""
        places = sorted(filter(None, (one.sentence, one.object_sentence)), key=lambda place: place.start)
        document = self._document(one.document) if self._folder else None
        found = [
            (place.start, document[place.start : place.end] if document else place.text)
            for place in places or self._around(one, document)
        ]
        return found if all(text for _, text in found) else []

    def _document(self, iri: str) -> str | None:
        digest = iri.rpartition("@")[2]
        path = self._folder / f"{digest}.txt" if self._folder and digest.isalnum() else None
        return path.read_bytes().decode("utf-8") if path and path.is_file() else None

    def _around(self, one: Statement, document: str | None) -> list[Mention]:
        """A passage for a statement whose sentences are not known."""
        ends = one.subject_mention, one.object_mention
        if document is None:
            return []
        return [Mention("", min(end.start for end in ends), max(end.end for end in ends), "")]


def _record(
    document: str,
    first: tuple[int, int],
    second: tuple[int, int],
    statements: list[Statement],
    sentences: list[tuple[int, str]],
    types: Mapping[str, str],
) -> _Record | None:
    """The record of a pair of mentions; None if one is not in the sentences."""
    words: list[list[str]] = []
    places: dict[tuple[int, int], tuple[int, list[int]]] = {}
    for number, (start, text) in enumerate(sentences):
        tokens = list(_tokens(text, start))
        words.append([text for _, _, text in tokens])
        for mention in (first, second):
            inside = [at for at, (begin, end, _) in enumerate(tokens) if begin < mention[1] and mention[0] < end]
            if inside and mention not in places:
                places[mention] = number, [inside[0], inside[-1] + 1]
    if len(places) < 2:
        return None
    order = [first, second]
    holding: dict[tuple[int, int, str], None] = {}
    labels: dict[str, None] = {}
    kinds = ["", ""]
    for one in statements:
        subject, object_ = (order.index((end.start, end.end)) for end in (one.subject_mention, one.object_mention))
        kinds[subject] = kinds[subject] or types.get(one.subject, "")
        kinds[object_] = kinds[object_] or (_literal_type(one) if one.object_is_literal else types.get(one.object, ""))
        labels[one.label] = None
        if one.decision not in WITHDRAWN:
            if load_ontology().is_reversed(one.label):  # the predicate has the ends of the label exchanged
                subject, object_ = object_, subject
            holding[subject, object_, one.label] = None
    return {
        "title": f"{document}#char={first[0]},{second[1]}",
        "sents": words,
        "vertexSet": [
            [
                {
                    "sent_id": places[mention][0],
                    "pos": places[mention][1],
                    "name": " ".join(words[places[mention][0]][slice(*places[mention][1])]),
                    "type": kind,
                }
            ]
            for mention, kind in zip(order, kinds, strict=True)
        ],
        "labels": [{"h": subject, "t": object_, "r": label} for subject, object_, label in holding],
        "exhaustive": sorted(labels),
    }


@cache
def _tokenizer() -> "Tokenizer":
    import spacy  # what only applies reviews does not wait for it

    return spacy.blank("en").tokenizer


def _tokens(text: str, start: int) -> Iterator[tuple[int, int, str]]:
    """The tokens of a text with their places in the document, as English pipelines of spaCy split it."""
    for token in _tokenizer()(text):
        if not token.is_space:
            yield start + token.idx, start + token.idx + len(token), token.text
