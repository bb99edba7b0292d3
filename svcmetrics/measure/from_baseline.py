"""The frozen baseline of each service in the place of a promise, for services that promise nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.clocks import HOUR
from svcmetrics.measure.inputs import net, read_cases
from svcmetrics.measure.shortening import ENOUGH
from svcmetrics.problems import table_error
from svcmetrics.tables import require

_EDGES = ["baseline_from", "baseline_to"]


def from_baseline(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    share: float = 0.5,
    timezone: str = "Asia/Shanghai",
) -> pd.DataFrame:
    """What would each service promise if it promised to stay as it was in its baseline?

    Arguments as in ``shortening``. ``share``: of the baseline cases, how many kept within these
    hours: 0.5 is the median, 0.8 what four of five took at most.

    Comes back as ``services`` with ``promise_h`` from the baseline (hours on the clock of the
    service, without what waited for the requester), in force from the day after it, and
    ``baseline_cases``, the closed cases behind it. Give it to ``time_ratio``, ``standardised``,
    ``responsibility`` or ``on_time`` in the place of the promises: "late" then means slower than
    before, and a ratio of 1 is as before. For ``responsibility`` leave ``promise_h`` out of the
    steps, so that the hours of the baseline are shared among them by role weight.

    A service with fewer than five closed cases in its baseline, or without one, gets no hours:
    its cases count as not assessable.

    It misleads across seasons: a baseline of quiet months makes every busy month late. See
    ``shortening``, which compares like months. Being slow in the baseline is rewarded here.

    Source: house fact 3 of the log; methods, section 10.

    >>> at = pd.to_datetime(["2024-03-04 09:00"] * 5 + ["2025-03-04 09:00"])
    >>> log = pd.DataFrame({"case_id": list("abcdef"), "at": at, "seq": 1})
    >>> hours = [8, 9, 10, 11, 12, 15]
    >>> log = pd.concat([log.assign(action="submit"), log.assign(seq=2, action="close",
    ...     at=log["at"] + pd.to_timedelta(hours, unit="h"))]).assign(service_id="s")
    >>> book = pd.DataFrame({"service_id": ["s"], "provider_id": ["HR"], "clock": ["calendar"],
    ...     "baseline_from": ["2024-01-01"], "baseline_to": ["2024-12-31"]})
    >>> before = from_baseline(log, services=book)
    >>> before[["promise_h", "valid_from", "baseline_cases"]].values.tolist()
    [[10.0, '2025-01-01', 5]]
    """
    if not 0 < share < 1:
        raise table_error("share_out_of_range", name="share", found=share)
    require(services, "service_id", *_EDGES)
    times = _times(events, services, steps, calendar, timezone)
    out = services.reset_index(drop=True)
    ids = out["service_id"].astype("str")
    count = ids.map(times.map(len)).fillna(0).astype(int)
    hours = times[times.map(len) >= ENOUGH].map(lambda t: float(np.quantile(t, share)) / HOUR)
    end = pd.to_datetime(out["baseline_to"].astype("str").str.slice(0, 10), errors="coerce")
    after = (end + pd.Timedelta(days=1)).dt.strftime("%Y-%m-%d")
    return out.assign(
        promise_h=ids.map(hours).astype(float),
        valid_from=after.astype("str"),
        valid_to=pd.Series(pd.NA, out.index, dtype="str"),
        baseline_cases=count,
    )


def _times(
    events: Any,
    services: pd.DataFrame,
    steps: pd.DataFrame | None,
    calendar: pd.DataFrame | None,
    timezone: str,
) -> pd.Series:
    """Per service the times of the closed ordinary cases that began in its baseline."""
    cases = read_cases(events, services=services, steps=steps, calendar=calendar, timezone=timezone)
    edges = attributes(services, _EDGES)
    edges = edges.assign(**{c: edges[c].str.slice(0, 10) for c in _EDGES})
    t = joined(cases.table, engine.small(edges), "service_id")
    inside = (t["start_day"] >= t["baseline_from"]) & (t["start_day"] <= t["baseline_to"])
    ordinary = (t["status"] == "closed") & ~t["is_emergency"] & net(t).notnull()
    chosen = t.filter(inside & ordinary)
    rows = engine.frame(chosen.group_by("service_id").aggregate(times=net(chosen).collect()))
    return rows.set_index("service_id")["times"]
