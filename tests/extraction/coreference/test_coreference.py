"""`coreference`: who is who, as a component of spaCy."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
import torch
from safetensors import safe_open
from spacy.tokens import Span
from spacy.util import fix_random_seed

from kgmrca.entities import get_entities
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.encoder.shared import DocStates, SharedReader, read_states

SIZES = {"mention_width": 16, "pair_width": 16}
NAMES = {
    "PERSON": ["Marie Curie", "Pierre Curie", "Curie", "Ann Lee", "Bob Stone", "Lee"],
    "ORG": ["World Health Organization", "WHO", "Acme"],
    "GPE": ["Paris", "Oslo"],
}
TEXT = (
    "Ann Lee was born in Oslo. She works for the World Health Organization (WHO). It sent her to Paris, where Lee met "
    "Bob Stone. He gave her his book. They left Oslo because it was small."
)


def make_pipeline(**config):
    """Without trained weights, unless others are named."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": label, "pattern": [{"ORTH": word} for word in name.split()]}
            for label, names in NAMES.items()
            for name in names
        ]
    )
    nlp.add_pipe("coreference", config={"pretrained": None} | config)
    return nlp


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def nlp():
    """With an untrained ranker that always chooses something."""
    nlp = make_pipeline()
    fix_random_seed(0)
    nlp.get_pipe("coreference").build(threshold=0.0, **SIZES)
    return nlp


def found(doc):
    """The clusters as texts; white space does not count."""
    groups = [doc.spans[key] for key in sorted(doc.spans, key=lambda key: int(key.rpartition("_")[2]))]
    return [[" ".join(span.text.split()) for span in group] for group in groups]


def words(doc):
    """The clusters by the numbers of words that can be seen."""
    place = {}
    for token in doc:
        if token.text.strip(" \n\u00a0\u200b\u2009"):
            place[token.i] = len(place)
    return [
        [[place[token.i] for token in span if token.i in place] for span in doc.spans[key]] for key in sorted(doc.spans)
    ]


def test_without_a_ranker_names_are_put_together():
    doc = make_pipeline()(TEXT)
    assert found(doc) == [["Ann Lee", "Lee"], ["Oslo", "Oslo"], ["World Health Organization", "WHO"]]
    assert [(span.label_, span.start) for span in doc.spans["coref_clusters_1"]] == [("PERSON", 0), ("PERSON", 25)]
    assert not make_pipeline().get_pipe("coreference").has_ranker


def test_two_who_share_a_name_are_not_put_together():
    assert found(make_pipeline()("Ann Lee met Marie Curie and Pierre Curie. Curie laughed.")) == []


def test_of_two_who_share_a_name_the_first_person_of_the_text_is_meant():
    assert found(make_pipeline()("Marie Curie met Pierre Curie. Curie laughed.")) == [["Marie Curie", "Curie"]]


def test_the_place_and_the_words_of_a_name_count():
    nlp = spacy.blank("en")
    people = ["John Adams", "John Quincy Adams", "Abigail Adams", "Mrs. Adams", "Adams"]
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": name} for name in people])
    nlp.add_pipe("coreference", config={"pretrained": None})
    doc = nlp("John Adams and his wife Abigail Adams left. John Quincy Adams, his son, left. Mrs. Adams met Adams.")
    assert found(doc) == [["John Adams", "Adams"], ["Abigail Adams", "Mrs. Adams"]]
    assert found(nlp("John Quincy Adams left. John Adams stayed.")) == [["John Quincy Adams", "John Adams"]]
    assert found(nlp("John Quincy Adams met John Adams.")) == []


def test_archaic_pronouns_are_no_names():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Thou"}])
    nlp.add_pipe("coreference", config={"pretrained": None})
    assert found(nlp("Thou art fair. Thou art young.")) == []


def test_nothing_comes_of_nothing(nlp):
    assert [found(nlp(text)) for text in ("", " \n", "She laughed.", "Ann Lee laughed.")] == [[], [], [], []]


def test_a_ranker_gives_names_to_pronouns(nlp):
    doc = nlp(TEXT)
    mentions = [span.text for key in doc.spans for span in doc.spans[key]]
    assert {"It", "They", "it"} <= set(mentions)
    assert {"She", "her", "He", "his"} & set(mentions)
    assert len(mentions) == len({(span.start, span.end) for key in doc.spans for span in doc.spans[key]})
    assert all(any(span in doc.ents for span in doc.spans[key]) for key in doc.spans)


def test_what_is_not_sure_is_left_alone(nlp):
    pipe = nlp.get_pipe("coreference")
    pipe.threshold = 1.0
    try:
        assert found(nlp(TEXT)) == found(make_pipeline()(TEXT))
    finally:
        pipe.threshold = None
    assert pipe.threshold == 0.0


def test_nobody_is_both_he_and_she(nlp):
    pipe = nlp.get_pipe("coreference")
    guesses = [{0: 0.9}, {0: 0.4}, {1: 0.4}, {0: 0.2}]
    assert pipe._chosen([3, 5, 7, 9], ["he", "she", "she", "it"], guesses) == {3: 0, 7: 1, 9: 0}


def test_a_threshold_is_a_probability():
    with pytest.raises(InputError, match="threshold"):
        make_pipeline(threshold=1.5)


@pytest.mark.parametrize("value", ["x", True, [0.5], -0.1, float("nan")])
def test_another_threshold_is_refused(nlp, value):
    pipe = nlp.get_pipe("coreference")
    before = pipe.threshold
    with pytest.raises(InputError, match="The threshold is a number from 0 to 1, or None for the stored one, not "):
        pipe.threshold = value
    assert pipe.threshold == before


def test_times_and_numbers_are_no_candidates(nlp):
    doc = nlp.make_doc("In 1990 it rained.")
    doc.ents = [doc.char_span(3, 7, label="DATE")]
    assert found(nlp(doc)) == []


# Different items.


def test_different_items_are_never_one_entity(nlp):
    doc = nlp.make_doc("Curie met Curie. She laughed at her. She left.")
    doc.ents = [doc.char_span(0, 5, label="PERSON", kb_id="Q1"), doc.char_span(10, 15, label="PERSON", kb_id="Q2")]
    nlp(doc)
    for key in doc.spans:
        assert len({span.kb_id_ for span in doc.spans[key]} - {""}) == 1


def test_one_item_is_one_entity(nlp):
    doc = make_pipeline().make_doc("Mumbai was called Bombay.")
    doc.ents = [doc.char_span(0, 6, label="GPE", kb_id="Q3"), doc.char_span(18, 24, label="GPE", kb_id="Q3")]
    assert found(make_pipeline()(doc)) == [["Mumbai", "Bombay"]]


# Clusters of others.


def test_clusters_of_others_are_kept():
    nlp = make_pipeline()
    doc = nlp.make_doc("Ann Lee met Bob Stone. The boss hired him. Lee left with the man.")
    doc.spans["coref_clusters_1"] = [doc[3:5], doc[9:10]]
    doc.spans["coref_clusters_1"].append(doc[14:16])
    doc.spans["coref_clusters_2"] = [doc[0:2], doc[6:8]]
    assert found(nlp(doc)) == [["Ann Lee", "The boss", "Lee"], ["Bob Stone", "him", "the man"]]


def test_names_that_others_keep_apart_stay_apart():
    nlp = make_pipeline()
    doc = nlp.make_doc("Marie Curie left. She laughed. Curie stayed. She sang. Curie slept.")
    doc.spans["coref_clusters_1"] = [doc[0:2], doc[4:5]]
    doc.spans["coref_clusters_2"] = [doc[7:8], doc[10:11]]
    assert found(nlp(doc)) == [["Marie Curie", "She"], ["Curie", "She", "Curie"]]


def test_clusters_of_others_without_a_name_are_kept(nlp):
    doc = nlp.make_doc("Ann Lee knows the man who says that he sings.")
    doc.spans["coref_clusters_1"] = [doc[3:5], doc[8:9]]
    assert ["the man", "he"] in found(nlp(doc))


def test_a_cluster_of_others_with_two_items_is_parted():
    nlp = make_pipeline()
    doc = nlp.make_doc("Mumbai is large. It grows. Oslo is small. It is cold.")
    doc.ents = [doc.char_span(0, 6, label="GPE", kb_id="Q1"), doc.char_span(27, 31, label="GPE", kb_id="Q2")]
    doc.spans["coref_clusters_1"] = [doc[0:1], doc[4:5], doc[7:8], doc[11:12]]
    nlp(doc)
    assert [[span.start for span in doc.spans[key]] for key in doc.spans] == [[0, 4], [7, 11]]


def test_asking_again_changes_nothing(nlp):
    doc = nlp(TEXT)
    once = words(doc)
    assert words(nlp.get_pipe("coreference")(doc)) == once


# The same answer whatever the form.

WHITE = {
    "double spaces": lambda text: text.replace(" ", "  "),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "lines": lambda text: text.replace(" ", "\n"),
    "wrapped and indented": lambda text: text.replace(" ", "\n    "),
    "thin spaces": lambda text: text.replace(" ", "\u2009"),
    "zero-width spaces": lambda text: text.replace(" ", " \u200b "),
    "blank start and end": lambda text: "\n\n " + text + " \n",
}


@pytest.mark.parametrize("change", WHITE.values(), ids=WHITE)
def test_white_space_changes_nothing(nlp, change):
    pipe = nlp.get_pipe("coreference")
    plain, other = nlp(TEXT), nlp.make_doc(change(TEXT))
    seen = [token.i for token in other if token.text.strip(" \n\u00a0\u200b\u2009")]
    assert [other[number].text for number in seen] == [token.text for token in plain]
    other.ents = [
        spacy.tokens.Span(other, seen[span.start], seen[span.end - 1] + 1, span.label_) for span in plain.ents
    ]
    assert words(pipe(other)) == words(plain)


def test_any_batching_gives_the_same(nlp):
    sentences = TEXT.split(". ")
    texts = [". ".join(sentences[:number]) for number in range(len(sentences))] + ["", "\n"]
    alone = [words(nlp(text)) for text in texts]
    for size in (1, 3, 100):
        assert [words(doc) for doc in nlp.pipe(texts, batch_size=size)] == alone


def test_threads_give_the_same(nlp):
    texts = [f"{TEXT} {number}" for number in range(40)]
    alone = [words(nlp(text)) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: words(nlp(text)), texts)) == alone


def test_of_a_long_text_only_the_states_of_mentions_are_taken(nlp, monkeypatch):
    taken = []
    rows = DocStates.rows
    monkeypatch.setattr(DocStates, "rows", lambda known, wanted: taken.append(len(wanted)) or rows(known, wanted))
    doc = nlp(" ".join([TEXT] * 300))
    assert len(doc) > 12_000
    assert sum(taken) < 12_000
    assert sum(len(doc.spans[key]) for key in doc.spans) > 2_000


def test_a_doc_that_another_component_has_read_is_not_read_again(nlp, monkeypatch):
    pipe = nlp.get_pipe("coreference")
    doc = nlp.make_doc("Ann Lee laughed. She left.")
    doc.ents = [doc.char_span(0, 7, label="PERSON")]
    read_states([doc], pipe.reader)
    monkeypatch.setattr(SharedReader, "read", None)
    assert found(pipe(doc)) == [["Ann Lee", "She"]]


# Storing.


def test_a_stored_one_is_the_same(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert words(loaded(TEXT)) == words(nlp(TEXT))
    assert loaded.get_pipe("coreference").threshold == 0.0
    with safe_open(tmp_path / "coreference" / "model.safetensors", "np") as weights:
        assert "score.weight" in weights.keys()  # noqa: SIM118


def test_bytes_and_pickles_are_the_same(nlp):
    assert words(make_pipeline().from_bytes(nlp.to_bytes())(TEXT)) == words(nlp(TEXT))
    assert words(pickle.loads(pickle.dumps(nlp))(TEXT)) == words(nlp(TEXT))


def test_one_without_a_ranker_is_stored_as_such(tmp_path):
    make_pipeline().to_disk(tmp_path)
    assert not (tmp_path / "coreference" / "model.safetensors").exists()
    loaded = spacy.load(tmp_path)
    assert not loaded.get_pipe("coreference").has_ranker
    assert words(loaded(TEXT)) == words(make_pipeline()(TEXT))


def test_another_threshold_than_the_stored(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path, config={"components": {"coreference": {"threshold": 1.0}}})
    assert words(loaded(TEXT)) == words(make_pipeline()(TEXT))


def test_weights_that_do_not_fit_are_refused(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    (tmp_path / "coreference" / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ModelError, match="do not fit"):
        spacy.load(tmp_path)


def test_another_reader_is_refused(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    cfg = tmp_path / "coreference" / "cfg"
    cfg.write_text(cfg.read_text().replace('"digest": "', '"digest": "x'))
    with pytest.raises(ModelError, match=r"'coreference' cannot be used.*another reader"):
        spacy.load(tmp_path)


# The weights that ship.


def test_equal_names_that_are_kept_apart_are_entities_of_their_own():
    doc = spacy.blank("en")("Ferrari was founded by Enzo Ferrari. Ferrari died in Modena.")
    doc.set_ents([Span(doc, 0, 1, "PER"), Span(doc, 4, 6, "PER"), Span(doc, 7, 8, "PER")])
    doc = make_pipeline(pretrained=None).get_pipe("coreference")(doc)
    assert [[mention.start for mention in entity.mentions] for entity in get_entities(doc)] == [[0], [4, 7]]


def test_an_equal_name_without_an_item_is_neither_of_two_items():
    doc = spacy.blank("en")("Paris , Paris and Paris .")
    items = ["Q90", "Q830149", ""]
    doc.set_ents([Span(doc, 2 * number, 2 * number + 1, "LOC", kb_id=item) for number, item in enumerate(items)])
    assert [entity.item for entity in get_entities(doc)] == ["Q90", "Q830149", None]
    doc = make_pipeline(pretrained=None).get_pipe("coreference")(doc)
    assert [entity.item for entity in get_entities(doc)] == ["Q90", "Q830149", None]


@pytest.fixture(scope="module")
def shipped():
    return make_pipeline(pretrained="coreference_en_sm")


def test_the_weights_that_ship_are_the_default():
    pipe = spacy.blank("en").add_pipe("coreference")
    assert pipe.has_ranker
    assert pipe.threshold == 0.3


def test_the_weights_that_ship_give_names_to_pronouns(shipped):
    assert found(shipped("Ann Lee was born in Oslo. She met Bob Stone. He liked Lee.")) == [
        ["Ann Lee", "She", "Lee"],
        ["Bob Stone", "He"],
    ]


def test_the_weights_that_ship_tell_who_acts_from_where(shipped):
    text = "Bob Stone was born in Oslo in 1950. He joined Acme in 1970. It sent him to Paris."
    assert found(shipped(text)) == [["Bob Stone", "He", "him"], ["Acme", "It"]]


@pytest.mark.parametrize(
    ("text", "pronoun", "name"),
    [
        ("The Acme opened in Oslo. It rained all day.", "It", None),
        ("Acme grew. The film was a success. It won three prizes.", "It", None),
        ("Acme was founded in 1976. WHO was founded in 1975. It grew in 1985.", "It", "WHO"),
        ("Pierre Curie left. In her youth, Marie Curie sang.", "her", "Marie Curie"),
        ("Bob Stone won.\n\nActor sells his house\n\nAnn Lee loses her seat", "his", None),
        ("Bob Stone won.\n\nAnn Lee loses her seat", "her", "Ann Lee"),
        ("Ann Lee met Marie Curie, her sister, in Oslo.", "her", "Ann Lee"),
    ],
)
def test_what_the_words_around_a_pronoun_say(shipped, text, pronoun, name):
    given = [
        cluster[0] if cluster[0] != pronoun else cluster[1] for cluster in found(shipped(text)) if pronoun in cluster
    ]
    assert given == ([name] if name else [])


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("Anna Berg was married to Carl Dahl. He died in Paris.", [["Carl Dahl", "He"]]),
        ("Bill Clinton met Hillary Clinton. She was born in Chicago.", [["Hillary Clinton", "She"]]),
        ("Anna Berg was tired. He died in Paris.", []),
        ("Anna Berg was tired. She died in Paris.", [["Anna Berg", "She"]]),
    ],
)
def test_a_first_name_rules_out_the_other_gender(shipped, text, clusters):
    doc = shipped.make_doc(text)
    names = ("Anna Berg", "Carl Dahl", "Bill Clinton", "Hillary Clinton")
    found = [doc.char_span(text.find(name), text.find(name) + len(name), "PER") for name in names if name in text]
    doc.set_ents(found)
    doc = shipped.get_pipe("coreference")(doc)
    assert [[mention.text for mention in group] for group in doc.spans.values()] == clusters


def test_initializing_keeps_the_weights_that_ship():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("coreference")
    before = pipe.to_bytes()
    nlp.initialize()
    assert pipe.to_bytes() == before


def test_a_stored_one_needs_the_weights_that_ship_no_more(shipped, tmp_path):
    shipped.to_disk(tmp_path)
    loaded = spacy.load(tmp_path, config={"components": {"coreference": {"pretrained": None}}})
    assert loaded.get_pipe("coreference").has_ranker
    assert words(loaded(TEXT)) == words(shipped(TEXT))


def test_how_many_mentions_are_read_at_once_changes_nothing(monkeypatch):
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_entities")
    pipe = nlp.add_pipe("coreference")
    texts = ["Ann Lee was born in Oslo. She met Bob Ray there, and he left her.", "Eve Orr sang. Her song was long."]
    docs = list(nlp.pipe(texts))
    found = pipe.predict(docs)
    assert all(found)
    monkeypatch.setattr("kgmrca.extraction.coreference.ranker._MOST_MENTIONS", 3)
    assert pipe.predict(docs) == found
