"""Who rates whom, both ways: the social relations model with missing cells, on arrays.

y_ij = mean + actor_i + partner_j + relationship_ij. Variances by unbiased quadratic forms: exactly
the analysis of variance of Warner, Kenny and Stoto (1979) where every cell is there, and the same
equations with the cells that exist where some are missing. Negative variances are reported as such.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from svcmetrics.numeric import round_robin_errors

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]

NAMES = ("actor", "partner", "actor_partner", "relationship", "dyadic")
# Up to this many cells, errors are exact under normality; beyond, units are left out in turn.
DENSE = 400
_GROUPS = 20


@dataclass(frozen=True)
class Relations:
    """Five (co)variances in the order of NAMES, their errors, and effects of the units."""

    values: Floats
    errors: Floats
    mean: float
    actor: Floats
    partner: Floats
    residual: Floats  # of each cell, beyond actor and partner
    other: Whole  # the position of the reverse cell; -1 where missing


def fitted(y: Floats, actor: Whole, partner: Whole, units: int) -> Relations | None:
    """None where the cells cannot tell the five apart."""
    other = reverse(actor, partner, units)
    values, gram, parts = _moments(y, actor, partner, units, other)
    if values is None:
        return None
    if len(y) == units * (units - 1) and units > 3:
        errors = round_robin_errors.complete(values, gram, units)
    elif len(y) <= DENSE:
        errors = round_robin_errors.from_matrices(values, gram, [v.toarray() for v in parts])
    else:
        errors = _left_out(y, actor, partner, units)
    mean, a, b = effects(y, actor, partner, units)
    return Relations(values, errors, mean, a, b, y - mean - a[actor] - b[partner], other)


def effects(y: Floats, actor: Whole, partner: Whole, units: int) -> tuple[float, Floats, Floats]:
    """Least squares: mean, actor and partner effects, each summing to zero over the units seen."""
    columns = np.zeros((len(y), 2 * units + 1))
    rows = np.arange(len(y))
    columns[rows, actor] = columns[rows, units + partner] = columns[:, -1] = 1.0
    acts, gets = (np.bincount(k, minlength=units) > 0 for k in (actor, partner))
    sums = np.zeros((2, 2 * units + 1))
    sums[0, :units], sums[1, units:-1] = acts, gets
    found = np.linalg.lstsq(np.vstack([columns, sums]), np.r_[y, 0.0, 0.0], rcond=None)[0]
    return float(found[-1]), np.asarray(found[:units]), np.asarray(found[units:-1])


def reverse(actor: Whole, partner: Whole, units: int) -> Whole:
    """The position of the cell the other way round; -1 where it is missing."""
    key, back = actor * units + partner, partner * units + actor
    order = np.argsort(key)
    place = np.clip(np.searchsorted(key[order], back), 0, len(key) - 1)
    return np.where(key[order][place] == back, order[place], -1)


def _moments(
    y: Floats, actor: Whole, partner: Whole, units: int, other: Whole
) -> tuple[Floats | None, Floats, list[Any]]:
    """Solve E[Q] = G·θ for the quadratic forms Q of the centred cells."""
    same, got, crossed, back, alone, swap = parts(actor, partner, units, other)
    return solved(y, y, [same, got, crossed + back, alone, swap])


def parts(actor: Whole, partner: Whole, units: int, other: Whole) -> list[Any]:
    """What the covariance of cells (i, j) and (k, m) is made of.

    Same actor, same partner, i = m, j = k, the same cell, the cell the other way round.
    """
    from scipy import sparse

    n = len(actor)
    rows = np.arange(n)
    a = sparse.csr_array((np.ones(n), (rows, actor)), shape=(n, units))
    b = sparse.csr_array((np.ones(n), (rows, partner)), shape=(n, units))
    both = np.flatnonzero(other >= 0)
    swap = sparse.csr_array((np.ones(len(both)), (both, other[both])), shape=(n, n))
    return [a @ a.T, b @ b.T, a @ b.T, b @ a.T, sparse.eye_array(n, format="csr"), swap]


def solved(x: Floats, y: Floats, made_of: list[Any]) -> tuple[Floats | None, Floats, list[Any]]:
    """The parts of Cov(x, y) by the forms that have the same shape, of the centred cells."""
    n = len(y)
    ones = np.ones(n)
    rows, columns = [v @ ones for v in made_of], [v.T @ ones for v in made_of]

    def trace(k: int, m: int) -> float:
        edges = rows[k] @ rows[m] + columns[k] @ columns[m]
        inside = made_of[k].multiply(made_of[m]).sum()
        return float(inside - edges / n + rows[k].sum() * rows[m].sum() / n**2)

    every = range(len(made_of))
    gram = np.array([[trace(k, m) for m in every] for k in every])
    if np.linalg.matrix_rank(gram, tol=1e-9 * np.abs(gram).max()) < len(gram):
        return None, gram, made_of
    seen = np.array([(x - x.mean()) @ (v @ (y - y.mean())) for v in made_of])
    return np.linalg.solve(gram, seen), gram, made_of


def left_out(values: Callable[[Truth], Floats | None], actor: Whole, partner: Whole,
             units: int, size: int) -> Floats:  # fmt: skip
    """Standard errors by leaving out groups of units with all their cells (jackknife).

    ``values``: the ``size`` values from the cells that are kept.
    """
    found = []
    groups = min(units, _GROUPS)
    for g in range(groups):
        kept = values((actor % groups != g) & (partner % groups != g))
        found.append(np.full(size, np.nan) if kept is None else kept)
    table = np.array(found)
    return np.asarray(np.sqrt((len(table) - 1) * ((table - table.mean(axis=0)) ** 2).mean(axis=0)))


def _left_out(y: Floats, actor: Whole, partner: Whole, units: int) -> Floats:
    def values(keep: Truth) -> Floats | None:
        a, b = actor[keep], partner[keep]
        return _moments(y[keep], a, b, units, reverse(a, b, units))[0]

    return left_out(values, actor, partner, units, len(NAMES))


def dyadic_p(
    found: Relations, actor: Whole, partner: Whole, units: int, draws: int, rng: np.random.Generator
) -> float:
    """Two-sided p of "what i gives j has nothing to do with what j gives i".

    Actor and partner effects stay as they are; in each draw, the residuals of one direction get
    random signs and the effects are taken out again. The covariance that least squares puts into
    residuals is taken off.
    """
    upper = np.flatnonzero(found.other > np.arange(len(found.other)))
    if len(upper) < 5:
        return float("nan")
    columns = np.zeros((len(actor), 2 * units))
    rows = np.arange(len(actor))
    columns[rows, actor] = columns[rows, units + partner] = 1.0
    values, vectors = np.linalg.eigh(columns.T @ columns)
    keep = values > 1e-9 * values.max()
    q = columns @ (vectors[:, keep] / np.sqrt(values[keep]))
    lower = found.other[upper]
    tied = _both_ways(q, upper, lower) * max(found.values[3], 0.0)
    seen = float(found.residual[upper] @ found.residual[lower]) + tied
    # Least squares has taken its part of each residual; the draws go through it once more.
    whole = found.residual / np.sqrt(np.maximum(1 - (q**2).sum(axis=1), 1e-9))
    null = np.empty(draws)
    step = max(1, 4_000_000 // len(actor))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        flipped = np.tile(whole, (size, 1))
        flipped[:, upper] *= rng.integers(0, 2, size=(size, len(upper))) * 2 - 1
        flipped -= (flipped @ q) @ q.T
        null[start : start + size] = np.einsum("ij,ij->i", flipped[:, upper], flipped[:, lower])
    null += tied
    return float((1 + (np.abs(null) >= abs(seen) - 1e-12).sum()) / (1 + draws))


def _both_ways(q: Floats, upper: Whole, lower: Whole) -> float:
    """Minus the covariance that taking out q puts between the two directions of all pairs."""
    return float((q[upper] * q[lower]).sum())
