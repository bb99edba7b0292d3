"""How many events of each kind there are, counted while a log is read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from svcmetrics.measure.actions import ACTIONS
from svcmetrics.measure.numbered import Numbered, named
from svcmetrics.numeric.distinct import distinct

# What the events of one kind have in common.
KINDS = ("service_id", "step_no", "unit_id", "action", "is_auto")
_TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {"service_id": _TEXT, "step_no": pa.int64(), "unit_id": _TEXT, "action": _TEXT,
     "is_auto": pa.bool_(), "events": pa.int64()}
)  # fmt: skip


class Tally:
    """Adds up part by part."""

    def __init__(self) -> None:
        self._found: list[tuple[dict[str, np.ndarray], np.ndarray]] = []

    def add(self, rows: pa.RecordBatch, texts: Mapping[str, Numbered]) -> None:
        """Events, in any order. A kind is told by numbers, 0 where there is none."""
        coded = {name: _whole(texts[name].of(rows[name]), 1) for name in texts}
        step = rows["step_no"]
        low = pc.min(step).as_py() or 0
        kinds = coded | {"step_no": _whole(step, 1 - low), "action": _whole(rows["word"], 0)}
        kinds["is_auto"] = _whole(rows["is_auto"].cast("int8"), 1)
        found, events = distinct(kinds)
        steps = found["step_no"]
        own = {"known": (steps > 0).astype(np.int64), "step_no": steps + (low - 1)}
        self._found.append((found | own, events))

    def table(self, texts: Mapping[str, Numbered]) -> pa.RecordBatch:
        """One row for each kind."""
        if not self._found:
            return pa.RecordBatch.from_pylist([], SCHEMA)
        parts, events = zip(*self._found, strict=True)
        kinds = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        low = kinds["step_no"].min()
        kinds["step_no"] = np.where(kinds["known"] > 0, kinds["step_no"] - low, 0)
        found, counts = distinct(kinds, np.concatenate(events))
        none = {name: found[name] == 0 for name in ("service_id", "unit_id", "is_auto")}
        columns = {
            "service_id": pa.array(found["service_id"] - 1, mask=none["service_id"]),
            "step_no": pa.array(found["step_no"] + low, mask=found["known"] == 0),
            "unit_id": pa.array(found["unit_id"] - 1, mask=none["unit_id"]),
            "action": pa.array(found["action"].astype(np.int32)),
            "is_auto": pa.array(found["is_auto"] == 2, mask=none["is_auto"]),
            "events": pa.array(counts),
        }
        names = {name: own.texts() for name, own in texts.items()} | {"action": pa.array(ACTIONS)}
        return named(pa.RecordBatch.from_pydict(columns), names)


def _whole(column: pa.Array, add: int) -> np.ndarray:
    """Numbers with something added, and 0 where there is none."""
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False) + add
    if column.null_count:
        values[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return values
