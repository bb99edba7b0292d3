"""What the raters answer: honest judgements, straight lines and copies of last month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from svcmetrics.simulate.clock import TIMEZONE, seconds
from svcmetrics.simulate.firm import RATER_ROLES, Company, catalogue, pilot_from
from svcmetrics.simulate.plan import Plan, waves
from svcmetrics.simulate.planted import DIMENSIONS, TRUE_WEIGHTS, WAVES, shares

FORM = "F1"
_MISSING = 0.025  # of items are not answered, with a reason
_DEADLINE = 0.45  # of raters answer in the last office hours
_LAST_HOURS = 5 * 3600
PLAN_SCHEMA = pa.schema([
    ("plan_id", pa.string()), ("wave", pa.string()), ("rater_key", pa.string()), ("rater_unit_id", pa.string()),
    ("rater_role", pa.string()), ("target_id", pa.string()), ("service_id", pa.string()), ("trigger", pa.string()),
    ("mode", pa.string()), ("form_version", pa.string()), ("cases_in_window", pa.int32()),
])  # fmt: skip
RATING_SCHEMA = pa.schema([
    ("plan_id", pa.string()), ("case_id", pa.string()), ("item_id", pa.string()), ("score", pa.int8()),
    ("na_reason", pa.string()), ("submitted_at", pa.timestamp("us", tz=TIMEZONE)), ("seconds", pa.int32()),
    ("reason", pa.string()),
])  # fmt: skip


@dataclass
class Tally:
    """How many forms of each wave were copies or straight lines, as it came out."""

    forms: np.ndarray = field(default_factory=lambda: np.zeros(WAVES, int))
    copies: np.ndarray = field(default_factory=lambda: np.zeros(WAVES, int))
    straight: np.ndarray = field(default_factory=lambda: np.zeros(WAVES, int))


@dataclass(frozen=True)
class Persons:
    """What the raters of one piece are like; rows are raters."""

    which: np.ndarray  # positions within the plan
    severity: np.ndarray
    liking: np.ndarray  # raters x targets: halo, own line, the pair
    habit: np.ndarray  # below the copy share: copies; above 1 - straight share: straight lines
    favourite: np.ndarray  # what straight-liners tick


def pieces(company: Company, plan: Plan, ratings: int, tally: Tally) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Plan and rating tables for some raters at a time; together exactly ``ratings`` rows."""
    cells = max(1, plan.asked.shape[2] * len(form_items()) * WAVES)
    size = max(200, 2_000_000 // cells)
    known, left = 0, ratings
    for i, low in enumerate(range(0, len(plan.raters), size)):
        which = np.arange(low, min(low + size, len(plan.raters)))
        asked, rating = _piece(company, plan, which, known, company.rng(4, i), tally)
        known += asked.num_rows
        yield asked, rating.slice(0, left)
        left -= min(left, rating.num_rows)


def form_items() -> list[dict]:
    """The items of the form in use."""
    return [item for item in catalogue()["item"] if item["form"] == FORM]


def _piece(company: Company, plan: Plan, which: np.ndarray, known: int, rng: np.random.Generator, tally: Tally):
    persons = _persons(company, plan, which, rng)
    shape = (len(which), plan.asked.shape[2], len(form_items()))
    last = np.full(shape, -1, "int8")  # -1: no form last month; 0: item not answered
    asked_parts, rating_parts = [], []
    for wave in range(WAVES):
        scores, formal = _scores(company, plan, persons, wave, last, rng)
        answered = plan.answered[wave][which]
        last = np.where(answered[:, :, None], scores, -1).astype("int8")
        _count(tally, wave, answered, formal)
        rater, target = np.nonzero(plan.asked[wave][which])
        ids = known + 1 + np.arange(len(rater))
        known += len(rater)
        asked_parts.append(_plan_table(company, plan, wave, which[rater], target, ids))
        done = answered[rater, target]
        rating_parts.append(_rating_table(company, wave, rater[done], target[done], ids[done], scores, formal, rng))
    return pa.concat_tables(asked_parts), pa.concat_tables(rating_parts)


def _persons(company: Company, plan: Plan, which: np.ndarray, rng: np.random.Generator) -> Persons:
    effects, n = company.truth.effects, len(which)
    unit = company.people.unit[plan.raters[which]]
    targets = company.targets
    liking = rng.normal(0, effects.halo_sd, (n, len(targets)))
    liking += effects.in_group * (company.lines[unit][:, None] == company.lines[targets][None, :])
    one, two = company.truth.pair
    liking[:, two] += effects.reciprocity * (unit == targets[one])
    liking[:, one] += effects.reciprocity * (unit == targets[two])
    return Persons(which, rng.normal(0, effects.severity_sd, n), liking, rng.random(n),
                   rng.choice([5, 4, 3], size=n, p=[0.6, 0.3, 0.1]))  # fmt: skip


def _scores(company: Company, plan: Plan, persons: Persons, wave: int, last: np.ndarray, rng: np.random.Generator):
    """Scores of one wave (0 is not answered) and who answered formally: 1 copied, 2 straight."""
    effects = company.truth.effects
    honest = np.clip(np.rint(_latent(company, plan, persons, wave, rng)), 1, 5).astype("int8")
    honest[rng.random(honest.shape) < _MISSING] = 0
    straight = persons.habit > 1 - shares(effects.straight_share)[wave]
    copies = (persons.habit < shares(effects.copy_share)[wave])[:, None] & (last[:, :, 0] >= 0)
    scores = np.where(straight[:, None, None], persons.favourite[:, None, None], honest)
    scores = np.where(copies[:, :, None], last, scores).astype("int8")
    return scores, np.where(copies, 1, np.where(straight[:, None], 2, 0))


def _latent(company: Company, plan: Plan, persons: Persons, wave: int, rng: np.random.Generator) -> np.ndarray:
    truth, items = company.truth, form_items()
    base = truth.effects.mean - persons.severity[:, None] + persons.liking
    base = base + truth.effects.named_mode * plan.named[persons.which][:, None]
    quality = truth.quality.copy()
    if waves()[wave][1] >= pilot_from():
        quality[truth.pilot, 0] += truth.effects.pilot_timeliness
    noise = rng.normal(0, 1, (*base.shape, len(items)))
    latent = np.empty(noise.shape)
    felt = np.empty((*base.shape, len(DIMENSIONS)))
    for i, item in enumerate(items):
        if item["dimension"] in DIMENSIONS:
            d = DIMENSIONS.index(item["dimension"])
            part = 0.25 if item.get("ill") else 1.0
            latent[:, :, i] = base + part * quality[:, d] + item["noise"] * noise[:, :, i]
            if not item.get("ill"):
                felt[:, :, d] = latent[:, :, i]
        else:
            latent[:, :, i] = felt @ np.array(TRUE_WEIGHTS) + item["noise"] * noise[:, :, i]
    return latent


def _count(tally: Tally, wave: int, answered: np.ndarray, formal: np.ndarray) -> None:
    tally.forms[wave] += int(answered.sum())
    tally.copies[wave] += int((answered & (formal == 1)).sum())
    tally.straight[wave] += int((answered & (formal == 2)).sum())


def plan_ids(numbers: np.ndarray) -> pa.Array:
    return pa.array([f"P{i:07d}" for i in numbers], pa.string())


def _plan_table(company: Company, plan: Plan, wave: int, rater: np.ndarray, target: np.ndarray, ids: np.ndarray) -> pa.Table:
    person = plan.raters[rater]
    unit_id = company.unit["unit_id"].to_numpy(object)
    cases = plan.cases[wave][rater, target]
    n = len(rater)
    columns = [
        plan_ids(ids), [waves()[wave][0]] * n, company.people.key[person], unit_id[company.people.unit[person]],
        np.array(RATER_ROLES, object)[company.people.role[person]], unit_id[company.targets[target]],
        [None] * n, ["periodic"] * n, np.where(plan.named[rater], "named", "confidential").astype(object),
        [FORM] * n, pa.array(cases, pa.int32(), mask=cases < 0),
    ]  # fmt: skip
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, PLAN_SCHEMA)], schema=PLAN_SCHEMA)


def _rating_table(company: Company, wave: int, rater: np.ndarray, target: np.ndarray, ids: np.ndarray,
                  scores: np.ndarray, formal: np.ndarray, rng: np.random.Generator) -> pa.Table:  # fmt: skip
    items = [item["id"] for item in form_items()]
    n, k = len(rater), len(items)
    answers, habit = scores[rater, target], formal[rater, target]
    spent = np.where(habit == 0, rng.lognormal(np.log(55), 0.45, n), rng.lognormal(np.log(9), 0.3, n))
    spent = np.maximum(np.rint(spent), 3).astype("int64")
    at = _submitted(company, wave, rater, spent, scores.shape[0], rng)
    flat = answers.ravel()
    words = catalogue()["words"]
    why = np.array(words["na_reasons"], object)[rng.integers(0, len(words["na_reasons"]), n * k)]
    columns = [
        plan_ids(ids).take(pa.array(np.repeat(np.arange(n), k))), pa.nulls(n * k, pa.string()),
        pa.array(items * n, pa.string()), pa.array(flat, pa.int8(), mask=flat == 0),
        pa.array(why, pa.string(), mask=flat > 0),
        pa.array(np.repeat(at, k) * 1_000_000).cast(pa.timestamp("us", tz="UTC")).cast(RATING_SCHEMA.field("submitted_at").type),
        pa.array(np.repeat(spent, k), pa.int32()), _comments(answers, words, rng),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=RATING_SCHEMA)


def _submitted(company: Company, wave: int, rater: np.ndarray, spent: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A rater sits down once and fills in one form after the other; many on the last day."""
    _, opens, closes = waves()[wave]
    low, high = company.clock.worked(seconds(pd.Series([opens, closes + pd.Timedelta(days=1)])))
    early, late = rng.integers(low, high - 3600, size), rng.integers(high - _LAST_HOURS, high - 1800, size)
    begin = np.where(rng.random(size) < _DEADLINE, late, early)
    first = np.searchsorted(rater, rater, side="left")
    total = np.cumsum(spent + 4)
    elapsed = total - (total[first] - spent[first] - 4) if len(rater) else total
    return company.clock.moment(np.minimum(begin[rater] + elapsed, high))


def _comments(answers: np.ndarray, words: dict, rng: np.random.Generator) -> pa.Array:
    """A short reason beside the overall item: often for low scores, rarely for high ones."""
    n, k = answers.shape
    overall, u = answers[:, -1], rng.random(n)
    low = (overall > 0) & (overall <= 2) & (u < 0.4)
    high = (overall == 5) & (u < 0.03)
    text = np.array(words["low"] + words["high"], object)
    pick = np.where(low, rng.integers(0, len(words["low"]), n), len(words["low"]) + rng.integers(0, len(words["high"]), n))
    out = np.full((n, k), None, object)
    out[low | high, -1] = text[pick[low | high]]
    return pa.array(out.ravel(), pa.string())
