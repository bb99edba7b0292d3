"""Forms copied from the wave before: exactly, and with one answer given anew.

Not a statistic of its own; ``formality`` shows it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric import copies, steadiness
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.result import estimates
from svcmetrics.verify.forms import Forms

# New answers that still make a near copy; forms shorter than this have none.
NEAR, LEAST = 1, 4
ALARM = 0.05
# Raters count as steadier only where this is clear: it makes a verdict milder.
CLEAR = 0.01
# With more pairs of forms than this, those of every second (third, …) rater tell it as well.
ENOUGH = 200_000
_WIDE = 1.959964


def copying(
    forms: Forms, draws: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, list[int]]:
    """Rows ``copying``, ``near_copying`` and ``copies`` of each wave; chance's part of the first.

    ``p_adjusted`` is over all waves and both kinds of copies together. Last come the waves in which
    copying raises an alarm, but raters who became steadier would do so as well.
    """
    last, flat = forms.last(), forms.flat()
    now = np.flatnonzero(last >= 0)
    codes = forms.coded[0]
    equal, common = copies.equal_answers(codes, now, last[now])
    usable = common >= copies.COMMON
    now, equal, common = now[usable], equal[usable], common[usable]
    lively = ~flat[last[now]]
    counts = []
    for w in range(len(forms.waves)):
        use = (forms.wave[now] == w) & lively
        unit = forms.rater[now[use]]
        counts.append(copies.histograms(equal[use], common[use], unit, len(forms.raters)))
    resamples = copies.resampled(counts, draws, rng)
    pairs = _rows(counts, resamples, 0, draws)
    long = [[{k: t for k, t in c.items() if k >= LEAST} for c in v] for v in (counts, resamples)]
    near = _rows(long[0], long[1], NEAR, draws)
    rows = [r.assign(position=w) for part in (pairs, near) for w, (r, _) in enumerate(part)]
    table = pd.concat(rows, ignore_index=True)
    follows, steady = _steadiness(forms, now[lively], last[now[lively]], flat, table)
    late = table["metric"] == "near_copying"
    # Steadier raters repeat more as well; forms that are copied also carry old chance along.
    table.loc[late, "p"] = np.maximum(table.loc[late, "p"], follows)
    table["p_adjusted"] = benjamini_hochberg(table["p"])
    alarm = [(table.loc[kind, "p_adjusted"] <= ALARM).to_numpy() for kind in (late, ~late)]
    either = np.flatnonzero(np.logical_or(*alarm) & (steady <= CLEAR)).tolist()
    exact = _copies(forms, now, last[now], equal == common)
    noise = np.stack([noise for _, noise in pairs], axis=1)
    return pd.concat([table, exact]), noise, either


def _steadiness(
    forms: Forms, now: np.ndarray, before: np.ndarray, flat: np.ndarray, rows: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """p of each wave: forms follow the last ones more than at first; answers lie less far apart.

    Looked at only where there is a possible alarm: elsewhere nothing hangs on it.
    """
    waves = len(forms.waves)
    if not (rows["p"] <= ALARM).any():
        return np.zeros(waves), np.ones(waves)
    some = forms.rater[now] % -(-len(now) // ENOUGH) == 0
    now, before = now[some], before[some]
    used = np.flatnonzero(np.bincount(np.concatenate([now, before]), minlength=len(forms)))
    covariance, variance = steadiness.apart(
        forms.answers[used], forms.wave[used], *np.searchsorted(used, [now, before])
    )
    wave, rater = forms.wave[now], forms.rater[now]
    follows = steadiness.risen(covariance, wave, rater, waves)
    # Straight lines are another way of going through the motions, and no steadier hand.
    tight = steadiness.risen(np.where(flat[now], np.nan, -variance), wave, rater, waves)
    return np.nan_to_num(follows, nan=0.0), tight


def _rows(
    counts: list[dict[int, np.ndarray]],
    resamples: list[dict[int, np.ndarray]],
    near: int,
    draws: int,
) -> list[tuple[pd.DataFrame, np.ndarray]]:
    """One row per wave, and its noise; nothing where no two forms can be compared."""
    seen = [w for w, c in enumerate(counts) if c]
    sums = [{k: t.sum(axis=0)[None] for k, t in counts[w].items()} for w in seen]
    whole = dict(zip(seen, copies.copying(sums, near)))
    drawn = dict(zip(seen, copies.copying([resamples[w] for w in seen], near)))
    name = "near_copying" if near else "copying"
    out = []
    for w in range(len(counts)):
        if w not in whole:
            out.append((estimates(name, n=0, p=np.nan), np.full(draws, np.nan)))
            continue
        row, noise = _row(name, whole[w], drawn[w], draws)
        if near:
            row = _more_often(row, [counts[v] for v in seen if v <= w])
        out.append((row, noise))
    return out


def _row(name: str, whole: Any, resamples: Any, draws: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The share copied beyond honest repetition, with limits and a one-sided p-value."""
    _, honest, n = (float(v[0]) for v in whole)
    if n <= honest:
        return estimates(name, n=int(n), expected=1.0, p=np.nan), np.full(draws, np.nan)
    point = float(copies.excess(*whole)[0])
    drawn = copies.excess(*resamples)
    # A resample of honest repetition alone leaves nothing to divide by: it tells nothing.
    known = np.isfinite(drawn)
    noise = np.where(known, drawn, 0.0) - (drawn[known].mean() if known.any() else 0.0)
    noise[~known] = 0.0
    # Few copies scatter at least as binomial draws of the honest rate do.
    least = np.sqrt(max(honest, 0.5) * (1 - honest / n)) / (n - honest)
    error = max(float(noise.std()), float(least))
    limits = np.clip([point - _WIDE * error, point, point + _WIDE * error], 0, 1)
    row = estimates(
        name, estimate=limits[1], low=limits[0], high=limits[2], n=int(n),
        expected=honest / n, raw=point, p=float(special.ndtr(-point / error)),
    )  # fmt: skip
    return row, noise * (error / noise.std() if noise.std() > 0 else 1.0)


def _more_often(row: pd.DataFrame, waves: list[dict[int, np.ndarray]]) -> pd.DataFrame:
    """Near copies are an alarm only where the same raters repeat more than at first, too.

    Steady raters beside erratic ones repeat nearly whole forms more often than one law of agreement
    says; they did so from the start. ``chance``: their share then.
    """
    z, before = copies.rise(waves, NEAR)
    p = float(special.ndtr(-z))
    return row.assign(chance=before, p=np.maximum(row["p"], p))


def _copies(forms: Forms, now: np.ndarray, before: np.ndarray, copied: np.ndarray) -> pd.DataFrame:
    """All exact copies, beside the chance Σp² per item from the rater's own habits."""
    waves = len(forms.waves)
    codes = forms.coded[0]
    chance = copies.chance_equal(codes, forms.rater, now, before)
    wave = forms.wave[now]
    n, hits = np.bincount(wave, minlength=waves), np.bincount(wave[copied], minlength=waves)
    low, high = wilson(hits, n)
    known = np.where(n > 0, n, np.nan)
    return estimates(
        "copies", estimate=hits / known, low=low, high=high, n=n,
        chance=np.bincount(wave, chance, minlength=waves) / known, position=np.arange(waves),
    )  # fmt: skip
