"""The README and the pages of `docs/`: what they tell a reader to run is run, and gives what they show.

Each page is read from top to bottom, in a folder of its own with `articles/` (a few of the demo's texts) and
`pipelines/`. Its `bash` blocks are run by bash, its `python` blocks in this process, where they share their names.
If a `text` block follows directly, it is what the block prints, where `...` stands for anything. Wikidata is an
Oxigraph server on this machine with the demo's sample. Blocks that cannot run here are `console`: their commands must
parse.
"""

import copy
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from doctest import ELLIPSIS, OutputChecker
from importlib.metadata import metadata
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from server import oxigraph
from typer.main import get_command

from kgmrca.cli import app
from kgmrca.convert import convert
from kgmrca.resources import resource
from kgmrca.wikidata.verdicts import Verdict

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DEMO = ROOT / "pipelines" / "demo"
PAGES = [ROOT / "README.md", *(page for page in sorted(DOCS.rglob("*.md")) if page.parent.name != "generated")]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
RUN = [page for page in PAGES if re.search("^```(bash|python)$", TEXTS[page], re.MULTILINE)]
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
ARTICLES = ("abbey-road.txt", "eiffel-tower.txt", "leonhard-euler.txt", "marie-curie.txt")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def wikidata(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with oxigraph(tmp_path_factory.mktemp("wikidata"), DEMO / "wikidata.ttl") as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a page is read, as in a checkout; nothing of it reaches the user's own folders."""
    here = tmp_path / "checkout"
    (here / "articles").mkdir(parents=True)
    for article in ARTICLES:
        (here / "articles" / article).write_bytes((DEMO / "corpus" / article).read_bytes())
    (here / "pipelines").symlink_to(ROOT / "pipelines")
    for new in ("home", "cache", "config"):
        (tmp_path / new).mkdir()
    monkeypatch.chdir(here)
    for variable, value in {"HOME": "home", "XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config"}.items():
        monkeypatch.setenv(variable, str(tmp_path / value))
    # A page may start Python, spaCy or a server: those of this environment.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "80")
    return here


@pytest.fixture
def bash(folder: Path) -> Iterator[Callable[[str], str]]:
    """Runs a block as a terminal would, and says what it printed; what it left running ends with the page."""
    groups = []

    def run(code: str) -> str:
        printed = folder.parent / f"printed-{len(groups)}"
        with printed.open("wb") as file:
            shell = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            groups.append(shell.pid)
            status = shell.wait(timeout=300)
        # Without how far a job is, which a slow machine prints now and then.
        output = re.sub(r"^kgmrca: .* passed.*\n", "", printed.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert status == 0, output
        return output

    yield run
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=name)
def test_what_a_page_tells_to_run_gives_what_it_shows(page, bash, wikidata, capsys):
    names: dict[str, object] = {"__name__": "__main__"}
    ports = {port: free_port() for port in ("8000", "7878")}
    for block in BLOCK.finditer(TEXTS[page]):
        language, code, shown = block.groups()
        if language not in ("bash", "python"):
            continue
        code = code.replace("--endpoint wikidata", f"--endpoint {wikidata}")
        code = code.replace('"endpoint": "wikidata"', f'"endpoint": "{wikidata}"')
        for port, free in ports.items():
            code = re.sub(rf"\b{port}\b", free, code)
        line = TEXTS[page].count("\n", 0, block.start()) + 1
        if language == "bash":
            printed = bash(code)
        elif "import ray" in code:  # which leaves processes and sockets to the end of its own process
            printed = bash(f"python - 2>/dev/null <<'END'\n{code}\nEND")
        else:
            exec(compile("\n" * line + code, page, "exec"), names)
            printed = capsys.readouterr().out
        if shown is not None or language == "python":
            want = shown or ""
            assert OutputChecker().check_output(want, printed, ELLIPSIS), f"line {line} prints\n{printed}\nnot\n{want}"


def commands(text: str) -> list[str]:
    """The command lines of ours in the blocks of a page."""
    found = []
    for block in BLOCK.finditer(text):
        if block[1] in ("bash", "console"):
            lines = re.sub(r"\\\n\s*", " ", block[2])
            if block[1] == "console":
                lines = "\n".join(line[2:] for line in lines.splitlines() if line.startswith("$ "))
            found += re.findall(r"(?:^|[|&;(] *)(kgmrca .*)$", lines, re.MULTILINE)
    return found


@pytest.mark.parametrize(
    "line", [pytest.param(line, id=f"{name(page)}: {line}") for page in PAGES for line in commands(TEXTS[page])]
)
def test_a_command_can_be_parsed(line):
    words = shlex.split(line)
    ends = [number for number, word in enumerate(words) if re.match(r"\d?(\||<|>|&|;)", word)]
    _, command, *arguments = words[: min(ends, default=len(words))]
    if command in COMMANDS:
        COMMANDS[command].make_context(command, arguments)
    else:
        assert command.startswith("--"), line


def test_every_option_that_is_named_exists():
    ours = {option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts}
    for script in (ROOT / "benchmarks").glob("*.py"):
        ours |= set(re.findall(r'"(--[a-z-]+)"', script.read_text(encoding="utf-8")))
    ours |= {"--help", "--version", "--install-completion", "--show-completion"}
    for page, text in TEXTS.items():
        for code in re.findall(r"`(--[^`\n]+)`", text):
            assert code.split()[0].split("=")[0] in ours, f"{name(page)}: {code}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page):
    text = re.sub(r"^```.*?^```$", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!\w+:)([^)#]+)", text):
        assert target.startswith("../generated/") or (page.parent / target).is_file(), target
    for path in re.findall(r"`((?:ontologies|pipelines|benchmarks)/[\w./]+)`", text):
        assert resource(path).exists(), path


def test_the_extras_are_those_of_the_package():
    (table,) = [part for text in TEXTS.values() for part in re.findall(r"^\| extra \|.*\n((?:\|.*\n)+)", text, re.M)]
    named = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    assert sorted(named) == sorted(metadata("kgmrca").get_all("Provides-Extra"))


def shown(cell: NotebookNode) -> list[str]:
    """What a cell of a notebook shows as text; what it prints may arrive in one piece or in several."""
    outputs = [output for output in cell.get("outputs", []) if output.get("name") != "stderr"]
    printed = "".join(output["text"] for output in outputs if "text" in output)
    return [printed, *(output["data"].get("text/plain", "") for output in outputs if "data" in output)]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((DOCS / "notebooks").glob("*.ipynb")), ids=name)
def test_a_notebook_shows_what_is_stored_with_it(path, folder):
    stored = nbformat.read(path, as_version=4)
    client = NotebookClient(copy.deepcopy(stored), timeout=300, resources={"metadata": {"path": str(folder)}})
    notebook = client.execute()
    assert [shown(cell) for cell in notebook.cells] == [shown(cell) for cell in stored.cells]
    assert any(any(shown(cell)) for cell in stored.cells)


def blocks(page: str, language: str) -> list[str]:
    return [block[2] for block in BLOCK.finditer(TEXTS[DOCS / page]) if block[1] == language]


def test_the_picture_is_what_the_command_draws(bash, folder):
    (command,) = [line for line in commands(TEXTS[DOCS / "how-to" / "graphs.md"]) if "--svg euler.svg" in line]
    bash(f"kgmrca convert articles/leonhard-euler.txt -o euler.ttl\n{command}")
    assert (folder / "euler.svg").read_text() == (DOCS / "_static" / "euler.svg").read_text()


def test_the_statement_is_what_convert_writes(tmp_path):
    (tmp_path / "curie.txt").write_text("Marie Curie was born in Warsaw.")
    convert(tmp_path / "curie.txt", tmp_path / "graph.ttl", default_operating_point="precise")
    written = (tmp_path / "graph.ttl").read_text()
    (block,) = blocks("concepts/rdf.md", "turtle")
    for line in block.splitlines():
        if "wasGeneratedBy" not in line:  # the run is named after the versions of what ran
            assert line in written


def test_the_verdicts_are_in_their_order():
    text = TEXTS[DOCS / "concepts" / "verdicts.md"]
    rows = text.partition("| verdict | what Wikidata has |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| ([a-z -]+)", rows, re.MULTILINE)
    listed = [verdict for verdict in map(str.strip, named) if verdict in {one.value for one in Verdict}]
    assert listed == [verdict.value for verdict in Verdict if verdict.value in listed]
    assert len(listed) > 12


def test_the_readme_is_a_front_page():
    assert TEXTS[ROOT / "README.md"].count("\n") <= 120


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    result = subprocess.run(build, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Find the relations in a text" in (tmp_path / "generated" / "commands.html").read_text(encoding="utf-8")
