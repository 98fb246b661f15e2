"""thinc glue around the networks that score pairs: the registered architectures of `mrca_relations`."""

from functools import partial
from typing import Any

import torch
from thinc.api import ArgsKwargs, Model, PyTorchWrapper_v3
from thinc.types import Floats2d

from kgmrca.extraction.encoder.shim import TorchShim, as_tensors
from kgmrca.extraction.encoder.words import Words, WordTable
from kgmrca.extraction.relations.features import N_FLAGS, Features, Instances, make_features, pair_instances
from kgmrca.extraction.relations.network import MRCANetwork, PairNetwork

__all__ = ["build_mrca", "build_pair_mrca"]


def build_pair_mrca(
    words: Words | None = None,
    type_width: int = 16,
    hidden_width: int = 200,
    depth: int = 1,
    pair_width: int = 256,
    dropout: float = 0.3,
    type_dropout: float = 0.1,
) -> Model[Features, Floats2d]:
    """The MRCA family on pairs, encoded once (`kgmrca.PairMRCA.v1`): `network.PairNetwork`.

    The network's layers are made when the component learns its labels, or is loaded. Its dropout is an argument here
    because spaCy's `[training] dropout` does not reach torch.

    Args:
        words: where word vectors come from. None: the word table that ships.
        type_width, hidden_width, depth, pair_width, dropout, type_dropout: see `network.PairNetwork`.
    """
    network = PairNetwork(
        n_flags=N_FLAGS,
        type_width=type_width,
        hidden_width=hidden_width,
        depth=depth,
        pair_width=pair_width,
        dropout=dropout,
        type_dropout=type_dropout,
    )
    words = words or WordTable.named()
    return _wrapped(network, words, partial(make_features, words=words))


def build_mrca(
    words: Words | None = None, hidden_width: int = 500, dropout: float = 0.15
) -> Model[Instances, Floats2d]:
    """The network as published, one pass for each ordered pair (`kgmrca.MRCA.v1`): `network.MRCANetwork`.

    Args:
        words: where word vectors come from; the paper's are GloVe's in the pipeline, `kgmrca.PipelineVectors.v1`.
            None: the word table that ships.
        hidden_width, dropout: see `network.MRCANetwork`.
    """
    words = words or WordTable.named()
    return _wrapped(
        MRCANetwork(hidden_width=hidden_width, dropout=dropout), words, partial(pair_instances, words=words)
    )


def _wrapped(network: torch.nn.Module, words: Words, features: partial[Any]) -> Model[Any, Floats2d]:
    model = PyTorchWrapper_v3(network, convert_inputs=_convert_inputs)
    model.shims[0] = TorchShim(network)
    model.attrs.update(words=words, features=features)
    return model


def _convert_inputs(model: Model, features: Features | Instances, is_train: bool) -> tuple[ArgsKwargs, object]:
    # thinc's own conversion asks for gradients of every array, which whole numbers cannot have.
    return ArgsKwargs(args=(), kwargs=as_tensors(features, model.shims[0].device)), lambda _: []
