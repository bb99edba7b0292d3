"""Where each case starts and how it ended: the same as in the engine, in arrays."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from svcmetrics.io import engine, held
from svcmetrics.measure.actions import ACTIONS
from svcmetrics.measure.catalogue import step_table
from svcmetrics.measure.log import Log

STATUS = ("open", "closed", "rejected", "withdrawn")
_ENDED = np.full(len(ACTIONS), STATUS.index("closed"), np.int8)
_ENDED[[ACTIONS.index(w) for w in ("reject", "withdraw")]] = [
    STATUS.index(s) for s in ("rejected", "withdrawn")
]


@dataclass(frozen=True)
class Facts:
    """Per case of a part; ``end`` means nothing where it has not ended, ``stop`` is then the log's end."""

    start: np.ndarray
    end: np.ndarray
    has_end: np.ndarray
    stop: np.ndarray
    state: np.ndarray
    no_start: np.ndarray

    def columns(self) -> dict[str, Any]:
        """Under the names that they have in the engine."""
        return {
            "start_us": self.start,
            "end_us": pa.array(self.end, mask=~self.has_end),
            "stop_us": self.stop,
            "state": self.state,
            "no_start": self.no_start,
        }


@dataclass(frozen=True)
class FinalSteps:
    """Which steps of which services end a case; services by their place in a list."""

    numbers: np.ndarray
    of: np.ndarray

    def are(self, service: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Whether these steps are final ones."""
        if not len(self.numbers):
            return np.zeros(len(service), dtype=bool)
        place = np.searchsorted(self.numbers, step).clip(max=len(self.numbers) - 1)
        return self.of[service, place] & (self.numbers[place] == step)


def final_steps(steps: pd.DataFrame | None, services: pa.Array) -> FinalSteps:
    """Of the catalogue, for the services of a log."""
    table = engine.frame(step_table(steps))
    place = {s: i for i, s in enumerate(services.to_pylist())}
    table = table[table["is_final"].astype(bool) & table["step_no"].notna()]
    table = table[table["service_id"].isin(list(place))]
    numbers, column = np.unique(table["step_no"].to_numpy(np.int64), return_inverse=True)
    of = np.zeros((len(place), len(numbers)), dtype=bool)
    of[table["service_id"].map(place).to_numpy(np.int64), column] = True
    return FinalSteps(numbers, of)


def facts_key(log: Log, steps: pd.DataFrame | None) -> Hashable:
    """Under this name parts with these columns are held: of a log with these final steps."""
    known = held.marks(steps)
    return known and ("facts", log.until, *known)


def facts_once(log: Log, steps: pd.DataFrame | None) -> list[pa.RecordBatch]:
    """The facts of all parts, unless the times of the cases were asked, which have them too."""

    def make() -> list[pa.RecordBatch]:
        final = final_steps(steps, log.ready["services"])
        found = (case_facts(p.cases, final, log.until) for p in log.ready["parts"])
        return [pa.RecordBatch.from_pydict(facts.columns()) for facts in found]

    return log.once(facts_key(log, steps), make)


def case_facts(cases: pa.RecordBatch, final: FinalSteps, until: int) -> Facts:
    """Of the cases of one part; ``until``: the end of the log."""
    submit, submitted = filled(cases["submit_us"])
    ended_us, ended = filled(cases["ended_us"])
    step, _ = filled(cases["step_no"])
    delivered_us, delivered = filled(cases["delivered_us"])
    delivered &= final.are(cases["service_id"].indices.to_numpy(), step)
    start = np.where(submitted, submit, cases["first_us"].to_numpy())
    end, has_end = np.where(ended, ended_us, delivered_us), ended | delivered
    word, _ = filled(cases["end_word"])
    return Facts(
        start=start,
        end=end,
        has_end=has_end,
        stop=np.where(has_end, end, np.maximum(start, until)),
        state=np.where(ended, _ENDED[word], np.where(delivered, 1, 0)).astype(np.int8),
        no_start=~submitted,
    )


def filled(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Numbers with 0 where there is none, and where there is one."""
    if not column.null_count:
        return column.to_numpy(zero_copy_only=False), np.ones(len(column), dtype=bool)
    return column.fill_null(0).to_numpy(), column.is_valid().to_numpy(zero_copy_only=False)
