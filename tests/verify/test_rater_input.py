"""What users hand in: unmarked reversals, unknown orders, changed units, one wave, no keys, few raters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.problems import InputError
from svcmetrics.verify import forms, grid

NAMES = {"rater": "r", "target": "t", "item": "i", "score": "s"}
WAVES = {**NAMES, "wave": "w"}


@pytest.fixture(scope="module")
def table():
    """Forty raters of five departments, five departments rated, five items, three waves."""
    rng = np.random.default_rng(1)
    shape = (40, 5, 3, 5)
    r, t, w, i = (v.ravel() for v in np.indices(shape))
    d = pd.DataFrame({"r": r, "t": t, "w": w + 1, "i": i, "u": r % 5})
    level = rng.normal(0, 0.4, 5)[t] - rng.normal(0, 0.4, 40)[r] + rng.normal(0, 0.3, (40, 5))[r, t]
    d["s"] = np.clip(np.rint(3.4 + level + rng.normal(0, 0.5, len(d))), 1, 5)
    return d[d["u"] != d["t"]].reset_index(drop=True)


def said(result, key):
    """The finding of this key in both languages; it must be there."""
    found = next(f for f in result.findings if f.key == key)
    return found.say("zh"), found.say("en")


def test_an_item_that_runs_against_the_others_is_named(table):
    turned = table.assign(s=table["s"].where(table["i"] != 3, 6 - table["s"]))
    zh, en = said(verify.careless(turned, **WAVES), "careless.reversed")
    assert "3" in zh and "反向" in zh and "3" in en and "revers" in en
    plain = verify.careless(table, **WAVES)
    assert "careless.reversed" not in {f.key for f in plain.findings}


def test_items_without_an_order_are_said_to_have_none(table):
    words = table.assign(
        i=table["i"].map(dict(enumerate(["质量", "及时", "沟通", "态度", "总体"])))
    )
    zh, en = said(verify.careless(words, **WAVES), "careless.order")
    assert "显示顺序" in zh and "order" in en
    numbered = verify.careless(table.assign(i="Q" + table["i"].astype(str)), **WAVES)
    assert "careless.order" not in {f.key for f in numbered.findings}


@pytest.mark.parametrize("metric", [verify.formality, verify.drift])
def test_waves_whose_names_tell_no_order_are_listed_as_taken(table, metric):
    words = table.assign(w=table["w"].map({1: "春季", 2: "夏季", 3: "冬季"}))
    zh, en = said(metric(words, **WAVES), "forms.wave_order")
    assert "春季" in zh and "先后" in zh and "order" in en
    dated = words.assign(at=pd.Timestamp("2025-01-01") + pd.to_timedelta(30 * table["w"], unit="D"))
    found = metric(dated, **WAVES, time="at")
    assert "forms.wave_order" not in {f.key for f in found.findings}
    assert found.about["waves"] == ["春季", "夏季", "冬季"]


def test_waves_numbered_in_words_or_mixed_up_rows_come_in_order(table):
    names = {1: "第二轮", 2: "第十轮", 3: "第十一轮"}
    found = verify.formality(
        table.assign(w=table["w"].map(names)).sample(frac=1, random_state=1), **WAVES
    )
    assert found.about["waves"] == ["第二轮", "第十轮", "第十一轮"]
    assert "forms.wave_order" not in {f.key for f in found.findings}
    labels = ["第三轮", "第一轮", "第二十轮", "第九轮", "第二十三轮", "第二轮"]
    ordered = grid.positions(pd.Series(labels))[1]
    assert ordered == ["第一轮", "第二轮", "第三轮", "第九轮", "第二十轮", "第二十三轮"]


def test_raters_who_change_department_are_counted_and_nothing_breaks(table):
    moved = table.assign(u=np.where((table["r"] == 7) & (table["w"] == 3), 4, table["u"]))
    moved = moved[moved["u"] != moved["t"]]
    zh, en = said(verify.reciprocity(moved, **WAVES, rater_unit="u"), "reciprocity.moved")
    assert "1 名" in zh and "换过部门" in zh and "1 rater changed" in en
    said(verify.collusion(moved, **WAVES, rater_unit="u"), "collusion.moved")
    whole = verify.impact(moved, **WAVES, rater_unit="u").table
    mixed = verify.impact(moved.sample(frac=1, random_state=2), **WAVES, rater_unit="u").table
    pd.testing.assert_frame_equal(whole, mixed)


def test_one_wave_says_what_cannot_be_seen(table):
    once = table[table["w"] == 1]
    zh, en = said(verify.formality(once, **WAVES), "formality.one_wave")
    assert "一轮" in zh and "wave" in en
    few = verify.drift(once, **WAVES)
    assert (
        few.findings[0].level == "refused"
        and "两轮" in few.say("zh")
        and "two waves" in few.say("en")
    )


def test_without_keys_over_waves_copies_and_drift_are_said_to_be_out_of_reach(table):
    fresh = table.assign(r=table["r"] + 1000 * table["w"])
    found = verify.formality(fresh, **WAVES)
    zh, en = said(found, "formality.no_key")
    assert "照抄" in zh and "无法检查" in zh and "cop" in en
    copying = found.table[found.table["metric"] == "copying"]
    assert copying["estimate"].isna().all() and (copying["n"] == 0).all()
    drift = verify.drift(fresh, **WAVES)
    assert drift.findings[0].level == "refused" and np.isnan(drift.table["estimate"].iloc[0])
    assert "每轮" in drift.say("zh") and "each time" in drift.say("en")
    # What needs no key over waves still works.
    assert verify.halo(fresh, **WAVES).table["estimate"].notna().any()
    rows = verify.impact(fresh, **WAVES).table.query("metric == 'impact'").set_index("variant")
    assert rows.loc["drift", "verdict"] == "refused"


def test_departments_below_five_raters_show_no_shift_in_any_effect(table):
    thin = table[(table["t"] > 0) | (table["r"] < 5)]
    thin = thin.assign(
        g=thin["u"] % 2, h=thin["t"] % 2, m=np.where(thin["r"] % 10 < 5, "named", "open")
    )
    sides = {"rater_group": "g", "target_group": "h"}
    results = [
        verify.in_group(thin, **WAVES, **sides), verify.mode_effect(thin, **WAVES, mode="m"),
        verify.drift(thin, **WAVES), verify.centrality(thin, **WAVES),
        verify.impact(thin, **WAVES, rater_unit="u", side=("g", "h"), mode="m"),
    ]  # fmt: skip
    for found in results:
        rows = found.table[
            (found.table["metric"] == "score_shift") & (found.table["t"].astype(str) == "0")
        ]
        assert len(rows) and rows["estimate"].isna().all() and (rows["n"] == 0).all()


def test_dropping_the_flagged_warns_when_it_cuts_the_plan_and_shows_both_results(table):
    left = (table["r"] % 2 == 0) == (table["t"] < 2)
    cut = table[left | (table["r"] < 2)].copy()
    cut.loc[cut["r"] < 2, "s"] = 1
    found = verify.careless(cut, **WAVES)
    zh, en = said(found, "careless.disconnects")
    assert "不要整批剔除" in zh and "compared" in en
    rows = found.table[found.table["metric"] == "score_without"]
    # Two raters fewer than before: their answers would follow from the difference.
    assert len(rows) == 5 and rows["estimate"].isna().all() and (rows["n"] == 0).all()
    zh, en = said(found, "careless.hidden")
    assert "5 个部门" in zh and "not shown" in en


def test_departments_written_as_numbers_and_as_texts_are_the_same_departments():
    rng = np.random.default_rng(4)
    r, t = (v.ravel() for v in np.indices((48, 6)))
    d = pd.DataFrame({"r": r, "t": t, "u": r % 6, "g": r % 2, "h": t % 2})
    d["s"] = 3 + 0.5 * (d["g"] == d["h"]) + rng.normal(0, 0.5, len(d))
    names = {"rater": "r", "target": "t", "score": "s"}
    calls = [
        (verify.reciprocity, {"rater_unit": "u"}),
        (verify.reciprocity, {"rater_unit": "u", "rater_group": "g", "target_group": "h"}),
        (verify.collusion, {"rater_unit": "u"}),
        (verify.in_group, {"rater_group": "g", "target_group": "h"}),
    ]
    text = d.astype({"t": "str", "h": "str"})
    gaps = text.assign(u=d["u"].astype("float64"), g=d["g"].astype("Int64"))
    for call, how in calls:
        whole = call(d, **names, **how).table["estimate"]
        assert whole.notna().any()
        for other in (text, gaps):
            own = call(other, **names, **how).table["estimate"]
            np.testing.assert_allclose(own, whole, atol=1e-9)


def test_a_form_with_several_times_is_said_to_have_them(table):
    once = table.assign(sec=30.0 + table["r"])
    plain = verify.careless(once, **WAVES, seconds="sec")
    assert "forms.differ" not in {f.key for f in plain.findings}
    # Two forms timed item by item; rows without a time tell nothing.
    mixed = (once["r"] == 3) & (once["w"] == 1) & once["t"].isin([0, 1])
    by_item = once.assign(sec=once["sec"].where(~mixed, 5.0 + once["i"]))
    by_item.loc[by_item["r"] == 7, "sec"] = np.nan
    zh, en = said(verify.careless(by_item, **WAVES, seconds="sec"), "forms.differ")
    assert "2 份问卷" in zh and "sec" in zh and "2 forms" in en
    facts = table.assign(new=table["i"] == 0)
    assert "forms.differ" in {
        f.key for f in verify.formality(facts, **WAVES, changed="new").findings
    }


def _forms(**more):
    rows = [("a", "x", "q1", 1, 5.0), ("a", "x", "q2", 1, 3.0), ("a", "x", "q1", 2, 4.0), ("a", "x", "q2", 2, 4.0),
            ("a", "y", "q1", 2, 2.0), ("b", "x", "q1", 1, 1.0), ("b", "x", "q1", 3, 2.0), ("b", "x", "q2", 3, 2.0),
            ("b", "y", "q1", 1, 4.0), ("b", "y", "q1", 2, 4.0)]  # fmt: skip
    data = pd.DataFrame(rows, columns=["r", "t", "i", "w", "s"]).assign(**more)
    return forms.read(data, rater="r", target="t", item="i", score="s", wave="w")


def test_forms_stand_in_the_order_of_rater_target_and_wave_and_know_their_last_one():
    found = _forms()
    place = list(zip(found.rater.tolist(), found.target.tolist(), found.wave.tolist(), strict=True))
    assert place == [(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 0, 2), (1, 1, 0), (1, 1, 1)]
    assert found.last().tolist() == [-1, 0, -1, -1, -1, -1, 5]  # one wave earlier, not two
    assert found.flat().tolist() == [False, True, False, False, True, False, False]
    # Wave 1: q1 5, 1, 4 and q2 3; wave 2: q1 4, 2, 4 and q2 4; wave 3: one answer to each.
    mean = 10 / 3
    expected = [(5 - mean + 0) / 2, (4 - mean) / 2, 2 - mean, 1 - mean, 0, 4 - mean, 4 - mean]
    np.testing.assert_allclose(found.centred(), expected, atol=1e-12)


def test_answers_are_counted_by_wave_item_and_value():
    found = _forms()
    assert found.coded[1].tolist() == [1, 2, 3, 4, 5]
    expected = [[[1, 0, 0, 1, 1], [0, 0, 1, 0, 0]], [[0, 1, 0, 2, 0], [0, 0, 0, 1, 0]],
                [[0, 1, 0, 0, 0], [0, 1, 0, 0, 0]]]  # fmt: skip
    assert found.counted.tolist() == expected


def test_a_part_of_the_forms_is_numbered_anew_or_as_it_was():
    found = _forms()
    keep = found.rater == 1
    own = forms.part(found, keep)
    assert (own.raters, own.targets, own.waves) == (["b"], ["x", "y"], [1, 2, 3])
    assert own.rater.tolist() == [0] * 4 and own.wave.tolist() == [0, 2, 0, 1]
    same = forms.part_of(found, keep)
    assert same.rater.tolist() == [1] * 4 and same.raters == ["a", "b"]
    late = forms.part(found, found.wave == 2)
    assert late.waves == [3] and late.targets == ["x"] and late.target.tolist() == [0]


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        # Far off is beyond the rest by its whole range, and by four points at least.
        ([1, 2, 3, 4, 5, 1, 2, 9], False), ([1, 2, 3, 4, 5, 1, 2, 9.1], True),
        ([1, 2, 3, 4, 5, 1, 9.1], False), ([10, 20, 30, 40, 10, 20, 30, 71], True),
        ([10, 20, 30, 40, 10, 20, 30, 69], False), ([-3.1, 2, 3, 4, 5, 1, 2, 5], True),
        ([1, 1, 1, 1, 1, 1, 1, 5], False), ([1, 1, 1, 1, 1, 1, 1, 5.1], True),
    ],
)  # fmt: skip
def test_a_score_far_off_the_rest_is_named(scores, said):
    found = grid._odd_scores(pd.DataFrame({"s": np.array(scores, dtype=float)}), "s")
    assert [f.key for f in found] == ["grid.far"] * said
    assert not said or found[0].values["count"] == 1


def test_who_names_no_item_is_told_of_a_form_sent_twice_by_the_own_columns(table):
    with pytest.raises(InputError) as refused:
        verify.drift(table, rater="r", target="t", score="s", wave="w")
    assert refused.value.problems[0].values["key"] == ["r", "t", "w"]
