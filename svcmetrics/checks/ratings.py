"""Rules of the answers: each belongs to somebody, has a score or a reason, and stays on its scale."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.checks.view import View, filled, some
from svcmetrics.long_ratings import item_rows


def check(view: View) -> None:
    """Ratings against plan, cases, items and scales."""
    rating = view.table("rating", "item_id")
    if rating is None:
        return
    given, reason = filled(rating, "score"), filled(rating, "na_reason")
    if given.any() or reason.any():
        view.say("score_and_reason", "rating", given & reason, column="score")
        view.say("score_missing", "rating", ~given & ~reason, column="score")
    else:
        present = [str(c) for c in rating.columns if rating[c].notna().any()]
        view.say("columns_missing", "rating", column="score", missing=["score"], present=present)
    _placed(view, rating)
    _cases(view, rating)
    if "score" in rating.columns and pd.api.types.is_numeric_dtype(rating["score"]):
        _scale(view, rating)


def _placed(view: View, rating: pd.DataFrame) -> None:
    """Every rating names a plan row, a case, or who rated whom."""
    placed = filled(rating, "plan_id") | filled(rating, "case_id")
    inline = filled(rating, "rater_key") & filled(rating, "target_id")
    view.say("rating_unplaced", "rating", ~placed & ~inline, column="plan_id")
    if not view.study.has("plan"):
        lost = filled(rating, "plan_id") & ~inline
        view.say("plan_missing", "rating", lost, column="plan_id")
    if {"rater_unit_id", "target_id"} <= set(rating.columns):
        own = filled(rating, "rater_unit_id") & (rating["rater_unit_id"] == rating["target_id"])
        view.say("rates_own_unit", "rating", own, column="target_id", level="warning")


def _cases(view: View, rating: pd.DataFrame) -> None:
    given = filled(rating, "case_id")
    event = view.table("event", "case_id")
    if given.any() and event is not None:
        unknown = given & ~rating["case_id"].isin(event["case_id"])
        view.say(
            "case_unknown",
            "rating",
            unknown,
            column="case_id",
            bad=some(rating.loc[unknown, "case_id"]),
        )


def _scale(view: View, rating: pd.DataFrame) -> None:
    item = view.table("item", "form_version", "item_id", "min", "max")
    score = rating["score"].astype("float64")
    if item is None:
        _outliers(view, score)
        _guessed_ends(view, score.dropna())
        return
    rows = item_rows(rating, view.table("plan", "plan_id", "form_version"), item)
    ends = item[["min", "max"]].astype("float64").reset_index(drop=True).reindex(rows)
    low, high = (pd.Series(ends[c].to_numpy(), index=score.index) for c in ("min", "max"))
    off = (score < low) | (score > high)
    if off.any():
        first = np.flatnonzero(off)[0]
        values = {
            "bad": f"{score.iloc[first]:g}",
            "low": f"{low.iloc[first]:g}",
            "high": f"{high.iloc[first]:g}",
        }
        view.say("score_off_scale", "rating", off, column="score", **values)
    if view.study.has("plan") and "plan_id" in rating.columns:
        absent = filled(rating, "plan_id") & low.isna() & rating["item_id"].isin(item["item_id"])
        view.say(
            "item_not_in_form",
            "rating",
            absent,
            column="item_id",
            bad=some(rating.loc[absent, "item_id"]),
        )


def _outliers(view: View, score: pd.Series) -> None:
    """Without a declared scale: a few scores far beyond all others are probably typing errors."""
    given = score.dropna()
    if len(given) < 20:
        return
    low, high = given.quantile([0.05, 0.95])
    reach = max(high - low, 1.0)
    far = (score < low - reach) | (score > high + reach)
    if 0 < far.sum() <= 0.02 * len(given) + 1:
        values = {"bad": f"{score[far].iloc[0]:g}", "low": f"{low:g}", "high": f"{high:g}"}
        view.say("score_far_out", "rating", far, column="score", level="warning", **values)


def _guessed_ends(view: View, given: pd.Series) -> None:
    """Without a declared scale its ends are those of the answers: one typing error moves every score."""
    if given.empty:
        return
    low, high = given.min(), given.max()
    values = {"low": f"{low:g}", "high": f"{high:g}", "n": len(given)}
    counts = {"n_low": int((given == low).sum()), "n_high": int((given == high).sum())}
    view.say("scale_from_answers", "rating", column="score", level="warning", **values, **counts)
