"""Who answers for the delay of cases that several departments worked on, under four rules."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.measure.catalogue import attributes
from svcmetrics.measure.delays import Delays, delays, step_promises
from svcmetrics.measure.group_names import group_names
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.rules import RULES
from svcmetrics.measure.shared_delay import shared
from svcmetrics.metric import metric
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require

# A share that moves by less than this between rules is not spoken of.
_MOVES = 0.05
_NAMED = 5


@metric(
    better="lower",
    low=0,
    high=1,
    source="Shapley 1953; Littlechild and Owen 1973, Management Science 20; house rules, methods section 10",
    drawing="by_rule",
)
def responsibility(
    events: Any,
    *,
    services: pd.DataFrame,
    steps: pd.DataFrame,
    calendar: pd.DataFrame | None = None,
    by: By = "unit_id",
    after: str | None = None,
    timezone: str = "Asia/Shanghai",
) -> Result:
    """Whose share of the delay is it, and does the answer depend on the rule?

    ``events``: the ``event`` table, or the table that ``passages`` made of it. ``services``: promise
    (hours) and clock. ``steps``: department, hours (``promise_h``) and ``role_weight`` of each step.
    ``calendar``: office hours. ``by``: columns of the steps (``unit_id, service_id, step_no,
    case_id, month``) or of the catalogue. ``after``: a column of ``steps`` that lists the numbers of
    the steps that must be done first ("1 2"; empty: starts at once); None: one after another.

    The delay of a finished case is its time beyond the promise, without what waited for the
    requester; the delay of an open case is not complete and waits. Four rules (``variant``) share
    the same hours: ``own``, in proportion to the hours that each step ran over its own promise;
    ``role``, to the role weights of those who took part; ``equal``, the same for each department
    that took part (joint liability); ``shapley``, the mean over all orders of what each overrun adds
    to the delay of the critical path. Emergencies have variants of their own.

    Comes back per group and rule: its share of the whole delay with a 95% interval over cases,
    ``hours``, ``n`` late cases in which it took part, and ``moves``, how far the share lies apart
    between rules. Over all groups the hours of each rule add up to the delay.

    It misleads where steps have no hours of their own: they are then filled from the whole promise
    by role weight. With ``after``, work that is done over counts for the step that is done over.
    It says what the log shows, not why: a step may run over for want of staff.

    Source: Shapley (1953), Contributions to the Theory of Games II, 307–317; Littlechild and Owen
    (1973), Management Science 20, 370–372.

    >>> log = pd.DataFrame({"case_id": "a", "seq": [1, 2, 3], "service_id": "s", "step_no": [None, 1, 2],
    ...     "action": ["submit", "deliver", "deliver"],
    ...     "at": ["2024-09-02 08:00", "2024-09-02 12:00", "2024-09-02 18:00"]})
    >>> book = pd.DataFrame({"service_id": ["s"], "promise_h": [6], "clock": ["calendar"]})
    >>> plan = pd.DataFrame({"service_id": "s", "step_no": [1, 2], "unit_id": ["HR", "IT"],
    ...     "promise_h": [3, 3], "role_weight": [0.6, 0.4], "is_final": [False, True]})
    >>> out = responsibility(log, services=book, steps=plan).table
    >>> out.pivot(index="unit_id", columns="variant", values="hours").loc["HR"].round(2).to_dict()
    {'equal': 2.0, 'own': 1.0, 'role': 2.4, 'shapley': 1.0}
    """
    require(services, "service_id", "promise_h")
    require(steps, after)
    late = delays(events, services=services, steps=steps, calendar=calendar, timezone=timezone)
    promises = step_promises(steps, services)
    if after is not None:
        promises["after"] = steps[after].to_numpy()
    rows = shared(late, promises, after)
    names = columns_of(by)
    table = _table(_grouped(rows, late.cases, names, services), late, names, _rules(steps))
    about = {
        "method": "ratio of sums over cases; hours of a case shared completely by each rule",
        "level": 0.95,
        "late_cases": len(late.cases),
        "judged_cases": late.judged,
        "dropped": {k: n for k, n in late.dropped.items() if n},
        "steps": "network" if after is not None else "one after another",
    }
    return Result("responsibility", table, _findings(table, late, rows, names), about)


def _rules(steps: pd.DataFrame) -> tuple[str, ...]:
    """The rules that can be applied: without role weights there is none by role."""
    known = "role_weight" in steps and bool(steps["role_weight"].notna().any())
    return tuple(r for r in RULES if known or r != "role")


def _grouped(
    rows: pd.DataFrame, cases: pd.DataFrame, names: list[str], services: pd.DataFrame
) -> pd.DataFrame:
    """Hours per case and group, with the delay of the case and whether it is an emergency."""
    known = cases.rename_axis("case").reset_index()[
        ["case", "case_id", "month", "is_emergency", "delay_h"]
    ]
    rows = rows.merge(known, on="case", how="left")
    further = [c for c in names if c not in rows]
    if further:
        rows = rows.merge(attributes(services, further), on="service_id", how="left")
    keys = list(dict.fromkeys([*names, "case", "is_emergency"]))
    return rows.groupby(keys, as_index=False, dropna=False)[list(RULES)].sum()


def _table(
    groups: pd.DataFrame, late: Delays, names: list[str], applied: tuple[str, ...]
) -> pd.DataFrame:
    parts = [
        _of_rule(groups[groups["is_emergency"] == urgent], late, names, rule, urgent=urgent)
        for urgent in (False, True)
        for rule in applied
        if urgent in set(groups["is_emergency"])
    ]
    if not parts:
        return estimates(
            "responsibility", groups={c: [] for c in names}, variant=[], n=[], hours=[], moves=[]
        )
    table = pd.concat(parts, ignore_index=True)
    kind = table["variant"].str.startswith("emergency_")
    spread = table.assign(kind=kind).groupby(["kind", *names], dropna=False)["estimate"]
    table["moves"] = spread.transform("max") - spread.transform("min")
    return table


def _of_rule(
    groups: pd.DataFrame, late: Delays, names: list[str], rule: str, *, urgent: bool
) -> pd.DataFrame:
    delay = late.cases.loc[late.cases["is_emergency"] == urgent, "shared_h"]
    delay = delay[delay > 0]
    whole, cases = float(delay.sum()), len(delay)
    x = groups.assign(
        d=late.cases["shared_h"].reindex(groups["case"]).to_numpy(), hours=groups[rule], n=1
    )
    x = x.assign(xx=x["hours"] ** 2, xd=x["hours"] * x["d"])
    sums = (
        x.groupby(names, dropna=False)[["hours", "xx", "xd", "n"]].sum()
        if names
        else x[["hours", "xx", "xd", "n"]].sum().to_frame().T
    )
    sums = sums.reset_index(drop=not names)
    share = sums["hours"].to_numpy() / whole
    # Ratio of sums over cases: the residual of a case is its hours less the share of its delay.
    square = sums["xx"] - 2 * share * sums["xd"] + share**2 * float((delay**2).sum())
    low, high = _limits(share, square.to_numpy(), whole, cases)
    return estimates(
        "responsibility",
        groups={c: sums[c].to_numpy() for c in names},
        variant=f"emergency_{rule}" if urgent else rule,
        estimate=share,
        low=low,
        high=high,
        n=sums["n"].astype(int).to_numpy(),
        hours=sums["hours"].to_numpy(),
    )


def _limits(
    share: np.ndarray, square: np.ndarray, whole: float, cases: int
) -> tuple[np.ndarray, np.ndarray]:
    """95% limits of a share on the logit scale; all or nothing has the limit of as many cases."""
    if cases < 2:
        return np.full_like(share, np.nan), np.full_like(share, np.nan)
    t = float(special.stdtrit(cases - 1, 0.975))
    se = np.sqrt(np.maximum(square, 0) * cases / (cases - 1)) / whole
    inside = (share > 1e-12) & (share < 1 - 1e-12)
    safe = np.where(inside, share, 0.5)
    half = t * se / (safe * (1 - safe))
    rest = 0.025 ** (1 / cases)
    low, high = special.expit(special.logit(safe) - half), special.expit(special.logit(safe) + half)
    low = np.where(inside, low, np.where(share < 0.5, 0.0, rest))
    return low, np.where(inside, high, np.where(share < 0.5, 1 - rest, 1.0))


def _findings(
    table: pd.DataFrame, late: Delays, rows: pd.DataFrame, names: list[str]
) -> list[Finding]:
    regular = late.cases[~late.cases["is_emergency"].astype(bool)]
    hours = float(regular["shared_h"].sum())
    odd = [
        Finding(f"log.{k}", {"count": late.dropped[k]}, "warning")
        for k in ("no_start", "negative")
        if k in late.dropped
    ]
    if not hours:
        key = "none" if late.judged else "none_judged"
        return [Finding(f"responsibility.{key}", {"judged": late.judged}, "refused"), *odd]
    values = {"late": len(regular), "judged": late.judged, "hours": hours}
    out = [Finding("responsibility.overall", values), *_compared(table, names)]
    outside = float(regular["delay_h"].sum()) - hours
    if outside > 0.01 * (hours + outside):
        share = outside / (hours + outside)
        out.append(Finding("responsibility.outside", {"share": share}, "warning"))
    if "role" not in set(table["variant"]):
        out.append(Finding("responsibility.no_roles", {}, "refused"))
    waiting = late.dropped.get("open", 0)
    if waiting:
        out.append(Finding("responsibility.open", {"count": waiting}))
    filled = rows.loc[rows["filled"].fillna(True).astype(bool), "service_id"].nunique()
    if filled:
        out.append(Finding("responsibility.filled", {"count": filled}, "warning"))
    return out + odd


def _compared(table: pd.DataFrame, names: list[str]) -> list[Finding]:
    """How far the rules lie apart, and for whom."""
    regular = table[table["variant"].isin(RULES)]
    if not names:
        return []
    wide = regular.assign(label=group_names(regular, names)).pivot_table(
        index="label", columns="variant", values="estimate", aggfunc="sum"
    )
    moved = max(0.5 * float((wide[a] - wide[b]).abs().sum()) for a, b in combinations(wide, 2))
    out = [
        Finding(
            "responsibility.moved", {"share": moved}, "warning" if moved > 2 * _MOVES else "note"
        )
    ]
    first = sorted(set(wide.idxmax()))
    key = "first_same" if len(first) == 1 else "first_differs"
    out.append(Finding(f"responsibility.{key}", {"groups": first}))
    apart = (wide.max(axis=1) - wide.min(axis=1)).sort_values(ascending=False, kind="stable")
    for name in apart[apart > _MOVES].index[:_NAMED]:
        shares = {r: float(wide.loc[name, r]) if r in wide else float("nan") for r in RULES}
        out.append(Finding("responsibility.unit", {"group": name, **shares}))
    return out
