"""Emergencies and special requests that come back so regularly that they could be routine services."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.design.recurring import CaseFacts, case_facts
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.numeric.summaries import quantile
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require

# What makes a candidate; the docstring argues each of them, and a caller may set others.
NEEDED = {"cases": 12.0, "months": 0.5, "quartile_ratio": 4.0, "path": 0.5, "common_steps": 0.7}
# A step is common when it occurs in this share of the finished cases.
_COMMON = 0.8
# Fewer finished cases than this say nothing about duration or path.
_LEAST = 6
# Candidates with a sentence of their own.
_NAMED = 4


@metric(
    better="neither",
    low=0,
    source="This package, methods section 1 (emergency to routine); house fact 7 of the log",
    drawing="criteria_met",
    behind="work",
)
def promote(
    events: Any,
    *,
    services: pd.DataFrame,
    by: str = "service_id",
    needed: dict[str, float] | None = None,
    timezone: str = "Asia/Shanghai",
) -> Result:
    """Which emergencies and special requests recur so steadily that they could become routine?

    ``events``: the ``event`` table. ``services``: the catalogue; its ``routine`` says which are
    nonroutine or emergency. ``by``: what counts as one kind of request: ``service_id`` or another
    column of the events, such as ``reason_code`` of the submission. ``needed``: other thresholds
    than those below. ``timezone``: the clock of stamps without an offset.

    Returns per kind one row per criterion (``variant``) with its number, its limits, ``needed``
    and ``met``, so that each verdict can be checked by hand. Chance alone must not make a
    candidate: but for the count, which is what it is, the whole interval has to clear the threshold.

    - ``cases``: at least 12, once a month over a year; quartiles of 12 cases or fewer have no upper
      limit anyway (Garwood limits shown);
    - ``months``: share of the months of the log with a case, surely 0.5 or more: what comes in fewer
      is a season or a single cause, and nobody can be kept ready for it (Wilson);
    - ``quartile_ratio``: upper over lower quartile of the duration, surely 4 or less: a promise that
      three in four can keep is then no more than four times the time of the quick ones, and still
      says something (order statistics);
    - ``path``: share of finished cases on the most frequent path, surely 0.5 or more: most cases
      could follow one written instruction (Wilson);
    - ``common_steps``: mean share of a case's steps that occur in 80% of cases, surely 0.7 or more:
      what differs is a detail of the same work (Student);
    - ``criteria``: the share that is met. A candidate meets all; near ones miss one.

    The thresholds are conventions, not estimates: settle them before looking, with ``needed``.

    It misleads when the kinds are coarse: a catalogue with one line "emergency" has no path of its
    own. A candidate is for a decision: emergencies that recur may be better prevented.

    >>> days = pd.date_range("2024-01-05", periods=14, freq="14D")
    >>> log = pd.DataFrame({"case_id": [f"c{k}" for k in range(14)] * 2, "seq": [1] * 14 + [2] * 14,
    ...     "service_id": "leak", "action": ["submit"] * 14 + ["close"] * 14, "step_no": [None] * 14 + [1] * 14,
    ...     "at": [*days, *(days + pd.Timedelta(hours=5))]})
    >>> book = pd.DataFrame({"service_id": ["leak"], "routine": ["emergency"]})
    >>> table = promote(log, services=book).table
    >>> table[["variant", "estimate", "met"]].values.tolist()[0]
    ['cases', 14.0, True]
    """
    require(services, "service_id", "routine")
    limits = NEEDED | (needed or {})
    facts = case_facts(events, services, by, timezone)
    parts = [_rows(kind, rows, facts, by, limits) for kind, rows in facts.cases.groupby("kind")]
    table = pd.concat(parts) if parts else _nothing(by)
    about = {
        "needed": limits,
        "months": facts.months,
        "open_cases": int(facts.cases["hours"].isna().sum()),
        "dropped": facts.dropped,
        "method": "declared thresholds, each cleared by the whole interval",
    }
    return Result("promote", table, _findings(table, by), about)


def _rows(
    kind: object, rows: pd.DataFrame, facts: CaseFacts, by: str, needed: dict[str, float]
) -> pd.DataFrame:
    done = rows[rows["hours"].notna()]
    enough = len(done) >= _LEAST
    months, path = (
        rows["month"].nunique(),
        int(done["path"].value_counts().max()) if len(done) else 0,
    )
    values = {
        "cases": (float(len(rows)), *_pair(intervals.garwood(len(rows))), len(rows)),
        "months": _share(months, facts.months),
        "quartile_ratio": (*_spread(done["hours"].to_numpy()), len(done))
        if enough
        else _unknown(done),
        "path": _share(path, len(done)) if enough else _unknown(done),
        "common_steps": _common(done["path"]) if enough else _unknown(done),
    }
    met = {k: _is_met(k, values[k], needed[k]) for k in values}
    values["criteria"] = (float(np.mean(list(met.values()))), np.nan, np.nan, len(rows))
    met["criteria"] = all(met.values())
    return estimates(
        "promote",
        groups={by: [kind] * len(values)},
        variant=list(values),
        **{n: [v[i] for v in values.values()] for i, n in enumerate(("estimate", "low", "high", "n"))},
        needed=[needed.get(k, 1.0) for k in values],
        met=list(met.values()),
        routine=rows["routine"].iloc[0],
    )  # fmt: skip


def _is_met(criterion: str, value: tuple[float, ...], needed: float) -> bool:
    """Whether the number surely clears its threshold; a limit that is not known does not."""
    estimate, low, high = value[:3]
    if criterion == "cases":
        return bool(estimate >= needed)
    return bool(high <= needed if criterion == "quartile_ratio" else low >= needed)


def _share(part: int, whole: int) -> tuple[float, float, float, int]:
    share = part / whole if whole else np.nan
    return (share, *_pair(intervals.wilson(part, whole)), whole)


def _spread(hours: np.ndarray) -> tuple[float, float, float]:
    """Upper over lower quartile; the limits combine those of the two quartiles and are cautious."""
    lower, upper = (quantile(np.sort(hours), q) for q in (0.25, 0.75))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.array([upper[0], upper[1], upper[2]]) / [lower[0], lower[2], lower[1]]
    return float(values[0]), float(np.maximum(values[1], 1.0)), float(values[2])


def _common(paths: pd.Series) -> tuple[float, float, float, int]:
    """Mean share of a case's steps that are common to the cases of its kind, with Student's limits."""
    steps = paths.str.split().explode().dropna()
    if steps.empty:
        return np.nan, np.nan, np.nan, len(paths)
    each = steps.reset_index().drop_duplicates()
    each.columns = ["case", "step"]
    usual = each["step"].value_counts() / len(paths) >= _COMMON
    share = each["step"].map(usual).groupby(each["case"]).mean().to_numpy(dtype=float)
    middle, spread = float(share.mean()), float(share.std(ddof=1)) if len(share) > 1 else np.nan
    half = 1.96 * spread / np.sqrt(len(share))
    return middle, max(middle - half, 0.0), min(middle + half, 1.0), len(share)


def _unknown(done: pd.DataFrame) -> tuple[float, float, float, int]:
    return np.nan, np.nan, np.nan, len(done)


def _pair(limits: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    return float(limits[0]), float(limits[1])


def _nothing(by: str) -> pd.DataFrame:
    return estimates("promote", groups={by: []}, variant=[], n=[], needed=[], met=[], routine=[])


def _findings(table: pd.DataFrame, by: str) -> list[Finding]:
    if table.empty:
        return [Finding("promote.none", {}, "refused")]
    wide = table[table["variant"] != "criteria"].pivot(index=by, columns="variant", values="met")
    missed = (~wide.astype(bool)).sum(axis=1)
    out = [Finding("promote.overall", {"kinds": len(wide), "candidates": int((missed == 0).sum())})]
    numbers = table.pivot(index=by, columns="variant", values="estimate")
    found = numbers.loc[missed.index[missed == 0]].sort_values(
        "cases", ascending=False, kind="stable"
    )
    for kind, row in found.head(_NAMED).iterrows():
        values = {str(k): float(v) for k, v in row.drop("criteria").items()}
        out.append(Finding("promote.candidate", {"kind": kind, **values}))
    if len(found) > _NAMED:
        out.append(Finding("promote.more", {"kinds": found.index[_NAMED:].astype("str").tolist()}))
    if len(found):
        out.append(Finding("promote.advice"))
    near = [str(k) for k in missed.index[missed == 1]]
    if near:
        out.append(Finding("promote.near", {"kinds": near}))
    thin = [str(k) for k in numbers.index[numbers["path"].isna()]]
    if thin:
        out.append(Finding("promote.few", {"kinds": thin, "least": _LEAST}, "refused"))
    return out
