"""Time to completion with the cases that are still open, instead of without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.measure.clocks import HOUR
from svcmetrics.measure.inputs import By, Cases, ratios, read_cases, together
from svcmetrics.metric import metric
from svcmetrics.numeric import survival as curves
from svcmetrics.result import Finding, Result, estimates

# Compared up to twice the promise: beyond, few cases are left to compare.
HORIZON = 2.0
# In hours: up to where this share of the cases was seen.
SEEN = 0.9
_POINTS = 201  # at which the curve is drawn
_CAUSE = {"open": 0, "closed": 1, "rejected": 1, "withdrawn": 2}


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
    what waited for the requester, so that services can be put together. A log in which no case has a
    promise is told in hours, which must not be compared over services (column ``unit``): working
    hours, or, where the services have no calendar either, hours of day and night.

    Comes back per group: ``median`` (Kaplan–Meier, withdrawn cases as censored; Brookmeyer–Crowley
    limits), ``restricted_mean`` (mean time up to the horizon: two promises, or
    the hours within which nine of ten cases were seen), ``done_in_promise`` (share done
    within the promise), ``done`` and ``withdrawn`` (share that has ended so by the horizon, each
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
    rows, unit, left = _timed(cases)
    whole = _coded(rows)
    about = {
        "method": "Kaplan–Meier; Aalen–Johansen",
        "level": 0.95,
        "unit": unit,
        "curve": _curve(*whole, unit),
        "dropped": cases.dropped | ({"no_promise_or_emergency": left} if left else {}),
    }
    return Result("survival", _table(rows, cases.by, unit), _findings(whole, cases, unit), about)


def _timed(cases: Cases) -> tuple[pd.DataFrame, str, int]:
    """Cases with the time they took: in promises; where nobody promised anything, in hours; without
    a calendar, in hours of day and night."""
    keys = [*cases.by, "status", "is_emergency"]
    for unit in ("promise", "hours", "natural_hours"):
        every = ratios(cases.table, keys, unit=unit)
        rows = every[~every["is_emergency"].astype(bool) & (every["ratio"].map(len) > 0)]
        if len(rows):
            break
    left = int(every["cases"].sum()) - sum(map(len, rows["ratio"]))
    return rows, unit if len(rows) else "promise", left


def _table(rows: pd.DataFrame, by: list[str], unit: str) -> pd.DataFrame:
    groups = rows.groupby(by, sort=True, dropna=False) if by else [((), rows)]
    parts = [_group(p, by, k if isinstance(k, tuple) else (k,), unit) for k, p in groups if len(p)]
    return pd.concat(parts, ignore_index=True) if parts else estimates("survival", n=0)


def _group(rows: pd.DataFrame, by: list[str], key: tuple[Any, ...], unit: str) -> pd.DataFrame:
    time, cause = _coded(rows)
    found = _estimates(time, cause, unit)
    estimate, low, high = zip(*found.values(), strict=True)
    return estimates(
        "survival",
        groups=dict(zip(by, key, strict=True)),
        variant=list(found),
        estimate=estimate,
        low=low,
        high=high,
        n=len(time),
        ended=int((cause > 0).sum()),
        open_cases=int((cause == 0).sum()),
        horizon=_horizon(time, unit),
        unit=unit,
    )


def _coded(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Times in order, with what became of the case."""
    causes = [
        np.full(len(r), _CAUSE[s], np.int8)
        for s, r in zip(rows["status"], rows["ratio"], strict=True)
    ]
    # A case that ended at once still ended: it must lie after the origin of the curve.
    time = np.maximum(together(rows["ratio"]), 1 / HOUR)
    order = np.argsort(time)
    return time[order], np.concatenate([np.empty(0, np.int8), *causes])[order]


def _horizon(time: np.ndarray, unit: str) -> float:
    return float(min(HORIZON, time.max()) if unit == "promise" else np.quantile(time, SEEN))


def _estimates(time: np.ndarray, cause: np.ndarray, unit: str) -> dict[str, curves.Triple]:
    curve = curves.kaplan_meier(time, cause == 1)
    end = _horizon(time, unit)
    found = {
        "median": curves.quantile(curve, 0.5),
        "restricted_mean": curves.restricted_mean(curve, end),
        "done_in_promise": curves.cumulative_incidence(time, cause, 1, 1.0),
        "done": curves.cumulative_incidence(time, cause, 1, end),
        "withdrawn": curves.cumulative_incidence(time, cause, 2, end),
    }
    if unit != "promise":
        del found["done_in_promise"]
    return found


def _curve(time: np.ndarray, cause: np.ndarray, unit: str) -> dict[str, list[float]]:
    """What has become of all cases by each time, for the drawing."""
    if not len(time):
        return {}
    grid = np.linspace(0.0, _horizon(time, unit), _POINTS)
    done, withdrawn = (curves.incidence(time, cause, k, grid) for k in (1, 2))
    return {"time": grid.tolist(), "done": done.tolist(), "withdrawn": withdrawn.tolist()}


def _findings(whole: tuple[np.ndarray, np.ndarray], cases: Cases, unit: str) -> list[Finding]:
    time, cause = whole
    if not len(time):
        return [Finding("survival.none", {}, "refused"), *cases.findings()]
    found = _estimates(time, cause, unit)
    closed = time[cause == 1]
    values = dict(zip(("median", "low", "high"), found["median"], strict=True))
    values |= {"n": len(time), "naive": float(np.median(closed)) if len(closed) else float("nan")}
    key = {"promise": "overall"}.get(unit, unit)
    out = [Finding(f"survival.{key}", values)]
    if unit == "promise":
        out.append(Finding("survival.promise", {"share": found["done_in_promise"][0]}))
    if not np.isfinite(values["median"]):
        out.append(Finding("survival.too_open", {}, "warning"))
    return out + cases.findings()
