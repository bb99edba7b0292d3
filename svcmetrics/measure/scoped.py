"""Rows of the log with what they are grouped by: month, columns of the catalogue, emergencies."""

from __future__ import annotations

import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes, service_table
from svcmetrics.measure.instants import local_micros
from svcmetrics.problems import table_error


def scoped(
    table: Table, services: pd.DataFrame | None, names: list[str], timezone: str
) -> tuple[Table, dict[str, int]]:
    """Rows of services in scope, with ``month`` (of ``at_us``), ``is_emergency`` and these columns.

    Rows of services that are out of scope are counted.
    """
    table = table.mutate(month=engine.month(local_micros(table["at_us"], timezone)))
    known = service_table(services, {}).select("service_id", "provider_id", "routine", "in_scope")
    table = joined(table, known, "service_id")
    further = [c for c in names if c not in table.columns]
    if further and services is None:
        raise table_error("missing_columns", missing=further, present=list(table.columns))
    if further:
        table = joined(table, engine.small(attributes(services, further)), "service_id")
    table = engine.keep(
        table.mutate(is_emergency=(table["routine"] == "emergency").fill_null(False))
    )
    inside = table["in_scope"].fill_null(True)
    left = engine.row(table.aggregate(n=(~inside).sum()))["n"]
    dropped = {"out_of_scope": int(left)} if pd.notna(left) and left else {}
    return table.filter(inside), dropped
