"""`kgmrca.SentenceLSTM.v1`: a BiLSTM over sentences as the `tok2vec` of spaCy's entity recognizer."""

import pickle

import numpy as np
import pytest
import spacy
import srsly
import torch
from safetensors.torch import load as load_tensors
from spacy.ml.models.tok2vec import MaxoutWindowEncoder, MultiHashEmbed, build_Tok2Vec_model
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import SGD, Adam

from kgmrca.extraction.encoder.layers import build_sentence_lstm
from kgmrca.extraction.encoder.networks import SentenceEncoder
from kgmrca.extraction.encoder.shim import to_safetensors

SENTENCES = [["Ann", "met", "Bob", "in", "Oslo", "."], ["Rome", "waits", "."], ["Bob", "slept", "all", "day", "."]]
WIDTH = 6


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("en").vocab


def make_tok2vec():
    embed = MultiHashEmbed(width=WIDTH, attrs=["NORM"], rows=[50], include_static_vectors=False)
    return build_Tok2Vec_model(embed, MaxoutWindowEncoder(WIDTH, window_size=0, maxout_pieces=2, depth=1))


def make_model(seed=0, **changes):
    fix_random_seed(seed)
    model = build_sentence_lstm(make_tok2vec(), **{"hidden_width": 4, "depth": 2, "dropout": 0.0, **changes})
    model.initialize()
    return model


@pytest.fixture(scope="module")
def model():
    return make_model()


def starting(vocab, *sentences):
    """A Doc of these sentences, with their boundaries."""
    words = [word for sentence in sentences for word in sentence]
    starts = [number == 0 for sentence in sentences for number in range(len(sentence))]
    return Doc(vocab, words=words, sent_starts=starts)


@torch.no_grad()
def slowly(model, vocab, sentences):
    """What is below and the states, of sentences read one by one, without padding."""
    tok2vec, encode = model.layers
    network = encode.shims[0]._model.eval()
    rows = [torch.tensor(tok2vec.predict([Doc(vocab, words=words)])[0]) for words in sentences]
    return torch.cat([torch.cat([row, network.encoder(row)[0]], 1) for row in rows]).numpy()


def test_docs_have_the_states_of_their_sentences(model, vocab):
    docs = [starting(vocab, SENTENCES[0], SENTENCES[2]), starting(vocab, SENTENCES[1])]
    first, second = model.predict(docs)
    assert (first.dtype, first.shape) == (np.float32, (11, WIDTH + 8))
    assert np.allclose(first, slowly(model, vocab, [SENTENCES[0], SENTENCES[2]]), atol=1e-6)
    assert np.allclose(second, slowly(model, vocab, [SENTENCES[1]]), atol=1e-6)


def test_sentences_that_are_not_set_are_guessed(model, vocab):
    (found,) = model.predict([Doc(vocab, words=[*SENTENCES[0], *SENTENCES[1]])])
    assert np.allclose(found, slowly(model, vocab, SENTENCES[:2]), atol=1e-6)


def test_a_long_sentence_is_read_in_stretches(vocab):
    model = make_model(max_tokens=4)
    (found,) = model.predict([starting(vocab, SENTENCES[0])])
    assert np.allclose(found, slowly(model, vocab, [SENTENCES[0][:4], SENTENCES[0][4:]]), atol=1e-6)


def test_empty_docs_have_no_states(model, vocab):
    docs = [Doc(vocab), starting(vocab, ["Ann", "met"]), Doc(vocab)]
    assert [found.shape for found in model.predict(docs)] == [(0, WIDTH + 8), (2, WIDTH + 8), (0, WIDTH + 8)]


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_is_learned_from_empty_docs(model, vocab, count):
    found, backprop = model.begin_update(count * [Doc(vocab)])
    assert [len(part) for part in found] == count * [0]
    backprop(found)
    weights = model.layers[1].shims[0]._model.parameters()
    assert not any(weight.grad.any() for weight in weights if weight.grad is not None)


@pytest.mark.parametrize("layer", [0, 1], ids=["words", "lstm"])
def test_a_step_against_the_slope_makes_less_of_what_is_summed(vocab, layer):
    model = make_model()
    docs = [starting(vocab, *SENTENCES[:2]), starting(vocab, SENTENCES[2])]
    found, backprop = model.begin_update(docs)
    backprop([np.ones_like(part) for part in found])
    model.layers[layer].finish_update(SGD(1e-3, use_averages=False, grad_clip=0.0, L2=0.0))
    after = model.predict(docs)
    assert sum(part.sum() for part in after) < sum(part.sum() for part in found) - 1e-4


def test_dropout_is_at_work_only_when_training():
    torch.manual_seed(0)
    network = SentenceEncoder(width=WIDTH, hidden_width=4, depth=1, dropout=0.5)
    inputs, lengths = torch.randn(7, WIDTH), torch.tensor([3, 4])
    assert not torch.equal(network(inputs, lengths), network(inputs, lengths))
    network.eval()
    assert torch.equal(network(inputs, lengths), network(inputs, lengths))


# In spaCy's entity recognizer.

MENTIONS = {
    "Ann was born in Oslo.": [(0, 3, "PER"), (16, 20, "LOC")],
    "Bob met Ann in Rome.": [(0, 3, "PER"), (8, 11, "PER"), (15, 19, "LOC")],
}


def recognizer():
    nlp = spacy.blank("en")
    tok2vec = {
        "@architectures": "kgmrca.SentenceLSTM.v1",
        "hidden_width": 8,
        "depth": 1,
        "dropout": 0.0,
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "kgmrca.WordTableEmbed.v1",
                "width": 8,
                "embed": {
                    "@architectures": "spacy.MultiHashEmbed.v2",
                    "width": 8,
                    "attrs": ["NORM"],
                    "rows": [50],
                    "include_static_vectors": False,
                },
            },
            "encode": {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": 8,
                "window_size": 1,
                "maxout_pieces": 2,
                "depth": 1,
            },
        },
    }
    model = {"@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "hidden_width": 8}
    nlp.add_pipe("ner", config={"model": {**model, "maxout_pieces": 2, "use_upper": True, "tok2vec": tok2vec}})
    return nlp


def entities(nlp):
    return [[(span.start_char, span.end_char, span.label_) for span in doc.ents] for doc in nlp.pipe([*MENTIONS, ""])]


def lstm(nlp):
    (encode,) = (node for node in nlp.get_pipe("ner").model.walk() if node.shims)
    return encode.shims[0]


@pytest.fixture(scope="module")
def trained():
    nlp = recognizer()
    examples = [Example.from_dict(nlp.make_doc(text), {"entities": spans}) for text, spans in MENTIONS.items()]
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.02, use_averages=False)
    for _ in range(60):
        nlp.update(examples, sgd=optimizer)
    return nlp


def test_an_entity_recognizer_learns(trained):
    assert entities(trained) == [*MENTIONS.values(), []]


def test_a_stored_recognizer_is_the_same(trained, tmp_path):
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert entities(loaded) == entities(trained)
    weights = zip(lstm(trained)._model.parameters(), lstm(loaded)._model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)


def test_a_pickled_recognizer_is_the_same(trained):
    assert entities(pickle.loads(pickle.dumps(trained))) == entities(trained)


def test_stored_weights_are_safetensors(trained):
    stored = load_tensors(srsly.msgpack_loads(lstm(trained).to_bytes())["state"])
    assert stored.keys() == lstm(trained)._model.state_dict().keys()


def test_what_half_precision_holds_is_stored_in_it():
    network = SentenceEncoder(width=WIDTH, hidden_width=4, depth=1, dropout=0.0)
    full = load_tensors(to_safetensors(network))
    assert full["encoder.weight_ih_l0"].dtype == torch.float32
    network.half().float()
    half = load_tensors(to_safetensors(network))
    assert {weights.dtype for weights in half.values()} == {torch.float16}
    assert all(torch.equal(half[name].float(), weights) for name, weights in network.state_dict().items())
