"""The manifest of a run: what went in, what made it, what came out, and the command that repeats it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from svcmetrics import __version__
from svcmetrics.io.whole import write_whole

# The packages whose version can change a number or a picture.
_PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "statsmodels",
    "duckdb",
    "ibis-framework",
    "matplotlib",
    "seaborn",
    "holidays",
)
_BLOCK = 1 << 20


def digest(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total.update(block)
    return total.hexdigest()


def digests(folder: Path, skip: Iterable[Path] = ()) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path; hidden and temporary files apart."""
    skipped = {p.resolve() for p in skip}
    return {
        path.relative_to(folder).as_posix(): digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.name.startswith((".", "~$"))
        and not skipped & {path.resolve(), *path.resolve().parents}
    }


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of those whose version can change a number."""
    own = {"python": platform.python_version(), "svcmetrics": __version__}
    return own | {name: metadata.version(name) for name in _PACKAGES}


def without_home(text: str) -> str:
    """A text with ``~`` for the home folder, whose name is mostly that of a person."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def write_manifest(
    folder: Path, content: Mapping[str, Any], *, name: str = "manifest.json"
) -> Path:
    """Write a manifest whole or not at all."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    return write_whole(folder / name, text.encode())
