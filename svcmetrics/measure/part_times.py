"""Times of cases whose log was read in order: the same numbers as in the engine, in arrays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table

from svcmetrics.io import engine, stream
from svcmetrics.measure.actions import ACTIONS
from svcmetrics.measure.clocks import Clocks
from svcmetrics.measure.in_order import Part
from svcmetrics.measure.log import Log
from svcmetrics.measure.part_facts import Facts, case_facts, facts_key, filled, final_steps
from svcmetrics.numeric import worktime
from svcmetrics.numeric.stretches import Stretches, apart, in_common, total

_TIME, _YES = pa.int64(), pa.bool_()
_NEW = pa.schema(
    {
        "start_us": _TIME, "end_us": _TIME, "stop_us": _TIME, "state": pa.int8(), "no_start": _YES,
        "business_us": _TIME, "paused_us": _TIME, "paused_business_us": _TIME,
        "requester_us": _TIME, "requester_business_us": _TIME,
    }
)  # fmt: skip
_OLD = ("case_id", "service_id", "prev_case_id", "first_us", "last_us", "n_events", "n_returns",
        "n_rejects", "n_resubmits", "after_close")  # fmt: skip


@dataclass(frozen=True)
class Timed:
    """Cases with all times: as a table of the engine, and in the parts that it lies in."""

    table: Table
    parts: list[pa.RecordBatch]


def timed(log: Log, steps: pd.DataFrame | None, catalogue: Table, book: Clocks) -> Timed:
    """The columns of ``cases._timed``, part by part."""
    parts: list[Part] = log.ready["parts"]
    services = log.ready["services"]
    final, clock_of = final_steps(steps, services), _clocks_of(services, catalogue, book)

    def columns() -> Iterator[dict[str, Any]]:
        for part in parts:
            facts = case_facts(part.cases, final, log.until)
            service = part.cases["service_id"].indices.to_numpy()
            yield _times(part, facts, _Worked(book, clock_of[service]))

    with stream.spools(times=_NEW) as spools, closing(stream.ahead(columns())) as found:
        for times in found:
            spools["times"].add(times)
        new = spools["times"].parts()
    made = [_beside(p.cases, n) for p, n in zip(parts, new, strict=True)]
    log.once(facts_key(log, steps), lambda: made)
    return Timed(stream.hold(made), made)


def _beside(cases: pa.RecordBatch, new: pa.RecordBatch) -> pa.RecordBatch:
    columns = [*(cases[c] for c in _OLD), *new.columns]
    return pa.RecordBatch.from_arrays(columns, [*_OLD, *_NEW.names])


def _clocks_of(services: pa.Array, catalogue: Table, book: Clocks) -> np.ndarray:
    """Per service the place of its clock in the book, or -1."""
    if len(book) == 1:  # then there is no other
        return np.zeros(len(services), np.int64)
    known = engine.frame(catalogue.select("service_id", "clock_id"))
    named: dict[Any, Any] = dict(zip(known["service_id"], known["clock_id"], strict=True))
    place: dict[Any, int] = {name: i for i, name in enumerate(book)}
    return np.array([place.get(named.get(s), -1) for s in services.to_pylist()], np.int64)


@dataclass(frozen=True)
class _Worked:
    """Working time, by the clock of each case."""

    book: Clocks
    clock: np.ndarray

    def since(self, at: np.ndarray, case: np.ndarray | slice = slice(None)) -> np.ndarray:
        """From the start of the calendar, and in a second row whether it knows that instant."""
        clock = self.clock[case]
        found = np.zeros((2, len(at)), np.int64)
        for place, own in enumerate(self.book.values()):
            rows = np.flatnonzero(clock == place) if len(self.book) > 1 else slice(None)
            found[0, rows] = worktime.position(own, at[rows])
            found[1, rows] = worktime.covers(own, at[rows])
        return found

    def between(
        self, a: np.ndarray, b: np.ndarray, case: np.ndarray | slice = slice(None)
    ) -> tuple[np.ndarray, np.ndarray]:
        """The time between, and where it is known."""
        (first, one), (last, two) = self.since(a, case), self.since(b, case)
        return last - first, (one & two).astype(bool)


def _times(part: Part, facts: Facts, worked: _Worked) -> dict[str, Any]:
    business, known = worked.between(facts.start, facts.stop)
    paused = _within(part.pauses, "a_us", "b_us", facts)
    waited = _within(_to_requester(part.back), "at_us", "next_us", facts)
    sums = [
        _lengths(s, worked, len(facts.start)) for s in (paused, waited, in_common(waited, paused))
    ]
    (paused_us, paused_work, sure), (us, work, a), (both_us, both_work, b) = sums
    return {
        **facts.columns(),
        "business_us": pa.array(business, mask=~known),
        "paused_us": paused_us,
        "paused_business_us": pa.array(paused_work, mask=~sure),
        "requester_us": us - both_us,
        "requester_business_us": pa.array(work - both_work, mask=~(a & b)),
    }


def _within(rows: pa.RecordBatch, start: str, end: str, facts: Facts) -> Stretches:
    """Stretches cut to the time of their case; one without an end lasts as long as its case."""
    case, b = rows["case"].to_numpy(), rows[end]
    until, ends = filled(b)
    stop = facts.stop[case]
    a = np.maximum(rows[start].to_numpy(), facts.start[case])
    return apart(Stretches(case, a, np.where(ends, np.minimum(until, stop), stop)))


def _to_requester(back: pa.RecordBatch) -> pa.RecordBatch:
    """Those that went to the requester: see ``waits.went_to_requester``."""
    word, then = (_numbers(back[c]) for c in ("action", "next_action"))
    nowhere = back["to_step_no"].is_null().to_numpy(zero_copy_only=False)
    acts = np.isin(then, [ACTIONS.index(w) for w in ("submit", "resubmit")])
    leaves = (then == ACTIONS.index("withdraw")) & nowhere
    waits = (then == -1) & nowhere & (word == ACTIONS.index("return"))
    return back.filter(pa.array(acts | leaves | waits))


def _numbers(words: pa.DictionaryArray) -> np.ndarray:
    return words.indices.fill_null(-1).to_numpy()


def _lengths(
    s: Stretches, worked: _Worked, cases: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per case: time, working time, and where that is known: one end outside leaves the sum unknown."""
    work, known = worked.between(s.start, s.end, s.of)
    sure = np.ones(cases, dtype=bool)
    sure[s.of[~known]] = False
    return total(s.of, s.end - s.start, cases), total(s.of, work, cases), sure
