"""Calibration: the numbers by hand and on scores made up, then the component, the command and what they store."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import spacy
import torch
from helpers import add_tiny_relations
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.training import Example

from kgmrca import cli
from kgmrca.convert import convert
from kgmrca.corpora.annotated import EXHAUSTIVE
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.relations.calibration import (
    Entries,
    cross_fit,
    cross_fit_data,
    draw,
    fit,
    lowest_raw,
    quality,
    reliability,
    scale,
)
from kgmrca.extraction.relations.component import OPERATING_POINTS
from kgmrca.extraction.relations.operating_points import calibrate
from kgmrca.relations import Relation, get_plain_relations

# Numbers.


def test_reliability():
    # In bins of a fifteenth: 0.5 and 0.52 in one, 0.9 in another, 1 in the last.
    found = reliability(np.array([0.5, 0.52, 0.9, 1.0]), np.array([True, False, True, True]))
    assert np.flatnonzero(found.count).tolist() == [7, 13, 14]
    assert found.score[[7, 13, 14]] == pytest.approx([0.51, 0.9, 1])
    assert found.right[[7, 13, 14]] == pytest.approx([0.5, 1, 1])
    assert found.error == pytest.approx((2 * 0.01 + 0.1) / 4)


def test_reliability_of_nothing():
    nothing = reliability(np.zeros(0), np.zeros(0, bool))
    assert (nothing.error, nothing.by_chance) == (0, 0)


def test_the_error_by_chance_is_that_of_scores_that_are_the_probabilities():
    chance = np.random.default_rng(0)
    scores = chance.beta(1, 2, size=500)
    errors = [reliability(scores, chance.random(500) < scores).error for _ in range(200)]
    assert reliability(scores, scores > 2).by_chance == pytest.approx(np.mean(errors), rel=0.05)
    assert reliability(np.tile(scores, 4), np.tile(scores > 2, 4)).by_chance == pytest.approx(
        np.mean(errors) / 2, rel=0.05
    )


def entries(score, right, *, label=0, judged=True, document=0, data=0):
    """Entries of arrays, or of numbers that hold for all."""
    score = np.asarray(score, np.float32)
    columns = (label, right, judged, document, data)
    types = (np.int64, bool, bool, np.int64, np.int64)
    return Entries(score, *(np.broadcast_to(c, score.shape).astype(t) for c, t in zip(columns, types, strict=True)))


def test_quality():
    found = quality(
        entries([0.9, 0.04, 0.3, 0.6], [True, True, False, False], label=[0, 1, 0, 1], judged=[1, 1, 1, 0]), ("a", "b")
    )
    assert found.shown.error == pytest.approx((0.1 + 0.3) / 2)  # 0.04 is not shown, 0.6 not judged
    assert found.brier == pytest.approx((0.01 + 0.09 + 0.96**2) / 3)
    assert (found.frequent, found.frequent_error) == ({}, None)


def test_quality_of_frequent_labels():
    right = np.arange(100)[:, None] < [50, 49]
    found = quality(entries(np.full(200, 0.75), right.ravel(), label=np.tile([0, 1], 100)), ("a", "b"))
    assert found.frequent == {"a": pytest.approx(0.25)}
    assert found.frequent_error == pytest.approx(0.25)


@given(
    st.lists(st.floats(0, 1, width=32), min_size=2).map(sorted),
    st.floats(0.0625, 8, width=32),
    st.floats(-10, 10, width=32),
)
def test_scaling_keeps_the_order_and_the_range(scores, slope, offset):
    raw = torch.tensor(scores).unsqueeze(1)
    scaled = scale(raw, torch.tensor([slope]), torch.tensor([offset]))[:, 0]
    assert bool(((scaled >= 0) & (scaled <= 1)).all())
    assert bool((scaled.diff() >= -1e-6).all())  # but for rounding


def test_scaling_by_hand():
    raw = torch.tensor([[0.8, 0.8, 0.0]])
    scaled = scale(raw, torch.tensor([0.5, 1.0, 1.0]), torch.tensor([0.0, -(4.0**0.5)]).repeat(2)[:3])
    assert scaled[0].tolist() == pytest.approx([2 / 3, 1 / (1 + np.exp(2 - np.log(4))), 0])


def made_up(slope, offset, *, n=20_000, seed=0, **more):
    """Scores of labels that are right as often as `scale` with these numbers says, n a label."""
    random = np.random.default_rng(seed)
    score = random.uniform(0.02, 0.98, (n, len(slope))).astype(np.float32)
    right = scale(torch.from_numpy(score), torch.tensor(slope), torch.tensor(offset)).numpy()
    label = np.tile(np.arange(len(slope)), n)
    return entries(score.ravel(), (random.uniform(size=score.shape) < right).ravel(), label=label, **more)


def test_fit_recovers_what_scores_were_made_with():
    numbers = [0.5, 1.0, 2.0], [-1.0, 0.0, 0.5]
    slope, offset = fit(made_up(*numbers), 3)
    assert slope.numpy() == pytest.approx(numbers[0], rel=0.07)
    assert offset.numpy() == pytest.approx(numbers[1], abs=0.07)


def test_what_is_not_judged_does_not_count():
    some = made_up([0.5, 0.5], [-1.0, -1.0], n=2000)
    judged = some.label == 0
    slope, offset = fit(replace(some, judged=judged), 2)
    again, other = fit(replace(some, judged=judged, right=some.right ^ ~judged), 2)
    assert torch.equal(slope, again)
    assert torch.equal(offset, other)
    assert slope[0] == pytest.approx(slope[1].item(), rel=0.05)  # the label without any has what is common


def test_no_data_leaves_scores_as_they_are():
    slope, offset = fit(entries([], []), 2)
    assert (slope.tolist(), offset.tolist()) == ([1, 1], [0, 0])


def test_a_data_set_counts_by_the_square_root_of_its_size():
    # Half of the 900 entries of one are right, none of the 100 of the other: 30 / 40 of a half are right.
    some = entries(np.full(1000, 0.5), np.arange(1000) < 450, data=np.arange(1000) >= 900)
    slope, offset = fit(some, 1)
    assert some.scaled(slope, offset).score == pytest.approx(np.full(1000, 0.375), abs=0.01)


@pytest.mark.parametrize("division", [0, 1, 7])
def test_cross_fitting_does_not_look_at_the_document_itself(division):
    some = made_up([0.5], [-1.0], n=500, document=np.arange(500) // 50)
    before = cross_fit(some, 1, division).score
    after = cross_fit(replace(some, right=some.right ^ (some.document == 3)), 1, division).score
    same = before == after
    assert same[some.document == 3].all()
    assert same.sum() == 100  # a fifth of the documents: this one and another


def test_documents_can_be_divided_in_several_ways():
    some = made_up([0.5], [-1.0], n=500, document=np.arange(500) // 50)
    ways = [cross_fit(some, 1, division).score for division in (1, 1, 2)]
    assert (ways[0] == ways[1]).all()
    assert not (ways[0] == ways[2]).all()


def test_a_data_set_can_be_calibrated_on_the_others():
    one, other = made_up([0.5], [-1.0], data=0), made_up([2.0], [0.5], seed=1, data=1)
    found = cross_fit_data(Entries.joined([one, other]), 1)
    of_other = fit(one, 1)
    assert found.score[found.data == 1] == pytest.approx(other.scaled(*of_other).score)


def test_the_drawing(tmp_path):
    found = quality(made_up([0.5], [-1.0], n=100), ("a",))
    with (tmp_path / "plot.png").open("wb") as stream:
        draw(found, found, stream)
    assert (tmp_path / "plot.png").read_bytes()[1:4] == b"PNG"


# In the component. Every pair has the score 0.8 for "rules" and 0.3 for "visits"; what is gold is written beside it.

TEXT = "Ann or Bob"


def blank():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": [{"ORTH": n}]} for n in ("Ann", "Bob")])
    return nlp


def gold_doc(nlp, rules=False, visits=False, **user_data):
    doc = nlp.get_pipe("entity_ruler")(nlp.make_doc(TEXT))
    named = {"rules": rules, "visits": visits}
    doc._.relations = [Relation(*doc.ents, label) for label, there in named.items() if there]
    doc.user_data.update(user_data)
    return doc


def make(**config):
    nlp = blank()
    pipe = add_tiny_relations(nlp, **{"threshold": None, **config})
    doc = gold_doc(nlp, True, True)
    pipe.initialize(lambda: [Example(doc, doc)])
    with torch.no_grad():
        pipe._network.labels.weight.zero_()
        pipe._network.labels.bias.copy_(torch.tensor([0.8, 0.3]).logit())
    return nlp


def pipe_of(nlp):
    return nlp.get_pipe("mrca_relations")


def found(nlp):
    return {(record[4], record[5]) for record in get_plain_relations(nlp(TEXT))}


@pytest.fixture
def dev(tmp_path):
    """Twenty Docs: Ann rules Bob in ten, and visits him in one."""
    docs = [gold_doc(make_docs, rules=number < 10, visits=number == 0) for number in range(20)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "dev.spacy")
    return tmp_path / "dev.spacy"


make_docs = blank()
add_tiny_relations(make_docs)  # which registers doc._.relations


@pytest.fixture
def calibrated(dev):
    nlp = make()
    calibrate(nlp, [dev])
    return nlp


def test_calibrating_brings_scores_to_shares(dev):
    nlp = make(threshold=0.0)
    report = calibrate(nlp, [dev])
    scores = pipe_of(nlp).predict([nlp(TEXT)])[1][0]
    assert scores == pytest.approx([10 / 40, 1 / 40], abs=0.06)  # Bob and Ann are a pair as well
    assert report.after.shown.error < report.before.shown.error / 2
    (data_set,) = report.sets
    assert (data_set.documents, data_set.entries, data_set.end_to_end, data_set.left_out) == (20, 80, True, None)
    assert set(pipe_of(nlp).cfg["calibration"]) == {"rules", "visits"}
    by_chance = report.plain()["sets"][str(dev)]["calibration_error"]["by_chance"]
    assert 0 < by_chance == data_set.after.shown.by_chance
    assert f"{by_chance:.4f}" in report.table()


def test_the_error_of_a_set_is_the_mean_over_several_divisions(dev):
    report = calibrate(make(), [dev])
    (data_set,) = report.sets
    assert len(data_set.errors) == 10
    assert data_set.errors[0] == data_set.after.shown.error
    said = report.plain()["sets"][str(dev)]["calibration_error"]
    assert said["after"] == pytest.approx(sum(data_set.errors) / 10)
    assert said["after_sd"] == pytest.approx(np.std(data_set.errors))
    assert said["after_sd"] > 0
    assert f"{said['after']:.4f}     {said['after_sd']:.4f}" in report.table()


def test_too_few_to_calibrate_on(tmp_path):
    for number, is_warned in ((20, True), (120, False)):
        docs = [gold_doc(make_docs, n % 2 == 0, True, **{EXHAUSTIVE: ["rules", "visits"]}) for n in range(number)]
        DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "dev.spacy")
        table = calibrate(make(), [tmp_path / "dev.spacy"]).table()
        assert ("Too few to calibrate on: " in table) == is_warned


def test_a_calibration_that_makes_it_worse_is_said(dev):
    report = calibrate(make(), [dev])
    assert "makes the scores worse" not in report.table()
    assert "makes the scores worse" in replace(report, before=report.after, after=report.before).table()


def test_calibrating_starts_from_raw_scores(dev, calibrated):
    pipe = pipe_of(calibrated)
    before, report = pipe.digest(), calibrate(calibrated, [dev])
    assert pipe.digest() == before
    assert report.before.shown.score[[4, 12]] == pytest.approx([0.3, 0.8])


def test_what_is_annotated_partly_is_not_judged(tmp_path):
    docs = [gold_doc(make_docs, number < 10, True, **{EXHAUSTIVE: ["rules"]}) for number in range(20)]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "dev.spacy")
    report = calibrate(make(), [tmp_path / "dev.spacy"])
    assert report.before.shown.count.sum() == 40  # "rules" alone
    assert report.operating_points["complete"].p == (10 / 40,)


def test_every_document_is_judged_by_its_own_labels(tmp_path):
    annotated = [[], [], ["rules"], ["rules", "visits"], ["rules"]]
    docs = [gold_doc(make_docs, True, True, **{EXHAUSTIVE: exhaustive}) for exhaustive in annotated]
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "dev.spacy")
    report = calibrate(make(), [tmp_path / "dev.spacy"])
    assert report.before.shown.count[[4, 12]].tolist() == [2, 6]  # "visits" in one Doc of two pairs, "rules" in three


def test_nothing_to_calibrate_on(tmp_path):
    alone = make_docs.make_doc("Nobody is here.")
    alone._.relations = ()
    for name, docs, message in (
        ("partial", [gold_doc(make_docs, **{EXHAUSTIVE: []})], "no document is annotated"),
        ("empty", [], "empty has no documents"),
        ("alone", [alone], "no pair of entities"),
    ):
        DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / name)
        with pytest.raises(InputError, match=message):
            calibrate(make(), [tmp_path / name])


def test_stored_and_loaded(calibrated, tmp_path):
    calibrated.to_disk(tmp_path / "pipeline")
    loaded = [spacy.load(tmp_path / "pipeline"), blank()]
    add_tiny_relations(loaded[1], threshold=None)
    loaded[1].from_bytes(calibrated.to_bytes())
    for other in loaded:
        assert pipe_of(other).operating_points == pipe_of(calibrated).operating_points
        assert pipe_of(other).digest() == pipe_of(calibrated).digest()
        assert found(other) == found(calibrated)


def test_calibration_and_points_change_the_digest(calibrated):
    pipe = pipe_of(calibrated)
    digests = {pipe.digest()}
    pipe.cfg["calibration"]["rules"][0] += 0.1
    digests.add(pipe.digest())
    pipe.cfg["points"]["precise"] += 0.1
    assert len({*digests, pipe.digest()}) == 3


def test_training_anew_forgets_it(calibrated):
    doc = gold_doc(calibrated, True)
    pipe = pipe_of(calibrated)
    pipe.initialize(lambda: [Example(doc, doc)])
    assert (pipe.operating_points, pipe.cfg["calibration"], pipe.threshold) == ({}, {}, 0.5)


# Thresholds with names.


def test_a_calibrated_component_is_balanced(calibrated):
    pipe = pipe_of(calibrated)
    assert tuple(pipe.operating_points) == OPERATING_POINTS
    assert pipe.threshold == "balanced"
    assert pipe.resolve_threshold() == pipe.operating_points["balanced"]


def test_a_named_threshold_is_followed_and_stored(calibrated):
    pipe = pipe_of(calibrated)
    pipe.cfg["points"] = {"precise": 1.0, "balanced": 0.1, "complete": 0.0}
    given = {}
    for name in OPERATING_POINTS:
        pipe.threshold = name
        given[name] = {label for label, _ in found(calibrated)}
    assert given == {"precise": set(), "balanced": {"rules"}, "complete": {"rules", "visits"}}
    other = blank()
    assert add_tiny_relations(other, threshold=None).from_bytes(pipe.to_bytes()).threshold == "complete"
    assert add_tiny_relations(blank(), threshold="precise").from_bytes(pipe.to_bytes()).resolve_threshold() == 1.0


def test_a_named_threshold_for_one_stream_of_docs(calibrated):
    pipe = pipe_of(calibrated)
    pipe.cfg["points"] = {"precise": 1.0, "balanced": 0.1, "complete": 0.0}
    given = {}
    for name in OPERATING_POINTS:
        (doc,) = calibrated.pipe([TEXT], component_cfg={"mrca_relations": {"threshold": name}})
        given[name] = {label for *_, label, _ in get_plain_relations(doc)}
    assert given == {"precise": set(), "balanced": {"rules"}, "complete": {"rules", "visits"}}
    assert pipe.threshold == "balanced"


def test_numbers_per_label_beside_a_stored_name(calibrated):
    pipe = pipe_of(calibrated)
    pipe.threshold = {"visits": 0.9}
    assert pipe.resolve_threshold() == {"rules": pipe.operating_points["balanced"], "visits": 0.9}


def test_a_point_that_is_not_there(calibrated):
    with pytest.raises(InputError, match="'mrca_relations' has no operating point 'precise'; it has none at all"):
        pipe_of(make()).threshold = "precise"
    with pytest.raises(InputError, match="no operating point 'precise'"):
        make(threshold="precise")
    del pipe_of(calibrated).cfg["points"]["precise"]
    with pytest.raises(InputError, match="has balanced, complete"):
        pipe_of(calibrated).threshold = "precise"


def test_a_point_is_forgotten_when_training_starts_anew(calibrated):
    pipe, doc = pipe_of(calibrated), gold_doc(calibrated, True, True)
    pipe.threshold = "precise"
    pipe.initialize(lambda: [Example(doc, doc)])
    assert pipe.threshold == 0.5


def test_a_name_that_is_none():
    with pytest.raises(InputError, match="one of precise, balanced, complete, not 'best'"):
        add_tiny_relations(blank(), threshold="best")


# Converting.


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def in_force(path):
    return next(line for line in path.read_text().splitlines() if "kgmrca:parameters" in line)


def test_convert_takes_names_and_records_numbers(calibrated, text, tmp_path):
    points, out = pipe_of(calibrated).operating_points, tmp_path / "graph.ttl"
    for options, point in (
        ({"threshold": "complete"}, "complete"),
        ({"threshold": "complete", "default_operating_point": "precise"}, "complete"),
        ({"default_operating_point": "precise"}, "precise"),
        ({}, "balanced"),
    ):
        convert(text, out, nlp=calibrated, **options)
        assert rf"{{\"mrca_relations\": {points[point]}}}" in in_force(out)
        assert pipe_of(calibrated).threshold == "balanced"


def test_convert_prefers_only_what_is_there(nlp, text, tmp_path):
    convert(text, tmp_path / "graph.ttl", nlp=nlp, default_operating_point="precise")
    assert r"{\"cue_relations\": 0.5}" in in_force(tmp_path / "graph.ttl")
    with pytest.raises(ModelError, match="'cue_relations' has no operating points"):
        convert(text, tmp_path / "graph.ttl", nlp=nlp, threshold="precise")


# The command line.


@pytest.fixture
def run(monkeypatch):
    def run_main(*arguments):
        monkeypatch.setattr(sys, "argv", ["kgmrca", *map(str, arguments)])
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as exited:
            cli.main()
        return exited.value.code or 0

    return run_main


@pytest.fixture
def pipeline(tmp_path):
    make(threshold=0.75).to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_the_command_writes_a_calibrated_pipeline(run, pipeline, dev, text, tmp_path, capsys):
    out = tmp_path / "calibrated"
    for _ in range(2):  # the second time, over the pipeline that is there
        assert run("calibrate", pipeline, dev, "-o", out) == 0
        assert pipe_of(spacy.load(out)).threshold == "balanced"
    printed = capsys.readouterr().out
    assert "calibration error, scores from 0.05" in printed
    assert [line.split()[0] for line in printed.splitlines() if line.startswith(OPERATING_POINTS)][:3] == list(
        OPERATING_POINTS
    )
    points = json.loads((out / "mrca_relations" / "cfg").read_text(encoding="utf-8"))["points"]
    for options, point in (([], "precise"), (["--threshold", "complete"], "complete")):
        assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", out, *options) == 0
        assert str(points[point]) in in_force(tmp_path / "graph.ttl")
    assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline) == 0
    assert "0.75" in in_force(tmp_path / "graph.ttl")
    assert run("convert", text, "-o", tmp_path / "graph.ttl", "--pipeline", pipeline, "--threshold", "precise") == 2
    assert "no operating point 'precise'" in capsys.readouterr().err


def test_the_command_does_not_write_over_what_it_reads(run, pipeline, dev, tmp_path, capsys):
    (tmp_path / "link").symlink_to(pipeline)
    assert run("calibrate", pipeline, dev, "-o", tmp_path / "link") == 2
    assert "is the PIPELINE and would be overwritten" in capsys.readouterr().err


def test_the_command_keeps_no_words_of_the_gold_documents(run, pipeline, dev, tmp_path):
    assert run("calibrate", pipeline, dev, "-o", tmp_path / "out") == 0
    before, after = ((folder / "vocab" / "strings.json").read_text() for folder in (pipeline, tmp_path / "out"))
    assert after == before


def test_the_command_draws(run, pipeline, dev, tmp_path):
    assert run("calibrate", pipeline, dev, "-o", tmp_path / "out", "--plot", tmp_path / "plot.png") == 0
    assert (tmp_path / "plot.png").read_bytes()[1:4] == b"PNG"


def test_what_cannot_be_done_is_said_before_the_work(run, dev, tmp_path, capsys, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for options, message in (
        (["-o", tmp_path / "folder"], "is there already and is no pipeline"),
        (["-o", tmp_path / "nowhere" / "out"], "There is no folder"),
        (["-o", tmp_path / "out", "--plot", tmp_path / "nowhere" / "plot.png"], "There is no folder"),
        (["-o", tmp_path / "out", "--plot", tmp_path / "plot.png"], r"pip install 'kgmrca[plot]'"),
    ):
        assert run("calibrate", "no_such_pipeline", dev, *options) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_score_that_reaches_its_threshold_is_below_the_lowest_raw_one() -> None:
    torch.manual_seed(0)
    raw = torch.cat([torch.rand(2000), torch.rand(2000) ** 8, 1 - torch.rand(2000) ** 8, torch.tensor([1e-9, 1.0])])
    slope, offset = torch.rand(40) * 2 + 0.05, torch.randn(40)
    thresholds = torch.cat([torch.rand(30), torch.tensor([0.0, 1e-7, 0.001, 0.5, 0.5, 0.5, 0.5, 0.99, 0.99999, 1.0])])
    reached = scale(raw.unsqueeze(1), slope, offset) >= thresholds
    kept = raw.unsqueeze(1) >= lowest_raw(thresholds, slope, offset)
    assert not (reached & ~kept).any()
    assert kept.sum() < 1.05 * reached.sum()
