"""Joint draws of composites: they sit on the composite, and know what errors have in common."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import TableError
from svcmetrics.score import composite, composite_draws

RNG = np.random.default_rng(0)
UNITS = ["A", "B", "C", "D"]


def table(missing=False):
    rows = [(u, m) for u in UNITS for m in ("said", "time")]
    out = pd.DataFrame(rows, columns=["unit", "metric"])
    out["estimate"] = [60.0, 80, 55, 70, 75, 65, 50, 90]
    if missing:
        out.loc[1, "estimate"] = np.nan
    return out.assign(low=out["estimate"] - 8, high=out["estimate"] + 8)


CALL = {"weights": {"said": 0.8, "time": 0.2}, "target": "unit"}


@pytest.mark.parametrize("method", ["arithmetic", "geometric", "minimum"])
@pytest.mark.parametrize("missing", ["cautious", "renormalise", "zero"])
def test_without_errors_the_draws_are_the_composite(method, missing):
    how = {**CALL, "method": method, "missing": missing}
    data = table(missing=True).assign(low=lambda t: t["estimate"], high=lambda t: t["estimate"])
    drawn = composite_draws(data, joint={}, **how)
    point = composite(data, **how).table
    assert drawn.columns.tolist() == point["unit"].tolist()
    np.testing.assert_allclose(drawn.iloc[0], point["estimate"], rtol=1e-12)


def test_errors_that_all_share_cancel_in_a_comparison():
    together = pd.DataFrame(np.repeat(RNG.normal(0, 4, (4000, 1)), 4, axis=1), columns=UNITS)
    drawn = composite_draws(table(), joint={"said": together}, **CALL)
    se = 8 / 1.959964
    difference = (drawn["A"] - drawn["B"]).var()
    assert difference == pytest.approx(2 * (0.2 * se) ** 2, rel=0.1)
    assert drawn["A"].var() == pytest.approx((0.8 * 4) ** 2 + (0.2 * se) ** 2, rel=0.1)
    alone = composite_draws(table(), joint={}, **CALL)
    assert (alone["A"] - alone["B"]).var() == pytest.approx(2 * 0.68 * se**2, rel=0.1)


def test_one_draw_of_the_weights_holds_for_all():
    weights = pd.DataFrame({"node": ["said", "time"], "weight": [0.5, 0.5]})
    weights = weights.assign(low=[0.4, 0.5], high=[0.6, 0.5])
    exact = table().assign(low=lambda t: t["estimate"], high=lambda t: t["estimate"])
    exact["estimate"] = [60.0, 80, 50, 70, 70, 90, 40, 60]  # the same gap everywhere
    exact = exact.assign(low=exact["estimate"], high=exact["estimate"])
    drawn = composite_draws(exact, joint={}, weights=weights, target="unit")
    assert drawn["A"].std() > 0.3
    np.testing.assert_allclose((drawn["A"] - drawn["B"]).std(), 0, atol=1e-9)


def test_without_an_interval_there_are_no_draws_and_unknown_names_are_errors():
    bare = table().drop(columns=["low", "high"])
    assert composite_draws(bare, joint={}, **CALL).isna().all(axis=None)
    with pytest.raises(TableError):
        composite_draws(table(), joint={"nobody": pd.DataFrame({"A": [1.0]})}, **CALL)


def test_a_weight_that_may_only_be_larger_only_moves_towards_its_indicator():
    """said weighs 0.5 to 0.9, time 0.5: A has 100 and 0, so no draw of A is below 50."""
    weights = pd.DataFrame({"node": ["said", "time"], "weight": [0.5, 0.5]})
    weights = weights.assign(low=[0.5, 0.5], high=[0.9, 0.5])
    rows = [(u, m, x) for u, own in (("A", (100.0, 0.0)), ("B", (0.0, 100.0)))
            for m, x in zip(("said", "time"), own)]  # fmt: skip
    exact = pd.DataFrame(rows, columns=["unit", "metric", "estimate"])
    exact = exact.assign(low=exact["estimate"], high=exact["estimate"])
    drawn = composite_draws(exact, joint={}, weights=weights, target="unit")
    assert drawn["A"].min() >= 50 - 1e-9
    assert drawn["A"].max() > 55
    np.testing.assert_allclose(drawn["A"] + drawn["B"], 100)
