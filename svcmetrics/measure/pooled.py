"""One number for a department over many services and steps, and how much it hangs on the weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require, unique

# By cases; by cases and role; each service alike and, within it, by role.
WAYS = ("by_volume", "by_role", "by_service")
_Z = float(special.ndtri(0.975))
# Services disagree when their variation beyond chance takes this share of all variation.
_APART = 0.5
_NAMED = 6


@metric(
    better="neither",
    source="Zou and Donner 2008, Statistics in Medicine 27 (limits); Higgins and Thompson 2002, 21 (I2)",
    drawing="by_rule",
)
def pooled(
    results: pd.DataFrame,
    *,
    steps: pd.DataFrame,
    unit: str = "unit_id",
    service: str = "service_id",
    value: str = "estimate",
    volume: str = "n",
    uncertainty: tuple[str, str] = ("low", "high"),
) -> Result:
    """How does a department do over all its services and steps, and do the weights decide it?

    ``results``: one row per service, per department and service, or per department, service and
    ``step_no``, such as ``returns(…, by=["unit_id", "service_id", "step_no"]).table``; only numbers that
    compare across services (shares, rates, ratios to the promise), never raw hours. ``steps``: the
    ``step`` table with ``role_weight``. ``unit``, ``service``: columns; without the column ``unit`` the
    number of a service is charged to all departments of its steps. ``value``: the number;
    ``volume``: cases behind it; ``uncertainty``: columns of its interval.

    Comes back per department in three variants: ``by_volume`` (weighted by cases), ``by_role`` (by
    cases times role weight) and ``by_service`` (each service alike, within it by role weight), with a
    95% interval that recovers the variance of each part from its own interval (Zou and Donner),
    ``n`` cases, ``services`` and ``parts`` pooled, ``apart`` (I²: the share of the variation between
    parts that chance does not explain) and ``largest`` (the largest weight of a single part).

    It misleads when ``apart`` is high: then the department is not one number, look at the parts. Rows
    without a number are left out, and their weight with them.

    Source: Zou and Donner (2008), Statistics in Medicine 27, 1693–1702; Higgins and Thompson (2002),
    21, 1539–1558.

    >>> parts = pd.DataFrame({"unit_id": "HR", "service_id": ["pay", "hire"], "estimate": [0.9, 0.6],
    ...     "low": [0.88, 0.5], "high": [0.92, 0.7], "n": [900, 100]})
    >>> plan = pd.DataFrame({"service_id": ["pay", "hire"], "step_no": 1, "unit_id": "HR",
    ...     "role_weight": [1.0, 1.0]})
    >>> pooled(parts, steps=plan).table.set_index("variant")["estimate"].round(2).to_dict()
    {'by_volume': 0.87, 'by_role': 0.87, 'by_service': 0.75}
    """
    require(results, service, value, volume, *uncertainty)
    require(steps, "service_id", "step_no", "unit_id", "role_weight")
    parts, dropped = _parts(results, steps, (unit, service), (value, volume, *uncertainty))
    rows = [_pooled(parts, weight, unit, way) for way, weight in _weights(parts).items()]
    table = pd.concat(rows)
    about = {
        "of": str(results["metric"].iloc[0]) if "metric" in results and len(results) else "",
        "method": "weighted mean of independent parts",
        "level": 0.95,
        "dropped": dropped,
    }
    return Result("pooled", table, _findings(table, unit), about)


def _parts(
    results: pd.DataFrame, steps: pd.DataFrame, ids: tuple[str, str], columns: tuple[str, ...]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows with a number and a role: unit, service, y, n, low, high, role."""
    unit, service = ids
    own = {unit: "unit", service: "service", "step_no": "step_no"}
    keys = [k for k in own if k in results]
    _one_number(results, keys)
    data = results[keys].rename(columns=own).reset_index(drop=True)
    plan = steps[["service_id", "step_no", "unit_id"]].rename(
        columns={"service_id": "service", "unit_id": "unit"}
    )
    plan["role"] = numbers(steps, "role_weight")
    for table in (data, plan):
        for key in table.columns.intersection(["unit", "service"]):
            table[key] = table[key].astype("str")
        if "step_no" in table:
            table["step_no"] = numbers(table, "step_no")
    for name, column in zip(("y", "n", "low", "high"), columns, strict=True):
        data[name] = numbers(results, column).to_numpy()
    none = data["y"].isna() | ~(data["n"] > 0)
    shared = [own[k] for k in keys]
    roles = plan.groupby(list(dict.fromkeys(["unit", *shared])), as_index=False)["role"].sum(
        min_count=1
    )
    data = data[~none].merge(roles, on=shared, how="left")
    unknown = data["role"].isna() | data["unit"].isna()
    dropped = {"no_number": int(none.sum()), "no_role": int(unknown.sum())}
    return data[~unknown].reset_index(drop=True), {k: n for k, n in dropped.items() if n}


def _one_number(results: pd.DataFrame, keys: list[str]) -> None:
    """Several variants or months of one part would be pooled as if they were parts."""
    unique(results, *keys)
    if "metric" in results and results["metric"].nunique() > 1:
        found = sorted(results["metric"].astype("str").unique())
        raise table_error("several_metrics", found=found)


def _weights(parts: pd.DataFrame) -> dict[str, pd.Series]:
    within = parts.groupby(["unit", "service"])["role"].transform("sum")
    alike = parts["role"] / within.where(within > 0)
    return dict(zip(WAYS, (parts["n"], parts["n"] * parts["role"], alike), strict=True))


def _pooled(parts: pd.DataFrame, weight: pd.Series, unit: str, way: str) -> pd.DataFrame:
    total = weight.groupby(parts["unit"]).transform("sum")
    share = (weight / total.where(total > 0)).fillna(0.0)
    rows = parts.assign(
        share=share,
        wy=share * parts["y"],
        below=(share * (parts["y"] - parts["low"])) ** 2,
        above=(share * (parts["high"] - parts["y"])) ** 2,
    )
    groups = rows.groupby("unit")
    sums = groups[["wy", "below", "above"]].sum(skipna=False)
    largest = groups["share"].max()
    y = sums["wy"].where(largest > 0)
    return estimates(
        "pooled",
        groups={unit: sums.index.to_numpy()},
        variant=way,
        estimate=y.to_numpy(),
        low=(y - np.sqrt(sums["below"])).to_numpy(),
        high=(y + np.sqrt(sums["above"])).to_numpy(),
        n=groups["n"].sum().to_numpy(),
        services=groups["service"].nunique().to_numpy(),
        parts=groups.size().to_numpy(),
        apart=_apart(parts).reindex(sums.index).to_numpy(),
        largest=largest.to_numpy(),
    )


def _apart(parts: pd.DataFrame) -> pd.Series:
    """I²: (Q - (k - 1)) / Q with inverse-variance weights; missing for a single part."""
    se = (parts["high"] - parts["low"]) / (2 * _Z)
    sure = parts[se > 0].assign(v=1 / se[se > 0] ** 2)
    sure["vy"] = sure["v"] * sure["y"]
    sums = sure.groupby("unit")[["v", "vy"]].transform("sum")
    q = (sure["v"] * (sure["y"] - sums["vy"] / sums["v"]) ** 2).groupby(sure["unit"]).sum()
    k = sure.groupby("unit").size()
    return ((q - (k - 1)) / q.where(q > 0)).clip(lower=0.0).fillna(0.0).where(k > 1)


def _findings(table: pd.DataFrame, unit: str) -> list[Finding]:
    wide = table.pivot(index=unit, columns="variant", values="estimate").reindex(columns=list(WAYS))
    if wide.dropna(how="all").empty:
        return [Finding("pooled.none", {}, "refused")]
    gap = (wide.max(axis=1) - wide.min(axis=1)).sort_values(ascending=False, kind="stable")
    found = [
        Finding(
            "pooled.overall", {"units": len(wide), "parts": int(table["parts"].sum() / len(WAYS))}
        )
    ]
    first = gap.index[0]
    if gap.iloc[0] > 0:
        values = {way: float(wide.loc[first, way]) for way in WAYS}
        found.append(Finding("pooled.moves", {"group": first, **values}))
    order = wide.rank(method="average")
    if (order.nunique(axis=1) > 1).any():
        moved = order.index[order.nunique(axis=1) > 1].astype("str").tolist()
        found.append(Finding("pooled.order", {"groups": moved[:_NAMED]}, "warning"))
    one = table[table["variant"] == WAYS[0]].set_index(unit)["apart"]
    apart = one.index[one > _APART].astype("str").tolist()
    if apart:
        found.append(Finding("pooled.apart", {"groups": apart[:_NAMED]}, "warning"))
    return found
