"""From results to indicators on one scale, and how much each of them counts.

A dimension that the log bears witness to (time, returns) shares its weight between what raters
say and what the log shows.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from svcmetrics import score
from svcmetrics.long_ratings import long_ratings
from svcmetrics.result import Result
from svcmetrics.study import Study

# Which dimension the log bears witness to, recognised by a word of its name, and the goalposts
# (worst, best) of that evidence. They are declared here, before any result is seen.
EVIDENCE = {
    "on_time": (("及时", "timel", "time"), (0.5, 1.0)),
    "returns": (("质量", "qualit"), (20.0, 0.0)),
}
# Where a dimension has both ratings and a log, each counts for this share of its weight.
_LOG_SHARE = 0.5
# The variant of a log indicator that counts regular cases only; emergencies stay outside the score.
REGULAR = {"on_time": "promise", "returns": "per_100"}


def usable(study: Study) -> pd.DataFrame:
    """The long ratings of service units; a form is what one rater says of one department in one wave."""
    ratings = long_ratings(study)
    form = ratings[["wave", "rater_key", "target_id"]].astype("str").agg("·".join, axis=1)
    return ratings.assign(plan_id=ratings["plan_id"].where(ratings["plan_id"].notna(), form))


def dimension_weights(study: Study, results: Mapping[str, Result]) -> pd.DataFrame:
    """Frozen weights first, else those just elicited, else equal ones: node, weight, low, high."""
    if study.has("weight"):
        return study.weight[["node", "weight", "low", "high"]]
    if "weights" in results:
        table = results["weights"].table
        return table.rename(columns={"node_a": "node", "estimate": "weight"})[
            ["node", "weight", "low", "high"]
        ]
    nodes = sorted(long_ratings(study)["dimension"].dropna().unique())
    return pd.DataFrame({"node": nodes, "weight": 1 / len(nodes)})


def indicators(study: Study, results: Mapping[str, Result], weights: pd.DataFrame) -> pd.DataFrame:
    """One row per department and indicator, 0–100: each weighted dimension as rated, and what the log says."""
    ratings = usable(study)
    low, high = _scale(study, ratings)
    parts, posts = [], {}
    for node in weights["node"]:
        own = ratings[ratings["dimension"] == node]
        if own["score"].notna().any():
            parts.append(_adjusted(own).assign(metric=node))
            posts[node] = (low, high)
    for name, (_, goal) in EVIDENCE.items():
        if name in results and _bears_on(name, weights):
            parts.append(_of_log(results[name], name))
            posts[name] = goal
    return score.normalise(pd.concat(parts, ignore_index=True), standard=posts)


def shares(found: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """The weight of each indicator: a dimension with a log behind it shares its weight with the log."""
    witness = {_bears_on(name, weights): name for name in EVIDENCE if name in set(found["metric"])}
    kept = weights[weights["node"].isin([*found["metric"], *witness])]
    numeric = kept.select_dtypes("number").columns
    both = kept["node"].isin(list(witness)) & kept["node"].isin(found["metric"])
    own, log = kept.copy(), kept[kept["node"].isin(list(witness))].copy()
    own.loc[both, numeric] *= 1 - _LOG_SHARE
    log.loc[both.reindex(log.index), numeric] *= _LOG_SHARE
    log["node"] = log["node"].map(witness)
    own = own[own["node"].isin(found["metric"])]
    out = pd.concat([own, log], ignore_index=True)
    return out.assign(**{c: out[c] / out["weight"].sum() for c in numeric})


def _bears_on(name: str, weights: pd.DataFrame) -> str:
    """The dimension that a log indicator bears witness to; empty when there is none of that name."""
    words, _ = EVIDENCE[name]
    hits = [n for n in weights["node"] if any(w in str(n).lower() for w in words)]
    return hits[0] if hits else ""


def _adjusted(ratings: pd.DataFrame) -> pd.DataFrame:
    optional = {k: k for k in ("wave", "mode") if ratings[k].nunique() > 1}
    table = score.adjust(
        ratings, target="target_id", rater="rater_key", score="score", **optional
    ).table
    return table[table["variant"] == "adjusted"][
        ["target_id", "metric", "estimate", "low", "high", "n"]
    ]


def _of_log(result: Result, name: str) -> pd.DataFrame:
    """The rows of a log indicator that speak of regular cases: one per department."""
    table = result.table
    own = table[(table["metric"] == name) & (table["variant"] == REGULAR[name])]
    by = own.columns[0]
    return own.rename(columns={by: "target_id"})[
        ["target_id", "metric", "estimate", "low", "high", "n"]
    ]


def _scale(study: Study, ratings: pd.DataFrame) -> tuple[float, float]:
    """The ends of the rating scale: from the items, else from the answers."""
    if study.has("item"):
        used = study.item[study.item["item_id"].isin(ratings["item_id"].unique())]
        if len(used):
            return float(used["min"].min()), float(used["max"].max())
    return float(ratings["score"].min()), float(ratings["score"].max())
