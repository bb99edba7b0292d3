"""What the events of whole cases, in order, tell about themselves: one row each, in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from svcmetrics.measure.actions import (
    ACTIONS,
    DECISIONS,
    ENDS,
    FLOW,
    MARKS,
    OUTPUTS,
    REOPENS,
    UNKNOWN,
)
from svcmetrics.measure.numbered import Numbered
from svcmetrics.measure.per_case import COUNTED
from svcmetrics.numeric.runs import NONE, Runs

_TEXT, _WHOLE, _WORD, _YES = pa.string(), pa.int64(), pa.int8(), pa.bool_()
_NUMBER = pa.int32()  # of a text that is told once for all parts, or of a case within its part
_CASES = pa.schema(
    {
        "case_id": _TEXT, "service_id": _NUMBER, "prev_case_id": _TEXT, "requester": _TEXT,
        "first_us": _WHOLE, "last_us": _WHOLE, "submit_us": _WHOLE, "step_no": _WHOLE,
        "ended_us": _WHOLE, "end_word": _WORD, "delivered_us": _WHOLE, "after_close": _YES,
        "n_events": pa.int32(), **{f"n_{word}s": pa.int32() for word in COUNTED},
    }
)  # fmt: skip
_BACK = pa.schema(
    {
        "case": _NUMBER, "case_id": _TEXT, "seq": _WHOLE, "service_id": _NUMBER, "at_us": _WHOLE,
        "to_step_no": _WHOLE, "next_us": _WHOLE, "next_step": _WHOLE, "action": _WORD,
        "next_action": _WORD,
    }
)  # fmt: skip
_PAUSES = pa.schema({"case": _NUMBER, "case_id": _TEXT, "a_us": _WHOLE, "b_us": _WHOLE})
_DECIDED = pa.schema(
    {
        "service_id": _NUMBER, "step_no": _WHOLE, "unit_id": _NUMBER, "is_auto": _YES,
        "waited_us": _WHOLE, "approved": _YES,
    }
)  # fmt: skip
SCHEMAS = {"cases": _CASES, "pauses": _PAUSES, "back": _BACK, "decisions": _DECIDED}


class Flaw(Exception):
    """The log is not one of the ordinary kind."""


def _coded(column: pa.Array) -> pa.Array:
    """Something to compare: the codes of the text of one part, or the text itself."""
    return column.indices if pa.types.is_dictionary(column.type) else column


def differs(column: pa.Array) -> np.ndarray:
    """Whether a value is another than the one before; the first one is."""
    column = _coded(column)
    out = np.ones(len(column), dtype=bool)
    unlike = pc.not_equal(column.slice(1), column.slice(0, max(len(column) - 1, 0)))
    out[1:] = pc.fill_null(unlike, fill_value=True).to_numpy(zero_copy_only=False)
    return out


@dataclass(frozen=True)
class CaseRows:
    """Events of whole cases in order, and what they tell."""

    rows: pa.RecordBatch
    runs: Runs
    at: np.ndarray
    word: np.ndarray
    texts: dict[str, Numbered]

    def cases(self) -> dict[str, Any]:
        """The columns of ``per_case``, but for those that tell of flaws."""
        turn, flow, work = (
            self.runs.last(self._among(words))
            for words in ((*ENDS, *REOPENS), FLOW, tuple(w for w in ACTIONS if w != "comment"))
        )
        ended, output = self._is(turn, ENDS), self._is(flow, OUTPUTS)
        return {
            "case_id": self._of("case_id", self.runs.starts),
            "service_id": self._numbers("service_id", self.runs.starts),
            "prev_case_id": self._of("prev_case_id", self._only("prev_case_id")),
            "requester": self._of("actor_key", self.runs.first(self._submitters())),
            "first_us": np.minimum.reduceat(self.at, self.runs.starts),
            "last_us": np.maximum.reduceat(self.at, self.runs.starts),
            "submit_us": self._of("at_us", self.runs.first(self._among(("submit",)))),
            # An output without a step counts as that of a step 0, which no catalogue has.
            "step_no": pc.if_else(flow != NONE, pc.fill_null(self._of("step_no", flow), 0), None),
            "ended_us": self._of("at_us", np.where(ended, turn, NONE)),
            "end_word": self._of("word", np.where(ended, turn, NONE)),
            "delivered_us": self._of("at_us", np.where(~ended & output, flow, NONE)),
            "after_close": ended & ~self._is(work, ENDS),
            "n_events": self.runs.sizes,
            **{f"n_{w}s": self.runs.count(self._among((w,))) for w in COUNTED},
        }

    def pauses(self) -> dict[str, Any]:
        """Each stop of the clock with the event that starts it again."""
        marks = self._among(MARKS)
        stops = self._places(marks, ("pause",))
        at, until = marks[stops], self.runs.beside(marks, stops, 1)
        columns = {"case_id": ("case_id", at), "a_us": ("at_us", at), "b_us": ("at_us", until)}
        return {"case": self.runs.of[at]} | {k: self._of(*source) for k, source in columns.items()}

    def decisions(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was sent back with the event after it, and every decision with the time before it."""
        flow = self._among(FLOW)
        own = self._places(flow, ("return", "reject"))
        at, then = flow[own], self.runs.beside(flow, own, 1)
        back = {c: self._of(c, at) for c in ("case_id", "seq", "at_us", "to_step_no")}
        back |= {"case": self.runs.of[at], "service_id": self._numbers("service_id", at)}
        back |= {"next_us": self._of("at_us", then), "next_step": self._of("step_no", then)}
        back |= {"action": self._of("word", at), "next_action": self._of("word", then)}
        own = self._places(flow, DECISIONS)
        own = own[self.rows["step_no"].is_valid().to_numpy(False)[flow[own]]]
        at, prior = flow[own], self.runs.beside(flow, own, -1)
        decided = {c: self._of(c, at) for c in ("step_no", "is_auto")}
        decided |= {c: self._numbers(c, at) for c in ("service_id", "unit_id")}
        since = pc.subtract(self._of("at_us", at), self._of("at_us", prior))
        approved = self.word[at] == ACTIONS.index("approve")
        return back, decided | {"waited_us": since, "approved": approved}

    @cached_property
    def _marks(self) -> np.ndarray:
        """A bit per word: what is asked of all rows many times."""
        return (1 << np.arange(UNKNOWN + 1, dtype=np.uint16))[self.word]

    def _among(self, words: tuple[str, ...]) -> np.ndarray:
        return np.flatnonzero((self._marks & _bits(words)) != 0)

    def _places(self, rows: np.ndarray, words: tuple[str, ...]) -> np.ndarray:
        """At which places of these rows one of the words stands."""
        return np.flatnonzero((self._marks[rows] & _bits(words)) != 0)

    def _is(self, rows: np.ndarray, words: tuple[str, ...]) -> np.ndarray:
        return _known(words)[self.word[rows]] & (rows != NONE)

    def _given(self, column: str) -> np.ndarray:
        return np.flatnonzero(self.rows[column].is_valid().to_numpy(False))

    def _submitters(self) -> np.ndarray:
        rows = self._among(("submit",))
        return rows[self.rows["actor_key"].is_valid().to_numpy(False)[rows]]

    def _only(self, column: str) -> np.ndarray:
        """The one value of each case; two of them are for the engine to choose from."""
        rows = self._given(column)
        first = self.runs.first(rows)
        own, other = (_coded(self._of(column, r)) for r in (rows, first[self.runs.of[rows]]))
        if len(rows) and not pc.all(pc.equal(own, other)).as_py():
            raise Flaw
        return first

    def _of(self, column: str, rows: np.ndarray) -> pa.Array:
        none = rows == NONE
        return self.rows[column].take(pa.array(rows, mask=none if none.any() else None))

    def _numbers(self, column: str, rows: np.ndarray) -> pa.Array:
        return self.texts[column].of(self._of(column, rows))


def _bits(words: tuple[str, ...]) -> np.uint16:
    return np.uint16(sum(1 << ACTIONS.index(w) for w in words))


def _known(words: tuple[str, ...]) -> np.ndarray:
    """Per number of a word whether it is one of these."""
    out = np.zeros(UNKNOWN + 1, dtype=bool)
    out[[ACTIONS.index(w) for w in words]] = True
    return out
