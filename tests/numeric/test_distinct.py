"""Combinations counted, by a table, by a sort, and where no single number tells them apart."""

from collections import Counter

import numpy as np
import pytest

from svcmetrics.numeric.distinct import distinct


@pytest.mark.parametrize("scale", [1, 10**5, 2**40], ids=["table", "sort", "too large for a key"])
@pytest.mark.parametrize("weighted", [False, True])
def test_as_counted_one_by_one(scale, weighted):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 5, (2, 300)) * scale
    times = rng.integers(1, 9, 300) if weighted else np.ones(300, int)
    found, counts = distinct({"a": a, "b": b}, times if weighted else None)
    plain = Counter()
    for key, n in zip(zip(a.tolist(), b.tolist(), strict=True), times.tolist(), strict=True):
        plain[key] += n
    assert dict(zip(zip(found["a"], found["b"], strict=True), counts, strict=True)) == plain


def test_types_stay_and_nothing_is_nothing():
    columns = {"flag": np.array([True, False, True]), "word": np.array([2, 2, 2], np.int8)}
    found, counts = distinct(columns)
    assert [found["flag"].tolist(), counts.tolist()] == [[False, True], [1, 2]]
    assert found["word"].dtype == np.int8
    found, counts = distinct({"a": np.array([], int), "b": np.array([], bool)})
    assert len(found["a"]) == len(counts) == 0
