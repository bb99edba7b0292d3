"""The ranks that the data allow each department."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.pairs import above, pairs
from svcmetrics.numeric.pairs import rank_sets as sets_of_pairs
from svcmetrics.numeric.ranks import rank_sets
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._uncertain import Uncertain, read_uncertain

_NAMES = 8


@metric(
    better="lower",
    low=1,
    source="Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91, 476-518",
    drawing="ranks",
)
def ranks(
    scores: pd.DataFrame,
    *,
    target: str,
    estimate: str = "estimate",
    uncertainty: str | Sequence[str] | pd.DataFrame = ("low", "high"),
    n: str = "n",
    df: str | None = None,
    level: float = 0.95,
) -> Result:
    """If a rank is demanded: which ranks can each department honestly have?

    ``scores``: one row per department. ``target``, ``estimate``: columns of the department and its
    score (higher is better; turn the sign of times). ``uncertainty``: the two columns of an interval
    at ``level``, or the one column of a standard error (of ``score.adjust``: "se_compare"), or a
    table of joint draws (``score.adjust_draws``: one row per draw, one column per department). ``n``: column with the
    number of persons behind a score. ``df``: column with the degrees of freedom of each standard
    error; leave it out when they are many (above ~30). ``level``: of the confidence sets.

    Returns two rows per department: ``estimate`` is the rank of the bare score (1 is best), ``low``
    to ``high`` the ranks that cannot be excluded. Variant "marginal": right for one department
    picked beforehand; "simultaneous": right for all together, so use it for a whole list.
    ``superiority``: probability of being truly better than another department picked at random.

    It misleads when the errors of the departments hang together and no joint draws say so. A
    narrow set of ranks can hide a tiny gap: show ``score.groups`` first.

    Source: Mogstad et al. (2024), with exact normal quantiles in place of the bootstrap.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"d": ["A", "B", "C"], "estimate": [4.5, 4.4, 3.5], "se": [0.1] * 3})
    >>> out = ranks(table, target="d", uncertainty="se").table
    >>> out.loc[out["variant"] == "simultaneous", ["low", "high"]].values.tolist()
    [[1.0, 2.0], [1.0, 2.0], [3.0, 3.0]]
    """
    data = read_uncertain(
        scores, target=target, estimate=estimate, uncertainty=uncertainty, n=n, df=df, level=level
    )
    k = len(data.targets)
    about = {"dropped": data.dropped, "targets": k, "level": level, "method": _METHOD}
    if k < 2:
        none = np.full(k, np.nan)
        table = _rows(data, target, "marginal", none, (none, none), none)
        return Result("ranks", table, [Finding("groups.one", {"targets": k}, "refused")], about)
    bare = 1.0 + (data.estimate > data.estimate[:, None]).sum(axis=1)
    every = pairs(data.estimate, data.se, data.df, data.draws)
    better = (above(every).sum(axis=1) - 0.5) / (k - 1)
    frames = []
    for variant, joint in (("marginal", False), ("simultaneous", True)):
        if data.df is None and data.draws is None:
            limits = rank_sets(data.estimate, data.se, level, joint=joint)
        else:
            limits = sets_of_pairs(every, level, joint=joint)
        frames.append(_rows(data, target, variant, bare, limits, better))
    if data.draws is not None:
        about["method"] = f"pairwise differences, max-t quantiles of {len(data.draws)} joint draws"
    table = pd.concat(frames)
    order = np.argsort(np.tile(np.arange(k), 2), kind="stable")
    found = _findings(frames[1], target, level)
    return Result("ranks", table.iloc[order], [*found, *data.findings], about)


_METHOD = "confidence sets from pairwise differences: exact marginal, Tukey-Kramer simultaneous"


def _rows(
    data: Uncertain,
    target: str,
    variant: str,
    bare: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
    better: np.ndarray,
) -> pd.DataFrame:
    return estimates(
        "ranks",
        groups={target: data.targets},
        variant=variant,
        estimate=bare,
        low=limits[0],
        high=limits[1],
        n=data.n,
        score=data.estimate,
        superiority=better,
    )


def _findings(table: pd.DataFrame, target: str, level: float) -> list[Finding]:
    """Who may be first, who may be last, and how many ranks are known exactly."""
    k = len(table)
    known = int((table["low"] == table["high"]).sum())
    first = table.loc[table["low"] == 1].sort_values("estimate")[target]
    last = table.loc[table["high"] == k].sort_values("estimate", ascending=False)[target]
    values = {
        "targets": k,
        "first": _shortened(first),
        "firsts": len(first),
        "last": _shortened(last),
        "lasts": len(last),
        "known": known,
        "width": int((table["high"] - table["low"] + 1).median()),
        "level": round(100 * level),
    }
    key = "ranks.open" if len(first) == k and len(last) == k else "ranks.sets"
    return [Finding(key, values, "note" if known == k else "warning")]


def _shortened(names: pd.Series) -> list[str]:
    kept = [str(v) for v in names[:_NAMES]]
    return kept if len(names) <= _NAMES else [*kept, "…"]
