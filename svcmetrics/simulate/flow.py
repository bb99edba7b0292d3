"""Cases under way, as columns: every possible event of a case is one, a mask says which happen.

Gaps between events are seconds of office time (of clock time for emergencies), so a running sum
along the row gives the time of each event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svcmetrics.simulate.catalogue import Process
from svcmetrics.simulate.firm import APPROVERS, Company

ACTIONS = (
    "submit", "accept", "deliver", "approve", "return", "reject", "resubmit", "withdraw",
    "reassign", "pause", "resume", "comment", "close",
)  # fmt: skip
CODE = {word: i for i, word in enumerate(ACTIONS)}
HOUR = 3600.0
_FIELDS = ("gap", "on", "action", "step", "to", "unit", "actor", "auto", "reason")

Columns = dict[str, np.ndarray]


@dataclass
class Flow:
    """The cases of one service: what is fixed for each, and the columns written so far."""

    company: Company
    process: Process
    requester: np.ndarray
    slow: np.ndarray  # how much slower than usual, per case
    rng: np.random.Generator
    columns: list[Columns]

    @property
    def n(self) -> int:
        return len(self.requester)

    def put(
        self, on: np.ndarray, gap: np.ndarray, action: str | np.ndarray, **more: np.ndarray | int
    ) -> None:
        """One possible event of every case; what is not given is missing (-1; no flag for auto)."""
        code = CODE[action] if isinstance(action, str) else action
        row: dict[str, np.ndarray | int] = {
            "on": on, "gap": gap, "action": code, "step": -1, "to": -1, "unit": -1, "actor": -1,
            "auto": 0, "reason": -1,
        }  # fmt: skip
        self.columns.append({k: np.broadcast_to(v, self.n) for k, v in (row | more).items()})

    def by_requester(self, on: np.ndarray, gap: np.ndarray, action: str) -> None:
        self.put(
            on, gap, action, unit=self.company.people.unit[self.requester], actor=self.requester
        )

    def hours(self, median: float, sigma: float) -> np.ndarray:
        return self.rng.lognormal(np.log(median), sigma, self.n) * HOUR

    def staff(self, unit: int) -> np.ndarray:
        """Who handles: the busiest first."""
        people = self.company.people
        pool = max(1, min(12, int(people.heads[unit]) - APPROVERS))
        picked = (self.rng.random(self.n) ** 1.4 * pool).astype(int)
        return people.first[unit] + min(APPROVERS, int(people.heads[unit]) - 1) + picked

    def approver(self, unit: int) -> np.ndarray:
        people = self.company.people
        return people.first[unit] + self.rng.integers(
            0, min(APPROVERS, int(people.heads[unit])), self.n
        )

    def rows(self, start: np.ndarray) -> Columns:
        """Columns to rows: only what happened, case by case, with the time of each event."""
        table = {name: np.stack([c[name] for c in self.columns], axis=1) for name in _FIELDS}
        on = table.pop("on")
        gaps = np.where(on, np.maximum(np.rint(table.pop("gap")), 0), 0)
        elapsed = np.cumsum(gaps, axis=1).astype("int64")[on]
        case = np.broadcast_to(np.arange(self.n)[:, None], on.shape)[on]
        at = (
            start[case] + elapsed
            if self.process.routine == "emergency"
            else self._office(start, case, elapsed)
        )
        return {"case": case, "at": at, **{k: v[on] for k, v in table.items()}}

    def _office(self, start: np.ndarray, case: np.ndarray, elapsed: np.ndarray) -> np.ndarray:
        """Requests stand where they were made, even at night; work begins with the office."""
        clock = self.company.clock
        at = np.maximum(clock.moment(clock.worked(start)[case] + elapsed), start[case])
        return np.where(elapsed == 0, start[case], at)
