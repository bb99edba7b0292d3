"""Names in place of ids: a result of a study as its reader knows the departments and services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.display import phrase
from svcmetrics.result import Finding, Result

# Which table names the ids of a column.
_NAMED_BY = {
    "unit_id": ("unit", "unit_id"),
    "target_id": ("unit", "unit_id"),
    "provider_id": ("unit", "unit_id"),
    "rater_unit_id": ("unit", "unit_id"),
    "parent_id": ("unit", "unit_id"),
    "service_id": ("service", "service_id"),
    "item_id": ("item", "item_id"),
}


def names(table: pd.DataFrame, key: str, code: str | None = None) -> dict[str, str]:
    """Id to name in the given or current language; the other language, then the id, where it is blank."""
    code = code or lang.language()
    stem = "text" if "text_zh" in table else "name"
    order = (f"{stem}_zh", f"{stem}_en") if code == "zh" else (f"{stem}_en", f"{stem}_zh")
    best = table[key].astype("str")
    for column in reversed([c for c in order if c in table]):
        best = table[column].where(table[column].notna(), best)
    return dict(zip(table[key].astype("str"), best.astype("str"), strict=True))


def named(result: Result, tables: Mapping[str, Any]) -> Result:
    """The same result with names for the ids of units, services and items, in its table and sentences."""
    by_table = {
        source: names(tables[source], key)
        for source, key in set(_NAMED_BY.values())
        if source in tables
    }
    # A bare number in a sentence may be a count: only ids with a letter are taken for ids there.
    known = {i: n for ids in by_table.values() for i, n in ids.items() if not i.isdigit()}
    table = result.table
    for column, (source, _) in _NAMED_BY.items():
        if column in table and source in by_table:
            table[column] = [by_table[source].get(str(v), v) for v in table[column]]
    if "measure" in table:
        known |= {m: phrase(f"criterion.{m}", m) for m in table["measure"].astype("str")}
        table["measure"] = [known.get(str(m), m) for m in table["measure"]]
    findings = [
        Finding(f.key, {k: _said(v, known) for k, v in f.values.items()}, f.level)
        for f in result.findings
    ]
    about = result.about
    return Result(about["metric"], table, findings, about, drawing=result._drawing)


def _said(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return known.get(value, value)
    if isinstance(value, (list, tuple)):
        return [_said(v, known) for v in value]
    return value
