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
