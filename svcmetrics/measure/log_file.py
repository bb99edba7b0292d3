"""A log in a Parquet file of the usual kind, read part by part with its text as codes.

What repeats in a file (services, actions, persons) is stored once and numbered. Read so, it need
not be written out for every row, which is most of the work of reading. A file with other types is
left to the engine, which reads anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from svcmetrics.measure.actions import ACTIONS, UNKNOWN
from svcmetrics.measure.instants import to_utc

_TEXT = ("case_id", "service_id", "unit_id", "actor_key", "prev_case_id")
_WHOLE = ("seq", "step_no", "to_step_no")
_BUFFER = 1 << 20  # bytes of a column that are read ahead


def batches(path: Path, timezone: str, *, rows: int) -> Iterator[pa.RecordBatch] | None:
    """The columns of ``in_order`` in parts of about so many rows; None for a file unlike others."""
    try:
        schema = pq.read_schema(path)
        there = [c for c in (*_TEXT, *_WHOLE, "at", "action", "is_auto") if c in schema.names]
        coded = [c for c in there if c in (*_TEXT, "action")]
        file = pq.ParquetFile(path, read_dictionary=coded, buffer_size=_BUFFER, pre_buffer=False)
    except (OSError, pa.ArrowException):
        return None  # whoever reads it says what is wrong
    schema = file.schema_arrow
    needed = {"case_id", "seq", "service_id", "at", "action"}
    if not needed <= set(there) or not all(_usual(schema.field(c)) for c in there):
        return None
    found = file.iter_batches(rows, columns=there, use_threads=False)
    return (_canonical(part, timezone) for part in found)


def _usual(field: pa.Field) -> bool:
    kinds: dict[str, Callable[[pa.DataType], bool]] = {
        **dict.fromkeys(_WHOLE, pa.types.is_signed_integer),
        "at": pa.types.is_timestamp,
        "is_auto": pa.types.is_boolean,
    }
    kind = field.type
    if field.name == "at":
        return pa.types.is_timestamp(kind) and kind.unit == "us"
    return kinds[field.name](kind) if field.name in kinds else _is_coded(kind)


def _is_coded(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind) and (
        pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
    )


def _canonical(part: pa.RecordBatch, timezone: str) -> pa.RecordBatch:
    none = pa.nulls(len(part))
    given = {c: part[c] if c in part.schema.names else none for c in (*_TEXT, "is_auto")}
    whole = {c: (part[c] if c in part.schema.names else none).cast("int64") for c in _WHOLE}
    return pa.RecordBatch.from_pydict(
        {**given, **whole, "at_us": _micros(part["at"], timezone), "word": _words(part["action"])}
    )


def _micros(at: pa.Array, timezone: str) -> pa.Array:
    us = at.view("int64")
    if at.type.tz is not None or us.null_count:  # a missing instant is a flaw of the log
        return us
    return pa.array(to_utc(us.to_numpy(), timezone))


def _words(action: pa.DictionaryArray) -> pa.Array:
    """The words as their numbers: as many look-ups as there are words, and not rows."""
    known = {word: number for number, word in enumerate(ACTIONS)}
    words = action.dictionary.to_pylist()
    numbers = np.array([known.get(w, UNKNOWN) for w in words] + [UNKNOWN], np.int8)
    codes = pc.fill_null(action.indices, len(words)).to_numpy(zero_copy_only=False)
    return pa.array(numbers[codes])
