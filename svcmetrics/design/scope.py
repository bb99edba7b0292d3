"""Which of the listed services are services at all, and which of them can be evaluated by routine."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.metric import metric
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.tables import require, unique, words_of

_NAMES = 8


@metric(
    better="neither",
    low=0,
    high=1,
    source="ISO 9000:2015, 3.7.6 (generic product categories); this package, methods section 1",
    drawing="funnel",
    behind="records",
)
def scope(
    services: pd.DataFrame,
    *,
    service: str = "service_id",
    output_kind: str = "output_kind",
    relation: str | None = "relation",
    routine: str = "routine",
    in_scope: str = "in_scope",
    reason: str | None = "scope_reason",
) -> Result:
    """Which listed services belong into the evaluation, and is the choice explained?

    ``services``: one row per service of the catalogue. ``service``: column of its name or id.
    ``output_kind``: service, software, hardware or processed_material (what is handed over).
    ``relation``: public_service, collaboration or control (None: not coded). ``routine``: routine,
    nonroutine or emergency. ``in_scope``: true or false. ``reason``: why it is in or out (None:
    no such column).

    Returns one row per stage of the funnel (``variant``): listed, each output kind, each relation,
    in scope, and within the scope routine, nonroutine and emergency. ``estimate`` is the share of
    all listed services, ``count`` their number, ``n`` all listed. A list is counted completely,
    so there is no interval. How well two coders agree on the scope: ``verify.agreement`` on their rows.

    It misleads when the list was drawn up by the departments that will be evaluated: what is
    missing from the list cannot be seen here.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"service_id": ["pay", "build"], "output_kind": ["service", "software"],
    ...                      "routine": ["routine", "nonroutine"], "in_scope": [True, False],
    ...                      "scope_reason": ["monthly", "a project"]})
    >>> table = scope(rows, relation=None).table
    >>> table.loc[table["variant"].isin(["listed", "in_scope"]), ["variant", "count"]].values.tolist()
    [['listed', 2], ['in_scope', 1]]
    """
    require(services, service, output_kind, relation, routine, in_scope, reason)
    rows = services.reset_index(drop=True)
    unique(rows, service)
    dropped: dict[str, int] = {}
    for column, name in (
        (output_kind, "output_kind"),
        (relation, "relation"),
        (routine, "routine"),
    ):
        if column is not None:
            _known(rows[column], column, words_of(name))
    inside = _truth(rows, in_scope)
    counts = _counts(rows, inside, output_kind, relation, routine)
    total = len(rows)
    table = estimates(
        "scope",
        variant=list(counts),
        estimate=[c / total if total else np.nan for c in counts.values()],
        n=total,
        count=list(counts.values()),
    )
    found = _findings(rows, inside, counts, (service, output_kind, reason))
    about = {"dropped": dropped, "method": "complete count of the catalogue, no sampling"}
    return Result("scope", table, found, about)


def _known(values: pd.Series, column: str, words: tuple[str, ...]) -> None:
    unknown = sorted({str(v) for v in values.dropna()} - set(words))
    if unknown:
        raise table_error("unknown_word", column=column, unknown=unknown[:10], known=list(words))


def _truth(rows: pd.DataFrame, column: str) -> pd.Series:
    """True, False or missing; anything else is an error."""
    values = rows[column].astype("object")
    bad = ~values.isna() & ~values.isin([True, False])
    if bad.any():
        unknown = sorted({str(v) for v in values[bad]})
        raise table_error(
            "unknown_word", column=column, unknown=unknown[:10], known=["True", "False"]
        )
    return values.map(lambda v: pd.NA if pd.isna(v) else bool(v)).astype("boolean")


def _counts(
    rows: pd.DataFrame, inside: pd.Series, output_kind: str, relation: str | None, routine: str
) -> dict[str, int]:
    counts = {"listed": len(rows)}
    counts |= {w: int((rows[output_kind] == w).sum()) for w in words_of("output_kind")}
    if relation is not None:
        counts |= {w: int((rows[relation] == w).sum()) for w in words_of("relation")}
    held = inside.fillna(False).astype(bool)
    counts["in_scope"] = int(held.sum())
    return counts | {w: int((held & (rows[routine] == w)).sum()) for w in words_of("routine")}


def _findings(
    rows: pd.DataFrame,
    inside: pd.Series,
    counts: dict[str, int],
    columns: tuple[str, str, str | None],
) -> list[Finding]:
    service, output_kind, reason = columns
    if not counts["listed"]:
        return [Finding("scope.empty", {}, "refused")]
    found = [Finding("scope.funnel", {k: counts[k] for k in _SAID})]
    if counts["service"] * 2 < counts["listed"]:
        values = {"share": 100 * (1 - counts["service"] / counts["listed"])}
        found.append(Finding("scope.process_management", values, "warning"))
    held = inside.fillna(False).astype(bool)
    other = held & rows[output_kind].notna() & (rows[output_kind] != "service")
    cases = [("scope.not_a_service", other), ("scope.undecided", inside.isna())]
    if reason is not None:
        blank = rows[reason].isna() | (rows[reason].astype(str).str.strip() == "")
        cases.append(("scope.no_reason", blank))
    for key, which in cases:
        names = rows.loc[which, service].astype(str).tolist()
        if names:
            shown = names[:_NAMES] + ["…"] * (len(names) > _NAMES)
            found.append(Finding(key, {"names": shown, "count": len(names)}, "warning"))
    return found


_SAID = ("listed", "service", "in_scope", "routine", "nonroutine", "emergency")
