"""Public coreference data -> gold Docs: names as `doc.ents`, entities as `doc.spans["coref_clusters_1"]`, ...


Mentions are names and single words such as pronouns; descriptions ("the old man") are left out. A cluster may have one
mention only.
"""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from kgmrca.errors import InputError

__all__ = ["GAP", "read_clustered", "read_gap"]

GAP = "gap"
"""The span group of a Doc of GAP that holds the pronoun and the two names that are asked about."""


def read_clustered(path: Path, vocab: Vocab, *, names: Path | None = None) -> Iterator[Doc]:
    """Documents whose mentions are annotated completely, such as those of GUM and LitBank.

    A line is a document: `sentences` (tokens), `mentions` (`sent`, `start`, `end`, `type`, `kind`: NAME, NOMINAL or
    PRONOUN) and `clusters` of their numbers; `space_after` where it is known.

    Args:
        path: JSON Lines, may be compressed (.gz).
        vocab: of the Docs.
        names: sentences of the same documents with `doc` and `entities`, where names are annotated apart from
            mentions: GUM's mentions are whole noun phrases. None: mentions of the kind NAME are the names.

    Raises:
        InputError: a line is not of that form.
    """
    apart = _names_by_document(names) if names else None
    for number, record in enumerate(_records(path), start=1):
        try:
            spans = _own_names(record) if apart is None else _names_apart(record, apart[record["id"]])
            yield _clustered_doc(record, spans, vocab)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise InputError(f"{path}, line {number}: this is no document with clusters ({error!r}).") from error


def _records(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, filter(str.strip, lines))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _names_by_document(path: Path) -> dict[str, list[list[dict[str, Any]]]]:
    """The names of each sentence of each document."""
    found: dict[str, list[list[dict[str, Any]]]] = {}
    for record in _records(path):
        found.setdefault(record["doc"], []).append(record["entities"])
    return found


Named = tuple[int, int, str, int]
"""Start and end (tokens of the document), type, and number of the mention; -1: none."""


def _own_names(record: Mapping[str, Any]) -> list[Named]:
    before = _starts(record)
    return [
        (before[one["sent"]] + one["start"], before[one["sent"]] + one["end"], one["type"], number)
        for number, one in enumerate(record["mentions"])
        if one.get("kind") == "NAME"
    ]


def _names_apart(record: Mapping[str, Any], entities: Sequence[Sequence[Mapping[str, Any]]]) -> list[Named]:
    before = _starts(record)
    here: list[list[tuple[int, Mapping[str, Any]]]] = [[] for _ in before]
    for number, mention in enumerate(record["mentions"]):
        if mention.get("kind") != "PRONOUN":
            here[mention["sent"]].append((number, mention))
    return [
        (before[sent] + one["start"], before[sent] + one["end"], one["type"], _mention_of(one, here[sent]))
        for sent, sentence in enumerate(entities)
        for one in sentence
    ]


def _mention_of(entity: Mapping[str, Any], mentions: Sequence[tuple[int, Mapping[str, Any]]]) -> int:
    """The mention of a name: that of its full span, or the smallest that it is the head of."""
    start, end = entity["start"], entity["end"]
    full = list(entity.get("full", (start, end)))
    found = [one for one in mentions if [one[1]["start"], one[1]["end"]] == full] or [
        one for one in mentions if one[1]["start"] <= start and start <= one[1].get("head", -1) < end
    ]
    return min(found, key=lambda one: int(one[1]["end"]) - int(one[1]["start"]))[0] if found else -1


def _starts(record: Mapping[str, Any]) -> list[int]:
    """The tokens before each sentence."""
    before = [0]
    for sentence in record["sentences"]:
        before.append(before[-1] + len(sentence))
    return before


def _clustered_doc(record: Mapping[str, Any], names: Sequence[Named], vocab: Vocab) -> Doc:
    words = [word for sentence in record["sentences"] for word in sentence]
    spaces = [space for sentence in record["space_after"] for space in sentence] if "space_after" in record else None
    before = _starts(record)
    starts = set(before[:-1])
    doc = Doc(vocab, words=words, spaces=spaces, sent_starts=[place in starts for place in range(len(words))])
    kept: list[Named] = []
    taken: set[int] = set()
    for name in sorted(set(names), key=lambda name: (name[0] - name[1], name)):  # the outermost of nested names
        if taken.isdisjoint(range(name[0], name[1])):
            kept.append(name)
            taken.update(range(name[0], name[1]))
    doc.set_ents([Span(doc, start, end, label=label) for start, end, label, _ in kept])
    spans = {number: (start, end) for start, end, _, number in kept}
    for number, one in enumerate(record["mentions"]):
        place = before[one["sent"]] + one["start"]
        if one["end"] == one["start"] + 1 and place not in taken:
            spans[number] = (place, place + 1)
    groups = [sorted(spans[number] for number in set(cluster) if number in spans) for cluster in record["clusters"]]
    for number, group in enumerate(filter(None, groups), start=1):
        doc.spans[f"coref_clusters_{number}"] = [doc[start:end] for start, end in group]
    return doc


def read_gap(path: Path, nlp: Language) -> Iterator[Doc]:
    """The texts of GAP (Webster et al., 2018): one pronoun, two names, and which of them the pronoun means, if any.

    The two names are the entities, as persons. `doc.spans["gap"]` holds the pronoun and the names in this order. The
    pronoun and the name that it means are `doc.spans["coref_clusters_1"]`.

    Args:
        path: JSON Lines, may be compressed (.gz): `text`, `pronoun`, `a`, `b`, each of these with its `_offset`
            (characters), `a_coref`, `b_coref`.
        nlp: whose tokenizer is used.

    Raises:
        InputError: a line is not of that form.
    """
    for number, record in enumerate(_records(path), start=1):
        try:
            doc = nlp.make_doc(record["text"])
            pronoun, *both = (
                _span_at(doc, record[f"{which}_offset"], record[which]) for which in ("pronoun", "a", "b")
            )
            right = [name for name, which in zip(both, "ab", strict=True) if record[f"{which}_coref"]]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}, line {number}: this is no text of GAP ({error!r}).") from error
        doc.set_ents([Span(doc, name.start, name.end, label="PER") for name in both])
        doc.spans[GAP] = [pronoun, *both]
        if right:
            doc.spans["coref_clusters_1"] = sorted([pronoun, *right], key=lambda span: span.start)
        yield doc


def _span_at(doc: Doc, start: int, text: str) -> Span:
    span = doc.char_span(start, start + len(text), alignment_mode="expand")
    if span is None:
        raise ValueError(f"no '{text}' at character {start}")
    return span
