"""Eliminate the largest block of Henderson's equations: a diagonal, or many small blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from svcmetrics.numeric.mixed_collapse import Array, Codes, Collapsed

_ROWS = 4_096
_CELLS, _CACHED = 2_000_000, 20_000_000  # numbers made dense at a time, and kept


def elimination(data: Collapsed) -> Diagonal | Blocks:
    """The cheaper of the two ways for these data."""
    if len(data.eliminated) == 1:
        return Diagonal(data)
    return Blocks(data.counts, data.cross, data.cluster)


class Diagonal:
    """D = counts + ridge. Weighted cross-products N'f(D)N from one pass over the rows."""

    def __init__(self, data: Collapsed):
        self.data: Collapsed = data
        self.cross = data.cross
        self.counts: Array = data.counts
        self.d = self.counts

    def ridge(self, ridge: Array) -> None:
        """Set the ratio of variances residual / factor, one per eliminated level."""
        self.added = float(ridge[0])
        self.d = self.counts + self.added

    @property
    def logdet(self) -> float:
        return float(np.log(self.d).sum())

    def solve(self, right: Array) -> Array:
        """D⁻¹ times a vector or matrix."""
        return np.asarray((right.T / self.d).T)

    def times_counts(self, vector: Array) -> Array:
        """E'WE times a vector."""
        return self.counts * vector

    def gram(self, power: int = 1) -> Array:
        """N'D⁻ᵖN, with p = ``power``."""
        return self.data.gram.at(self.added, power)

    def traces(self, inverse: Array, rows: tuple[slice, ...]) -> list[float]:  # noqa: ARG002
        """Trace of this block of the inverse of all equations."""
        m = len(inverse)
        return [float((1 / self.d).sum() + np.vdot(inverse, self.gram(2)[:m, :m]))]

    def diagonal(self, inverse: Array) -> Array:
        """Diagonal of this block of the inverse of all equations."""
        return np.asarray(1 / self.d + _quadratic(self.cross, inverse) / self.d**2)


class Blocks:
    """D falls into small dense blocks: a factor with everything that is nested in it."""

    def __init__(self, counts: Any, cross: Any, cluster: Codes):
        self.counts, self.cross = counts, cross
        self.parts = _parts(counts, cluster, cross.shape[1])
        self.inverses: list[Array] = []
        small = cross.shape[0] * cross.shape[1] <= _CACHED
        self.kept = [self._read(m) for m, _ in self.parts] if small else None

    def _read(self, member: Codes) -> Array:
        return np.asarray(self.cross[member.ravel()].toarray().reshape(*member.shape, -1))

    def _cross(self, i: int) -> Array:
        """The rows of N of one part: blocks × levels × columns."""
        return self.kept[i] if self.kept is not None else self._read(self.parts[i][0])

    def ridge(self, ridge: Array) -> None:
        """Set the ratio of variances residual / factor, one per eliminated level."""
        self.logdet, self.inverses = 0.0, []
        for member, block in self.parts:
            full = block + ridge[member][:, :, None] * np.eye(member.shape[1])
            factor = np.linalg.cholesky(full)
            self.logdet += 2 * float(np.log(np.diagonal(factor, axis1=1, axis2=2)).sum())
            self.inverses.append(np.asarray(np.linalg.inv(full), dtype="float64"))

    def solve(self, right: Array) -> Array:
        """D⁻¹ times a vector or matrix."""
        columns = right.reshape(len(right), -1)
        out = np.empty_like(columns)
        for (member, _), inverse in zip(self.parts, self.inverses, strict=True):
            out[member] = inverse @ columns[member]
        return out.reshape(right.shape)

    def times_counts(self, vector: Array) -> Array:
        """E'WE times a vector."""
        return np.asarray(self.counts @ vector)

    def gram(self) -> Array:
        """N'D⁻¹N."""
        width = self.cross.shape[1]
        out = np.zeros((width, width))
        for i, inverse in enumerate(self.inverses):
            rows = self._cross(i)
            out += rows.reshape(-1, width).T @ (inverse @ rows).reshape(-1, width)
        return np.asarray((out + out.T) / 2)

    def traces(self, inverse: Array, rows: tuple[slice, ...]) -> list[float]:
        """Trace of each factor's block of the inverse of all equations."""
        diagonal = self.diagonal(inverse)
        return [float(diagonal[r].sum()) for r in rows]

    def diagonal(self, inverse: Array) -> Array:
        """Diagonal of this block of the inverse of all equations."""
        out, m = np.empty(self.cross.shape[0]), len(inverse)
        for i, (member, _) in enumerate(self.parts):
            own = self.inverses[i]
            weighted = own @ self._cross(i)[:, :, :m]
            spread = (weighted @ inverse * weighted).sum(axis=2)
            out[member] = np.diagonal(own, axis1=1, axis2=2) + spread
        return out


def _parts(counts: Any, cluster: Codes, width: int) -> list[tuple[Codes, Array]]:
    """Blocks of equal size together, a few at a time: their levels and their counts."""
    order = np.argsort(cluster, kind="stable")
    size = np.bincount(cluster)
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    place = np.empty(len(cluster), dtype=np.intp)
    place[order] = np.arange(len(cluster)) - np.repeat(start, size)
    entry = counts.tocoo()
    out = []
    for s in np.unique(size[size > 0]):
        own = np.flatnonzero(size == s)
        number = np.cumsum(size == s) - 1
        block = np.zeros((len(own), s, s))
        which = size[cluster[entry.row]] == s
        i, j = entry.row[which], entry.col[which]
        block[number[cluster[i]], place[i], place[j]] = entry.data[which]
        member = order[start[own][:, None] + np.arange(s)]
        step = max(1, _CELLS // (int(s) * max(width, int(s))))
        out += [(member[a : a + step], block[a : a + step]) for a in range(0, len(own), step)]
    return out


def _quadratic(rows: Any, inverse: Array) -> Array:
    """x'Ax for each row x, a block of rows at a time."""
    m = len(inverse)
    kept = rows[:, :m]
    out = np.empty(rows.shape[0])
    for a in range(0, rows.shape[0], _ROWS):
        part = kept[a : a + _ROWS]
        out[a : a + _ROWS] = part.multiply(part @ inverse).sum(axis=1)
    return out
