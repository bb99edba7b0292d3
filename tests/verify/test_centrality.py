"""Centrality: raters in the middle and at the ends are counted, honest ones are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcmetrics import verify
from svcmetrics.problems import TableError

NAMES = {"rater": "r", "target": "t", "item": "i", "score": "s"}


def rated(rng, squeeze=None, raters=80, targets=6, items=5):
    """Raters see the same quality; some shrink or stretch their answers around 3."""
    shape = (raters, targets, items)
    x = rng.normal(0, 0.6, (1, targets, 1)) + rng.normal(0, 0.3, (raters, 1, 1))
    x = x + rng.normal(0, 0.4, (raters, targets, 1)) + rng.normal(0, 0.6, shape)
    x = x * (np.ones(raters) if squeeze is None else squeeze)[:, None, None]
    r, t, i = (v.ravel() for v in np.indices(shape))
    return pd.DataFrame({"r": r, "t": t, "i": i, "s": np.clip(np.rint(3 + x.ravel()), 1, 5)})


def shares(result):
    table = result.table
    return table[table["metric"] == "centrality"].set_index("variant")["estimate"]


def test_squeezed_and_stretched_raters_are_counted():
    squeeze = np.ones(80)
    squeeze[:12], squeeze[12:20] = 0.3, 2.5
    found = shares(verify.centrality(rated(np.random.default_rng(1), squeeze), **NAMES))
    assert found["central"] == pytest.approx(0.15, abs=0.03)
    assert found["extreme"] == pytest.approx(0.10, abs=0.03)


def test_honest_raters_are_rarely_counted():
    rng = np.random.default_rng(2)
    found = [shares(verify.centrality(rated(rng), **NAMES)).sum() for _ in range(10)]
    assert np.mean(np.array(found) > 0) <= 0.2


def test_middle_and_ends_are_plain_shares_of_the_scale_offered():
    table = rated(np.random.default_rng(3))
    found = verify.centrality(table, **NAMES, scale=(1, 5)).table.set_index("metric")["estimate"]
    assert found["middle"] == pytest.approx((table["s"] == 3).mean())
    assert found["ends"] == pytest.approx(table["s"].isin([1, 5]).mean())
    with pytest.raises(TableError):
        verify.centrality(table, **NAMES, scale=(5, 1))


def test_the_shift_of_departments_is_shown_and_few_raters_are_refused():
    table = rated(np.random.default_rng(4))
    shifts = verify.centrality(table, **NAMES).table.query("metric == 'score_shift'")
    assert len(shifts) == 6 and shifts["estimate"].abs().max() < 0.1
    few = verify.centrality(table[table["r"] < 6], **NAMES)
    assert few.findings[0].level == "refused"
