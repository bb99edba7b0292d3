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
)
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._adjust_findings import findings, refusal
from svcmetrics.score._rated import Rated, read_rated

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
    cannot be compared, so only the largest subset is adjusted. ``score.adjust_draws`` draws the
    adjusted scores together, for ``score.groups``.

    Source: Henderson (1975); errors for comparisons: Firth & de Menezes (2004).

    >>> import pandas as pd
    >>> d = pd.DataFrame({"d": list("ABABBC"), "r": list("xxyyzz"), "s": [5, 4, 4, 3, 2, 3.0]})
    >>> adjust(d, target="d", rater="r", score="s").table["variant"].unique().tolist()
    ['raw mean', 'adjusted', 'shrunken']
    """
    extra = [c for c in (wave, mode) if c is not None]
    rated = read_rated(
        ratings, target=target, rater=rater, score=score, extra=extra, severity=severity
    )
    names, data, dropped = rated.names, rated.data, rated.dropped
    about = _about(data, dropped, extra, severity is not None)
    try:
        fit = fixed_targets(data)
    except (NoSpread, Singular, TooLarge, NotIdentified) as error:
        plain = _raw_only(names, data, rated.part, target)
        return Result("adjust", plain, [refusal(error, extra)], about)
    table, main, shrunk = _table(rated, fit, target)
    about |= {"variances": fit.variances, "standard_errors_of_variances": fit.errors}
    about |= {"variances_shrunken": shrunk} if shrunk else {}
    found = findings(table, data, fit, main, target)
    if rated.copies:
        found.append(Finding("adjust.twice", {"count": rated.copies}, "warning"))
    return Result("adjust", table, found, about)


def _table(
    rated: Rated, fit: Fitted, target: str
) -> tuple[pd.DataFrame, np.ndarray, dict[str, float] | None]:
    """All rows; which targets lie in the subset that is adjusted; the variances behind "shrunken"."""
    names, data = rated.names, rated.data
    number, main = rated.main()
    means = {"raw mean": raw(data, fit.variances)}
    if main.sum() > 1 and data.raters > 1:
        means["adjusted"] = adjusted(data, fit)
        means["shrunken"] = shrunken(data)
    frames = [
        _rows(names, data, means.get(v), v, np.full(len(names), True) if v == "raw mean" else main)
        for v in _VARIANTS
    ]
    table = pd.concat(frames).rename(columns={"_target": target})
    table["shift"] = table["estimate"] - np.tile(means["raw mean"].estimate, 3)
    table["subset"] = np.tile(number, 3)
    order = np.tile(np.arange(len(names)), 3) * 3 + np.repeat([0, 1, 2], len(names))
    shrunk = means["shrunken"].variances if "shrunken" in means else None
    return table.iloc[np.argsort(order)].reset_index(drop=True), main, shrunk


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
    table = pd.concat(frames).rename(columns={"_target": target})
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
