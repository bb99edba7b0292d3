"""Which tests reach a changed function, and do they notice the change?

All tests that may matter are collected once; those of the records (tests/unchanged.py) are quick and come
first, the others for what they miss. Each is then played without a change, in a process of
its own, to see which functions it calls (kept in ``.mutants``, by the content of the test file).
For each change a child takes the changed code in place of the old and plays the tests that call
it, those of the module's own test file first, until one fails. What stands outside of functions takes
effect on import only: for it a child that has not yet imported the package imports the changed one.
"""

import ast
import contextlib
import gc
import hashlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import re
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Generator, Iterable
from functools import cache, partial
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from tools.environment import ROOT
from tools.mutants import FOLDERS, PACKAGE, Mutant, source

KEPT = ROOT / ".mutants" / "reach.json"
# Tests for one change may take so many seconds together, as measured without a change.
_BUDGET = 20.0
# So many test files, the nearest first, are asked which functions they call.
_FILES = 4
_NO_END = "no end, or the interpreter fell"
# Tests of every metric by its name: its laws, which see little that the other one does not, and what
# it has always said.
_LAWS, _UNCHANGED = "tests/test_laws.py", "tests/test_unchanged.py"
_LEFT: list[Any] = []
Tell = Callable[[Mutant, str | None], None]


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module with changed code to whoever imports it; all others are as they are."""

    def __init__(self, name: str, path: Path, code: str):
        self.name, self.path, self.code = name, path, code

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]  # noqa: ARG002
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def create_module(self, spec):  # type: ignore[no-untyped-def]  # noqa: ARG002
        return None

    def exec_module(self, module):  # type: ignore[no-untyped-def]
        exec(compile(self.code, str(self.path), "exec"), module.__dict__)  # noqa: S102 - our own code


# Which tests


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


def files(module: str) -> list[str]:
    """Test files that may reach a module, the nearest first: called like it, or like those that use it."""
    audit = module.startswith("numeric/disclosure")
    order = ["disclosure", *names(module)] if audit else names(module)
    folder = "privacy" if audit else module.partition("/")[0]
    own: list[tuple[int, str]] = []
    near: list[tuple[int, str]] = []
    other: list[tuple[int, str]] = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        place, name = path.relative_to(ROOT).as_posix(), path.stem.removeprefix("test_")
        if place in (_LAWS, _UNCHANGED):
            continue
        if name in order:
            own.append((order.index(name), place))
        elif place.startswith(f"tests/{folder}/") or name == folder:
            said = len(re.findall(rf"\b{order[0]}\b", path.read_text("utf-8")))
            (near if folder == "privacy" else other).append((-said, place))
    found = sorted(own)[:_FILES] + sorted(near) or sorted(other)[:_FILES]
    return [place for _, place in found]


def tests(module: str, items: Iterable[Any]) -> list[Any]:
    """The collected tests that may reach a module, the nearest first; of the records those of its metrics."""
    near, users = {place: k for k, place in enumerate(files(module))}, set(names(module))
    ranked = []
    for item in items:
        place, _, name = item.nodeid.partition("::")
        of_a_user = set(re.split(r"[][ -]", name)) & users
        if place in near or (of_a_user and place == _UNCHANGED):
            ranked.append((near.get(place, 99), item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


# Which functions a test calls


def _functions() -> dict[tuple[str, str], list[types.FunctionType]]:
    """The functions of the package as they are in memory, by file and name."""
    found: dict[tuple[str, str], list[types.FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType and thing.__code__.co_filename.startswith(
            str(PACKAGE)
        ):
            code = thing.__code__
            found.setdefault((code.co_filename, code.co_qualname), []).append(thing)
    return found


def _changed_code(mutant: Mutant) -> types.CodeType:
    code = compile(mutant.code, str(source(mutant.module)), "exec")
    for name in mutant.function.split("."):
        code = next(
            c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name
        )
    return code


class Player:
    """A plugin of pytest: in place of the tests it plays the mutants."""

    def __init__(self, drawn: list[Mutant], tell: Tell, cold: Any):
        self.drawn, self.tell, self.cold = drawn, tell, cold
        self.failed = False
        self.reach: dict[str, dict] = {}
        self.called: set[str] = set()
        self.shared: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed |= report.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """What a fixture of many tests calls, all of them call."""
        before = self.called.copy()
        self.called.clear()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self.shared.setdefault(fixturedef.argname, set()).update(self.called)
            self.called |= before

    def pytest_runtestloop(self, session: Any) -> bool:
        memory, noticed, left = _functions(), [], self.drawn
        for first in (True, False):  # the records are quick; for what they miss, all other tests
            wanted = {
                m: [i for i in tests(m, session.items) if i.nodeid.startswith(_UNCHANGED) == first]
                for m in sorted({x.module for x in left})
            }
            self._learn({item.nodeid: item for chosen in wanted.values() for item in chosen})
            unseen = []
            for mutant in left:
                by = self._noticed(mutant, self._chosen(mutant, wanted[mutant.module]), memory)
                if by is None and first:
                    unseen.append(mutant)
                    print(f"not on record: {mutant}", flush=True)
                    continue
                noticed.append((mutant, by))
                self.tell(mutant, by)
            left = unseen
        self._check(noticed, session.items)
        return True

    def _check(self, noticed: list[tuple[Mutant, str | None]], items: list[Any]) -> None:
        """Somebody may have changed a test meanwhile: what noticed a change must pass without one."""
        by_whom = {by for _, by in noticed} & self.reach.keys()
        broken = self._in_a_child(
            partial(self._first_failing, [i for i in items if i.nodeid in by_whom]), 1200
        )
        for module in {m.module for m, _ in noticed}:
            cold = [by for m, by in noticed if m.module == module and not m.function and by]
            if cold and not broken:
                same = Mutant(module, 0, "", "", source(module).read_text("utf-8"))
                names = sorted(set(cold) & self.reach.keys())
                broken = (names and self._on_import(same, names, 600)) or ""
        if broken:
            print(f"not to be trusted: {broken} fails without any change")

    def _chosen(self, mutant: Mutant, items: list[Any]) -> list[Any]:
        """The tests that call what is changed, as many as the time allows, quick files first."""
        name = f"{mutant.module}:{mutant.function}"
        calling: dict[str, list[Any]] = {}
        for item in items:
            known = self.reach[item.nodeid]
            calls = [f for f in known["calls"] if f.startswith(name)]
            if known["passes"] and (name in calls if mutant.function else calls):
                calling.setdefault(item.nodeid.partition("::")[0], []).append(item)
        chosen: list[Any] = []
        left = _BUDGET
        for mine in sorted(calling.values(), key=self._seconds):
            for item in mine:
                if self._seconds([item]) < left:
                    left -= self._seconds([item])
                    chosen.append(item)
        return chosen

    def _seconds(self, items: list[Any]) -> float:
        return sum(float(self.reach[item.nodeid]["seconds"]) for item in items)

    def _noticed(self, mutant: Mutant, items: list[Any], memory: dict) -> str | None:
        """The first test that fails; None when all pass."""
        seconds = 30 + 4 * self._seconds(items)
        if not items:
            return None
        if not mutant.function:
            return self._on_import(mutant, [i.nodeid for i in items], seconds)
        old = memory[str(source(mutant.module)), mutant.function]

        def changed() -> str:
            for function in old:
                function.__code__ = _changed_code(mutant)
            return self._first_failing(items)

        return self._in_a_child(changed, seconds) or None

    def _on_import(self, mutant: Mutant, names: list[str], seconds: float) -> str | None:
        self.cold.send((mutant, names, seconds))
        answer: str | None = self.cold.recv() or None
        return answer

    def _first_failing(self, items: list[Any]) -> str:
        for item, after in zip(items, [*items[1:], None]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if self.failed:
                return str(item.nodeid)
        return ""

    def _in_a_child(self, work: Callable[[], str], seconds: float) -> str:
        ours, theirs = Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            _hush(seconds)
            _leave_behind()
            theirs.send(work())
            os._exit(0)
        theirs.close()
        answer = _NO_END
        with contextlib.suppress(EOFError):
            if ours.poll(60 + 8 * seconds):  # of the clock on the wall: others work, too
                answer = str(ours.recv())
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return answer

    # What each test calls, without a change

    def _learn(self, items: dict[str, Any]) -> None:
        kept = _kept()
        digests = {n: _digest(n) for n in items}
        self.reach = {n: kept[n] for n in items if n in kept and kept[n]["digest"] == digests[n]}
        new = [item for name, item in items.items() if name not in self.reach]
        for place in dict.fromkeys(item.nodeid.partition("::")[0] for item in new):
            mine = [item for item in new if item.nodeid.startswith(f"{place}::")]
            told = self._in_a_child(partial(self._called, mine), 1200)
            for name, known in json.loads(told).items():
                self.reach[name] = {**known, "digest": digests[name]}
            _keep(self.reach)
        broken = [name for name, known in self.reach.items() if not known["passes"]]
        if broken:
            print(f"left out, since they fail without any change: {', '.join(broken)}")

    def _called(self, items: list[Any]) -> str:
        """Within a child: the functions that each test calls, as JSON."""
        from svcmetrics.io import held

        called: set[str] = set()
        at = {
            str(path): path.relative_to(PACKAGE).with_suffix("").as_posix()
            for path in PACKAGE.rglob("*.py")
        }

        def note(frame: Any, event: str, what: Any) -> None:
            code = frame.f_code
            if code.co_filename in at:
                called.add(f"{at[code.co_filename]}:{code.co_qualname.partition('.<locals>')[0]}")

        self.called, found = called, {}
        for item, after in zip(items, [*items[1:], None]):
            held.forget()
            called.clear()
            self.failed = False
            start = time.process_time()
            sys.settrace(note)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            sys.settrace(None)
            seconds = round(time.process_time() - start, 2)
            found[item.nodeid] = (not self.failed, seconds, called.copy())
        told = {}
        for item in items:
            passes, seconds, calls = found[item.nodeid]
            calls = calls.union(*(self.shared.get(name, ()) for name in item.fixturenames))
            told[item.nodeid] = {"passes": passes, "seconds": seconds, "calls": sorted(calls)}
        return json.dumps(told)


def _kept() -> dict[str, dict]:
    return json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}


def _keep(reach: dict[str, dict]) -> None:
    """Whole or not at all: another run may read it."""
    KEPT.parent.mkdir(exist_ok=True)
    fresh = KEPT.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(_kept() | reach, indent=0), "utf-8")
    fresh.replace(KEPT)


def _digest(test: str) -> str:
    place, _, name = test.partition("::")
    text = (ROOT / place).read_bytes()
    if place == _UNCHANGED:  # whether it passes is a matter of the record
        text += _records().get(name.partition("[")[2].rstrip("]"), "").encode()
    return hashlib.sha256(text).hexdigest()[:16]


@cache
def _records() -> dict[str, str]:
    """What is on record of every metric, as text."""
    found = [json.loads(p.read_text("utf-8")) for p in (ROOT / "tests/records").glob("*.json")]
    return {name: json.dumps(said) for record in found for name, said in record.items()}


def _leave_behind() -> None:
    """Within a child: an engine of its own, since the threads of the parent's are not there."""
    from svcmetrics.io import engine, held

    _LEFT.append(
        [engine._shared.copy(), [*held._held.items()]]
    )  # kept: to close it would wait for them
    engine._shared.clear()
    held.forget()


def _hush(seconds: float) -> None:
    """Within a child: nothing said, and an end after so many seconds of the processor."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)


_OPTIONS = [
    "-s",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:terminal",
    "-o",
    "addopts=--import-mode=importlib",
]


class _Noted:
    """A plugin that keeps the first test that fails."""

    failing = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failing:
            self.failing = str(report.nodeid)

    # A test file that can no longer be imported has noticed, too.
    pytest_collectreport = pytest_runtest_logreport


def _on_import(work: Any, base: str) -> None:
    """The child that never imports the package itself: a child of its own for every request."""
    with contextlib.suppress(EOFError):
        while (asked := work.recv()) is not None:
            _imported(work, asked, base)


def _imported(work: Any, asked: tuple[Mutant, list[str], float], base: str) -> None:
    mutant, chosen, seconds = asked
    ours, theirs = Pipe(duplex=False)
    if os.fork() == 0:
        _hush(seconds)
        name = f"svcmetrics.{mutant.module.replace('/', '.')}"
        sys.meta_path.insert(0, Changed(name, source(mutant.module), mutant.code))
        noted = _Noted()
        pytest.main([*_OPTIONS, "-x", f"--basetemp={base}", *chosen], plugins=[noted])
        theirs.send(noted.failing)
        os._exit(0)
    theirs.close()
    try:
        work.send(ours.recv())
    except EOFError:
        work.send(_NO_END)
    os.wait()


def play(drawn: list[Mutant], tell: Tell) -> None:
    """Tell of each mutant the test that noticed it, or None."""
    for heavy in ("numpy", "pandas", "scipy.stats", "scipy.linalg", "scipy.optimize"):
        importlib.import_module(heavy)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Pipe()
        if os.fork() == 0:
            _on_import(theirs, f"{folder}/cold")
            os._exit(0)
        chosen = sorted({place for m in {x.module for x in drawn} for place in files(m)})
        for module in {x.module for x in drawn}:
            importlib.import_module(f"svcmetrics.{module.replace('/', '.')}")
        options = [*_OPTIONS, f"--basetemp={folder}/warm"]
        status = pytest.main([*options, *chosen, _UNCHANGED], plugins=[Player(drawn, tell, ours)])
        ours.send(None)
        os.wait()
    if status:
        raise SystemExit(f"pytest ended with status {int(status)}")
