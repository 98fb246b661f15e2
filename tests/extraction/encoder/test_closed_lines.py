"""Which line breaks close what is said, and which only wrap it."""

import textwrap

import pytest
import spacy

from kgmrca.extraction.encoder.lines import closed_lines, quote_marks
from kgmrca.extraction.encoder.windows import read_tokens

PROSE = (
    "Lena Vorhaus was born in Hamburg, the daughter of Otto Klemm and Ida Wells. In 1871 she left for Lyon, where "
    "Klemm AG had opened an office near the river. There she met Mirko Adlersson of Siemens, who had come from Vienna "
    "to sell looms. They married in May. Later Tove Brandmeier and Hugo Marenz wrote a book, the House of Silk."
)


def marked(text):
    """The text with a bar before each line break that closes something."""
    places = set(closed_lines(text))
    return "".join("|" * (place in places) + character for place, character in enumerate(text))


@pytest.mark.parametrize("width", [25, 30, 40, 60, 80, 100])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n    ", " \n", "\n\n"])
def test_wrapped_prose_stays_whole(width, end):
    assert closed_lines(end.join(textwrap.wrap(PROSE, width))) == []


def test_a_word_a_line_stays_whole():
    assert closed_lines(PROSE.replace(" ", "\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "Fire in Lyon|\nKlemm leaves Siemens board|\nThal elected president of Austria|\nBrand opens office\n",
        "Klemm AG|\nHauptstrasse 5|\n20095 Hamburg|\nGermany",
        "Oslo|\nBergen|\nLima",
        "Members:\n- Ann Lee|\n- Otto Klemm|\n- Ines Quandt",
        "1. Ann Lee|\n2. Otto Klemm|\n3. Ines Quandt",
        "Name\tCity|\nAnn Lee\tOslo|\nOtto Klemm\tLyon",
        "Early life|\n\nLena was born in Hamburg. She studied.\n\nLater life|\n\nShe went home.",
        "Lena Vorhaus lives in Hamburg|\n\nKlemm AG was founded in Lyon.",
        "FIRE IN LYON|\nKLEMM LEAVES SIEMENS|\r\nBRAND OPENS OFFICE",
    ],
)
def test_lines_that_say_something_whole_are_closed(text):
    assert marked(text.replace("|", "")) == text


def test_a_heading_right_above_its_prose():
    text = "Early life|\n" + "\n".join(textwrap.wrap(PROSE, 60))
    assert marked(text.replace("|", "")) == text


@pytest.mark.parametrize(
    "text",
    [
        "She was born in\nHamburg",
        "Lena Vorhaus,\nOtto Klemm and\nIda Wells",
        "I met Otto Klemm\nin the streets of Lyon\nwhere the river ran",
        "It rains.\nIt snows!\nWhat now?",
        "It was led by William\nP. Carey and charted at number\n131. According to him it sold.",
        "",
        "\n\n",
        "Oslo",
    ],
)
def test_nothing_to_close(text):
    assert closed_lines(text) == []


def words(text):
    tokens = read_tokens([spacy.blank("en")(text)])
    return [tokens.words[word] for word in tokens.word]


def test_a_closed_line_is_read_as_a_full_stop():
    assert words("Fire in Lyon \r\n\n Klemm leaves\nBrand stays") == [
        *("Fire", "in", "Lyon", ".", "Klemm", "leaves", ".", "Brand", "stays")
    ]


def test_the_full_stop_is_the_line_break():
    tokens = read_tokens(list(spacy.blank("en").pipe(["Oslo", "Oslo\nBergen"])))
    assert (tokens.doc.tolist(), tokens.token.tolist()) == ([0, 1, 1, 1], [0, 0, 1, 2])


def test_the_lines_of_a_quoted_mail_are_prose():
    assert closed_lines("> She was born in Lyon. Later Otto\n> Klemm met her in Paris.") == []
    assert closed_lines("> > Fire in Lyon\n> > Klemm leaves Siemens\n> > Brand opens office") == [16, 41]


def test_signs_before_quoted_lines():
    assert quote_marks("> > Ann > Bob\n>sang\n  > 3 > 2\nx > 1") == [0, 2, 14, 22]
    assert quote_marks("Ann > Bob") == []
