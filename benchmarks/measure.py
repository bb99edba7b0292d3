"""W4, W5: the measures of a log and working hours; ratios in one run, up to ten million events.

``python -m benchmarks.measure [largest size]``. The log is written by ``svcmetrics.simulate``; each
side reads the same Parquet file in a process of its own, ours with 1 GB for the engine. Bare seconds
say more about the machine than about the code, so only ratios of processor time (all threads) are
printed, which a busy machine disturbs less than those of the clock on the wall; with the exponent with
which the time grows and the peak of memory of the whole process.

The pandas side does less on purpose (no checks of keys, no stopped clocks, no waits for the
requester, no charging of returns, no intervals): a ratio below 1 would be the price of these
answers, and of about a second to plan the queries, which rules the small size.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

SIZES = (100_000, 1_000_000, 10_000_000)
MEMORY = "1GB"
# Memory for the engine in the bounded run, of what the columns fill when not compressed.
BOUND = 60
# pandas needs minutes per million intervals: it is timed on this many, and scaled.
BASE_ROWS = 2_000
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
    hours = _child("hours", folder, size)
    tight = _child("bounded", folder, BOUND)
    print(f"{size:,} events; peak while they are written {made['peak']:,.0f} MB")
    shares = ", ".join(f"{k} {v / scan['scan']:.1f}" for k, v in ours["parts"].items())
    print(f"  of the time of a raw scan: cases and eight measures {ours['set'] / scan['scan']:.0f}")
    print(f"    in it: {shares}")
    print(f"  pandas / ours, the four measures that it has: {plain['four'] / ours['four']:.2f}")
    print(f"  peak: ours {ours['peak']:,.0f} MB, pandas {plain['peak']:,.0f} MB")
    print(
        f"  working hours, pandas / ours: {hours['base'] / hours['hours']:,.0f}; "
        f"peak {hours['peak']:,.0f} MB"
    )
    print(f"  done with {BOUND}% of the log's plain size for the engine; "
          f"peak of the process {tight['peak']:,.0f} MB", flush=True)  # fmt: skip
    return ours | hours


def _child(part: str, folder: Path, size: int = 0) -> dict:
    """One part in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "benchmarks.measure", part, str(folder), str(size)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
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
    """The cases once, kept in the engine; then each measure, from cases where it takes them."""
    from svcmetrics import measure
    from svcmetrics.io import engine

    engine.limit(memory=MEMORY, threads=2)
    events, study = engine.as_table(folder / "event.parquet"), _study(folder)
    began = time.process_time()
    cases = engine.keep(measure.cases(events, **study))
    parts = {"cases": time.process_time() - began}
    began = time.process_time()
    measure.cases(events, **study)
    parts["cases again"] = time.process_time() - began
    book = {k: study[k] for k in ("services", "steps")}
    calls: dict[str, Callable[[], object]] = {
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
    four = sum(parts[k] for k in ("cases", "on_time", "returns", "first_pass", "volume"))
    return {"parts": parts, "set": sum(parts.values()), "four": four, "cases": parts["cases"]}


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


PARTS = {"simulate": _simulate, "scan": _scan, "ours": _ours, "pandas": _pandas, "hours": _hours,
         "bounded": _bounded}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in PARTS:
        answer = PARTS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(answer))
    else:
        main(int(float(sys.argv[1])) if sys.argv[1:] else SIZES[-1])
