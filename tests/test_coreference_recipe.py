"""The scripts that train the ranker of pronouns: texts of gold Docs, what is put in their place, the training."""

import importlib
import random
import sys

import pytest
import spacy
import torch
from helpers import recipe_script
from spacy.tokens import Doc
from spacy.util import fix_random_seed

from kgmrca.extraction.coreference.network import flow

WOMEN, MEN = ["Ann", "Eva", "Ida", "Mary", "Rosa"], ["Bob", "Carl", "Hans", "Jack", "Paul"]
FRAMES = ["{0} met {1} in Oslo . She was ill .", "{1} thanked {0} . He smiled at her , and it rained ."]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def sets(monkeypatch):
    return recipe_script(monkeypatch, "coreference_sets")


@pytest.fixture
def training(monkeypatch):
    return recipe_script(monkeypatch, "train_coreference")


def make_doc(words, names, clusters=(), **more):
    doc = Doc(
        spacy.blank("en").vocab, words=words, sent_starts=[not n or words[n - 1] == "." for n in range(len(words))]
    )
    doc.set_ents([doc.char_span(doc[n].idx, doc[n].idx + len(words[n]), label=kind) for n, kind in names.items()])
    for number, cluster in enumerate(clusters, start=1):
        doc.spans[f"coref_clusters_{number}"] = [doc[n : n + 1] for n in cluster]
    for key, tokens in more.items():
        doc.spans[key] = [doc[n : n + 1] for n in tokens]
    return doc


def ten_docs():
    docs = []
    for woman, man in zip(WOMEN, MEN, strict=True):
        words = FRAMES[0].format(woman, man).split()
        docs.append(make_doc(words, {0: "PER", 2: "PER", 4: "LOC"}, [[0, 6], [2], [4]]))
        words = FRAMES[1].format(woman, man).split()
        docs.append(make_doc(words, {0: "PER", 2: "PER"}, [[0, 4], [2, 7]]))
    return docs


def test_a_gold_doc_as_a_text(sets):
    text = sets.text_of(ten_docs()[1], "gum")
    assert text.names == [(0, 1, "PER"), (2, 3, "PER")]
    assert text.pronouns == {4: text.cluster[0], 7: text.cluster[1], 10: -1}
    assert text.ends == [4, 13]
    assert not text.other


def test_a_text_of_gap(sets):
    words = ["Ann", "met", "Sue", ".", "Bob", "knew", "that", "she", "and", "Ann", "smiled", "."]
    names = {0: "PER", 2: "PER", 4: "PER", 9: "PER"}
    text = sets.text_of(make_doc(words, names, [[0, 7]], gap=[7, 0, 2]), "gap")
    assert (text.pronouns, text.other) == ({7: 0}, {7: {1}})
    assert text.cluster == [0, 1, 4, 0]
    neither = sets.text_of(make_doc(words, names, gap=[7, 0, 2]), "gap")
    assert (neither.pronouns, neither.other) == ({7: -1}, {7: {0, 1}})


def test_what_is_learned_of_gap(sets, training):
    words = ["Ann", "met", "Sue", ".", "Bob", "knew", "that", "she", "and", "Ann", "smiled", "."]
    names = {0: "PER", 2: "PER", 4: "PER", 9: "PER"}
    one = training.example(sets.text_of(make_doc(words, names, [[0, 7]], gap=[7, 0, 2]), "gap"))
    assert one.mentions.first.tolist() == [0, 2, 4, 7, 9]
    assert one.right.tolist() == [[True, False, False, False, True]]
    assert one.wrong.tolist() == [[False, True, False, False, False]]
    assert one.weight.tolist() == [training.ASKED]


def test_a_pronoun_whose_name_is_not_found_means_none(sets, training):
    text = sets.text_of(ten_docs()[1], "gum")
    one = training.example(training.piece(text, 2, 13))
    assert one.right.sum(1).tolist() == [0, 1, 0]
    assert one.wrong.sum(1).tolist() == [1, 0, 1]
    assert one.weight.tolist() == [1, 1, 1]


def test_pronouns_in_the_place_of_names(sets, training):
    words = ["Ann", "met", "Bob", ".", "Ann", "'s", "dog", "barked", ".", "Then", "Bob", "left", "Ann", "."]
    doc = make_doc(words, {0: "PER", 2: "PER", 4: "PER", 10: "PER", 12: "PER"}, [[0, 4, 12], [2, 10]])
    text = training.with_pronouns(sets.text_of(doc, "gum"), random.Random(0), 1.0, {"Ann": 1.0, "Bob": 0.0})
    assert " ".join(text.words) == "Ann met Bob . Her dog barked . Then he left her ."
    assert text.names == [(0, 1, "PER"), (2, 3, "PER")]
    assert text.pronouns == {4: text.cluster[0], 9: text.cluster[1], 11: text.cluster[0]}
    assert text.ends == [4, 8, 13]


def test_names_of_unknown_gender_stay(sets, training):
    words = ["Kim", "met", "Bob", ".", "Then", "Kim", "left", "."]
    text = sets.text_of(make_doc(words, {0: "PER", 2: "PER", 5: "PER"}, [[0, 5], [2]]), "gum")
    assert training.with_pronouns(text, random.Random(0), 1.0, {"Kim": 0.5}) is text


def test_persons_are_given_other_names(sets, training):
    words = ["Mrs.", "Ann", "Stone", "met", "Bob", "in", "Oslo", ".", "Ann", "left", "Rome", "."]
    text = sets.Text("gum", words, [(0, 3, "PER"), (4, 5, "PER"), (6, 7, "LOC"), (8, 9, "PER")], [0, 1, 2, 0], {})
    women = {"Ann": 1.0, "Bob": 0.0, "Eva": 1.0, "Carl": 0.0, "Hill": 0.5}
    pools = training.pools_of(women)
    assert pools == {"she": ["Ann", "Eva"], "he": ["Bob", "Carl"], "": ["Hill"]}
    pools = {"she": ["Eva"], "he": ["Carl"], "": ["Hill"]}
    changed = training.renamed(text, random.Random(0), pools, women)
    assert " ".join(changed.words) == "Mrs. Eva Hill met Carl in Oslo . Eva left Rome ."
    assert changed.names == text.names


def test_long_texts_are_cut_where_sentences_end(sets, training):
    words = 400 * ["Ann", "laughed", "at", "Bob", "."]
    text = sets.text_of(make_doc(words, {0: "PER", 3: "PER"}), "litbank")
    parts = training.pieces(text, random.Random(0))
    assert [word for part in parts for word in part.words] == words
    assert len(parts) > 1
    assert all(len(part.words) <= 1_000 and part.words[-1] == "." for part in parts)


def test_the_ranker_learns_ten_documents(sets, training, tmp_path):
    docs = ten_docs()
    texts = [sets.text_of(doc, "gum") for doc in docs]
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("coreference", config={"pretrained": None})
    fix_random_seed(0)
    network = pipe.build(0.5, mention_width=24, pair_width=24, dropout=0.0)
    names = [*((name, 1.0) for name in WOMEN), *((name, 0.0) for name in MEN)]
    versions = [training.lessons(pipe.reader, texts, random.Random(number), {}, 1.0) for number in range(3)]
    training.learn(network, pipe.reader, versions, epochs=30, seed=0, size=100, rate=0.01, names=names)
    found = training.answers(network, pipe.reader, texts)
    assert training.f1(found, 0.5) == (1, 1, 1)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for gold in docs:
        doc = Doc(loaded.vocab, words=[token.text for token in gold])
        doc.set_ents([doc.char_span(span.start_char, span.end_char, label=span.label_) for span in gold.ents])
        wanted = sorted([span.text for span in group] for group in gold.spans.values() if len(group) > 1)
        assert sorted([span.text for span in group] for group in loaded(doc).spans.values()) == wanted


def test_states_are_those_that_a_doc_has(sets, training):
    reader = spacy.blank("en").add_pipe("coreference", config={"pretrained": None}).reader
    texts = [sets.text_of(doc, "gum") for doc in ten_docs()[:3]]
    mentions = [training.example(text).mentions for text in texts]
    found = training.states_of(reader, [text.words for text in texts], mentions)
    assert [part.shape for part in found] == [(len(one.kind), 2, reader.width) for one in mentions]
    known = training.read_states([Doc(spacy.blank("en").vocab, words=texts[1].words)], reader).states
    assert torch.allclose(found[1][:, 1].float(), known[torch.from_numpy(mentions[1].last)], atol=2e-3)


def test_only_pairs_that_lead_to_something_known_are_learned(sets, training):
    words = ["She", "knew", "that", "she", "met", "Ann", ".", "He", "and", "she", "left", "."]
    text = sets.Text("gap", words, [(5, 6, "PER")], [0], {3: 0}, {3: {1}})
    one = training.example(text)
    pairs = training.needed(one, training.make_pairs(one.mentions))
    assert [one.mentions.first[place] for place in pairs.pronoun] == [0, 3, 3]


def test_scores_of_gap(sets, training, monkeypatch):
    words = ["Ann", "met", "Sue", ".", "Bob", "knew", "that", "she", "and", "Eva", "smiled", "."]
    names = {0: "PER", 2: "PER", 4: "PER", 9: "PER"}
    text = sets.text_of(make_doc(words, names, [[0, 7]], gap=[7, 0, 2]), "gap")
    ann, sue, bob, _ = text.entities
    for guess, f1 in (({ann: 0.9}, 1.0), ({sue: 0.9, ann: 0.1}, 0.0), ({bob: 0.9}, 0.0), ({ann: 0.3}, 0.0)):
        monkeypatch.setattr(training, "guesses_of", lambda *_, guess=guess: [{7: guess}])
        assert training.gap_scores(torch.nn.Module(), None, [text], 0.5) == (f1, 0.0, f1)


def test_first_names(training, monkeypatch, tmp_path):
    files = {
        "faker/__init__.py": "",
        "faker/providers/__init__.py": "",
        "faker/providers/person/__init__.py": "",
        "faker/providers/person/xx.py": "class Provider:\n    first_names_female = ['Zoë', 'Kim', '花']\n",
        "faker/providers/person/yy.py": "class Provider:\n    first_names_male = ('Kim',)\n",
        "names/__init__.py": "",
        "names/dist.female.first": "KIM  0.050  0.05  1\n",
        "names/dist.male.first": "BOB  1.000  1.0  1\n",
        "names/dist.all.last": "SMITH 1.0 1.0 1\nBOB 0.1 1.1 2\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    listed = ("faker", "names")
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in listed}
    for name in before:  # faker is a plugin of pytest where it is installed
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    found = dict(importlib.import_module("first_names").read_names())
    assert found == {"Zoë": 1.0, "Kim": pytest.approx(3 / 4), "Bob": 0.0, "Smith": 0.5}
    for name in [name for name in sys.modules if name.partition(".")[0] in listed]:
        del sys.modules[name]


def test_without_the_lists_of_first_names_the_message_says_what_to_install(training, monkeypatch):
    monkeypatch.setitem(sys.modules, "faker.providers.person", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install faker==\S+ names==\S+"):
        importlib.import_module("first_names").read_names()


def test_a_ranker_that_flows_through_pronouns():
    through = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.8, 0.0]])
    to_names = torch.tensor([[0.9, 0.0], [0.1, 0.2], [0.1, 0.0]])
    wanted = torch.tensor([[0.9, 0.0], [0.55, 0.2], [0.54, 0.16]])
    assert torch.allclose(flow(through, to_names), wanted)
