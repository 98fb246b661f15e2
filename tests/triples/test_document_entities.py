"""Entities with several mentions, and statements whose ends stand in two sentences: written, and read back."""

import io

import pytest
import spacy
from helpers import read_rdf
from pyoxigraph import Quad
from spacy.tokens import Span

from kgmrca.graph.networks import to_networkx
from kgmrca.ontology import Ontology
from kgmrca.triples.formats import PROVENANCE, write
from kgmrca.triples.iris import DEFAULT_BASE, Iris
from kgmrca.triples.read import read_rdf as read_statements
from kgmrca.triples.records import Statement, sentence_digest
from kgmrca.triples.statements import statements
from kgmrca.triples.write import document_triples

KGMRCA = "https://w3id.org/kgmrca#"
LABEL, OTHER_NAME = "http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#altLabel"
WD, WDT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
TEXT = "Marie Curie was a physicist. In 1867 she was born in Warsaw. Curie left it for Paris."
CURIE, SHE, BARE = (0, 11), (37, 40), (61, 66)
FORMS = [(provenance, format) for provenance, formats in PROVENANCE.items() for format in sorted(formats)]

NLP = spacy.blank("en")
NLP.add_pipe("sentencizer")


def make(text, names, clusters=(), relations=()):
    """A Doc with entities (words, label, item), clusters and relations of words; "she~1" is the second "she"."""
    doc = NLP(text)

    def span(words, label="", item=""):
        words, _, number = words.partition("~")
        start = -1
        for _ in range(int(number or 0) + 1):
            start = text.index(words, start + 1)
        return doc.char_span(start, start + len(words), label=label, kb_id=item)

    doc.set_ents(sorted(span(*name) for name in names))
    ends = {(one.start_char, one.end_char): one for one in doc.ents}
    for number, cluster in enumerate(clusters, start=1):
        mentions = [span(words) for words in cluster]
        doc.spans[f"coref_clusters_{number}"] = [ends.get((m.start_char, m.end_char), m) for m in mentions]
    doc._.relations = [(span(subject), span(object_), *rest) for subject, object_, *rest in relations]
    return doc


@pytest.fixture
def doc():
    return make(
        TEXT,
        [("Marie Curie", "PERSON"), ("1867", "DATE"), ("Warsaw", "GPE"), ("Curie~1", "PERSON"), ("Paris", "GPE")],
        [["Marie Curie", "she", "Curie~1"], ["Warsaw", "it"]],
        [
            ("she", "1867", "date of birth", 0.9),
            ("she", "Warsaw", "place of birth", 0.8),
            ("Marie Curie", "Paris", "residence", 0.7),
        ],
    )


def found_in(doc, **options):
    return list(statements(doc, **{"document_id": "doc", **options}))


def written(found, provenance="statements", format="ntriples", **options):
    out = io.BytesIO()
    triples = document_triples(found[0].document, "doc", found, base=DEFAULT_BASE, provenance=provenance, **options)
    write(triples, out, format=format, base=DEFAULT_BASE)
    return out.getvalue()


def about(found, iri, *predicates, **options):
    """The objects of some predicates of a node, as they are written."""
    triples = read_rdf(written(found, **options), "ntriples")
    return sorted(o for s, p, o, *_ in triples if s == f"<{iri}>" and p[1:-1] in predicates)


def test_a_pronoun_means_its_entity(doc):
    date, birth, residence = found_in(doc)
    assert date.subject == birth.subject == residence.subject == Iris().entity(date.document, "Marie Curie")
    assert (date.subject_mention.start, date.subject_mention.end, date.subject_mention.text) == (*SHE, "she")


def test_a_pronoun_is_no_name(doc):
    birth = found_in(doc)[1]
    assert birth.subject_name == "Marie Curie"
    assert birth.subject_entity.names == ("Marie Curie", "Curie")
    assert about([birth], birth.subject, LABEL, OTHER_NAME) == ['"Curie"', '"Marie Curie"']
    assert about([birth], birth.object, LABEL, OTHER_NAME) == ['"Warsaw"']


def test_a_pronoun_has_the_type_of_its_entity(doc):
    assert found_in(doc)[1].subject_mention.type == "PERSON"


def test_an_entity_has_all_its_mentions_in_the_order_of_the_text(doc):
    birth = found_in(doc)[1]
    assert [(one.start, one.end) for one in birth.subject_entity.mentions] == [CURIE, SHE, BARE]
    iris = [f"<{birth.document}#char={start},{end}>" for start, end in (CURIE, SHE, BARE)]
    assert about([birth], birth.subject, f"{KGMRCA}mention") == sorted(iris)


def test_a_single_mention_is_that_of_the_statement(doc):
    residence = found_in(doc)[2]
    assert about([residence], residence.object, f"{KGMRCA}mention") == []
    assert residence.object_entity.mentions == (residence.object_mention,)


def test_the_entities_of_the_clusters_that_no_statement_has_are_not_written(doc):
    residence = found_in(doc)[2]
    assert b"Warsaw" not in written([residence])


def test_a_statement_of_two_sentences_has_both(doc):
    residence = found_in(doc)[2]
    first, last = "Marie Curie was a physicist.", "Curie left it for Paris."
    assert (residence.sentence.text, residence.object_sentence.text) == (first, last)
    assert residence.sentence_digest == sentence_digest(f"{first} {last}")
    assert about([residence], residence.iri, f"{KGMRCA}objectSentence") == [f"<{residence.document}#char=61,85>"]
    texts = about([residence], residence.iri, f"{KGMRCA}sentenceText", f"{KGMRCA}objectSentenceText", text=True)
    assert texts == [f'"{last}"', f'"{first}"']


def test_the_digest_of_two_sentences_follows_the_order_of_the_text(doc):
    residence = Ontology({"residence": "urn:x:resident"}, frozenset({"residence"}))
    (plain,), (turned,) = (found_in(doc, ontology=one)[2:] for one in ("wikidata", residence))
    assert (turned.sentence, turned.object_sentence) == (plain.object_sentence, plain.sentence)
    assert turned.sentence_digest == plain.sentence_digest


def test_a_statement_of_one_sentence_has_no_other(doc):
    birth = found_in(doc)[1]
    assert birth.object_sentence is None
    assert birth.sentence_digest == sentence_digest("In 1867 she was born in Warsaw.")


@pytest.mark.parametrize(("provenance", "format"), [form for form in FORMS if form[0] != "none"])
def test_everything_is_read_back(doc, provenance, format):
    found = found_in(doc)
    read = list(read_statements(io.BytesIO(written(found, provenance, format, text=True)), format=format))
    again = {one.iri: one for one in read if isinstance(one, Statement)}
    for one in found:
        back = again[one.iri]
        assert (back.subject, back.predicate, back.object) == (one.subject, one.predicate, one.object)
        assert [getattr(back, name).iri for name in ("subject_mention", "object_mention", "sentence")] == [
            getattr(one, name).iri for name in ("subject_mention", "object_mention", "sentence")
        ]
        assert (back.sentence.text, back.sentence_digest) == (one.sentence.text, one.sentence_digest)
        assert (back.object_sentence and (back.object_sentence.iri, back.object_sentence.text)) == (
            one.object_sentence and (one.object_sentence.iri, one.object_sentence.text)
        )
    said = {(one.predicate.value.rpartition("#")[2], one.object.value) for one in read if isinstance(one, Quad)}
    curie = found[0].subject_entity
    assert said >= {("mention", one.iri) for one in curie.mentions} | {("label", "Marie Curie"), ("altLabel", "Curie")}


@pytest.mark.parametrize("format", sorted(PROVENANCE["none"]))
def test_without_provenance_there_are_names_and_no_mentions(doc, format):
    triples = read_rdf(written(found_in(doc), "none", format), format)
    assert not any("char=" in o for _, _, o in triples)
    assert {o for _, p, o in triples if p[1:-1] in (LABEL, OTHER_NAME)} == {
        '"Marie Curie"', '"Curie"', '"Warsaw"', '"Paris"'
    }  # fmt: skip


TWO = "Ann Lee met Bob. Ann Lee lives in Oslo. She left Rome."


def two_of_one_name(**changes):
    """Two persons of one name, whom the clusters tell apart; the second is "She" too."""
    names = [("Ann Lee", "PER"), ("Bob", "PER"), ("Ann Lee~1", "PER"), ("Oslo", "GPE"), ("Rome", "GPE")]
    names = [(words, *changes.get(words, [label])) for words, label in names]
    relations = [("Bob", "Ann Lee", "spouse"), ("Ann Lee~1", "Oslo", "residence"), ("She", "Rome", "residence")]
    return make(TWO, names, [["Ann Lee"], ["Ann Lee~1", "She"]], relations)


def test_two_entities_of_one_name_have_two_iris():
    spouse, oslo, rome = found_in(two_of_one_name())
    assert spouse.object == Iris().entity(spouse.document, "Ann Lee")
    assert oslo.subject == rome.subject == Iris().entity(spouse.document, "Ann Lee", "17,24") != spouse.object


def test_two_entities_of_one_name_are_namesakes():
    found = found_in(two_of_one_name())
    one, other = found[0].object, found[1].subject
    namesakes = [about(found, iri, f"{KGMRCA}namesake") for iri in (one, other)]
    assert namesakes == [[f"<{other}>"], [f"<{one}>"]]
    assert about(found[:1], one, f"{KGMRCA}namesake") == []  # of what is not in the graph, nothing is said


def test_entities_of_one_name_and_two_types_are_no_namesakes():
    found = found_in(two_of_one_name(**{"Ann Lee": ["ORG"]}))
    assert found[0].object != found[1].subject
    assert found[0].object_entity.namesakes == ()


def test_an_item_is_the_iri_of_all_mentions_of_its_entity():
    _, oslo, rome = found_in(two_of_one_name(**{"Ann Lee~1": ["PER", "Q1"]}))
    assert oslo.subject == rome.subject == f"{WD}Q1"


def test_the_first_of_a_name_without_an_item_has_the_iri_of_the_name():
    found = found_in(two_of_one_name(**{"Ann Lee": ["PER", "Q1"]}))
    assert (found[0].object, found[1].subject) == (f"{WD}Q1", Iris().entity(found[0].document, "Ann Lee"))


def test_iris_do_not_depend_on_which_relations_there_are():
    doc = two_of_one_name()
    _, oslo, _ = found_in(doc)
    doc._.relations = doc._.relations[1:2]
    assert [one.iri for one in found_in(doc)] == [oslo.iri]


def test_a_description_of_a_date_becomes_the_date():
    doc = make(
        "In 1867 much happened. That year Curie was born.",
        [("1867", "DATE"), ("Curie", "PERSON")],
        [["1867", "That year"]],
        [("Curie", "That year", "date of birth")],
    )
    (birth,) = found_in(doc)
    assert (birth.object, birth.object_is_literal, birth.object_mention.text) == ("1867", True, "That year")
    assert birth.object_entity is None


def test_without_clusters_a_name_with_two_types_keeps_both():
    relations = [("Washington", "Bob", "spouse"), ("Washington~1", "Bob", "residence")]
    text = "Washington met Bob. He left WASHINGTON, not Washington."
    names = [("Washington", "ORG"), ("Bob", "PER"), ("Washington~1", "GPE")]
    found = found_in(make(text, names, (), relations))
    assert found[0].subject == found[1].subject
    assert about(found, found[0].subject, f"{KGMRCA}entityType") == ['"GPE"', '"ORG"']
    names[0] = ("Washington", "PER")  # a person is no place
    found = found_in(make(text, names, (), relations))
    assert found[0].subject != found[1].subject


def test_in_a_cluster_the_types_are_one():
    names = [("George Washington", "PERSON"), ("Bob", "PER"), ("Washington~1", "GPE")]
    relations = [("Washington~1", "Bob", "spouse")]
    doc = make(
        "George Washington met Bob. There Washington slept.", names, [["George Washington", "Washington~1"]], relations
    )
    (found,) = found_in(doc)
    assert (found.subject_name, found.subject_mention.type) == ("George Washington", "PERSON")


def test_a_span_that_is_no_mention_is_an_entity_by_its_text():
    doc = make(TEXT, [("Warsaw", "GPE")], (), [("physicist", "Warsaw", "residence")])
    (found,) = found_in(doc)
    assert (found.subject, found.subject_entity) == (Iris().entity(found.document, "physicist"), None)
    assert about([found], found.subject, LABEL) == ['"physicist"']


def test_a_node_of_networkx_has_the_name_of_the_entity(doc):
    graph = to_networkx(doc)
    assert sorted(data["label"] for _, data in graph.nodes(data=True)) == ["1867", "Marie Curie", "Paris", "Warsaw"]


def test_entities_are_the_same_for_a_doc_without_clusters_as_before():
    doc = make("Warsaw is in Poland. WARSAW is old.", [("Warsaw", "GPE"), ("Poland", "GPE"), ("WARSAW", "GPE")])
    first, poland, last = doc.ents
    doc._.relations = [(first, poland, "country"), (last, poland, "country")]
    found = found_in(doc)
    assert found[0].subject == found[1].subject == Iris().entity(found[0].document, "warsaw")
    assert about(found, found[0].subject, LABEL, OTHER_NAME) == ['"Warsaw"']
    assert len(about(found, found[0].subject, f"{KGMRCA}mention")) == 2


def test_white_space_in_a_name_is_one_space():
    doc = make("Marie\nCurie left Warsaw.", [("Marie\nCurie", "PER"), ("Warsaw", "GPE")])
    doc._.relations = [(*doc.ents, "place of birth")]
    (found,) = found_in(doc)
    assert (found.subject_name, found.subject_mention.text) == ("Marie Curie", "Marie\nCurie")


def test_spans_with_labels_of_their_own_in_a_cluster_are_no_names():
    doc = make(TEXT, [("Marie Curie", "PERSON"), ("Warsaw", "GPE")])
    doc.spans["coref_clusters_1"] = [doc[0:2], Span(doc, 8, 9, label="coref")]
    doc._.relations = [(doc[8:9], doc.ents[1], "place of birth")]
    (found,) = found_in(doc)
    assert (found.subject_name, found.subject_mention.type) == ("Marie Curie", "PERSON")


def test_of_a_pronoun_that_means_nobody_nothing_is_stated(doc):
    first, second, third = (sentence.as_doc(copy_user_data=True) for sentence in doc.sents)
    assert [str(relation.subject) for relation in second._.relations] == ["she", "she"]
    assert list(statements([first, second, third])) == []


def test_a_cluster_of_pronouns_only_is_nobody():
    doc = make("He said that he left Oslo.", [("Oslo", "GPE")], [["He", "he"]], [("he", "Oslo", "residence")])
    assert list(statements(doc)) == []


@pytest.mark.parametrize(("words", "label", "written"), [("She", "PERSON", 0), ("It", "ORG", 0), ("It", "EVENT", 1)])
def test_a_pronoun_that_was_taken_for_a_name_names_nobody(words, label, written):
    doc = make(f"{words} came from Oslo.", [(words, label), ("Oslo", "GPE")], (), [(words, "Oslo", "residence")])
    assert len(list(statements(doc))) == written


def test_a_pronoun_that_was_merged_into_a_longer_token_still_means_its_entity(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc.char_span(37, 44))
    assert [str(relation.subject) for relation in doc._.relations][:2] == ["she was", "she was"]
    assert {one.subject_name for one in statements(doc)} == {"Marie Curie"}


def test_names_in_rdf_have_nothing_that_is_not_seen():
    text = "So\u00adfia Lind\u200b lived in \ufeffOslo. \u202bSofia Lind\u202c left."
    names = [("So\u00adfia Lind\u200b", "PERSON"), ("\ufeffOslo", "GPE"), ("\u202bSofia Lind\u202c", "PERSON")]
    (one,) = statements(make(text, names, (), [(names[0][0], names[1][0], "residence")]))
    assert one.subject_entity.names == ("Sofia Lind",)
    assert one.object_entity.names == ("Oslo",)
    assert (one.subject_mention.start, one.subject_mention.end) == (0, 12)
    assert one.subject_mention.text == names[0][0]


def test_a_sentence_ends_with_its_last_word():
    text = "Ann lived in Oslo.\n\nShe left.\n"
    (one,) = statements(make(text, [("Ann", "PERSON"), ("Oslo", "GPE")], (), [("Ann", "Oslo", "residence")]))
    assert one.sentence.text == "Ann lived in Oslo."
    assert text[one.sentence.start : one.sentence.end].startswith(one.sentence.text)
