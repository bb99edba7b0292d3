"""Funnel limits: which groups differ from the whole by more than their size allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import funnel as limits
from svcmetrics.numeric import intervals
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require, unique

Kind = Literal["share", "rate"]
Spread = Literal["between", "factor", "none"]
# Two-sided probabilities beyond the limits of 95% and of 99.8%; share of false signals among those named.
_NOTABLE, _CLEAR, _FALSE = 0.05, 0.002, 0.05
# Sizes at which the limits are drawn.
_CURVE = 120


@metric(
    better="neither",
    low=0,
    source="Spiegelhalter 2005, Statistics in Medicine 24; Benjamini and Hochberg 1995, JRSS B 57",
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
    spread: Spread = "between",
) -> Result:
    """Which departments differ from the whole by more than chance and their size allow?

    ``counts``: one row per group. ``count``: column of hits (late cases, returns); ``size``: column
    of trials or exposure. ``kind``: "share" – hits of trials; "rate" – hits per exposure.
    ``target``: what all are compared with (default: the whole). ``spread``: how the limits allow for
    groups that all vary more than chance: "between" adds the variance between groups (random
    effects), "factor" multiplies the variance by φ, "none" leaves exact limits.

    Comes back per group: its share or rate (Wilson or Garwood limits), ``target``, ``z``, the limits
    of the funnel at its size (``lower_95, upper_95, lower_998, upper_998``; exact binomial or
    Poisson, interpolated, unless they are widened), ``p``, ``p_adjusted`` over all groups (Benjamini
    and Hochberg) and ``verdict``: within, notable (beyond 95%) or clear (beyond 99.8%, and among at
    most 5% false signals). φ is the mean square of z-scores, winsorised at 10%; limits are widened
    only when it exceeds 1.

    It misleads when groups do different things: compare shares of like processes, or see
    ``standardised``. It is no ranking.

    Source: Spiegelhalter (2005), Statistics in Medicine 24, 1185–1202.

    >>> t = pd.DataFrame({"unit": list("ABCDE"), "late": [9, 11, 10, 8, 25], "cases": 100})
    >>> funnel(t, group="unit", count="late", size="cases", target=0.1).table["verdict"].tolist()
    ['within', 'within', 'within', 'within', 'clear']
    """
    table, dropped = _checked(counts, (group, count, size), kind, spread)
    _check_target(target, kind)
    x, n = table[count].to_numpy(dtype=float), table[size].to_numpy(dtype=float)
    aim = target if target is not None else float(x.sum() / n.sum()) if n.sum() else float("nan")
    shape = _shape(x, n, aim, kind, spread)
    wide = shape.width(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(wide > 0, (x / n - aim) / wide, np.nan)
    p = 2 * special.ndtr(-np.abs(z)) if shape.widened else _exact_p(x, n, aim, kind)
    adjusted = benjamini_hochberg(p)
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
        **shape.limits(n),
        p=p,
        p_adjusted=adjusted,
        verdict=_verdicts(p, adjusted),
    )
    about = shape.about(n) | {"dropped": dropped}
    return Result("funnel", out, _findings(out, group, shape), about)


@dataclass(frozen=True)
class _Shape:
    """How wide the funnel is at a size: chance times ``stretch``, plus ``tau2`` between groups."""

    aim: float
    kind: str
    phi: float
    tau2: float
    stretch: float

    @property
    def widened(self) -> bool:
        return self.tau2 > 0 or self.stretch > 1

    def width(self, n: np.ndarray) -> np.ndarray:
        return np.sqrt(self.stretch * _standard_error(n, self.aim, self.kind) ** 2 + self.tau2)

    def about(self, n: np.ndarray) -> dict[str, object]:
        """How the limits were made, and the limits along all sizes for the drawing."""
        way = "between" if self.tau2 > 0 else "factor" if self.widened else "exact"
        values = {"method": f"Spiegelhalter, {way}", "phi": self.phi, "tau2": self.tau2}
        return values | {"curve": _curve(n, self)}

    def limits(self, n: np.ndarray) -> dict[str, np.ndarray]:
        """Limits of 95% and 99.8% at these sizes."""
        out = {}
        exact = limits.exact_share if self.kind == "share" else limits.exact_rate
        for name, tail in (("95", _NOTABLE / 2), ("998", _CLEAR / 2)):
            if self.widened:
                reach = special.ndtri(1 - tail) * self.width(n)
                low, high = np.maximum(self.aim - reach, 0.0), self.aim + reach
            else:
                low, high = exact(n, self.aim, tail), exact(n, self.aim, 1 - tail)
            out[f"lower_{name}"] = low
            out[f"upper_{name}"] = np.minimum(high, 1.0) if self.kind == "share" else high
        return out


def _shape(x: np.ndarray, n: np.ndarray, aim: float, kind: str, spread: str) -> _Shape:
    """Widened only where all groups together vary more than chance."""
    varies = aim > 0 and (kind == "rate" or aim < 1)
    phi = limits.factor(_stable_z(x, n, aim, kind)) if varies else 1.0
    if phi <= 1:
        return _Shape(aim, kind, phi, 0.0, 1.0)
    tau2 = limits.between(phi, _standard_error(n, aim, kind)) if spread == "between" else 0.0
    return _Shape(aim, kind, phi, tau2, phi if spread == "factor" else 1.0)


def _curve(n: np.ndarray, shape: _Shape) -> dict[str, list[float]]:
    """The limits along all sizes, for the drawing."""
    if not len(n):
        return {}
    sizes = np.geomspace(n.min(), n.max(), _CURVE)
    sizes = np.round(sizes) if shape.kind == "share" else sizes
    return {"n": sizes.tolist()} | {k: v.tolist() for k, v in shape.limits(sizes).items()}


def _checked(
    counts: pd.DataFrame, names: tuple[str, str, str], kind: str, spread: str
) -> tuple[pd.DataFrame, dict[str, int]]:
    group, count, size = names
    require(counts, *names)
    unique(counts, group)
    if kind not in ("share", "rate"):
        raise table_error("unknown_word", unknown=[kind], known=["share", "rate"])
    if spread not in ("between", "factor", "none"):
        raise table_error("unknown_word", unknown=[spread], known=["between", "factor", "none"])
    table = counts[[group, count, size]].copy()
    table[count], table[size] = numbers(counts, count), numbers(counts, size)
    whole = table[count].notna() & (table[size] > 0) & table[group].notna()
    wrong = whole & ((table[count] < 0) | (kind == "share") & (table[count] > table[size]))
    if wrong.any():
        raise table_error("count_impossible", column=count, rows=np.flatnonzero(wrong), chart=kind)
    table = table[whole].sort_values(group, kind="stable")
    return table, {"no_count_or_size": int((~whole).sum())} if not whole.all() else {}


def _check_target(target: float | None, kind: str) -> None:
    if target is not None and not 0 <= target <= (1 if kind == "share" else np.inf):
        raise table_error("target_out_of_range", found=target)


def _standard_error(n: np.ndarray, aim: float, kind: str) -> np.ndarray:
    return np.sqrt(aim * (1 - aim) / n) if kind == "share" else np.sqrt(aim / n)


def _stable_z(x: np.ndarray, n: np.ndarray, aim: float, kind: str) -> np.ndarray:
    """z-scores on the scale on which the variance is the same everywhere."""
    if kind == "share":
        return 2 * np.sqrt(n) * (np.arcsin(np.sqrt(x / n)) - np.arcsin(np.sqrt(aim)))
    return 2 * (np.sqrt(x) - np.sqrt(aim * n))


def _exact_p(x: np.ndarray, n: np.ndarray, aim: float, kind: str) -> np.ndarray:
    return (limits.p_share if kind == "share" else limits.p_rate)(x, n, aim)


def _verdicts(p: np.ndarray, adjusted: np.ndarray) -> np.ndarray:
    clear = (p < _CLEAR) & (adjusted < _FALSE)
    return np.where(clear, "clear", np.where(p < _NOTABLE, "notable", "within"))


def _findings(out: pd.DataFrame, group: str, shape: _Shape) -> list[Finding]:
    if out.empty:
        return [Finding("funnel.none", {}, "refused")]
    far = out[out["verdict"] == "clear"]
    values = {"target": float(out["target"].iloc[0]), "groups": len(out)}
    found = [Finding("funnel.none_clear", values)]
    if len(far):
        found = [Finding("funnel.clear", {**values, "names": far[group].astype(str).tolist()})]
    near = out.loc[out["verdict"] == "notable", group].astype(str).tolist()
    if near:
        found.append(Finding("funnel.notable", {"names": near}))
    if shape.widened:
        found.append(Finding("funnel.overdispersed", {"phi": shape.phi}, "warning"))
    if len(out) < 3:
        found.append(Finding("funnel.few", {"groups": len(out)}, "warning"))
    return found
