"""Event tables: written to a file, imported, and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from svcmetrics import measure
from svcmetrics.io.import_files import import_file, propose
from svcmetrics.io.study_files import read_study
from tests.nasty.told import Told, ask

SAYS = {
    "E01": {"import.left_ends_before_start"}, "E02": {"import.zone_assumed"}, "E03": {"import.left_time_no_zone"},
    "E04": {"import.open_rows"}, "E05": {"import.out_of_order", "import.ties"}, "E06": {"import.left_duplicate"},
    "E07": {"import.clock_skew"}, "E08": {"import.left_time_sentinel"}, "E09": {"import_day_or_month"},
    "E10": {"import.excel_times"}, "E11": {"import_digits_lost"}, "E12": {"import_no_rows"},
    "E13": {"import.left_no_case", "import.left_no_activity", "import.left_time_missing"},
}  # fmt: skip


def play(case: Any, table: Any, folder: Path) -> None:
    """Import the log as a file; look at the report, then measure."""
    file = folder / "log.parquet"
    table.to_parquet(file)
    told = ask(import_file, file, folder / "study")
    assert told.keys >= SAYS.get(case.id, set()), told.keys
    if case.want == "refuse":
        assert told.refused and not (folder / "study").exists()
        return
    report = told.result
    assert report.rows_in == len(table) == report.rows_kept + sum(report.left_out.values())
    study = read_study(folder / "study")
    MORE.get(case.id, lambda *_: None)(study, told, case.truth, folder)


def _span(study: Any, **more: Any) -> dict[str, float]:
    table = measure.duration(study.event, of="span", by=None, **more).table
    return dict(zip(table["variant"], table["estimate"], strict=True))


def _negative(study: Any, told: Told, truth: Any, _: Path) -> None:
    assert told.result.left_out == {"ends_before_start": truth["negative_cases"]}
    assert _span(study)["mean"] == truth["mean_hours_without"]


def _summer_time(study: Any, told: Told, truth: Any, folder: Path) -> None:
    zone = "America/New_York"
    mapping = propose(folder / "log.parquet").but(timezone=zone)
    import_file(folder / "log.parquet", folder / "there", mapping=mapping)
    assert _span(read_study(folder / "there"), timezone=zone)["mean"] == truth["true_hours"]


def _zones(study: Any, told: Told, truth: Any, _: Path) -> None:
    assert _span(study)["mean"] == truth["A_to_B_hours"]
    assert told.result.left_out == {"time_no_zone": 1}


def _open(study: Any, told: Told, truth: Any, _: Path) -> None:
    final = study.step.assign(is_final=True)
    age = (
        measure.cases(study.event, steps=final).groupby("status")["elapsed_h"].agg(["mean", "size"])
    )
    assert age.loc["closed", "mean"] == truth["mean_hours_closed"]
    assert age.loc["open", "size"] == truth["open"] and age.loc["open", "mean"] > 0
    assert told.value("import.open_rows", "count") == truth["open"]


def _duplicates(study: Any, told: Told, truth: Any, _: Path) -> None:
    case = measure.cases(study.event).iloc[0]
    assert case["n_returns"] + case["n_rejects"] == truth["rejections"]
    assert told.result.left_out == {"duplicate": 4}


def _skew(study: Any, told: Told, truth: Any, _: Path) -> None:
    assert told.value("import.clock_skew", "minutes") == pytest.approx(truth["skew_minutes"])


def _first(study: Any, told: Told, truth: Any, _: Path) -> None:
    assert str(study.event["at"].min())[:16] == truth["first"]


def _ping_pong(study: Any, told: Told, truth: Any, _: Path) -> None:
    assert measure.cases(study.event)["n_returns"].sum() == truth["rejections"]
    assert measure.log_check(study.event).table["count"].sum() == 0


def _weekend(study: Any, told: Told, truth: Any, _: Path) -> None:
    days = measure.working_calendar("2024-02-01", "2024-04-01", hours=[("09:00", "18:00")])
    found = _span(study, calendar=days)
    assert found["mean"] == truth["clock_hours"]
    assert found["business_mean"] == truth["working_hours"]


MORE = {
    "E01": _negative, "E02": _summer_time, "E03": _zones, "E04": _open, "E06": _duplicates, "E07": _skew,
    "E10": _first, "E14": _ping_pong, "E15": _weekend,
}  # fmt: skip
