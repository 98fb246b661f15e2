"""One reader for all components of a process: it reads a Doc once, and each of them finds the states of its tokens.

The reader ships beside the word table and never learns. Its states are no part of a Doc: they are kept beside it for as
long as it is used, and read again where they are missing.
"""

import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from spacy.attrs import ORTH
from spacy.tokens import Doc
from thinc.util import get_torch_default_device
from torch import Tensor

from kgmrca.errors import ModelError, ResourceError
from kgmrca.extraction.encoder.forms import hash_words
from kgmrca.extraction.encoder.kept import MAX_KEPT, Kept
from kgmrca.extraction.encoder.reader import Reader
from kgmrca.extraction.encoder.shim import as_tensors
from kgmrca.extraction.encoder.windows import Tokens, batches, cut, make_inputs, read_tokens
from kgmrca.extraction.encoder.words import WordTable
from kgmrca.resources import READER, resource

__all__ = ["DocStates", "SharedReader", "by_tokens", "read_states", "write_reader"]

MAX_TOKENS = 4_096
"""Tokens of Docs that components read together, so that one after another finds the states of the same Docs."""

MAX_EXACT = MAX_KEPT
"""The states of a Doc of more tokens are kept in half precision."""


class SharedReader:
    """A frozen reader with its word table. Get one with `SharedReader.named`.

    Args:
        path: a folder with `cfg` and `model.safetensors`, as `write_reader` writes them.
        name: what components are told to find it again; "": the path.

    Raises:
        ResourceError: the folder holds no reader.
        ModelError: the reader belongs to another word table than the one that ships.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        try:
            stored = (path / "cfg").read_bytes()
            weights = (path / "model.safetensors").read_bytes()
            cfg = json.loads(stored)
            self.words = WordTable.named(cfg["words"]["name"])
            self.max_tokens: int = cfg["max_tokens"]
            self.network = Reader(vector_width=self.words.width, n_schemes=0, dropout=0.0, **cfg["network"])
            self.network.load_state_dict(load_tensors(weights))
        except (OSError, KeyError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise ResourceError(f"{path} is not a reader ({error}).") from error
        if cfg["words"]["digest"] != self.words.digest:
            raise ModelError(f"The reader in {path} was trained with another word table than '{cfg['words']['name']}'.")
        self.network.eval().requires_grad_(False)
        self.rows: int = cfg["network"]["rows"]
        self.width = self.network.width
        self.word_width = self.words.width + self.network.features.embedding_dim
        self.digest = hashlib.sha256(stored + weights).hexdigest()
        self.name = name or str(path)
        self._networks: dict[torch.device, Reader] = {torch.device("cpu"): self.network}
        self.kept: Kept[Tensor] = Kept()

    @classmethod
    def named(cls, name: str = READER) -> "SharedReader":
        """A shipped reader by its name, or any other by its folder; loaded once a process."""
        try:
            path, shipped = resource(f"pipelines/{name}"), name
        except ResourceError:
            if not Path(name).is_dir():
                raise
            path, shipped = Path(name), ""
        path = path.resolve()
        if path not in _READERS:
            _READERS.setdefault(path, cls(path, shipped))  # the first one stays, if two threads come here at once
        return _READERS[path]

    def __reduce__(self) -> tuple[Callable[[str], "SharedReader"], tuple[str]]:
        return SharedReader.named, (self.name,)

    def __deepcopy__(self, memo: object) -> "SharedReader":
        return self

    def state(self) -> dict[str, str]:
        """What a component must store whose weights belong to this reader."""
        return {"name": self.name, "digest": self.digest}

    def check(self, state: Mapping[str, str]) -> None:
        """Check what `state` gave.

        Raises:
            ModelError: it is that of another reader.
        """
        if state["digest"] != self.digest:
            raise ModelError(
                f"Its weights belong to another reader than '{self.name}': give `reader` the one that they were "
                f"trained with ('{state['name']}')."
            )

    def _on_device(self) -> Reader:
        """The network on the device that spaCy prefers."""
        device = get_torch_default_device()
        if device not in self._networks:
            self._networks[device] = copy.deepcopy(self.network).to(device)
        return self._networks[device]

    def read(self, tokens: Tokens) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """Read tokens in batches: windows (see `windows.cut`), and the states of their tokens, one after another."""
        windows = cut(tokens, self.max_tokens)
        network = self._on_device()
        for some in batches(windows):
            inputs = make_inputs(tokens, windows[some], self.words, self.rows, 0)
            with torch.inference_mode():
                yield windows[some], network(**as_tensors(inputs, network.norm.weight.device))

    def look_up(self, words: Sequence[str]) -> Tensor:
        """What stands for words beside any text: static vectors, and the sums of their hashed features' vectors.

        Returns:
            [words, word_width]
        """
        features = self._on_device().features
        device = features.weight.device
        with torch.no_grad():
            hashed = features(torch.from_numpy(hash_words(words, self.rows)).to(device))
            return torch.cat([torch.from_numpy(self.words.vectors(list(words))).to(device), hashed], 1)


@dataclass(frozen=True, slots=True)
class DocStates:
    """What a reader says of the tokens of some Docs.

    Args:
        tokens: the T tokens that have a visible character, one Doc after another.
        parts: the states of each Doc, [tokens of the Doc, width]; in half precision for very long Docs.
        width: of the states.
    """

    tokens: Tokens
    parts: Sequence[Tensor]
    width: int

    @property
    def states(self) -> Tensor:
        """The states of all tokens, float32 [T, width]. Those of very long Docs are copied; see `rows`."""
        if len(self.parts) == 1:
            return self.parts[0].float()
        nothing = torch.zeros(0, self.width, device=get_torch_default_device())
        return torch.cat([nothing, *(part.float() for part in self.parts)])

    def rows(self, rows: NDArray[np.int64]) -> Tensor:
        """The states of some rows of `tokens`, float32 [rows, width], without making those of all."""
        if len(self.parts) == 1:
            part = self.parts[0]
            return part.index_select(0, torch.as_tensor(rows, device=part.device)).float()
        ends = np.array(list(accumulate(map(len, self.parts))), np.int64)
        doc = np.searchsorted(ends, rows, side="right")
        found = torch.empty(len(rows), self.width, device=get_torch_default_device())
        for number in np.unique(doc).tolist():
            part, here = self.parts[number], np.flatnonzero(doc == number)
            at = torch.as_tensor(rows[here] - ends[number] + len(part), device=part.device)
            found[torch.as_tensor(here, device=part.device)] = part.index_select(0, at).float()
        return found


def read_states(docs: Sequence[Doc], reader: SharedReader) -> DocStates:
    """The states of the tokens of Docs of one vocabulary, read only where no other component has done so before.

    They do not depend on which Docs are read together (but for the last digits), nor on white space.
    """
    orths = [doc.to_array(ORTH) for doc in docs]
    found = [reader.kept.find(doc, orth) for doc, orth in zip(docs, orths, strict=True)]
    missing = [number for number, states in enumerate(found) if states is None]
    if missing:
        read = _read([docs[number] for number in missing], reader)
        for number, states in zip(missing, read, strict=True):
            found[number] = states
        reader.kept.keep([docs[number] for number in missing], [orths[number] for number in missing], read)
    return DocStates(read_tokens(docs), [states for states in found if states is not None], reader.width)


def _read(docs: Sequence[Doc], reader: SharedReader) -> list[Tensor]:
    """The states of each Doc."""
    tokens = read_tokens(docs)
    starts = np.searchsorted(tokens.doc, np.arange(len(docs) + 1))
    device = get_torch_default_device()
    found = [
        torch.empty(size, reader.width, device=device, dtype=torch.float32 if size <= MAX_EXACT else torch.float16)
        for size in np.diff(starts).tolist()
    ]
    for windows, states in reader.read(tokens):
        doc = tokens.doc[windows[:, 0]]
        lengths, places = windows[:, 1] - windows[:, 0], windows[:, 0] - starts[doc]
        for number, place, part in zip(
            doc.tolist(), places.tolist(), torch.split(states, lengths.tolist()), strict=True
        ):
            found[number][place : place + len(part)] = part
    return found


def by_tokens(docs: Iterable[Doc], batch_size: int) -> Iterator[list[Doc]]:
    """Batches of at most `batch_size` Docs that end where there are `MAX_TOKENS` tokens.

    Components that share a reader take Docs in these batches. So each finds the states that the one before it needed.
    """
    batch: list[Doc] = []
    count = 0
    for doc in docs:
        batch.append(doc)
        count += len(doc)
        if len(batch) >= batch_size or count >= MAX_TOKENS:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def write_reader(folder: Path, network: Reader, *, words: str = "words_en_sm", max_tokens: int = 256) -> None:
    """Write a trained network as a folder that `SharedReader` reads, in half precision.

    Args:
        folder: it is made, or its files are replaced.
        network: a trained one. Of its schemes only "not told" is kept.
        words: the word table it was trained with, by name or folder.
        max_tokens: the longest window it is to read.
    """
    rows, feature_width = network.features.weight.shape
    sizes = {
        "rows": rows,
        "feature_width": feature_width,
        "scheme_width": network.scheme.embedding_dim,
        "hidden_width": network.width // 2,
    }
    table = {"name": words, "digest": WordTable.named(words).digest}
    weights = {name: tensor.cpu().half() for name, tensor in network.state_dict().items()}
    weights["scheme.weight"] = weights["scheme.weight"][-1:]
    folder.mkdir(parents=True, exist_ok=True)
    cfg = {"network": sizes, "max_tokens": max_tokens, "words": table}
    (folder / "cfg").write_text(json.dumps(cfg), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(save_tensors(weights))


_READERS: dict[Path, SharedReader] = {}


def _after_fork() -> None:
    """Another thread of the parent may have held a lock, and the Docs of the parent are not read again here."""
    for reader in _READERS.values():
        reader.kept.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
