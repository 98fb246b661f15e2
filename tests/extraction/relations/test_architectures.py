"""The glue: arrays -> tensors, one pair or a whole sentence at once, and what a step of training does to weights."""

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from thinc.api import SGD

from kgmrca.extraction.encoder.shim import as_tensors
from kgmrca.extraction.encoder.words import Vectors, WordTable
from kgmrca.extraction.relations.architectures import build_mrca, build_pair_mrca
from kgmrca.extraction.relations.features import Features, make_instances, pair_instances
from kgmrca.extraction.relations.pairs import make_sentence_pairs


@pytest.fixture
def doc():
    words = ["Ann", "met", "Bob", "in", "New", "York", "."]
    ents = ["B-PERSON", "O", "B-PERSON", "O", "B-GPE", "I-GPE", "O"]
    return Doc(spacy.blank("en").vocab, words=words, ents=ents, sent_starts=[True, *6 * [False]])


def built(model, *, n_outputs=3, **arguments):
    """A model with its layers, and the features of a Doc for it."""
    torch.manual_seed(0)
    model = model(hidden_width=8, dropout=0.0, **arguments)
    words = model.attrs["words"].encoder(spacy.blank("en").vocab)
    model.shims[0]._model.build(words=words, n_types=2, n_outputs=n_outputs)
    return model


def features(model, doc):
    return model.attrs["features"]([doc], make_sentence_pairs()([doc], spans_key=None), ["LOC", "PER"])


def test_arrays_become_tensors_and_records_dictionaries():
    words = Vectors(np.zeros((2, 3), np.float32), np.array([1, 0]))
    names = dict.fromkeys(("flags", "token_type", "lengths", "spans", "span_type", "pairs"), np.array([7]))
    found = as_tensors(Features(words=words, **names), "cpu")
    assert found.keys() == {"words", *names}
    assert found["pairs"].tolist() == [7]
    assert found["words"]["vectors"].dtype == torch.float32
    assert found["words"]["row"].tolist() == [1, 0]


@pytest.mark.parametrize("build", [build_pair_mrca, build_mrca])
def test_outputs_are_single_precision_arrays(build, doc):
    model = built(build)
    outputs = model.predict(features(model, doc))
    assert (outputs.shape, outputs.dtype) == ((6, 3), np.float32)


@pytest.mark.parametrize("build", [build_pair_mrca, build_mrca])
def test_a_step_follows_the_slope(build, doc):
    model = built(build)
    outputs, backprop = model.begin_update(features(model, doc))
    assert backprop(np.ones_like(outputs)) == []
    network = model.shims[0]._model
    before = {name: (weights.detach().clone(), weights.grad.clone()) for name, weights in network.named_parameters()}
    assert len(before) > 0
    model.finish_update(SGD(0.01, use_averages=False, grad_clip=0.0, L2=0.0))
    for name, weights in network.named_parameters():
        old, slope = before[name]
        assert torch.allclose(weights, old - 0.01 * slope, atol=1e-7), name
        assert weights.requires_grad
        assert not weights.grad.any()


# The published network on a whole sentence, as in the paper, and on one pair.


def outputs(model, doc, subjects, objects):
    """For one instance: the whole Doc as a sentence, with its subjects and objects as (start, end)."""
    instances = make_instances(
        [doc],
        np.array([[0, 0, len(doc)]]),
        np.zeros(1, np.int64),
        *(np.array([(0, *span) for span in spans]) for spans in (subjects, objects)),
        words=WordTable.named(),
    )
    return model.predict(instances)[0]


def test_an_instance_of_one_subject_and_object_is_that_of_their_pair(doc):
    model = built(build_mrca)
    candidates = make_sentence_pairs()([doc], spans_key=None)
    by_pair = model.predict(pair_instances([doc], candidates, [], words=WordTable.named()))
    for (subject, object_), found in zip(candidates.pairs.tolist(), by_pair, strict=True):
        one, other = ([tuple(candidates.spans[row, 1:].tolist())] for row in (subject, object_))
        assert outputs(model, doc, one, other) == pytest.approx(found, abs=1e-6)


def test_an_instance_of_a_whole_sentence_is_another(doc):
    model = built(build_mrca)
    whole = outputs(model, doc, [(0, 1), (2, 3)], [(4, 6)])
    for part in ([(0, 1)], [(2, 3)]):
        assert whole != pytest.approx(outputs(model, doc, part, [(4, 6)]), abs=1e-4)


def test_the_order_of_subjects_does_not_matter(doc):
    model = built(build_mrca)
    turned = outputs(model, doc, [(2, 3), (0, 1)], [(4, 6)])
    assert outputs(model, doc, [(0, 1), (2, 3)], [(4, 6)]) == pytest.approx(turned)
