"""Whether each judge's pairwise comparisons agree with one another, and what would mend them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import pairwise
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.weigh._matrices import Matrices, read_matrices

_ACCEPTED = 0.10
# Aguaron & Moreno-Jimenez (2003), table 4: the limits of the geometric index that match 0.10.
_GCI_ACCEPTED = {3: 0.31, 4: 0.35}
_GCI_BEYOND = 0.37
# A judge is asked again about these many judgements, no more.
_MENDED = 3


@metric(
    better="lower",
    low=0,
    source="Saaty (1980), The Analytic Hierarchy Process; Aguaron & Moreno-Jimenez (2003), EJOR 147, 137-145",
    drawing="own",
    behind="ratings",
)
def consistency(
    judgements: pd.DataFrame,
    *,
    judge: str | None = None,
    of: str = "node_a",
    over: str = "node_b",
    value: str = "value",
    random_index: str = "saaty1980",
) -> Result:
    """Do a judge's comparisons contradict one another, and which should be asked again?

    ``judgements``, ``judge``, ``of``, ``over``, ``value``: as in ``weigh.ahp``. ``random_index``:
    the published table that divides the consistency index: "saaty1980", "saaty2005",
    "donegan_dodd1991" or "alonso_lamata2006" (a formula for any number of criteria; it also
    continues the other tables beyond their end). The same matrix can get 0.022 or 0.024.

    Returns per judge: ``consistency`` (the ratio CR; accepted up to 0.10), ``consistency_thinned``
    (only where pairs are missing: the ratio to the index of equally incomplete random matrices),
    ``gci`` (geometric index), and up to three rows ``mend``: the judgements that fit least
    (columns ``of`` and ``over``, ``given``), with the value on which all others agree
    (``estimate``) and the ratio after the change (``after``). ``n``: comparisons made.

    It misleads when a judge was pushed to consistency: consistent answers may still be wrong.
    Ask again, never change an answer yourself. It says nothing about how well judges agree.

    Source: Saaty (1980), p. 21; missing pairs: Agoston & Csato (2022), Omega 108, 102576.

    >>> import pandas as pd
    >>> pairs = pd.DataFrame({"a": ["x", "x", "y"], "b": ["y", "z", "z"], "v": [2, 6, 3]})
    >>> consistency(pairs, of="a", over="b", value="v").table["estimate"].round(3).tolist()
    [0.0, 0.0]
    """
    if random_index not in pairwise.RANDOM_INDEX:
        known = list(pairwise.RANDOM_INDEX)
        raise table_error("unknown_word", unknown=[f"random_index={random_index!r}"], known=known)
    data = read_matrices(judgements, judge=judge, of=of, over=over, value=value)
    key = judge or "judge"
    index, used = pairwise.random_index(len(data.nodes), random_index)
    whole = pairwise.connected(data.a)
    ratios = _ratios(data, whole, index, key)
    mends = _mends(data, whole, index, (key, of, over))
    table = pd.concat([ratios, mends], ignore_index=True)
    first = [key, *(c for c in (of, over) if c in table.columns)]
    table = table[[*first, *(c for c in table.columns if c not in first)]]
    about = {
        "dropped": data.dropped,
        "random_index": used,
        "random_index_value": index,
        "limit": _ACCEPTED,
    }
    return Result("consistency", table, _findings(data, ratios, mends, used), about)


def _ratios(data: Matrices, whole: np.ndarray, index: float, key: str) -> pd.DataFrame:
    """CR, thinned CR and geometric index of every judge; missing where they cannot be had."""
    k, n = data.a.shape[:2]
    cr, thin, gci = np.full((3, k), np.nan)
    missing = np.isnan(data.a).sum(axis=(1, 2)) // 2
    if n > 2 and whole.any():
        some = data.a[whole]
        ci = _index(pairwise.filled(some))
        cr[whole] = ci / index
        allowed = pairwise.thinned_index(index, n, missing[whole])
        with np.errstate(divide="ignore", invalid="ignore"):
            thin[whole] = np.where(allowed > 1e-12, ci / allowed, np.nan)
        gci[whole] = pairwise.geometric_index(some, pairwise.geometric(some))
    thin[missing == 0] = np.nan
    made = n * (n - 1) // 2 - missing
    parts = [
        estimates(name, groups={key: data.judges}, estimate=x, n=made)
        for name, x in (("consistency", cr), ("consistency_thinned", thin), ("gci", gci))
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[(table["metric"] != "consistency_thinned") | table["estimate"].notna()]


def _mends(
    data: Matrices, whole: np.ndarray, index: float, names: tuple[str, str, str]
) -> pd.DataFrame:
    """The worst judgements of every judge whose ratio is too high."""
    key, of, over = names
    n = len(data.nodes)
    if n < 3 or not whole.any():
        return pd.DataFrame()
    where = np.flatnonzero(whole)
    where = where[_index(pairwise.filled(data.a[where])) / index > _ACCEPTED]
    if not len(where):
        return pd.DataFrame()
    a = data.a[where]
    target = pairwise.agreeing_values(a)
    upper = np.triu(np.ones((n, n), dtype=bool), 1)
    gap = np.where(upper & np.isfinite(target), np.abs(np.log(a / target)), -1.0)
    flat = np.argsort(-gap.reshape(len(a), -1), axis=1, kind="stable")[:, :_MENDED]
    k, cell = np.repeat(np.arange(len(a)), flat.shape[1]), flat.ravel()
    i, j = np.divmod(cell, n)
    kept = gap[k, i, j] > 0
    k, i, j = k[kept], i[kept], j[kept]
    changed = a[k]
    rows = np.arange(len(k))
    changed[rows, i, j] = target[k, i, j]
    changed[rows, j, i] = 1 / target[k, i, j]
    node = np.array(data.nodes, dtype=object)
    return estimates(
        "mend",
        groups={key: [data.judges[w] for w in where[k]], of: node[i], over: node[j]},
        estimate=target[k, i, j],
        n=1,
        given=a[k, i, j],
        after=_index(pairwise.filled(changed)) / index,
    )


def _index(full: np.ndarray) -> np.ndarray:
    """Consistency index of complete matrices; rounding must not push it below 0."""
    n = full.shape[1]
    return np.maximum((pairwise.principal(full)[1] - n) / (n - 1), 0.0)


def _findings(
    data: Matrices, ratios: pd.DataFrame, mends: pd.DataFrame, used: str
) -> list[Finding]:
    cr = ratios.loc[ratios["metric"] == "consistency", "estimate"].to_numpy()
    if not np.isfinite(cr).any():
        key = "consistency.too_small" if len(data.nodes) < 3 else "ahp.disconnected"
        return [Finding(key, {"nodes": data.nodes}, "refused")]
    bad = int((cr > _ACCEPTED).sum())
    limit = _GCI_ACCEPTED.get(len(data.nodes), _GCI_BEYOND)
    values = {"judges": int(np.isfinite(cr).sum()), "bad": bad, "table": used, "gci": limit}
    key = "consistency.contradictory" if bad else "consistency.fine"
    found = [Finding(key, values, "warning" if bad else "note")]
    if len(mends):
        gap = np.abs(np.log((mends["given"] / mends["estimate"]).to_numpy()))
        worst = mends.iloc[int(gap.argmax())]
        pair = [str(v) for v in worst.iloc[1:3]]
        values = {"a": pair[0], "b": pair[1], "given": worst["given"], "value": worst["estimate"]}
        found.append(Finding("consistency.mend", {**values, "after": worst["after"]}))
    if not np.isfinite(cr).all():
        left = int(np.isnan(cr).sum())
        found.append(Finding("ahp.judges_left_out", {"count": left}, "warning"))
    return found
