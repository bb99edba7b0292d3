"""The runner that tests the tests: what it changes, and what it sets aside."""

import ast
import tomllib
from copy import deepcopy

from tools import mutant_files, mutant_reach, mutants
from tools.mutants import ROOT, source

CODE = """
LIMIT = 5
class Box:
    def full(self, n: int = 3) -> bool:
        return n >= LIMIT and not self.open
def one(x):
    def inner(y):
        return -y
    return inner(x) + 1
"""


def all_of(module: str, text: str) -> list[mutants.Mutant]:
    return [mutants.mutant(module, text, k) for k in range(len(mutants.lines(text)))]


def test_every_change_is_made_once_and_told_with_its_function():
    made = {(m.told, m.function) for m in all_of("x", CODE)}
    assert made == {
        ("5 -> 6", ""),
        ("3 -> 4", ""),  # a default takes effect on import
        ("n >= LIMIT and (not self.open) -> n >= LIMIT or not self.open", "Box.full"),
        ("n >= LIMIT -> n > LIMIT", "Box.full"),
        ("not self.open -> not not self.open", "Box.full"),
        ("inner(x) + 1 -> inner(x) - 1", "one"),
        ("1 -> 2", "one"),
        ("-y -> +y", "one"),
    }
    assert len({m.code for m in all_of("x", CODE)}) == 8


def test_what_is_set_aside_is_there_and_says_why():
    known = tomllib.loads((ROOT / "tools" / "mutants_equal.toml").read_text("utf-8"))
    everywhere, constants = known.pop("everywhere"), known.pop("constants")
    for module, entries in known.items():
        tree = ast.parse(source(module).read_text("utf-8"))
        told = {mutants._change(deepcopy(node), part) for node, part, _ in mutants._places(tree)}
        assert all(entry["change"] in told and len(entry["why"]) > 20 for entry in entries)
    assert all("about" in entry and len(entry["why"]) > 20 for entry in everywhere)
    for entry in constants:
        assert len(entry["why"]) > 20
        for module, names in entry["names"].items():
            tree = ast.parse(source(module).read_text("utf-8"))
            spots = [node for node, _, function in mutants._places(tree) if not function]
            assert set(names) <= {mutants._named(tree, node) for node in spots}, module


def test_a_change_is_known_by_the_constant_or_the_argument_that_it_is_in():
    text = "A, B = 60, 1e-9\nC = 2**24\n\ndef f(x):\n    return x.reshape(2, -1) + min(x, 1)\n"
    about = {(m.told, m.about) for m in all_of("x", text)}
    assert {("60 -> 61", "A"), ("1e-09 -> 1.000000001", "B"), ("24 -> 25", "C")} <= about
    assert {("1 -> 2", "reshape(-1)"), ("-1 -> +1", "reshape(-1)"), ("1 -> 2", "min(1)")} <= about
    text = "def f(x, y):\n    return list(zip(x, y, strict=True))\n"
    assert [m.about for m in all_of("x", text)] == ["zip(strict=True)"]


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
    text = source("numeric/pairwise").read_text("utf-8")
    every = all_of("numeric/pairwise", text)
    constant = next(m for m in every if m.told.startswith("0.58 -> "))
    about = mutant_reach.marks(constant)
    assert about
    for module, mark in about:
        lines = source(module).read_text("utf-8").splitlines()
        number = next(n for n, (_, k) in mutant_reach.spots(module).items() if k == mark)
        assert "RANDOM_INDEX" in lines[number - 1]
    inside = next(m for m in every if m.function)
    mark = mutant_reach.spots("numeric/pairwise")[inside.line][1]
    assert mutant_reach.marks(inside) == {("numeric/pairwise", mark)}


def test_a_verdict_says_why_a_change_survives():
    verdict = mutants.Verdict
    assert str(verdict("a test")) == "noticed by a test"
    assert str(verdict(passed=3, executed=True)).startswith("all 3")
    assert str(verdict(passed=3, unplayed=2, executed=True)).startswith("not decided")
    assert str(verdict(passed=3)).startswith("no test executes it")
