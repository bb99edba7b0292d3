"""A balanced design with known efficiency, and plans that fall apart."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from svcmetrics import rate
from svcmetrics.numeric import links

# Cochran & Cox (1957), plan 11.7: 7 targets in 7 blocks of 3, every pair together once.
BLOCKS = [[0, 1, 3], [1, 2, 4], [2, 3, 5], [3, 4, 6], [4, 5, 0], [5, 6, 1], [6, 0, 2]]


def plan(blocks: list[list[object]]) -> pd.DataFrame:
    rows = [(f"r{k}", str(j)) for k, block in enumerate(blocks) for j in block]
    return pd.DataFrame(rows, columns=["rater_key", "target_id"])


def numbers(result) -> dict[str, float]:
    return result.table.set_index("variant")["estimate"].to_dict()


def test_the_balanced_design():
    got = numbers(rate.connectivity(plan(BLOCKS), wave=None))
    assert got["efficiency"] == pytest.approx(7 / 9, abs=1e-12)
    assert got["subsets"] == 1
    assert got["bridges"] == 0
    assert got["algebraic"] == pytest.approx(7 / 3, abs=1e-12)


def test_everybody_rates_everything_loses_nothing():
    assert numbers(rate.connectivity(plan([[0, 1, 2, 3]] * 5), wave=None))[
        "efficiency"
    ] == pytest.approx(1)


def test_two_halves_are_named_and_get_no_efficiency():
    result = rate.connectivity(plan([["a", "b", "c"]] * 3 + [["x", "y"]] * 3), wave=None)
    got = numbers(result)
    assert got["subsets"] == 2
    assert got["algebraic"] == 0
    assert np.isnan(got["efficiency"])
    assert result.findings[0].level == "refused"
    assert result.findings[0].values["names"] == ["x", "y"]
    assert result.about["subsets"][""] == [["a", "b", "c"], ["x", "y"]]


def test_one_bridging_rater_is_connected_but_not_enough():
    halves = [["a", "b", "c"]] * 8 + [["x", "y", "z"]] * 8
    bridged = plan([*halves, ["a", "x"]])
    result = rate.connectivity(bridged, wave=None)
    got = numbers(result)
    assert (got["subsets"], got["bridges"]) == (1, 1)
    warning = next(f for f in result.findings if f.key == "connectivity.bridges")
    assert warning.values["names"] == ["a", "x"]
    errors = rate.precision(bridged, wave=None).table.set_index("target_id")
    within = rate.precision(plan(halves[:8]), wave=None).table["difference"].max()
    assert errors["worst"].max() > 3 * within


def test_a_rater_of_one_department_links_nothing():
    got = numbers(rate.connectivity(plan([[0], [1], [0, 1]]), wave=None))
    assert (got["subsets"], got["bridges"]) == (1, 1)
    assert numbers(rate.connectivity(plan([[0], [1]]), wave=None))["subsets"] == 2


def test_a_large_plan_is_instant():
    rng = np.random.default_rng(3)
    blocks = [rng.choice(60, 6, replace=False) for _ in range(5000)]
    big = plan(blocks)
    start = time.perf_counter()
    rate.connectivity(big, wave=None)
    rate.precision(big, wave=None, response=0.6)
    assert time.perf_counter() - start < 5


def test_bridges_are_the_raters_whose_leaving_makes_more_subsets():
    rng = np.random.default_rng(11)
    found = 0
    for _ in range(120):
        shape = (int(rng.integers(2, 15)), int(rng.integers(2, 12)))
        counts = (rng.random(shape) < rng.uniform(0.1, 0.5)).astype(float)
        expected = [
            k for k in range(len(counts)) if _number(np.delete(counts, k, 0)) > _number(counts)
        ]
        assert links.bridges(sparse.csr_array(counts)).tolist() == expected
        found += len(expected)
    assert found > 50


def _number(counts: np.ndarray) -> int:
    """Subsets of targets that share raters, by walking from target to target."""
    left, subsets = set(range(counts.shape[1])), 0
    while left:
        subsets, reached = subsets + 1, {left.pop()}
        while reached:
            raters = counts[:, list(reached)].any(axis=1)
            reached = left & set(np.flatnonzero(counts[raters].any(axis=0)))
            left -= reached
    return subsets


@pytest.mark.parametrize("size", [8, 9])
def test_a_chain_of_departments_hangs_on_every_rater_and_loses_most(size):
    result = rate.connectivity(plan([[j, j + 1] for j in range(size - 1)]), wave=None)
    got, told = numbers(result), {f.key: f.values for f in result.findings}
    assert got["bridges"] == size - 1
    # Of a path each comparison of ends j apart has variance 2j: the mean over pairs gives it.
    apart = [2 * (b - a) for a in range(size) for b in range(a + 1, size)]
    usual = 2 * (size - 1) / size  # forms of a department: what a whole plan would give
    assert got["efficiency"] == pytest.approx(2 / usual / np.mean(apart))
    names = told["connectivity.bridges"]["names"]
    assert names == [str(j) for j in range(8)] + ["…"] * (size > 8)
    assert told["connectivity.bridges"]["count"] == size - 1
    assert told["connectivity.inefficient"]["lost"] == pytest.approx(100 * (1 - got["efficiency"]))


def test_the_reading_covers_the_waves_that_hang_together():
    whole, apart = plan(BLOCKS).assign(wave="1"), plan([[0, 1], [2, 3]]).assign(wave="2")
    full = plan([[0, 1, 2, 3]] * 5).assign(wave="3")
    result = rate.connectivity(pd.concat([whole, apart, full]))
    first = result.findings[0]
    assert first.key == "connectivity.linked"
    assert first.values == {"waves": 2, "targets": 7, "efficiency": pytest.approx(700 / 9)}
    assert [(f.key, f.values["wave"]) for f in result.findings[1:]] == [("connectivity.apart", "2")]
    assert result.findings[1].values["subsets"] == 2
    alone = rate.connectivity(plan([[0], [0]]), wave=None)
    assert numbers(alone)["subsets"] == 1
    assert (numbers(alone)["algebraic"], np.isnan(numbers(alone)["efficiency"])) == (0, True)
