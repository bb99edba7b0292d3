"""The workflow log when it stays in the engine: the same rules, counted there."""

from __future__ import annotations

from typing import Any

import pandas as pd

from svcmetrics.checks.view import View, nearest
from svcmetrics.problems import Problem
from svcmetrics.study import Source
from svcmetrics.tables import TABLES


def check(view: View) -> None:
    """Required columns and cells, keys, references, order in time."""
    event = view.study.tables.get("event")
    if event is None or isinstance(event, pd.DataFrame):
        return
    table = TABLES["event"]
    missing = [c for c in table.required if c not in event.columns]
    if missing:
        view.say("columns_missing", "event", missing=missing, present=list(event.columns))
        return
    blanks = (
        event.aggregate(**{c: event[c].isnull().sum() for c in table.required}).execute().iloc[0]
    )
    for column, count in blanks.items():
        _say(view, "required_blank", int(count), column=str(column))
    _keys(view, event)
    for column in ("service_id", "unit_id"):
        if column in event.columns:
            _references(view, event, column)


def _keys(view: View, event: Any) -> None:
    keys = event.group_by(["case_id", "seq"]).aggregate(rows=event.count())
    double = keys.filter(keys["rows"] > 1)
    count = double.aggregate(n=double["rows"].sum()).execute().iloc[0, 0]
    _say(view, "key_twice", 0 if pd.isna(count) else int(count), key=["case_id", "seq"])
    turned = event.group_by("case_id").order_by("seq").mutate(before=event["at"].lag())
    back = turned.filter(turned["at"] < turned["before"]).count().execute()
    _say(view, "events_back", int(back), column="at", level="warning")


def _references(view: View, event: Any, column: str) -> None:
    target, _, key = TABLES["event"][column].refers.partition(".")
    known = view.table(target, key)
    if known is None:
        return
    counts = event.group_by(column).aggregate(rows=event.count()).execute().dropna()
    unknown = counts[~counts[column].isin(known[key])].sort_values(column)
    if len(unknown):
        bad = unknown[column].head(6).tolist()
        near = nearest(bad[0], known[key].dropna())
        total = int(unknown["rows"].sum())
        _say(view, "reference_unknown", total, column=column, bad=bad, target=target, near=near)


def _say(
    view: View,
    key: str,
    count: int,
    /,
    *,
    column: str = "",
    level: str = "error",
    **values: Any,
) -> None:
    if count:
        source = view.study.sources.get("event", Source(""))
        place = ("event", source.file, "", column)
        view.problems.append(Problem(key, values, *place, count=count, level=level))
