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


# Nodes for the spread of departments, and steps of its size and of the mean.
_NODES, _SIZES, _STEPS = 15, 17, 41
# How much departments change on their own account (log odds): half normal, of this spread.
_DRIFT = 0.5


def risen(later: Floats, earlier: Floats, exposure: Floats) -> Against:
    """How far each group's counts rose beyond what the rise of the others lets expect.

    Given its hits of both spans, the later ones are binomial; the log odds are those of the exposure
    (``exposure``: trials later / earlier) plus a rise that scatters normally between groups. Its mean
    (normal around none, 0.5) and spread (half normal, 0.5) are learnt from the *other* groups; ``p`` is the chance of a
    count as high or higher. Exact for small counts, where log odds have no normal error. ``t`` is
    the normal quantile of ``p``; ``expected`` the ratio of the rates, later / earlier.
    """
    k = len(later)
    if k < LEAST_OTHERS + 1:
        return Against(*np.full((3, k), np.nan))
    n, offset = later + earlier, np.log(exposure)
    node, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    size = np.linspace(0, 4 * _DRIFT, _SIZES)
    near = np.log((later + 0.5) / ((earlier + 0.5) * exposure))
    mean = np.linspace(min(near.min(), -2.0), max(near.max(), 2.0), _STEPS)
    odds = (mean[:, None, None] + size[:, None] * node) + offset[:, None, None, None]
    x, m = later[:, None, None, None], n[:, None, None, None]
    log_like = x * odds - m * np.logaddexp(0, odds)
    top = log_like.max(axis=(1, 2, 3), keepdims=True)
    own = np.log(np.exp(log_like - top) @ weight + 1e-300)
    before = (size / _DRIFT) ** 2 + (mean[:, None] / _DRIFT) ** 2
    others = own.sum(axis=0) - own - before / 2
    others = np.exp(others - others.max(axis=(1, 2), keepdims=True))
    mass = others[..., None] * weight
    mass /= mass.sum(axis=(1, 2, 3), keepdims=True)
    chance = special.expit(odds)
    high = np.where(x > 0, special.betainc(np.maximum(x, 1), m - np.minimum(x, m) + 1, chance), 1.0)
    p = np.minimum((mass * high).sum(axis=(1, 2, 3)), 1.0)
    odds_expected = (mass * chance).sum(axis=(1, 2, 3))
    ratio = odds_expected / (1 - odds_expected) / exposure
    return Against(ratio, -special.ndtri(np.clip(p, 1e-12, 0.999)), p)


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
