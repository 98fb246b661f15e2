"""The spaCy component `mrca_relations`."""

import contextlib
import hashlib
import json
import warnings
import weakref
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from inspect import signature
from itertools import chain, compress, pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy import util
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from thinc.api import Config, Model, Optimizer, torch2xp, xp2torch
from thinc.types import Floats2d
from thinc.util import get_torch_default_device

from kgmrca.entities import get_plain_entities
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.encoder.ahead import ahead
from kgmrca.extraction.encoder.shared import SharedReader, by_tokens
from kgmrca.extraction.encoder.shim import to_safetensors
from kgmrca.extraction.encoder.storing import StoredWeights
from kgmrca.extraction.relations.calibration import lowest_raw, scale
from kgmrca.extraction.relations.consistency import consistent, symmetric_labels
from kgmrca.extraction.relations.diagnosis import late_coreference, why_nothing
from kgmrca.extraction.relations.evidence import Mentions, Text, best_stated
from kgmrca.extraction.relations.features import Facts, Features, Instances
from kgmrca.extraction.relations.loss import Loss
from kgmrca.extraction.relations.network import DocumentNetwork, MRCANetwork, PairNetwork
from kgmrca.extraction.relations.pairs import Candidates, PairSuggester
from kgmrca.extraction.relations.passages import SCOPES, EntityPairSuggester, Passages
from kgmrca.extraction.relations.targets import Asked, Gold, make_targets
from kgmrca.ontology import TYPES
from kgmrca.relations import PlainRelation, Threshold, get_plain_relations, register_extensions, set_plain_relations
from kgmrca.resources import SHIPPED, resource, shipped_weights
from kgmrca.types import allowed, check_type_map, coarse_type, find_rules, type_numbers

__all__ = ["OPERATING_POINTS", "MRCARelations", "load", "make_mrca_relations", "relation_pipe"]

OPERATING_POINTS = ("precise", "balanced", "complete")
"""The names of the thresholds that `kgmrca calibrate` finds (see `operating_points.find_operating_points`)."""

DEFAULT_CONFIG = Config().from_str("""
[model]
@architectures = "kgmrca.DocumentMRCA.v1"

[loss]
@misc = "kgmrca.BCE.v1"

[scorer]
@scorers = "kgmrca.relation_scorer.v1"
""")

_Fact: TypeAlias = tuple[int, int, str]
"""Subject and object (numbers of entities) and label."""

_Stated: TypeAlias = dict[_Fact, tuple[float, Mentions]]
"""Facts of a Doc, with the score and the mentions of each."""

_Found: TypeAlias = tuple[Asked, NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]
"""Pairs, and what reaches the thresholds: which pair, which label, the score."""

_BATCH_SIZE = 128  # Docs, unless the config or the caller gives another number


def load(
    name: str | Path | None = None,
    *,
    threshold: Threshold | None = None,
    scope: str | None = None,
    disable: str | Iterable[str] | None = None,
    enable: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    config: Mapping[str, Any] | None = None,
    vocab: spacy.Vocab | None = None,
) -> Language:
    """Load a pipeline: the one that ships, or another.

    The shipped one goes from tokens to sentences, entities and relations over Wikidata properties.

    Several threads may use one pipeline at the same time. While others use it, do not train it, do not change its
    settings, and do not enter `nlp.memory_zone()`. On a GPU, each thread calls `spacy.require_gpu()` first.

    >>> import kgmrca
    >>> nlp = kgmrca.load(threshold="precise")
    >>> nlp("Marie Curie was born in Warsaw.")._.relations[0].label
    'place of birth'

    Args:
        name: a folder, or the name of an installed package. None: the pipeline that ships, `en_kgmrca_sm`.
        threshold: the score from which a label is given: a number, one per label, or the name of an operating point.
            None: what is stored with the pipeline ("balanced" in the shipped one). A component that is disabled has
            the threshold as soon as it is enabled.
        scope: "document" or "sentence": between what relations are looked for (see `make_mrca_relations`). None: what
            is stored with the pipeline ("document" in the shipped one).
        disable, enable, exclude, config, vocab: as `spacy.load` takes them.

    Raises:
        OSError: there is no such pipeline.
        ModelError: there is a threshold or a scope, and the pipeline has no relation component to set it in.
        InputError: the name is empty, the threshold or the scope is not valid, or the pipeline has no such operating
            point or label.
    """
    if name == "":  # spaCy takes it for the current folder
        raise InputError("A pipeline is a folder or the name of an installed package, not ''.")
    place = resource(f"pipelines/{SHIPPED}") if name is None or name == SHIPPED else name
    options = {"disable": disable, "enable": enable, "exclude": exclude, "config": config, "vocab": vocab}
    nlp = spacy.load(place, **{option: value for option, value in options.items() if value is not None})
    settings = {"threshold": threshold, "scope": scope}
    for setting, value in settings.items():
        if value is not None:
            component, pipe = relation_pipe(nlp, disabled=True)
            setattr(pipe, setting, value)
            nlp.get_pipe_config(component)[setting] = value
    return nlp


@Language.factory(
    "mrca_relations",
    requires=["doc.ents"],
    assigns=["doc._.relations"],
    default_config={
        **DEFAULT_CONFIG,
        "pairs": None,
        "scope": None,
        "threshold": None,
        "spans_key": None,
        "batch_size": None,
        "unannotated_weight": 0.3,
        "type_map": None,
        "type_rules": True,
        "pretrained": SHIPPED,
    },
    default_score_weights={"rel_micro_f": 1.0, "rel_micro_p": 0.0, "rel_micro_r": 0.0, "rel_per_type": None},
)
def make_mrca_relations(
    nlp: Language,
    name: str,
    model: Model[Features, Floats2d] | Model[Instances, Floats2d] | Model[Facts, Floats2d],
    pairs: PairSuggester | EntityPairSuggester | None,
    scope: str | None,
    loss: Loss,
    threshold: float | str | dict[str, float] | None,
    spans_key: str | None,
    scorer: Callable[..., dict[str, Any]] | None,
    batch_size: int | None,
    unannotated_weight: float,
    type_map: dict[str, str] | None,
    type_rules: bool,
    pretrained: str | None,
    silence: float | None = None,
) -> "MRCARelations":
    """Make the component `mrca_relations`, which writes `doc._.relations`.

    Args:
        model: the network: `kgmrca.DocumentMRCA.v1`, which scores pairs of entities of a document, or
            `kgmrca.PairMRCA.v1` or `kgmrca.MRCA.v1`, which score pairs of spans of a sentence.
        pairs: chooses the pairs to score, `kgmrca.entity_pairs.v1` for the first network and
            `kgmrca.sentence_pairs.v1` for the others. None: that of these which suits the network.
        scope: "document": relations hold between the entities of a document (`doc._.entities`), each of them once, and
            subject and object are the mentions that tell it best. "sentence": they hold between two names of a
            sentence. None: what is stored with the weights, and at first "document" for a network that scores pairs
            of entities, else "sentence".
        loss: what training minimises, one of those in `kgmrca.extraction.relations.loss`.
        threshold: the score from which a label is given. It is one number, or one per label (labels that are left out
            keep the number stored with the weights), or one of the operating points that `kgmrca calibrate` stores:
            "precise", "balanced", "complete". None: what is stored with the weights, which is "balanced" once they are
            calibrated, and 0.5 before.
        spans_key: read the spans from `doc.spans[spans_key]`. None: from `doc.ents`.
        scorer: for `nlp.evaluate` and `spacy train`.
        batch_size: Docs a batch. None: the batch size of `nlp.pipe`.
        unannotated_weight: the weight, from 0 to 1, of a pair as a negative example of a label which no Doc of the
            training data is exhaustively annotated with (see `MRCARelations.get_loss`).
        type_map: the types of entity labels, such as `{"GENE": "MISC"}`, where `types.coarse_type` does not know them
            or another type is wanted. Stored with the weights. What is given here takes precedence over what is stored.
        type_rules: give a label only where the types of subject and object allow it (see `types.find_rules`).
        pretrained: start with the weights of a shipped pipeline; `nlp.initialize()` and `spacy train` go on from them.
            None: no weights, to train from scratch.
        silence: the name of `unannotated_weight` in configs of version 0.1. It is read until version 1.0.
    """
    pipe = MRCARelations(
        nlp.vocab,
        model,
        name,
        pairs=pairs,
        scope=scope,
        loss=loss,
        threshold=threshold,
        spans_key=spans_key,
        scorer=scorer,
        batch_size=batch_size,
        unannotated_weight=unannotated_weight if silence is None else silence,
        type_map=type_map,
        type_rules=type_rules,
    )
    if pretrained:
        pipe.from_disk(shipped_weights(pretrained, SHIPPED) / "mrca_relations")
        pipe._language = pretrained.partition("_")[0]
    pipe._pipeline = _Pipeline(nlp)
    return pipe


class MRCARelations(StoredWeights, TrainablePipe):
    """Gives ordered pairs of entities any number of relation labels each. Made by `nlp.add_pipe("mrca_relations")`."""

    def __init__(
        self,
        vocab: spacy.Vocab,
        model: Model[Features, Floats2d] | Model[Instances, Floats2d] | Model[Facts, Floats2d],
        name: str = "mrca_relations",
        *,
        pairs: PairSuggester | EntityPairSuggester | None = None,
        scope: str | None = None,
        loss: Loss,
        threshold: Threshold | None = None,
        spans_key: str | None = None,
        scorer: Callable[..., dict[str, Any]] | None = None,
        batch_size: int | None = None,
        unannotated_weight: float = 0.3,
        type_map: Mapping[str, str] | None = None,
        type_rules: bool = True,
    ) -> None:
        register_extensions()
        self.vocab, self.model, self.name = vocab, model, name
        self.pairs: Callable[..., Any] = model.attrs["pairs"] if pairs is None else pairs
        if ("scope" in signature(self.pairs).parameters) != self._asks_for_entities:
            fitting = "kgmrca.entity_pairs.v1" if self._asks_for_entities else "kgmrca.sentence_pairs.v1"
            raise InputError(f"The setting [pairs] of '{name}' does not suit its [model]: use '{fitting}', or null.")
        self.loss, self.spans_key, self.scorer = loss, spans_key, scorer
        if not 0 <= unannotated_weight <= 1:
            raise InputError(f"unannotated_weight is a number from 0 to 1, not {unannotated_weight!r}.")
        self.cfg = self._settings()
        self._weights_came_with_it = False  # see `initialize`
        self._weights_checksum = 0
        self._has_warned_of_labels = False
        self._language: str | None = None  # of the texts that the weights learned from, where that is known
        self._pipeline = _Pipeline(None)
        self._warnings_left = ["one"]  # the thread that removes the entry warns; only one thread can
        self._type_map = check_type_map(type_map or {})
        self._threshold: Threshold | None = None
        self.scope = scope
        self.batch_size, self.unannotated_weight, self.type_rules = batch_size, unannotated_weight, type_rules
        self.threshold = threshold

    # What it knows.

    @property
    def labels(self) -> tuple[str, ...]:
        """The relations it can give, in the order of the network's outputs."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> dict[str, list[str]]:
        """What `spacy init labels` stores: the relations, and the entity types the network tells apart."""
        return {"labels": list(self.cfg["labels"]), "types": list(self.cfg["types"])}

    @property
    def type_map(self) -> dict[str, str]:
        """The types of entity labels beside those that `types.coarse_type` knows."""
        return {**self.cfg["type_map"], **self._type_map}

    @property
    def operating_points(self) -> dict[str, float]:
        """The thresholds that have a name; none before `kgmrca calibrate`."""
        return dict(self.cfg["points"])

    @property
    def scope(self) -> str:
        """Between what relations are looked for: "document" or "sentence". Assign None to go back to the stored."""
        stored: str = self.cfg["scope"]
        return stored if self._scope is None else self._scope

    @scope.setter
    def scope(self, value: str | None) -> None:
        if value is not None and value not in SCOPES:
            raise InputError(f"The scope is one of {', '.join(SCOPES)}, not {value!r}.")
        self._scope = value

    @property
    def threshold(self) -> Threshold:
        """The score from which a label is given: a number, one per label, or the name of an operating point.

        Assign None to go back to the threshold that is stored with the weights. Assigning changes the component for
        all who use it; `pipe(..., threshold=...)` takes another threshold for one stream of Docs.
        """
        return self.cfg["threshold"] if self._threshold is None else self._threshold

    @threshold.setter
    def threshold(self, value: Threshold | None) -> None:
        self._check_threshold(value)
        self._threshold = value

    def _check_threshold(self, value: Threshold | None) -> None:
        """Refuse a threshold that is not valid or, once there are weights, names what they do not have."""
        is_name = value is None or (isinstance(value, str) and value in OPERATING_POINTS)
        numbers = value.values() if isinstance(value, Mapping) else [] if is_name else [value]
        if not all(_is_share(number) for number in numbers):
            raise InputError(
                f"A threshold is a number from 0 to 1, one per label, or one of {', '.join(OPERATING_POINTS)}, "
                f"not {value!r}."
            )
        if self.is_built:
            self._check_names(value)

    def _check_names(self, value: Threshold | None) -> None:
        """Refuse names of operating points and labels that the weights do not have."""
        if isinstance(value, str) and value not in self.operating_points:
            known = ", ".join(self.operating_points)
            raise InputError(
                f"'{self.name}' has no operating point '{value}'; it has {known or 'none at all'}. "
                "`kgmrca calibrate` finds operating points. Without them, a threshold is a number from 0 to 1."
            )
        if isinstance(value, Mapping) and (wrong := set(value) - set(self.labels)):
            raise InputError(
                f"The threshold names labels that '{self.name}' does not have: {', '.join(sorted(wrong))}. "
                "They are listed in `nlp.get_pipe(...).labels`."
            )

    def resolve_threshold(self, threshold: Threshold | None = None) -> float | dict[str, float]:
        """A threshold as a number, or as numbers per label. Labels that it leaves out have the stored number.

        Args:
            threshold: see `threshold`. None: the component's own.

        Raises:
            InputError: it is not valid, or the weights have no such operating point or label.
        """
        self._check_threshold(threshold)
        chosen, stored = (
            self.operating_points[value] if isinstance(value, str) else value
            for value in (self.threshold if threshold is None else threshold, self.cfg["threshold"])
        )
        if not isinstance(chosen, Mapping):
            return chosen
        rest = stored if isinstance(stored, Mapping) else dict.fromkeys(self.labels, stored)
        return {**rest, **chosen}

    def _thresholds(self, threshold: Threshold | None = None) -> NDArray[np.float32]:
        """The threshold of each label, [labels]."""
        number = self.resolve_threshold(threshold)
        of_label = number if isinstance(number, Mapping) else dict.fromkeys(self.labels, number)
        return np.array([of_label.get(label, 0.5) for label in self.labels], np.float32)

    def add_label(self, label: str) -> int:
        """Add a relation; possible until the network is made by `initialize` or `from_disk`. Returns 1 if it was new.

        Raises:
            ModelError: the network is there already.
        """
        if label in self.cfg["labels"]:
            return 0
        if self.is_built:
            raise ModelError(f"'{self.name}' is trained on {len(self.labels)} labels; '{label}' needs a new training.")
        self.cfg["labels"].append(label)
        return 1

    @property
    def is_built(self) -> bool:
        """Whether the network's layers are there: it was initialised or loaded."""
        return self._network.is_built

    @property
    def _network(self) -> PairNetwork | MRCANetwork | DocumentNetwork:
        return self.model.shims[0]._model

    @property
    def _asks_for_entities(self) -> bool:
        return isinstance(self._network, DocumentNetwork)

    @property
    def _reader(self) -> SharedReader | None:
        reader = self.model.attrs.get("reader")
        return reader if isinstance(reader, SharedReader) else None

    def digest(self) -> str:
        """A fingerprint of weights and settings (SHA-256, hexadecimal): equal digests, equal answers."""
        settings = {
            **self._stored_cfg(),
            "spans_key": self.spans_key,
            "type_rules": self.type_rules,
            "loss": type(self.loss).__qualname__,
        }
        return hashlib.sha256(self._weights_to_bytes() + json.dumps(settings, sort_keys=True).encode()).hexdigest()

    # Predicting.

    def __call__(self, doc: Doc, *, threshold: Threshold | None = None) -> Doc:
        """Process one Doc.

        Args:
            threshold: as in `pipe`: `nlp(text, component_cfg={"mrca_relations": {"threshold": "precise"}})`.

        Raises:
            InputError: the threshold is not valid, or the weights have no such operating point or label.
        """
        return next(iter(self.pipe([doc], batch_size=1, threshold=threshold)))

    def pipe(
        self, stream: Iterable[Doc], *, batch_size: int = _BATCH_SIZE, threshold: Threshold | None = None
    ) -> Iterator[Doc]:
        """Process a stream of Docs in batches of the configured size, else of `batch_size`.

        Args:
            threshold: the score from which a label is given in this stream; None: the component's `threshold`. spaCy
                hands it on: `nlp.pipe(texts, component_cfg={"mrca_relations": {"threshold": "precise"}})`.

        Raises:
            InputError: the threshold is not valid, or the weights have no such operating point or label.
        """
        if threshold is not None:
            self.resolve_threshold(threshold)  # at once, and not when the first Doc is read
        return self._pipe(stream, self.batch_size or batch_size, threshold)

    def _pipe(self, stream: Iterable[Doc], batch_size: int, threshold: Threshold | None) -> Iterator[Doc]:
        def find(docs: Sequence[Doc]) -> list[list[PlainRelation]]:
            thresholds = self._thresholds(threshold)
            return self._records(docs, thresholds, self._find(docs, thresholds))

        handle_error = self.get_error_handler()
        batches = by_tokens(stream, batch_size) if self._reader else util.minibatch(stream, batch_size)
        # With batches of one Doc, each is to be given before the next one is asked for.
        found = ahead(batches, find) if batch_size > 1 else ((docs, partial(find, docs)) for docs in batches)
        for docs, done in found:
            try:
                self._annotate(docs, done())
            except Exception as error:  # spaCy's way: whoever set a handler decides
                handle_error(self.name, self, docs, error)
            yield from docs

    def predict(self, docs: Iterable[Doc]) -> tuple[Asked, NDArray[np.float32]]:
        """The pairs, and a score between 0 and 1 for each of them and each label, [pairs, labels].

        A label that the type rules forbid has the score 0. Pairs for which they forbid every label are left out. For
        long texts `pipe` needs much less memory, because it keeps only what reaches the threshold.

        Raises:
            ModelError: the component has neither been trained nor loaded.
        """
        return self.score_pairs(docs)

    def score_pairs(self, docs: Iterable[Doc], *, calibrated: bool = True) -> tuple[Asked, NDArray[np.float32]]:
        """What `predict` gives; with `calibrated=False` the scores as the network gives them."""
        docs = list(docs)
        asked = self._ask(docs)
        scores = np.zeros((len(asked.pairs), len(self.labels)), np.float32)
        types = type_numbers(asked.types)
        calibration = self._calibration() if calibrated else None
        for rows, raw in self._raw(docs, asked):
            if calibration is not None:
                raw = scale(raw, *(numbers.to(raw.device) for numbers in calibration))
            scores[rows] = raw.cpu().numpy()
            if self.type_rules and self.cfg["rules"]:
                subject, object_ = types[asked.pairs[rows]].T
                scores[rows] *= self._allowed[subject, object_]
        return asked, scores

    def _find(self, docs: Sequence[Doc], thresholds: NDArray[np.float32]) -> _Found:
        """The pairs, and of the scores that reach the thresholds: which pair, which label, the score."""
        asked = self._ask(docs)
        calibration = self._calibration()
        types = type_numbers(asked.types)
        found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))]
        # Nearly all scores are far below the threshold, so they are compared before they are calibrated.
        lowest = torch.from_numpy(thresholds)
        if calibration is not None:
            lowest = lowest_raw(lowest, *calibration)
        for rows, raw in self._raw(docs, asked):
            pair, label = torch.nonzero((raw >= lowest.to(raw.device)) & (raw > 0), as_tuple=True)
            reached = raw[pair, label]
            if calibration is not None:
                reached = scale(reached, *(numbers.to(raw.device)[label] for numbers in calibration))
            at, column, score = rows[pair.cpu().numpy()], label.cpu().numpy(), reached.cpu().numpy()
            kept = score >= thresholds[column]
            if self.type_rules and self.cfg["rules"]:
                subject, object_ = types[asked.pairs[at]].T
                kept &= self._allowed[subject, object_, column]
            found.append((at[kept], column[kept], score[kept]))
        pairs, labels, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return asked, pairs, labels, scores

    def _ask(self, docs: Sequence[Doc]) -> Asked:
        """The pairs to be scored. Those are left out that can have no label, and those of an entity with itself."""
        self._check_built()
        asked = self._asked(docs)
        if isinstance(asked, Candidates) and self.scope == "document":
            asked = self._with_entities(docs, asked)
        if self.type_rules and self.cfg["rules"]:
            types = type_numbers(asked.types).astype(np.int16)
            possible = np.any(self._allowed, axis=2)
            asked = replace(asked, pairs=asked.pairs[possible[types[asked.pairs[:, 0]], types[asked.pairs[:, 1]]]])
        return asked

    def _with_entities(self, docs: Sequence[Doc], asked: Candidates) -> Candidates:
        """Spans with the entity that each is a mention of."""
        numbers: dict[tuple[int, int, int], int] = {}
        for number in np.unique(asked.doc).tolist():
            plain = get_plain_entities(docs[number], spans_key=self.spans_key, type_map=self.type_map)
            first = len(numbers)
            for (start, end), entity in zip(plain.characters.tolist(), plain.entity.tolist(), strict=True):
                numbers[number, start, end] = first + entity
        # A span of white space only is no mention. It stays, as something of its own.
        entities = np.array([numbers.get(place, -1 - row) for place, row in asked.places()], np.int64)
        different = entities[asked.pairs[:, 0]] != entities[asked.pairs[:, 1]]
        return replace(asked, entity=entities, pairs=asked.pairs[different])

    def _raw(self, docs: Sequence[Doc], asked: Asked) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
        """The network's scores, some at a time: which pairs, and their scores, [pairs, labels]."""
        for rows, features in self._features(docs, asked):
            yield rows, self.loss.scores(xp2torch(self.model.predict(features)))

    def _calibration(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Slope and offset of each label (see `calibration.scale`); None: its scores are not calibrated."""
        if not self.cfg["calibration"]:
            return None
        slope, offset = torch.tensor([self.cfg["calibration"][label] for label in self.labels]).T
        return slope, offset

    def _check_built(self) -> None:
        if not self.is_built:
            raise ModelError(
                f"'{self.name}' has no weights yet: train it (nlp.initialize() starts it), load a trained pipeline, "
                f'or add it with config={{"pretrained": "{SHIPPED}"}}.'
            )

    def set_annotations(
        self,
        docs: Iterable[Doc],
        predicted: tuple[Asked, NDArray[np.float32]],
        *,
        threshold: Threshold | None = None,
    ) -> None:
        """Write `doc._.relations`; a Doc in which nothing was found gets ().

        Args:
            threshold: see `pipe`.
        """
        asked, scores = predicted
        thresholds = self._thresholds(threshold)
        pair, label = _reaching(scores, thresholds)
        docs = list(docs)
        found = asked, pair, label, scores[pair, label]
        self._annotate(docs, self._records(docs, thresholds, found))

    def _annotate(self, docs: Sequence[Doc], records: Sequence[list[PlainRelation]]) -> None:
        """Write `doc._.relations`."""
        for doc, found in zip(docs, records, strict=True):
            set_plain_relations(doc, found)
        if self._warnings_left:
            self._warn(doc for doc, found in zip(docs, records, strict=True) if not found)

    def _records(
        self, docs: Sequence[Doc], thresholds: NDArray[np.float32], found: _Found
    ) -> list[list[PlainRelation]]:
        """The relations of each Doc, given what was found in them with these thresholds.

        What a text does not state is left out (see `_stated`), and so is what contradicts something with a better
        score. A symmetric label is given in both directions.
        """
        records: list[list[PlainRelation]] = []
        for doc, stated in zip(docs, self._stated(docs, thresholds, found), strict=True):
            _complete(stated)
            kept = consistent(
                [(*fact, score) for fact, (score, _) in stated.items()],
                doc.text,
                [mentions[2:] for _, mentions in stated.values()],
            )
            records.append(
                [(*mentions, fact[2], round(score, 4)) for fact, (score, mentions) in compress(stated.items(), kept)]
            )
        return records

    def _stated(self, docs: Sequence[Doc], thresholds: NDArray[np.float32], found: _Found) -> list[_Stated]:
        """What each Doc states of what was found: the best reading of each pair of entities and label."""
        asked, pair, label, score = found
        subject, object_ = (asked.ids if asked.entity is None else asked.entity)[asked.pairs[pair]].T
        order = np.lexsort((-score, label, object_, subject))
        named = np.stack([subject, object_, label], 1)[order]
        first = np.flatnonzero(np.append(True, (np.diff(named, axis=0) != 0).any(1))[: len(order)])
        doc_of = asked.doc[asked.pairs[pair[order[first]], 0]].tolist()
        texts = list(map(Text, docs))
        stated: list[_Stated] = [{} for _ in docs]
        unsure: defaultdict[int, list[_Fact]] = defaultdict(list)
        for number, (start, end) in zip(doc_of, pairwise([*first.tolist(), len(order)]), strict=True):
            best = best_stated(texts[number], asked, pair[order[start:end]])
            if best is not None:
                one, other, column = named[start].tolist()
                fact = one, other, self.cfg["labels"][column]
                stated[number][fact] = float(score[order[start + best.row]]), best.mentions
                if best.is_denied_elsewhere:
                    unsure[number].append(fact)
        for number, some in unsure.items():
            again = self._read_again(texts[number], number, asked, thresholds)
            for fact in some:
                if fact in again:
                    stated[number][fact] = again[fact]
                else:
                    del stated[number][fact]
        return stated

    def _read_again(self, text: Text, number: int, asked: Asked, thresholds: NDArray[np.float32]) -> _Stated:
        """What is found in a Doc without the sentences that deny something; entities and mentions are its own."""
        found: _Stated = {}
        rest = text.without_denied()
        ids = asked.ids.tolist()
        entity_at = {(start, end): ids[row] for (of, start, end), row in asked.places() if of == number}
        there, pair, label, score = self._find([rest.doc], thresholds)
        order = np.argsort(-score, kind="stable")
        for place, column, one in zip(
            there.arguments(pair[order]).tolist(), label[order].tolist(), score[order].tolist(), strict=True
        ):
            mentions = rest.original(place)
            subject, object_ = entity_at.get(mentions[:2]), entity_at.get(mentions[2:])
            if subject is not None and object_ is not None and text.states(mentions):
                found.setdefault((subject, object_, self.cfg["labels"][column]), (one, mentions))
        return found

    def _warn(self, docs: Iterable[Doc]) -> None:
        """Warn once, saying what to do, if the pipeline is the reason that nothing is found in these Docs, or less."""
        nlp = self._pipeline.nlp
        name = next((name for name, pipe in (nlp.components if nlp else ()) if pipe is self), self.name)
        nothing = (
            why_nothing(
                doc,
                nlp=nlp,
                name=name,
                spans_key=self.spans_key,
                language=self._language,
                is_known=self._knows_type_of,
            )
            for doc in docs
        )
        late = late_coreference(nlp, name) if self.scope == "document" else None
        reason = next((reason for reason in chain([late], nothing) if reason is not None), None)
        if reason is not None:
            with contextlib.suppress(IndexError):  # another thread was first
                self._warnings_left.pop()
                warnings.warn(reason, stacklevel=2)

    def _knows_type_of(self, label: str) -> bool:
        name = coarse_type(label, self.type_map)
        return name in TYPES or name in self.cfg["types"]

    def _asked(self, docs: Sequence[Doc]) -> Asked:
        """The pairs, with the types of `types.coarse_type` for those of the recognizer."""
        if self._asks_for_entities:
            asked: Passages = self.pairs(docs, spans_key=self.spans_key, scope=self.scope, type_map=self.type_map)
            return asked
        candidates: Candidates = self.pairs(docs, spans_key=self.spans_key)
        types = {name: coarse_type(name, self.type_map) for name in set(candidates.types)}
        return replace(candidates, types=[types[name] for name in candidates.types])

    def _features(
        self, docs: Sequence[Doc], asked: Asked, *, at_once: bool = False
    ) -> Iterator[tuple[NDArray[np.int64], Features | Instances | Facts]]:
        """What the network is given, some pairs (rows) at a time, or for all pairs `at_once`."""
        features = self.model.attrs["features"]
        if isinstance(asked, Passages):
            return iter(features(docs, asked, self.cfg["types"], at_once=at_once))
        return iter([(np.arange(len(asked.pairs)), features(docs, asked, self.cfg["types"]))])

    # Training.

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, list[str]] | None = None,
    ) -> None:
        """Make a fresh network for the labels and entity types of the examples (or of `labels`, from `label_data`).

        Weights that came with the component stay as they are: those of `pretrained`, and those of `from_disk` and
        `from_bytes`, by which `spacy.load` and `source` read a component. `nlp.initialize()`, `spacy assemble` and
        training then go on from them. A component that was added with `pretrained` null is trained from scratch, also
        when it is initialised a second time.

        Raises:
            ModelError: there are no labels, neither given nor in the examples; or there are labels that the weights
                that came with the component do not have. The component is as it was before.
        """
        validate_get_examples(get_examples, "MRCARelations.initialize")
        gold = self._read_gold(get_examples())
        if self._weights_came_with_it:
            self._check_labels({*gold.counts, *(labels["labels"] if labels else ())})
            return
        kept = [] if self.is_built else self.labels
        names = sorted({*gold.counts, *kept}) if labels is None else list(labels["labels"])
        types = sorted(gold.types) if labels is None else list(labels["types"])
        if not names:
            raise ModelError(
                f"'{self.name}' found no relation in the training examples: is doc._.relations set on the reference "
                "Docs, and does the reader keep it (`kgmrca.Corpus.v1` does)?"
            )
        # The operating points and the calibration were those of other weights.
        if self.operating_points and isinstance(self._threshold, str):
            self._threshold = None
        threshold = 0.5 if isinstance(self.cfg["threshold"], str) else self.cfg["threshold"]
        self.cfg.update(
            labels=names,
            types=types,
            rules=find_rules(gold.combinations, names),
            complete=sorted(names if gold.exhaustive is None else gold.exhaustive),
            calibration={},
            points={},
            threshold=threshold,
        )
        self._build()
        prior = torch.tensor([gold.counts.get(label, 0) / max(gold.n_pairs, 1) for label in names])
        with torch.no_grad():
            self._network.labels.bias.copy_(self.loss.start(prior))

    def _read_gold(self, examples: Iterable[Example]) -> Gold:
        gold = Gold()
        for batch in util.minibatch(examples, self.batch_size or _BATCH_SIZE):
            # Of the reference Docs, because `annotating_components` set the entities of the others only while training.
            docs = [example.reference for example in batch]
            gold.add_docs(docs, self._asked(docs))
        return gold

    def _check_labels(self, labels: set[str]) -> None:
        """Refuse labels that the weights do not have."""
        if unknown := sorted(labels - set(self.labels)):
            raise ModelError(
                f"'{self.name}' came with weights for {len(self.labels)} labels, and initialising keeps them. The "
                f"examples have {len(unknown)} others ({', '.join(unknown[:5])}{', ...' if unknown[5:] else ''}). To "
                'train on those labels from scratch, add the component with config={"pretrained": None} '
                "(`pretrained = null` in a config)."
            )

    def _build(self) -> None:
        self._check_names(self._threshold)
        self._allowed = allowed(self.cfg["rules"], self.labels)
        words, network = self.model.attrs["words"], self._network
        n_types, n_outputs = len(self.cfg["types"]), len(self.cfg["labels"]) + self.loss.extra_outputs
        if isinstance(network, DocumentNetwork):
            width = self._reader.width if self._reader else None
            network.build(state_width=width, vector_width=words.width, n_types=n_types, n_outputs=n_outputs)
        else:
            network.build(words=words.encoder(self.vocab), n_types=n_types, n_outputs=n_outputs)
        self._network.to(get_torch_default_device())
        self._weights_came_with_it = False

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch. `drop` has no effect: dropout is an argument of the architecture."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        self._check_built()
        examples = list(examples)
        validate_examples(examples, "MRCARelations.update")
        self._warn_of_labels(examples)
        docs = [example.predicted for example in examples]
        asked = self._asked(docs)
        if not len(asked.pairs):
            return losses
        rows, features = next(self._features(docs, asked, at_once=True))
        outputs, backprop = self.model.begin_update(features)
        loss, gradient = self.get_loss(examples, (replace(asked, pairs=asked.pairs[rows]), outputs))
        backprop(gradient)
        self._language = self.vocab.lang  # from now on that of the examples
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def _warn_of_labels(self, examples: Iterable[Example]) -> None:
        """Warn once of labels in the examples that cannot be learned, because the weights do not have them."""
        labels = {label for example in examples for *_, label, _ in get_plain_relations(example.reference) or ()}
        if (unknown := sorted(labels - set(self.labels))) and not self._has_warned_of_labels:
            self._has_warned_of_labels = True
            warnings.warn(
                f"'{self.name}' does not learn {', '.join(unknown[:5])}{', ...' if unknown[5:] else ''}, because its "
                "weights do not have these labels. To train on them from scratch, add the component with "
                "pretrained = null.",
                stacklevel=3,
            )

    def get_loss(self, examples: Iterable[Example], scores: tuple[Asked, Floats2d]) -> tuple[float, Floats2d]:
        """The loss of a batch and its gradient with respect to the network's outputs, [pairs, labels].

        The score of a gold relation says how true it is. What a pair without a label counts as a negative example of
        that label depends on the annotation (see `corpora.annotated.exhaustively_annotated`):

        - 1 if its Doc is annotated exhaustively with the label;
        - `unannotated_weight` if no Doc of the training data is annotated exhaustively with the label;
        - 0 if only other Docs are annotated exhaustively with the label.
        """
        asked, raw = scores
        outputs = xp2torch(raw, requires_grad=True)
        weight = {label: 0.0 if label in self.cfg["complete"] else self.unannotated_weight for label in self.labels}
        targets, known = (
            torch.as_tensor(part, device=outputs.device)
            for part in make_targets(list(examples), asked, self.labels, weight)
        )
        loss = self.loss(outputs, targets, known)
        torch.autograd.backward(loss)
        return loss.item(), torch2xp(outputs.grad)

    def score(self, examples: Iterable[Example], **options: Any) -> dict[str, Any]:
        """Score examples with the `scorer` of the settings, which is told the scope."""
        return super().score(examples, **{"scope": self.scope, **options})

    # Storing: settings as JSON (Python's own, which keeps every digit of a float), weights as safetensors.

    def _stored_cfg(self) -> dict[str, Any]:
        return {
            **self.cfg,
            "threshold": self.threshold if isinstance(self.threshold, str) else self.resolve_threshold(),
            "type_map": self.type_map,
            "scope": self.scope,
            "built": self.is_built,
            **({"reader": self._reader.state()} if self._reader else {"words": self.model.attrs["words"].state()}),
        }

    def _settings(self) -> dict[str, Any]:
        """What is stored beside the weights, as it is at first.

        The keys are part of the file format and of `digest`, so they keep their names.
        """
        return {
            "labels": [],
            "types": [],
            "threshold": 0.5,
            "type_map": {},
            "rules": {},  # see `types.find_rules`
            "complete": [],  # labels that some training Doc is annotated exhaustively with
            "calibration": {},  # label -> slope and offset (see `calibration.scale`); empty: scores are raw
            "points": {},  # the operating points: name -> threshold
            "scope": self.model.attrs["scope"],
        }

    def _weights_to_bytes(self) -> bytes:
        return to_safetensors(self._network)

    def _restore(self, cfg: str | bytes, weights: bytes) -> None:
        settings = json.loads(cfg)
        built, words, read_by = settings.pop("built"), settings.pop("words", None), settings.pop("reader", None)
        if (read_by is None) != (self._reader is None):
            raise ModelError(
                f"The weights of '{self.name}' do not fit its [model] settings: they belong to "
                f"{'no' if read_by is None else 'a'} shared reader. Give it the architecture that they were trained "
                "with, or pretrained = null."
            )
        try:
            if self._reader:
                self._reader.check(read_by)
            else:
                self.model.attrs["words"].restore(words, self.vocab)
        except ModelError as error:
            raise ModelError(f"'{self.name}' cannot be loaded. {error}") from error
        self.cfg = {**self._settings(), **settings}  # what was stored by an earlier version lacks some
        if built:
            self._build()
            self._load_weights(self._network, self._tensors(weights))
        self._weights_came_with_it = built
        if (checksum := zlib.crc32(weights)) != self._weights_checksum:
            self._weights_checksum, self._language = checksum, self.vocab.lang


class _Pipeline:
    """The pipeline that a component was made for, as long as it is there; not stored, and not taken to other processes.

    A component that held its pipeline would take all of it along wherever it is pickled.
    """

    def __init__(self, nlp: Language | None) -> None:
        self._nlp = (lambda: None) if nlp is None else weakref.ref(nlp)

    @property
    def nlp(self) -> Language | None:
        return self._nlp()

    def __reduce__(self) -> tuple[type["_Pipeline"], tuple[None]]:
        return _Pipeline, (None,)


def _reaching(
    scores: NDArray[np.float32], thresholds: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of the scores that reach the threshold of their column.

    The type rules set a score to 0. Such a label is not given, whatever the threshold.
    """
    row, column = np.nonzero((scores >= thresholds) & (scores > 0))
    return row, column


def _complete(stated: _Stated) -> None:
    """Give the facts with a symmetric label in both directions, with the better score and what it was read from."""
    symmetric = symmetric_labels()
    for (subject, object_, label), (score, (a, b, c, d)) in list(stated.items()):
        exchanged = object_, subject, label
        if label in symmetric and (exchanged not in stated or stated[exchanged][0] < score):
            stated[exchanged] = score, (c, d, a, b)


def _is_share(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= 1


def relation_pipe(nlp: Language, *, disabled: bool = False) -> tuple[str, MRCARelations]:
    """The name of the relation component in a pipeline, and the component.

    Args:
        disabled: take one that is disabled where none is active.

    Raises:
        ModelError: there is none.
    """
    names = [name for name in nlp.component_names if nlp.get_pipe_meta(name).factory == "mrca_relations"]
    active = [name for name in names if name in nlp.pipe_names]
    for name in active or names * disabled:
        return name, nlp.get_pipe(name)
    if names:
        raise ModelError(f"The component '{names[0]}' of the pipeline is disabled: nlp.enable_pipe('{names[0]}').")
    raise ModelError(f"The pipeline has no component 'mrca_relations' (it has: {', '.join(nlp.pipe_names) or 'none'}).")
