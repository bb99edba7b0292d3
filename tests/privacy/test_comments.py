"""Comments: from ten writers, shuffled, without a time, names masked."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics.privacy import comments
from svcmetrics.problems import TableError


def said(writers: int, *, unit: str = "财务部", text: str = "第{i}条意见") -> pd.DataFrame:
    return pd.DataFrame({
        "unit": unit, "who": [f"p{i}" for i in range(writers)],
        "text": [text.format(i=i) for i in range(writers)],
        "submitted_at": pd.date_range("2025-01-01", periods=writers),
    })  # fmt: skip


def show(frame: pd.DataFrame, **more):
    return comments(frame, text="text", rater="who", by="unit", **more)


def test_ten_writers_are_enough_and_nine_are_not():
    both = pd.concat([said(10), said(9, unit="人事部")], ignore_index=True)
    shown = show(both)
    assert shown.table["unit"].unique().tolist() == ["财务部"]
    assert len(shown.table) == 10 and shown.hidden == 1
    assert "人事部" not in shown.say("zh") and "9" not in shown.say("zh")


def test_many_comments_of_few_people_are_not_shown():
    frame = said(30).assign(who=[f"p{i % 9}" for i in range(30)])
    assert show(frame).table.empty
    assert show(said(0)).table.empty


def test_the_floor_cannot_be_lowered():
    with pytest.raises(TableError, match="10"):
        show(said(30), min_raters=9)


def test_neither_order_nor_time_nor_writer_is_left():
    frame = said(40)
    one, other = show(frame).table, show(frame.sample(frac=1, random_state=1)).table
    pd.testing.assert_frame_equal(one, other)
    assert one["comment"].tolist() != frame["text"].tolist()
    assert set(one.columns) == {"unit", "comment", "shown"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("张晓明很配合", "■■很配合"),
        ("请找王经理或李工,别找刘总", "请找■■或■■,别找■■"),
        ("打13812345678或138-1234-5678", "打■■或■■"),
        ("座机 010-62345678 没人接", "座机 ■■ 没人接"),
        ("写信 zhang.xm@corp.com.cn 无回音", "写信 ■■ 无回音"),
        ("工号A10086办的", "工号■■办的"),
        ("身份证11010519491231002X被传出", "身份证■■被传出"),
        ("ask Li Lei, not Lionel or Dr. Smith", "ask ■■, not Lionel or ■■"),
        ("张晓明工作室的人很好", "张晓明工作室的人很好"),
        ("加工程序慢,黄金工程好,2025 年比 2024 年快", "加工程序慢,黄金工程好,2025 年比 2024 年快"),
    ],
)
def test_names_and_numbers_are_masked_and_departments_stay(text, masked):
    frame = said(10).assign(text=[text, *[f"意见{i}" for i in range(9)]])
    shown = show(frame, names=["张晓明", "Li Lei"], keep=["张晓明工作室"]).table
    assert masked in shown["comment"].tolist()


def test_what_an_unknown_person_wrote_and_empty_words_are_neither_shown_nor_counted():
    frame = said(12)
    frame.loc[10, "who"], frame.loc[11, "text"] = None, "  "
    shown = show(frame)
    assert len(shown.table) == 10 and not shown.table["comment"].str.contains("第10条").any()
    assert show(frame.iloc[1:]).table.empty  # nine who wrote, one unknown, one silent


def test_the_same_words_of_several_stand_once_and_their_writers_count():
    frame = pd.concat([said(9), said(3, text="谢谢").assign(who=["a", "b", "p0"])])
    shown = show(frame)
    assert (shown.table["comment"] == "谢谢").sum() == 1 and len(shown.table) == 10
    assert shown.findings[0].values == {"count": 10, "groups": 1}


def test_groups_shown_and_hidden_are_counted():
    many = pd.concat(
        [said(n, unit=f"部门{k}") for k, n in enumerate((10, 12, 9, 3, 1))], ignore_index=True
    )
    shown = show(many)
    assert [(f.key, dict(f.values)) for f in shown.findings] == [
        ("comments.shown", {"count": 22, "groups": 2}),
        ("comments.hidden", {"hidden": 3, "least": 10}),
        ("comments.read_first", {}),
    ]
    assert (shown.hidden, shown.min_n) == (3, 10)
    higher = show(many, min_raters=12)
    assert (len(higher.table), higher.hidden, higher.min_n) == (12, 4, 12)
    none = show(many, min_raters=13)
    assert [f.key for f in none.findings] == ["comments.none"] and none.hidden == 5
    whole = comments(many, text="text", rater="who")  # twelve persons wrote, of whom some twice
    assert whole.hidden == 0 and whole.table["group"].unique().tolist() == [""]


def test_lists_stand_by_department():
    table = show(pd.concat([said(10, unit="乙"), said(11, unit="丙"), said(12, unit="甲")])).table
    assert table["unit"].drop_duplicates().tolist() == sorted("甲乙丙")


def test_the_longer_of_two_names_is_masked_as_a_whole():
    frame = said(10).assign(text=["张晓明明来了", *[f"意见{i}" for i in range(9)]])
    shown = show(frame, names=["张晓", " 张晓明明 ", "", "张晓明"]).table["comment"].tolist()
    assert "■■来了" in shown
    kept = show(frame, names=["张晓明"], keep=["张晓", "张晓明明", ""]).table["comment"].tolist()
    assert "张晓明明来了" in kept
