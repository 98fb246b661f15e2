import json
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from datetime import timedelta
from decimal import Decimal

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, QueryResultsFormat, RdfFormat, Store, Triple, serialize
from server import WIKIDATA, Answer
from written import WRITTEN

from kgmrca.errors import EndpointError, InputError
from kgmrca.wikidata.answers import value_of
from kgmrca.wikidata.cache import Cache, default_cache
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import Candidate, Claim, Constraints, Item, NotChecked, Profile, Value, WikidataProperty
from kgmrca.wikidata.sparql import open_endpoint

WD = "http://www.wikidata.org/entity/"
WDS = f"{WD}statement/"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OFFLINE = NotChecked("not in the cache, and offline")
GREGORIAN, JULIAN = "Q1985727", "Q1985786"


def day(text):
    return Value("time", f"{text}T00:00:00Z", precision=11, calendar=GREGORIAN)


def item(id):
    return Value("item", id)


@pytest.fixture
def lookups(endpoint):
    with Lookups(endpoint, cache=None) as lookups:
        yield lookups


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "facts.sqlite"


class Failing:
    """An endpoint that fails as it is told, by the number of things asked for at once; else it asks another."""

    def __init__(self, endpoint, fails=lambda size: None):
        self.endpoint, self.fails = endpoint, fails
        self.name, self.inputs, self.queries, self.sizes = endpoint.name, endpoint.inputs, 0, []

    def select(self, query):
        self.queries += 1
        rows = query.partition("{")[2].partition("{")[2].partition("}")[0]  # those of VALUES
        self.sizes.append(rows.count("wd:"))
        if error := self.fails(self.sizes[-1]):
            raise error
        return self.endpoint.select(query)


@pytest.fixture
def local():
    """The facts of the file, with what was asked."""
    return Failing(open_endpoint(WIKIDATA))


def literal(text, type_="string"):
    return Literal(text, datatype=NamedNode(type_ if ":" in type_ else f"{XSD}{type_}"))


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"object": NamedNode(f"{WD}Q270")}, item("Q270")),
        ({"object": NamedNode(f"{WD}Q1"), "target": NamedNode(f"{WD}Q2")}, item("Q2")),
        ({"object": NamedNode(f"{WD}P19")}, item("P19")),
        ({"object": NamedNode(f"{WD}L99")}, Value("other", f"{WD}L99")),
        ({"object": NamedNode("http://example.org/x.jpg")}, Value("other", "http://example.org/x.jpg")),
        ({"object": NamedNode("http://www.wikidata.org/.well-known/genid/0a1b")}, Value("somevalue")),
        ({"object": BlankNode()}, Value("somevalue")),
        ({"object": literal("x")}, Value("text", "x")),
        ({"object": Literal("x", language="pl")}, Value("text", "x", language="pl")),
        ({"object": literal("1867-11-07T00:00:00Z", "dateTime")}, Value("time", "1867-11-07T00:00:00Z")),
        ({"object": literal("+330", "decimal")}, Value("quantity", "+330")),
        (
            {"object": literal("Point(2 48)", "http://www.opengis.net/ont/geosparql#wktLiteral")},
            Value("other", "Point(2 48)"),
        ),
        (
            {
                "object": NamedNode("http://www.wikidata.org/value/1"),
                "time": literal("-0043-03-15T00:00:00Z", "dateTime"),
                "precision": literal("11", "integer"),
                "calendar": NamedNode(f"{WD}{JULIAN}"),
            },
            Value("time", "-0043-03-15T00:00:00Z", precision=11, calendar=JULIAN),
        ),
        (
            {
                "object": NamedNode("http://www.wikidata.org/value/1"),
                "time": literal("1867-01-01T00:00:00Z", "dateTime"),
            },
            Value("time", "1867-01-01T00:00:00Z"),
        ),
        (
            {
                "object": NamedNode("http://www.wikidata.org/value/2"),
                "amount": literal("+330", "decimal"),
                "unit": NamedNode(f"{WD}Q11573"),
                "lower": literal("+329.5", "decimal"),
                "upper": literal("+330.5", "decimal"),
            },
            Value("quantity", "+330", unit="Q11573", lower=Decimal("329.5"), upper=Decimal("330.5")),
        ),
        (
            {
                "object": NamedNode("http://www.wikidata.org/value/3"),
                "amount": literal("7", "decimal"),
                "unit": NamedNode(f"{WD}Q199"),
            },
            Value("quantity", "7"),
        ),
    ],
)
def test_a_value_is_read_from_its_terms(row, value):
    assert value_of(row) == value


@pytest.mark.parametrize(
    ("pair", "statements"),
    [
        (("Q7186", "P19"), [(item("Q270"), "normal", ()), (item("Q90"), "deprecated", ())]),
        (
            ("Q7186", "P569"),
            [
                (day("1867-11-07"), "preferred", ()),
                (Value("time", "1867-01-01T00:00:00Z", precision=9, calendar=GREGORIAN), "normal", ()),
            ],
        ),
        (
            ("Q7186", "P26"),
            [(item("Q37463"), "normal", (("P580", day("1895-07-26")), ("P582", day("1906-04-19"))))],
        ),
        (
            ("Q7186", "P166"),
            [
                (
                    item("Q38104"),
                    "normal",
                    (
                        ("P1706", item("Q37463")),
                        ("P585", Value("time", "1903-01-01T00:00:00Z", precision=9, calendar=GREGORIAN)),
                    ),
                ),
                (
                    item("Q44585"),
                    "normal",
                    (
                        ("P1706", Value("novalue")),
                        ("P585", Value("time", "1911-01-01T00:00:00Z", precision=9, calendar=GREGORIAN)),
                    ),
                ),
            ],
        ),
        (("Q7186", "P742"), [(Value("somevalue"), "normal", ())]),
        (("Q6691", "P20"), [(Value("somevalue"), "normal", ())]),
        (("Q7207", "P40"), [(Value("novalue"), "normal", ())]),
        (("Q7186", "P1559"), [(Value("text", "Maria Salomea Skłodowska", language="pl"), "normal", ())]),
        (("Q7186", "P214"), [(Value("text", "76353174"), "normal", ())]),
        (
            ("Q6691", "P569"),
            [(Value("time", "-0799-01-01T00:00:00Z", precision=7, calendar=JULIAN), "normal", ())],
        ),
        (
            ("Q243", "P2048"),
            [
                (
                    Value("quantity", "330", unit="Q11573", lower=Decimal("329.5"), upper=Decimal("330.5")),
                    "preferred",
                    (),
                )
            ],
        ),
        (("Q36", "P1082"), [(Value("quantity", "38382576"), "normal", ())]),
        (("Q243", "P625"), [(Value("other", "Point(2.294479 48.858296)"), "normal", ())]),
        (("Q37463", "P26"), [(item("Q7186"), "normal", ())]),  # the value redirects
        (("Q999999001", "P19"), [(item("Q270"), "normal", ()), (item("Q90"), "deprecated", ())]),  # so does the item
        (("Q7186", "P2048"), []),
        (("Q999", "P19"), []),
    ],
)
def test_statements(lookups, pair, statements):
    found = lookups.claims([pair])[pair]
    assert [(one.value, one.rank, one.qualifiers) for one in found] == statements
    assert {one.property for one in found} <= {pair[1]}


def test_statements_have_the_iris_of_their_nodes(lookups):
    found = lookups.claims([("Q7186", "P31")])
    assert found == {("Q7186", "P31"): (Claim(f"{WDS}Q7186-P31-1", "P31", item("Q5")),)}


def test_values_of_one_qualifier_keep_their_precisions(tmp_path):
    # The same time twice is one simple value, and two full ones.
    (tmp_path / "a.ttl").write_text(
        textwrap.dedent("""\
            @prefix pq: <http://www.wikidata.org/prop/qualifier/> .
            @prefix pqv: <http://www.wikidata.org/prop/qualifier/value/> .
            @prefix wikibase: <http://wikiba.se/ontology#> .
            @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
            <http://www.wikidata.org/entity/Q1> <http://www.wikidata.org/prop/P39> <http://x/s> .
            <http://x/s> <http://www.wikidata.org/prop/statement/P39> <http://www.wikidata.org/entity/Q2> ;
              wikibase:rank wikibase:NormalRank ; pqv:P580 <http://x/v1>, <http://x/v2> ;
              pq:P580 "1900-01-01T00:00:00Z"^^xsd:dateTime, <http://www.wikidata.org/.well-known/genid/1> .
            <http://x/v1> wikibase:timeValue "1900-01-01T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 9 .
            <http://x/v2> wikibase:timeValue "1900-01-01T00:00:00Z"^^xsd:dateTime ; wikibase:timePrecision 11 .
            """)
    )
    (found,) = Lookups(open_endpoint(tmp_path), cache=None).claims([("Q1", "P39")])["Q1", "P39"]
    time = "1900-01-01T00:00:00Z"
    assert set(found.qualifiers) == {
        ("P580", Value("time", time, precision=9)),
        ("P580", Value("time", time, precision=11)),
        ("P580", Value("somevalue")),
    }


def test_items(lookups):
    curie = Item("Q7186", frozenset({"Q5"}), (("en", "Marie Curie"), ("mul", "Marie Curie")), 215)
    assert lookups.items(["Q7186", "Q90", "Q999", "Q999999001", "Q999999002", "Q999999003", "Q6581072"]) == {
        "Q7186": curie,
        "Q90": Item("Q90", frozenset({"Q1549591"}), (("en", "Paris"), ("mul", "Paris")), 330),  # as the dumps have it
        "Q999": None,
        "Q999999001": curie,
        "Q999999002": curie,
        "Q999999003": NotChecked("redirects in a circle"),
        "Q6581072": Item("Q6581072", labels=(("en", "female"),)),
    }


def test_items_have_labels_in_the_languages_asked_for(lookups):
    assert lookups.items(["Q7186"], languages=["PL"])["Q7186"].labels == (("pl", "Maria Skłodowska-Curie"),)
    assert lookups.items(["Q7186"], languages=["fr"])["Q7186"].labels == ()
    assert len(lookups.items(["Q7186"])["Q7186"].labels) == 2


def test_profiles(lookups):
    assert lookups.profiles(["Q830149", "Q243", "Q999999999"]) == {
        "Q830149": Profile(frozenset({"Q515"}), "", (("P17", "United States"), ("P31", "city"))),
        "Q243": Profile(
            frozenset({"Q12518"}),
            "",
            (("P131", "Paris"), ("P17", "France"), ("P31", "tower"), ("P571", "1889-03-31T00:00:00Z")),
        ),
        "Q999999999": Profile(),
    }


def test_a_profile_has_the_description_in_the_first_language_that_has_one(lookups):
    (found,) = lookups.profiles(["Q7186"], languages=("pl", "en", "mul")).values()
    assert found.description == "Polish-French physicist and chemist (1867–1934)"
    assert {("P106", "physicist"), ("P27", "Polska"), ("P27", "France")} <= set(found.facts)
    (found,) = lookups.profiles(["Q7186"], languages=("fr",)).values()
    assert found.description == ""


def test_properties(lookups):
    assert lookups.properties(["P19", "P22", "P26", "P36", "P569", "P9999"]) == {
        "P19": WikidataProperty(
            "P19",
            "place of birth",
            "WikibaseItem",
            subproperty_of=frozenset({"P276"}),
            constraints=Constraints(
                single_value=True,
                separators=frozenset({"P805"}),
                subject_types=frozenset({"Q5", "Q95074"}),
                value_types=frozenset({"Q2221906"}),
                exceptions=frozenset({"Q6691"}),
            ),
        ),
        "P22": WikidataProperty(
            "P22",
            "father",
            "WikibaseItem",
            inverses=frozenset({"P40"}),
            subproperty_of=frozenset({"P8810"}),
            constraints=Constraints(single_value=True),
        ),
        "P26": WikidataProperty("P26", "spouse", "WikibaseItem", inverses=frozenset({"P26"}), symmetric=True),
        "P36": WikidataProperty(
            "P36",
            "capital",
            "WikibaseItem",
            inverses=frozenset({"P1376"}),
            constraints=Constraints(single_value=True, separators=frozenset({"P580", "P582"})),
        ),
        "P569": WikidataProperty("P569", "date of birth", "Time", constraints=Constraints(single_value=True)),
        "P9999": None,
    }


def test_subclasses(lookups):
    pairs = {
        ("Q5", "Q215627"): True,
        ("Q5", "Q35120"): True,
        ("Q5", "Q5"): True,
        ("Q35120", "Q5"): False,
        ("Q5", "Q515"): False,
        ("Q999", "Q5"): False,
        ("Q999", "Q999"): True,
    }
    assert lookups.subclasses(pairs) == pairs


def test_located_in(lookups):
    pairs = {("Q270", "Q54169"): True, ("Q270", "Q36"): True, ("Q36", "Q270"): False, ("Q243", "Q142"): True}
    assert lookups.located_in(pairs) == pairs


def test_surrounded_by(lookups):
    pairs = {("Q270", "Q36"): True, ("Q270", "Q46"): True, ("Q270", "Q34266"): True, ("Q46", "Q36"): False}
    assert lookups.surrounded_by(pairs) == pairs


def test_candidates(lookups):
    assert lookups.candidates(["Paris", "Warszawa", "Marie Curie", "paris", "nobody"]) == {
        "Paris": (
            Candidate("Q90", "Paris", True, "en", 330),
            Candidate("Q167646", "Paris", True, "en", 80),
            Candidate("Q830149", "Paris", True, "en", 50),
        ),
        "Warszawa": (Candidate("Q270", "Warszawa", False, "en", 270),),
        "Marie Curie": (Candidate("Q7186", "Marie Curie", True, "en", 215),),
        "paris": tuple(
            Candidate(item, "paris", True, "en", sitelinks, respelled=True)
            for item, sitelinks in [("Q90", 330), ("Q167646", 80), ("Q830149", 50)]
        ),
        "nobody": (),
    }


def test_candidates_in_other_languages(lookups):
    assert lookups.candidates(["Warszawa"], languages=["pl", "en"])["Warszawa"][0].is_label
    assert lookups.candidates(["USA"])["USA"] == (Candidate("Q30", "USA", False, "mul", 400),)
    assert lookups.candidates(["Paris"], languages=["mul", "en"])["Paris"][0].language == "mul"


def test_names_as_others_write_them_are_found_with_one_query(tmp_path):
    forms = {written: name for name, *written_so in WRITTEN for written in written_so}
    names = {name: number for number, name in enumerate(dict.fromkeys(forms.values()), 1)}
    lines = [f'<{WD}Q{number}> <{RDFS}label> "{name}"@mul .' for name, number in names.items()]
    (tmp_path / "wikidata.nt").write_text("\n".join(lines), encoding="utf-8")
    with Lookups(open_endpoint(tmp_path / "wikidata.nt"), cache=None) as lookups:
        found = lookups.candidates(forms)
        assert lookups.endpoint.queries == 2  # the second, because no item has sitelinks: see `PARTS`
    assert {written: [one.item for one in found[written]] for written in forms} == {
        written: [f"Q{names[name]}"] for written, name in forms.items()
    }


def test_a_candidate_tells_whether_it_has_the_name_in_other_letters(tmp_path):
    (tmp_path / "wikidata.nt").write_text(f'<{WD}Q1> <{RDFS}label> "Ilo O’Brun"@en .', encoding="utf-8")
    with Lookups(open_endpoint(tmp_path / "wikidata.nt"), cache=None) as lookups:
        found = lookups.candidates(["Ilo O'Brun,", "ILO O'BRUN", "Ilo O'Brun's"])
    assert [one[0].respelled for one in found.values()] == [False, True, True]


def test_properties_are_no_candidates(lookups):
    assert lookups.candidates(["place of birth"]) == {"place of birth": ()}


def test_what_can_be_no_name_is_none_and_not_asked_for(local):
    lookups = Lookups(local, cache=None)
    assert set(lookups.candidates(["", "x" * 251, "a\ud800"]).values()) == {()}
    assert local.queries == 0


def test_connections(lookups):
    pairs = {
        ("Q7186", "Q270"): {"P19"},
        ("Q7186", "Q90"): set(),  # deprecated
        ("Q270", "Q7186"): set(),
        ("Q90", "Q142"): {"P17", "P131", "P1376"},
    }
    assert lookups.connections(pairs) == pairs


def test_properties_of_statements_with_a_qualifier(lookups):
    pairs = {
        ("Q7186", "P585"): {"P166"},
        ("Q7186", "P580"): {"P26"},
        ("Q7186", "P19"): set(),
        ("Q270", "P585"): set(),
    }
    assert lookups.qualified(pairs) == pairs


@pytest.mark.parametrize(
    "look_up",
    [
        lambda lookups: lookups.claims([("Q1", "Q1")]),
        lambda lookups: lookups.items(["Q5", "Q1 "]),
        lambda lookups: lookups.properties(["Q1"]),
        lambda lookups: lookups.subclasses([("Q1", "x")]),
        lambda lookups: lookups.located_in([("x", "Q1")]),
        lambda lookups: lookups.connections([("Q1", "P1")]),
        lambda lookups: lookups.qualified([("Q1", "Q1")]),
        lambda lookups: lookups.candidates(["x"], languages=["en us"]),
    ],
)
def test_what_is_no_id_is_refused_before_anything_is_asked(local, look_up):
    with pytest.raises(InputError):
        look_up(Lookups(local, cache=None))
    assert local.queries == 0


def test_nothing_asked_for_is_no_query(local):
    lookups = Lookups(local, cache=None)
    assert lookups.claims([]) == lookups.items([]) == lookups.candidates([]) == {}
    assert local.queries == 0


def everything(lookups):
    """Look up all sorts of facts."""
    people, places = ("Q7186", "Q37463", "Q7504", "Q935", "Q6691", "Q999"), ("Q270", "Q54169", "Q36", "Q90", "Q243")
    return (
        lookups.claims([(id, name) for id in people for name in ("P19", "P26", "P569", "P40")]),
        lookups.items([*people, *places, "Q999999002", "Q999999003"]),
        lookups.properties(["P19", "P22", "P26", "P36", "P40", "P9999"]),
        lookups.subclasses([(one, other) for one in ("Q5", "Q1549591", "Q95074") for other in ("Q35120", "Q515")]),
        lookups.located_in([(one, other) for one in places for other in places]),
        lookups.surrounded_by([(one, other) for one in places for other in places]),
        lookups.candidates(["Paris", "Warsaw", "Marie Curie", "nobody", 'x"\\u0022']),
        lookups.connections([(one, other) for one in people for other in places]),
        lookups.qualified([(id, name) for id in people for name in ("P580", "P585", "P19")]),
    )


def test_server_and_file_know_the_same(wikidata_url):
    by_server = everything(Lookups(open_endpoint(wikidata_url), cache=None))
    assert by_server == everything(Lookups(open_endpoint(WIKIDATA), cache=None))


def test_a_second_run_asks_nothing(local, path):
    with Lookups(local, cache=path) as lookups:
        first = everything(lookups)
    asked = local.queries
    with Lookups(local, cache=path) as lookups:
        assert everything(lookups) == first
    with Lookups(local, cache=path, offline=True) as lookups:
        assert everything(lookups) == first
    assert local.queries == asked


def test_duplicates_cost_nothing(local):
    lookups = Lookups(local, cache=None, batch=4)
    lookups.items(["Q5"] * 100)
    lookups.claims([("Q7186", "P19")] * 100)
    lookups.subclasses([("Q5", f"Q{number}") for number in range(1, 100)])
    assert local.queries == 3


def test_one_endpoint_knows_nothing_of_another(local, path):
    with Lookups(local, cache=path) as lookups:
        lookups.items(["Q5"])
    local.name = "http://example.org/sparql"
    with Lookups(local, cache=path, offline=True) as lookups:
        assert lookups.items(["Q5"]) == {"Q5": OFFLINE}


def test_offline_no_query_is_sent(local, path):
    with Lookups(local, cache=path) as lookups:
        lookups.items(["Q5"])
    with Lookups(local, cache=path, offline=True) as lookups:
        assert lookups.items(["Q5", "Q515"]) == {
            "Q5": Item("Q5", labels=(("en", "human"),), sitelinks=260),
            "Q515": OFFLINE,
        }
        assert lookups.candidates(["x"]) == {"x": OFFLINE}
    assert local.queries == 1


def test_refreshing_asks_once_more_but_not_twice(local, path, clock):
    for refresh, queries in ((False, 1), (False, 1), (True, 2)):
        with Lookups(local, cache=path, refresh=refresh, clock=clock) as lookups:
            lookups.items(["Q5"])
            lookups.items(["Q5"])
        assert local.queries == queries
        clock.sleep(1)


@pytest.mark.parametrize(("first", "second"), [(1, 30), (30, 1)])
def test_facts_expire_by_the_shorter_age(local, path, clock, first, second):
    with Lookups(local, cache=path, max_age=timedelta(days=first), clock=clock) as lookups:
        lookups.items(["Q5"])
    for days, queries in ((0.9, 1), (0.2, 2)):
        clock.sleep(days * 86400)
        with Lookups(local, cache=path, max_age=timedelta(days=second), clock=clock) as lookups:
            lookups.items(["Q5"])
        assert local.queries == queries


def timed_out(size):
    return EndpointError("", reason="timed out", is_timeout=True)


IDS = [f"Q{number}" for number in range(1, 101)]


def test_batches_halve_on_time_outs_and_grow_back_slowly(local):
    local.fails = lambda size: timed_out(size) if size > 20 else None
    lookups = Lookups(local, cache=None, batch=100)
    assert NotChecked("timed out") not in lookups.located_in([(id, "Q36") for id in IDS]).values()
    assert local.sizes[:4] == [100, 50, 25, 12]
    assert local.sizes[4] == 27  # a tenth more of the most that are asked for at once
    local.fails = lambda size: None
    for number in range(1, 10):
        local.sizes.clear()
        lookups.located_in([(f"Q{number}{id[1:]}7", "Q36") for id in IDS])
    assert local.sizes == [100]


def test_what_times_out_alone_is_not_checked_and_the_rest_is(local):
    real = local.endpoint.select

    def select(query):
        if "wd:Q36 " in query:
            raise timed_out(0)
        return real(query)

    local.endpoint.select = select
    found = Lookups(local, cache=None, batch=16).located_in([(id, "Q142") for id in (*IDS, "Q243")])
    assert {pair: value for pair, value in found.items() if value} == {
        ("Q36", "Q142"): NotChecked("timed out"),
        ("Q90", "Q142"): True,
        ("Q243", "Q142"): True,
    }


def test_what_fails_is_not_checked_and_not_remembered(local, path):
    local.fails = lambda size: EndpointError("", reason="server error (500)")
    with Lookups(local, cache=path) as lookups:
        assert lookups.items(["Q5"]) == {"Q5": NotChecked("server error (500)")}
        assert lookups.claims([("Q5", "P31")]) == {("Q5", "P31"): NotChecked("server error (500)")}
        assert lookups.subclasses([("Q5", "Q35120"), ("Q5", "Q5")]) == {
            ("Q5", "Q35120"): NotChecked("server error (500)"),
            ("Q5", "Q5"): True,
        }
        assert lookups.candidates(["Paris"]) == {"Paris": NotChecked("server error (500)")}
        assert local.queries == 4
        local.fails = lambda size: None
        assert lookups.items(["Q5"])["Q5"].id == "Q5"


@pytest.mark.parametrize(
    "rows",
    [
        [{}],
        [{"asked": NamedNode(f"{WD}Q6")}],
        [{"asked": Literal("Q5")}],
        [{"asked": NamedNode(f"{WD}Q5"), "sitelinks": Literal("many")}],
    ],
)
def test_rows_that_were_not_asked_for_are_no_answer(local, rows):
    local.endpoint.select = lambda query: rows
    assert Lookups(local, cache=None).items(["Q5"]) == {"Q5": NotChecked("unexpected answer")}


FAULTS = [
    *(Answer(status=status) for status in (429, 500, 502, 503, 504)),
    Answer(status=429, headers={"Retry-After": "30"}),
    Answer(status=429, body=b"Operation timed out."),
    Answer(body=b""),
    Answer(body=b"<html>", headers={"Content-Type": "text/html"}),
    Answer(body=b'{"head": {"vars": ["x"]}, "results": {"bindings": ['),
    Answer(headers={"Content-Type": "text/plain"}),
    Answer(close=True),
]


@pytest.fixture
def answer():
    """What a faultless endpoint says."""
    store = Store()
    store.bulk_load(path=WIKIDATA, format=RdfFormat.TURTLE)
    return lambda query: Answer(body=store.query(query).serialize(format=QueryResultsFormat.JSON))


@pytest.mark.parametrize("seed", range(20))
def test_faults_never_change_an_answer(server, clock, answer, seed):
    chance = random.Random(seed)
    server.otherwise = lambda query: chance.choice(FAULTS) if chance.random() < 0.2 else answer(query)
    found = everything(Lookups(open_endpoint(server.url, clock=clock), cache=None, batch=4))
    expected = everything(Lookups(open_endpoint(WIKIDATA), cache=None))
    for one, other in zip(found, expected, strict=True):
        assert one == other  # all is tried often enough to find all out


def test_no_end_of_faults_makes_all_not_checked(server, clock):
    chance = random.Random(0)
    server.otherwise = lambda query: chance.choice(FAULTS)
    found = everything(Lookups(open_endpoint(server.url, clock=clock), cache=None, batch=4))
    certain = [True, ()]  # a class is itself; what can be no name is none
    assert all(isinstance(value, NotChecked) or value in certain for part in found for value in part.values())
    assert len(server.requests) <= 20


def test_ctrl_c_loses_no_batch_that_was_answered(server, answer, path):
    code = f"""
        from pathlib import Path
        from kgmrca.wikidata.lookups import Lookups
        from kgmrca.wikidata.sparql import open_endpoint
        Lookups(open_endpoint({server.url!r}), cache=Path({str(path)!r}), batch=2).claims(
            [(f"Q{{number}}", "P31") for number in range(1, 11)])
    """
    queries = []

    def answer_three(query):
        if "p:P31" not in query:  # it is about what the endpoint has
            return answer(query)
        queries.append(query)
        if len(queries) == 4:
            process.send_signal(signal.SIGINT)
        return Answer(hold=True) if len(queries) > 3 else answer(query)

    server.otherwise = answer_three
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stderr=subprocess.PIPE,
        # A shell's background jobs, and so their children, ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    _, errors = process.communicate()
    assert b"KeyboardInterrupt" in errors
    with Lookups(open_endpoint(server.url), cache=path, offline=True) as lookups:
        found = lookups.claims([(f"Q{number}", "P31") for number in range(1, 11)])
    assert [value == OFFLINE for value in found.values()] == [False] * 6 + [True] * 4


def test_several_processes_share_a_cache(path):
    code = f"""
        import sys
        from pathlib import Path
        from kgmrca.wikidata.cache import Cache
        for number in range(40):
            cache = Cache(Path({str(path)!r}))
            values = {{(f"Q{{one}}", sys.argv[1]): one for one in range(20)}} | {{("all", ""): number}}
            cache.put(sys.argv[1], "numbers", values, fetched=0, expires=9)
            assert cache.get(sys.argv[1], "numbers", values, after=0, now=0) == values
            cache.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    processes = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE) for number in range(4)]
    assert [process.communicate()[1] for process in processes] == [b""] * 4
    assert [(one.endpoint, one.entries) for one in Cache(path).usage(now=0)] == [
        (str(number), 21) for number in range(4)
    ]


@pytest.fixture
def cache(path):
    """Lookups of two endpoints, some of them expired at 10."""
    cache = Cache(path)
    cache.put("a", "numbers", {("Q1", ""): 1, ("Q2", ""): 2}, fetched=1, expires=10)
    cache.put("a", "numbers", {("Q3", "P1"): 3}, fetched=2, expires=20)
    cache.put("b", "numbers", {("Q1", ""): None}, fetched=3, expires=20)
    yield cache
    cache.close()


def entries(cache):
    return [(one.endpoint, one.entries, one.expired, one.oldest) for one in cache.usage(now=10)]


def test_a_cache_says_what_it_holds(cache):
    assert entries(cache) == [("a", 3, 2, 1.0), ("b", 1, 0, 3.0)]


@pytest.mark.parametrize(
    ("what", "removed", "left"),
    [
        ({}, 4, []),
        ({"endpoint": "a"}, 3, [("b", 1, 0, 3.0)]),
        ({"expired_at": 10}, 2, [("a", 1, 0, 2.0), ("b", 1, 0, 3.0)]),
        ({"endpoint": "b", "expired_at": 10}, 0, [("a", 3, 2, 1.0), ("b", 1, 0, 3.0)]),
    ],
)
def test_a_cache_can_be_cleared(cache, what, removed, left):
    assert cache.clear(**what) == removed
    assert entries(cache) == left


def test_nothing_found_is_remembered_too(cache):
    keys = [("Q1", ""), ("Q2", "")]
    assert cache.get("b", "numbers", keys, after=0, now=0) == {("Q1", ""): None}


def test_a_later_fact_replaces_an_earlier(cache):
    cache.put("b", "numbers", {("Q1", ""): 7}, fetched=5, expires=20)
    assert cache.get("b", "numbers", [("Q1", "")], after=4, now=0) == {("Q1", ""): 7}


def test_a_database_of_others_is_left_alone(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE facts (x)")
    connection.close()
    with pytest.raises(InputError, match="another program"):
        Cache(path).usage(now=0)


@pytest.mark.parametrize("content", [b"no database, but something else" * 99, None])
def test_a_cache_that_cannot_be_used_is_an_error(path, content, local):
    path.parent.mkdir()
    path.write_bytes(content) if content else path.mkdir()
    with pytest.raises(InputError, match=r"cache '.*' cannot be used"):
        Lookups(local, cache=path).items(["Q5"])
    assert local.queries == 0


def test_the_cache_is_in_the_users_folder(monkeypatch, tmp_path):
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert default_cache() == tmp_path / "kgmrca" / "wikidata.sqlite"
    assert default_cache().name == "wikidata.sqlite"


def test_the_users_folder_is_looked_up_when_the_cache_is_opened(monkeypatch, tmp_path, local):
    monkeypatch.setattr("kgmrca.wikidata.lookups.default_cache", lambda: tmp_path / "wikidata.sqlite")
    assert Lookups(open_endpoint("http://127.0.0.1:9/query")).cache == tmp_path / "wikidata.sqlite"
    assert Lookups(local).cache is None
    assert Lookups(local, cache=tmp_path / "wikidata.sqlite").cache == tmp_path / "wikidata.sqlite"


@pytest.fixture
def truthy(tmp_path):
    """The facts without statement nodes, as dumps of "truthy" statements have them."""
    graph = Store()
    graph.bulk_load(path=str(WIKIDATA), format=RdfFormat.TURTLE)
    nodes = tuple(f"http://www.wikidata.org/{name}" for name in ("prop/P", "prop/statement/", "prop/qualifier/"))
    kept = [
        Triple(quad.subject, quad.predicate, quad.object)
        for quad in graph
        if not quad.predicate.value.startswith(nodes)
        and not quad.subject.value.startswith(
            ("http://www.wikidata.org/entity/statement/", "http://www.wikidata.org/value/")
        )
    ]
    path = tmp_path / "truthy.nt"
    path.write_bytes(serialize(kept, format=RdfFormat.N_TRIPLES))
    return path


@pytest.mark.parametrize("many", [True, False])
def test_without_statement_nodes_the_direct_values_are_the_claims(truthy, many):
    pairs = [("Q7186", "P19"), ("Q7186", "P3373"), *([("Q37463", "P26")] if many else [])]
    with Lookups(open_endpoint(truthy)) as lookups:
        found = lookups.claims(pairs)
        assert [claim.value for claim in found["Q7186", "P19"]] == [Value("item", "Q270")]
        assert found["Q7186", "P3373"] == ()
        assert lookups.lacks("statements")
        assert any("no statement nodes" in said for said in lookups.remarks.values())
        if many:
            assert [claim.value for claim in found["Q37463", "P26"]] == [Value("item", "Q7186")]  # which redirects
        assert lookups.claims_fetched(pairs).keys() == set(pairs)


def test_what_an_endpoint_lacks_is_found_out_once_and_remembered(truthy, path):
    for n_queries in (4, 0):  # the claims, what there is, and the values of two items
        endpoint = open_endpoint(truthy)
        with Lookups(endpoint, cache=path) as lookups:
            for item in ("Q7186", "Q37463"):
                assert lookups.claims([(item, "P19")])[item, "P19"]
        assert endpoint.queries == n_queries


def test_where_statement_nodes_are_it_is_not_asked():
    endpoint = open_endpoint(WIKIDATA)
    with Lookups(endpoint) as lookups:
        lookups.claims([("Q7186", "P19"), ("Q7186", "P3373")])
        lookups.claims([("Q7186", "P3373")])
        assert not lookups.remarks
    assert endpoint.queries == 1


def test_a_first_answer_without_claims_is_looked_into():
    endpoint = open_endpoint(WIKIDATA)
    with Lookups(endpoint) as lookups:
        assert lookups.claims([("Q7186", "P3373")]) == {("Q7186", "P3373"): ()}
        assert not lookups.lacks("statements")
    assert endpoint.queries == 2


def test_an_endpoint_that_cannot_say_what_it_has_has_no_claims_for_certain(server, clock):
    server.otherwise = lambda query: Answer(504) if "LIMIT 1" in query else Answer()
    with Lookups(open_endpoint(server.url, clock=clock), cache=None, clock=clock) as lookups:
        assert lookups.claims([("Q7186", "P19")]) == {("Q7186", "P19"): NotChecked("timed out")}


def test_names_in_a_language_that_nobody_asked_for_are_refused_in_words(server):
    def answer(query):
        name = {"type": "literal", "value": "Paris", "xml:lang": "fr"}
        row = {
            "asked": {"type": "literal", "value": "Paris"},
            "name": name,
            "item": {"type": "uri", "value": "http://www.wikidata.org/entity/Q90"},
            "is_label": {"type": "literal", "value": "true"},
        }
        rows = [{"d0": name}] * 2000 if "?d0" in query else [row]
        return Answer(body=json.dumps({"head": {"vars": []}, "results": {"bindings": rows}}).encode())

    server.otherwise = answer
    with Lookups(open_endpoint(server.url), cache=None) as lookups:
        assert lookups.candidates(["Paris"]) == {"Paris": NotChecked("unexpected answer")}
        assert "a name in the language 'fr', not in one asked for" in " ".join(lookups.remarks.values())
