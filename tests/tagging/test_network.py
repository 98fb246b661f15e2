"""The network, against a slow one that takes every pair by itself."""

import pytest
import torch

from kgmrca.tagging.network import PairNetwork

WIDTH = 5
N_TYPES = 3
N_LABELS = 4


def make_network(seed=0, **changes):
    torch.manual_seed(seed)
    settings = {
        "input_width": WIDTH + 2,
        "type_width": 3,
        "hidden_width": 6,
        "depth": 1,
        "pair_width": 7,
        "dropout": 0.0,
        "type_dropout": 0.0,
        **changes,
    }
    network = PairNetwork(**settings)
    network.build(n_types=N_TYPES, n_labels=N_LABELS)
    return network.eval()


def make_sentence(length, spans, seed):
    """A sentence as tensors: words, flags, a type for each token, and typed spans."""
    draw = torch.Generator().manual_seed(seed)
    return {
        "words": torch.randn(length, WIDTH, generator=draw),
        "flags": torch.randint(0, 2, (length, 2), generator=draw).float(),
        "token_type": torch.randint(0, 2 + N_TYPES, (length,), generator=draw),
        "spans": spans,
        "span_type": torch.randint(1, 2 + N_TYPES, (len(spans),), generator=draw),
    }


# Next to each other, nested, overlapping, at both ends, and further apart than the network tells.
SENTENCES = [
    make_sentence(6, [(0, 1), (1, 3), (5, 6)], seed=1),
    make_sentence(40, [(0, 2), (10, 12), (38, 40)], seed=2),
    make_sentence(9, [(0, 8), (2, 4), (3, 6), (2, 3)], seed=3),
    make_sentence(2, [(0, 1), (1, 2)], seed=4),
]


def batch(sentences):
    """The arguments of `forward` for all ordered pairs of these sentences."""
    spans = [(row, *span) for row, sentence in enumerate(sentences) for span in sentence["spans"]]
    pairs = [(a, b) for a in range(len(spans)) for b in range(len(spans)) if a != b and spans[a][0] == spans[b][0]]
    words = torch.cat([sentence["words"] for sentence in sentences])
    return {
        "words": words,
        "word": torch.arange(len(words)),
        "flags": torch.cat([sentence["flags"] for sentence in sentences]),
        "token_type": torch.cat([sentence["token_type"] for sentence in sentences]),
        "lengths": torch.tensor([len(sentence["words"]) for sentence in sentences]),
        "spans": torch.tensor(spans),
        "span_type": torch.cat([sentence["span_type"] for sentence in sentences]),
        "pairs": torch.tensor(pairs),
    }


def slowly(network, sentence):
    """Outputs of all ordered pairs of one sentence: a loop over pairs, and averages taken as they are described."""
    inputs = torch.cat([sentence["words"], sentence["flags"], network.token_type(sentence["token_type"])], 1)
    states = network.encoder(inputs.unsqueeze(0))[0][0]
    outputs = []
    for a, (a_start, a_end) in enumerate(sentence["spans"]):
        for b, (b_start, b_end) in enumerate(sentence["spans"]):
            if a == b:
                continue
            as_subject, _, subject_factor, _ = network.span(states[a_start:a_end].mean(0)).chunk(4)
            _, as_object, _, object_factor = network.span(states[b_start:b_end].mean(0)).chunk(4)
            pair = as_subject + network.subject_type(sentence["span_type"][a])
            pair = pair + as_object + network.object_type(sentence["span_type"][b])
            pair = pair + network.sentence(states.mean(0)) + subject_factor * object_factor
            left, right = min(a_end, b_end), max(a_start, b_start)
            n_between = max(right - left, 0)
            if n_between:
                pair = pair + network.between(states[left:right].mean(0))
            steps = min(n_between, network.MAX_DISTANCE) + 1
            pair = pair + network.distance.weight[network.MAX_DISTANCE + 1 + (steps if a_start <= b_start else -steps)]
            outputs.append(network.labels(pair.tanh()))
    return torch.stack(outputs)


@pytest.fixture
def network():
    return make_network()


@torch.no_grad()
@pytest.mark.parametrize("depth", [1, 2])
def test_outputs_are_those_of_the_slow_network(depth):
    network = make_network(depth=depth)
    expected = torch.cat([slowly(network, sentence) for sentence in SENTENCES])
    assert torch.allclose(network(**batch(SENTENCES)), expected, atol=1e-4)


@torch.no_grad()
def test_outputs_of_distinct_pairs_differ(network):
    outputs = network(**batch(SENTENCES))
    assert len(outputs.round(decimals=5).unique(dim=0)) == len(outputs)


@torch.no_grad()
def test_a_batch_gives_what_its_sentences_give_alone(network):
    alone = torch.cat([network(**batch([sentence])) for sentence in SENTENCES])
    assert torch.allclose(network(**batch(SENTENCES)), alone, atol=1e-5)


@torch.no_grad()
def test_the_order_of_sentences_does_not_matter(network):
    forward, backward = network(**batch(SENTENCES)), network(**batch(SENTENCES[::-1]))
    sizes = [len(sentence["spans"]) * (len(sentence["spans"]) - 1) for sentence in SENTENCES]
    assert torch.allclose(forward, torch.cat(backward.split(sizes[::-1])[::-1]), atol=1e-5)


@torch.no_grad()
def test_words_may_be_shared_by_tokens(network):
    # Two sentences of the same words: each word's vector is given once, and found by its row.
    sentence = SENTENCES[0]
    arguments = batch([sentence, sentence])
    arguments["words"], arguments["word"] = sentence["words"].flip(0), torch.tensor([5, 4, 3, 2, 1, 0] * 2)
    assert torch.allclose(network(**arguments), network(**batch([sentence])).repeat(2, 1), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("at_once", [1, 3, 7])
def test_pairs_in_portions(network, monkeypatch, at_once):
    whole = network(**batch(SENTENCES))
    monkeypatch.setattr(PairNetwork, "MAX_PAIRS", at_once)
    assert torch.allclose(network(**batch(SENTENCES)), whole, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("at_once", [1, 12, 45, 80])
def test_tokens_in_portions(network, monkeypatch, at_once):
    whole = network(**batch(SENTENCES))
    monkeypatch.setattr(PairNetwork, "MAX_TOKENS", at_once)
    assert torch.allclose(network(**batch(SENTENCES)), whole, atol=1e-5)


def test_gradients_do_not_depend_on_portions(network, monkeypatch):
    gradients = []
    for tokens, pairs in ((10_000, 10_000), (12, 3)):
        monkeypatch.setattr(PairNetwork, "MAX_TOKENS", tokens)
        monkeypatch.setattr(PairNetwork, "MAX_PAIRS", pairs)
        network.zero_grad()
        network(**batch(SENTENCES)).square().sum().backward()
        gradients.append(torch.cat([weights.grad.flatten() for weights in network.parameters()]))
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_a_long_batch_keeps_its_digits(network):
    # The words between two spans come from running sums over the whole batch.
    sentences = [make_sentence(30, [(0, 1), (4, 6)], seed=seed) for seed in range(400)]
    outputs = network(**batch(sentences))
    assert torch.allclose(outputs[-2:], slowly(network, sentences[-1]), atol=1e-5)


def no_pairs():
    arguments = batch(SENTENCES)
    return {
        **{name: value[:0] for name, value in arguments.items()},
        "words": torch.zeros(0, WIDTH),
    }


def test_no_pairs(network):
    assert network(**no_pairs()).shape == (0, N_LABELS)


def test_no_pairs_can_be_learned_from(network):
    network.train()(**no_pairs()).sum().backward()


def test_gradients_reach_every_parameter(network):
    network.train()(**batch(SENTENCES)).square().sum().backward()
    without = [name for name, weights in network.named_parameters() if weights.grad is None or not weights.grad.any()]
    assert without == []


def test_hidden_types_are_as_types_never_seen():
    # With every type hidden, the types of the spans make no difference; that of type 1 is what is learned.
    network = make_network(type_dropout=1.0).train()
    arguments = batch(SENTENCES)
    hidden = network(**arguments)
    arguments["span_type"] = torch.ones_like(arguments["span_type"])
    assert torch.equal(hidden, network(**arguments))


def test_nothing_is_hidden_or_dropped_when_predicting():
    network = make_network(dropout=0.5, type_dropout=0.5)
    assert torch.equal(network(**batch(SENTENCES)), network(**batch(SENTENCES)))


def test_dropout_is_at_work_when_training():
    network = make_network(dropout=0.5).train()
    assert not torch.equal(network(**batch(SENTENCES)), network(**batch(SENTENCES)))


def test_equal_seeds_build_equal_networks():
    one, two, other = (make_network(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["labels.weight"], other["labels.weight"])


def test_no_parameters_before_it_is_built():
    network = PairNetwork(
        input_width=7, type_width=3, hidden_width=6, depth=1, pair_width=7, dropout=0.0, type_dropout=0.0
    )
    assert list(network.parameters()) == []
    network.build(n_types=0, n_labels=1)
    assert network.labels.out_features == 1


def test_the_lstm_starts_as_keras_starts_it(network):
    recurrent = network.encoder.weight_hh_l0.detach()
    assert torch.allclose(recurrent.T @ recurrent, torch.eye(6), atol=1e-5)
    assert network.encoder.bias_ih_l0.tolist() == [0] * 6 + [1] * 6 + [0] * 12
    assert not network.encoder.bias_hh_l0.any()
