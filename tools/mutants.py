"""Are the tests worth anything? Change the code in small ways, and see whether a test notices.

``python3 dev.py mutants [--sample 60] [--seed 1] [privacy numeric/icc …]``: the changes are those of
mutmut (tools/mutant_changes.py), drawn by chance; each is made in memory, in a process of its own; no
file of the package is touched.
"""

import argparse
import math
import random
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tools.environment import ROOT
from tools.mutant_changes import VALUES, changes, places

PACKAGE = ROOT / "svcmetrics"
# Folders of statistics and of the door out; the others read, draw and talk.
FOLDERS = ("design", "measure", "numeric", "pilot", "privacy", "rate", "score", "verify", "weigh")


class Mutant(NamedTuple):
    """One change: in which module and function ("" outside of functions), and the whole code with it.

    ``about``: the call and the argument of it that is changed, as in "reshape(-1)"; outside of
    functions the name that is given the value.
    """

    module: str
    line: int
    told: str
    function: str
    code: str
    about: str = ""
    kind: str = VALUES

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


def mutant(module: str, index: int) -> Mutant:
    """One of the changes of a module, by its place in ``places``."""
    all_of = changes(source(module))
    change = all_of.every[index]
    function = all_of.function(change)
    told, about, code = all_of.told(change), all_of.about(change), all_of.code(change)
    return Mutant(module, change.line, told, function, code, about, change.kind)


def why_equal(one: Mutant) -> str:
    """Why a change can be noticed by nobody; "" when it should be."""
    known = tomllib.loads((ROOT / "tools" / "mutants_equal.toml").read_text("utf-8"))
    line = source(one.module).read_text("utf-8").splitlines()[one.line - 1]
    for entry in [*known.get(one.module, ()), *known["everywhere"]]:
        here = entry.get("function", one.function) == one.function and entry.get("line", "") in line
        here &= entry.get("about", one.about) == one.about
        if entry.get("change", one.told) == one.told and here:
            return str(entry["why"])
    for entry in known["alike"]:
        if one.told in entry["changes"].get(one.module, ()):
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
    parser.add_argument("--kind", default="", help=f"of one kind alone, such as {VALUES!r}")
    parser.add_argument("--line", type=int, help="those of this line alone")
    parser.add_argument(
        "modules", nargs="*", help="beginnings of names, such as privacy verify/icc"
    )
    asked = parser.parse_args(args)
    every = [(m, k, *at) for m in modules(asked.modules) for k, at in enumerate(places(source(m)))]
    wanted = [
        (m, k)
        for m, k, line, kind in every
        if asked.line in (None, line) and asked.kind in ("", kind)
    ]
    if asked.sample and asked.sample < len(wanted):
        wanted = random.Random(asked.seed).sample(wanted, asked.sample)
    drawn = [mutant(m, k) for m, k in wanted]
    equal = [one for one in drawn if why_equal(one)]
    drawn = [one for one in drawn if one not in equal]
    for one in equal:
        print(f"set aside: {one} ({why_equal(one)})")
    from tools.mutant_tests import play

    of, killed = Counter(one.kind for one in drawn), Counter[str]()

    def tell(one: Mutant, verdict: Verdict) -> None:
        killed[one.kind] += bool(verdict.by)
        word = "killed" if verdict.by else "SURVIVES"
        print(f"{word}: {one} ({verdict})", flush=True)

    play(drawn, tell)
    for kind, n in of.most_common():
        print(f"{kind}: {_rate(killed[kind], n)}")
    print(f"{_rate(killed.total(), of.total())}, {len(equal)} set aside; {len(every)} in all")
    return int(killed.total() < 0.9 * of.total())


def _rate(killed: int, n: int) -> str:
    low, high = _wilson(killed, n)
    return f"{killed} of {n} killed ({killed / max(n, 1):.0%}; 95% interval {low:.0%}–{high:.0%})"


def _wilson(killed: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    middle, wide = killed + z**2 / 2, z * math.sqrt(killed * (n - killed) / max(n, 1) + z**2 / 4)
    return (middle - wide) / (n + z**2), (middle + wide) / (n + z**2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
