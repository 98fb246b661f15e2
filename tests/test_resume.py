"""Jobs that end before they are done: killed at certain points, and run again."""

import errno
import json
import logging.handlers
import multiprocessing
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from helpers import graph_of, make_nlp

import kgmrca
from kgmrca.convert import convert
from kgmrca.errors import InputError, KgmrcaError, OutputError
from kgmrca.jobs import machine, run, shards
from kgmrca.jobs.manifest import Counts, Manifest, job_folder, open_manifest
from kgmrca.jobs.shards import shards_of

pytestmark = pytest.mark.usefixtures("small_shards")

TEXTS = [
    "Marie Curie was born in Warsaw.",
    "Warsaw is in Poland.",
    "CRASH",
    "Orson Welles wrote and directed Citizen Kane.",
]

# A job that kills itself when it calls a certain function for the n-th time, before or after what that does.
KILLED = """
import os, signal, sys
from helpers import graph_of, make_nlp
import kgmrca.convert, kgmrca.jobs.manifest, kgmrca.jobs.run, kgmrca.jobs.shards

name, when, number, source, output = sys.argv[1:]
kgmrca.jobs.shards._MAX_RECORDS = 8
place, attribute = {
    "mark": (kgmrca.jobs.manifest.Manifest, "mark"),
    "write": (kgmrca.jobs.run, "write"),
    "assemble": (kgmrca.convert, "write"),
}[name]
original, calls = getattr(place, attribute), []

def killing(*args, **options):
    calls.append(args)
    if len(calls) == int(number) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    original(*args, **options)
    if len(calls) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)

setattr(place, attribute, killing)
kgmrca.convert.convert(source, output, nlp=make_nlp())
"""


@pytest.fixture
def source(tmp_path):
    """A folder with three files of 20 records each, some of them bad."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        write_records(folder / f"{name}.jsonl", name)
    return folder


def write_records(path, name, *, first="no JSON"):
    rows = [json.dumps({"id": f"{name}{number}", "text": TEXTS[number % 4], "number": number}) for number in range(19)]
    path.write_text("\n".join([first, *rows]) + "\n")


def killed(source, output, name, when, number):
    command = [sys.executable, "-c", KILLED, name, when, str(number), str(source), str(output)]
    status = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=False).returncode
    assert status == -signal.SIGKILL
    assert not output.exists()


@pytest.mark.parametrize(
    ("name", "when", "number", "missing"),
    [("mark", "before", 1, 0), ("write", "before", 3, 2), ("mark", "after", 4, 4), ("assemble", "after", 1, None)],
)
def test_a_killed_job_goes_on_where_it_was(source, tmp_path, nlp, marks, name, when, number, missing):
    convert(source, tmp_path / "whole.ttl", nlp=nlp)
    everything = marks.copy()
    marks.clear()
    output = tmp_path / "graph.ttl"
    killed(source, output, name, when, number)
    summary = convert(source, output, nlp=nlp)
    assert marks == ([] if missing is None else everything[missing:])
    assert graph_of(output) == graph_of(tmp_path / "whole.ttl")
    assert (summary.documents, summary.rejected) == (42, 18)
    assert sorted(path.name for path in tmp_path.iterdir() if "graph" in path.name) == [
        "graph.ttl",
        "graph.ttl.rejected.jsonl",
    ]


def test_in_shards_the_graph_is_the_same_as_at_once(source, tmp_path, nlp, monkeypatch):
    convert(source, tmp_path / "shards.ttl", nlp=nlp)
    monkeypatch.setattr("kgmrca.jobs.shards._MAX_RECORDS", 1000)
    convert(source, tmp_path / "once.ttl", nlp=nlp)
    assert graph_of(tmp_path / "shards.ttl") == graph_of(tmp_path / "once.ttl")


@pytest.mark.parametrize(
    ("name", "provenance"), [("g.trig", "graphs"), ("g.ttl", "rdf12"), ("g.rdf", "wikidata"), ("g.jsonld", "graphs")]
)
def test_every_format_is_the_same_in_shards(source, tmp_path, nlp, monkeypatch, name, provenance):
    convert(source, tmp_path / f"shards-{name}", nlp=nlp, provenance=provenance)
    monkeypatch.setattr("kgmrca.jobs.shards._MAX_RECORDS", 1000)
    convert(source, tmp_path / f"once-{name}", nlp=nlp, provenance=provenance)
    shards, once = ((tmp_path / f"{how}-{name}").read_bytes() for how in ("shards", "once"))
    end = once.index(b"kgmrca#Run" if b"kgmrca#Run" in once else b"kgmrca:Run")
    assert shards[:end] == once[:end]


def interrupt(monkeypatch, **options):
    """Run a job that is interrupted when all shards are done."""
    with monkeypatch.context() as patch:
        patch.setattr("kgmrca.convert.write", lambda *args, **options: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            convert(**options)


def test_what_was_found_before_is_counted(source, tmp_path, nlp, monkeypatch):
    whole = convert(source, tmp_path / "whole.ttl", nlp=nlp, ontology="schema")
    options = {"inputs": source, "output": tmp_path / "graph.ttl", "nlp": nlp, "ontology": "schema"}
    interrupt(monkeypatch, **options)
    resumed = convert(**options)
    for name in ("documents", "sentences", "entities", "statements", "rejected", "predicates", "unmapped"):
        assert getattr(resumed, name) == getattr(whole, name)
        assert getattr(whole, name)


def test_of_a_changed_file_only_its_shards_are_read_again(source, tmp_path, nlp, marks, monkeypatch, caplog):
    output = tmp_path / "graph.ttl"
    interrupt(monkeypatch, inputs=source, output=output, nlp=nlp)
    before = marks.copy()
    write_records(source / "b.jsonl", "b", first='{"id": "b", "text": "Warsaw is in Poland. Really."}')
    marks.clear()
    convert(source, output, nlp=nlp)
    assert 1 <= len(marks) <= len(before) // 2
    assert "has changed" in caplog.text
    convert(source, tmp_path / "whole.ttl", nlp=nlp)
    assert graph_of(output) == graph_of(tmp_path / "whole.ttl")


def test_with_other_options_all_is_read_again(source, tmp_path, nlp, marks, monkeypatch, caplog):
    interrupt(monkeypatch, inputs=source, output=tmp_path / "graph.ttl", nlp=nlp)
    n_shards = len(marks)
    convert(source, tmp_path / "graph.ttl", nlp=nlp, threshold=0.6)
    assert len(marks) == 2 * n_shards
    assert "these have changed: thresholds" in caplog.text


def test_a_job_can_begin_anew(source, tmp_path, nlp, marks, monkeypatch):
    interrupt(monkeypatch, inputs=source, output=tmp_path / "graph.ttl", nlp=nlp)
    n_shards = len(marks)
    convert(source, tmp_path / "graph.ttl", nlp=nlp, restart=True)
    assert len(marks) == 2 * n_shards


def test_one_job_an_output(source, tmp_path, nlp):
    folder = job_folder(tmp_path / "graph.ttl")
    with open_manifest(folder), pytest.raises(InputError, match="Another job is writing the same output"):
        convert(source, tmp_path / "graph.ttl", nlp=nlp)


def test_a_mark_that_was_cut_off_counts_as_none(tmp_path):
    manifest = Manifest(tmp_path)
    for digest in ("first", "second", "third"):
        manifest.part(digest).touch()
    manifest.mark("first", Counts(documents=3))
    with (tmp_path / "done.jsonl").open("a") as file:
        file.write('\n{"shard": "second", "cou')
    assert Manifest(tmp_path).done == {"first": Counts(documents=3)}
    manifest.mark("third", Counts(documents=4))
    assert Manifest(tmp_path).done == {"first": Counts(documents=3), "third": Counts(documents=4)}


def test_a_shard_without_its_file_is_not_done(tmp_path):
    Manifest(tmp_path).mark("digest", Counts())
    assert Manifest(tmp_path).done == {}


def test_shards_hold_all_records_in_their_order(source):
    from kgmrca.corpora.documents import read_documents
    from kgmrca.corpora.inputs import find_inputs

    records = list(read_documents(find_inputs([source]), vocab=make_nlp().vocab, max_length=1000))
    shards = list(shards_of(records, settings=""))
    assert [record for shard in shards for record in shard.records] == records
    assert all(len(shard.records) <= 8 for shard in shards)
    assert {shard.digest for shard in shards}.isdisjoint(shard.digest for shard in shards_of(records, settings="other"))


# A folder as output.


def shards_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("run.nq", ".job")}


def test_a_folder_gets_the_shards_and_the_run(source, tmp_path, nlp, marks):
    convert(source, tmp_path / "whole.nq", nlp=nlp)
    marks.clear()
    summary = convert(source, f"{tmp_path}/shards/", nlp=nlp)
    files = shards_in(tmp_path / "shards")
    assert files.pop("rejected.jsonl") == (tmp_path / "whole.nq.rejected.jsonl").read_bytes()
    assert sorted(files) == sorted(f"{digest}.nq" for digest in marks)
    assert summary.rejected_to == tmp_path / "shards" / "rejected.jsonl"
    lines = b"".join([*files.values(), (tmp_path / "shards" / "run.nq").read_bytes()]).splitlines()
    of_run = re.compile(rb"/prov#(startedAt|endedAt)Time>")
    whole = (tmp_path / "whole.nq").read_bytes().splitlines()
    assert sorted(line for line in lines if not of_run.search(line)) == sorted(
        line for line in whole if not of_run.search(line)
    )


def test_more_input_adds_to_a_folder_and_less_removes_from_it(source, tmp_path, nlp, marks):
    output = f"{tmp_path}/shards/"
    convert(source, output, nlp=nlp)
    before, n_shards = shards_in(tmp_path / "shards"), len(marks)
    marks.clear()
    (tmp_path / "more").mkdir()
    write_records(tmp_path / "more" / "d.jsonl", "d")
    convert([source, tmp_path / "more"], output, nlp=nlp)
    assert 1 <= len(marks) < n_shards
    assert len(shards_in(tmp_path / "shards")) > len(before)
    convert(source, output, nlp=nlp)
    assert shards_in(tmp_path / "shards") == before


def test_a_folder_that_was_interrupted_is_gone_on_with(source, tmp_path, nlp, marks, monkeypatch):
    output = f"{tmp_path}/shards/"
    interrupt(monkeypatch, inputs=source, output=output, nlp=nlp)
    assert not (tmp_path / "shards" / "run.nq").exists()
    n_shards = len(marks)
    convert(source, output, nlp=nlp)
    assert len(marks) == n_shards
    assert (tmp_path / "shards" / "run.nq").exists()


def test_a_folder_of_something_else_is_refused(source, tmp_path, nlp):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "graph.nq").touch()
    with pytest.raises(InputError, match="has other files than those of such a job"):
        convert(source, f"{tmp_path}/other/", nlp=nlp)
    with pytest.raises(InputError, match="N-Quads, not the format 'turtle'"):
        convert(source, f"{tmp_path}/new/", nlp=nlp, format="turtle")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "other"]


def test_the_time_of_each_component_is_taken(source, tmp_path, nlp):
    whole = convert(source, tmp_path / "whole.ttl", nlp=nlp)
    stages = {"reading", "pipeline", "statements", "writing", "assembling", "wall"}
    assert whole.seconds.keys() == stages
    summary = convert(source, tmp_path / "graph.ttl", nlp=nlp, by_component=True)
    assert summary.seconds.keys() == stages | {f"pipeline: {name}" for name in nlp.pipe_names}
    assert all(seconds > 0 for seconds in summary.seconds.values())
    assert graph_of(tmp_path / "graph.ttl") == graph_of(tmp_path / "whole.ttl")


# In several processes, which fork where that is safe, and elsewhere load a pipeline from disk.


@pytest.fixture(scope="module")
def shipped():
    return kgmrca.load()


@pytest.fixture
def killing(monkeypatch):
    """Kill a worker process when certain shards (by number) have been marked."""

    def kill_at(numbers):
        original, calls = Manifest.mark, []

        def mark(manifest, digest, counts):
            original(manifest, digest, counts)
            calls.append(digest)
            if len(calls) in numbers:
                multiprocessing.active_children()[0].kill()

        monkeypatch.setattr(Manifest, "mark", mark)

    return kill_at


def lose_a_worker(source, folder, *, is_forked):
    """Read by one worker and by two of which one is killed. It needs a process without other threads, to fork."""
    said, forks, marked = logging.handlers.BufferingHandler(100), [], []
    logging.getLogger("kgmrca").addHandler(said)
    mark, pool = Manifest.mark, run.process_pool

    def marking(manifest, digest, counts):
        mark(manifest, digest, counts)
        marked.append(digest)
        if len(forks) == 1:
            multiprocessing.active_children()[0].kill()

    def noting(*arguments, fork):
        forks.append(fork)
        return pool(*arguments, fork=fork)

    shards._MAX_RECORDS = 8
    run.available_cpus = lambda: 2
    if not is_forked:
        run.can_fork = lambda: False
    Manifest.mark, run.process_pool = marking, noting
    shipped = kgmrca.load()
    convert(source, folder / "one.ttl", nlp=shipped)
    assert marked
    assert not forks
    convert(source, folder / "two.ttl", nlp=shipped, workers=2)
    assert forks == [is_forked, is_forked]
    assert any("A worker process was lost" in record.getMessage() for record in said.buffer)


@pytest.mark.parametrize("is_forked", [True, False], ids=["forked", "afresh"])
def test_two_workers_give_the_same_graph_even_if_one_is_lost(source, tmp_path, is_forked):
    spawned = multiprocessing.get_context("spawn").Process(
        target=lose_a_worker, args=(source, tmp_path), kwargs={"is_forked": is_forked}
    )
    spawned.start()
    spawned.join()
    assert spawned.exitcode == 0
    assert graph_of(tmp_path / "two.ttl") == graph_of(tmp_path / "one.ttl")


def test_a_shard_with_which_workers_are_lost_twice_ends_the_job(source, tmp_path, shipped, killing):
    killing(range(1, 100))
    with pytest.raises(KgmrcaError, match="A process was killed"):
        convert(source, tmp_path / "graph.ttl", nlp=shipped, workers=2)
    assert not (tmp_path / "graph.ttl").exists()
    assert len(Manifest(job_folder(tmp_path / "graph.ttl")).done) >= 2


def test_one_shard_that_is_missing_starts_no_process(source, tmp_path, nlp, monkeypatch):
    convert(source, tmp_path / "whole.ttl", nlp=nlp)
    killed(source, tmp_path / "graph.ttl", "assemble", "after", 1)
    done = job_folder(tmp_path / "graph.ttl") / "done.jsonl"
    done.write_text("\n".join(done.read_text().splitlines()[:-1]))
    monkeypatch.setattr("kgmrca.jobs.run.process_pool", None)
    convert(source, tmp_path / "graph.ttl", nlp=nlp, workers=2)
    assert graph_of(tmp_path / "graph.ttl") == graph_of(tmp_path / "whole.ttl")


# Other ends.


def test_a_full_disk_while_a_shard_is_marked_loses_nothing(source, tmp_path, nlp, monkeypatch):
    convert(source, tmp_path / "whole.ttl", nlp=nlp)
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kgmrca.jobs.manifest.os.fsync", full)
        with pytest.raises(OutputError, match=r"cannot be written: No space left on device"):
            convert(source, tmp_path / "graph.ttl", nlp=nlp)
    assert not (tmp_path / "graph.ttl").exists()
    assert Manifest(job_folder(tmp_path / "graph.ttl")).done
    convert(source, tmp_path / "graph.ttl", nlp=nlp)
    assert graph_of(tmp_path / "graph.ttl") == graph_of(tmp_path / "whole.ttl")


def test_other_weights_are_another_pipeline(source, tmp_path, nlp, marks, monkeypatch, caplog):
    nlp.to_disk(tmp_path / "pipeline")
    options = {"inputs": source, "output": tmp_path / "graph.ttl"}
    interrupt(monkeypatch, nlp=spacy.load(tmp_path / "pipeline"), **options)
    n_shards = len(marks)
    (tmp_path / "pipeline" / "weights").write_bytes(b"of a component that does not say which ones it has")
    convert(nlp=spacy.load(tmp_path / "pipeline"), **options)
    assert len(marks) == 2 * n_shards
    assert "these have changed: pipeline" in caplog.text


def test_texts_that_are_saved_already_are_not_written_again(source, tmp_path, nlp, monkeypatch):
    options = {"inputs": source, "output": tmp_path / "graph.ttl", "nlp": nlp, "save_text": tmp_path / "texts"}
    interrupt(monkeypatch, **options)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "texts").iterdir()}
    convert(**options)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "texts").iterdir()}
    assert len(before) == len(TEXTS)


def test_a_stream_leaves_no_folder(source, tmp_path, nlp, monkeypatch):
    with (source / "a.jsonl").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        interrupt(monkeypatch, inputs="-", output=tmp_path / "graph.ttl", nlp=nlp, input_format="jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


# What this machine has.


def test_processors_are_those_of_the_container(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(8), raising=False)
    assert machine.available_cpus(tmp_path) == 8
    for quota, expected in (("max 100000", 8), ("250000 100000", 2), ("10000 100000", 1), ("900000 100000", 8)):
        (tmp_path / "cpu.max").write_text(quota)
        assert machine.available_cpus(tmp_path) == expected


def test_memory_is_that_of_the_container(tmp_path):
    meminfo = tmp_path / "meminfo"
    assert machine.available_memory(tmp_path, meminfo) is None
    meminfo.write_text("MemTotal:  900 kB\nMemAvailable:  500 kB\n")
    assert machine.available_memory(tmp_path, meminfo) == 512_000
    (tmp_path / "memory.max").write_text("300000")
    (tmp_path / "memory.current").write_text("100000")
    assert machine.available_memory(tmp_path, meminfo) == 200_000


@pytest.mark.parametrize(("memory", "expected"), [(None, 8), (10**12, 8), (3 * 10**9, 3), (10**6, 1)])
def test_workers_need_memory(monkeypatch, memory, expected):
    monkeypatch.setattr(machine, "available_cpus", lambda: 8)
    monkeypatch.setattr(machine, "available_memory", lambda: memory)
    assert machine.default_workers() == expected
