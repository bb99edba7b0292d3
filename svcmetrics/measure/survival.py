"""Time to completion with the cases that are still open, instead of without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import engine
from svcmetrics.measure.clocks import HOUR
from svcmetrics.measure.inputs import By, Cases, net, promised, read_cases
from svcmetrics.metric import metric
from svcmetrics.numeric import survival as curves
from svcmetrics.result import Finding, Result, estimates

# Compared up to twice the promise: beyond, few cases are left to compare.
HORIZON = 2.0
_POINTS = 201  # at which the curve is drawn
_CAUSE = {"open": 0, "closed": 1, "rejected": 1, "withdrawn": 2}
VARIANTS = ("median", "restricted_mean", "done_in_promise", "done", "withdrawn")


@metric(
    better="neither",
    low=0,
    source="Kaplan and Meier 1958; Brookmeyer and Crowley 1982; Aalen and Johansen 1978",
    drawing="completion",
)
def survival(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    by: By = "provider_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How long do cases take when those that are still open are not forgotten?

    Arguments as in ``on_time``. An open case says that it took longer than its age; leaving it out
    makes the slow look fast. Time is counted in multiples of the promise, on its clock and without
    what waited for the requester, so that services can be put together.

    Comes back per group: ``median`` (Kaplan–Meier, withdrawn cases as censored; Brookmeyer–Crowley
    limits), ``restricted_mean`` (mean time up to two promises), ``done_in_promise`` (share done
    within the promise), ``done`` and ``withdrawn`` (share that has ended so by two promises, each
    competing with the other; Aalen–Johansen), with ``ended``, ``open_cases`` and ``horizon``.

    It misleads when open cases are abandoned rather than under way: close or withdraw them first.

    Source: Kaplan and Meier (1958), JASA 53; Brookmeyer and Crowley (1982), Biometrics 38; Aalen
    and Johansen (1978), Scand. J. Stat. 5; Marubini and Valsecchi (1995) for the variance.

    >>> log = pd.DataFrame({"case_id": ["a", "a", "b"], "seq": [1, 2, 1], "service_id": "s",
    ...     "action": ["submit", "close", "submit"], "at": ["2024-09-02 09:00", "2024-09-02 21:00",
    ...     "2024-09-02 19:00"]})
    >>> book = pd.DataFrame({"service_id": ["s"], "provider_id": ["HR"], "promise_h": [24],
    ...     "clock": ["calendar"]})
    >>> float(survival(log, services=book).table.loc[0, "estimate"])
    0.5
    """
    cases = read_cases(
        events, services=services, steps=steps, calendar=calendar, timezone=timezone, by=by
    )
    t = cases.table
    kept = t.filter(promised(t) & net(t).notnull() & ~t["is_emergency"])
    rows = engine.frame(
        kept.select(*cases.by, "status", used=net(kept), promise=kept["promise_us"])
    )
    left = int(engine.row(t.aggregate(n=t.count()))["n"]) - len(rows)
    about = {
        "method": "Kaplan–Meier; Aalen–Johansen",
        "level": 0.95,
        "curve": _curve(rows),
        "dropped": cases.dropped | ({"no_promise_or_emergency": left} if left else {}),
    }
    table = _table(rows, cases.by)
    return Result("survival", table, _findings(rows, cases), about)


def _table(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    groups = rows.groupby(by, sort=True, dropna=False) if by else [((), rows)]
    parts = [_group(p, by, k if isinstance(k, tuple) else (k,)) for k, p in groups if len(p)]
    return pd.concat(parts, ignore_index=True) if parts else estimates("survival", n=0)


def _group(rows: pd.DataFrame, by: list[str], key: tuple[Any, ...]) -> pd.DataFrame:
    time, cause = _coded(rows)
    estimate, low, high = zip(*_estimates(time, cause), strict=True)
    return estimates(
        "survival",
        groups=dict(zip(by, key, strict=True)),
        variant=list(VARIANTS),
        estimate=estimate,
        low=low,
        high=high,
        n=len(rows),
        ended=int((cause > 0).sum()),
        open_cases=int((cause == 0).sum()),
        horizon=_horizon(time),
    )


def _coded(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    time = rows["used"].to_numpy(dtype=float) / rows["promise"].to_numpy(dtype=float)
    # A case that ended at once still ended: it must lie after the origin of the curve.
    return np.maximum(time, 1 / HOUR), rows["status"].map(_CAUSE).to_numpy(dtype=np.int64)


def _horizon(time: np.ndarray) -> float:
    return float(min(HORIZON, time.max()))


def _estimates(time: np.ndarray, cause: np.ndarray) -> list[curves.Triple]:
    curve = curves.kaplan_meier(time, cause == 1)
    end = _horizon(time)
    return [
        curves.quantile(curve, 0.5),
        curves.restricted_mean(curve, end),
        curves.cumulative_incidence(time, cause, 1, 1.0),
        curves.cumulative_incidence(time, cause, 1, end),
        curves.cumulative_incidence(time, cause, 2, end),
    ]


def _curve(rows: pd.DataFrame) -> dict[str, list[float]]:
    """What has become of all cases by each time, for the drawing."""
    if rows.empty:
        return {}
    time, cause = _coded(rows)
    grid = np.linspace(0.0, _horizon(time), _POINTS)
    done, withdrawn = (curves.incidence(time, cause, k, grid) for k in (1, 2))
    return {"time": grid.tolist(), "done": done.tolist(), "withdrawn": withdrawn.tolist()}


def _findings(rows: pd.DataFrame, cases: Cases) -> list[Finding]:
    if rows.empty:
        return [Finding("survival.none", {}, "refused"), *cases.findings()]
    time, cause = _coded(rows)
    median, _, done, *_ = _estimates(time, cause)
    closed = time[cause == 1]
    naive = float(np.median(closed)) if len(closed) else float("nan")
    values = {
        "median": median[0],
        "low": median[1],
        "high": median[2],
        "n": len(rows),
        "naive": naive,
    }
    out = [Finding("survival.overall", values), Finding("survival.promise", {"share": done[0]})]
    if not np.isfinite(median[0]):
        out.append(Finding("survival.too_open", {}, "warning"))
    return out + cases.findings()
