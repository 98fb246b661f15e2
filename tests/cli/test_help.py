"""What `--help` says: whole sentences, and examples that work."""

import re
import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kgmrca.cli import app

COMMANDS = get_command(app).commands
EXAMPLES = [
    (name, line.strip())
    for name, command in COMMANDS.items()
    for line in command.help.splitlines()
    if line.strip().startswith("kgmrca ")
]


def arguments_of(line):
    """The words of a command line up to where the shell takes over: a pipe, or a redirection."""
    words = shlex.split(line, posix=True)
    ends = [number for number, word in enumerate(words) if word in ("|", "<", ">")]
    return words[1 : min(ends, default=len(words))]


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_can_be_parsed(name, line):
    command, *arguments = arguments_of(line)
    COMMANDS[command].make_context(command, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_an_example_of_itself(name):
    assert any(line.startswith(f"kgmrca {name}") for owner, line in EXAMPLES if owner == name)


def texts():
    for name, command in COMMANDS.items():
        yield name, "summary", command.help.split("\n\n")[0]
        for option in command.params:
            yield name, option.name, option.help


@pytest.mark.parametrize(("name", "option", "text"), list(texts()))
def test_a_help_text_is_whole_sentences(name, option, text):
    text = re.sub(r" *\[default: .*\]$", "", " ".join(text.split()))
    assert text[0].isupper() or text.startswith("kgmrca"), text
    assert text.endswith("."), text


def test_the_summaries_fit_on_a_line():
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"})
    listed = done.stdout.split("Commands:")[1]
    assert "..." not in listed
    assert len(listed.strip().splitlines()) == len(COMMANDS)


def test_a_shared_option_says_the_same_in_all_commands():
    said = {}
    for command, parsed in COMMANDS.items():
        for option in parsed.params:
            if (command, option.opts[0]) == ("serve", "--endpoint"):  # it may be none, and need not be Wikidata's
                continue
            said.setdefault(option.opts[0], set()).add(option.help)
    shared = ("--format", "--base", "--endpoint", "--contact", "--offline", "--refresh", "--pipeline", "--threshold")
    assert {name: len(said[name]) for name in shared} == dict.fromkeys(shared, 1)
