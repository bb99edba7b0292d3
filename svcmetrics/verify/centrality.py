"""Centrality: do raters hide in the middle of the scale, or live at its ends?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, honest
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import ledger

# Simulated raters for the comparison, at least; and raters needed.
SIMULATED, RATERS = 20_000, 20
# A rater with fewer answers has no spread to speak of.
ANSWERS = 6


@metric(
    better="lower", low=0, high=1, drawing="against_chance",
    source="Saal, Downey & Lahey 1980, Psychol. Bull. 88, 413-428; House method (simulated raters)",
    behind="raters",
)  # fmt: skip
def centrality(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    item: str,
    score: str,
    wave: str | None = None,
    scale: tuple[float, float] | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """How many raters use less of the scale than others would on the same forms, or only its ends?

    ratings: one row per answer. rater, target, item, score, wave: columns.
    scale: lowest and highest answer offered; otherwise the lowest and highest seen.
    rng: seed or generator of the simulation.

    Returns ``centrality`` (variants central and extreme): shares of raters whose answers spread
    less, or more, around their own mean than those of simulated raters with the same forms,
    shares of answers and correlations (Benjamini and Hochberg at 5% over raters and both sides;
    ``chance``: what that leaves of honest raters at most); ``middle`` and ``ends``: shares of all
    answers on the middle and on the two end points, with limits by raters. ``score_shift`` per
    department: its mean when every rater's spread is brought to the common one, minus as it
    stands.

    Misleads: a rater who saw similar departments has little to spread. A middle point used as
    "do not know" looks like centrality. With an even scale there is no middle point.

    Source: Saal, Downey & Lahey 1980 (range restriction within raters).

    >>> rng = np.random.default_rng(1)
    >>> r = pd.DataFrame([(p, d, i) for p in range(40) for d in range(4) for i in range(5)],
    ...                  columns=["who", "unit", "item"])
    >>> r["s"] = rng.integers(1, 6, len(r)).astype(float)
    >>> r.loc[r["who"] < 5, "s"] = 3.0
    >>> found = centrality(r, rater="who", target="unit", item="item", score="s").table
    >>> found["estimate"].iloc[0]
    np.float64(0.125)
    """
    forms = reader.read(ratings, rater=rater, target=target, item=item, score=score, wave=wave)
    low, high = _scale(forms, scale)
    about: dict[str, Any] = {"dropped": forms.dropped, "forms": len(forms), "scale": (low, high),
                             "method": "Gaussian copula at the observed marginals"}  # fmt: skip
    answers = np.bincount(forms.rater, np.isfinite(forms.answers).sum(axis=1))
    n = int((answers >= ANSWERS).sum())
    if n < RATERS:
        none = Finding("centrality.few", {"raters": n, "least": RATERS}, "refused")
        return Result("centrality", estimates("centrality", variant="central", n=n), [none], about)
    spread, p = _spread(forms, answers, bootstrap.generator(rng))
    least = benjamini_hochberg(p.ravel())
    about["p"] = float(np.nanmin(least))  # of the rater who stands out most, all raters allowed for
    rows = pd.concat([_shares(p, n), _answers(forms, low, high)])
    shifts = _shifts(forms, spread, target)
    notes = [_reading(rows), *ledger.finding(shifts, ledger.spread_of_targets(forms))]
    table = ledger.stacked(rows, shifts, target)
    return Result("centrality", table, [*notes, *forms.findings], about)


def _scale(forms: reader.Forms, scale: tuple[float, float] | None) -> tuple[float, float]:
    known = forms.answers[np.isfinite(forms.answers)]
    if scale is None:
        return (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
    if not scale[0] < scale[1]:
        raise table_error("scale_unusable", low=scale[0], high=scale[1])
    return float(scale[0]), float(scale[1])


def _spread(
    forms: reader.Forms, answers: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Each rater's log spread around the own mean; p of so little and of so much (columns)."""
    size = len(forms.raters)
    pair = np.unique(forms.rater * len(forms.targets) + forms.target, return_inverse=True)[1]
    model = honest.fitted(forms.answers, forms.rater, pair)
    seen = _deviation(forms.answers, forms.rater, size)
    draws = max(4, -(-SIMULATED // size))
    drawn = np.stack([_deviation(model.draw(rng), forms.rater, size) for _ in range(draws)])
    heard, stratum = answers >= ANSWERS, np.floor(np.log2(answers))
    p = np.full((size, 2), np.nan)
    for s in np.unique(stratum[heard]):
        here = heard & (stratum == s)
        pool = np.sort(drawn[:, here].ravel())
        below = np.searchsorted(pool, seen[here] + 1e-9, side="right")
        above = len(pool) - np.searchsorted(pool, seen[here] - 1e-9, side="left")
        p[here] = np.stack([1 + below, 1 + above], axis=1) / (1 + len(pool))
    return seen, p


def _deviation(answers: np.ndarray, rater: np.ndarray, size: int) -> np.ndarray:
    """Standard deviation of a rater's answers, items taken relative to their mean."""
    known = np.isfinite(answers)
    n_item = np.maximum(known.sum(axis=0), 1)
    away = np.where(known, answers - np.where(known, answers, 0).sum(axis=0) / n_item, 0.0)
    n = np.bincount(rater, known.sum(axis=1), minlength=size)
    s = np.bincount(rater, away.sum(axis=1), minlength=size)
    q = np.bincount(rater, (away**2).sum(axis=1), minlength=size)
    return np.sqrt(np.maximum(q - s**2 / np.maximum(n, 1), 0) / np.maximum(n - 1, 1))


def _shares(p: np.ndarray, n: int) -> pd.DataFrame:
    adjusted = benjamini_hochberg(p.ravel()).reshape(p.shape)
    hits = (adjusted <= 0.05).sum(axis=0)
    low, high = wilson(hits, n)
    return estimates("centrality", variant=["central", "extreme"], estimate=hits / n, low=low,
                     high=high, n=n, chance=0.05 * hits / n)  # fmt: skip


def _answers(forms: reader.Forms, low: float, high: float) -> pd.DataFrame:
    """Shares of answers on the middle and on the ends, with limits that respect raters."""
    known = np.isfinite(forms.answers)
    n = np.bincount(forms.rater, known.sum(axis=1))
    kinds = {"middle": forms.answers == (low + high) / 2,
             "ends": (forms.answers == low) | (forms.answers == high)}  # fmt: skip
    rows = []
    for name, hit in kinds.items():
        x = np.bincount(forms.rater, (hit & known).sum(axis=1))
        share = x.sum() / n.sum()
        half = 1.959964 * np.sqrt(((x - share * n) ** 2).sum()) / n.sum()
        rows.append(estimates(name, estimate=share, low=max(share - half, 0), high=min(share + half, 1),
                              n=len(n), chance=np.nan))  # fmt: skip
    return pd.concat(rows)


def _shifts(forms: reader.Forms, spread: np.ndarray, target: str) -> pd.DataFrame:
    """Targets' means with every rater's deviations stretched to the common spread."""
    score, size = forms.centred(), len(forms.targets)
    raters = len(spread)
    own = np.bincount(forms.rater, score, minlength=raters) / np.bincount(
        forms.rater, minlength=raters
    )
    usable = np.isfinite(spread) & (spread > 0.1 * np.nanmedian(spread))
    factor = np.where(usable, np.nanmedian(spread) / np.where(usable, spread, 1.0), 1.0)
    change = (score - own[forms.rater]) * (factor[forms.rater] - 1)
    n = np.bincount(forms.target, minlength=size)
    shift = np.bincount(forms.target, change, minlength=size) / n
    square = np.bincount(forms.target, (change - shift[forms.target]) ** 2, minlength=size)
    half = 1.959964 * np.sqrt(square) / n
    return ledger.shift_rows(forms, shift, shift - half, shift + half, target)


def _reading(rows: pd.DataFrame) -> Finding:
    row, ends = rows.iloc[0], rows.iloc[1]
    middle = rows[rows["metric"] == "middle"].iloc[0]
    values = {"share": 100 * row["estimate"], "low": 100 * row["low"], "high": 100 * row["high"],
              "n": int(row["n"]), "extreme": 100 * ends["estimate"], "middle": 100 * middle["estimate"]}  # fmt: skip
    some = row["estimate"] + ends["estimate"] > 0
    return Finding(
        "centrality.some" if some else "centrality.none",
        values,
        "warning" if row["low"] > 0.05 else "note",
    )
