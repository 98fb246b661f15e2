"""The network of document facts: shapes, and answers that depend on the passage alone."""

import pytest
import torch
from torch import Tensor

from kgmrca.extraction.relations.fact_network import FactNetwork

STATES, VECTORS, TYPES, LABELS = 10, 6, 3, 5


@pytest.fixture
def network() -> FactNetwork:
    torch.manual_seed(0)
    made = FactNetwork(
        state_width=STATES,
        vector_width=VECTORS,
        n_types=TYPES,
        n_outputs=LABELS,
        token_width=12,
        hidden_width=8,
        entity_width=12,
        pair_width=16,
        heads=2,
        key_width=4,
        third_width=4,
    ).eval()
    for weights in made.parameters():  # layers that start with zeros would hide mistakes
        torch.nn.init.normal_(weights, std=0.3)
    return made


def passage(seed: int, length: int, mentions: list[tuple[int, int, int]]) -> dict[str, Tensor]:
    """A passage of random words with mentions (first token, end, entity), and all pairs of its entities."""
    torch.manual_seed(seed)
    rows = torch.tensor(mentions)
    entities = int(rows[:, 2].max()) + 1
    return {
        "states": torch.randn(length, STATES),
        "vectors": torch.randn(length, VECTORS),
        "lengths": torch.tensor([length]),
        "sentence": torch.arange(length) // 4,
        "mentions": rows[:, :2],
        "mention_entity": rows[:, 2],
        "mention_kind": torch.arange(len(rows)) % 3,
        "entity_type": torch.arange(entities) % (TYPES + 1),
        "entity_passage": torch.zeros(entities, dtype=torch.long),
        "pairs": torch.tensor(
            [(i, j) for i in range(entities) for j in range(entities) if i != j], dtype=torch.long
        ).view(-1, 2),
    }


def together(*passages: dict[str, Tensor]) -> dict[str, Tensor]:
    """Passages as one batch."""
    tokens = entities = 0
    moved = []
    for number, one in enumerate(passages):
        moved.append(
            {
                **one,
                "mentions": one["mentions"] + tokens,
                "mention_entity": one["mention_entity"] + entities,
                "entity_passage": one["entity_passage"] + number,
                "pairs": one["pairs"] + entities,
            }
        )
        tokens += len(one["states"])
        entities += len(one["entity_type"])
    return {name: torch.cat([one[name] for one in moved]) for name in moved[0]}


LONG = passage(1, 23, [(0, 2, 0), (3, 4, 1), (6, 9, 2), (10, 11, 0), (15, 16, 3), (22, 23, 1)])
SHORT = passage(2, 5, [(0, 1, 0), (2, 4, 1)])
LONELY = passage(3, 4, [(1, 2, 0)])
FAR = passage(4, 150, [(0, 1, 0), (80, 82, 1), (140, 150, 2), (81, 83, 2)])


@pytest.mark.parametrize("given", [LONG, SHORT, FAR], ids=["long", "short", "far"])
def test_a_score_for_each_pair_and_label(network: FactNetwork, given: dict[str, Tensor]) -> None:
    scores = network(**given)
    assert scores.shape == (len(given["pairs"]), LABELS)
    assert scores.isfinite().all()


def test_no_pair_no_score(network: FactNetwork) -> None:
    assert network(**LONELY).shape == (0, LABELS)


def test_other_passages_change_nothing(network: FactNetwork) -> None:
    alone = torch.cat([network(**one) for one in (SHORT, LONG, FAR)])
    torch.testing.assert_close(network(**together(LONELY, SHORT, LONG, LONELY, FAR)), alone, rtol=1e-4, atol=1e-4)
    behind = network(**together(FAR, LONG))[len(FAR["pairs"]) :]
    torch.testing.assert_close(behind, network(**LONG), rtol=1e-4, atol=1e-4)


def test_other_questions_change_nothing(network: FactNetwork) -> None:
    some = torch.tensor([7, 2])
    torch.testing.assert_close(network(**{**LONG, "pairs": LONG["pairs"][some]}), network(**LONG)[some])


def test_the_order_of_mentions_and_entities_changes_nothing(network: FactNetwork) -> None:
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    shuffled = {name: LONG[name][order] for name in ("mentions", "mention_entity", "mention_kind")}
    torch.testing.assert_close(network(**{**LONG, **shuffled}), network(**LONG), rtol=1e-4, atol=1e-4)
    new = torch.tensor([2, 0, 3, 1])  # the new number of each entity
    renamed = {
        "mention_entity": new[LONG["mention_entity"]],
        "entity_type": LONG["entity_type"][new.argsort()],
        "pairs": new[LONG["pairs"]],
    }
    torch.testing.assert_close(network(**{**LONG, **renamed}), network(**LONG), rtol=1e-4, atol=1e-4)


def test_where_sentences_begin_counts_only_by_difference(network: FactNetwork) -> None:
    torch.testing.assert_close(network(**{**LONG, "sentence": LONG["sentence"] + 40}), network(**LONG))


@pytest.mark.parametrize("name", ["entity_type", "mention_kind", "sentence"])
def test_what_is_told_of_tokens_and_entities_counts(network: FactNetwork, name: str) -> None:
    other = {**LONG, name: torch.zeros_like(LONG[name])}
    assert not torch.allclose(network(**other), network(**LONG), atol=1e-3)


def test_subject_and_object_are_told_apart(network: FactNetwork) -> None:
    there, back = network(**{**SHORT, "pairs": torch.tensor([[0, 1], [1, 0]])})
    assert not torch.allclose(there, back, atol=1e-3)


def test_few_subjects_at_a_time_give_the_same(network: FactNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = network(**LONG)
    monkeypatch.setattr("kgmrca.extraction.relations.fact_network._MAX_CELLS", 1)
    torch.testing.assert_close(network(**LONG), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("most", [1, 10, 1000])
def test_few_passages_at_a_time_give_the_same(network: FactNetwork, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    passages = (SHORT, LONELY, LONG, FAR, LONELY, SHORT)
    monkeypatch.setattr("kgmrca.extraction.relations.fact_network._MAX_PAIRS", most)
    alone = torch.cat([network(**one) for one in passages])
    torch.testing.assert_close(network(**together(*passages)), alone, rtol=1e-4, atol=1e-4)


def test_training_reads_passages_together_as_predicting_does_one_by_one(network: FactNetwork) -> None:
    for module in network.modules():
        if hasattr(module, "share"):
            module.share = 0.0
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    apart = network(**together(SHORT, LONG))
    torch.manual_seed(0)
    network.train()
    network.context.eval()  # it hides words at random
    torch.testing.assert_close(network(**together(SHORT, LONG)), apart, rtol=1e-4, atol=1e-4)


def test_training_reaches_all_weights_and_the_inputs(network: FactNetwork) -> None:
    network.train()
    batch = together(LONG, SHORT, LONELY)
    states = batch["states"].requires_grad_()
    network(**{**batch, "states": states}).square().sum().backward()
    assert [name for name, weights in network.named_parameters() if weights.grad is None] == []
    assert all(weights.grad.isfinite().all() for weights in network.parameters() if weights.grad is not None)
    assert states.grad is not None
    assert states.grad[: len(LONG["states"])].abs().sum() > 0


def test_it_learns_which_entity_is_named_first(network: FactNetwork) -> None:
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    target = (LONG["pairs"][:, :1] < LONG["pairs"][:, 1:]).float().expand(-1, LABELS)
    network.train()
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(**LONG), target)
        loss.backward()
        optimizer.step()
    assert ((network.eval()(**LONG) > 0) == (target > 0)).all()
