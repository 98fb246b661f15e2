"""The spaCy component `mrca_entities`: named entities by a network that reads windows of sentences."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import ArgsKwargs, Config, Model, Optimizer, PyTorchWrapper_v3, torch2xp, xp2torch
from thinc.types import Floats2d
from thinc.util import get_torch_default_device
from torch import Tensor

from kgmrca.errors import InputError, ModelError, ResourceError
from kgmrca.extraction.encoder.reader import Reader
from kgmrca.extraction.encoder.shared import DocStates, SharedReader, by_tokens, read_states
from kgmrca.extraction.encoder.shim import TorchShim, as_tensors, to_safetensors
from kgmrca.extraction.encoder.storing import StoredWeights
from kgmrca.extraction.encoder.windows import Inputs, Tokens, batches, cut, make_inputs, read_tokens, rows_of
from kgmrca.extraction.encoder.words import WordTable
from kgmrca.extraction.entities.network import EntityNetwork, loss_of_allowed
from kgmrca.extraction.entities.tags import Tags
from kgmrca.names import is_picture
from kgmrca.resources import ENTITIES, READER, shipped_weights

__all__ = ["EntityRecognizer", "build_entity_tagger", "make_mrca_entities"]

DEFAULT_CONFIG = Config().from_str("""
[model]
@architectures = "kgmrca.EntityTagger.v1"

[scorer]
@scorers = "spacy.ner_scorer.v1"
""")

Found: TypeAlias = list[tuple[int, int, int]]
"""Entities of a Doc: start, end (tokens, end exclusive) and number of the label."""


@dataclass(frozen=True, slots=True)
class States:
    """What the network is given of windows that the shared reader has read; see `network.EntityNetwork.forward`."""

    states: Tensor
    lengths: NDArray[np.int64]
    scheme: NDArray[np.int64]


def build_entity_tagger(
    words: WordTable | None = None,
    hidden_width: int = 200,
    rows: int = 16_384,
    feature_width: int = 96,
    scheme_width: int = 16,
    tag_width: int = 128,
    dropout: float = 0.3,
) -> Model[Inputs | States, Floats2d]:
    """The network of the recognizer (`kgmrca.EntityTagger.v1`): `network.EntityNetwork`.

    Over a shared reader only `tag_width` and `dropout` matter; the others are of a reader of its own. Its layers are
    made when the component learns its labels, or is loaded. Its dropout is an argument here because
    spaCy's `[training] dropout` does not reach torch.

    Args:
        words: static vectors of words, `kgmrca.WordTable.v1`. None: the word table that ships.
        hidden_width, rows, feature_width, scheme_width, tag_width, dropout: see `network.EntityNetwork`.
    """
    words = words or WordTable.named()
    network = EntityNetwork(
        vector_width=words.width,
        rows=rows,
        feature_width=feature_width,
        scheme_width=scheme_width,
        hidden_width=hidden_width,
        tag_width=tag_width,
        dropout=dropout,
    )
    model: Model[Inputs | States, Floats2d] = PyTorchWrapper_v3(network, convert_inputs=_convert_inputs)
    model.shims[0] = TorchShim(network)
    model.attrs.update(words=words)
    return model


def _convert_inputs(model: Model, inputs: Inputs | States, is_train: bool) -> tuple[ArgsKwargs, object]:
    # thinc's own conversion asks for gradients of every array, which whole numbers cannot have.
    return ArgsKwargs(args=(), kwargs=as_tensors(inputs, model.shims[0].device)), lambda _: []


@Language.factory(
    "mrca_entities",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={**DEFAULT_CONFIG, "scheme": None, "max_tokens": 256, "pretrained": ENTITIES, "reader": READER},
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_mrca_entities(
    nlp: Language,
    name: str,
    model: Model[Inputs | States, Floats2d],
    scheme: str | None,
    max_tokens: int,
    scorer: Callable[..., dict[str, Any]] | None,
    pretrained: str | None,
    reader: str | None,
) -> "EntityRecognizer":
    """Make the component `mrca_entities`, which sets `doc.ents`.

    Args:
        model: the network, `kgmrca.EntityTagger.v1`.
        scheme: by which of the `schemes` that it was trained on it annotates. None: as is stored with the weights;
            "": it is not told, and goes by the text.
        max_tokens: the longest window that a reader of its own reads at once. A longer text is cut behind full stops.
            A shared reader has its own measure.
        scorer: for `nlp.evaluate` and `spacy train`.
        pretrained: start with the weights that ship under this name; `nlp.initialize()` and `spacy train` go on from
            them. None: no weights, to train from scratch.
        reader: the shared reader whose states it uses, by name or folder; only what is above it is trained. None: a
            reader of its own, which is trained with it. If `pretrained` is given too, it starts as a copy of the one
            that those weights need. Weights that were stored with a reader of their own keep it in any case.
    """
    pipe = EntityRecognizer(nlp.vocab, model, name, scheme=scheme, max_tokens=max_tokens, scorer=scorer, reader=reader)
    return pipe.from_disk(shipped_weights(pretrained, ENTITIES)) if pretrained else pipe


class EntityRecognizer(StoredWeights, TrainablePipe):
    """Finds named entities and their types. Made by `nlp.add_pipe("mrca_entities")`.

    Entities that are there already stay, and those found that overlap with one of them are dropped. White space and
    invisible characters change nothing: no entity starts or ends with a token of them, but one may lie inside. Only
    where a line closes, as a headline or an item of a list does, no entity goes on behind it (see `encoder.lines`).

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> pipe = nlp.add_pipe("mrca_entities")
    >>> [(ent.text, ent.label_) for ent in nlp("Ada Lovelace moved to London in 1835.").ents]
    [('Ada Lovelace', 'PER'), ('London', 'LOC'), ('1835', 'TIME')]
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Inputs | States, Floats2d],
        name: str = "mrca_entities",
        *,
        scheme: str | None = None,
        max_tokens: int = 256,
        scorer: Callable[..., dict[str, Any]] | None = None,
        reader: str | None = None,
    ) -> None:
        if max_tokens < 1:
            raise InputError(f"max_tokens must be at least 1, not {max_tokens}.")
        self.vocab, self.model, self.name, self.scorer = vocab, model, name, scorer
        self.max_tokens = max_tokens
        self.cfg: dict[str, Any] = {"labels": [], "schemes": [], "scheme": ""}
        self._scheme = scheme
        self.reader = SharedReader.named(reader) if reader else None
        self._weights_came_with_it = False  # see `initialize`

    # What it knows.

    @property
    def labels(self) -> tuple[str, ...]:
        """The types of entities it can give."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """What `spacy init labels` stores."""
        return list(self.cfg["labels"])

    @property
    def schemes(self) -> tuple[str, ...]:
        """The names of the annotation schemes it can follow; none if it was trained on one."""
        return tuple(self.cfg["schemes"])

    @property
    def scheme(self) -> str:
        """The scheme it follows; "" if it is not told one. Assign None to go back to the stored."""
        return self.cfg["scheme"] if self._scheme is None else self._scheme

    @scheme.setter
    def scheme(self, value: str | None) -> None:
        if value and self.is_built and value not in self.schemes:
            raise InputError(
                f"'{self.name}' knows no scheme '{value}', but: {', '.join(self.schemes) or 'none at all'}."
            )
        self._scheme = value

    def add_label(self, label: str) -> int:
        """Add a type; possible until the network is made by `initialize` or `from_disk`. Returns 1 if it was new.

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
        return hasattr(self.network, "head")

    @property
    def network(self) -> EntityNetwork:
        """The torch network."""
        return self.model.shims[0]._model

    # Predicting.

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Set the entities of many Docs, in batches of at most `batch_size`."""
        for docs in by_tokens(stream, batch_size):
            try:
                self.set_annotations(docs, self.predict(docs))
                yield from docs
            except Exception as error:  # spaCy's way: whoever set a handler decides
                self.get_error_handler()(self.name, self, docs, error)

    def predict(self, docs: Iterable[Doc]) -> list[Found]:
        """The entities of each Doc.

        Raises:
            ModelError: the component has neither been trained nor loaded.
        """
        self._check_built()
        docs = list(docs)
        tokens, read = self._read(docs)
        tags = np.zeros(len(tokens.word), np.int64)
        before = np.cumsum([0, *map(len, docs)])
        is_space = np.concatenate([np.zeros(0, bool), *(doc.to_array(IS_SPACE) == 1 for doc in docs)])
        closed = is_space[before[tokens.doc] + tokens.token]  # a line break that is read as a full stop
        for windows, inputs in read:
            rows = rows_of(windows)
            scores = xp2torch(self.model.predict(inputs)).cpu()
            scores[torch.from_numpy(closed[rows]), 1:] = -torch.inf  # no entity goes on behind it
            tags[rows] = self._tags.best(scores, inputs.lengths)
        found: list[Found] = [[] for _ in docs]
        for start, end, kind in self._tags.decode(tags):
            first, last = tokens.token[start], tokens.token[end - 1]
            found[tokens.doc[start]].append((int(first), int(last) + 1, kind))
        return found

    def set_annotations(self, docs: Iterable[Doc], predicted: Sequence[Found]) -> None:
        """Set `doc.ents`."""
        for doc, found in zip(docs, predicted, strict=True):
            there = list(doc.ents)
            taken = {token for span in there for token in range(span.start, span.end)}
            new = [
                Span(doc, start, end, label=self.cfg["labels"][kind])
                for start, end, kind in (_without_pictures(doc, *one) for one in found)
                if start < end and taken.isdisjoint(range(start, end))
            ]
            doc.set_ents(there + new)

    def _read(self, docs: Sequence[Doc]) -> tuple[Tokens, Iterator[tuple[NDArray[np.int64], Inputs | States]]]:
        """The tokens of Docs, and batches of their windows, with what the network is given of these."""
        if self.reader is None:
            tokens = read_tokens(docs)
            windows = cut(tokens, self.max_tokens)
            return tokens, ((windows[some], self._inputs(tokens, windows[some])) for some in batches(windows))
        known = read_states(docs, self.reader)
        windows = cut(known.tokens, self.reader.max_tokens)
        return known.tokens, ((windows[some], self._states(known, windows[some])) for some in batches(windows))

    def _inputs(self, tokens: Tokens, windows: NDArray[np.int64]) -> Inputs:
        return make_inputs(tokens, windows, self.model.attrs["words"], self.network.rows, self._scheme_number)

    def _states(self, known: DocStates, windows: NDArray[np.int64]) -> States:
        lengths = windows[:, 1] - windows[:, 0]
        return States(known.rows(rows_of(windows)), lengths, np.full(len(windows), self._scheme_number))

    @property
    def _scheme_number(self) -> int:
        return self.schemes.index(self.scheme) if self.scheme else len(self.schemes)

    def _check_built(self) -> None:
        if not self.is_built:
            raise ModelError(
                f"'{self.name}' has no weights yet: train it (nlp.initialize() starts it), load a trained pipeline, "
                f'or add it with config={{"pretrained": "{ENTITIES}"}}.'
            )

    # Training.

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Make a fresh network for the types of entities in the examples (or for `labels`, from `label_data`).

        Weights that came with the component stay as they are: those of `pretrained`, and those of `from_disk` and
        `from_bytes`, by which `spacy.load` and `source` read a component. `nlp.initialize()`, `spacy assemble` and
        training then go on from them. A component that was added with `pretrained` null is trained from scratch, also
        when it is initialised a second time.

        Raises:
            ModelError: there are no types, neither given nor in the examples; or there are types that the weights that
                came with the component do not have. The component is as it was before.
        """
        validate_get_examples(get_examples, "EntityRecognizer.initialize")
        if self._weights_came_with_it:
            self._check_labels({*_types(get_examples()), *(labels or ())})
            return
        found = _types(get_examples()) if labels is None else ()
        added = [] if self.is_built else self.cfg["labels"]
        names = sorted({*found, *added}) if labels is None else list(labels)
        if not names:
            raise ModelError(f"'{self.name}' found no entity in the training examples: is doc.ents set on them?")
        self.build(names)

    def _check_labels(self, labels: set[str]) -> None:
        """Refuse types that the weights do not have."""
        if unknown := sorted(labels - set(self.labels)):
            raise ModelError(
                f"'{self.name}' came with weights for {', '.join(self.labels)}, and initialising keeps them. The "
                f"examples have other types ({', '.join(unknown[:5])}{', ...' if unknown[5:] else ''}). To train on "
                'those from scratch, add the component with config={"pretrained": None} (`pretrained = null` in a '
                "config)."
            )

    def build(self, labels: Sequence[str], *, schemes: Sequence[str] = (), scheme: str = "") -> None:
        """Make a fresh network.

        Args:
            labels: the types of entities.
            schemes: the names of the annotation schemes it is trained on.
            scheme: the one it follows unless something else is set; "": it is not told.
        """
        self.cfg = {"labels": list(labels), "schemes": list(schemes), "scheme": scheme}
        self._build()

    def _build(self) -> None:
        self._tags = Tags(self.labels)
        width = self.reader.width if self.reader else None
        self.network.build(n_tags=self._tags.count, n_schemes=len(self.schemes), state_width=width)
        self.network.to(get_torch_default_device())
        self.model.shims[0] = TorchShim(self.network)
        self.scheme = self._scheme  # now that it can be checked
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
        validate_examples(examples, "EntityRecognizer.update")
        inputs = self._to_learn([example.predicted for example in examples])
        if not len(inputs.lengths):
            return losses
        scores, backprop = self.model.begin_update(inputs)
        loss, gradient = self.get_loss(examples, scores)
        backprop(gradient)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def _to_learn(self, docs: Sequence[Doc]) -> Inputs | States:
        """What the network is given of all windows at once."""
        if self.reader is None:
            tokens = read_tokens(docs)
            return self._inputs(tokens, cut(tokens, self.max_tokens))
        known = read_states(docs, self.reader)
        return self._states(known, cut(known.tokens, self.reader.max_tokens))

    def get_loss(self, examples: Iterable[Example], scores: Floats2d) -> tuple[float, Floats2d]:
        """The mean loss of the tokens that are not white space, and its gradient with respect to the scores.

        Tokens of which the reference says nothing, and those of types that the network does not know, count nothing.
        """
        outputs = xp2torch(scores, requires_grad=True)
        allowed = torch.as_tensor(self._allowed(list(examples)), device=outputs.device)
        loss = loss_of_allowed(outputs, allowed).mean()
        torch.autograd.backward(loss)
        return loss.item(), torch2xp(outputs.grad)

    def _allowed(self, examples: Sequence[Example]) -> NDArray[np.bool_]:
        """Which tags each token that is read may have, [tokens, tags]."""
        tokens = read_tokens([example.predicted for example in examples])
        names = [name for example in examples for name in example.get_aligned_ner()]
        before = np.cumsum([0, *(len(example.predicted) for example in examples)])
        rows = (before[tokens.doc] + tokens.token).tolist()
        table = {"O": 0} | {
            f"{place}-{label}": 1 + 4 * kind + number
            for kind, label in enumerate(self.labels)
            for number, place in enumerate("BILU")
        }
        tags = np.array([table.get(names[row] or "", -1) for row in rows], np.int64)
        allowed: NDArray[np.bool_] = tags[:, None] == np.arange(self._tags.count)
        allowed[tags < 0] = True
        return allowed

    # Storing: settings as JSON, weights as safetensors.

    def _stored_cfg(self) -> dict[str, Any]:
        needs = {"reader": self.reader.state()} if self.reader else {"words": self.model.attrs["words"].state()}
        return {**self.cfg, "scheme": self.scheme, "built": self.is_built, **needs}

    def _weights_to_bytes(self) -> bytes:
        return to_safetensors(self.network)

    def _restore(self, cfg: str | bytes, weights: bytes) -> None:
        settings = json.loads(cfg)
        built, words, needed = settings.pop("built"), settings.pop("words", None), settings.pop("reader", None)
        tensors = self._tensors(weights) if built else {}
        try:
            if needed is None:  # it has a reader of its own
                self.model.attrs["words"].restore(words, self.vocab)
                self.reader = None
            else:
                shared = self.reader or SharedReader.named(needed["name"])
                shared.check(needed)
                if self.reader is None and built:
                    tensors |= _copied(shared.network, len(settings["schemes"]))
        except (ModelError, ResourceError) as error:
            raise ModelError(f"'{self.name}' cannot be loaded. {error}") from error
        self.cfg = settings
        if built:
            self._build()
            self._load_weights(self.network, tensors)
        self._weights_came_with_it = built


def _types(examples: Iterable[Example]) -> set[str]:
    """The types of entities in the reference Docs."""
    return {span.label_ for example in examples for span in example.reference.ents}


def _copied(reader: Reader, n_schemes: int) -> dict[str, Tensor]:
    """The weights of a shared reader as those of one of its own, which knows so many schemes."""
    weights = {f"reader.{name}": tensor.cpu() for name, tensor in reader.state_dict().items()}
    return {**weights, "reader.scheme.weight": reader.scheme.weight.cpu().repeat(n_schemes + 1, 1)}


def _without_pictures(doc: Doc, start: int, end: int, kind: int) -> tuple[int, int, int]:
    """An entity without the emoji and flags around it; one of nothing else is empty."""
    while start < end and is_picture(doc[start].text):
        start += 1
    while start < end and is_picture(doc[end - 1].text):
        end -= 1
    return start, end, kind
