"""Content validity index per item and for the whole form, corrected for chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.design._panel import read_ratings
from svcmetrics.metric import metric
from svcmetrics.numeric.intervals import wilson
from svcmetrics.result import Finding, Result, estimates

# Polit & Beck (2006): all of up to five judges must agree; 0.78 from six judges on.
_SMALL_PANEL, _ENOUGH = 5, 0.78
_NAMES = 8


@metric(
    better="higher",
    low=0,
    high=1,
    source="Polit, Beck & Owen (2007), Research in Nursing & Health 30, 459-467, table 4",
)
def cvi(
    judgements: pd.DataFrame,
    *,
    item: str = "item_id",
    judge: str = "judge_key",
    relevance: str = "relevance",
    relevant_from: float = 3,
    scale: tuple[float, float] = (1, 4),
) -> Result:
    """Does the panel find each item, and the form as a whole, relevant?

    ``judgements``: one row per item and judge. ``item``, ``judge``: its columns. ``relevance``:
    rating on ``scale``, 1 (not relevant) to 4 (highly relevant). ``relevant_from``: ratings from
    here on count as relevant.

    Returns per item (variant "i_cvi") the share of judges who find it relevant, a 95% Wilson
    interval, ``n`` judges, ``agree``, ``chance`` (probability of that agreement by chance),
    ``kappa`` (modified kappa) and ``verdict`` ("keep": all of up to 5 judges, or 0.78 and more of
    6 and more; else "revise"). Two rows for the form: "s_cvi_ave", the mean over items (95%
    t interval over judges; 0.90 is asked for), and "s_cvi_ua", the share of items on which all
    agree (falls with every further judge: do not compare panels by it).

    It misleads when all judges come from one side, or when the panel wrote the items.

    Source: Polit & Beck (2006), RINAH 29, 489-497; modified kappa: Polit, Beck & Owen (2007).

    >>> import pandas as pd
    >>> panel = pd.DataFrame({"item_id": "a", "judge_key": range(6), "relevance": [4, 4, 3, 3, 4, 2]})
    >>> cvi(panel).table[["variant", "estimate"]].round(3).values.tolist()
    [['i_cvi', 0.833], ['s_cvi_ave', 0.833], ['s_cvi_ua', 0.0]]
    """
    rows, dropped = read_ratings(
        judgements, item=item, judge=judge, relevance=relevance, scale=scale
    )
    yes = (rows[relevance] >= relevant_from).astype(float)
    panel = yes.groupby(rows[item]).agg(["sum", "size"])
    agree, n = panel["sum"].to_numpy(float), panel["size"].to_numpy(float)
    share = agree / n
    low, high = wilson(agree, n)
    chance = special.binom(n, agree) * 0.5**n
    enough = np.where(n <= _SMALL_PANEL, agree == n, share >= _ENOUGH - 1e-12)
    items = estimates(
        "cvi",
        groups={item: panel.index.tolist()},
        variant="i_cvi",
        estimate=share,
        low=low,
        high=high,
        n=n.astype(int),
        agree=agree.astype(int),
        chance=chance,
        kappa=(share - chance) / (1 - chance),
        verdict=np.where(enough, "keep", "revise"),
    )
    form = _form(share, yes.groupby(rows[judge]).mean().to_numpy(), item)
    table = pd.concat([items, form]) if len(items) else items
    about = {"dropped": dropped, "relevant_from": relevant_from}
    return Result("cvi", table, _findings(items, form, item), about)


def _form(share: np.ndarray, per_judge: np.ndarray, item: str) -> pd.DataFrame:
    """The mean over items, with an interval over judges, and the share of unanimous items."""
    if not len(share):
        return pd.DataFrame()
    mean, k = float(share.mean()), len(per_judge)
    half = np.nan
    if k > 1:
        half = float(special.stdtrit(k - 1, 0.975)) * per_judge.std(ddof=1) / np.sqrt(k)
    return estimates(
        "cvi",
        groups={item: ""},
        variant=["s_cvi_ave", "s_cvi_ua"],
        estimate=[mean, float((share == 1).mean())],
        low=[np.maximum(mean - half, 0.0), np.nan],
        high=[np.minimum(mean + half, 1.0), np.nan],
        n=k,
        verdict="",
    )


def _findings(items: pd.DataFrame, form: pd.DataFrame, item: str) -> list[Finding]:
    if items.empty:
        return [Finding("cvr.none", {}, "refused")]
    values = {
        "items": len(items),
        "kept": int((items["verdict"] == "keep").sum()),
        "mean": float(form["estimate"].iloc[0]),
        "judges": int(form["n"].iloc[0]),
    }
    found = [Finding("cvi.kept", values)]
    revise = items.loc[items["verdict"] == "revise", item].astype(str).tolist()
    if revise:
        names = revise[:_NAMES] + ["…"] * (len(revise) > _NAMES)
        found.append(Finding("cvi.revise", {"names": names, "count": len(revise)}))
    if items["n"].min() < 3:
        found.append(Finding("cvi.few_judges", {"judges": int(items["n"].min())}, "warning"))
    return found
