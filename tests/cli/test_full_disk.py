"""Standard output that cannot be written is named; messages that cannot be written change nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")

GRAPH = "<https://example.org/a> <https://example.org/p> <https://example.org/b> .\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "graph.ttl").write_text(GRAPH)

    def run_kgmrca(*arguments, before=(sys.executable, "-m", "kgmrca"), **streams):
        return subprocess.run([*before, *arguments], cwd=tmp_path, check=False, text=True, **streams)

    return run_kgmrca


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["info"], ["graph", "graph.ttl"], ["validate", "graph.ttl"]],
)
def test_a_full_standard_output_is_named(run, arguments):
    with Path("/dev/full").open("w") as full:
        done = run(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert done.stderr == "kgmrca: Standard output cannot be written: No space left on device.\n"
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["merge", "graph.ttl", "-o", "merged.nt"], 0), (["graph", "graph.ttl"], 0), (["graph", "missing.ttl"], 2)],
)
def test_messages_that_cannot_be_written_change_no_exit_code(run, arguments, code):
    with Path("/dev/full").open("w") as full:
        assert run(*arguments, stdout=subprocess.PIPE, stderr=full).returncode == code


def test_messages_to_a_closed_standard_error_do_not_stand_among_the_data(run):
    closed = ["bash", "-c", '"$@" 2>&-', "bash", sys.executable, "-m", "kgmrca"]
    done = run("merge", "graph.ttl", "-o", "-", before=closed, stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert "a> " in done.stdout
    assert not any(line.startswith("kgmrca:") for line in done.stdout.splitlines())
