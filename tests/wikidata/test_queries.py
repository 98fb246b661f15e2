import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from kgmrca.errors import InputError
from kgmrca.names import spellings
from kgmrca.wikidata import queries

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("\\\"'uU0022{}<>?$#@\n\r\t\0 ."), st.characters(codec="utf-8")))
LANGUAGES = st.sampled_from(["en", "mul", "pt-BR", "zh-Hans", "be-tarask", "en-x-simple", "gsw"])
IDS = st.one_of(
    st.text(), st.from_regex(r"[QP][0-9]{1,4}.?"), st.sampled_from(["Q1 ", "Q1\n", "Q٣", "q1", "Q01", "Q", ""])
)
WD = "http://www.wikidata.org/entity/"
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
ALL = {
    "statements": lambda id: queries.claims([("Q1", "P1"), (id, "P2")]),
    "statements of": lambda id: queries.claims([("Q1", "P1"), ("Q2", id)]),
    "items": lambda id: queries.items(["Q1", id], languages=["en"]),
    "profiles": lambda id: queries.profiles(["Q1", id], languages=["en"]),
    "properties": lambda id: queries.properties(["P1", id], languages=["en"]),
    "superclasses": lambda id: queries.superclasses(["Q1", id]),
    "areas": lambda id: queries.areas(["Q1", id]),
    "connections": lambda id: queries.connections([("Q1", id)]),
    "connections from": lambda id: queries.connections([(id, "Q1")]),
    "qualified": lambda id: queries.qualified([("Q1", "P1"), (id, "P2")]),
    "qualified by": lambda id: queries.qualified([("Q1", "P1"), ("Q2", id)]),
}
"""Every query made of ids, by one of them."""


@given(TEXTS, LANGUAGES)
def test_a_text_is_that_literal_and_nothing_else(text, language):
    query = f"SELECT * {{ VALUES (?x ?y) {{ ({queries.literal(text, language)} 1) }} }}"
    (solution,) = Store().query(query)
    assert solution["x"] == Literal(text, language=language.lower())
    assert solution["y"].value == "1"


@given(TEXTS)
@example("\\u0022")
@example("\\\\U00000022")
def test_a_text_is_the_same_where_escapes_are_replaced_first(text):
    # Section 19.2, taken to the letter: code points before all else, whatever stands before the backslash.
    replaced = re.sub(
        r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})",
        lambda match: chr(int(match[1] or match[2], 16)),
        queries.literal(text, "en"),
    )
    (solution,) = Store().query(f"SELECT * {{ VALUES ?x {{ {replaced} }} }}")
    assert solution["x"].value == text


@given(st.lists(TEXTS, max_size=4, unique=True), st.lists(LANGUAGES, min_size=1, max_size=3))
def test_candidates_are_those_of_the_names_whatever_they_hold(names, languages):
    store = Store()
    for number, name in enumerate([*names, "other"], 1):
        store.add(Quad(NamedNode(f"{WD}Q{number}"), LABEL, Literal(name, language=languages[0])))
    rows = list(store.query(queries.candidates(names, languages=languages[:1])))
    assert all(row["name"].value in spellings(row["asked"].value) for row in rows)
    found = [(row["item"].value, row["name"]) for row in rows]
    expected = {
        (f"{WD}Q{number}", Literal(name, language=languages[0].lower()))
        for number, name in enumerate([*names, "other"], 1)
        if any(name in spellings(asked) for asked in names)
    }
    assert set(found) == expected


@pytest.mark.parametrize(
    "language", ["", "e", "en ", "en_US", "en@", 'en"', "en-", "1n", "en-abcdefghi", "en-a", "ęn", "en\n", "en--us"]
)
def test_what_is_no_language_tag_is_refused(language):
    with pytest.raises(InputError, match="language tag"):
        queries.literal("x", language)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(InputError, match="surrogate"):
        queries.literal("a\ud800b", "en")


@pytest.mark.parametrize("query", ALL.values(), ids=ALL)
@given(id=IDS)
def test_an_id_is_one_or_is_refused(query, id):
    if re.fullmatch("[PQ][1-9][0-9]{0,17}", id, re.ASCII):
        assert queries.checked_id(id) == id
    else:
        with pytest.raises(InputError, match="not an id"):
            query(id)


@pytest.mark.parametrize("query", ALL.values(), ids=ALL)
@pytest.mark.parametrize("id", ["Q1 ", "Q1\n", "Q1 . ?a ?b ?c", "L1", "Q0", "wd:Q1", "Q٣"])
def test_what_is_no_id_is_in_no_query(query, id):
    with pytest.raises(InputError, match="not an id"):
        query(id)


@pytest.mark.parametrize(("name", "id"), [("Q5", "Q5"), ("P19", ""), ("Q05", ""), ("statement/Q5-1", ""), ("", "")])
def test_an_iri_of_an_item_has_its_id(name, id):
    assert queries.id_of(f"http://www.wikidata.org/entity/{name}", kinds="Q") == id


def test_an_id_alone_is_no_iri():
    assert queries.id_of("Q5") == ""


@pytest.mark.parametrize(("id", "kinds"), [("P19", "Q"), ("Q5", "P")])
def test_an_id_is_of_the_right_kind(id, kinds):
    with pytest.raises(InputError, match=f"{kinds} and a number"):
        queries.checked_id(id, kinds=kinds)


def every_query():
    return [
        queries.claims([("Q1", "P1")]),
        queries.items(["Q1"], languages=["en", "mul"]),
        queries.properties(["P1"], languages=["en"]),
        queries.superclasses(["Q1"]),
        queries.areas(["Q1"]),
        queries.candidates(["x"], languages=["en"]),
        queries.connections([("Q1", "Q2")]),
        queries.qualified([("Q1", "P1")]),
    ]


@pytest.mark.parametrize("query", every_query())
def test_every_query_is_plain_sparql(query):
    assert not re.search(r"SERVICE|bd:|mwapi|wikibase:label|hint:|gas:", query)
    assert list(Store().query(query)) == []


@pytest.mark.parametrize("query", every_query())
def test_every_query_declares_its_prefixes(query):
    declared = set(re.findall(r"PREFIX (\w+):", query))
    assert set(re.findall(r"(?<![\w:/<\"])(\w+):\w", re.sub("<[^>]*>", "", query))) <= declared


def test_no_ids_are_a_query_without_solutions():
    for query in (
        queries.claims([]),
        queries.items([], languages=["en"]),
        queries.properties([], languages=["en"]),
        queries.superclasses([]),
        queries.candidates([], languages=["en"]),
        queries.connections([]),
        queries.qualified([]),
    ):
        assert list(Store().query(query)) == []


@pytest.mark.parametrize("text", [queries.survey(), queries.property_iris()])
def test_limits_stand_inside(text):
    """QLever tells how many rows there are without the LIMIT of the whole query, which would look like a cut answer."""
    assert "LIMIT" in text
    assert text.strip().endswith("}")
