"""Deadline bursts: raters who hand in most of their forms when the time is nearly over.

Not a statistic of its own; ``formality`` shows it. Raters are counted, not forms: who sends ten
forms in one sitting has chosen one moment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.numeric.intervals import wilson
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.result import Finding, estimates
from svcmetrics.verify.forms import Forms

# The last part of the time between the first and the last form of a wave.
LAST = 0.1
ALARM = 0.05


def late(forms: Forms, hours: np.ndarray) -> pd.DataFrame:
    """Share of raters with at least half of their forms in the last tenth, wave by wave.

    ``chance``: that share if moments were spread evenly. p is exact for even moments: the first and
    the last form make the time and so are no evidence, the other raters are binomial.
    """
    rows = [_of_wave(forms, hours, w) for w in range(len(forms.waves))]
    hits, raters, part, chance = (np.array(v, dtype=np.float64) for v in zip(*rows))
    low, high = wilson(hits, raters)
    some = raters > 2
    # At least hits − 1 of raters − 2: the upper tail of a binomial law.
    tail = special.betainc(np.maximum(hits - 1, 1), np.maximum(raters - hits, 1), part)
    p = np.where(hits > 1, tail, 1.0)
    p = np.where(some, p, np.nan)
    return estimates(
        "late", estimate=hits / np.where(some, raters, np.nan),
        low=np.where(some, low, np.nan), high=np.where(some, high, np.nan), n=raters.astype(int),
        chance=np.where(some, chance, np.nan), p=p, p_adjusted=benjamini_hochberg(p),
        position=np.arange(len(forms.waves)),
    )  # fmt: skip


def _of_wave(forms: Forms, hours: np.ndarray, wave: int) -> tuple[float, float, float, float]:
    """(late raters, raters, chance of one moment, expected share with first and last given)."""
    here = (forms.wave == wave) & np.isfinite(hours)
    moment, rater = hours[here], forms.rater[here]
    times = np.unique(moment)
    if len(times) < 2:
        return 0.0, 0.0, LAST, LAST
    length = times[-1] - times[0]
    # Whole days or hours: the last step is a larger part of a short time.
    step = np.diff(times).min()
    part = min((np.floor(LAST * length / step + 1e-9) + 1) / (np.rint(length / step) + 1), 1.0)
    n = np.bincount(rater)
    own = np.bincount(rater[moment >= times[-1] - LAST * length], minlength=len(n))
    raters = float((n > 0).sum())
    hits = float(((2 * own >= n) & (n > 0)).sum())
    return hits, raters, part, part + (1 - 2 * part) / raters


def findings(table: pd.DataFrame, wave: str | None) -> list[Finding]:
    """The waves in which more raters than an even spread explains waited for the end."""
    own = table[(table["metric"] == "late") & (table["p_adjusted"] <= ALARM)]
    if len(own) > 1 and wave:
        ends = {f"{k}_{end}": 100 * float(getattr(own[c], end)())
                for k, c in (("share", "estimate"), ("chance", "chance")) for end in ("min", "max")}  # fmt: skip
        return [Finding("formality.late_often", ends | {"waves": own[wave].astype(str).tolist()})]
    out = []
    for row in own.to_dict("records"):
        values = {k: 100 * row[c] for k, c in (("share", "estimate"), ("low", "low"),
                                               ("high", "high"), ("chance", "chance"))}  # fmt: skip
        name = str(row[wave]) if wave else ""
        key = "formality.late" if wave else "formality.late_whole"
        out.append(Finding(key, values | {"n": int(row["n"])} | ({"wave": name} if wave else {})))
    return out
