"""Are the tests worth anything? Change the code in small ways, and see whether a test notices.

``python3 dev.py mutants [--sample 60] [--seed 1] [privacy …]``: each change is made in memory, in a
process of its own; no file is touched. mutmut (3.8.1 was read) passes over functions with a decorator
unless it is one plain staticmethod or classmethod, and so over every metric; hence this runner.
"""

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.environment import ROOT

# Modules and the tests that must notice a change in them.
TARGETS = {
    "privacy/pseudonyms": ("tests/test_privacy.py", "tests/privacy/test_labels.py"),
    "privacy/labels": ("tests/privacy/test_labels.py",),
    "privacy/published": ("tests/test_privacy.py", "tests/privacy/test_publication.py"),
    "privacy/means": ("tests/privacy/test_publication.py", "tests/privacy/test_ledger.py"),
    "privacy/behind": ("tests/privacy/test_publication.py", "tests/privacy/test_ledger.py"),
    "privacy/ledger": ("tests/privacy/test_ledger.py", "tests/privacy/test_publication.py"),
    "privacy/audited": ("tests/privacy/test_publication.py",),
    "numeric/disclosure": ("tests/privacy/test_ledger.py", "tests/privacy/test_publication.py"),
    "verify/icc": ("tests/verify/test_icc.py",),
    "verify/alpha": ("tests/verify/test_alpha.py",),
    "verify/kendall_w": ("tests/verify/test_kendall_w.py",),
    "weigh/critic": ("tests/weigh/test_critic.py",),
    "weigh/entropy": ("tests/weigh/test_entropy.py",),
    "numeric/intervals": ("tests/numeric/test_intervals.py",),
    "numeric/icc": ("tests/verify/test_icc.py",),
    "numeric/outliers": ("tests/numeric/test_outliers.py",),
    "numeric/shapley": ("tests/numeric/test_shapley.py",),
    "numeric/within_group": ("tests/verify/test_aggregation.py",),
    "numeric/information": ("tests/weigh/test_entropy.py", "tests/weigh/test_critic.py"),
}
# Of the processor: a loaded machine is no endless loop.
_SECONDS = 60.0
_OTHER: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Invert: ast.UAdd, ast.USub: ast.UAdd,
}  # fmt: skip


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


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, what was changed, and the whole code with that one change."""
    tree = ast.parse(source)
    for index in range(len(_places(tree))):
        other = copy.deepcopy(tree)
        node, part = _places(other)[index]
        told = _change(node, part)
        yield getattr(node, "lineno", 0), told, ast.unparse(other)


def _places(tree: ast.AST) -> list[tuple[ast.AST, int]]:
    """Every spot that can be changed; annotations, decorators and module constants of text apart."""
    found: list[tuple[ast.AST, int]] = []
    for node in _walk(tree):
        if isinstance(node, ast.Compare):
            found += [(node, k) for k, op in enumerate(node.ops) if type(op) in _OTHER]
        elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.AugAssign)):
            if type(node.op) in _OTHER or isinstance(node.op, ast.Not):
                found.append((node, 0))
        elif isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
            found.append((node, 0))
    return found


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child)


def _change(node: ast.AST, part: int) -> str:
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops[part] = _OTHER[type(node.ops[part])]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.AugAssign)):
        node.op = _OTHER[type(node.op)]()
    elif isinstance(node, ast.Constant):
        value = node.value
        node.value = not value if isinstance(value, bool) else value + 1  # type: ignore[operator]
    return f"{before} -> {ast.unparse(node)}"


def survives(module: str, code: str, tests: tuple[str, ...]) -> bool:
    """Whether the tests pass with the changed code; a test without end has noticed."""
    child = os.fork()
    if child == 0:
        os._exit(_passes(module, code, tests))
    _, status = os.waitpid(child, 0)
    return status == 0


def _passes(module: str, code: str, tests: tuple[str, ...]) -> int:
    """Within the child: the status of pytest, with nothing said."""
    import pytest

    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    path = ROOT / "svcmetrics" / f"{module}.py"
    sys.meta_path.insert(0, Changed(f"svcmetrics.{module.replace('/', '.')}", path, code))
    options = ["-x", "-q", "-p", "no:cacheprovider"]
    with contextlib.suppress(BaseException):
        return int(pytest.main([*options, *tests]))
    return 1


def main(args: list[str]) -> int:
    """Play a sample of all mutants of the chosen modules; status 1 when fewer than 90% are noticed."""
    parser = argparse.ArgumentParser(prog="dev.py mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=60, help="mutants, drawn by chance; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("modules", nargs="*", help="beginnings of module names, such as privacy")
    asked = parser.parse_args(args)
    for heavy in ("numpy", "pandas", "scipy.stats", "scipy.linalg", "pytest"):
        importlib.import_module(heavy)
    chosen = [m for m in TARGETS if not asked.modules or m.startswith(tuple(asked.modules))]
    every = [
        (m, *mutant)
        for m in chosen
        for mutant in mutants((ROOT / "svcmetrics" / f"{m}.py").read_text("utf-8"))
    ]
    sample = every
    if asked.sample and asked.sample < len(every):
        sample = random.Random(asked.seed).sample(every, asked.sample)
    for module in sorted({m for m, *_ in sample}):
        source = (ROOT / "svcmetrics" / f"{module}.py").read_text("utf-8")
        if not survives(module, ast.unparse(ast.parse(source)), TARGETS[module]):
            print(f"the tests of {module} fail without any change")
            return 2
    alive = 0
    for module, line, told, code in sample:
        lives = survives(module, code, TARGETS[module])
        alive += lives
        print(
            f"{'SURVIVES' if lives else 'killed'}: svcmetrics/{module}.py:{line}: {told}",
            flush=True,
        )
    killed = len(sample) - alive
    print(f"{killed} of {len(sample)} killed ({killed / len(sample):.0%}); {len(every)} in all")
    return int(killed < 0.9 * len(sample))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
