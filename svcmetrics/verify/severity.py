"""How severe is each rater, and how much do raters differ?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from svcmetrics.metric import metric
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, TooLarge
from svcmetrics.numeric.mixed_intervals import profile, satterthwaite
from svcmetrics.numeric.raters import (
    MANY,
    SMALL,
    Fitted,
    Ratings,
    fixed_targets,
    shares_pairs,
    subsets,
)
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import complete, once

# With fewer levels than this the approximation by one chi-square is poor and a profile is cheap.
_PROFILED, _PROFILED_ROWS = 2_000, 20_000


@metric(
    better="neither",
    source="Henderson (1975), Biometrics 31, 423-447: best linear unbiased prediction",
    drawing="severity",
    behind="raters",
)
def severity(
    ratings: pd.DataFrame,
    *,
    rater: str,
    target: str,
    score: str,
    wave: str | None = None,
    level: float = 0.95,
) -> Result:
    """Do raters differ in severity, by how much, and who is severe or lenient?

    ``rater``, ``target``, ``score``: columns of the rater, the department and the rating (any
    scale); ``wave``: its level is taken out first. Departments are compared only within raters.

    Returns two rows on the spread (``severity_sd`` in points of the scale; ``severity_share`` of
    the variance that departments leave) and one row per rater (metric ``severity``): points
    *below* an average rater, so positive is severe, drawn to 0 as far as the ratings are few, with
    a prediction interval. ``n`` counts persons: the rows on single raters are for the analyst and
    ``publish`` hides them; ``score.adjust(severity=...)`` reads them.

    It misleads when raters saw different departments on purpose, and where a rater rated one
    department only: then severity and the department's quality are the same number. Severity is
    a difference in reading the scale, not a fault.

    Source: Henderson (1975).

    >>> import pandas as pd
    >>> d = pd.DataFrame({"r": list("xxxyyyzzz"), "d": list("ABC" * 3),
    ...                   "s": [5, 4, 4, 4, 3, 4, 3, 2, 2.0]})
    >>> out = severity(d, rater="r", target="d", score="s").table
    >>> out.loc[out["metric"] == "severity", "estimate"].round(2).tolist()
    [-0.86, -0.21, 1.07]
    """
    extra = [wave] if wave is not None else []
    ratings, copies = once(ratings, rater, target, *extra, score=score)
    rows, dropped = complete(ratings, score=score, by=(rater, target, *extra))
    dropped |= {"duplicate": copies} if copies else {}
    if rows.empty:
        raise table_error("too_few_values", found=0, needed=2, what=score)
    names, data = _coded(rows, rater, target, score, extra)
    about = {
        "dropped": dropped,
        "raters": data.raters,
        "targets": data.targets,
        "sign": "positive is severe: points below an average rater",
        "method": "REML, targets fixed, raters random; best linear unbiased predictions",
    }
    try:
        fit = _fit(data)
    except _Refused as why:
        return Result("severity", _empty(data, rater), [why.finding], about)
    spread = _spread(fit, data, level)
    table = pd.concat([_summary(spread, data, rater), _persons(names, data, fit, rater, level)])
    found = _findings(spread, data, level)
    if copies:
        found.append(Finding("severity.twice", {"count": copies}, "warning"))
    if fit.model is not None and fit.model.drawn:
        found.append(Finding("severity.drawn", {"share": fit.model.spread_error / 2}))
    return Result("severity", table, found, about | fit.variances)


class _Refused(Exception):
    def __init__(self, key: str, **values: object):
        self.finding = Finding(f"severity.{key}", values, "refused")
        super().__init__(key)


def _fit(data: Ratings) -> Fitted:
    if data.raters == 1:
        raise _Refused("one_rater")
    if data.targets > 1 and subsets(data.target, data.rater).max() == data.targets - 1:
        raise _Refused("nested", raters=data.raters, targets=data.targets)
    try:
        fit = fixed_targets(data)
    except NoSpread as error:
        raise _Refused("no_spread") from error
    except (Singular, NotIdentified) as error:
        raise _Refused("aliased") from error
    except TooLarge as error:
        raise _Refused("too_large", levels=error.levels) from error
    if fit.model is None:
        raise _Refused("once", raters=data.raters)
    return fit


def _coded(
    rows: pd.DataFrame, rater: str, target: str, score: str, extra: list[str]
) -> tuple[pd.Index, Ratings]:
    code, names = pd.factorize(rows[rater], sort=True)
    what = pd.factorize(rows[target], sort=True)[0].astype(np.intp)
    others = [pd.factorize(rows[c], sort=True)[0].astype(np.intp) for c in extra]
    used = tuple(c for c in others if c.max() > 0)
    return pd.Index(names), Ratings(rows[score].to_numpy(), what, code.astype(np.intp), used)


def _spread(fit: Fitted, data: Ratings, level: float) -> dict[str, float]:
    """Standard deviation of severity and its share of what departments leave, with intervals."""
    value, model = fit.variances["rater"], fit.model
    small = data.raters < _PROFILED and len(data.y) <= _PROFILED_ROWS
    if model is None or model.perfect:
        low = high = float("nan")
    elif small:
        low, high = profile(model, int(data.targets > MANY), level)
    else:
        low, high = satterthwaite(value, fit.errors["rater"], level)
    rest = fit.variances["pair"] + fit.variances["residual"]
    out = {"sd": value**0.5, "sd_low": low**0.5, "sd_high": high**0.5}
    for name, v in (("share", value), ("share_low", low), ("share_high", high)):
        out[name] = v / (v + rest) if np.isfinite(v) and v + rest > 0 else float("nan")
    return out


def _summary(spread: dict[str, float], data: Ratings, rater: str) -> pd.DataFrame:
    frames = [
        estimates(
            f"severity_{name}",
            groups={rater: None},
            variant="all raters",
            estimate=spread[name],
            low=spread[f"{name}_low"],
            high=spread[f"{name}_high"],
            n=data.raters,
            ratings=len(data.y),
            targets=data.targets,
        )
        for name in ("sd", "share")
    ]
    return pd.concat(frames).astype({rater: "object"})


def _persons(names: pd.Index, data: Ratings, fit: Fitted, rater: str, level: float) -> pd.DataFrame:
    half = float(ndtri((1 + level) / 2)) * np.sqrt(fit.rater_variances)
    return estimates(
        "severity",
        groups={rater: names.tolist()},
        variant="shrunken",
        estimate=-fit.rater_effects,
        low=-fit.rater_effects - half,
        high=-fit.rater_effects + half,
        n=np.ones(data.raters, dtype=int),
        ratings=np.bincount(data.rater, minlength=data.raters),
        targets=data.targets_seen(),
    ).astype({rater: "object"})


def _empty(data: Ratings, rater: str) -> pd.DataFrame:
    none = dict.fromkeys(("sd", "sd_low", "sd_high", "share", "share_low", "share_high"), np.nan)
    return _summary(none, data, rater)


def _findings(spread: dict[str, float], data: Ratings, level: float) -> list[Finding]:
    values = {**spread, "raters": data.raters, "level": round(100 * level)}
    found = [Finding("severity.none" if spread["sd"] == 0 else "severity.spread", values)]
    single = float((data.targets_seen() == 1).mean())
    if single > 0.2:
        found.append(Finding("severity.single", {"share": single}, "warning"))
    repeats = data.repeats()
    if repeats:
        key = "severity.repeats" if shares_pairs(data) else "severity.repeats_apart"
        found.append(Finding(key, {"count": repeats, "rows": SMALL}, "warning"))
    parts = int(subsets(data.target, data.rater).max()) + 1
    if parts > 1:
        found.append(Finding("severity.disconnected", {"subsets": parts}, "warning"))
    return found
