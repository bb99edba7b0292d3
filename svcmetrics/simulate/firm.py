"""Units, services, steps and persons of the invented company."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.simulate.clock import CALENDAR, Clock, calendar_table
from svcmetrics.simulate.planted import PILOT_FROM, WAVES, Truth, draw_truth

ROLE_POINTS = {"lead": 4, "do": 3, "approve": 2, "consult": 1}
RATER_ROLES = ("", "employee", "downstream", "supervisor")
APPROVERS = 3
FORMS_PER_RATER = 3.3


@dataclass(frozen=True)
class Process:
    """One service as the generator of cases needs it."""

    code: int
    provider: int
    share: float
    hours: float
    routine: str
    numbered: bool  # 21-digit approval number
    units: tuple[int, ...]
    roles: tuple[str, ...]
    hour_shares: tuple[float, ...]


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


@cache
def catalogue() -> dict[str, Any]:
    """The invented company as written in catalogue.toml."""
    return tomllib.loads(resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8"))


def found(seed: int, units: int, ratings: int) -> Company:
    """Found the company: ``units`` departments, and as many raters as the ratings need."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    unit = _units(units)
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
    service, step, processes = _services(unit)
    calendar = calendar_table()
    people = _people(rng, seed, unit, raters)
    return Company(seed, unit.drop(columns=["line", "region"]), service, step, calendar, processes,
                   people, targets, lines, truth, Clock(calendar))  # fmt: skip


def rater_count(ratings: int, targets: int) -> int:
    """Raters that give about this many answers without too many forms for anyone."""
    items = sum(item["form"] == "F1" for item in catalogue()["item"])
    forms = ratings / items / WAVES / 0.84
    return max(30, round(forms / min(FORMS_PER_RATER, 0.6 * targets)))


def _units(count: int) -> pd.DataFrame:
    """Two lines of management, then functional and business units; regions repeat the list."""
    book = catalogue()
    n_service = max(2, round(count * 8 / 14))
    functional = [u for u in book["unit"] if u["category"] != "business"]
    business = [u for u in book["unit"] if u["category"] == "business"]
    rows = [_unit_row(x, 0, "") for x in book["line"]]
    for pool, n in ((functional, n_service), (business, count - 2 - n_service)):
        rows += [_unit_row(pool[i % len(pool)], i // len(pool), pool[i % len(pool)]["line"]) for i in range(n)]
    table = pd.DataFrame(rows)
    position = {uid: i for i, uid in enumerate(table["unit_id"])}
    table["line"] = [position.get(p, i) for i, p in enumerate(table["parent_id"])]
    return table


def _unit_row(entry: dict[str, Any], region: int, parent: str) -> dict[str, Any]:
    regions, turn = catalogue()["regions"], region - 1
    zh = regions["zh"][turn % 7] + (str(turn // 7 + 1) if turn >= 7 else "") if region else ""
    en = f" {regions['en'][turn % 7]}{turn // 7 + 1 if turn >= 7 else ''}" if region else ""
    functional = entry["category"] not in {"business", "management"}
    return {
        "unit_id": entry["id"] + (f"-{region + 1}" if region else ""), "name_zh": zh + entry["zh"],
        "name_en": entry["en"] + en, "parent_id": parent or None, "is_service_unit": functional,
        "category": entry["category"], "headcount": entry["head"], "in_pilot": False, "region": region,
    }  # fmt: skip


def _services(unit: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Process, ...]]:
    """The services of every functional unit, their steps, and both as the generator needs them."""
    place = {(c, r): i for i, (c, r) in enumerate(zip(unit["category"], unit["region"]))}
    services, steps, processes = [], [], []
    for provider in np.flatnonzero(unit["is_service_unit"]):
        category, region = unit["category"][provider], unit["region"][provider]
        for entry in (s for s in catalogue()["service"] if s["unit"] == category):
            sid = entry["id"] + (f"-{region + 1}" if region else "")
            where = [place.get((s[1], region), place.get((s[1], 0), provider)) for s in entry["steps"]]
            services.append(_service_row(entry, sid, unit["unit_id"][provider]))
            steps += _step_rows(entry, sid, [unit["unit_id"][w] for w in where])
            roles = tuple(s[0] for s in entry["steps"])
            hours = entry.get("hours") or 0.6 * entry["promise"]
            numbered = category in {"finance", "HR", "legal", "procurement", "strategy"}
            processes.append(Process(len(processes), int(provider), entry["share"], hours, entry["routine"], numbered,
                                     tuple(where), roles, tuple(s[4] for s in entry["steps"])))  # fmt: skip
    return pd.DataFrame(services), pd.DataFrame(steps), tuple(processes)


def _service_row(entry: dict[str, Any], sid: str, provider: str) -> dict[str, Any]:
    routine = entry["routine"] == "routine"
    return {
        "service_id": sid, "name_zh": entry["zh"], "name_en": entry["en"], "provider_id": provider,
        "output_kind": entry["kind"], "output_form": entry["form"], "relation": entry["relation"],
        "routine": entry["routine"], "in_scope": entry["in_scope"], "scope_reason": entry["reason"],
        "promise_h": float(entry["promise"]) if "promise" in entry else None,
        "clock": "calendar" if entry["routine"] == "emergency" else "business", "calendar_id": CALENDAR,
        "baseline_from": "2024-09-01" if routine else None, "baseline_to": "2025-02-28" if routine else None,
        "valid_from": "2024-09-01", "valid_to": None,
    }  # fmt: skip


def _step_rows(entry: dict[str, Any], sid: str, units: list[str]) -> list[dict[str, Any]]:
    steps = entry["steps"]
    points = np.array([ROLE_POINTS[s[0]] for s in steps])
    weights = np.round(points / points.sum(), 2)
    weights[[s[0] for s in steps].index("lead")] += 1 - weights.sum()
    last = max((i for i, s in enumerate(steps) if s[0] in {"lead", "do"}), default=0)
    return [
        {
            "service_id": sid, "step_no": i + 1, "name_zh": s[2], "name_en": s[3], "unit_id": units[i], "role": s[0],
            "is_final": i == last or i == len(steps) - 1,
            "promise_h": round(entry["promise"] * s[4], 2) if "promise" in entry else None,
            "role_weight": round(float(weights[i]), 2),
        }
        for i, s in enumerate(steps)
    ]  # fmt: skip


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
    keys = [hmac.new(secret, str(i).encode(), hashlib.sha256).hexdigest()[:24] for i in range(len(where))]
    return People(where, role, np.array(keys, dtype=object), first, heads)


def pilot_from() -> pd.Timestamp:
    return pd.Timestamp(PILOT_FROM)
