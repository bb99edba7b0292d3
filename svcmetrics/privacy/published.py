"""The one door out: ``publish`` makes the only tables that exporters and leadership notebooks take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.metric import REGISTRY
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result
from svcmetrics.study import MIN_RATERS

# Blanks of sentences that list persons by their pseudonyms.
_PERSONS = ("raters", "judges", "actors")
# Numbers of a row that a sentence may repeat.
_TOLD = ("estimate", "low", "high", "score", "raw", "shift")
# With fewer persons no spread is shown: a mean and a standard deviation give small groups away.
MIN_SPREAD = 20
_SPREAD = (
    "sd",
    "se",
    "se_compare",
    "sem",
    "variance",
    "range",
    "min",
    "max",
    "shift",
    "distribution",
)
# The interval of a score tells a spread as well; that of a share or a coefficient follows from it.
_INTERVAL = ("low", "high")
_OF_RATINGS = ("raters", "spread", "ratings")


@dataclass(frozen=True)
class Published:
    """A table and its reading that may leave the analyst's desk; only ``publish`` makes one."""

    name: str
    _table: pd.DataFrame
    findings: tuple[Finding, ...]
    drawing: str
    hidden: int
    min_n: int

    @property
    def table(self) -> pd.DataFrame:
        return self._table.copy()

    def say(self, code: str | None = None) -> str:
        """The reading, without the sentences that name a hidden group."""
        return "\n".join(f.say(code) for f in self.findings)


def publish(
    result: Result | pd.DataFrame,
    *,
    min_n: int = MIN_RATERS,
    count: str | None = None,
    persons: float | Sequence[float] | None = None,
    spread: bool | None = None,
) -> Published:
    """Hide every row that rests on fewer than ``min_n`` persons; the only maker of what exporters take.

    ``persons``: how many persons are behind the table, or behind each row. Left out, the metric says
    what stands behind a row (``Metric.behind``): raters or judges, counted in ``n``; ratings, whose
    persons ``n`` does not count, so that they are hidden unless ``persons`` or a column ``raters``
    tells their number (so is a result of no known metric); work, where ``n`` cases point at those
    who did them; records, which are no person's opinion and need no group. ``count``: another
    column to go by. A row whose count is missing is hidden: not knowing is not enough. ``min_n``
    cannot go below five, and a row that tells how raters differ needs twenty. ``spread``: whether
    intervals of ratings may be shown, which tell it too; left out, from twenty persons of a row on.
    """
    table = result.table if isinstance(result, Result) else result.copy()
    least = at_least(min_n)
    behind, number = _behind(result, table, count, persons)
    small, untold = np.zeros((2, len(table)), dtype=bool)
    if behind != "records":
        needed = max(least, MIN_SPREAD) if behind == "spread" else least
        small = ~(number >= needed).to_numpy()
        of_persons = behind in (*_OF_RATINGS, "judges")
        few = ~(number >= MIN_SPREAD).to_numpy() if of_persons else small
        if behind in _OF_RATINGS and _scored(result):
            untold = few if spread is None else np.full(len(table), not spread)
        for columns, rows in ((_SPREAD, few | untold), (_INTERVAL, untold)):
            for column in [c for c in table.columns if c in columns]:
                table[column] = blanked(table[column], rows)
    kept = {*_groups(table), "metric", "variant"}
    for column in [c for c in table.columns if c not in kept]:
        # Everything goes, not only the estimate: "n = 2" or "1 of 2 late" tells who was there.
        table[column] = blanked(table[column], small)
    table["shown"] = ~small
    if not isinstance(result, Result):
        return Published("", table, (), "", int(small.sum()), least)
    told = told_without(result, small, untold)
    return Published(_name(result), table, told, result._drawing, int(small.sum()), least)


def _scored(result: Result | pd.DataFrame) -> bool:
    """Whether rows are scores, whose intervals rest on how answers differ; if unknown, they may be."""
    entry = REGISTRY.get(_name(result))
    return entry is None or entry.behind in ("raters", "spread")


def _name(result: Result | pd.DataFrame) -> str:
    return str(result.about["metric"]) if isinstance(result, Result) else ""


def at_least(min_n: int) -> int:
    """The least group size, or an error when it lies below the floor."""
    if min_n < MIN_RATERS:
        raise table_error("group_size_lowered", found=min_n, floor=MIN_RATERS)
    return min_n


def _behind(
    result: Result | pd.DataFrame,
    table: pd.DataFrame,
    count: str | None,
    persons: float | Sequence[float] | None,
) -> tuple[str, pd.Series]:
    """What stands behind the rows, and how many of them."""
    behind = "raters"
    if isinstance(result, Result):
        entry = REGISTRY.get(str(result.about["metric"]))
        behind = entry.behind if entry is not None else "ratings"
    if persons is not None:
        behind = behind if behind == "spread" else "ratings"
        return behind, pd.Series(np.broadcast_to(np.asarray(persons, dtype="float64"), len(table)))
    if count is not None and behind == "records":
        behind = "ratings"
    if count is None and behind == "ratings":
        # n counts ratings or departments here: it says nothing about how many persons spoke.
        unknown = pd.Series(np.nan, index=table.index)
        return behind, _counts(table.get("raters", unknown))
    column = "n" if count is None else count
    if column not in table.columns:
        present = [str(c) for c in table.columns]
        raise table_error("missing_columns", missing=[column], present=present)
    return behind, _counts(table[column])


def _counts(column: pd.Series) -> pd.Series:
    """Numbers as float64, whatever type they came in; what is no number is missing."""
    found = pd.to_numeric(column, errors="coerce").astype("Float64")
    return pd.Series(found.to_numpy("float64", na_value=np.nan), index=column.index)


def told_without(
    result: Result, hidden: np.ndarray, untold: np.ndarray | None = None
) -> tuple[Finding, ...]:
    """The sentences that neither name a hidden row, nor give one of its numbers, nor list persons.

    ``untold``: rows that are shown without their interval.
    """
    rows = result.table[hidden]
    own = result.table[hidden if untold is None else untold]
    return tuple(
        f
        for f in result.findings
        if not (_tells_of(f, rows) or _numbers_of(f, rows, _TOLD) or _numbers_of(f, own, _INTERVAL))
    )


def _numbers_of(finding: Finding, rows: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Whether a sentence gives a number of these rows, such as the largest of all, also in percent."""
    known = rows[[c for c in columns if c in rows.columns]].to_numpy("float64").ravel()
    known = np.abs(known[np.isfinite(known)])
    told = [abs(float(v)) for v in finding.values.values() if isinstance(v, (float, np.floating))]
    return any(
        np.isclose(known, value / scale, rtol=1e-9, atol=1e-12).any()
        for value in told
        for scale in (1.0, 100.0)
    )


def _groups(table: pd.DataFrame) -> list[str]:
    """The columns that name a row: those before "metric", or the first one."""
    columns = list(table.columns)
    return columns[: columns.index("metric")] if "metric" in columns else columns[:1]


def blanked(values: pd.Series, small: np.ndarray) -> pd.Series:
    if not small.any():
        return values
    numeric = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    return (values.astype("float64") if numeric else values.astype("object")).mask(small)


def _tells_of(finding: Finding, hidden: pd.DataFrame) -> bool:
    """Whether a sentence names a group whose row is hidden, or lists persons (for the analyst only)."""
    if any(isinstance(finding.values.get(k), (list, tuple)) for k in _PERSONS):
        return True
    names = {str(v) for c in _groups(hidden) for v in hidden[c]}
    said: set[str] = set()
    for value in finding.values.values():
        said |= {str(v) for v in value} if isinstance(value, (list, tuple, set)) else {str(value)}
    return bool(names & said)
