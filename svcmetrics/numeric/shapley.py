"""Shapley values of games about a shared delay, for many cases at once; arrays only.

A game says how late a case would have been had only some of its steps run over. The Shapley value
is the mean, over all orders in which the steps may be put in, of what each adds (Shapley 1953).
It adds up to the whole delay, treats equals equally, and gives nothing to who adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# 2 to this power coalitions are listed per case; beyond it, only the closed forms serve.
MOST_PLAYERS = 14
# Coalition values held at once.
_CELLS = 4_000_000


def values(worth: ArrayLike) -> Floats:
    """Shapley values from the worth of every coalition.

    ``worth``: (cases, 2**players); column S is the coalition whose members are the bits of S,
    column 0 nobody. Returns (cases, players).
    """
    w = np.atleast_2d(np.asarray(worth, dtype=np.float64))
    players = int(w.shape[1]).bit_length() - 1
    if w.shape[1] != 1 << players:
        raise ValueError("the worth of all 2**players coalitions is needed")
    weight = _weights(players)
    out = np.empty((len(w), players))
    for i in range(players):
        pairs = w.reshape(len(w), -1, 2, 1 << i)
        added = (pairs[:, :, 1] - pairs[:, :, 0]).reshape(len(w), -1)
        out[:, i] = added @ weight
    return out


def largest(costs: ArrayLike) -> Floats:
    """The airport game, closed form: a coalition costs what its dearest member costs.

    ``costs``: (cases, players), none below 0: the overruns of steps that run side by side. Each
    slice of the cost is shared by all who need it (Littlechild and Owen 1973).
    """
    c = np.atleast_2d(np.asarray(costs, dtype=np.float64))
    order = np.argsort(c, axis=1, kind="stable")
    slices = np.diff(np.take_along_axis(c, order, axis=1), axis=1, prepend=0.0)
    users = np.arange(c.shape[1], 0, -1)
    shares = np.empty_like(c)
    np.put_along_axis(shares, order, np.cumsum(slices / users, axis=1), axis=1)
    return shares


def beyond(overruns: ArrayLike, slack: ArrayLike) -> Floats:
    """Steps one after another: a coalition is late by its overruns beyond the slack.

    ``overruns``: (cases, steps), none below 0. ``slack``: (cases,), the hours that the other
    steps and the promise left over. Returns (cases, steps), adding up to the delay.
    """
    o = np.atleast_2d(np.asarray(overruns, dtype=np.float64))
    free = np.maximum(np.broadcast_to(np.asarray(slack, dtype=np.float64), len(o)), 0.0)
    out = np.zeros_like(o)
    count = (o > 0).sum(axis=1)
    # Whoever did not run over adds nothing: only the others are listed, few cases at a time.
    order = np.argsort(-o, axis=1, kind="stable")
    for k in np.unique(count):
        cases = np.flatnonzero(count == k)
        who = order[:, :k]
        for part in np.array_split(cases, 1 + (len(cases) << int(k)) // _CELLS):
            played = np.take_along_axis(o[part], who[part], axis=1)
            worth = np.maximum(_sums(played) - free[part, None], 0.0)
            shares = out[part]
            np.put_along_axis(shares, who[part], values(worth), axis=1)
            out[part] = shares
    return out


def critical_path(
    taken: ArrayLike, kept: ArrayLike, before: Sequence[Sequence[int]], promise: ArrayLike
) -> Floats:
    """Steps on a network: a coalition is late by its longest path beyond the promise.

    ``taken``: (cases, steps) hours that each step took. ``kept``: the hours that it would have
    taken within its own promise. ``before``: per step the positions of those that come before it,
    all smaller than its own. ``promise``: hours of the whole. Returns (cases, steps).
    """
    t = np.atleast_2d(np.asarray(taken, dtype=np.float64))
    k = np.broadcast_to(np.asarray(kept, dtype=np.float64), t.shape)
    limit = np.broadcast_to(np.asarray(promise, dtype=np.float64), len(t))
    steps = t.shape[1]
    members = (np.arange(1 << steps)[:, None] >> np.arange(steps)) & 1 == 1
    out = np.empty_like(t)
    rows = np.arange(len(t))
    for part in np.array_split(rows, 1 + (len(t) << steps) * steps // _CELLS):
        hours = np.where(members, t[part, None, :], k[part, None, :])
        worth = np.maximum(longest_path(hours, before) - limit[part, None], 0.0)
        out[part] = values(worth - worth[:, :1])
    return out


def longest_path(hours: Floats, before: Sequence[Sequence[int]]) -> Floats:
    """When the last step is done; steps are the last axis."""
    done = np.zeros_like(hours)
    for i, earlier in enumerate(before):
        start = done[..., list(earlier)].max(axis=-1) if len(earlier) else 0.0
        done[..., i] = start + hours[..., i]
    return np.asarray(done.max(axis=-1))


def _sums(x: Floats) -> Floats:
    """The sum of every coalition: (cases, players) to (cases, 2**players)."""
    total = np.zeros((len(x), 1))
    for i in range(x.shape[1]):
        total = np.concatenate([total, total + x[:, i : i + 1]], axis=1)
    return total


def _weights(players: int) -> Floats:
    """The weight of each coalition of the other players: s!(n-1-s)!/n!."""
    others = max(players - 1, 0)
    size = np.bitwise_count(np.arange(1 << others)).astype(np.int64)
    ways = np.cumprod(np.r_[1.0, (others - np.arange(others)) / np.arange(1, others + 1)])
    return np.asarray(1.0 / (players * ways[size])) if players else np.ones(1)
