"""The spaCy component `coreference`: which mentions of a document mean the same entity."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
import torch
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.util import get_torch_default_device

from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.coreference.beside import gender_of_given_name, is_archaic_pronoun
from kgmrca.extraction.coreference.clusters import Cluster, clusters_by_source, match_name, write_clusters
from kgmrca.extraction.coreference.features import FINAL, find_mentions, pronoun_group
from kgmrca.extraction.coreference.names import Name, first_name, group_names, introduced, without_mistaken
from kgmrca.extraction.coreference.network import PronounNetwork
from kgmrca.extraction.coreference.pronouns import Scene, corrected
from kgmrca.extraction.coreference.ranker import Guess, rank
from kgmrca.extraction.encoder.forms import clean_word
from kgmrca.extraction.encoder.shared import SharedReader, by_tokens, read_states
from kgmrca.extraction.encoder.shim import to_safetensors
from kgmrca.extraction.encoder.storing import StoredWeights
from kgmrca.extraction.encoder.windows import Tokens, read_tokens
from kgmrca.names import normal_name
from kgmrca.resources import COREFERENCE, READER, shipped_weights
from kgmrca.types import coarse_type

__all__ = ["Coreference", "make_coreference"]

_BATCH = 128  # Docs that are read together, at most
_SURE = 0.8  # from which a first name tells the gender: 1 would be a woman, -1 a man


@Language.factory(
    "coreference",
    assigns=["doc.spans"],
    default_config={"threshold": None, "pretrained": COREFERENCE, "reader": READER},
)
def make_coreference(
    nlp: Language, name: str, threshold: float | None, pretrained: str | None, reader: str
) -> "Coreference":
    """Make the component `coreference`, which writes `doc.spans["coref_clusters_1"]`, ...

    Args:
        threshold: how probable it must be that a pronoun means a name, from 0 to 1. None: as is stored with the
            weights.
        pretrained: start with the weights that ship under this name. None: names only, by rules, until weights are
            loaded.
        reader: the shared reader whose states the ranker of pronouns uses, by name or folder.
    """
    pipe = Coreference(nlp.vocab, name, threshold=threshold, reader=reader)
    return pipe.from_disk(shipped_weights(pretrained, COREFERENCE)) if pretrained else pipe


@dataclass(frozen=True, slots=True)
class _Names:
    """The named entities of one Doc, without white space around them.

    Args:
        scene: where they stand among the words of the Doc that can be seen, and what they mean.
        spans: start and end (tokens of the Doc, end exclusive) of each.
        texts: what names of equal text have in common.
        given: tokens and spans that other components say mean an entity -> a name of it.
        left: clusters of others without any name.
    """

    scene: Scene
    spans: list[tuple[int, int]]
    texts: list[str]
    given: dict[tuple[int, int], int]
    left: list[Cluster]


class Coreference(StoredWeights, Pipe):
    """Finds out who is who. Made by `nlp.add_pipe("coreference")`, behind whatever sets `doc.ents`.

    Names are put together by rules: the same name, a short name, an acronym, with or without title. Pronouns (he, she,
    it, they and their other forms) are given the name that a trained ranker finds most probable, if it is sure enough;
    without trained weights pronouns are left alone. What other components have found out is kept (see `clusters`), but
    two entities linked to different items are never put together.

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> ruler = nlp.add_pipe("entity_ruler")
    >>> ruler.add_patterns([{"label": "PERSON", "pattern": "Ann Lee"}, {"label": "GPE", "pattern": "Oslo"}])
    >>> pipe = nlp.add_pipe("coreference")
    >>> doc = nlp("Ann Lee was born in Oslo. She studied in Paris.")
    >>> [(key, [mention.text for mention in mentions]) for key, mentions in doc.spans.items()]
    [('coref_clusters_1', ['Ann Lee', 'She'])]
    """

    _sizes_are_in = "settings"

    def __init__(
        self,
        vocab: Vocab,
        name: str = "coreference",
        *,
        threshold: float | None = None,
        reader: str = READER,
    ) -> None:
        self.vocab, self.name = vocab, name
        self._reader = reader
        self.cfg: dict[str, Any] = {"threshold": 0.35, "network": None}
        self.network: PronounNetwork | None = None
        self.threshold = threshold

    @property
    def threshold(self) -> float:
        """How probable it must be that a pronoun means a name. Assign None to go back to the stored."""
        stored: float = self.cfg["threshold"]
        return stored if self._threshold is None else self._threshold

    @threshold.setter
    def threshold(self, value: float | None) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value <= 1):
            raise InputError(f"The threshold is a number from 0 to 1, or None for the stored one, not {value!r}.")
        self._threshold = value

    @property
    def reader(self) -> SharedReader:
        """The reader whose states the ranker uses."""
        return SharedReader.named(self._reader)

    @property
    def has_ranker(self) -> bool:
        """Whether it has trained weights, and so looks at pronouns."""
        return self.network is not None

    # Predicting.

    def __call__(self, doc: Doc) -> Doc:
        """Write the clusters of one Doc."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = _BATCH) -> Iterator[Doc]:
        """Write the clusters of many Docs."""
        for docs in by_tokens(stream, batch_size):
            try:
                self.set_annotations(docs, self.predict(docs))
                yield from docs
            except Exception as error:
                self.get_error_handler()(self.name, self, docs, error)

    def predict(self, docs: Sequence[Doc]) -> list[list[Cluster]]:
        """The clusters of each Doc, of two or more mentions each, or of a name that is kept apart from an equal one."""
        known = read_states(docs, self.reader) if self.network is not None else None
        tokens = read_tokens(docs) if known is None else known.tokens
        words = _words_of(tokens, len(docs))
        starts = np.searchsorted(tokens.doc, np.arange(len(docs) + 1))
        likely = self._genders({first_name(span.text.split()) for doc in docs for span in doc.ents})
        names = [
            _read_names(doc, tokens.token[start:end].tolist(), text, likely)
            for doc, start, end, text in zip(docs, starts, starts[1:], words, strict=False)
        ]
        if self.network is None or known is None:
            return [_clusters(here, {}) for here in names]
        scenes = [here.scene for here in names]
        mentions = [find_mentions(scene.words, scene.rows, scene.types, scene.entities) for scene in scenes]
        guesses = rank(self.network, self.reader, known, words, mentions)
        found = []
        for number, (here, asked) in enumerate(zip(names, mentions, strict=True)):
            rows = asked.first[asked.is_pronoun]
            places = tokens.token[starts[number] + rows].tolist()
            kinds = [pronoun_group(words[number][row]) for row in rows.tolist()]
            sure = corrected(here.scene, rows.tolist(), guesses[number])
            found.append(_clusters(here, self._chosen(places, kinds, sure)))
        return found

    def _genders(self, words: Iterable[str]) -> dict[str, str]:
        """The gender of most people with a first name, of those where the ranker is nearly sure."""
        asked = sorted(filter(None, words))
        if self.network is None or not asked:
            return {}
        with torch.inference_mode():
            found = self.network.gender(self.reader.look_up(asked)).tolist()
        return {word: "f" if sex > 0 else "m" for word, sex in zip(asked, found, strict=True) if abs(sex) > _SURE}

    def _chosen(self, places: Sequence[int], kinds: Sequence[str], guesses: Sequence[Guess]) -> dict[int, int]:
        """For each pronoun (its token) of which it is sure enough the entity; nobody is both he and she."""
        chosen = {}
        votes: dict[tuple[int, str], float] = {}
        for place, kind, guess in zip(places, kinds, guesses, strict=True):
            best = max(guess, key=lambda entity: (guess[entity], -entity), default=-1)
            if best >= 0 and guess[best] >= self.threshold:
                chosen[place] = best
                votes[best, kind] = votes.get((best, kind), 0.0) + guess[best]
        other = {"he": "she", "she": "he"}
        return {
            place: chosen[place]
            for place, kind in zip(places, kinds, strict=True)
            if place in chosen and votes[chosen[place], kind] >= votes.get((chosen[place], other.get(kind, "")), 0.0)
        }

    def set_annotations(self, docs: Iterable[Doc], predicted: Iterable[Iterable[Cluster]]) -> None:
        """Write `doc.spans["coref_clusters_1"]`, ..."""
        for doc, clusters in zip(docs, predicted, strict=True):
            write_clusters(doc, clusters)

    # The ranker.

    def build(self, threshold: float = 0.35, **sizes: Any) -> PronounNetwork:
        """Make a fresh ranker, in evaluation mode; `sizes` are arguments of `network.PronounNetwork`."""
        network = PronounNetwork(state_width=self.reader.width, word_width=self.reader.word_width, **sizes).eval()
        self.cfg = {"threshold": threshold, "network": sizes, "reader": self.reader.state()}
        self.network = network.to(get_torch_default_device())
        return self.network

    # Storing: settings as JSON, weights as safetensors.

    def _stored_cfg(self) -> dict[str, Any]:
        return {**self.cfg, "threshold": self.threshold}

    def _weights_to_bytes(self) -> bytes:
        return b"" if self.network is None else to_safetensors(self.network)

    def _restore(self, cfg: str | bytes, weights: bytes) -> None:
        stored = json.loads(cfg)
        self.network = None
        self.cfg = stored
        if stored["network"] is None or not weights:
            return
        try:
            self.reader.check(stored["reader"])
        except ModelError as error:
            raise ModelError(f"'{self.name}' cannot be used: {error}") from error
        self._load_weights(self.build(stored["threshold"], **stored["network"]), self._tensors(weights))


def _words_of(tokens: Tokens, count: int) -> list[list[str]]:
    """The clean words of each Doc."""
    ends = np.searchsorted(tokens.doc, np.arange(1, count))
    return [[tokens.words[number] for number in part] for part in np.split(tokens.word, ends)]


def _read_names(doc: Doc, visible: Sequence[int], text: Sequence[str], likely: Mapping[str, str]) -> _Names:
    """The named entities of a Doc.

    Args:
        visible: its tokens that are no white space.
        text: their clean words.
        likely: of first names the gender, "f" or "m".
    """
    row = {token: number for number, token in enumerate(visible)}
    sentence = list(accumulate((word in FINAL for word in text), initial=0))
    spans, rows, names = [], [], []
    for span in doc.ents:
        inside = [token for token in range(span.start, span.end) if token in row]
        if not inside:
            continue
        start, end = row[inside[0]], row[inside[-1]] + 1
        words, kind = tuple(text[start:end]), coarse_type(span.label_)
        if kind == "PER" and is_archaic_pronoun(words):
            continue
        spans.append((span.start, span.end))
        rows.append((start, end))
        sex = gender_of_given_name(words) or likely.get(first_name(words), "")
        names.append(Name.at(text, start, end, kind, span.kb_id_, sentence[start], sex))
    found, names = names, without_mistaken(names)
    matched = [
        [[(mention, match_name(doc, mention, spans)) for mention in cluster] for cluster in clusters]
        for clusters in clusters_by_source(doc)
    ]
    types = [name.type for name in names]
    known = [[[number for _, number in cluster if number >= 0] for cluster in clusters] for clusters in matched]
    entities = group_names(names, introduced(text, rows, types), [clusters for clusters in known if any(clusters)])
    given: dict[tuple[int, int], int] = {}
    left = []
    for cluster in chain.from_iterable(matched):
        named = [number for _, number in cluster if number >= 0]
        if not named:
            left.append([mention for mention, _ in cluster])
        for mention, number in cluster if named else ():
            if number < 0:  # the nearest name before it; they differ only if the cluster holds several items
                before = [name for name in named if spans[name] <= mention]
                given[mention] = max(before) if before else min(named)
    sexes = [
        name.gender or name.likely if name.type == before.type else "n"
        for name, before in zip(names, found, strict=True)
    ]
    breaks = [number for number, token in enumerate(visible) if text[number] == "." and not clean_word(doc[token].text)]
    blocks = [
        number
        for number, (one, other) in enumerate(pairwise(visible), start=1)
        if (other > one + 1 or text[number - 1] == ".") and doc[one:other].text.count("\n") > 1
    ]
    texts = [normal_name(doc[start:end].text) for start, end in spans]
    scene = Scene(text, rows, types, entities, sexes, breaks, blocks, _sure(names, entities))
    return _Names(scene, spans, texts, given, left)


def _sure(names: Sequence[Name], entities: Sequence[int]) -> dict[int, str]:
    """The gender of each entity, as the text says, else as the first names tell; none where that differs."""
    told: dict[int, tuple[set[str], set[str]]] = {}
    for name, entity in zip(names, entities, strict=True):
        if name.type == "PER":
            said, tells = told.setdefault(entity, (set(), set()))
            said.add(name.gender)
            tells.add(gender_of_given_name(name.words))
    found = {entity: (said - {""}) or (tells - {""}) for entity, (said, tells) in told.items()}
    return {entity: min(genders) for entity, genders in found.items() if len(genders) == 1}


def _clusters(names: _Names, chosen: dict[int, int]) -> list[Cluster]:
    """The clusters of two or more mentions, and names kept apart from an equal one; those of others as they are."""
    found: dict[int, Cluster] = {}
    for span, entity in zip(names.spans, names.scene.entities, strict=True):
        found.setdefault(entity, []).append(span)
    for mention, name in names.given.items():
        found[names.scene.entities[name]].append(mention)
    taken = {mention[0] for cluster in names.left for mention in cluster if mention[1] == mention[0] + 1}
    for token, entity in chosen.items():
        if (token, token + 1) not in names.given and token not in taken:
            found[entity].append((token, token + 1))
    apart = _apart(names)
    kept = [cluster for entity, cluster in found.items() if len(cluster) > 1 or entity in apart]
    return [sorted(cluster) for cluster in [*kept, *(cluster for cluster in names.left if len(cluster) > 1)]]


def _apart(names: _Names) -> set[int]:
    """The entities that have a name equal to that of another."""
    equal: dict[str, set[int]] = defaultdict(set)
    for text, entity in zip(names.texts, names.scene.entities, strict=True):
        equal[text].add(entity)
    return {entity for here in equal.values() if len(here) > 1 for entity in here}
