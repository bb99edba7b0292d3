"""Which group stands out from the others: each is judged by groups that it is no part of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# With fewer other groups their own spread is unknown.
LEAST_OTHERS = 4
# Nodes for the spread of the others (log scale) and for their mean, where several are judged at once.
_SPREADS, _MEANS = 121, 9


class Against(NamedTuple):
    """Each group against what its others let expect."""

    expected: Floats
    t: Floats
    p: Floats  # one-sided: that high or higher
    together: Floats  # of those set apart: that as many groups all are as far away as this one


def deleted(estimate: Floats, variance: Floats, apart: Bools | None = None) -> Against:
    """Studentised deleted residuals of a random-effects mean (Viechtbauer & Cheung 2010, eq. 15).

    Groups may differ honestly: the variance between the *other* groups (DerSimonian & Laird)
    widens what is expected of each, so that the odd one out cannot hide behind its own size.
    Student's t with one degree of freedom less than there are others (Higgins et al. 2009).
    Groups set ``apart`` are nobody's others.
    """
    k = len(estimate)
    if k < LEAST_OTHERS + 1:
        return Against(*np.full((4, k), np.nan))
    kept = np.ones(k) if apart is None else (~apart).astype(np.float64)
    others = kept.sum() - kept
    w = kept / variance
    # Sums over the others: everything minus the own part.
    s0, s1, s2, sq = (a.sum() - a for a in (w, w * estimate, w * estimate**2, w**2))
    q = np.maximum(s2 - s1**2 / s0, 0.0)
    between = np.maximum((q - (others - 1)) / (s0 - sq / s0), 0.0)
    total = kept / (variance[None, :] + between[:, None])
    np.fill_diagonal(total, 0.0)
    weight = total.sum(axis=1)
    expected = total @ estimate / weight
    t = (estimate - expected) / np.sqrt(variance + between + 1 / weight)
    p = special.stdtr(others - 1, -t)
    joint = p.copy()
    if apart is not None:
        many = int(apart.sum())
        joint[apart] = together(t[apart], many, k - many)
    return Against(expected, t, p, joint)


def together(t: Floats, many: int, others: int) -> Floats:
    """Chance that so many honest groups are all this far above the same others, in Student's t.

    They share the mean and the spread of the others, so that two together are likelier than two by
    themselves: the mean over both of the normal tail, to the power of ``many``. Of one group it is
    the tail of Student's t.
    """
    free = others - 1
    log_s = np.linspace(-50 / free - 8 / np.sqrt(2 * free), np.log1p(8 / np.sqrt(free)), _SPREADS)
    log_density = free * (log_s - np.exp(2 * log_s) / 2)
    density = np.exp(log_density - log_density.max())
    mean, weight = np.polynomial.hermite_e.hermegauss(_MEANS)
    far = t[:, None, None] * np.exp(log_s)[:, None] * np.sqrt(1 + 1 / others)
    tail = special.ndtr(-far - mean / np.sqrt(others)) ** many @ weight / weight.sum()
    return np.asarray(tail @ density / density.sum())


def log_odds(hits: Floats, trials: Floats, apart: Bools | None = None) -> tuple[Floats, Floats]:
    """Log odds of each group's share, and their variance at the share of all groups not ``apart``.

    The own share would make small counts look uncertain and large ones certain, and the odd one out
    more often than stated; on this scale honest differences are nearest to normal.
    """
    kept = np.ones(len(hits), bool) if apart is None else ~apart
    share = (hits[kept].sum() + 0.5) / (trials[kept].sum() + 1)
    odds = np.log((hits + 0.5) / (trials - hits + 0.5))
    return odds, 1 / (trials * share * (1 - share) + 0.5)


def share(log_odds: Floats) -> Floats:
    """Back to a share."""
    return np.asarray(special.expit(log_odds))
