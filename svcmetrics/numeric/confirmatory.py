"""Confirmatory factors by maximum likelihood: each item on one factor, the factors correlated.

Jöreskog 1969, Psychometrika 34, 183-202. Items of one standard deviation each: the model does not
depend on the unit, so the fit is the same as for covariances. Fisher scoring with exact
derivatives, steps halved until the fit improves. Arrays only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

Floats = NDArray[np.float64]
_STEPS, _HALVINGS, _CLOSE = 100, 30, 1e-10
# Below this part of the largest, a direction of the parameters changes nothing in the model.
_TELLS = 1e-12
# Halvings that leave of an interval what rounding leaves.
_HALF = 60
# A unique variance below this is an improper solution (Heywood case).
_PROPER = 1e-4


@dataclass(frozen=True)
class Confirmed:
    """Standardised loadings and correlations of factors with their errors; misfit; unique parts."""

    loading: Floats
    loading_error: Floats
    phi: Floats
    phi_error: Floats
    unique: Floats
    implied: Floats
    misfit: float
    parameters: int
    proper: bool


def fit(r: Floats, factor: NDArray[np.int64], n: float) -> Confirmed | None:
    """The model of items (``factor``: the factor of each) at correlations ``r`` of ``n`` forms.

    None where no maximum is found: singular correlations, or a model the data cannot tell.
    """
    model = _Model.of(factor)
    theta = model.start(r)
    now = _at(r, model, theta)
    if now is None:
        return None
    misfit, slope, curve = now
    for _ in range(_STEPS):
        root, fault = linalg.lapack.dpotrf(curve, lower=1)
        if fault or np.diagonal(root).min() ** 2 < _TELLS * np.diagonal(root).max() ** 2:
            return None
        step = linalg.cho_solve((root, True), slope)
        if float(slope @ step) < _CLOSE**1.5:
            break
        for halving in range(_HALVINGS):
            tried = theta - step * 0.5**halving
            new = _at(r, model, tried)
            if new is not None and new[0] <= misfit + 1e-14:
                break
        else:
            return None
        theta, (misfit, slope, curve) = tried, new
    else:
        return None
    return _finished(model, theta, misfit, curve, n)


@dataclass(frozen=True)
class _Model:
    """Which parameter stands where: loadings, then correlations of factors, then unique parts."""

    factor: NDArray[np.int64]
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]]
    free: NDArray[np.int64]  # items whose unique variance is estimated

    @classmethod
    def of(cls, factor: NDArray[np.int64]) -> _Model:
        many = int(factor.max()) + 1
        alone = np.bincount(factor)[factor] == 1  # the only item of its factor is that factor
        return cls(factor, np.triu_indices(many, 1), np.flatnonzero(~alone))

    def start(self, r: Floats) -> Floats:
        """Equal loadings from the mean correlation within a factor; factors hardly correlated."""
        same = self.factor[:, None] == self.factor
        np.fill_diagonal(same, val=False)
        own = (np.abs(r) * same).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
        load = np.sqrt(np.clip(own, 0.05, 0.9))
        load = np.where(same.any(axis=1), load, 1.0) * np.where((r * same).sum(axis=1) < 0, -1, 1)
        return np.concatenate([load, np.full(len(self.pairs[0]), 0.1), 1 - load[self.free] ** 2])

    def parts(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        p, m = len(self.factor), int(self.factor.max()) + 1
        load, phi, unique = theta[:p], np.eye(m), np.zeros(p)
        phi[self.pairs] = phi.T[self.pairs] = theta[p : p + len(self.pairs[0])]
        unique[self.free] = theta[p + len(self.pairs[0]) :]
        return load, phi, unique

    def slopes(self, load: Floats, phi: Floats) -> Floats:
        """Derivatives of the implied covariances: parameters × items × items."""
        p, f = len(load), self.factor
        first, second = self.pairs
        out = np.zeros((p + len(first) + len(self.free), p, p))
        at = np.arange(p)
        row = phi[f][:, f] * load  # what item i moves of each other item
        out[at, at] = row
        out[at, :, at] += row
        ones = (f[:, None] == np.arange(phi.shape[0])) * load[:, None]
        cross = ones[:, first].T[:, :, None] * ones[:, second].T[:, None]
        out[p : p + len(first)] = cross + np.swapaxes(cross, 1, 2)
        out[p + len(first) + np.arange(len(self.free)), self.free, self.free] = 1.0
        return out


def _at(r: Floats, model: _Model, theta: Floats) -> tuple[float, Floats, Floats] | None:
    """Misfit, its slope and expected curvature; None where the implied covariances are none."""
    load, phi, unique = model.parts(theta)
    implied = phi[model.factor][:, model.factor] * np.outer(load, load) + np.diag(unique)
    sign, size = np.linalg.slogdet(implied)
    own, whole = np.linalg.slogdet(r)
    if sign <= 0 or own <= 0 or np.linalg.eigvalsh(implied)[0] < 1e-10:
        return None
    inverse = np.linalg.inv(implied)
    misfit = float(size - whole + (inverse * r).sum() - len(r))
    slopes = model.slopes(load, phi)
    turned = inverse @ slopes
    slope = ((inverse - inverse @ r @ inverse) * slopes).sum(axis=(1, 2))
    flat = turned.reshape(len(slopes), -1)
    curve = flat @ np.swapaxes(turned, 1, 2).reshape(len(slopes), -1).T
    return misfit, slope, curve


def _finished(model: _Model, theta: Floats, misfit: float, curve: Floats, n: float) -> Confirmed:
    load, phi, unique = model.parts(theta)
    p, many = len(load), len(model.pairs[0])
    # n/2 times the curvature is the information; standardised loadings by the delta method.
    covariance = np.linalg.inv(curve) * 2 / n
    size = load**2 + unique
    by_load, by_unique = unique / size**1.5, -load / (2 * size**1.5)
    out = np.zeros((p, len(theta)))
    out[np.arange(p), np.arange(p)] = by_load
    out[model.free, p + many + np.arange(len(model.free))] = by_unique[model.free]
    error = np.sqrt(np.maximum(((out @ covariance) * out).sum(axis=1), 0.0))
    phi_error = np.zeros_like(phi)
    spread = np.sqrt(np.maximum(np.diag(covariance)[p : p + many], 0.0))
    phi_error[model.pairs] = phi_error.T[model.pairs] = spread
    implied = phi[model.factor][:, model.factor] * np.outer(load, load) + np.diag(unique)
    proper = bool((unique[model.free] > _PROPER).all() and np.linalg.eigvalsh(phi)[0] > _PROPER)
    sign = np.where(np.bincount(model.factor, load) < 0, -1.0, 1.0)
    return Confirmed(
        load / np.sqrt(size) * sign[model.factor], error, phi * np.outer(sign, sign), phi_error,
        unique / size, implied, max(misfit, 0.0), len(theta), proper,
    )  # fmt: skip


def indices(r: Floats, found: Confirmed, n: float, level: float = 0.90) -> dict[str, float]:
    """Chi-square with its degrees of freedom, CFI, TLI, RMSEA with limits, SRMR.

    As lavaan: chi-square is n times the misfit (n, not n − 1). RMSEA: Steiger 1990; its limits by
    the noncentral chi-square at ``level``, which is customarily 90%. SRMR over correlations.
    """
    p = len(r)
    df = p * (p + 1) // 2 - found.parameters
    chi2 = n * found.misfit
    base, base_df = -n * float(np.linalg.slogdet(r)[1]), p * (p - 1) / 2
    excess, base_excess = max(chi2 - df, 0.0), max(base - base_df, chi2 - df, 0.0)
    out = {"chi2": chi2, "df": float(df), "base_chi2": base, "base_df": base_df}
    rest = r - found.implied
    out["srmr"] = float(np.sqrt((np.tril(rest) ** 2).sum() / (p * (p + 1) / 2)))
    if df == 0:  # as many parameters as correlations: nothing is left to test
        return out | dict.fromkeys(("p", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high"), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        tli = np.float64(base / base_df - chi2 / df) / (base / base_df - 1)
        cfi = 1 - excess / np.float64(base_excess) if base_excess > 0 else 1.0
    ends = [_noncentrality(chi2, df, q) for q in ((1 + level) / 2, (1 - level) / 2)]
    return out | {
        "p": float(special.chdtrc(df, chi2)), "cfi": float(cfi), "tli": float(tli),
        "rmsea": float(np.sqrt(excess / (n * df))),
        "rmsea_low": float(np.sqrt(ends[0] / (n * df))),
        "rmsea_high": float(np.sqrt(ends[1] / (n * df))),
    }  # fmt: skip


def chance(chi2: Floats | float, df: float) -> Floats:
    """The chance of a chi-square this large or larger."""
    return np.asarray(special.chdtrc(df, chi2))


def further(
    r: Floats, found: Confirmed, factor: NDArray[np.int64], n: float
) -> tuple[Floats, Floats]:
    """A further loading of each item on each other factor: chi-square of one degree, and its size.

    Score tests with the expected information (modification indices; Saris, Satorra and Sörbom
    1987). Items × factors; NaN for an item's own factor, and for items that are a factor alone.
    """
    model, m, p = _Model.of(factor), len(found.phi), len(factor)
    size = np.sqrt(np.diagonal(found.implied))
    load = found.loading * size
    slopes = model.slopes(load, found.phi)
    column = found.phi[:, factor] * load  # how factor f goes along with each item
    tries = [(i, f) for i in model.free for f in range(m) if f != factor[i]]
    out = np.full((p, m), np.nan), np.full((p, m), np.nan)
    if not tries:
        return out
    more = np.zeros((len(tries), p, p))
    for k, (i, f) in enumerate(tries):
        more[k, i] = column[f]
        more[k, :, i] += column[f]
    inverse = np.linalg.inv(found.implied)
    slope = ((inverse - inverse @ r @ inverse) * more).sum(axis=(1, 2))
    flat = [(inverse @ s).reshape(len(s), -1) for s in (slopes, more)]
    turned = [np.swapaxes(inverse @ s, 1, 2).reshape(len(s), -1) for s in (slopes, more)]
    cross = flat[0] @ turned[1].T
    own = (flat[1] * turned[1]).sum(axis=1)
    rest = own - (cross * np.linalg.solve(flat[0] @ turned[0].T, cross)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(rest > 1e-9 * own, rest, np.nan)
        at = tuple(np.array(tries).T)
        out[0][at], out[1][at] = n / 2 * slope**2 / rest, -slope / rest / size[at[0]]
    return out


def _noncentrality(chi2: float, df: int, chance: float) -> float:
    """The noncentrality at which values up to ``chi2`` have this chance; 0 where none has."""
    if special.chndtr(chi2, df, 0.0) <= chance:
        return 0.0
    top = max(chi2, 1.0)
    while special.chndtr(chi2, df, top) > chance:
        top *= 2
    low = 0.0
    for _ in range(_HALF):
        middle = (low + top) / 2
        low, top = (middle, top) if special.chndtr(chi2, df, middle) > chance else (low, middle)
    return (low + top) / 2
