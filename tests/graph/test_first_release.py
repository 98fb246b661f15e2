"""Graphs of the first release (`first_release/`) are read by every command, and merge with those of today.

They were written by `kgmrca convert` before an entity had several names and mentions, and a statement two sentences.
"""

import io
import json
from pathlib import Path

import pytest
from helpers import make_nlp
from pyoxigraph import NamedNode, RdfFormat, parse

from kgmrca.convert import convert
from kgmrca.graph.merging.merge import merge
from kgmrca.graph.statistics import graph_report
from kgmrca.graph.validation import validate
from kgmrca.terms import KGMRCA
from kgmrca.triples.formats import PROVENANCE
from kgmrca.triples.read import read_rdf
from kgmrca.triples.records import Statement
from kgmrca.wikidata.check import check
from kgmrca.wikidata.link import link_graphs
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.sparql import open_endpoint

FOLDER = Path(__file__).parent / "first_release"
GRAPHS = {provenance: next(FOLDER.glob(f"{provenance}.*")) for provenance in PROVENANCE}
WITH_STATEMENTS = [provenance for provenance in PROVENANCE if provenance != "none"]
TEXTS = {
    "curie.txt": "Marie Curie was born in Warsaw. Marie Curie was born in 1867. Warsaw is in Poland.",
    "welles.txt": "Orson Welles wrote and directed Citizen Kane. WARSAW is in Poland.",
}
WIKIDATA = Path(__file__).parents[1] / "wikidata" / "wikidata.ttl"


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """The same documents as they are written today."""
    folder = tmp_path_factory.mktemp("today")
    source = folder / "texts.jsonl"
    source.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in TEXTS.items()))
    convert(source, folder / "today.nq", nlp=make_nlp(), progress=False)
    return folder / "today.nq"


@pytest.fixture
def lookups():
    with Lookups(open_endpoint(str(WIKIDATA)), cache=None) as lookups:
        yield lookups


def statements_in(path):
    return {one.iri: one for one in read_rdf(path) if isinstance(one, Statement)}


def merged(*paths):
    out = io.BytesIO()
    summary = merge(paths, out, format="nquads", progress=False)
    return summary, out.getvalue()


@pytest.mark.parametrize("provenance", WITH_STATEMENTS)
def test_it_is_read(provenance):
    found = sorted(
        statements_in(GRAPHS[provenance]).values(), key=lambda one: (one.document, one.subject_mention.start)
    )
    assert [one.label for one in found[:3]] == ["place of birth", "date of birth", "country"]
    assert (found[0].sentence.start, found[0].sentence.end, found[0].object_sentence) == (0, 31, None)
    assert found[0].sentence.text == ("Marie Curie was born in Warsaw." if provenance == "statements" else "")


@pytest.mark.parametrize("provenance", WITH_STATEMENTS)
def test_what_is_read_again_today_is_the_same_statement_of_the_same_entity(provenance, today):
    old, new = statements_in(GRAPHS[provenance]), statements_in(today)
    assert old.keys() == new.keys()
    for iri, one in new.items():
        assert (old[iri].subject, old[iri].object) == (one.subject, one.object)
        assert old[iri].sentence_digest == one.sentence_digest


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_it_conforms(provenance):
    assert validate(GRAPHS[provenance], progress=False).findings == []


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_its_figures_are_right(provenance):
    report = graph_report(GRAPHS[provenance], progress=False)
    counts = {name: report[name] for name in ("entities", "mentions", "facts", "statements")}
    has = provenance != "none"
    assert counts == {"entities": 7, "mentions": 9 * has, "facts": 6, "statements": 6 * has}


@pytest.mark.parametrize("provenance", WITH_STATEMENTS)
def test_it_merges_with_a_graph_of_today_as_one(provenance, today):
    summary, both = merged(GRAPHS[provenance], today)
    assert (summary.read, summary.statements, summary.facts) == (12, 6, 5)
    assert summary.conflicts == {}
    alone, _ = merged(today)
    assert (alone.facts, alone.attested, alone.clusters) == (summary.facts, summary.attested, summary.clusters)
    runs = {quad.object for quad in parse(both, RdfFormat.N_QUADS) if quad.predicate.value.endswith("wasGeneratedBy")}
    assert 1 <= len(runs) <= 2


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_a_merge_gives_the_mentions_of_today(provenance, today):
    _, both = merged(GRAPHS[provenance], today)
    mention = NamedNode(f"{KGMRCA}mention")
    mentions = [quad.object.value for quad in parse(both, RdfFormat.N_QUADS) if quad.predicate == mention]
    assert sorted(one.rpartition("=")[2] for one in mentions) == ["0,11", "24,30", "32,43", "62,68"]


@pytest.mark.parametrize("provenance", PROVENANCE)
def test_it_is_linked_and_checked(provenance, tmp_path, lookups):
    linked = tmp_path / f"linked{GRAPHS[provenance].suffix}"
    summary = link_graphs([GRAPHS[provenance]], lookups, linked, progress=False)
    assert summary.outcomes["linked"] >= 3
    verdicts = check([linked], lookups, csv=tmp_path / "checks.csv", progress=False).verdicts
    assert verdicts["confirmed"] >= 2
