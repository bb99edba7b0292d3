"""Printed rows of modified kappa, then the form."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import design
from svcmetrics.problems import TableError

# Judges, agreeing, I-CVI, chance, modified kappa, as printed in BMC Health Serv. Res. 2017
# (s12913-017-2469-8, table 10) and BMC Res. Notes 2016 (s13104-016-2249-2, table 4).
PRINTED = [
    (10, 10, 1.00, 0.001, 1.00), (10, 9, 0.90, 0.010, 0.90), (10, 8, 0.80, 0.044, 0.79),
    (10, 7, 0.70, 0.117, 0.66), (9, 7, 0.78, 0.070, 0.76), (9, 6, 0.67, 0.164, 0.60),
    (9, 8, 0.89, 0.018, 0.89), (7, 6, 0.86, 0.055, 0.85), (7, 7, 1.00, 0.008, 1.00),
]  # fmt: skip


def panel(judges: int, agree: int, item: str = "a") -> pd.DataFrame:
    ratings = [4] * agree + [2] * (judges - agree)
    return pd.DataFrame({"item_id": item, "judge_key": range(judges), "relevance": ratings})


@pytest.mark.parametrize(("judges", "agree", "share", "chance", "kappa"), PRINTED)
def test_modified_kappa_as_printed(judges, agree, share, chance, kappa):
    row = design.cvi(panel(judges, agree)).table.iloc[0]
    assert row["estimate"] == pytest.approx(share, abs=5.01e-3)
    assert row["chance"] == pytest.approx(chance, abs=5.01e-4)
    assert row["kappa"] == pytest.approx(kappa, abs=1e-2)


def test_the_form_is_the_mean_and_the_unanimous_share():
    data = pd.concat([panel(6, 6, "a"), panel(6, 5, "b"), panel(6, 3, "c")])
    table = design.cvi(data).table.set_index("variant")
    assert table.loc["s_cvi_ave", "estimate"] == pytest.approx((1 + 5 / 6 + 0.5) / 3)
    assert table.loc["s_cvi_ua", "estimate"] == pytest.approx(1 / 3)
    assert table.loc["i_cvi", "verdict"].tolist() == ["keep", "keep", "revise"]


def test_small_panels_must_agree_fully():
    assert design.cvi(panel(5, 4)).table["verdict"].iloc[0] == "revise"
    assert design.cvi(panel(5, 5)).table["verdict"].iloc[0] == "keep"


def test_digits_written_as_text_are_numbers_and_words_are_not():
    data = panel(6, 5)
    text = data.assign(relevance=data["relevance"].astype(str))
    pd.testing.assert_frame_equal(design.cvi(text).table, design.cvi(data).table)
    with pytest.raises(TableError, match="不是数字"):
        design.cvi(data.assign(relevance=["good"] + ["4"] * 5))


def test_ratings_off_the_scale_and_repeated_rows_are_errors():
    with pytest.raises(TableError) as caught:
        design.cvi(panel(6, 5).assign(relevance=5))
    assert caught.value.problems[0].key == "off_the_scale"
    with pytest.raises(TableError) as caught:
        design.cvi(pd.concat([panel(6, 5), panel(6, 5)]))
    assert caught.value.problems[0].key == "duplicate_rows"


def test_no_judgement_is_refused():
    result = design.cvi(panel(3, 3).assign(relevance=np.nan))
    assert result.findings[0].level == "refused"
    assert result.about["dropped"] == {"no_score": 3}


def test_exactly_the_share_that_is_asked_for_is_enough():
    # 39 of 50 is 0.78 (Polit, Beck & Owen 2007), in floating point a little less or more.
    assert design.cvi(panel(50, 39)).table["verdict"].iloc[0] == "keep"
    assert design.cvi(panel(50, 38)).table["verdict"].iloc[0] == "revise"


def test_one_judge_has_no_interval_and_two_have_students():
    one = design.cvi(panel(1, 1)).table.set_index("variant").loc["s_cvi_ave"]
    assert one["estimate"] == 1 and one[["low", "high"]].isna().all()
    items = [pd.DataFrame({"item_id": i, "judge_key": [0, 1], "relevance": [4, r]})
             for i, r in (("a", 4), ("b", 4), ("c", 4), ("d", 2))]  # fmt: skip
    rows = design.cvi(pd.concat(items)).table.set_index("variant")
    form = rows.loc["s_cvi_ave"]
    # One judge finds all relevant, the other three of four: 0.875, standard error 0.125, t = 12.706.
    assert (form["estimate"], form["low"], form["high"], form["n"]) == (0.875, 0, 1, 2)
    assert rows.loc["s_cvi_ua", "estimate"] == 0.75
    more = pd.concat([i for k in range(10) for i in (items[0].assign(item_id=f"x{k}"),)] + items)
    half = 12.706205 * np.std([1, 13 / 14], ddof=1) / np.sqrt(2)
    low = design.cvi(more).table.set_index("variant").loc["s_cvi_ave", "low"]
    assert low == pytest.approx(27 / 28 - half, abs=1e-6)


@pytest.mark.parametrize(("judges", "warned"), [(2, True), (3, False)])
def test_fewer_than_three_judges_are_warned_of(judges, warned):
    keys = {f.key: f for f in design.cvi(panel(judges, judges)).findings}
    assert ("cvi.few_judges" in keys) is warned
    assert not warned or keys["cvi.few_judges"].values == {"judges": 2}
    assert keys["cvi.kept"].values == {"items": 1, "kept": 1, "mean": 1.0, "judges": judges}
    assert "cvi.revise" not in keys


@pytest.mark.parametrize("count", [8, 9])
def test_eight_items_to_revise_are_named_and_more_are_only_counted(count):
    data = pd.concat([panel(6, 3, f"i{k}") for k in range(count)] + [panel(6, 6, "z")])
    found = next(f for f in design.cvi(data).findings if f.key == "cvi.revise")
    assert found.values["count"] == count
    assert found.values["names"] == [f"i{k}" for k in range(8)] + ["…"] * (count - 8)


def test_where_relevant_begins_is_relevant():
    data = panel(6, 6).assign(relevance=[3, 3, 3, 3, 3, 2])
    assert design.cvi(data).table["agree"].iloc[0] == 5
    assert design.cvi(data, relevant_from=2).table["agree"].iloc[0] == 6
    assert design.cvi(data, relevant_from=3.5).table["agree"].iloc[0] == 0


@pytest.mark.parametrize(("rating", "fits"), [(1, True), (4, True), (0, False), (4.5, False)])
def test_the_ends_of_the_scale_are_on_it(rating, fits):
    data = panel(6, 6).assign(relevance=[rating] * 6)
    if fits:
        assert len(design.cvi(data).table) == 3
        return
    with pytest.raises(TableError):
        design.cvi(data)
