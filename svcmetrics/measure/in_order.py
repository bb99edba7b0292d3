"""A log whose events lie in order, read once: its cases, its decisions, its stretches.

Most systems export a log case by case. Then everything that a case tells about itself is found in
one reading, without a sort: the same tables that ``per_case``, ``waits`` and ``automatic`` ask of
any engine, value by value. A log with any flaw (an event that cannot be used, a number that does
not grow, a case in two places or of two services) is left to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from svcmetrics.io import engine, stream
from svcmetrics.measure.actions import (
    ACTIONS,
    DECISIONS,
    ENDS,
    FLOW,
    MARKS,
    OUTPUTS,
    REOPENS,
    UNKNOWN,
    among,
    number,
)
from svcmetrics.measure.per_case import COUNTED
from svcmetrics.numeric.runs import NONE, Runs, runs

# Rows per part, and in how many a single case may be before it is left to the engine. The engine
# hands out rows in blocks of this size; larger parts cost more memory and, beyond the caches, time.
_ROWS = 122_880
_TEXT, _WHOLE, _WORD, _YES = pa.string(), pa.int64(), pa.int8(), pa.bool_()
_CASES = pa.schema(
    {
        "case_id": _TEXT, "service_id": _TEXT, "prev_case_id": _TEXT, "requester": _TEXT,
        "first_us": _WHOLE, "last_us": _WHOLE, "submit_us": _WHOLE, "step_no": _WHOLE,
        "ended_us": _WHOLE, "end_word": _WORD, "delivered_us": _WHOLE, "after_close": _YES,
        "is_doubtful": _YES, "n_events": pa.int32(), "n_unusable": pa.int32(),
        **{f"n_{word}s": pa.int32() for word in COUNTED},
    }
)  # fmt: skip
_BACK = pa.schema(
    {
        "case_id": _TEXT, "seq": _WHOLE, "service_id": _TEXT, "at_us": _WHOLE, "to_step_no": _WHOLE,
        "next_us": _WHOLE, "next_step": _WHOLE, "action": _TEXT, "next_action": _TEXT,
    }
)  # fmt: skip
_PAUSES = pa.schema({"case_id": _TEXT, "a_us": _WHOLE, "b_us": _WHOLE})
_DECIDED = pa.schema(
    {
        "service_id": _TEXT, "step_no": _WHOLE, "unit_id": _TEXT, "action": _TEXT, "is_auto": _YES,
        "waited_us": _WHOLE,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Pieces:
    """Tables in the engine, as their makers elsewhere would have made them."""

    cases: Table
    pauses: Table
    back: Table
    decisions: Table


class _Flaw(Exception):
    """The log is not one of the ordinary kind."""


def pieces(events: Table) -> Pieces | None:
    """All of it from one reading of the log; None for a log with flaws, or without an order."""
    found = stream.parts(_columns(events), rows=_ROWS)
    if found is None:
        return None
    with stream.spools(cases=_CASES, pauses=_PAUSES, back=_BACK, decisions=_DECIDED) as spools:
        try:
            rest = None
            for part in found:
                rest = _read(part, rest, spools)
            if rest is not None:
                _tell(rest, spools)
        except _Flaw:
            return None
        made = Pieces(**{name: spool.keep() for name, spool in spools.items()})
    # A case that goes on further below is two runs of rows.
    c = made.cases
    counts = engine.row(c.aggregate(runs=c.count(), cases=c["case_id"].nunique()))
    return made if counts["runs"] == counts["cases"] else None


def _columns(e: Table) -> Table:
    """What is needed of each event; text only where it is looked at."""
    e = e.mutate(word=number(e["action"]).cast("int8"))
    none = ibis.null("string")
    return e.select(
        "case_id", "seq", "service_id", "at_us", "step_no", "to_step_no", "prev_case_id", "is_auto",
        "word",
        unit_id=ibis.ifelse(among(e["word"], DECISIONS), e["unit_id"], none),
        actor_key=ibis.ifelse(among(e["word"], ("submit",)), e["actor_key"], none),
    )  # fmt: skip


def _read(
    part: pa.RecordBatch, rest: pa.RecordBatch | None, spools: dict[str, stream.Spool]
) -> pa.RecordBatch | None:
    """Whole cases are told; what comes back is the last one, which may go on in the next part."""
    if not len(part):
        return rest
    starts = np.flatnonzero(_differs(part["case_id"]))
    if rest is not None:
        goes_on = rest["case_id"][0].as_py() == part["case_id"][0].as_py()
        ends = np.append(starts[1:], len(part))
        head = int(ends[0]) if goes_on else 0
        rest = pa.concat_batches([rest, part.slice(0, head)])
        if len(rest) > _ROWS:
            raise _Flaw
        if head == len(part):
            return rest
        _tell(rest, spools)
        part, starts = part.slice(head), starts[starts >= head] - head
    _tell(part.slice(0, int(starts[-1])), spools)
    return part.slice(int(starts[-1]))


def _differs(column: pa.Array) -> np.ndarray:
    """Whether a value is another than the one before; the first one is."""
    out = np.ones(len(column), dtype=bool)
    unlike = pc.not_equal(column.slice(1), column.slice(0, max(len(column) - 1, 0)))
    out[1:] = pc.fill_null(unlike, fill_value=True).to_numpy(zero_copy_only=False)
    return out


def _tell(rows: pa.RecordBatch, spools: dict[str, stream.Spool]) -> None:
    if not len(rows):
        return
    if any(rows[c].null_count for c in ("case_id", "seq", "service_id", "at_us")):
        raise _Flaw
    new = _differs(rows["case_id"])
    seq, word = (rows[c].to_numpy() for c in ("seq", "word"))
    falls = (np.diff(seq) <= 0) & ~new[1:]
    if (word == UNKNOWN).any() or falls.any() or (_differs(rows["service_id"]) & ~new).any():
        raise _Flaw
    part = _Part(rows, runs(new), rows["at_us"].to_numpy(), word)
    spools["cases"].add(part.cases())
    spools["pauses"].add(part.pauses())
    back, decisions = part.decisions()
    spools["back"].add(back)
    spools["decisions"].add(decisions)


@dataclass(frozen=True)
class _Part:
    """Events of whole cases in order, and what they tell."""

    rows: pa.RecordBatch
    runs: Runs
    at: np.ndarray
    word: np.ndarray

    def cases(self) -> dict[str, Any]:
        """The columns of ``per_case``."""
        turn, flow, work = (
            self.runs.last(self._among(words))
            for words in ((*ENDS, *REOPENS), FLOW, tuple(w for w in ACTIONS if w != "comment"))
        )
        ended, output = self._is(turn, ENDS), self._is(flow, OUTPUTS)
        size = len(turn)
        return {
            **{c: self._of(c, self.runs.starts) for c in ("case_id", "service_id")},
            "prev_case_id": self._of("prev_case_id", self._only("prev_case_id")),
            "requester": self._of("actor_key", self.runs.first(self._given("actor_key"))),
            "first_us": np.minimum.reduceat(self.at, self.runs.starts),
            "last_us": np.maximum.reduceat(self.at, self.runs.starts),
            "submit_us": self._of("at_us", self.runs.first(self._among(("submit",)))),
            # An output without a step counts as that of a step 0, which no catalogue has.
            "step_no": pc.if_else(flow != NONE, pc.fill_null(self._of("step_no", flow), 0), None),
            "ended_us": self._of("at_us", np.where(ended, turn, NONE)),
            "end_word": self._of("word", np.where(ended, turn, NONE)),
            "delivered_us": self._of("at_us", np.where(~ended & output, flow, NONE)),
            "after_close": ended & ~self._is(work, ENDS),
            "is_doubtful": np.zeros(size, dtype=bool),
            "n_events": self.runs.sizes,
            "n_unusable": np.zeros(size, dtype=np.int32),
            **{f"n_{w}s": self.runs.count(self._among((w,))) for w in COUNTED},
        }

    def pauses(self) -> dict[str, Any]:
        """Each stop of the clock with the event that starts it again."""
        marks = self._among(MARKS)
        _, after = self.runs.neighbours(marks)
        stops = self.word[marks] == ACTIONS.index("pause")
        at, until = marks[stops], after[stops]
        columns = {"case_id": ("case_id", at), "a_us": ("at_us", at), "b_us": ("at_us", until)}
        return {name: self._of(*source) for name, source in columns.items()}

    def decisions(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was sent back with the event after it, and every decision with the time before it."""
        flow = self._among(FLOW)
        before, after = self.runs.neighbours(flow)
        own = self._is(flow, ("return", "reject"))
        at, then = flow[own], after[own]
        back = {c: self._of(c, at) for c in ("case_id", "seq", "service_id", "at_us", "to_step_no")}
        back |= {"next_us": self._of("at_us", then), "next_step": self._of("step_no", then)}
        back |= {"action": self._text(at), "next_action": self._text(then)}
        own = self._is(flow, DECISIONS) & self.rows["step_no"].is_valid().to_numpy(False)[flow]
        at, prior = flow[own], before[own]
        decided = {c: self._of(c, at) for c in ("service_id", "step_no", "unit_id", "is_auto")}
        since = pc.subtract(self._of("at_us", at), self._of("at_us", prior))
        return back, decided | {"action": self._text(at), "waited_us": since}

    def _among(self, words: tuple[str, ...]) -> np.ndarray:
        return np.flatnonzero(_known(words)[self.word])

    def _is(self, rows: np.ndarray, words: tuple[str, ...]) -> np.ndarray:
        return _known(words)[self.word[rows]] & (rows != NONE)

    def _given(self, column: str) -> np.ndarray:
        return np.flatnonzero(self.rows[column].is_valid().to_numpy(False))

    def _only(self, column: str) -> np.ndarray:
        """The one value of each case; two of them are for the engine to choose from."""
        rows = self._given(column)
        first = self.runs.first(rows)
        if not pc.all(pc.equal(self._of(column, rows), self._of(column, first[self.runs.of[rows]]))
                      ).as_py() and len(rows):  # fmt: skip
            raise _Flaw
        return first

    def _of(self, column: str, rows: np.ndarray) -> pa.Array:
        return self.rows[column].take(pa.array(rows, mask=rows == NONE))

    def _text(self, rows: np.ndarray) -> pa.Array:
        words = pa.array(ACTIONS)
        return words.take(self._of("word", rows))


def _known(words: tuple[str, ...]) -> np.ndarray:
    """Per number of a word whether it is one of these."""
    out = np.zeros(UNKNOWN + 1, dtype=bool)
    out[[ACTIONS.index(w) for w in words]] = True
    return out
