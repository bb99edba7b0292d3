"""Rules of weights and of the judgements that they come from."""

from __future__ import annotations

import pandas as pd

from svcmetrics.checks.catalogue import ROUNDING
from svcmetrics.checks.view import View, filled, some


def check(view: View) -> None:
    """Weights, then judgements."""
    _weights(view)
    judgement = view.table("judgement", "method")
    if judgement is not None:
        lonely = judgement["method"].isin(["ahp", "bwm"]) & ~filled(judgement, "node_b")
        view.say("pair_missing", "judgement", lonely, column="node_b")
        if {"node_a", "node_b"} <= set(judgement.columns):
            same = filled(judgement, "node_b") & (judgement["node_a"] == judgement["node_b"])
            view.say(
                "pair_same", "judgement", same & (judgement.get("value") != 1), column="node_b"
            )


def _weights(view: View) -> None:
    weight = view.table("weight", "set_id", "node", "weight")
    if weight is None:
        return
    parent = (
        weight["parent"]
        if "parent" in weight.columns
        else pd.Series(pd.NA, index=weight.index, dtype="str")
    )
    by = [weight["set_id"].fillna(""), parent.fillna("")]
    groups = weight["weight"].groupby(by)
    total, given = groups.transform("sum"), groups.transform("count")
    # The top node alone stands for the whole and needs no weight.
    off = (given > 0) & ((total - 1).abs() > ROUNDING)
    first = off & ~pd.DataFrame({"a": by[0], "b": by[1]}).duplicated()
    if off.any():
        names = (by[0] + "/" + by[1]).str.strip("/")
        view.say("weights_sum", "weight", first, column="weight",
                 groups=some(names[off]), found=f"{total[off].iloc[0]:.3f}")  # fmt: skip
    unknown = parent.notna() & ~parent.isin(weight["node"])
    roots = parent.dropna().unique()
    if len(roots) > 1:
        view.say(
            "parent_unknown",
            "weight",
            unknown,
            column="parent",
            level="warning",
            bad=some(parent[unknown]),
        )
    for column, wrong in (
        ("low", lambda w: w["low"] > w["weight"]),
        ("high", lambda w: w["high"] < w["weight"]),
    ):
        if column in weight.columns:
            view.say("weight_outside", "weight", wrong(weight), column=column)
