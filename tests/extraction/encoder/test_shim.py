"""A torch network in a thinc model: several threads predict, training comes and goes."""

import copy
import pickle
import threading

import numpy as np
import pytest
import torch
from thinc.api import Adam, ArgsKwargs

from kgmrca.extraction.encoder.networks import BiLSTM
from kgmrca.extraction.encoder.shim import TorchShim, from_safetensors, to_safetensors


class Network(torch.nn.Module):
    """A linear layer behind dropout that leaves nothing; it can be held while it reads."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)
        self.dropout = torch.nn.Dropout(1.0)
        self.before = lambda: None

    def forward(self, inputs):
        self.before()
        return self.linear(self.dropout(inputs))


INPUTS = ArgsKwargs(args=(torch.ones(3, 2),), kwargs={})


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def shim(network):
    return TorchShim(network)


@pytest.fixture
def expected(network):
    """What the network gives where nothing is dropped."""
    return network.linear(torch.ones(3, 2)).tolist()


def train(shim):
    output, backprop = shim.begin_update(INPUTS)
    backprop(ArgsKwargs(args=((output,),), kwargs={"grad_tensors": torch.ones_like(output)}))
    return output


def test_a_prediction_of_another_thread_changes_nothing(shim, network, expected):
    # The second thread begins and ends its prediction while the first one is inside the network.
    found = []

    def in_between():
        network.before = lambda: None
        other = threading.Thread(target=lambda: found.append(shim.predict(INPUTS).tolist()))
        other.start()
        other.join()

    network.before = in_between
    assert shim.predict(INPUTS).tolist() == expected
    assert found == [expected]


def test_threads_that_come_together_after_training(shim, network, expected, monkeypatch):
    # The first thread has begun to switch the network to evaluation, but is not done when the second one comes.
    shim.begin_update(INPUTS)
    evaluate, found = network.eval, []

    def half_done():
        monkeypatch.setattr(network, "eval", evaluate)
        network.training = False  # torch sets this first, and the layers afterwards
        other = threading.Thread(target=lambda: found.append(shim.predict(INPUTS).tolist()))
        other.start()
        other.join()
        return evaluate()

    monkeypatch.setattr(network, "eval", half_done)
    assert shim.predict(INPUTS).tolist() == expected
    assert found == [expected]


def test_training_drops_and_prediction_does_not(shim, network, expected):
    bias = network.linear.bias.tolist()
    assert shim.predict(INPUTS).tolist() == expected
    assert train(shim).tolist() == 3 * [bias]
    assert shim.predict(INPUTS).tolist() == expected
    assert train(shim).tolist() == 3 * [bias]


def test_updating_changes_the_weights(shim, network):
    before = network.linear.bias.tolist()
    train(shim)
    shim.finish_update(Adam(0.1))
    assert network.linear.bias.tolist() != before
    assert not network.linear.bias.grad.any()
    assert shim.predict(INPUTS).tolist() == network.linear(torch.ones(3, 2)).tolist()


def test_a_module_may_learn_more_slowly(network):
    network.slow = torch.nn.Linear(1, 2)
    network.slow.learn_rate_scale = 0.1
    shim = TorchShim(network)
    weights = [network.linear.bias, network.slow.bias]
    before = [one.detach().clone() for one in weights]
    for one in weights:
        one.grad = torch.ones_like(one)
    shim.finish_update(Adam(0.1, L2=0, grad_clip=0))
    fast, slow = ((one - other).abs() for one, other in zip(weights, before, strict=True))
    assert torch.allclose(slow, 0.1 * fast, rtol=1e-3)


def test_prediction_keeps_no_gradients(shim):
    assert not shim.predict(INPUTS).requires_grad


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda shim: pickle.loads(pickle.dumps(shim))])
def test_a_copy_predicts_the_same(copied, expected):
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(1.0))
    shim = TorchShim(network)
    assert copied(shim).predict(INPUTS).tolist() == shim.predict(INPUTS).tolist()


def test_what_is_read_back_predicts_at_once(network, expected):
    options = {"serialize_model": to_safetensors, "deserialize_model": from_safetensors}
    stored = TorchShim(network, **options).to_bytes()
    other = TorchShim(Network(), **options)
    other.begin_update(INPUTS)
    assert other.from_bytes(stored).predict(INPUTS).tolist() == expected


def test_a_bilstm_puts_its_weights_in_a_row_when_its_mode_is_set(monkeypatch):
    # And not while it reads, because several threads may do so at once.
    done = []
    lstm = BiLSTM(2, 3)
    monkeypatch.setattr(lstm, "flatten_parameters", lambda: done.append(lstm.training))
    shim = TorchShim(lstm)
    done.clear()
    sequence = ArgsKwargs(args=(torch.ones(1, 4, 2),), kwargs={})
    for _ in range(3):
        shim.predict(sequence)
    assert done == []
    shim.begin_update(sequence)
    shim.finish_update(Adam(0.1))
    shim.predict(sequence)
    assert done == [True, False]
    assert np.isfinite(shim.predict(sequence)[0].numpy()).all()
