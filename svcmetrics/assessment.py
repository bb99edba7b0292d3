"""The main job: what the tables of a study allow to say, from ratings and logs to groups of departments.

The notebooks show every step; this strings the same public functions together for ``report`` and
for the first notebook. Nothing here computes: it only decides which function gets which table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from svcmetrics import criteria, measure, rate, score, verify, weigh
from svcmetrics.indicators import (
    REGULAR,
    adjusted,
    dimension_weights,
    form_scores,
    indicators,
    joint_draws,
    last_wave,
    rating_scale,
    shares,
)
from svcmetrics.privacy.audited import COMPUTED
from svcmetrics.result import Finding, Result
from svcmetrics.study import Study

# Fewer departments are no comparison.
_COMPARED = 3


def assess(study: Study) -> dict[str, Result]:
    """Every result that the study's tables allow, by name, with names in place of ids.

    ``study``: as ``read_study`` gives it; three tables are enough for a first result.

    >>> from svcmetrics.simulate import company
    >>> sorted(assess(company(events=2000, ratings=1500)))[:3]
    ['adjust', 'composite', 'connectivity']
    """
    return {name: study.named(result) for name, result in _results(study).items()}


def _results(study: Study) -> dict[str, Result]:
    """The same with ids, as the functions need them of one another."""
    results: dict[str, Result] = {}
    if study.has("judgement"):
        pairs = study.judgement[study.judgement["method"] == "ahp"]
        results["weights"] = weigh.ahp(pairs, judge="judge_key")
    if study.has("event", "service"):
        results |= _log(study)
    if study.has("rating"):
        forms = form_scores(study.long_ratings(), dimension_weights(study, results))
        results |= _ratings(study, forms)
        results |= _scores(study, results, forms)
    if study.settings.criteria and results:
        found = evidence(study, results)
        results["gate"] = criteria.gate(study, found)
    return results


def _log(study: Study) -> dict[str, Result]:
    tables = log_tables(study)
    cases = measure.cases(study.event, **tables)  # once: making it is most of the work
    judged = {"services": study.service, "timezone": study.settings.timezone}
    deadlines = {"commitments": study.get("commitment"), "calendar": study.get("calendar")}
    return {
        "on_time": measure.on_time(cases, **judged, **deadlines),
        "on_time_overall": measure.on_time(cases, **judged, **deadlines, by=None),
        "returns": measure.returns(study.event, services=study.service, steps=study.get("step")),
        **_shortening(study, cases),
    }


def _shortening(study: Study, cases: Any) -> dict[str, Result]:
    """The pilot departments' routine work against its own baseline, since the pilot began."""
    if study.settings.pilot_from is None or not isinstance(cases, pd.DataFrame):
        return {}
    own = study.service[study.service["provider_id"].isin(study.settings.pilot_units)]
    return {
        "shortening": measure.shortening(
            cases[cases["service_id"].isin(own["service_id"])], services=own,
            calendar=study.get("calendar"), since=f"{study.settings.pilot_from:%Y-%m-%d}", by=None,
            timezone=study.settings.timezone,
        )
    }  # fmt: skip


def log_tables(study: Study) -> dict[str, Any]:
    """What the functions of ``measure`` need beside the events, as keyword arguments."""
    return {
        "services": study.get("service"),
        "steps": study.get("step"),
        "calendar": study.get("calendar"),
        "timezone": study.settings.timezone,
    }


def _ratings(study: Study, forms: pd.DataFrame) -> dict[str, Result]:
    ratings = study.long_ratings()
    own = {
        "adjust": adjusted(forms),
        "reliability": verify.generalizability(
            last_wave(forms), "score ~ target_id + rater_key", object="target_id"
        ),
        "straight_lining": verify.straight_lining(
            ratings, form="form", item="item_id", score="raw_score", wave="wave"
        ),
        "formality": verify.formality(
            ratings, rater="rater_key", target="target_id", item="item_id", score="raw_score",
            wave="wave", time="submitted_at" if ratings["submitted_at"].notna().any() else None,
        ),
    }  # fmt: skip
    if study.has("plan"):
        own["response"] = rate.response(study.plan, ratings=study.rating)
        own["connectivity"] = rate.connectivity(study.plan)
    return own


def _scores(study: Study, results: Mapping[str, Result], forms: pd.DataFrame) -> dict[str, Result]:
    found = indicators(study, results)
    how: dict[str, Any] = {
        "weights": shares(found, dimension_weights(study, results)),
        "target": "target_id",
    }
    composite = score.composite(found, **how).also(_guessed_scale(study))
    compared = _compared(study, results, composite.table)
    few = _few_raters(study, composite.table, compared)
    joint = joint_draws(study, forms)
    if not joint:
        groups = score.groups(compared, target="target_id")
        return {"composite": composite, "groups": groups.also(few)}
    # The same raters rated several departments: errors that they share cancel in a comparison.
    drawn = score.composite_draws(found, joint=joint, rng=study.settings.seed, **how)
    drawn = drawn[[t for t in drawn.columns if t in set(compared["target_id"])]]
    groups = score.groups(compared, target="target_id", uncertainty=drawn)
    return {"composite": composite, "groups": groups.also(few)}


def _guessed_scale(study: Study) -> list[Finding]:
    if study.has("item"):
        return []
    low, high = rating_scale(study)
    return [Finding("assess.scale_from_answers", {"low": low, "high": high}, "warning")]


def _few_raters(study: Study, table: pd.DataFrame, compared: pd.DataFrame) -> list[Finding]:
    """Who is not compared, and why: a department must not vanish without a word."""
    missing = table.loc[~table["target_id"].isin(compared["target_id"]), "target_id"]
    if missing.empty:
        return []
    values = {
        "names": missing.tolist(),
        "count": len(missing),
        "least": COMPUTED * study.settings.min_raters,
    }
    return [Finding("assess.few_raters", values, "warning")]


def _compared(study: Study, results: Mapping[str, Result], table: pd.DataFrame) -> pd.DataFrame:
    """Composites of the departments that may be shown: the mean of all would tell a hidden one.

    Where fewer than three are left, all of them: nothing is told of a comparison that is not shown.
    """
    said = results["adjust"].table
    least = COMPUTED * study.settings.min_raters
    enough = said.loc[(said["variant"] == "adjusted") & (said["n"] >= least), "target_id"]
    kept = table[table["target_id"].isin(enough)]
    return kept if len(kept) >= _COMPARED else table


def evidence(study: Study, results: Mapping[str, Result]) -> pd.DataFrame:
    """One row per criterion of a pilot: metric, estimate, low, high, n."""
    parts = []
    if "on_time_overall" in results:
        whole = results["on_time_overall"].table
        parts.append(whole[whole["variant"] == REGULAR["on_time"]])
    if "shortening" in results:
        # Like months only: otherwise a quiet season would pass for an effect of the pilot.
        own = results["shortening"].table
        parts.append(own[own["variant"] == "same_month"].assign(metric="duration_ratio"))
    if "reliability" in results:
        own = results["reliability"].table
        parts.append(own[own["metric"] == "phi"])
        told = results["formality"].table
        parts.append(told[(told["metric"] == "formality") & (told["variant"] == "targets")].tail(1))
        parts.append(told[told["metric"] == "copying"].tail(1))
    if "response" in results:
        parts.append(results["response"].table.tail(1))
    if study.has("rating") and study.rating["seconds"].notna().any():
        minutes = rate.burden(study.rating).table.tail(1)
        parts.append(minutes.assign(metric="minutes_per_form"))
    columns = ["metric", "estimate", "low", "high", "n"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat([p[columns] for p in parts], ignore_index=True)
