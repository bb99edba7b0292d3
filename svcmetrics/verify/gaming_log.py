"""What of a workflow log and its deadlines could be steered: counts per department.

Not a statistic. Each check gives one row per department: cases that look steered (``hits``) out
of those where it could have happened (``trials``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcmetrics.columns import require

_OUTPUTS = ("deliver", "approve")
_WORK = ("submit", "accept", "deliver", "approve", "return", "resubmit")
_SENT_BACK = ("return", "reject", "resubmit", "reassign")
# The last tenth of the time that was agreed.
_LATE_PART = 0.1
# Submissions of the same person for the same service this soon after one another.
_TOGETHER = pd.Timedelta(minutes=30)
_SOON = pd.Timedelta(hours=24)
# A case this much quicker than the usual one of its service is no work to speak of.
_TRIVIAL = 0.1

EVENT = ["case_id", "seq", "service_id", "at", "step_no", "unit_id", "actor_key", "action"]


def counted(check: str, unit: pd.Series, hit: pd.Series | np.ndarray) -> pd.DataFrame:
    """Hits and trials of each department; rows without one are left out."""
    rows = pd.DataFrame({"unit": unit.to_numpy(), "hit": np.asarray(hit, bool)}).dropna()
    found = rows.groupby("unit")["hit"].agg(hits="sum", trials="size").reset_index()
    return found.assign(check=check)


def of_log(events: pd.DataFrame, services: pd.DataFrame, since: str | None) -> list[pd.DataFrame]:
    """Every check that a log allows."""
    require(events, *EVENT)
    require(services, "service_id", "provider_id")
    log = events[EVENT].sort_values(["case_id", "seq"], kind="stable", ignore_index=True)
    cases = _cases(log)
    provider = cases["service_id"].map(services.set_index("service_id")["provider_id"])
    return [
        _reopened(log, cases, provider),
        _restarted(cases, provider),
        _split(cases, provider),
        _quiet_rework(log),
        _easy(cases, provider, since),
    ]


def moved_deadlines(commitments: pd.DataFrame, units: pd.Series) -> pd.DataFrame:
    """Deadlines put off when nearly or already missed, or against the requester.

    ``units``: the department of each case, by case id.
    """
    require(commitments, "case_id", "rev", "agreed_at", "due_at")
    rows = commitments.sort_values(["case_id", "rev"], kind="stable", ignore_index=True)
    before = rows.groupby("case_id", sort=False)[["due_at", "agreed_at"]].shift()
    whole = before["due_at"] - before["agreed_at"]
    put_off = rows["due_at"] > before["due_at"]
    late = rows["agreed_at"] >= before["due_at"] - _LATE_PART * whole
    alone = rows["requester_ok"].eq(False).fillna(False) if "requester_ok" in rows else False
    hit = (put_off & (late | alone)).groupby(rows["case_id"]).any()
    return counted("moved_deadline", hit.index.to_series().map(units), hit)


def _cases(log: pd.DataFrame) -> pd.DataFrame:
    """One row per case: its requester, service, first moment, first close, whether withdrawn."""
    first = log.drop_duplicates("case_id").set_index("case_id")
    closed = log[log["action"].isin(["close", "withdraw", "reject"])].drop_duplicates("case_id")
    end = closed.set_index("case_id")
    return pd.DataFrame({
        "service_id": first["service_id"], "requester": first["actor_key"], "start": first["at"],
        "end": end["at"].reindex(first.index), "ended": end["action"].reindex(first.index),
        "end_seq": end["seq"].reindex(first.index),
    })  # fmt: skip


def _reopened(log: pd.DataFrame, cases: pd.DataFrame, provider: pd.Series) -> pd.DataFrame:
    """Closed cases on which work went on."""
    end = log["case_id"].map(cases["end_seq"].where(cases["ended"] == "close"))
    again = log.loc[(log["seq"] > end) & log["action"].isin(_WORK), "case_id"]
    closed = cases.index[cases["ended"] == "close"]
    return counted("reopened", provider[closed], closed.isin(again.unique()))


def _restarted(cases: pd.DataFrame, provider: pd.Series) -> pd.DataFrame:
    """Cases withdrawn, and within a day begun anew by the same person: the clock starts again."""
    ordered = cases.sort_values("start", kind="stable")
    follower = ordered.groupby(["requester", "service_id"], sort=False)["start"].shift(-1)
    gone = ordered["ended"] == "withdraw"
    soon = follower.between(ordered["end"], ordered["end"] + _SOON)
    return counted("restarted", provider[ordered.index], gone & soon)


def _split(cases: pd.DataFrame, provider: pd.Series) -> pd.DataFrame:
    """Submissions right after one of the same person for the same service: one matter, many cases."""
    ordered = cases.sort_values("start", kind="stable")
    before = ordered.groupby(["requester", "service_id"], sort=False)["start"].shift()
    return counted("split", provider[ordered.index], ordered["start"] - before <= _TOGETHER)


def _quiet_rework(log: pd.DataFrame) -> pd.DataFrame:
    """Steps that hand over their output again although no return is on record: sent back by phone."""
    sent_back = log["action"].isin(_SENT_BACK).groupby(log["case_id"]).cumsum()
    out = log.assign(sent_back=sent_back)[log["action"].isin(_OUTPUTS) & log["step_no"].notna()]
    # A delivery and its approval at one step are one output: only the same action twice counts.
    same = out.groupby(["case_id", "step_no", "action"], sort=False)["sent_back"].shift()
    again = same.eq(out["sent_back"]).fillna(False)
    steps = out.assign(again=again).groupby(["case_id", "step_no"], sort=False)
    per_step = steps.agg(unit=("unit_id", "first"), again=("again", "any"))
    return counted("quiet_rework", per_step["unit"], per_step["again"])


def _easy(cases: pd.DataFrame, provider: pd.Series, since: str | None) -> pd.DataFrame:
    """Trivially quick cases, before and since the evaluation began (the middle of the log)."""
    done = cases[cases["ended"] == "close"]
    took = (done["end"] - done["start"]).dt.total_seconds()
    usual = took.groupby(done["service_id"]).transform("median")
    turn = _moment(since, done["start"]) if since else done["start"].quantile(0.5)
    later = done["start"] >= turn
    found = counted("easy_cases", provider[done.index][later], (took < _TRIVIAL * usual)[later])
    earlier = counted("", provider[done.index][~later], (took < _TRIVIAL * usual)[~later])
    both = found.merge(earlier, on="unit", suffixes=("", "_before"))
    return both.drop(columns="check_before")


def _moment(day: str, like: pd.Series) -> pd.Timestamp:
    """The start of a day on the clock of a column."""
    moment = pd.Timestamp(day)
    zone = like.dt.tz
    return moment.tz_localize(zone) if zone is not None and moment.tzinfo is None else moment
