"""The cache as a file: damaged, read-only, of other versions, used by several threads and processes."""

import itertools
import multiprocessing
import os
import shutil
import sqlite3
import stat
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from server import WIKIDATA

from kgmrca.errors import InputError
from kgmrca.wikidata import lookups as module
from kgmrca.wikidata.cache import Cache
from kgmrca.wikidata.lookups import Lookups
from kgmrca.wikidata.records import NotChecked
from kgmrca.wikidata.sparql import open_endpoint

KEY = ("Q1", "")
OFFLINE = NotChecked("not in the cache, and offline")
NOBODY = 65534


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "wikidata.sqlite"


@pytest.fixture
def filled(path):
    """A file with all kinds of answers about Marie Curie."""
    with Lookups(open_endpoint(WIKIDATA), cache=path) as lookups:
        ask(lookups)
    return path


def ask(lookups):
    return [
        lookups.claims([("Q7186", "P19")]),
        lookups.items(["Q7186"]),
        lookups.profiles(["Q7186"]),
        lookups.properties(["P19"]),
        lookups.subclasses([("Q5", "Q35120")]),
        lookups.located_in([("Q270", "Q36")]),
        lookups.surrounded_by([("Q270", "Q36")]),
        lookups.candidates(["Marie Curie"]),
        lookups.connections([("Q7186", "Q37463")]),
        lookups.qualified([("Q7186", "P580")]),
    ]


def execute(path, *commands):
    connection = sqlite3.connect(path, isolation_level=None)
    for command in commands:
        connection.execute(*command) if isinstance(command, tuple) else connection.execute(command)
    connection.close()


### What this package did not write


@pytest.mark.parametrize(
    "kind",
    ["statements", "items", "properties", "classes", "places", "surroundings", "spellings", "connections", "profiles"],
)
@pytest.mark.parametrize("value", ["5", "{}", '"Q1"', "[5]", "[[]]", '{"id": "Q1"}', "no JSON", None])
def test_a_value_of_another_form_is_refused_in_words(filled, kind, value):
    value = value if value is not None else b"\xff\xfe"
    execute(filled, ("UPDATE facts SET value = ? WHERE kind = ?", (value, kind)))
    with Lookups(open_endpoint(WIKIDATA), cache=filled) as lookups, pytest.raises(InputError) as caught:
        ask(lookups)
    assert str(caught.value).startswith(f"The cache '{filled}' cannot be used: ")
    assert "remove the file" in str(caught.value)


@pytest.mark.parametrize("column", ["expires", "fetched"])
@pytest.mark.parametrize("value", ["never", "", b"1", float("inf"), -1.0])
def test_a_time_that_is_none_is_refused(filled, column, value):
    execute(filled, (f"UPDATE facts SET {column} = ?", (value,)))
    with Lookups(open_endpoint(WIKIDATA), cache=filled) as lookups:
        with pytest.raises(InputError, match="is no time"):
            ask(lookups)
        with pytest.raises(InputError, match="is no time"):
            lookups.claims_fetched([("Q7186", "P19")])
    if column == "fetched" or isinstance(value, str | bytes):
        with pytest.raises(InputError, match="is no time"):
            Cache(filled, read_only=True).usage(now=0)
    assert Cache(filled).clear() > 7


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1.0, "soon", None, True])
@pytest.mark.parametrize("name", ["fetched", "expires"])
def test_no_such_time_is_stored(path, name, time):
    with pytest.raises(InputError, match=f"`{name}` is a number of seconds"):
        Cache(path).put("a", "numbers", {KEY: 1}, **({"fetched": 0, "expires": 9} | {name: time}))
    assert Cache(path).get("a", "numbers", [KEY], after=0, now=0) == {}


def test_answers_cannot_be_used_for_less_than_no_time():
    with pytest.raises(InputError, match="max_age"):
        Lookups(open_endpoint(WIKIDATA), cache=None, max_age=timedelta(days=-1))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_cache_of_a_newer_version_is_refused_and_kept(filled, read_only):
    execute(filled, "PRAGMA user_version = 99")
    cache = Cache(filled, read_only=read_only)
    with pytest.raises(InputError, match="newer version"):
        cache.usage(now=0)
    execute(filled, "PRAGMA user_version = 1")
    assert cache.usage(now=0)[0].entries > 7
    cache.close()


def test_a_cache_of_an_older_version_is_emptied(filled):
    execute(filled, "PRAGMA user_version = 0")
    with pytest.raises(InputError, match="older version"):
        Cache(filled, read_only=True).usage(now=0)
    cache = Cache(filled)
    assert cache.usage(now=0) == []
    cache.close()


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:3000],
        lambda content: bytes(len(content)),
        lambda content: content[:4096] + bytes(range(256)) * ((len(content) - 4096) // 256),
        lambda content: b"no database, but text" * 99,
    ],
)
def test_a_damaged_file_is_refused_in_words_and_kept(filled, spoil, read_only):
    content = spoil(filled.read_bytes())
    filled.write_bytes(content)
    lookups = Lookups(open_endpoint(WIKIDATA), cache=filled, offline=read_only)
    with pytest.raises(InputError, match=r"cannot be used: .*remove the file"):
        ask(lookups)
    lookups.close()
    assert filled.read_bytes() == content


def test_a_database_of_another_program_is_refused(path):
    path.parent.mkdir()
    execute(path, "CREATE TABLE facts (x)")
    for read_only in (False, True):
        with pytest.raises(InputError, match=r"another program: name another file with --cache"):
            Cache(path, read_only=read_only).usage(now=0)


### Where nothing can be written


def test_a_full_disk_is_said_without_advice_to_remove_anything(path):
    cache = Cache(path)
    cache.put("a", "numbers", {KEY: 1}, fetched=0, expires=9)
    (pages,) = cache._connection().execute("PRAGMA page_count").fetchone()
    cache._connection().execute(f"PRAGMA max_page_count = {pages}")  # as SQLite has it on a full disk
    with pytest.raises(InputError) as caught:
        cache.put("a", "numbers", {(f"Q{number}", ""): "x" * 999 for number in range(99)}, fetched=0, expires=9)
    assert "full" in str(caught.value)
    assert str(path) in str(caught.value)
    assert "remove" not in str(caught.value)
    assert cache.get("a", "numbers", [KEY], after=0, now=0) == {KEY: 1}
    cache.close()


def test_a_full_disk_keeps_nothing_of_a_new_cache_in_which_nothing_is_stored(path):
    cache = Cache(path)
    cache.make_writable()
    (pages,) = cache._connection().execute("PRAGMA page_count").fetchone()
    cache._connection().execute(f"PRAGMA max_page_count = {pages}")
    assert path.exists()
    with pytest.raises(InputError, match="full"):
        cache.put("a", "numbers", {(f"Q{number}", ""): "x" * 999 for number in range(99)}, fetched=0, expires=9)
    assert list(path.parent.iterdir()) == []
    cache.close()


def test_a_full_disk_leaves_a_cache_that_was_there_before(filled):
    cache = Cache(filled)
    (pages,) = cache._connection().execute("PRAGMA page_count").fetchone()
    cache._connection().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(InputError, match="full"):
        cache.put("a", "numbers", {(f"Q{number}", ""): "x" * 999 for number in range(99)}, fetched=0, expires=9)
    cache.close()
    assert Cache(filled, read_only=True).usage(now=0)


def test_a_locked_cache_is_said_to_be_locked(filled, monkeypatch):
    monkeypatch.setattr("kgmrca.wikidata.cache._BUSY", 0.0)
    other = sqlite3.connect(filled, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    lookups = Lookups(open_endpoint(WIKIDATA), cache=filled)
    with pytest.raises(InputError, match="another program has locked it") as caught:
        lookups.items(["Q90"])
    lookups.close()
    assert "remove" not in str(caught.value)
    other.close()


@contextmanager
def unprivileged():
    """Be a user that may not write what it does not own, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def wikidata():
    """A copy that all users may read; the checkout may lie in a folder that they may not enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield shutil.copy(WIKIDATA, folder / "wikidata.ttl")
    shutil.rmtree(folder)


@pytest.fixture
def read_only(filled):
    """The cache, readable for all, in a folder without permission to write."""
    folder = Path(tempfile.mkdtemp())
    shutil.copy(filled, folder / "wikidata.sqlite")
    (folder / "wikidata.sqlite").chmod(0o444)
    folder.chmod(0o555)
    yield folder / "wikidata.sqlite"
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_cache_can_be_used_offline(read_only, filled, wikidata):
    with Lookups(open_endpoint(wikidata), cache=filled, offline=True) as lookups:
        expected = ask(lookups)
    with unprivileged(), Lookups(open_endpoint(wikidata), cache=read_only, offline=True) as lookups:
        assert ask(lookups) == expected
        assert lookups.items(["Q90"]) == {"Q90": OFFLINE}
    assert OFFLINE not in [value for part in expected for value in part.values()]
    assert [file.name for file in read_only.parent.iterdir()] == ["wikidata.sqlite"]


def test_what_a_read_only_cache_has_needs_no_offline(read_only, wikidata):
    endpoint = open_endpoint(wikidata)
    with unprivileged(), Lookups(endpoint, cache=read_only) as lookups:
        ask(lookups)
        with pytest.raises(InputError, match="may be read, but not written") as caught:
            lookups.items(["Q90"])
    assert endpoint.queries == 0
    assert "remove" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_asked(read_only, wikidata):
    endpoint = open_endpoint(wikidata)
    for name, why in (("new/cache.sqlite", "Permission denied"), ("cache.sqlite", "unable to open database file")):
        path = read_only.parent / name
        with unprivileged(), Lookups(endpoint, cache=path) as lookups, pytest.raises(InputError) as caught:
            lookups.items(["Q90"])
        assert str(caught.value) == f"The cache '{path}' cannot be used: {why}. Name another file with --cache."
    assert endpoint.queries == 0


def test_offline_nothing_is_made(path):
    with Lookups(open_endpoint(WIKIDATA), cache=path, offline=True) as lookups:
        assert lookups.items(["Q90"]) == {"Q90": OFFLINE}
    assert not path.parent.exists()


def test_offline_the_file_stays_as_it_is(filled):
    before = filled.read_bytes(), filled.stat().st_mtime_ns
    with Lookups(open_endpoint(WIKIDATA), cache=filled, offline=True) as lookups:
        lookups.items(["Q90"])
    assert (filled.read_bytes(), filled.stat().st_mtime_ns) == before


def test_a_folder_is_no_cache(tmp_path):
    with pytest.raises(InputError, match=r"cache '.*' cannot be used: it is a folder"):
        Lookups(open_endpoint(WIKIDATA), cache=tmp_path)


def test_an_empty_file_holds_nothing(path):
    path.parent.mkdir()
    path.touch()
    assert Cache(path, read_only=True).get("a", "numbers", [KEY], after=0, now=0) == {}
    assert path.stat().st_size == 0


### A local file needs no cache


@pytest.mark.parametrize("offline", [False, True])
def test_a_local_file_makes_no_file_in_the_users_folder(path, monkeypatch, offline):
    monkeypatch.setattr(module, "default_cache", lambda: path)
    with Lookups(open_endpoint(WIKIDATA), offline=offline) as lookups:
        assert lookups.items(["Q90"])["Q90"].id == "Q90"
        assert lookups.inputs == (WIKIDATA,)
    assert not path.parent.exists()


def test_a_server_uses_the_users_folder(path, monkeypatch, wikidata_url):
    monkeypatch.setattr(module, "default_cache", lambda: path)
    with Lookups(open_endpoint(wikidata_url)) as lookups:
        lookups.items(["Q90"])
        assert lookups.inputs == (path,)
    assert stat.S_ISREG(path.stat().st_mode)


### Threads


def in_threads(*functions):
    """What functions give that start at once, each in a thread."""
    barrier, results = Barrier(len(functions)), [None] * len(functions)

    def run(number):
        barrier.wait()
        results[number] = functions[number]()

    threads = [Thread(target=run, args=(number,)) for number in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("on_disk", [True, False])
def test_threads_get_the_answers_of_one_thread(path, wikidata_url, on_disk):
    with Lookups(open_endpoint(wikidata_url), cache=None) as lookups:
        expected = ask(lookups)
    with Lookups(open_endpoint(wikidata_url), cache=path if on_disk else None, batch=1) as lookups:
        assert in_threads(*[lambda: ask(lookups)] * 4) == [expected] * 4


def test_threads_do_not_send_the_same_query_twice():
    endpoint = open_endpoint(WIKIDATA)
    with Lookups(endpoint, cache=None) as lookups:
        in_threads(*[lambda: lookups.items(["Q90", "Q270"])] * 8)
    assert endpoint.queries == 1


def test_threads_wait_for_one_query_and_use_its_answer(monkeypatch):
    endpoint = open_endpoint(WIKIDATA)
    select, all_wait, waiting = endpoint.select, Barrier(2), itertools.count(1)

    class Lock:
        """A lock that tells when a thread waits for it."""

        def __init__(self):
            self.lock = module.threading.Lock()
            self.release = self.lock.release

        def acquire(self, blocking=True):
            if self.lock.acquire(blocking=False):
                return True
            if blocking:
                all_wait.wait()
                return self.lock.acquire()
            return False

    def slow(query):
        if next(waiting) == 1:
            all_wait.wait()  # until the other thread waits for this answer
        return select(query)

    monkeypatch.setattr(endpoint, "select", slow)
    with Lookups(endpoint, cache=None) as lookups:
        lookups._asking = Lock()
        first, second = in_threads(lambda: lookups.items(["Q90"]), lambda: lookups.items(["Q90"]))
    assert first == second
    assert endpoint.queries == 1


def test_a_local_file_is_read_once_for_all_threads(monkeypatch):
    endpoint = open_endpoint(WIKIDATA)
    reads = []
    read = type(endpoint)._read
    monkeypatch.setattr(type(endpoint), "_read", lambda self: reads.append(1) or read(self))
    in_threads(*[lambda: endpoint.select("SELECT * { ?s ?p ?o } LIMIT 1")] * 4)
    assert (len(reads), endpoint.queries) == (1, 4)


### Processes


def _ask_in_turn(path, barrier, results, number):
    with Lookups(open_endpoint(WIKIDATA), cache=path, batch=1) as lookups:
        barrier.wait()
        results.put((number, ask(lookups)))


@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_processes_that_start_at_once_share_a_cache(path, start):
    with Lookups(open_endpoint(WIKIDATA), cache=None) as lookups:
        expected = ask(lookups)
    context = multiprocessing.get_context(start)
    barrier, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_ask_in_turn, args=(path, barrier, results, number)) for number in range(3)]
    for process in processes:
        process.start()
    found = dict(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 3
    assert found == dict.fromkeys(range(3), expected)
    with Lookups(open_endpoint(WIKIDATA), cache=path, offline=True) as lookups:
        assert ask(lookups) == expected


def test_a_forked_process_opens_the_file_for_itself(path):
    cache = Cache(path)
    cache.put("a", "numbers", {KEY: 1}, fetched=0, expires=9)

    def write(number):
        cache.put("a", "numbers", {(f"Q{number}", "child"): number}, fetched=0, expires=9)
        cache.close()

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    cache.put("a", "numbers", {("Q9", "parent"): 9}, fetched=0, expires=9)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 3
    assert cache.usage(now=0)[0].entries == 5
    cache.close()
