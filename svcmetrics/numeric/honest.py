"""Attentive raters, simulated: what answering habits look like when nobody is careless, on arrays.

Each simulated rater has the forms of a real one. Answers keep the shares of every category of each
item, the correlations between items, and how much forms of one rater, and of one rater on one
target, resemble each other (Gaussian copula). Careless answers in the data make resemblances
stronger, and so the cut-offs found here milder, never harsher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# No two items are closer than this.
_CLOSEST = 0.98


@dataclass(frozen=True)
class Honest:
    """Attentive raters with the forms of real ones; ``draw`` answers all of them anew."""

    known: NDArray[np.bool_]
    cuts: list[tuple[Floats, Floats]]  # of each item: edges on the normal scale, answers
    groups: list[Whole]  # rater, and rater by target
    shared: list[float]  # variance that forms of the same group have in common
    root: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Attentive answers in the same places."""
        latent = rng.standard_normal(self.known.shape) @ self.root.T
        latent *= np.sqrt(max(1 - sum(self.shared), 0.0))
        for group, share in zip(self.groups, self.shared, strict=True):
            own = rng.standard_normal(int(group.max()) + 1)[group]
            latent += np.sqrt(share) * own[:, None]
        out = np.full(latent.shape, np.nan)
        for j, (edges, labels) in enumerate(self.cuts):
            if len(labels):
                out[:, j] = labels[np.searchsorted(edges, latent[:, j])]
        return np.where(self.known, out, np.nan)


def fitted(forms: Floats, rater: Whole, pair: Whole) -> Honest:
    """``rater`` and ``pair`` (rater by target): codes 0 … of each form."""
    known = np.isfinite(forms)
    z, cuts = _normal_scores(forms)
    weight = known.astype(np.float64)
    pairs = weight.T @ weight
    total = np.where(pairs > 0, (z.T @ z) / np.maximum(pairs, 1), 0.0)
    total = np.clip(total, -_CLOSEST, _CLOSEST)
    np.fill_diagonal(total, 1.0)
    off = total[~np.eye(len(total), dtype=bool)]
    most = float(np.clip(off.mean(), 0, _CLOSEST)) if len(off) else 0.0
    by_rater = min(max(_in_common(z, weight, rater), 0.0), most)
    by_pair = min(max(_in_common(z, weight, pair) - by_rater, 0.0), most - by_rater)
    rest = 1 - by_rater - by_pair
    values, vectors = np.linalg.eigh((total - by_rater - by_pair) / rest)
    root = vectors * np.sqrt(np.maximum(values, 0))
    # Rounding of the correlations must not change the shares of the categories.
    length = np.linalg.norm(root, axis=1, keepdims=True)
    root = root / length
    return Honest(known, cuts, [rater, pair], [by_rater, by_pair], root)


def _normal_scores(forms: Floats) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """Mean normal score of each category, scaled for coarseness; and the cuts that give it back."""
    z = np.zeros(forms.shape)
    cuts = []
    for j, column in enumerate(forms.T):
        given = np.isfinite(column)
        labels, place, times = np.unique(column[given], return_inverse=True, return_counts=True)
        share = times / max(times.sum(), 1)
        edges = special.ndtri(np.clip(np.cumsum(share)[:-1], 1e-12, 1 - 1e-12))
        cuts.append((edges, labels))
        if len(labels) < 2:
            continue
        height = np.exp(-(np.r_[np.inf, edges, np.inf] ** 2) / 2) / np.sqrt(2 * np.pi)
        score = (height[:-1] - height[1:]) / share
        # Divided by its variance: coarse scales would otherwise look less correlated than they are.
        z[given, j] = (score / (share * score**2).sum())[place]
    return z, cuts


def _in_common(z: Floats, weight: Floats, group: Whole) -> float:
    """Mean product of answers on different forms of the same group; 0 where there are none."""
    form, answers = z.sum(axis=1), weight.sum(axis=1)
    s, n = np.bincount(group, form), np.bincount(group, answers)
    pairs = float((n**2).sum() - (answers**2).sum())
    return float((s**2).sum() - (form**2).sum()) / pairs if pairs > 0 else 0.0
