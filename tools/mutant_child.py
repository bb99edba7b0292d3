"""Children in which a change is tried: nothing that they alter lasts, and nothing they say is heard."""

import contextlib
import importlib.abc
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from tools.mutants import Mutant, source

NO_END, FELL, GAVE_UP = "no end", "the interpreter fell", "?"


def in_a_child(work: Callable[[], str], seconds: float) -> str:
    """What it gives, played where nothing that it changes lasts."""
    ours, theirs = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            _hush(seconds)
            theirs.send(work())
        finally:
            os._exit(0)
    theirs.close()
    return _answer(child, ours, seconds)


def _answer(child: int, pipe: Any, seconds: float) -> str:
    """What a child says; why it says nothing, if it does not."""
    answer = None
    late = not pipe.poll(60 + 8 * seconds)  # on the wall, where others work, too: nobody's fault
    if not late:
        with contextlib.suppress(EOFError):
            answer = str(pipe.recv())
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if answer is not None:
        return answer
    by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if by == signal.SIGPROF:
        return NO_END
    return GAVE_UP if late or by == signal.SIGKILL else FELL


def _hush(seconds: float) -> None:
    """Within a child: nothing said, and an end after so many seconds of the processor."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)


OPTIONS = [
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


def on_import(work: Any, base: str) -> None:
    """The child that never imports the package itself: a child of its own for every request."""
    with contextlib.suppress(EOFError):
        while (asked := work.recv()) is not None:
            work.send(_imported(asked, base))


def _imported(asked: tuple[Mutant, list[str], float], base: str) -> str:
    mutant, chosen, seconds = asked

    def changed() -> str:
        name = f"svcmetrics.{mutant.module.replace('/', '.')}"
        sys.meta_path.insert(0, Changed(name, source(mutant.module), mutant.code))
        noted = _Noted()
        pytest.main([*OPTIONS, "-x", f"--basetemp={base}", *chosen], plugins=[noted])
        return noted.failing

    return in_a_child(changed, seconds)


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
