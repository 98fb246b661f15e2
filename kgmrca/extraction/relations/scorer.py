"""Precision, recall and F1 of relations and entities against gold Docs, with intervals and the kinds of mistakes.

Everything is counted from one table, `Items`: a row for each thing that is there (gold) or that was said to be there
(given). Its sums over documents, labels or kinds of pairs are all that the scores are made of.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from kgmrca.corpora.annotated import UNTYPED, Corpus, exhaustively_annotated
from kgmrca.extraction.relations.component import relation_pipe
from kgmrca.progress import progress_bar
from kgmrca.relations import get_plain_relations

__all__ = ["evaluate", "make_relation_scorer", "score_relations", "table"]

Key: TypeAlias = tuple[Any, ...]
"""What an item is within its document, such as a relation's characters and label; the label comes last."""

Keys: TypeAlias = Set[Key]

Scores: TypeAlias = dict[str, Any]

COUNTS = ("gold", "found", "given", "not_judged", "right")
"""What is counted.

- gold: items that are there
- found: those of them that were given
- given: items that were said to be there
- not_judged: those of them whose label is not annotated exhaustively in their document
- right: the gold ones among the others

Recall is found / gold, precision right / (given - not_judged). Where all is annotated exhaustively, found equals right.
"""

NUMBERS = ("0", "1", "2", "3", "4+")
"""How many gold relations an ordered pair has."""

DISTANCES = {"0-2": 0, "3-5": 3, "6-10": 6, "11-20": 11, "21+": 21}
"""How many tokens stand between subject and object: the name of a range, and where it begins."""

NONE = "(none)"
"""Stands for a label in a confusion: on this side there is none."""

_MOST_FREQUENT = 20  # confusions of each kind that are kept
_SEED = 0


def make_relation_scorer() -> Callable[..., dict[str, Any]]:
    """`score_relations`, for a component's config (`kgmrca.relation_scorer.v1`)."""
    return score_relations


def score_relations(examples: Iterable[Example], **_: Any) -> dict[str, Any]:
    """Compare `doc._.relations` of predicted and reference Docs.

    A relation counts as found if its subject's and object's characters, their order and the label are all right.
    Gold relations between spans that were never proposed count as missed, so the figures need no remark about which
    pairs they were taken over. A gold Doc without `doc._.relations` (None) is not scored. Precision is taken over the
    labels that a gold Doc is annotated with exhaustively (see `corpora.annotated.exhaustively_annotated`), recall
    over all.

    Returns:
        `rel_micro_p`, `rel_micro_r`, `rel_micro_f` and `rel_per_type`, `label -> {"p", "r", "f"}` as spaCy's own
        scorers give it. None for all where no example was scored, for precision and F1 where nothing can be judged.
    """
    scored = [example for example in examples if get_plain_relations(example.reference) is not None]
    items = Items.of_relations(scored)
    micro = _rates(items.total(), judged=items.judged) if scored else np.full(3, np.nan)
    if scored and items.judged:
        micro = np.nan_to_num(micro)  # training needs a number even where nothing was given that can be judged
    of_label = _rates(items.by_label(), judged=items.judged_labels())
    return {
        **{f"rel_micro_{key}": value for key, value in _named(micro).items()},
        "rel_per_type": {label: _named(rates) for label, rates in zip(items.labels, of_label, strict=True)},
    }


def evaluate(nlp: Language, path: Path, *, resamples: int = 1000) -> Scores:
    """Score a pipeline on gold Docs: its entities, its relations on gold entities, and what comes out of raw text.

    Unlike `spacy evaluate`, which gives the relation component Docs without entities, this tells apart what it does
    on the right entities and what comes out of raw text.

    Args:
        nlp: a pipeline with `mrca_relations`.
        path: a `.spacy` file made by `kgmrca corpus`.
        resamples: how many times the documents are drawn anew for the intervals.

    Returns:
        `documents`, their number; `not_labelled`, the entity types that were given but that the gold data has nowhere;
        and these parts, where "raw text" means the whole pipeline:

        - `entities`: on raw text, exact span and type; a gold mention whose source gives it no type matches any type;
        - `entities, labelled types`: the same without the entities of the types in `not_labelled`;
        - `entities, spans alone`: the same, whatever the types;
        - `relations, gold entities`: of the relation component alone, on gold entities and sentences;
        - `relations, end to end`: on raw text, exact spans, direction and label;
        - `sentence sets, gold entities`: for each gold sentence, the set of labels given anywhere in it against the
          set of gold labels, as the MRCA paper scores. A relation belongs to the sentence its subject starts in.

        Each has micro `p`, `r`, `f`; their `COUNTS`; `interval`, the 95 % percentile intervals of the three by a
        bootstrap over documents (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13); `macro`, the
        means over the labels that have gold (where they are known); `given_per_document`; and in `per_type` the scores
        of each label. `p` and `f` are None where nothing that was given can be judged.

        Then, for gold entities and ordered pairs, scores and `COUNTS`

        - `gold entities, by number of relations`: by how many gold relations the pair has. Precision is here of the
          labels given to pairs that are related: it says how well they are told apart, and leaves out what was given
          to pairs without a relation. That has a row of its own ("0"), with nothing but the counts.
        - `gold entities, by distance`: by the number of tokens between subject and object. Every pair has one,
          related or not, so that precision means what it does over all.
        - `gold entities, confusion`: see `_confusion`.

    Raises:
        ModelError: the pipeline has no relation component.
    """
    _, pipe = relation_pipe(nlp)
    given = list(Corpus(path)(nlp))
    with progress_bar(None, total=2 * len(given), unit=" documents") as bar:
        for example, doc in zip(given, pipe.pipe([example.predicted for example in given]), strict=True):
            example.predicted = doc
            bar.update()
        raw = []
        for example, doc in zip(given, nlp.pipe([example.reference.text for example in given]), strict=True):
            raw.append(Example(doc, example.reference))
            bar.update()
    not_labelled = _not_labelled(raw)
    relations = Items.of_relations(given)
    parts = {
        "entities": _entities(raw),
        "entities, labelled types": _entities(raw, leave_out=not_labelled),
        "entities, spans alone": _entities(raw, typed=False),
        "relations, gold entities": relations,
        "relations, end to end": Items.of_relations(raw),
        "sentence sets, gold entities": _sentence_sets(given),
    }
    return {
        "documents": len(given),
        "not_labelled": sorted(not_labelled),
        **{name: _scores(items, resamples) for name, items in parts.items()},
        "gold entities, by number of relations": _by_number(relations),
        "gold entities, by distance": _by_distance(relations, [example.reference for example in given]),
        "gold entities, confusion": _confusion(relations),
    }


# Counting.


@dataclass(frozen=True, slots=True)
class Items:
    """What is gold or was given, a row each. N items."""

    documents: int
    document: NDArray[np.int64]  # [N] which document it is in
    keys: list[Key]  # [N]
    counts: NDArray[np.int64]  # [N, 5] 0 or 1 for each of `COUNTS`
    complete: frozenset[str] | None  # the labels that some document is annotated with exhaustively; None: all

    @classmethod
    def compare(cls, documents: Iterable[tuple[Keys, Keys, frozenset[str] | None]]) -> "Items":
        """What is gold and what was given in each document, and the labels it is annotated with exhaustively."""
        rows: list[tuple[bool, ...]] = []
        keys: list[Key] = []
        document: list[int] = []
        completes: list[frozenset[str] | None] = []
        for number, (gold, given, complete) in enumerate(documents):
            completes.append(complete)
            for key in gold | given:
                is_gold, is_given = key in gold, key in given
                # A given item whose label is not annotated exhaustively is left out of precision even where it is gold:
                # as it can never be wrong, it would only ever raise it.
                is_judged = is_given and (complete is None or key[-1] in complete)
                rows.append(
                    (is_gold, is_gold and is_given, is_given, is_given and not is_judged, is_gold and is_judged)
                )
                keys.append(key)
                document.append(number)
        return cls(
            documents=len(completes),
            document=np.array(document, np.int64),
            keys=keys,
            counts=np.array(rows, np.int64).reshape(-1, len(COUNTS)),
            complete=None if None in completes else frozenset().union(*filter(None, completes)),
        )

    @classmethod
    def of_relations(cls, examples: Iterable[Example]) -> "Items":
        """The relations: subject start and end, object start and end (characters), label."""
        return cls.compare(
            (
                {record[:5] for record in get_plain_relations(example.reference) or ()},
                {record[:5] for record in get_plain_relations(example.predicted) or ()},
                exhaustively_annotated(example.reference),
            )
            for example in examples
        )

    @property
    def labels(self) -> list[str]:
        """All labels that are gold or were given."""
        return sorted({key[-1] for key in self.keys})

    @property
    def judged(self) -> bool:
        """Whether anything that is given can be judged."""
        return self.complete is None or bool(self.complete)

    def judged_labels(self) -> NDArray[np.bool_]:
        """Whether one of these `labels` can be judged, [labels]."""
        return np.array([self.complete is None or label in self.complete for label in self.labels], bool)

    def total(self) -> NDArray[np.int64]:
        """The `COUNTS` of all items, [5]."""
        return self.counts.sum(0)

    def by_document(self) -> NDArray[np.int64]:
        """The `COUNTS` of each document, [documents, 5]."""
        return self.by(self.document, self.documents)

    def by_label(self) -> NDArray[np.int64]:
        """The `COUNTS` of each of the `labels`, [labels, 5]."""
        place = {label: row for row, label in enumerate(self.labels)}
        return self.by([place[key[-1]] for key in self.keys], len(place))

    def by(self, group: Sequence[int] | NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
        """The `COUNTS` of each group, [n_groups, 5], given the group of each item."""
        sums = np.zeros((n_groups, len(COUNTS)), np.int64)
        np.add.at(sums, np.asarray(group, np.int64), self.counts)
        return sums


def _rates(counts: NDArray[np.int64], *, judged: ArrayLike = True) -> NDArray[np.float64]:
    """Precision, recall and F1, [..., 3], from `COUNTS`, [..., 5].

    0 where there is nothing to divide by. Precision and F1 are not a number where nothing can be `judged`, [...], or
    nothing of what was given.
    """
    gold, found, given, not_judged, right = np.moveaxis(counts, -1, 0)
    known = judged & ((not_judged == 0) | (not_judged < given))
    p = np.where(known, right / np.maximum(given - not_judged, 1), np.nan)
    r = found / np.maximum(gold, 1)
    return np.stack([p, r, 2 * p * r / np.where(p + r == 0, 1, p + r)], -1)


def _named(rates: NDArray[np.float64]) -> dict[str, float | None]:
    return {key: None if np.isnan(rate) else float(rate) for key, rate in zip("prf", rates, strict=True)}


def _with_counts(counts: NDArray[np.int64], *, judged: ArrayLike) -> Scores:
    return {**_named(_rates(counts, judged=judged)), **_counted(counts)}


def _counted(counts: NDArray[np.int64]) -> dict[str, int]:
    return dict(zip(COUNTS, counts.tolist(), strict=True))


# Entities and sentences.


def _entities(examples: Iterable[Example], *, typed: bool = True, leave_out: frozenset[str] = frozenset()) -> Items:
    """The entities: start and end (characters), type."""

    def types(doc: Doc) -> dict[tuple[int, int], str]:
        ents = (ent for ent in doc.ents if ent.label_ not in leave_out)
        return {(ent.start_char, ent.end_char): ent.label_ if typed else UNTYPED for ent in ents}

    def compared(example: Example) -> tuple[Keys, Keys, None]:
        gold, given = types(example.reference), types(example.predicted)
        # Where a gold mention has no type, none is asked of the given one.
        given |= {place: UNTYPED for place in given if gold.get(place) == UNTYPED}
        return (
            {(*place, label) for place, label in gold.items()},
            {(*place, label) for place, label in given.items()},
            None,
        )

    return Items.compare(map(compared, examples))


def _not_labelled(examples: Sequence[Example]) -> frozenset[str]:
    """The entity types that were given and that the gold data has nowhere; none where it has untyped mentions."""
    gold = {ent.label_ for example in examples for ent in example.reference.ents}
    if UNTYPED in gold:  # which may be of any type
        return frozenset()
    return frozenset({ent.label_ for example in examples for ent in example.predicted.ents} - gold)


def _sentence_sets(examples: Iterable[Example]) -> Items:
    """The labels of each sentence: the sentence's number, label. Where no sentences are marked, the Doc is one."""

    def compared(example: Example) -> tuple[Keys, Keys, frozenset[str] | None]:
        starts = [token.idx for token in example.reference if token.is_sent_start]
        gold, given = (
            {(bisect_right(starts, record[0]), record[4]) for record in get_plain_relations(doc) or ()}
            for doc in (example.reference, example.predicted)
        )
        return gold, given, exhaustively_annotated(example.reference)

    return Items.compare(map(compared, examples))


# Scores.


def _scores(items: Items, resamples: int) -> Scores:
    of_label, judged = items.by_label(), items.judged_labels()
    has_gold = of_label[:, 0] > 0
    macro = _rates(of_label[has_gold], judged=judged[has_gold])
    total = items.total()
    return {
        **_with_counts(total, judged=items.judged),
        "interval": _intervals(items, resamples),
        "macro": {**_named(_means(macro)), "labels": int(has_gold.sum())},
        "given_per_document": int(total[COUNTS.index("given")]) / max(items.documents, 1),
        "per_type": {
            label: _with_counts(counts, judged=is_judged)
            for label, counts, is_judged in zip(items.labels, of_label, judged, strict=True)
        },
    }


def _means(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The means of the columns, without what is not a number, [3]."""
    known = ~np.isnan(rates)
    return np.where(known.any(0), np.where(known, rates, 0).sum(0) / np.maximum(known.sum(0), 1), np.nan)


def _intervals(items: Items, resamples: int) -> dict[str, list[float] | None]:
    """The middle 95 % of micro precision, recall and F1 where as many documents are drawn with replacement."""
    if not items.documents:
        return dict.fromkeys("prf")
    # Documents with the same counts are drawn as one kind, so that 100,000 sentences cost no more than 500 documents.
    kinds, sizes = np.unique(items.by_document(), axis=0, return_counts=True)
    draws = np.random.default_rng(_SEED).multinomial(items.documents, sizes / items.documents, size=resamples)
    bounds = np.percentile(_rates(draws @ kinds, judged=items.judged), [2.5, 97.5], axis=0)
    return {key: None if np.isnan(ends).any() else ends.tolist() for key, ends in zip("prf", bounds.T, strict=True)}


def _by_number(items: Items) -> Scores:
    pairs = _pairs(items)
    n_gold: Counter[Hashable] = Counter()
    for pair, is_gold in zip(pairs, items.counts[:, 0].tolist(), strict=True):
        n_gold[pair] += is_gold
    unrelated, *related = items.by([min(n_gold[pair], len(NUMBERS) - 1) for pair in pairs], len(NUMBERS))
    # Without gold, neither precision nor recall can be anything but 0.
    return {NUMBERS[0]: {**dict.fromkeys("prf"), **_counted(unrelated)}} | {
        name: _with_counts(counts, judged=items.judged) for name, counts in zip(NUMBERS[1:], related, strict=True)
    }


def _by_distance(items: Items, docs: Sequence[Doc]) -> Scores:
    token_starts = [[token.idx for token in doc] for doc in docs]
    between = []
    for number, (a, b, c, d, _) in zip(items.document.tolist(), items.keys, strict=True):
        starts = token_starts[number]
        between.append(max(0, bisect_left(starts, max(a, c)) - bisect_left(starts, min(b, d))))  # 0: they overlap
    ranges = np.searchsorted(list(DISTANCES.values()), between, side="right") - 1
    return {
        name: _with_counts(counts, judged=items.judged)
        for name, counts in zip(DISTANCES, items.by(ranges, len(DISTANCES)), strict=True)
    }


def _confusion(items: Items) -> Scores:
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
    pairs = _pairs(items)
    for pair, key, (gold, found, given, not_judged, _) in zip(pairs, items.keys, items.counts.tolist(), strict=True):
        if gold:
            related.add(pair)
            if not found:
                missed[pair].append(key[-1])
        elif given and not not_judged:
            wrong[pair].append(key[-1])
    confused: Counter[tuple[str, str]] = Counter()
    for pair in {*missed, *wrong}:
        confused.update(product(missed[pair] if pair in related else [NONE], wrong[pair] or [NONE]))
    kinds = {
        "confused": [case for case in confused.items() if NONE not in case[0]],
        "missed": [case for case in confused.items() if case[0][1] == NONE],
        "unfounded": [case for case in confused.items() if case[0][0] == NONE],
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


def _pairs(items: Items) -> list[Hashable]:
    """The ordered pair that each relation is of, told apart from those of other documents, [N]."""
    return [(document, *key[:4]) for document, key in zip(items.document.tolist(), items.keys, strict=True)]


# Printing.


def table(scores: Scores, *, labels: bool = False) -> str:
    """What `evaluate` found, to be read: the parts with their intervals, then pairs by kind, then confusions.

    Args:
        labels: add the entity types, and the relations on gold entities, each with their scores.
    """
    blocks = [_headlines(scores), *_remarks(scores)]
    by_number, by_distance = scores["gold entities, by number of relations"], scores["gold entities, by distance"]
    blocks += [
        _score_rows("gold entities, by relations of the pair", by_number),
        _score_rows("gold entities, by tokens between", by_distance),
        _confusion_rows(scores["gold entities, confusion"], 10),
    ]
    if labels:
        for name in ("entities", "relations, gold entities"):
            by_gold = sorted(scores[name]["per_type"].items(), key=lambda item: (-item[1]["gold"], item[0]))
            blocks.append(_score_rows(name, dict(by_gold)))
    return "\n\n".join(blocks)


def _headlines(scores: Scores) -> str:
    rows = [[f"{scores['documents']:,} documents", "P", "R", "F1", "given a document"]]
    for name, part in scores.items():
        if not (isinstance(part, dict) and "interval" in part):
            continue
        if name == "entities, labelled types" and not scores["not_labelled"]:
            continue  # the same as `entities`
        cells = [f"{_decimals(part[key])} {_interval(part['interval'][key])}".rstrip() for key in "prf"]
        rows.append([name, *cells, f"{part['given_per_document']:.1f}"])
        if not name.startswith("entities"):
            macro = part["macro"]
            rows.append([f"  mean of {macro['labels']} labels", *(_decimals(macro[key]) for key in "prf"), ""])
    return _aligned(rows, to_left=4)


def _remarks(scores: Scores) -> list[str]:
    remarks = []
    if types := scores["not_labelled"]:
        remarks.append(f"Entity types that were given and that the data has nowhere: {', '.join(types)}.")
    parts = {name: scores[name] for name in ("relations, gold entities", "relations, end to end")}
    if any(part["not_judged"] for part in parts.values()):
        numbers = ", ".join(f"{part['not_judged']:,} of {part['given']:,} ({name})" for name, part in parts.items())
        remarks.append(f"Not judged, because the data is not annotated exhaustively with these relations: {numbers}.")
    return ["\n".join(remarks)] if remarks else []


def _score_rows(title: str, scores: Scores) -> str:
    columns = COUNTS if any(row["not_judged"] for row in scores.values()) else ("gold", "given", "right")
    rows = [[title, "P", "R", "F1", *(column.replace("_", " ") for column in columns)]]
    for name, row in scores.items():
        rows.append([name, *(_decimals(row[key]) for key in "prf"), *(f"{row[column]:,}" for column in columns)])
    return _aligned(rows)


def _confusion_rows(confusion: Scores, n_rows: int) -> str:
    rows = [["gold entities, gold label", "given instead", "times"]]
    rows += [
        [row["gold"], row["given"], f"{row['count']:,}"] for row in confusion["confused"]["most_frequent"][:n_rows]
    ]
    rows += [
        ["any label", NONE, f"{confusion['missed']['total']:,}"],
        [NONE, "any label", f"{confusion['unfounded']['total']:,}"],
    ]
    return _aligned(rows, to_left=2)


def _decimals(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.3f}"


def _interval(ends: list[float] | None) -> str:
    return "" if ends is None else "[{:.2f}, {:.2f}]".format(*ends)


def _aligned(rows: list[list[str]], *, to_left: int = 1) -> str:
    """The rows in columns, the first `to_left` of them flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(row, widths, strict=True)
        lines.append(
            "  ".join(
                cell.ljust(width) if place < to_left else cell.rjust(width) for place, (cell, width) in enumerate(cells)
            )
        )
    return "\n".join(line.rstrip() for line in lines)
