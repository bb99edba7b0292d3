"""Many right-hand sides by preconditioned conjugate gradients, and log-determinants on the way.

Sources: Hestenes & Stiefel (1952); Golub & Meurant (2010), Matrices, Moments and Quadrature, ch. 4
and 11 (the coefficients of conjugate gradients are those of Lanczos; Gauss quadrature of x'f(A)x).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEPS = 2_000


@dataclass(frozen=True)
class Solutions:
    """A⁻¹B, and per column the coefficients of the steps (missing once a column was solved)."""

    x: Array
    lengths: Array  # steps × columns: how far each step went
    turns: Array  # steps × columns: how much of the old direction was kept
    solved: bool = True  # whether all columns came to an end

    def since(self, first: int) -> Solutions:
        """The columns from ``first`` on."""
        x, lengths, turns = (part[:, first:] for part in (self.x, self.lengths, self.turns))
        return Solutions(x, lengths, turns, self.solved)

    def log_forms(self) -> Array:
        """x'log(M)x / x'x per column, with M = P^-½ A P^-½ and x = P^-½ b."""
        return np.array(
            [_log_form(a, b) for a, b in zip(self.lengths.T, self.turns.T, strict=True)]
        )


def solve(
    times: Callable[[Array], Array], diagonal: Array, B: Array, tolerance: float
) -> Solutions:
    """Solve AX = B for symmetric positive A, given A times a matrix and A's diagonal.

    A column is solved when its residual has fallen to ``tolerance`` of what it was.
    """
    scale = 1 / diagonal[:, None]
    x, rest = np.zeros_like(B), B.copy()
    pointed = rest * scale
    direction = pointed.copy()
    size = (rest * pointed).sum(axis=0)
    enough = tolerance**2 * size
    lengths, turns = [], []
    for _ in range(_STEPS):
        open_ = size > enough
        if not open_.any():
            break
        image = times(direction)
        bend = (direction * image).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            length = np.where(open_, size / bend, 0.0)
            x += length * direction
            rest -= length * image
            pointed = rest * scale
            after = (rest * pointed).sum(axis=0)
            turn = np.where(open_, after / size, 0.0)
        direction *= turn
        direction += pointed
        size = np.where(open_, after, size)
        lengths.append(np.where(open_, length, np.nan))
        turns.append(np.where(open_, turn, np.nan))
    shape = (len(lengths), B.shape[1])
    steps = (np.array(lengths).reshape(shape), np.array(turns).reshape(shape))
    return Solutions(x, *steps, solved=not (size > enough).any())


def _log_form(lengths: Array, turns: Array) -> float:
    """Gauss quadrature of the logarithm from one column's steps."""
    from scipy.linalg import eigh_tridiagonal

    used = np.isfinite(lengths)
    a, b = lengths[used], turns[used]
    if not len(a):
        return 0.0
    main = 1 / a
    main[1:] += b[:-1] / a[:-1]
    values, vectors = eigh_tridiagonal(main, np.sqrt(b[:-1]) / a[:-1])
    return float(vectors[0] ** 2 @ np.log(np.maximum(values, 1e-300)))
