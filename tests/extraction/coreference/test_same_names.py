"""Which names of a document mean the same: the rules, one by one."""

import pytest

from kgmrca.extraction.coreference.beside import (
    gender_of_neighbours,
    gender_of_title,
    is_archaic_pronoun,
    is_definite,
    is_title,
)
from kgmrca.extraction.coreference.names import Name, group_names, introduced, is_acronym_of, without_mistaken

# Names as "words/type" or "words/type/item"; "=" stands between those that are one, ";" between entities.
TABLE = {
    "equal": "Marie Curie/PER = Marie Curie/PER ; Pierre Curie/PER",
    "case, accents and possessives": "Skłodowska's/PER = SKŁODOWSKA/PER ; José Ruiz/PER = Jose Ruiz/PER",
    "articles": "The Hague/LOC = Hague/LOC ; the BBC/ORG = BBC/ORG",
    "hyphens": "Jean-Paul Sartre/PER = Jean - Paul Sartre/PER",
    "last name": "Marie Curie/PER = Curie/PER",
    "last name of several words": "Francesco De Masi/PER = De Masi/PER",
    "first name": "Marie Curie/PER = Marie/PER",
    "short name before the long one": "Curie/PER = Marie Curie/PER",
    "two who share a name": "Ann Lee/PER ; Marie Curie/PER ; Pierre Curie/PER ; Curie/PER = Curie/PER ; Bob/PER",
    "the other name tells them apart": "Marie Curie/PER = Marie/PER ; Pierre Curie/PER = Pierre/PER",
    "titles": "Marie Curie/PER = Dr. Curie/PER = Professor Marie Curie/PER",
    "titles of two genders": "Mr. Bennet/PER = Mr Bennet/PER ; Mrs. Bennet/PER",
    "a name without title beside two titles": "Mr. Bennet/PER ; Mrs. Bennet/PER ; Bennet/PER",
    "a title goes with the entity": "Mr. Darcy/PER = Fitzwilliam Darcy/PER = Darcy/PER",
    "two titles for one name": "Mr. Darcy/PER ; Fitzwilliam Darcy/PER ; Mrs. Darcy/PER",
    "other middle names": "George H. W. Bush/PER ; George W. Bush/PER = George Walker Bush/PER",
    "father, son and grandson": "John Smith II/PER ; John Smith III/PER ; John Smith I/PER",
    "a wife and a man": "Mrs. Adams/PER ; John Adams/PER",
    "a wife and a woman by her title": "Mrs. Adams/PER = Mrs. Abigail Adams/PER = Abigail Adams/PER ; John Adams/PER",
    "a husband, a wife and the names of both": (
        "Mr. Adams/PER = John Adams/PER ; Mrs. Adams/PER = Mrs. Abigail Adams/PER = Abigail Adams/PER"
    ),
    "a lady and a sir": "Lady Jane Grey/PER = Lady Grey/PER ; Sir John Grey/PER = Sir Grey/PER",
    "a wife alone": "Mrs. Adams/PER = Adams/PER",
    "initials": "M. Curie/PER = Marie Curie/PER ; J. K. Rowling/PER = J.K. Rowling/PER",
    "an initial that fits two": "Marie Curie/PER ; Maria Curie/PER ; M. Curie/PER",
    "other first names": "John Smith/PER ; James Smith/PER",
    "father and son": "John Smith Sr./PER ; John Smith Jr./PER",
    "kings": "Ann/PER ; Henry VII/PER ; Henry VIII/PER ; Henry/PER ; Bob/PER",
    "an acronym with the article": "The Music Factory/MISC = TMF/MISC",
    "forms of state": "Thailand/LOC = Kingdom of Thailand/LOC ; Republic of China/LOC ; People's Republic of China/LOC",
    "a city of two names": "New York City/LOC = New York/LOC",
    "a family of names is no person": "Kennedy/ORG ; John Kennedy/PER",
    "acronym": "World Health Organization/ORG = WHO/ORG",
    "acronym with dots": "World Health Organization/ORG = W.H.O./ORG",
    "acronym without small words": "Department of Defense/ORG = DOD/ORG",
    "an acronym that fits two": "World Health Organization/ORG ; Women Help Others/ORG ; WHO/ORG",
    "known acronyms": "United States/LOC = U.S./LOC = USA/LOC = the United States of America/LOC = US/LOC",
    "no acronyms of persons": "Martin Scorsese/PER ; MS/ORG",
    "legal forms": "Microsoft/ORG = Microsoft Corporation/ORG = Microsoft Corp./ORG",
    "generic words": "Harvard/ORG = Harvard University/ORG",
    "other words": "Ann/PER ; Apple/ORG ; Apple Daily/ORG ; Oslo/LOC",
    "two with the same start": "Deutsche Bank/ORG ; Deutsche Records/ORG ; Deutsche/ORG",
    "a place with what it lies in": "Springfield/LOC = Springfield , Illinois/LOC",
    "two places with the same start": "Paris , Texas/LOC ; Paris , France/LOC ; Paris/LOC",
    "no parts of places": "York/LOC ; New York/LOC",
    "an organization taken for a place": "Villanova/LOC = Villanova/ORG",
    "a person and a place": "Washington/PER ; Washington/LOC",
    "a people and its language": "Kurdish/LOC ; Kurdish/MISC",
    "types that are not known": "Foo/THING = Foo/ORG",
    "dates": "May 1990/TIME = May 1990/TIME ; May/TIME",
    "values": "$ 100/NUM = $100/NUM ; 100 %/NUM ; 100/NUM",
    "symbols": "C/MISC ; C++/MISC ; C#/MISC ; &/MISC ; !!!/ORG",
    "an item for equal names": "Curie/PER/Q1 = Curie/PER/Q1 ; Curie/PER/Q2",
    "an item for other names": "Mumbai/LOC/Q3 = Bombay/LOC/Q3",
    "no item, and two that are linked": "Curie/PER/Q1 ; Curie/PER/Q2 ; Curie/PER",
    "no item, and one that is linked": "Marie Curie/PER/Q1 = Curie/PER ; Pierre Curie/ORG/Q2",
    "a prince and a Charles": "Prince Charles/PER ; Charles Spencer/PER",
    "a queen and an Elizabeth": "Queen Elizabeth/PER = Elizabeth II/PER ; Elizabeth Taylor/PER = Taylor/PER",
    "a pope and a saint": "Pope Francis/PER ; Saint Francis/PER ; Francis Bacon/PER",
    "an office that nobody is said to have": "President Lincoln/PER ; Mary Lincoln/PER",
    "an office in the longer name": "President Barack Obama/PER = President Obama/PER ; Michelle Obama/PER",
    "two offices": "Senator Kennedy/PER ; President Kennedy/PER",
    "two titles": "Dr. Brown/PER ; Mr. Brown/PER ; Miss Brown/PER",
    "a doctor and a professor": "Dr. Brown/PER = Prof. Brown/PER",
    "a name with a hyphen": "Irène Joliot-Curie/PER ; Curie/PER ; Jean-Paul Sartre/PER = Sartre/PER ; Paul/PER",
    "an Arabic article": "Bashar al-Assad/PER = Assad/PER",
    "a Korean name": "Kim Jong-il/PER = Kim/PER ; Jong/PER",
    "names of a father": "Lev Nikolayevich Tolstoy/PER ; Alexei Nikolayevich Tolstoy/PER",
    "a family": "the Bachs/PER ; Johann Sebastian Bach/PER = J. S. Bach/PER = Bach/PER",
    "two sons": "J. S. Bach/PER ; C. P. E. Bach/PER ; W. F. Bach/PER",
    "capitals": "MARIE CURIE/PER = Marie Curie/PER ; PIERRE CURIE/PER",
    "a ship and a man": "Abraham Lincoln/PER ; Abraham Lincoln/MISC",
    "items before short names": "Marie Curie/PER/Q1 ; Curie/PER/Q2",
    "an item and an acronym of another": "World Health Organization/ORG/Q1 ; WHO/ORG/Q2",
}

# In these the order of the text counts.
ORDERED = {
    "the first person of the text": "Marie Curie/PER = Curie/PER ; Pierre Curie/PER = Pierre/PER",
    "middle names": "Martin Luther King/PER = Martin King/PER",
    "more middle names": "George H. W. Bush/PER = George H. Bush/PER = George Bush/PER = Bush/PER",
    "the longer name is another": "John Adams/PER = Adams/PER ; John Quincy Adams/PER",
    "two longer names": "George Bush/PER ; George W. Bush/PER ; George H. W. Bush/PER",
    "a wife beside the name alone": "John Adams/PER = Adams/PER ; Mrs. Adams/PER",
    "the first person by another name": "Marie Curie/PER = Marie/PER = Curie/PER ; Pierre Curie/PER",
    "a first name of several": "Liang Sicheng/PER = Liang/PER ; Liang Qichao/PER",
    "another person is the first": "Ann Lee/PER ; Marie Curie/PER ; Pierre Curie/PER ; Curie/PER",
    "a title of the other gender": "Mr. Ben Darcy/PER ; Lea Darcy/PER ; Ida Darcy/PER ; Mrs. Darcy/PER",
    "a particle": "Vincent van Gogh/PER = Van Gogh/PER = van Gogh/PER ; Theo van Gogh/PER",
    "a doctor before another name in full": "Dr. Watson/PER ; Emma Watson/PER",
    "a doctor behind the name in full": "Ann Lee/PER = Dr. Lee/PER",
    "a lord before another name in full": "Lord Byron/PER = Byron/PER ; Ada Byron/PER",
    "a short form behind an article": "Norwegian Parliament/ORG = the Parliament/ORG ; Oslo/LOC",
    "a short form of what the text is about": "Villanova Preparatory School/ORG = Villanova/ORG",
    "a short form of something else": "Ann Lee/PER ; Villanova Preparatory School/ORG ; Villanova/ORG",
    "a short form before the long one": "the Parliament/ORG ; Norwegian Parliament/ORG",
    "a short form of two": "Norwegian Parliament/ORG ; Swedish Parliament/ORG ; the Parliament/ORG",
    "a name with of": "Ann/PER ; House of Commons of Canada/ORG = the House of Commons/ORG ; the House of Lords/ORG",
    "a work's short name": "Toyota Avalon/MISC = Avalon/MISC",
    "no short forms of places": "Cambodia/LOC ; Albany County/LOC ; the Albany/LOC",
}


def parse(row):
    names, wanted = [], []
    for entity in row.split(" ; "):
        first = len(names)
        for name in entity.split(" = "):
            words, kind, *item = name.split("/")
            names.append(Name(tuple(words.split()), kind, *item, definite=words.startswith("the ")))
            wanted.append(first)
    return names, wanted


@pytest.mark.parametrize("row", (TABLE | ORDERED).values(), ids=TABLE | ORDERED)
def test_rules(row):
    names, wanted = parse(row)
    assert group_names(names) == wanted


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_the_order_of_names_changes_nothing(row):
    names, wanted = parse(row)
    there = list(range(len(names)))[::-1]
    found = group_names(names[::-1])[::-1]
    together = {(one, other) for one in there for other in there if found[one] == found[other]}
    assert together == {(one, other) for one in there for other in there if wanted[one] == wanted[other]}


def test_first_person_and_items():
    names = [Name(("Marie", "Curie"), "PER", "Q1"), Name(("Pierre", "Curie"), "PER"), Name(("Curie",), "PER", "Q2")]
    assert group_names(names) == [0, 1, 1]


def test_two_names_in_one_sentence_are_two():
    long, short = ("John", "Quincy", "Adams"), ("John", "Adams")
    assert group_names([Name(long, "PER", sentence=0), Name(short, "PER", sentence=1)]) == [0, 0]
    assert group_names([Name(long, "PER", sentence=1), Name(short, "PER", sentence=1)]) == [0, 1]


def test_what_is_known_goes_before_middle_names():
    names = [Name(("John", "Adams"), "PER"), Name(("John", "Quincy", "Adams"), "PER")]
    assert group_names(names, [[0, 1]]) == [0, 0]


def test_the_words_beside_names_tell_who_mrs_adams_is():
    names = [
        Name(("John", "Adams"), "PER"),
        Name(("Abigail", "Adams"), "PER", gender="f"),
        Name(("Mrs.", "Adams"), "PER"),
        Name(("Adams",), "PER"),
    ]
    assert group_names(names) == [0, 1, 1, 0]


def bracketed(text):
    """The words of a text with brackets around names, and start and end (exclusive) of each name."""
    words, spans = [], []
    for word in text.split():
        if word.startswith("["):
            start = len(words)
        words.append(word.strip("[]"))
        if word.endswith("]"):
            spans.append((start, len(words)))
    return words, spans


def read(text):
    """The names of a text with brackets around persons, with what stands beside them."""
    words, spans = bracketed(text)
    return [Name.at(words, *span, "PER", sentence=words[: span[0]].count(".")) for span in spans]


@pytest.mark.parametrize(
    "text",
    [
        "[Siemens] was founded in Berlin . [Werner von Siemens] led it .",
        "[Siemens] makes trains . The company was founded by [Werner von Siemens] .",
        "[Henry Ford] was rich . He founded [Ford] in 1903 .",
        "[Walt Disney] was rich . Shares of [Disney] rose .",
        "[Walt Disney] was rich . [Disney] shares rose .",
        "The battleship [Bismarck] left . [Otto von Bismarck] was dead .",
        "[Heinz] is based in Pittsburgh . [Henry J. Heinz] founded it .",
        "[Boeing] said that it would cut jobs . [William Boeing] founded the company .",
    ],
)
def test_things_named_after_persons_are_no_persons(text):
    names = without_mistaken(read(text))
    assert sorted(name.type for name in names) == ["ORG", "PER"]
    assert group_names(names) == [0, 1]


@pytest.mark.parametrize(
    "text",
    [
        "[Marie Curie] won a prize . [Curie] founded an institute .",
        "[Henry Ford] was rich . [Ford] was based in Detroit .",
        "[Ford] launched a career . [Henry Ford] started it in 1990 .",
        "[Curie] WINS PRIZE . [Marie Curie] won it .",
        "The shares of [Mr. Ford] rose . [Henry Ford] was rich .",
    ],
)
def test_persons_stay_persons(text):
    names = without_mistaken(read(text))
    assert {name.type for name in names} == {"PER"}
    assert set(group_names(names)) == {0}


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[Angela Merkel] , chancellor of Germany , left . [Chancellor Merkel] spoke .", [0, 0]),
        ("[Barack Obama] was elected president . [Michelle Obama] came . [President Obama] spoke .", [0, 1, 0]),
        ("[Mary Lincoln] was the wife of [President Lincoln] .", [0, 1]),
        ("[Mary Lincoln] wept . President [Lincoln] died .", [0, 1]),
        ("[John Smith Jr.] was born in 1950 . His father [John Smith] was a farmer .", [0, 1]),
        ("[John Smith Jr.] was born in 1950 . [John Smith] was a farmer .", [0, 1]),
        ("[John Smith] was born in 1950 . [John Smith Jr.] was a farmer .", [0, 1]),
        ("[John Smith Jr.] was born in 1950 . [Smith] was a farmer .", [0, 0]),
    ],
)
def test_the_words_beside_names_count(text, groups):
    assert group_names(read(text)) == groups


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("[Siemens] was founded by [Werner von Siemens] . [Siemens] was born in Lenthe .", [0, 1, 1]),
        ("[Ferrari] was founded by [Enzo Ferrari] . [Ferrari] died in Modena .", [0, 1, 1]),
        ("[Enzo Ferrari] founded [Ferrari] in 1939 . [Ferrari] died in 1988 .", [0, 1, 0]),
        ("[Ford] was born in 1863 . He founded [Ford] . [Henry Ford] died .", [0, 1, 0]),
        ("[Ferrari] was founded by [Enzo Ferrari] . [Ferrari] grew .", [0, 1, 0]),
    ],
)
def test_a_company_and_its_founder_are_two_whatever_is_said_of_each(text, groups):
    assert group_names(without_mistaken(read(text))) == groups


def test_first_names_tell_the_gender():
    names = [
        Name(("Anna", "Brown"), "PER", likely="f"),
        Name(("Mr.", "Brown"), "PER"),
        Name(("John", "Adams"), "PER", likely="m"),
        Name(("Mrs.", "John", "Adams"), "PER"),
    ]
    assert group_names(names) == [0, 1, 2, 3]


def test_first_names_are_not_sure():
    names = [Name(("Evan", "Lee"), "PER", likely="m"), Name(("Mary", "Lee"), "PER", likely="f")]
    assert group_names(names, [[0, 1]]) == [0, 0]


@pytest.mark.parametrize(
    ("text", "gender"),
    [
        ("his wife [Ann Lee]", "f"),
        ("[Ann Lee] was the wife of Bob", "f"),
        ("[Bob Lee] , his son , sang", "m"),
        ("Mr. [Kim Lee]", "m"),
        ("[Kim Lee] , his doctor , sang", ""),
        ("his wife [Kim Lee] , a man of honour", ""),
        ("[Kim Lee]", ""),
    ],
)
def test_words_beside_names_say_the_gender(text, gender):
    words, [span] = bracketed(text)
    assert gender_of_neighbours(words, *span) == gender


@pytest.mark.parametrize(
    ("words", "archaic"), [("Thou", True), ("thee", True), ("ye", True), ("Ye", False), ("Thy Lord", False)]
)
def test_archaic_pronouns(words, archaic):
    assert is_archaic_pronoun(words.split()) == archaic


def test_definite():
    words = ["The", "Hague", "and", "the", "Parliament", "met"]
    assert [is_definite(words, at) for at in range(6)] == [True, True, False, True, True, False]


def test_what_is_known_is_kept():
    names = [Name(("Bombay",), "LOC"), Name(("Oslo",), "LOC"), Name(("Mumbai",), "LOC")]
    assert group_names(names, [[0, 2]]) == [0, 1, 0]


def test_what_others_keep_apart_stays_apart():
    names = [Name(("Ann", "Lee"), "PER"), Name(("Ann", "Lee"), "PER"), Name(("Lee",), "PER"), Name(("Ann",), "PER")]
    assert group_names(names, clusters=[[[0, 2], [1, 3]]]) == [0, 1, 0, 1]
    assert group_names(names, clusters=[[[0, 2]], [[1, 3]]]) == [0, 0, 0, 0]


def test_an_item_outweighs_the_clusters_of_others():
    names = [Name(("Bombay",), "LOC", "Q1"), Name(("Oslo",), "LOC"), Name(("Mumbai",), "LOC", "Q1")]
    assert group_names(names, clusters=[[[0], [1, 2]]]) == [0, 1, 0]


def test_what_is_known_never_joins_two_items():
    names = [Name(("Bombay",), "LOC", "Q1"), Name(("Oslo",), "LOC", "Q2"), Name(("Bombay",), "LOC")]
    assert group_names(names, [[0, 1, 2]]) == [0, 1, 0]


def test_many_names_are_quick():
    names = [Name((f"First{number % 500}", f"Last{number % 700}"), "PER") for number in range(20_000)]
    assert len(set(group_names(names))) == 3_500


@pytest.mark.parametrize(
    ("words", "gender"),
    [
        (("Mrs.", "Dalloway"), "f"),
        (("Sir", "Walter"), "m"),
        (("Dr.", "Lady", "X"), "f"),
        (("Miss",), ""),
        (("Ann", "King"), ""),
    ],
)
def test_titles_say_the_gender(words, gender):
    assert gender_of_title(words) == gender


def test_titles():
    assert is_title("Dr.")
    assert is_title("president")
    assert not is_title("Drake")


def test_acronyms():
    assert is_acronym_of("NATO", ["North", "Atlantic", "Treaty", "Organization"])
    assert not is_acronym_of("Nato", ["North", "Atlantic", "Treaty", "Organization"])
    assert not is_acronym_of("N", ["North"])


@pytest.mark.parametrize(
    ("text", "types", "pairs"),
    [
        ("[Freddie Mercury] ( born [Farrokh Bulsara] ) sang .", "PER PER", [(0, 1)]),
        ("[Kitigan Zibi] , also known as [River Desert] , lies there .", "LOC LOC", [(0, 1)]),
        ("[Saint Lucia Air and Seaports Authority] ( [SLASPA] ) grew .", "ORG ORG", [(0, 1)]),
        ("[Saint Lucia Air and Seaports Authority] ( [SLASPA] in [Castries] ) grew .", "ORG ORG LOC", []),
        ("[Acme] ( [NASA] ) grew .", "ORG ORG", []),
        ("[Ann Lee] ( [NASA] ) flew .", "PER ORG", []),
        ("[Arjuna] ( [अर्जुन] ) left .", "PER PER", [(0, 1)]),
        ("[Ann Lee] ( [Bob Stone] ) sang .", "PER PER", []),
        ("[Defense Committee] ( [SSİK] ) met .", "ORG ORG", [(0, 1)]),
        ("' [Khooni Khanjar] ' ( ' [Fighting Blade] ' , 1930 ) ran .", "MISC MISC", [(0, 1)]),
        ("[Altamira] ( [Caracas] ) grew .", "LOC LOC", []),
        ("[Kristiania] ( now [Oslo] ) grew .", "LOC LOC", [(0, 1)]),
        ("[Oslo] or [Bergen] , or so .", "LOC LOC", []),
        ("[Ann Lee] , born in [Oslo] , sang .", "PER LOC", []),
        ("[Ann Lee] and [Bob Stone] sang .", "PER PER", []),
        ("[Ann Lee] [Bob Stone]", "PER PER", []),
        ("[May 1990] , formerly [June 1990]", "TIME TIME", []),
        ("[Ann Lee] , known as [Paris]", "PER LOC", []),
        ("[Ann Lee] is the mother of the man known as [Bob Stone]", "PER PER", []),
    ],
)
def test_names_that_a_text_introduces(text, types, pairs):
    words, spans = bracketed(text)
    assert introduced(words, spans, types.split()) == pairs
