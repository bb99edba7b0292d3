"""Resampling by counts: how often each unit was drawn, and one product for all resamples.

A statistic that is a function of sums over units needs no loop: ``W @ stats`` gives the sums of
every resample at once, where row b of W counts how often resample b drew each unit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

# Counts are made in blocks of about this many cells, which stay in the processor's cache.
_BLOCK = 160_000
# A byte that leaves its count open; counts are far smaller.
_OPEN = 255


def generator(rng: int | np.random.Generator) -> np.random.Generator:
    """A generator from a seed; a generator is passed through."""
    return np.random.default_rng(rng)


def counts(units: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Blocks of W (rows: resamples, columns: units); each row sums to the number of units.

    Exact, with one random byte per cell in place of one draw per unit: Poisson counts of a mean
    just below 1, given their sum, are that many draws of the units, and the few draws that lack
    are added one by one. (A row with too many, one in 30,000, is drawn anew.)
    """
    step = max(1, _BLOCK // max(units, 1))
    table, open_shares = _poisson_bytes(max(0.0, 1 - 4 / np.sqrt(max(units, 1))))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        cells = np.frombuffer(bytearray(rng.bytes(size * units).translate(table)), np.uint8)
        left = np.flatnonzero(cells == _OPEN)
        cells[left] = np.searchsorted(open_shares, rng.random(len(left)))
        rows = cells.reshape(size, units)
        drawn = rows.sum(axis=1, dtype=np.int64)
        rows[drawn > units] = 0
        lack = units - np.where(drawn > units, 0, drawn)
        more = rng.integers(0, units, size=int(lack.sum())) if units else np.empty(0, np.int64)
        np.add.at(cells, more + np.repeat(np.arange(size) * units, lack), np.uint8(1))
        yield rows.astype(np.float64)


def _poisson_bytes(mean: float) -> tuple[bytes, Floats]:
    """The count of each of 256 equally likely bytes, and of the bytes that leave it open the
    cumulative shares of 0, 1, 2, …, so that both together are exactly Poisson."""
    k = np.arange(40)
    p = np.exp(special.xlogy(k, mean) - mean - special.gammaln(k + 1))
    whole = np.floor(256 * p).astype(np.int64)
    rest = np.maximum(256 * p - whole, 0)
    sure = np.repeat(k, whole)
    table = np.r_[sure, np.full(256 - len(sure), _OPEN)].astype(np.uint8).tobytes()
    shares = np.cumsum(rest) / max(float(rest.sum()), 1e-300)
    shares[-1] = 1.0
    return table, shares


def totals(stats: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Column sums of ``stats`` (units × statistics) in every resample of the units.

    The units are put in an order of their own first: the same data in another order, or under
    other labels, give the same resamples.
    """
    own = stats[np.lexsort(stats.T[::-1])]
    return np.concatenate([w @ own for w in counts(len(own), resamples, rng)])


def limits(samples: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Percentile limits along the first axis; resamples without a value are left out.

    Where more than one in ten has none, the limits are missing: what is left is a selection.
    """
    values = np.asarray(samples, dtype=np.float64)
    known = np.isfinite(values)
    tail = (1 - level) / 2
    enough = known.mean(axis=0) >= 0.9
    filled = np.where(enough, np.where(known, values, np.nan), 0.0)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)
