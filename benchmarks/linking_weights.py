"""Fit the weights by which entities are linked, and how sure a link is, on the documents of `namesakes` for choosing.

    python benchmarks/linking_weights.py --data DATA

prints the fields of `disambiguation.Weights` that `disambiguation.COLUMNS` names, `SHARPNESS` and `NONE_OF_THESE`, and
the limit from which 94 of 100 links are right. They are copied into `kgmrca/wikidata/disambiguation.py`.

Weights are fitted by conditional logistic regression: of the items with a name, and "none of these", one is right. A
penalty of half the sum of their squares keeps them small. `SHARPNESS` and `NONE_OF_THESE` are fitted in the same way to
probabilities of documents that the weights were not fitted on (four parts), after belief propagation.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from linking import LANGUAGES, Linked, Linking, linked_names, linking, weighted
from namesakes import is_test, write_sample
from numpy.typing import NDArray
from torch import Tensor
from training import command

from kgmrca.wikidata.disambiguation import COLUMNS, LinkKnowledge, Weights, compare
from kgmrca.wikidata.evidence import TOPIC
from kgmrca.wikidata.link_lookups import look_up
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import NotChecked
from kgmrca.wikidata.sparql import open_endpoint

_PARTS = 4
_PRECISION = 0.94


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the folder of the data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wikidata.nt"
        documents = [linking(one) for one in write_sample(file, options.data) if not is_test(one)]
        with Lookups(open_endpoint(file), cache=None) as lookups:
            knowledge = look_up([one.group for one in documents], lookups, languages=LANGUAGES)
            weights = fit(documents, knowledge)
            for name in COLUMNS:
                print(f"{name}: float = {getattr(weights, name):.2f}")
            decided = [one for part in range(_PARTS) for one in _decided(documents, part, knowledge, lookups)]
    sharpness, none = _fit_sureness(decided)
    print(f"SHARPNESS = {sharpness:.2f}")
    print(f"NONE_OF_THESE = {none:.2f}")
    sure = np.array([(_sure(one, sharpness, none)[0], one.is_right) for one in decided if one.decision.candidates])
    sure = sure[np.argsort(-sure[:, 0], kind="stable")]
    right = np.cumsum(sure[:, 1]) / np.arange(1, 1 + len(sure))
    enough = int(np.flatnonzero(right >= _PRECISION)[-1])
    print(f"{_PRECISION:.0%} are right from {sure[enough, 0]:.3f}: {(1 + enough) / len(decided):.3f} are answered")


def fit(documents: Sequence[Linking], knowledge: LinkKnowledge) -> Weights:
    """The weights of `COLUMNS`: first without the topic, which depends on them, then with it."""
    weights = Weights()._replace(**dict.fromkeys(COLUMNS, 0.0))
    for left_out in (len(TOPIC), 0):
        with weighted(weights, sharpness=1.0, none=0.0):
            cases = [case for one in documents for case in _cases(one, knowledge)]
        found = _maximized(cases, len(COLUMNS) - left_out)
        weights = weights._replace(**dict(zip(COLUMNS, found.tolist(), strict=False)))
    return weights


Case = tuple[NDArray[np.float64], NDArray[np.float64], int]  # columns, fixed log odds, the right item from 1, or 0


def _cases(one: Linking, knowledge: LinkKnowledge) -> list[Case]:
    found = []
    for item, compared in zip(one.items, compare(one.group, knowledge, language="en"), strict=True):
        if item and not isinstance(compared, NotChecked) and compared.items:
            right = 1 + compared.items.index(item) if item in compared.items else 0
            found.append((compared.columns, compared.fixed, right))
    return found


def _maximized(cases: Sequence[Case], count: int) -> NDArray[np.float64]:
    """The first `count` weights; the first two, which all candidates of a name have, are not kept small."""
    most = max(len(fixed) for _, fixed, _ in cases)
    columns = torch.zeros(len(cases), most, count, dtype=torch.double)
    fixed = torch.full((len(cases), most), -1e9, dtype=torch.double)
    for number, (table, odds, _) in enumerate(cases):
        columns[number, : len(odds)] = torch.from_numpy(table[:, :count])
        fixed[number, : len(odds)] = torch.from_numpy(odds)
    right = torch.tensor([one for _, _, one in cases])

    def loss(weights: Tensor) -> Tensor:
        odds = torch.cat([torch.zeros(len(cases), 1, dtype=torch.double), columns @ weights + fixed], 1)
        return torch.nn.functional.cross_entropy(odds, right, reduction="sum") + (weights[2:] ** 2).sum() / 2

    return _minimized(loss, torch.zeros(count, dtype=torch.double))


def _minimized(loss: Callable[[Tensor], Tensor], start: Tensor) -> NDArray[np.float64]:
    weights = start.requires_grad_()
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        value = loss(weights)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]
    return weights.detach().numpy()


def _decided(documents: Sequence[Linking], part: int, knowledge: LinkKnowledge, lookups: Lookups) -> list[Linked]:
    """The entities of a part's documents, decided with weights that were fitted on the other documents."""
    parts = [sha256(f"part of {one.document.name}".encode()).digest()[0] % _PARTS for one in documents]
    weights = fit([one for one, of in zip(documents, parts, strict=True) if of != part], knowledge)
    with weighted(weights, sharpness=1.0, none=0.0):
        return linked_names([one for one, of in zip(documents, parts, strict=True) if of == part], lookups)


def _fit_sureness(decided: Sequence[Linked]) -> tuple[float, float]:
    cases = [one for one in decided if one.decision.candidates]
    most = max(len(one.decision.candidates) for one in cases)
    odds = torch.full((len(cases), 1 + most), -1e9, dtype=torch.double)
    for number, one in enumerate(cases):
        found = [probability for _, probability in one.decision.candidates]
        odds[number, : 1 + len(found)] = torch.tensor([1 - sum(found), *found], dtype=torch.double).clamp(1e-4).log()
    right = torch.tensor([one.place for one in cases])

    def loss(values: Tensor) -> Tensor:
        first = torch.zeros(1 + most, dtype=torch.double)
        first[0] = 1.0
        return torch.nn.functional.cross_entropy(odds * values[0] + first * values[1], right, reduction="sum")

    sharpness, none = _minimized(loss, torch.tensor([1.0, 0.0], dtype=torch.double)).tolist()
    return sharpness, none


def _sure(one: Linked, sharpness: float, none: float) -> list[float]:
    found = [probability for _, probability in one.decision.candidates]
    odds = np.log(np.clip([1 - sum(found), *found], 1e-4, 1)) * sharpness
    odds[0] += none
    shares = np.exp(odds - odds.max())
    return (shares / shares.sum())[1:].tolist()


if __name__ == "__main__":
    command(main)
