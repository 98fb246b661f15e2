"""thinc and spaCy glue around the network and the word table: the registered architectures."""

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import ArgsKwargs, Linear, Maxout, Model, PyTorchWrapper_v3, chain, concatenate, with_array
from thinc.types import Floats2d

from kgmrca.tagging.features import N_FLAGS, Features, WordTable
from kgmrca.tagging.network import PairNetwork

__all__ = ["build_pair_mrca", "build_word_table_embed"]


def build_pair_mrca(
    words: str = "words_en_sm",
    type_width: int = 16,
    hidden_width: int = 200,
    depth: int = 1,
    pair_width: int = 256,
    dropout: float = 0.3,
    type_dropout: float = 0.1,
) -> Model[Features, Floats2d]:
    """The MRCA family on pairs, encoded once (`kgmrca.PairMRCA.v1`): `network.PairNetwork` over a word table.

    The network's layers are made when the component learns its labels, or is loaded. Its dropout is an argument here
    because spaCy's `[training] dropout` does not reach torch.

    Args:
        words: a shipped word table by name, or the folder of another.
        type_width, hidden_width, depth, pair_width, dropout, type_dropout: see `network.PairNetwork`.
    """
    table = WordTable.named(words)
    network = PairNetwork(
        input_width=table.width + N_FLAGS,
        type_width=type_width,
        hidden_width=hidden_width,
        depth=depth,
        pair_width=pair_width,
        dropout=dropout,
        type_dropout=type_dropout,
    )
    model = PyTorchWrapper_v3(network, convert_inputs=_to_tensors)
    model.attrs["word_table"] = table
    return model


def _to_tensors(model: Model, features: Features, is_train: bool) -> tuple[ArgsKwargs, object]:
    # thinc's own conversion asks for gradients of every array, which whole numbers cannot have.
    device = model.shims[0].device
    tensors = {name: torch.as_tensor(getattr(features, name), device=device) for name in Features.__slots__}
    return ArgsKwargs(args=(), kwargs=tensors), lambda _: []


def build_word_table_embed(
    embed: Model[list[Doc], list[Floats2d]], width: int, words: str = "words_en_sm"
) -> Model[list[Doc], list[Floats2d]]:
    """An embedding layer for `spacy.Tok2Vec.v2` that adds a word table to another one (`kgmrca.WordTableEmbed.v1`).

    The table's vectors stay as they are; a trained linear layer brings them to `width`, and a maxout layer mixes them
    with what `embed` gives. No vectors are needed in the pipeline.

    Args:
        embed: an embedding layer of the same width, such as `spacy.MultiHashEmbed.v2`.
        width: output width.
        words: a shipped word table by name, or the folder of another.
    """
    table = WordTable.named(words)
    looked_up: Model[list[Doc], list[Floats2d]] = chain(
        Model("word_table", _look_up, attrs={"word_table": table}, dims={"nO": table.width}),
        with_array(Linear(nO=width, nI=table.width)),
    )
    mixed: Model[list[Doc], list[Floats2d]] = chain(
        concatenate(embed, looked_up), with_array(Maxout(nO=width, nI=2 * width, nP=3, dropout=0.0, normalize=True))
    )
    return mixed


def _look_up(model: Model, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], object]:
    table: WordTable = model.attrs["word_table"]
    orths = [doc.to_array("ORTH") for doc in docs]
    unique, word = np.unique(np.concatenate(orths) if orths else np.zeros(0, np.uint64), return_inverse=True)
    strings = docs[0].vocab.strings if docs else {}
    vectors = table.vectors([strings[orth] for orth in unique.tolist()])[word]
    ends = np.cumsum([len(doc) for doc in docs])[:-1]
    return [model.ops.asarray2f(part) for part in np.split(vectors, ends)], lambda _: []
