"""One row per department from published tables: what leadership sees of each of them, on one line."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.privacy import Published


@dataclass(frozen=True)
class Measure:
    """Where a number of the line comes from, and how it is written."""

    key: str
    variant: str | None
    style: str  # a format of one number; blank: by the size of the numbers


MEASURES = (
    Measure("composite", None, "{:.0f}"),
    Measure("on_time", "promise", "{:.0%}"),
    Measure("returns", "", "{:.1f}"),
    Measure("adjust", "adjusted", ""),
)


def department_lines(tables: Mapping[str, Published]) -> tuple[list[str], list[list[str]]]:
    """Headers and rows of the table of departments, in alphabetical order, never ranked.

    Each cell reads "85% (83%–87%)"; a hidden one says so; a measure that the study does not have
    has no column.
    """
    used = [m for m in MEASURES if m.key in tables]
    columns = {m.key: _cells(tables[m.key], m) for m in used}
    group = _groups(tables.get("groups"))
    raters = _raters(tables.get("adjust"))
    known = {n for cells in columns.values() for n in cells}
    # Whoever was rated stands on the page, also where too few raters allow no comparison.
    names = sorted(known & (set(group) | set(columns.get("adjust", ())) or known))
    head = [
        "brief.department",
        *(["brief.group"] if group else []),
        *(f"brief.{m.key}" for m in used),
    ]
    head += ["brief.raters"] if raters else []
    rows = [
        [
            name,
            *([group.get(name, lang.say("brief.not_compared"))] if group else []),
            *(columns[m.key].get(name, lang.MISSING) for m in used),
            *([raters.get(name, lang.MISSING)] if raters else []),
        ]
        for name in names
    ]
    return [lang.say(h) for h in head], rows


def _rows(published: Published, measure: Measure) -> pd.DataFrame:
    table = published.table
    own = table[table["metric"] == published.name]
    return own if measure.variant is None else own[own["variant"] == measure.variant]


def _cells(published: Published, measure: Measure) -> dict[str, str]:
    rows = _rows(published, measure)
    style = measure.style or _decimals(rows["estimate"].abs().max())
    return {str(row[rows.columns[0]]): written(row, style) for row in rows.to_dict("records")}


def _decimals(largest: float) -> str:
    """A score as three digits tell it: 4.05 of 5, 85.9 of 100; more would be made up."""
    return "{:.2f}" if not largest >= 10 else "{:.1f}" if largest < 100 else "{:.0f}"


def written(row: Mapping[Hashable, Any], style: str, *, seen: bool = False) -> str:
    """An estimate with its interval as a reader writes it; ``seen``: say a missing one plainly."""
    if not (seen or row["shown"]):
        return lang.say("publish.hidden_short")
    if pd.isna(row["estimate"]):
        return lang.MISSING
    text = style.format(row["estimate"])
    if row.get("bound"):
        return lang.say(f"publish.{row['bound']}", value=text)
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return text
    low, high = (style.format(row[c]) for c in ("low", "high"))
    return lang.say("brief.with_interval", estimate=text, low=low, high=high)


def _groups(published: Published | None) -> dict[str, str]:
    if published is None:
        return {}
    table = published.table
    return {
        str(row[table.columns[0]]): lang.say(f"group.{row['group']}")
        if row["shown"]
        else lang.say("publish.hidden_short")
        for row in table.to_dict("records")
    }


def _raters(published: Published | None) -> dict[str, str]:
    if published is None:
        return {}
    rows = _rows(published, Measure("adjust", "adjusted", ""))
    return {
        str(r[rows.columns[0]]): f"{r['n']:.0f}" if r["shown"] else lang.MISSING
        for r in rows.to_dict("records")
    }
