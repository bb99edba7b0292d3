"""Facets: departments, raters and items on one scale (many-facet Rasch)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.columns import complete
from svcmetrics.metric import metric
from svcmetrics.numeric import rasch, rasch_fit
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import facets_findings, facets_rows
from svcmetrics.verify.facets_data import Trimmed, prepared


@metric(
    better="neither", drawing="wright_map",
    source="Linacre 1989, Many-Facet Rasch Measurement; Andrich 1978, Psychometrika 43, 561-573",
)  # fmt: skip
def facets(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    item: str | None = None,
    more: Sequence[str] = (),
    steps: str | None = None,
    floats: str | None = None,
    anchors: Mapping[str, Mapping[Any, float]] | None = None,
    interaction: tuple[str, str] | None = None,
) -> Result:
    """Where do departments, raters and items stand on one scale, and do ratings fit it?

    ratings: one row per rating; scores are whole numbers (categories in order).
    target, rater, item: columns; more: further facets, such as the wave.
    steps: a facet with thresholds of its own for each element (partial credit); otherwise all
        ratings share one set (rating scale).
    floats: the facet that is not centred; the others have mean 0. By default the targets.
    anchors: {column: {element: measure}}: these stay where they are.
    interaction: two facets whose combinations are tested for bias (Benjamini and Hochberg).

    Returns ``facets`` (``variant``: target, rater, item, or the name of a further facet): the
    measure of each element in logits with 95% limits, infit and outfit (1 is the expectation) with
    their standardised values, fair average and observed average in points.
    Targets: high is good. All others: high is severe or hard. Then ``threshold`` of each step,
    ``separation``, ``strata``, ``reliability`` and the test that all elements are equal for each
    facet, ``exact_agreement`` of raters beside its expectation, ``category`` (count and average
    measure) and ``bias``. Joint maximum likelihood, not corrected for its spread (too wide by about
    L/(L−1) with L ratings per element). Elements with only lowest or only highest scores get the
    measure of a score 0.3 points away. ``n`` counts raters: rows of single raters are for analysts.

    Misleads: below about ten ratings per category thresholds wander (said so): use ``severity``.
    Limits take ratings as independent once the model is known; halo and copies make them too
    narrow and reliabilities too high (see ``halo``). Unlinked blocks are each on a scale of their
    own (said so). Careless raters can fit very well: see ``careless``.

    Source: Linacre 1989; Andrich 1978; Masters 1982 (partial credit).

    >>> r = pd.DataFrame([(d, p, 1 + (d + p + d * p) % 4) for d in range(6) for p in range(8)],
    ...                  columns=["unit", "who", "points"])
    >>> facets(r, target="unit", rater="who", score="points").table["variant"].unique()[:2].tolist()
    ['target', 'rater']
    """
    names = [target, rater, *([item] if item else []), *more]
    roles = ["target", "rater", *(["item"] if item else []), *more]
    for word in (steps, floats, *(interaction or ())):
        if word is not None and word not in names:
            raise table_error("unknown_word", unknown=[word], known=names)
    kept, dropped = complete(ratings, score=score, by=names)
    about: dict[str, Any] = {
        "dropped": dropped, "method": "joint maximum likelihood (Newton), uncorrected",
        "sign": "targets: high is good; others: high is severe", "ratings": len(kept),
        "model": "partial credit" if steps else "rating scale", "floats": floats or target,
    }  # fmt: skip
    trimmed = prepared(kept, names, _whole(kept, score), steps, anchors or {})
    if isinstance(trimmed, Finding):
        return Result("facets", estimates("facets", groups={"element": ""}, n=0), [trimmed], about)
    found = _origin(rasch.fit(trimmed.data, trimmed.anchors), names, floats or target, trimmed)
    about |= {"converged": found.converged, "steps": found.steps, "categories": trimmed.categories}
    moments = rasch_fit.moments(trimmed.data, found)
    parts = facets_rows.rows(trimmed, found, moments, roles)
    if interaction:
        pair = (names.index(interaction[0]), names.index(interaction[1]))
        parts.append(facets_rows.bias(trimmed, moments, roles, pair))
    table = pd.concat(parts, ignore_index=True)
    table["note"] = table["note"].fillna("")
    return Result("facets", table, facets_findings.findings(trimmed, found, table, roles), about)


def _whole(kept: pd.DataFrame, score: str) -> np.ndarray:
    values = kept[score].to_numpy()
    odd = values != np.round(values)
    if odd.any():
        raise table_error("categories_not_whole", column=score, bad=float(values[odd][0]))
    return values


def _origin(found: rasch.Fitted, names: list[str], floats: str, trimmed: Trimmed) -> rasch.Fitted:
    """All facets but the floating one have mean zero; nothing moves when something is anchored."""
    if any(np.isfinite(a).any() for a in trimmed.anchors):
        return found
    measures = list(found.measures)
    if floats != names[0]:
        mean, which = measures[0].mean(), names.index(floats)
        measures[0] = measures[0] - mean
        measures[which] = measures[which] - mean
    return rasch.Fitted(
        tuple(measures), found.thresholds, found.steps, found.residual, found.converged
    )
