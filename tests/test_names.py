import sys
import unicodedata

import pytest
from helpers import recipe_script
from hypothesis import example, given
from hypothesis import strategies as st
from written import WRITTEN

from kgmrca.names import is_pronoun, normal_name, plain_name, shown_name, spellings
from kgmrca.triples.iris import Iris

# What typesetting, word processors and web pages do to a name.
HOSTILE = st.text() | st.text(alphabet="aB ,;:.…&’'\"“”-–—()[]*|\u00ad\u200b\u200e\ufeff\u0308ßﬁ＆Ａ\x1f")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Sela O’Brun", "Sela O'Brun"),
        ("Sela O´Brun", "Sela O'Brun"),
        ("Hale‘iwa", "Hale'iwa"),
        ("Mira Osk–Tal", "Mira Osk-Tal"),
        ("Mira Osk\u2011Tal", "Mira Osk-Tal"),
        ("Mira Osk\u2212Tal", "Mira Osk-Tal"),
        ("Ilo\u0308 Vanne\u0301", "Ilö Vanné"),
        ("Vor\u00adhaus", "Vorhaus"),
        ("Sela\u200b Brun\ufeff", "Sela Brun"),
        ("\u200e\u202aSela Brun\u202c", "Sela Brun"),
        ("Sela \u00a0\u202f Brun\r\n", "Sela Brun"),
        ("Griﬃn", "Griffin"),
        ("Ｓｅｌａ", "Sela"),
        ("Sela Brun,", "Sela Brun"),
        ("Sela Brun ; ", "Sela Brun"),
        ("Sela Brun:", "Sela Brun"),
        ("Sela Brun …", "Sela Brun"),
        ("Sela Brun...", "Sela Brun"),
        ("Sela Brun […]", "Sela Brun"),
        ("— Sela Brun—", "Sela Brun"),
        ("• Sela Brun", "Sela Brun"),
        ("“Sela Brun”", "Sela Brun"),
        ("„Sela Brun“,", "Sela Brun"),
        ("« Sela Brun »", "Sela Brun"),
        ("(Sela Brun)", "Sela Brun"),
        ("Sela Brun)", "Sela Brun"),
        ("[Sela Brun", "Sela Brun"),
        ("Jo (jazz)),", "Jo (jazz)"),
        ("Sela Brun[12]", "Sela Brun"),
        ("Sela Brun[1][3]", "Sela Brun"),
        ("Sean O`Hearn", "Sean O'Hearn"),
        ("Brun & Osk", "Brun and Osk"),
        ("Brun &amp; Osk", "Brun and Osk"),
        ("Brun &amp;amp; Osk", "Brun and Osk"),
        ("&quot;Sela&nbsp;O&#39;Brun&quot;", "Sela O'Brun"),
        ("S&eacute;la &#x00d8;sk", "Séla Øsk"),
    ],
)
def test_what_typesetting_does_to_a_name_makes_no_other_name(written, plain):
    assert plain_name(written) == plain
    assert Iris().entity("urn:d", written) == Iris().entity("urn:d", plain)


@pytest.mark.parametrize(
    "name",
    [
        "Apple Inc.",
        "U.S.",
        "AT&T",
        "R&notes",
        "C++",
        "-5",
        "A-",
        "Yahoo!",
        "!!!",
        "'t Hooft",
        "the '90s",
        '"Weird" Brun',
        "x[i]",
        "Osk (b. 1900",
        "5'",
        "x_",
    ],
)
def test_a_name_that_needs_no_mending_is_kept(name):
    assert plain_name(name) == name


@pytest.mark.parametrize("name", ["Ilö Vanné", "(500) Days", "Jo (jazz)", "O'Brun-Tal", "ТАСС", "東京", "Kreß", "["])
def test_such_a_name_is_the_same_as_in_the_first_release(name):
    """So the IRI of its entity stays."""
    assert normal_name(name) == " ".join(unicodedata.normalize("NFC", name).casefold().split())


@pytest.mark.parametrize("names", [("Ilo", "Ilö"), ("Brun", "Brun's"), ("AT&T", "ATT"), ("Apple Inc.", "Apple")])
def test_other_letters_make_another_name(names):
    assert len(set(map(normal_name, names))) == 2


@given(HOSTILE)
def test_a_plain_name_stays_as_it_is(text):
    assert plain_name(plain_name(text)) == plain_name(text)
    assert normal_name(normal_name(text)) == normal_name(text)


@given(HOSTILE)
def test_a_name_with_letters_never_becomes_empty(text):
    assert any(map(str.isalnum, plain_name(text))) >= any(map(str.isalnum, text))


@pytest.mark.parametrize(("name", "written"), [(name, form) for name, *forms in WRITTEN for form in forms])
def test_a_name_is_looked_up_as_others_write_it(name, written):
    assert name in spellings(written)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("London", ("London",)),
        (" New\n York ", ("New York",)),
        ("the Netherlands", ("the Netherlands", "Netherlands")),
        ("The The", ("The The", "The")),
        ("France's", ("France's", "France", "France’s", "Franceʻs")),
        ("NEW ZEALAND", ("NEW ZEALAND", "New Zealand", "NEW Zealand")),
        ("USA", ("USA",)),
        ("BBC NEWS", ("BBC NEWS", "Bbc News", "BBC News")),
        ("WORLD WAR II", ("WORLD WAR II", "World War II", "World WAR II")),
        ("MACARTHUR", ("MACARTHUR", "Macarthur", "MacArthur")),
        ("anna of rome", ("anna of rome", "Anna of Rome")),
        ("BAKER 747B", ("BAKER 747B", "Baker 747B")),
        ("Lund&Vesper", ("Lund&Vesper", "Lund & Vesper", "Lund and Vesper")),
        ("Lund_Vesper", ("Lund_Vesper", "Lund Vesper")),
        ("AT&T", ("AT&T", "At&T")),
        ("Lund + Vesper", ("Lund + Vesper", "Lund & Vesper", "Lund and Vesper")),
        ("Vesper, Anna", ("Vesper, Anna", "Anna Vesper")),
        ("London, 1900", ("London, 1900",)),
        ("Dr. Anna Vesper", ("Dr. Anna Vesper", "Anna Vesper")),
        ("Mr. Vesper", ("Mr. Vesper",)),
        ("@Vesper", ("@Vesper", "Vesper")),
        ("*Anna Vesper*", ("*Anna Vesper*", "Anna Vesper")),
        ("Anna Vesper²", ("Anna Vesper²", "Anna Vesper")),
        ("OHearn", ("OHearn", "O'Hearn")),
        ("OPEC", ("OPEC", "Opec")),
        ("Apple Inc.", ("Apple Inc.", "Apple Inc")),
        ("", ()),
        (" \t", ()),
    ],
)
def test_spellings(name, expected):
    assert spellings(name) == expected


def test_a_name_may_lack_any_of_its_accents():
    assert set(spellings("Jose Garcia")) == {"Jose Garcia", "José García", "José Garcia", "Jose García"}
    assert "Zoë Krauß" in spellings("Zoe Krauss")
    assert {"Søren", "Sören"} < set(spellings("Soren"))


def test_the_words_with_accents_are_those_of_lists_of_names(monkeypatch, tmp_path):
    files = {
        "__init__": "",
        "providers/__init__": "",
        "providers/person/__init__": "",
        "providers/person/xx": "class Provider:\n    first_names = {'Zoë': 1, 'Kim': 2, 'Ża': 1, '花子花': 1}",
        "providers/person/yy": "class Provider:\n    last_names = ('Zoé Ørsted', 'Ma’é')\n    formats = ['Äöü']",
        "providers/address/__init__": "",
        "providers/address/xx": "class Provider:\n    cities = [['Zoé', 'Ørsted']]\n    street_names = ['Gräben']",
    }
    for name, content in files.items():
        path = tmp_path / "faker" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for name in [name for name in sys.modules if name.partition(".")[0] == "faker"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    recipe_script(monkeypatch, "accented_words").main(tmp_path / "words.txt")
    for name in [name for name in sys.modules if name.partition(".")[0] == "faker"]:
        del sys.modules[name]
    lines = (tmp_path / "words.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line[0] != "#"] == ["Ørsted", "Zoé", "Zoë"]


def test_the_first_names_of_one_gender_are_those_of_lists(monkeypatch, tmp_path):
    female, male = {"Zoë": 1, "Kim": 1, "Nikita": 1, "Uma": 1, "Éva": 1}, ("Bill", "Kim")
    files = {
        "faker/__init__.py": "",
        "faker/providers/__init__.py": "",
        "faker/providers/person/__init__.py": "",
        "faker/providers/person/xx.py": f"class Provider:\n    first_names_female = {female}",
        "faker/providers/person/yy.py": f"class Provider:\n    first_names_female = {female}",
        "faker/providers/person/zz.py": f"class Provider:\n    first_names_male = {male}\n    last_names = ('Éva',)",
        "names/__init__.py": "",
        "names/dist.all.last": "SMITH 1.0 1.0 1\n",
        "names/dist.male.first": "BILL 1.0 1.0 1\nUMA 0.5 1.5 2\nBOB 0.5 2.0 3\n",
        "names/dist.female.first": "UMA 0.5 0.5 1\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("faker", "names")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    recipe_script(monkeypatch, "given_names").main(tmp_path / "given.txt")
    for name in [name for name in sys.modules if name.partition(".")[0] in ("faker", "names")]:
        del sys.modules[name]
    lines = (tmp_path / "given.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line[0] != "#"] == ["Bill m", "Zoë f", "Éva f family"]


@given(HOSTILE)
def test_the_name_as_it_is_comes_first_and_there_are_never_many_spellings(text):
    found = spellings(text)
    assert len(found) == len(set(found)) <= 32
    assert (
        found[:1] == tuple(filter(None, [unicodedata.normalize("NFC", " ".join(text.split()))])) or not found[0].split()
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("> Anna", "Anna"),
        ("Anna\n> > Lee", "Anna Lee"),
        ("Anna\r\n>Lee", "Anna Lee"),
        ("So\u00adfia\u200b Lind\ufeff", "Sofia Lind"),
        ("\u202bDavid Cohen\u202c", "David Cohen"),
        ("\u2067דוד\u2069", "דוד"),
        ("🇫🇷 Marie Curie 🎉\ufe0f", "Marie Curie"),
        ("Anna 👩\u200d🔬", "Anna"),
        ("O’Brun", "O’Brun"),
        ("Marks & Spencer", "Marks & Spencer"),
        ("C++", "C++"),
        ("a > b", "a > b"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("Ma\u200cria", "Maria"),
        ("🎉", "🎉"),
        ("…", "…"),
        (" \n ", ""),
    ],
)
def test_a_name_is_shown_without_what_is_not_seen(written, shown):
    assert shown_name(written) == shown


@example("\x1b>0")
@example("🎉 > 🎉 >0")
@given(HOSTILE)
def test_a_shown_name_is_shown_as_it_is(text):
    assert shown_name(shown_name(text)) == shown_name(text)


@pytest.mark.parametrize("text", ["she", "It", "I", "their", "Her\u200b", "> He"])
def test_pronouns(text):
    assert is_pronoun(text)


@pytest.mark.parametrize("text", ["US", "IT", "WHO", "Her Majesty", "Itō", "Ann", ""])
def test_names_are_no_pronouns(text):
    assert not is_pronoun(text)
