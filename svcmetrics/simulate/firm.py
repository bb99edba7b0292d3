"""What is fixed before the first case is submitted: departments, persons, planted truth."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcmetrics.simulate.catalogue import Process, catalogue, service_tables, unit_table
from svcmetrics.simulate.clock import Clock, calendar_table
from svcmetrics.simulate.planted import RESPONSE, WAVES, Truth, draw_truth

RATER_ROLES = ("", "employee", "downstream", "supervisor")
APPROVERS = 3
FORMS_PER_RATER = 3.3


@dataclass(frozen=True)
class People:
    """Persons by position: their unit, their role as raters, their pseudonym."""

    unit: np.ndarray
    role: np.ndarray
    key: np.ndarray
    first: np.ndarray  # position of a unit's first person
    heads: np.ndarray

    @property
    def raters(self) -> np.ndarray:
        return np.flatnonzero(self.role > 0)


@dataclass(frozen=True)
class Company:
    """Everything that is fixed before the first case is submitted."""

    seed: int
    unit: pd.DataFrame
    service: pd.DataFrame
    step: pd.DataFrame
    calendar: pd.DataFrame
    processes: tuple[Process, ...]
    people: People
    targets: np.ndarray  # positions of the service units
    lines: np.ndarray  # line of management of each unit
    truth: Truth
    clock: Clock

    def rng(self, *stream: int) -> np.random.Generator:
        """Random numbers of one part of the company: the same whatever else is drawn."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, *stream]))


def found(seed: int, units: int, ratings: int) -> Company:
    """Found the company: ``units`` departments, and as many raters as the ratings need."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    unit = unit_table(units)
    targets = np.flatnonzero(unit["is_service_unit"])
    raters = rater_count(ratings, len(targets))
    growth = max(1.0, 1.5 * raters / unit["headcount"].sum())
    unit["headcount"] = np.ceil(unit["headcount"] * growth).astype(int)
    lines = unit["line"].to_numpy()
    heads = unit["headcount"].to_numpy()
    stamp = next((i for i, u in enumerate(targets) if unit["category"][u] == "procurement"), 0)
    truth = draw_truth(rng, lines[targets], heads[targets], stamp)
    unit["in_pilot"] = False
    unit.loc[targets[truth.pilot], "in_pilot"] = True
    service, step, processes = service_tables(unit)
    calendar = calendar_table()
    people = _people(rng, seed, unit, raters)
    return Company(seed, unit.drop(columns=["line", "region"]), service, step, calendar, processes,
                   people, targets, lines, truth, Clock(calendar))  # fmt: skip


def rater_count(ratings: int, targets: int) -> int:
    """Raters that give about this many answers without too many forms for anyone."""
    items = sum(item["form"] == "F1" for item in catalogue()["item"])
    forms = ratings / items / WAVES / RESPONSE
    return max(30, round(forms / min(FORMS_PER_RATER, 0.6 * targets)))


def _people(rng: np.random.Generator, seed: int, unit: pd.DataFrame, raters: int) -> People:
    """Persons of each unit; raters in proportion to its size, supervisors from the lines."""
    heads = unit["headcount"].to_numpy()
    first = np.concatenate([[0], np.cumsum(heads)[:-1]])
    where, role = np.repeat(np.arange(len(heads)), heads), np.zeros(heads.sum(), "int8")
    managing = (unit["category"] == "management").to_numpy()
    supervisors = min(max(8, round(0.06 * raters)), int(heads[managing].sum()) - 2)
    role[rng.choice(np.flatnonzero(managing[where]), supervisors, replace=False)] = 3
    free = np.flatnonzero(~managing[where] & (np.arange(len(where)) - first[where] >= APPROVERS))
    chosen = rng.choice(free, min(raters - supervisors, len(free)), replace=False)
    role[chosen] = 1
    role[chosen[: round(0.18 * len(chosen))]] = 2
    # A pseudonym is a keyed hash, as everywhere; this key is made from the seed and is no secret.
    secret = hashlib.sha256(f"svcmetrics simulate {seed}".encode()).digest()
    keys = [
        hmac.new(secret, str(i).encode(), hashlib.sha256).hexdigest()[:24]
        for i in range(len(where))
    ]
    return People(where, role, np.array(keys, dtype=object), first, heads)
