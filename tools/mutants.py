"""Are the tests worth anything? Change the code in small ways, and see whether a test notices.

``python3 dev.py mutants [--sample 60] [--seed 1] [privacy numeric/icc …]``: each change is made in
memory, in a process of its own; no file of the package is touched. mutmut (3.8.1 was read) passes
over functions with a decorator unless it is one plain staticmethod or classmethod, and so over every
metric; hence this runner.
"""

import argparse
import ast
import math
import random
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.environment import ROOT

PACKAGE = ROOT / "svcmetrics"
# Folders of statistics and of the door out; the others read, draw and talk.
FOLDERS = ("design", "measure", "numeric", "pilot", "privacy", "rate", "score", "verify", "weigh")
_OTHER: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Invert: ast.UAdd, ast.USub: ast.UAdd,
}  # fmt: skip


class Mutant(NamedTuple):
    """One change: in which module and function ("" outside of functions), and the whole code with it.

    ``about``: outside of functions the name that is given the value; within, the call and the
    argument of it that the change is in, as in "reshape(-1)".
    """

    module: str
    line: int
    told: str
    function: str
    code: str
    about: str = ""

    def __str__(self) -> str:
        return f"svcmetrics/{self.module}.py:{self.line}: {self.told}"


class Verdict(NamedTuple):
    """The test that noticed a change, or how many did not."""

    by: str = ""
    passed: int = 0
    unplayed: int = 0
    executed: bool = False

    def __str__(self) -> str:
        if self.by:
            return f"noticed by {self.by}"
        if not self.executed:
            return f"no test executes it; {self.passed} that come near pass"
        if self.unplayed:
            return f"not decided: {self.passed} tests pass, no time for {self.unplayed}"
        return f"all {self.passed} tests that execute it pass"


def modules(beginnings: list[str]) -> list[str]:
    """The modules that can be changed, such as "privacy/means"."""
    found = [
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for folder in FOLDERS
        for path in sorted((PACKAGE / folder).glob("*.py"))
        if path.stem != "__init__"
    ]
    return [m for m in found if not beginnings or m.startswith(tuple(beginnings))]


def source(module: str) -> Path:
    return PACKAGE / f"{module}.py"


def lines(text: str) -> list[int]:
    """The line of every change that a module allows."""
    return [getattr(node, "lineno", 0) for node, *_ in _places(ast.parse(text))]


def mutant(module: str, text: str, index: int) -> Mutant:
    """One of the changes of a module, by its place in ``lines``."""
    tree = ast.parse(text)
    node, part, function = _places(tree)[index]
    about = _argument(tree, node) if function else _named(tree, node)
    told = _change(node, part)
    return Mutant(module, getattr(node, "lineno", 0), told, function, ast.unparse(tree), about)


def _named(tree: ast.Module, node: ast.AST) -> str:
    """The name that a statement outside of functions gives to the value a node is in."""
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.expr):
            continue
        target, value = statement.targets[0], statement.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=True))
        for name, given in pairs:
            if any(inner is node for inner in ast.walk(given)):
                return ast.unparse(name)
    return ""


def _argument(tree: ast.Module, node: ast.AST) -> str:
    """The call that a node is an argument of, perhaps with its sign; "" where it is in none."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        for given in call.args:
            if node in (given, given.operand if isinstance(given, ast.UnaryOp) else None):
                return f"{name}({ast.unparse(given)})"
        for word in call.keywords:
            if node is word.value:
                return f"{name}({ast.unparse(word)})"
    return ""


def _places(tree: ast.AST) -> list[tuple[ast.AST, int, str]]:
    """Every spot that can be changed; annotations, decorators and texts apart."""
    found: list[tuple[ast.AST, int, str]] = []
    for node, function in walk(tree, "", ""):
        if isinstance(node, ast.Compare):
            found += [(node, k, function) for k, op in enumerate(node.ops) if type(op) in _OTHER]
        elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.AugAssign)):
            if type(node.op) in _OTHER or isinstance(node.op, ast.Not):
                found.append((node, 0, function))
        elif isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
            found.append((node, 0, function))
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


def why_equal(one: Mutant) -> str:
    """Why a change can be noticed by nobody; "" when it should be."""
    known = tomllib.loads((ROOT / "tools" / "mutants_equal.toml").read_text("utf-8"))
    line = source(one.module).read_text("utf-8").splitlines()[one.line - 1]
    for entry in [*known.get(one.module, ()), *known["everywhere"]]:
        here = entry.get("function", one.function) == one.function and entry.get("line", "") in line
        here &= entry.get("about", one.about) == one.about
        if entry["change"] == one.told and here:
            return str(entry["why"])
    for entry in known["constants"]:
        if not one.function and one.about in entry["names"].get(one.module, ()):
            return str(entry["why"])
    return ""


def main(args: list[str]) -> int:
    """Play a sample of all mutants of the chosen modules; status 1 when fewer than 90% are noticed."""
    parser = argparse.ArgumentParser(prog="dev.py mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=60, help="mutants, drawn by chance; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--line", type=int, help="those of this line alone")
    parser.add_argument(
        "modules", nargs="*", help="beginnings of names, such as privacy verify/icc"
    )
    asked = parser.parse_args(args)
    texts = {m: source(m).read_text("utf-8") for m in modules(asked.modules)}
    every = [(m, k, line) for m, text in texts.items() for k, line in enumerate(lines(text))]
    wanted = [(m, k) for m, k, line in every if asked.line in (None, line)]
    if asked.sample and asked.sample < len(wanted):
        wanted = random.Random(asked.seed).sample(wanted, asked.sample)
    drawn = [mutant(m, texts[m], k) for m, k in wanted]
    equal = [one for one in drawn if why_equal(one)]
    drawn = [one for one in drawn if one not in equal]
    for one in equal:
        print(f"set aside: {one} ({why_equal(one)})")
    from tools.mutant_tests import play

    killed = 0

    def tell(one: Mutant, verdict: Verdict) -> None:
        nonlocal killed
        killed += bool(verdict.by)
        word = "killed" if verdict.by else "SURVIVES"
        print(f"{word}: {one} ({verdict})", flush=True)

    play(drawn, tell)
    low, high = _wilson(killed, len(drawn))
    told = f"{killed} of {len(drawn)} killed ({killed / max(len(drawn), 1):.0%}; 95% interval"
    print(f"{told} {low:.0%}–{high:.0%}), {len(equal)} set aside as equal; {len(every)} in all")
    return int(killed < 0.9 * len(drawn))


def _wilson(killed: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    middle, wide = killed + z**2 / 2, z * math.sqrt(killed * (n - killed) / max(n, 1) + z**2 / 4)
    return (middle - wide) / (n + z**2), (middle + wide) / (n + z**2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
