"""Returns per 100 outputs, charged to the step whose output came back."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from svcmetrics.io import engine, held
from svcmetrics.measure.cases import joined
from svcmetrics.measure.catalogue import attributes, service_table, step_table
from svcmetrics.measure.inputs import By, columns_of
from svcmetrics.measure.instants import local_micros
from svcmetrics.measure.log import KINDS, OUTPUTS, Log, is_in, read_log, tally
from svcmetrics.measure.waits import sent_back, went_to_requester
from svcmetrics.metric import metric
from svcmetrics.numeric import intervals
from svcmetrics.problems import table_error
from svcmetrics.result import Finding, Result, estimates

_OWN = ("unit_id", "service_id", "step_no", "month", "reason_code")


@metric(
    better="lower",
    low=0,
    source="Garwood 1936, Biometrika 28; house facts 1, 2, 5 and 7 of the log",
    drawing="series",
)
def returns(
    events: Any,
    *,
    services: pd.DataFrame | None = None,
    steps: pd.DataFrame | None = None,
    by: By = "unit_id",
    timezone: str = "Asia/Shanghai",
) -> Result:
    """How often does the output of a step come back?

    ``events``: the ``event`` table. ``steps``: names the unit of each step; without it the unit
    that last delivered there is charged. ``services``: names emergencies, which are reported
    apart. ``by``: columns of the charged step (``unit_id, service_id, step_no, month``) or of the
    catalogue; None: all together.

    A return is charged to the step whose output came back, not to the one that sent it: to
    ``to_step_no``, or to the step that works next. What went back to the requester is charged to
    nobody and counted in ``about``. Outputs are deliveries and approvals; automatic ones are no
    work and count apart.

    Comes back per group: returns per 100 outputs with exact Poisson limits (Garwood), with
    ``returns`` and ``outputs``. No return at all still has an upper limit.

    It misleads where a rejection takes the place of a return: see ``rejections``. A step that
    looks at nothing sends nothing back: see ``automatic``.

    Source: Garwood (1936), Biometrika 28, 437–442; house facts of the log.

    >>> log = pd.DataFrame({"case_id": "a", "seq": [1, 2, 3, 4, 5], "service_id": "s",
    ...     "action": ["submit", "deliver", "return", "deliver", "close"],
    ...     "step_no": [None, 1, 2, 1, None], "to_step_no": [None, None, 1, None, None],
    ...     "unit_id": ["B", "HR", "IT", "HR", "HR"], "at": pd.date_range("2024-09-02", periods=5)})
    >>> returns(log).table[["unit_id", "estimate", "returns", "outputs"]].values.tolist()
    [['HR', 50.0, 1, 2]]
    """
    names = columns_of(by)
    log = read_log(events, timezone)
    charged, apart = charge(log, steps)
    outputs = _outputs(log, names)
    both = [_named(t, services, names, timezone) for t in (charged, outputs)]
    counts = _merged(both, [*names, "is_emergency"])
    table = _table(counts, names)
    about = {
        "method": "Garwood",
        "level": 0.95,
        "per": 100,
        "drawn": [""],
        "unit": "per_100",
        "dropped": log.dropped | {k: n for k, n in apart.items() if n},
    }
    return Result("returns", table, _findings(table, apart), about)


def charge(log: Log, steps: pd.DataFrame | None) -> tuple[Table, dict[str, int]]:
    """Every return with the step and unit whose output came back; and what nobody is charged for."""
    known = held.marks(steps)
    rows = log.once(known and ("charged", *known), lambda: engine.keep(_placed(log, steps)))
    nowhere = rows["step_no"].isnull() & ~rows["to_requester"]
    bare = rows["step_no"].notnull() & rows["step_unit"].isnull()
    counts = engine.row(
        rows.aggregate(
            to_requester=rows["to_requester"].sum(), nowhere=nowhere.sum(), bare=bare.sum()
        )
    )
    whole = {k: 0 if pd.isna(n) else int(n) for k, n in counts.items()}
    apart = {"to_requester": whole["to_requester"], "destination_unknown": whole["nowhere"]}
    charged = rows.filter(rows["step_no"].notnull()).drop("to_requester")
    if not whole["bare"]:
        return charged.mutate(unit_id="step_unit"), apart
    return _with_unit(charged, log), apart


def _placed(log: Log, steps: pd.DataFrame | None) -> Table:
    """Every return with the step whose output came back; none where it went to the requester."""
    back = sent_back(log)
    back = back.filter(back["action"] == "return")
    moved = is_in(back["next_action"], ("accept", *OUTPUTS, "return", "reject"))
    next_step = ibis.ifelse(moved, back["next_step"], ibis.null("int64"))
    to_them = went_to_requester(back)
    step = ibis.coalesce(back["to_step_no"], next_step)
    rows = back.select(
        "case_id", "seq", "service_id", "at_us",
        step_no=ibis.ifelse(to_them, ibis.null("int64"), step), to_requester=to_them,
    )  # fmt: skip
    return joined(rows, step_table(steps).drop("is_final"), "service_id", "step_no")


def _with_unit(rows: Table, log: Log) -> Table:
    """The unit of the charged step: as the catalogue says, else whoever last delivered there."""
    bare = rows.filter(rows["step_unit"].isnull()).select("case_id", "step_no", "seq")
    made = log.events.filter(is_in(log.events["action"], ("accept", *OUTPUTS)))
    made = made.semi_join(bare, ["case_id", "step_no"])
    made = made.select(c2="case_id", s2="step_no", seq2="seq", unit2="unit_id")
    pairs = bare.inner_join(
        made,
        [bare["case_id"] == made["c2"], bare["step_no"] == made["s2"], bare["seq"] > made["seq2"]],
    )
    last = pairs.group_by("case_id", "seq").aggregate(
        made_by=engine.last_by(pairs["unit2"], pairs["seq2"], pairs["unit2"].notnull())
    )
    rows = joined(rows, last, "case_id", "seq")
    return rows.mutate(unit_id=ibis.coalesce(rows["step_unit"], rows["made_by"]))


def _outputs(log: Log, names: list[str]) -> Table:
    """Outputs by hand, one row each; or one for each kind with how many ``events`` there are."""
    of_events = set(names) & set(_OWN)
    e = tally(log) if of_events <= set(KINDS) else log.events
    return e.filter(is_in(e["action"], OUTPUTS) & ~e["is_auto"].fill_null(False))


def _named(
    table: Table, services: pd.DataFrame | None, names: list[str], timezone: str
) -> pd.DataFrame:
    """Counts per group; the group is that of the charged step, or of the step that delivered."""
    if "month" in names:
        table = table.mutate(month=engine.month(local_micros(table["at_us"], timezone)))
    further = [c for c in names if c not in _OWN]
    if further:
        table = joined(table, engine.small(attributes(services, further)), "service_id")
    routine = service_table(services, {}).select("service_id", "routine", "in_scope")
    table = joined(table, routine, "service_id")
    table = table.filter(table["in_scope"].fill_null(True))
    missing = [c for c in names if c not in table.columns]
    if missing:
        raise table_error("missing_columns", missing=missing, present=list(table.columns))
    table = table.mutate(is_emergency=(table["routine"] == "emergency").fill_null(False))
    groups = table.group_by([*names, "is_emergency"])
    count = table["events"].sum() if "events" in table.columns else table.count()
    return engine.frame(groups.aggregate(count=count))


def _merged(both: list[pd.DataFrame], keys: list[str]) -> pd.DataFrame:
    back, made = (t.rename(columns={"count": n}) for t, n in zip(both, ("returns", "outputs")))
    counts = made.merge(back, on=keys, how="outer")
    return counts.fillna({"returns": 0, "outputs": 0}).astype({"returns": int, "outputs": int})


def _table(counts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    counts = counts.sort_values(["is_emergency", *by], kind="stable")
    n = counts["outputs"].to_numpy()
    low, high = intervals.garwood(counts["returns"], n / 100)
    return estimates(
        "returns",
        groups={c: counts[c].to_numpy() for c in by},
        variant=["emergency" if e else "" for e in counts["is_emergency"]],
        estimate=100
        * counts["returns"].to_numpy()
        / pd.Series(n, dtype=float).where(n > 0).to_numpy(),
        low=low,
        high=high,
        n=n,
        returns=counts["returns"].to_numpy(),
        outputs=n,
    )


def _findings(table: pd.DataFrame, apart: dict[str, int]) -> list[Finding]:
    main = table[table["variant"] == ""]
    count, n = int(main["returns"].sum()), int(main["outputs"].sum())
    out = []
    if n:
        low, high = intervals.garwood(count, n / 100)
        values = {"rate": 100 * count / n, "low": float(low), "high": float(high)}
        out.append(Finding("returns.overall", {**values, "count": count, "n": n}))
    else:
        out.append(Finding("returns.none", {}, "refused"))
    if apart["to_requester"]:
        out.append(Finding("returns.to_requester", {"count": apart["to_requester"]}))
    if apart["destination_unknown"]:
        out.append(Finding("returns.unknown", {"count": apart["destination_unknown"]}, "warning"))
    bare = int((main["outputs"] == 0).sum())
    if n and bare:
        out.append(Finding("returns.no_outputs", {"count": bare}, "refused"))
    return out
