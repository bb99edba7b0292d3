"""Bias of many-facet Rasch: combinations of two facets that score other than their parts say.

Not a statistic of its own; ``facets`` shows it.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from svcmetrics.numeric import rasch
from svcmetrics.numeric.multiplicity import benjamini_hochberg
from svcmetrics.numeric.rasch_correct import offsets
from svcmetrics.verify.facets_data import Trimmed
from svcmetrics.verify.facets_parts import Part, part
from svcmetrics.verify.facets_rows import EXTREME, WIDE


def rows(t: Trimmed, found: rasch.Fitted, names: list[str], pair: tuple[int, ...]) -> list[Part]:
    """Size of each combination in logits (positive: scored higher), and the test that all are 0.

    ``pair``: places of the two facets, or nothing. Maximum likelihood with all measures held; the
    parts have used up some of the differences, so that the tests are a little too cautious.
    """
    if not pair:
        return []
    one, two = pair
    d, wide = t.data, t.data.sizes[two]
    cells, place = np.unique(d.facets[one] * wide + d.facets[two], return_inverse=True)
    start = np.zeros(len(cells))
    size, information = offsets(
        d, place, len(cells), found.location(d), found.thresholds, start, EXTREME
    )
    error = 1 / np.sqrt(information)
    p = 2 * special.ndtr(-np.abs(size) / error)
    first = [str(t.labels[one][k]) for k in t.used[one]]
    second = [str(t.labels[two][k]) for k in t.used[two]]
    own = f"{names[one]} × {names[two]}"
    counted = names.index("rater")
    raters = np.unique(place * d.sizes[counted] + d.facets[counted]) // d.sizes[counted]
    label = [f"{first[c // wide]} × {second[c % wide]}" for c in cells]
    table = part(
        "bias", label, variant=own, estimate=size,
        low=size - WIDE * error, high=size + WIDE * error,
        n=np.bincount(raters, minlength=len(cells)), ratings=np.bincount(place), error=error, p=p,
        p_adjusted=benjamini_hochberg(p),
    )  # fmt: skip
    chi = float(((size / error) ** 2).sum())
    # What the two facets took is no longer free to differ.
    df = max(len(cells) - d.sizes[one] - d.sizes[two] + 1, 1)
    whole = part(
        "bias_chi_square", variant=own, estimate=chi, n=len(cells),
        p=float(special.chdtrc(df, chi)), df=float(df),
    )  # fmt: skip
    return [table, whole]
