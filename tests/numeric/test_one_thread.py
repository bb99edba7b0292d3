"""One thread for matrix products: the number of a machine's cores changes no digit."""

from __future__ import annotations

import numpy as np
import pytest

from svcmetrics.numeric import one_thread
from svcmetrics.numeric.one_thread import _libraries


@pytest.fixture
def three_threads():
    if not _libraries():
        pytest.skip("NumPy uses a library of the system")
    before = [get() for _, get in _libraries()]
    for put, _ in _libraries():
        put(3)
    yield
    for (put, _), count in zip(_libraries(), before, strict=True):
        put(count)


def test_inside_it_is_one_and_outside_what_it_was(three_threads):
    with one_thread.one_thread():
        assert [get() for _, get in _libraries()] == [1] * len(_libraries())
        with one_thread.one_thread():
            pass
        assert {get() for _, get in _libraries()} == {1}
    assert {get() for _, get in _libraries()} == {3}


def test_an_error_gives_the_threads_back(three_threads):
    with pytest.raises(ValueError, match="x"), one_thread.one_thread():
        raise ValueError("x")
    assert {get() for _, get in _libraries()} == {3}


def test_a_product_has_the_same_bits_on_any_number_of_threads(three_threads):
    x = np.random.default_rng(1).normal(size=(400, 300))
    with one_thread.one_thread():
        inside = x.T @ x
    for put, _ in _libraries():
        put(1)
    assert np.array_equal(inside, x.T @ x)


def test_a_library_that_is_none_is_passed_over(tmp_path):
    path = tmp_path / "libopenblas.so"
    path.write_bytes(b"not a library")
    assert one_thread._handle(path) is None
