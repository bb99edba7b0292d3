"""How much of the raters' time the forms take."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.intervals import quantile_ranks
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require


@metric(
    better="lower",
    low=0,
    source="median with order-statistic interval: David & Nagaraja (2003), Order Statistics, §7.1",
    behind="ratings",
)
def burden(
    ratings: pd.DataFrame,
    *,
    form: str = "plan_id",
    seconds: str = "seconds",
    wave: str | None = None,
) -> Result:
    """How many minutes does one form take, and how many hours do all of them take together?

    ``ratings``: answers; ``form``: id of the form; ``seconds``: time spent on the whole form,
    repeated on each of its rows; ``wave``: column of the wave (None: all together).

    Returns per wave and for all: the median minutes per form with a distribution-free 95% interval
    (variant "median"), ``n`` forms with a time, and ``hours``, the sum over those forms.

    It misleads when a form was left open over lunch (the median shrugs, the hours do not), and a
    falling burden may be a sign of mechanical answering rather than of a better form.

    Source: David & Nagaraja (2003), §7.1.

    >>> import pandas as pd
    >>> answers = pd.DataFrame({"plan_id": ["a", "a", "b"], "seconds": [60, 60, 120]})
    >>> burden(answers).table["estimate"].tolist()
    [1.5]
    """
    require(ratings, form, seconds, wave)
    data = pd.DataFrame({"form": ratings[form], "minutes": numbers(ratings, seconds) / 60})
    data["wave"] = ratings[wave].astype(str) if wave else "all"
    forms = data.dropna().drop_duplicates(["form", "wave"])
    untimed = data.loc[data["minutes"].isna(), "form"].nunique()
    parts = (
        [_row(str(w), m.to_numpy()) for w, m in forms.groupby("wave")["minutes"]] if wave else []
    )
    rows = [*parts, _row("all", forms["minutes"].to_numpy())]
    columns = {k: [r[k] for r in rows] for k in rows[0]}
    table = estimates(
        "burden", groups={wave or "wave": columns.pop("wave")}, variant="median", **columns
    )
    dropped = {"no_time": int(untimed)} if untimed else {}
    return Result(
        "burden",
        table,
        _findings(table),
        {"dropped": dropped, "method": "median, order-statistic interval"},
    )


def _row(wave: str, minutes: np.ndarray) -> dict[str, object]:
    n = len(minutes)
    if n == 0:
        return {
            "wave": wave,
            "estimate": np.nan,
            "low": np.nan,
            "high": np.nan,
            "n": 0,
            "hours": 0.0,
        }
    ordered = np.sort(minutes)
    below, above = (np.asarray(r).ravel()[0] for r in quantile_ranks(n, 0.5))
    low, high = (ordered[int(r)] if 0 <= r < n else np.nan for r in (below, above))
    return {
        "wave": wave,
        "estimate": float(np.median(ordered)),
        "low": low,
        "high": high,
        "n": n,
        "hours": ordered.sum() / 60,
    }


def _findings(table: pd.DataFrame) -> list[Finding]:
    whole = table.iloc[-1]
    if not whole["n"]:
        return [Finding("burden.none", {}, "refused")]
    return [
        Finding("burden.reading", {k: whole[k] for k in ("estimate", "low", "high", "n", "hours")})
    ]
