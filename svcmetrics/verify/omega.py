"""McDonald's omega: how much of a total score do common factors explain?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, consistency, minres
from svcmetrics.numeric import factors as several
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import answers

RESAMPLES = 2000
_VARIANTS = ("total", "total_standardised", "hierarchical")
# Matrices are fitted in blocks of about this many cells; more left out than this share is said.
_BLOCK, _SAID = 1_000_000, 0.01


@metric(better="higher", low=0, high=1, source="McDonald 1999, ch. 6; Zinbarg et al. 2005")
def omega(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    person: str,
    item: str,
    score: str,
    factors: int = 1,
    fit: Literal["minres", "ml"] = "minres",
    missing: Literal["listwise", "pairwise"] = "listwise",
    rng: int | np.random.Generator = 1,
) -> Result:
    """How much of the total score do common factors explain, and how much a general one?

    ratings: one row per answer; a repeated (person, item) pair is an error.
    person, item, score: the columns with the form (or person), the item and the answer. Reversed
        items must be turned round before.
    factors: 1 gives omega total; with 2 or more there is also omega hierarchical, the share of a
        general factor above the (oblimin-rotated) factors. With 2 its weights are equal by
        necessity: prefer 3.
    fit: "minres" (minimum residuals, as R psych) or "ml" (maximum likelihood, as lavaan).
    missing: "listwise" uses complete forms only; "pairwise" those who answered both items of a
        pair, also in every resample; ``n`` is then the smallest pair.
    rng: seed or generator of the 2,000 resamples of the forms, each fitted and rotated anew;
        ``about`` counts those without a proper solution, which have no part in the limits.

    Returns ``total`` for raw scores and ``total_standardised`` for items of equal spread, from
    three factors on ``hierarchical``, and the loading of each item on the one or general factor.

    Misleads: halo looks like a fine general factor, so a high omega hierarchical of ratings may
    only say that raters do not tell items apart: see verify.halo. It is no reliability of
    departments. A communality above 1 (Heywood case) has no omega: refused.

    Source: McDonald 1999, Test Theory, ch. 6; Zinbarg, Revelle, Yovel & Li 2005, Psychometrika
    70, 123-133; one factor: over the variance that the model implies; several: as R psych.

    >>> rng = np.random.default_rng(1)
    >>> wide = pd.DataFrame(rng.normal(size=(60, 1)) + rng.normal(size=(60, 4))).rename_axis("p")
    >>> long = wide.reset_index().melt("p", var_name="i", value_name="s")
    >>> omega(long, person="p", item="i", score="s").table.round(2)[["variant", "estimate"]][:2]
                  variant  estimate
    0               total      0.73
    1  total_standardised      0.73
    """
    form = answers.read(ratings, person=person, item=item, score=score, missing=missing)
    about: dict[str, Any] = {
        "dropped": form.dropped, "persons": form.persons, "items": len(form.items),
        "factors": factors, "fit": fit, "missing": missing,
    }  # fmt: skip
    covariance, pairs = consistency.covariances(form.table)
    n = int(pairs.min(initial=form.persons))
    refused = answers.refusal(form, covariance) or _refusal(form, covariance, factors, n)
    correlation = consistency.correlations(covariance)
    loading = None if refused else _loadings(correlation[None], factors, fit)
    if loading is not None and loading["heywood"].any():
        bad = [str(form.items[i]) for i in np.flatnonzero(loading["heywood"][0])]
        refused = Finding("omega.heywood", {"items": bad}, "refused")
    if refused or loading is None:
        empty = estimates(
            "omega", groups={item: ""}, variant=["total", "total_standardised"], n=form.persons
        )
        return Result("omega", empty, [*form.findings, *([refused] if refused else [])], about)
    values = dict(zip(_VARIANTS, _values(covariance[None], loading, factors)[0], strict=False))
    low, high = _limits(form.table, loading, factors, fit, bootstrap.generator(rng), about)
    table = _table(values, low, high, loading, form, item, n)
    found = _reading(values, low, high, form, correlation, loading, n)
    if factors > 1 and np.isnan(values["hierarchical"]):
        found.append(Finding("omega.unsettled", {"factors": factors}, "warning"))
    elif about["without_fit"] > _SAID * RESAMPLES:
        left = {"count": about["without_fit"], "resamples": RESAMPLES}
        found.append(Finding("omega.without_fit", left, "warning"))
    return Result("omega", table, found, about)


def _table(
    values: dict[str, float], low: np.ndarray, high: np.ndarray, loading: dict[str, np.ndarray],
    form: answers.Answers, item: str, n: int,
) -> pd.DataFrame:  # fmt: skip
    now = list(values.values())
    whole = estimates(
        "omega", groups={item: ""}, variant=list(values), estimate=now, n=n,
        low=np.minimum(low, now), high=np.maximum(high, now),
    )  # fmt: skip
    labels = [str(i) for i in form.items]
    each = estimates("loading", groups={item: labels}, estimate=loading["general"][0], n=n)
    return pd.concat([whole, each])


def _refusal(form: answers.Answers, covariance: np.ndarray, factors: int, n: int) -> Finding | None:
    if factors < 1:
        raise table_error("unknown_word", unknown=[f"factors={factors}"], known=["1", "2", "…"])
    k = len(form.items)
    flat = [str(i) for i, v in zip(form.items, np.diag(covariance)) if v <= 0]
    if flat:
        return Finding("omega.constant", {"items": flat}, "refused")
    if twins := answers.twins(form.table, form.items):
        return Finding("omega.twins", {"pairs": twins[:5]}, "refused")
    if n <= k:
        return Finding("omega.too_few", {"persons": n, "items": k}, "refused")
    least = max(3, 3 * factors if factors > 1 else 3)
    if k < least:
        return Finding(
            "omega.too_few_items", {"items": k, "factors": factors, "least": least}, "refused"
        )
    return None


def _loadings(correlation: np.ndarray, factors: int, fit: str) -> dict[str, np.ndarray]:
    """Loadings on the one or the general factor, and the unique variances, of each matrix."""
    if factors == 1 and fit == "minres":
        return _one(minres.one_factors(correlation))
    plain, ended = several.extract(correlation, factors, likelihood=fit == "ml")
    if factors == 1:
        return {**_one(plain[:, :, 0]), "ended": ended}
    unique = 1 - (plain**2).sum(axis=2)
    pattern, phi, turned = several.oblimin(plain)
    general = several.schmid_leiman(pattern, phi)
    general[~turned] = np.nan  # a rotation that does not settle leaves no general factor
    return {"general": general, "unique": unique, "heywood": unique < 2e-3, "ended": ended}


def _near(correlation: np.ndarray, start: np.ndarray) -> dict[str, np.ndarray]:
    """One factor of each resample: Newton from the whole sample's solution; where that leads
    nowhere, or out of bounds, the best within them."""
    general = minres.newton(correlation, start, steps=4)
    out = np.flatnonzero(~minres.settled(correlation, general))
    ended = np.ones(len(general), dtype=bool)
    if len(out):
        bounded, ended[out] = several.extract(correlation[out], 1)
        general[out] = bounded[:, :, 0]
    return {**_one(general), "ended": ended}


def _one(general: np.ndarray) -> dict[str, np.ndarray]:
    unique = 1 - general**2
    return {"general": general, "unique": unique, "heywood": unique < 1e-3}


def _values(covariance: np.ndarray, loading: dict[str, np.ndarray], factors: int) -> np.ndarray:
    """The omegas (last axis, see ``_VARIANTS``) of each matrix."""
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    correlation = consistency.correlations(covariance)
    out = []
    for scale, observed in (
        (sd, covariance.sum(axis=(1, 2))),
        (np.ones_like(sd), correlation.sum(axis=(1, 2))),
    ):
        error = (loading["unique"] * scale**2).sum(axis=1)
        common = (loading["general"] * scale).sum(axis=1) ** 2
        out.append(common / (common + error) if factors == 1 else 1 - error / observed)
    if factors > 1:
        out.append(loading["general"].sum(axis=1) ** 2 / correlation.sum(axis=(1, 2)))
    return np.stack(out, axis=1)


def _limits(
    table: np.ndarray, loading: dict[str, np.ndarray], factors: int, fit: str,
    rng: np.random.Generator, about: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Percentile limits over resamples of the forms."""
    about["interval"] = f"bootstrap over persons, {RESAMPLES} resamples, percentile"
    draws = []
    for covariance in _resampled(table, rng):
        correlation = consistency.correlations(covariance)
        usable = np.isfinite(correlation).all(axis=(1, 2))
        correlation = correlation[usable]
        if factors == 1 and fit == "minres":
            fitted = _near(correlation, loading["general"][0])
        else:
            fitted = _loadings(correlation, factors, fit)
        one = np.full((len(covariance), 2 if factors == 1 else 3), np.nan)
        ended = fitted["ended"][:, None]
        one[usable] = np.where(ended, _values(covariance[usable], fitted, factors), np.nan)
        draws.append(one)
    about["without_fit"] = int(sum(np.isnan(d).any(axis=1).sum() for d in draws))
    return bootstrap.limits(np.concatenate(draws))


def _resampled(table: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Covariances of the items in every resample of the forms, in blocks."""
    n, k = table.shape
    whole = bool(np.isfinite(table).all())
    if whole:
        centred = table - table.mean(axis=0)
        first, second = np.triu_indices(k)
        stats = np.column_stack([centred, centred[:, first] * centred[:, second]])
    else:
        stats = consistency.pairwise_sums(table)
    sums = bootstrap.totals(stats, RESAMPLES, rng)
    for part in np.array_split(sums, max(1, len(sums) * k * k // _BLOCK)):
        if not whole:
            yield consistency.covariances_of_pairwise(part, k)
            continue
        mean = part[:, :k] / n
        covariance = np.zeros((len(part), k, k))
        covariance[:, first, second] = covariance[:, second, first] = part[:, k:]
        yield (covariance - n * mean[:, :, None] * mean[:, None, :]) / (n - 1)


def _reading(
    values: dict[str, float], low: np.ndarray, high: np.ndarray, form: answers.Answers, r: np.ndarray,
    loading: dict[str, np.ndarray], n: int,
) -> list[Finding]:  # fmt: skip
    k = len(form.items)
    ends = {"omega": values["total"], "low": float(low[0]), "high": float(high[0]), "n": n}
    found = [Finding("omega.reading", ends)]
    if np.isfinite(values.get("hierarchical", np.nan)):
        found.append(Finding("omega.hierarchical", {
            "omega": values["hierarchical"], "low": float(low[2]), "high": float(high[2])}))  # fmt: skip
    found.append(Finding("omega.halo"))
    sign, log_det = np.linalg.slogdet(r)
    chi2 = -(n - 1 - (2 * k + 5) / 6) * log_det if sign > 0 else np.inf
    if special.chdtrc(k * (k - 1) / 2, min(chi2, 1e6)) > 0.05:
        found.append(Finding("omega.nothing_common", {}, "warning"))
    if n < answers.FEW:
        found.append(Finding("alpha.few", {"n": n}, "warning"))
    against = [str(i) for i, v in zip(form.items, loading["general"][0]) if v < 0]
    if against:
        found.append(Finding("alpha.reversed", {"items": against}, "warning"))
    return [*found, *form.findings]
