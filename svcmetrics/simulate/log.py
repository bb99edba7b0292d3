"""The event log in pieces of bounded size, and what the other tables need to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from svcmetrics.simulate.batches import enough, ordered, trim
from svcmetrics.simulate.clock import END, START, instant
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.flow import CODE, Columns
from svcmetrics.simulate.planted import WAVES
from svcmetrics.simulate.records import commitment_table, event_table
from svcmetrics.simulate.waves import windows

PIECE = 400_000
_COMMENTS = 0.03


@dataclass
class Ledger:
    """What the other tables need to know of the log once its pieces are written."""

    counts: np.ndarray  # wave, person, service unit: cases in the window
    closed: np.ndarray  # the same: place of the last one that was closed in it, or -1
    starts: list[np.ndarray] = field(default_factory=list)  # of all cases
    services: list[np.ndarray] = field(default_factory=list)
    commitments: list[pd.DataFrame] = field(default_factory=list)
    cases: int = 0
    resubmitted: int = 0
    linked: int = 0
    per_case: float = 8.0


def open_ledger(company: Company) -> Ledger:
    shape = (WAVES, len(company.people.unit), len(company.targets))
    return Ledger(np.zeros(shape, "int32"), np.full(shape, -1, "int32"))


def pieces(company: Company, events: int, ledger: Ledger) -> Iterator[pa.Table]:
    """The log as tables of at most ``PIECE`` events, one slice of the period after another."""
    number = max(1, -(-events // PIECE))
    edges = np.linspace(instant(START), instant(END), number + 1).astype("int64")
    sizes = np.diff(np.linspace(0, events, number + 1).astype("int64"))
    for i, size in enumerate(sizes):
        yield _piece(company, int(size), (edges[i], edges[i + 1]), company.rng(1, i), ledger)


def _piece(
    company: Company, size: int, span: tuple[int, int], rng: np.random.Generator, ledger: Ledger
) -> pa.Table:
    rows, cases = enough(company, size, span, ledger.per_case, rng)
    rows, cases = ordered(*trim(rows, cases, round(size * (1 - _COMMENTS)), rng))
    ledger.per_case = len(rows["case"]) / max(1, len(cases["start"]))
    rows = _with_comments(company, rows, size - len(rows["case"]), rng)
    _note(company, rows, cases, ledger, rng)
    table = event_table(company, rows, cases, ledger.cases)
    ledger.cases += len(cases["start"])
    return table


def _with_comments(
    company: Company, rows: Columns, number: int, rng: np.random.Generator
) -> Columns:
    """Remarks between two events of a case, until the log has exactly the size asked for."""
    count = len(rows["case"])
    inner = np.flatnonzero(rows["case"][:-1] == rows["case"][1:])
    place = np.sort(rng.choice(inner if len(inner) else np.arange(count), number))
    part = rng.random(number)
    low = rows["at"][place]
    high = np.maximum(low, rows["at"][np.minimum(place + 1, count - 1)])
    from_worked, to_worked = company.clock.worked(low), company.clock.worked(high)
    at = company.clock.moment(from_worked + (part * (to_worked - from_worked)).astype("int64"))
    extra = {k: v[place] for k, v in rows.items()} | {
        "at": np.clip(at, low, high), "action": np.full(number, CODE["comment"]), "to": np.full(number, -1),
        "reason": np.full(number, -1), "auto": np.zeros(number, int),
    }  # fmt: skip
    order = np.argsort(
        np.concatenate([np.arange(count), place + 0.01 + 0.98 * part]), kind="stable"
    )
    return {k: np.concatenate([v, extra[k]])[order] for k, v in rows.items()}


def _note(
    company: Company, rows: Columns, cases: Columns, ledger: Ledger, rng: np.random.Generator
) -> None:
    """Count the cases of each rater in each window; write down agreements of non-routine work."""
    case = rows["case"]
    last = np.flatnonzero(np.r_[case[1:] != case[:-1], True])
    end = np.where(rows["action"][last] == CODE["close"], rows["at"][last], np.iinfo("int64").max)
    provider = np.array([p.provider for p in company.processes])[cases["service"]]
    place = np.searchsorted(company.targets, provider)
    for wave, (low, high) in enumerate(windows()):
        inside = (cases["start"] >= low) & (cases["start"] < high)
        np.add.at(ledger.counts[wave], (cases["requester"][inside], place[inside]), 1)
        done = np.flatnonzero(inside & (end < high))
        ledger.closed[wave][cases["requester"][done], place[done]] = ledger.cases + done
    ledger.starts.append(cases["start"])
    ledger.services.append(cases["service"].astype("int32"))
    ledger.resubmitted += int((cases["previous"] >= 0).sum())
    ledger.linked += int(((cases["previous"] >= 0) & (cases["linked"] == 1)).sum())
    ledger.commitments.append(commitment_table(company, cases, ledger.cases, rng))
