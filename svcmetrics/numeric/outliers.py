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
# From so many hits on, log odds have a normal error.
_MANY = 10


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
    offset = np.log(exposure)
    node, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    size = np.linspace(0, 4 * _DRIFT, _SIZES)
    near = np.log((later + 0.5) / ((earlier + 0.5) * exposure))
    mean = np.linspace(min(near.min(), -2.0), max(near.max(), 2.0), _STEPS)
    odds = (mean[:, None, None] + size[:, None] * node) + offset[:, None, None, None]
    before = (size / _DRIFT) ** 2 + (mean[:, None] / _DRIFT) ** 2
    expected, p = _learnt(later, later + earlier, odds, before, weight)
    return Against(expected / (1 - expected) / exposure, _quantile(p), p)


def above(hits: Floats, trials: Floats) -> Against:
    """How far each group's share lies above what the others let expect, from the counts themselves.

    Log odds scatter normally between groups; their mean (anything) and spread (half normal, 1) are
    learnt from the *other* groups. Where ``_MANY`` hits are expected of a group (in the middle of
    them), log odds have a normal error, and ``deleted`` says the same in less time.
    """
    k = len(hits)
    if k < LEAST_OTHERS + 1 or np.median(trials) * hits.sum() / trials.sum() >= _MANY:
        against = deleted(*log_odds(hits, trials))
        return against._replace(expected=share(against.expected))
    node, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    size = np.linspace(0, 3.0, _SIZES)
    near = np.log((hits + 0.5) / (trials - hits + 0.5))
    mean = np.linspace(near.min() - 1.5, near.max() + 0.5, _STEPS)
    odds = (mean[:, None, None] + size[:, None] * node)[None]
    expected, p = _learnt(hits, trials, odds, np.broadcast_to(size**2, (_STEPS, _SIZES)), weight)
    return Against(expected, _quantile(p), p)


def _learnt(
    hits: Floats, trials: Floats, odds: Floats, before: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Of each group the expected share, and the chance of as many hits, given the other groups.

    ``odds``: log odds by group (or one for all), mean, spread and node, whose ``weight`` is given;
    ``before``: twice the negative log density of mean and spread beforehand.
    """
    x, m = hits[:, None, None, None], trials[:, None, None, None]
    log_like = x * odds - m * np.logaddexp(0, odds)
    top = log_like.max(axis=(1, 2, 3), keepdims=True)
    own = np.log(np.exp(log_like - top) @ weight + 1e-300)
    others = own.sum(axis=0) - own - before / 2
    others = np.exp(others - others.max(axis=(1, 2), keepdims=True))
    mass = others[..., None] * weight
    mass /= mass.sum(axis=(1, 2, 3), keepdims=True)
    chance = special.expit(odds)
    high = np.where(x > 0, special.betainc(np.maximum(x, 1), m - np.minimum(x, m) + 1, chance), 1.0)
    p = np.minimum((mass * high).sum(axis=(1, 2, 3)), 1.0)
    return (mass * chance).sum(axis=(1, 2, 3)), p


def _quantile(p: Floats) -> Floats:
    return np.asarray(-special.ndtri(np.clip(p, 1e-12, 0.999)))


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
