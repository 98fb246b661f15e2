"""The shapes are those of the components' source code (see `kgmrca.triples.sources`), made here by hand."""

import math
import subprocess
import sys

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from kgmrca.errors import InputError, ModelError
from kgmrca.triples.sources import SOURCES, foreign_relations
from kgmrca.triples.statements import statements

NLP = spacy.blank("en")
TEXT = "Ms Marie Curie, née in Warsaw, married Pierre Curie."
GLIREL = {
    "head_pos": [1, 3],
    "tail_pos": [6, 7],
    "head_text": ["Marie", "Curie"],
    "tail_text": ["Warsaw"],
    "label": "place of birth",
    "score": 0.9,
}


def make_doc(name, value):
    """A Doc with entities at the tokens 1-2, 6 and 9-10, and what a component left under `doc._.NAME`."""
    doc = NLP(TEXT)
    doc.ents = [Span(doc, 1, 3, "PERSON", kb_id="Q7186"), Span(doc, 6, 7, "GPE"), Span(doc, 9, 11, "PERSON")]
    doc.user_data["._.", name, None, None] = value
    return doc


def rebel_doc(**changes):
    doc = make_doc("rel", {})
    item = {"relation": "spouse", "head_span": doc[1:3], "tail_span": doc[9:11]} | changes
    doc.user_data["._.", "rel", None, None] = {(1, 9): item}
    return doc


def found(doc, source, **options):
    return [
        (s.subject_mention.text, s.label, s.object_mention.text, str(s.confidence))
        for s in statements(doc, document_id="d", source=source, **options)
    ]


def test_glirel():
    doc = make_doc("relations", [GLIREL])
    assert found(doc, "glirel") == [("Marie Curie", "place of birth", "Warsaw", "0.9")]


def test_a_doc_without_relations_by_glirel_has_none():
    assert found(make_doc("relations", []), "glirel") == []


def test_glirel_leaves_low_scores_that_a_threshold_takes_away():
    doc = make_doc("relations", [GLIREL, GLIREL | {"label": "employer", "score": 0.01}])
    assert len(found(doc, "glirel")) == 2
    assert found(doc, "glirel", threshold=0.5) == [("Marie Curie", "place of birth", "Warsaw", "0.9")]


def test_rebel_has_no_scores():
    assert found(rebel_doc(), "rebel") == [("Marie Curie", "spouse", "Pierre Curie", "1")]


def test_the_tutorial_keeps_what_reaches_half():
    scores = {(1, 6): {"place of birth": 0.5, "employer": 0.49}, (6, 1): {"place of birth": 0.1, "employer": 0.2}}
    doc = make_doc("rel", scores)
    assert found(doc, "spacy-rel") == [("Marie Curie", "place of birth", "Warsaw", "0.5")]


def test_the_threshold_for_the_tutorial_can_be_chosen():
    doc = make_doc("rel", {(1, 6): {"place of birth": 0.5, "employer": 0.49}})
    assert [label for _, label, _, _ in found(doc, "spacy-rel", threshold=0.4)] == ["place of birth", "employer"]


@pytest.mark.parametrize(
    "doc",
    [make_doc("relations", [GLIREL]), rebel_doc(), make_doc("rel", {(1, 6): {"place of birth": 0.9}})],
    ids=["glirel", "rebel", "spacy-rel"],
)
def test_types_and_links_of_entities_are_kept(doc, request):
    (statement,) = statements(doc, document_id="d", source=request.node.callspec.id)
    assert statement.subject == "http://www.wikidata.org/entity/Q7186"
    assert statement.object_mention.type in ("GPE", "PERSON")


def test_a_threshold_counts_for_relations_of_ours_too(nlp):
    doc = nlp("Marie Curie was born in Warsaw. Warsaw is in Poland.")
    assert [label for _, label, _, _ in found(doc, None, threshold=0.6)] == ["place of birth"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_doc_that_the_component_did_not_see_is_refused(source):
    with pytest.raises(ModelError, match=r"component.* has set no doc\._\.rel"):
        foreign_relations(NLP(TEXT), source)


def test_an_unknown_source_is_refused():
    with pytest.raises(InputError, match="no source 'zshot' of relations: choose one of glirel, rebel, spacy-rel"):
        foreign_relations(NLP(TEXT), "zshot")


@pytest.mark.parametrize(
    ("source", "doc", "message"),
    [
        ("glirel", make_doc("relations", {(1, 6): {"spouse": 0.9}}), "glirel"),
        ("glirel", make_doc("relations", [{"head": "Marie"}]), "KeyError: 'head_pos'"),
        ("glirel", make_doc("relations", [GLIREL | {"score": None}]), "TypeError"),
        ("glirel", make_doc("relations", [GLIREL | {"head_pos": [3, 14]}]), "the tokens 3 to 14 are not"),
        ("glirel", make_doc("relations", [GLIREL | {"tail_pos": [6, 6]}]), "the tokens 6 to 6 are not"),
        ("glirel", make_doc("relations", [GLIREL | {"tail_pos": [6, 6], "tail_text": []}]), "the tokens 6 to 6"),
        ("rebel", make_doc("rel", {(1, 6): {"spouse": 0.9}}), "KeyError: 'head_span'"),
        ("rebel", make_doc("rel", [GLIREL]), "AttributeError"),
        ("rebel", rebel_doc(tail_span=NLP("Some other text, Pierre Curie.")[3:5]), "of another text"),
        ("rebel", rebel_doc(relation=7), "7 is not a label"),
        ("spacy-rel", rebel_doc(), "could not convert string to float"),
        ("spacy-rel", make_doc("rel", {(1, 5): {"spouse": 0.9}}), "no entity of doc.ents starts at token 5"),
        ("spacy-rel", make_doc("rel", {1: {"spouse": 0.9}}), "TypeError"),
    ],
)
def test_another_shape_is_refused(source, doc, message):
    with pytest.raises(InputError, match=r"doc\._\.rel(ations)? is not as .* leaves it") as caught:
        foreign_relations(doc, source)
    assert message.lower() in str(caught.value).lower()


@pytest.mark.parametrize("source", ["glirel", "spacy-rel"])
def test_a_score_that_is_no_number_is_refused(source):
    doc = make_doc("relations", [GLIREL | {"score": math.nan}])
    doc.user_data["._.", "rel", None, None] = {(1, 6): {"spouse": math.nan}}
    with pytest.raises(InputError, match="NaN"):
        statements(doc, document_id="d", source=source)


def test_what_lies_in_a_docbin_is_read_without_its_component():
    doc = make_doc("relations", [GLIREL])
    doc.user_data["._.", "rel", None, None] = {(1, 6): {"spouse": 0.9}}
    (again,) = DocBin(docs=[doc], store_user_data=True).get_docs(NLP.vocab)
    assert found(again, "glirel") == found(doc, "glirel") != []
    assert found(again, "spacy-rel") == found(doc, "spacy-rel") != []


def test_an_attribute_that_was_never_set_has_its_default():
    Doc.set_extension("rel", default={})
    try:
        assert found(NLP(TEXT), "rebel") == []
    finally:
        Doc.remove_extension("rel")


# As GLiREL's wrapper does it, for each Doc anew.
_AS_GLIREL = f"""
from spacy.tokens import Doc
def glirel(doc):
    doc.set_extension("relations", default=None, force=True)
    doc._.relations = [{GLIREL}]
    return doc
"""
_READ = f"""
from kgmrca import statements
(statement,) = statements(glirel(spacy.blank("en")({TEXT!r})), document_id="d", source="glirel")
assert statement.subject_mention.text == "Marie Curie"
"""


@pytest.mark.parametrize(
    "lines",
    [
        ["import spacy", "import kgmrca.relations", _AS_GLIREL, _READ],
        ["import spacy", _AS_GLIREL, "glirel(spacy.blank('en')('a'))", "import kgmrca.relations", _READ],
    ],
    ids=["ours first", "theirs first"],
)
def test_glirel_can_be_read_whichever_came_first(lines):
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
