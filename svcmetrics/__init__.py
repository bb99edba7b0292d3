"""svcmetrics: evaluate the internal service of departments, fairly and with honest uncertainty.

The folders are the user's questions: ``design``, ``measure``, ``rate``, ``verify``, ``weigh``,
``score``, ``pilot``, ``report``. Importing has no effects and loads no plotting.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = (
    "design", "measure", "rate", "verify", "weigh", "score", "pilot", "report",
    "io", "privacy", "plots", "simulate", "widgets",
)  # fmt: skip
_NAMES = {
    "use_language": "svcmetrics.lang",
    "speaking": "svcmetrics.lang",
    "Result": "svcmetrics.result",
    "Finding": "svcmetrics.result",
    "Study": "svcmetrics.study",
    "read_study": "svcmetrics.io.study_files",
    "write_study": "svcmetrics.io.study_files",
    "assess": "svcmetrics.assessment",
    "Workbench": "svcmetrics.workbench",
    "publish": "svcmetrics.privacy",
    "InputError": "svcmetrics.problems",
    "StudyError": "svcmetrics.problems",
    "TableError": "svcmetrics.problems",
}

__all__ = ["__version__", *_MODULES, *_NAMES]

if TYPE_CHECKING:
    from svcmetrics import (  # noqa: F401
        design,
        io,
        measure,
        pilot,
        plots,
        privacy,
        rate,
        report,
        score,
        simulate,
        verify,
        weigh,
        widgets,
    )
    from svcmetrics.assessment import assess  # noqa: F401
    from svcmetrics.io.study_files import read_study, write_study  # noqa: F401
    from svcmetrics.lang import speaking, use_language  # noqa: F401
    from svcmetrics.privacy import publish  # noqa: F401
    from svcmetrics.problems import InputError, StudyError, TableError  # noqa: F401
    from svcmetrics.result import Finding, Result  # noqa: F401
    from svcmetrics.study import Study  # noqa: F401
    from svcmetrics.workbench import Workbench  # noqa: F401


def __getattr__(name: str) -> Any:
    """Load a folder or a name on first use (PEP 562): a bare import stays cheap."""
    if name in _MODULES:
        return importlib.import_module(f"svcmetrics.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'svcmetrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
