"""`doc._.relations`: what it takes, what it gives, and everything it survives."""

import json
import pickle

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from kgmrca.errors import ExtensionError, InputError
from kgmrca.relations import KEY, Relation, from_docs, get_plain_relations, register_extensions, set_relations


@pytest.fixture
def doc():
    nlp = spacy.blank("en")
    doc = nlp("Orson Welles directed Citizen Kane. Marie Curie lived in Paris.")
    doc.set_ents(
        [
            Span(doc, 0, 2, "PER", kb_id="Q24829"),
            Span(doc, 3, 5, "MISC"),
            Span(doc, 6, 8, "PER"),
            Span(doc, 10, 11, "LOC"),
        ]
    )
    welles, kane, curie, paris = doc.ents
    doc._.relations = [
        Relation(kane, welles, "director", 0.75),
        Relation(kane, welles, "cast member", 0.5),
        Relation(curie, paris, "residence", 0.25),
    ]
    return doc


def plain(doc):
    return [(r.subject.text, r.object.text, r.label, r.score) for r in doc._.relations]


RELATIONS = [
    ("Citizen Kane", "Orson Welles", "director", 0.75),
    ("Citizen Kane", "Orson Welles", "cast member", 0.5),
    ("Marie Curie", "Paris", "residence", 0.25),
]


def test_a_doc_has_none_before_a_component_has_looked():
    assert spacy.blank("en")("Some text.")._.relations is None


def test_a_doc_in_which_nothing_was_found_has_an_empty_tuple():
    doc = spacy.blank("en")("Some text.")
    doc._.relations = []
    assert doc._.relations == ()


def test_assigning_none_forgets(doc):
    doc._.relations = None
    assert doc._.relations is None
    assert KEY not in doc.user_data


def test_a_pair_may_have_several_labels(doc):
    assert plain(doc) == RELATIONS


def test_entities_keep_their_label_and_item(doc):
    assert (doc._.relations[0].object.label_, doc._.relations[0].object.kb_id_) == ("PER", "Q24829")


def test_spans_of_a_group_keep_their_label():
    doc = spacy.blank("en")("Curie lived in Paris")
    doc.spans["sc"] = [Span(doc, 0, 1, "A"), Span(doc, 3, 4, "B")]
    doc._.relations = [(*doc.spans["sc"], "residence")]
    assert [span.label_ for span in doc._.relations[0][:2]] == ["A", "B"]


def test_score_defaults_to_one(doc):
    doc._.relations = [(doc.ents[0], doc.ents[1], "author")]
    assert doc._.relations[0].score == 1.0


def test_span_gives_relations_within_it(doc):
    assert [relation.label for relation in doc[6:12]._.relations] == ["residence"]
    assert doc[3:8]._.relations == ()


def test_span_of_an_unasked_doc_gives_none():
    assert spacy.blank("en")("Some text.")[:1]._.relations is None


def test_stored_data_is_plain(doc):
    assert json.loads(json.dumps(doc.user_data[KEY])) == doc.user_data[KEY]


def test_numpy_scores_become_plain(doc):
    import numpy as np

    doc._.relations = [(doc.ents[0], doc.ents[1], "author", np.float32(0.5))]
    assert type(get_plain_relations(doc)[0][5]) is float


def test_survives_bytes(doc):
    assert plain(Doc(doc.vocab).from_bytes(doc.to_bytes())) == RELATIONS


def test_survives_docbin(doc):
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    assert plain(next(DocBin().from_bytes(stored).get_docs(doc.vocab))) == RELATIONS


def test_survives_pickle(doc):
    assert plain(pickle.loads(pickle.dumps(doc))) == RELATIONS


def test_survives_copy(doc):
    assert plain(doc.copy()) == RELATIONS


def test_survives_retokenising(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[10], ["Par", "is"], heads=[(doc[10], 0), (doc[10], 1)])
    assert plain(doc) == RELATIONS


def test_a_boundary_within_a_token_widens_to_the_token(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:5])
    assert doc._.relations[0].subject.text == "directed Citizen Kane"


@pytest.mark.parametrize(("first", "last", "kept"), [(0, 5, slice(2, 3)), (6, 11, slice(0, 2)), (1, 4, slice(2, 3))])
def test_of_a_pair_that_was_merged_no_relation_is_left(doc, first, last, kept):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[first:last])
    assert plain(doc) == RELATIONS[kept]


def test_an_object_that_came_to_lie_in_its_subject_is_no_relation():
    doc = spacy.blank("en")("Ada Lovelace was born in London.")
    doc._.relations = [(doc[0:2], doc[5:6], "place of birth")]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:7])
    assert doc._.relations == ()


def test_a_relation_of_nested_spans_stays():
    doc = spacy.blank("en")("The University of Warsaw is old.")
    doc._.relations = [(doc[1:4], doc[3:4], "located in")]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[4:6])
    assert plain(doc) == [("University of Warsaw", "Warsaw", "located in", 1.0)]


def test_survives_json_in_its_plain_form(doc):
    data = json.loads(json.dumps(doc.to_json(underscore=["relations_json"])))
    assert data["_"]["relations_json"][0] == {
        "subject": [22, 34],
        "object": [0, 12],
        "label": "director",
        "score": 0.75,
    }


def test_plain_form_of_an_unasked_doc_is_none():
    assert spacy.blank("en")("Some text.")._.relations_json is None


@pytest.mark.parametrize("item", [("a", "b", "label"), "text", (1, 2), None])
def test_anything_else_is_refused(doc, item):
    with pytest.raises(InputError, match="takes \\(subject span, object span, label, score\\) tuples"):
        doc._.relations = [item]
    assert plain(doc) == RELATIONS


def test_spans_of_another_text_are_refused(doc):
    other = spacy.blank("en")("Quite another text than that")
    with pytest.raises(InputError, match="is not in this Doc"):
        doc._.relations = [(other[0:2], other[2:3], "label")]


def test_relations_of_another_text_are_told(doc):
    short = spacy.blank("en")("Short.")
    short.user_data[KEY] = doc.user_data[KEY]
    with pytest.raises(InputError, match="belong to another text"):
        _ = short._.relations


# Docs made of parts of others.


def test_a_doc_of_a_span_has_the_relations_that_lie_in_it(doc):
    first, second = doc[:6].as_doc(copy_user_data=True), doc[6:].as_doc(copy_user_data=True)
    assert plain(first) == RELATIONS[:2]
    assert plain(second) == RELATIONS[2:]
    assert [(r.subject.label_, r.object.label_) for r in second._.relations] == [("PER", "LOC")]
    assert doc[7:10].as_doc(copy_user_data=True)._.relations == ()
    assert plain(doc) == RELATIONS


def test_a_doc_of_a_span_of_a_doc_of_a_span(doc):
    part = doc[5:].as_doc(copy_user_data=True)[1:].as_doc(copy_user_data=True)
    assert plain(part) == RELATIONS[2:]


def test_a_doc_of_a_span_keeps_its_relations_when_it_is_stored(doc):
    part = doc[6:].as_doc(copy_user_data=True)
    assert plain(Doc(doc.vocab).from_bytes(part.to_bytes())) == RELATIONS[2:]
    stored = DocBin(store_user_data=True, docs=[part]).to_bytes()
    assert plain(next(DocBin().from_bytes(stored).get_docs(doc.vocab))) == RELATIONS[2:]


def test_a_doc_of_a_span_can_be_given_others(doc):
    part = doc[6:].as_doc(copy_user_data=True)
    part._.relations = [(part.ents[1], part.ents[0], "resident")]
    assert plain(part) == [("Paris", "Marie Curie", "resident", 1.0)]
    part._.relations = None
    assert part._.relations is None


def test_a_doc_of_a_span_without_its_user_data_was_not_asked(doc):
    assert doc[6:].as_doc()._.relations is None


def test_data_of_another_text_gives_no_relations(doc):
    other = spacy.blank("en")("An utterly different text that is quite as long as the other one was.")
    other.user_data.update(doc.user_data)
    assert other._.relations is None


def test_data_changed_by_hand_is_read(doc):
    doc.user_data[KEY] = doc.user_data[KEY][:1]
    assert plain(doc) == RELATIONS[:1]
    assert doc[6:].as_doc(copy_user_data=True)._.relations is None


def test_docs_are_put_together_with_their_relations(doc):
    nlp = spacy.Language(doc.vocab)
    unasked, none, empty = nlp("Unasked."), nlp("Nothing here"), nlp("")
    none._.relations = ()
    merged = from_docs([unasked, doc, empty, none, doc])
    assert merged.text == f"Unasked. {doc.text} Nothing here {doc.text}"
    assert plain(merged) == 2 * RELATIONS
    assert [relation.object.start_char for relation in merged._.relations][::3] == [9, 9 + len(doc.text) + 14]
    assert plain(doc) == RELATIONS
    assert plain(from_docs([doc, unasked], ensure_whitespace=False)) == RELATIONS


def test_docs_without_relations_are_put_together(doc):
    nlp = spacy.Language(doc.vocab)
    assert from_docs([nlp("One."), nlp("Two.")])._.relations is None
    none = nlp("None.")
    none._.relations = ()
    assert from_docs([nlp("One."), none])._.relations == ()
    assert from_docs([]) is None


def test_attributes_and_parts_of_docs_can_be_left_out(doc):
    doc.spans["people"] = [doc[0:2]]
    merged = from_docs([doc, doc], True, ["LEMMA", "ENT_TYPE"], exclude=["spans"])
    assert (dict(merged.spans), plain(merged)) == ({}, 2 * RELATIONS)
    assert merged[0].ent_type_ == doc[0].ent_type_ != ""
    assert not merged.has_annotation("SENT_START")
    assert from_docs([doc], exclude=["user_data"])._.relations is None


@pytest.mark.parametrize("docs", ["x", ["x"], [None], 3, None])
def test_what_is_no_doc_is_not_put_together(docs):
    with pytest.raises(InputError, match="from_docs takes"):
        from_docs(docs)


def test_one_doc_is_not_put_together(doc):
    with pytest.raises(InputError, match="give it a list"):
        from_docs(doc)


def test_spacys_own_way_to_put_docs_together_gives_no_wrong_relations(doc):
    with pytest.warns(UserWarning, match="kgmrca.relations"):
        merged = Doc.from_docs([doc, doc])
    assert merged._.relations is None
    merged._.relations = [(merged[0:2], merged[3:5], "directed")]
    assert plain(merged) == [("Orson Welles", "Citizen Kane", "directed", 1.0)]


def test_registering_again_does_no_harm(doc):
    register_extensions()
    assert plain(doc) == RELATIONS


def test_another_owner_is_named_and_not_overwritten():
    hooks = Doc.get_extension("relations")
    Doc.set_extension("relations", default="theirs", force=True)
    try:
        with pytest.raises(ExtensionError, match="does not overwrite it"):
            register_extensions()
        assert spacy.blank("en")("Text")._.relations == "theirs"
    finally:
        Doc.set_extension("relations", getter=hooks[2], setter=hooks[3], force=True)


@pytest.mark.parametrize(
    ("label", "predicate"),
    [
        ("place of birth", "http://www.wikidata.org/prop/direct/P19"),
        ("Place of  Birth", "http://www.wikidata.org/prop/direct/P19"),
        ("P6553", "http://www.wikidata.org/prop/direct/P6553"),
        ("said to haunt", None),
    ],
)
def test_a_relation_knows_its_predicate(label, predicate):
    doc = spacy.blank("en")("Curie Warsaw")
    set_relations(doc, [Relation(doc[:1], doc[1:], label, 0.5)])
    assert [relation.predicate for relation in doc._.relations] == [predicate]
    assert doc._.relations[0] == (doc[:1], doc[1:], label, 0.5)


# The sentences of a relation.


def test_evidence_is_the_sentence_or_both_in_the_order_of_the_text():
    doc = spacy.blank("en")("Ann left. It rained. She lives in Oslo.")
    relations = [(doc[6:7], doc[9:10], "residence"), (doc[9:10], doc[0:1], "resident")]
    doc._.relations = relations
    assert [relation.evidence for relation in doc._.relations] == [(), ()]
    for at in range(len(doc)):
        doc[at].is_sent_start = at in (0, 3, 6)
    one, two = doc._.relations
    assert [sentence.text for sentence in one.evidence] == ["She lives in Oslo."]
    assert [sentence.text for sentence in two.evidence] == ["Ann left.", "She lives in Oslo."]
