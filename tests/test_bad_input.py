"""Bad input as a user meets it: every problem at once, in words, with its place; nothing half written."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import string
import subprocess
import sys
import tempfile
from pathlib import Path

import openpyxl
import pytest

from svcmetrics import cli, lang
from svcmetrics.io import safe_files
from svcmetrics.io.study_files import read_study

TOML = 'name = "试点"\ntimezone = "Asia/Shanghai"\n'
CSV = {
    "unit": "unit_id,name_zh,is_service_unit\nHR,人力,是\nFIN,财务,是\nIT,信息,否\n",
    "service": "service_id,name_zh,provider_id,output_kind,routine,in_scope,scope_reason,promise_h,clock\n"
    "s1,请假审批,HR,service,routine,是,内部服务,8,business\n"
    "s2,报销,FIN,service,routine,是,内部服务,16,business\n",
    "item": "form_version,item_id,dimension,aspect,text_zh,min,max\nv1,q1,及时,result,办得快,1,5\n",
    "rating": "wave,rater_key,rater_unit_id,rater_role,target_id,mode,item_id,score,submitted_at\n"
    "2025H1,p1,IT,employee,HR,confidential,q1,4,2025-06-02T09:00:00+08:00\n"
    "2025H1,p2,IT,employee,HR,confidential,q1,3,2025-06-02T09:10:00+08:00\n"
    "2025H1,p3,FIN,employee,HR,confidential,q1,5,2025-06-02T09:20:00+08:00\n",
}  # fmt: skip


@pytest.fixture
def study(tmp_path, tmp_path_factory, monkeypatch) -> Path:
    """A small study of CSV files without any problem; its key lies elsewhere."""
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path_factory.mktemp("keys")))
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.toml").write_text(TOML, "utf-8")
    for name, text in CSV.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return folder


@pytest.fixture
def book(study) -> Path:
    """The same study as the template's one workbook."""
    folder = study.with_name("book")
    assert cli.main(["new", str(folder)]) == cli.DONE
    path = folder / "study.xlsx"
    workbook = openpyxl.load_workbook(path)
    for name, text in CSV.items():
        sheet = workbook[f"{lang.say(f'table.{name}', 'zh')} {name}"]
        titles = [c.value for c in sheet[1]]
        head, *rows = [line.split(",") for line in text.strip().split("\n")]
        for place, row in enumerate(rows, 3):
            for title, value in zip(head, row, strict=True):
                number = title in ("score", "min", "max", "promise_h")
                sheet.cell(place, titles.index(title) + 1, float(value) if number else value)
    workbook.save(path)
    return path


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def _told(command: list[str], capsys, folder: Path, status: int) -> dict[str, str]:
    """What the command says in each language; the folder stays byte for byte as it was."""
    before = _bytes(folder)
    said = {}
    for code in lang.LANGUAGES:
        assert cli.main(["--lang", code, *command]) == status
        out = capsys.readouterr()
        said[code] = out.out + out.err
        assert "Traceback" not in said[code] and "{" not in said[code]
    assert said["zh"] != said["en"]
    assert _bytes(folder) == before
    return said


def _sentence(key: str, code: str, part: str = "found") -> str:
    """The longest fixed part of a problem's sentence, to find it in a text."""
    template = lang.phrases(code)[f"problem.{key}.{part}"]
    # What is counted, and its verb, are in the singular or the plural as the number wants.
    template = lang._COUNTED.sub("{count}", template)
    return max((text for text, *_ in string.Formatter().parse(template)), key=len)


def _change(folder: Path, table: str, old: str, new: str) -> None:
    file = folder / f"{table}.csv"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_the_study_without_mistakes_has_none(study, book, capsys):
    for place in (study, book.parent):
        assert cli.main(["check", str(place), "--no-sheet"]) == cli.DONE
    assert "0 个错误" in capsys.readouterr().out


# What is changed in which table; the problem, and where it is said to be.
MISTAKES = {
    "a column is missing": ("rating", ",score,", ",marks,", "columns_missing", ("rating.csv", "score")),
    "an unknown unit": ("rating", "p2,IT", "p2,TI", "reference_unknown", ("rating.csv", "rater_unit_id", "3", "TI")),
    "text in a score": ("rating", "q1,4,", "q1,四分,", "not_number", ("rating.csv", "score", "2", "四分")),
    "a score off the scale": ("rating", "q1,5,", "q1,55,", "score_off_scale", ("rating.csv", "score", "4", "55")),
    "a code for missing": ("rating", "q1,5,", "q1,-99,", "score_off_scale", ("rating.csv", "score", "4", "-99")),
    "an ambiguous day": ("rating", "2025-06-02T09:00:00+08:00", "02/06/2025", "day_or_month",
                         ("rating.csv", "submitted_at", "2")),
    "an id in scientific notation": ("unit", "FIN,", "3.10102E+17,", "digits_lost", ("unit.csv", "unit_id", "3")),
    "an unknown word": ("rating", "p1,IT,employee", "p1,IT,employe", "word_unknown",
                        ("rating.csv", "rater_role", "2", "employe")),
    "a trailing comma": ("unit", "HR,人力,是", "HR,人力,是,", "csv_ragged", ("unit.csv", "2")),
    "a full-width comma": ("unit", CSV["unit"], CSV["unit"].replace(",", "，"), "csv_full_width_comma",
                           ("unit.csv", "1")),
    "a stray quote": ("unit", "HR,人力,是\nFIN,财务,是\n", '"HR,人力,是\nFIN","财务",是\n', "csv_stray_quote",
                      ("unit.csv", "2")),
    "a column with names": ("rating", "rater_key,", "rater_key,姓名,", "csv_ragged", ("rating.csv", "1")),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_remedy(name, study, capsys):
    table, old, new, key, places = MISTAKES[name]
    _change(study, table, old, new)
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)
    for code, text in said.items():
        line = next(row for row in text.split("\n") if _sentence(key, code) in row)
        assert all(place in line for place in places), line
        assert _sentence(key, code, "remedy") in line
    for command in ("run", "report"):
        status = cli.main([command, str(study)]) if key not in _RULES else None
        assert status in (cli.INPUT, None)
        assert not (study / "outputs").exists()
    capsys.readouterr()


# Found by the rules between tables, which only ``check`` tries.
_RULES = ("columns_missing", "reference_unknown", "score_off_scale")


def test_all_mistakes_at_once_and_each_once(study, capsys):
    _change(study, "rating", "q1,4,", "q1,四分,")
    _change(study, "rating", "p2,IT", "p2,TI")
    _change(study, "unit", "FIN,", "3.10102E+17,")
    _change(study, "service", "service,routine,是,内部服务,8", "service,rutine,是,内部服务,8")
    (study / "item.csv").write_bytes(b"")
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)["zh"]
    for key in ("not_number", "reference_unknown", "digits_lost", "word_unknown", "file_empty"):
        assert said.count(_sentence(key, "zh")) >= 1, key
    assert said.count(_sentence("not_number", "zh")) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_right_encodings_read_alike(encoding, study, capsys):
    plain = read_study(study).unit
    (study / "unit.csv").write_bytes(CSV["unit"].encode(encoding))
    assert cli.main(["check", str(study), "--no-sheet"]) == cli.DONE
    assert read_study(study).unit.equals(plain)


@pytest.mark.parametrize("encoding", ["big5", "shift_jis", "latin-1"])
def test_another_encoding_is_refused_by_name(encoding, study, capsys):
    words = {
        "big5": "財務處資訊組",
        "shift_jis": "財務部の係ですカタカナ",
        "latin-1": "Geschäftsführung für Öl",
    }
    text = (
        CSV["unit"]
        .replace("财务", words[encoding])
        .replace("人力", "a")
        .replace("信息", "b")
        .replace("是", "1")
    )
    (study / "unit.csv").write_bytes(text.replace("否", "0").encode(encoding))
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)
    assert "unit.csv" in said["zh"] and "UTF-8" in said["zh"] and "GB18030" in said["en"]


def test_three_header_rows_of_an_export_point_to_import(study, capsys):
    rows = [
        "ResponseId,Q1,Q2",
        "Response ID,办得快吗,态度好吗",
        '"{""ImportId"":""_recordId""}",a,b',
        "R_1,5,4",
    ]
    (study / "rating.csv").write_text("\n".join(rows), "utf-8")
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)
    assert all("svcmetrics import" in text and "rating.csv" in text for text in said.values())


def test_ids_of_21_digits_stay_text(study):
    long = "202506021234567890123"
    _change(study, "unit", "FIN,", f"{long},")
    assert long in read_study(study).unit["unit_id"].tolist()


def test_ids_that_excel_made_numbers_are_told_with_sheet_row_and_column(book, capsys):
    workbook = openpyxl.load_workbook(book)
    workbook["部门 unit"].cell(4, 1, 202506021234567890123)
    workbook.save(book)
    said = _told(["check", str(book), "--no-sheet"], capsys, book.parent, cli.PROBLEMS)
    for code, text in said.items():
        line = next(row for row in text.split("\n") if _sentence("digits_lost", code) in row)
        assert all(place in line for place in ("study.xlsx", "部门 unit", "unit_id", "4"))


def test_rows_sent_twice_and_rows_that_contradict(study, capsys):
    row = CSV["rating"].split("\n")[1]
    _change(study, "rating", row, f"{row}\n{row}")
    _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)
    _change(study, "rating", f"{row}\n{row}", f"{row}\n{row.replace('q1,4', 'q1,1')}")
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)
    assert "rating.csv" in said["zh"] and "2, 3" in said["zh"]


def test_excel_serials_are_read_as_dates_and_told(study, capsys):
    _change(study, "rating", "2025-06-02T09:00:00+08:00", "45810.375")
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.DONE)
    assert _sentence("time_serial", "zh") in said["zh"] and "45810.375" in said["en"]
    assert str(read_study(study).rating["submitted_at"][0]) == "2025-06-02 09:00:00+08:00"


def test_mixed_time_zones_are_one_instant_and_told(study, capsys):
    _change(study, "rating", "2025-06-02T09:00:00+08:00", "2025-06-02T01:00:00Z")
    _change(study, "rating", "2025-06-02T09:10:00+08:00", "2025-06-02 09:10:00")
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.DONE)
    assert _sentence("mixed_offsets", "zh") in said["zh"] and "Asia/Shanghai" in said["en"]
    at = read_study(study).rating["submitted_at"]
    assert [str(t)[11:16] for t in at] == ["09:00", "09:10", "09:20"]


def test_a_missing_table_is_told_and_an_empty_file_too(study, capsys):
    (study / "service.csv").unlink()
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.DONE)
    assert lang.say("table.service", "zh") in said["zh"] or "service" in said["zh"]
    (study / "unit.csv").write_bytes(b"")
    said = _told(["check", str(study), "--no-sheet"], capsys, study, cli.PROBLEMS)
    assert _sentence("file_empty", "zh") in said["zh"] and "unit.csv" in said["en"]


def test_check_writes_its_sheet_and_nothing_else(book, capsys):
    before = {n: [[c.value for c in r] for r in s] for n, s in _sheets(book)}
    assert cli.main(["--lang", "zh", "check", str(book)]) == cli.DONE
    after = {n: [[c.value for c in r] for r in s] for n, s in _sheets(book)}
    changed = [n for n in before if before[n] != after[n]]
    assert changed == ["检查 Checks"] and list(before) == list(after)


def _sheets(book: Path) -> list:
    workbook = openpyxl.load_workbook(book)
    return [(s.title, s) for s in workbook]


# ------------------------------------------------------------------ files that are not free


def _forbidden(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_workbook_open_in_excel(book, capsys):
    """It can be read, with a word about what is not saved; the sheet of checks is not written into it."""
    (book.parent / f"~${book.name}").write_bytes(b"owner")
    said = _told(["check", str(book.parent)], capsys, book.parent, cli.OUTPUT)
    for code, text in said.items():
        assert _sentence("workbook_open", code) in text and _sentence("workbook_busy", code) in text
    assert cli.main(["check", str(book.parent), "--no-sheet"]) == cli.DONE


def test_a_locked_workbook(book, capsys, monkeypatch):
    opened = Path.open

    def locked(path: Path, *arguments: object, **more: object) -> object:
        return _forbidden() if path == book else opened(path, *arguments, **more)

    monkeypatch.setattr(safe_files.Path, "open", locked)
    said = _told(["run", str(book.parent)], capsys, book.with_name("nowhere"), cli.INPUT)
    assert "study.xlsx" in said["zh"] and _sentence("file_locked", "en") in said["en"]


@pytest.fixture
def closed(tmp_path, monkeypatch) -> None:
    """Nothing can be written below the folder; as the system would have it (tests may run as root)."""

    def deny(module: object, name: str, place) -> None:
        real = getattr(module, name)

        def guarded(*arguments: object, **more: object) -> object:
            if str(tmp_path) in str(place(arguments, more)):
                raise PermissionError(13, "Permission denied", str(place(arguments, more)))
            return real(*arguments, **more)

        monkeypatch.setattr(module, name, guarded)

    def opened(arguments: tuple, more: dict) -> object:
        mode = more.get("mode") or (arguments[1] if len(arguments) > 1 else "r")
        return arguments[0] if set(mode) & set("wax+") else ""

    for name in ("mkdir", "rmdir", "unlink", "chmod"):
        deny(os, name, lambda arguments, _: arguments[0])
    for name in ("replace", "rename"):
        deny(os, name, lambda arguments, _: arguments[1])
    for name in ("mkstemp", "mkdtemp"):
        deny(tempfile, name, lambda _, more: more.get("dir"))
    deny(builtins, "open", opened)
    deny(io, "open", opened)


@pytest.mark.parametrize("command", ["check", "run", "report", "import", "new", "simulate"])
def test_a_folder_without_write_permission(
    command, study, tmp_path, tmp_path_factory, capsys, monkeypatch, request
):
    """The command says so with status 4, and leaves nothing behind."""
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path_factory.mktemp("keys")))
    source = shutil.copy(study / "rating.csv", tmp_path / "answers.csv")
    fresh = [str(tmp_path / "new")]
    places = {"import": [str(source), str(study), "--yes"], "new": fresh, "simulate": fresh}
    request.getfixturevalue("closed")
    said = _told([command, *places.get(command, [str(study)])], capsys, tmp_path, cli.OUTPUT)
    assert "权限" in said["zh"] and "permission" in said["en"].lower()


def test_a_full_disk(study, tmp_path, capsys, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "x"))

    monkeypatch.setattr("os.fsync", full)
    said = _told(["report", str(study), "--out", str(tmp_path / "out")], capsys, study, cli.OUTPUT)
    assert "磁盘已满" in said["zh"] and "disk is full" in said["en"]
    assert not [p for p in (tmp_path / "out").glob("*") if p.is_file()]


# ------------------------------------------------------------------ wrong places, in all six commands


@pytest.fixture
def places(tmp_path, study) -> dict[str, str]:
    """Where a user may point by mistake."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "unrelated").mkdir()
    (tmp_path / "unrelated" / "notes.txt").write_text("hello")
    (tmp_path / "unrelated" / "sales.csv").write_text("a,b\n1,2\n")
    (tmp_path / "file").write_text("hello")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 cut")
    (tmp_path / "broken.toml").write_text("name = \n")
    found = {
        n: str(tmp_path / n)
        for n in ("nowhere", "empty", "unrelated", "file", "broken.xlsx", "broken.toml")
    }
    return {**found, "study": str(study), "sales": str(tmp_path / "unrelated" / "sales.csv")}


WRONG = [
    *((f"{c} {p}", cli.INPUT) for c in ("check", "run", "report") for p in ("nowhere", "empty", "unrelated", "file")),
    ("check sales", cli.INPUT), ("run broken.xlsx", cli.INPUT), ("check broken.xlsx --no-sheet", cli.PROBLEMS),
    ("run study --only 99", cli.INPUT), ("run study --out file", cli.OUTPUT), ("report study --out file", cli.OUTPUT),
    ("new file", cli.OUTPUT), ("new study", cli.OUTPUT), ("simulate file", cli.OUTPUT),
    ("simulate study", cli.OUTPUT), ("simulate unrelated", cli.OUTPUT), ("simulate nowhere --units 2", cli.INPUT),
    ("import nowhere study", cli.INPUT), ("import empty study", cli.INPUT), ("import file study", cli.INPUT),
    ("import sales study", cli.INPUT), ("import sales study --format nonsense", cli.INPUT),
    ("import sales study --mapping nowhere", cli.INPUT), ("import sales study --mapping broken.toml", cli.INPUT),
    ("import broken.xlsx study --yes", cli.INPUT),
]  # fmt: skip


@pytest.mark.parametrize(("line", "status"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_place_is_a_sentence_and_changes_nothing(line, status, places, tmp_path, capsys):
    words = [places.get(w, w) for w in line.split()]
    _told(words, capsys, tmp_path, status)


@pytest.mark.parametrize(
    ("toml", "status", "words"),
    [
        ('name = "x\n', cli.PROBLEMS, ("study.toml", "1")),
        ('timezone = "Asia/Shanghai"\ntimezone = "UTC"\n', cli.PROBLEMS, ("study.toml", "2")),
        ('timezone = "Asia/Shangai"\n', cli.PROBLEMS, ("Asia/Shangai",)),
        (
            'timezone = "Asia/Shanghai"\n[groups]\nraters = 2\n',
            cli.PROBLEMS,
            ("groups.raters", "5"),
        ),
        (
            'timezone = "UTC"\n[[waves]]\nid = "a"\nfrom = 2025-02-01\nto = 2025-01-01\n',
            cli.PROBLEMS,
            ("waves.a",),
        ),
        (
            'timezone = "UTC"\n[pilot]\nunits = ["HR"]\nfrom = "soon"\n',
            cli.PROBLEMS,
            ("pilot.from", "soon"),
        ),
        ('timezone = "UTC"\ncalender = "cn"\n', cli.DONE, ("calender", "calendar")),
        ("\xff\xfe", cli.PROBLEMS, ("study.toml",)),
    ],
)
def test_settings_with_a_mistake(toml, status, words, study, capsys):
    (study / "study.toml").write_bytes(toml.encode("latin-1"))
    said = _told(["check", str(study), "--no-sheet"], capsys, study, status)
    assert all(word in text for word in words for text in said.values())


@pytest.mark.parametrize("console", ["gbk", "cp437"])
def test_a_console_that_lacks_signs(console, study):
    """The sign of a warning is not in code page 936, Chinese is not in 437: a mark stands for them."""
    (study / "unit.csv").write_text(
        CSV["unit"].replace("财务", "财务😀⚠").replace("HR", "H⚠"), "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "svcmetrics.cli", "check", str(study), "--no-sheet"], capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": console}, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == cli.PROBLEMS
    assert b"Traceback" not in done.stderr


def test_a_real_process_without_a_terminal(study, tmp_path):
    """Import asks for consent; nobody can give it, so nothing is imported. No traceback anywhere."""
    command = [sys.executable, "-m", "svcmetrics.cli", "--lang", "en"]
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "utf-8",
        "SVCMETRICS_KEYS": str(tmp_path / "keys"),
    }
    before = _bytes(study)
    source = shutil.copy(study / "rating.csv", tmp_path / "answers.csv")
    done = subprocess.run(
        [*command, "import", str(source), str(study)], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, encoding="utf-8", env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (cli.INPUT, False)
    assert "--yes" in done.stderr
    assert _bytes(study) == before
