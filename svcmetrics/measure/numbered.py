"""Texts that repeat, under one number each over all parts of a log."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa


class Numbered:
    """The texts of one column, numbered as they come."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, column: pa.Array) -> pa.Array:
        """The number of each text; missing ones have none."""
        if pa.types.is_null(column.type):
            return column.cast(pa.int32())
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        words, known = column.dictionary.to_pylist(), self._known
        own = pa.array([known.setdefault(w, len(known)) for w in words], pa.int32())
        return own.take(column.indices)

    def texts(self) -> pa.Array:
        """All of them, each at the place of its number."""
        return pa.array(list(self._known), pa.string())


def named(part: pa.RecordBatch, texts: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The same rows with texts instead of their numbers; nothing is copied."""
    columns = [
        pa.DictionaryArray.from_arrays(column, texts[name]) if name in texts else column
        for name, column in zip(part.schema.names, part.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, part.schema.names)
