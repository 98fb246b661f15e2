"""Where the vectors of words come from: a word table, the vectors of the pipeline, or a transformer.

[components.mrca_relations.model.words]
@misc = "kgmrca.Transformer.v1"
name = "sentence-transformers/all-MiniLM-L6-v2"

Each of these has two halves: `look_up` turns Docs into arrays, and `encoder` makes the torch module that turns these
arrays into one vector a token. `state` gives what has to be stored with a trained component, and `restore` takes it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from spacy.attrs import LOWER, ORTH
from spacy.tokens import Doc
from spacy.vectors import Mode
from spacy.vectors import Vectors as SpacyVectors
from spacy.vocab import Vocab
from thinc.api import get_array_module

from kgmrca.errors import ModelError, ResourceError
from kgmrca.extraction.encoder.networks import LookedUp, TransformerWords, WordEncoder
from kgmrca.extraction.encoder.tokens import token_array
from kgmrca.resources import resource

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Pieces", "PipelineVectors", "Transformer", "Vectors", "WordTable", "Words"]

T = TypeVar("T")

_MAX_CACHED = 20_000  # words a cache holds; about 5 MB of lists of word pieces
_WORDS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of the U distinct words of T tokens."""

    vectors: NDArray[np.float32]  # [U, width]
    row: NDArray[np.int64]  # [T] row of `vectors`


@dataclass(frozen=True, slots=True)
class Pieces:
    """The N word pieces of the sentences, one sentence after another, with what marks a sentence's start and end."""

    ids: NDArray[np.int64]  # [N]
    token: NDArray[np.int64]  # [N] the token a piece belongs to, counted within its sentence; -1: to none
    pieces: NDArray[np.int64]  # [S] pieces of each sentence
    tokens: NDArray[np.int64]  # [S] tokens of each sentence


@runtime_checkable  # because thinc checks what a config gives
class Words(Protocol):
    """A way to get word vectors."""

    def look_up(self, docs: Sequence[Doc], sentences: NDArray[np.int64]) -> Vectors | Pieces:
        """What `encoder` reads, for the tokens of `sentences` (see `pairs.Candidates.sentences`)."""
        ...

    def encoder(self, vocab: Vocab) -> WordEncoder:
        """A fresh torch module from what `look_up` gives (its fields, as tensors) to [tokens, width]."""
        ...

    def state(self) -> dict[str, Any]:
        """What a trained component must store to get the same vectors again; plain data for JSON."""
        ...

    def restore(self, state: dict[str, Any], vocab: Vocab) -> None:
        """Check or take over what `state` gave.

        Raises:
            ModelError: a component was trained with other word vectors than these.
        """
        ...


def _other_vectors() -> ModelError:
    return ModelError(
        "The component was trained with other word vectors. In [components.mrca_relations.model.words], name those."
    )


def _distinct(
    docs: Sequence[Doc], sentences: NDArray[np.int64], attribute: int
) -> tuple[list[int], list[str], NDArray[np.int64]]:
    """The distinct words of the sentences, by number and as text, and for each token which of them it is."""
    numbers, row = np.unique(token_array(docs, sentences, [attribute])[:, 0], return_inverse=True)
    strings = docs[0].vocab.strings if docs else {}
    return numbers.tolist(), [strings[number] for number in numbers.tolist()], row.astype(np.int64)


class _Cache(Generic[T]):
    """Values computed for words, at most `size` of them. Threads may share it, without a lock.

    A value is added when it is complete, and never changed. Nothing is removed: a full cache is replaced by a new one,
    and a thread that still reads the old one finds the same values in it. If several threads miss the same word, each
    computes its value.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, words: Sequence[str], make: Callable[[list[str]], Iterable[T]]) -> list[T]:
        """The values of the words; `make` computes those of missing words, once each."""
        values = self._values
        found = {word: values[word] for word in words if word in values}
        missing = [word for word in dict.fromkeys(words) if word not in found]
        new = dict(zip(missing, make(missing), strict=True)) if missing else {}
        if len(values) + len(new) > self.size:
            self._values = dict(islice(new.items(), self.size))
        else:
            values.update(new)
        found.update(new)
        return [found[word] for word in words]


class WordTable:
    """A static vector for any word: the mean of the vectors of its word pieces.

    A word is lower-cased, loses its accents, is split at punctuation and then into the longest known pieces from the
    left (WordPiece). A word without any known piece has the zero vector.

    Args:
        path: a folder with `pieces.txt` and `words.safetensors`, as pipelines/make_words.py writes them.

    Raises:
        ResourceError: the folder is not a word table.
    """

    def __init__(self, path: Path) -> None:
        try:
            pieces = (path / "pieces.txt").read_text(encoding="utf-8").splitlines()
            tensors = load_file(path / "words.safetensors")
            codes, scale = tensors["codes"], tensors["scale"]
        except (OSError, KeyError, UnicodeDecodeError, SafetensorError) as error:
            raise ResourceError(
                f"{path} is not a word table ({error}): make one with pipelines/make_words.py."
            ) from error
        if len(pieces) != len(codes):
            raise ResourceError(
                f"{path}: {len(pieces)} pieces, but {len(codes)} vectors: the files do not belong together."
            )
        self.width: int = codes.shape[1]
        self._ids = {piece: index for index, piece in enumerate(pieces)}
        self._longest = max(map(len, pieces))
        self._codes, self._scale = codes, scale
        self._pieces: _Cache[list[int]] = _Cache(_MAX_CACHED)
        self.digest = hashlib.sha256(codes.tobytes() + scale.tobytes() + "\n".join(pieces).encode()).hexdigest()

    @classmethod
    def named(cls, name: str = "words_en_sm") -> "WordTable":
        """A shipped table by its name, or any other by its folder; read once a process (`kgmrca.WordTable.v1`)."""
        path = Path(name) if Path(name).is_dir() else resource(f"pipelines/{name}")
        key = path.resolve()
        if key not in _TABLES:
            _TABLES.setdefault(key, cls(path))  # the first one stays, if two threads come here at once
        return _TABLES[key]

    def look_up(self, docs: Sequence[Doc], sentences: NDArray[np.int64]) -> Vectors:
        """See `Words`."""
        _, words, row = _distinct(docs, sentences, ORTH)
        return Vectors(self.vectors(words), row)

    def encoder(self, vocab: Vocab) -> LookedUp:
        """See `Words`."""
        return LookedUp(self.width, limit=float(np.ceil((self._codes * self._scale).max())))

    def state(self) -> dict[str, Any]:
        """See `Words`."""
        return {"word_table": self.digest}

    def restore(self, state: dict[str, Any], vocab: Vocab) -> None:
        """See `Words`."""
        if state != self.state():
            raise _other_vectors()

    def pieces(self, word: str) -> list[int]:
        """The indexes of the pieces a word is made of."""
        plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn")
        return [index for part in _WORDS.findall(plain) for index in self._split(part)]

    def _split(self, part: str) -> list[int]:
        found, start, prefix = [], 0, ""
        while start < len(part):
            for end in range(min(len(part), start + self._longest), start, -1):
                index = self._ids.get(prefix + part[start:end])
                if index is not None:
                    found.append(index)
                    break
            else:
                end = start + 1  # an unknown character is skipped
            start, prefix = end, "##"
        return found

    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of the words, [words, width]."""
        # Pieces are cached, not vectors: many small arrays that are given back at once leave the heap full of holes.
        split = self._pieces.get(words, lambda missing: map(self.pieces, missing))
        counts = np.array([len(pieces) for pieces in split], np.int64)
        flat = np.array([piece for pieces in split for piece in pieces], np.int64)
        first = np.cumsum(counts) - counts
        sums = np.zeros((len(split), self.width))
        for place in range(counts.max(initial=0)):
            longer = np.flatnonzero(counts > place)
            sums[longer] += self._codes[flat[first[longer] + place]]
        return (sums / np.maximum(counts, 1)[:, None] * self._scale).astype(np.float32)


_TABLES: dict[Path, WordTable] = {}


class PipelineVectors:
    """The static vectors of the pipeline, as `spacy init vectors en glove.6B.300d.txt DIR` makes them.

    Registered as `kgmrca.PipelineVectors.v1`. A word that is not there is looked up in lower case as well, because
    vectors such as GloVe's have no other. (In vectors with the attribute LOWER only the lower case is looked up. spaCy
    3.8 forgets the attribute when it stores them, so `--attr LOWER` changes nothing.) A word that is still not found
    has the mean vector of its characters, as in the MRCA paper, or the zero vector where there are none of those.
    """

    def look_up(self, docs: Sequence[Doc], sentences: NDArray[np.int64]) -> Vectors:
        """See `Words`."""
        if not docs:
            return Vectors(np.zeros((0, 0), np.float32), np.zeros(0, np.int64))
        vocab, table = docs[0].vocab, docs[0].vocab.vectors
        numbers, words, row = _distinct(docs, sentences, LOWER if table.attr == LOWER else ORTH)
        if table.mode == Mode.floret:  # knows every word
            return Vectors(np.asarray(_on_cpu(table.get_batch(words)), np.float32), row)
        found = _found(table, numbers)
        at = np.where(found >= 0, found, _found(table, [vocab.strings.add(word.lower()) for word in words]))
        vectors = np.zeros((len(at), table.shape[1]), np.float32)
        vectors[at >= 0] = _rows(table, at[at >= 0])
        for index in np.flatnonzero(at < 0).tolist():
            characters = _found(table, [vocab.strings.add(character) for character in words[index].lower()])
            if (characters >= 0).any():
                vectors[index] = _rows(table, characters[characters >= 0]).mean(0)
        return Vectors(vectors, row)

    def encoder(self, vocab: Vocab) -> LookedUp:
        """See `Words`. The limit is v = ceil(largest entry of the table) of the paper (eq. 3.2).

        Raises:
            ModelError: the pipeline has no vectors.
        """
        if not vocab.vectors.size:
            raise ModelError(
                "The pipeline has no word vectors: make a folder with `spacy init vectors en FILE DIR` and name it in "
                "`[initialize] vectors`, or take other words in [components.mrca_relations.model.words]."
            )
        return LookedUp(vocab.vectors.shape[1], limit=float(np.ceil(float(vocab.vectors.data.max()))))

    def state(self) -> dict[str, Any]:
        """See `Words`: nothing, because spaCy stores the vectors with the pipeline."""
        return {"pipeline_vectors": True}

    def restore(self, state: dict[str, Any], vocab: Vocab) -> None:
        """See `Words`."""
        if state != self.state():
            raise _other_vectors()


def _on_cpu(array: Any) -> NDArray[Any]:
    return array.get() if hasattr(array, "get") else array


def _found(table: SpacyVectors, keys: Sequence[int]) -> NDArray[np.int32]:
    """The rows of the keys; -1: not there."""
    return _on_cpu(table.find(keys=keys))


def _rows(table: SpacyVectors, rows: NDArray[np.int32]) -> NDArray[np.float32]:
    # Picked where the table lies, which may be a GPU, because it may be large.
    return _on_cpu(table.data[get_array_module(table.data).asarray(rows)])


class Transformer:
    """Contextual vectors from a BERT-like Hugging Face encoder (`kgmrca.Transformer.v1`; extra `transformers`).

    A token's vector is the mean of the last states of its word pieces. Weights are read when training starts
    (safetensors only; a pickle is never opened), and afterwards stored with the component, so that a trained pipeline
    needs neither the original folder nor a network.

    Args:
        name: a folder, or a name on the Hugging Face hub.
        frozen: leave the weights as they are.
        learn_rate_scale: what the learning rate is multiplied with for the encoder's weights.
        mixed_precision: compute in bfloat16 not only on a GPU: twice as fast on a CPU that has instructions for it.
    """

    def __init__(
        self, name: str, frozen: bool = False, learn_rate_scale: float = 0.05, mixed_precision: bool = False
    ) -> None:
        self.name, self.frozen, self.learn_rate_scale = name, frozen, learn_rate_scale
        self.mixed_precision = mixed_precision
        self._config: dict[str, Any] = {}
        self._stored = ""  # the tokenizer, as JSON
        self._limit = 0.0
        self._weights_follow = False  # whether the component's stored weights are loaded after `encoder`
        self._tokenizer: Tokenizer | None = None
        self._marks = (0, 0)  # what stands before and after a sentence's pieces, such as [CLS] and [SEP]
        self._pieces: _Cache[list[int]] = _Cache(_MAX_CACHED)

    def look_up(self, docs: Sequence[Doc], sentences: NDArray[np.int64]) -> Pieces:
        """See `Words`. Pieces beyond the longest input the encoder can read are left out."""
        _, words, row = _distinct(docs, sentences, ORTH)
        split = self._pieces.get(words, self._split)
        sizes = np.array([len(pieces) for pieces in split], np.int64)
        flat = np.array([piece for pieces in split for piece in pieces], np.int64)

        lengths = sentences[:, 2] - sentences[:, 1]
        first = np.cumsum(lengths) - lengths
        sentence = np.repeat(np.arange(len(lengths)), lengths)
        counts = sizes[row]
        of_token = np.repeat(np.arange(len(row)), counts)
        within = np.arange(len(of_token)) - np.repeat(np.cumsum(counts) - counts, counts)
        ids = flat[(np.cumsum(sizes) - sizes)[row][of_token] + within]
        per_sentence = np.bincount(sentence[of_token], minlength=len(lengths))
        ends = np.cumsum(per_sentence)
        position = np.arange(len(ids)) - (ends - per_sentence)[sentence[of_token]]
        kept = position < self._longest - 2
        per_sentence = np.minimum(per_sentence, self._longest - 2)
        ends = np.cumsum(per_sentence)
        # One mark before and one after the pieces of each sentence.
        places = np.stack([ends - per_sentence, ends], 1).ravel()
        token = of_token[kept] - first[sentence[of_token[kept]]]
        return Pieces(
            ids=np.insert(ids[kept], places, np.tile(self._marks, len(lengths))),
            token=np.insert(token, places, -1),
            pieces=per_sentence + 2,
            tokens=lengths,
        )

    def _split(self, words: list[str]) -> list[list[int]]:
        """The word pieces of each word, by the tokenizer."""
        assert self._tokenizer is not None, "encoder() or restore() comes first"
        prefix = " " if "ByteLevel" in self._stored else ""
        codes = self._tokenizer.encode_batch([prefix + word for word in words], add_special_tokens=False)
        return [code.ids for code in codes]

    def encoder(self, vocab: Vocab) -> TransformerWords:
        """See `Words`.

        Raises:
            ModelError: transformers is not installed, or there is no such encoder.
        """
        AutoConfig, AutoModel, AutoTokenizer = _transformers()
        if self._weights_follow:
            network = AutoModel.from_config(AutoConfig.for_model(**self._config))
        else:
            try:
                network = AutoModel.from_pretrained(self.name, use_safetensors=True).float()
                tokenizer = AutoTokenizer.from_pretrained(self.name, use_fast=True).backend_tokenizer
            except (OSError, ValueError) as error:
                raise ModelError(f"The encoder '{self.name}' cannot be loaded: {error}") from error
            limit = float(network.get_input_embeddings().weight.detach().max().ceil())
            found = {"config": network.config.to_diff_dict(), "tokenizer": tokenizer.to_str(), "limit": limit}
            self.restore(found, vocab)
        self._weights_follow = False
        return TransformerWords(
            network.float(),
            frozen=self.frozen,
            limit=self._limit,
            learn_rate_scale=self.learn_rate_scale,
            mixed_precision=self.mixed_precision,
        )

    def state(self) -> dict[str, Any]:
        """See `Words`."""
        # The limit as it was before training, which changes the embeddings that it is taken from.
        return {"config": self._config, "tokenizer": self._stored, "limit": self._limit}

    def restore(self, state: dict[str, Any], vocab: Vocab) -> None:
        """See `Words`."""
        if state.keys() != {"config", "tokenizer", "limit"}:
            raise _other_vectors()
        _transformers()
        from tokenizers import Tokenizer

        self._config, self._stored, self._limit = state["config"], state["tokenizer"], state["limit"]
        self._weights_follow = bool(self._config)
        if not self._config:  # stored before it was trained
            return
        self._tokenizer = Tokenizer.from_str(self._stored)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._pieces = _Cache(_MAX_CACHED)
        marks = self._tokenizer.encode("", add_special_tokens=True).ids
        if len(marks) != 2:
            raise ModelError(
                f"The encoder '{self.name}' does not mark the start and the end of a text with one piece each, as BERT "
                "does: take another."
            )
        self._marks = (marks[0], marks[1])

    @property
    def _longest(self) -> int:
        return min(512, int(self._config.get("max_position_embeddings", 512)))


def _transformers() -> tuple[Any, Any, Any]:
    try:
        from transformers import AutoConfig, AutoModel, AutoTokenizer
    except ImportError as error:
        raise ModelError(
            "kgmrca.Transformer.v1 needs the library transformers: pip install 'kgmrca[transformers]'."
        ) from error
    return AutoConfig, AutoModel, AutoTokenizer
