"""The brief: published tables only, one line per department, names escaped, the same bytes again."""

from __future__ import annotations

import pandas as pd
import pytest

from svcmetrics import lang
from svcmetrics.privacy import publish
from svcmetrics.report import brief
from svcmetrics.result import Finding, Result, estimates

HOSTILE = '<img src=x onerror="alert(1)">'


def _groups(names: list[str], n: list[float]) -> Result:
    table = estimates(
        "groups", groups={"target_id": names}, estimate=[5.0, -5.0], low=[1.0, -9.0], high=[9.0, -1.0],
        n=n, group=["above", "below"],
    )  # fmt: skip
    return Result("groups", table, [Finding("where.table", {"value": names[1]})], drawing="groups")


def _composite(names: list[str], n: list[float]) -> Result:
    table = estimates(
        "composite",
        groups={"target_id": names},
        estimate=[81.2, 58.4],
        low=[79.0, 55.0],
        high=[83.0, 61.0],
        n=n,
    )
    return Result("composite", table)


@pytest.fixture
def tables():
    names, n = ["财务部", "法务部"], [30, 30]
    return {
        "groups": publish(_groups(names, n), count="n"),
        "composite": publish(_composite(names, n), count="n"),
    }


def test_each_department_has_one_line_with_its_interval(tables):
    page = brief(tables, title="示例", language="zh")
    assert "81（79–83）" in page
    assert "明显高于平均" in page and "明显低于平均" in page


def test_both_languages_say_the_same_numbers(tables):
    page = brief(tables, title="Example", language="en")
    assert "81 (79–83)" in page
    assert "clearly above the mean" in page


def test_a_hidden_department_shows_no_number_anywhere():
    names, n = ["财务部", "法务部"], [30, 2]
    page = brief(
        {
            "groups": publish(_groups(names, n), count="n"),
            "composite": publish(_composite(names, n), count="n"),
        },
        title="示例",
        language="zh",
    )
    assert "58（" not in page
    assert "不予展示" in page


def test_a_name_is_only_a_name():
    names = [HOSTILE, "B"]
    page = brief(
        {"composite": publish(_composite(names, [30, 30]), count="n")}, title=HOSTILE, language="en"
    )
    assert HOSTILE not in page
    assert "&lt;img" in page


def test_banners_come_first_and_notes_last(tables):
    page = brief(tables, title="t", language="en", banners=["brief.pilot"], notes={"seed": 7})
    assert page.index("not for reward") < page.index("81 (79–83)") < page.index("seed: 7")


def test_the_same_tables_give_the_same_bytes(tables):
    assert brief(tables, title="t", language="zh") == brief(tables, title="t", language="zh")


def test_a_raw_table_is_refused():
    with pytest.raises(AttributeError):
        brief({"groups": pd.DataFrame()}, title="t", language="en")


def _gate_of(*criteria: str) -> Result:
    table = estimates(
        "gate", groups={"measure": [*criteria, ""]}, variant=["pass"] * len(criteria) + ["go"],
        estimate=[0.853] * (len(criteria) + 1), low=0.841, high=0.862, n=40,
    )  # fmt: skip
    table["metric"] = ["gate"] * len(criteria) + ["gate_passed"]
    return Result("gate", table, [Finding("run.page_skipped")])


@pytest.mark.parametrize("criterion", ["on_time", "on-time rate"])
def test_a_criterion_that_is_a_share_is_written_in_per_cent_whether_named_or_not(criterion):
    page = brief({"gate": publish(_gate_of(criterion, "phi"), count="n")}, title="E", language="en")
    assert "85% (84%–86%)" in page
    assert "0.85 (0.84–0.86)" in page


def test_what_stands_at_the_head_of_the_page_is_not_said_again(tables):
    gate = {"gate": publish(_gate_of("phi"), count="n")}
    page = brief(gate, title="E", language="en", banners=["run.page_skipped"])
    with lang.speaking("en"):
        assert page.count(lang.say("run.page_skipped")) == 1


def test_a_department_that_is_not_compared_stands_on_the_page_and_is_told(tables):
    names, n = ["财务部", "法务部", "行政部"], [30, 30, 30]
    rated = estimates(
        "adjust",
        groups={"target_id": names},
        variant="adjusted",
        estimate=4.0,
        low=3.8,
        high=4.2,
        n=n,
    )
    told = Finding("assess.few_raters", {"names": names[2:], "count": 1, "least": 10}, "warning")
    compared = publish(_groups(names[:2], n[:2]).also([told]), count="n")
    page = brief(
        {**tables, "groups": compared, "adjust": publish(Result("adjust", rated), count="n")},
        title="示例", language="zh",
    )  # fmt: skip
    assert "<td>行政部</td><td>未参加比较</td>" in page
    assert "行政部（1 个）的评价人不足 10 名，不参加比较" in page


def test_the_page_tells_the_group_size_that_it_was_published_with():
    names = ["财务部", "法务部"]
    kept = publish(_groups(names, [30, 30]), count="n", min_n=8)
    assert "不足 8 名评价人的单元格不予展示" in brief({"groups": kept}, title="示例", language="zh")


@pytest.mark.parametrize(
    ("score", "said"),
    [(4.052, "4.05（3.05–5.05）"), (83.84, "83.8（82.8–84.8）"), (9.994, "9.99（8.99–10.99）"),
     (10.0, "10.0（9.0–11.0）"), (412.4, "412（411–413）"), (100.0, "100（99–101）")],
)  # fmt: skip
def test_adjusted_scores_have_three_digits_whatever_the_scale(score, said):
    rated = estimates(
        "adjust", groups={"target_id": ["财务部"]}, variant="adjusted", estimate=score,
        low=score - 1, high=score + 1, n=30,
    )  # fmt: skip
    page = brief(
        {"adjust": publish(Result("adjust", rated), count="n")}, title="示例", language="zh"
    )
    assert f"<td>{said}</td>" in page
