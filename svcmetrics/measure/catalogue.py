"""What the service catalogue says about a case: provider, promise, clock, emergency, final step."""

from __future__ import annotations

import ibis
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.clocks import HOUR, Clocks
from svcmetrics.problems import table_error
from svcmetrics.tables import numbers, require, unique

_NONE = pd.Series(dtype="str")


def service_table(services: pd.DataFrame | None, book: Clocks) -> Table:
    """Per service what the measures need, ready to be joined: one row each, promise in microseconds."""
    if services is None:
        services = pd.DataFrame({"service_id": _NONE})
    require(services, "service_id")
    unique(services, "service_id")
    table = services.reset_index(drop=True)
    clock_id = _text(table, "calendar_id")
    if len(book) == 1:
        clock_id = clock_id.fillna(next(iter(book)))
    _known(clock_id, book)
    promise = (
        numbers(table, "promise_h")
        if "promise_h" in table
        else pd.Series(float("nan"), table.index)
    )
    return engine.small(
        {
            "service_id": _text(table, "service_id"),
            "provider_id": _text(table, "provider_id"),
            "routine": _text(table, "routine"),
            "clock": _text(table, "clock").fillna("business"),
            "clock_id": clock_id,
            "promise_us": (promise * HOUR).round().astype("Int64"),
            "in_scope": _flag(table, "in_scope", missing=True),
            "valid_from": _text(table, "valid_from").str.slice(0, 10),
            "valid_to": _text(table, "valid_to").str.slice(0, 10),
        }
    )


def step_table(steps: pd.DataFrame | None) -> Table:
    """Per step: its unit, its role and whether its delivery ends the case."""
    if steps is None:
        steps = pd.DataFrame({"service_id": _NONE, "step_no": pd.Series(dtype="Int64")})
    require(steps, "service_id", "step_no")
    unique(steps, "service_id", "step_no")
    table = steps.reset_index(drop=True)
    return engine.small(
        {
            "service_id": _text(table, "service_id"),
            "step_no": numbers(table, "step_no").astype("Int64"),
            "step_unit": _text(table, "unit_id"),
            "is_final": _flag(table, "is_final", missing=False),
        }
    )


def default_clock(book: Clocks) -> ibis.expr.types.Value:
    """The clock of a case whose service names none: the only one there is."""
    return ibis.literal(next(iter(book))) if len(book) == 1 else ibis.null("string")


def attributes(services: pd.DataFrame | None, names: list[str]) -> pd.DataFrame:
    """Further columns of the catalogue to group by, as text; an unknown one is an error."""
    if services is None:
        raise table_error("missing_columns", missing=names, present=["case_id", "service_id"])
    require(services, "service_id", *names)
    return pd.DataFrame(
        {c: _text(services.reset_index(drop=True), c) for c in ("service_id", *names)}
    )


def _text(table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table:
        return pd.Series(pd.NA, index=table.index, dtype="str")
    return table[column].astype("str")


def _flag(table: pd.DataFrame, column: str, *, missing: bool) -> pd.Series:
    if column not in table:
        return pd.Series(missing, index=table.index)
    return table[column].astype("boolean").fillna(missing).astype(bool)


def _known(clock_id: pd.Series, book: Clocks) -> None:
    unknown = sorted(set(clock_id.dropna()) - set(book)) if book else []
    if unknown:
        raise table_error("calendar_unknown", unknown=unknown[:8], known=sorted(book))
