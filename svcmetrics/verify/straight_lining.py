"""Straight-lining: how many forms have the same answer throughout, and how many would by chance?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric import careless
from svcmetrics.numeric.intervals import normal_quantile, wilson
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import numbers, require
from svcmetrics.verify import grid as grids

# Fewer answers than this cannot show a straight line.
ITEMS = 3
# A share counts as above chance when its lower limit is this much above it.
_CLEARLY = 0.02
# Distinct sets of answered items whose chance is worked out; rarer ones take the average.
_PATTERNS = 200
# When one answer makes up this share, unanimity and a straight line look the same.
_DOMINANT = 0.9


@metric(
    better="lower", low=0, high=1, drawing="against_chance",
    source="Johnson 2005, J. Res. Pers. 39, 103-129 (long strings); Wilson 1927 (interval)",
)  # fmt: skip
def straight_lining(
    ratings: pd.DataFrame,
    *,
    form: str,
    item: str,
    score: str,
    wave: str | None = None,
    order: str | None = None,
) -> Result:
    """How many forms have the same answer throughout, compared with chance?

    ratings: one row per answer; a repeated (form, item) pair is an error.
    form, item, score: the columns with the form, the item and the answer as given (before
        reversing items).
    wave: the column with the round; each round is a row of its own.
    order: the column with the position of the item as shown; without it, by the items' names.

    Returns per wave: the share of forms with one answer throughout (``straight_lining``, Wilson
    interval) beside ``chance``, the share to expect if each item had been answered on its own at
    the shares observed; and ``longstring_ratio``, the mean longest run over its expectation
    (1 is chance; interval of the mean). ``not_assessable``: forms with fewer than 3 answers.

    Misleads: people may truly think the same of everything, so this is a sign and no proof. Where
    nearly all answers are one number, chance explains every straight line: the share then says
    nothing, and the wave carries next to no information (said in the reading).

    Source: long strings: Johnson 2005, J. Res. Pers. 39, 103-129; the expectation is exact.

    >>> r = pd.DataFrame({"f": [*"aaabbbcccddd"], "i": [1, 2, 3] * 4, "s": [5, 5, 5, 1, 2, 3, 4, 4, 2, 3, 5, 1]})
    >>> straight_lining(r, form="f", item="i", score="s").table.round(2)[["metric", "estimate", "chance"]]
                 metric  estimate  chance
    0   straight_lining      0.25    0.03
    1  longstring_ratio      1.27     NaN
    """
    require(ratings, wave, order)
    cells = grids.read(ratings, row=form, column=item, score=score)
    waves, labels = _waves(ratings, cells, form, wave)
    place, about = _places(ratings, cells, item, order)
    table = cells.table()[:, place]
    parts = [_one(table[waves == i], label, wave) for i, label in enumerate(labels)]
    about |= {"dropped": cells.dropped, "items": len(cells.columns), "least_answers": ITEMS}
    findings = _folded([f for _, found in parts for f in found]) + cells.findings
    if not parts:
        return Result("straight_lining", estimates("straight_lining", n=0), [_nothing("")], about)
    return Result("straight_lining", pd.concat([t for t, _ in parts]), findings, about)


def _one(forms: np.ndarray, label: str, wave: str | None) -> tuple[pd.DataFrame, list[Finding]]:
    """The two rows of one wave, and what they say."""
    answered = np.isfinite(forms).sum(axis=1)
    used = forms[answered >= ITEMS]
    n, groups = len(used), ({wave: label} if wave else {})
    not_used = len(forms) - n
    if n == 0:
        row = estimates(
            "straight_lining", groups=groups, n=0, chance=np.nan, not_assessable=not_used
        )
        return row, [_nothing(label)]
    shares = careless.marginals(used)
    hits = int(careless.all_same(used).sum())
    low, high = wilson(hits, n)
    chance = float(careless.chance_all_same(shares, np.isfinite(used)).mean())
    share = estimates(
        "straight_lining", groups=groups, estimate=hits / n, low=float(low), high=float(high), n=n,
        chance=chance, not_assessable=not_used,
    )  # fmt: skip
    run = careless.longstring(used)
    expected = _expected_run(shares, np.isfinite(used))
    half = normal_quantile() * run.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    mean = run.mean()
    ratio = estimates(
        "longstring_ratio", groups=groups, estimate=mean / expected, low=(mean - half) / expected,
        high=(mean + half) / expected, n=n, chance=np.nan, not_assessable=not_used,
    )  # fmt: skip
    both = pd.concat([share, ratio])
    return both, _reading(both, used, hits, label)


def _expected_run(shares: np.ndarray, answered: np.ndarray) -> float:
    """Mean expected longest run over the forms; each set of answered items is worked out once."""
    kinds, times = np.unique(answered, axis=0, return_counts=True)
    common = np.argsort(-times, kind="stable")[:_PATTERNS]
    runs = [careless.chance_longstring(shares[kinds[k]]) for k in common]
    return float(np.average(runs, weights=times[common]))


def _reading(both: pd.DataFrame, used: np.ndarray, hits: int, label: str) -> list[Finding]:
    row = both.iloc[0]
    values = {
        "wave": label, "hits": hits, "n": int(row["n"]), "share": 100 * row["estimate"],
        "low": 100 * row["low"], "high": 100 * row["high"], "chance": 100 * row["chance"],
        "ratio": both["estimate"].iloc[1],
    }  # fmt: skip
    suffix = "_wave" if label else ""
    answers = used[np.isfinite(used)]
    value, times = np.unique(answers, return_counts=True)
    top = times.max() / len(answers)
    found = [Finding(f"straight_lining.reading{suffix}", values)]
    if top >= _DOMINANT:
        more = {**values, "top": 100 * top, "value": float(value[times.argmax()])}
        found.append(Finding(f"straight_lining.one_answer{suffix}", more, "warning"))
    elif row["low"] > row["chance"] + _CLEARLY:
        found.append(Finding(f"straight_lining.above{suffix}", values, "warning"))
    if row["not_assessable"]:
        count = {"count": int(row["not_assessable"]), "items": ITEMS}
        found.append(Finding("straight_lining.not_assessable", count))
    return found


def _folded(findings: list[Finding]) -> list[Finding]:
    """One sentence for all waves in place of one per wave: nobody reads twelve of a kind."""
    readings = [f for f in findings if f.key == "straight_lining.reading_wave"]
    if len(readings) < 2:
        return findings
    share = [f.values["share"] for f in readings]
    whole = {
        "waves": len(readings), "least": min(share), "most": max(share), "first": share[0],
        "last": share[-1], "n": sum(f.values["n"] for f in readings),
        "chance": max(f.values["chance"] for f in readings),
    }  # fmt: skip
    out = [Finding("straight_lining.reading_waves", whole)]
    for kind in ("above", "one_answer"):
        of = [f.values["wave"] for f in findings if f.key == f"straight_lining.{kind}_wave"]
        if of:
            out.append(Finding(f"straight_lining.{kind}_waves", {"waves": of}, "warning"))
    told = ("reading_wave", "above_wave", "one_answer_wave")
    return out + [f for f in findings if f.key.split(".")[1] not in told]


def _nothing(label: str) -> Finding:
    return Finding("straight_lining.too_few_items", {"items": ITEMS, "wave": label}, "refused")


def _waves(
    ratings: pd.DataFrame, cells: grids.Grid, form: str, wave: str | None
) -> tuple[np.ndarray, list[str]]:
    """The wave of each form; a form in two waves is an error."""
    if wave is None:
        return np.zeros(len(cells.rows), dtype=np.int64), [""] if cells.rows else []
    pairs = ratings[[form, wave]].dropna().drop_duplicates()
    grids.unique(pairs, form)
    found = dict(zip(pairs[form], pairs[wave]))
    labels = pd.Series([found.get(f) for f in cells.rows], dtype="object")
    codes, names = grids.positions(labels.where(labels.notna(), "—"))
    return codes, [str(n) for n in names]


def _places(
    ratings: pd.DataFrame, cells: grids.Grid, item: str, order: str | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """The columns of the grid in display order."""
    if order is None:
        return np.arange(len(cells.columns)), {"order": "names of the items"}
    shown = numbers(ratings, order).groupby(ratings[item].astype("object")).median()
    place = np.array([shown.get(i, np.inf) for i in cells.columns], dtype=np.float64)
    return np.argsort(place, kind="stable"), {"order": order}
