"""How far answers differ tells what they were: shown for enough persons who differ enough.

A mean with its interval gives the spread of the answers behind it, and so the answers of a small
group one by one; where all but one answered alike, that one knows what everybody else gave. Before
and after a late vote, two spreads tell the vote. So intervals and variances of scores need twenty
persons, answers that differ without any one person too, and no earlier spread that rests on the
same persons but for a few.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from svcmetrics.privacy.behind import Behind
from svcmetrics.privacy.ledger import Ledger
from svcmetrics.privacy.means import ask
from svcmetrics.privacy.published import MIN_SPREAD

# Squares, in units, that answers without any one person must leave. Where less is left nothing is
# shown, which then says as little: two of the others may still be a unit away, either way.
_LEFT = 4.0


def may_tell_spread(ledger: Ledger, behind: Behind, least: int) -> bool:
    """Whether intervals and variances of these scores may leave; if so, it is kept in the ledger.

    ``behind``: the parts of scores, with the columns of a department in ``by``.
    """
    if not _differ(behind):
        return False
    # Counted only; but a corrected answer is another one, or the change would show.
    whole = replace(
        behind, by=[], scale=None, weight=None, rating=[*behind.rating, *behind.by, behind.score]
    )
    asked, _ = ask(whole)
    return bool(
        ledger.admit("spread", whole, asked, least=max(least, MIN_SPREAD), computed=least).all()
    )


def _differ(behind: Behind) -> bool:
    """Whether answers differ around the means of their cells, whoever's own are left out."""
    if behind.ratings.empty:
        return False
    if behind.scale is None:
        return True
    forms = _forms(behind)
    cell, person = forms["cell"].to_numpy(), forms["person"].to_numpy()
    value = (forms["value"] - forms["value"].mean()).to_numpy()
    n, total, square = (np.bincount(cell, w) for w in (np.ones(len(cell)), value, value**2))
    whole = square - total**2 / n
    pairs, at = np.unique(np.stack([person, cell]), axis=1, return_inverse=True)
    at = at.reshape(-1)
    k, a, b = (np.bincount(at, w) for w in (np.ones(len(cell)), value, value**2))
    others = n[pairs[1]] - k
    left = square[pairs[1]] - b - (total[pairs[1]] - a) ** 2 / np.maximum(others, 1)
    change = np.where(others > 0, left, 0.0) - whole[pairs[1]]
    without = whole.sum() + np.bincount(pairs[0], change)
    return bool(without.min() > _LEFT * behind.unit**2)


def _forms(behind: Behind) -> pd.DataFrame:
    """One row per form: its cell, its person, and the mean of its parts as they are weighed."""
    parts = behind.ratings
    weight = parts[behind.weight] if behind.weight else pd.Series(1.0, parts.index)
    own = [c for c in behind.rating if c != "dimension"]
    form = parts.groupby([*behind.by, behind.rater, *own], dropna=False).ngroup().to_numpy()
    _, first = np.unique(form, return_index=True)
    value = np.bincount(form, weight * parts[behind.score]) / np.bincount(form, weight)
    cell = behind.cells().to_numpy()[first]
    return pd.DataFrame({
        "cell": cell, "person": pd.factorize(parts[behind.rater])[0][first], "value": value,
    })  # fmt: skip
