"""Resampling by counts: how often each unit was drawn, and one product for all resamples.

A statistic that is a function of sums over units needs no loop: ``W @ stats`` gives the sums of
every resample at once, where row b of W counts how often resample b drew each unit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Counts are made in blocks of about this many cells, which stay in the processor's cache.
_BLOCK = 320_000


def generator(rng: int | np.random.Generator) -> np.random.Generator:
    """A generator from a seed; a generator is passed through."""
    return np.random.default_rng(rng)


def counts(units: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Blocks of W (rows: resamples, columns: units); each row sums to the number of units."""
    step = max(1, _BLOCK // max(units, 1))
    small = np.uint16 if units <= np.iinfo(np.uint16).max else np.int64
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = rng.integers(0, units, size=(size, units), dtype=small).astype(np.int64)
        drawn += np.arange(size)[:, None] * units
        flat = np.bincount(drawn.ravel(), minlength=size * units)
        yield flat.reshape(size, units).astype(np.float64)


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
