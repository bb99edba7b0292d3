"""Every number of the peers on public event logs is compared, by name, or the reason said.

The sets lie beside the project. A name of reference.json that no check here knows fails the last
test. Mining software looks at a log otherwise than we do; where its statistic is a plain count of
events in a row (first and last activity, variants), the event table itself is counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from tests.conftest import SHARED

Check = Callable[[str, Any], None]
CHECKS: dict[str, dict[str, Check]] = {}
ELSEWHERE = {
    "note", "note_employee_rejection", "source", "support_team_column",  # words
    "business_hours_vs_pm4py_BusinessHours",  # one peer against another
    "max_abs_difference_to_pm4py_BusinessHours_h",
    "days on which two sources differ",
}  # fmt: skip
LOGS = (
    "bpi2020_domestic", "bpi2020_prepaid", "permit_receipt", "bpi2013_problems", "bpi2012_loans",
    "running_example",
)  # fmt: skip
TRAVEL = LOGS[:2]
QUANTILES = ["mean", "median", "p25", "p75", "p90"]
ZONE = "Europe/Amsterdam"


def checks(sets: str | tuple[str, ...], *names: str) -> Callable[[Check], Check]:
    """Register a check for these names of some sets; it gets the set and the value of the name."""

    def put(check: Check) -> Check:
        for data in (sets,) if isinstance(sets, str) else sets:
            for name in names:
                CHECKS.setdefault(data, {})[name] = check
        return check

    return put


@cache
def numbers(data: str) -> dict[str, Any]:
    """What the peers found, by the first words of its name; nothing where the set is absent."""
    path = SHARED / "data" / data / "reference.json"
    if not path.exists():
        return {}
    found = {}
    for section, content in json.loads(path.read_text("utf-8")).items():
        part = re.split(r" \(", section)[0]
        if part == "numbers":
            found |= {n["name"]: n["value"] for n in content}
        elif part in ("pm4py", "derived", "published"):
            found |= {re.split(r"  \[| \(| = | '|:", k)[0]: v for k, v in content.items()}
        elif part not in ("peer", "agreement"):
            found[part] = content
    return found


@cache
def raw(data: str) -> pd.DataFrame:
    return pd.read_parquet(SHARED / "data" / data / "events.parquet")


@cache
def log(data: str, actions: Callable[[str], str] | None = None) -> pd.DataFrame:
    """The event table: every activity a step and a unit, its words mapped to actions."""
    table = raw(data)
    out = pd.DataFrame(
        {
            "case_id": table["case_id"].astype(str),
            "seq": table["event_no"],
            "service_id": data,
            "at": table["timestamp"],
            "step_no": pd.factorize(table["activity"], sort=True)[0] + 1,
            "unit_id": table["activity"].astype(str),
            "action": "comment" if actions is None else table["activity"].map(actions),
        }
    )
    again = out["action"].eq("submit")
    again &= again.groupby(out["case_id"]).cumsum().gt(1)
    return out.assign(action=out["action"].mask(again, "resubmit"))


@cache
def cases(data: str, actions: Callable[[str], str] | None = None) -> pd.DataFrame:
    return measure.cases(log(data, actions)).set_index("case_id")


@cache
def counts(data: str) -> pd.DataFrame:
    """Cases and events of each activity."""
    table = measure.volume(log(data), by="unit_id").table
    return table.pivot(index="unit_id", columns="variant", values="estimate")


def near(ours: Any, peer: Any, off: float = 1e-9) -> None:
    ours, peer = (np.asarray(v, dtype=float) for v in (ours, peer))
    np.testing.assert_allclose(ours, peer, rtol=1e-9, atol=off)


def same(ours: pd.Series, peer: dict[str, float]) -> None:
    """The same groups with the same counts; ours may name groups that have none."""
    found = {k: v for k, v in ours.items() if v}
    assert found == peer


# ------------------------------------------------------------------------------------- every log


@checks(LOGS, "n_events", "n_cases")
def size(data, value):
    table = measure.volume(log(data), by=None).table.set_index("variant")["estimate"]
    assert value in (table["events"], table["cases"])
    assert numbers(data)["n_events"] == table["events"]
    assert numbers(data)["n_cases"] == table["cases"]


@checks(LOGS, "activity_counts")
def activities(data, value):
    same(counts(data)["events"], value)


@cache
def traces(data: str) -> pd.Series:
    return log(data).sort_values("seq").groupby("case_id")["unit_id"].agg(tuple)


@checks(LOGS, "n_variants")
def variants(data, value):
    assert traces(data).nunique() == value


@checks(LOGS, "top5_variants")
def common_variants(data, value):
    found = traces(data).value_counts()
    for row in value:
        assert found[tuple(row["trace"])] == row["cases"]
    assert sorted(found.head(len(value))) == sorted(row["cases"] for row in value)


@checks(LOGS, "start_activities")
def first_activity(data, value):
    same(traces(data).str[0].value_counts(), value)


@checks(LOGS, "end_activities")
def last_activity(data, value):
    same(traces(data).str[-1].value_counts(), value)


@checks(LOGS, "rework_cases_per_activity")
def repeated_activity(data, value):
    """An activity twice in a case. Our loops count visits: twice in a row is one visit, no loop."""
    times = log(data).groupby(["unit_id", "case_id"]).size()
    same(times.gt(1).groupby("unit_id").sum(), value)
    delivered = log(data).assign(action="deliver")
    closed = delivered.drop_duplicates("case_id", keep="last").assign(action="close", step_no=None)
    closed["seq"] += 1
    found = measure.loops(pd.concat([delivered, closed], ignore_index=True)).table
    found = found[found["variant"] == "step_looped"].set_index("step_no")
    names = log(data).drop_duplicates("step_no").set_index("step_no")["unit_id"]
    before = log(data).groupby("case_id")["step_no"].shift()
    visits = log(data)[log(data)["step_no"] != before].groupby(["step_no", "case_id"]).size()
    looped = visits.gt(1).groupby("step_no").sum()
    in_a_row = set(log(data).loc[log(data)["step_no"] == before, "step_no"])
    assert len(found) == len(names)
    for step, row in found.iterrows():
        cases_with = round(row["estimate"] * row["n"])
        assert cases_with == looped[int(step)]
        if int(step) not in in_a_row:
            assert cases_with == value.get(names[int(step)], 0)


@checks(LOGS, "case_duration_seconds")
def spans(data, value):
    table = measure.duration(log(data), of="span", by=None).table.set_index("variant")["estimate"]
    near(table[QUANTILES] * 3600, [value[k] for k in QUANTILES], 1e-6)
    whole = (cases(data)["last_at"] - cases(data)["first_at"]).dt.total_seconds()
    near([whole.min(), whole.max()], [value["min"], value["max"]])


@checks(LOGS, "directly_follows_top")
def pairs(data, value):
    """The pair of activities as the unit of the later event."""
    events = log(data)
    before = events.groupby("case_id")["unit_id"].shift()
    events = events.assign(unit_id=before + " > " + events["unit_id"])
    table = measure.duration(events, of="gap", by="unit_id").table
    table = table.set_index(["unit_id", "variant"])
    for row in value:
        pair = table.loc[f"{row['from']} > {row['to']}"]
        assert pair.loc["median", "n"] == row["count"]
        near(
            pair.loc[["mean", "median"], "estimate"] * 3600, [row["mean_s"], row["median_s"]], 1e-6
        )


# ---------------------------------------------------------------- travel declarations and prepayments


def rejected(activity: str) -> str:
    """Rejections of all documents; the employee only takes his document back after one."""
    if "REJECTED" in activity and "by EMPLOYEE" not in activity:
        return "return"
    return paid(activity)


def rejected_by_anyone(activity: str) -> str:
    return "return" if "REJECTED" in activity else paid(activity)


def paid(activity: str) -> str:
    """Submitted and paid; what happens to the permit of a journey does not open its payment again."""
    if "SUBMITTED" in activity and "Permit" not in activity:
        return "submit"
    return "close" if activity == "Payment Handled" else "comment"


@checks(TRAVEL, "rejection_events_by_step")
def rejections_by_step(data, value):
    near(counts(data)["events"][list(value)], list(value.values()))


@checks(TRAVEL, "cases_with_step")
def cases_by_step(data, value):
    near(counts(data)["cases"][list(value)], list(value.values()))


@checks(TRAVEL, "cases_with_any_rejection")
def cases_rejected(data, value):
    assert (cases(data, rejected_by_anyone)["n_returns"] > 0).sum() == value


@checks(TRAVEL, "cases_with_rejection_not_by_employee")
def cases_rejected_by_others(data, value):
    assert (cases(data, rejected)["n_returns"] > 0).sum() == value


@checks(TRAVEL, "share_of_cases_with_any_rejection")
def share_rejected(data, value):
    near((cases(data, rejected_by_anyone)["n_returns"] > 0).mean(), value)


@cache
def submissions(data: str) -> pd.Series:
    """How often each case was submitted, of those that were."""
    own = cases(data, paid)
    return own.loc[~own["no_start"], "n_resubmits"] + 1


@checks(TRAVEL, "cases_by_number_of")
def by_submissions(data, value):
    same(submissions(data).value_counts().rename(index=str), value)


@checks(TRAVEL, "resubmissions_total")
def resubmissions(data, value):
    assert (submissions(data) - 1).sum() == value


@checks(TRAVEL, "cases_resubmitted")
def resubmitted(data, value):
    assert (submissions(data) > 1).sum() == value


@checks(TRAVEL, "days_first_submission_to_last_payment_handled")
def days_to_payment(data, value):
    """One of the 9,912 paid declarations was never submitted, so it cannot be timed."""
    table = measure.duration(log(data, paid), of="case", by=None).table.set_index("variant")
    assert table.loc["median", "n"] == value["n"]
    near(table.loc[QUANTILES, "estimate"] / 24, [value[k] for k in QUANTILES])
    days = cases(data, paid).query("status == 'closed'")["elapsed_h"] / 24
    near([days.min(), days.max()], [value["min"], value["max"]])


@checks((*TRAVEL, "permit_receipt"), "hours_since_previous_event_by_step")
def gaps(data, value):
    """Printed to four or five digits after the point: (median, p90, n) or (median, n)."""
    table = measure.duration(log(data), of="gap", by="unit_id").table
    table = table.set_index(["unit_id", "variant"])
    off = 5.1e-6 if data == "permit_receipt" else 5.1e-5
    for step, (*hours, n) in value.items():
        own = table.loc[step]
        assert own.loc["median", "n"] == n
        near(own.loc[["median", "p90"][: len(hours)], "estimate"], hours, off)


@cache
def weekdays(data: str) -> pd.DataFrame:
    """Monday to Friday, 9 to 17, no holidays."""
    years = (str(t.year) for t in (raw(data)["timestamp"].min(), raw(data)["timestamp"].max()))
    first, last = years
    return measure.working_calendar(
        f"{first}-01-01", f"{last}-12-31", hours=[("09:00", "17:00")], country=""
    )


@checks((*TRAVEL, "permit_receipt"), "case_duration_business_hours")
def business_hours(data, value):
    run = {"calendar": weekdays(data), "timezone": ZONE}
    table = measure.duration(log(data), of="span", by=None, **run).table.set_index("variant")
    near(table.loc[[f"business_{k}" for k in QUANTILES], "estimate"], [value[k] for k in QUANTILES])
    rows = cases(data)[["first_at", "last_at"]].reset_index()
    hours = measure.working_hours(rows, start="first_at", end="last_at", **run)["working_h"]
    near([hours.min(), hours.max()], [value["min"], value["max"]])


@checks(TRAVEL, "events_earlier_than_the_one_before_in_log_order")
def out_of_order(data, value):
    table = measure.log_check(log(data)).table.set_index("variant")
    assert table.loc["out_of_order", "count"] == value


@cache
def by_role() -> pd.DataFrame:
    """Approvals and rejections of each role."""
    events = log("bpi2020_domestic").assign(unit_id=raw("bpi2020_domestic")["role"])
    words = {"APPROVED": "approve", "REJECTED": "return"}
    kind = events["step_no"].map(
        dict(zip(events["step_no"], raw("bpi2020_domestic")["activity"], strict=True))
    )
    for word, action in words.items():
        events.loc[kind.str.contains(word), "action"] = action
    table = measure.volume(events, by="unit_id").table
    return table.pivot(index="unit_id", columns="variant", values="estimate").fillna(0)


@checks("bpi2020_domestic", "rejections_by_role")
def rejections_of_roles(data, value):
    found = by_role()["return"].to_dict()
    # Nearly always the employee takes back what another role has rejected since he submitted it.
    events = log(data)
    back = events["unit_id"].str.contains("REJECTED by EMPLOYEE")
    attempt = events["unit_id"].str.contains("SUBMITTED").groupby(events["case_id"]).cumsum()
    other = events["unit_id"].str.contains("REJECTED") & ~back
    after = other.groupby([events["case_id"], attempt]).cumsum() > 0
    assert back.sum() == found["EMPLOYEE"]
    found["EMPLOYEE"] = (back & ~after).sum()
    own = {k.split(" (")[0]: v for k, v in value.items()}
    assert sum(found.values()) == own.pop("total")
    assert {k: v for k, v in found.items() if v} == own


@checks("bpi2020_domestic", "rejection_rate_percent")
def rejection_rates(data, value):
    rate = 100 * by_role()["return"] / (by_role()["return"] + by_role()["approve"])
    near(rate[list(value)], list(value.values()), 6e-7)


@checks(
    "bpi2020_domestic",
    "paid cases by number of submissions", "own recount of paid cases by submissions",
)  # fmt: skip
def paid_by_submissions(data, value):
    own = cases(data, paid).query("status == 'closed' and not no_start")
    found = (own["n_resubmits"] + 1).value_counts().rename(index=str)
    if "4+" in value:
        found["4+"] = found[[k for k in found.index if int(k) >= 4]].sum()
        found = found[list(value)]
    same(found, value)


@checks("bpi2020_domestic", "never approved")
def never_approved(data, value):
    final = counts(data)["cases"]["Declaration FINAL_APPROVED by SUPERVISOR"]
    assert cases(data).shape[0] - final == value


@checks("bpi2020_prepaid", "by_org_unit")
def units(data, value):
    book = pd.read_parquet(SHARED / "data" / data / "cases.parquet").set_index("case_id")
    unit = book["organizational_entity"].rename(index=str)
    events = log(data, rejected).assign(service_id=lambda t: t["case_id"].map(unit))
    table = measure.volume(events, by="service_id").table
    table = table.pivot(index="service_id", columns="variant", values="estimate").fillna(0)
    days = measure.duration(events, of="span", by="service_id").table
    days = days[days["variant"] == "median"].set_index("service_id")["estimate"] / 24
    back = (cases(data, rejected)["n_returns"] > 0).groupby(unit).sum()
    assert set(value) == set(table.index)
    for name, row in value.items():
        own = [table.loc[name, k] for k in ("cases", "return", "resubmit")]
        assert own == [row["cases"], row["rejections"], row["resubmissions"]]
        assert back[name] == row["cases_rejected"]
        near(days[name], row["median_days"], 6e-7)


# ----------------------------------------------------------------------------- problems of support


@checks("bpi2013_problems", "days_spent_in_status")
def time_in_status(data, value):
    """The gap to the next event, by the status that it was spent in."""
    status = raw(data)["activity"] + " / " + raw(data)["lifecycle"]
    events = log(data).assign(unit_id=status)
    seen = measure.volume(events, by="unit_id").table.query("variant == 'events'")
    seen = seen.set_index("unit_id")["estimate"]
    before = events.groupby("case_id")["unit_id"].shift()
    table = measure.duration(events.assign(unit_id=before), of="gap", by="unit_id").table
    mean = table[table["variant"] == "mean"].set_index("unit_id")
    assert set(value) == set(seen.index)
    for name, (n, days) in value.items():
        assert seen[name] == n
        near(mean.loc[name, "estimate"] * mean.loc[name, "n"] / 24, days, 6e-5)


@cache
def visits(data: str) -> pd.DataFrame:
    """The visits of cases to support teams, a team being the step; taken up at once by the first."""
    teams = pd.factorize(raw(data)["organization_involved"], sort=True)[0] + 1
    events = log(data).assign(step_no=teams, action="accept", seq=log(data)["seq"] + 1)
    ends = {"first": ("submit", -1), "last": ("close", 1)}
    for keep, (action, beside) in ends.items():
        more = events[events["action"] == "accept"].drop_duplicates("case_id", keep=keep)
        more = more.assign(action=action, step_no=0, seq=more["seq"] + beside)
        events = pd.concat([events, more], ignore_index=True)
    events["step_no"] = events["step_no"].astype("Int64").replace(0, pd.NA)
    return measure.passages(events).query("kind == 'step'").sort_values(["case_id", "visit_no"])


@checks("bpi2013_problems", "handovers_between_support_teams")
def handovers(data, value):
    each = visits(data).groupby("case_id")
    moves = (each.size() - 1).reindex(cases(data).index, fill_value=0)
    found = {
        "mean_per_case": moves.mean(), "median": moves.median(), "max": moves.max(),
        "cases_with_any": (moves > 0).sum(),
        "cases_with_2+_teams": (each["step_no"].nunique() > 1).sum(),
        "cases": len(moves), "total": moves.sum(),
    }  # fmt: skip
    assert set(found) == set(value)
    near(list(found.values()), [value[k] for k in found])


@checks("bpi2013_problems", "ping_pong")
def ping_pong(data, value):
    table = visits(data)
    back = table["step_no"].eq(table.groupby("case_id")["step_no"].shift(2))
    assert back.sum() == value["returns"]
    assert table.loc[back, "case_id"].nunique() == value["cases"]


# --------------------------------------------------------------------------------------- permits


@cache
def permits() -> pd.DataFrame:
    found = pd.read_parquet(SHARED / "data" / "permit_receipt" / "cases.parquet")
    return found.assign(group=found["group"].fillna("(none)"), all="all")


def permit_log(by: str) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Permits from start to end, their column as the service, and the deadlines agreed on."""
    book = permits()
    rows = {"submit": book["startdate"], "close": book["enddate"]}
    parts = [
        pd.DataFrame({"case_id": book["case_id"].astype(str), "seq": k, "service_id": book[by],
                      "action": action, "at": at})
        for k, (action, at) in enumerate(rows.items())
    ]  # fmt: skip
    events = pd.concat(parts).dropna()
    services = pd.DataFrame({"service_id": events["service_id"].unique()})
    services = services.assign(
        provider_id="X", routine="routine", in_scope=True, promise_h=None, clock="calendar"
    )
    agreed = pd.DataFrame(
        {"case_id": book["case_id"].astype(str), "rev": 0, "agreed_at": book["startdate"],
         "due_at": book["deadline"]}
    )  # fmt: skip
    return events, {"services": services, "commitments": agreed.dropna()}


@cache
def lateness(by: str) -> pd.DataFrame:
    """Of closed permits: how many, how many late, and their median days.

    Two permits end before they start. The peer counts them as in time; here they are named and
    not judged, so that they have to be added.
    """
    events, book = permit_log(by)
    closed = events[events.groupby("case_id")["seq"].transform("count") == 2]
    out = measure.on_time(closed, **book, by="service_id")
    table = out.table[out.table["variant"] == "deadline"].set_index("service_id")
    assert (table["late"] + table["on_time"] == table["n"]).all()
    own = measure.cases(closed)
    odd = own.groupby("service_id")["negative"].sum().reindex(table.index)
    assert odd.sum() == out.about["dropped"]["negative"] == 2
    days = measure.duration(closed, by="service_id").table.query("variant == 'median'")
    days = days.set_index("service_id")["estimate"] / 24
    all_days = own.groupby("service_id")["elapsed_h"].median() / 24
    near(days[odd == 0], all_days[days[odd == 0].index])
    return pd.DataFrame(
        {"closed": table["n"] + odd, "late": table["late"], "median_days": all_days}
    )


@checks(
    "permit_receipt",
    "closed_cases", "late", "share_late_of_closed", "median_days_start_to_end",
)  # fmt: skip
def permits_late(data, value):
    found = lateness("all").loc["all"]
    ours = {
        "closed_cases": found["closed"], "late": found["late"],
        "share_late_of_closed": found["late"] / found["closed"],
        "median_days_start_to_end": found["median_days"],
    }  # fmt: skip
    near(list(ours.values()), [numbers(data)[k] for k in ours])


@checks("permit_receipt", "open_cases_no_enddate")
def permits_open(data, value):
    assert measure.cases(permit_log("all")[0])["status"].eq("open").sum() == value


@checks("permit_receipt", "median_days_end_minus_deadline")
def past_the_deadline(data, value):
    own = measure.cases(permit_log("all")[0]).set_index("case_id")
    due = permits().set_index("case_id")["deadline"].rename(index=str)
    late = (own["end_at"] - due.reindex(own.index))[own["status"] == "closed"]
    near(late.median() / pd.Timedelta(days=1), value, 1e-6)


def _late_by(column: str) -> Check:
    def check(data, value):
        found = lateness(column)
        for name, row in value.items():
            near(found.loc[name, list(row)], list(row.values()))

    return check


for _column in ("department", "channel", "responsible", "group"):
    checks("permit_receipt", f"late_by_{_column}")(_late_by(_column))


@checks("permit_receipt", "cases_with_T03_Adjust_confirmation")
def adjusted(data, value):
    assert counts(data)["cases"]["T03 Adjust confirmation of receipt"] == value


@checks("permit_receipt", "cases_with_T02_more_than_once")
def checked_again(data, value):
    own = log(data)[log(data)["unit_id"].str.startswith("T02")]
    assert (measure.cases(own)["n_events"] > 1).sum() == value


# ------------------------------------------------------------------------------ loan applications


@checks("bpi2012_loans", "service_seconds_START_to_COMPLETE")
def service_times(data, value):
    """A work item of a case on its own; the gap from its start to the completion right after."""
    table = raw(data)
    told = table["lifecycle"].isin(["START", "COMPLETE"]) & table["activity"].str.startswith("W_")
    events = log(data)[told].copy()
    events["service_id"] = events["unit_id"]
    events["case_id"] += events["unit_id"]
    kind = table.loc[told, "lifecycle"]
    events["unit_id"] = kind.groupby(events["case_id"]).shift().fillna("") + " > " + kind
    found = measure.duration(events, of="gap", by=["service_id", "unit_id"]).table
    found = found[found["unit_id"] == "START > COMPLETE"].set_index(["service_id", "variant"])
    for item, (n, median, mean) in value.items():
        assert found.loc[(item, "median"), "n"] == n
        near(found.loc[item].loc[["median", "mean"], "estimate"] * 3600, [median, mean], 5.1e-4)


# ------------------------------------------------------------------------------------- calendar


@cache
def chinese_days() -> pd.DataFrame:
    return measure.working_calendar("2016-01-01", "2026-12-31").drop_duplicates("date")


@checks("cn_calendar", "days by kind")
def kinds_of_days(data, value):
    """A holiday that falls on a weekend is a day off either way: the two are counted together."""
    weekend = pd.to_datetime(chinese_days()["date"]).dt.day_of_week >= 5
    work = chinese_days()["is_workday"].astype(bool)
    assert (work & ~weekend).sum() == value["workday"] + value["workday_listed"]
    assert (work & weekend).sum() == value["makeup_workday"]
    assert (~work & ~weekend).sum() == value["holiday"]
    assert (~work & weekend).sum() == value["weekend"] + value["holiday_on_weekend"]


@checks("cn_calendar", "working days per year")
def days_of_years(data, value):
    days = chinese_days()
    same(days.groupby(days["date"].str[:4])["is_workday"].sum(), value)


@checks(
    "cn_calendar",
    "working days in the intervals: disagreements with chinesecalendar.get_workdays and "
    "holidays.get_working_days_count",
)
def working_days(data, value):
    rows = pd.read_csv(SHARED / "data" / data / "intervals_2016_2026.csv")
    # After the start's day, to the end of the end's day, on a clock that is open day and night.
    spans = pd.DataFrame(
        {k: pd.to_datetime(rows[k]).dt.normalize() + pd.Timedelta(days=1) for k in ("start", "end")}
    )
    clock = measure.working_calendar("2016-01-01", "2027-01-01", hours=[("00:00", "24:00")])
    hours = measure.working_hours(spans, start="start", end="end", calendar=clock)["working_h"]
    assert (hours / 24 != rows["working_days_after_start_to_end"]).sum() == value


# ------------------------------------------------------------------------- published small cases


@cache
def published() -> dict[str, dict[str, Any]]:
    path = SHARED / "oracles" / "oracles.json"
    if not path.exists():
        return {}
    return {
        c["id"]: c for c in json.loads(path.read_text("utf-8")) if c["area"] == "process_metrics"
    }


def poisson_exact_garwood(given, wanted):
    """So many returns of 100 outputs: the rate per hundred has the limits of the count."""
    for count in given["observed"]:
        rows = [(f"c{i}", 1, "deliver", 1) for i in range(100)]
        rows += [(f"c{i}", 2, "return", 2) for i in range(count)]
        events = pd.DataFrame(rows, columns=["case_id", "seq", "action", "step_no"])
        events = events.assign(service_id="s", unit_id="u", to_step_no=1, at="2024-09-02T09:00")
        row = measure.returns(events, by=None).table.iloc[0]
        assert (row["returns"], row["outputs"]) == (count, 100)
        near(row[["low", "high"]].astype(float), wanted[str(count)], 1e-4)


def montgomery_p_chart(given, wanted):
    rows = pd.DataFrame({"x": given["nonconforming"], "n": given["n"]})
    rows["month"] = range(1, len(rows) + 1)
    table = measure.control(rows, value="x", size="n", chart="p").table
    found = table.loc[0, ["center", "lower", "upper"]].astype(float)
    near(found, [wanted[k] for k in ("center", "LCL", "UCL")], 1e-6)
    assert table.loc[table["outside"] != "", "month"].tolist() == wanted["out"]


def airport_game_shapley(given, wanted):
    """Steps side by side that overrun their hour by so much; the case waits for the last."""
    costs = given["individual_costs"]
    start, rows = pd.Timestamp("2024-09-02T09:00"), [("submit", None, 0.0)]
    rows += [("deliver", k + 1, 1.0 + c) for k, c in enumerate(costs)]
    rows += [("close", None, 1.0 + max(costs))]
    events = pd.DataFrame(rows, columns=["action", "step_no", "at"])
    events = events.assign(case_id="c", seq=range(len(rows)), service_id="s")
    events["at"] = start + pd.to_timedelta(events["at"], "h")
    number = list(range(1, len(costs) + 1))
    steps = pd.DataFrame(
        {"service_id": "s", "step_no": number, "unit_id": [f"u{k}" for k in number]}
    )
    steps = steps.assign(is_final=False, promise_h=1.0, after="")
    services = pd.DataFrame({"service_id": ["s"], "provider_id": "u1", "routine": "routine"})
    services = services.assign(in_scope=True, promise_h=1.0, clock="calendar")
    found = measure.responsibility(
        events, services=services, steps=steps, by="step_no", after="after"
    ).table
    hours = found[found["variant"] == "shapley"].sort_values("step_no")["hours"]
    near(hours, wanted["shapley"], 1e-12)
    near(hours.sum(), wanted["sum"], 1e-12)


def business_hours_cn_golden_week_2024(given, wanted):
    row = pd.DataFrame({"a": [given["start"]], "b": [given["end"]]})
    for country, name in (("CN", "working_hours_cn_calendar"), ("", "working_hours_mon_fri_only")):
        days = measure.working_calendar(
            "2024-09-01", "2024-10-31", hours=[tuple(given["day"])], country=country
        )
        out = measure.working_hours(row, start="a", end="b", calendar=days, timezone=given["tz"])
        assert out[["working_h", "elapsed_h"]].iloc[0].tolist() == [
            wanted[name], wanted["elapsed_hours"],
        ]  # fmt: skip


CASES = {
    f.__name__: f
    for f in (
        poisson_exact_garwood, montgomery_p_chart, airport_game_shapley,
        business_hours_cn_golden_week_2024,
    )
}  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("name", CASES)
def test_all_numbers_of_the_published_case_come_out(name):
    if not published():
        pytest.skip("the published cases are not beside the project")
    CASES[name](published()[name]["input"], published()[name]["expected"])


@pytest.mark.data
def test_no_published_case_is_left_out_in_silence():
    if not published():
        pytest.skip("the published cases are not beside the project")
    assert set(published()) == set(CASES)


# ----------------------------------------------------------------------------------- all of them

SETS = (*LOGS, "cn_calendar")
NAMED = [(d, n) for d in SETS for n in CHECKS[d]]


@pytest.mark.data
@pytest.mark.parametrize(("data", "name"), NAMED)
def test_the_number_of_the_peer_comes_out(shared_data, data, name):
    shared_data(data)
    CHECKS[data][name](data, numbers(data)[name])


@pytest.mark.data
@pytest.mark.parametrize("data", SETS)
def test_no_number_is_left_out_in_silence(shared_data, data):
    shared_data(data)
    assert set(numbers(data)) - ELSEWHERE == set(CHECKS[data])
