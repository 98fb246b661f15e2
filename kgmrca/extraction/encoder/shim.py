"""Torch networks inside thinc models: predicting is safe for threads, weights are stored as safetensors."""

from dataclasses import fields, is_dataclass
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from thinc.api import ArgsKwargs, Optimizer, PyTorchShim, torch2xp, xp2torch

__all__ = ["TorchShim", "as_tensors", "from_safetensors", "to_safetensors"]


class TorchShim(PyTorchShim):
    """thinc's shim, but several threads may predict at once, and learning rates may differ.

    thinc's own calls `eval()` before and `train()` after each prediction. While one thread predicts, another may then
    switch the network to training, and dropout changes the first one's outputs. Here the network is in evaluation mode
    from the start. `begin_update` switches it to training; the first prediction after that switches it back.

    A transformer below new layers needs a much smaller learning rate than they do. So the rate of a module that has a
    `learn_rate_scale` is multiplied with it.

    Predicting in one thread while another trains the same network is not safe: the weights change.
    """

    def __init__(self, network: torch.nn.Module, **options: Any) -> None:
        super().__init__(network, **options)
        self._settled = False  # whether the whole network is known to be in evaluation mode
        self._settle()

    def _settle(self) -> None:
        # No lock: threads that come here together do the same, and each goes on only after its own switch is complete.
        if not self._settled:
            self._model.eval()
            self._settled = True

    def predict(self, inputs: ArgsKwargs) -> Any:
        """The network's outputs, in evaluation mode and without gradients."""
        self._settle()
        with torch.no_grad():
            return self._model(*inputs.args, **inputs.kwargs)

    def begin_update(self, inputs: ArgsKwargs) -> Any:
        """The network's outputs in training mode, and the function that takes gradients back."""
        self._settled = False
        return super().begin_update(inputs)

    def finish_update(self, optimizer: Optimizer) -> None:
        """Change the weights by their gradients."""
        self._settled = False  # so that the next `eval()` puts the new weights of a BiLSTM in a row
        scales = {
            id(weights): module.learn_rate_scale
            for module in self._model.modules()
            if hasattr(module, "learn_rate_scale")
            for weights in module.parameters()
        }
        for name, weights in self._model.named_parameters():
            if weights.grad is not None:
                key, scale = (self.id, name), scales.get(id(weights), 1.0)
                updated, _ = optimizer(key, torch2xp(weights.data), torch2xp(weights.grad), lr_scale=scale)
                weights.data = xp2torch(updated, device=weights.device)
                weights.grad.zero_()

    def from_bytes(self, bytes_data: bytes) -> "TorchShim":
        """Take over what `to_bytes` gave."""
        super().from_bytes(bytes_data)
        self._settled = False
        self._settle()
        return self


def as_tensors(record: Any, device: torch.device | str) -> Any:
    """The arrays of a dataclass as a dictionary of tensors, of dictionaries where dataclasses are nested in it."""
    if not is_dataclass(record):
        return torch.as_tensor(record, device=device)
    return {field.name: as_tensors(getattr(record, field.name), device) for field in fields(record)}


def to_safetensors(network: torch.nn.Module, metadata: dict[str, str] | None = None) -> bytes:
    """The weights of a network; those that half precision holds exactly are stored in it, at half the size."""
    tensors = {}
    for name, weights in network.state_dict().items():
        weights = weights.cpu()
        exact = weights.is_floating_point() and torch.equal(weights.half().to(weights.dtype), weights)
        tensors[name] = weights.half() if exact else weights
    return save_tensors(tensors, metadata=metadata)


def from_safetensors(network: torch.nn.Module, data: bytes, device: torch.device) -> torch.nn.Module:
    """The network with the weights that `to_safetensors` stored, on `device`."""
    network.load_state_dict(load_tensors(data))
    return network.to(device)
