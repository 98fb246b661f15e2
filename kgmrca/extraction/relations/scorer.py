"""Precision, recall and F1 of relations and entities against gold Docs, with intervals and the kinds of mistakes.

Everything is counted from one table, `Comparison`. It has a row for each relation or entity that the gold data has
("gold") or the pipeline gave ("given"). All scores are computed from its sums over documents, labels or kinds of pairs.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from kgmrca.corpora.annotated import UNTYPED
from kgmrca.errors import InputError
from kgmrca.extraction.relations.calibration import SHOWN, reliability
from kgmrca.extraction.relations.component import relation_pipe
from kgmrca.extraction.relations.matching import (
    Answer,
    Key,
    answers,
    level_of,
    mentions_of,
    named_facts,
    names_of_facts,
)
from kgmrca.relations import get_plain_relations

__all__ = ["COUNTS", "NO_LABEL", "NO_RECOGNIZER", "Scores", "evaluate", "make_relation_scorer", "score_relations"]

Keys: TypeAlias = Set[Key]

Scores: TypeAlias = dict[str, Any]

COUNTS = ("gold", "found", "given", "not_judged", "right")
"""What is counted of relations or entities.

- gold: all that the gold data has
- found: all that the gold data has and the pipeline gave
- given: all that the pipeline gave
- not_judged: given, and its document is not annotated exhaustively with its label
- right: given, judged, and in the gold data

Recall is found / gold, precision right / (given - not_judged). Where all is annotated exhaustively, found equals right.
"""

NUMBERS = ("0", "1", "2", "3", "4+")
"""How many gold relations an ordered pair has."""

DISTANCES = {"0-2": 0, "3-5": 3, "6-10": 6, "11-20": 11, "21+": 21}
"""How many tokens stand between subject and object: the name of a range, and where it begins."""

SENTENCES = ("same sentence", "next sentence", "2 sentences apart", "3 or more")
"""How far apart the mentions of subject and object stand that are closest to one another."""

NO_RECOGNIZER = "no recognizer"
"""Stands for the scores of what comes out of raw text where nothing in the pipeline finds entities."""

NO_LABEL = "(none)"
"""Stands for a label in a confusion where there is none."""

_MOST_FREQUENT = 20  # confusions of each kind that are kept
_SEED = 0


def make_relation_scorer() -> Callable[..., dict[str, Any]]:
    """`score_relations`, for a component's config (`kgmrca.relation_scorer.v1`)."""
    return score_relations


def score_relations(examples: Iterable[Example], *, scope: str = "sentence", **_: Any) -> dict[str, Any]:
    """Compare `doc._.relations` of predicted and reference Docs.

    Which relations are the same depends on the scope of the component (see `matching`): the exact mentions of one
    sentence, or the entities of a document. Gold relations between spans that are no candidate pair count as missed, so
    the scores are over all gold relations of that scope. A gold Doc without `doc._.relations` (None) is not scored.
    Precision is taken over the labels that a gold Doc is annotated exhaustively with (see
    `corpora.annotated.exhaustively_annotated`), recall over all.

    Args:
        scope: what the component works on, "sentence" or "document".

    Returns:
        `rel_micro_p`, `rel_micro_r`, `rel_micro_f` and `rel_per_type`, `label -> {"p", "r", "f"}` as spaCy's own
        scorers give it. None for all where no example was scored, for precision and F1 where nothing can be judged.
    """
    scored = [
        Answer.of(example.reference, example.predicted, scope)
        for example in examples
        if get_plain_relations(example.reference) is not None
    ]
    compared = Comparison.of_answers(scored)
    micro = _rates(compared.total(), judged=compared.judged) if scored else np.full(3, np.nan)
    if scored and compared.judged:
        micro = np.nan_to_num(micro)  # training needs a number even where nothing was given that can be judged
    of_label = _rates(compared.by_label(), judged=compared.judged_labels())
    return {
        **{f"rel_micro_{key}": value for key, value in _rates_by_name(micro).items()},
        "rel_per_type": {label: _rates_by_name(rates) for label, rates in zip(compared.labels, of_label, strict=True)},
    }


def evaluate(
    nlp: Language, path: Path, *, level: str | None = None, seen: Sequence[Path] = (), resamples: int = 1000
) -> Scores:
    """Score a pipeline on gold Docs: its entities, its relations on gold entities, and what comes out of raw text.

    Unlike `spacy evaluate`, which gives the relation component Docs without entities, this tells apart what it does
    on the right entities and what comes out of raw text.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.
        level: "document" for relations of the entities of a document, "sentence" for those of mentions of a sentence
            (see `matching`). The relation component works at this level. None: that of the component.
        seen: gold files that were trained on. The scores of relations then have a part "unseen".
        resamples: how many times the documents are drawn anew for the intervals.

    Returns:
        `documents`, their number; `level`; `types_not_in_gold`, the entity types that were given but that the gold data
        lacks; and these parts, where "raw text" means the whole pipeline:

        - `entities`: on raw text, exact span and type; a gold mention without a type in the data matches any type;
        - `entities, types of the data`: the same without the entities of the types in `types_not_in_gold`;
        - `entities, spans alone`: the same, whatever the types;
        - `relations, gold entities`: of the relation component alone, on gold entities, clusters and sentences;
        - `relations, end to end`: on raw text;
        - `relations, end to end, precise` and so on: the same at each operating point of the component;
        - `sentence sets, gold entities`, only of sentences: for each gold sentence, the set of labels given anywhere in
          it against the set of gold labels, as the MRCA paper scores. A relation belongs to the sentence its subject
          starts in.

        The parts on raw text are "no recognizer" where nothing in the pipeline finds entities.

        Each has micro `p`, `r`, `f`; their `COUNTS`; `interval`, the 95 % percentile intervals of the three by a
        bootstrap over documents (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13); `macro`, the
        means over the labels that have gold (where they are known); `given_per_document`; and in `per_type` the scores
        of each label. `p` and `f` are None where nothing that was given can be judged. The relations have also

        - `calibration_error`, the expected calibration error of scores from `calibration.SHOWN` on, where judged, and
          `calibration_error_by_chance`, what it would be of as many scores that are the very probabilities;
        - `unseen`: `p` and `f` without the facts that are in `seen` by a name of the subject and one of the object. As
          for DocRED (Yao et al., 2019), these are taken out of what was given and is right; recall stays as it is.

        Then, for gold entities and ordered pairs, scores and `COUNTS`

        - `gold entities, by number of relations`: by how many gold relations the pair has. Precision is here of the
          labels given to pairs that are related: it says how well they are told apart, and leaves out what was given
          to pairs without a relation. That has a row of its own ("0"), with nothing but the counts.
        - `gold entities, by distance`: by the number of tokens between subject and object, or, of a document, by how
          many sentences their closest mentions are apart. Every pair has one, related or not, so that precision means
          what it does over all.
        - `gold entities, confusion`: see `_confusion`.

    Raises:
        InputError: a file cannot be read, there is no such level, or there is `seen` for the level "sentence".
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    level = level or level_of(pipe)
    if seen and level != "document":
        raise InputError("Facts that were seen in training are known of documents only: use the level 'document'.")
    own = pipe.resolve_threshold()
    points = {point: pipe.resolve_threshold(point) for point in pipe.operating_points}
    known = named_facts(seen, nlp) if seen else None
    lowest = min(SHOWN, *map(_lowest, [own, *points.values()]))
    read = answers(nlp, path, level=level, threshold=lowest)

    def relations(some: Sequence[Answer], threshold: float | Mapping[str, float]) -> Scores:
        compared = Comparison.of_answers(some, threshold)
        scores = _scores(compared, resamples)
        if known is not None:
            scores["unseen"] = _unseen(some, threshold, known, compared.total())
        return {**scores, **_calibration_errors(some)}

    on_gold, raw = read.with_entities, read.end_to_end
    types_not_in_gold = _types_not_in_gold(raw or ())
    parts: Scores = {
        "entities": raw and _scores(_entities(raw), resamples),
        "entities, types of the data": raw and _scores(_entities(raw, leave_out=types_not_in_gold), resamples),
        "entities, spans alone": raw and _scores(_entities(raw, typed=False), resamples),
        "relations, gold entities": relations(on_gold, own),
        "relations, end to end": raw and relations(raw, own),
        **{f"relations, end to end, {point}": raw and relations(raw, number) for point, number in points.items()},
    }
    if level == "sentence":
        parts["sentence sets, gold entities"] = _scores(_sentence_sets(on_gold, own), resamples)
    compared = Comparison.of_answers(on_gold, own)
    return {
        "documents": len(on_gold),
        "level": level,
        "types_not_in_gold": sorted(types_not_in_gold),
        **{name: NO_RECOGNIZER if raw is None and part is None else part for name, part in parts.items()},
        "gold entities, by number of relations": _by_number(compared),
        "gold entities, by distance": _by_distance(compared, on_gold, level),
        "gold entities, confusion": _confusion(compared),
    }


def _lowest(threshold: float | Mapping[str, float]) -> float:
    return min(threshold.values(), default=1.0) if isinstance(threshold, Mapping) else threshold


def _calibration_errors(some: Iterable[Answer]) -> Scores:
    """How far scores from `SHOWN` on are from the share that is right, and by chance; None where nothing is judged."""
    rows = [
        (score, key in answer.gold)
        for answer in some
        for key, score in answer.given.items()
        if score >= SHOWN and answer.is_judged(key[-1])
    ]
    if not rows:
        return {"calibration_error": None, "calibration_error_by_chance": None}
    scores, right = zip(*rows, strict=True)
    found = reliability(np.array(scores), np.array(right, bool))
    return {"calibration_error": found.error, "calibration_error_by_chance": found.by_chance}


def _unseen(
    some: Iterable[Answer],
    threshold: float | Mapping[str, float],
    seen: frozenset[tuple[str, str, str]],
    total: NDArray[np.int64],
) -> Scores:
    """Precision and F1 without what is right and seen (see `evaluate`)."""
    left_out = 0
    for answer in some:
        right = [key for key in answer.from_threshold(threshold) & answer.gold if answer.is_judged(key[-1])]
        if right:
            names = names_of_facts(answer.reference)
            left_out += sum(not names[key].isdisjoint(seen) for key in right)
    without = total.copy()
    without[[COUNTS.index("given"), COUNTS.index("right")]] -= left_out
    (p, _, _), (_, r, _) = _rates(without), _rates(total)
    return _rates_by_name(np.array([p, r, 2 * p * r / (p + r or 1)])) | {"left_out": left_out}


# Counting.


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is gold or was given, a row each. N rows."""

    documents: int
    document: NDArray[np.int64]  # [N] which document it is in
    keys: list[Key]  # [N]
    counts: NDArray[np.int64]  # [N, 5] 0 or 1 for each of `COUNTS`
    exhaustive: frozenset[str] | None  # labels that some document is annotated exhaustively with; None: all

    @classmethod
    def of_documents(cls, documents: Iterable[tuple[Keys, Keys, frozenset[str] | None]]) -> "Comparison":
        """From what is gold and what was given in each document, and the labels it is annotated exhaustively with."""
        rows: list[tuple[bool, ...]] = []
        keys: list[Key] = []
        document: list[int] = []
        annotated: list[frozenset[str] | None] = []
        for number, (gold, given, exhaustive) in enumerate(documents):
            annotated.append(exhaustive)
            for key in gold | given:
                is_gold, is_given = key in gold, key in given
                # A label that is not annotated exhaustively is left out of precision even where it is gold: because it
                # can never be wrong, it could only raise the precision.
                is_judged = is_given and (exhaustive is None or key[-1] in exhaustive)
                rows.append(
                    (is_gold, is_gold and is_given, is_given, is_given and not is_judged, is_gold and is_judged)
                )
                keys.append(key)
                document.append(number)
        return cls(
            documents=len(annotated),
            document=np.array(document, np.int64),
            keys=keys,
            counts=np.array(rows, np.int64).reshape(-1, len(COUNTS)),
            exhaustive=None if None in annotated else frozenset().union(*filter(None, annotated)),
        )

    @classmethod
    def of_answers(cls, answers: Iterable[Answer], threshold: float | Mapping[str, float] = 0.0) -> "Comparison":
        """The relations that were given with at least this score."""
        return cls.of_documents(
            (answer.gold, answer.from_threshold(threshold), answer.exhaustive) for answer in answers
        )

    @property
    def labels(self) -> list[str]:
        """All labels that are gold or were given."""
        return sorted({key[-1] for key in self.keys})

    @property
    def judged(self) -> bool:
        """Whether anything that is given can be judged."""
        return self.exhaustive is None or bool(self.exhaustive)

    def judged_labels(self) -> NDArray[np.bool_]:
        """Whether one of these `labels` can be judged, [labels]."""
        return np.array([self.exhaustive is None or label in self.exhaustive for label in self.labels], bool)

    def total(self) -> NDArray[np.int64]:
        """The `COUNTS` of all rows, [5]."""
        return self.counts.sum(0)

    def by_document(self) -> NDArray[np.int64]:
        """The `COUNTS` of each document, [documents, 5]."""
        return self.by(self.document, self.documents)

    def by_label(self) -> NDArray[np.int64]:
        """The `COUNTS` of each of the `labels`, [labels, 5]."""
        place = {label: row for row, label in enumerate(self.labels)}
        return self.by([place[key[-1]] for key in self.keys], len(place))

    def by(self, group: Sequence[int] | NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
        """The `COUNTS` of each group, [n_groups, 5], given the group of each row."""
        sums = np.zeros((n_groups, len(COUNTS)), np.int64)
        np.add.at(sums, np.asarray(group, np.int64), self.counts)
        return sums


def _rates(counts: NDArray[np.int64], *, judged: ArrayLike = True) -> NDArray[np.float64]:
    """Precision, recall and F1, [..., 3], from `COUNTS`, [..., 5].

    0 where there is nothing to divide by. Precision and F1 are NaN where nothing can be `judged`, [...], and where
    something was given but none of it can be judged.
    """
    gold, found, given, not_judged, right = np.moveaxis(counts, -1, 0)
    known = judged & ((not_judged == 0) | (not_judged < given))
    p = np.where(known, right / np.maximum(given - not_judged, 1), np.nan)
    r = found / np.maximum(gold, 1)
    return np.stack([p, r, 2 * p * r / np.where(p + r == 0, 1, p + r)], -1)


def _rates_by_name(rates: NDArray[np.float64]) -> dict[str, float | None]:
    return {key: None if np.isnan(rate) else float(rate) for key, rate in zip("prf", rates, strict=True)}


def _rates_and_counts(counts: NDArray[np.int64], *, judged: ArrayLike) -> Scores:
    return {**_rates_by_name(_rates(counts, judged=judged)), **_counts_by_name(counts)}


def _counts_by_name(counts: NDArray[np.int64]) -> dict[str, int]:
    return dict(zip(COUNTS, counts.tolist(), strict=True))


# Entities and sentences.


def _entities(answers: Iterable[Answer], *, typed: bool = True, leave_out: frozenset[str] = frozenset()) -> Comparison:
    """The entities: start and end (characters), type."""

    def types(doc: Doc) -> dict[tuple[int, int], str]:
        ents = (ent for ent in doc.ents if ent.label_ not in leave_out)
        return {(ent.start_char, ent.end_char): ent.label_ if typed else UNTYPED for ent in ents}

    def compared(answer: Answer) -> tuple[Keys, Keys, None]:
        gold, given = types(answer.reference), types(answer.predicted)
        # A gold mention without a type matches a given one of any type.
        given |= {place: UNTYPED for place in given if gold.get(place) == UNTYPED}
        return (
            {(*place, label) for place, label in gold.items()},
            {(*place, label) for place, label in given.items()},
            None,
        )

    return Comparison.of_documents(map(compared, answers))


def _types_not_in_gold(answers: Sequence[Answer]) -> frozenset[str]:
    """The entity types that were given and that the gold data lacks; none where it has untyped mentions."""
    gold = {ent.label_ for answer in answers for ent in answer.reference.ents}
    if UNTYPED in gold:  # which may be of any type
        return frozenset()
    return frozenset({ent.label_ for answer in answers for ent in answer.predicted.ents} - gold)


def _sentence_sets(answers: Iterable[Answer], threshold: float | Mapping[str, float]) -> Comparison:
    """The labels of each sentence: the sentence's number, label. Where no sentences are marked, the Doc is one."""

    def compared(answer: Answer) -> tuple[Keys, Keys, frozenset[str] | None]:
        starts = [token.idx for token in answer.reference if token.is_sent_start]
        gold, given = (
            {(bisect_right(starts, key[0]), key[-1]) for key in keys}
            for keys in (answer.gold, answer.from_threshold(threshold))
        )
        return gold, given, answer.exhaustive

    return Comparison.of_documents(map(compared, answers))


# Scores.


def _scores(compared: Comparison, resamples: int) -> Scores:
    of_label, judged = compared.by_label(), compared.judged_labels()
    has_gold = of_label[:, 0] > 0
    macro = _rates(of_label[has_gold], judged=judged[has_gold])
    total = compared.total()
    return {
        **_rates_and_counts(total, judged=compared.judged),
        "interval": _intervals(compared, resamples),
        **({} if total[COUNTS.index("gold")] else _without_gold(total)),
        "macro": {**_rates_by_name(_means(macro)), "labels": int(has_gold.sum())},
        "given_per_document": int(total[COUNTS.index("given")]) / max(compared.documents, 1),
        "per_type": {
            label: _rates_and_counts(counts, judged=is_judged)
            for label, counts, is_judged in zip(compared.labels, of_label, judged, strict=True)
        },
    }


def _without_gold(total: NDArray[np.int64]) -> Scores:
    """What is not known where nothing is gold: recall and F1, and precision where nothing was given either."""
    unknown = "rf" if total[COUNTS.index("given")] else "prf"
    return dict.fromkeys(unknown) | {"interval": dict.fromkeys("prf")}


def _means(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of the columns, without what is not a number, [3]."""
    known = ~np.isnan(rates)
    return np.where(known.any(0), np.where(known, rates, 0).sum(0) / np.maximum(known.sum(0), 1), np.nan)


def _intervals(compared: Comparison, resamples: int) -> dict[str, list[float] | None]:
    """The middle 95 % of micro precision, recall and F1 where as many documents are drawn with replacement."""
    if not compared.documents:
        return dict.fromkeys("prf")
    # Documents with the same counts are drawn as one kind, so that 100,000 sentences cost no more than 500 documents.
    kinds, sizes = np.unique(compared.by_document(), axis=0, return_counts=True)
    draws = np.random.default_rng(_SEED).multinomial(compared.documents, sizes / compared.documents, size=resamples)
    bounds = np.percentile(_rates(draws @ kinds, judged=compared.judged), [2.5, 97.5], axis=0)
    return {key: None if np.isnan(ends).any() else ends.tolist() for key, ends in zip("prf", bounds.T, strict=True)}


def _by_number(compared: Comparison) -> Scores:
    pairs = _pairs(compared)
    n_gold: Counter[Hashable] = Counter()
    for pair, is_gold in zip(pairs, compared.counts[:, 0].tolist(), strict=True):
        n_gold[pair] += is_gold
    unrelated, *related = compared.by([min(n_gold[pair], len(NUMBERS) - 1) for pair in pairs], len(NUMBERS))
    # Without gold, neither precision nor recall can be anything but 0.
    return {NUMBERS[0]: {**dict.fromkeys("prf"), **_counts_by_name(unrelated)}} | {
        name: _rates_and_counts(counts, judged=compared.judged)
        for name, counts in zip(NUMBERS[1:], related, strict=True)
    }


def _by_distance(compared: Comparison, answers: Sequence[Answer], level: str) -> Scores:
    by_sentence = level == "document"
    names: Sequence[str] = SENTENCES if by_sentence else list(DISTANCES)
    if by_sentence:
        apart = [_SentencesApart(answer.reference) for answer in answers]
        rows = [apart[number](key) for number, key in zip(compared.document.tolist(), compared.keys, strict=True)]
        ranges = np.minimum(rows, len(SENTENCES) - 1)
    else:
        token_starts = [[token.idx for token in answer.reference] for answer in answers]
        between = []
        for number, (a, b, c, d, _) in zip(compared.document.tolist(), compared.keys, strict=True):
            starts = token_starts[number]
            between.append(max(0, bisect_left(starts, max(a, c)) - bisect_left(starts, min(b, d))))  # 0: they overlap
        ranges = np.searchsorted(list(DISTANCES.values()), between, side="right") - 1
    return {
        name: _rates_and_counts(counts, judged=compared.judged)
        for name, counts in zip(names, compared.by(ranges.astype(np.int64), len(names)), strict=True)
    }


class _SentencesApart:
    """How many sentences the closest mentions of two entities of a document are apart."""

    def __init__(self, reference: Doc) -> None:
        self._starts = [token.idx for token in reference if token.is_sent_start]
        self._mentions = mentions_of(reference)

    def __call__(self, key: Key) -> int:
        ends = ([bisect_right(self._starts, start) for start, _ in self._mentions.get(end, [end])] for end in key[:2])
        return min(abs(one - other) for one, other in product(*ends))


def _confusion(compared: Comparison) -> Scores:
    """What was given for what, by ordered pair.

    Returns:
        For each kind of mistake its `total` and the `most_frequent`, `{"gold", "given", "count"}`. Kinds are

        - `confused`: a gold label of a pair was missed, and another one given that is wrong. Several of them count in
          every combination.
        - `missed`: a gold label of a pair was missed, and no wrong one given. What was given is "(none)".
        - `unfounded`: a label was given to a pair that has no gold relation. What is gold is "(none)".

        A wrong label of a pair whose gold labels were all found is none of these.
    """
    missed: defaultdict[Hashable, list[str]] = defaultdict(list)
    wrong: defaultdict[Hashable, list[str]] = defaultdict(list)
    related = set()
    pairs = _pairs(compared)
    rows = zip(pairs, compared.keys, compared.counts.tolist(), strict=True)
    for pair, key, (gold, found, given, not_judged, _) in rows:
        if gold:
            related.add(pair)
            if not found:
                missed[pair].append(key[-1])
        elif given and not not_judged:
            wrong[pair].append(key[-1])
    confused: Counter[tuple[str, str]] = Counter()
    for pair in {*missed, *wrong}:
        confused.update(product(missed[pair] if pair in related else [NO_LABEL], wrong[pair] or [NO_LABEL]))
    kinds = {
        "confused": [case for case in confused.items() if NO_LABEL not in case[0]],
        "missed": [case for case in confused.items() if case[0][1] == NO_LABEL],
        "unfounded": [case for case in confused.items() if case[0][0] == NO_LABEL],
    }
    return {
        kind: {
            "total": sum(count for _, count in cases),
            "most_frequent": [
                {"gold": gold, "given": given, "count": count}
                for (gold, given), count in sorted(cases, key=lambda case: (-case[1], case[0]))[:_MOST_FREQUENT]
            ],
        }
        for kind, cases in kinds.items()
    }


def _pairs(compared: Comparison) -> list[Hashable]:
    """The ordered pair that each relation is of, told apart from those of other documents, [N]."""
    return [(document, *key[:-1]) for document, key in zip(compared.document.tolist(), compared.keys, strict=True)]
