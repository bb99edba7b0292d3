"""Reading, table, figure: in this order, and nothing where there is nothing."""

from __future__ import annotations

import pandas as pd

import svcmetrics as svc
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.showing import Shown

PARTS = estimates("on_time", groups={"unit_id": ["A", "B"]}, estimate=[0.9, 0.8], n=9)
NOTE = Finding("on_time.none", {}, "refused")


def test_the_reading_comes_first_then_the_table_then_the_figure():
    page = Shown([Result("on_time", PARTS, [NOTE], drawing="series")])._repr_html_()
    places = [page.index(part) for part in ("svc-refused", "<table", "data:image/png;base64,")]
    assert places == sorted(places)


def test_without_a_number_only_the_reason_is_shown():
    page = Shown([Result("on_time", estimates("on_time", n=0), [NOTE])])._repr_html_()
    assert "<table" not in page and "<img" not in page
    assert NOTE.say() in page


def test_of_nothing_but_zeros_there_is_a_table_and_no_picture():
    none = estimates("returns", groups={"unit_id": ["A", "B"]}, estimate=[0.0, 0.0], n=9)
    page = Shown([Result("returns", none, [NOTE])])._repr_html_()
    assert "<table" in page and "<img" not in page


def test_a_picture_names_no_judge_and_no_handler():
    for person in ("judge_key", "actor_key"):
        table = estimates("returns", groups={person: ["k1", "k2"]}, estimate=[1.0, 2.0], n=9)
        assert "<img" not in Shown([Result("returns", table, [NOTE])])._repr_html_()


def test_long_tables_are_folded_and_short_ones_open():
    long = estimates("returns", groups={"unit_id": list("ABCDEFGHIJKLMNO")}, estimate=0.5, n=9)
    for table, opened in ((PARTS, True), (long, False)):
        page = Shown([Result("returns", table, [NOTE])], figure=False)._repr_html_()
        assert ("<details open>" in page) is opened


def test_what_several_results_say_is_said_once():
    results = [Result("on_time", PARTS, [NOTE]), Result("on_time", PARTS, [NOTE])]
    assert Shown(results, figure=False)._repr_html_().count(NOTE.say()) == 1


def test_names_of_users_are_data_and_never_code():
    evil = estimates("returns", groups={"unit_id": ["<b>A"]}, estimate=[0.5], n=9)
    assert "<b>A" not in Shown([Result("returns", evil, [NOTE])])._repr_html_()


def test_a_study_shows_names_for_ids_and_for_steps():
    unit = pd.DataFrame({"unit_id": ["D1"], "name_zh": ["财务部"], "name_en": ["Finance"]})
    step = pd.DataFrame(
        {"service_id": ["S1"], "step_no": [2], "name_zh": ["审核"], "name_en": ["Check"]}
    )
    study = svc.Study({"unit": unit, "step": step})
    table = estimates(
        "returns",
        groups={"unit_id": ["D1"], "service_id": ["S1"], "step_no": [2.0]},
        estimate=[1.0],
        n=9,
    )
    for code, name, work in (("zh", "财务部", "2 审核"), ("en", "Finance", "2 Check")):
        with svc.speaking(code):
            page = study.show(Result("returns", table, [NOTE]), figure=False)._repr_html_()
        assert name in page and work in page
