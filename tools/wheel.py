"""Put the notebooks into the wheel, because `svcmetrics run` needs them wherever it is installed.

Not into an editable install: that one uses the folder itself, and a copy would grow stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Notebooks(BuildHookInterface[Any]):
    """Called by hatchling; `version` is "standard" or "editable"."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folder to what goes into the wheel."""
        if version == "standard":
            build_data["force_include"]["notebooks"] = "svcmetrics/_notebooks"
