"""Working hours and the measures of a log against plain pandas: ratios in one run, three sizes.

``python -m benchmarks.measure``. A bare time says more about the machine than about the code, so
only ratios are printed, with the exponent with which the time grows.

The pandas side of the log does less on purpose (no checks of keys, no stopped clocks, no waits for
the requester, no charging of returns) and holds all events in memory: a ratio below 1 is the price
of these answers, and of about a second to plan the queries, which rules the small sizes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pandas as pd

from svcmetrics import measure
from svcmetrics.io import engine

SIZES = (10_000, 100_000, 1_000_000)
# pandas needs minutes per million intervals: it is timed on this many, and scaled.
_BASE_ROWS = 2_000


def main() -> None:
    """Print the ratios."""
    calendar = measure.working_calendar("2024-01-01", "2025-12-31")
    print("rows · working hours: pandas / ours · log: pandas / ours")
    spent = []
    for size in SIZES:
        hours, base = _working_hours(size, calendar)
        ours, plain = _log(size, calendar)
        spent.append((hours, ours))
        print(f"{size:>9,} · {base / hours:>10,.0f} · {plain / ours:>6.2f}")
    grown = np.log(SIZES[-1] / SIZES[-2])
    slopes = [np.log(b / a) / grown for a, b in zip(spent[-2], spent[-1], strict=True)]
    print(f"growth exponents: working hours {slopes[0]:.2f}, log {slopes[1]:.2f}")


def _working_hours(size: int, calendar: pd.DataFrame) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    start = pd.Timestamp("2024-01-02") + pd.to_timedelta(
        rng.integers(0, 600 * 86400, size), unit="s"
    )
    rows = pd.DataFrame(
        {"a": start, "b": start + pd.to_timedelta(rng.integers(0, 30 * 86400, size), unit="s")}
    )
    ours = _timed(lambda: measure.working_hours(rows, start="a", end="b", calendar=calendar))
    some = rows.head(_BASE_ROWS)
    base = _timed(lambda: _by_slots(some, calendar), runs=1)
    same = measure.working_hours(some, start="a", end="b", calendar=calendar)["working_s"]
    if not np.array_equal(same, _by_slots(some, calendar)):
        raise SystemExit("the two ways disagree")
    return ours, base * size / len(some)


def _by_slots(rows: pd.DataFrame, calendar: pd.DataFrame) -> np.ndarray:
    """The plain way: for each interval clip every slot of the calendar to it."""
    work = calendar[calendar["is_workday"]]
    opens = pd.to_datetime(work["date"] + " " + work["open"]).to_numpy()
    closes = pd.to_datetime(work["date"] + " " + work["close"]).to_numpy()
    out = []
    for a, b in rows.itertuples(index=False):
        part = np.minimum(closes, np.datetime64(b)) - np.maximum(opens, np.datetime64(a))
        out.append(part[part > np.timedelta64(0)].sum() / np.timedelta64(1, "s"))
    return np.array(out)


def _log(size: int, calendar: pd.DataFrame) -> tuple[float, float]:
    """On-time rate and returns from events, against the same counts by pandas group-bys."""
    events, services = events_of(size)
    table = engine.keep(engine.as_table(events))

    def ours() -> None:
        measure.on_time(table, services=services, calendar=calendar)
        measure.returns(table, services=services)

    return _timed(ours), _timed(lambda: _by_pandas(events, services, calendar))


def _by_pandas(events: pd.DataFrame, services: pd.DataFrame, calendar: pd.DataFrame) -> pd.Series:
    ordered = events.sort_values(["case_id", "seq"])
    cases = ordered.groupby("case_id").agg(
        service_id=("service_id", "first"), a=("at", "first"), b=("at", "last"), n=("seq", "size")
    )
    ordered["next"] = ordered.groupby("case_id")["action"].shift(-1)
    ordered["next_step"] = ordered.groupby("case_id")["step_no"].shift(-1)
    ordered[ordered["action"] == "return"].groupby("unit_id").size()
    ordered[ordered["action"] == "deliver"].groupby("unit_id").size()
    # Working time even here by the fast way, or pandas would never end.
    timed = measure.working_hours(cases, start="a", end="b", calendar=calendar)
    promise = cases["service_id"].map(services.set_index("service_id")["promise_h"])
    return (timed["working_h"] <= promise).groupby(cases["service_id"]).mean()


def events_of(size: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """An invented log of about ``size`` events: six per case, one in six cases comes back once."""
    rng = np.random.default_rng(2)
    cases = size // 6
    words = np.array(["submit", "accept", "deliver", "approve", "deliver", "close"])
    case = np.repeat(np.arange(cases), 6)
    action = np.tile(words, cases)
    back = np.repeat(rng.random(cases) < 1 / 6, 6) & (np.tile(np.arange(6), cases) == 3)
    action[back] = "return"
    gaps = rng.exponential(8 * 3600, (cases, 6)).astype("int64")
    start = rng.integers(0, 300 * 86400, cases)[:, None]
    at = pd.Timestamp("2024-02-01") + pd.to_timedelta(
        (start + np.cumsum(gaps, axis=1)).ravel(), unit="s"
    )
    step = np.tile([np.nan, 1, 1, 2, 1, np.nan], cases)
    services = pd.DataFrame(
        {
            "service_id": [f"S{i}" for i in range(20)],
            "provider_id": [f"U{i % 8}" for i in range(20)],
            "promise_h": 24.0,
        }
    )
    service = services["service_id"].to_numpy()[rng.integers(0, 20, cases)]
    events = pd.DataFrame(
        {
            "case_id": pd.Series(case).astype(str), "seq": np.tile(np.arange(6), cases),
            "service_id": np.repeat(service, 6), "at": at.tz_localize("Asia/Shanghai"), "step_no": step,
            "to_step_no": np.where(back, 1.0, np.nan), "unit_id": np.tile(["B", "U1", "U1", "U2", "U1", "U1"], cases),
            "action": action,
        }
    )  # fmt: skip
    return events, services.assign(clock="business")


def _timed(call: Callable[[], object], runs: int = 3) -> float:
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return median(spent)


if __name__ == "__main__":
    main()
