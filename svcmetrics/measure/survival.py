"""Time to completion with the cases that are still open, instead of without them."""

from __future__ import annotations

from dataclasses import dataclass
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
    promise is told in hours, which must not be compared over services (column ``time_unit``): working
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
    whole, parts = _coded(rows, cases.by)
    ends = whole.ends()
    about = {
        "method": "Kaplan–Meier; Aalen–Johansen",
        "level": 0.95,
        "unit": unit,
        "curve": _curve(ends, whole.horizon(unit)) if len(whole.time) else {},
        "dropped": cases.dropped | ({"no_promise_or_emergency": left} if left else {}),
    }
    findings = _findings(whole, ends, unit) + cases.findings()
    return Result("survival", _table(parts, cases.by, unit), findings, about)


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


def _table(parts: list[tuple[tuple[Any, ...], _Times]], by: list[str], unit: str) -> pd.DataFrame:
    rows = [_group(times, dict(zip(by, key)), unit) for key, times in parts]
    return pd.concat(rows) if rows else estimates("survival", n=0)


def _group(times: _Times, named: dict[str, Any], unit: str) -> pd.DataFrame:
    found = _estimates(times, unit)
    estimate, low, high = zip(*found.values())
    still_open = int((times.cause == 0).sum())
    return estimates(
        "survival",
        groups=named,
        variant=list(found),
        estimate=estimate,
        low=low,
        high=high,
        n=len(times.time),
        ended=len(times.time) - still_open,
        open_cases=still_open,
        horizon=times.horizon(unit),
        time_unit=unit,
    )


@dataclass(frozen=True)
class _Times:
    """Times in order, with what became of the case."""

    time: np.ndarray
    cause: np.ndarray

    def horizon(self, unit: str) -> float:
        """Up to where cases are compared."""
        time = self.time
        return float(min(HORIZON, time[-1]) if unit == "promise" else np.quantile(time, SEEN))

    def ends(self) -> curves.Ends:
        """Counted for the curves."""
        return curves.ends(self.time, self.cause)


def _coded(
    rows: pd.DataFrame, by: list[str]
) -> tuple[_Times, list[tuple[tuple[Any, ...], _Times]]]:
    """All cases, and those of each group; sorted once."""
    size = [len(r) for r in rows["ratio"]]
    cause = np.repeat(rows["status"].map(_CAUSE).to_numpy(np.int8), size)
    # A case that ended at once still ended: it must lie after the origin of the curve.
    time = np.maximum(together(np.sort(r) for r in rows["ratio"]), 1 / HOUR)
    order = np.argsort(time, kind="stable")  # merges what is sorted already
    whole = _Times(time[order], cause[order])
    if not by or not len(rows):
        return whole, [((), whole)] if len(rows) else []
    groups = rows.groupby(by, dropna=False)
    keys = [k if isinstance(k, tuple) else (k,) for k, _ in groups]
    # Small whole numbers are sorted by counting, and what was in order stays so within a group.
    place = groups.ngroup().to_numpy().astype(np.min_scalar_type(len(keys)))
    of = np.repeat(place, size)[order]
    ends = np.cumsum(np.bincount(of, minlength=len(keys)))
    apart = np.split(np.argsort(of, kind="stable"), ends[:-1])
    parts = [_Times(whole.time[p], whole.cause[p]) for p in apart]
    return whole, list(zip(keys, parts))


def _estimates(times: _Times, unit: str) -> dict[str, curves.Triple]:
    ends, end = times.ends(), times.horizon(unit)
    curve = curves.kaplan_meier(ends)
    found = {
        "median": curves.quantile(curve, 0.5),
        "restricted_mean": curves.restricted_mean(curve, end),
        "done_in_promise": curves.cumulative_incidence(ends, 1, 1.0),
        "done": curves.cumulative_incidence(ends, 1, end),
        "withdrawn": curves.cumulative_incidence(ends, 2, end),
    }
    if unit != "promise":
        del found["done_in_promise"]
    return found


def _curve(ends: curves.Ends, horizon: float) -> dict[str, list[float]]:
    """What has become of all cases by each time, for the drawing."""
    grid = np.linspace(0.0, horizon, _POINTS)
    done, withdrawn = (curves.incidence(ends, k, grid) for k in (1, 2))
    return {"time": grid.tolist(), "done": done.tolist(), "withdrawn": withdrawn.tolist()}


def _findings(whole: _Times, ends: curves.Ends, unit: str) -> list[Finding]:
    if not len(whole.time):
        return [Finding("survival.none", {}, "refused")]
    median = curves.quantile(curves.kaplan_meier(ends), 0.5)
    closed = whole.time[whole.cause == 1]
    values = dict(zip(("median", "low", "high"), median))
    values |= {"n": len(whole.time)}
    values |= {"naive": float(np.median(closed)) if len(closed) else float("nan")}
    key = {"promise": "overall"}.get(unit, unit)
    out = [Finding(f"survival.{key}", values)]
    if unit == "promise":
        share = curves.cumulative_incidence(ends, 1, 1.0)[0]
        out.append(Finding("survival.promise", {"share": share}))
    if not np.isfinite(values["median"]):
        out.append(Finding("survival.too_open", {}, "warning"))
    return out
