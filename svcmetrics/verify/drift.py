"""Drift: do raters become milder or stricter over the waves, each in their own way?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import drift as arrays
from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, TooLarge
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import ledger


@metric(
    better="lower", low=0,
    drawing="score_shifts",
    source="Myford & Wolfe 2009, J. Educ. Meas. 46, 371-389 (rater functioning over time)",
    behind="raters",
)  # fmt: skip
def drift(
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    wave: str,
    item: str | None = None,
    time: str | None = None,
) -> Result:
    """Do raters change their severity from wave to wave?

    ratings: one row per rating or answer. rater, target, score, wave, item: columns.
    time: moment of submission; puts the waves in order (otherwise their names do).

    Returns ``drift``: standard deviation, in points, of what single raters are milder or stricter in a
    wave than they usually are, departments held fixed (REML; Satterthwaite limits);
    ``drifting``: share of raters with a trend of their own (Benjamini and Hochberg at 5%);
    ``level_change`` of each wave: how the same raters rate the same departments compared with the
    wave before (limits by raters); ``score_shift`` per department in the last wave without drift,
    beside the mean of all departments.

    Misleads: if all raters move together, that is a change of departments or of the common
    standard; ratings alone cannot tell, and ``level_change`` shows only their sum. Raters who
    copy last wave's form show no drift.

    Source: Myford & Wolfe 2009; variance components by restricted likelihood.

    >>> rng = np.random.default_rng(1)
    >>> r = pd.DataFrame([(p, d, w) for p in range(30) for d in range(5) for w in range(4)],
    ...                  columns=["who", "unit", "wave"])
    >>> r["s"] = 0.5 * rng.normal(size=(30, 4))[r["who"], r["wave"]] + rng.normal(0, 0.3, len(r))
    >>> found = drift(r, rater="who", target="unit", score="s", wave="wave").table
    >>> bool(found["low"].iloc[0] < 0.5 < found["high"].iloc[0])
    True
    """
    forms = reader.read(
        ratings, rater=rater, target=target, item=item, score=score, wave=wave, time=time
    )  # fmt: skip
    about: dict[str, Any] = {"dropped": forms.dropped, "forms": len(forms), "method": "REML"}
    if len(forms.waves) < 2 or len(forms.raters) < 3:
        return _refused("few", forms, about)
    codes = _codes(forms)
    try:
        found = arrays.spread(forms.centred(), *codes)
    except NoSpread:
        return _refused("flat", forms, about)
    except (NotIdentified, Singular, TooLarge):
        return _refused("not_identified", forms, about)
    about |= {"components": found.variances, "waves": [str(w) for w in forms.waves], "p": found.p}
    own = _own_trends(forms, codes)
    spread = estimates(
        "drift", estimate=found.sd[0], low=found.sd[1], high=found.sd[2], n=len(forms.raters)
    )
    shifts = _shifts(forms, found, target)
    rows = pd.concat([spread, own])
    rows.insert(0, wave, np.full(len(rows), "", dtype=object))
    rows = pd.concat([rows, _levels(forms, wave)])
    notes = [_reading(found, own), *ledger.finding(shifts, ledger.spread_of_targets(forms))]
    table = ledger.stacked(rows, shifts, target)
    return Result("drift", table, [*notes, *forms.findings], about)


def _refused(key: str, forms: reader.Forms, about: dict[str, Any]) -> Result:
    none = Finding(
        f"drift.{key}", {"waves": len(forms.waves), "raters": len(forms.raters)}, "refused"
    )
    return Result("drift", estimates("drift", n=len(forms.raters)), [none, *forms.findings], about)


def _codes(forms: reader.Forms) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    pair = np.unique(forms.rater * len(forms.targets) + forms.target, return_inverse=True)[1]
    moment = np.unique(forms.target * len(forms.waves) + forms.wave, return_inverse=True)[1]
    return forms.rater, pair, forms.wave, moment


def _own_trends(forms: reader.Forms, codes: tuple[np.ndarray, ...]) -> pd.DataFrame:
    """Share of raters with a trend of their own, many tests allowed for."""
    _, p = arrays.trends(forms.centred(), *codes)
    known = np.isfinite(p)
    n, hits = int(known.sum()), int((benjamini_hochberg(p)[known] <= 0.05).sum())
    low, high = wilson(hits, n)
    return estimates(
        "drifting", estimate=hits / n if n else np.nan, low=float(low), high=float(high), n=n
    )


def _levels(forms: reader.Forms, wave: str) -> pd.DataFrame:
    """Mean change of the same rater on the same target since the wave before; limits by raters."""
    last = forms.last()
    rows = []
    for w in range(1, len(forms.waves)):
        now = np.flatnonzero((forms.wave == w) & (last >= 0))
        step = forms.answers[now] - forms.answers[last[now]]
        known = np.isfinite(step)
        both = known.any(axis=1)
        change = np.where(known, step, 0.0).sum(axis=1)[both] / known.sum(axis=1)[both]
        rows.append(_mean_by_rater(change, forms.rater[now][both], {wave: [forms.waves[w]]}))
    return pd.concat(rows)


def _mean_by_rater(x: np.ndarray, rater: np.ndarray, groups: dict[str, Any]) -> pd.DataFrame:
    who = np.unique(rater, return_inverse=True)[1]
    raters = int(who.max()) + 1 if len(who) else 0
    if raters < 3:
        return estimates("level_change", groups=groups, n=raters)
    mean = float(x.mean())
    parts = np.bincount(who, x - mean) / len(x)
    half = special.stdtrit(raters - 1, 0.975) * np.sqrt((parts**2).sum() * raters / (raters - 1))
    return estimates(
        "level_change", groups=groups, estimate=mean, low=mean - half, high=mean + half, n=raters
    )


def _shifts(forms: reader.Forms, found: arrays.Drift, target: str) -> pd.DataFrame:
    """Each target's score of the last wave without drift, minus that with it; targets' mean zero."""
    here = forms.wave == len(forms.waves) - 1
    there, group = np.unique(forms.target[here], return_inverse=True)
    shift, half = np.full((2, len(forms.targets)), np.nan)
    added, half[there] = found.added(group, here)
    shift[there] = -added
    rows = reader.part_of(forms, here)
    return ledger.shift_rows(rows, shift, shift - half, shift + half, target)


def _reading(found: arrays.Drift, own: pd.DataFrame) -> Finding:
    sd, low, high = found.sd
    row = own.iloc[0]
    values = {"sd": sd, "low": low, "high": high, "n": int(row["n"]),
              "count": round(row["estimate"] * row["n"]) if row["n"] else 0,
              "severity": float(found.variances.get("rater", 0.0)) ** 0.5}  # fmt: skip
    sure = np.isfinite(low) and low > 0.5 * values["severity"] and low > 0
    return Finding("drift.large" if sure else "drift.small", values, "warning" if sure else "note")
