"""What is shown of a release is the largest set that may be: an integer programme finds no larger one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from svcmetrics.numeric import disclosure_audit
from svcmetrics.privacy import Ledger, publish_means
from tests.privacy.scenarios import KINDS, Scenario
from tests.privacy.test_attacks import behind


def largest(safe, asked: list[int], start: int) -> int:
    """The size of the largest safe set: cells at once, less one for each set known not to be safe."""
    place = {cell: i for i, cell in enumerate(asked)}
    unsafe: list[list[int]] = []
    while True:
        rows = np.zeros((len(unsafe) + 1, len(asked)))
        for row, cells in enumerate(unsafe):
            rows[row, [place[c] for c in cells]] = 1
        most = np.array([*(len(c) - 1 for c in unsafe), len(asked)], dtype=float)
        found = milp(-np.ones(len(asked)), constraints=LinearConstraint(rows, -np.inf, most),
                     bounds=Bounds(0, 1), integrality=np.ones(len(asked)))  # fmt: skip
        chosen = [c for c, x in zip(asked, found.x) if x > 0.5]
        if len(chosen) <= start or safe(chosen):
            return max(len(chosen), start)
        for cell in list(chosen):
            fewer = [c for c in chosen if c != cell]
            chosen = chosen if safe(fewer) else fewer
        unsafe.append(chosen)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_no_release_could_show_more(kind, tmp_path, monkeypatch):
    sizes = []
    most = disclosure_audit._Part._most

    def compared(part, asked, persons):
        shown = most(part, asked, persons)
        safe = lambda cells: len(part._taken(sorted(cells))) == len(cells)  # noqa: E731
        sizes.append((len(shown), largest(safe, asked, len(shown)) if asked else 0))
        return shown

    monkeypatch.setattr(disclosure_audit._Part, "_most", compared)
    place = KINDS.index(kind)
    scenario = Scenario(kind.__name__, 1, tuple(kind(np.random.default_rng([1, place]))))
    with Ledger.open(scenario.name, tmp_path) as ledger:
        for release in scenario.releases:
            publish_means(behind(release), ledger=ledger)
    assert sum(shown for shown, _ in sizes) > 0
    assert all(shown == best for shown, best in sizes)


def test_the_programme_finds_a_larger_set_where_there_is_one():
    pairs = [{0, 1}, {0, 2}, {0, 3}]  # the first cell stands against all others
    assert largest(lambda cells: not any(p <= set(cells) for p in pairs), [0, 1, 2, 3], 1) == 3
