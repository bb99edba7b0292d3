"""Which group stands out from the others: each is judged by groups that it is no part of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# With fewer other groups their own spread is unknown.
LEAST_OTHERS = 4


class Against(NamedTuple):
    """Each group against what its others let expect."""

    expected: Floats
    t: Floats
    p: Floats  # one-sided: that high or higher


def deleted(estimate: Floats, variance: Floats) -> Against:
    """Studentised deleted residuals of a random-effects mean (Viechtbauer & Cheung 2010, eq. 15).

    Groups may differ honestly: the variance between the *other* groups (DerSimonian & Laird)
    widens what is expected of each, so that the odd one out cannot hide behind its own size.
    Student's t with one degree of freedom less than there are others (Higgins et al. 2009).
    """
    k = len(estimate)
    missing = np.full(k, np.nan)
    if k < LEAST_OTHERS + 1:
        return Against(missing, missing, missing)
    w = 1 / variance
    # Sums over the others: everything minus the own part.
    s0, s1, s2, sq = (a.sum() - a for a in (w, w * estimate, w * estimate**2, w**2))
    q = np.maximum(s2 - s1**2 / s0, 0.0)
    between = np.maximum((q - (k - 2)) / (s0 - sq / s0), 0.0)
    total = 1 / (variance[None, :] + between[:, None])
    np.fill_diagonal(total, 0.0)
    weight = total.sum(axis=1)
    expected = total @ estimate / weight
    error = np.sqrt(variance + between + 1 / weight)
    t = (estimate - expected) / error
    return Against(expected, t, special.stdtr(k - 2, -t))


def log_odds(hits: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """Log odds of each group's share, and their variance at the share of all groups together.

    The own share would make small counts look uncertain and large ones certain, and the odd one out
    more often than stated; on this scale honest differences are nearest to normal.
    """
    share = (hits.sum() + 0.5) / (trials.sum() + 1)
    odds = np.log((hits + 0.5) / (trials - hits + 0.5))
    return odds, 1 / (trials * share * (1 - share) + 0.5)


def share(log_odds: Floats) -> Floats:
    """Back to a share."""
    return np.asarray(special.expit(log_odds))
