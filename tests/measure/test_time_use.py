"""Where the time goes: by hand, as parts of a whole, and against a sampling textbook's variance."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure

STEPS = pd.DataFrame(
    {"service_id": "s", "step_no": [1, 2], "unit_id": ["HR", "IT"], "role": "do", "is_final": [False, True]}
)  # fmt: skip


def _log(case: str, rows: list[tuple[float, str, float | None, float | None]]) -> pd.DataFrame:
    """Events at hours after a common start: (hour, action, step, to_step)."""
    hours, actions, steps, to = zip(*rows, strict=True)
    at = pd.Timestamp("2024-09-02 08:00") + pd.to_timedelta(hours, unit="h")
    return pd.DataFrame(
        {"case_id": case, "seq": range(len(rows)), "service_id": "s", "at": at, "action": actions,
         "step_no": steps, "to_step_no": to}
    )  # fmt: skip


WHOLE = _log(
    "a",
    [
        (0, "submit", None, None),
        (4, "accept", 1, None),  # 4 hours in the queue
        (5, "pause", 1, None),
        (8, "resume", 1, None),  # 3 hours stopped
        (10, "return", 1, None),  # 3 hours of work
        (16, "resubmit", None, None),  # 6 hours with the requester
        (18, "deliver", 1, None),  # 2 hours at a step that records no acceptance
        (20, "close", None, None),  # 2 hours until it was closed
    ],
)


def _shares(log: pd.DataFrame, **more) -> dict[str, float]:
    return measure.time_use(log, by=None, **more).table.set_index("variant")["estimate"].to_dict()


def test_every_hour_of_a_case_by_hand():
    found = _shares(WHOLE, steps=STEPS)
    assert found == pytest.approx(
        {
            "queue": 0.2,
            "touch": 0.15,
            "untold": 0.1,
            "stopped": 0.15,
            "requester": 0.3,
            "other": 0.1,
        }
    )


def test_parts_add_up_and_repeating_the_log_changes_nothing():
    twice = pd.concat([WHOLE, WHOLE.assign(case_id="b")], ignore_index=True)
    assert sum(_shares(twice).values()) == pytest.approx(1.0)
    assert _shares(twice) == pytest.approx(_shares(WHOLE))


def test_limits_are_those_of_a_ratio_of_sums():
    # Cochran (1977), eq. 6.13 without the finite correction: queue 1, 4, 1 of 2, 5, 10 hours.
    logs = [
        _log(name, [(0, "submit", None, None), (queue, "accept", 1, None), (whole, "close", 1, None)])
        for name, queue, whole in (("a", 1, 2), ("b", 4, 5), ("c", 1, 10))
    ]  # fmt: skip
    row = measure.time_use(pd.concat(logs, ignore_index=True), by=None).table.iloc[0]
    y, x = np.array([1.0, 4.0, 1.0]), np.array([2.0, 5.0, 10.0])
    ratio = y.sum() / x.sum()
    error = np.sqrt(((y - ratio * x) ** 2).sum() / 2 / 3) / x.mean()
    assert row["estimate"] == pytest.approx(ratio)
    assert row["high"] - row["estimate"] == pytest.approx(1.959964 * error, rel=1e-6)


def test_without_acceptance_queue_and_work_are_unknown_not_nothing():
    log = _log("a", [(0, "submit", None, None), (3, "deliver", 1, None), (4, "close", 1, None)])
    result = measure.time_use(log, by=None)
    found = result.table.set_index("variant")["estimate"]
    assert np.isnan(found["queue"]) and np.isnan(found["touch"])
    assert found["untold"] == 1.0
    assert result.findings[0].key == "time_use.no_accept"


def test_a_department_answers_for_its_steps_only():
    table = measure.time_use(WHOLE, steps=STEPS, by="unit_id").table
    own = table[table["unit_id"] == "HR"].set_index("variant")
    assert own.loc["requester", "hours"] == own.loc["other", "hours"] == 0
    assert own["hours"].sum() == pytest.approx(12.0)


def test_open_cases_and_emergencies_are_counted_and_left_out():
    still = _log("b", [(0, "submit", None, None), (900, "comment", None, None)])
    urgent = WHOLE.assign(case_id="c", service_id="u")
    book = pd.DataFrame({"service_id": ["s", "u"], "routine": ["routine", "emergency"]})
    log = pd.concat([WHOLE, still, urgent], ignore_index=True)
    result = measure.time_use(log, services=book, by=None)
    assert result.about["dropped"] == {"emergency": 1, "open": 1}
    assert result.table["n"].unique().tolist() == [1]


def test_nothing_to_time_is_refused():
    result = measure.time_use(_log("a", [(0, "submit", None, None)]), by=None)
    assert result.table.empty
    assert [f.level for f in result.findings] == ["refused"]


@pytest.mark.parametrize(
    ("hours", "keys"),
    [
        # Queue, work, untold, stopped, requester, other: five hours in a hundred are still little.
        ((20, 20, 5, 25, 25, 5), ["overall"]),
        ((20, 20, 6, 25, 24, 5), ["overall", "untold"]),
        ((20, 20, 5, 25, 24, 6), ["overall", "other"]),
        ((0, 0, 60, 25, 10, 5), ["no_accept"]),
        ((0, 0, 60, 25, 9, 6), ["no_accept", "other"]),
        ((0, 1, 5, 60, 29, 5), ["overall"]),
    ],
)
def test_time_that_is_not_told_is_said_from_a_twentieth_on(hours, keys):
    module = importlib.import_module("svcmetrics.measure.time_use")
    table = pd.DataFrame({"variant": module.PARTS, "hours": hours, "n": 4})
    found = module._findings(pd.concat([table, table]))
    assert [f.key for f in found] == [f"time_use.{k}" for k in keys]
    assert found[0].values["n"] == 8 and found[0].values["queue"] == hours[0] / 100
    assert found[0].level == ("note" if keys[0] == "overall" else "warning")


def test_a_group_without_an_hour_is_no_row_and_limits_lie_within_all():
    module = importlib.import_module("svcmetrics.measure.time_use")
    whole = {
        "unit_id": ["b", "a", "c"],
        "n": [2, 2, 0],
        "hours": [10.0, 4, 0],
        "whole_2": [52.0, 8, 0],
    }
    own = {k: [0.0, 0, 0] for k in module.PARTS} | {"queue": [9.0, 0.5, 0], "touch": [1.0, 3.5, 0]}
    squares = {f"{k}_2": [v * v / 2 for v in own[k]] for k in own}
    mixed = {
        f"{k}_whole": [v * w / 2 for v, w in zip(own[k], whole["hours"], strict=True)] for k in own
    }
    table = module._table(pd.DataFrame(whole | own | squares | mixed), ["unit_id"])
    assert table["unit_id"].tolist() == ["a"] * 6 + ["b"] * 6
    assert table["variant"].tolist() == list(module.PARTS) * 2
    assert table["low"].min() >= 0 and table["high"].max() <= 1
    assert table.groupby("unit_id")["estimate"].sum().tolist() == pytest.approx([1, 1])
