"""Chance-corrected agreement on categories, with missing ratings, on arrays.

Every coefficient is a function of sums over units. So one function serves the estimate (the
sums), the resamples of a bootstrap (resampled sums) and the standard error (its derivative in
the direction of each unit, by a complex step: exact, no formula per coefficient).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COEFFICIENTS = (
    "raw_agreement", "gwet", "krippendorff", "krippendorff_weighted", "fleiss", "conger",
    "brennan_prediger", "cohen",
)  # fmt: skip
# Units in one pass of the standard errors.
_ROWS = 50_000


class Units(NamedTuple):
    """Sums per unit (rows) in named blocks of columns, and what the coefficients need to know."""

    stats: Floats
    blocks: dict[str, slice]
    weights: Floats
    metric: str
    values: Floats
    raters: int


def weight_matrix(values: Floats, kind: str) -> Floats:
    """Agreement weights between categories: 1 on the diagonal, less with distance.

    "ordinal" are Gwet's (2014, Section 3.5): one minus the share of category pairs spanned.
    """
    q = len(values)
    if kind == "nominal" or q < 2:
        return np.eye(q)
    a, b = values[:, None], values[None, :]
    if kind == "linear":
        return np.asarray(1 - np.abs(a - b) / np.ptp(values))
    if kind == "quadratic":
        return np.asarray(1 - ((a - b) / np.ptp(values)) ** 2)
    if kind == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.where(a == b, 0.0, ((a - b) / (a + b)) ** 2)
        return np.asarray(1 - apart / apart.max())
    span = np.abs(np.arange(q)[:, None] - np.arange(q)[None, :]) + 1
    return np.asarray(1 - span * (span - 1) / (q * (q - 1)))


def coefficients(sums: Any, units: Units) -> Any:
    """All coefficients (last axis, see ``COEFFICIENTS``) from sums over units of any shape."""
    s = {name: sums[..., where] for name, where in units.blocks.items()}
    w, q = units.weights, len(units.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = s["agree"][..., 0] / s["divisor"][..., 0]
        whole = s["twice"][..., 0] / s["divisor"][..., 0]
        share = s["shares"] / s["units"]
        unknown = np.full_like(observed, np.nan)
        spread = (share * (1 - share)).sum(axis=-1)
        even = w.sum() / (q * max(q - 1, 1))
        out = [
            observed,
            _corrected(observed, even * spread, whole),
            _krippendorff(s["paired"], s["coincidence"], s["twice"][..., 0], units),
            _krippendorff_weighted(s["paired"], s["matched"][..., 0], s["twice"][..., 0], w),
            _corrected(observed, _between(share, share, w), whole),
            _corrected(observed, _conger(s, units), whole),
            _corrected(observed, w.sum() / q**2, whole),
            _cohen(s, units, unknown),
        ]
    return np.stack(out, axis=-1)


def category_kappas(units: Units) -> Floats:
    """Fleiss's kappa of each category against all others (Fleiss 1971, Formula 14)."""
    counts, m = (
        units.stats[:, units.blocks["paired"]],
        units.stats[:, units.blocks["paired"]].sum(1),
    )
    twice = m >= 2
    counts, m = counts[twice], m[twice][:, None]
    share = (units.stats[:, units.blocks["shares"]]).mean(axis=0)
    apart = (counts * (m - counts) / (m * (m - 1))).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            np.where((share > 0) & (share < 1), 1 - apart / (share * (1 - share)), np.nan)
        )


def fleiss_z(units: Units) -> float:
    """Fleiss's kappa over its standard error when agreement is by chance (Fleiss, Nee & Landis 1979)."""
    m = units.stats[:, units.blocks["paired"]].sum(axis=1)
    if len(set(m)) != 1 or m[0] < 2:
        return float("nan")
    p = units.stats[:, units.blocks["shares"]].mean(axis=0)
    spread = float((p * (1 - p)).sum())
    if spread <= 0:
        return float("nan")
    inner = spread**2 - float((p * (1 - p) * (1 - 2 * p)).sum())
    error = np.sqrt(2 * inner / (len(m) * m[0] * (m[0] - 1))) / spread
    kappa = coefficients(units.stats.sum(axis=0), units)[COEFFICIENTS.index("fleiss")]
    return float(kappa / error)


def cohen_z(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Cohen's kappa of two raters over its error when agreement is by chance (Fleiss, Cohen and
    Everitt 1969); categories by their positions."""
    size, n = int(max(first.max(initial=0), second.max(initial=0))) + 1, len(first)
    one, two = (np.bincount(v, minlength=size) / max(n, 1) for v in (first, second))
    chance = float(one @ two)
    spread = chance + chance**2 - float((one * two * (one + two)).sum())
    if spread <= 0:  # one rating, one category, or none in common
        return float("nan")
    return float((np.mean(first == second) - chance) / np.sqrt(spread / n))


def standard_errors(units: Units) -> Floats:
    """Linearised standard errors over units: n/(n − 1) Σ (derivative along a unit)².

    As Gwet (2014, Sections 5.3 and 6.5) and irrCAC: units with one rating count as units with no
    agreement, except for Krippendorff's alpha, which leaves them out.
    """
    n, paired = len(units.stats), units.stats[:, units.blocks["twice"]].sum()
    step, total, squares = 1e-30, units.stats.sum(axis=0), np.zeros(len(COEFFICIENTS))
    for start in range(0, n, _ROWS):
        direction = units.stats[start : start + _ROWS].copy()
        direction[:, units.blocks["divisor"]] = paired / n
        along = coefficients(total + 1j * step * direction, units).imag / step
        squares += (along**2).sum(axis=0)
    size = np.array([paired if "kripp" in name else n for name in COEFFICIENTS])
    return np.asarray(np.sqrt(size / np.maximum(size - 1, 1) * squares))


def _corrected(observed: Any, chance: Any, whole: Any = 1.0) -> Any:
    rest = 1 - chance
    return (observed - chance * whole) / np.where(np.abs(rest) < 1e-12, np.nan, rest)


def _between(a: Any, b: Any, w: Floats) -> Any:
    return ((a @ w) * b).sum(axis=-1)


def _krippendorff(n: Any, disagreement: Any, twice: Any, units: Units) -> Any:
    """One minus observed over expected disagreement, by Krippendorff's own metric."""
    total = n.sum(axis=-1)
    if units.metric == "ordinal":
        below = np.cumsum(n, axis=-1) - n / 2
        q = len(units.values)
        one, two = np.triu_indices(q, 1)
        apart = (below[..., one] - below[..., two]) ** 2
        observed = 2 * (disagreement * apart).sum(axis=-1)
        expected = 2 * (n[..., one] * n[..., two] * apart).sum(axis=-1)
    else:
        observed = disagreement[..., 0]
        expected = _between(n, n, distances(units.values, units.metric))
    return _alpha(observed, expected, total, twice)


def _alpha(observed: Any, expected: Any, total: Any, units: Any) -> Any:
    """One minus the ratio of disagreements, with Krippendorff's correction for small samples.

    The standard error leaves the correction out of the ratio but keeps it in what a unit with
    more ratings than others weighs: the form that irrCAC 1.0 computes.
    """
    n = np.real(total)
    share = observed / total
    share = share + np.real(share) / n * (total / n - units / np.real(units))
    none = np.abs(expected) < 1e-12
    small = 1.0 if np.iscomplexobj(total) else 1 - 1 / n
    return 1 - small * share * total**2 / np.where(none, np.nan, expected)


def distances(values: Floats, kind: str) -> Floats:
    """Krippendorff's squared distances between categories."""
    a, b = values[:, None], values[None, :]
    if kind == "nominal":
        return np.asarray((a != b) * 1.0)
    if kind == "linear":
        return np.asarray(np.abs(a - b))
    if kind == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(a == b, 0.0, ((a - b) / (a + b)) ** 2))
    return np.asarray((a - b) ** 2)


def _krippendorff_weighted(n: Any, matched: Any, twice: Any, w: Floats) -> Any:
    """With agreement weights instead of a metric, as Gwet writes it."""
    total = n.sum(axis=-1)
    return _alpha(total - matched, total**2 - _between(n, n, w), total, twice)


def _conger(s: dict[str, Any], units: Units) -> Any:
    """Chance agreement of two different raters, each with shares of its own (Conger 1980)."""
    if "chance" in s:
        return s["chance"][..., 0] / s["units"][..., 0]
    by_rater = s["by_rater"]
    table = by_rater.reshape(*by_rater.shape[:-1], units.raters, len(units.values))
    rated = table.sum(axis=-1)
    used = np.abs(rated) > 0.5
    share = np.where(used[..., None], table / np.where(used, rated, 1)[..., None], 0)
    total, r = share.sum(axis=-2), used.sum(axis=-1)
    own = ((share @ units.weights) * share).sum(axis=(-2, -1))
    return (_between(total, total, units.weights) - own) / (r * (r - 1))


def _cohen(s: dict[str, Any], units: Units, unknown: Any) -> Any:
    """Mean over the pairs of raters of Cohen's (weighted) kappa; one pair: Cohen's kappa."""
    q = len(units.values)
    if "kappa" in s:
        return s["kappa"][..., 0] / s["units"][..., 0]
    if "pairs_whole" in s:  # everybody rated every unit: the categories are those of the raters
        agree, both = s["pairs_whole"], s["units"]
        table = s["by_rater"].reshape(*agree.shape[:-1], units.raters, q)
        first, second = np.triu_indices(units.raters, 1)
        one, two = table[..., first, :], table[..., second, :]
    elif "pairs" in s:
        table = s["pairs"].reshape(*s["pairs"].shape[:-1], -1, 2 + 2 * q)
        both = np.where(np.abs(table[..., 0]) < 0.5, np.nan, table[..., 0])
        agree, one, two = table[..., 1], table[..., 2 : 2 + q], table[..., 2 + q :]
    else:
        return unknown
    one, two = one / both[..., None], two / both[..., None]
    kappa = _corrected(agree / both, _between(one, two, units.weights))
    known = ~np.isnan(kappa)
    count = known.sum(axis=-1)
    return np.where(known, kappa, 0).sum(axis=-1) / np.where(count > 0, count, np.nan)
