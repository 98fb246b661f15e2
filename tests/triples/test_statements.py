import dataclasses
import math
from decimal import Decimal

import pytest
import spacy
from helpers import TEXT, make_nlp
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Span

from kgmrca.errors import InputError, ModelError
from kgmrca.ontology import Ontology
from kgmrca.relations import Relation, set_relations
from kgmrca.triples.iris import text_digest
from kgmrca.triples.records import Run, Times
from kgmrca.triples.statements import statements

BLANK = spacy.blank("en")
WDT = "http://www.wikidata.org/prop/direct/"


@pytest.fixture
def doc(nlp):
    return nlp(TEXT)


def found_in(doc, **options):
    return list(statements(doc, **{"document_id": "doc", **options}))


def two_words(label="place of birth", score=0.5, *, text="Curie Warsaw", types=("PERSON", "GPE"), item=""):
    """A Doc with one relation, from its first word to its second."""
    doc = BLANK(text)
    first, second = Span(doc, 0, 1, label=types[0], kb_id=item), Span(doc, 1, 2, label=types[1])
    doc.ents = [first, second]
    set_relations(doc, [Relation(first, second, label, score)])
    return doc


def test_there_is_one_statement_per_relation_in_their_order(doc):
    assert [statement.label for statement in found_in(doc)] == [
        "place of birth",
        "date of birth",
        "screenwriter",
        "director",
        "country",
    ]


def test_a_known_label_has_a_wikidata_predicate(doc):
    assert found_in(doc)[0].predicate == WDT + "P19"


def married(text, **options):
    doc = BLANK(text)
    doc[0].is_sent_start = True
    for token in doc[1:]:
        token.is_sent_start = doc[token.i - 1].text == "."
    last = next(token.i for token in doc if token.text == "Doe")
    doc.ents = [Span(doc, 0, 1, label="PERSON"), Span(doc, last, last + 1, label="PERSON")]
    set_relations(doc, [Relation(*doc.ents, options.pop("label", "spouse"), 0.9)])
    (statement,) = statements(doc, document_id="doc", **options)
    return statement.times


def test_a_statement_has_the_time_that_its_sentence_tells():
    assert married("Roe lives. Bob left. Roe married Doe in May 1895 and they divorced in 1921.") == Times()
    assert married("Roe married Doe in May 1895, and they divorced in 1921.") == Times("1895-05", "1921")
    assert married("Roe married Doe in May 1895.", ontology="schema") == Times("1895-05")
    assert married("Roe married Doe in May 1895.", label="date of birth") == Times()


def test_an_unknown_label_has_a_predicate_under_the_base():
    (statement,) = statements(two_words("said to haunt"), document_id="doc")
    assert statement.predicate == "urn:kgmrca:relation/said%20to%20haunt"


def test_a_label_that_is_a_wikidata_property_has_its_predicate():
    (statement,) = statements(two_words("P6553"), document_id="doc")
    assert statement.predicate == WDT + "P6553"


def test_another_ontology_can_be_given():
    ontology = Ontology({"place of birth": "http://example.org/birthPlace"})
    (statement,) = statements(two_words(), document_id="doc", ontology=ontology)
    assert statement.predicate == "http://example.org/birthPlace"


EX = "http://example.org/"
REVERSED = Ontology({"place of birth": EX + "birthplaceOf"}, frozenset({"place of birth"}))


def test_subject_and_object_are_exchanged_where_the_predicate_runs_the_other_way():
    (plain,) = statements(two_words(item="Q7186"), document_id="doc")
    (statement,) = statements(two_words(item="Q7186"), document_id="doc", ontology=REVERSED)
    assert statement.predicate == EX + "birthplaceOf"
    assert (statement.subject, statement.object) == (plain.object, plain.subject)
    assert (statement.subject_mention, statement.object_mention) == (plain.object_mention, plain.subject_mention)
    assert statement.label == "place of birth"


def test_a_subject_of_a_literal_type_becomes_a_literal_where_it_is_exchanged():
    (statement,) = statements(two_words(types=("DATE", "GPE")), document_id="doc", ontology=REVERSED)
    assert (statement.object, statement.object_is_literal) == ("Curie", True)


def test_a_literal_is_not_exchanged_and_the_label_keeps_a_predicate_of_its_own():
    (statement,) = statements(two_words(types=("PERSON", "DATE")), document_id="doc", ontology=REVERSED)
    assert statement.predicate == "urn:kgmrca:relation/place%20of%20birth"
    assert (statement.object, statement.object_is_literal) == ("Warsaw", True)


def test_a_label_that_the_ontology_does_not_know_is_not_dropped():
    (statement,) = statements(two_words(), document_id="doc", ontology=Ontology({}))
    assert statement.predicate == "urn:kgmrca:relation/place%20of%20birth"


def test_the_same_name_is_the_same_entity_throughout_a_document(doc):
    birth, _, _, _, country = found_in(doc)
    assert birth.object == country.subject


def test_entities_of_two_documents_are_not_the_same(doc):
    (one, *_), (other, *_) = found_in(doc), found_in(doc, document_id="another")
    assert one.subject != other.subject


def test_a_linked_span_is_the_wikidata_item():
    (statement,) = statements(two_words(item="Q7186"), document_id="doc")
    assert statement.subject == "http://www.wikidata.org/entity/Q7186"


@pytest.mark.parametrize("item", ["NIL", "Q0", "Q12x", "P19"])
def test_a_link_to_something_else_is_no_item(item):
    (statement,) = statements(two_words(item=item), document_id="doc")
    assert statement.subject.startswith("urn:kgmrca:entity/")


@pytest.mark.parametrize("type_", ["TIME", "DATE", "NUM", "CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY"])
def test_an_object_of_a_literal_type_is_its_text(type_):
    (statement,) = statements(two_words(types=("PERSON", type_)), document_id="doc")
    assert (statement.object, statement.object_is_literal, statement.object_datatype) == ("Warsaw", True, None)


def test_an_object_with_a_datatype_is_its_lexical_form():
    (statement,) = statements(two_words(text="Curie twelve", types=("PERSON", "NUM")), document_id="doc")
    assert (statement.object, statement.object_datatype) == ("12", "http://www.w3.org/2001/XMLSchema#integer")
    assert statement.object_mention.text == "twelve"


def test_an_object_that_is_a_resource_has_no_datatype():
    (statement,) = statements(two_words(), document_id="doc")
    assert (statement.object_is_literal, statement.object_datatype) == (False, None)


def test_a_subject_of_a_literal_type_is_a_resource():
    (statement,) = statements(two_words(types=("DATE", "GPE")), document_id="doc")
    assert statement.subject.startswith("urn:kgmrca:entity/")


def test_mentions_have_their_offsets_text_and_type(doc):
    mention = found_in(doc)[0].object_mention
    assert mention.iri == f"urn:kgmrca:document/doc@{text_digest(TEXT)}#char=24,30"
    assert (TEXT[mention.start : mention.end], mention.text, mention.type) == ("Warsaw", "Warsaw", "GPE")


def test_offsets_count_code_points(nlp):
    doc = nlp("😀 Marie Curie was born in Warsaw.")
    assert found_in(doc)[0].subject_mention.iri.endswith("#char=2,13")


def test_the_sentence_is_that_of_the_subject(doc):
    assert found_in(doc)[4].sentence.text == "Warsaw is in Poland."


def test_without_sentence_boundaries_there_is_no_sentence():
    (statement,) = statements(two_words(), document_id="doc")
    assert statement.sentence is None


@pytest.mark.parametrize(
    ("score", "confidence"),
    [(0.9, "0.9"), (1.0, "1"), (1, "1"), (0.0, "0"), (0.12344, "0.1234"), (0.00001, "0"), (1.7, "1"), (-1.0, "0")],
)
def test_confidence_is_canonical(score, confidence):
    (statement,) = statements(two_words(score=score), document_id="doc")
    assert str(statement.confidence) == confidence


@settings(max_examples=100, deadline=None, derandomize=True)
@given(score=st.floats(0, 1))
def test_confidence_is_the_score_to_four_places(score):
    (statement,) = statements(two_words(score=score), document_id="doc")
    assert abs(statement.confidence - Decimal(score)) <= Decimal("0.00005")


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="NaN"):
        statements(two_words(score=math.nan), document_id="doc")


def test_the_iri_does_not_depend_on_score_or_run(nlp):
    (one,) = statements(two_words(score=0.5), document_id="doc")
    (other,) = statements(two_words(score=0.6), document_id="doc", run=Run.of(nlp))
    assert one.iri == other.iri


def test_each_statement_has_an_iri_of_its_own(nlp):
    doc = nlp(TEXT + " " + TEXT)
    assert len({statement.iri for statement in found_in(doc)}) == 10


def test_the_iri_tells_a_literal_from_an_iri():
    as_literal = two_words(types=("PERSON", "DATE"))
    assert found_in(as_literal)[0].iri != found_in(two_words())[0].iri


def test_the_iri_tells_one_datatype_from_another():
    as_year, as_number, as_text = (
        found_in(two_words(text="Curie 1867", types=("PERSON", type_)))[0] for type_ in ("DATE", "NUM", "QUANTITY")
    )
    assert as_year.object == as_number.object == as_text.object
    assert len({as_year.iri, as_number.iri, as_text.iri}) == 3


def test_of_two_equal_statements_the_surer_counts():
    doc = two_words()
    (relation,) = doc._.relations
    doc._.relations = [relation._replace(score=score) for score in (0.5, 0.9, 0.7)]
    assert [str(statement.confidence) for statement in found_in(doc)] == ["0.9"]


def test_a_doc_without_relations_gives_no_statements(nlp):
    assert found_in(nlp("Nothing is said here.")) == []


def test_a_doc_without_set_relations_is_refused():
    with pytest.raises(ModelError, match=r"No component set doc\._\.relations"):
        statements(BLANK("Marie Curie"), document_id="doc")


def test_a_bad_base_is_refused(doc):
    with pytest.raises(InputError, match="base"):
        statements(doc, document_id="doc", base="here")


def test_statements_name_their_run(doc, nlp):
    run = Run.of(nlp)
    assert {statement.run for statement in found_in(doc, run=run)} == {run.iri()}


def test_a_statement_cannot_be_changed(doc):
    with pytest.raises(dataclasses.FrozenInstanceError):
        found_in(doc)[0].label = "other"


def test_equal_pipelines_and_parameters_make_equal_runs(nlp):
    assert Run.of(nlp, parameters={"a": 1, "b": 2}) == Run.of(make_nlp(), parameters={"b": 2, "a": 1})


def test_other_parameters_make_another_run(nlp):
    assert Run.of(nlp, parameters={"threshold": 0.5}).iri() != Run.of(nlp, parameters={"threshold": 0.6}).iri()


def test_other_weights_make_another_run(nlp):
    before = Run.of(nlp)
    nlp.get_pipe("cue_relations").digest = lambda: "0" * 64
    assert Run.of(nlp).iri() != before.iri()


def test_a_run_names_the_pipeline_as_spacy_does(nlp):
    nlp.meta["name"] = "cues"
    assert Run.of(nlp).model == "en_cues"
