import io
import itertools
import os
import re
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse
from rdflib import Dataset

from kgmrca.buckets import Store
from kgmrca.errors import InputError, OutputError
from kgmrca.graph.merging import merge as module
from kgmrca.graph.merging.entities import write_triples
from kgmrca.graph.merging.inputs import merge_inputs
from kgmrca.graph.merging.merge import merge
from kgmrca.graph.merging.rows import distribute_input
from kgmrca.ontology import load_properties
from kgmrca.resources import resource
from kgmrca.triples.formats import FORMATS, PROVENANCE, format_of, write
from kgmrca.triples.iris import DEFAULT_BASE, Iris, mention_iri
from kgmrca.triples.read import read_rdf
from kgmrca.triples.records import Mention, Statement, sentence_digest
from kgmrca.triples.write import document_triples

IRIS = Iris()
KGMRCA = "https://w3id.org/kgmrca#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"
SKOS_OTHER = "http://www.w3.org/2004/02/skos/core#altLabel"
EXACT_MATCH = "http://www.w3.org/2004/02/skos/core#exactMatch"
DIGEST = "0123456789abcdef0123"
WD = "http://www.wikidata.org/entity/"
WDT = "http://www.wikidata.org/prop/direct/"
XSD = "http://www.w3.org/2001/XMLSchema#"
TYPES = {
    "Curie": "PERSON",
    "Marie Curie": "PERSON",
    "John Smith": "PERSON",
    "Smith": "PERSON",
    "Warsaw": "GPE",
    "Poland": "GPE",
    "1867": "DATE",
}
SHAPES = [(name, format) for name in PROVENANCE if name != "none" for format in sorted(PROVENANCE[name])]


def said(
    document, subject, label, object_, confidence="0.9", *, sentence=None, run=None, at=0, iris=IRIS, digest=DIGEST
):
    """A statement of a document. A subject or object with an item is written `name=Q1`; "" as a digest: as of old."""
    iri = iris.document(document, digest) if digest else f"{iris.base}document/{document}"

    def mention(name, start):
        text = name.partition("=")[0]
        end = start + len(text)
        return Mention(mention_iri(iri, start, end), start, end, text, TYPES.get(text, "GPE"))

    def resource(name):
        text, _, item = name.partition("=")
        return WD + item if item else iris.entity(iri, text)

    is_literal = object_[0].isdigit()
    datatype = XSD + ["gYear", "gYearMonth", "date"][object_.count("-")] if is_literal else None
    mentions = mention(subject, at), mention(object_, at + 20)
    value = object_ if is_literal else resource(object_)
    predicate = label if ":" in label else WDT + label
    return Statement(
        iri=iris.statement(resource(subject), predicate, value, mentions[0].iri, mentions[1].iri),
        subject=resource(subject),
        predicate=predicate,
        object=value,
        object_is_literal=is_literal,
        object_datatype=datatype,
        label=label,
        confidence=Decimal(confidence),
        document=iri,
        subject_mention=mentions[0],
        object_mention=mentions[1],
        sentence=Mention(mention_iri(iri, at, at + 50), at, at + 50, ""),
        sentence_digest=sentence_digest(sentence or f"{document} {at}"),
        run=iris.run(run) if run else None,
    )


def graph(*parts, provenance="statements"):
    """Quads of statements, which come with their documents, and any others."""
    statements = [part for part in parts if isinstance(part, Statement)]
    quads = [part for part in parts if not isinstance(part, Statement)]
    for document, found in itertools.groupby(statements, key=lambda one: one.document):
        name = document.removeprefix(f"{DEFAULT_BASE}document/").partition("@")[0]
        quads += document_triples(document, name, found, base=DEFAULT_BASE, provenance=provenance)
    return quads


def link(entity, item, predicate=SAME_AS):
    return Triple(NamedNode(entity), NamedNode(predicate), NamedNode(WD + item))


def entity(document, name):
    return IRIS.entity(IRIS.document(document, DIGEST), name)


def file(folder, quads, name="graph.nq"):
    path = Path(folder, name)
    with path.open("wb") as out:
        write(quads, out, format=format_of(path), base=DEFAULT_BASE)
    return path


def merged(*graphs, format="ntriples", **options):
    """The bytes of the graphs merged; a graph is quads, or bytes that were merged before."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, one in enumerate(graphs):
            paths.append(Path(folder, f"{number}.nq"))
            paths[-1].write_bytes(one if isinstance(one, bytes) else lines(one))
        out = io.BytesIO()
        merge(paths, out, format=format, **options)
        return out.getvalue()


def lines(quads):
    return "".join(f"{quad} .\n" for quad in quads).encode()


def about(data, kind):
    """What is derived of a kind: for each node its properties by their short names, several as sorted lists."""
    nodes = {}
    for quad in parse(data, RdfFormat.N_QUADS):
        name = quad.predicate.value.rpartition("#")[2]
        nodes.setdefault(quad.subject.value, {}).setdefault(name, []).append(quad.object.value)
    return [
        {name: sorted(values) if len(values) > 1 else values[0] for name, values in node.items() if name != "type"}
        for node in nodes.values()
        if node.get("type") == [KGMRCA + kind]
    ]


# Properties that hold for any graphs

any_graphs = settings(max_examples=int(os.environ.get("KGMRCA_EXAMPLES", 25)))

names = st.sampled_from(["Marie Curie", "marie  curie", "Curie", "Warsaw", "Poland", "Warsaw=Q270", "Warsaw=Q579978"])
statements = st.builds(
    said,
    st.sampled_from("abc"),
    names,
    st.sampled_from(["P19", "P27", "P569", "urn:x:p"]),
    names | st.sampled_from(["1867", "1867-11-07", "1868"]),
    st.sampled_from(["0.25", "0.5", "0.9", "1"]),
    sentence=st.none() | st.sampled_from(["One.", "Two."]),
    run=st.none() | st.sampled_from("rs"),
    at=st.sampled_from([0, 100]),
)
others = st.builds(
    link,
    st.builds(entity, st.sampled_from("abc"), st.sampled_from(["Warsaw", "Marie Curie"])),
    st.sampled_from(["Q270", "Q579978", "Q7186"]),
    st.sampled_from([SAME_AS, EXACT_MATCH, f"{KGMRCA}item"]),
) | st.builds(
    Triple,
    st.builds(entity, st.sampled_from("abc"), names).map(NamedNode),
    st.just(NamedNode(f"{RDFS}label")),
    st.sampled_from([Literal("Varsovie", language="fr"), Literal('Big "W"\t\\'), Literal("warsaw")]),
)
graphs = st.builds(
    lambda parts, provenance: graph(*parts, provenance=provenance),
    st.lists(statements | others, max_size=6),
    st.sampled_from(sorted(PROVENANCE)),
)


@any_graphs
@given(graphs, graphs)
def test_the_order_of_the_graphs_makes_no_difference(one, other):
    assert merged(one, other) == merged(other, one)


@any_graphs
@given(graphs, graphs, graphs)
def test_the_steps_make_no_difference(one, two, three):
    at_once = merged(one, two, three)
    assert merged(merged(one, two), three) == at_once
    assert merged(one, merged(two, three)) == at_once


@any_graphs
@given(graphs)
def test_merging_twice_changes_nothing(one):
    once = merged(one)
    assert merged(one, one) == once
    assert merged(once) == once
    assert merged(once, one) == once


@any_graphs
@given(graphs, graphs, st.integers(1, 3))
def test_the_number_of_buckets_makes_no_difference(one, other, largest):
    usual = merged(one, other, max_cluster=largest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BYTES_A_BUCKET", 500)
        patch.setattr("kgmrca.buckets._MOST_IN_MEMORY", 1000)
        assert merged(one, other, max_cluster=largest) == usual


@any_graphs
@given(graphs, graphs, st.sampled_from(SHAPES))
def test_every_shape_and_format_says_the_same(one, other, shape):
    provenance, format = shape
    found = merged(one, other, format=format, provenance=provenance)
    again = "".join(f"{quad} .\n" for quad in parse(found, FORMATS[format]))
    assert merged(again.encode()) == merged(one, other)


@any_graphs
@given(graphs, graphs)
def test_every_statement_and_triple_is_kept(one, other):
    kept = set(read_rdf(io.BytesIO(merged(one, other)), format="ntriples"))
    for source in (one, other):
        for found in read_rdf(io.BytesIO(lines(source)), format="nquads"):
            if isinstance(found, Quad):
                assert found in kept
            else:
                same = [one for one in kept if isinstance(one, Statement) and one.iri == found.iri]
                assert found.run is None or found.run in {one.run for one in same}
                assert {one.confidence for one in same} >= {max(found.confidence, same[0].confidence)}


@any_graphs
@given(graphs)
def test_no_cluster_has_two_items(one):
    assert all(not isinstance(cluster.get("item"), list) for cluster in about(merged(one), "Cluster"))


def test_terms_of_ours_are_defined():
    vocabulary = {quad.subject for quad in parse(path=resource("ontologies/kgmrca.ttl"), format=RdfFormat.TURTLE)}
    items = [said(document, f"Warsaw={item}", "P17", "Poland") for document, item in (("c", "Q270"), ("d", "Q579978"))]
    data = merged(graph(*items, said("a", "Warsaw", "P17", "Poland"), link(entity("b", "Paris"), "Q90")))
    terms = {term for quad in parse(data, RdfFormat.N_TRIPLES) for term in (quad.predicate, quad.object)}
    used = {term for term in terms if isinstance(term, NamedNode) and term.value.startswith(KGMRCA)}
    assert {NamedNode(f"{KGMRCA}{name}") for name in ("Fact", "Cluster", "item", "Conflict")} <= used <= vocabulary


@pytest.mark.parametrize("iri", ["http://example.org/1", "urn:x:mystatement/1"])
@pytest.mark.parametrize("predicate", ["http://example.org/ns#100%25", f"{WDT}P19"])
def test_statements_of_others_have_any_iri(iri, predicate):
    other = replace(said("a", "Marie Curie", "P19", "Warsaw"), iri=iri, predicate=predicate)
    data = merged(graph(other), provenance="wikidata")
    (found,) = (one for one in read_rdf(io.BytesIO(data), format="ntriples") if isinstance(one, Statement))
    assert (found.iri, found.subject, found.predicate) == (iri, other.subject, predicate)


@pytest.mark.parametrize("base", ["http://example.org/0.5/", "http://example.org/0.50/1867/", "urn:v0.5:"])
@pytest.mark.parametrize(("provenance", "format"), SHAPES)
def test_a_base_with_numbers_in_it_is_a_base_like_any_other(base, provenance, format):
    iris = Iris(base)
    found = [
        said("0.5", "Marie Curie", label, object_, "0.5", run="0.5", iris=iris)
        for label, object_ in (("P19", "Warsaw"), ("P569", "1867"), (f"{base}relation/at0.5", "Warsaw"))
    ]
    document = found[0].document
    data = merged(
        list(document_triples(document, "0.5", found, base=base)), base=base, provenance=provenance, format=format
    )
    kept = [one for one in read_rdf(io.BytesIO(data), format=format) if isinstance(one, Statement)]
    told = read_rdf(io.BytesIO(lines(document_triples(document, "0.5", found, base=base))), format="nquads")
    assert set(kept) == {one for one in told if isinstance(one, Statement)}
    assert len(kept) == 3


# Facts


def test_a_fact_has_its_evidence():
    one = said("a", "Marie Curie", "P19", "Warsaw", "0.5")
    other = said("b", "Marie Curie", "P19", "Warsaw", "0.36")
    (fact,) = about(merged(graph(one), graph(other)), "Fact")
    assert fact["evidence"] == sorted([one.iri, other.iri])
    assert fact["confidence"] == "0.6"
    assert fact["predicate"] == f"{WDT}P19"


def test_copies_of_a_sentence_count_once():
    copies = [said(document, "Marie Curie", "P19", "Warsaw", "0.5", sentence="As copied.") for document in "ab"]
    (fact,) = about(merged(graph(*copies)), "Fact")
    assert (fact["confidence"], len(fact["evidence"])) == ("0.5", 2)


def test_subject_and_object_of_a_fact_are_clusters():
    statements = [said(document, "Marie Curie", "P19", "Warsaw") for document in "ab"]
    (fact,) = about(merged(graph(*statements)), "Fact")
    assert fact["subject"] == IRIS.cluster("PER", "marie curie")
    assert fact["object"] == IRIS.cluster("LOC", "warsaw")


def test_the_subject_of_a_fact_is_the_node_of_its_cluster():
    data = merged(graph(*(said(document, "Marie Curie", "P569", "1867") for document in "ab")))
    nodes = {quad.subject.value for quad in parse(data, RdfFormat.N_TRIPLES) if quad.object.value == f"{KGMRCA}Cluster"}
    (fact,) = about(data, "Fact")
    assert nodes == {fact["subject"]}


def test_the_cluster_of_an_item_has_an_iri_made_of_it():
    data = merged([link("urn:x:a", "Q270")])
    nodes = {quad.subject.value for quad in parse(data, RdfFormat.N_TRIPLES) if quad.object.value == f"{KGMRCA}Cluster"}
    assert nodes == {IRIS.cluster(f"{WD}Q270")}


def test_a_fact_names_entities_themselves_if_they_are_in_no_cluster():
    (fact,) = about(merged(graph(one := said("a", "Marie Curie", "P19", "Warsaw"))), "Fact")
    assert (fact["subject"], fact["object"]) == (one.subject, one.object)


def test_a_literal_stays_as_it_is():
    (fact,) = about(merged(graph(said("a", "Marie Curie", "P569", "1867"))), "Fact")
    assert fact["object"] == "1867"


def test_a_statement_found_again_keeps_its_highest_confidence_and_all_runs():
    found = [
        said("a", "Marie Curie", "P19", "Warsaw", confidence, run=run)
        for confidence, run in (("0.5", "r"), ("0.9", "s"), ("0.25", "r"))
    ]
    data = merged(*map(graph, found))
    statements = [one for one in read_rdf(io.BytesIO(data), format="ntriples") if isinstance(one, Statement)]
    assert {one.confidence for one in statements} == {Decimal("0.9")}
    assert {one.run for one in statements} == {IRIS.run("r"), IRIS.run("s")}


@pytest.mark.parametrize("confidence", ["0.1", "0.95"])
def test_the_text_of_a_sentence_stays_with_its_digest(confidence):
    plain = said("a", "Marie Curie", "P19", "Warsaw", "0.9")
    told = replace(
        plain, confidence=Decimal(confidence), sentence=replace(plain.sentence, text="Text."), sentence_digest="0" * 16
    )
    with_text = document_triples(told.document, "a", [told], base=DEFAULT_BASE, text=True)
    data = merged(graph(plain), list(with_text))
    (statement,) = (one for one in read_rdf(io.BytesIO(data), format="ntriples") if isinstance(one, Statement))
    assert (statement.sentence.text, statement.sentence_digest) == ("Text.", "0" * 16)
    assert statement.confidence == max(plain.confidence, told.confidence)


def in_two_sentences(one, *texts):
    """The statement, read in two sentences, of which the object's comes later."""
    places = ((0, 50), (60, 99))
    spans = [
        Mention(mention_iri(one.document, *place), *place, text) for place, text in zip(places, texts, strict=True)
    ]
    return replace(one, sentence=spans[0], object_sentence=spans[1], sentence_digest=sentence_digest(" ".join(texts)))


def test_two_sentences_are_kept_with_their_texts_and_their_digest():
    told = in_two_sentences(said("a", "Marie Curie", "P19", "Warsaw"), "Curie was young.", "She left Warsaw.")
    data = merged(list(document_triples(told.document, "a", [told], base=DEFAULT_BASE, text=True)), format="nquads")
    (found,) = (one for one in read_rdf(io.BytesIO(data), format="nquads") if isinstance(one, Statement))
    assert (found.sentence, found.object_sentence) == (told.sentence, told.object_sentence)
    assert found.sentence_digest == told.sentence_digest


def test_a_reading_with_two_sentences_is_better_than_one_with_the_subject_s_only():
    plain = said("a", "Marie Curie", "P19", "Warsaw")
    for digest in ("0" * 16, "f" * 16):
        told = in_two_sentences(plain, "", "")
        data = merged(graph(replace(plain, sentence_digest=digest)), graph(told))
        (found,) = (one for one in read_rdf(io.BytesIO(data), format="ntriples") if isinstance(one, Statement))
        assert (found.object_sentence, found.sentence_digest) == (told.object_sentence, told.sentence_digest)


def test_copies_of_two_sentences_count_once():
    found = [
        in_two_sentences(said(document, "Marie Curie", "P19", "Warsaw", "0.5"), "Curie was young.", last)
        for document, last in (("a", "She left Warsaw."), ("b", "She left Warsaw."), ("c", "She left."))
    ]
    confidences = [about(merged(graph(*some)), "Fact")[0]["confidence"] for some in (found[:2], found[1:])]
    assert confidences == ["0.5", "0.6464"]


def test_two_statements_of_one_iri_are_an_error():
    one = said("a", "Marie Curie", "P19", "Warsaw")
    with pytest.raises(InputError, match=f"use <{one.iri}> for two statements"):
        merged(graph(one), graph(replace(one, predicate=f"{WDT}P20")))


# Clusters

BOTH = [said(document, "Warsaw", "P17", "Poland") for document in "ab"]
WARSAWS = sorted([entity("a", "Warsaw"), entity("b", "Warsaw")])


def clusters(*parts, **options):
    """The clusters, without that of Poland."""
    return [one for one in about(merged(graph(*parts), **options), "Cluster") if one.get("label") != "Poland"]


def test_a_name_makes_a_cluster():
    assert clusters(*BOTH) == [{"label": "Warsaw", "entityType": "LOC", "member": WARSAWS}]


def test_the_most_frequent_form_of_the_name_is_its_label():
    assert clusters(*BOTH, said("c", "WARSAW", "P17", "Poland"))[0]["label"] == "Warsaw"


def test_an_entity_without_a_partner_has_no_cluster():
    assert clusters(BOTH[0]) == []


def test_a_person_of_one_word_has_no_cluster():
    assert clusters(*(said(document, "Curie", "P19", "Poland") for document in "ab")) == []


@pytest.mark.parametrize("predicate", [SAME_AS, EXACT_MATCH, f"{KGMRCA}item"])
def test_a_link_joins_with_the_item(predicate):
    (cluster,) = clusters(BOTH[0], link(WARSAWS[0], "Q270", predicate), link(entity("a", "Poland"), "Q36"))[:1]
    (fact,) = about(merged(graph(BOTH[0], link(BOTH[0].subject, "Q270", predicate))), "Fact")
    assert (cluster["item"], fact["subject"]) == (f"{WD}Q270", f"{WD}Q270")


def test_the_item_of_one_is_the_item_of_all_with_its_name():
    (cluster,) = clusters(*BOTH, link(WARSAWS[0], "Q270"))
    assert (cluster["item"], cluster["member"]) == (f"{WD}Q270", WARSAWS)


def test_an_entity_that_is_an_item_gives_it_to_its_name():
    (cluster,) = clusters(BOTH[0], said("b", "Warsaw=Q270", "P17", "Poland"))
    assert (cluster["item"], cluster["member"]) == (f"{WD}Q270", entity("a", "Warsaw"))


def test_an_item_alone_is_no_cluster():
    assert clusters(*(said(document, "Warsaw=Q270", "P17", "Poland") for document in "ab")) == []


def test_entities_with_different_items_stay_apart():
    found = clusters(*BOTH, link(WARSAWS[0], "Q270"), link(WARSAWS[1], "Q579978"))
    assert sorted((one["item"], one["member"]) for one in found) == [
        (f"{WD}Q270", WARSAWS[0]),
        (f"{WD}Q579978", WARSAWS[1]),
    ]


def test_names_of_one_entity_lead_to_one_cluster():
    named = Triple(NamedNode(WARSAWS[0]), NamedNode(f"{RDFS}label"), Literal("Varsovie"))
    french = said("c", "Varsovie", "P17", "Poland")
    assert clusters(*BOTH, named, french)[0]["member"] == sorted([*WARSAWS, french.subject])


def labelled(entity, *labels):
    return [Triple(NamedNode(entity), NamedNode(f"{RDFS}label"), Literal(label)) for label in labels]


def test_another_name_of_an_entity_joins_nothing_and_is_kept():
    other = Triple(NamedNode(WARSAWS[0]), NamedNode(SKOS_OTHER), Literal("Capital"))
    data = merged(graph(*BOTH, other, said("c", "Capital", "P17", "Poland")))
    (cluster,) = (one for one in about(data, "Cluster") if one["label"] == "Warsaw")
    assert cluster["member"] == WARSAWS
    assert str(other) in data.decode()


def namesakes(one, other):
    predicate = NamedNode(f"{KGMRCA}namesake")
    return [Triple(NamedNode(a), predicate, NamedNode(b)) for a, b in ((one, other), (other, one))]


def two_of_one_name():
    """Document a has two Warsaws, b and c one each."""
    one, other = said("a", "Warsaw", "P17", "Poland"), said("a", "Warsaw", "P17", "Poland", at=100)
    second = replace(other, subject=f"{DEFAULT_BASE}entity/second")
    return second.subject, [
        one,
        second,
        *namesakes(one.subject, second.subject),
        BOTH[1],
        said("c", "Warsaw", "P17", "Poland"),
    ]


def test_two_entities_of_one_name_in_a_document_are_joined_by_it_with_none():
    second, parts = two_of_one_name()
    (cluster,) = clusters(*parts)
    assert cluster["member"] == sorted([entity("b", "Warsaw"), entity("c", "Warsaw")])
    facts = [one["subject"] for one in about(merged(graph(*parts)), "Fact")]
    assert {entity("a", "Warsaw"), second} < set(facts)


def test_namesakes_that_are_linked_are_joined_with_their_items():
    second, parts = two_of_one_name()
    links = [link(entity("a", "Warsaw"), "Q270"), link(second, "Q579978")]
    assert sorted(one["item"] for one in clusters(*parts, *links)) == [f"{WD}Q270", f"{WD}Q579978"]
    assert [one["conflictKind"] for one in conflicts(*parts, *links)] == ["ambiguous name"]


def test_a_namesake_is_not_joined_with_the_item_of_the_other():
    second, parts = two_of_one_name()
    (cluster,) = clusters(*parts, link(entity("a", "Warsaw"), "Q270"))
    assert second not in cluster["member"]


def test_a_cluster_has_the_name_of_its_first_entity_if_no_form_is_more_frequent():
    forms = dict(zip(WARSAWS, ["warsaw", "WARSAW"], strict=True))
    quads = [quad for iri, form in forms.items() for quad in labelled(iri, form)]
    types = [Triple(NamedNode(iri), NamedNode(f"{KGMRCA}entityType"), Literal("GPE")) for iri in forms]
    (cluster,) = about(merged([*quads, *types]), "Cluster")
    assert (cluster["label"], cluster["member"]) == ("warsaw", WARSAWS)


def test_of_several_forms_of_a_name_an_entity_has_the_smallest():
    assert clusters(*BOTH, *labelled(WARSAWS[0], "WARSAW", "warsaw"), *labelled(WARSAWS[1], "WARSAW"))[0]["label"] == (
        "WARSAW"
    )


def test_a_link_gives_the_smallest_name_of_the_entity():
    assert clusters(BOTH[0], link(BOTH[0].subject, "Q270"), *labelled(BOTH[0].subject, "A", "Z"))[0]["label"] == "A"


def test_an_entity_without_name_and_type_is_linked_too():
    (cluster,) = about(merged([link("urn:x:a", "Q270")]), "Cluster")
    assert cluster == {"item": f"{WD}Q270", "member": "urn:x:a"}


def test_a_cluster_has_all_types_of_its_entities():
    type_ = Triple(NamedNode(WARSAWS[0]), NamedNode(f"{KGMRCA}entityType"), Literal("PERSON"))
    links = [link(one, "Q270") for one in WARSAWS]
    assert clusters(*BOTH, type_, *links)[0]["entityType"] == ["LOC", "PER"]


def test_an_entity_of_several_types_is_joined_by_no_name():
    type_ = Triple(NamedNode(WARSAWS[0]), NamedNode(f"{KGMRCA}entityType"), Literal("PERSON"))
    assert clusters(*BOTH, type_) == []


def test_a_link_to_something_that_is_no_item_is_no_link():
    elsewhere = [Triple(NamedNode(one), NamedNode(SAME_AS), NamedNode("http://example.org/Q1")) for one in WARSAWS]
    property_ = Triple(NamedNode(WARSAWS[0]), NamedNode(SAME_AS), NamedNode(f"{WD}P19"))
    assert clusters(*BOTH, *elsewhere, property_) == clusters(*BOTH)


def test_links_by_two_predicates_to_one_item_are_one_link():
    links = [link(WARSAWS[0], "Q270", predicate) for predicate in (SAME_AS, EXACT_MATCH)]
    data = merged(graph(*BOTH, *links))
    assert about(data, "Conflict") == []
    assert clusters(*BOTH, *links)[0]["member"] == WARSAWS


def test_an_item_that_says_it_is_the_same_as_itself_is_no_cluster():
    assert about(merged([link(f"{WD}Q270", "Q270")]), "Cluster") == []


def test_an_item_that_is_the_same_as_another_is_a_conflict():
    (conflict,) = about(merged([link(f"{WD}Q270", "Q579978")]), "Conflict")
    assert conflict["conflictKind"] == "several items"
    assert conflict["conflicting"] == [f"{WD}Q270", f"{WD}Q579978"]


def test_names_with_escapes_are_compared_as_texts():
    names_ = ['Hotel\t"Bristol"', 'hotel  "bristol"']  # a tab is written as an escape
    found = clusters(*(said(document, name, "P17", "Poland") for document, name in zip("ab", names_, strict=True)))
    assert (len(found), len(found[0]["member"])) == (1, 2)


def test_an_entity_with_two_names_and_no_partner_has_no_cluster():
    named = labelled(WARSAWS[0], "Varsovie")
    assert clusters(BOTH[0], *named) == []


# Conflicts


def conflicts(*parts, **options):
    return about(merged(graph(*parts), **options), "Conflict")


def test_a_name_of_two_items_is_a_conflict():
    items = [said(document, f"Warsaw={item}", "P17", "Poland") for document, item in (("c", "Q270"), ("d", "Q579978"))]
    (conflict,) = conflicts(*BOTH, *items)
    assert conflict["conflictKind"] == "ambiguous name"
    assert conflict["conflicting"] == sorted([*WARSAWS, f"{WD}Q270", f"{WD}Q579978"])
    assert clusters(*BOTH, *items) == []


def test_an_entity_of_two_items_is_a_conflict_and_stays_apart():
    links = [link(WARSAWS[0], "Q270"), link(WARSAWS[0], "Q579978")]
    (conflict,) = conflicts(*BOTH, *links)
    assert conflict["conflictKind"] == "several items"
    assert conflict["comment"] == f"{WARSAWS[0]} is linked to 2 items, so it was not joined with any of them."
    assert conflict["conflicting"] == sorted([WARSAWS[0], f"{WD}Q270", f"{WD}Q579978"])
    assert clusters(*BOTH, *links) == []


def test_too_many_of_one_name_are_a_conflict_and_stay_apart():
    many = [said(document, "Warsaw", "urn:x:p", "1867") for document in "abc"]
    (conflict,) = conflicts(*many, max_cluster=2)
    assert (conflict["conflictKind"], len(conflict["conflicting"])) == ("large cluster", 3)
    assert clusters(*many, max_cluster=2) == []
    assert len(clusters(*many, max_cluster=3)) == 1


def test_several_objects_of_a_predicate_that_has_one_are_a_conflict():
    statements = [said("a", "Marie Curie", "P569", "1867"), said("b", "Marie Curie", "P569", "1868")]
    data = merged(graph(*statements))
    (conflict,) = about(data, "Conflict")
    assert conflict["conflictKind"] == "several objects"
    assert conflict["comment"] == (
        f"{WDT}P569 takes one value, and {IRIS.cluster('PER', 'marie curie')} has 2 of them."
        " Not all of them are right, or the cluster has entities that are different things."
    )
    facts = [quad.subject.value for quad in parse(data, RdfFormat.N_TRIPLES) if quad.object.value == f"{KGMRCA}Fact"]
    assert conflict["conflicting"] == sorted(facts)


def test_conflicts_of_a_subject_are_in_the_order_of_their_predicates():
    single = [iri for iri, known in load_properties().items() if known.single_valued]
    years = ("1867", "1934")
    found = [said("a", "Marie Curie", iri, year) for iri in sorted(single, reverse=True) for year in years]
    kinds = re.findall(r"(http\S+) takes one value, and", merged(graph(*found)).decode())
    assert len(single) > 5
    assert kinds == sorted(single)
    assert summary_of(*found).conflicts == {"several objects": len(single)}


def test_only_facts_that_contradict_another_are_conflicting():
    dates = ["1867", "1867-11-07", "1867-11-08"]
    data = merged(graph(*(said("a", "Marie Curie", "P569", date) for date in dates)))
    (conflict,) = about(data, "Conflict")
    assert "has 2 of them" in conflict["comment"]
    objects = {fact["object"] for fact in about(data, "Fact")}
    assert (len(conflict["conflicting"]), objects) == (2, set(dates))


def test_a_conflict_says_how_many_have_the_name():
    many = [said(document, "Warsaw", "urn:x:p", "1867") for document in "abc"]
    assert conflicts(*many, max_cluster=2)[0]["comment"] == (
        "3 entities have the name 'warsaw' (LOC), more than --max-cluster allows, so they were not joined."
    )


@pytest.mark.parametrize(
    ("n_entities", "reason"),
    [
        (0, "."),
        (1, ", so the entity with this name was not joined."),
        (2, ", so the 2 entities with this name were not joined."),
    ],
)
def test_a_conflict_says_that_several_items_have_the_name(n_entities, reason):
    items = [said("x", "Warsaw=Q270", "urn:x:p", "1867"), said("y", "Warsaw=Q579978", "urn:x:p", "1867")]
    others = [said(document, "Warsaw", "urn:x:p", "1867") for document in "ab"[:n_entities]]
    (conflict,) = conflicts(*items, *others)
    assert conflict["comment"] == f"Several items have the name 'warsaw' (LOC){reason}"


@pytest.mark.parametrize(
    ("spellings", "kept"),
    [
        (("0.5", "5.0E-1", "+0.50"), ["0.5"]),
        (("1.0E0", "1"), ["1"]),
        (("INF", "NaN", "1_0", "1e999"), ["1_0", "1e999", "INF", "NaN"]),
        (("0.5", "0.25"), ["0.25", "0.5"]),
    ],
)
def test_spellings_of_a_double_in_metadata_are_one_value(spellings, kept):
    document, score = NamedNode("urn:d"), NamedNode("urn:kgmrca:meta/score")
    form = NamedNode(f"{XSD}double")
    graphs = [[Triple(document, score, Literal(spelling, datatype=form))] for spelling in spellings]
    found = [quad.object for quad in parse(merged(*graphs), RdfFormat.N_TRIPLES) if quad.predicate == score]
    assert sorted(literal.value for literal in found) == kept
    assert {literal.datatype for literal in found} == {form}


def summary_of(*parts):
    with tempfile.TemporaryDirectory() as folder:
        return merge(file(folder, graph(*parts)), io.BytesIO())


def test_a_fact_is_attested_if_several_documents_say_it():
    twice = [said("a", "Warsaw=Q270", "P17", "Poland=Q36", at=at) for at in (0, 100)]
    assert (summary_of(*twice).statements, summary_of(*twice).facts, summary_of(*twice).attested) == (2, 1, 0)
    again = said("b", "Warsaw=Q270", "P17", "Poland=Q36")
    third = said("c", "Warsaw=Q270", "P17", "Poland=Q36")
    assert (summary_of(*twice, again, third).facts, summary_of(*twice, again, third).attested) == (1, 1)


def test_dates_that_agree_are_no_conflict():
    dates = ["1867", "1867-11", "1867-11-07"]
    assert conflicts(*(said("a", "Marie Curie", "P569", date) for date in dates)) == []


def test_several_objects_of_another_predicate_are_no_conflict():
    assert conflicts(*(said("a", "Marie Curie", "P27", name) for name in ("Poland", "Warsaw"))) == []


def test_objects_of_one_cluster_are_no_conflict():
    assert conflicts(*(said(document, "Marie Curie", "P19", "Warsaw") for document in "ab")) == []


# What is read and written


def test_facts_and_clusters_of_an_earlier_merge_are_derived_again():
    first = merged(graph(BOTH[0]), graph(said("b", "Warsaw=Q270", "P17", "Poland")))
    assert f"{KGMRCA}Cluster".encode() in first
    apart = merged(first, graph(said("c", "Warsaw=Q579978", "P17", "Poland")))
    assert [one["conflictKind"] for one in about(apart, "Conflict")] == ["ambiguous name"]
    assert all("Q270" not in str(one) for one in about(apart, "Cluster"))


@pytest.mark.parametrize(("provenance", "format"), [shape for shape in SHAPES if shape[0] != "rdf12"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_rdflib_reads_what_is_written(provenance, format):
    data = merged(graph(*BOTH), format=format, provenance=provenance)
    dataset = Dataset()
    target = dataset.default_graph if format in ("turtle", "ntriples", "rdfxml") else dataset
    target.parse(data=data, format={"ntriples": "nt", "rdfxml": "xml", "jsonld": "json-ld"}.get(format, format))
    assert len(set(dataset.quads())) == len(list(parse(data, FORMATS[format])))


def test_turtle_has_its_prefixes_once(monkeypatch):
    monkeypatch.setattr(module, "_BYTES_A_BUCKET", 500)
    data = merged(graph(*BOTH), format="turtle").decode()
    assert data.count("@prefix kgmrca:") == 1
    assert data.startswith("@prefix")
    assert "\n\tkgmrca:confidence 0.9 ;" in data


def test_other_triples_are_kept_also_in_named_graphs():
    plain = Quad(NamedNode("urn:a"), NamedNode("urn:b"), Literal('"\t\n\\ \u00e9', language="fr"))
    named = Quad(NamedNode("urn:a"), NamedNode("urn:b"), Literal("x"), NamedNode("urn:g"))
    assert merged([named, plain, named], format="nquads") == f"{plain} .\n{named} .\n".encode()


def test_a_named_graph_needs_a_format_for_it():
    named = Quad(NamedNode("urn:a"), NamedNode("urn:b"), Literal("x"), NamedNode("urn:g"))
    with pytest.raises(
        InputError, match=r"0\.nq: a triple is in the graph <urn:g>, .* choose jsonld or nquads or trig"
    ):
        merged([named], format="turtle")


def test_a_triple_term_needs_a_format_for_it():
    term = Triple(NamedNode("urn:a"), NamedNode("urn:b"), NamedNode("urn:c"))
    quad = Quad(NamedNode("urn:a"), NamedNode("urn:b"), term)
    assert merged([quad]) == f"{quad} .\n".encode()
    with pytest.raises(InputError, match=r"0\.nq: .* RDF 1.2"):
        merged([quad], format="rdfxml")


def test_a_blank_node_is_an_error():
    with pytest.raises(InputError, match=r"0\.nq: .*blank node"):
        merged([Quad(BlankNode("x"), NamedNode("urn:b"), Literal("x"))])
    assert merged([Quad(NamedNode("urn:a"), NamedNode("urn:b"), Literal("no _:x"))])


def test_texts_with_the_marks_of_blank_nodes_and_triple_terms_are_texts():
    quad = Quad(NamedNode("urn:a"), NamedNode("urn:x:b"), Literal("_:x <<( a b c )>>"))
    found = parse(merged([quad], format="rdfxml"), RdfFormat.RDF_XML)
    assert [one.object for one in found] == [quad.object]


def test_the_summary_counts(tmp_path):
    paths = [
        file(tmp_path, graph(*BOTH), "a.nt"),
        file(tmp_path, graph(BOTH[0], said("c", "Warsaw", "P17", "X")), "b.ttl"),
    ]
    summary = merge(paths, io.BytesIO())
    assert (summary.files, summary.read, summary.statements) == (2, 4, 3)
    assert (summary.facts, summary.attested, summary.clusters) == (2, 1, 2)
    assert summary.conflicts == Counter()


def test_processes_make_no_difference(tmp_path):
    paths = [file(tmp_path, graph(one), f"{number}.ttl") for number, one in enumerate(BOTH)]
    merge(paths, tmp_path / "one.ttl", workers=1)
    merge(paths, tmp_path / "two.ttl", workers=2)
    assert (tmp_path / "one.ttl").read_bytes() == (tmp_path / "two.ttl").read_bytes()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_the_input_and_leaves_nothing(tmp_path, workers):
    bad = tmp_path / "bad.nt"
    bad.write_bytes(lines(graph(*BOTH)) + b"<urn:a> <urn:b>")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"bad\.nt, line \d+: "):
        merge([file(tmp_path, graph(*BOTH), "good.nt"), bad], tmp_path / "out.ttl", workers=workers)
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "good.nt"])


def test_an_interrupt_leaves_nothing_and_the_old_file(tmp_path, monkeypatch):
    path, out = file(tmp_path, graph(*BOTH)), tmp_path / "out.ttl"
    out.write_text("old")

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "put_together", interrupt)
    with pytest.raises(KeyboardInterrupt):
        merge(path, out)
    assert sorted(tmp_path.iterdir()) == sorted([path, out])
    assert out.read_text() == "old"


def test_a_folder_gives_its_rdf_without_the_output(tmp_path):
    file(tmp_path, graph(BOTH[0]), "a.ttl")
    (tmp_path / "notes.txt").write_text("no RDF")
    merge(tmp_path, tmp_path / "out.nt")
    first = (tmp_path / "out.nt").read_bytes()
    assert merge(tmp_path, tmp_path / "out.nt").files == 1
    assert (tmp_path / "out.nt").read_bytes() == first


def test_a_pattern_gives_files_and_a_file_is_read_once(tmp_path):
    path = file(tmp_path, graph(BOTH[0]), "a.ttl")
    assert merge([tmp_path / "*.ttl", path], io.BytesIO()).files == 1


def test_gzip_is_read_and_written(tmp_path):
    path = file(tmp_path, graph(*BOTH), "a.nt")
    merge(path, tmp_path / "out.nt.gz")
    out = io.BytesIO()
    merge(tmp_path / "out.nt.gz", out, format="ntriples")
    assert out.getvalue() == merged(graph(*BOTH))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"provenance": "none"}, "Facts need their evidence"),
        ({"provenance": "graphs", "format": "turtle"}, "needs named graphs"),
        ({"base": "x"}, "is not an absolute IRI"),
        ({"input_format": "csv"}, "There is no format 'csv'"),
        ({"max_cluster": 0}, "at least 1"),
        ({"workers": 0}, "at least 1"),
    ],
)
def test_options_that_cannot_be_used(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        merge(file(tmp_path, []), io.BytesIO(), **options)


@pytest.mark.parametrize("name", ["graph.nq", "../{folder}/graph.nq", "symbolic.nq", "hard.nq"])
@pytest.mark.parametrize("given", ["graph.nq", "{folder}"])
def test_the_output_cannot_be_an_input_under_any_name(tmp_path, monkeypatch, given, name):
    monkeypatch.chdir(tmp_path)
    path = file(tmp_path, graph(*BOTH))
    Path("symbolic.nq").symlink_to(path)
    Path("hard.nq").hardlink_to(path)
    before = path.read_bytes()
    inputs = tmp_path if given == "{folder}" else given
    with pytest.raises(InputError, match=r"would be (overwritten|read)"):
        merge(inputs, name.format(folder=tmp_path.name))
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [tmp_path / "graph.nq", tmp_path / "hard.nq", tmp_path / "symbolic.nq"]


def test_a_file_of_a_folder_that_no_merge_wrote_is_not_overwritten(tmp_path):
    paths = [file(tmp_path, graph(one), f"{number}.ttl") for number, one in enumerate(BOTH)]
    before = [path.read_bytes() for path in paths]
    with pytest.raises(InputError, match=r"1\.ttl"):
        merge(tmp_path, paths[1])
    with pytest.raises(InputError, match=r"1\.ttl"):
        merge(tmp_path / "*.ttl", paths[1])
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize("name", ["out.ttl", "out.nt.gz", "out.jsonld", "out.rdf"])
def test_the_output_of_the_last_time_may_lie_in_the_folder(tmp_path, name):
    file(tmp_path, graph(BOTH[0]), "a.ttl")
    merge(tmp_path, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    assert merge(tmp_path, tmp_path / name).files == 1
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(
    ("given", "message"),
    [([], "at least one INPUT"), (["missing.ttl"], "no file or folder"), (["a.csv"], "does not say its format")],
)
def test_inputs_that_cannot_be_used(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").touch()
    with pytest.raises(InputError, match=message):
        merge(given, io.BytesIO())


def test_outputs_that_cannot_be_used(tmp_path):
    path = file(tmp_path, [])
    with pytest.raises(InputError, match="is a folder"):
        merge(path, tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        merge(path, tmp_path / "missing" / "out.ttl")
    with pytest.raises(InputError, match="does not say its format"):
        merge(path, tmp_path / "out")


def test_derived_nodes_have_the_chosen_base():
    data = merged(graph(*BOTH), base="http://example.org/")
    assert b"<http://example.org/fact/" in data
    assert b"<http://example.org/cluster/" in data


def test_an_empty_graph_merges_to_an_empty_graph():
    assert merged([]) == b""
    assert list(parse(merged([], format="turtle"), RdfFormat.TURTLE)) == []


# What is too large


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("long.nt", '<urn:a> <urn:b> "{}" .\n'.format("x" * 2**24)),
        ("lines.ttl", '<urn:a> <urn:b> """{}""" .\n'.format("\n" * (2**23 + 2**22))),  # escaped, twice as long
    ],
)
def test_a_literal_that_is_too_long_is_an_error_with_the_name_of_the_file(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=f"{re.escape(name)}: a literal or an IRI is longer than 16 MiB"):
        merge(path, tmp_path / "out.ttl")
    assert list(tmp_path.iterdir()) == [path]


def test_a_statement_with_a_text_that_is_too_long_is_an_error_too(tmp_path):
    path = file(tmp_path, graph(said("a", "Marie Curie", "P19", "Warsaw")), "long.ttl")
    lines_ = "\n" * (2**23 + 2**22)
    path.write_text(path.read_text().replace('relationLabel "P19"', f'relationLabel """{lines_}"""'))
    with pytest.raises(InputError, match=r"long\.ttl: a literal or an IRI is longer than 16 MiB"):
        merge(path, tmp_path / "out.ttl")


def test_a_literal_that_is_just_not_too_long_is_merged(tmp_path):
    path = tmp_path / "long.nt"
    path.write_text('<urn:a> <urn:b> "{}" .\n'.format("x" * (2**24 - 2000)))
    merge(path, tmp_path / "out.ttl")
    assert (tmp_path / "out.ttl").stat().st_size > 2**24 - 2000


@contextmanager
def small_files(size):
    """Files cannot become larger than that, which is as near to a full disk as a test can come."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 200, 700])
@pytest.mark.parametrize("name", ["out.ttl", "out.nq.gz", "out.rdf"])
def test_a_full_disk_is_said_by_the_name_of_the_output_and_leaves_the_old_file(tmp_path, name, size):
    path = file(tmp_path, graph(*BOTH), "a.nt")
    out = tmp_path / name
    out.write_bytes(b"old")
    with small_files(size), pytest.raises(OutputError, match=re.escape(f"'{out}' cannot be written: ")):
        merge(path, out)
    assert sorted(tmp_path.iterdir()) == [path, out]
    assert out.read_bytes() == b"old"


def test_a_full_folder_for_temporary_files_is_named(tmp_path, monkeypatch):
    path = file(tmp_path, graph(*BOTH), "a.nt")
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with small_files(500), pytest.raises(OutputError, match=re.escape(f"'{folder}/kgmrca-")):
        merge(path, io.BytesIO())
    assert list(folder.iterdir()) == []


def test_temporary_files_lie_beside_the_output(tmp_path, monkeypatch):
    path = file(tmp_path, graph(*BOTH), "a.nt")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    merge(path, tmp_path / "out.ttl")
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "out.ttl"]


# Which document it is


DIGESTS = ["", "0123456789abcdef0123", "fedcba9876543210fedc"]  # the first of version 0.1, without one


def births(data):
    """The towns of birth of each person, as the statements have them."""
    found = {}
    for one in read_rdf(io.BytesIO(data), format="ntriples"):
        if isinstance(one, Statement):
            found.setdefault((one.document, one.subject), set()).add(one.object)
    return found


def test_documents_of_one_name_stay_apart_where_their_texts_differ():
    towns = dict(zip(DIGESTS, ["Warsaw", "Poland", "Paris"], strict=True))
    found = [said("letter.txt", "John Smith", "P19", town, digest=digest) for digest, town in towns.items()]
    data = merged(*map(graph, found))
    assert births(data) == {(one.document, one.subject): {one.object} for one in found}
    assert len({one.subject for one in found}) == 3
    documents = {quad.subject.value for quad in parse(data, RdfFormat.N_TRIPLES) if "prov#Entity" in str(quad.object)}
    assert documents == {f"{DEFAULT_BASE}document/letter.txt{digest and '@'}{digest}" for digest in DIGESTS}


def test_a_document_of_one_name_and_text_is_one_document():
    one, other = (said("letter.txt", "John Smith", "P19", "Warsaw", run=run) for run in "rs")
    data = merged(graph(one), graph(other))
    assert births(data) == {(one.document, one.subject): {one.object}}
    assert summary_of(one, other).attested == 0


def test_two_documents_of_one_name_make_no_conflict_where_a_name_is_no_evidence():
    towns = dict(zip(DIGESTS[1:], ["Warsaw", "Poland"], strict=True))
    data = merged(*(graph(said("letter.txt", "Smith", "P19", town, digest=digest)) for digest, town in towns.items()))
    assert (about(data, "Conflict"), about(data, "Cluster")) == ([], [])
    assert len({fact["subject"] for fact in about(data, "Fact")}) == 2


# The order of what is written, on which equal bytes depend


def objects_in_order(data, name):
    """The objects of a property of ours in the order of the lines."""
    return re.findall(rf"<{re.escape(KGMRCA)}{name}> (\S+) \.\n", data.decode())


def test_items_of_an_entity_are_written_in_order():
    items = [f"Q{number}" for number in (9, 8, 77, 6, 55, 4)]
    data = merged([link("urn:x:a", item) for item in items])
    assert objects_in_order(data, "conflicting") == ["<urn:x:a>", *(f"<{WD}{item}>" for item in sorted(items))]


def test_items_and_entities_of_an_ambiguous_name_are_written_in_order():
    documents = "abcdefgh"
    items = [f"Q{number}" for number in (9, 8, 77, 6, 55, 4)]
    linked = [said(f"x{item}", f"Warsaw={item}", "P17", "2000") for item in items]
    data = merged(graph(*linked, *(said(document, "Warsaw", "P17", "2000") for document in documents)))
    entities = sorted(entity(document, "Warsaw") for document in documents)
    assert objects_in_order(data, "conflicting") == [
        *(f"<{WD}{item}>" for item in sorted(items)),
        *(f"<{iri}>" for iri in entities),
    ]


def test_members_and_types_of_a_cluster_are_written_in_order():
    iris = [f"urn:x:{letter}" for letter in "hgfedcba"]
    types = ["PERSON", "GPE", "ORG", "DATE", "Gene"]
    quads = [link(iri, "Q270") for iri in iris]
    quads += [Triple(NamedNode("urn:x:a"), NamedNode(f"{KGMRCA}entityType"), Literal(type_)) for type_ in types]
    data = merged(quads)
    assert objects_in_order(data, "member") == [f"<{iri}>" for iri in sorted(iris)]
    found = [one for one in objects_in_order(data, "entityType") if one != '"GPE"'][len(types) - 1 :]
    assert found == sorted(found)
    assert len(found) == len(types)


def test_evidence_is_written_in_order():
    found = [said("a", "Warsaw=Q270", "P17", "Poland=Q36", at=100 * number) for number in range(8)]
    assert objects_in_order(merged(graph(*found)), "evidence") == sorted(f"<{one.iri}>" for one in found)


def shared_names(folder, *quads):
    """The names that have to be looked at together, as the step of the triples finds them."""
    (read,) = merge_inputs([file(folder, quads)], None, "-")
    store = Store(folder, 0)
    distribute_input(store, "ntriples", "part", read)
    return write_triples(store, "ntriples", DEFAULT_BASE, frozenset(), range(1)).shared_names


def test_only_names_of_an_entity_without_an_item_lead_to_one_another(tmp_path):
    type_ = Triple(NamedNode("urn:x:a"), NamedNode(f"{KGMRCA}entityType"), Literal("GPE"))
    names = labelled("urn:x:a", "Warsaw", "Varsovie")
    assert len(shared_names(tmp_path, type_, *names)) == 2
    assert shared_names(tmp_path, type_, names[0]) == set()
    assert shared_names(tmp_path, type_, *names, link("urn:x:a", "Q270")) == set()
    item = NamedNode(f"{WD}Q270")
    of_item = [Triple(item, triple.predicate, triple.object) for triple in (type_, *names)]
    assert shared_names(tmp_path, *of_item) == set()


def test_conflicts_of_an_earlier_merge_are_derived_again():
    many = [said(document, "Warsaw", "urn:x:p", "1867") for document in "abc"]
    first = merged(graph(*many), max_cluster=2)
    assert len(about(first, "Conflict")) == 1
    assert about(merged(first), "Conflict") == []
