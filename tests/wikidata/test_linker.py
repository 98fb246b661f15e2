"""The spaCy component, asked about `wikidata.ttl`, which has three items called Paris."""

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import spacy
from helpers import make_nlp
from known import Known
from spacy.tokens import Doc, DocBin, Span

from kgmrca.errors import ExtensionError, InputError, ModelError
from kgmrca.relations import Relation, set_relations
from kgmrca.triples.statements import statements
from kgmrca.wikidata.disambiguation import LinkDecision
from kgmrca.wikidata.linker import WikidataLinker, register_extension

PATTERNS = {
    "Marie Curie": "PERSON",
    "Pierre Curie": "PERSON",
    "Warsaw": "GPE",
    "Paris": "GPE",
    "PARIS": "GPE",
    "United States": "GPE",
    "France": "GPE",
    "Utopia": "GPE",
}
Q90, Q830149 = "Q90", "Q830149"  # Paris in France; Paris in Texas


def blank(**labels):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": name} for name, label in {**PATTERNS, **labels}.items()])
    return nlp


@pytest.fixture
def config(wikidata_file, tmp_path):
    return {"endpoint": str(wikidata_file), "cache": str(tmp_path / "facts.sqlite")}


@pytest.fixture
def nlp(config):
    made = blank()
    made.add_pipe("wikidata_linker", config=config)
    return made


def items(doc):
    return {ent.text: ent.kb_id_ for ent in doc.ents}


def unasked(names=None, **known):
    """A component that asks what is given here."""
    linker = WikidataLinker()
    linker._lookups, linker._process = Known(names or {}, **known), os.getpid()
    return linker


### What it finds


def test_entities_get_their_items(nlp):
    assert items(nlp("Marie Curie was born in Warsaw.")) == {"Marie Curie": "Q7186", "Warsaw": "Q270"}


def test_over_http_too(wikidata_url, config):
    nlp = blank()
    nlp.add_pipe("wikidata_linker", config={**config, "endpoint": wikidata_url})
    assert items(nlp("Pierre Curie")) == {"Pierre Curie": "Q37463"}


def test_what_no_item_is_called_stays_as_it_is(nlp):
    doc = nlp("Utopia")
    assert items(doc) == {"Utopia": ""}
    assert doc.ents[0]._.wikidata_link == LinkDecision("no candidates", reason="No item has this name.")


def test_relations_tell_which_item_is_meant(config):
    nlp = blank()
    nlp.add_pipe("wikidata_linker", config=config)
    doc = nlp.make_doc("Paris is a city. It lies in the United States.")
    with nlp.select_pipes(disable="wikidata_linker"):
        for _, pipe in nlp.pipeline:
            doc = pipe(doc)
    set_relations(doc, [Relation(doc.ents[0], doc.ents[1], "country", 0.9)])
    assert items(nlp.get_pipe("wikidata_linker")(doc))["Paris"] == Q830149


@pytest.mark.parametrize(
    ("text", "item"), [("Paris, United States.", Q830149), ("Paris. France.", Q90), ("Paris, France.", Q90)]
)
def test_the_other_entities_of_the_sentence_tell_too(nlp, text, item):
    assert items(nlp(text))["Paris"] == item


def test_one_name_is_one_item_in_a_doc(nlp):
    doc = nlp("Paris, United States. I like Paris. PARIS!")
    assert items(doc) == {"Paris": Q830149, "United States": "Q30", "PARIS": Q830149}


def with_clusters(text, places, clusters=()):
    """A Doc with places as entities, and clusters of places and pronouns."""
    doc = spacy.blank("en")(text)
    doc.ents = [Span(doc, start, end, label="GPE") for start, end in places]
    for number, cluster in enumerate(clusters, start=1):
        doc.spans[f"coref_clusters_{number}"] = [doc[start:end] for start, end in cluster]
    return doc


def test_all_names_of_an_entity_are_linked_by_the_most_telling_one():
    linker = unasked({"Paris": ["Q1", "Q2"], "Paris City": ["Q1"]})
    doc = linker(with_clusters("Paris or Paris City: it is old.", [(0, 1), (2, 4)], [[(0, 1), (2, 4), (5, 6)]]))
    assert items(doc) == {"Paris": "Q1", "Paris City": "Q1"}
    assert [token.ent_kb_id_ for token in doc[4:]] == ["", "", "", "", ""]
    assert doc._.entities[0].item == "Q1"
    assert doc[5:6]._.wikidata_link is None


def test_an_item_with_all_names_of_an_entity_is_meant():
    linker = unasked({"Paris City": ["Q1", "Q2"], "Paris": ["Q2", "Q3"]})
    doc = linker(with_clusters("Paris or Paris City: it is old.", [(0, 1), (2, 4)], [[(0, 1), (2, 4), (5, 6)]]))
    assert items(doc) == {"Paris": "Q2", "Paris City": "Q2"}


def test_the_relations_of_a_pronoun_tell_which_item_its_name_is():
    linker = unasked({"Paris": ["Q2", "Q3"], "Texas": ["Q1"]}, facts={("Q3", "P17", "Q1")})
    doc = with_clusters("Paris is old. It lies in Texas.", [(0, 1), (7, 8)], [[(0, 1), (4, 5)]])
    set_relations(doc, [Relation(doc[4:5], doc.ents[1], "country", 0.9)])
    assert items(linker(doc))["Paris"] == "Q3"


def test_names_that_are_told_apart_are_linked_apart():
    linker = unasked({"Paris": ["Q2", "Q3"], "Texas": ["Q1"]}, facts={("Q3", "P17", "Q1")})
    doc = with_clusters("Paris is old. Paris lies in Texas.", [(0, 1), (4, 5), (7, 8)], [[(0, 1)], [(4, 5)]])
    for token in doc:
        token.is_sent_start = token.i in (0, 4)
    set_relations(doc, [Relation(doc[4:5], doc.ents[2], "country", 0.9)])
    assert [ent.kb_id_ for ent in linker(doc).ents] == ["", "Q3", "Q1"]


def test_without_sentence_boundaries_the_doc_is_one_sentence(config):
    nlp = blank()
    nlp.remove_pipe("sentencizer")
    nlp.add_pipe("wikidata_linker", config=config)
    assert items(nlp("Paris. United States."))["Paris"] == Q830149


def test_statements_are_about_the_items(config):
    nlp = make_nlp()
    nlp.add_pipe("wikidata_linker", config=config)
    (found, *_) = statements(nlp("Marie Curie was born in Warsaw."), document_id="a")
    assert (found.subject, found.object) == (
        "http://www.wikidata.org/entity/Q7186",
        "http://www.wikidata.org/entity/Q270",
    )


def test_labels_and_offsets_of_entities_stay(nlp):
    text = "Marie Curie was born in Warsaw."
    with nlp.select_pipes(disable="wikidata_linker"):
        before = [(ent.start, ent.end, ent.label_) for ent in nlp(text).ents]
    assert [(ent.start, ent.end, ent.label_) for ent in nlp(text).ents] == before


### What others have set


class Sets:
    """A component of others, which sets something on every entity called Paris."""

    def __init__(self, how):
        self.how = how

    def __call__(self, doc):
        for ent in doc.ents:
            if ent.text == "Paris":
                self.how(doc, ent)
        return doc


def set_kb_id(doc, ent, *, item):
    for token in ent:
        token.ent_kb_id_ = item


def as_spacyfishing(doc, ent, *, item):
    if not Span.has_extension("kb_qid"):
        Span.set_extension("kb_qid", default=None)
    ent._.kb_qid = item


@pytest.fixture
def after(config):
    def make(how):
        nlp = blank()
        linker = WikidataLinker(**config)
        return lambda text: linker(Sets(how)(nlp(text)))

    yield make
    if Span.has_extension("kb_qid"):
        Span.remove_extension("kb_qid")


@pytest.mark.parametrize("how", [set_kb_id, as_spacyfishing])
def test_what_is_linked_already_is_kept(after, how):
    doc = after(partial(how, item="Q167646"))("Paris, France.")
    assert items(doc)["Paris"] == "Q167646"
    assert doc.ents[0]._.wikidata_link == LinkDecision("kept", "Q167646")


def test_spacyfishing_is_understood_where_its_extension_is_not_registered(config):
    doc = blank()("Paris")
    doc.user_data["._.", "kb_qid", 0, 5] = "Q167646"
    assert items(WikidataLinker(**config)(doc)) == {"Paris": "Q167646"}


def test_what_is_linked_already_tells_about_others(config):
    doc = blank()("Paris, United States.")
    set_kb_id(doc, doc.ents[1], item="Q142")  # which they are not
    assert items(WikidataLinker(**config)(doc))["Paris"] == Q90


def test_a_name_that_is_linked_once_is_linked_everywhere():
    doc = blank()("Paris. Paris. PARIS.")
    set_kb_id(doc, doc.ents[1], item="Q9")
    unasked({"Paris": ["Q3"]})(doc)
    assert [ent.kb_id_ for ent in doc.ents] == ["Q9", "Q9", "Q9"]


@pytest.mark.parametrize("item", ["NIL", ""])
def test_what_was_not_found_is_looked_for(after, item):
    assert items(after(partial(set_kb_id, item=item))("Paris, France."))["Paris"] == Q90


@pytest.mark.parametrize("item", [None, "nonsense", "", "P19", "Q0"])
def test_what_is_no_item_is_not_taken_from_spacyfishing(after, item):
    assert items(after(partial(as_spacyfishing, item=item))("Paris, France."))["Paris"] == Q90


def test_links_to_another_register_are_left_alone(after):
    doc = after(partial(set_kb_id, item="en:Paris"))("Paris, France.")
    assert items(doc) == {"Paris": "en:Paris", "France": "Q142"}
    assert doc.ents[0]._.wikidata_link is None


def test_where_a_name_is_linked_to_two_items_the_rest_is_linked_for_itself():
    doc = blank()("Paris. Paris. Paris.")
    for ent, item in zip(doc.ents, ["Q1", "Q2"], strict=False):
        set_kb_id(doc, ent, item=item)
    unasked({"Paris": ["Q3"]})(doc)
    assert [ent.kb_id_ for ent in doc.ents] == ["Q1", "Q2", "Q3"]


### What is kept


def test_the_decision_is_kept_with_its_candidates(nlp):
    (paris,) = nlp("Paris").ents
    decision = paris._.wikidata_link
    assert decision.outcome == "linked"
    assert [item for item, _ in decision.candidates] == [Q90, Q830149, "Q167646"]


def test_a_span_that_is_no_entity_has_no_decision(nlp):
    assert nlp("Paris is nice.")[1:2]._.wikidata_link is None
    assert nlp.make_doc("Paris")[:1]._.wikidata_link is None


def through_bytes(doc):
    return Doc(doc.vocab).from_bytes(doc.to_bytes())


def through_doc_bin(doc):
    return next(iter(DocBin(docs=[doc], store_user_data=True).get_docs(doc.vocab)))


@pytest.mark.parametrize(
    "stored", [through_bytes, through_doc_bin, Doc.copy, lambda doc: pickle.loads(pickle.dumps(doc))]
)
def test_decisions_survive_storing(nlp, stored):
    doc = nlp("Paris, France. Utopia.")
    again = stored(doc)
    assert items(again) == items(doc)
    assert [ent._.wikidata_link for ent in again.ents] == [ent._.wikidata_link for ent in doc.ents]


def test_a_doc_of_a_span_has_the_decisions_about_its_entities(nlp):
    doc = nlp("Utopia. Paris, France. Warsaw and Utopia.")
    part = doc[2:].as_doc(copy_user_data=True)
    assert [ent.text for ent in part.ents] == ["Paris", "France", "Warsaw", "Utopia"]
    assert [ent._.wikidata_link for ent in part.ents] == [ent._.wikidata_link for ent in doc.ents[1:]]
    again = through_doc_bin(through_bytes(part[4:].as_doc(copy_user_data=True)))
    assert [ent._.wikidata_link for ent in again.ents] == [ent._.wikidata_link for ent in doc.ents[3:]]


def test_other_words_at_the_same_place_have_no_decision(nlp):
    doc = nlp("Paris and Warsaw.")
    part = doc[2:].as_doc(copy_user_data=True)  # "Warsaw." begins where "Paris" began
    assert part[:1].text == "Warsaw"
    assert part[:1]._.wikidata_link == doc.ents[1]._.wikidata_link
    other = nlp.make_doc("Texas and Warsaw.")
    other.user_data.update(doc.user_data)
    assert other[:1]._.wikidata_link is None


def test_a_doc_of_a_span_can_be_linked_again(nlp):
    part = nlp("Utopia. Paris.")[2:].as_doc(copy_user_data=True)
    part[0].ent_kb_id_ = ""
    again = nlp.get_pipe("wikidata_linker")(part)
    assert again.ents[0]._.wikidata_link.outcome == "linked"


def test_decisions_that_were_stored_without_checksums_are_read(nlp):
    doc = nlp("Paris, France.")
    decisions = [ent._.wikidata_link for ent in doc.ents]
    for key in [key for key in doc.user_data if key != "kgmrca.links"]:
        del doc.user_data[key]
    assert [ent._.wikidata_link for ent in doc.ents] == decisions


def test_a_failed_look_up_is_no_answer():
    doc = unasked({"Paris": ["Q1"]}, failing={("candidates", "Paris")})(blank()("Paris. Warsaw."))
    assert items(doc) == {"Paris": "", "Warsaw": ""}
    assert [ent._.wikidata_link.outcome for ent in doc.ents] == ["not looked up", "no candidates"]
    assert doc.ents[0]._.wikidata_link.reason == "timed out"


### As part of a pipeline


def test_many_docs_are_asked_about_together():
    linker = unasked({"Paris": ["Q1"]})
    docs = list(linker.pipe(blank().pipe(["Paris.", "Warsaw.", "Paris, France."] * 10), batch_size=30))
    assert [doc.ents[0].kb_id_ for doc in docs] == ["Q1", "", "Q1"] * 10
    assert len(linker.lookups.asked) == 4


def test_the_configured_batch_size_counts():
    linker = unasked()
    linker.batch_size = 2
    list(linker.pipe(blank().pipe(["Paris"] * 4), batch_size=30))
    assert len(linker.lookups.asked) == 8


def test_pipe_gives_what_single_calls_give(nlp):
    texts = ["Paris, United States.", "Paris.", "", "Marie Curie and Pierre Curie, Paris, France.", "Nothing here."]
    together = [[(ent.text, ent.kb_id_, ent._.wikidata_link) for ent in doc.ents] for doc in nlp.pipe(texts)]
    assert together == [[(ent.text, ent.kb_id_, ent._.wikidata_link) for ent in nlp(text).ents] for text in texts]


def test_two_processes_give_the_same(nlp):
    texts = ["Paris, United States.", "Marie Curie.", "Utopia."]
    expected = [items(nlp(text)) for text in texts]
    docs = list(nlp.pipe(texts, n_process=2, batch_size=1))
    assert [items(doc) for doc in docs] == expected
    assert docs[0].ents[0]._.wikidata_link.outcome == "linked"


def test_each_process_opens_the_endpoint_for_itself(nlp, monkeypatch):
    linker = nlp.get_pipe("wikidata_linker")
    first = linker.lookups
    assert linker.lookups is first
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert linker.lookups is not first


def test_it_can_be_pickled_after_it_has_asked(nlp):
    nlp("Paris")
    linker = pickle.loads(pickle.dumps(nlp.get_pipe("wikidata_linker")))
    assert items(linker(blank()("Paris"))) == {"Paris": Q90}


def test_a_pipeline_on_disk_keeps_its_settings(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    again = spacy.load(tmp_path / "pipeline")
    assert again.get_pipe("wikidata_linker").endpoint == nlp.get_pipe("wikidata_linker").endpoint
    assert items(again("Paris, France.")) == items(nlp("Paris, France."))


def test_a_pipeline_in_bytes_keeps_its_settings(nlp):
    again = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    linker = again.get_pipe("wikidata_linker")  # spaCy's entity_ruler loses its patterns on this way
    assert items(linker(blank()("Paris, France."))) == {"Paris": Q90, "France": "Q142"}


def test_languages_and_limits_are_settings(config):
    nlp = blank(**{"Warszawa": "GPE"})
    linker = nlp.add_pipe("wikidata_linker", config={**config, "languages": ["pl"], "min_probability": 0.99})
    doc = nlp("Warszawa. Warsaw.")
    assert [ent._.wikidata_link.outcome for ent in doc.ents] == ["linked", "no candidates"]
    linker.min_probability = 1.0
    assert nlp("Warszawa").ents[0]._.wikidata_link.outcome == "abstained"


def test_offline_no_query_is_sent(config):
    linker = WikidataLinker(**config, offline=True)
    doc = linker(blank()("Paris"))
    assert doc.ents[0]._.wikidata_link.outcome == "not looked up"
    assert linker.lookups.endpoint.queries == 0


def test_without_a_cache_on_disk(config, tmp_path):
    assert items(WikidataLinker(**{**config, "cache": ":memory:"})(blank()("Paris"))) == {"Paris": Q90}
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_opened_before_it_is_asked():
    assert WikidataLinker(endpoint="there is no such file").endpoint


@pytest.mark.parametrize("endpoint", ["wikidata", "there is no such file"])
def test_an_endpoint_that_cannot_be_opened_is_nothing_of_the_documents(endpoint):
    with pytest.raises(ModelError, match="cannot ask"):
        WikidataLinker(endpoint=endpoint)(blank()("Paris"))


@pytest.mark.parametrize("setting", [{"min_probability": 1.5}, {"margin": -0.1}, {"languages": []}])
def test_settings_that_cannot_be(setting):
    with pytest.raises(InputError):
        WikidataLinker(**setting)


def test_another_packages_extension_is_not_overwritten():
    ours = Span.remove_extension("wikidata_link")
    Span.set_extension("wikidata_link", default=None)
    try:
        with pytest.raises(ExtensionError, match="wikidata_link"):
            WikidataLinker()
    finally:
        Span.remove_extension("wikidata_link")
        register_extension()
    assert Span.get_extension("wikidata_link") == ours


### Threads


def test_threads_get_the_links_of_one_thread(config, wikidata_url):
    texts = ["Marie Curie was born in Warsaw.", "Paris, United States.", "Paris, France.", "Pierre Curie. Utopia."]
    nlp = blank()
    nlp.add_pipe("wikidata_linker", config={**config, "endpoint": wikidata_url})
    expected = [items(doc) for doc in nlp.pipe(texts)]
    nlp.get_pipe("wikidata_linker").cache = ":memory:"
    nlp.get_pipe("wikidata_linker")._process = 0  # nothing is opened, nothing is known
    barrier = threading.Barrier(4)

    def run(number):
        barrier.wait()
        return [items(nlp(text)) for text in texts[number:] + texts[:number]]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(4)))
    assert found == [expected[number:] + expected[:number] for number in range(4)]


def test_threads_open_the_endpoint_once(config, monkeypatch):
    opened = []
    monkeypatch.setattr("kgmrca.wikidata.sparql._rdf_files", lambda path: opened.append(path) or [path])
    linker = WikidataLinker(**config)
    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: barrier.wait() * 0 or linker.lookups, range(4)))
    assert all(one is found[0] for one in found)
    assert len(opened) == 1


def test_the_former_name_of_a_setting_is_read(config):
    nlp = blank()
    assert nlp.add_pipe("wikidata_linker", config={**config, "least": 0.8}).min_probability == 0.8
    assert nlp.add_pipe("wikidata_linker", name="other", config=config).min_probability == 0.65
