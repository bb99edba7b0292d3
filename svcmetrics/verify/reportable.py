"""Is this wave's mean reportable? Difference, agreement, numbers and formality read together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.result import Finding, Level, Result, estimates
from svcmetrics.tables import complete, unique
from svcmetrics.verify.agreement import agreement
from svcmetrics.verify.icc import icc
from svcmetrics.verify.straight_lining import straight_lining

# What a reportable mean must reach; each is read on the limit of its interval, not on the estimate.
LEAST = {"between": 0.0, "mean_reliability": 0.5, "raters": 5.0}
MOST = {"straight_lining": 0.2, "same_score": 0.9}
_COUNTED = ("raters", "same_score")
VERDICTS = ("no_information", "too_few", "mechanical", "not_yet", "yes")


@metric(
    better="higher", high=1, drawing="criteria",
    source="McGraw & Wong 1996; LeBreton & Senter 2008 (agreement is not reliability); House rule",
)  # fmt: skip
def reportable(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    item: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """May the mean scores of this wave be reported, and if not, why?

    ratings: the ratings of one wave, one row per rating (and item); repeated rows are an error.
    target, rater, score: the columns with the department, the person and the number given.
    item: the column with the item; then straight-lining counts too.
    rng: seed or generator of the resamples.

    Returns one row per criterion with the limit it must pass (``least`` or ``most``) and
    ``passed``: ``between`` (share of variance between departments), ``mean_reliability`` (of a
    department's mean), ``raw_agreement`` and ``agreement_beyond_chance`` (shown, not judged:
    agreement is no quality), ``raters`` (fewest in a department), ``same_score`` (share of the
    commonest score), ``straight_lining``. ``about["verdict"]`` is one of yes, not_yet,
    mechanical, too_few, no_information.

    Misleads: it judges the measurement, not the service; "yes" does not make a ranking. The
    limits are conventions written down before the data were seen: 0.50 for the lower limit of
    reliability, 5 raters, 20% straight lines, 90% for one score.

    Source: limits: Koo & Li 2016 (0.50), the privacy rule of this package (5 raters); that
    agreement and reliability answer different questions: LeBreton & Senter 2008.

    >>> r = pd.DataFrame({"d": [*"aaabbb"], "r": [1, 2, 3] * 2, "s": [5] * 6})
    >>> reportable(r, target="d", rater="r", score="s").about["verdict"]
    'no_information'
    """
    keys = [target, rater, *([item] if item else [])]
    kept, dropped = complete(ratings, score=score, by=keys)
    unique(kept, *keys)
    about: dict[str, Any] = {"dropped": dropped, "least": LEAST, "most": MOST}
    if kept.empty:
        about["verdict"] = "too_few"
        refused = Finding("reportable.no_scores", {}, "refused")
        return Result("reportable", _table([]), [refused], about)
    means = kept.groupby([target, rater], observed=True)[score].mean().reset_index()
    reliability = icc(means, target=target, rater=rater, score=score, rng=rng)
    rows = [*_reliability(reliability), *_agreement(kept, target, rater, score, item, rng)]
    rows += [_raters(means, target), _same_score(kept[score])]
    if item:
        rows += _straight(kept, target, rater, item, score)
    table = _table(rows)
    about["verdict"] = _verdict(table)
    return Result(
        "reportable", table, _reading(table, about["verdict"], reliability, kept[score]), about
    )


Row = tuple[str, float, float, float, int]


def _reliability(found: Result) -> list[Row]:
    rows = found.table[found.table["metric"] == "icc"].set_index("notation").to_dict("index")
    two_way = found.about.get("blocks", 1) == 1 and np.isfinite(rows["ICC(A,1)"]["estimate"])
    one, mean = ("ICC(A,1)", "ICC(A,k)") if two_way else ("ICC(1)", "ICC(k)")
    return [_row("between", rows[one]), _row("mean_reliability", rows[mean])]


def _row(name: str, row: dict[Any, Any]) -> Row:
    return (name, row["estimate"], row["low"], row["high"], int(row["n"]))


def _agreement(
    kept: pd.DataFrame, target: str, rater: str, score: str, item: str | None, rng: Any
) -> list[Row]:
    data = kept
    if item:  # one unit per department and item
        data = kept.assign(**{target: kept.groupby([target, item], observed=True).ngroup()})
    found = agreement(data, target=target, rater=rater, score=score, rng=rng)
    rows = found.table.set_index("variant").to_dict("index")
    names = {"raw_agreement": "raw_agreement", "agreement_beyond_chance": "krippendorff"}
    return [_row(name, rows[variant]) for name, variant in names.items() if variant in rows]


def _raters(means: pd.DataFrame, target: str) -> Row:
    size = means.groupby(target, observed=True).size()
    return ("raters", float(size.min()), np.nan, np.nan, len(size))


def _same_score(scores: pd.Series) -> Row:
    share = scores.value_counts().iloc[0] / len(scores)
    return ("same_score", float(share), np.nan, np.nan, len(scores))


def _straight(kept: pd.DataFrame, target: str, rater: str, item: str, score: str) -> list[Row]:
    form = "form" if "form" not in (item, score) else "form_"
    data = kept.assign(**{form: kept.groupby([target, rater], observed=True).ngroup()})
    found = straight_lining(data, form=form, item=item, score=score)
    return [_row("straight_lining", found.table.to_dict("records")[0])]


def _table(rows: list[Row]) -> pd.DataFrame:
    names = [r[0] for r in rows] or ["between"]
    value, low, high = (np.array([r[i] for r in rows] or [np.nan], dtype=float) for i in (1, 2, 3))
    least = np.array([LEAST.get(n, np.nan) for n in names])
    most = np.array([MOST.get(n, np.nan) for n in names])
    # The cautious end: a mean must be shown reliable; a straight line must be shown, not feared.
    # What has no limits by nature is judged as it stands; a reliability without limits is not shown.
    judged = np.where([n in _COUNTED for n in names], value, low)
    judged = np.where(np.isnan(value), np.nan, judged)
    passed = np.where(
        np.isfinite(least), judged >= least, np.where(np.isfinite(most), judged < most, True)
    )
    # No variance between departments can be told from 0 only when even the lower limit is above.
    passed = np.where([n == "between" for n in names], judged > 0, passed)
    judged_by = np.isfinite(least) | np.isfinite(most)
    judged_by &= np.isfinite(value) | np.array([n != "straight_lining" for n in names])
    table = estimates(
        "reportable", variant=names, estimate=value, low=low, high=high, n=[r[4] for r in rows] or [0],
        least=least, most=most,
        passed=[bool(p) if j else None for p, j in zip(passed, judged_by)],
    )  # fmt: skip
    counts = table["variant"] == "raters"
    table.loc[counts, "metric"] = "fewest_raters"
    return table


def _verdict(table: pd.DataFrame) -> str:
    rows = table.set_index("variant").to_dict("index")
    # "between" is missing when nothing varies or no department has two ratings.
    if rows["same_score"]["estimate"] == 1 or not rows["same_score"]["passed"]:
        return "no_information"
    if not rows["raters"]["passed"] or np.isnan(rows["between"]["estimate"]):
        return "too_few"
    # Forms of one or two items tell nothing of straight lines: not judged is not failed.
    if rows.get("straight_lining", {}).get("passed") is False:
        return "mechanical"
    if rows["between"]["high"] < 0.05:
        return "no_information"
    good = rows["between"]["passed"] and rows["mean_reliability"]["passed"]
    return "yes" if good else "not_yet"


def _reading(table: pd.DataFrame, verdict: str, found: Result, scores: pd.Series) -> list[Finding]:
    rows = table.set_index("variant").to_dict("index")
    mean = rows["mean_reliability"]
    values = {
        "same": 100 * rows["same_score"]["estimate"], "score": float(scores.mode().iloc[0]),
        "raters": int(rows["raters"]["estimate"]), "targets": int(rows["raters"]["n"]),
        "mean": mean["estimate"], "low": mean["low"], "high": mean["high"],
        "least": LEAST["mean_reliability"], "floor": int(LEAST["raters"]),
    }  # fmt: skip
    if "straight_lining" in rows:
        values["flat"] = 100 * rows["straight_lining"]["estimate"]
    level: Level = "note" if verdict == "yes" else "warning"
    notes = [Finding(f"reportable.{verdict}", values, level)]
    raw = rows.get("raw_agreement", {}).get("estimate", np.nan)
    if np.isfinite(raw) and raw >= 0.9 and verdict in ("no_information", "mechanical"):
        notes.append(Finding("reportable.agreement_is_no_quality", {"raw": 100 * raw}, "warning"))
    refused = [f for f in found.findings if f.level == "refused"]
    return [
        *notes,
        *refused,
        *[f for f in found.findings if f.key.startswith(("oddities.", "grid."))],
    ]
