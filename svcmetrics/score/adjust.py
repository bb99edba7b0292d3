"""Departments as if all had been rated by the same raters."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from svcmetrics.metric import metric
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, TooLarge
from svcmetrics.numeric.raters import (
    Fitted,
    Means,
    Ratings,
    adjusted,
    fixed_targets,
    raw,
    shrunken,
    subsets,
)
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._adjust_findings import findings, refusal
from svcmetrics.tables import complete, numbers, once, require, unique

_LEVEL = 0.95
_VARIANTS = ("raw mean", "adjusted", "shrunken")


@metric(
    better="higher",
    source="Henderson (1975), Biometrics 31, 423-447 (mixed model equations, prediction errors); "
    "Firth & de Menezes (2004), Biometrika 91, 65-80 (errors for comparisons)",
    drawing="adjust",
)
def adjust(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    wave: str | None = None,
    mode: str | None = None,
    severity: pd.DataFrame | None = None,
) -> Result:
    """What would each department score if severe and lenient raters had rated all of them?

    ``target``, ``rater``, ``score``: columns of the department, the rater and the rating (any
    scale). ``wave``, ``mode``: columns whose level is taken out too (a strict wave, a named form).
    ``severity``: the table of ``verify.severity`` from earlier waves, taken off first.

    Returns three rows per department: "raw mean"; "adjusted" (nothing shrunken: use it to compare);
    "shrunken" (drawn to the mean as far as the ratings are few: the best guess of one value). All
    at the average rater, wave and mode, with 95% intervals. ``se``: standard error;
    ``se_compare``: error for comparing departments, which share raters (give it to ``score.groups``
    and ``score.ranks``); ``n`` counts raters, ``ratings`` their ratings; ``shift`` is the change from the
    raw mean; ``subset`` numbers the parts of a plan that no shared rater links.

    It misleads when severe raters were sent to good departments on purpose, or when raters favour
    their own: adjustment takes severity as the same towards all. Departments of different subsets
    cannot be compared, so only the largest subset is adjusted.

    Source: Henderson (1975); errors for comparisons: Firth & de Menezes (2004).

    >>> import pandas as pd
    >>> d = pd.DataFrame({"d": list("ABABBC"), "r": list("xxyyzz"), "s": [5, 4, 4, 3, 2, 3.0]})
    >>> adjust(d, target="d", rater="r", score="s").table["variant"].unique().tolist()
    ['raw mean', 'adjusted', 'shrunken']
    """
    extra = [c for c in (wave, mode) if c is not None]
    ratings, copies = once(ratings, target, rater, *extra, score=score)
    rows, dropped = complete(ratings, score=score, by=(target, rater, *extra))
    dropped |= {"duplicate": copies} if copies else {}
    if rows.empty:
        raise table_error("too_few_values", found=0, needed=2, what=score)
    if severity is not None:
        rows = _without_severity(rows, severity, rater, score)
    names, data = _coded(rows, target, rater, score, extra)
    part = subsets(data.target, data.rater)
    about = _about(data, dropped, extra, severity is not None)
    try:
        fit = fixed_targets(data)
    except (NoSpread, Singular, TooLarge, NotIdentified) as error:
        plain = _raw_only(names, data, part, target)
        return Result("adjust", plain, [refusal(error, extra)], about)
    table, main = _table(names, data, fit, part, target)
    about |= {"variances": fit.variances, "standard_errors_of_variances": fit.errors}
    found = findings(table, data, fit, main, target)
    if copies:
        found.append(Finding("adjust.twice", {"count": copies}, "warning"))
    return Result("adjust", table, found, about)


def _without_severity(
    rows: pd.DataFrame, severity: pd.DataFrame, rater: str, score: str
) -> pd.DataFrame:
    """Ratings with each rater's known severity added back; raters without one stay as they are."""
    require(severity, rater, "estimate")
    if "metric" in severity:
        severity = severity[severity["metric"] == "severity"]
    unique(severity, rater)
    known = pd.Series(numbers(severity, "estimate").to_numpy(), index=severity[rater].to_numpy())
    return rows.assign(
        **{score: rows[score] + rows[rater].map(known).fillna(0.0).astype("float64")}
    )


def _coded(
    rows: pd.DataFrame, target: str, rater: str, score: str, extra: list[str]
) -> tuple[pd.Index, Ratings]:
    code, names = pd.factorize(rows[target], sort=True)
    others = [pd.factorize(rows[c], sort=True)[0] for c in extra]
    used = tuple(c.astype(np.intp) for c in others if c.max() > 0)
    who = pd.factorize(rows[rater], sort=True)[0].astype(np.intp)
    return pd.Index(names), Ratings(rows[score].to_numpy(), code.astype(np.intp), who, used)


def _table(
    names: pd.Index, data: Ratings, fit: Fitted, part: np.ndarray, target: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """All rows; and which targets lie in the subset that is adjusted."""
    number, main = _main_subset(part, data)
    means = {"raw mean": raw(data, fit.variances)}
    if main.sum() > 1 and data.raters > 1:
        means["adjusted"] = adjusted(data, fit)
        means["shrunken"] = shrunken(data)
    frames = [
        _rows(names, data, means.get(v), v, np.full(len(names), True) if v == "raw mean" else main)
        for v in _VARIANTS
    ]
    table = pd.concat(frames, ignore_index=True).rename(columns={"_target": target})
    table["shift"] = table["estimate"] - np.tile(means["raw mean"].estimate, 3)
    table["subset"] = np.tile(number, 3)
    order = np.tile(np.arange(len(names)), 3) * 3 + np.repeat([0, 1, 2], len(names))
    return table.iloc[np.argsort(order)].reset_index(drop=True), main


def _main_subset(part: np.ndarray, data: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Subsets numbered from the largest (targets, then ratings); and who lies in the first."""
    targets = np.bincount(part)
    ratings = np.bincount(part, weights=np.bincount(data.target, minlength=len(part)), minlength=0)
    order = np.lexsort((-ratings[: len(targets)], -targets))
    order = order[targets[order] > 0]
    rank = np.zeros(len(targets), dtype=int)
    rank[order] = np.arange(1, len(order) + 1)
    return rank[part], rank[part] == 1


def _rows(
    names: pd.Index, data: Ratings, means: Means | None, variant: str, shown: np.ndarray
) -> pd.DataFrame:
    k = len(names)
    missing = np.full(k, np.nan)
    estimate, se, compare = missing, missing, missing.copy()
    if means is not None:
        estimate = np.where(shown, means.estimate, np.nan)
        se = np.where(shown, means.errors, np.nan)
        compare[shown] = means.comparable(shown)
    half = se * float(stdtrit(max(data.raters - 1, 1), (1 + _LEVEL) / 2))
    return estimates(
        "adjust",
        groups={"_target": names.tolist()},
        variant=variant,
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        n=data.raters_heard(),
        ratings=np.bincount(data.target, minlength=k),
        se=se,
        se_compare=compare,
    )


def _raw_only(names: pd.Index, data: Ratings, part: np.ndarray, target: str) -> pd.DataFrame:
    """Plain means without an error, where no model can be fitted."""
    mean = np.bincount(data.target, weights=data.y) / np.bincount(data.target)
    none = Means(mean, np.full(len(names), np.nan))
    frames = [
        _rows(names, data, none if v == "raw mean" else None, v, np.full(len(names), True))
        for v in _VARIANTS
    ]
    table = pd.concat(frames, ignore_index=True).rename(columns={"_target": target})
    return table.assign(shift=table["estimate"] - np.tile(mean, 3), subset=np.tile(part + 1, 3))


def _about(data: Ratings, dropped: dict[str, int], extra: list[str], severity: bool) -> dict:
    return {
        "dropped": dropped,
        "ratings": len(data.y),
        "targets": data.targets,
        "raters": data.raters,
        "repeated_ratings": data.repeats(),
        "adjusted_for": ["rater", *extra, *(["earlier severity"] if severity else [])],
        "method": "REML, raters random, targets fixed (adjusted) or random (shrunken)",
        "intervals": f"t with {max(data.raters - 1, 1)} degrees of freedom (raters - 1), 95%",
    }
