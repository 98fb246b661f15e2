"""`--quiet` and `--verbose`, alike in all commands."""

import logging
import re
import warnings

import pytest
import typer
from helpers import make_nlp
from typer.main import get_command
from typer.testing import CliRunner

from kgmrca.cli import app


@pytest.fixture
def convert(tmp_path):
    make_nlp().to_disk(tmp_path / "pipeline")
    (tmp_path / "lives.jsonl").write_text('{"text": "Marie Curie was born in Warsaw."}\n')

    def run(*options, name="lives.jsonl"):
        out = tmp_path / "graph.ttl"
        command = ["convert", tmp_path / name, "-o", out, "--pipeline", tmp_path / "pipeline", *options]
        return CliRunner().invoke(app, list(map(str, command)))

    return run


def test_all_commands_have_both_options():
    for command in get_command(app).commands.values():
        assert {"--quiet", "--verbose"} <= {name for option in command.params for name in option.opts}


def test_quiet_leaves_the_summary_out(convert):
    assert "1 document" in convert().stderr
    done = convert("--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_quiet_keeps_errors_and_exit_codes(convert, tmp_path):
    done = convert("--quiet", name="missing.txt")
    assert done.exit_code == 2
    assert "There is no file or folder" in done.stderr
    (tmp_path / "lives.jsonl").write_text("{\n")
    assert convert("--quiet").exit_code == 1


def test_quiet_keeps_the_data_on_standard_output():
    assert CliRunner().invoke(app, ["info", "--quiet"]).stdout.startswith("kgmrca ")


def test_verbose_says_what_is_done_with_the_seconds(convert, tmp_path):
    done = convert("--verbose")
    steps = [line for line in done.stderr.splitlines() if re.match(r"kgmrca: +[0-9.]+ s  ", line)]
    assert done.exit_code == 0
    assert [step.split(" s  ")[1] for step in steps] == [
        f"Loading the pipeline {tmp_path / 'pipeline'}.",
        f"Reading {tmp_path / 'lives.jsonl'}.",
        f"Wrote {tmp_path / 'graph.ttl'}.",
        f"Wrote {tmp_path / 'graph.ttl.summary.json'}.",
        "Done.",
    ]
    seconds = [float(step.split()[1]) for step in steps]
    assert seconds == sorted(seconds)


def test_verbose_ends_with_the_command(convert):
    convert("--verbose")
    assert convert().stderr.count("\n") == 1
    assert logging.getLogger("kgmrca").handlers == []


def test_quiet_and_verbose_exclude_each_other(convert):
    done = convert("--quiet", "--verbose")
    assert done.exit_code == 2
    assert "Choose one of the two" in done.stderr


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(("options", "printed"), [([], "kgmrca: there is something\n"), (["--quiet"], "")])
def test_a_warning_is_printed_as_a_message(monkeypatch, options, printed):
    def warned(*arguments, **settings):
        warnings.warn("there is something", stacklevel=1)
        raise typer.Exit

    monkeypatch.setattr("kgmrca.graph.merging.merge.merge", warned)
    done = CliRunner().invoke(app, ["merge", "a.ttl", "-o", "b.ttl", *options])
    assert done.stderr == printed
