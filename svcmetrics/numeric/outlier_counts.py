"""Which group's counts stand out from the others': exact where hits are few.

Each function takes the counts and returns a judge: given which groups are set apart (nobody's
others), it says how each group stands against its others.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import special

from svcmetrics.numeric import outliers
from svcmetrics.numeric.masking import Judge
from svcmetrics.numeric.outliers import Against, Bools, Floats

# Steps of the size of the spread and of the mean; the widest step of the levels of single groups,
# which reach this many spreads beyond the means.
_SIZES, _STEPS, _FINE, _REACH = 17, 41, 0.1, 3
# How much departments change on their own account (log odds): half normal, of this spread.
_DRIFT = 0.5
# From so many hits on, log odds have a normal error.
_MANY = 10


def risen(later: Floats, earlier: Floats, exposure: Floats) -> Judge:
    """How far each group's counts rose beyond what the rise of the others lets expect.

    Given its hits of both spans, the later ones are binomial; the log odds are those of the exposure
    (``exposure``: trials later / earlier) plus a rise that scatters normally between groups. Its mean
    (normal around none, 0.5) and spread (half normal, 0.5) are learnt from the *other* groups; ``p`` is the chance of a
    count as high or higher. Exact for small counts, where log odds have no normal error. ``t`` is
    the normal quantile of ``p``; ``expected`` the ratio of the rates, later / earlier.
    """
    if len(later) <= outliers.LEAST_OTHERS:
        return partial(outliers.deleted, later, earlier)  # which judges nobody
    size = np.linspace(0, 4 * _DRIFT, _SIZES)
    near = np.log((later + 0.5) / ((earlier + 0.5) * exposure))
    mean = np.linspace(min(near.min(), -2.0), max(near.max(), 2.0), _STEPS)
    before = (size / _DRIFT) ** 2 + (mean[:, None] / _DRIFT) ** 2
    learnt = _learn(later, later + earlier, np.log(exposure), mean, size)._replace(before=before)

    def judge(apart: Bools | None = None) -> Against:
        found = learnt.judged(apart)
        return found._replace(expected=found.expected / (1 - found.expected) / exposure)

    return judge


def above(hits: Floats, trials: Floats) -> Judge:
    """How far each group's share lies above what the others let expect, from the counts themselves.

    Log odds scatter normally between groups; their mean (anything) and spread (half normal, 1) are
    learnt from the *other* groups. Where three of four groups have ``_MANY`` hits, log odds have a
    normal error, and ``outliers.deleted`` says the same. (All hits together would tell nothing of the
    others, where a few groups have nearly all of them.)
    """
    if len(hits) <= outliers.LEAST_OTHERS or np.quantile(hits, 0.25) >= _MANY:

        def judge(apart: Bools | None = None) -> Against:
            found = outliers.deleted(*outliers.log_odds(hits, trials, apart), apart)
            return found._replace(expected=outliers.share(found.expected))

        return judge
    size = np.linspace(0, 3.0, _SIZES)
    near = np.log((hits + 0.5) / (trials - hits + 0.5))
    mean = np.linspace(near.min() - 1.5, near.max() + 0.5, _STEPS)
    return _learn(hits, trials, np.zeros(len(hits)), mean, size).judged


class _Learnt(NamedTuple):
    """Of each group (rows), under each mean and spread of all groups (columns)."""

    likely: Floats  # log likelihood of its hits
    high: Floats  # chance of as many hits or more
    chance: Floats  # expected share
    before: Floats  # twice the negative log density of mean and spread beforehand

    def judged(self, apart: Bools | None = None) -> Against:
        """The chance of as many hits, given the hits of the others."""
        kept = np.ones((len(self.likely), 1)) if apart is None else ~apart[:, None]
        own = self.likely * kept
        mass = own.sum(axis=0) - own - self.before.ravel() / 2
        mass = np.exp(mass - mass.max(axis=1, keepdims=True))
        mass /= mass.sum(axis=1, keepdims=True)
        p = np.minimum((mass * self.high).sum(axis=1), 1.0)
        many = 1 if apart is None else max(int(apart.sum()), 1)
        joint = (mass * self.high**many).sum(axis=1)
        return Against((mass * self.chance).sum(axis=1), _quantile(p), p, joint)


def _learn(hits: Floats, trials: Floats, offset: Floats, mean: Floats, size: Floats) -> _Learnt:
    """What each mean and spread of the log odds (less ``offset``) let expect of each group."""
    level, weight = _levels(mean, size)
    odds = level + offset[:, None]
    x, m = hits[:, None], trials[:, None]
    log_like = x * odds - m * np.logaddexp(0, odds)
    like = np.exp(log_like - log_like.max(axis=1, keepdims=True))
    chance = special.expit(odds)
    high = np.where(x > 0, special.betainc(np.maximum(x, 1), m - np.minimum(x, m) + 1, chance), 1.0)
    before = np.broadcast_to(size**2, (len(mean), len(size)))
    return _Learnt(np.log(like @ weight + 1e-300), high @ weight, chance @ weight, before)


def _levels(mean: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Levels of single groups, evenly spaced, and their normal weights by mean and spread."""
    steps = int(np.ceil((mean[1] - mean[0]) / _FINE))
    step = (mean[1] - mean[0]) / steps
    beyond = int(_REACH * size[-1] / step)
    level = mean[0] + step * np.arange(-beyond, (len(mean) - 1) * steps + beyond + 1)
    # Each mean is a level: without spread, it has all the weight.
    z = (level[:, None, None] - mean[:, None]) / np.maximum(size, step / 10)
    weight = np.exp(-(z**2) / 2).reshape(len(level), -1)
    return level, weight / weight.sum(axis=0)


def _quantile(p: Floats) -> Floats:
    return np.asarray(-special.ndtri(np.clip(p, 1e-12, 0.999)))
