from collections import Counter
from decimal import Decimal

import pytest
from stand_in import ITEMS, PROPERTIES, StandIn, value

from kgmrca.wikidata.check import check_assertions
from kgmrca.wikidata.records import Value
from kgmrca.wikidata.values import compare
from kgmrca.wikidata.verdicts import Assertion, CheckKnowledge, Judgement, Verdict, judge


def item(id):
    return Value("item", id)


def time(text, precision=11, **more):
    return Value("time", text, precision=precision, **more)


def amount(text, **more):
    return Value("quantity", text, **more)


def text(words, **more):
    return Value("text", words, **more)


SOMEVALUE, NOVALUE = Value("somevalue"), Value("novalue")
INSIDE = "Wola in Warsaw. Warsaw in Poland. Wola in Poland."
CITIZENS = "Curie is human. human below person. Warsaw is city. city below place."

# What it is about, what our statement says, what Wikidata says (see `StandIn`), the verdict, and the number of the
# sentence that tells the statement it rests on.
TABLE = [
    ("no predicate of Wikidata", "Curie ? Warsaw", "", "unmapped", None),
    ("no predicate, and nothing is linked", "? ? ?", "", "unmapped", None),
    ("no such property", "Curie born Warsaw", "No born.", "unmapped", None),
    ("no item for the subject", "? born Warsaw", "", "unlinked", None),
    ("no item for the object", "Curie born ?", "", "unlinked", None),
    ("no such item", "Curie born Warsaw", "No Warsaw.", "unlinked", None),
    # Confirmed by what it says of the subject
    ("it says so", "Curie born Warsaw", "Curie born Warsaw.", "confirmed", 0),
    ("among others", "Curie born Warsaw", "Curie born Paris. Curie born Warsaw.", "confirmed", 1),
    (
        "it prefers it",
        "Curie born Warsaw",
        "Curie born Paris. Curie born Warsaw preferred. born single.",
        "confirmed",
        1,
    ),
    (
        "it prefers another",
        "Curie born Warsaw",
        "Curie born Paris preferred. Curie born Warsaw.",
        "confirmed by other rank",
        1,
    ),
    (
        "it prefers another, and one is expected",
        "Curie born Warsaw",
        "Curie born Paris preferred. Curie born Warsaw. born single.",
        "confirmed by other rank",
        1,
    ),
    ("twice", "Curie born Warsaw", "Curie born Warsaw deprecated. Curie born Warsaw.", "confirmed", 1),
    ("it has ended", "Curie employer Sorbonne", "Curie employer Sorbonne | ended 1934.", "confirmed", 0),
    ("the object redirects", "Curie born Warsaw", "Curie born Paris. Warsaw redirects-to Paris.", "confirmed", 0),
    ("the subject redirects", "Curie born Warsaw", "Pierre born Warsaw. Curie redirects-to Pierre.", "confirmed", 0),
    # Confirmed by what it says elsewhere
    ("child for mother", "Irène mother Curie", "Curie child Irène. mother inverse child.", "confirmed by inverse", 0),
    (
        "mother for child",
        "Curie child Irène",
        "Irène mother Curie. child inverse father. child inverse mother.",
        "confirmed by inverse",
        0,
    ),
    ("a deprecated inverse", "Irène mother Curie", "Curie child Irène deprecated. mother inverse child.", "new", None),
    ("spouse for spouse", "Curie spouse Pierre", "Pierre spouse Curie. spouse symmetric.", "confirmed by symmetry", 0),
    (
        "spouse of a redirect",
        "Radium spouse Pierre",
        "Pierre spouse Curie. spouse symmetric. Radium redirects-to Curie.",
        "confirmed by symmetry",
        0,
    ),
    (
        "mother for parent",
        "Irène parent Curie",
        "Irène mother Curie. mother below parent.",
        "confirmed by sub-property",
        0,
    ),
    (
        "mother for relative",
        "Irène relative Curie",
        "Irène mother Curie. mother below parent. parent below relative. parent below mother.",
        "confirmed by sub-property",
        0,
    ),
    (
        "in a circle",
        "Irène relative Curie",
        "Irène mother Curie. mother below parent. parent below mother.",
        "new",
        None,
    ),
    ("parent for mother", "Irène mother Curie", "Irène parent Curie. mother below parent.", "new", None),
    ("step by step", "Wola located Poland", f"{INSIDE} Wola located Warsaw.", "confirmed by transitivity", None),
    (
        "a qualifier",
        "Curie replaces Pierre",
        "Curie position Sorbonne | replaces Pierre.",
        "confirmed by qualifier",
        0,
    ),
    ("another qualifier", "Curie replaces Pierre", "Curie position Sorbonne | replaces Irène.", "new", None),
    (
        "a qualifier of what is deprecated",
        "Curie replaces Pierre",
        "Curie position Sorbonne deprecated | replaces Pierre.",
        "new",
        None,
    ),
    (
        "confirmed, and in conflict",
        "Curie spouse Pierre",
        "Pierre spouse Curie. Curie spouse Radium. spouse symmetric. spouse single.",
        "confirmed by symmetry",
        0,
    ),
    (
        "confirmed, and deprecated",
        "Curie spouse Pierre",
        "Pierre spouse Curie. Curie spouse Pierre deprecated. spouse symmetric.",
        "confirmed by symmetry",
        0,
    ),
    # Not confirmed
    (
        "deprecated, and another",
        "Curie born Warsaw",
        "Curie born Warsaw deprecated. Curie born Paris. born single.",
        "deprecated",
        0,
    ),
    ("another where one is expected", "Curie born Warsaw", "Curie born Paris. born single.", "conflict", 0),
    (
        "two others",
        "Curie born Warsaw",
        "Curie born Wola. Curie born Paris preferred. born single.",
        "conflict",
        1,
    ),
    ("another", "Curie born Warsaw", "Curie born Paris.", "new", None),
    ("another that is deprecated", "Curie born Warsaw", "Curie born Paris deprecated. born single.", "new", None),
    (
        "an exception",
        "Curie born Warsaw",
        "Curie born Paris. born single. born excepts Curie.",
        "new",
        None,
    ),
    (
        "told apart by a qualifier",
        "Curie position Paris",
        "Curie position Sorbonne | in-year 1906. position single. position separator in-year.",
        "new",
        None,
    ),
    (
        "not told apart",
        "Curie position Paris",
        "Curie position Sorbonne. position single. position separator in-year.",
        "conflict",
        0,
    ),
    (
        "another that has ended",
        "Curie employer Paris",
        "Curie employer Sorbonne | ended 1934. employer single.",
        "new",
        None,
    ),
    (
        "the preferred one has ended",
        "Curie employer Paris",
        "Curie employer Sorbonne preferred | ended 1934. Curie employer Wola. employer single.",
        "new",
        None,
    ),
    ("another, of a property that is not described", "Curie born Warsaw", "Curie born Paris. No born.", "new", None),
    ("none", "Curie child Irène", "Curie child novalue.", "conflict", 0),
    ("a finer place", "Curie born Poland", f"{INSIDE} Curie born Warsaw. born single.", "soft conflict", 3),
    ("a coarser place", "Curie born Warsaw", f"{INSIDE} Curie born Poland. born single.", "soft conflict", 3),
    (
        "a coarser place among others",
        "Curie born Wola",
        f"{INSIDE} Curie born Paris. Curie born Poland.",
        "soft conflict",
        4,
    ),
    ("its country", "Curie born Poland", "Curie born Paris. Paris country Poland. born single.", "soft conflict", 0),
    ("a place in it", "Curie born Paris", "Curie born Poland. Paris country Poland. born single.", "soft conflict", 0),
    ("a country is no area", "Paris located Poland", "Paris country Poland. Paris located Warsaw.", "new", None),
    ("places where none belong", "Curie spouse Poland", f"{INSIDE} Curie spouse Warsaw.", "new", None),
    ("unknown", "Curie born Warsaw", "Curie born somevalue. born single.", "unknown value", 0),
    (
        "unknown, but it prefers another",
        "Curie born Warsaw",
        "Curie born somevalue. Curie born Paris preferred. born single.",
        "conflict",
        1,
    ),
    (
        "a subject of another class",
        "Radium born Warsaw",
        "Radium is film. born subject person.",
        "type violation",
        None,
    ),
    ("a subject of a subclass", "Curie born Warsaw", f"{CITIZENS} born subject person.", "new", None),
    ("a subject of no class", "Curie born Warsaw", "born subject person.", "new", None),
    ("a value of another class", "Curie born Radium", "Radium is film. born value place.", "type violation", None),
    ("a value of a subclass", "Curie born Warsaw", f"{CITIZENS} born value place.", "new", None),
    (
        "a subclass as it should be",
        "city born Warsaw",
        f"{CITIZENS} born subject place. born subject-relation subclass.",
        "new",
        None,
    ),
    (
        "a subclass, no instance",
        "city born Warsaw",
        "city is film. city below place. born subject place.",
        "type violation",
        None,
    ),
    (
        "an instance, no subclass",
        "Curie born Warsaw",
        f"{CITIZENS} born subject person. born subject-relation subclass.",
        "type violation",
        None,
    ),
    (
        "an instance, which may be a subclass",
        "Curie born Warsaw",
        f"{CITIZENS} born value place. born value-relation either.",
        "new",
        None,
    ),
    (
        "another class, an exception",
        "Radium born Warsaw",
        "Radium is film. born subject person. born excepts Radium.",
        "new",
        None,
    ),
    ("an item where a date belongs", "Curie born-on Paris", "born-on takes Time.", "type violation", None),
    (
        "another, and another class",
        "Radium born Warsaw",
        "Radium born Paris. born single. Radium is film. born subject person.",
        "conflict",
        0,
    ),
    ("nothing", "Curie born Warsaw", "", "new", None),
]
CASES = [pytest.param(*row[1:], id=row[0]) for row in TABLE]

# What our statement says of Curie, what Wikidata does, with the property's datatype; one value is expected.
LITERALS = [
    (time("1867-11-07"), time("1867-11-07T00:00:00Z"), "Time", "confirmed"),
    (time("1867", 9), time("1867-11-07T00:00:00Z"), "Time", "confirmed"),
    (time("1867-11-07"), time("1867-01-01T00:00:00Z", 9), "Time", "soft conflict"),
    (time("1867-11-07"), time("1867-11-08T00:00:00Z"), "Time", "soft conflict"),
    (time("1867-11-07"), time("1868-11-07T00:00:00Z"), "Time", "conflict"),
    (time("1867-11-07"), SOMEVALUE, "Time", "unknown value"),
    (text("the 1860s"), time("1867-11-07T00:00:00Z"), "Time", "unlinked"),
    (amount("1867"), time("1867-11-07T00:00:00Z"), "Time", "unlinked"),
    (amount("2"), amount("+2"), "Quantity", "confirmed"),
    (amount("2"), amount("+3"), "Quantity", "conflict"),
    (amount("2"), amount("+3", lower=Decimal(2), upper=Decimal(4)), "Quantity", "confirmed"),
    (amount("165"), amount("+165", unit="Q174728"), "Quantity", "confirmed"),
    (amount("2"), amount("+165", unit="Q174728"), "Quantity", "new"),
    (text("about 2"), amount("+2"), "Quantity", "unlinked"),
    (text("Maria"), text("Maria", language="pl"), "Monolingualtext", "confirmed"),
    (text("Marie"), text("Maria", language="pl"), "Monolingualtext", "conflict"),
    (text("Maria", language="en"), text("Maria", language="pl"), "Monolingualtext", "soft conflict"),
    (amount("42"), text("42"), "ExternalId", "confirmed"),
    (amount("42"), text("43"), "ExternalId", "unlinked"),
    (Value("other", "https://viaf.example/42"), text("43"), "ExternalId", "unlinked"),
    (text("44"), text("43"), "ExternalId", "conflict"),
    (text("www.ilo.example"), Value("other", "https://ilo.example"), "Url", "unlinked"),
    (text("https://brun.example"), Value("other", "https://ilo.example"), "Url", "conflict"),
    (Value("other", "ftp://ilo.example/a"), Value("other", "https://ilo.example"), "Url", "conflict"),
    (Value("other", "http://www.wikidata.org/entity/P19"), text("x"), "WikibaseProperty", "unlinked"),
    (text("Warsaw"), item("Q270"), "WikibaseItem", "unlinked"),
]

NOT_CHECKED = [
    ("Curie born Warsaw", "", ("claims", ("Q7186", "P19"))),
    ("Curie born Warsaw", "", ("properties", "P19")),
    ("Curie born Warsaw", "", ("items", "Q7186")),
    ("Curie born Warsaw", "", ("items", "Q270")),
    ("Curie born Warsaw", "", ("connections", ("Q7186", "Q270"))),
    ("Curie born Warsaw", "", ("qualified", ("Q7186", "P19"))),
    ("Curie born Warsaw", f"{CITIZENS} born subject person.", ("subclasses", ("Q5", "Q215627"))),
    ("Curie born Warsaw", "Curie born Paris. born single.", ("qualified", ("Q7186", "P19"))),
    ("Curie born Warsaw", "Curie born Paris. born single.", ("surrounded_by", ("Q270", "Q90"))),
    ("Curie spouse Pierre", "spouse symmetric.", ("claims", ("Q37463", "P26"))),
    ("Irène parent Curie", "Irène mother Curie.", ("properties", "P25")),
    ("Wola located Poland", INSIDE, ("located_in", ("Q1", "Q36"))),
    ("Curie replaces Pierre", "Curie position Paris | replaces Irène.", ("claims", ("Q7186", "P39"))),
]


def assertion(sentence):
    subject, property, object_ = sentence.split()
    return Assertion(ITEMS.get(subject), PROPERTIES.get(property), None if object_ == "?" else value(object_))


def decided(assertion, lookups):
    return check_assertions([assertion], lookups)[assertion]


@pytest.mark.parametrize(("ours", "theirs", "verdict", "basis"), CASES)
def test_the_verdict_and_its_basis(ours, theirs, verdict, basis):
    decision = decided(assertion(ours), StandIn(theirs))
    found = None if decision.basis is None else int(decision.basis.iri.rpartition("-")[2])
    assert (decision.verdict.value, found) == (verdict, basis)
    assert decision.reason.endswith(".")


@pytest.mark.parametrize(("ours", "theirs", "datatype", "verdict"), LITERALS)
def test_the_verdict_about_a_literal(ours, theirs, datatype, verdict):
    lookups = StandIn()
    lookups.say("Q7186", "P1", theirs)
    lookups.describe("P1", datatype=datatype, constraints={"single_value": True})
    assert decided(Assertion("Q7186", "P1", ours), lookups).verdict.value == verdict


def test_a_literal_can_be_confirmed_by_a_qualifier():
    lookups = StandIn("Curie position Sorbonne | ended 1934.")
    assert decided(Assertion("Q7186", "P582", time("1934", 9)), lookups).verdict == Verdict.qualifier


@pytest.mark.parametrize(("ours", "theirs", "failing"), NOT_CHECKED)
def test_a_look_up_that_failed_is_the_reason_why_it_is_not_checked(ours, theirs, failing):
    decision = decided(assertion(ours), StandIn(theirs, failing={failing}))
    assert decision == Judgement(Verdict.not_checked, reason="A look-up failed: timed out.")


def test_every_verdict_is_in_the_table():
    assert {row[3] for row in TABLE} | {"not checked"} == {verdict.value for verdict in Verdict}


@pytest.mark.parametrize(("ours", "theirs", "verdict", "basis"), CASES)
def test_a_failure_never_makes_another_verdict(ours, theirs, verdict, basis):
    used = StandIn(theirs)
    decided(assertion(ours), used)
    for kind, keys in used.asked:
        for key in keys:
            decision = decided(assertion(ours), StandIn(theirs, failing={(kind, key)}))
            assert decision.verdict.value in (verdict, "not checked"), (kind, key)


@pytest.mark.parametrize(("ours", "theirs", "verdict", "basis"), CASES)
def test_nothing_is_asked_twice(ours, theirs, verdict, basis):
    used = StandIn(theirs)
    decided(assertion(ours), used)
    assert max(Counter((kind, key) for kind, keys in used.asked for key in keys).values(), default=1) == 1


def test_a_confirmation_needs_one_look_up():
    lookups = StandIn("Curie born Warsaw.")
    decided(assertion("Curie born Warsaw"), lookups)
    assert lookups.asked == [("claims", [("Q7186", "P19")])]


@pytest.mark.parametrize(("theirs", "reason"), [("", "has nothing"), ("Curie born Paris.", "has other values")])
def test_what_is_new_says_whether_there_are_other_values(theirs, reason):
    assert reason in decided(assertion("Curie born Warsaw"), StandIn(theirs)).reason


def test_what_is_missing_is_said():
    decision = judge(assertion("Curie born Warsaw"), CheckKnowledge())
    assert decision.verdict == Verdict.not_checked
    assert decision.needs == {("claims", ("Q7186", "P19"))}


def test_a_redirect_is_followed_once():
    lookups = StandIn("Warsaw redirects-to Paris. Paris redirects-to Warsaw.")
    assert decided(assertion("Curie born Warsaw"), lookups).verdict == Verdict.new


COMPARED = [
    # Dates: at the coarser precision, years as in XSD 1.1, Gregorian days
    (time("1867-11-07"), time("1867-11-07T00:00:00Z"), "same"),
    (time("1867-11-07"), time("+1867-11-07T00:00:00Z"), "same"),
    (time("1867-11", 10), time("1867-11-07T00:00:00Z"), "same"),
    (time("1867-10", 10), time("1867-11-07T00:00:00Z"), "near"),
    (time("1866-12", 10), time("1867-11-07T00:00:00Z"), "different"),
    (time("1867", 9), time("1867-01-01T00:00:00Z", 9), "same"),
    (time("1867-11-07"), time("1867-11-01T00:00:00Z", 10), "near"),
    (time("-0043", 9), time("-0043-01-01T00:00:00Z", 9), "same"),
    (time("-0043", 9), time("-0044-01-01T00:00:00Z", 9), "different"),
    (time("1867", 9), time("1860-01-01T00:00:00Z", 8), "near"),
    (time("1867", 9), time("1870-01-01T00:00:00Z", 8), "different"),
    (time("1867", 9), time("1900-01-01T00:00:00Z", 7), "near"),
    (time("1900", 9), time("1900-01-01T00:00:00Z", 7), "near"),
    (time("1901", 9), time("1900-01-01T00:00:00Z", 7), "different"),
    (time("0000", 9), time("-0099-01-01T00:00:00Z", 7), "near"),
    (time("0001", 9), time("-0099-01-01T00:00:00Z", 7), "different"),
    (time("1867", 9), time("1867-01-01T00:00:00Z", None), "same"),
    (time("1867-01-01"), time("1867-01-01T00:00:00Z", None), "near"),
    (time("1867-11-07"), time("1867-11-07T00:00:00Z", None), "same"),
    (time("1867-05:00", 9), time("1867-11-07T00:00:00Z"), "same"),
    (time("1918-01-15"), time("1918-01-28T00:00:00Z", calendar="Q1985786"), "same"),
    (time("soon"), time("1867-11-07T00:00:00Z"), "incomparable"),
    # Numbers: with bounds, without units
    (amount("2"), amount("+2"), "same"),
    (amount("2.0"), amount("+2"), "same"),
    (amount("2"), amount("+3"), "different"),
    (amount("2"), amount("+3", lower=Decimal(2), upper=Decimal(4)), "same"),
    (amount("5"), amount("+3", lower=Decimal(2), upper=Decimal(4)), "different"),
    (amount("2"), amount("+2", unit="Q11573"), "same"),  # whose unit ours may have
    (amount("2.1"), amount("+2", unit="Q11573", lower=Decimal("1.5"), upper=Decimal("2.5")), "near"),
    (amount("2", unit="Q11573"), amount("+2", unit="Q11573"), "same"),
    (amount("2", unit="Q3710"), amount("+2", unit="Q11573"), "incomparable"),
    (amount("3"), amount("+2", unit="Q11573"), "incomparable"),
    (amount("2"), amount("many"), "incomparable"),
    # Texts
    (Value("text", "a"), Value("text", "a", language="en"), "same"),
    (Value("text", "a"), Value("text", "A"), "different"),
    (Value("text", "0000 0001"), Value("other", "0000 0001"), "same"),
    (amount("42"), Value("text", "42"), "same"),
    (amount("42"), Value("text", "43"), "incomparable"),
    # Kinds
    (item("Q270"), item("Q270"), "same"),
    (item("Q270"), item("Q90"), "different"),
    (item("Q270"), Value("text", "Q270"), "incomparable"),
    (Value("text", "Q270"), item("Q270"), "incomparable"),
    (time("1867", 9), amount("1867"), "incomparable"),
    (item("Q270"), SOMEVALUE, "incomparable"),
    (time("1867", 9), SOMEVALUE, "incomparable"),
    (item("Q270"), NOVALUE, "different"),
]


@pytest.mark.parametrize(("ours", "theirs", "agreement"), COMPARED)
def test_two_values_are_compared(ours, theirs, agreement):
    assert compare(ours, theirs) == agreement
