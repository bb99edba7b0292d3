"""Go, extend or stop: the evidence of a pilot against criteria that were written before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require, unique

Criteria = Mapping[str, Mapping[str, float]]
_BOUNDS = ("at_least", "at_most")


@metric(
    better="neither",
    source="pre-set criteria for pilots: Eldridge et al. (2016), CONSORT extension, BMJ 355, i5239, item 6c",
    drawing="gate",
)
def gate(
    evidence: pd.DataFrame,
    *,
    criteria: Criteria,
    before: Criteria | None = None,
    since: str = "",
    measure: str = "metric",
    value: Sequence[str] = ("estimate", "low", "high"),
    n: str = "n",
) -> Result:
    """Does the evidence of the pilot meet the criteria that were written before it?

    ``evidence``: one row per measure, such as results put together with ``pd.concat``.
    ``measure``: column of its name. ``value``: columns of the estimate and its 95% limits, ``n``:
    column of the sample size. ``criteria``: {measure: {"at_least": 0.8}} or {"at_most": …}, in
    the unit of the measure; take ``study.settings.criteria``. ``before``: the criteria as they
    stood when the pilot began, to show that none was changed afterwards. ``since``: the day from
    which ``before`` is on record, when that is after the pilot began: it is said then, and earlier
    changes stay possible.

    Returns one row per criterion, ``variant`` saying "pass" (the whole interval meets it), "fail"
    (the whole interval misses it) or "not_yet" (the interval straddles the limit, or there is no
    interval or no evidence), with the limits and the ``margin`` to the nearer one (positive is
    good; in shares of the limit). The last row, ``gate_passed``, holds the share of criteria
    passed, and as its variant "go" (all pass), "stop" (one fails) or "extend".

    It misleads when criteria only concern the outcome: put the measurement itself on trial too
    (reliability, formality, burden, response). Criteria changed after the start are labelled, and
    then there is no "go". Until all pass, results are for improving the scheme, not for reward.

    >>> import pandas as pd
    >>> found = pd.DataFrame({"metric": ["on_time", "response"], "estimate": [0.86, 0.72],
    ...                       "low": [0.81, 0.66], "high": [0.90, 0.78], "n": [212, 220]})
    >>> rules = {"on_time": {"at_least": 0.8}, "response": {"at_least": 0.7}}
    >>> gate(found, criteria=rules, before=rules).table["variant"].tolist()
    ['pass', 'not_yet', 'extend']
    """
    rules = _rules(criteria)
    rows = _evidence(evidence, measure, list(value), n).reindex(list(rules.index))
    margins = _margins(rows, rules)
    verdict = _verdicts(margins)
    changed = None if before is None else _changed(rules, _rules(before))
    overall = _overall(verdict, changed)
    name = "measure" if measure == "metric" else measure
    table = estimates(
        "gate",
        groups={name: [*rules.index, ""]},
        variant=[*verdict, overall],
        estimate=[*rows["estimate"], float(np.mean(verdict == "pass"))],
        low=[*rows["low"], np.nan],
        high=[*rows["high"], np.nan],
        n=[*rows["n"].fillna(0), len(rules)],
        **{b: [*rules[b], np.nan] for b in _BOUNDS},
        **{c: [*margins[c], np.nan] for c in margins.columns},
    )
    table["metric"] = ["gate"] * len(rules) + ["gate_passed"]
    about = {
        "dropped": {"no_criterion": int((~evidence[measure].isin(rules.index)).sum())},
        "verdict": overall,
        "changed": changed,
        "on_record_since": since,
        "criteria": {k: dict(v) for k, v in criteria.items()},
    }
    return Result("gate", table, _findings(table, name, overall, changed, since), about)


def _rules(criteria: Criteria) -> pd.DataFrame:
    """At least and at most per measure; a criterion that says neither is an error."""
    bad = [str(k) for k, v in criteria.items() if not v or set(v) - set(_BOUNDS)]
    if bad or not criteria:
        raise table_error("criteria_unusable", names=bad)
    rows = {str(k): {b: float(v.get(b, np.nan)) for b in _BOUNDS} for k, v in criteria.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(_BOUNDS)).sort_index()


def _evidence(evidence: pd.DataFrame, measure: str, value: list[str], n: str) -> pd.DataFrame:
    require(evidence, measure, *value)
    if len(value) != 3:
        raise table_error("uncertainty_columns", found=value)
    rows = evidence.reset_index(drop=True)
    rows = rows[rows[measure].notna()]
    unique(rows, measure)
    columns = {k: numbers(rows, c).to_numpy() for k, c in zip(("estimate", "low", "high"), value)}
    count = numbers(rows, n).to_numpy() if n in rows.columns else np.nan
    out = pd.DataFrame({**columns, "n": count}, index=rows[measure].astype(str))
    # Without an estimate there is no evidence, whatever the other columns hold.
    out[out["estimate"].isna()] = np.nan
    return out


def _margins(rows: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Distance to the nearer limit, positive on the good side, in shares of the limit."""
    least, most = (rules[b].to_numpy() for b in _BOUNDS)
    unit = [np.where((b == 0) | np.isnan(b), 1.0, np.abs(b)) for b in (least, most)]

    def to_limits(x: np.ndarray) -> np.ndarray:
        return np.fmin((x - least) / unit[0], (most - x) / unit[1])

    low, high, middle = (rows[c].to_numpy() for c in ("low", "high", "estimate"))
    ends = np.array([to_limits(low), to_limits(high)])
    # Between two limits the best point of the interval may lie inside it.
    peak = to_limits(np.clip((least * unit[1] + most * unit[0]) / (unit[0] + unit[1]), low, high))
    return pd.DataFrame(
        {
            "margin": to_limits(middle),
            "margin_low": ends.min(axis=0),
            "margin_high": np.fmax(ends.max(axis=0), peak),
        }
    )


def _verdicts(margins: pd.DataFrame) -> np.ndarray:
    low, high = margins["margin_low"].to_numpy(), margins["margin_high"].to_numpy()
    return np.where(low >= 0, "pass", np.where(high < 0, "fail", "not_yet"))


def _changed(rules: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """Measures whose criterion was added, dropped or altered after the start."""
    both = rules.index.intersection(before.index)
    moved = [m for m in both if not rules.loc[m].equals(before.loc[m])]
    return sorted({*moved, *rules.index.symmetric_difference(before.index)})


def _overall(verdict: np.ndarray, changed: list[str] | None) -> str:
    if (verdict == "fail").any():
        return "stop"
    return "go" if (verdict == "pass").all() and not changed else "extend"


def _findings(
    table: pd.DataFrame, name: str, overall: str, changed: list[str] | None, since: str
) -> list[Finding]:
    rows = table[table["metric"] == "gate"]
    named = {v: rows.loc[rows["variant"] == v, name].tolist() for v in ("pass", "fail", "not_yet")}
    counts = {"passed": len(named["pass"]), "criteria": len(rows)}
    found = [Finding(f"gate.{overall}", counts)]
    if named["fail"]:
        found.append(Finding("gate.failed", {"names": named["fail"]}, "warning"))
    bare = rows["estimate"].isna() | rows["low"].isna() | rows["high"].isna()
    open_ = [v for v in named["not_yet"] if v not in set(rows.loc[bare, name])]
    if open_:
        found.append(Finding("gate.open", {"names": open_}))
    if bare.any():
        found.append(
            Finding("gate.no_evidence", {"names": rows.loc[bare, name].tolist()}, "warning")
        )
    if changed:
        found.append(Finding("gate.changed", {"names": changed}, "warning"))
    elif changed is None:
        found.append(Finding("gate.undated", {}, "warning"))
    elif since:
        found.append(Finding("gate.dated_late", {"date": since}, "warning"))
    if overall != "go" or changed is None or since:
        found.append(Finding("gate.not_for_reward", {}, "warning"))
    return found
