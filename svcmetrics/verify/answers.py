"""How the checks of a questionnaire read their table: persons × items, and what is odd about it.

Not a statistic. Shared by alpha, omega, split_half and structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.problems import table_error
from svcmetrics.result import Finding
from svcmetrics.verify import grid

# Fewer persons than this: the number is shown with a warning.
FEW = 30


@dataclass(frozen=True)
class Answers:
    """The answers used, persons × items, and what was left out on the way."""

    table: np.ndarray
    items: list[Any]
    asked: int
    missing: str
    dropped: dict[str, int]
    findings: list[Finding]
    rows: list[Any]  # the form or person of each row

    @property
    def persons(self) -> int:
        return len(self.table)


def read(ratings: pd.DataFrame, *, person: str, item: str, score: str, missing: str) -> Answers:
    """Persons × items, by the chosen rule for missing answers."""
    if missing not in ("listwise", "pairwise"):
        raise table_error("unknown_word", unknown=[missing], known=["listwise", "pairwise"])
    cells = grid.read(ratings, row=person, column=item, score=score)
    table = cells.table()
    whole = np.isfinite(table).all(axis=1)
    dropped, found = dict(cells.dropped), list(cells.findings)
    if missing == "listwise" and not whole.all():
        dropped["incomplete_person"] = int((~whole).sum())
        values = {
            "count": int((~whole).sum()),
            "persons": len(whole),
            "example": _blank(cells, table),
            "item": str(cells.columns[int((~np.isfinite(table)).sum(axis=0).argmax())]),
        }
        if whole.any():
            found.append(Finding("answers.listwise", values, "warning"))
    elif not whole.all():
        found.append(Finding("answers.pairwise", {"count": int((~whole).sum())}, "warning"))
    used = table[whole] if missing == "listwise" else table
    rows = [p for p, kept in zip(cells.rows, whole) if kept or missing == "pairwise"]
    found += _odd_items(used, cells.columns)
    return Answers(used, cells.columns, len(table), missing, dropped, found, rows)


def _blank(cells: grid.Grid, table: np.ndarray) -> str:
    """The first answer that is missing: whose, and to what."""
    person, item = np.argwhere(~np.isfinite(table))[0]
    return f"{cells.rows[person]} · {cells.columns[item]}"


def refusal(form: Answers, covariance: np.ndarray) -> Finding | None:
    """Why there can be no coefficient, or None."""
    if len(form.items) < 2:
        return Finding("answers.one_item", {"items": len(form.items)}, "refused")
    if form.persons < 2:
        values = {"left": form.persons, "persons": form.asked}
        return Finding("answers.nobody_left", values, "refused")
    if not np.isfinite(covariance).all():
        return Finding("answers.never_together", {}, "refused")
    if not covariance.any():
        return Finding("answers.no_variation", {}, "refused")
    if covariance.sum() <= 0:
        return Finding("answers.no_total", {}, "refused")
    return None


def correlation_limits(r: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's limits of correlations."""
    if n < 4:
        return np.full_like(r, np.nan), np.full_like(r, np.nan)
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.clip(r, -1, 1))
    half = 1.959964 / np.sqrt(n - 3)
    return np.tanh(z - half), np.tanh(z + half)


def _odd_items(table: np.ndarray, items: list[Any]) -> list[Finding]:
    """Items without any difference, and pairs of items with the same answers throughout."""
    if len(table) < 2:
        return []
    found = []
    with np.errstate(invalid="ignore"):
        flat = (
            np.nanmax(table, axis=0) == np.nanmin(table, axis=0) if np.isfinite(table).any() else []
        )
    constant = [str(i) for i, f in zip(items, flat, strict=False) if f]
    if constant and len(constant) < len(items):
        found.append(Finding("answers.constant", {"items": constant}, "warning"))
    pairs = twins(table, items)
    if pairs:
        found.append(Finding("answers.identical", {"pairs": pairs[:5]}, "warning"))
    return found


def twins(table: np.ndarray, items: list[Any]) -> list[str]:
    """Pairs of items with the same answers throughout, constant ones apart."""
    first: dict[bytes, int] = {}
    pairs = []
    for j, column in enumerate(np.ascontiguousarray(table.T)):
        i = first.setdefault(column.tobytes(), j)
        if i != j and np.nanmin(column) < np.nanmax(column):
            pairs.append(f"{items[i]} = {items[j]}")
    return pairs
