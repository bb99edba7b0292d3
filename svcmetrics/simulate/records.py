"""Events and agreements as they are exported: numbers of cases, pseudonyms, times with a zone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from svcmetrics.simulate.catalogue import catalogue
from svcmetrics.simulate.clock import END, OFFSET_S, TIMEZONE, iso
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.flow import ACTIONS, CODE, Columns

EVENT_SCHEMA = pa.schema([
    ("case_id", pa.string()), ("seq", pa.int32()), ("service_id", pa.string()),
    ("at", pa.timestamp("us", tz=TIMEZONE)), ("step_no", pa.int16()), ("to_step_no", pa.int16()),
    ("unit_id", pa.string()), ("actor_key", pa.string()), ("action", pa.string()),
    ("reason_code", pa.string()), ("is_auto", pa.bool_()), ("prev_case_id", pa.string()),
])  # fmt: skip


def event_table(company: Company, rows: Columns, cases: Columns, offset: int) -> pa.Table:
    """The log as it is stored; ``offset`` cases were numbered before."""
    case = rows["case"]
    count = len(cases["start"])
    ids = case_ids(company, cases["start"], cases["service"], np.arange(count) + offset)
    first = np.flatnonzero(np.r_[True, case[1:] != case[:-1]])
    seq = np.arange(len(case)) - np.repeat(first, np.diff(np.r_[first, len(case)]))
    previous = np.where(
        (rows["action"] == CODE["submit"]) & (cases["linked"][case] == 1),
        cases["previous"][case],
        -1,
    )

    def number(name: str) -> pa.Array:
        return pa.array(rows[name], pa.int16(), mask=rows[name] < 0)

    columns = [
        ids.take(pa.array(case)), pa.array(seq, pa.int32()),
        words(company.service["service_id"], cases["service"][case]), stamps(rows["at"]),
        number("step"), number("to"), words(company.unit["unit_id"], rows["unit"]),
        words(company.people.key, rows["actor"]), words(ACTIONS, rows["action"]),
        words(catalogue()["words"]["return_reasons"], rows["reason"]), pa.array(rows["auto"].astype(bool)),
        ids.take(pa.array(previous, mask=previous < 0)),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=EVENT_SCHEMA)


def commitment_table(
    company: Company, cases: Columns, offset: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Deadlines agreed before the work starts; some are moved later, with a reason."""
    hours = np.array([p.hours if p.routine == "nonroutine" else 0 for p in company.processes])
    which = np.flatnonzero((hours[cases["service"]] > 0) & (rng.random(len(cases["start"])) < 0.9))
    start, n = cases["start"][which], len(which)
    planned = hours[cases["service"][which]] * 1.4 * rng.lognormal(0, 0.25, n) * 3600
    zero = company.clock.worked(start)
    moment = company.clock.moment
    before = np.minimum(moment(zero - rng.integers(600, 6 * 3600, n)), start - 60)
    ids = case_ids(company, start, cases["service"][which], which + offset).to_pylist()
    due = moment(zero + planned.astype("int64"))
    table = pd.DataFrame({"case_id": ids, "rev": 0, "agreed_at": iso(before), "due_at": iso(due),
                          "requester_ok": True, "provider_ok": True, "reason": None})  # fmt: skip
    moved = rng.random(n) < 0.15
    changed = table[moved].assign(
        rev=1, agreed_at=iso(moment(zero + (0.6 * planned).astype("int64")))[moved],
        due_at=iso(moment(zero + (1.4 * planned).astype("int64")))[moved],
        requester_ok=rng.random(int(moved.sum())) < 0.9, reason="需求变更 scope changed",
    )  # fmt: skip
    known = changed["agreed_at"] < f"{END:%Y-%m-%d}"  # one offset: text sorts as time does
    return pd.concat([table, changed[known]]).sort_values(["case_id", "rev"], ignore_index=True)


def case_ids(
    company: Company, start: np.ndarray, service: np.ndarray, place: np.ndarray
) -> pa.Array:
    """Approval numbers of 21 digits for some services, ticket numbers for the others.

    ``place`` counts all cases of the log, so that no two share a number.
    """
    local = pd.DatetimeIndex((start + OFFSET_S).astype("datetime64[s]"))
    counter = pc.utf8_lpad(pc.cast(pa.array(place + 1), pa.string()), 9, "0")
    months = local.year.astype("int64") * 100 + local.month
    minutes = (months * 100 + local.day) * 10_000 + local.hour * 100 + local.minute
    stamp, month = (pc.cast(pa.array(x.to_numpy("int64")), pa.string()) for x in (minutes, months))
    numbered = pa.array(np.array([p.numbered for p in company.processes])[service])
    join, name = pc.binary_join_element_wise, words(company.service["service_id"], service)
    return pc.if_else(numbered, join(stamp, counter, ""), join(name, month, counter, "-"))


def words(of: Iterable[str], codes: np.ndarray) -> pa.Array:
    """Codes as their words; -1 is missing."""
    return pa.array(list(of), pa.string()).take(pa.array(codes, mask=codes < 0))


def stamps(at: np.ndarray) -> pa.Array:
    """Seconds since 1970 as instants in the company's zone."""
    return (
        pa.array(at * 1_000_000, pa.int64())
        .cast(pa.timestamp("us", tz="UTC"))
        .cast(pa.timestamp("us", tz=TIMEZONE))
    )
