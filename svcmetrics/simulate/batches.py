"""Batches of cases: when they start, who asks, which rejected ones come again, which are kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from svcmetrics.simulate.cases import walk
from svcmetrics.simulate.catalogue import Process
from svcmetrics.simulate.clock import END, instant
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.flow import CODE, Columns

_OFF_HOURS = 0.03  # of requests are made in the evening or at the weekend
Batch = tuple[Columns, Columns]  # events; cases


def enough(
    company: Company, size: int, span: tuple[int, int], per_case: float, rng: np.random.Generator
) -> Batch:
    """Batches of all services until there are ``size`` events; rejected cases come again."""
    parts: list[Batch] = []
    have = known = 0
    shares = np.array([p.share for p in company.processes])
    while have < size:
        wanted = max(20, int(1.05 * (size - have) / per_case))
        amounts = rng.multinomial(wanted, shares / shares.sum())
        for process, n in zip(company.processes, amounts):
            for events, cases in _with_again(company, process, int(n), span, rng):
                parts.append(_numbered(events, cases, known))
                have += len(events["case"])
                known += len(cases["start"])
    return _joined([e for e, _ in parts]), _joined([c for _, c in parts])


def _numbered(events: Columns, cases: Columns, known: int) -> Batch:
    """Positions within a batch as positions among all cases; a family is a case and its return."""
    again = cases["previous"] >= 0
    previous = np.where(again, cases["previous"] + known - cases["shift"], -1)
    family = np.where(again, previous, np.arange(len(again)) + known)
    return {**events, "case": events["case"] + known}, {
        **cases,
        "previous": previous,
        "family": family,
    }


def _with_again(
    company: Company, process: Process, n: int, span: tuple[int, int], rng: np.random.Generator
) -> Iterator[Batch]:
    """Cases of one service, then the re-submissions of those that were rejected."""
    if n == 0:
        return
    start = _starts(company, process, n, span, rng)
    requester = _requesters(company, process, n, rng)
    first = _kept(walk(company, process, start, requester, rng))
    nobody = np.full(n, -1)
    yield first, _cases(process, start, requester, nobody, nobody)
    rejected = first["action"] == CODE["reject"]
    again = rejected & (rng.random(len(rejected)) < company.truth.effects.resubmit_share)
    if not again.any():
        return
    before, wait = first["case"][again], rng.exponential(2 * 8 * 3600, int(again.sum())) + 600
    later = company.clock.moment(company.clock.worked(first["at"][again]) + wait.astype("int64"))
    inside = later < instant(END)
    before, later = before[inside], later[inside]
    second = _kept(walk(company, process, later, requester[before], rng))
    linked = (rng.random(len(before)) < company.truth.effects.link_share).astype(int)
    yield (
        second,
        _cases(process, later, requester[before], before, linked)
        | {"shift": np.full(len(before), n)},
    )


def _cases(
    process: Process,
    start: np.ndarray,
    requester: np.ndarray,
    previous: np.ndarray,
    linked: np.ndarray,
) -> Columns:
    n = len(start)
    return {
        "start": start, "requester": requester, "previous": previous, "linked": linked,
        "service": np.full(n, process.code), "shift": np.zeros(n, int),
    }  # fmt: skip


def _starts(
    company: Company, process: Process, n: int, span: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
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
    weight = np.where(
        asked, 0.75 * likely / likely[asked].sum(), 0.25 * likely / likely[~asked].sum()
    )
    pair = company.targets[list(company.truth.pair)]
    if process.provider in pair:
        other = pair[0] if process.provider == pair[1] else pair[1]
        weight = np.where(people.unit == other, 3 * weight, weight)
    weight = np.where((people.unit == process.provider) | (people.role == 3), 0, weight)
    return np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(n), side="right").clip(
        0, len(weight) - 1
    )


def _kept(rows: Columns) -> Columns:
    """What happened before the log was exported; the rest of a case is not known yet."""
    inside = rows["at"] < instant(END)
    return {k: v[inside] for k, v in rows.items()}


def _joined(parts: list[Columns]) -> Columns:
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def trim(rows: Columns, cases: Columns, budget: int, rng: np.random.Generator) -> Batch:
    """Whole cases at random, with their re-submissions, as many as the budget of events allows."""
    n = len(cases["start"])
    per_family = np.bincount(cases["family"][rows["case"]], minlength=n)
    order = rng.permutation(n)
    keep_family = np.zeros(n, bool)
    keep_family[order] = np.cumsum(per_family[order]) <= budget
    keep = keep_family[cases["family"]] & (np.bincount(rows["case"], minlength=n) > 0)
    return _select(rows, cases, keep)


def _select(rows: Columns, cases: Columns, keep: np.ndarray) -> Batch:
    place = np.cumsum(keep) - 1
    chosen = keep[rows["case"]]
    rows = {k: v[chosen] for k, v in rows.items()}
    rows["case"] = place[rows["case"]]
    cases = {k: v[keep] for k, v in cases.items()}
    cases["previous"] = np.where(cases["previous"] >= 0, place[cases["previous"]], -1)
    return rows, cases


def ordered(rows: Columns, cases: Columns) -> Batch:
    """Cases by the time of their start; events of a case stay together and in order."""
    order = np.lexsort((cases["service"], cases["start"]))
    rank = np.empty(len(order), "int64")
    rank[order] = np.arange(len(order))
    cases = {k: v[order] for k, v in cases.items()}
    cases["previous"] = np.where(cases["previous"] >= 0, rank[cases["previous"]], -1)
    rows["case"] = rank[rows["case"]]
    sequence = np.argsort(rows["case"], kind="stable")
    return {k: v[sequence] for k, v in rows.items()}, cases
