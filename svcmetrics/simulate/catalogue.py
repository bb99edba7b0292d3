"""Departments, services and steps of the invented company, from catalogue.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd

from svcmetrics.simulate.clock import CALENDAR

ROLE_POINTS = {"lead": 4, "do": 3, "approve": 2, "consult": 1}


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


@cache
def catalogue() -> dict[str, Any]:
    """The invented company as written in catalogue.toml."""
    return tomllib.loads(resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8"))


def unit_table(count: int) -> pd.DataFrame:
    """Two lines of management, then functional and business units; regions repeat the list."""
    book = catalogue()
    n_service = max(2, round(count * 8 / 14))
    functional = [u for u in book["unit"] if u["category"] != "business"]
    business = [u for u in book["unit"] if u["category"] == "business"]
    rows = [_unit_row(x, 0, "") for x in book["line"]]
    for pool, n in ((functional, n_service), (business, count - 2 - n_service)):
        rows += [
            _unit_row(pool[i % len(pool)], i // len(pool), pool[i % len(pool)]["line"])
            for i in range(n)
        ]
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


def service_tables(unit: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Process, ...]]:
    """The services of every functional unit, their steps, and both as the generator needs them."""
    place = {(c, r): i for i, (c, r) in enumerate(zip(unit["category"], unit["region"]))}
    services: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    processes: list[Process] = []
    for provider in np.flatnonzero(unit["is_service_unit"]):
        category, region = unit["category"][provider], unit["region"][provider]
        for entry in (s for s in catalogue()["service"] if s["unit"] == category):
            sid = entry["id"] + (f"-{region + 1}" if region else "")
            where = [
                int(place.get((s[1], region), place.get((s[1], 0), provider)))
                for s in entry["steps"]
            ]
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
