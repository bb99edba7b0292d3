"""Mean squares and their expectations in balanced designs, crossed and nested, of any depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svcmetrics.numeric.mixed_collapse import Array, Codes, is_nested


@dataclass(frozen=True)
class Anova:
    """One row per term, the residual last."""

    df: Array
    mean_squares: Array
    expected: Array  # expected[a, b]: how often the variance of term b enters mean square a
    components: Array  # may be negative
    covariance: Array  # of the components, from var(MS) = 2 MS² / df

    def draws(self, rng: np.random.Generator, count: int) -> Array:
        """Components drawn from their generalised (fiducial) distribution: count × terms.

        MS · df / χ²(df) stands for each expected mean square (Weerahandi 1993, JASA 88, 899-905).
        """
        chi = np.stack([rng.chisquare(d, count) for d in self.df], axis=1)
        return np.asarray((self.mean_squares * self.df / chi) @ np.linalg.inv(self.expected).T)


def anova(y: Array, terms: Sequence[Codes], sizes: Sequence[int]) -> Anova:
    """Sums of squares from marginal means, and components that make them what is expected.

    ``terms``: codes of each term's levels. A term lies *below* another one whose levels it joins:
    rater below rater:item. SS(a) = Σ n·mean² − those of all terms below a (Brennan 2001, ch. 3).
    """
    n, k = len(y), len(terms)
    centred = y - y.mean()
    below = below_each(terms, sizes)
    squares, df = np.empty(k + 1), np.empty(k + 1)
    for a in np.argsort(sizes, kind="stable"):
        means = np.bincount(terms[a], weights=centred) / np.bincount(terms[a])
        squares[a] = n / sizes[a] * (means**2).sum() - squares[:k][below[a]].sum()
        df[a] = sizes[a] - 1 - df[:k][below[a]].sum()
    squares[k] = (centred**2).sum() - squares[:k].sum()
    df[k] = n - 1 - df[:k].sum()
    expected = np.ones((k + 1, k + 1))
    per_level = n / np.asarray(sizes, dtype="float64")
    for a in range(k):
        expected[a, :k] = np.where(below[:, a] | (np.arange(k) == a), per_level, 0.0)
    expected[k, :k] = 0.0
    inverse = np.linalg.inv(expected)
    with np.errstate(divide="ignore", invalid="ignore"):  # a term without degrees of freedom
        mean_squares = np.maximum(squares, 0.0) / df
        covariance = inverse @ np.diag(2 * mean_squares**2 / df) @ inverse.T
    return Anova(df, mean_squares, expected, inverse @ mean_squares, covariance)


def below_each(terms: Sequence[Codes], sizes: Sequence[int]) -> np.ndarray:
    """below[a, b]: each level of term a lies in one level of term b."""
    k = len(terms)
    out = np.zeros((k, k), dtype=bool)
    for a in range(k):
        for b in range(k):
            out[a, b] = a != b and is_nested(terms, sizes, a, b)
    return out


def is_balanced(terms: Sequence[Codes], sizes: Sequence[int], n: int) -> bool:
    """Whether all cells are equally full, so that the sums of squares do not overlap.

    Each pair of terms must meet in all its cells equally often, within the finest term (or the
    mean) that joins the levels of both.
    """
    if any(np.ptp(np.bincount(t)) > 0 for t in terms):
        return False
    below = below_each(terms, sizes)
    if (below & below.T).any():  # two terms of the same levels cannot be told apart
        return False
    for a in range(len(terms)):
        for b in range(a):
            joins = [sizes[c] for c in range(len(terms)) if _joins(below, c, a, b)]
            cells, count = np.unique(terms[a] * sizes[b] + terms[b], return_counts=True)
            if np.ptp(count) or len(cells) * max(joins, default=1) != sizes[a] * sizes[b]:
                return False
    return n > 1


def _joins(below: np.ndarray, c: int, a: int, b: int) -> bool:
    return bool((c == a or below[a, c]) and (c == b or below[b, c]))
