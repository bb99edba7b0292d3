"""Kendall's W with ties, for any number of weightings of the targets at once, on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def kendall_w(table: Floats, times: Floats | None = None) -> Floats:
    """W of a complete table (targets × raters), corrected for ties (Kendall 1970, ch. 6).

    ``times``: how often each target counts (resamples × targets); ranks are taken anew.
    """
    n, m = table.shape
    w = np.ones((1, n)) if times is None else times
    size = w.sum(axis=1)
    total = np.zeros_like(w)
    ties = np.zeros(len(w))
    for rater in table.T:
        _, place = np.unique(rater, return_inverse=True)
        order = np.argsort(place, kind="stable")
        edges = np.r_[np.flatnonzero(np.diff(place[order], prepend=-1)), n]
        upto = np.concatenate([np.zeros((len(w), 1)), np.cumsum(w[:, order], axis=1)], axis=1)[
            :, edges
        ]
        alike = np.diff(upto, axis=1)
        total += (upto[:, :-1] + (alike + 1) / 2)[:, np.ravel(place)]
        ties += (alike**3 - alike).sum(axis=1)
    middle = m * (size + 1) / 2
    spread = (w * (total - middle[:, None]) ** 2).sum(axis=1)
    largest = m**2 * (size**3 - size) - m * ties
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(largest > 1e-9, 12 * spread / largest, np.nan)


def chi_square(w: float, targets: int, raters: int) -> tuple[float, int, float]:
    """Friedman's chi-square, its degrees of freedom and p."""
    value, df = raters * (targets - 1) * w, targets - 1
    return value, df, float(special.chdtrc(df, value))
