"""The sample of Wikidata that `benchmarks/namesakes.py` makes, of a document of our own."""

import gzip
import importlib
import json
from pathlib import Path

import pyoxigraph
import pytest

WD = "http://www.wikidata.org/entity/"
LABEL, ALIAS = "http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#altLabel"
SENTENCES = [
    {
        "doc": "GUM_news_lake",
        "tokens": ["Einstein", "sailed", "near", "Berlin", "."],
        "space_after": [True, True, True, False, True],
        "entities": [
            {"start": 0, "end": 1, "type": "PER", "qid": "Q937", "wiki": "Albert_Einstein"},
            {"start": 3, "end": 4, "type": "LOC", "qid": "Q64", "wiki": "Berlin"},
        ],
    },
    {
        "doc": "GUM_news_lake",
        "tokens": ["The", "Physicist", "liked", "it", "."],
        "space_after": [True, True, True, False, False],
        "entities": [{"start": 1, "end": 2, "type": "PER", "qid": "Q937", "wiki": "Albert_Einstein"}],
    },
]


@pytest.fixture
def namesakes(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    return importlib.import_module("namesakes")


@pytest.fixture
def data(tmp_path):
    for folder, name, lines in (
        ("ner_gum", "dev.jsonl.gz", map(json.dumps, SENTENCES)),
        ("ner_gum", "train.jsonl.gz", []),
        ("wikidata_sample", "wikidata.nt.gz", [f"<{WD}Q937> <http://www.wikidata.org/prop/direct/P937> <{WD}Q64> ."]),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        with gzip.open(tmp_path / folder / name, "wt", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in lines)
    return tmp_path


def named(path, name):
    quads = pyoxigraph.parse(path=path)
    return {quad.subject.value.removeprefix(WD) for quad in quads if quad.object.value == name}


def test_documents_have_the_items_of_their_names(namesakes, data):
    ((document,), titles) = namesakes.read_documents(data)
    assert [(document.text(one), one.item) for one in document.mentions] == [
        ("Einstein", "Q937"),
        ("Berlin", "Q64"),
        ("Physicist", ""),  # which is no name
    ]
    assert titles == {"Q937": "Albert Einstein", "Q64": "Berlin"}
    assert document.sentence_starts == {0, 5}


def test_a_name_has_dozens_of_items(namesakes, data, tmp_path):
    namesakes.write_sample(tmp_path / "sample.nt", data)
    assert len(named(tmp_path / "sample.nt", "Berlin")) > 20
    assert "Q64" in named(tmp_path / "sample.nt", "Berlin")
    assert {"Q937"} == named(tmp_path / "sample.nt", "Albert Einstein")


def test_the_same_data_give_the_same_bytes(namesakes, data, tmp_path):
    for name in ("one.nt", "other.nt"):
        namesakes.write_sample(tmp_path / name, data)
    assert (tmp_path / "one.nt").read_bytes() == (tmp_path / "other.nt").read_bytes()


def test_every_item_is_described(namesakes):
    rows = namesakes.read_described()
    assert len(rows) == 2086
    assert all(row.classes and row.description and row.sitelinks > 0 for row in rows.values())
    assert rows["Q937"].years == ("1879", "1955")
    assert rows["Q635"].years == ("-69",)
