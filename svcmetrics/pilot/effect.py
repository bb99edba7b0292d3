"""What changed when the pilot began: an interrupted time series of counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import counts
from svcmetrics.numeric.intervals import normal_quantile
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import complete, numbers, require, unique

_MIN_PERIODS = 4  # on each side
_PERIOD = 12
_DISPERSED = 1.5
_METHOD = "quasi-Poisson, log link, step at the start"


@metric(
    better="neither",
    low=0,
    source="Lopez Bernal, Cummins & Gasparrini (2017), Int. J. Epidemiology 46(1), 348-355",
    drawing="own",
)
def effect(
    series: pd.DataFrame,
    *,
    count: str,
    exposure: str | None,
    time: str,
    after: str,
    season: int = 0,
) -> Result:
    """By how much did a rate change when the pilot began, beyond its trend?

    ``series``: one row per period (month). ``count``: column of events, such as returns or late
    cases, whole numbers. ``exposure``: column of what they are counted out of, such as
    submissions, above 0 (None: plain counts). ``time``: running number of the period. ``after``:
    0 before the pilot, 1 from its start on. ``season``: pairs of sine and cosine per 12 periods,
    0 for no season, usually 2.

    Returns rows by ``variant``: "quasi" (the one to use: rate ratio after against before, interval
    widened by the over-dispersion), "poisson" (the naive interval, for comparison), "newey_west"
    (allows for autocorrelation), and "trend" (rate ratio per period, quasi). Below 1 is fewer.
    ``n``: periods. ``about["dispersion"]``: variance over mean of the residuals.

    It misleads when something else changed at the same time, when the pilot was started because
    of a bad month (regression to the mean), or with few periods: compare with units without the
    pilot. A step is fitted, no change of slope.

    Source: step model with log link and offset; over-dispersion by Pearson's chi-square.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"m": range(1, 13), "late": [20, 22, 19, 21, 20, 21, 10, 11, 9, 10, 11, 10],
    ...                       "all": 100, "on": [0] * 6 + [1] * 6})
    >>> found = effect(table, count="late", exposure="all", time="m", after="on").table
    >>> found.query("variant == 'quasi'")["estimate"].round(2).item()
    0.49
    """
    rows, y, offset, dropped = _read(series, count, exposure, (time, after))
    on = rows[after].to_numpy(float)
    about = {"dropped": dropped, "season": season, "method": _METHOD, "limit": 1.0}
    sides = int((on == 0).sum()), int((on == 1).sum())
    t = rows[time].to_numpy(float)
    x = np.column_stack([np.ones(len(t)), on, t - t.mean() if len(t) else t])
    if season:
        x = np.column_stack([x, counts.harmonics(t, _PERIOD, season)])
    needed = max(_MIN_PERIODS, int(np.ceil(x.shape[1] / 2)))
    if min(sides) < needed or y.sum() == 0 or np.linalg.matrix_rank(x) < x.shape[1]:
        table = estimates("effect", variant="quasi", n=len(rows))
        values = {"before": sides[0], "after": sides[1], "needed": needed}
        return Result("effect", table, [Finding("effect.refused", values, "refused")], about)
    fit = counts.poisson(y, x, offset)
    table = _table(fit, counts.autocorrelated(fit, y, x, _lags(len(y))), len(y))
    about |= {"dispersion": fit.dispersion, "lags": _lags(len(y))}
    return Result("effect", table, _findings(table, fit.dispersion), about)


def _read(
    series: pd.DataFrame, count: str, exposure: str | None, names: tuple[str, str]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, dict[str, int]]:
    require(series, count, exposure, *names)
    columns = [c for c in (exposure, *names) if c is not None]
    data = series.reset_index(drop=True).assign(
        **{c: numbers(series, c).to_numpy() for c in columns}
    )
    rows, dropped = complete(data, score=count, by=columns)
    unique(rows, names[0])
    rows = rows.sort_values(names[0])
    y = rows[count].to_numpy(float)
    for bad, key, column in (
        ((y < 0) | (y != np.round(y)), "not_a_count", count),
        (~rows[names[1]].isin([0, 1]).to_numpy(), "not_zero_or_one", names[1]),
    ):
        if bad.any():
            raise table_error(key, column=column, rows=np.flatnonzero(bad))
    size = np.ones(len(rows)) if exposure is None else rows[exposure].to_numpy(float)
    if (size <= 0).any():
        raise table_error(
            "exposure_not_positive", column=exposure or "", rows=np.flatnonzero(size <= 0)
        )
    return rows, y, np.log(size), dropped


def _lags(n: int) -> int:
    """Newey & West's (1994) usual number of lags."""
    return int(np.floor(4 * (n / 100) ** (2 / 9)))


def _table(fit: counts.Fit, wide: np.ndarray, n: int) -> pd.DataFrame:
    z = normal_quantile(0.95)
    naive = np.sqrt(np.diag(fit.covariance))
    # Less variance than Poisson is luck, not precision.
    quasi = naive * np.sqrt(max(fit.dispersion, 1.0))
    step, trend = fit.beta[1], fit.beta[2]
    middle = np.array([step, step, step, trend])
    half = z * np.array([quasi[1], naive[1], np.sqrt(wide[1, 1]), quasi[2]])
    return estimates(
        "effect",
        variant=["quasi", "poisson", "newey_west", "trend"],
        estimate=np.exp(middle),
        low=np.exp(middle - half),
        high=np.exp(middle + half),
        n=n,
    )


def _findings(table: pd.DataFrame, dispersion: float) -> list[Finding]:
    row = table.iloc[0]
    values = {
        "change": 100 * (float(row["estimate"]) - 1),
        "low": 100 * (float(row["low"]) - 1),
        "high": 100 * (float(row["high"]) - 1),
        "n": int(row["n"]),
    }
    clear = row["high"] < 1 or row["low"] > 1
    found = [Finding("effect.clear" if clear else "effect.unclear", values)]
    if dispersion > _DISPERSED:
        found.append(Finding("effect.dispersed", {"times": dispersion}))
    return [*found, Finding("gate.not_for_reward", {}, "warning")]
