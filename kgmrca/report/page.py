"""The page of `kgmrca report`: one file with all it needs, which loads nothing and runs no text of a document.

The browser runs only the scripts that are part of this package, because the page names their hashes in its content
security policy. What documents say stands in the page as JSON (see `markup.json_in_html`), and gets into the view as
text only.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from kgmrca.files import check_outputs, opened
from kgmrca.markup import escape, json_in_html
from kgmrca.report.data import report_data
from kgmrca.triples.formats import is_rdf
from kgmrca.triples.inputs import rdf_files
from kgmrca.triples.read import read_graphs

__all__ = ["page", "write_report"]

_STATIC = Path(__file__).parent / "static"
_LIBRARY = ("cytoscape.min.js",)
_SCRIPTS = ("data.js", "view.js", "charts.js", "graph.js", "main.js")  # one script, in this order


def write_report(graphs: list[str], output: str, *, input_format: str | None = None) -> int:
    """Write the page for graphs and what `kgmrca check` wrote about them. Gives the number of statements.

    Raises:
        InputError: there are no statements, what was checked are others, or a graph is not RDF.
        OSError: a file cannot be read or written.
    """
    check_outputs([output], graphs, takes=None if input_format else is_rdf)
    files = list(rdf_files(graphs, format=input_format))
    data = report_data(read_graphs(files, beside=output), title=", ".join(Path(path).name for path, _ in files[:3]))
    with opened(output) as stream:
        stream.write(page(data).encode("utf-8"))
    return len(data["statements"]["iri"])


def page(data: dict[str, Any]) -> str:
    """The page for what `report_data` gives."""
    style = _content("report.css")
    # Each needs a line break of its own at the end, because a hash covers all that stands between the tags.
    scripts = ["".join(map(_content, names)) for names in (_LIBRARY, _SCRIPTS)]
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(data['title'])} – kgmrca</title>\n"
        # Under this id cytoscape looks for a style sheet of its own, which the policy would refuse.
        f'<style id="__________cytoscape_stylesheet">{style}</style>\n</head>\n<body>\n{_content("body.html")}'
        f'<script type="application/json" id="data">{json_in_html(data)}</script>\n'
        f"<script>{scripts[0]}</script>\n"
        f'<script type="module">{scripts[1]}</script>\n</body>\n</html>\n'
    )


def _content(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
