"""`kgmrca.render`: what is drawn is legible, and nothing of the text is taken for markup."""

import sys
import types
from itertools import combinations
from xml.etree import ElementTree

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, Span

import kgmrca
from kgmrca.errors import DependencyError, InputError
from kgmrca.relations import Relation

SVG = "{http://www.w3.org/2000/svg}"
NLP = spacy.blank("en")
CURIE = "Marie Curie was born in Warsaw."
LONG = (
    "Orson Welles, the director who was born in Kenosha, Wisconsin, on 6 May 1915 and died in Los Angeles, California, "
    "wrote, produced and directed Citizen Kane, married Rita Hayworth, and later lived in Spain, not far from Ronda."
)
NAMES = ["Orson Welles", "Kenosha", "Wisconsin", "Los Angeles", "California", "Citizen Kane", "Rita Hayworth", "Ronda"]


def make(text, names, relations, *, nlp=NLP):
    """A Doc with entities, and relations of those by their numbers."""
    doc = nlp.make_doc(text)
    doc.ents = [doc.char_span(text.index(name), text.index(name) + len(name), "LOC") for name in names]
    doc._.relations = [Relation(doc.ents[a], doc.ents[b], label, score) for a, b, label, score in relations]
    return doc


def svgs(html):
    figures = ElementTree.fromstring(f"<div>{html}</div>")
    return [figure[0] for figure in figures]


def texts(svg, size=None):
    """The texts of a drawing with the places where they are: left, top, right, bottom."""
    found = []
    for one in svg.iter(f"{SVG}text"):
        x, y, length, font = (float(one.get(name)) for name in ("x", "y", "textLength", "font-size"))
        if size in (None, font):
            found.append((one.text, (x - length / 2, y - 0.75 * font, x + length / 2, y)))
    return found


def words(svg):
    return [text for text, _ in texts(svg, 16)]


def labels(svg):
    return [text for text, _ in texts(svg, 11)]


def overlaps(svg):
    return [
        (one, other)
        for (one, a), (other, b) in combinations(texts(svg), 2)
        if min(a[2], b[2]) - max(a[0], b[0]) > 0.2 and min(a[3], b[3]) - max(a[1], b[1]) > 0.2
    ]


def check(svg):
    """Nothing overlaps, and everything is within the drawing."""
    assert overlaps(svg) == []
    width, height = float(svg.get("width")), float(svg.get("height"))
    for text, (left, top, right, bottom) in texts(svg):
        assert left >= 0, text
        assert top >= 0, text
        assert right <= width, text
        assert bottom <= height, text


def test_a_relation():
    doc = make(CURIE, ["Marie Curie", "Warsaw"], [(0, 1, "place of birth", 0.914)])
    (svg,) = svgs(kgmrca.render(doc))
    assert words(svg) == [token.text for token in doc]
    assert sorted(labels(svg)) == ["LOC", "LOC", "place of birth 0.91"]
    check(svg)


def test_an_arrow_points_at_the_object():
    tips = []
    for ends in ((0, 1), (1, 0)):
        (svg,) = svgs(kgmrca.render(make(CURIE, ["Marie Curie", "Warsaw"], [(*ends, "knows", 1)])))
        (tip,) = [path.get("d") for path in svg.iter(f"{SVG}path") if path.get("d").endswith("z")]
        tips.append(float(tip[1:].split(",")[0]))
        check(svg)
    places = dict(texts(svg))
    assert places["Warsaw"][0] <= tips[0] <= places["Warsaw"][2]
    assert places["Marie"][0] <= tips[1] <= places["Curie"][2]


WHO = "Marie Curie left Warsaw. She met Pierre in Paris. Curie loved it."


def who_is_who(**options):
    """Names, and pronouns in clusters; a relation of "She" to the city two lines above."""
    doc = spacy.blank("en")
    doc.add_pipe("sentencizer")
    doc = doc(WHO)
    doc.ents = [Span(doc, *place, "PER") for place in ((0, 2), (7, 8), (11, 12))] + [
        Span(doc, place, place + 1, "LOC") for place in (3, 9)
    ]
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[5:6], doc[11:12]]
    doc.spans["coref_clusters_2"] = [doc[9:10], doc[13:14]]
    doc._.relations = [(doc[5:6], doc[3:4], "residence", 0.5), (doc[11:12], doc[7:8], "spouse", 0.25)]
    (svg,) = svgs(kgmrca.render(doc, options=options))
    return svg


def test_mentions_of_one_entity_have_its_number():
    svg = who_is_who()
    captions = [label for label in labels(svg) if " 0." not in label]
    assert sorted(captions) == ["1", "2", "LOC", "LOC 2", "PER", "PER 1", "PER 1"]
    places = {text: box for text, box in texts(svg) if text in ("She", "1", "it", "2")}
    for word, number in (("She", "1"), ("it", "2")):
        assert places[word][0] - 8 <= places[number][0] <= places[number][2] <= places[word][2] + 8
    boxes = [one for one in svg.iter(f"{SVG}rect") if len(one)]
    assert [box[0].text for box in boxes].count("Marie Curie") == 3
    assert len({box.get("fill") for box in boxes}) == 2
    check(svg)


def test_a_relation_between_lines_names_the_entity_and_not_the_pronoun():
    found = labels(who_is_who())
    assert {"residence 0.50 → Warsaw", "Marie Curie → residence 0.50"} <= set(found)


@pytest.mark.parametrize("width", [200, 300])
def test_who_is_who_is_legible_in_short_lines(width):
    check(who_is_who(width=width))


def test_a_pronoun_is_drawn_with_its_entity_alone():
    svg = who_is_who(ents=["LOC"], labels=[])
    assert sorted(labels(svg)) == ["2", "LOC", "LOC 2"]


def test_equal_names_need_no_number():
    doc = NLP("Paris is Paris.")
    doc.ents = [Span(doc, 0, 1, "LOC"), Span(doc, 2, 3, "LOC")]
    assert labels(svgs(kgmrca.render(doc))[0]) == ["LOC", "LOC"]
    doc.spans["coref_clusters_1"], doc.spans["coref_clusters_2"] = [doc[0:1]], [doc[2:3]]  # so they are two
    assert sorted(labels(svgs(kgmrca.render(doc))[0])) == ["LOC 1", "LOC 2"]


def test_several_labels_on_a_pair():
    found = [(0, 1, "place of birth", 0.9), (0, 1, "located in the administrative territorial entity", 0.5)]
    found += [(0, 1, "residence", 0.75), (1, 0, "notable people", 0.25)]
    (svg,) = svgs(kgmrca.render(make(CURIE, ["Marie Curie", "Warsaw"], found)))
    assert [label for label in labels(svg) if label[-1].isdigit()] == [
        "place of birth 0.90",
        "residence 0.75",
        "located in the administrative territorial entity 0.50",
        "notable people 0.25",
    ]
    check(svg)


@pytest.mark.parametrize("width", [300, 600, 3000])
def test_many_relations_of_a_long_sentence(width):
    pairs = [(a, b) for a in range(8) for b in range(8) if a != b][::3]
    found = [(a, b, "located in the administrative territorial entity", 0.5) for a, b in pairs]
    found += [(a, b, "country", 0.6) for a, b in pairs[::2]]
    (svg,) = svgs(kgmrca.render(make(LONG, NAMES, found), options={"width": width}))
    check(svg)
    lines = {box[3] for _, box in texts(svg, 16)}
    assert (len(lines) == 1) == (width == 3000)
    assert float(svg.get("width")) < (500 if width == 300 else width)
    assert sum(label.count("country") for label in labels(svg)) >= len(pairs[::2])


def test_an_arc_to_another_line_names_its_other_end():
    doc = make(LONG, ["Orson Welles", "Ronda"], [(0, 1, "residence", 0.5)])
    (svg,) = svgs(kgmrca.render(doc, options={"width": 400}))
    assert [label for label in labels(svg) if label != "LOC"] == [
        "residence 0.50 → Ronda",
        "Orson Welles → residence 0.50",
    ]
    check(svg)


def test_sentences_and_lines_of_the_text_start_lines():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    (svg,) = svgs(kgmrca.render(nlp("One is here. Two is there.\n\nA title\nof two lines")))
    starts = [text for text, box in texts(svg, 16) if box[0] < 15]
    assert starts == ["One", "Two", "A", "of"]


def test_entities_without_relations():
    for relations in ([], None):
        doc = make(CURIE, ["Marie Curie", "Warsaw"], [])
        doc._.relations = relations
        (svg,) = svgs(kgmrca.render(doc))
        assert labels(svg) == ["LOC", "LOC"]
        check(svg)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "Nothing.", "\t"])
def test_texts_without_anything(text):
    (svg,) = svgs(kgmrca.render(NLP(text)))
    assert words(svg) == [token.text for token in NLP(text) if not token.is_space]


def test_overlapping_mentions_of_a_span_group():
    doc = NLP("Bank of Rome hired Bob.")
    spans = doc.spans["sc"] = [Span(doc, 0, 3, "ORGANISATION"), Span(doc, 2, 3, "GPE"), Span(doc, 4, 5, "PERSON")]
    doc._.relations = [(spans[0], spans[1], "in", 1), (spans[2], spans[0], "employer", 1), (spans[1], spans[2], "x", 1)]
    (svg,) = svgs(kgmrca.render(doc))
    assert {"ORGANISATION", "GPE", "PERSON", "in 1.00", "employer 1.00", "x 1.00"} == set(labels(svg))
    check(svg)


def test_a_text_that_runs_from_right_to_left():
    nlp = spacy.blank("ar")
    doc = make("ولدت ماري كوري في وارسو", ["ماري كوري", "وارسو"], [(0, 1, "place of birth", 0.9)], nlp=nlp)
    (svg,) = svgs(kgmrca.render(doc))
    lefts = [box[0] for _, box in texts(svg, 16)]
    assert lefts == sorted(lefts, reverse=True)
    assert svg.get("direction") == "rtl"
    check(svg)


ARABIC = "ولدت ماري كوري في وارسو"


def test_each_line_runs_as_its_words_do():
    doc = make(f"{ARABIC}\nMarie Curie was born in Warsaw.", ["ماري كوري", "وارسو"], [(0, 1, "place of birth", 0.9)])
    (svg,) = svgs(kgmrca.render(doc))
    places = {text: box[0] for text, box in texts(svg, 16)}
    arabic = [places[word] for word in ARABIC.split()]
    assert arabic == sorted(arabic, reverse=True)
    assert max(arabic) > float(svg.get("width")) / 2
    assert places["Marie"] < places["Curie"] < places["Warsaw"]
    check(svg)


def test_a_relation_of_an_entity_with_itself_is_a_loop():
    doc = make(CURIE, ["Marie Curie", "Warsaw"], [(0, 0, "same as", 0.9)])
    (svg,) = svgs(kgmrca.render(doc))
    assert labels(svg).count("same as 0.90") == 1
    bars = [path.get("d") for path in svg.iter(f"{SVG}path") if " H" in path.get("d")]
    ((left, right),) = [(float(bar[1:].split(",")[0]), float(bar.split("H")[1])) for bar in bars]
    assert right - left > 10
    check(svg)


def test_a_very_long_label_is_shortened():
    long = "located in the administrative territorial entity"
    doc = make(CURIE, ["Marie Curie", "Warsaw"], [(0, 1, "x" * 200, 0.9), (0, 1, long, 0.8)])
    (svg,) = svgs(kgmrca.render(doc))
    assert [label for label in labels(svg) if label != "LOC"] == ["x" * 59 + "… 0.90", f"{long} 0.80"]


def test_no_label_turns_its_score_around():
    doc = make(CURIE, ["Marie Curie", "Warsaw"], [(0, 1, "\u202eborn\x1b", 0.33)])
    (svg,) = svgs(kgmrca.render(doc))
    assert [label for label in labels(svg) if label != "LOC"] == ["born 0.33"]


def test_words_of_any_script():
    (svg,) = svgs(kgmrca.render(NLP("👩\u200d👩\u200d👧 wa\u0301s in 東京, שלום \u202eabc")))
    boxes = {text: box[2] - box[0] for text, box in texts(svg, 16)}
    assert boxes["東京"] == pytest.approx(32)
    assert max(width for text, width in boxes.items() if "👩" in text) < 40
    check(svg)


def test_text_without_spaces_is_broken():
    doc = Doc(spacy.blank("zh").vocab, words=list("東京大学" * 40), spaces=[False] * 160)
    (svg,) = svgs(kgmrca.render(doc, options={"width": 400}))
    assert float(svg.get("width")) < 450


def test_an_entity_that_is_longer_than_a_line():
    doc = NLP("word " * 200)
    doc.ents = [Span(doc, 3, 190, "LAW"), Span(doc, 195, 196, "ORG")]
    doc._.relations = [(doc.ents[0], doc.ents[1], "author")]
    (svg,) = svgs(kgmrca.render(doc, options={"width": 300}))
    assert float(svg.get("width")) < 400
    check(svg)


# What it takes and gives.


def test_several_docs_and_spans():
    doc = make(CURIE, ["Marie Curie", "Warsaw"], [(0, 1, "place of birth", 0.9)])
    first, second, third = svgs(kgmrca.render([doc, doc[4:6], doc[0:6]]))
    assert labels(second) == ["LOC"]
    assert labels(third) == labels(first)
    assert kgmrca.render([]) == ""
    assert kgmrca.render([(doc, "a"), (doc, 2)]) == kgmrca.render([doc, doc])


def test_a_page():
    page = kgmrca.render(make(CURIE, ["Warsaw"], []), page=True)
    assert page.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in page
    assert page.count("<svg") == 1


@pytest.fixture
def notebook(monkeypatch):
    """What would be shown in a notebook."""
    shown = []
    module = types.ModuleType("IPython.display")
    module.HTML, module.display = str, shown.append
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return shown


def test_it_is_shown_in_a_notebook(notebook, monkeypatch):
    doc = NLP(CURIE)
    assert kgmrca.render(doc, jupyter=True) is None
    assert len(notebook) == 1
    monkeypatch.setattr("kgmrca.drawing.is_in_jupyter", lambda: True)
    assert kgmrca.render(doc) is None
    assert notebook[0] == notebook[1]
    assert "<svg" in notebook[0]
    assert kgmrca.render(doc, jupyter=False).startswith("<figure")
    assert len(notebook) == 2


def test_without_a_notebook_none_is_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(DependencyError, match="needs IPython"):
        kgmrca.render(NLP(CURIE), jupyter=True)


def test_labels_and_entities_are_chosen():
    doc = make(CURIE, ["Marie Curie", "Warsaw"], [(0, 1, "place of birth", 0.9), (0, 1, "residence", 0.5)])
    (svg,) = svgs(kgmrca.render(doc, options={"labels": ["residence"]}))
    assert [label for label in labels(svg) if label != "LOC"] == ["residence 0.50"]
    (svg,) = svgs(kgmrca.render(doc, options={"ents": ["PER"], "labels": []}))
    assert labels(svg) == []


def test_colours_are_chosen():
    html = kgmrca.render(make(CURIE, ["Warsaw"], []), options={"colors": {"LOC": '"/><script>'}})
    (rect,) = svgs(html)[0].iter(f"{SVG}rect")
    assert rect.get("fill") == '"/><script>'


@pytest.mark.parametrize(
    "options", [{"colour": "red"}, {"width": 10}, {"width": "wide"}, {"width": float("nan")}, "x", []]
)
def test_options_that_are_none(options):
    with pytest.raises(InputError, match=r"are a dict|no options colour|width of a drawing"):
        kgmrca.render(NLP(CURIE), options=options)


@pytest.mark.parametrize("docs", ["a text", [CURIE], [None], None])
def test_what_is_no_doc(docs):
    with pytest.raises(InputError, match="render draws Docs and Spans"):
        kgmrca.render(docs)


# Any text.

ANY = st.text(st.characters(), min_size=1, max_size=12)
HOSTILE = st.one_of(
    ANY, st.sampled_from(["<b>", "&amp;", "]]>", '"', "'", "\0", "\ufffe", "\u202e", "<!--", "\r\n", "🏳️\u200d🌈"])
)


@st.composite
def docs(draw):
    count = draw(st.integers(1, 12))
    given_words = [word if word.strip() else "x" for word in draw(st.lists(HOSTILE, min_size=count, max_size=count))]
    # Strings that are no text at all (half a surrogate pair) cannot get into a Doc's vocabulary.
    given_words = [word.encode("utf-8", "ignore").decode() or "x" for word in given_words]
    doc = Doc(NLP.vocab, words=given_words, spaces=draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    place = st.tuples(st.integers(0, count - 1), st.integers(1, 4)).map(lambda one: (one[0], min(count, sum(one))))
    names = HOSTILE.map(lambda name: name.encode("utf-8", "ignore").decode() or "x")
    pairs = draw(st.lists(st.tuples(place, place, names, names, st.floats(0, 1)), max_size=8))
    doc._.relations = [
        Relation(Span(doc, *one, label=label), Span(doc, *other), name, score)
        for one, other, label, name, score in pairs
    ]
    return doc


@settings(max_examples=150)
@given(docs(), st.sampled_from([200, 900]))
def test_any_text_is_drawn_as_it_is(doc, width):
    html = kgmrca.render(doc, options={"width": width})
    (svg,) = svgs(html)
    assert "<script" not in html
    assert {one.tag for one in svg.iter()} <= {f"{SVG}{name}" for name in ("svg", "rect", "path", "text", "title")}
    assert len(words(svg)) == sum(not token.is_space for token in doc)
    check(svg)
