"""Answers as positions among their values, whatever the values are."""

import numpy as np
import pytest

from svcmetrics.numeric import categories

NAN = np.nan
TABLES = {
    "whole": [[1, 3, 2], [5, 1, NAN], [NAN, 2, 2]],
    "gaps": [[-4, 900, 2], [NAN, 2, 995]],
    "far apart": [[0, 2000], [70000, NAN]],
    "at the limit": [[0, 1000], [1, NAN]],
    "beyond it": [[0, 1001], [1, NAN]],
    "fractions": [[0.5, 1.5], [NAN, 0.5]],
    "one fraction": [[1, 2], [3, 2.5]],
    "endless": [[1, np.inf], [2, NAN]],
    "none": [[NAN, NAN]],
    "one": [[7]],
    "large": [[1e9, 1e9 + 2], [1e9 + 1, NAN]],
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("at_once", [8192, 1])
def test_positions_and_values(name, at_once, monkeypatch):
    monkeypatch.setattr(categories, "_AT_ONCE", at_once)
    table = np.array(TABLES[name], float)
    place, values = categories.coded(table)
    told = sorted({v for v in table.ravel() if np.isfinite(v)})
    assert values.tolist() == told
    for mine, answer in zip(place.ravel(), table.ravel(), strict=True):
        assert mine == (told.index(answer) if np.isfinite(answer) else -1)
    assert place.shape == table.shape
    assert place.flags.f_contiguous


@pytest.mark.parametrize("count", [127, 128, 400])
@pytest.mark.parametrize("step", [1.0, 0.5, 2.0])
def test_many_values_do_not_overflow(count, step):
    table = (np.arange(count) * step)[::-1].reshape(-1, 1)
    place, values = categories.coded(table)
    assert place.ravel().tolist() == list(range(count - 1, -1, -1))
    assert len(values) == count
    assert (place.dtype == np.int8) == (count <= 127)
