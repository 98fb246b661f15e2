from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsers import GREGORIAN, JULIAN, read_2, read_3

from kgmrca.ontology import load_properties
from kgmrca.triples.iris import clean_text
from kgmrca.wikidata.quickstatements import clean_line, command, value_text, why_not
from kgmrca.wikidata.records import Value

# What may break a line, a cell or a text.
TEXTS = st.text() | st.text(alphabet="\t\n\r\"\\'|/*“”Q1@:~\x0b\x0c\x1c\x85\u2028\u2029\ud800\x00 aé")
LINKS = st.from_regex(r"https?://[!#-;=?-~]{1,30}", fullmatch=True)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3).map(
    lambda amount: format(amount, "f")
)

DEGREES = st.decimals(min_value=-90, max_value=90, places=3).map(lambda degrees: format(degrees, "f"))


@pytest.mark.parametrize(
    ("value", "property", "text"),
    [
        (Value("item", "Q270"), "P19", "Q270"),
        (Value("time", "1867-11-07", precision=11), "P569", "+1867-11-07T00:00:00Z/11"),
        (Value("time", "1867-11", precision=10), "P569", "+1867-11-00T00:00:00Z/10"),
        (Value("time", "1867", precision=9), "P569", "+1867-00-00T00:00:00Z/9"),
        (Value("time", "1304", precision=9), "P569", "+1304-00-00T00:00:00Z/9/J"),
        (Value("time", "1066-10-20", precision=11), "P569", "+1066-10-20T00:00:00Z/11"),
        (Value("time", "-0043", precision=9), "P569", "-0044-00-00T00:00:00Z/9/J"),
        (Value("time", "0000", precision=9), "P569", "-0001-00-00T00:00:00Z/9/J"),
        (Value("time", "soon"), "P569", ""),
        (Value("quantity", "1200"), "P1082", "1200"),
        (Value("quantity", "-4.20"), "P1082", "-4.20"),
        (Value("quantity", "12345"), "P281", '"12345"'),
        (Value("text", "SW1A 1AA"), "P281", '"SW1A 1AA"'),
        (Value("text", 'a "b"\tc\nd'), "P742", '"a "b" c d"'),
        (Value("text", "Marie", language="fr"), "P1559", 'fr:"Marie"'),
        (Value("text", " \n"), "P742", ""),
        (Value("text", "Warsaw"), "P19", ""),
        (Value("time", "1867", precision=9), "P19", ""),
        (Value("item", "Q1"), "P569", ""),
        (Value("quantity", "4"), "P569", ""),
        (Value("somevalue"), "P742", ""),
        (Value("time", "1850-01-01T00:00:00Z"), "P569", ""),
        (Value("time", "1987", precision=8), "P571", "+1980-00-00T00:00:00Z/8"),
        (Value("time", "1850", precision=7), "P571", "+1801-00-00T00:00:00Z/7"),
        (Value("time", "1900", precision=7), "P571", "+1801-00-00T00:00:00Z/7"),
        (Value("time", "1066-10-20", precision=11, calendar=JULIAN), "P571", "+1066-10-14T00:00:00Z/11/J"),
        (Value("quantity", "330", unit="Q11573"), "P2048", "330U11573"),
        (Value("quantity", ".5"), "P1128", "0.5"),
        (Value("text", "SW1A 1AA", language="en"), "P281", '"SW1A 1AA"'),
        (Value("text", "a\\b"), "P742", '"a\\b"'),
        (Value("other", "Point(2.29 -48.86)"), "P625", "@-48.86/2.29"),
        (Value("other", "https://ilo.example/a|b"), "P856", '"https://ilo.example/a%7Cb"'),
        (
            Value("other", "http://commons.wikimedia.org/wiki/Special:FilePath/Ilo%20Brun.jpg"),
            "P18",
            '"Ilo Brun.jpg"',
        ),
    ],
)
def test_values_as_quickstatements(value, property, text):
    assert value_text(value, property) == text


@pytest.mark.parametrize(
    ("value", "property", "why"),
    [
        (Value("quantity", "330"), "P2048", "its number has no unit"),
        (Value("quantity", "5"), "P2130", "its number has no unit"),
        (Value("text", "Ilo"), "P1559", "its text does not say its language"),
        (Value("text", "Ilo", language="es-419"), "P1559", "QuickStatements knows no language 'es-419'"),
        (Value("text", "a|b"), "P742", "its text contains |, which"),
        (Value("text", "the “a”"), "P742", "its text contains “ or ”"),
        (Value("text", '""a""'), "P742", "its text begins and ends with two quotes"),
        (Value("text", " "), "P742", "its text is empty"),
        (Value("text", "a\x00b"), "P742", "its text contains a control character or half a character"),
        (Value("text", "Warsaw"), "P19", "P19 takes an item, and this is none"),
        (Value("time", "1850-01-01T00:00:00Z"), "P571", "its date has no known precision"),
        (Value("time", "1850-02-30", precision=11), "P571", "its date has no known precision, or is no day"),
        (Value("time", "1850-13", precision=10), "P571", "its date has no known precision, or is no day"),
        (Value("other", "Point(4 95)"), "P625", "P625 takes a place, and this is none"),
        (Value("text", "10 20"), "P625", "P625 takes a place, and this is none"),
        (Value("other", "<http://www.wikidata.org/entity/Q111> Point(2 3)"), "P625", "its place is not on Earth"),
        (Value("other", "urn:x"), "P742", "its object is neither an item nor a link"),
        (Value("other", "urn:x"), "P856", "P856 takes a link that begins with http:// or https://"),
        (Value("text", "www.ilo.example"), "P856", "P856 takes a link that begins with http:// or https://"),
        (Value("quantity", "12"), "P973", "P973 takes a link that begins with http:// or https://"),
        (Value("other", "http://www.wikidata.org/entity/P19"), "P1687", "its object is a property or a lexeme"),
        (Value("other", "http://www.wikidata.org/prop/direct/P19"), "P1687", "its object is a property or a lexeme"),
        (Value("other", "https://www.wikidata.org/wiki/Property:P19"), "P1687", "its object is a property or"),
        (Value("somevalue"), "P742", "its value is unknown"),
    ],
)
def test_what_has_no_form_says_why(value, property, why):
    assert value_text(value, property) == ""
    assert why_not(value, property).startswith(why)


@st.composite
def values(draw):
    """A value, a property that takes it, and what the parsers must read; None if the text may have no form."""
    kind = draw(st.sampled_from(["text", "monolingual", "link", "quantity", "place", "year", "month", "day", "item"]))
    if kind == "text":
        text = draw(TEXTS)
        return Value("text", text), "P742", ("text", clean_line(text))
    if kind == "monolingual":
        text, language = draw(TEXTS), draw(st.sampled_from(["en", "pt-br", "zh-classical", "be-tarask"]))
        return Value("text", text, language=language), "P1559", ("monolingual", language, clean_line(text))
    if kind == "link":
        link = draw(LINKS)
        return Value("other", link), "P856", ("text", link.replace("|", "%7C"))
    if kind == "quantity":
        amount, unit = draw(NUMBERS), draw(st.sampled_from(["", "Q11573", "Q712226"]))
        return Value("quantity", amount, unit=unit), "P1128", ("quantity", Decimal(amount), unit)
    if kind == "place":
        longitude, latitude = draw(DEGREES), draw(DEGREES)
        place = ("place", Decimal(latitude), Decimal(longitude))
        return Value("other", f"Point({longitude} {latitude})"), "P625", place
    if kind == "item":
        id = f"Q{draw(st.integers(1, 10**9))}"
        return Value("item", id), "P19", ("item", id)
    day = draw(st.dates())
    if kind == "day":
        read = ("time", f"+{day}T00:00:00Z", 11, GREGORIAN)
        return Value("time", str(day), precision=11), "P571", read
    calendar = JULIAN if day.year < 1583 else GREGORIAN
    if kind == "month":
        month = f"{day}"[:7]
        return Value("time", month, precision=10), "P571", ("time", f"+{month}-00T00:00:00Z", 10, calendar)
    year = f"{day}"[:4]
    return Value("time", year, precision=9), "P571", ("time", f"+{year}-00-00T00:00:00Z", 9, calendar)


@given(st.lists(values(), min_size=1, max_size=4), LINKS | st.just(""), st.sampled_from(["", "Q328"]))
def test_both_versions_read_what_was_meant(given_values, url, stated_in):
    """All values of a batch, with their references, or a value is left out and says why."""
    lines, meant = [], []
    references = [("P248", ("item", stated_in))] if stated_in else []
    references += [("P854", ("text", url.replace("|", "%7C")))] if url else []
    for value, property, read in given_values:
        text = value_text(value, property)
        assert bool(text) != bool(why_not(value, property))
        if text:
            times = [("P580", "+1867-11-07T00:00:00Z/11"), ("P582", "+1934-00-00T00:00:00Z/9")][: len(lines)]
            read_times = [
                ("P580", ("time", "+1867-11-07T00:00:00Z", 11, GREGORIAN)),
                ("P582", ("time", "+1934-00-00T00:00:00Z", 9, GREGORIAN)),
            ][: len(lines)]
            lines.append(command("Q7186", property, text, qualifiers=times, stated_in=stated_in, url=url))
            meant.append(("Q7186", property, read, read_times, references))
    batch = "".join(lines)
    assert read_2(batch) == meant
    assert read_3(batch) == meant


@given(TEXTS)
def test_only_texts_that_a_version_reads_as_something_else_have_no_form(text):
    line = clean_line(text)
    is_read = read_2(f'Q1\tP742\t"{line}"\n')[0].value == ("text", line)
    try:
        is_read &= read_3(f'Q1\tP742\t"{line}"\n')[0].value == ("text", line)
    except (AssertionError, ValueError):
        is_read = False
    is_kept = clean_text(text) == text  # no character is exchanged
    assert bool(value_text(Value("text", text), "P742")) == (is_read and is_kept and line != "")


@given(TEXTS)
def test_one_line_is_one_line_and_keeps_all_words(text):
    line = clean_line(text)
    assert line.splitlines() in ([], [line])
    assert "\t" not in line
    line.encode("utf-8")
    assert clean_line(line) == line


def test_each_property_of_ours_takes_one_kind_of_value():
    values = [Value("item", "Q1"), Value("time", "1867"), Value("quantity", "4", unit="Q1"), Value("text", "a")]
    for predicate in load_properties():
        name = predicate.rpartition("/")[2]
        assert sum(value_text(value, name) != "" for value in values) == (2 if name == "P281" else 1), name
