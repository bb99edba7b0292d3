"""W4, W5: the measures of a log and working hours; ratios in one run, up to ten million events.

``python -m benchmarks.measure [largest size]``. The log is written by ``svcmetrics.simulate``; each
side reads the same Parquet file in a process of its own, ours with 1 GB for the engine. Bare seconds
say more about the machine than about the code, so only ratios of processor time (all threads) are
printed, which a busy machine disturbs less than those of the clock on the wall; with the exponent with
which the time grows and the peak of memory of the whole process.

The sides of pandas and polars do less on purpose (no checks of keys, no stopped clocks, no waits for
the requester, no charging of returns, no intervals): a ratio below 1 would be the price of these
answers, and of about a second to plan the queries, which rules the small size. pm4py tells the
duration of cases and what was done twice, up to a million events. Peers that are not installed are
left out, and said so.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

SIZES = (100_000, 1_000_000, 10_000_000)
MEMORY = "1GB"
# Memory for the engine in the bounded runs, in per cent of what the columns fill when not compressed;
# only of a log that is large, since the engine itself needs some 60 MB.
BOUNDS, BOUNDED_EVENTS = (60, 40, 30), 10_000_000
# pandas needs minutes per million intervals: it is timed on this many, and scaled.
BASE_ROWS = 2_000
# pm4py needs minutes beyond.
PM4PY_EVENTS = 1_000_000
USED = ["case_id", "seq", "service_id", "at", "step_no", "to_step_no", "unit_id", "actor_key",
        "action", "prev_case_id"]  # fmt: skip


def main(largest: int) -> None:
    """Print the ratios; what was written is deleted."""
    sizes = [s for s in SIZES if s <= largest]
    with tempfile.TemporaryDirectory() as folder:
        found = [_size(size, Path(folder, str(size))) for size in sizes]
    columns = ["set", "cases", "hours"]
    for before, after in pairwise(zip(sizes, found, strict=True)):
        (small, a), (large, b) = before, after
        grown = np.log(large / small)
        slopes = ", ".join(f"{c} {np.log(b[c] / a[c]) / grown:.2f}" for c in columns)
        print(f"growth exponents from {small:,} to {large:,}: {slopes}")


def _size(size: int, folder: Path) -> dict[str, float]:
    made = _child("simulate", folder, size)
    scan, plain, ours = (_child(part, folder) for part in ("scan", "pandas", "ours"))
    peers = [p for p in ("polars", "pm4py") if p == "polars" or size <= PM4PY_EVENTS]
    asked = {p: _child(p, folder) for p in peers if find_spec(p)}
    hours = _child("hours", folder, size)
    print(f"{size:,} events; peak while they are written {made['peak']:,.0f} MB")
    shares = ", ".join(f"{k} {v / scan['scan']:.1f}" for k, v in ours["parts"].items())
    print(f"  of the time of a raw scan ({scan['scan']:.2f} s of processor time): "
          f"cases and eight measures {ours['set'] / scan['scan']:.0f}")  # fmt: skip
    print(f"    in it: {shares}")
    print(f"  pandas / ours, the four measures that it has: {plain['four'] / ours['four']:.2f}")
    print(f"  peak: ours {ours['peak']:,.0f} MB, pandas {plain['peak']:,.0f} MB")
    seconds = ", ".join(f"{k} {v:.2f}" for k, v in ours["parts"].items())
    print(f"    the same in seconds of processor time: {seconds}")
    again = ", ".join(f"{k} {v:.2f}" for k, v in ours["again"].items())
    print(f"    and: {again}")
    for name in peers:
        if name not in asked:
            print(f"  {name}: not installed")
            continue
        got = asked[name]
        print(
            f"  {name} / ours: {got['four'] / (ours['cases'] if name == 'pm4py' else ours['four']):.2f}"
            f"; peak {got['peak']:,.0f} MB"
        )
    print(
        f"  working hours, pandas / ours: {hours['base'] / hours['hours']:,.0f}; "
        f"peak {hours['peak']:,.0f} MB"
    )
    for bound in BOUNDS if size >= BOUNDED_EVENTS else ():
        tight = _child("bounded", folder, bound)
        print(f"  done with {bound}% of the log's plain size for the engine; "
              f"peak of the process {tight['peak']:,.0f} MB")  # fmt: skip
    sys.stdout.flush()
    return ours | hours


def _child(part: str, folder: Path, size: int = 0) -> dict:
    """One part in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "benchmarks.measure", part, str(folder), str(size)]
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    said = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | one
    )
    if said.returncode:
        raise SystemExit(said.stderr)
    return json.loads(said.stdout.splitlines()[-1])


def _simulate(folder: Path, size: int) -> dict:
    from svcmetrics.simulate import simulate

    simulate(folder, events=size, ratings=300)
    return {}


def _scan(folder: Path, _: int) -> dict:
    """Every column that the measures use, read once and counted."""
    from svcmetrics.io import engine

    events = engine.connect(memory=MEMORY, threads=2).read_parquet(str(folder / "event.parquet"))
    counts = {c: events[c].max() for c in USED if c != "action"}
    return {"scan": _timed(lambda: engine.frame(events.group_by("action").aggregate(**counts)))}


def _ours(folder: Path, _: int) -> dict:
    """The cases once; then each measure, from cases where it takes them.

    The times of the cases are held; their public columns are worked out by whoever asks for them,
    which is timed apart, for all columns at once.
    """
    from svcmetrics import measure
    from svcmetrics.io import engine

    engine.limit(memory=MEMORY, threads=2)
    events, study = engine.as_table(folder / "event.parquet"), _study(folder)
    began = time.process_time()
    cases = measure.cases(events, **study)
    parts = {"cases": time.process_time() - began}
    began = time.process_time()
    measure.cases(events, **study)
    parts["cases again"] = time.process_time() - began
    book = {k: study[k] for k in ("services", "steps")}
    calls: dict[str, Callable[[], object]] = {
        # What the questions have in common is worked out with the first one of each kind.
        "first question of cases": lambda: measure.first_pass(
            cases, services=study["services"], by=None
        ),
        "first question of events": lambda: measure.volume(events, by=None),
        "on_time": lambda: measure.on_time(cases, services=study["services"]),
        "first_pass": lambda: measure.first_pass(cases, services=study["services"]),
        "returns": lambda: measure.returns(events, **book),
        "volume": lambda: measure.volume(events),
        "time_ratio": lambda: measure.time_ratio(cases, services=study["services"]),
        "survival": lambda: measure.survival(cases, services=study["services"]),
        "rejections": lambda: measure.rejections(events, **book),
        "automatic": lambda: measure.automatic(events, steps=study["steps"]),
    }
    parts |= {name: _timed(call, 1) for name, call in calls.items()}
    apart = {"every public column of the cases": lambda: engine.keep(cases)}
    apart |= {f"{name} again": calls[name] for name in ("returns", "survival", "rejections")}
    again = {name: _timed(call, 1) for name, call in apart.items()}
    four = sum(parts[k] for k in ("cases", "on_time", "returns", "first_pass", "volume"))
    return {"parts": parts, "again": again, "set": sum(parts.values()), "four": four,
            "cases": parts["cases"]}  # fmt: skip


def _bounded(folder: Path, percent: int) -> dict:
    """The cases and the returns with less memory than the columns of the log would fill."""
    from svcmetrics import measure
    from svcmetrics.io import engine

    engine.limit(memory=f"{percent * _plain_size(folder) // 100_000_000}MB", threads=2)
    study = _study(folder)
    events = engine.as_table(folder / "event.parquet")
    cases = engine.keep(measure.cases(events, **study))
    measure.on_time(cases, services=study["services"])
    measure.returns(events, services=study["services"], steps=study["steps"])
    return {"limit_percent": percent}


def _plain_size(folder: Path) -> int:
    """Bytes of the columns of the log when nothing is compressed, told by its first rows."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(folder / "event.parquet")
    some = next(file.iter_batches(batch_size=50_000))
    return some.nbytes * file.metadata.num_rows // some.num_rows


def _pandas(folder: Path, _: int) -> dict:
    from svcmetrics import measure

    study = _study(folder)
    promise = study["services"].set_index("service_id")["promise_h"]

    def four() -> None:
        e = pd.read_parquet(folder / "event.parquet", columns=USED)
        e = e.sort_values(["case_id", "seq"])
        e["next_action"] = e.groupby("case_id")["action"].shift(-1)
        e["next_step"] = e.groupby("case_id")["step_no"].shift(-1)
        back = e["action"].isin(["return", "reject"])
        cases = e.assign(back=back).groupby("case_id").agg(
            service_id=("service_id", "first"), a=("at", "first"), b=("at", "last"),
            n=("seq", "size"), back=("back", "sum"), last=("action", "last"),
        )  # fmt: skip
        e[back].groupby("unit_id").size().div(e[e["action"] == "deliver"].groupby("unit_id").size())
        # Working time even here by the fast way, or pandas would never end.
        timed = measure.working_hours(cases, start="a", end="b", calendar=study["calendar"])
        timed["good"] = timed["working_h"] <= cases["service_id"].map(promise)
        timed.groupby("service_id")[["good", "back"]].mean()
        e.groupby(["service_id", "action"]).size()

    return {"four": _timed(four, 1)}


def _polars(folder: Path, _: int) -> dict:
    import polars as pl

    from svcmetrics import measure

    study = _study(folder)
    promise = pl.from_pandas(study["services"][["service_id", "promise_h"]])

    def four() -> None:
        e = pl.read_parquet(folder / "event.parquet", columns=USED).sort("case_id", "seq")
        after = [
            pl.col(c).shift(-1).over("case_id").alias(f"next_{c}") for c in ("action", "step_no")
        ]
        e = e.with_columns(*after, back=pl.col("action").is_in(["return", "reject"]))
        cases = e.group_by("case_id").agg(
            pl.first("service_id"), a=pl.first("at"), b=pl.last("at"), n=pl.len(),
            back=pl.sum("back"), last=pl.last("action"),
        )  # fmt: skip
        e.group_by("unit_id").agg(pl.sum("back"), made=(pl.col("action") == "deliver").sum())
        frame = pd.DataFrame({c: cases[c].to_numpy() for c in ("a", "b")})
        frame = frame.apply(lambda c: c.dt.tz_localize("UTC"))
        timed = measure.working_hours(frame, start="a", end="b", calendar=study["calendar"])
        cases = cases.with_columns(hours=pl.Series(timed["working_h"].to_numpy()))
        cases = cases.join(promise, on="service_id", how="left")
        cases = cases.with_columns(good=pl.col("hours") <= pl.col("promise_h"))
        cases.group_by("service_id").agg(pl.mean("good"), pl.mean("back"))
        e.group_by("service_id", "action").len()

    return {"four": _timed(four, 1)}


def _pm4py(folder: Path, _: int) -> dict:
    import pm4py

    def two() -> None:
        e = pd.read_parquet(folder / "event.parquet", columns=["case_id", "action", "at"])
        e = pm4py.format_dataframe(e, case_id="case_id", activity_key="action", timestamp_key="at")
        pm4py.get_all_case_durations(e)
        pm4py.get_rework_cases_per_activity(e)

    return {"four": _timed(two, 1)}


def _hours(folder: Path, size: int) -> dict:
    from svcmetrics import measure

    calendar = _study(folder)["calendar"]
    rng = np.random.default_rng(1)
    days = pd.to_datetime(calendar["date"])
    span = int((days.max() - days.min()).days) - 31
    start = days.min() + pd.to_timedelta(rng.integers(0, span * 86400, size), unit="s")
    end = start + pd.to_timedelta(rng.integers(0, 30 * 86400, size), unit="s")
    rows = pd.DataFrame({"a": start, "b": end})
    ours = _timed(lambda: measure.working_hours(rows, start="a", end="b", calendar=calendar))
    some = rows.head(BASE_ROWS)
    base = _timed(lambda: _by_slots(some, calendar), 1)
    same = measure.working_hours(some, start="a", end="b", calendar=calendar)["working_s"]
    if not np.array_equal(same, _by_slots(some, calendar)):
        raise SystemExit("the two ways disagree")
    return {"hours": ours, "base": base * size / len(some)}


def _by_slots(rows: pd.DataFrame, calendar: pd.DataFrame) -> np.ndarray:
    """The plain way: for each interval clip every slot of the calendar to it."""
    work = calendar[calendar["is_workday"].astype(bool)]
    dates = work["date"].astype(str).str[:10] + " "
    opens, closes = (
        pd.to_datetime(dates + work[c].astype(str)).to_numpy() for c in ("open", "close")
    )
    out = []
    for a, b in rows.itertuples(index=False):
        part = np.minimum(closes, np.datetime64(b)) - np.maximum(opens, np.datetime64(a))
        out.append(part[part > np.timedelta64(0)].sum() / np.timedelta64(1, "s"))
    return np.array(out)


def _study(folder: Path) -> dict[str, pd.DataFrame]:
    names = {"services": "service", "steps": "step", "calendar": "calendar"}
    return {k: pd.read_csv(folder / f"{name}.csv") for k, name in names.items()}


def _timed(call: Callable[[], object], runs: int = 3) -> float:
    spent = []
    for _ in range(runs):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return float(np.median(spent))


PARTS = {
    "simulate": _simulate, "scan": _scan, "ours": _ours, "pandas": _pandas, "polars": _polars,
    "pm4py": _pm4py, "hours": _hours, "bounded": _bounded,
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PARTS:
        answer = PARTS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer))
    else:
        main(int(float(sys.argv[1])) if sys.argv[1:] else SIZES[-1])
