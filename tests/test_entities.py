"""`doc._.entities`: which mentions are one entity, and everything it survives."""

import pickle

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

import kgmrca
from kgmrca.entities import get_entities, get_plain_entities, known_spans, register_entities
from kgmrca.errors import ExtensionError
from kgmrca.relations import from_docs, register_extensions

TEXT = "Curie met Joliot. Marie Curie left Paris in 1906, and she came back to Paris in 1906."
LABELS = {"Curie": "PERSON", "Marie Curie": "PERSON", "Joliot": "PERSON", "Paris": "GPE", "1906": "DATE"}
NLP = spacy.blank("en")


def span_of(doc, words, *, nth=0, label="", item=""):
    """The nth place in a Doc where some words stand."""
    size = len(NLP(words))
    places = [at for at in range(len(doc)) if [token.text for token in doc[at : at + size]] == words.split()]
    return Span(doc, places[nth], places[nth] + size, label=label, kb_id=item)


def make(text=TEXT, labels=LABELS, clusters=()):
    """A Doc with an entity wherever a name stands, and clusters of (words, nth)."""
    doc = NLP(text)
    found = []
    for words in sorted(labels, key=len, reverse=True):
        for at in range(len(doc)):
            span = doc[at : at + len(words.split())]
            if " ".join(span.text.split()) == words and not any(
                span.start < s.end and s.start < span.end for s in found
            ):
                found.append(Span(doc, span.start, span.end, label=labels[words]))
    doc.set_ents(sorted(found))
    for number, cluster in enumerate(clusters, start=1):
        doc.spans[f"coref_clusters_{number}"] = [span_of(doc, words, nth=nth) for words, nth in cluster]
    return doc


@pytest.fixture
def doc():
    return make(clusters=[[("Curie", 0), ("Marie Curie", 0), ("she", 0)], [("Paris", 0), ("Paris", 1)]])


def entities(doc, **options):
    return [[mention.text for mention in entity.mentions] for entity in get_entities(doc, **options)]


CLUSTERED = [["Marie Curie", "Curie", "she"], ["Joliot"], ["Paris", "Paris"], ["1906", "1906"]]


def test_a_cluster_is_one_entity_with_its_most_telling_name_first(doc):
    assert entities(doc) == CLUSTERED
    assert doc._.entities == get_entities(doc) == kgmrca.get_entities(doc)


def test_an_entity_has_a_name_a_type_and_spans_with_their_labels(doc):
    curie, joliot, _, year = doc._.entities
    assert (curie.name, curie.type, curie.item) == ("Marie Curie", "PER", None)
    assert [(mention.start, mention.end, mention.label_) for mention in curie.mentions] == [
        (4, 6, "PERSON"),
        (0, 1, "PERSON"),
        (12, 13, ""),
    ]
    assert (joliot.name, year.type) == ("Joliot", "TIME")


def test_without_clusters_names_of_equal_text_are_one_entity():
    doc = make("Marie Curie met MARIE  CURIE and Curie and Curie.", {"Curie": "PER", "Marie Curie": "PER"})
    doc.set_ents([*doc.ents, Span(doc, 3, 6, "PER")])
    assert [(entity.name, len(entity.mentions)) for entity in doc._.entities] == [("MARIE CURIE", 2), ("Curie", 2)]


def test_names_outside_of_clusters_are_one_if_text_and_type_are_equal():
    doc = make("Ann met Bob. Ann slept. She woke. Ann won.", {"Ann": "PER", "Bob": "PER"}, [[("Bob", 0), ("She", 0)]])
    assert entities(doc) == [["Ann", "Ann", "Ann"], ["Bob", "She"]]
    doc.set_ents([*doc.ents[:3], Span(doc, 10, 11, "ORG")])
    assert entities(doc) == [["Ann", "Ann"], ["Bob", "She"], ["Ann"]]


def test_a_name_outside_of_clusters_belongs_to_the_only_cluster_with_such_a_name():
    text, labels = "Ann left. She met Ann. Ann won.", {"Ann": "PER"}
    assert entities(make(text, labels, [[("Ann", 0), ("She", 0)]])) == [["Ann", "She", "Ann", "Ann"]]
    assert entities(make(text, labels, [[("Ann", 0), ("She", 0)], [("Ann", 1)]])) == [["Ann", "She"], ["Ann"], ["Ann"]]


def test_without_clusters_a_person_and_a_place_of_equal_name_are_two():
    doc = make("Paris left Paris. Paris slept.", {"Paris": "PERSON"})
    doc.set_ents([Span(doc, 0, 1, "PERSON"), Span(doc, 2, 3, "GPE"), Span(doc, 4, 5, "PERSON")])
    assert [(entity.type, len(entity.mentions)) for entity in doc._.entities] == [("PER", 2), ("LOC", 1)]


def test_equal_dates_are_one_entity_and_apart_from_a_name_of_the_same_words():
    doc = NLP("May met Ann in May. In May she left.")
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 2, 3, "PER"), Span(doc, 4, 5, "DATE"), Span(doc, 7, 8, "DATE")])
    assert entities(doc) == [["May"], ["Ann"], ["May", "May"]]
    doc.spans["coref_clusters_1"] = [doc[2:3], doc[8:9]]
    assert entities(doc) == [["May"], ["Ann", "she"], ["May", "May"]]
    doc.spans["coref_clusters_2"] = [doc[4:5]]
    assert entities(doc) == [["May"], ["Ann", "she"], ["May", "May"]]


def test_a_cluster_without_a_named_entity_is_no_entity():
    assert entities(make("Ann left. It rained, and it snowed.", {"Ann": "PER"}, [[("It", 0), ("it", 0)]])) == [["Ann"]]


def test_a_cluster_of_one_mention_is_an_entity():
    doc = make("Ann met Ann.", {"Ann": "PER"}, [[("Ann", 0)], [("Ann", 1)]])
    assert entities(doc) == [["Ann"], ["Ann"]]


def test_clusters_are_numbers_and_not_words():
    numbers = [f"coref_clusters_{number}" for number in (2, 10)]
    doc = make("Ann and Bob met. She left.", {"Ann": "PER", "Bob": "PER"})
    doc.spans[numbers[1]], doc.spans[numbers[0]] = [doc[2:3], doc[5:6]], [doc[0:1], doc[5:6]]
    doc.spans["coref_head_clusters_1"] = [doc[0:1], doc[2:3]]
    assert entities(doc) == [["Ann", "She"], ["Bob"]]


def test_a_name_in_two_clusters_belongs_to_the_first():
    clusters = [[("Ann", 0), ("She", 0)], [("Ann", 0), ("Ann", 1), ("her", 0)]]
    assert entities(make("Ann left. She knew Ann and her dog.", {"Ann": "PER"}, clusters)) == [
        ["Ann", "She"],
        ["Ann", "her"],
    ]
    clusters[1] = [("Ann", 0), ("her", 0)]
    assert entities(make("Ann left. She knew Ann and her dog.", {"Ann": "PER"}, clusters)) == [["Ann", "She", "Ann"]]


def test_a_mention_with_an_article_or_a_possessive_ending_is_the_name():
    doc = make("The Vistula's mouth is in Poland. It is long.", {"Vistula": "LOC", "Poland": "LOC"})
    doc.spans["coref_clusters_1"] = [doc[0:3], doc[8:9]]
    assert entities(doc) == [["Vistula", "It"], ["Poland"]]
    doc.set_ents([Span(doc, 0, 2, "LOC")])
    doc.spans["coref_clusters_1"] = [doc[1:2], doc[8:9]]
    assert entities(doc) == [["The Vistula", "It"]]


def test_a_mention_around_a_name_of_its_own_is_that_name():
    doc = make("Ann Lee, a poet, left. Her son stayed.", {"Ann Lee": "PER"})
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[0:6], doc[8:9]]
    doc.spans["coref_clusters_2"] = [doc[8:10]]
    assert entities(doc) == [["Ann Lee", "Her"]]


def test_a_mention_around_the_name_of_another_stays():
    doc = make("Ann loves Ann 's son Bob.", {"Ann": "PER", "Bob": "PER"})
    doc.spans["coref_clusters_1"] = [doc[5:6], doc[2:5]]
    doc.spans["coref_clusters_2"] = [doc[0:1], doc[2:3]]
    assert entities(doc) == [["Ann", "Ann"], ["Bob", "Ann 's son"]]


def test_a_pronoun_before_every_name_comes_behind_the_name():
    doc = make("When she was old, Ann left.", {"Ann": "PER"}, [[("she", 0), ("Ann", 0)]])
    assert entities(doc) == [["Ann", "she"]]


def test_different_items_are_never_one_entity():
    doc = make("Ann, Lee, Ann and she left.", {"Ann": "PER", "Lee": "PER"}, [[("Ann", 0), ("Ann", 1), ("she", 0)]])
    first, lee, _ = doc.ents
    doc.set_ents([Span(doc, first.start, first.end, "PER", kb_id="Q1"), lee, Span(doc, 4, 5, "PER", kb_id="Q2")])
    assert entities(doc) == [["Ann"], ["Lee"], ["Ann", "she"]]
    assert [entity.item for entity in doc._.entities] == ["Q1", None, "Q2"]
    del doc.spans["coref_clusters_1"]
    assert entities(doc) == [["Ann"], ["Lee"], ["Ann"]]


def test_an_equal_name_without_an_item_belongs_to_the_one_that_has_it():
    doc = make("Ann left. Ann came. Ann slept.", {"Ann": "PER"})
    one, two, three = doc.ents
    doc.set_ents([one, Span(doc, two.start, two.end, "PER", kb_id="Q1"), three])
    assert [(len(entity.mentions), entity.item) for entity in doc._.entities] == [(3, "Q1")]
    doc.set_ents([one, Span(doc, two.start, two.end, "PER", kb_id="NIL"), three])
    assert [(len(entity.mentions), entity.item) for entity in doc._.entities] == [(3, None)]


def test_names_of_one_item_are_one_entity():
    doc = make("Ann left. Lee came.", {"Ann": "PER", "Lee": "PER"})
    doc.set_ents([Span(doc, span.start, span.end, "PER", kb_id="Q7") for span in doc.ents])
    assert entities(doc) == [["Ann", "Lee"]]


def test_an_id_of_something_else_than_wikidata_tells_entities_apart_but_is_no_item():
    doc = make("Ann left. Ann came.", {"Ann": "PER"})
    doc.set_ents([Span(doc, 0, 1, "PER", kb_id="C0001"), Span(doc, 3, 4, "PER", kb_id="C0002")])
    assert [(entity.name, entity.item) for entity in doc._.entities] == [("Ann", None), ("Ann", None)]


def test_the_type_is_that_of_most_names_and_else_of_the_most_telling_one():
    doc = make("Ada and Ada and Ada Ltd left.", {})
    doc.spans["coref_clusters_1"] = [doc[0:1], doc[2:3], doc[4:6]]
    doc.set_ents([Span(doc, 0, 1, "PERSON"), Span(doc, 2, 3, "PER"), Span(doc, 4, 6, "ORG")])
    assert [entity.type for entity in doc._.entities] == ["PER"]
    doc.set_ents([Span(doc, 0, 1, "PERSON"), Span(doc, 4, 6, "ORG")])
    assert [entity.type for entity in doc._.entities] == ["ORG"]


def test_a_label_of_no_scheme_is_the_type_unless_it_is_mapped():
    doc = make("BRCA1 is a gene.", {"BRCA1": "GENE"})
    assert [entity.type for entity in doc._.entities] == ["GENE"]
    assert get_plain_entities(doc, type_map={"GENE": "TERM"}).types == ["TERM"]


def test_names_may_come_from_a_span_group():
    doc = make("Ann met Bob. She left.", {"Bob": "PER"})
    doc.spans["people"] = [Span(doc, 0, 1, "X")]
    doc.spans["coref_clusters_1"] = [doc[0:1], doc[4:5]]
    assert entities(doc, spans_key="people") == [["Ann", "She"]]
    assert get_entities(doc, spans_key="people")[0].mentions[0].label_ == "X"
    assert entities(doc, spans_key="nobody") == []


def test_nested_names_of_a_span_group_are_entities_of_their_own():
    doc = make("The University of Warsaw is in Warsaw.", {})
    doc.spans["sc"] = [Span(doc, 1, 4, "ORG"), Span(doc, 3, 4, "LOC"), Span(doc, 6, 7, "LOC")]
    assert entities(doc, spans_key="sc") == [["University of Warsaw"], ["Warsaw", "Warsaw"]]


def test_white_space_is_no_name():
    doc = NLP("Ann   met  Bob")
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 1, 2, "PER"), Span(doc, 3, 5, "PER")])
    assert [entity.name for entity in doc._.entities] == ["Ann", "Bob"]


@pytest.mark.parametrize("text", ["", "Nobody is here."])
def test_a_doc_without_named_entities_has_none(text):
    assert NLP(text)._.entities == ()


def test_what_is_asked_later_is_what_stands_there_then(doc):
    doc.set_ents([span for span in doc.ents if span.text != "Joliot"])
    assert entities(doc) == [CLUSTERED[0], *CLUSTERED[2:]]
    del doc.spans["coref_clusters_1"]
    assert entities(doc)[:2] == [["Curie"], ["Marie Curie"]]


# As arrays.


def test_as_arrays(doc):
    plain = get_plain_entities(doc)
    assert plain.mentions.tolist() == [[0, 1], [2, 3], [4, 6], [7, 8], [9, 10], [12, 13], [16, 17], [18, 19]]
    assert [doc.text[a:b] for a, b in plain.characters.tolist()] == [doc[a:b].text for a, b in plain.mentions.tolist()]
    assert plain.entity.tolist() == [0, 1, 0, 2, 3, 0, 2, 3]
    assert plain.is_name.tolist() == [True] * 5 + [False] + [True] * 2
    assert plain.labels == ["PERSON", "PERSON", "PERSON", "GPE", "DATE", "", "GPE", "DATE"]
    assert (plain.types, plain.telling.tolist(), plain.items) == (
        ["PER", "PER", "LOC", "TIME"],
        [2, 1, 3, 4],
        [None] * 4,
    )


def test_no_entities_as_arrays():
    plain = get_plain_entities(NLP(""))
    assert (plain.mentions.shape, plain.characters.shape, plain.types) == ((0, 2), (0, 2), [])


# Of a span.


def test_a_span_knows_the_entity_that_it_is_a_mention_of(doc):
    curie = doc._.entities[0]
    assert [doc[a:b]._.entity for a, b in ((0, 1), (4, 6), (12, 13))] == [curie] * 3
    assert doc[5:6]._.entity is None
    assert doc[6:7]._.entity is None


# What it survives.


@pytest.mark.parametrize(
    "copied",
    [
        lambda doc: Doc(doc.vocab).from_bytes(doc.to_bytes()),
        lambda doc: next(DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(doc.vocab)),
        lambda doc: pickle.loads(pickle.dumps(doc)),
        lambda doc: doc.copy(),
    ],
)
def test_survives_storing(doc, copied):
    assert entities(copied(doc)) == CLUSTERED


def test_survives_retokenising(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[4:6])
        retokenizer.split(doc[7], ["Par", "is"], heads=[(doc[7], 0), (doc[7], 1)])
    assert entities(doc) == CLUSTERED
    assert get_plain_entities(doc).mentions.tolist()[2:6] == [[4, 5], [6, 8], [9, 10], [12, 13]]


def test_the_spans_of_relations_survive_retokenising_where_they_are_in_a_group_only(doc):
    doc._.relations = [(doc[12:13], doc[7:8], "residence")]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[4:6])
    assert [(relation.subject.text, relation.object.text) for relation in doc._.relations] == [("she", "Paris")]
    assert doc._.relations[0].subject._.entity == doc._.entities[0]


def test_known_spans_are_not_those_that_retokenising_has_moved(doc):
    doc.spans["sc"] = [Span(doc, 0, 1, "A"), Span(doc, 12, 13, "B")]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[4:6])
    assert {span.text for span in known_spans(doc).values()} == {"Curie", "Joliot", "Marie Curie", "Paris", "1906"}


def test_a_doc_of_a_span_has_the_entities_that_its_names_tell(doc):
    assert entities(doc[4:].as_doc()) == [["Marie Curie"], ["Paris", "Paris"], ["1906", "1906"]]


def test_docs_that_are_put_together_keep_their_clusters_apart(doc):
    other = make("Ann met Ann. She left.", {"Ann": "PER"}, [[("Ann", 1), ("She", 0)]])
    merged = from_docs([doc, other, doc])
    assert entities(merged) == [
        ["Marie Curie", "Curie", "she"],
        ["Joliot", "Joliot"],
        ["Paris", "Paris"],
        ["1906"] * 4,
        ["Ann", "Ann", "She"],
        ["Marie Curie", "Curie", "she"],
        ["Paris", "Paris"],
    ]
    assert list(merged.spans) == [f"coref_clusters_{number}" for number in range(1, 6)]
    assert list(doc.spans) == ["coref_clusters_1", "coref_clusters_2"]
    assert from_docs([doc, other], exclude=["spans"])._.entities[0].mentions[0].text == "Curie"


def test_a_long_doc_is_read_in_linear_time():
    # Ten times as many mentions; a quadratic way would take a hundred times as long, and a minute.
    doc = Doc(NLP.vocab, words=["Ann", "saw", "Bob", ".", "She", "left", "."] * 20_000)
    doc.set_ents([Span(doc, at, at + 1, "PER") for start in range(0, len(doc), 7) for at in (start, start + 2)])
    for number in range(4_000):
        at = 7 * 5 * number
        doc.spans[f"coref_clusters_{number + 1}"] = [doc[at : at + 1], doc[at + 4 : at + 5]]
    plain = get_plain_entities(doc)
    assert (len(plain.mentions), len(plain.types)) == (44_000, 4_002)


# Extensions.


def test_registering_again_does_no_harm(doc):
    register_entities()
    register_extensions()
    assert entities(doc) == CLUSTERED


@pytest.mark.parametrize(("owner", "name"), [(Doc, "entities"), (Span, "entity")])
def test_another_owner_is_named_and_not_overwritten(owner, name):
    getter = owner.get_extension(name)[2]
    owner.set_extension(name, default="theirs", force=True)
    try:
        with pytest.raises(ExtensionError, match=f"already has an extension '{name}'"):
            register_extensions()
    finally:
        owner.set_extension(name, getter=getter, force=True)


def test_a_doc_whose_tokens_were_merged_has_its_entities():
    doc = spacy.blank("en")("Marie Curie met Niels Bohr. He met her.")
    doc.set_ents([Span(doc, 0, 2, label="PER"), Span(doc, 3, 5, label="PER")])
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[8:9]]
    with doc.retokenize() as retokenizer:
        for ent in doc.ents:
            retokenizer.merge(ent)
    assert len(doc) == 8  # spaCy leaves the mention at token 8 where it was
    assert [entity.name for entity in doc._.entities] == ["Marie Curie", "Niels Bohr"]
