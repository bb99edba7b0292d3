"""Weights of criteria from pairwise comparisons (analytic hierarchy process)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

from svcmetrics.metric import metric
from svcmetrics.numeric import pairwise
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.weigh._matrices import Matrices, read_matrices

METHODS = ("eigenvector", "geometric_mean", "harker")
COMBINE = ("judgements", "priorities")
# Saaty's rule for the consistency ratio.
_ACCEPTED = 0.10


@metric(
    better="neither",
    low=0,
    high=1,
    source="Saaty (2008), Int. J. Services Sciences 1(1), 83-98; Forman & Peniwati (1998), EJOR 108, 165-169",
    behind="judges",
)
def ahp(
    judgements: pd.DataFrame,
    *,
    judge: str | None = None,
    of: str = "node_a",
    over: str = "node_b",
    value: str = "value",
    method: str = "eigenvector",
    combine: str = "judgements",
) -> Result:
    """How much does each criterion count, judging from comparisons in pairs?

    ``judgements``: one row per comparison. ``judge``: column of the person who judged (None: one
    judge). ``of``, ``over``: columns of the two criteria; ``value``: how many times ``of`` counts
    more than ``over`` (usually 1/9 to 9, above 0). Give each pair once; not every pair need be
    asked, as long as all criteria hang together. ``method``: "eigenvector" (missing pairs are
    filled so that the largest eigenvalue is smallest), "geometric_mean" (missing pairs: least
    squares of logarithms) or "harker" (eigenvector, missing pairs by Harker's rule).
    ``combine``: "judgements" pools the answers of all judges and then weighs (AIJ: the judges act
    as one body), "priorities" weighs per judge and then pools (AIP: the judges stay individuals).

    Returns one row per criterion: its weight (they sum to 1), a 95% interval over judges
    (jackknife on the logit, Student's t), and ``n``, the judges. ``about["consistency"]`` holds
    the consistency ratio of the pooled judgements; ``weigh.consistency`` has it per judge, with
    what would mend it.

    It misleads when the judges answered in order to favour their own department, when they do not
    speak for those who are affected, or when a mean hides two camps: look at the interval.

    Source: eigenvector as in Saaty (2008), table 3; optimal filling by Bozoki, Fulop & Ronyai
    (2010); pooling by Forman & Peniwati (1998).

    >>> import pandas as pd
    >>> pairs = pd.DataFrame({"step": ["a", "a", "b"], "step_b": ["b", "c", "c"], "ratio": [2, 6, 3]})
    >>> ahp(pairs, of="step", over="step_b", value="ratio").table["estimate"].round(3).tolist()
    [0.6, 0.3, 0.1]
    """
    _word("method", method, METHODS)
    _word("combine", combine, COMBINE)
    data = read_matrices(judgements, judge=judge, of=of, over=over, value=value)
    weights = weights_of(data.a, method) if combine == "priorities" else None
    group = _group(data.a, weights, method)
    low, high = _interval(data.a, weights, method, group)
    used = len(data.judges) if weights is None else int(np.isfinite(weights[:, 0]).sum())
    table = estimates("ahp", groups={of: data.nodes}, estimate=group, low=low, high=high, n=used)
    index = _consistency(data.a, group)
    about = {"dropped": data.dropped, "method": method, "combine": combine, "consistency": index}
    return Result("ahp", table, _findings(data, table, of, index, used), about)


def weights_of(a: np.ndarray, method: str) -> np.ndarray:
    """Weights per matrix; NaN where its comparisons do not hang together."""
    w = np.full(a.shape[:2], np.nan)
    whole = pairwise.connected(a)
    if whole.any():
        some = a[whole]
        if method == "geometric_mean":
            w[whole] = pairwise.geometric(some)
        elif method == "harker":
            w[whole] = pairwise.harker(some)[0]
        else:
            w[whole] = pairwise.principal(pairwise.filled(some))[0]
    return w


def _group(a: np.ndarray, weights: np.ndarray | None, method: str) -> np.ndarray:
    if weights is not None:
        return _pooled(weights[np.isfinite(weights[:, 0])])
    return weights_of(_mean(np.log(a)[None]), method)[0]


def _pooled(weights: np.ndarray) -> np.ndarray:
    """Geometric mean over judges, summing to 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        w = np.exp(np.log(weights).sum(axis=0) / len(weights))
    return w / w.sum()


def _mean(logs: np.ndarray) -> np.ndarray:
    """Geometric mean over judges (axis 1) of the comparisons that were made."""
    known = ~np.isnan(logs)
    count = known.sum(axis=1)
    total = np.where(known, logs, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.exp(np.where(count > 0, total / count, np.nan))


def _interval(
    a: np.ndarray, weights: np.ndarray | None, method: str, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Jackknife over judges on the logit scale, so that the limits stay between 0 and 1."""
    if weights is None:
        logs = np.log(a)
        known = ~np.isnan(logs)
        total, count = np.where(known, logs, 0.0).sum(axis=0), known.sum(axis=0)
        left = count - known
        with np.errstate(invalid="ignore"):
            pooled = np.where(left > 0, (total - np.where(known, logs, 0.0)) / left, np.nan)
        without = weights_of(np.exp(pooled), method) if len(a) > 1 else np.empty((0, len(group)))
    else:
        logs = np.log(weights[np.isfinite(weights[:, 0])])
        mean = (logs.sum(axis=0) - logs) / max(len(logs) - 1, 1)
        without = np.exp(mean) / np.exp(mean).sum(axis=1, keepdims=True)
    k = len(without)
    if k < 2 or not np.isfinite(without).all() or not np.isfinite(group).all():
        return np.full(len(group), np.nan), np.full(len(group), np.nan)
    steps = logit(without)
    se = np.sqrt((k - 1) / k * ((steps - steps.mean(axis=0)) ** 2).sum(axis=0))
    half = stdtrit(k - 1, 0.975) * se
    return expit(logit(group) - half), expit(logit(group) + half)


def _consistency(a: np.ndarray, group: np.ndarray) -> dict[str, Any]:
    """Consistency of the pooled judgements, with Saaty's (1980) random index."""
    pooled, n = _mean(np.log(a)[None]), a.shape[1]
    if n < 3 or not np.isfinite(group).all() or not pairwise.connected(pooled)[0]:
        return {}
    root = float(pairwise.principal(pairwise.filled(pooled))[1][0])
    index, table = pairwise.random_index(n, "saaty1980")
    spread = float(pairwise.geometric_index(pooled, pairwise.geometric(pooled))[0])
    ci = max((root - n) / (n - 1), 0.0)
    return {"lambda_max": root, "ci": ci, "cr": ci / index, "random_index": table, "gci": spread}


def _findings(
    data: Matrices, table: pd.DataFrame, of: str, index: dict[str, Any], used: int
) -> list[Finding]:
    if not np.isfinite(table["estimate"]).all():
        return [Finding("ahp.disconnected", {"nodes": data.nodes}, "refused")]
    first = table.nlargest(1, "estimate").to_dict("records")[0]
    values = {"node": first[of], "share": 100 * first["estimate"], "judges": used}
    found = [Finding("ahp.first", values)]
    if index and index["cr"] > _ACCEPTED:
        values = {"cr": index["cr"], "table": index["random_index"]}
        found.append(Finding("ahp.inconsistent", values, "warning"))
    if used < len(data.judges):
        found.append(Finding("ahp.judges_left_out", {"count": len(data.judges) - used}, "warning"))
    if used < 2:
        found.append(Finding("ahp.no_interval", {"judges": used}, "warning"))
    elif not np.isfinite(table["low"]).all():
        found.append(Finding("ahp.hangs_on_one", {}, "warning"))
    return found


def _word(option: str, found: str, known: tuple[str, ...]) -> None:
    if found not in known:
        raise table_error("unknown_word", unknown=[f"{option}={found!r}"], known=list(known))
