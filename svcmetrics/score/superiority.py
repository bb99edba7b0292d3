"""Of two departments, which is truly better, by how much, and how sure is that?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.pairs import above, adjusted, half_widths, pairs
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.score._uncertain import Uncertain, read_uncertain

_SHOWN = 5


@metric(
    better="neither",
    low=0,
    high=1,
    source="Tukey (1953) and Kramer (1956): all pairs; Hayter (1984), Annals of Statistics 12, "
    "61-75; Welch (1947), Biometrika 34, 28-35",
    drawing="superiority",
)
def superiority(
    scores: pd.DataFrame,
    *,
    target: str,
    estimate: str = "estimate",
    uncertainty: str | Sequence[str] | pd.DataFrame = ("low", "high"),
    n: str = "n",
    df: str | None = None,
    level: float = 0.95,
) -> Result:
    """Of two departments, which is truly better, by how much, and how sure is that?

    ``scores``: one row per department. ``target``, ``estimate``: columns of the department and its
    score (higher is better; turn the sign of times). ``uncertainty``: the two columns of an
    interval at ``level``, the one column of a standard error (of ``score.adjust``: "se_compare"),
    or a table of joint draws (one row per draw, one column per department). ``n``: column with
    the number of persons. ``df``: column with the degrees of freedom of each standard error;
    leave it out when they are many (above ~30). ``level``: of all differences together.

    Returns two rows per pair. "difference": ``target`` less ``other``, limits that hold for all
    pairs at once, ``p`` and ``p_adjusted`` (for all pairs), ``clear`` when the limits leave out 0.
    "superiority": the probability that ``target`` is truly above ``other``, from the same errors
    with no prior opinion; it has no limits of its own. ``n`` is that of the smaller department.

    It misleads when read pair by pair: with 12 departments there are 66 pairs, and three of them
    come out at 97% by chance alone; "clear" allows for that, a probability does not. 60% against
    40% is next to nothing.

    Source: Tukey-Kramer limits (safe with unequal errors: Hayter 1984), Welch's degrees of
    freedom; with draws the largest standardised difference of each draw (max-t).

    >>> import pandas as pd
    >>> table = pd.DataFrame({"d": ["A", "B", "C"], "estimate": [4.5, 4.4, 3.5], "se": [0.1] * 3})
    >>> out = superiority(table, target="d", uncertainty="se").table
    >>> out.loc[out["metric"] == "superiority", ["d", "other", "estimate"]].round(2).values.tolist()
    [['A', 'B', 0.76], ['A', 'C', 1.0], ['B', 'C', 1.0]]
    """
    data = read_uncertain(
        scores, target=target, estimate=estimate, uncertainty=uncertainty, n=n, df=df, level=level
    )
    k = len(data.targets)
    about = {"dropped": data.dropped, "targets": k, "pairs": k * (k - 1) // 2, "level": level}
    about["method"] = _METHOD if data.draws is None else f"max-t of {len(data.draws)} joint draws"
    if k < 2:
        refused = Finding("groups.one", {"targets": k}, "refused")
        return Result("superiority", _empty(target), [refused], about)
    table = _table(data, target, level)
    return Result(
        "superiority", table, [*_findings(table, target, k, level), *data.findings], about
    )


_METHOD = "all pairs: Tukey-Kramer limits and p; probability from the errors alone, flat prior"


def _table(data: Uncertain, target: str, level: float) -> pd.DataFrame:
    every = pairs(data.estimate, data.se, data.df, data.draws)
    order = sorted(range(every.size), key=lambda i: (str(data.targets[i]), i))
    place = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    one, two = (np.array(side, dtype=np.intp) for side in zip(*place))
    gap = -every.gap[one, two]
    half = half_widths(every, level, data.df)[one, two]
    from scipy.special import ndtr

    p = 2 * ndtr(-np.abs(every.z[one, two]))
    names = {target: [data.targets[i] for i in one], "other": [data.targets[i] for i in two]}
    shared = {"groups": names, "n": np.fmin(data.n[one], data.n[two])}
    difference = estimates(
        "difference", estimate=gap, low=gap - half, high=gap + half, p=p,
        p_adjusted=adjusted(every)[one, two],
        clear=[bool(abs(g) > h) for g, h in zip(gap, half)], **shared,
    )  # fmt: skip
    none = np.full(len(one), np.nan)
    chance = estimates(
        "superiority", estimate=above(every)[one, two], p=none, p_adjusted=none,
        clear=difference["clear"].tolist(), **shared,
    )  # fmt: skip
    both = pd.concat([difference, chance], ignore_index=True)
    return both.iloc[np.argsort(np.tile(np.arange(len(one)), 2), kind="stable")]


def _empty(target: str) -> pd.DataFrame:
    return estimates(
        "superiority", groups={target: [""], "other": [""]}, n=0, p=np.nan, p_adjusted=np.nan,
        clear=[False],
    )  # fmt: skip


def _findings(table: pd.DataFrame, target: str, targets: int, level: float) -> list[Finding]:
    rows = table[table["metric"] == "difference"]
    clear = rows[rows["clear"]]
    values = {"pairs": len(rows), "clear": len(clear), "targets": targets,
              "level": round(100 * level)}  # fmt: skip
    if clear.empty:
        return [Finding("superiority.none", values, "warning")]
    largest = clear.reindex(clear["estimate"].abs().sort_values(ascending=False).index)[:_SHOWN]
    shown = []
    for row in largest.to_dict("records"):
        better, worse = row[target], row["other"]
        if row["estimate"] < 0:
            better, worse = worse, better
        least = min(abs(row["low"]), abs(row["high"]))
        shown.append(f"{better} > {worse} (≥ {least:.2g})")
    return [Finding("superiority.some", {**values, "shown": shown})]
