"""Collusion: are there groups of departments that favour one another, or fill in the same forms?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.study import MIN_RATERS
from svcmetrics.verify import collusion_groups as groups
from svcmetrics.verify import forms as reader
from svcmetrics.verify import ledger
from svcmetrics.verify.reciprocity_pairs import own_side
from svcmetrics.verify.words import as_targets

DRAWS = 500
UNITS = 4


@metric(
    better="lower", drawing="collusion",
    source="Westfall & Young 1993, Resampling-Based Multiple Testing, 2.5 (max-T); House method",
)  # fmt: skip
def collusion(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    rater_unit: str,
    rater_group: str | None = None,
    target_group: str | None = None,
    item: str | None = None,
    wave: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """Do groups of departments raise one another, or do raters hand in the same forms?

    ratings: one row per rating or answer. rater, target, score, item, wave: columns.
    rater_unit: the department of the rater, in the words of ``target``.
    rater_group, target_group: the side of both; favour to the own side is then taken out first.
    rng: seed or generator of the shuffles.

    Returns rows ``collusion``, one per kind of sign and group of departments (``cluster``): variant
    ``favour``, points that raters of these departments give each other beyond what raters and
    targets explain; variant ``forms`` (with three items or more), by how much the share of equal
    forms, straight lines apart, is above that of all raters on the same department and wave.
    ``p_adjusted``: share of shuffles of the departments among the raters in which any group stands
    out as much. Limits are simultaneous over all pairs of departments. A group is named at 5% and
    with 5 raters or more; otherwise the strongest one stands without a name. ``score_shift`` per
    department: the score without the favour of named groups, minus as it stands.

    Misleads: departments that work closely together may truly serve one another better, and see
    the same cases: agreement among them is no proof. Look at the facts and talk first.

    Source: shuffling with the largest statistic over groups (Westfall & Young 1993).

    >>> rng = np.random.default_rng(1)
    >>> r = pd.DataFrame([(f"{u}-{k}", u, t) for u in range(6) for k in range(5) for t in range(6)
    ...                   if u != t], columns=["who", "from", "unit"])
    >>> ring = (r["from"] < 3) & (r["unit"] < 3)
    >>> r["points"] = 3 + 0.8 * ring + rng.normal(0, 0.4, len(r))
    >>> found = collusion(r, rater="who", target="unit", score="points", rater_unit="from")
    >>> found.table["cluster"].iloc[0]
    '0–1–2'
    """
    forms = reader.read(
        ratings, rater=rater, target=target, item=item, score=score, wave=wave,
        extra=(rater_unit, rater_group, target_group),
    )  # fmt: skip
    forms = as_targets(forms, rater_unit)
    side = own_side(forms, rater_group, target_group)
    people = groups.people(forms, rater_unit)
    about: dict[str, Any] = {"dropped": {**forms.dropped, **people.dropped}, "draws": DRAWS,
                             "units": len(people.units), "method": "shuffled units, max-T"}  # fmt: skip
    notes = [*people.findings, *forms.findings]
    if people.mutual_units < UNITS or len(forms) < UNITS * MIN_RATERS:
        few = Finding("collusion.few", {"units": people.mutual_units, "least": UNITS}, "refused")
        none = estimates("collusion", groups={target: "", "cluster": ""}, n=0, p_adjusted=np.nan)
        return Result("collusion", none, [few, *notes], about)
    seed = bootstrap.generator(rng)
    favour, hit = groups.favour(forms, people, side, DRAWS, seed)
    same = groups.same_forms(forms, people, DRAWS, seed)
    rows = pd.concat([favour, same])
    shifts = _shifts(forms, favour, hit, target)
    found = [*_findings(favour, "favour"), *_findings(same, "forms")]
    found += ledger.finding(shifts, ledger.spread_of_targets(forms)) if len(shifts) else []
    if item is None or len(forms.items) < groups.ITEMS:
        found.append(Finding("collusion.no_forms", {"items": groups.ITEMS}))
    table = ledger.stacked(rows, shifts, target) if len(shifts) else _fronted(rows, target)
    return Result("collusion", table, [*found, *notes], about)


def _fronted(rows: pd.DataFrame, target: str) -> pd.DataFrame:
    out = rows.copy()
    out.insert(0, target, "")
    return out


def _shifts(
    forms: reader.Forms, favour: pd.DataFrame, hit: np.ndarray, target: str
) -> pd.DataFrame:
    """What the favour of the named groups does to the scores; no rows where none is named."""
    named = favour[favour["cluster"] != ""]
    if not len(named):
        return pd.DataFrame()
    row = named.iloc[0]
    effect = (float(row["estimate"]), float(row["low"]), float(row["high"]))
    return ledger.exposure_shift(forms, hit, effect, target)


def _findings(rows: pd.DataFrame, kind: str) -> list[Finding]:
    scale = 100 if kind == "forms" else 1
    out = [
        Finding(f"collusion.{kind}", {
            "names": row["cluster"], "n": int(row["n"]), "size": scale * row["estimate"],
            "low": scale * row["low"], "high": scale * row["high"], "p": row["p_adjusted"],
        }, "warning")
        for row in rows[rows["cluster"] != ""].to_dict("records")
    ]  # fmt: skip
    return out or ([Finding(f"collusion.no_{kind}_found", {})] if len(rows) else [])
