"""Which dimensions go with overall satisfaction, and how much."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap
from svcmetrics.numeric.importance import correlations, johnson, lmg
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require

METHODS = {"lmg": lmg, "johnson": johnson}
_RESAMPLES = 2000
# All subsets are fitted: 2^12 of them.
_MOST = 12
# So strongly correlated predictors hardly carry separate information: one halo for all.
_HALO = 0.8


@metric(
    better="neither",
    low=0,
    high=1,
    source="Lindeman, Merenda & Gold (1980), p. 119; Gromping (2006), JSS 17(1); Johnson (2000), MBR 35(1), 1-19",
    behind="ratings",
)
def importance(
    ratings: pd.DataFrame,
    *,
    outcome: str,
    predictors: Sequence[str],
    cluster: str | None = None,
    method: str = "lmg",
    rng: int | np.random.Generator = 0,
) -> Result:
    """How much of the differences in overall satisfaction goes with each dimension?

    ``ratings``: one row per form. ``outcome``: column of overall satisfaction. ``predictors``:
    columns of the dimensions, at most 12. ``cluster``: column of the rater; whole raters are
    resampled then (None: every row stands for itself). ``method``: "lmg" (mean increase of R²
    over all orders of entry, Shapley) or "johnson" (relative weights, nearly the same, faster).
    ``rng``: seed or generator of the resampling.

    Returns one row per dimension (column ``predictor``): its part of R² (the parts add up to R²),
    a 95% percentile interval from 2,000 resamples, ``n`` rows, ``share`` of R² and ``alone``, the
    R² of the dimension by itself.

    It misleads when all answers carry one halo: then every dimension gets about the same part.
    It describes, it does not show causes; and weights fitted here must be scored on other waves.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1, 1, -1, -1] * 3, "b": [1, -1] * 6, "y": [3, 1, -1, -3] * 3})
    >>> importance(table, outcome="y", predictors=["a", "b"]).table["estimate"].round(3).tolist()
    [0.8, 0.2]
    """
    names = list(predictors)
    if method not in METHODS:
        raise table_error("unknown_word", unknown=[f"method={method!r}"], known=list(METHODS))
    if not 1 <= len(names) <= _MOST or outcome in names:
        raise table_error("predictors_unusable", found=len(names), most=_MOST, outcome=outcome)
    x, groups, dropped = _read(ratings, [*names, outcome], cluster)
    one, samples = _parts(x, groups, method, bootstrap.generator(rng))
    low, high = bootstrap.limits(samples) if len(samples) else np.full((2, len(names)), np.nan)
    r = correlations(_covariances(_sums(x)[None], x.shape[1]))[0] if len(x) > 1 else None
    fit = float(one.sum())
    table = estimates(
        "importance",
        groups={"predictor": names},
        estimate=one,
        low=np.fmin(low, one),
        high=np.fmax(high, one),
        n=len(x),
        share=one / fit if fit > 0 else np.nan,
        alone=r[:-1, -1] ** 2 if r is not None else np.nan,
    )
    about: dict[str, object]
    about = {"dropped": dropped, "method": method, "r_squared": fit, "resamples": len(samples)}
    about["resampled"] = cluster or "rows"
    return Result("importance", table, _findings(table, r, fit), about)


def _read(
    ratings: pd.DataFrame, columns: list[str], cluster: str | None
) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Complete rows, centred; the number of each row's cluster; how many rows were dropped."""
    require(ratings, *columns, cluster)
    x = np.column_stack([numbers(ratings, c).to_numpy() for c in columns])
    known = np.isfinite(x).all(axis=1)
    if cluster is not None:
        known &= ratings[cluster].notna().to_numpy()
    x = x[known] - (x[known].mean(axis=0) if known.any() else 0.0)
    groups = np.arange(len(x)) if cluster is None else pd.factorize(ratings[cluster][known])[0]
    return x, groups, {"incomplete": int((~known).sum())} if not known.all() else {}


def _parts(
    x: np.ndarray, groups: np.ndarray, method: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The parts of the whole sample and of the resamples; missing when they are not defined."""
    n, k = x.shape
    missing = np.full(k - 1, np.nan), np.empty((0, k - 1))
    if n <= k + 1:
        return missing
    whole = correlations(_covariances(_sums(x)[None], k))
    if not np.isfinite(whole).all() or np.linalg.cond(whole[0, :-1, :-1]) > 1e12:
        return missing
    sums = np.zeros((groups.max() + 1, len(_sums(x[:1]))))
    np.add.at(sums, groups, _products(x))
    drawn = _covariances(bootstrap.totals(sums, _RESAMPLES, rng), k)
    r = correlations(drawn)
    usable = np.flatnonzero(np.isfinite(r).all(axis=(1, 2)))
    usable = usable[np.linalg.cond(r[usable, :-1, :-1]) < 1e12]
    samples = np.full((len(r), k - 1), np.nan)
    samples[usable] = METHODS[method](r[usable])
    return METHODS[method](whole)[0], samples


def _products(x: np.ndarray) -> np.ndarray:
    """Per row: 1, the variables and their products in pairs."""
    i, j = np.triu_indices(x.shape[1])
    return np.column_stack([np.ones(len(x)), x, x[:, i] * x[:, j]])


def _sums(x: np.ndarray) -> np.ndarray:
    return _products(x).sum(axis=0)


def _covariances(sums: np.ndarray, k: int) -> np.ndarray:
    """Covariance matrices from sums of rows, variables and products."""
    i, j = np.triu_indices(k)
    n, mean = sums[:, :1], sums[:, 1 : k + 1] / sums[:, :1]
    flat = sums[:, k + 1 :] / n - mean[:, i] * mean[:, j]
    out = np.empty((len(sums), k, k))
    out[:, i, j] = out[:, j, i] = flat
    return out


def _findings(table: pd.DataFrame, r: np.ndarray | None, fit: float) -> list[Finding]:
    if not np.isfinite(table["estimate"]).all():
        return [Finding("importance.undefined", {"n": int(table["n"].iloc[0])}, "refused")]
    first = table.nlargest(1, "estimate").to_dict("records")[0]
    values = {"name": first["predictor"], "share": 100 * first["share"], "fit": 100 * fit}
    found = [Finding("importance.first", values)]
    if r is not None and len(r) > 2:
        mean = float(r[:-1, :-1][np.triu_indices(len(r) - 1, 1)].mean())
        if mean > _HALO:
            found.append(Finding("importance.halo", {"r": mean}, "warning"))
    return found
