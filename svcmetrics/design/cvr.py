"""Lawshe's content validity ratio, with exact critical values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.design._panel import ESSENTIAL, OTHERWISE, read_words, without_ratings
from svcmetrics.metric import metric
from svcmetrics.numeric.intervals import wilson
from svcmetrics.result import Finding, Result, estimates

_NAMES = 8


def needed(judges: np.ndarray, level: float = 0.05) -> np.ndarray:
    """The smallest number of "essential" that chance alone reaches with probability <= level.

    One-sided binomial with p = 1/2, exact for any number of judges; judges + 1 where even a
    unanimous panel would not be enough (4 judges or fewer).
    """
    n = np.asarray(judges, dtype=np.int64)
    k = np.arange(int(n.max(initial=0)) + 2)
    tail = special.betainc(np.maximum(k, 1), np.maximum(n[:, None] - k + 1, 1e-9), 0.5)
    tail = np.where(k > n[:, None], 0.0, np.where(k == 0, 1.0, tail))
    return np.asarray((tail <= level + 1e-12).argmax(axis=1))


@metric(
    better="higher",
    low=-1,
    high=1,
    source="Lawshe (1975), Personnel Psychology 28, 563-575; Ayre & Scally (2014), MECD 47(1), 79-86",
)
def cvr(
    judgements: pd.DataFrame,
    *,
    item: str = "item_id",
    judge: str = "judge_key",
    relevance: str = "relevance",
    essential: Sequence[object] = ESSENTIAL,
) -> Result:
    """Which items does a panel hold essential, more often than chance would?

    ``judgements``: one row per item and judge. ``item``, ``judge``, ``relevance``: its columns.
    ``essential``: the answers that count as "essential" (all others count as "not").

    Returns one row per item: the ratio (-1 nobody, 0 half, 1 all), a 95% Wilson interval, ``n``
    judges, ``agree`` (how many said essential), ``needed`` (how many must, one-sided 5%, exact
    binomial) and ``verdict``: "keep", "revise" or "too_few" (four judges can never be enough).
    Rows that hold a rating in digits are set aside: they belong to ``design.cvi``.

    It misleads when the panel is small or of one mind by origin (only service departments), and
    "essential" is not yet "well worded". Lawshe's printed table is wrong in places (10 judges
    need 9, not 8); the values here are computed.

    Source: Lawshe (1975); Ayre & Scally (2014), table 2.

    >>> import pandas as pd
    >>> panel = pd.DataFrame({"item_id": "a", "judge_key": range(8),
    ...                       "relevance": ["essential"] * 7 + ["useful"]})
    >>> cvr(panel).table[["estimate", "needed", "verdict"]].values.tolist()
    [[0.75, 7, 'keep']]
    """
    words = {str(v) for v in ([essential] if isinstance(essential, str) else essential)}
    judgements, rated = without_ratings(judgements, relevance, words)
    rows, dropped = read_words(judgements, item=item, judge=judge, relevance=relevance)
    dropped |= {"on_a_scale": rated} if rated else {}
    yes = rows[relevance].astype(str).isin(words)
    panel = yes.groupby(rows[item]).agg(["sum", "size"])
    agree, n = panel["sum"].to_numpy(float), panel["size"].to_numpy(int)
    low, high = wilson(agree, n)
    least = needed(n)
    verdict = np.where(least > n, "too_few", np.where(agree >= least, "keep", "revise"))
    table = estimates(
        "cvr",
        groups={item: panel.index.tolist()},
        estimate=2 * agree / n - 1,
        low=2 * low - 1,
        high=2 * high - 1,
        n=n,
        agree=agree.astype(int),
        needed=least,
        verdict=verdict,
    )
    about = {
        "dropped": dropped,
        "method": "exact one-sided binomial, p = 1/2, 5%",
        "mean_of_kept": float(table.loc[table["verdict"] == "keep", "estimate"].mean()),
    }
    seen = set(rows[relevance].astype(str))
    return Result("cvr", table, _findings(table, item, seen, words), about)


def _findings(table: pd.DataFrame, item: str, seen: set[str], words: set[str]) -> list[Finding]:
    if table.empty:
        return [Finding("cvr.none", {}, "refused")]
    found = []
    few = table["verdict"] == "too_few"
    values = {"items": len(table), "kept": int((table["verdict"] == "keep").sum())}
    if few.all():
        found.append(Finding("cvr.too_few", {"judges": int(table["n"].max())}, "warning"))
    else:
        found.append(Finding("cvr.kept", values))
    revise = table.loc[table["verdict"] == "revise", item].astype(str).tolist()
    if revise:
        names = revise[:_NAMES] + ["…"] * (len(revise) > _NAMES)
        found.append(Finding("cvr.revise", {"names": names, "count": len(revise)}))
    strange = sorted(seen - words - {*ESSENTIAL, *OTHERWISE})
    if strange:
        found.append(Finding("cvr.counted_as_not", {"words": strange[:_NAMES]}, "warning"))
    if not seen & words:
        found.append(Finding("cvr.nobody", {}, "warning"))
    return found
