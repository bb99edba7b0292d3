"""The step table of a log that has none: one step per service and activity name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.io.derived import names_of


def derive_steps(
    events: pd.DataFrame, requesters: set[str], known: pd.DataFrame | None
) -> pd.DataFrame:
    """A step per service and activity, numbered by its usual place in a case; exactly one lead."""
    rows = events.assign(
        rank=events.groupby("case_id").cumcount(), asks=events["unit_id"].isin(requesters)
    )
    by = ["service_id", "activity"]
    steps = (
        rows.groupby(by)
        .agg(place=("rank", "median"), first=("rank", "mean"), n=("rank", "size"))
        .reset_index()
    )
    for column in ("unit_id", "action", "asks"):
        steps[column] = (
            _most_frequent(rows, by, column).reindex(pd.MultiIndex.from_frame(steps[by])).to_numpy()
        )
    placed = rows[rows["activity"].notna()]
    last = placed.drop_duplicates("case_id", keep="last").groupby(by).size()
    steps["ends"] = last.reindex(pd.MultiIndex.from_frame(steps[by])).fillna(0).to_numpy()
    steps = steps.sort_values(["service_id", "place", "first", "activity"], ignore_index=True)
    steps["step_no"] = _numbered(steps, known)
    steps["role"] = np.select(
        [steps["action"].isin(["approve", "reject", "return"]), steps["action"] == "comment"],
        ["approve", "consult"],
        "do",
    )
    steps.loc[_leads(steps, known), "role"] = "lead"
    most = steps.groupby("service_id")["ends"].transform("max")
    steps["is_final"] = (steps["ends"] == most) & (steps["ends"] > 0)
    names = names_of(steps["activity"])
    return pd.concat(
        [
            steps[["service_id", "step_no"]],
            names,
            steps[["unit_id", "role", "is_final", "activity"]],
        ],
        axis=1,
    )


def _most_frequent(rows: pd.DataFrame, by: list[str], column: str) -> pd.Series:
    counts = rows.groupby([*by, column]).size().rename("n").reset_index()
    counts = counts.sort_values([*by, "n", column], ascending=[True, True, False, True])
    return counts.drop_duplicates(by).set_index(by)[column]


def _numbered(steps: pd.DataFrame, known: pd.DataFrame | None) -> pd.Series:
    """Numbers from 1; a step that the study knows by name keeps its number, a new one comes after."""
    number = steps.groupby("service_id").cumcount() + 1
    if known is None:
        return number
    old = step_numbers(known)
    have = pd.Series(
        [old.get(k) for k in zip(steps["service_id"], steps["activity"])], dtype="Int64"
    )
    top = known.groupby("service_id")["step_no"].max()
    fresh = have.isna().groupby(steps["service_id"]).cumsum()
    offset = steps["service_id"].map(top).fillna(0).astype("int64")
    return have.fillna(offset + fresh).astype("int64")


def step_numbers(steps: pd.DataFrame) -> dict[tuple[str, str], int]:
    """(service, name) → number, by either name."""
    out: dict[tuple[str, str], int] = {}
    for column in ("name_en", "name_zh"):
        if column in steps:
            named = steps[steps[column].notna()]
            out |= {
                (str(s), str(n)): int(k)
                for s, n, k in zip(named["service_id"], named[column], named["step_no"])
            }
    return out


def _leads(steps: pd.DataFrame, known: pd.DataFrame | None) -> pd.Index:
    """Per service the busiest working step, the later one of two; none where the study has one."""
    asks = steps["asks"] | steps["action"].isin(["submit", "resubmit", "withdraw", "comment"])
    busy = steps.assign(asks=asks).sort_values(
        ["service_id", "asks", "n", "place", "step_no"], ascending=[True, True, False, False, True]
    )
    leads = busy.drop_duplicates("service_id")
    if known is not None:
        leads = leads[~leads["service_id"].isin(known["service_id"][known["role"] == "lead"])]
    return leads.index
