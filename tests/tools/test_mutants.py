"""The runner that tests the tests: what it changes, and what it sets aside."""

import tomllib

from tools import mutant_tests, mutants
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
    for module, entries in known.items():
        told = {m.told for m in all_of(module, source(module).read_text("utf-8"))}
        assert all(entry["change"] in told and len(entry["why"]) > 20 for entry in entries)


def test_a_module_has_tests_and_its_own_come_first():
    assert mutant_tests.files("verify/icc")[0] == "tests/verify/test_icc.py"
    assert mutant_tests.files("numeric/disclosure_thin")[0] == "tests/numeric/test_disclosure.py"
    without = [m for m in mutants.modules([]) if not mutant_tests.files(m)]
    assert without == []


class Item:
    """As a collected test, as far as its choice goes."""

    def __init__(self, nodeid: str):
        self.nodeid = nodeid


def test_what_is_on_record_of_a_metric_is_played_for_all_that_it_uses():
    of_icc, of_cvi = (Item(f"tests/test_unchanged.py::test_same[{m}]") for m in ("icc", "cvi"))
    means = Item("tests/test_unchanged.py::test_same[means months-0]")
    items = [of_icc, of_cvi, means]
    assert mutant_tests.tests("verify/icc", items) == [of_icc]
    assert mutant_tests.tests("numeric/intervals", items) == [of_cvi]
    assert mutant_tests.tests("numeric/disclosure_audit", items) == [means]
    assert mutant_tests.tests("verify/icc", [Item("tests/test_laws.py::test_order[icc]")]) == []
