"""Would other raters and items have given the departments the same composite of dimensions?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify._composite_parts import Composite, composite
from svcmetrics.verify._composite_rows import findings, rows
from svcmetrics.verify._formula import read_formula
from svcmetrics.verify._strata import read_strata, read_weights

_DRAWS = 20_000
_SEED = 0


@metric(
    better="higher",
    source="Brennan (2001), Generalizability Theory, ch. 9-10; Rajaratnam, Cronbach & Gleser "
    "(1965), Psychometrika 30, 39-56",
    drawing="generalizability_composite",
)
def generalizability_composite(
    ratings: pd.DataFrame,
    formula: str,
    *,
    object: str,  # noqa: A002
    strata: str,
    linked: Sequence[str] = (),
    weights: Mapping[Any, float] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Result:
    """How reliable is the weighted score over several dimensions, and how do they hang together?

    ``formula``: "score ~ target + rater + item" within one dimension. ``object``: the term that
    is measured. ``strata``: column of the dimension; all dimensions there are (they are fixed).
    ``linked``: facets that the dimensions share, such as raters who rate all of them; the others
    (items of a dimension, whatever their labels) are drawn anew for each. ``weights``: of the
    dimensions, brought to sum 1; none given: equal. ``sizes``: {"rater": 10, "item": 3}, numbers
    of levels of a planned study in place of those observed (nested or free: within a dimension).

    Returns components and covariances (``term``, ``stratum``, ``with_stratum``; of the object
    also ``correlation`` of the true scores), Φ, Eρ² and standard errors of the composite and of
    each dimension, and ``effective_weight``: the share of a dimension in the composite's true
    variance (variant "universe") and in its absolute error ("error").

    It misleads when dimensions share raters and ``linked`` does not say so: halo then counts as
    true score. A term for the linked cell (target:rater) is added where the formula lacks it.

    Source: Brennan (2001) ch. 9-10. Expected mean squares where balanced, else restricted
    likelihood; intervals by Weerahandi's method, else delta method. Limits of a covariance leave
    out what its two parts have in common, which makes them wide. Without linked facets and with
    weights by numbers of items, Eρ² is stratified alpha.

    >>> import pandas as pd
    >>> d = pd.DataFrame([(t, v, i, t + (t * i + t * v + v) % 3) for t in range(5) for v in (1, 2)
    ...                   for i in range(3)], columns=["t", "dim", "i", "s"])
    >>> out = generalizability_composite(d, "s ~ t + i", object="t", strata="dim").table
    >>> out.loc[(out["metric"] == "erho2") & (out["stratum"] == ""), "estimate"].round(2).tolist()
    [0.96]
    """
    data = read_strata(ratings, formula, measured=object, strata=strata, linked=linked)
    chosen = read_weights(weights, data.names, strata)
    plan = _plan(formula, object, sizes)
    about: dict[str, Any] = {
        "dropped": data.dropped, "formula": formula, "strata": [str(n) for n in data.names],
        "linked": list(linked), "weights": dict(zip(map(str, data.names), chosen)),
        "sizes": dict(sizes) if sizes else "as observed", "seed": _SEED,
    }  # fmt: skip
    if data.added:
        about["added"] = data.added
    parts: Composite | list[Finding]
    if len(data.names) < 2:
        parts = [Finding("generalizability_composite.one", {"count": len(data.names)}, "refused")]
    else:
        parts = composite(data, chosen, object, np.random.default_rng(_SEED), _DRAWS)
    if isinstance(parts, list):
        return Result("generalizability_composite", _empty(object), parts, about)
    about["method"] = "expected mean squares" if parts.draws is not None else "REML"
    table = rows(data, parts, chosen, plan)
    found = findings(table, data, parts)
    return Result("generalizability_composite", table, found, about)


def _plan(formula: str, measured: str, sizes: Mapping[str, int] | None) -> dict[str, float] | None:
    """The planned numbers of levels, one for every facet but the object's own."""
    if sizes is None:
        return None
    facets = [c for c in read_formula(formula).columns if c not in measured.split(":")]
    unknown = [f for f in sizes if f not in facets] + [f for f, v in sizes.items() if not v >= 1]
    missing = [f for f in facets if f not in sizes]
    if unknown or missing:
        raise table_error("d_study_sizes", unknown=unknown, missing=missing, facets=facets)
    return {f: float(sizes[f]) for f in facets}


def _empty(measured: str) -> pd.DataFrame:
    groups = {"term": measured, "stratum": "", "with_stratum": ""}
    names = ["phi", "erho2"]
    table = estimates("", groups=groups, variant=["as observed"] * 2, n=0, correlation=np.nan)
    return table.assign(metric=names)
