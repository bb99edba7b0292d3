"""Reasons of returns and rejections, the most frequent first: a Pareto count."""

from __future__ import annotations

from typing import Any, Literal

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.log import is_in, read_log
from svcmetrics.measure.scoped import scoped
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.result import Finding, Level, Result, estimates

Of = Literal["both", "return", "reject"]
# The reasons that together explain so much are the "vital few" (Juran 1951).
_MOST = 0.8
# From here on the reasons that were given may tell another story than all would.
_MANY_UNNAMED = 0.2


@metric(
    better="neither",
    low=0,
    high=1,
    source="Juran 1951, Quality Control Handbook, section 3; Wilson 1927, JASA 22",
    drawing="pareto",
)
def reasons(
    events: Any,
    *,
    of: Of = "both",
    services: pd.DataFrame | None = None,
    by: By = None,
    rare: int = 3,
    timezone: str = "Asia/Shanghai",
) -> Result:
    """Why is work sent back, and which few reasons account for most of it?

    ``of``: "return", "reject" or "both". ``services``: names emergencies, which stand apart.
    ``by``: None for all together, or columns of the event (``service_id, provider_id, month,
    step_no`` of the step that sends back) or of the catalogue. ``rare``: reasons given fewer times
    than this are taken together; 1 shows all.

    Comes back per group and ``reason_code``: its share of all returns and rejections with Wilson
    limits, ``count`` and ``cumulative`` (share of this and all rows above). Two rows close the
    table: ``rare``, and ``unnamed`` – sent back without a reason, a share like any other.

    It misleads where reasons are free text: two wordings are two reasons, and a text may name
    somebody. A text that nobody repeats is never shown by itself. A frequent reason need not be
    the one that costs most time.

    Source: Juran (1951), Quality Control Handbook, section 3; Wilson (1927), JASA 22, 209–212.

    >>> log = pd.DataFrame({"case_id": "a", "seq": range(8), "service_id": "s", "action": "return",
    ...     "reason_code": [*["papers"] * 5, *["amount"] * 3],
    ...     "at": pd.date_range("2024-09-02", periods=8)})
    >>> reasons(log).table[["reason_code", "estimate", "cumulative"]].values.tolist()
    [['papers', 0.625, 0.625], ['amount', 0.375, 1.0]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    words = ("return", "reject") if of == "both" else (of,)
    back, dropped = scoped(log.events.filter(is_in(log.events["action"], words)), services, names,
                           timezone)  # fmt: skip
    counts = _counted(back, names)
    table = _table(counts, names, rare)
    about = {"method": "Wilson", "level": 0.95, "of": of, "rare": rare,
             "dropped": log.dropped | dropped}  # fmt: skip
    return Result("reasons", table, _findings(table), about)


def _counted(back: Table, names: list[str]) -> pd.DataFrame:
    """Times per group and reason; a reason of blanks only is none."""
    text = back["reason_code"].strip()
    back = back.mutate(reason=ibis.ifelse(text == "", ibis.null("string"), text))
    keys = [*names, "is_emergency", "reason"]
    return engine.frame(back.group_by(keys).aggregate(count=back.count()))


def _table(counts: pd.DataFrame, names: list[str], rare: int) -> pd.DataFrame:
    keys = [*names, "is_emergency"]
    parts = [
        _group(rows, dict(zip(keys, key)), rare) for key, rows in counts.groupby(keys, dropna=False)
    ]
    parts.sort(key=lambda p: p["variant"].str.startswith("emergency").any())  # stable
    if not parts:
        return estimates("reasons", groups={**dict.fromkeys(names), "reason_code": None}, n=0,
                         count=0, cumulative=float("nan"))  # fmt: skip
    return pd.concat(parts)


def _group(rows: pd.DataFrame, key: dict[str, Any], rare: int) -> pd.DataFrame:
    """The rows of one group: reasons by frequency, the rare ones together, then the unnamed."""
    named = rows[rows["reason"].notna()].sort_values(["count", "reason"], ascending=[False, True])
    often = named[named["count"] >= rare]
    last = {
        "rare": int(named["count"].sum() - often["count"].sum()),
        "unnamed": int(rows.loc[rows["reason"].isna(), "count"].sum()),
    }
    last = {k: v for k, v in last.items() if v}
    count = np.array([*often["count"], *last.values()], dtype=int)
    n = int(count.sum())
    low, high = intervals.wilson(count, n)
    emergency = "emergency_" if key.pop("is_emergency") else ""
    words = [*["reason"] * len(often), *last] if emergency else [*[""] * len(often), *last]
    return estimates(
        "reasons",
        groups={**key, "reason_code": [*often["reason"], *[None] * len(last)]},
        variant=[emergency + w for w in words],
        estimate=count / n,
        low=low,
        high=high,
        n=n,
        count=count,
        cumulative=count.cumsum() / n,
    )


def _findings(table: pd.DataFrame) -> list[Finding]:
    main = table[~table["variant"].str.startswith("emergency")]
    count = main["count"].groupby(main["reason_code"]).sum()
    count = count.sort_values(ascending=False, kind="stable")
    n, named = int(main["count"].sum()), int(main.loc[main["variant"] != "unnamed", "count"].sum())
    unnamed = n - named
    if not named:
        key = "reasons.unnamed_all" if unnamed else "reasons.none"
        return [Finding(key, {"count": unnamed} if unnamed else {}, "refused")]
    few = int(np.searchsorted(count.cumsum(), _MOST * named - 1e-9) + 1)
    values = {"n": n, "top": str(count.index[0]), "share": count.iloc[0] / n} if len(count) else {}
    out = []
    if len(count) and few <= len(count):
        most = {"few": few, "kinds": len(count), "sum": float(count.iloc[:few].sum() / named)}
        out.append(Finding("reasons.overall", values | most))
    else:
        out.append(Finding("reasons.scattered", {"n": n, "named": named}))
    if unnamed:
        level: Level = "warning" if unnamed > _MANY_UNNAMED * n else "note"
        out.append(Finding("reasons.unnamed", {"count": unnamed, "share": unnamed / n}, level))
    return out
