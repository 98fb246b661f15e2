"""Clusters that other components left on a Doc, as their authors write them."""

from dataclasses import dataclass

import pytest
import spacy
from spacy.tokens import Doc

from kgmrca.extraction.coreference.clusters import is_cluster, match_name, read_clusters, write_clusters

TEXT = "Marie Curie, the physicist, said that she and her husband met Bob."


@dataclass
class Mention:
    """As those of coreferee: the tokens at the head of a mention; several for "Ann and Bob"."""

    token_indexes: list[int]


@pytest.fixture
def doc():
    return spacy.blank("en")(TEXT)


@pytest.fixture
def extension():
    added = []

    def add(name, value):
        Doc.set_extension(name, default=value)
        added.append(name)

    yield add
    for name in added:
        Doc.remove_extension(name)


def test_no_clusters(doc):
    assert read_clusters(doc) == []


def test_span_groups(doc):
    doc.spans["coref_clusters_10"] = [doc[13:14], doc[10:11]]
    doc.spans["coref_clusters_2"] = [doc[0:2], doc[8:9]]
    doc.spans["coref_head_clusters_1"] = [doc[1:2], doc[8:9]]
    doc.spans["other"] = [doc[0:2]]
    assert read_clusters(doc) == [[(0, 2), (8, 9)], [(10, 11), (13, 14)]]


def test_characters(doc, extension):
    extension("coref_clusters", [[(0, 11), (38, 41)], [(62, 65)]])
    assert read_clusters(doc) == [[(0, 2), (8, 9)]]


def test_chains(doc, extension):
    extension("coref_chains", [[Mention([1]), Mention([8]), Mention([10])], [Mention([8, 11]), Mention([13])]])
    assert read_clusters(doc) == [[(1, 2), (8, 9), (10, 11)]]


def test_the_head_of_a_name_is_that_name(extension):
    doc = spacy.blank("en")("The University of Oslo grew. It was new.")
    doc.set_ents([doc.char_span(4, 22, label="ORG")])
    extension("coref_chains", [[Mention([1]), Mention([6])]])
    assert read_clusters(doc) == [[(1, 4), (6, 7)]]


def test_extensions_without_a_value(doc, extension):
    extension("coref_chains", None)
    extension("coref_clusters", None)
    assert read_clusters(doc) == []


@pytest.mark.parametrize(
    ("text", "mention", "number"),
    [
        ("Marie Curie sang.", (0, 2), 0),
        ("Marie Curie sang.", (1, 2), 0),
        ("Marie Curie sang.", (0, 1), -1),
        ("The great Marie Curie sang.", (0, 4), -1),
        ("Dr. Marie Curie sang.", (0, 3), 0),
        ("The Marie Curie sang.", (0, 3), 0),
        ("Marie Curie's sang.", (0, 3), 0),
        ("Marie Curie's husband sang.", (0, 4), -1),
        ("Marie Curie, the physicist, sang.", (0, 5), 0),
        ("Marie Curie (the physicist) sang.", (0, 6), 0),
        ("Friends of Marie Curie sang.", (0, 4), -1),
    ],
)
def test_which_name_a_mention_is(text, mention, number):
    doc = spacy.blank("en")(text)
    start = text[: text.index("Marie")].count(" ")
    assert match_name(doc, mention, [(start, start + 2)]) == number


def test_writing_replaces_what_was_there(doc):
    doc.spans["coref_clusters_3"] = [doc[0:2], doc[8:9]]
    doc.spans["other"] = [doc[0:2]]
    doc.ents = [doc.char_span(0, 11, label="PER", kb_id="Q7186")]
    write_clusters(doc, [[(10, 11), (13, 14)], [(8, 9), (0, 2)]])
    assert sorted(doc.spans) == ["coref_clusters_1", "coref_clusters_2", "other"]
    assert [span.text for span in doc.spans["coref_clusters_1"]] == ["Marie Curie", "she"]
    assert (doc.spans["coref_clusters_1"][0].label_, doc.spans["coref_clusters_1"][0].kb_id_) == ("PER", "Q7186")


def test_names_of_groups():
    assert is_cluster("coref_clusters_12")
    assert not is_cluster("coref_clusters")
    assert not is_cluster("my_coref_clusters_1")
