"""Would other raters, items and waves have given the departments the same scores?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.mixed import reml
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify._components import (
    RESIDUAL,
    Components,
    Study,
    estimate,
    observed_shares,
    read_study,
    refusal,
)
from svcmetrics.verify._generalizability_findings import findings
from svcmetrics.verify._generalizability_rows import coefficient_rows, component_rows

_DRAWS = 20_000
_REFITS = 200


@metric(
    better="higher",
    source="Brennan (2001), Generalizability Theory, ch. 2-4; incomplete designs: "
    "Putka, Le, McCloy & Diaz (2008), J Appl Psychol 93, 959-981",
    drawing="components",
)
def generalizability(
    ratings: pd.DataFrame,
    formula: str,
    *,
    object: str,  # noqa: A002
    fixed: Sequence[str] = (),
    intervals: str = "standard",
    level: float = 0.95,
    rng: int | np.random.Generator = 0,
) -> Result:
    """How much of what we see is the department, and how much raters, items, waves and chance?

    ``formula``: "score ~ target + rater + rater:item", in the caller's own column names; a/b is
    a + a:b, a*b is a + b + a:b; the residual need not be written. ``object``: the term that is
    measured. ``fixed``: facets whose levels are all there are (the same five items for ever).
    ``intervals``: "standard", or "bootstrap" (refits the model to simulated ratings; slow).
    ``level``: of the intervals. ``rng``: seed or generator of what is simulated.

    Returns one row per component and variant ("raw" may be negative, "truncated" is not) with
    ``share`` of the total and ``n`` levels; then Φ (``phi``: for statements on the level), Eρ²
    (``erho2``: for comparisons) and both standard errors of measurement, for the mean of the
    ratings as they are, complete or not; ``n`` counts departments.

    It misleads with few levels: with four departments the interval is nearly the whole range. Φ
    near 1 also comes from raters who copy one another; look at formality first.

    Source: Brennan (2001) ch. 2-4: expected mean squares where the design is balanced, restricted
    likelihood otherwise; intervals by Weerahandi's (1993) method, or profile and delta method.

    >>> import pandas as pd
    >>> d = pd.DataFrame([(t, r, 2 * t + r + (t * r) % 3) for t in range(5) for r in range(4)],
    ...                  columns=["target", "rater", "score"])
    >>> out = generalizability(d, "score ~ target + rater", object="target").table
    >>> out.loc[out["metric"] == "phi", "estimate"].round(3).tolist()
    [0.95]
    """
    study = read_study(ratings, formula, object)
    _check(study, fixed, intervals)
    about: dict[str, Any] = {
        "dropped": study.dropped,
        "formula": formula,
        "left_out": study.left_out,
        "fixed": list(fixed),
        "seed": rng if isinstance(rng, int) else "generator",
    }
    why = refusal(study)
    parts = why or estimate(study)
    if isinstance(parts, Finding):
        return Result("generalizability", _empty(object), [parts], about)
    shares = observed_shares(study, tuple(fixed))
    draws = _draws(study, parts, intervals, np.random.default_rng(rng))
    table = pd.concat(
        [
            component_rows(study, parts, draws, level),
            coefficient_rows(study, parts, shares, draws, level),
        ],
    )
    about |= _method(parts, draws)
    return Result("generalizability", table, findings(table, study, parts, shares), about)


def _check(study: Study, fixed: Sequence[str], intervals: str) -> None:
    if intervals not in ("standard", "bootstrap"):
        raise table_error("unknown_word", unknown=[intervals], known=["standard", "bootstrap"])
    unknown = [f for f in fixed if f not in study.facets]
    if unknown:
        raise table_error("missing_columns", missing=unknown, present=list(study.facets))


def _draws(
    study: Study, parts: Components, intervals: str, rng: np.random.Generator
) -> np.ndarray | None:
    """Components drawn from what the data allow; None where profile and delta method serve."""
    if intervals == "bootstrap":
        refits = [_refit(study, parts, rng) for _ in range(_REFITS)]
        return np.array(refits)
    return parts.balanced.draws(rng, _DRAWS) if parts.balanced else None


def _refit(study: Study, parts: Components, rng: np.random.Generator) -> np.ndarray:
    """One parametric resample: new effects and errors for the same design, fitted again."""
    y = study.y.mean() + rng.normal(0, np.sqrt(parts.truncated[-1]), len(study.y))
    for codes, size, v in zip(study.codes, study.sizes, parts.truncated, strict=False):
        y += rng.normal(0, np.sqrt(v), size)[codes]
    return reml(y, study.codes).variances


def _method(parts: Components, draws: np.ndarray | None) -> dict[str, object]:
    if parts.balanced:
        return {
            "method": "expected mean squares (balanced)",
            "intervals": "generalised, by simulation",
        }
    how = "parametric bootstrap" if draws is not None else "profile or Satterthwaite; delta method"
    steps = parts.model.steps if parts.model else 0
    return {"method": "REML (average information)", "intervals": how, "steps": steps}


def _empty(measured: str) -> pd.DataFrame:
    names = [RESIDUAL, measured, measured]
    return estimates("", groups={"term": names}, variant="as observed", n=0).assign(
        metric=["component", "phi", "erho2"]
    )
