"""Clearly above, not distinguishable, clearly below: what may be said instead of a rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.pairs import from_mean as from_draws
from svcmetrics.numeric.ranks import from_mean
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._uncertain import Uncertain, read_uncertain

# More names than this in one sentence are not read.
_NAMES = 8


@metric(
    better="higher",
    source="Nelson, Wludyka & Copeland (2005), The Analysis of Means, ch. 2 and 5; "
    "simultaneous level by Šidák (1967), JASA 62, 626-633",
    drawing="groups",
)
def groups(
    scores: pd.DataFrame,
    *,
    target: str,
    estimate: str = "estimate",
    uncertainty: str | Sequence[str] | pd.DataFrame = ("low", "high"),
    n: str = "n",
    df: str | None = None,
    level: float = 0.95,
) -> Result:
    """Which departments are clearly above or below the mean of all, and which cannot be told apart?

    ``scores``: one row per department, such as the table of ``score.adjust`` or of a composite.
    ``target``, ``estimate``: columns of the department and its score. ``uncertainty``: the two
    columns of an interval at ``level``, or the one column of a standard error, or a table of joint
    draws (``score.adjust_draws``, a bootstrap: one row per draw, one column per department), which knows
    what the errors have in common. ``n``: column with the number of persons behind each score,
    carried along when it is there. ``df``: column with
    the degrees of freedom of each standard error; leave it out when they are many (above ~30).
    ``level``: all statements together are right with this probability.

    Returns one row per department: ``estimate`` is its distance from the mean of all departments,
    ``low`` and ``high`` hold for all departments at once, ``group`` is "above", "unclear" or
    "below", ``score`` the value that came in.

    It misleads when the errors of the departments hang together (one joint weight, one severe
    rater for all) and no joint draws say so, and "not distinguishable" never shows that two departments are equal. Two
    departments in different groups can differ by little: read the distances.

    Source: analysis of means with unequal variances (Nelson, Wludyka & Copeland 2005).

    >>> import pandas as pd
    >>> table = pd.DataFrame({"d": ["A", "B", "C"], "estimate": [4.5, 4.0, 3.5], "se": [0.1] * 3})
    >>> groups(table, target="d", uncertainty="se").table["group"].tolist()
    ['above', 'unclear', 'below']
    """
    data = read_uncertain(
        scores, target=target, estimate=estimate, uncertainty=uncertainty, n=n, df=df, level=level
    )
    k = len(data.targets)
    about = {"dropped": data.dropped, "targets": k, "level": level, "method": _METHOD}
    if k < 2:
        table = _table(data, target, np.full(k, np.nan), np.full(k, np.nan))
        return Result("groups", table, [Finding("groups.one", {"targets": k}, "refused")], about)
    if data.draws is None:
        difference, half = from_mean(data.estimate, data.se, data.df, level)
    else:
        difference, half = from_draws(data.estimate, data.draws, level)
        about["method"] = f"distance from the mean, max-t limits of {len(data.draws)} joint draws"
    table = _table(data, target, difference, half)
    return Result("groups", table, [*_findings(table, target, level), *data.findings], about)


_METHOD = (
    "analysis of means: distance from the unweighted mean of all, simultaneous Šidák intervals"
)


def _table(data: Uncertain, target: str, difference: np.ndarray, half: np.ndarray) -> pd.DataFrame:
    low, high = difference - half, difference + half
    group = np.where(low > 0, "above", np.where(high < 0, "below", "unclear"))
    own = {"group": list(group), "score": data.estimate}
    return estimates(
        "groups",
        groups={target: data.targets},
        estimate=difference,
        low=low,
        high=high,
        n=data.n,
        **own,
    )


def _findings(table: pd.DataFrame, target: str, level: float) -> list[Finding]:
    found = []
    for word, bound in (("above", "low"), ("below", "high")):
        rows = table[table["group"] == word]
        if len(rows):
            values = {
                "names": _shortened(rows[target]),
                "count": len(rows),
                "least": float(rows[bound].abs().min()),
                "level": round(100 * level),
            }
            found.append(Finding(f"groups.{word}", values))
    unclear = table[table["group"] == "unclear"]
    values = {"names": _shortened(unclear[target]), "count": len(unclear), "targets": len(table)}
    if len(unclear) == len(table):
        return [Finding("groups.none", {**values, "level": round(100 * level)})]
    return [*found, Finding("groups.unclear", values)] if len(unclear) else found


def _shortened(names: pd.Series) -> list[str]:
    kept = [str(v) for v in names[:_NAMES]]
    return kept if len(names) <= _NAMES else [*kept, "…"]
