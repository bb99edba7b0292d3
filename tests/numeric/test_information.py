"""How predictable an answer is: contexts counted one by one, entropy from its definition."""

from collections import Counter
from math import log2

import numpy as np
import pytest

from svcmetrics.numeric import information


def test_contexts_and_bits_counted_form_by_form():
    rng = np.random.default_rng(1)
    now, last = rng.integers(-1, 3, (25, 4)), rng.integers(-1, 4, (25, 4))
    group = rng.integers(0, 3, 25)
    found = information.contexts(now, last, group, 4)
    assert found.shape == (4, 16, 3)
    bits = information.bits_per_answer(found)
    for g in range(4):
        seen: Counter = Counter()
        for k in np.flatnonzero(group == g):
            before = -1  # nothing before the first item
            for answer, memory in zip(now[k], np.minimum(last[k], 2), strict=True):
                if answer >= 0:
                    seen[(before, memory), answer] += 1
                before = answer
        for (before, memory), answer in seen:
            cell = (before + 1) * 4 + memory + 1
            assert found[g, cell, answer] == seen[(before, memory), answer]
        total = sum(seen.values())
        assert found[g].sum() == total
        if not total:
            assert np.isnan(bits[g])
            continue
        by_context = Counter()
        for (context, _), n in seen.items():
            by_context[context] += n
        told = -sum(n / total * log2(n / by_context[c]) for (c, _), n in seen.items())
        spare = len(seen) - len(by_context)  # Miller and Madow, in bits
        assert bits[g] == pytest.approx(told + spare / (2 * total) / np.log(2))
