"""Which tests may reach a module? Those called like it, or like a module that uses it, or that name it."""

import ast
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tools.environment import ROOT
from tools.mutants import FOLDERS, PACKAGE

# So many test files called like the module or a user of it, and so many more that name it, are asked.
_FILES, _MORE = 8, 4
# Of these so many before all others.
_NEAREST = 2
# Tests of every metric by its name: what it has always said; and its laws, which are not played, since
# they take long and see little that the others do not.
LAWS, UNCHANGED = "tests/test_laws.py", "tests/test_unchanged.py"


@cache
def importers() -> dict[str, set[str]]:
    """For every module those that import it."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        me = path.relative_to(PACKAGE).with_suffix("").as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("svcmetrics."):
                at = str(node.module).removeprefix("svcmetrics.").replace(".", "/")
                for name in [at, *(f"{at}/{a.name}" for a in node.names)]:
                    found.setdefault(name, set()).add(me)
    return found


def names(module: str) -> list[str]:
    """The module and those that use it, the nearest first, without their folders."""
    order, seen = [module], {module}
    for at in order:
        new = sorted(m for m in importers().get(at, ()) if m not in seen)
        order += [
            m for m in new if m.split("/")[0] in (*FOLDERS, "criteria") and "__init__" not in m
        ]
        seen |= set(new)
    return list(dict.fromkeys(m.rsplit("/", 1)[-1] for m in order))


@cache
def _words(path: Path) -> Counter[str]:
    return Counter(re.findall(r"\w+", path.read_text("utf-8")))


def files(module: str) -> list[str]:
    """Test files that may reach a module, the nearest first: called like it or its users (test_icc_many is
    called like icc), or naming it."""
    audit = module.startswith("numeric/disclosure")
    order = ["disclosure", *names(module)] if audit else names(module)
    folder = "privacy" if audit else module.partition("/")[0]
    own: list[tuple[int, bool, bool, str]] = []
    near: list[tuple[int, str]] = []
    other: list[tuple[int, str]] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place, name = path.relative_to(ROOT).as_posix(), path.stem.removeprefix("test_")
        if place in (LAWS, UNCHANGED):
            continue
        beside = place.startswith(f"tests/{folder}/")
        said = _words(path)[order[0]]
        called = next(
            (k for k, m in enumerate(order) if name == m or name.startswith(f"{m}_")), None
        )
        if called is not None:
            own.append((called, not beside, name != order[called], place))
        elif beside or name == folder:
            (near if folder == "privacy" else other).append((-said, place))
        elif said and place.split("/")[1] in (*FOLDERS, "test_references.py"):
            other.append((-said, place))
    found = [(k, place) for k, _, _, place in sorted(own)[:_FILES]] + sorted(near)
    found += [(k, place) for k, place in sorted(other)[:_MORE] if k or not found]
    return [place for _, place in found]


def tests(module: str, items: Iterable[Any]) -> list[list[Any]]:
    """The collected tests that may reach a module: records of the metrics using it, nearest files, others."""
    near, users = files(module), set(names(module))
    found: list[list[Any]] = [[], [], []]
    for item in items:
        place, _, name = item.nodeid.partition("::")
        if place == UNCHANGED and set(re.split(r"[][ -]", name)) & users:
            found[0].append(item)
        elif place in near:
            found[1 if place in near[:_NEAREST] else 2].append(item)
    return found
