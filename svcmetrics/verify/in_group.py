"""In-group favour: do raters give their own side more than others give it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import within
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import forms as reader
from svcmetrics.verify import ledger
from svcmetrics.verify.words import alike


@metric(
    better="neither",
    drawing="score_shifts",
    source="Cameron & Miller 2015, J. Human Resources 50, 317-372 (errors clustered by rater)",
)
def in_group(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    rater_group: str,
    target_group: str,
    item: str | None = None,
    wave: str | None = None,
) -> Result:
    """Do raters favour departments of their own group (unit, line of management)?

    ratings: one row per rating or answer. rater, target, score, item, wave: columns.
    rater_group, target_group: the group of the rater and of the rated department, in the same
        words; a rating is in-group where both are equal.

    Returns ``in_group``: how many points a rater gives the own group above what the same rater
    gives others and what others give the same department (rater and department by wave are held
    fixed; 95% interval by raters, Student). ``score_shift`` per department: the score without the
    favour minus the score as it stands; only raters who rate both sides tell anything.

    Misleads: people may be served better by their own line; this cannot be told from favour. With
    two or three groups, anything else that sets them apart is counted in.

    Source: two-way fixed effects; Cameron & Miller 2015.

    >>> r = pd.DataFrame([(p, d, 3 + (p % 2 == d % 2) + (p * d) % 3 / 2) for p in range(8)
    ...                   for d in range(4)], columns=["who", "unit", "points"])
    >>> r["mine"], r["theirs"] = r["who"] % 2, r["unit"] % 2
    >>> found = in_group(r, rater="who", target="unit", score="points", rater_group="mine",
    ...                  target_group="theirs")
    >>> bool(found.table["low"].iloc[0] > 0.5)
    True
    """
    forms = reader.read(
        ratings, rater=rater, target=target, item=item, score=score, wave=wave,
        extra=(rater_group, target_group),
    )  # fmt: skip
    own, other = (pd.Series(forms.extra[c], dtype="object") for c in (rater_group, target_group))
    mine: np.ndarray = own.to_numpy(dtype=object)
    theirs: np.ndarray = alike(other, own.dropna().unique()).to_numpy(dtype=object)
    known = pd.notna(mine) & pd.notna(theirs)
    dropped = {**forms.dropped, **({"no_group": int((~known).sum())} if not known.all() else {})}
    forms = reader.part(forms, known)
    same = (mine[known] == theirs[known]).astype("float64")
    about: dict[str, Any] = {"dropped": dropped, "forms": len(forms),
                             "method": "two-way fixed effects, errors clustered by rater"}  # fmt: skip
    found = _found(forms, same)
    about["raters_with_both"] = found.clusters if found else 0
    if found is None or not np.isfinite(found.estimate):
        none = Finding("in_group.undefined", {"forms": len(forms)}, "refused")
        return Result("in_group", estimates("in_group", n=0), [none, *forms.findings], about)
    row = estimates(
        "in_group", estimate=found.estimate, low=found.low, high=found.high, n=found.clusters, p=found.p
    )  # fmt: skip
    shifts = ledger.exposure_shift(forms, same, (found.estimate, found.low, found.high), target)
    notes = [
        _reading(found, float(same.mean())),
        *ledger.finding(shifts, ledger.spread_of_targets(forms)),
    ]
    return Result("in_group", ledger.stacked(row, shifts, target), [*notes, *forms.findings], about)


def _found(forms: reader.Forms, same: np.ndarray) -> within.Slope | None:
    if len(forms) < 4:
        return None
    moment = np.unique(forms.target * len(forms.waves) + forms.wave, return_inverse=True)[1]
    return within.slope(forms.centred(), same, [forms.rater, moment], forms.rater)


def _reading(found: within.Slope, share: float) -> Finding:
    values = {"effect": found.estimate, "low": found.low, "high": found.high, "n": found.clusters,
              "share": 100 * share}  # fmt: skip
    word = "favour" if found.low > 0 else "against" if found.high < 0 else "unclear"
    return Finding(f"in_group.{word}", values, "note" if word == "unclear" else "warning")
