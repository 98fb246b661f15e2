"""thinc glue around the networks that score pairs: the registered architectures of `mrca_relations`."""

from functools import partial
from typing import Any

import torch
from thinc.api import ArgsKwargs, Model, PyTorchWrapper_v3
from thinc.types import Floats2d

from kgmrca.extraction.encoder.shared import SharedReader
from kgmrca.extraction.encoder.shim import TorchShim, as_tensors
from kgmrca.extraction.encoder.words import Words, WordTable
from kgmrca.extraction.relations.features import (
    N_FLAGS,
    Facts,
    Features,
    Instances,
    OwnReader,
    make_facts,
    make_features,
    pair_instances,
)
from kgmrca.extraction.relations.network import DocumentNetwork, MRCANetwork, PairNetwork
from kgmrca.extraction.relations.pairs import make_sentence_pairs
from kgmrca.extraction.relations.passages import make_entity_pairs
from kgmrca.resources import READER

__all__ = ["build_document_mrca", "build_mrca", "build_pair_mrca"]

_ROWS = 16_384  # of the table of hashed features of a reader of its own


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


def build_document_mrca(
    reader: str | None = READER,
    words: WordTable | None = None,
    token_width: int = 160,
    hidden_width: int = 128,
    entity_width: int = 160,
    pair_width: int = 128,
    heads: int = 2,
    key_width: int = 32,
    third_width: int = 24,
    dropout: float = 0.2,
    reader_width: int = 200,
) -> Model[Facts, Floats2d]:
    """Pairs of entities, wherever in a document they are mentioned (`kgmrca.DocumentMRCA.v1`): `FactNetwork`.

    It is a head on the reader that `mrca_entities` and `coreference` use too. A Doc is read once for all of them.

    Args:
        reader: the shared reader, by name or folder. None: a reader of its own, which is trained with it.
        words: the table of static vectors of a reader of its own. None: the word table that ships.
        token_width, hidden_width, entity_width, pair_width, heads, key_width, third_width, dropout: see
            `fact_network.FactNetwork`.
        reader_width: states of each direction of a reader of its own.
    """
    sizes = {
        "token_width": token_width,
        "hidden_width": hidden_width,
        "entity_width": entity_width,
        "pair_width": pair_width,
        "heads": heads,
        "key_width": key_width,
        "third_width": third_width,
        "dropout": dropout,
    }
    if reader is None:
        own = {"rows": _ROWS, "feature_width": 96, "scheme_width": 1, "hidden_width": reader_width, "dropout": dropout}
        read: SharedReader | OwnReader = OwnReader(words or WordTable.named(), features=_ROWS, max_tokens=256)
        network = DocumentNetwork(sizes=sizes, reader=own)
    else:
        read = SharedReader.named(reader)
        network = DocumentNetwork(sizes=sizes)
    model = _wrapped(network, read.words, partial(make_facts, reader=read))
    model.attrs.update(reader=read, pairs=make_entity_pairs(), scope="document")
    return model


def _wrapped(network: torch.nn.Module, words: Words, features: partial[Any]) -> Model[Any, Floats2d]:
    model = PyTorchWrapper_v3(network, convert_inputs=_convert_inputs)
    model.shims[0] = TorchShim(network)
    model.attrs.update(words=words, features=features, pairs=make_sentence_pairs(), scope="sentence")
    return model


def _convert_inputs(model: Model, features: Features | Instances | Facts, is_train: bool) -> tuple[ArgsKwargs, object]:
    # thinc's own conversion asks for gradients of every array, which whole numbers cannot have.
    return ArgsKwargs(args=(), kwargs=as_tensors(features, model.shims[0].device)), lambda _: []
