"""What hatchling cannot be told in pyproject.toml."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TopLevel(BuildHookInterface[Any]):
    """Puts a `top_level.txt` among the metadata of the wheel, as setuptools does and hatchling does not.

    By this file `spacy package` finds out which distribution a registered function comes from. Without it, a packaged
    pipeline would not require kgmrca.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is built; `version` is "standard" or "editable"."""
        path = Path(self.directory) / "top_level.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kgmrca\n", encoding="utf-8")
        key = "force_include_editable" if version == "editable" else "force_include"
        place = f"{self.metadata.core.name}-{self.metadata.version}.dist-info/top_level.txt"
        build_data.setdefault(key, {})[str(path)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after the wheel is built."""
        (Path(self.directory) / "top_level.txt").unlink(missing_ok=True)
