"""Facets: departments, raters and items on one scale (many-facet Rasch)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import (
    rasch,
    rasch_correct,
    rasch_fit,
    rasch_marginal,
    rasch_newton,
    rasch_quadrature,
)
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.verify import facets_bias, facets_findings, facets_parts, facets_rows
from svcmetrics.verify.facets_data import Trimmed, no_copies, prepared, read

METHODS = {
    "joint": "joint maximum likelihood (Newton), uncorrected; limits from the modified likelihood",
    "joint_corrected": "modified profile likelihood (joint, with half the log information)",
    "marginal": "marginal maximum likelihood, targets normal, adaptive quadrature of 15 nodes",
}

# Steps of the correction end at this part of a standard error: for limits alone it may be rough.
_LIMITS, _MEASURES = 0.02, 1e-3
# The joint fit ends at a step so small: its measures are as near as the square of it.
_FIRST = 1e-4
_SIGN = {"sign": "targets: high is good; others: high is severe"}


@metric(
    better="neither", drawing="wright_map",
    source="Linacre 1989, Many-Facet Rasch Measurement; Andrich 1978, Psychometrika 43, 561-573",
    behind="raters",
)  # fmt: skip
def facets(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    item: str | Sequence[str] | None = None,
    steps: str | None = None,
    anchors: Mapping[str, Mapping[Any, float] | None] | None = None,
    interaction: tuple[str, str] | None = None,
    weight: str | None = None,
    method: str = "joint",
) -> Result:
    """Where do departments, raters and items stand on one scale, and do ratings fit it?

    ratings: one row per rating; scores are whole numbers (categories in order, the good end high).
    target, rater: columns. item: a column, or a list of it and further facets, such as the wave.
    steps: a facet with thresholds of its own for each element (partial credit); otherwise all
        ratings share one set (rating scale).
    anchors: what holds the scale. {column: {element: measure}}: these stay where they are;
        {column: None}: this facet floats. By default the targets float. Free facets but the
        floating one have mean 0.
    interaction: two facets whose combinations are tested for bias (Benjamini and Hochberg).
    weight: a column; a rating counts this many times.
    method: "joint" (measures as Facets prints them, drawn apart by about L/(L-1) with L ratings
        per target; limits from the corrected fit, as wide as to hold the measure shown),
        "joint_corrected" (modified profile likelihood), "marginal" (targets a normal sample; needs
        no extremes set aside, links blocks by that assumption; targets are drawn to the mean).

    Returns ``facets`` (``variant``: target, rater, item, or the name of a further facet): the
    measure of each element in logits with 95% limits from the whole information, ``error`` with all
    else taken as known (as Facets prints), infit and outfit (1 is the expectation) with their
    standardised values, fair and observed average in points, correlation of the scores with
    where the model puts them. Targets: high is good. All others: high is severe or hard. Then
    ``threshold`` of each step, ``separation``, ``strata``, ``reliability`` and ``fixed_chi_square``
    (all elements equal) of each facet, ``exact_agreement`` of raters beside its expectation,
    ``category`` (average measure seen and expected, outfit), ``bias`` and ``bias_chi_square``;
    ``population_sd`` of a marginal fit. Elements with only lowest or only highest scores get the
    measure of a score 0.3 points away. ``n`` counts raters: rows of single raters are for analysts.

    Misleads: below about ten ratings per category thresholds wander (said so): use ``severity``.
    Limits take ratings as independent once the model is known; halo and copies make them too
    narrow and reliabilities too high (see ``halo``). Unlinked blocks are each on a scale of their
    own (said so). Careless raters can fit very well: see ``careless``. Where the corrected fit finds
    no maximum, limits of "joint" are too narrow (said so). Limits of thresholds lie around what is
    left once targets, raters and items no longer draw them apart; with three to 24 ratings per
    target they held the truth in 93 to 97% of studies. On the one set where TAM 4.3 was
    compared (20 raters of essays), its printed deviance is that of its 21 fixed nodes, and exact
    integration moves thresholds by up to 0.07 logits.

    Source: Linacre 1989; Andrich 1978; Masters 1982 (partial credit); Linacre 2002, Journal of
    Applied Measurement 3, 85-106 (categories); Wright and Douglas 1977, Applied Psychological
    Measurement 1, 281-295, and Jansen et al. 1988, ibid. 12, 297-306 (how far drawn apart); Bellio
    and Sartori 2006, Biometrical Journal 48, 876-886 (modified likelihood).

    >>> r = pd.DataFrame([(d, p, 1 + (d + p + d * p) % 4) for d in range(6) for p in range(8)],
    ...                  columns=["unit", "who", "points"])
    >>> facets(r, target="unit", rater="who", score="points").table["variant"].unique()[:2].tolist()
    ['target', 'rater']
    """
    further = [item] if isinstance(item, str) else list(item or [])
    names, roles = (
        [target, rater, *further],
        ["target", "rater", *["item"][: len(further)], *further[1:]],
    )
    anchors = anchors or {}
    held = {k: v for k, v in anchors.items() if v is not None}
    floats = next((k for k, v in anchors.items() if v is None), target)
    _words(names, [steps, *(interaction or ()), *anchors], method, held)
    kept, dropped = read(ratings, names, score, weight)
    about: dict[str, Any] = _SIGN | {
        "dropped": dropped, "method": METHODS[method], "ratings": len(kept),
        "model": "partial credit" if steps else "rating scale",
        "floats": floats, "anchored": list(held),
    }  # fmt: skip
    sample = method == "marginal"
    trimmed = prepared(kept, names, (score, weight), steps=steps, anchors=held, sample=sample)
    if isinstance(trimmed, Finding):
        return Result("facets", estimates("facets", groups={"element": ""}, n=0), [trimmed], about)
    if trimmed.repeated:
        no_copies(ratings, names)
    found, posterior = _fitted(trimmed, method, names.index(floats))
    about |= {"converged": found.converged, "steps": found.steps, "categories": trimmed.categories}
    pair = tuple(names.index(word) for word in interaction or ())
    table = _table(trimmed, found, posterior, roles, pair)
    said = facets_findings.findings(trimmed, found, table, names, method=method, pair=interaction)
    return Result("facets", table, said, about)


def _table(
    t: Trimmed, found: rasch.Fitted, posterior: rasch_quadrature.Posterior | None,
    roles: list[str], pair: tuple[int, ...],
) -> pd.DataFrame:  # fmt: skip
    moments = rasch_fit.moments(t.data, found, posterior)
    parts = facets_rows.rows(t, found, moments, roles) + facets_bias.rows(t, found, roles, pair)
    return facets_parts.table(parts)


def _words(
    names: list[str], used: Sequence[str | None], method: str, held: Mapping[str, object]
) -> None:
    for word in used:
        if word is not None and word not in names:
            raise table_error("unknown_word", unknown=[word], known=names)
    if method not in METHODS:
        raise table_error("unknown_word", unknown=[method], known=list(METHODS))
    if method == "marginal" and names[0] in held:
        raise table_error("anchored_sample", column=names[0])


def _fitted(
    t: Trimmed, method: str, floats: int
) -> tuple[rasch.Fitted, rasch_quadrature.Posterior | None]:
    if method == "marginal":
        return rasch_marginal.fit(t.data, t.anchors, floats)
    plan = rasch_newton.plan(t.data, t.anchors)
    found = rasch.fit(t.data, t.anchors, floats, plan, _FIRST)
    joint = method == "joint"
    close = _LIMITS if joint else _MEASURES
    better = rasch_correct.corrected(t.data, found, t.anchors, floats, close=close, plan=plan)
    if floats == 0 and not any(np.isfinite(a).any() for a in t.anchors):
        found, better = (rasch_correct.within_blocks(f, *t.blocks) for f in (found, better))
    if joint:
        return replace(found, limits=better if better.converged else None), None
    return better, None
