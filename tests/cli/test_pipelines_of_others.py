"""`--pipeline` takes any pipeline of spaCy, whoever made it, or says what it lacks."""

import re

import pytest
import spacy
from helpers import make_nlp
from spacy.tokens import DocBin
from spacy.training import Example
from typer.testing import CliRunner

from kgmrca.cli import app

TEXT = "Marie Curie was born in Warsaw."
NAMES = [{"label": "PERSON", "pattern": "Marie Curie"}, {"label": "GPE", "pattern": "Warsaw"}]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def with_names(language):
    nlp = spacy.blank(language)
    nlp.add_pipe("entity_ruler").add_patterns(NAMES)
    return nlp


def with_ner():
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    gold = {"entities": [(0, 11, "PERSON"), (24, 30, "GPE")]}
    examples = [Example.from_dict(nlp.make_doc(TEXT), gold)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.mark.parametrize(
    "make", [lambda: with_names("en"), lambda: with_names("xx"), with_ner], ids=["en", "xx", "ner"]
)
def test_relations_are_added_where_there_are_names(tmp_path, make):
    make().to_disk(tmp_path / "theirs")
    done = run("tag", TEXT, "--pipeline", tmp_path / "theirs")
    assert re.search(r"Marie Curie +PERSON +place of birth +Warsaw +GPE", done.stdout)
    assert "theirs' finds no relations, so 'mrca_relations' was added at its end" in done.stderr


def test_convert_adds_relations_too(tmp_path):
    with_names("en").to_disk(tmp_path / "theirs")
    (tmp_path / "a.txt").write_text(TEXT)
    done = run("convert", tmp_path / "a.txt", "-o", tmp_path / "a.nt", "--pipeline", tmp_path / "theirs")
    assert done.exit_code == 0
    assert "/P19>" in (tmp_path / "a.nt").read_text()
    assert "'mrca_relations' was added" in done.stderr


def test_a_pipeline_that_has_relations_stays_as_it_is(tmp_path):
    make_nlp().to_disk(tmp_path / "theirs")
    done = run("tag", TEXT, "--pipeline", tmp_path / "theirs")
    assert done.stdout.endswith("0.90\n")  # the score that its own component gives
    assert "added" not in done.stderr


@pytest.mark.parametrize("command", ["tag", "convert", "serve"])
@pytest.mark.parametrize(
    ("nlp", "reason"),
    [
        (spacy.blank("en"), "Nothing gives entities to 'mrca_relations'"),
        (
            spacy.blank("de"),
            "is for texts in 'de'. The component 'mrca_relations' that would be added to it reads English",
        ),
        (with_names("de"), "is for texts in 'de'"),
    ],
)
def test_what_a_pipeline_lacks_is_said(tmp_path, command, nlp, reason):
    nlp.to_disk(tmp_path / "theirs")
    (tmp_path / "a.txt").write_text(TEXT)
    arguments = {"tag": [TEXT], "convert": [tmp_path / "a.txt", "-o", tmp_path / "a.nt"], "serve": ["--port", 0]}
    done = run(command, *arguments[command], "--pipeline", tmp_path / "theirs")
    assert (done.exit_code, reason in done.stderr) == (2, True)
    assert not (tmp_path / "a.nt").exists()


def test_docs_may_bring_the_names_that_a_pipeline_does_not_find(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "theirs")
    DocBin(docs=[with_names("en")(TEXT)]).to_disk(tmp_path / "a.spacy")
    done = run("convert", tmp_path / "a.spacy", "-o", tmp_path / "a.nt", "--pipeline", tmp_path / "theirs")
    assert done.exit_code == 0
    assert "/P19>" in (tmp_path / "a.nt").read_text()


def test_a_component_of_an_unknown_factory_is_named(tmp_path):
    with_names("en").to_disk(tmp_path / "theirs")
    config = tmp_path / "theirs" / "config.cfg"
    config.write_text(config.read_text().replace('factory = "entity_ruler"', 'factory = "no_such_thing"'))
    done = run("tag", TEXT, "--pipeline", tmp_path / "theirs")
    assert done.exit_code == 2
    assert "theirs' cannot be loaded: the factory 'no_such_thing' of one of its components is not there" in done.stderr


@pytest.mark.parametrize("damage", ["tokenizer", "config.cfg", "meta.json", "vocab/strings.json", "entity_ruler/cfg"])
def test_a_damaged_pipeline_is_refused(tmp_path, damage):
    with_names("en").to_disk(tmp_path / "theirs")
    (tmp_path / "theirs" / damage).write_bytes(b"\xff{")
    done = run("tag", TEXT, "--pipeline", tmp_path / "theirs")
    assert done.exit_code == 2
    assert "theirs' cannot be loaded: " in done.stderr
