import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_graph_command import MERGED, run, written

from kgmrca.errors import InputError
from kgmrca.graph.pictures import FORMATS, Edge, Node, as_dot, as_html, as_mermaid, as_svg
from kgmrca.graph.statistics import Statistics, graph_report
from kgmrca.terms import KGMRCA, PROV, RDF
from kgmrca.triples.read import read_rdf

SVG = "{http://www.w3.org/2000/svg}"
CURIE = Node("0", "Marie Curie")
FACTS = [
    Edge(CURIE, "place of birth", Node("1", "Warsaw"), 0.95),
    Edge(CURIE, "date of birth", Node("2", "1867-11-07", is_literal=True), 0.9),
    Edge(CURIE, "work location", Node("1", "Warsaw"), 0.5),
    Edge(Node("3", "Ringo"), "member of", Node("4", "The Beatles"), 0.8),
    Edge(Node("4", "The Beatles"), "has part", Node("3", "Ringo"), 0.7),
    Edge(CURIE, "relative", CURIE, 0.2),
]


def drawn(edges):
    return ElementTree.fromstring(as_svg(edges))


def test_boxes_and_labels_of_a_drawing():
    svg = drawn(FACTS)
    titles = [title.text for title in svg.iter(f"{SVG}title")]
    assert titles == ["Marie Curie", "Warsaw", "1867-11-07", "Ringo", "The Beatles"]
    texts = {text.text for text in svg.iter(f"{SVG}text")}
    assert {"place of birth 0.95", "work location 0.50", "relative 0.20"} <= texts
    assert {"→ member of 0.80", "← has part 0.70"} <= texts or {"← member of 0.80", "→ has part 0.70"} <= texts
    # One line for each two nodes, and an arrow at each end that is an object.
    arrows = [[key for key in path.attrib if key.startswith("marker")] for path in svg.iter(f"{SVG}path")]
    assert sorted(map(len, arrows[1:])) == [1, 1, 1, 2]  # the first is the arrow's own shape


def test_boxes_do_not_overlap():
    star = [Edge(Node("x", "centre"), "p", Node(str(n), f"node {n}"), 0.5) for n in range(40)]
    boxes = []
    for group in drawn([*star, *FACTS]).iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect").attrib
        boxes.append([float(box[key]) for key in ("x", "y", "width", "height")])
    assert len(boxes) == 46
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:number]:
            apart_x = x >= other_x + other_width or other_x >= x + width
            apart_y = y >= other_y + other_height or other_y >= y + height
            assert apart_x or apart_y


@given(st.text())
def test_any_text_is_drawn_as_text(text):
    edges = [Edge(Node("0", text), text, Node("1", text, is_literal=True), 0.5)]
    assert {element.tag for element in drawn(edges).iter()} == {
        SVG + name for name in ("svg", "defs", "marker", "path", "rect", "g", "title", "text")
    }
    assert as_mermaid(edges).count("\n") == 4
    # Outside of the quotes there is nothing of the text.
    assert re.sub(r'"[^"]*"', "", as_mermaid(edges)) == "flowchart LR\n  n0[]\n  n1([])\n  n0 --  --> n1\n"
    assert re.sub(r'"(\\.|[^"\\])*"', "", as_dot(edges)) == (
        "digraph {\n  rankdir=LR\n  node [shape=box]\n  n0 [label=]\n  n1 [label= shape=ellipse]\n"
        "  n0 -> n1 [label=]\n}\n"
    )
    assert as_html(edges).count("<script") == 0


def test_no_text_turns_the_score_beside_it_around(tmp_path):
    edges = [Edge(Node("0", "\u2067a\u2069"), "\u202eborn", Node("1", "b"), 0.33)]
    texts = [text.text for text in drawn(edges).iter(f"{SVG}text")]
    assert sorted(texts) == ["a", "b", "born 0.33"]
    for form in (as_mermaid, as_dot):
        assert not re.search("[\u202a-\u202e\u2066-\u2069]|#823[4-8];|#829[4-7];", form(edges))


def test_an_empty_literal_is_drawn_empty():
    found = Statistics()
    lines = [
        f"<urn:s> <{RDF}type> <{RDF}Statement> ; <{RDF}subject> <urn:a> ; <{RDF}predicate> <urn:p> ;",
        f"<{RDF}object> '' ; <{KGMRCA}confidence> 0.5 ; <{KGMRCA}relationLabel> 'p' ;",
        f"<{KGMRCA}subjectMention> <urn:d#char=0,1> ; <{KGMRCA}objectMention> <urn:d#char=2,3> ;",
        f"<{PROV}wasDerivedFrom> <urn:d> .",
    ]
    for one in read_rdf(io.BytesIO("\n".join(lines).encode()), format="turtle"):
        found.add(one)
    (edge,) = found.picture()
    assert (edge.object.name, edge.object.is_literal) == ("", True)


def test_mermaid_sees_no_list_and_no_markup():
    text = as_mermaid([Edge(Node("0", "1. FC Köln"), "a*b_c`d`", Node("1", "<b>#quot;</b>"), 0.5)])
    assert '"1#46; FC Köln"' in text
    assert '"a#42;b#95;c#96;d#96; 0.50"' in text
    assert '"#60;b#62;#35;quot#59;#60;/b#62;"' in text


@pytest.mark.parametrize("form", FORMATS)
def test_the_command_writes_each_form(form, tmp_path, nlp):
    graph = written(tmp_path / "graph.ttl", nlp)
    done = run(graph, f"--{form}", tmp_path / f"picture.{form}")
    assert done.exit_code == 0, done.output
    picture = (tmp_path / f"picture.{form}").read_text(encoding="utf-8")
    assert "Marie Curie" in picture
    assert "place of birth 0.90" in picture


def test_what_many_documents_say_of_one_name_is_one_box(tmp_path, nlp):
    from helpers import TEXT

    graph = written(tmp_path / "graph.ttl", nlp, texts=(TEXT, f"{TEXT} "))
    run(graph, "--mermaid", tmp_path / "picture", "--top", 100)
    names = re.findall(r"n\d+\(?\[(.*?)\]", (tmp_path / "picture").read_text(encoding="utf-8"))
    assert len(names) == len(set(names))


def test_around_an_entity_its_own_facts_come_first(tmp_path, nlp):
    graph = written(tmp_path / "graph.ttl", nlp)
    for meant in ("marie  curie", "Marie Curie"):
        graph_report(graph, top=1, pictures={"mermaid": tmp_path / "picture"}, around=meant, progress=False)
        assert "Marie Curie" in (tmp_path / "picture").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="No statement is about an entity"):
        graph_report(graph, pictures={"svg": tmp_path / "none"}, around="Nobody", progress=False)
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_drawn_is_said(tmp_path, nlp):
    plain = tmp_path / "plain.ttl"
    plain.write_text(MERGED, encoding="utf-8")
    assert "no statements to draw, only plain triples" in run(plain, "--svg", tmp_path / "a.svg").stderr
    empty = tmp_path / "empty.ttl"
    empty.touch()
    assert "no statements to draw, and no other facts" in run(empty, "--svg", tmp_path / "a.svg").stderr
    graph = written(tmp_path / "graph.ttl", nlp)
    assert "1 to 500 facts" in run(graph, "--svg", tmp_path / "a.svg", "--top", 501).stderr
    assert "for pictures" in run(graph, "--around", "Marie Curie").stderr
    assert run(graph, "--svg", graph).exit_code == 2  # it would be overwritten
    assert not (tmp_path / "a.svg").exists()
