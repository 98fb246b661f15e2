"""The component `mrca_relations`, tiny and untrained: every pair of a sentence gets every label at threshold 0."""

import json
import math
import os
import pickle
import signal
import subprocess
import sys
from functools import cache
from itertools import chain, repeat

import numpy as np
import pytest
import spacy
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from spacy.tokens import Doc, Span
from spacy.training import Example

from kgmrca.corpora.annotated import EXHAUSTIVE
from kgmrca.errors import InputError, ModelError
from kgmrca.extraction.relations.component import MRCARelations, relation_pipe
from kgmrca.relations import Relation, get_plain_relations

NAMES = {"Ann Lee": "PERSON", "Bob": "PERSON", "Cid": "PERSON", "Oslo": "GPE", "Rome": "GPE"}
GOLD = [
    ("Ann Lee was born in Oslo.", [(0, 1, "born in")]),
    ("Bob lives in Rome.", [(0, 1, "lives in"), (0, 1, "works in")]),
    ("Cid slept.", []),
]
LABELS = ("born in", "lives in", "works in")
TEXTS = [
    "Ann Lee was born in Oslo and lives in Rome with Bob.",
    "",
    "Cid met Bob. Bob met Cid. Ann Lee met nobody. In Rome, Cid met Ann Lee.",
    "Nobody is here.",
    "Oslo",
    "Bob, Cid and Ann Lee went from Oslo to Rome and back again, again and again, and back to Rome.",
    "Bob Cid",
]


def blank():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    # Patterns of tokens, because spaCy's entity ruler forgets plain ones in `from_bytes`.
    ruler.add_patterns(
        [{"label": label, "pattern": [{"ORTH": word} for word in name.split()]} for name, label in NAMES.items()]
    )
    return nlp


PAIRS = {"@architectures": "kgmrca.PairMRCA.v1", "type_width": 4, "pair_width": 8}
PUBLISHED = {"@architectures": "kgmrca.MRCA.v1"}
ADAPTIVE = {"@misc": "kgmrca.AdaptiveThreshold.v1"}


def add_tiny(nlp, *, network=PAIRS, hidden_width=8, words="words_en_sm", **config):
    words = words and {"@misc": "kgmrca.WordTable.v1", "name": words}
    model = {**network, "words": words, "hidden_width": hidden_width}
    return nlp.add_pipe("mrca_relations", config={"pretrained": None, "threshold": 0, "model": model, **config})


@cache
def reader():
    return blank()


def gold(gold=GOLD):
    """Examples whose Docs have entities, and whose references have relations as well."""
    nlp = reader()
    examples = []
    for text, relations in gold:
        predicted, reference = nlp(text), nlp(text)
        reference._.relations = [Relation(reference.ents[a], reference.ents[b], label) for a, b, label in relations]
        examples.append(Example(predicted, reference))
    return examples


def make(*, seed=0, **config):
    nlp = blank()
    pipe = add_tiny(nlp, **config)
    torch.manual_seed(seed)
    pipe.initialize(gold, nlp=nlp)
    return nlp


def pipe_of(nlp):
    return nlp.get_pipe("mrca_relations")


def plain(doc):
    return [(r.subject.text, r.object.text, r.label) for r in doc._.relations]


def scores(docs):
    return [record[5] for doc in docs for record in get_plain_relations(doc)]


@pytest.fixture
def nlp():
    return make()


@pytest.fixture
def pipe(nlp):
    return pipe_of(nlp)


# What it writes.


def test_every_pair_and_label(nlp):
    assert plain(nlp("Bob lives in Rome.")) == [
        *[("Bob", "Rome", label) for label in LABELS],
        *[("Rome", "Bob", label) for label in LABELS],
    ]


def test_scores_are_plain_numbers_between_0_and_1(nlp):
    for score in scores([nlp(TEXTS[0])]):
        assert type(score) is float
        assert 0 <= score <= 1


def test_a_pair_may_have_several_labels(nlp, pipe):
    pipe.threshold = {"born in": 1, "lives in": 0, "works in": 0}
    assert plain(nlp("Bob in Rome")) == [
        ("Bob", "Rome", "lives in"),
        ("Bob", "Rome", "works in"),
        ("Rome", "Bob", "lives in"),
        ("Rome", "Bob", "works in"),
    ]


def test_batch_and_single_calls_agree(nlp):
    single = [nlp(text) for text in TEXTS]
    for batch_size in (2, 100):
        batch = list(nlp.pipe(TEXTS, batch_size=batch_size))
        assert [plain(doc) for doc in batch] == [plain(doc) for doc in single]
        assert scores(batch) == pytest.approx(scores(single), abs=1.1e-4)


def test_the_order_of_docs_does_not_matter(nlp):
    forward, backward = list(nlp.pipe(TEXTS)), list(nlp.pipe(TEXTS[::-1]))
    assert scores(forward) == pytest.approx(scores(backward[::-1]), abs=1.1e-4)


@pytest.mark.parametrize("text", ["", " ", "Nobody is here.", "Bob slept.", "Bob slept. Cid woke."])
def test_nothing_to_find(nlp, text):
    assert nlp(text)._.relations == ()


def test_nothing_found(nlp, pipe):
    pipe.threshold = 1
    assert nlp(TEXTS[0])._.relations == ()


def test_earlier_relations_are_replaced(nlp, pipe):
    doc = nlp("Bob lives in Rome.")
    pipe.threshold = 1
    assert pipe(doc)._.relations == ()


def test_no_docs(nlp):
    assert list(nlp.pipe([])) == []


def test_types_never_seen(nlp):
    doc = nlp.make_doc("Xyz met Zyx.")
    doc.set_ents([Span(doc, 0, 1, "ALIEN"), Span(doc, 2, 3, "SPACESHIP")])
    assert len(pipe_of(nlp)(doc)._.relations) == 2 * len(LABELS)


def test_overlapping_spans_of_a_span_group():
    nlp = make(spans_key="sc")
    doc = nlp.make_doc("Bank of Rome hired Bob.")
    doc.spans["sc"] = [Span(doc, 0, 3, "ORG"), Span(doc, 2, 3, "GPE"), Span(doc, 4, 5, "PERSON")]
    pairs = {(subject, object_) for subject, object_, _ in plain(pipe_of(nlp)(doc))}
    assert pairs == {(a, b) for a in ("Bank of Rome", "Rome", "Bob") for b in ("Bank of Rome", "Rome", "Bob") if a != b}


def test_a_span_group_that_is_missing():
    assert make(spans_key="sc")("Bob lives in Rome.")._.relations == ()


def test_a_span_group_is_read_as_entities_are(nlp, pipe):
    doc = nlp("Bob lives in Rome.")
    same = nlp.make_doc("Bob lives in Rome.")
    same.spans["sc"] = [Span(same, span.start, span.end, span.label) for span in doc.ents]
    pipe_of(make(spans_key="sc")).from_bytes(pipe.to_bytes())(same)
    assert get_plain_relations(same) == get_plain_relations(doc)


def test_a_doc_of_50000_tokens(nlp, pipe):
    # No full stop anywhere, and two entities next to each other every thousand tokens.
    doc = Doc(nlp.vocab, words=50 * ["Bob", "Rome", *998 * ["word"]])
    doc.set_ents([Span(doc, start + i, start + i + 1, "X") for start in range(0, 50_000, 1000) for i in (0, 1)])
    assert len(pipe(doc)._.relations) == 50 * 2 * len(LABELS)


def test_offsets_are_those_of_the_text(nlp):
    doc = nlp("  Bob \n\n lives in Rome.")
    assert {doc.text[a:b] for a, b, *_ in get_plain_relations(doc)} == {"Bob", "Rome"}


@pytest.mark.parametrize("network", [PAIRS, PUBLISHED])
def test_words_are_those_that_ship_where_none_are_named(network):
    named, unnamed = make(network=network), make(network=network, words=None)
    assert scores(named.pipe(TEXTS)) == scores(unnamed.pipe(TEXTS))


# The published network instead.


@pytest.fixture
def published():
    return make(network=PUBLISHED)


def test_the_published_network_scores_every_pair_and_label(published, nlp):
    assert [plain(doc) for doc in published.pipe(TEXTS)] == [plain(doc) for doc in nlp.pipe(TEXTS)]


def test_the_published_network_gives_in_batches_what_it_gives_alone(published):
    single, batch = [published(text) for text in TEXTS], list(published.pipe(TEXTS))
    assert scores(batch) == pytest.approx(scores(single), abs=1.1e-4)


def test_the_published_network_tells_pairs_of_a_sentence_apart(published):
    pipe = pipe_of(published)
    _, found = pipe.predict([published.make_doc("Nobody."), published(TEXTS[5])])
    assert len(np.unique(found.round(6), axis=0)) == len(found) > 2


def test_the_published_network_learns(published):
    pipe, optimizer = pipe_of(published), published.create_optimizer()
    optimizer.learn_rate = 0.01
    first = pipe.update(gold(), sgd=optimizer)["mrca_relations"]
    for _ in range(30):
        last = pipe.update(gold(), sgd=optimizer)["mrca_relations"]
    assert last < first / 4


# Thresholds.


def test_a_threshold_is_for_all_labels(nlp, pipe):
    every = scores([nlp(TEXTS[0])])
    pipe.threshold = float(np.median(every))
    assert scores([nlp(TEXTS[0])]) == [score for score in every if score >= pipe.threshold]


def test_a_threshold_for_some_labels_leaves_the_others_as_stored(nlp, pipe):
    pipe.cfg["threshold"] = 1.0
    pipe.threshold = {"born in": 0.0}
    assert {label for _, _, label in plain(nlp(TEXTS[0]))} == {"born in"}


def test_stored_thresholds_of_labels_are_kept_beside_chosen_ones(nlp, pipe):
    pipe.cfg["threshold"] = {"born in": 1.0, "lives in": 0.0, "works in": 1.0}
    pipe.threshold = {"born in": 0.0}
    assert {label for _, _, label in plain(nlp(TEXTS[0]))} == {"born in", "lives in"}


def test_a_threshold_of_none_is_the_stored_one(pipe):
    pipe.cfg["threshold"] = 0.25
    pipe.threshold = 0.75
    pipe.threshold = None
    assert pipe.threshold == 0.25


def test_the_threshold_stored_at_first_is_one_half():
    assert pipe_of(make(threshold=None)).threshold == 0.5


def test_the_threshold_of_the_config(nlp):
    assert pipe_of(make(threshold=0.75)).threshold == 0.75
    assert pipe_of(make(threshold={"born in": 0.75})).threshold == {"born in": 0.75}


BAD_THRESHOLDS = [-0.1, 1.1, math.nan, "0.5", {"born in": 2}, {"born in": "high"}]


@pytest.mark.parametrize("value", BAD_THRESHOLDS)
def test_a_threshold_out_of_range(pipe, value):
    with pytest.raises(InputError, match="from 0 to 1"):
        pipe.threshold = value


@pytest.mark.parametrize("value", [-0.1, 1.1, {"born in": 2}])
def test_a_threshold_out_of_range_in_the_config(value):
    with pytest.raises(InputError, match="from 0 to 1"):
        make(threshold=value)


def test_a_threshold_for_an_unknown_label(pipe):
    with pytest.raises(InputError, match="does not have: born at"):
        pipe.threshold = {"born at": 0.5}


def test_a_threshold_that_is_refused_changes_nothing(pipe):
    for value in (2, {"born at": 0.5}):
        with pytest.raises(InputError):
            pipe.threshold = value
    assert pipe.threshold == 0


def test_a_threshold_for_an_unknown_label_in_the_config():
    with pytest.raises(InputError, match="does not have: born at"):
        make(threshold={"born at": 0.5})


def test_the_threshold_is_stored_with_the_weights(nlp, pipe):
    pipe.threshold = 0.25
    other = pipe_of(make(threshold=None)).from_bytes(pipe.to_bytes())
    assert other.threshold == 0.25


def test_the_threshold_of_the_config_wins_over_the_stored_one(pipe):
    pipe.threshold = 0.25
    assert pipe_of(make(threshold=0.75)).from_bytes(pipe.to_bytes()).threshold == 0.75


def test_the_threshold_can_be_chosen_on_loading(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path, config={"components": {"mrca_relations": {"threshold": 0.75}}})
    assert pipe_of(loaded).threshold == 0.75


def test_labels_without_a_chosen_threshold_keep_the_stored_one_when_saved(pipe):
    pipe.cfg["threshold"] = 0.0
    pipe.threshold = {"born in": 1.0}
    loaded = make(threshold=None)
    pipe_of(loaded).from_bytes(pipe.to_bytes())
    assert {label for _, _, label in plain(loaded(TEXTS[0]))} == {"lives in", "works in"}


@pytest.mark.parametrize("threshold", [1, 0.5, {"born in": 1.0, "works in": 0.5}])
def test_a_threshold_for_one_stream_of_docs(nlp, pipe, threshold):
    pipe.threshold = threshold
    expected = [get_plain_relations(doc) for doc in nlp.pipe(TEXTS)]
    pipe.threshold = 0
    found = [
        get_plain_relations(doc) for doc in nlp.pipe(TEXTS, component_cfg={"mrca_relations": {"threshold": threshold}})
    ]
    assert found == expected
    assert pipe.threshold == 0
    assert scores(nlp.pipe(TEXTS)) != scores(nlp.pipe(TEXTS, component_cfg={"mrca_relations": {"threshold": 1}}))


def test_one_text_takes_another_threshold(nlp, pipe):
    settings = {"mrca_relations": {"threshold": 0.0}}
    every = nlp(TEXTS[0], component_cfg=settings)
    assert scores([every]) == scores(nlp.pipe(TEXTS[:1], component_cfg=settings))
    assert scores([nlp(TEXTS[0], component_cfg={"mrca_relations": {"threshold": 1}})]) == []
    with pytest.raises(InputError, match="'sure'"):
        nlp(TEXTS[0], component_cfg={"mrca_relations": {"threshold": "sure"}})


def test_streams_with_two_thresholds_at_once(nlp, pipe):
    docs = [list(map(nlp.make_doc, TEXTS)) for _ in range(2)]
    for doc in chain(*docs):
        nlp.get_pipe("entity_ruler")(doc)
    all_, none = pipe.pipe(docs[0], batch_size=1), pipe.pipe(docs[1], batch_size=1, threshold=1)
    pairs = list(zip(all_, none, strict=True))
    assert scores(doc for _, doc in pairs) == []
    assert scores(doc for doc, _ in pairs) == scores(nlp.pipe(TEXTS))


def test_the_threshold_of_a_stream_is_refused_before_the_first_doc(pipe):
    for value, message in (
        ({"born at": 0.5}, "born at"),
        (2, "from 0 to 1"),
        ("precise", "no operating point 'precise'"),
    ):
        with pytest.raises(InputError, match=message):
            pipe.pipe([], threshold=value)


def test_an_error_handler_of_a_stream(nlp, pipe, monkeypatch):
    handled = []
    nlp.set_error_handler(lambda name, _, docs, error: handled.append((name, len(docs), str(error))))
    monkeypatch.setattr(pipe, "pairs", lambda docs, spans_key: 1 / 0)
    assert len(list(pipe.pipe([nlp.make_doc("Bob"), nlp.make_doc("Cid")]))) == 2
    assert handled == [("mrca_relations", 2, "division by zero")]


# Training.


def test_labels_and_types_come_from_the_examples(pipe):
    assert pipe.labels == LABELS
    assert pipe.label_data == {"labels": list(LABELS), "types": ["LOC", "PER"]}


def test_labels_of_all_examples_are_found():
    *related, unrelated = gold()
    pipe = add_tiny(blank())
    pipe.initialize(lambda: chain(repeat(unrelated, 25_000), related))
    assert pipe.labels == LABELS


def test_labels_may_be_given():
    nlp = blank()
    pipe = add_tiny(nlp)
    pipe.initialize(gold, labels={"labels": ["works in", "rules"], "types": ["PER"]})
    assert pipe.labels == ("works in", "rules")
    assert {label for _, _, label in plain(nlp("Bob lives in Rome."))} == {"works in", "rules"}


def test_label_data_makes_the_same_network(pipe):
    other = add_tiny(blank())
    torch.manual_seed(0)
    other.initialize(gold, labels=json.loads(json.dumps(pipe.label_data)))
    assert other.digest() == pipe.digest()


def test_outputs_start_at_the_prior(pipe):
    # Each label is given to one of the four pairs of the examples.
    assert torch.allclose(pipe._network.labels.bias, torch.tensor([0.25, 0.25, 0.25]).logit())


def test_outputs_start_at_the_prior_above_a_learned_threshold():
    assert torch.allclose(pipe_of(make(loss=ADAPTIVE))._network.labels.bias, torch.tensor(3 * [0.25] + [0.5]).logit())


def test_outputs_of_a_linear_loss_start_at_0():
    assert pipe_of(make(loss={"@misc": "kgmrca.RCDice.v1"}))._network.labels.bias.tolist() == [0, 0, 0]


def test_the_prior_where_entities_are_not_there_yet():
    # As in training with `annotating_components`: another component sets the entities later.
    examples = [Example(Doc(e.reference.vocab, words=[t.text for t in e.reference]), e.reference) for e in gold()]
    pipe = add_tiny(blank())
    pipe.initialize(lambda: examples)
    assert pipe.label_data["types"] == ["LOC", "PER"]
    assert torch.allclose(pipe._network.labels.bias, torch.tensor([0.25, 0.25, 0.25]).logit())


def test_examples_without_relations():
    nlp = blank()
    add_tiny(nlp)
    with pytest.raises(ModelError, match=r"found no relation in the training examples.*doc\._\.relations"):
        nlp.initialize(lambda: gold([("Bob lives in Rome.", [])]))


def test_add_label_before_the_network_is_made():
    pipe = add_tiny(blank())
    assert pipe.add_label("rules") == 1
    assert pipe.add_label("rules") == 0
    pipe.initialize(gold)
    assert pipe.labels == ("born in", "lives in", "rules", "works in")


def test_add_label_to_a_network(pipe):
    assert pipe.add_label("born in") == 0
    with pytest.raises(ModelError, match="'rules' needs a new training"):
        pipe.add_label("rules")


def test_initialize_again_forgets_what_was_known(pipe):
    pipe.initialize(lambda: gold([("Bob rules Rome.", [(0, 1, "rules")])]))
    assert pipe.labels == ("rules",)


def test_predict_before_training():
    nlp = blank()
    add_tiny(nlp)
    with pytest.raises(ModelError, match=r"has no weights yet: train it"):
        nlp("Bob lives in Rome.")


def test_update_before_training():
    with pytest.raises(ModelError, match=r"has no weights yet"):
        add_tiny(blank()).update(gold())


def test_it_learns(nlp, pipe):
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.05
    examples = gold()
    first = pipe.update(examples, sgd=optimizer)["mrca_relations"]
    for _ in range(30):
        last = pipe.update(examples, sgd=optimizer)["mrca_relations"]
    assert last < first / 4
    pipe.threshold = 0.5
    assert plain(nlp("Bob lives in Rome.")) == [("Bob", "Rome", "lives in"), ("Bob", "Rome", "works in")]


def test_losses_are_added_up(pipe):
    losses = {}
    for _ in range(2):
        pipe.update(gold(), losses=losses)
    assert losses["mrca_relations"] == pytest.approx(2 * pipe.update(gold())["mrca_relations"], rel=0.5)


def test_no_pairs_in_a_batch(nlp, pipe):
    before = pipe.digest()
    losses = pipe.update(gold([("Cid slept.", [])]), sgd=nlp.create_optimizer())
    assert losses == {"mrca_relations": 0.0}
    assert pipe.digest() == before


@pytest.mark.filterwarnings("ignore:.*does not learn")
def test_gold_relations_of_pairs_that_are_not_asked_about_are_passed_over(pipe):
    # Two sentences, and a label that is not known.
    examples = gold([("Bob slept. Rome is old.", [(0, 1, "lives in")]), ("Bob rules Rome.", [(0, 1, "rules")])])
    assert pipe.update(examples)["mrca_relations"] > 0


# Storing.


def test_to_bytes_and_back(nlp, pipe):
    other = make(seed=1)
    assert scores(other.pipe(TEXTS)) != scores(nlp.pipe(TEXTS))
    pipe_of(other).from_bytes(pipe.to_bytes())
    assert scores(other.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))


def test_to_disk_and_back(nlp, pipe, tmp_path):
    pipe.to_disk(tmp_path / "pipe")
    fresh = blank()
    add_tiny(fresh).from_disk(tmp_path / "pipe")
    assert scores(fresh.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))


def test_what_lies_on_disk(pipe, tmp_path):
    pipe.to_disk(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cfg", "model.safetensors"]
    assert json.loads((tmp_path / "cfg").read_text(encoding="utf-8"))["labels"] == list(LABELS)
    with safe_open(tmp_path / "model.safetensors", "np") as weights:
        assert set(weights.keys()) == set(pipe._network.state_dict())


def test_a_saved_pipeline(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert pipe_of(loaded).labels == LABELS
    assert scores(loaded.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))


def test_a_pipeline_as_bytes(nlp):
    other = make(seed=1).from_bytes(nlp.to_bytes())
    assert scores(other.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))


def test_a_pickled_pipeline(nlp):
    loaded = pickle.loads(pickle.dumps(nlp))
    assert scores(loaded.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))


def test_what_is_not_trained_yet_can_be_stored():
    pipe = add_tiny(blank())
    pipe.add_label("rules")
    other = add_tiny(blank()).from_bytes(pipe.to_bytes())
    assert other.labels == ("rules",)
    assert not other.is_built


def test_a_loaded_pipeline_can_be_trained_on(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    before = pipe_of(loaded).digest()
    loaded.update(gold(), sgd=loaded.resume_training())
    assert pipe_of(loaded).digest() != before


def test_weights_that_do_not_fit_the_settings(pipe):
    with pytest.raises(ModelError, match=r"do not fit its \[model\] settings"):
        add_tiny(blank(), hidden_width=12).from_bytes(pipe.to_bytes())


def test_weights_that_do_not_fit_the_loss(pipe):
    # The adaptive threshold is one output more.
    with pytest.raises(ModelError, match=r"do not fit its \[model\] settings"):
        add_tiny(blank(), loss=ADAPTIVE).from_bytes(pipe.to_bytes())


@pytest.mark.parametrize("network", [PAIRS, PUBLISHED])
@pytest.mark.parametrize("loss", ["BCE", "Asymmetric", "AdaptiveThreshold", "RCDice"])
def test_every_network_and_loss_can_be_stored(tmp_path, network, loss):
    nlp = make(network=network, loss={"@misc": f"kgmrca.{loss}.v1"})
    nlp.update(gold(), sgd=nlp.create_optimizer())
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert type(pipe_of(loaded).loss).__name__ == loss
    assert scores(loaded.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))
    assert len(scores(loaded.pipe(TEXTS))) > 0


def test_another_network(pipe):
    with pytest.raises(ModelError, match=r"do not fit its \[model\] settings"):
        add_tiny(blank(), network=PUBLISHED).from_bytes(pipe.to_bytes())


def test_another_word_table(pipe, tmp_path):
    (tmp_path / "pieces.txt").write_text("a\nb\n", encoding="utf-8")
    tensors = {"codes": np.ones((2, 256), np.int8), "scale": np.ones(256, np.float32)}
    save_file(tensors, tmp_path / "words.safetensors")
    with pytest.raises(ModelError, match=r"cannot be loaded\. The component was trained with other word vectors"):
        add_tiny(blank(), words=str(tmp_path)).from_bytes(pipe.to_bytes())


@pytest.mark.parametrize("data", [None, b"", b"nonsense", b"\x80\x04."])
def test_weights_that_are_missing_or_damaged(nlp, tmp_path, data):
    nlp.to_disk(tmp_path)
    weights = tmp_path / "mrca_relations" / "model.safetensors"
    weights.unlink() if data is None else weights.write_bytes(data)
    with pytest.raises(ModelError, match="mrca_relations"):
        spacy.load(tmp_path)


def test_equal_weights_have_equal_digests(pipe):
    assert pipe_of(make()).digest() == pipe.digest()


def test_other_weights_have_another_digest(pipe):
    assert pipe_of(make(seed=1)).digest() != pipe.digest()


@pytest.mark.parametrize("change", [{"threshold": 0.25}, {"spans_key": "sc"}, {"loss": {"@misc": "kgmrca.RCDice.v1"}}])
def test_other_settings_have_another_digest(pipe, change):
    other = pipe_of(make(**change)).from_bytes(pipe.to_bytes())
    assert other.digest() != pipe.digest()


def test_a_digest_survives_storing(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    assert pipe_of(spacy.load(tmp_path)).digest() == pipe_of(nlp).digest()


# In a pipeline.


def test_nothing_is_wrong_with_the_pipeline(nlp):
    analysis = nlp.analyze_pipes(keys=["assigns", "requires"])
    assert analysis["problems"] == {"entity_ruler": [], "mrca_relations": []}
    assert analysis["summary"]["mrca_relations"] == {"assigns": ["doc._.relations"], "requires": ["doc.ents"]}


def test_entities_that_no_component_sets_are_missed():
    nlp = spacy.blank("en")
    add_tiny(nlp)
    assert nlp.analyze_pipes()["problems"] == {"mrca_relations": ["doc.ents"]}


def test_a_pipeline_is_scored(nlp):
    scores = nlp.evaluate(gold())
    assert scores["rel_micro_r"] == 1.0
    assert set(scores["rel_per_type"]) == set(LABELS)


def test_the_component_is_found_under_another_name():
    nlp = blank()
    nlp.add_pipe("mrca_relations", name="other", config={"pretrained": None})
    name, pipe = relation_pipe(nlp)
    assert (name, type(pipe)) == ("other", MRCARelations)


def test_no_component():
    with pytest.raises(ModelError, match=r"no component 'mrca_relations' \(it has: entity_ruler\)"):
        relation_pipe(blank())


def run(script, *arguments, timeout=60):
    """The output of a script in a process of its own; it and all that it started are ended when time is up."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        pytest.fail(f"no end after {timeout} s")
    assert process.returncode == 0, errors
    return output


TWO_PROCESSES = """
import sys
import spacy, torch
from kgmrca.relations import get_plain_relations

if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.ones(800, 800) @ torch.ones(800, 800)  # now there are threads, which a forked process would wait for
    nlp = spacy.load(sys.argv[1])
    texts = ["Bob, Cid and Ann Lee went from Oslo to Rome."] * 40
    one = [get_plain_relations(doc) for doc in nlp.pipe(texts, batch_size=10)]
    two = [get_plain_relations(doc) for doc in nlp.pipe(texts, batch_size=10, n_process=2)]
    print(len(one), one == two)
"""


@pytest.mark.slow
def test_two_processes_give_what_one_gives(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    assert run(TWO_PROCESSES, tmp_path).split() == ["40", "True"]


ANOTHER_OWNER = """
import spacy
from spacy.tokens import Doc

Doc.set_extension("relations", default="theirs")
nlp = spacy.blank("en")
print(nlp("Some text.")._.relations)
try:
    nlp.add_pipe("mrca_relations", config={"pretrained": None})
except RuntimeError as error:
    print(type(error).__name__, nlp.pipe_names, nlp("Some text.")._.relations)
"""


def test_another_owner_of_the_name_is_left_alone():
    assert run(ANOTHER_OWNER).split("\n")[:2] == ["theirs", "ExtensionError [] theirs"]


# What the training data is annotated with exhaustively, and how true its relations are.


def example(text, relations, exhaustive, *, score=1.0):
    """An Example whose reference is annotated exhaustively with these relations (None: with all)."""
    (found,) = gold([(text, [])])
    doc = found.reference
    doc._.relations = [Relation(doc.ents[a], doc.ents[b], label, score) for a, b, label in relations]
    if exhaustive is not None:
        doc.user_data[EXHAUSTIVE] = exhaustive
    return found


BORN = "Ann Lee was born in Oslo.", [(0, 1, "born in")]
LIVES = "Bob lives in Rome.", [(0, 1, "lives in")]
WORKS = "Cid works in Rome.", [(0, 1, "works in")]


def trained_on(*examples, **config):
    pipe = add_tiny(blank(), **config)
    pipe.initialize(lambda: examples)
    assert pipe.labels == LABELS
    return pipe


def slopes(pipe, *examples):
    """The slope of binary cross-entropy at outputs of 0, for the two pairs of each text: what an absent label counts,
    halved; for a label that is there, one half less its score.
    """
    candidates = pipe.pairs([found.predicted for found in examples], spans_key=None)
    outputs = np.zeros((len(candidates.pairs), len(LABELS)), np.float32)
    _, gradient = pipe.get_loss(examples, (candidates, outputs))
    return gradient * len(candidates.pairs)


def test_what_is_annotated_with_all_relations_has_no_others():
    examples = [example(*BORN, None), example(*LIVES, None), example(*WORKS, None)]
    found = slopes(trained_on(*examples), *examples)
    yes, no = -0.5, 0.5
    assert found.tolist() == [[yes, no, no], [no] * 3, [no, yes, no], [no] * 3, [no, no, yes], [no] * 3]


def test_the_score_of_a_gold_relation_is_how_true_it_is():
    examples = [example(*BORN, None), example(*LIVES, None, score=0.75), example(*WORKS, None)]
    assert slopes(trained_on(*examples), examples[1]).tolist() == [[0.5, -0.25, 0.5], [0.5, 0.5, 0.5]]


def test_outputs_start_at_the_prior_of_scores():
    # One of six pairs has each label, and one of these is half true only.
    pipe = trained_on(example(*BORN, None), example(*LIVES, None, score=0.5), example(*WORKS, None))
    assert torch.allclose(pipe._network.labels.bias, torch.tensor([1 / 6, 0.5 / 6, 1 / 6]).logit())


@pytest.fixture
def mixed():
    """Data that is annotated exhaustively with "born in", and data with nothing."""
    return [example(*BORN, ["born in"]), example(*LIVES, []), example(*WORKS, [])]


def test_nothing_is_said_of_a_label_that_other_data_is_annotated_with_exhaustively(mixed):
    assert slopes(trained_on(*mixed), *mixed[1:])[:, 0].tolist() == [0, 0, 0, 0]


def test_a_label_that_no_data_is_annotated_with_exhaustively_is_a_faint_no(mixed):
    # By default 0.3 of a "no".
    found = slopes(trained_on(*mixed), *mixed)
    assert found[:, 1].tolist() == pytest.approx([0.15, 0.15, -0.5, 0.15, 0.15, 0.15])
    assert found[:, 2].tolist() == pytest.approx([0.15, 0.15, 0.15, 0.15, -0.5, 0.15])


def test_a_label_that_the_data_is_annotated_with_exhaustively_is_a_no(mixed):
    assert slopes(trained_on(*mixed), mixed[0])[:, 0].tolist() == [-0.5, 0.5]


def test_each_doc_of_a_batch_is_annotated_with_its_own(mixed):
    pipe = trained_on(*mixed)
    alone = [slopes(pipe, found) for found in mixed]
    assert np.allclose(slopes(pipe, *mixed), np.concatenate(alone))
    assert np.allclose(slopes(pipe, *mixed[::-1]), np.concatenate(alone[::-1]))


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_weight_of_what_is_not_annotated_is_a_setting(mixed, weight):
    found = slopes(trained_on(*mixed, unannotated_weight=weight), mixed[1])
    assert found.tolist() == [[0, -0.5, weight / 2], [0, weight / 2, weight / 2]]


def test_data_that_is_annotated_with_all_relations_is_exhaustive_in_every_label():
    partial = example(*LIVES, [])
    pipe = trained_on(partial, example(*BORN, None), example(*WORKS, []))
    assert slopes(pipe, partial).tolist() == [[0, -0.5, 0], [0, 0, 0]]


def test_a_relation_counts_fully_where_its_label_is_not_complete(mixed):
    assert slopes(trained_on(*mixed, unannotated_weight=0.0), mixed[2]).tolist() == [[0, 0, -0.5], [0, 0, 0]]


def test_initialize_again_forgets_what_was_complete(mixed):
    pipe = trained_on(*mixed)
    mixed[0].reference.user_data[EXHAUSTIVE] = []
    pipe.initialize(lambda: mixed)
    assert slopes(pipe, mixed[1])[:, 0].tolist() == pytest.approx([0.15, 0.15])


def test_what_is_complete_is_stored_with_the_weights(mixed):
    pipe = trained_on(*mixed)
    trained_before = trained_on(example(*BORN, []), example(*LIVES, None), example(*WORKS, []))
    for other in (add_tiny(blank()), trained_before):
        other.from_bytes(pipe.to_bytes())
        assert np.array_equal(slopes(other, *mixed), slopes(pipe, *mixed))


def test_labels_may_be_given_beside_what_is_complete(mixed):
    pipe = add_tiny(blank())
    pipe.initialize(lambda: mixed, labels={"labels": list(LABELS), "types": ["LOC", "PER"]})
    assert slopes(pipe, mixed[1])[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize("loss", ["BCE", "Asymmetric", "AdaptiveThreshold"])
def test_nothing_is_learned_from_what_is_not_known(mixed, loss):
    pipe = trained_on(*mixed, unannotated_weight=0.0, loss={"@misc": f"kgmrca.{loss}.v1"})
    silent = example("Bob met Cid.", [], [])
    assert pipe.update([silent]) == {"mrca_relations": 0.0}
    slopes = [weights.grad for weights in pipe._network.parameters() if weights.grad is not None]
    assert len(slopes) > 0
    assert not any(slope.any() for slope in slopes)


def test_the_unannotated_weight_is_kept_in_the_config_of_a_pipeline(tmp_path):
    nlp = make(unannotated_weight=0.125)
    nlp.to_disk(tmp_path)
    assert pipe_of(spacy.load(tmp_path)).unannotated_weight == 0.125


def test_the_unannotated_weight_has_another_name_in_old_configs():
    assert pipe_of(make(silence=0.125)).unannotated_weight == 0.125


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_the_unannotated_weight_is_a_number_from_0_to_1(weight):
    with pytest.raises(InputError, match="unannotated_weight is a number from 0 to 1"):
        spacy.blank("en").add_pipe("mrca_relations", config={"pretrained": None, "unannotated_weight": weight})


# Weights that came with the component, and those that it gets by training.

RULES = gold([("Bob rules Rome.", [(0, 1, "rules")])])


def loaded(pipe):
    """The component in a pipeline of its own, its weights read from bytes."""
    nlp = blank()
    add_tiny(nlp).from_bytes(pipe.to_bytes())
    return nlp


def test_weights_that_were_loaded_survive_initialising(nlp, pipe):
    other = loaded(pipe)
    other.get_pipe("mrca_relations").initialize(lambda: gold(), nlp=other)
    assert pipe_of(other).digest() == pipe.digest()
    assert scores(other.pipe(TEXTS)) == scores(nlp.pipe(TEXTS))


@pytest.mark.parametrize("examples", [[], gold([("Bob slept.", [])])])
def test_weights_that_were_loaded_need_no_examples_of_relations(pipe, examples):
    other = pipe_of(loaded(pipe))
    other.initialize(lambda: examples or gold([("Bob", [])]), labels=pipe.label_data)
    assert other.digest() == pipe.digest()


def test_weights_that_were_loaded_survive_initialising_of_the_whole_pipeline(pipe, tmp_path):
    nlp = spacy.blank("en")
    add_tiny(nlp).from_bytes(pipe.to_bytes())
    nlp.initialize()
    assert pipe_of(nlp).digest() == pipe.digest()
    nlp.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    again.initialize()
    assert pipe_of(again).digest() == pipe.digest()


def test_labels_that_loaded_weights_do_not_have_are_refused(pipe):
    other = loaded(pipe)
    message = r"weights for 3 labels.*1 others \(rules\).*\"pretrained\": None"
    with pytest.raises(ModelError, match=message):
        pipe_of(other).initialize(lambda: RULES)
    with pytest.raises(ModelError, match=message):
        pipe_of(other).initialize(gold, labels={"labels": ["rules"], "types": []})
    assert pipe_of(other).digest() == pipe.digest()


def test_labels_that_cannot_be_learned_are_warned_of_once(pipe):
    other = pipe_of(loaded(pipe))
    with pytest.warns(UserWarning, match="does not learn rules, because its weights do not have these labels"):
        other.update(RULES)
    other.update(RULES)  # a second warning would be an error


def test_initialising_that_is_refused_changes_nothing(nlp, pipe):
    digest, expected = pipe.digest(), scores(nlp.pipe(TEXTS))
    with pytest.raises(ModelError, match="found no relation in the training examples"):
        nlp.initialize()
    assert pipe.digest() == digest
    assert scores(map(pipe, map(reader(), TEXTS))) == expected


def test_loaded_weights_learn_on(pipe):
    other = pipe_of(loaded(pipe))
    other.initialize(gold)
    other.update(gold(), sgd=blank().create_optimizer())
    assert other.digest() != pipe.digest()


def test_what_was_stored_untrained_is_trained_from_scratch():
    pipe = add_tiny(blank()).from_bytes(add_tiny(blank()).to_bytes())
    pipe.initialize(lambda: RULES)
    assert pipe.labels == ("rules",)
