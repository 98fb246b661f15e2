"""`mrca_entities`: the recognizer as a component of spaCy."""

import pickle
import re
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import spacy
import srsly
import torch
from safetensors import safe_open
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import fix_random_seed
from thinc.api import Adam

from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.encoder.shared import write_reader
from kgmrca.resources import ENTITIES

MODEL = {"hidden_width": 24, "rows": 500, "feature_width": 16, "tag_width": 16, "dropout": 0.0}

PEOPLE = ["Ann Lee", "Bob Stone", "Marie Curie", "Ada Lovelace", "Tom", "Ida Wells", "Li Wei", "Kofi Annan"]
PLACES = ["Oslo", "New York", "Rome", "Cape Town", "Lima"]
FRAMES = ["{} was born in {}.", "In {1} we met {0}, who lives there.", "{} left {} in spring.", "To {1} came {0}."]
SENTENCES = [
    frame.format(PEOPLE[number % len(PEOPLE)], PLACES[number % len(PLACES)]) for number, frame in enumerate(5 * FRAMES)
]


def spans(text):
    names = [(name, "PER") for name in PEOPLE] + [(name, "LOC") for name in PLACES]
    return sorted((found.start(), found.end(), label) for name, label in names for found in re.finditer(name, text))


def make_pipeline(**config):
    nlp = spacy.blank("en")
    model = {"@architectures": "kgmrca.EntityTagger.v1", **MODEL}
    nlp.add_pipe("mrca_entities", config={"model": model, "pretrained": None, "reader": None, **config})
    return nlp


def examples(nlp, texts=SENTENCES):
    return [Example.from_dict(nlp.make_doc(text), {"entities": spans(text)}) for text in texts]


@pytest.fixture(scope="module")
def nlp():
    nlp = make_pipeline()
    data = examples(nlp)
    fix_random_seed(0)
    nlp.initialize(lambda: data)
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(40):
        nlp.update(data, sgd=optimizer)
    return nlp


@pytest.fixture
def pipe(nlp):
    return nlp.get_pipe("mrca_entities")


def found(doc):
    return [(span.start_char, span.end_char, span.label_) for span in doc.ents]


def names(doc):
    return [(" ".join(span.text.split()), span.label_) for span in doc.ents]


def test_it_learns_twenty_sentences(nlp):
    assert len(SENTENCES) == 20
    assert [found(doc) for doc in nlp.pipe(SENTENCES)] == [spans(text) for text in SENTENCES]
    assert nlp.get_pipe("mrca_entities").labels == ("LOC", "PER")


def test_scores_are_those_of_spacy(nlp):
    scores = nlp.evaluate(examples(nlp))
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == (1, 1, 1)


def test_a_stored_one_is_the_same(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    text = " ".join(SENTENCES)
    loaded = spacy.load(tmp_path)
    assert found(loaded(text)) == found(nlp(text))
    assert loaded.get_pipe("mrca_entities").labels == nlp.get_pipe("mrca_entities").labels
    with safe_open(tmp_path / "mrca_entities" / "model.safetensors", "np") as weights:
        assert "head.tags.weight" in weights.keys()  # noqa: SIM118


def test_bytes_and_pickles_are_the_same(nlp):
    text = " ".join(SENTENCES)
    assert found(make_pipeline().from_bytes(nlp.to_bytes())(text)) == found(nlp(text))
    assert found(pickle.loads(pickle.dumps(nlp))(text)) == found(nlp(text))


def test_an_untrained_one_is_stored_and_says_so(tmp_path):
    make_pipeline().to_disk(tmp_path)
    with pytest.raises(ModelError, match="no weights yet"):
        spacy.load(tmp_path)("Ann")


def test_weights_that_do_not_fit_are_refused(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    other = make_pipeline(model={"@architectures": "kgmrca.EntityTagger.v1", **MODEL, "hidden_width": 8})
    with pytest.raises(ModelError, match="do not fit"):
        other.from_disk(tmp_path)


def test_without_entities_there_is_nothing_to_learn():
    nlp = make_pipeline()
    with pytest.raises(ModelError, match="no entity"):
        nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("It rains."), {"entities": []})])


def test_any_batching_gives_the_same(nlp):
    texts = [" ".join(SENTENCES[:number]) for number in range(len(SENTENCES))] + ["", "\n"]
    alone = [found(nlp(text)) for text in texts]
    for size in (1, 3, 100):
        assert [found(doc) for doc in nlp.pipe(texts, batch_size=size)] == alone


def test_a_long_text_is_read_in_windows(nlp, pipe, monkeypatch):
    monkeypatch.setattr(pipe, "max_tokens", 10)
    text = " ".join(SENTENCES)
    assert found(nlp(text)) == spans(text)
    monkeypatch.setattr(pipe, "max_tokens", 1)
    nlp(text)


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
    text = " ".join(SENTENCES)
    doc = nlp(change(text))
    assert [(name.replace(" \u200b ", " "), label) for name, label in names(doc)] == names(nlp(text))
    assert not any(span[0].is_space or span[-1].is_space for span in doc.ents)


def test_sentence_boundaries_change_nothing(nlp):
    doc = nlp.make_doc(SENTENCES[0])
    for token in doc:
        token.is_sent_start = True
    assert found(nlp(doc)) == spans(SENTENCES[0])


def test_soft_hyphens_change_nothing(nlp):
    doc = nlp(SENTENCES[2].replace("Marie", "Ma\u00adrie"))
    assert names(doc) == [("Ma\u00adrie Curie", "PER"), ("Rome", "LOC")]


def test_entities_that_are_there_stay(nlp):
    doc = nlp.make_doc("Ann Lee was born in Oslo.")
    doc.ents = [Span(doc, 1, 2, "NAME")]
    assert names(nlp(doc)) == [("Lee", "NAME"), ("Oslo", "LOC")]


def test_threads_give_the_same(nlp):
    texts = [f"{one} {other}" for one in SENTENCES for other in SENTENCES[:5]]
    alone = [found(nlp(text)) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: found(nlp(text)), texts)) == alone


def test_what_is_not_known_is_not_learned(nlp, pipe):
    doc = nlp.make_doc("Ann Lee slept.")
    reference = Doc(nlp.vocab, words=["Ann", "Lee", "slept", "."])
    reference.set_ents([Span(reference, 0, 2, "PER")], default="missing")
    allowed = pipe._allowed([Example(doc, reference)])
    assert allowed.sum(1).tolist() == [1, 1, 9, 9]
    scores = np.random.default_rng(0).normal(size=allowed.shape).astype(np.float32)
    _, gradient = pipe.get_loss([Example(doc, reference)], scores)
    assert np.abs(gradient[:2]).max() > 0.01
    assert np.abs(gradient[2:]).max() < 1e-6


def test_schemes():
    nlp = make_pipeline()
    pipe = nlp.get_pipe("mrca_entities")
    fix_random_seed(0)
    pipe.build(["PER", "LOC"], schemes=["one", "other"], scheme="one")
    doc = [nlp.make_doc("Ann Lee was born in Oslo.")]
    answers = {}
    for scheme in ("", "one", "other"):
        pipe.scheme = scheme
        answers[scheme] = pipe.predict(doc)
    assert len(set(map(str, answers.values()))) > 1
    pipe.scheme = None
    assert pipe.scheme == "one"
    with pytest.raises(InputError, match="knows no scheme 'third', but: one, other"):
        pipe.scheme = "third"
    with pytest.raises(InputError, match="knows no scheme 'third'"):
        make_pipeline(scheme="third").get_pipe("mrca_entities").build(["PER"], schemes=["one"])


def test_a_window_of_no_tokens_is_refused():
    with pytest.raises(InputError, match="max_tokens"):
        make_pipeline(max_tokens=0)


def test_docs_without_words_teach_nothing(nlp, pipe):
    losses = pipe.update([Example.from_dict(nlp.make_doc(" \n"), {"entities": []})])
    assert losses == {"mrca_entities": 0.0}


# The weights that ship.


@pytest.fixture(scope="module")
def shipped():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_entities")
    return nlp


def test_the_shipped_weights_find_names(shipped):
    doc = shipped("Ada Lovelace moved to London in 1835, and Siemens opened a plant near Lagos.")
    assert names(doc) == [
        ("Ada Lovelace", "PER"),
        ("London", "LOC"),
        ("1835", "TIME"),
        ("Siemens", "ORG"),
        ("Lagos", "LOC"),
    ]


def test_the_shipped_weights_are_read_by_name_and_survive_storing(shipped, tmp_path):
    shipped.to_disk(tmp_path)
    text = "Ada Lovelace moved to London."
    assert found(spacy.load(tmp_path)(text)) == found(shipped(text))
    assert shipped.get_pipe_config("mrca_entities")["pretrained"] == ENTITIES


def test_without_pretrained_it_is_fresh():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("mrca_entities", config={"pretrained": None})
    assert not pipe.is_built
    assert pipe.labels == ()
    with pytest.raises(ModelError, match=f'"pretrained": "{ENTITIES}"'):
        nlp("Ann")


# Weights that came with the component.


def test_shipped_weights_survive_initialising():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("mrca_entities")
    weights = pipe.to_bytes()
    nlp.initialize()
    assert pipe.to_bytes() == weights
    nlp.initialize(lambda: examples(nlp))
    assert pipe.to_bytes() == weights


def loaded(nlp):
    """The component in a pipeline of its own, its weights read from bytes."""
    return make_pipeline().from_bytes(nlp.to_bytes())


def test_loaded_and_sourced_weights_survive_initialising(nlp):
    other = spacy.blank("en")
    other.add_pipe("mrca_entities", source=loaded(nlp))
    other.initialize()
    assert [found(doc) for doc in other.pipe(SENTENCES)] == [spans(text) for text in SENTENCES]


def test_types_that_loaded_weights_do_not_have_are_refused(nlp):
    other = loaded(nlp)
    pipe = other.get_pipe("mrca_entities")
    weights = pipe.to_bytes()
    message = r"weights for LOC, PER.*other types \(SHIP\).*\"pretrained\": None"
    with pytest.raises(ModelError, match=message):
        pipe.initialize(lambda: [Example.from_dict(other.make_doc("Ark"), {"entities": [(0, 3, "SHIP")]})])
    with pytest.raises(ModelError, match=message):
        pipe.initialize(lambda: examples(other), labels=["SHIP"])
    assert pipe.to_bytes() == weights


def test_loaded_weights_learn_on(nlp):
    other = loaded(nlp)
    pipe = other.get_pipe("mrca_entities")
    weights = pipe.to_bytes()
    data = examples(other)
    other.initialize(lambda: data)
    other.update(data, sgd=Adam(0.01))
    assert pipe.to_bytes() != weights


def test_initialising_again_makes_a_fresh_network():
    nlp = make_pipeline()
    nlp.initialize(lambda: examples(nlp))
    ark = [Example.from_dict(nlp.make_doc("Ark"), {"entities": [(0, 3, "SHIP")]})]
    nlp.initialize(lambda: ark)
    assert nlp.get_pipe("mrca_entities").labels == ("SHIP",)


def test_spacy_trains_it_from_scratch(tmp_path):
    nlp = make_pipeline()
    path = tmp_path / "train.spacy"
    DocBin(docs=[example.reference for example in examples(nlp)]).to_disk(path)
    config = nlp.config
    config["paths"].update(train=str(path), dev=str(path))
    config["training"].update(max_steps=60, eval_frequency=60)
    config["training"]["optimizer"].update(learn_rate=0.01, use_averages=False)
    config.to_disk(tmp_path / "train.cfg")
    train(tmp_path / "train.cfg", tmp_path / "out")
    trained = spacy.load(tmp_path / "out" / "model-last")
    assert trained.get_pipe("mrca_entities").labels == ("LOC", "PER")
    assert trained.evaluate(examples(trained))["ents_f"] > 0.9


# A shared reader.

TEXT = "Ada Lovelace moved to London in 1835."


def test_over_a_shared_reader_it_stores_and_trains_its_head_only(shipped):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("mrca_entities")
    before = pipe.network.state_dict()
    assert {name.split(".")[0] for name in before} == {"head"}
    frozen = [weight.clone() for weight in pipe.reader.network.parameters()]
    old = pipe.to_bytes()
    pipe.update(examples(nlp), sgd=Adam(0.01))
    assert pipe.to_bytes() != old
    assert all(map(torch.equal, frozen, pipe.reader.network.parameters()))
    assert pipe.reader is shipped.get_pipe("mrca_entities").reader


def test_a_fresh_head_learns_over_a_shared_reader():
    nlp = spacy.blank("en")
    nlp.add_pipe("mrca_entities", config={"pretrained": None})
    data = examples(nlp)
    fix_random_seed(0)
    nlp.initialize(lambda: data)
    optimizer = Adam(0.01, use_averages=False)
    for _ in range(10):
        nlp.update(data, sgd=optimizer)
    assert [found(doc) for doc in nlp.pipe(SENTENCES)] == [spans(text) for text in SENTENCES]


def test_without_a_shared_reader_it_trains_a_copy(shipped, tmp_path):
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("mrca_entities", config={"reader": None})
    assert pipe.reader is None
    assert found(nlp(TEXT)) == found(shipped(TEXT))
    before = pipe.network.reader.first.forwards.weight_ih_l0.clone()
    pipe.update(examples(nlp)[:2], sgd=Adam(0.01))
    assert not torch.equal(before, pipe.network.reader.first.forwards.weight_ih_l0)
    nlp.to_disk(tmp_path)
    assert found(spacy.load(tmp_path)(TEXT)) == found(nlp(TEXT))


def test_weights_with_a_reader_of_their_own_keep_it(nlp, tmp_path):
    """As those that were stored before there was a shared reader: their configs do not say whether there is one."""
    nlp.to_disk(tmp_path)
    config = srsly.read_json(tmp_path / "mrca_entities" / "cfg")
    assert "reader" not in config
    text = (tmp_path / "config.cfg").read_text()
    assert "\nreader = null\n" in text
    (tmp_path / "config.cfg").write_text(text.replace("\nreader = null\n", "\n"))
    loaded = spacy.load(tmp_path)
    assert loaded.get_pipe("mrca_entities").reader is None
    assert [found(doc) for doc in loaded.pipe(SENTENCES)] == [spans(text) for text in SENTENCES]


def test_weights_over_another_reader_are_refused(shipped, tmp_path):
    pipe = shipped.get_pipe("mrca_entities")
    write_reader(tmp_path, pipe.reader.network, max_tokens=99)
    with pytest.raises(ModelError, match=r"another reader than .*\('reader_en_sm'\)"):
        spacy.blank("en").add_pipe("mrca_entities", config={"reader": str(tmp_path)})


# Texts as they are.


@pytest.mark.parametrize("date", ["1990-04-05", "4/5/1990", "04.05.1990", "5 April 1990", "April 5, 1990"])
def test_a_date_is_one_entity(shipped, date):
    doc = shipped(f"Ann Lee left Oslo on {date}.")
    assert names(doc) == [("Ann Lee", "PER"), ("Oslo", "LOC"), (date, "TIME")]


def test_names_below_one_another_are_several(shipped):
    doc = shipped("Klemm to leave Siemens\nFire destroys warehouse in Lyon\nThal elected president of Austria")
    assert [text for text, _ in names(doc)] == ["Klemm", "Siemens", "Lyon", "Thal", "Austria"]
    assert names(shipped("Oslo\nBergen\nLima")) == [("Oslo", "LOC"), ("Bergen", "LOC"), ("Lima", "LOC")]


PROSE = (
    "Lena Vorhaus was born in Hamburg on 4 May 1871. Her father, Otto Klemm, had founded the Klemm AG in New York. "
    "She studied in Vienna, and in 1893 she moved to Cape Town, where she met Mirko Adlersson of the Red Cross."
)


@pytest.mark.parametrize("width", [20, 40, 60])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n", "\n    "])
def test_wrapped_prose_has_the_same_entities(shipped, width, end):
    doc = shipped(end.join(textwrap.wrap(PROSE, width)))
    assert names(doc) == names(shipped(PROSE))
    assert len(doc.ents) == 11


@pytest.mark.parametrize("change", WHITE.values(), ids=WHITE)
def test_white_space_changes_nothing_in_prose(shipped, change):
    doc = shipped(change(PROSE))
    assert [(name.replace(" \u200b ", " "), label) for name, label in names(doc)] == names(shipped(PROSE))


def test_an_entity_does_not_go_on_behind_a_closed_line(nlp, monkeypatch):
    pipe = nlp.get_pipe("mrca_entities")
    inside = torch.full((1, pipe._tags.count), -5.0)
    inside[0, 1:3] = 5  # begin, or inside
    monkeypatch.setattr(pipe.network.head, "forward", lambda states, scheme: inside.repeat(len(states), 1))
    assert names(nlp("Ann Lee\nBob Stone")) == [("Ann Lee", "LOC"), ("Bob Stone", "LOC")]


def test_flags_and_emoji_are_no_part_of_names(shipped):
    doc = shipped("Bob Stone \U0001f1fa\U0001f1f8 beat Ann Lee \U0001f1ec\U0001f1e7 in Paris \U0001f1eb\U0001f1f7.")
    assert [span.text for span in doc.ents] == ["Bob Stone", "Ann Lee", "Paris"]
    pipe, doc = shipped.get_pipe("mrca_entities"), shipped.make_doc("\U0001f382 1990 \U0001f389 Ann")
    pipe.set_annotations([doc], [[(0, 1, 0), (1, 3, 0)]])
    assert [span.text for span in doc.ents] == ["1990"]
