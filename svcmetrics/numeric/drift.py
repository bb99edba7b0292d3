"""Raters who change their severity over time, on arrays: the spread of it, and trends of single raters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from svcmetrics.numeric import mixed_checks
from svcmetrics.numeric.mixed import Mixed, reml
from svcmetrics.numeric.mixed_intervals import profile, satterthwaite
from svcmetrics.numeric.within import centred

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

# With more departments and waves than this their means are taken out beforehand.
_FIXED = 600
# Below this many standard errors an approximate chi-square has hardly a degree of freedom.
_THIN = 0.7


@dataclass(frozen=True)
class Drift:
    """Components by name, SD of rater × wave with limits, p of none of it.

    ``codes``: the rater and wave of each form, numbered; ``model``: whose factor ``own`` it is.
    """

    variances: dict[str, float]
    sd: tuple[float, float, float]
    p: float
    codes: Whole
    model: Mixed
    own: int

    def added(self, group: Whole, here: Flags) -> tuple[Floats, Floats]:
        """What drift adds to each group's mean of the forms ``here``; half of its 95% limits."""
        levels = len(self.model.effects[self.own])
        part = mixed_checks.shares(group, self.codes[here], int(group.max()) + 1, levels)
        return mixed_checks.carried(self.model, self.own, part, self.sd[2])


def spread(y: Floats, rater: Whole, pair: Whole, wave: Whole, moment: Whole) -> Drift:
    """``moment``: target by wave, whose means are held fixed; very many are taken out first."""
    waves = int(wave.max()) + 1
    codes = {"rater": rater, "pair": pair, "rater_wave": rater * waves + wave}
    codes = {k: np.unique(v, return_inverse=True)[1] for k, v in codes.items()}
    if int(codes["pair"].max()) + 1 >= len(y):
        del codes["pair"]
    if int(moment.max()) < _FIXED:
        model = reml(y, list(codes.values()), _indicators(moment))
    else:
        model = reml(centred(y, [moment]), list(codes.values()))
    own = list(codes).index("rater_wave")
    value = float(model.variances[own])
    error = float(model.errors[own])
    low, high = (profile(model, own, 0.95) if value < _THIN * error
                 else satterthwaite(value, error, 0.95))  # fmt: skip
    return Drift(
        dict(zip([*codes, "residual"], model.variances.tolist(), strict=True)),
        (value**0.5, low**0.5, high**0.5), mixed_checks.none_p(model, [own]),
        codes["rater_wave"], model, own,
    )  # fmt: skip


def _indicators(codes: Whole) -> Any:
    """Rows × codes, sparse: a one where a row has the code."""
    from scipy.sparse import csr_array

    place = (np.arange(len(codes)), codes)
    return csr_array((np.ones(len(codes)), place), shape=(len(codes), int(codes.max()) + 1))


def trends(
    y: Floats, rater: Whole, pair: Whole, wave: Whole, moment: Whole
) -> tuple[Floats, Floats]:
    """Each rater's change per wave on the same targets, beside all others; its two-sided p.

    One mean per rater and wave; the scatter of these means about the trends is pooled.
    """
    raters = int(rater.max()) + 1
    waves = int(wave.max()) + 1
    away = centred(y, [pair, moment])
    cell = rater * waves + wave
    n = np.bincount(cell, minlength=raters * waves).reshape(raters, waves).astype(float)
    mean = np.bincount(cell, away, minlength=raters * waves).reshape(raters, waves)
    mean = np.divide(mean, n, out=np.zeros_like(mean), where=n > 0)
    time = np.arange(waves, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (n @ time) / n.sum(axis=1)
        x = np.where(n > 0, time - middle[:, None], 0.0)
        square = (n * x**2).sum(axis=1)
        slope = (n * x * mean).sum(axis=1) / square
        level = (n * mean).sum(axis=1) / n.sum(axis=1)
    known = (square > 1e-9) & ((n > 0).sum(axis=1) > 2)
    rest = np.where(n > 0, mean - level[:, None] - slope[:, None] * x, 0.0)[known]
    left = int((n[known] > 0).sum()) - 2 * int(known.sum())
    if left < 1:
        return np.full(raters, np.nan), np.full(raters, np.nan)
    pooled = float((n[known] * rest**2).sum() / left)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(slope) / np.sqrt(pooled / square)
    return np.where(known, slope, np.nan), np.where(known, 2 * special.stdtr(left, -t), np.nan)
