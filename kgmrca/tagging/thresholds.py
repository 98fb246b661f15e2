"""Choosing the operating point: the score from which a label is given."""

from pathlib import Path

import numpy as np
from spacy.language import Language
from tqdm import tqdm

from kgmrca.corpora.annotated import Corpus
from kgmrca.relations import get_records
from kgmrca.tagging.component import relation_pipe
from kgmrca.tagging.scorer import prf

__all__ = ["sweep"]

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


def sweep(nlp: Language, path: Path) -> list[dict[str, float]]:
    """Micro scores of the relation component at a range of thresholds, on gold entities.

    Choose on held-out data, never on the data you report on.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.

    Returns:
        A row `{"threshold", "p", "r", "f"}` for each of 0.05, 0.10, ... 0.95.

    Raises:
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    before, pipe.threshold = pipe.threshold, THRESHOLDS[0]
    try:
        examples = list(Corpus(path)(nlp))
        scored = pipe.pipe([example.predicted for example in examples])
        docs = list(tqdm(scored, total=len(examples), unit="doc", disable=None))
    finally:
        pipe.threshold = before
    right, scores, n_gold = [], [], 0
    for example, doc in zip(examples, docs, strict=True):
        gold = {record[:5] for record in get_records(example.reference) or ()}
        n_gold += len(gold)
        for record in get_records(doc) or ():
            right.append(record[:5] in gold)
            scores.append(record[5])
    is_right, score = np.array(right, bool), np.array(scores)
    return [
        {"threshold": cutoff} | prf(int(is_right[score >= cutoff].sum()), int((score >= cutoff).sum()), n_gold)
        for cutoff in THRESHOLDS
    ]
