"""What `benchmarks/combine.py` and `benchmarks/linking.py` read with the shipped pipeline."""

import gzip
import importlib
import json
from pathlib import Path

import pytest

import kgmrca

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def write(path, record):
    (path.parent / "relations.tsv").write_text("relation\twikidata_pid\tlabel\nP19\tP19\tplace of birth\n")
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def test_linking_reads_names_items_and_relations(benchmark, tmp_path):
    record = {
        "id": "one",
        "tokens": ["Marie", "Curie", "was", "born", "in", "Warsaw", "."],
        "entities": [
            {"start": 0, "end": 2, "type": "PER", "text": "Marie Curie", "qid": "Q7186"},
            {"start": 5, "end": 6, "type": "LOC", "text": "Warsaw", "qid": "Q270"},
        ],
        "relations": [{"subject": 0, "object": 1, "predicate": "P19"}],
    }
    write(tmp_path / "dev.jsonl.gz", record)
    (sentence,) = benchmark("linking").read(tmp_path / "dev.jsonl.gz")
    assert [entity.name for entity in sentence.entities] == ["Marie Curie", "Warsaw"]
    assert sentence.items == ["Q7186", "Q270"]
    assert [(pair.subject, pair.object, pair.property) for pair in sentence.gold] == [(0, 1, "P19")]
    assert (0, 1, "P19") in [(pair.subject, pair.object, pair.property) for pair in sentence.predicted]


def test_a_fact_is_read_once_in_each_sentence(benchmark, tmp_path):
    sentence = ["Marie", "Curie", "was", "born", "in", "Warsaw", "."]
    record = {
        "title": "Curie",
        "sents": [sentence, sentence],
        "vertexSet": [
            [{"name": "Marie Curie", "sent_id": number, "pos": [0, 2], "type": "PER"} for number in (0, 1)],
            [{"name": "Warsaw", "sent_id": number, "pos": [5, 6], "type": "LOC"} for number in (0, 1)],
        ],
        "labels": [{"h": 0, "t": 1, "r": "P19", "evidence": [0]}],
    }
    write(tmp_path / "documents.test.jsonl.gz", record)
    readings = list(benchmark("combine").read(kgmrca.load(), tmp_path, threshold=0.5))
    born = [reading for reading in readings if reading.fact[1] == "place of birth"]
    assert [reading.sentence for reading in born] == [0, len(sentence)]
    assert all(reading.is_true for reading in born)
