"""The runner that tests the tests: what it changes, and what it sets aside."""

import ast
import tomllib

import pytest

from tools import mutant_changes, mutant_files, mutant_reach, mutants
from tools.mutant_changes import Changes, changes
from tools.mutants import ROOT, source

CODE = """
LIMIT, NAME = 5, "x"
class Box:
    def full(self, n: int = 3) -> bool:
        return n >= LIMIT and not self.open
@metric("a")
def one(x):
    def inner(y=2):
        return -y
    z = inner(x) + 1
    return "a" if z else len(x)
"""


def told(text: str) -> list[tuple[str, str]]:
    made = Changes(text)
    return [(made.told(change), made.function(change)) for change in made.every]


def test_every_change_of_mutmut_is_made_once_and_told_with_its_function():
    assert sorted(told(CODE)) == sorted(
        [
            ("5 -> 6", ""),  # of what stands outside of functions, the numbers; not the texts
            ("3 -> 4", ""),  # a default takes effect on import
            ("n >= LIMIT and (not self.open) -> n >= LIMIT or not self.open", "Box.full"),
            ("n >= LIMIT -> n > LIMIT", "Box.full"),
            ("not self.open -> self.open", "Box.full"),
            ("2 -> 3", "one"),
            ("-y -> +y", "one"),
            ("z = inner(x) + 1 -> z = None", "one"),
            ("inner(x) + 1 -> inner(x) - 1", "one"),
            ("1 -> 2", "one"),
            ("inner(x) -> inner(None)", "one"),
            ("'a' if z else len(x) -> 'a' if z and False else len(x)", "one"),
            ("'a' if z else len(x) -> 'a' if z or True else len(x)", "one"),
            ("'a' -> 'XXaXX'", "one"),
            ("'a' -> 'A'", "one"),
        ]
    )


def test_a_change_is_in_the_code_and_nothing_else_is():
    made = Changes(CODE)
    codes = [made.code(change) for change in made.every]
    assert len(set(codes)) == len(codes) and CODE not in codes
    at = [made.told(change) for change in made.every].index("-y -> +y")
    assert codes[at] == CODE.replace("-y", "+y") and made.every[at].line == 9


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x = y", "assignments"),
        ("g(*y)\n    g(y)", "arguments"),
        ("z[a and b]", "numbers and operators"),
        ("return 'x'", "texts"),
        ("while b:\n        break", "branches"),
    ],
)
def test_a_change_has_a_kind(text: str, kind: str):
    assert {change.kind for change in Changes(f"def f():\n    {text}\n").every} == {kind}


PARTS = (ast.expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Break, ast.Continue)


def nodes(module: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(source(module).read_text("utf-8"))))


def test_what_is_set_aside_is_there_and_says_why():
    known = tomllib.loads((ROOT / "tools" / "mutants_equal.toml").read_text("utf-8"))
    everywhere, constants, alike = (
        known.pop(name) for name in ("everywhere", "constants", "alike")
    )
    told = {module: [entry["change"] for entry in entries] for module, entries in known.items()}
    for module, changed in [*told.items(), *(one for e in alike for one in e["changes"].items())]:
        there = {ast.unparse(node) for node in nodes(module) if isinstance(node, PARTS)}
        assert {change.partition(" -> ")[0] for change in changed} <= there, module
    every = [e for entries in (*known.values(), everywhere, constants, alike) for e in entries]
    assert all(len(entry["why"]) > 20 for entry in every)
    assert all("about" in entry for entry in everywhere)
    for entry in constants:
        for module, names in entry["names"].items():
            stored = [n for n in nodes(module) if isinstance(getattr(n, "ctx", None), ast.Store)]
            assert set(names) <= {ast.unparse(node) for node in stored}, module


def test_a_change_is_known_by_the_constant_or_the_argument_that_it_is_in():
    made = Changes(
        "A, B = 60, 1e-9\nC = 2**24\n\ndef f(x):\n    return x.reshape(2, -1) + min(x, 1)\n"
    )
    about = {(made.told(change), made.about(change)) for change in made.every}
    assert {("60 -> 61", "A"), ("1e-09 -> 1.000000001", "B"), ("24 -> 25", "C")} <= about
    assert {("1 -> 2", "reshape(-1)"), ("-1 -> +1", "reshape(-1)"), ("1 -> 2", "min(1)")} <= about
    assert ("x.reshape(2, -1) -> x.reshape(2)", "reshape(-1)") in about
    made = Changes("def f(x, y):\n    return zip(x, y, strict=True)\n")
    assert [made.about(change) for change in made.every if change.kind != "arguments"] == [
        "zip(strict=True)"
    ]
    away = [made.about(change) for change in made.every if change.kind == "arguments"]
    assert away == ["zip(x)", "zip(y)", "zip(strict=True)"] * 2


def test_the_places_of_a_module_are_kept_until_its_text_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(mutant_changes, "KEPT", tmp_path / "kept")
    module = tmp_path / "one.py"
    module.write_text("A = 1\n", "utf-8")
    first = mutant_changes.places(module)
    assert first == [(1, "numbers and operators")] == mutant_changes.places(module)
    module.write_text("\nA = 1 + x\n", "utf-8")
    changes.cache_clear()
    assert mutant_changes.places(module) == [(2, "numbers and operators")] * 2


def test_a_module_has_tests_and_its_own_come_first():
    assert mutant_files.files("verify/icc")[0] == "tests/verify/test_icc.py"
    assert mutant_files.files("numeric/disclosure_thin")[0] == "tests/numeric/test_disclosure.py"
    without = [m for m in mutants.modules([]) if not mutant_files.files(m)]
    assert without == []


class Item:
    """As a collected test, as far as its choice goes."""

    def __init__(self, nodeid: str):
        self.nodeid = nodeid


def test_what_is_on_record_of_a_metric_is_played_for_all_that_it_uses():
    of_icc, of_cvi = (Item(f"tests/test_unchanged.py::test_same[{m}]") for m in ("icc", "cvi"))
    means = Item("tests/test_unchanged.py::test_same[means months-0]")
    items = [of_icc, of_cvi, means]
    law = Item("tests/test_laws.py::test_order[icc]")
    own = Item("tests/verify/test_icc.py::test_one")
    assert mutant_files.tests("verify/icc", [*items, law, own]) == [[of_icc], [own], []]
    assert mutant_files.tests("numeric/intervals", items) == [[of_cvi], [], []]
    assert mutant_files.tests("numeric/disclosure_audit", items) == [[means], [], []]


def test_a_change_is_about_its_line_and_that_of_a_constant_about_the_lines_that_name_it():
    made = changes(source("numeric/pairwise"))
    numbers = [k for k, change in enumerate(made.every) if change.kind == "numbers and operators"]
    constant = next(k for k in numbers if made.told(made.every[k]).startswith("0.58 -> "))
    inside = next(k for k in numbers if made.function(made.every[k]))
    constant, inside = (mutants.mutant("numeric/pairwise", k) for k in (constant, inside))
    about = mutant_reach.marks(constant)
    assert about
    for module, mark in about:
        lines = source(module).read_text("utf-8").splitlines()
        number = next(n for n, (_, k) in mutant_reach.spots(module).items() if k == mark)
        assert "RANDOM_INDEX" in lines[number - 1]
    mark = mutant_reach.spots("numeric/pairwise")[inside.line][1]
    assert mutant_reach.marks(inside) == {("numeric/pairwise", mark)}


def test_a_verdict_says_why_a_change_survives():
    verdict = mutants.Verdict
    assert str(verdict("a test")) == "noticed by a test"
    assert str(verdict(passed=3, executed=True)).startswith("all 3")
    assert str(verdict(passed=3, unplayed=2, executed=True)).startswith("not decided")
    assert str(verdict(passed=3)).startswith("no test executes it")
