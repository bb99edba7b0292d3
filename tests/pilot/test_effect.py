"""The published smoking-ban series, another package, and coverage by simulation."""

import json

import numpy as np
import pandas as pd
import pytest

from svcmetrics import pilot
from svcmetrics.problems import TableError
from tests.conftest import SHARED
from tests.pilot.samples import months

NAMES = {"count": "back", "exposure": "all", "time": "month", "after": "pilot"}


@pytest.mark.data
@pytest.mark.parametrize(
    ("season", "ratio", "low", "high", "dispersion"),
    [
        (0, 0.894377, 0.839189, 0.953193, 3.559187),
        (2, 0.885072, 0.839401, 0.933227, 2.262183),
    ],
)
def test_smoking_ban_in_sicily(season, ratio, low, high, dispersion):
    # Lopez Bernal, Cummins & Gasparrini (2017), IJE 46, 348-355: 59 months, step model.
    path = SHARED / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("the public series is not beside the project")
    cases = json.loads(path.read_text("utf-8"))
    case = next(c for c in cases if c["id"] == "its_sicily_smoking_ban")["input"]
    data = pd.DataFrame(case["rows"], columns=case["header"])
    result = pilot.effect(
        data, count="aces", exposure="stdpop", time="time", after="smokban", season=season
    )
    rows = result.table.set_index("variant")
    found = rows.loc["quasi", ["estimate", "low", "high"]].astype(float)
    np.testing.assert_allclose(found, [ratio, low, high], atol=1e-6)
    assert result.about["dispersion"] == pytest.approx(dispersion, abs=1e-6)
    if season == 0:
        naive = rows.loc["poisson", ["low", "high"]].astype(float)
        np.testing.assert_allclose(naive, [0.864686, 0.925086], atol=1e-6)


def test_a_peer_gives_the_same_numbers():
    from statsmodels.genmod import families
    from statsmodels.genmod.generalized_linear_model import GLM

    data = months()
    table = pilot.effect(data, **NAMES).table.set_index("variant")
    t = data["month"] - data["month"].mean()
    x = np.column_stack([np.ones(len(t)), data["pilot"], t])
    fit = GLM(data["back"], x, family=families.Poisson(), offset=np.log(data["all"])).fit()
    low, high = np.exp(fit.conf_int().iloc[1])
    row = table.loc["poisson"]
    assert row["estimate"] == pytest.approx(np.exp(fit.params.iloc[1]), rel=1e-8)
    assert (row["low"], row["high"]) == pytest.approx((low, high), rel=1e-6)


def test_the_interval_covers():
    hits = []
    for seed in range(60):
        row = pilot.effect(months(30, 0.8, seed), **NAMES).table.iloc[0]
        hits.append(row["low"] <= 0.8 <= row["high"])
    assert 0.88 < np.mean(hits) <= 1


def test_plain_counts_need_no_exposure():
    data = months().assign(all=1)
    one = pilot.effect(data, **NAMES).table
    two = pilot.effect(data, **{**NAMES, "exposure": None}).table
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("change", [{"back": 0}, {"pilot": 1}, {"pilot": [0] * 33 + [1] * 3}])
def test_nothing_to_estimate_is_refused(change):
    result = pilot.effect(months().assign(**change), **NAMES)
    assert result.table["estimate"].isna().all()
    assert result.findings[0].level == "refused"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"back": 1.5}, "not_a_count"),
        ({"pilot": 2}, "not_zero_or_one"),
        ({"all": 0}, "exposure_not_positive"),
        ({"month": 1}, "duplicate_rows"),
    ],
)
def test_bad_columns_are_named(change, key):
    with pytest.raises(TableError) as caught:
        pilot.effect(months().assign(**change), **NAMES)
    assert caught.value.problems[0].key == key
    assert all(caught.value.say(code) for code in ("zh", "en"))
