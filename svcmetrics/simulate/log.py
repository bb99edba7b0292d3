"""The event log in pieces of bounded size: cases of all services, re-submissions, comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from svcmetrics.simulate.cases import ACTIONS, walk
from svcmetrics.simulate.clock import END, OFFSET_S, START, TIMEZONE, instant, iso
from svcmetrics.simulate.firm import Company, Process, catalogue
from svcmetrics.simulate.plan import windows

PIECE = 400_000
_OFF_HOURS = 0.03  # of requests are made in the evening or at the weekend
_COMMENTS = 0.03
EVENT_SCHEMA = pa.schema([
    ("case_id", pa.string()), ("seq", pa.int32()), ("service_id", pa.string()),
    ("at", pa.timestamp("us", tz=TIMEZONE)), ("step_no", pa.int16()), ("to_step_no", pa.int16()),
    ("unit_id", pa.string()), ("actor_key", pa.string()), ("action", pa.string()),
    ("reason_code", pa.string()), ("is_auto", pa.bool_()), ("prev_case_id", pa.string()),
])  # fmt: skip


@dataclass
class Ledger:
    """What the other tables need to know of the log once its pieces are written."""

    counts: np.ndarray  # wave, person, service unit: cases in the window
    commitments: list[pd.DataFrame] = field(default_factory=list)
    cases: int = 0
    resubmitted: int = 0
    linked: int = 0
    per_case: float = 8.0


def pieces(company: Company, events: int, ledger: Ledger) -> Iterator[pa.Table]:
    """The log as tables of at most ``PIECE`` events, one slice of the period after another."""
    number = max(1, -(-events // PIECE))
    edges = np.linspace(instant(START), instant(END), number + 1).astype("int64")
    sizes = np.diff(np.linspace(0, events, number + 1).astype("int64"))
    for i, size in enumerate(sizes):
        yield _piece(company, int(size), (edges[i], edges[i + 1]), company.rng(1, i), ledger)


def _piece(company: Company, size: int, span: tuple[int, int], rng: np.random.Generator, ledger: Ledger) -> pa.Table:
    rows, cases = _enough(company, size, span, rng, ledger)
    rows, cases = _trim(rows, cases, round(size * (1 - _COMMENTS)), rng)
    rows, cases = _ordered(rows, cases)
    ledger.per_case = len(rows["case"]) / max(1, len(cases["start"]))
    rows = _with_comments(company, rows, size - len(rows["case"]), rng)
    _note(company, cases, ledger, rng)
    table = _table(company, rows, cases, ledger.cases)
    ledger.cases += len(cases["start"])
    return table


def _enough(company: Company, size: int, span: tuple[int, int], rng: np.random.Generator, ledger: Ledger):
    """Batches of cases until the events suffice; rejected cases come again as new ones."""
    rows, cases, have, known = [], [], 0, 0
    shares = np.array([p.share for p in company.processes])
    while have < size:
        wanted = max(20, int(1.05 * (size - have) / ledger.per_case))
        amounts = rng.multinomial(wanted, shares / shares.sum())
        for process, n in zip(company.processes, amounts):
            for row, case in _with_again(company, process, int(n), span, rng) if n else ():
                row = {**row, "case": row["case"] + known}
                case["previous"] = np.where(case["previous"] >= 0, case["previous"] + known - case["shift"], -1)
                case["family"] = np.where(case["previous"] >= 0, case["previous"], np.arange(len(case["start"])) + known)
                rows.append(row)
                cases.append(case)
                have += len(row["case"])
                known += len(case["start"])
    return _joined(rows), _joined(cases)


def _with_again(company: Company, process: Process, n: int, span: tuple[int, int], rng: np.random.Generator):
    """Cases of one service, then the re-submissions of those that were rejected."""
    start = _starts(company, process, n, span, rng)
    requester = _requesters(company, process, n, rng)
    first = _kept(walk(company, process, start, requester, rng))
    nobody = np.full(n, -1)
    yield first, _case(process, start, requester, nobody, nobody, n)
    rejected = first["action"] == ACTIONS.index("reject")
    again = rejected & (rng.random(len(rejected)) < company.truth.effects.resubmit_share)
    if not again.any():
        return
    before, wait = first["case"][again], rng.exponential(2 * 8 * 3600, int(again.sum())) + 600
    later = company.clock.moment(company.clock.worked(first["at"][again]) + wait.astype("int64"))
    inside = later < instant(END)
    before, later = before[inside], later[inside]
    second = _kept(walk(company, process, later, requester[before], rng))
    linked = (rng.random(len(before)) < company.truth.effects.link_share).astype(int)
    yield second, _case(process, later, requester[before], before, linked, n)


def _case(process: Process, start: np.ndarray, requester: np.ndarray, previous: np.ndarray, linked: np.ndarray, shift: int):
    n = len(start)
    return {
        "start": start, "requester": requester, "previous": previous, "linked": linked,
        "service": np.full(n, process.code), "shift": np.full(n, shift),
    }  # fmt: skip


def _starts(company: Company, process: Process, n: int, span: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """When requests are made: office time, some in the evening; emergencies at any hour."""
    any_time = rng.integers(span[0], span[1], n)
    if process.routine == "emergency":
        return any_time
    low, high = company.clock.worked(np.array(span))
    office = company.clock.moment(rng.integers(low, max(high, low + 1), n))
    office = np.clip(office, span[0], span[1] - 1)
    return np.where(rng.random(n) < _OFF_HOURS, any_time, office)


def _requesters(company: Company, process: Process, n: int, rng: np.random.Generator) -> np.ndarray:
    """Who asks: mostly those who are raters, never the department itself."""
    people = company.people
    likely = company.rng(2).lognormal(0, 0.5, len(people.unit))
    asked = np.isin(people.role, (1, 2))
    weight = np.where(asked, 0.75 * likely / likely[asked].sum(), 0.25 * likely / likely[~asked].sum())
    pair = company.targets[list(company.truth.pair)]
    if process.provider in pair:
        other = pair[0] if process.provider == pair[1] else pair[1]
        weight = np.where(people.unit == other, 3 * weight, weight)
    weight = np.where((people.unit == process.provider) | (people.role == 3), 0, weight)
    return np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(n), side="right").clip(0, len(weight) - 1)


def _kept(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What happened before the log was exported; the rest of a case is not known yet."""
    inside = rows["at"] < instant(END)
    return {k: v[inside] for k, v in rows.items()}


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def _trim(rows: dict[str, np.ndarray], cases: dict[str, np.ndarray], budget: int, rng: np.random.Generator):
    """Whole cases at random, with their re-submissions, as many as the budget of events allows."""
    n = len(cases["start"])
    per_family = np.bincount(cases["family"][rows["case"]], minlength=n)
    order = rng.permutation(n)
    keep_family = np.zeros(n, bool)
    keep_family[order] = np.cumsum(per_family[order]) <= budget
    keep = keep_family[cases["family"]] & (np.bincount(rows["case"], minlength=n) > 0)
    return _select(rows, cases, keep)


def _select(rows: dict[str, np.ndarray], cases: dict[str, np.ndarray], keep: np.ndarray):
    place = np.cumsum(keep) - 1
    chosen = keep[rows["case"]]
    rows = {k: v[chosen] for k, v in rows.items()}
    rows["case"] = place[rows["case"]]
    cases = {k: v[keep] for k, v in cases.items()}
    cases["previous"] = np.where(cases["previous"] >= 0, place[cases["previous"]], -1)
    return rows, cases


def _ordered(rows: dict[str, np.ndarray], cases: dict[str, np.ndarray]):
    """Cases by the time of their start; events of a case stay together and in order."""
    order = np.lexsort((cases["service"], cases["start"]))
    rank = np.empty(len(order), "int64")
    rank[order] = np.arange(len(order))
    cases = {k: v[order] for k, v in cases.items()}
    cases["previous"] = np.where(cases["previous"] >= 0, rank[cases["previous"]], -1)
    rows["case"] = rank[rows["case"]]
    sequence = np.argsort(rows["case"], kind="stable")
    return {k: v[sequence] for k, v in rows.items()}, cases


def _with_comments(company: Company, rows: dict[str, np.ndarray], number: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Remarks between two events of a case, until the log has exactly the size asked for."""
    inner = np.flatnonzero(rows["case"][:-1] == rows["case"][1:])
    place = np.sort(rng.choice(inner if len(inner) else np.arange(len(rows["case"])), number))
    part = rng.random(number)
    after = np.minimum(place + 1, len(rows["case"]) - 1)
    worked = company.clock.worked
    low, high = worked(rows["at"][place]), worked(rows["at"][after])
    at = np.clip(company.clock.moment(low + (part * (high - low)).astype("int64")), rows["at"][place], np.maximum(rows["at"][place], rows["at"][after]))
    extra = {k: v[place] for k, v in rows.items()}
    extra |= {"at": at, "action": np.full(number, ACTIONS.index("comment")), "to": np.full(number, -1),
              "reason": np.full(number, -1), "auto": np.zeros(number, int)}  # fmt: skip
    order = np.argsort(np.concatenate([np.arange(len(rows["case"])), place + 0.01 + 0.98 * part]), kind="stable")
    return {k: np.concatenate([v, extra[k]])[order] for k, v in rows.items()}


def _note(company: Company, cases: dict[str, np.ndarray], ledger: Ledger, rng: np.random.Generator) -> None:
    """Count the cases of each rater in each window; write down agreements of non-routine work."""
    provider = np.array([p.provider for p in company.processes])[cases["service"]]
    place = np.searchsorted(company.targets, provider)
    persons, targets = len(company.people.unit), len(company.targets)
    for wave, (low, high) in enumerate(windows()):
        inside = (cases["start"] >= low) & (cases["start"] < high)
        cell = cases["requester"][inside] * targets + place[inside]
        ledger.counts[wave] += np.bincount(cell, minlength=persons * targets).reshape(persons, targets)
    ledger.resubmitted += int((cases["previous"] >= 0).sum())
    ledger.linked += int(((cases["previous"] >= 0) & (cases["linked"] == 1)).sum())
    ledger.commitments.append(_commitments(company, cases, ledger.cases, rng))


def _commitments(company: Company, cases: dict[str, np.ndarray], offset: int, rng: np.random.Generator) -> pd.DataFrame:
    """Deadlines agreed before the work starts; some are moved later, with a reason."""
    hours = np.array([p.hours if p.routine == "nonroutine" else 0 for p in company.processes])
    which = np.flatnonzero((hours[cases["service"]] > 0) & (rng.random(len(cases["start"])) < 0.9))
    start, n = cases["start"][which], len(which)
    planned = hours[cases["service"][which]] * 1.4 * rng.lognormal(0, 0.25, n) * 3600
    zero = company.clock.worked(start)
    moment = company.clock.moment
    before = np.minimum(moment(zero - rng.integers(600, 6 * 3600, n)), start - 60)
    ids = np.asarray(case_ids(company, cases, offset).take(pa.array(which)).to_pylist(), dtype=object)
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


def case_ids(company: Company, cases: dict[str, np.ndarray], offset: int) -> pa.Array:
    """Approval numbers of 21 digits for some services, ticket numbers for the others."""
    local = pd.DatetimeIndex((cases["start"] + OFFSET_S).astype("datetime64[s]"))
    counter = pc.utf8_lpad(pc.cast(pa.array(np.arange(len(local)) + offset + 1), pa.string()), 9, "0")
    months = local.year.astype("int64") * 100 + local.month
    minutes = (months * 100 + local.day) * 10_000 + local.hour * 100 + local.minute
    stamp, month = (pc.cast(pa.array(x.to_numpy("int64")), pa.string()) for x in (minutes, months))
    numbered = pa.array(np.array([p.numbered for p in company.processes])[cases["service"]])
    service = _words(company.service["service_id"], cases["service"])
    join = pc.binary_join_element_wise
    return pc.if_else(numbered, join(stamp, counter, ""), join(service, month, counter, "-"))


def _words(words: list[str] | tuple[str, ...] | pd.Series | np.ndarray, codes: np.ndarray) -> pa.Array:
    """Codes as their words; -1 is missing."""
    return pa.array(list(words), pa.string()).take(pa.array(codes, mask=codes < 0))


def _table(company: Company, rows: dict[str, np.ndarray], cases: dict[str, np.ndarray], offset: int) -> pa.Table:
    case = rows["case"]
    ids = case_ids(company, cases, offset)
    first = np.flatnonzero(np.r_[True, case[1:] != case[:-1]])
    seq = np.arange(len(case)) - np.repeat(first, np.diff(np.r_[first, len(case)]))
    previous = np.where((rows["action"] == 0) & (cases["linked"][case] == 1), cases["previous"][case], -1)

    def number(name: str) -> pa.Array:
        return pa.array(rows[name], pa.int16(), mask=rows[name] < 0)

    columns = [
        ids.take(pa.array(case)), pa.array(seq, pa.int32()), _words(company.service["service_id"], cases["service"][case]),
        pa.array(rows["at"] * 1_000_000).cast(pa.timestamp("us", tz="UTC")).cast(EVENT_SCHEMA.field("at").type),
        number("step"), number("to"), _words(company.unit["unit_id"], rows["unit"]),
        _words(company.people.key, rows["actor"]), _words(ACTIONS, rows["action"]),
        _words(catalogue()["words"]["return_reasons"], rows["reason"]), pa.array(rows["auto"].astype(bool)),
        ids.take(pa.array(previous, mask=previous < 0)),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=EVENT_SCHEMA)
