import pytest

from kgmrca.triples.records import Times
from kgmrca.triples.times import TimedFact, find_times

SPANS = [
    ("Ada Roe has been president of Acme since 1990.", "P39", Times(start="1990")),
    ("Ada Roe was president of Acme from 1990 to 1995.", "P39", Times("1990", "1995")),
    ("Between 1990 and 1995, Ada Roe worked for Acme.", "P108", Times("1990", "1995")),
    ("Ada Roe worked for Acme until 12 May 1995.", "P108", Times(end="1995-05-12")),
    ("Ada Roe studied at Acme (1990–95).", "P69", Times("1990", "1995")),
    ("Ada Roe joined Acme in 2003 and left in 2008.", "P108", Times("2003", "2008")),
    ("Ada Roe married Acme in 1895, and they divorced in May 1921.", "P26", Times("1895", "1921-05")),
    ("Ada Roe is, since May 1999, a member of Acme.", "P463", Times(start="1999-05")),
]
DATES = [
    ("In 1990 Ada Roe became president of Acme.", "P39", Times(start="1990")),
    ("As of 2010, Ada Roe lives in Acme.", "P551", Times(point="2010")),
    ("Ada Roe married Acme in 1921.", "P26", Times(start="1921")),
    ("Ada Roe received the Acme in 1903.", "P166", Times(point="1903")),
    ("Ada Roe graduated from Acme in May 1903.", "P69", Times(end="1903-05")),
    ("Ada Roe left Acme in 1990.", "P54", Times(end="1990")),
    ("Ada Roe was bought by Acme in 2001.", "P127", Times(start="2001")),
    ("The Roe hall, by Ada Roe, was added to the Acme in 2007.", "P1435", Times(start="2007")),
]
DENIED = [
    ("Ada Roe did not play for Acme until 2009.", "P54", Times(start="2009")),
    ("Ada Roe didn't join Acme until 2005.", "P102", Times(start="2005")),
    ("Ada Roe was not a member of Acme until May 2005.", "P102", Times(start="2005-05")),
    ("It was not until 2009 that Ada Roe became president of Acme.", "P39", Times(start="2009")),
    ("Not until 2009 did Ada Roe play for Acme.", "P54", Times(start="2009")),
    ("Ada Roe never retired from Acme until 1990.", "P108", Times(end="1990")),
    ("Ada Roe did not only play for Acme until 2009.", "P54", Times(end="2009")),
    ("Ada Roe, who could not read, played for Acme until 2009.", "P54", Times(end="2009")),
]
NONE = [
    ("Ada Roe (1867 - 1934) was president of Acme.", "P39"),
    ("Ada Roe, born in 1867, was president of Acme.", "P39"),
    ("Ada Roe was born in Acme in 1867.", "P19"),
    ("Ada Roe lived in Acme in the 1990s.", "P551"),
    ("Ada Roe lived in Acme until about 1990.", "P551"),
    ("Ada Roe, who works for Acme, published a book in 1990.", "P108"),
    ("Ada Roe works for Acme.", "P108"),
    ("He said in 2010 that Ada Roe was married to Acme.", "P26"),
    ("In 2014 a court heard that Ada Roe was married to Acme.", "P26"),
    ("A report from 2010 to the board says that Ada Roe works for Acme.", "P108"),
    ("Ada Roe confirmed in 2010 that she had become president of Acme.", "P39"),
    ("Ada Roe was a member of Acme, and Bob Doe was minister from 1990 to 1995.", "P463"),
    ("Ada Roe was married to Acme, a minister of health from 1990 to 1995.", "P26"),
]


def fact(text, property, object_="Acme"):
    subject = text.index("Ada Roe")
    place = text.index(object_)
    return TimedFact((subject, subject + 7), (place, place + len(object_)), property)


@pytest.mark.parametrize(("text", "property", "times"), [*SPANS, *DATES, *DENIED])
def test_what_a_sentence_says_of_the_time_of_a_fact(text, property, times):
    assert find_times(text, [fact(text, property)]) == [times]


@pytest.mark.parametrize(("text", "property"), NONE)
def test_a_date_of_something_else_is_no_time_of_a_fact(text, property):
    assert find_times(text, [fact(text, property)]) == [None]


def test_each_fact_gets_the_dates_beside_it():
    text = "Ada Roe played for Acme from 1990 until 1995 and for Bcme from 1996 to 1999."
    facts = [fact(text, "P54"), fact(text, "P54", "Bcme")]
    assert find_times(text, facts) == [Times("1990", "1995"), Times("1996", "1999")]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (
            "From 2001 to 2003, Ada Roe played for Acme; from 2004, for Bcme.",
            [Times("2001", "2003"), Times(start="2004")],
        ),
        ("Until 2009 Ada Roe played for Acme and since then for Bcme.", [Times(end="2009"), None]),
        ("Until 2009 Ada Roe played for Acme and for Bcme.", [Times(end="2009"), Times(end="2009")]),
        ("Ada Roe played for Acme until 2009, then for Bcme from 2010.", [Times(end="2009"), Times(start="2010")]),
    ],
)
def test_what_is_told_more_shortly_has_not_the_times_of_what_comes_before(text, times):
    assert find_times(text, [fact(text, "P54"), fact(text, "P54", "Bcme")]) == times


def test_what_comes_before_need_not_be_a_fact_that_was_found():
    text = "Until 2009 Ada Roe played for Acme and since then for Bcme."
    assert find_times(text, [fact(text, "P54", "Bcme")]) == [None]
    text = "From 2001 to 2003, Ada Roe played for Acme; from 2004, for Bcme."
    assert find_times(text, [fact(text, "P54", "Bcme")]) == [Times(start="2004")]


def test_what_is_said_has_its_own_time_and_not_that_of_saying_so():
    text = "Ada Roe announced in 2014 that she had joined Acme in 2012."
    assert find_times(text, [fact(text, "P108")]) == [Times(start="2012")]


def test_what_is_left_is_told_from_what_is_joined():
    text = "Ada Roe left Acme in 1990 to join Bcme."
    assert find_times(text, [fact(text, "P108")]) == [Times(end="1990")]
    assert find_times(text, [fact(text, "P108", "Bcme")]) == [Times(start="1990")]


def test_a_date_that_is_the_object_is_no_time():
    text = "Ada Roe joined Acme in 1990."
    assert find_times(text, [fact(text, "P108"), fact(text, "P580", "1990")]) == [None, None]


def test_each_fact_of_a_long_list_has_its_own_time():
    names = [f"Acme{number}" for number in range(150)]
    text = "Ada Roe " + ", ".join(f"played for {name} in {1850 + number}" for number, name in enumerate(names))
    facts = [fact(text, "P54", name) for name in names]
    assert find_times(text, facts) == [Times(point=str(1850 + number)) for number in range(150)]
