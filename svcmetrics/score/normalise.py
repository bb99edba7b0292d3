"""Indicators with different units on one scale from 0 to 100, against fixed goalposts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.score._weighted import VALUE, value_columns
from svcmetrics.tables import numbers, require, unique

METHODS = ("goalposts", "z", "percentile")
# Below this many units a mean and a standard deviation describe nothing.
_MIN_UNITS = 10


def normalise(
    indicators: pd.DataFrame,
    *,
    target: str = "target_id",
    indicator: str = "metric",
    value: str | Sequence[str] = VALUE,
    standard: pd.DataFrame | Mapping[str, tuple[float, float]] | None = None,
    method: str = "goalposts",
    better: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """How many points out of 100 is each value of an indicator worth?

    ``indicators``: one row per department and indicator, such as results put together with
    ``pd.concat``. ``target``, ``indicator``: its columns. ``value``: the column of the value, or three columns:
    value, lower and upper limit; the limits change places where less is better.

    ``method`` "goalposts" (use this one): ``standard`` gives for each indicator the value worth 0
    and the value worth 100, fixed beforehand from the promise or the baseline: {indicator: (worst,
    best)}, or a table with the columns of ``indicator``, ``worst``, ``best`` and, where goalposts
    differ per department, ``target``. Values beyond the posts get 0 or 100. The direction lies in
    the posts: (48, 8) says that fewer hours are better.

    "z" (50 + 10 per standard deviation) and "percentile" compare with other units: ``standard`` is
    a table of the same columns with the reference values (None: the departments themselves), and
    ``better`` says {indicator: "higher" or "lower"}. With fewer than 10 units they are refused.

    Returns the same rows and columns, with points in the columns of ``value``, and a new column
    ``beyond``: the value lay outside the goalposts.

    It misleads when goalposts are chosen after looking at the results. With sample minimum and
    maximum as posts, one newcomer changes the order of the others: fixed posts prevent that.

    Source: OECD/JRC (2008), Handbook on Constructing Composite Indicators, step 5.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"unit": ["A", "B"], "metric": "hours", "estimate": [8.0, 20.0]})
    >>> normalise(table, target="unit", standard={"hours": (40, 4)})["estimate"].round(1).tolist()
    [88.9, 55.6]
    """
    if method not in METHODS:
        raise table_error("unknown_word", unknown=[f"method={method!r}"], known=list(METHODS))
    columns = value_columns(indicators, value)
    require(indicators, target, indicator, *columns)
    out = indicators.reset_index(drop=True)
    unique(out.dropna(subset=[target, indicator]), target, indicator)
    for c in columns:
        out[c] = numbers(out, c)
    if method == "goalposts":
        posts = _posts(out, standard, target, indicator)
        points, turned = _by_goalposts(out, columns, posts)
    else:
        reference = out if standard is None else standard
        if isinstance(reference, Mapping):
            raise table_error("standard_is_no_table", method=method)
        points, turned = _by_reference(out, columns, (indicator, method), reference, better)
    # Where less is better, the lower limit becomes the upper one.
    points[turned, 1:] = points[turned, :0:-1]
    beyond = (points[:, 0] < 0) | (points[:, 0] > 100)
    out[columns] = points if method == "z" else np.clip(points, 0, 100)
    out["beyond"] = beyond & (method == "goalposts")
    return out


def _posts(
    out: pd.DataFrame,
    standard: pd.DataFrame | Mapping[str, tuple[float, float]] | None,
    target: str,
    indicator: str,
) -> pd.DataFrame:
    """Worst and best of every row; an indicator without goalposts is an error."""
    if standard is None:
        raise table_error("goalposts_missing", missing=sorted(map(str, out[indicator].unique())))
    if isinstance(standard, Mapping):
        rows = [(name, *posts) for name, posts in standard.items()]
        standard = pd.DataFrame(rows, columns=[indicator, "worst", "best"])
    require(standard, indicator, "worst", "best")
    keys = [c for c in (target, indicator) if c in standard.columns]
    unique(standard, *keys)
    posts = standard[keys].assign(worst=numbers(standard, "worst"), best=numbers(standard, "best"))
    flat = posts["worst"] == posts["best"]
    if flat.any():
        raise table_error("goalposts_equal", names=posts.loc[flat, indicator].astype(str).tolist())
    found = out[keys].merge(posts, on=keys, how="left")
    lost = found["worst"].isna() | found["best"].isna()
    if lost.any():
        raise table_error(
            "goalposts_missing", missing=sorted(set(out.loc[lost, indicator].astype(str)))
        )
    return found


def _by_goalposts(
    out: pd.DataFrame, columns: list[str], posts: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    worst, best = posts["worst"].to_numpy()[:, None], posts["best"].to_numpy()[:, None]
    points = 100 * (out[columns].to_numpy(float) - worst) / (best - worst)
    return points, (best < worst)[:, 0]


def _by_reference(
    out: pd.DataFrame,
    columns: list[str],
    how: tuple[str, str],
    reference: pd.DataFrame,
    better: Mapping[str, str] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Points by distance from the mean or by rank among the reference values of an indicator."""
    indicator, method = how
    require(reference, indicator, columns[0])
    values = numbers(reference.reset_index(drop=True), columns[0])
    names = reference[indicator].reset_index(drop=True)
    points = np.full((len(out), len(columns)), np.nan)
    turned = np.zeros(len(out), dtype=bool)
    for name, rows in out.groupby(indicator).indices.items():
        sign = _sign(better, str(name))
        known = np.sort(sign * values[(names == name) & values.notna()].to_numpy())
        if len(known) < _MIN_UNITS or known[0] == known[-1]:
            raise table_error(
                "too_few_units", name=str(name), found=len(np.unique(known)), needed=_MIN_UNITS
            )
        x = sign * out[columns].to_numpy(float)[rows]
        points[rows], turned[rows] = _points(x, known, method), sign < 0
    return points, turned


def _points(x: np.ndarray, known: np.ndarray, method: str) -> np.ndarray:
    if method == "z":
        return 50 + 10 * (x - known.mean()) / known.std(ddof=1)
    # Mid-ranks: a value shared by many lies in the middle of them.
    middle = (np.searchsorted(known, x, "left") + np.searchsorted(known, x, "right")) / 2
    return np.where(np.isnan(x), np.nan, 100 * middle / len(known))


def _sign(better: Mapping[str, str] | None, name: str) -> float:
    word = (better or {}).get(name)
    if word not in ("higher", "lower"):
        raise table_error("direction_missing", name=name)
    return 1.0 if word == "higher" else -1.0
