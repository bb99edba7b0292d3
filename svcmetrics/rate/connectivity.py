"""Whether the raters of a plan link its targets, so that severe and lenient raters can be told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import links
from svcmetrics.rate._plan import forms, read_plan, waves
from svcmetrics.result import Finding, Result, estimates

_NAMES = 8
# Below this, rater effects cost more than half of the information of the plan.
_LOW_EFFICIENCY = 0.5


@metric(
    better="higher",
    low=0,
    source="Cochran & Cox (1957), Experimental Designs, ch. 9 and 11; John & Williams (1995), Cyclic Designs, ch. 2",
    drawing="own",
)
def connectivity(
    plan: pd.DataFrame,
    *,
    rater: str = "rater_key",
    target: str = "target_id",
    wave: str | None = "wave",
) -> Result:
    """Can all departments of the plan be compared with one another, and how firmly?

    ``plan``: one row per form asked for. ``rater``, ``target``, ``wave``: its columns
    (``wave=None``: one wave).

    Returns per wave: "subsets", groups of departments without a common rater between them (1 is
    needed: between subsets nothing can be compared); "bridges", raters on whom alone a comparison
    hangs (0 is wanted); "algebraic", the algebraic connectivity of the information matrix (0 =
    apart); "efficiency", the share of information that is left when differences between raters
    have to be estimated too (1 = every rater rates every department). ``n``: forms.

    It misleads when read as yes or no: one rater between two halves makes them "connected", with
    huge errors. ``rate.precision`` shows the errors. What comes back may be less than planned.

    Source: information matrix R - N'K⁻¹N and average efficiency factor as in John & Williams.

    >>> import pandas as pd
    >>> plan = pd.DataFrame({"wave": 1, "rater_key": [1, 1, 2, 2, 3, 3],
    ...                      "target_id": ["a", "b", "b", "c", "a", "c"]})
    >>> connectivity(plan).table["estimate"].round(3).tolist()
    [1.0, 0.0, 1.5, 0.75]
    """
    rows, dropped = read_plan(plan, rater, target, wave=wave)
    parts: list[pd.DataFrame] = []
    found: list[Finding] = []
    subsets: dict[str, list[list[str]]] = {}
    for names, part in waves(rows, wave):
        counts, targets = forms(part, rater, target)
        name = str(names[wave]) if wave else None
        groups, bridging, table = _wave(names, counts)
        own = [[str(targets[i]) for i in np.flatnonzero(groups == g)] for g in np.unique(groups)]
        hang = sorted({str(targets[i]) for i in counts[bridging].indices}) if len(bridging) else []
        found += _findings(name, own, hang, table["estimate"].tolist())
        parts.append(table)
        subsets[name or ""] = own
    empty = estimates("connectivity", groups={wave: []} if wave else {}, variant=[], n=[])
    table = pd.concat(parts) if len(rows) else empty
    about: dict[str, Any] = {
        "dropped": dropped,
        "subsets": subsets,
        "shown": "efficiency",
        "axis": [0.0, 1.0],
    }
    return Result("connectivity", table, [*_reading(table, subsets), *found], about)


def _wave(names: dict[str, object], counts: Any) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    c = links.information(counts)
    groups, bridging = links.components(c), links.bridges(counts)
    values = links.eigenvalues(c)[1:]  # the first is 0: the common level
    whole = groups.max(initial=0) == 0 and len(values) > 0
    total, targets = float(counts.sum()), c.shape[0]
    efficiency = len(values) / float((1 / values).sum()) / (total / targets) if whole else np.nan
    numbers = [groups.max(initial=-1) + 1, len(bridging), values[0] if whole else 0.0, efficiency]
    table = estimates(
        "connectivity",
        groups=names,
        variant=["subsets", "bridges", "algebraic", "efficiency"],
        estimate=[float(v) for v in numbers],
        n=int(total),
    )
    return groups, bridging, table


def _reading(table: pd.DataFrame, subsets: dict[str, list[list[str]]]) -> list[Finding]:
    """One sentence on all waves that hang together; the others get one each."""
    if table.empty:
        return [Finding("load.empty", {}, "refused")]
    linked = [own for own in subsets.values() if len(own) == 1]
    if not linked:
        return []
    least = table.loc[table["variant"] == "efficiency", "estimate"].min()
    values = {"waves": len(linked), "targets": max(len(own[0]) for own in linked)}
    return [Finding("connectivity.linked", {**values, "efficiency": 100 * float(least)})]


def _findings(
    wave: str | None, subsets: list[list[str]], hang: list[str], numbers: list[float]
) -> list[Finding]:
    sizes = sorted(subsets, key=len)
    values: dict[str, object]
    values = {"wave": wave, "subsets": len(subsets), "names": _some(sizes[0])}
    if len(subsets) > 1:
        return [Finding("connectivity.apart", values, "refused")]
    _subsets, bridging, _algebraic, efficiency = numbers
    found = []
    if bridging:
        values = {"wave": wave, "count": int(bridging), "names": _some(hang)}
        found.append(Finding("connectivity.bridges", values, "warning"))
    if efficiency < _LOW_EFFICIENCY:
        values = {"wave": wave, "lost": 100 * (1 - efficiency)}
        found.append(Finding("connectivity.inefficient", values, "warning"))
    return found


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= _NAMES else [*names[:_NAMES], "…"]
