"""Makes the tables of the invented study one after the other, the long ones piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from svcmetrics.simulate import answers, judges, log
from svcmetrics.simulate.clock import CALENDAR, TIMEZONE
from svcmetrics.simulate.document import truth_document
from svcmetrics.simulate.firm import Company, found
from svcmetrics.simulate.forms import form_items
from svcmetrics.simulate.plan import make_plan
from svcmetrics.simulate.planted import PILOT_FROM
from svcmetrics.simulate.waves import waves
from svcmetrics.study import Settings, Wave

# Called with a table's name, its rows so far and all its rows.
Progress = Callable[[str, int, int], None]
Take = Callable[[str, pa.Table], None]
LONG = ("event", "plan", "rating")


def build(
    seed: int, units: int, events: int, ratings: int, take: Take, progress: Progress | None = None
) -> tuple[dict[str, pd.DataFrame], Settings, dict[str, Any]]:
    """Small tables, settings and truth; ``take`` is given the long tables in pieces, in order."""
    say = progress or (lambda *_: None)
    company = found(seed, units, ratings)
    ledger = log.open_ledger(company)
    done = 0
    for piece in log.pieces(company, events, ledger):
        take("event", piece)
        done += piece.num_rows
        say("event", done, events)
    plan = make_plan(company, ledger, -(-ratings // len(form_items())))
    tally, done = answers.Tally(), 0
    for asked, given in answers.pieces(company, plan, ratings, tally):
        take("plan", asked)
        take("rating", given)
        done += given.num_rows
        say("rating", done, ratings)
    return (
        _small(company, ledger),
        settings_of(company),
        truth_document(company, plan, ledger, tally),
    )


def _small(company: Company, ledger: log.Ledger) -> dict[str, pd.DataFrame]:
    return {
        "unit": company.unit, "service": company.service, "step": company.step,
        "commitment": pd.concat(ledger.commitments, ignore_index=True), "calendar": company.calendar,
        "item": judges.item_table(), "judgement": judges.judgement_table(company), "weight": judges.weight_table(),
        "relevance": judges.relevance_table(company),
    }  # fmt: skip


def settings_of(company: Company) -> Settings:
    """What study.toml says beside the tables; the criteria were written before the pilot began."""
    return Settings(
        name="示例企业内部服务评价 Example company",
        timezone=TIMEZONE,
        calendar=CALENDAR,
        waves=tuple(Wave(*wave) for wave in waves()),
        pilot_units=tuple(company.unit.loc[company.unit["in_pilot"], "unit_id"]),
        pilot_from=pd.Timestamp(PILOT_FROM, tz=TIMEZONE).as_unit("us"),
        criteria={
            "on_time": {"at_least": 0.80}, "response": {"at_least": 0.70}, "formality": {"at_least": 0.10},
            "copying": {"at_most": 0.20}, "phi": {"at_least": 0.70},
            "duration_ratio": {"at_most": 0.95}, "minutes_per_form": {"at_most": 3.0},
        },
        seed=company.seed,
    )  # fmt: skip
