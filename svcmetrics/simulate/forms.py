"""Plan and answers as tables: one row per form, one row per item answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from svcmetrics.simulate.catalogue import catalogue
from svcmetrics.simulate.clock import TIMEZONE
from svcmetrics.simulate.firm import RATER_ROLES, Company
from svcmetrics.simulate.plan import Plan
from svcmetrics.simulate.records import case_ids, stamps, words
from svcmetrics.simulate.waves import waves

FORM = "F1"
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


@dataclass(frozen=True)
class Forms:
    """Forms of one wave, one element each: who on whom, under which number."""

    wave: int
    rater: np.ndarray  # within the piece
    target: np.ndarray
    number: np.ndarray
    after: np.ndarray  # place of the case whose closing led to the form, or -1

    def only(self, which: np.ndarray) -> Forms:
        parts = (self.rater, self.target, self.number, self.after)
        return Forms(self.wave, *(part[which] for part in parts))


# Scores and habits (0 honest, 1 copied, 2 straight), raters of the piece x targets (x items).
Given = tuple[np.ndarray, np.ndarray]


def form_items() -> list[dict]:
    """The items of the form in use."""
    return [item for item in catalogue()["item"] if item["form"] == FORM]


def plan_table(company: Company, plan: Plan, which: np.ndarray, forms: Forms) -> pa.Table:
    """Who is asked; ``which`` gives the raters of the piece by their position in the plan."""
    rater, n = which[forms.rater], len(forms.rater)
    person = plan.raters[rater]
    unit_id = company.unit["unit_id"].to_numpy(object)
    cases = plan.cases[forms.wave][rater, forms.target]
    columns = [
        _plan_ids(forms.number), [waves()[forms.wave][0]] * n, company.people.key[person],
        unit_id[company.people.unit[person]], np.array(RATER_ROLES, object)[company.people.role[person]],
        unit_id[company.targets[forms.target]],
        words(company.service["service_id"], np.where(forms.after >= 0, plan.services[forms.after], -1)),
        np.where(forms.after >= 0, "case_close", "periodic").astype(object),
        np.where(plan.named[rater], "named", "confidential").astype(object), [FORM] * n,
        pa.array(cases, pa.int32(), mask=cases < 0),
    ]  # fmt: skip
    return pa.Table.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, PLAN_SCHEMA)], schema=PLAN_SCHEMA
    )


def rating_table(
    company: Company, plan: Plan, forms: Forms, given: Given, rng: np.random.Generator
) -> pa.Table:
    """What was answered on the forms that came back."""
    items, texts = [item["id"] for item in form_items()], catalogue()["words"]
    n, k = len(forms.rater), len(items)
    scores, formal = given
    answers, habit = scores[forms.rater, forms.target], formal[forms.rater, forms.target]
    spent = np.where(
        habit == 0, rng.lognormal(np.log(55), 0.45, n), rng.lognormal(np.log(9), 0.3, n)
    )
    spent = np.maximum(np.rint(spent), 3).astype("int64")
    at = _submitted(company, forms, spent, scores.shape[0], rng)
    flat = answers.ravel()
    why = np.array(texts["na_reasons"], object)[rng.integers(0, len(texts["na_reasons"]), n * k)]
    each = pa.array(np.repeat(np.arange(n), k))
    columns = [
        _plan_ids(forms.number).take(each), _cases_of(company, plan, forms).take(each),
        pa.array(items * n, pa.string()), pa.array(flat, pa.int8(), mask=flat == 0),
        pa.array(why, pa.string(), mask=flat > 0), stamps(np.repeat(at, k)),
        pa.array(np.repeat(spent, k), pa.int32()), _comments(answers, texts, rng),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=RATING_SCHEMA)


def _cases_of(company: Company, plan: Plan, forms: Forms) -> pa.Array:
    """The number of the case that a form asks about, where it asks about one."""
    some = np.maximum(forms.after, 0)
    ids = case_ids(company, plan.starts[some], plan.services[some], some.astype("int64"))
    return ids.take(pa.array(np.arange(len(some)), mask=forms.after < 0))


def _plan_ids(numbers: np.ndarray) -> pa.Array:
    return pa.array([f"P{i:07d}" for i in numbers], pa.string())


def _submitted(
    company: Company, forms: Forms, spent: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """A rater sits down once and fills in one form after the other; many in the last hours."""
    _, opens, closes = waves()[forms.wave]
    low, high = company.clock.worked(np.array([int(opens.timestamp()), int(closes.timestamp())]))
    early, late = (
        rng.integers(low, high - 3600, size),
        rng.integers(high - _LAST_HOURS, high - 1800, size),
    )
    begin = np.where(rng.random(size) < _DEADLINE, late, early)
    first = np.searchsorted(forms.rater, forms.rater, side="left")
    total = np.cumsum(spent + 4)
    elapsed = total - (total[first] - spent[first] - 4)
    return company.clock.moment(np.minimum(begin[forms.rater] + elapsed, high))


def _comments(answers: np.ndarray, words: dict, rng: np.random.Generator) -> pa.Array:
    """A short reason beside the overall item: often for low scores, rarely for high ones."""
    n, k = answers.shape
    overall, u = answers[:, -1], rng.random(n)
    low = (overall > 0) & (overall <= 2) & (u < 0.4)
    high = (overall == 5) & (u < 0.03)
    text = np.array(words["low"] + words["high"], object)
    below, above = (rng.integers(0, len(words[name]), n) for name in ("low", "high"))
    pick = np.where(low, below, len(words["low"]) + above)
    out = np.full((n, k), None, object)
    out[low | high, -1] = text[pick[low | high]]
    return pa.array(out.ravel(), pa.string())
