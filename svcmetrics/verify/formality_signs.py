"""The signs of going through the motions, wave by wave: copies, straight lines, bursts, bits.

Not a statistic of its own; ``formality`` puts them into one table with one verdict.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric import careless, copies, information, two_way
from svcmetrics.numeric.intervals import wilson
from svcmetrics.result import estimates
from svcmetrics.verify import formality_late
from svcmetrics.verify.forms import Forms

# A sheet shorter than this is equal to another's by chance.
SHEET = 10
# Groups of raters left out for the interval of the bits; fewer cells in memory.
_GROUPS = 50


def copying(forms: Forms, draws: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows ``copying`` and ``copies`` of each wave; and what chance does to ``copying``."""
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
    found = iter(copies.resampled(counts, draws, rng))
    pairs = [_copying_row(c, next(found) if c else None, draws) for c in counts]
    rows = [row.assign(position=w) for w, (row, _) in enumerate(pairs)]
    return (
        pd.concat([*rows, _copies(forms, now, last[now], equal == common)], ignore_index=True),
        np.stack([noise for _, noise in pairs], axis=1),
    )


def _copying_row(
    counts: dict[int, np.ndarray], resamples: Any, draws: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """The share copied beyond honest repetition, with limits and a one-sided p-value."""
    if resamples is None:
        return estimates("copying", n=0, p=np.nan), np.full(draws, np.nan)
    whole = copies.copying({k: t.sum(axis=0)[None] for k, t in counts.items()})
    _, honest, n = (float(v[0]) for v in whole)
    if n <= honest:
        return estimates("copying", n=int(n), expected=1.0, p=np.nan), np.full(draws, np.nan)
    point = float(copies.excess(*whole)[0])
    drawn = copies.excess(*resamples)
    # A resample of honest repetition alone leaves nothing to divide by: it tells nothing.
    known = np.isfinite(drawn)
    noise = np.where(known, drawn, 0.0) - (drawn[known].mean() if known.any() else 0.0)
    noise[~known] = 0.0
    # Few copies scatter at least as binomial draws of the honest rate do.
    least = np.sqrt(max(honest, 0.5) * (1 - honest / n)) / (n - honest)
    error = max(float(noise.std()), float(least))
    limits = np.clip([point - 1.959964 * error, point, point + 1.959964 * error], 0, 1)
    row = estimates(
        "copying", estimate=limits[1], low=limits[0], high=limits[2], n=int(n),
        expected=honest / n, raw=point, p=float(special.ndtr(-point / error)),
    )  # fmt: skip
    return row, noise * (error / noise.std() if noise.std() > 0 else 1.0)


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


def others(forms: Forms, time: str | None, changed: str | None) -> list[pd.DataFrame]:
    """The remaining signs, one table each."""
    out = [_flat(forms), _sheets(forms), _bits(forms)]
    if changed is not None:
        out.append(_changed(forms, forms.extra[changed]))
    if time is not None:
        out.append(formality_late.late(forms, forms.extra[time].astype("float64")))
    return out


def _shares(forms: Forms, name: str, hit: np.ndarray, use: np.ndarray, **more: Any) -> pd.DataFrame:
    """A share per wave with Wilson's interval."""
    waves = len(forms.waves)
    n = np.bincount(forms.wave[use], minlength=waves)
    x = np.bincount(forms.wave[use & hit], minlength=waves)
    low, high = wilson(x, n)
    share = np.where(n > 0, x / np.maximum(n, 1), np.nan)
    return estimates(
        name, estimate=share, low=low, high=high, n=n, position=np.arange(waves), **more
    )  # fmt: skip


def _flat(forms: Forms) -> pd.DataFrame:
    """Forms with one answer throughout, beside the exact chance at each item's shares."""
    codes = forms.coded[0]
    answered = (codes >= 0).sum(axis=1)
    use = answered >= copies.COMMON
    complete = np.bincount(forms.wave[answered == codes.shape[1]], minlength=len(forms.waves))
    chance = np.full(len(forms.waves), np.nan)
    for w in np.unique(forms.wave[use]):
        # Most forms are complete and have the same chance; the others are worked out one by one.
        others = codes[use & (forms.wave == w) & (answered < codes.shape[1])] >= 0
        whole = complete[w] * (codes.shape[1] >= copies.COMMON)
        times = np.append(np.ones(len(others)), whole)
        patterns = np.append(others, np.ones((1, codes.shape[1]), bool), axis=0)
        shares = careless.marginals_of(codes[use & (forms.wave == w)])
        own = careless.chance_all_same(shares, patterns)
        chance[w] = own @ times / times.sum()
    return _shares(forms, "flat", forms.flat(), use, chance=chance)


def _changed(forms: Forms, changed: np.ndarray) -> pd.DataFrame:
    """Copies of the form before although the facts about the department had changed."""
    last = forms.last()
    codes = forms.coded[0]
    equal, common = copies.equal_answers(codes, np.arange(len(codes)), np.maximum(last, 0))
    told = pd.Series(changed).astype("boolean").fillna(False).to_numpy(bool)
    use = (last >= 0) & (common >= copies.COMMON) & told
    return _shares(forms, "copies_changed", equal == common, use)


def _sheets(forms: Forms) -> pd.DataFrame:
    """Raters whose answers to the whole wave equal another rater's; uniform sheets apart."""
    codes = forms.coded[0]
    place = pd.util.hash_array(forms.target.astype(np.int64))
    with np.errstate(over="ignore"):
        mark = pd.util.hash_array(mixed(codes)) * (place | 1)
        frame = pd.DataFrame({"wave": forms.wave, "rater": forms.rater, "mark": mark})
        frame["answers"], frame["forms"] = (codes >= 0).sum(axis=1), 1
        frame["low"] = np.where(codes < 0, np.iinfo(codes.dtype).max, codes).min(axis=1)
        frame["high"] = codes.max(axis=1)
        sheets = frame.groupby(["wave", "rater"], as_index=False).agg(
            {"mark": "sum", "answers": "sum", "forms": "sum", "low": "min", "high": "max"}
        )
    long = sheets[(sheets["answers"] >= SHEET) & (sheets["forms"] > 1)]
    long = long[long["low"] < long["high"]]
    twin = long.duplicated(["wave", "mark", "answers"], keep=False).to_numpy()
    waves = len(forms.waves)
    n = np.bincount(long["wave"], minlength=waves)
    x = np.bincount(long["wave"][twin], minlength=waves)
    low, high = wilson(x, n)
    share = np.where(n > 0, x / np.maximum(n, 1), np.nan)
    return estimates(
        "identical_sheets", estimate=share, low=low, high=high, n=n, position=np.arange(waves)
    )


def mixed(codes: np.ndarray) -> np.ndarray:
    """One number per form that tells different forms apart: a sum with random odd factors."""
    factors = pd.util.hash_array(np.arange(codes.shape[1])) | np.uint64(1)
    out = np.zeros(len(codes), np.uint64)
    for answer, factor in zip(codes.T, factors, strict=True):
        out += (answer + 2).astype(np.uint64) * factor
    return out


def _bits(forms: Forms) -> pd.DataFrame:
    """Bits per form that the answer before it and the last form did not foretell."""
    last = forms.last()
    codes, values = forms.coded
    memory = np.where((last >= 0)[:, None], codes[np.maximum(last, 0)], -1)
    groups = min(len(forms.raters), _GROUPS)
    waves = len(forms.waves)
    rows: list[pd.DataFrame] = []
    for w in range(waves if len(values) <= information.VALUES else 0):
        here = forms.wave == w
        now = codes[here]
        counts = information.contexts(now, memory[here], forms.rater[here] % groups, groups)
        per_form = (now >= 0).sum() / len(now)
        whole = information.bits_per_answer(counts.sum(axis=0)[None])
        left = information.bits_per_answer(counts.sum(axis=0) - counts)
        low, high, _ = two_way.jackknife(whole, left[:, None])
        rows.append(estimates(
            "bits", estimate=whole * per_form, low=np.maximum(low * per_form, 0),
            high=high * per_form, n=int(here.sum()), position=w,
        ))  # fmt: skip
    return pd.concat(rows, ignore_index=True) if rows else estimates("bits", n=0, position=0)
