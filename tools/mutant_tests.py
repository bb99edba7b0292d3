"""Do the tests notice a change? Those that execute the changed line are played, the quick ones first.

The records (tests/unchanged.py) come first, all others for what they miss (tools/mutant_reach.py says
which execute what). For each change a child takes the changed code in place of the old and plays until a
test fails. What stands outside of functions takes effect on import only: for it a child that has not yet
imported the package imports the changed one. A change counts as noticed when a test fails, when the
interpreter falls, or when there is no end in four times the processor's time; never by the wall clock.
"""

import gc
import importlib
import json
import os
import tempfile
import types
from collections.abc import Callable
from functools import partial
from multiprocessing import Pipe
from typing import Any

import pytest

from tools import mutant_reach
from tools.mutant_child import GAVE_UP, OPTIONS, in_a_child, on_import
from tools.mutant_files import UNCHANGED, files, tests
from tools.mutant_reach import Recorder, calls, executes, marks
from tools.mutants import PACKAGE, Mutant, Verdict, source

# Tests for one change may take so many seconds of the processor together, as measured without a change.
_BUDGET = 60.0
_LEFT: list[Any] = []
Tell = Callable[[Mutant, Verdict], None]


# What is changed, in memory


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


class Player(Recorder):
    """A plugin of pytest: in place of the tests it plays the mutants."""

    def __init__(self, drawn: list[Mutant], tell: Tell, cold: Any):
        super().__init__()
        self.drawn, self.tell, self.cold = drawn, tell, cold
        self.reach: dict[str, dict] = {}

    def pytest_runtestloop(self, session: Any) -> bool:
        memory, near = _functions(), {}
        for module in sorted({m.module for m in self.drawn}):
            near[module] = tests(module, session.items)
        noticed: list[tuple[Mutant, Verdict]] = []
        missed: dict[Mutant, Verdict] = dict.fromkeys(self.drawn, Verdict())
        for stage in range(3):
            of = {module: near[module][stage] for module in {m.module for m in missed}}
            self._learn({item.nodeid: item for items in of.values() for item in items})
            for mutant, before in list(missed.items()):
                missed[mutant] = self._verdict(mutant, of[mutant.module], memory, before)
                if missed[mutant].by or stage == 2:
                    noticed.append((mutant, missed.pop(mutant)))
                    self.tell(*noticed[-1])
                elif stage == 0:
                    print(f"not on record: {mutant}", flush=True)
        self._check(noticed, session.items)
        return True

    def _check(self, noticed: list[tuple[Mutant, Verdict]], items: list[Any]) -> None:
        """Somebody may have changed a test meanwhile: what noticed a change must pass without one."""
        by_whom = {said.by for _, said in noticed} & self.reach.keys()
        broken = in_a_child(
            partial(self._first_failing, [i for i in items if i.nodeid in by_whom]), 1200
        )
        for module in {m.module for m, _ in noticed}:
            cold = [v.by for m, v in noticed if m.module == module and not m.function and v.by]
            if cold and not broken:
                same = Mutant(module, 0, "", "", source(module).read_text("utf-8"))
                names = sorted(set(cold) & self.reach.keys())
                broken = (names and self._on_import(same, names, 600)) or ""
        if broken:
            print(f"not to be trusted: {broken} fails without any change")

    def _chosen(self, mutant: Mutant, items: list[Any]) -> tuple[list[Any], int, bool]:
        """The tests that execute the line, or call the function if none does, quick files first."""
        wanted = marks(mutant)
        known = {item: self.reach[item.nodeid] for item in items}
        known = {item: seen for item, seen in known.items() if seen["passes"]}
        on_line = [item for item, seen in known.items() if executes(seen, wanted)]
        mine = on_line or [item for item, seen in known.items() if calls(seen, mutant)]
        by_file: dict[str, list[Any]] = {}
        for item in sorted(mine, key=lambda i: self._seconds([i])):
            by_file.setdefault(item.nodeid.partition("::")[0], []).append(item)
        chosen: list[Any] = []
        left = _BUDGET
        for item in [i for file in sorted(by_file.values(), key=self._seconds) for i in file]:
            if self._seconds([item]) < left:
                left -= self._seconds([item])
                chosen.append(item)
        return chosen, len(mine) - len(chosen), bool(on_line)

    def _seconds(self, items: list[Any]) -> float:
        return sum(float(self.reach[item.nodeid]["seconds"]) for item in items)

    def _verdict(self, mutant: Mutant, items: list[Any], memory: dict, before: Verdict) -> Verdict:
        """The first test that fails, or how many pass, with those before."""
        chosen, unplayed, on_line = self._chosen(mutant, items)
        by = self._noticed(mutant, chosen, memory) if chosen else ""
        if by == GAVE_UP:
            by, unplayed, chosen = "", unplayed + len(chosen), []
        if before.executed and not on_line:
            return before._replace(by=by)
        if on_line and not before.executed:
            before = Verdict()
        passed, unplayed = before.passed + len(chosen), before.unplayed + unplayed
        return Verdict(by, passed, unplayed, on_line)

    def _noticed(self, mutant: Mutant, items: list[Any], memory: dict) -> str:
        seconds = 30 + 4 * self._seconds(items)
        if not mutant.function:
            return self._on_import(mutant, [i.nodeid for i in items], seconds)
        old = memory[str(source(mutant.module)), mutant.function]

        def changed() -> str:
            for function in old:
                function.__code__ = _changed_code(mutant)
            return self._first_failing(items)

        return in_a_child(changed, seconds)

    def _on_import(self, mutant: Mutant, names: list[str], seconds: float) -> str:
        self.cold.send((mutant, names, seconds))
        return str(self.cold.recv())

    def _first_failing(self, items: list[Any]) -> str:
        _leave_behind()
        self.failed = False
        for item, after in zip(items, [*items[1:], None]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if self.failed:
                return str(item.nodeid)
        return ""

    def _recorded(self, items: list[Any]) -> str:
        _leave_behind()
        return self.record(items)

    def _learn(self, items: dict[str, Any]) -> None:
        """What each test executes without a change, from what is kept or by playing it."""
        for place in dict.fromkeys(name.partition("::")[0] for name in items):
            mine = [item for name, item in items.items() if name.partition("::")[0] == place]
            known = mutant_reach.kept(place)
            new = [item for item in mine if item.nodeid not in known]
            if new:
                told = json.loads(in_a_child(partial(self._recorded, new), 2400))
                mutant_reach.keep(place, told)
                known |= told
            self.reach |= {item.nodeid: known[item.nodeid] for item in mine}
        broken = [name for name in items if not self.reach[name]["passes"]]
        if broken:
            print(f"left out, since they fail without any change: {', '.join(broken)}")


def _leave_behind() -> None:
    """Within a child: an engine of its own, since the threads of the parent's are not there."""
    from svcmetrics.io import engine, held

    _LEFT.append(
        [engine._shared.copy(), [*held._held.items()]]
    )  # kept: to close it would wait for them
    engine._shared.clear()
    held.forget()


def play(drawn: list[Mutant], tell: Tell) -> None:
    """Tell of each mutant the test that noticed it, or how many did not."""
    for heavy in ("numpy", "pandas", "scipy.stats", "scipy.linalg", "scipy.optimize"):
        importlib.import_module(heavy)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Pipe()
        if os.fork() == 0:
            on_import(theirs, f"{folder}/cold")
            os._exit(0)
        chosen = sorted({place for m in {x.module for x in drawn} for place in files(m)})
        for module in {x.module for x in drawn}:
            importlib.import_module(f"svcmetrics.{module.replace('/', '.')}")
        options = [*OPTIONS, f"--basetemp={folder}/warm"]
        status = pytest.main([*options, *chosen, UNCHANGED], plugins=[Player(drawn, tell, ours)])
        ours.send(None)
        os.wait()
    if status:
        raise SystemExit(f"pytest ended with status {int(status)}")
