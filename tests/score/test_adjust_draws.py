"""Joint draws of adjusted scores: the closed form, what cancels, refusals, the null."""

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from svcmetrics import TableError
from svcmetrics.numeric.joint import multivariate, two_pieces
from svcmetrics.numeric.pairs import from_mean
from svcmetrics.score import adjust, adjust_draws, groups, ranks
from tests.score.samples import SAMPLES

RATED = SAMPLES["adjust"].data
CALL = {"target": "unit", "rater": "who", "score": "points"}


def complete(raters=30, units=6, seed=0, severity=1.0, spread=0.0):
    rng = np.random.default_rng(seed)
    r, u = np.divmod(np.arange(raters * units), units)
    y = rng.normal(0, severity, raters)[r] + rng.normal(0, 0.5, len(r)) + spread * u
    return pd.DataFrame({"unit": [f"U{i}" for i in u], "who": r, "points": y})


def test_the_covariance_of_the_draws_is_that_of_the_closed_form():
    """Every rater rates every unit: variance (s²rater + s²residual) / n, covariance s²rater / n."""
    data = complete()
    result = adjust(data, **CALL)
    drawn = adjust_draws(data, **CALL, rng=3)
    table = result.table.query("variant == 'adjusted'").set_index("unit")
    assert drawn.columns.tolist() == table.index.tolist()
    parts, n = result.about["variances"], 30
    stretch = (n - 1) / (n - 3)  # variance of Student's t with n - 1 degrees of freedom
    whole = np.full((6, 6), parts["rater"] / n) + np.eye(6) * parts["residual"] / n
    np.testing.assert_allclose(np.cov(drawn.T), whole * stretch, rtol=0.1)
    # what is compared: shared severity is gone, and what is left is known to 1%
    apart = drawn.sub(drawn.mean(axis=1), axis=0).var()
    expected = parts["residual"] / n * (1 - 1 / 6) * stretch
    np.testing.assert_allclose(apart, expected, rtol=0.08)
    assert apart.mean() == pytest.approx(expected, rel=0.03)
    np.testing.assert_allclose(drawn.mean(), table["estimate"], atol=4 * table["se"].max() / 63)


def test_limits_from_the_mean_are_those_of_students_t():
    """Two units: the two distances are one number, so the limit is that of a single t."""
    rng = np.random.default_rng(0)
    errors = multivariate(np.eye(2), 20.0, 200_000, rng)
    half = from_mean(np.zeros(2), errors, 0.95)[1]
    np.testing.assert_allclose(half, stdtrit(20, 0.975) * np.sqrt(1 / 2), rtol=0.01)
    # four: above the limit of one, below that of four by Bonferroni
    half = from_mean(np.zeros(4), multivariate(np.eye(4), 20.0, 100_000, rng), 0.95)[1]
    scaled = half / np.sqrt(3 / 4)
    assert (scaled > stdtrit(20, 0.975) + 0.3).all()
    assert (scaled < stdtrit(20, 1 - 0.025 / 4)).all()


def test_severity_that_all_share_no_longer_hides_a_difference():
    data = complete(severity=3.0, spread=0.25, seed=1)
    table = adjust(data, **CALL).table.query("variant == 'adjusted'")
    alone = groups(table, target="unit", uncertainty="se").table["group"]
    together = groups(table, target="unit", uncertainty=adjust_draws(data, **CALL)).table["group"]
    assert set(alone) == {"unclear"}
    assert together.iloc[0] == "below" and together.iloc[-1] == "above"
    sets = ranks(table, target="unit", uncertainty=adjust_draws(data, **CALL)).table
    assert (sets["high"] - sets["low"]).max() < 3


def test_equal_units_are_rarely_called_different():
    studies, called = 40, 0
    for seed in range(studies):
        data = complete(raters=12, units=5, seed=seed, severity=2.0)
        table = adjust(data, **CALL).table.query("variant == 'adjusted'")
        drawn = adjust_draws(data, **CALL, rng=seed)
        called += (
            groups(table, target="unit", uncertainty=drawn).table["group"] != "unclear"
        ).any()
    assert called / studies < 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def test_the_same_seed_gives_the_same_draws():
    one, two = (adjust_draws(RATED, **CALL, wave="wave", rng=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(adjust_draws(RATED, **CALL, wave="wave", rng=6))


def test_what_was_not_adjusted_is_missing(monkeypatch):
    apart = pd.concat(
        [RATED, pd.DataFrame({"unit": "孤", "who": ["无甲", "无乙"], "points": [3, 4]})]
    )
    drawn = adjust_draws(apart, **CALL)
    assert drawn["孤"].isna().all() and drawn.drop(columns="孤").notna().all(axis=None)
    assert adjust_draws(RATED.assign(points=3.0), **CALL).isna().all(axis=None)
    assert adjust_draws(RATED[RATED["who"] == RATED["who"].iloc[0]], **CALL).isna().all(axis=None)
    module = importlib.import_module("svcmetrics.score.adjust_draws")
    monkeypatch.setattr(module, "MANY", 2)
    with pytest.raises(TableError, match="2"):
        adjust_draws(RATED, **CALL)


def test_two_pieces_keep_both_limits():
    drawn = two_pieces(np.array([1.0]), np.array([3.0]), (200_000, 1), np.random.default_rng(0))
    np.testing.assert_allclose(np.quantile(drawn, [0.025, 0.975]), [-1, 3], atol=0.05)
