"""Routine work against its own frozen baseline: has it become shorter?"""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.group_names import group_names
from svcmetrics.measure.inputs import By, Cases, net, read_cases
from svcmetrics.metric import metric
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require

# Fewer closed cases than this on either side say nothing about a service.
ENOUGH = 5
_FLOOR_US = 60_000_000.0  # a case closed within a minute counts as one minute


@metric(
    better="lower",
    low=0,
    source="House fact 3 of the log; Welch 1947, Biometrika 34",
    drawing="series",
)
def shortening(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    since: str | None = None,
    by: By = "provider_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """Has routine work become shorter than in its own baseline?

    Arguments as in ``on_time``; ``services`` also says from when to when the baseline of each
    service runs (``baseline_from, baseline_to``, by the start of the case). ``since``: the first
    day of the new period (default: the day after each baseline).

    Comes back per group the ratio of times, new to old (0.9 = a tenth shorter), each service
    against its own baseline, put together by the number of new cases (geometric means, Welch
    limits): ``all_months``, and ``same_month``, which compares like months of the year only (March with
    March), so that the season cannot pass for an effect. With ``old`` and ``n`` (new cases).

    It misleads when the baseline and the new period share no month: ``same_month`` is then
    missing, and ``all_months`` holds the season too. Cases still open are not in it: see ``survival``. A
    ratio is no proof of a cause: see the pilot.

    Source: house fact 3 of the log; Welch (1947), Biometrika 34, 28–35.

    >>> at = pd.to_datetime(["2024-03-04 09:00", "2025-03-04 09:00"]).repeat(10)
    >>> log = pd.DataFrame({"case_id": [str(i) for i in range(20)], "at": at, "seq": 1})
    >>> hours = [10, 11] * 5 + [8, 9] * 5
    >>> log = pd.concat([log.assign(action="submit"), log.assign(seq=2, action="close",
    ...     at=log["at"] + pd.to_timedelta(hours, unit="h"))]).assign(service_id="s")
    >>> book = pd.DataFrame({"service_id": ["s"], "provider_id": ["HR"], "clock": ["calendar"],
    ...     "baseline_from": ["2024-01-01"], "baseline_to": ["2024-12-31"]})
    >>> shortening(log, services=book).table["estimate"].round(2).tolist()
    [0.81, 0.81]
    """
    require(services, "service_id", "baseline_from", "baseline_to")
    cases = read_cases(
        events, services=services, steps=steps, calendar=calendar, timezone=timezone, by=by
    )
    rows, left = _rows(cases, services, since)
    table = _table(rows, cases.by)
    about = {
        "method": "ratio of geometric means within services, Welch",
        "level": 0.95,
        "drawn": ["same_month", "all_months"],
        "unit": "ratio_baseline",
        "line": 1,
        "dropped": cases.dropped | left,
    }
    return Result("shortening", table, _findings(table, rows, cases), about)


def _rows(
    cases: Cases, services: pd.DataFrame, since: str | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Closed routine cases of both periods: group, service, month of the year, period, log time."""
    edges = attributes(services, ["baseline_from", "baseline_to"])
    edges = edges.assign(**{c: edges[c].str.slice(0, 10) for c in ("baseline_from", "baseline_to")})
    t = joined(cases.table, engine.small(edges), "service_id")
    day = t["start_day"]
    old = (day >= t["baseline_from"]) & (day <= t["baseline_to"])
    after = day > t["baseline_to"]
    new = after & (day >= since) if since else after
    routine = t["routine"].isnull() | (t["routine"] == "routine")
    inside = t.filter((old | new) & routine)
    closed = (inside["status"] == "closed") & net(inside).notnull()
    frame = engine.frame(
        inside.select(
            *dict.fromkeys([*cases.by, "service_id"]),
            new=ibis.ifelse(inside["start_day"] > inside["baseline_to"], 1, 0),
            month_of_year=inside["month"].substr(5, 2),
            closed=closed,
            used=net(inside),
        )
    )
    whole = frame[frame["closed"].astype(bool)]
    time = np.log(np.maximum(whole["used"].to_numpy(dtype=float), _FLOOR_US))
    left = {"not_closed": int(len(frame) - len(whole))}
    return whole.assign(log=time), {k: v for k, v in left.items() if v}


def _table(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    parts = []
    groups = rows.groupby(by, dropna=False) if by else [((), rows)]
    for key, part in groups:
        named = dict(zip(by, key if isinstance(key, tuple) else (key,)))
        for variant, strata in (
            ("all_months", ["service_id"]),
            ("same_month", ["service_id", "month_of_year"]),
        ):
            found = _pooled(part, strata)
            parts.append(estimates("shortening", groups=named, variant=variant, **found))
    return pd.concat(parts) if parts else estimates("shortening", n=0)


def _pooled(rows: pd.DataFrame, strata: list[str]) -> dict[str, float]:
    """Differences of mean log times within strata, weighted by their new cases."""
    nothing = {"estimate": np.nan, "low": np.nan, "high": np.nan, "n": 0, "old": 0}
    if rows.empty:
        return nothing
    sides = [
        rows[rows["new"] == k].groupby(strata)["log"].agg(["mean", "var", "size"]) for k in (0, 1)
    ]
    cells = sides[0].add_suffix("_old").join(sides[1].add_suffix("_new"), how="inner")
    cells = cells[(cells["size_old"] >= ENOUGH) & (cells["size_new"] >= ENOUGH)]
    if cells.empty:
        return nothing
    n, m = cells["size_new"].to_numpy(dtype=float), cells["size_old"].to_numpy(dtype=float)
    weight = n / n.sum()
    change = float((weight * (cells["mean_new"] - cells["mean_old"])).sum())
    pieces = np.concatenate([weight**2 * cells["var_new"] / n, weight**2 * cells["var_old"] / m])
    spare = np.concatenate([n - 1, m - 1])
    variance = float(pieces.sum())
    df = variance**2 / float((pieces**2 / spare).sum()) if variance > 0 else np.inf
    half = float(special.stdtrit(min(df, 1e9), 0.975) * np.sqrt(variance))
    ends = {
        k: float(np.exp(change + d)) for k, d in (("estimate", 0.0), ("low", -half), ("high", half))
    }
    return ends | {"n": int(n.sum()), "old": int(m.sum())}


def _findings(table: pd.DataFrame, rows: pd.DataFrame, cases: Cases) -> list[Finding]:
    best, month = _pooled(rows, ["service_id"]), _pooled(rows, ["service_id", "month_of_year"])
    if not best["n"]:
        return [Finding("shortening.none", {"enough": ENOUGH}, "refused"), *cases.findings()]
    out = []
    if month["n"]:
        out.append(Finding("shortening.overall", {**month, "mixed": best["estimate"]}))
    else:
        out.append(Finding("shortening.raw", best))
        out.append(Finding("shortening.season", {}, "warning"))
    variant = "same_month" if month["n"] else "all_months"
    sure = table[(table["variant"] == variant) & (table["high"] < 1)]
    if len(sure) and cases.by:
        out.append(Finding("shortening.shorter", {"groups": group_names(sure, cases.by)}))
    return out + cases.findings()
