"""`kgmrca tag`: a text in, a table or JSON out."""

import json

import pytest
import spacy
from helpers import make_nlp
from spacy.language import Language
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.cli.printing import columns, width
from kgmrca.markup import one_line

BIRTH = "Marie Curie was born in Warsaw."


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    path = tmp_path_factory.mktemp("pipeline") / "cues"
    make_nlp().to_disk(path)
    return path


@pytest.fixture
def tag(pipeline):
    def run(*arguments, **options):
        return CliRunner().invoke(app, ["tag", *map(str, arguments), "--pipeline", str(pipeline)], **options)

    return run


def test_a_sentence_gives_a_table(tag):
    done = tag(BIRTH)
    assert (done.exit_code, done.stderr) == (0, "")
    header, row = done.stdout.splitlines()
    assert header.split() == ["subject", "type", "label", "object", "type", "score"]
    assert row.split("  ")[0] == "Marie Curie"
    assert "place of birth" in row
    assert "Warsaw" in row


def test_the_columns_stand_under_one_another(tag):
    header, row = tag(BIRTH).stdout.splitlines()
    for title, cell in [("label", "place of birth"), ("object", "Warsaw")]:
        assert header.index(title) == row.index(cell)


def test_a_hyphen_reads_standard_input(tag):
    assert tag("-", input=BIRTH).stdout == tag(BIRTH).stdout


def test_json_has_the_text_the_entities_and_the_relations(tag):
    said = json.loads(tag(BIRTH, "--json").stdout)
    assert said["text"] == BIRTH
    (relation,) = said["relations"]
    assert relation["label"] == "place of birth"
    assert relation["predicate"] == "http://www.wikidata.org/prop/direct/P19"
    assert [BIRTH[relation[role]["start"] : relation[role]["end"]] for role in ("subject", "object")] == [
        "Marie Curie",
        "Warsaw",
    ]
    assert said["entities"][relation["subject"]["entity"]] == {
        "name": "Marie Curie",
        "type": "PERSON",
        "item": None,
        "mentions": [{"text": "Marie Curie", "start": 0, "end": 11}],
    }
    assert relation["subject"] == {"text": "Marie Curie", "start": 0, "end": 11, "type": "PERSON", "entity": 0}
    assert 0 < relation["score"] <= 1


@Language.factory("made_up_clusters")
def make_clusters(nlp, name):
    """Whatever "She" is, is the first entity; and it was born in the last one."""

    def cluster(doc):
        she = next(token.i for token in doc if token.text == "She")
        doc.spans["coref_clusters_1"] = [doc.ents[0], doc[she : she + 1]]
        doc._.relations = [(doc[she : she + 1], doc.ents[-1], "place of birth", 0.9)]
        return doc

    return cluster


@pytest.fixture(scope="module")
def with_clusters(tmp_path_factory):
    path = tmp_path_factory.mktemp("pipeline") / "clusters"
    nlp = make_nlp()
    nlp.add_pipe("made_up_clusters")
    nlp.to_disk(path)
    return lambda *arguments: CliRunner().invoke(app, ["tag", *arguments, "--pipeline", str(path)]).stdout


SHE = "Marie Curie studied. She was born in Warsaw."


def test_a_pronoun_is_printed_as_the_name_that_it_means(with_clusters):
    _, row = with_clusters(SHE).splitlines()
    assert row.split("  ")[0] == "Marie Curie"
    assert row.split()[2] == "PERSON"
    assert "She" not in row


def test_json_has_all_mentions_of_an_entity(with_clusters):
    said = json.loads(with_clusters(SHE, "--json"))
    curie, warsaw = said["entities"]
    assert [one["text"] for one in curie["mentions"]] == ["Marie Curie", "She"]
    assert [SHE[one["start"] : one["end"]] for one in curie["mentions"]] == ["Marie Curie", "She"]
    (relation,) = said["relations"]
    assert relation["subject"] == {"text": "She", "start": 21, "end": 24, "type": "PERSON", "entity": 0}
    assert (relation["object"]["entity"], warsaw["name"]) == (1, "Warsaw")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused_in_words(tag, text):
    for done in (tag(text), tag("-", input=text)):
        assert (done.exit_code, done.stdout) == (2, "")
        assert "The text is empty" in done.stderr


def test_that_no_entity_was_found_is_said(tag):
    done = tag("It rained.")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "the pipeline found no entities" in done.stderr


def test_that_entities_without_relations_were_found_is_said(tag):
    done = tag("Marie Curie saw Warsaw.")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "No relations were found between the entities Marie Curie (" in done.stderr


def test_nothing_found_is_still_json(tag):
    done = tag("It rained.", "--json")
    assert json.loads(done.stdout) == {"text": "It rained.", "entities": [], "relations": []}


def test_a_threshold_leaves_out_what_is_less_certain(tag):
    assert "No relations were found" in tag(BIRTH, "--threshold", "1").stderr


def test_a_component_that_takes_no_threshold_for_one_text_is_left_as_it_is(tag, monkeypatch):
    """Its attribute `threshold` may mean something else, so `convert` does not set it either."""
    monkeypatch.setattr("helpers.CueRelations.__call__", lambda self, doc: doc)
    done = tag(BIRTH, "--threshold", "0.5")
    assert done.exit_code == 2
    assert "set the threshold of the component in the pipeline" in done.stderr


def test_a_file_is_not_tagged_by_its_name(tag, tmp_path):
    (tmp_path / "letter.txt").write_text(BIRTH)
    done = tag(tmp_path / "letter.txt")
    assert done.exit_code == 2
    assert "is a file" in done.stderr


def test_a_text_too_long_for_a_file_name_is_a_text(tag):
    assert tag(f"{BIRTH} {'x' * 5000}").exit_code == 0


def test_standard_input_that_is_not_utf8_is_refused_in_words(tag):
    done = tag("-", input=b"Gr\xfc\xdfe")
    assert done.exit_code == 2
    assert "Standard input is not UTF-8 text" in done.stderr


def test_a_pipeline_that_finds_no_names_is_refused(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    done = CliRunner().invoke(app, ["tag", BIRTH, "--pipeline", str(tmp_path / "blank")])
    assert done.exit_code == 2
    assert "Nothing gives entities to 'mrca_relations'" in done.stderr


def test_the_shipped_pipeline_is_the_default():
    done = CliRunner().invoke(app, ["tag", "Marie Curie was born in Warsaw, the capital of Poland."])
    assert "Marie Curie  PER   place of birth " in done.stdout


@pytest.mark.parametrize(
    ("text", "cells"),
    [("Curie", 5), ("東京都", 6), ("Zu\u0308rich", 6), ("パリ", 4), ("👍", 2), ("ｶﾅ", 2), ("مدينة", 5)],
)
def test_the_width_of_a_text_is_that_on_a_terminal(text, cells):
    assert width(text) == cells


def test_columns_after_wide_characters_stand_straight():
    lines = columns([("東京", "a"), ("Zu\u0308rich", "b"), ("Rome", "c")]).splitlines()
    assert [width(line[:-1]) for line in lines] == [8, 8, 8]


def test_a_mention_is_printed_on_one_line_and_without_commands_to_the_terminal():
    assert one_line("Marie\n  Curie\x1b[2J") == "Marie Curie[2J"
