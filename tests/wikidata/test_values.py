import pytest

from kgmrca.wikidata.records import Value
from kgmrca.wikidata.values import compare, in_words, is_unknown, point_of

WD = "http://www.wikidata.org/entity/"
GREGORIAN, JULIAN = "Q1985727", "Q1985786"


def time(text, precision=None, calendar=""):
    return Value("time", text, precision=precision, calendar=calendar)


def text(words, language=""):
    return Value("text", words, language=language)


def point(words):
    return Value("other", words)


@pytest.mark.parametrize("precision", [6, 7, 8, 9, 10, 11])
@pytest.mark.parametrize("day", ["1850-01-01", "1901-05-01", "-0043-03-15", "1999-12-31"])
def test_a_datetime_of_wikidata_is_the_same_as_itself(day, precision):
    assert compare(time(f"{day}T00:00:00Z"), time(f"+{day}T00:00:00Z", precision, GREGORIAN)) == "same"


@pytest.mark.parametrize("end", ["T00:00:00+00:00", "T00:00:00.000Z", "T00:00:00", "T00:00:00-00:00"])
@pytest.mark.parametrize("precision", [7, 9, 11])
def test_a_datetime_is_compared_by_its_value(end, precision):
    assert compare(time(f"1850-03-01{end}"), time("1850-03-01T00:00:00Z", precision)) == "same"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (text("113230702 "), text("113230702")),
        (text("Stadt  Ilo", "de"), text("Stadt Ilo", "de")),
        (
            text("Ilo_Brun (1).jpg"),
            point("http://commons.wikimedia.org/wiki/Special:FilePath/Ilo%20Brun%20%281%29.jpg"),
        ),
        (
            point("https://commons.wikimedia.org/wiki/File:Ilo_Brun.jpg"),
            point("http://commons.wikimedia.org/wiki/Special:FilePath/Ilo%20Brun.jpg"),
        ),
    ],
)
def test_texts_are_compared_as_they_would_be_exported(ours, theirs):
    assert compare(ours, theirs) == "same"
    assert compare(text("a_b"), text("a b")) == "different"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("en", "en", "same"),
        ("en", "en-gb", "same"),
        ("zh_Hans", "zh-Hant", "same"),
        ("", "de", "same"),
        ("en", "", "same"),
        ("en", "mul", "same"),
        ("en", "de", "near"),
    ],
)
def test_one_text_in_two_languages_is_no_proof(ours, theirs, found):
    assert compare(text("Hamlet", ours), text("Hamlet", theirs)) == found


@pytest.mark.parametrize(
    ("ours", "found"),
    [
        ("1867-11-07T23:30:00-05:00", "same"),  # the day where it was written
        ("1867-11-06T19:00:00-05:00", "same"),  # the day in UTC
        ("1867-11-08T01:00:00+02:00", "same"),
        ("1867-11-08T12:00:00+02:00", "near"),
        ("1868-01-01T01:00:00+02:00", "near"),  # 31 December in UTC
        ("1868-01-02T01:00:00+02:00", "different"),
    ],
)
def test_a_datetime_in_another_time_zone_is_compared_with_a_day(ours, found):
    assert compare(time(ours), time("1867-11-07T00:00:00Z", 11)) == found


def test_midnight_in_another_time_zone_is_the_value_of_wikidata():
    assert compare(time("1849-12-31T19:00:00-05:00"), time("1850-01-01T00:00:00Z", 7)) == "same"


def test_an_hour_of_new_years_day_is_that_day():
    assert compare(time("1867-01-01T08:30:00Z"), time("1867-11-07T00:00:00Z", 11)) == "near"


def test_another_datetime_is_compared_as_before():
    assert compare(time("1867-11-08T00:00:00Z"), time("1867-11-07T00:00:00Z", 11)) == "near"
    assert compare(time("1868-11-07T00:00:00Z"), time("1867-11-07T00:00:00Z", 11)) == "different"
    assert compare(time("1867-01-01T00:00:00Z"), time("1867-11-07T00:00:00Z", 11)) == "same"  # the year


# Old style and new style, as encyclopedias have them.
@pytest.mark.parametrize(
    "days",
    [
        "1642-12-25 1643-01-04",
        "1066-10-14 1066-10-20",
        "1917-10-25 1917-11-07",
        "1582-10-04 1582-10-14",
        "-0043-03-15 -0043-03-13",
        "1500-02-29 1500-03-10",
        "0325-01-01 0325-01-02",
    ],
)
def test_a_julian_day_is_compared_in_its_calendar(days):
    julian, gregorian = days.split()
    theirs = time(f"{gregorian}T00:00:00Z", 11, JULIAN)
    assert compare(time(julian, 11), theirs) == "same"
    assert compare(time(gregorian, 11), theirs) == "same"
    assert compare(time(julian[:-3], 10), theirs) == "same"
    assert compare(time(f"{julian}T00:00:00Z", 11), time(f"{gregorian}T00:00:00Z", 11, GREGORIAN)) != "same"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("1855", "1801-01-01", "near"),  # Wikidata writes the 19th century so
        ("1855-05-05", "1850-01-01", "near"),
        ("1808", "1800-01-01", "near"),
        ("1700", "1801-01-01", "different"),
        ("1900", "1801-01-01", "near"),  # the last year of that century
        ("1901", "1801-01-01", "different"),
        ("1855", "1801-01-02", "different"),
        ("1855", "1841-01-01", "different"),
        ("1642-12-25", "1643-01-04", "near"),
        ("1642-12-24", "1643-01-04", "different"),
        ("1642", "1643-01-04", "different"),
    ],
)
def test_what_a_date_may_stand_for_without_its_precision(ours, theirs, found):
    precision = 9 if len(ours) == 4 else 11
    assert compare(time(ours, precision), time(f"{theirs}T00:00:00Z")) == found
    if theirs.endswith("01-01"):
        assert compare(time(ours, precision), time(f"{theirs}T00:00:00Z", 9)) == "different"


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ("https://ilo.example", "https://ilo.example/", "same"),
        ("https://ilo.example/", "HTTPS://ilo.example", "different"),
        ("https://ilo.example/a", "https://ilo.example/a/", "different"),
    ],
)
def test_an_address_without_a_path_is_that_of_the_root(ours, theirs, found):
    assert compare(point(ours), point(theirs)) == found


def test_a_year_of_the_julian_calendar_is_no_day_of_it():
    assert compare(time("1642", 9), time("1643-01-01T00:00:00Z", 9, JULIAN)) == "different"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (time("1867-11-07T00:00:00Z", 11), "7 November 1867"),
        (time("+1980-05-00T00:00:00Z", 10), "May 1980"),
        (time("1980-05-01T00:00:00Z", 10), "May 1980"),
        (time("1980-01-01T00:00:00Z", 9), "1980"),
        (time("1980-01-01T00:00:00Z"), "1980"),
        (time("1987-01-01T00:00:00Z", 8), "1980s"),
        (time("1850-01-01T00:00:00Z", 7), "19th century"),
        (time("1801-01-01T00:00:00Z", 7), "19th century"),
        (time("-0043-03-15T00:00:00Z", 11), "15 March 44 BCE"),
        (time("0000-01-01T00:00:00Z", 9), "1 BCE"),
        (time("-0799-01-01T00:00:00Z", 7), "8th century BCE"),
        (time("1643-01-04T00:00:00Z", 11, JULIAN), "25 December 1642 (Julian calendar)"),
        (time("soon"), "soon"),
        (Value("quantity", "+1.85", unit="Q11573"), "1.85 (unit Q11573)"),
        (Value("quantity", "+42"), "42"),
        (text("Warszawa", "pl"), "Warszawa (pl)"),
        (Value("item", "Q90"), "Q90"),
        (Value("somevalue"), "an unknown value"),
        (Value("novalue"), "no value"),
    ],
)
def test_a_value_in_words(value, words):
    assert in_words(value) == words


@pytest.mark.parametrize(
    ("ours", "theirs", "agreement"),
    [
        ("Point(2.294479 48.858296)", "POINT(2.294479 48.858296)", "same"),
        ("Point(2.2945 48.8583)", "Point(2.294479 48.858296)", "same"),
        ("Point(2.30 48.86)", "Point(2.294479 48.858296)", "near"),
        ("Point(12.3 48.86)", "Point(2.294479 48.858296)", "different"),
        ("Point(-180 10)", "Point(180 10)", "same"),
        ("<http://www.wikidata.org/entity/Q111> Point(2 4)", "Point(2 4)", "different"),
        ("<http://www.wikidata.org/entity/Q2> Point(2 4)", "Point(2 4)", "same"),
        ("near Paris", "Point(2 4)", "different"),
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> Point(2 4)", "Point(2 4)", "same"),
        ("Point Z(2 4 12)", "Point(2 4)", "same"),
    ],
)
def test_places_are_compared_by_their_distance(ours, theirs, agreement):
    assert compare(point(ours), point(theirs)) == agreement


@pytest.mark.parametrize("words", ["Point(2)", "Point(a b)", "Point(1e3 2)", "2 4", "", "Point(4 95)", "Point(400 5)"])
def test_what_is_no_point(words):
    assert point_of(words) is None


def test_texts_in_two_languages_do_not_exclude_one_another():
    assert compare(text("Warsaw", "en"), text("Warszawa", "pl")) == "incomparable"
    assert compare(text("Warsaw", "en"), text("Varsovie", "en")) == "different"
    assert compare(text("Warsaw"), text("Warszawa", "pl")) == "different"
    assert compare(text("Berlin", "en"), text("Berlin", "de")) == "near"


@pytest.mark.parametrize(
    "iri",
    [
        "http://www.wikidata.org/.well-known/genid/1f3c",
        "https://kb.example/.well-known/genid/x",
        "http://kb.example/.well-known/bnode/3",
        "http://kb.example/genid/3",
        "http://qlever.example/builtin-functions/blank-node/5",
        "nodeID://b10017",
        "_:b1",
        "genid:42",
        "genid-b1",
        "bnode:x",
        "urn:bnode:7",
    ],
)
def test_iris_of_blank_nodes_are_unknown_values(iri):
    assert is_unknown(iri)


@pytest.mark.parametrize("iri", [f"{WD}Q1", "https://genid.example/", "urn:x:genid", "http://x/genid"])
def test_other_iris_are_not(iri):
    assert not is_unknown(iri)
