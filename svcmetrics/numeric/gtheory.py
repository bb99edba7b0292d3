"""How much of each variance component ends up in the mean of a target, and in a comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from svcmetrics.numeric.mixed_collapse import Array, Codes


@dataclass(frozen=True)
class Shares:
    """Weights of the components: in the universe score, in the absolute and the relative error."""

    universe: Array
    absolute: Array
    relative: Array


def spread_of_means(target: Codes, term: Codes) -> tuple[float, float]:
    """Share of a component in the variance of a target's mean, and in that of a comparison.

    With w the share of each level in a target's ratings: mean over targets of Σ w², and the same
    less the mean over pairs of Σ w w'. Complete designs give 1/n and, for what all targets share,
    0; for incomplete ones this is the q of Putka, Le, McCloy & Diaz (2008, J Appl Psychol 93).
    """
    from scipy import sparse

    k = int(target.max()) + 1
    share = 1.0 / np.bincount(target)[target]
    w = sparse.csr_array((share, (target, term)), shape=(k, int(term.max()) + 1))
    own = float((w.multiply(w)).sum())
    column = np.asarray(w.sum(axis=0)).ravel()
    between = (float(column @ column) - own) / (k * (k - 1)) if k > 1 else 0.0
    apart = own / k - between
    # In a complete design the two are equal but for rounding: all targets share the component.
    return own / k, apart if apart > 1e-12 * own / k else 0.0


def ratio(shares: Shares, components: Array, error: str) -> Array:
    """Φ (``error`` "absolute") or Eρ² ("relative"), for one or many rows of components."""
    universe = components @ shares.universe
    noise = components @ getattr(shares, error)
    whole = universe + noise
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, universe / whole, np.nan))


def ratio_interval(
    shares: Shares, components: Array, covariance: Array, error: str, level: float
) -> tuple[float, float]:
    """Delta-method interval of a coefficient on the logit scale."""
    noise = getattr(shares, error)
    a, b = float(components @ shares.universe), float(components @ noise)
    if a <= 0 or b <= 0:
        return float("nan"), float("nan")
    slope = shares.universe / a - noise / b
    half = float(ndtri((1 + level) / 2) * np.sqrt(max(float(slope @ covariance @ slope), 0.0)))
    centre = np.log(a / b)
    return float(1 / (1 + np.exp(half - centre))), float(1 / (1 + np.exp(-half - centre)))


def error_interval(
    weights: Array, components: Array, covariance: Array, level: float
) -> tuple[float, float]:
    """Delta-method interval of a standard error of measurement on the log scale."""
    variance = float(components @ weights)
    if variance <= 0:
        return float("nan"), float("nan")
    error = float(np.sqrt(max(float(weights @ covariance @ weights), 0.0))) / variance / 2
    half = float(ndtri((1 + level) / 2)) * error
    return float(np.sqrt(variance) * np.exp(-half)), float(np.sqrt(variance) * np.exp(half))
