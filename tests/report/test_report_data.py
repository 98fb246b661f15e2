"""What the page of `kgmrca report` is made of, and that no text of a document gets out of its place."""

import io
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.errors import InputError
from kgmrca.markup import json_in_html, printable
from kgmrca.report.data import report_data
from kgmrca.report.page import page
from kgmrca.triples.iris import graph_digest
from kgmrca.triples.read import read_nodes

GRAPH = """
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix kgmrca: <https://w3id.org/kgmrca#> .
@prefix wd: <http://www.wikidata.org/entity/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
<urn:curie> rdfs:label "Marie Curie" ; kgmrca:entityType "PERSON" ; kgmrca:item wd:Q7186 .
<urn:marie> rdfs:label "Marie" ; kgmrca:entityType "PERSON" ; kgmrca:item wd:Q7186 .
<urn:warsaw> rdfs:label "Warsaw" .
<urn:s1> a rdf:Statement ; rdf:subject <urn:curie> ; rdf:predicate <http://www.wikidata.org/prop/direct/P19> ;
  rdf:object <urn:warsaw> ; kgmrca:confidence 0.75 ; kgmrca:relationLabel "place of birth" ;
  kgmrca:subjectMention <urn:d#char=10,21> ; kgmrca:objectMention <urn:d#char=34,40> ;
  kgmrca:sentence <urn:d#char=10,41> ; kgmrca:sentenceText "Marie Curie was born in Warsaw." ;
  prov:wasDerivedFrom <urn:d> .
<urn:s2> a rdf:Statement ; rdf:subject <urn:marie> ; rdf:predicate <http://www.wikidata.org/prop/direct/P569> ;
  rdf:object "1867"^^<http://www.w3.org/2001/XMLSchema#gYear> ; kgmrca:confidence 0.5 ;
  kgmrca:relationLabel "date of birth" ;
  kgmrca:subjectMention <urn:e#char=0,5> ; kgmrca:objectMention <urn:e#char=18,22> ; prov:wasDerivedFrom <urn:e> .
<urn:c1> a kgmrca:Check ; kgmrca:checked <urn:s1> ; kgmrca:verdict "confirmed" ; rdfs:comment "It is the same." ;
  kgmrca:basis <http://www.wikidata.org/entity/statement/Q7186-1> .
"""


def data_of(graph: str):
    return report_data(read_nodes(io.BytesIO(graph.encode()), format="turtle"), title="a graph")


def test_a_statement_has_its_evidence_and_verdict():
    data = data_of(GRAPH)
    rows = data["statements"]
    assert rows["iri"] == ["urn:s1", "urn:s2"]
    assert rows["confidence"] == [0.75, 0.5]
    assert [data["verdicts"][number] for number in rows["verdict"]] == ["confirmed", "not checked"]
    assert data["reasons"][rows["reason"][0]] == (
        "It is the same.",
        "http://www.wikidata.org/entity/statement/Q7186-1",
    )
    assert data["sentences"][rows["sentence"][0]] == "Marie Curie was born in Warsaw."
    assert rows["sentence_start"] == [10, -1]
    assert rows["sentence"][1] == -1
    assert (rows["subject_start"][0], rows["subject_end"][0]) == (10, 21)


def test_entities_of_one_item_are_one_thing():
    data = data_of(GRAPH)
    things, rows = data["things"], data["statements"]
    assert rows["subject"] == [0, 0]
    assert (things["name"][0], things["others"][0], things["item"][0]) == ("Marie Curie", ["Marie"], "Q7186")
    assert things["mentions"][0] == [0, 10, 21, 1, 0, 5]
    assert [things["name"][number] for number in rows["object"]] == ["Warsaw", "1867"]


def test_decisions_and_what_reviews_need_are_in_the_data():
    reviewed = GRAPH.replace(
        "kgmrca:confidence 0.75 ;",
        'kgmrca:confidence 0.75 ; kgmrca:decision "accepted" ; prov:wasRevisionOf <urn:s2> ;',
    )
    data = data_of(
        reviewed
        + """<urn:r> a kgmrca:Review ; kgmrca:reviewed <urn:s1> ; kgmrca:decision "accepted" ; rdfs:comment "sure" ;
        prov:wasAttributedTo <urn:ada> ; prov:generatedAtTime "2030-01-02T03:04:05Z" . <urn:ada> rdfs:label "Ada" ."""
    )
    assert data["statements"]["decision"] == ["accepted", ""]
    assert data["reviews"] == [(0, "accepted", "Ada", "2030-01-02T03:04:05Z", "sure")]
    assert data["single_valued"] == [True, True]
    assert "place of birth" in data["labels"]
    # What the graph is known by does not change when it is reviewed.
    assert data["digest"] == graph_digest(["urn:s2"])


def test_a_graph_without_statements_is_refused():
    with pytest.raises(InputError, match="no statements"):
        data_of("<urn:a> <urn:b> <urn:c> .")


def test_checks_of_another_graph_are_refused():
    with pytest.raises(InputError, match="about none of these statements"):
        data_of(GRAPH.replace("kgmrca:checked <urn:s1>", "kgmrca:checked <urn:s9>"))


@given(st.recursive(st.text() | st.characters(codec=None), lambda part: st.lists(part, max_size=3), max_leaves=5))
def test_json_in_a_page_stays_there(data):
    text = json_in_html(data)
    assert json.loads(text) == data
    assert not re.search("[<>&\u2028\u2029\ud800-\udfff]", text)
    text.encode("utf-8")


@pytest.mark.parametrize("hostile", ["</script><script>x()", "<!--<script>", "\u2028", "\ud800", "]]>", "\0"])
def test_hostile_names_are_data(hostile):
    data = data_of(GRAPH)
    data["things"]["name"][0] = data["title"] = data["documents"][0] = hostile
    written = page(data)
    (embedded,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', written, re.DOTALL)
    assert json.loads(embedded) == json.loads(json.dumps(data))
    # A browser sees the three scripts of the page, and the title as text.
    seen = _Seen()
    seen.feed(written)
    assert seen.scripts == [[("type", "application/json"), ("id", "data")], [], [("type", "module")]]
    assert seen.title == f"{printable(hostile)} – kgmrca"


class _Seen(HTMLParser):
    """The attributes of each script, and the title, as a browser sees them."""

    def __init__(self):
        super().__init__()
        self.scripts, self.title, self.tag = [], "", ""

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        if tag == "script":
            self.scripts.append(attrs)

    def handle_endtag(self, tag):
        self.tag = ""

    def handle_data(self, data):
        if self.tag == "title":
            self.title += data


def test_the_page_loads_nothing():
    written = page(data_of(GRAPH))
    assert "default-src 'none'" in written
    assert not re.search(r"<(?:script|img|iframe|link)[^>]* (?:src|href)=", written)


def test_the_command_writes_the_page(tmp_path):
    (tmp_path / "graph.ttl").write_text(GRAPH, encoding="utf-8")
    output = tmp_path / "report.html"
    result = CliRunner().invoke(app, ["report", str(tmp_path / "graph.ttl"), "-o", str(output)])
    assert (result.exit_code, result.stderr) == (0, f"kgmrca: 2 statements -> {output}\n")
    assert output.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
