"""Relations that the components of others leave on a Doc, as plain data (see `relations`).

Each shape is as its component's source code writes it:

- "glirel": `SpacyGLiRELWrapper` (github.com/jackboyla/GLiREL, glirel/spacy_integration.py, and
  `batch_predict_relations` in glirel/model.py). `doc._.relations` is a list of `{"head_pos": [start, end], "tail_pos":
  [start, end], "head_text": [word, ...], "tail_text": [word, ...], "label": ..., "score": ...}`; positions are tokens,
  ends exclusive. It holds the best label of every pair, however low its score.
- "rebel": `RebelComponent` (github.com/Babelscape/rebel, spacy_component.py). `doc._.rel` is `{(start, start):
  {"relation": ..., "head_span": Span, "tail_span": Span}}`. There are no scores: each counts as 1.
- "spacy-rel": `RelationExtractor` of spaCy's tutorial (github.com/explosion/projects, tutorials/rel_component,
  scripts/rel_pipe.py). `doc._.rel` is `{(start, start): {label: score, ...}}`; a key is the first tokens of two of
  `doc.ents`. It holds all labels of every pair, so a threshold has to choose.
"""

import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from spacy.tokens import Doc, Span

from kgmrca.errors import InputError, ModelError
from kgmrca.relations import PlainRelation

__all__ = ["SOURCES", "foreign_relations"]


def foreign_relations(doc: Doc, source: str) -> list[PlainRelation]:
    """The relations that a component of others (one of `SOURCES`) left on a Doc, whatever their score.

    Raises:
        ModelError: that component did not process this Doc.
        InputError: there is no such source, or what is on the Doc is not as that component leaves it.

    >>> import spacy
    >>> doc = spacy.blank("en")("Curie was born in Warsaw.")
    >>> pair = {"head_pos": [0, 1], "tail_pos": [4, 5], "head_text": ["Curie"], "tail_text": ["Warsaw"]}
    >>> doc.user_data["._.", "relations", None, None] = [pair | {"label": "place of birth", "score": 0.9}]
    >>> foreign_relations(doc, "glirel")
    [(0, 5, 18, 24, 'place of birth', 0.9)]
    """
    if source not in SOURCES:
        raise InputError(f"There is no source '{source}' of relations: choose one of {', '.join(SOURCES)}.")
    component, name, read = SOURCES[source]
    stored = _stored(doc, name)
    if stored is None:
        raise ModelError(
            f"{component} has set no doc._.{name} here: use a pipeline with it, or read the Doc with its user data."
        )
    try:
        return list(read(doc, stored))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else error
        raise InputError(f"doc._.{name} is not as {component} leaves it ({reason}): {reprlib.repr(stored)}.") from error


def _stored(doc: Doc, name: str) -> Any:
    """The value of an extension attribute, or None.

    It lies in `user_data` under spaCy's key, whoever has registered the name: with `n_process > 1`, or read
    from a DocBin, the other component's extension need not be registered in this process, and ours may be.
    """
    key = ("._.", name, None, None)
    if key in doc.user_data:
        return doc.user_data[key]
    # An attribute that was never set has its default only: {} means that nothing was found.
    return Doc.get_extension(name)[0] if Doc.has_extension(name) else None


def _read_glirel(doc: Doc, stored: Sequence[Mapping[str, Any]]) -> Iterator[PlainRelation]:
    for item in stored:
        subject = _span_of_tokens(doc, item["head_pos"], item["head_text"])
        object_ = _span_of_tokens(doc, item["tail_pos"], item["tail_text"])
        yield _plain_relation(subject, object_, item["label"], item["score"])


def _span_of_tokens(doc: Doc, position: Sequence[int], words: Sequence[str]) -> Span:
    start, end = position
    if not 0 <= start < end <= len(doc) or [token.text for token in doc[start:end]] != list(words):
        raise ValueError(f"the tokens {start} to {end} are not {words!r}: was the Doc tokenised anew?")
    return doc[start:end]


def _read_rebel(doc: Doc, stored: Mapping[Any, Mapping[str, Any]]) -> Iterator[PlainRelation]:
    for item in stored.values():
        spans = item["head_span"], item["tail_span"]
        for span in spans:
            if doc.text[span.start_char : span.end_char] != span.text:
                raise ValueError(f"the span {span.text!r} is of another text")
        yield _plain_relation(*spans, item["relation"], 1.0)


def _read_spacy_rel(doc: Doc, stored: Mapping[tuple[int, int], Mapping[str, float]]) -> Iterator[PlainRelation]:
    entities = {entity.start: entity for entity in doc.ents}
    for pair, scores in stored.items():
        for start in pair:
            if start not in entities:
                raise ValueError(f"no entity of doc.ents starts at token {start}")
        first, second = pair
        for label, score in scores.items():
            yield _plain_relation(entities[first], entities[second], label, score)


def _plain_relation(subject: Span, object_: Span, label: Any, score: Any) -> PlainRelation:
    if not isinstance(label, str):
        raise TypeError(f"{label!r} is not a label")
    return subject.start_char, subject.end_char, object_.start_char, object_.end_char, label, float(score)


SOURCES: dict[str, tuple[str, str, Callable[[Doc, Any], Iterator[PlainRelation]]]] = {
    "glirel": ("GLiREL's component", "relations", _read_glirel),
    "rebel": ("REBEL's component", "rel", _read_rebel),
    "spacy-rel": ("The component of spaCy's tutorial", "rel", _read_spacy_rel),
}
"""What `source` can be: the component in words, the name of its extension attribute, how that is read."""
