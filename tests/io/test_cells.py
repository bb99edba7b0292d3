"""Cells of CSV and Excel files: read right, or refused by name; never shifted, never guessed."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from svcmetrics.io.cells import csv_grid, read_csv, read_xlsx, sheet_names, xlsx_grid
from svcmetrics.io.grid import CellError
from svcmetrics.problems import StudyError

TEXT = "rater,target,score\n甲,财务部,4\n乙,NA,\n"


def _csv(folder: Path, data: bytes | str) -> Path:
    path = folder / "data.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def _key(call, *arguments) -> str:
    with pytest.raises(StudyError) as caught:
        call(*arguments)
    for code in ("zh", "en"):
        assert caught.value.say(code)
    return caught.value.problems[0].key


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_encodings(tmp_path, encoding):
    cells = read_csv(_csv(tmp_path, TEXT.encode(encoding)))
    assert cells.iloc[1].tolist() == ["甲", "财务部", "4"]
    assert cells.iloc[2].tolist()[:2] == ["乙", "NA"]
    assert pd.isna(cells.iloc[2, 2])


def test_an_uncertain_encoding_is_refused(tmp_path):
    assert (
        _key(read_csv, _csv(tmp_path, "name,score\nMüller,4\nGrößer,3\n".encode("cp1252")))
        == "encoding_unknown"
    )
    assert (
        _key(read_csv, _csv(tmp_path, "部門,評分\n財務處,4\n".encode("big5"))) == "encoding_unknown"
    )


@pytest.mark.parametrize(
    ("text", "first"), [("a;b\n1;4,5\n", "4,5"), ("a\tb\n1\t2\n", "2"), ("a|b\n1|2\n", "2")]
)
def test_delimiters(tmp_path, text, first):
    assert read_csv(_csv(tmp_path, text)).iloc[1, 1] == first


@pytest.mark.parametrize(
    ("data", "key", "rows"),
    [
        ("a，b\n1，2\n", "csv_full_width_comma", (1,)),
        ("a,b,c\n1,2,3,\n4,5,6,\n", "csv_ragged", (1,)),
        ("a,b,c\n1,2,1,234\n1,2,56\n1,2,3\n", "csv_ragged", (2,)),
        ('r,t,s\n"甲,财务,4\n乙,财务,3\n丁","财务",2\n戊,财务,1\n', "csv_stray_quote", (2,)),
        (b"a,b\n1\x00,2\n", "csv_nul", ()),
        (b"", "file_empty", ()),
        ("\n\n", "file_empty", ()),
    ],
)
def test_csv_refused_with_its_row(tmp_path, data, key, rows):
    with pytest.raises(StudyError) as caught:
        read_csv(_csv(tmp_path, data))
    assert (caught.value.problems[0].key, caught.value.problems[0].rows) == (key, rows)


def test_rows_keep_their_numbers(tmp_path):
    cells = read_csv(_csv(tmp_path, 'Title\n\na,b\n1,"x\ny"\n\n,\n3,4\n'))
    assert cells.index.tolist() == [1, 3, 4, 7]
    assert cells.loc[4, 1] == "x\ny"


def test_no_file_no_folder_no_permission(tmp_path, monkeypatch):
    assert _key(read_csv, tmp_path / "none.csv") == "file_missing"
    assert _key(read_csv, tmp_path) == "not_a_file"

    def locked(*_: object, **__: object) -> None:
        raise PermissionError(13, "denied")

    path = _csv(tmp_path, TEXT)
    monkeypatch.setattr(Path, "open", locked)
    assert _key(read_csv, path) == "file_locked"


def _book(folder: Path, rows: list[list[object]], **settings: object) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "评分"
    for row in rows:
        sheet.append(row)
    for name, value in settings.items():
        setattr(book, name, value)
    path = folder / "data.xlsx"
    book.save(path)
    return path


def test_excel_types(tmp_path):
    moment = dt.datetime(2024, 3, 1, 9, 30)
    path = _book(
        tmp_path,
        [["id", "at", "x", "y"], ["007", moment, 4.5, True], ["NA", dt.time(9, 0), 7, None]],
    )
    cells = read_xlsx(path, "评分")
    assert cells.loc[2].tolist() == ["007", moment, 4.5, True]
    assert cells.loc[3].tolist() == ["NA", dt.time(9, 0), 7, None]
    assert sheet_names(path) == ["评分"]
    assert _key(read_xlsx, path, "plan") == "sheet_missing"


def test_dates_counted_from_1904(tmp_path):
    moment = dt.datetime(2024, 3, 1, 9, 0)
    assert (
        read_xlsx(
            _book(tmp_path, [["at"], [moment]], epoch=openpyxl.utils.datetime.CALENDAR_MAC_1904)
        ).loc[2, 0]
        == moment
    )


def test_formulas_and_errors_are_no_blanks(tmp_path):
    cells = read_xlsx(_book(tmp_path, [["score"], ["=1+3"], ["#N/A"], [4]]))
    assert [isinstance(v, CellError) for v in cells[0]] == [False, True, True, False]


def test_hidden_rows_merged_and_stray_cells_are_told(tmp_path):
    path = _book(tmp_path, [["target", "score"], ["财务", 4], [None, 3]])
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet.merge_cells("A2:A3")
    sheet.row_dimensions[3].hidden = True
    sheet["XFD1048576"] = 0
    book.save(path)
    grid = xlsx_grid(path)
    assert grid.cells.shape == (3, 2)
    assert {p.key for p in grid.problems} == {"hidden_rows", "merged_cells", "stray_cells"}


def _repacked(path: Path, part: str, data: bytes) -> Path:
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    parts[part] = data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


def test_entities_are_refused(tmp_path):
    path = _book(tmp_path, [["a"], ["b"]])
    dtd = b'<!DOCTYPE sst [<!ENTITY x SYSTEM "file://' + b'/etc/passwd">]>'
    sst = b'<?xml version="1.0"?>' + dtd + b"<sst><si><t>&x;</t></si></sst>"
    assert _key(read_xlsx, _repacked(path, "xl/sharedStrings.xml", sst)) == "xml_dtd"


def test_a_swelling_file_is_refused(tmp_path):
    path = _repacked(_book(tmp_path, [["a"]]), "xl/worksheets/sheet1.xml", b"<a/>" * 6_000_000)
    assert _key(read_xlsx, path) == "zip_bomb"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"<html><table></table></html>", "html_table"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "old_xls"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "workbook_encrypted",
        ),
        (b"PK\x03\x04 cut off", "file_damaged"),
        (b"a,b\n1,2\n", "not_a_workbook"),
    ],
)
def test_files_that_only_look_like_workbooks(tmp_path, data, key):
    path = tmp_path / "data.xlsx"
    path.write_bytes(data)
    assert _key(read_xlsx, path) == key


def test_warnings_carry_file_and_row_numbers(tmp_path):
    grid = csv_grid(_csv(tmp_path, TEXT))
    assert (grid.file, grid.sheet, grid.problems) == ("data.csv", "", [])
