"""The networks, against slow ones that take every pair, instance and window by itself."""

from math import sqrt

import pytest
import torch

from kgmrca.extraction.encoder.networks import LookedUp
from kgmrca.extraction.relations.network import MRCANetwork, PairNetwork

WIDTH = 5
LIMIT = 3.0
N_TYPES = 3
N_LABELS = 4


def make_network(seed=0, **changes):
    torch.manual_seed(seed)
    settings = {
        "n_flags": 2,
        "type_width": 3,
        "hidden_width": 6,
        "depth": 1,
        "pair_width": 7,
        "dropout": 0.0,
        "type_dropout": 0.0,
        **changes,
    }
    network = PairNetwork(**settings)
    network.build(words=LookedUp(WIDTH, limit=LIMIT), n_types=N_TYPES, n_outputs=N_LABELS)
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
        "words": {"vectors": words, "row": torch.arange(len(words))},
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
    states = network.encoder(inputs.unsqueeze(0))[0][0] if network.hidden_width else inputs
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
@pytest.mark.parametrize("changes", [{"depth": 1}, {"depth": 2}, {"hidden_width": 0}])
def test_outputs_are_those_of_the_slow_network(changes):
    network = make_network(**changes)
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
    arguments["words"] = {"vectors": sentence["words"].flip(0), "row": torch.tensor([5, 4, 3, 2, 1, 0] * 2)}
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
    monkeypatch.setattr("kgmrca.extraction.encoder.networks.MAX_TOKENS", at_once)
    assert torch.allclose(network(**batch(SENTENCES)), whole, atol=1e-5)


def test_gradients_do_not_depend_on_portions(network, monkeypatch):
    gradients = []
    for tokens, pairs in ((10_000, 10_000), (12, 3)):
        monkeypatch.setattr("kgmrca.extraction.encoder.networks.MAX_TOKENS", tokens)
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
    words = arguments.pop("words")
    return {
        **{name: value[:0] for name, value in arguments.items()},
        "words": {"vectors": words["vectors"][:0], "row": words["row"][:0]},
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
    network = PairNetwork(n_flags=2, type_width=3, hidden_width=6, depth=1, pair_width=7, dropout=0.0, type_dropout=0.0)
    assert list(network.parameters()) == []
    network.build(words=LookedUp(WIDTH, limit=LIMIT), n_types=0, n_outputs=1)
    assert network.labels.out_features == 1


# The published network.


def make_published(seed=0, *, hidden_width=6, dropout=0.0):
    torch.manual_seed(seed)
    network = MRCANetwork(hidden_width=hidden_width, dropout=dropout)
    network.build(words=LookedUp(WIDTH, limit=LIMIT), n_types=N_TYPES, n_outputs=N_LABELS)
    return network.eval()


def instances(seed=0):
    """Three sentences, one too long to be read to its end, and six instances, one with several subjects and objects."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([4, 100, 130])
    n_tokens = int(lengths.sum())
    return {
        "words": {"vectors": torch.randn(n_tokens, WIDTH, generator=draw), "row": torch.arange(n_tokens)},
        "upper": torch.randint(0, 2, (n_tokens,), generator=draw).bool(),
        "lengths": lengths,
        "sentence": torch.tensor([0, 2, 1, 0, 2, 1]),
        "subjects": torch.tensor([[0, 0, 1], [1, 3, 5], [2, 98, 100], [3, 2, 4], [4, 98, 103], [5, 0, 2], [5, 7, 9]]),
        "objects": torch.tensor([[0, 2, 4], [1, 0, 2], [2, 0, 1], [3, 0, 1], [4, 110, 112], [5, 1, 4], [5, 20, 21]]),
    }


def windows_slowly(states):
    """Averages of states [100, width] as "same" padding takes them, [50, width].

    50 windows of 80 at every second token want (50 - 1) * 2 + 80 = 178 tokens: 39 more before the first, 39 after the
    last, which count for nothing in the averages.
    """
    return torch.stack([states[max(start, 0) : start + 80].mean(0) for start in range(-39, 60, 2)])


def published_slowly(network, arguments):
    """Outputs instance by instance, and token by token before that."""
    starts = [0, 4, 104]
    outputs = []
    for number, sentence in enumerate(arguments["sentence"].tolist()):
        inputs = torch.zeros(100, WIDTH + 2)
        for position in range(min(100, int(arguments["lengths"][sentence]))):
            token = starts[sentence] + position
            inputs[position, :WIDTH] = arguments["words"]["vectors"][arguments["words"]["row"][token]]
            inputs[position, WIDTH] = 3 if arguments["upper"][token] else -3
            for name, value in (("objects", -3), ("subjects", 3)):
                if any(i == number and first <= position < last for i, first, last in arguments[name].tolist()):
                    inputs[position, WIDTH + 1] = value
        states = network.encoder(inputs.unsqueeze(0))[0][0] if network.hidden_width else inputs
        outputs.append(network.labels(windows_slowly(states).flatten()))
    return torch.stack(outputs)


@pytest.fixture
def published():
    return make_published()


@torch.no_grad()
@pytest.mark.parametrize("hidden_width", [6, 0])
def test_published_outputs_are_those_of_the_slow_network(hidden_width):
    network = make_published(hidden_width=hidden_width)
    assert torch.allclose(network(**instances()), published_slowly(network, instances()), atol=1e-5)


def test_windows_are_those_of_same_padding(published):
    states = torch.randn(2, 100, 3, generator=torch.Generator().manual_seed(0))
    expected = torch.stack([windows_slowly(part) for part in states])
    assert published.windows(states).shape == (2, 50, 3)
    assert torch.allclose(published.windows(states), expected, atol=1e-6)


def test_windows_by_hand(published):
    # Each token's state is its position. The first window holds the tokens 0 to 40, the last 59 to 99; one that starts
    # at token 1 is the first without padding before it, and holds 1 to 80.
    averages = published.windows(torch.arange(100.0).reshape(1, 100, 1))[0, :, 0]
    assert averages[[0, 1, 19, 20, 29, 30, 49]].tolist() == [20, 21, 39, 40.5, 58.5, 60, 79]


def test_windows_leave_padding_out_of_the_average(published):
    assert torch.allclose(published.windows(torch.ones(1, 100, 1)), torch.ones(1, 50, 1))


def test_case_by_hand(published):
    # Equation 3.2.
    assert published.case(torch.tensor([True, False])).tolist() == [3, -3]


def roles(network, subjects, objects, n_instances=1):
    def spans(found):
        return torch.tensor(found, dtype=torch.int64).reshape(-1, 3)

    return network.roles(spans(subjects), spans(objects), n_instances)


def test_roles_by_hand(published):
    # Equation 3.3.
    found = roles(published, [(0, 1, 3), (1, 0, 1)], [(0, 4, 5), (1, 2, 4)], n_instances=3)
    assert found.shape == (3, 100)
    assert found[:, :6].tolist() == [[0, 3, 3, 0, -3, 0], [3, 0, -3, -3, 0, 0], [0, 0, 0, 0, 0, 0]]
    assert not found[:, 6:].any()


def test_an_instance_may_have_several_subjects_and_objects(published):
    found = roles(published, [(0, 0, 1), (0, 2, 3)], [(0, 1, 2), (0, 4, 6)])
    assert found[0, :7].tolist() == [3, -3, 3, 0, -3, -3, 0]


def test_the_subject_wins_where_both_apply(published):
    assert roles(published, [(0, 1, 3)], [(0, 0, 5)])[0, :6].tolist() == [-3, 3, 3, -3, -3, 0]
    assert roles(published, [(0, 0, 5)], [(0, 1, 3)])[0, :6].tolist() == [3, 3, 3, 3, 3, 0]


def test_roles_beyond_the_last_token_are_cut(published):
    found = roles(published, [(0, 98, 103), (0, 120, 121)], [(0, 100, 140)])
    assert found[0, 96:].tolist() == [0, 0, 3, 3]
    assert not found[0, :96].any()


def test_no_roles(published):
    assert not roles(published, [], [], n_instances=2).any()


@torch.no_grad()
def test_tokens_beyond_the_100th_are_not_read(published):
    before, after, inside = instances(), instances(), instances()
    after["words"]["vectors"][204:] += 1
    inside["words"]["vectors"][203:] += 1
    of_long = before["sentence"] == 2
    assert torch.equal(published(**after), published(**before))
    assert not torch.isclose(published(**inside), published(**before))[of_long].any()


@torch.no_grad()
def test_subject_and_object_are_told_apart(published):
    turned = instances()
    turned["subjects"], turned["objects"] = turned["objects"], turned["subjects"]
    assert not torch.isclose(published(**turned), published(**instances())).all(1).any()


@torch.no_grad()
@pytest.mark.parametrize("at_once", [1, 4])
def test_instances_in_portions(published, monkeypatch, at_once):
    whole = published(**instances())
    monkeypatch.setattr(MRCANetwork, "MAX_INSTANCES", at_once)
    assert torch.allclose(published(**instances()), whole, atol=1e-6)


def test_published_gradients_do_not_depend_on_portions(published, monkeypatch):
    gradients = []
    for at_once in (100, 4):
        monkeypatch.setattr(MRCANetwork, "MAX_INSTANCES", at_once)
        published.zero_grad()
        published(**instances()).square().sum().backward()
        gradients.append(torch.cat([weights.grad.flatten() for weights in published.parameters()]))
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("hidden_width", [6, 0])
def test_published_gradients_reach_every_parameter(hidden_width):
    network = make_published(hidden_width=hidden_width).train()
    network(**instances()).square().sum().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in network.parameters())


def test_no_instances(published):
    arguments = instances()
    for name in ("sentence", "subjects", "objects"):
        arguments[name] = arguments[name][:0]
    assert published(**arguments).shape == (0, N_LABELS)


def test_published_dropout_is_at_work_only_when_training():
    network = make_published(dropout=0.5)
    assert torch.equal(network(**instances()), network(**instances()))
    network.train()
    assert not torch.equal(network(**instances()), network(**instances()))


def test_the_published_network_has_14_million_parameters():
    network = MRCANetwork(hidden_width=500, dropout=0.15)
    assert list(network.parameters()) == []
    network.build(words=LookedUp(300, limit=LIMIT), n_types=0, n_outputs=216)
    # Two directions of four gates over 300 + 2 inputs and 500 states, with torch's two biases; 50 windows of 1000.
    expected = 2 * (4 * 500 * (302 + 500) + 2 * 4 * 500) + 50 * 1000 * 216 + 216
    assert sum(weights.numel() for weights in network.parameters()) == expected
    assert round(expected / 1e6, 1) == 14.0


# Both networks.

BOTH = [(make_network, lambda: batch(SENTENCES)), (make_published, instances)]
both = pytest.mark.parametrize(("make", "arguments"), BOTH, ids=["pairs", "published"])


@pytest.mark.parametrize("suffix", ["l0", "l0_reverse"])
@both
def test_the_lstm_starts_as_keras_starts_it(make, arguments, suffix):
    weights = {name: value.detach() for name, value in make().encoder.named_parameters() if name.endswith(f"_{suffix}")}
    # Keras draws the recurrence of the four gates as one matrix with orthogonal rows [6, 24]; torch has it transposed.
    recurrent = weights[f"weight_hh_{suffix}"]
    assert recurrent.shape == (24, 6)
    assert torch.allclose(recurrent.T @ recurrent, torch.eye(6), atol=1e-5)
    # Glorot's bound is that of the whole input matrix, too.
    inputs = weights[f"weight_ih_{suffix}"]
    bound = sqrt(6 / (inputs.shape[1] + 24))
    assert 0.9 * bound < inputs.abs().max() <= bound
    # torch adds up two biases; its gates come in the order input, forget, cell, output.
    bias = weights[f"bias_ih_{suffix}"] + weights[f"bias_hh_{suffix}"]
    assert bias.tolist() == [0] * 6 + [1] * 6 + [0] * 12


def test_the_published_output_layer_starts_as_keras_starts_it(published):
    weights = published.labels.weight.detach()
    bound = sqrt(6 / (50 * 12 + N_LABELS))
    assert 0.9 * bound < weights.abs().max() <= bound
    assert not published.labels.bias.any()


@both
def test_on_a_cpu_everything_is_single_precision(make, arguments):
    network = make()
    dtypes = []
    for module in network.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Embedding):
            module.register_forward_hook(lambda module, inputs, output: dtypes.append(output.dtype))
    assert network(**arguments()).dtype == torch.float32
    assert set(dtypes) == {torch.float32}


def on_cuda(value):
    return {name: on_cuda(part) for name, part in value.items()} if isinstance(value, dict) else value.cuda()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@both
def test_cpu_and_cuda_give_close_outputs_and_gradients(make, arguments):
    results = []
    for device in ("cpu", "cuda"):
        network = make().to(device)
        network.train()
        for weights in network.parameters():
            weights.data = weights.data.clone()  # as training with thinc leaves them, which cuDNN may warn of
        given = arguments()
        outputs = network(**(on_cuda(given) if device == "cuda" else given))
        assert outputs.dtype == torch.float32
        outputs.square().sum().backward()
        gradients = {name: weights.grad.cpu() for name, weights in network.named_parameters()}
        results.append((outputs.detach().cpu(), gradients))
    (expected, slopes), (found, found_slopes) = results
    # bfloat16 has a precision of three digits.
    assert (found - expected).abs().max() < 0.03 * expected.abs().max()
    for name, slope in slopes.items():
        assert (found_slopes[name] - slope).abs().max() < 0.1 * slope.abs().max(), name


@pytest.mark.parametrize(("method", "equation"), [("case", "Equation 3.2"), ("roles", "Equation 3.3")])
def test_the_equation_is_named(method, equation):
    assert equation in getattr(MRCANetwork, method).__doc__
