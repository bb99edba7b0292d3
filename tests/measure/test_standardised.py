"""Observed against expected: by hand, by construction, and what shrinkage does."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.numeric import shrinkage
from tests.measure.logs import two_years

EVENTS, BOOK = two_years()


def test_observed_over_expected_by_hand():
    # Late: PAY (9.5 h) 5 of 10 in 2024 and 0 of 10 in 2025 … 11 h late, 8.8 h not; BUY 10 of 20.
    table = measure.standardised(EVENTS, services=BOOK).table
    late = table[table["variant"] == "late"].set_index("provider_id")
    assert late["observed"].to_dict() == {"HR": 5, "PUR": 10}
    assert late["expected_cases"].tolist() == [7.5, 7.5]
    assert late["estimate"].tolist() == pytest.approx([5 / 7.5, 10 / 7.5])


def test_work_that_nobody_else_does_is_said_to_be_incomparable():
    out = measure.standardised(EVENTS, services=BOOK, mix=["service_id"])
    late = out.table[out.table["variant"] == "late"]
    assert late["estimate"].tolist() == [1.0, 1.0]
    assert late["own_work"].tolist() == [1.0, 1.0]
    assert "standardised.alone" in [f.key for f in out.findings]


def test_observed_sums_to_expected_over_all_groups():
    table = measure.standardised(EVENTS, services=BOOK, mix=["month"]).table
    late = table[table["variant"] == "late"]
    assert late["observed"].sum() == pytest.approx(late["expected_cases"].sum())


def test_shrinkage_finds_the_spread_that_made_the_counts():
    rng = np.random.default_rng(1)
    expected = rng.uniform(5, 50, 400)
    observed = rng.poisson(rng.gamma(8, 1 / 8, 400) * expected).astype(float)
    shape, rate = shrinkage.gamma_prior(observed, expected)
    assert 6 < shape < 11
    assert shape / rate == pytest.approx(observed.sum() / expected.sum())
    mean, low, high = shrinkage.shrunken(observed, expected, shape, rate)
    plain = observed / expected
    assert (np.abs(mean - 1) <= np.abs(plain - shape / rate) + abs(1 - shape / rate) + 1e-9).all()
    assert ((low < mean) & (mean < high)).all()


def test_groups_that_differ_by_chance_only_are_drawn_together():
    expected = np.full(60, 20.0)
    observed = np.tile([18.0, 20.0, 22.0], 20)
    shape, rate = shrinkage.gamma_prior(observed, expected)
    assert np.isinf(shape)
    mean, *_ = shrinkage.shrunken(observed, expected, shape, rate)
    assert mean == pytest.approx(1)


def test_nothing_to_judge_is_refused():
    out = measure.standardised(EVENTS, services=BOOK.assign(promise_h=None))
    assert out.findings[0].level == "refused"


@pytest.mark.parametrize(
    ("low", "high", "own", "keys"),
    [
        (1.01, 2.0, 0.5, ["above"]), (1.0, 2.0, 0.5, ["alike"]), (0.5, 0.99, 0.5, ["below"]),
        (0.5, 1.0, 0.5, ["alike"]), (0.5, 2.0, 0.51, ["alike", "alone"]),
    ],
)  # fmt: skip
def test_a_group_is_told_where_its_interval_leaves_one_out(low, high, own, keys):
    module = importlib.import_module("svcmetrics.measure.standardised")
    table = pd.DataFrame({"unit": ["a", "b"], "variant": ["late", "returned"], "estimate": 1.2,
                          "low": [low, 9.0], "high": [high, 10.0], "own_work": own})  # fmt: skip
    found = module._findings(table, "unit", SimpleNamespace(findings=list))
    assert [f.key for f in found] == [f"standardised.{k}" for k in keys]
    assert found[-1].values == ({"groups": 1} if keys[-1] == "alike" else {"groups": ["a"]})


def test_where_nothing_is_expected_there_is_no_ratio():
    module = importlib.import_module("svcmetrics.measure.standardised")
    frame = pd.DataFrame({"unit": list("aabb"), "kind": [1, 1, 2, 2], "late": [0, 0, 1, 0]})
    table = module._compared(frame, "unit", ["kind"], "late").set_index("unit")
    assert np.isnan(table.loc["a", "estimate"]) and table.loc["b", "estimate"] == 1
    assert (table["variant"] == "late").all()  # without expectation nothing is shrunken
