"""Charts of how what is in a graph is distributed."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_graph_command import MERGED, run, written

from kgmrca.graph.plots import Chart, Distributions, bars_as_svg
from kgmrca.triples.inputs import rdf_files
from kgmrca.triples.read import read_rdf

SVG = "{http://www.w3.org/2000/svg}"
CHECKS = """
@prefix kgmrca: <https://w3id.org/kgmrca#> .
<urn:c1> a kgmrca:Check ; kgmrca:checked <urn:s1> ; kgmrca:verdict "confirmed" .
<urn:c2> a kgmrca:Check ; kgmrca:checked <urn:s2> ; kgmrca:verdict "new" .
<urn:c3> a kgmrca:Check ; kgmrca:checked <urn:s3> ; kgmrca:verdict "new" .
"""


def charts_of(*paths):
    distributions = Distributions()
    for file in rdf_files([str(path) for path in paths], format=None):
        for found in read_rdf(file.path, format=file.format):
            distributions.add(found)
    return {chart.title: dict(chart.bars) for chart in distributions.charts()}, distributions.statements


def test_each_statement_is_counted_once_in_each_chart(tmp_path, nlp):
    charts, count = charts_of(written(tmp_path / "graph.ttl", nlp))
    assert count > 1
    assert sum(charts["Statements by score"].values()) == count
    assert sum(charts["Statements by predicate"].values()) == count
    assert charts["Statements by predicate"]["place of birth"] == 1
    assert sum(charts["Documents by number of statements"].values()) == 1
    assert "Verdicts of checked statements" not in charts


def test_verdicts_are_counted_if_they_are_given(tmp_path, nlp):
    (tmp_path / "checks.ttl").write_text(CHECKS, encoding="utf-8")
    charts, _ = charts_of(written(tmp_path / "graph.ttl", nlp), tmp_path / "checks.ttl")
    assert charts["Verdicts of checked statements"] == {"new": 2, "confirmed": 1}


def test_scores_stand_in_the_step_that_begins_with_them(tmp_path, nlp):
    graph = written(tmp_path / "graph.ttl", nlp)
    text = graph.read_text(encoding="utf-8")
    for score, step in (("0.15", "0.15 to 0.20"), ("0.0", "0.00 to 0.05"), ("1.0", "0.95 to 1.00")):
        graph.write_text(re.sub(r"(?<=kgmrca:confidence )[\d.]+\d", score, text), encoding="utf-8")
        charts, count = charts_of(graph)
        assert charts["Statements by score"][step] == count


def test_the_command_draws(tmp_path, nlp):
    graph = written(tmp_path / "graph.ttl", nlp)
    done = run(graph, "--plot", tmp_path / "plot.svg")
    assert done.exit_code == 0, done.output
    svg = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert {"place of birth", "Statements by score"} <= {text.text for text in svg.iter(f"{SVG}text")}


def test_what_cannot_be_plotted_is_said(tmp_path, nlp):
    plain = tmp_path / "plain.ttl"
    plain.write_text(MERGED, encoding="utf-8")
    assert "no statements to plot" in run(plain, "--plot", tmp_path / "a.svg").stderr
    assert "ends in .svg" in run(plain, "--plot", tmp_path / "a.png").stderr
    assert list(tmp_path.iterdir()) == [plain]


def test_bars_are_as_long_as_their_numbers_and_within_the_picture():
    svg = ElementTree.fromstring(bars_as_svg([Chart("t", [("long " * 30, 4), ("b", 2), ("c", 0)])]))
    widths = [float(bar.find(f"{SVG}rect").get("width")) for bar in svg.iter(f"{SVG}g")]
    assert widths == pytest.approx([widths[0], widths[0] / 2, 0])
    for rect in svg.iter(f"{SVG}rect"):
        if rect.get("x"):
            assert float(rect.get("x")) + float(rect.get("width")) < float(svg.get("width"))


@given(st.text())
def test_any_text_is_drawn_as_text(text):
    tags = {element.tag for element in ElementTree.fromstring(bars_as_svg([Chart(text, [(text, 1)])])).iter()}
    assert tags == {SVG + name for name in ("svg", "rect", "g", "title", "text")}
