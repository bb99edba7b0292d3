"""Observed against expected: departments with different work on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.group_names import group_names
from svcmetrics.measure.inputs import Cases, net, promised, read_cases
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals, shrinkage
from svcmetrics.result import Finding, Result, estimates


@metric(
    better="lower",
    low=0,
    source="Breslow and Day 1987, section 2.3; Clayton and Kaldor 1987, Biometrics 43",
    drawing="series",
)
def standardised(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame | None = None,
    calendar: pd.DataFrame | None = None,
    by: str = "provider_id",
    mix: Sequence[str] = ("output_form",),
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How many cases were late or returned, against what such a mix of work would lead one to expect?

    Arguments as in ``on_time``. ``mix``: columns of the cases or the catalogue that say what kind
    of work it is (form of output, relation, month); expected is what all groups together have in
    work of that kind.

    Comes back per group: observed/expected of ``late`` and ``returned`` cases (Garwood limits; 1 =
    as expected), and the same ``…_shrunk``: drawn towards 1 as far as a small group is noisy
    (gamma–Poisson, posterior limits), with ``observed``, ``expected_cases`` and ``own_work`` (share of its
    cases in kinds of work that no other group does).

    It misleads where a kind of work belongs to one group alone: there expected is its own result,
    and the ratio is 1 by construction. The mix then says nothing; ``own_work`` shows it.

    Source: Breslow and Day (1987), Statistical Methods in Cancer Research II, 2.3; Clayton and
    Kaldor (1987), Biometrics 43, 671–681.

    >>> at = pd.to_datetime(["2024-09-02 09:00"] * 4)
    >>> log = pd.DataFrame({"case_id": list("abcd"), "service_id": ["s", "s", "t", "t"], "at": at})
    >>> end = log["at"] + pd.to_timedelta([1, 9, 1, 1], unit="h")
    >>> log = pd.concat([log.assign(seq=1, action="submit"), log.assign(seq=2, action="close", at=end)])
    >>> book = pd.DataFrame({"service_id": ["s", "t"], "provider_id": ["HR", "IT"], "promise_h": [4, 4],
    ...     "clock": "calendar", "output_form": "table"})
    >>> out = standardised(log, services=book).table
    >>> out.loc[out["variant"] == "late", "estimate"].tolist()
    [2.0, 0.0]
    """
    cases = read_cases(
        events, services=services, steps=steps, calendar=calendar, timezone=timezone, by=by
    )
    frame = _outcomes(cases, services, list(mix))
    parts = [_compared(frame, by, list(mix), outcome) for outcome in ("late", "returned")]
    table = pd.concat(parts)
    total = int(engine.row(cases.table.aggregate(n=cases.table.count()))["n"])
    left = total - len(frame)
    about = {
        "method": "indirect standardisation; Garwood; gamma–Poisson",
        "level": 0.95,
        "drawn": ["late_shrunk", "late"],
        "unit": "ratio_expected",
        "line": 1,
        "mix": list(mix),
        "dropped": cases.dropped | ({"not_judged": left} if left else {}),
    }
    return Result("standardised", table, _findings(table, by, cases), about)


def _outcomes(cases: Cases, services: pd.DataFrame, mix: list[str]) -> pd.DataFrame:
    """Ordinary cases that can be judged: group, kind of work, late or not, returned or not."""
    t = cases.table
    further = [c for c in mix if c not in t.columns]
    if further:
        t = joined(t, engine.small(attributes(services, further)), "service_id")
    late = net(t) > t["promise_us"]
    finished = t["status"].isin(("closed", "rejected"))
    judged = promised(t) & net(t).notnull() & ~t["is_emergency"]
    kept = t.filter(judged & (finished | ((t["status"] == "open") & late)))
    return engine.frame(
        kept.select(
            *dict.fromkeys([*cases.by, *mix]),
            late=(net(kept) > kept["promise_us"]).cast("int64"),
            returned=(kept["n_returns"] > 0).cast("int64"),
        )
    )


def _compared(frame: pd.DataFrame, by: str, mix: list[str], outcome: str) -> pd.DataFrame:
    if frame.empty:
        return estimates("standardised", variant=outcome, n=0)
    kind = frame.groupby(mix, dropna=False).ngroup() if mix else pd.Series(0, index=frame.index)
    usual = frame.groupby(kind)[outcome].transform("mean")
    member = frame.groupby(by, dropna=False).ngroup()  # a group without a name is one, too
    groups = member.groupby(kind).transform("nunique")
    work = pd.DataFrame(
        {by: frame[by], "observed": frame[outcome], "expected": usual, "alone": groups == 1, "n": 1}
    )
    t = work.groupby(by, dropna=False).agg(
        observed=("observed", "sum"),
        expected=("expected", "sum"),
        alone=("alone", "mean"),
        n=("n", "sum"),
    )
    observed, expected = t["observed"].to_numpy(dtype=float), t["expected"].to_numpy(dtype=float)
    low, high = intervals.garwood(observed, expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = observed / expected  # where nothing is expected, nothing was seen
    rows = [(outcome, plain, low, high)]
    if (expected > 0).all() and observed.sum() > 0:
        prior = shrinkage.gamma_prior(observed, expected)
        rows.append((f"{outcome}_shrunk", *shrinkage.shrunken(observed, expected, *prior)))
    extras = {c: t[c].to_numpy() for c in ("n", "observed")}
    extras |= {"expected_cases": expected, "own_work": t["alone"].to_numpy()}
    parts = [
        estimates(
            "standardised",
            groups={by: t.index.to_numpy()},
            variant=v,
            estimate=e,
            low=lo,
            high=hi,
            **extras,
        )
        for v, e, lo, hi in rows
    ]
    return pd.concat(parts)


def _findings(table: pd.DataFrame, by: str, cases: Cases) -> list[Finding]:
    late = table[(table["variant"] == "late") & table["estimate"].notna()]
    if late.empty or by not in late:
        return [Finding("standardised.none", {}, "refused"), *cases.findings()]
    out = []
    for key, rows in (
        ("standardised.above", late[late["low"] > 1]),
        ("standardised.below", late[late["high"] < 1]),
    ):
        if len(rows):
            out.append(Finding(key, {"groups": group_names(rows, [by])}))
    if not out:
        out.append(Finding("standardised.alike", {"groups": len(late)}))
    alone = late[late["own_work"] > 0.5]
    if len(alone):
        out.append(Finding("standardised.alone", {"groups": group_names(alone, [by])}, "warning"))
    return out + cases.findings()
