import csv
import io
import tempfile
from decimal import Decimal
from pathlib import Path

import networkx
import pytest
import spacy
from helpers import TEXT
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Span

from kgmrca.graph.networks import neo4j_tables, to_networkx, write_graphml
from kgmrca.relations import Relation, set_relations
from kgmrca.triples.formats import write
from kgmrca.triples.iris import mention_iri, text_digest
from kgmrca.triples.read import read_rdf
from kgmrca.triples.records import Mention, Statement
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

BASE = "urn:kgmrca:"
DOCUMENT = "urn:kgmrca:document/doc@" + text_digest(TEXT)
GYEAR = "http://www.w3.org/2001/XMLSchema#gYear"


@pytest.fixture
def found(nlp):
    return list(statements(nlp(TEXT), document_id="doc"))


def stored(found):
    """The same as it is read from a file."""
    out = io.BytesIO()
    write(document_triples(DOCUMENT, "doc", found, base=BASE), out, format="turtle", base=BASE)
    out.seek(0)
    return list(read_rdf(out, format="turtle"))


def statement(number, label="knows", value="a", *, name="A", type_="PER", is_literal=True, score="0.5"):
    document = "urn:kgmrca:document/d"
    return Statement(
        iri=f"urn:kgmrca:statement/{number}",
        subject="urn:kgmrca:entity/a",
        predicate="urn:kgmrca:relation/knows",
        object=value if is_literal else f"urn:kgmrca:entity/{number}",
        object_is_literal=is_literal,
        object_datatype=None,
        label=label,
        confidence=Decimal(score),
        document=document,
        subject_mention=Mention(mention_iri(document, 0, 1), 0, 1, name, type_),
        object_mention=Mention(mention_iri(document, 2, 3), 2, 3, value, type_),
        sentence=None,
        sentence_digest=None,
        run=None,
    )


def read(path):
    return networkx.read_graphml(path, force_multigraph=True)


def written_and_read(graph, folder):
    path = Path(folder) / "graph.graphml"
    write_graphml(graph, path)
    return read(path)


def equal(one, other):
    assert dict(one.nodes(data=True)) == dict(other.nodes(data=True))
    assert list(one.edges(keys=True, data=True)) == list(other.edges(keys=True, data=True))
    return type(one) is type(other)


def test_there_is_one_edge_per_statement_with_all_that_it_says(found):
    graph = to_networkx(found)
    birth = found[0]
    assert graph.number_of_edges() == len(found) == 5
    assert graph.edges[birth.subject, birth.object, birth.iri] == {
        "label": "place of birth",
        "predicate": "http://www.wikidata.org/prop/direct/P19",
        "confidence": 0.9,
        "document": DOCUMENT,
        "mentions": "0,11 24,30",
        "start_time": "",
        "end_time": "",
        "point_in_time": "",
    }


def test_an_entity_has_its_name_and_type(found):
    assert to_networkx(found).nodes[found[0].subject] == {
        "kind": "entity",
        "label": "Marie Curie",
        "type": "PERSON",
        "datatype": "",
    }


def test_a_literal_is_a_node_of_its_own_kind(found):
    assert to_networkx(found).nodes[f'"1867"^^<{GYEAR}>'] == {
        "kind": "literal",
        "label": "1867",
        "type": "",
        "datatype": GYEAR,
    }


def test_a_literal_is_not_the_entity_of_that_name():
    value = "urn:kgmrca:entity/1"
    graph = to_networkx([statement(1, is_literal=False), statement(2, value=value)])
    assert {graph.nodes[node]["kind"] for node in (value, f'"{value}"')} == {"entity", "literal"}


def test_several_labels_of_a_pair_are_several_edges(found):
    wrote = next(one for one in found if one.label == "screenwriter")
    assert to_networkx(found).number_of_edges(wrote.subject, wrote.object) == 2


def test_what_is_read_from_a_file_gives_the_same_graph(found):
    assert equal(to_networkx(found), to_networkx(stored(found)))


def test_all_types_of_an_entity_are_kept():
    graph = to_networkx([statement(1), statement(2, type_="ORG;X")])
    assert graph.nodes["urn:kgmrca:entity/a"]["type"] == "PER;ORG,X"


def test_graphml_gives_the_same_graph_again(found, tmp_path):
    graph = to_networkx(found)
    assert equal(written_and_read(graph, tmp_path), graph)


def test_graphml_without_parallel_edges_stays_a_multigraph(tmp_path):
    graph = to_networkx([statement(1)])
    assert equal(written_and_read(graph, tmp_path), graph)


def test_graphml_can_be_compressed(found, tmp_path):
    write_graphml(to_networkx(found), tmp_path / "graph.graphml.gz")
    assert (tmp_path / "graph.graphml.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert equal(read(tmp_path / "graph.graphml.gz"), to_networkx(found))


@pytest.mark.parametrize(
    "text", ["", " ", "\r", "a\r\nb", "\n", "\t", "\x00\x07", "<&>\"'", "]]>", "😀\u2028\ufffe", "é\u202e"]
)
def test_graphml_keeps_odd_text(text, tmp_path):
    graph = to_networkx([statement(1, label=text, value=text, name=text, type_=text), statement(2, value="b")])
    assert equal(written_and_read(graph, tmp_path), graph)


@settings(max_examples=100, derandomize=True)
@given(
    texts=st.lists(
        st.tuples(*(st.text(st.characters(), max_size=6) for _ in range(4)), st.booleans()), min_size=1, max_size=4
    ),
    score=st.decimals(0, 1, places=4),
)
def test_graphml_reads_back_equal(texts, score):
    graph = to_networkx(
        statement(number, label, value, name=name, type_=type_, is_literal=is_literal, score=str(score))
        for number, (label, value, name, type_, is_literal) in enumerate(texts)
    )
    with tempfile.TemporaryDirectory() as folder:
        assert equal(written_and_read(graph, folder), graph)


def tables(records, folder):
    with neo4j_tables(folder) as add:
        for record in records:
            add(record)
    rows = {}
    for name in ("nodes", "relationships"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            rows[name] = list(csv.DictReader(stream))
    return rows["nodes"], rows["relationships"]


def test_tables_hold_the_graph(found, tmp_path):
    nodes, edges = tables(stored(found), tmp_path / "new")
    graph = to_networkx(found)
    assert {node["iri:ID"] for node in nodes} == set(graph)
    assert [(edge[":START_ID"], edge[":END_ID"], edge["iri"]) for edge in edges] == [
        (one.subject, f'"1867"^^<{GYEAR}>' if one.object_is_literal else one.object, one.iri) for one in found
    ]
    assert edges[0] == {
        ":START_ID": found[0].subject,
        ":END_ID": found[0].object,
        ":TYPE": "place of birth",
        "iri": found[0].iri,
        "predicate": "http://www.wikidata.org/prop/direct/P19",
        "confidence:double": "0.9",
        "document": DOCUMENT,
        "mentions": "0,11 24,30",
        "start_time": "",
        "end_time": "",
        "point_in_time": "",
    }
    assert nodes[0] == {
        "iri:ID": found[0].subject,
        "name": "Marie Curie",
        "datatype": "",
        ":LABEL": "Entity;PERSON",
    }
    assert {node[":LABEL"] for node in nodes} == {"Entity;PERSON", "Entity;GPE", "Entity;WORK_OF_ART", "Literal"}


def test_cells_are_data_on_one_line(tmp_path):
    nodes, _ = tables([statement(1, value='=1+"2",\r\n-5', name="a\nb")], tmp_path)
    assert {node["name"] for node in nodes} == {"a b", '=1+"2", -5'}
    assert len((tmp_path / "nodes.csv").read_text(encoding="utf-8").splitlines()) == 3


def test_tables_appear_only_when_they_are_whole(tmp_path):
    with pytest.raises(ValueError), neo4j_tables(tmp_path) as add:  # noqa: PT012
        add(statement(1))
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_a_doc_of_spans_without_entities_has_nodes_without_types():
    doc = spacy.blank("en")("Curie Warsaw")
    set_relations(doc, [Relation(Span(doc, 0, 1), Span(doc, 1, 2), "place of birth", 1.0)])
    graph = to_networkx(statements(doc, document_id="d"))
    assert {data["type"] for _, data in graph.nodes(data=True)} == {""}
