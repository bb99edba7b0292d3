"""Parquet files as tables of a study. A large event log stays where it is, read by the engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from svcmetrics.io import headers
from svcmetrics.io.safe_files import file_problem, open_file
from svcmetrics.io.table_cells import ReadTable, canonical, pick_columns
from svcmetrics.problems import Problem, StudyError
from svcmetrics.study import Source
from svcmetrics.tables import TABLES

# A smaller file is read into memory; an event log beyond stays in the engine.
STAYS_FROM_BYTES = 50_000_000
_MAX_BYTES = 20_000_000_000
_IN_MEMORY_MAX = 2_000_000_000
_TYPES = {
    "id": "string",
    "text": "string",
    "word": "string",
    "int": "int64",
    "bool": "boolean",
    "float": "float64",
}


def read_parquet(name: str, path: Path, timezone: str) -> ReadTable:
    """One table from its Parquet file; columns by machine name, Chinese or English."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    with open_file(path, _MAX_BYTES if name == "event" else _IN_MEMORY_MAX) as file:
        try:
            if name == "event" and path.stat().st_size > STAYS_FROM_BYTES:
                return _in_engine(name, path, pq.read_schema(file))
            frame = pq.ParquetFile(file).read().to_pandas(ignore_metadata=True)
        except (ArrowException, OSError, ValueError, MemoryError) as error:
            if isinstance(error, StudyError):
                raise
            raise StudyError(file_problem("parquet_damaged", path)) from error
    picked, odd = pick_columns(name, list(frame.columns), frame)
    if not picked:
        known = [c.name for c in TABLES[name].columns if c.required]
        return ReadTable(
            None, Source(path.name), [Problem("header_missing", {"known": known}, name, path.name)]
        )
    frame = frame.iloc[:, list(picked.values())].set_axis(list(picked), axis=1)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    table, wrong = canonical(name, frame, timezone)
    placed = [replace(p, table=name, file=path.name) for p in odd + wrong]
    return ReadTable(table if len(table) else None, Source(path.name, first_row=1), placed)


def _in_engine(name: str, path: Path, schema: Any) -> ReadTable:
    """The file as a table of the embedded engine, with machine names, words and types."""
    picked, found = pick_columns(name, schema.names, pd.DataFrame(columns=range(len(schema.names))))
    source = Source(path.name, first_row=1)
    titles = {c: schema.names[place] for c, place in picked.items()}
    wrong = [c for c in titles if not _fits(name, c, schema.field(titles[c]).type)]
    if wrong or not titles:
        found.append(Problem("parquet_types", {"columns": wrong or list(schema.names)}))
        return ReadTable(None, source, [replace(p, table=name, file=path.name) for p in found])
    rows = engine().read_parquet(_literally(path), hive_partitioning=False)
    table = rows.select(**{c: _cast(rows[t], name, c) for c, t in titles.items()})
    for column in (c for c in TABLES[name].columns if c.kind == "word" and c.name in titles):
        table, more = _machine_words(table, column)
        found += more
    return ReadTable(table, source, [replace(p, table=name, file=path.name) for p in found])


def engine() -> Any:
    """A connection of the embedded engine that fetches and loads nothing."""
    import ibis

    closed = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    return ibis.duckdb.connect(":memory:", **closed)


def _fits(name: str, column: str, kind: Any) -> bool:
    """Whether a column has the type of its kind already; times must carry a zone."""
    import pyarrow.types as pt

    if TABLES[name][column].kind == "time":
        return pt.is_timestamp(kind) and kind.tz is not None
    tests = {
        "int": pt.is_integer,
        "bool": pt.is_boolean,
        "float": lambda k: pt.is_floating(k) or pt.is_integer(k),
    }
    text = lambda k: pt.is_string(k) or pt.is_large_string(k) or pt.is_dictionary(k)  # noqa: E731
    return bool(tests.get(TABLES[name][column].kind, text)(kind))


def _cast(values: Any, name: str, column: str) -> Any:
    kind = TABLES[name][column].kind
    return values.cast(_TYPES[kind]) if kind in _TYPES else values


def _machine_words(table: Any, column: Any) -> tuple[Any, list[Problem]]:
    """Words in machine form; unknown ones are named and become missing."""
    known = headers.words_of(column.name, column.words)
    counts = table.group_by(column.name).aggregate(rows=table.count()).execute()
    counts = counts[counts[column.name].notna()]
    mapped = {w: known.get(headers.normal(w)) for w in counts[column.name]}
    unknown = [w for w, machine in mapped.items() if machine is None]
    found = []
    if unknown:
        values = {
            "bad": unknown[0],
            "known": list(column.words),
            "near": headers.suggestion(unknown[0], column.words),
        }
        total = int(counts.loc[counts[column.name].isin(unknown), "rows"].sum())
        found.append(Problem("word_unknown", values, column=column.name, count=total))
    if all(w == m for w, m in mapped.items()):
        return table, found
    kept = {w: m for w, m in mapped.items() if m is not None}
    return table.mutate(**{column.name: table[column.name].substitute(kept, else_=None)}), found


def _literally(path: Path) -> str:
    """A path whose brackets and stars the engine does not take for a pattern."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path.resolve()))
