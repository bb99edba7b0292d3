"""Gaming checks: how often honest studies raise a flag, and how much of what is planted is seen.

``python3 dev.py bench gaming [studies]``. Nothing is timed. Honest studies are simulated companies
of eight departments; the largest of them then steers a share of its cases, in one way after another,
and then the two or three largest do the same. Shares are those of the cases, of the agreed deadlines,
or (easy cases) of the second half of the log. What ratings can be steered by: ``gaming_votes``; many
draws of counts alone: ``gaming_masking``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd

from svcmetrics import verify
from svcmetrics.numeric.intervals import wilson
from svcmetrics.simulate import company

SHARES = (0.01, 0.02, 0.05)


def study(seed: int) -> dict[str, pd.DataFrame]:
    found = company(seed=seed, events=20_000, ratings=600)
    return {"events": found.event, "services": found.service, "commitments": found.commitment}


Tables = dict[str, pd.DataFrame]


def largest(
    tables: Tables, cases: pd.Series | None = None, place: int = 0
) -> tuple[str, pd.DataFrame]:
    """The department with most cases (of some), or at a later place, and the first event of each."""
    first = tables["events"].sort_values("seq").drop_duplicates("case_id")
    first = first if cases is None else first[first["case_id"].isin(cases)]
    provider = first["service_id"].map(tables["services"].set_index("service_id")["provider_id"])
    unit = str(provider.value_counts().index[place])
    return unit, first[provider == unit]


def also(tables: Tables, *more: pd.DataFrame) -> Tables:
    return tables | {"events": pd.concat([tables["events"], *more], ignore_index=True)}


def easy_cases(tables: Tables, mine: pd.DataFrame, share: float) -> Tables:
    """Easy cases added to the second half, spread over days and persons."""
    log = tables["events"].drop_duplicates("case_id")
    mine = mine[mine["at"] > log["at"].quantile(0.5)]
    new = mine.head(int(share / (1 - share) * len(mine))).reset_index(drop=True)
    days = pd.to_timedelta(np.arange(len(new)) * 12 % 2000, unit="h")
    names = [f"x{k}" for k in range(len(new))]
    new = new.assign(case_id=[f"easy{k}" for k in names], at=new["at"] + days, actor_key=names)
    end = new.assign(seq=new["seq"] + 1, action="close", at=new["at"] + pd.Timedelta(minutes=1))
    return also(tables, new, end)


def reopened(tables: Tables, mine: pd.DataFrame, share: float) -> Tables:
    log = tables["events"]
    closed = log[(log["action"] == "close") & log["case_id"].isin(mine["case_id"])]
    some = closed.sample(frac=share, random_state=1)
    return also(tables, some.assign(seq=some["seq"] + 1, action="deliver", step_no=1))


def restarted(tables: Tables, mine: pd.DataFrame, share: float) -> Tables:
    some, ago = mine.sample(frac=share, random_state=1), pd.Timedelta(hours=2)
    old = some.assign(case_id="old" + some["case_id"].astype(str), at=some["at"] - ago)
    return also(tables, old, old.assign(seq=1, action="withdraw", at=old["at"] + ago / 2))


def split(tables: Tables, mine: pd.DataFrame, share: float) -> Tables:
    some = mine["case_id"].sample(frac=share, random_state=1)
    rows = tables["events"][tables["events"]["case_id"].isin(some)]
    soon = rows["at"] + pd.Timedelta(minutes=4)
    return also(tables, rows.assign(case_id="b" + rows["case_id"].astype(str), at=soon))


def quiet_rework(tables: Tables, mine: pd.DataFrame, share: float) -> Tables:
    """The same output handed over once more; the numbers of later events make room."""
    log = tables["events"].assign(seq=tables["events"]["seq"] * 10)
    done = log[(log["action"] == "deliver") & log["step_no"].notna()]
    some = done[done["unit_id"] == unit_of(tables, mine)].sample(frac=share, random_state=1)
    again = some.assign(seq=some["seq"] + 1, at=some["at"] + pd.Timedelta(minutes=1))
    return also(tables | {"events": log}, again)


def moved_deadline(tables: Tables, mine: pd.DataFrame, share: float) -> Tables:
    """Put off by five days on the day they were due."""
    due = tables["commitments"]
    own = due[due["case_id"].isin(mine["case_id"])].sort_values("rev").drop_duplicates("case_id")
    some = own.sample(frac=share, random_state=1)
    later = some.assign(rev=9, agreed_at=some["due_at"], due_at=some["due_at"] + pd.Timedelta("5D"))
    return tables | {"commitments": pd.concat([due, later], ignore_index=True)}


def unit_of(tables: Tables, mine: pd.DataFrame) -> str:
    services = tables["services"].set_index("service_id")["provider_id"]
    return str(services[mine["service_id"].iloc[0]])


PLANTED = {
    easy_cases: (0.05, 0.1, 0.2), moved_deadline: (0.2, 0.35, 0.5),
    **dict.fromkeys((reopened, restarted, split, quiet_rework), SHARES),
}  # fmt: skip


# The same by two or three departments: how many, and the share of each.
TOGETHER = {moved_deadline: 0.5, reopened: 0.05, split: 0.05, quiet_rework: 0.05}


def all_seen(tables: Tables, kind: Callable[..., Tables], share: float, many: int) -> bool:
    """Whether the departments with most cases are all flagged when they do the same."""
    cases = tables["commitments"]["case_id"] if kind is moved_deadline else None
    chosen = [largest(tables, cases, place) for place in range(many)]
    for _, mine in chosen:
        tables = kind(tables, mine, share)
    found = flags(tables)
    return {unit for unit, _ in chosen} <= set(found.loc[found["metric"] == kind.__name__, "unit"])


def flags(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    table = verify.gaming(None, **tables).table
    return table[table["flagged"].astype(bool)]


def of(times: int, count: int) -> str:
    """A count with its 95% interval (Wilson)."""
    low, high = wilson(np.array([times]), np.array([count]))
    return f"{times} of {count} ({100 * low[0]:.0f} to {100 * high[0]:.0f}%)"


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    alarms, overall = [], 0
    seen = {(kind, share): 0 for kind, shares in PLANTED.items() for share in shares}
    hidden = {(kind, many): 0 for kind in TOGETHER for many in (2, 3)}
    for seed in range(first, first + count):
        tables = study(seed)
        for kind, many in hidden:
            hidden[kind, many] += all_seen(tables, kind, TOGETHER[kind], many)
        whole, agreed = largest(tables), largest(tables, tables["commitments"]["case_id"])
        found = flags(tables)
        alarms.append(found["metric"].unique().tolist())
        overall += int((found["p_overall"] <= 0.05).any())
        for kind, share in seen:
            unit, mine = agreed if kind is moved_deadline else whole
            hit = flags(kind(tables, mine, share))
            seen[kind, share] += int(
                ((hit["metric"] == kind.__name__) & (hit["unit"] == unit)).any()
            )
    names = pd.Series([name for one in alarms for name in one], dtype="object").value_counts()
    print(f"honest studies, 6 checks: any flag in {of(sum(map(bool, alarms)), count)}, one that holds "
          f"over all comparisons in {of(overall, count)}; per check {names.to_dict()}")  # fmt: skip
    for (kind, share), times in seen.items():
        print(f"{kind.__name__}, {share:.0%}: seen in {of(times, count)}")
    for (kind, many), times in hidden.items():
        print(f"masking: {kind.__name__}, {TOGETHER[kind]:.0%} in {many} of 8 departments: "
              f"all of them seen in {of(times, count)}")  # fmt: skip
