"""The cases from beside the project; none where they are not there."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from typing import Any

from tests.conftest import SHARED

_FILE = SHARED / "nasty" / "nasty_inputs.py"


@cache
def cases() -> dict[str, Any]:
    """Every case by its id: family, want, truth, seconds, megabytes, and what builds it."""
    if not _FILE.is_file():
        return {}
    spec = importlib.util.spec_from_file_location("nasty_inputs", _FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["nasty_inputs"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return dict(module.CASES)


def ids(*families: str) -> list[str]:
    """The ids of some families."""
    return [i for i, case in cases().items() if case.family in families]
