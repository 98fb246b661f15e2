"""What `benchmarks/corpus.py` measures, in small."""

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def test_every_kind_of_broken_record_is_set_aside_with_its_place_and_no_other(benchmark, tmp_path):
    formats = benchmark("formats")
    (tmp_path / "corpus").mkdir()
    wrong = formats.make_malformed(tmp_path / "corpus", n_good=1100, n_each=1)
    n_converted, found, n_others = formats.set_aside(tmp_path / "corpus", wrong, tmp_path / "graph.nt")
    assert len(formats.KINDS) == 25
    assert found == dict.fromkeys(formats.KINDS, 1)
    assert (n_converted, n_others) == (1100, 0)


@pytest.mark.filterwarnings("ignore")  # of the tools that make the files
def test_the_text_is_read_of_every_format(benchmark, tmp_path, capsys):
    formats = benchmark("formats")
    texts = {format: formats.texts_of(path) for format, path, _ in formats.make_formats(tmp_path)}
    assert len(texts) >= 15
    assert {format for format, found in texts.items() if len(found) != 1 or formats.TEXT not in found[0]} == set()


def test_a_corpus_has_new_words_up_to_the_end(benchmark, tmp_path):
    corpus = benchmark("corpus")
    corpus.write_corpus(tmp_path / "a.jsonl", corpus.sentences(None), 50)
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert len({row["text"] for row in rows}) == 5
    assert rows[4]["text"].endswith("Zork4a Blib4b was born in Krono4c.")


def test_a_job_is_killed_or_done(benchmark, tmp_path):
    corpus = benchmark("corpus")
    busy = [sys.executable, "-c", "while True: pass"]
    works_and_waits = "import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(1)"
    for clock in (corpus.processor_seconds, corpus.seconds_passed):
        was_killed, spent = corpus.killed(busy, 0.1, tmp_path, clock)
        assert was_killed
        assert 0.1 <= spent < 60
        assert corpus.ended([sys.executable, "-c", works_and_waits], tmp_path, clock) > 0
    with pytest.raises(SystemExit, match="no such luck"):
        corpus.killed(
            [sys.executable, "-c", "import sys; sys.exit('no such luck')"], 60, tmp_path, corpus.seconds_passed
        )


def test_shards_that_were_begun_are_told_from_those_that_are_done(benchmark, tmp_path):
    corpus = benchmark("corpus")
    one, other = "1" * 32, "2" * 32
    assert (corpus.marked(tmp_path), corpus.begun(tmp_path)) == ([], set())
    (tmp_path / "done.jsonl").write_text(f'\n{{"shard": "{one}"}}\n\n{{"sha')
    (tmp_path / f"{one}.nq").touch()
    (tmp_path / f".{other}.nq.a1b2.part").touch()
    assert (corpus.marked(tmp_path), corpus.begun(tmp_path)) == ([one], {one, other})


def test_graphs_are_compared_but_for_the_times_of_their_runs(benchmark, tmp_path):
    corpus = benchmark("corpus")
    (tmp_path / "a.jsonl").write_text('{"text": "Ada Byron met Bob Smith."}\n')
    output = tmp_path / "graph.nt"
    corpus.light_job(str(tmp_path / "a.jsonl"), str(output), "1")
    digest, text = corpus.graph_of(output), output.read_text()
    assert text.count("AtTime>") == 2
    output.write_text(re.sub(r'AtTime> "\d+', 'AtTime> "1999', text))
    assert corpus.graph_of(output) == digest
    output.write_text(text.replace("Ada", "Bob"))
    assert corpus.graph_of(output) != digest
