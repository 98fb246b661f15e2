"""What a command says when somebody presses Ctrl-C."""

import pytest
from typer.testing import CliRunner

from kgmrca.cli import app
from kgmrca.cli.interrupts import files_of, what_was_kept


def interrupted(*arguments, **options):
    raise KeyboardInterrupt


def test_an_older_output_is_as_it_was(tmp_path):
    (tmp_path / "old.ttl").write_text("")
    options = {"output": str(tmp_path / "old.ttl")}
    assert f"'{tmp_path / 'old.ttl'}' is as it was before." in what_was_kept(options, files_of(options))


def test_an_output_that_was_complete_is_named(tmp_path):
    options = {"output": str(tmp_path / "checks.ttl"), "csv": str(tmp_path / "checks.csv")}
    before = files_of(options)
    (tmp_path / "checks.csv").write_text("")
    said = what_was_kept(options, before)
    assert f"'{tmp_path / 'checks.ttl'}' was not written." in said
    assert f"'{tmp_path / 'checks.csv'}' was written before that." in said


def test_standard_output_is_not_complete():
    options = {"output": "-"}
    assert "standard output is not complete" in what_was_kept(options, files_of(options))


@pytest.mark.parametrize("command", ["link", "check", "enrich"])
def test_the_answers_of_an_endpoint_are_kept(command, tmp_path, monkeypatch):
    function = {"link": "link.link_graphs", "check": "check.check", "enrich": "enrich.enrich"}[command]
    monkeypatch.setattr(f"kgmrca.wikidata.{function}", interrupted)
    options = ["--endpoint", "http://127.0.0.1:9/sparql", "--cache", str(tmp_path / "cache.sqlite")]
    done = CliRunner().invoke(app, [command, "graph.ttl", "-o", str(tmp_path / "out.ttl"), *options])
    assert done.exit_code == 130
    assert "a second run asks only for the rest." in done.stderr
    assert f"'{tmp_path / 'out.ttl'}' was not written." in done.stderr


@pytest.mark.parametrize("endpoint", ["wikidata.ttl", "folder/"])
def test_of_a_local_file_nothing_is_kept(endpoint):
    options = {"output": "out.ttl", "endpoint": endpoint}
    assert "A second run starts from the beginning." in what_was_kept(options, files_of(options))


def test_a_cache_of_its_own_keeps_the_answers_of_a_local_file():
    options = {"output": "out.ttl", "endpoint": "wikidata.ttl", "cache": "cache.sqlite"}
    assert "a second run asks only for the rest." in what_was_kept(options, files_of(options))


def test_quiet_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.setattr("kgmrca.graph.merging.merge.merge", interrupted)
    done = CliRunner().invoke(app, ["merge", "a.ttl", "-o", str(tmp_path / "out.ttl"), "--quiet"])
    assert done.exit_code == 130
    assert "Interrupted." in done.stderr
