"""What a study publishes: persons are counted for every table, and nothing passes by the ledger."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest

import svcmetrics as svc
from svcmetrics.metric import REGISTRY
from svcmetrics.privacy import Behind, Ledger, publish, publish_audited
from svcmetrics.problems import StudyError
from svcmetrics.publication import published
from svcmetrics.result import Finding, Result, estimates
from svcmetrics.study import Settings, Study

QUESTIONS = ("design", "measure", "rate", "verify", "weigh", "score", "pilot")


@pytest.fixture(autouse=True)
def _ledgers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("SVCMETRICS_KEYS", str(tmp_path))


@pytest.fixture(scope="module", autouse=True)
def _every_metric():
    for question in QUESTIONS:
        importlib.import_module(f"svcmetrics.{question}")


def lite(people: dict[str, int], *, late: int = 0, settings: Settings | None = None) -> Study:
    """A study of three tables: departments rated by so many persons on three items."""
    rng = np.random.default_rng(3)
    rows = []
    for unit, count in people.items():
        for who in range(count + (late if unit == "B" else 0)):
            for item in ("q1", "q2", "q3"):
                rows.append((f"p{unit}{who}", unit, item, float(rng.integers(2, 5)), "W1"))
        rng = np.random.default_rng(4)
    rating = pd.DataFrame(rows, columns=["rater_key", "target_id", "item_id", "score", "wave"])
    rating = rating.assign(submitted_at=pd.NaT, seconds=np.nan)
    unit = pd.DataFrame({"unit_id": list(people), "is_service_unit": True})
    return Study({"unit": unit, "rating": rating}, settings or Settings(name="lite"))


def test_every_metric_says_whose_small_number_it_could_betray():
    known = {"raters", "spread", "ratings", "judges", "work", "records"}
    assert {m.behind for m in REGISTRY.values()} <= known
    # Made of ratings, but folders default to something else: these must say so themselves.
    assert REGISTRY["burden"].behind == REGISTRY["response"].behind == "ratings"
    assert REGISTRY["importance"].behind == "ratings"
    assert REGISTRY["aggregation"].behind == "spread"
    assert REGISTRY["ahp"].behind == "judges"
    assert all(m.behind not in ("work", "records", "judges")
               for m in REGISTRY.values() if m.question == "verify")  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "n", "shown"),
    [
        ("icc", 30, False),  # n counts departments or forms: no word on how many persons spoke
        ("adjust", 5, True),
        ("adjust", 4, False),
        ("ahp", 4, False),  # judges
        ("on_time", 4, False),  # cases point at those who did them
        ("on_time", 5, True),
        ("connectivity", 1, True),  # a plan is nobody's opinion
        ("aggregation", 19, False),  # how raters differ, of fewer than twenty
        ("aggregation", 20, True),
        ("no_such_metric", 99, False),
    ],
)
def test_what_n_counts_decides(metric, n, shown):
    result = Result(metric, estimates(metric, groups={"unit": ["A"]}, estimate=1.0, n=n))
    assert publish(result).table["shown"].tolist() == [shown]


def test_persons_are_given_where_n_does_not_count_them():
    result = Result("icc", estimates("icc", groups={"unit": ["A", "B"]}, estimate=1.0, n=99))
    assert publish(result, persons=7).table["shown"].tolist() == [True, True]
    assert publish(result, persons=[7, 4]).table["shown"].tolist() == [True, False]


def test_a_spread_of_fewer_than_twenty_is_not_shown():
    table = estimates("adjust", groups={"unit": ["A", "B"]}, estimate=4.0, n=[19, 20], se=0.1)
    assert publish(Result("adjust", table)).table["se"].isna().tolist() == [True, False]


def test_a_study_is_published_twice_alike_and_small_departments_stay_hidden():
    study = lite({"A": 8, "B": 7, "C": 3})
    results = svc.assess(study)
    one, two = (published(study, results) for _ in range(2))
    for name in one:
        pd.testing.assert_frame_equal(one[name].table, two[name].table)
    adjusted = one["adjust"].table
    assert adjusted.groupby("target_id")["shown"].all().to_dict() == {
        "A": True,
        "B": True,
        "C": False,
    }
    assert adjusted.loc[~adjusted["shown"], ["estimate", "n", "shift"]].isna().all(axis=None)


def test_a_late_vote_does_not_show_in_the_next_report():
    study, later = lite({"A": 8, "B": 7}), lite({"A": 8, "B": 7}, late=1)
    published(study, svc.assess(study))
    table = published(later, svc.assess(later))["adjust"].table
    assert table.groupby("target_id")["shown"].all().to_dict() == {"A": True, "B": False}


def test_floors_are_locked_by_publishing():
    study = lite({"A": 9, "B": 9}, settings=Settings(name="lite", min_raters=8))
    published(study, svc.assess(study))
    lowered = lite({"A": 9, "B": 9}, settings=Settings(name="lite", min_raters=6))
    with pytest.raises(StudyError) as caught:
        published(lowered, svc.assess(lowered))
    assert "W1" in caught.value.say("zh")


def test_a_unanimous_department_shows_a_band_and_a_word(tmp_path):
    table = estimates(
        "adjust", groups={"unit": ["A", "B"]}, variant="adjusted", estimate=[4.97, 3.4],
        low=[4.9, 3.0], high=[5.0, 3.8], n=[12, 12],
    )  # fmt: skip
    rows = [(u, f"{u}{i}", 5.0 if u == "A" else 3.0 + i / 20) for u in "AB" for i in range(12)]
    ratings = pd.DataFrame(rows, columns=["unit", "who", "score"])
    behind = Behind(ratings, ["unit"], "who", "score", (1, 5), decimals=None)
    found = Finding("where.table", {"value": "A"})
    with Ledger.open("x", tmp_path) as ledger:
        out = publish_audited(
            Result("adjust", table, [found]), behind=behind, ledger=ledger, spread=True
        )
        words = estimates("groups", groups={"unit": ["A", "B"]}, estimate=[1.0, 0.0],
                          low=0.1, high=2.0, n=12, group=["above", "unclear"])  # fmt: skip
        groups = publish_audited(Result("groups", words), behind=behind, ledger=ledger).table
    assert out.table["bound"].tolist() == ["at_least", ""]
    assert out.table["estimate"].tolist() == [4.62, 3.4]
    assert out.table.loc[0, ["low", "high"]].isna().all()
    assert out.findings == ()
    assert groups["group"].tolist() == ["above", "unclear"]
    assert groups["estimate"].isna().tolist() == [True, False]


def test_a_sentence_with_a_number_of_a_hidden_department_is_not_published():
    table = estimates("composite", groups={"unit": ["A", "B"]}, estimate=[52.5, 97.5], n=[9, 3])
    told = [Finding("composite.range", {"targets": 2, "low": 52.5, "high": 97.5, "half": 1.0})]
    assert publish(Result("composite", table, told)).findings == ()
    wider = table.assign(n=[9, 9])
    assert len(publish(Result("composite", wider, told)).findings) == 1


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open("rows", tmp_path) as opened:
        yield opened


def answers(people: dict[str, int], *, high: tuple[str, ...] = ()) -> Behind:
    """Departments with so many raters; those of ``high`` get the best mark of everybody."""
    found = [
        (unit, f"{unit}{i}", 5.0 if unit in high else 2.0 + i % 3)
        for unit, count in people.items()
        for i in range(count)
    ]
    frame = pd.DataFrame(found, columns=["unit", "who", "score"])
    return Behind(frame, ["unit"], "who", "score", (1, 5), decimals=None)


def adjusted(units: list[str], estimate: list[float], **more) -> Result:
    table = estimates("adjust", groups={"unit": units}, estimate=estimate, low=np.subtract(estimate, 0.123456),
                      high=np.add(estimate, 0.123456), n=99, **more)  # fmt: skip
    return Result("adjust", table)


@pytest.mark.parametrize("all_", ["all", ""])
def test_the_row_of_everybody_rests_on_all_ratings_and_unknown_rows_on_none(ledger, all_):
    behind = answers({"A": 8, "B": 4, "C": 7})
    result = adjusted(["A", "B", "C", all_, "D"], [3.1, 3.2, 3.3, 3.2, 3.4])
    table = publish_audited(result, behind=behind, ledger=ledger).table
    # With A, C and everybody shown, B would follow.
    assert table["shown"].tolist()[1] is False and table["shown"].tolist()[4] is False
    assert table["shown"].sum() == 2
    alone = publish_audited(
        adjusted([all_], [3.2]), behind=behind, ledger=ledger, quantity="other"
    ).table
    assert alone["shown"].tolist() == [True]


def test_a_table_without_names_is_about_everybody(ledger):
    result = Result("adjust", estimates("adjust", estimate=3.25, n=4))
    few, many = answers({"A": 2, "B": 2}), answers({"A": 3, "B": 2})
    assert not publish_audited(result, behind=few, ledger=ledger).table["shown"].any()
    assert publish_audited(result, behind=many, ledger=ledger, quantity="x").table["shown"].all()


@pytest.mark.parametrize(
    ("largest", "shown"),
    [
        (523.456, 523.0), (52.3456, 52.3), (5.23456, 5.23), (0.523456, 0.523), (0.0523456, 0.052),
        (1000.4, 1000.0), (99.96, 100.0), (9.996, 10.0), (-523.456, -523.0),
    ],
)  # fmt: skip
def test_numbers_of_ratings_have_three_digits_of_the_largest(ledger, largest, shown):
    behind = answers({"A": 8, "B": 9})
    more = {"weight": [largest, 0.0004], "none": [np.nan, np.nan], "zero": [0.0, 0.0], "k": [1, 2]}
    out = publish_audited(
        adjusted(["A", "B"], [3.1, 3.2], **more), behind=behind, ledger=ledger, spread=True
    )
    table = out.table
    assert table["weight"].tolist() == [shown, 0.0]
    assert table["low"].tolist() == [2.98, 3.08]
    assert table["zero"].tolist() == [0, 0] and table["k"].tolist() == [1, 2]
    assert out.hidden == 0 and "bound" not in table and out.findings == ()


def test_what_is_hidden_is_named_and_counted(ledger):
    behind = answers({"A": 8, "B": 4, "C": 7})
    result = adjusted(["C", "B", "A"], [3.3, 3.2, 3.1])
    out = publish_audited(result, behind=behind, ledger=ledger, spread=True)
    assert out.table["shown"].tolist() == [True, False, True]
    assert (out.hidden, out.min_n) == (1, 5)
    told = [(f.key, f.values["names"], f.values["count"]) for f in out.findings]
    assert told == [("publish.hidden_rows", ["B"], 1)]
    assert out.table.loc[1, ["estimate", "low", "high", "n"]].isna().all()
    assert out.table["n"].tolist()[0] == 99
    # A row that never had an estimate is not lost.
    empty = adjusted(["C", "B"], [3.3, np.nan])
    assert publish_audited(empty, behind=behind, ledger=ledger, spread=True).findings == ()


def test_a_larger_group_may_be_asked_for(ledger):
    behind = answers({"A": 8, "B": 6})
    result = adjusted(["A", "B"], [3.1, 3.2])
    out = publish_audited(result, behind=behind, ledger=ledger, min_n=7)
    assert out.table["shown"].tolist() == [True, False]
    assert publish_audited(result, behind=behind, ledger=ledger).table["shown"].all()


def test_a_department_at_the_end_keeps_its_count_and_loses_its_numbers(ledger):
    behind = answers({"A": 6, "B": 6}, high=("A",))
    out = publish_audited(
        adjusted(["A", "B"], [4.97, 3.1], k=[1.5, 2.5]), behind=behind, ledger=ledger
    )
    table = out.table
    assert table["shown"].all() and out.hidden == 0
    assert table["bound"].tolist() == ["at_least", ""]
    assert table["n"].tolist() == [99, 99]
    assert table["k"].isna().tolist() == [True, False]
    assert table["variant"].tolist() == ["", ""]


def test_the_same_question_of_another_quantity_is_another_one(ledger):
    behind, fewer = answers({"A": 8}), answers({"A": 7})
    result = adjusted(["A"], [3.1])
    assert publish_audited(result, behind=behind, ledger=ledger).table["shown"].all()
    assert not publish_audited(result, behind=fewer, ledger=ledger).table["shown"].any()
    assert publish_audited(result, behind=fewer, ledger=ledger, quantity="y").table["shown"].all()


def test_what_is_hidden_for_another_reason_is_not_put_on_the_ledger(ledger):
    """How raters differ needs twenty of them; the mean of ten was not shown, and may be later."""
    result = Result(
        "aggregation", estimates("aggregation", groups={"unit": ["A"]}, estimate=0.7, n=10)
    )
    assert publish_audited(result, behind=answers({"A": 10}), ledger=ledger).hidden == 1
    assert ledger.cells().empty


def test_the_gate_does_not_tell_what_its_source_hides():
    response = estimates("response", groups={"wave": ["W1", "all"]}, estimate=[0.5, 0.8], n=[4, 4])
    rules = estimates(
        "gate", groups={"measure": ["response", "on_time"]}, estimate=[0.8, 0.9], n=[4, 30]
    )
    results = {
        "response": Result("response", response, [Finding("response.none", {}, "note")]),
        "gate": Result("gate", rules, [Finding("gate.go", {"criteria": 2}, "note")]),
    }
    study = lite({"A": 4})
    shown = {k: v.table.set_index(v.table.columns[0]) for k, v in published(study, results).items()}
    assert not shown["response"].loc["all", "shown"]
    assert not shown["gate"].loc["response", "shown"]
    assert shown["gate"].loc["response", ["estimate", "n"]].isna().all()
    assert shown["gate"].loc["on_time", "estimate"] == 0.9
