"""The grammar that makes documents to train on."""

import gzip
import json

import pytest
import spacy
from helpers import recipe_script
from spacy.tokens import Doc, DocBin, Span

from kgmrca.ontology import load_properties, load_types
from kgmrca.relations import Relation, register_extensions

FIRST = [("Anke", 1.0), ("Berit", 1.0), ("Carla", 1.0), ("Dino", 0.0), ("Egon", 0.0), ("Falk", 0.0)]
FAMILY = ["Quast", "Rehm", "Stolz", "Tull", "Unger", "Voss", "Wirth", "Zech", "Ahrens", "Brodt", "Cramm", "Dorn"]


@pytest.fixture
def generate(monkeypatch):
    return recipe_script(monkeypatch, "generate")


@pytest.fixture
def made(generate):
    return list(generate.documents(generate.Names(FIRST, FAMILY), 400, seed=3))


def text_of(document):
    return " ".join(document["words"])


def write(generate, mode, clause, seed=0):
    """One sentence of the frame with this clause."""
    frame = next(frame for frame in generate.read_grammar().frames if frame.parts == generate._parts(clause)[0])
    text = generate.Text(generate.World(generate.Names(FIRST, FAMILY), generate.random.Random(seed)))
    generate._write_clause(text, frame, mode)
    return text.finish("one", sorted(known.label for known in load_properties().values()))


def test_spans_fit_the_words_and_facts_the_entities(made):
    for document in made:
        assert document["words"]
        entities = {entity for *_, entity, _, _ in document["mentions"]}
        assert entities == set(range(len(entities)))
        for first, last, _, _, kind in document["mentions"]:
            assert 0 <= first < last <= len(document["words"])
            assert kind in (0, 1, 2)
        for subject, object_, _, score in document["facts"]:
            assert subject in entities
            assert object_ in entities
            assert subject != object_
            assert score == 1.0


def test_mentions_do_not_overlap(made):
    for document in made:
        ends = [0, *(last for _, last, *_ in document["mentions"])]
        assert all(start >= end for end, (start, *_) in zip(ends, document["mentions"], strict=False))


def test_each_entity_has_a_name(made):
    for document in made:
        named = {entity for *_, entity, _, kind in document["mentions"] if kind == 0}
        assert named == {entity for *_, entity, _, _ in document["mentions"]}


def test_facts_are_within_the_types_of_the_ontology(made):
    types = load_types()
    wrong = set()
    for document in made:
        type_of = {entity: type_ for _, _, entity, type_, _ in document["mentions"]}
        for subject, object_, label, _ in document["facts"]:
            subjects, objects = types[label]
            if type_of[subject] not in subjects or type_of[object_] not in objects:
                wrong.add((label, type_of[subject], type_of[object_]))
    assert not wrong


def test_labels_of_the_grammar_are_labels_of_the_ontology(generate):
    known = {known.label for known in load_properties().values()}
    grammar = generate.read_grammar()
    named = {frame.label for frame in grammar.frames} | set(grammar.open)
    named |= {label for sentence in grammar.sentences for _, label, _ in sentence.facts}
    assert named <= known


def test_facts_of_sentences_name_slots_of_theirs(generate):
    for sentence in generate.read_grammar().sentences:
        assert {name for subject, _, object_ in sentence.facts for name in (subject, object_)} <= set(sentence.kinds)


def test_nothing_is_stated_where_names_merely_stand_together(generate):
    assert not any(sentence.facts for sentence in generate.read_grammar().together)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("mode", ["denied", "planned", "reported"])
@pytest.mark.parametrize("clause", ["{s} <be> born in {o}", "{o} <direct> {s}", "{s} <work+> for {o}"])
def test_what_is_denied_planned_or_reported_is_no_fact(generate, mode, clause, seed):
    document = write(generate, mode, clause, seed)
    assert document["facts"] == []
    assert document["complete"] is None


@pytest.mark.parametrize("seed", range(25))
def test_what_is_true_is_a_fact_with_what_it_implies(generate, seed):
    document = write(generate, "true", "{s} <be+> the son of {o}", seed)
    labels = {(subject, label, object_) for subject, object_, label, _ in document["facts"]}
    ((child, _, father),) = (fact for fact in labels if fact[1] == "father")
    assert labels == {(child, "father", father), (father, "child", child)}


@pytest.mark.parametrize("seed", range(25))
def test_a_contrast_states_one_of_two(generate, seed):
    document = write(generate, "contrast", "{s} <be> born in {o}", seed)
    (fact,) = document["facts"]
    assert fact[2] == "place of birth"
    assert len({entity for *_, entity, _, _ in document["mentions"]}) == 3


def test_labels_that_may_be_true_too_are_not_complete(generate):
    document = write(generate, "true", "{s} <be> born in {o}")
    assert "residence" not in document["complete"]
    assert "place of birth" in document["complete"]


def test_all_kinds_of_documents_are_made(made):
    assert any(not document["facts"] for document in made)
    assert sum(bool(document["facts"]) for document in made) > 100
    assert any(kind == 1 for document in made for *_, kind in document["mentions"])
    assert any(text_of(document).isupper() for document in made)
    assert len({label for document in made for _, _, label, _ in document["facts"]}) > 50


def test_the_same_seed_gives_the_same_documents(generate):
    names = generate.Names(FIRST, FAMILY)
    one, two, other = (list(generate.documents(names, 30, seed=seed)) for seed in (5, 5, 6))
    assert one == two
    assert [document["words"] for document in one] != [document["words"] for document in other]


def gold(path, *rows):
    register_extensions()
    stored = DocBin(store_user_data=True)
    nlp = spacy.blank("en")
    for words, one, label, two in rows:
        doc = Doc(nlp.vocab, words=words.split())
        subject, object_ = Span(doc, *one[:2], label=one[2]), Span(doc, *two[:2], label=two[2])
        doc.set_ents([subject, object_])
        doc._.relations = (Relation(subject, object_, label, 1.0),)
        stored.add(doc)
    stored.to_disk(path)


def test_names_come_from_the_gold_documents_that_are_named(generate, tmp_path):
    gold(
        tmp_path / "train.spacy",
        ("Ole Dahl plays for Vardal SK", (0, 2, "PER"), "member of sports team", (4, 6, "ORG")),
    )
    gold(
        tmp_path / "test.spacy", ("Ida Krag plays for Testby IF", (0, 2, "PER"), "member of sports team", (4, 6, "ORG"))
    )
    names = generate.read_names([tmp_path / "train.spacy"], FIRST)
    assert names.found["club"] == ["Vardal SK"]
    assert names.found["person"] == ["Ole Dahl"]
    assert "Krag" not in names.family


def test_the_script_writes_documents(generate, tmp_path, monkeypatch):
    import first_names

    monkeypatch.setattr(first_names, "read_names", lambda: [*FIRST, *((name, 0.5) for name in FAMILY)])
    generate.main(["-o", str(tmp_path / "made.jsonl.gz"), "--documents", "12"])
    with gzip.open(tmp_path / "made.jsonl.gz", "rt", encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    assert len(documents) == 12
    assert set(documents[0]) == {"id", "words", "mentions", "facts", "complete"}


@pytest.mark.parametrize(
    ("lemma", "forms"),
    [
        ("be", "was been being is was"),
        ("found", "founded founded founding founds did"),
        ("marry", "married married marrying marries did"),
        ("run", "ran run running runs did"),
        ("die", "died died dying dies did"),
        ("write", "wrote written writing writes did"),
        ("play", "played played playing plays did"),
    ],
)
def test_forms_of_verbs(generate, lemma, forms):
    past, present = generate.Verb(lemma, present=False), generate.Verb(lemma, present=True)
    assert [past.past, past.participle, past.ing, present.simple, past.auxiliary] == forms.split()
