"""The page of `kgmrca report`: one file with all it needs, which loads nothing and runs no text of a document.

The browser runs only the scripts that are part of this package (see `pages.html_page`).
"""

from pathlib import Path
from typing import Any

from kgmrca.files import check_outputs, opened
from kgmrca.pages import SHARED, contents, html_page
from kgmrca.report.data import report_data
from kgmrca.triples.formats import is_rdf
from kgmrca.triples.inputs import rdf_files
from kgmrca.triples.read import read_graphs

__all__ = ["page", "write_report"]

_STATIC = Path(__file__).parent / "static"
_LIBRARY = ("cytoscape.min.js",)
_SCRIPTS = (
    "data.js",
    "view.js",
    "charts.js",
    "graph.js",
    "facts.js",
    "decisions.js",
    "review.js",
    "main.js",
)  # one script, in this order
# Under this id cytoscape looks for a style sheet of its own, which the policy would refuse.
_STYLE_ID = "__________cytoscape_stylesheet"


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
    return html_page(
        title=f"{data['title']} – kgmrca",
        style=contents(SHARED, ["base.css"]) + contents(_STATIC, ["report.css"]),
        body=contents(_STATIC, ["body.html"]),
        data=data,
        script=contents(SHARED, ["dom.js"]) + contents(_STATIC, _SCRIPTS),
        libraries=[contents(_STATIC, _LIBRARY)],
        style_id=_STYLE_ID,
    )
