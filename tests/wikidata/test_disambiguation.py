"""Names -> items, with a Wikidata made up for each case: the items of one name are Q1, Q2, ..., of another Q11, ..."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known import Known

from kgmrca.triples.items import property_id
from kgmrca.wikidata.disambiguation import (
    WEIGHTS,
    Entity,
    EntityGroup,
    EntityPair,
    LinkDecision,
    marginals,
    neighbours,
)
from kgmrca.wikidata.link_lookups import link_entities
from kgmrca.wikidata.records import Candidate, Profile

ALIAS, FOREIGN = (Candidate("Q1", "Paris", False, "en"), Candidate("Q1", "Paris", True, "fr"))


def paris(item, sitelinks):
    return Candidate(item, "Paris", True, "en", sitelinks)


def choose_items(known, *entities, pairs=(), **options):
    entities = [Entity(one) if isinstance(one, str) else one for one in entities]
    (decisions,) = link_entities([EntityGroup(entities, pairs)], known, **options)
    return decisions


### One name


def test_the_only_item_of_a_name_is_linked():
    (decision,) = choose_items(Known({"Paris": ["Q1"]}), "Paris")
    assert (decision.outcome, decision.item) == ("linked", "Q1")


def test_a_name_of_no_item_has_no_candidates():
    assert choose_items(Known(), "Paris") == (LinkDecision("no candidates", reason="No item has this name."),)


def test_between_two_equal_items_nothing_is_decided():
    (decision,) = choose_items(Known({"Paris": ["Q1", "Q2"]}), "Paris")
    assert (decision.outcome, decision.item) == ("abstained", None)
    assert decision.reason


def test_a_decision_keeps_its_candidates_the_likeliest_first():
    (decision,) = choose_items(Known({"Paris": [paris("Q2", 10), paris("Q1", 300)]}), "Paris")
    assert [item for item, _ in decision.candidates] == ["Q1", "Q2"]
    assert all(0 < score < 1 for _, score in decision.candidates)
    assert sum(score for _, score in decision.candidates) < 1  # the rest: it is none of them


@pytest.mark.parametrize("worse", [ALIAS, FOREIGN])
def test_a_label_in_the_language_is_likelier_than_another_name(worse):
    known = Known({"Paris": [worse, "Q2"]})
    (decision,) = choose_items(known, "Paris", languages=("en", "mul", "fr"))
    assert decision.candidates[0][0] == "Q2"


def test_a_name_for_all_languages_counts_like_one_in_the_language():
    known = Known({"Paris": [Candidate("Q1", "Paris", True, "mul"), "Q2"]})
    (decision,) = choose_items(known, "Paris")
    assert decision.candidates[0][1] == decision.candidates[1][1]


def test_other_languages_are_not_looked_at():
    assert choose_items(Known({"Paris": [FOREIGN]}), "Paris")[0].outcome == "no candidates"


def test_a_weak_candidate_is_not_linked():
    known = Known({"Paris": [Candidate("Q1", "Paris", False, "fr", 0)]})
    (decision,) = choose_items(known, "Paris", languages=("en", "fr"))
    assert decision.outcome == "abstained"
    assert decision.reason.startswith("The best candidate has a probability of")


def test_the_better_known_item_is_meant():
    (decision,) = choose_items(Known({"Paris": [paris("Q1", 5), paris("Q2", 300)]}), "Paris")
    assert decision.item == "Q2"


@pytest.mark.parametrize(
    ("limit", "outcome"), [({}, "linked"), ({"min_probability": 0.99}, "abstained"), ({"margin": 0.9}, "abstained")]
)
def test_the_limits_decide_what_is_linked(limit, outcome):
    known = Known({"Paris": [paris("Q1", 5), paris("Q2", 20)]})
    assert choose_items(known, "Paris", **limit)[0].outcome == outcome


def test_another_spelling_is_found_but_is_less_likely():
    known = Known({"Netherlands": ["Q1"], "The Netherlands": ["Q2"]})
    (decision,) = choose_items(known, "The Netherlands")
    assert [item for item, _ in decision.candidates] == ["Q2", "Q1"]


### What the text says


SINGER = Profile(frozenset({"Q5"}), "Danish singer", (("P27", "Denmark"), ("P569", "1950-01-01T00:00:00Z")))
SAILOR = Profile(frozenset({"Q5"}), "Norwegian sailor", (("P27", "Norway"), ("P569", "1850-01-01T00:00:00Z")))


def lund(**described):
    return Known({"Oda Lund": [Candidate(item, "Oda Lund", True, "en", 3) for item in described]}, described=described)


@pytest.mark.parametrize(
    ("sentences", "item"),
    [
        ("Oda Lund was a singer.", "Q1"),
        ("Oda Lund sailed as a sailor.", "Q2"),
        ("The Danes loved Oda Lund of Denmark.", "Q1"),
        ("Oda Lund, a Norwegian, was born in 1850 in Norway.", "Q2"),
    ],
)
def test_the_words_of_the_sentence_tell_which_item_is_meant(sentences, item):
    known = lund(Q1=SINGER, Q2=SAILOR)
    (decision,) = choose_items(known, Entity("Oda Lund", "PERSON", sentences=sentences), min_probability=0, margin=0)
    assert decision.item == item


def test_the_words_of_the_text_tell_too():
    group = EntityGroup([Entity("Oda Lund", sentences="Oda Lund came.")], text="Norwegian sailors met. Oda Lund came.")
    ((decision,),) = link_entities([group], lund(Q1=SINGER, Q2=SAILOR), min_probability=0, margin=0)
    assert decision.item == "Q2"


def test_what_the_other_entities_are_tells_too():
    known = lund(Q1=SINGER, Q2=SAILOR)
    known.names |= {
        "Per": [Candidate("Q11", "Per", True, "en", 90)],
        "Jens": [Candidate("Q12", "Jens", True, "en", 90)],
    }
    known.described |= {"Q11": SAILOR, "Q12": SAILOR}
    decisions = choose_items(known, "Oda Lund", "Per", "Jens", min_probability=0, margin=0)
    assert decisions[0].item == "Q2"


def test_an_item_that_has_two_of_the_names_is_meant():
    known = Known({"Oda Lund": ["Q1", "Q2"], "Mrs Osk": ["Q2", "Q3"]})
    (decision,) = choose_items(known, Entity("Oda Lund", others=("Mrs Osk",)))
    assert decision.item == "Q2"
    assert {item for item, _ in decision.candidates} == {"Q1", "Q2"}


def test_another_spelling_of_the_name_is_no_other_name():
    known = Known({"Oda Lund": ["Q1", "Q2"]})
    (decision,) = choose_items(known, Entity("Oda Lund", others=("ODA LUND", "Oda Lund's", "Oda Lund,")))
    assert decision == choose_items(known, "Oda Lund")[0]


def test_an_entity_is_not_decided_about_if_another_name_could_not_be_looked_up():
    known = Known({"Oda Lund": ["Q1"]}, failing={("candidates", "Mrs Osk")})
    (decision,) = choose_items(known, Entity("Oda Lund", others=("Mrs Osk",)))
    assert (decision.outcome, decision.reason) == ("not looked up", "timed out")


def test_without_a_text_nothing_is_missing_in_it():
    (known,) = choose_items(lund(Q1=SINGER), "Oda Lund")
    (bare,) = choose_items(lund(Q1=Profile()), "Oda Lund")
    assert known.candidates == bare.candidates


def test_dates_that_contradict_the_only_item_speak_against_it_however_well_known_it_is():
    known = Known({"Oda Lund": [Candidate("Q1", "Oda Lund", True, "en", 300)]}, described={"Q1": SINGER})
    (plain,) = choose_items(known, Entity("Oda Lund", "PERSON", sentences="Oda Lund was a singer."))
    (other,) = choose_items(known, Entity("Oda Lund", "PERSON", sentences="Oda Lund (1736-1784) was a singer."))
    assert (plain.item, other.item) == ("Q1", None)
    assert plain.probability > 0.99 > 0.7 > other.probability


def test_dates_that_agree_make_a_link_surer():
    known = lund(Q1=SINGER, Q2=Profile(frozenset({"Q5"}), "Danish singer", (("P569", "1820-01-01T00:00:00Z"),)))
    (decision,) = choose_items(known, Entity("Oda Lund", "PERSON", sentences="Oda Lund (1950-2001) was a singer."))
    assert decision.item == "Q1"


def test_the_place_that_follows_a_name_outweighs_how_well_known_another_is():
    described = {
        "Q1": Profile(description="capital of France", facts=(("P17", "France"),)),
        "Q2": Profile(description="city in Texas", facts=(("P17", "United States"),)),
    }
    known = Known({"Paris": [paris("Q1", 330), paris("Q2", 80)]}, described=described)
    texan, french = (
        choose_items(known, Entity("Paris", "GPE", sentences=text))[0]
        for text in ("They live in Paris, Texas.", "They live in Paris, France.")
    )
    assert (texan.item, french.item) == ("Q2", "Q1")


def test_how_sure_the_best_candidate_is_is_known_of_what_is_not_linked_too():
    (decision,) = choose_items(Known({"Paris": ["Q1", "Q2"]}), "Paris")
    assert (decision.outcome, decision.confidence) == ("abstained", 0)
    assert decision.probability == decision.candidates[0][1] > 0.3
    assert choose_items(Known(), "Paris")[0].probability == 0


def test_where_the_profile_is_not_known_nothing_is_decided():
    known = lund(Q1=SINGER)
    known.failing = {("profiles", "Q1")}
    assert choose_items(known, "Oda Lund")[0].outcome == "not looked up"


### Types


CITY_AND_PERSON = {"classes": {"Q1": ["Q515"], "Q2": ["Q5"]}, "below": {("Q515", "Q2221906")}}


@pytest.mark.parametrize(("label", "item"), [("GPE", "Q1"), ("LOC", "Q1"), ("PERSON", "Q2"), ("PER", "Q2")])
def test_an_item_of_the_entitys_type_is_meant(label, item):
    known = Known({"Paris": ["Q1", "Q2"]}, **CITY_AND_PERSON)
    assert choose_items(known, Entity("Paris", label))[0].item == item


@pytest.mark.parametrize("label", ["", "GENE", "ENTITY"])
def test_an_unknown_type_has_no_weight(label):
    known = Known({"Paris": ["Q1", "Q2"]}, **CITY_AND_PERSON)
    assert choose_items(known, Entity("Paris", label))[0].outcome == "abstained"


def test_an_item_whose_class_is_none_of_ours_can_be_anything():
    known = Known({"Paris": ["Q1", "Q2"]}, classes={"Q1": ["Q7"], "Q2": ["Q8"]})
    scores = dict(choose_items(known, Entity("Paris", "PERSON"))[0].candidates)
    assert scores["Q1"] == scores["Q2"]


# Disambiguation, list, category, template, duplicate; family name, given names. None of them by way of another class.
@pytest.mark.parametrize(
    "class_",
    ["Q4167410", "Q22808320", "Q13406463", "Q4167836", "Q11266439", "Q17362920", "Q101352", "Q202444", "Q12308941"],
)
def test_pages_that_tell_names_apart_and_names_themselves_are_not_meant(class_):
    known = Known({"Paris": ["Q1"]}, classes={"Q1": [class_]})
    assert choose_items(known, "Paris")[0].outcome == "no candidates"


def test_the_type_that_a_relation_needs_decides():
    known = Known({"Paris": ["Q1", "Q2"], "Curie": ["Q11"]}, **CITY_AND_PERSON)
    born = choose_items(known, "Curie", "Paris", pairs=[EntityPair(0, 1, "P19")])
    assert [one for one, _ in born[1].candidates] == ["Q1", "Q2"]
    assert [one for one, _ in choose_items(known, "Curie", "Paris", pairs=[EntityPair(0, 1, "P40")])[1].candidates] == [
        "Q2",
        "Q1",
    ]


def test_a_date_is_linked_only_where_another_item_says_so():
    known = Known({"2014": ["Q1"], "Chile": ["Q11", "Q12"]}, facts={("Q1", "P1923", "Q11")})
    date = Entity("2014", "DATE")
    assert choose_items(known, date)[0].outcome == "abstained"
    assert [one.item for one in choose_items(known, date, "Chile", pairs=[EntityPair(0, 1, "P1923")])] == ["Q1", "Q11"]


### Relations


TWO_AND_TWO = {"Paris": ["Q1", "Q2"], "Texas": ["Q11", "Q12"]}


@pytest.mark.parametrize(
    ("triples", "pair"),
    [
        pytest.param({("Q2", "P131", "Q12")}, EntityPair(0, 1, "P131"), id="by its property"),
        pytest.param({("Q2", "P276", "Q12")}, EntityPair(0, 1, "P131"), id="by another property"),
        pytest.param({("Q12", "P36", "Q2")}, EntityPair(0, 1, "P131"), id="the other way round"),
        pytest.param({("Q2", "P131", "Q12")}, EntityPair(1, 0, "P150"), id="by the inverse"),
        pytest.param({("Q2", "P131", "Q12")}, EntityPair(0, 1), id="they share a sentence"),
        pytest.param({("Q2", "P131", "Q12")}, EntityPair(0, 1, "P999999"), id="of a property without any description"),
    ],
)
def test_items_that_are_connected_are_meant(triples, pair):
    decisions = choose_items(Known(TWO_AND_TWO, facts=triples), "Paris", "Texas", pairs=[pair])
    assert [decision.item for decision in decisions] == ["Q2", "Q12"]


@pytest.mark.parametrize(
    ("stronger", "pair"),
    [
        pytest.param(("Q2", "P131", "Q12"), EntityPair(0, 1, "P131"), id="its property"),
        pytest.param(("Q12", "P150", "Q2"), EntityPair(0, 1, "P131"), id="its inverse"),
        pytest.param(("Q12", "P190", "Q2"), EntityPair(0, 1, "P190"), id="symmetric"),
    ],
)
def test_the_property_of_the_relation_counts_more_than_others(stronger, pair):
    known = Known(TWO_AND_TWO, facts={("Q1", "P276", "Q11"), stronger})
    decisions = choose_items(known, "Paris", "Texas", pairs=[pair], min_probability=0.5, margin=0.2)
    assert [decision.item for decision in decisions] == ["Q2", "Q12"]


@pytest.mark.parametrize("pair", [EntityPair(0, 1, "P131"), EntityPair(1, 0, "P150")])
def test_whichever_end_comes_first(pair):
    known = Known({"Paris": ["Q1", "Q2"], "Texas": ["Q11", "Q12", "Q13"]}, facts={("Q1", "P131", "Q13")})
    decisions = choose_items(known, "Paris", "Texas", pairs=[pair])
    assert [decision.item for decision in decisions] == ["Q1", "Q13"]


def test_an_unsure_relation_counts_less():
    known = Known(TWO_AND_TWO, facts={("Q1", "P276", "Q11"), ("Q2", "P131", "Q12")})
    sure, unsure = (
        dict(choose_items(known, "Paris", "Texas", pairs=[EntityPair(0, 1, "P131", confidence)])[0].candidates)
        for confidence in (0.9, 0.1)
    )
    assert sure["Q2"] > unsure["Q2"] > unsure["Q1"]


def test_two_relations_between_the_same_are_not_counted_twice():
    known = Known(TWO_AND_TWO, facts={("Q2", "P131", "Q12")})
    once = choose_items(known, "Paris", "Texas", pairs=[EntityPair(0, 1, "P131")])
    assert (
        choose_items(
            known, "Paris", "Texas", pairs=[EntityPair(0, 1, "P131"), EntityPair(0, 1, "P131"), EntityPair(1, 0)]
        )
        == once
    )


def test_a_connection_can_outweigh_the_better_known_item():
    known = Known({"Paris": [paris("Q1", 300), paris("Q2", 50)], "Texas": ["Q11"]}, facts={("Q2", "P131", "Q11")})
    assert choose_items(known, "Paris", "Texas", pairs=[EntityPair(0, 1, "P131", 0.8)])[0].item == "Q2"


def test_what_one_entity_is_decides_about_those_it_is_tied_to_and_so_on():
    names = {"A": ["Q1", "Q2"], "B": ["Q11", "Q12"], "C": ["Q21", "Q22"], "D": ["Q31"]}
    triples = {("Q1", "Q11"), ("Q2", "Q12"), ("Q11", "Q21"), ("Q12", "Q22"), ("Q21", "Q31")}  # only C tells of D
    known = Known(names, facts={(subject, "P17", object_) for subject, object_ in triples})
    decisions = choose_items(known, *"ABCD", pairs=[EntityPair(0, 1), EntityPair(1, 2), EntityPair(2, 3)])
    assert [decision.item for decision in decisions] == ["Q1", "Q11", "Q21", "Q31"]


def test_what_is_linked_already_stays_and_helps():
    known = Known({"Paris": ["Q1", "Q2"]}, facts={("Q2", "P131", "Q99")})
    decisions = choose_items(known, "Paris", Entity("Texas", item="Q99"), pairs=[EntityPair(0, 1, "P131")])
    assert (decisions[0].item, decisions[1]) == ("Q2", LinkDecision("kept", "Q99"))
    assert "Texas" not in known.asked[0][1]


def test_an_item_is_not_asked_about_itself():
    known = Known({"Paris": ["Q1", "Q2"], "City of Light": ["Q1"]})
    choose_items(known, "Paris", "City of Light", pairs=[EntityPair(0, 1, "P131")])
    assert set(dict(known.asked)["connections"]) == {("Q1", "Q2"), ("Q2", "Q1")}


def test_a_relation_of_an_entity_with_itself_says_nothing():
    known = Known({"Paris": ["Q1", "Q2"]}, facts={("Q1", "P17", "Q2"), ("Q1", "P17", "Q1")})
    assert choose_items(known, "Paris", pairs=[EntityPair(0, 0, "P17")])[0].outcome == "abstained"


### Look-ups that fail


@pytest.mark.parametrize(
    "failing",
    [
        ("candidates", "Paris"),
        ("profiles", "Q1"),
        ("subclasses", ("Q515", "Q2221906")),
        ("connections", ("Q1", "Q11")),
        ("connections", ("Q12", "Q2")),
    ],
    ids=str,
)
def test_without_an_answer_nothing_is_decided(failing):
    known = Known(TWO_AND_TWO, facts={("Q1", "P131", "Q11")}, failing={failing}, **CITY_AND_PERSON)
    decisions = choose_items(known, "Paris", "Texas", pairs=[EntityPair(0, 1, "P131")])
    assert decisions == (LinkDecision("not looked up", reason="timed out"),) * 2


def test_a_failure_reaches_all_that_could_have_come_out_otherwise_and_no_others():
    names = {"B": ["Q1"], "C": ["Q11"], "E": ["Q21"], "F": ["Q31"]}
    known = Known(names, failing={("candidates", "A")})
    linked = Entity("D", item="Q99")
    pairs = [EntityPair(0, 1), EntityPair(1, 2), EntityPair(0, 3), EntityPair(3, 4), EntityPair(0, 6)]
    decisions = choose_items(known, "A", "B", "C", linked, "E", "F", "nobody", pairs=pairs)
    outcomes = [decision.outcome for decision in decisions]
    assert outcomes == [*["not looked up"] * 3, "kept", "linked", "linked", "no candidates"]


### Many texts


def test_texts_are_looked_up_together():
    known = Known({f"name {number}": [f"Q{number}"] for number in range(1, 50)})
    texts = [EntityGroup([Entity(f"name {number}")]) for number in range(1, 50)]
    assert [one.item for (one,) in link_entities(texts, known)] == [f"Q{number}" for number in range(1, 50)]
    assert [kind for kind, _ in known.asked] == ["candidates", "profiles", "subclasses", "connections"]


def test_a_text_comes_out_the_same_whatever_it_is_linked_with():
    triples = {("Q2", "P131", "Q12"), ("Q1", "P17", "Q11")}
    first = EntityGroup([Entity("Paris"), Entity("Texas")], [EntityPair(0, 1, "P131")])
    second = EntityGroup([Entity("Paris"), Entity("Texas")])
    together = link_entities([first, second], Known(TWO_AND_TWO, facts=triples))
    assert together == [link_entities([text], Known(TWO_AND_TWO, facts=triples))[0] for text in (first, second)]


def test_of_many_candidates_only_so_many_pairs_are_asked_about():
    names = {"A": [f"Q{number}" for number in range(1, 90)], "B": [f"Q{number}" for number in range(101, 190)]}
    known = Known(names)
    choose_items(known, "A", "B", pairs=[EntityPair(0, 1, "P131")])
    assert len(dict(known.asked)["connections"]) <= 128


def test_nothing_is_asked_where_there_is_nothing_to_choose():
    known = Known({"Paris": ["Q1"], "Texas": ["Q11"]})
    choose_items(known, "Paris", "Texas", pairs=[EntityPair(0, 1, "P131")])
    assert dict(known.asked)["connections"] == []


### Parts


def test_entities_of_a_sentence_are_tied_to_the_next_few():
    pairs = {(pair.subject, pair.object) for pair in neighbours([0, 1, 0, 2, 3, 4])}
    assert pairs == {(0, 1), (0, 2), (1, 0), (1, 2), (1, 3), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4)}


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("http://www.wikidata.org/prop/direct/P19", "P19"),
        ("P19", "P19"),
        ("http://www.wikidata.org/prop/P19", None),
        ("urn:kgmrca:relation/P19", None),
        ("spouse", None),
    ],
)
def test_property_of(predicate, expected):
    assert property_id(predicate) == expected


def brute_force(local, pairs):
    """Marginals by adding up over all joint states."""
    weights = {
        states: np.exp(
            sum(scores[state] for scores, state in zip(local, states, strict=True))
            + sum(pair[states[a], states[b]] for (a, b), pair in pairs.items())
        )
        for states in itertools.product(*(range(len(scores)) for scores in local))
    }
    total = sum(weights.values())
    return [
        np.array([sum(w for states, w in weights.items() if states[n] == s) / total for s in range(len(scores))])
        for n, scores in enumerate(local)
    ]


numbers = st.floats(-5, 7)


@st.composite
def networks(draw, *, circles):
    local = [np.array(draw(st.lists(numbers, min_size=1, max_size=4))) for _ in range(draw(st.integers(1, 5)))]
    pairs = [(draw(st.integers(0, later - 1)), later) for later in range(1, len(local))]
    if circles:
        pairs = list(itertools.combinations(range(len(local)), 2))
    shapes = {pair: (len(local[pair[0]]), len(local[pair[1]])) for pair in pairs}
    pairs = {
        pair: np.array(draw(st.lists(st.sampled_from([0.0, 5.0, 6.0]), min_size=n * m, max_size=n * m))).reshape(n, m)
        for pair, (n, m) in shapes.items()
    }
    return local, pairs


@given(networks(circles=False))
def test_without_circles_the_marginals_are_exact(network):
    for found, expected in zip(marginals(*network), brute_force(*network), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@given(networks(circles=True))
def test_with_circles_the_marginals_are_still_probabilities(network):
    for found in marginals(*network):
        assert np.isfinite(found).all()
        assert found.sum() == pytest.approx(1)


def test_evidence_by_the_property_is_never_worth_less_than_by_any():
    assert WEIGHTS.same_property >= WEIGHTS.any_property > 0
