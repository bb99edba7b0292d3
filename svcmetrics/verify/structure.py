"""Structure: does the form measure the dimensions that it claims?"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, confirmatory, dimensions
from svcmetrics.result import Result, estimates
from svcmetrics.verify import answers, structure_findings, structure_rows
from svcmetrics.verify.structure_data import Claim, claimed, pooled

DRAWS = 1000


@metric(
    better="neither", drawing="structure",
    source="Horn 1965; Kaiser and Rice 1974; Jöreskog 1969; Hu and Bentler 1999",
)  # fmt: skip
def structure(  # noqa: PLR0913
    ratings: pd.DataFrame,
    *,
    person: str,
    item: str,
    score: str,
    dimension: str | None = None,
    target: str | None = None,
    missing: Literal["listwise", "pairwise"] = "listwise",
    rng: int | np.random.Generator = 1,
) -> Result:
    """Does the form measure the dimensions that it claims?

    ratings: one row per answer; a repeated (person, item) pair is an error. 100 forms or more.
    person, item, score: the columns with the form (or person), the item and the answer. Reversed
        items need not be turned round.
    dimension: the column that says what each item is meant to measure; without it the form claims
        one thing.
    target: the column with the department of each form; differences between departments are taken
        out first, so that what is left is how forms on the same department differ.
    missing: "listwise" uses complete forms only; "pairwise" those who answered both items of a
        pair, for all but the fit of the claim, which needs complete forms.
    rng: seed or generator of the 1,000 draws that say what chance gives.

    Returns ``structure``: the number of dimensions claimed, and how many the answers hold by three
    rules (``components`` and ``factors`` whose eigenvalue is above the 95% point of items with
    nothing in common, Horn's parallel analysis; ``partial``, Velicer's least partial correlation).
    ``kmo`` of all items and of each (0.6 is little, 0.8 is much in common). ``eigenvalue`` beside
    what chance gives (``expected``, ``chance_limit``). Of the claim and of ``one_factor``: ``chi_square``,
    ``cfi``, ``tli``, ``rmsea`` (its customary limits are 90%), ``srmr``. ``loading`` of each item on
    its dimension (none for a dimension of one item, which is that item), ``dimension_correlation``
    between dimensions, and ``elsewhere``: what an item would load on a further dimension, where that
    is 0.2 or more and chance over all such tries (Bonferroni) is below 1%.

    Misleads: halo makes all dimensions one, so that one general impression may fit well: see
    verify.halo. Forms of the same rater count as independent and answers as normal, which makes
    chi-square too large and limits too narrow, most with few categories. Cut-offs (CFI 0.95, RMSEA
    0.06, SRMR 0.08) are customs, not tests. A dimension of one item cannot be checked. Parallel
    analysis of factors errs towards too many, the least partial correlation with three items per
    dimension towards too few.

    Source: Horn 1965, Psychometrika 30, 179-185; Velicer 1976, ibid. 41, 321-327; Kaiser and Rice
    1974, Educational and Psychological Measurement 34, 111-117; Jöreskog 1969, Psychometrika 34,
    183-202; Steiger 1990, Multivariate Behavioral Research 25, 173-180; Hu and Bentler 1999,
    Structural Equation Modeling 6, 1-55; dimensions too close: Rönkkö and Cho 2022, Organizational
    Research Methods 25, 6-14. Chi-square is n times the misfit, as lavaan has it.

    >>> rng = np.random.default_rng(1)
    >>> two = np.repeat(rng.normal(size=(300, 2)), 3, axis=1)
    >>> wide = pd.DataFrame(two + rng.normal(size=(300, 6))).rename_axis("p").reset_index()
    >>> long = wide.melt("p", var_name="i", value_name="s")
    >>> long["d"] = np.where(long["i"] < 3, "speed", "care")
    >>> found = structure(long, person="p", item="i", score="s", dimension="d").table
    >>> found[["variant", "estimate"]].head(3)
          variant  estimate
    0     claimed       2.0
    1  components       2.0
    2     factors       2.0
    """
    form = answers.read(ratings, person=person, item=item, score=score, missing=missing)
    claim = claimed(ratings, form.items, item, dimension)
    about: dict[str, Any] = {
        "dropped": form.dropped, "missing": missing, "persons": form.persons,
        "items": len(form.items), "dimensions": claim.names, "draws": DRAWS,
        "method": "parallel analysis (Horn), maximum likelihood (confirmatory)",
    }  # fmt: skip
    keys = structure_rows.Keys(item, dimension)
    table, groups = pooled(form, ratings, person, target)
    r, pairs = dimensions.pairwise(table)
    n = (form.persons if missing == "listwise" else int(pairs.min())) - groups
    refused = structure_findings.refusal(form, r, n)
    if refused:
        empty = estimates("structure", groups=keys.none(), variant="claimed", n=max(n, 0))
        return Result("structure", empty, [*form.findings, refused], about)
    answered = np.isfinite(table).sum(axis=0)
    seen = structure_rows.counted(r, n, bootstrap.generator(rng), DRAWS)
    fits = _fitted(table, claim, groups)
    about |= {"forms_of_fit": fits.persons, "groups": groups}
    rows = structure_rows.rows(keys, form, claim, seen, fits, n, answered)
    said = structure_findings.findings(form, claim, seen, fits, n, groups)
    return Result("structure", rows, [*said, *form.findings], about)


def _fitted(table: np.ndarray, claim: Claim, groups: int) -> structure_rows.Fits:
    """The claim and one factor for all, fitted to complete forms."""
    whole = table[np.isfinite(table).all(axis=1)]
    n = len(whole) - groups
    r = (
        dimensions.pairwise(whole)[0]
        if len(whole) > 1
        else np.full((claim.items, claim.items), np.nan)
    )
    sound = claim.factor is not None and n > claim.items and np.isfinite(r).all()
    if not sound:
        return structure_rows.Fits(n, r, {})
    models = {"claimed": claim.factor, "one_factor": np.zeros(claim.items, dtype=np.int64)}
    if claim.many == 1:
        del models["one_factor"]
    found = {k: confirmatory.fit(r, f, n) for k, f in models.items() if f is not None}
    return structure_rows.Fits(n, r, {k: v for k, v in found.items() if v is not None})
