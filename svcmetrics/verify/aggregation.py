"""May the ratings of one department be averaged? Agreement inside, difference between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from svcmetrics.metric import metric
from svcmetrics.numeric import bootstrap, within_group
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import complete, unique
from svcmetrics.verify import grid as grids

RESAMPLES = 2000
_CUSTOMARY = 0.7
_FEW = 5
_BOUNDS = {
    "rwg": (0.0, 1.0), "rwg_j": (0.0, 1.0), "rwg_star": (0.0, 1.0), "a_wg": (-1.0, 1.0),
    "ad": (0.0, np.inf),
}  # fmt: skip


@metric(
    better="higher", drawing="within_groups",
    source="James, Demaree & Wolf 1984; Brown & Hauenstein 2005; Burke et al. 1999; Bliese 2000",
    behind="spread",
)  # fmt: skip
def aggregation(
    ratings: pd.DataFrame,
    *,
    target: str,
    rater: str,
    score: str,
    scale: tuple[float, float],
    item: str | None = None,
    rng: int | np.random.Generator = 1,
) -> Result:
    """May the ratings of one department be averaged into its score?

    ratings: one row per rating (and item); repeated (target, rater, item) rows are an error.
    target, rater, score: the columns with the department, the person and the number given.
    scale: lowest and highest point of the scale; a score outside is an error.
    item: the column with the item; raters who left out an item of a department are left out there.
    rng: seed or generator of the 2,000 resamples of the raters of a department.

    Returns per department (rows with its name) and as mean over departments (name empty):
    ``rwg`` (several items: ``rwg_j``) against three nulls, ``rwg_star`` (Lindell's r*wg(j)),
    ``a_wg`` and ``ad`` (mean absolute deviation; agreement when below ``cut``, a sixth of the
    number of scale points). ``estimate`` is cut at 0 as is customary, ``raw`` is not: below 0 a
    department is split into camps. Then ``icc1`` and ``icc2`` of the rater's mean over items, for
    the exact size of unequal departments and for their mean size (as R multilevel has it).

    Misleads: the uniform null is too easy when everybody tends to give high scores: read the
    slight-skew row (published for 5 to 11 points; elsewhere there is none, and it is said). rwg(j)
    grows with the number of items. Agreement inside says nothing on differences between
    departments: that is ``icc1``, ``icc2``.

    Source: James, Demaree & Wolf 1984, J. Appl. Psychol. 69, 85-98; Lindell et al. 1999; Brown &
    Hauenstein 2005, Org. Res. Methods 8, 165-184; Burke, Finkelstein & Dusig 1999; Burke & Dunlap
    2002 (c/6); LeBreton & Senter 2008; Bliese 2000.

    >>> r = pd.DataFrame({"d": [*"aaabbb"], "r": [1, 2, 3, 4, 5, 6], "s": [4, 4, 5, 1, 3, 5]})
    >>> out = aggregation(r, target="d", rater="r", score="s", scale=(1, 5)).table
    >>> out[out["variant"].eq("uniform") & out["d"].ne("")].round(2)[["d", "metric", "estimate", "raw"]]
       d metric  estimate   raw
    0  a    rwg      0.83  0.83
    5  b    rwg      0.00 -1.00
    """
    low, high = float(scale[0]), float(scale[1])
    kept, dropped = _read(ratings, target, rater, score, item, scale)
    groups, labels, dropped = _groups(kept, target, rater, score, item, dropped)
    about: dict[str, Any] = {
        "dropped": dropped, "scale": [low, high], "nulls": within_group.nulls(low, high),
        "targets": len(labels), "items": groups[0].shape[1] if groups else 0,
        "interval": f"bootstrap over raters within target, {RESAMPLES} resamples; F (icc); t (means)",
    }  # fmt: skip
    usable = [i for i, g in enumerate(groups) if len(g) > 1]
    if not usable:
        refused = Finding("aggregation.no_group", {"targets": len(labels)}, "refused")
        return Result(
            "aggregation",
            estimates("rwg", groups={target: ""}, n=0, raw=np.nan, cut=np.nan),
            [refused],
            about,
        )
    seed = bootstrap.generator(rng)
    each = [_one(groups[i], low, high, {target: str(labels[i])}, seed) for i in usable]
    inside = pd.concat(each)
    table = pd.concat([inside, _means(inside, target), _between(groups, target)])
    return Result("aggregation", table, _reading(table, groups, labels, target, low, high), about)


def _read(
    ratings: pd.DataFrame, target: str, rater: str, score: str, item: str | None, scale: tuple[float, float]
) -> tuple[pd.DataFrame, dict[str, int]]:  # fmt: skip
    keys = [target, rater, *([item] if item else [])]
    kept, dropped = complete(ratings, score=score, by=keys)
    unique(kept, *keys)
    off = np.flatnonzero(~kept[score].between(float(scale[0]), float(scale[1])))
    if len(off):
        values = sorted({f"{v:g}" for v in kept[score].iloc[off]})[:5]
        ends = [f"{v:g}" for v in scale]
        raise table_error("off_scale", column=score, rows=grids.rows_of(kept, off), values=values,
                          scale=[" – ".join(ends)])  # fmt: skip
    return kept, dropped


def _groups(
    kept: pd.DataFrame, target: str, rater: str, score: str, item: str | None, dropped: dict[str, int]
) -> tuple[list[np.ndarray], list[Any], dict[str, int]]:  # fmt: skip
    """Raters × items of each target, complete raters only, in an order of their own."""
    place, labels = grids.positions(kept[target])
    groups: list[np.ndarray] = []
    left_out = 0
    who, _ = grids.positions(kept[rater])
    what, items = grids.positions(kept[item]) if item else (np.zeros(len(kept), dtype=int), [""])
    scores = kept[score].to_numpy()
    for i in range(len(labels)):
        here = place == i
        people, row = np.unique(who[here], return_inverse=True)
        wide = np.full((len(people), len(items)), np.nan)
        wide[np.ravel(row), what[here]] = scores[here]
        whole = np.isfinite(wide).all(axis=1)
        left_out += int((~whole).sum())
        wide = wide[whole]
        groups.append(wide[np.lexsort(wide.T)] if len(wide) else wide)
    if left_out:
        dropped = {**dropped, "incomplete_rater": left_out}
    return groups, labels, dropped


def _one(
    scores: np.ndarray, low: float, high: float, group: dict[str, str], rng: np.random.Generator
) -> pd.DataFrame:
    """All coefficients of one department."""
    times = np.concatenate(list(bootstrap.counts(len(scores), RESAMPLES, rng)))
    now, drawn = within_group.spread(scores), within_group.spread(scores, times)
    first = "rwg" if scores.shape[1] == 1 else "rwg_j"
    rows: list[tuple[str, str, np.ndarray, np.ndarray, float]] = []
    for name, null in within_group.nulls(low, high).items():
        for kind, f in ((first, within_group.rwg_j), ("rwg_star", within_group.rwg_star)):
            if np.isfinite(null) and (kind == first or (name == "uniform" and first == "rwg_j")):
                rows.append((kind, name, f(now, null), f(drawn, null), np.nan))
    rows.append(
        ("a_wg", "", within_group.a_wg(now, low, high), within_group.a_wg(drawn, low, high), np.nan)
    )
    deviations = within_group.average_deviation(now), within_group.average_deviation(drawn)
    rows.append(("ad", "", *deviations, (high - low + 1) / 6))
    raw = np.array([float(r[2][0]) for r in rows])
    ends = [bootstrap.limits(r[3]) for r in rows]
    floor = np.where([r[0] == "a_wg" for r in rows], -1.0, 0.0)
    table = estimates(
        "rwg", groups=group, variant=[r[1] for r in rows], estimate=np.maximum(raw, floor),
        low=np.maximum(np.minimum([e[0] for e in ends], raw), floor),
        high=np.maximum(np.maximum([e[1] for e in ends], raw), floor), n=len(scores), raw=raw,
        cut=[r[4] for r in rows],
    )  # fmt: skip
    table["metric"] = [r[0] for r in rows]
    return table


def _means(inside: pd.DataFrame, target: str) -> pd.DataFrame:
    """The mean of each coefficient over the departments, with a t interval."""
    parts = []
    for (name, variant), rows in inside.groupby(["metric", "variant"], sort=False):
        n, values = len(rows), rows["estimate"].to_numpy()
        half = special.stdtrit(n - 1, 0.975) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        mean = values.mean()
        ends = _BOUNDS[str(name)]
        parts.append(
            estimates(str(name), groups={target: ""}, variant=variant, estimate=mean, low=max(mean - half, ends[0]),
                      high=min(mean + half, ends[1]), n=n, raw=rows["raw"].mean(), cut=rows["cut"].iloc[0])
        )  # fmt: skip
    return pd.concat(parts)


def _between(groups: list[np.ndarray], target: str) -> pd.DataFrame:
    """ICC(1) and ICC(2) of the raters' means."""
    filled = [g.mean(axis=1) for g in groups if len(g)]
    score = np.concatenate(filled)
    if len(filled) < 2:
        return estimates("icc1", groups={target: ""}, variant="exact_size", n=len(score))
    place = np.repeat(np.arange(len(filled)), [len(g) for g in filled])
    b = within_group.one_way(place, score)
    parts = []
    for variant, size in (("exact_size", b.size), ("mean_size", b.mean_size)):
        for name, (value, low, high) in within_group.icc1_icc2(b, size).items():
            if name == "icc1" or variant == "exact_size":
                parts.append(
                    estimates(str(name), groups={target: ""}, variant=variant, estimate=value, low=low,
                              high=high, n=len(filled), raw=value, cut=np.nan)
                )  # fmt: skip
    return pd.concat(parts)


def _reading(
    table: pd.DataFrame,
    groups: list[np.ndarray],
    labels: list[Any],
    target: str,
    low: float,
    high: float,
) -> list[Finding]:
    one = table[table[target] != ""]
    main = one[one["metric"].isin(["rwg", "rwg_j"])]
    strict = "slight_skew" if main["variant"].eq("slight_skew").any() else "uniform"
    chosen = main[main["variant"] == strict]
    icc2 = table[table["metric"] == "icc2"]
    values = {
        "share": 100 * float((chosen["estimate"] >= _CUSTOMARY).mean()), "targets": len(chosen),
        "median": float(chosen["estimate"].median()),
    }  # fmt: skip
    found = [Finding(f"aggregation.{strict}", values)]
    if strict == "uniform":
        points = {"points": high - low + 1}
        found.append(Finding("aggregation.no_skew", points, "warning"))
    if len(icc2) and np.isfinite(icc2["estimate"].iloc[0]):
        row = icc2.iloc[0]
        ends = {"icc2": row["estimate"], "low": row["low"], "high": row["high"]}
        found.append(Finding("aggregation.between", ends, "note" if row["low"] > 0 else "warning"))
    else:
        found.append(Finding("aggregation.no_between", {}, "warning"))
    return [*found, *_warnings(main, groups, labels, target, (low, high))]


def _warnings(
    main: pd.DataFrame, groups: list[np.ndarray], labels: list[Any], target: str,
    scale: tuple[float, float],
) -> list[Finding]:  # fmt: skip
    """Camps, small departments, means too close to an end of the scale."""
    found = []
    split = main.loc[(main["variant"] == "uniform") & (main["raw"] < 0), target].tolist()
    if split:
        found.append(
            Finding("aggregation.split", {"targets": split[:5], "count": len(split)}, "warning")
        )
    small = sum(len(g) < _FEW for g in groups)
    if small:
        found.append(Finding("aggregation.small", {"count": small, "least": _FEW}, "warning"))
    extreme = [
        str(n) for g, n in zip(groups, labels)
        if len(g) > 1 and not within_group.interpretable(within_group.spread(g), *scale)
    ]  # fmt: skip
    if extreme:
        found.append(
            Finding("aggregation.extreme", {"targets": extreme[:5], "count": len(extreme)})
        )
    return found
