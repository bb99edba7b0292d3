"""A log whose events lie in order, read once: its cases, its decisions, its stretches.

Most systems export a log case by case. Then everything that a case tells about itself is found in
one reading, without a sort: the same tables that ``per_case``, ``waits`` and ``automatic`` ask of
any engine, value by value. A log with any flaw (an event that cannot be used, a number that does
not grow, a case in two places or of two services) is left to them.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from svcmetrics.io import engine, stream
from svcmetrics.measure.actions import DECISIONS, UNKNOWN, among, number
from svcmetrics.measure.case_rows import SCHEMAS, CaseRows, Flaw, differs
from svcmetrics.measure.log_file import batches
from svcmetrics.numeric.runs import runs

# Rows per part, and in how many a single case may be before it is left to the engine. Smaller parts
# cost more time, since at the edge of each a case is cut; larger ones only memory.
_ROWS = 200_000


@dataclass(frozen=True)
class Pieces:
    """Tables in the engine, as their makers elsewhere would have made them."""

    cases: Table
    pauses: Table
    back: Table
    decisions: Table


def pieces(events: Table, *, file: Path | None = None, timezone: str = "") -> Pieces | None:
    """All of it from one reading of the log; None for a log with flaws, or without an order.

    ``file``: the Parquet file that these events are, with the ``timezone`` of bare stamps. It is
    read by itself where it is one of the usual kind, which takes a third of the work.
    """
    found = batches(file, timezone, rows=_ROWS) if file else None
    found = found or stream.parts(_columns(events), rows=_ROWS)
    if found is None:
        return None
    # Closed before the engine is asked again, since it may be the one that is read.
    with stream.spools(**SCHEMAS) as spools, closing(stream.ahead(found)) as parts:
        try:
            rest = None
            for part in parts:
                rest = _read(part, rest, spools)
            if rest is not None:
                _tell(rest, spools)
        except (Flaw, OSError, pa.ArrowException):  # a damaged file: the engine says how
            return None
        made = Pieces(**{name: spool.keep() for name, spool in spools.items()})
    # A case that goes on further below is two runs of rows. Two cases whose digests are the same
    # by chance are left to the engine too: it finds the same.
    c = made.cases
    ids = engine.arrow(c.select(id=c["case_id"].hash()))["id"].to_numpy().copy()
    ids.sort()
    if (ids[1:] == ids[:-1]).any():
        return None
    none = ibis.literal(0, "int32")
    return replace(made, cases=c.mutate(is_doubtful=ibis.literal(False), n_unusable=none))


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
    starts = np.flatnonzero(differs(part["case_id"]))
    if rest is not None:
        goes_on = rest["case_id"][-1].as_py() == part["case_id"][0].as_py()
        ends = np.append(starts[1:], len(part))
        head = int(ends[0]) if goes_on else 0
        rest = pa.concat_batches([_plain(rest), _plain(part.slice(0, head))])
        if len(rest) > _ROWS:
            raise Flaw
        if head == len(part):
            return rest
        _tell(rest, spools)
        part, starts = part.slice(head), starts[starts >= head] - head
    _tell(part.slice(0, int(starts[-1])), spools)
    return part.slice(int(starts[-1]))


def _plain(part: pa.RecordBatch) -> pa.RecordBatch:
    """Text as text: codes of one part mean nothing in another."""
    whole = [c.dictionary_decode() if pa.types.is_dictionary(c.type) else c for c in part.columns]
    return pa.RecordBatch.from_arrays(whole, part.schema.names)


def _tell(rows: pa.RecordBatch, spools: dict[str, stream.Spool]) -> None:
    if not len(rows):
        return
    if any(rows[c].null_count for c in ("case_id", "seq", "service_id", "at_us")):
        raise Flaw
    new = differs(rows["case_id"])
    seq, word = (rows[c].to_numpy() for c in ("seq", "word"))
    falls = (np.diff(seq) <= 0) & ~new[1:]
    if (word == UNKNOWN).any() or falls.any() or (differs(rows["service_id"]) & ~new).any():
        raise Flaw
    part = CaseRows(rows, runs(new), rows["at_us"].to_numpy(), word)
    spools["cases"].add(part.cases())
    spools["pauses"].add(part.pauses())
    back, decisions = part.decisions()
    spools["back"].add(back)
    spools["decisions"].add(decisions)
