"""问卷星 exports: text and coded, Excel and GB18030, persons and places dropped while reading."""

from __future__ import annotations

import pytest

from svcmetrics import read_study
from svcmetrics.io.import_files import import_file, propose
from svcmetrics.io.mapping import Answer
from svcmetrics.io.wenjuanxing import is_wenjuanxing, questions, read_wenjuanxing
from svcmetrics.problems import StudyError

from .foreign import WJX_TEXT, leaked, wjx_coded, write_csv, write_xlsx

SCORES = {
    ("Q3", "财务部"): [5, 2, 4],
    ("Q3", "人力资源部"): [4, 1, 4],
    ("Q4", "财务部"): [3, 4, 4],
    ("Q4", "人力资源部"): [5, 4],
}


@pytest.fixture(autouse=True)
def _own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path / "keys"))


VARIANTS = {
    "GB18030": lambda d: write_csv(d / "wjx.csv", WJX_TEXT, "gb18030"),
    "UTF-8 with mark": lambda d: write_csv(d / "wjx.csv", WJX_TEXT),
    "coded": lambda d: write_csv(d / "wjx.csv", wjx_coded()),
    "Excel": lambda d: write_xlsx(d / "wjx.xlsx", WJX_TEXT),
}


@pytest.mark.parametrize("write", VARIANTS.values(), ids=VARIANTS)
def test_all_variants_give_the_same_ratings(tmp_path, write):
    report = import_file(write(tmp_path), tmp_path / "study")
    study = read_study(tmp_path / "study")
    own = study.rating[["plan_id", "item_id", "score", "na_reason", "seconds", "submitted_at"]]
    both = own.merge(study.plan, on="plan_id")
    found = (
        both.dropna(subset=["score"]).groupby(["item_id", "target_id"])["score"].agg(list).to_dict()
    )
    assert found == SCORES
    assert both["na_reason"].dropna().tolist() == ["skipped"]
    assert both["seconds"].unique().tolist() == [125, 61, 300]
    assert str(both["submitted_at"].min()) == "2024-03-05 09:02:11+08:00"
    # A comment below a list of departments is about none of them, and the import says so.
    assert study.rating["reason"].isna().all()
    told = {f.key.rpartition(".")[2]: f.values for f in report.findings}
    assert told["comments_of_nobody"] == {"count": 2}
    assert set(study.plan["rater_unit_id"]) == {"研发部", "市场部"}
    assert [p for p in study.check() if p.level == "error"] == []
    assert (report.rows_in, report.rows_kept) == (3, 3)


def test_persons_and_places_are_never_written(tmp_path):
    import_file(VARIANTS["UTF-8 with mark"](tmp_path), tmp_path / "study")
    assert leaked(tmp_path / "study", "203.0.113", "深圳", "A001", "微信") == []
    assert "来自IP" not in read_wenjuanxing(tmp_path / "wjx.csv").frame


def test_a_form_number_is_a_rater_of_its_file(tmp_path):
    rows = [[c for c, h in zip(row, WJX_TEXT[0]) if h != "2、工号"] for row in WJX_TEXT]
    mapping = propose(write_csv(tmp_path / "a.csv", rows))
    assert mapping.source("plan.rater_key") == "序号"
    assert mapping.constant("plan.mode") == "anonymous"
    import_file(tmp_path / "a.csv", tmp_path / "study")
    write_csv(tmp_path / "b.csv", rows)
    import_file(tmp_path / "b.csv", tmp_path / "study")
    assert read_study(tmp_path / "study").plan["rater_key"].nunique() == 6


def test_headers_of_questions():
    found = questions(
        ["1、性别", "第2题(财务部)", "3、满意度—速度", "3、满意度—态度", "4.总体(1-5)", "总分"]
    )
    assert [(q.number, q.text, q.row) for q in found] == [
        ("1", "性别", ""), ("2", "", "财务部"), ("3", "满意度", "速度"), ("3", "满意度", "态度"),
        ("4", "总体(1-5)", ""),
    ]  # fmt: skip
    assert is_wenjuanxing(["序号", "提交答卷时间", "1、x"])


def test_a_question_can_say_which_department_is_rated(tmp_path):
    head = [
        "序号",
        "提交答卷时间",
        "所用时间",
        "1、请选择您要评价的部门",
        "2、满意度(速度)",
        "2、满意度(态度)",
    ]
    rows = [
        head,
        ["1", "2024/3/5 9:02", "10秒", "财务部", "5", "4"],
        ["2", "2024/3/5 9:03", "12秒", "", "3", "3"],
    ]
    report = import_file(write_csv(tmp_path / "w.csv", rows), tmp_path / "study")
    study = read_study(tmp_path / "study")
    assert study.item["text_zh"].tolist() == ["满意度 · 速度", "满意度 · 态度"]
    assert study.plan["target_id"].tolist() == ["财务部"]
    assert report.left_out == {"no_target": 1}


def test_without_a_department_the_import_asks_for_one(tmp_path):
    head = ["序号", "提交答卷时间", "所用时间", "1、总体满意度"]
    path = write_csv(tmp_path / "w.csv", [head, ["1", "2024/3/5 9:02", "10秒", "5"]])
    with pytest.raises(StudyError, match=r"plan\.target_id"):
        propose(path)


def test_choices_and_rankings_can_be_items(tmp_path):
    mapping = propose(VARIANTS["UTF-8 with mark"](tmp_path))
    assert {"5、您看重哪些方面", "6、请按重要性排序", "总分"} <= set(mapping.left_out)
    more = (
        Answer("5、您看重哪些方面", "Q5", "财务部", "choice", "看重"),
        Answer("6、请按重要性排序", "Q6", "财务部", "ranking", "排序"),
    )
    import_file(
        tmp_path / "wjx.csv",
        tmp_path / "study",
        mapping=mapping.but(answers=(*mapping.answers, *more)),
    )
    study = read_study(tmp_path / "study")
    items = study.item.set_index("item_id")
    assert items.loc["Q5_1", ["text_zh", "min", "max"]].tolist() == ["看重 · 速度", 0, 1]
    assert items.loc["Q6_1", ["min", "max", "reversed"]].tolist() == [1, 3, True]
    assert study.rating.query("item_id == 'Q6_3'")["score"].fillna(-1).tolist() == [3, 1, -1]
    assert [p for p in study.check() if p.level == "error"] == []
