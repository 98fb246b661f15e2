"""`kgmrca info`: what is installed here, for bug reports."""

import json
import os
import platform
import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from kgmrca import __version__
from kgmrca.cli.printing import columns
from kgmrca.errors import KgmrcaError
from kgmrca.resources import SHIPPED, resource

_LIBRARIES = (
    "spacy",
    "thinc",
    "torch",
    "numpy",
    "rdflib",
    "pyoxigraph",
    "networkx",
    "sparqlwrapper",
    "typer",
    "pyshacl",
    "transformers",
    "cupy-cuda12x",
    "matplotlib",
)


def info_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print this as JSON.")] = False,
) -> None:
    """Print versions, device, pipeline and cache, for bug reports.

    Your home folder is written as ~, so that your user name is not shown.

    \b
    Examples:
      kgmrca info
      kgmrca info --json > info.json
    """
    found = {
        "versions": _versions(),
        "system": {"platform": platform.platform(), "processors": os.cpu_count()},
        "device": _device(),
        "pipeline": _pipeline(),
        "configs": str(resource("pipelines")),
        "cache": _cache(),
    }
    print(_without_home(json.dumps(found, indent=2, ensure_ascii=False) if as_json else columns(_rows(found))))


def _versions() -> dict[str, str | None]:
    return {"kgmrca": __version__, "python": platform.python_version(), **{name: _version(name) for name in _LIBRARIES}}


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device() -> str:
    try:
        import torch
    except (ImportError, OSError) as error:
        return f"unknown, because torch cannot be imported: {error}"
    if torch.cuda.is_available():
        return f"GPU: {torch.cuda.get_device_name()} (CUDA {torch.version.cuda})"
    return f"CPU, {torch.get_num_threads()} threads (torch is built {_build(torch.version.cuda)})"


def _build(cuda: str | None) -> str:
    return f"for CUDA {cuda}" if cuda else "without CUDA"


def _pipeline() -> dict[str, str]:
    folder = resource(f"pipelines/{SHIPPED}")
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return {
        "name": f"{meta['lang']}_{meta['name']}",
        "version": meta["version"],
        "license": meta["license"],
        "folder": str(folder),
    }


def _cache() -> dict[str, Any]:
    from kgmrca.wikidata.cache import Cache, default_cache

    path = default_cache()
    found: dict[str, Any] = {"file": str(path), "megabytes": 0.0, "entries": 0}
    if path.is_file():
        found["megabytes"] = round(path.stat().st_size / 1e6, 1)
        cache = Cache(path, read_only=True)
        try:
            found["entries"] = sum(usage.entries for usage in cache.usage(now=time.time()))
        except KgmrcaError as error:
            found["entries"] = None
            found["error"] = str(error)
        finally:
            cache.close()
    return found


def _without_home(text: str) -> str:
    """Put ~ for the home folder, because bug reports are public."""
    home = str(Path.home())
    if len(Path(home).parts) == 1:  # it is the root of all paths, and tells nothing
        return text
    return re.sub(rf"""(?<![^\s"']){re.escape(home)}(?![^/\\\s"'])""", "~", text)


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Each value on a row of its own, named by its keys."""
    rows = []
    for title, value in found.items():
        if isinstance(value, dict):
            # The libraries go by their own names.
            prefix = "" if title == "versions" else f"{title} "
            absent = "not installed" if title == "versions" else "unknown"
            rows += [(f"{prefix}{key}", absent if item is None else str(item)) for key, item in value.items()]
        else:
            rows.append((title, str(value)))
    return rows
