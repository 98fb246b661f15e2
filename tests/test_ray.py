"""Shards and Datasets on a real Ray cluster of this machine."""

import gc
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from helpers import graph_of

import kgmrca
from kgmrca.convert import convert, convert_dataset
from kgmrca.errors import InputError
from kgmrca.jobs.manifest import Manifest

ray = pytest.importorskip("ray", reason="Ray is not installed")

# Ray leaves files and sockets of its own open, and uses what it has deprecated itself.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("small_shards")]

PERSONS = ["Marie Curie", "Pierre Curie", "Ada Lovelace", "Grace Hopper"]
PLACES = ["Warsaw", "Paris", "London", "New York"]


@pytest.fixture(autouse=True)
def no_zombies():
    """Ask after the processes that Ray has ended, which it does not do: Python would warn of them later."""
    yield
    for process in [thing for thing in gc.get_objects() if isinstance(thing, subprocess.Popen)]:
        if "ray" in str(process.args):
            process.wait(timeout=60)


@pytest.fixture(scope="module")
def shipped():
    return kgmrca.load()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.jsonl"
    texts = [f"{PERSONS[k % 4]} was born in {PLACES[k // 4 % 4]} and lives in Berlin ({k})." for k in range(60)]
    path.write_text("".join(json.dumps({"id": f"d{k}", "text": text, "k": k}) + "\n" for k, text in enumerate(texts)))
    with path.open("a") as file:
        file.write("no JSON\n")
    return path


def worker_processes():
    """The processes of Ray's workers on this machine."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                title = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"ray::") and b"_ShardWorker" in title:
                found.append(int(folder.name))
    return found


def test_the_graph_is_that_of_one_machine_though_a_worker_is_killed(source, tmp_path, shipped, monkeypatch):
    convert(source, tmp_path / "here.ttl", nlp=shipped)
    killed = []
    mark = Manifest.mark

    def killing(manifest, *shard):
        mark(manifest, *shard)
        if not killed:
            killed.append(worker_processes()[0])
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(Manifest, "mark", killing)
    summary = convert(source, tmp_path / "ray.ttl", nlp=shipped, ray="local", workers=2)
    assert len(killed) == 1
    assert (summary.documents, summary.rejected) == (60, 1)
    assert graph_of(tmp_path / "ray.ttl") == graph_of(tmp_path / "here.ttl")
    assert not ray.is_initialized()


def test_a_job_that_was_killed_goes_on_on_the_cluster_and_the_other_way_round(source, tmp_path, shipped, monkeypatch):
    convert(source, tmp_path / "here.ttl", nlp=shipped)
    marked = []
    mark = Manifest.mark

    def interrupting(manifest, digest, counts):
        mark(manifest, digest, counts)
        marked.append(digest)
        if len(marked) in (2, 5):
            raise KeyboardInterrupt

    monkeypatch.setattr(Manifest, "mark", interrupting)
    for cluster in (None, "local"):
        with pytest.raises(KeyboardInterrupt):
            convert(source, tmp_path / "graph.ttl", nlp=shipped, ray=cluster, workers=1)
    convert(source, tmp_path / "graph.ttl", nlp=shipped, ray="local", workers=1)
    assert len(marked) == len(set(marked))
    assert graph_of(tmp_path / "graph.ttl") == graph_of(tmp_path / "here.ttl")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", "There is no Ray cluster at '127.0.0.1:9'"),
        ("auto", "There is no Ray cluster at 'auto'"),
        ("somewhere", "'somewhere' is no address of a Ray cluster: write HOST:PORT, auto, or local."),
        ("ray://127.0.0.1:10001", "'ray://127.0.0.1:10001' is no address of a Ray cluster"),
    ],
)
def test_the_command_says_that_there_is_no_cluster(source, tmp_path, shipped, address, said):
    with pytest.raises(InputError, match=re.escape(said)):
        convert(source, tmp_path / "graph.ttl", nlp=shipped, ray=address)
    assert list(tmp_path.iterdir()) == [source]


def without_scores(lines):
    """Lines of N-Quads, and the confidence of each statement, whose last digit depends on what is read together."""
    kept, scores = set(), {}
    for line in lines:
        subject, predicate, value = line.split(" ", 2)
        if predicate == "<https://w3id.org/kgmrca#confidence>":
            scores[subject] = float(value.split('"')[1])
        else:
            kept.add(line)
    return kept, scores


def test_a_dataset_gets_the_graph_of_each_document(shipped, source, tmp_path):
    convert(source, tmp_path / "here.nq", nlp=shipped)
    rows = [json.loads(line) for line in source.read_text().splitlines()[:60]]
    rows.append({"id": "nothing", "text": None, "k": -1})
    ray.init(address="local", include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False, num_cpus=2)
    try:
        dataset = ray.data.from_items(rows)
        with pytest.raises(InputError, match="no column 'abstract'"):
            convert_dataset(dataset, nlp=shipped, text="abstract")
        found = {row["id"]: row for row in convert_dataset(dataset, nlp=shipped, workers=1).iter_rows()}
    finally:
        ray.shutdown()
    assert found["nothing"] == {"id": "nothing", "rdf": "", "statements": 0, "reason": "There is no text in 'text'."}
    assert len(found) == 61
    lines, scores = without_scores(line for row in found.values() for line in row["rdf"].splitlines())
    whole, whole_scores = without_scores((tmp_path / "here.nq").read_text().splitlines())
    assert lines <= whole
    assert scores == pytest.approx(whole_scores, abs=0.0002)
    of_job = ("kgmrca#documents>", "kgmrca#statements>", "kgmrca#rejected>", "#startedAtTime>", "#endedAtTime>")
    assert sorted(line for line in whole - lines if not any(name in line for name in of_job)) == []
    assert len(whole - lines) == len(of_job)


def test_from_a_store_to_a_store(source, tmp_path, shipped, store):
    store.put_file(str(source), "papers/in.jsonl")
    convert(source, tmp_path / "here.ttl", nlp=shipped)
    convert("s3://papers/in.jsonl", "s3://papers/there.ttl", nlp=shipped, ray="local", workers=1)
    store.get("papers/there*", f"{tmp_path}/")
    there, rejected = graph_of(tmp_path / "there.ttl")
    assert there == graph_of(tmp_path / "here.ttl")[0]
    assert b'"in.jsonl:61"' in rejected
