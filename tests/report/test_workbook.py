"""The workbook: numbers stay numbers, names stay names, hidden cells stay hidden."""

from __future__ import annotations

import io

import openpyxl
import pytest

from svcmetrics.privacy import publish
from svcmetrics.report import workbook
from svcmetrics.result import Finding, Result, estimates

FORMULA = '=HYPERLINK("http://example.invalid","x")'


@pytest.fixture
def result() -> Result:
    table = estimates(
        "icc", groups={"unit": [FORMULA, "法务部"]}, estimate=[0.123456789, 0.5], low=[0.1, 0.4],
        high=[0.2, 0.6], n=[30, 2], late=[3, 1],
    )  # fmt: skip
    return Result("icc", table, [Finding("display.more_rows", {"count": 3})])


def _open(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content))


def _cells(sheet) -> list[object]:
    return [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_numbers_keep_full_precision_and_names_are_no_formulas(result, language):
    book = _open(workbook({"icc": publish(result, count="n")}, title="t", language=language))
    cells = _cells(book.worksheets[1])
    assert 0.123456789 in [c.value for c in cells]
    assert FORMULA in [c.value for c in cells]
    assert all(c.data_type != "f" for c in cells)


def test_a_hidden_row_shows_neither_number_nor_n(result):
    book = _open(workbook({"icc": publish(result, count="n")}, title="t", language="en"))
    row = next(r for r in book.worksheets[1].iter_rows(values_only=True) if r[0] == "法务部")
    assert not any(isinstance(v, (int, float)) for v in row)
    assert "not shown" in row


def test_headers_and_readings_are_in_the_readers_language(result):
    texts = {
        code: [
            c.value
            for c in _cells(
                _open(
                    workbook({"icc": publish(result, count="n")}, title="t", language=code)
                ).worksheets[1]
            )
        ]
        for code in ("zh", "en")
    }
    assert "估计值" in texts["zh"] and "estimate" in texts["en"]
    assert "3 more rows are not shown." in texts["en"]


def test_sheet_names_are_made_safe_and_short(result):
    name = "a/b:c*d?e[f]" + "x" * 40
    book = _open(workbook({name: publish(result, count="n")}, title="t", language="en"))
    assert len(book.sheetnames[1]) <= 31
    assert not set(book.sheetnames[1]) & set("[]:*?/\\")


def test_the_same_tables_give_the_same_bytes(result):
    one, two = (
        workbook({"icc": publish(result, count="n")}, title="t", language="zh") for _ in range(2)
    )
    assert one == two


def test_notes_stand_on_the_last_sheet(result):
    book = _open(
        workbook({"icc": publish(result, count="n")}, title="t", language="en", notes={"seed": 7})
    )
    assert ["seed", "7"] in [list(r[:2]) for r in book.worksheets[-1].iter_rows(values_only=True)]
