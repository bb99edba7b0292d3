"""What the raters answer: honest judgements, straight lines and copies of last month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from svcmetrics.simulate.clock import instant
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.forms import Forms, form_items, plan_table, rating_table
from svcmetrics.simulate.plan import Plan
from svcmetrics.simulate.planted import DIMENSIONS, PILOT_FROM, TRUE_WEIGHTS, WAVES, shares
from svcmetrics.simulate.waves import waves

_MISSING = 0.025  # of items are not answered, with a reason
_ILL_SHARE = 0.25  # of the quality that the ill-designed item still shows
Pair = tuple[pa.Table, pa.Table]  # plan, rating


@dataclass
class Tally:
    """Forms of each wave that were copies or straight lines, as it came out; what raters are like."""

    forms: np.ndarray = field(default_factory=lambda: np.zeros(WAVES, int))
    copies: np.ndarray = field(default_factory=lambda: np.zeros(WAVES, int))
    straight: np.ndarray = field(default_factory=lambda: np.zeros(WAVES, int))

    persons: list[Persons] = field(default_factory=list)

    def add(self, wave: int, answered: np.ndarray, formal: np.ndarray) -> None:
        self.forms[wave] += int(answered.sum())
        self.copies[wave] += int((answered & (formal == 1)).sum())
        self.straight[wave] += int((answered & (formal == 2)).sum())


@dataclass(frozen=True)
class Persons:
    """What the raters of one piece are like; rows are raters."""

    which: np.ndarray  # positions within the plan
    severity: np.ndarray
    liking: np.ndarray  # raters x targets: halo, own line, the pair
    habit: np.ndarray  # below the copy share: copies; above 1 - straight share: straight lines
    favourite: np.ndarray  # what straight-liners tick


def pieces(company: Company, plan: Plan, ratings: int, tally: Tally) -> Iterator[Pair]:
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


def _piece(
    company: Company,
    plan: Plan,
    which: np.ndarray,
    known: int,
    rng: np.random.Generator,
    tally: Tally,
) -> Pair:
    persons = _persons(company, plan, which, rng)
    tally.persons.append(persons)
    asked_parts, rating_parts = [], []
    # Last month's scores; -1: no form then, 0: item not answered.
    last = np.full((len(which), plan.asked.shape[2], len(form_items())), -1, "int8")
    for wave in range(WAVES):
        scores, formal = _scores(company, plan, persons, wave, last, rng)
        answered = plan.answered[wave][which]
        last = np.where(answered[:, :, None], scores, -1).astype("int8")
        tally.add(wave, answered, formal)
        rater, target = np.nonzero(plan.asked[wave][which])
        forms = Forms(
            wave,
            rater,
            target,
            known + 1 + np.arange(len(rater)),
            plan.after[wave][which[rater], target],
        )
        known += len(rater)
        asked_parts.append(plan_table(company, plan, which, forms))
        done = answered[rater, target]
        rating_parts.append(rating_table(company, plan, forms.only(done), (scores, formal), rng))
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


def _scores(
    company: Company,
    plan: Plan,
    persons: Persons,
    wave: int,
    last: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of one wave (0 is not answered) and who answered formally: 1 copied, 2 straight."""
    effects = company.truth.effects
    honest = np.clip(np.rint(_latent(company, plan, persons, wave, rng)), 1, 5).astype("int8")
    honest[rng.random(honest.shape) < _MISSING] = 0
    straight = persons.habit > 1 - shares(effects.straight_share)[wave]
    copies = (persons.habit < shares(effects.copy_share)[wave])[:, None] & (last[:, :, 0] >= 0)
    scores = np.where(straight[:, None, None], persons.favourite[:, None, None], honest)
    scores = np.where(copies[:, :, None], last, scores).astype("int8")
    return scores, np.where(copies, 1, np.where(straight[:, None], 2, 0))


def _latent(
    company: Company, plan: Plan, persons: Persons, wave: int, rng: np.random.Generator
) -> np.ndarray:
    """What raters think before they tick a box: raters x targets x items."""
    effects, items = company.truth.effects, form_items()
    base = effects.mean - persons.severity[:, None] + persons.liking
    base = base + effects.named_mode * plan.named[persons.which][:, None]
    quality = _quality(company, wave)
    noise = rng.normal(0, 1, (*base.shape, len(items)))
    latent, felt = np.empty(noise.shape), np.empty((*base.shape, len(DIMENSIONS)))
    for i, item in enumerate(items):
        error = item["noise"] * noise[:, :, i]
        if item["dimension"] not in DIMENSIONS:  # the overall item: what was felt, weighted
            latent[:, :, i] = felt @ np.array(TRUE_WEIGHTS) + error
            continue
        d = DIMENSIONS.index(item["dimension"])
        ill = item.get("ill", False)
        latent[:, :, i] = base + (_ILL_SHARE if ill else 1.0) * quality[:, d] + error
        if not ill:
            felt[:, :, d] = latent[:, :, i]
    return latent


def _quality(company: Company, wave: int) -> np.ndarray:
    """Departments x dimensions; raters notice a little of what the pilot changed."""
    quality = company.truth.quality.copy()
    if waves()[wave][1].timestamp() >= instant(PILOT_FROM):
        quality[company.truth.pilot, 0] += company.truth.effects.pilot_timeliness
    return quality
