"""Precision, recall and F1 of relations, and of entities, against gold Docs."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example
from tqdm import tqdm

from kgmrca.corpora.annotated import Corpus
from kgmrca.relations import get_records
from kgmrca.tagging.component import relation_pipe

__all__ = ["evaluate", "make_relation_scorer", "score_relations"]


def make_relation_scorer() -> Callable[..., dict[str, Any]]:
    """`score_relations`, for a component's config (`kgmrca.relation_scorer.v1`)."""
    return score_relations


def score_relations(examples: Iterable[Example], **_: Any) -> dict[str, Any]:
    """Compare `doc._.relations` of predicted and reference Docs.

    A relation counts as found if its subject's and object's characters, their order and the label are all right.
    Gold relations between spans that were never proposed count as missed, so the figures need no remark about which
    pairs they were taken over. A gold Doc without `doc._.relations` (None) is not scored.

    Returns:
        `rel_micro_p`, `rel_micro_r`, `rel_micro_f` (None where no example was scored) and `rel_per_type`,
        `label -> {"p", "r", "f"}` as spaCy's own scorers give it.
    """
    right: Counter[str] = Counter()
    given: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    scored = False
    for example in examples:
        reference = get_records(example.reference)
        if reference is None:
            continue
        scored = True
        wanted = {record[:5] for record in reference}
        found = {record[:5] for record in get_records(example.predicted) or ()}
        gold.update(record[4] for record in wanted)
        given.update(record[4] for record in found)
        right.update(record[4] for record in wanted & found)
    micro = prf(right.total(), given.total(), gold.total())
    return {
        **{f"rel_micro_{key}": value if scored else None for key, value in micro.items()},
        "rel_per_type": {label: prf(right[label], given[label], gold[label]) for label in sorted({*given, *gold})},
    }


def prf(right: int, given: int, gold: int) -> dict[str, float]:
    """Precision, recall and F1 from counts; 0 where there is nothing to divide by."""
    return {
        "p": right / given if given else 0.0,
        "r": right / gold if gold else 0.0,
        "f": 2 * right / (given + gold) if given + gold else 0.0,
    }


def evaluate(nlp: Language, path: Path) -> dict[str, Any]:
    """Score a pipeline on gold Docs in three ways.

    Unlike `spacy evaluate`, which gives the relation component Docs without entities, this tells apart what it does
    on the right entities and what comes out of raw text.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.

    Returns:
        Micro scores `p`, `r` and `f`, and the same for each type or label in `per_type`, of

        - `entities`: of the whole pipeline on raw text (exact spans and type);
        - `relations, gold entities`: of the relation component alone, on gold entities and sentences;
        - `relations, end to end`: of the whole pipeline on raw text (exact spans, direction and label).

    Raises:
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    given = list(Corpus(path)(nlp))
    with tqdm(total=2 * len(given), unit="doc", disable=None) as bar:
        for example, doc in zip(given, pipe.pipe([example.predicted for example in given]), strict=True):
            example.predicted = doc
            bar.update()
        raw = []
        for example, doc in zip(given, nlp.pipe([example.reference.text for example in given]), strict=True):
            raw.append(Example(doc, example.reference))
            bar.update()
    entities = Scorer.score_spans(raw, "ents")
    return {
        "entities": {key: entities[f"ents_{key}"] for key in ("p", "r", "f", "per_type")},
        "relations, gold entities": _short(score_relations(given)),
        "relations, end to end": _short(score_relations(raw)),
    }


def _short(scores: dict[str, Any]) -> dict[str, Any]:
    return {key: scores[f"rel_micro_{key}"] for key in "prf"} | {"per_type": scores["rel_per_type"]}
