"""The way of many cases of one service through its steps, all at once."""

from __future__ import annotations

import numpy as np

from svcmetrics.simulate.catalogue import Process
from svcmetrics.simulate.clock import OFFSET_S, instant
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.flow import CODE, Flow
from svcmetrics.simulate.planted import PILOT_FROM, SEASON

REASONS = 6
# How readily a step sends work back, before the quality of the work is looked at.
_RETURNS = {"approve": 0.11, "consult": 0.06, "do": 0.04, "lead": 0.03}
_AUTO = 0.12  # of approvals of routine services: a rule decides, nobody looks
_PASSES = 3
# A stuck case waits at one step beyond the end of the log: it stays open.
_STUCK = 1e6
# Who was sent back, who is lost to the log, and to which step (0: the requester).
Outcome = tuple[np.ndarray, np.ndarray, np.ndarray]


def walk(
    company: Company,
    process: Process,
    start: np.ndarray,
    requester: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Events of cases that start at ``start`` (seconds since 1970): flat columns, case by case."""
    flow = Flow(company, process, requester, _slowness(company, process, start, rng), rng, [])
    n = flow.n
    flow.by_requester(np.ones(n, bool), np.zeros(n), "submit")
    alive, first, done = np.ones(n, bool), np.ones(n, int), np.zeros(n, bool)
    for turn in range(_PASSES):
        going, returned, to = _one_pass(flow, turn, alive, first)
        done |= going & ~returned
        alive = going & returned
        if not alive.any():
            break
        flow.by_requester(alive & (to == 0), flow.hours(5, 0.8), "resubmit")
        first = np.maximum(to, 1)
    flow.put(done, rng.uniform(2, 30, n), "close", unit=process.units[0], auto=1)
    return flow.rows(start)


def _slowness(
    company: Company, process: Process, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Case by case: its own difficulty, the season, and the planted shortening of the pilot."""
    months = (start + OFFSET_S).astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1
    season = np.array([1.0, *(SEASON[m] for m in range(1, 13))])[months]
    slow = rng.lognormal(0, 0.3, len(start)) * season
    place = np.flatnonzero(company.targets == process.provider)[0]
    if company.truth.pilot[place]:
        slow = slow * np.where(start >= instant(PILOT_FROM), company.truth.effects.pilot_time, 1.0)
    return slow


def _one_pass(flow: Flow, turn: int, alive: np.ndarray, first: np.ndarray) -> Outcome:
    """Through the steps once: who is still under way, who was sent back, and where to."""
    going, returned, to = alive.copy(), np.zeros(flow.n, bool), np.zeros(flow.n, int)
    pace = flow.slow * (1.0 if turn == 0 else 0.5)
    stuck = flow.rng.random(flow.n) < (0.008 if turn == 0 else 0)
    where = flow.rng.integers(1, len(flow.process.roles) + 1, flow.n)
    for k, role in enumerate(flow.process.roles, start=1):
        act = going & ~returned & (first <= k)
        if not act.any():
            continue
        slow = np.where(stuck & (where == k), _STUCK, pace)
        if role in {"lead", "do"}:
            sent, lost, back = _work(flow, k, turn, act, slow)
        else:
            sent, lost, back = _decide(flow, k, turn, act, slow)
        going &= ~lost
        returned |= sent
        to = np.where(sent, back, to)
    return going, returned, to


def _work(flow: Flow, k: int, turn: int, act: np.ndarray, slow: np.ndarray) -> Outcome:
    """Accept, perhaps hand over or stop the clock, deliver."""
    unit, rng = flow.process.units[k - 1], flow.rng
    hours = flow.process.hours * flow.process.hour_shares[k - 1] * _speed(flow.company, unit)
    actor = flow.staff(unit)
    here = {"step": k, "unit": unit}
    if turn == 0:
        moved = act & (rng.random(flow.n) < 0.015)
        flow.put(
            moved, flow.hours(0.3 * hours, 0.7) * slow, "reassign", actor=flow.staff(unit), **here
        )
    flow.put(act, flow.hours(0.45 * hours, 0.7) * slow, "accept", actor=actor, **here)
    if turn == 0 and flow.process.routine != "emergency":
        held = act & (rng.random(flow.n) < 0.04)
        flow.put(held, flow.hours(0.1 * hours, 0.5) * slow, "pause", actor=actor, **here)
        flow.put(held, flow.hours(6, 0.8), "resume", actor=actor, **here)
    touch = flow.hours(0.4 * hours, 0.6) * slow
    return _finish(flow, k, turn, act, touch, actor, np.zeros(flow.n, bool))


def _decide(flow: Flow, k: int, turn: int, act: np.ndarray, slow: np.ndarray) -> Outcome:
    """Approve or give an opinion; a rule may approve by itself, and one person never looks."""
    unit, rng, company = flow.process.units[k - 1], flow.rng, flow.company
    hours = flow.process.hours * flow.process.hour_shares[k - 1] * _speed(company, unit)
    gap = flow.hours(0.6 * hours, 0.9) * slow
    actor = flow.approver(unit)
    approves = flow.process.roles[k - 1] == "approve" and flow.process.routine == "routine"
    auto = (rng.random(flow.n) < _AUTO) & approves
    gap = np.where(
        actor == stamper(company), rng.uniform(*company.truth.effects.stamp_seconds, flow.n), gap
    )
    gap = np.where(auto, rng.uniform(1, 3, flow.n), gap)
    return _finish(flow, k, turn, act, gap, np.where(auto, -1, actor), auto)


def _finish(
    flow: Flow,
    k: int,
    turn: int,
    act: np.ndarray,
    gap: np.ndarray,
    actor: np.ndarray,
    auto: np.ndarray,
) -> Outcome:
    """The end of a step: deliver or approve, send back, reject, or the requester withdraws."""
    role, rng, company = flow.process.roles[k - 1], flow.rng, flow.company
    odds = _blame(flow, k)
    looks = ~auto & np.where(actor == stamper(company), rng.random(flow.n) < 0.03, True)
    sends = _RETURNS[role] * odds.mean() * (1.0, 0.5, 0.0)[turn] * looks
    rejects = (0.03 if role == "approve" and turn < 2 else 0) * looks
    u = rng.random(flow.n)
    sent, lost = act & (u < sends), act & (u >= sends) & (u < sends + rejects)
    gone = act & (turn == 0) & (u > 0.994) & ~auto
    back = rng.choice(k, size=flow.n, p=odds / odds.sum())
    action = np.full(flow.n, CODE["approve" if role == "approve" else "deliver"])
    for mask, word in ((sent, "return"), (lost, "reject"), (gone, "withdraw")):
        action[mask] = CODE[word]
    people = company.people
    flow.put(
        act, gap, action, step=np.where(gone, -1, k), to=np.where(sent & (back > 0), back, -1),
        unit=np.where(gone, people.unit[flow.requester], flow.process.units[k - 1]),
        actor=np.where(gone, flow.requester, actor), auto=auto.astype(int),
        reason=np.where(sent | lost, rng.integers(0, REASONS, flow.n), -1),
    )  # fmt: skip
    return sent, lost | gone, back


def _blame(flow: Flow, k: int) -> np.ndarray:
    """Odds that a return goes to the requester (0) or to step 1 … k-1: poor work comes back."""
    factor = {int(u): f for u, f in zip(flow.company.targets, flow.company.truth.return_factor)}
    return np.array([0.7] + [factor.get(u, 1.0) for u in flow.process.units[: k - 1]])


def _speed(company: Company, unit: int) -> float:
    place = np.flatnonzero(company.targets == unit)
    return float(company.truth.time_factor[place[0]]) if len(place) else 1.0


def stamper(company: Company) -> int:
    """The person who approves within seconds: first approver of one department."""
    return int(company.people.first[company.targets[company.truth.stamp_unit]])
