"""Whatever a service answers, no verdict and no link is wrong: it is the right one, or nothing was looked up."""

import pytest
from kinds import KINDS, RIGHT, stand_in
from server import WIKIDATA

from kgmrca.wikidata.check import check_assertions
from kgmrca.wikidata.disambiguation import Entity, EntityGroup, EntityPair
from kgmrca.wikidata.link_lookups import link_entities
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import Value
from kgmrca.wikidata.sparql import open_endpoint
from kgmrca.wikidata.verdicts import Assertion, Verdict

STATED = [
    Assertion("Q7186", "P19", Value("item", "Q270")),
    Assertion("Q7186", "P19", Value("item", "Q90")),
    Assertion("Q37463", "P19", Value("item", "Q270")),
    Assertion("Q7186", "P569", Value("time", "1867-11-07", precision=11)),
    Assertion("Q7186", "P569", Value("time", "1868-11-07", precision=11)),
    Assertion("Q7504", "P25", Value("item", "Q7186")),
    Assertion("Q7186", "P40", Value("item", "Q37463")),
    Assertion("Q935", "P106", Value("item", "Q169470")),
]
GROUP = EntityGroup(
    [Entity("Marie Curie", "PER"), Entity("Pierre Curie", "PER"), Entity("Warsaw", "LOC"), Entity("Nobody", "PER")],
    [EntityPair(0, 1, "P26", 0.9), EntityPair(0, 2, "P19", 0.9)],
)


def found(lookups):
    judgements = check_assertions(STATED, lookups)
    (links,) = link_entities([GROUP], lookups)
    return judgements, links


@pytest.fixture(scope="module")
def right():
    with Lookups(open_endpoint(WIKIDATA)) as lookups:
        return found(lookups)


def test_the_right_ones_are_of_many_sorts(right):
    judgements, links = right
    assert len({judgement.verdict for judgement in judgements.values()}) >= 4
    assert [link.outcome for link in links].count("linked") >= 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_answer_makes_a_wrong_verdict_or_link(kind, server, clock, right):
    server.otherwise = stand_in(kind, WIKIDATA, clock)
    with Lookups(open_endpoint(server.url, clock=clock), cache=None, clock=clock) as lookups:
        judgements, links = found(lookups)
        said = " ".join(lookups.remarks.values())
        remembered = lookups.claims_fetched((one.subject, one.property) for one in STATED)
    if kind.right == RIGHT:
        assert (judgements, links) == right
        assert not said
        return
    for judgement in judgements.values():
        assert judgement.verdict == Verdict.not_checked
        assert kind.right in judgement.reason or "gave up" in judgement.reason
    assert {link.outcome for link in links} == {"not looked up"}
    assert all(text in said for text in kind.says), said
    assert not remembered


def test_a_refused_redirect_shows_its_target_once(server, clock):
    kind = next(kind for kind in KINDS if kind.name == "301")
    server.otherwise = stand_in(kind, WIKIDATA, clock)
    with Lookups(open_endpoint(server.url, clock=clock), cache=None, clock=clock) as lookups:
        found(lookups)
        assert " ".join(lookups.remarks.values()).count("https://example.org/sparql") == 1
    assert len(server.requests) == 1
