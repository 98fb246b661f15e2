"""A reader that components share: it reads a Doc once."""

import copy
import gc
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.util import fix_random_seed

from kgmrca.errors import ModelError, ResourceError
from kgmrca.extraction.encoder import shared
from kgmrca.extraction.encoder.reader import Reader
from kgmrca.extraction.encoder.shared import SharedReader, by_tokens, read_states, write_reader
from kgmrca.extraction.encoder.words import WordTable

TEXTS = ["Ann met Bob in Oslo. She slept.", "Rome waits.", "", "\n", "Bob left Ann. He went to Lima, not to Rome."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    fix_random_seed(0)
    network = Reader(
        vector_width=WordTable.named().width,
        rows=50,
        feature_width=4,
        scheme_width=2,
        n_schemes=3,
        hidden_width=5,
        dropout=0.5,
    )
    path = tmp_path_factory.mktemp("reader")
    write_reader(path, network, max_tokens=8)
    return path


@pytest.fixture
def reader(folder):
    return SharedReader(folder)


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


@pytest.fixture
def reads(reader, monkeypatch):
    """How many tokens the network has read so far, call by call."""
    counts = []
    forward = reader.network.forward

    def counted(**inputs):
        counts.append(len(inputs["word"]))
        return forward(**inputs)

    monkeypatch.setattr(reader.network, "forward", counted)
    return counts


def test_it_is_loaded_once_and_never_copied(folder):
    reader = SharedReader.named(str(folder))
    assert SharedReader.named(str(folder)) is reader
    assert pickle.loads(pickle.dumps(reader)) is reader
    assert copy.deepcopy(reader) is reader
    assert not any(weight.requires_grad for weight in reader.network.parameters())


def test_the_shipped_one_is_found_by_name():
    reader = SharedReader.named()
    assert (reader.name, reader.width, reader.max_tokens) == ("reader_en_sm", 400, 256)


def test_words_are_looked_up_beside_any_text(reader):
    found = reader.look_up(["Ann", "Oslo", "Ann"])
    assert found.shape == (3, reader.word_width)
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[:, : reader.words.width], torch.from_numpy(reader.words.vectors(["Ann", "Oslo", "Ann"])))
    assert not torch.equal(found[0], found[1])


def test_what_is_no_reader_is_refused(tmp_path):
    with pytest.raises(ResourceError, match="is not a reader"):
        SharedReader(tmp_path)


def test_a_reader_of_another_word_table_is_refused(folder, tmp_path):
    cfg = (folder / "cfg").read_text().replace(WordTable.named().digest, "another")
    (tmp_path / "cfg").write_text(cfg)
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match="another word table"):
        SharedReader(tmp_path)


def test_states_are_those_of_the_visible_tokens(reader, nlp):
    found = read_states(list(nlp.pipe(TEXTS)), reader)
    assert found.states.shape == (len(found.tokens.word), reader.width) == (25, 10)
    assert found.states.dtype == torch.float32
    some = np.array([20, 3, 3, 9])
    assert torch.equal(found.rows(some), found.states[torch.from_numpy(some)])


def test_nothing_has_no_states(reader, nlp):
    for docs in ([], [nlp("")], [nlp(""), nlp("\n")]):
        assert read_states(docs, reader).states.shape == (0, reader.width)


def test_what_is_read_together_changes_nothing(reader, nlp):
    together = read_states(list(nlp.pipe(TEXTS)), reader).states
    alone = torch.cat([read_states([nlp(text)], reader).states for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-6)


def test_white_space_changes_nothing(reader, nlp):
    text = TEXTS[-1]
    plain, changed = (read_states([nlp(t)], reader).states for t in (text, "\n" + text.replace(" ", "\n  ")))
    assert torch.equal(plain, changed)


def test_a_doc_is_read_once(reader, nlp, reads):
    docs = list(nlp.pipe(TEXTS))
    first = read_states(docs[:2], reader).states
    assert sum(reads) == 12
    again = read_states(docs, reader).states
    assert sum(reads) == 25
    assert torch.equal(first, again[:12])
    read_states(docs[::-1], reader)
    assert sum(reads) == 25


def test_a_doc_with_other_tokens_is_read_again(reader, nlp, reads):
    doc = nlp("Ann met Bob in Oslo.")
    read_states([doc], reader)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert len(read_states([doc], reader).states) == len(doc) == 5
    assert reads == [6, 5]


def test_states_go_with_the_doc(reader, nlp):
    doc = nlp(TEXTS[0])
    read_states([doc], reader)
    assert len(reader.kept) == 1
    del doc
    gc.collect()
    assert len(reader.kept) == 0


def test_only_so_many_states_are_kept(reader, nlp, monkeypatch, reads):
    monkeypatch.setattr(reader.kept, "most", 17)
    docs = list(nlp.pipe(TEXTS))
    for doc in docs:
        read_states([doc], reader)
    assert set(reader.kept) == set(docs[1:])
    read_states([docs[0]], reader)
    assert set(reader.kept) == {docs[0]}
    assert sum(reads) == 25 + 9


def test_a_long_doc_is_kept_in_half_precision(reader, nlp, monkeypatch):
    doc, short = nlp(TEXTS[-1]), nlp(TEXTS[1])
    exact = read_states([doc], reader).states
    monkeypatch.setattr(shared, "MAX_EXACT", 5)
    reader.kept.forget()
    found = read_states([short, doc], reader)
    assert [part.dtype for part in found.parts] == [torch.float32, torch.float16]
    assert found.states.dtype == found.rows(np.array([2, 5])).dtype == torch.float32
    assert torch.allclose(found.states[3:], exact, atol=1e-3)
    assert torch.equal(found.rows(np.array([5, 1])), found.states[[5, 1]])


def test_batches_end_where_they_are_large(nlp, monkeypatch):
    monkeypatch.setattr(shared, "MAX_TOKENS", 10)
    docs = [Doc(nlp.vocab, words=["a"] * size) for size in (3, 3, 5, 30, 1, 1, 1)]
    assert [[len(doc) for doc in batch] for batch in by_tokens(iter(docs), 2)] == [[3, 3], [5, 30], [1, 1], [1]]
    assert [[len(doc) for doc in batch] for batch in by_tokens(docs, 9)] == [[3, 3, 5], [30], [1, 1, 1]]


def test_threads_find_the_same(reader, nlp, monkeypatch):
    monkeypatch.setattr(reader.kept, "most", 30)
    docs = list(nlp.pipe(10 * TEXTS))
    alone = [read_states([nlp(doc.text)], reader).states for doc in docs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda doc: read_states([doc], reader).states, 3 * docs))
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(found, 3 * alone, strict=True))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_a_fork_does_not_wait_for_a_lock_of_its_parent(folder, nlp):
    reader = SharedReader.named(str(folder))
    doc = nlp(TEXTS[0])
    with reader.kept._lock:
        child = multiprocessing.get_context("fork").Process(target=read_states, args=([doc], reader))
        child.start()
        child.join(60)
    assert child.exitcode == 0
