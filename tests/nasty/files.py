"""Files of logs, workbooks and CSV tables: imported in a process of their own, within limits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from svcmetrics.io.cells import xlsx_grid
from svcmetrics.io.study_files import read_study
from tests.nasty.reader import read_apart

# What must be said when a file is refused, and when it is read.
REFUSED = {
    "X01": {"xes_doctype"}, "X02": {"xes_doctype"}, "X03": {"xes_doctype"}, "X04": {"xes_doctype"},
    "X05": {"xes_cut_early"}, "X06": {"xes_encoding"}, "X07": {"xes_too_large"}, "X08": {"xes_too_large"},
    "X10": {"zip_bomb"}, "X12": {"xes_html"}, "L01": {"zip_bomb"}, "L02": {"xml_dtd"}, "L03": {"xml_dtd"},
    "L05": {"import_cell_error"}, "L06": {"import_cell_error"}, "L07": {"import_digits_lost"},
    "L09": {"import_double_header"}, "L13": {"html_table"}, "L14": {"workbook_encrypted"},
    "L15": {"file_damaged"}, "C02": {"csv_full_width_comma"}, "C03": {"csv_stray_quote"},
    "C07": {"csv_ragged"}, "C09": {"csv_nul"}, "C10": {"csv_ragged"},
}  # fmt: skip
READ = {
    "X09": {"import.xes_empty_traces", "import.xes_no_case_name", "import.left_no_activity",
            "import.left_time_missing"},
    "X11": {"import.left_time_no_zone"}, "X13": {"import.xes_repeated_keys"}, "X14": set(), "L04": {"stray_cells"},
    "L08": set(), "L10": {"hidden_rows"}, "L16": set(), "C01": set(), "C04": set(), "C05": {"import.left_no_rater"},
    "C06": set(), "C08": {"import.decimal_comma"},
}  # fmt: skip
# The whole refusal must come at once, not after the file has been unpacked.
_QUICK = {"X01": (5, 500), "X04": (5, 500), "L02": (5, 500), "L04": (5, 500)}
# Rows that a refusal must name.
_ROWS = {"L05": (2,), "L06": (2, 3), "L07": (2, 3), "C03": (2,), "C07": (1,), "C10": (2,)}


def play(case: Any, path: Path, folder: Path) -> None:
    """Read within the limits, refused by name, or read whole; nothing else is touched."""
    outside = _listing(path.parent)
    study = folder / "study"
    if case.id in CELLS:
        CELLS[case.id](path)
        return
    told = read_apart(path, study, case.seconds)
    seconds, megabytes = _QUICK.get(case.id, (case.seconds, case.megabytes))
    assert told["outcome"] == ("refused" if case.id in REFUSED else "read"), told
    assert told["seconds"] < seconds and told["megabytes"] < megabytes, told
    assert told["keys"] >= (REFUSED if case.id in REFUSED else READ)[case.id], told
    assert _listing(path.parent) == outside
    written = b"".join(p.read_bytes() for p in study.rglob("*") if p.is_file())
    assert case.truth.get("canary", "no canary") not in told["text"]
    assert case.truth.get("canary", "no canary").encode() not in written
    if case.id in REFUSED:
        assert not study.exists()
        assert _ROWS.get(case.id, told["rows"][0]) == told["rows"][0]
        return
    assert case.truth.get("must_not_exist", "nothing") not in {p.name for p in folder.rglob("*")}
    if case.id in KEPT:
        KEPT[case.id](read_study(study), case.truth, told)


def _listing(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes()[:100_000] for p in folder.rglob("*") if p.is_file()}


def _departments(study: Any, truth: Any, _: Any) -> None:
    assert set(truth["names"]) <= set(study.unit["unit_id"])
    assert study.plan["target_id"].tolist() == truth["names"]


def _ids(study: Any, truth: Any, _: Any) -> None:
    assert study.plan["rater_key"].tolist() == truth["ids"]


def _one_hour(study: Any, truth: Any, told: Any) -> None:
    assert told["left_out"] == {"time_no_zone": 1}
    gap = study.event["at"].max() - study.event["at"].min()
    assert gap.total_seconds() == 3600 * truth["A_to_B_hours"]


def _activity(study: Any, truth: Any, _: Any) -> None:
    assert study.step["name_zh"].fillna(study.step["name_en"]).tolist() == [truth["activity"]]


def _one_row(study: Any, truth: Any, told: Any) -> None:
    assert told["rows_in"] == truth["rows"] == len(study.rating)


def _target(study: Any, truth: Any, _: Any) -> None:
    assert study.plan["target_id"].tolist() == [truth["target"]]


def _score(study: Any, truth: Any, _: Any) -> None:
    assert study.rating["score"].tolist() == [truth["score"]]


def _hidden(study: Any, truth: Any, _: Any) -> None:
    assert len(study.rating) == 2


def _first_name(study: Any, *_: Any) -> None:
    assert study.event["action"].tolist() == ["submit"]  # the first of the two, and said so


KEPT = {
    "X11": _one_hour, "X13": _first_name, "X14": _activity, "L04": _one_row, "L08": _departments, "L10": _hidden,
    "C01": _target, "C04": _departments, "C05": _ids, "C06": _ids, "C08": _score,
}  # fmt: skip


def _since_1904(path: Path) -> None:
    assert xlsx_grid(path).cells.iat[1, 1] == dt.datetime(2024, 3, 1, 9)


def _merged(path: Path) -> None:
    """Two blanks below: they stay blank, and the range is named."""
    grid = xlsx_grid(path)
    assert grid.cells[0].isna().tolist() == [False, False, True, True]
    problem = next(p for p in grid.problems if p.key == "merged_cells")
    assert problem.values["ranges"] == ["A2:A4"] and problem.rows == (2,)


# Files without the columns of a log or of ratings: the cells are what can be right or wrong.
CELLS = {"L11": _since_1904, "L12": _merged}
