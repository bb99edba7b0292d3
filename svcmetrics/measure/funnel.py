"""Funnel limits: which groups differ from the whole by more than their size allows."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require, unique

Kind = Literal["share", "rate"]
# Spiegelhalter (2005): the tenth most extreme at either end are drawn in before spread is judged.
_WINSOR = 0.1


@metric(
    better="neither",
    low=0,
    source="Spiegelhalter 2005, Statistics in Medicine 24",
    drawing="funnel_limits",
)
def funnel(
    counts: pd.DataFrame,
    *,
    group: str,
    count: str,
    size: str,
    kind: Kind = "share",
    target: float | None = None,
) -> Result:
    """Which departments differ from the whole by more than chance and their size allow?

    ``counts``: one row per group. ``count``: column of hits (late cases, returns); ``size``: column
    of trials or exposure. ``kind``: "share" – hits of trials; "rate" – hits per exposure.
    ``target``: what all are compared with (default: the whole).

    Comes back per group: its share or rate (Wilson or Garwood limits), ``target``, ``z``, the
    limits of the funnel at its size (``lower_95, upper_95, lower_998, upper_998``) and ``verdict``:
    within, notable (beyond 95%) or clear (beyond 99.8%). When all groups vary more than chance
    allows, the limits are widened by the variance between them (random effects), and it is said.

    It misleads when groups do different things: compare shares of like processes, or see
    ``standardised``. It is no ranking.

    Source: Spiegelhalter (2005), Statistics in Medicine 24, 1185–1202.

    >>> t = pd.DataFrame({"unit": list("ABCDE"), "late": [9, 11, 10, 8, 25], "cases": 100})
    >>> funnel(t, group="unit", count="late", size="cases", target=0.1).table["verdict"].tolist()
    ['within', 'within', 'within', 'within', 'clear']
    """
    table, dropped = _checked(counts, group, count, size, kind)
    x, n = table[count].to_numpy(dtype=float), table[size].to_numpy(dtype=float)
    aim = target if target is not None else float(x.sum() / n.sum()) if n.sum() else float("nan")
    se = np.sqrt(aim * (1 - aim) / n) if kind == "share" else np.sqrt(aim / n)
    phi, tau2 = _overdispersion(x, n, aim, se, kind)
    wide = np.sqrt(se**2 + tau2)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(wide > 0, (x / n - aim) / wide, np.nan)
    low, high = (intervals.wilson if kind == "share" else intervals.garwood)(x, n)
    out = estimates(
        "funnel",
        groups={group: table[group].to_numpy()},
        variant=kind,
        estimate=x / n,
        low=low,
        high=high,
        n=n,
        target=aim,
        z=z,
        **_limits(aim, wide, 1.0 if kind == "share" else np.inf),
        verdict=_verdicts(z),
    )
    about = {
        "method": "Spiegelhalter, random effects",
        "phi": phi,
        "tau2": tau2,
        "dropped": dropped,
    }
    return Result("funnel", out, _findings(out, group, phi, tau2), about)


def _checked(
    counts: pd.DataFrame, group: str, count: str, size: str, kind: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    require(counts, group, count, size)
    unique(counts, group)
    if kind not in ("share", "rate"):
        raise table_error("unknown_word", unknown=[kind], known=["share", "rate"])
    table = counts[[group, count, size]].copy()
    table[count], table[size] = numbers(counts, count), numbers(counts, size)
    whole = table[count].notna() & (table[size] > 0) & table[group].notna()
    wrong = whole & ((table[count] < 0) | (kind == "share") & (table[count] > table[size]))
    if wrong.any():
        raise table_error("count_impossible", column=count, rows=np.flatnonzero(wrong), chart=kind)
    table = table[whole].sort_values(group, kind="stable")
    return table, {"no_count_or_size": int((~whole).sum())} if not whole.all() else {}


def _overdispersion(
    x: np.ndarray, n: np.ndarray, aim: float, se: np.ndarray, kind: str
) -> tuple[float, float]:
    """How much more the groups vary than chance allows, and the variance between them."""
    if len(x) < 3 or not aim > 0:
        return 1.0, 0.0
    if kind == "share":  # the arcsine root has the same variance everywhere
        z = 2 * np.sqrt(n) * (np.arcsin(np.sqrt(x / n)) - np.arcsin(np.sqrt(aim)))
    else:
        z = 2 * (np.sqrt(x) - np.sqrt(aim * n))
    low, high = np.quantile(z, [_WINSOR, 1 - _WINSOR])
    phi = float(np.mean(np.clip(z, low, high) ** 2))
    weight = 1 / se**2
    spare = weight.sum() - (weight**2).sum() / weight.sum()
    excess = len(x) * phi - (len(x) - 1)
    return phi, float(excess / spare) if excess > 0 and spare > 0 and phi > 1 else 0.0


def _limits(aim: float, wide: np.ndarray, top: float) -> dict[str, np.ndarray]:
    out = {}
    for name, level in (("95", 0.95), ("998", 0.998)):
        reach = special.ndtri(0.5 + level / 2) * wide
        out[f"lower_{name}"] = np.maximum(aim - reach, 0.0)
        out[f"upper_{name}"] = np.minimum(aim + reach, top)
    return out


def _verdicts(z: np.ndarray) -> np.ndarray:
    notable, clear = special.ndtri(0.975), special.ndtri(0.999)
    size = np.abs(z)
    return np.where(size > clear, "clear", np.where(size > notable, "notable", "within"))


def _findings(out: pd.DataFrame, group: str, phi: float, tau2: float) -> list[Finding]:
    if out.empty:
        return [Finding("funnel.none", {}, "refused")]
    far = out[out["verdict"] == "clear"]
    values = {"target": float(out["target"].iloc[0]), "groups": len(out)}
    found = [Finding("funnel.none_clear", values)]
    if len(far):
        found = [Finding("funnel.clear", {**values, "names": far[group].astype(str).tolist()})]
    if tau2 > 0:
        found.append(Finding("funnel.overdispersed", {"phi": phi}, "warning"))
    if len(out) < 3:
        found.append(Finding("funnel.few", {"groups": len(out)}, "warning"))
    return found
