"""Inference from the lot itself: what the difference would be had the lot fallen otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def shuffled(
    treated: NDArray[np.bool_], stratum: Whole, draws: int, rng: np.random.Generator
) -> Floats:
    """Draws × units: the same numbers treated in each stratum, drawn anew."""
    order = np.argsort(stratum, kind="stable")
    noise = rng.random((draws, len(treated))) + stratum[order]
    places = np.argsort(noise, axis=1, kind="stable")
    out = np.empty((draws, len(treated)))
    out[:, order] = np.take_along_axis(
        np.broadcast_to(treated[order].astype(float), noise.shape), places, axis=1
    )
    return out


def contrasts(lots: Floats, stratum: Whole, weight: Floats) -> Floats:
    """Rows that turn outcomes into the treated minus the untreated, stratum by stratum.

    A stratum counts by the precision of its difference; one with only one kind counts nothing.
    """
    size = int(stratum.max()) + 1
    inside = np.zeros((size, len(stratum)))
    inside[stratum, np.arange(len(stratum))] = weight
    ones = lots @ inside.T
    zeros = (1 - lots) @ inside.T
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where((ones > 0) & (zeros > 0), ones * zeros / (ones + zeros), 0.0)
        share = precision / precision.sum(axis=1, keepdims=True)
        up, down = (np.where(v > 0, share / v, 0.0)[:, stratum] for v in (ones, zeros))
    return np.asarray(weight * (lots * up - (1 - lots) * down))


def effect(
    outcome: Floats, treated: NDArray[np.bool_], stratum: Whole, weight: Floats,
    draws: int, rng: np.random.Generator,
) -> tuple[float, float, float, float]:  # fmt: skip
    """(difference, low, high, p): limits are the effects that the lots do not reject at 5%."""
    real = contrasts(treated[None].astype(float), stratum, weight)[0]
    if not np.isfinite(real).all() or not real.any():
        return (float("nan"),) * 4
    rows = contrasts(shuffled(treated, stratum, draws, rng), stratum, weight)
    seen = float(real @ outcome)
    # Under an effect of size e, a lot would give (rows @ (outcome - e·treated)): linear in e.
    base, lift = rows @ outcome, rows @ treated.astype(float)
    p = (1 + (np.abs(base) >= abs(seen) - 1e-12).sum()) / (1 + draws)
    # |seen − e| against |base − e·lift|: each lot rejects e beyond its own crossing.
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.stack([(seen - base) / (1 - lift), (seen + base) / (1 + lift)])
    below, above = crossings.min(axis=0), crossings.max(axis=0)
    below, above = below[np.isfinite(below)], above[np.isfinite(above)]
    if not (len(below) and len(above)):  # too few to draw lots from: no effect can be rejected
        return (float("nan"),) * 4
    low, high = np.quantile(below, 0.05), np.quantile(above, 0.95)
    return seen, float(min(low, seen)), float(max(high, seen)), float(p)
