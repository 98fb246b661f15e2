"""A component that finds nothing says why, once, and only where the pipeline is the cause."""

import pickle
import threading
import warnings

import pytest
import spacy
from helpers import add_tiny_relations
from spacy.language import Language
from spacy.tokens import Span
from spacy.training import Example

import kgmrca

TEXT = "Lena Vorhaus was born in Hamburg."
NAMES = {"Lena Vorhaus": "PERSON", "Hamburg": "GPE"}


def add_ruler(nlp, labels=NAMES, factory="entity_ruler", **options):
    ruler = nlp.add_pipe(factory, **options)
    # Patterns of tokens, because the ruler sends plain ones through the components before it.
    patterns = [(label, [{"ORTH": word} for word in name.split()]) for name, label in labels.items()]
    ruler.add_patterns([{"label": label, "pattern": pattern} for label, pattern in patterns])
    return ruler


def warnings_of(nlp, *texts):
    """What is said while the texts are processed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for text in texts:
            assert nlp(text)._.relations == ()
    return [str(warning.message) for warning in caught]


def one_warning(nlp, *texts):
    (message,) = warnings_of(nlp, *texts)
    return message


# What it warns of.


def test_without_a_recognizer():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("mrca_relations")
    message = one_warning(nlp, TEXT)
    assert "no component before it sets entities" in message
    assert "nlp.add_pipe(..., before='mrca_relations')" in message


def test_before_coreference():
    nlp = spacy.blank("en")
    add_ruler(nlp)
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    nlp.add_pipe("coreference")
    message = one_warning(nlp, TEXT, TEXT)
    assert "'coreference' runs behind it" in message
    assert "nlp.add_pipe(..., before='mrca_relations')" in message


def test_behind_coreference():
    nlp = spacy.blank("en")
    add_ruler(nlp)
    nlp.add_pipe("coreference")
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    assert not warnings_of(nlp, TEXT)


def test_before_the_recognizer():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_relations")
    add_ruler(nlp)
    message = one_warning(nlp, TEXT)
    assert "it runs before 'entity_ruler', which sets the entities" in message
    assert "after='entity_ruler'" in message


def test_behind_a_recognizer_that_is_disabled():
    nlp = kgmrca.load()
    nlp.disable_pipe("mrca_entities")
    assert "'mrca_entities', which sets the entities, is disabled. Enable it" in one_warning(nlp, TEXT)


def test_in_a_pipeline_for_another_language():
    nlp = spacy.blank("de")
    add_ruler(nlp)
    nlp.add_pipe("mrca_relations")
    message = one_warning(nlp, "Hamburg, und dann kam Lena Vorhaus.")
    assert "trained on the language 'en', and this is a pipeline for 'de'" in message


def test_with_labels_whose_types_are_not_known():
    nlp = spacy.blank("en")
    add_ruler(nlp, {"Lena Vorhaus": "SHIPBUILDER", "Hamburg": "SHIPYARD"})
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    message = one_warning(nlp, TEXT)
    assert "does not know the types of entities with the labels SHIPBUILDER, SHIPYARD" in message
    assert "type_map" in message


def test_under_the_name_that_the_component_has():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_relations", name="who_what")
    nlp.rename_pipe("who_what", "facts")
    assert one_warning(nlp, TEXT).startswith("'facts' finds no relations")


@pytest.mark.parametrize("is_kept", [True, False])
def test_in_a_pipeline_that_it_was_taken_to(is_kept):
    source = kgmrca.load()
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_relations", source=source)
    source = source if is_kept else None
    assert "no component has set the entities" in one_warning(nlp, TEXT)
    other = spacy.blank("de")
    add_ruler(other)
    other.add_pipe("mrca_relations", source=kgmrca.load())
    assert "a pipeline for 'de'" in one_warning(other, "Hamburg.")


# It does so once.


@pytest.fixture
def alone():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_relations")
    return nlp


def test_once_a_pipeline(alone):
    one_warning(alone, TEXT, TEXT, "Another text.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(alone.pipe([TEXT, TEXT]))) == 2


def test_once_for_several_threads(alone):
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        for _ in range(5):
            alone(TEXT)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(caught) == 1


def test_a_warning_that_is_an_error_spoils_no_document(alone):
    with pytest.warns(UserWarning, match="finds no relations"):
        doc = alone(TEXT)
    assert doc._.relations == ()


def test_a_component_is_pickled_without_its_pipeline(alone):
    pipe = pickle.loads(pickle.dumps(alone.get_pipe("mrca_relations")))
    with pytest.warns(UserWarning, match="no component has set the entities"):
        assert pipe(alone.make_doc(TEXT))._.relations == ()


# No false alarms.

NOTHING = ["", " \n ", "Nobody is here.", "Hamburg", "Lena Vorhaus slept. Hamburg is old."]


def silent(nlp, *texts):
    assert warnings_of(nlp, *texts) == []


@pytest.mark.parametrize("factory", ["entity_ruler", "span_ruler"])
def test_texts_with_nothing_to_find(factory):
    nlp = spacy.blank("en")
    options = {"config": {"annotate_ents": True}} if factory == "span_ruler" else {}
    add_ruler(nlp, factory=factory, **options)
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    silent(nlp, *NOTHING, TEXT)


def test_texts_with_nothing_to_find_in_the_shipped_pipeline():
    silent(kgmrca.load(), "", " ", "Nobody is here.", "Hamburg")


def test_blank_texts_without_a_recognizer(alone):
    silent(alone, "", " \n ")


def test_a_span_group_that_is_missing():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_relations", config={"spans_key": "sc"})
    silent(nlp, TEXT)


def test_entities_that_were_set_by_hand(alone):
    doc = alone.make_doc(TEXT)
    doc.set_ents([])
    pipe = alone.get_pipe("mrca_relations")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pipe(doc)._.relations == ()


@Language.component("sets_entities_where_it_finds_any")
def sets_entities_where_it_finds_any(doc):
    if "Hamburg" in doc.text:
        doc.ents = [Span(doc, 0, 1, "GPE")]
    return doc


def test_a_recognizer_of_others_that_does_not_say_what_it_sets():
    nlp = spacy.blank("en")
    nlp.add_pipe("sets_entities_where_it_finds_any")
    nlp.add_pipe("mrca_relations")
    silent(nlp, "Nobody is here.", "Hamburg is old.")


def test_some_labels_whose_types_are_not_known():
    nlp = spacy.blank("en")
    add_ruler(nlp, {"Lena Vorhaus": "SHIPBUILDER", "Hamburg": "SHIPYARD", "Otto": "PERSON"})
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    silent(nlp, TEXT)


def test_labels_whose_types_are_given():
    nlp = spacy.blank("en")
    add_ruler(nlp, {"Lena Vorhaus": "SHIPBUILDER", "Hamburg": "SHIPYARD"})
    type_map = {"SHIPBUILDER": "PER", "SHIPYARD": "ORG"}
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0, "type_map": type_map})
    silent(nlp, TEXT)


def test_labels_and_a_language_that_the_component_was_trained_on():
    nlp = spacy.blank("de")
    ruler = add_ruler(nlp, {"Lena Vorhaus": "SHIPBUILDER", "Hamburg": "SHIPYARD"})
    pipe = add_tiny_relations(nlp, threshold=1.0)
    doc = ruler(nlp.make_doc(TEXT))
    doc._.relations = [(doc.ents[0], doc.ents[1], "launched at")]
    pipe.initialize(lambda: [Example(doc, doc)], nlp=nlp)
    silent(nlp, TEXT)


def test_weights_that_learned_another_language():
    nlp = spacy.blank("de")
    ruler = add_ruler(nlp)
    pipe = nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    doc = ruler(nlp.make_doc(TEXT))
    doc._.relations = [(doc.ents[0], doc.ents[1], "place of birth")]
    pipe.update([Example(doc, doc)], sgd=nlp.create_optimizer())
    silent(nlp, TEXT)


def test_a_pipeline_for_all_languages():
    nlp = spacy.blank("xx")
    add_ruler(nlp)
    nlp.add_pipe("mrca_relations", config={"threshold": 1.0})
    silent(nlp, TEXT)
