"""A log whose events lie in order, read once: its cases, its decisions, its stretches.

Most systems export a log case by case. Then everything that a case tells about itself is found in
one reading, without a sort: the same tables that ``per_case``, ``waits`` and ``automatic`` ask of
any engine, value by value. A log with any flaw (an event that cannot be used, a number that does
not grow, a case in two places or of two services) is left to them.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from svcmetrics.io import engine, stream
from svcmetrics.measure.actions import ACTIONS, DECISIONS, UNKNOWN, among, number
from svcmetrics.measure.case_rows import SCHEMAS, CaseRows, Flaw, differs
from svcmetrics.measure.kinds import Tally
from svcmetrics.measure.log_file import batches
from svcmetrics.measure.numbered import Numbered, named
from svcmetrics.numeric.runs import runs

# Rows per part, and in how many a single case may be before it is left to the engine. Smaller parts
# cost more time, since at the edge of each a case is cut; larger ones only memory.
_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """Cases, and the stops and the returns in them; ``case`` is the place of their case in this part."""

    cases: pa.RecordBatch
    pauses: pa.RecordBatch
    back: pa.RecordBatch


@dataclass(frozen=True)
class Pieces:
    """Tables in the engine, as their makers elsewhere would have made them; and as arrays.

    ``tally``: where the whole of every event was read.
    """

    cases: Table
    pauses: Table
    back: Table
    decisions: Table
    tally: Table | None
    parts: list[Part]
    services: pa.Array


def pieces(events: Table, *, file: Path | None = None, timezone: str = "") -> Pieces | None:
    """All of it from one reading of the log; None for a log with flaws, or without an order.

    ``file``: the Parquet file that these events are, with the ``timezone`` of bare stamps. It is
    read by itself where it is one of the usual kind, which takes a third of the work.
    """
    whole = batches(file, timezone, rows=_ROWS) if file else None
    found = whole or stream.parts(_columns(events), rows=_ROWS)
    if found is None:
        return None
    # Closed before the engine is asked again, since it may be the one that is read.
    with stream.spools(**SCHEMAS) as spools, closing(stream.ahead(found)) as parts:
        reading = _Reading(spools, Tally() if whole else None)
        try:
            for part in parts:
                reading.add(part)
            reading.tell_rest()
        except (Flaw, OSError, pa.ArrowException):  # a damaged file: the engine says how
            return None
        made = reading.pieces()
    # A case that goes on further below is two runs of rows. Two cases whose digests are the same
    # by chance are left to the engine too: it finds the same.
    c = made.cases
    ids = engine.arrow(c.select(id=c["case_id"].hash()))["id"].to_numpy().copy()
    ids.sort()
    return None if (ids[1:] == ids[:-1]).any() else made


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


class _Reading:
    """What has been read so far; the last case of a part may go on in the next one."""

    def __init__(self, spools: dict[str, stream.Spool], tally: Tally | None) -> None:
        self._spools, self._tally = spools, tally
        self._texts = {"service_id": Numbered(), "unit_id": Numbered()}
        self._rest: pa.RecordBatch | None = None
        self._cut: list[pa.RecordBatch] = []

    def add(self, part: pa.RecordBatch) -> None:
        """The next part of the log."""
        if not len(part):
            return
        if self._tally:
            self._tally.add(part, self._texts)
        starts = np.flatnonzero(differs(part["case_id"]))
        if self._rest is not None:
            goes_on = self._rest["case_id"][-1].as_py() == part["case_id"][0].as_py()
            ends = np.append(starts[1:], len(part))
            head = int(ends[0]) if goes_on else 0
            self._rest = pa.concat_batches([_plain(self._rest), _plain(part.slice(0, head))])
            if len(self._rest) > _ROWS:
                raise Flaw
            if head == len(part):
                return
            self._put_aside()
            part, starts = part.slice(head), starts[starts >= head] - head
        self._tell(part.slice(0, int(starts[-1])))
        self._rest = part.slice(int(starts[-1]))

    def _put_aside(self) -> None:
        """A case that was cut is whole: many of them are told together."""
        if self._rest is not None:
            self._cut.append(_plain(self._rest))
        if sum(map(len, self._cut)) > _ROWS // 4:
            self._tell(pa.concat_batches(self._cut))
            self._cut = []

    def tell_rest(self) -> None:
        """Nothing of the last case is to come."""
        self._put_aside()
        if self._cut:
            self._tell(pa.concat_batches(self._cut))

    def _tell(self, rows: pa.RecordBatch) -> None:
        if not len(rows):
            return
        if any(rows[c].null_count for c in ("case_id", "seq", "service_id", "at_us")):
            raise Flaw
        new = differs(rows["case_id"])
        seq, word = (rows[c].to_numpy() for c in ("seq", "word"))
        falls = (np.diff(seq) <= 0) & ~new[1:]
        if (word == UNKNOWN).any() or falls.any() or (differs(rows["service_id"]) & ~new).any():
            raise Flaw
        part = CaseRows(rows, runs(new), rows["at_us"].to_numpy(), word, self._texts)
        back, decisions = part.decisions()
        found = {"cases": part.cases(), "pauses": part.pauses(), "back": back}
        for name, columns in (found | {"decisions": decisions}).items():
            self._spools[name].add(columns)

    def pieces(self) -> Pieces:
        """All of it, with texts instead of their numbers."""
        texts = {name: own.texts() for name, own in self._texts.items()}
        texts |= dict.fromkeys(("action", "next_action"), pa.array(ACTIONS, pa.string()))
        none = ibis.literal(0, "int32")
        parts, tables = {}, {}
        for name, spool in self._spools.items():
            parts[name] = [named(part, texts) for part in spool.parts()]
            tables[name] = stream.hold(parts[name])
        cases = tables["cases"].mutate(is_doubtful=ibis.literal(False), n_unusable=none)
        tally = self._tally.table(self._texts) if self._tally else None
        return Pieces(
            cases, tables["pauses"].drop("case"), tables["back"].drop("case"), tables["decisions"],
            tally=stream.hold([tally]) if tally else None,
            parts=[Part(*p) for p in zip(*(parts[k] for k in ("cases", "pauses", "back")), strict=True)],
            services=texts["service_id"],
        )  # fmt: skip


def _plain(part: pa.RecordBatch) -> pa.RecordBatch:
    """Text as text: codes of one part mean nothing in another."""
    whole = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in part.columns]
    return pa.RecordBatch.from_arrays(whole, part.schema.names)
