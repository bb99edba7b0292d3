"""How the checks of ratings read their table: ids to positions, and what is odd about them.

Not a statistic. ``read`` drops rows without a score, refuses repeated rows, and notes what a
reader must know before believing any number: alike ids, a score far off, blocks without a link.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.tables import complete, require, unique

# Numbers that programs write for "missing"; on a scale they stand far from every score.
_CODES = {s * int(str(d) * m) for s in (-1, 1) for d in (7, 8, 9) for m in (1, 2, 3, 4)} | {-1}
_SHOWN = 5
_DIGITS = "〇一二三四五六七八九"
_CHINESE = re.compile(f"[{_DIGITS}]?十[{_DIGITS}]?|[{_DIGITS}]+")
# A score closer to the rest than this is never far off.
_ROOM = 4.0


@dataclass(frozen=True)
class Grid:
    """Scores with the positions of their row unit (target, person) and column unit (rater, item)."""

    row: np.ndarray
    column: np.ndarray
    score: np.ndarray
    rows: list[Any]
    columns: list[Any]
    dropped: dict[str, int]
    findings: list[Finding]

    @property
    def is_complete(self) -> bool:
        return len(self.score) == len(self.rows) * len(self.columns)

    def table(self) -> np.ndarray:
        """Rows × columns, NaN where there is no score."""
        out = np.full((len(self.rows), len(self.columns)), np.nan)
        out[self.row, self.column] = self.score
        return out


def read(ratings: pd.DataFrame, *, row: str, column: str, score: str) -> Grid:
    """The ratings as a grid; the labels in an order that does not depend on the rows."""
    ratings, twice = _once(ratings, row, column, score)
    kept, dropped = complete(ratings, score=score, by=[row, column])
    unique(kept, row, column)
    values = kept[score].to_numpy()
    if twice:
        dropped = {**dropped, "duplicate": twice[0].values["count"]}
    findings = [*twice, *_odd_scores(kept, score), *odd_ids(kept[row]), *odd_ids(kept[column])]
    r, rows = positions(kept[row])
    c, columns = positions(kept[column])
    order = np.lexsort((c, r))  # so that no simulation depends on the order of rows
    return Grid(r[order], c[order], values[order], rows, columns, dropped, findings)


def _once(
    ratings: pd.DataFrame, row: str, column: str, score: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """The ratings without rows that are the same in every column: a form that was sent twice."""
    require(ratings, row, column, score)
    key = ratings[[row, column]]
    if not key.duplicated().any():
        return ratings, []
    whole = ratings[[row, column, score]].notna().all(axis=1)
    again = (ratings.duplicated() & whole).to_numpy()
    if not again.any():
        return ratings, []
    example = [str(v) for v in key[again].iloc[0]]
    found = Finding("grid.twice", {"count": int(again.sum()), "example": example}, "warning")
    return ratings[~again], [found]


def positions(ids: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """The position of each id among the sorted ids; 7 and "7" stay two ids."""
    codes, labels = coded(ids)
    codes = codes.astype(np.int64)
    used = np.bincount(codes, minlength=len(labels)) > 0
    if used.all():
        return codes, labels
    return (np.cumsum(used) - 1)[codes], [labels[k] for k in np.flatnonzero(used)]


def coded(ids: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """The same with -1 where there is no id, as small whole numbers.

    Labels of a categorical column may occur nowhere.
    """
    if isinstance(ids.dtype, pd.CategoricalDtype):
        codes, found = ids.cat.codes.to_numpy(), ids.cat.categories
    elif isinstance(ids.dtype, pd.StringDtype) and ids.dtype.storage == "pyarrow":
        codes, found = _encoded(ids)
    else:
        codes, found = pd.factorize(ids)
    labels = found.tolist() if hasattr(found, "tolist") else list(found)
    whole = pd.api.types.is_integer_dtype(found)
    order = sorted(
        range(len(labels)),
        key=lambda i: labels[i] if whole else (_natural(labels[i]), type(labels[i]).__name__),
    )
    small = np.int16 if len(labels) < 2**15 else np.int32
    place = np.full(len(labels) + 1, -1, dtype=small)
    place[order] = np.arange(len(labels))
    return place[codes], [labels[i] for i in order]


def _encoded(ids: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Texts in Arrow's memory, coded there: ``factorize`` would widen the codes and copy them."""
    own: Any = ids.array
    table = own.__arrow_array__().dictionary_encode()
    parts = getattr(table, "chunks", [table])
    if len(parts) != 1:
        return pd.factorize(ids)
    codes = parts[0].indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes, pd.Index(parts[0].dictionary.to_pylist(), dtype="object")


def _odd_scores(kept: pd.DataFrame, column: str) -> list[Finding]:
    """Scores far outside the rest: a slip of the keyboard; a code for "missing" is an error."""
    values = kept[column].to_numpy()
    if len(values) < 8 or values.max() - values.min() <= _ROOM:
        return []
    trim = max(1, len(values) // 50)
    ordered = np.partition(values, [trim, len(values) - trim - 1])
    low, high = ordered[trim], ordered[-trim - 1]
    room = max(high - low, _ROOM)
    far = np.flatnonzero((values < low - room) | (values > high + room))
    if not len(far):
        return []
    shown = sorted({f"{v:g}" for v in values[far]})[:_SHOWN]
    if set(values[far]) <= _CODES:
        raise table_error("missing_code", column=column, rows=rows_of(kept, far), codes=shown)
    return [Finding("grid.far", {"column": column, "count": len(far), "values": shown}, "warning")]


def rows_of(kept: pd.DataFrame, places: np.ndarray) -> list[int]:
    """The row numbers of a caller's table, where its index has them."""
    index = kept.index[places]
    return (
        [int(i) for i in index] if pd.api.types.is_integer_dtype(index) else list(map(int, places))
    )


def odd_ids(ids: pd.Series) -> list[Finding]:
    """Ids that are probably one: other spaces, width or case, 7 beside "7" and "007"."""
    if pd.api.types.is_integer_dtype(ids):
        return []
    return odd_labels(str(ids.name), list(pd.unique(ids.astype("object"))))


def odd_labels(column: str, labels: list[Any]) -> list[Finding]:
    """The same of the labels that occur."""
    if all(isinstance(label, int) for label in labels):
        return []
    alike: dict[str, list[Any]] = {}
    for label in labels:
        alike.setdefault(_plain(label), []).append(label)
    groups = [sorted(map(repr, g)) for g in alike.values() if len(g) > 1]
    if not groups:
        return []
    values = {
        "column": column,
        "count": len(labels),
        "merged": len(alike),
        "pairs": [" = ".join(g[:4]) for g in sorted(groups)[:3]],
    }
    return [Finding("grid.alike", values, "warning")]


def blocks(grid: Grid) -> np.ndarray:
    """The block of each row unit: units of two blocks share no column unit, not even by others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(grid.rows)
    size = n + len(grid.columns)
    links = coo_array((np.ones(len(grid.row)), (grid.row, n + grid.column)), shape=(size, size))
    return connected_components(links, directed=False)[1][:n]


def _plain(label: Any) -> str:
    text = unicodedata.normalize("NFKC", str(label)).strip().casefold()
    return text.lstrip("0") or text if text.isdigit() else " ".join(text.split())


def _counted(found: re.Match[str]) -> str:
    """第十二轮 as 第12轮: the tens, then the ones."""
    tens, ten, ones = found.group().rpartition("十")
    if not ten:
        return "".join(str(_DIGITS.index(c)) for c in ones)
    whole = 10 * (_DIGITS.index(tens) if tens in _DIGITS[1:] and tens else 1)
    return str(whole + (_DIGITS.index(ones) if ones in _DIGITS and ones else 0))


def is_ordered(labels: list[Any]) -> bool:
    """Whether names tell an order: numbers, dates, or digits (also 一二三) in every name."""
    return all(any(c.isdigit() for c in _CHINESE.sub("1", str(label))) for label in labels)


def _natural(label: Any) -> tuple[Any, ...]:
    """Sort key: item 2 before item 10, whatever is around the digits."""
    text, key, digits = str(label), [], ""
    for char in f"{_CHINESE.sub(_counted, text)}\0":
        if char.isdecimal():
            digits += char
            continue
        if digits:
            key.append((0, int(digits), ""))
            digits = ""
        key.append((1, 0, char))
    return (*key, (2, 0, text))
