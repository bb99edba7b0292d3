"""Mode effect: do people rate differently when their name is on the form?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, randomise, within
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import grid, ledger

DRAWS = 2000
# Forms of a rater beyond this number add little: what they share does not average out.
_HALF = 1.0


@metric(
    better="neither",
    drawing="score_shifts",
    source="Rosenbaum 2002, Observational Studies, 2.4 and 2.6 (randomisation inference)",
    behind="raters",
)
def mode_effect(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    mode: str,
    stratum: str | None = None,
    item: str | None = None,
    wave: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do people give other scores when the form is named instead of anonymous?

    ratings: one row per rating or answer. rater, target, score, item, wave: columns.
    mode: the column with two words, such as named and confidential, drawn by lot for each rater.
    stratum: within which the lot was drawn, such as the rater's department.
    rng: seed or generator of the lots.

    Returns ``mode_effect`` in points (named minus the other), with the interval of effects that the
    lot does not reject at 5% and the p-value of no effect at all; department by wave is held fixed.
    ``score_shift`` per department: the score if all forms were alike, minus the score as it stands.
    ``n``: raters. Raters who used both modes are left out and counted.

    Misleads: without a lot, raters who choose to be named differ anyway: then this is a comparison,
    no effect. Raters who answer only under one mode (refusal to sign) are missing from the other.

    Source: Rosenbaum 2002, 2.4 (tests) and 2.6 (intervals by inverting them).

    >>> rng = np.random.default_rng(1)
    >>> r = pd.DataFrame([(p, d) for p in range(40) for d in range(3)], columns=["who", "unit"])
    >>> r["mode"] = np.where(r["who"] % 2, "named", "confidential")
    >>> r["points"] = 3 + 0.5 * (r["mode"] == "named") + rng.normal(0, 0.3, len(r))
    >>> found = mode_effect(r, rater="who", target="unit", score="points", mode="mode")
    >>> found.table["estimate"].round(1).iloc[0]
    np.float64(0.5)
    """
    forms = reader.read(
        ratings, rater=rater, target=target, item=item, score=score, wave=wave, extra=(mode, stratum)
    )  # fmt: skip
    forms, mixed = _one_mode(forms, forms.extra[mode])
    words = _words(forms.extra[mode]) if len(forms) else []
    about: dict[str, Any] = {"dropped": {**forms.dropped, **({"both_modes": mixed} if mixed else {})},
                             "method": "randomisation inference", "draws": DRAWS, "modes": words}  # fmt: skip
    if len(words) != 2:
        none = Finding("mode_effect.not_two", {"modes": words}, "refused")
        return Result("mode_effect", estimates("mode_effect", n=0), [none, *forms.findings], about)
    named = forms.extra[mode].astype(str) == words[1]
    layer = forms.extra[stratum] if stratum else np.zeros(len(forms), int)
    about["raters_of_mode"] = min(len(np.unique(forms.rater[named == k])) for k in (True, False))
    seen, low, high, p, n = _effect(forms, named, layer, bootstrap.generator(rng))
    row = estimates("mode_effect", variant=f"{words[1]} − {words[0]}", estimate=seen, low=low,
                    high=high, n=n, p=p)  # fmt: skip
    if not np.isfinite(seen):
        none = Finding("mode_effect.no_contrast", {}, "refused")
        return Result("mode_effect", row, [none, *forms.findings], about)
    shifts = ledger.exposure_shift(forms, named.astype(float), (seen, low, high), target)
    notes = [_reading(row.iloc[0], words)]
    notes += ledger.finding(shifts, ledger.spread_of_targets(forms))
    table = ledger.stacked(row, shifts, target)
    return Result("mode_effect", table, [*notes, *forms.findings], about)


def _reading(row: pd.Series, words: list[str]) -> Finding:
    values = {
        "effect": row["estimate"], "low": row["low"], "high": row["high"], "n": int(row["n"]),
        "p": row["p"], "one": words[1], "other": words[0],
    }  # fmt: skip
    word = "higher" if row["low"] > 0 else "lower" if row["high"] < 0 else "unclear"
    return Finding(f"mode_effect.{word}", values, "note" if word == "unclear" else "warning")


def _one_mode(forms: reader.Forms, modes: np.ndarray) -> tuple[reader.Forms, int]:
    """Forms with a known mode of raters who always used the same; how many raters were not."""
    known = pd.notna(modes)
    kinds = pd.Series(modes[known]).groupby(forms.rater[known]).nunique()
    many = kinds.index[kinds > 1].to_numpy()
    return reader.part(forms, known & ~np.isin(forms.rater, many)), len(many)


def _words(modes: np.ndarray) -> list[str]:
    """The two modes; "named" last, so that the effect is that of the name."""
    return sorted({str(m) for m in modes}, key=lambda m: (m == "named", m))


def _effect(
    forms: reader.Forms, named: np.ndarray, layer: np.ndarray, rng: np.random.Generator
) -> tuple[float, float, float, float, int]:
    """Each rater's mean distance from the department's mean, compared by lot."""
    moment = np.unique(forms.target * len(forms.waves) + forms.wave, return_inverse=True)[1]
    away = within.centred(forms.centred(), [moment])
    raters, first, who = np.unique(forms.rater, return_index=True, return_inverse=True)
    n = np.bincount(who)
    outcome = np.bincount(who, away) / n
    strata = grid.positions(pd.Series(layer[first], dtype="object").fillna("—"))[0]
    found = randomise.effect(outcome, named[first], strata, n / (n + _HALF), DRAWS, rng)
    return (*found, len(raters))
