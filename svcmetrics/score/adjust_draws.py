"""Adjusted scores drawn together, with what their errors have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.numeric.joint import multivariate
from svcmetrics.numeric.mixed import NoSpread, NotIdentified, Singular, TooLarge
from svcmetrics.numeric.one_thread import one_thread
from svcmetrics.numeric.raters import MANY, adjusted, fixed_targets
from svcmetrics.problems import table_error
from svcmetrics.score._rated import read_rated

DRAWS = 4_000


@one_thread()
def adjust_draws(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    wave: str | None = None,
    mode: str | None = None,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Which adjusted scores could all departments together have had, with other raters and chance?

    ``target`` to ``mode``: as in ``score.adjust``. ``rng``: seed or generator; the same seed gives
    the same draws.

    Returns one row per draw (4,000) and one column per department: the "adjusted" scores of
    ``score.adjust`` with errors drawn together. Departments rated by the same raters err together,
    which cancels when they are compared: give the table to ``score.groups``, ``score.ranks`` or
    ``score.superiority`` as ``uncertainty``. A department that was not adjusted (another subset of
    the plan, a refusal) is missing throughout.

    It misleads in the same way as ``score.adjust``. Variances of raters and of chance are taken as
    estimated; that they are is allowed for by Student's t with raters − 1 degrees of freedom. Not
    offered for more than 1,200 departments: use ``se_compare`` of ``score.adjust`` there.

    Source: Henderson (1975), Biometrics 31, 423-447 (covariance of the errors).

    >>> import pandas as pd
    >>> d = pd.DataFrame({"d": list("ABABBC"), "r": list("xxyyzz"), "s": [5, 4, 4, 3, 2, 3.0]})
    >>> adjust_draws(d, target="d", rater="r", score="s").shape
    (4000, 3)
    """
    extra = [c for c in (wave, mode) if c is not None]
    rated = read_rated(ratings, target=target, rater=rater, score=score, extra=extra, severity=None)
    data, main = rated.data, rated.main()[1]
    if data.targets > MANY:
        raise table_error("too_many_for_draws", found=data.targets, most=MANY)
    out = np.full((DRAWS, data.targets), np.nan)
    if main.sum() > 1 and data.raters > 1:
        try:
            means = adjusted(data, fixed_targets(data))
        except (NoSpread, Singular, TooLarge, NotIdentified):
            return pd.DataFrame(out, columns=rated.names)
        own = means.covariance[np.ix_(main, main)]
        if np.isfinite(own).all():
            errors = multivariate(own, data.raters - 1.0, DRAWS, np.random.default_rng(rng))
            out[:, main] = means.estimate[main] + errors
    return pd.DataFrame(out, columns=rated.names)
