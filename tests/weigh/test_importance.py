"""Published decompositions of R², from a correlation matrix."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import weigh
from svcmetrics.numeric.importance import explained, johnson, lmg
from svcmetrics.problems import TableError
from tests.weigh.samples import answers

# R datasets::swiss, 47 provinces: Agriculture, Examination, Education, Catholic, Infant.Mortality,
# and last Fertility. Expected parts as in Gromping (2006), JSS 17(1), and Johnson (2000).
UPPER = """
-0.686542208617 -0.639522518948 0.401095053049 -0.060858608417 0.35307918362
0.698415296288 -0.572741806064 -0.114021596482 -0.645882706457
-0.153858917091 -0.099321845821 -0.663788857035
0.175495907597 0.463684700652
0.416556031435
"""


def swiss() -> np.ndarray:
    r = np.eye(6)
    r[np.triu_indices(6, 1)] = [float(v) for v in UPPER.split()]
    return r + r.T - np.eye(6)


def data_with(r: np.ndarray, n: int = 47) -> pd.DataFrame:
    """Rows whose correlations are exactly r."""
    z = np.random.default_rng(1).normal(size=(n, len(r)))
    z = np.linalg.qr(z - z.mean(axis=0))[0]
    return pd.DataFrame(z @ np.linalg.cholesky(r).T, columns=[*"abcde", "y"])


def test_swiss_parts_of_r_squared():
    r = swiss()[None]
    expected = [0.05709122, 0.17117303, 0.26013468, 0.10557015, 0.11276592]
    np.testing.assert_allclose(lmg(r)[0], expected, atol=1e-7)
    expected = [0.0484169, 0.15470825, 0.2719641, 0.11468003, 0.11696572]
    np.testing.assert_allclose(johnson(r)[0], expected, atol=1e-7)
    assert explained(r)[-1, 0] == pytest.approx(0.706735, abs=5e-7)


@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_from_rows_the_parts_are_the_same_and_add_up(method):
    result = weigh.importance(
        data_with(swiss()), outcome="y", predictors=list("abcde"), method=method
    )
    function = lmg if method == "lmg" else johnson
    np.testing.assert_allclose(result.table["estimate"], function(swiss()[None])[0], atol=1e-9)
    assert result.about["r_squared"] == pytest.approx(0.706735, abs=1e-6)
    assert result.table["share"].sum() == pytest.approx(1)


def test_unrelated_predictors_get_their_squared_correlation():
    r = np.eye(3)
    r[0, 2] = r[2, 0] = 0.5
    r[1, 2] = r[2, 1] = -0.3
    np.testing.assert_allclose(lmg(r[None])[0], [0.25, 0.09], atol=1e-12)
    np.testing.assert_allclose(johnson(r[None])[0], [0.25, 0.09], atol=1e-12)


def test_resampling_raters_widens_the_interval_of_copied_answers():
    copies = pd.concat([answers(30, 3)] * 6, ignore_index=True)
    copies["who"] = np.tile(np.arange(30), 6)
    names = {"outcome": "overall", "predictors": ["time", "quality", "manner"]}
    rows = weigh.importance(copies, **names).table
    raters = weigh.importance(copies, cluster="who", **names).table
    assert ((raters["high"] - raters["low"]) > 1.5 * (rows["high"] - rows["low"])).all()


def test_one_halo_is_warned_of_and_copies_are_refused():
    data = answers()
    halo = data.assign(
        quality=data["time"] + 0.1 * data["quality"], manner=data["time"] - 0.1 * data["manner"]
    )
    names = {"outcome": "overall", "predictors": ["time", "quality", "manner"]}
    assert "importance.halo" in {f.key for f in weigh.importance(halo, **names).findings}
    copy = weigh.importance(data.assign(quality=data["time"]), **names)
    assert copy.findings[0].level == "refused"
    assert copy.table["estimate"].isna().all()


def test_too_many_predictors_or_the_outcome_among_them():
    for predictors in (["overall"], [], [f"x{k}" for k in range(13)]):
        with pytest.raises(TableError):
            weigh.importance(answers(), outcome="overall", predictors=predictors)


@pytest.mark.parametrize(("rows", "known"), [(4, False), (5, True)])
def test_there_are_more_forms_than_numbers_to_find(rows, known):
    x = np.random.default_rng(3).normal(size=(rows, 3))
    data = pd.DataFrame(x, columns=["a", "b", "y"])
    result = weigh.importance(data, outcome="y", predictors=["a", "b"])
    assert result.table["estimate"].notna().tolist() == [known] * 2
    assert (result.findings[0].level == "refused") is not known
    assert result.about["resamples"] == (2000 if known else 0)


def test_twelve_dimensions_are_not_too_many():
    x = np.random.default_rng(4).normal(size=(40, 13))
    data = pd.DataFrame(x, columns=[*(f"x{k}" for k in range(12)), "y"])
    table = weigh.importance(
        data, outcome="y", predictors=[f"x{k}" for k in range(12)], method="johnson"
    ).table
    assert len(table) == 12 and table["share"].sum() == pytest.approx(1)
    alone = np.corrcoef(x.T)[:-1, -1] ** 2
    np.testing.assert_allclose(table["alone"], alone)


def test_a_form_with_any_gap_is_left_out_once():
    data = answers(30)
    data.loc[0, "time"], data.loc[1, "overall"], data.loc[2, "who"] = np.nan, np.nan, None
    data.loc[3, ["time", "quality"]] = np.nan
    names = {"outcome": "overall", "predictors": ["time", "quality"]}
    raters = weigh.importance(data, cluster="who", **names)
    assert raters.about["dropped"] == {"incomplete": 4} and raters.table["n"].tolist() == [26] * 2
    assert raters.about["resampled"] == "who"
    rows = weigh.importance(data, **names)
    assert rows.about["dropped"] == {"incomplete": 3} and rows.about["resampled"] == "rows"
    assert weigh.importance(answers(30), **names).about["dropped"] == {}
    first = rows.findings[0].values
    best = rows.table.nlargest(1, "estimate").iloc[0]
    assert first["name"] == best["predictor"]
    assert first["share"] == pytest.approx(100 * best["share"])
    assert first["fit"] == pytest.approx(100 * rows.table["estimate"].sum())


def test_one_dimension_alone_is_no_halo_and_two_alike_are():
    x = np.random.default_rng(6).normal(size=(60, 2))
    for close, warned in ((0.05, True), (3.0, False)):
        data = pd.DataFrame({"a": x[:, 0], "b": x[:, 0] + close * x[:, 1]})
        data["y"] = data["a"] + data["b"]
        found = weigh.importance(data, outcome="y", predictors=["a", "b"]).findings
        assert ("importance.halo" in [f.key for f in found]) is warned
        if warned:
            r = np.corrcoef(data["a"], data["b"])[0, 1]
            assert found[1].values["r"] == pytest.approx(r)
    alone = weigh.importance(data, outcome="y", predictors=["a"])
    assert [f.key for f in alone.findings] == ["importance.first"]
    assert alone.table["estimate"].item() == pytest.approx(
        np.corrcoef(data["a"], data["y"])[0, 1] ** 2
    )
