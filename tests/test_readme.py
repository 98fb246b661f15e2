"""The README: its Python runs and prints what it says, its commands can be parsed, its links lead somewhere."""

import re
import shlex
from importlib.metadata import metadata
from pathlib import Path

import pytest
from typer.main import get_command

from kgmrca.cli import app
from kgmrca.convert import convert
from kgmrca.resources import resource
from kgmrca.wikidata.verdicts import Verdict

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = get_command(app).commands
LINES = re.findall(r"^\$ (?:.*\| )?(kgmrca .*)$", README, flags=re.MULTILINE)
# What stands for Wikidata in a test.
SAMPLE = str(ROOT / "pipelines" / "demo" / "wikidata.ttl")


def test_the_python_runs_and_prints_what_the_readme_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for (language, code), (following, printed) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "python":
            exec(compile(code.replace('"endpoint": "wikidata"', f'"endpoint": {SAMPLE!r}'), "README.md", "exec"), names)
            assert capsys.readouterr().out == (printed if following == "text" else "")


@pytest.mark.parametrize("line", LINES)
def test_a_command_can_be_parsed(line):
    words = shlex.split(line)
    ends = [number for number, word in enumerate(words) if word in ("|", "<", ">")]
    _, command, *arguments = words[: min(ends, default=len(words))]
    if command in COMMANDS:
        COMMANDS[command].make_context(command, arguments)
    else:
        assert command.startswith("--"), line


def test_the_table_of_kgmrca_tag_is_what_it_prints(capsys):
    (block,) = [text for _, text in BLOCKS if "kgmrca tag" in text]
    command, _, table = block.partition("\n")
    _, _, name, *arguments = shlex.split(command)
    with pytest.raises(SystemExit):
        get_command(app)([name, *arguments])
    assert capsys.readouterr().out == table


def test_the_statement_is_what_convert_writes(tmp_path):
    (tmp_path / "curie.txt").write_text("Marie Curie was born in Warsaw.")
    convert(tmp_path / "curie.txt", tmp_path / "graph.ttl", default_operating_point="precise")
    (block,) = [text for language, text in BLOCKS if language == "turtle" and "rdf:Statement" in text]
    written = (tmp_path / "graph.ttl").read_text()
    for line in block.splitlines():
        if "wasGeneratedBy" not in line:  # the run is named after the versions of what ran
            assert line in written


def test_the_extras_are_those_of_the_package():
    section = README.split("## Installing")[1].split("## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    assert sorted(named) == sorted(metadata("kgmrca").get_all("Provides-Extra"))


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)", README))
def test_a_link_leads_to_a_file(target):
    assert (ROOT / target).is_file()


@pytest.mark.parametrize("path", re.findall(r"`((?:ontologies|pipelines|benchmarks)/[\w./]+)`", README))
def test_a_path_that_is_named_exists(path):
    assert resource(path).exists()


def test_the_verdicts_are_in_their_order():
    rows = README.partition("| verdict | what Wikidata has |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| ([a-z -]+)", rows, re.MULTILINE)
    listed = [verdict for verdict in map(str.strip, named) if verdict in {one.value for one in Verdict}]
    assert listed == [verdict.value for verdict in Verdict if verdict.value in listed]
    assert len(listed) > 12
