"""Funnel limits: closed forms, widening, and the door."""

import numpy as np
import pandas as pd
import pytest

from svcmetrics import measure
from svcmetrics.problems import TableError

COUNTS = pd.DataFrame({"unit": list("ABCDE"), "late": [9, 11, 10, 8, 30], "cases": 100})
NAMES = {"group": "unit", "count": "late", "size": "cases"}


def test_limits_of_a_share_without_extra_spread():
    # p ± z·√(p(1 − p)/n) with p = 0.1, n = 100: 0.1 ± 1.96 · 0.03 and ± 3.09 · 0.03.
    calm = COUNTS.assign(late=[9, 11, 10, 8, 12])
    row = measure.funnel(calm, **NAMES, target=0.1).table.iloc[0]
    assert row[["lower_95", "upper_95"]].tolist() == pytest.approx([0.0412, 0.1588], abs=5e-5)
    assert row[["lower_998", "upper_998"]].tolist() == pytest.approx([0.0073, 0.1927], abs=5e-5)
    assert row["z"] == pytest.approx(-0.01 / 0.03)


def test_limits_of_a_rate():
    row = measure.funnel(COUNTS.assign(late=4), **NAMES, kind="rate", target=0.04).table.iloc[0]
    assert row["upper_95"] == pytest.approx(0.04 + 1.959964 * np.sqrt(0.04 / 100))


def test_one_that_is_far_out_is_named_and_the_others_are_not():
    out = measure.funnel(COUNTS, **NAMES, target=0.1)
    assert out.table["verdict"].tolist() == ["within"] * 4 + ["clear"]
    assert out.findings[0].values["names"] == ["E"]


def test_spread_between_all_groups_widens_the_limits():
    rng = np.random.default_rng(4)
    n = np.full(60, 400)
    hits = rng.binomial(n, rng.beta(8, 32, 60))
    table = pd.DataFrame({"unit": range(60), "late": hits, "cases": n})
    out = measure.funnel(table, **NAMES)
    assert out.about["phi"] > 3
    between = np.sqrt(out.about["tau2"])  # the beta law above has a standard deviation of 0.062
    assert between == pytest.approx(0.062, rel=0.3)
    assert (out.table["verdict"] == "clear").mean() < 0.1
    assert "funnel.overdispersed" in [f.key for f in out.findings]


def test_no_size_is_dropped_and_counted_and_impossible_counts_are_an_error():
    out = measure.funnel(
        COUNTS.assign(cases=[100, 100, 0, 100, 100], late=[1, 1, 0, 1, 1]), **NAMES
    )
    assert out.about["dropped"] == {"no_count_or_size": 1}
    with pytest.raises(TableError, match="late"):
        measure.funnel(COUNTS.assign(late=101), **NAMES)
    with pytest.raises(TableError):
        measure.funnel(pd.concat([COUNTS, COUNTS]), **NAMES)


def test_nothing_is_refused():
    assert measure.funnel(COUNTS.head(0), **NAMES).findings[0].level == "refused"
