"""Regression of counts on the log scale with over-dispersion (quasi-Poisson). Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """Coefficients, their covariance without over-dispersion, and the over-dispersion itself."""

    beta: Array
    covariance: Array
    dispersion: float  # Pearson chi-square per degree of freedom
    df: int
    fitted: Array


def poisson(y: Array, x: Array, offset: Array, steps: int = 100) -> Fit:
    """Maximum likelihood by iteratively reweighted least squares (McCullagh & Nelder 1989, ch. 6)."""
    mu: Array = np.maximum(y, 0.5)
    eta: Array = np.log(mu)
    beta: Array = np.zeros(x.shape[1])
    for _ in range(steps):
        z = eta - offset + (y - mu) / mu
        root = np.sqrt(mu)
        new: Array = np.asarray(
            np.linalg.lstsq(x * root[:, None], z * root, rcond=None)[0], np.float64
        )
        done = np.abs(new - beta).max() < 1e-12 * (1 + np.abs(new).max())
        beta, eta = new, x @ new + offset
        mu = np.exp(eta)
        if done:
            break
    covariance = np.linalg.inv((x * mu[:, None]).T @ x)
    df = len(y) - x.shape[1]
    chi2 = float((((y - mu) ** 2) / mu).sum())
    return Fit(
        beta, np.asarray(covariance, np.float64), chi2 / df if df > 0 else float("nan"), df, mu
    )


def autocorrelated(fit: Fit, y: Array, x: Array, lags: int) -> Array:
    """Covariance of the coefficients that allows neighbouring errors to hang together.

    Newey & West (1987) with Bartlett weights and a small-sample factor n / (n - p).
    """
    score = x * (y - fit.fitted)[:, None]
    meat = score.T @ score
    for lag in range(1, lags + 1):
        cross = score[lag:].T @ score[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    n = len(y)
    return np.asarray(fit.covariance @ meat @ fit.covariance * n / max(n - x.shape[1], 1))


def harmonics(position: Array, period: float, pairs: int) -> Array:
    """Sine and cosine pairs of a season of this length."""
    angle = 2 * np.pi * position[:, None] * np.arange(1, pairs + 1) / period
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
