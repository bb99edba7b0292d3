"""Answers in long form as the tables unit, service, item, plan and rating of a study."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary

import numpy as np
import pandas as pd

from svcmetrics.io.derived import UNKNOWN_UNIT, service_table, unit_table
from svcmetrics.io.mapping import Answer, Mapping
from svcmetrics.io.quality import Tally, row_list
from svcmetrics.io.rating_items import item_table
from svcmetrics.privacy import pseudonymise
from svcmetrics.problems import Problem, StudyError

Tables = dict[str, pd.DataFrame]
# One row per answer; the index is the row of the source.
ANSWER_COLUMNS = (
    "rater", "rater_unit", "rater_role", "target", "parent", "service", "wave", "item", "score", "na_reason",
    "submitted_at", "seconds", "reason", "case_id",
)  # fmt: skip
_ROLES = {
    **dict.fromkeys(("employee", "员工"), "employee"),
    **dict.fromkeys(("downstream", "下游", "下游部门"), "downstream"),
    **dict.fromkeys(("supervisor", "上级", "领导", "主管"), "supervisor"),
}
_KEY = ["wave", "rater", "target", "service", "case_id", "item"]


def rating_tables(
    answers: pd.DataFrame,
    items: Dictionary[str, Answer],
    mapping: Mapping,
    tally: Tally,
    *,
    key: bytes,
    timezone: str,
) -> Tables:
    """Tables from answers with ``ANSWER_COLUMNS``; ``items``: where each item came from.

    Negative codes beside positive scores are answers not given. Two different answers of one rater on
    one target and item stop the import unless the mapping has a rule: constants."rating.repeated" =
    "first", "last" or "mean".
    """
    answers = answers.reindex(columns=list(ANSWER_COLUMNS))
    answers = _coded_missing(answers, tally)
    answers = _once(answers, mapping, tally)
    answers = _filled(answers, mapping, tally, key)
    units = _units(answers, tally)
    plan_ids = _plan_ids(answers)
    out = {
        "unit": units,
        "item": item_table(answers, items, mapping, tally),
        "plan": _plan(answers, plan_ids, mapping, tally),
    }
    if answers["service"].notna().any():
        busiest = (
            answers.groupby("service")["target"]
            .agg(lambda t: t.value_counts(sort=True).index[0])
            .sort_index()
        )
        out["service"] = service_table(
            pd.Series(busiest.index, dtype="str"), busiest, mapping, tally
        )
    out["rating"] = _ratings(answers, plan_ids, timezone)
    return out


def _coded_missing(answers: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    """-99 and the like beside positive scores: no score, but a reason."""
    score = answers["score"].astype("float64")
    code = (score < 0) & bool((score > 0).mean() > 0.5)
    if code.any():
        tally.say(
            "coded_missing",
            "warning",
            count=int(code.sum()),
            codes=sorted({f"{v:g}" for v in score[code]}),
        )
    reason = answers["na_reason"].astype("object").where(~code, score.map(lambda v: f"code {v:g}"))
    score = score.mask(code)
    reason = reason.where(reason.notna() | score.notna(), "blank").where(score.isna(), None)
    return answers.assign(score=score, na_reason=reason.astype("str"))


def _once(answers: pd.DataFrame, mapping: Mapping, tally: Tally) -> pd.DataFrame:
    same = answers.duplicated([*_KEY, "score", "na_reason"])
    if same.any():
        tally.say(
            "same_answers", "warning", count=int(same.sum()), rows=row_list(answers.index[same])
        )
        answers = answers[~same]
    clash = answers.duplicated(_KEY, keep=False)
    if not clash.any():
        return answers
    rule = mapping.constant("rating.repeated")
    if rule not in ("first", "last", "mean"):
        rows = tuple(int(r) for r in answers.index[clash][:50])
        raise StudyError(
            Problem(
                "import_conflict",
                {"pairs": int(answers[clash].duplicated(_KEY).sum())},
                file=tally.source,
                rows=rows,
                count=int(clash.sum()),
            )
        )
    tally.say("repeated_rule", "warning", count=int(clash.sum()), rule=rule)
    if rule == "mean":
        answers = answers.assign(
            score=answers.groupby(_KEY, dropna=False)["score"].transform("mean")
        )
        answers = answers.assign(na_reason=answers["na_reason"].where(answers["score"].isna()))
    return answers.drop_duplicates(_KEY, keep="last" if rule == "last" else "first")


def _filled(answers: pd.DataFrame, mapping: Mapping, tally: Tally, key: bytes) -> pd.DataFrame:
    role = (
        answers["rater_role"]
        .astype("object")
        .map(lambda v: _ROLES.get(str(v).strip().lower()) if pd.notna(v) else None)
    )
    odd = answers["rater_role"].notna() & role.isna()
    if odd.any():
        tally.say(
            "unknown_roles",
            "warning",
            count=int(odd.sum()),
            names=sorted(set(answers["rater_role"][odd]))[:10],
        )
    if answers["rater_unit"].isna().any():
        tally.say("no_rater_unit", "warning", count=int(answers["rater_unit"].isna().sum()))
    raters = (
        answers["rater"] if mapping.persons == "pseudonym" else pseudonymise(answers["rater"], key)
    )
    return answers.assign(
        rater=raters,
        rater_role=role.fillna(mapping.constant("plan.rater_role", "employee")).astype("str"),
        rater_unit=answers["rater_unit"].fillna(
            mapping.constant("plan.rater_unit_id", UNKNOWN_UNIT)
        ),
        wave=answers["wave"].fillna(mapping.constant("plan.wave", "W1")),
        parent=_apart(answers, mapping, tally),
    )


def _apart(answers: pd.DataFrame, mapping: Mapping, tally: Tally) -> pd.Series:
    """Parents numbered like targets ("2" and "2") are other units: their column's name goes in front."""
    parent = answers["parent"]
    shared = set(parent.dropna().unique()) & set(answers["target"].unique())
    if not any(s.isdigit() for s in shared):
        return parent
    name = mapping.source("unit.parent_id") or "unit"
    tally.say("parents_renamed", count=len(shared), example=f"{name} {min(shared)}")
    return (name + " " + parent).where(parent.notna())


def _units(answers: pd.DataFrame, tally: Tally) -> pd.DataFrame:
    targets = set(answers["target"].unique())
    pairs = answers[["target", "parent"]].dropna().drop_duplicates()
    many = pairs[pairs.duplicated("target", keep=False)]["target"].unique()
    if len(many):
        tally.say("many_parents", "warning", count=len(many), names=sorted(many)[:10])
    parents = pairs[~pairs["target"].isin(many) & (pairs["target"] != pairs["parent"])].set_index(
        "target"
    )["parent"]
    every = targets | set(parents) | set(answers["rater_unit"].dropna())
    ids = pd.Series(sorted(every), dtype="str")
    return unit_table(ids, service_unit=ids.isin(targets), parent=parents.reindex(ids))


def _plan_ids(answers: pd.DataFrame) -> pd.Series:
    """One id per wave, rater, target and service; the same in every import, and hidden by the key."""
    joint = (
        answers["wave"]
        + "\x1f"
        + answers["rater"]
        + "\x1f"
        + answers["target"]
        + "\x1f"
        + answers["service"].fillna("")
    )
    codes, distinct = pd.factorize(joint)
    named = np.array(
        [f"a{h:016x}" for h in pd.util.hash_array(np.asarray(distinct, dtype=object))], dtype=object
    )
    return pd.Series(named[codes], answers.index, dtype="str")


def _plan(
    answers: pd.DataFrame, plan_ids: pd.Series, mapping: Mapping, tally: Tally
) -> pd.DataFrame:
    mode = mapping.constant("plan.mode")
    if not mode:
        tally.say("assumed_mode", "warning", mode="confidential")
    by_case = answers["case_id"].notna().any()
    table = pd.DataFrame(
        {
            "plan_id": plan_ids,
            "wave": answers["wave"],
            "rater_key": answers["rater"],
            "rater_unit_id": answers["rater_unit"],
            "rater_role": answers["rater_role"],
            "target_id": answers["target"],
            "service_id": answers["service"],
            "trigger": mapping.constant("plan.trigger", "case_close" if by_case else "periodic"),
            "mode": mode or "confidential",
            "form_version": mapping.constant("plan.form_version", "form"),
        }
    )
    return table.drop_duplicates("plan_id").reset_index(drop=True)


def _ratings(answers: pd.DataFrame, plan_ids: pd.Series, timezone: str) -> pd.DataFrame:
    at = answers["submitted_at"]
    at = pd.to_datetime(at, utc=True).dt.as_unit("us").dt.tz_convert(timezone)
    return pd.DataFrame(
        {
            "plan_id": plan_ids,
            "case_id": answers["case_id"],
            "item_id": answers["item"],
            "score": answers["score"],
            "na_reason": answers["na_reason"],
            "submitted_at": at,
            "seconds": answers["seconds"].astype("float64"),
            "reason": answers["reason"],
        }
    ).reset_index(drop=True)
