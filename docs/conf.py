"""Builds the site: `make docs`. Nothing here asks the network.

Two kinds of pages are made at each build, in `docs/generated/`: the commands with their `--help`, and copies of the
Markdown files that live beside what they describe (model cards, benchmarks, the vocabulary, the changelog).
"""

import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx
from typer.main import get_command
from typer.testing import CliRunner

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))
os.environ["COLUMNS"] = "100"  # how wide the help of a command is

from kgmrca import __version__  # noqa: E402
from kgmrca.cli import app  # noqa: E402

project = "kgmrca"
author = copyright = "The kgmrca contributors"
version = release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
html_theme = "furo"
html_title = "kgmrca"
html_static_path = ["_static"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks are stored with what they show; a test executes them
# Docstrings write code in single backticks.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
copybutton_prompt_text = "$ "
# Pygments knows neither TriG nor the triple terms of RDF 1.2; such examples stay without colours.
suppress_warnings = ["misc.highlighting_failure"]

# Markdown files of the repository → the names of their pages.
COPIES = {
    "benchmarks/README.md": "benchmarks",
    "ontologies/README.md": "rdf",
    "pipelines/en_kgmrca_sm/README.md": "en_kgmrca_sm",
    "pipelines/entities_en_sm/README.md": "entities_en_sm",
    "pipelines/coreference_en_sm/README.md": "coreference_en_sm",
    "pipelines/reader_en_sm/README.md": "reader_en_sm",
    "CHANGELOG.md": "changelog",
}


def _copied(path: Path) -> str:
    """The text of a Markdown file whose links lead to the pages of the site, and to pictures where they lie."""

    def link(match: re.Match[str]) -> str:
        text, target, anchor = match.groups()
        if re.match(r"\w+:", target) or not target:
            return match.group()
        where = (path.parent / target).resolve()
        name = where.relative_to(ROOT).as_posix()
        if name in COPIES:
            return f"[{text}]({COPIES[name]}.md{anchor or ''})"
        if where.suffix in (".png", ".svg"):
            return f"[{text}](../../{name})"
        return text if text.startswith("`") else f"`{text}`"  # a file of the repository that is no page

    return re.sub(r"\[([^][]*)\]\(([^)#\s]*)(#[^)\s]*)?\)", link, path.read_text(encoding="utf-8"))


def _commands() -> str:
    """The page of all commands, each with its help."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    parts = ["# Commands\n\nThis is what `kgmrca COMMAND --help` prints.\n"]
    for name in ["", *commands]:
        result = CliRunner().invoke(app, [*filter(None, [name]), "--help"], prog_name="kgmrca")
        assert result.exit_code == 0, result.output
        title = f"kgmrca {name}".strip()
        parts.append(f"## `{title}`\n\n```text\n{result.output.strip()}\n```\n")
    return "\n".join(parts)


def _write_pages(_: Sphinx) -> None:
    pages = {name: _copied(ROOT / path) for path, name in COPIES.items()} | {"commands": _commands()}
    folder = DOCS / "generated"
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:  # else Sphinx would read it again
            page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect what makes pages."""
    app.connect("builder-inited", _write_pages)
