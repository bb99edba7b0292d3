"""From results to indicators on one scale, and how much each of them counts.

What raters say is one indicator: each form becomes one score, its dimensions weighed, before the
departments are adjusted for severity. The dimensions of a form share one rater's mood, so scoring
them apart and adding them up would count that mood as independent evidence. A dimension that the
log bears witness to (time, returns) gives half of its weight to the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from svcmetrics import score
from svcmetrics.numeric.raters import MANY
from svcmetrics.result import Result, estimates
from svcmetrics.study import Study

# Which dimension the log bears witness to, recognised by a word of its name, and the goalposts
# (worst, best) of that evidence. They are declared here, before any result is seen.
EVIDENCE = {
    "on_time": (("及时", "timel", "time"), (0.5, 1.0)),
    "returns": (("质量", "qualit"), (20.0, 0.0)),
}
# Where a dimension has both ratings and a log, the log counts for this share of its weight.
LOG_SHARE = 0.5
# The variant of a log indicator that counts regular cases only; emergencies stay outside the score.
REGULAR = {"on_time": "promise", "returns": ""}
# A form counts when it answers at least this share of the weight.
_ANSWERED = 0.5

_FORM = ["wave", "mode", "rater_key", "rater_unit_id", "target_id"]
_INDICATOR = ["target_id", "metric", "estimate", "low", "high", "n"]


def dimension_weights(study: Study, results: Mapping[str, Result]) -> pd.DataFrame:
    """Frozen weights first, else those just elicited, else equal ones: node, weight, low, high."""
    rated = study.long_ratings()["dimension"].dropna().unique()
    if study.has("weight"):
        table = study.weight[["node", "weight", "low", "high"]]
    elif "weights" in results:
        table = results["weights"].table.rename(columns={"node_a": "node", "estimate": "weight"})
        table = table[["node", "weight", "low", "high"]]
    else:
        table = pd.DataFrame({"node": []})
    if not table["node"].isin(rated).any():
        nodes = sorted(rated)
        table = pd.DataFrame({"node": nodes, "weight": 1 / len(nodes)})
        table = table.assign(low=table["weight"], high=table["weight"])
    return table.reset_index(drop=True)


def form_scores(ratings: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """One score per form: the mean of its items per dimension, the dimensions weighed.

    ``ratings``: as ``study.long_ratings()``. A form that answers less than half of the weight is
    left out; otherwise the weights of the dimensions that it answers are scaled up.
    """
    by, keys = _dimensions(ratings, weights)
    by["points"] = by["score"] * by["weight"]
    sums = by.groupby(keys, dropna=False, observed=True)[["points", "weight"]].sum().reset_index()
    enough = sums["weight"] >= _ANSWERED * weights["weight"].sum()
    return sums.assign(score=sums["points"] / sums["weight"])[enough].reset_index(drop=True)


def form_parts(ratings: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """What the score of each form is made of: its dimensions, each with its share of the form.

    Rows as many as forms have dimensions; ``score``: of the dimension; ``share``: they add up to 1
    per form, and the scores weighed with them give ``form_scores``.
    """
    by, keys = _dimensions(ratings, weights)
    whole = by.groupby(keys, dropna=False, observed=True)["weight"].transform("sum")
    enough = whole >= _ANSWERED * weights["weight"].sum()
    return by.assign(share=by["weight"] / whole)[enough].reset_index(drop=True)


def _dimensions(ratings: pd.DataFrame, weights: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The mean of each form's items per dimension with the dimension's weight; what names a form."""
    keys = [c for c in _FORM if ratings[c].notna().any()]
    by = ratings.dropna(subset=["score", "rater_key", "target_id"])
    by = by.groupby([*keys, "dimension"], dropna=False, observed=True)["score"].mean().reset_index()
    by["weight"] = by["dimension"].map(weights.set_index("node")["weight"]).astype("float64")
    return by.dropna(subset=["weight"]), keys


def last_wave(forms: pd.DataFrame) -> pd.DataFrame:
    """The forms of the last wave; all of them where there are no waves. One row per rater and department."""
    if "wave" in forms:
        forms = forms[forms["wave"] == forms["wave"].max()]
    return forms.groupby(["target_id", "rater_key"], observed=True)["score"].mean().reset_index()


def adjusted(forms: pd.DataFrame) -> Result:
    """The departments' ratings, adjusted for severity and, where they vary, for wave and mode."""
    return score.adjust(forms, **_adjusting(forms))


def joint_draws(study: Study, forms: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Joint draws of the adjusted ratings, 0 to 100; none where the departments are too many."""
    if forms["target_id"].nunique() > MANY:
        return {}
    worst, best = rating_scale(study)
    drawn = score.adjust_draws(forms, **_adjusting(forms), rng=study.settings.seed)
    return {"ratings": (drawn - worst) / (best - worst) * 100}


def rating_errors(study: Study, results: Mapping[str, Result]) -> pd.DataFrame | str:
    """How the adjusted ratings err together, for ``uncertainty`` of score.groups, superiority, ranks.

    Joint draws with the departments as ``assess`` names them; where these are too many for that,
    the column of the standard error for comparisons.
    """
    forms = form_scores(study.long_ratings(), dimension_weights(study, results))
    if forms["target_id"].nunique() > MANY:
        return "se_compare"
    drawn = score.adjust_draws(forms, **_adjusting(forms), rng=study.settings.seed)
    ids = estimates("adjust", groups={"target_id": drawn.columns}, n=0)
    return drawn.set_axis(
        list(study.named(Result("adjust", ids, [], {})).table["target_id"]), axis=1
    )


def _adjusting(forms: pd.DataFrame) -> dict[str, Any]:
    """Columns for ``score.adjust``; waves and modes only where they vary."""
    vary = {c: c for c in ("wave", "mode") if c in forms and forms[c].nunique() > 1}
    return {"target": "target_id", "rater": "rater_key", "score": "score", **vary}


def indicators(study: Study, results: Mapping[str, Result]) -> pd.DataFrame:
    """One row per department and indicator, 0 to 100: what raters say, and what the log shows.

    ``results``: holds "adjust" and, where there is a log, "on_time" and "returns", with ids.
    """
    table = results["adjust"].table
    said = table[table["variant"] == "adjusted"].assign(metric="ratings")
    parts, posts = [said[_INDICATOR]], {"ratings": rating_scale(study)}
    for name, (_, goal) in EVIDENCE.items():
        if name in results:
            parts.append(_of_log(results[name], name, set(said["target_id"])))
            posts[name] = goal
    return score.normalise(pd.concat(parts, ignore_index=True), standard=posts)


def shares(found: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """The weight of each indicator, with its interval: node, weight, low, high."""
    rows = []
    for name in EVIDENCE:
        node = witness(name, weights)
        if node and name in set(found["metric"]):
            own = weights.loc[weights["node"] == node, ["weight", "low", "high"]].iloc[0]
            rows.append({"node": name, **(own * LOG_SHARE / weights["weight"].sum()).to_dict()})
    logs = pd.DataFrame(rows, columns=["node", "weight", "low", "high"])
    rest = {"node": "ratings", "weight": 1 - logs["weight"].sum()}
    rest |= {"low": 1 - logs["high"].sum(), "high": 1 - logs["low"].sum()}
    return pd.concat([pd.DataFrame([rest]), logs], ignore_index=True)


def witness(name: str, weights: pd.DataFrame) -> str:
    """The dimension that a log indicator bears witness to; empty when there is none of that name."""
    words, _ = EVIDENCE[name]
    hits = [n for n in weights["node"] if any(w in str(n).lower() for w in words)]
    return hits[0] if hits else ""


def _of_log(result: Result, name: str, targets: set[object]) -> pd.DataFrame:
    """The rows of a log indicator that speak of regular cases of rated departments."""
    table = result.table
    own = table[(table["metric"] == name) & (table["variant"] == REGULAR[name])]
    own = own.rename(columns={own.columns[0]: "target_id"})
    return own[own["target_id"].isin(targets)][_INDICATOR]


def rating_scale(study: Study) -> tuple[float, float]:
    """The ends of the rating scale: from the items, else from the answers."""
    ratings = study.long_ratings()
    if study.has("item"):
        used = study.item[study.item["item_id"].isin(ratings["item_id"].unique())]
        if len(used):
            return float(used["min"].min()), float(used["max"].max())
    return float(ratings["score"].min()), float(ratings["score"].max())
