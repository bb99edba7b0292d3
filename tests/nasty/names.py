"""Hostile names in every position of what is written: pages, workbooks, CSV, charts."""

from __future__ import annotations

import csv
import io
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from svcmetrics import plots, privacy
from svcmetrics.io.check_sheet import write_checks
from svcmetrics.io.quality import Tally
from svcmetrics.io.study_files import read_study, write_study
from svcmetrics.manifest import write_whole
from svcmetrics.pages import index_page
from svcmetrics.problems import Problem
from svcmetrics.report import brief, workbook
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.study import Settings, Study

_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def play(case: Any, names: list[str], folder: Path) -> None:
    """One call for each way out; a name is only a name in all of them."""
    with warnings.catch_warnings():
        # A sign that the font lacks is not a crash, nor is a label that leaves little room.
        warnings.filterwarnings("ignore", message="Glyph|constrained_layout")
        _ways_out(case, names, folder)


def _ways_out(case: Any, names: list[str], folder: Path) -> None:
    result = _result(names)
    pages = _pages(result, names)
    for page in pages:
        _no_markup(page, case.truth.get("tag", "svcxmark"))
    _workbooks(result, names)
    _study(names, folder / "study")
    _problems(names, folder / "problems")
    _charts(result)
    inside = {p.resolve() for p in folder.rglob("*")}
    assert all(folder.resolve() in p.parents for p in inside)


def _result(names: list[str]) -> Result:
    n = len(names)
    table = estimates(
        "groups", groups={"target_id": names}, variant=names, estimate=[float(i) for i in range(n)],
        low=[i - 0.5 for i in range(n)], high=[i + 0.5 for i in range(n)], n=50, group="unclear", remark=names,
    )  # fmt: skip
    said = [Finding("alpha.reversed", {"items": names}, "warning")]
    return Result("groups", table, said, {"dropped": {}}, drawing="intervals")


def _pages(result: Result, names: list[str]) -> list[str]:
    published = privacy.publish(result, count="n")
    tally = Tally(names[0])
    tally.say("decimal_comma", "warning", count=1, rows=names[0])
    report = tally.report("flat", {}, names, {})
    pages = [brief({"groups": published}, title=names[0], language=code, subtitle=names[0],
                   notes={"command": names[0]}) for code in ("zh", "en")]  # fmt: skip
    return [
        *pages,
        result._repr_html_(),
        report._repr_html_(),
        index_page(names[0], [("04_verify", "failed", names[0])], "zh"),
    ]


class _Tags(HTMLParser):
    """Every tag and attribute that a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}
        self.seen |= {"javascript" for _, value in attrs if value and "javascript:" in value}


def _no_markup(page: str, mark: str) -> None:
    parser = _Tags()
    parser.feed(page)
    assert not {mark, "onload", "onerror", "javascript", "script"} & parser.seen


def _workbooks(result: Result, names: list[str]) -> None:
    published = privacy.publish(result, count="n")
    for code in ("zh", "en"):
        data = workbook(
            {"groups": published}, title=names[0], language=code, notes={"command": names[0]}
        )
        book = openpyxl.load_workbook(io.BytesIO(data))
        cells = [c for sheet in book for row in sheet for c in row if c.value is not None]
        assert not [c.value for c in cells if c.data_type == "f"]
        found = {_plain(c.value) for c in cells}
        assert {_plain(n) for n in names if n} <= found


def _plain(value: object) -> str:
    """A text as XML can carry it: control characters and line ends apart."""
    return "".join(c for c in re.sub("_x[0-9A-F]{4}_", "", str(value)) if c.isprintable())


def _study(names: list[str], folder: Path) -> None:
    """Written as CSV and workbook and read back: the same rows, and no cell starts a formula."""
    given = [n for n in names if n.strip()]
    unit = pd.DataFrame({"unit_id": [f"u{i}" for i in range(len(given))], "name_zh": given})
    study = Study({"unit": unit.assign(is_service_unit=True)}, Settings(name="names"))
    for form in ("csv", "xlsx"):
        target = write_study(study, folder / form, form=form)
        back = read_study(target).unit
        assert len(back) == len(given)
        assert [_plain(n).strip() for n in back["name_zh"]] == [_plain(n).strip() for n in given]
    with (folder / "csv" / "unit.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [c for c in cells if c.startswith(_STARTS)]
    book = openpyxl.load_workbook(folder / "xlsx" / "study.xlsx")
    assert not [c for s in book for row in s for c in row if c.data_type == "f"]


def _problems(names: list[str], folder: Path) -> None:
    """The list of problems beside the data."""
    folder.mkdir()
    problems = [Problem("column_unknown", {"title": n, "near": n}, column=n, file=n) for n in names]
    written = write_checks(folder, problems)
    with written.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(names) + 1
    assert not [c for row in rows for c in row if c.startswith(_STARTS)]
    write_whole(folder / "page.html", index_page(names[0], [], "zh").encode())


def _charts(result: Result) -> None:
    """Drawn with the names as typed, dollars and all."""
    for kind in ("intervals", "groups"):
        ax = plots.draw(kind, result.table, about=result.about)
        assert plots.picture(ax) and plots.picture(ax, "svg")
