"""What `make demo` prints of a graph, and the sample of Wikidata that it asks."""

import csv
import re
import runpy
import shutil
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest
from helpers import TEXT
from pyoxigraph import NamedNode, parse

from kgmrca.convert import convert
from kgmrca.ontology import WIKIDATA_ENTITY, load_properties
from kgmrca.wikidata.check import check
from kgmrca.wikidata.diff import diff
from kgmrca.wikidata.link import link_graphs
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint
from kgmrca.wikidata.verdicts import Verdict

DEMO = Path(__file__).parent.parent / "pipelines" / "demo"
SHOW, CORPUS = DEMO / "show.py", DEMO / "corpus"
SAMPLE = DEMO / "wikidata.ttl"
PROP, STATEMENT = "http://www.wikidata.org/prop/", f"{WIKIDATA_ENTITY}statement/"


@pytest.fixture
def printed(tmp_path, nlp, monkeypatch, capsys):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "lives.txt").write_text(TEXT, encoding="utf-8")
    convert(tmp_path / "corpus", tmp_path / "graph.ttl", nlp=nlp)
    monkeypatch.setattr(sys, "argv", ["show.py", str(tmp_path / "graph.ttl"), str(tmp_path / "corpus")])
    runpy.run_path(str(SHOW), run_name="__main__")
    return capsys.readouterr().out


def test_every_statement_is_shown_under_its_sentence(printed):
    assert "lives.txt: Marie Curie was born in Warsaw.\n  0.90  Marie Curie | place of birth | Warsaw\n" in printed
    assert "  0.80  Marie Curie | date of birth | 1867\n" in printed


def test_counts_are_shown(printed):
    assert "5 statements of 5 relations in 1 documents; 1 of 4 entity pairs have several." in printed


def test_corpus_has_passages_of_several_sentences():
    texts = [path.read_text(encoding="utf-8") for path in CORPUS.glob("*.txt")]
    assert len(texts) >= 30
    assert all(text.count(". ") >= 3 and text.endswith("\n") for text in texts)


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Some passages as `make demo` treats them, with nobody to talk to: the folder with all that it writes."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "corpus").mkdir()
    for name in ("aretha-franklin.txt", "j-r-r-tolkien.txt", "marie-curie.txt"):
        shutil.copy(CORPUS / name, folder / "corpus")

    def connect(*_):
        raise AssertionError("the demo is offline")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", connect)
        convert(folder / "corpus", folder / "graph.ttl", default_operating_point="precise")
        with Lookups(open_endpoint(SAMPLE), cache=folder / "facts.sqlite") as lookups:
            link_graphs([folder / "graph.ttl"], lookups, folder / "linked.ttl")
            check([folder / "linked.ttl"], lookups, folder / "checks.ttl", csv=folder / "checks.csv")
        diff([folder / "linked.ttl", folder / "checks.ttl"], folder / "new.tsv")
    return folder


def test_the_summary_has_confirmed_new_and_unlinked_statements(checked, monkeypatch, capsys):
    arguments = ["verdicts.py", str(checked / "linked.ttl"), str(checked / "checks.csv")]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(DEMO / "verdicts.py"), run_name="__main__")
    printed = capsys.readouterr().out
    with (checked / "checks.csv").open(encoding="utf-8", newline="") as file:
        found = Counter(row["verdict"] for row in csv.DictReader(file))
    assert {"confirmed", "new", "unlinked"} <= found.keys()
    assert dict(re.findall("^([a-z -]+): ([0-9]+)$", printed, re.MULTILINE)) == {
        verdict: str(count) for verdict, count in found.items()
    }
    assert "Marie Skłodowska-Curie (Q7186) | date of birth | 1867-11-07: Wikidata has the same statement." in printed


def test_what_is_new_is_listed_for_review(checked):
    with (checked / "new.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert rows
    assert {(row["verdict"], row["accept"]) for row in rows} == {(Verdict.new.value, "")}


def test_the_sample_says_what_it_is():
    header = SAMPLE.read_text(encoding="utf-8").split("@prefix")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "CC0" in header
    assert "made up" in header
    assert SAMPLE.stat().st_size < 300_000


def test_the_sample_is_in_the_shape_of_wikidata():
    quads = list(parse(path=SAMPLE))
    truthy, stated, values, ranked = set(), {}, {}, set()
    for quad in quads:
        subject, predicate = quad.subject.value, quad.predicate.value
        kind, _, name = predicate.removeprefix(PROP).rpartition("/")
        if predicate.startswith(f"{PROP}direct/P") and not subject.startswith(f"{WIKIDATA_ENTITY}P"):
            truthy.add((subject, name, quad.object))
        elif predicate.startswith(PROP) and not kind and not subject.startswith(f"{WIKIDATA_ENTITY}P"):
            stated[quad.object.value] = (subject, name)
        elif predicate.startswith(f"{PROP}statement/P") and not subject.startswith(f"{STATEMENT}P"):
            values[subject] = (name, quad.object)
        elif predicate == "http://wikiba.se/ontology#rank":
            ranked.add(subject)
    assert len(truthy) > 500
    assert {(stated[node][0], *value) for node, value in values.items()} == truthy
    assert stated.keys() == values.keys() <= ranked
    assert all(stated[node][1] == name for node, (name, _) in values.items())


def test_the_sample_has_what_was_written_down_by_hand_and_nothing_of_unknown_properties():
    said = set(parse(path=SAMPLE))
    facts = {(quad.subject.value, quad.predicate.value): [] for quad in said}
    for quad in said:
        facts[quad.subject.value, quad.predicate.value].append(quad.object)
    with (DEMO / "wikidata.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for name, value in (fact.split(" ") for fact in row["facts"].split("; ") if fact):
                objects = facts[WIKIDATA_ENTITY + row["item"], f"{PROP}direct/{name}"]
                if value.startswith("Q"):
                    assert NamedNode(WIKIDATA_ENTITY + value) in objects
                elif not value.endswith("J"):
                    assert any(one.value.startswith(value) for one in objects)
    used = {quad.predicate.value for quad in said if quad.predicate.value.startswith(f"{PROP}direct/")}
    of_properties = {f"{PROP}direct/{name}" for name in ("P31", "P279", "P170", "P1696", "P1647")}
    assert used <= load_properties().keys() | of_properties
