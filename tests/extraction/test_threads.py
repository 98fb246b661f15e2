"""One pipeline in several threads gives what it gives in one."""

import sys
import threading

import numpy as np
import pytest
import spacy
from helpers import write_encoder
from spacy.training import Example

import kgmrca
from kgmrca.relations import Relation, get_plain_relations

N_THREADS = 4
TEXTS = [
    f"{person} was born in {place}, and {other} died in {place} in {1800 + number}."
    for number, (person, other, place) in enumerate(
        [
            ("Lena Vorhaus", "Otto Klemm", "Hamburg"),
            ("Mirko Adlersson", "Ines Quandt", "Lisbon"),
            ("Tove Brandmeier", "Paul Ostrek", "Warsaw"),
            ("Ada Felsing", "Hugo Marenz", "Vienna"),
        ]
        * 10
    )
]


@pytest.fixture(autouse=True)
def threads_take_turns_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def answer(doc):
    return [(span.start, span.end, span.label_) for span in doc.ents], get_plain_relations(doc)


def in_threads(nlp):
    """The answers for `TEXTS` of threads that start together, each at another place of the list."""
    answers = [[None] * len(TEXTS) for _ in range(N_THREADS)]
    barrier = threading.Barrier(N_THREADS)

    def work(thread):
        barrier.wait()
        for number in np.roll(np.arange(len(TEXTS)), thread * len(TEXTS) // N_THREADS).tolist():
            answers[thread][number] = answer(nlp(TEXTS[number]))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_shipped_pipeline():
    expected = [answer(doc) for doc in map(kgmrca.load(), TEXTS)]
    assert all(records for _, records in expected)
    assert in_threads(kgmrca.load()) == N_THREADS * [expected]


def test_a_transformer(tmp_path):
    folder = write_encoder(tmp_path, sorted({word.strip(",.").lower() for text in TEXTS for word in text.split()}))
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": name} for name in ("Lena Vorhaus", "Otto Klemm", "Ada Felsing")])
    ruler.add_patterns([{"label": "GPE", "pattern": name} for name in ("Hamburg", "Vienna")])
    # A ruler without a pattern of tokens warns, and how it silences that is not safe in threads.
    ruler.add_patterns([{"label": "GPE", "pattern": [{"ORTH": "Atlantis"}]}])
    words = {"@misc": "kgmrca.Transformer.v1", "name": str(folder)}
    model = {"@architectures": "kgmrca.PairMRCA.v1", "words": words, "dropout": 0.9}
    pipe = nlp.add_pipe("mrca_relations", config={"pretrained": None, "threshold": 0, "model": model})
    doc = ruler(nlp.make_doc(TEXTS[0]))
    doc._.relations = [Relation(doc.ents[0], doc.ents[1], "born in")]
    pipe.initialize(lambda: [Example(doc, doc)])
    expected = [answer(doc) for doc in map(nlp, TEXTS)]
    assert any(records for _, records in expected)
    assert in_threads(nlp) == N_THREADS * [expected]
