"""Observed against expected counts, with ratios drawn to the common mean as far as they are noisy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def gamma_prior(observed: Floats, expected: Floats) -> tuple[float, float]:
    """Shape and rate of the gamma law of the ratios, by maximum likelihood.

    Observed counts are Poisson with mean ratio × expected (Clayton and Kaldor 1987); marginally
    negative binomial. An infinite shape means that the ratios do not differ beyond chance.
    """
    mean = float(observed.sum() / expected.sum())
    grid = np.linspace(np.log(1e-2), np.log(1e6), 400)
    place = int(np.argmax([_likelihood(np.exp(g), mean, observed, expected) for g in grid]))
    if place == len(grid) - 1:  # the larger the better, without end
        return float("inf"), float("inf")
    low, high = grid[place] - 0.1, grid[place] + 0.1
    for _ in range(60):  # golden section
        a, b = high - 0.618034 * (high - low), low + 0.618034 * (high - low)
        fa, fb = (_likelihood(np.exp(g), mean, observed, expected) for g in (a, b))
        low, high = (low, b) if fa > fb else (a, high)
    shape = float(np.exp((low + high) / 2))
    return shape, shape / mean


def shrunken(
    observed: Floats, expected: Floats, shape: float, rate: float, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Posterior mean of each ratio and its equal-tailed limits."""
    if not np.isfinite(shape):
        mean = float(observed.sum() / expected.sum())
        same = np.full(observed.shape, mean)
        return same, same, same
    a, b = observed + shape, expected + rate
    tail = (1 - level) / 2
    return a / b, special.gammaincinv(a, tail) / b, special.gammaincinv(a, 1 - tail) / b


def _likelihood(shape: float, mean: float, observed: Floats, expected: Floats) -> float:
    rate = shape / mean
    # log Γ(o + a) - log Γ(a) as a difference of large numbers loses its digits: use the beta.
    with np.errstate(divide="ignore"):
        ratio = np.where(
            observed > 0,
            special.gammaln(np.maximum(observed, 1))
            - special.betaln(np.maximum(observed, 1), shape),
            0.0,
        )
    return float(
        (ratio - shape * np.log1p(expected / rate) - observed * np.log(expected + rate)).sum()
    )
