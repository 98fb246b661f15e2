"""The spaCy component `mrca_relations`."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from spacy import util
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from thinc.api import Config, Model, Optimizer, torch2xp, xp2torch
from thinc.types import Floats2d
from thinc.util import get_torch_default_device

from kgmrca.corpora.annotated import labelled
from kgmrca.errors import InputError, ModelError
from kgmrca.relations import Record, get_records, register_extensions, set_records
from kgmrca.resources import resource
from kgmrca.tagging.features import Features, Instances, coarse_type
from kgmrca.tagging.loss import Loss
from kgmrca.tagging.network import MRCANetwork, PairNetwork
from kgmrca.tagging.pairs import Candidates, PairSuggester

__all__ = ["SHIPPED", "MRCARelations", "load", "make_mrca_relations"]

SHIPPED = "en_kgmrca_sm"
"""The pipeline that ships with the package."""

DEFAULT_CONFIG = Config().from_str("""
[model]
@architectures = "kgmrca.PairMRCA.v1"

[pairs]
@misc = "kgmrca.sentence_pairs.v1"

[loss]
@misc = "kgmrca.BCE.v1"

[scorer]
@scorers = "kgmrca.relation_scorer.v1"
""")

_BATCH_SIZE = 128  # Docs, where nobody says otherwise

# `nlp.pipe(n_process=2)` forks on Linux. A fork has no OpenMP threads of its own and would wait for ever for those of
# its parent, so it must not ask for any.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def load() -> Language:
    """The shipped pipeline: tokens -> sentences -> entities -> relations over Wikidata properties."""
    return spacy.load(resource(f"pipelines/{SHIPPED}"))


@Language.factory(
    "mrca_relations",
    requires=["doc.ents"],
    assigns=["doc._.relations"],
    default_config={
        **DEFAULT_CONFIG,
        "threshold": None,
        "spans_key": None,
        "batch_size": None,
        "silence": 0.3,
        "pretrained": SHIPPED,
    },
    default_score_weights={"rel_micro_f": 1.0, "rel_micro_p": 0.0, "rel_micro_r": 0.0, "rel_per_type": None},
)
def make_mrca_relations(
    nlp: Language,
    name: str,
    model: Model[Features, Floats2d] | Model[Instances, Floats2d],
    pairs: PairSuggester,
    loss: Loss,
    threshold: float | dict[str, float] | None,
    spans_key: str | None,
    scorer: Callable[..., dict[str, Any]] | None,
    batch_size: int | None,
    silence: float,
    pretrained: str | None,
) -> "MRCARelations":
    """Make the component `mrca_relations`, which writes `doc._.relations`.

    Args:
        model: the network, `kgmrca.PairMRCA.v1` or `kgmrca.MRCA.v1`.
        pairs: which pairs are asked about, `kgmrca.sentence_pairs.v1`.
        loss: what training minimises, one of those in `kgmrca.tagging.loss`.
        threshold: the score from which a label is given: one number, or one per label (others then keep the number
            stored with the weights). None: what is stored with the weights, or 0.5.
        spans_key: read the spans from `doc.spans[spans_key]`. None: from `doc.ents`.
        scorer: for `nlp.evaluate` and `spacy train`.
        batch_size: Docs a batch. None: as many as `nlp.pipe` says.
        silence: what it counts in training, from 0 to 1, that a Doc does not have a label which no Doc of the training
            data is labelled with completely (see `MRCARelations.get_loss`).
        pretrained: start with the weights of a shipped pipeline. None: untrained, for `spacy train`.
    """
    pipe = MRCARelations(
        nlp.vocab,
        model,
        name,
        pairs=pairs,
        loss=loss,
        threshold=threshold,
        spans_key=spans_key,
        scorer=scorer,
        batch_size=batch_size,
        silence=silence,
    )
    return pipe.from_disk(resource(f"pipelines/{pretrained}/mrca_relations")) if pretrained else pipe


class MRCARelations(TrainablePipe):
    """Gives ordered pairs of entities any number of relation labels each. Made by `nlp.add_pipe("mrca_relations")`."""

    def __init__(
        self,
        vocab: spacy.Vocab,
        model: Model[Features, Floats2d] | Model[Instances, Floats2d],
        name: str = "mrca_relations",
        *,
        pairs: PairSuggester,
        loss: Loss,
        threshold: float | Mapping[str, float] | None = None,
        spans_key: str | None = None,
        scorer: Callable[..., dict[str, Any]] | None = None,
        batch_size: int | None = None,
        silence: float = 0.3,
    ) -> None:
        register_extensions()
        self.vocab, self.model, self.name = vocab, model, name
        self.pairs, self.loss, self.spans_key, self.scorer = pairs, loss, spans_key, scorer
        self.cfg: dict[str, Any] = {"labels": [], "types": [], "threshold": 0.5}
        self._complete: set[str] = set()  # labels that some training Doc is labelled with completely
        self._threshold: float | Mapping[str, float] | None = None
        self.batch_size, self.silence = batch_size, silence
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
    def threshold(self) -> float | Mapping[str, float]:
        """The score from which a label is given: a number, or one per label. Assign None to go back to the stored."""
        return self.cfg["threshold"] if self._threshold is None else self._threshold

    @threshold.setter
    def threshold(self, value: float | Mapping[str, float] | None) -> None:
        numbers = value.values() if isinstance(value, Mapping) else [] if value is None else [value]
        if not all(isinstance(number, int | float) and 0 <= number <= 1 for number in numbers):
            raise InputError(f"A threshold is a number from 0 to 1, or one per label, not {value!r}.")
        self._check_threshold_labels(value)
        self._threshold = value

    def _check_threshold_labels(self, value: float | Mapping[str, float] | None) -> None:
        if isinstance(value, Mapping) and self.labels and (wrong := set(value) - set(self.labels)):
            raise InputError(
                f"The threshold names labels that '{self.name}' does not have: {', '.join(sorted(wrong))}. "
                "They are listed in `nlp.get_pipe(...).labels`."
            )

    def _resolved(self) -> float | dict[str, float]:
        """The threshold with the stored numbers for the labels that it does not name."""
        stored, chosen = self.cfg["threshold"], self.threshold
        if not isinstance(chosen, Mapping):
            return chosen
        rest = stored if isinstance(stored, Mapping) else dict.fromkeys(self.labels, stored)
        return {**rest, **chosen}

    def _cutoffs(self) -> NDArray[np.float32]:
        cutoffs = self._resolved()
        if not isinstance(cutoffs, Mapping):
            cutoffs = dict.fromkeys(self.labels, cutoffs)
        return np.array([cutoffs.get(label, 0.5) for label in self.labels], np.float32)

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
        return hasattr(self._network, "labels")

    @property
    def _network(self) -> PairNetwork | MRCANetwork:
        return self.model.shims[0]._model

    def digest(self) -> str:
        """A fingerprint of weights and settings (SHA-256, hexadecimal): equal digests, equal answers."""
        settings = {**self._stored_cfg(), "spans_key": self.spans_key, "loss": type(self.loss).__qualname__}
        return hashlib.sha256(self._weights_to_bytes() + json.dumps(settings, sort_keys=True).encode()).hexdigest()

    # Predicting.

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = _BATCH_SIZE) -> Iterator[Doc]:
        """Process a stream of Docs in batches of the configured size, else of `batch_size`."""
        yield from super().pipe(stream, batch_size=self.batch_size or batch_size)

    def predict(self, docs: Iterable[Doc]) -> tuple[Candidates, NDArray[np.float32]]:
        """The pairs asked about, and a score between 0 and 1 for each of them and each label, [pairs, labels].

        Raises:
            ModelError: the component has neither been trained nor loaded.
        """
        self._check_built()
        docs = list(docs)
        candidates = self.pairs(docs, spans_key=self.spans_key)
        outputs = self.model.predict(self._features(docs, candidates))
        return candidates, self.loss.scores(xp2torch(outputs)).cpu().numpy()

    def _check_built(self) -> None:
        if not self.is_built:
            raise ModelError(
                f"'{self.name}' has no weights yet: train it (nlp.initialize() starts it), load a trained pipeline, "
                f'or add it with config={{"pretrained": "{SHIPPED}"}}.'
            )

    def set_annotations(self, docs: Iterable[Doc], predicted: tuple[Candidates, NDArray[np.float32]]) -> None:
        """Write `doc._.relations`; a Doc in which nothing was found gets ()."""
        docs = list(docs)
        candidates, scores = predicted
        pair, label = np.nonzero(scores >= self._cutoffs())
        subject, object_ = candidates.pairs[pair].T
        doc_of = candidates.sentences[candidates.spans[subject, 0], 0]
        found: list[list[Record]] = [[] for _ in docs]
        for doc, (a, b), (c, d), column, score in zip(
            doc_of.tolist(),
            candidates.characters[subject].tolist(),
            candidates.characters[object_].tolist(),
            label.tolist(),
            scores[pair, label].tolist(),
            strict=True,
        ):
            found[doc].append((a, b, c, d, self.cfg["labels"][column], round(score, 4)))
        for doc, records in zip(docs, found, strict=True):
            set_records(doc, records)

    def _features(self, docs: Sequence[Doc], candidates: Candidates) -> Features | Instances:
        return self.model.attrs["features"](docs, candidates, self.cfg["types"])

    # Training.

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, list[str]] | None = None,
    ) -> None:
        """Make a fresh network for the labels and entity types of the examples (or of `labels`, from `label_data`).

        Raises:
            ModelError: there are no labels, neither given nor in the examples.
        """
        validate_get_examples(get_examples, "MRCARelations.initialize")
        counts: dict[str, float] = {}
        types: set[str] = set()
        n_pairs = 0
        for batch in util.minibatch(get_examples(), self.batch_size or _BATCH_SIZE):
            # Of the reference Docs, because `annotating_components` set the entities of the others only while training.
            candidates = self.pairs([example.reference for example in batch], spans_key=self.spans_key)
            n_pairs += len(candidates.pairs)
            types.update(map(coarse_type, candidates.labels))
            for example in batch:
                self._complete |= labelled(example.reference) or set()
                for *_, label, score in get_records(example.reference) or ():
                    counts[label] = counts.get(label, 0) + score
        if labels is not None:
            self.cfg["labels"], self.cfg["types"] = list(labels["labels"]), list(labels["types"])
        else:
            self.cfg["labels"] = sorted({*counts, *([] if self.is_built else self.cfg["labels"])})
            self.cfg["types"] = sorted(types)
        if not self.labels:
            raise ModelError(
                f"'{self.name}' found no relation in the training examples: is doc._.relations set on the reference "
                "Docs, and does the reader keep it (`kgmrca.Corpus.v1` does)?"
            )
        self._build()
        prior = torch.tensor([counts.get(label, 0) / max(n_pairs, 1) for label in self.labels])
        with torch.no_grad():
            self._network.labels.bias.copy_(self.loss.start(prior))

    def _build(self) -> None:
        self._check_threshold_labels(self._threshold)
        self._network.build(
            words=self.model.attrs["words"].encoder(self.vocab),
            n_types=len(self.cfg["types"]),
            n_outputs=len(self.cfg["labels"]) + self.loss.extra_outputs,
        )
        self._network.to(get_torch_default_device())

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
        docs = [example.predicted for example in examples]
        candidates = self.pairs(docs, spans_key=self.spans_key)
        if not len(candidates.pairs):
            return losses
        outputs, backprop = self.model.begin_update(self._features(docs, candidates))
        loss, gradient = self.get_loss(examples, (candidates, outputs))
        backprop(gradient)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: Iterable[Example], scores: tuple[Candidates, Floats2d]) -> tuple[float, Floats2d]:
        """The loss of a batch and its gradient with respect to the network's outputs, [pairs, labels].

        The score of a gold relation says how true it is. That a Doc does not have a label is a "no" only where it is
        labelled with it completely (see `corpora.annotated.labelled`); of a label that no Doc at all is labelled with
        completely, it is a "no" that counts as little as `silence` says.
        """
        candidates, raw = scores
        outputs = xp2torch(raw, requires_grad=True)
        targets, known = (
            torch.as_tensor(part, device=outputs.device) for part in self._targets(list(examples), candidates)
        )
        loss = self.loss(outputs, targets, known)
        torch.autograd.backward(loss)
        return loss.item(), torch2xp(outputs.grad)

    def _targets(
        self, examples: Sequence[Example], candidates: Candidates
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The score of the gold relation with the characters of the pair and the label, and what that counts for."""
        doc_of = candidates.sentences[candidates.spans[:, 0], 0]
        places = zip(doc_of.tolist(), *candidates.characters.T.tolist(), strict=True)
        span_at = {place: row for row, place in enumerate(places)}
        pair_at = {pair: row for row, pair in enumerate(map(tuple, candidates.pairs.tolist()))}
        column = {label: index for index, label in enumerate(self.labels)}
        counts = np.ones((len(examples), len(column)), np.float32)
        silent = np.array([0.0 if label in self._complete else self.silence for label in column], np.float32)
        for number, example in enumerate(examples):
            complete = labelled(example.reference)
            if complete is not None:
                counts[number] = np.where([label in complete for label in column], 1, silent)
        known = counts[doc_of[candidates.pairs[:, 0]]]
        targets = np.zeros_like(known)
        for number, example in enumerate(examples):
            for a, b, c, d, label, score in get_records(example.reference) or ():
                pair = (span_at.get((number, a, b)), span_at.get((number, c, d)))
                if pair in pair_at and label in column:
                    targets[pair_at[pair], column[label]] = score
                    known[pair_at[pair], column[label]] = 1
        return targets, known

    # Storing: settings as JSON (Python's own, which keeps every digit of a float), weights as safetensors.

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Settings and weights in one byte string."""
        serialize = {"cfg": lambda: json.dumps(self._stored_cfg()).encode(), "model": self._weights_to_bytes}
        return util.to_bytes(serialize, exclude)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "MRCARelations":
        """The reverse of `to_bytes`."""
        parts: dict[str, Any] = {}
        util.from_bytes(data, {"cfg": lambda b: parts.update(cfg=b), "model": lambda b: parts.update(model=b)}, exclude)
        self._restore(parts["cfg"], parts.get("model", b""))
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write `cfg` and `model.safetensors` into the folder `path`."""
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        (path / "cfg").write_text(json.dumps(self._stored_cfg()), encoding="utf-8")
        if "model" not in exclude:
            (path / "model.safetensors").write_bytes(self._weights_to_bytes())

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "MRCARelations":
        """The reverse of `to_disk`."""
        path = Path(path)
        weights = path / "model.safetensors"
        data = weights.read_bytes() if weights.is_file() and "model" not in exclude else b""
        self._restore((path / "cfg").read_text(encoding="utf-8"), data)
        return self

    def _stored_cfg(self) -> dict[str, Any]:
        words = self.model.attrs["words"].state()
        return {**self.cfg, "threshold": self._resolved(), "built": self.is_built, "words": words}

    def _weights_to_bytes(self) -> bytes:
        return save_tensors({name: weights.cpu() for name, weights in self._network.state_dict().items()})

    def _restore(self, cfg: str | bytes, weights: bytes) -> None:
        settings = json.loads(cfg)
        built, words = settings.pop("built"), settings.pop("words")
        try:
            self.model.attrs["words"].restore(words, self.vocab)
        except ModelError as error:
            raise ModelError(f"'{self.name}' cannot be loaded. {error}") from error
        self.cfg = settings
        if built:
            self._build()
            try:
                self._network.load_state_dict(load_tensors(weights))
            except (RuntimeError, SafetensorError) as error:
                raise ModelError(f"The weights of '{self.name}' do not fit its [model] settings: {error}") from error


def relation_pipe(nlp: Language) -> tuple[str, MRCARelations]:
    """The name of the relation component in a pipeline, and the component.

    Raises:
        ModelError: there is none.
    """
    for name in nlp.pipe_names:
        if nlp.get_pipe_meta(name).factory == "mrca_relations":
            return name, nlp.get_pipe(name)
    raise ModelError(f"The pipeline has no component 'mrca_relations' (it has: {', '.join(nlp.pipe_names) or 'none'}).")
