"""truth.toml: what was planted, and how often it came out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from svcmetrics.simulate.answers import Tally
from svcmetrics.simulate.cases import stamper
from svcmetrics.simulate.firm import Company
from svcmetrics.simulate.forms import FORM, form_items
from svcmetrics.simulate.judges import INCONSISTENT, judge_key
from svcmetrics.simulate.log import Ledger
from svcmetrics.simulate.plan import Plan
from svcmetrics.simulate.planted import DIMENSIONS, PILOT_FROM, TRUE_WEIGHTS, plain, shares
from svcmetrics.simulate.waves import WINDOW_DAYS, waves


def truth_document(company: Company, plan: Plan, ledger: Ledger, tally: Tally) -> dict[str, Any]:
    """Every planted fact under a name of its own."""
    truth, ids = company.truth, company.unit["unit_id"].to_numpy()
    services = ids[company.targets]
    bad = next(item["id"] for item in form_items() if item.get("ill"))
    document = {
        "seed": company.seed,
        "weights": dict(zip(DIMENSIONS, TRUE_WEIGHTS)),
        "quality": {u: dict(zip(DIMENSIONS, q)) for u, q in zip(services, truth.quality)},
        "quality_overall": dict(zip(services, truth.quality @ np.array(TRUE_WEIGHTS))),
        "raters": {
            "severity_sd": truth.effects.severity_sd, "halo_sd": truth.effects.halo_sd,
            "in_group": truth.effects.in_group, "named_mode": truth.effects.named_mode,
            "count": len(plan.raters), "window_days": WINDOW_DAYS,
        },
        "reciprocity": {"units": [services[i] for i in truth.pair], "extra": truth.effects.reciprocity},
        "formality": _formality(truth.effects, tally),
        "pilot": {
            "units": list(services[truth.pilot]), "from": PILOT_FROM, "time_factor": truth.effects.pilot_time,
            "timeliness_gain": truth.effects.pilot_timeliness,
        },
        "work": {"time_factor": dict(zip(services, truth.time_factor)),
                 "return_factor": dict(zip(services, truth.return_factor))},
        "rubber_stamp": {"unit": services[truth.stamp_unit], "actor_key": company.people.key[stamper(company)],
                         "seconds": truth.effects.stamp_seconds},
        "links": {"resubmitted": ledger.resubmitted, "linked": ledger.linked, "asked_share": truth.effects.link_share},
        "ill_item": {"form_version": FORM, "item_id": bad},
        "judges": {"inconsistent": judge_key(company, INCONSISTENT)},
        "effects": asdict(truth.effects),
        **_persons(company, plan, tally),
    }  # fmt: skip
    return plain(document)


def _persons(company: Company, plan: Plan, tally: Tally) -> dict[str, Any]:
    """Severity of each rater; from which wave on somebody copies or ticks straight lines."""
    keys, names = company.people.key[plan.raters], np.array([w for w, _, _ in waves()])
    severity, habit = (
        np.concatenate([getattr(p, name) for p in tally.persons]) for name in ("severity", "habit")
    )
    effects = company.truth.effects
    begins = {
        "copiers": habit[:, None] < shares(effects.copy_share),
        "straight_liners": habit[:, None] > 1 - shares(effects.straight_share),
    }
    since = {
        name: {keys[i]: names[formal[i].argmax()] for i in np.flatnonzero(formal.any(axis=1))}
        for name, formal in begins.items()
    }
    return {"severity": dict(zip(keys, severity)), **since}


def _formality(effects: Any, tally: Tally) -> dict[str, Any]:
    forms = np.maximum(tally.forms, 1)
    return {
        "waves": [w for w, _, _ in waves()], "copier_share": shares(effects.copy_share),
        "straight_share": shares(effects.straight_share), "copied_forms": tally.copies / forms,
        "straight_forms": tally.straight / forms, "forms": tally.forms,
    }  # fmt: skip
