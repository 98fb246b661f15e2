"""Storing components: settings as JSON, weights as safetensors, in a folder or in bytes."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from spacy import util
from torch import Tensor, nn

from kgmrca.errors import ModelError

__all__ = ["StoredWeights"]

_Component = TypeVar("_Component", bound="StoredWeights")


class StoredWeights:
    """How a component of ours is stored. It comes before spaCy's class among the bases.

    Settings are written as Python's own JSON, which keeps every digit of a float.
    """

    name: str
    _sizes_are_in = "[model] settings"  # in a config

    def _stored_cfg(self) -> dict[str, Any]:
        """The settings to store."""
        raise NotImplementedError

    def _weights_to_bytes(self) -> bytes:
        """The weights as safetensors; b"" if there are none."""
        raise NotImplementedError

    def _restore(self, cfg: str | bytes, weights: bytes) -> None:
        """Take over settings as JSON, and weights; b"" if there are none."""
        raise NotImplementedError

    def _tensors(self, weights: bytes) -> dict[str, Tensor]:
        """Weights that were stored.

        Raises:
            ModelError: they are no weights.
        """
        try:
            return load_tensors(weights)
        except SafetensorError as error:
            raise self._do_not_fit(error) from error

    def _load_weights(self, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        """Give a network its stored weights.

        Raises:
            ModelError: they are those of a network with other settings.
        """
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            raise self._do_not_fit(error) from error

    def _do_not_fit(self, error: Exception) -> ModelError:
        return ModelError(f"The weights of '{self.name}' do not fit its {self._sizes_are_in}: {error}")

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Settings and weights in one byte string."""
        serialize = {"cfg": lambda: json.dumps(self._stored_cfg()).encode(), "model": self._weights_to_bytes}
        return util.to_bytes(serialize, exclude)

    def from_bytes(self: _Component, data: bytes, *, exclude: Iterable[str] = ()) -> _Component:
        """The reverse of `to_bytes`."""
        parts: dict[str, Any] = {}
        util.from_bytes(data, {"cfg": lambda b: parts.update(cfg=b), "model": lambda b: parts.update(model=b)}, exclude)
        self._restore(parts["cfg"], parts.get("model", b""))
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write `cfg`, and `model.safetensors` if there are weights, into the folder `path`."""
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        (path / "cfg").write_text(json.dumps(self._stored_cfg()), encoding="utf-8")
        if "model" not in exclude and (weights := self._weights_to_bytes()):
            (path / "model.safetensors").write_bytes(weights)

    def from_disk(self: _Component, path: str | Path, *, exclude: Iterable[str] = ()) -> _Component:
        """The reverse of `to_disk`."""
        path = Path(path)
        weights = path / "model.safetensors"
        data = weights.read_bytes() if weights.is_file() and "model" not in exclude else b""
        self._restore((path / "cfg").read_text(encoding="utf-8"), data)
        return self
