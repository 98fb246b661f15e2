"""Training with spaCy's own commands, on made-up sentences that are easy to tell apart."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import spacy
from helpers import write_encoder, write_vectors
from safetensors.numpy import load_file
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin
from spacy.util import load_config, load_model_from_config

from kgmrca.corpora.annotated import Corpus
from kgmrca.errors import ModelError
from kgmrca.relations import Relation, get_plain_relations

PIPELINES = Path(__file__).parents[3] / "pipelines"
CONFIGS = ["relations.cfg", "documents.cfg", "ner.cfg"]

PEOPLE = ["Ann", "Bob Lee", "Cid", "Dora May", "Eve", "Fred"]
PLACES = ["Oslo", "New York", "Rome", "Lima"]
FILMS = ["Alpha", "The Beta", "Gamma", "Delta Blues"]
BORN, WROTE, DIRECTED = "place of birth", "screenwriter", "director"


def annotated(parts):
    """A Doc of (text, entity type) parts."""
    words, entities = [], []
    for text, label in parts:
        for number, word in enumerate(text.split()):
            words.append(word)
            entities.append(f"{'I' if number else 'B'}-{label}" if label else "O")
    return Doc(VOCAB, words=words, ents=entities, sent_starts=[index == 0 for index in range(len(words))])


VOCAB = spacy.blank("en").vocab


def sentences(people, places, films):
    """One birth, and one film with two relations of one pair, for each person, place and film."""
    docs = []
    for person in people:
        for place in places:
            doc = annotated([(person, "PERSON"), ("was born in", ""), (place, "GPE"), (".", "")])
            doc._.relations = [Relation(*doc.ents, BORN)]
            docs.append(doc)
        for film in films:
            doc = annotated([(person, "PERSON"), ("wrote and directed", ""), (film, "WORK_OF_ART"), (".", "")])
            doc._.relations = [Relation(*doc.ents[::-1], label) for label in (WROTE, DIRECTED)]
            docs.append(doc)
    return docs


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Training data, and held-out data about other people and places."""
    folder = tmp_path_factory.mktemp("corpus")
    splits = {
        "train": sentences(PEOPLE[:4], PLACES, FILMS),
        "dev": sentences(PEOPLE[4:], ["Bergen", "San Jose"], ["Omega", "Blue Psi"]),
    }
    for name, docs in splits.items():
        DocBin(docs=docs, store_user_data=True).to_disk(folder / f"{name}.spacy")
    return {f"paths.{name}": str(folder / f"{name}.spacy") for name in splits}


def small(folder, paths, *, loss=None, words=None, model=None, vectors=None, **changes):
    """relations.cfg with small widths and few steps, written to a folder."""
    config = load_config(PIPELINES / "relations.cfg", overrides=paths)
    component = config["components"]["mrca_relations"]
    component["model"].update(type_width=4, hidden_width=16, pair_width=16)
    component["model"] = model or component["model"]
    component["model"]["words"] = words or component["model"]["words"]
    component["threshold"] = 0.5
    component["loss"] = loss or component["loss"]
    config["initialize"]["vectors"] = vectors and str(vectors)
    config["training"].update(max_steps=60, eval_frequency=20, patience=0)
    config["training"]["optimizer"].update(learn_rate=0.01)
    config["training"]["batcher"].update(size=60)
    config["training"].update(changes)
    config.to_disk(folder / "small.cfg")
    return folder / "small.cfg"


def trained(folder, paths, **changes):
    """The folder of the best pipeline that a training gives."""
    train(small(folder, paths, **changes), folder / "out")
    return folder / "out" / "model-best"


def performance(model):
    return json.loads((model / "meta.json").read_text(encoding="utf-8"))["performance"]


@pytest.fixture(scope="module")
def model(tmp_path_factory, paths):
    return trained(tmp_path_factory.mktemp("model"), paths)


def test_bce_learns(model):
    assert performance(model)["rel_micro_f"] > 0.9


def test_a_trained_pipeline_gives_several_labels_for_one_pair(model):
    nlp = spacy.load(model)
    doc = nlp(annotated([("Zoe", "PERSON"), ("wrote and directed", ""), ("Sigma", "WORK_OF_ART"), (".", "")]))
    assert {(r.subject.text, r.object.text, r.label) for r in doc._.relations} == {
        ("Sigma", "Zoe", WROTE),
        ("Sigma", "Zoe", DIRECTED),
    }


def test_a_trained_pipeline_scores_as_it_did_in_training(model, paths):
    nlp = spacy.load(model)
    scores = nlp.evaluate(list(Corpus(paths["paths.dev"])(nlp)))
    assert scores["rel_micro_f"] == pytest.approx(performance(model)["rel_micro_f"])
    assert set(scores["rel_per_type"]) == {BORN, WROTE, DIRECTED}


LOSSES = [
    {"@misc": "kgmrca.RCDice.v1", "reduction": "batch"},
    {"@misc": "kgmrca.Asymmetric.v1", "positive_focus": 1.0, "negative_focus": 2.0},
    {"@misc": "kgmrca.AdaptiveThreshold.v1"},
]


def found_again(model, paths):
    """F1 of a stored pipeline on the held-out data, with 0.5 for threshold."""
    nlp = spacy.load(model)
    assert nlp.get_pipe("mrca_relations").threshold == 0.5
    return nlp.evaluate(list(Corpus(paths["paths.dev"])(nlp)))["rel_micro_f"]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["@misc"])
def test_the_other_losses_learn(tmp_path, paths, loss):
    model = trained(tmp_path, paths, loss=loss)
    assert performance(model)["rel_micro_f"] > 0.9
    assert found_again(model, paths) == pytest.approx(performance(model)["rel_micro_f"])


LETTERS = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
CUES = ["was", "born", "in", "wrote", "and", "directed", "."]


def test_the_published_network_learns_with_its_loss_and_vectors(tmp_path, paths):
    # Vectors of the words between the names, and of letters.
    draw = np.random.default_rng(0)
    rows = [" ".join([word, *map(str, draw.normal(size=12))]) for word in LETTERS + CUES]
    vectors = write_vectors(tmp_path, rows, attr="LOWER")
    network = {"@architectures": "kgmrca.MRCA.v1", "words": {"@misc": "kgmrca.PipelineVectors.v1"}, "hidden_width": 12}
    model = trained(tmp_path, paths, model=network, vectors=vectors, loss=LOSSES[0])
    shutil.rmtree(vectors)
    assert performance(model)["rel_micro_f"] > 0.9
    assert found_again(model, paths) == pytest.approx(performance(model)["rel_micro_f"])


def test_a_transformer_is_trained_along(tmp_path, paths):
    pytest.importorskip("transformers", reason="the library transformers is not installed")
    encoder = write_encoder(tmp_path / "encoder", [*LETTERS, *(f"##{letter}" for letter in LETTERS), *CUES])
    words = {"@misc": "kgmrca.Transformer.v1", "name": str(encoder), "learn_rate_scale": 0.2}
    model = trained(tmp_path, paths, words=words, loss=LOSSES[2])
    shutil.rmtree(encoder)
    assert performance(model)["rel_micro_f"] > 0.9
    assert found_again(model, paths) == pytest.approx(performance(model)["rel_micro_f"])


def test_a_pipeline_without_the_vectors_that_it_wants(tmp_path, paths):
    with pytest.raises(ModelError, match="has no word vectors"):
        trained(tmp_path, paths, words={"@misc": "kgmrca.PipelineVectors.v1"})


def test_rc_dice_by_element_runs(tmp_path, paths):
    model = trained(tmp_path, paths, loss={"@misc": "kgmrca.RCDice.v1", "reduction": "element"}, max_steps=2)
    assert spacy.load(model).get_pipe("mrca_relations").loss.reduction == "element"


def test_equal_seeds_give_equal_pipelines(tmp_path, paths):
    models = []
    for run, seed in enumerate((1, 1, 2)):
        (tmp_path / str(run)).mkdir()
        models.append(trained(tmp_path / str(run), paths, seed=seed, max_steps=10, eval_frequency=5))
    one, two, other = (spacy.load(model).get_pipe("mrca_relations").digest() for model in models)
    assert performance(models[0]) == performance(models[1])
    assert one == two
    assert one != other


@pytest.mark.parametrize("mixed_precision", [False, True])
def test_the_entity_recognizer_over_a_transformer_trains(tmp_path, paths, mixed_precision):
    pytest.importorskip("transformers", reason="the library transformers is not installed")
    encoder = write_encoder(tmp_path / "encoder", [*LETTERS, *(f"##{letter}" for letter in LETTERS), *CUES])
    fresh = {f"words.transformer.{name}": weights for name, weights in load_file(encoder / "model.safetensors").items()}
    changes = {
        "paths.encoder": str(encoder),
        "system.mixed_precision": mixed_precision,
        "training.max_steps": 2,
        "training.eval_frequency": 1,
        "training.optimizer.learn_rate.warmup_steps": 1,
    }
    train(PIPELINES / "types_trf.cfg", tmp_path / "out", overrides={**paths, **changes})
    shutil.rmtree(encoder)
    model = tmp_path / "out" / "model-last"
    nlp = spacy.load(model)
    types = {"GPE", "PERSON", "WORK_OF_ART"}
    assert {tag.partition("-")[2] for tag in nlp.get_pipe("tagger").labels} - {""} == types
    assert 0 < performance(model)["tagger_loss"] < np.inf
    (embed,) = (node for node in nlp.get_pipe("tagger").model.walk() if node.shims)
    trained = embed.shims[0]._model.state_dict()
    assert trained.keys() == fresh.keys()
    assert any(not np.array_equal(trained[name], weights) for name, weights in fresh.items())
    assert all(weights.isfinite().all() for weights in trained.values())


def test_the_entity_recognizer_trains(tmp_path, paths):
    steps = {"training.max_steps": 2, "training.eval_frequency": 1}
    train(PIPELINES / "ner.cfg", tmp_path, overrides={**paths, **steps})
    assert set(spacy.load(tmp_path / "model-last").get_pipe("ner").labels) == {"GPE", "PERSON", "WORK_OF_ART"}


# The shipped configs.


WITH_A_TRANSFORMER = ["mrca/mrca_transformer.cfg", "mrca/mrca_transformer_no_lstm.cfg", "relations_trf.cfg"]


@pytest.mark.parametrize("name", ["mrca/mrca.cfg", "mrca/mrca_bce.cfg", *WITH_A_TRANSFORMER])
def test_a_config_of_the_comparison_trains(name, tmp_path, paths):
    if name in WITH_A_TRANSFORMER:
        pytest.importorskip("transformers", reason="the library transformers is not installed")
        source = {"paths.encoder": str(write_encoder(tmp_path / "encoder", [*LETTERS, *CUES]))}
    else:
        rows = [" ".join([word, "0.5", "-1.5", "0.25"]) for word in CUES]
        source = {"paths.vectors": str(write_vectors(tmp_path, rows, attr="LOWER"))}
    config = load_config(PIPELINES / name)
    wide = config["components"]["mrca_relations"]["model"]["hidden_width"]
    less = {"components.mrca_relations.model.hidden_width": min(wide, 4)}
    steps = {"training.max_steps": 2, "training.eval_frequency": 1}
    train(PIPELINES / name, tmp_path / "out", overrides={**paths, **source, **less, **steps})
    pipe = spacy.load(tmp_path / "out" / "model-last").get_pipe("mrca_relations")
    assert hasattr(pipe.model.shims[0]._model, "encoder") == (wide > 0)
    assert set(pipe.labels) == {"place of birth", "screenwriter", "director"}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_shipped_config_loads(name, paths):
    nlp = load_model_from_config(load_config(PIPELINES / name, overrides=paths), auto_fill=True)
    assert nlp.pipe_names == ["ner" if name == "ner.cfg" else "mrca_relations"]


def differences(ours, filled, path=""):
    """What is another or no value in the filled config."""
    for key, value in ours.items():
        if isinstance(value, dict) and isinstance(filled.get(key), dict):
            yield from differences(value, filled[key], f"{path}{key}.")
        elif key not in filled or filled[key] != value:
            yield f"{path}{key}"


@pytest.mark.parametrize("name", CONFIGS)
def test_filling_a_shipped_config_changes_nothing_in_it(name):
    ours = load_config(PIPELINES / name)
    filled = load_model_from_config(ours.copy(), auto_fill=True).config
    assert list(differences(ours, filled)) == []


def test_filling_the_tagger_over_a_transformer_changes_nothing_in_it():
    ours = load_config(PIPELINES / "types_trf.cfg", overrides={"paths.encoder": "any"})
    filled = load_model_from_config(ours.copy(), auto_fill=True).config
    assert list(differences(ours, filled)) == []


@pytest.mark.parametrize("name", ["relations.cfg", "documents.cfg"])
def test_a_shipped_config_names_every_setting_of_the_component(name):
    ours = load_config(PIPELINES / name)
    filled = load_model_from_config(ours.copy(), auto_fill=True).config
    assert filled["components"]["mrca_relations"].pop("silence") is None  # an old name, only read
    assert filled["components"] == ours["components"]


# spaCy's commands: the entry points have to do, no command is told where the code is.


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "spacy", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def options(paths):
    return [part for name, path in paths.items() for part in (f"--{name}", path)]


@pytest.mark.slow
def test_train_command(tmp_path, paths):
    config = small(tmp_path, paths, max_steps=2, eval_frequency=1)
    command("train", config, "--output", tmp_path / "out")
    assert spacy.load(tmp_path / "out" / "model-last").pipe_names == ["mrca_relations"]


@pytest.mark.slow
def test_train_command_for_documents(tmp_path, paths):
    config = load_config(PIPELINES / "documents.cfg", overrides=paths)
    config["training"].update(max_steps=2, eval_frequency=1)
    config.to_disk(tmp_path / "config.cfg")
    command("train", tmp_path / "config.cfg", "--output", tmp_path / "out")
    assert spacy.load(tmp_path / "out" / "model-last").get_pipe("mrca_relations").scope == "document"


@pytest.mark.slow
def test_fill_config_command(tmp_path):
    (tmp_path / "bare.cfg").write_text(
        '[nlp]\nlang = "en"\npipeline = ["mrca_relations"]\n'
        '[components]\n[components.mrca_relations]\nfactory = "mrca_relations"\npretrained = null\n'
    )
    command("init", "fill-config", tmp_path / "bare.cfg", tmp_path / "full.cfg")
    filled = load_config(tmp_path / "full.cfg")["components"]["mrca_relations"]
    assert filled["model"]["@architectures"] == "kgmrca.DocumentMRCA.v1"
    assert filled["pairs"] is None  # what suits the network
    assert filled["loss"] == {"@misc": "kgmrca.BCE.v1"}


@pytest.mark.slow
def test_init_labels_command(tmp_path, paths):
    command("init", "labels", PIPELINES / "relations.cfg", tmp_path, *options(paths))
    labels = json.loads((tmp_path / "mrca_relations.json").read_text(encoding="utf-8"))
    assert labels == {"labels": [DIRECTED, BORN, WROTE], "types": ["LOC", "MISC", "PER"]}


@pytest.fixture
def filled(tmp_path):
    """relations.cfg after `init fill-config`: the debug commands want every section to be there."""
    load_model_from_config(load_config(PIPELINES / "relations.cfg"), auto_fill=True).config.to_disk(tmp_path / "x.cfg")
    return tmp_path / "x.cfg"


@pytest.mark.slow
def test_debug_data_command(tmp_path, filled, paths):
    # Fewer than a hundred sentences would be an error.
    docs = sentences(4 * PEOPLE[:4], PLACES, FILMS)
    DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "train.spacy")
    more = {**paths, "paths.train": tmp_path / "train.spacy"}
    assert "Corpus is loadable" in command("debug", "data", filled, *options(more))


@pytest.mark.slow
def test_debug_config_command(filled, paths):
    command("debug", "config", filled, *options(paths))


@pytest.mark.slow
def test_package_command(tmp_path, model):
    command("package", model, tmp_path, "--name", "tiny", "--build", "none")
    (folder,) = tmp_path.glob("en_tiny-*/en_tiny/en_tiny-*")
    assert (folder / "mrca_relations" / "model.safetensors").is_file()
    assert spacy.load(folder).pipe_names == ["mrca_relations"]


@pytest.mark.slow
def test_apply_command(tmp_path, model, paths):
    command("apply", model, paths["paths.dev"], tmp_path / "found.spacy")
    docs = list(DocBin(store_user_data=True).from_disk(tmp_path / "found.spacy").get_docs(VOCAB))
    gold = list(DocBin(store_user_data=True).from_disk(paths["paths.dev"]).get_docs(VOCAB))
    assert len(docs) == len(gold) > 0
    found = [{record[:5] for record in get_plain_relations(doc)} for doc in docs]
    assert sum(a == {record[:5] for record in get_plain_relations(b)} for a, b in zip(found, gold, strict=True)) > 5
    # They are those of the pipeline, not those that were in the file.
    assert any(record[5] < 1 for doc in docs for record in get_plain_relations(doc))
