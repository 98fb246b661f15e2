"""The sweep over thresholds and the operating points, counted by hand."""

from types import MappingProxyType

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin

from kgmrca.corpora.annotated import EXHAUSTIVE
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.relations import matching, operating_points
from kgmrca.extraction.relations.operating_points import Curve, OperatingPoint, find_operating_points, sweep
from kgmrca.relations import set_plain_relations

NLP = spacy.blank("en")
# What is found in a text: a relation of the characters 0 to 1 and 2 to 3, its label and its score.
FOUND = {
    "a b c": [("right", 0.93), ("wrong", 0.42), ("also right", 0.41), ("unsure", 0.07)],
    "d e f": [("right", 0.62)],
    "g h i": [("wrong", 0.88)],
}
# "missed" is never found, and the last Doc has nothing to find.
GOLD = {"a b c": ["right", "also right"], "d e f": ["right", "missed"], "g h i": []}


class Pipe:
    """Finds what is said above, from its threshold on. Nobody may change it: others use it at the same time."""

    __slots__ = ()
    threshold = 0.7
    cfg = MappingProxyType({})

    def pipe(self, docs, *, threshold=None, batch_size=None):
        threshold = self.threshold if threshold is None else threshold
        for doc in docs:
            set_plain_relations(doc, [(0, 1, 2, 3, *found) for found in FOUND[doc.text] if found[1] >= threshold])
            yield doc


@pytest.fixture
def pipe(monkeypatch):
    pipe = Pipe()
    for module in (operating_points, matching):
        monkeypatch.setattr(module, "relation_pipe", lambda nlp: ("stub", pipe))
    return pipe


def write(path, *, exhaustive=None):
    """Gold Docs, annotated exhaustively with all relations or with those named."""
    docs = []
    for text, labels in GOLD.items():
        doc = NLP(text)
        set_plain_relations(doc, [(0, 1, 2, 3, label, 1.0) for label in labels])
        if exhaustive is not None:
            doc.user_data[EXHAUSTIVE] = exhaustive
        docs.append(doc)
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def rates(row):
    return [row[key] for key in "prf"]


@pytest.fixture
def gold(tmp_path):
    return write(tmp_path / "gold.spacy")


def test_rows_are_steps_of_five_hundredths(pipe, gold):
    rows = sweep(NLP, gold)
    assert [row["threshold"] for row in rows] == [round(0.05 * step, 2) for step in range(1, 20)]


@pytest.mark.parametrize(
    ("threshold", "right", "given"),
    [(0.05, 3, 6), (0.1, 3, 5), (0.4, 3, 5), (0.45, 2, 3), (0.6, 2, 3), (0.65, 1, 2), (0.9, 1, 1)],
)
def test_scores_at_a_threshold(pipe, gold, threshold, right, given):
    (row,) = [row for row in sweep(NLP, gold) if row["threshold"] == threshold]
    assert rates(row) == pytest.approx([right / given, right / 4, 2 * right / (given + 4)])


def test_nothing_is_left_above_the_highest_score(pipe, gold):
    assert rates(sweep(NLP, gold)[-1]) == [0, 0, 0]


def test_recall_never_rises_with_the_threshold(pipe, gold):
    recall = [row["r"] for row in sweep(NLP, gold)]
    assert recall == sorted(recall, reverse=True)


def test_a_score_at_the_threshold_counts(pipe, gold, monkeypatch):
    monkeypatch.setitem(FOUND, "d e f", [("right", 0.6)])
    rows = {row["threshold"]: row for row in sweep(NLP, gold)}
    assert (rows[0.6]["r"], rows[0.65]["r"]) == (2 / 4, 1 / 4)


def test_the_threshold_is_put_back(pipe, gold):
    sweep(NLP, gold)
    assert pipe.threshold == 0.7


def test_the_threshold_is_put_back_after_an_error(pipe, tmp_path):
    with pytest.raises(ValueError, match="missing"):
        sweep(NLP, tmp_path / "missing.spacy")
    assert pipe.threshold == 0.7


def test_a_pipeline_without_relations(gold):
    with pytest.raises(ModelError, match="no component 'mrca_relations'"):
        sweep(NLP, gold)


def test_precision_is_taken_over_what_is_annotated_exhaustively(pipe, tmp_path):
    path = write(tmp_path / "partial.spacy", exhaustive=["right", "unsure"])
    (row,) = [row for row in sweep(NLP, path) if row["threshold"] == 0.05]
    # "right" twice and "unsure" are judged; of four gold relations "right" twice and "also right" are found.
    assert rates(row) == pytest.approx([2 / 3, 3 / 4, 12 / 17])


def test_without_a_recognizer_nothing_is_said_of_raw_text(pipe, gold):
    assert {row["end_to_end"] for row in sweep(NLP, gold)} == {None}


def test_nothing_can_be_judged(pipe, tmp_path):
    with pytest.raises(InputError, match="no document is annotated exhaustively with any relation"):
        sweep(NLP, write(tmp_path / "partial.spacy", exhaustive=[]))


# Operating points. Ten labels were given and eight relations are gold, one of which is of a pair that was not scored.

SCORES = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], np.float32)
IS_GOLD = np.array([1, 1, 1, 0, 1, 1, 0, 1, 0, 1], bool)
STEPS = np.arange(1, 20) / 20


def curve(scores=SCORES, gold=IS_GOLD, judged=None, **options):
    judged = np.ones(len(scores), bool) if judged is None else np.array(judged, bool)
    return Curve.of(scores, gold, judged, **{"n_gold": 8, "thresholds": STEPS, **options})


def test_a_curve():
    found = curve(thresholds=[0.8, 0.5, 0.1, 1.0])
    assert found.precision == pytest.approx([1, 5 / 6, 7 / 10, 0])
    assert found.recall == pytest.approx([3 / 8, 5 / 8, 7 / 8, 0])
    assert found.f() == pytest.approx([6 / 11, 10 / 14, 14 / 18, 0])
    assert found.f(2)[1] == pytest.approx(5 * 5 / 6 * 5 / 8 / (4 * 5 / 6 + 5 / 8))


def test_a_curve_where_not_everything_is_judged():
    found = curve(judged=[1, 0, 1, 1, 1, 1, 0, 1, 1, 1], thresholds=[0.6])
    assert (found.precision.tolist(), found.recall.tolist()) == ([3 / 4], [4 / 8])


def test_a_curve_knows_what_precision_is_sure():
    # Two of three documents have nothing but right ones; the third has none. In a tenth of the samples it is drawn
    # twice or more often (1 / 27 three times, 6 / 27 twice).
    found = curve([0.9, 0.9, 0.9], [1, 1, 0], thresholds=[0.5, 0.95], document=[0, 1, 2])
    assert found.precision == pytest.approx([2 / 3, 0])
    assert found.surely == pytest.approx([1 / 3, 0])


def points_of(*curves):
    return find_operating_points(curves)


def point(threshold, p, r, f, **more):
    return OperatingPoint(threshold, (pytest.approx(p),), (r,), (pytest.approx(f),), **more)


def test_operating_points():
    points = points_of(curve(gold=np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0], bool)))
    # From 0.4 on 6 of 7 are right; that is the best F1 (12 / 15) and more than 0.82 as well, and no lower one adds any.
    assert points["balanced"] == point(0.35, 6 / 7, 6 / 8, 12 / 15)
    assert points["precise"] == points["balanced"] == points["complete"]


def test_precise_is_the_lowest_threshold_that_is_right_often_enough():
    points = points_of(curve())
    assert points["balanced"].threshold == points["complete"].threshold == 0.05
    # From 0.5 on 5 of 6 are right, from 0.4 on 5 of 7.
    assert points["precise"] == point(0.45, 5 / 6, 5 / 8, 5 / 7)


def test_precise_is_right_often_enough_on_every_set():
    other = curve(gold=np.array([1, 1, 0, 0, 1, 1, 1, 1, 1, 1], bool))
    found = points_of(curve(), other)["precise"]
    # In the second set it is 2 of 3 at 0.8, where the first has 3 of 3; at 0.9 both are right.
    assert (found.threshold, found.p, found.r) == (0.85, (1.0, 1.0), (2 / 8, 2 / 8))


def test_balanced_is_the_best_of_all_sets_together():
    # Alone, the first would choose 0.35 (see above), the second the lowest.
    one = curve(gold=np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0], bool))
    other = curve(gold=np.ones(10, bool), n_gold=10)
    found = points_of(one, other)["balanced"]
    assert found.threshold == 0.05
    assert found.f == pytest.approx((12 / 18, 1))


def test_precise_needs_a_precision_that_is_sure():
    # From 0.5 on 10 of 12 are right. All that is wrong is in one of six documents: if that is drawn twice, 8 are.
    scores, document = np.repeat(np.array([0.9, 0.5], np.float32), [5, 7]), [*range(5), *range(5), 5, 5]
    points = points_of(curve(scores, np.arange(12) < 10, n_gold=10, document=document))
    assert points["balanced"] == point(0.05, 10 / 12, 1.0, 10 / 11)
    assert points["precise"] == point(0.55, 1.0, 5 / 10, 2 / 3)


def test_no_threshold_is_right_often_enough():
    points = points_of(curve(gold=np.array([0, 1, 1, 1, 0, 1, 0, 0, 0, 0], bool), n_gold=4))
    # The first is wrong, so at 0.7 it is 3 of 4.
    assert points["precise"] == point(0.65, 3 / 4, 3 / 4, 3 / 4, reached=False)


def test_a_precise_point_that_is_not_reached_keeps_some_recall():
    scores = np.repeat(np.array([0.9, 0.5, 0.3], np.float32), [5, 10, 10])
    gold = np.array([1, 1, 1, 1, 0, *[1, 1, 1, 1, 1, 1, 1, 0, 0, 0], *10 * [0]], bool)
    # At 0.9 it is 4 of 5 with a recall of 4 in 50, at 0.5 it is 11 of 15 with 11 in 50.
    points = points_of(curve(scores=scores, gold=gold, n_gold=50))
    assert points["precise"] == point(0.35, 11 / 15, 11 / 50, 22 / 65, reached=False)


def test_a_precise_point_is_none_where_hardly_anything_is_left():
    # Above 0.5 the only one is right: one of 50.
    scores, gold = np.repeat(np.array([0.95, 0.5], np.float32), [1, 40]), np.arange(41) < 29
    precise = points_of(curve(scores=scores, gold=gold, n_gold=50))["precise"]
    assert (precise.reached, precise.p, precise.r) == (False, (29 / 41,), (29 / 50,))


def test_points_where_nothing_is_right():
    points = points_of(curve(gold=np.zeros(10, bool)))
    assert {point.f for point in points.values()} == {(0.0,)}
    assert not points["precise"].reached


def test_gold_without_documents_is_refused(pipe, tmp_path):
    DocBin(docs=[], store_user_data=True).to_disk(tmp_path / "gold.spacy")
    with pytest.raises(InputError, match=r"gold\.spacy has no documents"):
        sweep(NLP, tmp_path / "gold.spacy")


def test_gold_with_labels_that_the_pipeline_does_not_have_is_refused(pipe, tmp_path, monkeypatch):
    monkeypatch.setattr(Pipe, "labels", ("place of birth",), raising=False)
    with pytest.raises(InputError, match=r"none of the labels of .*\(also right, missed, right\)"):
        sweep(NLP, write(tmp_path / "gold.spacy"))
