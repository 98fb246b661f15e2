"""Which gold relations are meant by those that a pipeline gives, by sentence or by document.

- "sentence": a relation is an ordered pair of mentions of one sentence, and a label. Both mentions must be exact.
- "document": a relation is an ordered pair of entities of a document, and a label, whatever mentions it was read from.
  A given entity means the gold entity with which it shares most mentions, characters for characters. If several gold
  entities share as many, the one whose shared mention comes first is meant. Several given entities may mean one gold
  entity; what is given of the same gold pair and label counts once, with its highest score. A given entity that shares
  no mention with any gold one means none, so what is given of it is not gold.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from spacy.language import Language
from spacy.tokens import Doc, Span

from kgmrca.corpora.annotated import ENTITIES, Corpus, exhaustively_annotated, read_gold
from kgmrca.entities import get_plain_entities
from kgmrca.errors import InputError
from kgmrca.extraction.relations.component import MRCARelations, relation_pipe
from kgmrca.progress import progress_bar
from kgmrca.relations import PlainRelation, get_plain_relations

__all__ = [
    "LEVELS",
    "Answer",
    "Answers",
    "Key",
    "answers",
    "level_of",
    "mentions_of",
    "named_facts",
    "names_of_facts",
    "place_of",
]

LEVELS = ("document", "sentence")
"""What the pairs of a relation are: entities of a document, or mentions of a sentence."""

Key: TypeAlias = tuple[Any, ...]
"""What identifies a relation or an entity within its document, such as characters and label; the label comes last."""

_Place: TypeAlias = tuple[int, int]
"""Start and end of a mention (characters)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a pipeline gave for one gold Doc.

    At the level of the document, subject and object of a key are the numbers of gold entities. An entity that is no
    gold one has a place of the text instead.
    """

    reference: Doc
    predicted: Doc
    gold: frozenset[Key]
    given: Mapping[Key, float]  # with scores
    exhaustive: frozenset[str] | None  # see `corpora.annotated.exhaustively_annotated`

    @classmethod
    def of(cls, reference: Doc, predicted: Doc, level: str) -> "Answer":
        """Compare the relations of two Docs of one text."""
        key_of = _Entities(reference, predicted).key if level == "document" else _mentions
        given: dict[Key, float] = {}
        for relation in get_plain_relations(predicted) or ():
            key = key_of(relation)
            given[key] = max(relation[5], given.get(key, 0.0))
        return cls(reference, predicted, _gold(reference, level), given, exhaustively_annotated(reference))

    def from_threshold(self, threshold: float | Mapping[str, float]) -> Set[Key]:
        """What was given with at least this score, one for all labels or one a label."""
        if isinstance(threshold, Mapping):
            return {key for key, score in self.given.items() if score >= threshold.get(key[-1], 0.5)}
        return {key for key, score in self.given.items() if score >= threshold}

    def is_judged(self, label: str) -> bool:
        """Whether a relation with this label that is not gold is wrong."""
        return self.exhaustive is None or label in self.exhaustive


@dataclass(frozen=True, slots=True)
class Answers:
    """What a pipeline gave for some gold Docs."""

    with_entities: list[Answer]  # the relation component alone, with the gold entities and the gold clusters
    end_to_end: list[Answer] | None  # the whole pipeline from raw text; None: it has no recognizer


def level_of(pipe: MRCARelations) -> str:
    """The level at which a relation component works by itself."""
    return getattr(pipe, "scope", "sentence")


def answers(
    nlp: Language, path: Path, *, level: str, threshold: float, calibrated: bool = True, only_end_to_end: bool = False
) -> Answers:
    """Let a pipeline read gold Docs, with gold entities and from raw text.

    Args:
        nlp: a pipeline with `mrca_relations`. It works as it did when this is done.
        path: a `.spacy` file made by `kgmrca corpus`.
        level: one of `LEVELS`.
        threshold: the score from which relations are given.
        calibrated: give calibrated scores, and otherwise those of the network.
        only_end_to_end: leave out what is read with gold entities, if the pipeline has a recognizer.

    Raises:
        InputError: the level is none, the file cannot be read, it has no documents, or the pipeline knows none of its
            labels.
        ModelError: the pipeline has no relation component.
    """
    if level not in LEVELS:
        raise InputError(f"A level is {' or '.join(LEVELS)}, not {level!r}.")
    name, pipe = relation_pipe(nlp)
    examples = list(Corpus(path)(nlp))
    _check_gold(path, [example.reference for example in examples], getattr(pipe, "labels", ()))
    with progress_bar(None, total=2 * len(examples), unit=" documents") as bar, _reading(nlp, pipe, level, calibrated):
        texts = (example.reference.text for example in examples)
        raw = []
        for example, doc in zip(examples, nlp.pipe(texts, component_cfg={name: {"threshold": threshold}}), strict=True):
            raw.append(Answer.of(example.reference, doc, level))
            bar.update()
        end_to_end = raw if _has_recognizer(nlp, raw) else None
        on_gold = []
        if not (only_end_to_end and end_to_end is not None):
            predicted = pipe.pipe((example.predicted for example in examples), threshold=threshold)
            for example, doc in zip(examples, predicted, strict=True):
                on_gold.append(Answer.of(example.reference, doc, level))
                bar.update()
    return Answers(on_gold, end_to_end)


def _check_gold(path: Path, docs: Iterable[Doc], labels: Iterable[str]) -> None:
    """Refuse gold data that a pipeline with these labels cannot be scored on."""
    docs, known = list(docs), set(labels)
    if not docs:
        raise InputError(f"{path} has no documents.")
    named = {label for doc in docs for *_, label, _ in get_plain_relations(doc) or ()}
    if named and known and named.isdisjoint(known):
        some = ", ".join(sorted(named)[:3]) + (", ..." if len(named) > 3 else "")
        raise InputError(
            f"The pipeline has none of the labels of {path} ({some}). If these are the data set's own names, make the "
            "file again with a relations.tsv beside the data, or with --mapping (see `kgmrca corpus --help`)."
        )


@contextmanager
def _reading(nlp: Language, pipe: MRCARelations, level: str, calibrated: bool) -> Iterator[None]:
    """Let a relation component work at a level, with or without its calibration.

    It does not warn that there is no recognizer: the scores say so.
    """
    silent = hasattr(pipe, "_warnings_left") and not _says_that_it_recognizes(nlp)
    if silent:
        pipe._warnings_left, warnings_left = [], pipe._warnings_left
    kept, has_scope = pipe.cfg.get("calibration"), hasattr(pipe, "scope")
    scope = level_of(pipe)
    try:
        if has_scope:
            pipe.scope = level
        if not calibrated:
            pipe.cfg["calibration"] = {}
        yield
    finally:
        if silent:
            pipe._warnings_left = warnings_left
        if has_scope:
            pipe.scope = scope
        if not calibrated:
            pipe.cfg["calibration"] = kept


def _has_recognizer(nlp: Language, raw: Iterable[Answer]) -> bool:
    """Whether something in the pipeline finds entities: a component says so, or some were found."""
    return _says_that_it_recognizes(nlp) or any(
        answer.predicted.ents or get_plain_relations(answer.predicted) for answer in raw
    )


def _says_that_it_recognizes(nlp: Language) -> bool:
    return any("doc.ents" in nlp.get_pipe_meta(name).assigns for name in nlp.pipe_names)


# Relations as keys.


def _gold(reference: Doc, level: str) -> frozenset[Key]:
    relations = get_plain_relations(reference) or ()
    if level == "document":
        return frozenset(map(_Entities(reference).key, relations))
    starts = {token.idx for token in reference if token.is_sent_start}
    # Between two mentions of one sentence no sentence starts.
    together = (
        relation
        for relation in relations
        if starts.isdisjoint(range(min(relation[0], relation[2]) + 1, max(relation[0], relation[2]) + 1))
    )
    return frozenset(map(_mentions, together))


def _mentions(relation: PlainRelation) -> Key:
    return relation[:5]


class _Entities:
    """Turns relations of mentions into relations of the gold entities that these mean."""

    def __init__(self, reference: Doc, predicted: Doc | None = None) -> None:
        """Without a predicted Doc: those of gold relations."""
        gold = _entity_at(reference)
        self._meant: dict[_Place, int | _Place] = {**gold}
        if predicted is None:
            return
        for places in mentions_of(predicted).values():
            shared = Counter(gold[place] for place in places if place in gold)  # in the order of the text
            meant = max(shared, key=lambda entity: shared[entity]) if shared else min(places)
            self._meant.update(dict.fromkeys(places, meant))

    def key(self, relation: PlainRelation) -> Key:
        """Subject, object and label."""
        a, b, c, d, label, _ = relation
        return self._meant.get((a, b), (a, b)), self._meant.get((c, d), (c, d)), label


def _entity_at(doc: Doc) -> dict[_Place, int]:
    """The number of the entity that each mention belongs to, in the order of the text."""
    plain = get_plain_entities(doc, spans_key=ENTITIES if ENTITIES in doc.spans else None)
    return dict(zip(map(tuple, plain.characters.tolist()), plain.entity.tolist(), strict=True))


def place_of(span: Span) -> _Place:
    """Start and end of a span (characters)."""
    return span.start_char, span.end_char


# Facts by the names of their entities.


def named_facts(paths: Iterable[Path], nlp: Language) -> frozenset[tuple[str, str, str]]:
    """The facts of gold Docs: subject, object and label, by each of the names that subject and object have there."""
    found: set[tuple[str, str, str]] = set()
    for path in paths:
        for doc in read_gold(path, nlp.vocab):
            found.update(*names_of_facts(doc).values())
    return frozenset(found)


def names_of_facts(reference: Doc) -> dict[Key, set[tuple[str, str, str]]]:
    """For each gold fact of a document, by its key, the fact by each of the names of its subject and object."""
    text, mentions = reference.text, mentions_of(reference)

    def names(end: Any) -> set[str]:
        return {" ".join(text[slice(*place)].split()) for place in mentions.get(end, [end])}

    return {
        key: {(subject, object_, key[2]) for subject in names(key[0]) for object_ in names(key[1])}
        for key in _gold(reference, "document")
    }


def mentions_of(reference: Doc) -> dict[Any, list[_Place]]:
    """Start and end (characters) of the mentions of each gold entity, by the number that it has in keys."""
    mentions: dict[Any, list[_Place]] = {}
    for place, entity in _entity_at(reference).items():
        mentions.setdefault(entity, []).append(place)
    return mentions
