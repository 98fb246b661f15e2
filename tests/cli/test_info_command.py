"""`kgmrca info`: what a report of a fault should have."""

import json
import platform
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgmrca import __version__
from kgmrca.cli import app
from kgmrca.wikidata.cache import Cache


@pytest.fixture
def cache_file(tmp_path, monkeypatch):
    """A cache in a home folder of its own."""
    home = tmp_path / "home"
    path = home / "caches" / "wikidata.sqlite"
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr("kgmrca.wikidata.cache.default_cache", lambda: path)
    return path


def info(*arguments):
    done = CliRunner().invoke(app, ["info", *arguments])
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def test_the_versions_are_those_that_run(cache_file):
    versions = json.loads(info("--json"))["versions"]
    assert versions["kgmrca"] == __version__
    assert versions["python"] == platform.python_version()
    assert versions["torch"] == sys.modules["torch"].__version__
    assert {"spacy", "rdflib", "pyoxigraph"} <= {name for name, version in versions.items() if version}


def test_the_shipped_pipeline_is_named_with_version_and_licence(cache_file):
    pipeline = json.loads(info("--json"))["pipeline"]
    assert (pipeline["name"], pipeline["license"]) == ("en_kgmrca_sm", "CC BY-SA 4.0")
    assert Path(pipeline["folder"], "meta.json").is_file()


def test_the_folder_of_configs_has_configs(cache_file):
    assert list(Path(json.loads(info("--json"))["configs"]).glob("*.cfg"))


def test_the_cache_is_counted_and_the_home_folder_is_not_named(cache_file):
    cache = Cache(cache_file)
    cache.put("file:0", "items", {("Q1", ""): None, ("Q2", ""): None}, fetched=0, expires=1e12)
    cache.close()
    found = json.loads(info("--json"))["cache"]
    assert (found["file"], found["entries"]) == ("~/caches/wikidata.sqlite", 2)


def test_a_cache_that_is_not_there_is_not_made(cache_file):
    assert json.loads(info("--json"))["cache"]["entries"] == 0
    assert not cache_file.exists()


def test_a_cache_that_cannot_be_read_is_reported_and_not_fatal(cache_file):
    cache_file.write_bytes(b"no database" * 100)
    found = json.loads(info("--json"))["cache"]
    assert found["entries"] is None
    assert str(cache_file.parent.parent) not in found["error"]
    assert re.search(r"cache entries +unknown", info())


def test_the_text_has_a_row_for_each_value(cache_file):
    rows = dict(line.split(None, 1) for line in info().splitlines() if not line.startswith(("system", "pipe", "cache")))
    assert rows["kgmrca"] == __version__
    assert rows["device"].startswith(("CPU", "GPU"))
    assert rows["cupy-cuda12x"] == "not installed" or rows["cupy-cuda12x"][0].isdigit()


def test_a_torch_that_cannot_be_imported_is_reported(cache_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "torch cannot be imported" in json.loads(info("--json"))["device"]
