"""Names in place of ids: a result of a study as its reader knows the departments and services."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from svcmetrics import lang
from svcmetrics.display import header, phrase, word
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
    "unit": ("unit", "unit_id"),
    "other_unit": ("unit", "unit_id"),
    "other": ("unit", "unit_id"),
    "element": ("unit", "unit_id"),
}
# Groups of departments are written as their ids with this between them.
_JOINT = "–"
_GROUPS = ("cluster",)
# Columns whose values are columns of the ratings, or indicators.
_TERMS, _INDICATORS, _RESIDUAL, _MODES = (
    "term",
    "indicator",
    "residual",
    ("anonymous", "confidential", "named"),
)
# Columns of codes that the toolkit itself has words for; other codes stay as they are.
_WORDS = ("reason_code",)
_STEPS = ("step_no", "to_step_no")


def names(table: pd.DataFrame, key: str, code: str | None = None) -> dict[str, str]:
    """Id to name in the given or current language; the other language, then the id, where it is blank."""
    code = code or lang.language()
    stem = "text" if "text_zh" in table else "name"
    order = (f"{stem}_zh", f"{stem}_en") if code == "zh" else (f"{stem}_en", f"{stem}_zh")
    best = table[key].astype("str")
    for column in reversed([c for c in order if c in table]):
        best = table[column].where(table[column].notna(), best)
    # An item's text stands within sentences: without a full stop of its own.
    said = best.astype("str").str.rstrip("。.") if stem == "text" else best.astype("str")
    return dict(zip(table[key].astype("str"), said, strict=True))


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
    for column in (c for c in _GROUPS if c in table):
        table[column] = [_said(v, known) for v in table[column]]
    known |= _words_of(table)
    if "measure" in table:
        known |= {m: phrase(f"criterion.{m}", m) for m in table["measure"].astype("str")}
        table["measure"] = [known.get(str(m), m) for m in table["measure"]]
    for column in set(_WORDS) & set(table.columns):
        known |= {c: w for c in table[column].dropna().astype("str") if (w := word(column, c)) != c}
        table[column] = [known.get(str(c), c) for c in table[column]]
    steps = _steps(tables.get("step"))
    _name_steps(table, result.table, steps)
    findings = [
        Finding(f.key, {k: _said(v, known) for k, v in _in_words(f, steps).items()}, f.level)
        for f in result.findings
    ]
    about = result.about
    return Result(about["metric"], table, findings, about, drawing=result._drawing)


def _words_of(table: pd.DataFrame) -> dict[str, str]:
    """Words for columns of the ratings, indicators and modes; those in the table are put in."""
    known = {m: word("mode", m) for m in _MODES}
    known |= {c: header(c) for c in (*_NAMED_BY, "rater_key", "wave", "dimension")}
    for column in (c for c in (_TERMS, _INDICATORS) if c in table):
        if column == _INDICATORS:
            known |= {m: phrase(f"metric.{m}", m) for m in table[column].astype("str")}
        else:
            parts = {t: str(t).split(":") for t in table[column]}
            known |= {
                t: " × ".join(header(p) for p in ps)
                for t, ps in parts.items()
                if t in known or len(ps) > 1
            } | {_RESIDUAL: word("term", _RESIDUAL)}
        table[column] = [known.get(str(v), v) for v in table[column]]
    if any(f" − {m}" in v for v in table["variant"].astype("str").unique() for m in _MODES):
        table["variant"] = [
            " − ".join(known.get(p, p) for p in str(v).split(" − ")) for v in table["variant"]
        ]
    return known


def _steps(table: Any) -> dict[tuple[str, int], str]:
    """Service and number of a step to its number and name; a study of one service needs no service."""
    if not isinstance(table, pd.DataFrame) or table.empty:
        return {}
    own = table.reset_index(drop=True).assign(key=lambda t: t.index.astype("str"))
    said = names(own, "key")
    keys = zip(own["service_id"].astype("str"), own["step_no"].astype(int), strict=True)
    out = {k: f"{k[1]} {said[str(i)]}" for i, k in enumerate(keys) if said[str(i)] != str(i)}
    if own["service_id"].nunique() == 1:
        out |= {("", step): text for (_, step), text in out.items()}
    return out


def _name_steps(table: pd.DataFrame, raw: pd.DataFrame, steps: Mapping[Any, str]) -> None:
    """Names of steps in place of their numbers; ``raw`` still holds the ids of the services."""
    service = raw["service_id"].astype("str") if "service_id" in raw else [""] * len(raw)
    for column in (c for c in _STEPS if c in table):
        pairs = list(zip(service, raw[column], strict=True))
        new = [s if pd.isna(s) else steps.get((v, int(s)), s) for v, s in pairs]
        if any(isinstance(s, str) for s in new):
            table[column] = pd.Series(new, index=table.index, dtype=object)


def _in_words(finding: Finding, steps: Mapping[Any, str]) -> dict[str, Any]:
    """The values of a finding, with names of the steps that it speaks of."""
    values = dict(finding.values)
    service = str(values.get("service_id", ""))
    for key in (k for k in _STEPS if isinstance(values.get(k), (int, float))):
        if not pd.isna(values[key]):
            values[key] = steps.get((service, int(values[key])), values[key])
    return values


def _said(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if value in known:
            return known[value]
        if _JOINT not in value:  # "rater_key 30, item_id 3"
            return re.sub(r"[a-z]+_[a-z_]+", lambda m: known.get(m[0], m[0]), value)
        parts = value.split(_JOINT)
        return _JOINT.join(known[p] for p in parts) if set(parts) <= set(known) else value
    if isinstance(value, (list, tuple)):
        return [_said(v, known) for v in value]
    return value
