"""What hatchling cannot be told in pyproject.toml."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PIPELINE = "en_kgmrca_sm"


class Metadata(BuildHookInterface[Any]):
    """Writes metadata into the wheel.

    One is a `top_level.txt`, as setuptools writes it and hatchling does not. By this file `spacy package` finds out
    which distribution a registered function comes from. Without it, a packaged pipeline would not require kgmrca.

    The other is a `PKG-INFO` for the pipeline that ships. `spacy.load` takes a name for that of a package only if there
    is metadata of a distribution with this name, and a wheel can have no second `.dist-info`; an `.egg-info` will do.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is built; `version` is "standard" or "editable"."""
        number = self.metadata.version
        files = {
            f"{self.metadata.core.name}-{number}.dist-info/top_level.txt": "kgmrca\n",
            f"{PIPELINE}-{number}.egg-info/PKG-INFO": (
                f"Metadata-Version: 2.1\nName: {PIPELINE}\nVersion: {number}\n"
                f"Summary: The pipeline that ships with kgmrca {number}\n"
            ),
        }
        key = "force_include_editable" if version == "editable" else "force_include"
        if version == "editable":  # which leaves out what pyproject.toml adds to the wheel
            for source, place in (("package.py", "__init__.py"), (f"{PIPELINE}/meta.json", "meta.json")):
                build_data.setdefault(key, {})[str(Path(self.root) / "pipelines" / source)] = f"{PIPELINE}/{place}"
        Path(self.directory).mkdir(parents=True, exist_ok=True)
        for place, text in files.items():
            path = Path(self.directory) / Path(place).name
            path.write_text(text, encoding="utf-8")
            build_data.setdefault(key, {})[str(path)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after the wheel is built."""
        for name in ("top_level.txt", "PKG-INFO"):
            (Path(self.directory) / name).unlink(missing_ok=True)
