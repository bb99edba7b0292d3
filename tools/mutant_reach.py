"""Which tests execute a changed line? Every test is played once without a change, and its lines noted.

What was seen is kept in ``.mutants``, one file for each test file, and holds as long as the test (and
what is on record for it) stays the same. A line is known by its text and function, not by its number:
it stays known when the code around it moves, and is unknown, not mistaken, when it is written anew.
"""

import ast
import functools
import hashlib
import json
import os
import re
import sys
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tools.environment import ROOT
from tools.mutant_files import UNCHANGED, importers
from tools.mutants import FOLDERS, Mutant, modules, source

KEPT = ROOT / ".mutants"


# Which lines belong to a change


@cache
def spots(module: str) -> dict[int, tuple[str, int]]:
    """For every line within a function: the function's name, and a mark of both texts."""
    text = source(module).read_text("utf-8")
    lines, found = text.splitlines(), {}
    for node, function in walk(ast.parse(text), "", ""):
        if function and hasattr(node, "lineno"):
            said = f"{function} {lines[node.lineno - 1].strip()}"
            found[node.lineno] = (function, zlib.crc32(said.encode()))
    return found


def walk(node: ast.AST, prefix: str, function: str) -> Iterator[tuple[ast.AST, str]]:
    """Every node with the outermost function that it stands in the body of."""
    yield node, function
    outer = not function and isinstance(node, (ast.FunctionDef, ast.ClassDef))
    inner = f"{prefix}{node.name}" if outer else ""  # type: ignore[attr-defined]
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        here = inner if isinstance(node, ast.FunctionDef) and name == "body" else ""
        below = f"{inner}." if isinstance(node, ast.ClassDef) else prefix
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from walk(child, below, function or here)


def marks(mutant: Mutant) -> set[tuple[str, int]]:
    """The lines that a change is about; for a constant of the module, those that name it."""
    own = spots(mutant.module)
    if mutant.function:
        here = own.get(mutant.line)  # none where somebody has written the module anew meanwhile
        return {(mutant.module, here[1])} if here else set()
    given, inside = _given(mutant.module, mutant.line)
    found = {(mutant.module, mark) for f, mark in own.values() if f.split(".")[0] == inside}
    for module in (mutant.module, *importers().get(mutant.module, ())):
        if given and module.split("/")[0] in FOLDERS and not module.endswith("__init__"):
            text = source(module).read_text("utf-8").splitlines()
            found |= {
                (module, mark)
                for line, (_, mark) in spots(module).items()
                if given & set(re.findall(r"\w+", text[line - 1]))
            }
    return found


@cache
def _given(module: str, line: int) -> tuple[set[str], str]:
    """What a statement outside of functions gives a name to, and the function or class it is the head of."""
    for node in ast.parse(source(module).read_text("utf-8")).body:
        if node.lineno <= line <= (node.end_lineno or 0):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                return set(), node.name
            named = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            return {n.id for n in named if isinstance(n.ctx, ast.Store)}, ""
    return set(), ""


def executes(known: dict[str, Any], wanted: set[tuple[str, int]]) -> bool:
    return any(mark in known["lines"].get(module, ()) for module, mark in wanted)


def calls(known: dict[str, Any], mutant: Mutant) -> bool:
    """Whether a test executes anything of the changed function, or of the module when it is in none."""
    called = known["calls"].get(mutant.module, ())
    return mutant.function in called if mutant.function else bool(called)


# What a test executes


class Recorder:
    """A plugin of pytest that notes which lines of the statistics run."""

    def __init__(self) -> None:
        self.failed = False
        self.ran: set[tuple[str, int]] = set()
        self.shared: dict[str, set[tuple[str, int]]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed |= report.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """What a fixture of many tests executes, all of them do."""
        before = self.ran.copy()
        self.ran.clear()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self.shared.setdefault(fixturedef.argname, set()).update(self.ran)
            self.ran |= before

    def record(self, items: list[Any]) -> str:
        """Play tests one by one; passing, seconds of the processor and lines of each, as JSON."""
        at = {str(source(m)): m for m in modules([])}
        note, found = self._tracer(at), {}
        for item, after in zip(items, [*items[1:], None]):
            _forget(item)
            self.ran.clear()
            self.failed = False
            start = time.process_time()
            threading.settrace(note)
            sys.settrace(note)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            seconds = round(time.process_time() - start, 2)
            found[item.nodeid] = (not self.failed, seconds, self.ran.copy())
        told = {}
        for item in items:
            passes, seconds, ran = found[item.nodeid]
            ran = ran.union(*(self.shared.get(name, ()) for name in item.fixturenames))
            told[item.nodeid] = {"passes": passes, "seconds": seconds, **_seen(ran, at)}
        return json.dumps(told)

    def _tracer(self, at: dict[str, str]) -> Callable[..., Any]:
        add = self.ran.add

        def line(frame: Any, event: str, _: Any) -> Any:
            if event == "line":
                add((frame.f_code.co_filename, frame.f_lineno))
            return line

        return lambda frame, _event, _: line if frame.f_code.co_filename in at else None


def _seen(ran: set[tuple[str, int]], at: dict[str, str]) -> dict[str, dict[str, list]]:
    lines: dict[str, set[int]] = {}
    called: dict[str, set[str]] = {}
    for path, number in ran:
        module = at[path]
        if number in spots(module):
            function, mark = spots(module)[number]
            lines.setdefault(module, set()).add(mark)
            called.setdefault(module, set()).add(function)
    return {
        "lines": {m: sorted(v) for m, v in lines.items()},
        "calls": {m: sorted(v) for m, v in called.items()},
    }


def _forget(item: Any) -> None:
    """What was computed for the test before, this one would have computed itself."""
    from svcmetrics.io import held

    held.forget()
    ours = [f"svcmetrics.{m.replace('/', '.')}" for m in modules([])]
    for module in [item.module, *(sys.modules[n] for n in ours if n in sys.modules)]:
        for thing in list(vars(module).values()):
            if (
                isinstance(thing, functools._lru_cache_wrapper)
                and thing.__module__ == module.__name__
            ):
                thing.cache_clear()


# What is kept


def kept(place: str) -> dict[str, dict[str, Any]]:
    """What was seen of the tests of a file that are still what they were."""
    path = _path(place)
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: known for name, known in found.items() if known["digest"] == _digest(name)}


def keep(place: str, told: dict[str, dict[str, Any]]) -> None:
    """Whole or not at all: another run may read it. A failing test may pass next time."""
    KEPT.mkdir(exist_ok=True)
    new = {n: {**known, "digest": _digest(n)} for n, known in told.items() if known["passes"]}
    fresh = _path(place).with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(kept(place) | new), "utf-8")
    fresh.replace(_path(place))


def _path(place: str) -> Path:
    return KEPT / f"{place.replace('/', '.')}.json"


def _digest(test: str) -> str:
    place, _, name = test.partition("::")
    text = (ROOT / place).read_bytes()
    if place == UNCHANGED:  # whether it passes is a matter of the record
        text += _records().get(name.partition("[")[2].rstrip("]"), "").encode()
    return hashlib.sha256(text).hexdigest()[:16]


@cache
def _records() -> dict[str, str]:
    """What is on record of every metric, as text."""
    found = [json.loads(p.read_text("utf-8")) for p in (ROOT / "tests/records").glob("*.json")]
    return {name: json.dumps(said) for record in found for name, said in record.items()}
