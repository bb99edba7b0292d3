"""Means of ratings per group that may leave: each cell audited against everything published before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from svcmetrics.privacy.asked import Asked
from svcmetrics.privacy.behind import Behind, cell_bounds
from svcmetrics.privacy.ledger import Ledger
from svcmetrics.privacy.published import Published, at_least
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, estimates
from svcmetrics.study import MIN_RATERS

# The mean of one person is that person's rating.
_FEWEST = 2


def publish_means(
    behind: Behind,
    *,
    ledger: Ledger,
    min_n: int = MIN_RATERS,
    min_computed: int | None = None,
    quantity: str = "mean",
) -> Published:
    """Which group means may be shown, given everything that was shown before?

    ``behind``: the ratings, one row per rating and cell. ``ledger``: of the organisation; cells that
    are shown are written to it. ``min_n``: fewest raters, 5 or more. ``min_computed``: fewest raters
    of a group whose mean follows from several cells; left out, as ``min_n``; 2 shows more cells and
    protects single ratings only, from one insider too. ``quantity``: what is rated; cells of
    different quantities tell nothing about one another.

    Returns one row per cell of ``behind.by``: ``estimate`` as it may be shown, ``bound`` ("at_least",
    "at_most": the group is at one end of the scale), ``n`` raters, ``shown``. A sentence says which
    cells are hidden and which coarser ones may be shown in their place.

    It misleads who takes a hidden cell for a bad one: it may be the one that costs least to hide.
    Source: ``svcmetrics.numeric.disclosure_audit``.

    >>> import tempfile
    >>> from pathlib import Path
    >>> ratings = pd.DataFrame({"d": ["HR"] * 6 + ["IT"] * 2, "r": list("abcdefgh"), "s": 3})
    >>> with Ledger.open("example", Path(tempfile.mkdtemp())) as ledger:
    ...     behind = Behind(ratings, by=["d"], rater="r", score="s", scale=(1, 5))
    ...     publish_means(behind, ledger=ledger).table["shown"].tolist()
    [True, False]
    """
    least = at_least(min_n)
    asked, table = ask(behind)
    floors = least, _computed(min_computed, least, behind)
    shown = ledger.admit(quantity, behind, asked, least=least, computed=floors[1])
    hidden = ~shown
    for column in ("estimate", "n"):
        table[column] = table[column].astype("float64").mask(hidden)
    table["bound"] = table["bound"].mask(hidden, "")
    table["shown"] = shown
    told = _told(behind, table, _coarser(behind, hidden, ledger, floors, quantity))
    return Published("means", table, tuple(told), "", int(hidden.sum()), least)


def _computed(asked: int | None, least: int, behind: Behind) -> int:
    """Fewest raters of a mean that follows from several cells."""
    if asked is None:
        return least
    if asked < _FEWEST:
        raise table_error("group_size_lowered", found=asked, floor=_FEWEST)
    # From counts alone no bound on a rating is checked: one insider must still leave two others.
    return min(max(asked, _FEWEST + (behind.scale is None)), least)


def ask(behind: Behind, *, parts: bool = False) -> tuple[list[Asked], pd.DataFrame]:
    """The cells as they would be shown, and as a table.

    ``parts``: the ratings are parts of one answer; what a person weighs in a cell is their sum.
    """
    code, names = behind.cells().to_numpy(), behind.names()
    weights = behind.weights()
    scored = behind.scale is not None
    score = behind.ratings[behind.score].to_numpy("float64") if scored else np.zeros(len(code))
    person = pd.factorize(behind.ratings[behind.rater])[0]
    order = np.argsort(code, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(code, minlength=len(names))))[:-1]
    asked, shown = [], []
    for place, mine in enumerate(rows):
        w = weights[mine]
        mean = float(score[mine] @ w / w.sum()) if len(mine) else float("nan")
        label = " · ".join(str(v) for v in names.iloc[place])
        low, high, bound = (
            cell_bounds(
                mean,
                _of_persons(w, person[mine], parts),
                behind.scale,
                behind.unit,
                behind.decimals,
            )
            if behind.scale is not None and len(mine)
            else (0.0, 0.0, "")
        )
        total = float(w.sum())
        # A band that leaves nothing of the scale out says nothing: such a cell is not asked for.
        kept = slice(None) if bound != "hidden" else slice(0)
        asked.append(Asked(label, mine[kept], w[kept], low * total, high * total))
        shown.append((_written(mean, low, high, bound, behind.decimals), bound))
    raters = behind.ratings[behind.rater].groupby(code).nunique()
    table = estimates(
        "means",
        groups={c: names[c].tolist() for c in behind.by},
        estimate=[v for v, _ in shown],
        n=raters.reindex(range(len(names)), fill_value=0).tolist(),
        bound=[b for _, b in shown],
    )
    return asked, table


def _of_persons(weights: np.ndarray, person: np.ndarray, parts: bool) -> np.ndarray:
    if not parts:
        return weights
    return np.bincount(np.unique(person, return_inverse=True)[1], weights=weights)


def _written(mean: float, low: float, high: float, bound: str, decimals: int | None) -> float:
    told = {"at_least": low, "at_most": high}.get(bound, mean)
    return round(told, 2 if decimals is None else decimals)


def _coarser(
    behind: Behind, hidden: np.ndarray, ledger: Ledger, floors: tuple[int, int], quantity: str
) -> list[list[str]]:
    """For each hidden cell the next larger group that may be shown: the names left, or nothing.

    One naming column after the other is left out, the last first; nothing is published by asking.
    """
    if not hidden.any():
        return []
    names = behind.names()
    named = names.to_numpy()
    found: list[list[str]] = [[] for _ in range(int(hidden.sum()))]
    for count in range(len(behind.by) - 1, 0, -1):
        wider = replace(behind, by=list(behind.by)[:count])
        asked, _ = ask(wider)
        may = dict(
            zip(
                [cell.label for cell in asked],
                ledger.admit(
                    quantity, wider, asked, least=floors[0], computed=floors[1], keep=False
                ).tolist(),
            )
        )
        for place, row in enumerate(np.flatnonzero(hidden)):
            label = " · ".join(str(v) for v in named[row][:count])
            if not found[place] and may.get(label):
                found[place] = [label]
    return found


def _told(behind: Behind, table: pd.DataFrame, coarser: list[list[str]]) -> list[Finding]:
    hidden = table[~table["shown"]]
    if hidden.empty:
        return []
    labels = [" · ".join(str(v) for v in row) for row in hidden[list(behind.by)].to_numpy()]
    told = [Finding("publish.hidden_cells", {"names": labels, "count": len(labels)}, "warning")]
    instead = sorted({label for found in coarser for label in found})
    key = "publish.instead" if instead else "publish.nothing_instead"
    return [*told, Finding(key, {"names": instead} if instead else {})]
