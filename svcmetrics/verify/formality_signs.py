"""The signs of going through the motions, wave by wave: copies, straight lines, bursts, bits.

Not a statistic of its own; ``formality`` puts them into one table with one verdict.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.numeric import careless, copies, information, two_way
from svcmetrics.numeric.intervals import wilson
from svcmetrics.result import estimates
from svcmetrics.verify import formality_late
from svcmetrics.verify.forms import Forms

# A sheet shorter than this is equal to another's by chance.
SHEET = 10
# Groups of raters left out for the interval of the bits; fewer cells in memory.
_GROUPS = 50


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
    share = x / np.where(n > 0, n, np.nan)
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
    share = x / np.where(n > 0, n, np.nan)
    return estimates(
        "identical_sheets", estimate=share, low=low, high=high, n=n, position=np.arange(waves)
    )


def mixed(codes: np.ndarray) -> np.ndarray:
    """One number per form that tells different forms apart: a sum with random odd factors."""
    factors = pd.util.hash_array(np.arange(codes.shape[1])) | np.uint64(1)
    out = np.zeros(len(codes), np.uint64)
    for answer, factor in zip(codes.T, factors):
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
    return pd.concat(rows) if rows else estimates("bits", n=0, position=0)
