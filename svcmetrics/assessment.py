"""The main job: what the tables of a study allow to say, from ratings and logs to groups of departments.

The notebooks show every step; this strings the same public functions together for ``report`` and
for the first notebook. Nothing here computes: it only decides which function gets which table.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from svcmetrics import measure, pilot, rate, score, verify, weigh
from svcmetrics.indicators import REGULAR, dimension_weights, indicators, shares, usable
from svcmetrics.result import Result
from svcmetrics.study import Study


def assess(study: Study) -> dict[str, Result]:
    """Every result that the study's tables allow, by name, with names in place of ids.

    ``study``: as ``read_study`` gives it; three tables are enough for a first result.

    >>> from svcmetrics.simulate import company
    >>> sorted(assess(company(events=2000, ratings=1500)))[:3]
    ['adjust', 'composite', 'gate']
    """
    results: dict[str, Result] = {}
    if study.has("rating"):
        results |= _ratings(study)
    if study.has("event", "service"):
        results |= _log(study)
    if study.has("judgement"):
        results["weights"] = _weights(study)
    if "adjust" in results:
        results |= _scores(study, results)
    if study.settings.criteria and results:
        results["gate"] = gate(study, results)
    return {name: study.named(r) for name, r in results.items()}


def _ratings(study: Study) -> dict[str, Result]:
    ratings = usable(study)
    columns = {"target": "target_id", "rater": "rater_key", "score": "score"}
    optional = {k: k for k in ("wave", "mode") if ratings[k].nunique() > 1}
    results = {
        "adjust": score.adjust(ratings, **columns, **optional),
        "straight_lining": verify.straight_lining(
            ratings, form="plan_id", item="item_id", score="raw_score", wave="wave"
        ),
    }
    if study.has("plan"):
        results["response"] = rate.response(study.plan, ratings=study.rating)
        results["connectivity"] = rate.connectivity(study.plan)
    return results


def _log(study: Study) -> dict[str, Result]:
    tables = log_tables(study)
    return {
        "on_time": measure.on_time(study.event, **tables, commitments=study.get("commitment")),
        "returns": measure.returns(study.event, services=tables["services"], steps=tables["steps"]),
    }


def log_tables(study: Study) -> dict[str, object]:
    """What the functions of ``measure`` need beside the events, as keyword arguments."""
    return {
        "services": study.get("service"),
        "steps": study.get("step"),
        "calendar": study.get("calendar"),
        "timezone": study.settings.timezone,
    }


def _weights(study: Study) -> Result:
    pairs = study.judgement[study.judgement["method"] == "ahp"]
    return weigh.ahp(pairs, judge="judge_key")


def _scores(study: Study, results: Mapping[str, Result]) -> dict[str, Result]:
    weights = dimension_weights(study, results)
    found = indicators(study, results, weights)
    composite = score.composite(found, weights=shares(found, weights), target="target_id")
    return {"composite": composite, "groups": score.groups(composite.table, target="target_id")}


def gate(study: Study, results: Mapping[str, Result]) -> Result:
    """The criteria of study.toml against the evidence that these results hold."""
    criteria = study.settings.criteria
    return pilot.gate(evidence(study, results), criteria=criteria, before=criteria)


def evidence(study: Study, results: Mapping[str, Result]) -> pd.DataFrame:
    """One row per criterion of a pilot: metric, estimate, low, high, n."""
    parts = []
    if study.has("event", "service"):
        regular = measure.on_time(study.event, **log_tables(study), by=None).table
        parts.append(regular[regular["variant"] == REGULAR["on_time"]])
    if "response" in results:
        parts.append(results["response"].table.tail(1))
    if study.has("rating") and study.rating["seconds"].notna().any():
        minutes = rate.burden(study.rating).table.tail(1)
        parts.append(minutes.assign(metric="minutes_per_form"))
    columns = ["metric", "estimate", "low", "high", "n"]
    return (
        pd.concat([p[columns] for p in parts], ignore_index=True)
        if parts
        else pd.DataFrame(columns=columns)
    )
