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


@pytest.mark.parametrize(
    ("before", "after", "season", "needed"),
    [(4, 4, 0, None), (3, 9, 0, 4), (9, 3, 0, 4), (4, 9, 2, None), (4, 9, 3, 5), (5, 9, 3, None)],
)
def test_each_side_has_four_periods_and_half_of_what_is_fitted(before, after, season, needed):
    data = months(before + after, seed=2).assign(pilot=[0] * before + [1] * after)
    result = pilot.effect(data, **NAMES, season=season)
    refused = [f for f in result.findings if f.level == "refused"]
    assert bool(refused) is (needed is not None)
    if refused:
        assert refused[0].values == {"before": before, "after": after, "needed": needed}
        assert result.table["n"].tolist() == [before + after]


def test_what_is_missing_is_dropped_and_counted_and_the_order_of_rows_says_nothing():
    data = months(30)
    holes = data.astype("float64")
    holes.loc[2, "back"], holes.loc[5, "all"], holes.loc[7, "pilot"] = np.nan, np.nan, np.nan
    result = pilot.effect(holes.sample(frac=1, random_state=1), **NAMES)
    assert sum(result.about["dropped"].values()) == 3
    whole = pilot.effect(data.drop(index=[2, 5, 7]), **NAMES)
    pd.testing.assert_frame_equal(result.table, whole.table)
    assert result.table["n"].tolist() == [27] * 4


@pytest.mark.parametrize(
    ("ratio", "key", "sign"), [(0.5, "clear", -1), (2.0, "clear", 1), (1.0, "unclear", 0)]
)
def test_the_reading_tells_the_change_in_percent(ratio, key, sign):
    result = pilot.effect(months(36, ratio), **NAMES)
    found, row = result.findings[0], result.table.iloc[0]
    assert found.key == f"effect.{key}"
    told = [found.values[k] for k in ("change", "low", "high")]
    assert told == pytest.approx([100 * (row[k] - 1) for k in ("estimate", "low", "high")])
    assert found.values["n"] == 36
    assert sign * told[0] >= 0 and (sign == 0 or np.sign(told[1]) == np.sign(told[2]) == sign)


def test_more_variance_than_chance_is_told_and_less_narrows_nothing():
    rough = months(36).assign(back=lambda d: d["back"] * np.where(d["month"] % 2, 1, 3))
    result = pilot.effect(rough, **NAMES)
    assert result.about["dispersion"] > 1.5
    assert [f.key for f in result.findings][1] == "effect.dispersed"
    rate = 0.2 * np.where(months(36)["pilot"] == 1, 0.7, 1.0)
    smooth = months(36).assign(back=lambda d: (d["all"] * rate).round())
    calm = pilot.effect(smooth, **NAMES)
    assert calm.about["dispersion"] < 0.5
    assert "effect.dispersed" not in [f.key for f in calm.findings]
    quasi, poisson = (calm.table.set_index("variant").loc[v] for v in ("quasi", "poisson"))
    assert quasi[["low", "high"]].tolist() == poisson[["low", "high"]].tolist()


@pytest.mark.parametrize(("count", "fits"), [(0, True), (-1, False), (0.5, False)])
def test_counts_are_whole_and_not_below_zero(count, fits):
    data = months(20).astype({"back": "float64"})
    data.loc[3, "back"] = count
    if fits:
        assert pilot.effect(data, **NAMES).table["estimate"].notna().all()
        return
    with pytest.raises(TableError) as caught:
        pilot.effect(data, **NAMES)
    assert caught.value.problems[0].key == "not_a_count"


def test_the_lags_are_those_of_newey_and_west():
    assert [pilot.effect(months(n), **NAMES).about["lags"] for n in (12, 36, 120)] == [
        2, 3, 4
    ]  # 4 (n / 100)^(2/9), cut off  # fmt: skip


def test_an_index_with_the_name_of_a_column_is_no_column():
    data = months(20)
    odd = data.set_axis(pd.Index([3] * 20, name="month"))
    pd.testing.assert_frame_equal(
        pilot.effect(odd, **NAMES).table, pilot.effect(data, **NAMES).table
    )
