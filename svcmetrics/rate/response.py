"""How many of the forms that were asked for came back."""

from __future__ import annotations

import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.numeric.intervals import wilson
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require, unique

# Below this share those who answer may well differ from those who do not.
_ENOUGH = 0.7


@metric(
    better="higher",
    low=0,
    high=1,
    source="AAPOR (2023), Standard Definitions, response rate RR2; interval: Wilson (1927)",
    behind="ratings",
)
def response(
    plan: pd.DataFrame,
    *,
    ratings: pd.DataFrame,
    form: str = "plan_id",
    wave: str | None = "wave",
) -> Result:
    """How many of the planned forms were answered, at least in part?

    ``plan``: one row per form that was asked for, with the columns ``form`` (its id) and ``wave``
    (None: all together). ``ratings``: the answers; a form counts as answered when its id occurs
    there, whether it was answered in full or in part.

    Returns one row per wave and one for all waves together: share with Wilson's 95% interval,
    ``n`` forms asked for, ``answered`` forms. Answers to forms that were never planned are counted
    in ``about`` and left out.

    It misleads when a good share hides that one group of raters is silent, and when forms are
    answered mechanically: see ``verify.straight_lining``.

    Source: AAPOR (2023), response rate RR2.

    >>> import pandas as pd
    >>> plan = pd.DataFrame({"plan_id": ["a", "b", "c", "d"], "wave": "1"})
    >>> response(plan, ratings=pd.DataFrame({"plan_id": ["a", "a", "c"]})).table["estimate"].tolist()
    [0.5, 0.5]
    """
    require(plan, form, wave)
    require(ratings, form)
    known = plan.dropna(subset=[form])
    unique(known, form)
    answered = known[form].isin(ratings[form].dropna())
    waves = known[wave].astype(str) if wave else pd.Series("", index=known.index)
    counts = (
        answered.groupby(waves).agg(["sum", "size"])
        if wave
        else pd.DataFrame(columns=["sum", "size"])
    )
    counts.loc["all"] = [answered.sum(), len(answered)]
    low, high = wilson(counts["sum"], counts["size"])
    asked = counts["size"].astype("int64")
    table = estimates(
        "response", groups={wave or "wave": counts.index}, estimate=counts["sum"] / asked.where(asked > 0),
        low=low, high=high, n=asked, answered=counts["sum"].astype("int64"),
    )  # fmt: skip
    strangers = int((~ratings[form].dropna().isin(known[form])).sum())
    dropped = {
        k: v for k, v in {"no_id": len(plan) - len(known), "not_planned": strangers}.items() if v
    }
    return Result(
        "response", table, _findings(table), {"dropped": dropped, "method": "Wilson score interval"}
    )


def _findings(table: pd.DataFrame) -> list[Finding]:
    whole = table.iloc[-1]
    if not whole["n"]:
        return [Finding("response.none", {}, "refused")]
    said = {k: whole[k] for k in ("estimate", "low", "high", "n")}
    findings = [Finding("response.reading", said)]
    if whole["answered"] == whole["n"]:
        findings.append(Finding("response.every_form", {"n": whole["n"]}, "warning"))
    waves = table.iloc[:-1]
    thin = list(waves.loc[waves["high"] < _ENOUGH, waves.columns[0]])
    if thin:
        findings.append(Finding("response.low", {"waves": thin, "enough": _ENOUGH}, "warning"))
    return findings
