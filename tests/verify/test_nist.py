"""One-way variances to the digits that NIST certifies (Statistical Reference Datasets, ANOVA).

SmLs01-09: Simon & Lesage 1989, nine treatments of 21, 201 or 2,001 values at an offset of 1, 10⁶
or 10¹²; made here by their rule. AtmWtAg: Powell, Murphy & Gramlich 1982, silver on two instruments.
Public functions only: what a coefficient says about F is compared, in significant digits.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify

# Digits that must agree. In the last row the doubles that hold the data spoil the rest.
SMLS = {
    (1, 21): 9, (1, 201): 9, (1, 2001): 9,
    (10**6, 21): 9, (10**6, 201): 9, (10**6, 2001): 9,
    (10**12, 21): 3, (10**12, 201): 3, (10**12, 2001): 3,
}  # fmt: skip

INSTRUMENT_1 = """
1568 1465 1572 1785 1446 1903 1526 1494 1616 1587 1519 1486
1419 1569 1508 1672 1385 1518 1662 1424 1360 1333 1610 1477"""
INSTRUMENT_2 = """
1079 1344 1513 1197 1604 1385 1642 1365 1151 1082 1517 1448
1198 1482 1334 1609 1101 1512 1469 1360 1254 1261 1450 1368"""


def smls(offset: int, replicates: int) -> pd.DataFrame:
    def tenths(index: np.ndarray) -> np.ndarray:
        return np.select([index == 0, index % 2 == 1], [2, 1], 3)

    target, rater = np.divmod(np.arange(9 * replicates), replicates)
    # Whole tenths divided once: each value is the double nearest to the printed decimal.
    score = (10 * offset + tenths(target) + tenths(rater)) / 10
    return pd.DataFrame({"target": target, "rater": rater, "score": score})


def silver() -> pd.DataFrame:
    scores = [float(f"107.868{tail}") for tail in (INSTRUMENT_1 + INSTRUMENT_2).split()]
    target, rater = np.divmod(np.arange(48), 24)
    return pd.DataFrame({"target": target, "rater": rater, "score": scores})


def digits(found: float, certified: float) -> float:
    return float(-np.log10(max(abs(found - certified) / abs(certified), 1e-16)))


def f_of_icc(table: pd.DataFrame) -> float:
    result = verify.icc(table, target="target", rater="rater", score="score").table
    icc = float(result.loc[result["form"] == "ICC(1,1)", "estimate"].iloc[0])
    k = table["rater"].nunique()
    return (1 + (k - 1) * icc) / (1 - icc)


def f_of_mean_squares(table: pd.DataFrame) -> float:
    result = verify.generalizability(table, "score ~ target", object="target").table
    rows = result[result["variant"] == "raw"].set_index("term")["mean_square"]
    return float(rows["target"] / rows["residual"])


@pytest.mark.parametrize(("offset", "replicates"), SMLS)
@pytest.mark.parametrize("f", [f_of_icc, f_of_mean_squares])
def test_the_small_and_large_sets_of_simon_and_lesage(f, offset, replicates):
    # F is certified as the number of replicates, exactly.
    assert digits(f(smls(offset, replicates)), replicates) >= SMLS[offset, replicates]


@pytest.mark.parametrize("f", [f_of_icc, f_of_mean_squares])
def test_the_atomic_weight_of_silver(f):
    assert digits(f(silver()), 15.9467335677930) >= 8.5


def test_an_offset_of_a_hundred_million_changes_nothing():
    plain, moved = smls(1, 21), smls(10**8, 21)
    assert f_of_icc(moved) == pytest.approx(f_of_icc(plain), rel=1e-8)
