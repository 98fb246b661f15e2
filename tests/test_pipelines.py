"""The scripts of the recipe: mixing gold documents, and what a teacher adds to them."""

from pathlib import Path

import pytest
import spacy
import srsly
from helpers import recipe_script
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from kgmrca.corpora.annotated import ENTITIES, EXHAUSTIVE, UNTYPED, exhaustively_annotated, read_gold
from kgmrca.relations import get_plain_relations, set_plain_relations

PIPELINES = Path(__file__).parents[1] / "pipelines"
VOCAB = spacy.blank("en").vocab


@pytest.fixture
def mix(monkeypatch):
    return recipe_script(monkeypatch, "mix").mix


@pytest.fixture
def silver(monkeypatch):
    return recipe_script(monkeypatch, "silver")


def a_doc(words, entities=(), records=(), *, exhaustive=None, partial=False):
    """A Doc of one sentence with entities (start, end, type) and relations; its tags are the types."""
    doc = Doc(VOCAB, words=words.split(), sent_starts=[index == 0 for index in range(len(words.split()))])
    for start, end, label in entities:
        for token in doc[start:end]:
            token.tag_ = f"I-{label}"
    spans = [Span(doc, start, end, label=label) for start, end, label in entities]
    doc.spans[ENTITIES] = spans
    doc.set_ents(spans, default="missing" if partial else "outside")
    set_plain_relations(doc, records)
    if exhaustive is not None:
        doc.user_data[EXHAUSTIVE] = exhaustive
    return doc


def store(path, *docs):
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def entities(doc):
    return [(span.text, span.label_) for span in doc.ents]


LONG = "The quick brown fox jumps over the lazy dog"


def test_mix_repeats_a_file(mix, tmp_path):
    path = store(tmp_path / "a.spacy", a_doc(LONG))
    assert mix([(path, 3)], [], tmp_path / "out.spacy").taken == 3
    assert len(list(read_gold(tmp_path / "out.spacy", VOCAB))) == 3


def test_mix_leaves_out_what_is_held_out(mix, tmp_path):
    path = store(tmp_path / "a.spacy", a_doc(LONG.upper() + " ."), a_doc("Another sentence that nobody holds out"))
    held_out = store(tmp_path / "dev.spacy", a_doc(LONG))
    done = mix([(path, 2)], [held_out], tmp_path / "out.spacy")
    assert (done.taken, done.held_out) == (2, 2)
    assert [doc[0].text for doc in read_gold(tmp_path / "out.spacy", VOCAB)] == ["Another", "Another"]


def test_mix_takes_a_short_sentence_that_is_held_out(mix, tmp_path):
    path = store(tmp_path / "a.spacy", a_doc("He died ."))
    assert mix([(path, 1)], [path], tmp_path / "out.spacy").taken == 1


def test_mix_leaves_out_relations_that_are_rare(mix, tmp_path):
    often, rare, unsure = ((0, 3, 4, 8, label, score) for label, score in (("a", 1.0), ("b", 1.0), ("c", 0.9)))
    path = store(tmp_path / "a.spacy", a_doc("Ann Oslo", [], [often, rare, unsure]), a_doc("Ann Oslo", [], [often]))
    done = mix([(path, 3)], [], tmp_path / "out.spacy", min_examples=2)
    assert done.rare == {"b": 1, "c": 0}
    assert [get_plain_relations(doc) for doc in read_gold(tmp_path / "out.spacy", VOCAB)] == [[often]] * 6


def test_teacher_types_a_mention_without_a_type(silver):
    given = a_doc("Ann sang", [(0, 1, UNTYPED)], partial=True)
    merged = silver.merge(given, a_doc("Ann sang", [(0, 1, "PER")]), types=set(), places={})
    assert entities(merged) == [("Ann", "PER")]


def test_mention_in_lower_case_that_the_teacher_does_not_know_is_a_term(silver):
    given = a_doc("a young tenor", [(2, 3, UNTYPED)], partial=True)
    assert entities(silver.merge(given, a_doc("a young tenor"), types=set(), places={})) == [("tenor", "TERM")]


def test_place_in_a_relation_types_what_the_teacher_does_not_know(silver):
    given = a_doc("Ann Oslo", [(0, 1, UNTYPED), (1, 2, UNTYPED)], [(0, 3, 4, 8, "place of birth", 1.0)], partial=True)
    merged = silver.merge(given, a_doc("Ann Oslo"), types=set(), places={("place of birth", 1): "LOC"})
    assert entities(merged) == [("Ann", "MISC"), ("Oslo", "LOC")]


def test_typical_type_is_the_teachers_most_frequent_one(silver):
    record = (0, 3, 4, 8, "place of birth", 1.0)
    gold = [a_doc("Ann Oslo", [(0, 1, UNTYPED), (1, 2, UNTYPED)], [record]) for _ in range(3)]
    read = [a_doc("Ann Oslo", [(1, 2, label)]) for label in ("LOC", "ORG", "LOC")]
    assert silver.typical_types(gold, read) == {("place of birth", 1): "LOC"}


def test_pronoun_is_no_entity(silver):
    given = a_doc("He left the US", [(0, 1, UNTYPED), (3, 4, UNTYPED)], partial=True)
    read = a_doc("He left the US", [(3, 4, "LOC")])
    assert entities(silver.merge(given, read, types=set(), places={})) == [("US", "LOC")]


def test_teacher_adds_no_entity_of_a_type_that_is_marked_exhaustively(silver):
    given = a_doc("Ann met Bob in 1990", [(0, 1, "PER")])
    read = a_doc("Ann met Bob in 1990", [(2, 3, "PER"), (4, 5, "TIME")])
    assert entities(silver.merge(given, read, types={"PER"}, places={})) == [("Ann", "PER"), ("1990", "TIME")]


def test_teachers_entity_that_overlaps_one_of_the_data_is_not_taken(silver):
    given = a_doc("New York Times", [(0, 3, "ORG")])
    merged = silver.merge(given, a_doc("New York Times", [(0, 2, "LOC")]), types={"ORG"}, places={})
    assert entities(merged) == [("New York Times", "ORG")]


def test_a_term_elsewhere_is_left_open(silver):
    doc = a_doc("Ann sang indie rock", [(0, 1, "PER")])
    silver.leave_open(doc, {"indie rock"})
    assert [token.ent_iob_ for token in doc] == ["B", "O", "", ""]


def test_teachers_relations_fill_what_is_not_annotated(silver):
    given = a_doc(
        "Ann Oslo",
        [(0, 1, "PER"), (1, 2, "LOC")],
        [(0, 3, 4, 8, "place of birth", 1.0)],
        exhaustive=["place of birth", "residence"],
    )
    said = [(0, 3, 4, 8, "place of birth", 0.7), (0, 3, 4, 8, "residence", 0.6), (0, 3, 4, 8, "work location", 0.5)]
    read = a_doc("Ann Oslo", [(0, 1, "PER"), (1, 2, "LOC")], said)
    assert silver.relations(given, read) == [
        (0, 3, 4, 8, "place of birth", 1.0),
        (0, 3, 4, 8, "work location", 0.5),
    ]


class FixedTeacher:
    """A pipe that marks Oslo as a place, and one that gives every pair of mentions a residence."""

    def entities(self, docs, batch_size):
        for doc in docs:
            for token in doc:
                token.tag_ = "B-LOC" if token.text == "Oslo" else "O"
            doc.set_ents([Span(doc, token.i, token.i + 1, label="LOC") for token in doc if token.text == "Oslo"])
            yield doc

    def relations(self, docs, batch_size):
        for doc in docs:
            first, second = doc.ents
            set_plain_relations(
                doc, [(first.start_char, first.end_char, second.start_char, second.end_char, "residence", 0.4)]
            )
            yield doc


def test_silver_documents_hold_what_the_data_says_and_the_teacher(silver, tmp_path):
    path = store(
        tmp_path / "gold.spacy", a_doc("Ann left Oslo", [(0, 1, "PERSON"), (2, 3, "")], exhaustive=[], partial=True)
    )
    teacher = silver.Teacher.__new__(silver.Teacher)
    fixed = FixedTeacher()
    teacher.vocab = VOCAB
    teacher.entities, teacher.relations = (
        type("Pipe", (), {"pipe": staticmethod(f)}) for f in (fixed.entities, fixed.relations)
    )
    silver.annotate(teacher, [path], tmp_path / "silver.spacy")
    (doc,) = read_gold(tmp_path / "silver.spacy", VOCAB)
    assert entities(doc) == [("Ann", "MISC"), ("Oslo", "LOC")]
    assert get_plain_relations(doc) == [(0, 3, 9, 13, "residence", 0.4)]
    assert EXHAUSTIVE not in doc.user_data


@Language.component("finds_by_heart")
def finds_by_heart(doc):
    """Takes Oslo for an organisation, the lake without its name for a place, and finds a month."""
    types = {"Oslo": "ORG", "Lake": "LOC", "May": "TIME"}
    doc.set_ents([Span(doc, token.i, token.i + 1, label=types[token.text]) for token in doc if token.text in types])
    return doc


def test_entities_have_the_types_that_the_recognizer_gives(monkeypatch, tmp_path):
    gold = a_doc(
        "Ann left Oslo for Lake Garda in May",
        [(0, 1, "PER"), (2, 3, "LOC"), (4, 6, "MISC")],
        [(0, 3, 9, 13, "residence", 1.0)],
        exhaustive=["residence"],
    )
    nlp = spacy.blank("en")
    nlp.add_pipe("finds_by_heart")
    path = store(tmp_path / "gold.spacy", gold)
    recipe_script(monkeypatch, "retype").retype(nlp, path, tmp_path / "retyped.spacy")
    (doc,) = read_gold(tmp_path / "retyped.spacy", VOCAB)
    assert entities(doc) == [("Ann", "PER"), ("Oslo", "ORG"), ("Lake Garda", "LOC"), ("May", "TIME")]
    assert get_plain_relations(doc) == get_plain_relations(gold)
    assert exhaustively_annotated(doc) == {"residence"}


def test_an_assembled_pipeline_keeps_no_words_of_its_training(monkeypatch):
    trained = spacy.blank("en")
    trained.add_pipe("mrca_relations")
    trained.vocab.strings.add("supercalifragilistic")
    fresh = recipe_script(monkeypatch, "assemble").with_fresh_strings(trained)
    assert "supercalifragilistic" not in fresh.vocab.strings
    found = []
    for nlp in (trained, fresh):
        doc = nlp.make_doc("Marie Curie was born in Warsaw.")
        doc.set_ents([Span(doc, 0, 2, label="PER"), Span(doc, 5, 6, label="LOC")])
        found.append(get_plain_relations(nlp(doc)))
    assert found[0] == found[1] != []


def test_every_step_of_the_recipe_is_there():
    project = srsly.read_yaml(PIPELINES / "project.yml")
    names = {command["name"] for command in project["commands"]}
    assert set(project["workflows"]["all"]) <= names
    lines = [line for command in project["commands"] for line in command["script"]]
    scripts = {word for line in lines for word in line.split() if word.endswith(".py")}
    assert {"train_document.py", "share_reader.py", "generate.py"} <= scripts
    assert [name for name in sorted(scripts) if not (PIPELINES / name).is_file()] == []
