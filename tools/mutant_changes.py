"""The small changes that mutmut makes of a module, those of functions with a decorator as well.

mutmut (3.8) passes over a function with a decorator, and so over every metric: a run of its own would
leave the statistics out. What it changes is taken as it is; how it is played, is ours (mutant_tests.py).
Outside of functions, where mutmut changes nothing, numbers and operators are changed.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from tools.environment import ROOT

# The line and kind of every change of a module, as long as its text stays the same.
KEPT = ROOT / ".mutants" / "changes"
_VALUES = (cst.BaseNumber, cst.UnaryOperation, cst.BinaryOperation, cst.BooleanOperation,
           cst.ComparisonTarget, cst.AugAssign, cst.Name, cst.Is, cst.IsNot, cst.In, cst.NotIn)  # fmt: skip
VALUES, OTHERS = "numbers and operators", "branches"
_KINDS: dict[str, tuple[type, ...]] = {
    VALUES: _VALUES,
    "arguments": (cst.Call,),
    "texts": (cst.BaseString,),
    "assignments": (cst.Assign, cst.AnnAssign),
}


class Change(NamedTuple):
    """What takes the place of a node."""

    line: int
    kind: str
    node: cst.CSTNode
    new: cst.CSTNode


class Changes(MutationVisitor):
    """Every change of a module, in the order that mutmut makes them."""

    def __init__(self, text: str):
        super().__init__(mutation_operators, IgnoredCode(set(), set(), set()))
        tree = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
        self.parent = tree.resolve(ParentNodeProvider)
        self.module = tree.visit(self)
        at = tree.resolve(PositionProvider)
        self.every: list[Change] = []
        for made in self.mutations:
            node = made.original_node
            kind = next((name for name, of in _KINDS.items() if isinstance(node, of)), OTHERS)
            change = Change(at[node].start.line, kind, node, made.mutated_node)
            if kind == VALUES or self.function(change):
                self.every.append(change)

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef) and node.decorators:
            return False
        return bool(super()._skip_node_and_children(node))

    def code(self, change: Change) -> str:
        """The whole module with a change."""
        changed = self.module.deep_replace(change.node, change.new)
        return changed.code if isinstance(changed, cst.Module) else ""

    def told(self, change: Change) -> str:
        """What was there, and what is there instead: of a comparison both sides."""
        before, after = change.node, change.new
        up = self.parent[before]
        if isinstance(before, (cst.ComparisonTarget, cst.Is, cst.IsNot, cst.In, cst.NotIn)):
            while not isinstance(up, cst.Comparison):
                up = self.parent[up]
            before, after = up, up.deep_replace(before, after)
        return f"{_plain(self.module.code_for_node(before))} -> {_plain(self.module.code_for_node(after))}"

    def function(self, change: Change) -> str:
        """The outermost function whose body a node stands in; "" for what takes effect on import."""
        name, inner = "", change.node
        for node in self._path(change.node):
            if isinstance(node, cst.FunctionDef):
                name = node.name.value if inner is node.body else ""
            elif isinstance(node, cst.ClassDef) and name:
                name = f"{node.name.value}.{name}"
            inner = node
        return name

    def about(self, change: Change) -> str:
        """The call and the argument of it that is changed, perhaps with its sign; the name of a constant."""
        path = [change.node, *self._path(change.node)]
        if isinstance(change.node, cst.Call) and isinstance(change.new, cst.Call):
            pairs = zip_longest(change.node.args, change.new.args)
            changed = [before for before, after in pairs if before is not after and before]
            return self._argument(change.node, changed[0]) if changed else ""
        if isinstance(path[1], cst.UnaryOperation):
            path.pop(0)
        if isinstance(path[1], cst.Arg) and isinstance(path[2], cst.Call):
            return self._argument(path[2], path[1])
        return "" if self.function(change) else self._named(path)

    def _argument(self, call: cst.Call, given: cst.Arg) -> str:
        name = getattr(call.func, "attr", call.func)
        word = f"{given.keyword.value}=" if given.keyword else ""
        value = _plain(self.module.code_for_node(given.value))
        return f"{name.value}({word}{value})" if isinstance(name, cst.Name) else ""

    def _path(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while node in self.parent:
            node = self.parent[node]
            yield node

    def _named(self, path: list[cst.CSTNode]) -> str:
        """The name that a statement outside of functions gives to the value a node is in."""
        for inside, value, up in zip([path[0], *path], path, path[1:]):
            if isinstance(up, cst.Assign):
                target = up.targets[0].target
                if isinstance(value, cst.Tuple) and isinstance(target, cst.Tuple):
                    which = [element is inside for element in value.elements].index(True)
                    return _plain(self.module.code_for_node(target.elements[which].value))
                return _plain(self.module.code_for_node(target))
        return ""


def _plain(code: str) -> str:
    """Code on one line, as everybody would write it."""
    try:
        return ast.unparse(ast.parse(f"({code})", mode="eval"))
    except SyntaxError:  # a statement
        return ast.unparse(ast.parse(code.strip()))


@cache
def changes(path: Path) -> Changes:
    return Changes(path.read_text("utf-8"))


def places(path: Path) -> list[tuple[int, str]]:
    """The line and kind of every change of a module: to make them all takes a minute, to read them none."""
    text = path.read_bytes() + Path(__file__).read_bytes() + version("mutmut").encode()
    digest = hashlib.sha256(text).hexdigest()
    kept = KEPT / f"{path.parent.name}.{path.stem}.json"
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if known.get("digest") != digest:
        found = [(change.line, change.kind) for change in changes(path).every]
        known = {"digest": digest, "places": found}
        KEPT.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(known), "utf-8")
    return [(line, kind) for line, kind in known["places"]]
