"""Pages of one file, which load nothing, and in which the browser runs only the scripts of this package.

The content security policy of a page names the hashes of its scripts and of its style. What people wrote stands in the
page as JSON (see `markup.json_in_html`), and gets into the view as text only (`static/dom.js`).
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kgmrca.markup import escape, json_in_html

__all__ = ["SHARED", "contents", "html_page"]

SHARED = Path(__file__).parent / "static"
"""The folder of what all pages have in common."""


def contents(folder: Path, names: Iterable[str]) -> str:
    """The texts of some files of a folder, one behind the other."""
    return "".join((folder / name).read_text(encoding="utf-8") for name in names)


def html_page(
    *,
    title: str,
    style: str,
    body: str,
    data: Any,
    script: str,
    libraries: Sequence[str] = (),
    connect: str = "'none'",
    style_id: str = "style",
) -> str:
    """A page of HTML.

    Args:
        title: what it is called; any text.
        style: CSS.
        body: HTML of ours.
        data: what its script finds as JSON in the element "data".
        script: JavaScript, a module.
        libraries: scripts that run before it.
        connect: what its script may ask (`connect-src` of the policy).
        style_id: the id of the element with the style.
    """
    # Each script needs a line break of its own at the end, because a hash covers all that stands between the tags.
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, (*libraries, script)))}; style-src {_hash(style)}; "
        f"connect-src {connect}; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f'<style id="{style_id}">{style}</style>\n</head>\n<body>\n{body}'
        f'<script type="application/json" id="data">{json_in_html(data)}</script>\n'
        + "".join(f"<script>{library}</script>\n" for library in libraries)
        + f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
