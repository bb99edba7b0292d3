"""Every hostile input, one test each: within its seconds, and with the answer a user should get."""

from __future__ import annotations

import time

import pytest

from tests.nasty import events, files, items, names, ratings
from tests.nasty.inputs import cases, ids

PLAYS = {
    "ratings": ratings.play, "items": items.play, "events": events.play, "names": names.play,
    **dict.fromkeys(("xes", "xlsx", "csv"), files.play),
}  # fmt: skip
ALL = ids(*PLAYS)


@pytest.mark.data
@pytest.mark.skipif(not ALL, reason="the hostile inputs are not beside the project")
@pytest.mark.parametrize("case_id", ALL or ["none"])
def test_right_told_or_refused(case_id, tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))
    case = cases()[case_id]
    payload = case.build(tmp_path / "input")
    started = time.perf_counter()
    PLAYS[case.family](case, payload, tmp_path)
    assert time.perf_counter() - started < case.seconds


def test_every_case_has_a_play():
    assert {c.family for c in cases().values()} <= set(PLAYS)
