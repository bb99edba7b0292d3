"""Gaming checks: how often honest studies raise a flag, and how much padding with easy cases is seen.

``python3 dev.py bench gaming [studies]``. Nothing is timed. Honest studies are simulated companies
of eight departments; easy cases are added to the largest of them, spread over days and persons.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from svcmetrics import verify
from svcmetrics.simulate import company

SHARES = (0.05, 0.2)


def study(seed: int) -> dict[str, pd.DataFrame]:
    found = company(seed=seed, events=20_000, ratings=600)
    return {"events": found.event, "services": found.service, "commitments": found.commitment}


def padded(tables: dict[str, pd.DataFrame], share: float) -> tuple[dict[str, pd.DataFrame], str]:
    """The largest department closes easy cases: this share of its cases of the second half."""
    log, services = tables["events"], tables["services"].set_index("service_id")["provider_id"]
    first = log.drop_duplicates("case_id")
    provider = first["service_id"].map(services)
    unit = str(provider.value_counts().index[0])
    mine = first[(provider == unit) & (first["at"] > first["at"].quantile(0.5))]
    new = mine.head(int(share / (1 - share) * len(mine))).reset_index(drop=True)
    days = pd.to_timedelta(np.arange(len(new)) * 12 % 2000, unit="h")
    names = [f"x{k}" for k in range(len(new))]
    new = new.assign(case_id=[f"easy{k}" for k in names], at=new["at"] + days, actor_key=names)
    end = new.assign(seq=new["seq"] + 1, action="close", at=new["at"] + pd.Timedelta(minutes=1))
    return tables | {"events": pd.concat([log, new, end], ignore_index=True)}, unit


def flags(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    table = verify.gaming(None, **tables).table
    return table[table["flagged"].astype(bool)]


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    alarms, overall, seen = [], 0, dict.fromkeys(SHARES, 0)
    for seed in range(1000, 1000 + count):
        tables = study(seed)
        found = flags(tables)
        alarms.append(found["metric"].unique().tolist())
        overall += int((found["p_overall"] <= 0.05).any())
        for share in SHARES:
            more, unit = padded(tables, share)
            hit = flags(more)
            seen[share] += int(((hit["metric"] == "easy_cases") & (hit["unit"] == unit)).any())
    names = pd.Series([name for one in alarms for name in one], dtype="object").value_counts()
    print(f"{count} honest studies, 6 checks: any flag in {sum(map(bool, alarms))}, one that holds "
          f"over all comparisons in {overall}; per check {names.to_dict()}")  # fmt: skip
    for share in SHARES:
        print(f"padding, {share:.0%} of the cases of the second half: seen in {seen[share]}")
