"""The scripts that train `mrca_entities`: the data sets, the rewriting of sentences, the training."""

import gzip
import json
import random
from itertools import pairwise

import numpy as np
import pytest
import spacy
from helpers import recipe_script
from spacy.tokens import Span
from spacy.util import fix_random_seed

WORDS = ["Marie", "Curie", "was", "born", "in", "Warsaw", "on", "7", "November", "1867", ",", "says", "Wikipedia", "."]
SPANS = [(0, 2, "PER"), (5, 6, "LOC"), (7, 10, "TIME"), (12, 13, "ORG")]


@pytest.fixture
def sets(monkeypatch):
    return recipe_script(monkeypatch, "entity_sets")


@pytest.fixture
def rewriting(monkeypatch):
    return recipe_script(monkeypatch, "rewrite")


@pytest.fixture
def training(monkeypatch):
    return recipe_script(monkeypatch, "train_entities")


def write(folder, name, *records):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def record(words, *spans, **more):
    entities = [{"start": start, "end": end, "type": kind} for start, end, kind in spans]
    return {"id": words, "tokens": words.split(), "entities": entities, **more}


def texts_of(sets, data, name, *records):
    write(data, "file.jsonl.gz", *records)
    one = next(one for one in sets.SETS if one.name == name)
    return [text for text, _ in sets._texts(one, data, ["file.jsonl.gz"])]


# Rewriting.


@pytest.mark.parametrize("casual", [False, True])
def test_entities_keep_their_words_however_they_are_rewritten(rewriting, casual):
    chance, seen = random.Random(0), set()
    for _ in range(500):
        words, spans, unknown = rewriting.rewrite((WORDS, SPANS, {2}), chance, {}, casual=casual)
        assert [kind for *_, kind in spans] == ["PER", "LOC", "TIME", "ORG"]
        (start, end, _), (place, after, _) = spans[:2]
        assert "".join(words[start:end]).replace("-", "").lower() == "mariecurie"
        assert "".join(words[place:after]).replace("-", "").lower() == "warsaw"
        assert [words[word].lower() for word in unknown] == ["was"]
        seen.add(" ".join(words))
    assert len(seen) > 50


def test_the_same_name_is_replaced_by_the_same(rewriting):
    words = ["Curie", "met", "Curie", "and", "Curie", "."]
    spans = [(0, 1, "PER"), (2, 3, "PER"), (4, 5, "PER")]
    seen = set()
    for seed in range(60):
        new, placed, _ = rewriting._others(
            (words, spans, set()), random.Random(seed), {"PER": [["Ada", "Lovelace"]]}, hyphens=False
        )
        seen.add(tuple(" ".join(new[start:end]) for start, end, _ in placed))
    assert seen == {("Curie",) * 3, ("Ada Lovelace",) * 3}


def test_what_is_rewritten_stays_as_it_is(rewriting):
    words, spans, unknown = list(WORDS), list(SPANS), {2}
    for seed in range(50):
        rewriting.rewrite((words, spans, unknown), random.Random(seed), {}, casual=True)
    assert (words, spans, unknown) == (WORDS, SPANS, {2})


def test_lists_are_names_between_signs(rewriting):
    names = {"PER": [["Ada", "Lovelace"]], "LOC": [["Oslo"]]}
    for seed in range(100):
        words, spans, unknown = rewriting.make_list(random.Random(seed), names)
        assert not unknown
        assert len(spans) >= 2
        assert {" ".join(words[start:end]) for start, end, kind in spans if kind == "PER"} <= {"Ada Lovelace"}
        assert {" ".join(words[start:end]) for start, end, kind in spans if kind == "LOC"} <= {"Oslo"}
        assert all(one[1] < other[0] or one[2] != other[2] for one, other in pairwise(spans))


# The sets.


def test_records_of_a_document_are_one_text(sets, tmp_path):
    one, other = texts_of(
        sets,
        tmp_path,
        "gum",
        record("Ann slept .", (0, 1, "PER"), doc="a"),
        record("It rained in May .", (3, 4, "TIME"), doc="a"),
        record("Rome", (0, 1, "LOC"), doc="b"),
    )
    assert one.sentences == [["Ann", "slept", "."], ["It", "rained", "in", "May", "."]]
    assert one.spans == [[(0, 1, "PER")], [(3, 4, "TIME")]]
    assert other.sentences == [["Rome"]]


def test_types_that_a_set_does_not_annotate_are_dropped(sets, tmp_path):
    (text,) = texts_of(sets, tmp_path, "litbank", record("Ann in a boat", (0, 1, "PER"), (2, 4, "MISC")))
    assert text.spans == [[(0, 1, "PER")]]


def test_a_nationality_may_be_a_place(sets, tmp_path):
    (text,) = texts_of(sets, tmp_path, "wikigold", record("Japanese Bible", (0, 1, "MISC"), (1, 2, "MISC")))
    assert text.spans == [[(0, 1, sets.NATION), (1, 2, "MISC")]]


def test_handles_are_annotated_with_their_sign(sets, tmp_path):
    words = "@ ann saw @ somebody and @ bob"
    (text,) = texts_of(sets, tmp_path, "btc", record(words, (1, 2, "PER"), (6, 8, "PER"), section="B"))
    assert text.spans == [[(0, 2, "PER"), (6, 8, "PER")]]
    assert text.unknown == [{3, 4}]
    (text,) = texts_of(sets, tmp_path, "btc", record(words, (1, 2, "PER"), section="G"))
    assert text.spans == [[(1, 2, "PER")]]


def test_white_space_of_docred_is_no_word(sets, tmp_path):
    mention = {"sent_id": 0, "pos": [0, 3], "type": "PER"}
    (text,) = texts_of(
        sets, tmp_path, "redocred", {"title": "A", "sents": [["Ann", " ", "Lee", "."]], "vertexSet": [[mention]]}
    )
    assert (text.sentences, text.spans) == ([["Ann", "Lee", "."]], [[(0, 2, "PER")]])


def test_test_splits_and_dev_parts_are_held_out(sets, tmp_path, monkeypatch):
    long = "This is a sentence that is long enough to be known again number {} ."
    one = sets.EntitySet("btc", ["train.gz"], ("PER",), dev=["dev.gz"], test=["test.gz"])
    monkeypatch.setattr(sets, "SETS", [one])
    monkeypatch.setattr(sets, "_PARTIAL_TEST", [])
    write(tmp_path, "train.gz", *(record(long.format(number)) for number in "1234"))
    write(tmp_path, "dev.gz", record(long.format(2)), record(long.format(5)))
    write(tmp_path, "test.gz", record(long.format(3).upper()))

    def numbers(texts):
        return sorted(text.sentences[0][-2] for text in texts)

    train, dev = sets.read_sets(tmp_path, choose=True)
    assert (numbers(train), numbers(dev["btc"])) == (["1", "4"], ["2", "5"])
    train, dev = sets.read_sets(tmp_path, choose=False)
    assert (numbers(train), numbers(dev["btc"])) == (["1", "2", "2", "4", "5"], [])


def test_a_relation_gives_spans_and_teachers_give_types(sets):
    words = "Ann sings jazz in New York with Bob and he likes Oslo Town Hall ."
    text = sets.Text("redocred", [words.split()])
    agreed = {(0, 1, "PER"), (7, 8, "PER"), (4, 6, "LOC")}
    sets._merge(text, [(0, 1), (2, 3), (4, 5), (9, 10), (11, 14)], agreed, {7})
    assert text.spans == [[(0, 1, "PER"), (2, 3, "TERM"), (7, 8, "PER"), (11, 14, sets.ANY)]]
    assert text.unknown == [{4, 5}]


def test_teachers_that_do_not_agree_leave_it_open(sets):
    agreed, unknown = sets._agreed([{(0, 1, "PER"), (3, 5, "LOC")}, {(0, 1, "PER"), (3, 4, "LOC")}])
    assert agreed == {(0, 1, "PER")}
    assert unknown == {3, 4}


def test_teachers_annotate_relation_data(sets, tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "SETS", [])
    monkeypatch.setattr(sets, "PARTIAL", ["some.gz"])
    monkeypatch.setattr(sets, "_PARTIAL_TEST", [])
    write(tmp_path, "some.gz", record("Ann lives in Oslo .", (3, 4, "")))
    teacher = spacy.blank("en")

    @spacy.Language.component("first_is_a_person")
    def first_is_a_person(doc):
        doc.ents = [Span(doc, 0, 1, "PER")]
        return doc

    teacher.add_pipe("first_is_a_person")
    (text,) = sets.read_partial(tmp_path, [teacher], {}, weight=0.5)
    assert (text.spans, text.weight) == ([[(0, 1, "PER"), (3, 4, sets.ANY)]], 0.5)


# Training.


def test_outside_stands_for_types_that_are_not_annotated(training, sets):
    table = training.AllowedTags()
    rows = table.encode((["Ann", "slept", "late"], [(0, 1, "PER")], {2}), ("PER", "LOC"))
    allowed = np.array(table.rows)[rows]
    per, loc, org = (
        slice(1 + 4 * sets.TYPES.index(kind), 5 + 4 * sets.TYPES.index(kind)) for kind in ("PER", "LOC", "ORG")
    )
    assert allowed[0].sum() == 1
    assert allowed[0, per].tolist() == [False, False, False, True]
    assert allowed[1, 0]
    assert not allowed[1, per].any()
    assert not allowed[1, loc].any()
    assert allowed[1, org].all()
    assert allowed[2].all()


def test_a_name_of_any_type(training, sets):
    table = training.AllowedTags()
    rows = table.encode((["New", "York", "Rome"], [(0, 2, sets.ANY), (2, 3, sets.NATION)], set()), sets.TYPES)
    allowed = np.array(table.rows)[rows]
    assert np.flatnonzero(allowed[0]).tolist() == list(range(1, table.tags.count, 4))
    assert np.flatnonzero(allowed[1]).tolist() == list(range(3, table.tags.count, 4))
    assert allowed[2].sum() == 2


def test_windows_hold_every_sentence_once(training, sets):
    text = sets.Text("gum", [["A", "."]] * 90, [[(0, 1, "PER")]] * 90, [{1}] * 90)
    for seed in range(10):
        found = list(training.windows(text, random.Random(seed)))
        assert sum(len(words) for words, *_ in found) == 180
        assert all(len(words) <= 120 or len(words) == 180 for words, *_ in found)
        for words, spans, unknown in found:
            assert [words[start] for start, *_ in spans] == ["A"] * (len(words) // 2)
            assert {words[word] for word in unknown} == {"."}


def test_it_learns_and_is_judged(training, sets, capsys):
    people, places = ["Ann", "Bob", "Eve", "Tom"], ["Oslo", "Rome", "Lima"]
    texts = [
        sets.Text("redocred", [f"{one} went to {other} .".split()], [[(0, 1, "PER"), (3, 4, "LOC")]])
        for one in people
        for other in places
    ]
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe(
        "mrca_entities",
        config={
            "model": {"@architectures": "kgmrca.EntityTagger.v1", "hidden_width": 16, "rows": 200, "dropout": 0.0},
            "pretrained": None,
            "reader": None,
        },
    )
    fix_random_seed(0)
    pipe.build(sets.TYPES, schemes=training.SCHEMES)
    training.learn(pipe, texts, epochs=25, seed=0, rate=0.02, size=30)
    assert training.f1(pipe, texts, ("PER", "LOC")) > 0.9
    training.report(pipe, {"redocred": texts, "gum": []})
    assert "redocred" in capsys.readouterr().out
    doc = nlp("Eve went to Lima.")
    assert [(span.text, span.label_) for span in doc.ents] == [("Eve", "PER"), ("Lima", "LOC")]


def test_a_trained_recognizer_is_split_into_a_reader_and_a_head(monkeypatch, tmp_path):
    nlp = spacy.blank("en")
    model = {"@architectures": "kgmrca.EntityTagger.v1", "hidden_width": 6, "rows": 64, "feature_width": 8}
    pipe = nlp.add_pipe("mrca_entities", config={"pretrained": None, "reader": None, "model": model})
    fix_random_seed(0)
    pipe.build(["LOC", "PER"], schemes=["gum"])
    pipe.network.head.tags.bias.data[0] = -9  # so that it finds something
    pipe.network.half().float()  # as it is stored
    nlp.to_disk(tmp_path / "trained")
    recipe_script(monkeypatch, "share_reader").share(tmp_path / "trained", tmp_path)
    config = {"pretrained": None, "reader": str(tmp_path / "reader_en_sm"), "model": model}
    shared = spacy.blank("en")
    head = shared.add_pipe("mrca_entities", config=config).from_disk(tmp_path / "entities_en_sm")
    texts = ["Marie Curie was born in Warsaw .", "Ada Lovelace met Charles Babbage in London . She stayed ."]
    found = [[(ent.text, ent.label_) for ent in doc.ents] for doc in shared.pipe(texts)]
    assert found == [[(ent.text, ent.label_) for ent in doc.ents] for doc in nlp.pipe(texts)] != [[], []]
    assert head.network.reader is None
