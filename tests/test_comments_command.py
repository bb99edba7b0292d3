"""What raters wrote comes out by one command: enough writers, masked, held against the last list."""

from __future__ import annotations

import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics import cli
from svcmetrics.study import Settings

NAME = "欧阳小北"


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


def study(folder, writers: dict[str, int], *, comments: int = 10):
    """Departments with so many persons who wrote about them."""
    rows = [(f"p{i}", unit, "q1", float(1 + i % 5), f"第{'甲乙丙丁戊己庚辛壬癸子丑寅'[i]}条，{NAME}办得好")
            for unit, count in writers.items() for i in range(count)]  # fmt: skip
    rating = pd.DataFrame(rows, columns=["rater_key", "target_id", "item_id", "score", "reason"])
    rating = rating.assign(wave="W1", submitted_at=pd.NaT, seconds=float("nan"))
    unit = pd.DataFrame({
        "unit_id": ["A", "B"], "name_zh": ["财务部", "=1+1"], "name_en": ["Finance", "=1+1"],
        "is_service_unit": True,
    })  # fmt: skip
    settings = Settings(name="意见研究", min_comments=comments)
    return svc.write_study(svc.Study({"unit": unit, "rating": rating}, settings), folder)


def listed(out, code: str) -> pd.DataFrame:
    book = pd.read_excel(out / f"comments_{code}.xlsx", sheet_name=1, header=None)
    head = book.index[book[1].isin(["意见", "comment"])][0]
    return book.iloc[head + 1 :].reset_index(drop=True)


def test_a_list_comes_out_in_both_languages_masked_and_on_record(tmp_path, capsys):
    study(tmp_path / "s", {"A": 12, "B": 9})
    (tmp_path / "staff.txt").write_text(f"{NAME}\n", "gb18030")
    done = cli.main(["--lang", "zh", "comments", str(tmp_path / "s"), "--out", str(tmp_path / "o"),
                     "--mask", str(tmp_path / "staff.txt")])  # fmt: skip
    said = capsys.readouterr().out
    assert done == cli.DONE
    assert "12 条" in said and "不足 10 人" in said and "通读" in said
    zh, en = listed(tmp_path / "o", "zh"), listed(tmp_path / "o", "en")
    assert set(zh[0]) == {"财务部"} and set(en[0]) == {"Finance"}
    assert zh[1].tolist() == en[1].tolist() and len(zh) == 12
    assert not any(NAME in text for text in zh[1])
    assert {p.name for p in (tmp_path / "o").iterdir()} >= {"comments.manifest.json",
                                                            "comments.impact_zh.html"}  # fmt: skip


def test_a_second_month_with_one_new_comment_shows_the_first_list_again(tmp_path, capsys):
    study(tmp_path / "one", {"A": 11})
    study(tmp_path / "two", {"A": 12, "B": 10})
    for name in ("one", "two"):
        out = str(tmp_path / f"out {name}")
        assert cli.main(["--lang", "en", "comments", str(tmp_path / name), "--out", out]) == 0
    assert "wait" in capsys.readouterr().out
    first, second = listed(tmp_path / "out one", "zh"), listed(tmp_path / "out two", "zh")
    assert second[second[0] == "财务部"][1].tolist() == first[1].tolist()
    assert (second[0] == "=1+1").sum() == 10


def test_too_few_writers_leave_no_file(tmp_path, capsys):
    study(tmp_path / "s", {"A": 9})
    out = tmp_path / "o"
    assert cli.main(["--lang", "en", "comments", str(tmp_path / "s"), "--out", str(out)]) == 0
    assert "none is shown" in capsys.readouterr().out
    assert not out.exists()


def test_the_floor_of_a_study_counts_and_cannot_be_lowered_later(tmp_path, capsys):
    study(tmp_path / "high", {"A": 12}, comments=13)
    study(tmp_path / "low", {"A": 12}, comments=10)
    assert cli.main(["comments", str(tmp_path / "high"), "--out", str(tmp_path / "o")]) == 0
    assert not (tmp_path / "o").exists()
    assert cli.main(["comments", str(tmp_path / "low"), "--out", str(tmp_path / "o")]) == cli.INPUT
    assert not (tmp_path / "o").exists() and capsys.readouterr().err


@pytest.mark.parametrize(("code", "word"), [("zh", "意见"), ("en", "raters wrote")])
def test_a_study_without_comments_says_so(code, word, tmp_path, capsys):
    svc.write_study(
        svc.Study({"unit": pd.DataFrame({"unit_id": ["A"], "is_service_unit": True})},
                  Settings(name="leer")), tmp_path / "s")  # fmt: skip
    assert cli.main(["--lang", code, "comments", str(tmp_path / "s")]) == cli.INPUT
    assert word in capsys.readouterr().err
