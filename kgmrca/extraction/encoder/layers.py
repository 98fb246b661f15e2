"""Encoders as `tok2vec` of any spaCy component, such as `ner`: the registered architectures that read words."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from spacy.pipeline import Sentencizer
from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import (
    ArgsKwargs,
    Linear,
    Maxout,
    Model,
    PyTorchWrapper_v3,
    chain,
    concatenate,
    torch2xp,
    with_array,
    xp2torch,
)
from thinc.types import Floats2d

from kgmrca.extraction.encoder.networks import SentenceEncoder, TransformerWords
from kgmrca.extraction.encoder.shim import TorchShim, as_tensors, from_safetensors, to_safetensors
from kgmrca.extraction.encoder.tokens import sentence_bounds
from kgmrca.extraction.encoder.words import Transformer, WordTable

__all__ = ["build_sentence_lstm", "build_transformer_embed", "build_word_table_embed"]


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


def build_sentence_lstm(
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 128,
    depth: int = 1,
    dropout: float = 0.3,
    max_tokens: int = 256,
) -> Model[list[Doc], list[Floats2d]]:
    """A BiLSTM over each sentence as `tok2vec` of any spaCy component, such as `ner` (`kgmrca.SentenceLSTM.v1`).

    spaCy's own layers see a few neighbours of each word. Where a long title ends, only the whole sentence shows. The
    output for a word is that of `tok2vec` with the states of the BiLSTM beside it. The weights of the BiLSTM are stored
    as safetensors.

    Args:
        tok2vec: what the BiLSTM reads: `spacy.Tok2Vec.v2`, or another that knows its width when it is made.
        hidden_width, depth, dropout: see `networks.SentenceEncoder`; the output is wider by twice `hidden_width`.
        max_tokens: a sentence longer than this is read in stretches.
    """
    width = tok2vec.get_dim("nO")
    network = SentenceEncoder(width=width, hidden_width=hidden_width, depth=depth, dropout=dropout)
    encode: Model[Any, Floats2d] = PyTorchWrapper_v3(network, convert_inputs=_sentence_inputs)
    encode.shims[0] = TorchShim(network, serialize_model=to_safetensors, deserialize_model=from_safetensors)
    return Model(
        "sentence_lstm",
        _read_docs,
        init=_init_layers,
        layers=[tok2vec, encode],
        dims={"nO": width + 2 * hidden_width},
        attrs={"sentences": partial(sentence_bounds, sentencizer=Sentencizer(), max_tokens=max_tokens)},
    )


def _init_layers(model: Model, X: object = None, Y: object = None) -> None:
    for layer in model.layers:
        layer.initialize(X=X)


def _read_docs(model: Model, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], object]:
    if not any(map(len, docs)):  # autograd would refuse
        return [model.ops.alloc2f(0, model.get_dim("nO")) for _ in docs], lambda _: []
    tok2vec, encode = model.layers
    bounds = model.attrs["sentences"](docs)
    vectors, below = tok2vec(docs, is_train)
    states, encode_backprop = encode((model.ops.flatten(vectors), bounds[:, 2] - bounds[:, 1]), is_train)
    sizes = [len(doc) for doc in docs]

    def backprop(gradients: list[Floats2d]) -> list[Doc]:
        return below(model.ops.unflatten(encode_backprop(model.ops.flatten(gradients)), sizes))

    return model.ops.unflatten(states, sizes), backprop


def _sentence_inputs(
    model: Model, inputs: tuple[Floats2d, NDArray[np.int64]], is_train: bool
) -> tuple[ArgsKwargs, Callable[[ArgsKwargs], Floats2d]]:
    embedded, lengths = inputs
    device = model.shims[0].device
    tensors = (xp2torch(embedded, requires_grad=is_train, device=device), torch.as_tensor(lengths, device=device))
    return ArgsKwargs(args=tensors, kwargs={}), lambda gradients: torch2xp(gradients.args[0])


def build_transformer_embed(words: Transformer, max_tokens: int = 256) -> Model[list[Doc], list[Floats2d]]:
    """A transformer as `tok2vec` of any spaCy component, such as `ner` (`kgmrca.TransformerEmbed.v1`).

    One vector a token, of its sentence alone. It is stored with the component, its weights as safetensors.

    Args:
        words: the transformer, `kgmrca.Transformer.v1`.
        max_tokens: a sentence longer than this is read in stretches.
    """
    model: Model[list[Doc], list[Floats2d]] = PyTorchWrapper_v3(
        _Contextual(),
        convert_inputs=partial(_doc_pieces, words=words, max_tokens=max_tokens, sentencizer=Sentencizer()),
        convert_outputs=_doc_vectors,
    )
    shim = TorchShim(
        model.shims[0]._model,
        serialize_model=partial(_contextual_to_bytes, words=words),
        deserialize_model=partial(_contextual_from_bytes, words=words),
    )
    model.shims[0] = shim
    model.init = partial(_init_contextual, words=words)
    return model


class _Contextual(torch.nn.Module):
    """A transformer that is made once it is known whether its weights are read from its folder or were stored."""

    words: TransformerWords

    def forward(self, **pieces: torch.Tensor) -> torch.Tensor:
        return self.words(**pieces)


def _init_contextual(model: Model, X: object = None, Y: object = None, *, words: Transformer) -> None:
    shim = model.shims[0]
    shim._model.words = words.encoder(Vocab()).to(shim.device)
    shim._model.train(shim._model.training)  # the new layers too


def _doc_pieces(
    model: Model, docs: list[Doc], is_train: bool, *, words: Transformer, max_tokens: int, sentencizer: Sentencizer
) -> tuple[ArgsKwargs, object]:
    pieces = words.look_up(docs, sentence_bounds(docs, sentencizer, max_tokens))
    return ArgsKwargs(args=(), kwargs=as_tensors(pieces, model.shims[0].device)), lambda _: []


def _doc_vectors(
    model: Model, docs_and_vectors: tuple[list[Doc], torch.Tensor], is_train: bool
) -> tuple[list[Floats2d], object]:
    docs, vectors = docs_and_vectors
    sizes = [len(doc) for doc in docs]

    def backprop(gradients: list[Floats2d]) -> ArgsKwargs:
        vectors.requires_grad_()  # those of a frozen transformer, or of no token at all, do not: autograd would refuse
        none = torch.zeros_like(vectors[:0])  # without which an empty batch could not be put together
        gradient = torch.cat([none, *(xp2torch(part, device=vectors.device) for part in gradients)])
        return ArgsKwargs(args=((vectors,),), kwargs={"grad_tensors": gradient})

    return [torch2xp(part) for part in torch.split(vectors.detach(), sizes)], backprop


def _contextual_to_bytes(network: _Contextual, *, words: Transformer) -> bytes:
    return to_safetensors(network, {"words": json.dumps(words.state())})


def _contextual_from_bytes(
    network: _Contextual, data: bytes, device: torch.device, *, words: Transformer
) -> _Contextual:
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    words.restore(json.loads(header["__metadata__"]["words"]), Vocab())
    tensors = load_tensors(data)
    if tensors:  # else it was stored before it was trained
        network.words = words.encoder(Vocab())
        network.load_state_dict(tensors)
    return network.to(device)
