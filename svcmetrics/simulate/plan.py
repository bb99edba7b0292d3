"""Who is asked to rate whom in each wave, and who answers: mostly those who had a case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.log import Ledger
from svcmetrics.simulate.planted import WAVES

CAP = 6  # forms of one rater in one wave
_SUPERVISED = 8
_AFTER_CASE = 0.15  # of forms of employees ask about one case that was closed


@dataclass(frozen=True)
class Plan:
    """Per wave, rater and service unit: asked, answered, cases in the window."""

    raters: np.ndarray  # positions of persons
    asked: np.ndarray  # waves x raters x targets
    answered: np.ndarray
    cases: np.ndarray  # -1 for supervisors: they rate cooperation, not cases
    named: np.ndarray  # raters
    after: np.ndarray  # place of the case whose closing led to the form, or -1
    starts: np.ndarray  # of all cases
    services: np.ndarray


def make_plan(company: Company, ledger: Ledger, forms: int) -> Plan:
    """Choose pairs with evidence first; exactly ``forms`` of them are answered."""
    rng, people = company.rng(3), company.people
    raters = people.raters
    evidence = _evidence(company, ledger.counts, raters)
    wish = rng.random((len(raters), len(company.targets)))
    willing = rng.lognormal(0, 0.8, len(raters))
    per_wave = np.diff(np.linspace(0, forms, WAVES + 1).astype(int))
    asked = np.zeros(evidence.shape, bool)
    answered = np.zeros(evidence.shape, bool)
    for wave, wanted in enumerate(per_wave):
        number = round(wanted / company.truth.effects.response)
        asked[wave] = _choose(company, raters, evidence[wave], wish, number)
        answered[wave] = _respond(asked[wave], willing, int(wanted), rng)
    named = _split(people.unit[raters], rng)
    after = np.where(
        company.rng(7).random(evidence.shape) < _AFTER_CASE, ledger.closed[:, raters], -1
    )
    after[:, people.role[raters] != 1] = -1
    starts, services = (np.concatenate(parts) for parts in (ledger.starts, ledger.services))
    return Plan(raters, asked, answered, evidence, named, after, starts, services)


def _evidence(company: Company, counts: np.ndarray, raters: np.ndarray) -> np.ndarray:
    """Own cases of employees; cases of the whole department for those who speak for it."""
    people = company.people
    own = counts[:, raters]
    units = np.zeros((len(counts), len(people.heads), counts.shape[2]), counts.dtype)
    for wave in range(len(counts)):
        np.add.at(units[wave], people.unit, counts[wave])
    role = people.role[raters][None, :, None]
    return np.where(role == 3, -1, np.where(role == 2, units[:, people.unit[raters]], own))


def _choose(
    company: Company, raters: np.ndarray, evidence: np.ndarray, wish: np.ndarray, number: int
) -> np.ndarray:
    own = company.people.unit[raters][:, None] == company.targets[None, :]
    supervisor = (company.people.role[raters] == 3)[:, None]
    # Supervisors first, then pairs that met, in an order that stays from wave to wave.
    key = wish + 2.0 * (evidence > 0) + 4.0 * supervisor
    key = np.where(own, -np.inf, key)
    cap = max(CAP, -(-number // max(1, len(raters))) + 1)
    rank = np.argsort(np.argsort(-key, axis=1), axis=1)
    key = np.where(rank < np.where(supervisor, max(cap, _SUPERVISED), cap), key, -np.inf)
    chosen = np.zeros(key.size, bool)
    order = np.argsort(-key, axis=None, kind="stable")[:number]
    chosen[order[np.isfinite(key.ravel()[order])]] = True
    return chosen.reshape(key.shape)


def _respond(
    asked: np.ndarray, willing: np.ndarray, wanted: int, rng: np.random.Generator
) -> np.ndarray:
    """Exactly so many forms come back; some raters answer more readily than others."""
    place = np.flatnonzero(asked)
    late = rng.exponential(size=len(place)) / np.repeat(willing, asked.sum(axis=1))
    answered = np.zeros(asked.size, bool)
    answered[place[np.argsort(late, kind="stable")[:wanted]]] = True
    return answered.reshape(asked.shape)


def _split(unit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of each department, drawn by lot, signs the forms; it stays so over the waves."""
    order = np.lexsort((rng.random(len(unit)), unit))
    named = np.zeros(len(unit), bool)
    named[order[::2]] = True
    return named
