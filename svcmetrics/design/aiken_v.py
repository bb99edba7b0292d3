"""Aiken's V: how highly a panel rates an item, with an interval, and two panels compared."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.design._panel import read_ratings
from svcmetrics.metric import metric
from svcmetrics.numeric.intervals import wilson
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require

_NEUTRAL = 0.5
_NAMES = 8


@metric(
    better="higher",
    low=0,
    high=1,
    source="Aiken (1980), EPM 40, 955-959; Penfield & Giacobbi (2004), MPEES 8(4), 213-225, eq. 4-5",
)
def aiken_v(
    judgements: pd.DataFrame,
    *,
    item: str = "item_id",
    judge: str = "judge_key",
    relevance: str = "relevance",
    scale: tuple[float, float] = (1, 4),
    panel: str | None = None,
) -> Result:
    """How highly does the panel rate each item, and do two panels differ?

    ``judgements``: one row per item and judge. ``item``, ``judge``: its columns. ``relevance``:
    rating on ``scale`` (lowest and highest possible rating, whole steps). ``panel``: column with
    the name of the judge's panel, such as service side and customer side; two panels.

    Returns per item (and panel) V, from 0 (all gave the lowest) to 1 (all the highest), with a
    95% score interval, ``n`` judges and ``verdict``: "keep" (the whole interval lies above 0.5),
    "drop" (below) or "unclear". With ``panel`` also rows ``aiken_v_difference``: the first panel
    in alphabetical order minus the second, square-and-add interval of the two score intervals.

    It misleads with a divided panel: half 1 and half 4 give V = 0.5 like all in the middle.

    Source: score interval by Penfield & Giacobbi (2004); difference as in Newcombe (1998),
    Statist. Med. 17, 873-890, method 10.

    >>> import pandas as pd
    >>> judges = pd.DataFrame({"item_id": "a", "judge_key": range(5), "relevance": [4, 4, 3, 4, 4]})
    >>> aiken_v(judges, scale=(1, 5)).table[["estimate", "low", "high"]].round(3).values.tolist()
    [[0.7, 0.481, 0.855]]
    """
    steps = scale[1] - scale[0]
    if steps < 1 or steps != round(steps):
        raise table_error("scale_unusable", low=scale[0], high=scale[1])
    rows, dropped = read_ratings(
        judgements, item=item, judge=judge, relevance=relevance, scale=scale
    )
    keys = [item] if panel is None else [panel, item]
    if panel is not None:
        require(judgements, panel)
        rows = rows.assign(**{panel: judgements.reset_index(drop=True)[panel].reindex(rows.index)})
        dropped |= {"no_panel": int(rows[panel].isna().sum())} if rows[panel].isna().any() else {}
    means = rows.groupby(keys)[relevance].agg(["mean", "size"]).reset_index()
    n = means["size"].to_numpy(int)
    v = (means["mean"].to_numpy() - scale[0]) / steps
    low, high = wilson(v * n * steps, n * steps)
    low, high = np.fmin(low, v), np.fmax(high, v)
    verdict = np.where(low > _NEUTRAL, "keep", np.where(high < _NEUTRAL, "drop", "unclear"))
    table = estimates(
        "aiken_v",
        groups={k: means[k].tolist() for k in keys},
        estimate=v, low=low, high=high, n=n, verdict=verdict,
    )  # fmt: skip
    difference = _difference(table, panel, item) if panel is not None else pd.DataFrame()
    whole = pd.concat([table, difference]) if len(difference) else table
    about = {"dropped": dropped, "scale": list(scale), "interval": "95% score interval"}
    return Result("aiken_v", whole, _findings(table, difference, item), about)


def _difference(table: pd.DataFrame, panel: str, item: str) -> pd.DataFrame:
    names = sorted(table[panel].unique(), key=str)
    if len(names) != 2:
        raise table_error("two_panels", column=panel, found=[str(v) for v in names])
    one, two = (table[table[panel] == v].set_index(item) for v in names)
    shared = [i for i in one.index if i in set(two.index)]
    one, two = one.loc[shared], two.loc[shared]
    gap = (one["estimate"] - two["estimate"]).to_numpy()
    down = np.hypot(one["estimate"] - one["low"], two["high"] - two["estimate"]).to_numpy()
    up = np.hypot(one["high"] - one["estimate"], two["estimate"] - two["low"]).to_numpy()
    low, high = np.maximum(gap - down, -1.0), np.minimum(gap + up, 1.0)
    return estimates(
        "aiken_v_difference",
        groups={panel: f"{names[0]} − {names[1]}", item: shared},
        estimate=gap,
        low=low,
        high=high,
        n=(one["n"] + two["n"]).to_numpy(),
        verdict=np.where((low > 0) | (high < 0), "differs", "unclear"),
    )


def _findings(table: pd.DataFrame, difference: pd.DataFrame, item: str) -> list[Finding]:
    if table.empty:
        return [Finding("cvr.none", {}, "refused")]
    kept = (table["verdict"] == "keep").groupby(table[item]).all()
    values = {"items": len(kept), "kept": int(kept.sum())}
    found = [Finding("aiken_v.kept", values)]
    if len(difference):
        apart = difference.loc[difference["verdict"] == "differs", item].astype(str).tolist()
        names = apart[:_NAMES] + ["…"] * (len(apart) > _NAMES)
        key = "aiken_v.panels_differ" if apart else "aiken_v.panels_unclear"
        found.append(Finding(key, {"names": names, "count": len(apart), "items": len(difference)}))
    return found
