"""What persons decided, written into graphs, and what the other commands make of that."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Store, parse
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.corpora.annotated import exhaustively_annotated, read_gold
from kgmrca.errors import InputError
from kgmrca.graph.merging.merge import merge
from kgmrca.graph.statistics import graph_report
from kgmrca.graph.validation import validate
from kgmrca.resources import resource
from kgmrca.review.apply import apply_review
from kgmrca.review.decisions import read_review
from kgmrca.triples.formats import PROVENANCE, write
from kgmrca.triples.iris import graph_digest
from kgmrca.triples.read import read_rdf
from kgmrca.triples.records import Statement
from kgmrca.triples.write import statement_triples

SCHEMA = json.loads(resource("ontologies/review.schema.json").read_text(encoding="utf-8"))
PREFIXES = """
prefix kgmrca: <https://w3id.org/kgmrca#>
prefix prov: <http://www.w3.org/ns/prov#>
prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#>
prefix wdt: <http://www.wikidata.org/prop/direct/>
prefix wd: <http://www.wikidata.org/entity/>
prefix xsd: <http://www.w3.org/2001/XMLSchema#>
prefix dcterms: <http://purl.org/dc/terms/>
"""
TEXT = "Marie Curie was born in Warsaw. She died in Passy in 1934. Marie Curie came from Warsaw."
DOCUMENT = "urn:kgmrca:document/curie.txt@0123456789abcdef0123"


GRAPH = f"""{PREFIXES}
<{DOCUMENT}> a prov:Entity ; dcterms:identifier "curie.txt" .
<urn:curie> rdfs:label "Marie Curie" ; kgmrca:entityType "PERSON" ; kgmrca:item wd:Q7186 ;
  wdt:P19 <urn:warsaw> ; wdt:P20 <urn:warsaw> , <urn:passy> ; wdt:P570 "1934"^^xsd:gYear .
<urn:warsaw> rdfs:label "Warsaw" ; kgmrca:entityType "GPE" ; kgmrca:item wd:Q270 .
<urn:passy> rdfs:label "Passy" ; kgmrca:entityType "GPE" ; kgmrca:item wd:Q1365609 .
<urn:kgmrca:statement/born> a rdf:Statement ; rdf:subject <urn:curie> ; rdf:predicate wdt:P19 ;
  rdf:object <urn:warsaw> ; kgmrca:confidence 0.9 ; kgmrca:relationLabel "place of birth" ;
  kgmrca:subjectMention <{DOCUMENT}#char=0,11> ; kgmrca:objectMention <{DOCUMENT}#char=24,30> ;
  kgmrca:sentence <{DOCUMENT}#char=0,31> ; kgmrca:sentenceText "Marie Curie was born in Warsaw." ;
  prov:wasDerivedFrom <{DOCUMENT}> .
<urn:kgmrca:statement/came> a rdf:Statement ; rdf:subject <urn:curie> ; rdf:predicate wdt:P19 ;
  rdf:object <urn:warsaw> ; kgmrca:confidence 0.6 ; kgmrca:relationLabel "place of birth" ;
  kgmrca:subjectMention <{DOCUMENT}#char=59,70> ; kgmrca:objectMention <{DOCUMENT}#char=81,87> ;
  kgmrca:sentence <{DOCUMENT}#char=59,88> ; kgmrca:sentenceText "Marie Curie came from Warsaw." ;
  prov:wasDerivedFrom <{DOCUMENT}> .
<urn:kgmrca:statement/died> a rdf:Statement ; rdf:subject <urn:curie> ; rdf:predicate wdt:P20 ;
  rdf:object <urn:warsaw> ; kgmrca:confidence 0.5 ; kgmrca:relationLabel "place of death" ;
  kgmrca:subjectMention <{DOCUMENT}#char=0,11> ; kgmrca:objectMention <{DOCUMENT}#char=24,30> ;
  kgmrca:sentence <{DOCUMENT}#char=0,31> ; kgmrca:sentenceText "Marie Curie was born in Warsaw." ;
  prov:wasDerivedFrom <{DOCUMENT}> .
<urn:kgmrca:statement/passy> a rdf:Statement ; rdf:subject <urn:curie> ; rdf:predicate wdt:P20 ;
  rdf:object <urn:passy> ; kgmrca:confidence 0.7 ; kgmrca:relationLabel "place of death" ;
  kgmrca:subjectMention <{DOCUMENT}#char=32,35> ; kgmrca:objectMention <{DOCUMENT}#char=44,49> ;
  kgmrca:sentence <{DOCUMENT}#char=32,58> ; kgmrca:sentenceText "She died in Passy in 1934." ;
  prov:wasDerivedFrom <{DOCUMENT}> .
<urn:kgmrca:statement/year> a rdf:Statement ; rdf:subject <urn:curie> ; rdf:predicate wdt:P570 ;
  rdf:object "1934"^^xsd:gYear ; kgmrca:confidence 0.8 ; kgmrca:relationLabel "date of death" ;
  kgmrca:subjectMention <{DOCUMENT}#char=32,35> ; kgmrca:objectMention <{DOCUMENT}#char=53,57> ;
  kgmrca:sentence <{DOCUMENT}#char=32,58> ; kgmrca:sentenceText "She died in Passy in 1934." ;
  prov:wasDerivedFrom <{DOCUMENT}> .
"""
NAMES = ("born", "came", "died", "passy", "year")
DIGEST = graph_digest(f"urn:kgmrca:statement/{name}" for name in NAMES)
WHEN = "2030-01-02T03:04:05Z"


def decided(decision, *names, when=WHEN, **more):
    return {
        "statements": [f"urn:kgmrca:statement/{name}" for name in names],
        "decision": decision,
        "time": when,
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "graph.ttl").write_text(GRAPH, encoding="utf-8")
    return tmp_path


def review(folder, *decisions, reviewer="Ada", name=None, **more) -> Path:
    content = {"format": "kgmrca review", "version": 1, "graph": DIGEST, "reviewer": reviewer}
    content |= {"decisions": list(decisions), **more}
    jsonschema.validate(content, SCHEMA)
    path = folder / f"{name or reviewer}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def apply(folder, *reviews, graph="graph.ttl", to="out.ttl", **options):
    summary = apply_review(folder / graph, reviews, folder / to, **options)
    return summary, Rows(folder / to)


class Rows:
    """Asks a graph."""

    def __init__(self, path):
        self.path, self.store = path, Store()
        self.store.extend(parse(path=str(path)))

    def __call__(self, pattern, *names):
        found = self.store.query(f"{PREFIXES} select * where {{ {pattern} }}")
        return sorted(tuple(row[name].value for name in names) for row in found)

    def has(self, pattern):
        return bool(self.store.query(f"{PREFIXES} ask {{ {pattern} }}"))

    def conforms(self):
        report = validate(self.path, progress=False)
        return [finding.shape for finding in report.findings if finding.severity == "Violation"]


def test_decisions_become_rdf(folder):
    summary, rows = apply(
        folder, review(folder, decided("accepted", "passy", note="sure"), decided("rejected", "died"))
    )
    assert summary.in_words("out.ttl") == (
        "kgmrca: 2 statements decided (1 accepted, 1 rejected, 0 corrected) -> out.ttl"
    )
    reviews = rows(
        "?r a kgmrca:Review ; kgmrca:reviewed ?s ; kgmrca:decision ?d ; prov:generatedAtTime ?t ;"
        " prov:wasAttributedTo [ a prov:Person ; rdfs:label ?who ]",
        *("s", "d", "t", "who"),
    )
    assert reviews == [
        ("urn:kgmrca:statement/died", "rejected", WHEN, "Ada"),
        ("urn:kgmrca:statement/passy", "accepted", WHEN, "Ada"),
    ]
    assert rows("?s rdf:subject ?o ; kgmrca:decision ?d", "s", "d") == [
        ("urn:kgmrca:statement/died", "rejected"),
        ("urn:kgmrca:statement/passy", "accepted"),
    ]
    assert rows("?r rdfs:comment ?note", "note") == [("sure",)]
    # What was rejected is there as what was read, and not as a triple.
    assert rows.has("<urn:kgmrca:statement/died> rdf:object <urn:warsaw>")
    assert rows("<urn:curie> wdt:P20 ?o", "o") == [("urn:passy",)]
    assert rows.has("<urn:curie> wdt:P19 <urn:warsaw>")
    assert rows.conforms() == []


def test_a_triple_stays_while_another_reading_says_so(folder):
    _, rows = apply(folder, review(folder, decided("rejected", "came")))
    assert rows.has("<urn:curie> wdt:P19 <urn:warsaw>")
    _, rows = apply(folder, review(folder, decided("rejected", "came", "born")))
    assert not rows.has("<urn:curie> wdt:P19 <urn:warsaw>")


def test_what_was_accepted_is_asserted(folder):
    low = GRAPH.replace("wdt:P20 <urn:warsaw> , <urn:passy> ;", "")
    (folder / "graph.ttl").write_text(low, encoding="utf-8")
    _, rows = apply(folder, review(folder, decided("accepted", "passy")))
    assert rows("<urn:curie> wdt:P20 ?o", "o") == [("urn:passy",)]


@pytest.mark.parametrize(
    ("name", "correction", "said"),
    [
        ("died", {"label": "place of birth"}, ("urn:curie", "P19", "urn:warsaw", "0,11", "24,30", "place of birth")),
        ("died", {"label": "lived in"}, ("urn:curie", "lived%20in", "urn:warsaw", "0,11", "24,30", "lived in")),
        # "Passy" is not in the sentence, so the words that were read stay, and mean it.
        (
            "died",
            {"object": {"iri": "urn:passy"}},
            ("urn:curie", "P20", "urn:passy", "0,11", "24,30", "place of death"),
        ),
        (
            "passy",
            {"object": {"name": "warsaw"}},
            ("urn:curie", "P20", "urn:warsaw", "32,35", "44,49", "place of death"),
        ),
        (
            "year",
            {"object": {"value": "4 July 1934"}},
            ("urn:curie", "P570", "1934-07-04", "32,35", "53,57", "date of death"),
        ),
        (
            "passy",
            {"subject": {"iri": "urn:passy"}, "object": {"iri": "urn:curie"}},
            ("urn:passy", "P20", "urn:curie", "44,49", "32,35", "place of death"),
        ),
    ],
)
def test_a_correction_is_a_new_statement(folder, name, correction, said):
    _, rows = apply(folder, review(folder, decided("corrected", name, correction=correction)))
    old = f"urn:kgmrca:statement/{name}"
    (found,) = rows(
        "?s prov:wasRevisionOf ?old ; rdf:subject ?a ; rdf:predicate ?p ; rdf:object ?b ; kgmrca:confidence ?c ;"
        " kgmrca:subjectMention ?m ; kgmrca:objectMention ?n ; kgmrca:relationLabel ?l ; kgmrca:decision ?d ;"
        f" prov:wasDerivedFrom <{DOCUMENT}> . ?r kgmrca:correction ?s ; kgmrca:decision 'corrected' . ?a ?p ?b",
        *("old", "d", "c", "a", "p", "b", "m", "n", "l"),
    )
    assert found[:3] == (old, "accepted", "1")
    subject, predicate, object_, subject_mention, object_mention, label = said
    assert (found[3], found[4].rpartition("/")[2], found[5]) == (subject, predicate, object_)
    assert [place.rpartition("=")[2] for place in found[6:8]] == [subject_mention, object_mention]
    assert found[8] == label
    assert rows.conforms() == []


def test_a_new_name_is_an_entity_of_the_document_at_its_place(folder):
    correction = {"object": {"name": "1934"}, "label": "seen in"}
    _, rows = apply(folder, review(folder, decided("corrected", "passy", correction=correction)))
    ((entity, name, mention),) = rows(
        "?s prov:wasRevisionOf ?old ; rdf:object ?e ; kgmrca:objectMention ?m . ?e rdfs:label ?name", "e", "name", "m"
    )
    assert entity.startswith("urn:kgmrca:entity/")
    assert (name, mention) == ("1934", f"{DOCUMENT}#char=53,57")


def everything(folder, **options):
    return review(
        folder,
        decided("accepted", "born", "year"),
        decided("rejected", "came"),
        decided("corrected", "died", correction={"label": "residence", "object": {"name": "Marie"}}),
        decided("corrected", "passy", correction={"subject": {"name": "Irène"}}),
        **options,
    )


@pytest.mark.parametrize("merged", [False, True])
def test_applying_again_changes_nothing(folder, merged):
    graph = "graph.ttl"
    if merged:
        merge(folder / graph, folder / "merged.ttl", progress=False)
        graph = "merged.ttl"
    path = everything(folder)
    apply(folder, path, graph=graph, to="once.ttl")
    summary, _ = apply(folder, path, graph="once.ttl", to="twice.ttl")
    assert (folder / "once.ttl").read_bytes() == (folder / "twice.ttl").read_bytes()
    assert summary.decisions == {"accepted": 2, "rejected": 1, "corrected": 2}
    assert not summary.is_another_version


@pytest.mark.parametrize("provenance", [form for form in PROVENANCE if form != "none"])
def test_every_form_of_provenance(folder, provenance):
    found = list(read_rdf(folder / "graph.ttl"))
    triples = [one for one in found if not isinstance(one, Statement)]
    for one in found:
        if isinstance(one, Statement):
            triples += statement_triples(one, provenance=provenance, text=True)
    with (folder / "other.trig").open("wb") as out:
        write(triples, out, format="trig", base="urn:kgmrca:")
    _, rows = apply(folder, everything(folder), graph="other.trig", to="out.trig")
    decisions = {one.iri.rpartition("/")[2]: one.decision for one in read_rdf(rows.path) if isinstance(one, Statement)}
    expected = {"born": "accepted", "came": "rejected", "died": "corrected", "passy": "corrected", "year": "accepted"}
    assert {name: decisions[name] for name in NAMES} == expected
    assert len(decisions) == len(NAMES) + 2
    assert rows.conforms() == []
    # A merge keeps what persons decided, in any form.
    merge(rows.path, folder / "merged.trig", provenance=provenance, progress=False)
    again = {
        one.iri.rpartition("/")[2]: one.decision
        for one in read_rdf(folder / "merged.trig")
        if isinstance(one, Statement)
    }
    assert again == decisions


def test_a_merge_with_a_new_conversion_keeps_the_decisions(folder):
    apply(folder, review(folder, decided("rejected", "died"), decided("rejected", "born", "came")))
    merge([folder / "graph.ttl", folder / "out.ttl"], folder / "merged.ttl", progress=False)
    rows = Rows(folder / "merged.ttl")
    assert rows("?s rdf:subject ?o ; kgmrca:decision ?d", "s") == [
        (f"urn:kgmrca:statement/{name}",) for name in ("born", "came", "died")
    ]
    assert rows("?f a kgmrca:Fact ; kgmrca:evidence ?s", "s") == [
        ("urn:kgmrca:statement/passy",),
        ("urn:kgmrca:statement/year",),
    ]
    assert rows("?c a kgmrca:Conflict", "c") == []
    assert not rows.has("<urn:curie> wdt:P19 ?o")
    assert rows("<urn:curie> wdt:P20 ?o", "o") == [("urn:passy",)]
    assert rows.conforms() == []


def test_facts_of_a_merged_graph_follow(folder):
    merge(folder / "graph.ttl", folder / "merged.ttl", progress=False)
    assert Rows(folder / "merged.ttl")("?c kgmrca:conflictKind ?k", "k") == [("several objects",)]
    _, rows = apply(
        folder, review(folder, decided("rejected", "died"), decided("rejected", "came")), graph="merged.ttl"
    )
    assert rows("?f a kgmrca:Fact ; kgmrca:evidence ?s", "s") == [
        (f"urn:kgmrca:statement/{name}",) for name in ("born", "passy", "year")
    ]
    assert rows("?c a kgmrca:Conflict", "c") == []


def test_merging_what_different_persons_decided_is_disputed(folder):
    for name, decision in [("ada", "accepted"), ("bob", "rejected")]:
        apply(folder, review(folder, decided(decision, "passy"), reviewer=name), to=f"{name}.ttl")
    merge([folder / "ada.ttl", folder / "bob.ttl"], folder / "both.ttl", progress=False)
    rows = Rows(folder / "both.ttl")
    assert rows("?s rdf:subject ?o ; kgmrca:decision ?d", "d") == [("disputed",)]
    assert rows.has("<urn:curie> wdt:P20 <urn:passy>")
    assert len(rows("?r a kgmrca:Review", "r")) == 2
    assert rows.conforms() == []


def test_the_graph_command_counts_no_fact_that_was_rejected(folder):
    apply(folder, review(folder, decided("rejected", "died"), decided("accepted", "passy")))
    report = graph_report([str(folder / "out.ttl")])
    assert (report["statements"], report["facts"], report["decisions"]) == (5, 3, {"accepted": 1, "rejected": 1})


def test_reviewers_who_disagree_change_nothing(folder):
    ada = review(folder, decided("accepted", "passy"), decided("rejected", "died"))
    bob = review(folder, decided("rejected", "passy", note="Passy?"), decided("rejected", "died"), reviewer="Bob")
    summary, rows = apply(folder, ada, bob, disagreements=folder / "open.tsv")
    assert summary.disagreements == [
        "Marie Curie — place of death — Passy: Ada accepted it, Bob rejected it (urn:kgmrca:statement/passy)"
    ]
    assert rows("?s rdf:subject ?o ; kgmrca:decision ?d", "s", "d") == [("urn:kgmrca:statement/died", "rejected")]
    assert len(rows("?r kgmrca:reviewed <urn:kgmrca:statement/died>", "r")) == 2
    lines = (folder / "open.tsv").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[4:] for line in lines] == [
        ["reviewer", "decision", "time", "note"],
        ["Ada", "accepted", WHEN, ""],
        ["Bob", "rejected", WHEN, "Passy?"],
    ]


def test_two_corrections_that_differ_are_a_disagreement(folder):
    ada = review(folder, decided("corrected", "died", correction={"label": "place of birth"}))
    bob = review(folder, decided("corrected", "died", correction={"label": "residence"}), reviewer="Bob")
    summary, rows = apply(folder, ada, bob)
    assert (len(summary.disagreements), rows("?s prov:wasRevisionOf ?o", "s")) == (1, [])
    same = review(folder, decided("corrected", "died", correction={"label": "place of birth"}), reviewer="Cid")
    summary, rows = apply(folder, ada, same)
    assert (summary.disagreements, len(rows("?s prov:wasRevisionOf ?o", "s"))) == ([], 1)


def test_what_a_person_decided_is_not_overwritten_by_another(folder):
    apply(folder, review(folder, decided("rejected", "died")))
    bob = review(folder, decided("accepted", "died", when="2031-01-01T00:00:00Z"), reviewer="Bob")
    summary, _ = apply(folder, bob, graph="out.ttl", to="then.ttl")
    assert len(summary.disagreements) == 1
    assert (folder / "then.ttl").read_bytes() == (folder / "out.ttl").read_bytes()


def test_a_person_may_decide_otherwise_later(folder):
    first = review(folder, decided("corrected", "died", correction={"label": "residence"}))
    apply(folder, first)
    later = review(folder, decided("accepted", "died", when="2030-01-02T06:04:05+02:00"), name="later")
    summary, rows = apply(folder, later, graph="out.ttl", to="then.ttl")
    assert summary.disagreements == []
    decisions = rows("?s rdf:subject ?o ; kgmrca:relationLabel ?l ; kgmrca:decision ?d", "l", "d")
    assert decisions == [("place of death", "accepted"), ("residence", "rejected")]
    assert not rows.has("<urn:curie> wdt:P551 ?o")
    # The earlier file changes nothing now.
    apply(folder, first, graph="then.ttl", to="again.ttl")
    assert (folder / "again.ttl").read_bytes() == (folder / "then.ttl").read_bytes()


def test_statements_that_the_graph_lacks_are_named(folder):
    path = review(folder, decided("accepted", "passy", "gone"), graph="another")
    result = CliRunner().invoke(
        app, ["apply-review", str(folder / "graph.ttl"), str(path), "-o", str(folder / "o.ttl")]
    )
    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == [
        "kgmrca: the review was made for another version of the graph: what both have was decided",
        "kgmrca: 1 statement of the review not in the graph:",
        "kgmrca:   urn:kgmrca:statement/gone",
    ]


def content(**changes):
    return {"format": "kgmrca review", "version": 1, "graph": DIGEST, "reviewer": "Ada", "decisions": []} | changes


def of(**changes):
    return content(decisions=[decided("accepted", "passy") | changes])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it is no review"),
        (content(version=2), "version 2 .* reads version 1"),
        (content(reviewer="  "), "the reviewer has no name"),
        (content(decisions={}), "'decisions' is not a list"),
        (content(graph=1), "'graph' is missing, or no text"),
        (of(decision="maybe"), "decision 1: 'decision' is 'maybe'"),
        (of(statements="urn:s"), "decision 1: 'statements' is not a list"),
        (of(statements=[]), "decision 1: 'statements' is not a list"),
        (of(time="yesterday"), "decision 1: 'time' is 'yesterday'"),
        (of(time="2030-01-02T03:04:05"), "no time zone"),
        (of(decision="corrected"), "a decision has a 'correction' if it is corrected"),
        (of(correction={"label": "x"}), "a decision has a 'correction' if it is corrected"),
        (of(decision="corrected", correction={"object": {"url": "x"}}), "'object' has one of the members"),
        (of(decision="corrected", correction={"object": {"name": " "}}), "the name of the 'object' is empty"),
        (of(decision="corrected", correction={"subject": {"value": "1"}}), "a subject is an entity"),
        (of(decision="corrected", correction={"object": {"iri": "urn:passy"}}), "says the same"),
        (of(decision="corrected", correction={"object": {"iri": "urn:no> <b"}}), "which the graph does not have"),
        (of(statements=["urn:another"]), "None of the statements of the review is in the graph"),
    ],
)
def test_what_cannot_be_used_is_refused(folder, written, message):
    path = folder / "review.json"
    path.write_text(written if isinstance(written, str) else json.dumps(written), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        apply_review(folder / "graph.ttl", [path], folder / "out.ttl")
    assert not (folder / "out.ttl").exists()


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_hostile_texts_stay_texts(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "graph.ttl").write_text(GRAPH, encoding="utf-8")
    path = folder / "review.json"
    correction = {"label": f"x{text}", "object": {"name": f"x{text}"}}
    decisions = [decided("corrected", "passy", correction=correction), decided("accepted", "born", note=text)]
    path.write_text(json.dumps(content(reviewer=f"x{text}", decisions=decisions)), encoding="utf-8")
    apply_review(folder / "graph.ttl", [path], folder / "out.ttl")
    rows = Rows(folder / "out.ttl")
    assert len(rows("?s prov:wasRevisionOf ?old ; rdf:object [ rdfs:label ?name ]", "name")) == 1
    assert len(rows("?p a prov:Person ; rdfs:label ?name", "name")) == 1


def corpus(folder, jsonl):
    result = CliRunner().invoke(app, ["corpus", str(jsonl), "-o", str(folder / "gold.spacy")])
    assert result.exit_code == 0, result.output
    return [
        (
            doc.text,
            [(ent.text, ent.label_) for ent in doc.ents],
            [(one.subject.text, one.label, one.object.text) for one in doc._.relations],
            sorted(exhaustively_annotated(doc)),
        )
        for doc in read_gold(folder / "gold.spacy", spacy.blank("en").vocab)
    ]


def test_decisions_are_training_data(folder):
    path = review(
        folder,
        decided("accepted", "born"),
        decided("rejected", "came"),
        decided("corrected", "died", correction={"label": "residence"}),
    )
    summary, _ = apply(folder, path, training_data=folder / "gold.jsonl")
    assert (summary.trained, summary.without_text) == (4, 0)
    ends = [("Marie Curie", "PERSON"), ("Warsaw", "GPE")]
    assert corpus(folder, folder / "gold.jsonl") == [
        (
            "Marie Curie was born in Warsaw.",
            ends,
            [("Marie Curie", "place of birth", "Warsaw"), ("Marie Curie", "residence", "Warsaw")],
            ["place of birth", "place of death", "residence"],
        ),
        ("Marie Curie came from Warsaw.", ends, [], ["place of birth"]),
    ]


def test_what_a_person_knows_from_elsewhere_is_not_learned_from_the_text(folder):
    path = review(
        folder,
        decided("corrected", "born", correction={"object": {"name": "Russian Empire"}}),
        decided("corrected", "passy", correction={"subject": {"name": "Irène Curie"}}),
        decided("corrected", "year", correction={"object": {"value": "1935"}}),
    )
    for graph in ("graph.ttl", "of-graph.ttl"):  # also where they are in the graph already
        apply(folder, path, graph=graph, to=f"of-{graph}", training_data=folder / "gold.jsonl")
        place, year = [("Marie Curie", "PERSON"), ("Warsaw", "GPE")], [("She", "PERSON"), ("1934", "TIME")]
        assert corpus(folder, folder / "gold.jsonl") == [
            ("Marie Curie was born in Warsaw.", place, [], ["place of birth"]),
            # "She" is Irène Curie here, as the person has read it.
            (
                "She died in Passy in 1934.",
                [("She", "PERSON"), ("Passy", "GPE")],
                [("She", "place of death", "Passy")],
                ["place of death"],
            ),
            ("She died in Passy in 1934.", year, [], ["date of death"]),
        ]


def test_texts_come_from_where_convert_saved_them(folder):
    (folder / "graph.ttl").write_text(re.sub(r'kgmrca:sentenceText "[^"]*" ;', "", GRAPH), encoding="utf-8")
    path = review(folder, decided("accepted", "passy"))
    with pytest.raises(InputError, match="--save-text"):
        apply(folder, path, training_data=folder / "gold.jsonl")
    (folder / "texts").mkdir()
    (folder / "texts" / "0123456789abcdef0123.txt").write_text(TEXT, encoding="utf-8")
    apply(folder, path, training_data=folder / "gold.jsonl", texts=folder / "texts")
    assert corpus(folder, folder / "gold.jsonl") == [
        (
            "She died in Passy in 1934.",
            [("She", "PERSON"), ("Passy", "GPE")],
            [("She", "place of death", "Passy")],
            ["place of death"],
        )
    ]


CHECKS = "".join(
    f"<urn:c/{name}> a kgmrca:Check ; kgmrca:checked <urn:kgmrca:statement/{name}> ; kgmrca:verdict 'new' .\n"
    for name in ("died", "passy", "year")
)


def test_diff_exports_what_was_accepted_and_never_what_was_rejected(folder):
    apply(folder, review(folder, decided("accepted", "passy"), decided("rejected", "died")))
    (folder / "checks.ttl").write_text(PREFIXES + CHECKS, encoding="utf-8")
    graphs = [str(folder / "out.ttl"), str(folder / "checks.ttl")]
    table = folder / "new.tsv"
    assert CliRunner().invoke(app, ["diff", *graphs, "-o", str(table)]).exit_code == 0
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    assert [(row[0], row[7]) for row in rows] == [("", "1934"), ("x", "Passy")]
    result = CliRunner().invoke(app, ["diff", *graphs, "--quickstatements", "-"])
    assert (result.exit_code, result.stdout) == (0, "Q7186\tP20\tQ1365609\n")
    without = [str(folder / "graph.ttl"), str(folder / "checks.ttl")]
    result = CliRunner().invoke(app, ["diff", *without, "--quickstatements", "-"])
    assert (result.exit_code, "No new fact was accepted" in result.stderr) == (2, True)


def test_a_review_is_read_as_it_was_written(folder):
    found = read_review(
        review(folder, decided("accepted", "passy", when="2030-01-02T03:04:05.123Z"), reviewer=" Ada  L ")
    )
    assert [(one.reviewer, one.time) for one in found.decisions] == [("Ada L", WHEN)]
