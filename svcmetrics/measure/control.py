"""Control charts: which month of which department stands out from its own usual variation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.measure.control_findings import control_findings
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.metric import metric
from svcmetrics.numeric import control as charts
from svcmetrics.numeric import intervals
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import complete, numbers, require, unique

# Charts of a part and its whole, of counts, and of single values.
SHARES, COUNTS = ("p", "laney_p"), ("u", "c", "laney_u")
CHARTS = (*SHARES, *COUNTS, "g", "t", "xmr")


@metric(
    better="neither",
    source="Montgomery, Introduction to Statistical Quality Control, ch. 6-7; Nelson 1984, 1994; Laney 2002; "
    "Benjamini and Hochberg 1995",
    drawing="control",
)
def control(
    rows: pd.DataFrame,
    *,
    value: str,
    at: str = "month",
    size: str | None = None,
    chart: str = "p",
    by: By = None,
    phase: str | None = None,
) -> Result:
    """Is this month unusual, or is it the usual up and down?

    ``rows``: one row per group and period, such as ``returns(…, by=["unit_id", "month"]).table``.
    ``value``: the count or the measured value; ``at``: the period, which gives the order; ``size``:
    cases or outputs behind a count. ``by``: one chart for each of these groups. ``chart``: ``p`` (part
    of ``size``), ``u`` (count per ``size``), ``c`` (count, equal sizes), ``laney_p`` and ``laney_u``
    (the same with limits for variation beyond chance), ``g`` (cases between two events), ``t`` (time
    between two events), ``xmr`` (single values with moving ranges). ``phase``: each phase sets its
    own limits; a row without one sets no limits and is judged by those of the phase before it.

    Comes back with one row per point: ``estimate`` with its own interval (Wilson, Garwood; none for
    single values), ``center``, limits ``lower`` and ``upper`` of three standard errors, ``z``, ``outside``
    (above, below), ``rules`` (numbers of Nelson's rules that the point completes), ``p`` and
    ``p_adjusted`` over all points of all groups (Benjamini and Hochberg). For ``xmr`` the moving
    ranges follow as metric ``moving_range``.

    It misleads with fewer than about twenty points: the limits are then provisional. With large
    counts p and u charts call everything unusual: see the warning, then use the Laney charts. Of
    many points some lie beyond the limits by chance: read ``p_adjusted``.

    Source: Montgomery, chapters 6 and 7; Nelson (1984), Journal of Quality Technology 16, 237–239;
    Nelson (1994), 26, 239–241 (t); Benneyan (2001), Health Care Management Science 4, 305–318 (g);
    Laney (2002), Quality Engineering 14, 531–537.

    >>> sheet = pd.DataFrame({"day": range(1, 7), "bad": [5, 6, 4, 5, 19, 6], "n": 50})
    >>> control(sheet, value="bad", size="n", at="day").table[["day", "estimate", "outside"]].values.tolist()[4]
    [5, 0.38, 'above']
    """
    if chart not in CHARTS:
        raise table_error("unknown_word", unknown=[chart], known=list(CHARTS))
    if chart in (*SHARES, "u", "laney_u") and size is None:
        raise table_error(
            "missing_columns", missing=["size"], present=[str(c) for c in rows.columns]
        )
    names = columns_of(by)
    require(rows, value, at, size, phase, *names)
    rows = rows.reset_index(drop=True)
    data, dropped = _ready(rows, value, at, size, chart, names)
    phases = rows[phase].reindex(data.index) if phase is not None else None
    parts = [_run(part, names, at, chart, None if phases is None else phases.loc[part.index])
             for _, part in (data.groupby(names) if names else [((), data)])]  # fmt: skip
    table = pd.concat(parts) if parts else _points(data, names, at, chart)
    own = (table["metric"] == "control").to_numpy()
    table.loc[own, "p_adjusted"] = benjamini_hochberg(table.loc[own, "p"])
    about = {
        "method": chart,
        "limits": "three standard errors; d2 = 1.128, D4 = 3.267",
        "at": at,
        **_what(rows),
        "dropped": dropped,
        "runs": len(parts),
    }
    found = control_findings(table, names, at) or [Finding("control.nothing", {}, "refused")]
    return Result("control", table, found, about)


def _what(rows: pd.DataFrame) -> dict[str, str]:
    """Which metric the rows are of, where they say so and it is one."""
    found = list(rows["metric"].dropna().unique()) if "metric" in rows else []
    return {"of": str(found[0])} if len(found) == 1 else {}


def _ready(
    rows: pd.DataFrame, value: str, at: str, size: str | None, chart: str, names: list[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with a value, a size and a period, in order: columns of the caller, ``x`` and ``size``."""
    whole, dropped = complete(rows, score=value, by=[*names, at])
    if chart not in ("g", "t", "xmr"):
        unique(whole, *names, at)
    x = whole[value]
    if chart != "xmr" and (x < 0).any():
        raise table_error("below_zero", column=value, rows=np.flatnonzero(x < 0))
    n = numbers(rows, size).loc[whole.index] if size is not None else pd.Series(1.0, whole.index)
    data = whole[[*names, at]].assign(x=x, size=n)
    none = ~(n > 0)
    over = (x > n) & ~none
    if chart in SHARES and over.any():
        raise table_error("part_exceeds_whole", column=value, whole=size, rows=np.flatnonzero(over))
    if none.any():
        dropped = dropped | {"no_size": int(none.sum())}
    return data[~none].sort_values([*names, at], kind="stable"), dropped


def _run(
    part: pd.DataFrame, names: list[str], at: str, chart: str, phases: pd.Series | None
) -> pd.DataFrame:
    """The points of one group, phase by phase."""
    if phases is None:
        return _points(part, names, at, chart)
    label = phases.ffill().bfill()
    sets = phases.notna().to_numpy()
    pieces = [
        _points(
            part[(label == name).to_numpy()], names, at, chart, sets[(label == name).to_numpy()]
        ).assign(phase=name)
        for name in label.dropna().unique()
    ]
    return pd.concat(pieces) if pieces else _points(part, names, at, chart)


def _points(
    part: pd.DataFrame, names: list[str], at: str, chart: str, sets: np.ndarray | None = None
) -> pd.DataFrame:
    x, size = part["x"].to_numpy(), part["size"].to_numpy()
    sets = np.ones(len(x), bool) if sets is None or not sets.any() else sets
    if not len(x):
        return _rows("control", part, names, at, chart, None, sets)
    run = _chart(chart, x, size, sets)
    table = _rows("control", part, names, at, chart, run, sets)
    if chart == "xmr" and len(x) > 1:
        ranges = charts.moving_ranges(x, sets)
        more = _rows("moving_range", part, names, at, chart, ranges, sets)
        table = pd.concat([table, more.iloc[1:]])
    return table


def _chart(chart: str, x: np.ndarray, size: np.ndarray, sets: np.ndarray) -> charts.Run:
    laney = chart.startswith("laney")
    if chart in SHARES:
        return charts.shares(x, size, sets, laney=laney)
    if chart in COUNTS:
        return charts.rates(x, np.ones_like(size) if chart == "c" else size, sets, laney=laney)
    single = {"g": charts.gaps, "t": charts.times, "xmr": charts.individuals}
    return single[chart](x, sets)


def _rows(
    name: str,
    part: pd.DataFrame,
    names: list[str],
    at: str,
    chart: str,
    run: charts.Run | None,
    sets: np.ndarray,
) -> pd.DataFrame:
    x, size = part["x"].to_numpy(), part["size"].to_numpy()
    groups = {c: part[c].to_numpy() for c in [*names, at]}
    if run is None:
        return estimates(name, groups=groups, variant=[], n=[], center=[], lower=[], upper=[], z=[],
                         outside=[], rules=[], p=[], p_adjusted=[], sets_limits=[], dispersion=[])  # fmt: skip
    low, high = _interval(chart, x, size)
    spread, chance = (
        charts.dispersion(run.z, sets) if chart in ("p", "u", "c") else (np.nan, np.nan)
    )
    marks = charts.nelson(run.point, run.z)
    numbers_ = np.arange(1, marks.shape[1] + 1)
    return estimates(
        name,
        groups=groups,
        variant=chart,
        estimate=run.point,
        low=low,
        high=high,
        n=size if size.max() > 1 else 1,
        center=run.centre,
        lower=run.lower,
        upper=run.upper,
        z=run.z,
        outside=np.select([run.z > charts.SIGMAS, run.z < -charts.SIGMAS], ["above", "below"], ""),
        rules=[" ".join(map(str, numbers_[row])) for row in marks],
        p=run.p,
        p_adjusted=np.nan,
        sets_limits=sets,
        dispersion=spread if chance < 0.01 else np.nan,
    )


def _interval(chart: str, x: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if chart in SHARES:
        return intervals.wilson(x, size)
    if chart in COUNTS:
        return intervals.garwood(x, np.ones_like(size) if chart == "c" else size)
    return np.full(len(x), np.nan), np.full(len(x), np.nan)
